"""Who pays what neither its owner nor the insurance fund has: the fund all the same, the winners, or nobody for now."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.policy import BadDebtPolicy, RiskPolicy
from tests.cast import PLAIN_POLICY
from tests.scenarios.table import Table

NEGATIVE_FUND = PLAIN_POLICY
SOCIALIZE = replace(PLAIN_POLICY, bad_debt=BadDebtPolicy.SOCIALIZE)
HALT = replace(PLAIN_POLICY, bad_debt=BadDebtPolicy.HALT)

STAGE = (
    "bob deposits 1000; carol deposits 10000; dave deposits 1000; erin deposits 10000; frank deposits 10000;"
    "mark BTC 100 ETH 100; bob sets BTC isolated; dave sells 35 BTC at 100; bob buys 10 BTC at 100; carol buys 25 BTC at 100;"
    "mark BTC 95; dave buys 30 ETH at 100; erin sells 30 ETH at 100; {buyer} buys 25 BTC at 48; carol sells 25 BTC at 48;"
)
"""At BTC 60 and ETH 28 bob's position lacks 300 and only dave is opposite; he would have to give more than the 240 that he
has, for all that he won 1400. Whoever bought at 48 has won 300 and has plenty. A lot needs 36 of the fund to be taken over.
"""
FALLS = "mark BTC 60 ETH 28"
UNSOLD = (
    "liquidation 1 of bob/BTC isolated equity -300 mm 30, cleared 0, "
    "accepted 8 limit 90, canceled 8 order.ioc_remainder, settled 0/10 BTC sell at 90"
)


def stage(fund: str, buyer: str = "frank") -> str:
    """Return the stage with money in the fund; ``buyer`` bought at 48."""
    return STAGE.format(buyer=buyer) + f"fund deposits {fund}"


@pytest.mark.rule("LIQ-009")
def test_a_fund_may_go_negative_and_the_record_says_by_how_much() -> None:
    Table(stage("30"), policy=NEGATIVE_FUND).play(
        (
            FALLS,
            f"{UNSOLD}, residual 10 to dave value 600 other_pnl 400 fund_change -300 equity 0, "
            "finished 1 pnl -400 fund_paid 30 bad_debt 270 socialized 0 forgone 0 fund_change -300 owner 0 default 0.25",
        ),
        ("fund", "wallet -270, equity -270"),
        ("dave", "equity 240, BTC -25"),
        ("bob", "total 900"),
    )


@pytest.mark.rule("LIQ-009", "CONS-001")
def test_winners_share_what_the_fund_does_not_have_by_what_they_won_and_have() -> None:
    """270 over 240, which is all that dave has of his 1400, and frank's 300."""
    Table(stage("30"), policy=SOCIALIZE).play(
        (
            FALLS,
            f"{UNSOLD}, residual 10 to dave fund_change -30 equity 0, socialized 120 from dave/BTC liquidation 1, "
            "socialized 150 from frank/BTC, "
            "finished 1 fund_paid 30 bad_debt 0 socialized 270 fund_change -30 default 0.25",
        ),
        ("fund", "wallet 0"),
        ("dave", "equity 120, BTC -25"),
        ("frank", "wallet 9850, equity 10150, BTC +25"),
        ("erin", "wallet 10000"),
    )


@pytest.mark.rule("LIQ-009")
def test_shares_are_rounded_down_and_the_largest_winner_pays_the_remainder() -> None:
    Table(stage("29.999999"), policy=SOCIALIZE).play(
        (
            FALLS,
            f"{UNSOLD}, residual 10 to dave fund_change -29.999999, socialized 120 from dave/BTC, "
            "socialized 150.000001 from frank/BTC, finished 1 socialized 270.000001",
        ),
    )


@pytest.mark.rule("LIQ-009")
def test_what_the_fund_has_goes_first_and_nobody_pays_where_it_is_enough() -> None:
    """With 300 the fund takes 8 lots over, at a loss of 240; dave has enough for the 60 that the other two cost."""
    Table(stage("300"), policy=SOCIALIZE).play(
        (
            FALLS,
            f"{UNSOLD}, takeover 8 to fund value 720, adl 2 to dave value 180 other_pnl 20, "
            "finished 1 fund_paid 240 forgone 60 socialized 0 bad_debt 0",
        ),
        ("fund", "wallet 300, equity 60"),
    )


