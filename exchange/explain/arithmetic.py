"""Writes arithmetic down: names, formulas, the same formulas with numbers put in, checks."""

from __future__ import annotations

import re
from fractions import Fraction

from exchange.domain.instrument import Instrument
from exchange.domain.units import CASH_DECIMALS, Cash, Lots, Ppm, Ticks, format_cash, format_decimal, format_rate
from exchange.explain.explanation import Check, Given, PathArithmetic, Worked

FUNCTIONS = frozenset({"up", "down", "min", "max", "abs", "ceil", "floor"})
"""What a formula may call: ``up`` and ``down`` round to 0.000001, ``ceil`` and ``floor`` to a whole number."""
_NAME = re.compile(r"[A-Za-z_]\w*")
_POOL = ("W", "K", "W_was", "W_own")
_NUMBERED = re.compile(r"([A-Za-z_]+?)([0-9]+)(?:_then|_rest|_less)?")
_STEMS = ("q", "c", "P", "k", "W", "L", "R", "fee_rate", "rate", "amount", "top", "floor", "next_floor")
"""What is numbered by position, in the order in which people ask for it."""


class Arithmetic:
    """One path's arithmetic while it is written down."""

    def __init__(self, path: str, title: str, note: str = "") -> None:
        self.path = path
        self.title = title
        self.note = note
        self._inputs: list[Given] = []
        self._steps: list[Worked] = []
        self._checks: list[Check] = []
        self._values: dict[str, str] = {}
        self._used: set[str] = set()

    def knows(self, name: str) -> bool:
        """Return whether a name has a value already."""
        return name in self._values

    # -- numbers that were there -------------------------------------------------------------------------------------

    def given(self, name: str, meaning: str, value: str, unit: str) -> None:
        """Name a number that was there; named a second time it stays what it was."""
        if name not in self._values:
            self._values[name] = value
            self._inputs.append(Given(name, meaning, value, unit))

    def money(self, name: str, meaning: str, value: Cash) -> None:
        """Name an amount of money."""
        self.given(name, meaning, format_cash(value), "money")

    def rate(self, name: str, meaning: str, value: Ppm) -> None:
        """Name a rate."""
        self.given(name, meaning, format_rate(value), "rate")

    def count(self, name: str, meaning: str, value: int) -> None:
        """Name a whole number."""
        self.given(name, meaning, str(value), "count")

    def price(self, name: str, meaning: str, instrument: Instrument, value: Ticks) -> None:
        """Name a price."""
        self.given(name, meaning, instrument.price_grid.format(value), "price")

    def quantity(self, name: str, meaning: str, instrument: Instrument, value: Lots) -> None:
        """Name a quantity."""
        self.given(name, meaning, instrument.quantity_grid.format(value), "quantity")

    # -- numbers that were computed ----------------------------------------------------------------------------------

    def step(self, name: str, meaning: str, formula: str, value: str, unit: str, rule: str) -> None:
        """Write down how a number was computed; its value is the engine's, its formula is written beside it."""
        assert name not in self._values, f"{name} has a value already"
        self._steps.append(Worked(name, meaning, formula, self.put_in(formula), value, unit, rule))
        self._values[name] = value

    def money_step(self, name: str, meaning: str, formula: str, value: Cash, rule: str) -> Cash:
        """Write down how an amount of money was computed, and return it."""
        self.step(name, meaning, formula, format_cash(value), "money", rule)
        return value

    def check(self, name: str, meaning: str, left: str, relation: str, right: str, *, holds: bool, rule: str) -> bool:
        """Write down a comparison, and return whether it held."""
        numbers = f"{self.put_in(left)} {relation} {self.put_in(right)}"
        self._checks.append(Check(name, meaning, left, relation, right, numbers, holds, rule))
        return holds

    def put_in(self, formula: str) -> str:
        """Return a formula with its numbers in the place of its names."""

        def number(found: re.Match[str]) -> str:
            name = found.group()
            if name in FUNCTIONS:
                return name
            self._used.add(name)
            value = self._values[name]
            return f"({value})" if value.startswith("-") else value

        return _NAME.sub(number, formula)

    def finish(self, conclusion: str, *, verdict: bool, outcome: str) -> PathArithmetic:
        """Return what was written, with what it comes to; inputs that nothing was computed of are left out."""
        return PathArithmetic(
            path=self.path,
            title=self.title,
            note=self.note,
            inputs=tuple(sorted((each for each in self._inputs if each.name in self._used), key=_place)),
            steps=tuple(self._steps),
            checks=tuple(self._checks),
            conclusion=conclusion,
            verdict=verdict,
            outcome=outcome,
        )


def _place(given: Given) -> tuple[int, int, int]:
    """Return where an input is listed: the pool first, then each position with its own, then what was asked for."""
    found = _NUMBERED.fullmatch(given.name)
    if found is None:
        return (0, 0, 0) if given.name in _POOL else (2, 0, 0)
    stem = found[1]
    return 1, int(found[2]), _STEMS.index(stem) if stem in _STEMS else len(_STEMS)


def total(*terms: str) -> str:
    """Return a sum of terms as a formula; 0 without any."""
    return " + ".join(terms) or "0"


def contract_multiplier(instrument: Instrument) -> Fraction:
    """Return the money that one unit of quantity moves by when the price moves by one; 1 for most contracts."""
    price, quantity = instrument.price_grid, instrument.quantity_grid
    exponent = price.decimals + quantity.decimals - CASH_DECIMALS
    scaled = Fraction(instrument.cash_per_tick_lot, price.step * quantity.step)
    return scaled * Fraction(10) ** exponent


def fraction_text(value: Fraction) -> str:
    """Return a fraction as an exact decimal where it has one, else as a division in brackets."""
    rest, places = value.denominator, 0
    for prime in (2, 5):
        count = 0
        while rest % prime == 0:
            rest, count = rest // prime, count + 1
        places = max(places, count)
    if rest != 1:
        return f"({value.numerator} / {value.denominator})"
    return format_decimal(int(value * 10**places), places)
