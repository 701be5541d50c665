from __future__ import annotations

import pytest

from exchange.domain.commands import AdvanceTime, AnyCommand, ContinueLiquidations, CreateAccount
from exchange.domain.events import AccountCreated, AnyEvent
from exchange.services.clock import RealClock, VirtualClock
from exchange.services.sequencer import Applied, Sequencer, SequencerHaltedError
from exchange.venue.venue import Venue
from tests.cast import ALICE, BOB, BTC_PERP, T0


class UnfinishedVenue:
    """A venue that owes a number of continuations after each command that is none, and may stumble."""

    def __init__(self, continuations: int = 0, stumbles: bool = False) -> None:
        self.sequence = 0
        self.now_ns = 0
        self.applied: list[tuple[str, int]] = []
        self._continuations = continuations
        self._owed = 0
        self._stumbles = stumbles

    @property
    def has_unfinished_liquidations(self) -> bool:
        return self._owed > 0

    def apply(self, command: AnyCommand, *, now_ns: int) -> tuple[AnyEvent, ...]:
        assert not self._stumbles, "an invariant is broken"
        self._owed = self._owed - 1 if isinstance(command, ContinueLiquidations) else self._continuations
        self.sequence += 1
        self.now_ns = now_ns
        self.applied.append((type(command).__name__, now_ns))
        return ()


def test_a_command_comes_back_with_its_place_its_time_and_its_events() -> None:
    sequencer = Sequencer(Venue([BTC_PERP]), VirtualClock(T0))
    command = CreateAccount(account=ALICE)
    applied = sequencer.submit(command)
    assert (applied.sequence, applied.time_ns, applied.command) == (1, T0, command)
    assert applied.events[0] == AccountCreated(account=ALICE)
    assert sequencer.sequence == 1


def test_listeners_see_every_command_in_the_order_in_which_they_subscribed() -> None:
    sequencer = Sequencer(Venue([BTC_PERP]), VirtualClock(T0))
    seen: list[tuple[str, int]] = []
    sequencer.subscribe(lambda applied: seen.append(("first", applied.sequence)))
    sequencer.subscribe(lambda applied: seen.append(("second", applied.sequence)))
    sequencer.submit(CreateAccount(account=ALICE))
    sequencer.submit(CreateAccount(account=BOB))
    assert seen == [("first", 1), ("second", 1), ("first", 2), ("second", 2)]


@pytest.mark.rule("WIRE-020")
def test_time_given_to_the_venue_never_goes_backward() -> None:
    readings = iter([500, 400, 600])
    venue = UnfinishedVenue()
    sequencer = Sequencer(venue, RealClock(lambda: next(readings)))
    venue.now_ns = 450
    for _ in range(3):
        sequencer.submit(AdvanceTime())
    assert [time_ns for _, time_ns in venue.applied] == [500, 500, 600]


def test_a_venue_that_was_ahead_of_the_clock_keeps_its_time() -> None:
    venue = UnfinishedVenue()
    venue.now_ns = T0 + 7
    assert Sequencer(venue, VirtualClock(T0)).submit(AdvanceTime()).time_ns == T0 + 7


@pytest.mark.rule("WIRE-020", "LIQ-011")
def test_unfinished_liquidations_go_on_as_commands_of_their_own_before_anything_else() -> None:
    venue = UnfinishedVenue(continuations=2)
    sequencer = Sequencer(venue, VirtualClock(T0))
    seen: list[str] = []
    sequencer.subscribe(lambda applied: seen.append(f"{applied.sequence} {type(applied.command).__name__}"))
    assert sequencer.submit(AdvanceTime()).sequence == 1, "what comes back is what came of the command itself"
    assert sequencer.submit(AdvanceTime()).sequence == 4
    assert seen == [
        "1 AdvanceTime",
        "2 ContinueLiquidations",
        "3 ContinueLiquidations",
        "4 AdvanceTime",
        "5 ContinueLiquidations",
        "6 ContinueLiquidations",
    ]


def test_liquidations_that_do_not_end_halt_the_venue() -> None:
    venue = UnfinishedVenue(continuations=11)
    sequencer = Sequencer(venue, VirtualClock(T0), continuations_max=10)
    with pytest.raises(SequencerHaltedError):
        sequencer.submit(AdvanceTime())
    assert len(venue.applied) == 11
    assert sequencer.is_halted


@pytest.mark.rule("WIRE-020")
def test_a_bug_halts_the_venue_for_good() -> None:
    sequencer = Sequencer(UnfinishedVenue(stumbles=True), VirtualClock(T0))
    with pytest.raises(SequencerHaltedError) as first:
        sequencer.submit(AdvanceTime())
    assert isinstance(first.value.__cause__, AssertionError)
    with pytest.raises(SequencerHaltedError) as second:
        sequencer.submit(CreateAccount(account=ALICE))
    assert second.value.__cause__ is first.value.__cause__
    assert sequencer.is_halted


def test_a_listener_that_fails_halts_the_venue_as_well() -> None:
    sequencer = Sequencer(Venue([BTC_PERP]), VirtualClock(T0))

    def fail(applied: Applied) -> None:
        raise KeyError(applied.sequence)

    sequencer.subscribe(fail)
    with pytest.raises(SequencerHaltedError):
        sequencer.submit(CreateAccount(account=ALICE))
    assert sequencer.is_halted


def test_a_listener_may_not_submit_commands() -> None:
    sequencer = Sequencer(Venue([BTC_PERP]), VirtualClock(T0))
    sequencer.subscribe(lambda applied: sequencer.submit(AdvanceTime()) and None)
    with pytest.raises(SequencerHaltedError) as halted:
        sequencer.submit(CreateAccount(account=ALICE))
    assert "may not submit" in str(halted.value.__cause__)
