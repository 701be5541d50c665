"""Liquidations that stand still: those that wait for the market, and those in a halted symbol."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.policy import UnfilledPolicy
from exchange.venue.state import VenueLimits
from tests.cast import PLAIN_POLICY
from tests.scenarios.table import Table

WAIT = replace(PLAIN_POLICY, unfilled=UnfilledPolicy.WAIT, liquidation_retries_max=2)
RICH = "alice deposits 10000; carol deposits 10000; mark BTC 100 ETH 100"
LONG_10 = RICH + "; bob deposits 1000; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100"
"""Bob is isolated long 10 at 100 with 100 in the position's wallet and bankrupt at 90; order ids 1 and 2 are used."""
CROSS_10 = RICH + "; bob deposits 110; bob buys 10 BTC at 100; alice sells 10 BTC at 100"
FALLS = (
    "mark BTC 94",
    "liquidation 1 of bob/BTC isolated equity 40 mm 47, cleared 0, accepted 3, canceled 3 order.ioc_remainder, "
    "settled 0/10 BTC sell at 90, waiting 1 left 1 halted no account bob",
)


def unsold(order: int, limit: int = 90) -> str:
    """Return what a closing order that meets nothing looks like."""
    return f"accepted {order}, canceled {order} order.ioc_remainder, settled 0/10 BTC sell at {limit}"


# -- waiting for the market --------------------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-013")
def test_it_is_tried_again_with_each_mark_of_its_symbol_and_goes_on_after_so_many_retries() -> None:
    table = Table(LONG_10, policy=WAIT).play(
        FALLS,
        ("bob", "BTC +10 flagged yes"),
        ("mark BTC 93", f"{unsold(4)}, waiting 1 left 0"),
        ("mark BTC 94", f"{unsold(5)}, adl 10 to alice value 900, finished 1 rounds 3"),
        ("bob", "BTC flat flagged no"),
    )
    assert not table.venue.has_unfinished_liquidations


@pytest.mark.rule("LIQ-013")
@pytest.mark.parametrize("retries", [0, 1])
def test_the_retries_are_a_choice_of_the_venue(retries: int) -> None:
    policy = replace(WAIT, liquidation_retries_max=retries)
    first = "liquidation 1 of bob/BTC isolated, cleared 0, " + unsold(3)
    if retries:
        Table(LONG_10, policy=policy).play(
            ("mark BTC 94", first + ", waiting 1 left 0"),
            ("mark BTC 94", unsold(4) + ", adl 10 to alice, finished 1"),
        )
    else:
        Table(LONG_10, policy=policy).play(("mark BTC 94", first + ", adl 10 to alice, finished 1"))


@pytest.mark.rule("LIQ-013")
def test_while_it_waits_nothing_has_to_be_continued_and_other_commands_pass_it_by() -> None:
    table = Table(LONG_10, policy=WAIT).play(FALLS)
    assert not table.venue.has_unfinished_liquidations
    table.play(
        ("continue", ""),
        ("wait", ""),
        ("mark ETH 99", ""),
        ("carol buys 1 ETH at 90", "accepted 4, rested 4"),
        ("carol deposits 1", "credited 1"),
        ("bob deposits 1", "credited 1"),
        ("bob buys 1 BTC at 90", "rejected margin.liquidation_in_progress"),
        ("bob removes 1 from BTC", "refused margin.liquidation_in_progress"),
    )


@pytest.mark.rule("LIQ-013")
def test_an_order_that_changes_the_book_of_its_symbol_wakes_it() -> None:
    Table(LONG_10, policy=WAIT).play(
        FALLS,
        (
            "carol buys 10 BTC at 92",
            "accepted 4, rested 4, accepted 5, trade 10@92 maker 4 taker 5, filled 4, filled 5, "
            "settled 10/10 BTC sell at 90, finished 1 returned 20",
        ),
    )


@pytest.mark.rule("LIQ-013", "LIQ-002")
def test_an_order_of_its_own_that_came_meanwhile_is_canceled_before_the_next_try() -> None:
    Table(LONG_10, policy=WAIT).play(
        FALLS,
        (
            "bob sells 4 BTC at 95",
            f"accepted 4, rested 4, canceled 4 liquidation.orders_canceled, cleared 1, {unsold(5)}, waiting 1 left 0",
        ),
        ("mark BTC 100", "finished 1 canceled 1"),
    )


