"""Beside each other: the same number on every path of an explanation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from exchange.explain.explanation import Compared, PathArithmetic

Row = tuple[str, str, tuple[str, ...]]
"""What a number is, its unit, and the names that it may have: a path's first one counts."""


def compare(paths: Sequence[PathArithmetic], rows: Iterable[Row]) -> tuple[Compared, ...]:
    """Return the numbers of several paths row by row; without a second path there is nothing to compare."""
    if len(paths) < 2:
        return ()
    found = (Compared(meaning, unit, tuple(_first(path, names) for path in paths)) for meaning, unit, names in rows)
    return tuple(row for row in found if any(value is not None for value in row.values))


def _first(path: PathArithmetic, names: Iterable[str]) -> str | None:
    return next((value for value in map(path.value, names) if value is not None), None)