@pytest.mark.rule("LIQ-009")
def test_those_who_have_won_nothing_pay_nothing_and_the_rest_is_the_funds_debt() -> None:
    """Dave's shorts are from 55 here: at 60 he has lost. Frank bought them there and has won 125."""
    losers = "bob deposits 1000; carol deposits 10000; dave deposits 2500; erin deposits 10000; frank deposits 10000;"
    losers += "mark BTC 100 ETH 100; bob sets BTC isolated; carol sells 10 BTC at 100; bob buys 10 BTC at 100; mark BTC 95;"
    losers += "dave sells 35 BTC at 55; carol buys 10 BTC at 55; frank buys 25 BTC at 55; dave buys 30 ETH at 100;"
    Table(losers + "erin sells 30 ETH at 100; fund deposits 30", policy=SOCIALIZE).play(
        (
            FALLS,
            "liquidation 1 of bob/BTC isolated equity -300 mm 30, cleared 0, accepted 8, canceled 8 order.ioc_remainder, "
            "settled 0/10 BTC sell at 90, residual 10 to dave other_pnl -50 fund_change -175, socialized 125 from frank/BTC, "
            "finished 1 fund_paid 30 socialized 125 bad_debt 145 fund_change -175 default 0.25",
        ),
        ("fund", "wallet -145"),
        ("frank", "wallet 9875"),
        ("dave", "equity 165"),
    )


@pytest.mark.rule("LIQ-009")
def test_what_the_fund_has_lost_on_its_own_positions_it_cannot_pay() -> None:
    """It took frank's ETH over at 90 and has 20 in its wallet; at 10 it is 60 under water, and bob's 10 are bad debt."""
    short = "bob deposits 1000; dave deposits 708.5; erin deposits 10000; frank deposits 10.000002; fund deposits 20;"
    short += "mark BTC 100 ETH 100; bob sets BTC isolated; frank sets ETH isolated; erin sells 9 ETH at 100;"
    short += "frank buys 1 ETH at 100; dave sells 1 BTC at 100; bob buys 1 BTC at 100; dave buys 8 ETH at 100; mark ETH 85"
    Table(short, policy=NEGATIVE_FUND).play(
        ("fund", "wallet 20, ETH +1 cost 90"),
        (
            "mark BTC 80 ETH 10",
            "liquidation 2 of bob/BTC isolated equity -10, cleared 0, accepted 7, canceled 7 order.ioc_remainder, "
            "settled 0/1 BTC sell at 90, residual 1 to dave fund_change -10, finished 2 fund_paid 0 bad_debt 10",
        ),
        ("fund", "wallet 10, equity -70"),
    )


@pytest.mark.rule("LIQ-009")
def test_a_winner_of_exactly_nothing_is_none() -> None:
    """Frank bought at 60, the mark. Dave alone pays, all that he has; then he is liquidated himself."""
    at_mark = stage("30").replace("at 48", "at 60")
    table = Table(at_mark, policy=SOCIALIZE)
    table.play(
        (
            FALLS,
            f"{UNSOLD}, residual 10 to dave fund_change -60, socialized 240 from dave/BTC, "
            "finished 1 socialized 240 bad_debt 30, "
            "liquidation 2 of dave cross equity 0 mm 117, cleared 0, "
            "accepted 9, canceled 9 order.ioc_remainder, settled 0/25 BTC buy at 60, adl 25 to frank value -1500 other_pnl 0, "
            "accepted 10, canceled 10 order.ioc_remainder, settled 0/30 ETH sell at 28, adl 30 to erin value 840, finished 2",
        ),
        ("frank", "wallet 10000"),
    )


@pytest.mark.rule("LIQ-009")
def test_a_flagged_winner_is_spared() -> None:
    """Dave is below maintenance himself at ETH 21, with 30 under 136.5. Frank and the fund pay for bob."""
    Table(stage("30"), policy=SOCIALIZE).play(
        (
            "mark BTC 60 ETH 21",
            "liquidation 1 of bob/BTC isolated equity -300 mm 30, liquidation 2 of dave cross equity 30 mm 136.5, cleared 0, "
            "accepted 8, canceled 8 order.ioc_remainder, settled 0/10 BTC sell at 90, "
            "residual 10 to dave fund_change -30, socialized 270 from frank/BTC, finished 1, "
            "cleared 0, accepted 9, canceled 9 order.ioc_remainder, settled 0/25 BTC buy at 60, "
            "adl 25 to frank value -1521.12676, "
            "accepted 10, canceled 10 order.ioc_remainder, settled 0/30 ETH sell at 21, adl 30 to erin, finished 2",
        ),
    )


