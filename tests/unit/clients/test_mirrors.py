from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from clients import Client, ConnectionLost, MirrorNotReady, ProtocolError, StreamOverflow
from clients.margin_messages import Deleverage, FundingPayment, LiquidationRecord, MarginCall
from clients.market_data import Level, Trade
from clients.messages import Account
from clients.mirror import (
    AccountMirror,
    BookMirror,
    MarginMirror,
    MarkMirror,
    OrderMirror,
    PositionMirror,
    RecentEvents,
)
from clients.streams import EventStream
from clients.updates import Update, read_update
from exchange.domain.enums import MarginMode, PositionSide
from tests.unit.clients.scripted_server import (
    Peer,
    ScriptedServer,
    account_body,
    book_message,
    channel_message,
    crc_of,
    funding_payment_body,
    margin_call_body,
    mark_body,
    order_body,
    position_body,
    record_body,
    scope_body,
    scopes_body,
    trade_body,
)


def update(message: dict[str, object]) -> Update:
    result = read_update(message)
    assert result is not None
    return result


def tuples_to_lists(levels: object) -> object:
    return [list(level) for level in levels]  # type: ignore[attr-defined]


def book(
    kind: str, previous: int, sequence: int, bids: object = (), asks: object = (), after: tuple[object, object] | None = None
) -> Update:
    """A message of the levels it names; ``after`` is the book that its checksum is of, unless it is the same."""
    checksum = None if after is None else crc_of(*after)
    return update(book_message(kind, previous, sequence, tuples_to_lists(bids), tuples_to_lists(asks), checksum))


class Renewals:
    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> None:
        self.asked += 1


@pytest.fixture
def renewals() -> Renewals:
    return Renewals()


@pytest.fixture
def mirror(renewals: Renewals) -> BookMirror:
    mirror = BookMirror("BTC-PERP", renewals)
    mirror.receive(book("snapshot", 5, 5, [("10", "1"), ("9.5", "2")], [("11", "3")]))
    return mirror


def test_a_book_is_its_snapshot_sorted_best_first(mirror: BookMirror) -> None:
    assert mirror.bids() == (Level(Decimal(10), Decimal(1)), Level(Decimal("9.5"), Decimal(2)))
    assert mirror.best_bid == Level(Decimal(10), Decimal(1))
    assert mirror.best_ask == Level(Decimal(11), Decimal(3))
    assert mirror.asks(5) == (Level(Decimal(11), Decimal(3)),)


def test_a_delta_replaces_adds_and_removes_levels(mirror: BookMirror, renewals: Renewals) -> None:
    after = [("9.5", "7"), ("9", "1")], [("10.5", "1"), ("11", "3")]
    mirror.receive(book("delta", 5, 8, [("10", "0"), ("9.5", "7"), ("9", "1")], [("10.5", "1")], after))
    assert mirror.bids() == (Level(Decimal("9.5"), Decimal(7)), Level(Decimal(9), Decimal(1)))
    assert mirror.best_ask == Level(Decimal("10.5"), Decimal(1))
    assert mirror.sequence == 8
    mirror.receive(book("delta", 8, 9, [("9.5", "0"), ("9", "0")], [("10.50", "0"), ("11", "0")], ((), ())))
    assert mirror.best_bid is None
    assert mirror.best_ask is None
    assert renewals.asked == 0


def test_a_gap_makes_the_book_unreadable_until_the_new_snapshot(mirror: BookMirror, renewals: Renewals) -> None:
    mirror.receive(book("delta", 6, 8, [("10", "9")]))
    assert renewals.asked == 1
    assert mirror.gaps == 1
    with pytest.raises(MirrorNotReady, match="a delta after 6 came when 5 was the last one"):
        mirror.bids()
    mirror.receive(book("delta", 8, 9, [("10", "4")]))
    assert renewals.asked == 1
    assert not mirror.ready
    mirror.receive(book("snapshot", 9, 9, [("10", "4")]))
    assert mirror.best_bid == Level(Decimal(10), Decimal(4))
    assert mirror.best_ask is None


