"""What the README tells a newcomer to paste works as pasted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

from exchange.wire import fields, requests
from tests.integration.process import ServeProcess
from tests.worked_liquidation import worked_liquidation

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
BOT_LINES_MAX = 15


def test_the_readme_bot_prints_what_the_readme_shows(tmp_path: Path) -> None:
    shown = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    bot, output = shown.groups()
    with ServeProcess(tmp_path, "--port", "0") as server:
        url = server.wait_until_ready()["url"]
        assert "ws://127.0.0.1:8900" in README  # the bot uses the default address, the test a free one
        bot = bot.replace("Client.connect(", f"Client.connect({url!r}, ")
        done = subprocess.run([sys.executable, "-c", bot], capture_output=True, text=True, timeout=30, check=False)
    assert done.stderr == ""
    assert done.stdout == output


def test_the_readme_bot_is_short() -> None:
    shown = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    lines = [line for line in shown.group(1).splitlines() if line.strip()]
    assert len(lines) <= BOT_LINES_MAX


def test_every_method_and_channel_is_named_in_the_readme() -> None:
    methods = {str(kind.__struct_config__.tag) for kind in get_args(requests.AnyRequest)}
    for method in methods:
        assert method.rpartition(".")[2] in README, method
    for channel in fields.PUBLIC_CHANNELS | fields.PRIVATE_CHANNELS:
        assert f"`{channel}`" in README, channel


def test_the_worked_liquidation_is_what_the_venue_does() -> None:
    worked = "\n".join(worked_liquidation())
    assert f"```\n{worked}\n```" in README, worked
