"""What goes into an isolated position's wallet and what comes out of it."""

from __future__ import annotations

import pytest

from tests.cast import BTC_WITH_FEES, DUST_PERP
from tests.scenarios.table import Table

RICH = "alice deposits 10000; carol deposits 10000; mark BTC 100 ETH 100"
LONG_10 = RICH + "; bob deposits 1000; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100"
"""Bob is isolated long 10 at 100 with 100 in the position's wallet; order ids 1 and 2 are used."""


@pytest.mark.rule("MARG-014")
def test_a_partial_close_releases_margin_pro_rata_and_pays_the_profit_out() -> None:
    Table(LONG_10 + "; alice buys 10 BTC at 105").play(
        (
            "bob sells 4 BTC at 105",
            "accepted 4, trade 4@105 maker 3 taker 4 taker_pnl 20 taker_out 60, filled 4",
        ),
        ("bob", "wallet 960, BTC +6 cost 600 isolated 60"),
        ("bob sells 6 BTC at 105", "accepted 5, trade 6@105 maker 3 taker 5 taker_pnl 30 taker_out 90, filled 3, filled 5"),
        ("bob", "wallet 1050, BTC flat isolated 0"),
    )


@pytest.mark.rule("MARG-014")
def test_a_loss_is_taken_from_the_released_part_first_and_then_from_the_rest() -> None:
    Table(LONG_10 + "; alice buys 4 BTC at 96; alice buys 4 BTC at 88; mark BTC 98").play(
        ("bob sells 4 BTC at 96", "accepted 5, trade 4@96 maker 3 taker 5 taker_pnl -16 taker_out 24, filled 3, filled 5"),
        ("bob", "wallet 924, BTC +6 isolated 60"),
        ("bob sells 1 BTC at 88", "accepted 6, trade 1@88 maker 4 taker 6 taker_pnl -12 taker_out 0, filled 6"),
        ("bob", "wallet 924, BTC +5 cost 500 isolated 48"),
    )


@pytest.mark.rule("MARG-014", "CONS-004")
def test_a_whole_close_at_a_loss_returns_what_is_left() -> None:
    Table(LONG_10 + "; alice buys 10 BTC at 93").play(
        ("bob sells 10 BTC at 93", "accepted 4, trade 10@93 maker 3 taker 4 taker_pnl -70 taker_out 30, filled 3, filled 4"),
        ("bob", "wallet 930, BTC flat isolated 0"),
    )


@pytest.mark.rule("MARG-014")
def test_the_fee_comes_out_of_what_is_paid_out() -> None:
    Table(
        "alice deposits 10000; bob deposits 1000; mark BTC 100; bob sets BTC isolated;"
        "bob buys 10 BTC at 100; alice sells 10 BTC at 100; alice buys 5 BTC at 100",
        instruments=(BTC_WITH_FEES,),
    ).play(
        ("bob", "wallet 899, BTC +10 isolated 100"),
        (
            "bob sells 5 BTC at 100",
            "accepted 4, trade 5@100 maker 3 taker 4 taker_fee 5 taker_out 45, filled 3, filled 4",
        ),
        ("bob", "wallet 944, BTC +5 isolated 50"),
    )


@pytest.mark.rule("MARG-014", "CONS-002")
@pytest.mark.parametrize(("opens", "closes", "sign"), [("buys", "sells", "+"), ("sells", "buys", "-")])
def test_three_lots_closed_one_by_one_leave_no_rounding_behind(opens: str, closes: str, sign: str) -> None:
    """Cost 100 for 3 lots: shares of 33, 33 and 34 (toward zero, the last takes the rest); margins 10 in thirds."""
    minus = "-" if sign == "-" else ""
    table = Table(
        "alice deposits 1; bob deposits 1; mark DUST 33; bob sets DUST isolated;"
        f"bob {opens} 2 DUST at 33; alice {closes} 2 DUST at 33; bob {opens} 1 DUST at 34; alice {closes} 1 DUST at 34;"
        f"alice {opens} 3 DUST at 33",
        instruments=(DUST_PERP,),
    )
    loss, gain = ("0", "0.000001") if sign == "-" else ("0", "-0.000001")
    isolated = {"+": ("0.000012", "0.000008", "0.000004"), "-": ("0.000011", "0.000008", "0.000004")}[sign]
    table.play(
        ("bob", f"DUST {sign}3 cost {minus}0.0001 isolated {isolated[0]}"),
        (f"bob {closes} 1 DUST at 33", f"accepted 6, trade 1@33 maker 5 taker 6 taker_pnl {loss}, filled 6"),
        ("bob", f"DUST {sign}2 cost {minus}0.000067 isolated {isolated[1]}"),
        (f"bob {closes} 1 DUST at 33", f"accepted 7, trade 1@33 maker 5 taker 7 taker_pnl {loss}, filled 7"),
        ("bob", f"DUST {sign}1 cost {minus}0.000034 isolated {isolated[2]}"),
        (f"bob {closes} 1 DUST at 33", f"accepted 8, trade 1@33 maker 5 taker 8 taker_pnl {gain}, filled 5, filled 8"),
        ("bob", f"DUST flat cost 0 isolated 0, wallet {'1.000001' if sign == '-' else '0.999999'}"),
    )


