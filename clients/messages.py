"""One's own side of the exchange, as frozen values: orders, account, positions.

Units: prices in quote per base, quantities in base (signed where they are a position), money in the settlement
currency, rates as fractions, all ``Decimal``; ``time_us`` in microseconds since the Unix epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from clients.human_units import plain
from exchange.domain.enums import (
    MarginMode,
    OrderStatus,
    OrderType,
    PositionMode,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from exchange.domain.triggers import TriggerKind, TriggerSource

OPEN_STATUSES = frozenset({OrderStatus.UNTRIGGERED, OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginDecision:
    """The margin arithmetic behind the accept or reject of an order (MARG-009).

    ``available_after = available_before - required``; ``liquidation_price`` is that of the position if the order
    filled whole at its limit.
    """

    path: MarginMode
    required: Decimal
    available_before: Decimal
    available_after: Decimal
    liquidation_price: Decimal | None = None

    def __str__(self) -> str:
        """Return the decision in one line."""
        liquidation = "none" if self.liquidation_price is None else plain(self.liquidation_price)
        return (
            f"{self.path.value} margin: requires {plain(self.required)}, available {plain(self.available_before)} -> "
            f"{plain(self.available_after)}, liquidation price {liquidation}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTrigger:
    """The price that an order waits for, or has waited for, and which price of the symbol that is."""

    kind: TriggerKind
    price: Decimal
    by: TriggerSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One's own order. ``limit_price`` of a market order is its protection price."""

    order_id: int
    client_order_id: str | None
    symbol: str
    position_side: PositionSide
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    post_only: bool
    reduce_only: bool
    self_trade_prevention: SelfTradePrevention
    limit_price: Decimal
    quantity: Decimal
    filled_quantity: Decimal
    open_quantity: Decimal
    average_fill_price: Decimal | None
    order_status: OrderStatus
    reason: str | None
    liquidation_id: int | None
    time_us: int
    expire_time_us: int | None = None
    trigger: OrderTrigger | None = None
    margin: MarginDecision | None = None
    """What its margin check found, in the update that tells that it was triggered."""

    @property
    def is_open(self) -> bool:
        """Whether the order still can trade, or waits for its trigger."""
        return self.order_status in OPEN_STATUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What became of an accepted order by the end of its command, and why its margin was enough.

    ``repeated`` is true when this client order id had been used for the same order before; then nothing was done.
    """

    order: Order
    margin: MarginDecision
    repeated: bool = False
    sequence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """What became of an amended order by the end of its command; ``keeps_place`` says whether it stands where it stood.

    ``margin`` counts what the order held before as free; None where the amend canceled it, as one to what had filled does.
    """

    order: Order
    margin: MarginDecision | None
    keeps_place: bool
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Collateral:
    """What one holds of a collateral asset, and what that counts for in the settlement currency."""

    asset: str
    balance: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One's cross pool; ``total_equity`` adds the isolated scopes, ``notional`` is that of all positions."""

    account: str
    wallet_balance: Decimal
    equity: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    order_margin: Decimal
    available_balance: Decimal
    margin_ratio: Decimal | None
    bankrupt: bool
    total_equity: Decimal
    withdrawable: Decimal
    notional: Decimal
    effective_leverage: Decimal | None
    position_mode: PositionMode
    collateral: tuple[Collateral, ...]
    collateral_value: Decimal
    liquidating: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A position with the health of the scope behind it; ``quantity`` is signed, long positive."""

    symbol: str
    position_side: PositionSide
    quantity: Decimal
    entry_price: Decimal | None
    entry_cost: Decimal
    mark_price: Decimal | None
    unrealized_pnl: Decimal
    margin_mode: MarginMode
    leverage: int
    isolated_wallet: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    order_margin: Decimal
    scope_equity: Decimal
    margin_ratio: Decimal | None
    bankrupt: bool
    liquidation_price: Decimal | None
    bankruptcy_price: Decimal | None
    liquidating: bool
    notional: Decimal
    effective_leverage: Decimal | None
    auto_replenish: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CanceledOrders:
    """How many orders a cancel-all took out."""

    canceled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginModeSet:
    """The collateral behind a position from now on, and what moved into its isolated wallet (negative: back)."""

    symbol: str
    position_side: PositionSide
    margin_mode: MarginMode
    margin_moved: Decimal
    sequence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverageSet:
    """The leverage of a position from now on, and what its isolated wallet had to be given for it."""

    symbol: str
    position_side: PositionSide
    leverage: int
    margin_moved: Decimal
    sequence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginMoved:
    """What moved into (positive) or out of (negative) an isolated wallet, and both wallets after it."""

    symbol: str
    position_side: PositionSide
    amount: Decimal
    isolated_wallet: Decimal
    wallet_balance: Decimal
    sequence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionModeSet:
    """Whether there is one position per symbol, or a long and a short one, from now on."""

    position_mode: PositionMode
    sequence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoReplenishSet:
    """Whether a position may be topped up before it is liquidated, from now on."""

    symbol: str
    position_side: PositionSide
    enabled: bool
    sequence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What went out of the cross pool, and what of the asset is left in it."""

    asset: str
    amount: Decimal
    wallet_balance: Decimal
    sequence: int | None = None
