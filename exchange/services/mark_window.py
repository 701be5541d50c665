"""Which stretch of time a path plays: one asked for, or the one around the largest fall of a file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from exchange.services.mark_file import MarkFile, MarkFileError, Point

WINDOW_MS = 50 * 60 * 1_000
"""How long the stretch around the largest fall is: 50 minutes."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Window(NamedTuple):
    """From one time to a later one, both included. Units: milliseconds since the Unix epoch."""

    from_ms: int
    to_ms: int


class Fall(NamedTuple):
    """A high and a later low, at most ``WINDOW_MS`` apart."""

    high: Point
    low: Point

    def is_deeper_than(self, other: Fall) -> bool:
        """Return whether this fall loses the larger part of its high; exact, by cross-multiplication."""
        return self.low.price * other.high.price < other.low.price * self.high.price


def time_ms_of(moment: datetime) -> int:
    """Return a time with a zone as whole milliseconds since the Unix epoch."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def parse_utc(text: str) -> int:
    """Return a time such as ``2025-10-10T20:50`` in milliseconds; without a zone it is UTC.

    Raises ``ValueError`` with a sentence when the text is no such time.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no time; write it as 2025-10-10T20:50 (UTC)") from None
    return time_ms_of(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def format_utc(time_ms: int) -> str:
    """Return a time as ``2025-10-10 20:50:00`` (UTC)."""
    return (_EPOCH + timedelta(milliseconds=time_ms)).strftime("%Y-%m-%d %H:%M:%S")


def find_largest_fall(points: Iterable[Point]) -> Fall | None:
    """Return the pair that loses the largest part of its high within ``WINDOW_MS``, the earliest of equal falls.

    Of equal highs the latest counts, so that the fall is as short as it was. Both ends are points of the path, the low at or
    after the high and at most ``WINDOW_MS`` later. One pass: a queue keeps the highs of the last ``WINDOW_MS`` that no later
    point has reached, so its front is the highest, and every point enters and leaves it once. Returns None for no points.
    """
    highs: deque[Point] = deque()
    deepest: Fall | None = None
    for point in points:
        while highs and highs[-1].price <= point.price:
            highs.pop()
        highs.append(point)
        while highs[0].time_ms < point.time_ms - WINDOW_MS:
            highs.popleft()
        fall = Fall(highs[0], point)
        if deepest is None or fall.is_deeper_than(deepest):
            deepest = fall
    return deepest


def window_around_largest_fall(files: Sequence[MarkFile], step_ms: int) -> Window:
    """Return the ``WINDOW_MS`` with the deepest fall of all files in its middle, within the time of that fall's file.

    Equal time is left before the high and after the low; the start is a whole multiple of ``step_ms`` since the Unix epoch
    where the file allows; a file shorter than the window is played whole.
    """
    deepest: Fall | None = None
    owner = files[0]
    for file in files:
        fall = find_largest_fall(file.points())
        if fall is not None and (deepest is None or fall.is_deeper_than(deepest)):
            deepest, owner = fall, file
    assert deepest is not None, "a mark file has at least two rows"
    margin_ms = (WINDOW_MS - (deepest.low.time_ms - deepest.high.time_ms)) // 2
    start_ms = (deepest.high.time_ms - margin_ms) // step_ms * step_ms
    start_ms = max(owner.start_ms, min(start_ms, owner.end_ms - WINDOW_MS))
    return Window(start_ms, min(start_ms + WINDOW_MS, owner.end_ms))


def check_window(file: MarkFile, window: Window) -> None:
    """Raise ``MarkFileError`` naming the file's own span when no bar of it overlaps the window."""
    if not any(bar.time_ms < window.to_ms and window.from_ms < bar.time_ms + file.bar_ms for bar in file.bars):
        raise MarkFileError(
            f"mark file {file.name}: it has no row between {format_utc(window.from_ms)} and {format_utc(window.to_ms)} UTC;"
            f" its rows span {format_utc(file.start_ms)} to {format_utc(file.end_ms)} UTC, so choose --from and --to"
            " inside that"
        )
