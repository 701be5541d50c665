"""Orders that wait or end by themselves, with the real client against the real server, in both encodings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from clients import Client, OrderRejected, Trigger
from clients.messages import OrderTrigger
from exchange.domain.enums import OrderStatus, TimeInForce
from exchange.domain.triggers import TriggerKind, TriggerSource
from tests.unit.clients.live_exchange import LiveExchange, live_exchange

D = Decimal
BTC = "BTC-PERP"


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


async def mark_of(client: Client, symbol: str = BTC) -> Decimal:
    mark = (await client.ticker(symbol)).mark_price
    assert mark is not None
    return mark


# -- orders that end at a time of their own ----------------------------------------------------------------------------


@pytest.mark.rule("BOOK-018", "WIRE-007")
async def test_a_gtd_order_is_canceled_at_its_time_and_its_owner_told(alice: Client, admin: Client) -> None:
    now_us = (await alice.ping()).time_us
    mirror, mark = await alice.mirror(BTC), await mark_of(alice)
    expires_us = now_us + 60_000_000
    foretold = await alice.preview_order(BTC, "buy", "0.1", mark - 10, expire_time_us=expires_us)
    assert foretold.order is not None
    placed = await alice.buy(BTC, "0.1", mark - 10, expire_time_us=expires_us)
    assert foretold.order.order == placed.order
    assert (placed.order.time_in_force, placed.order.expire_time_us) == (TimeInForce.GTD, expires_us)
    await admin.admin_advance(59_999_999)
    await alice.ping()
    assert mirror.orders.open_orders(BTC) == (placed.order,)
    await admin.admin_advance(1)
    await alice.ping()
    assert mirror.orders.open_orders(BTC) == ()
    (ended,) = await alice.ended_orders(BTC)
    assert (ended.order_id, ended.order_status, ended.reason) == (
        placed.order.order_id,
        OrderStatus.CANCELED,
        "order.expired",
    )


@pytest.mark.rule("BOOK-018")
async def test_an_expiry_that_cannot_be_is_refused_by_name(alice: Client) -> None:
    mark, now_us = await mark_of(alice), (await alice.ping()).time_us
    with pytest.raises(OrderRejected) as passed:
        await alice.buy(BTC, "0.1", mark - 10, expire_time_us=now_us)
    assert (passed.value.name, passed.value.field) == ("order.expire_time_passed", "expire_time_us")
    with pytest.raises(OrderRejected) as missing:
        await alice.buy(BTC, "0.1", mark - 10, time_in_force="gtd")
    assert missing.value.name == "order.expire_time_required"
    with pytest.raises(OrderRejected) as needless:
        await alice.buy(BTC, "0.1", expire_time_us=now_us + 1_000_000)
    assert needless.value.name == "order.expire_time_forbidden"


# -- orders that wait for a price --------------------------------------------------------------------------------------


@pytest.mark.rule("TRIG-001", "TRIG-002", "TRIG-003", "WIRE-012")
async def test_a_stop_waits_is_seen_triggers_and_trades(alice: Client, bob: Client, admin: Client) -> None:
    mark = await mark_of(alice)
    await alice.buy(BTC, "0.2", mark)
    await bob.sell(BTC, "0.2", mark)
    await bob.buy(BTC, "1", mark - 200)
    mirror, updates = await alice.mirror(BTC), []
    await alice.subscribe("orders", handle=lambda update: updates.append(update.data))
    await alice.ping()
    updates.clear()
    placed = await alice.stop_market(BTC, "sell", "0.2", mark - 100, reduce_only=True, client_order_id="stop-1")
    assert placed.order.order_status is OrderStatus.UNTRIGGERED
    assert placed.order.trigger == OrderTrigger(kind=TriggerKind.STOP, price=mark - 100, by=TriggerSource.MARK)
    assert placed.margin.required == 0
    assert await alice.open_orders(BTC) == (placed.order,)
    await alice.ping()
    assert mirror.orders.order(placed.order.order_id) == placed.order
    again = await alice.stop_market(BTC, "sell", "0.2", mark - 100, reduce_only=True, client_order_id="stop-1")
    assert again.repeated
    await admin.admin_set_mark({BTC: mark - 100})
    await alice.ping()
    order = await alice.order(client_order_id="stop-1")
    assert (order.order_status, order.average_fill_price) == (OrderStatus.FILLED, mark - 200)
    statuses = [each.order_status for each in updates]
    assert statuses == [OrderStatus.UNTRIGGERED, OrderStatus.OPEN, OrderStatus.FILLED]
    assert [each.margin is None for each in updates] == [True, False, True]
    assert mirror.positions.quantity(BTC) == 0
    why = await alice.explain(order_id=order.order_id)
    assert "accepted" in str(why)


@pytest.mark.rule("TRIG-001", "WIRE-013")
async def test_triggers_that_cannot_be_are_refused_by_name(alice: Client) -> None:
    mark = await mark_of(alice)
    with pytest.raises(OrderRejected) as met:
        await alice.stop_limit(BTC, "buy", "0.1", mark, mark + 1)
    assert (met.value.name, met.value.field) == ("order.would_trigger_immediately", "trigger.price")
    with pytest.raises(OrderRejected) as unknown:
        await alice.take_profit_market(BTC, "sell", "0.1", mark + 10, by="last")
    assert (unknown.value.name, unknown.value.field) == ("order.trigger_price_unknown", "trigger.by")
    with pytest.raises(OrderRejected) as off_grid:
        await alice.take_profit_limit(BTC, "buy", "0.1", mark - D("10.00001"), mark)
    assert (off_grid.value.name, off_grid.value.field) == ("order.tick_size", "trigger.price")
    foretold = await alice.preview_order(BTC, "buy", "0.1", trigger=Trigger("stop", mark))
    assert foretold.error is not None
    assert foretold.error.name == "order.would_trigger_immediately"


@pytest.mark.rule("TRIG-002", "TRIG-003", "MARG-029")
async def test_what_placing_one_does_is_foretold_and_a_triggered_one_that_margin_refuses_says_so(
    alice: Client, admin: Client
) -> None:
    mark = await mark_of(alice)
    options = {"trigger": Trigger("take_profit", mark - 100)}
    foretold = await alice.preview_order(BTC, "buy", "0.5", **options)
    placed = await alice.place_order(BTC, "buy", "0.5", **options)
    assert foretold.order is not None
    assert foretold.order.order == placed.order
    account = await alice.account()
    await alice.withdraw(account.withdrawable)
    updates = []
    await alice.subscribe("orders", handle=lambda update: updates.append(update.data))
    await admin.admin_set_mark({BTC: mark - 100})
    await alice.ping()
    told, ended = updates[-2:]
    assert told.margin is not None
    assert told.margin.available_after < 0
    assert (ended.order_status, ended.reason) == (OrderStatus.CANCELED, "margin.initial_insufficient")
    assert await alice.open_orders() == ()
