from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from clients import Backoff, Client, ConnectionLost, ConnectionState, EventsMissed, MirrorNotReady, NotConnected
from tests.unit.clients.scripted_server import (
    Peer,
    ScriptedServer,
    book_message,
    channel_message,
    mark_body,
    order_body,
    trade_body,
)


async def test_what_was_in_flight_at_a_drop_fails_with_how_to_find_out(server: ScriptedServer, at_once: Backoff) -> None:
    async def dropping(peer: Peer) -> None:
        await peer.greet()
        await peer.receive()
        peer.drop()

    async def steady(peer: Peer) -> None:
        await peer.greet()
        await peer.answer_pings()

    server.play(dropping, steady)
    async with Client.connect(server.url, reconnect=at_once) as client:
        with pytest.raises(
            ConnectionLost, match=r"order.place is unknown: look it up with order\(client_order_id='a-1'\)"
        ) as lost:
            await client.buy("BTC-PERP", 1, client_order_id="a-1")
        assert lost.value.client_order_id == "a-1"
        assert client.state is ConnectionState.RECONNECTING
        with pytest.raises(NotConnected, match="nothing was sent: the client is reconnecting"):
            await client.ping()
        await client.wait_connected(5)
        await client.ping()
    assert server.connections == 2


async def test_after_a_reconnect_it_logs_in_and_has_fresh_snapshots(server: ScriptedServer, at_once: Backoff) -> None:
    dropped = asyncio.Event()

    async def first(peer: Peer) -> None:
        await peer.greet_and_log_in()
        await peer.accept_subscription(book_message("snapshot", 4, 4, [["10", "1"]]))
        await peer.accept_subscription(channel_message("mark", mark_body()))
        await peer.accept_subscription()
        await peer.accept_subscription(channel_message("orders", order_body(1)), channel_message("orders", order_body(2)))
        for _ in range(4):
            await peer.accept_subscription()
        await peer.expect("ping")
        peer.drop()

    async def second(peer: Peer) -> None:
        await peer.greet_and_log_in()
        dropped.set()
        channels = [(await peer.accept_subscription(book_message("snapshot", 9, 9, [["11", "3"]])))["params"]["channel"]]
        channels.append((await peer.accept_subscription())["params"]["channel"])
        channels.append((await peer.accept_subscription())["params"]["channel"])
        channels.append((await peer.accept_subscription(channel_message("orders", order_body(2))))["params"]["channel"])
        channels += [(await peer.accept_subscription())["params"]["channel"] for _ in range(4)]
        assert channels == ["book", "mark", "liquidations", "orders", "positions", "account", "fills", "margin"]
        await peer.answer_pings()

    server.play(first, second)
    async with Client.connect(server.url, key="k", secret="s", reconnect=at_once) as client:
        mirror = await client.mirror("BTC-PERP")
        assert [order.order_id for order in mirror.orders.open_orders()] == [1, 2]
        with pytest.raises(ConnectionLost):
            await client.ping()
        with pytest.raises(MirrorNotReady, match="the connection broke"):
            mirror.orders.open_orders()
        await client.wait_connected(5)
        assert [order.order_id for order in mirror.orders.open_orders()] == [2]
        assert mirror.books["BTC-PERP"].bids() == ((Decimal(11), Decimal(3)),)
        assert mirror.marks.price("BTC-PERP") is None
        assert mirror.fills.interruptions == 1


async def test_it_gives_up_after_the_bounded_number_of_tries(server: ScriptedServer, at_once: Backoff) -> None:
    async def greeting(peer: Peer) -> None:
        await peer.greet()
        await peer.socket.close(1012, "maintenance")

    async def absent(peer: Peer) -> None:
        await peer.socket.close(1012, "maintenance")

    server.play(greeting, absent)
    async with Client.connect(server.url, reconnect=at_once) as client:
        with pytest.raises(NotConnected, match=r"closed the connection with 1012 \(restart; maintenance\)"):
            await _until_given_up(client)
        assert client.state is ConnectionState.CLOSED
        assert client.failure is not None
        assert "tries are used up (tries_max)" in client.failure
    assert server.connections == 1 + at_once.tries_max


