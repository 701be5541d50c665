"""What the README shows of the risk tools is what they say and draw."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.app.cli import main

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_calculation_in_the_readme_is_what_the_command_prints_and_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = re.search(r"```\n\$ ringfence (margin .*)\n((?:.|\n)*?)```", README)
    assert shown is not None
    command, output = shown.groups()
    assert main(shlex.split(command)) == 0
    assert capsys.readouterr().out == output
    picture = tmp_path / "health.svg"
    assert main([*shlex.split(command), "--svg", str(picture)]) == 0
    assert picture.read_bytes() == (ROOT / "exchange" / "margin-health.svg").read_bytes()
    assert "](exchange/margin-health.svg)" in README


def test_the_worked_example_in_the_readme_prints_what_the_readme_shows() -> None:
    shown = re.search(r"```python\n(from clients\.risk (?:.|\n)*?)```\n\n```\n((?:.|\n)*?)```", README)
    assert shown is not None
    example, output = shown.groups()
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert (done.stdout, done.stderr) == (output, "")
