"""How connections begin, stay alive and end."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from exchange.server.gateway import Gateway
from exchange.server.limits import ServerLimits
from tests.wire_kit import client, make_parts, served, within_patience


@pytest.mark.rule("WIRE-018")
async def test_a_server_that_stops_says_goodbye_to_everybody() -> None:
    gateway = Gateway(make_parts(), ServerLimits(restart_retry_ms=750))
    await gateway.start("127.0.0.1", 0)
    async with client(gateway) as first, client(gateway, "json", key="alice-key") as second:
        await within_patience(gateway.stop())
        for raw in (first, second):
            goodbye = await raw.receive()
            assert (goodbye["type"], goodbye["retry_ms"]) == ("shutdown", 750)
            assert await raw.close_code() == 1012
    with pytest.raises(OSError, match="onnect"):
        await connect(gateway.url)


@pytest.mark.rule("WIRE-018")
async def test_a_connection_that_is_still_opening_does_not_hold_up_the_stop() -> None:
    gateway = Gateway(make_parts(), ServerLimits())
    host, port = await gateway.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET / HTTP/1.1\r\n")
    async with client(gateway):
        await within_patience(gateway.stop())
    assert await within_patience(_until_end(reader)) == b""
    writer.close()


async def _until_end(reader: asyncio.StreamReader) -> bytes:
    """Return all that comes until the peer closes or cuts."""
    heard = b""
    with suppress(ConnectionError):
        while chunk := await reader.read(4_096):
            heard += chunk
    return heard


async def test_a_gateway_that_never_started_can_be_stopped_and_two_share_nothing() -> None:
    await Gateway(make_parts()).stop()
    async with served() as one, served() as other:
        assert one.url != other.url
        async with client(one, key="alice-key") as alice, client(other, key="alice-key") as namesake:
            await alice.call("order.place", symbol="BTC-PERP", side="buy", quantity="1", limit_price="99")
            assert await namesake.call("order.list") == []


@pytest.mark.rule("WIRE-017")
async def test_a_peer_that_answers_pings_stays_and_one_that_does_not_is_closed() -> None:
    async with (
        served(ping_interval_ms=20, idle_timeout_ms=200, tick_interval_ms=10, close_timeout_ms=50) as gateway,
        client(gateway) as alive,
    ):
        reader, writer = await asyncio.open_connection(*gateway.address)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        heard = await within_patience(_until_end(reader))
        writer.close()
        assert await alive.call("ping"), "the other one answered its pings meanwhile"
        assert b"\x89\x00" in heard, "it was pinged"
        assert (4000).to_bytes(2, "big") + b"nothing received for too long" in heard


@pytest.mark.rule("WIRE-017")
async def test_a_handshake_that_does_not_end_is_cut() -> None:
    async with served(open_timeout_ms=50) as gateway:
        reader, writer = await asyncio.open_connection(*gateway.address)
        writer.write(b"GET / HTTP/1.1\r\nHost: loc")
        assert await within_patience(_until_end(reader)) == b""
        writer.close()


async def test_a_client_that_closes_is_forgotten() -> None:
    async with served() as gateway:
        async with client(gateway) as raw:
            await raw.call("subscribe", channel="book")
        async with client(gateway) as second:
            await second.call("ping")
            assert len(gateway._sockets) == 1
            assert not gateway.subscriptions._topics


async def test_requests_sent_before_the_close_are_answered_before_it() -> None:
    async with served() as gateway, client(gateway) as raw:
        for number in range(100):
            await raw.send({"id": number, "method": "ping"})
        answered = [(await raw.receive())["id"] for _ in range(100)]
        assert answered == list(range(100))


async def test_fragmented_requests_are_put_together() -> None:
    async with served(fragments_max=64) as gateway, client(gateway, "json") as raw:
        text = '{"id": 1, "method": "ping"}'
        await raw.socket.send(list(text))
        assert await raw.reply_to(1)
        with suppress(ConnectionClosed):
            await raw.socket.send(["x"] * 200)
        assert await raw.close_code() == 1009