@pytest.mark.rule("MARG-014")
def test_profit_closed_at_a_better_price_than_the_mark_can_pay_out_more_than_was_put_in() -> None:
    Table(LONG_10 + "; mark BTC 200; alice buys 5 BTC at 200").play(
        ("bob", "BTC +10 equity 1100 im 200"),
        ("bob sells 5 BTC at 200", "accepted 4, trade 5@200 maker 3 taker 4 taker_pnl 500 taker_out 550, filled 3, filled 4"),
        ("bob", "wallet 1450, BTC +5 isolated 50 equity 550"),
    )


@pytest.mark.rule("MARG-016")
def test_margin_may_be_added_up_to_what_is_available() -> None:
    Table(LONG_10).play(
        ("bob", "wallet 900, available 900"),
        ("bob adds 900.000001 to BTC", "refused margin.add_above_available limit 900000000 actual 900000001"),
        ("bob adds 0 to BTC", "refused margin.amount_not_positive limit 1 actual 0"),
        ("bob adds -1 to BTC", "refused margin.amount_not_positive"),
        ("bob adds 900 to BTC", "moved 900 isolated 1000 wallet 0"),
        ("bob", "wallet 0, available 0, BTC +10 isolated 1000 equity 1000"),
        ("bob adds 0.000001 to BTC", "refused margin.add_above_available limit 0"),
    )


@pytest.mark.rule("MARG-016", "MARG-009")
def test_what_orders_and_cross_positions_hold_cannot_be_added() -> None:
    Table(LONG_10 + "; bob buys 10 ETH at 100; alice sells 10 ETH at 100; bob buys 10 ETH at 90; mark ETH 95").play(
        ("bob", "wallet 900, equity 850, im 95, held 90.000002, available 664.999998"),
        ("bob adds 664.999999 to BTC", "refused margin.add_above_available"),
        ("bob adds 664.999998 to BTC", "moved 664.999998"),
        ("mark ETH 90", ""),
        ("bob adds 0.000001 to BTC", "refused margin.add_above_available limit 0"),
    )


@pytest.mark.rule("MARG-016")
def test_the_most_that_can_be_removed_passes_and_a_unit_more_fails() -> None:
    Table(LONG_10 + "; bob adds 50 to BTC").play(
        ("bob", "BTC +10 isolated 150 equity 150 im 100"),
        ("bob removes 50.000001 from BTC", "refused margin.remove_above_maximum limit 50000000 actual 50000001"),
        ("bob removes 0 from BTC", "refused margin.amount_not_positive"),
        ("bob removes 50 from BTC", "moved -50 isolated 100 wallet 900"),
        ("bob removes 0.000001 from BTC", "refused margin.remove_above_maximum limit 0"),
        ("mark BTC 99", ""),
        ("bob", "BTC +10 equity 90 im 99"),
        ("bob removes 0.000001 from BTC", "refused margin.remove_above_maximum limit 0"),
    )


@pytest.mark.rule("MARG-016")
def test_profit_frees_margin_for_removal_but_never_more_than_the_wallet_holds() -> None:
    Table(LONG_10 + "; mark BTC 105").play(
        ("bob", "BTC +10 equity 150 im 105"),
        ("bob removes 45.000001 from BTC", "refused margin.remove_above_maximum limit 45000000"),
        ("mark BTC 200", ""),
        ("bob", "BTC +10 equity 1100 im 200"),
        ("bob removes 100.000001 from BTC", "refused margin.remove_above_maximum limit 100000000"),
        ("bob removes 100 from BTC", "moved -100 isolated 0 wallet 1000"),
        ("bob", "BTC +10 isolated 0 equity 1000"),
    )


@pytest.mark.rule("MARG-016")
def test_margin_belongs_to_open_isolated_positions_alone() -> None:
    Table(LONG_10 + "; carol buys 1 BTC at 99").play(
        ("bob adds 1 to ETH", "refused margin.no_isolated_position"),
        ("bob removes 1 from ETH", "refused margin.no_isolated_position"),
        ("alice adds 1 to BTC", "refused margin.no_isolated_position"),
        ("alice removes 1 from BTC", "refused margin.no_isolated_position"),
        ("carol sets ETH isolated", "mode ETH isolated"),
        ("carol adds 1 to ETH", "refused margin.no_isolated_position"),
        ("carol adds 1 to XRP", "refused order.unknown_symbol"),
        ("nobody adds 1 to BTC", "refused account.unknown"),
    )


@pytest.mark.rule("MARG-016", "MARG-005")
def test_removal_at_the_bound_leaves_a_position_that_a_few_ticks_can_still_carry() -> None:
    Table(LONG_10 + "; mark BTC 105; bob removes 45 from BTC").play(
        ("bob", "BTC +10 isolated 55 equity 105 im 105 mm 52.5 liq 100"),
        ("mark BTC 100", ""),
        ("bob", "BTC +10 equity 55 mm 50"),
        ("alice buys 10 BTC at 95", "accepted 3, rested 3"),
        (
            "mark BTC 99",
            "liquidation 1 of bob/BTC isolated equity 45 mm 49.5, cleared 0, accepted 4, trade 10@95 maker 3 taker 4, "
            "filled 3, filled 4, settled 10/10 BTC sell at 95, finished 1 returned 5",
        ),
    )
