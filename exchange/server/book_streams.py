"""The channels of order books: one delta per command and depth, each with a chain of sequences of its own (WIRE-010)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from exchange.domain.enums import Side
from exchange.domain.events import BookChanged
from exchange.domain.ids import Symbol
from exchange.domain.units import Ticks
from exchange.domain.views import DepthLevel
from exchange.server.parts import ExchangeParts
from exchange.server.pictures import Stream
from exchange.server.subscriptions import Subscriptions
from exchange.services.sequencer import Applied
from exchange.wire import fields
from exchange.wire import messages as wire
from exchange.wire.bodies import level_pairs, time_us
from exchange.wire.checksum import CHECKSUM_LEVELS, book_checksum

Pairs: TypeAlias = tuple[tuple[str, str], ...]
"""Levels of one side, best first, as pairs of price and quantity."""
GONE = "0"
"""The quantity of a level that is there no more."""


class Top(NamedTuple):
    """The best levels of a book as a channel of limited depth told them last."""

    sequence: int
    bids: Pairs
    asks: Pairs


class BookStreams:
    """Makes the messages of ``book`` and of its channels of limited depth.

    A command may change a book several times (an order, then liquidations, then a slice of the fund); what subscribers
    see of it is one delta, so that a sequence names one state of the book.
    """

    def __init__(self, parts: ExchangeParts, subscriptions: Subscriptions, book_levels_max: int) -> None:
        self._venue, self._feed = parts.venue, parts.feed
        self._subscriptions = subscriptions
        self._book_levels_max = book_levels_max
        self._changed: dict[Symbol, dict[tuple[Side, Ticks], DepthLevel]] = {}
        self._tops: dict[Stream, Top] = {}

    def note(self, event: BookChanged) -> None:
        """Take in one change of a book; of several of one level the last counts."""
        levels = self._changed.setdefault(event.symbol, {})
        levels.update({(level.side, level.price): level for level in event.levels})

    def take_deltas(self, symbol: Symbol, applied: Applied) -> Iterator[tuple[Stream, wire.BookUpdate]]:
        """Yield what the command changed in a book, for each depth that anybody follows; ask once, at its last change."""
        levels = self._changed.pop(symbol)
        streams = [Stream(channel, symbol) for channel in fields.BOOK_DEPTHS]
        followed = [stream for stream in streams if self._subscriptions.of(stream)]
        if not followed:
            return
        bids, asks = self._best(symbol, max(_levels_needed(stream) for stream in followed))
        for stream in followed:
            if fields.BOOK_DEPTHS[stream.channel] is None:
                yield stream, self._delta(stream, tuple(levels.values()), book_checksum(bids, asks))
            elif update := self._top_delta(stream, bids, asks, applied):
                yield stream, update

    def snapshot(self, stream: Stream) -> wire.BookUpdate:
        """Return the present book as a channel begins it, at the place in its chain where its followers are."""
        assert stream.of is not None, "a book is that of a symbol"
        depth = fields.BOOK_DEPTHS[stream.channel]
        bids, asks = self._best(stream.of, self._book_levels_max if depth is None else depth)
        sequence = self._feed.market(stream.of).book_sequence
        if depth is not None:
            top = self._tops.get(stream)
            if top is not None and (top.bids, top.asks) == (bids, asks):
                sequence = top.sequence
            else:  # nobody followed it since it was told last
                self._tops[stream] = Top(sequence, bids, asks)
        return self._update(stream, "snapshot", (sequence, sequence), bids, asks, book_checksum(bids, asks))

    def _delta(self, stream: Stream, levels: tuple[DepthLevel, ...], checksum: int) -> wire.BookUpdate:
        assert stream.of is not None, "a book is that of a symbol"
        instrument, market = self._venue.instruments[stream.of], self._feed.market(stream.of)
        sides: dict[Side, Pairs] = {}
        for side in Side:
            found = sorted((level for level in levels if level.side is side), key=lambda level: -level.side.sign * level.price)
            sides[side] = level_pairs(instrument, found)
        sequences = market.book_sequence_before, market.book_sequence
        return self._update(stream, "delta", sequences, sides[Side.BUY], sides[Side.SELL], checksum)

    def _top_delta(self, stream: Stream, bids: Pairs, asks: Pairs, applied: Applied) -> wire.BookUpdate | None:
        """Return what is new in the best levels; None where the change was further from the mid."""
        depth = fields.BOOK_DEPTHS[stream.channel]
        before, now = self._tops[stream], Top(applied.sequence, bids[:depth], asks[:depth])
        if (before.bids, before.asks) == (now.bids, now.asks):
            return None
        self._tops[stream] = now
        changes = _changes(before.bids, now.bids), _changes(before.asks, now.asks)
        checksum = book_checksum(now.bids, now.asks)
        return self._update(stream, "delta", (before.sequence, now.sequence), *changes, checksum)

    def _update(
        self,
        stream: Stream,
        kind: Literal["snapshot", "delta"],
        sequences: tuple[int, int],
        bids: Pairs,
        asks: Pairs,
        checksum: int,
    ) -> wire.BookUpdate:
        return wire.BookUpdate(
            channel=stream.channel,
            type=kind,
            symbol=stream.of or "",
            previous_sequence=sequences[0],
            sequence=sequences[1],
            bids=bids,
            asks=asks,
            checksum=checksum,
            time_us=time_us(self._venue.now_ns),
        )

    def _best(self, symbol: Symbol, levels_max: int) -> tuple[Pairs, Pairs]:
        bids, asks = self._venue.depth(symbol, levels_max)
        instrument = self._venue.instruments[symbol]
        return level_pairs(instrument, bids), level_pairs(instrument, asks)


def _levels_needed(stream: Stream) -> int:
    return fields.BOOK_DEPTHS[stream.channel] or CHECKSUM_LEVELS


def _changes(before: Pairs, now: Pairs) -> Pairs:
    """Return what makes the levels told before those of now; a level that fell out of the depth counts as gone."""
    told, present = dict(before), dict(now)
    gone = tuple((price, GONE) for price in told if price not in present)
    return gone + tuple((price, quantity) for price, quantity in now if told.get(price) != quantity)
