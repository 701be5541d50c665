"""Where a position goes that the book did not take, and who pays what its scope does not have (LIQ-007 to LIQ-010)."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from exchange.domain.ids import INSURANCE_FUND
from exchange.domain.policy import AdlPrice, AdlRanking, BadDebtPolicy
from exchange.domain.rejects import Reason
from tests.properties import naive_formulas as formulas
from tests.properties.naive_accounts import CROSS, Account, Position
from tests.properties.naive_floor import NaiveFloor
from tests.properties.naive_outcome import Transfer
from tests.properties.naive_record import Liquidation


class NaiveCloseout(NaiveFloor):
    """The fund, deleveraging, the residual, and bad debt."""

    transfers = 0
    """To counterparties and as residual, made by the present step."""
    paid_by_fund = 0
    """For debts, ever."""

    def still_breached(self, name: str, position: str) -> bool:
        raise NotImplementedError

    def halt(self, symbol: str) -> None:
        raise NotImplementedError

    def may_transfer(self, name: str, position: str) -> bool:
        symbol = self.accounts[name].positions[position].symbol
        room = self.transfers < self.limits.adl_legs_max and symbol not in self.halted
        return room and self.still_breached(name, position)

    # --- the insurance fund -----------------------------------------------------------------------------------------

    def payable(self) -> int:
        """LIQ-009: what the fund has of its own."""
        return min(self.fund.wallet, self.fund_equity())

    def give_to_fund(self, name: str, position: str, notes: Liquidation) -> None:
        """LIQ-007."""
        account = self.accounts[name]
        p = account.positions[position]
        q, share, spare = p.q, self.equity_share(account, p), self.fund_spare()
        lots = max(n for n in range(abs(q) + 1) if n == 0 or self.takeover_need(p.symbol, n, abs(q), share) <= spare)
        if lots:
            value = formulas.bankruptcy_money(self.instruments[p.symbol], q, lots, self.mark(p.symbol), share)
            self.hand_over(account, p, lots, value, None, "fund", notes, self.paid_by_fund)

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

    # --- deleveraging -----------------------------------------------------------------------------------------------

    def counterparties(self, p: Position) -> list[tuple[Account, Position]]:
        """LIQ-008: who holds the opposite, by rank."""
        found = [(a, other) for a in self.accounts.values() for other in a.positions.values()]
        opposite = [(a, other) for a, other in found if other.symbol == p.symbol and other.q * p.q < 0]
        return sorted(opposite, key=lambda row: (*self.adl_rank(*row), row[0].name))

    def adl_rank(self, account: Account, p: Position) -> tuple[int, Fraction]:
        """Profitable ones, the others, those without equity; within, the highest score first."""
        scope, ranking = self.scope_of(p), self.policy.adl_ranking
        u, n, e = self.profit(p), self.scope_notional(account, scope), self.equity(account, scope)
        if ranking is AdlRanking.SIZE:
            return 0, Fraction(-abs(p.q))
        if e <= 0:
            return 2, Fraction(0)
        if ranking is AdlRanking.PROFIT_RATIO:
            return 0, -Fraction(u, e)
        if ranking is AdlRanking.PROFIT_MARGIN_RATIO:
            percent = Fraction(max(0, u), max(formulas.MILLION, self.scope_wallet(account, scope)))
            return 0, -percent * Fraction(self.maintenance(account, scope), e)
        if ranking is AdlRanking.PRICE_LEVERAGE:
            up = Fraction(self.notional(p), abs(p.c))
            return 0, -(up if p.q > 0 else 1 / up) * Fraction(self.notional(p), e)
        if u > 0:
            return 0, -Fraction(u, abs(p.c)) * Fraction(n, e)
        return 1, -Fraction(u, abs(p.c)) * Fraction(e, n)

    def deleverage(self, name: str, position: str, notes: Liquidation) -> None:
        """LIQ-008 at bankruptcy value or the mark, then LIQ-009 at the mark, last the fund."""
        self.transfers, at_mark = 0, self.policy.adl_price is AdlPrice.MARK
        skipped: list[tuple[Account, Position]] = []
        for other, held in self.counterparties(self.accounts[name].positions[position]):
            if not self.may_transfer(name, position):
                return
            account = self.accounts[name]
            p = account.positions[position]
            lots, share = min(abs(p.q), abs(held.q)), self.equity_share(account, p)
            change = 0 if at_mark else floor(Fraction(share * lots, abs(p.q)))
            if self.is_skipped(other, held, change):
                skipped.append((other, held))
                continue
            if at_mark:
                self.hand_over_at_mark(account, position, (other, held), "auto_deleverage", notes)
                continue
            value = formulas.bankruptcy_money(self.instruments[p.symbol], p.q, lots, self.mark(p.symbol), share)
            self.hand_over(account, p, lots, value, (other, held), "auto_deleverage", notes, self.paid_by_fund)
            notes.adl_forgone += max(0, -change)
        for last in (*skipped, None):
            if self.may_transfer(name, position):
                self.hand_over_at_mark(self.accounts[name], position, last, "residual", notes)

    def is_skipped(self, other: Account, held: Position, change: int) -> bool:
        scope = self.scope_of(held)
        equity = self.equity(other, scope)
        return scope in other.flagged or equity <= 0 or equity + change < 0

    def hand_over_at_mark(
        self, account: Account, position: str, other: tuple[Account, Position] | None, how: str, notes: Liquidation
    ) -> None:
        """LIQ-008, LIQ-009: what the scope lacks for that share is covered first."""
        p = account.positions[position]
        lots = abs(p.q) if other is None else min(abs(p.q), abs(other[1].q))
        lack = max(0, -floor(Fraction(self.equity_share(account, p) * lots, abs(p.q))))
        if lack > max(0, self.payable()) and self.policy.bad_debt is BadDebtPolicy.HALT:
            self.halt(p.symbol)
            self.outcome.halts.append(p.symbol)
            return
        paid_before = self.paid_by_fund
        self.cover(lack, p.symbol, notes)
        self.add_to_scope(account, self.scope_of(p), lack)
        value = formulas.money(self.instruments[p.symbol], formulas.sign(p.q) * lots, self.mark(p.symbol))
        self.hand_over(account, p, lots, value, other, how, notes, paid_before)

    def hand_over(
        self,
        account: Account,
        p: Position,
        lots: int,
        value: int,
        other: tuple[Account, Position] | None,
        how: str,
        notes: Liquidation,
        paid_before: int,
    ) -> None:
        """Close `lots` of the position for the signed money `value` against another, or give them to the fund."""
        at_mark = formulas.money(self.instruments[p.symbol], formulas.sign(p.q) * lots, self.mark(p.symbol))
        gets = formulas.sign(p.q) * lots
        realized = self.close(account, p.name, lots, value)
        notes.realized += realized
        notes.taken_worse += max(0, value - at_mark)
        if other is None:
            counter_realized = self.fund_receives(p.symbol, gets, value)
            notes.fund[p.symbol] += lots
            notes.fund_paid += max(0, value - at_mark)
        else:
            for order in self.orders_of(other[0].name, other[1].name):
                self.remove(order, Reason.AUTO_DELEVERAGED)
            counter_realized = self.close(other[0], other[1].name, lots, -value)
            notes.deleveraged[p.symbol] += lots
            notes.legs += 1
        if how != "fund":
            self.transfers += 1
        if other is not None:
            self.settle_flat(other[0], self.scope_of(other[1]), p.symbol, notes)
        names = (INSURANCE_FUND, p.symbol) if other is None else (other[0].name, other[1].name)
        figures = (lots, value, realized, counter_realized, paid_before - self.paid_by_fund)
        self.outcome.transfers.append(Transfer(how, account.name, p.name, *names, *figures))

    # --- what nobody has --------------------------------------------------------------------------------------------

    def cover(self, amount: int, symbol: str, notes: Liquidation | None) -> None:
        """LIQ-009: by the fund as far as it has money, then by the policy, in the end by the fund all the same."""
        paid = min(amount, max(0, self.payable()))
        rest, shared = amount - paid, 0
        if rest and self.policy.bad_debt is BadDebtPolicy.SOCIALIZE:
            shared = self.socialize(rest, symbol)
            rest -= shared
        self.fund.wallet -= paid + rest
        self.paid_by_fund += paid + rest
        if notes is not None:
            notes.fund_paid += paid
            notes.socialized += shared
            notes.bad_debt += rest
            notes.fund_change -= paid + rest

    def socialize(self, amount: int, symbol: str) -> int:
        """LIQ-009: pro rata of min(u, E) of those with profit; returns how much of the amount they paid."""
        winners: list[tuple[str, str, int]] = []
        spared: dict[tuple[str, str | None], int] = {}
        for name, account in sorted(self.accounts.items()):
            for p in account.positions.values():
                scope = self.scope_of(p)
                if p.symbol != symbol or not p.q or scope in account.flagged:
                    continue
                left = spared.setdefault((name, scope), self.equity(account, scope))
                most = min(self.profit(p), left)
                if most > 0:
                    spared[name, scope] = left - most
                    winners.append((name, p.name, most))
        total = sum(most for _, _, most in winners)
        shared = min(amount, total)
        shares = {(name, position): floor(Fraction(shared * most, total)) for name, position, most in winners}
        rest = shared - sum(shares.values())
        for name, position, most in sorted(winners, key=lambda row: -row[2]):
            extra = min(rest, most - shares[name, position])
            shares[name, position] += extra
            rest -= extra
        for (name, position), share in shares.items():
            account = self.accounts[name]
            self.add_to_scope(account, self.scope_of(account.positions[position]), -share)
            if share:
                self.outcome.socialized.append((name, position, share))
        return shared

    def settle_flat(self, account: Account, scope: str | None, symbol: str, cause: Liquidation | None) -> None:
        """LIQ-010, MARG-026: a flat scope owes nothing, and an isolated one's wallet goes back.

        What is paid for it is noted of the liquidation that left it flat; `symbol` is whose winners may have to pay.
        """
        if self.held(account, scope):
            return
        if scope is CROSS:
            self.sell_assets(account)
        owed = max(0, -self.scope_wallet(account, scope))
        if owed:
            self.cover(owed, symbol, cause)
            self.add_to_scope(account, scope, owed)
        if scope is not CROSS:
            p = account.positions[scope]
            if scope in account.flagged:
                account.flagged[scope].returned += p.wallet
            account.wallet += p.wallet
            p.wallet = 0

    def sell_assets(self, account: Account) -> None:
        """MARG-026: in configured order, as much as the debt needs."""
        for asset, terms in self.collateral.items():
            owed, balance, price = -account.wallet, account.assets.get(asset, 0), self.asset_prices[asset]
            if owed <= 0 or not balance or not price:
                continue
            one = Fraction(price, 10**terms.decimals) * (1 - Fraction(terms.haircut, formulas.MILLION))
            proceeds = min(owed, self.asset_value(asset, balance))
            if not proceeds:
                continue
            quantity = ceil(proceeds / one)
            account.assets[asset] = balance - quantity
            self.fund.assets[asset] += quantity
            account.wallet += proceeds
            self.fund.wallet -= proceeds
            self.outcome.sales.append((account.name, asset, quantity, proceeds))
