"""The account half of the naive venue: plain objects, everything measured anew whenever it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from exchange.domain.enums import MarginMode
from exchange.domain.instrument import Instrument
from exchange.domain.rejects import Reason
from tests.properties import naive_formulas as formulas

CROSS = None
"""The name of an account's cross scope; an isolated scope is named by its symbol."""


@dataclass(eq=False)
class Order:
    order_id: int
    account: str
    symbol: str
    side: int
    price: int
    quantity: int
    reduce_only: bool
    resting: bool = False
    liquidation: tuple[int, int] | None = None
    """For the venue's own closing orders: |q| and the equity share when it was sent."""
    filled: int = 0
    open: int = 0

    def __post_init__(self) -> None:
        self.open = self.quantity


@dataclass
class Position:
    leverage: int
    q: int = 0
    c: int = 0
    mode: MarginMode = MarginMode.CROSS
    wallet: int = 0


@dataclass
class Account:
    name: str
    wallet: int
    positions: dict[str, Position]
    flagged: set[str | None] = field(default_factory=set)


@dataclass
class Fund:
    wallet: int = 0
    q: dict[str, int] = field(default_factory=dict)
    c: dict[str, int] = field(default_factory=dict)


def execution_order(orders: Sequence[Order]) -> list[Order]:
    """BOOK-001: best price first, then the older one (order ids are given out in order of arrival)."""
    return sorted(orders, key=lambda o: (-o.side * o.price, o.order_id))


