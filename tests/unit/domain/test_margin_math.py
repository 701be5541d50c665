"""The margin formulas against numbers worked out by hand."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import Instrument, TierRow, build_tiers
from exchange.domain.margin_math import (
    bankruptcy_price,
    bankruptcy_value,
    closed_cost,
    effective_leverage,
    fee_on,
    initial_margin,
    isolated_fill_margin,
    liquidation_price,
    liquidation_root,
    liquidation_surplus,
    maintenance_margin,
    margin_price,
    margin_ratio,
    notional_value,
    open_loss,
    order_reserve,
    sign_of,
    tier_at,
    unrealized_pnl,
)
from tests.cast import BTC_PERP, BTC_WITH_FEES, DUST_PERP, TIERS, cash

PUBLISHED_TIERS = build_tiers(
    [
        TierRow(0, 4_000, 125),
        TierRow(cash("50000"), 5_000, 100),
        TierRow(cash("500000"), 10_000, 50),
        TierRow(cash("10000000"), 25_000, 20),
    ]
)
"""Brackets in the manner of a large venue, as its worked examples use them."""
TENTHS = replace(BTC_PERP, tiers=PUBLISHED_TIERS, cash_per_tick_lot=cash("0.0001"), default_leverage=20)
"""Ticks of 0.1 and lots of 0.001."""


def test_the_sign_of_a_position() -> None:
    assert [sign_of(quantity) for quantity in (5, 0, -5)] == [1, 0, -1]


@pytest.mark.rule("MARG-001")
def test_notional_and_profit_are_exact_products() -> None:
    assert notional_value(BTC_PERP, -10, 101) == cash("1010")
    assert unrealized_pnl(BTC_PERP, 10, cash("1000"), 101) == cash("10")
    assert unrealized_pnl(BTC_PERP, -10, cash("-1000"), 101) == cash("-10")
    assert unrealized_pnl(BTC_PERP, 0, 0, 101) == 0


@pytest.mark.rule("MARG-002")
@pytest.mark.parametrize(
    ("notional", "number"),
    [("0", 0), ("9999.999999", 0), ("10000", 1), ("49999.999999", 1), ("50000", 2), ("1000000000", 2)],
)
def test_a_tier_begins_at_its_floor(notional: str, number: int) -> None:
    assert tier_at(TIERS, cash(notional)) is TIERS[number]


@pytest.mark.rule("MARG-003")
@pytest.mark.parametrize(
    ("quantity", "mark", "maintenance"),
    [
        (0, 100, "0"),
        (10, 100, "50"),
        (-10, 100, "50"),
        (100, 100, "500"),
        (300, 100, "2500"),
        (500, 100, "4500"),
        (600, 100, "6500"),
    ],
)
def test_maintenance_is_the_tiers_rate_less_its_amount(quantity: int, mark: int, maintenance: str) -> None:
    assert maintenance_margin(BTC_PERP, quantity, 0, mark) == cash(maintenance)


@pytest.mark.rule("MARG-003")
def test_maintenance_rounds_up_to_a_unit() -> None:
    assert maintenance_margin(DUST_PERP, 1, 0, 19) == 1  # 0.95
    assert maintenance_margin(DUST_PERP, 1, 0, 20) == 1
    assert maintenance_margin(DUST_PERP, 1, 0, 21) == 2  # 1.05


@pytest.mark.rule("MARG-004")
@pytest.mark.parametrize(
    ("quantity", "leverage", "margin"),
    [
        (0, 10, "0"),
        (10, 10, "100"),
        (10, 3, "333.333334"),
        (-10, 1, "1000"),
        (100, 10, "2000"),
        (100, 4, "2500"),
        (500, 10, "25000"),
    ],
)
def test_initial_margin_uses_the_lower_of_own_and_tiers_leverage_and_rounds_up(
    quantity: int, leverage: int, margin: str
) -> None:
    assert initial_margin(BTC_PERP, quantity, 0, 100, leverage) == cash(margin)


@pytest.mark.rule("MARG-004")
def test_initial_margin_is_never_below_maintenance() -> None:
    for lots in range(1, 700):
        assert initial_margin(BTC_PERP, lots, 0, 100, 10) >= maintenance_margin(BTC_PERP, lots, 0, 100)


@pytest.mark.rule("MARG-017")
@pytest.mark.parametrize(
    ("notional", "rate", "fee"),
    [
        (1_000_000, 500, 500),
        (1, 500, 1),
        (0, 500, 0),
        (1_000_000, -500, -500),
        (1_999, -500, 0),
        (2_000, -500, -1),
        (3_999, -500, -1),
    ],
)
def test_fees_round_up_and_rebates_toward_zero(notional: int, rate: int, fee: int) -> None:
    assert fee_on(notional, rate) == fee


@pytest.mark.rule("MARG-008")
def test_a_sell_below_the_mark_is_margined_at_the_mark_and_a_buy_at_its_price() -> None:
    assert [margin_price(1, price, 100) for price in (90, 110)] == [90, 110]
    assert [margin_price(-1, price, 100) for price in (90, 110)] == [100, 110]


@pytest.mark.rule("MARG-008")
@pytest.mark.parametrize(("sign", "price", "loss"), [(1, 90, "0"), (1, 110, "30"), (-1, 110, "0"), (-1, 90, "30")])
def test_the_open_loss_is_what_a_trade_would_lose_at_once(sign: int, price: int, loss: str) -> None:
    assert open_loss(BTC_PERP, sign, 3, price, 100) == cash(loss)


@pytest.mark.rule("MARG-008")
@pytest.mark.parametrize(
    ("sign", "quantity", "price", "reserve"),
    [
        (1, 0, 100, "0"),
        (1, 10, 100, "110.000002"),
        (1, 10, 110, "221.000002"),
        (1, 10, 90, "99.000002"),
        (-1, 10, 90, "209.000002"),
        (-1, 10, 110, "121.000002"),
    ],
)
def test_an_orders_reserve_is_margin_fee_open_loss_and_two_units(sign: int, quantity: int, price: int, reserve: str) -> None:
    assert order_reserve(BTC_WITH_FEES, sign, quantity, price, 100, 10) == cash(reserve)


@pytest.mark.rule("MARG-012")
@pytest.mark.parametrize(("sign", "price", "moved"), [(1, 100, "101"), (1, 110, "211"), (-1, 90, "201"), (-1, 110, "111")])
def test_an_isolated_fill_moves_margin_open_loss_and_the_fee_given(sign: int, price: int, moved: str) -> None:
    assert isolated_fill_margin(BTC_PERP, sign, 10, price, 100, 10, cash("1")) == cash(moved)


@pytest.mark.rule("MARG-014")
@pytest.mark.parametrize(
    ("cost", "closed", "quantity", "share"),
    [(100, 1, 3, 33), (-100, 1, -3, -33), (67, 1, 2, 33), (34, 1, 1, 34), (100, 3, 3, 100), (0, 1, 3, 0)],
)
def test_the_closed_share_of_the_cost_is_rounded_toward_zero(cost: int, closed: int, quantity: int, share: int) -> None:
    assert closed_cost(cost, closed, quantity) == share


@pytest.mark.rule("MARG-005")
@pytest.mark.parametrize(
    ("equity", "maintenance", "ratio"),
    [(100, 50, 500_000), (3, 1, 333_334), (50, 50, 1_000_000), (49, 50, 1_020_409), (0, 50, None), (-1, 50, None), (10, 0, 0)],
)
def test_the_margin_ratio_rounds_up_and_is_none_without_equity(equity: int, maintenance: int, ratio: int | None) -> None:
    assert margin_ratio(equity, maintenance) == ratio


@pytest.mark.rule("MARG-020")
@pytest.mark.parametrize(
    ("notional", "equity", "leverage"),
    [(1_000, 100, 10_000_000), (1, 3, 333_334), (0, 5, 0), (1_000, 0, None), (1_000, -1, None)],
)
def test_effective_leverage_rounds_up_and_is_none_without_equity(notional: int, equity: int, leverage: int | None) -> None:
    assert effective_leverage(notional, equity) == leverage


@pytest.mark.rule("MARG-006")
@pytest.mark.parametrize(
    ("instrument", "quantity", "entry", "collateral", "mark", "price"),
    [
        # long 1 at 20000.0 with leverage 20: (1000 + 0 - 20000) / (0.004 - 1) = 19076.31 -> 19076.4 toward the mark
        (TENTHS, 1_000, 200_000, "1000", 200_000, 190_764),
        # short 1 at 20000.0 with leverage 20: (1000 + 20000) / 1.004 = 20916.33 -> 20916.3
        (TENTHS, -1_000, 200_000, "1000", 200_000, 209_163),
        # long 10 at 20000.0, collateral 5000, in tier 2: (5000 + 50 - 200000) / (10 * -0.995) = 19592.96 -> 19593.0
        (TENTHS, 10_000, 200_000, "5000", 200_000, 195_930),
        # short 10 at 20000.0, collateral 20000, in tier 2: (20000 + 50 + 200000) / (10 * 1.005) = 21895.5
        (TENTHS, -10_000, 200_000, "20000", 200_000, 218_955),
        # 10 lots at 100 with 100: 900 / 9.5 = 94.74; the other side 1100 / 10.5 = 104.76
        (BTC_PERP, 10, 100, "100", 100, 95),
        (BTC_PERP, -10, 100, "100", 100, 104),
    ],
)
def test_liquidation_prices_as_worked_by_hand(
    instrument: Instrument, quantity: int, entry: int, collateral: str, mark: int, price: int
) -> None:
    cost = quantity * entry * instrument.cash_per_tick_lot
    assert liquidation_price(instrument, quantity, cost, cash(collateral), mark) == price


@pytest.mark.rule("MARG-006")
@pytest.mark.parametrize(
    ("quantity", "collateral"), [(10, "100"), (-10, "100"), (150, "4000"), (-150, "4000"), (-600, "30000")]
)
def test_at_the_exact_root_equity_equals_maintenance_and_a_tick_beyond_is_below(quantity: int, collateral: str) -> None:
    cost, wallet = quantity * 100 * cash("1"), cash(collateral)
    root = liquidation_root(BTC_PERP, quantity, cost, wallet)
    assert root is not None
    shown = liquidation_price(BTC_PERP, quantity, cost, wallet, 100)
    assert shown is not None
    beyond = shown - sign_of(quantity)
    for mark, healthy in ((shown, True), (beyond, False)):
        equity = wallet + unrealized_pnl(BTC_PERP, quantity, cost, mark)
        assert (equity >= maintenance_margin(BTC_PERP, quantity, 0, mark)) is healthy


@pytest.mark.rule("MARG-006")
def test_a_root_exactly_at_a_tiers_floor_belongs_to_that_tier() -> None:
    """Short 100: at 100 the notional is the floor of tier 2, 500 of maintenance. Collateral such that E = 500 there."""
    root = liquidation_root(BTC_PERP, -100, cash("-9000"), cash("1500"))
    assert root is not None
    assert root.numerator == 100 * root.denominator


@pytest.mark.rule("MARG-006")
def test_without_a_root_there_is_no_liquidation_price() -> None:
    assert liquidation_price(BTC_PERP, 0, 0, cash("100"), 100) is None
    assert liquidation_price(BTC_PERP, 10, cash("1000"), cash("1000"), 100) is None
    assert liquidation_price(BTC_PERP, 10, cash("1000"), cash("2000"), 100) is None
    assert liquidation_price(BTC_PERP, -10, cash("-1000"), cash("-1000"), 100) is None


@pytest.mark.rule("MARG-006")
def test_beyond_the_mark_the_mark_itself_is_shown() -> None:
    assert liquidation_price(BTC_PERP, 10, cash("1000"), cash("100"), 94) == 94
    assert liquidation_price(BTC_PERP, -10, cash("-1000"), cash("100"), 106) == 106
    assert liquidation_price(BTC_PERP, 10, cash("1000"), cash("-5000"), 94) == 94


@pytest.mark.rule("LIQ-005")
@pytest.mark.parametrize(
    ("quantity", "mark", "share", "closed", "value"),
    [
        (10, 94, "40", 10, "900"),
        (10, 94, "40", 4, "360"),
        (-10, 105, "50", 10, "-1100"),
        (10, 85, "-50", 10, "900"),
        (10, 85, "-50", 1, "90"),
        (3, 100, "0.000001", 1, "100"),
        (3, 100, "-0.000001", 1, "100.000001"),
    ],
)
def test_closing_at_bankruptcy_value_takes_the_pro_rata_share_rounded_down(
    quantity: int, mark: int, share: str, closed: int, value: str
) -> None:
    assert bankruptcy_value(BTC_PERP, quantity, mark, cash(share), closed) == cash(value)


@pytest.mark.rule("LIQ-005")
@pytest.mark.parametrize(
    ("quantity", "mark", "share", "price"),
    [
        (10, 94, "40", 90),
        (10, 94, "39.999999", 91),
        (10, 94, "45", 90),
        (-10, 105, "50", 110),
        (-10, 105, "49.999999", 109),
        (10, 85, "-50", 90),
        (-10, 100, "-2000", -100),
        (10, 94, "940", 0),
    ],
)
def test_the_bankruptcy_price_is_rounded_up_for_a_sell_and_down_for_a_buy(
    quantity: int, mark: int, share: str, price: int
) -> None:
    assert bankruptcy_price(BTC_PERP, quantity, mark, cash(share)) == price


@pytest.mark.rule("LIQ-006")
@pytest.mark.parametrize(
    ("quantity", "price", "bankruptcy", "closed", "surplus"),
    [
        (10, 91, "900", 10, "10"),
        (10, 91, "900", 4, "4"),
        (10, 90, "900", 10, "0"),
        (-10, 109, "-1100", 10, "10"),
        (10, 90, "895.000001", 3, "1.499999"),
    ],
)
def test_the_surplus_is_what_a_close_leaves_above_bankruptcy_rounded_down(
    quantity: int, price: int, bankruptcy: str, closed: int, surplus: str
) -> None:
    assert liquidation_surplus(BTC_PERP, quantity, price, cash(bankruptcy), closed) == cash(surplus)
