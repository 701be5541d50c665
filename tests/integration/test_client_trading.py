"""The real client against the real server, in both encodings: two implementations of one wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from clients import CancelOrder, Client, EventTimeout, LoginRefused, OrderRejected, PlaceOrder, RequestRefused
from clients.messages import Placed
from exchange.domain.enums import Liquidity, MarginMode, OrderStatus, Side
from tests.unit.clients.live_exchange import LiveExchange, live_exchange

D = Decimal
BTC = "BTC-PERP"
ETH = "ETH-PERP"


@pytest.fixture
async def exchange() -> AsyncIterator[LiveExchange]:
    async with live_exchange() as live:
        yield live


@pytest.fixture(params=["msgpack", "json"])
async def alice(exchange: LiveExchange, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with exchange.client("alice", encoding=request.param) as client:
        yield client


@pytest.fixture
async def bob(exchange: LiveExchange) -> AsyncIterator[Client]:
    async with exchange.client("bob") as client:
        yield client


@pytest.fixture
async def admin(exchange: LiveExchange) -> AsyncIterator[Client]:
    async with exchange.client("admin") as client:
        yield client


async def mark_of(client: Client, symbol: str) -> Decimal:
    mark = (await client.ticker(symbol)).mark_price
    assert mark is not None
    return mark


@pytest.mark.rule("WIRE-001", "WIRE-008", "WIRE-012")
async def test_an_order_rests_is_hit_and_both_sides_see_it(alice: Client, bob: Client) -> None:
    mark = await mark_of(alice, BTC)
    hers, his = await alice.mirror(BTC), await bob.mirror(BTC)
    rested = await alice.buy(BTC, "0.5", mark, post_only=True, client_order_id="a-1")
    assert rested.order.order_status is OrderStatus.OPEN
    assert rested.margin.path is MarginMode.CROSS
    assert rested.margin.available_after == rested.margin.available_before - rested.margin.required
    taken = await bob.sell(BTC, D("0.2"))
    assert taken.order.order_status is OrderStatus.FILLED
    assert taken.order.average_fill_price == mark
    await alice.ping()
    order = hers.orders.order(rested.order.order_id)
    assert order is not None
    assert (order.order_status, order.open_quantity) == (OrderStatus.PARTIALLY_FILLED, D("0.3"))
    (fill,) = hers.fills.events
    assert (fill.price, fill.quantity, fill.side, fill.liquidity) == (mark, D("0.2"), Side.BUY, Liquidity.MAKER)
    assert fill.client_order_id == "a-1"
    assert hers.positions.quantity(BTC) == D("0.2")
    assert his.positions.quantity(BTC) == D("-0.2")
    assert his.books[BTC].best_bid == (mark, D("0.3"))
    assert hers.account == await alice.account()
    assert await alice.order(client_order_id="a-1") == order
    assert await alice.open_orders(BTC) == (order,)
    (trade,) = await bob.trades(BTC)
    assert (trade.price, trade.quantity, trade.taker_side) == (mark, D("0.2"), Side.SELL)


async def test_cancels_by_either_id_alone_or_all_at_once(alice: Client) -> None:
    mark = await mark_of(alice, BTC)
    prices = [mark - step for step in range(4)]
    orders = [
        PlaceOrder(symbol=BTC, side="buy", quantity="0.01", price=price, client_order_id=f"o-{price}") for price in prices
    ]
    placed = await alice.place_orders(orders)
    assert all(isinstance(item, Placed) for item in placed)
    mirror = await alice.mirror(BTC)
    assert len(mirror.orders.open_orders()) == 4
    first, *_ = mirror.orders.open_orders()
    canceled = await alice.cancel_order(first.order_id)
    assert canceled.order_status is OrderStatus.CANCELED
    assert canceled.reason == "order.canceled_by_owner"
    results = await alice.send_many([CancelOrder(client_order_id=f"o-{prices[1]}"), CancelOrder(order_id=first.order_id)])
    assert isinstance(results[1], RequestRefused)
    assert results[1].name == "order.not_found"
    assert await alice.cancel_all_orders() == 2
    assert mirror.orders.open_orders() == ()
    assert len(await alice.ended_orders(limit=3)) == 3


@pytest.mark.rule("WIRE-013", "WIRE-007")
async def test_a_rejected_order_tells_rule_field_and_margin_decision(alice: Client) -> None:
    mark = await mark_of(alice, BTC)
    with pytest.raises(OrderRejected) as rejected:
        await alice.buy(BTC, 100, mark)
    error = rejected.value
    assert error.name == "margin.initial_insufficient"
    assert error.margin is not None
    assert error.margin.required > error.margin.available_before
    assert error.margin.available_after < 0
    with pytest.raises(OrderRejected, match=r"order.tick_size"):
        await alice.buy(BTC, 1, mark + D("0.01"))
    with pytest.raises(RequestRefused) as refused:
        await alice.buy(BTC, 1, client_order_id="not valid!")
    assert not isinstance(refused.value, OrderRejected)
    assert refused.value.field is not None


@pytest.mark.rule("BOOK-014", "WIRE-012")
async def test_the_same_order_sent_again_is_not_executed_again(alice: Client) -> None:
    mark = await mark_of(alice, BTC)
    first = await alice.buy(BTC, "0.01", mark, client_order_id="once")
    again = await alice.buy(BTC, "0.01", mark, client_order_id="once")
    assert not first.repeated
    assert again.repeated
    assert again.order.order_id == first.order.order_id
    assert len(await alice.open_orders()) == 1


async def test_margin_mode_leverage_and_isolated_margin(alice: Client, bob: Client) -> None:
    mark = await mark_of(alice, ETH)
    assert (await alice.set_margin_mode(ETH, "isolated")).margin_mode is MarginMode.ISOLATED
    assert (await alice.set_leverage(ETH, 20)).leverage == 20
    await bob.sell(ETH, 2, mark)
    placed = await alice.buy(ETH, 2)
    assert placed.margin.path is MarginMode.ISOLATED
    assert placed.margin.liquidation_price is not None
    added = await alice.add_margin(ETH, "100.5")
    assert added.amount == D("100.5")
    removed = await alice.remove_margin(ETH, 100)
    assert removed.amount == -100
    assert removed.wallet_balance == added.wallet_balance + 100
    (position,) = await alice.positions(ETH)
    assert position.quantity == 2
    assert position.isolated_wallet == removed.isolated_wallet
    assert position.margin_mode is MarginMode.ISOLATED
    switched = await alice.set_margin_mode(ETH, MarginMode.CROSS)
    assert (switched.margin_mode, switched.margin_moved) == (MarginMode.CROSS, -removed.isolated_wallet)
    back = await alice.set_margin_mode(ETH, MarginMode.ISOLATED, margin=1000)
    assert (back.margin_moved, (await alice.positions(ETH))[0].isolated_wallet) == (1000, 1000)
    await alice.set_margin_mode(ETH, MarginMode.CROSS)
    with pytest.raises(RequestRefused, match=r"margin\.switch_margin_below_minimum \(field margin\): margin 1 is below the "):
        await alice.set_margin_mode(ETH, MarginMode.ISOLATED, margin=1)


async def test_instruments_tell_every_limit(alice: Client) -> None:
    instruments = await alice.instruments()
    assert list(instruments) == [BTC, ETH, "SOL-PERP"]
    btc = instruments[BTC]
    assert (btc.tick_size, btc.lot_size, btc.max_leverage) == (D("0.1"), D("0.001"), 125)
    assert btc.tiers[1].notional_floor == 50_000
    assert btc.tiers[1].maintenance_amount == 50


@pytest.mark.rule("WIRE-019", "WIRE-006")
async def test_an_operator_moves_marks_money_and_time(exchange: LiveExchange, admin: Client, alice: Client) -> None:
    before = await admin.admin_state()
    created = await admin.admin_create_account("zoe")
    async with Client.connect(exchange.url, key=created.key, secret=created.secret) as zoe:
        assert zoe.account_name == "zoe"
        assert (await admin.admin_credit("zoe", "12.5")).wallet_balance == D("12.5")
        assert (await zoe.account()).available_balance == D("12.5")
    marks = await alice.mirror(BTC)
    done = await admin.admin_set_mark({BTC: "100000.1", ETH: 4000})
    assert done.sequence == before.sequence + 3
    await alice.ping()
    assert marks.marks.price(BTC) == D("100000.1")
    moved = await admin.admin_advance(1_500_000)
    assert moved.time_us == before.time_us + 1_500_000
    assert (await admin.admin_set_time(moved.time_us + 1)).time_us == moved.time_us + 1
    after = await admin.admin_state()
    assert after.net_deposits == before.net_deposits + D("12.5")
    assert after.digest != before.digest
    with pytest.raises(RequestRefused, match=r"session\.scope_missing"):
        await alice.admin_state()


@pytest.mark.rule("WIRE-004")
async def test_wrong_secrets_are_refused(exchange: LiveExchange) -> None:
    with pytest.raises(LoginRefused, match=r"session\.login_failed"):
        await Client.connect(exchange.url, key="demo-alice", secret="no").open()


@pytest.mark.rule("WIRE-006")
async def test_without_a_login_one_may_look_but_not_touch(exchange: LiveExchange) -> None:
    async with Client.connect(exchange.url) as guest:
        assert (await guest.book(BTC)).bids == ()
        mirror = await guest.mirror(BTC)
        assert mirror.marks.price(BTC) == await mark_of(guest, BTC)
        with pytest.raises(RequestRefused, match=r"session\.login_required"):
            await guest.account()


async def test_a_liquidation_is_told_step_by_step(admin: Client, alice: Client, bob: Client) -> None:
    mark = await mark_of(alice, BTC)
    await alice.set_margin_mode(BTC, "isolated")
    await alice.set_leverage(BTC, 50)
    await bob.sell(BTC, "0.5", mark)
    await alice.buy(BTC, "0.5")
    await bob.buy(BTC, 1, (mark * D("0.975")).quantize(D(1)))
    mirror = await alice.mirror(BTC)
    await admin.admin_set_mark({BTC: (mark * D("0.98")).quantize(D(1))})
    await alice.ping()
    steps = mirror.liquidations.events
    assert steps[0].step == "started"
    assert steps[-1].step == "finished"
    assert {step.account for step in steps if step.step == "started"} == {"alice"}
    assert mirror.positions.quantity(BTC) == 0
    assert (await alice.account()).total_equity < 100_000


@pytest.mark.rule("WIRE-009", "WIRE-010")
async def test_the_book_mirror_equals_the_book_through_many_changes(alice: Client, bob: Client) -> None:
    mark = await mark_of(alice, BTC)
    mirror = await alice.mirror(BTC)
    for turn in range(10):
        batch = [
            PlaceOrder(symbol=BTC, side=side, quantity="0.002", price=mark + sign * (turn * 7 % 5 + step))
            for step in range(4)
            for side, sign in ((Side.BUY, -1), (Side.SELL, 1))
        ]
        await bob.place_orders(batch)
        await alice.buy(BTC, "0.003", time_in_force="ioc")
        if turn % 3 == 2:
            await bob.cancel_all_orders(BTC)
    book = await alice.book(BTC, depth=200)
    assert mirror.books[BTC].bids() == book.bids
    assert mirror.books[BTC].asks() == book.asks
    assert mirror.books[BTC].sequence == book.sequence
    assert mirror.books[BTC].gaps == 0
    assert book.asks


async def test_a_stream_brings_events_as_they_happen_and_waits_no_longer_than_told(alice: Client, bob: Client) -> None:
    mark = await mark_of(alice, BTC)
    async with alice.events("trades", BTC, timeout_s=5) as trades:
        await alice.buy(BTC, "0.001", mark)
        await bob.sell(BTC, "0.001")
        assert (await anext(trades)).taker_side is Side.SELL
    async with alice.events("fills", timeout_s=0.01) as fills:
        with pytest.raises(EventTimeout, match=r"no event of channel fills within 0\.01 s"):
            await anext(fills)
