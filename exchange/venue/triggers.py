"""When triggered orders enter: after the command that moved the price and its liquidations, one at a time (TRIG rules)."""

from __future__ import annotations

from collections.abc import Iterable

from exchange.domain.enums import TradingState
from exchange.domain.events import AnyEvent, IndexPriceChanged, MarkPriceChanged, TradeExecuted, TradingStateSet
from exchange.domain.ids import Symbol
from exchange.domain.triggers import TriggerSource
from exchange.domain.units import Ticks
from exchange.venue.order_commands import enter_triggered
from exchange.venue.outcome import report_changes
from exchange.venue.resolution import Resolution
from exchange.venue.state import VenueState
from exchange.venue.trading import Trading


def note_crossed(state: VenueState, events: Iterable[AnyEvent]) -> None:
    """Queue what the prices of some events trigger, in the order of the events; every trade counts, not only the last."""
    for event in events:
        match event:
            case MarkPriceChanged():
                _cross(state, event.symbol, TriggerSource.MARK, event.mark_price)
            case IndexPriceChanged():
                _cross(state, event.symbol, TriggerSource.INDEX, event.index_price)
            case TradeExecuted():
                _cross(state, event.symbol, TriggerSource.LAST, event.price)
            case TradingStateSet(trading_state=TradingState.OPEN):
                for source in TriggerSource:
                    price = state.price_of(event.symbol, source)
                    if price is not None:
                        _cross(state, event.symbol, source, price)
            case _:
                pass


def _cross(state: VenueState, symbol: Symbol, source: TriggerSource, price: Ticks) -> None:
    if symbol not in state.halted:
        state.triggers.cross(symbol, source, price)


def enter_crossed(state: VenueState, trading: Trading, resolution: Resolution, steps_left: int) -> None:
    """Have triggered orders enter, each with all that it changes and sets off, as many as one command may (TRIG-004).

    Liquidations come first: while any is unfinished, none enters. ``steps_left`` are those of this command.
    """
    triggers, events = state.triggers, trading.events
    for _ in range(state.limits.triggers_max):
        if not triggers.has_crossed() or state.unfinished_liquidations:
            return
        order, price = triggers.next_crossed()
        if order.symbol in state.halted:
            triggers.wait_again(order)
            continue
        told = len(events)
        enter_triggered(state, trading, order, price)
        report_changes(state, events)
        steps_left = resolution.run(events[told:], steps_left)
        report_changes(state, events)
        note_crossed(state, events[told:])
