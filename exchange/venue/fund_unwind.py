"""How the insurance fund gets rid of what it took over: in slices, through the public book, as a taker (LIQ-015)."""

from __future__ import annotations

from exchange.accounts.position import Position
from exchange.domain.closeout_math import unwind_slice
from exchange.domain.enums import OrderType, Side, TimeInForce
from exchange.domain.events import OrderAccepted
from exchange.domain.ids import INSURANCE_FUND
from exchange.domain.units import Lots, Ticks, TimeNs
from exchange.matching.admission import band_high, band_low
from exchange.matching.book import Book
from exchange.matching.order import Order
from exchange.venue.state import VenueState
from exchange.venue.trading import Trading

UNWIND_LEVELS_MAX = 100
"""How many levels of the book are looked at for the share that a slice may take."""


def unwind_fund(state: VenueState, trading: Trading) -> bool:
    """Send one slice per symbol in which the fund has a position, no sooner than the interval allows; return if any was."""
    policy, fund, has_sent = state.policy, state.accounts.ledger.fund, False
    if not policy.fund_unwind_fraction or state.unfinished_liquidations:
        return False
    for symbol, position in sorted(fund.positions.items()):
        rested = state.now_ns - state.unwound_ns.get(symbol, -policy.fund_unwind_interval) >= policy.fund_unwind_interval
        if not position.quantity or not rested or symbol in state.halted or state.accounts.is_stale(symbol):
            continue
        limit = _worst_price(position, state.accounts.marks[symbol])
        quantity = _slice(state, position, limit)
        if quantity:
            state.unwound_ns[symbol] = state.now_ns
            _send(state, trading, position, quantity, limit)
            has_sent = True
    return has_sent


def next_slice_ns(state: VenueState) -> TimeNs | None:
    """Return when the next slice may be sent; None where none was, or where the time for it has come already.

    A slice that found nothing to meet is tried again with the next mark or passing of time, not at once.
    """
    held = (symbol for symbol, position in state.accounts.ledger.fund.positions.items() if position.quantity)
    sent = (state.unwound_ns[symbol] for symbol in held if symbol in state.unwound_ns)
    return min((at for each in sent if (at := each + state.policy.fund_unwind_interval) > state.now_ns), default=None)


def _worst_price(position: Position, mark: Ticks) -> Ticks:
    band = position.instrument.market_protection
    return band_low(mark, band) if position.quantity > 0 else band_high(mark, band)


def _slice(state: VenueState, position: Position, limit: Ticks) -> Lots:
    """Return how much to sell now: the fraction, at least the minimum, at most the share of the book and one order."""
    mark, resting = state.accounts.marks[position.symbol], _resting_within(state.books[position.symbol], position, limit)
    return unwind_slice(position.instrument, position.quantity, mark, resting, state.policy)


def _resting_within(book: Book, position: Position, limit: Ticks) -> Lots:
    """Return how much rests on the side that the slice would meet, no worse than ``limit``."""
    sign = 1 if position.quantity > 0 else -1
    levels = book.depth(Side.BUY if sign > 0 else Side.SELL, UNWIND_LEVELS_MAX)
    return sum(level.quantity for level in levels if sign * (level.price - limit) >= 0)


def _send(state: VenueState, trading: Trading, position: Position, quantity: Lots, limit: Ticks) -> None:
    order = Order(
        order_id=state.counters.next_order_id(),
        account=INSURANCE_FUND,
        symbol=position.symbol,
        side=Side.SELL if position.quantity > 0 else Side.BUY,
        quantity=quantity,
        limit_price=limit,
        time_ns=state.now_ns,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.IOC,
        reduce_only=True,
    )
    trading.events.append(OrderAccepted(order=order.view(), decision=None))
    trading.enter(order, is_reducing=True, raises_reserve=False)
    trading.run(order)
