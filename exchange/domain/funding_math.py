"""Funding as pure functions: the premium over the index, its average, the rate, and what each position gets (FUND rules).

Rates are whole parts per thousand million (ppb) per funding interval; a positive rate is paid by longs to shorts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from exchange.domain.margin_math import PriceRoot
from exchange.domain.units import PPB, Cash, Lots, Ppb, Ticks, TimeNs, div_half_even, div_toward_zero


class Premium(NamedTuple):
    """How far above the index the book trades, as an exact fraction of the index; ``denominator`` is positive."""

    numerator: int
    denominator: int

    def truncated(self, parts: int = PPB) -> int:
        """Return the premium in whole ``1/parts``, rounded toward zero."""
        return div_toward_zero(self.numerator * parts, self.denominator)


class TimeAverage(NamedTuple):
    """A sum of values weighted by how long each of them held, and those times; time in halt is never added (FUND-001).

    Units: ``weighted_sum`` that of the values times ns.
    """

    weighted_sum: int = 0
    weight: TimeNs = 0

    def extended(self, value: int, elapsed: TimeNs) -> TimeAverage:
        """Return the average after ``value`` held for ``elapsed`` more."""
        return TimeAverage(self.weighted_sum + value * elapsed, self.weight + elapsed)

    def rounded(self) -> int:
        """Return the average in the unit of the values, half to even; 0 when nothing was added."""
        return div_half_even(self.weighted_sum, self.weight) if self.weight else 0


def impact_price(levels: Iterable[tuple[Ticks, Lots]], cash_per_tick_lot: Cash, impact_notional: Cash) -> PriceRoot | None:
    """Return the average price of trading ``impact_notional`` into one side of a book, best level first (FUND-001).

    The last level is taken in part, as a fraction of lots; a notional of 0 gives the best price. None when the side does not
    hold that much.
    """
    taken_lots = 0
    remaining = impact_notional
    for price, lots in levels:
        at_level = price * lots * cash_per_tick_lot
        if remaining <= at_level:
            if impact_notional == 0:
                return PriceRoot(price, 1)
            return PriceRoot(impact_notional * price, price * taken_lots * cash_per_tick_lot + remaining)
        taken_lots += lots
        remaining -= at_level
    return None


def exact_premium(
    index_price: Ticks,
    bids: Sequence[tuple[Ticks, Lots]],
    asks: Sequence[tuple[Ticks, Lots]],
    cash_per_tick_lot: Cash,
    impact_notional: Cash,
) -> Premium:
    """Return the premium of the book over the index (FUND-001).

    Where the best bid is above the index it is the impact bid over the index, where the best ask is below it the impact
    ask, less 1; between the two, and where that side does not hold ``impact_notional``, it is 0.
    """
    price: PriceRoot | None = None
    if bids and bids[0][0] > index_price:
        price = impact_price(bids, cash_per_tick_lot, impact_notional)
    elif asks and asks[0][0] < index_price:
        price = impact_price(asks, cash_per_tick_lot, impact_notional)
    if price is None:
        return Premium(0, 1)
    return Premium(price.numerator - index_price * price.denominator, index_price * price.denominator)


def premium_index(
    index_price: Ticks,
    bids: Sequence[tuple[Ticks, Lots]],
    asks: Sequence[tuple[Ticks, Lots]],
    cash_per_tick_lot: Cash,
    impact_notional: Cash,
    cap: Ppb,
) -> Ppb:
    """Return the premium of the book over the index, bounded to ``cap`` on both sides, toward zero (FUND-001)."""
    premium = exact_premium(index_price, bids, asks, cash_per_tick_lot, impact_notional)
    return clamped(premium.truncated(), cap)


def clamped(value: int, bound: int) -> int:
    """Return ``value``, or the nearer end of the range from ``-bound`` to ``bound``."""
    return max(-bound, min(bound, value))


def funding_rate(average_premium: Ppb, interest: Ppb, clamp: Ppb, cap: Ppb) -> Ppb:
    """Return the rate of an interval: the premium plus interest less premium within ``clamp``, within ``cap`` (FUND-002)."""
    return clamped(average_premium + clamped(interest - average_premium, clamp), cap)


def funding_credit(quantity: Lots, mark_price: Ticks, cash_per_tick_lot: Cash, rate: Ppb) -> Cash:
    """Return what a position gets from funding, negative when it pays, rounded down (FUND-003).

    Over all positions of a symbol these add up to 0 or less, by less than a unit each; the residual is the fund's.
    """
    return -quantity * mark_price * cash_per_tick_lot * rate // PPB
