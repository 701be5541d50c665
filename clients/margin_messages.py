"""Margin health, the movements of one's money, and what became of liquidations, as frozen values.

Units: prices in quote per base, quantities in base (signed where they are a position), money in the settlement currency
unless an asset is named, rates and ratios as fractions, all ``Decimal``; times in microseconds since the Unix epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from exchange.domain.enums import EntryKind, MarginMode, PositionSide, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A scope at one moment."""

    equity: Decimal
    maintenance_margin: Decimal
    notional: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """How one isolated position, or all cross positions together (``symbol`` None), stand (MARG-020).

    At a ``margin_ratio`` above 1 it is liquidated; None where no equity is left.
    """

    path: MarginMode
    symbol: str | None
    position_side: PositionSide
    equity: Decimal
    maintenance_margin: Decimal
    notional: Decimal
    margin_ratio: Decimal | None
    bankrupt: bool
    liquidating: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginHealth:
    """Every scope of the account that has a position; it replaces what was sent before."""

    scopes: tuple[Scope, ...]
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginCall:
    """A scope's margin ratio rose to ``level``; at 1 it is liquidated."""

    path: MarginMode
    symbol: str | None
    position_side: PositionSide
    level: Decimal
    margin_ratio: Decimal | None
    health: Health
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidationRecord:
    """All that a liquidation did, from the flag to its end (LIQ-016). ``number`` counts the finished ones of the venue."""

    number: int
    liquidation_id: int
    account: str
    path: MarginMode
    symbol: str | None
    position_side: PositionSide
    started_us: int
    finished_us: int
    trigger_marks: dict[str, Decimal]
    collateral: Decimal
    before: Health
    after: Health
    orders_canceled: int
    rounds: int
    replenished: Decimal
    book_quantity: dict[str, Decimal]
    book_value: Decimal
    fund_quantity: dict[str, Decimal]
    deleveraged_quantity: dict[str, Decimal]
    deleveraged_legs: int
    realized_pnl: Decimal
    fee: Decimal
    fund_change: Decimal
    fund_paid: Decimal
    adl_forgone: Decimal
    socialized: Decimal
    bad_debt: Decimal
    returned: Decimal
    owner_recovery: Decimal | None
    default_recovery: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidationPage:
    """Records, newest first. ``dropped`` older ones are no longer kept; ``next_before`` asks for the next page."""

    records: tuple[LiquidationRecord, ...]
    dropped: int
    next_before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One movement of money in the cross wallet, or in that of an isolated position (MARG-028)."""

    number: int
    sequence: int
    time_us: int
    asset: str
    wallet: MarginMode
    symbol: str | None
    position_side: PositionSide | None
    kind: EntryKind
    amount: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """Entries, newest first. ``dropped`` older ones are no longer kept; ``next_before`` asks for the next page."""

    entries: tuple[LedgerEntry, ...]
    dropped: int
    next_before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingPayment:
    """What funding gave a position (negative: took from it), and the wallet behind it after that."""

    symbol: str
    position_side: PositionSide
    quantity: Decimal
    funding_rate: Decimal
    amount: Decimal
    wallet_balance: Decimal
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleverage:
    """A position of one's own was closed, in whole or part, against a liquidated one; ``side`` is one's own."""

    liquidation_id: int
    venue: Literal["auto_deleverage", "residual"]
    symbol: str
    position_side: PositionSide
    side: Side
    quantity: Decimal
    price: Decimal | None
    value: Decimal
    realized_pnl: Decimal
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SocializedLoss:
    """What the account paid of a loss that the insurance fund could not."""

    liquidation_id: int
    symbol: str
    position_side: PositionSide
    amount: Decimal
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CollateralSale:
    """Collateral that went to the insurance fund to pay what the flat account owed. Units: ``quantity`` of the asset."""

    asset: str
    quantity: Decimal
    proceeds: Decimal
    time_us: int


AccountEvent: TypeAlias = FundingPayment | Deleverage | SocializedLoss | CollateralSale
"""What channel ``account`` tells beside the account itself."""
MarginEvent: TypeAlias = MarginHealth | MarginCall | LiquidationRecord
"""What channel ``margin`` tells."""
