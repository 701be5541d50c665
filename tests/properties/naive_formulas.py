"""The formulas of SPEC.md written a second time, with fractions, for the naive venue. Slow and obvious on purpose.

Nothing of `exchange` but domain values is imported, and `margin_math` is not: agreement must mean something.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor
from typing import TypeAlias

from exchange.domain.instrument import Instrument
from exchange.domain.policy import MarginPrice, MarginRules, RiskPolicy

MILLION = 1_000_000
GRID_MAX = 2**40
"""The most ticks and lots that there are."""
Rules: TypeAlias = MarginRules | RiskPolicy
"""What a venue has decided; the formulas look at the switches that both have."""


def toward_zero(value: Fraction) -> int:
    return floor(value) if value >= 0 else ceil(value)


def sign(number: int) -> int:
    return 1 if number > 0 else -1 if number < 0 else 0


def money(instrument: Instrument, lots: int, price: int) -> int:
    """What `lots` (signed or not) at `price` ticks are worth."""
    return lots * price * instrument.cash_per_tick_lot


def tier_number(instrument: Instrument, notional: Fraction | int) -> int:
    """MARG-002: the last tier whose floor is at or below the notional."""
    found = 0
    for number, tier in enumerate(instrument.tiers):
        if tier.notional_floor <= notional:
            found = number
    return found


def maintenance_amount(instrument: Instrument, number: int) -> Fraction:
    """MARG-002: the recurrence, not the amount that the tier carries."""
    if number == 0:
        return Fraction(0)
    step = instrument.tiers[number].maintenance_rate - instrument.tiers[number - 1].maintenance_rate
    return maintenance_amount(instrument, number - 1) + Fraction(instrument.tiers[number].notional_floor * step, MILLION)


def maintenance_rate(instrument: Instrument, rules: Rules, number: int) -> Fraction:
    """MARG-003: of a tier, by its number; the fee of a close is part of it where the venue decided so."""
    rate = instrument.tiers[number].maintenance_rate
    return Fraction(rate + (instrument.taker_fee if rules.close_fee_in_maintenance else 0), MILLION)


def measured(instrument: Instrument, q: int, c: int, mark: int, at: MarginPrice) -> int:
    """MARG-003, MARG-004: the notional that a requirement is of."""
    return abs(c) if at is MarginPrice.ENTRY else money(instrument, abs(q), mark)


def maintenance(instrument: Instrument, rules: Rules, q: int, c: int, mark: int) -> int:
    """MARG-003."""
    n = measured(instrument, q, c, mark, rules.maintenance_price)
    number = tier_number(instrument, n)
    amount = maintenance_amount(instrument, number)
    assert amount.denominator == 1
    return max(0, ceil(n * maintenance_rate(instrument, rules, number)) - amount.numerator)


def is_breached(rules: Rules, equity: int, needed: int) -> bool:
    """MARG-005: equality survives, unless the venue decided otherwise."""
    return needed > 0 and (equity < needed or (rules.liquidate_at_equality and equity == needed))


def tier_leverage(instrument: Instrument, notional: int) -> int:
    return instrument.tiers[tier_number(instrument, notional)].max_leverage


def initial(instrument: Instrument, rules: Rules, q: int, c: int, mark: int, leverage: int) -> int:
    """MARG-004: never below maintenance, and above it where equality is liquidated."""
    n = measured(instrument, q, c, mark, rules.initial_margin_price)
    usual = ceil(Fraction(n, min(leverage, tier_leverage(instrument, n))))
    least = maintenance(instrument, rules, q, c, mark)
    return max(usual, least + 1 if least and rules.liquidate_at_equality else least)


def fee(instrument: Instrument, lots: int, price: int, rate_ppm: int) -> int:
    """MARG-017: rounded up, a rebate too (toward zero)."""
    return ceil(Fraction(money(instrument, lots, price) * rate_ppm, MILLION))


def margined(instrument: Instrument, side: int, lots: int, price: int, mark: int) -> int:
    """MARG-008: the notional that an order's margin is of."""
    return money(instrument, lots, price if side > 0 else max(price, mark))


def close_fee(instrument: Instrument, side: int, lots: int, price: int, leverage: int) -> int:
    """MARG-008: of closing where the margin of what was opened at `price` is spent."""
    spent_at = money(instrument, lots, price) * Fraction(leverage - side, leverage)
    return ceil(spent_at * Fraction(instrument.taker_fee, MILLION))


def reserve(
    instrument: Instrument,
    rules: Rules,
    side: int,
    lots: int,
    price: int,
    mark: int,
    leverage: int,
    *,
    whole: int | None = None,
    offset: int = 0,
) -> int:
    """MARG-008: what one resting order of `whole` lots holds back, of which `lots` are not free.

    Its margin is of those lots alone, or with an `offset` of the position's notional of all of them less that.
    """
    n = margined(instrument, side, lots if whole is None else whole, price, mark) - offset
    held = ceil(Fraction(max(0, n), leverage))
    if lots:
        held += fee(instrument, lots, price, instrument.taker_fee)
        held += money(instrument, lots, max(0, side * (price - mark))) + 2
        if rules.order_close_fee:
            held += close_fee(instrument, side, lots, price, leverage) + 1
    return held


def within_band(price: int, mark: int, band_ppm: int) -> bool:
    """BOOK-006: inclusive at both ends."""
    band = Fraction(band_ppm, MILLION)
    return mark * (1 - band) <= price <= mark * (1 + band)


