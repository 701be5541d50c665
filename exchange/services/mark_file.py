"""Recorded bars read from a csv file: columns by header name, prices exact, every refusal with its line.

Two layouts are read: ``ts_ms, open, high, low, close`` in any order, and that of Binance's public kline files
(``open_time, open, high, low, close, ...``; the older ones have no header). Columns beyond these are ignored.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from exchange.services.exact_price import ExactPrice, parse_price

ROWS_MAX = 500_000
"""The most bars that are read: more than five days of seconds."""
LINE_LENGTH_MAX = 4_096
"""The most characters of one line; a longer one is no row of bars."""
TIME_MS_MIN = 10**11
"""1973: a smaller time is not in milliseconds."""
TIME_US_MIN = 10**14
"""Times from here on are microseconds, as in Binance's spot files since 2025."""
TIME_US_MAX = 2**53 - 1
"""The year 2255: what a clock may show, as whole microseconds on the wire."""

_TIME_COLUMNS = ("ts_ms", "open_time")
_PRICE_COLUMNS = ("open", "high", "low", "close")
_HEADERLESS = (0, 1, 2, 3, 4)
"""Where time and prices stand in a kline file without a header."""


class MarkFileError(ValueError):
    """A mark file that cannot be used; the message is one sentence that names the file and the line."""


class Bar(NamedTuple):
    """What a price did in one interval. Units: ``time_ms`` milliseconds since the Unix epoch, prices exact."""

    time_ms: int
    open: ExactPrice
    high: ExactPrice
    low: ExactPrice
    close: ExactPrice


class Point(NamedTuple):
    """A price that holds from a time on. Units: milliseconds since the Unix epoch, exact price."""

    time_ms: int
    price: ExactPrice


