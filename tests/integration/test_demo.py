"""The demo as a user meets it: a second process, its printed words, its summary file."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
DATA = CHECKOUT.parent / "shared" / "data"
RUN_S_MAX = 180.0
FIRST_MS = 1_760_129_400_000
MINUTE_MS = 60_000


def run_demo(*arguments: str, hash_seed: str = "random") -> str:
    """Return what the demo prints; it must end with exit code 0."""
    done = subprocess.run(
        [sys.executable, "-m", "exchange.app.cli", "demo", "--plain", *arguments],
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=False,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def summary_of(folder: Path, name: str, *arguments: str, hash_seed: str = "random") -> dict[str, Any]:
    path = folder / f"{name}.json"
    run_demo("--summary", str(path), *arguments, hash_seed=hash_seed)
    summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return summary


def write_fall(path: Path, price: Decimal) -> Path:
    """Write six minutes in which a price falls by a fifth; columns out of order, one more than needed."""
    rows = ["close,extra,ts_ms,high,low,open"]
    for minute in range(6):
        after = price * (100 - (5 if 1 <= minute <= 4 else 0)) / 100
        bar = f"{after:.1f},x,{FIRST_MS + minute * MINUTE_MS},{price:.1f},{after:.1f},{price:.1f}"
        rows.append(bar)
        price = after
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def window(minutes: int) -> tuple[str, ...]:
    return ("--from", "2025-10-10T20:50", "--to", f"2025-10-10T20:{50 + minutes}")


def test_the_summary_printed_in_the_readme_is_what_the_demo_prints_today() -> None:
    printed = run_demo(hash_seed="1")
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"```\n(Summary\n.*?)\n```", readme, re.DOTALL)
    assert shown is not None

    def steady(text: str) -> list[str]:
        return [line.rstrip() for line in text.splitlines() if "Took" not in line]

    assert steady(shown.group(1)) == steady(printed[printed.index("Summary") :].rstrip())


def test_the_same_seed_and_marks_give_the_same_summary_and_another_seed_another(tmp_path: Path) -> None:
    marks = write_fall(tmp_path / "fall.csv", Decimal(60_000))
    play = ("--marks", f"BTC-PERP={marks}", *window(6))
    first = summary_of(tmp_path, "first", *play, "--seed", "7", hash_seed="0")
    second = summary_of(tmp_path, "second", *play, "--seed", "7", hash_seed="99")
    other = summary_of(tmp_path, "other", *play, "--seed", "8")

    del first["elapsed_s"], second["elapsed_s"]
    assert first == second
    assert other["digest"] != first["digest"]
    assert {first["conservation_difference"], other["conservation_difference"]} == {"0"}


@pytest.mark.parametrize("price", [Decimal(40), Decimal(25_000_000)])
def test_any_price_level_works_since_everything_scales_to_the_first_mark(tmp_path: Path, price: Decimal) -> None:
    marks = write_fall(tmp_path / "fall.csv", price)
    summary = summary_of(tmp_path, "summary", "--marks", f"BTC-PERP={marks}", *window(6))
    assert summary["conservation_difference"] == "0"
    assert summary["trades"] > 0
    assert summary["liquidations"]["isolated"] > 0
    assert summary["liquidation_quantity"]["book"] > 0


def test_the_summary_file_holds_money_as_decimal_strings_and_counts_as_whole_numbers(tmp_path: Path) -> None:
    marks = write_fall(tmp_path / "fall.csv", Decimal(100_000))
    summary = summary_of(tmp_path, "summary", "--marks", f"BTC-PERP={marks}", *window(6), "--seed", "3")
    assert summary["seed"] == 3
    assert re.fullmatch("[0-9a-f]{64}", summary["digest"])
    for name in ("trades", "commands"):
        assert type(summary[name]) is int
    assert set(summary["liquidation_quantity"]) == {"book", "fund", "adl"}
    assert all(type(lots) is int for lots in summary["liquidation_quantity"].values())
    assert set(summary["liquidations"]) == {"isolated", "cross"}
    credited, parts = Decimal(summary["credited"]), ("final_equity", "fees", "insurance_fund")
    assert credited == sum(Decimal(summary[part]) for part in parts)
    assert [pair["name"] for pair in summary["twins"]] == ["btc", "sol", "basket", "hedged"]
    for pair in summary["twins"]:
        for mode in ("cross", "isolated"):
            assert Decimal(pair[mode]["final_equity"]) >= 0
            assert pair[mode]["account"] == f"{pair['name']}-{mode}"


def test_recorded_marks_of_the_crash_are_liquidated_through_the_book(tmp_path: Path) -> None:
    marks = DATA / "marks" / "binance_coinm_BTCUSD_PERP_mark_1m_2025-10-09_10.csv.gz"
    if not marks.exists():
        pytest.skip("the recorded marks are not on this machine")
    play = ("--from", "2025-10-10T21:08", "--to", "2025-10-10T21:24")
    summary = summary_of(tmp_path, "summary", "--marks", f"BTC-PERP={marks}", *play)
    assert summary["conservation_difference"] == "0"
    assert summary["liquidation_quantity"]["book"] > 0
    assert Decimal(summary["liquidation_quantity_by_symbol"]["book"]["BTC-PERP"]) > 0


def test_recorded_bars_of_five_alts_are_liquidated_through_the_book(tmp_path: Path) -> None:
    bars = DATA / "bars_1s"
    if not bars.exists():
        pytest.skip("the recorded bars are not on this machine")
    files = [
        argument
        for coin in ("AVAX", "AAVE", "DOT", "UNI", "ATOM")
        for argument in ("--marks", f"{coin}-PERP={bars / f'binance_coinm_{coin}USD_PERP_trades_1s_2025-10-10.csv.gz'}")
    ]
    play = ("--config", "config/alts.toml", "--from", "2025-10-10T21:10", "--to", "2025-10-10T21:20")
    summary = summary_of(tmp_path, "summary", *files, *play)
    assert summary["conservation_difference"] == "0"
    assert summary["liquidation_quantity"]["book"] > 0


def test_keep_leaves_the_exchange_up_until_ctrl_c(tmp_path: Path) -> None:
    marks = write_fall(tmp_path / "fall.csv", Decimal(100_000))
    command = [sys.executable, "-u", "-m", "exchange.app.cli", "demo", "--plain", "--keep", "--marks", f"BTC-PERP={marks}"]
    with subprocess.Popen([*command, *window(2)], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as process:
        assert process.stdout is not None
        try:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if "hedged-isolated " in line and "demo-hedged-isolated" in line:
                    break
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
            assert process.wait(timeout=RUN_S_MAX) == 0, rest
        finally:
            process.kill()
    assert any("stays up at ws://127.0.0.1:" in line for line in lines)
    assert "Traceback" not in rest


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--marks", "BTC-PERP=nowhere.csv"), "nowhere.csv"),
        (("--marks", "DOGE-PERP=nowhere.csv"), "nowhere.csv"),
        (("--config", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_a_file_that_cannot_be_used_is_answered_with_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "exchange.app.cli", "demo", "--plain", *arguments],
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=False,
    )
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("signal_number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_ends_the_demo_with_a_word_and_no_traceback(signal_number: signal.Signals, code: int) -> None:
    command = [sys.executable, "-u", "-m", "exchange.app.cli", "demo", "--plain"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT) as process:
        assert process.stdout is not None
        try:
            while " %  BTC-PERP" not in process.stdout.readline():
                pass
            process.send_signal(signal_number)
            _, errors = process.communicate(timeout=RUN_S_MAX)
        finally:
            process.kill()
    assert process.returncode == code
    assert errors in ("interrupted\n", "stopped\n")


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = [sys.executable, "-u", "-m", "exchange.app.cli", "demo", "--plain"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == ""
            assert process.wait(timeout=RUN_S_MAX) == 141
        finally:
            process.kill()


def test_a_summary_that_cannot_be_written_is_refused_before_the_demo_plays(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "exchange.app.cli", "demo", "--plain", "--summary", str(tmp_path / "none" / "s.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S_MAX, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "check the path given with --summary" in done.stderr
