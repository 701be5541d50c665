from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
from websockets.asyncio.server import ServerConnection, serve

from clients import (
    CancelOrder,
    Client,
    ConnectFailed,
    ConnectionState,
    LoginRefused,
    NotConnected,
    OrderRejected,
    PlaceOrder,
    ProtocolError,
    RequestRefused,
    RequestTimeout,
)
from clients.transport import login_signature
from exchange.domain.enums import MarginMode, OrderStatus, PositionSide, Side, TimeInForce, TradingState
from tests.unit.clients.scripted_server import Peer, ScriptedServer, margin_body, order_body

ENCODINGS = ("msgpack", "json")


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_login_signs_the_nonce_and_never_sends_the_secret(server: ScriptedServer, encoding: str) -> None:
    seen = {}

    async def script(peer: Peer) -> None:
        seen.update((await peer.greet_and_log_in())["params"])
        await peer.answer_pings()

    server.play(script)
    async with Client.connect(server.url, key="demo-alice", secret="s3cret", encoding=encoding) as client:
        assert client.account_name == "alice"
        assert client.state is ConnectionState.CONNECTED
        assert (await client.ping()).sequence == 1
    assert client.state is ConnectionState.CLOSED
    expected = login_signature("s3cret", "n0nce", "demo-alice", seen["time_ms"])
    assert seen == {"key": "demo-alice", "time_ms": 1_760_000_000_000, "signature": expected}


def test_login_signature_is_the_documented_hmac() -> None:
    # printf 'ringfence-login-v1\nnonce\nkey\n1' | openssl dgst -sha256 -hmac secret
    expected = "30dbdfc1dce926333c5baa679a87e8a0fd373135b123b121636bc38994bbd290"
    assert login_signature("secret", "nonce", "key", 1) == expected


