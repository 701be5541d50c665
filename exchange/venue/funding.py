"""When funding is due, at what rate, and that it is paid (FUND rules)."""

from __future__ import annotations

from exchange.accounts.funding import FundingPayments, pay_funding
from exchange.domain.events import AnyEvent, FundingPaid, FundingSettled, TimeAdvanced
from exchange.domain.funding_math import funding_rate
from exchange.domain.ids import Symbol
from exchange.domain.instrument import FundingTerms
from exchange.domain.units import Ppb, TimeNs
from exchange.domain.views import FundingView
from exchange.venue.market import Market
from exchange.venue.marks import follow_indexes, sample_premium
from exchange.venue.state import VenueState

FUNDINGS_PER_COMMAND_MAX = 16
"""Fundings that one command settles, each of one symbol; what more is due waits for the next AdvanceTime (FUND-004)."""


def schedule(state: VenueState) -> None:
    """Give each symbol with funding its first funding time: the next whole interval since the epoch (FUND-004).

    Called before each command, since time is first known with the first; at construction it is 1970.
    """
    for market in state.markets.values():
        terms = market.instrument.funding
        if terms is not None and market.next_funding_ns is None:
            market.next_funding_ns = (state.now_ns // terms.interval + 1) * terms.interval


def next_due_ns(state: VenueState) -> TimeNs | None:
    """Return when the next funding of any symbol is due; None before the first command and without funding."""
    times = [market.next_funding_ns for market in state.markets.values() if market.next_funding_ns is not None]
    return min(times, default=None)


def advance(state: VenueState, events: list[AnyEvent]) -> None:
    """Let time have passed: marks made of an index follow, funding that is due is paid in order (FUND-004).

    It is paid at the mark as it is now; the premium that the book had last is taken to have held until then.
    """
    events.append(TimeAdvanced(time_ns=state.now_ns))
    follow_indexes(state, events)
    for _ in range(FUNDINGS_PER_COMMAND_MAX):
        due = _next_due(state)
        if due is None:
            break
        _settle(state, events, *due)
    for symbol in sorted(state.markets):
        sample_premium(state, symbol)


def _next_due(state: VenueState) -> tuple[Market, FundingTerms, TimeNs] | None:
    """Return the symbol whose funding was due first, ties by symbol; None where none is due."""
    due: tuple[Market, FundingTerms, TimeNs] | None = None
    for _, market in sorted(state.markets.items()):
        terms, time_ns = market.instrument.funding, market.next_funding_ns
        if terms is None or time_ns is None or time_ns > state.now_ns:
            continue
        if due is None or time_ns < due[2]:
            due = (market, terms, time_ns)
    return due


def _settle(state: VenueState, events: list[AnyEvent], market: Market, terms: FundingTerms, due_ns: TimeNs) -> None:
    """Pay one symbol's funding; without a mark nothing can be held, and only time goes on."""
    symbol = market.instrument.symbol
    premium = market.premium_until(due_ns).rounded()
    rate = funding_rate(premium, terms.interest, terms.clamp, terms.cap)
    market.end_interval(rate, terms.interval)
    mark = state.accounts.marks.get(symbol)
    if mark is None:
        return
    paid = pay_funding(state.accounts, symbol, rate)
    events.append(
        FundingSettled(
            symbol=symbol,
            funding_rate=rate,
            premium=premium,
            mark_price=mark,
            residual=paid.residual,
            payments=len(paid.payments),
            next_funding_time_ns=due_ns + terms.interval,
            time_ns=state.now_ns,
        )
    )
    _tell_payments(events, symbol, rate, paid)


def _tell_payments(events: list[AnyEvent], symbol: Symbol, rate: Ppb, paid: FundingPayments) -> None:
    for payment in paid.payments:
        position = payment.position
        events.append(
            FundingPaid(
                account=position.account,
                symbol=symbol,
                position_side=position.position_side,
                quantity=position.quantity,
                funding_rate=rate,
                amount=payment.amount,
                wallet_balance=payment.wallet_balance,
            )
        )


def funding_view(state: VenueState, symbol: Symbol) -> FundingView:
    """Return how a symbol's funding stands; without funding its rates are 0. Raises ``KeyError`` for an unknown symbol."""
    market = state.markets[symbol]
    premium = market.premium_until(state.now_ns).rounded()
    terms = market.instrument.funding
    return FundingView(
        symbol=symbol,
        index_price=market.index_price,
        premium=premium,
        funding_rate=0 if terms is None else funding_rate(premium, terms.interest, terms.clamp, terms.cap),
        last_funding_rate=market.last_funding_rate,
        next_funding_time_ns=market.next_funding_ns,
    )
