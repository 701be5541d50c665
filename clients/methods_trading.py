"""The client's orders.

Units: prices in quote per base, quantities in base, money in the settlement currency.
"""

from __future__ import annotations

from collections.abc import Sequence

from clients.errors import ExchangeError
from clients.fields import list_reader, reader
from clients.human_units import Number
from clients.inflight import Call
from clients.messages import Amended, CanceledOrders, Order, Placed
from clients.order_batches import batch_call
from clients.requests import (
    AmendOrder,
    CancelAllOrders,
    CancelOrder,
    OrderRequest,
    OrderTypeWord,
    PlaceOrder,
    PositionSideWord,
    SelfTradeWord,
    SideWord,
    TimeInForceWord,
    Trigger,
    order_reference,
    symbol_filter,
)
from clients.session import Session
from exchange.domain.enums import PositionSide, SelfTradePrevention, Side, TimeInForce


class TradingMethods:
    """Everything one does with one's own orders."""

    _session: Session

    async def place_order(
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
        position_side: PositionSideWord = PositionSide.NET,
        expire_time_us: int | None = None,
        trigger: Trigger | None = None,
    ) -> Placed:
        """Enter an order and return what became of it, with its margin decision.

        A limit order if there is a ``price``, else a market order. Raises ``OrderRejected`` with name, message and the
        margin decision. With a ``client_order_id`` the same order may be sent again without being executed twice.
        With an ``expire_time_us`` it is canceled at that time (BOOK-018).
        """
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
        return await self._session.request(order.call())

    async def buy(
        self,
        symbol: str,
        quantity: Number,
        price: Number | None = None,
        *,
        time_in_force: TimeInForceWord = TimeInForce.GTC,
        post_only: bool = False,
        reduce_only: bool = False,
        client_order_id: str | None = None,
        position_side: PositionSideWord = PositionSide.NET,
        expire_time_us: int | None = None,
    ) -> Placed:
        """Buy at ``price`` or better, or at the market without one; as ``place_order``."""
        return await self.place_order(
            symbol,
            Side.BUY,
            quantity,
            price,
            time_in_force=time_in_force,
            post_only=post_only,
            reduce_only=reduce_only,
            client_order_id=client_order_id,
            position_side=position_side,
            expire_time_us=expire_time_us,
        )

    async def sell(
        self,
        symbol: str,
        quantity: Number,
        price: Number | None = None,
        *,
        time_in_force: TimeInForceWord = TimeInForce.GTC,
        post_only: bool = False,
        reduce_only: bool = False,
        client_order_id: str | None = None,
        position_side: PositionSideWord = PositionSide.NET,
        expire_time_us: int | None = None,
    ) -> Placed:
        """Sell at ``price`` or better, or at the market without one; as ``place_order``."""
        return await self.place_order(
            symbol,
            Side.SELL,
            quantity,
            price,
            time_in_force=time_in_force,
            post_only=post_only,
            reduce_only=reduce_only,
            client_order_id=client_order_id,
            position_side=position_side,
            expire_time_us=expire_time_us,
        )

    async def close_position(
        self,
        symbol: str,
        side: SideWord,
        price: Number | None = None,
        *,
        client_order_id: str | None = None,
        position_side: PositionSideWord = PositionSide.NET,
    ) -> Placed:
        """Close the whole position with an order on ``side``, at ``price`` or better or at the market (BOOK-020).

        It is reduce-only and of the size that the position has when the order comes in.
        """
        order = PlaceOrder(
            symbol=symbol,
            side=side,
            price=price,
            client_order_id=client_order_id,
            position_side=position_side,
            close_position=True,
        )
        return await self._session.request(order.call())

    async def place_orders(self, orders: Sequence[PlaceOrder]) -> list[Placed | ExchangeError]:
        """Send all ``orders`` before waiting; return each one's result, or its error, in the same place."""
        return await self._session.request_many([order.call() for order in orders])

    async def send_many(
        self, requests: Sequence[OrderRequest]
    ) -> list[Placed | Amended | Order | CanceledOrders | ExchangeError]:
        """Send placings, amends and cancels in order before waiting; return each result, or error, in the same place."""
        return await self._session.request_many([request.call() for request in requests])

    async def place_batch(self, orders: Sequence[PlaceOrder]) -> list[Placed | ExchangeError]:
        """Place ``orders`` in one request, one after the other; return each one's result, or its error, in the same place."""
        return await self._session.request(batch_call("order.place", [order.call() for order in orders]))

    async def amend_batch(self, amends: Sequence[AmendOrder]) -> list[Amended | ExchangeError]:
        """Amend several orders in one request; as ``place_batch``."""
        return await self._session.request(batch_call("order.amend", [amend.call() for amend in amends]))

    async def cancel_batch(self, cancels: Sequence[CancelOrder]) -> list[Order | ExchangeError]:
        """Cancel several orders in one request; as ``place_batch``."""
        return await self._session.request(batch_call("order.cancel", [cancel.call() for cancel in cancels]))

    async def amend(
        self,
        order_id: int | None = None,
        *,
        client_order_id: str | None = None,
        price: Number | None = None,
        quantity: Number | None = None,
    ) -> Amended:
        """Give an open order another price, another total quantity, or both; return what became of it (BOOK-019).

        The same price and a total that is not higher keep its place in the queue. Raises ``OrderRejected`` as ``place_order``.
        """
        amend = AmendOrder(order_id=order_id, client_order_id=client_order_id, price=price, quantity=quantity)
        return await self._session.request(amend.call())

    async def cancel_order(self, order_id: int | None = None, *, client_order_id: str | None = None) -> Order:
        """Cancel one order, by one of its ids, and return its last state."""
        return await self._session.request(CancelOrder(order_id=order_id, client_order_id=client_order_id).call())

    async def cancel_all_orders(
        self, symbol: str | None = None, *, side: SideWord | None = None, position_side: PositionSideWord | None = None
    ) -> int:
        """Cancel every open order, or those on a symbol, of a side, of a position; return how many there were."""
        which = CancelAllOrders(symbol=symbol, side=side, position_side=position_side)
        return (await self._session.request(which.call())).canceled

    async def order(self, order_id: int | None = None, *, client_order_id: str | None = None) -> Order:
        """Return one order, open or recently ended, by one of its ids."""
        params = order_reference(order_id, client_order_id)
        return await self._session.request(Call("order.get", params, reader(Order), client_order_id))

    async def open_orders(self, symbol: str | None = None) -> tuple[Order, ...]:
        """Return the open orders, on one symbol or on all, oldest first."""
        return await self._session.request(Call("order.list", symbol_filter(symbol), list_reader(Order)))

    async def ended_orders(self, symbol: str | None = None, *, limit: int = 100) -> tuple[Order, ...]:
        """Return the ``limit`` orders that ended last, oldest first."""
        params = {"status": "ended", "limit": limit, **symbol_filter(symbol)}
        return await self._session.request(Call("order.list", params, list_reader(Order)))
