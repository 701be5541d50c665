"""The book: priority, places in the queue, changes, and what a step costs (counted, not timed)."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType

import pytest

from exchange.domain.enums import OrderStatus, Side
from exchange.domain.views import DepthLevel
from exchange.matching.book import Book
from exchange.matching.order import Order
from tests.cast import ALICE, BOB, T0

BUY, SELL = Side.BUY, Side.SELL


def order(order_id: int, side: Side, quantity: int, price: int, account: str = ALICE) -> Order:
    return Order(
        order_id=order_id, account=account, symbol="BTC-PERP", side=side, quantity=quantity, limit_price=price, time_ns=T0
    )


def book_of(*orders: Order) -> Book:
    book = Book("BTC-PERP")
    for resting in orders:
        book.rest(resting)
    return book


def ids(book: Book, side: Side) -> list[int]:
    return [resting.order_id for resting in book.queue(side)]


@pytest.mark.rule("BOOK-001")
def test_asks_queue_from_low_to_high_bids_from_high_to_low_and_each_price_by_arrival() -> None:
    book = book_of(
        order(1, SELL, 1, 102),
        order(2, SELL, 1, 101),
        order(3, SELL, 1, 102),
        order(4, BUY, 1, 98),
        order(5, BUY, 1, 99),
        order(6, BUY, 1, 98),
    )
    assert ids(book, SELL) == [2, 1, 3]
    assert ids(book, BUY) == [5, 4, 6]
    assert book.best_price(SELL) == 101
    assert book.best_price(BUY) == 99


@pytest.mark.rule("BOOK-001")
def test_a_partly_filled_maker_keeps_its_place_and_a_filled_one_leaves() -> None:
    first, second = order(1, SELL, 5, 100), order(2, SELL, 5, 100)
    book, taker = book_of(first, second), order(3, BUY, 8, 100)
    assert book.next_match(taker) is first
    book.execute(taker, first, 3, 300)
    assert book.next_match(taker) is first
    assert (first.status, first.open_quantity, first.filled_value) == (OrderStatus.PARTIALLY_FILLED, 2, 300)
    book.execute(taker, first, 2, 200)
    assert first.status is OrderStatus.FILLED
    assert book.next_match(taker) is second
    assert ids(book, SELL) == [2]
    assert (taker.open_quantity, taker.filled_quantity, taker.filled_value) == (3, 5, 500)


@pytest.mark.rule("BOOK-001", "BOOK-005")
@pytest.mark.parametrize(
    ("side", "limit", "meets"),
    [(BUY, 100, False), (BUY, 101, True), (BUY, 102, True), (SELL, 100, False), (SELL, 99, True), (SELL, 98, True)],
)
def test_an_order_meets_the_other_side_at_an_equal_or_better_price(side: Side, limit: int, meets: bool) -> None:
    book = book_of(order(1, SELL, 1, 101), order(2, BUY, 1, 99))
    assert book.would_cross(side, limit) is meets
    assert (book.next_match(order(3, side, 1, limit)) is not None) is meets


def test_an_empty_side_meets_nobody() -> None:
    book = Book("BTC-PERP")
    assert book.best_price(BUY) is None
    assert not book.would_cross(SELL, 1)
    assert book.next_match(order(1, SELL, 1, 1)) is None
    assert book.depth(BUY, 5) == ()
    assert book.take_changes() == ()


@pytest.mark.rule("BOOK-010")
def test_shrinking_keeps_the_place_and_lessens_the_level() -> None:
    first, second = order(1, SELL, 5, 100), order(2, SELL, 5, 100)
    book = book_of(first, second)
    book.shrink(first, 2)
    assert ids(book, SELL) == [1, 2]
    assert book.depth(SELL, 1) == (DepthLevel(SELL, 100, 7),)
    assert first.open_quantity == 2


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_an_order_can_leave_from_anywhere_in_its_queue(gone: int) -> None:
    orders = {number: order(number, BUY, number, 100) for number in (1, 2, 3)}
    book = book_of(*orders.values())
    book.remove(orders[gone])
    assert ids(book, BUY) == [number for number in (1, 2, 3) if number != gone]
    assert book.depth(BUY, 1) == (DepthLevel(BUY, 100, 6 - gone),)
    book.rest(order(4, BUY, 1, 100))
    assert ids(book, BUY)[-1] == 4


def test_the_last_order_takes_its_level_with_it_and_the_price_can_come_back() -> None:
    only = order(1, BUY, 1, 100)
    book = book_of(only, order(2, BUY, 1, 99))
    book.remove(only)
    assert book.depth(BUY, 5) == (DepthLevel(BUY, 99, 1),)
    book.rest(order(3, BUY, 4, 100))
    assert book.depth(BUY, 1) == (DepthLevel(BUY, 100, 4),)


def test_depth_is_best_first_and_no_deeper_than_asked() -> None:
    book = book_of(*(order(price, SELL, price, price) for price in (103, 101, 102)))
    assert book.depth(SELL, 2) == (DepthLevel(SELL, 101, 101), DepthLevel(SELL, 102, 102))
    assert len(book.depth(SELL, 9)) == 3
    assert book.depth(SELL, 0) == ()


def test_changes_are_the_new_totals_since_last_asked_bids_first_and_best_first() -> None:
    book = book_of(order(1, BUY, 1, 98), order(2, BUY, 2, 99), order(3, SELL, 3, 102), order(4, SELL, 4, 101))
    assert book.take_changes() == (
        DepthLevel(BUY, 99, 2),
        DepthLevel(BUY, 98, 1),
        DepthLevel(SELL, 101, 4),
        DepthLevel(SELL, 102, 3),
    )
    assert book.take_changes() == ()
    book.execute(order(5, BUY, 1, 101), book.orders[4], 1, 101)
    book.remove(book.orders[1])
    book.rest(order(6, BUY, 5, 99))
    book.shrink(book.orders[3], 1)
    assert book.take_changes() == (
        DepthLevel(BUY, 99, 7),
        DepthLevel(BUY, 98, 0),
        DepthLevel(SELL, 101, 3),
        DepthLevel(SELL, 102, 1),
    )


def test_a_removed_order_holds_no_links_so_that_no_cycle_keeps_the_dead_alive() -> None:
    orders = [order(number, SELL, 1, 100, BOB) for number in range(1, 4)]
    book = book_of(*orders)
    book.remove(orders[1])
    book.execute(order(9, BUY, 1, 100), orders[0], 1, 100)
    for gone in orders[:2]:
        assert (gone.level, gone.previous, gone.next) == (None, None, None)


def test_orders_that_left_are_freed_without_the_cycle_collector() -> None:
    book = book_of(*(order(number, SELL, 1, 100 + number % 3) for number in range(30)))
    gc.collect()
    gc.disable()
    try:
        for number in range(30):
            book.remove(book.orders[number])
        assert gc.collect() == 0
    finally:
        gc.enable()


def calls_made(action: Callable[[], object]) -> int:
    """Return how many Python lines ``action`` runs in the project: a cost that no clock disturbs."""
    lines = 0

    def count(frame: FrameType, event: str, argument: object) -> object:
        nonlocal lines
        lines += event == "line" and "exchange/matching" in frame.f_code.co_filename
        return count

    before = sys.gettrace()
    gc.disable()
    sys.settrace(count)  # type: ignore[arg-type]
    try:
        action()
    finally:
        sys.settrace(before)
        gc.enable()
    return lines


@pytest.mark.parametrize("prices", [1, 400])
def test_cancelling_by_id_costs_the_same_with_ten_orders_as_with_thousands(prices: int) -> None:
    def cost(orders: int) -> int:
        book = book_of(*(order(number, BUY, 1, 1_000 + number % prices) for number in range(orders)))
        victim = book.orders[orders // 2]
        return calls_made(lambda: book.remove(victim))

    few, many = cost(max(10, prices * 2)), cost(4_000)
    assert 0 < many <= few + 5


def test_the_next_match_and_a_fill_cost_the_same_however_deep_the_book_is() -> None:
    def cost(orders: int) -> int:
        book = book_of(*(order(number, SELL, 2, 1_000 + number // 2) for number in range(orders)))
        taker = order(-1, BUY, 1, 1_000)

        def fill() -> None:
            maker = book.next_match(taker)
            assert maker is not None
            book.execute(taker, maker, 1, 1_000)

        return calls_made(fill)

    assert cost(4_000) == cost(10) > 0


def test_a_copied_order_is_the_same_order_outside_the_book() -> None:
    book = book_of(order(1, SELL, 5, 100))
    original = book.orders[1]
    book.execute(order(2, BUY, 2, 100), original, 2, 200)
    twin = original.copy()
    assert twin.view() == original.view()
    assert (twin.level, twin.previous, twin.next) == (None, None, None)
    twin.fill(3, 300)
    assert original.open_quantity == 3


def test_a_canceled_order_says_how_much_was_open_and_a_view_is_a_picture_of_that_moment() -> None:
    resting = order(1, SELL, 5, 100)
    before = resting.view()
    resting.fill(2, 200)
    assert resting.cancel() == 3
    assert (resting.status, resting.open_quantity, resting.filled_quantity) == (OrderStatus.CANCELED, 0, 2)
    assert (before.order_status, before.open_quantity) == (OrderStatus.OPEN, 5)
