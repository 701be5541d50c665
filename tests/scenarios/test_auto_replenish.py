"""Isolated positions whose owners want them topped up before they would be closed."""

from __future__ import annotations

import pytest

from exchange.venue.state import VenueLimits
from tests.cast import COIN
from tests.scenarios.table import Table

RICH = "alice deposits 100000; mark BTC 100 ETH 100;"
LONG_10 = (
    RICH + "bob deposits 1000; bob sets BTC isolated; bob sets BTC auto-replenish on; bob buys 10 BTC at 100;"
    "alice sells 10 BTC at 100;"
)
"""At 94 bob's position has 40, needs 47 to live and 94 to be opened; he has 900 beside it."""
CLOSED = "cleared 0, accepted 3, canceled 3 order.ioc_remainder, settled 0/10 BTC sell at 90, adl 10 to alice, finished 1"


@pytest.mark.rule("MARG-024", "LIQ-003")
def test_it_is_topped_up_by_an_initial_margin_and_lives() -> None:
    Table(LONG_10).play(
        ("bob", "BTC +10 auto on, ETH flat auto off"),
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40 mm 47, cleared 0, replenished 94 isolated 194 wallet 806, "
            "finished 1 replenished 94 equity 134 rounds 0 owner 1 default 1",
        ),
        ("bob", "wallet 806, BTC +10 isolated 194 flagged no"),
    )


@pytest.mark.rule("MARG-024")
def test_and_again_when_that_is_used_up() -> None:
    Table(LONG_10 + "mark BTC 94").play(
        ("mark BTC 85", ""),
        ("bob", "BTC +10 equity 44"),
        ("mark BTC 84", "liquidation 2 of bob/BTC isolated equity 34 mm 42, cleared 0, replenished 84, finished 2"),
        ("bob", "wallet 722, BTC +10 isolated 278"),
    )


@pytest.mark.rule("MARG-024")
def test_what_is_available_is_enough_if_it_cures_to_the_unit() -> None:
    """7 are missing to 47."""
    Table(LONG_10 + "bob withdraws 893").play(
        ("mark BTC 94", "liquidation 1 of bob/BTC isolated, cleared 0, replenished 7, finished 1 equity 47 mm 47"),
        ("bob", "wallet 0, BTC +10 isolated 107"),
    )
    Table(LONG_10 + "bob withdraws 893.000001").play(
        ("mark BTC 94", f"liquidation 1 of bob/BTC isolated, {CLOSED} replenished 0"),
        ("bob", "wallet 6.999999"),
    )


@pytest.mark.rule("MARG-024")
def test_no_more_is_added_than_makes_it_unlevered() -> None:
    """A short at leverage 1: at 191 its initial margin is 1910, but 1820 on top of its 90 are its whole notional."""
    stage = RICH + "bob deposits 10000; bob sets BTC isolated; bob sets BTC leverage 1; bob sets BTC auto-replenish on;"
    Table(stage + "bob sells 10 BTC at 100; alice buys 10 BTC at 100").play(
        (
            "mark BTC 191",
            "liquidation 1 of bob/BTC isolated equity 90 mm 95.5, cleared 0, replenished 1820, finished 1 equity 1910",
        ),
        ("bob", "BTC -10 effective 1000000"),
    )


@pytest.mark.rule("MARG-024", "MARG-009")
def test_what_other_orders_and_positions_hold_is_not_available_but_its_own_canceled_orders_free_theirs() -> None:
    stage = LONG_10 + "bob withdraws 800; bob buys 10 ETH at {}"
    Table(stage.format("93")).play(
        ("bob", "available 6.999998"),
        ("mark BTC 94", f"liquidation 1 of bob/BTC isolated, {CLOSED.replace(' 3', ' 4')}"),
    )
    Table(stage.format("92")).play(
        ("bob", "available 7.999998"),
        ("mark BTC 94", "liquidation 1 of bob/BTC isolated, cleared 0, replenished 7.999998, finished 1"),
    )
    Table(LONG_10 + "bob withdraws 809.999998; bob buys 10 BTC at 90").play(
        ("bob", "available 0"),
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, canceled 3 liquidation.orders_canceled, cleared 1, replenished 90.000002, "
            "finished 1",
        ),
    )


@pytest.mark.rule("MARG-024", "MARG-026")
def test_collateral_assets_do_not_top_up() -> None:
    Table(LONG_10 + "bob withdraws 900; bob deposits 10 of COIN", collateral=(COIN,)).play(
        ("bob", "available 800, withdrawable 0"),
        ("mark BTC 94", f"liquidation 1 of bob/BTC isolated, {CLOSED}"),
    )


@pytest.mark.rule("MARG-024")
def test_it_may_be_turned_off_again_and_does_nothing_for_a_position_in_cross() -> None:
    Table(LONG_10).play(
        ("bob sets BTC auto-replenish off", "auto-replenish BTC off"),
        ("mark BTC 94", f"liquidation 1 of bob/BTC isolated, {CLOSED}"),
    )
    cross = RICH + "bob deposits 100.000002; bob sets BTC auto-replenish on; bob buys 10 BTC at 100; alice sells 10 BTC at 100"
    Table(cross).play(("mark BTC 94", f"liquidation 1 of bob cross, {CLOSED}"))


@pytest.mark.rule("MARG-024", "LIQ-001")
def test_it_may_be_turned_on_while_the_position_is_flagged() -> None:
    stage = LONG_10 + "bob sets BTC auto-replenish off"
    table = Table(stage, limits=VenueLimits(liquidation_steps_max=0))
    table.play(
        ("mark BTC 94", "liquidation 1 of bob/BTC isolated, deferred 1"),
        ("bob sets BTC auto-replenish on", "auto-replenish BTC on, deferred 1"),
        ("bob", "BTC +10 flagged yes auto on"),
    )


@pytest.mark.rule("MARG-024", "CONS-004")
def test_the_pool_that_it_draws_on_keeps_its_own_initial_margin() -> None:
    stage = LONG_10 + "bob buys 80 ETH at 100; alice sells 80 ETH at 100; mark ETH 99"
    Table(stage).play(
        ("bob", "wallet 900, equity 820, im 792, available 28"),
        ("mark BTC 94", "liquidation 1 of bob/BTC isolated, cleared 0, replenished 28, finished 1 equity 68"),
        ("bob", "available 0, equity 792, im 792"),
    )


@pytest.mark.rule("MARG-024", "MARG-025")
def test_a_leg_of_a_hedge_is_topped_up_alone() -> None:
    stage = RICH + "bob deposits 1000; bob sets hedge mode; bob sets BTC/long isolated; bob sets BTC/long auto-replenish on;"
    Table(stage + "bob buys 10 BTC/long at 100; alice sells 10 BTC at 100").play(
        ("mark BTC 94", "liquidation 1 of bob/BTC/long isolated, cleared 0, replenished 94, finished 1"),
        ("bob", "BTC/long +10 isolated 194 auto on, BTC/short flat auto off"),
    )


@pytest.mark.rule("MARG-024")
def test_unknown_accounts_and_symbols_are_refused() -> None:
    Table(RICH).play(
        ("nobody sets BTC auto-replenish on", "refused account.unknown"),
        ("bob sets XRP auto-replenish on", "refused order.unknown_symbol"),
    )
