"""The mark made of the index and the book, as pure functions (SPEC.md, MARK rules).

The basis (how far the book's middle is from the index) is averaged in millionths of a tick, so that its average moves by
less than a tick.
"""

from __future__ import annotations

from exchange.domain.margin_math import PriceRoot
from exchange.domain.units import PPB, PPM, Ppb, Ppm, Ticks, TimeNs, ceil_div, div_half_even


def carried_index(index_price: Ticks, last_funding_rate: Ppb, time_to_funding: TimeNs, interval: TimeNs) -> PriceRoot:
    """Return the index with the part of the funding rate that is still to come, exactly (MARK-003).

    It is ``index * (1 + rate * time_to_funding / interval)``.
    """
    carry = PPB * interval + last_funding_rate * time_to_funding
    return PriceRoot(index_price * carry, PPB * interval)


def next_basis(basis: int, sample: int, elapsed: TimeNs, window: TimeNs) -> int:
    """Return the moving average of the basis after a sample, half to even (MARK-003).

    The sample weighs ``elapsed / window``, at most 1. Units: ``basis`` and ``sample`` millionths of a tick.
    """
    weight = min(elapsed, window)
    return div_half_even(basis * (window - weight) + sample * weight, window)


def fair_mark(
    index_price: Ticks,
    last_funding_rate: Ppb,
    time_to_funding: TimeNs,
    interval: TimeNs,
    basis: int,
    last_or_mid: Ticks,
    band: Ppm,
) -> Ticks:
    """Return the median of carried index, index plus average basis, and the last or middle price (MARK-003).

    Compared exactly, rounded half to even, and bounded to whole ticks within ``band`` of the index; at least one tick.
    Units: ``basis`` millionths of a tick; ``last_or_mid`` is the index where the book has neither.
    """
    carried = carried_index(index_price, last_funding_rate, time_to_funding, interval)
    shared = carried.denominator * PPM
    median = sorted(
        (
            carried.numerator * PPM,
            (index_price * PPM + basis) * carried.denominator,
            last_or_mid * shared,
        )
    )[1]
    lowest = ceil_div(index_price * (PPM - band), PPM)
    highest = index_price * (PPM + band) // PPM
    return max(1, lowest, min(highest, div_half_even(median, shared)))
