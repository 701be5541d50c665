"""Orders that wait for a price: stops and take-profits (TRIG rules).

After every row the table looks at each untriggered order by itself: none may wait for a price that is there.
"""

from __future__ import annotations

import pytest

from exchange.domain.commands import ContinueTriggers, MarkPrice, SetMarkPrices
from exchange.domain.events import OrderTriggered
from exchange.venue.state import VenueLimits
from tests.scenarios.spoken_commands import full
from tests.scenarios.table import Table

STAGE = "alice deposits 1000; bob deposits 1000; carol deposits 1000; dave deposits 1000; mark BTC 100"
LONG_10 = STAGE + "; alice buys 10 BTC at 100; bob sells 10 BTC at 100"
"""Alice is cross long 10 at 100, bob short; order ids 1 and 2 are used, and the last trade was at 100."""


# -- what an order waits for -------------------------------------------------------------------------------------------


@pytest.mark.rule("TRIG-001", "TRIG-002", "TRIG-003")
def test_a_sell_stop_waits_for_the_mark_to_fall_and_then_closes_at_the_market() -> None:
    Table(LONG_10).play(
        ("carol buys 20 BTC at 94", "accepted 3, rested 3"),
        ("alice sells 10 BTC at market stop:95 reduce-only", "accepted 4 status untriggered required 0 before 900 after 900"),
        ("alice", "held 0, waiting 4:10, orders none"),
        ("BTC book", "bids 20@94, asks none"),
        ("mark BTC 96", ""),
        (
            "mark BTC 95",
            "triggered 4 at 95 reason none path cross limit 86, trade 10@94 maker 3 taker 4 taker_pnl -60, filled 4",
        ),
        ("alice", "waiting none, wallet 940, BTC flat"),
    )


@pytest.mark.rule("TRIG-001")
@pytest.mark.parametrize(
    ("order", "at", "before"),
    [
        ("alice buys 1 BTC at 105 stop:104", 104, 103),
        ("alice sells 1 BTC at 95 stop:96", 96, 97),
        ("alice buys 1 BTC at 95 take:96", 96, 97),
        ("alice sells 1 BTC at 105 take:104", 104, 103),
    ],
)
def test_each_kind_waits_on_its_own_side_and_an_equal_price_triggers(order: str, at: int, before: int) -> None:
    Table(STAGE).play(
        (order, "accepted 1 status untriggered"),
        (f"mark BTC {before}", ""),
        (f"mark BTC {at}", f"triggered 1 at {at} reason none, rested 1"),
        ("alice", "waiting none, orders 1:1"),
    )


@pytest.mark.rule("TRIG-001")
def test_what_is_met_already_or_watches_a_price_that_is_not_there_is_refused() -> None:
    Table(STAGE).play(
        ("alice buys 1 BTC at 105 stop:100", "rejected order.would_trigger_immediately limit 100 actual 100"),
        ("alice sells 1 BTC at 95 stop:101", "rejected order.would_trigger_immediately limit 100 actual 101"),
        ("alice buys 1 BTC at 95 take:100", "rejected order.would_trigger_immediately"),
        ("alice sells 1 BTC at market take:99", "rejected order.would_trigger_immediately"),
        ("alice buys 1 BTC at 105 stop-last:104", "rejected order.trigger_price_unknown"),
        ("alice buys 1 BTC at 105 stop-index:104", "rejected order.trigger_price_unknown"),
        ("alice sells 1 BTC at 95 stop:0", "rejected order.trigger_price_out_of_range actual 0"),
        ("alice buys 1 BTC at market stop:-5", "rejected order.trigger_price_out_of_range actual -5"),
        ("alice buys 0 BTC at market stop:105", "rejected order.lot_size"),
        ("alice", "waiting none"),
    )


@pytest.mark.rule("TRIG-001", "TRIG-004")
def test_each_source_is_watched_by_itself_and_every_trade_counts() -> None:
    Table(LONG_10 + "; index BTC 100").play(
        ("alice sells 1 BTC at 80 stop-last:95", "accepted 3"),
        ("alice sells 1 BTC at 81 stop-index:95", "accepted 4"),
        ("alice sells 1 BTC at 82 stop:95", "accepted 5"),
        ("carol buys 1 BTC at 94", "accepted 6, rested 6"),
        ("carol buys 5 BTC at 97", "accepted 7, rested 7"),
        ("mark BTC 95", "triggered 5 at 95, trade 1@97 maker 7 taker 5, filled 5"),
        ("index BTC 95", "triggered 4 at 95, trade 1@97 maker 7 taker 4, filled 4"),
        (
            "bob sells 4 BTC at 94",
            "accepted 8, trade 3@97 maker 7 taker 8, filled 7, trade 1@94 maker 6 taker 8, filled 6, filled 8,"
            "triggered 3 at 94, rested 3",
        ),
        ("alice", "waiting none"),
    )


# -- while it waits ----------------------------------------------------------------------------------------------------


