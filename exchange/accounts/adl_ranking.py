"""Whose opposite position is deleveraged first: replaceable scores, exact and without ties of their own (LIQ-008)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple, TypeAlias, TypeVar

from exchange.domain.policy import AdlRanking
from exchange.domain.units import Cash, Lots

Name = TypeVar("Name", bound=tuple[str, ...])


class Candidate(NamedTuple):
    """What a ranking may look at: the position's size, profit and entry notional, its scope's notional and equity."""

    quantity: Lots
    profit: Cash
    entry_notional: Cash
    notional: Cash
    equity: Cash


Score: TypeAlias = tuple[int, Fraction]
"""Group (lower first), then score (higher first)."""
Ranking: TypeAlias = Callable[[Candidate], Score]

LAST: Score = (2, Fraction(0))
"""The place of those whose scope has no equity: they have no score."""


def profit_leverage(held: Candidate) -> Score:
    """Rank by profit on entry times effective leverage; losers after all winners, the least levered loss first."""
    if held.equity <= 0:
        return LAST
    share = Fraction(held.profit, max(1, held.entry_notional))
    if held.profit > 0:
        return 0, share * Fraction(held.notional, held.equity)
    return 1, share * Fraction(held.equity, held.notional)


def profit_ratio(held: Candidate) -> Score:
    """Rank by profit over the scope's equity."""
    return LAST if held.equity <= 0 else (0, Fraction(held.profit, held.equity))


def size(held: Candidate) -> Score:
    """Rank by the size of the position alone."""
    return 0, Fraction(abs(held.quantity))


RANKINGS: Mapping[AdlRanking, Ranking] = {
    AdlRanking.PROFIT_LEVERAGE: profit_leverage,
    AdlRanking.PROFIT_RATIO: profit_ratio,
    AdlRanking.SIZE: size,
}


def in_order(scored: Iterable[tuple[Name, Score]]) -> list[Name]:
    """Return the names by group, then by falling score, ties by name."""
    return [name for name, _ in sorted(scored, key=lambda each: (each[1][0], -each[1][1], each[0]))]
