"""The liquidation pipeline of the naive venue: flag, clear the orders, book, fund, deleveraging, residual."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from exchange.domain.enums import SelfTradePrevention
from exchange.domain.rejects import Reason
from tests.properties import naive_formulas as formulas
from tests.properties.naive_accounts import CROSS, Account, Order
from tests.properties.naive_floor import NaiveFloor


class NaiveLiquidation(NaiveFloor):
    """What happens to scopes below maintenance."""

    transfers = 0
    """To counterparties and as residual, made by the present step."""

    def scopes(self) -> list[tuple[Account, str | None]]:
        names = sorted(self.accounts)
        return [(self.accounts[n], scope) for n in names for scope in (CROSS, *sorted(self.instruments))]

    def flagged_scopes(self) -> list[tuple[Account, str | None]]:
        return [(account, scope) for account, scope in self.scopes() if scope in account.flagged]

    def liquidate(self) -> None:
        """MARG-019, LIQ-011: flag what is breached, then take steps, the worst scope first."""
        steps = 0
        self.flag_breached()
        while flagged := self.flagged_scopes():
            account, scope = min(flagged, key=self.health)
            if steps == self.limits.liquidation_steps_max:
                return
            steps += 1
            self.cancel_scope(account, scope)
            if self.is_breached(account, scope):
                self.step(account, scope)
            self.leave_if_cured(self.accounts[account.name], scope)
            self.flag_breached()

    def health(self, row: tuple[Account, str | None]) -> Fraction:
        return Fraction(self.equity(*row), max(1, self.maintenance(*row)))

    def flag_breached(self) -> None:
        """LIQ-001."""
        for account, scope in self.scopes():
            if self.is_breached(account, scope):
                account.flagged.add(scope)

    def leave_if_cured(self, account: Account, scope: str | None) -> None:
        """LIQ-010."""
        if not self.is_breached(account, scope):
            account.flagged.discard(scope)

    def cancel_scope(self, account: Account, scope: str | None) -> None:
        for order in [o for o in self.orders if o.account == account.name]:
            if self.scope_of(account, order.symbol) == scope:
                self.remove(order, Reason.LIQUIDATION)

    def step(self, account: Account, scope: str | None) -> None:
        """LIQ-004: one order for one position; what the book has no more for is settled beside it."""
        name, symbols = account.name, self.scope_symbols(account, scope)
        symbol = min(symbols, key=lambda s: (-self.position_maintenance(account, s), s))
        if self.book_took_what_it_could(name, symbol):
            return
        if self.still_breached(name, symbol):
            self.give_to_fund(name, symbol)
        self.transfers = 0
        self.deleverage(name, symbol)

    def still_breached(self, name: str, symbol: str) -> bool:
        account = self.accounts[name]
        return account.positions[symbol].q != 0 and self.is_breached(account, self.scope_of(account, symbol))

    def may_transfer(self, name: str, symbol: str) -> bool:
        return self.still_breached(name, symbol) and self.transfers < self.limits.adl_legs_max

    def book_took_what_it_could(self, name: str, symbol: str) -> bool:
        """LIQ-005: send the order, at most the maximum quantity (BOOK-015); False: the book has no more within the limit."""
        account = self.accounts[name]
        q, share = account.positions[symbol].q, self.equity_share(account, symbol)
        limit = formulas.bankruptcy_limit(self.instruments[symbol], q, self.mark(symbol), share)
        if limit is None:
            return False
        lots = min(abs(q), self.instruments[symbol].quantity_max)
        order = Order(self.next_order_id, name, symbol, -formulas.sign(q), limit, lots, reduce_only=True)
        order.liquidation = (abs(q), share)
        self.next_order_id += 1
        self.orders.append(order)
        self.sweep(order, SelfTradePrevention.CANCEL_TAKER)
        if order not in self.orders:
            return True
        self.remove(order, Reason.IOC_REMAINDER)
        return False

    def give_to_fund(self, name: str, symbol: str) -> None:
        """LIQ-007."""
        account = self.accounts[name]
        q, share = account.positions[symbol].q, self.equity_share(account, symbol)
        spare = self.fund_spare()
        lots = max(n for n in range(abs(q) + 1) if n == 0 or self.takeover_need(symbol, n, abs(q), share) <= spare)
        if lots:
            value = formulas.bankruptcy_money(self.instruments[symbol], q, lots, self.mark(symbol), share)
            self.close(account, symbol, lots, value)
            self.fund_receives(symbol, formulas.sign(q) * lots, value)
            self.settle_flat(account, symbol)

    def fund_spare(self) -> int:
        """The fund's equity less what its own positions need."""
        spare = self.fund_equity()
        for symbol, q in self.fund.q.items():
            if q:
                spare -= self.takeover_need(symbol, abs(q), abs(q), 0)
        return spare

    def takeover_need(self, symbol: str, lots: int, size: int, share: int) -> int:
        n = formulas.money(self.instruments[symbol], lots, self.mark(symbol))
        profit = floor(Fraction(share * lots, size))
        return ceil(Fraction(n, formulas.tier_leverage(self.instruments[symbol], n))) + abs(profit)

    def fund_receives(self, symbol: str, lots: int, value: int) -> None:
        """Add signed `lots` to the fund's position for the signed money `value`, netting first what is opposite."""
        q = self.fund.q[symbol]
        netted = min(abs(q), abs(lots)) if q * lots < 0 else 0
        if netted:
            part = formulas.toward_zero(Fraction(value * netted, abs(lots)))
            cost = formulas.cost_of(self.fund.c[symbol], netted, q)
            self.fund.wallet += -part - cost
            self.fund.c[symbol] -= cost
            self.fund.q[symbol] += formulas.sign(lots) * netted
            value -= part
        self.fund.q[symbol] += formulas.sign(lots) * (abs(lots) - netted)
        self.fund.c[symbol] += value

    def counterparties(self, name: str, symbol: str) -> list[str]:
        """LIQ-008: who holds the opposite, by rank."""
        q = self.accounts[name].positions[symbol].q
        return sorted(
            (n for n, a in self.accounts.items() if a.positions[symbol].q * q < 0),
            key=lambda n: (*self.adl_rank(self.accounts[n], symbol), n),
        )

    def adl_rank(self, account: Account, symbol: str) -> tuple[int, Fraction]:
        """Profitable ones, the others, those without equity; within, the highest score first."""
        p, scope = account.positions[symbol], self.scope_of(account, symbol)
        u, n, e = self.unrealized(symbol, p.q, p.c), self.scope_notional(account, scope), self.equity(account, scope)
        if e <= 0:
            return 2, Fraction(0)
        if u > 0:
            return 0, -Fraction(u, abs(p.c)) * Fraction(n, e)
        return 1, -Fraction(u, abs(p.c)) * Fraction(e, n)

    def deleverage(self, name: str, symbol: str) -> None:
        """LIQ-008 at bankruptcy value, then LIQ-009 at the mark, last the fund."""
        account, skipped = self.accounts[name], []
        for other in self.counterparties(name, symbol):
            if not self.may_transfer(name, symbol):
                return
            if self.is_skipped(account, self.accounts[other], symbol):
                skipped.append(other)
            else:
                self.transfer(account, self.accounts[other], symbol, at_mark=False)
        for last in (*(self.accounts[other] for other in skipped), None):
            if self.may_transfer(name, symbol):
                self.transfer(account, last, symbol, at_mark=True)

    def is_skipped(self, account: Account, other: Account, symbol: str) -> bool:
        scope = self.scope_of(other, symbol)
        q, share = account.positions[symbol].q, self.equity_share(account, symbol)
        lots = min(abs(q), abs(other.positions[symbol].q))
        change = floor(Fraction(share * lots, abs(q)))
        equity = self.equity(other, scope)
        return scope in other.flagged or equity <= 0 or equity + change < 0

    def transfer(self, account: Account, other: Account | None, symbol: str, *, at_mark: bool) -> None:
        """Close against `other`, or against the fund, at bankruptcy value or at the mark."""
        q, share = account.positions[symbol].q, self.equity_share(account, symbol)
        lots = abs(q) if other is None else min(abs(q), abs(other.positions[symbol].q))
        value = formulas.bankruptcy_money(self.instruments[symbol], q, lots, self.mark(symbol), share)
        if at_mark:
            value = formulas.money(self.instruments[symbol], formulas.sign(q) * lots, self.mark(symbol))
            shortfall = max(0, -floor(Fraction(share * lots, abs(q))))
            self.fund.wallet -= shortfall
            self.add_to_scope(account, self.scope_of(account, symbol), shortfall)
        self.transfers += 1
        self.close(account, symbol, lots, value)
        if other is None:
            self.fund_receives(symbol, formulas.sign(q) * lots, value)
        else:
            for order in self.orders_of(other.name, symbol):
                self.remove(order, Reason.AUTO_DELEVERAGED)
            self.close(other, symbol, lots, -value)
            self.settle_flat(other, symbol)
        self.settle_flat(account, symbol)

    def settle_flat(self, account: Account, symbol: str) -> None:
        """LIQ-010: a flat isolated position gives its wallet back; less than nothing is made whole by the fund."""
        scope = self.scope_of(account, symbol)
        if self.scope_symbols(account, scope):
            return
        shortfall = max(0, -self.scope_wallet(account, scope))
        self.fund.wallet -= shortfall
        self.add_to_scope(account, scope, shortfall)
        if scope is not CROSS:
            account.wallet += account.positions[symbol].wallet
            account.positions[symbol].wallet = 0
