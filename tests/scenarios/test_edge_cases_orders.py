"""Edge cases of orders and fills: flips, partial closes, lost offsets, fees, checks at the fill, the least amounts.

The numbers are those of the list of edge cases that the margin model was designed with. Without other words a lot at 100
is worth 100, needs 10 of initial margin at leverage 10 and 5 of maintenance.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import check_instrument
from tests.cast import BTC_PERP, BTC_WITH_FEES, BTC_WITH_REBATE, DUST_PERP, ETH_PERP
from tests.scenarios.table import Table

RICH = "alice deposits 10000; carol deposits 10000; mark BTC 100 ETH 100;"
CROSS_10 = "bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
"""Bob is cross long 10 at 100; order ids 1 and 2 are used."""
ISOLATED_10 = "bob sets BTC isolated;" + CROSS_10
"""The same with 100 in the position's own wallet."""


# -- 1: a flip by one order --------------------------------------------------------------------------------------------


@pytest.mark.rule("BOOK-011", "MARG-014")
def test_edge_01_position_flip_by_one_order_cross() -> None:
    """Both sides flip: 10 close at +4 each, then 15 open at 104. Equity 1040 + 15 * 4 = 1100, margin 1500 / 10 = 150."""
    Table(RICH + "bob deposits 1000;" + CROSS_10 + "alice buys 25 BTC at 104").play(
        (
            "bob sells 25 BTC at 104",
            "accepted 4, trade 10@104 maker 3 taker 4 taker_pnl 40 maker_pnl -40, "
            "trade 15@104 maker 3 taker 4 taker_pnl 0 maker_pnl 0, filled 3, filled 4",
        ),
        ("bob", "wallet 1040, BTC -15 cost -1560 u 60 im 150 mm 75, equity 1100, available 890"),
        ("alice", "wallet 9960, BTC +15 cost 1560"),
    )


@pytest.mark.rule("BOOK-011", "MARG-012", "MARG-014")
def test_edge_01_position_flip_by_one_order_isolated() -> None:
    """The close pays out 100 + 40; the opening takes 15 * 104 / 10 = 156, a sell above the mark being margined at its price."""
    Table(RICH + "bob deposits 1000;" + ISOLATED_10 + "alice buys 25 BTC at 104").play(
        ("bob", "wallet 900, BTC +10 isolated 100"),
        (
            "bob sells 25 BTC at 104",
            "accepted 4, trade 10@104 maker 3 taker 4 taker_pnl 40 taker_out 140 taker_in 0, "
            "trade 15@104 maker 3 taker 4 taker_out 0 taker_in 156, filled 3, filled 4",
        ),
        ("bob", "wallet 884, BTC -15 cost -1560 isolated 156 equity 216 im 150"),
    )


@pytest.mark.rule("MARG-010", "MARG-012", "BOOK-011")
@pytest.mark.parametrize(
    ("deposit", "outcome", "left"),
    [
        (
            "430.000002",
            "trade 10@86 maker 3 taker 4 taker_pnl -140, canceled 4 margin.fill_check_failed quantity 15",
            "wallet 290.000002, BTC flat",
        ),
        (
            "434",
            "trade 10@86 maker 3 taker 4 taker_pnl -140, trade 15@86 maker 3 taker 4, filled 3, filled 4",
            "wallet 294, BTC -15 cost -1290 u -150 im 144",
        ),
    ],
)
def test_edge_01_a_cross_flip_whose_close_loses_more_than_it_releases(deposit: str, outcome: str, left: str) -> None:
    """At 96 the close releases 96 of margin and loses 100 to it at 86. The 15 lots hold 144 + 150 of open loss + 2 units.

    With 430.000002 that is just what is available (430.000002 - 40 - 96), but after the close 290.000002 - 150 is below 144.
    """
    Table(RICH + f"bob deposits {deposit};" + CROSS_10 + "mark BTC 96; alice buys 25 BTC at 86").play(
        ("bob sells 25 BTC at 86", f"accepted 4 required 294.000002, {outcome}"),
        ("bob", left),
    )


