"""What the book does not take: the insurance fund, deleveraging by rank, and the residual at the mark."""

from __future__ import annotations

import pytest

from exchange.venue.state import VenueLimits
from tests.scenarios.table import Table

STAGE = "carol deposits 100000; bob deposits 1000; bob sets BTC isolated; mark BTC 100 ETH 100"
LONG_10 = STAGE + "; bob buys 10 BTC at 100; carol sells 10 BTC at 100"
"""Bob is isolated long 10 at 100 and bankrupt at 90; order ids 1 and 2 are used."""
UNSOLD = "cleared 0, accepted 3, canceled 3 order.ioc_remainder, settled 0/10 BTC sell at 90"


@pytest.mark.rule("LIQ-007", "LIQ-008")
@pytest.mark.parametrize(
    ("fund", "outcome"),
    [
        ("135", "takeover 10 to fund value 900"),
        ("134.999999", "takeover 9 to fund value 810, adl 1 to carol value 90 other_pnl 10"),
        ("13.5", "takeover 1 to fund value 90, adl 9 to carol value 810 other_pnl 90"),
        ("13.499999", "adl 10 to carol value 900 other_pnl 100"),
    ],
)
def test_the_fund_takes_the_whole_lots_that_its_equity_covers_with_margin_and_loss(fund: str, outcome: str) -> None:
    """At 85 each lot needs 8.5 of initial margin at the most leverage and 5 for its loss at the mark."""
    Table(LONG_10 + f"; fund deposits {fund}").play(
        ("mark BTC 85", f"liquidation 1 of bob/BTC isolated equity -50, {UNSOLD}, {outcome}, finished 1 returned 0"),
        ("bob", "total 900"),
    )


@pytest.mark.rule("LIQ-007")
def test_a_profit_at_the_mark_counts_against_the_funds_capacity_as_a_loss_does() -> None:
    """At 94 a lot taken at 90 needs 9.4 of margin and 4 for the distance to the mark."""
    Table(LONG_10 + "; fund deposits 133.999999").play(
        (
            "mark BTC 94",
            f"liquidation 1 of bob/BTC isolated equity 40, {UNSOLD}, takeover 9 to fund value 810, "
            "adl 1 to carol value 90 other_pnl 10, finished 1",
        ),
        ("fund", "equity 169.999999"),
    )


@pytest.mark.rule("LIQ-007")
@pytest.mark.parametrize(("fund", "lots"), [("270", 10), ("269.999999", 9)])
def test_what_the_fund_holds_already_takes_its_margin_first(fund: str, lots: int) -> None:
    """Of 270, bob's position costs 50 and holds 85: the 135 left are just enough for erin's."""
    stage = LONG_10 + "; erin deposits 1000; erin sets BTC isolated; erin buys 10 BTC at 100; carol sells 10 BTC at 100"
    rest = "" if lots == 10 else "adl 1 to carol, "
    Table(stage + f"; fund deposits {fund}").play(
        (
            "mark BTC 85",
            "liquidation 1 of bob/BTC isolated, liquidation 2 of erin/BTC isolated, "
            "cleared 0, accepted 5, canceled 5 order.ioc_remainder, settled 0/10 BTC sell at 90, takeover 10 to fund, "
            "finished 1, "
            "cleared 0, accepted 6, canceled 6 order.ioc_remainder, settled 0/10 BTC sell at 90, "
            f"takeover {lots} to fund value {lots * 90}, {rest}finished 2",
        ),
    )


@pytest.mark.rule("LIQ-007", "CONS-001")
def test_a_takeover_may_flip_the_funds_own_position() -> None:
    """The fund is long 10 at 90. A short of 14, bankrupt at 93.5, closes those at a profit of 35 and leaves 4 short."""
    stage = LONG_10 + "; fund deposits 1000; mark BTC 85; dave deposits 1000; dave sets BTC isolated; dave sells 14 BTC at 85;"
    Table(stage + "carol buys 14 BTC at 85").play(
        ("fund", "BTC +10 cost 900"),
        (
            "mark BTC 92",
            "liquidation 2 of dave/BTC isolated equity 21, cleared 0, accepted 6 limit 93, canceled 6 order.ioc_remainder, "
            "settled 0/14 BTC buy at 93, takeover 14 to fund value -1309 pnl -119 other_pnl 35, finished 2",
        ),
        ("fund", "wallet 1035, BTC -4 cost -374"),
    )


