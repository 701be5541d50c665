"""The same market deleveraged in three orders."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.policy import AdlRanking
from tests.cast import PLAIN_POLICY
from tests.scenarios.table import Table

STAGE = (
    "bob deposits 1000; frank deposits 100000; carol deposits 100; dave deposits 5000; erin deposits 400;"
    "mark BTC 100 ETH 100; bob sets BTC isolated; carol sells 5 BTC at 100; erin sells 10 BTC at 100; dave sells 20 BTC at 100;"
    "bob buys 10 BTC at 100; frank buys 25 BTC at 100; erin buys 20 ETH at 100; frank sells 20 ETH at 100"
)
"""At 85 all three shorts have won 15 %. Carol has 175 behind 425 of notional; erin 550 behind 850 and 2000 of ETH; dave
5300 behind 1700. Profit by equity: 0.43, 0.27, 0.06. Times leverage: 0.36, 0.78, 0.05. Sizes: 5, 10, 20.
"""
FALLS = (
    "liquidation 1 of bob/BTC isolated, cleared 0, accepted 8, canceled 8 order.ioc_remainder, settled 0/10 BTC sell at 90, "
)


@pytest.mark.rule("LIQ-008")
@pytest.mark.parametrize(
    ("ranking", "legs"),
    [
        (AdlRanking.PROFIT_LEVERAGE, "adl 10 to erin"),
        (AdlRanking.PROFIT_RATIO, "adl 5 to carol, adl 5 to erin"),
        (AdlRanking.SIZE, "adl 10 to dave"),
    ],
)
def test_who_is_deleveraged_first_is_a_choice_of_the_venue(ranking: AdlRanking, legs: str) -> None:
    Table(STAGE, policy=replace(PLAIN_POLICY, adl_ranking=ranking)).play(("mark BTC 85", f"{FALLS}{legs}, finished 1"))


@pytest.mark.rule("LIQ-008")
@pytest.mark.parametrize("ranking", list(AdlRanking))
def test_ties_go_by_account_in_every_ranking(ranking: AdlRanking) -> None:
    stage = (
        "bob deposits 1000; erin deposits 1000; dave deposits 1000; carol deposits 1000; frank deposits 10000; mark BTC 100;"
    )
    stage += "bob sets BTC isolated; erin sells 5 BTC at 100; dave sells 5 BTC at 100; carol sells 5 BTC at 100;"
    Table(stage + "bob buys 8 BTC at 100; frank buys 7 BTC at 100", policy=replace(PLAIN_POLICY, adl_ranking=ranking)).play(
        (
            "mark BTC 85",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 6, canceled 6 order.ioc_remainder, "
            "settled 0/8 BTC sell at 90, adl 5 to carol, adl 3 to dave, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-008")
@pytest.mark.parametrize("ranking", [AdlRanking.PROFIT_RATIO, AdlRanking.SIZE])
def test_losers_are_ranked_after_winners_by_profit_and_among_them_by_size(ranking: AdlRanking) -> None:
    """At 84 erin's 2 short from 100 have won 32; carol's 10 and dave's 5 from 83 have lost."""
    stage = "carol deposits 10000; dave deposits 200; erin deposits 10000; frank deposits 10000; bob deposits 1000;"
    stage += "mark BTC 100; bob sets BTC isolated; bob sets BTC leverage 5; erin sells 2 BTC at 100; frank sells 13 BTC at 100;"
    stage += "bob buys 15 BTC at 100; mark BTC 85; carol sells 10 BTC at 83; dave sells 5 BTC at 83; frank buys 15 BTC at 83"
    legs = {
        AdlRanking.PROFIT_RATIO: "adl 2 to erin, adl 10 to carol, adl 3 to dave",
        AdlRanking.SIZE: "adl 10 to carol, adl 5 to dave",
    }[ranking]
    Table(stage, policy=replace(PLAIN_POLICY, adl_ranking=ranking)).play(
        (
            "mark BTC 84",
            "liquidation 1 of bob/BTC isolated equity 60 mm 63, cleared 0, accepted 7, canceled 7 order.ioc_remainder, "
            f"settled 0/15 BTC sell at 80, {legs}, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-008", "LIQ-009")
@pytest.mark.parametrize(
    ("ranking", "legs"),
    [
        (AdlRanking.SIZE, "residual 10 to dave, residual 5 to erin"),
        (AdlRanking.PROFIT_RATIO, "residual 5 to erin, residual 10 to dave"),
    ],
)
def test_one_without_equity_is_last_but_by_size(ranking: AdlRanking, legs: str) -> None:
    """Both are skipped at bankruptcy: dave has -100, and erin's 35 are less than the 50 that 5 lots would cost her."""
    stage = "bob deposits 1000; dave deposits 900; erin deposits 115; frank deposits 10000; mark BTC 100 ETH 100;"
    stage += "bob sets BTC isolated; dave sells 10 BTC at 100; erin sells 5 BTC at 100; bob buys 15 BTC at 100;"
    stage += "dave buys 20 ETH at 100; erin buys 3 ETH at 100; frank sells 23 ETH at 100"
    Table(stage, policy=replace(PLAIN_POLICY, adl_ranking=ranking)).play(
        (
            "mark BTC 80 ETH 40",
            "liquidation 1 of bob/BTC isolated equity -150, liquidation 2 of dave cross equity -100, cleared 0, "
            f"accepted 7, canceled 7 order.ioc_remainder, settled 0/15 BTC sell at 90, {legs}, finished 1 bad_debt 150, "
            "cleared 0, accepted 8, canceled 8 order.ioc_remainder, settled 0/20 ETH sell at 45, adl 20 to frank, finished 2",
        ),
        ("erin", "equity 35, BTC flat"),
    )


@pytest.mark.rule("LIQ-008", "MARG-025")
def test_of_a_hedged_counterparty_the_opposite_leg_is_deleveraged_and_its_orders_canceled_alone() -> None:
    stage = "bob deposits 1000; carol deposits 10000; frank deposits 10000; mark BTC 100; bob sets BTC isolated;"
    stage += "carol sets hedge mode; carol sells 10 BTC/short at 100; bob buys 10 BTC at 100; carol buys 6 BTC/long at 100;"
    stage += "frank sells 6 BTC at 100; carol sells 2 BTC/long at 120; carol buys 2 BTC/short at 80"
    Table(stage).play(
        (
            "mark BTC 85",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 7, canceled 7 order.ioc_remainder, "
            "settled 0/10 BTC sell at 90, canceled 6 liquidation.auto_deleveraged, "
            "adl 10 to carol symbol BTC theirs BTC/short value 900 other_pnl 100, finished 1",
        ),
        ("carol", "BTC/long +6, BTC/short flat, orders 5:2"),
    )
