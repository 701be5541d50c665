"""Peers that take more than their share: they are bounded or cut, and everybody else is served."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.frames import Frame, Opcode

from exchange.server.gateway import Gateway
from exchange.server.socket_connection import SocketConnection
from tests.wire_kit import PATIENCE_S, RawClient, client, served, within_patience

SMALL_BUFFER = 8_192
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TIGHT = {"write_batch_bytes": 4_096, "conflate_bytes": 8_192, "outbox_bytes_max": 20_000}
"""Small bounds, so that a reader that stops reading is noticed after a few hundred messages."""


def small_socket(gateway: Gateway) -> socket.socket:
    """Return a connected socket whose kernel buffer holds little."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    sock.connect(gateway.address)
    sock.setblocking(False)
    return sock


@asynccontextmanager
async def stopped_reader(gateway: Gateway, channels: tuple[str, ...], key: str | None = None) -> AsyncIterator[RawClient]:
    """A client that subscribes and then reads no more; its socket is dropped at the end."""
    async with client(gateway, key=key, sock=small_socket(gateway)) as raw:
        for channel in channels:
            await raw.call("subscribe", channel=channel)
        raw.socket.transport.pause_reading()
        try:
            yield raw
        finally:
            raw.socket.transport.abort()


def go_on_reading(raw: RawClient) -> None:
    raw.socket.transport.resume_reading()


def order(price: int) -> dict[str, Any]:
    return {"symbol": "BTC-PERP", "side": "buy", "quantity": "0.2", "limit_price": str(price)}


async def place_and_cancel(trader: RawClient, times: int) -> None:
    for _ in range(times):
        await trader.call("order.place", **order(90))
        await trader.call("order.cancel_all")


def sockets_of(gateway: Gateway) -> list[SocketConnection]:
    return list(gateway._sockets)


def is_anyone_closing(gateway: Gateway) -> bool:
    return any(one.connection is not None and one.connection.is_closing for one in sockets_of(gateway))


@pytest.mark.rule("WIRE-014")
async def test_a_slow_reader_of_private_events_is_closed_while_others_are_served() -> None:
    async with (
        served(**TIGHT) as gateway,
        client(gateway, key="alice-key") as alice,
        client(gateway, key="alice-key") as healthy,
        stopped_reader(gateway, ("orders", "account"), "alice-key") as slow,
    ):
        await healthy.call("subscribe", channel="orders")
        async with asyncio.timeout(PATIENCE_S * 3):
            while not is_anyone_closing(gateway):
                await place_and_cancel(alice, 10)
                await healthy.call("ping")
        go_on_reading(slow)
        assert await slow.close_code() == 4008
        received = [frame["data"] for frame in slow.of_channel("orders")]
        complete = [frame["data"] for frame in healthy.of_channel("orders")]
        assert len(received) > 10
        assert received == complete[: len(received)], "what it got has no gap"
        assert await healthy.call("ping")


@pytest.mark.rule("WIRE-014")
async def test_a_stalled_reader_is_cut_when_it_takes_no_part_in_closing() -> None:
    async with (
        served(**TIGHT, close_timeout_ms=50) as gateway,
        client(gateway, key="alice-key") as alice,
        stopped_reader(gateway, ("orders",), "alice-key"),
    ):
        async with asyncio.timeout(PATIENCE_S * 3):
            while len(sockets_of(gateway)) > 1:
                await place_and_cancel(alice, 10)


@pytest.mark.rule("WIRE-014", "WIRE-010")
async def test_a_slow_reader_of_the_book_is_kept_and_catches_up() -> None:
    async with (
        served(**TIGHT) as gateway,
        client(gateway, key="alice-key") as alice,
        stopped_reader(gateway, ("book", "ticker")) as slow,
    ):
        for _ in range(10_000):
            if any(one.connection is not None and one.connection._conflated for one in sockets_of(gateway)):
                break
            await place_and_cancel(alice, 10)
        await place_and_cancel(alice, 200)
        await alice.call("order.place", **order(95))
        go_on_reading(slow)
        await slow.call("ping")
        sequence, snapshots = None, 0
        for frame in slow.of_channel("book"):
            if frame["symbol"] == "BTC-PERP":
                assert frame["type"] == "snapshot" or frame["previous_sequence"] == sequence
                sequence = frame["sequence"]
                snapshots += frame["type"] == "snapshot"
        assert sequence == (await alice.call("market.book", symbol="BTC-PERP"))["sequence"]
        assert 2 <= snapshots < 10, "beside the first one, those that stand for what was left out"
        assert slow.of_channel("ticker")[-1]["data"]["best_bid"] == "95"


@pytest.mark.rule("WIRE-015")
async def test_one_request_is_answered_long_before_another_connections_flood_is() -> None:
    flood = 10_000
    async with (
        served(requests_per_turn_max=4, read_chunk_bytes=2_048) as gateway,
        client(gateway) as flooder,
        client(gateway) as alice,
    ):
        ping = flooder.encode({"id": 1, "method": "ping"})
        assert isinstance(ping, bytes)
        flooder.socket.transport.write(Frame(Opcode.BINARY, ping).serialize(mask=True) * flood)
        await flooder.receive()
        assert await alice.call("ping")
        assert len(flooder.socket.recv_messages.frames) < flood // 10, "hers did not wait for ten thousand of another"
        for _ in range(flood - 1):
            assert (await flooder.receive())["id"] == 1


@pytest.mark.rule("WIRE-015")
async def test_a_flood_of_pings_that_reads_no_answers_is_cut() -> None:
    async with served(foreign_write_bytes_max=64 * 1024) as gateway, client(gateway) as healthy:
        reader, writer = await asyncio.open_connection(sock=small_socket(gateway), limit=1_024)
        writer.write(UPGRADE)
        await within_patience(reader.readuntil(b"\r\n\r\n"))
        pings = Frame(Opcode.PING, b"x" * 125).serialize(mask=True) * 500
        async with asyncio.timeout(PATIENCE_S * 3):
            while len(sockets_of(gateway)) > 1:
                try:
                    writer.write(pings)
                    await writer.drain()
                except ConnectionError:
                    break
        writer.close()
        await healthy.call("ping")
        assert len(sockets_of(gateway)) == 1


async def test_a_peer_that_reads_its_pongs_may_ping_as_it_likes() -> None:
    async with served(foreign_write_bytes_max=1) as gateway, client(gateway) as raw:
        for _ in range(200):
            await within_patience(await raw.socket.ping())
        assert await raw.call("ping")
