"""The filters before anyone asks about money."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.commands import PlaceOrder
from exchange.domain.enums import OrderType, Side, TimeInForce
from exchange.domain.rejects import Reason
from exchange.domain.units import PRICE_TICKS_MAX
from exchange.matching.admission import Refusal, band_high, band_low, check_filters, check_form, effective_limit
from tests.cast import ALICE, BTC_PERP, cash

LIMIT = PlaceOrder(account=ALICE, symbol="BTC-PERP", side=Side.BUY, quantity=10, limit_price=100)
MARKET = PlaceOrder(account=ALICE, symbol="BTC-PERP", side=Side.BUY, quantity=10, order_type=OrderType.MARKET)
SMALL = replace(BTC_PERP, notional_min=cash("1000"))


@pytest.mark.rule("BOOK-003", "BOOK-006")
@pytest.mark.parametrize(
    ("mark", "width", "low", "high"),
    [(100, 100_000, 90, 110), (105, 100_000, 95, 115), (101, 500_000, 51, 151), (1, 500_000, 1, 1), (3, 1, 3, 3)],
)
def test_a_band_is_rounded_inward_and_never_below_one_tick(mark: int, width: int, low: int, high: int) -> None:
    assert (band_low(mark, width), band_high(mark, width)) == (low, high)


@pytest.mark.rule("BOOK-006")
def test_a_band_ends_at_the_highest_price_there_is() -> None:
    assert band_high(PRICE_TICKS_MAX, 100_000) == PRICE_TICKS_MAX


@pytest.mark.rule("BOOK-003")
def test_the_worst_price_is_the_limit_or_the_protection_price_of_the_side() -> None:
    assert effective_limit(LIMIT, BTC_PERP, 105) == 100
    assert effective_limit(MARKET, BTC_PERP, 105) == 115
    assert effective_limit(replace(MARKET, side=Side.SELL), BTC_PERP, 105) == 95


@pytest.mark.rule("BOOK-006", "BOOK-005")
@pytest.mark.parametrize(
    ("order", "refusal"),
    [
        (LIMIT, None),
        (MARKET, None),
        (replace(LIMIT, limit_price=None), (Reason.PRICE_REQUIRED, None, None)),
        (replace(MARKET, limit_price=100), (Reason.PRICE_FORBIDDEN, None, None)),
        (replace(LIMIT, limit_price=PRICE_TICKS_MAX), None),
        (
            replace(LIMIT, limit_price=PRICE_TICKS_MAX + 1),
            (Reason.PRICE_LIMIT, PRICE_TICKS_MAX, PRICE_TICKS_MAX + 1),
        ),
        (replace(LIMIT, quantity=1), None),
        (replace(LIMIT, quantity=0), (Reason.LOT_SIZE, 1, 0)),
        (replace(LIMIT, quantity=1_000), None),
        (replace(LIMIT, quantity=1_001), (Reason.QUANTITY_MAX, 1_000, 1_001)),
        (replace(LIMIT, post_only=True), None),
        (replace(MARKET, post_only=True), (Reason.POST_ONLY_COMBINATION, None, None)),
        (replace(LIMIT, post_only=True, time_in_force=TimeInForce.IOC), (Reason.POST_ONLY_COMBINATION, None, None)),
        (replace(LIMIT, post_only=True, time_in_force=TimeInForce.FOK), (Reason.POST_ONLY_COMBINATION, None, None)),
    ],
)
def test_the_form_of_an_order(order: PlaceOrder, refusal: tuple[Reason, int | None, int | None] | None) -> None:
    assert check_form(order, BTC_PERP) == (None if refusal is None else Refusal(*refusal))


@pytest.mark.rule("BOOK-006", "BOOK-010")
@pytest.mark.parametrize(
    ("order", "position", "reason"),
    [
        (LIMIT, 0, None),
        (replace(LIMIT, quantity=9), 0, Reason.NOTIONAL_MIN),
        (replace(LIMIT, quantity=9), -9, None),
        (replace(LIMIT, quantity=9), -10, Reason.NOTIONAL_MIN),
        (replace(LIMIT, quantity=9), 9, Reason.NOTIONAL_MIN),
        (replace(LIMIT, quantity=9, reduce_only=True), -10, None),
        (replace(LIMIT, reduce_only=True), 0, Reason.REDUCE_ONLY_NO_POSITION),
        (replace(LIMIT, reduce_only=True), 5, Reason.REDUCE_ONLY_NO_POSITION),
        (replace(LIMIT, side=Side.SELL, reduce_only=True), 5, None),
        (replace(LIMIT, limit_price=50, quantity=100), 0, None),
        (replace(LIMIT, limit_price=49, quantity=100), 0, Reason.PRICE_BAND),
        (replace(LIMIT, limit_price=150), 0, None),
        (replace(LIMIT, limit_price=151), 0, Reason.PRICE_BAND),
        (replace(LIMIT, limit_price=49, reduce_only=True), -5, Reason.PRICE_BAND),
        (MARKET, 0, None),
        (replace(MARKET, quantity=9), 0, Reason.NOTIONAL_MIN),
    ],
)
def test_the_filters_of_the_market(order: PlaceOrder, position: int, reason: Reason | None) -> None:
    refusal = check_filters(order, SMALL, 100, position)
    assert (None if refusal is None else refusal.reason) == reason
