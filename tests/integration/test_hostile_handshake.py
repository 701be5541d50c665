"""Who is not let in."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from exchange.server.gateway import Gateway
from tests.wire_kit import client, served, within_patience


async def status_of(gateway: Gateway, path: str = "/", **settings: object) -> int:
    with pytest.raises(InvalidStatus) as refused:
        await connect(gateway.url + path, **settings)  # type: ignore[arg-type]
    return refused.value.response.status_code


async def raw_answer(gateway: Gateway, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*gateway.address)
    writer.write(request)
    answer: bytes = await within_patience(reader.read())
    writer.close()
    return answer


@pytest.mark.rule("WIRE-016")
async def test_pages_of_other_sites_are_refused_and_own_ones_let_in() -> None:
    async with served() as gateway:
        for origin in ("https://evil.example", "null", "http://localhost.evil.example"):
            assert await status_of(gateway, origin=origin) == 403
        async with client(gateway, origin="http://localhost:3000") as page:
            assert await page.call("ping")


@pytest.mark.rule("WIRE-016")
async def test_names_that_were_made_to_point_here_are_refused() -> None:
    upgrade = (
        b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    )
    async with served() as gateway:
        for host in (b"Host: evil.example\r\n", b"", b"Host: localhost\r\nHost: evil.example\r\n"):
            answer = await raw_answer(gateway, b"GET / HTTP/1.1\r\n" + host + upgrade + b"\r\n")
            assert answer.startswith(b"HTTP/1.1 403"), host


@pytest.mark.rule("WIRE-016")
async def test_other_paths_formats_and_subprotocols_are_refused() -> None:
    async with served() as gateway:
        assert await status_of(gateway, "/admin") == 404
        assert await status_of(gateway, "/../../etc/passwd") == 404
        assert await status_of(gateway, "/?format=xml") == 400
        assert await status_of(gateway, subprotocols=["graphql-ws"]) == 400


@pytest.mark.rule("WIRE-016")
async def test_one_connection_too_many_is_told_to_come_back() -> None:
    async with served(connections_max=2) as gateway:
        async with client(gateway), client(gateway) as second:
            assert await status_of(gateway) == 503
            assert await second.call("ping")
        async with client(gateway) as later:
            assert await later.call("ping")


async def test_handshakes_that_pile_up_are_cut() -> None:
    async with served(handshakes_max=3) as gateway:
        half_open = [await asyncio.open_connection(*gateway.address) for _ in range(3)]
        answer = await raw_answer(gateway, b"")
        assert answer == b""
        for _, writer in half_open:
            writer.close()


async def test_what_is_no_websocket_gets_an_http_answer_without_a_version() -> None:
    async with served() as gateway:
        answer = await raw_answer(gateway, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 426")
        assert b"websockets/" not in answer
        assert (await raw_answer(gateway, b"\x16\x03\x01\x02\x00hello" + b"\r\n" * 200))[:9] != b"HTTP/1.1 1"
