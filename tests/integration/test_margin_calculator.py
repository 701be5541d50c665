"""``ringfence margin`` as a process of its own, and beside it the very position on a running exchange, over its socket."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from clients import Client
from clients.messages import Position
from clients.risk import PositionPlan, domain_instrument, picture_cross, picture_isolated
from exchange.app.cli import main
from exchange.composition.settings import load_settings
from exchange.domain.instrument import Instrument
from exchange.domain.policy import MarginRules
from exchange.domain.units import format_cash, parse_cash
from tests.unit.clients.live_exchange import LiveExchange, live_exchange

BALANCE = "100000"
MARGIN_FIELDS = (
    "tiers",
    "price_grid",
    "quantity_grid",
    "cash_per_tick_lot",
    "taker_fee",
    "maker_fee",
    "liquidation_fee",
    "rules",
)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "exchange.app.cli", "margin", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def calculated(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["margin", *arguments, "--wallet", BALANCE, "--json"]) == 0
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    return content


async def open_on(
    live: LiveExchange, alice: Client, maker: Client, side: str, quantity: str, entry: str, mark: str
) -> Position:
    """Have alice open a position at ``entry`` and the mark move; return the position as she is told of it."""
    async with live.client("admin") as admin:
        await admin.admin_set_mark({"BTC-PERP": entry})
        take, make = (alice.buy, maker.sell) if side == "long" else (alice.sell, maker.buy)
        await make("BTC-PERP", quantity, entry)
        await take("BTC-PERP", quantity, entry)
        await admin.admin_set_mark({"BTC-PERP": mark})
    (position,) = await alice.positions("BTC-PERP")
    return position


@pytest.mark.parametrize("mode", ["cross", "isolated"])
@pytest.mark.parametrize(("side", "mark"), [("long", "110123.4"), ("short", "119000")])
async def test_what_the_calculator_says_is_what_the_exchange_shows(
    capsys: pytest.CaptureFixture[str], mode: str, side: str, mark: str
) -> None:
    async with live_exchange() as live, live.client("alice") as alice, live.client("maker") as maker:
        await alice.set_margin_mode("BTC-PERP", mode)
        await alice.set_leverage("BTC-PERP", 15)
        shown = await open_on(live, alice, maker, side, "3.217", "116847.9", mark)
        pool = await alice.account()
    terms = ("--symbol", "BTC-PERP", "--side", side, "--entry", "116847.9", "--quantity", "3.217", "--leverage", "15")
    content = calculated(capsys, *terms, "--mark", mark, "--mode", mode)
    said = content[mode]
    assert [shown.initial_margin, shown.maintenance_margin] == [
        Decimal(content["initial_margin"]),
        Decimal(content["maintenance_margin"]),
    ]
    assert [shown.liquidation_price, shown.bankruptcy_price] == [
        Decimal(said["liquidation_price"]),
        Decimal(said["bankruptcy_price"]),
    ]
    assert [shown.margin_ratio, shown.unrealized_pnl] == [Decimal(said["margin_ratio"]), Decimal(said["unrealized_pnl"])]
    wallet = pool.wallet_balance if mode == "cross" else shown.isolated_wallet
    assert wallet == Decimal(said["wallet"])


def margin_terms(instrument: Instrument) -> list[object]:
    return [getattr(instrument, field) for field in MARGIN_FIELDS]


async def test_an_instrument_told_over_the_wire_gives_the_same_margins_as_one_of_the_config() -> None:
    async with live_exchange() as live, live.client("alice") as alice:
        told = await alice.instruments()
    for configured in load_settings().instruments:
        instrument = domain_instrument(told[configured.symbol])
        assert margin_terms(instrument) == margin_terms(configured)
        assert (instrument.notional_min, instrument.quantity_max) == (configured.notional_min, configured.quantity_max)
        assert instrument.rules == MarginRules()
    strict = MarginRules(liquidate_at_equality=True)
    assert domain_instrument(told["BTC-PERP"], strict).rules == strict
    plan = PositionPlan.parse(domain_instrument(told["BTC-PERP"]), side="long", quantity="1", entry_price="60000", leverage=10)
    cross = picture_cross(plan, wallet=parse_cash("10000"), mark_price=plan.entry_price)
    isolated = picture_isolated(plan, mark_price=plan.entry_price)
    assert [plan.instrument.price_grid.format(each.liquidation_price or 0) for each in (cross, isolated)] == [
        "50231.2",
        "54221.2",
    ]
    assert [format_cash(each.maintenance_margin) for each in (cross, isolated)] == ["250", "250"]


def test_as_a_process_it_prints_the_table_writes_the_picture_and_ends_with_the_shells_numbers(tmp_path: Path) -> None:
    picture = tmp_path / "health.svg"
    terms = ("--symbol", "ETH-PERP", "--side", "short", "--entry", "4000", "--quantity", "20")
    done = run(*terms, "--svg", str(picture))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("short 20 ETH-PERP at 4000.00, leverage 10, mark 4000.00\n")
    assert ElementTree.parse(picture).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    wrong = run(*terms, "--leverage", "90")
    assert wrong.returncode == 2
    assert "argument --leverage: 90 is above 75, the most for a notional of 80000 (tier from 50000); lower it" in wrong.stderr


@pytest.mark.parametrize("profile", ["bybit", "lfest", "okx"])
async def test_an_instrument_tells_the_margin_rules_of_its_venue(profile: str) -> None:
    async with live_exchange(profile) as live, live.client("alice") as alice:
        told = await alice.instruments()
    rules = load_settings(profile=profile).policy.margin_rules
    assert rules != MarginRules()
    assert domain_instrument(told["BTC-PERP"]).rules == rules