@pytest.mark.rule("MARG-012", "MARG-013")
@pytest.mark.parametrize(
    ("price", "outcome", "left"),
    [
        # 100 - 110 would leave the position's wallet below zero: nothing trades at all
        (89, "canceled 4 margin.reduce_below_maintenance quantity 25", "wallet 900, BTC +10 isolated 100"),
        # 100 - 100 leaves nothing; 15 * 9.6 + 15 * 6 = 234 come from the cross wallet
        (
            90,
            "trade 10@90 maker 3 taker 4 taker_pnl -100 taker_out 0, trade 15@90 maker 3 taker 4 taker_in 234, "
            "filled 3, filled 4",
            "wallet 666, BTC -15 isolated 234 equity 144 im 144",
        ),
    ],
)
def test_edge_01_an_isolated_flip_whose_close_loses_what_it_releases_and_more(price: int, outcome: str, left: str) -> None:
    Table(RICH + "bob deposits 1000;" + ISOLATED_10 + f"mark BTC 96; alice buys 25 BTC at {price}").play(
        (f"bob sells 25 BTC at {price}", f"accepted 4, {outcome}"),
        ("bob", left),
    )


# -- 2: partial closes -------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-014")
@pytest.mark.parametrize(
    ("price", "profit", "paid", "isolated"),
    [
        (105, "20", "60", "60"),  # 40 % of 100 and the profit of 20
        (100, "0", "40", "60"),
        (95, "-20", "20", "60"),  # the loss comes out of the 40 that are released
        (90, "-40", "0", "60"),
        (88, "-48", "0", "52"),  # what the 40 do not cover comes out of the rest
    ],
)
def test_edge_02_a_partial_close_releases_isolated_margin_pro_rata(price: int, profit: str, paid: str, isolated: str) -> None:
    wallet = 900 + int(paid)
    Table(RICH + "bob deposits 1000;" + ISOLATED_10 + f"alice buys 4 BTC at {price}").play(
        (
            f"bob sells 4 BTC at {price}",
            f"accepted 4, trade 4@{price} maker 3 taker 4 taker_pnl {profit} taker_out {paid}, filled 3, filled 4",
        ),
        ("bob", f"wallet {wallet}, BTC +6 cost 600 isolated {isolated}"),
    )


@pytest.mark.rule("MARG-014", "CONS-002")
def test_edge_02_three_lots_closed_one_by_one_leave_no_remainder() -> None:
    """Two lots at 10 and one at 11 cost 31 units and are margined with 2 + 2 (1.1 rounded up).

    Thirds: 31/3 is 10, then 21/2 is 10, then 11; of the wallet 4/3 is 1, then 3/2 is 1, then all 2.
    """
    stage = (
        "alice deposits 1; bob deposits 1; mark DUST 11; bob sets DUST isolated; alice sells 2 DUST at 10;"
        "bob buys 2 DUST at 10; alice sells 1 DUST at 11; bob buys 1 DUST at 11; alice buys 3 DUST at 11"
    )
    unit = "0.00000"
    Table(stage, instruments=(DUST_PERP,)).play(
        ("bob", f"DUST +3 cost 0.000031 isolated {unit}4, wallet 0.999996"),
        (
            "bob sells 1 DUST at 11",
            f"accepted 6, trade 1@11 maker 5 taker 6 taker_pnl {unit}1 taker_out {unit}2, filled 6",
        ),
        ("bob", f"DUST +2 cost 0.000021 isolated {unit}3"),
        (
            "bob sells 1 DUST at 11",
            f"accepted 7, trade 1@11 maker 5 taker 7 taker_pnl {unit}1 taker_out {unit}2, filled 7",
        ),
        ("bob", f"DUST +1 cost 0.000011 isolated {unit}2"),
        (
            "bob sells 1 DUST at 11",
            f"accepted 8, trade 1@11 maker 5 taker 8 taker_pnl 0 taker_out {unit}2, filled 5, filled 8",
        ),
        ("bob", "DUST flat cost 0 isolated 0, wallet 1.000002"),
    )


# -- 3: orders that lose their offset ----------------------------------------------------------------------------------


