"""Edge cases of a liquidation on its way through the book: gaps, thin books, own orders, cascades, legs, dust, fees.

Bob is mostly isolated long 10 at 100 with 100 of money: below 94.74 he is liquidated, at 90 bankrupt.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import IndexMarkTerms
from exchange.domain.policy import LiquidationSizing
from tests.cast import BTC_PERP, ETH_PERP, PLAIN_POLICY
from tests.scenarios.table import Table

RICH = "alice deposits 10000; carol deposits 10000; mark BTC 100 ETH 100;"
ISOLATED_10 = RICH + "bob deposits 1000; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
"""Order ids 1 and 2 are used."""
COVERS = replace(PLAIN_POLICY, fund_covers=True)
TARGET = replace(PLAIN_POLICY, liquidation_sizing=LiquidationSizing.TARGET, liquidation_slippage=0)
"""A close aims at 1.1 times maintenance and is taken to cost nothing."""


# -- 6: a gap through the bankruptcy price -----------------------------------------------------------------------------


@pytest.mark.rule("CONS-004", "LIQ-005", "LIQ-007", "LIQ-016")
def test_edge_06_a_gap_through_bankruptcy_is_the_funds_loss_and_not_the_cross_wallets() -> None:
    """At 80 there are -100 left; the bid at 85 is below bankruptcy. The fund takes 10 lots worth 800 for 900."""
    Table(ISOLATED_10 + "fund deposits 1000; carol buys 10 BTC at 85").play(
        (
            "mark BTC 80",
            "liquidation 1 of bob/BTC isolated equity -100 mm 40, cleared 0, accepted 4 limit 90, "
            "canceled 4 order.ioc_remainder, settled 0/10 BTC sell at 90, takeover 10 to fund value 900 pnl -100 equity 0, "
            "finished 1 fund BTC:10 fund_paid 100 returned 0 owner 0 default 0.5",
        ),
        ("bob", "wallet 900, total 900"),
        ("fund", "wallet 1000, equity 900, BTC +10 cost 900"),
    )


@pytest.mark.rule("CONS-004", "LIQ-014", "LIQ-016")
def test_edge_06_where_the_fund_covers_even_the_first_fill_may_be_below_bankruptcy() -> None:
    """The limit goes down to the mark less the usual slippage, 79.6 rounded up; at 85 the fund pays 5 for each lot."""
    Table(ISOLATED_10 + "fund deposits 1000; carol buys 10 BTC at 85", policy=COVERS).play(
        (
            "mark BTC 80",
            "liquidation 1 of bob/BTC isolated equity -100, cleared 0, accepted 4 limit 80, "
            "trade 10@85 maker 3 taker 4 taker_pnl -150 taker_fee -50, filled 3, filled 4, "
            "settled 10/10 BTC sell at 90 fee -50 equity 0, finished 1 fee -50 fund_paid 50 returned 0",
        ),
        ("bob", "wallet 900, total 900"),
        ("fund", "wallet 950, equity 950, BTC flat"),
    )


@pytest.mark.rule("CONS-004", "LIQ-007", "LIQ-008", "LIQ-014")
def test_edge_06_a_small_fund_covers_two_ticks_and_then_the_winners_pay_for_the_gap() -> None:
    """20 are 2 for each of 10 lots: the limit of 88 misses the bid of 85. A lot costs 8 of margin and 10 of loss: one goes."""
    Table(ISOLATED_10 + "fund deposits 20; carol buys 10 BTC at 85", policy=COVERS).play(
        (
            "mark BTC 80",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 4 limit 88, canceled 4 order.ioc_remainder, "
            "settled 0/10 BTC sell at 90, takeover 1 to fund value 90, adl 9 to alice value 810 other_pnl 90, "
            "finished 1 forgone 90 fund_paid 10 returned 0",
        ),
        ("bob", "wallet 900, total 900"),
        ("alice", "wallet 10090"),
    )


# -- 7: books that do not help -----------------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-002", "LIQ-005", "LIQ-007")
@pytest.mark.parametrize(
    ("book", "in_book", "cleared"),
    [
        ("", 0, ""),
        ("carol sells 10 BTC at 101", 1, ""),
        ("carol buys 10 BTC at 89", 1, ""),
        ("bob buys 10 BTC at 93", 1, "canceled 3 liquidation.orders_canceled quantity 10, "),
    ],
    ids=["empty", "one-sided", "beyond bankruptcy", "own orders alone"],
)
def test_edge_07_a_book_that_takes_nothing(book: str, in_book: int, cleared: str) -> None:
    number = 3 + in_book
    Table(ISOLATED_10 + f"fund deposits 1000; {book}").play(
        (
            "mark BTC 94",
            f"liquidation 1 of bob/BTC isolated equity 40 mm 47, {cleared}cleared {1 if cleared else 0}, "
            f"accepted {number} limit 90, canceled {number} order.ioc_remainder quantity 10, settled 0/10 BTC sell at 90, "
            "takeover 10 to fund value 900, finished 1",
        ),
        ("fund", "wallet 1000, equity 1040"),
    )


@pytest.mark.rule("LIQ-005", "LIQ-007")
def test_edge_07_a_book_too_thin_for_the_order_takes_what_it_can() -> None:
    """One lot at 93 costs 1 against the mark: 39 carry the other nine, which go for 846 - 39."""
    Table(ISOLATED_10 + "fund deposits 1000; carol buys 1 BTC at 93; carol buys 9 BTC at 89").play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 5 quantity 10, trade 1@93 maker 3 taker 5, filled 3, "
            "canceled 5 order.ioc_remainder quantity 9, settled 1/10 BTC sell at 90 equity 39 mm 42.3, "
            "takeover 9 to fund value 807 equity 0, finished 1 book BTC:1 fund BTC:9",
        ),
        ("BTC book", "bids 9@89"),
    )


# -- 8: the owner on both sides ----------------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-002", "LIQ-005")
def test_edge_08_own_orders_of_the_symbol_are_gone_before_the_closing_order_comes() -> None:
    """Bob's bid at 93 stood before carol's at 92; his sale meets hers."""
    Table(ISOLATED_10 + "bob buys 10 BTC at 93; carol buys 10 BTC at 92").play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, canceled 3 liquidation.orders_canceled, cleared 1, accepted 5, "
            "trade 10@92 maker 4 taker 5, filled 4, filled 5, settled 10/10 BTC sell at 90, finished 1 canceled 1 returned 20",
        ),
    )


@pytest.mark.rule("LIQ-005", "MARG-025", "BOOK-008")
def test_edge_08_an_order_of_the_other_leg_belongs_to_another_scope_and_is_canceled_where_it_is_met() -> None:
    """In hedge mode bob's buy at 93 closes his short, which is healthy. His long's sale must not meet it."""
    stage = RICH + "bob deposits 1000; bob sets hedge mode; bob sets BTC/long isolated; bob buys 10 BTC/long at 100;"
    stage += "alice sells 10 BTC at 100; bob sells 5 BTC/short at 100; carol buys 5 BTC at 100; bob buys 5 BTC/short at 93;"
    Table(stage + "carol buys 10 BTC at 92").play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC/long isolated equity 40, cleared 0, accepted 7 limit 90, "
            "canceled 5 order.self_trade_prevention quantity 5, trade 10@92 maker 6 taker 7, filled 6, filled 7, "
            "settled 10/10 BTC/long sell at 90, finished 1 returned 20",
        ),
        ("bob", "BTC/long flat, BTC/short -5 flagged no, orders none"),
    )


@pytest.mark.rule("LIQ-005", "LIQ-014", "MARG-013")
def test_edge_08_an_owners_second_account_gains_no_more_than_the_margin_of_the_first() -> None:
    """Erin is bob too. Her bid below bankruptcy is out of reach, of his own sale as of the liquidation's.

    At bankruptcy she may have the position: she gains the 40 that he has left, and the fund nothing loses.
    """
    stage = ISOLATED_10 + "erin deposits 1000; fund deposits 1000; erin buys 10 BTC at 88; mark BTC 95"
    Table(stage, policy=COVERS).play(
        ("bob sells 10 BTC at 88", "accepted 4, canceled 4 margin.reduce_below_maintenance"),
        ("erin buys 10 BTC at 90", "accepted 5, rested 5"),
        ("erin cancels 3", "canceled 3 order.canceled_by_owner"),
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40, cleared 0, accepted 6 limit 90, trade 10@90 maker 5 taker 6 "
            "taker_fee 0, filled 5, filled 6, settled 10/10 BTC sell at 90, finished 1 returned 0 fund_paid 0",
        ),
        ("bob", "total 900"),
        ("erin", "equity 1040"),
        ("fund", "wallet 1000"),
    )


# -- 9: a cascade ------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARK-003", "LIQ-007", "LIQ-008", "LIQ-011")
def test_edge_09_what_one_liquidation_trades_at_can_breach_another_only_with_the_next_mark() -> None:
    """The mark is the median of the index, the middle of the book and the last trade.

    An index of 94 makes it 94 (middle (91 + 97) / 2, last 98): bob's sale takes the bids at 91. Erin, bankrupt at 88.2,
    has 58 over 47 and stays. With the next tick the middle is 88.5 and the last trade 91, so that 91 it is: 28 under 45.5.
    A lot costs the fund 9.1 of margin and 2.8 beside the mark: of its 50 it takes four, and alice must take six.
    """
    btc = replace(BTC_PERP, index_mark=IndexMarkTerms(band=100_000, basis_window=1))
    stage = (
        "alice deposits 10000; carol deposits 10000; bob deposits 1000; erin deposits 1000; fund deposits 50; index BTC 100;"
    )
    stage += "bob sets BTC isolated; erin sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
    stage += "erin buys 10 BTC at 98; alice sells 10 BTC at 98; carol buys 10 BTC at 91; carol buys 10 BTC at 80;"
    Table(stage + "carol sells 10 BTC at 97", instruments=(btc,)).play(
        (
            "index BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40 mm 47, cleared 0, accepted 8 limit 90, trade 10@91 maker 5 taker 8, "
            "filled 5, filled 8, settled 10/10 BTC sell at 90, finished 1 returned 10",
        ),
        ("BTC", "mark 94"),
        ("erin", "BTC +10 isolated 98 equity 58 mm 47 flagged no"),
        (
            "wait",
            "liquidation 2 of erin/BTC isolated equity 28 mm 45.5, cleared 0, accepted 9 limit 89, "
            "canceled 9 order.ioc_remainder, settled 0/10 BTC sell at 89, takeover 4 to fund value 352.8 equity 16.8, "
            "adl 6 to alice value 529.2 other_pnl 64.8, finished 2 returned 0",
        ),
        ("BTC", "mark 91"),
        ("wait", ""),
        ("fund", "wallet 50, equity 61.2, BTC +4"),
    )


# -- 10: legs that offset each other -----------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-004", "LIQ-005")
def test_edge_10_the_leg_with_the_most_maintenance_is_closed_though_it_is_the_winning_one() -> None:
    """BTC has lost 160 at 84, the ETH short has won 30 at 97: 80 under 42 + 48.5.

    ETH carries 80 * 48.5 / 90.5 = 42.87: its limit is 101.29, rounded down. Bought at 99 it leaves 60 over 42.
    """
    stage = RICH + "bob deposits 210; bob buys 10 BTC at 100; alice sells 10 BTC at 100; bob sells 10 ETH at 100;"
    Table(stage + "alice buys 10 ETH at 100; carol sells 10 ETH at 99; carol buys 10 BTC at 84").play(
        (
            "mark BTC 84 ETH 97",
            "liquidation 1 of bob cross equity 80 mm 90.5, cleared 0, accepted 7 limit 101, trade 10@99 maker 5 taker 7 "
            "taker_pnl 10, filled 5, filled 7, settled 10/10 ETH buy at 101 equity 60 mm 42, finished 1 book ETH:10",
        ),
        ("bob", "BTC +10 flagged no, ETH flat, wallet 220"),
    )


@pytest.mark.rule("LIQ-004", "LIQ-005")
@pytest.mark.parametrize(("bid", "equity"), [(84, "70"), (83, "50")])
def test_edge_10_where_the_losing_leg_has_the_most_the_winner_is_kept(bid: int, equity: str) -> None:
    """20 BTC have lost 300 at 85, the ETH short has won 80 at 92: 90 under 85 + 46, of which BTC carries 58.4: 82.08 a lot.

    Sold anywhere from 83 up, what is left is more than the 46 that ETH needs: 0.69 of maintenance becomes 1.09 or more.
    """
    stage = RICH + "bob deposits 310; bob buys 20 BTC at 100; alice sells 20 BTC at 100; bob sells 10 ETH at 100;"
    Table(stage + f"alice buys 10 ETH at 100; carol buys 20 BTC at {bid}; mark ETH 92").play(
        (
            "mark BTC 85",
            "liquidation 1 of bob cross equity 90 mm 131, cleared 0, accepted 6 limit 83, "
            f"trade 20@{bid} maker 5 taker 6, filled 5, filled 6, settled 20/20 BTC sell at 83 equity {equity} mm 46, "
            "finished 1 book BTC:20",
        ),
        ("bob", "BTC flat, ETH -10 u 80 flagged no"),
    )


# -- 11: one scope does not touch the other ----------------------------------------------------------------------------

BOTH = RICH + "bob deposits 310; bob sets ETH isolated; bob buys 10 ETH at 100; alice sells 10 ETH at 100;"
BOTH += "bob buys 10 BTC at 100; alice sells 10 BTC at 100; bob sells 10 ETH at 120; bob buys 2 ETH at 90;"
BOTH += "bob sells 10 BTC at 120;"
"""ETH isolated with 100, BTC cross with 210 behind it; orders 5 and 6 in ETH, 7 in BTC. The ETH bid holds 18 + 2 units."""


@pytest.mark.rule("CONS-004", "LIQ-002")
def test_edge_11_a_cross_liquidation_touches_no_isolated_position_and_none_of_its_orders() -> None:
    """At 83 there are 40 under 41.5. Sold at 85 BTC leaves 60 in the pool, out of which ETH's bid is still held."""
    Table(BOTH + "carol buys 10 BTC at 85").play(
        (
            "mark BTC 83",
            "liquidation 1 of bob cross equity 40 mm 41.5, canceled 7 liquidation.orders_canceled, cleared 1, "
            "accepted 9 limit 79, trade 10@85 maker 8 taker 9, filled 8, filled 9, settled 10/10 BTC sell at 79, finished 1",
        ),
        ("bob", "wallet 60, orders 5:10+6:2, available 41.999998, ETH +10 isolated 100 held 18.000002 flagged no, BTC flat"),
    )


