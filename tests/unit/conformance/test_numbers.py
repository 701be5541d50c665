"""Exact numbers of published cases, their grids and roundings."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.conformance.numbers import (
    CaseError,
    NotCoveredError,
    Scale,
    agrees,
    exact,
    fine_scale,
    ppb,
    ppm,
    rate_of,
    rounded_down,
    rounded_near,
)

DECIMALS = st.decimals(min_value=-(10**12), max_value=10**12, places=9).map(lambda value: f"{value:f}")


@pytest.mark.parametrize(("text", "value"), [("12", Fraction(12)), ("-0.25", Fraction(-1, 4)), (7, Fraction(7))])
def test_plain_decimals_and_whole_numbers_are_read_exactly(text: object, value: Fraction) -> None:
    assert exact(text) == value


@pytest.mark.parametrize(
    "text", ["", "1/3", "1e5", " 1", "1_000", "+1", ".5", "1.", "nan", True, None, 0.5, "9" * 41, 10**40, -(10**41)]
)
def test_anything_else_is_no_number(text: object) -> None:
    with pytest.raises(CaseError, match="no plain decimal number"):
        exact(text)


@pytest.mark.parametrize(
    ("actual", "expected", "rounding", "verdict"),
    [
        ("1.5", "1.5", "exact", True),
        ("1.5000000000000001", "1.5", "exact", False),
        ("1.2628", "1.26", "nearest:2", True),
        ("1.265", "1.26", "nearest:2", True),
        ("1.2651", "1.26", "nearest:2", False),
        ("7407.9", "7407", "trunc:0", True),
        ("-7407.9", "-7407", "trunc:0", True),
        ("7406.9", "7407", "trunc:0", False),
        ("1000.1", "1000", "rel:1e-4", True),
        ("1000.2", "1000", "rel:1e-4", False),
        ("-1000.2", "-1000", "rel:1e-4", False),
    ],
)
def test_figures_are_compared_at_the_rounding_that_the_case_states(
    actual: str, expected: str, rounding: str, verdict: bool
) -> None:
    assert agrees(Fraction(actual), expected, rounding) is verdict


def test_lists_agree_item_by_item_and_only_at_the_same_length() -> None:
    assert agrees([Fraction(1), [Fraction(2), "a"]], ["1", ["2", "a"]], "exact")
    assert not agrees([Fraction(1)], ["1", "2"], "exact")
    assert not agrees([Fraction(1), Fraction(3)], ["1", "2"], "exact")
    assert not agrees([Fraction(1)], "1", "exact")


def test_a_yes_agrees_with_a_yes_and_with_no_text_or_number() -> None:
    assert agrees(True, True, "exact")
    assert not agrees(True, False, "exact")
    assert not agrees(True, "true", "exact")
    assert not agrees(None, "1", "exact")
    assert not agrees("1", True, "exact")


@pytest.mark.parametrize("rounding", ["", "nearest", "nearest:", "trunc:x", "rel:0.1", "rel:1e", "floor:2"])
def test_an_unknown_rounding_is_refused(rounding: str) -> None:
    with pytest.raises(CaseError, match="not known"):
        agrees(Fraction(1), "1", rounding)


@given(st.lists(DECIMALS, min_size=1), st.lists(DECIMALS, min_size=1), st.lists(DECIMALS))
def test_a_fine_scale_holds_every_number_and_gives_it_back(prices: list[str], quantities: list[str], money: list[str]) -> None:
    given_prices, given_quantities, given_money = ([exact(text) for text in texts] for texts in (prices, quantities, money))
    scale = fine_scale(given_prices, given_quantities, given_money)
    assert [scale.price(scale.ticks(value)) for value in given_prices] == given_prices
    assert [scale.quantity(scale.lots(value)) for value in given_quantities] == given_quantities
    assert [scale.money(scale.cash(value)) for value in given_money] == given_money
    value = scale.ticks(given_prices[0]) * scale.lots(given_quantities[0]) * scale.cash_per_tick_lot
    assert scale.money(value) == given_prices[0] * given_quantities[0]


def test_a_number_without_finite_places_is_not_covered_and_ends_the_search_for_them() -> None:
    with pytest.raises(NotCoveredError, match="1/3 has no finite decimal places"):
        fine_scale([Fraction(1, 3)], [Fraction(1)])


def test_a_scale_may_be_coarser_than_one_and_refuses_what_lies_between() -> None:
    scale = Scale(-4, 0, 0)
    assert scale.ticks(Fraction(50_000)) == 5
    assert scale.cash_per_tick_lot == 10_000
    with pytest.raises(NotCoveredError, match="finer than the grid"):
        scale.ticks(Fraction(50_001))
    with pytest.raises(NotCoveredError, match="finer than its money"):
        assert Scale(2, 2, 3).cash_per_tick_lot


def test_rates_are_whole_parts_or_refused() -> None:
    assert (ppm(Fraction("0.000012")), ppb(Fraction("0.000000012"))) == (12, 12)
    assert rate_of(25_000) == Fraction("0.025")
    for convert in (ppm, ppb):
        with pytest.raises(NotCoveredError, match="no whole number of parts"):
            convert(Fraction(1, 3))


def test_figures_are_cut_or_rounded_to_the_unit_of_the_case() -> None:
    assert rounded_down(Fraction("462.669"), 2) == Fraction("462.66")
    assert rounded_down(Fraction("-1.2"), 0) == -2
    assert rounded_near(Fraction("349.9999"), 0) == 350
