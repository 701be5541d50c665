"""Too many requests, over real sockets and a clock that the test moves."""

from __future__ import annotations

import asyncio

import pytest

from clients import Backoff, Client, ConnectionState, OrderRejected, RequestRefused
from tests.wire_kit import ADMIN_KEY, PATIENCE_S, client, secret_of, served

BID = {"symbol": "BTC-PERP", "side": "buy", "quantity": "1", "limit_price": "99"}
MS_NS = 10**6


class Ticker:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now_ns = 10**9

    def read_ns(self) -> int:
        return self.now_ns


@pytest.mark.rule("SAFE-004")
@pytest.mark.parametrize("encoding", ["msgpack", "json"])
async def test_one_order_too_many_changes_nothing_says_when_to_come_back_and_then_passes(encoding: str) -> None:
    clock = Ticker()
    async with (
        served(read_monotonic_ns=clock.read_ns, order_requests_per_s=4, order_requests_burst=2) as gateway,
        client(gateway, encoding, key="alice-key") as alice,
        client(gateway, encoding, key="alice-key") as twin,
        client(gateway, encoding, key="bob-key") as bob,
    ):
        first = (await alice.call("order.place", **BID))["order"]["order_id"]
        await twin.call("order.place", **BID)
        error = await alice.refusal("order.place", **BID)
        assert (error["code"], error["name"], error["retry_ms"]) == (2006, "session.rate_limited", 250)
        assert (await twin.refusal("account.set_leverage", symbol="BTC-PERP", leverage=5))["retry_ms"] == 250
        assert (await bob.call("order.place", **BID))["order"]["order_id"] == first + 2, "nothing was done"
        left = await alice.call("session.limits")
        assert left["orders"] == {"per_s": 4, "burst": 2, "left": 0}
        await alice.call("order.cancel", order_id=first)
        clock.now_ns += 249 * MS_NS
        assert (await alice.refusal("order.place", **BID))["retry_ms"] == 1
        clock.now_ns += 1 * MS_NS
        await alice.call("order.place", **BID)
        clock.now_ns += 3_600_000 * MS_NS
        assert (await alice.call("session.limits"))["orders"]["left"] == 2


@pytest.mark.rule("SAFE-004")
async def test_a_batch_counts_as_its_orders_and_a_batch_of_cancels_as_none() -> None:
    clock = Ticker()
    async with (
        served(read_monotonic_ns=clock.read_ns, order_requests_per_s=10, order_requests_burst=4) as gateway,
        client(gateway, key="alice-key") as alice,
    ):
        placed = await alice.call("order.place_batch", orders=[BID, BID, BID])
        assert (await alice.call("session.limits"))["orders"]["left"] == 1
        assert (await alice.refusal("order.place_batch", orders=[BID, BID, BID]))["retry_ms"] == 200
        references = [{"order_id": each["result"]["order"]["order_id"]} for each in placed]
        await alice.call("order.cancel_batch", orders=references)
        assert await alice.call("order.list") == []
        assert (await alice.call("session.limits"))["orders"]["left"] == 1


@pytest.mark.rule("SAFE-004")
async def test_reads_have_a_bound_of_their_own_also_before_a_login() -> None:
    clock = Ticker()
    async with served(read_monotonic_ns=clock.read_ns, read_requests_per_s=1, read_requests_burst=3) as gateway:
        async with client(gateway) as nobody, client(gateway) as other, client(gateway, key="alice-key") as alice:
            for raw in (nobody, other):
                for _ in range(3):
                    await raw.call("ping")
                assert (await raw.refusal("ping"))["retry_ms"] == 1_000
                assert (await raw.refusal("subscribe", channel="trades"))["name"] == "session.rate_limited"
            assert (await alice.call("session.limits"))["reads"]["left"] == 2
            await alice.call("order.place", **BID)
        async with client(gateway, key=ADMIN_KEY) as operator:
            for _ in range(50):
                await operator.call("admin.state")
            assert await operator.call("session.limits") == {"orders": None, "reads": None}


