"""The conversation without sockets: what is written, in which order, and what happens to a reader that falls behind."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from msgspec.structs import replace

from exchange.domain.commands import (
    AdvanceTime,
    AnyCommand,
    CollateralPrice,
    Credit,
    MarkPrice,
    SetCollateralPrices,
    SetMarkPrices,
)
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.events import (
    AnyEvent,
    CollateralSold,
    FundingPaid,
    LiquidationFinished,
    LiquidationStarted,
    LiquidationWaiting,
    LossSocialized,
    MarginCalled,
)
from exchange.domain.instrument import CollateralAsset
from exchange.domain.views import ScopeHealth
from exchange.server.connection import Connection
from exchange.server.gateway import Gateway
from exchange.server.limits import ServerLimits
from exchange.services.sequencer import Applied, SequencerHaltedError
from exchange.wire.codec import MSGPACK
from exchange.wire.session import Session, login_signature
from tests.cast import ALICE, T0, cash
from tests.unit.server.memory_port import MemoryPort
from tests.wire_kit import RECORD, make_parts, secret_of


def unframed(data: bytes) -> list[dict[str, Any]]:
    """Return the messages in a server's unmasked binary frames."""
    messages = []
    while data:
        assert data[0] == 0x82, "a whole binary frame"
        size, start = data[1], 2
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10], "big"), 10
        messages.append(msgpack.unpackb(data[start : start + size]))
        data = data[start + size :]
    return messages


class Client:
    """A conversation with a gateway over a socket in memory."""

    def __init__(self, gateway: Gateway, *, key: str | None = None, batches: int = 1_000_000) -> None:
        self.port = MemoryPort(batches)
        session = Session(gateway._parts.keys, session_id="s", nonce="n")
        self.connection = Connection(gateway, self.port, MSGPACK, session)
        self.id = 0
        if key is not None:
            signature = login_signature(secret_of(key), nonce="n", key=key, time_ms=1)
            self.ask("session.login", key=key, time_ms=1, signature=signature)
            self.read()

    def ask(self, method: str, **params: Any) -> None:
        self.id += 1
        self.give(msgpack.packb({"id": self.id, "method": method, "params": params}))

    def give(self, payload: bytes, *, is_binary: bool = True) -> None:
        self.connection.receive(payload, is_binary=is_binary)

    def read(self) -> list[dict[str, Any]]:
        """Return what was written since the last read."""
        self.connection.flush()
        written = b"".join(self.port.written)
        self.port.written.clear()
        return unframed(written)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self.ask(method, **params)
        return self.read()[-1]

    @property
    def close_code(self) -> int | None:
        return None if self.port.closed_with is None else self.port.closed_with[0]


def gateway_of(**limits: int) -> Gateway:
    return Gateway(make_parts(), ServerLimits(**limits))


def publish(gateway: Gateway, *events: AnyEvent) -> None:
    """Send events as if a command had caused them."""
    applied = Applied(99, T0, AdvanceTime(), events)
    gateway._parts.feed.apply(applied)
    gateway.publisher.publish(applied)


def alice_scopes(gateway: Gateway) -> object:
    return msgpack.unpackb(MSGPACK.encode(gateway.pictures.margin(ALICE)))["scopes"]


MARGIN_CALL = MarginCalled(
    account=ALICE,
    path=MarginMode.CROSS,
    symbol=None,
    position_side=PositionSide.NET,
    level=600_000,
    health=ScopeHealth(equity=cash("8"), maintenance_margin=cash("5"), notional=cash("100")),
    time_ns=T0,
)


def kinds(frames: list[dict[str, Any]]) -> list[str]:
    return [frame.get("channel") or ("error" if "error" in frame else "reply") for frame in frames]


def order(side: str = "buy", quantity: str = "1", limit_price: str = "100", **more: Any) -> dict[str, Any]:
    return {"symbol": "BTC-PERP", "side": side, "quantity": quantity, "limit_price": limit_price, **more}


@pytest.mark.rule("WIRE-008")
def test_what_a_command_caused_comes_before_its_reply() -> None:
    gateway = gateway_of()
    alice, bob = Client(gateway, key="alice-key"), Client(gateway, key="bob-key")
    for channel in ("orders", "fills", "positions", "account", "book", "trades"):
        alice.call("subscribe", channel=channel)
    alice.ask("order.place", **order("buy"))
    assert kinds(alice.read()) == ["orders", "book", "reply"]
    bob.ask("order.place", **order("sell", "0.4"))
    alice.ask("ping")
    frames = alice.read()
    assert kinds(frames) == ["trades", "orders", "fills", "book", "positions", "account", "reply"]
    assert {frame["sequence"] for frame in frames[:-1]} == {frames[-1]["result"]["sequence"]}


