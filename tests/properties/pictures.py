"""A venue as anyone may see it between two commands, and the margin rules once more, written from the specification.

Nothing here asks the account service for an answer that it is to be checked against: only what is stored (wallets, entry
costs, quantities, orders, settings, marks) is read from the venue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.events import AnyEvent, CollateralPriceChanged, Credited, MarkPriceChanged, TimeAdvanced, Withdrawn
from exchange.domain.ids import SETTLEMENT_ASSET, AccountId, AssetId, Symbol
from exchange.domain.instrument import CollateralAsset, Instrument, Tier
from exchange.domain.policy import MarginPrice, OrderMarginRule, RiskPolicy
from exchange.domain.units import PPM, TimeNs
from exchange.domain.views import AccountView, FundView, OrderView, PositionView, ScopeView
from exchange.venue.venue import Venue

PositionKey = tuple[AccountId, Symbol, PositionSide]


class Picture(NamedTuple):
    """What every query says, and what the events so far add up to."""

    now_ns: TimeNs
    instruments: Mapping[Symbol, Instrument]
    accounts: dict[AccountId, AccountView]
    positions: dict[PositionKey, PositionView]
    orders: dict[AccountId, tuple[OrderView, ...]]
    scopes: tuple[ScopeView, ...]
    funds: FundView
    marks: dict[Symbol, int]
    mark_times: dict[Symbol, TimeNs]
    collateral_prices: dict[AssetId, int]
    deposits: dict[AssetId, int]

    @classmethod
    def of(cls, venue: Venue, before: Picture | None = None, events: tuple[AnyEvent, ...] = ()) -> Picture:
        """Return the venue as it is; times of marks and deposits go on from the picture before."""
        names = venue.accounts()
        times = dict(before.mark_times) if before else {}
        prices = dict(before.collateral_prices) if before else {}
        deposits = dict(before.deposits) if before else {SETTLEMENT_ASSET: 0}
        is_fresh = not any(isinstance(event, TimeAdvanced) for event in events)
        for event in events:
            match event:
                case MarkPriceChanged() if is_fresh:
                    times[event.symbol] = event.time_ns
                case CollateralPriceChanged():
                    prices[event.asset] = event.price
                case Credited():
                    deposits[event.asset] = deposits.get(event.asset, 0) + event.amount
                case Withdrawn():
                    deposits[event.asset] = deposits.get(event.asset, 0) - event.amount
        marks = {symbol: venue.mark_price(symbol) for symbol in venue.instruments}
        return cls(
            now_ns=venue.now_ns,
            instruments=venue.instruments,
            accounts={name: venue.account(name) for name in names},
            positions={(v.account, v.symbol, v.position_side): v for name in names for v in venue.positions(name)},
            orders={name: venue.open_orders(name) for name in names},
            scopes=tuple(scope for name in names for scope in venue.scopes(name)),
            funds=venue.funds(),
            marks={symbol: mark for symbol, mark in marks.items() if mark is not None},
            mark_times=times,
            collateral_prices=prices,
            deposits=deposits,
        )

    def position(self, account: AccountId, symbol: Symbol, side: PositionSide) -> PositionView | None:
        """Return one position, or None where it was never touched."""
        return self.positions.get((account, symbol, side))

    def of_account(self, account: AccountId) -> Iterator[PositionView]:
        """Yield the positions of an account."""
        return (view for view in self.positions.values() if view.account == account)

    def cross_of(self, account: AccountId) -> Iterator[PositionView]:
        """Yield the open cross positions of an account."""
        return (view for view in self.of_account(account) if view.quantity and view.margin_mode is MarginMode.CROSS)

    def orders_of(self, view: PositionView) -> list[OrderView]:
        """Return the resting orders of a position."""
        return [
            order
            for order in self.orders[view.account]
            if (order.symbol, order.position_side) == (view.symbol, view.position_side)
        ]

    def changed_since(self, before: Picture) -> list[AccountId]:
        """Return the accounts of which anything is shown that was not shown before."""
        return [name for name in self.accounts if self._all_of(name) != before._all_of(name)]

    def _all_of(self, account: AccountId) -> tuple[object, ...]:
        return self.accounts.get(account), self.orders.get(account), *self.of_account(account)

    def is_stale(self, policy: RiskPolicy, symbol: Symbol, now_ns: TimeNs) -> bool:
        """Return whether a mark is older than the policy allows (MARK-004)."""
        return policy.mark_stale_after > 0 and now_ns - self.mark_times.get(symbol, now_ns) > policy.mark_stale_after

    def is_stale_pool(self, policy: RiskPolicy, account: AccountId, now_ns: TimeNs) -> bool:
        """Return whether the mark of any open cross position of an account is stale."""
        return any(self.is_stale(policy, view.symbol, now_ns) for view in self.cross_of(account))


# -- the margin rules, once more ---------------------------------------------------------------------------------------


def tier_of(instrument: Instrument, notional: Fraction | int) -> Tier:
    """Return the last tier whose floor is not above the notional (MARG-002)."""
    return [tier for tier in instrument.tiers if tier.notional_floor <= notional][-1]


def _measured(instrument: Instrument, view: PositionView, mark: Fraction, at: MarginPrice) -> Fraction:
    at_mark = abs(view.quantity) * mark * instrument.cash_per_tick_lot
    return Fraction(abs(view.entry_cost)) if at is MarginPrice.ENTRY else at_mark


def exact_maintenance(instrument: Instrument, view: PositionView, mark: Fraction) -> Fraction:
    """Return maintenance margin before it is rounded up (MARG-003)."""
    notional = _measured(instrument, view, mark, instrument.rules.maintenance_price)
    tier = tier_of(instrument, notional)
    rate = tier.maintenance_rate + (instrument.taker_fee if instrument.rules.close_fee_in_maintenance else 0)
    return notional * rate / PPM - tier.maintenance_amount


def maintenance(instrument: Instrument, view: PositionView, mark: int) -> int:
    """Return maintenance margin in whole units (MARG-003)."""
    return max(0, ceil(exact_maintenance(instrument, view, Fraction(mark))))


def initial(instrument: Instrument, view: PositionView, mark: int) -> int:
    """Return initial margin in whole units (MARG-004)."""
    notional = _measured(instrument, view, Fraction(mark), instrument.rules.initial_margin_price)
    allowed = min(view.leverage, tier_of(instrument, notional).max_leverage)
    needed = maintenance(instrument, view, mark)
    return max(ceil(notional / allowed), needed + (1 if needed and instrument.rules.liquidate_at_equality else 0))


def is_breached(picture: Picture, equity: int, needed: int) -> bool:
    """Return whether a scope is to be liquidated (MARG-005)."""
    rules = next(iter(picture.instruments.values())).rules
    return needed > 0 and (equity <= needed if rules.liquidate_at_equality else equity < needed)


def profit(instrument: Instrument, view: PositionView, mark: int) -> int:
    """Return what a position has won at the mark."""
    return view.quantity * mark * instrument.cash_per_tick_lot - view.entry_cost


def margined(instrument: Instrument, sign: int, lots: int, price: int, mark: int) -> int:
    """Return the notional that an order is margined on (MARG-008)."""
    return lots * instrument.cash_per_tick_lot * (price if sign > 0 else max(price, mark))


def beside_margin(instrument: Instrument, sign: int, lots: int, price: int, mark: int, leverage: int) -> int:
    """Return what an order holds beside its margin for the lots that none of the position stands against (MARG-008)."""
    if not lots:
        return 0
    k, fee = instrument.cash_per_tick_lot, Fraction(instrument.taker_fee, PPM)
    held = ceil(lots * price * k * fee) + lots * k * max(0, sign * (price - mark)) + 2
    return held + (ceil(lots * price * k * (1 - Fraction(sign, leverage)) * fee) + 1 if instrument.rules.order_close_fee else 0)


def own_lots(orders: list[OrderView], quantity: int, sign: int) -> dict[int, int]:
    """Return how many lots of each order on a side are not free, in execution order (MARG-008)."""
    free, found = max(0, -sign * quantity), {}
    for order in sorted(orders, key=lambda each: (-sign * each.limit_price, each.order_id)):
        if order.side.sign == sign and not order.reduce_only:
            covered = min(free, order.open_quantity)
            free -= covered
            found[order.order_id] = order.open_quantity - covered
    return found


def order_margin(picture: Picture, view: PositionView) -> int:
    """Return R of a position from its resting orders (MARG-008)."""
    orders, mark, instrument = picture.orders_of(view), picture.marks.get(view.symbol), picture.instruments[view.symbol]
    if not orders or mark is None:
        return 0
    sums = [_held_by_side(instrument, view, orders, sign, mark) for sign in (1, -1)]
    gap = 0
    increases = any(order.side.sign * view.quantity > 0 and not order.reduce_only for order in orders)
    if view.margin_mode is MarginMode.ISOLATED and view.quantity and increases:
        equity = view.isolated_wallet + profit(instrument, view, mark)
        gap = max(0, initial(instrument, view, mark) - equity)
    return max(sums) + gap


def _held_by_side(instrument: Instrument, view: PositionView, orders: list[OrderView], sign: int, mark: int) -> int:
    by_notional = instrument.rules.order_margin is OrderMarginRule.NOTIONAL_OFFSET and sign * view.quantity < 0
    offset, held, by_id = abs(view.entry_cost), 0, {order.order_id: order for order in orders}
    for order_id, lots in own_lots(orders, view.quantity, sign).items():
        order = by_id[order_id]
        notional = margined(instrument, sign, order.open_quantity if by_notional else lots, order.limit_price, mark)
        freed = min(offset, notional) if by_notional else 0
        offset -= freed
        held += ceil(Fraction(notional - freed, view.leverage))
        held += beside_margin(instrument, sign, lots, order.limit_price, mark, view.leverage)
    return held


class Pool(NamedTuple):
    """An account's cross pool by the rules."""

    equity: int
    initial_margin: int
    maintenance_margin: int