async def test_losses_before_the_subscriptions_are_back_use_up_the_same_tries(server: ScriptedServer, at_once: Backoff) -> None:
    async def first(peer: Peer) -> None:
        await peer.greet()
        await peer.accept_subscription()
        peer.drop()

    async def again(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("subscribe")
        peer.drop()

    server.play(first, again)
    async with Client.connect(server.url, reconnect=at_once) as client:
        stream = client.events("trades")
        with pytest.raises(ConnectionLost, match="tries are used up"):
            await anext(stream)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
    assert server.connections == 1 + at_once.tries_max


async def test_a_login_that_is_refused_on_reconnect_ends_the_client(server: ScriptedServer, at_once: Backoff) -> None:
    async def first(peer: Peer) -> None:
        await peer.greet_and_log_in()
        await peer.accept_subscription()
        peer.drop()

    async def second(peer: Peer) -> None:
        await peer.greet()
        await peer.refuse(await peer.expect("session.login"), "session.key_revoked")

    server.play(first, second)
    async with Client.connect(server.url, key="k", secret="s", reconnect=at_once) as client:
        async with client.events("trades") as trades:
            with pytest.raises(ConnectionLost, match="key_revoked"):
                await anext(trades)
        assert client.state is ConnectionState.CLOSED
    assert server.connections == 2


async def test_without_reconnect_a_loss_is_final(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("ping")
        await peer.socket.close(4008, "outbox full")

    server.play(script)
    async with Client.connect(server.url, reconnect=False) as client:
        with pytest.raises(ConnectionLost, match=r"4008 \(slow reader; outbox full\); the outcome of ping is unknown"):
            await client.ping()
        with pytest.raises(NotConnected, match="reconnecting is off"):
            await client.wait_connected(5)
    assert server.connections == 1


@pytest.mark.parametrize(
    "frame",
    [
        b"\xc1",
        b"\x93\x01",
        b"\xcb" + bytes(8),
        b"\xd4\x05\x00",
        b"\x91" * 3000,
        "text",
        b"\x80",
        b"\x81\xa2id\xc0",
        b"\x81\xa2id\x63",
    ],
)
async def test_a_bad_frame_drops_the_connection_with_a_sentence_and_nothing_worse(
    server: ScriptedServer, frame: bytes | str
) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("ping")
        await peer.send_raw(frame)
        await peer.stay()

    server.play(script)
    async with Client.connect(server.url, reconnect=False) as client:
        with pytest.raises(ConnectionLost, match="the connection was dropped: the server"):
            await client.ping()


@pytest.mark.parametrize("frame", ['{"id":1,"result":1.5}', "[" * 100_000, "{", '{"channel":"book"}', "NaN", b"\x80", '"x"'])
async def test_a_bad_json_frame_drops_the_connection_too(server: ScriptedServer, frame: bytes | str) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("ping")
        await peer.send_raw(frame)
        await peer.stay()

    server.play(script)
    async with Client.connect(server.url, encoding="json", reconnect=False) as client:
        with pytest.raises(ConnectionLost, match="the connection was dropped: the server"):
            await client.ping()


async def test_what_a_newer_server_adds_is_passed_over(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet(colour="blue")
        ping = await peer.expect("ping")
        await peer.send(channel_message("candles", {"open": "1"}))
        await peer.send({"type": "announcement", "text": "hi"})
        await peer.reply(ping, {"time_us": 1, "sequence": 2, "more": [1]})
        await peer.stay()

    server.play(script)
    async with Client.connect(server.url) as client:
        assert (await client.ping()).sequence == 2


async def test_a_shutdown_notice_delays_the_reconnect(server: ScriptedServer) -> None:
    async def leaving(peer: Peer) -> None:
        await peer.greet()
        await peer.send({"type": "shutdown", "reason": "restart", "retry_ms": 200})
        await peer.socket.close(1012)

    async def steady(peer: Peer) -> None:
        await peer.greet()
        await peer.answer_pings()

    server.play(leaving, steady)
    loop = asyncio.get_running_loop()
    async with Client.connect(server.url, reconnect=Backoff(first_s=0, tries_max=1)) as client:
        with pytest.raises((ConnectionLost, NotConnected)):
            await client.ping()
        lost_at = loop.time()
        await client.wait_connected(5)
        assert loop.time() - lost_at >= 0.1


async def test_a_stream_tells_once_that_events_may_be_missing_and_goes_on(server: ScriptedServer, at_once: Backoff) -> None:
    async def first(peer: Peer) -> None:
        await peer.greet()
        await peer.accept_subscription()
        await peer.send(channel_message("trades", trade_body(1), "BTC-PERP"))
        await peer.socket.close(1012)

    async def second(peer: Peer) -> None:
        await peer.greet()
        await peer.accept_subscription()
        await peer.send(channel_message("trades", trade_body(5), "BTC-PERP"))
        await peer.stay()

    server.play(first, second)
    async with Client.connect(server.url, reconnect=at_once) as client:
        stream = client.events("trades", "BTC-PERP")
        assert (await anext(stream)).trade_id == 1
        with pytest.raises(EventsMissed, match="1012"):
            await anext(stream)
        assert (await anext(stream)).trade_id == 5


async def test_closing_fails_what_is_in_flight_and_ends_streams_quietly(server: ScriptedServer) -> None:
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.accept_subscription(channel_message("trades", trade_body(), "BTC-PERP"))
        await peer.expect("account.get")
        asked.set()
        await peer.stay()

    server.play(script)
    client = await Client.connect(server.url).open()
    stream = client.events("trades", "BTC-PERP")
    assert (await anext(stream)).trade_id == 1
    waiting = asyncio.gather(client.account(), anext(stream, None), return_exceptions=True)
    await asked.wait()
    await client.close()
    lost, ended = await waiting
    assert isinstance(lost, ConnectionLost)
    assert ended is None
    await client.close()


async def _until_given_up(client: Client) -> None:
    while True:
        await client.wait_connected(5)
        await asyncio.gather(client.ping(), return_exceptions=True)


def test_backoff_grows_to_its_longest_and_ends() -> None:
    delays = list(Backoff(first_s=1, factor=3, longest_s=5, tries_max=4, jitter=0).delays())
    assert delays == [1, 3, 5, 5]


def test_backoff_jitter_only_shortens_and_repeats_with_its_seed() -> None:
    backoff = Backoff(first_s=1, factor=1, longest_s=1, tries_max=50, jitter=0.5, seed=3)
    delays = list(backoff.delays())
    assert delays == list(backoff.delays())
    assert all(0.5 <= delay <= 1 for delay in delays)
    assert len(set(delays)) > 40


@pytest.mark.parametrize("wrong", [{"first_s": -1}, {"factor": 0.5}, {"longest_s": 0}, {"tries_max": 0}, {"jitter": 2}])
def test_backoff_names_the_setting_that_makes_no_sense(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"backoff: {next(iter(wrong))}"):
        Backoff(**wrong)  # type: ignore[arg-type]


async def test_a_subscription_that_is_refused_on_reconnect_ends_the_client(server: ScriptedServer, at_once: Backoff) -> None:
    async def first(peer: Peer) -> None:
        await peer.greet()
        await peer.accept_subscription()
        peer.drop()

    async def second(peer: Peer) -> None:
        await peer.greet()
        await peer.refuse(await peer.expect("subscribe"), "session.subscriptions_maximum")
        await peer.stay()

    server.play(first, second)
    async with Client.connect(server.url, reconnect=at_once) as client, client.events("trades") as trades:
        with pytest.raises(ConnectionLost, match=r"could not be restored: subscribe was refused: session\.subscriptions_max"):
            await anext(trades)
        assert client.state is ConnectionState.CLOSED


async def test_silence_while_subscriptions_come_back_counts_as_a_loss(server: ScriptedServer) -> None:
    async def first(peer: Peer) -> None:
        await peer.greet()
        await peer.accept_subscription()
        peer.drop()

    async def silent(peer: Peer) -> None:
        await peer.greet()
        await peer.stay()

    server.play(first, silent)
    backoff = Backoff(first_s=0, tries_max=2, longest_s=0)
    async with Client.connect(server.url, reconnect=backoff, timeout_s=0.3) as client, client.events("trades") as trades:
        with pytest.raises(ConnectionLost, match="tries are used up"):
            await anext(trades)
    assert server.connections == 3


async def test_waiting_for_a_reconnect_has_a_bound_and_closing_ends_the_tries(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("ping")
        peer.drop()

    server.play(script)
    client = await Client.connect(server.url, reconnect=Backoff(first_s=1000, longest_s=1000, tries_max=1)).open()
    with pytest.raises(ConnectionLost):
        await client.ping()
    with pytest.raises(NotConnected, match=r"still not connected after 0.01 s"):
        await client.wait_connected(0.01)
    await client.close()
    assert client.state is ConnectionState.CLOSED
    assert server.connections == 1


async def test_a_canceled_request_harms_no_other_and_its_late_answer_is_passed_over(server: ScriptedServer) -> None:
    may_answer = asyncio.Event()
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.greet()
        given_up = await peer.expect("order.cancel_all")
        asked.set()
        await may_answer.wait()
        await peer.reply(given_up, {"canceled": 1})
        await peer.answer_pings()

    server.play(script)
    async with Client.connect(server.url, in_flight_max=1) as client:
        task = asyncio.create_task(client.cancel_all_orders())
        await asked.wait()
        task.cancel()
        await asyncio.wait((task,))
        may_answer.set()
        await client.ping()
        assert task.cancelled()
