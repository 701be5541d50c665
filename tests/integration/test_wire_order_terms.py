"""Amends, batches and cancel-all by filters over a real socket, in both encodings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from exchange.server.gateway import Gateway
from tests.wire_kit import RawClient, client, served

BID = {"symbol": "BTC-PERP", "side": "buy", "quantity": "1", "limit_price": "100"}
ASK = BID | {"side": "sell"}


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with served() as running:
        yield running


@pytest.fixture(params=["msgpack", "json"])
async def alice(gateway: Gateway, request: pytest.FixtureRequest) -> AsyncIterator[RawClient]:
    async with client(gateway, request.param, key="alice-key") as raw:
        yield raw


@pytest.fixture
async def bob(gateway: Gateway) -> AsyncIterator[RawClient]:
    async with client(gateway, key="bob-key") as raw:
        yield raw


async def order_id_of(who: RawClient, **terms: Any) -> int:
    number: int = (await who.call("order.place", **terms))["order"]["order_id"]
    return number


@pytest.mark.rule("BOOK-019")
async def test_an_amend_answers_with_the_order_and_its_margin_decision(alice: RawClient, bob: RawClient) -> None:
    number = await order_id_of(alice, **BID, client_order_id="mine")
    cut = await alice.call("order.amend", order_id=number, quantity="0.4")
    assert (cut["order"]["quantity"], cut["order"]["open_quantity"], cut["keeps_place"]) == ("0.4", "0.4", True)
    assert cut["margin"] == {
        "path": "cross",
        "required": "4.020002",
        "available_before": "100000",
        "available_after": "99995.979998",
        "liquidation_price": None,
    }
    await bob.call("order.place", **(ASK | {"limit_price": "101", "quantity": "2"}))
    moved = await alice.call("order.amend", client_order_id="mine", quantity="3", limit_price="101")
    assert (moved["keeps_place"], moved["order"]["filled_quantity"], moved["order"]["open_quantity"]) == (False, "2", "1")
    assert (moved["order"]["order_id"], moved["order"]["limit_price"]) == (number, "101")
    assert (await alice.call("market.book", symbol="BTC-PERP"))["bids"] == [["101", "1"]]
    gone = await alice.call("order.amend", order_id=number, quantity="2")
    assert (gone["order"]["reason"], gone["order"]["order_status"]) == ("order.amended_to_filled", "canceled")
    assert (gone["margin"], gone["keeps_place"]) == (None, False)
    assert (await alice.call("order.get", order_id=number))["reason"] == "order.amended_to_filled"


@pytest.mark.rule("BOOK-019", "WIRE-013")
async def test_a_refused_amend_is_an_error_with_its_margin_decision_and_changes_nothing(alice: RawClient) -> None:
    number = await order_id_of(alice, **BID)
    before = await alice.call("order.get", order_id=number)
    error = await alice.refusal("order.amend", order_id=number, limit_price="1")
    assert (error["name"], error["field"], error["details"]["path"]) == ("order.price_band", "limit_price", "cross")
    explained = await alice.call("account.explain", sequence=error["details"]["sequence"])
    assert f"order {number}, amended to buy" in explained["explanations"][0]["headline"]
    error = await alice.refusal("order.amend", order_id=number, limit_price="100.0001")
    assert (error["name"], error["field"]) == ("order.tick_size", "limit_price")
    error = await alice.refusal("order.amend", order_id=number)
    assert (error["name"], error["field"]) == ("request.invalid_field", "limit_price")
    error = await alice.refusal("order.amend", quantity="1")
    assert (error["name"], error["field"]) == ("request.invalid_field", "order_id")
    assert await alice.call("order.get", order_id=number) == before


@pytest.mark.rule("BOOK-009", "BOOK-019")
async def test_anothers_order_cannot_be_amended_and_reads_like_none(alice: RawClient, bob: RawClient) -> None:
    number = await order_id_of(bob, **ASK)
    foreign = await alice.refusal("order.amend", order_id=number, quantity="2")
    assert foreign == await alice.refusal("order.amend", order_id=10**9, quantity="2")
    assert foreign["name"] == "order.not_found"


@pytest.mark.rule("BOOK-019", "WIRE-008")
async def test_the_orders_channel_and_the_book_tell_of_an_amend_before_its_answer(alice: RawClient) -> None:
    number = await order_id_of(alice, **BID)
    await alice.call("subscribe", channel="orders")
    await alice.call("subscribe", channel="book", symbol="BTC-PERP")
    alice.frames.clear()
    await alice.call("order.amend", order_id=number, limit_price="99", quantity="2")
    told = [event["data"] for event in alice.frames if event.get("channel") == "orders"]
    assert [(each["order_id"], each["limit_price"], each["open_quantity"]) for each in told] == [(number, "99", "2")]
    deltas = [event for event in alice.frames if event.get("channel") == "book"]
    assert deltas[-1]["bids"] == [["100", "0"], ["99", "2"]]


@pytest.mark.rule("MARG-029", "BOOK-019")
async def test_an_amend_can_be_previewed(alice: RawClient) -> None:
    number = await order_id_of(alice, **BID)
    told = await alice.call("account.preview", amend={"order_id": number, "quantity": "3", "limit_price": "99"})
    assert (told["accepted"], told["order"]["order"]["open_quantity"]) == (True, "3")
    done = await alice.call("order.amend", order_id=number, quantity="3", limit_price="99")
    assert (told["order"]["margin"], told["order"]["order"]) == (done["margin"], done["order"])
    refused = await alice.call("account.preview", amend={"order_id": number, "limit_price": "1"})
    assert (refused["accepted"], refused["error"]["name"]) == (False, "order.price_band")
    unknown = await alice.call("account.preview", amend={"order_id": 10**9, "quantity": "1"})
    assert unknown["error"]["name"] == "order.not_found"
    error = await alice.refusal("account.preview", amend={"order_id": number})
    assert error["field"] == "amend.limit_price"


@pytest.mark.rule("WIRE-030")
async def test_each_order_of_a_batch_has_its_own_outcome_and_a_bad_one_stops_no_other(alice: RawClient) -> None:
    items = [
        BID,
        BID | {"limit_price": "100.0001"},
        BID | {"symbol": "XXX-PERP"},
        BID | {"limit_price": "1"},
        ASK | {"limit_price": "102"},
    ]
    placed = await alice.call("order.place_batch", orders=items)
    errors = [None if each["error"] is None else each["error"]["name"] for each in placed]
    assert errors == [None, "order.tick_size", "order.unknown_symbol", "order.price_band", None]
    assert [each["result"] is None for each in placed] == [False, True, True, True, False]
    first, last = (placed[place]["result"]["order"]["order_id"] for place in (0, 4))
    assert placed[4]["result"]["sequence"] == placed[0]["result"]["sequence"] + 2
    single = await alice.refusal("order.place", **(BID | {"limit_price": "1"}))
    assert {**placed[3]["error"], "details": None} == {**single, "details": None}
    terms = [
        {"order_id": first, "quantity": "2"},
        {"order_id": 10**9, "quantity": "2"},
        {"order_id": last, "limit_price": "103"},
    ]
    amended = await alice.call("order.amend_batch", orders=terms)
    assert [each["error"] and each["error"]["name"] for each in amended] == [None, "order.not_found", None]
    assert [order["limit_price"] for order in await alice.call("order.list")] == ["100", "103"]
    canceled = await alice.call("order.cancel_batch", orders=[{"order_id": last}, {"order_id": last}, {"order_id": first}])
    assert [each["error"] and each["error"]["name"] for each in canceled] == [None, "order.not_found", None]
    assert canceled[0]["result"]["reason"] == "order.canceled_by_owner"
    assert await alice.call("order.list") == []


@pytest.mark.rule("WIRE-030", "WIRE-005")
@pytest.mark.parametrize(
    ("orders", "name", "field"),
    [
        ([BID, BID | {"side": "up"}], "request.invalid_field", "orders[1].side"),
        ([BID, BID, {"side": "buy"}], "request.missing_field", "orders[2].symbol"),
        ([BID | {"price": "1"}], "request.unknown_field", "orders[0].price"),
        ([BID, 5], "request.invalid_field", "orders[1]"),
        ([BID, BID | {"quantity": 5}], "request.invalid_field", "orders[1].quantity"),
        ([], "request.invalid_field", "orders"),
        ([BID] * 21, "request.invalid_field", "orders"),
        (7, "request.invalid_field", "orders"),
    ],
)
async def test_a_batch_that_is_no_request_does_nothing_and_names_the_item_and_the_field(
    alice: RawClient, orders: Any, name: str, field: str
) -> None:
    error = await alice.refusal("order.place_batch", orders=orders)
    assert (error["name"], error["field"]) == (name, field), error
    assert await alice.call("order.list") == []


@pytest.mark.rule("WIRE-030")
async def test_the_size_of_a_batch_is_the_servers_limit() -> None:
    async with served(batch_items_max=2) as gateway, client(gateway, key="alice-key") as alice:
        assert len(await alice.call("order.place_batch", orders=[BID, BID])) == 2
        error = await alice.refusal("order.cancel_batch", orders=[{"order_id": 1}] * 3)
        assert error["message"] == "orders: 3 are more than the 2 of one batch; send several batches"


@pytest.mark.rule("BOOK-009")
async def test_cancel_all_takes_symbol_side_and_position(alice: RawClient) -> None:
    await alice.call("account.set_position_mode", position_mode="hedge")
    for symbol, side, position_side, price in (
        ("BTC-PERP", "buy", "long", "99"),
        ("BTC-PERP", "sell", "short", "101"),
        ("ETH-PERP", "sell", "short", "51"),
    ):
        terms = {"symbol": symbol, "side": side, "position_side": position_side, "limit_price": price, "quantity": "1"}
        await alice.call("order.place", **terms)
    assert await alice.call("order.cancel_all", symbol="ETH-PERP", side="buy") == {"canceled": 0}
    assert await alice.call("order.cancel_all", position_side="long", side="sell") == {"canceled": 0}
    assert await alice.call("order.cancel_all", position_side="long") == {"canceled": 1}
    assert await alice.call("order.cancel_all", side="sell", symbol="BTC-PERP") == {"canceled": 1}
    assert [order["symbol"] for order in await alice.call("order.list")] == ["ETH-PERP"]
    assert await alice.call("order.cancel_all") == {"canceled": 1}


@pytest.mark.rule("BOOK-020")
async def test_an_order_can_close_the_position_without_naming_its_size(alice: RawClient, bob: RawClient) -> None:
    await bob.call("order.place", **(ASK | {"quantity": "1.5"}))
    await alice.call("order.place", **(BID | {"quantity": "1.5"}))
    await bob.call("order.place", **(BID | {"quantity": "5", "limit_price": "99"}))
    terms = {"symbol": "BTC-PERP", "side": "sell", "order_type": "market", "close_position": True}
    told = await alice.call("account.preview", order=terms)
    closed = (await alice.call("order.place", **terms))["order"]
    assert told["order"]["order"] == closed
    assert (closed["quantity"], closed["filled_quantity"], closed["reduce_only"]) == ("1.5", "1.5", True)
    assert (await alice.refusal("order.place", **terms))["name"] == "order.reduce_only_no_position"
    error = await alice.refusal("order.place", **terms, quantity="1")
    assert (error["name"], error["field"]) == ("request.invalid_field", "quantity")
    error = await alice.refusal("order.place", **(terms | {"close_position": False}))
    assert (error["name"], error["field"]) == ("request.missing_field", "quantity")
    error = await alice.refusal("account.preview", order=terms | {"close_position": False})
    assert (error["name"], error["field"]) == ("request.missing_field", "order.quantity")
