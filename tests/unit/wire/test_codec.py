from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgpack
import pytest

from exchange.wire import messages as wire
from exchange.wire import parameters, requests
from exchange.wire.codec import JSON, MSGPACK, Codec
from exchange.wire.errors import WireError

Pack = Callable[[Any], bytes]
BOTH = [
    pytest.param(MSGPACK, msgpack.packb, id="msgpack"),
    pytest.param(JSON, lambda value: json.dumps(value).encode(), id="json"),
]

PLACE = {"symbol": "BTC-PERP", "side": "buy", "quantity": "0.5", "limit_price": "60000.5"}


def refusal(codec: Codec, frame: bytes) -> WireError:
    with pytest.raises(WireError) as refused:
        codec.decode(frame)
    return refused.value


def packed_map(*pairs: tuple[str, Any]) -> bytes:
    """Return a msgpack map that may repeat keys; values given as bytes are packed already."""
    parts = [msgpack.packb(key) + (value if isinstance(value, bytes) else msgpack.packb(value)) for key, value in pairs]
    return bytes([0x80 | len(pairs)]) + b"".join(parts)


@pytest.mark.rule("WIRE-001", "WIRE-003")
@pytest.mark.parametrize(("codec", "pack"), BOTH)
def test_both_encodings_carry_the_same_requests(codec: Codec, pack: Pack) -> None:
    request = codec.decode(pack({"id": "a-1", "method": "order.place", "params": PLACE}))
    assert request == requests.OrderPlace(id="a-1", params=parameters.PlaceParams(**PLACE))  # type: ignore[arg-type]
    assert codec.decode(pack({"id": 1, "method": "ping"})) == requests.Ping(id=1)


@pytest.mark.rule("WIRE-001")
def test_both_encodings_carry_the_same_messages() -> None:
    mode = wire.AutoReplenishResult(symbol="X", position_side="long", enabled=True, sequence=9)
    message = wire.Reply(id=7, result=(wire.CancelAllResult(canceled=2), mode))
    plain = {"id": 7, "result": [{"canceled": 2}, {"symbol": "X", "position_side": "long", "enabled": True, "sequence": 9}]}
    assert msgpack.unpackb(MSGPACK.encode(message)) == plain
    assert json.loads(JSON.encode(message)) == plain


SHAPES: list[tuple[str, Any, str, str | None]] = [
    # what is wrong, the request, the error's name, its field
    ("no method", {"id": 5}, "request.missing_field", "method"),
    ("unknown method", {"id": 5, "method": "order.plac"}, "request.unknown_method", "method"),
    ("method is no text", {"id": 5, "method": 3}, "request.invalid_field", "method"),
    ("unknown top key", {"id": 5, "method": "ping", "token": 1}, "request.unknown_field", "token"),
    ("no params", {"id": 5, "method": "order.place"}, "request.missing_field", "params"),
    ("params is a list", {"id": 5, "method": "order.place", "params": [1]}, "request.invalid_field", "params"),
    ("params is null", {"id": 5, "method": "ping", "params": None}, "request.invalid_field", "params"),
    ("missing key", {"id": 5, "method": "market.book", "params": {}}, "request.missing_field", "symbol"),
    ("unknown key", {"id": 5, "method": "order.place", "params": PLACE | {"price": "1"}}, "request.unknown_field", "price"),
    ("key for a method without", {"id": 5, "method": "ping", "params": {"echo": 1}}, "request.unknown_field", "echo"),
    (
        "number for a decimal",
        {"id": 5, "method": "order.place", "params": PLACE | {"quantity": 1}},
        "request.invalid_field",
        "quantity",
    ),
    (
        "float for a decimal",
        {"id": 5, "method": "order.place", "params": PLACE | {"quantity": 0.5}},
        "request.invalid_field",
        "quantity",
    ),
    (
        "word that does not exist",
        {"id": 5, "method": "order.place", "params": PLACE | {"side": "up"}},
        "request.invalid_field",
        "side",
    ),
    (
        "number for a flag",
        {"id": 5, "method": "order.place", "params": PLACE | {"post_only": 1}},
        "request.invalid_field",
        "post_only",
    ),
    (
        "too long a decimal",
        {"id": 5, "method": "order.place", "params": PLACE | {"quantity": "1" * 41}},
        "request.invalid_field",
        "quantity",
    ),
    (
        "newline in an id",
        {"id": 5, "method": "order.place", "params": PLACE | {"client_order_id": "a\n"}},
        "request.invalid_field",
        "client_order_id",
    ),
    (
        "id too long",
        {"id": 5, "method": "order.place", "params": PLACE | {"client_order_id": "a" * 37}},
        "request.invalid_field",
        "client_order_id",
    ),
    (
        "float for an int",
        {"id": 5, "method": "market.book", "params": {"symbol": "X", "depth": 5.0}},
        "request.invalid_field",
        "depth",
    ),
    (
        "below a bound",
        {"id": 5, "method": "market.book", "params": {"symbol": "X", "depth": 0}},
        "request.invalid_field",
        "depth",
    ),
    (
        "above a bound",
        {"id": 5, "method": "market.book", "params": {"symbol": "X", "depth": 201}},
        "request.invalid_field",
        "depth",
    ),
    ("beyond 2^53", {"id": 5, "method": "order.cancel", "params": {"order_id": 2**53}}, "request.invalid_field", "order_id"),
    (
        "side of no position",
        {"id": 5, "method": "order.place", "params": PLACE | {"position_side": "both"}},
        "request.invalid_field",
        "position_side",
    ),
    (
        "number for a margin",
        {"id": 5, "method": "account.set_margin_mode", "params": {"symbol": "X", "margin_mode": "isolated", "margin": 5}},
        "request.invalid_field",
        "margin",
    ),
    (
        "mode that does not exist",
        {"id": 5, "method": "account.set_position_mode", "params": {"position_mode": "both"}},
        "request.invalid_field",
        "position_mode",
    ),
    ("no entries", {"id": 5, "method": "account.ledger", "params": {"limit": 0}}, "request.invalid_field", "limit"),
    (
        "number for an index price",
        {"id": 5, "method": "admin.set_index", "params": {"prices": {"X": 1}}},
        "request.invalid_field",
        "prices",
    ),
    (
        "state that does not exist",
        {"id": 5, "method": "admin.set_trading_state", "params": {"symbol": "X", "trading_state": "paused"}},
        "request.invalid_field",
        "trading_state",
    ),
    ("below zero", {"id": 5, "method": "order.cancel", "params": {"order_id": -1}}, "request.invalid_field", "order_id"),
    ("no marks", {"id": 5, "method": "admin.set_mark", "params": {"marks": {}}}, "request.invalid_field", "marks"),
    (
        "number for a mark",
        {"id": 5, "method": "admin.set_mark", "params": {"marks": {"X": 1}}},
        "request.invalid_field",
        "marks",
    ),
    (
        "empty symbol in marks",
        {"id": 5, "method": "admin.set_mark", "params": {"marks": {"": "1"}}},
        "request.invalid_field",
        "marks",
    ),
]