class NaiveAccounts:
    """Balances, positions, marks and resting orders, and every measure of them that SPEC.md names."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self.instruments = {instrument.symbol: instrument for instrument in instruments}
        self.marks: dict[str, int | None] = dict.fromkeys(self.instruments)
        self.accounts: dict[str, Account] = {}
        self.orders: list[Order] = []
        self.fees = 0
        self.net_deposits = 0
        self.fund = Fund(q=dict.fromkeys(self.instruments, 0), c=dict.fromkeys(self.instruments, 0))

    def mark(self, symbol: str) -> int:
        mark = self.marks[symbol]
        assert mark is not None
        return mark

    # --- measures of one position -----------------------------------------------------------------------------------

    def unrealized(self, symbol: str, q: int, c: int) -> int:
        return formulas.money(self.instruments[symbol], q, self.mark(symbol)) - c if q else 0

    def position_maintenance(self, account: Account, symbol: str) -> int:
        q = account.positions[symbol].q
        return formulas.maintenance(self.instruments[symbol], q, self.mark(symbol)) if q else 0

    def position_initial(self, account: Account, symbol: str) -> int:
        p = account.positions[symbol]
        return formulas.initial(self.instruments[symbol], p.q, self.mark(symbol), p.leverage) if p.q else 0

    # --- measures of one scope --------------------------------------------------------------------------------------

    def scope_of(self, account: Account, symbol: str) -> str | None:
        return CROSS if account.positions[symbol].mode is MarginMode.CROSS else symbol

    def scope_symbols(self, account: Account, scope: str | None) -> list[str]:
        """The symbols in which the scope has a position, by name."""
        held = [s for s in sorted(self.instruments) if account.positions[s].q]
        return [s for s in held if self.scope_of(account, s) == scope]

    def scope_wallet(self, account: Account, scope: str | None) -> int:
        return account.wallet if scope is CROSS else account.positions[scope].wallet

    def add_to_scope(self, account: Account, scope: str | None, amount: int) -> None:
        if scope is CROSS:
            account.wallet += amount
        else:
            account.positions[scope].wallet += amount

    def equity(self, account: Account, scope: str | None) -> int:
        held = [(s, account.positions[s]) for s in self.scope_symbols(account, scope)]
        return self.scope_wallet(account, scope) + sum(self.unrealized(s, p.q, p.c) for s, p in held)

    def maintenance(self, account: Account, scope: str | None) -> int:
        return sum(self.position_maintenance(account, s) for s in self.scope_symbols(account, scope))

    def initial(self, account: Account, scope: str | None) -> int:
        return sum(self.position_initial(account, s) for s in self.scope_symbols(account, scope))

    def scope_notional(self, account: Account, scope: str | None) -> int:
        symbols = self.scope_symbols(account, scope)
        return sum(formulas.money(self.instruments[s], abs(account.positions[s].q), self.mark(s)) for s in symbols)

    def is_breached(self, account: Account, scope: str | None) -> bool:
        """MARG-005: equality survives."""
        needed = self.maintenance(account, scope)
        return needed > 0 and self.equity(account, scope) < needed

    def equity_share(self, account: Account, symbol: str) -> int:
        """LIQ-005: the equity that the position carries."""
        scope = self.scope_of(account, symbol)
        if scope is not CROSS:
            return self.equity(account, scope)
        own, whole = self.position_maintenance(account, symbol), self.maintenance(account, CROSS)
        return floor(Fraction(self.equity(account, CROSS) * own, whole))

    def total_equity(self, account: Account) -> int:
        isolated = [s for s, p in account.positions.items() if p.mode is MarginMode.ISOLATED]
        return self.equity(account, CROSS) + sum(self.equity(account, s) for s in isolated)

    def fund_equity(self) -> int:
        return self.fund.wallet + sum(self.unrealized(s, self.fund.q[s], self.fund.c[s]) for s in self.instruments)

    # --- margin held for resting orders (MARG-008) ------------------------------------------------------------------

    def orders_of(self, name: str, symbol: str) -> list[Order]:
        return [o for o in self.orders if o.account == name and o.symbol == symbol]

    def reserves(self, account: Account, symbol: str, side: int, orders: Sequence[Order]) -> list[tuple[Order, int, int]]:
        """(order, non-free lots, r) of one side in execution order; reduce-only orders take no part."""
        p = account.positions[symbol]
        free = max(0, -side * p.q)
        rows = []
        for order in execution_order([o for o in orders if o.side == side and not o.reduce_only]):
            skipped = min(free, order.open)
            free -= skipped
            lots = order.open - skipped
            instrument = self.instruments[symbol]
            r = formulas.reserve(instrument, side, lots, order.price, self.mark(symbol), p.leverage)
            rows.append((order, lots, r))
        return rows

    def order_margin(self, account: Account, symbol: str, orders: Sequence[Order] | None = None) -> int:
        """R of one symbol, for the account's resting orders or for the `orders` given instead."""
        chosen = self.orders_of(account.name, symbol) if orders is None else orders
        if not chosen:
            return 0
        p = account.positions[symbol]
        buys, sells = (self.reserves(account, symbol, side, chosen) for side in (1, -1))
        held = max(sum(r for _, _, r in buys), sum(r for _, _, r in sells))
        growing = buys if p.q > 0 else sells
        if p.q and p.mode is MarginMode.ISOLATED and any(lots for _, lots, _ in growing):
            held += max(0, self.position_initial(account, symbol) - self.equity(account, symbol))
        return held

    def order_margins(self, account: Account, without: Order | None = None) -> int:
        """R over all symbols, as if the order `without` were not there."""
        total = 0
        for symbol in self.instruments:
            total += self.order_margin(account, symbol, [o for o in self.orders_of(account.name, symbol) if o is not without])
        return total

    def available(self, account: Account, without: Order | None = None) -> int:
        """MARG-009."""
        funds = min(account.wallet, self.equity(account, CROSS))
        return funds - self.initial(account, CROSS) - self.order_margins(account, without)

    # --- fills ------------------------------------------------------------------------------------------------------

    def leverage_fits(self, account: Account, symbol: str, notional: int) -> bool:
        return account.positions[symbol].leverage <= formulas.tier_leverage(self.instruments[symbol], notional)

    def try_fill(self, order: Order, lots: int, price: int, fee: int) -> tuple[Account, Reason | None]:
        """The account after the fill (a copy), and why the fill is not allowed (MARG-012, MARG-013)."""
        before = self.accounts[order.account]
        after = deepcopy(before)
        p = after.positions[order.symbol]
        if p.q * order.side >= 0:
            return after, self.increase(before, after, order, lots, price, fee)
        if order.liquidation is None:
            return after, self.reduce_by_owner(before, after, order, lots, price, fee)
        value = formulas.money(self.instruments[order.symbol], -order.side * lots, price)
        self.close(after, order.symbol, lots, value)
        self.add_to_scope(after, self.scope_of(after, order.symbol), -fee)
        return after, None

    def increase(self, before: Account, after: Account, order: Order, lots: int, price: int, fee: int) -> Reason | None:
        symbol, p = order.symbol, after.positions[order.symbol]
        instrument, mark = self.instruments[symbol], self.mark(symbol)
        p.q += order.side * lots
        p.c += formulas.money(instrument, order.side * lots, price)
        leverage_fits = self.leverage_fits(after, symbol, formulas.money(instrument, abs(p.q), mark))
        if p.mode is MarginMode.CROSS:
            after.wallet -= fee
            enough = self.equity(after, CROSS) >= self.initial(after, CROSS)
        else:
            margin_price = price if order.side > 0 else max(price, mark)
            moved = ceil(Fraction(formulas.money(instrument, lots, margin_price), p.leverage)) + fee
            moved += formulas.money(instrument, lots, max(0, order.side * (price - mark)))
            need = self.position_initial(after, symbol) - (p.wallet - fee + self.unrealized(symbol, p.q, p.c))
            available = self.available(before, without=order)
            moved = max(moved, need)
            if moved > available:
                moved = max(0, need)
            enough = moved <= available
            after.wallet -= moved
            p.wallet += moved - fee
        return None if enough and leverage_fits else Reason.FILL_CHECK_FAILED

    def reduce_by_owner(self, before: Account, after: Account, order: Order, lots: int, price: int, fee: int) -> Reason | None:
        symbol, p = order.symbol, after.positions[order.symbol]
        scope = self.scope_of(after, symbol)
        value = formulas.money(self.instruments[symbol], -order.side * lots, price)
        share = floor(Fraction(p.wallet * lots, abs(p.q)))
        realised = self.close(after, symbol, lots, value)
        self.add_to_scope(after, scope, -fee)
        if scope is not CROSS:
            payout = max(0, share + realised - fee)
            p.wallet -= payout
            after.wallet += payout
        e0, mm0 = self.equity(before, scope), self.maintenance(before, scope)
        e1, mm1 = self.equity(after, scope), self.maintenance(after, scope)
        if scope is not CROSS and p.q == 0:
            after.wallet += p.wallet
            p.wallet = 0
        passes = e1 >= 0 and (e1 >= mm1 or e1 * mm0 >= e0 * mm1)
        return None if passes else Reason.REDUCE_BELOW_MAINTENANCE

    def close(self, account: Account, symbol: str, lots: int, value: int) -> int:
        """Give `lots` of the position away for the signed money `value`; what that realises goes to the scope."""
        p = account.positions[symbol]
        assert 0 < lots <= abs(p.q)
        cost = formulas.cost_of(p.c, lots, p.q)
        p.c -= cost
        p.q -= formulas.sign(p.q) * lots
        self.add_to_scope(account, self.scope_of(account, symbol), value - cost)
        return value - cost