@pytest.mark.rule("WIRE-008")
def test_replies_come_in_the_order_of_the_requests() -> None:
    client = Client(gateway_of())
    for method in ("ping", "market.nothing", "market.instruments", "account.get"):
        client.ask(method)
    assert [(frame["id"], "error" in frame) for frame in client.read()] == [(1, False), (2, True), (3, False), (4, True)]


@pytest.mark.rule("WIRE-009")
def test_channels_that_show_a_state_begin_with_it_before_the_reply() -> None:
    gateway = gateway_of()
    alice, bob = Client(gateway, key="alice-key"), Client(gateway, key="bob-key")
    alice.ask("order.place", **order("buy", "2"))
    bob.ask("order.place", **order("sell", "0.5"))
    alice.read()
    begun = {}
    states = ("book", "ticker", "mark", "funding", "orders", "positions", "account", "margin")
    for channel in (*states, "trades", "fills", "liquidations"):
        alice.ask("subscribe", channel=channel)
        frames = alice.read()
        assert kinds(frames)[-1] == "reply"
        begun[channel] = frames[:-1]
    assert [frame["symbol"] for frame in begun["book"]] == ["BTC-PERP", "ETH-PERP"]
    assert begun["book"][0]["bids"] == [["100", "1.5"]]
    assert begun["ticker"][0]["data"]["open_interest"] == "0.5"
    assert [frame["data"]["mark_price"] for frame in begun["mark"]] == ["100", "50"]
    assert [frame["data"]["open_quantity"] for frame in begun["orders"]] == ["1.5"]
    assert [frame["data"]["quantity"] for frame in begun["positions"]] == ["0.5"]
    assert [frame["data"]["account"] for frame in begun["account"]] == [ALICE]
    assert [frame["symbol"] for frame in begun["funding"]] == ["BTC-PERP", "ETH-PERP"]
    assert [len(frame["data"]["scopes"]) for frame in begun["margin"]] == [1]
    assert begun["trades"] == begun["fills"] == begun["liquidations"] == []


@pytest.mark.rule("WIRE-009")
def test_subscribing_again_sends_the_present_state_again() -> None:
    client = Client(gateway_of())
    for _ in range(3):
        client.ask("subscribe", channel="book", symbol="BTC-PERP")
        assert kinds(client.read()) == ["book", "reply"]


@pytest.mark.rule("WIRE-009")
def test_a_ticker_is_sent_only_when_something_in_it_is_new() -> None:
    gateway = gateway_of()
    alice, watcher = Client(gateway, key="alice-key"), Client(gateway)
    watcher.call("subscribe", channel="ticker", symbol="BTC-PERP")
    alice.call("order.place", **order("buy", limit_price="100"))
    assert kinds(watcher.read()) == ["ticker"]
    alice.call("order.place", **order("buy", limit_price="99"))
    assert watcher.read() == [], "a level behind the best one is no news"
    alice.call("order.place", **order("buy", limit_price="100"))
    assert watcher.read()[0]["data"]["best_bid_quantity"] == "2"


@pytest.mark.rule("WIRE-009")
def test_a_ticker_that_came_back_to_an_old_state_is_news_to_who_saw_another() -> None:
    gateway = gateway_of()
    alice, watcher = Client(gateway, key="alice-key"), Client(gateway)
    watcher.call("subscribe", channel="ticker", symbol="BTC-PERP")
    watcher.call("unsubscribe", channel="ticker", symbol="BTC-PERP")
    order_id = alice.call("order.place", **order("buy"))["result"]["order"]["order_id"]
    watcher.call("subscribe", channel="ticker", symbol="BTC-PERP")
    alice.call("order.cancel", order_id=order_id)
    assert watcher.read()[0]["data"]["best_bid"] is None


@pytest.mark.rule("WIRE-011")
def test_a_stream_comes_once_however_many_subscriptions_cover_it() -> None:
    gateway = gateway_of()
    alice, bob, watcher = Client(gateway, key="alice-key"), Client(gateway, key="bob-key"), Client(gateway)
    watcher.call("subscribe", channel="trades")
    watcher.call("subscribe", channel="trades", symbol="BTC-PERP")

    def trade() -> list[str]:
        alice.call("order.place", **order("buy", "0.1"))
        bob.call("order.place", **order("sell", "0.1"))
        return kinds(watcher.read())

    assert trade() == ["trades"]
    watcher.call("unsubscribe", channel="trades", symbol="BTC-PERP")
    assert trade() == ["trades"], "the other subscription goes on"
    watcher.call("unsubscribe", channel="trades")
    assert trade() == []


