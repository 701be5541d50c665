"""The naive venue: a second implementation of SPEC.md, slow and obvious, for the real one to be compared with.

It was written from SPEC.md alone and imports nothing of `exchange` but domain values. Everything is measured anew
whenever it is needed, sorted on each use, and tried on copies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from exchange.domain.commands import (
    AddMargin,
    AdvanceTime,
    AmendOrder,
    AnyCommand,
    CancelAllOrders,
    CancelOrder,
    ContinueLiquidations,
    CreateAccount,
    Credit,
    PlaceOrder,
    RemoveMargin,
    SetAutoReplenish,
    SetCollateralPrices,
    SetIndexPrices,
    SetLeverage,
    SetMarginMode,
    SetMarkPrices,
    SetPositionMode,
    SetTradingState,
    Withdraw,
)
from exchange.domain.ids import INSURANCE_FUND, RESERVED_ACCOUNTS, SETTLEMENT_ASSET, is_valid_id
from exchange.domain.instrument import CollateralAsset, Instrument
from exchange.domain.policy import RiskPolicy
from exchange.domain.rejects import Reason
from exchange.domain.units import CASH_MAX
from tests.properties.naive_accounts import Account
from tests.properties.naive_amends import NaiveAmends
from tests.properties.naive_floor import Limits
from tests.properties.naive_markets import Market
from tests.properties.naive_outcome import Outcome


class NaiveVenue(NaiveAmends):
    """Accounts, floor, markets and liquidation behind one door for commands."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        limits: Limits,
        policy: RiskPolicy,
        collateral: Sequence[CollateralAsset] = (),
    ) -> None:
        super().__init__(instruments, limits, policy, collateral)
        self.markets = {symbol: Market() for symbol in self.instruments}
        self.sliced_at = {}
        self.book_before = {}
        self.marks_moved, self.opened = set(), set()

    def apply(self, command: AnyCommand, *, now_ns: int) -> Outcome:
        """Apply one command at its time and return what it brought about."""
        self.outcome, self.now, self.steps = Outcome(), now_ns, 0
        self.book_before, self.marks_moved, self.opened = self.pictures(), set(), set()
        self.schedule()
        self.carry_out(command)
        self.liquidate()
        has_news = isinstance(command, SetMarkPrices | SetIndexPrices | AdvanceTime) and not self.outcome.refused
        if has_news and self.unwind_fund():
            self.liquidate()
        if isinstance(command, SetTradingState) and not self.outcome.refused:
            self.sample_premium(command.symbol)
        return self.outcome

    def carry_out(self, command: AnyCommand) -> None:
        ways: dict[type, Callable[[Any], None]] = {
            PlaceOrder: self.place,
            AmendOrder: self.amend,
            CancelOrder: self.cancel,
            CancelAllOrders: self.cancel_all,
            SetMarginMode: self.set_mode,
            SetLeverage: self.set_leverage,
            AddMargin: self.move_margin,
            RemoveMargin: self.move_margin,
            SetAutoReplenish: self.set_replenish,
            SetPositionMode: self.set_position_mode,
            Withdraw: self.withdraw,
            SetMarkPrices: self.set_marks,
            SetIndexPrices: self.set_index_prices,
            SetCollateralPrices: self.set_asset_prices,
            SetTradingState: self.set_trading_state,
            CreateAccount: self.create,
            Credit: self.credit,
            AdvanceTime: lambda _: self.advance(),
            ContinueLiquidations: lambda _: None,
        }
        ways[type(command)](command)

    @property
    def has_unfinished_liquidations(self) -> bool:
        return bool(self.flagged_scopes(waiting=False))

    def create(self, command: CreateAccount) -> None:
        name = command.account
        if name in self.accounts:
            return self.refuse(Reason.ACCOUNT_EXISTS)
        if not is_valid_id(name) or name in RESERVED_ACCOUNTS:
            return self.refuse(Reason.ACCOUNT_NAME)
        self.accounts[name] = Account(name, self.fresh_positions())
        return None

    def credit(self, command: Credit) -> None:
        if not 0 < command.amount <= CASH_MAX:
            self.refuse(Reason.CREDIT_RANGE)
        if command.account not in self.accounts and command.account != INSURANCE_FUND:
            self.refuse(Reason.UNKNOWN_ACCOUNT)
        if command.asset != SETTLEMENT_ASSET and command.asset not in self.collateral:
            self.refuse(Reason.UNKNOWN_ASSET)
        if self.outcome.refused:
            return
        receiver = self.fund if command.account == INSURANCE_FUND else self.accounts[command.account]
        if command.asset == SETTLEMENT_ASSET:
            self.net_deposits += command.amount
            receiver.wallet += command.amount
        else:
            self.asset_deposits[command.asset] += command.amount
            receiver.assets[command.asset] = receiver.assets.get(command.asset, 0) + command.amount

    def set_asset_prices(self, command: SetCollateralPrices) -> None:
        for price in command.prices:
            if price.asset not in self.collateral:
                self.refuse(Reason.UNKNOWN_ASSET)
            if not 0 < price.price <= CASH_MAX:
                self.refuse(Reason.MARK_PRICE_RANGE)
            if [other.asset for other in command.prices].count(price.asset) > 1:
                self.refuse(Reason.MARK_REPEATED)
        if not self.outcome.refused:
            self.asset_prices.update({price.asset: price.price for price in command.prices})

    def cancel(self, command: CancelOrder) -> None:
        if command.account not in self.accounts:
            return self.refuse(Reason.UNKNOWN_ACCOUNT, Reason.NOT_FOUND)
        order = self.named(command)
        if order is None:
            return self.refuse(Reason.NOT_FOUND)
        return self.remove(order, Reason.CANCELED_BY_OWNER)

    def cancel_all(self, command: CancelAllOrders) -> None:
        if command.account not in self.accounts:
            return self.refuse(Reason.UNKNOWN_ACCOUNT)
        if command.symbol is not None and command.symbol not in self.instruments:
            return self.refuse(Reason.UNKNOWN_SYMBOL)
        for order in [o for o in self.orders if o.account == command.account]:
            p = self.accounts[order.account].positions[order.position]
            named = command.symbol in (None, order.symbol) and command.position_side in (None, p.side)
            if named and (command.side is None or command.side.sign == order.side):
                self.remove(order, Reason.CANCELED_BY_OWNER)
        return None