@pytest.mark.rule("WIRE-023")
def test_a_book_that_is_not_what_the_checksum_is_of_is_unreadable_until_the_new_snapshot(
    mirror: BookMirror, renewals: Renewals
) -> None:
    mirror.receive(book("delta", 5, 8, [("10", "9")], [], ([("10", "8"), ("9.5", "2")], [("11", "3")])))
    assert (renewals.asked, mirror.mismatches, mirror.gaps) == (1, 1, 0)
    with pytest.raises(MirrorNotReady, match="after 8 it is not what the checksum is of"):
        mirror.bids()
    mirror.receive(book("snapshot", 8, 8, [("10", "8"), ("9.5", "2")], [("11", "3")]))
    assert mirror.best_bid == Level(Decimal(10), Decimal(8))


@pytest.mark.rule("WIRE-023")
def test_a_snapshot_that_is_not_what_its_own_checksum_is_of_is_the_servers_fault(mirror: BookMirror) -> None:
    with pytest.raises(ProtocolError, match="a snapshot of BTC-PERP that is not what its checksum is of"):
        mirror.receive(book("snapshot", 8, 8, [("10", "8")], [], ([("10", "7")], [])))


@pytest.mark.rule("WIRE-023")
def test_levels_beyond_the_tenth_are_no_part_of_the_checksum(mirror: BookMirror) -> None:
    bids = [(str(price), "1") for price in range(30, 18, -1)]
    mirror.receive(book("snapshot", 6, 6, bids, [], (bids[:10], [])))
    mirror.receive(book("delta", 6, 7, [("19", "5")], [], (bids[:10], [])))
    assert mirror.bids()[-1] == Level(Decimal(19), Decimal(5))
    assert mirror.mismatches == 0


def test_a_delta_that_the_snapshot_already_holds_is_passed_over(mirror: BookMirror, renewals: Renewals) -> None:
    mirror.receive(book("delta", 3, 5, [("10", "99")]))
    mirror.receive(book("delta", 2, 3, [("10", "98")]))
    assert mirror.best_bid == Level(Decimal(10), Decimal(1))
    assert renewals.asked == 0


def test_a_snapshot_in_between_replaces_the_book(mirror: BookMirror) -> None:
    mirror.receive(book("snapshot", 7, 7, [], [("12", "1")]))
    assert mirror.best_bid is None
    assert mirror.best_ask == Level(Decimal(12), Decimal(1))


def test_a_negative_quantity_is_the_servers_fault(mirror: BookMirror) -> None:
    with pytest.raises(ProtocolError, match="negative quantity"):
        mirror.receive(book("delta", 5, 6, [("10", "-1")]))


def test_orders_are_kept_while_open() -> None:
    orders = OrderMirror()
    with pytest.raises(MirrorNotReady, match="open orders has no present state: it has not been received yet"):
        orders.open_orders()
    for body in (order_body(3), order_body(1), order_body(2, symbol="ETH-PERP")):
        orders.receive(update(channel_message("orders", body)))
    orders.began()
    partly = order_body(1, order_status="partially_filled", filled_quantity="0.1", open_quantity="0.2")
    orders.receive(update(channel_message("orders", partly)))
    assert [order.order_id for order in orders.open_orders()] == [1, 2, 3]
    assert [order.order_id for order in orders.open_orders("BTC-PERP")] == [1, 3]
    first = orders.order(1)
    assert first is not None
    assert first.open_quantity == Decimal("0.2")
    for order_id, status in ((1, "filled"), (3, "canceled")):
        orders.receive(update(channel_message("orders", order_body(order_id, order_status=status))))
    assert [order.order_id for order in orders.open_orders()] == [2]
    orders.interrupted("the connection broke")
    with pytest.raises(MirrorNotReady, match="the connection broke"):
        orders.order(2)


