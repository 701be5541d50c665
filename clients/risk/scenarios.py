"""Marks to be survived: stated shocks and recorded paths, in one shape.

A scenario is a sequence of moments, each the marks of all symbols then; health is judged at each. Straight lines between two
moments need no looking at: a scope's equity less its maintenance is concave in the marks (profit is linear, and maintenance
rates never fall from tier to tier), so it is nowhere on a line lower than at the worse of its ends, rounding aside. Where
marks may arrive one symbol after the other, state the moments between, too (``one_by_one``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import TypeAlias

from clients.risk.position_plan import PlanRefused
from exchange.domain.ids import Symbol
from exchange.domain.units import PPM, Ppm, Ticks

Marks: TypeAlias = Mapping[Symbol, Ticks]
Scenario: TypeAlias = Sequence[Marks]

CORNERS_MAX = 4096
"""The most scenarios that ``every_corner`` makes."""


def shocked(marks: Marks, moves: Mapping[Symbol, Ppm]) -> Marks:
    """Return the marks moved by fractions in ppm, a fall rounded down and a rise up, never below one tick.

    Symbols without a move stay. Raises ``PlanRefused`` for a symbol without a mark.
    """
    for symbol in moves:
        if symbol not in marks:
            raise PlanRefused("moves", f"{symbol} has no mark; give it one")
    return {symbol: _moved(mark, moves.get(symbol, 0)) for symbol, mark in marks.items()}


def shock(marks: Marks, moves: Mapping[Symbol, Ppm]) -> Scenario:
    """Return the scenario of one move of all symbols at once; moves in ppm."""
    return (shocked(marks, moves),)


def one_by_one(marks: Marks, moves: Mapping[Symbol, Ppm]) -> Scenario:
    """Return the scenario in which symbols move one after the other, in the order of ``moves``; moves in ppm."""
    steps: list[Marks] = []
    for symbol, move in moves.items():
        steps.append(shocked(steps[-1] if steps else marks, {symbol: move}))
    return tuple(steps)


def every_corner(marks: Marks, moves: Mapping[Symbol, Iterable[Ppm]]) -> tuple[Scenario, ...]:
    """Return a shock for every combination of the symbols' moves: what may happen when nothing moves together.

    Moves in ppm. Raises ``PlanRefused`` above ``CORNERS_MAX`` combinations.
    """
    choices = [tuple(of_symbol) for of_symbol in moves.values()]
    count = 1
    for of_symbol in choices:
        count *= len(of_symbol)
    if count > CORNERS_MAX:
        raise PlanRefused("moves", f"they make {count} combinations; at most {CORNERS_MAX} are allowed, give fewer moves")
    return tuple(shock(marks, dict(zip(moves, corner, strict=True))) for corner in product(*choices))


def path_of(series: Mapping[Symbol, Sequence[Ticks]]) -> Scenario:
    """Return recorded marks, one series per symbol and all of one length, as a scenario; ticks, oldest first."""
    lengths = {len(marks) for marks in series.values()}
    if len(lengths) > 1:
        raise PlanRefused("series", f"they have {sorted(lengths)} marks; give each symbol as many")
    return tuple(dict(zip(series, moment, strict=True)) for moment in zip(*series.values(), strict=True))


def _moved(mark: Ticks, move: Ppm) -> Ticks:
    if move < 0:
        return max(1, mark * (PPM + move) // PPM)
    return -(-mark * (PPM + move) // PPM)
