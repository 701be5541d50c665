"""Marks, index prices, funding and the fund's own selling in the naive venue (MARK, FUND, LIQ-015)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from exchange.domain.commands import IndexPrice, MarkPrice, SetIndexPrices, SetMarkPrices, SetTradingState
from exchange.domain.enums import SelfTradePrevention, TradingState
from exchange.domain.ids import INSURANCE_FUND
from exchange.domain.rejects import Reason
from tests.properties import naive_formulas as formulas
from tests.properties import naive_market_formulas as market_formulas
from tests.properties.naive_accounts import Order, execution_order
from tests.properties.naive_changes import NaiveChanges


@dataclass
class Market:
    """What one symbol's mark and funding are made of, beside the book."""

    index: int | None = None
    basis: int = 0
    """The moving average of mid - index, in millionths of a tick; it begins at nothing."""
    made_at: int | None = None
    """When the mark was last made; a sample of mid - index weighs as much of the window as has passed since."""
    premium: int = 0
    """The sample that holds now."""
    sampled_at: int | None = None
    weighted: int = 0
    elapsed: int = 0
    rate: int = 0
    """The last one paid."""
    due: int | None = None


class NaiveMarkets(NaiveChanges):
    """What comes from outside the accounts."""

    markets: dict[str, Market]
    book_before: dict[str, list[tuple[int, int, int]]]
    marks_moved: set[str]
    opened: set[str]
    sliced_at: dict[str, int]

    def depth(self, symbol: str, side: int) -> list[tuple[int, int]]:
        """(price, total) of one side, best first."""
        totals: dict[int, int] = {}
        for order in execution_order([o for o in self.orders if o.symbol == symbol and o.side == side]):
            totals[order.price] = totals.get(order.price, 0) + order.open
        return list(totals.items())

    def pictures(self) -> dict[str, list[tuple[int, int, int]]]:
        return {s: [(side, *level) for side in (1, -1) for level in self.depth(s, side)] for s in self.instruments}

    def news(self) -> tuple[set[str], set[str]]:
        now = self.pictures()
        stirred = self.marks_moved | {s for s, picture in now.items() if picture != self.book_before[s]}
        opened = self.opened
        self.book_before, self.marks_moved, self.opened = now, set(), set()
        return stirred, opened

    # --- prices -----------------------------------------------------------------------------------------------------

    def price_faults(self, prices: Sequence[MarkPrice | IndexPrice], before: dict[str, int | None]) -> None:
        """MARK-001, MARK-002."""
        named = [price.symbol for price in prices]
        for price in prices:
            last = before.get(price.symbol)
            if price.symbol not in self.instruments:
                self.refuse(Reason.UNKNOWN_SYMBOL)
            if not 0 < price.price <= formulas.GRID_MAX:
                self.refuse(Reason.MARK_PRICE_RANGE)
            if named.count(price.symbol) > 1:
                self.refuse(Reason.MARK_REPEATED)
            most = self.policy.mark_jump_max
            if last is not None and most and abs(price.price - last) * formulas.MILLION > last * most:
                self.refuse(Reason.MARK_JUMP)

    def set_marks(self, command: SetMarkPrices) -> None:
        self.price_faults(command.marks, self.marks)
        for mark in command.marks:
            if mark.symbol in self.instruments and self.instruments[mark.symbol].index_mark is not None:
                self.refuse(Reason.MARK_SOURCE)
        if self.outcome.refused:
            return
        for mark in command.marks:
            self.set_mark(mark.symbol, mark.price, is_fresh=True)
            self.sample_premium(mark.symbol)

    def set_index_prices(self, command: SetIndexPrices) -> None:
        self.price_faults(command.prices, {s: market.index for s, market in self.markets.items()})
        if self.outcome.refused:
            return
        for price in command.prices:
            self.markets[price.symbol].index = price.price
            self.remake_mark(price.symbol, is_fresh=True)
            self.sample_premium(price.symbol)

    def set_mark(self, symbol: str, price: int, *, is_fresh: bool) -> None:
        self.marks[symbol] = price
        if is_fresh:
            self.marked_at[symbol] = self.now
        self.marks_moved.add(symbol)

    def remake_mark(self, symbol: str, *, is_fresh: bool) -> None:
        """MARK-003; passing time makes no mark fresh (MARK-004)."""
        instrument, market = self.instruments[symbol], self.markets[symbol]
        terms, index = instrument.index_mark, market.index
        if terms is None or index is None:
            return
        bids, asks = self.depth(symbol, 1), self.depth(symbol, -1)
        mid = Fraction(bids[0][0] + asks[0][0], 2) if bids and asks else None
        if mid is not None and market.made_at is not None and symbol not in self.halted:
            weight = min(Fraction(1), Fraction(self.now - market.made_at, terms.basis_window))
            sample = (mid - index) * formulas.MILLION
            market.basis = market_formulas.half_even(market.basis + (sample - market.basis) * weight)
        market.made_at = self.now
        carried = Fraction(index)
        if instrument.funding is not None and market.due is not None:
            to_go = max(0, market.due - self.now)
            share = Fraction(market.rate * to_go, instrument.funding.interval * market_formulas.BILLION)
            carried = index * (1 + share)
        last = Fraction(index) if mid is None else mid
        if symbol in self.last_trade:
            last = Fraction(self.last_trade[symbol])
        elif instrument.funding is not None:
            notional = instrument.funding.impact_notional
            impacts = [market_formulas.impact_price(instrument, side, notional) for side in (bids, asks)]
            if impacts[0] is not None and impacts[1] is not None:
                last = (impacts[0] + impacts[1]) / 2
        price = market_formulas.made_mark(terms, index, carried, market.basis, last)
        if is_fresh or price != self.marks[symbol]:
            self.set_mark(symbol, price, is_fresh=is_fresh)

    def set_trading_state(self, command: SetTradingState) -> None:
        """BOOK-017."""
        if command.symbol not in self.instruments:
            self.refuse(Reason.UNKNOWN_SYMBOL)
        elif command.trading_state is TradingState.HALTED:
            self.halt(command.symbol)
        else:
            self.let_premium_hold(command.symbol)
            self.halted.discard(command.symbol)
            self.opened.add(command.symbol)

    def halt(self, symbol: str) -> None:
        self.let_premium_hold(symbol)
        self.halted.add(symbol)

    # --- funding ----------------------------------------------------------------------------------------------------

    def let_premium_hold(self, symbol: str) -> None:
        """FUND-001: the present sample counts for the time since it was taken or counted last, unless in halt."""
        market = self.markets[symbol]
        if market.sampled_at is not None and symbol not in self.halted:
            market.weighted += market.premium * (self.now - market.sampled_at)
            market.elapsed += self.now - market.sampled_at
        if market.sampled_at is not None:
            market.sampled_at = self.now

    def sample_premium(self, symbol: str) -> None:
        """FUND-001: over the index, or over the mark where no index was ever given."""
        instrument, market = self.instruments[symbol], self.markets[symbol]
        reference = market.index or self.marks[symbol]
        if instrument.funding is None or reference is None:
            return
        self.let_premium_hold(symbol)
        sides = self.depth(symbol, 1), self.depth(symbol, -1)
        market.premium = market_formulas.premium(instrument, instrument.funding, reference, *sides)
        market.sampled_at = self.now

    def average_premium(self, symbol: str) -> int:
        """What the interval's average would be if it ended now."""
        market = self.markets[symbol]
        weighted, elapsed = market.weighted, market.elapsed
        if market.sampled_at is not None and symbol not in self.halted:
            weighted += market.premium * (self.now - market.sampled_at)
            elapsed += self.now - market.sampled_at
        return market_formulas.half_even(Fraction(weighted, elapsed)) if elapsed else 0

    def next_due(self) -> int | None:
        """FUND-004, and LIQ-015 while the fund has something to sell and has sent a slice before."""
        times = [market.due for market in self.markets.values() if market.due is not None]
        interval = self.policy.fund_unwind_interval
        times += [at + interval for s, at in self.sliced_at.items() if self.fund.q[s] and at + interval > self.now]
        return min(times, default=None)

    def schedule(self) -> None:
        """FUND-004: the first multiple of the interval after the time of the first command."""
        for symbol, market in self.markets.items():
            terms = self.instruments[symbol].funding
            if terms is not None and market.due is None:
                market.due = (self.now // terms.interval + 1) * terms.interval

    def advance(self) -> None:
        """FUND-004, MARK-003."""
        for symbol in sorted(self.instruments):
            self.remake_mark(symbol, is_fresh=False)
        for symbol in sorted(self.instruments):
            market = self.markets[symbol]
            if market.due is not None and market.due <= self.now:
                self.pay_funding(symbol)
        for symbol in sorted(self.instruments):
            self.sample_premium(symbol)

    def pay_funding(self, symbol: str) -> None:
        """FUND-003."""
        instrument, market = self.instruments[symbol], self.markets[symbol]
        assert instrument.funding is not None
        assert market.due is not None
        self.let_premium_hold(symbol)
        average = self.average_premium(symbol)
        rate = market_formulas.funding_rate(instrument.funding, average)
        market.weighted = market.elapsed = 0
        market.due += instrument.funding.interval
        market.rate = rate
        if self.marks[symbol] is None:
            return
        total = payments = 0
        for name, account in sorted(self.accounts.items()):
            for _, p in sorted(account.positions.items()):
                if p.symbol == symbol and p.q:
                    amount = market_formulas.funding_credit(instrument, p.q, self.mark(symbol), rate)
                    self.add_to_scope(account, self.scope_of(p), amount)
                    self.outcome.payments.append((name, p.name, amount))
                    total, payments = total + amount, payments + (amount != 0)
        if self.fund.q[symbol]:
            amount = market_formulas.funding_credit(instrument, self.fund.q[symbol], self.mark(symbol), rate)
            self.fund.wallet += amount
            self.outcome.payments.append((INSURANCE_FUND, symbol, amount))
            total, payments = total + amount, payments + (amount != 0)
        self.fund.wallet -= total
        self.outcome.fundings.append((symbol, rate, average, -total, payments, market.due))

    # --- the fund's own selling -------------------------------------------------------------------------------------

    def unwind_fund(self) -> bool:
        """LIQ-015; whether any slice was sent."""
        policy, first_order = self.policy, self.next_order_id
        if not policy.fund_unwind_fraction or self.flagged_scopes(waiting=False):
            return False
        for symbol in sorted(self.instruments):
            q, last = self.fund.q[symbol], self.sliced_at.get(symbol)
            rested = last is None or self.now - last >= policy.fund_unwind_interval
            if not q or symbol in self.halted or self.is_stale(symbol) or not rested:
                continue
            instrument, mark, side = self.instruments[symbol], self.mark(symbol), -formulas.sign(q)
            limit = formulas.protection_price(instrument, side, mark)
            within = sum(lots for price, lots in self.depth(symbol, -side) if side * (limit - price) >= 0)
            least = formulas.lots_worth(instrument, policy.fund_unwind_notional_min, mark)
            lots = max(ceil(Fraction(abs(q) * policy.fund_unwind_fraction, formulas.MILLION)), least)
            if formulas.money(instrument, abs(q), mark) <= policy.fund_unwind_whole_max:
                lots = abs(q)
            most = floor(Fraction(within * policy.fund_unwind_book_share, formulas.MILLION))
            lots = min(lots, abs(q), most, instrument.quantity_max)
            if lots < 1:
                continue
            order = Order(self.next_order_id, INSURANCE_FUND, symbol, symbol, side, limit, lots, reduce_only=True)
            self.sliced_at[symbol] = self.now
            self.send(order, SelfTradePrevention.CANCEL_MAKER)
            if order in self.orders:
                self.remove(order, Reason.IOC_REMAINDER)
        return self.next_order_id > first_order
