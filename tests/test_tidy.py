"""Style and structure as tests; every guard is also shown a planted fault, so that it is known to go red."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.style_rules import (
    FILE_LINES_MAX,
    FUNCTION_LINES_MAX,
    arithmetic_faults,
    import_faults,
    lock_faults,
    name_faults,
    registry_faults,
    rules_cited,
    rules_of_spec,
    size_faults,
    sleep_faults,
    state_faults,
)

ROOT = Path(__file__).resolve().parents[1]
CORE = ("domain", "matching", "accounts", "venue")
CONTRACTS = (
    "imports point down only",
    "the core has no clock, no randomness, no files, no sockets, no threads",
    "clients know the domain's values and nothing else of the exchange",
    "only the app knows the clients",
)


def modules(*packages: str) -> list[Path]:
    """Return every module below some folders of the project."""
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def faults_in(paths: list[Path], look: Callable[[str], Iterator[str]]) -> list[str]:
    """Return what a checker finds, each with the file it is in."""
    assert paths, "there is nothing to look at"
    return [f"{path.relative_to(ROOT)}: {fault}" for path in paths for fault in look(path.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    """The paths of all files under version control."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return [path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file()]


# -- rules and their tests ---------------------------------------------------------------------------------------------


def test_every_rule_of_the_specification_is_cited_by_a_test_and_every_cited_rule_exists() -> None:
    stated = rules_of_spec((ROOT / "exchange" / "SPEC.md").read_text(encoding="utf-8"))
    assert len(set(stated)) == len(stated) > 60
    cited = set().union(*(rules_cited(path.read_text(encoding="utf-8")) for path in modules("tests")))
    assert sorted(set(stated) - cited) == [], "rules that no test cites"
    assert sorted(cited - set(stated)) == [], "rules that tests cite and SPEC.md does not state"


def test_rules_are_read_from_their_lines_and_citations_from_their_markers() -> None:
    spec = "- **BOOK-001** Priority.\nBOOK-009 in passing, **BOOK-008** too\n- **MARG-010** Entry, see BOOK-002.\n"
    assert rules_of_spec(spec) == ["BOOK-001", "MARG-010"]
    source = '@pytest.mark.rule("LIQ-001", "LIQ-002")\ndef test_a(): pass\n# rule("LIQ-003")\n"rule(LIQ-004)"\n'
    assert rules_cited(source) == {"LIQ-001", "LIQ-002"}
    assert rules_cited('pytestmark = [pytest.mark.rule("WIRE-001")]') == {"WIRE-001"}


# -- the core ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", [arithmetic_faults, import_faults, state_faults])
def test_the_core_counts_in_whole_numbers_imports_no_outside_world_and_keeps_no_module_state(
    look: Callable[[str], Iterator[str]],
) -> None:
    assert faults_in(modules(*(f"exchange/{package}" for package in CORE)), look) == []


@pytest.mark.parametrize(
    "planted",
    ["x = 0.5", "x = 1e3", "x = 2j", "x = a / b", "x /= 2", "x = float(y)", "x: Decimal", "x = decimal.Decimal(1)"],
)
def test_floats_divisions_and_decimals_are_found(planted: str) -> None:
    assert list(arithmetic_faults(planted))
    assert not list(arithmetic_faults("x = a // b + 10**6  # 0.5 / 2\ny = '1.5'"))


@pytest.mark.parametrize(
    "planted",
    ["import time", "import os.path", "from datetime import datetime", "def f():\n    import random", "import sys, asyncio"],
)
def test_banned_imports_are_found_wherever_they_stand(planted: str) -> None:
    assert list(import_faults(planted))
    assert not list(import_faults("import timeit_of_ours\nfrom exchange.domain import units\nfrom . import time"))


@pytest.mark.parametrize(
    "planted",
    [
        "seen = []",
        "seen: dict[str, int] = {}",
        "cache = collections.defaultdict(list)",
        "names = {name for name in 'ab'}",
        "TABLE = {}\ndef f():\n    TABLE['a'] = 1",
        "TABLE = {}\ndef f():\n    del TABLE['a']",
        "TABLE = [1]\ndef f():\n    TABLE.append(2)",
        "COUNTS = [0]\ndef f():\n    COUNTS[0] += 1",
        "def f():\n    global count\n    count = 1",
        "class Book:\n    orders = {}",
    ],
)
def test_module_state_is_found(planted: str) -> None:
    assert list(state_faults(planted))


def test_constants_and_state_of_instances_are_no_module_state() -> None:
    sound = """
TABLE = {"a": 1}
_NAMES = frozenset({"a"})
PAIR = (1, 2)
class Book:
    __slots__ = ["orders"]
    limit: int = 5
    def __init__(self):
        self.orders = {}
        orders = []
        orders.append(TABLE["a"])
"""
    assert list(state_faults(sound)) == []


