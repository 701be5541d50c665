"""Runs published cases and says what became of each; a case never stops the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from exchange.conformance import changes, defaults, funding, orders, prices, queues, requirements
from exchange.conformance.cases import Adapter, Case, CaseResult, Outcome
from exchange.conformance.differs import DIFFERS, ORDERS_IN_MAINTENANCE
from exchange.conformance.numbers import CaseError, Figure, agrees

ADAPTERS: Mapping[str, Adapter] = {
    **requirements.ADAPTERS,
    **prices.ADAPTERS,
    **orders.ADAPTERS,
    **changes.ADAPTERS,
    **defaults.ADAPTERS,
    **funding.ADAPTERS,
    **queues.ADAPTERS,
}
"""One adapter per formula id."""


def run_cases(cases: Iterable[object]) -> list[CaseResult]:
    """Return what became of each case, in order; ``cases`` are the decoded objects of a file.

    A malformed case has failed, one of an unknown formula or of another rule is skipped, each with the reason.
    """
    return [run_case(number, case) for number, case in enumerate(cases, start=1)]


def run_case(number: int, written: object) -> CaseResult:
    """Return what became of one case; ``number`` names it where it has no readable id."""
    try:
        case = msgspec.convert(written, Case)
    except msgspec.ValidationError as error:
        name = written.get("id") if isinstance(written, dict) else None
        return CaseResult(
            name if isinstance(name, str) else f"case {number}", "", "", "", "", Outcome.FAILED, f"malformed case: {error}"
        )
    outcome, reason = _judge(case)
    return CaseResult(case.id, case.system, case.kind, case.applicability, case.formula_id, outcome, reason)


def _judge(case: Case) -> tuple[Outcome, str]:
    skipped = skip_reason(case)
    if skipped is not None:
        return Outcome.SKIPPED, skipped
    if not case.expected:
        return Outcome.FAILED, "malformed case: it expects nothing"
    try:
        figures = ADAPTERS[case.formula_id](case)
        wrong = list(_disagreements(case, figures))
    except CaseError as error:
        return Outcome.FAILED, f"malformed case: {error}"
    except Exception as error:  # a defect of an adapter or the engine must not hide what the other cases say
        return Outcome.FAILED, f"the adapter broke: {type(error).__name__}: {error}"
    return (Outcome.FAILED, "; ".join(wrong)) if wrong else (Outcome.PASSED, "")


def skip_reason(case: Case) -> str | None:
    """Return why a case is not run, or None when it is."""
    for key in (case.id, case.formula_id):
        if key in DIFFERS:
            return DIFFERS[key]
    if case.formula_id == "vega_margin_levels" and case.applicability != "direct":
        return ORDERS_IN_MAINTENANCE
    return None if case.formula_id in ADAPTERS else f"the formula {case.formula_id[:60]!r} is not known"


def _disagreements(case: Case, figures: Mapping[str, Figure]) -> Iterable[str]:
    for name, expected in case.expected.items():
        if name not in figures:
            yield f"no figure for {name}"
        elif not agrees(figures[name], expected, case.rounding):
            yield f"{name}: {_shown(figures[name])}, expected {_shown(expected)} ({case.rounding})"


def _shown(figure: object) -> str:
    if isinstance(figure, list):
        return "[" + ", ".join(_shown(item) for item in figure) + "]"
    return str(figure)[:80]


class Tally(NamedTuple):
    """How many cases of a group passed, failed and were skipped."""

    passed: int
    failed: int
    skipped: int


def tally(results: Iterable[CaseResult]) -> Tally:
    """Return how many passed, failed and were skipped."""
    counted = Counter(result.outcome for result in results)
    return Tally(counted[Outcome.PASSED], counted[Outcome.FAILED], counted[Outcome.SKIPPED])


def tally_by_system_and_kind(results: Iterable[CaseResult]) -> dict[tuple[str, str], Tally]:
    """Return the tally of each system and kind, sorted by name."""
    groups: dict[tuple[str, str], list[CaseResult]] = {}
    for result in results:
        groups.setdefault((result.system, result.kind), []).append(result)
    return {key: tally(groups[key]) for key in sorted(groups)}
