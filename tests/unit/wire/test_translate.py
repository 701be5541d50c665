from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from exchange.domain.commands import (
    AddMargin,
    CancelAllOrders,
    CancelOrder,
    CollateralPrice,
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
    SetPositionMode,
    SetTradingState,
    Withdraw,
)
from exchange.domain.enums import (
    MarginMode,
    OrderType,
    PositionMode,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradingState,
)
from exchange.domain.instrument import CollateralAsset
from exchange.wire import parameters
from exchange.wire.assets import Assets
from exchange.wire.errors import WireError
from exchange.wire.translate import Translator, check_reference
from tests.cast import ALICE, ETH_PERP, cash
from tests.wire_kit import BTC

ASSETS = Assets([CollateralAsset(asset="BTC", decimals=8, haircut=0), CollateralAsset(asset="GOLD", decimals=0, haircut=0)])
TRANSLATOR = Translator({instrument.symbol: instrument for instrument in (BTC, ETH_PERP)}, ASSETS)


def refusal(call: Callable[[], Any]) -> WireError:
    with pytest.raises(WireError) as refused:
        call()
    return refused.value


def place(**changes: Any) -> parameters.PlaceParams:
    return parameters.PlaceParams(
        **({"symbol": "BTC-PERP", "side": "sell", "quantity": "1.5", "limit_price": "100.5"} | changes)
    )


@pytest.mark.rule("WIRE-007")
def test_decimal_strings_become_ticks_and_lots() -> None:
    command = TRANSLATOR.place(ALICE, place(client_order_id="x", post_only=True))
    assert command == PlaceOrder(
        account=ALICE,
        symbol="BTC-PERP",
        side=Side.SELL,
        quantity=1500,
        limit_price=201,
        post_only=True,
        client_order_id="x",
    )


def test_every_word_of_an_order_reaches_the_core() -> None:
    command = TRANSLATOR.place(
        ALICE,
        place(
            limit_price=None,
            order_type="market",
            time_in_force="fok",
            reduce_only=True,
            self_trade_prevention="cancel_both",
        ),
    )
    assert (command.order_type, command.time_in_force, command.limit_price) == (OrderType.MARKET, TimeInForce.FOK, None)
    assert command.reduce_only
    assert command.self_trade_prevention is SelfTradePrevention.CANCEL_BOTH


@pytest.mark.rule("WIRE-007", "BOOK-006")
@pytest.mark.parametrize(
    ("changes", "name", "field", "step"),
    [
        ({"limit_price": "100.3"}, "order.tick_size", "limit_price", "0.5, the tick size"),
        ({"limit_price": "100.25"}, "order.tick_size", "limit_price", "0.5, the tick size"),
        ({"quantity": "0.0005"}, "order.lot_size", "quantity", "0.001, the lot size"),
    ],
)
def test_a_value_off_the_grid_is_refused_and_never_rounded(changes: Any, name: str, field: str, step: str) -> None:
    error = refusal(lambda: TRANSLATOR.place(ALICE, place(**changes)))
    assert (error.name, error.field) == (name, field)
    assert step in error.message
    assert changes[field] in error.message


NO_DECIMALS = [
    "1e3",
    "NaN",
    "Infinity",
    "0x10",
    "1_000",
    " 1",
    "1 ",
    "1.",
    ".5",
    "1.2.3",
    "--1",
    "+1",
    "",
    "\u0661",
    "1\n",
    "1" * 25,
]


@pytest.mark.rule("WIRE-007")
@pytest.mark.parametrize("text", NO_DECIMALS, ids=repr)
@pytest.mark.parametrize("field", ["quantity", "limit_price"])
def test_only_plain_decimals_are_read(field: str, text: str) -> None:
    error = refusal(lambda: TRANSLATOR.place(ALICE, place(**{field: text})))
    assert (error.name, error.field) == ("request.invalid_field", field)


@pytest.mark.parametrize("text", NO_DECIMALS, ids=repr)
def test_amounts_are_plain_decimals_too(text: str) -> None:
    error = refusal(lambda: TRANSLATOR.credit(parameters.CreditParams(account=ALICE, amount=text)))
    assert (error.name, error.field) == ("request.invalid_field", "amount")


def test_amounts_are_exact_to_the_smallest_unit() -> None:
    assert TRANSLATOR.credit(parameters.CreditParams(account=ALICE, amount="1.000001")) == Credit(
        account=ALICE, amount=1_000_001
    )
    error = refusal(lambda: TRANSLATOR.credit(parameters.CreditParams(account=ALICE, amount="1.0000001")))
    assert "6 decimal places" in error.message


