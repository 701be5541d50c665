"""What liquidation asks of the accounts: which position, at what value, and who else can take it (LIQ rules)."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from exchange.accounts.cross import open_positions, pool_risk
from exchange.accounts.fills import realized_by
from exchange.accounts.margin import path_of
from exchange.accounts.position import Account, Position
from exchange.accounts.risk import BankruptcyTerms, Risk, Scope
from exchange.accounts.service import AccountService
from exchange.domain.enums import MarginMode
from exchange.domain.ids import AccountId, LiquidationId, Symbol
from exchange.domain.margin_math import (
    bankruptcy_price,
    bankruptcy_value,
    initial_margin,
    maintenance_margin,
    notional_value,
    sign_of,
    unrealized_pnl,
)
from exchange.domain.units import Cash, Lots, Ticks, div_toward_zero


class Transfer(NamedTuple):
    """What a position's change of hands realised on both sides, and what the fund put in beside it."""

    value: Cash
    realized: Cash
    counterparty_realized: Cash
    fund_change: Cash


class Leftover(NamedTuple):
    """What became of a flat scope's own money: returned to the owner, or put in by the fund."""

    returned: Cash
    fund_change: Cash


NOTHING_LEFT = Leftover(0, 0)


def urgency(risk: Risk) -> Fraction:
    """Return equity over maintenance: the lower, the sooner a scope is liquidated (LIQ-011)."""
    return Fraction(risk.equity, max(risk.maintenance_margin, 1))