@pytest.mark.rule("CONS-004", "LIQ-002", "LIQ-010")
def test_edge_11_an_isolated_liquidation_touches_no_cross_position_and_none_of_its_orders() -> None:
    Table(BOTH + "carol buys 10 ETH at 92").play(
        ("bob", "wallet 210, equity 210, im 100"),
        (
            "mark ETH 94",
            "liquidation 1 of bob/ETH isolated equity 40 mm 47, canceled 5 liquidation.orders_canceled, "
            "canceled 6 liquidation.orders_canceled, cleared 2, accepted 9 limit 90, trade 10@92 maker 8 taker 9, "
            "filled 8, filled 9, settled 10/10 ETH sell at 90, finished 1 returned 20",
        ),
        ("bob", "wallet 230, equity 230, orders 7:10, BTC +10 cost 1000 flagged no, ETH flat"),
    )


# -- 12: several scopes of one account at once -------------------------------------------------------------------------


@pytest.mark.rule("LIQ-011", "MARG-019")
def test_edge_12_two_isolated_positions_fall_with_one_mark_update_the_worse_one_first() -> None:
    """ETH stands at 30/46.5, BTC at 40/47."""
    stage = ISOLATED_10 + "bob sets ETH isolated; bob buys 10 ETH at 100; alice sells 10 ETH at 100;"
    Table(stage + "carol buys 10 BTC at 92; carol buys 10 ETH at 92").play(
        (
            "mark BTC 94 ETH 93",
            "liquidation 1 of bob/ETH isolated equity 30 mm 46.5, liquidation 2 of bob/BTC isolated equity 40 mm 47, "
            "cleared 0, accepted 7 limit 90, trade 10@92 maker 6 taker 7, filled 6, filled 7, settled 10/10 ETH sell at 90, "
            "finished 1 returned 20, "
            "cleared 0, accepted 8 limit 90, trade 10@92 maker 5 taker 8, filled 5, filled 8, settled 10/10 BTC sell at 90, "
            "finished 2 returned 20",
        ),
        ("bob", "wallet 840, total 840"),
    )


