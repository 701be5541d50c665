"""Index prices, marks made of them, funding and halts over a real socket, in both encodings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import FundingTerms, IndexMarkTerms
from exchange.domain.policy import RiskPolicy
from exchange.server.gateway import Gateway
from tests import wire_kit
from tests.cast import ETH_PERP, SOL_PERP, T0, cash
from tests.wire_kit import RawClient, client, make_parts, served

BTC, SOL = "BTC-PERP", "SOL-PERP"
HOUR_NS = 3600 * 10**9
FUNDING = FundingTerms(interval=HOUR_NS, interest=100_000, clamp=500_000, cap=7_500_000, impact_notional=cash("100"))
INSTRUMENTS = (
    replace(wire_kit.BTC, funding=FUNDING),
    ETH_PERP,
    replace(SOL_PERP, index_mark=IndexMarkTerms(band=100_000, basis_window=60 * 10**9)),
)
DUE_US = (T0 // HOUR_NS + 1) * HOUR_NS // 1000


def order(side: str, quantity: str, limit_price: str) -> dict[str, Any]:
    return {"symbol": BTC, "side": side, "quantity": quantity, "limit_price": limit_price}


def data_of(raw: RawClient, channel: str) -> list[dict[str, Any]]:
    return [frame["data"] for frame in raw.of_channel(channel)]


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with served(make_parts(instruments=INSTRUMENTS, policy=RiskPolicy(mark_jump_max=500_000))) as running:
        yield running


@pytest.fixture(params=["msgpack", "json"])
async def watcher(gateway: Gateway, request: pytest.FixtureRequest) -> AsyncIterator[RawClient]:
    async with client(gateway, request.param) as raw:
        yield raw


@pytest.fixture(params=["msgpack", "json"])
async def alice(gateway: Gateway, request: pytest.FixtureRequest) -> AsyncIterator[RawClient]:
    async with client(gateway, request.param, key="alice-key") as raw:
        yield raw


@pytest.fixture
async def bob(gateway: Gateway) -> AsyncIterator[RawClient]:
    async with client(gateway, key="bob-key") as raw:
        yield raw


@pytest.fixture
async def operator(gateway: Gateway) -> AsyncIterator[RawClient]:
    async with client(gateway, key="root") as raw:
        yield raw


async def test_instruments_tell_how_funding_is_paid_and_marks_are_made(watcher: RawClient) -> None:
    btc, eth, sol = await watcher.call("market.instruments")
    assert btc["funding"] == {
        "interval_us": 3_600_000_000,
        "interest": "0.0001",
        "clamp": "0.0005",
        "cap": "0.0075",
        "impact_notional": "100",
    }
    assert (btc["mark_source"], btc["index_mark"], eth["funding"]) == ("external", None, None)
    assert (sol["mark_source"], sol["index_mark"]) == ("index", {"band": "0.1", "basis_window_us": 60_000_000})


@pytest.mark.rule("MARK-003", "WIRE-019")
async def test_index_prices_make_marks_and_are_told_with_them(watcher: RawClient, operator: RawClient) -> None:
    await watcher.call("subscribe", channel="mark")
    await operator.call("admin.set_index", prices={SOL: "50", BTC: "99.5"})
    await watcher.call("ping")
    told = data_of(watcher, "mark")[2:]
    assert sorted(mark["symbol"] for mark in told) == [BTC, SOL], "each once"
    marks = {mark["symbol"]: mark for mark in told}
    assert (marks[SOL]["mark_price"], marks[SOL]["index_price"], marks[SOL]["funding_rate"]) == ("50", "50", None)
    assert (marks[BTC]["mark_price"], marks[BTC]["index_price"]) == ("100", "99.5"), "told, and not made of the index"
    assert (marks[BTC]["funding_rate"], marks[BTC]["next_funding_time_us"]) == ("0.0001", DUE_US)
    error = await operator.refusal("admin.set_mark", marks={SOL: "51"})
    assert (error["code"], error["name"], error["field"]) == (6008, "mark.made_from_index", f"marks.{SOL}")


@pytest.mark.rule("MARK-001", "MARK-002", "WIRE-019")
async def test_of_several_prices_a_bad_one_refuses_all_and_is_named(operator: RawClient) -> None:
    await operator.call("admin.set_index", prices={SOL: "50", BTC: "99.5"})
    refusals: list[tuple[str, dict[str, Any], str, str, str]] = [
        ("admin.set_mark", {"marks": {BTC: "101", "ETH-PERP": "0"}}, "mark.price_out_of_range", "marks.ETH-PERP", "not 0"),
        ("admin.set_mark", {"marks": {BTC: "101", "ETH-PERP": "80"}}, "mark.jump_too_far", "marks.ETH-PERP", "to 75 at the"),
        ("admin.set_mark", {"marks": {BTC: "150.5", "ETH-PERP": "51"}}, "mark.jump_too_far", f"marks.{BTC}", "to 150 at the"),
        ("admin.set_mark", {"marks": {BTC: "101", "DOGE": "1"}}, "order.unknown_symbol", "marks", "market.instruments"),
        ("admin.set_mark", {"marks": {BTC: "101.1"}}, "order.tick_size", f"marks.{BTC}", "0.5"),
        ("admin.set_index", {"prices": {BTC: "101", SOL: "0"}}, "mark.price_out_of_range", f"prices.{SOL}", "not 0"),
        ("admin.set_index", {"prices": {BTC: "101", SOL: "76"}}, "mark.jump_too_far", f"prices.{SOL}", "to 75 at the"),
    ]
    for method, params, name, field, words in refusals:
        error = await operator.refusal(method, **params)
        assert (error["name"], error["field"]) == (name, field)
        assert words in error["message"]
    assert (await operator.call("market.ticker", symbol=BTC))["mark_price"] == "100"
    assert (await operator.call("market.funding", symbol=BTC))["index_price"] == "99.5"
    await operator.call("admin.set_mark", marks={BTC: "101", "ETH-PERP": "51"})
    assert (await operator.call("market.ticker", symbol="ETH-PERP"))["mark_price"] == "51"


@pytest.mark.rule("FUND-002", "FUND-003", "FUND-004", "WIRE-009", "WIRE-021")
async def test_funding_is_predicted_settled_and_paid(alice: RawClient, bob: RawClient, operator: RawClient) -> None:
    await alice.call("order.place", **order("buy", "2", "100"))
    await bob.call("order.place", **order("sell", "2", "100"))
    await alice.call("subscribe", channel="funding", symbol=BTC)
    for channel in ("account", "mark"):
        await alice.call("subscribe", channel=channel)
    (present,) = data_of(alice, "funding")
    assert present == await alice.call("market.funding", symbol=BTC)
    assert (present["type"], present["funding_rate"], present["next_funding_time_us"]) == ("funding", "0.0001", DUE_US)
    wallet = Decimal((await alice.call("account.get"))["wallet_balance"])
    await operator.call("admin.set_time", time_us=DUE_US + 5)
    await alice.call("ping")
    settled = data_of(alice, "funding")[-1]
    assert settled == {
        "type": "settled",
        "symbol": BTC,
        "funding_rate": "0.0001",
        "premium": "0",
        "mark_price": "100",
        "residual": "0",
        "payments": 2,
        "next_funding_time_us": DUE_US + 3_600_000_000,
        "time_us": DUE_US,
    }
    (payment,) = [data for data in data_of(alice, "account") if data["type"] == "funding_payment"]
    assert payment == {
        "type": "funding_payment",
        "symbol": BTC,
        "position_side": "net",
        "quantity": "2",
        "funding_rate": "0.0001",
        "amount": "-0.02",
        "wallet_balance": str(wallet - Decimal("0.02")),
        "time_us": DUE_US,
    }
    assert data_of(alice, "account")[-1]["wallet_balance"] == payment["wallet_balance"]
    assert data_of(alice, "mark")[-1]["next_funding_time_us"] == DUE_US + 3_600_000_000
    assert (await alice.call("market.funding", symbol=BTC))["last_funding_rate"] == "0.0001"
    (entry,) = (await alice.call("account.ledger", limit=1))["entries"]
    assert (entry["kind"], entry["amount"], entry["time_us"]) == ("funding", "-0.02", DUE_US)


async def test_a_symbol_without_funding_says_so(watcher: RawClient) -> None:
    funding = await watcher.call("market.funding", symbol="ETH-PERP")
    assert (funding["funding_rate"], funding["next_funding_time_us"]) == ("0", None)
    assert (await watcher.refusal("market.funding", symbol="DOGE"))["name"] == "order.unknown_symbol"


@pytest.mark.rule("BOOK-017", "WIRE-009")
async def test_a_halt_is_told_with_the_ticker_and_leaves_only_cancels(
    alice: RawClient, operator: RawClient, watcher: RawClient
) -> None:
    placed = await alice.call("order.place", **order("buy", "1", "100"))
    await watcher.call("subscribe", channel="ticker", symbol=BTC)
    await operator.call("admin.set_trading_state", symbol=BTC, trading_state="halted")
    error = await alice.refusal("order.place", **order("buy", "1", "100"))
    assert (error["code"], error["name"], error["field"]) == (3019, "order.symbol_halted", "symbol")
    assert (await alice.call("order.cancel", order_id=placed["order"]["order_id"]))["order_status"] == "canceled"
    await operator.call("admin.set_trading_state", symbol=BTC, trading_state="open")
    await watcher.call("ping")
    assert [data["trading_state"] for data in data_of(watcher, "ticker")] == ["open", "halted", "halted", "open"]
    assert (await alice.call("order.place", **order("buy", "1", "100")))["order"]["order_status"] == "open"
    assert (await operator.refusal("admin.set_trading_state", symbol="DOGE", trading_state="open"))["field"] == "symbol"