@pytest.mark.rule("WIRE-005", "WIRE-003")
@pytest.mark.parametrize(("codec", "pack"), BOTH)
@pytest.mark.parametrize(("wrong", "request_map", "name", "field"), SHAPES, ids=[row[0] for row in SHAPES])
def test_a_wrong_request_is_answered_by_name_field_and_id(
    codec: Codec, pack: Pack, wrong: str, request_map: Any, name: str, field: str | None
) -> None:
    error = refusal(codec, pack(request_map))
    assert (error.name, error.field, error.request_id) == (name, field, 5), wrong
    assert field is None or field in error.message


WRONG_IDS = [None, 1.5, True, 2**53, -(2**53), [], {}, "x" * 65]


@pytest.mark.rule("WIRE-005")
@pytest.mark.parametrize(("codec", "pack"), BOTH)
@pytest.mark.parametrize("request_id", WRONG_IDS, ids=str)
def test_an_id_that_cannot_be_echoed_is_refused_without_one(codec: Codec, pack: Pack, request_id: Any) -> None:
    error = refusal(codec, pack({"id": request_id, "method": "ping"}))
    assert (error.field, error.request_id) == ("id", None)


JUNK = {
    "nothing": b"",
    "one byte": b"\xc1",
    "truncated map": b"\x83\xa2id",
    "a number": b"\x05",
    "a list": b"\x93\x01\x02\x03",
    "2^32 pairs announced": b"\xdf\xff\xff\xff\xff",
    "2^32 bytes of text announced": b"\xdb\xff\xff\xff\xff",
    "whole number keys": b"\x81\x01\x02",
    "trailing byte": msgpack.packb({"id": 1, "method": "ping"}) + b"\x00",
    "bad text in the id": b"\x82\xa2id\xa2\xff\xfe\xa6method\xa4ping",
    "surrogate in the id": b"\x82\xa2id\xa3\xed\xa0\x80\xa6method\xa4ping",
    "extension type": b"\x82\xa2id\xd4\x01\x00\xa6method\xa4ping",
    "deeply nested lists": b"\x91" * 30_000 + b"\xc0",
    "deeply nested params": b"\x83\xa2id\x01\xa6method\xa4ping\xa6params" + b"\x81\xa1x" * 15_000 + b"\xc0",
    "deeply nested unknown key": b"\x83\xa1x" + b"\x91" * 30_000 + b"\xc0\xa2id\x01\xa6method\xa4ping",
    "json": b'{"id":1,"method":"ping"}',
}
JSON_JUNK = {
    "nothing": b"",
    "not json": b"hello",
    "a number": b"5",
    "a list": b"[1,2]",
    "null": b"null",
    "truncated": b'{"id":1,"method":"ping"',
    "trailing text": b'{"id":1,"method":"ping"} x',
    "NaN": b'{"id":NaN,"method":"ping"}',
    "Infinity": b'{"id":Infinity,"method":"ping"}',
    "1e400": b'{"id":1e400,"method":"ping"}',
    "a thousand digits": b'{"id":' + b"9" * 1000 + b',"method":"ping"}',
    "bad text": b'{"id":"\xff","method":"ping"}',
    "lone surrogate": b'{"id":"\\ud800","method":"ping"}',
    "deeply nested lists": b"[" * 60_000,
    "deeply nested params": b'{"id":{},"method":"ping","params":' + b'{"x":' * 10_000,
    "utf-16": '{"id":1,"method":"ping"}'.encode("utf-16"),
    "msgpack": msgpack.packb({"id": 1, "method": "ping"}),
}


