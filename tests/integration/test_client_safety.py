"""The client's verbs for when it is not there, against the real server."""

from __future__ import annotations

import asyncio

import pytest

from clients import Backoff, Client, ConnectionState
from exchange.domain.enums import CancelTrigger
from tests.unit.clients.live_exchange import LiveExchange, live_exchange
from tests.wire_kit import PATIENCE_S

BTC = "BTC-PERP"


async def bid(client: Client) -> int:
    mark = (await client.ticker(BTC)).mark_price
    assert mark is not None
    return (await client.buy(BTC, "0.01", mark)).order.order_id


def armed(live: LiveExchange) -> int | None:
    return live.exchange.parts.venue.cancel_deadline("alice", CancelTrigger.DISCONNECTED)


@pytest.mark.rule("SAFE-002")
@pytest.mark.parametrize("encoding", ["msgpack", "json"])
async def test_after_a_reconnect_orders_are_kept_and_the_new_connection_is_watched_like_the_old(encoding: str) -> None:
    backoff = Backoff(first_s=0.01, longest_s=0.05, tries_max=50, seed=1)
    async with live_exchange() as live, live.client("admin") as operator:
        async with live.client("alice", encoding=encoding, reconnect=backoff) as alice:
            answer = await alice.cancel_on_disconnect(grace_ms=5_000)
            assert (answer.enabled, answer.grace_ms) == (True, 5_000)
            order_id = await bid(alice)
            transport = alice._session.link._transport
            assert transport is not None
            transport.abort()
            async with asyncio.timeout(PATIENCE_S):
                while alice.state is ConnectionState.CONNECTED:
                    await operator.ping()
            await alice.wait_connected(20)
            await alice.ping()
            await operator.admin_advance(60_000_000)
            assert [order.order_id for order in await alice.open_orders()] == [order_id]
        async with asyncio.timeout(PATIENCE_S):
            while armed(live) is None:
                await operator.ping()
        await operator.admin_advance(5_000_000)
        async with live.client("alice") as alice:
            assert (await alice.order(order_id)).reason == "order.owner_disconnected"


@pytest.mark.rule("SAFE-003")
async def test_a_logout_closes_the_client_and_leaves_its_orders() -> None:
    async with live_exchange() as live, live.client("admin") as operator:
        alice = await live.client("alice").open()
        await alice.cancel_on_disconnect(grace_ms=0)
        order_id = await bid(alice)
        assert (await alice.logout()).account == "alice"
        assert alice.state is ConnectionState.CLOSED
        await operator.admin_advance(60_000_000)
        async with live.client("alice") as again:
            assert (await again.order(order_id)).is_open


@pytest.mark.rule("SAFE-002")
async def test_switched_off_it_is_not_asked_for_again() -> None:
    async with live_exchange() as live, live.client("alice") as alice:
        await alice.cancel_on_disconnect()
        await alice.cancel_on_disconnect(False)
        assert alice._session._repeated == {}


@pytest.mark.rule("SAFE-001")
async def test_a_dead_man_switch_is_armed_put_off_and_disarmed() -> None:
    async with live_exchange() as live, live.client("alice") as alice, live.client("admin") as operator:
        order_id = await bid(alice)
        first = await alice.cancel_after(1_000)
        await operator.admin_advance(600_000)
        second = await alice.cancel_after(1_000)
        assert first.deadline_us is not None
        assert second.deadline_us == first.deadline_us + 600_000
        assert (await alice.cancel_after(0)).deadline_us is None
        await operator.admin_advance(10_000_000)
        assert (await alice.order(order_id)).is_open
        await alice.cancel_after(1_000)
        await operator.admin_advance(1_000_000)
        assert (await alice.order(order_id)).reason == "order.dead_man_switch"
