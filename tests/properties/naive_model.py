"""The naive venue: a second implementation of SPEC.md, slow and obvious, for the real one to be compared with.

It was written from SPEC.md alone and imports nothing of `exchange` but domain values. Everything is measured anew
whenever it is needed, sorted on each use, and tried on copies.
"""

from __future__ import annotations

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
from exchange.domain.enums import MarginMode
from exchange.domain.ids import INSURANCE_FUND, RESERVED_ACCOUNTS, is_valid_id
from exchange.domain.rejects import Reason
from exchange.domain.units import CASH_MAX
from tests.properties.naive_accounts import CROSS, Account, Position, execution_order
from tests.properties.naive_floor import Outcome
from tests.properties.naive_formulas import GRID_MAX
from tests.properties.naive_liquidation import NaiveLiquidation


class NaiveVenue(NaiveLiquidation):
    """Accounts, floor and liquidation behind one door for commands."""

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
