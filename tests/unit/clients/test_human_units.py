from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients import human_units as units

D = Decimal


@pytest.mark.parametrize("text", ["0", "60000.5", "-1.25", "000.100", "1" * 24, "0." + "1" * 18])
def test_the_wires_grammar_is_read_exactly(text: str) -> None:
    assert units.parse_decimal(text) == D(text)


@pytest.mark.parametrize(
    "text",
    ["", "1e3", "NaN", "Infinity", " 1", "1 ", "1\n", "+1", ".5", "5.", "1_000", "1,5", "\u0661", "1" * 25, "9" * 41],
)
def test_anything_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is no decimal number of at most 40 characters"):
        units.parse_decimal(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [(5, "5"), ("60000.50", "60000.5"), (D("1.5E+3"), "1500"), (D("-0.0"), "0"), (D("1E-8"), "0.00000001"), ("0", "0")],
)
def test_numbers_are_written_plainly(value: units.Number, text: str) -> None:
    assert units.to_text(value, "price") == text


@pytest.mark.parametrize("value", [0.1, True, None, b"1"])
def test_what_is_no_exact_number_is_a_type_error_naming_the_field(value: object) -> None:
    with pytest.raises(TypeError, match=r"^quantity: "):
        units.to_text(value, "quantity")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [D("NaN"), D("Infinity"), D("1E+1000000"), D("1E-1000000"), D("1E+24"), D("1E-19"), "x"])
def test_what_cannot_be_written_is_a_value_error_naming_the_field(value: units.Number) -> None:
    with pytest.raises(ValueError, match=r"^price: "):
        units.to_text(value, "price")


def test_rounding_goes_to_the_grid_in_the_named_direction() -> None:
    tick = D("0.5")
    assert units.round_down(D("10.9"), tick) == D("10.5")
    assert units.round_up(D("10.1"), tick) == D("10.5")
    assert units.round_nearest(D("10.25"), tick) == D("10.5")
    assert units.round_nearest(D("10.24"), tick) == D("10.0")
    assert units.round_down(D("-10.1"), tick) == D("-10.5")
    assert units.round_up(D("-10.9"), tick) == D("-10.5")
    with pytest.raises(ValueError, match="step: 0 must be above 0"):
        units.round_down(D(1), D(0))


def test_columns_line_up_at_the_step_and_no_digit_is_dropped() -> None:
    assert units.at_step(D(60000), D("0.10")) == "60000.0"
    assert units.at_step(D("60000.25"), D("0.1")) == "60000.25"
    assert units.at_step(D("7"), D("5")) == "7"
    assert units.decimal_places(D("0.100")) == 1
    assert units.decimal_places(D("1E+3")) == 0


decimals = st.decimals(min_value="-1e20", max_value="1e20", places=12, allow_nan=False, allow_infinity=False)
steps = st.decimals(min_value="0.000001", max_value="1000", places=6, allow_nan=False, allow_infinity=False)


@given(value=decimals, step=steps)
def test_rounded_values_enclose_the_value_within_one_step(value: Decimal, step: Decimal) -> None:
    down, up, nearest = (rounding(value, step) for rounding in (units.round_down, units.round_up, units.round_nearest))
    assert down <= value <= up
    assert up - down in (0, step)
    assert nearest in (down, up)


@given(value=st.decimals(min_value="-1e23", max_value="1e23", places=15, allow_nan=False, allow_infinity=False))
def test_written_and_read_again_a_number_is_the_same(value: Decimal) -> None:
    assert units.parse_decimal(units.to_text(value, "amount")) == value
