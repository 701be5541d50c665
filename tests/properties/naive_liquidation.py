"""The liquidations of the naive venue: who is flagged, whose turn it is, and what one turn does (LIQ-001 to LIQ-006)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil

from exchange.domain.enums import SelfTradePrevention
from exchange.domain.policy import LiquidationLimit, LiquidationSizing, UnfilledPolicy
from exchange.domain.rejects import Reason
from tests.properties import naive_formulas as formulas
from tests.properties.naive_accounts import CROSS, Account, Order, Position
from tests.properties.naive_closeout import NaiveCloseout
from tests.properties.naive_outcome import Ended, Trade
from tests.properties.naive_record import Health, Liquidation, default_recovery, owner_recovery


class NaiveLiquidation(NaiveCloseout):
    """What happens to scopes below maintenance."""

    steps = 0
    """Taken by the present command."""
    next_liquidation = 1

    def scopes(self) -> list[tuple[Account, str | None]]:
        return [(a, scope) for _, a in sorted(self.accounts.items()) for scope in (CROSS, *sorted(a.positions))]

    def flagged_scopes(self, *, waiting: bool) -> list[tuple[Account, str | None]]:
        found = [(account, scope) for account, scope in self.scopes() if scope in account.flagged]
        return [(account, scope) for account, scope in found if account.flagged[scope].waiting == waiting]

    def liquidate(self) -> None:
        """MARG-019, LIQ-011: check everything, then take steps, the worst scope first."""
        self.wake()
        self.check()
        while ready := self.flagged_scopes(waiting=False):
            if self.steps == self.limits.liquidation_steps_max:
                return
            self.steps += 1
            account, scope = min(ready, key=self.order_of_turns)
            self.take_turn(account.name, scope)
            self.check()

    def order_of_turns(self, row: tuple[Account, str | None]) -> Fraction:
        return Fraction(self.equity(*row), max(1, self.maintenance(*row)))

    # --- checks -----------------------------------------------------------------------------------------------------

    def health(self, account: Account, scope: str | None) -> Health:
        return Health(self.equity(account, scope), self.maintenance(account, scope), self.scope_notional(account, scope))

    def check(self) -> None:
        """LIQ-001, LIQ-013, MARG-020, MARG-026 and MARK-004."""
        for account, scope in self.scopes():
            if scope is CROSS and account.wallet < 0 and scope not in account.flagged:
                self.settle_flat(account, scope, "", None)
            if scope in account.flagged and not self.is_breached(account, scope):
                account.flagged[scope].waiting = False
            if not self.held(account, scope):
                account.called.pop(scope, None)
                continue
            health = self.health(account, scope)
            reached = len([level for level in self.policy.margin_call_levels if self.is_at(health, level)])
            if not self.is_breached(account, scope):
                if reached > account.called.get(scope, 0):
                    self.outcome.calls.append((account.name, scope, self.policy.margin_call_levels[reached - 1]))
            elif scope not in account.flagged and not self.is_scope_stale(account, scope):
                self.flag(account, scope, health)
            account.called[scope] = reached

    @staticmethod
    def is_at(health: Health, level: int) -> bool:
        return health.equity <= 0 or health.maintenance * formulas.MILLION >= level * health.equity

    def flag(self, account: Account, scope: str | None, health: Health) -> None:
        marks = {p.symbol: self.mark(p.symbol) for p in self.held(account, scope)}
        money = self.own_money(account, scope)
        notes = Liquidation(self.next_liquidation, account.name, scope, self.now, marks, money, health)
        self.next_liquidation += 1
        account.flagged[scope] = notes
        self.outcome.started.append((account.name, scope, health))

    def own_money(self, account: Account, scope: str | None) -> int:
        if scope is CROSS:
            return account.wallet + self.collateral_value(account)
        return account.positions[scope].wallet

    def wake(self) -> None:
        """LIQ-013, BOOK-017: when a mark or the book of one of its symbols has changed, or its symbol was opened."""
        stirred, opened = self.news()
        for account, scope in self.flagged_scopes(waiting=True):
            symbols = {p.symbol for p in self.held(account, scope)}
            may_go_on = symbols & stirred - self.halted and not self.is_scope_stale(account, scope)
            if symbols & opened or may_go_on:
                account.flagged[scope].waiting = False

    def news(self) -> tuple[set[str], set[str]]:
        """The symbols of which a mark or the book changed, and those that were opened, since this was last asked."""
        raise NotImplementedError

    # --- one turn ---------------------------------------------------------------------------------------------------

    def take_turn(self, name: str, scope: str | None) -> None:
        notes = self.accounts[name].flagged[scope]
        for order in [o for o in self.orders if o.account == name]:
            if self.scope_of(self.accounts[name].positions[order.position]) == scope:
                self.remove(order, Reason.LIQUIDATION)
                notes.orders_canceled += 1
        self.replenish(self.accounts[name], scope)
        if self.is_breached(self.accounts[name], scope):
            self.close_some(name, scope, notes)
        account = self.accounts[name]
        if not self.is_breached(account, scope):
            self.settle_flat(account, scope, notes.last_symbol, notes)
            self.end(account, scope)

    def end(self, account: Account, scope: str | None) -> None:
        """LIQ-010, LIQ-016."""
        notes = account.flagged.pop(scope)
        money = notes.returned + self.own_money(account, scope)
        recovery = owner_recovery(notes, money), default_recovery(notes)
        health = self.health(account, scope)
        after = replace(health, equity=health.equity + notes.returned)
        self.outcome.ended.append(Ended(notes, after, *recovery))

    def replenish(self, account: Account, scope: str | None) -> None:
        """MARG-024."""
        if scope is CROSS or not account.positions[scope].replenish or not self.is_breached(account, scope):
            return
        p = account.positions[scope]
        equity = self.equity(account, scope)
        amount = min(self.position_initial(p), self.notional(p) - equity, self.own_available(account))
        cures = not formulas.is_breached(self.policy, equity + amount, self.maintenance(account, scope))
        if amount > 0 and cures:
            account.wallet -= amount
            p.wallet += amount
            account.flagged[scope].replenished += amount
            self.outcome.moved.append((account.name, scope, amount))

    def close_some(self, name: str, scope: str | None, notes: Liquidation) -> None:
        """LIQ-004: one order for one position; what the book has no more for is settled beside it."""
        account = self.accounts[name]
        open_ones = [p for p in self.held(account, scope) if p.symbol not in self.halted]
        if not open_ones:
            notes.waiting = True
            return
        p = min(open_ones, key=lambda p: (-self.position_maintenance(p), p.name))
        notes.last_symbol = p.symbol
        was_sent, took_all = self.send_order(account, p, notes)
        if took_all or not self.still_breached(name, p.name):
            return
        may_wait = self.policy.unfilled is UnfilledPolicy.WAIT and was_sent
        if may_wait and self.equity(self.accounts[name], scope) > 0 and notes.retries < self.policy.liquidation_retries_max:
            notes.retries += 1
            notes.waiting = True
            return
        self.give_to_fund(name, p.name, notes)
        self.deleverage(name, p.name, notes)

    def send_order(self, account: Account, p: Position, notes: Liquidation) -> tuple[bool, bool]:
        """LIQ-005, BOOK-015; whether an order was sent, and whether the book took all of it or would after the sweep limit."""
        instrument, q, share = self.instruments[p.symbol], p.q, self.equity_share(account, p)
        lots = min(self.lots_to_close(account, p, notes), instrument.quantity_max)
        limit = formulas.bankruptcy_price(instrument, q, self.mark(p.symbol), share)
        if self.policy.fund_covers:
            ticks = max(0, self.payable()) // (lots * instrument.cash_per_tick_lot)
            limit = formulas.covered_price(limit, q, self.mark(p.symbol), ticks, self.policy.liquidation_slippage)
        if self.policy.liquidation_limit is LiquidationLimit.FILLABLE:
            limit = formulas.sign(q) * max(formulas.sign(q) * limit, formulas.sign(q) * self.fillable_limit(account, p))
        if q > 0:
            limit = max(1, limit)
        notes.rounds += 1
        if not 1 <= limit <= formulas.GRID_MAX:
            return False, False
        order = Order(self.next_order_id, account.name, p.symbol, p.name, -formulas.sign(q), limit, lots, reduce_only=True)
        order.liquidation = (abs(q), share, self.fee_now(p, notes))
        self.send(order, SelfTradePrevention.CANCEL_MAKER)
        if order not in self.orders:
            return True, True
        self.remove(order, Reason.IOC_REMAINDER)
        return True, False

    def fillable_limit(self, account: Account, p: Position) -> int:
        """LIQ-005: the more of its maintenance a scope has lost, the further from the mark."""
        scope = self.scope_of(p)
        lost = 1 - Fraction(self.equity(account, scope), self.maintenance(account, scope))
        share = min(Fraction(1), max(Fraction(0), lost * Fraction(self.policy.fillable_adjustment, formulas.MILLION)))
        given_up = share * Fraction(self.policy.fillable_spread, formulas.MILLION)
        needed = self.position_maintenance(p)
        return formulas.fillable_price(self.instruments[p.symbol], p.q, self.mark(p.symbol), needed, given_up)

    def lots_to_close(self, account: Account, p: Position, notes: Liquidation) -> int:
        """LIQ-004: by the sizing policy, or all."""
        size, scope = abs(p.q), self.scope_of(p)
        if self.equity(account, scope) <= 0 or notes.rounds >= self.policy.liquidation_rounds_max:
            return size
        if self.notional(p) < self.policy.liquidation_partial_min:
            return size
        lots = min(size, self.sized(account, p, notes))
        rest = formulas.money(self.instruments[p.symbol], size - lots, self.mark(p.symbol))
        return size if rest < self.policy.liquidation_remainder_min else lots

    def fee_now(self, p: Position, notes: Liquidation) -> int:
        """LIQ-006."""
        return formulas.liquidation_fee(self.instruments[p.symbol], self.policy, self.now - notes.started)

    def sized(self, account: Account, p: Position, notes: Liquidation) -> int:
        size, sizing = abs(p.q), self.policy.liquidation_sizing
        if sizing is LiquidationSizing.FRACTION:
            least = formulas.lots_worth(self.instruments[p.symbol], self.policy.liquidation_close_min, self.mark(p.symbol))
            return max(least, ceil(Fraction(size * self.policy.liquidation_fraction, formulas.MILLION)))
        if sizing is LiquidationSizing.TIER_STEP:
            return self.sized_by_tiers(p)
        if sizing is LiquidationSizing.TARGET:
            return self.sized_to_target(account, p, self.fee_now(p, notes))
        return size

    def sized_by_tiers(self, p: Position) -> int:
        """LIQ-004: tried one lot after the other, on the notional that maintenance is of."""
        instrument, mark, at = self.instruments[p.symbol], self.mark(p.symbol), self.policy.maintenance_price
        today = formulas.tier_number(instrument, formulas.measured(instrument, p.q, p.c, mark, at))
        wanted = today - self.policy.liquidation_tier_steps
        for lots in range(1, abs(p.q)):
            rest = p.c - formulas.cost_of(p.c, lots, p.q)
            left = formulas.measured(instrument, abs(p.q) - lots, rest, mark, at)
            if formulas.tier_number(instrument, left) <= wanted:
                return lots
        return abs(p.q)

    def sized_to_target(self, account: Account, p: Position, fee: int) -> int:
        """LIQ-004: the least lots that bring the scope to the target, found by trying one after the other.

        What a close is taken to lose is a debit, and debits round up.
        """
        instrument, size, mark = self.instruments[p.symbol], abs(p.q), self.mark(p.symbol)
        scope = self.scope_of(p)
        equity, others = self.equity(account, scope), self.maintenance(account, scope) - self.position_maintenance(p)
        target = Fraction(self.policy.liquidation_target, formulas.MILLION)
        guess = Fraction(fee + self.policy.liquidation_slippage, formulas.MILLION)
        loss = min(Fraction(self.equity_share(account, p), self.notional(p)), guess)
        for lots in range(1, size):
            cost = p.c - formulas.cost_of(p.c, lots, p.q)
            rest = formulas.maintenance(instrument, self.policy, size - lots, cost, mark)
            if equity - ceil(formulas.money(instrument, lots, mark) * loss) >= target * (rest + others):
                return lots
        return size

    def note_liquidation_fill(self, order: Order, trade: Trade) -> None:
        """LIQ-006, LIQ-014: the fee goes to the fund; below nothing, the fund pays it."""
        account = self.accounts[order.account]
        notes = account.flagged[self.scope_of(account.positions[order.position])]
        self.fund.wallet += trade.taker_fee
        notes.book[order.symbol] += trade.quantity
        notes.book_value += formulas.money(self.instruments[order.symbol], trade.quantity, trade.price)
        notes.realized += trade.taker_realized
        notes.fee += trade.taker_fee
        notes.fund_change += trade.taker_fee
        notes.fund_paid += max(0, -trade.taker_fee)

    def still_breached(self, name: str, position: str) -> bool:
        account = self.accounts[name]
        p = account.positions[position]
        return p.q != 0 and self.is_breached(account, self.scope_of(p))
