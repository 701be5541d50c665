"""The order book of one symbol: price-time priority over whole ticks and lots."""

from __future__ import annotations

from collections.abc import Iterator

from sortedcontainers import SortedList

from exchange.domain.enums import Side
from exchange.domain.ids import OrderId, Symbol
from exchange.domain.units import Cash, Lots, Ticks, TimeNs
from exchange.domain.views import DepthLevel
from exchange.matching.order import Order
from exchange.matching.price_level import PriceLevel


class BookSide:
    """The price levels of one side. Keys are ``sign * price``, so that the best level is always the last key."""

    __slots__ = ("keys", "levels", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self.keys: SortedList = SortedList()  # of int; the library has no types
        self.levels: dict[Ticks, PriceLevel] = {}

    def best(self) -> PriceLevel | None:
        """Return the level that trades first, or None when the side is empty."""
        return self.levels[abs(self.keys[-1])] if self.keys else None

    def level_at(self, price: Ticks) -> PriceLevel:
        """Return the level at ``price``, made if there was none."""
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = PriceLevel(price)
            self.keys.add(self.side.sign * price)
        return level

    def drop_if_empty(self, level: PriceLevel) -> None:
        """Forget a level that no order is left in."""
        if level.first is None:
            del self.levels[level.price]
            self.keys.remove(self.side.sign * level.price)

    def __iter__(self) -> Iterator[PriceLevel]:
        """Yield the levels, best first."""
        for key in reversed(self.keys):
            yield self.levels[abs(key)]


class Book:
    """All resting orders of a symbol; cancel by id does not depend on how many there are."""

    __slots__ = ("_changed", "_expiries", "_sides", "orders", "symbol")

    def __init__(self, symbol: Symbol) -> None:
        self.symbol = symbol
        self.orders: dict[OrderId, Order] = {}
        self._sides = {Side.BUY: BookSide(Side.BUY), Side.SELL: BookSide(Side.SELL)}
        self._changed: set[tuple[Side, Ticks]] = set()
        self._expiries: SortedList = SortedList()  # of (time, order id); the library has no types

    def best_price(self, side: Side) -> Ticks | None:
        """Return the best resting price of ``side``, or None."""
        best = self._sides[side].best()
        return None if best is None else best.price

    def would_cross(self, side: Side, limit_price: Ticks) -> bool:
        """Return whether an order would meet a resting one; an equal price does (BOOK-005)."""
        opposite = self.best_price(side.opposite)
        return opposite is not None and side.sign * (limit_price - opposite) >= 0

    def next_match(self, taker: Order) -> Order | None:
        """Return the resting order that ``taker`` meets next, or None when it meets no more (BOOK-001)."""
        best = self._sides[taker.side.opposite].best()
        if best is None or taker.side.sign * (taker.limit_price - best.price) < 0:
            return None
        return best.first

    def execute(self, taker: Order, maker: Order, quantity: Lots, value: Cash) -> None:
        """Fill both orders with ``quantity`` lots worth ``value``; a filled maker leaves the book."""
        level = maker.level
        assert level is not None, "only a resting order can make a trade"
        taker.fill(quantity, value)
        maker.fill(quantity, value)
        level.quantity -= quantity
        self._changed.add((maker.side, level.price))
        if not maker.open_quantity:
            self._unlink(maker, level)

    def rest(self, order: Order) -> None:
        """Add ``order`` behind all others at its price."""
        self.orders[order.order_id] = order
        self._sides[order.side].level_at(order.limit_price).append(order)
        self._changed.add((order.side, order.limit_price))
        if order.expire_time_ns is not None:
            self._expiries.add((order.expire_time_ns, order.order_id))

    def first_expiry(self) -> tuple[TimeNs, OrderId] | None:
        """Return when the next resting order expires, and which one; None where none does (BOOK-018)."""
        return self._expiries[0] if self._expiries else None

    def remove(self, order: Order) -> None:
        """Take a resting order out of the book."""
        level = order.level
        assert level is not None, "only a resting order can be removed"
        self._changed.add((order.side, level.price))
        self._unlink(order, level)

    def shrink(self, order: Order, open_quantity: Lots) -> None:
        """Cut a resting order to ``open_quantity`` lots; it keeps its place (BOOK-010)."""
        level = order.level
        assert level is not None, "only a resting order can be shrunk in place"
        level.quantity -= order.open_quantity - open_quantity
        order.open_quantity = open_quantity
        self._changed.add((order.side, level.price))

    def _unlink(self, order: Order, level: PriceLevel) -> None:
        level.remove(order)
        self._sides[order.side].drop_if_empty(level)
        del self.orders[order.order_id]
        if order.expire_time_ns is not None:
            self._expiries.discard((order.expire_time_ns, order.order_id))  # a rehearsed order may not be among them

    def depth(self, side: Side, levels_max: int) -> tuple[DepthLevel, ...]:
        """Return the best ``levels_max`` levels of a side, best first."""
        found: list[DepthLevel] = []
        for level in self._sides[side]:
            if len(found) == levels_max:
                break
            found.append(DepthLevel(side, level.price, level.quantity))
        return tuple(found)

    def take_changes(self) -> tuple[DepthLevel, ...]:
        """Return the new totals of the levels changed since last asked: bids, then asks, best first."""
        if not self._changed:
            return ()
        changed = sorted(self._changed, key=lambda place: (place[0] is Side.SELL, -place[0].sign * place[1]))
        self._changed.clear()
        return tuple(DepthLevel(side, price, self._total_at(side, price)) for side, price in changed)

    def _total_at(self, side: Side, price: Ticks) -> Lots:
        level = self._sides[side].levels.get(price)
        return 0 if level is None else level.quantity

    def queue(self, side: Side) -> Iterator[Order]:
        """Yield the resting orders of a side in priority order."""
        for level in self._sides[side]:
            yield from level
