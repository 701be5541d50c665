"""Paths that random commands seldom reach, walked on purpose by the venue and the naive model together.

Every step is compared in full (`agreement.Pair`); the asserts here only say that the path was really taken.
"""

from __future__ import annotations

import pytest

from exchange.domain.commands import AddMargin, PlaceOrder
from exchange.domain.enums import OrderType, Side, TimeInForce
from exchange.domain.events import CloseOutVenue, OrderRejected, TradeExecuted
from exchange.domain.rejects import Reason
from tests.properties.comparisons import Events
from tests.properties.stage import ANT, BEE, CAT, Stage, canceled, started, transfers


def crash_with_every_counterparty_under_water(*longs: tuple[str, int]) -> Events:
    """Sam, cross, is short against isolated longs and loses far more elsewhere; one crash sinks all of them."""
    stage = Stage()
    stage.account("sam", 2_000)
    stage.account("zoe", 9_000)
    for name, lots in longs:
        stage.account(name, 1_500, isolated=ANT)
        stage.trade(name, "sam", ANT, lots, 100)
    stage.trade("sam", "zoe", CAT, 8, 1_000)
    return stage.marks(ANT=70, CAT=100)


@pytest.mark.rule("LIQ-009", "LIQ-010")
def test_a_residual_leaves_an_isolated_counterparty_flat_below_nothing_and_the_fund_makes_it_whole() -> None:
    events = crash_with_every_counterparty_under_water(("liz", 10))
    assert started(events) == ["sam", "liz"]
    assert transfers(events) == [
        ("sam", CloseOutVenue.RESIDUAL, "liz", 10),
        ("sam", CloseOutVenue.AUTO_DELEVERAGE, "zoe", 8),
    ]


@pytest.mark.rule("LIQ-009")
def test_a_residual_is_shared_by_several_counterparties_and_the_fund_pays_for_each_share() -> None:
    events = crash_with_every_counterparty_under_water(("liz", 4), ("lou", 6))
    assert transfers(events)[:2] == [
        ("sam", CloseOutVenue.RESIDUAL, "liz", 4),
        ("sam", CloseOutVenue.RESIDUAL, "lou", 6),
    ]


def deleverage_a_holder_with(wallet: int) -> Events:
    """Sam is bankrupt short; Liz, who must take his lots, has just lost most of what they brought her."""
    stage = Stage()
    for name, amount in (("sam", 900), ("pat", 9_000), ("liz", wallet), ("zoe", 90_000)):
        stage.account(name, amount)
    stage.trade("liz", "sam", ANT, 8, 100)
    stage.trade("liz", "pat", ANT, 4, 100)
    stage.trade("zoe", "liz", CAT, 8, 1_000)
    return stage.marks(ANT=160, CAT=1_600)


@pytest.mark.rule("LIQ-008", "LIQ-009", "MARG-019", "CONS-005")
def test_deleveraging_spares_whom_it_would_take_below_zero_and_flags_whom_it_leaves_below_maintenance() -> None:
    one_unit_below_zero = deleverage_a_holder_with(2_226)
    assert transfers(one_unit_below_zero) == [("sam", CloseOutVenue.RESIDUAL, "liz", 8)]
    assert started(one_unit_below_zero) == ["sam"]
    exactly_zero = deleverage_a_holder_with(2_227)
    assert transfers(exactly_zero)[0] == ("sam", CloseOutVenue.AUTO_DELEVERAGE, "liz", 8)
    assert started(exactly_zero) == ["sam", "liz"]
    one_unit_below_maintenance = deleverage_a_holder_with(2_419)
    assert started(one_unit_below_maintenance) == ["sam", "liz"]
    exactly_at_maintenance = deleverage_a_holder_with(2_420)
    assert transfers(exactly_at_maintenance) == [("sam", CloseOutVenue.AUTO_DELEVERAGE, "liz", 8)]
    assert started(exactly_at_maintenance) == ["sam"]


@pytest.mark.rule("MARG-013", "LIQ-002", "LIQ-003")
def test_a_breached_scope_may_still_reduce_as_maker_before_its_turn_when_that_leaves_it_no_worse() -> None:
    stage = Stage()
    stage.account("ann", 900, isolated=ANT)
    for name, amount in (("ben", 1_004), ("pat", 9_000)):
        stage.account(name, amount)
    stage.trade("ann", "pat", ANT, 10, 100)
    stage.trade("pat", "ben", ANT, 5, 100)
    stage.trade("ben", "pat", CAT, 4, 1_000)
    bid = len(stage.pair.statuses) + 1
    stage.order("ben", ANT, 2, 88)
    events = stage.marks(ANT=88, CAT=652)
    assert started(events) == ["ann", "ben"]
    trades = [event for event in events if isinstance(event, TradeExecuted)]
    assert [(event.taker.account, event.maker.account, event.quantity) for event in trades][:1] == [("ann", "ben", 2)]
    assert trades[0].maker.order.order_id == bid


