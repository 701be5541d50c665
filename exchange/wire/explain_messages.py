"""Explanations as the peer reads them, in the same schema as ``messages.py``.

Names and formulas are those of the explaining layer: a formula is written in the names of the inputs and the steps before it,
``up`` and ``down`` round to 0.000001, ``ceil`` and ``floor`` to a whole number; every value is an exact decimal string.
"""

from __future__ import annotations

from exchange.wire.messages import Message


class GivenBody(Message, frozen=True, kw_only=True):
    """A number that was there. ``unit`` is money, price, quantity, rate or count."""

    name: str
    meaning: str
    value: str
    unit: str


class WorkedBody(Message, frozen=True, kw_only=True):
    """A number that was computed: ``numbers`` is ``formula`` with its numbers put in, ``rule`` the rule of SPEC.md."""

    name: str
    meaning: str
    formula: str
    numbers: str
    value: str
    unit: str
    rule: str


class CheckBody(Message, frozen=True, kw_only=True):
    """A comparison, and whether it held."""

    name: str
    meaning: str
    left: str
    relation: str
    right: str
    numbers: str
    holds: bool
    rule: str


class PathBody(Message, frozen=True, kw_only=True):
    """How one margin path sees a decision; ``conclusion`` combines the names of checks and comes to ``verdict``."""

    path: str
    title: str
    note: str
    inputs: tuple[GivenBody, ...]
    steps: tuple[WorkedBody, ...]
    checks: tuple[CheckBody, ...]
    conclusion: str
    verdict: bool
    outcome: str


class ComparedBody(Message, frozen=True, kw_only=True):
    """One number beside itself on every path, in their order; null where a path has no such number."""

    meaning: str
    unit: str
    values: tuple[str | None, ...]


class BeforeAfterBody(Message, frozen=True, kw_only=True):
    """A number before the decision and after it."""

    meaning: str
    unit: str
    before: str | None
    after: str | None


class HappeningBody(Message, frozen=True, kw_only=True):
    """Something that followed, in order."""

    sequence: int
    time_us: int
    step: str
    sentence: str


class ExplanationBody(Message, frozen=True, kw_only=True):
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
    paths: tuple[PathBody, ...]
    compared: tuple[ComparedBody, ...]
    changes: tuple[BeforeAfterBody, ...]
    happened: tuple[HappeningBody, ...]
    prevention: tuple[str, ...]
    text: str


class ExplainResult(Message, frozen=True, kw_only=True):
    """Explanations, oldest first; ``next_offset`` asks for those after them."""

    explanations: tuple[ExplanationBody, ...]
    next_offset: int | None
