"""Candles folded from trades, beside candles made by looking through all trades again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.services.candles import INTERVALS, SECOND, Candle, Candles
from tests.properties.profiles import profile

MINUTE = 60 * SECOND
Trade = tuple[int, int, int]
"""Price, quantity, time."""


def made(trades: Sequence[Trade], candles_max: int = 1_000) -> Candles:
    candles = Candles(candles_max)
    for trade in trades:
        candles.add(*trade)
    return candles


def looked_through(trades: Sequence[Trade], interval: str, now_ns: int) -> list[Candle]:
    """Every candle from that of the first trade to that of now, each made of the trades in it."""
    found: list[Candle] = []
    length = INTERVALS[interval]
    start = trades[0][2] // length * length
    while start <= now_ns:
        inside = [trade for trade in trades if start <= trade[2] < start + length]
        prices = [price for price, _, _ in inside] or [found[-1].close]
        volume, value = sum(q for _, q, _ in inside), sum(p * q for p, q, _ in inside)
        found.append(Candle(start, prices[0], max(prices), min(prices), prices[-1], volume, value, len(inside)))
        start += length
    return found


@pytest.mark.rule("WIRE-024")
@given(
    steps=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 130)), min_size=1, max_size=12),
    wait=st.integers(0, 200),
    limit=st.integers(1, 40),
    before=st.integers(0, 1_800),
    interval=st.sampled_from(["1s", "1m", "5m"]),
)
@profile(100)
def test_a_page_is_what_looking_through_all_trades_gives(
    steps: list[Trade], wait: int, limit: int, before: int, interval: str
) -> None:
    seconds, trades = 17, []
    for price, quantity, gap in steps:
        seconds += gap
        trades.append((price, quantity, seconds * SECOND))
    now_ns, candles = (seconds + wait) * SECOND, made(trades)
    everything = looked_through(trades, interval, now_ns)
    assert list(candles.page(interval, limit, now_ns=now_ns)) == everything[-limit:]
    earlier = [candle for candle in everything if candle.start_ns < before * SECOND]
    assert list(candles.page(interval, limit, now_ns=now_ns, before_ns=before * SECOND)) == earlier[-limit:]


@pytest.mark.rule("WIRE-024")
def test_pages_put_together_are_the_whole_history() -> None:
    trades = [(10 + n % 3, 1, n * 7 * SECOND) for n in range(40)]
    candles, now_ns = made(trades), 300 * SECOND
    pages: list[Candle] = []
    before_ns = None
    while page := candles.page("1s", 11, now_ns=now_ns, before_ns=before_ns):
        pages[:0] = page
        before_ns = page[0].start_ns
    assert pages == looked_through(trades, "1s", now_ns)


@pytest.mark.rule("WIRE-024")
def test_a_trade_at_the_end_of_a_candle_belongs_to_the_next() -> None:
    candles = made([(10, 1, MINUTE - 1), (20, 2, MINUTE)])
    assert candles.page("1m", 5, now_ns=MINUTE) == (
        Candle(0, 10, 10, 10, 10, 1, 10, 1),
        Candle(MINUTE, 20, 20, 20, 20, 2, 40, 1),
    )


@pytest.mark.rule("WIRE-024")
def test_only_so_many_candles_with_a_trade_are_remembered_however_long_the_silence() -> None:
    candles = made([(10, 1, 0), (11, 1, SECOND), (12, 1, 10**6 * SECOND)], candles_max=2)
    page = candles.page("1s", 500, now_ns=10**6 * SECOND)
    assert (len(page), page[0].close, page[0].volume, page[-1].close) == (500, 11, 0, 12)
    assert candles.page("1s", 500, now_ns=10**6 * SECOND, before_ns=SECOND) == (), "what was before the oldest is not known"
    assert candles.at("1s", 0) is None
    assert candles.at("1d", 0) is not None


def test_without_trades_there_are_no_candles() -> None:
    assert Candles().page("1m", 5, now_ns=MINUTE) == ()
    assert Candles().latest("1m") is None
