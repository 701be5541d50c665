"""Orders given other terms: what keeps the place in the queue, what loses it, and what stands in the way (BOOK-019)."""

from __future__ import annotations

import pytest

from exchange.venue.state import VenueLimits
from tests.scenarios.table import Table

QUEUE = (
    "alice deposits 10000; bob deposits 10000; carol deposits 10000; mark BTC 100; alice buys 6 BTC at 99; bob buys 6 BTC at 99"
)
"""Alice's order 1 is before Bob's order 2 at one price."""


@pytest.mark.rule("BOOK-019")
def test_a_lower_total_at_the_same_price_keeps_the_place() -> None:
    Table(QUEUE).play(
        ("alice amends 1 to 4", "amended 1 limit 99 quantity 4 open 4 place kept"),
        ("BTC book", "bids 10@99, asks none"),
        ("carol sells 5 BTC at 99", "accepted 3, trade 4@99 maker 1 taker 3, filled 1, trade 1@99 maker 2 taker 3, filled 3"),
    )


@pytest.mark.rule("BOOK-019")
def test_the_same_terms_keep_the_place_and_a_higher_total_loses_it() -> None:
    Table(QUEUE).play(
        ("alice amends 1 to 6 at 99", "amended 1 quantity 6 open 6 place kept"),
        ("alice amends 1", "amended 1 quantity 6 open 6 place kept"),
        ("alice amends 1 to 7", "amended 1 quantity 7 open 7 place lost, rested 1 open 7"),
        ("carol sells 7 BTC at 99", "accepted 3, trade 6@99 maker 2 taker 3, filled 2, trade 1@99 maker 1 taker 3, filled 3"),
    )


@pytest.mark.rule("BOOK-019")
def test_another_price_loses_the_place_even_when_it_is_taken_back() -> None:
    Table(QUEUE).play(
        ("alice amends 1 at 98", "amended 1 limit 98 open 6 place lost, rested 1"),
        ("BTC book", "bids 6@99+6@98, asks none"),
        ("alice amends 1 at 99", "amended 1 limit 99 open 6 place lost, rested 1"),
        ("carol sells 1 BTC at 99", "accepted 3, trade 1@99 maker 2 taker 3, filled 3"),
    )


@pytest.mark.rule("BOOK-019")
def test_the_quantity_is_the_total_and_what_has_filled_belongs_to_it() -> None:
    Table(QUEUE).play(
        ("carol sells 2 BTC at 99", "accepted 3, trade 2@99 maker 1 taker 3, filled 3"),
        ("alice amends 1 to 5", "amended 1 quantity 5 open 3 place kept"),
        ("alice amends 1 to 8", "amended 1 quantity 8 open 6 place lost, rested 1 open 6"),
        ("alice amends 1 at 98", "amended 1 quantity 8 open 6 limit 98, rested 1 open 6"),
        ("alice amends 1 to 2 at 97", "canceled 1 order.amended_to_filled quantity 6 had_filled 2"),
        ("alice", "orders none, BTC +2"),
        ("alice amends 1 to 8", "refused order.not_found"),
    )


@pytest.mark.rule("BOOK-019", "BOOK-001")
def test_an_amended_order_trades_at_once_where_its_new_price_meets_others() -> None:
    Table(QUEUE).play(
        ("carol sells 4 BTC at 101", "accepted 3, rested 3"),
        (
            "alice amends 1 to 9 at 101",
            "amended 1 quantity 9 open 9 place lost, trade 4@101 maker 3 taker 1, filled 3, rested 1 open 5",
        ),
        ("carol sells 5 BTC at 102", "accepted 4, rested 4"),
        ("alice amends 1 at 102", "amended 1 open 5, trade 5@102 maker 4 taker 1, filled 4, filled 1"),
        ("alice", "orders none, BTC +9"),
    )


@pytest.mark.rule("BOOK-019", "BOOK-009")
def test_an_unknown_a_gone_and_a_foreign_order_are_one_and_the_same() -> None:
    Table(QUEUE).play(
        ("alice amends 7 to 3", "refused order.not_found"),
        ("alice amends 2 to 3", "refused order.not_found"),
        ("alice amends as:nothing to 3", "refused order.not_found"),
        ("alice cancels 1", "canceled 1 order.canceled_by_owner"),
        ("alice amends 1 to 3", "refused order.not_found"),
    )


@pytest.mark.rule("BOOK-019", "BOOK-014")
def test_a_client_order_id_names_the_order_and_its_resend_still_gets_the_first_answer() -> None:
    Table("alice deposits 10000; mark BTC 100; alice buys 6 BTC at 99 as:mine").play(
        ("alice amends as:mine to 8 at 98", "amended 1 quantity 8 limit 98 place lost, rested 1 open 8"),
        ("alice buys 6 BTC at 99 as:mine", "repeated 1 status open"),
        ("alice", "orders 1:8"),
    )


@pytest.mark.rule("BOOK-019", "BOOK-006")
@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ("to 0", "order.lot_size"),
        ("to 1001", "order.quantity_above_maximum"),
        ("at 0", "order.price_limit"),
        ("at 40", "order.price_band"),
        ("at 101", "order.post_only_would_cross"),
    ],
)
def test_a_refused_amend_changes_nothing(terms: str, reason: str) -> None:
    given = "alice deposits 10000; bob deposits 10000; mark BTC 100; alice buys 6 BTC at 99 post-only; bob sells 1 BTC at 101"
    Table(given).play(
        (f"alice amends 1 {terms}", f"rejected {reason} order 1"),
        ("alice", "orders 1:6"),
        ("BTC book", "bids 6@99, asks 1@101"),
    )