@pytest.mark.rule("LIQ-011", "CONS-004", "MARG-019")
def test_edge_12_an_isolated_position_and_the_cross_pool_of_one_account_fall_together_each_with_its_own_money() -> None:
    """BTC has nothing left of its 100; the pool's 110 have become 10 under 45 and do not pay for BTC. ETH ends at 89."""
    stage = RICH + "bob deposits 210; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
    stage += "bob buys 10 ETH at 100; alice sells 10 ETH at 100; carol buys 10 BTC at 90; carol buys 10 ETH at 90"
    Table(stage).play(
        (
            "mark BTC 90 ETH 90",
            "liquidation 1 of bob/BTC isolated equity 0 mm 45, liquidation 2 of bob cross equity 10 mm 45, "
            "cleared 0, accepted 7 limit 90, trade 10@90 maker 5 taker 7, filled 5, filled 7, settled 10/10 BTC sell at 90, "
            "finished 1 returned 0, "
            "cleared 0, accepted 8 limit 89, trade 10@90 maker 6 taker 8, filled 6, filled 8, settled 10/10 ETH sell at 89, "
            "finished 2",
        ),
        ("bob", "wallet 10, total 10"),
    )


# -- 22: dust ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize(("least", "closed", "left"), [(0, 3, "BTC +7"), (658, 3, "BTC +7"), (659, 10, "BTC flat")])
def test_edge_22_a_close_that_would_leave_less_than_the_least_remainder_takes_all(least: int, closed: int, left: str) -> None:
    """40 carry 40 / (1.1 * 4.7) = 7.7 lots; seven of them are worth 658."""
    policy = replace(TARGET, liquidation_remainder_min=least * 10**6)
    Table(ISOLATED_10 + "carol buys 10 BTC at 94", policy=policy).play(
        (
            "mark BTC 94",
            f"liquidation 1 of bob/BTC isolated, cleared 0, accepted 4 quantity {closed}, trade {closed}@94 maker 3 taker 4, "
            f"{'filled 3, ' if closed == 10 else ''}filled 4, settled {closed}/{closed} BTC sell at 90, finished 1",
        ),
        ("bob", left),
    )


