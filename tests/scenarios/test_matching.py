"""Priority, times in force, market orders, the flip cap and the sweep limit."""

from __future__ import annotations

import pytest

from exchange.domain.instrument import Instrument
from exchange.venue.state import VenueLimits
from tests.cast import BTC_PERP, ETH_PERP
from tests.scenarios.table import Table

RICH = "alice deposits 10000; bob deposits 10000; carol deposits 10000; dave deposits 10000; mark BTC 100 ETH 100"


@pytest.mark.rule("BOOK-001")
def test_better_prices_trade_first_then_earlier_orders_and_a_partly_filled_maker_keeps_its_place() -> None:
    Table(RICH).play(
        ("alice sells 5 BTC at 101", "accepted 1, rested 1"),
        ("bob sells 5 BTC at 101", "accepted 2, rested 2"),
        ("carol sells 5 BTC at 100", "accepted 3, rested 3"),
        ("BTC book", "bids none, asks 5@100+10@101"),
        (
            "dave buys 8 BTC at 102",
            "accepted 4, trade 5@100 maker 3 taker 4, filled 3, trade 3@101 maker 1 taker 4, filled 4 value 803",
        ),
        ("alice", "orders 1:2"),
        ("dave buys 3 BTC at 101", "accepted 5, trade 2@101 maker 1 taker 5, filled 1, trade 1@101 maker 2 taker 5, filled 5"),
        ("BTC book", "bids none, asks 4@101"),
    )


@pytest.mark.rule("BOOK-001", "BOOK-002")
def test_what_a_gtc_order_does_not_fill_rests_and_bids_queue_the_same_way() -> None:
    Table(RICH).play(
        ("alice buys 4 BTC at 99", "accepted 1, rested 1"),
        ("bob buys 4 BTC at 100", "accepted 2, rested 2 open 4"),
        ("carol sells 10 BTC at 100", "accepted 3, trade 4@100 maker 2 taker 3, filled 2, rested 3 open 6"),
        ("BTC book", "bids 4@99, asks 6@100"),
    )


@pytest.mark.rule("BOOK-002")
def test_an_ioc_order_never_rests() -> None:
    Table(RICH).play(
        ("alice buys 5 BTC at 100 ioc", "accepted 1, canceled 1 order.ioc_remainder quantity 5 had_filled 0"),
        ("bob sells 3 BTC at 100", "accepted 2, rested 2"),
        (
            "alice buys 5 BTC at 100 ioc",
            "accepted 3, trade 3@100 maker 2 taker 3, filled 2, canceled 3 order.ioc_remainder quantity 2 had_filled 3",
        ),
        ("bob sells 3 BTC at 100", "accepted 4, rested 4"),
        ("alice buys 3 BTC at 100 ioc", "accepted 5, trade 3@100 maker 4 taker 5, filled 4, filled 5"),
        ("alice", "BTC +6 cost 600, orders none, held 0"),
    )


@pytest.mark.rule("BOOK-003")
def test_a_market_order_stops_at_the_protection_price_which_is_rounded_inward() -> None:
    Table(RICH + "; mark BTC 105").play(
        ("alice buys 5 BTC at market", "accepted 1 limit 115, canceled 1 order.protection_price quantity 5"),
        ("alice sells 5 BTC at market", "accepted 2 limit 95, canceled 2 order.protection_price"),
        ("bob sells 2 BTC at 115", "accepted 3, rested 3"),
        ("bob sells 2 BTC at 116", "accepted 4, rested 4"),
        (
            "alice buys 5 BTC at market",
            "accepted 5, trade 2@115 maker 3 taker 5, filled 3, canceled 5 order.protection_price quantity 3",
        ),
        ("BTC book", "bids none, asks 2@116"),
    )


@pytest.mark.rule("BOOK-003")
def test_a_market_order_means_the_same_as_gtc_and_as_ioc() -> None:
    Table(RICH).play(
        ("bob sells 2 BTC at 101", "accepted 1, rested 1"),
        ("alice buys 2 BTC at market ioc", "accepted 2, trade 2@101 maker 1 taker 2, filled 1, filled 2"),
        ("alice buys 2 BTC at market ioc", "accepted 3, canceled 3 order.protection_price"),
        ("alice buys 2 BTC at market gtc", "accepted 4, canceled 4 order.protection_price"),
    )


