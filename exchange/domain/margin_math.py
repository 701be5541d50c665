"""The margin model as pure functions of whole numbers (SPEC.md, MARG and LIQ rules).

``s`` is +1 for long and -1 for short; a quantity is signed where it is a position. Requirements and debits round up,
credits round down. Every function takes what it needs and nothing else, so that clients and checkers can call it too.
"""

from __future__ import annotations

from typing import NamedTuple

from exchange.domain.instrument import Instrument, Tier
from exchange.domain.policy import MarginPrice
from exchange.domain.units import PPM, Cash, Lots, Ppm, Ticks, ceil_div, div_toward_zero

RESERVE_ROUNDING: Cash = 2
"""Added to each resting order's margin: what the partial fills of one order may round up by (MARG-008)."""


def sign_of(quantity: Lots) -> int:
    """Return +1 for long, -1 for short, 0 for flat."""
    return (quantity > 0) - (quantity < 0)


def notional_value(instrument: Instrument, quantity: Lots, price: Ticks) -> Cash:
    """Return the money value of ``abs(quantity)`` at ``price``, exactly (MARG-001)."""
    return abs(quantity) * price * instrument.cash_per_tick_lot


def unrealized_pnl(instrument: Instrument, quantity: Lots, entry_cost: Cash, price: Ticks) -> Cash:
    """Return the profit of a position if it were closed at ``price``. Units: ``entry_cost`` signed cash."""
    return quantity * price * instrument.cash_per_tick_lot - entry_cost


def fee_on(notional: Cash, rate: Ppm) -> Cash:
    """Return a fee, rounded up; a negative rate gives a rebate (negative fee), rounded toward zero."""
    return ceil_div(notional * rate, PPM)


def tier_at(tiers: tuple[Tier, ...], notional: Cash) -> Tier:
    """Return the last tier whose floor is at or below ``notional`` (MARG-002)."""
    for tier in reversed(tiers):
        if tier.notional_floor <= notional:
            return tier
    raise AssertionError("the first tier starts at zero")


def margin_notional(
    instrument: Instrument, quantity: Lots, entry_cost: Cash, mark_price: Ticks, measured_at: MarginPrice
) -> Cash:
    """Return the notional that a requirement is measured on: at the mark, or at entry (MARG-003, MARG-004)."""
    return notional_value(instrument, quantity, mark_price) if measured_at is MarginPrice.MARK else abs(entry_cost)


def maintenance_rate(instrument: Instrument, tier: Tier) -> Ppm:
    """Return a tier's maintenance rate, with the fee of a close where the rules hold it back too (MARG-003)."""
    return tier.maintenance_rate + (instrument.taker_fee if instrument.rules.close_fee_in_maintenance else 0)


def maintenance_margin(instrument: Instrument, quantity: Lots, entry_cost: Cash, mark_price: Ticks) -> Cash:
    """Return the equity below which a position is liquidated (MARG-003)."""
    notional = margin_notional(instrument, quantity, entry_cost, mark_price, instrument.rules.maintenance_price)
    return _maintenance_of(instrument, tier_at(instrument.tiers, notional), notional)


def initial_margin(instrument: Instrument, quantity: Lots, entry_cost: Cash, mark_price: Ticks, leverage: int) -> Cash:
    """Return the equity needed to hold a position as newly opened; it is never to be liquidated at once (MARG-004)."""
    notional = margin_notional(instrument, quantity, entry_cost, mark_price, instrument.rules.initial_margin_price)
    initial = ceil_div(notional, min(leverage, tier_at(instrument.tiers, notional).max_leverage))
    if not instrument.rules.may_exceed_initial:
        return initial  # a tier's rate is below that of its leverage, so it is the larger one
    return _above_maintenance(instrument, initial, maintenance_margin(instrument, quantity, entry_cost, mark_price))


class Requirements(NamedTuple):
    """What a position needs at a mark, and its notional there."""

    notional: Cash
    initial_margin: Cash
    maintenance_margin: Cash


def requirements(instrument: Instrument, quantity: Lots, entry_cost: Cash, mark_price: Ticks, leverage: int) -> Requirements:
    """Return notional, initial and maintenance margin together: one look at the tiers where both are of the same notional."""
    notional, rules = notional_value(instrument, quantity, mark_price), instrument.rules
    if rules.measures_at_entry:
        return Requirements(
            notional,
            initial_margin(instrument, quantity, entry_cost, mark_price, leverage),
            maintenance_margin(instrument, quantity, entry_cost, mark_price),
        )
    tier = tier_at(instrument.tiers, notional)
    initial, maintenance = ceil_div(notional, min(leverage, tier.max_leverage)), _maintenance_of(instrument, tier, notional)
    if rules.may_exceed_initial:
        initial = _above_maintenance(instrument, initial, maintenance)
    return Requirements(notional, initial, maintenance)


def _maintenance_of(instrument: Instrument, tier: Tier, notional: Cash) -> Cash:
    return max(0, ceil_div(notional * maintenance_rate(instrument, tier), PPM) - tier.maintenance_amount)


