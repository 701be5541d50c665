"""Candles of one symbol at the usual intervals, folded from its trades; can be thrown away and rebuilt at any time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from exchange.domain.units import Lots, Ticks, TimeNs

CANDLES_MAX = 1_000
"""Candles with a trade that are remembered of one symbol and interval."""
SECOND: TimeNs = 1_000_000_000
INTERVALS: dict[str, TimeNs] = {
    "1s": SECOND,
    "1m": 60 * SECOND,
    "5m": 300 * SECOND,
    "15m": 900 * SECOND,
    "1h": 3_600 * SECOND,
    "4h": 14_400 * SECOND,
    "1d": 86_400 * SECOND,
}
"""How long a candle of each name is; they begin at the multiples of that since the epoch."""


@dataclass(slots=True)
class Candle:
    """What was traded in one interval, as it grows. Units: prices ticks, volume lots, value ticks x lots, start nanoseconds."""

    start_ns: TimeNs
    open: Ticks
    high: Ticks
    low: Ticks
    close: Ticks
    volume: Lots
    value: int
    trades: int

    @property
    def values(self) -> tuple[TimeNs, Ticks, Ticks, Ticks, Ticks, Lots, int, int]:
        """Everything in the order above."""
        return self.start_ns, self.open, self.high, self.low, self.close, self.volume, self.value, self.trades


class Candles:
    """The candles of one symbol. Only those with a trade are kept; those between them are made when they are asked for."""

    def __init__(self, candles_max: int = CANDLES_MAX) -> None:
        self._series: dict[str, deque[Candle]] = {name: deque(maxlen=candles_max) for name in INTERVALS}

    def add(self, price: Ticks, quantity: Lots, time_ns: TimeNs) -> None:
        """Count one trade. Units: price ticks, quantity lots, time nanoseconds, never before that of the trade before."""
        for name, series in self._series.items():
            start_ns = time_ns - time_ns % INTERVALS[name]
            if not series or series[-1].start_ns != start_ns:
                series.append(Candle(start_ns, price, price, price, price, quantity, price * quantity, 1))
                continue
            candle = series[-1]
            if price > candle.high:
                candle.high = price
            elif price < candle.low:
                candle.low = price
            candle.close = price
            candle.volume += quantity
            candle.value += price * quantity
            candle.trades += 1

    def latest(self, interval: str) -> Candle | None:
        """Return the latest candle with a trade, or None."""
        series = self._series[interval]
        return series[-1] if series else None

    def at(self, interval: str, start_ns: TimeNs) -> Candle | None:
        """Return the candle with a trade that began at ``start_ns``, or None where there is none or it is forgotten."""
        return next((candle for candle in reversed(self._series[interval]) if candle.start_ns == start_ns), None)

    def page(self, interval: str, limit: int, *, now_ns: TimeNs, before_ns: TimeNs | None = None) -> tuple[Candle, ...]:
        """Return the last ``limit`` candles that begin before ``before_ns``, oldest first, up to that of ``now_ns``.

        An interval without trades has the last close as all its prices and a volume of 0 (WIRE-024). Units: nanoseconds.
        """
        length = INTERVALS[interval]
        last_ns = now_ns if before_ns is None else min(now_ns, before_ns - 1)
        start_ns = last_ns - last_ns % length
        found: list[Candle] = []
        for candle in reversed(self._series[interval]):
            while candle.start_ns < start_ns and len(found) < limit:
                found.append(_empty(start_ns, candle.close))
                start_ns -= length
            if len(found) == limit:
                break
            if candle.start_ns == start_ns:
                found.append(candle)
                start_ns -= length
        return tuple(reversed(found))


def _empty(start_ns: TimeNs, close: Ticks) -> Candle:
    return Candle(start_ns, close, close, close, close, 0, 0, 0)