@pytest.mark.rule("LIQ-013", "MARK-004")
def test_at_a_stale_mark_no_order_wakes_it_and_the_next_fresh_one_does() -> None:
    Table(LONG_10, policy=replace(WAIT, mark_stale_after=60 * 10**9)).play(
        FALLS,
        ("wait 61s", ""),
        ("alice buys 10 BTC at 92", "accepted 4, rested 4"),
        ("bob", "BTC +10 flagged yes"),
        (
            "mark BTC 94",
            "accepted 5, trade 10@92 maker 4 taker 5, filled 4, filled 5, settled 10/10 BTC sell at 90, finished 1 returned 20",
        ),
    )


@pytest.mark.rule("LIQ-013", "LIQ-001")
def test_added_margin_ends_the_wait_and_a_unit_less_does_not() -> None:
    Table(LONG_10, policy=WAIT).play(
        FALLS,
        ("bob adds 6.999999 to BTC", "moved 6.999999"),
        ("bob", "BTC +10 equity 46.999999 mm 47 flagged yes"),
        ("bob adds 0.000001 to BTC", "moved 0.000001, finished 1 equity 47 mm 47 rounds 1"),
        ("bob", "BTC +10 flagged no"),
    )


@pytest.mark.rule("LIQ-013", "LIQ-001")
def test_a_deposit_ends_the_wait_of_a_cross_pool_and_a_unit_less_does_not() -> None:
    Table(CROSS_10, policy=WAIT).play(
        (
            "mark BTC 93",
            f"liquidation 1 of bob cross equity 40 mm 46.5, cleared 0, {unsold(3, 89)}, waiting 1 left 1",
        ),
        ("bob withdraws 1", "refused margin.liquidation_in_progress"),
        ("bob deposits 6.499999", "credited 6.499999"),
        ("bob", "flagged yes"),
        ("bob deposits 0.000001", "credited 0.000001, finished 1 equity 46.5"),
        ("bob", "flagged no"),
    )


@pytest.mark.rule("LIQ-013")
def test_a_mark_that_comes_back_ends_it_and_a_later_breach_is_a_liquidation_of_its_own_with_all_its_retries() -> None:
    Table(LONG_10, policy=WAIT).play(
        FALLS,
        ("mark BTC 93", f"{unsold(4)}, waiting 1 left 0"),
        ("mark BTC 95", "finished 1 rounds 2"),
        ("mark BTC 94", f"liquidation 2 of bob/BTC isolated, cleared 0, {unsold(5)}, waiting 2 left 1"),
    )


@pytest.mark.rule("LIQ-013")
@pytest.mark.parametrize("mark", [90, 89])
def test_without_equity_there_is_nothing_to_wait_for(mark: int) -> None:
    Table(LONG_10, policy=WAIT).play(
        (f"mark BTC {mark}", f"liquidation 1 of bob/BTC isolated, cleared 0, {unsold(3)}, adl 10 to alice, finished 1"),
    )


@pytest.mark.rule("LIQ-013")
def test_a_wait_ends_where_the_equity_does() -> None:
    Table(LONG_10, policy=WAIT).play(FALLS, ("mark BTC 90", f"{unsold(4)}, adl 10 to alice, finished 1"))


@pytest.mark.rule("LIQ-013", "LIQ-011")
def test_a_liquidation_that_waits_takes_no_turn_of_the_others() -> None:
    stage = LONG_10 + "; erin deposits 101; erin buys 10 ETH at 100; alice sells 10 ETH at 100; carol buys 10 ETH at 93"
    Table(stage, policy=WAIT, limits=VenueLimits(liquidation_steps_max=1)).play(
        (
            "mark BTC 94",
            f"liquidation 1 of bob/BTC isolated, cleared 0, {unsold(6)}, waiting 1",
        ),
        (
            "mark ETH 93",
            "liquidation 2 of erin cross, cleared 0, accepted 7, trade 10@93 maker 5 taker 7, filled 5, filled 7, "
            "settled 10/10 ETH sell at 90, finished 2",
        ),
    )


# -- halted symbols ----------------------------------------------------------------------------------------------------


