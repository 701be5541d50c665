"""Work per command is bounded: what is deferred, what may happen meanwhile, and in which order events come."""

from __future__ import annotations

import pytest

from exchange.domain.commands import MarkPrice, PlaceOrder, SetMarkPrices
from exchange.domain.enums import Side
from exchange.venue.state import VenueLimits
from tests.cast import ALICE, T0
from tests.scenarios.table import Table

STAGE = "carol deposits 100000; bob deposits 1000; mark BTC 100 ETH 100"
ISOLATED_10 = STAGE + "; bob sets BTC isolated; bob buys 10 BTC at 100; carol sells 10 BTC at 100"
CROSS_10 = "carol deposits 100000; bob deposits 110; mark BTC 100 ETH 100; bob buys 10 BTC at 100; carol sells 10 BTC at 100"
NO_STEPS = VenueLimits(liquidation_steps_max=0)
"""Every breach is flagged and nothing is done about it: the time in between stands still."""
ONE_STEP = VenueLimits(liquidation_steps_max=1)


@pytest.mark.rule("LIQ-001")
def test_while_an_isolated_position_is_flagged_only_its_own_symbol_is_closed_to_new_risk() -> None:
    Table(ISOLATED_10, limits=NO_STEPS).play(
        ("mark BTC 94", "liquidation 1 of bob/BTC isolated equity 40 mm 47, deferred 1"),
        ("bob", "BTC +10 flagged yes, ETH flat flagged no"),
        ("bob buys 1 BTC at 90", "rejected margin.liquidation_in_progress, deferred 1"),
        ("bob sells 11 BTC at 110", "rejected margin.liquidation_in_progress, deferred 1"),
        ("bob sells 1 BTC at 110", "accepted 3, rested 3, deferred 1"),
        ("bob sells 1 BTC at 111 reduce-only", "accepted 4, rested 4, deferred 1"),
        ("bob buys 1 ETH at 90", "accepted 5, rested 5, deferred 1"),
        ("bob sets SOL isolated", "refused order.unknown_symbol, deferred 1"),
        ("bob removes 1 from BTC", "refused margin.liquidation_in_progress, deferred 1"),
        ("bob adds 50 to BTC", "moved 50, deferred 1"),
        ("bob deposits 1", "credited 1, deferred 1"),
    )


@pytest.mark.rule("LIQ-001")
def test_while_the_cross_pool_is_flagged_every_cross_symbol_is_closed_to_new_risk() -> None:
    Table(CROSS_10 + "; bob buys 1 ETH at 50", limits=NO_STEPS).play(
        ("mark BTC 93", "liquidation 1 of bob cross equity 40 mm 46.5, deferred 1"),
        ("bob", "BTC +10 flagged yes, ETH flat flagged yes"),
        ("bob buys 1 BTC at 90", "rejected margin.liquidation_in_progress, deferred 1"),
        ("bob buys 1 ETH at 90", "rejected margin.liquidation_in_progress, deferred 1"),
        ("bob sells 10 BTC at 110", "accepted 4, rested 4, deferred 1"),
        ("bob cancels 3", "canceled 3 order.canceled_by_owner, deferred 1"),
    )


@pytest.mark.rule("LIQ-001", "MARG-015")
@pytest.mark.parametrize("change", ["sets BTC cross", "sets BTC isolated", "sets BTC leverage 5"])
@pytest.mark.parametrize("stage", [ISOLATED_10, CROSS_10])
def test_settings_of_a_flagged_scope_cannot_be_changed(stage: str, change: str) -> None:
    Table(stage, limits=NO_STEPS).play(
        ("mark BTC 93", f"liquidation 1 of bob{'/BTC isolated' if stage is ISOLATED_10 else ' cross'}, deferred 1"),
        (f"bob {change}", "refused margin.liquidation_in_progress, deferred 1"),
    )


@pytest.mark.rule("LIQ-001", "MARG-015")
@pytest.mark.parametrize("change", ["sets ETH isolated", "sets ETH leverage 5"])
def test_nor_can_those_of_an_idle_symbol_of_a_flagged_cross_pool(change: str) -> None:
    Table(CROSS_10, limits=NO_STEPS).play(
        ("mark BTC 93", "liquidation 1 of bob cross, deferred 1"),
        (f"bob {change}", "refused margin.liquidation_in_progress, deferred 1"),
    )