def test_an_unknown_symbol_is_refused_wherever_it_is_named() -> None:
    calls: list[Callable[[], Any]] = [
        lambda: TRANSLATOR.place(ALICE, place(symbol="DOGE")),
        lambda: TRANSLATOR.cancel_all(ALICE, parameters.SymbolFilterParams(symbol="DOGE")),
        lambda: TRANSLATOR.set_leverage(ALICE, parameters.SetLeverageParams(symbol="DOGE", leverage=2)),
        lambda: TRANSLATOR.set_margin_mode(ALICE, parameters.SetMarginModeParams(symbol="DOGE", margin_mode="cross")),
        lambda: TRANSLATOR.add_margin(ALICE, parameters.MarginAmountParams(symbol="DOGE", amount="1")),
        lambda: TRANSLATOR.remove_margin(ALICE, parameters.MarginAmountParams(symbol="DOGE", amount="1")),
    ]
    for call in calls:
        error = refusal(call)
        assert (error.name, error.field) == ("order.unknown_symbol", "symbol")
    assert refusal(lambda: TRANSLATOR.set_marks(parameters.SetMarkParams(marks={"DOGE": "1"}))).field == "marks"


def test_an_order_is_named_by_exactly_one_id() -> None:
    for params in (parameters.OrderReferenceParams(), parameters.OrderReferenceParams(order_id=1, client_order_id="x")):
        assert "exactly one" in refusal(lambda params=params: check_reference(params)).message  # type: ignore[misc]
    assert TRANSLATOR.cancel(ALICE, parameters.OrderReferenceParams(order_id=3)) == CancelOrder(account=ALICE, order_id=3)
    assert TRANSLATOR.cancel(ALICE, parameters.OrderReferenceParams(client_order_id="x")).client_order_id == "x"


def test_settings_and_margin_become_commands() -> None:
    assert TRANSLATOR.cancel_all(ALICE, parameters.CancelAllParams()) == CancelAllOrders(account=ALICE)
    mode = TRANSLATOR.set_margin_mode(ALICE, parameters.SetMarginModeParams(symbol="BTC-PERP", margin_mode="isolated"))
    assert mode.margin_mode is MarginMode.ISOLATED
    assert TRANSLATOR.set_leverage(ALICE, parameters.SetLeverageParams(symbol="BTC-PERP", leverage=7)).leverage == 7
    move = parameters.MarginAmountParams(symbol="BTC-PERP", amount="2.5")
    assert TRANSLATOR.add_margin(ALICE, move) == AddMargin(account=ALICE, symbol="BTC-PERP", amount=cash("2.5"))
    assert TRANSLATOR.remove_margin(ALICE, move) == RemoveMargin(account=ALICE, symbol="BTC-PERP", amount=cash("2.5"))


def test_marks_come_in_the_order_of_their_symbols_whatever_the_request_says() -> None:
    command = TRANSLATOR.set_marks(parameters.SetMarkParams(marks={"ETH-PERP": "7", "BTC-PERP": "100.5"}))
    assert command.marks == (MarkPrice("BTC-PERP", 201), MarkPrice("ETH-PERP", 7))
    error = refusal(lambda: TRANSLATOR.set_marks(parameters.SetMarkParams(marks={"BTC-PERP": "100.7"})))
    assert (error.name, error.field) == ("order.tick_size", "marks.BTC-PERP")


@pytest.mark.rule("MARG-025")
@pytest.mark.parametrize("side", PositionSide)
def test_every_setting_and_order_names_the_position_that_it_means(side: PositionSide) -> None:
    word = side.value
    order = TRANSLATOR.place(ALICE, place(position_side=word))
    mode = TRANSLATOR.set_margin_mode(
        ALICE, parameters.SetMarginModeParams(symbol="BTC-PERP", margin_mode="isolated", margin="2.5", position_side=word)
    )
    leverage = TRANSLATOR.set_leverage(ALICE, parameters.SetLeverageParams(symbol="BTC-PERP", leverage=7, position_side=word))
    move = parameters.MarginAmountParams(symbol="BTC-PERP", amount="1", position_side=word)
    replenish = TRANSLATOR.set_auto_replenish(
        ALICE, parameters.SetAutoReplenishParams(symbol="BTC-PERP", enabled=True, position_side=word)
    )
    assert order.position_side is side
    assert mode == SetMarginMode(
        account=ALICE, symbol="BTC-PERP", margin_mode=MarginMode.ISOLATED, margin=cash("2.5"), position_side=side
    )
    assert leverage == SetLeverage(account=ALICE, symbol="BTC-PERP", leverage=7, position_side=side)
    assert TRANSLATOR.add_margin(ALICE, move).position_side is side
    assert TRANSLATOR.remove_margin(ALICE, move).position_side is side
    assert replenish == SetAutoReplenish(account=ALICE, symbol="BTC-PERP", enabled=True, position_side=side)