@pytest.mark.rule("BOOK-003", "BOOK-004")
def test_a_market_fok_order_counts_what_lies_within_the_protection_price() -> None:
    Table(RICH).play(
        ("bob sells 2 BTC at 110", "accepted 1, rested 1"),
        ("bob sells 2 BTC at 111", "accepted 2, rested 2"),
        ("alice buys 3 BTC at market fok", "rejected order.fok_unfillable"),
        ("alice buys 2 BTC at market fok", "accepted 3, trade 2@110 maker 1 taker 3, filled 1, filled 3"),
    )


@pytest.mark.rule("BOOK-005")
def test_a_post_only_order_that_would_cross_is_rejected_and_never_moved() -> None:
    Table(RICH).play(
        ("bob sells 2 BTC at 101", "accepted 1, rested 1"),
        ("alice buys 1 BTC at 102 post-only", "rejected order.post_only_would_cross limit 101"),
        ("alice buys 1 BTC at 101 post-only", "rejected order.post_only_would_cross"),
        ("alice buys 1 BTC at 100 post-only", "accepted 2, rested 2"),
        ("carol sells 1 BTC at 100 post-only", "rejected order.post_only_would_cross"),
        ("carol sells 1 BTC at 101 post-only", "accepted 3, rested 3"),
        ("BTC book", "bids 1@100, asks 3@101"),
    )


@pytest.mark.rule("BOOK-005")
def test_the_own_order_stands_in_a_post_only_orders_way_too() -> None:
    Table(RICH).play(
        ("bob sells 2 BTC at 101", "accepted 1, rested 1"),
        ("bob buys 2 BTC at 101 post-only", "rejected order.post_only_would_cross"),
    )


@pytest.mark.rule("BOOK-005")
@pytest.mark.parametrize("how", ["at 100 post-only ioc", "at 100 post-only fok", "at market post-only"])
def test_post_only_goes_with_resting_orders_alone(how: str) -> None:
    Table(RICH).play((f"alice buys 1 BTC {how}", "rejected order.post_only_combination"))


def test_orders_and_trades_are_numbered_from_one_and_a_killed_order_uses_up_no_number() -> None:
    Table(RICH).play(
        ("bob sells 2 BTC at 100", "accepted 1, rested 1"),
        ("alice buys 1 BTC at 100", "accepted 2, trade 1@100 maker 1 taker 2 number 1, filled 2"),
        ("alice buys 9 BTC at 100 fok", "rejected order.fok_unfillable"),
        ("alice buys 1 BTC at 100 fok", "accepted 3, trade 1@100 maker 1 taker 3 number 2, filled 1, filled 3"),
    )


@pytest.mark.rule("BOOK-011", "BOOK-001")
def test_an_order_that_flips_the_taker_trades_twice_with_the_same_maker() -> None:
    Table(RICH).play(
        ("alice buys 4 BTC at 100", "accepted 1, rested 1"),
        ("bob sells 4 BTC at 100", "accepted 2, trade 4@100 maker 1 taker 2, filled 1, filled 2"),
        ("carol buys 10 BTC at 100", "accepted 3, rested 3"),
        (
            "alice sells 10 BTC at 100",
            "accepted 4, trade 4@100 maker 3 taker 4, trade 6@100 maker 3 taker 4, filled 3, filled 4",
        ),
        ("alice", "BTC -6 cost -600"),
        ("carol", "BTC +10 cost 1000"),
    )


@pytest.mark.rule("BOOK-011")
def test_a_maker_is_never_taken_across_zero_in_one_match_either() -> None:
    Table(RICH).play(
        ("alice buys 4 BTC at 100", "accepted 1, rested 1"),
        ("bob sells 4 BTC at 100", "accepted 2, trade 4@100 maker 1 taker 2, filled 1, filled 2"),
        ("alice sells 10 BTC at 101", "accepted 3, rested 3"),
        (
            "carol buys 10 BTC at 101",
            "accepted 4, trade 4@101 maker 3 taker 4 maker_pnl 4, trade 6@101 maker 3 taker 4 maker_pnl 0, filled 3, filled 4",
        ),
        ("alice", "BTC -6 cost -606, wallet 10004"),
    )


@pytest.mark.rule("BOOK-012")
def test_a_sweep_ends_after_the_most_matches_that_a_command_may_make() -> None:
    Table(RICH, limits=VenueLimits(sweep_makers_max=2)).play(
        ("bob sells 1 BTC at 100", "accepted 1, rested 1"),
        ("bob sells 1 BTC at 101", "accepted 2, rested 2"),
        ("bob sells 1 BTC at 102", "accepted 3, rested 3"),
        (
            "alice buys 3 BTC at 102",
            "accepted 4, trade 1@100 maker 1 taker 4, filled 1, trade 1@101 maker 2 taker 4, filled 2, "
            "canceled 4 order.sweep_limit quantity 1",
        ),
        ("BTC book", "bids none, asks 1@102"),
    )


