"""What owners may change in the naive venue: money, margin, modes and leverage, on copies of the account."""

from __future__ import annotations

from fractions import Fraction

from exchange.domain.commands import (
    AddMargin,
    RemoveMargin,
    SetAutoReplenish,
    SetLeverage,
    SetMarginMode,
    SetPositionMode,
    Withdraw,
)
from exchange.domain.enums import MarginMode
from exchange.domain.ids import SETTLEMENT_ASSET
from exchange.domain.rejects import Reason
from tests.properties.naive_accounts import CROSS, Account, Position
from tests.properties.naive_liquidation import NaiveLiquidation

AnyPositionCommand = AddMargin | RemoveMargin | SetAutoReplenish | SetLeverage | SetMarginMode


class NaiveChanges(NaiveLiquidation):
    """Commands of owners but orders."""

    def refuse(self, *reasons: Reason) -> None:
        self.outcome.refused |= set(reasons)

    def knows(self, name: str, symbol: str) -> bool:
        if name not in self.accounts:
            self.refuse(Reason.UNKNOWN_ACCOUNT)
        if symbol not in self.instruments:
            self.refuse(Reason.UNKNOWN_SYMBOL)
        return not self.outcome.refused

    def named_position(self, command: AnyPositionCommand) -> Position | None:
        """The position that the command is about; None, and refused, where there is no such."""
        if not self.knows(command.account, command.symbol):
            return None
        p = self.find_position(self.accounts[command.account], command.symbol, command.position_side)
        if p is None:
            self.refuse(Reason.POSITION_SIDE)
        return p

    def set_position_mode(self, command: SetPositionMode) -> None:
        """MARG-025."""
        if command.account not in self.accounts:
            return self.refuse(Reason.UNKNOWN_ACCOUNT)
        account = self.accounts[command.account]
        has_orders = any(o.account == command.account for o in self.orders)
        if has_orders or any(p.q for p in account.positions.values()):
            return self.refuse(Reason.POSITION_OPEN)
        account.position_mode = command.position_mode
        return None

    def set_replenish(self, command: SetAutoReplenish) -> None:
        p = self.named_position(command)
        if p is not None:
            p.replenish = command.enabled

    # --- mode and leverage ------------------------------------------------------------------------------------------

    def set_mode(self, command: SetMarginMode) -> None:
        """MARG-015, MARG-021."""
        p = self.named_position(command)
        if p is None:
            return
        account = self.accounts[command.account]
        untouched = not p.q and not self.orders_of(account.name, p.name)
        freely = untouched or p.mode is command.margin_mode
        if self.scope_of(p) in account.flagged or (not freely and account.flagged.keys() & {CROSS, p.name}):
            self.refuse(Reason.LIQUIDATION_IN_PROGRESS)
        if p.mode is command.margin_mode:
            return
        if not freely and (self.is_stale(p.symbol) or self.is_scope_stale(account, CROSS)):
            self.refuse(Reason.MARK_STALE)
        isolates = command.margin_mode is MarginMode.ISOLATED and p.q and command.margin is not None
        if isolates and command.margin < self.switch_margin(p):
            self.refuse(Reason.SWITCH_MARGIN_MIN)
        after = account.copy()
        moved = self.switch(after, after.positions[p.name], command)
        if not untouched and not self.may_switch(account, after, p.name, moved, command):
            self.refuse(Reason.SWITCH_INSUFFICIENT)
        if not self.outcome.refused:
            self.accounts[account.name] = after
            self.outcome.moved.append((account.name, p.name, moved))

    def switch(self, after: Account, p: Position, command: SetMarginMode) -> int:
        moved = -p.wallet
        if command.margin_mode is MarginMode.ISOLATED:
            moved = self.switch_margin(p)
            if p.q and command.margin is not None:
                moved = command.margin
        p.mode = command.margin_mode
        p.wallet += moved
        after.wallet -= moved
        return moved

    def switch_margin(self, p: Position) -> int:
        return self.position_initial(p) + max(0, -self.profit(p)) if p.q else 0

    def may_switch(self, before: Account, after: Account, position: str, moved: int, command: SetMarginMode) -> bool:
        p = after.positions[position]
        if p.mode is MarginMode.ISOLATED:
            return moved >= self.switch_margin(p) and self.own_available(after) >= 0
        if self.equity(after, CROSS) >= self.initial(after, CROSS):
            return True
        mm0, mm1 = self.maintenance(before, CROSS), self.maintenance(after, CROSS)
        e0, e1 = self.equity(before, CROSS), self.equity(after, CROSS)
        if mm1 == 0:
            return True
        return mm0 > 0 and e0 > 0 and e1 > 0 and Fraction(mm1, e1) <= Fraction(mm0, e0)

    def set_leverage(self, command: SetLeverage) -> None:
        """MARG-015, MARG-022."""
        p = self.named_position(command)
        if p is None:
            return
        account, resting = self.accounts[command.account], self.orders_of(command.account, p.name)
        if not 1 <= command.leverage <= max(tier.max_leverage for tier in self.instruments[p.symbol].tiers):
            self.refuse(Reason.LEVERAGE_RANGE)
            return
        if self.scope_of(p) in account.flagged:
            self.refuse(Reason.LIQUIDATION_IN_PROGRESS)
        after, moved = account.copy(), 0
        changed = after.positions[p.name]
        changed.leverage = command.leverage
        if p.q or resting:
            if command.leverage > p.leverage and not self.leverage_fits(changed, self.potential_notional(p, resting)):
                self.refuse(Reason.LEVERAGE_TIER)
            if p.q and p.mode is MarginMode.ISOLATED and command.leverage < p.leverage:
                moved = max(0, self.position_initial(changed) - self.equity(account, p.name))
            after.wallet -= moved
            changed.wallet += moved
            left = self.available_to(after, changed)
            if left < 0 and (moved or left < self.available_to(account, p)):
                self.refuse(Reason.LEVERAGE_INSUFFICIENT)
        if not self.outcome.refused:
            self.accounts[account.name] = after
            self.outcome.moved.append((account.name, p.name, moved))

    # --- money ------------------------------------------------------------------------------------------------------

    def move_margin(self, command: AddMargin | RemoveMargin) -> None:
        """MARG-016."""
        p = self.named_position(command)
        if p is None:
            return
        account, adding = self.accounts[command.account], isinstance(command, AddMargin)
        if command.amount <= 0:
            self.refuse(Reason.AMOUNT_NOT_POSITIVE)
        if p.mode is not MarginMode.ISOLATED or p.q == 0:
            self.refuse(Reason.NOT_ISOLATED)
        elif adding and command.amount > self.addable(account):
            self.refuse(Reason.ADD_ABOVE_AVAILABLE)
        elif not adding and command.amount > self.removable(account, p):
            self.refuse(Reason.REMOVE_ABOVE_MAXIMUM)
        if not adding and p.name in account.flagged:
            self.refuse(Reason.LIQUIDATION_IN_PROGRESS)
        if not adding and self.is_stale(p.symbol):
            self.refuse(Reason.MARK_STALE)
        if not self.outcome.refused:
            amount = command.amount if adding else -command.amount
            account.wallet -= amount
            p.wallet += amount
            self.outcome.moved.append((account.name, p.name, amount))

    def addable(self, account: Account) -> int:
        return max(0, self.own_available(account))

    def removable(self, account: Account, p: Position) -> int:
        spare = self.equity(account, p.name) - self.position_initial(p)
        return max(0, min(p.wallet, spare))

    def withdraw(self, command: Withdraw) -> None:
        """MARG-027."""
        if command.account not in self.accounts:
            return self.refuse(Reason.UNKNOWN_ACCOUNT)
        account = self.accounts[command.account]
        if command.asset != SETTLEMENT_ASSET and command.asset not in self.collateral:
            return self.refuse(Reason.UNKNOWN_ASSET)
        if command.amount <= 0:
            self.refuse(Reason.AMOUNT_NOT_POSITIVE)
        if command.amount > self.withdrawable_of(account, command.asset):
            self.refuse(Reason.WITHDRAW_ABOVE_AVAILABLE)
        if CROSS in account.flagged:
            self.refuse(Reason.LIQUIDATION_IN_PROGRESS)
        if self.is_scope_stale(account, CROSS):
            self.refuse(Reason.MARK_STALE)
        if self.outcome.refused:
            return None
        if command.asset == SETTLEMENT_ASSET:
            account.wallet -= command.amount
            self.net_deposits -= command.amount
        else:
            account.assets[command.asset] -= command.amount
            self.asset_deposits[command.asset] -= command.amount
        return None

    def withdrawable_of(self, account: Account, asset: str) -> int:
        """The most of one asset that may go: found by halving, since less of it never counts for more."""
        if asset == SETTLEMENT_ASSET:
            return self.withdrawable(account)
        balance, spare = account.assets.get(asset, 0), max(0, self.available_money(account))
        most, value = 0, self.asset_value(asset, balance)
        step = balance
        while step:
            if most + step <= balance and value - self.asset_value(asset, balance - most - step) <= spare:
                most += step
            else:
                step //= 2
        return most
