"""The margin formulas under switched rules, against numbers worked out by hand and against the definitions of SPEC.md."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import ceil
from random import Random

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import Instrument, TierRow, build_tiers, under_policy
from exchange.domain.liquidation_range import LegTerms, liquidation_range
from exchange.domain.margin_math import (
    MaintenanceLine,
    PriceRoot,
    buffered_root,
    close_fee,
    initial_margin,
    isolated_fill_margin,
    liquidation_price,
    liquidation_root,
    maintenance_lines,
    maintenance_margin,
    maintenance_rate,
    margin_notional,
    order_reserve,
    order_reserve_by_notional,
    requirements,
)
from exchange.domain.policy import MarginPrice, MarginRules, OrderMarginRule, RiskPolicy
from exchange.domain.units import PPM
from tests.cast import BTC_PERP, BTC_WITH_FEES, TIERS, cash

MARK, ENTRY = MarginPrice.MARK, MarginPrice.ENTRY
AT_ENTRY = replace(BTC_PERP, rules=MarginRules(maintenance_price=ENTRY, initial_margin_price=ENTRY))
WITH_CLOSE_FEE = replace(BTC_WITH_FEES, rules=MarginRules(close_fee_in_maintenance=True))
"""A taker pays 1 %."""
HOLDS_CLOSE_FEE = MarginRules(order_close_fee=True)
DEAR = replace(BTC_PERP, tiers=build_tiers([TierRow(0, 5_000, 100)]), default_leverage=50, taker_fee=750, rules=HOLDS_CLOSE_FEE)
EVERY_RULES = tuple(
    MarginRules(maintenance_price=price, initial_margin_price=other, close_fee_in_maintenance=fee, liquidate_at_equality=equal)
    for price, other, fee, equal in product(MarginPrice, MarginPrice, (False, True), (False, True))
)


# -- what is measured --------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-003", "MARG-004")
def test_a_notional_is_measured_at_the_mark_or_at_entry() -> None:
    assert margin_notional(BTC_PERP, 10, cash("1000"), 120, MARK) == cash("1200")
    assert margin_notional(BTC_PERP, 10, cash("1000"), 120, ENTRY) == cash("1000")
    assert margin_notional(BTC_PERP, -10, cash("-1000"), 120, ENTRY) == cash("1000")


@pytest.mark.rule("MARG-003")
@pytest.mark.parametrize(
    ("quantity", "cost", "maintenance"), [(90, "9000", "450"), (-90, "-9000", "450"), (120, "12000", "700")]
)
def test_maintenance_at_entry_has_the_tier_of_the_entry(quantity: int, cost: str, maintenance: str) -> None:
    for mark in (1, 100, 700):
        assert maintenance_margin(AT_ENTRY, quantity, cash(cost), mark) == cash(maintenance)


@pytest.mark.rule("MARG-003")
def test_the_fee_of_a_close_is_added_to_every_tiers_rate() -> None:
    assert [maintenance_rate(WITH_CLOSE_FEE, tier) for tier in TIERS] == [60_000, 110_000, 210_000]
    assert [maintenance_rate(BTC_WITH_FEES, tier) for tier in TIERS] == [50_000, 100_000, 200_000]
    assert maintenance_margin(WITH_CLOSE_FEE, 300, 0, 100) == cash("2800")


@pytest.mark.rule("MARG-004")
@pytest.mark.parametrize(("mark", "margin"), [(100, "100"), (200, "100"), (201, "100.5"), (400, "200")])
def test_initial_margin_at_entry_gives_way_to_maintenance_at_the_mark(mark: int, margin: str) -> None:
    instrument = replace(BTC_PERP, rules=MarginRules(initial_margin_price=ENTRY))
    assert initial_margin(instrument, 10, cash("1000"), mark, 10) == cash(margin)


@pytest.mark.rule("MARG-004", "MARG-005")
def test_initial_margin_is_a_unit_above_maintenance_where_equality_is_liquidated_and_nothing_for_nothing() -> None:
    instrument = replace(BTC_PERP, rules=MarginRules(initial_margin_price=ENTRY, liquidate_at_equality=True))
    assert initial_margin(instrument, 10, cash("1000"), 400, 10) == cash("200.000001")
    assert initial_margin(instrument, 0, 0, 400, 10) == 0


def drawn(random: Random, rules: MarginRules) -> Instrument:
    """One to four tiers, a fee, money of few units."""
    count = random.randint(1, 4)
    floors = [0, *sorted(random.sample(range(1, 50), count - 1))]
    rates = sorted(random.randint(1, 40) * 10_000 for _ in range(count))
    rows = [TierRow(100 * floor, rate, min(20, (PPM - 1) // rate)) for floor, rate in zip(floors, rates, strict=True)]
    fee = random.randint(0, 30) * 1_000
    return replace(BTC_PERP, cash_per_tick_lot=1, tiers=build_tiers(rows), default_leverage=1, taker_fee=fee, rules=rules)


@pytest.mark.rule("MARG-003", "MARG-004")
@pytest.mark.parametrize("rules", EVERY_RULES)
def test_both_requirements_are_what_their_definitions_say_and_initial_margin_is_never_below_maintenance(
    rules: MarginRules,
) -> None:
    random = Random(71)
    for _ in range(400):
        instrument, size, mark, leverage = (
            drawn(random, rules),
            random.randint(1, 80),
            random.randint(1, 90),
            random.randint(1, 25),
        )
        q, c = (size, random.randint(1, 7_000)) if random.randrange(2) else (-size, -random.randint(1, 7_000))
        of = {MARK: size * mark, ENTRY: abs(c)}
        held = of[rules.maintenance_price]
        tier = [tier for tier in instrument.tiers if tier.notional_floor <= held][-1]
        fee = instrument.taker_fee if rules.close_fee_in_maintenance else 0
        needed = max(0, ceil(Fraction(held * (tier.maintenance_rate + fee), PPM)) - tier.maintenance_amount)
        first = of[rules.initial_margin_price]
        most = [tier for tier in instrument.tiers if tier.notional_floor <= first][-1].max_leverage
        least = needed + 1 if rules.liquidate_at_equality and needed else needed
        initial = max(ceil(Fraction(first, min(leverage, most))), least)
        assert maintenance_margin(instrument, q, c, mark) == needed
        assert initial_margin(instrument, q, c, mark, leverage) == initial >= needed
        assert requirements(instrument, q, c, mark, leverage) == (size * mark, initial, needed)


# -- orders ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-008")
@pytest.mark.parametrize(
    ("lots", "free", "offset", "price", "margin"),
    [
        (97, 97, "979.7", 103, "19.4"),
        (97, 97, "999.1", 103, "0"),
        (97, 97, "2000", 103, "0"),
        (97, 0, "0", 103, "1009.091002"),
        (107, 97, "979.7", 103, "123.430002"),
        (10, 0, "60", 90, "41.900002"),
        (10, 10, "60", 90, "41"),
    ],
)
def test_what_a_notional_frees_is_taken_off_the_margin_of_the_whole_order(
    lots: int, free: int, offset: str, price: int, margin: str
) -> None:
    """Sells at leverage 1 with the mark at 101, which margins those below it: 10 at 90 are 101 and cost 1 % of 90."""
    instrument = replace(BTC_WITH_FEES, cash_per_tick_lot=cash("0.1"))
    assert order_reserve_by_notional(instrument, -1, lots, free, cash(offset), price, 101, 1) == cash(margin) + extra_loss(
        lots - free, price
    )


def extra_loss(lots: int, price: int) -> int:
    """A sell below the mark of 101 loses the difference on what it opens."""
    return lots * max(0, 101 - price) * cash("0.1")


@pytest.mark.rule("MARG-008")
def test_without_anything_free_both_rules_hold_the_same() -> None:
    for side, price in product((1, -1), (90, 100, 110)):
        by_lots = order_reserve(BTC_WITH_FEES, side, 7, price, 100, 5)
        assert order_reserve_by_notional(BTC_WITH_FEES, side, 7, 0, 0, price, 100, 5) == by_lots


@pytest.mark.rule("MARG-008")
@pytest.mark.parametrize(("side", "fee", "held"), [(1, "7.35", "214.850003"), (-1, "7.65", "215.150003")])
def test_the_fee_of_a_close_is_that_where_the_margin_is_spent(side: int, fee: str, held: str) -> None:
    """Opened at 10,000 with 50 times: closed at 9,800, a short at 10,200."""
    assert close_fee(DEAR, side, 1, 10_000, 50) == cash(fee)
    assert order_reserve(DEAR, side, 1, 10_000, 10_000, 50) == cash(held)
    assert order_reserve(replace(DEAR, rules=MarginRules()), side, 1, 10_000, 10_000, 50) == cash("207.500002")
    assert order_reserve(DEAR, side, 0, 10_000, 10_000, 50) == 0
    moved = isolated_fill_margin(DEAR, side, 1, 10_000, 10_000, 50, cash("7.5"))
    assert moved == cash("207.5") + cash(fee)


@pytest.mark.rule("MARG-008")
def test_the_fee_of_a_close_rounds_up_and_a_long_paid_in_full_has_none() -> None:
    odd = replace(DEAR, cash_per_tick_lot=1)
    assert close_fee(odd, 1, 1, 10_000, 50) == 8  # 7.35
    assert close_fee(odd, -1, 1, 10_000, 50) == 8  # 7.65
    assert close_fee(odd, 1, 1, 10_000, 1) == 0
    assert close_fee(odd, -1, 1, 10_000, 1) == 15


@pytest.mark.rule("MARG-008", "MARG-012")
def test_an_order_holds_at_least_what_its_fill_in_two_parts_takes_along() -> None:
    random = Random(72)
    for _ in range(3_000):
        instrument = replace(drawn(random, HOLDS_CLOSE_FEE), taker_fee=random.randint(0, 3_000))
        side, price, mark, leverage = (
            random.choice((1, -1)),
            random.randint(1, 500),
            random.randint(1, 500),
            random.randint(1, 50),
        )
        parts = random.randint(1, 50), random.randint(1, 50)
        held = order_reserve(instrument, side, sum(parts), price, mark, leverage)
        fees = [ceil(Fraction(lots * price * instrument.taker_fee, PPM)) for lots in parts]
        moved = sum(
            isolated_fill_margin(instrument, side, lots, price, mark, leverage, fee)
            for lots, fee in zip(parts, fees, strict=True)
        )
        assert moved <= held


# -- liquidation prices ------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-006")
def test_maintenance_stands_still_at_entry_and_follows_the_mark_by_tiers_otherwise() -> None:
    assert maintenance_lines(AT_ENTRY, cash("12000")) == (MaintenanceLine(0, 0, cash("700") * PPM),)
    assert maintenance_lines(AT_ENTRY, cash("-9000")) == (MaintenanceLine(0, 0, cash("450") * PPM),)
    floors = [(line.notional_floor, line.rate, line.constant) for line in maintenance_lines(WITH_CLOSE_FEE, cash("9000"))]
    amounts = [cash("0"), cash("500"), cash("5500")]
    expected = zip((cash("0"), cash("10000"), cash("50000")), (60_000, 110_000, 210_000), amounts, strict=True)
    assert floors == [(floor, rate, -amount * PPM) for floor, rate, amount in expected]


@pytest.mark.rule("MARG-006")
@pytest.mark.parametrize(("side", "price"), [(1, 19_700), (-1, 20_300)])
def test_the_published_price_at_entry(side: int, price: int) -> None:
    instrument = replace(DEAR, rules=MarginRules(maintenance_price=ENTRY))
    root = liquidation_root(instrument, side, side * cash("20000"), cash("400"))
    assert root is not None
    assert Fraction(root.numerator, root.denominator) == price


@pytest.mark.rule("MARG-006")
@pytest.mark.parametrize(
    ("side", "buffer", "shown"), [(1, 0, 90), (1, 200_000, 92), (1, 500_000, 95), (-1, 200_000, 88), (-1, 500_000, 85)]
)
def test_a_buffer_moves_the_price_shown_toward_entry(side: int, buffer: int, shown: int) -> None:
    """From 90 toward 100, and of a short from 90 toward 80."""
    instrument = replace(BTC_PERP, rules=MarginRules(liquidation_price_buffer=buffer))
    entry = 100 if side > 0 else 80
    moved = buffered_root(instrument, side * 10, side * cash(str(entry * 10)), PriceRoot(90, 1))
    assert Fraction(moved.numerator, moved.denominator) == shown


@pytest.mark.rule("MARG-006")
@pytest.mark.parametrize("side", [1, -1])
def test_a_buffer_never_moves_the_price_away_from_safety(side: int) -> None:
    """Beside others' losses a long from 80 may be liquidated at 90 already, a short from 100 as well."""
    instrument = replace(BTC_PERP, rules=MarginRules(liquidation_price_buffer=500_000))
    entry = 80 if side > 0 else 100
    assert buffered_root(instrument, side * 10, side * cash(str(entry * 10)), PriceRoot(90, 1)) == PriceRoot(90, 1)


