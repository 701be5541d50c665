"""A fill-or-kill order walks the whole sweep on copies first, margin included; killed, it leaves no trace."""

from __future__ import annotations

import pytest

from exchange.domain.commands import PlaceOrder
from exchange.domain.enums import Side, TimeInForce
from exchange.venue.state import VenueLimits
from tests.cast import ALICE, T0
from tests.scenarios.table import Table

POOR_MAKER = (
    "alice deposits 10000; bob deposits 101; carol deposits 10000; mark BTC 100;"
    "bob sells 10 BTC at 100; carol sells 10 BTC at 121; mark BTC 120"
)
"""Bob's order 1 at 100 was affordable at a mark of 100; at 120 its fill would leave him with less than nothing."""


@pytest.mark.rule("BOOK-004")
def test_it_fills_whole_or_is_rejected() -> None:
    Table("alice deposits 10000; bob deposits 10000; mark BTC 100; bob sells 4 BTC at 100; bob sells 4 BTC at 101").play(
        ("alice buys 9 BTC at 101 fok", "rejected order.fok_unfillable required 99.900002"),
        ("alice buys 5 BTC at 100 fok", "rejected order.fok_unfillable"),
        ("BTC book", "bids none, asks 4@100+4@101"),
        (
            "alice buys 8 BTC at 101 fok",
            "accepted 3, trade 4@100 maker 1 taker 3, filled 1, trade 4@101 maker 2 taker 3, filled 2, filled 3",
        ),
    )


@pytest.mark.rule("BOOK-004", "CONS-006")
def test_killed_it_changes_nothing_but_sequence_and_time() -> None:
    fok = PlaceOrder(
        account=ALICE, symbol="BTC-PERP", side=Side.BUY, quantity=11, limit_price=121, time_in_force=TimeInForce.FOK
    )
    refused = PlaceOrder(account=ALICE, symbol="BTC-PERP", side=Side.BUY, quantity=0, limit_price=121)
    with_fok, without = Table(POOR_MAKER).venue, Table(POOR_MAKER).venue
    with_fok.apply(fok, now_ns=T0 * 2)
    without.apply(refused, now_ns=T0 * 2)
    assert with_fok.digest() == without.digest()


@pytest.mark.rule("BOOK-004", "MARG-013")
def test_a_maker_that_would_fail_does_not_count_and_is_removed_only_when_the_order_goes_through() -> None:
    Table(POOR_MAKER).play(
        ("alice buys 11 BTC at 121 fok", "rejected order.fok_unfillable"),
        ("bob", "orders 1:10"),
        (
            "alice buys 10 BTC at 121 fok",
            "accepted 3, canceled 1 margin.maker_fill_check_failed, trade 10@121 maker 2 taker 3, filled 2, filled 3",
        ),
    )


@pytest.mark.rule("BOOK-004", "MARG-013")
def test_the_takers_own_fill_checks_are_part_of_the_walk() -> None:
    Table(
        "alice deposits 100; bob deposits 10000; mark BTC 100; alice buys 9 BTC at 100; bob sells 9 BTC at 100;"
        "bob buys 4 BTC at 95; bob buys 5 BTC at 80"
    ).play(
        ("alice sells 9 BTC at 80 fok", "rejected order.fok_unfillable"),
        ("alice", "BTC +9"),
        (
            "alice sells 9 BTC at 80 ioc",
            "accepted 5, trade 4@95 maker 3 taker 5, filled 3, canceled 5 margin.reduce_below_maintenance quantity 5",
        ),
    )


@pytest.mark.rule("BOOK-004", "BOOK-011")
def test_it_may_flip_and_be_met_by_one_maker_twice() -> None:
    Table(
        "alice deposits 10000; bob deposits 10000; mark BTC 100; alice buys 4 BTC at 100; bob sells 4 BTC at 100;"
        "bob buys 9 BTC at 100"
    ).play(
        ("alice sells 10 BTC at 100 fok", "rejected order.fok_unfillable"),
        (
            "alice sells 9 BTC at 100 fok",
            "accepted 4, trade 4@100 maker 3 taker 4, trade 5@100 maker 3 taker 4, filled 3, filled 4",
        ),
    )


@pytest.mark.rule("BOOK-004", "BOOK-010")
def test_a_reduce_only_fok_longer_than_the_position_cannot_fill() -> None:
    Table(
        "alice deposits 10000; bob deposits 10000; mark BTC 100; alice buys 4 BTC at 100; bob sells 4 BTC at 100;"
        "bob buys 9 BTC at 100"
    ).play(
        ("alice sells 5 BTC at 100 fok reduce-only", "rejected order.fok_unfillable"),
        (
            "alice sells 4 BTC at 100 fok reduce-only",
            "accepted 4, trade 4@100 maker 3 taker 4, filled 4",
        ),
    )


@pytest.mark.rule("BOOK-004", "BOOK-010")
def test_the_walk_follows_what_fills_do_to_other_orders() -> None:
    """Alice's two reduce-only asks cannot both fill: the first closes the position, so 10 lots are not to be had."""
    Table(
        "alice deposits 10000; bob deposits 10000; carol deposits 10000; mark BTC 100;"
        "alice buys 5 BTC at 100; bob sells 5 BTC at 100; alice sells 5 BTC at 101 reduce-only;"
        "alice sells 5 BTC at 102 reduce-only; alice sells 5 BTC at 140 reduce-only"
    ).play(
        ("carol buys 10 BTC at 102 fok", "rejected order.fok_unfillable"),
        ("alice", "orders 3:5+4:5+5:5"),
        (
            "carol buys 5 BTC at 102 fok",
            "accepted 6, trade 5@101 maker 3 taker 6, filled 3, canceled 4 order.reduce_only_nothing_left, "
            "canceled 5 order.reduce_only_nothing_left, filled 6",
        ),
    )


@pytest.mark.rule("BOOK-004", "MARG-011")
def test_a_reducing_fok_sheds_in_its_walk_as_it_does_in_the_book() -> None:
    """Closing 10 lots leaves alice's far asks without offset; the walk on copies meets the same and goes through."""
    Table(
        "alice deposits 101; bob deposits 10000; mark BTC 100; alice buys 10 BTC at 100; bob sells 10 BTC at 100;"
        "alice sells 10 BTC at 110; bob buys 10 BTC at 100"
    ).play(
        (
            "alice sells 10 BTC at 100 fok reduce-only",
            "accepted 5, trade 10@100 maker 4 taker 5, filled 4, canceled 3 margin.offset_lost, filled 5",
        ),
    )


@pytest.mark.rule("BOOK-004", "BOOK-012")
def test_what_is_taken_out_of_the_book_unmet_does_not_count_toward_the_most_matches() -> None:
    Table(
        "alice deposits 10000; bob deposits 10000; carol deposits 10000; mark BTC 100;"
        "carol sells 3 BTC at 100; bob buys 3 BTC at 100;"
        "bob sells 3 BTC at 101; bob sells 3 BTC at 101 reduce-only; carol sells 2 BTC at 101",
        limits=VenueLimits(sweep_makers_max=2),
    ).play(
        (
            "alice buys 5 BTC at 101 fok",
            "accepted 6, trade 3@101 maker 3 taker 6, filled 3, canceled 4 order.reduce_only_nothing_left, "
            "trade 2@101 maker 5 taker 6, filled 5, filled 6",
        ),
    )
