"""``ringfence serve`` as a second process, for tests that meet it only through its socket, files and exit code."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

START_S_MAX = 20.0
STOP_S_MAX = 20.0
POLL_S = 0.02


class ServeProcess:
    """A running ``ringfence serve``; as a context manager it is never left behind."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.ready_path = folder / "ready.json"
        self._output_path = folder / "output.txt"
        command = [sys.executable, "-m", "exchange.app.cli", "serve", "--ready-file", str(self.ready_path), *arguments]
        with self._output_path.open("w", encoding="utf-8") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> str:
        """What it has printed so far, on both streams."""
        return self._output_path.read_text(encoding="utf-8")

    def wait_until_ready(self) -> dict[str, Any]:
        """Return the ready file's content; fails when the process ends first or takes longer than ``START_S_MAX``."""
        for _ in range(int(START_S_MAX / POLL_S)):
            if (content := self._read_ready_file()) is not None:
                return content
            try:
                code = self._process.wait(timeout=POLL_S)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"serve ended with exit code {code} before it was ready:\n{self.output}")
        raise AssertionError(f"serve was not ready within {START_S_MAX} s:\n{self.output}")

    def _read_ready_file(self) -> dict[str, Any] | None:
        """Return what the file says, or None while it is missing or that of an earlier process."""
        try:
            content: dict[str, Any] = json.loads(self.ready_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return content if content["pid"] == self.pid else None

    def send(self, signal_number: signal.Signals) -> None:
        self._process.send_signal(signal_number)

    def wait_for_exit(self) -> int:
        return self._process.wait(timeout=STOP_S_MAX)

    def __enter__(self) -> ServeProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(timeout=STOP_S_MAX)
