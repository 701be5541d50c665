"""A book on copies: what an order would meet in another one, which stays as it is (BOOK-004)."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.domain.copies import Copies
from exchange.domain.enums import Side
from exchange.domain.units import Lots, Ticks
from exchange.matching.book import Book
from exchange.matching.order import Order


class RehearsedBook(Book):
    """A book for one taker, on copies of the orders of another one; that one must not change meanwhile.

    An order is copied when it is met or looked up: rehearsing costs what the real thing costs, however full the book is.
    """

    __slots__ = ("_coming",)

    def __init__(self, original: Book) -> None:
        super().__init__(original.symbol)
        self.orders = Copies(original.orders, Order.copy)
        self._coming = {side: original.queue(side) for side in Side}

    def next_match(self, taker: Order) -> Order | None:
        """Return the copy of the order that ``taker`` meets next, or None when it meets no more (BOOK-001)."""
        self._bring_best(taker.side.opposite)
        return super().next_match(taker)

    def best_price(self, side: Side) -> Ticks | None:
        """Return the best resting price of ``side``, or None."""
        self._bring_best(side)
        return super().best_price(side)

    def queue(self, side: Side) -> Iterator[Order]:
        """Yield copies of the resting orders of a side in priority order."""
        yield from tuple(super().queue(side))
        while (order := self._bring_next(side)) is not None:
            yield order

    def remove(self, order: Order) -> None:
        """Take an order out of this book, whether it was met or only looked up."""
        if order.level is None:
            del self.orders[order.order_id]
        else:
            super().remove(order)

    def shrink(self, order: Order, open_quantity: Lots) -> None:
        """Cut an order to ``open_quantity`` lots, whether it was met or only looked up (BOOK-010)."""
        if order.level is None:
            order.open_quantity = open_quantity
        else:
            super().shrink(order, open_quantity)

    def _bring_best(self, side: Side) -> None:
        if self._sides[side].best() is None:
            self._bring_next(side)

    def _bring_next(self, side: Side) -> Order | None:
        """Copy the next order of the other book's queue that is not gone here, nor rests anew, and let it rest."""
        for original in self._coming[side]:
            copy = self.orders.get(original.order_id)
            if copy is not None and copy.level is None:
                self._sides[side].level_at(copy.limit_price).append(copy)
                return copy
        return None
