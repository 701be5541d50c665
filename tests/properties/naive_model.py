"""The naive venue: a second implementation of SPEC.md, slow and obvious, for the real one to be compared with.

It was written from SPEC.md alone and imports nothing of `exchange` but domain values. Everything is measured anew
whenever it is needed, sorted on each use, and tried on copies.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from exchange.domain.commands import (
    AddMargin,
    AdvanceTime,
    AnyCommand,
    CancelAllOrders,
    CancelOrder,
    ContinueLiquidations,
    CreateAccount,
    Credit,
    PlaceOrder,
    RemoveMargin,
    SetLeverage,
    SetMarginMode,
    SetMarkPrices,
)
from exchange.domain.enums import MarginMode, SelfTradePrevention
from exchange.domain.ids import INSURANCE_FUND, RESERVED_ACCOUNTS, is_valid_id
from exchange.domain.rejects import Reason
from exchange.domain.units import CASH_MAX
from tests.properties import naive_formulas as formulas
from tests.properties.naive_accounts import CROSS, Account, Order, Position, execution_order
from tests.properties.naive_floor import GRID_MAX, NaiveFloor, Outcome


class NaiveVenue(NaiveFloor):
    """Accounts, floor, and the liquidation pipeline."""

    transfers = 0
    """To counterparties and as residual, made by the present step."""

    def apply(self, command: AnyCommand, *, now_ns: int = 0) -> Outcome:
        """Apply one command and return what it brought about; time plays no part in the rules so far."""
        self.outcome = Outcome()
        if isinstance(command, PlaceOrder):
            self.place(command)
        elif isinstance(command, CancelOrder):
            self.cancel(command)
        elif isinstance(command, CancelAllOrders):
            self.cancel_all(command)
        elif isinstance(command, (SetMarginMode, SetLeverage)):
            self.set_up(command)
        elif isinstance(command, (AddMargin, RemoveMargin)):
            self.move_margin(command)
        elif isinstance(command, SetMarkPrices):
            self.set_marks(command)
        elif isinstance(command, CreateAccount):
            self.create(command)
        elif isinstance(command, Credit):
            self.credit(command)
        else:
            assert isinstance(command, (AdvanceTime, ContinueLiquidations))
        self.liquidate()
        return self.outcome

    @property
    def has_unfinished_liquidations(self) -> bool:
        return bool(self.flagged_scopes())

    # --- commands of accounts ---------------------------------------------------------------------------------------

    def refuse(self, *reasons: Reason) -> None:
        self.outcome.refused |= set(reasons)

    def create(self, command: CreateAccount) -> None:
        name = command.account
        if name in self.accounts:
            return self.refuse(Reason.ACCOUNT_EXISTS)
        if not is_valid_id(name) or name in RESERVED_ACCOUNTS:
            return self.refuse(Reason.ACCOUNT_NAME)
        positions = {s: Position(leverage=i.default_leverage) for s, i in self.instruments.items()}
        self.accounts[name] = Account(name, 0, positions)
        return None

    def credit(self, command: Credit) -> None:
        if not 0 < command.amount <= CASH_MAX:
            self.refuse(Reason.CREDIT_RANGE)
        if command.account not in self.accounts and command.account != INSURANCE_FUND:
            self.refuse(Reason.UNKNOWN_ACCOUNT)
        if self.outcome.refused:
            return
        self.net_deposits += command.amount
        if command.account == INSURANCE_FUND:
            self.fund.wallet += command.amount
        else:
            self.accounts[command.account].wallet += command.amount

    def cancel(self, command: CancelOrder) -> None:
        if command.account not in self.accounts:
            return self.refuse(Reason.UNKNOWN_ACCOUNT, Reason.NOT_FOUND)
        _, order_id = self.remembered.get((command.account, command.client_order_id or ""), (None, command.order_id))
        found = [o for o in self.orders if o.order_id == order_id and o.account == command.account]
        if not found:
            return self.refuse(Reason.NOT_FOUND)
        return self.remove(found[0], Reason.CANCELED_BY_OWNER)

    def cancel_all(self, command: CancelAllOrders) -> None:
        if command.account not in self.accounts:
            return self.refuse(Reason.UNKNOWN_ACCOUNT)
        if command.symbol is not None and command.symbol not in self.instruments:
            return self.refuse(Reason.UNKNOWN_SYMBOL)
        for order in [o for o in self.orders if o.account == command.account]:
            if command.symbol in (None, order.symbol):
                self.remove(order, Reason.CANCELED_BY_OWNER)
        return None

    def set_up(self, command: SetMarginMode | SetLeverage) -> None:
        """MARG-015."""
        if not self.knows(command.account, command.symbol):
            return
        account = self.accounts[command.account]
        p = account.positions[command.symbol]
        if isinstance(command, SetLeverage):
            most = max(tier.max_leverage for tier in self.instruments[command.symbol].tiers)
            if not 1 <= command.leverage <= most:
                self.refuse(Reason.LEVERAGE_RANGE)
        if p.q or self.orders_of(command.account, command.symbol):
            self.refuse(Reason.POSITION_OPEN)
        if account.flagged & {CROSS, command.symbol}:
            self.refuse(Reason.LIQUIDATION_IN_PROGRESS)
        if self.outcome.refused:
            return
        if isinstance(command, SetLeverage):
            p.leverage = command.leverage
        else:
            p.mode = command.margin_mode

    def knows(self, name: str, symbol: str) -> bool:
        if name not in self.accounts:
            self.refuse(Reason.UNKNOWN_ACCOUNT)
        if symbol not in self.instruments:
            self.refuse(Reason.UNKNOWN_SYMBOL)
        return not self.outcome.refused

    def move_margin(self, command: AddMargin | RemoveMargin) -> None:
        """MARG-016."""
        if not self.knows(command.account, command.symbol):
            return
        account = self.accounts[command.account]
        p = account.positions[command.symbol]
        adding = isinstance(command, AddMargin)
        if command.amount <= 0:
            self.refuse(Reason.AMOUNT_NOT_POSITIVE)
        if p.mode is not MarginMode.ISOLATED or p.q == 0:
            self.refuse(Reason.NOT_ISOLATED)
        elif adding and command.amount > self.addable(account):
            self.refuse(Reason.ADD_ABOVE_AVAILABLE)
        elif not adding and command.amount > self.removable(account, command.symbol):
            self.refuse(Reason.REMOVE_ABOVE_MAXIMUM)
        if not adding and command.symbol in account.flagged:
            self.refuse(Reason.LIQUIDATION_IN_PROGRESS)
        if not self.outcome.refused:
            amount = command.amount if adding else -command.amount
            account.wallet -= amount
            p.wallet += amount

    def addable(self, account: Account) -> int:
        return max(0, self.available(account))

    def removable(self, account: Account, symbol: str) -> int:
        spare = self.equity(account, symbol) - self.position_initial(account, symbol)
        return max(0, min(account.positions[symbol].wallet, spare))

    def set_marks(self, command: SetMarkPrices) -> None:
        """MARG-018: all or nothing."""
        for mark in command.marks:
            if mark.symbol not in self.instruments:
                self.refuse(Reason.UNKNOWN_SYMBOL)
            if not 0 < mark.price <= GRID_MAX:
                self.refuse(Reason.MARK_PRICE_RANGE)
        if not self.outcome.refused:
            self.marks.update({mark.symbol: mark.price for mark in command.marks})

    def depth(self, symbol: str, side: int) -> list[tuple[int, int]]:
        """(price, total) of one side, best first."""
        totals: dict[int, int] = {}
        for order in execution_order([o for o in self.orders if o.symbol == symbol and o.side == side]):
            totals[order.price] = totals.get(order.price, 0) + order.open
        return list(totals.items())

    # --- the liquidation pipeline -----------------------------------------------------------------------------------

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
