"""An order that meets its own account's order: three modes, order by order."""

from __future__ import annotations

import pytest

from tests.scenarios.table import Table

STAGE = (
    "alice deposits 10000; bob deposits 10000; mark BTC 100;"
    "bob sells 2 BTC at 100; alice sells 2 BTC at 100; bob sells 2 BTC at 101"
)
"""Asks: bob 1 and alice 2 at 100, bob 3 at 101."""


@pytest.mark.rule("BOOK-008", "CONS-003")
def test_cancel_taker_ends_the_taker_and_fills_before_that_stand() -> None:
    Table(STAGE).play(
        (
            "alice buys 6 BTC at 101",
            "accepted 4, trade 2@100 maker 1 taker 4, filled 1, canceled 4 order.self_trade_prevention quantity 4",
        ),
        ("alice", "orders 2:2, BTC +2"),
        ("BTC book", "bids none, asks 2@100+2@101"),
    )


@pytest.mark.rule("BOOK-008")
def test_cancel_maker_removes_the_own_order_and_goes_on() -> None:
    Table(STAGE).play(
        (
            "alice buys 6 BTC at 101 cancel-maker",
            "accepted 4, trade 2@100 maker 1 taker 4, filled 1, canceled 2 order.self_trade_prevention quantity 2, "
            "trade 2@101 maker 3 taker 4, filled 3, rested 4 open 2",
        ),
        ("BTC book", "bids 2@101, asks none"),
    )


@pytest.mark.rule("BOOK-008")
def test_cancel_both_removes_both_whole_without_taking_one_off_the_other() -> None:
    Table(STAGE).play(
        (
            "alice buys 3 BTC at 101 cancel-both",
            "accepted 4, trade 2@100 maker 1 taker 4, filled 1, canceled 2 order.self_trade_prevention quantity 2, "
            "canceled 4 order.self_trade_prevention quantity 1",
        ),
        ("alice", "orders none, BTC +2"),
    )


@pytest.mark.rule("BOOK-008")
def test_the_takers_mode_decides_and_not_the_makers() -> None:
    Table("alice deposits 10000; mark BTC 100").play(
        ("alice sells 1 BTC at 100 cancel-maker", "accepted 1, rested 1"),
        ("alice buys 1 BTC at 100 cancel-taker", "accepted 2, canceled 2 order.self_trade_prevention"),
        ("alice", "orders 1:1"),
    )


@pytest.mark.rule("BOOK-008")
def test_an_order_filled_before_it_meets_its_own_is_untouched() -> None:
    Table(STAGE).play(
        ("alice buys 2 BTC at 101", "accepted 4, trade 2@100 maker 1 taker 4, filled 1, filled 4"),
        ("alice", "orders 2:2"),
    )


@pytest.mark.rule("BOOK-008", "BOOK-004")
@pytest.mark.parametrize("mode", ["cancel-taker", "cancel-both"])
def test_a_fok_walk_ends_at_the_own_order_and_removes_nothing(mode: str) -> None:
    Table(STAGE).play(
        (f"alice buys 4 BTC at 101 fok {mode}", "rejected order.fok_unfillable"),
        ("alice", "orders 2:2, BTC flat"),
        (f"alice buys 2 BTC at 101 fok {mode}", "accepted 4, trade 2@100 maker 1 taker 4, filled 1, filled 4"),
    )


@pytest.mark.rule("BOOK-008", "BOOK-004")
def test_a_fok_walk_skips_the_own_order_under_cancel_maker() -> None:
    Table(STAGE).play(
        ("alice buys 5 BTC at 101 fok cancel-maker", "rejected order.fok_unfillable"),
        ("alice", "orders 2:2"),
        (
            "alice buys 4 BTC at 101 fok cancel-maker",
            "accepted 4, trade 2@100 maker 1 taker 4, filled 1, canceled 2 order.self_trade_prevention, "
            "trade 2@101 maker 3 taker 4, filled 3, filled 4",
        ),
    )
