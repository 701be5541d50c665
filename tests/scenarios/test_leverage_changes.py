"""Leverage of open positions and of orders, up and down."""

from __future__ import annotations

import pytest

from exchange.venue.state import VenueLimits
from tests.scenarios.table import Table

RICH = "alice deposits 100000; alice sets BTC leverage 5; mark BTC 100 ETH 100;"
CROSS_10 = RICH + "bob deposits 1000; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
ISOLATED_10 = RICH + "bob deposits 1000; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
"""Bob has 900 in his cross wallet and 100 behind the position; order ids 1 and 2 are used."""


# -- cross -------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-022")
def test_a_cross_position_may_be_levered_down_as_far_as_its_new_margin_is_available() -> None:
    Table(CROSS_10 + "bob withdraws 800").play(
        ("bob", "wallet 200, available 100"),
        ("bob sets BTC leverage 5", "leverage BTC 5 moved 0"),
        ("bob", "im 200, available 0"),
        ("bob sets BTC leverage 4", "refused margin.leverage_insufficient limit 0 actual 50000000"),
    )
    Table(CROSS_10 + "bob withdraws 800.000001").play(
        ("bob sets BTC leverage 5", "refused margin.leverage_insufficient limit 99999999 actual 100000000"),
        ("bob", "im 100, BTC +10 lev 10"),
    )


@pytest.mark.rule("MARG-022")
def test_levering_up_is_allowed_even_where_too_much_is_committed_since_it_frees_margin() -> None:
    Table(CROSS_10 + "bob sets BTC leverage 5; bob withdraws 800; mark BTC 93").play(
        ("bob", "equity 130, im 186, available -56"),
        ("bob sets BTC leverage 4", "refused margin.leverage_insufficient"),
        ("bob sets BTC leverage 6", "leverage BTC 6"),
        ("bob", "im 155, available -25"),
        ("bob sets BTC leverage 6", "leverage BTC 6"),
        ("bob sets BTC leverage 10", "leverage BTC 10"),
        ("bob", "im 93, available 37"),
    )


# -- isolated ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-022")
def test_levering_an_isolated_position_down_brings_what_its_new_initial_margin_lacks() -> None:
    Table(ISOLATED_10).play(
        ("bob sets BTC leverage 5", "leverage BTC 5 moved 100"),
        ("bob", "wallet 800, BTC +10 lev 5 isolated 200 equity 200 im 200"),
        ("bob sets BTC leverage 1", "leverage BTC 1 moved 800"),
        ("bob", "wallet 0, BTC +10 lev 1 isolated 1000 liq none"),
    )


@pytest.mark.rule("MARG-022")
def test_what_it_brings_must_be_there_to_the_unit() -> None:
    Table(ISOLATED_10 + "bob withdraws 800").play(("bob sets BTC leverage 5", "leverage BTC 5 moved 100"))
    Table(ISOLATED_10 + "bob withdraws 800.000001").play(
        ("bob sets BTC leverage 5", "refused margin.leverage_insufficient limit 99999999 actual 100000000"),
        ("bob", "wallet 99.999999, BTC +10 lev 10 isolated 100"),
    )


@pytest.mark.rule("MARG-022")
def test_margin_that_was_added_and_profit_count_toward_it() -> None:
    Table(ISOLATED_10 + "bob adds 60 to BTC").play(
        ("bob sets BTC leverage 5", "leverage BTC 5 moved 40"),
        ("bob", "BTC +10 isolated 200"),
    )
    Table(ISOLATED_10 + "mark BTC 120").play(
        ("bob sets BTC leverage 5", "leverage BTC 5 moved 0"),
        ("bob", "wallet 900, BTC +10 isolated 100 equity 300 im 240"),
    )


@pytest.mark.rule("MARG-022")
def test_levering_up_moves_nothing_and_never_resets_what_was_added() -> None:
    Table(ISOLATED_10 + "bob sets BTC leverage 5; bob adds 50 to BTC").play(
        ("bob sets BTC leverage 10", "leverage BTC 10 moved 0"),
        ("bob", "wallet 750, BTC +10 isolated 250 im 100"),
        ("bob removes 150.000001 from BTC", "refused margin.remove_above_maximum"),
        ("bob removes 150 from BTC", "moved -150"),
    )


@pytest.mark.rule("MARG-022")
def test_a_position_under_initial_margin_may_be_levered_up_without_money() -> None:
    """60 are less than the 86 that even ten times leverage would ask of a new position."""
    stage = RICH + "bob deposits 201; bob sets BTC isolated; bob sets BTC leverage 5; bob buys 10 BTC at 100;"
    Table(stage + "alice sells 10 BTC at 100; bob withdraws 1; mark BTC 86").play(
        ("bob", "wallet 0, BTC +10 equity 60 im 172"),
        ("bob sets BTC leverage 4", "refused margin.leverage_insufficient limit 0 actual 155000000"),
        ("bob sets BTC leverage 10", "leverage BTC 10 moved 0"),
        ("bob", "BTC +10 isolated 200 im 86"),
    )


