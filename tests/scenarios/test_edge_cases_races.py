"""Edge cases of order in time: what an owner sends just before and just after a mark, and a restart in the middle.

A venue takes one command after the other, so that a race is two orders of the same commands. Times may be the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from msgspec.structs import replace

from exchange.domain.commands import AnyCommand, ContinueLiquidations, CreateAccount
from exchange.domain.enums import MarginMode
from exchange.domain.events import AnyEvent, LiquidationFinished, LiquidationsDeferred, LiquidationStarted
from exchange.domain.policy import BadDebtPolicy, LiquidationSizing, RiskPolicy, UnfilledPolicy
from exchange.domain.units import TimeNs
from exchange.venue.state import VenueLimits
from exchange.venue.venue import Venue
from tests.cast import BTC_WITH_FEES, CAST, COIN, ETH_PERP, PLAIN_POLICY, T0
from tests.scenarios.spoken_commands import time_after, understand
from tests.scenarios.table import Table

RICH = "alice deposits 10000; carol deposits 10000; mark BTC 100 ETH 100;"
ISOLATED_10 = RICH + "bob deposits 1000; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
"""Bob is isolated long 10 at 100: below 94.74 he is liquidated, at 90 bankrupt. Order ids 1 and 2 are used."""
CROSS_10 = RICH + "bob deposits 150; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
WAIT = replace(PLAIN_POLICY, unfilled=UnfilledPolicy.WAIT, liquidation_retries_max=5)
FALLS = "liquidation 1 of bob/BTC isolated equity 40 mm 47, "
UNSOLD = "accepted {0}, canceled {0} order.ioc_remainder, settled 0/10 BTC sell at 90, "


# -- 25: races ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-002", "BOOK-009")
def test_edge_25_a_cancel_before_the_mark_and_a_cancel_after_it() -> None:
    """What is canceled first is not canceled again; what the liquidation has canceled is not found."""
    Table(ISOLATED_10 + "bob buys 1 BTC at 80; carol buys 10 BTC at 92").play(
        ("bob cancels 3", "canceled 3 order.canceled_by_owner"),
        (
            "mark BTC 94",
            FALLS + "cleared 0, accepted 5, trade 10@92 maker 4 taker 5, filled 4, filled 5, "
            "settled 10/10 BTC sell at 90, finished 1 canceled 0",
        ),
    )
    Table(ISOLATED_10 + "bob buys 1 BTC at 80; carol buys 10 BTC at 92").play(
        (
            "mark BTC 94",
            FALLS + "canceled 3 liquidation.orders_canceled, cleared 1, accepted 5, trade 10@92 maker 4 taker 5, "
            "filled 4, filled 5, settled 10/10 BTC sell at 90, finished 1 canceled 1",
        ),
        ("bob cancels 3", "refused order.not_found"),
    )


@pytest.mark.rule("LIQ-001", "LIQ-002")
def test_edge_25_a_client_that_leaves_in_the_middle_takes_nothing_along_that_the_liquidation_needs() -> None:
    """All orders of a client that is gone are canceled: the closing order is not among them, it never rests."""
    Table(ISOLATED_10 + "bob buys 1 BTC at 80; bob buys 1 ETH at 90", policy=WAIT).play(
        ("mark BTC 94", FALLS + "canceled 3 liquidation.orders_canceled, cleared 1, " + UNSOLD.format(5) + "waiting 1"),
        ("bob cancels all", "canceled 4 order.canceled_by_owner"),
        ("bob", "BTC +10 flagged yes, orders none"),
        (
            "carol buys 10 BTC at 92",
            "accepted 6, rested 6, accepted 7, trade 10@92 maker 6 taker 7, filled 6, filled 7, "
            "settled 10/10 BTC sell at 90, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-001", "LIQ-002", "MARG-010")
def test_edge_25_an_order_just_before_the_mark_and_the_same_order_just_after_it() -> None:
    """Before: it rests, and is canceled with the flag. After, while the flag is up: refused. Reducing is still allowed."""
    before = Table(ISOLATED_10, policy=WAIT).play(
        ("bob buys 1 BTC at 90", "accepted 3, rested 3"),
        ("mark BTC 94", FALLS + "canceled 3 liquidation.orders_canceled, cleared 1, " + UNSOLD.format(4) + "waiting 1"),
    )
    after = Table(ISOLATED_10, policy=WAIT).play(
        ("mark BTC 94", FALLS + "cleared 0, " + UNSOLD.format(3) + "waiting 1"),
        ("bob buys 1 BTC at 90", "rejected margin.liquidation_in_progress"),
        ("bob sells 10 BTC at 95", "accepted 4, rested 4, canceled 4 liquidation.orders_canceled, cleared 1, "
         + UNSOLD.format(5) + "waiting 1"),
    )  # fmt: skip
    for table in (before, after):
        assert table.venue.position("bob", "BTC-PERP").isolated_wallet == 100_000_000


@pytest.mark.rule("LIQ-006", "MARG-013", "MARG-017")
def test_edge_25_a_sale_just_before_the_mark_is_the_owners_and_just_after_it_the_liquidations() -> None:
    """Either way ten go at 93 and lose 70 of 100. The owner pays 1 % of 930 for it, the liquidated 2 %, to the fund."""
    stage, instruments = ISOLATED_10 + "carol buys 10 BTC at 93", (BTC_WITH_FEES, ETH_PERP)
    Table(stage, instruments=instruments).play(
        (
            "bob sells 10 BTC at 93",
            "accepted 4, trade 10@93 maker 3 taker 4 taker_fee 9.3 taker_out 20.7, filled 3, filled 4",
        ),
        ("mark BTC 94", ""),
        ("bob", "wallet 919.7"),
        ("fund", "wallet 0"),
    )
    Table(stage, instruments=instruments).play(
        (
            "mark BTC 94",
            FALLS + "cleared 0, accepted 4, trade 10@93 maker 3 taker 4 taker_fee 18.6, filled 3, filled 4, "
            "settled 10/10 BTC sell at 90, finished 1 returned 11.4",
        ),
        ("bob sells 10 BTC at 93 reduce-only", "rejected order.reduce_only_no_position"),
        ("bob", "wallet 910.4"),
        ("fund", "wallet 18.6"),
    )


@pytest.mark.rule("MARG-027", "LIQ-001")
def test_edge_25_a_withdrawal_racing_a_mark() -> None:
    """At 100 the 50 beside the margin may go, and then 94 is the end: 40 under 47. A mark earlier they may not."""
    Table(CROSS_10 + "carol buys 10 BTC at 94").play(
        ("bob withdraws 50", "withdrawn 50 wallet 100"),
        (
            "mark BTC 94",
            "liquidation 1 of bob cross equity 40 mm 47, cleared 0, accepted 4 limit 90, trade 10@94 maker 3 taker 4, "
            "filled 3, filled 4, settled 10/10 BTC sell at 90, finished 1",
        ),
        ("bob", "wallet 40, total 40"),
        ("bob withdraws 40", "withdrawn 40 wallet 0"),
    )
    Table(CROSS_10 + "carol buys 10 BTC at 94").play(
        ("mark BTC 94", ""),
        ("bob", "equity 90, mm 47, available -4"),
        ("bob withdraws 50", "refused margin.withdraw_above_available limit 0 actual 50000000"),
        ("bob", "wallet 150, BTC +10 flagged no"),
    )


@pytest.mark.rule("MARG-016", "LIQ-001", "LIQ-010")
def test_edge_25_a_transfer_racing_a_mark() -> None:
    """Ten more make 50 over 47. A mark earlier there is no position left to give them to."""
    Table(ISOLATED_10 + "carol buys 10 BTC at 93").play(
        ("bob adds 10 to BTC", "moved 10"),
        ("mark BTC 94", ""),
        ("bob", "BTC +10 equity 50 flagged no"),
    )
    Table(ISOLATED_10 + "carol buys 10 BTC at 93").play(
        (
            "mark BTC 94",
            FALLS + "cleared 0, accepted 4, trade 10@93 maker 3 taker 4, filled 3, filled 4, settled 10/10 BTC sell at 90, "
            "finished 1 returned 30",
        ),
        ("bob adds 10 to BTC", "refused margin.no_isolated_position"),
        ("bob", "wallet 930"),
    )


@pytest.mark.rule("LIQ-001", "LIQ-011", "CONS-006")
@pytest.mark.parametrize("order_first", [True, False])
def test_edge_25_an_order_at_the_very_time_of_the_flag_is_decided_by_its_place_in_the_row(order_first: bool) -> None:
    venue = Venue([BTC_WITH_FEES, ETH_PERP], policy=WAIT)
    stage = [CreateAccount(account=account) for account in CAST]
    sentences = [part.strip() for part in ISOLATED_10.split(";") if part.strip()]
    for command in (*stage, *(_command(sentence) for sentence in sentences)):
        venue.apply(command, now_ns=T0)
    pair = [_command("bob buys 1 BTC at 90"), _command("mark BTC 94")]
    told = [type(event).__name__ for command in (pair if order_first else pair[::-1])
            for event in venue.apply(command, now_ns=T0)]  # fmt: skip
    assert ("OrderRested" in told) is order_first
    assert ("OrderRejected" in told) is not order_first
    assert venue.open_orders("bob") == ()
    assert venue.position("bob", "BTC-PERP").liquidating
    assert venue.imbalance() == 0


# -- 28: a restart during liquidation ----------------------------------------------------------------------------------

LOG = """
alice deposits 20000; carol deposits 20000; bob deposits 1000; dave deposits 600; erin deposits 700; frank deposits 350
fund deposits 60; erin deposits 3 of COIN; mark BTC 100 ETH 100
erin sets hedge mode; bob sets BTC isolated; dave sets ETH isolated
bob buys 30 BTC at 100; alice sells 30 BTC at 100; dave buys 20 ETH at 100; carol sells 20 ETH at 100
erin buys 30 BTC/long at 100; carol sells 30 BTC at 100; erin buys 20 ETH/long at 100; alice sells 20 ETH at 100
erin sells 10 BTC/short at 100; alice buys 10 BTC at 100
frank buys 20 ETH at 101; carol sells 20 ETH at 101; carol buys 5 BTC at 94; carol buys 4 BTC at 93; carol buys 3 ETH at 92
bob buys 2 BTC at 80; bob buys 3 ETH at 70
mark BTC 94 ETH 93
carol buys 10 BTC at 91; wait 1s
bob adds 20 to BTC; mark BTC 90 ETH 88
halts ETH; mark BTC 84 ETH 80; resumes ETH
collateral COIN 60; mark BTC 75 ETH 70
fund deposits 500; mark BTC 60
wait 1h; mark BTC 100 ETH 100; alice buys 1 BTC at 99
"""
RESTART_POLICY = RiskPolicy(
    liquidation_sizing=LiquidationSizing.TARGET,
    unfilled=UnfilledPolicy.WAIT,
    liquidation_retries_max=1,
    bad_debt=BadDebtPolicy.SOCIALIZE,
    fund_unwind_fraction=500_000,
    liquidation_rounds_max=3,
)


def _command(sentence: str) -> AnyCommand:
    command = understand(sentence)
    assert command is not None, sentence
    return command


def _open_venue() -> Venue:
    limits = VenueLimits(liquidation_steps_max=1, adl_legs_max=1)
    return Venue([BTC_WITH_FEES, ETH_PERP], limits, RESTART_POLICY, [COIN])


class Logged:
    """A venue, and a log of all that it was given, each command as the bytes that a file would hold."""

    def __init__(self) -> None:
        self.venue = _open_venue()
        self.log: list[tuple[bytes, TimeNs]] = []
        self.events: list[tuple[AnyEvent, ...]] = []
        self.digests: list[str] = []
        now_ns = T0
        for account in CAST:
            self._apply(CreateAccount(account=account), now_ns)
        for sentence in (part.strip() for line in LOG.splitlines() for part in line.split(";")):
            if not sentence:
                continue
            now_ns = time_after(sentence, now_ns)
            self._apply(_command(sentence), now_ns)
            for _ in range(100):
                if self.venue.has_unfinished_liquidations:
                    self._apply(ContinueLiquidations(), now_ns)

    def _apply(self, command: AnyCommand, now_ns: TimeNs) -> None:
        self.log.append((msgspec.json.encode(command), now_ns))
        self.events.append(self.venue.apply(command, now_ns=now_ns))
        self.digests.append(self.venue.digest())

    def restarted(self, cut: int) -> Venue:
        """Return a fresh venue that has been given the log up to a cut."""
        venue = _open_venue()
        for line, now_ns in self.log[:cut]:
            venue.apply(_read(line), now_ns=now_ns)
        return venue

    def cuts_in_a_liquidation(self) -> Iterator[int]:
        """Yield the cuts after which a ContinueLiquidations has to come."""
        for number, events in enumerate(self.events):
            if any(isinstance(event, LiquidationsDeferred) for event in events):
                yield number + 1


def _read(line: bytes) -> AnyCommand:
    command: AnyCommand = msgspec.json.decode(line, type=AnyCommand)
    return command


@pytest.fixture(scope="module")
def logged() -> Logged:
    return Logged()


@pytest.mark.rule("CONS-006", "LIQ-011")
def test_edge_28_a_restart_in_the_middle_of_a_liquidation_resumes_at_the_same_step(logged: Logged) -> None:
    cuts = list(logged.cuts_in_a_liquidation())
    assert len(cuts) >= 5
    for cut in cuts:
        venue = logged.restarted(cut)
        assert venue.has_unfinished_liquidations
        assert venue.digest() == logged.digests[cut - 1]
        assert _read(logged.log[cut][0]) == ContinueLiquidations()
        for number in range(cut, len(logged.log)):
            line, now_ns = logged.log[number]
            assert venue.apply(_read(line), now_ns=now_ns) == logged.events[number]
            assert venue.digest() == logged.digests[number]


@pytest.mark.rule("CONS-006")
def test_edge_28_so_does_a_restart_after_every_other_command(logged: Logged) -> None:
    for cut in range(len(logged.log) + 1):
        venue = logged.restarted(cut)
        events = [venue.apply(_read(line), now_ns=now_ns) for line, now_ns in logged.log[cut:]]
        assert events == logged.events[cut:]
        assert venue.digest() == logged.digests[-1]


@pytest.mark.rule("CONS-006", "LIQ-010")
def test_edge_28_the_log_holds_liquidations_of_both_kinds_that_span_several_commands_and_end(logged: Logged) -> None:
    told = [(number, event) for number, events in enumerate(logged.events) for event in events]
    started = {event.liquidation_id: number for number, event in told if isinstance(event, LiquidationStarted)}
    ended = {event.record.liquidation_id: (number, event.record.path) for number, event in told
             if isinstance(event, LiquidationFinished)}  # fmt: skip
    assert started.keys() == ended.keys()
    assert {path for _, path in ended.values()} == set(MarginMode)
    assert any(number - started[name] > 2 for name, (number, _) in ended.items())
    kinds = {type(event).__name__ for _, event in told}
    assert {"LiquidationWaiting", "PositionTransferred", "LiquidationOrderSettled", "LiquidationsDeferred"} <= kinds
    assert logged.venue.imbalance() == 0
