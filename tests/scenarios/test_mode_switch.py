"""Margin mode of an open position: at once or not at all, within bounds that are tight to a unit."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.venue.state import VenueLimits
from tests.cast import COIN, PLAIN_POLICY
from tests.scenarios.table import Table

RICH = "alice deposits 10000; mark BTC 100 ETH 100;"


def cross_10(wallet: str, mark: int = 95) -> str:
    """Return a stage where bob is cross long 10 from 100 with so much in his wallet; order ids 1 and 2 are used."""
    stage = RICH + "bob deposits 1000; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
    return f"{stage} bob withdraws {1000 - float(wallet):.6f}; mark BTC {mark}"


def isolated_10(spare: str) -> str:
    """Return a stage where bob is isolated long 10 from 100 with 100 behind it and so much in his cross wallet."""
    stage = RICH + "bob deposits 1000; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
    return stage if spare == "900" else f"{stage} bob withdraws {900 - float(spare):.6f}"


# -- to isolated -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-021")
def test_a_position_takes_its_initial_margin_and_its_loss_with_it() -> None:
    Table(cross_10("200")).play(
        ("bob sets BTC isolated", "mode BTC isolated moved 145"),
        ("bob", "wallet 55, equity 55, available 55, BTC +10 mode isolated isolated 145 equity 95 im 95 u -50"),
    )


@pytest.mark.rule("MARG-021")
def test_a_position_with_a_profit_takes_its_initial_margin_and_keeps_the_profit() -> None:
    Table(cross_10("200", 110)).play(
        ("bob sets BTC isolated", "mode BTC isolated moved 110"),
        ("bob", "wallet 90, BTC +10 isolated 110 equity 210 im 110"),
    )


@pytest.mark.rule("MARG-021")
def test_what_it_takes_must_be_there_to_the_unit() -> None:
    Table(cross_10("145")).play(
        ("bob sets BTC isolated", "mode BTC isolated moved 145"),
        ("bob", "wallet 0, available 0"),
    )
    Table(cross_10("144.999999")).play(
        ("bob sets BTC isolated", "refused margin.switch_insufficient limit 144999999 actual 145000000"),
        ("bob", "wallet 144.999999, BTC +10 mode cross isolated 0"),
    )


@pytest.mark.rule("MARG-021", "MARG-009")
def test_unrealised_profit_is_no_money_to_switch_with() -> None:
    """At 110 the pool has 205, but only 105 in its wallet."""
    Table(cross_10("105", 110)).play(
        ("bob", "equity 205"),
        ("bob sets BTC isolated", "refused margin.switch_insufficient limit 105000000 actual 110000000"),
    )


@pytest.mark.rule("MARG-021")
def test_a_larger_amount_may_be_chosen_and_a_smaller_may_not() -> None:
    Table(cross_10("200")).play(
        ("bob sets BTC isolated with 144.999999", "refused margin.switch_margin_below_minimum limit 145000000"),
        ("bob sets BTC isolated with 200.000001", "refused margin.switch_insufficient limit 200000000 actual 200000001"),
        ("bob sets BTC isolated with 200", "mode BTC isolated moved 200"),
        ("bob", "wallet 0, BTC +10 isolated 200"),
    )
    Table(cross_10("200")).play(("bob sets BTC isolated with 145", "mode BTC isolated moved 145"))


@pytest.mark.rule("MARG-021")
def test_other_cross_positions_keep_what_they_need() -> None:
    """ETH needs 100 of the 300; BTC wants 145 and a short of ETH has lost 60."""
    stage = RICH + "bob deposits 1000; bob buys 10 BTC at 100; alice sells 10 BTC at 100; bob sells 10 ETH at 100;"
    stage += "alice buys 10 ETH at 100; bob withdraws {}; mark BTC 95 ETH 106"
    Table(stage.format("689")).play(
        ("bob", "wallet 311"),
        ("bob sets BTC isolated", "mode BTC isolated moved 145"),
        ("bob", "wallet 166, equity 106, im 106, available 0"),
    )
    Table(stage.format("689.000001")).play(
        ("bob sets BTC isolated", "refused margin.switch_insufficient limit 144999999 actual 145000000"),
    )


@pytest.mark.rule("MARG-021", "MARG-008")
def test_orders_stay_and_hold_what_they_hold_on_an_isolated_position() -> None:
    """Two bids hold 18.000002. In cross the rest of the wallet was theirs too; 163.000002 are needed to the unit."""
    stage = RICH + "bob deposits 1000; bob buys 10 BTC at 100; alice sells 10 BTC at 100; bob buys 2 BTC at 90;"
    Table(stage + "bob withdraws 836.999998; mark BTC 95").play(
        ("bob", "wallet 163.000002, held 18.000002"),
        ("bob sets BTC isolated", "mode BTC isolated moved 145"),
        ("bob", "available 0, held 18.000002, orders 3:2"),
        ("alice sells 2 BTC at 90", "accepted 4, trade 2@90 maker 3 taker 4 maker_in 18, filled 3, filled 4"),
    )
    Table(stage + "bob withdraws 836.999999; mark BTC 95").play(
        ("bob sets BTC isolated", "refused margin.switch_insufficient limit 144999999 actual 145000000"),
        ("bob", "orders 3:2, BTC +10 mode cross"),
    )


@pytest.mark.rule("MARG-021")
def test_a_flat_position_with_orders_moves_nothing_whatever_is_chosen() -> None:
    Table(RICH + "bob deposits 100.000002; bob buys 10 BTC at 100").play(
        ("bob sets BTC isolated with 50", "mode BTC isolated moved 0"),
        ("bob", "wallet 100.000002, BTC flat mode isolated isolated 0 held 100.000002"),
        ("bob sets BTC cross", "mode BTC cross moved 0"),
    )


@pytest.mark.rule("MARG-021", "MARG-026")
def test_orders_of_a_flat_position_cannot_turn_to_a_wallet_that_collateral_alone_fills() -> None:
    Table(RICH + "bob deposits 3 of COIN; bob buys 1 BTC at 100", collateral=(COIN,)).play(
        ("bob sets BTC isolated", "refused margin.switch_insufficient"),
        ("bob deposits 10.000002", "credited 10.000002"),
        ("bob sets BTC isolated", "mode BTC isolated moved 0"),
    )


# -- to cross ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-021")
def test_all_of_the_isolated_wallet_goes_back_to_the_pool() -> None:
    Table(isolated_10("900") + "bob adds 50 to BTC; mark BTC 95").play(
        ("bob sets BTC cross", "mode BTC cross moved -150"),
        ("bob", "wallet 1000, equity 950, im 95, BTC +10 mode cross isolated 0 equity 950"),
    )


@pytest.mark.rule("MARG-021")
def test_the_pool_must_have_its_initial_margin_to_the_unit() -> None:
    """At 97 the position has 70 and needs 97: 27 must come from the pool."""
    Table(isolated_10("27") + "; mark BTC 97").play(
        ("bob sets BTC cross", "mode BTC cross moved -100"),
        ("bob", "equity 97, im 97"),
    )
    Table(isolated_10("26.999999") + "; mark BTC 97").play(
        ("bob sets BTC cross", "refused margin.switch_insufficient limit 96999999 actual 97000000"),
        ("bob", "wallet 26.999999, BTC +10 mode isolated isolated 100"),
    )


BOTH_10 = (
    RICH + "bob deposits 200.000002; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
    "bob buys 10 ETH at 100; alice sells 10 ETH at 100;"
)
"""At 95 both scopes have 50 over 47.5, but for 0.000002 in the pool."""


@pytest.mark.rule("MARG-021")
def test_short_of_that_the_pools_ratio_may_stay_as_it_is_and_not_rise_by_a_unit() -> None:
    Table(BOTH_10 + "bob withdraws 0.000002; mark BTC 95 ETH 95").play(
        ("bob", "equity 50, mm 47.5, BTC +10 equity 50 mm 47.5"),
        ("bob sets BTC cross", "mode BTC cross moved -100"),
        ("bob", "equity 100, mm 95, im 190"),
    )
    Table(BOTH_10 + "bob withdraws 0.000001; mark BTC 95 ETH 95").play(
        ("bob", "equity 50.000001"),
        ("bob sets BTC cross", "refused margin.switch_insufficient limit 100000001 actual 190000000"),
    )


@pytest.mark.rule("MARG-021")
def test_an_empty_pool_takes_in_no_position_that_lacks_initial_margin() -> None:
    """Without positions the pool's ratio is 0: any position would raise it."""
    Table(isolated_10("900") + "bob withdraws 900; mark BTC 99").play(
        ("bob", "equity 0, mm 0"),
        ("bob sets BTC cross", "refused margin.switch_insufficient limit 90000000 actual 99000000"),
    )