async def test_a_refused_login_says_why_and_is_not_retried(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.refuse(await peer.expect("session.login"), "session.bad_signature", field="signature")

    server.play(script)
    with pytest.raises(LoginRefused, match=r"session\.bad_signature \(field signature\)"):
        await Client.connect(server.url, key="k", secret="wrong").open()
    assert server.connections == 1


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_an_order_is_written_in_words_and_read_as_decimals(server: ScriptedServer, encoding: str) -> None:
    seen = {}

    async def script(peer: Peer) -> None:
        await peer.greet()
        request = await peer.expect("order.place")
        seen.update(request["params"])
        result = {"order": order_body(7), "margin": margin_body(path="isolated"), "repeated": False}
        await peer.reply(request, result)
        await peer.stay()

    server.play(script)
    async with Client.connect(server.url, encoding=encoding) as client:
        placed = await client.buy("BTC-PERP", Decimal("0.30"), "60000.5", post_only=True, client_order_id="a-1")
    assert seen == {
        "symbol": "BTC-PERP",
        "side": "buy",
        "quantity": "0.3",
        "order_type": "limit",
        "limit_price": "60000.5",
        "post_only": True,
        "client_order_id": "a-1",
    }
    assert placed.order.limit_price == Decimal("60000.5")
    assert placed.order.side is Side.BUY
    assert placed.order.order_status is OrderStatus.OPEN
    assert placed.margin.path is MarginMode.ISOLATED
    assert placed.margin.required == Decimal("900.009")
    assert str(placed.margin) == ("isolated margin: requires 900.009, available 1000 -> 99.991, liquidation price none")


async def test_a_rejected_order_carries_its_margin_decision_as_a_typed_value(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        request = await peer.expect("order.place")
        details = margin_body(available_after="-1.5")
        await peer.refuse(request, "margin.initial_insufficient", field="quantity", details=details)
        await peer.refuse(await peer.expect("order.place"), "request.invalid", field="symbol", retry_ms=5)
        await peer.stay()

    server.play(script)
    async with Client.connect(server.url) as client:
        with pytest.raises(OrderRejected, match="initial_insufficient") as rejected:
            await client.sell("BTC-PERP", 1)
        with pytest.raises(RequestRefused) as refused:
            await client.sell("?", 1)
    assert rejected.value.margin is not None
    assert rejected.value.margin.available_after == Decimal("-1.5")
    assert rejected.value.field == "quantity"
    assert not isinstance(refused.value, OrderRejected)
    assert refused.value.retry_ms == 5


async def test_a_float_is_refused_before_anything_is_sent(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.answer_pings()

    server.play(script)
    async with Client.connect(server.url) as client:
        with pytest.raises(TypeError, match=r"quantity: a float is not exact .*Decimal\('0.1'\)"):
            await client.buy("BTC-PERP", 0.1)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="side: 'byu' is none of buy, sell"):
            await client.place_order("BTC-PERP", "byu", 1)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="either order_id or client_order_id"):
            await client.cancel_order()
        await client.ping()


async def test_answers_are_matched_by_id_in_any_order(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        first, second = await peer.receive(), await peer.receive()
        await peer.reply(second, {"canceled": 2})
        await peer.reply(first, {"canceled": 1})
        await peer.stay()

    server.play(script)
    async with Client.connect(server.url) as client:
        assert await asyncio.gather(client.cancel_all_orders("A"), client.cancel_all_orders("B")) == [1, 2]


async def test_many_requests_are_written_before_any_is_awaited(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        requests = [await peer.receive() for _ in range(3)]  # would hang if the client waited for the first
        assert [request["method"] for request in requests] == ["order.cancel", "order.place", "order.place"]
        await peer.refuse(requests[0], "order.not_found")
        for request in requests[1:]:
            await peer.reply(request, {"order": order_body(request["id"]), "margin": margin_body(), "repeated": False})
        await peer.stay()

    server.play(script)
    orders = [PlaceOrder(symbol="BTC-PERP", side="buy", quantity=1, price=price) for price in (5, 6)]
    async with Client.connect(server.url) as client:
        canceled, *placed = await client.send_many([CancelOrder(order_id=9), *orders])
    assert isinstance(canceled, RequestRefused)
    assert canceled.name == "order.not_found"
    assert [item.order.order_id for item in placed] == [2, 3]  # type: ignore[union-attr]


async def test_requests_beyond_the_bound_wait_for_a_place(server: ScriptedServer) -> None:
    most_waiting = 0

    async def script(peer: Peer) -> None:
        nonlocal most_waiting
        await peer.greet()
        for _ in range(3):
            batch = [await peer.receive(), await peer.receive()]
            most_waiting = max(most_waiting, len(batch))
            for request in batch:
                await peer.reply(request, {"canceled": request["id"]})
        await peer.stay()

    server.play(script)
    async with Client.connect(server.url, in_flight_max=2) as client:
        answers = await asyncio.gather(*(client.cancel_all_orders() for _ in range(6)))
    assert sorted(answers) == [1, 2, 3, 4, 5, 6]
    assert most_waiting == 2


async def test_a_late_answer_times_out_and_is_passed_over_when_it_comes(server: ScriptedServer) -> None:
    may_answer = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.greet()
        late = await peer.expect("order.cancel_all")
        await may_answer.wait()
        await peer.reply(late, {"canceled": 1})
        await peer.answer_pings()

    server.play(script)
    async with Client.connect(server.url, timeout_s=0.3) as client:
        with pytest.raises(RequestTimeout, match=r"no answer within 0.3 s .* outcome of order.cancel_all is unknown"):
            await client.cancel_all_orders()
        may_answer.set()
        await client.ping()


async def test_in_a_pipeline_only_what_is_unanswered_times_out(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.refuse(await peer.receive(), "order.not_found")
        await peer.stay()

    server.play(script)
    async with Client.connect(server.url, timeout_s=0.3) as client:
        first, second = await client.send_many([CancelOrder(order_id=1), CancelOrder(client_order_id="x")])
    assert isinstance(first, RequestRefused)
    assert isinstance(second, RequestTimeout)
    assert second.client_order_id == "x"


async def test_a_result_that_does_not_fit_fails_its_request_and_no_other(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.reply(await peer.expect("account.get"), {"account": "alice", "wallet_balance": 12.5})
        await peer.answer_pings()

    server.play(script)
    async with Client.connect(server.url) as client:
        with pytest.raises(ProtocolError, match="Account that does not fit: wallet_balance: a decimal string"):
            await client.account()
        await client.ping()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("first_frame", "sentence"),
    [
        ({"type": "welcome"}, "first frame is no hello"),
        ({"type": "hello", "version": 2}, "protocol version 2"),
        ({"type": "hello", "version": 1}, "server is missing"),
        ([], "list instead of a map"),
    ],
)
async def test_a_server_that_is_none_is_named_at_once(
    server: ScriptedServer, first_frame: object, sentence: str, encoding: str
) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(first_frame)
        await peer.stay()

    server.play(script)
    with pytest.raises(ProtocolError, match=sentence):
        await Client.connect(server.url, encoding=encoding).open()


async def test_a_silent_server_and_a_closed_port_fail_in_a_sentence(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.stay()

    server.play(script)
    with pytest.raises(ConnectFailed, match=r"did not say hello .* within 0.05 s"):
        await Client.connect(server.url, timeout_s=0.05).open()
    await server.stop()
    with pytest.raises(ConnectFailed, match=f"no connection to {server.url}"):
        await Client.connect(server.url).open()


async def test_a_client_that_is_not_open_sends_nothing() -> None:
    client = Client.connect("ws://127.0.0.1:1")
    with pytest.raises(NotConnected, match="use it with 'async with'"):
        await client.ping()
    await client.close()
    with pytest.raises(NotConnected, match="closed"):
        await client.ping()
    with pytest.raises(ValueError, match="both key and secret"):
        Client.connect(key="k")
    with pytest.raises(ValueError, match="encoding"):
        Client.connect(encoding="xml")  # type: ignore[arg-type]


async def test_a_request_longer_than_the_server_takes_is_not_sent(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet(
            limits={"frame_bytes_max": 200, "requests_per_turn_max": 1, "subscriptions_max": 1, "outbox_bytes_max": 1}
        )
        await peer.answer_pings()

    server.play(script)
    async with Client.connect(server.url) as client:
        with pytest.raises(ValueError, match="accepts at most 200"):
            await client.admin_set_mark({f"S{number}": 1 for number in range(64)})
        await client.ping()


async def test_a_pipeline_longer_than_the_bound_goes_out_as_places_get_free(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        for _ in range(9):
            request = await peer.expect("order.cancel")
            await peer.reply(request, order_body(request["params"]["order_id"], order_status="canceled"))
        await peer.stay()

    server.play(script)
    async with Client.connect(server.url, in_flight_max=2) as client:
        results = await client.send_many([CancelOrder(order_id=number) for number in range(9)])
    assert [result.order_id for result in results] == list(range(9))  # type: ignore[union-attr]


async def test_a_websocket_server_of_another_kind_is_recognized() -> None:
    async def serve_nothing(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with serve(serve_nothing, "127.0.0.1", 0) as other:
        port = next(iter(other.sockets)).getsockname()[1]
        with pytest.raises(ConnectFailed, match=r"does not speak exchange\.v1\.msgpack"):
            await Client.connect(f"ws://127.0.0.1:{port}").open()


def test_every_order_option_is_written_in_the_wires_words() -> None:
    order = PlaceOrder(
        symbol="BTC-PERP",
        side=Side.SELL,
        quantity=2,
        order_type="limit",
        time_in_force=TimeInForce.FOK,
        reduce_only=True,
        self_trade_prevention="cancel_both",
    )
    assert order.call().params == {
        "symbol": "BTC-PERP",
        "side": "sell",
        "quantity": "2",
        "order_type": "limit",
        "time_in_force": "fok",
        "reduce_only": True,
        "self_trade_prevention": "cancel_both",
    }


CALLS: list[tuple[str, Callable[[Client], Awaitable[object]], dict[str, object]]] = [
    ("order.place", lambda c: c.buy("X", 1, 5, position_side="long"), {"side": "buy", "position_side": "long"}),
    ("order.place", lambda c: c.sell("X", 1, 5), {"side": "sell"}),
    ("account.set_margin_mode", lambda c: c.set_margin_mode("X", "cross"), {"symbol": "X", "margin_mode": "cross"}),
    (
        "account.set_margin_mode",
        lambda c: c.set_margin_mode("X", MarginMode.ISOLATED, margin="2.50", position_side=PositionSide.SHORT),
        {"symbol": "X", "margin_mode": "isolated", "margin": "2.5", "position_side": "short"},
    ),
    (
        "account.set_leverage",
        lambda c: c.set_leverage("X", 3, position_side="short"),
        {"symbol": "X", "leverage": 3, "position_side": "short"},
    ),
    ("account.add_margin", lambda c: c.add_margin("X", 1, position_side="net"), {"symbol": "X", "amount": "1"}),
    (
        "account.remove_margin",
        lambda c: c.remove_margin("X", 1, position_side="long"),
        {"symbol": "X", "amount": "1", "position_side": "long"},
    ),
    ("account.set_position_mode", lambda c: c.set_position_mode("hedge"), {"position_mode": "hedge"}),
    ("account.set_auto_replenish", lambda c: c.set_auto_replenish("X", False), {"symbol": "X", "enabled": False}),
    ("account.withdraw", lambda c: c.withdraw(Decimal("1.50")), {"amount": "1.5"}),
    ("account.withdraw", lambda c: c.withdraw(2, "BTC"), {"amount": "2", "asset": "BTC"}),
    ("account.ledger", lambda c: c.ledger(), {"limit": 100}),
    ("account.ledger", lambda c: c.ledger(limit=5, before=9), {"limit": 5, "before": 9}),
    ("account.liquidations", lambda c: c.liquidations(limit=5), {"limit": 5}),
    ("market.funding", lambda c: c.funding("X"), {"symbol": "X"}),
    ("admin.set_index", lambda c: c.admin_set_index({"X": "1.0"}), {"prices": {"X": "1"}}),
    ("admin.set_collateral_price", lambda c: c.admin_set_collateral_price({"BTC": 9}), {"prices": {"BTC": "9"}}),
    (
        "admin.set_trading_state",
        lambda c: c.admin_set_trading_state("X", TradingState.HALTED),
        {"symbol": "X", "trading_state": "halted"},
    ),
    ("admin.credit", lambda c: c.admin_credit("zoe", 1, "BTC"), {"account": "zoe", "amount": "1", "asset": "BTC"}),
    ("admin.liquidations", lambda c: c.admin_liquidations(before=4), {"limit": 100, "before": 4}),
]


@pytest.mark.parametrize(("method", "call", "params"), CALLS, ids=[f"{number}-{row[0]}" for number, row in enumerate(CALLS)])
async def test_every_method_is_written_in_the_wires_words(
    server: ScriptedServer, method: str, call: Callable[[Client], Awaitable[object]], params: dict[str, object]
) -> None:
    seen: dict[str, object] = {}

    async def script(peer: Peer) -> None:
        await peer.greet()
        request = await peer.expect(method)
        seen.update(request["params"])
        await peer.refuse(request, "request.invalid_field")
        await peer.stay()

    server.play(script)
    async with Client.connect(server.url) as client:
        with pytest.raises(RequestRefused):
            await call(client)
    expected = params if method != "order.place" else {**seen, **params}
    assert seen == expected
    assert ("position_side" in seen) == ("position_side" in params)


async def test_words_and_amounts_that_do_not_exist_are_refused_before_anything_is_sent(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.answer_pings()

    server.play(script)
    async with Client.connect(server.url) as client:
        with pytest.raises(ValueError, match="position_side: 'both' is none of net, long, short"):
            await client.buy("X", 1, position_side="both")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="position_mode: 'two_way' is none of one_way, hedge"):
            await client.set_position_mode("two_way")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="margin: a float is not exact"):
            await client.set_margin_mode("X", "isolated", margin=0.5)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"prices\.X: a float is not exact"):
            await client.admin_set_index({"X": 0.5})  # type: ignore[dict-item]
        await client.ping()
