"""A book on copies: what a taker would meet, and nothing that happens there happens in the book itself."""

from __future__ import annotations

import pytest

from exchange.domain.enums import Side
from exchange.matching.book import Book
from exchange.matching.rehearsal import RehearsedBook
from tests.unit.matching.test_book import BUY, SELL, book_of, ids, order


def rows(book: Book, side: Side) -> list[tuple[int, int]]:
    return [(resting.order_id, resting.open_quantity) for resting in book.queue(side)]


@pytest.mark.rule("BOOK-004")
def test_a_rehearsal_has_the_same_queues_and_leaves_the_book_alone() -> None:
    book = book_of(*(order(number, SELL, 2, 105 - number) for number in range(1, 5)), order(9, BUY, 1, 90))
    book.take_changes()
    copy = RehearsedBook(book)
    assert (copy.best_price(SELL), copy.best_price(BUY), copy.would_cross(BUY, 101)) == (101, 90, True)
    assert (ids(copy, SELL), ids(copy, BUY)) == ([4, 3, 2, 1], [9])
    taker = order(10, BUY, 8, 103)
    twin = copy.next_match(taker)
    assert twin is not None
    assert twin is not book.orders[4]
    copy.execute(taker, twin, 2, 202)
    copy.remove(copy.orders[3])
    copy.shrink(copy.orders[2], 1)
    assert rows(copy, SELL) == [(2, 1), (1, 2)]
    assert rows(book, SELL) == [(4, 2), (3, 2), (2, 2), (1, 2)]
    assert book.take_changes() == ()


@pytest.mark.rule("BOOK-004")
def test_what_was_only_looked_up_keeps_its_place_and_what_was_taken_out_is_never_met() -> None:
    book, taker = book_of(*(order(number, BUY, 2, 100) for number in range(1, 5))), order(9, SELL, 9, 100)
    copy = RehearsedBook(book)
    copy.shrink(copy.orders[3], 1)
    copy.remove(copy.orders[2])
    assert copy.orders.get(2) is None
    with pytest.raises(KeyError):
        copy.orders[2]
    met = []
    while (maker := copy.next_match(taker)) is not None:
        met.append((maker.order_id, maker.open_quantity))
        copy.execute(taker, maker, maker.open_quantity, 100 * maker.open_quantity)
    assert met == [(1, 2), (3, 1), (4, 2)]


@pytest.mark.rule("BOOK-004", "MARG-029")
def test_only_what_is_met_or_looked_up_is_copied() -> None:
    book = book_of(*(order(number, BUY, 2, 100) for number in range(1, 2_000)))
    copy, taker = RehearsedBook(book), order(9_999, SELL, 5, 100)
    for _ in range(3):
        maker = copy.next_match(taker)
        assert maker is not None
        copy.execute(taker, maker, min(2, taker.open_quantity), 100)
    assert 1_500 in copy.orders
    assert list(dict.keys(copy.orders)) == [3]


@pytest.mark.rule("BOOK-004")
def test_a_rehearsal_of_a_rehearsal_begins_where_that_stands() -> None:
    book = book_of(*(order(number, SELL, 2, 100 + number) for number in range(1, 5)))
    first = RehearsedBook(book)
    taker = order(9, BUY, 3, 110)
    maker = first.next_match(taker)
    assert maker is not None
    first.execute(taker, maker, 1, 101)
    first.remove(first.orders[2])
    second = RehearsedBook(first)
    again = second.next_match(taker)
    assert again is not None
    second.execute(taker, again, 1, 101)
    assert rows(second, SELL) == [(3, 2), (4, 2)]
    assert rows(first, SELL) == [(1, 1), (3, 2), (4, 2)]
    assert ids(book, SELL) == [1, 2, 3, 4]


@pytest.mark.rule("BOOK-019")
def test_an_order_that_lost_its_place_is_met_where_it_rests_now_and_only_there() -> None:
    book = book_of(*(order(number, SELL, 2, 100 + number) for number in range(1, 4)))
    copy = RehearsedBook(book)
    amended = copy.orders[2]
    copy.remove(amended)
    amended.limit_price = 103
    copy.rest(amended)
    assert sorted(ids(copy, SELL)) == [1, 2, 3]
    assert ids(book, SELL) == [1, 2, 3]