class CloseOuts:
    """The account service's side of liquidations."""

    def __init__(self, service: AccountService) -> None:
        self._service = service
        self._ledger = service.ledger

    def flag(self, scope: Scope, liquidation_id: LiquidationId | None) -> None:
        """Mark a scope as being liquidated, or clear the mark."""
        account = self._service.accounts[scope.account]
        if scope.symbol is None:
            account.liquidation_id = liquidation_id
        else:
            account.positions[scope.symbol].liquidation_id = liquidation_id

    def symbols_of(self, scope: Scope) -> list[Symbol]:
        """Return the symbols whose orders belong to the scope, in order (LIQ-002)."""
        if scope.symbol is not None:
            return [scope.symbol]
        positions = self._service.accounts[scope.account].positions
        return sorted(symbol for symbol, held in positions.items() if held.margin_mode is MarginMode.CROSS)

    def next_position(self, scope: Scope) -> Position:
        """Return the position of the scope to close next: the largest maintenance margin, ties by symbol (LIQ-004)."""
        account = self._service.accounts[scope.account]
        if scope.symbol is not None:
            return account.positions[scope.symbol]
        marks = self._service.marks
        return min(
            open_positions(account),
            key=lambda held: (-maintenance_margin(held.instrument, held.quantity, marks[held.symbol]), held.symbol),
        )

    def equity_share(self, position: Position) -> Cash:
        """Return the scope's equity that the position carries now (LIQ-005)."""
        account = self._service.account(position.account)
        return path_of(position).equity_share(account, position, self._service.marks)

    def terms(self, position: Position) -> tuple[BankruptcyTerms, Ticks]:
        """Return the terms of a closing order for the whole position, and its limit in ticks (LIQ-005)."""
        mark, share = self._service.marks[position.symbol], self.equity_share(position)
        value = bankruptcy_value(position.instrument, position.quantity, mark, share, abs(position.quantity))
        limit = bankruptcy_price(position.instrument, position.quantity, mark, share)
        return BankruptcyTerms(position.quantity, value), limit

    # -- the fund --------------------------------------------------------------------------------------------------

    def fund_capacity(self, position: Position) -> Lots:
        """Return how many lots of the position the fund can take over at bankruptcy value (LIQ-007)."""
        fund, marks = self._ledger.fund, self._service.marks
        pool = pool_risk(fund, marks)
        room = pool.equity - sum(
            initial_margin(held.instrument, held.quantity, marks[held.symbol], held.instrument.max_leverage)
            for held in open_positions(fund)
        )
        share, low, high = self.equity_share(position), 0, abs(position.quantity)
        while low < high:  # what it takes rises with every lot, so halving finds the most
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._takeover_need(position, share, middle) <= room else (low, middle - 1)
        return low

    def _takeover_need(self, position: Position, share: Cash, lots: Lots) -> Cash:
        instrument, mark = position.instrument, self._service.marks[position.symbol]
        taken = sign_of(position.quantity) * lots
        value = bankruptcy_value(instrument, position.quantity, mark, share, lots)
        margin = initial_margin(instrument, taken, mark, instrument.max_leverage)
        return margin + abs(unrealized_pnl(instrument, taken, value, mark))

    # -- auto-deleveraging -------------------------------------------------------------------------------------------

    def ranking(self, position: Position) -> list[AccountId]:
        """Return the holders of opposite positions, first to be deleveraged first (LIQ-008)."""
        service, symbol = self._service, position.symbol
        ranked = []
        for account in service.holders[symbol]:
            other = service.accounts[account].positions[symbol]
            if other.quantity * position.quantity < 0:
                ranked.append((self._rank(service.accounts[account], other), account))
        return [account for _, account in sorted(ranked)]

    def _rank(self, account: Account, position: Position) -> tuple[int, Fraction]:
        """Return a sort key: group, then descending score."""
        risk = path_of(position).risk(account, position, self._service.marks)
        mark = self._service.marks[position.symbol]
        profit = unrealized_pnl(position.instrument, position.quantity, position.entry_cost, mark)
        if risk.equity <= 0:
            return 2, Fraction(0)
        share = Fraction(profit, max(1, abs(position.entry_cost)))
        if profit > 0:
            return 0, -share * Fraction(risk.notional, risk.equity)
        return 1, -share * Fraction(risk.equity, risk.notional)

    def can_be_deleveraged(self, account: AccountId, position: Position, lots: Lots) -> bool:
        """Return whether an opposite holder may be made to take lots at bankruptcy value (LIQ-008)."""
        other = self._service.position(account, position.symbol)
        owner, path = self._service.accounts[account], path_of(other)
        if path.is_liquidating(owner, other):
            return False
        equity = path.risk(owner, other, self._service.marks).equity
        gained = self.equity_share(position) * lots // abs(position.quantity)
        return equity > 0 and equity + gained >= 0

    # -- changes ---------------------------------------------------------------------------------------------------

    def apply_at_bankruptcy(self, position: Position, counterparty: AccountId, lots: Lots) -> Transfer:
        """Hand over lots at exact bankruptcy value (LIQ-007, LIQ-008)."""
        mark, share = self._service.marks[position.symbol], self.equity_share(position)
        value = bankruptcy_value(position.instrument, position.quantity, mark, share, lots)
        return self._apply_transfer(position, counterparty, lots, value, 0)

    def apply_at_mark(self, position: Position, counterparty: AccountId, lots: Lots) -> Transfer:
        """Hand over lots at the mark; the fund pays what the scope's equity lacks for that share (LIQ-009)."""
        mark, share = self._service.marks[position.symbol], self.equity_share(position)
        deficit = max(0, -(share * lots // abs(position.quantity)))
        value = sign_of(position.quantity) * notional_value(position.instrument, lots, mark)
        return self._apply_transfer(position, counterparty, lots, value, deficit)

    def _apply_transfer(
        self, position: Position, counterparty: AccountId, lots: Lots, value: Cash, fund_pays: Cash
    ) -> Transfer:
        service, ledger, sign = self._service, self._ledger, sign_of(position.quantity)
        account, other_account = service.account(position.account), service.account(counterparty)
        other = service.position(counterparty, position.symbol)
        realized, _ = realized_by(position, lots, -value)
        closing = min(lots, abs(other.quantity)) if other.quantity * sign < 0 else 0
        other_realized = realized_by(other, closing, div_toward_zero(value * closing, lots))[0] if closing else 0
        ledger.trade(other, position, value)
        wallet = path_of(position).wallet(account, position)
        ledger.realize(position, wallet, realized)
        ledger.realize(other, path_of(other).wallet(other_account, other), other_realized)
        ledger.transfer(ledger.fund.wallet, wallet, fund_pays)
        service.set_quantity(position, position.quantity - sign * lots)
        service.set_quantity(other, other.quantity + sign * lots)
        leftover = NOTHING_LEFT if other_account is ledger.fund else self.settle_flat(path_of(other).scope(other))
        return Transfer(value, realized, other_realized, leftover.fund_change - fund_pays)

    def settle_flat(self, scope: Scope) -> Leftover:
        """Return a flat scope's own money to its owner, or have the fund make up what it lacks (LIQ-010)."""
        ledger, account = self._ledger, self._service.accounts[scope.account]
        if scope.symbol is None:
            source = account.wallet
            if any(True for _ in open_positions(account)) or source.balance >= 0:
                return NOTHING_LEFT
        else:
            position = account.positions[scope.symbol]
            source = position.wallet
            if position.quantity:
                return NOTHING_LEFT
        left = source.balance
        self._service.touch(Scope(scope.account, None))
        if left >= 0:
            ledger.transfer(source, account.wallet, left)
            return Leftover(left, 0)
        ledger.transfer(ledger.fund.wallet, source, -left)
        return Leftover(0, left)
