"""Frames that mean harm: each is answered or closes its own connection, and changes nothing."""

from __future__ import annotations

import json
import random
from typing import Any

import msgpack
import pytest
from websockets.exceptions import ConnectionClosed

from tests.wire_kit import client, make_parts, served

BID = {"symbol": "BTC-PERP", "side": "buy", "quantity": "1", "limit_price": "100"}


def bomb(levels: int) -> bytes:
    return b"\x83\xa2id\x01\xa6method\xa4ping\xa6params" + b"\x91" * levels + b"\xc0"


HOSTILE: dict[str, tuple[bytes, str, Any]] = {
    # the frame, the error's name, the id that comes back
    "nothing": (b"", "request.malformed", None),
    "2^32 pairs": (b"\xdf\xff\xff\xff\xff", "request.malformed", None),
    "deep nesting": (bomb(3_000), "request.invalid_field", None),
    "trailing bytes": (msgpack.packb({"id": 4, "method": "ping"}) + b"\x00", "request.malformed", None),
    "a float id": (msgpack.packb({"id": 1.5, "method": "ping"}), "request.invalid_field", None),
    "not a number": (msgpack.packb({"id": float("nan"), "method": "ping"}), "request.invalid_field", None),
    "an id beyond 2^53": (msgpack.packb({"id": 2**63, "method": "ping"}), "request.invalid_field", None),
    "a float price": (
        msgpack.packb({"id": 4, "method": "order.place", "params": BID | {"limit_price": 100.0}}),
        "request.invalid_field",
        4,
    ),
    "an infinite price": (
        msgpack.packb({"id": 4, "method": "order.place", "params": BID | {"limit_price": "Infinity"}}),
        "request.invalid_field",
        4,
    ),
    "a price with an exponent": (
        msgpack.packb({"id": 4, "method": "order.place", "params": BID | {"limit_price": "1e1000000"}}),
        "request.invalid_field",
        4,
    ),
    "bad utf-8": (b"\x82\xa2id\x04\xa6method\xa4pi\xffg", "request.malformed", 4),
    "an account of somebody else": (
        msgpack.packb({"id": 4, "method": "order.place", "params": BID | {"account": "bob"}}),
        "request.unknown_field",
        4,
    ),
    "a prototype": (msgpack.packb({"id": 4, "method": "__class__"}), "request.unknown_method", 4),
}


@pytest.mark.rule("WIRE-005")
@pytest.mark.parametrize(("frame", "name", "request_id"), HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_frame_gets_an_error_and_the_connection_goes_on(frame: bytes, name: str, request_id: Any) -> None:
    parts = make_parts()
    async with served(parts) as gateway, client(gateway, key="alice-key") as raw:
        before = parts.venue.digest()
        await raw.socket.send(frame)
        answer = await raw.receive()
        assert (answer["id"], answer["error"]["name"]) == (request_id, name)
        assert await raw.call("ping")
        assert parts.venue.digest() == before


@pytest.mark.rule("WIRE-001")
@pytest.mark.parametrize("encoding", ["msgpack", "json"])
async def test_frames_of_the_other_kind_get_an_error(encoding: str) -> None:
    async with served() as gateway, client(gateway, encoding) as raw:
        frame: bytes | str = json.dumps({"id": 1, "method": "ping"})
        await raw.socket.send(frame if raw.is_binary else frame.encode())
        assert (await raw.receive())["error"]["name"] == "request.wrong_frame_type"
        assert await raw.call("ping")


@pytest.mark.rule("WIRE-005")
async def test_junk_without_end_is_closed() -> None:
    async with served(malformed_frames_max=10) as gateway, client(gateway) as raw:
        for _ in range(10):
            await raw.socket.send(b"\xc1")
        assert await raw.close_code() == 4000
        assert len(raw.frames) == 11, "hello and ten errors"


@pytest.mark.rule("WIRE-016")
async def test_a_stranger_sends_at_most_4_kib_and_an_account_64() -> None:
    async with served() as gateway:
        async with client(gateway) as stranger, client(gateway, key="alice-key") as alice:
            for raw, size in ((stranger, 5_000), (alice, 70_000)):
                await raw.socket.send(b"\xc1" * size)
                assert await raw.close_code() == 1009
        async with client(gateway, key="alice-key") as alice:
            await alice.socket.send(b"\xc1" * 60_000)
            assert (await alice.receive())["error"]["name"] == "request.malformed"


@pytest.mark.rule("WIRE-005")
@pytest.mark.parametrize("encoding", ["msgpack", "json"])
async def test_mutated_requests_never_change_the_venue_nor_end_the_server(
    encoding: str, caplog: pytest.LogCaptureFixture
) -> None:
    dice = random.Random(11)
    parts = make_parts()
    before = parts.venue.digest()
    async with served(parts, malformed_frames_max=1_000_000) as gateway, client(gateway, encoding) as raw:
        seeds = [
            raw.encode({"id": 1, "method": "order.place", "params": BID}),
            raw.encode({"id": "x", "method": "subscribe", "params": {"channel": "book"}}),
            raw.encode({"id": 2, "method": "session.login", "params": {"key": "k", "time_ms": 1, "signature": "00"}}),
            raw.encode({"id": 3, "method": "market.trades", "params": {"symbol": "BTC-PERP", "limit": 5}}),
        ]
        sent = 0
        for _ in range(1_000):
            seed = dice.choice(seeds)
            frame = bytearray(seed.encode() if isinstance(seed, str) else seed)
            for _ in range(dice.randint(1, 3)):
                frame[dice.randrange(len(frame))] = dice.randrange(256)
            try:
                await raw.socket.send(bytes(frame), text=not raw.is_binary)
                await raw.receive()
                sent += 1
            except ConnectionClosed:
                break
        async with client(gateway, encoding, key="alice-key") as alice:
            assert await alice.call("ping")
        assert sent > 0
    assert parts.venue.digest() == before
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_text_frame_that_is_no_utf8_is_an_error_and_no_crash() -> None:
    async with served() as gateway, client(gateway, "json") as raw:
        await raw.socket.send(b'{"id":1,"method":"p\xff"}', text=True)
        assert (await raw.receive())["error"]["name"] == "request.malformed"
        assert await raw.call("ping")
