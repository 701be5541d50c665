"""The channels of candles: each as it stands after every trade, and once more when its interval is over (WIRE-024)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from exchange.domain.ids import Symbol
from exchange.domain.units import TimeNs
from exchange.server.parts import ExchangeParts
from exchange.server.pictures import Stream
from exchange.server.subscriptions import Subscriptions
from exchange.services.candles import INTERVALS, Candle
from exchange.wire import fields
from exchange.wire.market_bodies import candle_body
from exchange.wire.market_messages import CandleBody


class CandleStreams:
    """Makes the messages of the channels of candles for whoever follows them."""

    def __init__(self, parts: ExchangeParts, subscriptions: Subscriptions) -> None:
        self._parts = parts
        self._subscriptions = subscriptions
        self._open: dict[Stream, TimeNs] = {}
        """When the candle that each followed stream told last began, unless it was told as closed."""

    def take_closed(self, now_ns: TimeNs) -> Iterator[tuple[Stream, CandleBody]]:
        """Yield the last word on each candle that was told open and is over by ``now_ns``, in nanoseconds."""
        for stream, start_ns in tuple(self._open.items()):
            length = INTERVALS[fields.CANDLE_INTERVALS[stream.channel]]
            if not self._subscriptions.of(stream):
                del self._open[stream]
            elif start_ns + length <= now_ns:
                del self._open[stream]
                candle = self._candle(stream, start_ns)
                if candle is not None:
                    yield stream, self._body(stream, candle, now_ns)

    def take_changed(self, symbols: Iterable[Symbol], now_ns: TimeNs) -> Iterator[tuple[Stream, CandleBody]]:
        """Yield the candles of the symbols that traded, as they stand, in every interval that somebody follows."""
        for symbol in symbols:
            for channel in fields.CANDLE_INTERVALS:
                stream = Stream(channel, symbol)
                if self._subscriptions.of(stream) and (body := self.present(stream, now_ns)) is not None:
                    yield stream, body

    def present(self, stream: Stream, now_ns: TimeNs) -> CandleBody | None:
        """Return the latest candle with a trade; None before the first."""
        candle = self._candle(stream, None)
        if candle is None:
            return None
        body = self._body(stream, candle, now_ns)
        if not body.closed:
            self._open[stream] = candle.start_ns
        return body

    def _candle(self, stream: Stream, start_ns: TimeNs | None) -> Candle | None:
        assert stream.of is not None, "candles are those of a symbol"
        candles, interval = self._parts.feed.market(stream.of).candles, fields.CANDLE_INTERVALS[stream.channel]
        return candles.latest(interval) if start_ns is None else candles.at(interval, start_ns)

    def _body(self, stream: Stream, candle: Candle, now_ns: TimeNs) -> CandleBody:
        assert stream.of is not None, "candles are those of a symbol"
        interval = fields.CANDLE_INTERVALS[stream.channel]
        closed = candle.start_ns + INTERVALS[interval] <= now_ns
        return candle_body(self._parts.venue.instruments[stream.of], interval, candle.values, closed=closed)
