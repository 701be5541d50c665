"""Edge cases of marks: storms, odd times, prices that cannot be, and liquidation prices at the ends of the scale."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.commands import AdvanceTime, MarkPrice, SetMarkPrices
from exchange.domain.policy import UnfilledPolicy
from exchange.domain.units import PRICE_TICKS_MAX, format_cash
from exchange.venue.venue import Venue
from tests.cast import BTC_PERP, DUST_PERP, PLAIN_POLICY, T0
from tests.scenarios.table import Row, Table

RICH = "alice deposits 10000; carol deposits 10000; mark BTC 100 ETH 100;"
CROSS_10 = "bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
"""Bob is cross long 10 at 100; order ids 1 and 2 are used."""
ISOLATED_10 = "bob sets BTC isolated;" + CROSS_10
"""The same with 100 in the position's own wallet; bankrupt at 90."""
WAIT = replace(PLAIN_POLICY, unfilled=UnfilledPolicy.WAIT, liquidation_retries_max=5)


# -- 20: storms of marks, odd times, odd prices ------------------------------------------------------------------------


@pytest.mark.rule("LIQ-011", "BOOK-017")
def test_edge_20_a_thousand_marks_between_two_steps_move_nothing_but_the_mark() -> None:
    """While BTC is halted the flag waits. What follows when it opens is judged by the last mark alone: 30 under 46.5."""
    storm: list[Row] = [(f"mark BTC {94 - number % 3}", "") for number in range(1_000)]
    Table(RICH + "bob deposits 1000;" + ISOLATED_10 + "carol buys 10 BTC at 92; halts BTC").play(
        ("mark BTC 94", "liquidation 1 of bob/BTC isolated equity 40 mm 47, cleared 0, waiting 1 halted yes"),
        *storm,
        ("mark BTC 93", ""),
        ("bob", "BTC +10 isolated 100 equity 30 flagged yes, wallet 900"),
        (
            "resumes BTC",
            "resumed BTC, accepted 4 limit 90, trade 10@92 maker 3 taker 4, filled 3, filled 4, "
            "settled 10/10 BTC sell at 90 equity_before 30, finished 1 returned 20",
        ),
    )


@pytest.mark.rule("WIRE-020", "CONS-006")
def test_edge_20_times_may_repeat_and_never_go_back() -> None:
    venue = Venue([BTC_PERP])
    for price in (100, 101, 99):
        venue.apply(SetMarkPrices(marks=(MarkPrice("BTC-PERP", price),)), now_ns=T0)
    assert (venue.mark_price("BTC-PERP"), venue.now_ns, venue.sequence) == (99, T0, 3)
    before = venue.digest()
    with pytest.raises(ValueError, match="time went back"):
        venue.apply(AdvanceTime(), now_ns=T0 - 1)
    assert (venue.digest(), venue.sequence) == (before, 3)


@pytest.mark.rule("MARK-004", "CONS-005")
def test_edge_20_a_stale_mark_starts_no_liquidation_and_lets_orders_only_reduce() -> None:
    """ETH's fall leaves the pool 90 under 94, but BTC's mark is a minute old; the same price again, fresh, is enough.

    After a sale at 98 BTC's nine lots carry 88 * 45 / 89 = 44.49 of the equity, 4.94 each: their limit is 95.06, rounded up.
    """
    stage = RICH + "bob deposits 210;" + CROSS_10 + "bob buys 10 ETH at 100; alice sells 10 ETH at 100; alice buys 1 BTC at 98"
    stale = replace(WAIT, mark_stale_after=60 * 10**9)
    Table(stage, policy=stale).play(
        ("wait 61s", ""),
        ("mark ETH 88", ""),
        ("bob", "equity 90, mm 94, flagged no"),
        ("carol buys 1 BTC at 90", "rejected margin.mark_stale"),
        ("bob withdraws 1", "refused margin.mark_stale"),
        ("bob sells 1 BTC at 98", "accepted 6, trade 1@98 maker 5 taker 6, filled 5, filled 6"),
        (
            "mark BTC 100",
            "liquidation 1 of bob cross equity 88 mm 89, cleared 0, accepted 7 limit 96, canceled 7 order.ioc_remainder, "
            "settled 0/9 BTC sell at 96, waiting 1",
        ),
    )