@pytest.mark.rule("LIQ-011")
def test_what_exceeds_the_steps_of_a_command_is_continued_and_other_accounts_may_act_meanwhile() -> None:
    stage = STAGE + "; dave deposits 101; bob sets BTC isolated; bob buys 10 BTC at 100; dave buys 10 BTC at 100;"
    table = Table(stage + "carol sells 20 BTC at 100; carol buys 20 BTC at 92", limits=ONE_STEP)
    table.play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40, liquidation 2 of dave cross equity 41, cleared 0, "
            "accepted 5, trade 10@92 maker 4 taker 5, filled 5, settled 10/10 BTC sell at 90, finished 1, deferred 1",
        ),
        ("dave", "BTC +10 flagged yes"),
    )
    assert table.venue.has_unfinished_liquidations
    table.play(
        (
            "continue",
            "cleared 0, accepted 6, trade 10@92 maker 4 taker 6, filled 4, filled 6, settled 10/10 BTC sell at 90, finished 2",
        ),
        ("dave", "wallet 21, BTC flat flagged no"),
        ("continue", ""),
    )
    assert not table.venue.has_unfinished_liquidations


@pytest.mark.rule("LIQ-011", "LIQ-004")
def test_a_command_that_comes_in_between_takes_the_next_step_too() -> None:
    stage = STAGE + "; dave deposits 101; bob sets BTC isolated; bob buys 10 BTC at 100; dave buys 10 BTC at 100;"
    Table(stage + "carol sells 20 BTC at 100", limits=ONE_STEP).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, liquidation 2 of dave cross, cleared 0, accepted 4, "
            "canceled 4 order.ioc_remainder, settled 0/10 BTC sell at 90, adl 10 to carol, finished 1, deferred 1",
        ),
        (
            "carol buys 10 BTC at 93",
            "accepted 5, rested 5, cleared 0, accepted 6, trade 10@93 maker 5 taker 6, filled 5, filled 6, "
            "settled 10/10 BTC sell at 90, finished 2",
        ),
    )


@pytest.mark.rule("LIQ-011")
def test_whose_turn_it_is_follows_what_has_changed_since_the_flag() -> None:
    """Bob 30, dave 31 and erin 32 over 46.5 each; a credit of 2 puts dave behind erin."""
    stage = "carol deposits 100000; bob deposits 100.000002; dave deposits 101; erin deposits 102; mark BTC 100 ETH 100;"
    stage += "bob buys 10 BTC at 100; dave buys 10 BTC at 100; erin buys 10 BTC at 100; carol sells 30 BTC at 100;"
    step = "accepted {0}, trade 10@93 maker 5 taker {0}, filled {0}, settled 10/10 BTC sell at 90"
    Table(stage + "carol buys 30 BTC at 93", limits=ONE_STEP).play(
        (
            "mark BTC 93",
            "liquidation 1 of bob cross equity 30.000002, liquidation 2 of dave cross equity 31, "
            "liquidation 3 of erin cross equity 32, cleared 0, "
            f"{step.format(6)}, finished 1, deferred 2",
        ),
        (
            "dave deposits 2",
            f"credited 2, cleared 0, {step.format(7).replace('sell at 90', 'sell at 90 equity 32')}, finished 3, deferred 1",
        ),
        ("erin", "BTC flat, wallet 32"),
        (
            "continue",
            "cleared 0, accepted 8, trade 10@93 maker 5 taker 8, filled 5, filled 8, settled 10/10 BTC sell at 90, finished 2",
        ),
    )


