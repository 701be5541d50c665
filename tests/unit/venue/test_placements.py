"""Which client order ids are remembered, and for how long."""

from __future__ import annotations

import random

import pytest

from exchange.domain.commands import PlaceOrder
from exchange.domain.enums import Side
from exchange.domain.events import OrderAccepted
from exchange.matching.order import Order
from exchange.venue.placements import Placement, PlacementMemory
from tests.cast import ALICE, T0


def placement(name: str, number: int = 1) -> Placement:
    order = Order(order_id=number, account=ALICE, symbol="BTC-PERP", side=Side.BUY, quantity=1, limit_price=100, time_ns=T0)
    command = PlaceOrder(account=ALICE, symbol="BTC-PERP", side=Side.BUY, quantity=1, limit_price=100, client_order_id=name)
    view = order.view()
    return Placement(name, command, OrderAccepted(order=view, decision=None), order, view)


@pytest.mark.rule("BOOK-014")
def test_the_last_accepted_are_remembered_open_or_not_and_older_ones_while_they_are_open() -> None:
    memory = PlacementMemory(2)
    kept = {name: placement(name) for name in "abcd"}
    for name in "abcd":
        memory.remember(kept[name])
    assert [item.name for item in memory] == ["a", "b", "c", "d"]
    kept["a"].order.cancel()
    kept["d"].order.cancel()
    assert memory.recall("a") is None
    assert memory.recall("b") is kept["b"]
    assert memory.recall("d") is kept["d"]
    assert [item.name for item in memory] == ["b", "c", "d"]


@pytest.mark.rule("BOOK-014")
def test_a_forgotten_id_may_be_used_again() -> None:
    memory = PlacementMemory(1)
    first, again = placement("a", 1), placement("a", 3)
    memory.remember(first)
    memory.remember(placement("b", 2))
    first.order.cancel()
    memory.remember(again)
    assert memory.recall("a") is again


@pytest.mark.rule("BOOK-014")
def test_what_is_kept_is_bounded_by_the_limit_and_the_open_orders() -> None:
    chance, memory, placed = random.Random(3), PlacementMemory(5), []
    for number in range(500):
        item = placement(f"id-{number}", number)
        placed.append(item)
        memory.remember(item)
        if chance.random() < 0.9:
            chance.choice(placed).order.cancel()
        expected = [kept for kept in placed[:-5] if kept.order.open_quantity] + placed[-5:]
        assert list(memory) == expected
        assert all((memory.recall(kept.name) is kept) == (kept in expected) for kept in placed[-20:])
