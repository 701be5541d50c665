"""The switches of deleveraging: at the mark with the fund paying, and the two rankings that look at wallets and prices."""

from __future__ import annotations

from fractions import Fraction

import pytest
from msgspec.structs import replace

from exchange.accounts.adl_ranking import ONE_WHOLE, Candidate, price_leverage, profit_margin_ratio
from exchange.domain.policy import AdlPrice, AdlRanking, BadDebtPolicy, RiskPolicy
from tests.cast import PLAIN_POLICY
from tests.scenarios.table import Table

AT_MARK = replace(PLAIN_POLICY, adl_price=AdlPrice.MARK)
LONG_10 = (
    "carol deposits 100000; bob deposits 1000; mark BTC 100 ETH 100; bob sets BTC isolated; bob buys 10 BTC at 100;"
    "carol sells 10 BTC at 100"
)
"""Bob has 100 behind 10 lots at 100: 40 at 94, where 47 are needed, and -50 at 85."""
UNSOLD = "cleared 0, accepted 3, canceled 3 order.ioc_remainder, settled 0/10 BTC sell at 90"


# -- at the mark -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-008")
@pytest.mark.parametrize(("policy", "value", "profit", "returned"), [(PLAIN_POLICY, 900, 100, "0"), (AT_MARK, 940, 60, "40")])
def test_deleveraged_at_the_mark_the_owner_keeps_what_was_left(
    policy: RiskPolicy, value: int, profit: int, returned: str
) -> None:
    Table(LONG_10, policy=policy).play(
        (
            "mark BTC 94",
            f"liquidation 1 of bob/BTC isolated equity 40 mm 47, {UNSOLD}, "
            f"adl 10 to carol value {value} other_pnl {profit} fund_change 0, finished 1 forgone 0 returned {returned}",
        ),
        ("bob", f"wallet {900 + int(returned)}"),
    )


@pytest.mark.rule("LIQ-007", "LIQ-008", "LIQ-009")
@pytest.mark.parametrize(("fund", "taken", "bad_debt"), [("60", 4, "0"), ("13", 0, "37")])
def test_deleveraged_at_the_mark_what_the_scope_lacks_is_the_funds(fund: str, taken: int, bad_debt: str) -> None:
    """Each lot lacks 5. The fund can carry one for 13.5, so with 60 it takes four itself and pays 30 of the 40 left for six."""
    rest = 10 - taken
    takeover = f"takeover {taken} to fund value {taken * 90}, " if taken else ""
    Table(LONG_10 + f"; fund deposits {fund}", policy=AT_MARK).play(
        (
            "mark BTC 85",
            f"liquidation 1 of bob/BTC isolated equity -50, {UNSOLD}, {takeover}"
            f"adl {rest} to carol value {rest * 85} other_pnl {rest * 15} fund_change -{rest * 5}, "
            f"finished 1 forgone 0 bad_debt {bad_debt}",
        ),
        ("carol", f"wallet {100000 + rest * 15}"),
    )


@pytest.mark.rule("LIQ-008", "LIQ-009")
def test_at_bankruptcy_the_counterparty_bears_it_instead() -> None:
    Table(LONG_10 + "; fund deposits 13").play(
        (
            "mark BTC 85",
            f"liquidation 1 of bob/BTC isolated equity -50, {UNSOLD}, "
            "adl 10 to carol value 900 other_pnl 100 fund_change 0, finished 1 forgone 50 bad_debt 0",
        ),
        ("fund", "wallet 13"),
    )


@pytest.mark.rule("LIQ-008", "LIQ-009")
def test_deleveraging_at_the_mark_halts_where_the_fund_has_not_enough_and_the_policy_is_to_stop() -> None:
    Table(LONG_10 + "; fund deposits 13", policy=replace(AT_MARK, bad_debt=BadDebtPolicy.HALT)).play(
        ("mark BTC 85", f"liquidation 1 of bob/BTC isolated equity -50, {UNSOLD}, halted BTC liquidation 1, waiting 1"),
        ("bob", "BTC +10 flagged yes"),
        ("fund deposits 37", "credited 37"),
        (
            "resumes BTC",
            "resumed BTC, accepted 4, canceled 4 order.ioc_remainder, settled 0/10 BTC sell at 90, takeover 3 to fund, "
            "adl 7 to carol fund_change -35, finished 1 bad_debt 0",
        ),
    )


@pytest.mark.rule("LIQ-008")
def test_at_the_mark_nobody_is_skipped_for_what_bankruptcy_would_cost() -> None:
    """Carol has 58 left, more than she needs: at bankruptcy ten lots would cost her 60, at the mark nothing."""
    stage = "carol deposits 173; dave deposits 10000; bob deposits 1000; mark BTC 100 ETH 100; bob sets BTC isolated;"
    stage += "bob buys 10 BTC at 100; carol sells 10 BTC at 100; carol buys 5 ETH at 100; dave sells 5 ETH at 100"
    falls = f"liquidation 1 of bob/BTC isolated equity -60, {UNSOLD.replace('3', '5')}, "
    Table(stage).play(("mark BTC 84 ETH 45", f"{falls}residual 10 to carol value 840, finished 1 bad_debt 60"))
    Table(stage, policy=AT_MARK).play(("mark BTC 84 ETH 45", f"{falls}adl 10 to carol value 840, finished 1 bad_debt 60"))


