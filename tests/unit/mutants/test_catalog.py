"""The planted bugs themselves: each still fits the code, and together they reach all of the core."""

from __future__ import annotations

import ast
from contextlib import suppress
from pathlib import Path

import pytest

from tests.mutants.catalog import MUTANTS
from tests.mutants.planting import Mutant, StaleMutantError, planted
from tests.style_rules import rules_of_spec

ROOT = Path(__file__).resolve().parents[3]
MUTANT = Mutant(name="one is two", rule="BOOK-001", file="exchange/domain/made_up.py", old="= 1", new="= 2")


def shape_of(source: str) -> str:
    """What the interpreter sees of it."""
    return ast.dump(ast.parse(source))


def test_each_changes_what_its_module_does_and_leaves_it_a_module() -> None:
    sources = {mutant.file: (ROOT / mutant.file).read_text(encoding="utf-8") for mutant in MUTANTS}
    shapes = {file: shape_of(source) for file, source in sources.items()}
    for mutant in MUTANTS:
        assert shape_of(mutant.planted_in(sources[mutant.file])) != shapes[mutant.file], mutant.name


def test_each_has_a_name_of_its_own_and_breaks_a_rule_that_is_stated() -> None:
    stated = set(rules_of_spec((ROOT / "exchange" / "SPEC.md").read_text(encoding="utf-8")))
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 45
    assert {mutant.rule for mutant in MUTANTS} <= stated
    assert {mutant.package for mutant in MUTANTS} == {"domain", "matching", "accounts", "venue"}


@pytest.mark.parametrize(("source", "count"), [("x = 2\n", 0), ("x = 1\ny = 1\n", 2)])
def test_one_whose_text_is_gone_or_there_twice_is_stale(source: str, count: int) -> None:
    with pytest.raises(StaleMutantError, match=f"'one is two' replaces is {count} times in exchange/domain/made_up.py"):
        MUTANT.planted_in(source)


def test_the_module_is_as_it_was_afterwards_whatever_happens(tmp_path: Path) -> None:
    module = tmp_path / MUTANT.file
    module.parent.mkdir(parents=True)
    module.write_text("x = 1\n", encoding="utf-8")
    with suppress(KeyboardInterrupt), planted(MUTANT, tmp_path):
        assert module.read_text(encoding="utf-8") == "x = 2\n"
        raise KeyboardInterrupt
    assert module.read_text(encoding="utf-8") == "x = 1\n"