# -- tiers -------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-022", "MARG-002")
@pytest.mark.parametrize(
    ("bid", "outcome"),
    [(9, "leverage BTC 10"), (10, "refused margin.leverage_above_tier limit 5 actual 10")],
)
def test_levering_up_stops_at_the_most_of_the_tier_that_position_and_orders_may_reach(bid: int, outcome: str) -> None:
    """90 lots are 9000; with 10 more they would be on the second tier's floor."""
    stage = RICH + "bob deposits 10000; bob sets BTC leverage 5; bob buys 90 BTC at 100; alice sells 90 BTC at 100;"
    Table(stage + f"bob buys {bid} BTC at 90; bob buys 50 BTC at 80 ioc").play(("bob sets BTC leverage 10", outcome))


@pytest.mark.rule("MARG-022")
def test_reduce_only_orders_reach_no_tier() -> None:
    stage = RICH + "bob deposits 10000; bob sets BTC leverage 5; bob buys 90 BTC at 100; alice sells 90 BTC at 100;"
    Table(stage + "bob sells 90 BTC at 110 reduce-only; bob sells 90 BTC at 111 reduce-only").play(
        ("bob sets BTC leverage 10", "leverage BTC 10"),
    )


@pytest.mark.rule("MARG-022")
def test_a_position_that_the_mark_carried_into_a_tier_keeps_its_leverage_and_may_come_down_in_steps() -> None:
    stage = RICH + "bob deposits 10000; bob buys 90 BTC at 100; alice sells 90 BTC at 100; mark BTC 120"
    Table(stage).play(
        ("bob", "BTC +90 lev 10 im 2160"),
        ("bob sets BTC leverage 10", "leverage BTC 10"),
        ("bob sets BTC leverage 7", "leverage BTC 7"),
        ("bob sets BTC leverage 8", "refused margin.leverage_above_tier limit 5 actual 8"),
        ("bob sets BTC leverage 4", "leverage BTC 4"),
        ("bob sets BTC leverage 5", "leverage BTC 5"),
        ("bob sets BTC leverage 6", "refused margin.leverage_above_tier limit 5 actual 6"),
    )


@pytest.mark.rule("MARG-022", "MARG-015")
def test_the_range_of_the_instrument_binds_with_a_position_too() -> None:
    Table(CROSS_10).play(
        ("bob sets BTC leverage 11", "refused margin.leverage_out_of_range limit 10 actual 11"),
        ("bob sets BTC leverage 0", "refused margin.leverage_out_of_range limit 10 actual 0"),
    )


# -- orders ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-022", "MARG-008")
@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_orders_hold_more_at_a_lower_leverage_and_that_must_be_there_to_the_unit(mode: str) -> None:
    stage = RICH + f"bob sets BTC {mode}; bob deposits 1000; bob buys 10 BTC at 100; bob withdraws "
    Table(stage + "799.999998").play(
        ("bob", "held 100.000002, available 100"),
        ("bob sets BTC leverage 5", "leverage BTC 5"),
        ("bob", "held 200.000002, available 0"),
    )
    Table(stage + "799.999999").play(
        ("bob sets BTC leverage 5", "refused margin.leverage_insufficient limit 99999999 actual 100000000"),
        ("bob", "held 100.000002, BTC flat lev 10"),
    )


@pytest.mark.rule("MARG-022", "MARG-008")
def test_an_isolated_position_and_its_orders_are_counted_together() -> None:
    """100 for the position and 18 more for the bids: 118 to the unit."""
    stage = ISOLATED_10 + "bob buys 2 BTC at 90; bob withdraws "
    Table(stage + "763.999998").play(
        ("bob", "wallet 136.000002, held 18.000002, available 118"),
        ("bob sets BTC leverage 5", "leverage BTC 5 moved 100"),
        ("bob", "wallet 36.000002, held 36.000002, available 0"),
    )
    Table(stage + "763.999999").play(
        ("bob sets BTC leverage 5", "refused margin.leverage_insufficient limit 117999999 actual 118000000"),
    )


# -- when it is refused ------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-022", "LIQ-001")
@pytest.mark.parametrize("leverage", [1, 9])
def test_while_the_scope_is_flagged_no_leverage_is_changed(leverage: int) -> None:
    Table(ISOLATED_10, limits=VenueLimits(liquidation_steps_max=0)).play(
        ("mark BTC 94", "liquidation 1 of bob/BTC isolated, deferred 1"),
        (f"bob sets BTC leverage {leverage}", "refused margin.liquidation_in_progress, deferred 1"),
        ("bob sets ETH leverage 5", "leverage ETH 5, deferred 1"),
    )


@pytest.mark.rule("MARG-022", "MARG-025")
def test_the_legs_of_a_hedge_have_a_leverage_each() -> None:
    stage = RICH + "bob deposits 1000; bob sets hedge mode; bob buys 10 BTC/long at 100; bob sells 10 BTC/short at 101;"
    Table(stage + "alice sells 10 BTC at 100; alice buys 10 BTC at 101").play(
        ("bob sets BTC/long leverage 5", "leverage BTC/long 5"),
        ("bob", "BTC/long +10 lev 5 im 200, BTC/short -10 lev 10 im 100, im 300"),
    )
