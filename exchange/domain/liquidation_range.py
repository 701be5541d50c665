"""The marks between which a scope stays healthy, for all the legs that it holds in one symbol (SPEC.md, MARG-006).

In hedge mode a long and a short leg stand side by side: the mark may be too low for the one and too high for the other.
Equity less maintenance is concave in the mark, as rates never fall from tier to tier, so the healthy marks are one range.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from exchange.domain.instrument import Instrument
from exchange.domain.margin_math import MaintenanceLine, PriceRoot, maintenance_lines
from exchange.domain.units import PPM, Cash, Lots, Ticks, ceil_div


class LegTerms(NamedTuple):
    """One leg of a symbol: signed lots and signed entry cost, as a position holds them."""

    instrument: Instrument
    quantity: Lots
    entry_cost: Cash


class LiquidationRange(NamedTuple):
    """The marks at which equity is at least maintenance; both ends belong to it, None is an open end.

    ``is_hopeless`` says that no mark at all is healthy; then both ends are None.
    """

    lower: PriceRoot | None
    upper: PriceRoot | None
    is_hopeless: bool = False


class _Stretch(NamedTuple):
    """Marks over which every leg keeps its tier: from ``start`` to ``end``, in ticks times the shared denominator."""

    start: int
    end: int | None
    lines: list[MaintenanceLine]


def liquidation_range(legs: Sequence[LegTerms], collateral: Cash) -> LiquidationRange:
    """Return the exact marks at which the equity of a symbol's legs equals their maintenance (MARG-006).

    ``collateral`` is the isolated wallet; in cross it is the wallet plus the other positions' profit less their
    maintenance, as for ``margin_math.liquidation_root``. Legs of no lots are left out; without any, no mark matters.
    """
    legs = [leg for leg in legs if leg.quantity]
    if not legs:
        return LiquidationRange(None, None)
    sizes = [abs(leg.quantity) * leg.instrument.cash_per_tick_lot for leg in legs]
    net = sum(leg.quantity * leg.instrument.cash_per_tick_lot for leg in legs)
    at_zero = collateral - sum(leg.entry_cost for leg in legs)
    shared = 1
    for size in sizes:
        shared *= size
    lower: PriceRoot | None = None
    upper: PriceRoot | None = None
    for stretch in _stretches(legs, sizes, shared):
        slope = net * PPM - sum(size * line.rate for size, line in zip(sizes, stretch.lines, strict=True))
        spare = at_zero * PPM - sum(line.constant for line in stretch.lines)
        # The root of spare + slope * mark; at a shared end the later stretch finds the same mark again.
        numerator, denominator = (-spare, slope) if slope > 0 else (spare, -slope)
        if denominator == 0 or numerator <= 0 or numerator * shared < stretch.start * denominator:
            continue
        if stretch.end is not None and numerator * shared > stretch.end * denominator:
            continue
        if slope > 0:
            lower = PriceRoot(numerator, denominator)
        else:
            upper = PriceRoot(numerator, denominator)
    is_hopeless = lower is None and _is_spent_at_zero(at_zero, net, legs)
    return LiquidationRange(lower, upper, is_hopeless)


def shown_liquidation_price(healthy: LiquidationRange, net_quantity: Lots, mark_price: Ticks) -> Ticks | None:
    """Return the liquidation price for display, rounded toward the mark and never beyond it (MARG-006).

    It is the end on the losing side of the net position (net long the lower, else the upper), or the other end where
    that is open; None where both are.
    """
    lower, upper = healthy.lower, healthy.upper
    if lower is not None and (net_quantity > 0 or upper is None):
        return min(ceil_div(lower.numerator, lower.denominator), mark_price)
    if upper is not None:
        return max(upper.numerator // upper.denominator, mark_price)
    return None


def _is_spent_at_zero(at_zero: Cash, net: int, legs: Sequence[LegTerms]) -> bool:
    """Return whether the scope is unhealthy just above a mark of zero; it then needs a lower end to be healthy anywhere."""
    lines = [maintenance_lines(leg.instrument, leg.entry_cost)[0] for leg in legs]
    spare = at_zero * PPM - sum(line.constant for line in lines)
    if spare:
        return spare < 0
    sizes = [abs(leg.quantity) * leg.instrument.cash_per_tick_lot for leg in legs]
    return net * PPM < sum(size * line.rate for size, line in zip(sizes, lines, strict=True))


def _stretches(legs: Sequence[LegTerms], sizes: Sequence[int], shared: int) -> list[_Stretch]:
    """Return the stretches between the marks at which any leg enters a tier, from zero upward."""
    lines = [maintenance_lines(leg.instrument, leg.entry_cost) for leg in legs]
    entered = [
        (line.notional_floor * (shared // size), position, line)
        for position, (of_leg, size) in enumerate(zip(lines, sizes, strict=True))
        for line in of_leg
    ]
    entered.sort(key=lambda entry: entry[0])
    now = [of_leg[0] for of_leg in lines]
    stretches: list[_Stretch] = []
    for index, (start, position, line) in enumerate(entered):
        now[position] = line
        end = entered[index + 1][0] if index + 1 < len(entered) else None
        if end != start:
            stretches.append(_Stretch(start, end, now.copy()))
    return stretches
