from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.enums import MarginMode, Side
from exchange.domain.events import (
    CloseOutVenue,
    LiquidationFinished,
    LiquidationOrdersCanceled,
    LiquidationOrderSettled,
    LiquidationStarted,
    PositionTransferred,
    TimeAdvanced,
)
from exchange.domain.units import Grid
from exchange.domain.views import DepthLevel, ScopeHealth
from exchange.wire.bodies import average_price, contract_multiplier, instrument_body, side_pairs
from exchange.wire.liquidation_bodies import liquidation_body
from tests.cast import ALICE, BOB, ETH_PERP, T0, cash
from tests.wire_kit import BTC

INSTRUMENTS = {"BTC-PERP": BTC, "ETH-PERP": ETH_PERP}
HEALTH = ScopeHealth(equity=cash("-1.5"), maintenance_margin=cash("5"), notional=cash("100"))
LATER = ScopeHealth(equity=cash("2"), maintenance_margin=0, notional=0)


@pytest.mark.rule("WIRE-007")
@pytest.mark.parametrize(
    ("value", "quantity", "price"),
    [
        ("150", 1500, "100"),
        ("-150", -1500, "100"),
        ("0.151", 3, "50.3333333"),
        ("0.152", 3, "50.6666667"),
        ("0", 0, None),
    ],
)
def test_an_average_price_is_shown_to_the_nearest_of_its_last_decimal(value: str, quantity: int, price: str | None) -> None:
    assert average_price(BTC, cash(value), quantity) == price


def test_the_contract_multiplier_follows_from_grids_and_value() -> None:
    assert contract_multiplier(BTC) == "1"
    assert contract_multiplier(replace(BTC, cash_per_tick_lot=5)) == "0.01"
    assert contract_multiplier(replace(BTC, price_grid=Grid(1, 8), quantity_grid=Grid(1000, 0), cash_per_tick_lot=10)) == "1"


@pytest.mark.rule("WIRE-007")
def test_an_instrument_tells_every_limit_in_decimals() -> None:
    body = instrument_body(BTC)
    assert (body.tick_size, body.lot_size, body.quantity_max) == ("0.5", "0.001", "1000")
    assert (body.maker_fee, body.taker_fee, body.price_band, body.notional_min) == ("0.0002", "0.0005", "0.5", "10")
    assert [tier.notional_floor for tier in body.tiers] == ["0", "10000", "50000"]
    assert [tier.maintenance_amount for tier in body.tiers] == ["0", "500", "5500"]


def test_levels_keep_their_order_on_their_side() -> None:
    levels = (DepthLevel(Side.BUY, 200, 5), DepthLevel(Side.BUY, 199, 0), DepthLevel(Side.SELL, 203, 1500))
    assert side_pairs(BTC, levels, Side.BUY) == (("100", "0.005"), ("99.5", "0"))
    assert side_pairs(BTC, levels, Side.SELL) == (("101.5", "1.5"),)


def test_each_step_of_a_liquidation_tells_what_it_has_and_leaves_out_the_rest() -> None:
    started = LiquidationStarted(
        liquidation_id=3, account=ALICE, path=MarginMode.ISOLATED, symbol="BTC-PERP", health=HEALTH, time_ns=T0
    )
    canceled = LiquidationOrdersCanceled(liquidation_id=3, orders=2, health=HEALTH)
    settled = LiquidationOrderSettled(
        liquidation_id=3,
        account=ALICE,
        symbol="BTC-PERP",
        order_id=9,
        side=Side.SELL,
        quantity=1500,
        bankruptcy_price=190,
        filled=500,
        fee=cash("0.25"),
        before=HEALTH,
        after=LATER,
    )
    transferred = PositionTransferred(
        liquidation_id=3,
        venue=CloseOutVenue.AUTO_DELEVERAGE,
        account=ALICE,
        counterparty=BOB,
        symbol="BTC-PERP",
        side=Side.SELL,
        quantity=1000,
        value=0,
        realized_pnl=0,
        counterparty_realized_pnl=0,
        fund_change=cash("-1"),
        before=HEALTH,
        after=LATER,
    )
    finished = LiquidationFinished(
        liquidation_id=3,
        account=ALICE,
        path=MarginMode.CROSS,
        symbol=None,
        book_quantity={"BTC-PERP": 500},
        fund_quantity={},
        deleveraged_quantity={"BTC-PERP": 1000, "ETH-PERP": 3},
        fee=cash("0.25"),
        returned=0,
        health=LATER,
    )
    bodies = [liquidation_body(INSTRUMENTS, event, T0 + 1999) for event in (started, canceled, settled, transferred, finished)]
    assert [body and body.step for body in bodies] == [
        "started",
        "orders_canceled",
        "order_settled",
        "transferred",
        "finished",
    ]
    assert all(body is not None and body.time_us == T0 // 1000 + 1 for body in bodies)
    first, second, third, fourth, fifth = bodies
    assert first is not None
    assert (first.equity, first.maintenance_margin, first.path, first.symbol) == ("-1.5", "5", "isolated", "BTC-PERP")
    assert second is not None
    assert (second.orders, second.symbol) == (2, None)
    assert third is not None
    assert (third.quantity, third.filled, third.bankruptcy_price, third.fee) == ("1.5", "0.5", "95", "0.25")
    assert (third.equity_before, third.equity) == ("-1.5", "2")
    assert fourth is not None
    assert (fourth.venue, fourth.counterparty, fourth.fund_change) == ("auto_deleverage", BOB, "-1")
    assert fifth is not None
    assert (fifth.book_quantity, fifth.deleveraged_quantity) == ({"BTC-PERP": "0.5"}, {"BTC-PERP": "1", "ETH-PERP": "3"})
    assert liquidation_body(INSTRUMENTS, TimeAdvanced(time_ns=T0), T0) is None