@pytest.mark.rule("WIRE-011")
def test_subscriptions_are_bounded_and_checked() -> None:
    client = Client(gateway_of(subscriptions_max=2), key="alice-key")
    client.call("subscribe", channel="trades")
    client.call("subscribe", channel="orders")
    assert client.call("subscribe", channel="orders")["result"]["channel"] == "orders", "again is no further one"
    assert client.call("subscribe", channel="fills")["error"]["name"] == "session.subscriptions_maximum"
    assert client.call("unsubscribe", channel="fills")["error"]["name"] == "session.not_subscribed"
    assert client.call("subscribe", channel="orders", symbol="BTC-PERP")["error"]["field"] == "symbol"
    assert client.call("subscribe", channel="book", symbol="DOGE")["error"]["name"] == "order.unknown_symbol"
    client.call("unsubscribe", channel="trades")
    assert "result" in client.call("subscribe", channel="fills")


def test_private_streams_reach_their_own_account_only() -> None:
    gateway = gateway_of()
    alice, bob = Client(gateway, key="alice-key"), Client(gateway, key="bob-key")
    for channel in ("orders", "fills", "positions", "account", "margin"):
        bob.call("subscribe", channel=channel)
    alice.call("order.place", **order("buy"))
    gateway._parts.sequencer.submit(Credit(account=ALICE, amount=1))
    told = [
        FundingPaid(
            account=ALICE,
            symbol="BTC-PERP",
            position_side=PositionSide.NET,
            quantity=1,
            funding_rate=1,
            amount=1,
            wallet_balance=1,
        ),
        LossSocialized(liquidation_id=1, account=ALICE, symbol="BTC-PERP", position_side=PositionSide.NET, amount=1),
        CollateralSold(account=ALICE, asset="USD", quantity=1, proceeds=1),
        MARGIN_CALL,
        LiquidationFinished(record=replace(RECORD, account=ALICE)),
    ]
    publish(gateway, *told)
    assert bob.read() == []


@pytest.mark.rule("WIRE-021", "LIQ-009", "MARG-020")
def test_what_befalls_an_account_is_told_to_its_owner_in_the_order_of_the_events() -> None:
    gateway = gateway_of()
    alice = Client(gateway, key="alice-key")
    for channel in ("account", "margin"):
        alice.call("subscribe", channel=channel)
    loss = LossSocialized(
        liquidation_id=4, account=ALICE, symbol="BTC-PERP", position_side=PositionSide.LONG, amount=cash("1.5")
    )
    publish(gateway, loss, MARGIN_CALL)
    first, second = alice.read()
    assert first["data"] == {
        "type": "socialized_loss",
        "liquidation_id": 4,
        "symbol": "BTC-PERP",
        "position_side": "long",
        "amount": "1.5",
        "time_us": T0 // 1000,
    }
    assert (second["channel"], second["data"]["type"], second["data"]["level"]) == ("margin", "margin_call", "0.6")
    assert (second["data"]["margin_ratio"], second["data"]["health"]["equity"]) == ("0.625", "8")


@pytest.mark.rule("WIRE-014", "WIRE-021")
def test_a_slow_readers_health_is_left_out_and_its_warnings_never() -> None:
    gateway = gateway_of(write_batch_bytes=200, conflate_bytes=400, outbox_bytes_max=100_000)
    alice, bob = Client(gateway, key="alice-key"), Client(gateway, key="bob-key")
    bob.call("order.place", **order("sell"))
    alice.call("order.place", **order("buy"))
    alice.call("subscribe", channel="margin")
    alice.port.batches = 0
    for ticks in range(201, 231):
        gateway._parts.sequencer.submit(SetMarkPrices(marks=(MarkPrice("BTC-PERP", ticks),)))
        if ticks % 10 == 0:
            publish(gateway, MARGIN_CALL)
    alice.ask("ping")
    alice.port.batches = 1_000_000
    frames = alice.read()
    kinds_told = [frame["data"]["type"] for frame in frames[:-1]]
    assert kinds_told.count("margin_call") == 3
    assert 0 < kinds_told.count("scopes") < 10, "left out, and replaced by the present"
    assert kinds_told[-1] == "scopes"
    assert frames[-2]["data"]["scopes"] == alice_scopes(gateway)


