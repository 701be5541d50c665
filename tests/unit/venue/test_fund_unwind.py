"""When the fund's next slice falls due by itself (LIQ-015)."""

from __future__ import annotations

import pytest

from exchange.domain.commands import AdvanceTime, AnyCommand, CreateAccount
from exchange.domain.policy import LiquidationSizing, RiskPolicy
from exchange.venue.venue import Venue
from tests.cast import ALICE, BOB, BTC_PERP, CAROL, T0
from tests.scenarios.spoken_commands import understand

SECOND = 1_000_000_000
POLICY = RiskPolicy(liquidation_sizing=LiquidationSizing.FULL, fund_unwind_fraction=500_000, fund_unwind_interval=10 * SECOND)


class Stage:
    """A venue whose fund took 10 lots over from alice, one second per command."""

    def __init__(self) -> None:
        self.venue = Venue((BTC_PERP,), policy=POLICY)
        self.now_ns = T0
        for account in (ALICE, BOB, CAROL):
            self.do(CreateAccount(account=account))
        self.say("alice deposits 101; bob deposits 10000; carol deposits 10000; fund deposits 10000; mark BTC 100")
        self.say("bob sells 10 BTC at 100; alice buys 10 BTC at 100")

    def do(self, command: AnyCommand, *, at_ns: int | None = None) -> None:
        self.now_ns = self.now_ns + SECOND if at_ns is None else at_ns
        self.venue.apply(command, now_ns=self.now_ns)

    def say(self, sentences: str) -> None:
        for sentence in sentences.split(";"):
            command = understand(sentence.strip())
            assert command is not None
            self.do(command)

    @property
    def held(self) -> int:
        positions = self.venue.funds().insurance_fund_positions
        return positions[0].quantity if positions else 0


@pytest.mark.rule("LIQ-015")
def test_nothing_is_due_while_the_fund_has_nothing_or_never_met_anybody() -> None:
    stage = Stage()
    assert stage.venue.next_due_ns is None
    stage.say("mark BTC 92")
    assert stage.held == 10, "an empty book: the fund took all of it over and sold none"
    assert stage.venue.next_due_ns is None


@pytest.mark.rule("LIQ-015")
def test_after_a_slice_the_next_is_due_an_interval_later_and_time_alone_sells_it() -> None:
    stage = Stage()
    stage.say("mark BTC 92; carol buys 100 BTC at 91; mark BTC 92")
    assert stage.held == 5
    due_ns = stage.venue.next_due_ns
    assert due_ns == stage.now_ns + 10 * SECOND
    stage.do(AdvanceTime(), at_ns=due_ns - 1)
    assert stage.held == 5
    stage.do(AdvanceTime(), at_ns=due_ns)
    assert stage.held == 2
    stage.do(AdvanceTime(), at_ns=due_ns + 10 * SECOND)
    stage.do(AdvanceTime(), at_ns=due_ns + 20 * SECOND)
    assert stage.held == 0
    assert stage.venue.next_due_ns is None


@pytest.mark.rule("LIQ-015")
def test_a_slice_that_met_nobody_is_not_due_again_at_once() -> None:
    stage = Stage()
    stage.say("mark BTC 92; carol buys 100 BTC at 91; mark BTC 92; carol cancels all")
    due_ns = stage.venue.next_due_ns
    assert due_ns is not None
    stage.do(AdvanceTime(), at_ns=due_ns)
    assert stage.held == 5
    assert stage.venue.next_due_ns is None, "the sequencer would else ask for it for ever"
