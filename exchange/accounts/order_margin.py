"""The margin that resting orders hold back, always computed from the orders themselves (MARG-008)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from exchange.accounts.margin import path_of
from exchange.accounts.position import Position, RestingOrder
from exchange.domain.margin_math import order_reserve
from exchange.domain.units import Cash, Lots, Ticks


class OrderMargin(NamedTuple):
    """What one symbol's orders hold: each order's own part by side, and what an isolated position lacks."""

    buys: dict[int, Cash]
    sells: dict[int, Cash]
    gap: Cash

    @property
    def total(self) -> Cash:
        """R of the symbol: the dearer side, since both cannot fill from the same start."""
        return max(sum(self.buys.values()), sum(self.sells.values())) + self.gap

    @property
    def deciding(self) -> dict[int, Cash]:
        """The parts of the side that decides the total."""
        return self.buys if sum(self.buys.values()) >= sum(self.sells.values()) else self.sells


def margin_of_orders(position: Position, orders: Iterable[RestingOrder], mark_price: Ticks) -> OrderMargin:
    """Return what ``orders`` would hold if they were all that rests on the position."""
    buys: list[RestingOrder] = []
    sells: list[RestingOrder] = []
    for order in orders:
        if not order.reduce_only:
            (buys if order.sign > 0 else sells).append(order)
    buys.sort(key=lambda order: (-order.price, order.order_id))
    sells.sort(key=lambda order: (order.price, order.order_id))
    increasing = buys if position.quantity > 0 else sells
    gap = path_of(position).increase_gap(position, mark_price) if increasing else 0
    return OrderMargin(
        _side_parts(position, buys, max(0, -position.quantity), mark_price),
        _side_parts(position, sells, max(0, position.quantity), mark_price),
        gap,
    )


def _side_parts(position: Position, orders: list[RestingOrder], free: int, mark_price: Ticks) -> dict[int, Cash]:
    parts: dict[int, Cash] = {}
    for order in orders:
        covered = min(free, order.open_quantity)
        free -= covered
        if covered:
            parts[order.order_id] = _reserve(position, order, order.open_quantity - covered, mark_price)
            continue
        terms = (order.open_quantity, mark_price, position.leverage)
        if order.reserve_terms != terms:  # a pure function of its terms: remembered, not kept incrementally
            order.reserve, order.reserve_terms = _reserve(position, order, order.open_quantity, mark_price), terms
        parts[order.order_id] = order.reserve
    return parts


def _reserve(position: Position, order: RestingOrder, lots: Lots, mark_price: Ticks) -> Cash:
    return order_reserve(position.instrument, order.sign, lots, order.price, mark_price, position.leverage)


def order_margin(position: Position, mark_price: Ticks | None) -> Cash:
    """Return R of a symbol, remembered until the position, its orders or the mark change."""
    if not position.orders:
        return 0
    assert mark_price is not None, "no order is accepted before there is a mark"
    if position.order_margin is None or position.order_margin_mark != mark_price:
        position.order_margin = margin_of_orders(position, position.orders.values(), mark_price).total
        position.order_margin_mark = mark_price
    return position.order_margin