@pytest.mark.rule("MARG-008", "MARG-011")
def test_edge_03_a_reducing_fill_takes_the_offset_of_resting_orders_and_the_largest_is_canceled() -> None:
    """Ten sells at 105 are free, ten at 110 hold 110 + 2 units of the 115 that are left beside the position's 100.

    The close by a reduce-only order frees the 100, but both orders then hold 105 + 110 + 4 units of 215: the larger goes.
    """
    stage = RICH + "bob deposits 215;" + CROSS_10 + "bob sells 10 BTC at 105; bob sells 10 BTC at 110; carol buys 10 BTC at 100"
    Table(stage).play(
        ("bob", "held 110.000002, available 4.999998"),
        (
            "bob sells 10 BTC at 100 reduce-only",
            "accepted 6 required 0, trade 10@100 maker 5 taker 6, filled 5, canceled 4 margin.offset_lost, filled 6",
        ),
        ("bob", "BTC flat, orders 3:10, held 105.000002, available 109.999998"),
    )


@pytest.mark.rule("MARG-011")
def test_edge_03_with_a_unit_more_nothing_has_to_go() -> None:
    """R jumps from 110.000002 to 215.000004, which is all there is."""
    stage = RICH + "bob deposits 215.000004;" + CROSS_10 + "bob sells 10 BTC at 105; bob sells 10 BTC at 110;"
    Table(stage + "carol buys 10 BTC at 100").play(
        (
            "bob sells 10 BTC at 100 reduce-only",
            "accepted 6, trade 10@100 maker 5 taker 6, filled 5, filled 6",
        ),
        ("bob", "orders 3:10+4:10, held 215.000004, available 0"),
    )


@pytest.mark.rule("MARG-011")
def test_edge_03_the_largest_go_first_until_it_fits_and_a_reduction_is_never_refused() -> None:
    """In place of the position's offset: 4 at 105 hold 42, 6 at 110 hold 66, 1 at 120 holds 12, 2 units more each.

    The new order's price puts it before them; it alone frees nothing yet, so that of 0 available the 66 and the 42 go.
    """
    stage = RICH + "bob deposits 112.000002;" + CROSS_10 + "bob sells 4 BTC at 105; bob sells 6 BTC at 110;"
    Table(stage + "bob sells 1 BTC at 120").play(
        ("bob", "held 12.000002, available 0"),
        (
            "bob sells 10 BTC at 101",
            "accepted 6 required 108.000004 after -108.000004, canceled 4 margin.offset_lost, canceled 3 margin.offset_lost, "
            "rested 6",
        ),
        ("bob", "orders 5:1+6:10, held 12.000002, available 0"),
    )


@pytest.mark.rule("MARG-010", "MARG-011")
def test_edge_03_a_reduction_passes_with_less_than_nothing_available() -> None:
    """At 97 there are 71 of equity beside 97 of margin: 26 too little, and still the close goes through."""
    Table(RICH + "bob deposits 101;" + CROSS_10 + "alice buys 5 BTC at 97; mark BTC 97").play(
        ("bob", "available -26"),
        ("bob buys 1 BTC at 90", "rejected margin.initial_insufficient before -26"),
        ("bob sells 5 BTC at 97", "accepted 4 required 0, trade 5@97 maker 3 taker 4, filled 3, filled 4"),
        ("bob", "BTC +5, equity 71, available 22.5"),
    )


# -- 4: fees -----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-012", "MARG-017")
def test_edge_04_the_fee_of_an_opening_comes_beside_its_margin() -> None:
    """Ten at 100 with a fee of 1 %: 100 + 10 move, the fee leaves, equity is initial margin to the unit."""
    stage = "alice deposits 1000; bob deposits 1000; mark BTC 100; bob sets BTC isolated; alice sells 10 BTC at 100"
    Table(stage, instruments=(BTC_WITH_FEES,)).play(
        (
            "bob buys 10 BTC at 100",
            "accepted 2 required 110.000002, trade 10@100 maker 1 taker 2 taker_fee 10 taker_in 110, filled 1, filled 2",
        ),
        ("bob", "wallet 890, BTC +10 isolated 100 equity 100 im 100"),
    )


