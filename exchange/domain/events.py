"""Everything that can come of a command, in the order of BOOK-013.

Units: prices in ticks, quantities in lots, money in cash units.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

import msgspec

from exchange.domain.enums import CancelTrigger, Liquidity, MarginMode, PositionMode, PositionSide, Side, TradingState
from exchange.domain.ids import SETTLEMENT_ASSET, AccountId, AssetId, LiquidationId, OrderId, Symbol, TradeId
from exchange.domain.rejects import Reason
from exchange.domain.units import Cash, Lots, Ppb, Ppm, Ticks, TimeNs
from exchange.domain.views import (
    AccountView,
    DepthLevel,
    LedgerEntry,
    LiquidationRecord,
    MarginDecision,
    OrderView,
    PositionView,
    ScopeHealth,
)


class Event(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The base of all events; the class name is the tag of the encoded form."""


class CommandRejected(Event, frozen=True, kw_only=True):
    """A command other than an order entry was refused; nothing changed.

    ``limit`` is the bound that was missed (of a range that begins at one unit, its upper end) and ``actual`` what was
    given, both in the unit of the reason.
    """

    account: AccountId | None
    command: str
    reason: Reason
    symbol: Symbol | None = None
    limit: int | None = None
    actual: int | None = None


class AccountCreated(Event, frozen=True, kw_only=True):
    """An account exists."""

    account: AccountId


class Credited(Event, frozen=True, kw_only=True):
    """Money came in from outside."""

    account: AccountId
    amount: Cash
    wallet_balance: Cash
    asset: AssetId = SETTLEMENT_ASSET


class Withdrawn(Event, frozen=True, kw_only=True):
    """Money went out (MARG-027). Units: of the asset."""

    account: AccountId
    amount: Cash
    wallet_balance: Cash
    asset: AssetId = SETTLEMENT_ASSET


class PositionModeSet(Event, frozen=True, kw_only=True):
    """The account chose between one position per symbol and two (MARG-025)."""

    account: AccountId
    position_mode: PositionMode


class OrderRejected(Event, frozen=True, kw_only=True):
    """An order was refused; nothing changed.

    ``decision`` shows the margin arithmetic; None only for an unknown account or symbol.
    """

    account: AccountId
    symbol: Symbol
    client_order_id: str | None
    reason: Reason
    limit: int | None = None
    actual: int | None = None
    decision: MarginDecision | None = None


class OrderAccepted(Event, frozen=True, kw_only=True):
    """An order passed every filter and its margin check; what became of it follows."""

    order: OrderView
    decision: MarginDecision | None
    """None for the venue's own liquidation orders, which are not margin-checked."""


class OrderRepeated(Event, frozen=True, kw_only=True):
    """The account already used this client order id for the same order; nothing was done (BOOK-014)."""

    accepted: OrderAccepted
    outcome: OrderView


class OrderAmended(Event, frozen=True, kw_only=True):
    """An order was given other terms (BOOK-019); where it lost its place, what became of it follows."""

    order: OrderView
    keeps_place: bool
    decision: MarginDecision


class AmendRejected(Event, frozen=True, kw_only=True):
    """An order was refused other terms; nothing changed. ``decision`` shows the margin arithmetic."""

    order: OrderView
    reason: Reason
    limit: int | None = None
    actual: int | None = None
    decision: MarginDecision


class OrderTriggered(Event, frozen=True, kw_only=True):
    """An untriggered order was sent in, since its price came; ``reason`` is why it may not enter, if so (TRIG-003).

    What became of it follows. ``price`` is the one that triggered it, in ticks; ``decision`` its margin arithmetic now.
    """

    order: OrderView
    price: Ticks
    decision: MarginDecision
    reason: Reason | None


class OrderRested(Event, frozen=True, kw_only=True):
    """What was left of an order now rests in the book."""

    order: OrderView


class OrderShrunk(Event, frozen=True, kw_only=True):
    """A reduce-only order was cut to what there is left to reduce (BOOK-010)."""

    order: OrderView


class OrderFilled(Event, frozen=True, kw_only=True):
    """Nothing of the order is left to fill."""

    order: OrderView


class OrderCanceled(Event, frozen=True, kw_only=True):
    """What was open of the order is gone; ``canceled_quantity`` is how much that was."""

    order: OrderView
    reason: Reason
    canceled_quantity: Lots


