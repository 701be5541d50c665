"""How much of a position a liquidation closes (SPEC.md, LIQ rules).

A close costs money: what it gives up against the mark lowers the scope's equity while it lowers the maintenance. The
target is solved tier by tier, since a close that crosses a tier's floor meets another rate, and then checked in the same
whole numbers that the accounts use.
"""

from __future__ import annotations

from typing import NamedTuple

from exchange.domain.instrument import Instrument
from exchange.domain.margin_math import (
    closed_cost,
    maintenance_margin,
    maintenance_rate,
    margin_notional,
    notional_value,
    tier_at,
)
from exchange.domain.policy import RiskPolicy
from exchange.domain.units import PPM, Cash, Lots, Ppm, Ticks, TimeNs, ceil_div

NANOSECONDS_PER_SECOND = 1_000_000_000
ROUNDED_LOTS: Lots = 64
"""How many lots past the exact solution are tried one by one: where roundings are worth lots, more is not always better."""


class CloseoutRisk(NamedTuple):
    """What the size of a close depends on.

    ``other_maintenance`` is that of the scope's other positions (0 when isolated). ``bankruptcy_loss`` is the equity that
    this whole position carries: what closing all of it at the bankruptcy price would spend; a close never costs more per
    notional than that, nor more than ``loss_rate`` (liquidation fee and expected slippage). ``target`` is the multiple of
    maintenance that the equity is to reach, in ppm.
    """

    instrument: Instrument
    quantity: Lots
    entry_cost: Cash
    mark_price: Ticks
    equity: Cash
    other_maintenance: Cash
    bankruptcy_loss: Cash
    target: Ppm
    loss_rate: Ppm


def target_close(risk: CloseoutRisk) -> Lots:
    """Return the least lots to close so that the equity left is ``target`` times the maintenance left (LIQ-004).

    0 when the target holds already; the whole position when the equity is spent or no part of it reaches the target.
    """
    size = abs(risk.quantity)
    if risk.equity <= 0 or size == 0:
        return size
    if reaches_target(risk, 0):
        return 0
    close = size - _solve(risk, 0)  # no fewer lots can: rounding only takes
    for lots in range(close, min(size, close + ROUNDED_LOTS) + 1):
        if reaches_target(risk, lots):
            return lots
    enough = size - _solve(risk, PPM + 2 * risk.target)  # a unit for the loss rounded up, two for cost and maintenance
    if not reaches_target(risk, enough):
        return size
    while close < enough:
        middle = (close + enough) // 2
        if reaches_target(risk, middle):
            enough = middle
        else:
            close = middle + 1
    return enough


def reaches_target(risk: CloseoutRisk, close: Lots) -> bool:
    """Return whether closing ``close`` lots at the expected loss, rounded up, leaves the target equity (LIQ-004)."""
    size = abs(risk.quantity)
    left = risk.equity - ceil_div(_whole_loss(risk) * close, PPM * size)
    rest, cost = size - close, risk.entry_cost - closed_cost(risk.entry_cost, close, risk.quantity)
    maintenance = risk.other_maintenance + maintenance_margin(risk.instrument, rest, cost, risk.mark_price)
    return left * PPM >= risk.target * maintenance


def tier_step_close(instrument: Instrument, quantity: Lots, entry_cost: Cash, mark_price: Ticks, steps: int = 1) -> Lots:
    """Return the least lots to close so that the rest lies ``steps`` tiers lower; all where there are not as many."""
    size = abs(quantity)
    notional = margin_notional(instrument, quantity, entry_cost, mark_price, instrument.rules.maintenance_price)
    reached = instrument.tiers.index(tier_at(instrument.tiers, notional)) - steps + 1
    if reached <= 0:
        return size
    # What stays of the entry cost is rounded up, so it has to fit below the floor in whole units.
    return size - (instrument.tiers[reached].notional_floor - 1) * size // notional


def fraction_close(instrument: Instrument, quantity: Lots, mark_price: Ticks, fraction: Ppm, notional_min: Cash = 0) -> Lots:
    """Return a fraction of a position, at least ``notional_min`` of it, rounded up to a lot and at most all of it."""
    least = ceil_div(notional_min, mark_price * instrument.cash_per_tick_lot)
    return min(abs(quantity), max(ceil_div(abs(quantity) * fraction, PPM), least))