@pytest.mark.rule("MARG-021", "CONS-004")
def test_a_loss_cannot_be_dodged_by_taking_a_healthy_wallet_out_of_the_pool() -> None:
    """The short of ETH has lost 100. Taking BTC's margin out would leave it 105 under an initial margin of 110."""
    stage = RICH + "bob deposits 305; bob buys 10 BTC at 100; alice sells 10 BTC at 100; bob sells 10 ETH at 100;"
    Table(stage + "alice buys 10 ETH at 100; mark ETH 110").play(
        ("bob", "equity 205, im 210"),
        ("bob sets BTC isolated", "refused margin.switch_insufficient limit 95000000 actual 100000000"),
        ("bob sets ETH isolated", "refused margin.switch_insufficient limit 205000000 actual 210000000"),
    )


# -- when it is refused ------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-021", "LIQ-001")
def test_neither_way_is_open_while_the_cross_pool_is_being_liquidated() -> None:
    Table(BOTH_10 + "bob withdraws 0.000002", limits=VenueLimits(liquidation_steps_max=0)).play(
        ("mark ETH 94", "liquidation 1 of bob cross equity 40 mm 47, deferred 1"),
        ("bob sets BTC cross", "refused margin.liquidation_in_progress, deferred 1"),
        ("bob sets ETH isolated", "refused margin.liquidation_in_progress, deferred 1"),
    )