class CancelAfterSet(Event, frozen=True, kw_only=True):
    """The account's orders are canceled at ``deadline_ns`` unless that is put off or disarmed; None: not (SAFE-001)."""

    account: AccountId
    trigger: CancelTrigger
    deadline_ns: TimeNs | None


class FillSide(msgspec.Struct, frozen=True):
    """One side of a trade, as its owner may see it."""

    account: AccountId
    order: OrderView
    liquidity: Liquidity
    fee: Cash
    realized_pnl: Cash
    margin_in: Cash
    """What moved from the cross wallet into the isolated one."""
    margin_out: Cash
    """What moved from the isolated wallet back to the cross one."""


class TradeExecuted(Event, frozen=True, kw_only=True):
    """Two orders met at the maker's price."""

    trade_id: TradeId
    symbol: Symbol
    price: Ticks
    quantity: Lots
    taker_side: Side
    maker: FillSide
    taker: FillSide
    time_ns: TimeNs
    liquidation_id: LiquidationId | None = None


class BookChanged(Event, frozen=True, kw_only=True):
    """The new totals of every price level that the command changed, best first per side."""

    symbol: Symbol
    levels: tuple[DepthLevel, ...]


class MarginModeSet(Event, frozen=True, kw_only=True):
    """The account chose the collateral behind a position."""

    account: AccountId
    symbol: Symbol
    margin_mode: MarginMode
    position_side: PositionSide
    margin_moved: Cash
    """What went from the cross wallet into the isolated one (negative: back)."""


class LeverageSet(Event, frozen=True, kw_only=True):
    """The account chose a position's leverage; ``margin_moved`` is what an isolated position had to be given for it."""

    account: AccountId
    symbol: Symbol
    leverage: int
    position_side: PositionSide
    margin_moved: Cash


class AutoReplenishSet(Event, frozen=True, kw_only=True):
    """The account chose whether a position may be topped up before it is liquidated (MARG-024)."""

    account: AccountId
    symbol: Symbol
    enabled: bool
    position_side: PositionSide


class MarginMoved(Event, frozen=True, kw_only=True):
    """Isolated margin was added (positive) or removed (negative), by the owner or as the owner had it set up."""

    account: AccountId
    symbol: Symbol
    amount: Cash
    isolated_wallet: Cash
    wallet_balance: Cash
    position_side: PositionSide
    is_automatic: bool = False


class PositionChanged(Event, frozen=True, kw_only=True):
    """A position after a command that changed it."""

    position: PositionView


class AccountChanged(Event, frozen=True, kw_only=True):
    """An account after a command that changed its money or positions."""

    state: AccountView


class MarkPriceChanged(Event, frozen=True, kw_only=True):
    """A symbol has a new mark."""

    symbol: Symbol
    mark_price: Ticks
    time_ns: TimeNs


class IndexPriceChanged(Event, frozen=True, kw_only=True):
    """A symbol has a new index price."""

    symbol: Symbol
    index_price: Ticks
    time_ns: TimeNs


class CollateralPriceChanged(Event, frozen=True, kw_only=True):
    """A collateral asset counts for more or less (MARG-026). Units: cash per one whole of it."""

    asset: AssetId
    price: Cash


class CollateralSold(Event, frozen=True, kw_only=True):
    """Collateral went to the fund to pay for a flat account's negative wallet (MARG-026)."""

    account: AccountId
    asset: AssetId
    quantity: int
    proceeds: Cash


class TradingStateSet(Event, frozen=True, kw_only=True):
    """A symbol was halted or opened; ``liquidation_id`` names the liquidation that nobody could pay for (LIQ-009)."""

    symbol: Symbol
    trading_state: TradingState
    liquidation_id: LiquidationId | None = None


class FundingSettled(Event, frozen=True, kw_only=True):
    """A symbol's funding was paid, all of it at once (FUND-003). Units: rates ppb; ``residual`` went to the fund."""

    symbol: Symbol
    funding_rate: Ppb
    premium: Ppb
    mark_price: Ticks
    residual: Cash
    payments: int
    next_funding_time_ns: TimeNs
    time_ns: TimeNs


class FundingPaid(Event, frozen=True, kw_only=True):
    """What funding gave a position (negative: took from it), into the wallet that backs it (FUND-003)."""

    account: AccountId
    symbol: Symbol
    position_side: PositionSide
    quantity: Lots
    funding_rate: Ppb
    amount: Cash
    wallet_balance: Cash


class MarginCalled(Event, frozen=True, kw_only=True):
    """A scope's margin ratio rose to a level at which its owner is warned (MARG-020)."""

    account: AccountId
    path: MarginMode
    symbol: Symbol | None
    position_side: PositionSide
    level: Ppm
    health: ScopeHealth
    time_ns: TimeNs


