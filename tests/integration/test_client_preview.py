"""The real client's previews against the real server, in both encodings: typed, exact, and what then comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from clients import Client, OrderRejected, RequestRefused
from clients.preview_messages import Preview
from exchange.domain.enums import MarginMode, OrderStatus, PositionMode, PositionSide
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


async def mark_of(client: Client) -> Decimal:
    mark = (await client.ticker(BTC)).mark_price
    assert mark is not None
    return mark


async def check_account(client: Client, told: Preview) -> None:
    assert told.account == await client.account()
    assert told.positions == await client.positions()


@pytest.mark.rule("MARG-029")
async def test_an_order_is_foretold_and_then_comes_so(alice: Client, bob: Client) -> None:
    mark = await mark_of(alice)
    await bob.sell(BTC, "0.2", mark)
    told = await alice.preview_order(BTC, "buy", "0.5", mark, client_order_id="first")
    assert told.accepted
    assert told.error is None
    assert told.order is not None
    assert (told.order.order.filled_quantity, told.order.order.order_status) == (D("0.2"), OrderStatus.PARTIALLY_FILLED)
    assert told.order.order.is_open
    assert told.order.fee == mark * D("0.2") * D("0.0005")
    placed = await alice.buy(BTC, "0.5", mark, client_order_id="first")
    assert (told.order.order, told.order.margin) == (placed.order, placed.margin)
    await check_account(alice, told)
    position = told.position(BTC)
    assert position is not None
    assert position.quantity == D("0.2")
    assert told.position("ETH-PERP") is told.position(BTC, PositionSide.LONG) is None
    assert told.sequence + 1 == (await alice.ping()).sequence


@pytest.mark.rule("MARG-029")
async def test_a_refusal_is_part_of_the_answer_and_raises_nothing(alice: Client) -> None:
    mark = await mark_of(alice)
    told = await alice.preview_order(BTC, "buy", "1000", mark)
    with pytest.raises(OrderRejected) as refused:
        await alice.buy(BTC, "1000", mark)
    assert told.error is not None
    assert (told.error.code, told.error.name) == (refused.value.code, refused.value.name)
    assert (told.error.message, told.error.field) == (refused.value.message, refused.value.field)
    assert told.error.details == refused.value.margin
    assert (told.accepted, told.order) == (False, None)
    between_ticks = (await alice.preview_mark_prices({BTC: mark + D("0.01")})).error
    assert between_ticks is not None
    assert between_ticks.name == "order.tick_size"
    with pytest.raises(RequestRefused, match=r"withdraw\.amount"):
        await alice.preview_withdrawal("1.0000001")


@pytest.mark.rule("MARG-029", "MARG-020")
async def test_a_fall_of_the_mark_is_foretold_and_so_is_every_setting(alice: Client, bob: Client) -> None:
    mark = await mark_of(alice)
    await bob.sell(BTC, "0.5", mark)
    await alice.buy(BTC, "0.5", mark)
    switched = await alice.preview_margin_mode(BTC, "isolated", margin=8_000)
    assert switched.margin_moved == 8_000
    await alice.set_margin_mode(BTC, MarginMode.ISOLATED, margin=8_000)
    await check_account(alice, switched)
    lower = await alice.preview_leverage(BTC, 5)
    assert lower.margin_moved == (await alice.set_leverage(BTC, 5)).margin_moved > 0
    await check_account(alice, lower)
    added = await alice.preview_add_margin(BTC, "100.5")
    await alice.add_margin(BTC, "100.5")
    await check_account(alice, added)
    removed = await alice.preview_remove_margin(BTC, "100.5")
    assert (added.margin_moved, removed.margin_moved) == (D("100.5"), D("-100.5"))
    replenished = await alice.preview_auto_replenish(BTC, True)
    assert [each.auto_replenish for each in replenished.positions] == [True]
    withdrawn = await alice.preview_withdrawal(1_000)
    assert withdrawn.account.wallet_balance == (await alice.withdraw(1_000)).wallet_balance
    hedged = await alice.preview_position_mode(PositionMode.HEDGE)
    assert hedged.error is not None
    assert hedged.error.name == "margin.position_open"
    edge = (await alice.positions())[0].liquidation_price
    assert edge is not None
    warned = await alice.preview_mark_prices({BTC: edge})
    assert warned.liquidated == ()
    assert [(call.symbol, call.path) for call in warned.margin_calls] == [(BTC, MarginMode.ISOLATED)]
    fallen = await alice.preview_mark_prices({BTC: edge - D("0.1")})
    assert [(scope.symbol, scope.liquidating) for scope in fallen.liquidated] == [(BTC, True)]
