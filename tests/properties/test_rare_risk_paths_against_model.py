"""What policies, hedges and collateral bring about, walked on purpose by the venue and the naive model together.

Every step is compared in full (`agreement.Pair`); the asserts here only say that the path was really taken.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from exchange.domain.commands import (
    AddMargin,
    CollateralPrice,
    Credit,
    SetAutoReplenish,
    SetCollateralPrices,
    SetMarginMode,
    SetTradingState,
)
from exchange.domain.enums import MarginMode, PositionSide, TradingState
from exchange.domain.events import (
    CloseOutVenue,
    CollateralSold,
    LiquidationFinished,
    LiquidationWaiting,
    LossSocialized,
    MarginMoved,
    TradeExecuted,
    TradingStateSet,
)
from exchange.domain.ids import INSURANCE_FUND
from exchange.domain.policy import BadDebtPolicy, LiquidationSizing, UnfilledPolicy
from exchange.domain.views import LiquidationRecord
from tests.properties.comparisons import Events
from tests.properties.market import COLLATERAL, PLAIN, Setting
from tests.properties.stage import ANT, CAT, Stage, started, transfers


def stage_with(**choices: Any) -> Stage:
    """A stage whose policy is the plain one but for these choices."""
    return Stage(Setting(policy=replace(PLAIN, **choices)))


def records(events: Events) -> list[LiquidationRecord]:
    return [event.record for event in events if isinstance(event, LiquidationFinished)]


def crash_that_only_winners_can_pay_for(bad_debt: BadDebtPolicy, fund: int = 0) -> tuple[Stage, Events]:
    """Sam, cross, loses all in CAT; who is opposite him in ANT is under water, and Pat and Pam have won there."""
    stage = stage_with(bad_debt=bad_debt)
    stage.account("sam", 2_000)
    for name in ("pat", "pam", "zoe"):
        stage.account(name, 9_000)
    for name, lots in (("liz", 10), ("lou", 3), ("lee", 4)):
        stage.account(name, 1_500, isolated=ANT)
        stage.trade(name, {"liz": "sam", "lou": "pat", "lee": "pam"}[name], ANT, lots, 100)
    stage.trade("sam", "zoe", CAT, 8, 1_000)
    if fund:
        stage.apply(Credit(account=INSURANCE_FUND, amount=fund))
    return stage, stage.marks(ANT=70, CAT=100)


@pytest.mark.rule("LIQ-009", "LIQ-016")
def test_what_the_fund_does_not_have_is_shared_by_those_who_won_in_the_symbol() -> None:
    _, events = crash_that_only_winners_can_pay_for(BadDebtPolicy.SOCIALIZE, fund=300)
    shares = [(event.account, event.amount) for event in events if isinstance(event, LossSocialized)]
    assert {name for name, _ in shares} >= {"pat", "pam"}
    assert any(record.socialized > 0 for record in records(events))


@pytest.mark.rule("LIQ-009", "BOOK-017")
def test_where_nobody_pays_the_symbol_is_halted_and_opens_again_when_the_fund_has_money() -> None:
    stage, events = crash_that_only_winners_can_pay_for(BadDebtPolicy.HALT)
    halted = [event.symbol for event in events if isinstance(event, TradingStateSet)]
    assert ANT in halted
    again = stage.apply(SetTradingState(symbol=ANT, trading_state=TradingState.OPEN))
    assert [e.trading_state for e in again if isinstance(e, TradingStateSet)] == [TradingState.OPEN, TradingState.HALTED]
    stage.apply(Credit(account=INSURANCE_FUND, amount=100_000))
    for symbol in (ANT, CAT):
        stage.apply(SetTradingState(symbol=symbol, trading_state=TradingState.OPEN))
    assert not any(account.flagged for account in stage.pair.model.accounts.values())


@pytest.mark.rule("MARG-025", "LIQ-009")
def test_the_two_winning_legs_of_a_hedge_share_one_equity_when_a_loss_is_shared_out() -> None:
    stage = stage_with(bad_debt=BadDebtPolicy.SOCIALIZE)
    stage.account("sam", 2_000)
    for name in ("pat", "zoe"):
        stage.account(name, 9_000)
    stage.hedge("hal", 700)
    stage.hedged_trade("hal", "pat", PositionSide.LONG, 4, 90)
    stage.marks(ANT=110)
    stage.hedged_trade("hal", "pat", PositionSide.SHORT, 4, 120)
    stage.hedged_trade("hal", "pat", PositionSide.LONG, 1, 1_000, CAT)
    stage.marks(ANT=130)
    stage.account("liz", 1_500, isolated=ANT)
    stage.trade("liz", "sam", ANT, 8, 130)
    stage.trade("sam", "zoe", CAT, 8, 1_000)
    events = stage.marks(ANT=105, CAT=100)
    paid = [(e.position_side, e.amount) for e in events if isinstance(e, LossSocialized) and e.account == "hal"]
    assert sorted(side.value for side, _ in paid[:2]) == ["long", "short"]


@pytest.mark.rule("LIQ-013")
def test_a_waiting_liquidation_is_tried_with_each_change_of_its_book_and_then_handed_over() -> None:
    stage = stage_with(unfilled=UnfilledPolicy.WAIT, liquidation_retries_max=2)
    stage.account("ann", 1_250)
    stage.account("pat", 9_000)
    stage.trade("ann", "pat", ANT, 12, 100)
    waits = [event for event in stage.marks(ANT=86) if isinstance(event, LiquidationWaiting)]
    assert [event.retries_left for event in waits] == [1]
    assert [e.retries_left for e in stage.order("pat", ANT, 2, 80) if isinstance(e, LiquidationWaiting)] == [0]
    assert transfers(stage.order("pat", ANT, 2, 81)) == [("ann", CloseOutVenue.AUTO_DELEVERAGE, "pat", 12)]


@pytest.mark.rule("LIQ-013")
def test_money_ends_the_waiting() -> None:
    stage = stage_with(unfilled=UnfilledPolicy.WAIT)
    stage.account("ann", 1_250)
    stage.account("pat", 9_000)
    stage.trade("ann", "pat", ANT, 12, 100)
    stage.marks(ANT=86)
    ended = records(stage.apply(Credit(account="ann", amount=2_000)))
    assert [record.after.notional for record in ended] == [12 * 86 * 7]


@pytest.mark.rule("LIQ-014")
def test_the_fund_pays_for_fills_beyond_bankruptcy_as_far_as_slippage_goes() -> None:
    stage = stage_with(fund_covers=True, liquidation_slippage=100_000)
    stage.account("ann", 1_250)
    stage.account("pat", 9_000)
    stage.trade("ann", "pat", ANT, 12, 100)
    stage.apply(Credit(account=INSURANCE_FUND, amount=500))
    for price in (84, 83):
        stage.order("pat", ANT, 4, price)
    events = stage.marks(ANT=86)
    fees = [event.taker.fee for event in events if isinstance(event, TradeExecuted)]
    assert any(fee < 0 for fee in fees)
    assert records(events)[0].fund_paid > 0


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize("sizing", [LiquidationSizing.TARGET, LiquidationSizing.TIER_STEP, LiquidationSizing.FRACTION])
def test_a_partial_close_cures_a_scope_and_leaves_the_rest(sizing: LiquidationSizing) -> None:
    stage = stage_with(liquidation_sizing=sizing, liquidation_slippage=5_000)
    stage.account("ann", 2_230)
    stage.account("pat", 60_000)
    stage.trade("ann", "pat", ANT, 24, 100)
    stage.order("pat", ANT, 24, 89)
    events = stage.marks(ANT=89)
    ended = records(events)
    assert [record.account for record in ended] == ["ann"]
    assert 0 < ended[0].book_quantity[ANT] < 24


@pytest.mark.rule("MARG-024", "LIQ-003")
def test_a_position_is_topped_up_before_it_would_be_closed() -> None:
    stage = stage_with()
    stage.account("ann", 3_000, isolated=ANT)
    stage.account("pat", 9_000)
    stage.trade("ann", "pat", ANT, 12, 100)
    stage.apply(SetAutoReplenish(account="ann", symbol=ANT, enabled=True))
    events = stage.marks(ANT=89)
    assert [event.is_automatic for event in events if isinstance(event, MarginMoved)] == [True]
    assert [record.rounds for record in records(events)] == [0]


@pytest.mark.rule("MARG-026", "LIQ-009", "CONS-007")
def test_a_flat_debt_sells_assets_in_their_order_and_what_stays_is_bad_debt() -> None:
    stage = Stage(Setting(policy=PLAIN, collateral=COLLATERAL))
    for name, amount in (("ann", 900), ("pat", 9_000)):
        stage.account(name, amount)
    stage.apply(Credit(account="ann", amount=30, asset="ORE"))
    stage.apply(Credit(account="ann", amount=500, asset="GEM"))
    stage.trade("ann", "pat", ANT, 8, 100)
    stage.order("pat", ANT, 8, 82)
    stage.apply(SetCollateralPrices(prices=(CollateralPrice("ORE", 300),)))
    events = stage.marks(ANT=70)
    assert [event.asset for event in events if isinstance(event, CollateralSold)] == ["ORE", "GEM"]


@pytest.mark.rule("MARG-025", "LIQ-008")
def test_the_other_leg_of_a_liquidated_hedge_is_a_counterparty_like_any_other() -> None:
    stage = stage_with()
    stage.account("pat", 9_000)
    stage.hedge("hal", 1_800, isolated=PositionSide.LONG)
    stage.hedged_trade("hal", "pat", PositionSide.LONG, 8, 100)
    stage.hedged_trade("hal", "pat", PositionSide.SHORT, 8, 100)
    events = stage.marks(ANT=80, BEE=41)
    assert started(events) == ["hal"]
    assert [name for name, *_ in transfers(events)] == ["hal"]


@pytest.mark.rule("MARG-021")
def test_a_position_may_join_a_cross_pool_that_is_short_of_margin_when_that_makes_it_no_worse() -> None:
    stage = stage_with()
    for name, amount in (("ann", 1_700), ("pat", 60_000)):
        stage.account(name, amount, isolated=ANT)
    stage.trade("ann", "pat", ANT, 4, 100)
    stage.trade("ann", "pat", CAT, 8, 1_000)
    stage.apply(AddMargin(account="ann", symbol=ANT, amount=300))
    stage.marks(CAT=950)
    view = stage.pair.venue.account("ann")
    assert view.maintenance_margin < view.equity < view.initial_margin
    stage.apply(SetMarginMode(account="ann", symbol=ANT, margin_mode=MarginMode.CROSS))
    assert stage.pair.venue.position("ann", ANT).margin_mode is MarginMode.CROSS
    view = stage.pair.venue.account("ann")
    assert view.equity < view.initial_margin
