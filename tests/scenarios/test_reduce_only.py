"""Reduce-only orders shrink with the position and never turn it round."""

from __future__ import annotations

import pytest

from tests.scenarios.table import Table

STAGE = (
    "alice deposits 10000; bob deposits 10000; carol deposits 10000; mark BTC 100;"
    "alice buys 10 BTC at 100; bob sells 10 BTC at 100"
)
"""Alice is long 10, bob short 10; two order ids are used."""


@pytest.mark.rule("BOOK-010")
def test_without_an_opposite_position_a_reduce_only_order_is_rejected() -> None:
    Table(STAGE).play(
        ("carol sells 1 BTC at 100 reduce-only", "rejected order.reduce_only_no_position"),
        ("alice buys 1 BTC at 100 reduce-only", "rejected order.reduce_only_no_position"),
        ("bob sells 1 BTC at market reduce-only", "rejected order.reduce_only_no_position"),
        ("alice sells 1 BTC at 100 reduce-only", "accepted 3, rested 3"),
    )


@pytest.mark.rule("BOOK-010")
def test_as_taker_it_closes_what_there_is_and_the_rest_is_canceled() -> None:
    Table(STAGE).play(
        ("carol buys 20 BTC at 100", "accepted 3, rested 3"),
        (
            "alice sells 15 BTC at 100 reduce-only",
            "accepted 4, trade 10@100 maker 3 taker 4, canceled 4 order.reduce_only_nothing_left quantity 5 had_filled 10",
        ),
        ("alice", "BTC flat"),
        ("carol", "orders 3:10"),
    )


@pytest.mark.rule("BOOK-010")
def test_longer_than_the_position_it_rests_cut_to_it() -> None:
    Table(STAGE).play(
        ("alice sells 15 BTC at 110 reduce-only", "accepted 3, shrunk 3 to 10, rested 3 open 10"),
        ("BTC book", "bids none, asks 10@110"),
    )


@pytest.mark.rule("BOOK-010", "BOOK-001")
def test_when_the_position_shrinks_it_is_shrunk_and_keeps_its_place() -> None:
    Table(STAGE).play(
        ("alice sells 10 BTC at 110 reduce-only", "accepted 3, rested 3"),
        ("bob sells 5 BTC at 110", "accepted 4, rested 4"),
        ("carol buys 4 BTC at 100", "accepted 5, rested 5"),
        ("alice sells 4 BTC at market", "accepted 6, trade 4@100 maker 5 taker 6, filled 5, shrunk 3 to 6, filled 6"),
        ("BTC book", "bids none, asks 11@110"),
        ("carol buys 6 BTC at 110", "accepted 7, trade 6@110 maker 3 taker 7, filled 3, filled 7"),
        ("alice", "BTC flat, orders none"),
    )


@pytest.mark.rule("BOOK-010")
def test_with_nothing_left_to_reduce_it_is_canceled() -> None:
    Table(STAGE).play(
        ("alice sells 3 BTC at 110 reduce-only", "accepted 3, rested 3"),
        ("alice sells 4 BTC at 111 reduce-only", "accepted 4, rested 4"),
        ("carol buys 10 BTC at 100", "accepted 5, rested 5"),
        (
            "alice sells 10 BTC at 100",
            "accepted 6, trade 10@100 maker 5 taker 6, filled 5, canceled 3 order.reduce_only_nothing_left quantity 3, "
            "canceled 4 order.reduce_only_nothing_left quantity 4, filled 6",
        ),
    )


@pytest.mark.rule("BOOK-010")
def test_a_flip_cancels_what_reduced_the_old_side() -> None:
    Table(STAGE).play(
        ("alice sells 3 BTC at 110 reduce-only", "accepted 3, rested 3"),
        ("carol buys 15 BTC at 100", "accepted 4, rested 4"),
        (
            "alice sells 15 BTC at 100",
            "accepted 5, trade 10@100 maker 4 taker 5, canceled 3 order.reduce_only_nothing_left, "
            "trade 5@100 maker 4 taker 5, filled 4, filled 5",
        ),
        ("alice", "BTC -5"),
    )


@pytest.mark.rule("BOOK-010")
def test_each_is_measured_against_the_whole_position_and_the_second_goes_when_the_first_closed_it() -> None:
    Table(STAGE).play(
        ("alice sells 10 BTC at 101 reduce-only", "accepted 3, rested 3"),
        ("alice sells 10 BTC at 101 reduce-only", "accepted 4, rested 4"),
        ("BTC book", "bids none, asks 20@101"),
        (
            "carol buys 4 BTC at 101",
            "accepted 5, trade 4@101 maker 3 taker 5, shrunk 4 to 6, filled 5",
        ),
        (
            "carol buys 15 BTC at 101",
            "accepted 6, trade 6@101 maker 3 taker 6, filled 3, canceled 4 order.reduce_only_nothing_left quantity 6, "
            "rested 6 open 9",
        ),
        ("alice", "BTC flat, orders none"),
    )


@pytest.mark.rule("BOOK-010", "MARG-008")
def test_it_holds_no_margin_and_uses_none_of_the_free_lots() -> None:
    Table(STAGE).play(
        ("alice sells 10 BTC at 110 reduce-only", "accepted 3 required 0, rested 3"),
        ("alice sells 10 BTC at 111", "accepted 4 required 0, rested 4"),
        ("alice sells 1 BTC at 112", "accepted 5 required 11.200002, rested 5"),
    )


@pytest.mark.rule("BOOK-010")
def test_a_buy_reduces_a_short_the_same_way() -> None:
    Table(STAGE).play(
        ("bob buys 12 BTC at 90 reduce-only", "accepted 3, shrunk 3 to 10, rested 3"),
        ("carol sells 4 BTC at 90", "accepted 4, trade 4@90 maker 3 taker 4, filled 4"),
        ("bob", "BTC -6, orders 3:6"),
        ("bob buys 6 BTC at market", "accepted 5, canceled 5 order.protection_price"),
        ("carol sells 6 BTC at 90", "accepted 6, trade 6@90 maker 3 taker 6, filled 3, filled 6"),
        ("bob", "BTC flat, orders none"),
    )