@pytest.mark.rule("TRIG-002", "BOOK-009")
def test_it_is_canceled_as_other_orders_are() -> None:
    Table(STAGE).play(
        ("alice buys 1 BTC at market stop:110 as:a", "accepted 1"),
        ("alice buys 1 BTC at market stop:111", "accepted 2"),
        ("alice buys 1 BTC at 90", "accepted 3, rested 3"),
        ("alice buys 1 BTC at market stop:112 until:60s", "accepted 4"),
        ("alice buys 1 BTC at market stop:110 as:a", "repeated 1 status untriggered"),
        ("bob cancels 1", "refused order.not_found"),
        ("alice amends 1 to 2", "refused order.untriggered"),
        ("alice cancels all sells", ""),
        ("alice cancels as:a", "canceled 1 order.canceled_by_owner quantity 1"),
        ("wait 70s", "canceled 4 order.expired"),
        ("alice cancels all BTC", "canceled 2 order.canceled_by_owner, canceled 3 order.canceled_by_owner"),
        ("mark BTC 120", ""),
        ("alice", "waiting none, orders none"),
    )


@pytest.mark.rule("TRIG-002", "SAFE-001")
def test_the_dead_man_switch_and_a_halt_leave_nothing_of_it_that_could_fire() -> None:
    Table(STAGE).play(
        ("alice buys 1 BTC at market stop:110", "accepted 1"),
        ("halts BTC", "halted BTC"),
        ("alice cancels after 10s", "dead_man armed"),
        ("wait 10s", "canceled 1 order.dead_man_switch"),
    )


@pytest.mark.rule("TRIG-002", "BOOK-007")
def test_it_counts_among_the_open_orders() -> None:
    Table(STAGE + "; mark ETH 100", limits=VenueLimits(open_orders_max=2, account_orders_max=3)).play(
        ("alice buys 1 BTC at market stop:110", "accepted 1"),
        ("alice buys 1 BTC at 90", "accepted 2, rested 2"),
        ("alice buys 1 BTC at market stop:110", "rejected order.open_orders_maximum limit 2 actual 2"),
        ("alice buys 1 BTC at 90", "rejected order.open_orders_maximum limit 2 actual 2"),
        ("alice buys 1 ETH at market stop:110", "accepted 3"),
        ("alice buys 1 ETH at market stop:110", "rejected order.account_orders_maximum limit 3 actual 3"),
    )


@pytest.mark.rule("TRIG-002", "MARG-025")
def test_another_position_mode_waits_until_it_is_gone() -> None:
    Table(STAGE).play(
        ("alice buys 1 BTC at market stop:110", "accepted 1"),
        ("alice sets hedge mode", "refused margin.position_open"),
        ("alice cancels 1", "canceled 1 order.canceled_by_owner"),
        ("alice sets hedge mode", "position mode hedge"),
    )


@pytest.mark.rule("TRIG-002", "TRIG-004", "LIQ-002")
def test_the_liquidation_of_its_scope_cancels_it_and_that_comes_before_any_trigger() -> None:
    table = Table(STAGE + "; alice sets BTC isolated; alice buys 10 BTC at 100; bob sells 10 BTC at 100")
    table.play(
        ("carol buys 10 BTC at 93", "accepted 3, rested 3"),
        ("alice sells 10 BTC at market stop:94 reduce-only", "accepted 4"),
        ("dave sells 1 BTC at 92 stop:94", "accepted 5"),
        (
            "mark BTC 94",
            "liquidation 1 of alice/BTC isolated, canceled 4 liquidation.orders_canceled, cleared 1,"
            "accepted 6, trade 10@93 maker 3 taker 6, filled 3, filled 6, settled 10/10 BTC sell at 90, finished 1 canceled 1,"
            "triggered 5 at 94, rested 5",
        ),
    )


# -- when its price comes ----------------------------------------------------------------------------------------------


@pytest.mark.rule("TRIG-003", "MARG-010")
def test_a_stop_that_would_open_more_than_margin_allows_is_canceled_and_its_owner_told_the_numbers() -> None:
    Table(STAGE).play(
        ("alice buys 60 BTC at 105 stop:104", "accepted 1 required 0"),
        ("alice withdraws 500", "withdrawn 500"),
        (
            "mark BTC 104",
            "triggered 1 at 104 reason margin.initial_insufficient required 690.000002 before 500 after -190.000002,"
            "canceled 1 margin.initial_insufficient quantity 60",
        ),
        ("alice", "waiting none, held 0"),
    )


@pytest.mark.rule("TRIG-003")
@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("carol sells 1 BTC at market stop:95 reduce-only", "order.reduce_only_no_position"),
        ("carol sells 1 BTC at 40 stop:95", "order.price_band"),
        ("carol sells 1 BTC at 94 stop:95 post-only", "order.post_only_would_cross"),
        ("carol sells 9 BTC at 94 stop:95 fok", "order.fok_unfillable"),
    ],
)
def test_whatever_refuses_a_new_order_refuses_a_triggered_one(order: str, reason: str) -> None:
    Table(STAGE).play(
        ("bob buys 5 BTC at 94", "accepted 1, rested 1"),
        (order, "accepted 2 status untriggered"),
        ("mark BTC 95", f"triggered 2 at 95 reason {reason}, canceled 2 {reason}"),
        ("BTC book", "bids 5@94, asks none"),
    )


