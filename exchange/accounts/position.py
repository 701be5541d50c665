"""What an account holds: wallets, positions, and the margin side of its resting orders."""

from __future__ import annotations

from exchange.domain.enums import MarginMode, PositionMode, PositionSide
from exchange.domain.ids import SETTLEMENT_ASSET, AccountId, AssetId, LiquidationId, OrderId, PositionId, Symbol, position_id
from exchange.domain.instrument import Instrument
from exchange.domain.margin_math import Requirements, initial_margin, maintenance_margin, requirements
from exchange.domain.units import Cash, Lots, Ticks


class Wallet:
    """A pot of money that only the ledger moves. Units: ``balance`` cash, or whole units of the asset."""

    __slots__ = ("account", "asset", "balance", "position_id")

    def __init__(self, account: AccountId, position_id: PositionId | None = None, asset: AssetId = SETTLEMENT_ASSET) -> None:
        self.account = account
        self.position_id = position_id
        """The isolated position that it backs; None for a cross wallet."""
        self.asset = asset
        self.balance = 0


class RestingOrder:
    """An open order as the account service sees it: what it could still cost. ``sign`` is +1 for a buy."""

    __slots__ = ("open_quantity", "order_id", "price", "reduce_only", "reserve", "reserve_terms", "sign")

    def __init__(self, order_id: OrderId, sign: int, price: Ticks, open_quantity: Lots, reduce_only: bool) -> None:
        self.order_id = order_id
        self.sign = sign
        self.price = price
        self.open_quantity = open_quantity
        self.reduce_only = reduce_only
        self.reserve: Cash = 0
        """What the whole order holds when none of it is free, as computed for ``reserve_terms``."""
        self.reserve_terms: tuple[Lots, Ticks, int] | None = None
        """The open quantity, mark and leverage that ``reserve`` is of."""


class Position:
    """An account's position in a symbol, with its settings and orders; it stays when flat, for the settings' sake.

    Units: ``quantity`` signed lots, ``entry_cost`` signed cash (the sum of price times quantity, never an average).
    """

    __slots__ = (
        "account",
        "auto_replenish",
        "entry_cost",
        "instrument",
        "leverage",
        "liquidation_id",
        "margin_call_level",
        "margin_mode",
        "order_margin",
        "order_margin_mark",
        "orders",
        "position_id",
        "position_side",
        "quantity",
        "wallet",
    )

    def __init__(self, account: AccountId, instrument: Instrument, position_side: PositionSide = PositionSide.NET) -> None:
        self.account = account
        self.instrument = instrument
        self.position_side = position_side
        self.position_id = position_id(instrument.symbol, position_side)
        self.quantity: Lots = 0
        self.entry_cost: Cash = 0
        self.margin_mode = MarginMode.CROSS
        self.leverage = instrument.default_leverage
        self.auto_replenish = False
        self.wallet = Wallet(account, self.position_id)
        self.orders: dict[OrderId, RestingOrder] = {}
        """In the order that they came in, or lost their place in the queue (BOOK-019)."""
        self.liquidation_id: LiquidationId | None = None
        """Set while this isolated position is being liquidated; a cross position is flagged through its account."""
        self.margin_call_level = 0
        """How many margin call levels this isolated position is at or above (MARG-020)."""
        self.order_margin: Cash | None = None
        """R as last computed (MARG-008); None once anything it depends on but the mark has changed."""
        self.order_margin_mark: Ticks | None = None

    @property
    def symbol(self) -> Symbol:
        """The symbol held."""
        return self.instrument.symbol

    @property
    def is_idle(self) -> bool:
        """Whether nothing is held and nothing rests."""
        return not self.quantity and not self.orders

    @property
    def is_untouched(self) -> bool:
        """Whether the position is as if nobody had ever looked at its symbol."""
        return (
            self.is_idle
            and self.margin_mode is MarginMode.CROSS
            and self.leverage == self.instrument.default_leverage
            and not self.auto_replenish
        )

    def requirements(self, mark_price: Ticks) -> Requirements:
        """Return what the position needs at its leverage (MARG-003, MARG-004)."""
        return requirements(self.instrument, self.quantity, self.entry_cost, mark_price, self.leverage)

    def maintenance_margin(self, mark_price: Ticks) -> Cash:
        """Return the position's maintenance margin (MARG-003)."""
        return maintenance_margin(self.instrument, self.quantity, self.entry_cost, mark_price)

    def initial_margin(self, mark_price: Ticks) -> Cash:
        """Return the position's initial margin at its leverage (MARG-004)."""
        return initial_margin(self.instrument, self.quantity, self.entry_cost, mark_price, self.leverage)

    def copy(self) -> Position:
        """Return an independent copy, for a rehearsal."""
        twin = Position(self.account, self.instrument, self.position_side)
        twin.quantity, twin.entry_cost = self.quantity, self.entry_cost
        twin.margin_mode, twin.leverage = self.margin_mode, self.leverage
        twin.auto_replenish, twin.margin_call_level = self.auto_replenish, self.margin_call_level
        twin.wallet.balance = self.wallet.balance
        twin.liquidation_id = self.liquidation_id
        twin.orders = {
            order_id: RestingOrder(order.order_id, order.sign, order.price, order.open_quantity, order.reduce_only)
            for order_id, order in self.orders.items()
        }
        return twin


class Account:
    """One owner's cross pool (wallet and collateral assets) and positions."""

    __slots__ = (
        "account",
        "collateral",
        "collateral_value",
        "liquidation_id",
        "margin_call_level",
        "position_mode",
        "positions",
        "wallet",
    )

    def __init__(self, account: AccountId) -> None:
        self.account = account
        self.wallet = Wallet(account)
        self.collateral: dict[AssetId, Wallet] = {}
        self.collateral_value: Cash = 0
        """What the collateral assets count for at their prices less their haircuts (MARG-026)."""
        self.positions: dict[PositionId, Position] = {}
        self.position_mode = PositionMode.ONE_WAY
        self.liquidation_id: LiquidationId | None = None
        """Set while the cross scope is being liquidated."""
        self.margin_call_level = 0
        """How many margin call levels the cross scope is at or above (MARG-020)."""

    def position(self, instrument: Instrument, position_side: PositionSide = PositionSide.NET) -> Position:
        """Return a position, made flat if there was none."""
        name = instrument.symbol if position_side is PositionSide.NET else position_id(instrument.symbol, position_side)
        found = self.positions.get(name)
        if found is None:
            found = self.positions[name] = Position(self.account, instrument, position_side)
        return found

    def positions_in(self, symbol: Symbol) -> list[Position]:
        """Return the account's positions in a symbol: one, or in hedge mode a long and a short one."""
        names = (symbol, position_id(symbol, PositionSide.LONG), position_id(symbol, PositionSide.SHORT))
        return [self.positions[name] for name in names if name in self.positions]

    def holding(self, asset: AssetId) -> Wallet:
        """Return the wallet of a collateral asset, made empty if there was none."""
        found = self.collateral.get(asset)
        if found is None:
            found = self.collateral[asset] = Wallet(self.account, asset=asset)
        return found

    def copy(self) -> Account:
        """Return an independent copy, for a rehearsal."""
        twin = Account(self.account)
        twin.wallet.balance = self.wallet.balance
        for asset, held in self.collateral.items():
            twin.holding(asset).balance = held.balance
        twin.collateral_value = self.collateral_value
        twin.position_mode = self.position_mode
        twin.liquidation_id = self.liquidation_id
        twin.margin_call_level = self.margin_call_level
        twin.positions = {name: position.copy() for name, position in self.positions.items()}
        return twin
