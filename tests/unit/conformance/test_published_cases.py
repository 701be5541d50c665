"""The published worked examples, by path where they are at hand: the engine's own functions give their figures."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from exchange.conformance.cases import Outcome
from exchange.conformance.differs import DIFFERS, PROFILE
from exchange.conformance.runner import ADAPTERS, run_cases, tally, tally_by_system_and_kind

PUBLISHED = Path(os.environ.get("RINGFENCE_PUBLISHED_CASES", "/work/shared/oracle/margin_cases.json"))
DIRECT_PASSED_MIN = 190


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    """Every published case."""
    if not PUBLISHED.exists():
        pytest.skip(f"the published cases are not at {PUBLISHED}")
    loaded: list[dict[str, Any]] = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    return loaded


@pytest.mark.rule("MARG-003", "MARG-004", "MARG-005", "MARG-006", "MARG-008", "LIQ-005", "LIQ-006", "LIQ-008")
def test_no_published_case_fails_and_nearly_all_that_are_of_our_rules_are_run(cases: list[dict[str, Any]]) -> None:
    results = run_cases(cases)
    assert [f"{result.case_id}: {result.reason}" for result in results if result.outcome is Outcome.FAILED] == []
    direct = tally(result for result in results if result.applicability == "direct")
    assert direct.passed >= DIRECT_PASSED_MIN
    assert sum(map(sum, tally_by_system_and_kind(results).values())) == len(cases)


def test_every_direct_case_that_is_not_run_names_the_rule_that_differs(cases: list[dict[str, Any]]) -> None:
    for result in run_cases(cases):
        if result.applicability == "direct" and result.outcome is Outcome.SKIPPED:
            reasons = {DIFFERS.get(result.case_id), DIFFERS.get(result.formula_id)}
            assert result.reason in reasons, result
            assert not result.reason.startswith(PROFILE), result
        elif result.outcome is Outcome.SKIPPED:
            assert result.reason, result


def test_every_adapter_and_every_excuse_is_of_a_published_case(cases: list[dict[str, Any]]) -> None:
    formulas = {case["formula_id"] for case in cases}
    ids = {case["id"] for case in cases}
    assert sorted(ADAPTERS.keys() - formulas) == []
    assert sorted(DIFFERS.keys() - formulas - ids) == []
    assert sorted(formulas - ADAPTERS.keys() - DIFFERS.keys()) == []


def shifted(expected: Any) -> Any:
    """Return another answer of the same kind, further off than any rounding allows."""
    if isinstance(expected, bool):
        return not expected
    if isinstance(expected, list):
        return [*expected[:-1], shifted(expected[-1])]
    try:
        value = Fraction(expected)
    except ValueError:
        return expected + "?"
    return f"{float(value + abs(value) + 1):.6f}"


def test_no_case_passes_with_any_one_of_its_answers_changed(cases: list[dict[str, Any]]) -> None:
    passed = {result.case_id for result in run_cases(cases) if result.outcome is Outcome.PASSED}
    assert len(passed) >= DIRECT_PASSED_MIN
    for case in cases:
        if case["id"] not in passed:
            continue
        for name, expected in case["expected"].items():
            (result,) = run_cases([{**case, "expected": {**case["expected"], name: shifted(expected)}}])
            assert result.outcome is Outcome.FAILED, f"{case['id']} does not look at {name}"
            assert result.reason.startswith(f"{name}: "), result.reason