@pytest.mark.rule("MARG-006")
def test_a_buffered_price_is_rounded_toward_the_mark_and_never_beyond_it() -> None:
    instrument = replace(BTC_PERP, rules=MarginRules(liquidation_price_buffer=200_000))
    assert liquidation_price(instrument, 10, cash("1000"), cash("100"), 100) == 96  # 95.79
    assert liquidation_price(instrument, 10, cash("1000"), cash("100"), 95) == 95
    assert liquidation_price(instrument, -10, cash("-1000"), cash("100"), 100) == 103  # 103.81
    assert liquidation_price(instrument, -10, cash("-1000"), cash("100"), 104) == 104


def spare(legs: list[LegTerms], collateral: int, mark: Fraction) -> Fraction:
    """Return equity less maintenance at any mark, roundings left out."""
    total = Fraction(collateral)
    for instrument, quantity, cost in legs:
        total += quantity * mark * instrument.cash_per_tick_lot - cost
        rules = instrument.rules
        n = Fraction(abs(cost)) if rules.maintenance_price is ENTRY else abs(quantity) * mark * instrument.cash_per_tick_lot
        tier = [tier for tier in instrument.tiers if tier.notional_floor <= n][-1]
        fee = instrument.taker_fee if rules.close_fee_in_maintenance else 0
        total -= n * Fraction(tier.maintenance_rate + fee, PPM) - tier.maintenance_amount
    return total