@pytest.mark.rule("LIQ-008")
def test_profitable_counterparties_go_by_profit_times_leverage_and_ties_by_account() -> None:
    """Three shorts of 10 at 100; dave has less behind his. Carol and erin are alike, so carol comes first."""
    stage = "carol deposits 1000; dave deposits 400; erin deposits 1000; frank deposits 10000; bob deposits 1000; mark BTC 100;"
    stage += "bob sets BTC isolated; erin sells 10 BTC at 100; dave sells 10 BTC at 100; carol sells 10 BTC at 100;"
    Table(stage + "bob buys 15 BTC at 100; frank buys 15 BTC at 100").play(
        (
            "mark BTC 85",
            "liquidation 1 of bob/BTC isolated equity -75, cleared 0, accepted 6, canceled 6 order.ioc_remainder, "
            "settled 0/15 BTC sell at 90, adl 10 to dave value 900 pnl -100 other_pnl 100, "
            "adl 5 to carol value 450 pnl -50 other_pnl 50, finished 1 book none fund none adl BTC:15",
        ),
        ("dave", "wallet 500, BTC flat"),
        ("carol", "BTC -5 cost -500"),
        ("erin", "BTC -10"),
    )


@pytest.mark.rule("LIQ-008")
def test_those_without_profit_come_after_all_others_the_least_exposed_loss_first() -> None:
    """At 84 erin's short from 100 has a profit; dave and carol are short from 83. Dave has little behind his loss."""
    stage = (
        "carol deposits 10000; dave deposits 200; erin deposits 10000; frank deposits 10000; bob deposits 1000; mark BTC 100;"
    )
    stage += "bob sets BTC isolated; bob sets BTC leverage 5; erin sells 2 BTC at 100; frank sells 13 BTC at 100;"
    stage += "bob buys 15 BTC at 100; mark BTC 85; carol sells 10 BTC at 83; dave sells 5 BTC at 83; frank buys 15 BTC at 83"
    Table(stage).play(
        (
            "mark BTC 84",
            "liquidation 1 of bob/BTC isolated equity 60 mm 63, cleared 0, accepted 7, canceled 7 order.ioc_remainder, "
            "settled 0/15 BTC sell at 80, adl 2 to erin value 160 other_pnl 40, adl 5 to dave value 400 other_pnl 15, "
            "adl 8 to carol value 640 other_pnl 24, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-008", "LIQ-010")
def test_deleveraging_pays_nothing_out_of_an_isolated_counterparty_until_it_is_flat() -> None:
    stage = "bob deposits 1000; dave deposits 1000; erin deposits 1000; mark BTC 100; bob sets BTC isolated;"
    stage += "dave sets BTC isolated; erin sets BTC isolated; dave sells 10 BTC at 100; bob buys 4 BTC at 100;"
    stage += "erin buys 6 BTC at 100"
    Table(stage, limits=VenueLimits(liquidation_steps_max=1)).play(
        (
            "mark BTC 85",
            "liquidation 1 of bob/BTC isolated, liquidation 2 of erin/BTC isolated, cleared 0, accepted 4, "
            "canceled 4 order.ioc_remainder, settled 0/4 BTC sell at 90, adl 4 to dave value 360 other_pnl 40, finished 1, "
            "deferred 1",
        ),
        ("dave", "wallet 900, BTC -6 cost -600 isolated 140"),
        (
            "continue",
            "cleared 0, accepted 5, canceled 5 order.ioc_remainder, settled 0/6 BTC sell at 90, "
            "adl 6 to dave value 540 other_pnl 60, finished 2",
        ),
        ("dave", "wallet 1100, BTC flat isolated 0"),
    )


@pytest.mark.rule("LIQ-008")
def test_the_counterpartys_orders_in_the_symbol_are_canceled_first_and_no_fee_is_paid() -> None:
    stage = LONG_10 + "; carol buys 1 BTC at 80; carol sells 1 BTC at 110; carol buys 1 ETH at 90"
    Table(stage).play(
        (
            "mark BTC 85",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 6, canceled 6 order.ioc_remainder, "
            "settled 0/10 BTC sell at 90, "
            "canceled 3 liquidation.auto_deleveraged, canceled 4 liquidation.auto_deleveraged, "
            "adl 10 to carol fund_change 0, finished 1",
        ),
        ("carol", "orders 5:1, wallet 100100"),
        ("fund", "fees 0, wallet 0"),
    )


@pytest.mark.rule("LIQ-008", "LIQ-009")
def test_a_counterparty_that_the_price_would_take_below_zero_is_skipped_and_takes_the_residual_at_the_mark() -> None:
    """Dave ranks first, but has 300 and would have to give 400. Carol takes 2 at bankruptcy; dave 10 at the mark.

    His equity stays as it was; the fund pays bob's 400 and goes negative.
    """
    stage = "carol deposits 10000; dave deposits 200; erin deposits 10000; bob deposits 1000; mark BTC 100 ETH 100;"
    stage += "bob sets BTC isolated; carol sells 2 BTC at 100; dave sells 10 BTC at 100; bob buys 12 BTC at 100;"
    stage += "mark BTC 95; dave buys 10 ETH at 100; erin sells 10 ETH at 100"
    Table(stage).play(
        (
            "mark BTC 50 ETH 60",
            "liquidation 1 of bob/BTC isolated equity -480, cleared 0, accepted 6, canceled 6 order.ioc_remainder, "
            "settled 0/12 BTC sell at 90, adl 2 to carol value 180 other_pnl 20 equity -400, "
            "residual 10 to dave value 500 pnl -500 other_pnl 500 fund_change -400 equity 0, finished 1 adl BTC:12",
        ),
        ("dave", "equity 300, BTC flat, ETH +10"),
        ("fund", "wallet -400, equity -400"),
        ("bob", "total 880"),
    )


@pytest.mark.rule("LIQ-008", "LIQ-009", "LIQ-010")
def test_a_flagged_counterparty_left_flat_with_less_than_nothing_is_made_whole_by_the_fund() -> None:
    """Dave is worst off; his ETH is sold at 66, well above bankruptcy, after which bob is worse off than he is.

    Dave has the only opposite position and is flagged: he takes bob's at the mark. Flat, he has -8.125 left.
    """
    stage = "bob deposits 1000; dave deposits 521.875; carol deposits 10000; mark BTC 100 ETH 100; bob sets BTC isolated;"
    stage += "dave sells 10 BTC at 100; bob buys 10 BTC at 100; dave buys 20 ETH at 100; carol sells 20 ETH at 100;"
    Table(stage + "carol buys 20 ETH at 66").play(
        (
            "mark BTC 85 ETH 60",
            "liquidation 1 of dave cross equity -128.125 mm 102.5, liquidation 2 of bob/BTC isolated equity -50 mm 42.5, "
            "cleared 0, accepted 6 limit 64, trade 20@66 maker 5 taker 6, filled 5, filled 6, "
            "settled 20/20 ETH sell at 64 equity -8.125 mm 42.5, "
            "cleared 0, accepted 7, canceled 7 order.ioc_remainder, settled 0/10 BTC sell at 90, "
            "residual 10 to dave value 850 other_pnl 150 fund_change -58.125, finished 2 equity 0, finished 1 equity 0",
        ),
        ("dave", "wallet 0, BTC flat"),
        ("fund", "wallet -58.125"),
    )


@pytest.mark.rule("LIQ-009")
def test_only_where_nobody_else_is_opposite_the_fund_takes_the_position_at_the_mark() -> None:
    """The fund took a short over and has no room left. Alice's pool dies of ETH; her BTC long has only the fund opposite."""
    stage = "alice deposits 400; bob deposits 1000; carol deposits 10000; fund deposits 121; mark BTC 100 ETH 100;"
    stage += "bob sets BTC isolated;"
    stage += "bob sells 10 BTC at 100; alice buys 10 BTC at 100; alice buys 20 ETH at 100; carol sells 20 ETH at 100"
    Table(stage).play(
        (
            "mark BTC 111",
            "liquidation 1 of bob/BTC isolated equity -10, cleared 0, accepted 5 limit 110, canceled 5 order.ioc_remainder, "
            "settled 0/10 BTC buy at 110, takeover 10 to fund value -1100, finished 1",
        ),
        (
            "mark ETH 60",
            "liquidation 2 of alice cross equity -290 mm 115.5, cleared 0, accepted 6 limit 68, "
            "canceled 6 order.ioc_remainder, "
            "settled 0/20 ETH sell at 68, adl 20 to carol value 1350.649351 other_pnl 649.350649, "
            "accepted 7 limit 125, canceled 7 order.ioc_remainder, settled 0/10 BTC sell at 125, "
            "residual 10 to fund value 1110 pnl 110 other_pnl -10 fund_change -139.350649, finished 2 fund BTC:10 adl ETH:20",
        ),
        ("fund", "wallet -28.350649, equity -28.350649, BTC flat"),
        ("alice", "wallet 0"),
    )


@pytest.mark.rule("LIQ-008", "LIQ-011")
def test_a_step_makes_only_so_many_transfers_and_the_next_one_computes_the_value_anew() -> None:
    stage = "carol deposits 1000; dave deposits 400; bob deposits 1000; mark BTC 100; bob sets BTC isolated;"
    stage += "dave sells 10 BTC at 100; carol sells 5 BTC at 100; bob buys 15 BTC at 100"
    Table(stage, limits=VenueLimits(adl_legs_max=1)).play(
        (
            "mark BTC 85",
            "liquidation 1 of bob/BTC isolated equity -75, cleared 0, "
            "accepted 4, canceled 4 order.ioc_remainder, settled 0/15 BTC sell at 90, adl 10 to dave value 900, "
            "accepted 5, canceled 5 order.ioc_remainder, settled 0/5 BTC sell at 90, adl 5 to carol value 450, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-009", "LIQ-011")
def test_residual_transfers_count_against_the_same_bound() -> None:
    """Dave and erin would both be taken below zero; one of them goes in each step."""
    stage = "carol deposits 10000; bob deposits 1000; dave deposits 200; erin deposits 200; mark BTC 100 ETH 100;"
    stage += "bob sets BTC isolated; dave sells 10 BTC at 100; erin sells 10 BTC at 100; bob buys 20 BTC at 100; mark BTC 95;"
    stage += "dave buys 10 ETH at 100; erin buys 10 ETH at 100; carol sells 20 ETH at 100"
    Table(stage, limits=VenueLimits(adl_legs_max=1)).play(
        (
            "mark BTC 50 ETH 60",
            "liquidation 1 of bob/BTC isolated equity -800, cleared 0, "
            "accepted 7, canceled 7 order.ioc_remainder, settled 0/20 BTC sell at 90, residual 10 to dave fund_change -400, "
            "accepted 8, canceled 8 order.ioc_remainder, settled 0/10 BTC sell at 90, residual 10 to erin fund_change -400, "
            "finished 1",
        ),
        ("fund", "wallet -800"),
    )


@pytest.mark.rule("LIQ-008", "MARG-019", "CONS-005")
def test_a_counterparty_that_deleveraging_takes_below_maintenance_is_liquidated_in_the_same_command() -> None:
    """Dave's 100 cover the 75 that bob lacks, but not the 46.25 that he must keep."""
    stage = "bob deposits 1000; carol deposits 10000; dave deposits 300; erin deposits 1000; mark BTC 100 ETH 100;"
    stage += "bob sets BTC isolated;"
    stage += "dave sells 10 BTC at 100; bob buys 5 BTC at 100; carol buys 5 BTC at 100; dave buys 10 ETH at 100;"
    stage += "carol sells 10 ETH at 100;"
    Table(stage + "erin buys 10 ETH at 50; carol sells 5 BTC at 76").play(
        (
            "mark BTC 75 ETH 55",
            "liquidation 1 of bob/BTC isolated equity -75, cleared 0, accepted 8, canceled 8 order.ioc_remainder, "
            "settled 0/5 BTC sell at 90, adl 5 to dave value 450 other_pnl 50, finished 1, "
            "liquidation 2 of dave cross equity 25 mm 46.25, cleared 0, accepted 9 limit 54, canceled 9 order.ioc_remainder, "
            "settled 0/10 ETH sell at 54, adl 10 to carol value 535.135136, accepted 10 limit 77, trade 5@76 maker 7 taker 10, "
            "filled 7, filled 10, settled 5/5 BTC buy at 77 equity 5.135136, finished 2",
        ),
    )


@pytest.mark.rule("LIQ-007", "LIQ-008")
def test_nobody_is_deleveraged_for_a_scope_that_a_partial_takeover_has_cured() -> None:
    """Equity 1000 under 1200 in tier 2. The fund carries 90 of the 200 lots; the rest has 550 and needs 467.5 in tier 1."""
    stage = "carol deposits 100000; bob deposits 10000; fund deposits 1215; mark BTC 100; bob sets BTC isolated;"
    stage += "bob sets BTC leverage 5; carol sets BTC leverage 5; bob buys 200 BTC at 100; carol sells 200 BTC at 100"
    Table(stage).play(
        (
            "mark BTC 85",
            "liquidation 1 of bob/BTC isolated equity 1000 mm 1200, cleared 0, accepted 3, canceled 3 order.ioc_remainder, "
            "settled 0/200 BTC sell at 80, takeover 90 to fund value 7200 equity 550 mm 467.5, finished 1 adl none fund BTC:90",
        ),
        ("carol", "BTC -200"),
        ("bob", "BTC +110 isolated 2200 flagged no"),
    )


@pytest.mark.rule("LIQ-008")
def test_nor_for_one_that_the_first_counterparty_has_cured() -> None:
    stage = "carol deposits 100000; dave deposits 1800; bob deposits 10000; mark BTC 100; bob sets BTC isolated;"
    stage += "bob sets BTC leverage 5; carol sets BTC leverage 5; dave sells 90 BTC at 100; carol sells 110 BTC at 100;"
    Table(stage + "bob buys 200 BTC at 100").play(
        (
            "mark BTC 85",
            "liquidation 1 of bob/BTC isolated equity 1000 mm 1200, cleared 0, accepted 4, canceled 4 order.ioc_remainder, "
            "settled 0/200 BTC sell at 80, adl 90 to dave value 7200 equity 550 mm 467.5, finished 1 adl BTC:90",
        ),
        ("carol", "BTC -110"),
    )
