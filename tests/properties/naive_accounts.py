"""The account half of the naive venue: plain objects, everything measured anew whenever it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import floor

from exchange.domain.enums import MarginMode, PositionMode, PositionSide, SelfTradePrevention
from exchange.domain.instrument import CollateralAsset, Instrument
from exchange.domain.policy import OrderMarginRule, RiskPolicy
from tests.properties import naive_formulas as formulas
from tests.properties.naive_record import Liquidation

CROSS = None
"""The name of an account's cross scope; an isolated scope is named by its position."""


@dataclass(eq=False)
class Order:
    order_id: int
    account: str
    symbol: str
    position: str
    side: int
    price: int
    quantity: int
    reduce_only: bool
    resting: bool = False
    liquidation: tuple[int, int, int] | None = None
    """For the venue's own closing orders: |q|, the equity share and the fee's rate when it was sent."""
    filled: int = 0
    open: int = 0
    post_only: bool = False
    prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_TAKER
    arrived: tuple[int, int] | None = None
    """For one that lost its place: the last order id given by then, and how many had lost theirs (BOOK-019)."""

    def __post_init__(self) -> None:
        self.open = self.quantity


@dataclass
class Position:
    symbol: str
    side: PositionSide
    leverage: int
    q: int = 0
    c: int = 0
    mode: MarginMode = MarginMode.CROSS
    wallet: int = 0
    replenish: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        self.name = self.symbol if self.side is PositionSide.NET else f"{self.symbol}/{self.side.value}"


@dataclass
class Account:
    name: str
    positions: dict[str, Position]
    """In order of their names; those of the account's other position mode are flat."""
    wallet: int = 0
    position_mode: PositionMode = PositionMode.ONE_WAY
    assets: dict[str, int] = field(default_factory=dict)
    flagged: dict[str | None, Liquidation] = field(default_factory=dict)
    called: dict[str | None, int] = field(default_factory=dict)
    """How many of the margin call levels each scope was at or above when it was last checked (MARG-020)."""

    def picture(self) -> tuple[object, ...]:
        """All of it that can be seen, but for what was called."""
        positions = [(p.q, p.c, p.mode, p.wallet, p.leverage, p.replenish) for p in self.positions.values()]
        return self.wallet, self.position_mode, dict(self.assets), tuple(self.flagged), positions

    def copy(self) -> Account:
        positions = {name: replace(p) for name, p in self.positions.items()}
        return replace(self, positions=positions, assets=dict(self.assets))


@dataclass
class Fund:
    wallet: int = 0
    q: dict[str, int] = field(default_factory=dict)
    c: dict[str, int] = field(default_factory=dict)
    assets: dict[str, int] = field(default_factory=dict)


def execution_order(orders: Sequence[Order]) -> list[Order]:
    """BOOK-001: best price first, then the older one (order ids are given out in order of arrival)."""
    return sorted(orders, key=lambda o: (-o.side * o.price, o.arrived or (o.order_id, 0)))