# -- sizes and names ---------------------------------------------------------------------------------------------------


def test_files_and_functions_are_short_enough_to_read() -> None:
    assert faults_in(modules("exchange", "clients"), size_faults) == []


def test_long_files_and_functions_are_found() -> None:
    body = "    pass\n"
    assert not list(size_faults("def f():\n" + body * (FUNCTION_LINES_MAX - 1)))
    assert list(size_faults("def f():\n" + body * FUNCTION_LINES_MAX)) == ["f has 71 lines; at most 70"]
    assert list(size_faults("class A:\n    async def g(self):\n" + "        pass\n" * FUNCTION_LINES_MAX))
    assert not list(size_faults("x = 1\n" * FILE_LINES_MAX))
    assert list(size_faults("x = 1\n" * (FILE_LINES_MAX + 1))) == ["501 lines; at most 500"]


def test_modules_are_named_after_what_is_in_them() -> None:
    paths = [str(path.relative_to(ROOT)) for path in modules("exchange", "clients", "tests")]
    assert list(name_faults(paths)) == []


@pytest.mark.parametrize(
    "planted",
    ["exchange/utils.py", "exchange/wire/helpers/a.py", "clients/order_manager.py", "tests/common.py", "a/handler.py"],
)
def test_vague_names_are_found(planted: str) -> None:
    assert list(name_faults([planted]))
    assert not list(name_faults(["exchange/accounts/commonwealth.py", "exchange/venue/trading.py"]))


def test_config_is_data_and_no_package() -> None:
    assert (ROOT / "config").is_dir()
    assert not list((ROOT / "config").rglob("*.py"))


def test_tests_do_not_sleep() -> None:
    assert faults_in(modules("tests"), sleep_faults) == []


def test_sleeps_are_found() -> None:
    assert list(sleep_faults("time.sleep(1)"))
    assert list(sleep_faults("async def f():\n    await asyncio.sleep(delay)"))
    assert not list(sleep_faults("async def f():\n    await asyncio.sleep(0)"))


# -- packages ----------------------------------------------------------------------------------------------------------


def test_no_lock_file_and_no_registry_is_in_the_project(tracked: list[str]) -> None:
    assert list(lock_faults(tracked)) == []
    found = []
    for path in tracked:
        content = (ROOT / path).read_bytes()
        if b"\0" not in content:
            found += [f"{path}: {fault}" for fault in registry_faults(content.decode("utf-8", errors="replace"))]
    assert found == []


def test_lock_files_and_registries_are_found() -> None:
    assert list(lock_faults(["a/uv.lock", "poetry.lock", "exchange/venue/lock.py"])) == ["a/uv.lock", "poetry.lock"]
    hosts = ["https://py" + "pi.org/simple", "https://files.python" + "hosted.org/x", "registry.npm" + "js.org"]
    options = [
        "pip install --index" + "-url http://a b",
        "--extra-index" + "-url=x",
        "index" + "_url = 'x'",
        "--find" + "-links d",
    ]
    for planted in (*hosts, *options):
        assert list(registry_faults(f"first line\n{planted}\n")) == [f"line 2: {planted}"]


# -- layers ------------------------------------------------------------------------------------------------------------


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Return what the import linter says of the packages in a folder, by the contracts of its pyproject.toml."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_import_contracts_hold() -> None:
    said = lint_imports(ROOT)
    assert said.returncode == 0, said.stdout + said.stderr
    for contract in CONTRACTS:
        assert f"{contract} KEPT" in said.stdout


def test_each_import_contract_goes_red_on_a_planted_import(tmp_path: Path) -> None:
    for package in ("exchange", "clients"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for module, planted in (
        ("exchange/matching/book.py", "import exchange.accounts.ledger"),
        ("exchange/venue/state.py", "import time"),
        ("clients/codec.py", "import exchange.wire.errors"),
        ("exchange/services/clock.py", "import clients.codec"),
    ):
        path = tmp_path / module
        path.write_text(path.read_text(encoding="utf-8") + f"\n{planted}\n", encoding="utf-8")
    said = lint_imports(tmp_path)
    assert said.returncode != 0
    for contract in CONTRACTS:
        assert f"{contract} BROKEN" in said.stdout, said.stdout


def test_a_package_that_no_layer_names_breaks_the_contract(tmp_path: Path) -> None:
    for package in ("exchange", "clients"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "exchange" / "annex").mkdir()
    (tmp_path / "exchange" / "annex" / "__init__.py").touch()
    said = lint_imports(tmp_path)
    assert said.returncode != 0
    assert "annex" in said.stdout + said.stderr
