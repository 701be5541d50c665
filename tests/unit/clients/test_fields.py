from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.codec import RECEIVED_BYTES_MAX, JsonCodec, MsgpackCodec, codec_for
from clients.errors import ProtocolError
from clients.fields import list_reader, read_as
from clients.margin_messages import LiquidationRecord, MarginCall
from clients.market_data import Book, Instrument, Level
from clients.messages import Account, MarginDecision, Order, Placed, Position
from clients.updates import Liquidation, read_update
from exchange.domain.enums import MarginMode
from tests.unit.clients.scripted_server import (
    account_body,
    book_message,
    channel_message,
    margin_body,
    margin_call_body,
    order_body,
    position_body,
    record_body,
    trade_body,
)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"order_id": "1"}, "order_id: a whole number was expected, not '1'"),
        ({"order_id": True}, "order_id: a whole number was expected, not True"),
        ({"order_id": 2**53}, "order_id: a whole number was expected"),
        ({"side": "byu"}, "side: one of buy, sell was expected, not 'byu'"),
        ({"side": ["buy"]}, "side: one of buy, sell was expected, not list"),
        ({"post_only": 0}, "post_only: true or false was expected, not 0"),
        ({"limit_price": 1}, "limit_price: a decimal string was expected, not 1"),
        ({"limit_price": "1e5"}, "limit_price: '1e5' is no decimal number"),
        ({"limit_price": None}, "limit_price: a decimal string was expected, not NoneType"),
        ({"symbol": b"x"}, "symbol: text was expected, not bytes"),
    ],
)
def test_a_field_that_does_not_fit_is_named(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(ProtocolError) as error:
        read_as(Order, order_body(**change))  # type: ignore[arg-type]
    assert sentence in str(error.value)


def test_a_missing_field_and_a_nested_one_are_named_by_their_path() -> None:
    body = order_body()
    del body["symbol"]
    with pytest.raises(ProtocolError, match="a Placed that does not fit: order: symbol is missing"):
        read_as(Placed, {"order": body, "margin": margin_body()})
    with pytest.raises(ProtocolError, match="a map was expected, not list"):
        read_as(Account, [])
    with pytest.raises(ProtocolError, match="the server sent dict where a list of Order belongs"):
        list_reader(Order)({})
    with pytest.raises(ProtocolError, match="a Order that does not fit: a map was expected"):
        list_reader(Order)([None])


def test_unknown_keys_are_passed_over_and_optional_ones_may_be_absent() -> None:
    decision = read_as(MarginDecision, {**margin_body(), "colour": 5})
    assert decision.path is MarginMode.CROSS
    step = read_as(Liquidation, {"step": "finished", "liquidation_id": 3, "time_us": 1, "book_quantity": {"A": "0.5"}})
    assert step.book_quantity == {"A": Decimal("0.5")}
    assert step.account is None


def test_levels_are_pairs() -> None:
    body = {"symbol": "A", "sequence": 1, "bids": [["1", "2"]], "asks": [], "time_us": 1}
    assert read_as(Book, body).bids == (Level(Decimal(1), Decimal(2)),)
    for wrong in ([["1"]], [["1", "2", "3"]], ["12"], {"1": "2"}):
        with pytest.raises(ProtocolError, match="bids: a list"):
            read_as(Book, {**body, "bids": wrong})


def test_an_event_of_an_unknown_channel_is_no_event() -> None:
    assert read_update(channel_message("omens", {})) is None
    assert read_update({"channel": ["book"]}) is None
    with pytest.raises(ProtocolError, match="channel trades that does not fit: symbol must be text"):
        read_update({"channel": "trades", "symbol": 5, "sequence": 1, "data": trade_body()})


@pytest.mark.parametrize("channel", ["account", "margin", "funding"])
def test_where_a_channel_has_kinds_an_unknown_one_is_no_event_and_none_is_a_fault(channel: str) -> None:
    assert read_update(channel_message(channel, {"type": "news"})) is None
    for data in ({}, {"type": 5}, [], None):
        with pytest.raises(ProtocolError, match=f"channel {channel} that does not fit: its data must be a map with a type"):
            read_update(channel_message(channel, data))


def test_encodings_are_named_and_bounded() -> None:
    with pytest.raises(ValueError, match="'xml' is none of 'msgpack', 'json'"):
        codec_for("xml")  # type: ignore[arg-type]
    with pytest.raises(ProtocolError, match=f"at most {RECEIVED_BYTES_MAX} are taken"):
        MsgpackCodec().decode(bytes(RECEIVED_BYTES_MAX + 1))
    with pytest.raises(ProtocolError, match="binary frame on a JSON connection"):
        JsonCodec().decode(b"{}")


def test_a_msgpack_map_with_keys_that_are_no_text_is_refused() -> None:
    with pytest.raises(ProtocolError, match="no msgpack"):
        MsgpackCodec().decode(msgpack.packb({1: 2}))


junk = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
BODIES: list[tuple[type[Any], dict[str, object]]] = [
    (Order, order_body()),
    (Position, position_body()),
    (Account, account_body()),
    (LiquidationRecord, record_body()),
    (MarginCall, margin_call_body()),
    (Instrument, {}),
]


@given(kind_and_body=st.sampled_from(BODIES), data=st.data())
def test_no_value_makes_a_reader_raise_anything_but_a_protocol_error(
    kind_and_body: tuple[type[Any], dict[str, object]], data: st.DataObject
) -> None:
    kind, body = kind_and_body
    mutated: object = data.draw(junk)
    if body and data.draw(st.booleans()):
        mutated = {**body, data.draw(st.sampled_from(sorted(body))): mutated}
    with contextlib.suppress(ProtocolError):
        read_as(kind, mutated)


@given(frame=st.binary(max_size=64) | st.text(max_size=64))
def test_no_frame_makes_a_codec_raise_anything_but_a_protocol_error(frame: bytes | str) -> None:
    for codec in (MsgpackCodec(), JsonCodec()):
        try:
            message = codec.decode(frame)
            read_update(message) if "channel" in message else None
        except ProtocolError:
            continue


@given(where=st.integers(0, 10_000), value=st.integers(0, 255))
def test_no_mutated_event_makes_the_client_raise_anything_but_a_protocol_error(where: int, value: int) -> None:
    for message in (
        book_message("delta", 1, 2, [["1", "2"]]),
        channel_message("orders", order_body()),
        channel_message("margin", margin_call_body()),
    ):
        frame = bytearray(msgpack.packb(message))
        frame[where % len(frame)] = value
        try:
            decoded = MsgpackCodec().decode(bytes(frame))
            if "channel" in decoded:
                read_update(decoded)
        except ProtocolError:
            continue
