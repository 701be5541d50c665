"""A published case as it is written down, what became of it, and reading what it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

import msgspec

from exchange.conformance.numbers import CaseError, Figure, exact


class Case(msgspec.Struct, frozen=True):
    """One worked example: what goes in, what comes out, and the formula that its source states."""

    id: str
    system: str
    kind: str
    applicability: str
    formula_id: str
    inputs: dict[str, Any]
    expected: dict[str, Any]
    rounding: str
    margin_mode: str = "n/a"

    @property
    def given(self) -> Given:
        """The inputs, for reading."""
        return Given(self.inputs)


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
        return [Given(item) for item in found]

    def numbers(self, name: str) -> list[Fraction]:
        """Return a list of numbers."""
        found = self._raw(name)
        if not isinstance(found, list):
            raise CaseError(f"input {name} is no list")
        return [exact(item) for item in found]

    def pairs(self, name: str) -> Iterator[tuple[Fraction, Fraction]]:
        """Yield each pair of a list of pairs."""
        found = self._raw(name)
        if not isinstance(found, list) or not all(isinstance(item, list) and len(item) == 2 for item in found):
            raise CaseError(f"input {name} is no list of pairs")
        for first, second in found:
            yield exact(first), exact(second)

    @property
    def sign(self) -> int:
        """+1 where the input ``side`` is long or buy, -1 where it is short or sell."""
        sign = {"long": 1, "buy": 1, "short": -1, "sell": -1}.get(self.text("side"))
        if sign is None:
            raise CaseError("input side is neither long, short, buy nor sell")
        return sign


Adapter: TypeAlias = Callable[[Case], Mapping[str, Figure]]
"""Turns a case's inputs into whole units, asks the engine, and returns its figures by the names of ``expected``."""


class Outcome(Enum):
    """What became of a case."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class CaseResult(NamedTuple):
    """What became of a case and why; the reason of a passed case is empty."""

    case_id: str
    system: str
    kind: str
    applicability: str
    formula_id: str
    outcome: Outcome
    reason: str
