"""What happens to orders when their owner is gone, over real sockets: lost connections, dead-man switch, clean leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from exchange.domain.commands import SetCancelAfter
from exchange.server.gateway import Gateway
from exchange.server.parts import ExchangeParts
from exchange.services.sequencer import Applied
from tests.cast import T0
from tests.wire_kit import ADMIN_KEY, PATIENCE_S, RawClient, client, make_parts, served, within_patience

ENCODINGS = ("msgpack", "json")
BID = {"symbol": "BTC-PERP", "side": "buy", "quantity": "1", "limit_price": "99"}


class Stage:
    """An exchange on a virtual clock with its operator, and every command about lost owners that it was given."""

    def __init__(self, gateway: Gateway, parts: ExchangeParts, operator: RawClient) -> None:
        self.gateway, self.parts, self.operator = gateway, parts, operator
        self.timers: list[SetCancelAfter] = []
        parts.sequencer.subscribe(self._note)

    def _note(self, applied: Applied) -> None:
        if isinstance(applied.command, SetCancelAfter):
            self.timers.append(applied.command)

    async def advance(self, milliseconds: int) -> None:
        await self.operator.call("admin.advance", duration_us=milliseconds * 1000)

    async def lose(self, raw: RawClient) -> None:
        """Cut a connection without a word, and return when the server has noticed."""
        known = len(self.gateway._sockets)
        raw.socket.transport.abort()
        async with asyncio.timeout(PATIENCE_S):
            while len(self.gateway._sockets) == known:
                await self.operator.call("ping")


@asynccontextmanager
async def staged(**limits: int) -> AsyncIterator[Stage]:
    parts = make_parts()
    async with served(parts, **limits) as gateway, client(gateway, key=ADMIN_KEY) as operator:
        yield Stage(gateway, parts, operator)


async def open_orders(raw: RawClient) -> list[int]:
    return [order["order_id"] for order in await raw.call("order.list")]


async def ended(raw: RawClient) -> dict[str, Any]:
    """Return the next order that ended, as the ``orders`` channel tells it."""
    frame = await raw.until(lambda frame: frame.get("channel") == "orders" and frame["data"]["order_status"] == "canceled")
    data: dict[str, Any] = frame["data"]
    return data


@pytest.mark.rule("SAFE-002")
@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_a_lost_connection_cancels_the_orders_of_its_account_when_the_grace_is_over(encoding: str) -> None:
    async with staged() as stage, client(stage.gateway, encoding, key="bob-key") as bob:
        await bob.call("order.place", **BID)
        async with client(stage.gateway, encoding, key="alice-key") as watcher:
            await watcher.call("subscribe", channel="orders")
            async with client(stage.gateway, encoding, key="alice-key") as alice:
                answer = await alice.call("session.cancel_on_disconnect", enabled=True, grace_ms=2_000)
                assert answer == {"enabled": True, "grace_ms": 2_000}
                mine = (await alice.call("order.place", **BID))["order"]["order_id"]
                await stage.lose(alice)
            await stage.advance(1_999)
            later = (await watcher.call("order.place", **BID))["order"]["order_id"]
            assert await open_orders(watcher) == [mine, later], "placed in the grace over another connection"
            await stage.advance(1)
            gone = [await ended(watcher), await ended(watcher)]
            assert [(order["order_id"], order["reason"]) for order in gone] == [
                (mine, "order.owner_disconnected"),
                (later, "order.owner_disconnected"),
            ]
            assert await open_orders(watcher) == []
        assert len(await open_orders(bob)) == 1


@pytest.mark.rule("SAFE-002")
async def test_a_login_within_the_grace_keeps_them_and_a_login_after_it_comes_too_late() -> None:
    async with staged() as stage:
        for back_after_ms, kept in ((9_999, 1), (10_000, 0)):
            async with client(stage.gateway, key="alice-key") as alice:
                await alice.call("session.cancel_on_disconnect", enabled=True)
                await alice.call("order.place", **BID)
                await stage.lose(alice)
            await stage.advance(back_after_ms)
            async with client(stage.gateway, key="alice-key") as alice:
                await stage.advance(60_000)
                assert len(await open_orders(alice)) == kept
                await alice.call("order.cancel_all")


@pytest.mark.rule("SAFE-002", "SAFE-003")
@pytest.mark.parametrize("way", ["logout", "disabled", "never enabled", "refused key"])
async def test_a_clean_leave_keeps_the_orders(way: str) -> None:
    async with staged() as stage:
        async with client(stage.gateway, key="alice-key") as alice:
            if way != "never enabled":
                await alice.call("session.cancel_on_disconnect", enabled=True, grace_ms=0)
            await alice.call("order.place", **BID)
            if way == "logout":
                assert await alice.call("session.logout") == {"account": "alice"}
            elif way in {"disabled", "refused key"}:
                await alice.call("session.cancel_on_disconnect", enabled=False)
            if way == "refused key":
                async with client(stage.gateway) as stranger:
                    assert (await stranger.refusal("session.cancel_on_disconnect", enabled=True))["code"] == 2001
                    await stage.lose(stranger)
            await stage.lose(alice)
        await stage.advance(3_600_000)
        async with client(stage.gateway, key="alice-key") as alice:
            assert len(await open_orders(alice)) == 1
        assert stage.timers == [], "nothing reached the venue"


@pytest.mark.rule("SAFE-002")
@pytest.mark.parametrize("end", ["cut", "close frame", "closed for unreadable frames"])
async def test_every_other_end_of_the_connection_counts_and_without_a_grace_at_once(end: str) -> None:
    async with staged(malformed_frames_max=1) as stage, client(stage.gateway, key="alice-key") as watcher:
        await watcher.call("subscribe", channel="orders")
        async with client(stage.gateway, key="alice-key") as alice:
            await alice.call("session.cancel_on_disconnect", enabled=True, grace_ms=0)
            await alice.call("order.place", **BID)
            if end == "cut":
                alice.socket.transport.abort()
            elif end == "close frame":
                await alice.socket.close()
            else:
                await alice.socket.send(b"\xff")
                assert await alice.close_code() == 4000
            assert (await ended(watcher))["reason"] == "order.owner_disconnected"
        assert await open_orders(watcher) == []


@pytest.mark.rule("SAFE-002")
async def test_a_connection_found_dead_after_its_owner_came_back_over_another_cancels_nothing() -> None:
    async with staged() as stage, client(stage.gateway, key="alice-key") as old:
        await old.call("session.cancel_on_disconnect", enabled=True, grace_ms=0)
        await old.call("order.place", **BID)
        async with client(stage.gateway, key="alice-key") as new:
            await new.call("session.cancel_on_disconnect", enabled=True, grace_ms=0)
            await old.call("session.cancel_on_disconnect", enabled=False)
            await stage.lose(old)
            assert len(await open_orders(new)) == 1
            await stage.lose(new)
        async with client(stage.gateway, key="alice-key") as alice:
            assert await open_orders(alice) == []


@pytest.mark.rule("SAFE-002")
async def test_of_two_connections_that_asked_the_first_cancels_nothing_however_it_ends() -> None:
    async with staged() as stage, client(stage.gateway, key="alice-key") as new:
        for way in ("lost", "logged out", "lost"):
            async with client(stage.gateway, key="alice-key") as old:
                await old.call("session.cancel_on_disconnect", enabled=True, grace_ms=0)
                await new.call("session.cancel_on_disconnect", enabled=True, grace_ms=0)
                if way == "logged out":
                    await old.call("session.logout")
                await stage.lose(old)
        await new.call("order.place", **BID)
        assert len(await open_orders(new)) == 1
        assert stage.timers == []
        await stage.lose(new)
        assert len(stage.timers) == 1


@pytest.mark.rule("SAFE-002")
async def test_armed_by_a_crowd_of_connections_the_venue_hears_of_one_loss() -> None:
    async with staged() as stage, AsyncExitStack() as stack:
        crowd = [await stack.enter_async_context(client(stage.gateway, key="alice-key")) for _ in range(200)]
        for one in crowd:
            await one.call("session.cancel_on_disconnect", enabled=True, grace_ms=300_000)
        assert stage.timers == []
        for one in crowd:
            await stage.lose(one)
        assert len(stage.timers) == 1
        assert len(stage.parts.venue._state.cancel_timers.picture()) == 1


@pytest.mark.rule("SAFE-003", "WIRE-004")
async def test_after_a_logout_the_connection_is_nobodys_and_stays_so() -> None:
    async with staged() as stage, client(stage.gateway, key="alice-key") as alice:
        for channel in ("orders", "account"):
            await alice.call("subscribe", channel=channel)
        await alice.call("subscribe", channel="book", symbol="BTC-PERP")
        await alice.call("session.logout")
        assert (await alice.refusal("order.place", **BID))["name"] == "session.login_required"
        assert (await alice.refusal("subscribe", channel="orders"))["name"] == "session.login_required"
        assert (await alice.refusal("session.logout"))["name"] == "session.login_required"
        assert (await alice.refusal("session.cancel_after", timeout_ms=1))["name"] == "session.login_required"
        seen = len(alice.of_channel("orders")), len(alice.of_channel("account"))
        async with client(stage.gateway, key="alice-key") as again:
            await again.call("order.place", **BID)
        await alice.until(lambda frame: frame.get("channel") == "book" and frame["type"] == "delta")
        await alice.call("ping")
        assert (len(alice.of_channel("orders")), len(alice.of_channel("account"))) == seen
        error = await alice.refusal("session.login", key="alice-key", time_ms=1, signature="00")
        assert error["name"] == "session.already_logged_in"
        assert "open another one" in error["message"]


@pytest.mark.rule("SAFE-001")
@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_a_dead_man_switch_survives_its_connection_and_fires_inside_an_advance_at_its_exact_time(encoding: str) -> None:
    async with staged() as stage, client(stage.gateway, encoding, key="alice-key") as watcher:
        await watcher.call("subscribe", channel="orders")
        async with client(stage.gateway, encoding, key="alice-key") as alice:
            await alice.call("order.place", **BID)
            armed = await alice.call("session.cancel_after", timeout_ms=60_000)
            assert armed["deadline_us"] == T0 // 1000 + 60_000_000
            await stage.advance(59_999)
            assert (await alice.call("session.cancel_after", timeout_ms=60_000))["deadline_us"] == T0 // 1000 + 119_999_000
            await stage.advance(30_000)
            assert len(await open_orders(alice)) == 1
            await stage.lose(alice)
        times: list[int] = []
        stage.parts.sequencer.subscribe(lambda applied: times.append(applied.time_ns))
        await stage.advance(3_600_000)
        assert times[0] == T0 + 119_999_000_000, "a command of its own"
        gone = await ended(watcher)
        assert (gone["reason"], gone["open_quantity"]) == ("order.dead_man_switch", "0")


@pytest.mark.rule("SAFE-001")
async def test_a_dead_man_switch_is_disarmed_by_zero_and_takes_no_other_nonsense() -> None:
    async with staged() as stage, client(stage.gateway, "json", key="alice-key") as alice:
        await alice.call("order.place", **BID)
        await alice.call("session.cancel_after", timeout_ms=86_400_000)
        assert (await alice.call("session.cancel_after", timeout_ms=0))["deadline_us"] is None
        assert (await alice.call("session.cancel_after", timeout_ms=0))["deadline_us"] is None
        for nonsense in (-1, 86_400_001, 2**53 - 1, 2**70, 1.5, "10", None, True):
            error = await alice.refusal("session.cancel_after", timeout_ms=nonsense)
            assert error["name"].startswith("request."), nonsense
        for nonsense in (-1, 300_001, 2**63, "0"):
            error = await alice.refusal("session.cancel_on_disconnect", enabled=True, grace_ms=nonsense)
            assert error["name"].startswith("request."), nonsense
        await stage.advance(2 * 86_400_000)
        assert len(await open_orders(alice)) == 1
        assert (await stage.operator.refusal("session.cancel_after", timeout_ms=1))["name"] == "session.scope_missing"


@pytest.mark.rule("SAFE-001", "CONS-006")
async def test_a_replay_of_the_commands_cancels_at_the_same_place() -> None:
    parts = make_parts()
    told: list[Applied] = []
    parts.sequencer.subscribe(told.append)
    again = make_parts().venue
    async with served(parts) as gateway, client(gateway, key=ADMIN_KEY) as operator:
        stage = Stage(gateway, parts, operator)
        async with client(gateway, key="alice-key") as alice:
            await alice.call("order.place", **BID)
            await alice.call("session.cancel_after", timeout_ms=5_000)
            await alice.call("session.cancel_on_disconnect", enabled=True, grace_ms=7_000)
            await stage.lose(alice)
        await stage.advance(6_000)
        async with client(gateway, key="alice-key") as alice:
            await alice.call("order.place", **BID)
            assert len(await open_orders(alice)) == 1
    for applied in told:
        assert again.apply(applied.command, now_ns=applied.time_ns) == applied.events
    assert again.digest() == parts.venue.digest()


async def test_a_halted_venue_lets_connections_come_and_go() -> None:
    async with staged() as stage:
        async with client(stage.gateway, key="alice-key") as alice:
            await alice.call("session.cancel_on_disconnect", enabled=True, grace_ms=1_000)
            await stage.lose(alice)

        def stumble(applied: Applied) -> None:
            raise AssertionError("an invariant is broken")

        stage.parts.sequencer.subscribe(stumble)
        assert (await stage.operator.refusal("admin.advance", duration_us=1))["name"] == "venue.halted"
        async with client(stage.gateway, key="alice-key") as alice:
            await alice.call("session.cancel_on_disconnect", enabled=True, grace_ms=1_000)
            await stage.lose(alice)
        await within_patience(stage.operator.call("ping"))
