"""Marks and index prices: what is refused, how a mark is made of its index, and what the corridor remembers of trades."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from exchange.domain.commands import MarkPrice, SetIndexPrices, SetMarkPrices
from exchange.domain.enums import MarkSource
from exchange.domain.events import (
    AnyEvent,
    CommandRejected,
    IndexPriceChanged,
    MarkPriceChanged,
    TradeExecuted,
    TradingStateSet,
)
from exchange.domain.ids import Symbol
from exchange.domain.mark_math import fair_mark
from exchange.domain.rejects import Reason
from exchange.domain.units import PPM, PRICE_TICKS_MAX, Ppm, Ticks, ceil_div
from exchange.venue.market import Market
from exchange.venue.state import VenueState


class _NewPrice(Protocol):
    @property
    def symbol(self) -> Symbol: ...
    @property
    def price(self) -> Ticks: ...


class _Fault(NamedTuple):
    """Why an update is refused, and for which of its symbols."""

    reason: Reason
    symbol: Symbol
    limit: int | None = None
    actual: int | None = None

    def refusal(self, command: str) -> CommandRejected:
        return CommandRejected(
            account=None, command=command, reason=self.reason, symbol=self.symbol, limit=self.limit, actual=self.actual
        )


# -- commands ----------------------------------------------------------------------------------------------------------


def set_marks(state: VenueState, events: list[AnyEvent], command: SetMarkPrices) -> None:
    """Replace marks; one bad mark refuses the whole update (MARK-001, MARK-002)."""
    fault = _find_fault(state, command.marks, state.accounts.marks)
    if fault is None:
        made = (mark.symbol for mark in command.marks if state.instruments[mark.symbol].mark_source is MarkSource.INDEX)
        fault = next((_Fault(Reason.MARK_SOURCE, symbol) for symbol in made), None)
    if fault is not None:
        events.append(fault.refusal("SetMarkPrices"))
        return
    state.accounts.apply_mark_prices(command.marks)
    events.extend(MarkPriceChanged(symbol=mark.symbol, mark_price=mark.price, time_ns=state.now_ns) for mark in command.marks)
    for mark in command.marks:
        sample_premium(state, mark.symbol)


def set_index_prices(state: VenueState, events: list[AnyEvent], command: SetIndexPrices) -> None:
    """Replace index prices, and the marks that are made of them; one bad price refuses the whole update (MARK-003)."""
    known = {symbol: market.index_price for symbol, market in state.markets.items() if market.index_price is not None}
    fault = _find_fault(state, command.prices, known)
    if fault is not None:
        events.append(fault.refusal("SetIndexPrices"))
        return
    for new in command.prices:
        state.markets[new.symbol].index_price = new.price
        events.append(IndexPriceChanged(symbol=new.symbol, index_price=new.price, time_ns=state.now_ns))
    _make_marks(state, events, [new.symbol for new in command.prices], is_fresh=True)
    for new in command.prices:
        sample_premium(state, new.symbol)


def follow_indexes(state: VenueState, events: list[AnyEvent]) -> None:
    """Make the marks anew that are made of an index, since time has passed; that makes none of them fresh (MARK-004)."""
    _make_marks(state, events, sorted(state.markets), is_fresh=False)


def _find_fault(state: VenueState, prices: Sequence[_NewPrice], before: Mapping[Symbol, Ticks]) -> _Fault | None:
    """Return the first thing wrong with an update: an unknown or repeated symbol, or a price that cannot be."""
    seen: set[Symbol] = set()
    for new in prices:
        if new.symbol not in state.instruments:
            return _Fault(Reason.UNKNOWN_SYMBOL, new.symbol)
        if new.symbol in seen:
            return _Fault(Reason.MARK_REPEATED, new.symbol)
        seen.add(new.symbol)
        if not 1 <= new.price <= PRICE_TICKS_MAX:
            return _Fault(Reason.MARK_PRICE_RANGE, new.symbol, PRICE_TICKS_MAX, new.price)
        nearest = _nearest_allowed(new.price, before.get(new.symbol), state.policy.mark_jump_max)
        if nearest != new.price:
            return _Fault(Reason.MARK_JUMP, new.symbol, nearest, new.price)
    return None


def _nearest_allowed(price: Ticks, before: Ticks | None, jump_max: Ppm) -> Ticks:
    """Return ``price``, or the one next to it that is no further than ``jump_max`` from the price before (MARK-002)."""
    if before is None or not jump_max:
        return price
    lowest, highest = ceil_div(before * (PPM - jump_max), PPM), before * (PPM + jump_max) // PPM
    return max(lowest, min(highest, price))


# -- marks made of an index --------------------------------------------------------------------------------------------


def _make_marks(state: VenueState, events: list[AnyEvent], symbols: Iterable[Symbol], *, is_fresh: bool) -> None:
    """Take over the marks that the indexes of ``symbols`` make, all at once; of those that are not fresh, what has moved."""
    marks, accounts = [], state.accounts
    for symbol in symbols:
        market = state.markets[symbol]
        if market.instrument.mark_source is MarkSource.INDEX and market.index_price is not None:
            mark = _made_mark(state, market, market.index_price)
            if is_fresh or mark != accounts.marks.get(symbol):
                marks.append(MarkPrice(symbol, mark))
    accounts.apply_mark_prices(marks, is_fresh=is_fresh)
    events.extend(MarkPriceChanged(symbol=mark.symbol, mark_price=mark.price, time_ns=state.now_ns) for mark in marks)


def _made_mark(state: VenueState, market: Market, index_price: Ticks) -> Ticks:
    """Return the mark that index, average basis and trades make now (MARK-003)."""
    instrument = market.instrument
    book, funding, terms = state.books[instrument.symbol], instrument.funding, instrument.index_mark
    assert terms is not None, "the mark is told from outside"
    market.sample_basis(book, state.now_ns, is_halted=instrument.symbol in state.halted)
    left = 0 if market.next_funding_ns is None else max(0, market.next_funding_ns - state.now_ns)
    mark = fair_mark(
        index_price,
        market.last_funding_rate,
        left,
        1 if funding is None else funding.interval,
        market.basis,
        market.traded_price(book) or index_price,
        terms.band,
    )
    return min(PRICE_TICKS_MAX, mark)


# -- what the corridor remembers ---------------------------------------------------------------------------------------


def sample_premium(state: VenueState, symbol: Symbol) -> None:
    """Have what the symbol's premium was counted up to now, and look at what it is from now on (FUND-001)."""
    mark, is_halted = state.accounts.marks.get(symbol), symbol in state.halted
    state.markets[symbol].sample_premium(state.books[symbol], mark, state.now_ns, is_halted=is_halted)


def note_trades(state: VenueState, events: Iterable[AnyEvent]) -> None:
    """Remember the last trade of each symbol, for its next mark, and stop the premium's time in halt (FUND-001)."""
    for event in events:
        if isinstance(event, TradeExecuted):
            state.markets[event.symbol].last_price = event.price
        elif isinstance(event, TradingStateSet):
            sample_premium(state, event.symbol)
