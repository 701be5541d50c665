"""Plants one bug after the other in copies of the project, runs the tests of its package, and tells which test caught it.

`make mutants`, or `make mutants ARGS="--only 'wrong tier'"` for those whose name contains some words.
"""

from __future__ import annotations

import argparse
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest

from tests.mutants.catalog import MUTANTS
from tests.mutants.planting import Mutant, StaleMutantError, planted
from tests.mutants.witness import FILE_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("exchange", "clients", "tests", "config", "pyproject.toml", "README.md")
SCENARIOS, PROPERTIES = "tests/scenarios", "tests/properties"
"""The tests that any package of the core is held to beside its own."""
WORKERS = 2
TEST_SECONDS_MAX = 300
"""How long the tests may take for one bug; one that makes them hang is not caught."""
INTERRUPTED = 130
"""The exit code of a command that was stopped with Ctrl-C."""

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Verdict(StrEnum):
    """What became of a planted bug; all but the first are faults."""

    CAUGHT = "caught"
    SURVIVED = "SURVIVED"
    STALE = "STALE"
    OUT_OF_TIME = "OUT OF TIME"
    BROKEN = "BROKEN"


class TestRun(NamedTuple):
    """How a run of tests ended: pytest's exit code (None: out of time), the first test that failed, and what was said."""

    exit_code: int | None
    witness: str
    output: str


class Trial(NamedTuple):
    """What became of one planted bug, which test caught it, or what else there is to say."""

    mutant: Mutant
    verdict: Verdict
    told: str
    seconds: float


