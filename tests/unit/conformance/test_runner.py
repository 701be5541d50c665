"""The runner of published cases on small cases made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.conformance.cases import CaseResult, Outcome
from exchange.conformance.runner import Tally, run_cases, tally, tally_by_system_and_kind

MARGIN: dict[str, Any] = {
    "id": "hand-1",
    "system": "hand",
    "kind": "initial_margin",
    "applicability": "direct",
    "formula_id": "im_leverage",
    "inputs": {"qty": "10", "price": "1500", "leverage": "50"},
    "expected": {"initial_margin": "300"},
    "rounding": "exact",
}


def only(written: object) -> CaseResult:
    """Return what became of one case."""
    (result,) = run_cases([written])
    return result


def changed(**fields: Any) -> dict[str, Any]:
    """Return the sound case with other fields."""
    return {**MARGIN, **fields}


@pytest.mark.rule("MARG-004")
def test_a_case_whose_figures_agree_has_passed() -> None:
    assert only(MARGIN) == CaseResult(
        "hand-1", "hand", "initial_margin", "direct", "im_leverage", "default", Outcome.PASSED, ""
    )


def test_a_case_whose_figure_differs_has_failed_and_says_both_figures() -> None:
    result = only(changed(expected={"initial_margin": "301"}))
    assert result.outcome is Outcome.FAILED
    assert result.reason == "initial_margin: 300, expected 301 (exact)"


def test_a_case_that_also_expects_a_figure_nobody_computes_is_skipped_unless_another_disagrees() -> None:
    result = only(changed(expected={"initial_margin": "300", "fee": "1"}))
    assert (result.outcome, result.reason) == (Outcome.SKIPPED, "nothing here computes fee")
    assert only(changed(expected={"initial_margin": "301", "fee": "1"})).outcome is Outcome.FAILED


def test_a_case_that_expects_nothing_has_failed() -> None:
    result = only(changed(expected={}))
    assert (result.outcome, result.reason) == (Outcome.FAILED, "malformed case: it expects nothing")


def test_a_case_may_leave_out_how_it_is_rounded_and_is_then_compared_exactly() -> None:
    case = {name: value for name, value in MARGIN.items() if name not in ("rounding", "applicability")}
    assert only(case).outcome is Outcome.PASSED
    assert only({**case, "expected": {"initial_margin": "300.000001"}}).reason.endswith("(exact)")


def test_an_unknown_formula_is_skipped_and_named() -> None:
    result = only(changed(formula_id="of_another_world"))
    assert (result.outcome, result.reason) == (Outcome.SKIPPED, "the formula 'of_another_world' is not known")


def test_a_case_of_another_rule_is_skipped_with_the_rule_that_differs() -> None:
    by_formula = only(changed(formula_id="im_inverse"))
    assert by_formula.outcome is Outcome.SKIPPED
    assert "inverse contract" in by_formula.reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"inputs": {"qty": "10", "price": "1500"}}, "malformed case: input leverage is missing"),
        ({"inputs": {**MARGIN["inputs"], "qty": "ten"}}, "malformed case: input qty: 'ten' is no plain decimal number"),
        ({"inputs": {**MARGIN["inputs"], "qty": "1e999"}}, "malformed case: input qty: '1e999' is no plain decimal number"),
        ({"inputs": {**MARGIN["inputs"], "qty": 0.1}}, "malformed case: input qty: '0.1' is no plain decimal number"),
        ({"inputs": {**MARGIN["inputs"], "qty": 10**50}}, "malformed case: input qty: so large a number is no plain decimal"),
        ({"inputs": {**MARGIN["inputs"], "leverage": "0"}}, "malformed case: the leverage 0 is below 1"),
        ({"rounding": "roughly"}, "malformed case: the rounding 'roughly' is not known"),
        ({"expected": {"initial_margin": "much"}}, "malformed case: 'much' is no plain decimal number"),
        ({"inputs": ["10", "1500"]}, "malformed case: Expected `object`, got `array` - at `$.inputs`"),
    ],
)
def test_a_malformed_case_has_failed_and_says_why(fields: dict[str, Any], reason: str) -> None:
    result = only(changed(**fields))
    assert result.outcome is Outcome.FAILED
    assert result.reason.startswith(reason)
    assert result.case_id == "hand-1"


def test_inputs_that_lead_nowhere_fail_their_case_and_stop_no_other() -> None:
    broken = changed(formula_id="funding_rounding", inputs={"sizes": ["1"], "payment": "1", "position_factor": "0"})
    first, second = run_cases([broken, MARGIN])
    assert first.outcome is Outcome.FAILED
    assert first.reason.startswith("nothing can be made of its inputs (ZeroDivisionError: ")
    assert second.outcome is Outcome.PASSED


@pytest.mark.parametrize("written", [None, 7, "case", [], {}, {"id": 5}])
def test_what_is_no_case_has_failed_by_its_number_and_the_others_still_run(written: object) -> None:
    first, second = run_cases([written, MARGIN])
    assert (first.case_id, first.outcome) == ("case 1", Outcome.FAILED)
    assert first.reason.startswith("malformed case: ")
    assert second.outcome is Outcome.PASSED


def test_results_come_in_order_and_are_counted_by_system_and_kind() -> None:
    results = run_cases(
        [
            MARGIN,
            changed(id="hand-2", expected={"initial_margin": "1"}),
            changed(id="hand-3", system="elsewhere", formula_id="of_another_world"),
            changed(id="hand-4"),
        ]
    )
    assert [result.case_id for result in results] == ["hand-1", "hand-2", "hand-3", "hand-4"]
    assert tally(results) == Tally(passed=2, failed=1, skipped=1)
    assert tally_by_system_and_kind(results) == {
        ("elsewhere", "initial_margin"): Tally(0, 0, 1),
        ("hand", "initial_margin"): Tally(2, 1, 0),
    }
    assert list(tally_by_system_and_kind(results)) == [("elsewhere", "initial_margin"), ("hand", "initial_margin")]