@pytest.mark.rule("WIRE-021", "MARG-026")
def test_health_is_told_when_collateral_is_worth_less() -> None:
    asset = CollateralAsset(asset="BTC", decimals=0, haircut=0, initial_price=cash("10"))
    gateway = Gateway(make_parts(collateral=[asset]))
    alice, bob = Client(gateway, key="alice-key"), Client(gateway, key="bob-key")
    gateway._parts.sequencer.submit(Credit(account=ALICE, amount=3, asset="BTC"))
    bob.call("order.place", **order("sell"))
    alice.call("order.place", **order("buy"))
    alice.call("subscribe", channel="margin")
    gateway._parts.sequencer.submit(SetCollateralPrices(prices=(CollateralPrice("BTC", cash("9")),)))
    (health,) = alice.read()
    assert health["data"]["scopes"][0]["equity"] == "100026.95"
    gateway._parts.sequencer.submit(SetCollateralPrices(prices=(CollateralPrice("BTC", cash("9")),)))
    assert alice.read() == [], "nothing in it is new"


def test_a_liquidation_that_is_over_is_no_longer_remembered_by_name() -> None:
    gateway = gateway_of()
    watcher = Client(gateway)
    watcher.call("subscribe", channel="liquidations", symbol="BTC-PERP")
    started = LiquidationStarted(
        liquidation_id=3,
        account=ALICE,
        path=MarginMode.ISOLATED,
        symbol="BTC-PERP",
        position_side=PositionSide.NET,
        health=MARGIN_CALL.health,
        time_ns=T0,
    )
    waiting = LiquidationWaiting(liquidation_id=3, account=ALICE, retries_left=1, halted=True)
    finished = LiquidationFinished(record=replace(RECORD, symbol="BTC-PERP"))
    publish(gateway, started, waiting, finished)
    assert [frame["data"]["step"] for frame in watcher.read()] == ["started", "waiting", "finished"]
    assert not gateway.publisher._liquidating


@pytest.mark.rule("WIRE-021")
def test_nobody_is_sent_health_after_the_last_one_has_left() -> None:
    gateway = gateway_of()
    alice = Client(gateway, key="alice-key")
    alice.call("subscribe", channel="margin")
    assert len(gateway.subscriptions.open_streams("margin")) == 1
    alice.connection.lost()
    assert len(gateway.subscriptions.open_streams("margin")) == 0


@pytest.mark.rule("WIRE-014", "WIRE-010")
def test_a_slow_readers_book_is_left_out_and_a_snapshot_follows() -> None:
    gateway = gateway_of(write_batch_bytes=200, conflate_bytes=400, outbox_bytes_max=100_000)
    alice, slow = Client(gateway, key="alice-key"), Client(gateway)
    slow.call("subscribe", channel="book", symbol="BTC-PERP")
    slow.port.batches = 0
    for number in range(150):
        alice.call("order.place", **order("buy", "0.2", limit_price=str(60 + number % 40)))
    assert slow.connection._outbox.pending_bytes < 1_000, "nothing piles up"
    slow.port.batches = 1_000_000
    slow.connection.flush()
    frames = slow.read()
    assert [frame["type"] for frame in frames[:-1]] == ["delta"] * (len(frames) - 1)
    assert frames[-1]["type"] == "snapshot"
    best = alice.call("market.book", symbol="BTC-PERP", depth=200)["result"]
    assert (frames[-1]["bids"], frames[-1]["sequence"]) == (best["bids"], best["sequence"])
    alice.call("order.place", **order("buy", limit_price="99.5"))
    after = slow.read()
    assert [frame["type"] for frame in after] == ["delta"]
    assert after[0]["previous_sequence"] == frames[-1]["sequence"]


@pytest.mark.rule("WIRE-014", "WIRE-008")
def test_a_reply_to_a_slow_reader_comes_after_the_state_that_was_left_out() -> None:
    gateway = gateway_of(write_batch_bytes=200, conflate_bytes=400, outbox_bytes_max=100_000)
    alice, slow = Client(gateway, key="alice-key"), Client(gateway)
    for channel in ("book", "ticker", "mark"):
        slow.call("subscribe", channel=channel)
    slow.port.batches = 0
    for number in range(50):
        alice.call("order.place", **order("buy", "0.2", limit_price=str(60 + number % 40)))
    slow.ask("ping")
    slow.port.batches = 1_000_000
    slow.connection.flush()
    frames = slow.read()
    assert kinds(frames)[-1] == "reply"
    tickers = [frame for frame in frames if frame.get("channel") == "ticker"]
    books = [frame for frame in frames if frame.get("channel") == "book"]
    assert books[-1]["type"] == "snapshot"
    assert books[-1]["sequence"] == frames[-1]["result"]["sequence"]
    assert tickers[-1]["data"]["best_bid"] == "99"