@pytest.mark.rule("TRIG-003", "BOOK-010")
def test_a_reduce_only_stop_larger_than_the_position_closes_it_and_no_more() -> None:
    Table(LONG_10).play(
        ("carol buys 50 BTC at 94", "accepted 3, rested 3"),
        ("alice sells 40 BTC at market stop:95 reduce-only", "accepted 4"),
        ("mark BTC 95", "triggered 4 at 95, trade 10@94 maker 3 taker 4, canceled 4 order.reduce_only_nothing_left"),
        ("alice", "BTC flat"),
    )


# -- who comes first, and how many -------------------------------------------------------------------------------------


@pytest.mark.rule("TRIG-004")
def test_a_price_that_jumps_triggers_in_the_order_in_which_it_crossed_then_by_arrival() -> None:
    Table(STAGE).play(
        ("alice sells 1 BTC at 80 stop:93", "accepted 1"),
        ("bob sells 1 BTC at 81 stop:96", "accepted 2"),
        ("carol buys 1 BTC at 70 take:96", "accepted 3"),
        ("dave sells 1 BTC at 83 stop:94", "accepted 4"),
        ("dave buys 1 BTC at 120 stop:110", "accepted 5"),
        (
            "mark BTC 90",
            "triggered 2 at 90, rested 2, triggered 3 at 90, rested 3,triggered 4 at 90, rested 4, triggered 1 at 90, rested 1",
        ),
    )


@pytest.mark.rule("TRIG-004")
def test_what_a_triggered_order_trades_at_triggers_others_behind_it() -> None:
    Table(LONG_10).play(
        ("carol buys 1 BTC at 95", "accepted 3, rested 3"),
        ("carol buys 1 BTC at 90", "accepted 4, rested 4"),
        ("alice sells 1 BTC at market stop:97", "accepted 5"),
        ("alice sells 1 BTC at market stop-last:96", "accepted 6"),
        ("bob buys 1 BTC at 85 take-last:90", "accepted 7"),
        (
            "mark BTC 97",
            "triggered 5 at 97, trade 1@95 maker 3 taker 5, filled 3, filled 5,"
            "triggered 6 at 95, trade 1@90 maker 4 taker 6, filled 4, filled 6, triggered 7 at 90, rested 7",
        ),
    )


@pytest.mark.rule("TRIG-004")
def test_more_than_one_command_may_let_in_enter_in_continuations() -> None:
    table = Table(STAGE, limits=VenueLimits(triggers_max=2))
    table.play(*((f"alice sells 1 BTC at 8{n} stop:9{n}", f"accepted {n}") for n in range(1, 6)))
    venue, now_ns = table.venue, table.now_ns
    entered: list[list[int]] = []
    command: SetMarkPrices | ContinueTriggers = SetMarkPrices(marks=(MarkPrice(full("BTC"), 80),))
    while not entered or venue.has_unfinished_triggers:
        events = venue.apply(command, now_ns=now_ns)
        entered.append([event.order.order_id for event in events if isinstance(event, OrderTriggered)])
        command = ContinueTriggers()
    assert entered == [[5, 4], [3, 2], [1]]


@pytest.mark.rule("TRIG-004", "LIQ-011")
def test_nothing_enters_before_the_liquidations_that_a_command_left_unfinished() -> None:
    stage = (
        STAGE + "; alice sets BTC isolated; dave sets BTC isolated; alice buys 10 BTC at 100; dave buys 10 BTC at 100;"
        "bob sells 20 BTC at 100; carol buys 20 BTC at 93; erin deposits 1000; erin sells 1 BTC at 95 stop:94"
    )
    Table(stage, limits=VenueLimits(liquidation_steps_max=1)).play(
        (
            "mark BTC 94",
            "liquidation 1 of alice/BTC isolated, liquidation 2 of dave/BTC isolated, cleared 0, accepted 6,"
            "trade 10@93 maker 4 taker 6, filled 6, settled 10/10 BTC sell at 90, finished 1, deferred 1",
        ),
        ("erin", "waiting 5:1"),
        (
            "continue",
            "cleared 0, accepted 7, trade 10@93 maker 4 taker 7, filled 4, filled 7, settled 10/10 BTC sell at 90, finished 2,"
            "triggered 5 at 94, rested 5",
        ),
    )


@pytest.mark.rule("TRIG-005", "BOOK-017")
def test_a_halted_symbol_triggers_nothing_until_it_opens_and_then_by_the_price_of_then() -> None:
    Table(STAGE).play(
        ("alice sells 1 BTC at 95 stop:95", "accepted 1"),
        ("alice sells 1 BTC at 90 stop:90", "accepted 2"),
        ("halts BTC", "halted BTC"),
        ("mark BTC 85", ""),
        ("mark BTC 93", ""),
        ("resumes BTC", "resumed BTC, triggered 1 at 93, rested 1"),
        ("alice", "waiting 2:1, orders 1:1"),
    )