@pytest.mark.rule("MARG-021", "LIQ-001")
def test_a_flagged_position_cannot_flee_into_a_healthy_pool() -> None:
    Table(isolated_10("900"), limits=VenueLimits(liquidation_steps_max=0)).play(
        ("mark BTC 94", "liquidation 1 of bob/BTC isolated, deferred 1"),
        ("bob sets BTC cross", "refused margin.liquidation_in_progress, deferred 1"),
    )


@pytest.mark.rule("MARG-021", "MARK-004")
@pytest.mark.parametrize("stage", [cross_10("500", 100), isolated_10("900")])
def test_by_a_stale_mark_nothing_is_switched(stage: str) -> None:
    to = "isolated" if "sets" not in stage else "cross"
    Table(stage, policy=replace(PLAIN_POLICY, mark_stale_after=10**9)).play(
        ("wait 2s", ""),
        (f"bob sets BTC {to}", "refused margin.mark_stale"),
        ("mark BTC 100", ""),
        (f"bob sets BTC {to}", f"mode BTC {to}"),
    )


@pytest.mark.rule("MARG-021")
def test_the_mode_that_is_set_already_is_no_change() -> None:
    Table(cross_10("200")).play(("bob sets BTC cross", "mode BTC cross moved 0"))
    Table(isolated_10("900")).play(
        ("bob sets BTC isolated with 500", "mode BTC isolated moved 0"),
        ("bob", "BTC +10 isolated 100"),
    )


@pytest.mark.rule("MARG-021", "CONS-004")
def test_a_position_that_was_switched_dies_alone() -> None:
    Table(cross_10("500", 100) + "; alice buys 10 BTC at 93").play(
        ("bob sets BTC isolated", "mode BTC isolated moved 100"),
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40 mm 47, cleared 0, accepted 4, trade 10@93 maker 3 taker 4, filled 3, "
            "filled 4, settled 10/10 BTC sell at 90, finished 1 returned 30",
        ),
        ("bob", "wallet 430"),
    )