def _above_maintenance(instrument: Instrument, initial: Cash, maintenance: Cash) -> Cash:
    """Return initial margin raised to where a position is not liquidated, whatever the rules measure it on."""
    return max(initial, maintenance + (1 if maintenance and instrument.rules.liquidate_at_equality else 0))


def margin_price(side_sign: int, price: Ticks, mark_price: Ticks) -> Ticks:
    """Return the price that margin is measured at: a sell below the mark is margined at the mark (MARG-008)."""
    return price if side_sign > 0 else max(price, mark_price)


def open_loss(instrument: Instrument, side_sign: int, quantity: Lots, price: Ticks, mark_price: Ticks) -> Cash:
    """Return what trading at ``price`` would lose at once against the mark, at least 0 (MARG-008)."""
    return quantity * max(0, side_sign * (price - mark_price)) * instrument.cash_per_tick_lot


def order_reserve(
    instrument: Instrument, side_sign: int, quantity: Lots, price: Ticks, mark_price: Ticks, leverage: int
) -> Cash:
    """Return the margin that ``quantity`` non-free lots of a resting order hold back; 0 for 0 lots (MARG-008)."""
    if quantity == 0:
        return 0
    margined = notional_value(instrument, quantity, margin_price(side_sign, price, mark_price))
    return ceil_div(margined, leverage) + _reserve_beside_margin(instrument, side_sign, quantity, price, mark_price, leverage)


def order_reserve_by_notional(
    instrument: Instrument,
    side_sign: int,
    quantity: Lots,
    free: Lots,
    free_notional: Cash,
    price: Ticks,
    mark_price: Ticks,
    leverage: int,
) -> Cash:
    """Return what an order holds back where a position's notional makes orders free (MARG-008, ``notional_offset``).

    Its margin is that of all its ``quantity`` lots less ``free_notional``; the rest is for the lots that are not free.
    """
    margined = notional_value(instrument, quantity, margin_price(side_sign, price, mark_price)) - free_notional
    margin, rest = ceil_div(max(0, margined), leverage), quantity - free
    if rest == 0:
        return margin
    return margin + _reserve_beside_margin(instrument, side_sign, rest, price, mark_price, leverage)


def _reserve_beside_margin(
    instrument: Instrument, side_sign: int, quantity: Lots, price: Ticks, mark_price: Ticks, leverage: int
) -> Cash:
    """Return fees, loss against the mark and rounding of lots that open a position."""
    fee = fee_on(notional_value(instrument, quantity, price), instrument.taker_fee)
    loss = open_loss(instrument, side_sign, quantity, price, mark_price)
    if not instrument.rules.order_close_fee:
        return fee + loss + RESERVE_ROUNDING
    return fee + loss + RESERVE_ROUNDING + 1 + close_fee(instrument, side_sign, quantity, price, leverage)


def close_fee(instrument: Instrument, side_sign: int, quantity: Lots, price: Ticks, leverage: int) -> Cash:
    """Return the taker fee of closing lots opened at ``price`` where their initial margin is spent, rounded up (MARG-008)."""
    notional = notional_value(instrument, quantity, price)
    return ceil_div(notional * (leverage - side_sign) * instrument.taker_fee, leverage * PPM)


def isolated_fill_margin(
    instrument: Instrument, side_sign: int, quantity: Lots, price: Ticks, mark_price: Ticks, leverage: int, fee: Cash
) -> Cash:
    """Return what moves from the cross wallet to the isolated one when a fill increases a position (MARG-012)."""
    margined = notional_value(instrument, quantity, margin_price(side_sign, price, mark_price))
    margin = ceil_div(margined, leverage) + open_loss(instrument, side_sign, quantity, price, mark_price) + fee
    if not instrument.rules.order_close_fee:
        return margin
    return margin + close_fee(instrument, side_sign, quantity, price, leverage)


def closed_cost(entry_cost: Cash, closed: Lots, quantity: Lots) -> Cash:
    """Return the share of ``entry_cost`` that ``closed`` of ``abs(quantity)`` lots carry, toward zero (MARG-014)."""
    return div_toward_zero(entry_cost * closed, abs(quantity))


def margin_ratio(equity: Cash, maintenance: Cash) -> Ppm | None:
    """Return maintenance over equity in ppm, rounded up; None when there is no positive equity (MARG-005)."""
    return ceil_div(maintenance * PPM, equity) if equity > 0 else None


def effective_leverage(notional: Cash, equity: Cash) -> Ppm | None:
    """Return notional over equity in ppm, rounded up; None when there is no positive equity (MARG-020)."""
    return ceil_div(notional * PPM, equity) if equity > 0 else None