@pytest.mark.rule("MARG-010", "MARG-012", "MARG-017")
@pytest.mark.parametrize(
    ("deposit", "outcome", "equity"),
    [
        ("110.000002", "accepted 2, trade 10@100 maker 1 taker 2 taker_fee 10, filled 1, filled 2", "100.000002"),
        ("110.000001", "rejected margin.initial_insufficient limit 110000001 actual 110000002", "110.000001"),
    ],
)
def test_edge_04_cross_equity_after_the_fee_is_still_initial_margin(deposit: str, outcome: str, equity: str) -> None:
    stage = f"alice deposits 1000; bob deposits {deposit}; mark BTC 100; alice sells 10 BTC at 100"
    Table(stage, instruments=(BTC_WITH_FEES,)).play(("bob buys 10 BTC at 100", outcome), ("bob", f"equity {equity}"))


@pytest.mark.rule("MARG-012", "MARG-013", "MARG-017", "LIQ-006")
def test_edge_04_a_fee_above_maintenance_may_keep_an_owner_from_closing_but_never_a_liquidation() -> None:
    """At a fee of 10 % a lot needs 5 of maintenance and costs 10 to close. At 99 it has 9 left: the fee would be 9.9.

    At 94 it is below maintenance (4 under 4.7) and is closed without a taker fee; the 3 that are left go to its owner.
    """
    greedy = replace(BTC_PERP, taker_fee=100_000, maker_fee=0)
    stage = "alice deposits 1000; bob deposits 100; mark BTC 100; bob sets BTC isolated; alice sells 1 BTC at 100;"
    Table(stage + "bob buys 1 BTC at 100; alice buys 1 BTC at 99; alice buys 1 BTC at 93; mark BTC 99",
          instruments=(greedy,)).play(
        ("bob", "wallet 80, BTC +1 isolated 10 equity 9 im 9.9 mm 4.95"),
        ("bob sells 1 BTC at 99", "accepted 5, canceled 5 margin.reduce_below_maintenance"),
        ("alice cancels 3", "canceled 3 order.canceled_by_owner"),
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 4 mm 4.7, cleared 0, accepted 6 limit 90, "
            "trade 1@93 maker 4 taker 6 taker_fee 0, filled 4, filled 6, settled 1/1 BTC sell at 90 equity 3 mm 0, "
            "finished 1 returned 3",
        ),
        ("bob", "wallet 83"),
    )  # fmt: skip


@pytest.mark.rule("MARG-004", "MARG-012", "MARG-017")
def test_edge_04_a_position_of_one_unit_pays_a_fee_as_large_as_its_margin() -> None:
    """A lot at a tick is one unit: fee, initial margin and maintenance are each a fraction of it and each round up to one."""
    tiny = replace(DUST_PERP, taker_fee=10_000)
    stage = "alice deposits 1; bob deposits 0.000005; mark DUST 1; bob sets DUST isolated; alice sells 1 DUST at 1"
    Table(stage, instruments=(tiny,)).play(
        (
            "bob buys 1 DUST at 1",
            "accepted 2 required 0.000004, trade 1@1 maker 1 taker 2 taker_fee 0.000001 taker_in 0.000002, filled 1, filled 2",
        ),
        ("bob", "wallet 0.000003, DUST +1 isolated 0.000001 equity 0.000001 im 0.000001 mm 0.000001 flagged no"),
    )


# -- 17: one mark at placement, another at the fill --------------------------------------------------------------------


@pytest.mark.rule("MARG-012", "MARG-013")
def test_edge_17_an_order_is_checked_at_the_mark_of_its_fill_and_the_next_maker_passes() -> None:
    """Dave's buy of 10 at 98 held 98 + 2 units of his 100. At 88 it would lose 100 to the mark: 0 under 88 of margin."""
    stage = RICH + "dave deposits 100; dave buys 10 BTC at 98; carol buys 10 BTC at 97; mark BTC 88"
    Table(stage).play(
        ("dave", "held 198.000002, available -98.000002"),
        (
            "alice sells 10 BTC at 97",
            "accepted 3, canceled 1 margin.maker_fill_check_failed quantity 10, trade 10@97 maker 2 taker 3, "
            "filled 2, filled 3",
        ),
        ("carol", "BTC +10"),
        ("dave", "BTC flat, orders none, wallet 100"),
    )


