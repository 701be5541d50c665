"""The script that plants bugs, on a made-up project of one module and two tests."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutants.planting import Mutant
from tests.mutants.run import main, run

ROOT = Path(__file__).resolve().parents[3]
FEE = "exchange/domain/fee.py"
SOURCE = """
def fee(notional):
    return max(1, -(-notional // 100))
"""
TESTS = """
from exchange.domain.fee import fee

def test_a_fee_is_rounded_up():
    assert fee(101) == 2

def test_a_fee_is_never_negative():
    assert fee(-500) >= 0
"""
ROUNDED_DOWN = Mutant(name="rounded down", rule="MARG-017", file=FEE, old="-(-notional // 100)", new="notional // 100")
WITHOUT_A_LEAST = Mutant(name="no least fee", rule="MARG-017", file=FEE, old="max(1, ", new="max(0, ")
NEGATIVE = Mutant(name="negative", rule="MARG-017", file=FEE, old="max(1, ", new="max(-9, ")
BROKEN = Mutant(name="no module", rule="MARG-017", file=FEE, old="def fee", new="def free")
GONE = Mutant(name="out of date", rule="MARG-017", file=FEE, old="min(", new="max(")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of which the tests miss that a fee is at least one."""
    for folder in ("exchange/domain", "tests/unit/domain", "tests/scenarios", "tests/properties"):
        (tmp_path / folder).mkdir(parents=True)
    for package in ("exchange", "exchange/domain", "tests"):
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / FEE).write_text(SOURCE, encoding="utf-8")
    (tmp_path / "tests/unit/domain/test_fee.py").write_text(TESTS, encoding="utf-8")
    nothing = "def test_nothing(): pass\n"
    for folder in ("tests/scenarios", "tests/properties"):
        (tmp_path / folder / f"test_{folder[6:]}.py").write_text(nothing, encoding="utf-8")
    shutil.copytree(ROOT / "tests/mutants", tmp_path / "tests/mutants", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def verdicts(said: str, mutants: Sequence[Mutant]) -> list[str]:
    """The last cell of each bug's line in the table."""
    lines = [line for line in said.splitlines() if " | " in line]
    return [next(line for line in lines if line.startswith(mutant.name)).split(" | ")[-1] for mutant in mutants]


def test_where_a_test_catches_every_bug_it_is_told_which_and_the_exit_code_is_0(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planted = (ROUNDED_DOWN, NEGATIVE)
    assert run(planted, project) == 0
    said = capsys.readouterr().out
    assert verdicts(said, planted) == [
        "unit/domain/test_fee.py::test_a_fee_is_rounded_up",
        "unit/domain/test_fee.py::test_a_fee_is_never_negative",
    ]
    assert said.endswith("\n2 planted, 2 caught\n")
    assert (project / FEE).read_text(encoding="utf-8") == SOURCE


def test_a_bug_that_survives_is_out_of_date_or_breaks_the_import_is_none_that_was_caught(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planted = (ROUNDED_DOWN, WITHOUT_A_LEAST, GONE, BROKEN)
    assert run(planted, project, is_checked=False) == 1
    said = capsys.readouterr().out
    assert said.endswith("\n4 planted, 1 caught\n")
    _, survived, gone, broken = verdicts(said, planted)
    assert survived == "SURVIVED: no test failed"
    assert gone == f"STALE: what 'out of date' replaces is 0 times in {FEE}"
    assert broken.startswith("BROKEN: pytest ended with ")


def test_one_bug_that_survives_is_enough_for_the_exit_code(project: Path) -> None:
    assert run((ROUNDED_DOWN, WITHOUT_A_LEAST), project, is_checked=False) == 1


def test_nothing_is_planted_where_the_tests_fail_without_a_bug(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "tests/properties/test_properties.py").write_text("def test_it(): assert False\n", encoding="utf-8")
    assert run((ROUNDED_DOWN,), project) == 1
    said = capsys.readouterr().out
    assert "tests/properties/test_properties.py::test_it" in said
    assert "caught" not in said


def test_bugs_are_chosen_by_words_of_their_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--only", "the sign of funding"]) == 0
    assert capsys.readouterr().out == "domain: the sign of funding is flipped\n"
    with pytest.raises(SystemExit):
        main(["--only", "no bug is called that"])