@pytest.mark.rule("WIRE-005")
@pytest.mark.parametrize("frame", JUNK.values(), ids=JUNK)
def test_msgpack_junk_is_refused_with_a_sentence(frame: bytes) -> None:
    error = refusal(MSGPACK, frame)
    assert error.name.startswith("request.")
    assert error.message


@pytest.mark.rule("WIRE-005")
@pytest.mark.parametrize("frame", JSON_JUNK.values(), ids=JSON_JUNK)
def test_json_junk_is_refused_with_a_sentence(frame: bytes) -> None:
    error = refusal(JSON, frame)
    assert error.name.startswith("request.")
    assert error.message


REPEATED = {
    "the id": (packed_map(("id", 1), ("method", "ping"), ("id", 2)), b'{"id":1,"method":"ping","id":2}', "id"),
    "a parameter": (
        packed_map(("id", 1), ("method", "market.ticker"), ("params", packed_map(("symbol", "X"), ("symbol", "Y")))),
        b'{"id":1,"method":"market.ticker","params":{"symbol":"X","symbol":"Y"}}',
        "symbol",
    ),
    "a mark": (
        packed_map(
            ("id", 1), ("method", "admin.set_mark"), ("params", packed_map(("marks", packed_map(("X", "1"), ("X", "2")))))
        ),
        b'{"id":1,"method":"admin.set_mark","params":{"marks":{"X":"1","X":"2"}}}',
        "X",
    ),
}


@pytest.mark.rule("WIRE-005")
@pytest.mark.parametrize(("packed", "text", "key"), REPEATED.values(), ids=REPEATED)
def test_a_key_that_appears_twice_is_refused_by_name(packed: bytes, text: bytes, key: str) -> None:
    for error in (refusal(MSGPACK, packed), refusal(JSON, text)):
        assert (error.name, error.field) == ("request.duplicate_field", key)
        assert error.request_id is not None


def test_roundabout_msgpack_encodings_are_as_good_as_short_ones() -> None:
    frame = (
        b"\xdf\x00\x00\x00\x03"  # a map of three pairs, with a length of four bytes
        + b"\xd9\x02id\xd3\x00\x00\x00\x00\x00\x00\x00\x01"
        + b"\xda\x00\x06method\xdb\x00\x00\x00\x0dmarket.ticker"
        + b"\xa6params\xde\x00\x01\xa6symbol\xd9\x01X"
    )
    assert MSGPACK.decode(frame) == requests.MarketTicker(id=1, params=parameters.SymbolParams(symbol="X"))


def test_peers_own_words_are_repeated_only_when_they_are_harmless() -> None:
    for frame in (
        {"id": 1, "method": "evil\nmethod"},
        {"id": 1, "method": "ping", "params": {"\x1b[2J": 1}},
        {"id": 1, "method": "ping", "x" * 200: 1},
    ):
        error = refusal(MSGPACK, msgpack.packb(frame))
        assert error.message.isprintable()
        assert "x" * 37 not in error.message


@pytest.mark.rule("WIRE-005")
@pytest.mark.parametrize(("codec", "pack"), BOTH)
def test_mutated_requests_never_raise_anything_but_a_refusal(codec: Codec, pack: Pack) -> None:
    dice = random.Random(1)
    seeds = [pack({"id": 5, "method": "order.place", "params": PLACE}), pack({"id": "abc", "method": "market.trades"})]
    seeds += [pack(row[1]) for row in SHAPES]
    for _ in range(5_000):
        frame = bytearray(dice.choice(seeds))
        for _ in range(dice.randint(1, 4)):
            frame[dice.randrange(len(frame))] = dice.randrange(256)
        if dice.random() < 0.2:
            del frame[dice.randrange(len(frame)) :]
        with suppress(WireError):
            codec.decode(bytes(frame))
