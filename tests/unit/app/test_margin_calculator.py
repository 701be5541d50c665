"""``ringfence margin`` at the terminal: the table, the JSON, and what it says to those who ask for the impossible."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from exchange.app.cli import main
from exchange.composition.profiles import profile_names

COLUMNS_MAX = 100
LONG = ["margin", "--symbol", "BTC-PERP", "--side", "long", "--entry", "60000", "--quantity", "1", "--leverage", "10"]

TABLE = """\
long 1 BTC-PERP at 60000.0, leverage 10, mark 60000.0

  notional                       60,000.00   = 1 * 60000.0
  tier 2 of 11          notional 50,000.00 to 500,000.00, leverage up to 100
  initial margin                  6,000.00   = 60,000.00 / 10
  maintenance margin MM             250.00   = 60,000.00 * 0.5 % - 50.00
  opening fee                        30.00   = 60,000.00 * 0.05 %

                                     cross          isolated
  wallet after the fee W          9,970.00          6,000.00
  unrealized profit u                 0.00              0.00   = 1 * (60000.0 - 60000.0)
  equity E                        9,970.00          6,000.00   = W + u
  margin ratio                    2.5076 %          4.1667 %   = MM / E
  liquidation price                50231.2           54221.2   E = MM
    away from the mark           16.2813 %          9.6313 %
  bankruptcy price                 50030.0           54000.0   E = 0
  most it can lose               10,000.00          6,030.00   W + fee

  cross liquidation     (60,000.00 - 9,970.00 - 50.00)
                        / (1 * (1 - 0.5 %)) = 50231.155778..., to the tick toward the mark
  isolated liquidation  (60,000.00 - 6,000.00 - 50.00)
                        / (1 * (1 - 0.5 %)) = 54221.105527..., to the tick toward the mark

