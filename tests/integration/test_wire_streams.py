"""Subscriptions over a real socket: what a client can rebuild from what it is sent, and nothing else."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.cast import T0
from tests.wire_kit import client, make_parts, served

BTC = "BTC-PERP"


def order(side: str, quantity: str, limit_price: str, **more: Any) -> dict[str, Any]:
    return {"symbol": BTC, "side": side, "quantity": quantity, "limit_price": limit_price, **more}


def rebuilt(frames: list[dict[str, Any]]) -> tuple[dict[str, dict[str, str]], int]:
    """Return the book that snapshot and deltas make, and its sequence; fails on a gap."""
    sides: dict[str, dict[str, str]] = {"bids": {}, "asks": {}}
    sequence = None
    for frame in frames:
        if frame["type"] == "snapshot":
            sides = {"bids": {}, "asks": {}}
        else:
            assert frame["previous_sequence"] == sequence, "a gap in the chain"
        sequence = frame["sequence"]
        for side, levels in sides.items():
            for price, quantity in frame[side]:
                if quantity == "0":
                    del levels[price]
                else:
                    levels[price] = quantity
    assert sequence is not None
    return sides, sequence


@pytest.mark.rule("WIRE-010", "WIRE-008")
@pytest.mark.parametrize("encoding", ["msgpack", "json"])
async def test_a_book_rebuilt_from_its_messages_is_the_book(encoding: str) -> None:
    dice = random.Random(3)
    async with served() as gateway, client(gateway, key="alice-key") as alice, client(gateway, key="bob-key") as bob:
        await alice.call("order.place", **order("buy", "1", "99"))
        async with client(gateway, encoding) as watcher:
            await watcher.call("subscribe", channel="book", symbol=BTC)
            for _ in range(150):
                trader = dice.choice([alice, bob])
                side, price = dice.choice(["buy", "sell"]), str(100 + dice.randint(-6, 6) / 2).removesuffix(".0")
                await trader.call("order.place", **order(side, str(dice.randint(1, 5)), price))
                if dice.random() < 0.1:
                    await trader.call("order.cancel_all")
            await watcher.call("ping")
            book = await watcher.call("market.book", symbol=BTC, depth=200)
            sides, sequence = rebuilt(watcher.of_channel("book"))
            assert sides == {"bids": dict(book["bids"]), "asks": dict(book["asks"])}
            assert sequence == book["sequence"]


@pytest.mark.rule("WIRE-008", "WIRE-009")
async def test_an_account_rebuilt_from_its_streams_is_the_account() -> None:
    dice = random.Random(5)
    async with served() as gateway, client(gateway, key="alice-key") as alice, client(gateway, "json", key="bob-key") as bob:
        for channel in ("orders", "fills", "positions", "account"):
            await bob.call("subscribe", channel=channel)
        for _ in range(120):
            side, price = dice.choice(["buy", "sell"]), str(100 + dice.randint(-4, 4))
            await dice.choice([alice, bob]).call("order.place", **order(side, "1", price))
        await bob.call("ping")
        orders = {frame["data"]["order_id"]: frame["data"] for frame in bob.of_channel("orders")}
        still_open = [one for one in orders.values() if one["order_status"] in ("open", "partially_filled")]
        assert sorted(still_open, key=lambda one: one["order_id"]) == await bob.call("order.list")
        for one in await bob.call("order.list", status="ended", limit=500):
            assert orders[one["order_id"]] == one
        positions = {frame["symbol"]: frame["data"] for frame in bob.of_channel("positions")}
        assert positions[BTC]["quantity"] == (await bob.call("account.positions"))[0]["quantity"]
        bought = sum(int(f["data"]["quantity"]) * (1 if f["data"]["side"] == "buy" else -1) for f in bob.of_channel("fills"))
        assert str(bought) == positions[BTC]["quantity"]
        wallet = bob.of_channel("account")[-1]["data"]["wallet_balance"]
        assert wallet == (await bob.call("account.get"))["wallet_balance"]


async def test_an_order_is_told_from_acceptance_to_its_end() -> None:
    async with served() as gateway, client(gateway, key="alice-key") as alice, client(gateway, key="bob-key") as bob:
        await alice.call("subscribe", channel="orders")
        await alice.call("order.place", **order("buy", "3", "100"))
        await bob.call("order.place", **order("sell", "1", "100"))
        await bob.call("order.place", **order("sell", "2", "100"))
        await alice.call("order.place", **order("buy", "1", "100"))
        await alice.call("order.cancel_all")
        told = [
            (f["data"]["order_status"], f["data"]["open_quantity"], f["data"]["reason"]) for f in alice.of_channel("orders")
        ]
        assert told == [
            ("open", "3", None),
            ("partially_filled", "2", None),
            ("filled", "0", None),
            ("open", "1", None),
            ("canceled", "0", "order.canceled_by_owner"),
        ]


@pytest.mark.rule("WIRE-019", "LIQ-001")
async def test_a_liquidation_is_told_step_by_step_before_the_operators_answer() -> None:
    async with (
        served() as gateway,
        client(gateway, key="alice-key") as alice,
        client(gateway) as tiny,
        client(gateway, "json") as watcher,
        client(gateway, key="root") as operator,
    ):
        await operator.call("admin.create_account", account="tiny", key="tiny-key", secret="secret-of-tiny-key")
        assert (await operator.call("admin.credit", account="tiny", amount="20"))["wallet_balance"] == "20"
        await tiny.login("tiny-key")
        await tiny.call("subscribe", channel="orders")
        await alice.call("order.place", **order("sell", "1", "100"))
        await tiny.call("order.place", **order("buy", "1", "100"))
        await alice.call("order.place", **order("buy", "0.4", "80.5"))
        for channel in ("liquidations", "trades", "mark"):
            await watcher.call("subscribe", channel=channel, symbol=BTC)
        await operator.call("subscribe", channel="liquidations")
        result = await operator.call("admin.set_mark", marks={BTC: "80"})
        assert [f["data"]["step"] for f in operator.of_channel("liquidations")] == [
            "started",
            "orders_canceled",
            "order_settled",
            "transferred",
            "finished",
        ]
        await watcher.call("ping")
        steps = {f["data"]["step"]: f["data"] for f in watcher.of_channel("liquidations")}
        assert "started" not in steps, "a cross scope has no symbol of its own"
        assert (steps["order_settled"]["quantity"], steps["order_settled"]["filled"]) == ("1", "0.4")
        assert steps["transferred"]["venue"] == "fund"
        assert [f["data"]["liquidation"] for f in watcher.of_channel("trades")] == [True]
        assert [f["data"]["mark_price"] for f in watcher.of_channel("mark")] == ["100", "80"]
        await tiny.call("ping")
        closing = [f["data"] for f in tiny.of_channel("orders") if f["data"]["liquidation_id"] is not None]
        assert closing[-1]["filled_quantity"] == "0.4"
        state = await operator.call("admin.state")
        assert result["sequence"] == state["sequence"]
        assert state["insurance_fund_positions"][0]["quantity"] == "0.6"


@pytest.mark.rule("WIRE-009")
async def test_event_channels_tell_nothing_of_what_was_before() -> None:
    async with served() as gateway, client(gateway, key="alice-key") as alice, client(gateway, key="bob-key") as bob:
        await alice.call("order.place", **order("buy", "1", "100"))
        await bob.call("order.place", **order("sell", "1", "100"))
        for channel in ("trades", "fills", "liquidations"):
            result = await alice.call("subscribe", channel=channel)
            assert result == {"channel": channel, "symbol": None, "sequence": 10}
            assert alice.of_channel(channel) == []


async def test_unsubscribing_ends_a_stream() -> None:
    async with served(make_parts()) as gateway, client(gateway, key="alice-key") as alice, client(gateway) as watcher:
        await watcher.call("subscribe", channel="book", symbol=BTC)
        await watcher.call("unsubscribe", channel="book", symbol=BTC)
        await alice.call("order.place", **order("buy", "1", "100"))
        await watcher.call("ping")
        assert len(watcher.of_channel("book")) == 1
        assert (await watcher.refusal("unsubscribe", channel="book", symbol=BTC))["name"] == "session.not_subscribed"


async def test_times_are_those_of_the_venues_clock() -> None:
    async with served() as gateway, client(gateway, key="alice-key") as alice, client(gateway, key="root") as operator:
        await alice.call("subscribe", channel="orders")
        await operator.call("admin.advance", duration_us=1_500_000)
        await alice.call("order.place", **order("buy", "1", "100"))
        assert alice.of_channel("orders")[0]["data"]["time_us"] == T0 // 1000 + 1_500_000
