"""The client's foresight: what an action would do, without doing it (MARG-029).

Units: prices in quote per base, quantities in base, money in the settlement currency unless an asset is named. Nothing
here raises ``OrderRejected``: a refusal is part of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from clients.fields import reader
from clients.human_units import Number, to_text
from clients.inflight import Call
from clients.preview_messages import Preview
from clients.requests import (
    AmendOrder,
    MarginModeWord,
    OrderTypeWord,
    PlaceOrder,
    PositionModeWord,
    PositionSideWord,
    SelfTradeWord,
    SideWord,
    TimeInForceWord,
    Trigger,
    side_filter,
    word_of,
)
from clients.session import Session
from exchange.domain.enums import MarginMode, PositionMode, PositionSide, SelfTradePrevention, TimeInForce

NET = PositionSide.NET


class PreviewMethods:
    """Asks beforehand. Each method takes what the one takes that would do it; nothing changes."""

    _session: Session

    async def preview_amend(
        self,
        order_id: int | None = None,
        *,
        client_order_id: str | None = None,
        price: Number | None = None,
        quantity: Number | None = None,
    ) -> Preview:
        """Return what ``amend`` would do; it shows no order where that would cancel it."""
        amend = AmendOrder(order_id=order_id, client_order_id=client_order_id, price=price, quantity=quantity)
        return await self._preview("amend", amend.call().params)

    async def preview_order(
        self,
        symbol: str,
        side: SideWord,
        quantity: Number,
        price: Number | None = None,
        *,
        order_type: OrderTypeWord | None = None,
        time_in_force: TimeInForceWord = TimeInForce.GTC,
        post_only: bool = False,
        reduce_only: bool = False,
        self_trade_prevention: SelfTradeWord = SelfTradePrevention.CANCEL_TAKER,
        client_order_id: str | None = None,
        position_side: PositionSideWord = NET,
        expire_time_us: int | None = None,
        trigger: Trigger | None = None,
    ) -> Preview:
        """Return what ``place_order`` would do."""
        order = PlaceOrder(
            symbol=symbol,
            side=side,
            quantity=quantity,
            price=price,
            order_type=order_type,
            time_in_force=time_in_force,
            post_only=post_only,
            reduce_only=reduce_only,
            self_trade_prevention=self_trade_prevention,
            client_order_id=client_order_id,
            position_side=position_side,
            expire_time_us=expire_time_us,
            trigger=trigger,
        )
        return await self._preview("order", order.call().params)

    async def preview_mark_prices(self, mark_prices: Mapping[str, Number]) -> Preview:
        """Return what new marks would do to the account, all of them at once."""
        marks = {symbol: to_text(price, f"mark_prices[{symbol!r}]") for symbol, price in mark_prices.items()}
        return await self._preview("mark_prices", marks)

    async def preview_margin_mode(
        self, symbol: str, margin_mode: MarginModeWord, *, margin: Number | None = None, position_side: PositionSideWord = NET
    ) -> Preview:
        """Return what ``set_margin_mode`` would do."""
        params: dict[str, object] = {"symbol": symbol, "margin_mode": word_of(MarginMode, margin_mode, "margin_mode")}
        if margin is not None:
            params["margin"] = to_text(margin, "margin")
        return await self._preview("margin_mode", {**params, **side_filter(position_side)})

    async def preview_leverage(self, symbol: str, leverage: int, *, position_side: PositionSideWord = NET) -> Preview:
        """Return what ``set_leverage`` would do."""
        return await self._preview("leverage", {"symbol": symbol, "leverage": leverage, **side_filter(position_side)})

    async def preview_add_margin(self, symbol: str, amount: Number, *, position_side: PositionSideWord = NET) -> Preview:
        """Return what ``add_margin`` would do."""
        params = {"symbol": symbol, "amount": to_text(amount, "amount"), **side_filter(position_side)}
        return await self._preview("add_margin", params)

    async def preview_remove_margin(self, symbol: str, amount: Number, *, position_side: PositionSideWord = NET) -> Preview:
        """Return what ``remove_margin`` would do."""
        params = {"symbol": symbol, "amount": to_text(amount, "amount"), **side_filter(position_side)}
        return await self._preview("remove_margin", params)

    async def preview_withdrawal(self, amount: Number, asset: str | None = None) -> Preview:
        """Return what ``withdraw`` would do."""
        params = {"amount": to_text(amount, "amount")} | ({} if asset is None else {"asset": asset})
        return await self._preview("withdraw", params)

    async def preview_position_mode(self, position_mode: PositionModeWord) -> Preview:
        """Return what ``set_position_mode`` would do."""
        params = {"position_mode": word_of(PositionMode, position_mode, "position_mode")}
        return await self._preview("position_mode", params)

    async def preview_auto_replenish(self, symbol: str, enabled: bool, *, position_side: PositionSideWord = NET) -> Preview:
        """Return what ``set_auto_replenish`` would do."""
        return await self._preview("auto_replenish", {"symbol": symbol, "enabled": enabled, **side_filter(position_side)})

    async def _preview(self, action: str, params: Mapping[str, object]) -> Preview:
        return await self._session.request(Call("account.preview", {action: dict(params)}, reader(Preview)))
