"""Decimal texts to whole numbers and back, strictly; roundings."""

from __future__ import annotations

import pytest

from exchange.domain.units import (
    Grid,
    ceil_div,
    div_toward_zero,
    format_cash,
    format_decimal,
    format_rate,
    parse_cash,
    parse_decimal,
    parse_rate,
)


@pytest.mark.parametrize(
    ("text", "decimals", "value"),
    [
        ("0", 0, 0),
        ("0", 6, 0),
        ("-0", 6, 0),
        ("1", 0, 1),
        ("1", 2, 100),
        ("1.5", 2, 150),
        ("1.50", 2, 150),
        ("1.500000", 1, 15),
        ("0.000001", 6, 1),
        ("-0.000001", 6, -1),
        ("-12.34", 2, -1234),
        ("007", 0, 7),
        ("60000.5", 1, 600005),
        ("999999999999999999999999", 0, 10**24 - 1),
        ("1.000000000000000000", 0, 1),
    ],
)
def test_a_plain_decimal_text_is_read_exactly(text: str, decimals: int, value: int) -> None:
    assert parse_decimal(text, decimals) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-",
        ".",
        "1.",
        ".5",
        "+1",
        "--1",
        "1e3",
        "1E3",
        "1_000",
        "1,5",
        "1 ",
        " 1",
        "1\n",
        "0x10",
        "NaN",
        "nan",
        "Infinity",
        "-inf",
        "1.2.3",
        "1/2",
        "\u0661\u0662",
        "\u00b2",
        "\uff11",
        "1\x00",
        "1" * 25,
        "0." + "0" * 18 + "1",
        "0" * 10_000,
        "1e1000000",
    ],
)
def test_anything_else_is_refused_with_a_sentence_that_shows_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"write a decimal number of at most 40 characters, such as 60000\.5"):
        parse_decimal(text, 6)


def test_digits_finer_than_the_unit_are_refused_but_zeros_there_are_not() -> None:
    with pytest.raises(ValueError, match="at most 2 decimal places are allowed"):
        parse_decimal("1.005", 2)
    assert parse_decimal("1.00", 0) == 1


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0, 0, "0"),
        (0, 6, "0"),
        (-0, 6, "0"),
        (7, 0, "7"),
        (-7, 0, "-7"),
        (150, 2, "1.5"),
        (100, 2, "1"),
        (1, 6, "0.000001"),
        (-1, 6, "-0.000001"),
        (-1_500_000, 6, "-1.5"),
        (10**24, 6, "1000000000000000000"),
    ],
)
def test_a_whole_number_of_units_is_written_without_trailing_zeros(value: int, decimals: int, text: str) -> None:
    assert format_decimal(value, decimals) == text
    assert parse_decimal(text, decimals) == value


def test_money_has_six_decimals_and_so_have_rates() -> None:
    assert parse_cash("12.345678") == 12_345_678
    assert format_cash(12_345_678) == "12.345678"
    assert parse_rate("0.0005") == 500
    assert parse_rate("-0.0001") == -100
    assert format_rate(500) == "0.0005"
    with pytest.raises(ValueError, match="at most 6 decimal places"):
        parse_cash("0.0000001")


@pytest.mark.parametrize(
    ("numerator", "denominator", "up", "toward_zero"),
    [(7, 2, 4, 3), (6, 2, 3, 3), (0, 5, 0, 0), (-7, 2, -3, -3), (-6, 2, -3, -3), (1, 3, 1, 0), (-1, 3, 0, 0)],
)
def test_roundings(numerator: int, denominator: int, up: int, toward_zero: int) -> None:
    assert ceil_div(numerator, denominator) == up
    assert div_toward_zero(numerator, denominator) == toward_zero


@pytest.mark.rule("BOOK-006")
@pytest.mark.parametrize(
    ("grid", "text", "count"),
    [
        (Grid(1, 0), "100", 100),
        (Grid(1, 1), "60000.5", 600_005),
        (Grid(5, 1), "60000.5", 120_001),
        (Grid(25, 2), "0.75", 3),
        (Grid(10, 0), "120", 12),
        (Grid(1, 3), "-0.004", -4),
    ],
)
def test_a_value_on_the_grid_is_counted_in_steps(grid: Grid, text: str, count: int) -> None:
    assert grid.parse(text) == count
    assert grid.parse(grid.format(count)) == count


@pytest.mark.rule("BOOK-006")
@pytest.mark.parametrize(
    ("grid", "text", "size"),
    [
        (Grid(1, 0), "100.5", "1"),
        (Grid(5, 1), "60000.3", "0.5"),
        (Grid(25, 2), "0.76", "0.25"),
        (Grid(25, 2), "0.751", "0.25"),
        (Grid(10, 0), "125", "10"),
    ],
)
def test_a_value_between_two_steps_is_refused_naming_the_step_and_never_snapped(grid: Grid, text: str, size: str) -> None:
    with pytest.raises(ValueError, match=f"^{text} is not a whole multiple of {size}$"):
        grid.parse(text)


def test_a_grid_refuses_what_is_no_decimal_as_such() -> None:
    with pytest.raises(ValueError, match="write a decimal number"):
        Grid(1, 0).parse("1e3")


@pytest.mark.parametrize(
    ("grid", "size"), [(Grid(1, 0), "1"), (Grid(5, 1), "0.5"), (Grid(1, 4), "0.0001"), (Grid(10, 0), "10")]
)
def test_the_size_of_a_step_is_a_decimal_text(grid: Grid, size: str) -> None:
    assert grid.size == size
