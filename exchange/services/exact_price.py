"""Prices of files and scenarios as exact whole numbers, before they are put on an instrument's grid."""

from __future__ import annotations

from typing import TypeAlias

from exchange.domain.units import PRICE_TICKS_MAX, Grid, Ticks, format_decimal, parse_decimal

ExactPrice: TypeAlias = int
"""A price in whole 1e-18, fine enough for every decimal text that the strict grammar accepts."""

PRICE_DECIMALS = 18


def parse_price(text: str) -> ExactPrice:
    """Return a positive decimal text as an exact price; ``ValueError`` says what is wrong with it."""
    price = parse_decimal(text, PRICE_DECIMALS)
    if price <= 0:
        raise ValueError("a price must be above 0")
    return price


def format_price(price: ExactPrice) -> str:
    """Return an exact price as a decimal string."""
    return format_decimal(price, PRICE_DECIMALS)


def round_half_even(numerator: int, denominator: int) -> int:
    """Return the quotient rounded to the nearest whole number, a tie to the even one; ``denominator`` is positive."""
    whole, rest = divmod(numerator, denominator)
    doubled = 2 * rest
    if doubled > denominator or (doubled == denominator and whole % 2):
        return whole + 1
    return whole


def price_of_ticks(ticks: Ticks, grid: Grid) -> ExactPrice:
    """Return the exact price of whole ticks. A grid finer than 1e-18 has no such price and is a ``ValueError``."""
    if grid.decimals > PRICE_DECIMALS:
        raise ValueError(f"a tick of {grid.size} is finer than {PRICE_DECIMALS} decimal places")
    scale: int = 10 ** (PRICE_DECIMALS - grid.decimals)
    return ticks * grid.step * scale


def nearest_tick(price: ExactPrice, grid: Grid) -> Ticks:
    """Return the nearest whole tick (ties to even); ``ValueError`` when that is no price a mark may take (MARK-001)."""
    ticks = round_half_even(price * 10**grid.decimals, grid.step * 10**PRICE_DECIMALS)
    if not 1 <= ticks <= PRICE_TICKS_MAX:
        raise ValueError(
            f"{format_price(price)} is {ticks} ticks of {grid.size}, and a mark lies between 1 and {PRICE_TICKS_MAX} ticks"
        )
    return ticks
