"""Books told order by order, beside the venue's own queues."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.market_data import RestingOrder
from clients.mirror import OrderBookMirror
from clients.updates import read_update
from exchange.domain.commands import AmendOrder
from exchange.domain.enums import Side
from exchange.wire.codec import JSON
from tests.cast import ALICE, BOB
from tests.properties.book_stage import SYMBOL, BookStage, Follower
from tests.properties.profiles import profile
from tests.wire_kit import BTC


class OrderBookStage(BookStage):
    """The same market, followed order by order, over a line that is sound or loses some messages."""

    def __init__(self, numbers: Random, losses: int) -> None:
        super().__init__(numbers)
        self.follower = Follower(self.gateway, JSON, ["book.orders"])
        self.mirror = OrderBookMirror(SYMBOL, self._renew)
        self.losses = losses
        self.wants_renewal = False
        self.truth: Any = {}
        self.hear()

    def hear(self) -> None:
        queues = self._queue(Side.BUY), self._queue(Side.SELL)
        for frame in self.follower.read():
            self.truth[frame["sequence"]] = queues
            update = read_update(frame)
            assert update is not None
            if frame["type"] == "snapshot" or self.numbers.randrange(100) >= self.losses:
                self.mirror.receive(update)
        if self.mirror.ready:
            assert (self.mirror.bids(), self.mirror.asks()) == self.truth[self.mirror.sequence]
            if not self.losses:
                assert (self.mirror.bids(), self.mirror.asks()) == queues
        if self.wants_renewal:
            self.wants_renewal = False
            self.follower.subscribe("book.orders")
            self.hear()
            assert self.mirror.ready

    def amend(self) -> None:
        """Give an order of somebody's another quantity, another price, or both."""
        account = self.numbers.choice((ALICE, BOB))
        orders = self.parts.venue.open_orders(account)
        if orders:
            order = self.numbers.choice(orders)
            self.give(
                AmendOrder(
                    account=account,
                    order_id=order.order_id,
                    quantity=self.numbers.choice((None, max(1, order.quantity // 2), order.quantity + 5)),
                    limit_price=self.numbers.choice((None, order.limit_price, max(1, order.limit_price - order.side.sign))),
                )
            )

    def _renew(self) -> None:
        self.wants_renewal = True

    def _queue(self, side: Side) -> tuple[RestingOrder, ...]:
        prices, quantities = BTC.price_grid, BTC.quantity_grid
        return tuple(
            RestingOrder(
                order.order_id, Decimal(prices.format(order.limit_price)), Decimal(quantities.format(order.open_quantity))
            )
            for order in self.parts.venue.resting_orders(SYMBOL, side)
        )


def play(numbers: Random, commands: int, losses: int) -> OrderBookStage:
    stage = OrderBookStage(numbers, losses)
    for _ in range(commands):
        if numbers.randrange(6) == 0:
            stage.amend()
        else:
            stage.give(stage.command())
        stage.hear()
    return stage


@pytest.mark.rule("WIRE-027")
@given(numbers=st.randoms(use_true_random=False), commands=st.integers(1, 40), losses=st.sampled_from([0, 10]))
@profile(15)
def test_a_book_rebuilt_order_by_order_is_the_venues_queues(numbers: Random, commands: int, losses: int) -> None:
    play(numbers, commands, losses)


@pytest.mark.rule("WIRE-027")
@pytest.mark.parametrize("losses", [0, 5])
def test_it_is_over_a_long_run_too_and_what_is_lost_is_found(losses: int) -> None:
    stage = play(Random(losses), 1_000, losses)
    assert (stage.mirror.gaps > 10) is bool(losses)
    assert len(stage.truth) > 400