# -- who comes first ---------------------------------------------------------------------------------------------------

RANKED = (
    "bob deposits 1000; alice deposits 100000; carol deposits 1000; erin deposits 400; frank deposits 1000; dave deposits 50;"
    "mark BTC 100 ETH 100; bob sets BTC isolated; frank sets BTC isolated; erin sells 10 BTC at 100; carol sells 4 BTC at 100;"
    "frank sells 2 BTC at 100; bob buys 10 BTC at 100; alice buys 6 BTC at 100; erin buys 20 ETH at 100;"
    "alice sells 20 ETH at 100; mark BTC 96; dave sells 4 BTC at 96; alice buys 4 BTC at 96"
)
"""At 85: erin has won 150 on 400, 550 behind 850 and 2000 of ETH, and needs 142.5; frank 30 on 20, 50 behind 170, needs 8.5;
dave 44 on 50 from 96, 94 behind 340, needs 17; carol 60 on 1000, 1060 behind 340, needs 17.

By profit share and leverage: 0.78, 0.51, 0.41, 0.05. By profit on the wallet and margin ratio: erin 0.097, frank 0.255, dave
0.159, carol 0.001. By 100/85 (dave: 96/85) and the position's leverage: 1.82, 4.00, 4.09, 0.38.
"""


@pytest.mark.rule("LIQ-008")
@pytest.mark.parametrize(
    ("ranking", "legs"),
    [
        (AdlRanking.PROFIT_LEVERAGE, "adl 10 to erin"),
        (AdlRanking.PROFIT_MARGIN_RATIO, "adl 2 to frank, adl 4 to dave, adl 4 to erin"),
        (AdlRanking.PRICE_LEVERAGE, "adl 4 to dave, adl 2 to frank, adl 4 to erin"),
    ],
)
def test_who_is_deleveraged_first_by_wallet_or_by_price(ranking: AdlRanking, legs: str) -> None:
    Table(RANKED, policy=replace(PLAIN_POLICY, adl_ranking=ranking)).play(
        (
            "mark BTC 85",
            "liquidation 1 of bob/BTC isolated equity -50, cleared 0, accepted 10, canceled 10 order.ioc_remainder, "
            f"settled 0/10 BTC sell at 90, {legs}, finished 1",
        ),
    )


def candidate(**of: int) -> Candidate:
    """Somebody of round numbers, but for what is named."""
    usual = {"quantity": 10, "profit": 100, "entry_notional": 1_000, "mark_notional": 1_100, "notional": 1_100}
    return Candidate(**{**usual, "equity": 500, "maintenance": 50, "wallet": 400, **of})


@pytest.mark.rule("LIQ-008")
def test_the_published_score_of_profit_and_margin_ratio() -> None:
    """Binance prints 9.41 times 13.42 % as 1.26."""
    group, score = profit_margin_ratio(
        candidate(profit=941 * ONE_WHOLE, wallet=100 * ONE_WHOLE, maintenance=1_342, equity=10_000)
    )
    assert (group, score) == (0, Fraction(941 * 1_342, 1_000_000))


@pytest.mark.rule("LIQ-008")
def test_a_wallet_of_less_than_one_counts_as_one_and_a_loss_as_nothing() -> None:
    half, one = candidate(wallet=ONE_WHOLE // 2), candidate(wallet=ONE_WHOLE)
    assert profit_margin_ratio(half) == profit_margin_ratio(one) == (0, Fraction(100 * 50, ONE_WHOLE * 500))
    assert profit_margin_ratio(candidate(wallet=ONE_WHOLE * 2)) == (0, Fraction(100 * 50, ONE_WHOLE * 1_000))
    assert profit_margin_ratio(candidate(profit=-100)) == (0, 0)


@pytest.mark.rule("LIQ-008")
def test_a_short_is_ranked_by_entry_over_mark() -> None:
    assert price_leverage(candidate()) == (0, Fraction(1_100, 1_000) * Fraction(1_100, 500))
    assert price_leverage(candidate(quantity=-10)) == (0, Fraction(1_000, 1_100) * Fraction(1_100, 500))


@pytest.mark.rule("LIQ-008")
@pytest.mark.parametrize("equity", [0, -1])
def test_without_equity_both_rankings_put_one_last(equity: int) -> None:
    for ranking in (profit_margin_ratio, price_leverage):
        assert ranking(candidate(equity=equity))[0] == 2