@pytest.mark.rule("MARK-001", "MARK-002")
@pytest.mark.parametrize(
    ("marks", "refusal"),
    [
        ("BTC 0 ETH 90", "mark.price_out_of_range symbol BTC actual 0"),
        ("ETH 90 BTC -5", "mark.price_out_of_range symbol BTC actual -5"),
        ("ETH 90 BTC 50", "mark.jump_too_far symbol BTC limit 80 actual 50"),
        ("ETH 90 XRP 1", "order.unknown_symbol symbol XRP"),
        ("ETH 90 ETH 91", "mark.symbol_repeated symbol ETH"),
    ],
)
def test_edge_20_a_price_that_cannot_be_refuses_its_update_and_liquidates_nobody(marks: str, refusal: str) -> None:
    jumps = replace(PLAIN_POLICY, mark_jump_max=200_000)
    Table(RICH + "bob deposits 1000;" + ISOLATED_10, policy=jumps).play(
        (f"mark {marks}", f"refused {refusal}"),
        ("BTC", "mark 100"),
        ("ETH", "mark 100"),
        ("bob", "BTC +10 equity 100 flagged no"),
    )


@pytest.mark.rule("MARK-001", "LIQ-005")
def test_edge_20_a_mark_far_from_the_last_trade_rules_and_trades_stay_what_they_were() -> None:
    """All trades were at 100 and bids stand there; a mark of 60 still breaches, and the sale at 100 brings all back."""
    Table(RICH + "bob deposits 1000;" + ISOLATED_10 + "carol buys 10 BTC at 100").play(
        (
            "mark BTC 60",
            "liquidation 1 of bob/BTC isolated equity -300 mm 30, cleared 0, accepted 4 limit 90, "
            "trade 10@100 maker 3 taker 4 taker_pnl 0, filled 3, filled 4, settled 10/10 BTC sell at 90 equity 100, "
            "finished 1 returned 100",
        ),
        ("bob", "wallet 1000"),
    )


# -- 23: liquidation prices at the ends --------------------------------------------------------------------------------


@pytest.mark.rule("MARG-006")
def test_edge_23_a_long_that_is_wholly_paid_for_has_no_liquidation_price_and_a_short_has_one() -> None:
    """Long: 1000 of money for 1000 of cost, healthy down to the last tick: 10 over 0.5. Short: 2000 / 10.5 = 190.47."""
    paid = RICH + "bob deposits 2000; bob sets BTC isolated; bob sets BTC leverage 1;"
    Table(paid + CROSS_10).play(
        ("bob", "BTC +10 isolated 1000 liq none bp none"),
        ("bob adds 1 to BTC", "moved 1"),
        ("bob", "BTC +10 liq none bp none"),
        ("mark BTC 1", ""),
        ("bob", "BTC +10 equity 11 mm 0.5 flagged no"),
    )
    Table(paid + "bob sells 10 BTC at 100; alice buys 10 BTC at 100").play(
        ("bob", "BTC -10 isolated 1000 liq 190 bp 200"),
    )


@pytest.mark.rule("MARG-006")
def test_edge_23_in_cross_enough_money_beside_the_position_takes_its_liquidation_price_away() -> None:
    Table(RICH + "bob deposits 999.999999;" + CROSS_10).play(
        ("bob", "BTC +10 liq 1"),  # a root of less than a millionth, shown at the first tick
        ("bob deposits 0.000001", "credited 0.000001"),
        ("bob", "BTC +10 liq none"),
    )


@pytest.mark.rule("BOOK-006", "MARG-001", "CONS-001", "LIQ-008")
def test_edge_23_the_largest_position_at_the_largest_price_is_counted_to_the_unit() -> None:
    """2**40 lots at 1 unit each are bought for 1099511.627776; at 2**40 they are worth 2**80 units, beyond 64 bits.

    The short is bankrupt: its 1000000 and its entry cost are all that its position is handed over for.
    """
    lots, owed = PRICE_TICKS_MAX, format_cash(10**12 + 2**40 - 2**80)
    whales = replace(DUST_PERP, quantity_max=lots)
    stage = "alice deposits 1000000; bob deposits 1000000; mark DUST 1; alice sets DUST leverage 2; bob sets DUST leverage 2;"
    Table(stage + f"bob buys {lots} DUST at 1; alice sells {lots} DUST at 1", instruments=(whales,)).play(
        (f"mark DUST {lots + 1}", f"refused mark.price_out_of_range limit {lots} actual {lots + 1}"),
        (f"bob buys {lots + 1} DUST at 1", f"rejected order.quantity_above_maximum limit {lots}"),
        (
            f"mark DUST {lots}",
            f"liquidation 1 of alice cross equity {owed}, "
            f"cleared 0, accepted 3 limit 1, canceled 3 order.ioc_remainder, settled 0/{lots} DUST buy at 1, "
            f"adl {lots} to bob value -2099511.627776 pnl -1000000 other_pnl 1000000, finished 1",
        ),
        ("alice", "wallet 0"),
        ("bob", "wallet 2000000, DUST flat"),
    )
