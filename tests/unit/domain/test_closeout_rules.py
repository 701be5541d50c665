"""How much a liquidation closes under switched rules: numbers by hand, and every close beside trying lot after lot."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import ceil
from random import Random

import pytest
from msgspec.structs import replace

from exchange.domain.closeout_math import (
    CloseoutRisk,
    FillableTerms,
    fillable_price,
    fraction_close,
    liquidation_fee_rate,
    target_close,
    tier_step_close,
    unwind_slice,
)
from exchange.domain.instrument import Instrument, TierRow, build_tiers
from exchange.domain.policy import MarginPrice, MarginRules, RiskPolicy
from exchange.domain.units import PPM
from tests.cast import BTC_PERP, DUST_PERP, cash

AT_ENTRY = MarginRules(maintenance_price=MarginPrice.ENTRY)
EVERY_RULES = tuple(
    MarginRules(maintenance_price=price, initial_margin_price=other, close_fee_in_maintenance=fee, liquidate_at_equality=equal)
    for price, other, fee, equal in product(MarginPrice, MarginPrice, (False, True), (False, True))
)
SECOND = 1_000_000_000


# -- tier steps --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize(
    ("quantity", "steps", "close"),
    [(700, 1, 201), (700, 2, 601), (700, 3, 700), (-700, 2, 601), (300, 1, 201), (300, 2, 300), (50, 1, 50), (500, 2, 401)],
)
def test_a_tier_step_may_go_down_several_tiers(quantity: int, steps: int, close: int) -> None:
    """At 100 the floors are 100 and 500 lots; below the first tier there is nothing left to hold."""
    assert tier_step_close(BTC_PERP, quantity, 0, 100, steps) == close


@pytest.mark.rule("LIQ-004", "MARG-003")
def test_a_tier_step_is_of_the_entry_cost_where_maintenance_is() -> None:
    """300 lots from 200: 60000 paid lie in the third tier, and 249 of them cost 49800. At the mark of 100 they are 30000."""
    at_entry = replace(BTC_PERP, rules=AT_ENTRY)
    assert tier_step_close(at_entry, 300, cash("60000"), 100) == 51
    assert tier_step_close(at_entry, -300, cash("-60000"), 100, 2) == 251
    assert tier_step_close(BTC_PERP, 300, cash("60000"), 100) == 201


def tier_floor_below(instrument: Instrument, notional: int, steps: int) -> int | None:
    """Return the floor that what stays must lie below; None where there are not as many tiers."""
    floors = [tier.notional_floor for tier in instrument.tiers]
    today = max(number for number, floor in enumerate(floors) if floor <= notional)
    return floors[today - steps + 1] if today - steps + 1 > 0 else None


def stays(cost: int, close: int, size: int) -> int:
    """Return the entry cost of what stays: a close takes its share rounded toward zero (MARG-014)."""
    return abs(cost) - abs(cost) * close // size


@pytest.mark.rule("LIQ-004", "MARG-014")
def test_a_tier_step_is_the_least_close_after_which_what_stays_lies_below_the_floor() -> None:
    random, partial = Random(61), 0
    for _ in range(3_000):
        at_entry = random.randrange(2) == 0
        instrument = dusty(random, AT_ENTRY if at_entry else MarginRules())
        size, mark, steps = random.randint(1, 70), random.randint(1, 40), random.randint(1, 3)
        cost = random.choice((1, -1)) * random.randint(size, size * 40)
        close = tier_step_close(instrument, size if cost > 0 else -size, cost, mark, steps)
        left = [stays(cost, lots, size) if at_entry else (size - lots) * mark for lots in range(size + 1)]
        floor = tier_floor_below(instrument, left[0], steps)
        expected = size if floor is None else next(lots for lots, notional in enumerate(left) if notional < floor)
        assert close == expected, (instrument.tiers, size, mark, cost, steps)
        partial += close < size
    assert partial > 500


# -- the target --------------------------------------------------------------------------------------------------------


def dusty(random: Random, rules: MarginRules) -> Instrument:
    """One to four tiers with floors of a few units, so that everything rounds."""
    count = random.randint(1, 4)
    floors = [0, *sorted(random.sample(range(1, 14), count - 1))]
    rates = sorted(random.sample(range(10, 300), count))
    rows = [TierRow(100 * floor, 10_000 * (rate // 10 + 1), 2) for floor, rate in zip(floors, rates, strict=True)]
    return replace(DUST_PERP, tiers=build_tiers(rows), default_leverage=1, taker_fee=random.randint(0, 20) * 1_000, rules=rules)


def maintenance(instrument: Instrument, cost: int, notional: int) -> int:
    """Return what a position of that cost and notional needs, by the text of MARG-003."""
    rules = instrument.rules
    measured = abs(cost) if rules.maintenance_price is MarginPrice.ENTRY else notional
    tier = [tier for tier in instrument.tiers if tier.notional_floor <= measured][-1]
    rate = Fraction(tier.maintenance_rate + (instrument.taker_fee if rules.close_fee_in_maintenance else 0), PPM)
    return max(0, ceil(measured * rate) - tier.maintenance_amount)


def reaches(risk: CloseoutRisk, close: int) -> bool:
    """Return whether a close leaves the target, by the text of LIQ-004."""
    size, notional = abs(risk.quantity), abs(risk.quantity) * risk.mark_price
    lost = min(Fraction(risk.bankruptcy_loss, notional), Fraction(risk.loss_rate, PPM)) * close * risk.mark_price
    rest = maintenance(risk.instrument, stays(risk.entry_cost, close, size), (size - close) * risk.mark_price)
    return risk.equity - ceil(lost) >= Fraction(risk.target, PPM) * (rest + risk.other_maintenance)


def dusty_risk(random: Random, rules: MarginRules) -> CloseoutRisk:
    instrument, size, mark = dusty(random, rules), random.randint(1, 70), random.randint(1, 40)
    side = random.choice((1, -1))
    cost = random.randint(max(1, size * mark // 2), size * mark * 2)
    needed = maintenance(instrument, cost, size * mark)
    equity = random.randint(1, max(1, needed))
    others = random.choice((0, 0, random.randint(0, equity)))
    share = equity if not others else equity * needed // max(1, needed + others)
    target = random.choice((1_000_001, 1_100_000, 1_500_000, 3_000_000))
    return CloseoutRisk(
        instrument, side * size, side * cost, mark, equity, others, share, target, random.choice((0, 5_000, 90_000))
    )


@pytest.mark.rule("LIQ-004", "MARG-003")
@pytest.mark.parametrize("number", range(len(EVERY_RULES)))
def test_the_target_is_met_with_the_least_lots_under_every_rules(number: int) -> None:
    random, partial = Random(62 + number), 0
    for _ in range(250):
        risk = dusty_risk(random, EVERY_RULES[number])
        size = abs(risk.quantity)
        expected = next((lots for lots in range(size) if reaches(risk, lots)), size)
        assert target_close(risk) == expected, risk
        partial += 0 < expected < size
    assert partial > 25


# -- by a fraction, the fund's slices, fees that rise ------------------------------------------------------------------


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize(("least", "close"), [("0", 2), ("200", 2), ("200.000001", 3), ("999", 10), ("5000", 10)])
def test_a_fraction_takes_at_least_a_notional_and_at_most_the_position(least: str, close: int) -> None:
    assert fraction_close(BTC_PERP, -10, 100, 200_000, cash(least)) == close


@pytest.mark.rule("LIQ-015")
@pytest.mark.parametrize(
    ("whole", "least", "resting", "lots"),
    [
        ("0", "0", 100, 1),
        ("999.999999", "0", 100, 1),
        ("1000", "0", 100, 10),
        ("1000", "0", 5, 5),
        ("0", "301", 100, 4),
        ("0", "5000", 100, 10),
        ("0", "0", 0, 0),
    ],
)
def test_a_small_position_of_the_fund_is_sold_in_one_slice(whole: str, least: str, resting: int, lots: int) -> None:
    policy = RiskPolicy(
        fund_unwind_fraction=100_000,
        fund_unwind_book_share=PPM,
        fund_unwind_whole_max=cash(whole),
        fund_unwind_notional_min=cash(least),
    )
    assert unwind_slice(BTC_PERP, 10, 100, resting, policy) == lots
    assert unwind_slice(BTC_PERP, -10, 100, resting, policy) == lots


@pytest.mark.rule("LIQ-006")
@pytest.mark.parametrize(
    ("age", "rate"),
    [(0, 10_000), (2 * SECOND - 1, 10_000), (2 * SECOND, 12_000), (2 * SECOND + 1_500_000, 12_001), (40 * SECOND, 50_000)],
)
def test_a_liquidation_fee_rises_after_its_grace_in_whole_ppm_up_to_its_most(age: int, rate: int) -> None:
    instrument = replace(BTC_PERP, liquidation_fee=10_000)
    policy = RiskPolicy(liquidation_fee_rise=1_000, liquidation_fee_grace=2 * SECOND, liquidation_fee_max=50_000)
    assert liquidation_fee_rate(instrument, policy, age) == rate


@pytest.mark.rule("LIQ-006")
def test_a_liquidation_fee_above_the_most_that_others_rise_to_stays_and_without_a_rise_none_changes() -> None:
    dear = replace(BTC_PERP, liquidation_fee=60_000)
    assert liquidation_fee_rate(dear, RiskPolicy(liquidation_fee_rise=1_000, liquidation_fee_max=50_000), 10 * SECOND) == 60_000
    assert liquidation_fee_rate(dear, RiskPolicy(liquidation_fee_max=90_000), 10 * SECOND) == 60_000


# -- between mark and bankruptcy ---------------------------------------------------------------------------------------

SOUND = FillableTerms(equity=cash("499"), maintenance=cash("500"), own_maintenance=cash("500"), adjustment=PPM, spread=100_000)
TENTHS = replace(BTC_PERP, cash_per_tick_lot=cash("0.1"))


@pytest.mark.rule("LIQ-005")
@pytest.mark.parametrize(
    ("terms", "below"),
    [
        (SOUND, 1),
        (SOUND._replace(equity=cash("500")), 0),
        (SOUND._replace(equity=cash("600")), 0),
        (SOUND._replace(equity=cash("250")), 250),
        (SOUND._replace(equity=cash("250"), adjustment=2 * PPM), 500),
        (SOUND._replace(equity=cash("250"), adjustment=9 * PPM), 500),
        (SOUND._replace(equity=cash("-100")), 500),
        (SOUND._replace(own_maintenance=cash("250")), 0),
        (SOUND._replace(own_maintenance=cash("250"), spread=PPM), 5),
        (SOUND._replace(maintenance=cash("998"), own_maintenance=cash("200")), 100),
    ],
)
def test_a_fillable_price_gives_up_a_share_of_what_each_lot_needs(terms: FillableTerms, below: int) -> None:
    """dYdX: 0.1 at 50,000 with 10 % of maintenance and 499 of the 500 needed: 49,999. Half ticks go toward the mark."""
    assert fillable_price(TENTHS, 1, 50_000, terms) == 50_000 - below
    assert fillable_price(TENTHS, -1, 50_000, terms) == 50_000 + below


@pytest.mark.rule("LIQ-005")
def test_a_fillable_price_never_gives_up_more_than_a_tick_less_than_the_fraction() -> None:
    random = Random(63)
    for _ in range(2_000):
        needed = random.randint(1, 10**6)
        whole = needed + random.choice((0, random.randint(0, 10**6)))
        terms = FillableTerms(random.randint(-whole, whole), whole, needed, random.randint(0, 9 * PPM), random.randint(0, PPM))
        lost = min(Fraction(1), (1 - Fraction(terms.equity, whole)) * Fraction(terms.adjustment, PPM))
        lots = random.randint(1, 50)
        exact = lost * Fraction(terms.spread, PPM) * needed / lots
        for side in (1, -1):
            given_up = side * (10**7 - fillable_price(DUST_PERP, side * lots, 10**7, terms))
            assert 0 <= exact - given_up < 1
