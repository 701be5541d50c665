"""A client order id makes an order safe to send again."""

from __future__ import annotations

import pytest

from exchange.venue.state import VenueLimits
from tests.scenarios.table import Table

RICH = "alice deposits 10000; bob deposits 10000; mark BTC 100"


@pytest.mark.rule("BOOK-014")
def test_the_same_order_again_returns_the_first_answer_and_does_nothing() -> None:
    Table(RICH).play(
        ("alice buys 3 BTC at 100 as:a", "accepted 1, rested 1"),
        ("alice buys 3 BTC at 100 as:a", "repeated 1 status open"),
        ("BTC book", "bids 3@100"),
        ("bob sells 3 BTC at 100", "accepted 2, trade 3@100 maker 1 taker 2, filled 1, filled 2"),
        ("alice buys 3 BTC at 100 as:a", "repeated 1 status open"),
        ("alice", "BTC +3, orders none"),
    )


@pytest.mark.rule("BOOK-014")
def test_the_first_answer_says_what_became_of_the_order_at_once() -> None:
    Table(RICH).play(
        ("bob sells 2 BTC at 100", "accepted 1, rested 1"),
        ("alice buys 2 BTC at 100 ioc as:a", "accepted 2, trade 2@100 maker 1 taker 2, filled 1, filled 2"),
        ("alice buys 2 BTC at 100 ioc as:a", "repeated 2 status filled"),
        ("alice buys 2 BTC at 100 ioc as:b", "accepted 3, canceled 3 order.ioc_remainder"),
        ("alice buys 2 BTC at 100 ioc as:b", "repeated 3 status canceled"),
    )


@pytest.mark.rule("BOOK-014")
@pytest.mark.parametrize(
    "other",
    [
        "alice buys 4 BTC at 100 as:a",
        "alice buys 3 BTC at 99 as:a",
        "alice sells 3 BTC at 100 as:a",
        "alice buys 3 BTC at 100 post-only as:a",
        "alice buys 3 BTC at 100 cancel-both as:a",
        "alice buys 3 ETH at 100 as:a",
    ],
)
def test_the_same_id_for_another_order_is_rejected(other: str) -> None:
    Table(RICH + "; mark ETH 100").play(
        ("alice buys 3 BTC at 100 as:a", "accepted 1, rested 1"),
        (other, "rejected order.client_order_id_reused"),
        ("alice", "orders 1:3"),
    )


@pytest.mark.rule("BOOK-014")
def test_ids_belong_to_the_account_and_rejected_orders_are_not_remembered() -> None:
    Table(RICH).play(
        ("alice buys 3 BTC at 9 as:a", "rejected order.price_band"),
        ("alice buys 3 BTC at 99 as:a", "accepted 1, rested 1"),
        ("bob buys 3 BTC at 99 as:a", "accepted 2, rested 2"),
        ("bob cancels as:a", "canceled 2 order.canceled_by_owner"),
        ("alice", "orders 1:3"),
    )


@pytest.mark.rule("BOOK-014")
def test_a_gone_order_is_forgotten_once_enough_others_were_accepted_and_its_id_is_free_again() -> None:
    Table(RICH, limits=VenueLimits(client_order_ids_max=2)).play(
        ("alice buys 1 BTC at 100 ioc as:a", "accepted 1, canceled 1 order.ioc_remainder"),
        ("alice buys 1 BTC at 100 ioc as:b", "accepted 2, canceled 2 order.ioc_remainder"),
        ("alice buys 1 BTC at 100 ioc as:a", "repeated 1"),
        ("alice buys 1 BTC at 100 ioc as:c", "accepted 3, canceled 3 order.ioc_remainder"),
        ("alice buys 1 BTC at 100 ioc as:b", "repeated 2"),
        ("alice buys 1 BTC at 100 ioc as:a", "accepted 4, canceled 4 order.ioc_remainder"),
    )


@pytest.mark.rule("BOOK-014")
def test_an_open_order_is_remembered_however_many_come_after_it() -> None:
    Table(RICH, limits=VenueLimits(client_order_ids_max=1)).play(
        ("alice buys 1 BTC at 90 as:a", "accepted 1, rested 1"),
        ("alice buys 1 BTC at 91 as:b", "accepted 2, rested 2"),
        ("alice buys 1 BTC at 92 as:c", "accepted 3, rested 3"),
        ("alice buys 1 BTC at 90 as:a", "repeated 1"),
        ("alice cancels as:a", "canceled 1 order.canceled_by_owner"),
    )


@pytest.mark.rule("BOOK-014")
def test_the_last_accepted_ids_are_remembered_while_older_orders_are_still_open() -> None:
    Table(RICH, limits=VenueLimits(client_order_ids_max=1)).play(
        ("alice buys 1 BTC at 90 as:a", "accepted 1, rested 1"),
        ("alice buys 1 BTC at 100 ioc as:b", "accepted 2, canceled 2 order.ioc_remainder"),
        ("alice buys 1 BTC at 100 ioc as:b", "repeated 2"),
    )


@pytest.mark.rule("BOOK-014")
def test_an_old_id_is_free_as_soon_as_its_order_is_gone() -> None:
    Table(RICH, limits=VenueLimits(client_order_ids_max=1)).play(
        ("alice buys 1 BTC at 90 as:a", "accepted 1, rested 1"),
        ("alice buys 1 BTC at 91 as:b", "accepted 2, rested 2"),
        ("alice cancels as:a", "canceled 1 order.canceled_by_owner"),
        ("alice cancels as:b", "canceled 2 order.canceled_by_owner"),
        ("alice buys 1 BTC at 91 as:b", "repeated 2 status open"),
        ("alice buys 1 BTC at 90 as:a", "accepted 3, rested 3"),
        ("alice buys 1 BTC at 92 as:b", "accepted 4, rested 4"),
    )
