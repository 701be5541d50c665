"""Every filter at its edge, with the reason that names it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.commands import PlaceOrder
from exchange.domain.enums import OrderType, Side
from exchange.domain.events import OrderRejected
from exchange.domain.rejects import Reason
from exchange.venue.state import VenueLimits
from tests.cast import ALICE, BTC_PERP, T0, cash
from tests.scenarios.table import Table

RICH = "alice deposits 1000000; bob deposits 1000000; mark BTC 101"


@pytest.mark.rule("BOOK-006")
def test_a_limit_price_lies_in_the_band_which_is_inclusive_and_rounded_inward() -> None:
    Table(RICH).play(
        ("alice buys 1 BTC at 50", "rejected order.price_band limit 51 actual 50"),
        ("alice buys 1 BTC at 51", "accepted 1, rested 1"),
        ("alice sells 1 BTC at 151", "accepted 2, rested 2"),
        ("alice sells 1 BTC at 152", "rejected order.price_band limit 151 actual 152"),
    )


@pytest.mark.rule("BOOK-006")
def test_a_resting_order_stays_when_the_band_moves_away_from_it() -> None:
    Table(RICH).play(
        ("alice buys 1 BTC at 60", "accepted 1, rested 1"),
        ("mark BTC 200", ""),
        ("bob buys 1 BTC at 60", "rejected order.price_band limit 100"),
        ("bob sells 1 BTC at 100", "accepted 2, rested 2"),
        ("BTC book", "bids 1@60, asks 1@100"),
    )


@pytest.mark.rule("BOOK-006")
def test_prices_run_from_one_tick_to_two_to_the_fortieth() -> None:
    most = 2**40
    Table(RICH).play(
        ("alice buys 1 BTC at 0", "rejected order.price_limit actual 0"),
        ("alice buys 1 BTC at -5", "rejected order.price_limit actual -5"),
        (f"alice buys 1 BTC at {most + 1}", f"rejected order.price_limit limit {most} actual {most + 1}"),
        (f"mark BTC {most}", ""),
        (f"bob deposits {10**12}", f"credited {10**12}"),
        (f"bob deposits {10**12}", f"credited {10**12}"),
        ("bob sets BTC leverage 1", "leverage BTC 1"),
        (f"bob buys 1 BTC at {most}", "accepted 1, rested 1"),
        (f"bob buys 1 BTC at {most + 1}", "rejected order.price_limit"),
    )


@pytest.mark.rule("BOOK-006")
def test_quantities_run_from_one_lot_to_the_instruments_maximum() -> None:
    Table(RICH).play(
        ("alice buys 0 BTC at 100", "rejected order.lot_size limit 1 actual 0"),
        ("alice buys -3 BTC at 100", "rejected order.lot_size limit 1 actual -3"),
        ("alice buys 1001 BTC at 100", "rejected order.quantity_above_maximum limit 1000 actual 1001"),
        ("alice sets BTC leverage 1", "leverage BTC 1"),
        ("alice buys 1000 BTC at 100", "accepted 1, rested 1"),
    )


@pytest.mark.rule("BOOK-006")
def test_the_least_notional_counts_at_the_limit_price_and_a_market_order_at_the_mark() -> None:
    Table(RICH, instruments=(replace(BTC_PERP, notional_min=cash("500")),)).play(
        ("alice buys 5 BTC at 99", "rejected order.notional_below_minimum limit 500000000 actual 495000000"),
        ("alice buys 5 BTC at 100", "accepted 1, rested 1"),
        ("alice buys 4 BTC at 125", "accepted 2, rested 2"),
        ("mark BTC 99", ""),
        ("alice buys 5 BTC at market", "rejected order.notional_below_minimum actual 495000000"),
        ("mark BTC 100", ""),
        ("alice buys 5 BTC at market", "accepted 3, canceled 3 order.protection_price"),
    )


@pytest.mark.rule("BOOK-006")
def test_reduce_only_orders_and_closes_of_the_whole_position_need_no_least_notional() -> None:
    Table(RICH + "; mark BTC 100", instruments=(replace(BTC_PERP, notional_min=cash("500")),)).play(
        ("alice buys 5 BTC at 100", "accepted 1, rested 1"),
        ("bob sells 5 BTC at 100", "accepted 2, trade 5@100 maker 1 taker 2, filled 1, filled 2"),
        ("mark BTC 70", ""),
        ("alice sells 4 BTC at 70", "rejected order.notional_below_minimum"),
        ("alice sells 6 BTC at 70", "rejected order.notional_below_minimum"),
        ("alice buys 5 BTC at 70", "rejected order.notional_below_minimum"),
        ("alice sells 5 BTC at 70", "accepted 3, rested 3"),
        ("alice sells 1 BTC at 71 reduce-only", "accepted 4, rested 4"),
        ("bob buys 5 BTC at market", "accepted 5, trade 5@70 maker 3 taker 5, filled 3, canceled 4 "
         "order.reduce_only_nothing_left, filled 5"),
    )  # fmt: skip


@pytest.mark.rule("BOOK-007")
def test_an_account_may_hold_so_many_resting_orders_over_all_symbols() -> None:
    Table(RICH + "; mark ETH 100", limits=VenueLimits(account_orders_max=2)).play(
        ("alice buys 1 BTC at 90", "accepted 1, rested 1"),
        ("alice buys 1 ETH at 90", "accepted 2, rested 2"),
        ("alice buys 1 BTC at 91", "rejected order.account_orders_maximum limit 2 actual 2"),
        ("alice buys 1 BTC at 91 ioc", "accepted 3, canceled 3 order.ioc_remainder"),
        ("bob buys 1 BTC at 91", "accepted 4, rested 4"),
    )


@pytest.mark.rule("BOOK-007")
def test_only_orders_that_could_rest_count_against_the_most_open_orders() -> None:
    Table(RICH, limits=VenueLimits(open_orders_max=2)).play(
        ("alice buys 1 BTC at 90", "accepted 1, rested 1"),
        ("alice buys 1 BTC at 80", "accepted 2, rested 2"),
        ("alice buys 1 BTC at 91", "rejected order.open_orders_maximum limit 2 actual 2"),
        ("alice buys 1 BTC at 91 post-only", "rejected order.open_orders_maximum"),
        ("alice buys 1 BTC at 91 ioc", "accepted 3, canceled 3 order.ioc_remainder"),
        ("alice buys 1 BTC at market", "accepted 4, canceled 4 order.protection_price"),
        ("alice buys 1 BTC at 91 fok", "rejected order.fok_unfillable"),
        ("alice cancels 1", "canceled 1 order.canceled_by_owner"),
        ("alice buys 1 BTC at 91", "accepted 5, rested 5"),
    )


@pytest.mark.rule("BOOK-007")
def test_the_most_open_orders_are_counted_per_symbol_and_per_account() -> None:
    Table(
        "alice deposits 1000; bob deposits 1000; mark BTC 100 ETH 100",
        limits=VenueLimits(open_orders_max=1),
    ).play(
        ("alice buys 1 BTC at 90", "accepted 1, rested 1"),
        ("alice buys 1 ETH at 90", "accepted 2, rested 2"),
        ("bob buys 1 BTC at 90", "accepted 3, rested 3"),
        ("alice buys 1 BTC at 91", "rejected order.open_orders_maximum"),
    )


@pytest.mark.rule("BOOK-006")
@pytest.mark.parametrize(
    ("order_type", "price", "reason"),
    [
        (OrderType.LIMIT, None, Reason.PRICE_REQUIRED),
        (OrderType.MARKET, 100, Reason.PRICE_FORBIDDEN),
    ],
)
def test_a_limit_order_names_a_price_and_a_market_order_does_not(
    order_type: OrderType, price: int | None, reason: Reason
) -> None:
    venue = Table(RICH).venue
    order = PlaceOrder(account=ALICE, symbol="BTC-PERP", side=Side.BUY, quantity=1, order_type=order_type, limit_price=price)
    rejected = venue.apply(order, now_ns=T0 * 2)[0]
    assert isinstance(rejected, OrderRejected)
    assert rejected.reason is reason
