"""The numbers of published cases: exact fractions in and out, whole units of a grid that fits in between."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from exchange.domain.units import PPB, PPM, Cash, Lots, Ppb, Ppm, Ticks

Figure: TypeAlias = "Fraction | bool | str | list[Figure] | None"
"""What an adapter hands back: an exact number, a yes or no, a name, or a list of these."""

FINER_CASH_DECIMALS = 18
"""How much finer than the case's own figures money is counted, so that the engine's roundings lie below what it states."""

_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?\Z", re.ASCII)


DECIMALS_MAX = 200
"""With how many decimal places a number of a case, or what follows from it, may be written."""
WHOLE_MAX = 10**40
"""No number of a case is as large."""


class CaseError(ValueError):
    """A case that cannot be read: a sentence that names what is missing or mistyped."""


class NotCoveredError(Exception):
    """A readable case that asks for what nothing here has: a sentence that names it."""


def exact(value: object) -> Fraction:
    """Return the number that a case writes. Raises ``CaseError`` for anything but a plain decimal."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < WHOLE_MAX:
        return Fraction(value)
    if isinstance(value, str) and _NUMBER.match(value):
        return Fraction(value)
    shown = "so large a number" if isinstance(value, int) and not isinstance(value, bool) else repr(str(value)[:60])
    raise CaseError(f"{shown} is no plain decimal number")


def decimals_of(values: Iterable[Fraction], least: int = 0) -> int:
    """Return with how many decimal places all values can be written, at least ``least`` (which may be negative).

    Raises ``NotCoveredError`` for a value that no finite number of places writes, such as a third.
    """
    places = least
    for value in values:
        while (value * Fraction(10) ** places).denominator != 1:
            places += 1
            if places > DECIMALS_MAX:
                raise NotCoveredError(f"{str(value)[:60]} has no finite decimal places, and prices and quantities here do")
    return places


def ppm(rate: Fraction) -> Ppm:
    """Return a rate in parts per million. Raises ``NotCoveredError`` where it is finer than that."""
    if (rate * PPM).denominator != 1:
        raise NotCoveredError(f"the rate {str(rate)[:60]} is no whole number of parts per million")
    return int(rate * PPM)


def ppb(rate: Fraction) -> Ppb:
    """Return a rate in parts per thousand million. Raises ``NotCoveredError`` where it is finer than that."""
    if (rate * PPB).denominator != 1:
        raise NotCoveredError(f"the rate {str(rate)[:60]} is no whole number of parts per thousand million")
    return int(rate * PPB)


def rate_of(parts: Ppm) -> Fraction:
    """Return parts per million as a rate."""
    return Fraction(parts, PPM)


class Scale(NamedTuple):
    """A grid on which every number of a case is whole: decimal places of a tick, a lot and a unit of money.

    Places may be negative: at -4, the tick is 10,000.
    """

    price_decimals: int
    quantity_decimals: int
    cash_decimals: int

    @property
    def cash_per_tick_lot(self) -> Cash:
        """Money units per tick and lot; the grid must make it whole."""
        spare = self.cash_decimals - self.price_decimals - self.quantity_decimals
        if spare < 0:
            raise NotCoveredError("the case's prices and quantities are finer than its money")
        return int(10**spare)

    def ticks(self, price: Fraction) -> Ticks:
        """Return a price in ticks."""
        return _whole(price, self.price_decimals)

    def lots(self, quantity: Fraction) -> Lots:
        """Return a quantity in lots."""
        return _whole(quantity, self.quantity_decimals)

    def cash(self, amount: Fraction) -> Cash:
        """Return an amount in units of money."""
        return _whole(amount, self.cash_decimals)

    def price(self, ticks: Fraction | Ticks) -> Fraction:
        """Return ticks, whole or not, as a price."""
        return ticks / Fraction(10) ** self.price_decimals

    def quantity(self, lots: Lots) -> Fraction:
        """Return lots as a quantity."""
        return lots / Fraction(10) ** self.quantity_decimals

    def money(self, amount: Cash) -> Fraction:
        """Return units of money as an amount."""
        return amount / Fraction(10) ** self.cash_decimals


WHOLE_UNITS = Scale(0, 0, 0)
"""For cases in the smallest units themselves: their roundings are the engine's."""


def _whole(value: Fraction, places: int) -> int:
    scaled = value * Fraction(10) ** places
    if scaled.denominator != 1:
        raise NotCoveredError(f"{str(value)[:60]} is finer than the grid of its case")
    return int(scaled)


def fine_scale(prices: Iterable[Fraction], quantities: Iterable[Fraction], money: Iterable[Fraction] = ()) -> Scale:
    """Return the coarsest ticks and lots that fit, with money far finer than any figure of the case."""
    price_places, quantity_places = decimals_of(prices), decimals_of(quantities)
    cash_places = decimals_of(money, price_places + quantity_places)
    return Scale(price_places, quantity_places, cash_places + FINER_CASH_DECIMALS)


def rounded_down(value: Fraction, decimals: int) -> Fraction:
    """Return a figure cut to the unit that its case is written in, where the case's own formula says floor."""
    unit = Fraction(10) ** decimals
    return (value * unit).__floor__() / unit


def rounded_near(value: Fraction, decimals: int) -> Fraction:
    """Return a figure at the nearest unit that its case is written in, for what lies a rounding of the engine beside it."""
    unit = Fraction(10) ** decimals
    return round(value * unit) / unit


def agrees(actual: Figure, expected: object, rounding: str) -> bool:
    """Return whether a figure is what the case expects at the rounding that it states.

    Raises ``CaseError`` for a rounding that is none of ``exact``, ``nearest:N``, ``trunc:N`` and ``rel:X``.
    """
    if isinstance(actual, list):
        if not isinstance(expected, list) or len(actual) != len(expected):
            return False
        return all(agrees(one, other, rounding) for one, other in zip(actual, expected, strict=True))
    if isinstance(actual, Fraction):
        return _numbers_agree(actual, exact(expected), rounding)
    return type(actual) is type(expected) and actual == expected


def _numbers_agree(actual: Fraction, expected: Fraction, rounding: str) -> bool:
    kind, _, given = rounding.partition(":")
    if rounding == "exact":
        return actual == expected
    if kind in ("nearest", "trunc") and re.fullmatch(r"[0-9]{1,2}", given):
        unit = Fraction(1, 10 ** int(given))
        if kind == "nearest":
            return 2 * abs(actual - expected) <= unit
        return int(actual / unit) * unit == expected
    if kind == "rel" and re.fullmatch(r"1e-[0-9]{1,2}", given):
        least: int = 10 ** int(given.removeprefix("1e-"))
        return abs(actual - expected) * least <= abs(expected)
    raise CaseError(f"the rounding {rounding[:40]!r} is not known")
