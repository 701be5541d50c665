"""Where the fund pays for fills beyond bankruptcy: how far the closing order goes then, and what each fill costs it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.cast import BTC_PERP, ETH_PERP, PLAIN_POLICY
from tests.scenarios.table import Table

COVERS = replace(PLAIN_POLICY, fund_covers=True, liquidation_slippage=100_000)
"""The fund pays for fills as far as a tenth from the mark."""
RICH = "alice deposits 10000; carol deposits 10000; mark BTC 100 ETH 100;"
LONG_10 = RICH + "bob deposits 1000; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100"
"""Bob is isolated long 10 at 100 with 100 in the position's wallet and bankrupt at 90; order ids 1 and 2 are used."""
SHORT_10 = RICH + "bob deposits 1000; bob sets BTC isolated; bob sells 10 BTC at 100; alice buys 10 BTC at 100"


@pytest.mark.rule("LIQ-014")
def test_the_order_may_go_as_far_beyond_bankruptcy_as_the_fund_can_pay_for_it_and_each_fill_is_paid() -> None:
    """30 are 3 a lot: down to 87. Six lots at 88 cost the fund 12, four at 87 another 12."""
    Table(LONG_10 + "; fund deposits 30; carol buys 6 BTC at 88; carol buys 6 BTC at 87", policy=COVERS).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40, cleared 0, accepted 5 limit 87, "
            "trade 6@88 maker 3 taker 5 taker_fee -12 taker_pnl -72, filled 3, trade 4@87 maker 4 taker 5 taker_fee -12, "
            "filled 5, settled 10/10 BTC sell at 90 fee -24 equity 0, "
            "finished 1 pnl -124 fee -24 fund_change -24 fund_paid 24 returned 0 owner 0 default 0.806451",
        ),
        ("fund", "wallet 6"),
        ("bob", "total 900"),
    )


@pytest.mark.rule("LIQ-014")
def test_a_short_is_covered_the_same_way() -> None:
    Table(SHORT_10 + "; fund deposits 30; carol sells 10 BTC at 113", policy=COVERS).play(
        (
            "mark BTC 106",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 4 limit 113, trade 10@113 maker 3 taker 4 taker_fee -30, "
            "filled 3, filled 4, settled 10/10 BTC buy at 110 equity 0, finished 1 fund_paid 30",
        ),
        ("fund", "wallet 0"),
    )


@pytest.mark.rule("LIQ-014")
def test_a_unit_less_in_the_fund_is_a_tick_less_for_the_order() -> None:
    Table(LONG_10 + "; fund deposits 29.999999; carol buys 10 BTC at 87", policy=COVERS).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 4 limit 88, canceled 4 order.ioc_remainder, "
            "settled 0/10 BTC sell at 90, takeover 2 to fund value 180, adl 8 to alice, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-014", "LIQ-006")
def test_fills_above_bankruptcy_pay_their_fee_and_pay_for_nobody() -> None:
    instrument = replace(BTC_PERP, liquidation_fee=20_000)
    stage = LONG_10 + "; fund deposits 30; carol buys 5 BTC at 92; carol buys 5 BTC at 87"
    Table(stage, policy=COVERS, instruments=(instrument, ETH_PERP)).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 5 limit 87, trade 5@92 maker 3 taker 5 taker_fee 9.2, "
            "filled 3, trade 5@87 maker 4 taker 5 taker_fee -15, filled 4, filled 5, "
            "settled 10/10 BTC sell at 90 fee -5.8, finished 1 returned 0.8",
        ),
    )


@pytest.mark.rule("LIQ-014")
def test_no_fund_goes_further_from_the_mark_than_the_slippage_that_is_reckoned_with() -> None:
    """A tenth below 94 is 84.6: a bid at 85 is met, one at 84 is not."""
    stage = LONG_10 + "; fund deposits 10000; carol buys 4 BTC at 85; carol buys 6 BTC at 84"
    Table(stage, policy=COVERS).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 5 limit 85, trade 4@85 maker 3 taker 5 taker_fee -20, "
            "filled 3, canceled 5 order.ioc_remainder, settled 4/10 BTC sell at 90 equity 24, takeover 6 to fund, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-014")
def test_a_scope_whose_bankruptcy_lies_beyond_that_is_not_helped() -> None:
    """Half a percent below 94 is above 90: the order stays at its bankruptcy price."""
    stage = LONG_10 + "; fund deposits 10000; carol buys 10 BTC at 89"
    Table(stage, policy=replace(COVERS, liquidation_slippage=5_000)).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 4 limit 90, canceled 4 order.ioc_remainder, "
            "settled 0/10 BTC sell at 90, takeover 10 to fund, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-014")
@pytest.mark.parametrize("fund", ["", "; fund deposits 9.999999"])
def test_a_fund_without_the_money_for_a_tick_covers_nothing(fund: str) -> None:
    Table(LONG_10 + fund + "; carol buys 10 BTC at 89", policy=COVERS).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 4 limit 90, canceled 4 order.ioc_remainder, "
            "settled 0/10 BTC sell at 90, adl 10 to alice, finished 1 fund_paid 0",
        ),
    )


@pytest.mark.rule("LIQ-014")
def test_after_a_gap_the_book_is_met_at_the_funds_expense() -> None:
    """Bankrupt at 90 with the mark at 85: 100 are 10 a lot, but a tenth below the mark is 76.5."""
    stage = LONG_10 + "; fund deposits 100; carol buys 10 BTC at 84"
    Table(stage, policy=COVERS).play(
        (
            "mark BTC 85",
            "liquidation 1 of bob/BTC isolated equity -50, cleared 0, accepted 4 limit 80, "
            "trade 10@84 maker 3 taker 4 taker_fee -60, filled 3, filled 4, settled 10/10 BTC sell at 90 equity 0, "
            "finished 1 fund_paid 60 default 0.625",
        ),
        ("fund", "wallet 40"),
        ("bob", "total 900"),
    )


@pytest.mark.rule("LIQ-014", "LIQ-016")
def test_what_the_fund_pays_for_one_fill_is_not_made_good_by_the_fee_of_another() -> None:
    """Bankrupt at 90: 5 lots at 91 leave 5 for the fee of 9.1, and 5 at 88 cost the fund 10."""
    stage = "alice deposits 100000; carol deposits 100000; bob deposits 1000; fund deposits 1000; mark BTC 100;"
    stage += "bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100; carol buys 5 BTC at 91;"
    stage += "carol buys 5 BTC at 88"
    policy = replace(PLAIN_POLICY, fund_covers=True, liquidation_slippage=60_000)
    Table(stage, instruments=(replace(BTC_PERP, liquidation_fee=20_000), ETH_PERP), policy=policy).play(
        (
            "mark BTC 91",
            "liquidation 1 of bob/BTC isolated equity 10, cleared 0, accepted 5 limit 86, "
            "trade 5@91 maker 3 taker 5 taker_fee 5, filled 3, trade 5@88 maker 4 taker 5 taker_fee -10, filled 4, filled 5, "
            "settled 10/10 BTC sell at 90 fee -5, finished 1 fee -5 fund_change -5 fund_paid 10",
        ),
        ("fund", "wallet 995"),
    )
