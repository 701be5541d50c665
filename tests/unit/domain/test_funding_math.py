"""Funding against published figures, numbers worked out by hand, and what always holds."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.funding_math import (
    Premium,
    TimeAverage,
    clamped,
    exact_premium,
    funding_credit,
    funding_rate,
    impact_price,
    premium_index,
)
from exchange.domain.units import PPB, PPM, div_half_even, parse_cash, parse_decimal
from tests.cast import cash
from tests.properties.profiles import DIRECTED

PUBLISHED = Path(os.environ.get("RINGFENCE_PUBLISHED_CASES", "/work/shared/oracle/margin_cases.json"))
UNIT = parse_cash("1")
ASKS = [(100, 2), (101, 3), (105, 10)]
BIDS = [(99, 2), (98, 3), (90, 10)]
WIDE = PPB
"""A bound that none of the rates of these tests reaches."""


def published(formula: str) -> list[Any]:
    """The directly applicable published cases of one formula; a reason to skip where they are absent."""
    if not PUBLISHED.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no published cases at {PUBLISHED}"))]
    cases = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    chosen = [case for case in cases if case["formula_id"] == formula and case["applicability"] == "direct"]
    return [pytest.param(case, id=case["id"]) for case in chosen]


# -- impact prices and the premium -------------------------------------------------------------------------------------


@pytest.mark.rule("FUND-001")
@pytest.mark.parametrize(
    ("notional", "price"),
    [
        ("0", Fraction(100)),
        ("1", Fraction(100)),
        ("200", Fraction(100)),
        ("301", Fraction(301, 3)),
        ("503", Fraction(503, 5)),
        ("555.5", Fraction(5555, 55)),  # 52.5 of it is half a lot at 105
        ("1553", Fraction(1553, 15)),
    ],
)
def test_the_impact_price_is_the_average_price_of_trading_that_notional(notional: str, price: Fraction) -> None:
    found = impact_price(ASKS, UNIT, cash(notional))
    assert found is not None
    assert Fraction(*found) == price
    assert found.denominator > 0


@pytest.mark.rule("FUND-001")
def test_there_is_no_impact_price_beyond_the_depth_of_the_side() -> None:
    assert impact_price(ASKS, UNIT, cash("1553.000001")) is None
    assert impact_price([], UNIT, cash("1")) is None
    assert impact_price([], UNIT, 0) is None


@pytest.mark.rule("FUND-001")
@pytest.mark.parametrize(
    ("index", "premium"),
    [
        (100, Fraction(0)),
        (99, Fraction(0)),
        (98, Fraction(99, 98) - 1),
        (101, Fraction(100, 101) - 1),
    ],
)
def test_the_premium_is_that_of_the_impact_price_outside_the_spread_only(index: int, premium: Fraction) -> None:
    found = exact_premium(index, BIDS, ASKS, UNIT, cash("150"))
    assert Fraction(*found) == premium


@pytest.mark.rule("FUND-001")
def test_an_index_at_the_best_price_has_no_premium_although_the_impact_price_is_worse() -> None:
    assert exact_premium(99, BIDS, ASKS, UNIT, cash("400")) == (0, 1)
    assert exact_premium(100, BIDS, ASKS, UNIT, cash("400")) == (0, 1)


@pytest.mark.rule("FUND-001")
def test_a_side_too_thin_for_the_impact_notional_gives_no_premium() -> None:
    assert Fraction(*exact_premium(80, BIDS, ASKS, UNIT, cash("1392"))) != 0
    assert exact_premium(80, BIDS, ASKS, UNIT, cash("1392.000001")) == (0, 1)
    assert exact_premium(80, [], ASKS, UNIT, 0) == (0, 1)
    assert exact_premium(200, BIDS, [], UNIT, 0) == (0, 1)


@pytest.mark.rule("FUND-001")
def test_a_premium_is_truncated_toward_zero_and_bounded_on_both_sides() -> None:
    assert premium_index(98, BIDS, ASKS, UNIT, 0, WIDE) == 10_204_081  # 0.010204081632...
    assert premium_index(101, BIDS, ASKS, UNIT, 0, WIDE) == -9_900_990  # -0.00990099009...
    assert premium_index(98, BIDS, ASKS, UNIT, 0, 10_000_000) == 10_000_000
    assert premium_index(101, BIDS, ASKS, UNIT, 0, 9_000_000) == -9_000_000
    assert Premium(-19, 10_000_000).truncated(PPM) == -1


@pytest.mark.rule("FUND-001")
@pytest.mark.parametrize("case", published("premium_impact"))
def test_the_premium_is_that_of_the_published_case(case: dict[str, Any]) -> None:
    told = case["inputs"]

    def levels(side: str) -> list[tuple[int, int]]:
        return [(parse_decimal(price, 1), parse_decimal(size, 1)) for price, size in told[side]]

    found = exact_premium(
        parse_decimal(told["index"], 1),
        levels("bids"),
        levels("asks"),
        parse_cash("0.01"),
        parse_cash(told["impact_notional"]),
    )
    assert clamped(found.truncated(PPM), int(told["max_abs_ppm"])) == int(case["expected"]["premium_ppm"])


@pytest.mark.rule("FUND-001")
@DIRECTED
@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**4)), min_size=1, max_size=8),
    st.integers(1, 10**4),
    st.integers(0, PPM),
)
def test_an_impact_price_lies_within_the_levels_and_buys_exactly_the_notional(
    rows: list[tuple[int, int]], cash_per_tick_lot: int, share: int
) -> None:
    levels = sorted(dict(rows).items())
    depth = sum(price * lots for price, lots in levels) * cash_per_tick_lot
    notional = depth * share // PPM
    found = impact_price(levels, cash_per_tick_lot, notional)
    assert found is not None
    average, left, lots_bought = Fraction(*found), Fraction(notional), Fraction(0)
    assert levels[0][0] <= average <= levels[-1][0]
    for price, lots in levels:
        part = min(Fraction(lots), left / (price * cash_per_tick_lot))
        lots_bought, left = lots_bought + part, left - part * price * cash_per_tick_lot
    assert left == 0
    assert average * lots_bought * cash_per_tick_lot == notional
    assert impact_price(levels, cash_per_tick_lot, depth + 1) is None


# -- the average -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("FUND-001")
def test_an_average_weighs_each_value_by_how_long_it_held() -> None:
    average = TimeAverage().extended(100, 3).extended(-50, 1)
    assert average == TimeAverage(250, 4)
    assert average.rounded() == 62  # 62.5
    assert average.extended(10**9, 0) == average
    assert TimeAverage().rounded() == 0


@pytest.mark.rule("FUND-001")
@pytest.mark.parametrize("case", published("twap"))
def test_the_time_average_is_that_of_the_published_case(case: dict[str, Any]) -> None:
    average = TimeAverage()
    for value, weight in case["inputs"]["segments"]:
        average = average.extended(parse_decimal(value, 9), int(weight))
    assert average.rounded() == parse_decimal(case["expected"]["twap"], 9)


@pytest.mark.rule("FUND-001")
@DIRECTED
@given(st.lists(st.tuples(st.integers(-WIDE, WIDE), st.integers(0, 10**15)), max_size=10))
def test_an_average_lies_within_half_a_unit_of_the_fractions_and_of_its_mirror_image(rows: list[tuple[int, int]]) -> None:
    average, mirrored = TimeAverage(), TimeAverage()
    for value, elapsed in rows:
        average, mirrored = average.extended(value, elapsed), mirrored.extended(-value, elapsed)
    weight = sum(elapsed for _, elapsed in rows)
    if weight:
        assert abs(Fraction(sum(value * elapsed for value, elapsed in rows), weight) - average.rounded()) <= Fraction(1, 2)
    assert mirrored.rounded() == -average.rounded()


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"),
    [
        (5, 2, 2),
        (7, 2, 4),
        (-5, 2, -2),
        (-7, 2, -4),
        (1, 2, 0),
        (-1, 2, 0),
        (4, 3, 1),
        (5, 3, 2),
        (-4, 3, -1),
        (-5, 3, -2),
        (6, 3, 2),
    ],
)
def test_a_half_is_rounded_to_the_even_number(numerator: int, denominator: int, quotient: int) -> None:
    assert div_half_even(numerator, denominator) == quotient


# -- the rate ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("FUND-002")
@pytest.mark.parametrize(
    ("premium", "rate"),
    [
        (0, 100_000),  # interest alone
        (100_000, 100_000),
        (599_999, 100_000),  # the clamp covers the premium
        (600_000, 100_000),
        (600_001, 100_001),
        (-400_000, 100_000),
        (-400_001, 99_999),
        (3_500_000, 3_000_000),
        (3_500_001, 3_000_000),  # the cap
        (-3_500_001, -3_000_000),
        (-3_499_999, -2_999_999),
    ],
)
def test_the_rate_is_interest_unless_the_premium_leaves_the_clamp_and_never_beyond_the_cap(premium: int, rate: int) -> None:
    assert funding_rate(premium, interest=100_000, clamp=500_000, cap=3_000_000) == rate


@pytest.mark.rule("FUND-002")
@pytest.mark.parametrize("case", published("perp_funding_clamped"))
def test_the_rate_is_that_of_the_published_case(case: dict[str, Any]) -> None:
    told = case["inputs"]
    spot, perpetual = parse_decimal(told["spot_twap"], 0), parse_decimal(told["perp_twap"], 0)
    premium = Premium(perpetual - spot, spot).truncated()
    interest = parse_decimal(told["delta_t"], 9) * parse_decimal(told["interest_rate"], 9) // PPB
    clamp = parse_decimal(told.get("upper", "1"), 9)
    assert parse_decimal(told.get("lower", "-1"), 9) == -clamp
    assert funding_rate(premium, interest, clamp, WIDE) * spot == parse_decimal(case["expected"]["payment_per_unit"], 9)


@pytest.mark.rule("FUND-002")
@DIRECTED
@given(st.integers(-WIDE, WIDE), st.integers(-WIDE, WIDE), st.integers(0, WIDE), st.integers(0, WIDE))
def test_the_rate_never_falls_when_the_premium_rises_and_stays_within_its_bounds(
    premium: int, interest: int, clamp: int, cap: int
) -> None:
    rate = funding_rate(premium, interest, clamp, cap)
    assert abs(rate) <= cap
    assert 0 <= funding_rate(premium + 1, interest, clamp, cap) - rate <= 1
    if -cap < rate < cap:
        assert abs(rate - premium) <= clamp
        assert rate == interest or abs(rate - premium) == clamp
    assert funding_rate(-premium, -interest, clamp, cap) == -rate


# -- what a position gets ----------------------------------------------------------------------------------------------


@pytest.mark.rule("FUND-003")
@pytest.mark.parametrize(
    ("quantity", "rate", "credit"),
    [
        (10, 100_000, "-0.1"),
        (-10, 100_000, "0.1"),
        (10, -100_000, "0.1"),
        (-10, -100_000, "-0.1"),
        (10, 1, "-0.000001"),
        (-10, 1, "0.000001"),
        (0, PPB, "0"),
        (10, 0, "0"),
    ],
)
def test_longs_pay_shorts_at_a_positive_rate(quantity: int, rate: int, credit: str) -> None:
    assert funding_credit(quantity, 100, UNIT, rate) == cash(credit)


@pytest.mark.rule("FUND-003")
def test_a_payment_is_rounded_up_and_a_receipt_down() -> None:
    assert funding_credit(1, 1, 1, 1) == -1
    assert funding_credit(-1, 1, 1, 1) == 0


@pytest.mark.rule("FUND-003")
@pytest.mark.parametrize("case", published("funding_payment"))
def test_the_payment_is_that_of_the_published_case(case: dict[str, Any]) -> None:
    told = case["inputs"]
    size, ticks, rate = int(told["size"]), parse_decimal(told["mark"], 2), parse_decimal(told["rate"], 9)
    # In cash of 1e-9 the printed figures are whole; in the venue's 1e-6 the payer is charged the next unit.
    paid = parse_decimal(case["expected"]["funding_fee"], 9)
    assert -funding_credit(size, ticks, 10**7, rate) == paid
    assert -funding_credit(size, ticks, 10**4, rate) == -(-paid // 1_000)
    assert funding_credit(-size, ticks, 10**4, rate) == paid // 1_000


@pytest.mark.rule("FUND-003")
@DIRECTED
@given(
    st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=20),
    st.integers(1, 10**7),
    st.integers(1, 10**4),
    st.integers(-PPB, PPB),
)
def test_the_credits_of_a_symbol_leave_less_than_one_unit_per_account(
    quantities: list[int], mark: int, cash_per_tick_lot: int, rate: int
) -> None:
    positions = [*quantities, -sum(quantities)]
    residual = -sum(funding_credit(quantity, mark, cash_per_tick_lot, rate) for quantity in positions)
    assert 0 <= residual < len(positions)
