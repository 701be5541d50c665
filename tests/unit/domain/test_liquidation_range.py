"""The range of healthy marks: worked examples, the printed two-sided formula, and what holds for every scope."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import Instrument, TierRow, build_tiers
from exchange.domain.liquidation_range import LegTerms, LiquidationRange, liquidation_range, shown_liquidation_price
from exchange.domain.margin_math import PriceRoot, liquidation_price, liquidation_root
from exchange.domain.units import PPM
from tests.cast import BTC_PERP, cash

CASES = 4_000
ONE_TIER = replace(BTC_PERP, tiers=build_tiers([TierRow(0, 50_000, 10)]))


def leg(quantity: int, entry: int, instrument: Instrument = BTC_PERP) -> LegTerms:
    """A leg opened at one price."""
    return LegTerms(instrument, quantity, quantity * entry * instrument.cash_per_tick_lot)


def exact(root: PriceRoot | None) -> Fraction | None:
    return None if root is None else Fraction(root.numerator, root.denominator)


def spare(legs: list[LegTerms], collateral: int, mark: Fraction) -> Fraction:
    """Return equity less maintenance at any mark: the definition, in fractions."""
    total = Fraction(collateral)
    for instrument, quantity, entry_cost in legs:
        total += quantity * mark * instrument.cash_per_tick_lot - entry_cost
        notional = abs(quantity) * mark * instrument.cash_per_tick_lot
        rates = [(tier.notional_floor, tier.maintenance_rate, tier.maintenance_amount) for tier in instrument.tiers]
        _, rate, amount = max(row for row in rates if row[0] <= notional)
        total -= notional * Fraction(rate, PPM) - amount
    return total


@pytest.mark.rule("MARG-006")
def test_one_long_leg_has_a_lower_end_only_and_one_short_leg_an_upper_end_only() -> None:
    # 100 + 10 (P - 100) = 0.05 * 10 P; 100 - 10 (P - 100) = 0.05 * 10 P
    assert liquidation_range([leg(10, 100)], cash("100"))[1:] == (None, False)
    assert exact(liquidation_range([leg(10, 100)], cash("100")).lower) == Fraction(900, 1) / Fraction(95, 10)
    assert liquidation_range([leg(-10, 100)], cash("100")).lower is None
    assert exact(liquidation_range([leg(-10, 100)], cash("100")).upper) == Fraction(1100, 1) / Fraction(105, 10)


@pytest.mark.rule("MARG-006")
def test_a_perfect_hedge_is_in_danger_only_from_above() -> None:
    # The profits cancel out: 100 = 0.05 * 20 P at 100.
    healthy = liquidation_range([leg(10, 90), leg(-10, 90)], cash("100"))
    assert (healthy.lower, exact(healthy.upper), healthy.is_hopeless) == (None, 100, False)
    assert shown_liquidation_price(healthy, 0, 95) == 100


@pytest.mark.rule("MARG-006")
def test_a_net_long_hedge_has_two_ends_where_high_tiers_outgrow_its_profit() -> None:
    # Of 10 lots net the loss counts below, and above it the maintenance of 110 lots at 10 % and 20 %.
    legs = [leg(60, 100), leg(-50, 100)]
    healthy = liquidation_range(legs, cash("450"))
    assert healthy.lower is not None
    assert healthy.upper is not None
    for root in (exact(healthy.lower), exact(healthy.upper)):
        assert root is not None
        assert spare(legs, cash("450"), root) == 0
    assert shown_liquidation_price(healthy, 10, 150) == -(-healthy.lower.numerator // healthy.lower.denominator)
    assert shown_liquidation_price(healthy, -10, 150) == healthy.upper.numerator // healthy.upper.denominator


@pytest.mark.rule("MARG-006")
@pytest.mark.parametrize(("quantity", "entry", "collateral"), [(-10, 100, "-1000"), (-10, 100, "-1001")])
def test_a_scope_that_no_mark_makes_healthy_is_hopeless(quantity: int, entry: int, collateral: str) -> None:
    assert liquidation_range([leg(quantity, entry)], cash(collateral)) == LiquidationRange(None, None, is_hopeless=True)


@pytest.mark.rule("MARG-006")
def test_a_hedge_that_lost_more_than_its_wallet_is_hopeless_at_every_mark() -> None:
    healthy = liquidation_range([leg(10, 110), leg(-10, 90)], cash("200"))
    assert healthy == LiquidationRange(None, None, is_hopeless=True)
    assert shown_liquidation_price(healthy, 0, 100) is None
    assert not liquidation_range([leg(10, 110), leg(-10, 90)], cash("200.000001")).is_hopeless


@pytest.mark.rule("MARG-006", "LIQ-012")
def test_without_lots_no_mark_matters() -> None:
    assert liquidation_range([], cash("-5")) == LiquidationRange(None, None)
    assert liquidation_range([leg(0, 100)], 0) == LiquidationRange(None, None)
    assert shown_liquidation_price(LiquidationRange(None, None), 0, 100) is None


@pytest.mark.rule("MARG-006")
def test_a_long_paid_in_full_has_no_lower_end() -> None:
    assert liquidation_range([leg(10, 100)], cash("1000")) == LiquidationRange(None, None)


@pytest.mark.rule("MARG-006")
def test_the_price_shown_is_the_other_end_where_the_losing_side_is_open() -> None:
    upper_only = LiquidationRange(None, PriceRoot(201, 2))
    lower_only = LiquidationRange(PriceRoot(199, 2), None)
    assert shown_liquidation_price(upper_only, 5, 100) == 100
    assert shown_liquidation_price(upper_only, 5, 90) == 100
    assert shown_liquidation_price(lower_only, -5, 110) == 100
    assert shown_liquidation_price(lower_only, 0, 100) == 100


@pytest.mark.rule("MARG-006")
def test_the_price_shown_is_never_beyond_the_mark() -> None:
    both = LiquidationRange(PriceRoot(90, 1), PriceRoot(110, 1))
    assert [shown_liquidation_price(both, 1, mark) for mark in (80, 90, 100)] == [80, 90, 90]
    assert [shown_liquidation_price(both, -1, mark) for mark in (100, 110, 120)] == [110, 110, 120]


@pytest.mark.rule("MARG-006")
@pytest.mark.parametrize(
    ("wallet", "long", "long_entry", "short", "short_entry"),
    [(100, 10, 100, 4, 105), (300, 10, 100, 40, 98), (120, 7, 100, 6, 90), (500, 3, 120, 3, 100)],
)
def test_with_one_tier_the_range_ends_at_the_printed_hedge_mode_price(
    wallet: int, long: int, long_entry: int, short: int, short_entry: int
) -> None:
    rate, amount = Fraction(5, 100), 0
    numerator = wallet + amount + amount - long * long_entry + short * short_entry
    printed = numerator / (long * rate + short * rate - long + short)
    legs = [leg(long, long_entry, ONE_TIER), leg(-short, short_entry, ONE_TIER)]
    healthy = liquidation_range(legs, cash(str(wallet)))
    ends = [end for end in (exact(healthy.lower), exact(healthy.upper)) if end is not None]
    assert ends == ([printed] if printed > 0 else [])


# -- what always holds -------------------------------------------------------------------------------------------------


def draw_instrument(random: Random) -> Instrument:
    """One to five tiers, some with the same rate or the same leverage."""
    count = random.randint(1, 5)
    floors = sorted(random.sample(range(1, 300), count - 1))
    rates = sorted(random.randint(4, 400) for _ in range(count))
    leverages = [min(125, (PPM - 1) // (rate * 1_000)) for rate in rates]
    rows = zip([0, *(floor * 1_000 * PPM for floor in floors)], (rate * 1_000 for rate in rates), leverages, strict=True)
    return replace(BTC_PERP, tiers=build_tiers(TierRow(*row) for row in rows), cash_per_tick_lot=random.choice((1_000, PPM)))


def draw_scope(random: Random) -> tuple[list[LegTerms], int]:
    """Return one or two legs with entries around each other, and a wallet from nothing to all of their cost."""
    instrument = draw_instrument(random)
    entry, size = random.randint(50, 500), random.randint(1, 2_000)
    sides = random.choice(([1], [-1], [1, -1]))
    legs = [
        leg(side * max(1, size * random.randint(50, 150) // 100), entry + random.randint(-20, 20), instrument) for side in sides
    ]
    if len(legs) == 1:
        return legs, abs(legs[0].entry_cost) * random.randint(-10, 110) // 100
    net_cost = sum(held.entry_cost for held in legs)
    return legs, net_cost + abs(net_cost) * random.randint(-60, 40) // 100


@pytest.fixture(scope="module")
def scopes() -> list[tuple[list[LegTerms], int]]:
    random = Random(6)
    return [draw_scope(random) for _ in range(CASES)]


@pytest.mark.rule("MARG-006")
def test_at_both_ends_equity_is_maintenance_exactly_and_health_ends_there(scopes: list[tuple[list[LegTerms], int]]) -> None:
    near = Fraction(1, 10**9)
    lowers = uppers = both = 0
    for legs, collateral in scopes:
        healthy = liquidation_range(legs, collateral)
        lower, upper = exact(healthy.lower), exact(healthy.upper)
        if lower is not None:
            assert spare(legs, collateral, lower) == 0
            assert spare(legs, collateral, lower * (1 - near)) < 0
        if upper is not None:
            assert spare(legs, collateral, upper) == 0
            assert spare(legs, collateral, upper * (1 + near)) < 0
        if not healthy.is_hopeless and lower != upper:
            low, high = lower or Fraction(0), upper or (lower or 1) * 10**6
            assert low < high
            for inside in (low + (high - low) * near, (low + high) / 2, high - (high - low) * near):
                assert spare(legs, collateral, inside) >= 0
        lowers += lower is not None
        uppers += upper is not None
        both += lower is not None and upper is not None
    assert min(lowers, uppers) > CASES // 5
    assert both > CASES // 50


@pytest.mark.rule("MARG-006")
def test_a_hopeless_scope_is_unhealthy_at_every_tier_edge_and_far_beyond(scopes: list[tuple[list[LegTerms], int]]) -> None:
    hopeless = 0
    for legs, collateral in scopes:
        if liquidation_range(legs, collateral).is_hopeless:
            hopeless += 1
            edges = {
                Fraction(tier.notional_floor, abs(held.quantity) * held.instrument.cash_per_tick_lot)
                for held in legs
                for tier in held.instrument.tiers
            }
            for mark in (*edges, Fraction(1, 10**9), Fraction(10**9)):
                assert mark == 0 or spare(legs, collateral, mark) < 0
    assert hopeless > CASES // 50


@pytest.mark.rule("MARG-006")
def test_a_single_leg_ends_at_its_liquidation_root(scopes: list[tuple[list[LegTerms], int]]) -> None:
    for legs, collateral in scopes:
        for held in legs:
            root = liquidation_root(held.instrument, held.quantity, held.entry_cost, collateral)
            healthy = liquidation_range([held], collateral)
            assert (healthy.lower, healthy.upper) == ((root, None) if held.quantity > 0 else (None, root))
            for mark in (1, 40, 100, 500):
                shown = liquidation_price(held.instrument, held.quantity, held.entry_cost, collateral, mark)
                assert shown_liquidation_price(healthy, held.quantity, mark) == shown


@pytest.mark.rule("MARG-006")
def test_the_order_of_the_legs_does_not_matter(scopes: list[tuple[list[LegTerms], int]]) -> None:
    for legs, collateral in scopes:
        there, back = liquidation_range(legs, collateral), liquidation_range(legs[::-1], collateral)
        assert there == back
