"""What the venue knows of one symbol beside its book and its mark: index, last trade, basis, premium, funding times."""

from __future__ import annotations

from typing import Any

from exchange.domain.enums import Side
from exchange.domain.funding_math import TimeAverage, impact_price, premium_index
from exchange.domain.instrument import Instrument
from exchange.domain.mark_math import next_basis
from exchange.domain.units import PPM, Lots, Ppb, Ticks, TimeNs, div_half_even
from exchange.matching.book import Book

FUNDING_DEPTH_LEVELS = 200
"""Price levels of a side that an impact price looks at; a notional that needs more of them is taken not to be there."""


class Market:
    """One symbol's prices beside the mark, and its funding interval so far. Units: ``basis`` millionths of a tick."""

    __slots__ = (
        "basis",
        "basis_time_ns",
        "index_price",
        "instrument",
        "last_funding_rate",
        "last_price",
        "next_funding_ns",
        "premium",
        "premium_now",
        "premium_time_ns",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.index_price: Ticks | None = None
        self.last_price: Ticks | None = None
        """The price of the last trade; it moves no mark before the next update (MARK-003)."""
        self.basis = 0
        """The moving average of how far the book's middle is from the index."""
        self.basis_time_ns: TimeNs | None = None
        self.premium = TimeAverage()
        """The premium of the funding interval up to ``premium_time_ns`` (FUND-001)."""
        self.premium_now: Ppb = 0
        """What the last sample was; it holds until the next."""
        self.premium_time_ns: TimeNs | None = None
        """Since when it holds; None before the first sample and in halt, when no time is counted."""
        self.last_funding_rate: Ppb = 0
        self.next_funding_ns: TimeNs | None = None

    # -- the funding interval --------------------------------------------------------------------------------------

    def premium_until(self, time_ns: TimeNs) -> TimeAverage:
        """Return the interval's premium with what has held up to ``time_ns`` (FUND-001)."""
        if self.premium_time_ns is None:
            return self.premium
        return self.premium.extended(self.premium_now, max(0, time_ns - self.premium_time_ns))

    def sample_premium(self, book: Book, mark_price: Ticks | None, now_ns: TimeNs, *, is_halted: bool) -> None:
        """Look at the book's premium over the index, or over the mark where no index was ever given (FUND-001)."""
        terms, reference = self.instrument.funding, self.index_price or mark_price
        if terms is None or reference is None:
            return
        self.premium = self.premium_until(now_ns)
        self.premium_time_ns = None if is_halted else now_ns
        best_bid, best_ask = book.best_price(Side.BUY), book.best_price(Side.SELL)
        # A side that is not beyond the reference has no say, so that its depth need not be walked.
        self.premium_now = premium_index(
            reference,
            _levels(book, Side.BUY) if best_bid is not None and best_bid > reference else (),
            _levels(book, Side.SELL) if best_ask is not None and best_ask < reference else (),
            self.instrument.cash_per_tick_lot,
            terms.impact_notional,
            terms.cap,
        )

    def end_interval(self, rate: Ppb, interval: TimeNs) -> None:
        """Begin the next funding interval where this one was due to end (FUND-004)."""
        assert self.next_funding_ns is not None, "only a scheduled interval ends"
        self.premium = TimeAverage()
        if self.premium_time_ns is not None:
            self.premium_time_ns = max(self.premium_time_ns, self.next_funding_ns)
        self.last_funding_rate = rate
        self.next_funding_ns += interval

    # -- the prices that a mark is made of -------------------------------------------------------------------------

    def sample_basis(self, book: Book, now_ns: TimeNs, *, is_halted: bool) -> None:
        """Take the book's middle into the average basis (MARK-003); time without one, or in halt, leaves it as it is."""
        terms, middle = self.instrument.index_mark, _doubled_middle(book)
        assert terms is not None, "only a mark made of the index has a basis"
        if middle is not None and not is_halted and self.basis_time_ns is not None and self.index_price is not None:
            sample = middle * PPM // 2 - self.index_price * PPM
            self.basis = next_basis(self.basis, sample, now_ns - self.basis_time_ns, terms.basis_window)
        self.basis_time_ns = now_ns

    def traded_price(self, book: Book) -> Ticks | None:
        """Return the last trade's price, else the middle of the impact prices, else of the best; None where nothing is."""
        if self.last_price is not None:
            return self.last_price
        middle = _doubled_middle(book)
        if middle is None:
            return None
        if (terms := self.instrument.funding) is not None:
            unit, notional = self.instrument.cash_per_tick_lot, terms.impact_notional
            bid = impact_price(_levels(book, Side.BUY), unit, notional)
            ask = impact_price(_levels(book, Side.SELL), unit, notional)
            if bid is not None and ask is not None:
                both = bid.numerator * ask.denominator + ask.numerator * bid.denominator
                return div_half_even(both, 2 * bid.denominator * ask.denominator)
        return div_half_even(middle, 2)

    def picture(self) -> list[Any]:
        """Return all that can affect the future, for the digest."""
        return [self.instrument.symbol, *(getattr(self, name) for name in self.__slots__ if name != "instrument")]


def _levels(book: Book, side: Side) -> list[tuple[Ticks, Lots]]:
    return [(level.price, level.quantity) for level in book.depth(side, FUNDING_DEPTH_LEVELS)]


def _doubled_middle(book: Book) -> Ticks | None:
    """Return best bid plus best ask: twice the middle, which may lie between two ticks."""
    bid, ask = book.best_price(Side.BUY), book.best_price(Side.SELL)
    return None if bid is None or ask is None else bid + ask
