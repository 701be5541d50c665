"""The order book of one symbol, order by order.

Units: prices in quote per base, quantities in base.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from clients.errors import ProtocolError
from clients.market_data import RestingOrder
from clients.mirror.readiness import Readiness
from clients.updates import BookOrdersUpdate, Update
from exchange.domain.enums import Side

BOOK_ORDERS_MAX = 1_000_000
"""How many orders a book may have; a server that sends more is at fault."""


class OrderBookMirror(Readiness):
    """Every resting order, in the order of priority. After a gap in the sequence it asks for a new snapshot."""

    def __init__(self, symbol: str, renew: Callable[[], None]) -> None:
        super().__init__(f"the orders in the book of {symbol}")
        self.symbol = symbol
        self.sequence = 0
        self.gaps = 0
        """How often a delta did not follow the one before."""
        self._renew = renew
        self._orders: dict[Side, dict[int, RestingOrder]] = {side: {} for side in Side}

    def bids(self) -> tuple[RestingOrder, ...]:
        """Return the resting buy orders, the first to trade first."""
        self._require_ready()
        return tuple(sorted(self._orders[Side.BUY].values(), key=_buy_price))

    def asks(self) -> tuple[RestingOrder, ...]:
        """Return the resting sell orders, the first to trade first."""
        self._require_ready()
        return tuple(sorted(self._orders[Side.SELL].values(), key=_sell_price))

    def receive(self, update: Update) -> None:
        """Take a snapshot or a delta."""
        data = update.data
        if not isinstance(data, BookOrdersUpdate):
            raise ProtocolError(f"channel {update.channel} brought no orders of a book")
        if data.type == "snapshot":
            self._orders[Side.BUY] = {order.order_id: order for order in data.bids}
            self._orders[Side.SELL] = {order.order_id: order for order in data.asks}
            self.sequence = data.sequence
            self._missing = None
        elif self.ready and data.sequence > self.sequence:
            if data.previous_sequence == self.sequence:
                self._apply(data)
            else:
                self.gaps += 1
                self.interrupted(f"a delta after {data.previous_sequence} came when {self.sequence} was the last one")
                self._renew()

    def began(self) -> None:
        """Change nothing: only a snapshot makes a book ready."""

    def _apply(self, delta: BookOrdersUpdate) -> None:
        for change in delta.changes:
            side = self._orders[change.side]
            if change.action == "remove":
                side.pop(change.order_id, None)
            elif change.action == "add" or change.order_id in side:  # a change leaves the order where it is in the queue
                side[change.order_id] = RestingOrder(change.order_id, change.price, change.quantity)
            if len(side) > BOOK_ORDERS_MAX:
                raise ProtocolError(f"the server sent a book side of more than {BOOK_ORDERS_MAX} orders")
        self.sequence = delta.sequence

    def _forget(self) -> None:
        for side in self._orders.values():
            side.clear()


def _buy_price(order: RestingOrder) -> Decimal:
    return -order.price


def _sell_price(order: RestingOrder) -> Decimal:
    return order.price
