"""The largest fall within 50 minutes, and the window placed around it."""

from __future__ import annotations

import random

import pytest

from exchange.services.mark_file import Bar, MarkFile, MarkFileError, Point
from exchange.services.mark_window import (
    WINDOW_MS,
    Fall,
    Window,
    check_window,
    find_largest_fall,
    format_utc,
    parse_utc,
    window_around_largest_fall,
)

MINUTE = 60_000
T0 = 1_760_126_400_000  # 2025-10-10 20:00:00 UTC


def flat_file(prices: list[int], start_ms: int = T0, name: str = "m.csv") -> MarkFile:
    bars = tuple(Bar(start_ms + index * MINUTE, *[price * 10**18] * 4) for index, price in enumerate(prices))
    return MarkFile(name, bars, MINUTE)


def test_the_deepest_relative_fall_wins_over_the_larger_absolute_one() -> None:
    points = [Point(0, 1_000), Point(1, 800), Point(2, 10), Point(3 * WINDOW_MS, 10), Point(3 * WINDOW_MS + 1, 9)]
    assert find_largest_fall(points) == Fall(Point(0, 1_000), Point(2, 10))
    assert find_largest_fall(points[3:]) == Fall(points[3], points[4])


def test_high_and_low_lie_at_most_fifty_minutes_apart() -> None:
    high, middle = Point(0, 200), Point(WINDOW_MS, 100)
    assert find_largest_fall([high, middle]) == Fall(high, middle)
    late = Point(WINDOW_MS + 1, 50)
    assert find_largest_fall([high, middle, late]) == Fall(high, middle)


def test_the_earliest_of_equal_falls_is_taken_and_a_rise_has_a_fall_of_nothing() -> None:
    points = [Point(0, 10), Point(1, 10), Point(2, 5), Point(3, 20), Point(4, 10)]
    assert find_largest_fall(points) == Fall(points[1], points[2])
    assert find_largest_fall([Point(0, 1), Point(1, 2)]) == Fall(Point(0, 1), Point(0, 1))
    assert find_largest_fall([]) is None


def test_the_single_pass_agrees_with_trying_every_pair() -> None:
    generator = random.Random(5)
    for _ in range(100):
        time_ms, points = 0, []
        for _ in range(40):
            time_ms += generator.randrange(1, WINDOW_MS // 5)
            points.append(Point(time_ms, generator.randrange(1, 30)))
        pairs = [
            Fall(high, low)
            for index, low in enumerate(points)
            for high in points[: index + 1]
            if low.time_ms - high.time_ms <= WINDOW_MS
        ]
        found = find_largest_fall(points)
        assert found is not None
        assert not any(pair.is_deeper_than(found) for pair in pairs)
        assert found in pairs


def test_the_window_leaves_equal_time_on_both_sides_of_the_fall() -> None:
    file = flat_file([100] * 200 + [60] * 200)
    window = window_around_largest_fall([file], 5_000)
    assert format_utc(window.from_ms) == "2025-10-10 22:54:50"  # the fall lasts from 23:19:45 to 23:20:00
    assert window.to_ms - window.from_ms == WINDOW_MS

    spike = flat_file([100] * 190 + [120] + [100] * 9 + [60] * 200)
    window = window_around_largest_fall([spike], 5_000)
    assert format_utc(window.from_ms) == "2025-10-10 22:50:20"
    assert format_utc(window.to_ms) == "2025-10-10 23:40:20"


def test_the_window_stays_inside_the_file() -> None:
    early = flat_file([100, 50] + [60] * 200)
    assert window_around_largest_fall([early], 5_000) == Window(T0, T0 + WINDOW_MS)
    late = flat_file([60] * 200 + [100, 50])
    assert window_around_largest_fall([late], 5_000).to_ms == late.end_ms
    short = flat_file([100, 50, 60])
    assert window_around_largest_fall([short], 5_000) == Window(T0, T0 + 3 * MINUTE)


def test_of_several_files_the_one_that_falls_deepest_decides() -> None:
    mild = flat_file([100] * 60 + [90] * 300)
    deep = flat_file([100] * 300 + [50] * 60)
    assert window_around_largest_fall([mild, deep], 5_000) == window_around_largest_fall([deep], 5_000)


def test_a_window_without_rows_names_the_span_of_the_file() -> None:
    file = flat_file([100, 50, 60])
    check_window(file, Window(T0 + 2 * MINUTE + 1, T0 + 9 * MINUTE))
    with pytest.raises(MarkFileError) as refused:
        check_window(file, Window(T0 + 3 * MINUTE, T0 + 9 * MINUTE))
    assert str(refused.value) == (
        "mark file m.csv: it has no row between 2025-10-10 20:03:00 and 2025-10-10 20:09:00 UTC; its rows span"
        " 2025-10-10 20:00:00 to 2025-10-10 20:03:00 UTC, so choose --from and --to inside that"
    )


@pytest.mark.parametrize(
    "text", ["2025-10-10T20:00", "2025-10-10 20:00", "2025-10-10T20:00:00Z", "2025-10-10T22:00+02:00", " 2025-10-10T20:00 "]
)
def test_a_time_is_utc_unless_it_names_its_zone(text: str) -> None:
    assert parse_utc(text) == T0


@pytest.mark.parametrize("text", ["", "yesterday", "10.10.2025 20:00", "2025-13-01"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no time; write it as 2025-10-10T20:50 \(UTC\)"):
        parse_utc(text)