def test_modes_and_states_become_commands() -> None:
    hedge = TRANSLATOR.set_position_mode(ALICE, parameters.SetPositionModeParams(position_mode="hedge"))
    assert hedge == SetPositionMode(account=ALICE, position_mode=PositionMode.HEDGE)
    halt = parameters.SetTradingStateParams(symbol="BTC-PERP", trading_state="halted")
    assert TRANSLATOR.set_trading_state(halt) == SetTradingState(symbol="BTC-PERP", trading_state=TradingState.HALTED)
    doge = parameters.SetTradingStateParams(symbol="DOGE", trading_state="halted")
    assert refusal(lambda: TRANSLATOR.set_trading_state(doge)).field == "symbol"


@pytest.mark.rule("MARG-026", "MARG-027", "WIRE-007")
@pytest.mark.parametrize(
    ("asset", "text", "amount"),
    [(None, "1.5", 1_500_000), ("USD", "1.5", 1_500_000), ("BTC", "1.5", 150_000_000), ("GOLD", "15", 15)],
)
def test_amounts_of_an_asset_are_in_its_own_decimals(asset: str | None, text: str, amount: int) -> None:
    named = asset or "USD"
    credit = TRANSLATOR.credit(parameters.CreditParams(account=ALICE, amount=text, asset=asset))
    assert credit == Credit(account=ALICE, amount=amount, asset=named)
    withdrawal = TRANSLATOR.withdraw(ALICE, parameters.WithdrawParams(amount=text, asset=asset))
    assert withdrawal == Withdraw(account=ALICE, amount=amount, asset=named)


@pytest.mark.parametrize(
    ("asset", "text", "name", "field"),
    [
        ("GOLD", "1.5", "request.invalid_field", "amount"),
        ("BTC", "0.000000001", "request.invalid_field", "amount"),
        ("btc", "1", "account.unknown_asset", "asset"),
    ],
)
def test_an_amount_that_an_asset_cannot_have_is_refused(asset: str, text: str, name: str, field: str) -> None:
    for call in (
        lambda: TRANSLATOR.credit(parameters.CreditParams(account=ALICE, amount=text, asset=asset)),
        lambda: TRANSLATOR.withdraw(ALICE, parameters.WithdrawParams(amount=text, asset=asset)),
    ):
        error = refusal(call)
        assert (error.name, error.field) == (name, field)


def test_index_and_collateral_prices_come_in_the_order_of_their_names() -> None:
    index = TRANSLATOR.set_index_prices(parameters.SetIndexParams(prices={"ETH-PERP": "7", "BTC-PERP": "100.5"}))
    assert index == SetIndexPrices(prices=(IndexPrice("BTC-PERP", 201), IndexPrice("ETH-PERP", 7)))
    worth = TRANSLATOR.set_collateral_prices(parameters.SetCollateralPriceParams(prices={"GOLD": "2", "BTC": "0.000001"}))
    assert worth == SetCollateralPrices(prices=(CollateralPrice("BTC", 1), CollateralPrice("GOLD", cash("2"))))
    error = refusal(lambda: TRANSLATOR.set_index_prices(parameters.SetIndexParams(prices={"BTC-PERP": "100.7"})))
    assert (error.name, error.field) == ("order.tick_size", "prices.BTC-PERP")
    error = refusal(lambda: TRANSLATOR.set_index_prices(parameters.SetIndexParams(prices={"DOGE": "1"})))
    assert (error.name, error.field) == ("order.unknown_symbol", "prices")
    for asset, text, field in (
        ("BTC", "0", "prices.BTC"),
        ("BTC", "1000000000000.000001", "prices.BTC"),
        ("BTC", "x", "prices.BTC"),
        ("DOGE", "1", "prices"),
        ("USD", "1", "prices"),
    ):
        params = parameters.SetCollateralPriceParams(prices={asset: text})
        assert refusal(lambda params=params: TRANSLATOR.set_collateral_prices(params)).field == field  # type: ignore[misc]
