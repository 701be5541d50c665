"""Frozen pictures of the venue's state, as events carry them and queries return them.

Units: prices in ticks, quantities in lots (signed where they are a position), money in cash units, ratios in ppm.
"""

from __future__ import annotations

import msgspec

from exchange.domain.enums import MarginMode, OrderStatus, OrderType, SelfTradePrevention, Side, TimeInForce
from exchange.domain.ids import AccountId, LiquidationId, OrderId, Symbol
from exchange.domain.units import Cash, Lots, Ppm, Ticks, TimeNs


class MarginDecision(msgspec.Struct, frozen=True):
    """The arithmetic behind the margin check of an order (MARG-009).

    ``required`` is by how much the order raises the margin held for its symbol (negative when it frees margin);
    ``available_after = available_before - required``. ``liquidation_price`` is that of the position if the order filled
    whole at its limit.
    """

    path: MarginMode
    required: Cash
    available_before: Cash
    available_after: Cash
    liquidation_price: Ticks | None


class OrderView(msgspec.Struct, frozen=True):
    """An order as its owner sees it."""

    order_id: OrderId
    client_order_id: str | None
    account: AccountId
    symbol: Symbol
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    post_only: bool
    reduce_only: bool
    self_trade_prevention: SelfTradePrevention
    limit_price: Ticks
    """The limit, or the protection price of a market order."""
    quantity: Lots
    filled_quantity: Lots
    filled_value: Cash
    """What the fills were worth; divided by the filled quantity it is the average fill price."""
    open_quantity: Lots
    order_status: OrderStatus
    time_ns: TimeNs
    liquidation_id: LiquidationId | None = None


class AccountView(msgspec.Struct, frozen=True):
    """An account's cross pool and what is left of it.

    ``equity``, ``initial_margin`` and ``maintenance_margin`` are those of the cross pool; isolated positions carry
    their own. ``total_equity`` adds the isolated scopes' equity.
    """

    account: AccountId
    wallet_balance: Cash
    equity: Cash
    initial_margin: Cash
    maintenance_margin: Cash
    order_margin: Cash
    available_balance: Cash
    margin_ratio: Ppm | None
    bankrupt: bool
    total_equity: Cash


class PositionView(msgspec.Struct, frozen=True):
    """One position with the health of the scope that backs it."""

    account: AccountId
    symbol: Symbol
    quantity: Lots
    entry_cost: Cash
    mark_price: Ticks | None
    unrealized_pnl: Cash
    margin_mode: MarginMode
    leverage: int
    isolated_wallet: Cash
    initial_margin: Cash
    maintenance_margin: Cash
    order_margin: Cash
    scope_equity: Cash
    margin_ratio: Ppm | None
    bankrupt: bool
    liquidation_price: Ticks | None
    bankruptcy_price: Ticks | None
    liquidating: bool


class DepthLevel(msgspec.Struct, frozen=True):
    """All that rests at one price; a total of 0 in a change means that the level is gone."""

    side: Side
    price: Ticks
    quantity: Lots


class FundView(msgspec.Struct, frozen=True):
    """The system's own money: net deposits equal accounts' total equity plus these two (CONS-001)."""

    net_deposits: Cash
    fees: Cash
    insurance_fund_wallet: Cash
    insurance_fund_equity: Cash
    insurance_fund_positions: tuple[PositionView, ...]


class ScopeHealth(msgspec.Struct, frozen=True):
    """A scope at one moment of its liquidation."""

    equity: Cash
    maintenance_margin: Cash
    notional: Cash
