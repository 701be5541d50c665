"""The margin that resting orders hold back, always computed from the orders themselves (MARG-008)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from exchange.accounts.margin import path_of
from exchange.accounts.position import Position, RestingOrder
from exchange.domain.ids import OrderId
from exchange.domain.margin_math import margin_price, notional_value, order_reserve, order_reserve_by_notional
from exchange.domain.policy import OrderMarginRule
from exchange.domain.units import Cash, Lots, Ticks


class OrderMargin(NamedTuple):
    """What one symbol's orders hold: each order's own part by side, and what an isolated position lacks."""

    buys: dict[OrderId, Cash]
    sells: dict[OrderId, Cash]
    gap: Cash
    free: frozenset[OrderId] = frozenset()
    """The orders all of whose lots only reduce; they are never refused for margin (MARG-010)."""

    @property
    def total(self) -> Cash:
        """R of the symbol: the dearer side, since both cannot fill from the same start."""
        return max(sum(self.buys.values()), sum(self.sells.values())) + self.gap

    @property
    def deciding(self) -> dict[OrderId, Cash]:
        """The parts of the side that decides the total."""
        return self.buys if sum(self.buys.values()) >= sum(self.sells.values()) else self.sells


def margin_of_orders(position: Position, orders: Iterable[RestingOrder], mark_price: Ticks) -> OrderMargin:
    """Return what ``orders``, in the order that they came in, would hold if they were all that rests on the position."""
    buys: list[RestingOrder] = []
    sells: list[RestingOrder] = []
    for order in orders:
        if not order.reduce_only:
            (buys if order.sign > 0 else sells).append(order)
    buys.sort(key=lambda order: -order.price)
    sells.sort(key=lambda order: order.price)
    increasing = buys if position.quantity > 0 else sells
    gap = path_of(position).increase_gap(position, mark_price) if increasing else 0
    free: set[OrderId] = set()
    return OrderMargin(
        _side_parts(position, buys, max(0, -position.quantity), mark_price, free),
        _side_parts(position, sells, max(0, position.quantity), mark_price, free),
        gap,
        frozenset(free),
    )


def _side_parts(
    position: Position, orders: list[RestingOrder], lots: Lots, mark_price: Ticks, free: set[OrderId]
) -> dict[OrderId, Cash]:
    """Return what each order of a side holds, the first ``lots`` being free; notes in ``free`` whose are free whole."""
    parts: dict[OrderId, Cash] = {}
    is_by_notional = lots > 0 and position.instrument.rules.order_margin is OrderMarginRule.NOTIONAL_OFFSET
    free_notional = abs(position.entry_cost)
    for order in orders:
        covered = min(lots, order.open_quantity)
        lots -= covered
        if covered == order.open_quantity:
            free.add(order.order_id)
        if is_by_notional:
            parts[order.order_id] = _reserve_by_notional(position, order, covered, free_notional, mark_price)
            free_notional = max(0, free_notional - _margined(position, order, mark_price))
            continue
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


def _reserve_by_notional(position: Position, order: RestingOrder, covered: Lots, free_notional: Cash, mark: Ticks) -> Cash:
    instrument, lots = position.instrument, order.open_quantity
    return order_reserve_by_notional(instrument, order.sign, lots, covered, free_notional, order.price, mark, position.leverage)


def _margined(position: Position, order: RestingOrder, mark_price: Ticks) -> Cash:
    price = margin_price(order.sign, order.price, mark_price)
    return notional_value(position.instrument, order.open_quantity, price)


def order_margin(position: Position, mark_price: Ticks | None) -> Cash:
    """Return R of a symbol, remembered until the position, its orders or the mark change."""
    if not position.orders:
        return 0
    assert mark_price is not None, "no order is accepted before there is a mark"
    if position.order_margin is None or position.order_margin_mark != mark_price:
        position.order_margin = margin_of_orders(position, position.orders.values(), mark_price).total
        position.order_margin_mark = mark_price
    return position.order_margin
