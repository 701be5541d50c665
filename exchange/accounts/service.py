"""The account service: a narrow door over accounts, money and margin. ``check_*`` reads, ``apply_*`` cannot fail."""

from __future__ import annotations

from collections.abc import Mapping

from exchange.accounts import views
from exchange.accounts.cross import pool_risk
from exchange.accounts.entry import available_balance, available_without, check_entry, standing_decision
from exchange.accounts.fills import LegCheck, check_leg
from exchange.accounts.ledger import Ledger
from exchange.accounts.margin import path_of
from exchange.accounts.order_margin import margin_of_orders, order_margin
from exchange.accounts.position import Account, Position, RestingOrder
from exchange.accounts.risk import (
    ChangeCheck,
    FillCheck,
    FillVerdict,
    Leg,
    LegEffect,
    OrderCheck,
    ProposedFill,
    Risk,
    Scope,
    TouchedScope,
)
from exchange.domain.commands import AddMargin, MarkPrice, RemoveMargin, SetLeverage, SetMarginMode
from exchange.domain.enums import MarginMode
from exchange.domain.ids import INSURANCE_FUND, AccountId, OrderId, Symbol
from exchange.domain.instrument import Instrument
from exchange.domain.margin_math import notional_value
from exchange.domain.rejects import Reason
from exchange.domain.units import Cash, Lots, Ticks
from exchange.domain.views import AccountView, FundView, MarginDecision, PositionView


class _CopiedAccounts(dict[AccountId, Account]):
    """Accounts of a rehearsal: each is copied from the real ones when first looked at."""

    def __init__(self, originals: Mapping[AccountId, Account]) -> None:
        super().__init__()
        self._originals = originals

    def __missing__(self, account: AccountId) -> Account:
        copy = self[account] = self._originals[account].copy()
        return copy


