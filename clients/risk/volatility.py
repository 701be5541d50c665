"""Realised volatility of a series of marks, in whole numbers: no logarithm, no square root, nothing rounded down.

The estimator is the root mean square of simple returns about zero: over ``n`` steps from mark to mark,
``variance = sum(((P[i] - P[i-1]) / P[i-1])**2) / n`` per step. About zero, because over short windows a mean is mostly
noise; simple returns, because a position's profit is linear in them. Over ``h`` steps the variance is ``h`` times that of
one (steps taken as uncorrelated). Variances are compared squared, so no root is ever taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isqrt

from clients.risk.position_plan import PlanRefused
from exchange.domain.units import PPB, Ppb, Ticks, ceil_div

STEPS_MIN = 2
"""One step is no sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Volatility:
    """What a window of marks has moved per step. Units: ``variance`` square ppb per step, rounded up; ``steps`` count."""

    variance: int
    steps: int

    def over(self, horizon: int) -> Ppb:
        """Return the volatility over ``horizon`` steps as a fraction of the price, in ppb, rounded up."""
        return _root_up(self.variance * horizon)


def realized_volatility(marks: Sequence[Ticks], *, window: int | None = None) -> Volatility:
    """Return the volatility of the last ``window`` steps of a series of marks, of all of it by default.

    Units: marks in ticks, oldest first. Raises ``PlanRefused`` when there are too few marks, or one is not positive.
    """
    steps = len(marks) - 1 if window is None else window
    if steps < STEPS_MIN:
        raise PlanRefused("window", f"{steps} steps are no sample; take at least {STEPS_MIN}")
    if steps > len(marks) - 1:
        raise PlanRefused("window", f"{steps} steps need {steps + 1} marks, and there are {len(marks)}; lower it")
    taken = marks[len(marks) - steps - 1 :]
    if min(taken) < 1:
        raise PlanRefused("marks", f"{min(taken)} is no mark; every one must be at least one tick")
    squares = sum(ceil_div((after - before) ** 2 * PPB**2, before**2) for before, after in pairwise(taken))
    return Volatility(variance=ceil_div(squares, steps), steps=steps)


def _root_up(value: int) -> int:
    root = isqrt(value)
    return root if root * root == value else root + 1
