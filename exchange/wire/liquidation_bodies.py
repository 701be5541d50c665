"""The steps of a liquidation as the public ``liquidations`` channel tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from exchange.domain.events import (
    AnyEvent,
    LiquidationFinished,
    LiquidationOrdersCanceled,
    LiquidationOrderSettled,
    LiquidationStarted,
    PositionTransferred,
)
from exchange.domain.ids import Symbol
from exchange.domain.instrument import Instrument
from exchange.domain.units import Lots, TimeNs, format_cash
from exchange.wire.bodies import time_us
from exchange.wire.messages import LiquidationBody

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
        case LiquidationFinished():
            return _finished(instruments, event, time_ns)
        case _:
            return None


def _settled(instrument: Instrument, event: LiquidationOrderSettled, time_ns: TimeNs) -> LiquidationBody:
    return LiquidationBody(
        step="order_settled",
        liquidation_id=event.liquidation_id,
        time_us=time_us(time_ns),
        account=event.account,
        symbol=event.symbol,
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
        side=event.side.value,
        quantity=instrument.quantity_grid.format(event.quantity),
        venue=event.venue.value,
        counterparty=event.counterparty,
        fund_change=format_cash(event.fund_change),
        equity=format_cash(event.after.equity),
        maintenance_margin=format_cash(event.after.maintenance_margin),
        equity_before=format_cash(event.before.equity),
        maintenance_margin_before=format_cash(event.before.maintenance_margin),
    )


def _finished(instruments: Instruments, event: LiquidationFinished, time_ns: TimeNs) -> LiquidationBody:
    return LiquidationBody(
        step="finished",
        liquidation_id=event.liquidation_id,
        time_us=time_us(time_ns),
        account=event.account,
        path=event.path.value,
        symbol=event.symbol,
        fee=format_cash(event.fee),
        returned=format_cash(event.returned),
        book_quantity=_quantities(instruments, event.book_quantity),
        fund_quantity=_quantities(instruments, event.fund_quantity),
        deleveraged_quantity=_quantities(instruments, event.deleveraged_quantity),
        equity=format_cash(event.health.equity),
        maintenance_margin=format_cash(event.health.maintenance_margin),
    )


def _quantities(instruments: Instruments, quantities: Mapping[Symbol, Lots]) -> dict[str, str]:
    return {symbol: instruments[symbol].quantity_grid.format(lots) for symbol, lots in quantities.items()}
