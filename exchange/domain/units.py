"""Whole-number units and the named functions that cross between them.

Everything the core computes with is an ``int`` whose unit the alias names. Aliases instead of ``NewType``: a wrapper at
every sum would cost a call and hide the arithmetic; names and the ``Units:`` lines carry the unit.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import msgspec

Ticks: TypeAlias = int
"""A price in whole ticks of its instrument."""
Lots: TypeAlias = int
"""A quantity in whole lots of its instrument; signed where it is a position (long positive)."""
Cash: TypeAlias = int
"""Money in whole 1e-6 of the settlement currency."""
Ppm: TypeAlias = int
"""A rate in parts per million."""
Ppb: TypeAlias = int
"""A rate in parts per thousand million: funding needs finer steps than ppm."""
TimeNs: TypeAlias = int
"""Nanoseconds since the Unix epoch."""

CASH_DECIMALS = 6
RATE_DECIMALS = 6
PPM: int = 10**RATE_DECIMALS
FUNDING_DECIMALS = 9
PPB: int = 10**FUNDING_DECIMALS
PRICE_TICKS_MAX: Ticks = 2**40
QUANTITY_LOTS_MAX: Lots = 2**40
CASH_MAX: Cash = 10**18
"""The most that one credit or transfer may name: a million million of the settlement currency."""
DECIMAL_TEXT_MAX = 40

_DECIMAL = re.compile(r"(-?)([0-9]{1,24})(?:\.([0-9]{1,18}))?\Z", re.ASCII)


def ceil_div(numerator: int, denominator: int) -> int:
    """Return the quotient rounded toward plus infinity; requirements and debits round this way."""
    return -(-numerator // denominator)


def div_toward_zero(numerator: int, denominator: int) -> int:
    """Return the quotient rounded toward zero; ``denominator`` must be positive."""
    return numerator // denominator if numerator >= 0 else -(-numerator // denominator)


def div_half_even(numerator: int, denominator: int) -> int:
    """Return the quotient rounded to the nearest whole number, a half to the even one; ``denominator`` must be positive."""
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient % 2):
        return quotient + 1
    return quotient


def parse_decimal(text: str, decimals: int) -> int:
    """Return ``text`` as a whole number of ``10**-decimals``.

    The grammar is digits with at most one point and an optional leading minus: no exponent, no spaces, no NaN.
    Raises ``ValueError`` with a sentence when the text is none of that or is finer than ``decimals`` places.
    """
    matched = _DECIMAL.match(text) if len(text) <= DECIMAL_TEXT_MAX else None
    if matched is None:
        raise ValueError(f"write a decimal number of at most {DECIMAL_TEXT_MAX} characters, such as 60000.5")
    sign, whole, fraction = matched.group(1), matched.group(2), (matched.group(3) or "").rstrip("0")
    if len(fraction) > decimals:
        raise ValueError(f"at most {decimals} decimal places are allowed")
    magnitude = int(whole + fraction.ljust(decimals, "0"))
    return -magnitude if sign else magnitude


def format_decimal(value: int, decimals: int) -> str:
    """Return ``value`` units of ``10**-decimals`` as a plain decimal string without trailing zeros."""
    sign, digits = ("-", str(-value)) if value < 0 else ("", str(value))
    if decimals == 0:
        return sign + digits
    digits = digits.rjust(decimals + 1, "0")
    whole, fraction = digits[:-decimals], digits[-decimals:].rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else sign + whole


class Grid(msgspec.Struct, frozen=True):
    """The evenly spaced values that a price or quantity may take: multiples of ``step * 10**-decimals``."""

    step: int
    decimals: int

    @property
    def size(self) -> str:
        """The distance between two neighbours, as a decimal string (the tick size, the lot size)."""
        return format_decimal(self.step, self.decimals)

    def parse(self, text: str) -> int:
        """Return how many steps ``text`` is; ``ValueError`` names the step when it lies between two."""
        try:
            value = parse_decimal(text, self.decimals)
        except ValueError as error:
            if "decimal places" not in str(error):
                raise
            raise ValueError(f"{text} is not a whole multiple of {self.size}") from None
        count, rest = divmod(value, self.step)
        if rest:
            raise ValueError(f"{text} is not a whole multiple of {self.size}")
        return count

    def format(self, count: int) -> str:
        """Return ``count`` steps as a decimal string."""
        return format_decimal(count * self.step, self.decimals)


def parse_cash(text: str) -> Cash:
    """Return a decimal amount of the settlement currency in cash units."""
    return parse_decimal(text, CASH_DECIMALS)


def format_cash(amount: Cash) -> str:
    """Return cash units as a decimal amount of the settlement currency."""
    return format_decimal(amount, CASH_DECIMALS)


def parse_rate(text: str) -> Ppm:
    """Return a decimal rate ("0.0005") in parts per million."""
    return parse_decimal(text, RATE_DECIMALS)


def format_rate(rate: Ppm) -> str:
    """Return parts per million as a decimal rate."""
    return format_decimal(rate, RATE_DECIMALS)