def test_positions_and_account_are_the_last_ones_sent() -> None:
    positions, account = PositionMirror(), AccountMirror()
    for mirror in (positions, account):
        mirror.began()
    for body in (position_body(quantity="0.5"), position_body("ETH-PERP", "0"), position_body(quantity="-0.25")):
        positions.receive(update(channel_message("positions", body)))
    assert positions.quantity("BTC-PERP") == Decimal("-0.25")
    assert positions.quantity("SOL-PERP") == 0
    assert [position.symbol for position in positions.open_positions()] == ["BTC-PERP"]
    with pytest.raises(MirrorNotReady, match="has not sent the account"):
        _ = account.account
    account.receive(update(channel_message("account", account_body(equity="7"))))
    assert account.account.equity == 7
    account.ended(None)
    with pytest.raises(MirrorNotReady, match="the client was closed"):
        _ = account.account


def test_long_and_short_positions_of_a_symbol_are_kept_apart() -> None:
    positions = PositionMirror()
    positions.began()
    for body in (
        position_body(quantity="-0.2", position_side="short"),
        position_body(quantity="0.5", position_side="long"),
        position_body(quantity="0.6", position_side="long"),
        position_body("ETH-PERP", "1"),
    ):
        positions.receive(update(channel_message("positions", body)))
    assert positions.quantity("BTC-PERP") == Decimal("0.4")
    long, short = (positions.position("BTC-PERP", side) for side in (PositionSide.LONG, PositionSide.SHORT))
    assert (long and long.quantity, short and short.quantity) == (Decimal("0.6"), Decimal("-0.2"))
    assert positions.position("BTC-PERP") is None
    shown = [(position.symbol, position.position_side.value) for position in positions.open_positions()]
    assert shown == [("BTC-PERP", "long"), ("BTC-PERP", "short"), ("ETH-PERP", "net")]


def test_marks_carry_index_and_funding() -> None:
    marks = MarkMirror()
    marks.began()
    body = mark_body(index_price="9.5", funding_rate="-0.0001", next_funding_time_us=8)
    marks.receive(update(channel_message("mark", body, "BTC-PERP")))
    mark = marks.mark("BTC-PERP")
    assert mark is not None
    assert (mark.index_price, mark.funding_rate, mark.next_funding_time_us) == (Decimal("9.5"), Decimal("-0.0001"), 8)
    assert (marks.price("BTC-PERP"), marks.mark("ETH-PERP")) == (10, None)


def test_what_befalls_the_account_is_kept_beside_it() -> None:
    mirror = AccountMirror()
    mirror.began()
    deleverage = {
        "type": "deleverage",
        "liquidation_id": 3,
        "venue": "residual",
        "symbol": "BTC-PERP",
        "position_side": "short",
        "side": "buy",
        "quantity": "1",
        "price": None,
        "value": "0",
        "realized_pnl": "-1",
        "time_us": 1,
    }
    sale = {"type": "collateral_sale", "asset": "BTC", "quantity": "0.1", "proceeds": "9", "time_us": 1}
    loss = {
        "type": "socialized_loss",
        "liquidation_id": 3,
        "symbol": "BTC-PERP",
        "position_side": "net",
        "amount": "2",
        "time_us": 1,
    }
    for body in (account_body(), funding_payment_body(), deleverage, loss, sale):
        mirror.receive(update(channel_message("account", body)))
    payment, adl, *_ = mirror.events.events
    assert isinstance(payment, FundingPayment)
    assert (payment.amount, payment.quantity, payment.funding_rate) == (3, Decimal("-0.5"), Decimal("0.0001"))
    assert isinstance(adl, Deleverage)
    assert (adl.liquidation_id, adl.position_side, adl.price) == (3, PositionSide.SHORT, None)
    assert mirror.events.total == 4
    assert mirror.account.equity == 1000
    mirror.interrupted("the connection broke")
    assert mirror.events.interruptions == 1
    assert mirror.events.total == 4, "what was seen stays true"
    assert not mirror.ready


