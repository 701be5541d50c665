"""Orders that end at a time of their own (BOOK-018)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.commands import AdvanceTime, PlaceOrder
from exchange.domain.enums import OrderType, Side, TimeInForce
from exchange.domain.events import OrderRejected
from exchange.domain.rejects import Reason
from exchange.venue.state import VenueLimits
from tests.cast import T0
from tests.scenarios.spoken_commands import full
from tests.scenarios.table import Table
from tests.scenarios.test_funding import paying

STAGE = "alice deposits 1000; bob deposits 1000; mark BTC 100"
SECOND = 10**9


@pytest.mark.rule("BOOK-018", "BOOK-002")
def test_a_gtd_order_rests_until_its_time_and_is_canceled_then() -> None:
    Table(STAGE).play(
        ("alice buys 10 BTC at 100 until:90s", "accepted 1, rested 1"),
        ("bob sells 4 BTC at 100", "accepted 2, trade 4@100 maker 1 taker 2, filled 2"),
        ("wait 60s", ""),
        ("alice", "held 60.000002, orders 1:6"),
        ("wait 30s", "canceled 1 order.expired quantity 6 had_filled 4"),
        ("alice", "held 0, orders none"),
        ("alice cancels 1", "refused order.not_found"),
    )


@pytest.mark.rule("BOOK-018")
def test_the_time_is_exact_to_the_nanosecond() -> None:
    table = Table(STAGE)
    at_ns = T0 + 90 * SECOND + 7
    placed = _order(expire_time_ns=at_ns)
    table.venue.apply(placed, now_ns=table.now_ns + 1)
    assert table.venue.next_due_ns == at_ns
    assert len(table.venue.open_orders("alice")) == 1
    table.venue.apply(AdvanceTime(), now_ns=at_ns - 1)
    assert len(table.venue.open_orders("alice")) == 1
    table.venue.apply(AdvanceTime(), now_ns=at_ns)
    assert table.venue.open_orders("alice") == ()
    assert table.venue.next_due_ns is None


@pytest.mark.rule("BOOK-018")
def test_orders_that_end_by_themselves_leave_no_time_behind() -> None:
    table = Table(STAGE).play(
        ("alice buys 2 BTC at 100 until:90s", "accepted 1, rested 1"),
        ("alice buys 1 BTC at 99 until:80s", "accepted 2, rested 2"),
        ("alice buys 1 BTC at 101 ioc", "accepted 3, canceled 3 order.ioc_remainder"),
        ("bob sells 2 BTC at 100 until:70s", "accepted 4, trade 2@100 maker 1 taker 4, filled 1, filled 4"),
        ("alice cancels 2", "canceled 2 order.canceled_by_owner"),
    )
    assert table.venue.next_due_ns is None


@pytest.mark.rule("BOOK-018")
def test_orders_expire_in_the_order_of_their_times_and_then_of_their_ids() -> None:
    Table(STAGE).play(
        ("alice buys 1 BTC at 99 until:50s", "accepted 1, rested 1"),
        ("alice buys 1 BTC at 98 until:40s", "accepted 2, rested 2"),
        ("bob sells 1 BTC at 101 until:40s", "accepted 3, rested 3"),
        (
            "wait 60s",
            "canceled 2 order.expired, canceled 3 order.expired, canceled 1 order.expired",
        ),
    )


@pytest.mark.rule("BOOK-018")
def test_an_order_expires_before_the_funding_of_the_same_time_and_in_a_halted_symbol_too() -> None:
    eight_hours = 8 * 3_600 * SECOND
    until = ((T0 // eight_hours + 1) * eight_hours - T0) // SECOND
    table = Table(STAGE, instruments=[paying("0.0001")])
    table.play(
        (f"alice buys 1 BTC at 99 until:{until}s", "accepted 1, rested 1"),
        ("halts BTC", "halted BTC"),
        ("wait until 8h", "canceled 1 order.expired, funding BTC 0.0001"),
    )


@pytest.mark.rule("BOOK-018")
def test_more_orders_than_one_command_may_cancel_are_canceled_by_the_next_at_the_same_time() -> None:
    table = Table(STAGE, limits=VenueLimits(expirations_max=2))
    table.play(
        *((f"alice buys 1 BTC at {price} until:40s", f"accepted {n}, rested {n}") for n, price in enumerate((95, 96, 97), 1)),
    )
    table.venue.apply(AdvanceTime(), now_ns=T0 + 40 * SECOND)
    assert [order.order_id for order in table.venue.open_orders("alice")] == [3]
    assert table.venue.next_due_ns == T0 + 40 * SECOND
    table.venue.apply(AdvanceTime(), now_ns=T0 + 40 * SECOND)
    assert table.venue.open_orders("alice") == ()


def _order(**changes: object) -> PlaceOrder:
    order = PlaceOrder(
        account="alice",
        symbol=full("BTC"),
        side=Side.BUY,
        quantity=1,
        limit_price=99,
        time_in_force=TimeInForce.GTD,
        expire_time_ns=T0 + 90 * SECOND,
    )
    return replace(order, **changes)


@pytest.mark.rule("BOOK-018")
@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (_order(expire_time_ns=None), Reason.EXPIRE_TIME_REQUIRED),
        (_order(time_in_force=TimeInForce.GTC), Reason.EXPIRE_TIME_FORBIDDEN),
        (_order(time_in_force=TimeInForce.IOC), Reason.EXPIRE_TIME_FORBIDDEN),
        (_order(order_type=OrderType.MARKET, limit_price=None), Reason.EXPIRE_TIME_FORBIDDEN),
        (_order(expire_time_ns=T0 + 60 * SECOND), Reason.EXPIRE_TIME_PASSED),
        (_order(expire_time_ns=T0 + 60 * SECOND + 1), None),
        (_order(post_only=True), None),
    ],
)
def test_an_expiry_belongs_to_a_gtd_limit_order_and_lies_in_the_future(order: PlaceOrder, reason: Reason | None) -> None:
    first = Table(STAGE).venue.apply(order, now_ns=T0 + 60 * SECOND)[0]
    assert (first.reason if isinstance(first, OrderRejected) else None) == reason
