"""What a fill does to each side in the naive venue, tried on copies, and whether it may (MARG-012 to MARG-014)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from exchange.domain.enums import MarginMode
from exchange.domain.rejects import Reason
from tests.properties import naive_formulas as formulas
from tests.properties.naive_accounts import CROSS, Account, NaiveAccounts, Order, Position


@dataclass
class Leg:
    """One side of a fill: the account after it (a copy; None for the fund), and why it is not allowed."""

    after: Account | None
    fault: Reason | None = None
    realized: int = 0
    margin_in: int = 0
    margin_out: int = 0


class NaiveFills(NaiveAccounts):
    """Fills on copies."""

    def try_fill(self, order: Order, lots: int, price: int, fee: int) -> Leg:
        before = self.accounts.get(order.account)
        if before is None:
            return Leg(None)
        after = before.copy()
        p = after.positions[order.position]
        if p.q * order.side >= 0:
            return self.increase(before, after, order, lots, price, fee)
        value = formulas.money(self.instruments[order.symbol], -order.side * lots, price)
        if order.liquidation is None:
            return self.reduce_by_owner(before, after, order, lots, value, fee)
        realized = self.close(after, order.position, lots, value)
        self.add_to_scope(after, self.scope_of(p), -fee)
        return Leg(after, realized=realized)

    def increase(self, before: Account, after: Account, order: Order, lots: int, price: int, fee: int) -> Leg:
        symbol, p = order.symbol, after.positions[order.position]
        instrument, mark = self.instruments[symbol], self.mark(symbol)
        p.q += order.side * lots
        p.c += formulas.money(instrument, order.side * lots, price)
        leverage_fits = self.leverage_fits(p, formulas.money(instrument, abs(p.q), mark))
        if p.mode is MarginMode.CROSS:
            after.wallet -= fee
            enough = self.equity(after, CROSS) >= self.initial(after, CROSS)
            return Leg(after, None if enough and leverage_fits else Reason.FILL_CHECK_FAILED)
        moved = self.usual_margin(order, p, lots, price) + fee
        need = self.position_initial(p) - (p.wallet - fee + self.profit(p))
        available = self.own_available(before, without=order)
        moved = max(moved, need)
        if moved > available:
            moved = max(0, need)
        after.wallet -= moved
        p.wallet += moved - fee
        passes = moved <= available and leverage_fits
        return Leg(after, None if passes else Reason.FILL_CHECK_FAILED, margin_in=moved)

    def usual_margin(self, order: Order, p: Position, lots: int, price: int) -> int:
        """MARG-012: A without the fee; the fee of a close goes along where orders hold it (MARG-008)."""
        instrument, mark = self.instruments[order.symbol], self.mark(order.symbol)
        usual = formulas.money(instrument, lots, max(0, order.side * (price - mark)))
        usual += ceil(Fraction(formulas.margined(instrument, order.side, lots, price, mark), p.leverage))
        if self.policy.order_close_fee:
            usual += formulas.close_fee(instrument, order.side, lots, price, p.leverage)
        return usual

    def price_if_filled(self, order: Order) -> int | None:
        """The liquidation price of the position if the order filled whole at its limit, as a taker."""
        instrument, account = self.instruments[order.symbol], self.accounts[order.account].copy()
        q = account.positions[order.position].q
        closed = min(order.quantity, abs(q)) if q * order.side < 0 else 0
        opened = 0 if order.reduce_only else order.quantity - closed
        if closed:
            value = formulas.money(instrument, -order.side * closed, order.price)
            fee = formulas.fee(instrument, closed, order.price, instrument.taker_fee)
            after = self.reduce_by_owner(account, account.copy(), order, closed, value, fee).after
            assert after is not None
            account = after
        p = account.positions[order.position]
        if opened:
            fee = formulas.fee(instrument, opened, order.price, instrument.taker_fee)
            if p.mode is MarginMode.ISOLATED:
                p.wallet += self.usual_margin(order, p, opened, order.price)
            else:
                account.wallet -= fee
            p.q += order.side * opened
            p.c += formulas.money(instrument, order.side * opened, order.price)
        return self.liquidation_price(account, p)

    def reduce_by_owner(self, before: Account, after: Account, order: Order, lots: int, value: int, fee: int) -> Leg:
        p = after.positions[order.position]
        scope = self.scope_of(p)
        share = floor(Fraction(p.wallet * lots, abs(p.q)))
        realized, payout = self.close(after, order.position, lots, value), 0
        self.add_to_scope(after, scope, -fee)
        if scope is not CROSS:
            payout = max(0, share + realized - fee)
            p.wallet -= payout
            after.wallet += payout
        e0, mm0 = self.equity(before, scope), self.maintenance(before, scope)
        e1, mm1 = self.equity(after, scope), self.maintenance(after, scope)
        if scope is not CROSS and p.q == 0:
            payout += p.wallet
            after.wallet += p.wallet
            p.wallet = 0
        passes = e1 >= 0 and (not formulas.is_breached(self.policy, e1, mm1) or e1 * mm0 >= e0 * mm1)
        return Leg(after, None if passes else Reason.REDUCE_BELOW_MAINTENANCE, realized, margin_out=payout)

    def close(self, account: Account, position: str, lots: int, value: int) -> int:
        """Give `lots` of the position away for the signed money `value`; what that realises goes to the scope."""
        p = account.positions[position]
        assert 0 < lots <= abs(p.q)
        cost = formulas.cost_of(p.c, lots, p.q)
        p.c -= cost
        p.q -= formulas.sign(p.q) * lots
        self.add_to_scope(account, self.scope_of(p), value - cost)
        return value - cost

    def fund_receives(self, symbol: str, lots: int, value: int) -> int:
        """Add signed `lots` to the fund's position for the signed money `value`, netting first what is opposite.

        Returns what that realises, which is in the fund's wallet then.
        """
        q, realized = self.fund.q[symbol], 0
        netted = min(abs(q), abs(lots)) if q * lots < 0 else 0
        if netted:
            part = formulas.toward_zero(Fraction(value * netted, abs(lots)))
            cost = formulas.cost_of(self.fund.c[symbol], netted, q)
            realized = -part - cost
            self.fund.wallet += realized
            self.fund.c[symbol] -= cost
            self.fund.q[symbol] += formulas.sign(lots) * netted
            value -= part
        self.fund.q[symbol] += formulas.sign(lots) * (abs(lots) - netted)
        self.fund.c[symbol] += value
        return realized