class LedgerPosted(Event, frozen=True, kw_only=True):
    """Every movement of money that a command made, in order (MARG-028)."""

    entries: tuple[LedgerEntry, ...]


class TimeAdvanced(Event, frozen=True, kw_only=True):
    """Time has passed on command."""

    time_ns: TimeNs


class LiquidationStarted(Event, frozen=True, kw_only=True):
    """A scope fell below maintenance and was flagged (LIQ-001). ``symbol`` is None for the cross scope."""

    liquidation_id: LiquidationId
    account: AccountId
    path: MarginMode
    symbol: Symbol | None
    position_side: PositionSide
    health: ScopeHealth
    time_ns: TimeNs


class LiquidationOrdersCanceled(Event, frozen=True, kw_only=True):
    """The scope's own orders are out of the way (LIQ-002); each has had its own cancellation."""

    liquidation_id: LiquidationId
    orders: int
    health: ScopeHealth


class LiquidationOrderSettled(Event, frozen=True, kw_only=True):
    """A closing order went through the public book (LIQ-005); ``filled`` is 0 where the book had nothing within."""

    liquidation_id: LiquidationId
    account: AccountId
    symbol: Symbol
    position_side: PositionSide
    order_id: OrderId | None
    side: Side
    quantity: Lots
    bankruptcy_price: Ticks
    filled: Lots
    fee: Cash
    before: ScopeHealth
    after: ScopeHealth


class CloseOutVenue(Enum):
    """Who took over a position that the book did not (LIQ-007 to LIQ-009)."""

    FUND = "fund"
    AUTO_DELEVERAGE = "auto_deleverage"
    RESIDUAL = "residual"


class PositionTransferred(Event, frozen=True, kw_only=True):
    """A liquidated position, or part of it, went to the fund or to an opposite account.

    ``value`` is the signed money it changed hands at; ``fund_change`` what the fund's wallet gained or paid beside it.
    """

    liquidation_id: LiquidationId
    venue: CloseOutVenue
    account: AccountId
    counterparty: AccountId
    symbol: Symbol
    position_side: PositionSide
    counterparty_side: PositionSide
    side: Side
    quantity: Lots
    value: Cash
    realized_pnl: Cash
    counterparty_realized_pnl: Cash
    fund_change: Cash
    before: ScopeHealth
    after: ScopeHealth


class LossSocialized(Event, frozen=True, kw_only=True):
    """A holder of a profitable position paid for a loss that the fund could not (LIQ-009)."""

    liquidation_id: LiquidationId
    account: AccountId
    symbol: Symbol
    position_side: PositionSide
    amount: Cash


class LiquidationWaiting(Event, frozen=True, kw_only=True):
    """A liquidation goes on when a mark or the book changes, or its symbol opens (LIQ-013)."""

    liquidation_id: LiquidationId
    account: AccountId
    retries_left: int
    halted: bool


class LiquidationFinished(Event, frozen=True, kw_only=True):
    """The scope is cured or flat and no longer flagged (LIQ-010)."""

    record: LiquidationRecord


class LiquidationsDeferred(Event, frozen=True, kw_only=True):
    """The bound on work per command was reached; a ContinueLiquidations command carries on (LIQ-011)."""

    scopes: int


AnyEvent: TypeAlias = (
    CommandRejected
    | AccountCreated
    | Credited
    | Withdrawn
    | PositionModeSet
    | OrderRejected
    | OrderAccepted
    | OrderRepeated
    | OrderAmended
    | AmendRejected
    | OrderTriggered
    | OrderRested
    | OrderShrunk
    | OrderFilled
    | OrderCanceled
    | CancelAfterSet
    | TradeExecuted
    | BookChanged
    | MarginModeSet
    | LeverageSet
    | AutoReplenishSet
    | MarginMoved
    | PositionChanged
    | AccountChanged
    | MarkPriceChanged
    | IndexPriceChanged
    | CollateralPriceChanged
    | CollateralSold
    | TradingStateSet
    | FundingSettled
    | FundingPaid
    | MarginCalled
    | LedgerPosted
    | TimeAdvanced
    | LiquidationStarted
    | LiquidationOrdersCanceled
    | LiquidationOrderSettled
    | PositionTransferred
    | LossSocialized
    | LiquidationWaiting
    | LiquidationFinished
    | LiquidationsDeferred
)
