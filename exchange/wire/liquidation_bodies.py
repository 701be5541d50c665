"""The steps of a liquidation as the public ``liquidations`` channel tells them, and the record of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from exchange.domain.events import (
    AnyEvent,
    LiquidationFinished,
    LiquidationOrdersCanceled,
    LiquidationOrderSettled,
    LiquidationStarted,
    LiquidationWaiting,
    PositionTransferred,
)
from exchange.domain.ids import Symbol
from exchange.domain.instrument import Instrument
from exchange.domain.units import Lots, TimeNs, format_cash, format_rate
from exchange.domain.views import LiquidationRecord
from exchange.wire.bodies import average_price, rate_text, time_us
from exchange.wire.margin_bodies import health_body
from exchange.wire.margin_messages import LiquidationBody, LiquidationRecordBody

Instruments: TypeAlias = Mapping[Symbol, Instrument]


def liquidation_body(instruments: Instruments, event: AnyEvent, time_ns: TimeNs) -> LiquidationBody | None:
    """Return one step of a liquidation, or None when the event is none. ``time_ns`` is that of the command."""
    match event:
        case LiquidationStarted():
            return LiquidationBody(
                step="started",
                liquidation_id=event.liquidation_id,
                time_us=time_us(time_ns),
                account=event.account,
                path=event.path.value,
                symbol=event.symbol,
                position_side=event.position_side.value,
                equity=format_cash(event.health.equity),
                maintenance_margin=format_cash(event.health.maintenance_margin),
            )
        case LiquidationOrdersCanceled():
            return LiquidationBody(
                step="orders_canceled",
                liquidation_id=event.liquidation_id,
                time_us=time_us(time_ns),
                orders=event.orders,
                equity=format_cash(event.health.equity),
                maintenance_margin=format_cash(event.health.maintenance_margin),
            )
        case LiquidationOrderSettled():
            return _settled(instruments[event.symbol], event, time_ns)
        case PositionTransferred():
            return _transferred(instruments[event.symbol], event, time_ns)
        case LiquidationWaiting():
            return LiquidationBody(
                step="waiting",
                liquidation_id=event.liquidation_id,
                time_us=time_us(time_ns),
                account=event.account,
                retries_left=event.retries_left,
                halted=event.halted,
            )
        case LiquidationFinished():
            return _finished(instruments, event.record, time_ns)
        case _:
            return None


def _settled(instrument: Instrument, event: LiquidationOrderSettled, time_ns: TimeNs) -> LiquidationBody:
    return LiquidationBody(
        step="order_settled",
        liquidation_id=event.liquidation_id,
        time_us=time_us(time_ns),
        account=event.account,
        symbol=event.symbol,
        position_side=event.position_side.value,
        side=event.side.value,
        quantity=instrument.quantity_grid.format(event.quantity),
        filled=instrument.quantity_grid.format(event.filled),
        bankruptcy_price=instrument.price_grid.format(event.bankruptcy_price),
        fee=format_cash(event.fee),
        equity=format_cash(event.after.equity),
        maintenance_margin=format_cash(event.after.maintenance_margin),
        equity_before=format_cash(event.before.equity),
        maintenance_margin_before=format_cash(event.before.maintenance_margin),
    )


def _transferred(instrument: Instrument, event: PositionTransferred, time_ns: TimeNs) -> LiquidationBody:
    return LiquidationBody(
        step="transferred",
        liquidation_id=event.liquidation_id,
        time_us=time_us(time_ns),
        account=event.account,
        symbol=event.symbol,
        position_side=event.position_side.value,
        side=event.side.value,
        quantity=instrument.quantity_grid.format(event.quantity),
        venue=event.venue.value,
        counterparty=event.counterparty,
        price=average_price(instrument, event.value, event.quantity),
        value=format_cash(event.value),
        fund_change=format_cash(event.fund_change),
        equity=format_cash(event.after.equity),
        maintenance_margin=format_cash(event.after.maintenance_margin),
        equity_before=format_cash(event.before.equity),
        maintenance_margin_before=format_cash(event.before.maintenance_margin),
    )


def _finished(instruments: Instruments, record: LiquidationRecord, time_ns: TimeNs) -> LiquidationBody:
    return LiquidationBody(
        step="finished",
        liquidation_id=record.liquidation_id,
        time_us=time_us(time_ns),
        account=record.account,
        path=record.path.value,
        symbol=record.symbol,
        position_side=record.position_side.value,
        orders=record.orders_canceled,
        fee=format_cash(record.fee),
        fund_change=format_cash(record.fund_change),
        returned=format_cash(record.returned),
        book_quantity=_quantities(instruments, record.book_quantity),
        fund_quantity=_quantities(instruments, record.fund_quantity),
        deleveraged_quantity=_quantities(instruments, record.deleveraged_quantity),
        fund_paid=format_cash(record.fund_paid),
        adl_forgone=format_cash(record.adl_forgone),
        socialized=format_cash(record.socialized),
        bad_debt=format_cash(record.bad_debt),
        owner_recovery=rate_text(record.owner_recovery),
        default_recovery=format_rate(record.default_recovery),
        equity=format_cash(record.after.equity),
        maintenance_margin=format_cash(record.after.maintenance_margin),
        equity_before=format_cash(record.before.equity),
        maintenance_margin_before=format_cash(record.before.maintenance_margin),
    )


def record_body(instruments: Instruments, record: LiquidationRecord, number: int) -> LiquidationRecordBody:
    """Return all that a liquidation did, as its owner and the operator see it (LIQ-016)."""
    return LiquidationRecordBody(
        number=number,
        liquidation_id=record.liquidation_id,
        account=record.account,
        path=record.path.value,
        symbol=record.symbol,
        position_side=record.position_side.value,
        started_us=time_us(record.started_ns),
        finished_us=time_us(record.finished_ns),
        trigger_marks={
            symbol: instruments[symbol].price_grid.format(mark) for symbol, mark in sorted(record.trigger_marks.items())
        },
        collateral=format_cash(record.collateral),
        before=health_body(record.before),
        after=health_body(record.after),
        orders_canceled=record.orders_canceled,
        rounds=record.rounds,
        replenished=format_cash(record.replenished),
        book_quantity=_quantities(instruments, record.book_quantity),
        book_value=format_cash(record.book_value),
        fund_quantity=_quantities(instruments, record.fund_quantity),
        deleveraged_quantity=_quantities(instruments, record.deleveraged_quantity),
        deleveraged_legs=record.deleveraged_legs,
        realized_pnl=format_cash(record.realized_pnl),
        fee=format_cash(record.fee),
        fund_change=format_cash(record.fund_change),
        fund_paid=format_cash(record.fund_paid),
        adl_forgone=format_cash(record.adl_forgone),
        socialized=format_cash(record.socialized),
        bad_debt=format_cash(record.bad_debt),
        returned=format_cash(record.returned),
        owner_recovery=rate_text(record.owner_recovery),
        default_recovery=format_rate(record.default_recovery),
    )


def _quantities(instruments: Instruments, quantities: Mapping[Symbol, Lots]) -> dict[str, str]:
    return {symbol: instruments[symbol].quantity_grid.format(lots) for symbol, lots in quantities.items()}
