"""What an account holds: wallets, positions, and the margin side of its resting orders."""

from __future__ import annotations

from exchange.domain.enums import MarginMode
from exchange.domain.ids import AccountId, LiquidationId, OrderId, Symbol
from exchange.domain.instrument import Instrument
from exchange.domain.units import Cash, Lots, Ticks


class Wallet:
    """A pot of money that only the ledger moves."""

    __slots__ = ("balance",)

    def __init__(self, balance: Cash = 0) -> None:
        self.balance = balance


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
        "entry_cost",
        "instrument",
        "leverage",
        "liquidation_id",
        "margin_mode",
        "order_margin",
        "order_margin_mark",
        "orders",
        "quantity",
        "wallet",
    )

    def __init__(self, account: AccountId, instrument: Instrument) -> None:
        self.account = account
        self.instrument = instrument
        self.quantity: Lots = 0
        self.entry_cost: Cash = 0
        self.margin_mode = MarginMode.CROSS
        self.leverage = instrument.default_leverage
        self.wallet = Wallet()
        self.orders: dict[OrderId, RestingOrder] = {}
        self.liquidation_id: LiquidationId | None = None
        """Set while this isolated position is being liquidated; a cross position is flagged through its account."""
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

    def copy(self) -> Position:
        """Return an independent copy, for a rehearsal."""
        twin = Position(self.account, self.instrument)
        twin.quantity, twin.entry_cost = self.quantity, self.entry_cost
        twin.margin_mode, twin.leverage = self.margin_mode, self.leverage
        twin.wallet.balance = self.wallet.balance
        twin.liquidation_id = self.liquidation_id
        twin.orders = {
            order_id: RestingOrder(order.order_id, order.sign, order.price, order.open_quantity, order.reduce_only)
            for order_id, order in self.orders.items()
        }
        return twin


class Account:
    """One owner's cross wallet and positions by symbol."""

    __slots__ = ("account", "liquidation_id", "positions", "wallet")

    def __init__(self, account: AccountId) -> None:
        self.account = account
        self.wallet = Wallet()
        self.positions: dict[Symbol, Position] = {}
        self.liquidation_id: LiquidationId | None = None
        """Set while the cross scope is being liquidated."""

    def position(self, instrument: Instrument) -> Position:
        """Return the position in a symbol, made flat if there was none."""
        found = self.positions.get(instrument.symbol)
        if found is None:
            found = self.positions[instrument.symbol] = Position(self.account, instrument)
        return found

    def copy(self) -> Account:
        """Return an independent copy, for a rehearsal."""
        twin = Account(self.account)
        twin.wallet.balance = self.wallet.balance
        twin.liquidation_id = self.liquidation_id
        twin.positions = {symbol: position.copy() for symbol, position in self.positions.items()}
        return twin
