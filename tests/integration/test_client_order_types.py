"""Orders that wait or end by themselves, with the real client against the real server, in both encodings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from clients import Client, OrderRejected
from exchange.domain.enums import OrderStatus, TimeInForce
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