def unwind_slice(instrument: Instrument, quantity: Lots, mark_price: Ticks, resting: Lots, policy: RiskPolicy) -> Lots:
    """Return how much of its position the fund sells now, of the ``resting`` lots that the slice could meet (LIQ-015)."""
    wanted = abs(quantity)
    if notional_value(instrument, quantity, mark_price) > policy.fund_unwind_whole_max:
        least = policy.fund_unwind_notional_min
        wanted = fraction_close(instrument, quantity, mark_price, policy.fund_unwind_fraction, least)
    return min(wanted, instrument.quantity_max, resting * policy.fund_unwind_book_share // PPM)


def liquidation_fee_rate(instrument: Instrument, policy: RiskPolicy, age: TimeNs) -> Ppm:
    """Return the liquidation fee of a scope that was flagged ``age`` ago: it may rise with time (LIQ-006)."""
    fee = instrument.liquidation_fee
    if not policy.liquidation_fee_rise or age < policy.liquidation_fee_grace:
        return fee
    return max(fee, min(policy.liquidation_fee_max, fee + policy.liquidation_fee_rise * age // NANOSECONDS_PER_SECOND))


def whole_if_dust(instrument: Instrument, quantity: Lots, mark_price: Ticks, close: Lots, remaining_notional_min: Cash) -> Lots:
    """Return ``close``, or the whole position where less than ``remaining_notional_min`` would be left."""
    size = abs(quantity)
    left = notional_value(instrument, size - min(close, size), mark_price)
    return size if left == 0 or left < remaining_notional_min else close


class FillableTerms(NamedTuple):
    """What a limit between mark and bankruptcy depends on: the scope's health, the position's maintenance, and two ppm.

    ``adjustment`` and ``spread`` are the policy's ``fillable_adjustment`` and ``fillable_spread``.
    """

    equity: Cash
    maintenance: Cash
    own_maintenance: Cash
    adjustment: Ppm
    spread: Ppm


def fillable_price(instrument: Instrument, quantity: Lots, mark_price: Ticks, terms: FillableTerms) -> Ticks:
    """Return the limit of a closing order that moves away from the mark as equity is lost: a sell up, a buy down (LIQ-005).

    ``mark - sign * a * spread * own maintenance / size``, where ``a`` is the lost share of the scope's maintenance times
    the adjustment, within 0 and 1. The source is the fillable price of the dYdX v4 protocol.
    """
    whole = PPM * terms.maintenance
    lost = min(max(terms.adjustment * (terms.maintenance - terms.equity), 0), whole)
    given_up = lost * terms.spread * terms.own_maintenance
    ticks = given_up // (abs(quantity) * instrument.cash_per_tick_lot * whole * PPM)
    return mark_price - ticks if quantity > 0 else mark_price + ticks


def _whole_loss(risk: CloseoutRisk) -> int:
    """Return what closing the whole position is expected to cost, times ``PPM``."""
    notional = notional_value(risk.instrument, risk.quantity, risk.mark_price)
    return min(risk.bankruptcy_loss * PPM, risk.loss_rate * notional)


def _solve(risk: CloseoutRisk, rounding: int) -> Lots:
    """Return the most lots that may stay, by the tier in which what stays lies; 0 when there is none.

    In tier ``t`` the notional that may stay is ``(E - k*M - N*d + k*amount) / (k*rate - d)``, with ``k`` the target, ``M``
    the other maintenance, ``N`` the notional that maintenance is measured on and ``d`` the loss per that notional; where
    ``k*rate <= d`` closing does not help.
    From the top, the first tier whose floor that reaches is the one: maintenance is continuous and its rates never fall, so
    a root above the next floor would have been found there. ``rounding`` is taken off the equity, in cash times ``PPM``.
    """
    size = abs(risk.quantity)
    instrument = risk.instrument
    measured_at = instrument.rules.maintenance_price
    notional = margin_notional(instrument, risk.quantity, risk.entry_cost, risk.mark_price, measured_at)
    loss = _whole_loss(risk)
    spare = risk.equity * PPM - risk.target * risk.other_maintenance - loss - rounding
    for tier in reversed(instrument.tiers):
        slope = risk.target * maintenance_rate(instrument, tier) * notional - loss * PPM
        numerator = (spare + risk.target * tier.maintenance_amount) * PPM
        if slope > 0 and numerator * notional >= tier.notional_floor * slope:
            return min(size, numerator * size // slope)
    return 0
