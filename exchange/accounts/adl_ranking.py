"""Whose opposite position is deleveraged first: replaceable scores, exact and without ties of their own (LIQ-008)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple, TypeAlias, TypeVar

from exchange.domain.policy import AdlRanking
from exchange.domain.units import CASH_DECIMALS, Cash, Lots

Name = TypeVar("Name", bound=tuple[str, ...])


class Candidate(NamedTuple):
    """What a ranking may look at: the position's size, profit and notionals, its scope's notional, health and wallet."""

    quantity: Lots
    profit: Cash
    entry_notional: Cash
    mark_notional: Cash
    notional: Cash
    equity: Cash
    maintenance: Cash
    wallet: Cash


Score: TypeAlias = tuple[int, Fraction]
"""Group (lower first), then score (higher first)."""
Ranking: TypeAlias = Callable[[Candidate], Score]

ONE_WHOLE: Cash = 10**CASH_DECIMALS
"""One of the settlement currency."""
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


def profit_margin_ratio(held: Candidate) -> Score:
    """Rank by profit on the scope's wallet, of which one whole counts at least, times its margin ratio.

    The source is Binance's answer on its ADL quantile (dev.binance.vision, topic 17801).
    """
    if held.equity <= 0:
        return LAST
    profit_share = Fraction(max(0, held.profit), max(ONE_WHOLE, held.wallet))
    return 0, profit_share * Fraction(held.maintenance, held.equity)


def price_leverage(held: Candidate) -> Score:
    """Rank by how far the mark has moved in favour, as a ratio of prices, times the position's leverage.

    The source is Hyperliquid's page on auto-deleveraging; it gives mark over entry, which is turned over for shorts here.
    """
    if held.equity <= 0:
        return LAST
    mark, entry = max(1, held.mark_notional), max(1, held.entry_notional)
    moved = Fraction(mark, entry) if held.quantity > 0 else Fraction(entry, mark)
    return 0, moved * Fraction(held.mark_notional, held.equity)


RANKINGS: Mapping[AdlRanking, Ranking] = {
    AdlRanking.PROFIT_LEVERAGE: profit_leverage,
    AdlRanking.PROFIT_RATIO: profit_ratio,
    AdlRanking.SIZE: size,
    AdlRanking.PROFIT_MARGIN_RATIO: profit_margin_ratio,
    AdlRanking.PRICE_LEVERAGE: price_leverage,
}


def in_order(scored: Iterable[tuple[Name, Score]]) -> list[Name]:
    """Return the names by group, then by falling score, ties by name."""
    return [name for name, _ in sorted(scored, key=lambda each: (each[1][0], -each[1][1], each[0]))]