class NaiveAccounts:
    """Balances, positions, marks and resting orders, and every measure of them that SPEC.md names."""

    def __init__(self, instruments: Sequence[Instrument], policy: RiskPolicy, collateral: Sequence[CollateralAsset]) -> None:
        self.instruments = {instrument.symbol: instrument for instrument in instruments}
        self.policy = policy
        self.collateral = {asset.asset: asset for asset in collateral}
        self.now = 0
        self.marks: dict[str, int | None] = dict.fromkeys(self.instruments)
        self.marked_at: dict[str, int] = {}
        self.halted: set[str] = set()
        self.asset_prices: dict[str, int | None] = {asset.asset: asset.initial_price for asset in collateral}
        self.accounts: dict[str, Account] = {}
        self.orders: list[Order] = []
        self.fees = 0
        self.net_deposits = 0
        self.asset_deposits = dict.fromkeys(self.collateral, 0)
        self.fund = Fund(
            q=dict.fromkeys(self.instruments, 0),
            c=dict.fromkeys(self.instruments, 0),
            assets=dict.fromkeys(self.collateral, 0),
        )

    def fresh_positions(self) -> dict[str, Position]:
        """MARG-007."""
        found = [Position(s, side, i.default_leverage) for s, i in self.instruments.items() for side in PositionSide]
        return {p.name: p for p in sorted(found, key=lambda p: p.name)}

    def find_position(self, account: Account, symbol: str, side: PositionSide) -> Position | None:
        """MARG-025: None where the account's position mode has no such side."""
        if (side is PositionSide.NET) == (account.position_mode is PositionMode.HEDGE):
            return None
        return next(p for p in account.positions.values() if p.symbol == symbol and p.side is side)

    def mark(self, symbol: str) -> int:
        mark = self.marks[symbol]
        assert mark is not None
        return mark

    def is_stale(self, symbol: str) -> bool:
        """MARK-004."""
        after = self.policy.mark_stale_after
        return after > 0 and symbol in self.marked_at and self.now - self.marked_at[symbol] > after

    # --- measures of one position -----------------------------------------------------------------------------------

    def unrealized(self, symbol: str, q: int, c: int) -> int:
        return formulas.money(self.instruments[symbol], q, self.mark(symbol)) - c if q else 0

    def profit(self, p: Position) -> int:
        return self.unrealized(p.symbol, p.q, p.c)

    def notional(self, p: Position) -> int:
        return formulas.money(self.instruments[p.symbol], abs(p.q), self.mark(p.symbol)) if p.q else 0

    def position_maintenance(self, p: Position) -> int:
        return formulas.maintenance(self.instruments[p.symbol], self.policy, p.q, p.c, self.mark(p.symbol)) if p.q else 0

    def position_initial(self, p: Position) -> int:
        instrument = self.instruments[p.symbol]
        return formulas.initial(instrument, self.policy, p.q, p.c, self.mark(p.symbol), p.leverage) if p.q else 0

    # --- measures of one scope --------------------------------------------------------------------------------------

    def scope_of(self, p: Position) -> str | None:
        return CROSS if p.mode is MarginMode.CROSS else p.name

    def held(self, account: Account, scope: str | None) -> list[Position]:
        """The open positions of the scope, by name."""
        return [p for p in account.positions.values() if p.q and self.scope_of(p) == scope]

    def scope_wallet(self, account: Account, scope: str | None) -> int:
        return account.wallet if scope is CROSS else account.positions[scope].wallet

    def add_to_scope(self, account: Account, scope: str | None, amount: int) -> None:
        if scope is CROSS:
            account.wallet += amount
        else:
            account.positions[scope].wallet += amount

    def asset_value(self, asset: str, balance: int) -> int:
        """MARG-026: nothing while the asset has no price."""
        terms, price = self.collateral[asset], self.asset_prices[asset]
        return 0 if price is None else formulas.collateral_value(balance, terms.decimals, price, terms.haircut)

    def collateral_value(self, account: Account) -> int:
        """K."""
        return sum(self.asset_value(asset, balance) for asset, balance in account.assets.items())

    def equity(self, account: Account, scope: str | None) -> int:
        own = self.scope_wallet(account, scope) + sum(self.profit(p) for p in self.held(account, scope))
        return own + self.collateral_value(account) if scope is CROSS else own

    def maintenance(self, account: Account, scope: str | None) -> int:
        return sum(self.position_maintenance(p) for p in self.held(account, scope))

    def initial(self, account: Account, scope: str | None) -> int:
        return sum(self.position_initial(p) for p in self.held(account, scope))

    def scope_notional(self, account: Account, scope: str | None) -> int:
        return sum(self.notional(p) for p in self.held(account, scope))

    def is_breached(self, account: Account, scope: str | None) -> bool:
        """MARG-005."""
        return formulas.is_breached(self.policy, self.equity(account, scope), self.maintenance(account, scope))

    def is_scope_stale(self, account: Account, scope: str | None) -> bool:
        return any(self.is_stale(p.symbol) for p in self.held(account, scope))

    def equity_share(self, account: Account, p: Position) -> int:
        """LIQ-005: the equity that the position carries."""
        scope = self.scope_of(p)
        if scope is not CROSS:
            return self.equity(account, scope)
        own, whole = self.position_maintenance(p), self.maintenance(account, CROSS)
        return floor(Fraction(self.equity(account, CROSS) * own, whole))

    def liquidation_price(self, account: Account, p: Position) -> int | None:
        """MARG-006."""
        if not p.q:
            return None
        legs, others = self.liquidation_terms(account, p)
        return formulas.liquidation_price(self.instruments[p.symbol], self.policy, legs, others, self.mark(p.symbol))

    def liquidation_terms(self, account: Account, p: Position) -> tuple[list[tuple[int, int]], int]:
        """MARG-006: (q, c) of the position, in a cross pool of the other leg of a hedge too, and what stands behind them."""
        scope = self.scope_of(p)
        together = [leg for leg in self.held(account, scope) if leg.symbol == p.symbol]
        others = self.equity(account, scope) - sum(self.profit(leg) for leg in together)
        others -= self.maintenance(account, scope) - sum(self.position_maintenance(leg) for leg in together)
        return [(leg.q, leg.c) for leg in together], others

    def total_equity(self, account: Account) -> int:
        isolated = [p for p in account.positions.values() if p.mode is MarginMode.ISOLATED]
        return self.equity(account, CROSS) + sum(p.wallet + self.profit(p) for p in isolated)

    def fund_equity(self) -> int:
        """Like that of any cross pool (MARG-005)."""
        profit = sum(self.unrealized(s, self.fund.q[s], self.fund.c[s]) for s in self.instruments)
        return self.fund.wallet + sum(self.asset_value(*held) for held in self.fund.assets.items()) + profit

    # --- margin held for resting orders (MARG-008) ------------------------------------------------------------------

    def orders_of(self, account: str, position: str) -> list[Order]:
        return [o for o in self.orders if o.account == account and o.position == position]

    def reserves(self, p: Position, side: int, orders: Sequence[Order]) -> list[tuple[Order, int, int]]:
        """(order, non-free lots, r) of one side in execution order; reduce-only orders take no part."""
        free, offset = max(0, -side * p.q), 0
        if free and self.policy.order_margin is OrderMarginRule.NOTIONAL_OFFSET:
            offset = abs(p.c)
        by_notional = offset > 0
        instrument, mark = self.instruments[p.symbol], self.mark(p.symbol)
        rows = []
        for order in execution_order([o for o in orders if o.side == side and not o.reduce_only]):
            skipped = min(free, order.open)
            free -= skipped
            lots = order.open - skipped
            whole = order.open if by_notional else lots
            terms = (instrument, self.policy, side, lots, order.price, mark, p.leverage)
            rows.append((order, lots, formulas.reserve(*terms, whole=whole, offset=offset)))
            if by_notional:
                offset = max(0, offset - formulas.margined(instrument, side, whole, order.price, mark))
        return rows

    def order_margin(self, account: Account, p: Position, orders: Sequence[Order] | None = None) -> int:
        """R of one position, for the account's resting orders or for the `orders` given instead."""
        chosen = self.orders_of(account.name, p.name) if orders is None else orders
        if not chosen:
            return 0
        buys, sells = (self.reserves(p, side, chosen) for side in (1, -1))
        held = max(sum(r for _, _, r in buys), sum(r for _, _, r in sells))
        growing = buys if p.q > 0 else sells
        if p.q and p.mode is MarginMode.ISOLATED and any(lots for _, lots, _ in growing):
            held += max(0, self.position_initial(p) - self.equity(account, p.name))
        return held

    def order_margins(self, account: Account, mode: MarginMode | None = None, without: Order | None = None) -> int:
        """R over all positions, or over those in one margin mode, as if the order `without` were not there."""
        names = {o.position for o in self.orders if o.account == account.name}
        total = 0
        for p in (account.positions[name] for name in sorted(names)):
            if mode in (None, p.mode):
                orders = [o for o in self.orders_of(account.name, p.name) if o is not without]
                total += self.order_margin(account, p, orders)
        return total

    def available(self, account: Account, without: Order | None = None) -> int:
        """MARG-009, for cross positions and their orders: profit may back them where the venue decided so."""
        if self.policy.profit_for_orders:
            return self.equity(account, CROSS) - self.initial(account, CROSS) - self.order_margins(account, without=without)
        return self.available_money(account, without)

    def available_money(self, account: Account, without: Order | None = None) -> int:
        """MARG-009, for withdrawals: whatever backs orders, profit is not there to leave the pool."""
        funds = min(account.wallet + self.collateral_value(account), self.equity(account, CROSS))
        return funds - self.initial(account, CROSS) - self.order_margins(account, without=without)

    def own_available(self, account: Account, without: Order | None = None) -> int:
        """MARG-009, for isolated positions and for withdrawal of the settlement asset."""
        own = account.wallet - self.order_margins(account, MarginMode.ISOLATED, without)
        return min(self.available_money(account, without), own)

    def available_to(self, account: Account, p: Position, without: Order | None = None) -> int:
        if p.mode is MarginMode.CROSS:
            return self.available(account, without)
        return self.own_available(account, without)

    def withdrawable(self, account: Account) -> int:
        """MARG-027, of the settlement asset."""
        return max(0, self.own_available(account))

    def leverage_fits(self, p: Position, notional: int) -> bool:
        return p.leverage <= formulas.tier_leverage(self.instruments[p.symbol], notional)

    def potential_notional(self, p: Position, orders: Sequence[Order]) -> int:
        """MARG-010."""
        bids, asks = (sum(o.open for o in orders if o.side == side and not o.reduce_only) for side in (1, -1))
        lots = max(abs(p.q + bids), abs(p.q - asks))
        return formulas.money(self.instruments[p.symbol], lots, self.mark(p.symbol)) if lots else 0
