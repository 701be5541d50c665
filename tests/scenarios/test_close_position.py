"""Orders that close a position whole, whatever its size is by then (BOOK-020)."""

from __future__ import annotations

import pytest

from tests.scenarios.table import Table

LONG = "alice deposits 10000; bob deposits 10000; mark BTC 100; alice buys 5 BTC at 100; bob sells 5 BTC at 100"


@pytest.mark.rule("BOOK-020")
def test_an_order_to_close_has_the_positions_size_and_reduces_only() -> None:
    Table(f"{LONG}; bob buys 9 BTC at 99").play(
        ("alice sells all BTC at market", "accepted 4 quantity 5 reducing yes, trade 5@99 maker 3 taker 4, filled 4"),
        ("alice", "orders none, BTC flat"),
        ("alice sells all BTC at market", "rejected order.reduce_only_no_position"),
    )


@pytest.mark.rule("BOOK-020", "BOOK-010")
def test_one_that_rests_is_cut_as_any_reduce_only_order_and_grows_no_more() -> None:
    Table(LONG).play(
        ("alice sells all BTC at 110", "accepted 3 quantity 5, rested 3"),
        ("bob buys 2 BTC at 100", "accepted 4, rested 4"),
        ("alice sells 2 BTC at 100", "accepted 5, trade 2@100 maker 4 taker 5, filled 4, shrunk 3 to 3, filled 5"),
        ("alice buys all BTC at 100", "rejected order.reduce_only_no_position"),
    )


@pytest.mark.rule("BOOK-020", "BOOK-014")
def test_the_same_order_sent_again_is_the_same_although_the_position_has_changed() -> None:
    Table(f"{LONG}; bob buys 5 BTC at 99").play(
        ("alice sells all BTC at market as:out", "accepted 4 quantity 5, trade 5@99 maker 3 taker 4, filled 3, filled 4"),
        ("alice sells all BTC at market as:out", "repeated 4 status filled"),
    )


@pytest.mark.rule("BOOK-020", "MARG-025")
def test_in_hedge_mode_it_closes_the_position_of_its_side() -> None:
    given = "alice deposits 10000; alice sets hedge mode; bob deposits 10000; mark BTC 100; bob sells 5 BTC at 100"
    Table(f"{given}; alice buys 5 BTC/long at 100; bob buys 9 BTC at 99").play(
        ("alice buys all BTC/short at market", "rejected order.reduce_only_no_position"),
        ("alice sells all BTC at market", "rejected order.position_side"),
        ("alice sells all BTC/long at market", "accepted 4 quantity 5, trade 5@99 maker 3 taker 4, filled 4"),
    )


@pytest.mark.rule("BOOK-020", "TRIG-003")
def test_a_stop_that_closes_takes_the_size_that_the_position_has_when_it_triggers() -> None:
    Table(f"{LONG}; alice sells all BTC at market stop:95; alice buys 3 BTC at 100; bob sells 3 BTC at 100").play(
        ("bob buys 9 BTC at 95", "accepted 6, rested 6"),
        ("mark BTC 95", "triggered 3 at 95, trade 8@95 maker 6 taker 3, filled 3"),
        ("alice", "orders none, BTC flat"),
    )