class MarkFile(msgspec.Struct, frozen=True):
    """The bars of one file in order of time; ``bar_ms`` is the shortest distance between two of them."""

    name: str
    bars: tuple[Bar, ...]
    bar_ms: int

    @property
    def start_ms(self) -> int:
        """When the first bar opens."""
        return self.bars[0].time_ms

    @property
    def end_ms(self) -> int:
        """When the last bar closes."""
        return self.bars[-1].time_ms + self.bar_ms

    def points(self) -> Iterator[Point]:
        """Yield each bar's path, a quarter of the bar apart: open, the extremes, close.

        The low comes first in a bar that closes at or above its open, else the high: the order with the shorter way.
        """
        for bar in self.bars:
            first, second = (bar.low, bar.high) if bar.close >= bar.open else (bar.high, bar.low)
            for quarter, price in enumerate((bar.open, first, second, bar.close)):
                yield Point(bar.time_ms + quarter * self.bar_ms // 4, price)


def read_mark_file(path: Path) -> MarkFile:
    """Return the bars of a csv or csv.gz file; ``MarkFileError`` names the file, the line and what to do."""
    name = path.name
    if path.suffix.lower() == ".zip":
        raise MarkFileError(f"mark file {name}: a zip archive is not read; unpack it and name the csv inside")
    try:
        with _open_text(path) as stream:
            bars = _read_bars(name, stream)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise MarkFileError(f"mark file {name}: its gzip data is damaged or cut short; fetch it again") from None
    except UnicodeDecodeError:
        raise MarkFileError(f"mark file {name}: it is not UTF-8 text; give a csv or csv.gz file") from None
    except OSError as error:
        raise MarkFileError(f"mark file {path}: it cannot be read ({error.strerror or error}); check the path") from None
    if len(bars) < 2:
        raise MarkFileError(f"mark file {name}: it holds {len(bars)} rows of prices; at least 2 are needed")
    bar_ms = min(later.time_ms - earlier.time_ms for earlier, later in pairwise(bars))
    return MarkFile(name, tuple(bars), bar_ms)


def _open_text(path: Path) -> IO[str]:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open("r", encoding="utf-8-sig", newline="")


def _bounded_lines(name: str, stream: IO[str]) -> Iterator[str]:
    number = 0
    while line := stream.readline(LINE_LENGTH_MAX + 1):
        number += 1
        if len(line) > LINE_LENGTH_MAX:
            raise MarkFileError(
                f"mark file {name}, line {number}: it is longer than {LINE_LENGTH_MAX} characters; give a csv file of bars"
            )
        yield line


def _read_bars(name: str, stream: IO[str]) -> list[Bar]:
    rows = csv.reader(_bounded_lines(name, stream))
    bars: list[Bar] = []
    columns: tuple[int, ...] | None = None
    try:
        for row in rows:
            if not any(field.strip() for field in row):
                continue
            if columns is None:
                columns = _find_columns(name, row)
                if columns is not _HEADERLESS:
                    continue
            if len(bars) == ROWS_MAX:
                raise MarkFileError(f"mark file {name}: it has more than {ROWS_MAX} rows; cut it to the days you want")
            try:
                bar = _parse_bar(row, columns)
                _check_order(bar, bars[-1] if bars else None)
            except ValueError as error:
                raise MarkFileError(f"mark file {name}, line {rows.line_num}: {error}") from None
            bars.append(bar)
    except csv.Error as error:
        raise MarkFileError(f"mark file {name}, line {rows.line_num}: it is not csv ({error})") from None
    return bars


def _find_columns(name: str, first_row: list[str]) -> tuple[int, ...]:
    """Return where time, open, high, low and close stand, from the header or the headerless kline layout."""
    if first_row[0].strip().isdecimal():
        if len(first_row) <= max(_HEADERLESS):
            raise MarkFileError(
                f"mark file {name}, line 1: a file without a header must have open_time, open, high, low, close as its"
                " first columns; add a header line"
            )
        return _HEADERLESS
    header = [field.strip().lower() for field in first_row]
    time_column = next((column for column in _TIME_COLUMNS if column in header), None)
    missing = [column for column in _PRICE_COLUMNS if column not in header]
    if time_column is None:
        missing.insert(0, "ts_ms")
    if missing or time_column is None:
        found = ", ".join(header)[:200]
        raise MarkFileError(
            f"mark file {name}, line 1: the header lacks {', '.join(missing)} (it has {found});"
            " name the columns ts_ms, open, high, low, close"
        )
    return tuple(header.index(column) for column in (time_column, *_PRICE_COLUMNS))


def _parse_bar(row: list[str], columns: tuple[int, ...]) -> Bar:
    if len(row) <= max(columns):
        raise ValueError(f"the row has {len(row)} fields, and column {max(columns) + 1} is needed; complete or remove it")
    time_column, *price_columns = columns
    time_ms = _parse_time(row[time_column].strip())
    prices: list[ExactPrice] = []
    for column_name, column in zip(_PRICE_COLUMNS, price_columns, strict=True):
        try:
            prices.append(parse_price(row[column].strip()))
        except ValueError as error:
            raise ValueError(f"{column_name}: {error}") from None
    bar = Bar(time_ms, *prices)
    if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
        raise ValueError("open and close must lie between low and high; correct or remove the row")
    return bar


def _parse_time(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise ValueError("the time is no whole number; write milliseconds since 1970")
    value = int(text)
    time_ms = value if value < TIME_US_MIN else value // 1_000
    if not TIME_MS_MIN <= time_ms <= TIME_US_MAX // 1_000:
        raise ValueError(f"the time {value} is neither milliseconds nor microseconds since 1970, up to the year 2255")
    return time_ms


def _check_order(bar: Bar, previous: Bar | None) -> None:
    if previous is None or bar.time_ms > previous.time_ms:
        return
    if bar.time_ms == previous.time_ms:
        raise ValueError("its time is that of the row before; keep one of the two")
    raise ValueError("its time is before that of the row before; sort the file by time")
