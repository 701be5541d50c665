"""Orders that end at a time of their own (BOOK-018)."""

from __future__ import annotations

from exchange.domain.ids import OrderId
from exchange.domain.rejects import Reason
from exchange.domain.units import TimeNs
from exchange.matching.book import Book
from exchange.matching.order import Order
from exchange.matching.trigger_book import TriggerBook
from exchange.venue.state import VenueState
from exchange.venue.trading import Trading


def next_expiry_ns(state: VenueState) -> TimeNs | None:
    """Return when the next order expires; None where none does."""
    first = _first(state)
    return None if first is None else first[0]


def expire_orders(state: VenueState, trading: Trading) -> None:
    """Cancel what has expired by now, by time and then order id; what exceeds the bound is due at once again."""
    for _ in range(state.limits.expirations_max):
        first = _first(state)
        if first is None or first[0] > state.now_ns:
            return
        trading.cancel(first[2], Reason.EXPIRED)


def _first(state: VenueState) -> tuple[TimeNs, OrderId, Order] | None:
    """Return the order that expires first of all symbols, resting or untriggered."""
    rooms: tuple[Book | TriggerBook, ...] = (*state.books.values(), state.triggers)
    found = [(*first, room) for room in rooms if (first := room.first_expiry()) is not None]
    if not found:
        return None
    time_ns, order_id, room = min(found, key=lambda each: each[:2])
    return time_ns, order_id, room.orders[order_id]