rules: profile default, sandbox.toml
"""


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(said(capsys, *arguments, "--json"))
    return content


def test_the_table_puts_the_numbers_into_the_formulas(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, *LONG, "--wallet", "10000") == TABLE


def test_the_formulas_of_the_table_give_its_prices_under_every_profile(capsys: pytest.CaptureFixture[str]) -> None:
    for profile in profile_names():
        for side in ("long", "short"):
            arguments = ["--symbol", "ETH-PERP", "--side", side, "--entry", "4000", "--quantity", "250.5", "--wallet", "600000"]
            text = said(capsys, "margin", *arguments, "--mark", "4010.5", "--profile", profile)
            formulas = re.findall(r"liquidation  *(\(.*\n */ .*) = ([0-9.]+)", text)
            assert len(formulas) == 2, text
            for formula, result in formulas:
                plain = re.sub(r"([0-9.]+) %", r"\1 / 100", " ".join(formula.replace(",", "").split()))
                assert abs(eval(plain) - float(result.rstrip("."))) < 0.00001, (profile, side, formula)


def test_lines_fit_the_terminal_under_every_profile(capsys: pytest.CaptureFixture[str]) -> None:
    for profile in profile_names():
        for side in ("long", "short"):
            for symbol, entry, quantity in (("SOL-PERP", "207.162", "19999.9"), ("BTC-PERP", "1234567.8", "119.999")):
                arguments = ["--symbol", symbol, "--side", side, "--entry", entry, "--quantity", quantity, "--profile", profile]
                text = said(capsys, "margin", *arguments)
                assert [line for line in text.splitlines() if len(line) > COLUMNS_MAX] == []
                assert f"rules: profile {profile}, sandbox.toml" in text


def test_one_mode_may_be_asked_for_alone(capsys: pytest.CaptureFixture[str]) -> None:
    cross = said(capsys, *LONG, "--wallet", "10000", "--mode", "cross")
    isolated = said(capsys, *LONG, "--mode", "isolated", "--margin", "7000")
    assert ("50231.2" in cross, "isolated" in cross) == (True, False)
    assert ("53216.1" in isolated, "cross" in isolated) == (True, False)


def test_without_a_wallet_the_least_that_opens_it_is_taken_and_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, *LONG)
    assert "No --wallet given: cross has 6,030.000002, just what opens the position" in text
    with_margin = asked(capsys, *LONG, "--margin", "8000")
    assert with_margin["wallet_balance"] == "8030"


def test_json_says_the_same_in_exact_decimals(capsys: pytest.CaptureFixture[str]) -> None:
    content = asked(capsys, *LONG, "--wallet", "10000")
    assert content == {
        "symbol": "BTC-PERP",
        "side": "long",
        "quantity": "1",
        "entry_price": "60000",
        "mark_price": "60000",
        "leverage": 10,
        "config": "sandbox.toml",
        "profile": "default",
        "notional": "60000",
        "tier": {
            "number": 2,
            "notional_floor": "50000",
            "notional_ceiling": "500000",
            "maintenance_rate": "0.005",
            "maintenance_amount": "50",
            "max_leverage": 100,
        },
        "initial_margin": "6000",
        "maintenance_margin": "250",
        "opening_fee": "30",
        "wallet_balance": "10000",
        "cross": {
            "wallet": "9970",
            "unrealized_pnl": "0",
            "equity": "9970",
            "margin_ratio": "0.025076",
            "liquidated": False,
            "liquidation_price": "50231.2",
            "liquidation_distance": "0.162813",
            "bankruptcy_price": "50030",
            "loss_max": "10000",
        },
        "isolated": {
            "wallet": "6000",
            "unrealized_pnl": "0",
            "equity": "6000",
            "margin_ratio": "0.041667",
            "liquidated": False,
            "liquidation_price": "54221.2",
            "liquidation_distance": "0.096313",
            "bankruptcy_price": "54000",
            "loss_max": "6030",
        },
    }


def test_what_has_no_price_and_what_is_gone_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    rich = asked(capsys, *LONG, "--wallet", "100000", "--mode", "cross")["cross"]
    assert (rich["liquidation_price"], rich["bankruptcy_price"], rich["liquidation_distance"]) == (None, None, None)
    assert "no positive mark takes equity down to maintenance" in said(capsys, *LONG, "--wallet", "100000")
    gone = said(capsys, *LONG, "--mark", "54200", "--wallet", "10000")
    assert "In isolated it is liquidated by this mark: equity is below maintenance." in gone
    assert re.search(r"liquidation price +50231\.2 +at this mark", gone)
    bankrupt = asked(capsys, *LONG, "--mark", "53000", "--mode", "isolated")["isolated"]
    assert (bankrupt["liquidated"], bankrupt["margin_ratio"], bankrupt["equity"]) == (True, None, "-1000")


def test_the_rules_of_another_venue_are_a_profile_away(capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = (asked(capsys, *LONG, "--profile", profile) for profile in ("default", "okx"))
    assert (ours["maintenance_margin"], theirs["maintenance_margin"]) == ("250", "280"), (
        "the fee of a close is part of it there"
    )
    assert theirs["tier"]["maintenance_rate"] == "0.0055"


BAD_USAGE = {
    "an unknown symbol": ({"--symbol": "XRP-PERP"}, "argument --symbol: 'XRP-PERP' is not in sandbox.toml; it has BTC-PERP,"),
    "no side": ({"--side": "up"}, "argument --side: invalid choice: 'up'"),
    "a price between ticks": ({"--entry": "60000.05"}, "argument --entry: 60000.05 is not a whole multiple of 0.1"),
    "a price of nothing": ({"--entry": "0"}, "argument --entry: 0 is not from 0.1 to"),
    "no quantity": ({"--quantity": "much"}, "argument --quantity: write a decimal number"),
    "a quantity beyond an order": ({"--quantity": "121"}, "argument --quantity: 121 is not from 0.001 to 120, what one order"),
    "a quantity worth too little": ({"--entry": "100", "--quantity": "0.1"}, "argument --quantity: 0.1 is worth 10, less than"),
    "leverage that is none": ({"--leverage": "x"}, "argument --leverage: 'x' is no leverage; give a whole number from 1 to"),
    "leverage beyond the symbol": ({"--leverage": "126"}, "argument --leverage: 126 is not from 1 to 125, the most that BTC"),
    "leverage beyond the tier": ({"--leverage": "101"}, "argument --leverage: 101 is above 100, the most for a notional of"),
    "a wallet that is none": ({"--wallet": "rich"}, "argument --wallet: 'rich' is no amount: write a decimal number"),
    "a wallet below nothing": ({"--wallet": "-1"}, "argument --wallet: -1 is below 0; give the money that is there"),
    "a wallet of too much": (
        {"--wallet": "1000000000001"},
        "argument --wallet: 1000000000001 is above 1000000000000, the most",
    ),
    "a wallet too small": (
        {"--wallet": "6000"},
        "argument --wallet: 6000 does not open this position, which takes 6030.000002",
    ),
    "a margin too small": ({"--margin": "5999"}, "argument --margin: 5999 is below 6000, the initial margin at leverage 10"),
    "a margin beyond the wallet": ({"--wallet": "7000", "--margin": "6971"}, "argument --margin: 6971 is more than the 6970"),
    "a margin without a wallet for it": ({"--mode": "cross", "--margin": "7000"}, "argument --margin: it is the wallet of an"),
    "a mark between ticks": ({"--mark": "1.23"}, "argument --mark: 1.23 is not a whole multiple of 0.1"),
    "an unknown profile": ({"--profile": "nyse"}, "argument --profile: no profile named 'nyse'; there are default, binance"),
}


@pytest.mark.parametrize(("changes", "sentence"), BAD_USAGE.values(), ids=BAD_USAGE)
def test_what_cannot_be_is_a_sentence_naming_option_limit_and_remedy(
    capsys: pytest.CaptureFixture[str], changes: dict[str, str], sentence: str
) -> None:
    options = dict(zip(LONG[1::2], LONG[2::2], strict=True)) | changes
    with pytest.raises(SystemExit) as left:
        main(["margin", *(f"{name}={value}" for name, value in options.items())])
    assert left.value.code == 2
    assert sentence in capsys.readouterr().err


def test_the_options_that_must_be_given_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["margin"])
    assert left.value.code == 2
    assert "required: --symbol, --side, --entry, --quantity" in capsys.readouterr().err


def test_help_names_every_option_and_gives_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["margin", "--help"])
    text = capsys.readouterr().out
    options = ["--mode", "--wallet", "--margin", "--mark", "--config", "--profile", "--svg", "--json", "examples:"]
    assert [option for option in options if option not in text] == []


def test_a_config_of_ones_own_is_calculated_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "dear.toml"
    shipped = (Path(__file__).resolve().parents[3] / "config" / "sandbox.toml").read_text(encoding="utf-8")
    config.write_text(shipped.replace('taker_fee = "0.0005"', 'taker_fee = "0.002"'), encoding="utf-8")
    content = asked(capsys, *LONG, "--config", str(config))
    assert (content["opening_fee"], content["config"]) == ("120", "dear.toml")


def test_a_picture_that_cannot_be_written_is_a_sentence_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*LONG, "--svg", str(tmp_path / "nowhere" / "a.svg")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"ringfence: the picture {tmp_path}/nowhere/a.svg cannot be written (No such file")