@pytest.mark.rule("LIQ-001", "LIQ-003", "LIQ-010")
def test_a_credit_cures_a_flagged_cross_pool_before_its_first_step() -> None:
    """Erin is worse off and takes the one step of the command; bob has a resting order that the first step clears away."""
    stage = CROSS_10 + "; erin deposits 100.000002; erin buys 10 BTC at 100; carol sells 10 BTC at 100;"
    Table(stage + "carol buys 10 BTC at 93; bob sells 10 BTC at 130", limits=ONE_STEP).play(
        (
            "mark BTC 93",
            "liquidation 1 of erin cross equity 30.000002, liquidation 2 of bob cross equity 40, cleared 0, accepted 7, "
            "trade 10@93 maker 5 taker 7, filled 5, filled 7, settled 10/10 BTC sell at 90, finished 1, deferred 1",
        ),
        (
            "bob deposits 6.5",
            "credited 6.5, canceled 6 liquidation.orders_canceled, cleared 1, finished 2 book none equity 46.5 mm 46.5",
        ),
        ("bob", "BTC +10 flagged no, equity 46.5, orders none"),
    )


@pytest.mark.rule("LIQ-001", "LIQ-003", "MARG-016")
def test_added_margin_cures_a_flagged_isolated_position_and_a_unit_less_does_not() -> None:
    stage = ISOLATED_10 + "; erin deposits 100.000002; erin buys 10 BTC at 100; carol sells 10 BTC at 100; bob adds 5 to BTC"
    for added, outcome in (
        ("2", "moved 2 isolated 107, cleared 0, finished 2 returned 0"),
        (
            "1.999999",
            "moved 1.999999, cleared 0, accepted 6, canceled 6 order.ioc_remainder, settled 0/10 BTC sell at 90, "
            "adl 10 to carol, finished 2",
        ),
    ):
        Table(stage, limits=ONE_STEP).play(
            (
                "mark BTC 94",
                "liquidation 1 of erin cross, liquidation 2 of bob/BTC isolated equity 45 mm 47, cleared 0, accepted 5, "
                "canceled 5 order.ioc_remainder, settled 0/10 BTC sell at 90, adl 10 to carol, finished 1, deferred 1",
            ),
            (f"bob adds {added} to BTC", outcome),
        )


@pytest.mark.rule("LIQ-003", "LIQ-011")
def test_a_mark_that_comes_back_cures_what_was_deferred() -> None:
    Table(ISOLATED_10, limits=VenueLimits(liquidation_steps_max=1, sweep_makers_max=1)).play(
        ("carol buys 1 BTC at 92", "accepted 3, rested 3"),
        ("carol buys 9 BTC at 92", "accepted 4, rested 4"),
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 5, trade 1@92 maker 3 taker 5, filled 3, "
            "canceled 5 order.sweep_limit, settled 1/10 BTC sell at 90 equity 38 mm 42.3, deferred 1",
        ),
        ("mark BTC 95", "finished 1 equity 47 mm 42.75"),
        ("bob", "BTC +9 flagged no"),
    )


@pytest.mark.rule("LIQ-011", "BOOK-012")
def test_a_closing_order_that_reaches_the_sweep_limit_goes_on_in_the_next_step_and_not_to_the_fund() -> None:
    stage = ISOLATED_10 + "; fund deposits 10000; carol buys 2 BTC at 91; carol buys 2 BTC at 91; carol buys 2 BTC at 91"
    Table(stage, limits=VenueLimits(liquidation_steps_max=1, sweep_makers_max=1)).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 6, trade 2@91 maker 3 taker 6, filled 3, "
            "canceled 6 order.sweep_limit, settled 2/10 BTC sell at 90 equity 34 mm 37.6, deferred 1",
        ),
        (
            "continue",
            "accepted 7, trade 2@91 maker 4 taker 7, filled 4, canceled 7 order.sweep_limit, "
            "settled 2/8 BTC sell at 90 equity 28 mm 28.2, deferred 1",
        ),
        (
            "continue",
            "accepted 8, trade 2@91 maker 5 taker 8, filled 5, canceled 8 order.ioc_remainder, "
            "settled 2/6 BTC sell at 90 equity 22 mm 18.8, finished 1 book BTC:6",
        ),
        ("bob", "BTC +4 isolated 46"),
    )