def test_margin_health_is_replaced_whole_and_warnings_and_records_are_kept() -> None:
    mirror = MarginMirror()
    with pytest.raises(MirrorNotReady, match="the mirror of margin health has no present state"):
        mirror.cross()
    mirror.began()
    isolated = scope_body("BTC-PERP", position_side="long", margin_ratio=None, bankrupt=True)
    for body in (
        scopes_body(scope_body(), isolated),
        margin_call_body(),
        {"type": "liquidation", "record": record_body(5)},
    ):
        mirror.receive(update(channel_message("margin", body)))
    cross, long = mirror.cross(), mirror.isolated("BTC-PERP", PositionSide.LONG)
    assert mirror.scopes() == (cross, long)
    assert cross is not None
    assert (cross.path, cross.margin_ratio, cross.notional) == (MarginMode.CROSS, Decimal("0.8"), 1000)
    assert long is not None
    assert (long.margin_ratio, long.bankrupt) == (None, True)
    assert mirror.isolated("BTC-PERP") is None
    (call,) = mirror.calls.events
    assert isinstance(call, MarginCall)
    assert (call.level, call.health.equity) == (Decimal("0.8"), 50)
    (record,) = mirror.records.events
    assert isinstance(record, LiquidationRecord)
    assert (record.number, record.trigger_marks, record.position_side) == (
        5,
        {"BTC-PERP": Decimal("59000.5")},
        PositionSide.LONG,
    )
    mirror.receive(update(channel_message("margin", scopes_body(scope_body()))))
    assert mirror.isolated("BTC-PERP", PositionSide.LONG) is None
    mirror.interrupted("the connection broke")
    assert (mirror.calls.interruptions, mirror.records.interruptions, mirror.calls.total) == (1, 1, 1)
    with pytest.raises(MirrorNotReady, match="the connection broke"):
        mirror.scopes()