def bankruptcy_value(instrument: Instrument, quantity: Lots, mark_price: Ticks, equity_share: Cash, closed: Lots) -> Cash:
    """Return the signed money at which ``closed`` lots leave their scope with no equity (LIQ-005).

    ``equity_share`` is the scope's equity that this whole position carries. Closing all of it leaves exactly 0; a part
    takes its pro-rata share rounded down, so that what remains is never worse off.
    """
    at_mark = sign_of(quantity) * closed * mark_price * instrument.cash_per_tick_lot
    return at_mark - equity_share * closed // abs(quantity)


def bankruptcy_price(instrument: Instrument, quantity: Lots, mark_price: Ticks, equity_share: Cash) -> Ticks:
    """Return the limit of a closing order at which equity is spent: a sell rounds up, a buy down (LIQ-005).

    May be zero or negative, where no positive price spends the equity.
    """
    value = bankruptcy_value(instrument, quantity, mark_price, equity_share, abs(quantity))
    per_tick = quantity * instrument.cash_per_tick_lot
    if quantity > 0:
        return ceil_div(value, per_tick)
    return value // per_tick


def liquidation_surplus(instrument: Instrument, quantity: Lots, price: Ticks, bankruptcy: Cash, closed: Lots) -> Cash:
    """Return what closing ``closed`` lots at ``price`` leaves above bankruptcy, rounded down (LIQ-006).

    ``bankruptcy`` is the whole position's bankruptcy value when the order was sent; ``quantity`` its size then.
    """
    size = abs(quantity)
    return (sign_of(quantity) * price * instrument.cash_per_tick_lot * size - bankruptcy) * closed // size


class MaintenanceLine(NamedTuple):
    """Maintenance over a stretch of notionals: ``(notional * rate + constant) / PPM`` from ``notional_floor`` on, exactly."""

    notional_floor: Cash
    rate: Ppm
    constant: int


def maintenance_lines(instrument: Instrument, entry_cost: Cash) -> tuple[MaintenanceLine, ...]:
    """Return how maintenance follows the mark: a line per tier; one that stands still where it is measured at entry."""
    if instrument.rules.maintenance_price is MarginPrice.ENTRY:
        tier = tier_at(instrument.tiers, abs(entry_cost))
        required = abs(entry_cost) * maintenance_rate(instrument, tier) - tier.maintenance_amount * PPM
        return (MaintenanceLine(0, 0, required),)
    return tuple(
        MaintenanceLine(tier.notional_floor, maintenance_rate(instrument, tier), -tier.maintenance_amount * PPM)
        for tier in instrument.tiers
    )


class PriceRoot(NamedTuple):
    """A price as an exact fraction of ticks; ``denominator`` is positive."""

    numerator: int
    denominator: int


def liquidation_root(instrument: Instrument, quantity: Lots, entry_cost: Cash, collateral: Cash) -> PriceRoot | None:
    """Return the exact mark at which equity equals maintenance, or None when no mark does (MARG-006).

    ``collateral`` is the isolated wallet; in cross it is the wallet plus the other positions' profit less their
    maintenance. A tier's root counts only when the notional there lies in that tier.
    """
    if quantity == 0:
        return None
    s = sign_of(quantity)
    size = abs(quantity) * instrument.cash_per_tick_lot
    lines = maintenance_lines(instrument, entry_cost)
    for line, following in zip(lines, (*lines[1:], None), strict=True):
        numerator = (collateral - entry_cost) * PPM - line.constant
        slope = line.rate - s * PPM
        if slope < 0:
            numerator, slope = -numerator, -slope
        if numerator <= 0:
            continue
        above_floor = numerator >= line.notional_floor * slope
        below_next = following is None or numerator < following.notional_floor * slope
        if above_floor and below_next:
            return PriceRoot(numerator, size * slope)
    return None


def buffered_root(instrument: Instrument, quantity: Lots, entry_cost: Cash, root: PriceRoot) -> PriceRoot:
    """Return where a liquidation price is shown: by the rules' buffer nearer to the entry price (MARG-006).

    Beside the losses of other positions it may lie beyond entry already: then the buffer would show one too good.
    """
    buffer, size = instrument.rules.liquidation_price_buffer, abs(quantity) * instrument.cash_per_tick_lot
    way_to_entry = abs(entry_cost) * root.denominator - root.numerator * size
    if not buffer or way_to_entry * quantity <= 0:
        return root
    at_price = (PPM - buffer) * root.numerator * size
    return PriceRoot(at_price + buffer * abs(entry_cost) * root.denominator, PPM * root.denominator * size)


def liquidation_price(
    instrument: Instrument, quantity: Lots, entry_cost: Cash, collateral: Cash, mark_price: Ticks
) -> Ticks | None:
    """Return the liquidation price for display, rounded toward the mark; None when there is none (MARG-006).

    When the root lies beyond the mark (the scope is liquidatable now), the mark itself is returned.
    """
    root = liquidation_root(instrument, quantity, entry_cost, collateral)
    if root is None:
        return None
    root = buffered_root(instrument, quantity, entry_cost, root)
    if quantity > 0:
        return min(ceil_div(root.numerator, root.denominator), mark_price)
    return max(root.numerator // root.denominator, mark_price)
