"""The account service: a narrow door over accounts, money and margin. ``check_*`` reads, ``apply_*`` cannot fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from exchange.accounts import views
from exchange.accounts.changes import AccountChange, PositionChange, Surroundings, check_change
from exchange.accounts.collateral import CollateralBook
from exchange.accounts.cross import open_positions, pool_risk
from exchange.accounts.entry import available_balance, available_without, check_entry, standing_decision
from exchange.accounts.fills import LegCheck, check_leg
from exchange.accounts.ledger import Ledger
from exchange.accounts.margin import path_of
from exchange.accounts.order_margin import margin_of_orders, order_margin
from exchange.accounts.position import Account, Position, RestingOrder, Wallet
from exchange.accounts.risk import (
    ChangeCheck,
    FillCheck,
    FillVerdict,
    Leg,
    LegEffect,
    OrderCheck,
    ProposedFill,
    ProposedOrder,
    Risk,
    Scope,
    TouchedScope,
)
from exchange.domain.commands import (
    AddMargin,
    CollateralPrice,
    MarkPrice,
    PlaceOrder,
    RemoveMargin,
    SetAutoReplenish,
    SetLeverage,
    SetMarginMode,
    SetPositionMode,
    Withdraw,
)
from exchange.domain.copies import Copies
from exchange.domain.enums import EntryKind, PositionMode, PositionSide
from exchange.domain.ids import INSURANCE_FUND, SETTLEMENT_ASSET, AccountId, AssetId, OrderId, PositionId, Symbol, position_id
from exchange.domain.instrument import CollateralAsset, Instrument
from exchange.domain.margin_math import margin_ratio, notional_value
from exchange.domain.policy import RiskPolicy
from exchange.domain.rejects import Reason
from exchange.domain.units import Cash, Lots, Ppm, Ticks, TimeNs
from exchange.domain.views import AccountView, FundView, MarginDecision, PositionView, ScopeView

NET = PositionSide.NET


class AccountService:
    """Every account, position and wallet of the venue, and the checks before anything may change them."""

    def __init__(
        self,
        instruments: Mapping[Symbol, Instrument],
        policy: RiskPolicy | None = None,
        collateral: Sequence[CollateralAsset] = (),
    ) -> None:
        self.instruments = instruments
        self.policy = policy or RiskPolicy()
        self.accounts: dict[AccountId, Account] = {}
        self.ledger = Ledger()
        self.collateral = CollateralBook(collateral, self.ledger)
        self.marks: dict[Symbol, Ticks] = {}
        self.mark_times: dict[Symbol, TimeNs] = {}
        """When each mark was set; the fresh ones alone start liquidations (MARK-004)."""
        self.now_ns: TimeNs = 0
        """The time of the command being carried out."""
        self.holders: dict[Symbol, dict[tuple[AccountId, PositionId], Position]] = {symbol: {} for symbol in instruments}
        """The open positions in each symbol: those that a new mark can move. The fund's are not among them."""
        self._touched: dict[Scope, None] = {}
        self._changed_accounts: dict[AccountId, None] = {}
        self._changed_positions: dict[tuple[AccountId, PositionId], None] = {}

    # -- reading ---------------------------------------------------------------------------------------------------

    def account(self, account: AccountId) -> Account:
        """Return an account; the insurance fund is one too."""
        return self.ledger.fund if account == INSURANCE_FUND else self.accounts[account]

    def position(self, account: AccountId, symbol: Symbol, position_side: PositionSide = NET) -> Position:
        """Return a position, made flat if there was none."""
        return self.account(account).position(self.instruments[symbol], position_side)

    def position_quantity(self, account: AccountId, symbol: Symbol, position_side: PositionSide = NET) -> Lots:
        """Return the signed position without making one."""
        found = self.account(account).positions.get(position_id(symbol, position_side))
        return 0 if found is None else found.quantity

    def scope_risk(self, scope: Scope) -> Risk:
        """Return how a scope stands at the current marks."""
        account = self.accounts[scope.account]
        if scope.position_id is None:
            return pool_risk(account, self.marks)
        position = account.positions[scope.position_id]
        return path_of(position).risk(account, position, self.marks)

    def is_stale(self, symbol: Symbol) -> bool:
        """Return whether a symbol's mark is too old to liquidate by (MARK-004)."""
        after = self.policy.mark_stale_after
        return after > 0 and self.now_ns - self.mark_times.get(symbol, self.now_ns) > after

    def has_stale_mark(self, scope: Scope) -> bool:
        """Return whether any open position of a scope is valued at a stale mark (MARK-004)."""
        if not self.policy.mark_stale_after:
            return False
        account = self.accounts[scope.account]
        if scope.position_id is not None:
            return self.is_stale(account.positions[scope.position_id].symbol)
        return any(self.is_stale(position.symbol) for position in open_positions(account))

    def view_account(self, account: AccountId) -> AccountView:
        """Return an account's cross pool as its owner sees it."""
        return views.view_account(self.account(account), self.marks, self.collateral)

    def view_position(self, account: AccountId, symbol: Symbol, position_side: PositionSide = NET) -> PositionView:
        """Return a position as its owner sees it."""
        return views.view_position(self.account(account), self.position(account, symbol, position_side), self.marks)

    def view_positions(self, account: AccountId) -> tuple[PositionView, ...]:
        """Return every position that is open, has orders or has settings of its own, by name."""
        held = self.account(account).positions
        return tuple(
            self.view_position(account, each.symbol, each.position_side)
            for _, each in sorted(held.items())
            if not each.is_untouched
        )

    def view_scopes(self, account: AccountId) -> tuple[ScopeView, ...]:
        """Return the health of each scope of an account that has a position: the cross scope first (MARG-020)."""
        return views.view_scopes(self.accounts[account], self.marks)

    def view_funds(self) -> FundView:
        """Return the system's own money."""
        return views.view_funds(self.ledger, self.marks)

    # -- checks ----------------------------------------------------------------------------------------------------

    def check_order(
        self, order: PlaceOrder, price: Ticks, *, replaces: OrderId | None = None, keeps_place: bool = False
    ) -> OrderCheck:
        """Return whether an order may enter at the worst price ``price``, with its margin decision (MARG-010).

        ``replaces`` is the order whose other terms these are, in its place of the queue or behind all others (BOOK-019).
        """
        position = self.position(order.account, order.symbol, order.position_side)
        proposed = ProposedOrder(order.side.sign, order.quantity, price, order.reduce_only, replaces, keeps_place)
        check = check_entry(self.accounts[order.account], position, self.marks, proposed)
        if check.reason is None and not check.is_reducing and self.is_stale(order.symbol):
            return check._replace(reason=Reason.MARK_STALE)
        return check

    def check_position_side(self, account: AccountId, position_side: PositionSide) -> bool:
        """Return whether the account's position mode knows this side (MARG-025)."""
        return (self.accounts[account].position_mode is PositionMode.ONE_WAY) == (position_side is NET)

    def standing_decision(self, account: AccountId, symbol: Symbol, position_side: PositionSide = NET) -> MarginDecision:
        """Return the margin decision that goes with a refusal for other reasons than margin."""
        owner = self.accounts[account]
        position = owner.positions.get(position_id(symbol, position_side)) or Position(
            account, self.instruments[symbol], position_side
        )
        return standing_decision(owner, position, self.marks)

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
        account, position = self.account(leg.account), self.position(leg.account, fill.symbol, leg.position_side)
        return check_leg(
            account,
            position,
            self.marks,
            fill,
            leg,
            lambda: available_without(account, position, leg.order_id, self.marks),
        )

    def fill_cap(
        self, account: AccountId, symbol: Symbol, position_side: PositionSide, sign: int, *, reduce_only: bool
    ) -> Lots | None:
        """Return how many lots may fill before the position would cross zero; None for no cap (BOOK-011)."""
        quantity = self.position_quantity(account, symbol, position_side)
        if quantity * sign < 0:
            return abs(quantity)
        return 0 if reduce_only else None

    def reduce_only_excess(self, position: Position) -> list[tuple[OrderId, Lots]]:
        """Return the reduce-only orders longer than what they can reduce, with what they are to be cut to (BOOK-010)."""
        excess = []
        for order in position.orders.values():
            if order.reduce_only:
                room = abs(position.quantity) if position.quantity * order.sign < 0 else 0
                if order.open_quantity > room:
                    excess.append((order.order_id, room))
        return sorted(excess)

    def order_to_shed(self, account: AccountId, keep: OrderId) -> tuple[Position, OrderId] | None:
        """Return the resting order to cancel so that reserves fit again, or None when they do or none helps (MARG-011)."""
        owner = self.accounts[account]
        if available_balance(owner, self.marks) >= 0:
            return None
        worst: tuple[Cash, OrderId, Position] | None = None
        for position in owner.positions.values():
            if not position.orders:
                continue
            margin = margin_of_orders(position, position.orders.values(), self.marks[position.symbol])
            for order_id, part in margin.deciding.items():
                if part and order_id != keep and (worst is None or (-part, order_id) < worst[:2]):
                    worst = (-part, order_id, position)
        return None if worst is None else (worst[2], worst[1])

    def order_margin_of(self, account: AccountId, symbol: Symbol, position_side: PositionSide = NET) -> Cash:
        """Return R of a position (MARG-008)."""
        return order_margin(self.position(account, symbol, position_side), self.marks.get(symbol))

    def check_change(self, change: AccountChange) -> ChangeCheck:
        """Return whether an owner's change of settings, margin or money may go through (MARG-015 to MARG-027)."""
        around = Surroundings(self.instruments, self.marks, self.collateral, self.has_stale_mark)
        return check_change(self.accounts[change.account], change, around)

    # -- what happened ---------------------------------------------------------------------------------------------

    def take_touched(self) -> list[TouchedScope]:
        """Return every scope touched since last asked that is flagged, to be liquidated, or to be warned (CONS-005)."""
        found = []
        for scope in self._touched:
            account = self.accounts[scope.account]
            held = account if scope.position_id is None else account.positions[scope.position_id]
            risk = self.scope_risk(scope)
            call = self._margin_call(held, risk)
            is_flagged = held.liquidation_id is not None
            if is_flagged or (risk.is_breached and not self.has_stale_mark(scope)):
                found.append(TouchedScope(scope, risk, is_flagged))
            elif call is not None and not risk.is_breached:
                found.append(TouchedScope(scope, risk, False, call))
        self._touched.clear()
        return found

    def _margin_call(self, held: Account | Position, risk: Risk) -> Ppm | None:
        """Note which levels the scope's ratio is at or above; return the highest if it is newly so (MARG-020)."""
        levels, reached = self.policy.margin_call_levels, 0
        if risk.maintenance_margin:
            ratio = margin_ratio(risk.equity, risk.maintenance_margin)
            reached = sum(1 for level in levels if ratio is None or ratio >= level)
        before, held.margin_call_level = held.margin_call_level, reached
        return levels[reached - 1] if reached > before else None

    def take_changes(self) -> tuple[list[tuple[AccountId, PositionId]], list[AccountId]]:
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

    def wallet_of(self, position: Position) -> Wallet:
        """Return the wallet that a position's profit, loss and fees go through."""
        return path_of(position).wallet(self.account(position.account), position)

    def wallet(self, account: AccountId, asset: AssetId) -> Wallet:
        """Return the wallet of a cross pool that holds an asset."""
        owner = self.account(account)
        return owner.wallet if asset == SETTLEMENT_ASSET else owner.holding(asset)

    def apply_deposit(self, account: AccountId, amount: int, asset: AssetId = SETTLEMENT_ASSET) -> None:
        """Bring money from outside into a cross pool, or with a negative amount take it out. Units: of the asset."""
        self.ledger.deposit(self.wallet(account, asset), amount)
        self.collateral.revalue(self.account(account))
        if account != INSURANCE_FUND:
            self.note_money(account)

    def apply_order_entered(self, position: Position, order: RestingOrder) -> None:
        """Hold margin for an order from now on."""
        position.orders[order.order_id] = order
        position.order_margin = None

    def apply_order_change(self, position: Position, order_id: OrderId, open_quantity: Lots) -> None:
        """Hold margin for what is left of an order; nothing left ends it."""
        if open_quantity:
            position.orders[order_id].open_quantity = open_quantity
        else:
            del position.orders[order_id]
        position.order_margin = None

    def apply_fill(self, fill: ProposedFill, check: FillCheck) -> None:
        """Let an admitted fill happen: positions, money, fees and both orders' reservations."""
        assert check.taker is not None, "only an admitted fill is applied"
        assert check.maker is not None, "only an admitted fill is applied"
        taker = self.position(fill.taker.account, fill.symbol, fill.taker.position_side)
        maker = self.position(fill.maker.account, fill.symbol, fill.maker.position_side)
        buyer, seller = (taker, maker) if fill.taker.sign > 0 else (maker, taker)
        self.ledger.trade(buyer, seller, notional_value(taker.instrument, fill.quantity, fill.price))
        for position, leg, effect in ((taker, fill.taker, check.taker), (maker, fill.maker, check.maker)):
            self._apply_leg(position, leg, effect)
            self.apply_order_change(position, leg.order_id, position.orders[leg.order_id].open_quantity - fill.quantity)

    def _apply_leg(self, position: Position, leg: Leg, effect: LegEffect) -> None:
        account, ledger = self.account(leg.account), self.ledger
        wallet = path_of(position).wallet(account, position)
        ledger.transfer(account.wallet, position.wallet, effect.margin_in, EntryKind.MARGIN)
        ledger.realize(position, wallet, effect.realized)
        if leg.terms is None:
            ledger.transfer(wallet, ledger.fees, effect.fee, EntryKind.FEE)
        else:
            kind = EntryKind.LIQUIDATION_FEE if effect.fee >= 0 else EntryKind.INSURANCE
            ledger.transfer(wallet, ledger.fund.wallet, effect.fee, kind)
        ledger.transfer(position.wallet, account.wallet, effect.margin_out, EntryKind.MARGIN)
        if effect.margin_in or effect.margin_out:
            self.touch(Scope(leg.account, None))
        self.set_quantity(position, effect.quantity)

    def set_quantity(self, position: Position, quantity: Lots) -> None:
        """Change a position's size and note all that follows from it."""
        position.quantity = quantity
        position.order_margin = None
        if position.account == INSURANCE_FUND:
            return
        key = (position.account, position.position_id)
        if quantity:
            self.holders[position.symbol][key] = position
        else:
            self.holders[position.symbol].pop(key, None)
        self.note_position(position)

    def apply_change(self, change: AccountChange, margin: Cash) -> None:
        """Make an owner's change that was checked; ``margin`` is what the check says moves into the isolated wallet."""
        match change:
            case Withdraw():
                self.apply_deposit(change.account, -change.amount, change.asset)
            case SetPositionMode():
                self.accounts[change.account].position_mode = change.position_mode
                self._changed_accounts[change.account] = None
            case _:
                self._apply_position_change(change, margin)

    def _apply_position_change(self, change: PositionChange, margin: Cash) -> None:
        account = self.accounts[change.account]
        position = self.position(change.account, change.symbol, change.position_side)
        match change:
            case SetMarginMode() if position.margin_mode is not change.margin_mode:
                position.margin_mode = change.margin_mode
                position.margin_call_level = 0
            case SetLeverage():
                position.leverage = change.leverage
            case SetAutoReplenish():
                position.auto_replenish = change.enabled
            case SetMarginMode() | AddMargin() | RemoveMargin():
                pass
        self.apply_margin(account, position, margin)

    def apply_margin(self, account: Account, position: Position, amount: Cash) -> None:
        """Move money from the cross wallet into the position's own (negative: back)."""
        self.ledger.transfer(account.wallet, position.wallet, amount, EntryKind.MARGIN)
        self.touch(Scope(position.account, None))
        self.note_position(position)

    def apply_mark_prices(self, marks: Sequence[MarkPrice], *, is_fresh: bool = True) -> None:
        """Revalue: take over new marks and note every scope that they can have moved (MARG-019).

        Marks that are not fresh are made of an index that nobody has told anew: they keep their age (MARK-004).
        """
        for mark in marks:
            self.marks[mark.symbol] = mark.price
            if is_fresh:
                self.mark_times[mark.symbol] = self.now_ns
        for mark in marks:
            for position in self.holders[mark.symbol].values():
                self.touch(path_of(position).scope(position))

    def apply_collateral_prices(self, prices: Sequence[CollateralPrice]) -> None:
        """Take over new prices of collateral assets and revalue whoever holds them (MARG-026)."""
        for price in prices:
            self.collateral.prices[price.asset] = price.price
        for account in (*self.accounts.values(), self.ledger.fund):
            if account.collateral:
                self.collateral.revalue(account)
                if account is not self.ledger.fund:
                    self.note_money(account.account)

    def note_money(self, account: AccountId) -> None:
        """Have an account's cross scope checked and its picture told."""
        self.touch(Scope(account, None))
        self._changed_accounts[account] = None

    def note_position(self, position: Position) -> None:
        """Have a position's scope checked, its orders' margin counted anew, and its picture and its account's told."""
        position.order_margin = None
        self.touch(path_of(position).scope(position))
        self._changed_positions[(position.account, position.position_id)] = None
        self._changed_accounts[position.account] = None

    def touch(self, scope: Scope) -> None:
        """Have a scope checked at the end of the command."""
        self._touched[scope] = None

    def touched_flat_accounts(self) -> Iterator[Account]:
        """Yield the accounts touched since last asked whose cross pool is flat and owes money (MARG-026)."""
        for scope in tuple(self._touched):
            account = self.accounts[scope.account]
            if scope.position_id is None and account.wallet.balance < 0 and not any(True for _ in open_positions(account)):
                yield account

    def rehearsal(self, owner: AccountId | None = None) -> AccountService:
        """Return a service on copies, made as they are needed: what happens there does not happen here (BOOK-004, MARG-029).

        There a new mark is felt by the positions of ``owner`` alone. The fund and the fees begin with nothing there.
        """
        copy = AccountService(self.instruments, self.policy, tuple(self.collateral.assets.values()))
        copy.accounts = Copies(self.accounts, Account.copy)
        copy.collateral.prices = self.collateral.prices
        copy.marks, copy.mark_times, copy.now_ns = dict(self.marks), dict(self.mark_times), self.now_ns
        if owner is not None:
            for position_id, position in copy.accounts[owner].positions.items():
                if position.quantity:
                    copy.holders[position.symbol][owner, position_id] = position
        return copy