@pytest.mark.rule("MARG-012", "MARG-013")
def test_edge_17_where_both_sides_fail_the_taker_goes_and_the_maker_stays() -> None:
    """Bob's 50 over 47.5 would become 20 over 23.75; dave's ETH has left him 110: not enough for 91 + 95 less the profit of 60.

    With a taker that passes, dave is the one to go.
    """
    stage = (
        RICH + "bob deposits 100.000002;" + CROSS_10 + "dave deposits 200; dave buys 10 ETH at 100; alice sells 10 ETH at 100;"
    )
    Table(stage + "dave buys 10 BTC at 89; mark BTC 95 ETH 91").play(
        ("bob", "equity 50.000002, mm 47.5"),
        ("dave", "equity 110, im 91"),
        ("bob sells 5 BTC at 89", "accepted 6, canceled 6 margin.reduce_below_maintenance quantity 5"),
        ("BTC book", "bids 10@89, asks none"),
        ("alice sells 10 BTC at 89", "accepted 7, canceled 5 margin.maker_fill_check_failed quantity 10, rested 7"),
    )


# -- 18: orders that reduce until they flip ----------------------------------------------------------------------------


@pytest.mark.rule("MARG-010", "BOOK-010", "BOOK-011")
@pytest.mark.parametrize(
    ("order", "entry"),
    [
        ("bob sells 10 BTC at 100", "accepted 3 required 0, rested 3"),
        ("bob sells 11 BTC at 100", "rejected margin.initial_insufficient required 10.000002 before 1"),
        ("bob sells 11 BTC at 100 reduce-only", "accepted 3 required 0, shrunk 3 to 10, rested 3"),
        ("bob sells 10 BTC at 100 reduce-only", "accepted 3 required 0, rested 3"),
        ("bob buys 1 BTC at 100 reduce-only", "rejected order.reduce_only_no_position"),
    ],
)
def test_edge_18_an_order_is_risk_reducing_up_to_the_size_of_the_position(order: str, entry: str) -> None:
    """With 101 beside a margin of 100 there is 1 available: nothing for even one lot beyond the position."""
    Table(RICH + "bob deposits 101;" + CROSS_10).play((order, entry))


@pytest.mark.rule("MARG-008", "MARG-010", "BOOK-011")
def test_edge_18_beyond_the_position_an_order_holds_margin_for_its_flipping_part_alone() -> None:
    """Of 14 sells 10 are free; 4 hold 40 + 2 units. Filled, the 10 close and the 4 open."""
    Table(RICH + "bob deposits 140.000002;" + CROSS_10 + "carol buys 14 BTC at 100").play(
        (
            "bob sells 14 BTC at 100",
            "accepted 4 required 40.000002 after 0, trade 10@100 maker 3 taker 4, trade 4@100 maker 3 taker 4, "
            "filled 3, filled 4",
        ),
        ("bob", "BTC -4, available 100.000002"),
    )


@pytest.mark.rule("BOOK-010")
def test_edge_18_reduce_only_orders_follow_a_position_that_shrinks_and_go_with_it() -> None:
    """Two reduce-only sells of 10 and 8: after 4 lots are sold both are cut to 6; the last 6 take the other with them."""
    stage = RICH + "bob deposits 1000;" + CROSS_10 + "bob sells 10 BTC at 105 reduce-only; bob sells 8 BTC at 106 reduce-only;"
    Table(stage + "carol buys 4 BTC at 100").play(
        ("bob sells 4 BTC at 100", "accepted 6, trade 4@100 maker 5 taker 6, filled 5, shrunk 3 to 6, shrunk 4 to 6, filled 6"),
        ("bob", "BTC +6, orders 3:6+4:6, held 0"),
        (
            "carol buys 6 BTC at 105",
            "accepted 7, trade 6@105 maker 3 taker 7, filled 3, canceled 4 order.reduce_only_nothing_left quantity 6, filled 7",
        ),
        ("bob", "BTC flat, orders none"),
    )


@pytest.mark.rule("BOOK-010", "BOOK-011")
def test_edge_18_a_flip_cancels_the_reduce_only_orders_of_the_old_side() -> None:
    stage = RICH + "bob deposits 1000;" + CROSS_10 + "bob sells 10 BTC at 105 reduce-only; carol buys 12 BTC at 100"
    Table(stage).play(
        (
            "bob sells 12 BTC at 100",
            "accepted 5, trade 10@100 maker 4 taker 5, canceled 3 order.reduce_only_nothing_left, "
            "trade 2@100 maker 4 taker 5, filled 4, filled 5",
        ),
        ("bob", "BTC -2, orders none"),
    )


