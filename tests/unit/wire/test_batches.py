"""Batches in both encodings: a key given twice within an item is found, and what is well-formed is read."""

from __future__ import annotations

import msgpack
import pytest

from exchange.wire.codec import JSON, MSGPACK
from exchange.wire.errors import WireError
from exchange.wire.requests import OrderCancelBatch


@pytest.mark.rule("WIRE-005", "WIRE-030")
def test_a_key_that_comes_twice_in_an_item_of_a_list_is_refused() -> None:
    twice = '{"id":1,"method":"order.cancel_batch","params":{"orders":[{"order_id":1},{"order_id":2,"order_id":3}]}}'
    item = b"\x82" + 2 * (msgpack.packb("order_id") + b"\x03")
    head = b"\x83" + msgpack.packb("id") + b"\x01" + msgpack.packb("method") + msgpack.packb("order.cancel_batch")
    packed = head + msgpack.packb("params") + b"\x81" + msgpack.packb("orders") + b"\x91" + item
    for codec, frame in ((JSON, twice.encode()), (MSGPACK, packed)):
        with pytest.raises(WireError) as refused:
            codec.decode(frame)
        assert (refused.value.name, refused.value.field) == ("request.duplicate_field", "order_id"), codec.name


@pytest.mark.rule("WIRE-001", "WIRE-030")
def test_a_list_of_items_is_read_the_same_in_both_encodings() -> None:
    request = {"id": 1, "method": "order.cancel_batch", "params": {"orders": [{"order_id": 1}, {"client_order_id": "a"}]}}
    packed = MSGPACK.decode(msgpack.packb(request))
    assert isinstance(packed, OrderCancelBatch)
    assert packed == JSON.decode(str(request).replace("'", '"').encode())