@pytest.mark.rule("MARG-011")
def test_of_two_equal_orders_that_lost_their_offset_the_older_is_canceled() -> None:
    stage = Stage()
    stage.account("ann", 1_800)
    stage.account("pat", 9_000)
    stage.trade("ann", "pat", ANT, 20, 100)
    older = len(stage.pair.statuses) + 1
    for _ in range(2):
        stage.order("ann", ANT, -10, 115)
    stage.order("pat", ANT, 20, 100)
    events = stage.order("ann", ANT, -20, 100, reduce_only=True)
    assert canceled(events, Reason.OFFSET_LOST) == [older]


@pytest.mark.rule("MARG-010")
def test_reduce_only_orders_do_not_count_toward_the_size_that_leverage_is_judged_by() -> None:
    stage = Stage()
    stage.account("ann", 9_000, leverage=39)
    stage.account("pat", 9_000)
    stage.trade("pat", "ann", BEE, 2, 41)
    for price in (30, 31, 32):
        stage.order("ann", BEE, 2, price, reduce_only=True)
    refused = stage.order("ann", BEE, -2, 45)
    assert [event.reason for event in refused if isinstance(event, OrderRejected)] == [Reason.LEVERAGE_TIER]


@pytest.mark.rule("BOOK-004", "MARG-012")
def test_a_fill_or_kill_order_passes_by_a_failing_maker_and_takes_the_next() -> None:
    stage = Stage()
    stage.account("ann", 300)
    for name in ("bob", "pat"):
        stage.account(name, 9_000)
    failing = len(stage.pair.statuses) + 1
    stage.order("ann", ANT, -3, 100)
    stage.order("bob", ANT, -3, 101)
    stage.marks(ANT=118)
    fill_or_kill = PlaceOrder(
        account="pat", symbol=ANT, side=Side.BUY, quantity=4, order_type=OrderType.MARKET, time_in_force=TimeInForce.FOK
    )
    assert [e.reason for e in stage.apply(fill_or_kill) if isinstance(e, OrderRejected)] == [Reason.FOK_UNFILLABLE]
    stage.order("bob", ANT, -3, 102)
    events = stage.apply(fill_or_kill)
    assert canceled(events, Reason.MAKER_FILL_CHECK_FAILED) == [failing]
    assert [event.quantity for event in events if isinstance(event, TradeExecuted)] == [3, 1]


@pytest.mark.rule("MARG-014")
def test_a_reduction_that_loses_more_than_its_share_of_the_isolated_wallet_pays_nothing_out() -> None:
    stage = Stage()
    stage.account("ann", 2_000, isolated=ANT)
    stage.account("pat", 9_000)
    stage.trade("ann", "pat", ANT, 10, 100)
    stage.marks(ANT=95)
    stage.order("pat", ANT, 2, 85)
    before = stage.pair.model.accounts["ann"].wallet
    trades = [event for event in stage.order("ann", ANT, -2, 85) if isinstance(event, TradeExecuted)]
    assert [(trade.taker.realized_pnl, trade.taker.margin_out) for trade in trades] == [(-210, 0)]
    assert stage.pair.venue.account("ann").wallet_balance == before


@pytest.mark.rule("MARG-008", "MARG-016")
def test_the_margin_that_an_under_margined_position_asks_of_an_increasing_order_falls_when_margin_is_added() -> None:
    stage = Stage()
    stage.account("ann", 3_000, isolated=ANT)
    stage.account("pat", 9_000)
    stage.trade("ann", "pat", ANT, 10, 100)
    stage.order("ann", ANT, 2, 90)
    stage.marks(ANT=95)
    held = stage.pair.venue.account("ann").order_margin
    stage.apply(AddMargin(account="ann", symbol=ANT, amount=50))
    assert stage.pair.venue.account("ann").order_margin == held - 50


@pytest.mark.rule("LIQ-008", "CONS-005")
def test_deleveraging_stops_at_the_counterparty_after_whom_the_scope_is_healthy() -> None:
    stage = Stage()
    for name, amount in (("sam", 1_050), ("liz", 3_000), ("lou", 9_000)):
        stage.account(name, amount)
    stage.trade("liz", "sam", ANT, 4, 100)
    stage.trade("lou", "sam", ANT, 6, 100)
    events = stage.marks(ANT=113)
    assert transfers(events) == [("sam", CloseOutVenue.AUTO_DELEVERAGE, "liz", 4)]
    assert started(events) == ["sam"]
