"""What serve tells people and scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exchange.app.banner import format_banner
from exchange.app.ready_file import write_atomically, write_ready_file
from exchange.composition.settings import load_settings


def test_the_banner_names_address_symbols_accounts_keys_and_that_they_are_public() -> None:
    lines = format_banner(load_settings(), "ws://127.0.0.1:8900").splitlines()
    assert "ws://127.0.0.1:8900" in lines[0]
    assert "clock real" in lines[0]
    assert "BTC-PERP  116847.9  0.1    0.001  125x" in lines
    assert "alice    100000   demo-alice  demo-alice-secret" in lines
    assert "(admin)           demo-admin  demo-admin-secret" in lines
    assert any("PUBLIC" in line and "throw-away" in line for line in lines)
    assert max(map(len, lines)) <= 110


def test_the_banner_names_the_profile_that_is_not_the_configs_own() -> None:
    assert "profile" not in format_banner(load_settings(), "ws://127.0.0.1:8900")
    lines = format_banner(load_settings(profile="okx"), "ws://127.0.0.1:8900").splitlines()
    assert lines[1] == "rules of the profile okx"


def test_the_ready_file_holds_address_process_and_keys(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    write_ready_file(path, load_settings(), "ws://127.0.0.1:1")
    content = json.loads(path.read_text(encoding="utf-8"))
    assert set(content) == {"url", "pid", "accounts", "admin"}
    assert content["url"] == "ws://127.0.0.1:1"
    assert content["accounts"][1] == {"account": "alice", "key": "demo-alice", "secret": "demo-alice-secret"}
    assert content["admin"] == {"key": "demo-admin", "secret": "demo-admin-secret"}


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text("old", encoding="utf-8")
    write_atomically(path, "new")
    assert path.read_text(encoding="utf-8") == "new"
    with pytest.raises(OSError, match="directory"):
        write_atomically(tmp_path, "over a folder")
    assert [entry.name for entry in tmp_path.iterdir()] == ["ready.json"]
