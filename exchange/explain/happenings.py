"""What followed a flag, told step by step, and the scope at the flag and at the end."""

from __future__ import annotations

from exchange.domain.decisions import Told
from exchange.domain.events import (
    AnyEvent,
    CloseOutVenue,
    LiquidationFinished,
    LiquidationOrdersCanceled,
    LiquidationOrderSettled,
    LiquidationStarted,
    LiquidationWaiting,
    MarginMoved,
    PositionTransferred,
)
from exchange.domain.instrument import Instrument
from exchange.domain.units import format_cash
from exchange.domain.views import LiquidationRecord, ScopeHealth
from exchange.explain.explanation import BeforeAfter, Happening
from exchange.explain.holdings import Instruments
from exchange.explain.wording import money, percent, price, quantity

_TAKERS = {
    CloseOutVenue.FUND: "the insurance fund took over",
    CloseOutVenue.AUTO_DELEVERAGE: "an opposite account was deleveraged for",
}


def happenings(story: tuple[Told, ...], instruments: Instruments) -> tuple[Happening, ...]:
    """Return a liquidation's events as sentences, in order."""
    found = []
    for told in story:
        step, sentence = _tell(told.event, instruments)
        if sentence:
            found.append(Happening(told.sequence, told.time_ns, step, sentence))
    return tuple(found)


def _tell(event: AnyEvent, instruments: Instruments) -> tuple[str, str]:
    match event:
        case LiquidationStarted(health=health):
            return "flagged", f"flagged with {_health(health)}"
        case LiquidationOrdersCanceled(orders=orders):
            return "orders_canceled", _canceled(orders)
        case MarginMoved(amount=amount, isolated_wallet=wallet):
            return "replenished", f"topped up with {money(amount)} of the owner's own money, to {money(wallet)}"
        case LiquidationOrderSettled():
            return "order_settled", _settled(event, instruments[event.symbol])
        case PositionTransferred():
            return "transferred", _transferred(event, instruments[event.symbol])
        case LiquidationWaiting(halted=halted, retries_left=retries):
            why = "the symbol to open" if halted else f"a new mark or book, {retries} more times at most"
            return "waiting", f"waits for {why}"
        case LiquidationFinished(record=record):
            return "finished", _finished(record)
        case _:
            return "", ""


def _canceled(orders: int) -> str:
    return {0: "it had no resting orders to cancel", 1: "its resting order was canceled"}.get(
        orders, f"its {orders} resting orders were canceled"
    )


def _settled(event: LiquidationOrderSettled, instrument: Instrument) -> str:
    wanted = f"{event.side.value} {quantity(instrument, event.quantity)} {event.symbol}"
    at = price(instrument, event.bankruptcy_price)
    if event.order_id is None:
        return f"no order was sent to {wanted}: no price spends the equity (bankruptcy at {at})"
    if not event.filled:
        return f"an order to {wanted} found nobody up to the bankruptcy price {at}"
    fee = f"for a fee of {money(event.fee)}" if event.fee >= 0 else f"with {money(-event.fee)} paid by the fund"
    filled = f"{quantity(instrument, event.filled)} of it in the book" if event.filled < event.quantity else "all in the book"
    return f"an order to {wanted}, at worst {at}, was filled, {filled}, {fee}: {_health(event.after)}"


def _transferred(event: PositionTransferred, instrument: Instrument) -> str:
    lots, value = quantity(instrument, event.quantity), money(abs(event.value))
    if event.venue is CloseOutVenue.RESIDUAL:
        return f"{lots} {event.symbol} went over at the mark, worth {value}: {_health(event.after)}"
    return f"{_TAKERS[event.venue]} {lots} {event.symbol} at bankruptcy value {value}: {_health(event.after)}"


def _finished(record: LiquidationRecord) -> str:
    kept = "nothing was put in" if record.owner_recovery is None else f"the owner kept {percent(record.owner_recovery)}"
    paid = record.fund_paid + record.adl_forgone + record.socialized + record.bad_debt
    others = f", others paid {money(paid)}" if paid else ""
    returned = f", {money(record.returned)} went back to the cross wallet" if record.returned else ""
    ended = "ended, healthy again" if record.after.maintenance_margin else "ended, flat"
    return f"{ended}; {kept}{returned}{others}; fees {money(max(0, record.fee))}"


def _health(health: ScopeHealth) -> str:
    return f"equity {money(health.equity)}, maintenance {money(health.maintenance_margin)}"


def outcome_changes(story: tuple[Told, ...]) -> tuple[BeforeAfter, ...]:
    """Return the scope at the flag and at the end of its liquidation, once that is over (LIQ-016)."""
    record = next((told.event.record for told in story if isinstance(told.event, LiquidationFinished)), None)
    if record is None:
        return ()
    before, after = record.before, record.after
    return (
        BeforeAfter("equity", "money", format_cash(before.equity), format_cash(after.equity)),
        BeforeAfter(
            "maintenance margin", "money", format_cash(before.maintenance_margin), format_cash(after.maintenance_margin)
        ),
        BeforeAfter("notional", "money", format_cash(before.notional), format_cash(after.notional)),
    )
