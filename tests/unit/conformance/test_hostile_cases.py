"""Whatever a file of cases holds, a run ends with an outcome and a reason for each, and never in a crash."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.composition.case_rules import ShippedRules
from exchange.composition.profiles import profile_names
from exchange.conformance.case_file import CASES_BYTES_MAX, CASES_MAX, CaseFileError, read_cases
from exchange.conformance.cases import Outcome
from exchange.conformance.report import format_report, result_rows
from exchange.conformance.runner import ADAPTERS, KINDS, run_cases
from tests.unit.conformance.made_up_cases import MADE_UP

EXAMPLES = int(os.environ.get("RINGFENCE_SOAK_EXAMPLES", "100"))
RULES = ShippedRules()
LABELS = ("id", "system", "kind", "applicability", "formula_id", "rounding", "margin_mode")
HARD_NUMBERS = [
    "0",
    "1",
    "-1",
    "3",
    "0.5",
    "1e5",
    "9" * 40,
    "-" + "9" * 40,
    "0." + "0" * 39 + "1",
    "1/3",
    "",
    "long",
    "sell",
    "\0",
]

numbers = st.sampled_from(HARD_NUMBERS) | st.decimals(-(10**6), 10**6, places=3).map(lambda value: f"{value:f}")
values = st.recursive(
    numbers | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(HARD_NUMBERS), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, Any]:
    """Return a made-up case in which something has been replaced or taken away, at any depth, also under another formula."""
    written: dict[str, Any] = json.loads(json.dumps(draw(st.sampled_from(MADE_UP)).written))
    for _ in range(draw(st.integers(1, 4))):
        where: Any = written
        key: Any = draw(st.sampled_from(["inputs", "expected", "rounding", "formula_id", "kind", "system"]))
        while isinstance(where[key], (dict, list)) and where[key] and draw(st.booleans()):
            where = where[key]
            key = draw(st.sampled_from(sorted(where) if isinstance(where, dict) else range(len(where))))
        if where is written and key == "formula_id":
            where[key] = draw(st.sampled_from(sorted(ADAPTERS)) | st.text(max_size=5))
        elif where is written and key == "system":
            where[key] = draw(st.sampled_from(profile_names()) | st.text(max_size=5))
        elif isinstance(where, dict) and draw(st.booleans()):
            del where[key]
            break
        else:
            where[key] = draw(values)
            break
    return written


@settings(max_examples=EXAMPLES)
@given(st.lists(spoiled() | values, min_size=1, max_size=4))
def test_a_spoiled_case_ends_with_an_outcome_and_a_reason(cases: list[object]) -> None:
    results = run_cases(cases, RULES)
    assert len(results) == len(cases)
    for result in results:
        assert (result.reason == "") is (result.outcome is Outcome.PASSED)
    counts = [sum(result.outcome is outcome for result in results) for outcome in Outcome]
    last = format_report(results, with_skips=True).splitlines()[-1]
    assert last == "{} passed, {} failed, {} skipped".format(*counts)
    assert json.loads(json.dumps(result_rows(results)))


@settings(max_examples=EXAMPLES)
@given(formula=st.sampled_from(sorted(ADAPTERS)), inputs=st.dictionaries(st.text(max_size=6), values, max_size=4))
def test_inputs_of_no_formula_fail_it_in_a_sentence(formula: str, inputs: dict[str, object]) -> None:
    case = {**dict.fromkeys(LABELS, "x"), "kind": min(KINDS), "formula_id": formula, "inputs": inputs, "expected": {"a": "1"}}
    (result,) = run_cases([case], RULES)
    assert result.outcome is not Outcome.PASSED
    assert result.reason


@settings(max_examples=EXAMPLES)
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_a_file_of_anything_is_read_or_refused_in_a_sentence(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "hostile.json"
    path.write_bytes(content)
    with contextlib.suppress(CaseFileError):
        run_cases(read_cases(path), RULES)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the cases are not valid JSON ("),
        (b"[", "the cases are not valid JSON ("),
        (b"[NaN]", "the cases are not valid JSON ("),
        (b'["\xff"]', "the cases are not valid JSON ("),
        (b'["\\ud800"]', "the cases are not valid JSON ("),
        (b"[" * 100_000, "the cases are not valid JSON ("),
        (b'{"cases": ' * 10_000, "the cases are not valid JSON ("),
        (b"{}", "it holds no list of cases"),
        (b"7", "it holds no list of cases"),
        (b'{"cases": {}}', "it holds no list of cases"),
        (b"[" + b"0," * CASES_MAX + b"0]", f"a run takes at most {CASES_MAX} cases"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_file_that_holds_no_cases_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "cases.json"
    path.write_bytes(content)
    with pytest.raises(CaseFileError, match=r"cases\.json: ") as refused:
        read_cases(path)
    assert sentence in str(refused.value)


def test_a_file_may_be_as_large_as_the_bound_and_no_larger(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_bytes(b"[]".ljust(CASES_BYTES_MAX))
    assert read_cases(path) == []
    path.write_bytes(b"[]".ljust(CASES_BYTES_MAX + 1))
    with pytest.raises(CaseFileError, match=f"at most {CASES_BYTES_MAX} bytes"):
        read_cases(path)


@pytest.mark.parametrize(
    ("name", "reason"), [("none.json", "No such file or directory"), (".", "Is a directory"), ("a\0b", "")]
)
def test_a_file_that_is_not_there_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(CaseFileError, match=f"the cases cannot be read \\(.*{reason}"):
        read_cases(tmp_path / name)


def test_numbers_of_any_length_are_bounded_before_anything_is_computed() -> None:
    long = "9" * 5_000
    for number in (long, int("9" * 4_000), "0." + long):
        case = MADE_UP[0].written
        (result,) = run_cases([{**case, "inputs": {**case["inputs"], "entry": number}}], RULES)
        assert result.outcome is Outcome.FAILED
        assert result.reason.startswith("malformed case: input entry: ")
        assert len(result.reason) < 200