async def test_a_margin_call_reaches_its_handler_and_health_does_not(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet_and_log_in()
        request = await peer.accept_subscription(channel_message("margin", scopes_body(scope_body())))
        assert request["params"] == {"channel": "margin"}
        await peer.send(channel_message("margin", margin_call_body(level="0.6")))
        await peer.send(channel_message("margin", {"type": "omen", "depth": 3}))
        await peer.send(channel_message("margin", {"type": "liquidation", "record": record_body()}))
        await peer.answer_pings()

    server.play(script)
    calls: list[MarginCall] = []
    async with Client.connect(server.url, key="k", secret="s") as client:
        await client.on_margin_call(calls.append)
        await client.ping()
    assert [call.level for call in calls] == [Decimal("0.6")]


def test_an_account_reads_the_same_as_an_answer_and_as_an_event() -> None:
    event = update(channel_message("account", account_body(collateral=[{"asset": "BTC", "balance": "1", "value": "9"}])))
    assert isinstance(event.data, Account)
    assert event.data.collateral[0].value == 9


def test_a_mirror_refuses_the_data_of_another_channel() -> None:
    trade = update(channel_message("trades", trade_body()))
    for sink in (OrderMirror(), PositionMirror(), AccountMirror(), MarkMirror(), BookMirror("BTC-PERP", Renewals())):
        with pytest.raises(ProtocolError, match="channel trades brought no"):
            sink.receive(trade)


def test_recent_events_are_numbered_and_bounded() -> None:
    recent: RecentEvents[object] = RecentEvents(events_max=3)
    for trade_id in range(5):
        recent.receive(update(channel_message("trades", trade_body(trade_id))))
    assert recent.total == 5
    assert [event.trade_id for event in recent.since(3)] == [3, 4]  # type: ignore[attr-defined]
    assert recent.since(5) == ()
    assert len(recent.events) == 3
    with pytest.raises(MirrorNotReady, match="from 1 on were asked for, and only those from 2 on are kept"):
        recent.since(1)


async def test_after_a_gap_the_client_asks_again_and_a_ping_waits_for_the_snapshot(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.accept_subscription(book_message("snapshot", 1, 1, [["10", "1"]]))
        for _ in range(2):
            await peer.accept_subscription()
        ping = await peer.expect("ping")
        await peer.send(book_message("delta", 2, 3, [["9", "1"]]))
        await peer.reply(ping, {"time_us": 1, "sequence": 3})
        await peer.accept_subscription(book_message("snapshot", 3, 3, [["10", "1"], ["9", "1"]]))
        await peer.stay()

    server.play(script)
    async with Client.connect(server.url) as client:
        mirror = await client.mirror("BTC-PERP")
        await client.ping()
        assert mirror.books["BTC-PERP"].gaps == 1
        assert [level.price for level in mirror.books["BTC-PERP"].bids()] == [10, 9]


async def test_a_stream_ends_with_an_error_when_it_is_not_read_in_time(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.accept_subscription(*(channel_message("trades", trade_body(i), "BTC-PERP") for i in range(5)))
        await peer.reply(await peer.expect("unsubscribe"), {})
        await peer.answer_pings()

    server.play(script)
    async with Client.connect(server.url) as client:
        stream = client.events("trades", "BTC-PERP", events_max=3)
        seen: list[int] = []
        with pytest.raises(StreamOverflow, match=r"3 events of channel trades are waiting, which is the bound \(events_max\)"):
            await _note_into(seen, stream)
        assert seen == [0, 1, 2]
        await client.ping()


async def test_handlers_are_called_in_order_and_a_failing_one_harms_nobody(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        for _ in range(2):
            await peer.accept_subscription()
        ping = await peer.expect("ping")
        for number in range(3):
            await peer.send(channel_message("trades", trade_body(number), "BTC-PERP", sequence=number))
        await peer.reply(ping, {"time_us": 1, "sequence": 3})
        await peer.reply(await peer.expect("unsubscribe"), {})
        await peer.stay()

    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context["message"]))
    server.play(script)
    seen: list[int] = []

    def fail(event: Update) -> None:
        raise RuntimeError("a bug in the handler")

    async with Client.connect(server.url) as client:
        failing = await client.subscribe("trades", "BTC-PERP", handle=fail)
        working = await client.subscribe("trades", "BTC-PERP", handle=lambda event: seen.append(event.sequence))
        await client.ping()
        assert seen == [0, 1, 2]
        assert complaints == ["the handler of channel trades failed"] * 3
        await client.unsubscribe(failing)
        await client.unsubscribe(working)
        await client.unsubscribe(working)


async def test_a_refused_subscription_leaves_nothing_behind(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.refuse(await peer.expect("subscribe"), "session.login_required")
        await peer.accept_subscription(channel_message("orders", order_body(4)))
        await peer.stay()

    server.play(script)
    async with Client.connect(server.url) as client:
        stream = client.events("orders")
        with pytest.raises(Exception, match="login_required"):
            await anext(stream)
        assert (await anext(stream)).order_id == 4


async def test_levels_that_do_not_fit_name_channel_and_field(server: ScriptedServer) -> None:
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("subscribe")
        await peer.send(book_message("snapshot", 1, 1, [["10", 1]]))
        await peer.stay()

    server.play(script)
    async with Client.connect(server.url, reconnect=False) as client:
        with pytest.raises(
            ConnectionLost, match="event of channel book that does not fit: bids: a decimal string was expected, not 1"
        ):
            await client.mirror("BTC-PERP")


async def _note_into(seen: list[int], stream: EventStream[Trade]) -> None:
    async for trade in stream:
        seen.append(trade.trade_id)  # noqa: PERF401 (what was seen before an error counts)
