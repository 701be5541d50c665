"""From request parameters to the core's commands: decimal strings become whole numbers, or an error names the field."""

from __future__ import annotations

from collections.abc import Mapping

from exchange.domain.commands import (
    AddMargin,
    CancelAllOrders,
    CancelOrder,
    Credit,
    MarkPrice,
    PlaceOrder,
    RemoveMargin,
    SetLeverage,
    SetMarginMode,
    SetMarkPrices,
)
from exchange.domain.enums import MarginMode, OrderType, SelfTradePrevention, Side, TimeInForce
from exchange.domain.ids import AccountId, Symbol
from exchange.domain.instrument import Instrument
from exchange.domain.rejects import Reason
from exchange.domain.units import Cash, Grid, parse_cash
from exchange.wire import requests
from exchange.wire.errors import Fault, WireError, fault
from exchange.wire.reasons import REASONS, rejection


class Translator:
    """Turns the parameters of one request into one command on the venue's instruments.

    The account always comes from the session, never from a message, but for ``admin.*``.
    """

    def __init__(self, instruments: Mapping[Symbol, Instrument]) -> None:
        self._instruments = instruments

    def instrument(self, symbol: str, field: str = "symbol") -> Instrument:
        """Return the instrument of that name; ``WireError`` when the venue does not trade it."""
        instrument = self._instruments.get(symbol)
        if instrument is None:
            error = rejection(Reason.UNKNOWN_SYMBOL)
            error.field = field
            raise error
        return instrument

    def optional_symbol(self, symbol: str | None) -> Symbol | None:
        """Return the symbol after checking that the venue trades it; None stands for all."""
        return None if symbol is None else self.instrument(symbol).symbol

    def place(self, account: AccountId, params: requests.PlaceParams) -> PlaceOrder:
        """Return the command that enters an order."""
        instrument = self.instrument(params.symbol)
        price = params.limit_price
        return PlaceOrder(
            account=account,
            symbol=instrument.symbol,
            side=Side(params.side),
            quantity=_on_grid(instrument.quantity_grid, params.quantity, "quantity", "lot", Reason.LOT_SIZE),
            order_type=OrderType(params.order_type),
            limit_price=None
            if price is None
            else _on_grid(instrument.price_grid, price, "limit_price", "tick", Reason.TICK_SIZE),
            time_in_force=TimeInForce(params.time_in_force),
            post_only=params.post_only,
            reduce_only=params.reduce_only,
            self_trade_prevention=SelfTradePrevention(params.self_trade_prevention),
            client_order_id=params.client_order_id,
        )

    def cancel(self, account: AccountId, params: requests.OrderReferenceParams) -> CancelOrder:
        """Return the command that cancels one order."""
        check_reference(params)
        return CancelOrder(account=account, order_id=params.order_id, client_order_id=params.client_order_id)

    def cancel_all(self, account: AccountId, params: requests.SymbolFilterParams) -> CancelAllOrders:
        """Return the command that cancels every order."""
        return CancelAllOrders(account=account, symbol=self.optional_symbol(params.symbol))

    def set_margin_mode(self, account: AccountId, params: requests.SetMarginModeParams) -> SetMarginMode:
        """Return the command that chooses cross or isolated."""
        symbol = self.instrument(params.symbol).symbol
        return SetMarginMode(account=account, symbol=symbol, margin_mode=MarginMode(params.margin_mode))

    def set_leverage(self, account: AccountId, params: requests.SetLeverageParams) -> SetLeverage:
        """Return the command that chooses the leverage."""
        return SetLeverage(account=account, symbol=self.instrument(params.symbol).symbol, leverage=params.leverage)

    def add_margin(self, account: AccountId, params: requests.MarginAmountParams) -> AddMargin:
        """Return the command that moves money into an isolated position."""
        symbol = self.instrument(params.symbol).symbol
        return AddMargin(account=account, symbol=symbol, amount=_cash(params.amount, "amount"))

    def remove_margin(self, account: AccountId, params: requests.MarginAmountParams) -> RemoveMargin:
        """Return the command that moves money out of an isolated position."""
        symbol = self.instrument(params.symbol).symbol
        return RemoveMargin(account=account, symbol=symbol, amount=_cash(params.amount, "amount"))

    def set_marks(self, params: requests.SetMarkParams) -> SetMarkPrices:
        """Return the command that replaces marks, in the order of the symbols' names."""
        marks = []
        for symbol, text in sorted(params.marks.items()):
            field = f"marks.{symbol}" if symbol in self._instruments else "marks"
            grid = self.instrument(symbol, field).price_grid
            marks.append(MarkPrice(symbol, _on_grid(grid, text, field, "tick", Reason.TICK_SIZE)))
        return SetMarkPrices(marks=tuple(marks))

    def credit(self, params: requests.CreditParams) -> Credit:
        """Return the command that deposits money from outside."""
        return Credit(account=params.account, amount=_cash(params.amount, "amount"))


def check_reference(params: requests.OrderReferenceParams) -> None:
    """Raise ``WireError`` unless exactly one of the two ids is given."""
    if (params.order_id is None) == (params.client_order_id is None):
        raise fault(
            Fault.INVALID_FIELD, "order_id or client_order_id names the order; give exactly one of the two", field="order_id"
        )


def _on_grid(grid: Grid, text: str, field: str, step_name: str, reason: Reason) -> int:
    """Return how many steps ``text`` is; an error names the field and the step when it lies between two (BOOK-006)."""
    try:
        return grid.parse(text)
    except ValueError as error:
        sentence = str(error)
    if "whole multiple" in sentence:
        message = f"{field} {sentence}, the {step_name} size; values off the grid are refused, never rounded"
        raise WireError(REASONS[reason].code, reason.value, message, field=field) from None
    raise fault(Fault.INVALID_FIELD, f"{field}: {sentence}", field=field) from None


def _cash(text: str, field: str) -> Cash:
    try:
        return parse_cash(text)
    except ValueError as error:
        raise fault(Fault.INVALID_FIELD, f"{field}: {error}", field=field) from None
