"""From a market's figures to what the peer reads."""

from __future__ import annotations

from typing import TypeAlias

from exchange.domain.instrument import Instrument
from exchange.domain.units import Lots, Ticks, TimeNs, format_cash
from exchange.wire.bodies import time_us
from exchange.wire.fields import IntervalText
from exchange.wire.market_messages import CandleBody, OpenInterestBody

CandleValues: TypeAlias = tuple[TimeNs, Ticks, Ticks, Ticks, Ticks, Lots, int, int]
"""Start, open, high, low, close, volume, value in ticks times lots, number of trades."""


def candle_body(instrument: Instrument, interval: IntervalText, values: CandleValues, *, closed: bool) -> CandleBody:
    """Return a candle as decimal strings."""
    start_ns, first, high, low, close, volume, value, trades = values
    prices = instrument.price_grid
    return CandleBody(
        symbol=instrument.symbol,
        interval=interval,
        start_time_us=time_us(start_ns),
        open=prices.format(first),
        high=prices.format(high),
        low=prices.format(low),
        close=prices.format(close),
        volume=instrument.quantity_grid.format(volume),
        turnover=format_cash(value * instrument.cash_per_tick_lot),
        trades=trades,
        closed=closed,
    )


def open_interest_body(instrument: Instrument, quantity: Lots, mark_price: Ticks | None, now_ns: TimeNs) -> OpenInterestBody:
    """Return open interest in quantity and in notional. Units: quantity lots, mark price ticks, time nanoseconds."""
    notional = None if mark_price is None else format_cash(quantity * mark_price * instrument.cash_per_tick_lot)
    return OpenInterestBody(
        symbol=instrument.symbol,
        quantity=instrument.quantity_grid.format(quantity),
        notional=notional,
        time_us=time_us(now_ns),
    )
