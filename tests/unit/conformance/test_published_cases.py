"""The published worked examples, by path where they are at hand: the engine's own functions give their figures."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from exchange.composition.case_rules import ShippedRules
from exchange.conformance.cases import CaseResult, Outcome
from exchange.conformance.differs import DIFFERS, PROFILE
from exchange.conformance.runner import ADAPTERS, KINDS, run_cases, tally, tally_by_system_and_kind

PUBLISHED = Path(os.environ.get("RINGFENCE_PUBLISHED_CASES", "/work/shared/oracle/margin_cases.json"))
DIRECT_PASSED_MIN = 200
VARIANT_PASSED_MIN = 37
PROFILES_NEEDED_MIN = 30
"""How many cases pass under their system's profile and are not of the rules here."""


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    """Every published case."""
    if not PUBLISHED.exists():
        pytest.skip(f"the published cases are not at {PUBLISHED}")
    loaded: list[dict[str, Any]] = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def results(cases: list[dict[str, Any]]) -> list[CaseResult]:
    """What became of each, under the profile of its system."""
    return run_cases(cases, ShippedRules())


@pytest.mark.rule("MARG-003", "MARG-004", "MARG-005", "MARG-006", "MARG-008", "LIQ-005", "LIQ-006", "LIQ-008")
def test_no_published_case_fails_and_nearly_all_that_are_of_our_rules_or_a_profiles_are_run(
    cases: list[dict[str, Any]], results: list[CaseResult]
) -> None:
    assert [f"{result.case_id}: {result.reason}" for result in results if result.outcome is Outcome.FAILED] == []
    assert tally(result for result in results if result.applicability == "direct").passed >= DIRECT_PASSED_MIN
    assert tally(result for result in results if result.applicability == "variant").passed >= VARIANT_PASSED_MIN
    assert sum(map(sum, tally_by_system_and_kind(results).values())) == len(cases)


def test_every_case_that_is_not_run_says_why_and_no_direct_one_is_for_want_of_a_profile(results: list[CaseResult]) -> None:
    for result in results:
        assert (result.outcome is Outcome.PASSED) == (not result.reason), result
        assert result.applicability != "direct" or not result.reason.startswith(PROFILE), result


def test_without_its_profile_a_case_of_another_rule_is_skipped_and_none_passes_by_chance(
    cases: list[dict[str, Any]], results: list[CaseResult]
) -> None:
    own = run_cases(cases)
    assert tally(own).failed == 0
    needed = [
        (with_profile.case_id, without.reason)
        for with_profile, without in zip(results, own, strict=True)
        if with_profile.outcome is Outcome.PASSED and without.outcome is not Outcome.PASSED
    ]
    assert len(needed) >= PROFILES_NEEDED_MIN
    assert [case for case, reason in needed if not reason.startswith(PROFILE)] == []


def test_every_adapter_and_every_difference_is_of_a_published_case(cases: list[dict[str, Any]]) -> None:
    formulas = {case["formula_id"] for case in cases}
    assert sorted(ADAPTERS.keys() - formulas) == []
    assert sorted(DIFFERS.keys() - formulas) == []
    assert sorted(formulas - ADAPTERS.keys() - DIFFERS.keys()) == []
    assert {case["kind"] for case in cases} == KINDS


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


def test_no_case_passes_with_any_one_of_its_answers_changed(cases: list[dict[str, Any]], results: list[CaseResult]) -> None:
    passed = {result.case_id for result in results if result.outcome is Outcome.PASSED}
    assert len(passed) >= DIRECT_PASSED_MIN
    rules_of = ShippedRules()
    for case in cases:
        if case["id"] not in passed:
            continue
        for name, expected in case["expected"].items():
            (result,) = run_cases([{**case, "expected": {**case["expected"], name: shifted(expected)}}], rules_of)
            assert result.outcome is not Outcome.PASSED, f"{case['id']} does not look at {name}"
            assert result.outcome is Outcome.SKIPPED or result.reason.startswith(f"{name}: "), result.reason