@pytest.mark.rule("BOOK-017")
def test_a_halted_symbol_takes_no_orders_lets_resting_ones_go_and_trades_again_when_opened() -> None:
    Table(RICH + "; alice buys 1 BTC at 99; alice buys 2 BTC at 98").play(
        ("BTC", "state open"),
        ("halts BTC", "halted BTC liquidation none"),
        ("BTC", "state halted"),
        ("carol sells 1 BTC at 99", "rejected order.symbol_halted"),
        ("carol sells 1 BTC at market", "rejected order.symbol_halted"),
        ("carol buys 1 ETH at 99", "accepted 3, rested 3"),
        ("alice cancels 1", "canceled 1 order.canceled_by_owner"),
        ("BTC book", "bids 2@98"),
        ("resumes BTC", "resumed BTC"),
        ("carol sells 1 BTC at 98", "accepted 4, trade 1@98 maker 2 taker 4, filled 4"),
        ("halts XRP", "refused order.unknown_symbol"),
        ("resumes ETH", "resumed ETH"),
    )


@pytest.mark.rule("BOOK-017")
def test_a_liquidation_in_a_halted_symbol_waits_for_its_opening_whatever_the_marks_do() -> None:
    """No order, no takeover by the fund, nobody deleveraged; the policy is not to wait otherwise."""
    stage = LONG_10 + "; fund deposits 10000; bob sells 2 BTC at 120; carol buys 10 BTC at 93; halts BTC"
    Table(stage).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40, canceled 3 liquidation.orders_canceled, cleared 1, "
            "waiting 1 halted yes",
        ),
        ("mark BTC 80", ""),
        ("mark BTC 94", ""),
        ("bob", "BTC +10 flagged yes"),
        (
            "resumes BTC",
            "resumed BTC, accepted 5, trade 10@93 maker 4 taker 5, filled 4, filled 5, settled 10/10 BTC sell at 90, "
            "finished 1 canceled 1 returned 30",
        ),
    )


@pytest.mark.rule("BOOK-017", "LIQ-013")
def test_a_mark_that_comes_back_cures_it_in_the_halt() -> None:
    Table(LONG_10 + "; halts BTC").play(
        ("mark BTC 94", "liquidation 1 of bob/BTC isolated, cleared 0, waiting 1"),
        ("mark BTC 93", ""),
        ("mark BTC 95", "finished 1 equity 50 mm 47.5"),
        ("bob", "BTC +10 flagged no"),
        ("resumes BTC", "resumed BTC"),
    )


@pytest.mark.rule("BOOK-017", "LIQ-004")
def test_a_cross_pool_closes_its_other_positions_meanwhile() -> None:
    """ETH needs most but is halted: BTC goes. Equity 40 is enough for what is left only once ETH opens and is sold."""
    stage = RICH + "; bob deposits 310; bob buys 20 ETH at 100; alice sells 20 ETH at 100; bob buys 10 BTC at 100;"
    stage += "alice sells 10 BTC at 100; carol buys 10 BTC at 91; carol buys 20 ETH at 91; halts ETH"
    Table(stage).play(
        (
            "mark BTC 91 ETH 91",
            "liquidation 1 of bob cross equity 40 mm 136.5, cleared 0, accepted 7, trade 10@91 maker 5 taker 7, filled 5, "
            "filled 7, settled 10/10 BTC sell at 90 equity 40 mm 91, waiting 1 halted yes",
        ),
        ("bob", "BTC flat, ETH +20 flagged yes"),
        ("mark BTC 92", ""),
        (
            "resumes ETH",
            "resumed ETH, accepted 8, trade 20@91 maker 6 taker 8, filled 6, filled 8, settled 20/20 ETH sell at 89, "
            "finished 1 book BTC:10+ETH:20",
        ),
    )


@pytest.mark.rule("BOOK-017", "LIQ-011")
def test_one_that_stands_still_in_a_halt_needs_no_continuation() -> None:
    table = Table(LONG_10 + "; halts BTC", limits=VenueLimits(liquidation_steps_max=1))
    table.play(
        ("mark BTC 94", "liquidation 1 of bob/BTC isolated, cleared 0, waiting 1 halted yes"),
        ("continue", ""),
    )
    assert not table.venue.has_unfinished_liquidations


@pytest.mark.rule("BOOK-017")
def test_halting_what_is_halted_and_opening_what_is_open_changes_nothing() -> None:
    Table(LONG_10 + "; halts BTC").play(
        ("mark BTC 94", "liquidation 1 of bob/BTC isolated, cleared 0, waiting 1"),
        ("halts BTC", "halted BTC"),
        ("resumes ETH", "resumed ETH"),
        ("bob", "BTC +10 flagged yes"),
        ("resumes BTC", "resumed BTC, " + unsold(3) + ", adl 10 to alice, finished 1"),
    )
