"""Who is warned before a liquidation, how often, and what is shown of exposure."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.venue.state import VenueLimits
from tests.cast import PLAIN_POLICY
from tests.scenarios.table import Table

CALLS = replace(PLAIN_POLICY, margin_call_levels=(600_000, 800_000))
RICH = "alice deposits 10000; mark BTC 100 ETH 100;"
CROSS_10 = RICH + "bob deposits 100.000002; bob buys 10 BTC at 100; alice sells 10 BTC at 100; bob withdraws 0.000002"
"""Bob's ratio is 0.5 at 100, 0.55 at 99, 0.6125 at 98, 0.69 at 97 and exactly 0.8 at 96."""
ISOLATED_10 = RICH + "bob deposits 1000; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100"


@pytest.mark.rule("MARG-020")
def test_the_owner_is_called_at_each_level_that_the_ratio_rises_to() -> None:
    Table(CROSS_10, policy=CALLS).play(
        ("mark BTC 99", ""),
        ("mark BTC 98", "called bob cross at 0.6 equity 80 mm 49 notional 980"),
        ("mark BTC 97", ""),
        ("mark BTC 96", "called bob cross at 0.8 equity 60 mm 48"),
        ("bob", "ratio 800000"),
    )


@pytest.mark.rule("MARG-020")
def test_of_several_levels_passed_at_once_the_highest_is_named_alone() -> None:
    Table(CROSS_10, policy=CALLS).play(("mark BTC 96", "called bob cross at 0.8"))


@pytest.mark.rule("MARG-020")
def test_the_ratio_is_the_one_shown_rounded_up() -> None:
    """49 over 81.666802 is 0.59999900..6, shown as 0.6; with a unit more of equity it is 0.599999."""
    Table(CROSS_10 + "; bob deposits 1.666802", policy=CALLS).play(
        ("mark BTC 98", "called bob cross at 0.6 equity 81.666802"), ("bob", "ratio 600000")
    )
    Table(CROSS_10 + "; bob deposits 1.666803", policy=CALLS).play(("mark BTC 98", ""), ("bob", "ratio 599999"))


@pytest.mark.rule("MARG-020")
def test_a_ratio_that_falls_below_a_level_and_comes_back_calls_again() -> None:
    Table(CROSS_10, policy=CALLS).play(
        ("mark BTC 96", "called bob cross at 0.8"),
        ("mark BTC 97", ""),
        ("mark BTC 96", "called bob cross at 0.8"),
        ("bob deposits 20", "credited 20"),
        ("bob", "ratio 600000"),
        ("bob withdraws 0.000001", "refused margin.withdraw_above_available"),
        ("bob deposits 0.000134", "credited 0.000134"),
        ("mark BTC 96", ""),
        ("mark BTC 95", "called bob cross at 0.6"),
    )


@pytest.mark.rule("MARG-020")
def test_an_isolated_position_and_the_cross_pool_of_one_account_are_warned_each_for_itself() -> None:
    stage = ISOLATED_10 + "; bob buys 80 ETH at 100; alice sells 80 ETH at 100"
    Table(stage, policy=CALLS).play(
        ("mark BTC 98", "called bob/BTC isolated at 0.6 equity 80 mm 49"),
        ("mark ETH 96", "called bob cross at 0.6 equity 580 mm 384"),
        ("mark BTC 96 ETH 94", "called bob cross at 0.8 equity 420 mm 376, called bob/BTC isolated at 0.8 equity 60 mm 48"),
    )


@pytest.mark.rule("MARG-020", "MARG-025")
def test_the_legs_of_a_hedge_are_named() -> None:
    stage = RICH + "bob deposits 1000; bob sets hedge mode; bob sets BTC/short isolated; bob sells 10 BTC/short at 100;"
    Table(stage + "alice buys 10 BTC at 100", policy=CALLS).play(
        ("mark BTC 102", "called bob/BTC/short isolated at 0.6 equity 80 mm 51"),
    )


@pytest.mark.rule("MARG-020")
def test_who_is_liquidated_is_not_warned() -> None:
    Table(CROSS_10 + "; alice buys 10 BTC at 94", policy=CALLS).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob cross equity 40 mm 47, cleared 0, accepted 4, trade 10@94 maker 3 taker 4, filled 3, "
            "filled 4, "
            "settled 10/10 BTC sell at 90, finished 1",
        ),
    )


@pytest.mark.rule("MARG-020")
def test_nor_is_one_who_is_flagged_already() -> None:
    Table(CROSS_10, policy=CALLS, limits=VenueLimits(liquidation_steps_max=0)).play(
        ("mark BTC 94", "liquidation 1 of bob cross, deferred 1"),
        ("mark BTC 96", "deferred 1"),
    )


@pytest.mark.rule("MARG-020")
def test_a_fill_may_call_and_a_scope_that_was_flat_starts_anew() -> None:
    """Opened with exactly its initial margin, ten times levered, the ratio is a half."""
    stage = RICH + "bob deposits 100.000002; bob buys 10 BTC at 100"
    Table(stage, policy=replace(CALLS, margin_call_levels=(499_000,))).play(
        (
            "alice sells 10 BTC at 100",
            "accepted 2, trade 10@100 maker 1 taker 2, filled 1, filled 2, called bob cross at 0.499",
        ),
        ("alice buys 10 BTC at 100", "accepted 3, rested 3"),
        ("bob sells 10 BTC at 100", "accepted 4, trade 10@100 maker 3 taker 4, filled 3, filled 4"),
        ("bob", "BTC flat, scopes none"),
        ("bob withdraws 100.000002", "withdrawn 100.000002"),
        ("bob deposits 100.000002", "credited 100.000002"),
        ("bob buys 10 BTC at 100", "accepted 5, rested 5"),
        (
            "alice sells 10 BTC at 100",
            "accepted 6, trade 10@100 maker 5 taker 6, filled 5, filled 6, called bob cross at 0.499",
        ),
    )


@pytest.mark.rule("MARG-020")
def test_without_levels_nobody_is_warned() -> None:
    Table(CROSS_10, policy=PLAIN_POLICY).play(("mark BTC 96", ""))


@pytest.mark.rule("MARG-020")
def test_exposure_is_notional_over_equity_of_each_scope_and_of_the_account() -> None:
    """960 on the 60 of its own wallet, 540 on the 860 of the pool, 1500 on both together."""
    Table(ISOLATED_10 + "; bob sells 5 ETH at 100; alice buys 5 ETH at 100; mark BTC 96 ETH 108").play(
        ("bob", "BTC +10 notional 960 effective 16000000 equity 60, ETH -5 notional 540 effective 627907 equity 860"),
        ("bob", "notional 1500, effective 1630435, total 920, scopes bob+BTC"),
    )