@pytest.mark.rule("SAFE-004")
@pytest.mark.parametrize("readable", [True, False])
async def test_who_goes_on_although_refused_is_closed_with_4029_and_nobody_else_is(readable: bool) -> None:
    clock = Ticker()
    limits = {"read_requests_per_s": 1, "read_requests_burst": 2, "rate_refusals_max": 5, "malformed_frames_max": 1_000}
    async with (
        served(read_monotonic_ns=clock.read_ns, **limits) as gateway,
        client(gateway, key="alice-key") as alice,
        client(gateway, key="alice-key") as twin,
    ):
        for number in range(8):
            request = {"id": number, "method": "ping", "params": {}}
            await (alice.send(request) if readable else alice.socket.send(b"\xff"))
        assert await alice.close_code() == 4029
        answers = [frame for frame in alice.frames if "id" in frame][1:]
        if readable:
            assert [("error" in each) for each in answers] == [False] * 2 + [True] * 6
        assert (await twin.refusal("ping"))["name"] == "session.rate_limited"


@pytest.mark.rule("SAFE-004")
async def test_one_refusal_a_second_is_forgiven_for_ever() -> None:
    clock = Ticker()
    limits = {"order_requests_per_s": 1, "order_requests_burst": 1, "rate_refusals_max": 2}
    async with served(read_monotonic_ns=clock.read_ns, **limits) as gateway, client(gateway, key="alice-key") as alice:
        for _ in range(30):
            await alice.call("order.place", **BID)
            await alice.refusal("order.place", **BID)
            clock.now_ns += 1_000 * MS_NS
            await alice.call("order.cancel_all")


@pytest.mark.rule("SAFE-004")
async def test_the_shipped_limits_let_a_burst_of_any_bot_through() -> None:
    async with served() as gateway, client(gateway, key="alice-key") as alice:
        for number in range(2_000):
            await alice.send({"id": number, "method": "session.limits", "params": {}})
        last = await alice.reply_to(1_999)
        assert last["reads"]["left"] > 90_000


@pytest.mark.rule("SAFE-004")
async def test_the_client_tells_what_is_left_and_when_to_try_again() -> None:
    clock = Ticker()
    async with (
        served(read_monotonic_ns=clock.read_ns, order_requests_per_s=4, order_requests_burst=1) as gateway,
        Client.connect(gateway.url, key="alice-key", secret=secret_of("alice-key")) as alice,
    ):
        before = (await alice.request_limits()).orders
        assert before is not None
        assert (before.per_s, before.burst, before.left) == (4, 1, 1)
        await alice.buy("BTC-PERP", "1", "99")
        with pytest.raises(RequestRefused) as refused:
            await alice.buy("BTC-PERP", "1", "99")
        assert refused.value.retry_ms == 250
        assert not isinstance(refused.value, OrderRejected), "the order itself was not judged"


@pytest.mark.rule("SAFE-004", "SAFE-002")
async def test_a_client_that_comes_back_waits_its_turn_to_restore_what_it_had() -> None:
    limits = {"read_requests_per_s": 1_000, "read_requests_burst": 8}
    clock = Ticker()

    def hurrying() -> int:
        """Let a millisecond pass at each look, so that the restoring comes to an end."""
        clock.now_ns += MS_NS // 10
        return clock.now_ns

    backoff = Backoff(first_s=0.001, longest_s=0.01, tries_max=50, seed=1)
    async with served(read_monotonic_ns=hurrying, **limits) as gateway, client(gateway, key=ADMIN_KEY) as operator:
        access = {"key": "alice-key", "secret": secret_of("alice-key")}
        async with Client.connect(gateway.url, **access, reconnect=backoff) as alice:  # type: ignore[arg-type]
            await alice.cancel_on_disconnect(grace_ms=300_000)
            for symbol in ("BTC-PERP", "ETH-PERP"):
                clock.now_ns += 10**9
                await alice.mirror(symbol)
            transport = alice._session.link._transport
            assert transport is not None
            transport.abort()
            async with asyncio.timeout(PATIENCE_S):
                while alice.state is ConnectionState.CONNECTED:
                    await operator.call("ping")
            await alice.wait_connected(20)
            assert alice.state is ConnectionState.CONNECTED