@pytest.mark.rule("BOOK-019", "BOOK-007")
def test_an_amended_order_takes_no_further_place_among_the_open_ones() -> None:
    limits = VenueLimits(open_orders_max=1, account_orders_max=1)
    Table("alice deposits 10000; mark BTC 100; alice buys 6 BTC at 99", limits=limits).play(
        ("alice buys 1 BTC at 99", "rejected order.open_orders_maximum"),
        ("alice amends 1 to 7 at 98", "amended 1, rested 1 open 7"),
    )


@pytest.mark.rule("BOOK-019", "MARG-010")
def test_an_amend_up_needs_margin_with_its_own_reservation_free() -> None:
    """At leverage 10 ten BTC at 100 hold 100 and the fee; of 160 that leaves too little for another ten, not for four."""
    Table("alice deposits 160; mark BTC 100; alice buys 10 BTC at 100").play(
        ("alice buys 10 BTC at 100", "rejected margin.initial_insufficient"),
        ("alice amends 1 to 20", "rejected margin.initial_insufficient order 1 before 160"),
        ("alice", "orders 1:10"),
        ("alice amends 1 to 14", "amended 1 before 160 place lost, rested 1 open 14"),
        ("alice amends 1 to 10 at 100", "amended 1 before 160 place kept"),
    )


@pytest.mark.rule("BOOK-019", "MARG-010")
def test_a_cut_passes_where_no_new_order_would() -> None:
    given = "alice deposits 160; bob deposits 10000; mark BTC 100; alice buys 5 BTC at 100; bob sells 5 BTC at 100"
    Table(f"{given}; alice buys 5 BTC at 99").play(
        ("mark BTC 80", ""),
        ("alice amends 3 at 90", "rejected margin.initial_insufficient order 3"),
        ("alice amends 3 to 4", "amended 3 open 4 place kept"),
    )


@pytest.mark.rule("BOOK-019", "BOOK-017")
def test_in_halt_an_order_can_be_cut_or_amended_away_but_not_moved() -> None:
    Table(QUEUE).play(
        ("halts BTC", "halted BTC"),
        ("alice amends 1 at 98", "rejected order.symbol_halted order 1"),
        ("alice amends 1 to 7", "rejected order.symbol_halted order 1"),
        ("alice amends 1 to 5", "amended 1 open 5 place kept"),
    )


@pytest.mark.rule("BOOK-019", "BOOK-008")
def test_an_amended_order_obeys_self_trade_prevention() -> None:
    given = "alice deposits 10000; mark BTC 100; alice sells 2 BTC at 101; alice buys 3 BTC at 99"
    Table(f"{given}; alice buys 1 BTC at 98 cancel-maker").play(
        ("alice amends 2 at 101", "amended 2 place lost, canceled 2 order.self_trade_prevention quantity 3"),
        ("alice amends 3 at 101", "amended 3 place lost, canceled 1 order.self_trade_prevention, rested 3"),
        ("alice", "orders 3:1"),
    )


@pytest.mark.rule("BOOK-019", "BOOK-010")
def test_a_reduce_only_order_is_cut_to_the_position_again_when_it_is_amended() -> None:
    given = "alice deposits 10000; bob deposits 10000; mark BTC 100; alice buys 5 BTC at 100; bob sells 5 BTC at 100"
    Table(f"{given}; alice sells 9 BTC at 105 reduce-only").play(
        ("alice", "orders 3:5, BTC +5"),
        ("alice amends 3 to 7", "amended 3 quantity 7 open 5 place kept"),
        ("alice amends 3 to 4", "amended 3 quantity 4 open 4 place kept"),
        ("alice amends 3 to 8 at 106", "amended 3 quantity 8 open 8 place lost, shrunk 3 to 5, rested 3 open 5"),
    )


@pytest.mark.rule("BOOK-019", "MARG-008")
def test_an_order_that_lost_its_place_reduces_only_what_the_others_at_its_price_leave() -> None:
    """Of two sells at one price the first reduces the position and holds nothing; after its way out and back it holds."""
    given = "alice deposits 200; bob deposits 10000; mark BTC 100; alice buys 5 BTC at 100; bob sells 5 BTC at 100"
    Table(f"{given}; alice sells 5 BTC at 101").play(
        ("alice sells 5 BTC at 101", "accepted 4 required 50.500002, rested 4"),
        ("alice amends 3 at 102", "amended 3 required 51.000002 place lost, rested 3"),
        ("alice amends 3 at 101", "amended 3 required 50.500002 place lost, rested 3"),
        ("bob buys 1 BTC at 101", "accepted 5, trade 1@101 maker 4 taker 5, filled 5"),
    )


@pytest.mark.rule("BOOK-009")
def test_cancel_all_can_be_narrowed_to_a_symbol_a_side_and_a_position() -> None:
    given = "alice deposits 10000; alice sets hedge mode; mark BTC 100 ETH 50; bob deposits 10000; mark BTC 100"
    Table(f"{given}; alice buys 1 BTC/long at 99; alice sells 1 BTC/short at 101; alice sells 1 ETH/short at 51").play(
        ("alice cancels all sells BTC/long", ""),
        ("alice cancels all buys ETH", ""),
        ("alice cancels all buys", "canceled 1 order.canceled_by_owner"),
        ("alice cancels all sells BTC", "canceled 2 order.canceled_by_owner"),
        ("alice cancels all ETH/short", "canceled 3 order.canceled_by_owner"),
    )
