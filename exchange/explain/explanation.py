"""What an explanation holds: named inputs, formulas with and without their numbers, checks, and what came of it.

Every value is exact text in human units: prices, quantities and money as plain decimals, rates as fractions. A formula is
written in the names of the inputs and of the steps before it; ``up`` and ``down`` round to 0.000001.
"""

from __future__ import annotations

import msgspec

from exchange.domain.ids import AccountId, LiquidationId, OrderId, Symbol
from exchange.domain.units import TimeNs


class Given(msgspec.Struct, frozen=True):
    """A number that was there: its name in formulas, what it is, and its value."""

    name: str
    meaning: str
    value: str
    unit: str


class Worked(msgspec.Struct, frozen=True):
    """A number that was computed. ``numbers`` is ``formula`` with its numbers put in; ``rule`` its rule in SPEC.md."""

    name: str
    meaning: str
    formula: str
    numbers: str
    value: str
    unit: str
    rule: str


class Check(msgspec.Struct, frozen=True):
    """A comparison of two expressions, whether it held, and its rule in SPEC.md."""

    name: str
    meaning: str
    left: str
    relation: str
    right: str
    numbers: str
    holds: bool
    rule: str


class PathArithmetic(msgspec.Struct, frozen=True, kw_only=True):
    """How one margin path sees a decision.

    ``conclusion`` combines the names of checks with ``and``, ``or`` and ``not``; ``verdict`` is what it comes to, and
    ``outcome`` says that in a word. ``note`` says of a path that did not decide what it supposes.
    """

    path: str
    title: str
    note: str
    inputs: tuple[Given, ...]
    steps: tuple[Worked, ...]
    checks: tuple[Check, ...]
    conclusion: str
    verdict: bool
    outcome: str

    def value(self, name: str) -> str | None:
        """Return the value of an input or a step, or None where this path has no such name."""
        values = {each.name: each.value for each in self.inputs}
        values.update((each.name, each.value) for each in self.steps)
        return values.get(name)


class Compared(msgspec.Struct, frozen=True):
    """One number beside itself on the paths of an explanation, in their order; None where a path has no such number."""

    meaning: str
    unit: str
    values: tuple[str | None, ...]


class BeforeAfter(msgspec.Struct, frozen=True):
    """A number before the decision and after it; None where there is none."""

    meaning: str
    unit: str
    before: str | None
    after: str | None


class Happening(msgspec.Struct, frozen=True):
    """Something that followed, in order. ``step`` is a word to program against."""

    sequence: int
    time_ns: TimeNs
    step: str
    sentence: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to why something was accepted, refused or done. ``headline`` is that in one sentence.

    ``paths`` begins with the one that decided; the others are what would have been seen in the other margin mode. It is
    empty where no margin was computed.
    """

    kind: str
    headline: str
    sequence: int
    time_ns: TimeNs
    account: AccountId
    symbol: Symbol | None = None
    position_side: str | None = None
    order_id: OrderId | None = None
    client_order_id: str | None = None
    liquidation_id: LiquidationId | None = None
    verdict: str
    reason: str | None = None
    limit: str | None = None
    actual: str | None = None
    paths: tuple[PathArithmetic, ...] = ()
    compared: tuple[Compared, ...] = ()
    changes: tuple[BeforeAfter, ...] = ()
    happened: tuple[Happening, ...] = ()
    prevention: tuple[str, ...] = ()
