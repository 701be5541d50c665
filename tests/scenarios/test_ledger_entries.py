"""Every movement of money has its entries, and they say why. That they add up is a law of every table."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.events import LedgerPosted
from exchange.domain.instrument import FundingTerms
from exchange.domain.policy import BadDebtPolicy
from tests.cast import BTC_WITH_FEES, BTC_WITH_REBATE, COIN, ETH_PERP, PLAIN_POLICY
from tests.scenarios.sentences import in_asset
from tests.scenarios.spoken_commands import time_after, understand
from tests.scenarios.table import Table

RICH = "alice deposits 10000; carol deposits 10000; fund deposits 1000; mark BTC 100 ETH 100;"


def posted(table: Table, sentence: str) -> list[str]:
    """Return the entries that a command brings, in order: wallet, kind, amount, balance."""
    command = understand(sentence)
    assert command is not None
    events = table._apply(command, time_after(sentence, table.now_ns))
    lists = [event.entries for event in events if isinstance(event, LedgerPosted)]
    assert len(lists) <= 1
    assert not lists or isinstance(events[-1], LedgerPosted), "the entries come last"
    told = []
    for entry in lists[0] if lists else ():
        owner = entry.account.removeprefix("insurance_")
        wallet = owner if entry.position_id is None else f"{owner}/{entry.position_id}"
        amount, balance = in_asset(entry.amount, entry.asset), in_asset(entry.balance, entry.asset)
        asset = "" if entry.asset == "USD" else f" {entry.asset}"
        told.append(f"{wallet} {entry.kind.value} {amount}{asset} = {balance}")
    return told


@pytest.mark.rule("MARG-028")
def test_money_that_comes_and_goes() -> None:
    table = Table("bob deposits 5", collateral=(COIN,))
    assert posted(table, "bob deposits 1.5") == ["bob deposit 1.5 = 6.5"]
    assert posted(table, "bob withdraws 2") == ["bob withdrawal -2 = 4.5"]
    assert posted(table, "fund deposits 7") == ["fund deposit 7 = 7"]
    assert posted(table, "bob deposits 0.5 of COIN") == ["bob deposit 0.5 COIN = 0.5"]
    assert posted(table, "bob withdraws 0.1 of COIN") == ["bob withdrawal -0.1 COIN = 0.4"]


@pytest.mark.rule("MARG-028")
def test_what_moves_no_money_posts_nothing() -> None:
    table = Table(RICH + "bob deposits 10")
    for sentence in ("bob withdraws 11", "bob sets BTC leverage 5", "carol buys 1 BTC at 99", "mark BTC 101", "wait"):
        assert posted(table, sentence) == []
    assert posted(table, "alice sells 1 BTC at 99") == [], "a trade without fees is no money yet"


@pytest.mark.rule("MARG-028", "MARG-017")
def test_a_trade_posts_its_margins_profits_and_fees() -> None:
    """Alice opens isolated as the maker, then closes as the taker at a profit of 50."""
    table = Table(RICH + "alice sets BTC isolated; alice buys 10 BTC at 100", instruments=(BTC_WITH_FEES, ETH_PERP))
    assert posted(table, "carol sells 10 BTC at 100") == [
        "carol fee -10 = 9990",
        "fees fee 10 = 10",
        "alice margin -101 = 9899",
        "alice/BTC-PERP margin 101 = 101",
        "alice/BTC-PERP fee -1 = 100",
        "fees fee 1 = 11",
    ]
    assert posted(table, "carol buys 10 BTC at 105") == []
    assert posted(table, "alice sells 10 BTC at 105") == [
        "alice/BTC-PERP realized_pnl 50 = 150",
        "alice/BTC-PERP fee -10.5 = 139.5",
        "fees fee 10.5 = 21.5",
        "alice/BTC-PERP margin -139.5 = 0",
        "alice margin 139.5 = 10038.5",
        "carol realized_pnl -50 = 9940",
        "carol fee -1.05 = 9938.95",
        "fees fee 1.05 = 22.55",
    ]


@pytest.mark.rule("MARG-028", "MARG-017")
def test_a_rebate_is_a_fee_that_comes_back() -> None:
    table = Table(RICH + "alice buys 10 BTC at 100", instruments=(BTC_WITH_REBATE, ETH_PERP))
    assert posted(table, "carol sells 10 BTC at 100") == [
        "carol fee -10 = 9990",
        "fees fee 10 = 10",
        "alice fee 1 = 10001",
        "fees fee -1 = 9",
    ]


@pytest.mark.rule("MARG-028", "MARG-021", "MARG-022", "MARG-016")
def test_margin_that_an_owner_moves() -> None:
    table = Table(RICH + "bob deposits 1000; bob buys 10 BTC at 100; alice sells 10 BTC at 100")
    assert posted(table, "bob sets BTC isolated") == ["bob margin -100 = 900", "bob/BTC-PERP margin 100 = 100"]
    assert posted(table, "bob adds 5 to BTC") == ["bob margin -5 = 895", "bob/BTC-PERP margin 5 = 105"]
    assert posted(table, "bob removes 5 from BTC") == ["bob margin 5 = 900", "bob/BTC-PERP margin -5 = 100"]
    assert posted(table, "bob sets BTC leverage 5") == ["bob margin -100 = 800", "bob/BTC-PERP margin 100 = 200"]
    assert posted(table, "bob sets BTC cross") == ["bob margin 200 = 1000", "bob/BTC-PERP margin -200 = 0"]


@pytest.mark.rule("MARG-028", "FUND-003")
def test_funding_goes_through_the_fund_which_keeps_what_rounding_leaves() -> None:
    """A rate of 0.3 % on 1000: 3 from the long's own wallet to the short's, and nothing is left of it."""
    terms = FundingTerms(interval=8 * 3_600 * 10**9, interest=3 * 10**6, clamp=3 * 10**6, cap=10**7, impact_notional=1)
    paying = replace(ETH_PERP, symbol="BTC-PERP", funding=terms)
    stage = "alice deposits 1000; bob deposits 1000; bob sets BTC isolated; mark BTC 100; bob buys 10 BTC at 100;"
    table = Table(stage + "alice sells 10 BTC at 100", instruments=(paying,))
    assert posted(table, "wait until 8h") == [
        "fund funding -3 = -3",
        "alice funding 3 = 1003",
        "fund funding 3 = 0",
        "bob/BTC-PERP funding -3 = 97",
    ]


LONG_10 = RICH + "bob deposits 1000; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"


@pytest.mark.rule("MARG-028", "LIQ-006", "LIQ-010")
def test_a_liquidation_through_the_book() -> None:
    table = Table(
        LONG_10 + "carol buys 10 BTC at 92",
        instruments=(replace(ETH_PERP, symbol="BTC-PERP", liquidation_fee=10_000), ETH_PERP),
    )
    assert posted(table, "mark BTC 94") == [
        "bob/BTC-PERP realized_pnl -80 = 20",
        "bob/BTC-PERP liquidation_fee -9.2 = 10.8",
        "fund liquidation_fee 9.2 = 1009.2",
        "bob margin 10.8 = 910.8",
        "bob/BTC-PERP margin -10.8 = 0",
    ]


@pytest.mark.rule("MARG-028", "LIQ-007")
def test_a_takeover_and_the_slice_that_the_fund_sells() -> None:
    policy = replace(PLAIN_POLICY, fund_unwind_fraction=500_000, fund_unwind_book_share=1_000_000)
    table = Table(LONG_10, policy=policy)
    assert posted(table, "mark BTC 94") == ["bob/BTC-PERP realized_pnl -100 = 0"]
    posted(table, "carol buys 10 BTC at 94")
    assert posted(table, "mark BTC 94") == ["fund realized_pnl 20 = 1020"]


@pytest.mark.rule("MARG-028", "LIQ-009")
def test_a_loss_that_the_fund_and_the_winners_pay() -> None:
    stage = "bob deposits 1000; carol deposits 10000; dave deposits 1000; erin deposits 10000; frank deposits 10000;"
    stage += "mark BTC 100 ETH 100; bob sets BTC isolated; dave sells 35 BTC at 100; bob buys 10 BTC at 100;"
    stage += (
        "carol buys 25 BTC at 100; mark BTC 95; dave buys 30 ETH at 100; erin sells 30 ETH at 100; frank buys 25 BTC at 48;"
    )
    stage += "carol sells 25 BTC at 48; fund deposits 30"
    table = Table(stage, policy=replace(PLAIN_POLICY, bad_debt=BadDebtPolicy.SOCIALIZE))
    assert posted(table, "mark BTC 60 ETH 28") == [
        "dave socialized_loss -120 = 880",
        "bob/BTC-PERP socialized_loss 120 = 220",
        "frank socialized_loss -150 = 9850",
        "bob/BTC-PERP socialized_loss 150 = 370",
        "fund insurance -30 = 0",
        "bob/BTC-PERP insurance 30 = 400",
        "bob/BTC-PERP realized_pnl -400 = 0",
        "dave realized_pnl 400 = 1280",
    ]


@pytest.mark.rule("MARG-028", "MARG-026")
def test_collateral_that_is_sold_posts_both_assets_on_both_sides() -> None:
    stage = RICH + "bob deposits 3 of COIN; bob buys 10 BTC at 100; alice sells 10 BTC at 100; alice buys 10 BTC at 90"
    table = Table(stage, collateral=(COIN,))
    assert posted(table, "bob sells 10 BTC at 90") == [
        "bob realized_pnl -100 = -100",
        "alice realized_pnl 100 = 10100",
        "bob collateral_sale -1.25 COIN = 1.75",
        "fund collateral_sale 1.25 COIN = 1.25",
        "fund collateral_sale -100 = 900",
        "bob collateral_sale 100 = 0",
    ]