class Interruption:
    """Ends the running tests when the script is interrupted."""

    def __init__(self) -> None:
        self.has_come = False
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    @contextmanager
    def watch(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Have a process ended with all that it started if the script is interrupted meanwhile, or when it is left."""
        with self._lock:
            self._running.add(process)
            if self.has_come:
                _end(process)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(process)
            _end(process)

    def come(self) -> None:
        """End all that runs, and whatever is started from now on."""
        with self._lock:
            self.has_come = True
            for process in self._running:
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


# -- one run of tests --------------------------------------------------------------------------------------------------


def run_tests(tree: Path, tests: str, interruption: Interruption) -> TestRun:
    """Run the tests of a folder or file, in a copy of the project, up to the first failure."""
    witness, output = tree / "witness.txt", tree / "output.txt"
    witness.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=line", "-p", "no:cacheprovider", "-p", "tests.mutants.witness"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_", "RINGFENCE_"))}
    environment = {**kept, "PYTHONPATH": str(tree), "PYTHONHASHSEED": "0", FILE_VARIABLE: str(witness)}
    exit_code = None
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [*command, tests], cwd=tree, env=environment, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True
        )
        with interruption.watch(process), suppress(subprocess.TimeoutExpired):
            exit_code = process.wait(TEST_SECONDS_MAX)
    told = witness.read_text(encoding="utf-8") if witness.exists() else ""
    return TestRun(exit_code, told, output.read_text(encoding="utf-8", errors="replace"))


def selection_of(mutant: Mutant) -> tuple[str, ...]:
    """Return the tests that a bug is run against, one after the other: its package's, then scenarios, then properties."""
    return (f"tests/unit/{mutant.package}", SCENARIOS, PROPERTIES)


def try_mutant(mutant: Mutant, tree: Path, interruption: Interruption) -> Trial:
    """Plant a bug, run the tests of its package, and take it out again."""
    begun = time.monotonic()
    try:
        with planted(mutant, tree):
            for tests in selection_of(mutant):  # one by one, so that what is caught early does not wait for all to be imported
                done = run_tests(tree, tests, interruption)
                if done.exit_code != pytest.ExitCode.OK:
                    break
    except StaleMutantError as stale:
        return Trial(mutant, Verdict.STALE, str(stale), 0.0)
    verdict, told = _judge(done)
    return Trial(mutant, verdict, told, time.monotonic() - begun)


def _judge(done: TestRun) -> tuple[Verdict, str]:
    """Return the verdict; a bug that no test meets, since nothing can be imported with it, is none that a test caught."""
    if done.exit_code is None:
        return Verdict.OUT_OF_TIME, f"the tests took more than {TEST_SECONDS_MAX} seconds"
    if done.exit_code == pytest.ExitCode.OK:
        return Verdict.SURVIVED, "no test failed"
    if done.exit_code == pytest.ExitCode.TESTS_FAILED and done.witness:
        return Verdict.CAUGHT, done.witness.removeprefix("tests/")
    return Verdict.BROKEN, f"pytest ended with {done.exit_code}: {_last_lines(done.output)}"


def _last_lines(output: str) -> str:
    return " / ".join(output.strip().splitlines()[-3:])


# -- all of them -------------------------------------------------------------------------------------------------------


class Workshop:
    """Copies of the project, one for each worker, in which tests run beside each other."""

    def __init__(self, root: Path, folder: Path, workers: int) -> None:
        self._trees: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self._interruption = Interruption()
        self._workers = workers
        self._first = first = folder / "0"
        first.mkdir()
        for name in COPIED:
            source = root / name
            if source.is_dir():
                shutil.copytree(source, first / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.exists():
                shutil.copy(source, first / name)
        for number in range(1, workers):  # of the first copy, so that an edit meanwhile is in all of them or in none
            shutil.copytree(first, folder / str(number))
        for number in range(workers):
            self._trees.put(folder / str(number))

    def run(self, mutants: Sequence[Mutant], tell: Callable[[Trial], None]) -> list[Trial]:
        """Try each bug; ``tell`` hears of each as it is done, and the answer is in the order of ``mutants``."""

        def attempt(mutant: Mutant) -> Trial:
            with self._tree() as tree:
                trial = try_mutant(mutant, tree, self._interruption)
            if not self._interruption.has_come:
                tell(trial)
            return trial

        return self._each(attempt, mutants)

    def run_without_a_bug(self, mutants: Sequence[Mutant]) -> list[str]:
        """Run all tests that the bugs will meet; return what went wrong. A verdict means nothing unless they pass."""
        units = sorted({selection_of(mutant)[0] for mutant in mutants})

        def attempt(tests: str) -> str:
            with self._tree() as tree:
                done = run_tests(tree, tests, self._interruption)
            return "" if done.exit_code == pytest.ExitCode.OK else f"{done.witness or 'no test'}: {_last_lines(done.output)}"

        slow = sorted(f"{PROPERTIES}/{module.name}" for module in (self._first / PROPERTIES).glob("test_*.py"))
        return [fault for fault in self._each(attempt, [*slow, SCENARIOS, *units]) if fault]

    @contextmanager
    def _tree(self) -> Iterator[Path]:
        tree = self._trees.get()
        try:
            yield tree
        finally:
            self._trees.put(tree)

    def _each(self, attempt: Callable[[Asked], Answer], asked: Sequence[Asked]) -> list[Answer]:
        pool = ThreadPoolExecutor(self._workers)
        try:
            return [future.result() for future in [pool.submit(attempt, each) for each in asked]]
        except BaseException:
            self._interruption.come()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def table(trials: Sequence[Trial]) -> Iterator[str]:
    """Yield a line per planted bug: what it is and which test caught it."""
    named = max(len(trial.mutant.name) for trial in trials)
    package = ""
    for trial in trials:
        if trial.mutant.package != package:
            package = trial.mutant.package
            yield f"\n{package.ljust(named)} | rule     | seconds | caught by"
        told = trial.told if trial.verdict is Verdict.CAUGHT else f"{trial.verdict}: {trial.told}"
        yield f"{trial.mutant.name.ljust(named)} | {trial.mutant.rule.ljust(8)} | {trial.seconds:5.1f} s | {told}"


def run(mutants: Sequence[Mutant], root: Path = ROOT, *, workers: int = WORKERS, is_checked: bool = True) -> int:
    """Try each bug and print what caught it; return the exit code, which is 0 if every one was caught by a test."""
    begun, done = time.monotonic(), 0

    def tell(trial: Trial) -> None:
        nonlocal done
        done += 1
        print(f"[{done:3}/{len(mutants)}] {trial.verdict}  {trial.seconds:5.1f} s  {trial.mutant.name}", flush=True)

    with tempfile.TemporaryDirectory(prefix="ringfence-mutants-") as folder:
        workshop = Workshop(root, Path(folder), workers)
        if is_checked:
            print("the tests without a bug ...", end=" ", flush=True)
            if faults := workshop.run_without_a_bug(mutants):
                print("FAIL, so that nothing can be said of the bugs", *faults, sep="\n")
                return 1
            print(f"pass, {time.monotonic() - begun:.0f} s", flush=True)
        trials = workshop.run(mutants, tell)
    print(*table(trials), sep="\n")
    caught = sum(trial.verdict is Verdict.CAUGHT for trial in trials)
    print(f"\n{time.monotonic() - begun:.0f} s with {workers} workers")
    print(f"{len(trials)} planted, {caught} caught")
    return 0 if caught == len(trials) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it asks."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", action="append", metavar="WORDS", help="only bugs whose name or file holds these words")
    parser.add_argument("--workers", type=int, default=WORKERS, help="test runs at the same time")
    parser.add_argument("--unchecked", action="store_true", help="do not run the tests without a bug first")
    parser.add_argument("--list", action="store_true", help="name the bugs and plant none")
    asked = parser.parse_args(arguments)
    chosen = [each for each in MUTANTS if not asked.only or any(words in f"{each.file} {each.name}" for words in asked.only)]
    if not chosen:
        parser.error("no bug has such a name")
    if asked.list:
        print(*(f"{each.package}: {each.name}" for each in chosen), sep="\n")
        return 0
    try:
        return run(chosen, workers=max(1, asked.workers), is_checked=not asked.unchecked)
    except KeyboardInterrupt:
        print("\nstopped")
        return INTERRUPTED