@pytest.mark.rule("LIQ-004", "BOOK-015", "BOOK-006")
@pytest.mark.parametrize(("lots", "closed"), [(2, 1), (1, 1)])
def test_edge_22_less_than_a_lot_cannot_stay_and_no_least_order_stands_in_the_way(lots: int, closed: int) -> None:
    """Two lots have 8 for 1.5 lots: one stays. One lot has 4 for 0.77 of it: it goes whole. An order must be worth 300."""
    btc = replace(BTC_PERP, notional_min=300_000_000)
    stage = "alice deposits 10000; bob deposits 1000; mark BTC 100; bob sets BTC isolated; bob buys 5 BTC at 100;"
    stage += f"alice sells 5 BTC at 100; alice buys {5 - lots} BTC at 100; bob sells {5 - lots} BTC at 100 reduce-only;"
    Table(stage + "alice buys 10 BTC at 94", instruments=(btc, ETH_PERP), policy=TARGET).play(
        ("bob sells 1 BTC at 101 fok", "rejected order.notional_below_minimum limit 300000000 actual 101000000")
        if lots > 1
        else ("bob", "BTC +1 isolated 10"),
        (
            "mark BTC 94",
            f"liquidation 1 of bob/BTC isolated equity {4 * lots}, cleared 0, accepted 6 quantity {closed}, "
            f"trade {closed}@94 maker 5 taker 6, filled 6, settled {closed}/{closed} BTC sell at 90, finished 1",
        ),
        ("bob", "BTC +1 flagged no" if lots > 1 else "BTC flat"),
    )


