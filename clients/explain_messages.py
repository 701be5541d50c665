"""Explanations as frozen values.

Names and formulas: a formula is written in the names of the inputs and of the steps before it; ``up`` and ``down`` round to
0.000001, ``ceil`` and ``floor`` to a whole number. Values are exact decimal text (a contract multiplier may be a fraction).
"""

from __future__ import annotations

from dataclasses import dataclass

from exchange.domain.enums import MarginMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A number that was there; ``unit`` is money, price, quantity, rate or count."""

    name: str
    meaning: str
    value: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """A number that was computed: ``numbers`` is ``formula`` with its numbers put in, ``rule`` its rule."""

    name: str
    meaning: str
    formula: str
    numbers: str
    value: str
    unit: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A comparison, and whether it held."""

    name: str
    meaning: str
    left: str
    relation: str
    right: str
    numbers: str
    holds: bool
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PathArithmetic:
    """How one margin path sees a decision; ``conclusion`` combines the names of checks and comes to ``verdict``."""

    path: MarginMode
    title: str
    note: str
    inputs: tuple[Given, ...]
    steps: tuple[Worked, ...]
    checks: tuple[Check, ...]
    conclusion: str
    verdict: bool
    outcome: str

    def value(self, name: str) -> str | None:
        """Return the value of an input or a step; None where this path has no such name."""
        values = {each.name: each.value for each in self.inputs} | {each.name: each.value for each in self.steps}
        return values.get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One number beside itself on every path, in their order."""

    meaning: str
    unit: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeAfter:
    """A number before the decision and after it."""

    meaning: str
    unit: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that followed, in order; ``step`` is a word to program against."""

    sequence: int
    time_us: int
    step: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why something was accepted, refused or done. ``paths`` begins with the one that decided; ``text`` says all of it."""

    kind: str
    headline: str
    sequence: int
    time_us: int
    account: str
    symbol: str | None
    position_side: str | None
    order_id: int | None
    client_order_id: str | None
    liquidation_id: int | None
    verdict: str
    reason: str | None
    limit: str | None
    actual: str | None
    paths: tuple[PathArithmetic, ...]
    compared: tuple[Compared, ...]
    changes: tuple[BeforeAfter, ...]
    happened: tuple[Happening, ...]
    prevention: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        """Return the whole answer as text."""
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationPage:
    """Explanations, oldest first; ``next_offset`` asks for those after them."""

    explanations: tuple[Explanation, ...]
    next_offset: int | None