@pytest.mark.rule("WIRE-014")
def test_private_events_are_never_left_out_and_past_the_bound_the_reader_is_closed() -> None:
    gateway = gateway_of(write_batch_bytes=200, conflate_bytes=400, outbox_bytes_max=5_000)
    alice, slow = Client(gateway, key="alice-key"), Client(gateway, key="alice-key")
    slow.call("subscribe", channel="orders")
    slow.port.batches = 0
    placed = 0
    while slow.close_code is None:
        alice.call("order.place", **order("buy", limit_price="60"))
        placed += 1
        assert placed < 100
    assert slow.close_code == 4008
    assert placed > 5
    alice.call("order.place", **order("buy", limit_price="60"))
    slow.ask("ping")
    slow.port.batches = 1_000_000
    assert slow.read() == [], "nothing is sent after the close has begun"


@pytest.mark.rule("WIRE-004")
def test_too_many_failed_logins_close_the_connection_after_the_last_answer() -> None:
    client = Client(gateway_of(login_failures_max=3))
    for _ in range(3):
        assert client.close_code is None
        client.ask("session.login", key="alice-key", time_ms=1, signature="00")
    assert [frame["error"]["name"] for frame in client.read()] == ["session.login_failed"] * 3
    assert client.close_code == 4001
    client.ask("ping")
    assert client.read() == []


@pytest.mark.rule("WIRE-005")
def test_a_bad_frame_gets_an_error_and_the_conversation_goes_on() -> None:
    client = Client(gateway_of())
    client.give(b"\xc1")
    client.give(msgpack.packb({"id": "x", "method": "nothing"}))
    client.ask("ping")
    frames = client.read()
    assert [(frame["id"], frame.get("error", {}).get("name")) for frame in frames] == [
        (None, "request.malformed"),
        ("x", "request.unknown_method"),
        (1, None),
    ]


@pytest.mark.rule("WIRE-005")
def test_too_many_unreadable_frames_close_the_connection() -> None:
    client = Client(gateway_of(malformed_frames_max=5))
    for _ in range(50):
        client.give(msgpack.packb({"id": 1, "method": "nothing"}))
    assert client.close_code is None, "a request that can be answered is none of them"
    for _ in range(5):
        client.give(b"\xc1")
    assert client.close_code == 4000


@pytest.mark.rule("WIRE-001")
def test_the_other_kind_of_frame_is_an_error() -> None:
    client = Client(gateway_of())
    client.give(b'{"id":1,"method":"ping"}', is_binary=False)
    assert client.read()[0]["error"]["name"] == "request.wrong_frame_type"


@pytest.mark.rule("WIRE-016")
def test_long_requests_close_the_connection_sooner_before_login() -> None:
    gateway = gateway_of(frame_bytes_before_login_max=200, frame_bytes_max=400)
    long = msgpack.packb({"id": "x" * 300, "method": "ping"})
    stranger, alice = Client(gateway), Client(gateway, key="alice-key")
    for client, closes in ((stranger, True), (alice, False)):
        client.give(long)
        assert (client.read()[0]["error"]["name"] == "request.frame_too_large") is closes
        assert (client.close_code == 1009) is closes
    alice.give(msgpack.packb({"id": "x" * 500, "method": "ping"}))
    assert alice.close_code == 1009


@pytest.mark.rule("WIRE-020")
def test_a_halted_venue_says_so_and_still_answers_questions() -> None:
    gateway = gateway_of()
    client = Client(gateway, key="alice-key")

    def fail(applied: Applied) -> None:
        raise AssertionError("a bug")

    gateway._parts.sequencer.subscribe(fail)
    command: AnyCommand = Credit(account=ALICE, amount=1)
    with pytest.raises(SequencerHaltedError):
        gateway._parts.sequencer.submit(command)
    assert client.call("order.place", **order("buy"))["error"]["name"] == "venue.halted"
    assert client.call("account.preview", order=order("buy"))["error"]["name"] == "venue.halted"
    assert "result" in client.call("account.get")


@pytest.mark.rule("WIRE-018")
def test_goodbye_is_a_message_and_then_a_close() -> None:
    client = Client(gateway_of())
    client.ask("ping")
    client.connection.shut_down(retry_ms=500)
    assert [frame.get("type") for frame in unframed(b"".join(client.port.written))] == [None, "shutdown"]
    assert client.close_code == 1012


def test_a_lost_connection_receives_nothing_and_is_forgotten() -> None:
    gateway = gateway_of()
    alice, gone = Client(gateway, key="alice-key"), Client(gateway)
    gone.call("subscribe", channel="book")
    gone.connection.lost()
    alice.call("order.place", **order("buy"))
    assert gone.read() == []
    assert not gateway.subscriptions._subscribers
