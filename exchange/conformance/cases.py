"""A published case as it is written down, the rules that it is posed under, what became of it, and reading what it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

import msgspec

from exchange.conformance.numbers import CaseError, Figure, exact
from exchange.domain.policy import RiskPolicy

ITEMS_MAX = 200
"""How many items a list of a case may have."""
OWN_RULES = "default"
"""The profile of every system that has none of its own."""


class Case(msgspec.Struct, frozen=True):
    """One worked example: what goes in, what comes out, and the formula that its source states."""

    id: str
    system: str
    kind: str
    formula_id: str
    inputs: dict[str, Any]
    expected: dict[str, Any]
    rounding: str = "exact"
    margin_mode: str = "n/a"
    applicability: str = ""


class Rules(NamedTuple):
    """A profile by name, and the policy that it makes."""

    profile: str = OWN_RULES
    policy: RiskPolicy = RiskPolicy()


RulesOf: TypeAlias = Callable[[str], Rules]
"""Picks the rules for a case by the name of its system."""


class Posed(NamedTuple):
    """A case under the rules of a profile."""

    case: Case
    policy: RiskPolicy

    @property
    def given(self) -> Given:
        """The inputs, for reading."""
        return Given(self.case.inputs)


class Given:
    """Named inputs of a case; a missing or mistyped one raises ``CaseError`` with its name."""

    __slots__ = ("_inputs",)

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        self._inputs = inputs

    def __contains__(self, name: str) -> bool:
        return name in self._inputs

    def __getitem__(self, name: str) -> Fraction:
        found = self._raw(name)
        try:
            return exact(found)
        except CaseError as error:
            raise CaseError(f"input {name}: {error}") from None

    def _raw(self, name: str) -> Any:
        if name not in self._inputs:
            raise CaseError(f"input {name} is missing")
        return self._inputs[name]

    def get(self, name: str, default: int = 0) -> Fraction:
        """Return a number, or ``default`` where the case does not give it."""
        return self[name] if name in self._inputs else Fraction(default)

    def text(self, name: str) -> str:
        """Return a name, such as a side."""
        found = self._raw(name)
        if not isinstance(found, str):
            raise CaseError(f"input {name} is no text")
        return found

    def part(self, name: str) -> Given:
        """Return the inputs inside an input."""
        found = self._raw(name)
        if not isinstance(found, dict):
            raise CaseError(f"input {name} is no group of named inputs")
        return Given(found)

    def parts(self, name: str) -> list[Given]:
        """Return the inputs inside each item of a list; none where the case does not give the list."""
        if name not in self._inputs:
            return []
        found = self._inputs[name]
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise CaseError(f"input {name} is no list of named inputs")
        return [Given(item) for item in self._bounded(name, found)]

    def numbers(self, name: str) -> list[Fraction]:
        """Return a list of numbers."""
        found = self._raw(name)
        if not isinstance(found, list):
            raise CaseError(f"input {name} is no list")
        return [exact(item) for item in self._bounded(name, found)]

    def pairs(self, name: str) -> Iterator[tuple[Fraction, Fraction]]:
        """Yield each pair of a list of pairs."""
        found = self._raw(name)
        if not isinstance(found, list) or not all(isinstance(item, list) and len(item) == 2 for item in found):
            raise CaseError(f"input {name} is no list of pairs")
        for first, second in self._bounded(name, found):
            yield exact(first), exact(second)

    def _bounded(self, name: str, items: list[Any]) -> list[Any]:
        if len(items) > ITEMS_MAX:
            raise CaseError(f"input {name} has more than {ITEMS_MAX} items")
        return items

    @property
    def sign(self) -> int:
        """+1 where the input ``side`` is long or buy, -1 where it is short or sell."""
        sign = {"long": 1, "buy": 1, "short": -1, "sell": -1}.get(self.text("side"))
        if sign is None:
            raise CaseError("input side is neither long, short, buy nor sell")
        return sign


Adapter: TypeAlias = Callable[[Posed], Mapping[str, Figure]]
"""Turns a case's inputs into whole units, asks the engine, and returns its figures by the names of ``expected``."""


class Outcome(Enum):
    """What became of a case."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class CaseResult(NamedTuple):
    """What became of a case under a profile's rules, and why; the reason of a passed case is empty."""

    case_id: str
    system: str
    kind: str
    applicability: str
    formula_id: str
    profile: str
    outcome: Outcome
    reason: str
