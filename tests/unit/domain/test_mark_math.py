"""The mark made of index and book: worked examples, the published first price, and what always holds."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain.mark_math import carried_index, fair_mark, next_basis
from exchange.domain.units import PPB, PPM, parse_decimal
from tests.properties.profiles import DIRECTED

PUBLISHED = Path(os.environ.get("RINGFENCE_PUBLISHED_CASES", "/work/shared/oracle/margin_cases.json"))
HOUR = 3_600_000_000_000
INTERVAL = 8 * HOUR
TICK = PPM
"""One tick as a basis."""


def published(formula: str) -> list[Any]:
    """The directly applicable published cases of one formula; a reason to skip where they are absent."""
    if not PUBLISHED.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no published cases at {PUBLISHED}"))]
    cases = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    chosen = [case for case in cases if case["formula_id"] == formula and case["applicability"] == "direct"]
    return [pytest.param(case, id=case["id"]) for case in chosen]


def mark(
    *, index: int = 10_000, rate: int = 0, left: int = HOUR, basis: int = 0, last: int = 10_000, band: int = 50_000
) -> int:
    """The mark with a calm market where nothing else is said."""
    return fair_mark(index, rate, left, INTERVAL, basis, last, band)


@pytest.mark.rule("MARK-003")
@pytest.mark.parametrize(
    ("basis", "last", "expected"),
    [
        (0, 10_000, 10_000),
        (20, 9_000, 10_010),  # carried 10010, basis 10020
        (20, 10_015, 10_015),
        (20, 12_000, 10_020),
        (5, 12_000, 10_010),
        (5, 10_007, 10_007),
        (-30, 9_000, 9_970),
    ],
)
def test_the_mark_is_the_median_of_carried_index_index_with_basis_and_last_price(basis: int, last: int, expected: int) -> None:
    rate = 8_000_000 if (basis, last) != (0, 10_000) else 0
    assert mark(rate=rate, basis=basis * TICK, last=last) == expected


@pytest.mark.rule("MARK-003")
@pytest.mark.parametrize(("left", "carried"), [(0, 10_000), (HOUR, 10_010), (4 * HOUR, 10_040), (INTERVAL, 10_080)])
def test_the_carry_shrinks_to_nothing_at_the_funding_time(left: int, carried: int) -> None:
    assert Fraction(*carried_index(10_000, 8_000_000, left, INTERVAL)) == carried
    assert Fraction(*carried_index(10_000, -8_000_000, left, INTERVAL)) == 20_000 - carried


@pytest.mark.rule("MARK-003")
@pytest.mark.parametrize(
    ("basis", "expected"), [(500_000, 10_000), (500_001, 10_001), (1_500_000, 10_002), (-500_000, 10_000), (-500_001, 9_999)]
)
def test_a_median_between_two_ticks_is_rounded_half_to_even(basis: int, expected: int) -> None:
    assert mark(basis=basis, last=10_000 + 5 * (1 if basis > 0 else -1)) == expected


@pytest.mark.rule("MARK-003")
@pytest.mark.parametrize(
    ("index", "band", "low", "high"),
    [
        (10_000, 50_000, 9_500, 10_500),
        (10_001, 50_000, 9_501, 10_501),
        (3, 100_000, 3, 3),
        (1, 900_000, 1, 1),
        (10, PPM, 1, 20),
    ],
)
def test_the_mark_stays_within_the_band_around_the_index_rounded_inward(index: int, band: int, low: int, high: int) -> None:
    far = 10**6 * TICK
    assert mark(index=index, basis=far, last=10**6, band=band) == high
    assert mark(index=index, basis=-far, last=1, rate=-PPB, left=INTERVAL, band=band) == low


@pytest.mark.rule("MARK-003")
@pytest.mark.parametrize("case", published("mark_price1"))
def test_the_carried_index_is_the_first_price_of_the_published_case(case: dict[str, Any]) -> None:
    told = case["inputs"]
    index, rate = parse_decimal(told["index"], 2), parse_decimal(told["last_funding_rate"], 9)
    left, interval = parse_decimal(told["time_until_next"], 9), parse_decimal(told["interval"], 9)
    expected = parse_decimal(case["expected"]["price1"], 2)
    assert Fraction(*carried_index(index, rate, left, interval)) == expected
    assert fair_mark(index, rate, left, interval, 10**4 * TICK, index, 100_000) == expected


@pytest.mark.rule("MARK-003")
def test_a_basis_sample_weighs_as_much_of_the_window_as_has_passed() -> None:
    assert next_basis(100, 200, elapsed=0, window=10) == 100
    assert next_basis(100, 200, elapsed=1, window=10) == 110
    assert next_basis(100, 200, elapsed=5, window=10) == 150
    assert next_basis(100, 200, elapsed=10, window=10) == 200
    assert next_basis(100, 200, elapsed=99, window=10) == 200
    assert next_basis(-100, 100, elapsed=1, window=4) == -50
    assert next_basis(0, 1, elapsed=1, window=2) == 0
    assert next_basis(1, 2, elapsed=1, window=2) == 2


@pytest.mark.rule("MARK-003")
@DIRECTED
@given(
    st.integers(1, 10**7),
    st.integers(-PPB // 10, PPB // 10),
    st.integers(0, INTERVAL),
    st.integers(-(10**12), 10**12),
    st.integers(1, 10**7),
    st.integers(1, PPM - 1),
)
def test_the_mark_is_the_median_in_fractions_rounded_and_bounded(
    index: int, rate: int, left: int, basis: int, last: int, band: int
) -> None:
    prices = (index * (1 + Fraction(rate, PPB) * Fraction(left, INTERVAL)), index + Fraction(basis, PPM), Fraction(last))
    median = sorted(prices)[1]
    found = fair_mark(index, rate, left, INTERVAL, basis, last, band)
    low, high = index * (1 - Fraction(band, PPM)), index * (1 + Fraction(band, PPM))
    assert found >= 1
    assert low <= found <= high
    if low <= round(median) <= high:
        assert found == round(median)
    else:
        assert found - 1 < low if median < index else found + 1 > high


@pytest.mark.rule("MARK-003")
@DIRECTED
@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), st.integers(0, 10**12), st.integers(1, 10**12))
def test_an_average_basis_lies_between_the_old_one_and_the_sample(basis: int, sample: int, elapsed: int, window: int) -> None:
    found = next_basis(basis, sample, elapsed, window)
    assert min(basis, sample) <= found <= max(basis, sample)
    exact = basis + min(Fraction(1), Fraction(elapsed, window)) * (sample - basis)
    assert found == round(exact)