def asset_value(terms: CollateralAsset, balance: int, price: int) -> int:
    """Return what a balance of a collateral asset counts for (MARG-026)."""
    return floor(Fraction(balance * price * (PPM - terms.haircut), 10**terms.decimals * PPM))


def pool_of(picture: Picture, account: AccountId) -> Pool:
    """Return a cross pool from its wallets and its cross positions alone (MARG-005)."""
    view = picture.accounts[account]
    equity, initials, maintenances = view.wallet_balance + view.collateral_value, 0, 0
    for held in picture.cross_of(account):
        instrument, mark = picture.instruments[held.symbol], picture.marks[held.symbol]
        equity += profit(instrument, held, mark)
        initials += initial(instrument, held, mark)
        maintenances += maintenance(instrument, held, mark)
    return Pool(equity, initials, maintenances)


def reserves_of(picture: Picture, account: AccountId, *, isolated_only: bool = False) -> int:
    """Return the sum of R over an account's positions."""
    return sum(
        order_margin(picture, view)
        for view in picture.of_account(account)
        if not isolated_only or view.margin_mode is MarginMode.ISOLATED
    )


def available(picture: Picture, account: AccountId) -> int:
    """Return what an account can still commit to orders (MARG-009)."""
    rules, pool = next(iter(picture.instruments.values())).rules, pool_of(picture, account)
    if rules.profit_for_orders:
        return pool.equity - pool.initial_margin - reserves_of(picture, account)
    return available_money(picture, account)


