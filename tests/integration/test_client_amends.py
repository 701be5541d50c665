"""Amends, batches and cancel-all by filters, with the real client against the real server, in both encodings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from clients import AmendOrder, CancelOrder, Client, ExchangeError, OrderRejected, PlaceOrder, RequestRefused
from clients.messages import Amended, Order, Placed
from tests.unit.clients.live_exchange import LiveExchange, live_exchange

BTC = "BTC-PERP"


@pytest.fixture
async def exchange() -> AsyncIterator[LiveExchange]:
    async with live_exchange() as live:
        yield live


@pytest.fixture(params=["msgpack", "json"])
async def alice(exchange: LiveExchange, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with exchange.client("alice", encoding=request.param) as client:
        yield client


async def low_price(client: Client) -> Decimal:
    mark = (await client.ticker(BTC)).mark_price
    assert mark is not None
    return (mark * Decimal("0.99")).quantize(Decimal(1))


@pytest.mark.rule("BOOK-019")
async def test_an_order_is_amended_and_its_mirror_follows(alice: Client) -> None:
    price = await low_price(alice)
    mirror = await alice.mirror(BTC)
    placed = await alice.buy(BTC, "0.02", price, client_order_id="mine")
    amended = await alice.amend(placed.order.order_id, quantity="0.01")
    assert (amended.keeps_place, amended.order.open_quantity) == (True, Decimal("0.01"))
    assert amended.margin is not None
    foreseen = await alice.preview_amend(client_order_id="mine", price=price - 10)
    moved = await alice.amend(client_order_id="mine", price=price - 10)
    assert (moved.keeps_place, moved.order.limit_price) == (False, price - 10)
    assert foreseen.order is not None
    assert foreseen.order.order == moved.order
    assert mirror.orders.order(placed.order.order_id) == moved.order
    with pytest.raises(OrderRejected) as rejected:
        await alice.amend(placed.order.order_id, price="1")
    assert (rejected.value.name, rejected.value.margin is None) == ("order.price_band", False)
    with pytest.raises(ValueError, match="either order_id or client_order_id"):
        await alice.amend(quantity=1)


@pytest.mark.rule("BOOK-020")
async def test_a_position_is_closed_whole_with_one_call(exchange: LiveExchange, alice: Client) -> None:
    async with exchange.client("bob") as bob:
        price = await low_price(alice)
        await bob.buy(BTC, "0.05", price)
        await alice.sell(BTC, "0.03", price)
        await bob.sell(BTC, "0.05", price + 1)
        closed = await alice.close_position(BTC, "buy")
        assert (closed.order.filled_quantity, closed.order.reduce_only) == (Decimal("0.03"), True)
        assert [position.quantity for position in await alice.positions(BTC)] == [0]
    with pytest.raises(ValueError, match="quantity: an order needs one"):
        await alice.place_order(BTC, "buy", None)  # type: ignore[arg-type]


@pytest.mark.rule("WIRE-030")
async def test_batches_return_each_result_or_error_in_its_place(alice: Client) -> None:
    price = await low_price(alice)
    orders = [PlaceOrder(symbol=BTC, side="buy", quantity="0.01", price=each) for each in (price, 1, price - 1)]
    first, refused, last = await alice.place_batch(orders)
    assert isinstance(first, Placed)
    assert isinstance(last, Placed)
    assert isinstance(refused, OrderRejected)
    assert refused.name == "order.price_band"
    ids = first.order.order_id, last.order.order_id
    amended = await alice.amend_batch([AmendOrder(order_id=number, quantity="0.005") for number in (*ids, 10**9)])
    assert [isinstance(each, Amended) for each in amended] == [True, True, False]
    canceled = await alice.cancel_batch([CancelOrder(order_id=number) for number in (*ids, ids[0])])
    assert [isinstance(each, Order) for each in canceled] == [True, True, False]
    assert isinstance(canceled[2], RequestRefused)
    assert canceled[2].name == "order.not_found"
    with pytest.raises(ExchangeError, match=r"orders: 21 are more than the 20"):
        await alice.cancel_batch([CancelOrder(order_id=1)] * 21)


async def test_cancel_all_orders_of_a_side(alice: Client) -> None:
    price = await low_price(alice)
    await alice.buy(BTC, "0.01", price)
    await alice.sell(BTC, "0.01", price + 2_000)
    assert await alice.cancel_all_orders(BTC, side="sell") == 1
    assert await alice.cancel_all_orders(position_side="net") == 1