class AccountService:
    """Every account, position and wallet of the venue, and the checks before anything may change them."""

    def __init__(self, instruments: Mapping[Symbol, Instrument]) -> None:
        self.instruments = instruments
        self.accounts: dict[AccountId, Account] = {}
        self.ledger = Ledger()
        self.marks: dict[Symbol, Ticks] = {}
        self.holders: dict[Symbol, dict[AccountId, None]] = {symbol: {} for symbol in instruments}
        """Who has an open position in each symbol: those whom a new mark can move."""
        self._touched: dict[Scope, None] = {}
        self._changed_accounts: dict[AccountId, None] = {}
        self._changed_positions: dict[tuple[AccountId, Symbol], None] = {}

    # -- reading ---------------------------------------------------------------------------------------------------

    def account(self, account: AccountId) -> Account:
        """Return an account; the insurance fund is one too."""
        return self.ledger.fund if account == INSURANCE_FUND else self.accounts[account]

    def position(self, account: AccountId, symbol: Symbol) -> Position:
        """Return a position, made flat if there was none."""
        return self.account(account).position(self.instruments[symbol])

    def position_quantity(self, account: AccountId, symbol: Symbol) -> Lots:
        """Return the signed position without making one."""
        found = self.accounts[account].positions.get(symbol)
        return 0 if found is None else found.quantity

    def scope_risk(self, scope: Scope) -> Risk:
        """Return how a scope stands at the current marks."""
        account = self.accounts[scope.account]
        if scope.symbol is None:
            return pool_risk(account, self.marks)
        position = account.positions[scope.symbol]
        return path_of(position).risk(account, position, self.marks)

    def scope_of(self, account: AccountId, symbol: Symbol) -> Scope:
        """Return the scope that an account's position in a symbol belongs to."""
        return path_of(self.position(account, symbol)).scope(self.position(account, symbol))

    def view_account(self, account: AccountId) -> AccountView:
        """Return an account's cross pool as its owner sees it."""
        return views.view_account(self.account(account), self.marks)

    def view_position(self, account: AccountId, symbol: Symbol) -> PositionView:
        """Return a position as its owner sees it."""
        return views.view_position(self.account(account), self.position(account, symbol), self.marks)

    def view_funds(self) -> FundView:
        """Return the system's own money."""
        return views.view_funds(self.ledger, self.marks)

    # -- checks ----------------------------------------------------------------------------------------------------

    def check_order(
        self, account: AccountId, symbol: Symbol, sign: int, quantity: Lots, price: Ticks, *, reduce_only: bool
    ) -> OrderCheck:
        """Return whether an order may enter, with its margin decision (MARG-010)."""
        position = self.position(account, symbol)
        return check_entry(self.accounts[account], position, self.marks, sign, quantity, price, reduce_only)

    def standing_decision(self, account: AccountId, symbol: Symbol) -> MarginDecision:
        """Return the margin decision that goes with a refusal for other reasons than margin."""
        return standing_decision(self.accounts[account], self.position(account, symbol), self.marks)

    def check_fill(self, fill: ProposedFill) -> FillCheck:
        """Return whether both sides may trade at today's mark; the taker is asked first (MARG-012, MARG-013)."""
        taker = self._check_leg(fill, fill.taker)
        if taker.effect is None:
            return FillCheck(FillVerdict.TAKER_FAILS, taker.reason, None, None)
        maker = self._check_leg(fill, fill.maker)
        if maker.effect is None:
            return FillCheck(FillVerdict.MAKER_FAILS, Reason.MAKER_FILL_CHECK_FAILED, None, None)
        return FillCheck(FillVerdict.ADMIT, None, taker.effect, maker.effect)

    def _check_leg(self, fill: ProposedFill, leg: Leg) -> LegCheck:
        account, position = self.accounts[leg.account], self.position(leg.account, fill.symbol)
        return check_leg(
            account,
            position,
            self.marks,
            fill,
            leg,
            lambda: available_without(account, position, leg.order_id, self.marks),
        )

    def fill_cap(self, account: AccountId, symbol: Symbol, sign: int, *, reduce_only: bool) -> Lots | None:
        """Return how many lots may fill before the position would cross zero; None for no cap (BOOK-011)."""
        quantity = self.position_quantity(account, symbol)
        if quantity * sign < 0:
            return abs(quantity)
        return 0 if reduce_only else None

    def reduce_only_excess(self, account: AccountId, symbol: Symbol) -> list[tuple[OrderId, Lots]]:
        """Return the reduce-only orders longer than what they can reduce, with what they are to be cut to (BOOK-010)."""
        position = self.position(account, symbol)
        excess = []
        for order in position.orders.values():
            if order.reduce_only:
                room = abs(position.quantity) if position.quantity * order.sign < 0 else 0
                if order.open_quantity > room:
                    excess.append((order.order_id, room))
        return excess

    def order_to_shed(self, account: AccountId, keep: OrderId) -> tuple[Symbol, OrderId] | None:
        """Return the resting order to cancel so that reserves fit again, or None when they do or none helps (MARG-011)."""
        owner = self.accounts[account]
        if available_balance(owner, self.marks) >= 0:
            return None
        worst: tuple[Cash, OrderId, Symbol] | None = None
        for symbol, position in owner.positions.items():
            if not position.orders:
                continue
            for order_id, part in margin_of_orders(position, position.orders.values(), self.marks[symbol]).deciding.items():
                if part and order_id != keep and (worst is None or (-part, order_id) < worst[:2]):
                    worst = (-part, order_id, symbol)
        return None if worst is None else (worst[2], worst[1])

    def order_margin_of(self, account: AccountId, symbol: Symbol) -> Cash:
        """Return R of a symbol (MARG-008)."""
        return order_margin(self.position(account, symbol), self.marks.get(symbol))

    def check_account_change(self, change: SetMarginMode | SetLeverage | AddMargin | RemoveMargin) -> ChangeCheck:
        """Return whether an owner's change of settings or isolated margin may go through (MARG-015, MARG-016)."""
        position = self.position(change.account, change.symbol)
        match change:
            case SetMarginMode() | SetLeverage():
                if isinstance(change, SetLeverage) and not 1 <= change.leverage <= position.instrument.max_leverage:
                    return ChangeCheck(Reason.LEVERAGE_RANGE, position.instrument.max_leverage)
                if path_of(position).is_liquidating(self.accounts[change.account], position):
                    return ChangeCheck(Reason.LIQUIDATION_IN_PROGRESS)
                return ChangeCheck(None if position.is_idle else Reason.POSITION_OPEN)
            case AddMargin() | RemoveMargin():
                return self._check_margin_move(change, position)

    def _check_margin_move(self, change: AddMargin | RemoveMargin, position: Position) -> ChangeCheck:
        if position.margin_mode is not MarginMode.ISOLATED or not position.quantity:
            return ChangeCheck(Reason.NOT_ISOLATED)
        if change.amount <= 0:
            return ChangeCheck(Reason.AMOUNT_NOT_POSITIVE, 1)
        account = self.accounts[change.account]
        if isinstance(change, AddMargin):
            most = max(0, available_balance(account, self.marks))
            return ChangeCheck(Reason.ADD_ABOVE_AVAILABLE if change.amount > most else None, most)
        if position.liquidation_id is not None:
            return ChangeCheck(Reason.LIQUIDATION_IN_PROGRESS)
        risk = path_of(position).risk(account, position, self.marks)
        most = max(0, min(position.wallet.balance, risk.equity - risk.initial_margin))
        return ChangeCheck(Reason.REMOVE_ABOVE_MAXIMUM if change.amount > most else None, most)

    def take_touched(self) -> list[TouchedScope]:
        """Return every scope touched since last asked that is flagged or is to be liquidated (CONS-005)."""
        found = []
        for scope in self._touched:
            account = self.accounts[scope.account]
            flag = account.liquidation_id if scope.symbol is None else account.positions[scope.symbol].liquidation_id
            risk = self.scope_risk(scope)
            if flag is not None or risk.is_breached:
                found.append(TouchedScope(scope, risk, flag is not None))
        self._touched.clear()
        return found

    def take_changes(self) -> tuple[list[tuple[AccountId, Symbol]], list[AccountId]]:
        """Return the positions and accounts changed since last asked, in the order of their names."""
        positions, accounts = sorted(self._changed_positions), sorted(self._changed_accounts)
        self._changed_positions.clear()
        self._changed_accounts.clear()
        return positions, accounts

    # -- changes ---------------------------------------------------------------------------------------------------

    def apply_create(self, account: AccountId) -> None:
        """Open an account."""
        self.accounts[account] = Account(account)
        self._changed_accounts[account] = None

    def apply_credit(self, account: AccountId, amount: Cash) -> None:
        """Deposit money from outside into a cross wallet."""
        self.ledger.deposit(self.account(account).wallet, amount)
        if account != INSURANCE_FUND:
            self.touch(Scope(account, None))
            self._changed_accounts[account] = None

    def apply_order_entered(self, account: AccountId, symbol: Symbol, order: RestingOrder) -> None:
        """Hold margin for an order from now on."""
        position = self.position(account, symbol)
        position.orders[order.order_id] = order
        position.order_margin = None

    def apply_order_change(self, account: AccountId, symbol: Symbol, order_id: OrderId, open_quantity: Lots) -> None:
        """Hold margin for what is left of an order; nothing left ends it."""
        position = self.position(account, symbol)
        if open_quantity:
            position.orders[order_id].open_quantity = open_quantity
        else:
            del position.orders[order_id]
        position.order_margin = None

    def apply_fill(self, fill: ProposedFill, check: FillCheck) -> None:
        """Let an admitted fill happen: positions, money, fees and both orders' reservations."""
        assert check.taker is not None, "only an admitted fill is applied"
        assert check.maker is not None, "only an admitted fill is applied"
        buyer, seller = (fill.taker, fill.maker) if fill.taker.sign > 0 else (fill.maker, fill.taker)
        value = notional_value(self.instruments[fill.symbol], fill.quantity, fill.price)
        self.ledger.trade(self.position(buyer.account, fill.symbol), self.position(seller.account, fill.symbol), value)
        for leg, effect in ((fill.taker, check.taker), (fill.maker, check.maker)):
            self._apply_leg(fill, leg, effect)
            order = self.position(leg.account, fill.symbol).orders[leg.order_id]
            self.apply_order_change(leg.account, fill.symbol, leg.order_id, order.open_quantity - fill.quantity)

    def _apply_leg(self, fill: ProposedFill, leg: Leg, effect: LegEffect) -> None:
        account, position = self.accounts[leg.account], self.position(leg.account, fill.symbol)
        wallet = path_of(position).wallet(account, position)
        self.ledger.transfer(account.wallet, position.wallet, effect.margin_in)
        self.ledger.realize(position, wallet, effect.realized)
        collector = self.ledger.fees if leg.terms is None else self.ledger.fund.wallet
        self.ledger.transfer(wallet, collector, effect.fee)
        self.ledger.transfer(position.wallet, account.wallet, effect.margin_out)
        if effect.margin_in or effect.margin_out:
            self.touch(Scope(leg.account, None))
        self.set_quantity(position, effect.quantity)

    def set_quantity(self, position: Position, quantity: Lots) -> None:
        """Change a position's size and note all that follows from it."""
        position.quantity = quantity
        position.order_margin = None
        if position.account == INSURANCE_FUND:
            return
        if quantity:
            self.holders[position.symbol][position.account] = None
        else:
            self.holders[position.symbol].pop(position.account, None)
        self.touch(path_of(position).scope(position))
        self._changed_positions[(position.account, position.symbol)] = None
        self._changed_accounts[position.account] = None

    def apply_account_change(self, change: SetMarginMode | SetLeverage | AddMargin | RemoveMargin) -> None:
        """Make an owner's change that was checked."""
        account, position = self.accounts[change.account], self.position(change.account, change.symbol)
        match change:
            case SetMarginMode():
                position.margin_mode = change.margin_mode
            case SetLeverage():
                position.leverage = change.leverage
            case AddMargin():
                self.ledger.transfer(account.wallet, position.wallet, change.amount)
            case RemoveMargin():
                self.ledger.transfer(position.wallet, account.wallet, change.amount)
        position.order_margin = None
        self.touch(Scope(change.account, None))
        self.touch(path_of(position).scope(position))
        self._changed_positions[(change.account, change.symbol)] = None
        self._changed_accounts[change.account] = None

    def apply_mark_prices(self, marks: tuple[MarkPrice, ...]) -> None:
        """Revalue: take over new marks and note every scope that they can have moved (MARG-019)."""
        for mark in marks:
            self.marks[mark.symbol] = mark.price
        for mark in marks:
            for account in self.holders[mark.symbol]:
                self.touch(self.scope_of(account, mark.symbol))

    def touch(self, scope: Scope) -> None:
        """Have a scope checked at the end of the command."""
        self._touched[scope] = None

    def rehearsal(self) -> AccountService:
        """Return a service on copies, made as they are needed: what happens there does not happen here (BOOK-004)."""
        copy = AccountService(self.instruments)
        copy.accounts = _CopiedAccounts(self.accounts)
        copy.marks = self.marks
        return copy