def available_money(picture: Picture, account: AccountId) -> int:
    """Return what an account can still commit without its profit (MARG-009)."""
    view, pool = picture.accounts[account], pool_of(picture, account)
    committed = pool.initial_margin + reserves_of(picture, account)
    return min(view.wallet_balance + view.collateral_value, pool.equity) - committed


def addable(picture: Picture, account: AccountId) -> int:
    """Return the most that can go into an isolated wallet, or out of the venue (MARG-016, MARG-027)."""
    settled = picture.accounts[account].wallet_balance - reserves_of(picture, account, isolated_only=True)
    return max(0, min(available_money(picture, account), settled))


def removable(view: PositionView) -> int:
    """Return the most that can come out of an isolated wallet (MARG-016)."""
    return max(0, min(view.isolated_wallet, view.scope_equity - view.initial_margin))


def asset_withdrawable(picture: Picture, account: AccountId, terms: CollateralAsset, price: int) -> int:
    """Return the most of a collateral asset that can go without its value falling by more than is available (MARG-027)."""
    balance = next(held.balance for held in picture.accounts[account].collateral if held.asset == terms.asset)
    worth, spare = asset_value(terms, balance, price), max(0, available_money(picture, account))
    low, high = 0, balance
    while low < high:
        middle = (low + high + 1) // 2
        fits = worth - asset_value(terms, balance - middle, price) <= spare
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def switch_range(picture: Picture, view: PositionView) -> tuple[int, int]:
    """Return the least and the most margin that a cross position may take into an isolated wallet (MARG-021)."""
    account, instrument, mark = picture.accounts[view.account], picture.instruments[view.symbol], picture.marks[view.symbol]
    pool, own, won = pool_of(picture, view.account), order_margin(picture, view), profit(instrument, view, mark)
    needed = initial(instrument, view, mark)
    money = account.wallet_balance + account.collateral_value
    most = min(money, pool.equity - won) - (pool.initial_margin - needed) - reserves_of(picture, view.account)
    settled = account.wallet_balance - reserves_of(picture, view.account, isolated_only=True) - own
    return needed + max(0, -won), min(most, settled)