# -- 24: the least and the most ----------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-003", "MARG-004", "MARG-005")
def test_edge_24_a_margin_of_one_unit_survives_and_dies_by_one_unit() -> None:
    """A short of one lot at 3 has one unit of margin; at 4 it has lost it: 0 under a maintenance of 0.2, rounded up to 1."""
    stage = (
        "alice deposits 1; bob deposits 1; mark DUST 3; bob sets DUST isolated; bob sells 1 DUST at 3; alice buys 1 DUST at 3"
    )
    Table(stage, instruments=(DUST_PERP,)).play(
        ("bob", "DUST -1 isolated 0.000001 equity 0.000001 im 0.000001 mm 0.000001 flagged no"),
        (
            "mark DUST 4",
            "liquidation 1 of bob/DUST isolated equity 0 mm 0.000001, cleared 0, accepted 3 limit 4, "
            "canceled 3 order.ioc_remainder, settled 0/1 DUST buy at 4, adl 1 to alice value -0.000004, finished 1 returned 0",
        ),
        ("bob", "wallet 0.999999, DUST flat"),
    )


@pytest.mark.rule("MARG-010", "MARG-015")
def test_edge_24_at_the_most_leverage_initial_margin_stays_above_maintenance() -> None:
    """The highest tier rate times its leverage is below 1: at leverage 10 margin is 10 % over a maintenance of 5 %."""
    Table(RICH + "bob deposits 100.000002;" + CROSS_10).play(
        ("bob", "BTC +10 lev 10 im 100 mm 50, available 0.000002"),
        ("bob sets BTC leverage 11", "refused margin.leverage_out_of_range limit 10 actual 11"),
        ("bob sets BTC leverage 0", "refused margin.leverage_out_of_range limit 10 actual 0"),
    )


@pytest.mark.rule("MARG-017")
def test_edge_24_without_fees_a_round_trip_leaves_every_unit_where_it_was() -> None:
    stage = RICH + "bob deposits 100.000002;" + CROSS_10 + "alice buys 10 BTC at 100"
    Table(stage).play(
        ("bob sells 10 BTC at 100", "accepted 4, trade 10@100 maker 3 taker 4 taker_fee 0 maker_fee 0, filled 3, filled 4"),
        ("bob", "wallet 100.000002"),
        ("alice", "wallet 10000"),
        ("fund", "fees 0, wallet 0"),
    )


@pytest.mark.rule("MARG-017")
def test_edge_24_a_rebate_is_at_most_what_the_taker_pays_and_none_is_paid_against_a_liquidation() -> None:
    """A maker gets 0.1 % of 1000, the taker pays 1 %: 9 stay. Against the liquidation at 93 the maker gets nothing."""
    stage = "alice deposits 1000; bob deposits 1000; carol deposits 1000; mark BTC 100; bob sets BTC isolated;"
    Table(stage + "alice sells 10 BTC at 100", instruments=(BTC_WITH_REBATE, ETH_PERP)).play(
        (
            "bob buys 10 BTC at 100",
            "accepted 2, trade 10@100 maker 1 taker 2 maker_fee -1 taker_fee 10 taker_in 110, filled 1, filled 2",
        ),
        ("fund", "fees 9"),
        ("carol buys 10 BTC at 93", "accepted 3, rested 3"),
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40, cleared 0, accepted 4, "
            "trade 10@93 maker 3 taker 4 maker_fee 0 taker_fee 18.6, filled 3, filled 4, settled 10/10 BTC sell at 90, "
            "finished 1 fee 18.6 returned 11.4",
        ),
        ("fund", "fees 9, wallet 18.6"),
    )


@pytest.mark.rule("MARG-017")
def test_edge_24_a_rebate_above_the_takers_fee_cannot_be_configured() -> None:
    check_instrument(replace(BTC_PERP, maker_fee=-10_000, taker_fee=10_000))
    with pytest.raises(ValueError, match="maker_fee must not be below -taker_fee"):
        check_instrument(replace(BTC_PERP, maker_fee=-10_001, taker_fee=10_000))
