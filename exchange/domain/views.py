"""Frozen pictures of the venue's state, as events carry them and queries return them.

Units: prices in ticks, quantities in lots (signed where they are a position), money in cash units, ratios in ppm.
"""

from __future__ import annotations

import msgspec

from exchange.domain.enums import (
    EntryKind,
    MarginMode,
    OrderStatus,
    OrderType,
    PositionMode,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from exchange.domain.ids import AccountId, AssetId, LiquidationId, OrderId, PositionId, Symbol
from exchange.domain.triggers import Trigger
from exchange.domain.units import Cash, Lots, Ppb, Ppm, Ticks, TimeNs


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
    """The limit, or the protection price of a market order; untriggered, that which it would have at its trigger price."""
    quantity: Lots
    filled_quantity: Lots
    filled_value: Cash
    """What the fills were worth; divided by the filled quantity it is the average fill price."""
    open_quantity: Lots
    order_status: OrderStatus
    time_ns: TimeNs
    liquidation_id: LiquidationId | None = None
    position_side: PositionSide = PositionSide.NET
    expire_time_ns: TimeNs | None = None
    """When it is canceled, of a ``GTD`` order."""
    trigger: Trigger | None = None
    """What it waits for, or has waited for."""


class CollateralView(msgspec.Struct, frozen=True):
    """What an account holds of a collateral asset, and what that counts for. Units: ``balance`` of the asset."""

    asset: AssetId
    balance: int
    value: Cash


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
    withdrawable: Cash
    """What may be withdrawn or moved into isolated wallets, of the settlement asset (MARG-027)."""
    notional: Cash
    """Of all positions, cross and isolated."""
    effective_leverage: Ppm | None
    """``notional / total_equity``; None without positive equity."""
    position_mode: PositionMode
    collateral: tuple[CollateralView, ...]
    collateral_value: Cash
    liquidating: bool


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
    position_side: PositionSide
    notional: Cash
    effective_leverage: Ppm | None
    """``notional / equity`` of this scope's equity; None without positive equity."""
    auto_replenish: bool


class DepthLevel(msgspec.Struct, frozen=True):
    """All that rests at one price; a total of 0 in a change means that the level is gone."""

    side: Side
    price: Ticks
    quantity: Lots


class AssetFundView(msgspec.Struct, frozen=True):
    """A collateral asset over the whole venue. Units: of the asset."""

    asset: AssetId
    net_deposits: int
    insurance_fund_balance: int


class FundView(msgspec.Struct, frozen=True):
    """The system's own money: net deposits equal accounts' total equity plus these two (CONS-001)."""

    net_deposits: Cash
    fees: Cash
    insurance_fund_wallet: Cash
    insurance_fund_equity: Cash
    insurance_fund_positions: tuple[PositionView, ...]
    assets: tuple[AssetFundView, ...] = ()


class ScopeHealth(msgspec.Struct, frozen=True):
    """A scope at one moment of its liquidation."""

    equity: Cash
    maintenance_margin: Cash
    notional: Cash


class LedgerEntry(msgspec.Struct, frozen=True):
    """One movement of money in one wallet (MARG-028).

    ``position_id`` names the isolated wallet, None the cross wallet. Units: cash, or whole units of ``asset``.
    """

    account: AccountId
    asset: AssetId
    position_id: PositionId | None
    kind: EntryKind
    amount: int
    balance: int


class FundingView(msgspec.Struct, frozen=True):
    """How a symbol's funding stands. Units: rates ppb per interval."""

    symbol: Symbol
    index_price: Ticks | None
    premium: Ppb
    """The time-weighted average since the last funding."""
    funding_rate: Ppb
    """What would be paid if the interval ended now."""
    last_funding_rate: Ppb
    next_funding_time_ns: TimeNs | None
    """None until time is first known, and for a symbol without funding."""


class LiquidationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that a liquidation did, from the flag to its end (LIQ-016).

    Units: cash, lots, ticks, ppm. Quantities are by symbol. ``fund_change`` is what the fund's wallet gained (fees) less
    what it paid; ``fund_paid`` what it bore, taken-over losses at the mark included; ``adl_forgone`` what counterparties
    would have had more of at the mark; ``bad_debt`` what nobody's money covered.
    """

    liquidation_id: LiquidationId
    account: AccountId
    path: MarginMode
    symbol: Symbol | None
    position_side: PositionSide
    started_ns: TimeNs
    finished_ns: TimeNs
    trigger_marks: dict[Symbol, Ticks]
    collateral: Cash
    """The scope's wallet when it was flagged (collateral assets at their value)."""
    before: ScopeHealth
    after: ScopeHealth
    orders_canceled: int
    rounds: int
    replenished: Cash
    book_quantity: dict[Symbol, Lots]
    book_value: Cash
    fund_quantity: dict[Symbol, Lots]
    deleveraged_quantity: dict[Symbol, Lots]
    deleveraged_legs: int
    realized_pnl: Cash
    fee: Cash
    fund_change: Cash
    fund_paid: Cash
    adl_forgone: Cash
    socialized: Cash
    bad_debt: Cash
    returned: Cash
    """What an emptied isolated wallet gave back to the cross wallet."""
    owner_recovery: Ppm | None
    """What the owner has left of ``collateral`` and ``replenished``; None where there was none."""
    default_recovery: Ppm
    """``1 - (fund_paid + adl_forgone + socialized + bad_debt) / loss``; 1 if nobody paid."""


class ScopeView(msgspec.Struct, frozen=True):
    """The health of one scope, for watching it (MARG-020). ``symbol`` is None for the cross scope."""

    account: AccountId
    path: MarginMode
    symbol: Symbol | None
    position_side: PositionSide
    equity: Cash
    maintenance_margin: Cash
    notional: Cash
    margin_ratio: Ppm | None
    bankrupt: bool
    liquidating: bool
