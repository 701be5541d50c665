"""The channel that tells a book order by order (WIRE-027): what rests, under the venue's order ids and without accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeAlias

from exchange.domain.enums import Side
from exchange.domain.events import Event, TradeExecuted
from exchange.domain.ids import OrderId, Symbol
from exchange.domain.units import Lots, Ticks
from exchange.domain.views import OrderView
from exchange.server.parts import ExchangeParts
from exchange.server.pictures import Stream
from exchange.server.subscriptions import Subscriptions
from exchange.services.sequencer import Applied
from exchange.wire.bodies import time_us
from exchange.wire.market_messages import BookOrderChange, BookOrdersUpdate, RestingOrder

Action: TypeAlias = Literal["add", "change", "remove"]
CHANNEL: Literal["book.orders"] = "book.orders"


class Resting(NamedTuple):
    """What everybody may know of a resting order. Units: price ticks, quantity lots."""

    side: Side
    price: Ticks
    quantity: Lots


class OrderBookStreams:
    """Makes the messages of ``book.orders``: one delta per command, with a chain of sequences of its own."""

    def __init__(self, parts: ExchangeParts, subscriptions: Subscriptions, book_orders_max: int) -> None:
        self._venue = parts.venue
        self._subscriptions = subscriptions
        self._book_orders_max = book_orders_max
        self._sequences: dict[Symbol, int] = {}
        self._told: dict[Symbol, dict[OrderId, Resting]] = {}
        """What followers know, of each symbol that has some."""

    def take_deltas(self, applied: Applied) -> Iterator[tuple[Stream, BookOrdersUpdate]]:
        """Yield what the command changed in every book that somebody follows order by order; ask once, at its end."""
        touched: dict[Symbol, dict[OrderId, None]] = {}
        for order in _orders_of(applied.events):
            touched.setdefault(order.symbol, {})[order.order_id] = None
        for symbol, order_ids in touched.items():
            stream = Stream(CHANNEL, symbol)
            if not self._subscriptions.of(stream):
                continue
            changes = tuple(change for order_id in order_ids for change in self._changes(symbol, order_id))
            if changes:
                before, self._sequences[symbol] = self._sequences[symbol], applied.sequence
                yield stream, self._update("delta", symbol, before, applied.sequence, changes=changes)

    def snapshot(self, stream: Stream) -> BookOrdersUpdate:
        """Return every resting order, each side in the order of priority, at the place in the chain where followers are."""
        symbol = stream.of
        assert symbol is not None, "a book is that of a symbol"
        sides = {side: self._venue.resting_orders(symbol, side) for side in Side}
        told = {order.order_id: _resting(order) for orders in sides.values() for order in orders}
        if told != self._told.get(symbol):  # nobody followed it since it was told last
            self._told[symbol], self._sequences[symbol] = told, self._venue.sequence
        sequence = self._sequences[symbol]
        bids, asks = (
            tuple(self._shown(order) for order in sides[side][: self._book_orders_max]) for side in (Side.BUY, Side.SELL)
        )
        return self._update("snapshot", symbol, sequence, sequence, bids=bids, asks=asks)

    def _changes(self, symbol: Symbol, order_id: OrderId) -> Iterator[BookOrderChange]:
        """Yield what followers must do about one order: it keeps its place unless it is removed and added again."""
        told = self._told[symbol]
        before, view = told.pop(order_id, None), self._venue.resting_order(symbol, order_id)
        now = None if view is None else _resting(view)
        if now is not None:
            told[order_id] = now
        if before == now:
            return
        keeps_place = before is not None and now is not None and before.price == now.price and now.quantity < before.quantity
        if keeps_place and now is not None:
            yield self._change("change", symbol, order_id, now)
            return
        if before is not None:
            yield self._change("remove", symbol, order_id, before._replace(quantity=0))
        if now is not None:
            yield self._change("add", symbol, order_id, now)

    def _change(
        self, action: Literal["add", "change", "remove"], symbol: Symbol, order_id: OrderId, order: Resting
    ) -> BookOrderChange:
        instrument = self._venue.instruments[symbol]
        return BookOrderChange(
            action=action,
            order_id=order_id,
            side=order.side.value,
            price=instrument.price_grid.format(order.price),
            quantity=instrument.quantity_grid.format(order.quantity),
        )

    def _shown(self, order: OrderView) -> RestingOrder:
        instrument = self._venue.instruments[order.symbol]
        price, quantity = instrument.price_grid.format(order.limit_price), instrument.quantity_grid.format(order.open_quantity)
        return order.order_id, price, quantity

    def _update(
        self,
        kind: Literal["snapshot", "delta"],
        symbol: Symbol,
        previous_sequence: int,
        sequence: int,
        *,
        bids: tuple[RestingOrder, ...] = (),
        asks: tuple[RestingOrder, ...] = (),
        changes: tuple[BookOrderChange, ...] = (),
    ) -> BookOrdersUpdate:
        return BookOrdersUpdate(
            type=kind,
            symbol=symbol,
            sequence=sequence,
            previous_sequence=previous_sequence,
            bids=bids,
            asks=asks,
            changes=changes,
            time_us=time_us(self._venue.now_ns),
        )


def _resting(order: OrderView) -> Resting:
    return Resting(order.side, order.limit_price, order.open_quantity)


def _orders_of(events: Iterable[Event]) -> Iterator[OrderView]:
    """Yield the orders that a command's events speak of, in their order."""
    for event in events:
        if isinstance(event, TradeExecuted):
            yield event.maker.order
            yield event.taker.order
        elif isinstance(order := getattr(event, "order", None), OrderView):
            yield order
