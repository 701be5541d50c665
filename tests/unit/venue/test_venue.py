"""The front of the corridor: time, queries, and that a refused command leaves no trace."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.commands import (
    AddMargin,
    AdvanceTime,
    AnyCommand,
    CancelAllOrders,
    CancelOrder,
    CollateralPrice,
    ContinueLiquidations,
    CreateAccount,
    Credit,
    IndexPrice,
    MarkPrice,
    PlaceOrder,
    RemoveMargin,
    SetAutoReplenish,
    SetCollateralPrices,
    SetIndexPrices,
    SetLeverage,
    SetMarginMode,
    SetMarkPrices,
    SetPositionMode,
    SetTradingState,
    Withdraw,
)
from exchange.domain.enums import MarginMode, PositionMode, PositionSide, Side, TimeInForce, TradingState
from exchange.domain.events import CommandRejected, OrderRejected, TimeAdvanced
from exchange.domain.policy import RiskPolicy
from exchange.domain.views import DepthLevel, PositionView
from exchange.venue.venue import Venue
from tests.cast import ALICE, BOB, BTC_PERP, CAST, COIN, ETH_PERP, T0, cash
from tests.scenarios.table import Table

STAGE = (
    "alice deposits 1000; bob deposits 1000; mark BTC 100; alice sets BTC isolated; alice buys 10 BTC at 100;"
    "bob sells 10 BTC at 100; bob sells 3 BTC at 120 as:mine; bob buys 2 BTC at 80"
)


def venue() -> Venue:
    return Table(STAGE).venue


def test_time_may_stand_still_but_never_goes_back() -> None:
    stage = venue()
    before, sequence, now_ns = stage.digest(), stage.sequence, stage.now_ns
    with pytest.raises(ValueError, match=f"time went back from {now_ns} to {now_ns - 1}"):
        stage.apply(AdvanceTime(), now_ns=now_ns - 1)
    assert (stage.digest(), stage.sequence, stage.now_ns) == (before, sequence, now_ns)
    assert stage.apply(AdvanceTime(), now_ns=now_ns) == (TimeAdvanced(time_ns=now_ns),)
    assert stage.sequence == sequence + 1


def test_each_symbol_is_configured_once_and_soundly() -> None:
    with pytest.raises(ValueError, match="each symbol may be configured once only"):
        Venue([BTC_PERP, ETH_PERP, BTC_PERP])
    with pytest.raises(ValueError, match="price_band must be above 0 and below 1"):
        Venue([replace(BTC_PERP, price_band=0)])
    with pytest.raises(ValueError, match="each collateral asset may be configured once only"):
        Venue([BTC_PERP], collateral=(COIN, COIN))
    with pytest.raises(ValueError, match="haircut must be from 0 to below 1"):
        Venue([BTC_PERP], collateral=(replace(COIN, haircut=1_000_000),))
    with pytest.raises(ValueError, match="liquidation_target must be at least 1"):
        Venue([BTC_PERP], policy=RiskPolicy(liquidation_target=999_999))
    assert list(Venue([ETH_PERP, BTC_PERP]).instruments) == ["ETH-PERP", "BTC-PERP"]


REFUSED: list[AnyCommand] = [
    CreateAccount(account=ALICE),
    CreateAccount(account="a b"),
    Credit(account=ALICE, amount=0),
    Credit(account="nobody", amount=1),
    PlaceOrder(account="nobody", symbol="BTC-PERP", side=Side.BUY, quantity=1, limit_price=100),
    PlaceOrder(account=ALICE, symbol="XRP-PERP", side=Side.BUY, quantity=1, limit_price=100),
    PlaceOrder(account=ALICE, symbol="ETH-PERP", side=Side.BUY, quantity=1, limit_price=100),
    PlaceOrder(account=ALICE, symbol="BTC-PERP", side=Side.BUY, quantity=0, limit_price=100),
    PlaceOrder(account=ALICE, symbol="BTC-PERP", side=Side.BUY, quantity=90, limit_price=140),
    PlaceOrder(account=ALICE, symbol="BTC-PERP", side=Side.BUY, quantity=4, limit_price=120, time_in_force=TimeInForce.FOK),
    PlaceOrder(account=ALICE, symbol="BTC-PERP", side=Side.BUY, quantity=4, limit_price=120, post_only=True),
    PlaceOrder(account="carol", symbol="BTC-PERP", side=Side.BUY, quantity=1, limit_price=100, client_order_id="c"),
    PlaceOrder(account=BOB, symbol="BTC-PERP", side=Side.SELL, quantity=9, limit_price=120, client_order_id="mine"),
    PlaceOrder(account=BOB, symbol="BTC-PERP", side=Side.SELL, quantity=3, limit_price=120, client_order_id="mine"),
    CancelOrder(account=ALICE, order_id=3),
    CancelOrder(account=ALICE),
    CancelAllOrders(account="nobody"),
    CancelAllOrders(account=ALICE),
    SetMarginMode(account=ALICE, symbol="BTC-PERP", margin_mode=MarginMode.CROSS, position_side=PositionSide.LONG),
    SetMarginMode(account=BOB, symbol="BTC-PERP", margin_mode=MarginMode.ISOLATED, margin=cash("1000.000001")),
    SetPositionMode(account=ALICE, position_mode=PositionMode.HEDGE),
    SetLeverage(account=ALICE, symbol="BTC-PERP", leverage=0),
    SetAutoReplenish(account=ALICE, symbol="XRP-PERP", enabled=True),
    Withdraw(account=ALICE, amount=cash("900.000001")),
    Withdraw(account=ALICE, amount=1, asset="COIN"),
    Credit(account=ALICE, amount=1, asset="COIN"),
    SetLeverage(account="carol", symbol="ETH-PERP", leverage=11),
    AddMargin(account=ALICE, symbol="BTC-PERP", amount=cash("901")),
    RemoveMargin(account=ALICE, symbol="BTC-PERP", amount=1),
    SetMarkPrices(marks=(MarkPrice("BTC-PERP", 50), MarkPrice("ETH-PERP", 0))),
    SetMarkPrices(marks=()),
    SetMarkPrices(marks=(MarkPrice("BTC-PERP", 50), MarkPrice("BTC-PERP", 51))),
    SetIndexPrices(prices=(IndexPrice("BTC-PERP", 0),)),
    SetCollateralPrices(prices=(CollateralPrice("COIN", 1),)),
    SetTradingState(symbol="XRP-PERP", trading_state=TradingState.HALTED),
    ContinueLiquidations(),
]


@pytest.mark.rule("CONS-006")
@pytest.mark.parametrize("command", REFUSED, ids=lambda command: type(command).__name__)
def test_a_refused_command_changes_nothing_but_sequence_and_time(command: AnyCommand) -> None:
    told, idle = venue(), venue()
    for event in told.apply(command, now_ns=T0 * 2):
        assert isinstance(event, CommandRejected | OrderRejected) or type(event).__name__ == "OrderRepeated"
    idle.apply(AdvanceTime(), now_ns=T0 * 2)
    assert told.digest() == idle.digest()


@pytest.mark.rule("CONS-006")
def test_looking_changes_nothing() -> None:
    stage = venue()
    before = stage.digest()
    for account in stage.accounts():
        stage.account(account)
        stage.positions(account)
        stage.open_orders(account)
        stage.scopes(account)
        for symbol in stage.instruments:
            for side in PositionSide:
                stage.position(account, symbol, side)
    for symbol in stage.instruments:
        stage.funding(symbol)
        stage.trading_state(symbol)
        stage.index_price(symbol)
    stage.funds()
    stage.depth("BTC-PERP", 5)
    assert stage.digest() == before
    assert [view.symbol for view in stage.positions("carol")] == []


def test_queries_answer_what_lies_between_two_commands() -> None:
    stage = venue()
    assert stage.accounts() == tuple(sorted(CAST))
    assert stage.has_account(ALICE)
    assert not stage.has_account("nobody")
    assert stage.mark_price("BTC-PERP") == 100
    assert stage.mark_price("ETH-PERP") is None
    assert stage.mark_price("XRP-PERP") is None
    assert [order.order_id for order in stage.open_orders(BOB)] == [3, 4]
    assert [order.order_id for order in stage.open_orders(BOB, "ETH-PERP")] == []
    assert stage.depth("BTC-PERP", 1) == ((DepthLevel(Side.BUY, 80, 2),), (DepthLevel(Side.SELL, 120, 3),))
    assert stage.imbalance() == 0
    assert stage.funds().net_deposits == cash("2000")
    assert [view.symbol for view in stage.positions(ALICE)] == ["BTC-PERP"]
    assert not stage.has_unfinished_liquidations
    assert stage.next_due_ns is None
    assert stage.index_price("BTC-PERP") is None
    assert stage.trading_state("BTC-PERP") is TradingState.OPEN
    assert [(scope.path, scope.symbol) for scope in stage.scopes(ALICE)] == [(MarginMode.ISOLATED, "BTC-PERP")]
    assert [(scope.path, scope.symbol) for scope in stage.scopes(BOB)] == [(MarginMode.CROSS, None)]
    assert stage.scopes("carol") == ()


def test_a_flat_position_shows_its_settings_and_no_prices() -> None:
    assert venue().position(ALICE, "ETH-PERP") == PositionView(
        account=ALICE,
        symbol="ETH-PERP",
        quantity=0,
        entry_cost=0,
        mark_price=None,
        unrealized_pnl=0,
        margin_mode=MarginMode.CROSS,
        leverage=10,
        isolated_wallet=0,
        initial_margin=0,
        maintenance_margin=0,
        order_margin=0,
        scope_equity=cash("900"),
        margin_ratio=None,
        bankrupt=False,
        liquidation_price=None,
        bankruptcy_price=None,
        liquidating=False,
        position_side=PositionSide.NET,
        notional=0,
        effective_leverage=None,
        auto_replenish=False,
    )


@pytest.mark.rule("MARG-009")
def test_an_order_refused_before_it_became_a_command_can_be_shown_what_is_available() -> None:
    decision = venue().standing_decision(ALICE, "BTC-PERP")
    assert (decision.path, decision.required, decision.liquidation_price) == (MarginMode.ISOLATED, 0, 95)
    assert decision.available_before == decision.available_after == cash("900")


def test_unknown_names_are_key_errors_of_the_queries() -> None:
    stage = venue()
    for query in (
        lambda: stage.account("nobody"),
        lambda: stage.positions("nobody"),
        lambda: stage.position(ALICE, "XRP-PERP"),
        lambda: stage.open_orders("nobody"),
        lambda: stage.depth("XRP-PERP", 1),
    ):
        with pytest.raises(KeyError):
            query()
