"""``ringfence conformance`` and ``ringfence profiles``: exit codes, what they print and write, also as real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from exchange.app.cli import main
from exchange.composition.profiles import profile_names
from tests.unit.conformance.made_up_cases import MADE_UP

PASSING = [case.written for case in MADE_UP]
FAILING = {**PASSING[0], "id": "wrong", "expected": {"liq_price": "1"}}
UNKNOWN = {**PASSING[0], "id": "foreign", "formula_id": "of_another_world"}
UNKNOWN_KIND = {**PASSING[0], "id": "foreign-kind", "kind": "of_another_world"}


def written(folder: Path, cases: object) -> str:
    """Write a file of cases and return its path."""
    path = folder / "cases.json"
    path.write_text(json.dumps(cases), encoding="utf-8")
    return str(path)


def last_line(text: str) -> str:
    return text.rstrip("\n").splitlines()[-1]


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_run_without_failures_ends_with_the_counts_and_exit_code_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrapped: bool
) -> None:
    cases = [*PASSING, UNKNOWN, UNKNOWN_KIND]
    assert main(["conformance", written(tmp_path, {"cases": cases} if wrapped else cases)]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert last_line(said.out) == f"{len(PASSING)} passed, 0 failed, 2 skipped"
    assert "     1  the formula 'of_another_world' is not known\n" in said.out
    assert "     1  the kind 'of_another_world' is not known\n" in said.out
    assert "foreign" not in said.out
    assert "bybit  " in said.out


def test_a_failed_case_is_shown_with_both_figures_and_ends_with_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["conformance", written(tmp_path, [PASSING[0], FAILING, 7])]) == 1
    out = capsys.readouterr().out
    assert "  wrong (bybit, lp_mm_at_entry): liq_price: 385/2, expected 1 (exact)\n" in out
    assert "  case 3 (no system, no formula): malformed case: Expected `object`, got `int`\n" in out
    assert last_line(out) == "1 passed, 2 failed, 0 skipped"


def test_every_case_can_be_posed_under_one_profile_and_skipped_ones_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["conformance", written(tmp_path, PASSING[:1]), "--profile", "binance", "--skips"]) == 0
    out = capsys.readouterr().out
    assert "     1  needs a profile: maintenance at entry, not at the mark\n        made-up-lp_mm_at_entry\n" in out
    assert "bybit   liq_price_isolated  binance       0       0        1\n" in out
    assert last_line(out) == "0 passed, 0 failed, 1 skipped"


def test_what_became_of_each_case_is_written_as_json(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    main(["conformance", written(tmp_path, [PASSING[0], FAILING, UNKNOWN]), "--json", str(path)])
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    assert [(row["id"], row["outcome"], row["profile"]) for row in rows] == [
        ("made-up-lp_mm_at_entry", "passed", "bybit"),
        ("wrong", "failed", "bybit"),
        ("foreign", "skipped", "bybit"),
    ]
    assert all(row.keys() == {"id", "system", "kind", "formula_id", "profile", "outcome", "reason"} for row in rows)


def test_results_that_cannot_be_written_are_a_sentence_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "no" / "results.json"
    assert main(["conformance", written(tmp_path, []), "--json", str(target)]) == 1
    assert capsys.readouterr().err == (
        f"ringfence: {target}: it cannot be written (No such file or directory); check the path\n"
    )


def test_a_file_that_cannot_be_read_is_a_sentence_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conformance", str(tmp_path / "none.json")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"ringfence: {tmp_path}/none.json: the cases cannot be read (No such file or directory); check the path\n"
    )


@pytest.mark.parametrize("command", [["conformance", "a.json"], ["serve"], ["demo"]], ids=lambda words: words[0])
def test_a_profile_that_is_not_there_is_wrong_usage_and_the_others_are_listed(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main([*command, "--profile", "bitmax"])
    assert left.value.code == 2
    assert f"no profile named 'bitmax'; there are {', '.join(profile_names())}\n" in capsys.readouterr().err


def test_the_profiles_are_listed_with_what_they_give_what_not_and_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profiles"]) == 0
    sections = capsys.readouterr().out.rstrip("\n").split("\n\n")
    assert [section.split(":")[0] for section in sections] == list(profile_names())
    for section in sections:
        for heading in ("  chooses", "  reproduces", "  does not", "  sources"):
            assert f"\n{heading}\n    - " in section
    assert "maintenance_price = entry" in sections[profile_names().index("bybit")]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command as a process of its own."""
    command = [sys.executable, "-m", "exchange.app.cli", *arguments]
    return subprocess.run(command, capture_output=True, check=False, timeout=60, env={**os.environ, **environment})


def test_as_a_process_it_ends_with_its_code_and_its_last_line(tmp_path: Path) -> None:
    passed = run("conformance", written(tmp_path, PASSING))
    assert (passed.returncode, passed.stderr) == (0, b"")
    assert passed.stdout.endswith(f"\n{len(PASSING)} passed, 0 failed, 0 skipped\n".encode())
    failed = run("conformance", written(tmp_path, [FAILING]))
    assert (failed.returncode, failed.stderr) == (1, b"")
    assert failed.stdout.endswith(b"\n0 passed, 1 failed, 0 skipped\n")
    assert run("conformance", str(tmp_path)).returncode == 2
    assert run("conformance").returncode == 2


def test_a_terminal_that_does_not_know_a_letter_gets_it_escaped(tmp_path: Path) -> None:
    ended = run(
        "conformance", written(tmp_path, [{**FAILING, "id": "caf\u00e9 \U0001f600"}]), PYTHONIOENCODING="ascii", PYTHONUTF8="0"
    )
    assert (ended.returncode, ended.stderr) == (1, b"")
    assert rb"  caf\xe9 \U0001f600 (bybit" in ended.stdout