@pytest.mark.rule("MARG-006", "MARG-003")
@pytest.mark.parametrize(
    "rules", [rules for rules in EVERY_RULES if not rules.liquidate_at_equality and rules.initial_margin_price is MARK]
)
def test_the_range_of_healthy_marks_is_found_by_trying_marks(rules: MarginRules) -> None:
    random, ended = Random(73), 0
    for _ in range(120):
        instrument = drawn(random, rules)
        legs = [
            LegTerms(instrument, side * size, side * size * random.randint(20, 60))
            for side in random.choice(((1,), (-1,), (1, -1)))
            for size in [random.randint(1, 60)]
        ]
        collateral = random.randint(-500, 1_500)
        healthy = liquidation_range(legs, collateral)
        low, high = (root and Fraction(root.numerator, root.denominator) for root in healthy[:2])
        ended += low is not None or high is not None
        for mark in (Fraction(tick, 3) for tick in range(1, 600, 7)):
            inside = not healthy.is_hopeless and (low is None or low <= mark) and (high is None or mark <= high)
            assert inside == (spare(legs, collateral, mark) >= 0), (legs, collateral, mark, healthy)
        for root in (low, high):
            assert root is None or spare(legs, collateral, root) == 0
    assert ended > 60


# -- how they come to the instrument -----------------------------------------------------------------------------------


def test_a_venues_policy_is_on_every_instrument() -> None:
    policy = RiskPolicy(
        maintenance_price=ENTRY,
        initial_margin_price=ENTRY,
        close_fee_in_maintenance=True,
        liquidate_at_equality=True,
        profit_for_orders=True,
        order_margin=OrderMarginRule.NOTIONAL_OFFSET,
        order_close_fee=True,
        liquidation_price_buffer=5,
    )
    rules = under_policy(BTC_PERP, policy).rules
    assert {name: getattr(rules, name) for name in MarginRules.__struct_fields__} == {
        name: getattr(policy, name) for name in MarginRules.__struct_fields__
    }
    assert rules != BTC_PERP.rules == MarginRules() == RiskPolicy().margin_rules
