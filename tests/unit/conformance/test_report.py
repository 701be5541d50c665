"""What a run prints: a table by system and kind, failures, reasons of skips, and the counts as last line."""

from __future__ import annotations

from exchange.conformance.cases import CaseResult, Outcome
from exchange.conformance.report import format_report, result_rows, shown


def result(case_id: str, outcome: Outcome, reason: str = "", *, system: str = "acme", kind: str = "pnl") -> CaseResult:
    return CaseResult(case_id, system, kind, "direct", "mtm", "default", outcome, reason)


RESULTS = [
    result("b-1", Outcome.SKIPPED, "another rule", system="best", kind="twap"),
    result("a-1", Outcome.PASSED),
    result("a-2", Outcome.FAILED, "mtm: 1, expected 2 (exact)"),
    result("a-3", Outcome.SKIPPED, "rare rule"),
    result("a-4", Outcome.SKIPPED, "another rule"),
]

TABLE = """\
system  kind  profile  passed  failed  skipped
acme    pnl   default       1       1        2
best    twap  default       0       0        1
"""
FAILED = """
failed:
  a-2 (acme, mtm): mtm: 1, expected 2 (exact)
"""
SKIPPED = """
skipped:
     2  another rule
     1  rare rule
"""
SKIPPED_CASES = """
skipped:
     2  another rule
        b-1
        a-4
     1  rare rule
        a-3
"""
LAST = "\n1 passed, 1 failed, 3 skipped"


def test_a_report_has_a_table_each_failure_the_reasons_of_skips_and_the_counts_last() -> None:
    assert format_report(RESULTS) == TABLE + FAILED + SKIPPED + LAST


def test_the_cases_of_each_reason_are_named_where_that_is_asked_for() -> None:
    assert format_report(RESULTS, with_skips=True) == TABLE + FAILED + SKIPPED_CASES + LAST


def test_a_run_of_nothing_says_so() -> None:
    assert format_report([]) == "0 passed, 0 failed, 0 skipped"


def test_other_programs_get_every_case_in_order_with_its_profile_outcome_and_reason() -> None:
    rows = result_rows(RESULTS)
    assert [row["id"] for row in rows] == ["b-1", "a-1", "a-2", "a-3", "a-4"]
    assert rows[2] == {
        "id": "a-2",
        "system": "acme",
        "kind": "pnl",
        "formula_id": "mtm",
        "profile": "default",
        "outcome": "failed",
        "reason": "mtm: 1, expected 2 (exact)",
    }


def test_what_a_case_says_of_itself_cannot_act_on_a_terminal_or_add_a_line() -> None:
    assert shown("\x1b[2Jgone\r\nfor good\u202e") == "?[2Jgone??for good?"
    assert shown("x" * 61) == "x" * 60 + "..."
    text = format_report([result("\n1 passed", Outcome.FAILED, "a\nb", system="\x1b[1m")])
    assert text.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"
    assert "\x1b" not in text
    assert "  ?1 passed (?[1m, mtm): a?b" in text.splitlines()
