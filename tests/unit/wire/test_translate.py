from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from exchange.domain.commands import AddMargin, CancelAllOrders, CancelOrder, Credit, MarkPrice, PlaceOrder, RemoveMargin
from exchange.domain.enums import MarginMode, OrderType, SelfTradePrevention, Side, TimeInForce
from exchange.wire import requests
from exchange.wire.errors import WireError
from exchange.wire.translate import Translator, check_reference
from tests.cast import ALICE, ETH_PERP, cash
from tests.wire_kit import BTC

TRANSLATOR = Translator({instrument.symbol: instrument for instrument in (BTC, ETH_PERP)})


def refusal(call: Callable[[], Any]) -> WireError:
    with pytest.raises(WireError) as refused:
        call()
    return refused.value


def place(**changes: Any) -> requests.PlaceParams:
    return requests.PlaceParams(**({"symbol": "BTC-PERP", "side": "sell", "quantity": "1.5", "limit_price": "100.5"} | changes))


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
    error = refusal(lambda: TRANSLATOR.credit(requests.CreditParams(account=ALICE, amount=text)))
    assert (error.name, error.field) == ("request.invalid_field", "amount")


def test_amounts_are_exact_to_the_smallest_unit() -> None:
    assert TRANSLATOR.credit(requests.CreditParams(account=ALICE, amount="1.000001")) == Credit(account=ALICE, amount=1_000_001)
    error = refusal(lambda: TRANSLATOR.credit(requests.CreditParams(account=ALICE, amount="1.0000001")))
    assert "6 decimal places" in error.message


def test_an_unknown_symbol_is_refused_wherever_it_is_named() -> None:
    calls: list[Callable[[], Any]] = [
        lambda: TRANSLATOR.place(ALICE, place(symbol="DOGE")),
        lambda: TRANSLATOR.cancel_all(ALICE, requests.SymbolFilterParams(symbol="DOGE")),
        lambda: TRANSLATOR.set_leverage(ALICE, requests.SetLeverageParams(symbol="DOGE", leverage=2)),
        lambda: TRANSLATOR.set_margin_mode(ALICE, requests.SetMarginModeParams(symbol="DOGE", margin_mode="cross")),
        lambda: TRANSLATOR.add_margin(ALICE, requests.MarginAmountParams(symbol="DOGE", amount="1")),
        lambda: TRANSLATOR.remove_margin(ALICE, requests.MarginAmountParams(symbol="DOGE", amount="1")),
    ]
    for call in calls:
        error = refusal(call)
        assert (error.name, error.field) == ("order.unknown_symbol", "symbol")
    assert refusal(lambda: TRANSLATOR.set_marks(requests.SetMarkParams(marks={"DOGE": "1"}))).field == "marks"


def test_an_order_is_named_by_exactly_one_id() -> None:
    for params in (requests.OrderReferenceParams(), requests.OrderReferenceParams(order_id=1, client_order_id="x")):
        assert "exactly one" in refusal(lambda params=params: check_reference(params)).message  # type: ignore[misc]
    assert TRANSLATOR.cancel(ALICE, requests.OrderReferenceParams(order_id=3)) == CancelOrder(account=ALICE, order_id=3)
    assert TRANSLATOR.cancel(ALICE, requests.OrderReferenceParams(client_order_id="x")).client_order_id == "x"


def test_settings_and_margin_become_commands() -> None:
    assert TRANSLATOR.cancel_all(ALICE, requests.SymbolFilterParams()) == CancelAllOrders(account=ALICE, symbol=None)
    mode = TRANSLATOR.set_margin_mode(ALICE, requests.SetMarginModeParams(symbol="BTC-PERP", margin_mode="isolated"))
    assert mode.margin_mode is MarginMode.ISOLATED
    assert TRANSLATOR.set_leverage(ALICE, requests.SetLeverageParams(symbol="BTC-PERP", leverage=7)).leverage == 7
    move = requests.MarginAmountParams(symbol="BTC-PERP", amount="2.5")
    assert TRANSLATOR.add_margin(ALICE, move) == AddMargin(account=ALICE, symbol="BTC-PERP", amount=cash("2.5"))
    assert TRANSLATOR.remove_margin(ALICE, move) == RemoveMargin(account=ALICE, symbol="BTC-PERP", amount=cash("2.5"))


def test_marks_come_in_the_order_of_their_symbols_whatever_the_request_says() -> None:
    command = TRANSLATOR.set_marks(requests.SetMarkParams(marks={"ETH-PERP": "7", "BTC-PERP": "100.5"}))
    assert command.marks == (MarkPrice("BTC-PERP", 201), MarkPrice("ETH-PERP", 7))
    error = refusal(lambda: TRANSLATOR.set_marks(requests.SetMarkParams(marks={"BTC-PERP": "100.7"})))
    assert (error.name, error.field) == ("order.tick_size", "marks.BTC-PERP")
