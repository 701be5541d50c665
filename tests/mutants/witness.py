"""A pytest plugin that writes down which test failed first, and has property tests fail fast and always alike."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import Phase, settings

FILE_VARIABLE = "RINGFENCE_MUTANTS_WITNESS"
"""The environment variable that names the file to write to."""

# Nobody reads the failing example, so it is not made smaller.
settings.register_profile("mutants", derandomize=True, database=None, deadline=None, phases=(Phase.explicit, Phase.generate))
settings.load_profile("mutants")


def pytest_configure() -> None:
    """Stop where the tests would run against another copy of the project than the one that has the bug."""
    import exchange

    tree, found = Path.cwd().resolve(), Path(str(exchange.__file__)).resolve()
    if tree not in found.parents:
        raise pytest.UsageError(f"the tests of {tree} would import {found}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write down the first test that fails, in its body or before it."""
    witness = Path(os.environ[FILE_VARIABLE])
    if report.failed and not witness.exists():
        witness.write_text(report.nodeid, encoding="utf-8")