@pytest.mark.rule("BOOK-012", "BOOK-004")
def test_exactly_as_many_makers_as_allowed_is_no_sweep_limit_and_a_fok_beyond_it_is_refused() -> None:
    table = Table(RICH, limits=VenueLimits(sweep_makers_max=2))
    table.play(
        ("bob sells 1 BTC at 100", "accepted 1, rested 1"),
        ("bob sells 1 BTC at 101", "accepted 2, rested 2"),
        ("bob sells 1 BTC at 102", "accepted 3, rested 3"),
        ("alice buys 3 BTC at 102 fok", "rejected order.fok_unfillable"),
        (
            "alice buys 2 BTC at 102 fok",
            "accepted 4, trade 1@100 maker 1 taker 4, filled 1, trade 1@101 maker 2 taker 4, filled 2, filled 4",
        ),
        ("alice buys 2 BTC at 101", "accepted 5, rested 5"),
    )


@pytest.mark.rule("BOOK-012")
def test_self_trades_count_as_matches_of_the_sweep() -> None:
    Table(RICH, limits=VenueLimits(sweep_makers_max=1)).play(
        ("alice sells 1 BTC at 100", "accepted 1, rested 1"),
        ("bob sells 1 BTC at 100", "accepted 2, rested 2"),
        (
            "alice buys 2 BTC at 100 cancel-maker",
            "accepted 3, canceled 1 order.self_trade_prevention, canceled 3 order.sweep_limit",
        ),
    )


@pytest.mark.rule("BOOK-009")
def test_unknown_gone_and_foreign_orders_are_all_the_same_to_a_cancel() -> None:
    Table(RICH).play(
        ("alice buys 1 BTC at 100 as:mine", "accepted 1, rested 1"),
        ("bob cancels 1", "refused order.not_found"),
        ("bob cancels as:mine", "refused order.not_found"),
        ("bob cancels 77", "refused order.not_found"),
        ("nobody cancels 1", "refused order.not_found"),
        ("alice cancels 1", "canceled 1 order.canceled_by_owner quantity 1"),
        ("alice cancels 1", "refused order.not_found"),
        ("alice cancels as:mine", "refused order.not_found"),
    )


@pytest.mark.rule("BOOK-009")
def test_cancel_all_takes_the_orders_of_one_symbol_or_of_all_by_order_id() -> None:
    Table(RICH).play(
        ("alice buys 1 ETH at 100", "accepted 1, rested 1"),
        ("alice buys 1 BTC at 100 as:b", "accepted 2, rested 2"),
        ("alice buys 1 ETH at 99", "accepted 3, rested 3"),
        ("bob buys 1 BTC at 100", "accepted 4, rested 4"),
        ("alice cancels all BTC", "canceled 2 order.canceled_by_owner"),
        ("alice cancels all", "canceled 1 order.canceled_by_owner, canceled 3 order.canceled_by_owner"),
        ("alice cancels all", ""),
        ("alice cancels all XRP", "refused order.unknown_symbol"),
        ("nobody cancels all", "refused account.unknown"),
        ("BTC book", "bids 1@100"),
        ("alice buys 1 BTC at 100 as:c", "accepted 5, rested 5"),
        ("alice cancels as:c", "canceled 5 order.canceled_by_owner"),
    )


@pytest.mark.rule("BOOK-016")
def test_without_a_mark_a_symbol_takes_no_orders() -> None:
    Table("alice deposits 1000; mark ETH 100").play(
        ("alice buys 1 BTC at 100", "rejected order.no_mark_price"),
        ("alice buys 1 BTC at market", "rejected order.no_mark_price"),
        ("mark BTC 100", ""),
        ("alice buys 1 BTC at 100", "accepted 1, rested 1"),
    )


def test_orders_of_unknown_accounts_and_symbols_are_refused() -> None:
    Table(RICH).play(
        ("nobody buys 1 BTC at 100", "rejected account.unknown"),
        ("alice buys 1 XRP at 100", "rejected order.unknown_symbol"),
    )


@pytest.mark.rule("BOOK-001")
def test_each_symbol_has_a_book_of_its_own() -> None:
    instruments: tuple[Instrument, ...] = (BTC_PERP, ETH_PERP)
    Table(RICH, instruments=instruments).play(
        ("alice buys 1 BTC at 100", "accepted 1, rested 1"),
        ("bob sells 1 ETH at 100", "accepted 2, rested 2"),
        ("BTC book", "bids 1@100, asks none"),
        ("ETH book", "bids none, asks 1@100"),
    )