# -- 26: between bankruptcy and the mark -------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-006")
@pytest.mark.parametrize(
    ("bid", "fee", "returned"),
    [
        (90, "0", "0"),
        (91, "10", "0"),  # 2 % would be 18.2
        (92, "18.4", "1.6"),
        (93, "18.6", "11.4"),
        (96, "19.2", "40.8"),  # better than the mark
    ],
)
def test_edge_26_a_surplus_smaller_than_the_fee_is_all_fee(bid: int, fee: str, returned: str) -> None:
    """Above bankruptcy at 90 there are 10 for each tick; the fee is 2 % of the fill, and never more than that."""
    btc = replace(BTC_PERP, liquidation_fee=20_000)
    Table(ISOLATED_10 + f"carol buys 10 BTC at {bid}", instruments=(btc, ETH_PERP)).play(
        (
            "mark BTC 94",
            f"liquidation 1 of bob/BTC isolated equity 40, cleared 0, accepted 4 limit 90, "
            f"trade 10@{bid} maker 3 taker 4 taker_fee {fee}, filled 3, filled 4, settled 10/10 BTC sell at 90 fee {fee}, "
            f"finished 1 fee {fee} returned {returned}",
        ),
        ("fund", f"wallet {fee}, fees 0"),
        ("carol", f"equity {10_000 + 10 * (94 - bid)}"),
    )