def protection_price(instrument: Instrument, side: int, mark: int) -> int:
    """BOOK-003: rounded inward, that is toward the mark."""
    exact = mark * (1 + side * Fraction(instrument.market_protection, MILLION))
    return floor(exact) if side > 0 else ceil(exact)


def cost_of(c: int, lots: int, q: int) -> int:
    """MARG-014: the share of the entry cost that `lots` of |q| carry, toward zero."""
    return toward_zero(Fraction(c * lots, abs(q)))


def bankruptcy_price(instrument: Instrument, q: int, mark: int, share: int) -> int:
    """LIQ-005: the price that spends the equity `share` of the position; it may be none that there is."""
    exact = mark - Fraction(share, q * instrument.cash_per_tick_lot)
    return ceil(exact) if q > 0 else floor(exact)


def covered_price(price: int, q: int, mark: int, ticks: int, slippage: int) -> int:
    """LIQ-014: whole ticks beyond bankruptcy, no further from the mark than `slippage`; one that lies beyond stays."""
    way = sign(q)
    furthest = mark * (1 - way * Fraction(slippage, MILLION))
    last = ceil(furthest) if q > 0 else floor(furthest)
    return price if way * price <= way * last else way * max(way * price - ticks, way * last)


def bankruptcy_money(instrument: Instrument, q: int, lots: int, mark: int, share: int) -> int:
    """LIQ-005: the signed money at which `lots` of |q| leave their scope."""
    return sign(q) * money(instrument, lots, mark) - floor(Fraction(share * lots, abs(q)))


def liquidation_fee(instrument: Instrument, policy: RiskPolicy, since: int) -> int:
    """LIQ-006: in whole ppm, of an order sent `since` ns after the flag."""
    usual, risen = instrument.liquidation_fee, 0
    if since >= policy.liquidation_fee_grace:
        risen = floor(policy.liquidation_fee_rise * Fraction(since, 10**9))
    return max(usual, min(policy.liquidation_fee_max, usual + risen)) if risen else usual


def lots_worth(instrument: Instrument, notional: int, mark: int) -> int:
    """The least lots whose notional is at least that."""
    return ceil(Fraction(notional, money(instrument, 1, mark)))


def fillable_price(instrument: Instrument, q: int, mark: int, needed: int, given_up: Fraction) -> int:
    """LIQ-005: the mark less a share `given_up` of the maintenance that each lot needs; a sell up, a buy down."""
    exact = mark - given_up * Fraction(needed, q * instrument.cash_per_tick_lot)
    return ceil(exact) if q > 0 else floor(exact)


def maintenance_line(instrument: Instrument, rules: Rules, c: int, notional: Fraction) -> tuple[Fraction, Fraction]:
    """MARG-003 without roundings about a notional: what it rises by per notional, and what it is at none."""
    if rules.maintenance_price is MarginPrice.ENTRY:
        number = tier_number(instrument, abs(c))
        rate = maintenance_rate(instrument, rules, number)
        return Fraction(0), abs(c) * rate - maintenance_amount(instrument, number)
    number = tier_number(instrument, notional)
    return maintenance_rate(instrument, rules, number), -maintenance_amount(instrument, number)


def healthy_ends(
    instrument: Instrument, rules: Rules, legs: Sequence[tuple[int, int]], collateral: int
) -> tuple[Fraction | None, Fraction | None]:
    """MARG-006: the lowest and the highest mark where collateral + u = MM of one position (q, c), or of two together."""
    k = instrument.cash_per_tick_lot
    edges = sorted({Fraction(tier.notional_floor, abs(q) * k) for q, _ in legs for tier in instrument.tiers})
    low: Fraction | None = None
    high: Fraction | None = None
    for number, edge in enumerate(edges):
        rises, falls = Fraction(0), Fraction(collateral)
        for q, c in legs:
            per_notional, at_none = maintenance_line(instrument, rules, c, abs(q) * k * edge)
            rises += k * (q - abs(q) * per_notional)
            falls -= at_none + c
        root = -falls / rises if rises else Fraction(0)
        if root > 0 and root >= edge and (number + 1 == len(edges) or root < edges[number + 1]):
            low, high = (root, high) if rises > 0 else (low, root)
    return low, high


def liquidation_price(
    instrument: Instrument, rules: Rules, legs: Sequence[tuple[int, int]], collateral: int, mark: int
) -> int | None:
    """MARG-006: as shown, rounded toward the mark; beyond the mark it is the mark."""
    low, high = healthy_ends(instrument, rules, legs, collateral)
    if len(legs) == 1:
        q, c = legs[0]
        entry = Fraction(abs(c), abs(q) * instrument.cash_per_tick_lot)
        buffer = Fraction(rules.liquidation_price_buffer, MILLION)
        low = None if low is None else low + buffer * max(Fraction(0), entry - low)
        high = None if high is None else high + buffer * min(Fraction(0), entry - high)
    net_long = sum(q for q, _ in legs) > 0
    if low is not None and (net_long or high is None):
        return min(ceil(low), mark)
    return None if high is None else max(floor(high), mark)


def collateral_value(balance: int, decimals: int, price: int, haircut: int) -> int:
    """MARG-026: what a balance of one asset counts for."""
    return balance * price * (MILLION - haircut) // (10**decimals * MILLION)
