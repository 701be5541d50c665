from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from exchange.domain.enums import EntryKind, MarginMode, PositionSide, Side
from exchange.domain.events import (
    CloseOutVenue,
    LiquidationFinished,
    LiquidationOrdersCanceled,
    LiquidationOrderSettled,
    LiquidationStarted,
    LiquidationWaiting,
    PositionTransferred,
    TimeAdvanced,
)
from exchange.domain.instrument import CollateralAsset, FundingTerms, IndexMarkTerms
from exchange.domain.units import Grid
from exchange.domain.views import DepthLevel, FundingView, LedgerEntry, LiquidationRecord
from exchange.wire import messages
from exchange.wire.assets import Assets
from exchange.wire.bodies import average_price, contract_multiplier, instrument_body, mark_body, side_pairs
from exchange.wire.liquidation_bodies import liquidation_body, record_body
from exchange.wire.margin_bodies import deleverage_body, funding_body, ledger_entry_body
from tests.cast import ALICE, BOB, ETH_PERP, T0, cash
from tests.wire_kit import BTC, HEALTH, LATER, RECORD

ASSETS = Assets([CollateralAsset(asset="BTC", decimals=8, haircut=0)])
FUNDING = FundingTerms(interval=8 * 3600 * 10**9, interest=100_000, clamp=500_000, cap=7_500_000, impact_notional=cash("10000"))
INSTRUMENTS = {"BTC-PERP": BTC, "ETH-PERP": ETH_PERP}


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
        liquidation_id=3,
        account=ALICE,
        path=MarginMode.ISOLATED,
        symbol="BTC-PERP",
        position_side=PositionSide.LONG,
        health=HEALTH,
        time_ns=T0,
    )
    canceled = LiquidationOrdersCanceled(liquidation_id=3, orders=2, health=HEALTH)
    settled = LiquidationOrderSettled(
        liquidation_id=3,
        account=ALICE,
        symbol="BTC-PERP",
        position_side=PositionSide.LONG,
        order_id=9,
        side=Side.SELL,
        quantity=1500,
        bankruptcy_price=190,
        filled=500,
        fee=cash("0.25"),
        before=HEALTH,
        after=LATER,
    )
    waiting = LiquidationWaiting(liquidation_id=3, account=ALICE, retries_left=0, halted=False)
    events = (started, canceled, settled, TRANSFER, waiting, LiquidationFinished(record=RECORD))
    bodies = [liquidation_body(INSTRUMENTS, event, T0 + 1999) for event in events]
    assert [body and body.step for body in bodies] == [
        "started",
        "orders_canceled",
        "order_settled",
        "transferred",
        "waiting",
        "finished",
    ]
    assert all(body is not None and body.time_us == T0 // 1000 + 1 for body in bodies)
    first, second, third, fourth, fifth, sixth = bodies
    assert first is not None
    assert (first.equity, first.maintenance_margin, first.path, first.symbol) == ("-1.5", "5", "isolated", "BTC-PERP")
    assert first.position_side == "long"
    assert second is not None
    assert (second.orders, second.symbol) == (2, None)
    assert third is not None
    assert (third.quantity, third.filled, third.bankruptcy_price, third.fee) == ("1.5", "0.5", "95", "0.25")
    assert (third.equity_before, third.equity) == ("-1.5", "2")
    assert fourth is not None
    assert (fourth.venue, fourth.counterparty, fourth.fund_change) == ("auto_deleverage", BOB, "-1")
    assert (fourth.value, fourth.price) == ("101.5", "101.5")
    assert fifth is not None
    assert msgspec.json.decode(msgspec.json.encode(fifth)) == {
        "step": "waiting",
        "liquidation_id": 3,
        "time_us": T0 // 1000 + 1,
        "account": ALICE,
        "retries_left": 0,
        "halted": False,
    }
    assert sixth is not None
    assert (sixth.book_quantity, sixth.deleveraged_quantity) == ({"BTC-PERP": "0.5"}, {"BTC-PERP": "1", "ETH-PERP": "3"})
    assert (sixth.owner_recovery, sixth.default_recovery, sixth.bad_debt) == ("0.1", "0.666666", "4")
    assert liquidation_body(INSTRUMENTS, TimeAdvanced(time_ns=T0), T0) is None


@pytest.mark.rule("LIQ-016", "WIRE-007")
def test_a_record_of_a_liquidation_tells_every_field_of_it_in_decimals() -> None:
    body = record_body(INSTRUMENTS, RECORD, 12)
    times = {"started_us": "started_ns", "finished_us": "finished_ns"}
    told = {times.get(name, name) for name in body.__struct_fields__} - {"number"}
    assert told == set(LiquidationRecord.__struct_fields__)
    assert (body.number, body.liquidation_id, body.account) == (12, 3, ALICE)
    assert body.finished_us - body.started_us == 2000
    assert body.trigger_marks == {"BTC-PERP": "100.5", "ETH-PERP": "7"}
    assert (body.before.equity, body.before.notional, body.after.equity) == ("-1.5", "100", "2")
    assert (body.collateral, body.book_value, body.realized_pnl, body.replenished) == ("20", "47.5", "-30", "0.5")
    assert (body.fee, body.fund_change, body.fund_paid, body.adl_forgone) == ("0.25", "-0.75", "1", "2")
    assert (body.socialized, body.bad_debt, body.returned) == ("3", "4", "0")
    assert (body.owner_recovery, body.default_recovery) == ("0.1", "0.666666")
    assert (body.orders_canceled, body.rounds, body.deleveraged_legs) == (2, 4, 2)
    assert record_body(INSTRUMENTS, replace(RECORD, owner_recovery=None), 1).owner_recovery is None


TRANSFER = PositionTransferred(
    liquidation_id=3,
    venue=CloseOutVenue.AUTO_DELEVERAGE,
    account=ALICE,
    counterparty=BOB,
    symbol="BTC-PERP",
    position_side=PositionSide.LONG,
    counterparty_side=PositionSide.SHORT,
    side=Side.SELL,
    quantity=1000,
    value=cash("101.5"),
    realized_pnl=cash("-5"),
    counterparty_realized_pnl=cash("4.5"),
    fund_change=cash("-1"),
    before=HEALTH,
    after=LATER,
)


@pytest.mark.rule("LIQ-008")
def test_a_deleveraged_account_is_told_its_own_side_quantity_and_price() -> None:
    body = deleverage_body(BTC, TRANSFER, T0)
    assert (body.liquidation_id, body.venue, body.symbol, body.position_side) == (3, "auto_deleverage", "BTC-PERP", "short")
    assert (body.side, body.quantity, body.price, body.value, body.realized_pnl) == ("buy", "1", "101.5", "101.5", "4.5")
    residual = deleverage_body(BTC, replace(TRANSFER, venue=CloseOutVenue.RESIDUAL), T0)
    assert residual.venue == "residual"


@pytest.mark.rule("MARG-028", "WIRE-007")
@pytest.mark.parametrize(
    ("asset", "position_id", "amount", "wallet", "symbol", "side", "text"),
    [
        ("USD", None, -1_500_000, "cross", None, None, "-1.5"),
        ("BTC", None, 1_50000000, "cross", None, None, "1.5"),
        ("USD", "BTC-PERP", 1, "isolated", "BTC-PERP", "net", "0.000001"),
        ("USD", "BTC-PERP/short", 1, "isolated", "BTC-PERP", "short", "0.000001"),
    ],
)
def test_a_ledger_entry_names_its_wallet_and_counts_in_its_asset(
    asset: str, position_id: str | None, amount: int, wallet: str, symbol: str | None, side: str | None, text: str
) -> None:
    entry = LedgerEntry(ALICE, asset, position_id, EntryKind.FUNDING, amount, amount)
    body = ledger_entry_body(entry, ASSETS, number=4, sequence=9, time_ns=T0)
    assert (body.wallet, body.symbol, body.position_side) == (wallet, symbol, side)
    assert (body.amount, body.balance, body.kind, body.asset) == (text, text, "funding", asset)
    assert (body.number, body.sequence, body.time_us) == (4, 9, T0 // 1000)


@pytest.mark.rule("FUND-002", "WIRE-007")
def test_funding_rates_are_told_to_their_last_digit() -> None:
    view = FundingView(
        symbol="BTC-PERP",
        index_price=None,
        premium=-1,
        funding_rate=100_000,
        last_funding_rate=-7_500_000,
        next_funding_time_ns=T0,
    )
    body = funding_body(BTC, view, T0)
    assert (body.premium, body.funding_rate, body.last_funding_rate) == ("-0.000000001", "0.0001", "-0.0075")
    assert (body.index_price, body.next_funding_time_us) == (None, T0 // 1000)
    without = mark_body(BTC, 201, replace(view, next_funding_time_ns=None), T0)
    assert (without.mark_price, without.funding_rate, without.next_funding_time_us) == ("100.5", None, None)
    funded = replace(BTC, funding=FUNDING)
    assert mark_body(funded, 201, replace(view, index_price=199), T0).index_price == "99.5"
    assert mark_body(funded, 201, view, T0).funding_rate == "0.0001"


@pytest.mark.rule("WIRE-007")
def test_an_instrument_tells_how_its_funding_and_its_mark_are_made() -> None:
    assert (instrument_body(BTC).mark_source, instrument_body(BTC).funding, instrument_body(BTC).index_mark) == (
        "external",
        None,
        None,
    )
    body = instrument_body(replace(BTC, funding=FUNDING, index_mark=IndexMarkTerms(band=50_000, basis_window=150 * 10**9)))
    assert body.mark_source == "index"
    assert body.index_mark == messages.IndexMarkBody(band="0.05", basis_window_us=150_000_000)
    assert body.funding == messages.FundingTermsBody(
        interval_us=28_800_000_000, interest="0.0001", clamp="0.0005", cap="0.0075", impact_notional="10000"
    )
