"""The formulas of the FUND and MARK rules written a second time, with fractions, for the naive venue."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

from exchange.domain.instrument import FundingTerms, IndexMarkTerms, Instrument
from tests.properties.naive_formulas import GRID_MAX, MILLION, toward_zero

BILLION = 1_000_000_000
Levels = Sequence[tuple[int, int]]
"""(price, lots) of one side of a book, best first."""


def half_even(value: Fraction) -> int:
    return round(value)


def bounded(value: Fraction, bound: Fraction) -> Fraction:
    return max(-bound, min(bound, value))


def impact_price(instrument: Instrument, levels: Levels, notional: int) -> Fraction | None:
    """FUND-001: the average price of trading `notional` into a side, the last level in part; None: it holds less."""
    spent, lots = Fraction(0), Fraction(0)
    for price, quantity in levels:
        taken = min(Fraction(quantity), (notional - spent) / (price * instrument.cash_per_tick_lot))
        spent += taken * price * instrument.cash_per_tick_lot
        lots += taken
    return spent / instrument.cash_per_tick_lot / lots if lots and spent == notional else None


def premium(instrument: Instrument, terms: FundingTerms, index: int, bids: Levels, asks: Levels) -> int:
    """FUND-001: in billionths of the index, toward zero, within the cap."""
    side: Levels = ()
    if bids and bids[0][0] > index:
        side = bids
    elif asks and asks[0][0] < index:
        side = asks
    impact = impact_price(instrument, side, terms.impact_notional)
    if impact is None:
        return 0
    return max(-terms.cap, min(terms.cap, toward_zero((impact / index - 1) * BILLION)))


def funding_rate(terms: FundingTerms, average: int) -> int:
    """FUND-002."""
    rate = average + max(-terms.clamp, min(terms.clamp, terms.interest - average))
    return max(-terms.cap, min(terms.cap, rate))


def funding_credit(instrument: Instrument, q: int, mark: int, rate: int) -> int:
    """FUND-003."""
    return floor(Fraction(-q * mark * instrument.cash_per_tick_lot * rate, BILLION))


def made_mark(terms: IndexMarkTerms, index: int, carried: Fraction, basis: int, last: Fraction) -> int:
    """MARK-003: `basis` is in millionths of a tick."""
    middle = sorted((carried, index + Fraction(basis, MILLION), last))[1]
    band = Fraction(terms.band, MILLION)
    low, high = ceil(index * (1 - band)), floor(index * (1 + band))
    return min(GRID_MAX, max(1, low, min(high, half_even(middle))))
