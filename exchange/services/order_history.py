"""Every account's open orders and its most recently ended ones, folded from events; can be thrown away and rebuilt."""

from __future__ import annotations

from collections import deque

import msgspec

from exchange.domain.enums import ORDER_LIFECYCLE
from exchange.domain.events import (
    AnyEvent,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderFilled,
    OrderRested,
    OrderShrunk,
    OrderTriggered,
    TradeExecuted,
)
from exchange.domain.ids import AccountId, OrderId, Symbol
from exchange.domain.rejects import Reason
from exchange.domain.views import OrderView

ENDED_PER_ACCOUNT_MAX = 1_000
"""Ended orders that are remembered of one account."""
ENDED_TOTAL_MAX = 200_000
"""Ended orders that are remembered of all accounts together."""


class OrderRecord(msgspec.Struct, frozen=True):
    """An order as it stands, and why it was canceled if it was."""

    order: OrderView
    reason: Reason | None


class _AccountOrders:
    """One account's orders by id, and the ids behind its own names for them."""

    __slots__ = ("by_client_order_id", "ended", "open")

    def __init__(self) -> None:
        self.open: dict[OrderId, OrderRecord] = {}
        self.ended: dict[OrderId, OrderRecord] = {}
        self.by_client_order_id: dict[str, OrderId] = {}

    def forget(self, order_id: OrderId) -> None:
        """Drop an ended order, and its name unless a later order has taken that over."""
        record = self.ended.pop(order_id, None)
        name = record.order.client_order_id if record is not None else None
        if name is not None and self.by_client_order_id.get(name) == order_id:
            del self.by_client_order_id[name]


class OrderHistory:
    """Answers what became of an order, by either of its ids."""

    def __init__(self, ended_per_account_max: int = ENDED_PER_ACCOUNT_MAX, ended_total_max: int = ENDED_TOTAL_MAX) -> None:
        self._ended_per_account_max = ended_per_account_max
        self._ended_total_max = ended_total_max
        self._accounts: dict[AccountId, _AccountOrders] = {}
        self._ended_in_order: deque[tuple[AccountId, OrderId]] = deque()

    def apply(self, event: AnyEvent) -> None:
        """Fold one event in; events that are about no order change nothing."""
        match event:
            case TradeExecuted(maker=maker, taker=taker):
                self._record(maker.order, None)
                self._record(taker.order, None)
            case OrderCanceled(order=order, reason=reason):
                self._record(order, reason)
            case OrderAccepted() | OrderAmended() | OrderTriggered() | OrderRested() | OrderShrunk() | OrderFilled():
                self._record(event.order, None)
            case _:
                pass

    def by_order_id(self, account: AccountId, order_id: OrderId) -> OrderRecord | None:
        """Return the account's order; None when it is unknown, forgotten or somebody else's."""
        orders = self._accounts.get(account)
        return None if orders is None else orders.open.get(order_id) or orders.ended.get(order_id)

    def by_client_order_id(self, account: AccountId, client_order_id: str) -> OrderRecord | None:
        """Return the account's latest order of that name; None when there is none."""
        orders = self._accounts.get(account)
        order_id = None if orders is None else orders.by_client_order_id.get(client_order_id)
        return None if order_id is None else self.by_order_id(account, order_id)

    def open_orders(self, account: AccountId, symbol: Symbol | None = None) -> tuple[OrderRecord, ...]:
        """Return the account's open orders, oldest first."""
        orders = self._accounts.get(account)
        return () if orders is None else _of_symbol(orders.open, symbol)

    def ended_orders(self, account: AccountId, limit: int, symbol: Symbol | None = None) -> tuple[OrderRecord, ...]:
        """Return the ``limit`` most recently ended orders of the account, the latest last."""
        orders = self._accounts.get(account)
        return () if orders is None else _of_symbol(orders.ended, symbol)[-limit:]

    def _record(self, order: OrderView, reason: Reason | None) -> None:
        orders = self._accounts.get(order.account)
        if orders is None:
            orders = self._accounts[order.account] = _AccountOrders()
        if order.client_order_id is not None:
            orders.by_client_order_id[order.client_order_id] = order.order_id
        record = OrderRecord(order, reason)
        if ORDER_LIFECYCLE[order.order_status]:
            orders.open[order.order_id] = record
            return
        orders.open.pop(order.order_id, None)
        if order.order_id not in orders.ended:
            self._ended_in_order.append((order.account, order.order_id))
        orders.ended[order.order_id] = record
        self._forget_oldest(orders)

    def _forget_oldest(self, orders: _AccountOrders) -> None:
        if len(orders.ended) > self._ended_per_account_max:
            orders.forget(next(iter(orders.ended)))
        if len(self._ended_in_order) > self._ended_total_max:
            account, order_id = self._ended_in_order.popleft()
            self._accounts[account].forget(order_id)


def _of_symbol(orders: dict[OrderId, OrderRecord], symbol: Symbol | None) -> tuple[OrderRecord, ...]:
    return tuple(record for record in orders.values() if symbol is None or record.order.symbol == symbol)
