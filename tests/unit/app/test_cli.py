"""The command line: what is asked wrongly is a sentence with exit code 2, what cannot be done one with 1."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import exchange
from exchange.app.cli import build_parser, main
from exchange.services.mark_window import format_utc


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"ringfence {exchange.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--help"], ["serve", "demo", "--version", "examples:"]),
        (["serve", "--help"], ["--config", "--host", "--port", "--public", "--ready-file", "Ctrl-C", "examples:"]),
        (
            ["demo", "--help"],
            ["--plain", "--seed", "--keep", "--config", "--marks", "--from", "--to", "--summary", "ts_ms", "examples:"],
        ),
    ],
)
def test_help_names_every_option_and_gives_examples(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert [word for word in words if word not in text] == []


BAD_USAGE = {
    "no command": ([], "the following arguments are required: COMMAND"),
    "an unknown command": (["trade"], "invalid choice: 'trade'"),
    "a port that is none": (["serve", "--port", "high"], "'high' is no port; give a number from 0 to 65535"),
    "a port out of range": (["serve", "--port", "65536"], "'65536' is no port; give a number from 0 to 65535"),
    "a seed that is none": (["demo", "--seed", "-1"], "'-1' is no seed; give a whole number from 0 to"),
    "marks without a symbol": (["demo", "--marks", "a.csv"], "'a.csv' is not SYMBOL=FILE; write for instance BTC-PERP="),
    "marks of one symbol twice": (["demo", "--marks", "A=a", "--marks", "A=b"], "A is given twice; name one file per symbol"),
    "a time that is none": (["demo", "--marks", "A=a", "--from", "noon"], "'noon' is no time; write it as 2025-10-10T20:50"),
    "half a window": (["demo", "--marks", "A=a", "--from", "2025-10-10T20:50"], "--from and --to belong together; give both"),
    "a window of nothing": (
        ["demo", "--from", "2025-10-10T20:50", "--to", "2025-10-10T21:40"],
        "--from and --to choose a part of recorded marks; give --marks, too",
    ),
    "a window backward": (
        ["demo", "--marks", "A=a", "--from", "2025-10-10T21:40", "--to", "2025-10-10T20:50"],
        "argument --to: it must be after --from",
    ),
}


@pytest.mark.parametrize(("arguments", "sentence"), BAD_USAGE.values(), ids=BAD_USAGE)
def test_wrong_usage_is_a_sentence_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_config_that_cannot_be_used_is_a_sentence_and_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my.toml"
    path.write_text("[server]\nprot = 1\n", encoding="utf-8")
    assert main(["serve", "--config", str(path)]) == 1
    assert capsys.readouterr().err == "ringfence: my.toml, line 2: server.prot: unknown key; did you mean port?\n"


def test_times_and_mark_files_are_parsed_as_given() -> None:
    parsed = build_parser().parse_args(
        ["demo", "--marks", "BTC-PERP=a=b.csv", "--from", "2025-10-10 20:50", "--to", "2025-10-10T21:40Z", "--seed", "7"]
    )
    assert parsed.marks == [("BTC-PERP", Path("a=b.csv"))]
    assert (format_utc(parsed.from_ms), format_utc(parsed.to_ms)) == ("2025-10-10 20:50:00", "2025-10-10 21:40:00")
    assert parsed.seed == 7


def test_help_loads_none_of_the_exchange() -> None:
    code = (
        "import sys\nfrom exchange.app.cli import build_parser\nbuild_parser().format_help()\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('msgspec', 'websockets', 'rich', 'msgpack')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "[]\n"