# -- halting -----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-009", "BOOK-017")
def test_a_loss_that_nobody_can_pay_halts_the_symbol_until_it_is_opened_again() -> None:
    Table(stage("30"), policy=HALT).play(
        (FALLS, f"{UNSOLD}, halted BTC liquidation 1, waiting 1 halted yes"),
        ("BTC", "state halted"),
        ("bob", "BTC +10 flagged yes isolated 100 equity -300"),
        ("fund", "wallet 30"),
        ("frank sells 1 BTC at 60", "rejected order.symbol_halted"),
        ("mark BTC 59", ""),
        ("mark BTC 60", ""),
        (
            "resumes BTC",
            "resumed BTC, accepted 9, canceled 9 order.ioc_remainder, settled 0/10 BTC sell at 90, halted BTC liquidation 1, "
            "waiting 1",
        ),
        ("fund deposits 269.999999", "credited 269.999999"),
        (
            "resumes BTC",
            "resumed BTC, accepted 10, canceled 10 order.ioc_remainder, settled 0/10 BTC sell at 90, takeover 8 to fund, "
            "adl 2 to dave, finished 1 bad_debt 0",
        ),
    )


@pytest.mark.rule("LIQ-009")
@pytest.mark.parametrize(("fund", "halts"), [("10", False), ("9.999999", True)])
def test_a_fund_that_has_exactly_what_is_missing_pays_it_and_a_unit_less_halts(fund: str, halts: bool) -> None:
    """One lot that lacks 10 at 80; 18 would be needed to take it over. Dave, opposite, has 8.5 left and needs 8."""
    short = "bob deposits 1000; dave deposits 708.5; erin deposits 10000; mark BTC 100 ETH 100; bob sets BTC isolated;"
    short += "dave sells 1 BTC at 100; bob buys 1 BTC at 100; dave buys 8 ETH at 100; erin sells 8 ETH at 100;"
    outcome = "halted BTC, waiting 1" if halts else "residual 1 to dave fund_change -10, finished 1 fund_paid 10 bad_debt 0"
    Table(short + f"fund deposits {fund}", policy=HALT).play(
        (
            "mark BTC 80 ETH 10",
            "liquidation 1 of bob/BTC isolated equity -10, cleared 0, accepted 5, canceled 5 order.ioc_remainder, "
            f"settled 0/1 BTC sell at 90, {outcome}",
        ),
        ("dave", "equity 8.5"),
    )


@pytest.mark.rule("LIQ-009", "LIQ-010")
@pytest.mark.parametrize("policy", [NEGATIVE_FUND, SOCIALIZE, HALT], ids=["negative fund", "socialize", "halt"])
def test_a_scope_left_flat_with_less_than_nothing_is_made_whole_by_the_fund_whatever_the_policy(policy: RiskPolicy) -> None:
    """Dave, flagged, takes bob's lot at the mark for 10 of the fund's 12, and is flat with -8: 2 are there, 6 are not."""
    short = "bob deposits 1000; dave deposits 660; erin deposits 10000; fund deposits 12; mark BTC 100 ETH 100;"
    short += "bob sets BTC isolated; dave sells 1 BTC at 100; bob buys 1 BTC at 100; dave buys 8 ETH at 100;"
    short += "erin sells 8 ETH at 100; mark ETH 28; erin buys 8 ETH at 14"
    Table(short, policy=policy).play(
        (
            "mark BTC 80 ETH 12",
            "liquidation 1 of dave cross equity -24 mm 8.8, liquidation 2 of bob/BTC isolated equity -10 mm 4, cleared 0, "
            "accepted 6 limit 14, trade 8@14 maker 5 taker 6, filled 5, filled 6, settled 8/8 ETH sell at 14 equity -8 mm 4, "
            "cleared 0, accepted 7, canceled 7 order.ioc_remainder, settled 0/1 BTC sell at 90, "
            "residual 1 to dave other_pnl 20, finished 2 bad_debt 6 fund_paid 12, finished 1 equity 0",
        ),
        ("dave", "total 0"),
        ("fund", "wallet -6"),
        ("BTC", "state open"),
    )
