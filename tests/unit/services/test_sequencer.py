from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from exchange.domain.commands import AdvanceTime, AnyCommand, ContinueLiquidations, CreateAccount, MarkPrice, SetMarkPrices
from exchange.domain.decisions import AnyDecision
from exchange.domain.events import AccountCreated, AnyEvent, FundingSettled
from exchange.domain.instrument import FundingTerms
from exchange.services.clock import RealClock, VirtualClock
from exchange.services.sequencer import Applied, Sequencer, SequencerHaltedError
from exchange.venue.venue import Venue
from tests.cast import ALICE, BOB, BTC_PERP, T0


class UnfinishedVenue:
    """A venue that owes a number of continuations after each command that is none, and may stumble.

    ``due`` are the times at which it wants an AdvanceTime; one that comes then or later settles one of them.
    """

    def __init__(self, continuations: int = 0, stumbles: bool = False, due: Sequence[int] = ()) -> None:
        self.sequence = 0
        self.now_ns = 0
        self.applied: list[tuple[str, int]] = []
        self._continuations = continuations
        self._owed = 0
        self._stumbles = stumbles
        self._due = list(due)

    @property
    def next_due_ns(self) -> int | None:
        return self._due[0] if self._due else None

    @property
    def decisions(self) -> tuple[AnyDecision, ...]:
        return ()

    @property
    def has_unfinished_liquidations(self) -> bool:
        return self._owed > 0

    @property
    def has_unfinished_triggers(self) -> bool:
        return False

    def apply(self, command: AnyCommand, *, now_ns: int) -> tuple[AnyEvent, ...]:
        assert not self._stumbles, "an invariant is broken"
        if isinstance(command, AdvanceTime) and self._due and self._due[0] <= now_ns:
            del self._due[0]
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


# -- what is due -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("FUND-004", "WIRE-020")
def test_what_fell_due_comes_before_a_command_each_at_its_own_time_and_for_every_listener() -> None:
    venue = UnfinishedVenue(due=[T0 + 10, T0 + 20, T0 + 30, T0 + 31])
    clock = VirtualClock(T0)
    sequencer = Sequencer(venue, clock)
    seen: list[tuple[int, str, int]] = []
    sequencer.subscribe(lambda each: seen.append((each.sequence, type(each.command).__name__, each.time_ns)))
    sequencer.submit(CreateAccount(account=ALICE))
    clock.set_time(T0 + 30)
    assert sequencer.submit(CreateAccount(account=BOB)).time_ns == T0 + 30
    assert seen == [
        (1, "CreateAccount", T0),
        (2, "AdvanceTime", T0 + 10),
        (3, "AdvanceTime", T0 + 20),
        (4, "AdvanceTime", T0 + 30),
        (5, "CreateAccount", T0 + 30),
    ]


@pytest.mark.rule("FUND-004")
def test_the_liquidations_after_what_was_due_end_before_the_next_is_due() -> None:
    venue = UnfinishedVenue(continuations=1, due=[T0 + 10, T0 + 20])
    clock = VirtualClock(T0)
    sequencer = Sequencer(venue, clock)
    clock.set_time(T0 + 25)
    sequencer.submit(CreateAccount(account=ALICE))
    assert venue.applied == [
        ("AdvanceTime", T0 + 10),
        ("ContinueLiquidations", T0 + 10),
        ("AdvanceTime", T0 + 20),
        ("ContinueLiquidations", T0 + 20),
        ("CreateAccount", T0 + 25),
        ("ContinueLiquidations", T0 + 25),
    ]


@pytest.mark.rule("FUND-004")
def test_a_tick_applies_what_is_due_by_now_and_nothing_else() -> None:
    readings = iter([T0 + 9, T0 + 12, T0 + 13])
    venue = UnfinishedVenue(due=[T0 + 10, T0 + 11, T0 + 20])
    sequencer = Sequencer(venue, RealClock(lambda: next(readings)))
    sequencer.tick()
    assert venue.applied == []
    sequencer.tick()
    assert venue.applied == [("AdvanceTime", T0 + 10), ("AdvanceTime", T0 + 11)]
    sequencer.tick()
    assert len(venue.applied) == 2


@pytest.mark.rule("FUND-004")
def test_a_jump_over_more_than_the_bound_is_caught_up_with_at_later_commands() -> None:
    venue = UnfinishedVenue(due=[T0 + second for second in range(1, 8)])
    clock = VirtualClock(T0 + 100)
    sequencer = Sequencer(venue, clock, due_commands_max=3)
    sequencer.submit(CreateAccount(account=ALICE))
    assert venue.applied[-2:] == [("AdvanceTime", T0 + 3), ("CreateAccount", T0 + 100)]
    sequencer.tick()
    assert venue.applied[4:] == [("AdvanceTime", T0 + 100)] * 3
    sequencer.submit(CreateAccount(account=BOB))
    assert venue.next_due_ns is None
    assert len(venue.applied) == 9


def test_a_bug_met_at_a_tick_halts_the_venue() -> None:
    sequencer = Sequencer(UnfinishedVenue(stumbles=True, due=[1]), VirtualClock(T0))
    with pytest.raises(SequencerHaltedError):
        sequencer.tick()
    assert sequencer.is_halted
    with pytest.raises(SequencerHaltedError):
        sequencer.tick()


def test_a_listener_may_not_tick() -> None:
    sequencer = Sequencer(Venue([BTC_PERP]), VirtualClock(T0))
    sequencer.subscribe(lambda applied: sequencer.tick())
    with pytest.raises(SequencerHaltedError) as halted:
        sequencer.submit(CreateAccount(account=ALICE))
    assert "may not submit" in str(halted.value.__cause__)


@pytest.mark.rule("FUND-004")
def test_each_funding_inside_a_jump_of_the_clock_fires_at_its_own_time() -> None:
    hour = 3_600 * 10**9
    terms = FundingTerms(interval=8 * hour, interest=100_000, clamp=500_000, cap=1_000_000, impact_notional=1)
    clock = VirtualClock(T0)
    sequencer = Sequencer(Venue([replace(BTC_PERP, funding=terms)]), clock)
    settled: list[tuple[int, int]] = []
    sequencer.subscribe(
        lambda applied: settled.extend(
            (applied.time_ns, event.time_ns) for event in applied.events if isinstance(event, FundingSettled)
        )
    )
    sequencer.submit(SetMarkPrices(marks=(MarkPrice("BTC-PERP", 100),)))
    clock.advance(24 * hour)
    sequencer.submit(AdvanceTime())
    first = (T0 // (8 * hour) + 1) * 8 * hour
    assert settled == [(time, time) for time in (first, first + 8 * hour, first + 16 * hour)]
