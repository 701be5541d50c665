"""The size of a liquidating close over many seeded cases, beside two shorter formulas that miss (LIQ rules)."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from exchange.domain.closeout_math import (
    CloseoutRisk,
    fraction_close,
    reaches_target,
    target_close,
    tier_step_close,
    whole_if_dust,
)
from exchange.domain.instrument import Instrument, TierRow, build_tiers
from exchange.domain.margin_math import bankruptcy_value, maintenance_margin, notional_value, tier_at
from exchange.domain.units import PPM, Cash, Lots, ceil_div
from tests.cast import BTC_PERP
from tests.properties.profiles import DIRECTED

ISOLATED_CASES = 20_000
CROSS_CASES = 5_000
DUST_CASES = 3_000
TARGET = 1_100_000


def draw_instrument(random: Random) -> Instrument:
    """Two to six tiers with rising rates, floors from a thousand to ten million."""
    count = random.randint(2, 6)
    floors = sorted(random.sample(range(1, 10_000), count - 1))
    rates = sorted(random.sample(range(4, 300), count))
    leverages = [min(125, (PPM - 1) // (rate * 1_000)) for rate in rates]
    rows = zip([0, *(floor * 1_000 * PPM for floor in floors)], (rate * 1_000 for rate in rates), leverages, strict=True)
    return replace(
        BTC_PERP,
        tiers=build_tiers(TierRow(*row) for row in rows),
        cash_per_tick_lot=random.choice((10**2, 10**4, 10**6)),
        liquidation_fee=random.randint(0, 20) * 1_000,
    )


def draw_size(random: Random, instrument: Instrument, mark: int) -> Lots:
    """Return a number of lots whose notional lies anywhere over the tiers' floors, and up to twice the last."""
    unit = mark * instrument.cash_per_tick_lot
    return max(1, random.randint(1, 2 * instrument.tiers[-1].notional_floor) // unit)


def draw_isolated(random: Random) -> CloseoutRisk:
    """Return a scope of one position with some equity, and less than its maintenance."""
    instrument, mark = draw_instrument(random), random.randint(50, 100_000)
    size = draw_size(random, instrument, mark)
    equity = random.randint(1, maintenance_margin(instrument, size, 0, mark) - 1)
    loss_rate = instrument.liquidation_fee + random.randint(0, 5_000)
    return CloseoutRisk(instrument, random.choice((1, -1)) * size, 0, mark, equity, 0, equity, TARGET, loss_rate)


def draw_cross(random: Random) -> CloseoutRisk:
    """Return a scope of two to four positions, as seen from the one with the largest maintenance."""
    legs = []
    for _ in range(random.randint(2, 4)):
        instrument, mark = draw_instrument(random), random.randint(50, 100_000)
        size = draw_size(random, instrument, mark)
        legs.append((maintenance_margin(instrument, size, 0, mark), size, mark, instrument))
    largest = max(legs, key=lambda leg: leg[0])
    own, total = largest[0], sum(leg[0] for leg in legs)
    equity = random.randint(total * 7 // 10, total - 1)
    loss_rate = largest[3].liquidation_fee
    return CloseoutRisk(largest[3], largest[1], 0, largest[2], equity, total - own, equity * own // total, TARGET, loss_rate)


class Left(NamedTuple):
    """What a scope is left with after a close."""

    equity: Cash
    maintenance: Cash

    def meets(self, target: int) -> bool:
        return self.equity * PPM >= target * self.maintenance


def after(risk: CloseoutRisk, close: Lots) -> Left:
    """Return the scope after a close that costs the loss per notional that was reckoned with, in fractions."""
    size, notional = abs(risk.quantity), notional_value(risk.instrument, risk.quantity, risk.mark_price)
    rate = min(Fraction(risk.bankruptcy_loss, notional), Fraction(risk.loss_rate, PPM))
    loss = rate * notional_value(risk.instrument, close, risk.mark_price)
    maintenance = maintenance_margin(risk.instrument, size - close, 0, risk.mark_price)
    return Left(risk.equity - ceil_div(loss.numerator, loss.denominator), risk.other_maintenance + maintenance)


def one_tier_close(risk: CloseoutRisk) -> Lots:
    """Return the close by today's tier alone: the closed form that most descriptions print."""
    size, notional = abs(risk.quantity), notional_value(risk.instrument, risk.quantity, risk.mark_price)
    tier = tier_at(risk.instrument.tiers, notional)
    rate = min(Fraction(risk.bankruptcy_loss, notional), Fraction(risk.loss_rate, PPM))
    target = Fraction(risk.target, PPM)
    slope = target * tier.maintenance_rate / PPM - rate
    if slope <= 0:
        return size
    left = (risk.equity - target * risk.other_maintenance - notional * rate + target * tier.maintenance_amount) / slope
    return size - max(0, int(left * size / notional))


@pytest.fixture(scope="module")
def isolated() -> list[CloseoutRisk]:
    random = Random(56)
    return [draw_isolated(random) for _ in range(ISOLATED_CASES)]


@pytest.fixture(scope="module")
def cross() -> list[CloseoutRisk]:
    random = Random(57)
    return [draw_cross(random) for _ in range(CROSS_CASES)]


def crosses_a_tier(risk: CloseoutRisk, close: Lots) -> bool:
    """Return whether what stays lies in a lower tier."""
    stays = notional_value(risk.instrument, abs(risk.quantity) - close, risk.mark_price)
    today = notional_value(risk.instrument, risk.quantity, risk.mark_price)
    return tier_at(risk.instrument.tiers, stays) != tier_at(risk.instrument.tiers, today)


@pytest.mark.rule("LIQ-004")
def test_the_solve_by_tiers_reaches_the_target_in_each_of_twenty_thousand_isolated_cases(isolated: list[CloseoutRisk]) -> None:
    partial = 0
    for risk in isolated:
        close = target_close(risk)
        assert 0 < close <= abs(risk.quantity)
        assert after(risk, close).meets(TARGET), risk
        partial += close < abs(risk.quantity)
    assert partial > ISOLATED_CASES * 8 // 10


@pytest.mark.rule("LIQ-004")
def test_one_lot_fewer_would_miss_the_target(isolated: list[CloseoutRisk], cross: list[CloseoutRisk]) -> None:
    for risk in (*isolated, *cross):
        close = target_close(risk)
        assert not after(risk, close - 1).meets(TARGET), risk


@pytest.mark.rule("LIQ-004")
def test_where_a_lot_is_worth_few_units_of_money_the_roundings_are_closed_for_and_no_lot_more() -> None:
    random = Random(58)
    inexact = 0
    for _ in range(DUST_CASES):
        instrument = replace(draw_instrument(random), cash_per_tick_lot=1)
        size, mark, rate = random.randint(10, 3_000), random.randint(1, 3), random.randint(0, 5_000)
        equity = random.randint(1, 2 * maintenance_margin(instrument, size, 0, mark))
        risk = CloseoutRisk(instrument, size, 0, mark, equity, 0, equity, TARGET, rate)
        close = target_close(risk)
        assert after(risk, close).meets(TARGET), risk
        assert close == 0 or not after(risk, close - 1).meets(TARGET), risk
        inexact += close != one_tier_close(risk)
    assert inexact > DUST_CASES // 10


@pytest.mark.rule("LIQ-004")
def test_the_form_for_one_tier_undershoots_wherever_a_close_crosses_a_tier(isolated: list[CloseoutRisk]) -> None:
    crossed = missed = 0
    for risk in isolated:
        close = one_tier_close(risk)
        if close == abs(risk.quantity):
            continue
        if after(risk, close).meets(TARGET):
            continue
        missed += 1
        crossed += crosses_a_tier(risk, close)
    assert missed > ISOLATED_CASES * 35 // 100
    assert crossed > missed * 99 // 100


@pytest.mark.rule("LIQ-004")
def test_the_solve_by_tiers_reaches_the_target_in_each_of_five_thousand_cross_cases_that_one_close_can_cure(
    cross: list[CloseoutRisk],
) -> None:
    cured = 0
    for risk in cross:
        close = target_close(risk)
        if close < abs(risk.quantity):
            cured += 1
            assert after(risk, close).meets(TARGET), risk
    assert cured > CROSS_CASES * 6 // 10


@pytest.mark.rule("LIQ-004")
def test_leaving_out_the_other_positions_misses_nearly_always(cross: list[CloseoutRisk]) -> None:
    missed = sum(not after(risk, target_close(risk._replace(other_maintenance=0))).meets(TARGET) for risk in cross)
    assert missed > CROSS_CASES * 95 // 100


@pytest.mark.rule("LIQ-004", "LIQ-005")
def test_a_close_at_bankruptcy_is_never_reckoned_to_cost_less_than_it_does(isolated: list[CloseoutRisk]) -> None:
    for risk in isolated[:2_000]:
        at_bankruptcy = risk._replace(loss_rate=PPM)
        for close in (1, abs(risk.quantity) // 2 + 1, abs(risk.quantity)):
            at_mark = risk.quantity // abs(risk.quantity) * notional_value(risk.instrument, close, risk.mark_price)
            value = bankruptcy_value(risk.instrument, risk.quantity, risk.mark_price, risk.equity, close)
            assert at_mark - value <= risk.equity - after(at_bankruptcy, close).equity
            assert reaches_target(at_bankruptcy, close) == after(at_bankruptcy, close).meets(TARGET)


@DIRECTED
@given(st.randoms(use_true_random=False), st.integers(1, PPM), st.integers(0, 10**13))
def test_every_policy_closes_at_least_a_lot_and_at_most_the_position(random: Random, fraction: int, least: int) -> None:
    risk = draw_isolated(random)
    size = abs(risk.quantity)
    step = tier_step_close(risk.instrument, risk.quantity, 0, risk.mark_price)
    for close in (target_close(risk), step, fraction_close(risk.instrument, risk.quantity, risk.mark_price, fraction)):
        assert 0 < close <= size
        whole = whole_if_dust(risk.instrument, risk.quantity, risk.mark_price, close, least)
        left = notional_value(risk.instrument, size - whole, risk.mark_price)
        assert whole == size or (whole == close and left >= least)
    today = tier_at(risk.instrument.tiers, notional_value(risk.instrument, size, risk.mark_price))
    kept = notional_value(risk.instrument, size - step, risk.mark_price)
    assert step == size or kept < today.notional_floor
    one_more = notional_value(risk.instrument, size - step + 1, risk.mark_price)
    assert one_more >= today.notional_floor
