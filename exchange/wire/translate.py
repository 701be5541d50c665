"""From request parameters to the core's commands: decimal strings become whole numbers, or an error names the field."""

from __future__ import annotations

from collections.abc import Mapping

from exchange.domain.commands import (
    AddMargin,
    AmendOrder,
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
    SetMarkPrices,
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
from exchange.domain.ids import SETTLEMENT_ASSET, AccountId, AssetId, Symbol
from exchange.domain.instrument import Instrument
from exchange.domain.previews import PreviewableCommand
from exchange.domain.rejects import Reason
from exchange.domain.triggers import Trigger, TriggerKind, TriggerSource
from exchange.domain.units import CASH_MAX, Cash, Grid, Lots, Ticks, format_cash, parse_cash
from exchange.wire import parameters
from exchange.wire.assets import Assets
from exchange.wire.errors import Fault, WireError, fault
from exchange.wire.reasons import REASONS, rejection


class Translator:
    """Turns the parameters of one request into one command on the venue's instruments.

    The account always comes from the session, never from a message, but for ``admin.*``.
    """

    def __init__(self, instruments: Mapping[Symbol, Instrument], assets: Assets | None = None) -> None:
        self._instruments = instruments
        self._assets = assets or Assets()

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

    def place(self, account: AccountId, params: parameters.PlaceParams) -> PlaceOrder:
        """Return the command that enters an order."""
        instrument = self.instrument(params.symbol)
        price = params.limit_price
        return PlaceOrder(
            account=account,
            symbol=instrument.symbol,
            side=Side(params.side),
            quantity=_quantity(instrument, params),
            order_type=OrderType(params.order_type),
            limit_price=None
            if price is None
            else _on_grid(instrument.price_grid, price, "limit_price", "tick", Reason.TICK_SIZE),
            time_in_force=TimeInForce(params.time_in_force),
            post_only=params.post_only,
            reduce_only=params.reduce_only,
            self_trade_prevention=SelfTradePrevention(params.self_trade_prevention),
            client_order_id=params.client_order_id,
            position_side=PositionSide(params.position_side),
            expire_time_ns=None if params.expire_time_us is None else params.expire_time_us * 1000,
            close_position=params.close_position,
            trigger=None if params.trigger is None else _trigger(instrument, params.trigger),
        )

    def amend(self, account: AccountId, params: parameters.AmendParams, symbol: Symbol | None) -> AmendOrder:
        """Return the command that gives an order on ``symbol`` other terms; None where no such order is known."""
        check_reference(params)
        if params.limit_price is None and params.quantity is None:
            sentence = "limit_price: an amend changes limit_price, quantity, or both; give at least one"
            raise fault(Fault.INVALID_FIELD, sentence, field="limit_price")
        if symbol is None:
            raise rejection(Reason.NOT_FOUND)
        price, quantity, instrument = params.limit_price, params.quantity, self._instruments[symbol]
        return AmendOrder(
            account=account,
            order_id=params.order_id,
            client_order_id=params.client_order_id,
            limit_price=None
            if price is None
            else _on_grid(instrument.price_grid, price, "limit_price", "tick", Reason.TICK_SIZE),
            quantity=None
            if quantity is None
            else _on_grid(instrument.quantity_grid, quantity, "quantity", "lot", Reason.LOT_SIZE),
        )

    def cancel(self, account: AccountId, params: parameters.OrderReferenceParams) -> CancelOrder:
        """Return the command that cancels one order."""
        check_reference(params)
        return CancelOrder(account=account, order_id=params.order_id, client_order_id=params.client_order_id)

    def cancel_all(self, account: AccountId, params: parameters.CancelAllParams) -> CancelAllOrders:
        """Return the command that cancels every order that fits."""
        return CancelAllOrders(
            account=account,
            symbol=self.optional_symbol(params.symbol),
            side=None if params.side is None else Side(params.side),
            position_side=None if params.position_side is None else PositionSide(params.position_side),
        )

    def set_margin_mode(self, account: AccountId, params: parameters.SetMarginModeParams) -> SetMarginMode:
        """Return the command that chooses cross or isolated."""
        return SetMarginMode(
            account=account,
            symbol=self.instrument(params.symbol).symbol,
            margin_mode=MarginMode(params.margin_mode),
            margin=None if params.margin is None else _cash(params.margin, "margin"),
            position_side=PositionSide(params.position_side),
        )

    def set_leverage(self, account: AccountId, params: parameters.SetLeverageParams) -> SetLeverage:
        """Return the command that chooses the leverage."""
        return SetLeverage(
            account=account,
            symbol=self.instrument(params.symbol).symbol,
            leverage=params.leverage,
            position_side=PositionSide(params.position_side),
        )

    def add_margin(self, account: AccountId, params: parameters.MarginAmountParams) -> AddMargin:
        """Return the command that moves money into an isolated position."""
        return AddMargin(
            account=account,
            symbol=self.instrument(params.symbol).symbol,
            amount=_cash(params.amount, "amount"),
            position_side=PositionSide(params.position_side),
        )

    def remove_margin(self, account: AccountId, params: parameters.MarginAmountParams) -> RemoveMargin:
        """Return the command that moves money out of an isolated position."""
        return RemoveMargin(
            account=account,
            symbol=self.instrument(params.symbol).symbol,
            amount=_cash(params.amount, "amount"),
            position_side=PositionSide(params.position_side),
        )

    def set_position_mode(self, account: AccountId, params: parameters.SetPositionModeParams) -> SetPositionMode:
        """Return the command that chooses one-way or hedge mode."""
        return SetPositionMode(account=account, position_mode=PositionMode(params.position_mode))

    def set_auto_replenish(self, account: AccountId, params: parameters.SetAutoReplenishParams) -> SetAutoReplenish:
        """Return the command that chooses whether a position may be topped up."""
        return SetAutoReplenish(
            account=account,
            symbol=self.instrument(params.symbol).symbol,
            enabled=params.enabled,
            position_side=PositionSide(params.position_side),
        )

    def withdraw(self, account: AccountId, params: parameters.WithdrawParams) -> Withdraw:
        """Return the command that takes money out."""
        asset, amount = self._amount(params.asset, params.amount)
        return Withdraw(account=account, amount=amount, asset=asset)

    def set_marks(self, params: parameters.SetMarkParams) -> SetMarkPrices:
        """Return the command that replaces marks, in the order of the symbols' names."""
        return SetMarkPrices(marks=tuple(MarkPrice(*named) for named in self._prices(params.marks, "marks")))

    def set_index_prices(self, params: parameters.SetIndexParams) -> SetIndexPrices:
        """Return the command that replaces index prices, in the order of the symbols' names."""
        return SetIndexPrices(prices=tuple(IndexPrice(*named) for named in self._prices(params.prices, "prices")))

    def set_collateral_prices(self, params: parameters.SetCollateralPriceParams) -> SetCollateralPrices:
        """Return the command that replaces prices of collateral assets, in the order of their names."""
        prices = []
        for asset, text in sorted(params.prices.items()):
            if asset == SETTLEMENT_ASSET:
                raise fault(
                    Fault.INVALID_FIELD, f"prices: {asset} is the settlement asset, worth 1; leave it out", field="prices"
                )
            field = f"prices.{self._asset(asset, 'prices')}"
            price = _cash(text, field)
            if not 0 < price <= CASH_MAX:
                entry = REASONS[Reason.MARK_PRICE_RANGE]
                message = entry.sentence.format(symbol=asset, limit=format_cash(CASH_MAX), actual=text)
                raise WireError(entry.code, Reason.MARK_PRICE_RANGE.value, message, field=field)
            prices.append(CollateralPrice(asset, price))
        return SetCollateralPrices(prices=tuple(prices))

    def set_trading_state(self, params: parameters.SetTradingStateParams) -> SetTradingState:
        """Return the command that halts or opens a symbol."""
        return SetTradingState(symbol=self.instrument(params.symbol).symbol, trading_state=TradingState(params.trading_state))

    def credit(self, params: parameters.CreditParams) -> Credit:
        """Return the command that deposits money from outside."""
        asset, amount = self._amount(params.asset, params.amount)
        return Credit(account=params.account, amount=amount, asset=asset)

    def preview(
        self, account: AccountId, params: parameters.PreviewParams, amended: Symbol | None = None
    ) -> PreviewableCommand:
        """Return the command that is asked about; ``amended`` is the symbol of the order that an amend names.

        A field that holds what it cannot hold is named within the preview, as ``order.limit_price``; what a rule refuses
        is told as the real method would tell it.
        """
        action = previewed_action(params)
        try:
            return self._previewed(account, params, amended)
        except WireError as refused:
            if refused.is_bad_field:
                field = "" if refused.field is None else refused.field.removeprefix("marks")
                refused.field = f"{action}{field}" if action == "mark_prices" else f"{action}.{field}"
                refused.message = f"{refused.field}{refused.message[refused.message.index(':') :]}"
            raise

    def _previewed(self, account: AccountId, params: parameters.PreviewParams, amended: Symbol | None) -> PreviewableCommand:
        if params.order is not None:
            return self.place(account, params.order)
        if params.amend is not None:
            return self.amend(account, params.amend, amended)
        if params.mark_prices is not None:
            return self.set_marks(parameters.SetMarkParams(marks=params.mark_prices))
        if params.margin_mode is not None:
            return self.set_margin_mode(account, params.margin_mode)
        if params.leverage is not None:
            return self.set_leverage(account, params.leverage)
        if params.add_margin is not None:
            return self.add_margin(account, params.add_margin)
        if params.remove_margin is not None:
            return self.remove_margin(account, params.remove_margin)
        if params.withdraw is not None:
            return self.withdraw(account, params.withdraw)
        if params.position_mode is not None:
            return self.set_position_mode(account, params.position_mode)
        assert params.auto_replenish is not None, "one action is given"
        return self.set_auto_replenish(account, params.auto_replenish)

    def _prices(self, texts: Mapping[str, str], field: str) -> list[tuple[Symbol, Ticks]]:
        """Return prices in ticks by symbol, in the order of the symbols' names; ``field`` holds them in the request."""
        prices = []
        for symbol, text in sorted(texts.items()):
            own_field = f"{field}.{symbol}" if symbol in self._instruments else field
            grid = self.instrument(symbol, own_field).price_grid
            prices.append((symbol, _on_grid(grid, text, own_field, "tick", Reason.TICK_SIZE)))
        return prices

    def _asset(self, asset: str, field: str) -> AssetId:
        """Return the asset; ``WireError`` naming those that there are when it is none of them."""
        if asset not in self._assets:
            error = rejection(Reason.UNKNOWN_ASSET)
            error.field, error.message = field, f"{error.message}: {', '.join(self._assets.names)}"
            raise error
        return asset

    def _amount(self, asset: str | None, text: str) -> tuple[AssetId, int]:
        """Return an asset and an amount of it in whole units; no asset is the settlement asset."""
        named = SETTLEMENT_ASSET if asset is None else self._asset(asset, "asset")
        try:
            return named, self._assets.parse(named, text)
        except ValueError as error:
            raise fault(Fault.INVALID_FIELD, f"amount: {error}", field="amount") from None


def check_reference(params: parameters.OrderReferenceParams) -> None:
    """Raise ``WireError`` unless exactly one of the two ids is given."""
    if (params.order_id is None) == (params.client_order_id is None):
        raise fault(
            Fault.INVALID_FIELD, "order_id or client_order_id names the order; give exactly one of the two", field="order_id"
        )


def previewed_action(params: parameters.PreviewParams) -> str:
    """Return the name of the action that a preview is of; ``WireError`` unless exactly one is given."""
    actions = params.__struct_fields__
    given = [name for name in actions if getattr(params, name) is not None]
    if len(given) != 1:
        told = f", not both {given[0]} and {given[1]}" if given else ""
        raise fault(
            Fault.INVALID_FIELD,
            f"a preview is of one action; give exactly one of {', '.join(actions)}{told}",
            field=given[1] if given else actions[0],
        )
    return given[0]


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


def _trigger(instrument: Instrument, params: parameters.TriggerParams) -> Trigger:
    price = _on_grid(instrument.price_grid, params.price, "trigger.price", "tick", Reason.TICK_SIZE)
    return Trigger(TriggerKind(params.kind), price, TriggerSource(params.by))


def _quantity(instrument: Instrument, params: parameters.PlaceParams) -> Lots:
    """Return an order's size; 0 for one that closes a position, which is to name none (BOOK-020)."""
    if params.close_position:
        if params.quantity is not None:
            sentence = "quantity: an order with close_position has the position's own; leave it out"
            raise fault(Fault.INVALID_FIELD, sentence, field="quantity")
        return 0
    if params.quantity is None:
        sentence = "quantity: it is missing; an order needs it unless close_position is true"
        raise fault(Fault.MISSING_FIELD, sentence, field="quantity")
    return _on_grid(instrument.quantity_grid, params.quantity, "quantity", "lot", Reason.LOT_SIZE)


def _cash(text: str, field: str) -> Cash:
    try:
        return parse_cash(text)
    except ValueError as error:
        raise fault(Fault.INVALID_FIELD, f"{field}: {error}", field=field) from None
