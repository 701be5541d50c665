"""Every method over a real socket, in both encodings, with a client that shares no code with the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from exchange.server.gateway import Gateway
from tests.wire_kit import RawClient, beside_sequence, client, make_parts, served

ENCODINGS = ["msgpack", "json"]
BID = {"symbol": "BTC-PERP", "side": "buy", "quantity": "1", "limit_price": "100"}
ASK = BID | {"side": "sell"}


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with served() as running:
        yield running


@pytest.fixture(params=ENCODINGS)
async def alice(gateway: Gateway, request: pytest.FixtureRequest) -> AsyncIterator[RawClient]:
    async with client(gateway, request.param, key="alice-key") as raw:
        yield raw


@pytest.fixture(params=ENCODINGS)
async def stranger(gateway: Gateway, request: pytest.FixtureRequest) -> AsyncIterator[RawClient]:
    async with client(gateway, request.param) as raw:
        yield raw


@pytest.fixture
async def bob(gateway: Gateway) -> AsyncIterator[RawClient]:
    async with client(gateway, key="bob-key") as raw:
        yield raw


@pytest.mark.rule("WIRE-002")
async def test_hello_is_first_and_its_nonce_is_fresh(stranger: RawClient, bob: RawClient) -> None:
    hello = stranger.hello
    assert (hello["type"], hello["version"], hello["clock"]) == ("hello", 1, "virtual")
    assert hello["limits"]["frame_bytes_max"] == 65_536
    assert len(hello["nonce"]) == 32
    assert hello["nonce"] != bob.hello["nonce"]
    assert hello["session_id"] != bob.hello["session_id"]


@pytest.mark.rule("WIRE-003")
async def test_ids_are_echoed_whether_numbers_or_text(stranger: RawClient) -> None:
    for request_id in (0, -5, 2**53 - 1, "", "an id", "ü" * 64):
        await stranger.send({"id": request_id, "method": "ping"})
        assert await stranger.reply_to(request_id) == {"time_us": 1_760_130_000_000_000, "sequence": 8}


@pytest.mark.rule("WIRE-004")
async def test_login_answers_with_account_and_scopes(gateway: Gateway, stranger: RawClient) -> None:
    assert await stranger.login("alice-key") == {"account": "alice", "scopes": ["read", "trade"]}
    assert (await stranger.call("account.get"))["account"] == "alice"
    async with client(gateway) as operator:
        assert await operator.login("root") == {"account": None, "scopes": ["admin"]}


@pytest.mark.rule("WIRE-004")
async def test_three_bad_logins_close_the_connection(gateway: Gateway, bob: RawClient) -> None:
    async with client(gateway) as thief:
        for _ in range(3):
            assert (await thief.refusal("session.login", key="alice-key", time_ms=1, signature="ab"))["code"] == 2000
        assert await thief.close_code() == 4001
    async with client(gateway) as replayer:
        with pytest.raises(Exception, match="login_failed"):
            await replayer.login("alice-key", nonce=bob.hello["nonce"])


@pytest.mark.rule("WIRE-006")
async def test_the_market_is_open_to_everybody_and_accounts_to_nobody(stranger: RawClient) -> None:
    assert [one["symbol"] for one in await stranger.call("market.instruments")] == ["BTC-PERP", "ETH-PERP"]
    assert (await stranger.call("market.book", symbol="BTC-PERP"))["bids"] == []
    assert await stranger.call("market.trades", symbol="BTC-PERP") == []
    assert (await stranger.call("market.ticker", symbol="BTC-PERP"))["mark_price"] == "100"
    for method in ("account.get", "account.positions", "order.list", "order.cancel_all", "admin.state"):
        assert (await stranger.refusal(method))["name"] == "session.login_required"
    assert (await stranger.refusal("subscribe", channel="orders"))["name"] == "session.login_required"


@pytest.mark.rule("WIRE-012", "MARG-009")
async def test_an_accepted_order_is_answered_with_its_state_and_margin_decision(alice: RawClient) -> None:
    placed = await alice.call("order.place", **BID, client_order_id="first")
    order, margin = placed["order"], placed["margin"]
    assert (order["order_status"], order["open_quantity"], order["client_order_id"]) == ("open", "1", "first")
    assert margin == {
        "path": "cross",
        "required": "10.050002",
        "available_before": "100000",
        "available_after": "99989.949998",
        "liquidation_price": None,
    }
    again = await alice.call("order.place", **BID, client_order_id="first")
    assert beside_sequence(again) == beside_sequence(placed) | {"repeated": True}
    assert len(await alice.call("order.list")) == 1


@pytest.mark.rule("WIRE-012")
async def test_what_the_command_did_at_once_is_in_the_answer(alice: RawClient, bob: RawClient) -> None:
    await bob.call("order.place", **ASK)
    await bob.call("order.place", **(ASK | {"limit_price": "100.5"}))
    taken = (await alice.call("order.place", **(BID | {"quantity": "5", "limit_price": "100.5", "time_in_force": "ioc"})))[
        "order"
    ]
    assert (taken["order_status"], taken["filled_quantity"], taken["open_quantity"]) == ("canceled", "2", "0")
    assert (taken["average_fill_price"], taken["reason"]) == ("100.25", "order.ioc_remainder")


@pytest.mark.rule("WIRE-013", "WIRE-003")
async def test_a_rejected_order_is_an_error_with_its_margin_decision(alice: RawClient) -> None:
    await alice.call("account.set_leverage", symbol="BTC-PERP", leverage=1)
    error = await alice.refusal("order.place", **(BID | {"quantity": "1000", "limit_price": "110"}))
    assert (error["code"], error["name"], error["field"]) == (5000, "margin.initial_insufficient", "quantity")
    assert error["message"] == (
        "the order needs 120055.000002 of margin and 100000 is available; lower quantity, raise leverage, or add funds"
    )
    assert beside_sequence(error["details"]) == {
        "path": "cross",
        "required": "120055.000002",
        "available_before": "100000",
        "available_after": "-20055.000002",
        "liquidation_price": "11",
    }


@pytest.mark.rule("WIRE-013", "MARG-009")
@pytest.mark.parametrize(
    "changes",
    [
        {"limit_price": "100.2"},
        {"quantity": "0.0001"},
        {"limit_price": None},
        {"order_type": "market"},
        {"quantity": "5000"},
        {"limit_price": "500"},
        {"reduce_only": True},
        {"post_only": True, "time_in_force": "ioc"},
        {"time_in_force": "fok"},
    ],
)
async def test_every_reject_shows_what_margin_was_there(alice: RawClient, changes: dict[str, Any]) -> None:
    error = await alice.refusal("order.place", **(BID | changes))
    details = error["details"]
    assert details["path"] == "cross"
    assert details["available_before"] == "100000"
    spent = Decimal(details["available_before"]) - Decimal(details["available_after"])
    assert spent == Decimal(details["required"])
    assert (await alice.call("account.get"))["available_balance"] == "100000"


@pytest.mark.rule("WIRE-003")
@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"limit_price": "100.2"}, "order.tick_size", "0.5"),
        ({"quantity": "0.0001"}, "order.lot_size", "0.001"),
        ({"quantity": "0"}, "order.lot_size", "0.001"),
        ({"quantity": "-1"}, "order.lot_size", "-1"),
        ({"limit_price": "0"}, "order.price_limit", "above 0"),
        ({"limit_price": "-5"}, "order.price_limit", "above 0"),
        ({"limit_price": "151"}, "order.price_band", "150"),
        ({"quantity": "0.01"}, "order.notional_below_minimum", "below the minimum of 10"),
        ({"quantity": "1001"}, "order.quantity_above_maximum", "1000"),
        ({"order_type": "market"}, "order.limit_price_forbidden", "limit_price"),
        ({"limit_price": None}, "order.limit_price_required", "limit_price"),
        ({"post_only": True, "time_in_force": "ioc"}, "order.post_only_combination", "post_only"),
        ({"reduce_only": True}, "order.reduce_only_no_position", "reduce_only"),
        ({"symbol": "DOGE-PERP"}, "order.unknown_symbol", "market.instruments"),
    ],
)
async def test_each_refusal_names_what_to_do(gateway: Gateway, changes: dict[str, object], name: str, words: str) -> None:
    async with client(gateway, "json", key="alice-key") as alice:
        error = await alice.refusal("order.place", **(BID | changes))
        assert error["name"] == name
        assert words in error["message"]


async def test_a_post_only_order_is_told_which_price_it_would_meet(alice: RawClient, bob: RawClient) -> None:
    await bob.call("order.place", **ASK)
    error = await alice.refusal("order.place", **(BID | {"limit_price": "102", "post_only": True}))
    assert error["message"].startswith("limit_price 102 would trade at once against 100;")


async def test_orders_are_canceled_and_found_by_either_id(alice: RawClient) -> None:
    first = (await alice.call("order.place", **BID, client_order_id="one"))["order"]["order_id"]
    second = (await alice.call("order.place", **BID, client_order_id="two"))["order"]["order_id"]
    assert [order["order_id"] for order in await alice.call("order.list", symbol="BTC-PERP")] == [first, second]
    canceled = await alice.call("order.cancel", order_id=first)
    assert (canceled["order_status"], canceled["reason"]) == ("canceled", "order.canceled_by_owner")
    assert (await alice.call("order.cancel", client_order_id="two"))["order_id"] == second
    assert await alice.call("order.get", client_order_id="one") == canceled
    assert [order["order_id"] for order in await alice.call("order.list", status="ended", limit=1)] == [second]
    assert (await alice.refusal("order.cancel", order_id=first))["name"] == "order.not_found"
    assert (await alice.refusal("order.cancel"))["name"] == "request.invalid_field"


@pytest.mark.rule("BOOK-009")
async def test_others_orders_are_not_found_like_those_that_never_were(alice: RawClient, bob: RawClient) -> None:
    order_id = (await bob.call("order.place", **ASK))["order"]["order_id"]
    foreign = [await alice.refusal(method, order_id=order_id) for method in ("order.cancel", "order.get")]
    unknown = [await alice.refusal(method, order_id=10**9) for method in ("order.cancel", "order.get")]
    assert foreign == unknown


async def test_cancel_all_counts_what_it_canceled(alice: RawClient) -> None:
    for symbol, price in (("BTC-PERP", "100"), ("BTC-PERP", "99"), ("ETH-PERP", "49")):
        await alice.call("order.place", **(BID | {"symbol": symbol, "limit_price": price}))
    assert await alice.call("order.cancel_all", symbol="BTC-PERP") == {"canceled": 2}
    assert await alice.call("order.cancel_all") == {"canceled": 1}
    assert await alice.call("order.cancel_all") == {"canceled": 0}


async def test_settings_margin_and_positions_of_an_account(alice: RawClient, bob: RawClient) -> None:
    chosen = await alice.call("account.set_margin_mode", symbol="BTC-PERP", margin_mode="isolated")
    assert beside_sequence(chosen) == {
        "symbol": "BTC-PERP",
        "position_side": "net",
        "margin_mode": "isolated",
        "margin_moved": "0",
    }
    chosen = await alice.call("account.set_leverage", symbol="BTC-PERP", leverage=5)
    assert beside_sequence(chosen) == {
        "symbol": "BTC-PERP",
        "position_side": "net",
        "leverage": 5,
        "margin_moved": "0",
    }
    await bob.call("order.place", **ASK)
    await alice.call("order.place", **BID)
    moved = await alice.call("account.add_margin", symbol="BTC-PERP", amount="2.5")
    assert (moved["amount"], moved["isolated_wallet"]) == ("2.5", "22.5")
    moved = await alice.call("account.remove_margin", symbol="BTC-PERP", amount="1")
    assert (moved["amount"], moved["isolated_wallet"]) == ("-1", "21.5")
    (position,) = await alice.call("account.positions")
    assert (position["quantity"], position["margin_mode"], position["isolated_wallet"]) == ("1", "isolated", "21.5")
    assert (position["entry_price"], position["leverage"]) == ("100", 5)
    assert (await alice.call("account.positions", symbol="ETH-PERP"))[0]["quantity"] == "0"
    assert (await alice.call("account.get"))["wallet_balance"] == moved["wallet_balance"]
    too_much = await alice.refusal("account.remove_margin", symbol="BTC-PERP", amount="9.123")
    assert too_much["message"] == "amount 9.123 is above the 1.5 that the position can spare; remove at most that"
    assert (await alice.refusal("account.set_leverage", symbol="ETH-PERP", leverage=11))[
        "name"
    ] == "margin.leverage_out_of_range"


async def test_the_market_shows_book_trades_and_ticker(alice: RawClient, bob: RawClient) -> None:
    for price in ("99", "98", "100"):
        await bob.call("order.place", **(BID | {"limit_price": price}))
    await alice.call("order.place", **(ASK | {"quantity": "1.5", "limit_price": "99"}))
    book = await alice.call("market.book", symbol="BTC-PERP", depth=1)
    assert (book["bids"], book["asks"]) == ([["99", "0.5"]], [])
    trades = await alice.call("market.trades", symbol="BTC-PERP", limit=10)
    assert [(trade["price"], trade["quantity"], trade["taker_side"]) for trade in trades] == [
        ("100", "1", "sell"),
        ("99", "0.5", "sell"),
    ]
    assert await alice.call("market.trades", symbol="BTC-PERP", limit=1) == trades[-1:]
    ticker = await alice.call("market.ticker", symbol="BTC-PERP")
    assert (ticker["best_bid"], ticker["best_bid_quantity"], ticker["best_ask"]) == ("99", "0.5", None)
    assert (ticker["last_price"], ticker["volume"], ticker["trades"], ticker["open_interest"]) == ("99", "1.5", 2, "1.5")
    assert (await alice.refusal("market.book", symbol="DOGE"))["name"] == "order.unknown_symbol"


@pytest.mark.rule("WIRE-001")
async def test_without_a_subprotocol_it_is_msgpack_or_json_by_query() -> None:
    async with served(make_parts()) as gateway:
        async with client(gateway, "msgpack", subprotocols=None) as raw:
            assert await raw.call("ping")
        async with client(gateway, "json", subprotocols=None, path="/?format=json") as raw:
            assert await raw.call("ping")
        async with client(gateway, "json", subprotocols=["graphql-ws", "exchange.v1.json"]) as raw:
            assert raw.socket.subprotocol == "exchange.v1.json"