@pytest.mark.rule("LIQ-011", "BOOK-012")
def test_within_one_command_the_sweep_limit_merely_starts_another_step() -> None:
    stage = ISOLATED_10 + "; carol buys 5 BTC at 91; carol buys 5 BTC at 90"
    Table(stage, limits=VenueLimits(sweep_makers_max=1)).play(
        (
            "mark BTC 93",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 5, trade 5@91 maker 3 taker 5, filled 3, "
            "canceled 5 order.sweep_limit, settled 5/10 BTC sell at 90 equity 20 mm 23.25, accepted 6 limit 89, "
            "trade 5@90 maker 4 taker 6, filled 4, filled 6, settled 5/5 BTC sell at 89 equity 5, finished 1 returned 5",
        ),
    )


@pytest.mark.rule("CONS-005", "LIQ-001")
def test_every_breached_scope_is_flagged_in_the_command_that_breached_it_even_with_no_step_left() -> None:
    stage = STAGE + "; dave deposits 101; bob sets BTC isolated; bob buys 10 BTC at 100; dave buys 10 BTC at 100;"
    Table(stage + "carol sells 20 BTC at 100", limits=NO_STEPS).play(
        ("mark BTC 50", "liquidation 1 of bob/BTC isolated, liquidation 2 of dave cross, deferred 2"),
        ("mark BTC 200", "deferred 2"),
        ("bob", "BTC +10 flagged yes ratio 90910"),
    )


@pytest.mark.rule("BOOK-013")
def test_events_of_an_order_come_as_acceptance_trades_last_state_and_then_what_changed() -> None:
    table = Table(
        "alice deposits 10000; bob deposits 10000; mark BTC 100; bob sells 2 BTC at 100; alice sells 1 BTC at 101;"
        "bob sells 2 BTC at 102"
    )
    order = PlaceOrder(account=ALICE, symbol="BTC-PERP", side=Side.BUY, quantity=5, limit_price=102)
    table.play(("alice cancels 2", "canceled 2 order.canceled_by_owner"))
    names = [type(event).__name__ for event in table.venue.apply(order, now_ns=T0 * 2)]
    assert names == [
        "OrderAccepted",
        "TradeExecuted",
        "OrderFilled",
        "TradeExecuted",
        "OrderFilled",
        "OrderRested",
        "BookChanged",
        "PositionChanged",
        "PositionChanged",
        "AccountChanged",
        "AccountChanged",
    ]


@pytest.mark.rule("BOOK-013")
def test_liquidation_events_follow_the_changes_of_the_command_that_caused_them() -> None:
    venue = Table(ISOLATED_10 + "; carol buys 10 BTC at 92").venue
    events = venue.apply(SetMarkPrices(marks=(MarkPrice("BTC-PERP", 94),)), now_ns=T0 * 2)
    assert [type(event).__name__ for event in events] == [
        "MarkPriceChanged",
        "LiquidationStarted",
        "LiquidationOrdersCanceled",
        "OrderAccepted",
        "TradeExecuted",
        "OrderFilled",
        "OrderFilled",
        "LiquidationOrderSettled",
        "LiquidationFinished",
        "BookChanged",
        "PositionChanged",
        "PositionChanged",
        "AccountChanged",
        "AccountChanged",
        "LedgerPosted",
    ]


@pytest.mark.rule("BOOK-013", "LIQ-011")
def test_a_deferred_liquidation_comes_after_all_that_the_command_itself_changed() -> None:
    """Carol's bid rests, which changes the book, before the next step meets it; what that changes is told at the end."""
    stage = STAGE + "; dave deposits 101; bob sets BTC isolated; bob buys 10 BTC at 100; dave buys 10 BTC at 100;"
    venue = Table(stage + "carol sells 20 BTC at 100; mark BTC 94", limits=ONE_STEP).venue
    bid = PlaceOrder(account="carol", symbol="BTC-PERP", side=Side.BUY, quantity=20, limit_price=93)
    names = [type(event).__name__ for event in venue.apply(bid, now_ns=T0 * 2)]
    assert names == [
        "OrderAccepted",
        "OrderRested",
        "BookChanged",
        "LiquidationOrdersCanceled",
        "OrderAccepted",
        "TradeExecuted",
        "OrderFilled",
        "LiquidationOrderSettled",
        "LiquidationFinished",
        "BookChanged",
        "PositionChanged",
        "PositionChanged",
        "AccountChanged",
        "AccountChanged",
        "LedgerPosted",
    ]
