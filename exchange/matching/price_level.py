"""The queue of orders at one price."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.domain.units import Lots, Ticks
from exchange.matching.order import Order


class PriceLevel:
    """Orders at one price, first come first served (BOOK-001), as a linked list so that any can leave at once.

    A removed order loses every link: a chain of dead orders would be garbage in cycles, which only the slow collector
    finds.
    """

    __slots__ = ("first", "last", "price", "quantity")

    def __init__(self, price: Ticks) -> None:
        self.price = price
        self.quantity: Lots = 0
        self.first: Order | None = None
        self.last: Order | None = None

    def append(self, order: Order) -> None:
        """Put ``order`` at the end of the queue."""
        order.level = self
        order.previous = self.last
        if self.last is None:
            self.first = order
        else:
            self.last.next = order
        self.last = order
        self.quantity += order.open_quantity

    def remove(self, order: Order) -> None:
        """Take ``order`` out, wherever it stands in the queue."""
        before, after = order.previous, order.next
        if before is None:
            self.first = after
        else:
            before.next = after
        if after is None:
            self.last = before
        else:
            after.previous = before
        order.level = order.previous = order.next = None
        self.quantity -= order.open_quantity

    def __iter__(self) -> Iterator[Order]:
        order = self.first
        while order is not None:
            yield order
            order = order.next
