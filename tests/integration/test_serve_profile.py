"""``serve --profile``: the same trades and the same mark over a socket, and another verdict under another venue's rules."""

from __future__ import annotations

import signal
from decimal import Decimal
from pathlib import Path

import pytest

from clients import Client
from tests.integration.process import ServeProcess

BTC = "BTC-PERP"
D = Decimal

# A tenth of a bitcoin bought at 100,000 with ten times leverage; maintenance is 0.4 %, the taker fee 0.05 %.
#   as the config has it: 1,000 behind it; 0.4 % of the notional at the mark
#     1,000 - (100,000 - P) / 10 = 0.0004 P        P = 90,361.4...
#   as Bybit has it: also 4.50, the fee of closing at bankruptcy; 0.4 % and the fee of closing, at entry
#     1,004.50 - (100,000 - P) / 10 = 40 + 5       P = 90,405
BETWEEN = D(90_390)
AT_ENTRY = D(90_405)
"""The mark at which equity equals maintenance as Bybit has it."""
BUT_FOR_EQUALITY = """
[risk]
maintenance_price = "entry"
initial_margin_price = "entry"
order_close_fee = true
close_fee_in_maintenance = true
"""


async def position_after(folder: Path, mark: Decimal, *arguments: str) -> tuple[Decimal, str, Decimal | None]:
    """Return what is left of the position once the mark is there, what serve printed, and its liquidation price before."""
    with ServeProcess(folder, "--port", "0", *arguments) as serve:
        ready = serve.wait_until_ready()
        keys = {entry["account"]: entry for entry in [*ready["accounts"], {"account": "admin", **ready["admin"]}]}
        clients = {
            name: Client.connect(ready["url"], key=keys[name]["key"], secret=keys[name]["secret"])
            for name in ("alice", "maker", "admin")
        }
        async with clients["alice"] as alice, clients["maker"] as maker, clients["admin"] as admin:
            await admin.admin_set_mark({BTC: D(100_000)})
            await alice.set_margin_mode(BTC, "isolated")
            await maker.sell(BTC, "0.1", D(100_000))
            await alice.buy(BTC, "0.1", D(100_000))
            shown = (await alice.positions(BTC))[0].liquidation_price
            await admin.admin_set_mark({BTC: mark})
            left = (await alice.positions(BTC))[0].quantity
        serve.send(signal.SIGINT)
        assert serve.wait_for_exit() == 0
        return left, serve.output, shown


@pytest.mark.rule("MARG-003", "MARG-006")
async def test_a_mark_that_the_config_survives_is_a_liquidation_where_maintenance_is_measured_at_entry(tmp_path: Path) -> None:
    left, printed, shown = await position_after(tmp_path, BETWEEN)
    assert left == D("0.1")
    assert "profile" not in printed
    assert shown is not None
    assert shown < BETWEEN
    left, printed, shown = await position_after(tmp_path, BETWEEN, "--profile", "bybit")
    assert left == 0
    assert "\nrules of the profile bybit\n" in printed
    assert shown == AT_ENTRY


@pytest.mark.rule("MARG-005")
async def test_equality_is_liquidated_only_where_a_profile_says_so(tmp_path: Path) -> None:
    config = tmp_path / "but_for_equality.toml"
    config.write_text(BUT_FOR_EQUALITY, encoding="utf-8")
    left, _, shown = await position_after(tmp_path, AT_ENTRY, "--config", str(config))
    assert (left, shown) == (D("0.1"), AT_ENTRY)
    left, _, shown = await position_after(tmp_path, AT_ENTRY, "--config", str(config), "--profile", "bybit")
    assert (left, shown) == (D(0), AT_ENTRY)
