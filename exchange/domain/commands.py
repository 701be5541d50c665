"""Everything that can be asked of the venue. A command plus its time is all that a replay needs.

Units: prices in ticks, quantities in lots, money in cash units. The time of a command comes with ``Venue.apply``.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from exchange.domain.enums import (
    CancelTrigger,
    MarginMode,
    OrderType,
    PositionMode,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradingState,
)
from exchange.domain.ids import SETTLEMENT_ASSET, AccountId, AssetId, OrderId, Symbol
from exchange.domain.triggers import Trigger
from exchange.domain.units import Cash, Lots, Ticks, TimeNs


class Command(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The base of all commands; the class name is the tag of the encoded form."""


class CreateAccount(Command, frozen=True, kw_only=True):
    """Open an account with nothing in it."""

    account: AccountId


class Credit(Command, frozen=True, kw_only=True):
    """Deposit ``amount`` from outside into an account's cross wallet, or into the insurance fund.

    Units: cash for the settlement asset, else whole units of the collateral asset.
    """

    account: AccountId
    amount: Cash
    asset: AssetId = SETTLEMENT_ASSET


class Withdraw(Command, frozen=True, kw_only=True):
    """Take ``amount`` out of an account's cross pool (MARG-027). Units as in ``Credit``."""

    account: AccountId
    amount: Cash
    asset: AssetId = SETTLEMENT_ASSET


class SetPositionMode(Command, frozen=True, kw_only=True):
    """Choose between one position per symbol and a long and a short one side by side (MARG-025)."""

    account: AccountId
    position_mode: PositionMode


class PlaceOrder(Command, frozen=True, kw_only=True):
    """Enter an order. A market order has no ``limit_price``; a limit order has one."""

    account: AccountId
    symbol: Symbol
    side: Side
    quantity: Lots
    order_type: OrderType = OrderType.LIMIT
    limit_price: Ticks | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_TAKER
    client_order_id: str | None = None
    position_side: PositionSide = PositionSide.NET
    """Which position it trades: in hedge mode the long or the short one, in one-way mode ``NET``."""
    expire_time_ns: TimeNs | None = None
    """When a ``GTD`` order is canceled (BOOK-018). Units: nanoseconds since the Unix epoch."""
    close_position: bool = False
    """Whether it is to close the whole position: reduce-only, of the size that the position then has; ``quantity`` is 0."""
    trigger: Trigger | None = None
    """What it waits for, untriggered, before it enters (TRIG rules); None enters at once."""


class AmendOrder(Command, frozen=True, kw_only=True):
    """Change an open order of the account, named by either id: its limit, its quantity, or both (BOOK-019).

    ``quantity`` is the order's total, what has filled included; None leaves a term as it is.
    """

    account: AccountId
    order_id: OrderId | None = None
    client_order_id: str | None = None
    limit_price: Ticks | None = None
    quantity: Lots | None = None


class CancelOrder(Command, frozen=True, kw_only=True):
    """Cancel one open order of the account, named by either id."""

    account: AccountId
    order_id: OrderId | None = None
    client_order_id: str | None = None


class CancelAllOrders(Command, frozen=True, kw_only=True):
    """Cancel every open order of the account that is on ``symbol``, of ``side`` and of ``position_side``; None is any."""

    account: AccountId
    symbol: Symbol | None = None
    side: Side | None = None
    position_side: PositionSide | None = None


class SetCancelAfter(Command, frozen=True, kw_only=True):
    """Have every open order of the account canceled once ``timeout`` has passed, at once for 0; None disarms (SAFE rules).

    Units: nanoseconds, not below 0. A dead-man switch armed again is put off; a lost connection never puts off another.
    """

    account: AccountId
    timeout: TimeNs | None
    trigger: CancelTrigger = CancelTrigger.DEAD_MAN


class SetMarginMode(Command, frozen=True, kw_only=True):
    """Choose the collateral behind the account's position in a symbol, open or not (MARG-021).

    ``margin`` is what an open position takes with it into its isolated wallet; None for what it needs.
    """

    account: AccountId
    symbol: Symbol
    margin_mode: MarginMode
    margin: Cash | None = None
    position_side: PositionSide = PositionSide.NET


class SetLeverage(Command, frozen=True, kw_only=True):
    """Choose the leverage of the account's position in a symbol."""

    account: AccountId
    symbol: Symbol
    leverage: int
    position_side: PositionSide = PositionSide.NET


class AddMargin(Command, frozen=True, kw_only=True):
    """Move money from the cross wallet into an isolated position's wallet."""

    account: AccountId
    symbol: Symbol
    amount: Cash
    position_side: PositionSide = PositionSide.NET


class RemoveMargin(Command, frozen=True, kw_only=True):
    """Move money from an isolated position's wallet back to the cross wallet."""

    account: AccountId
    symbol: Symbol
    amount: Cash
    position_side: PositionSide = PositionSide.NET


class SetAutoReplenish(Command, frozen=True, kw_only=True):
    """Choose whether an isolated position may be topped up from the cross wallet before it is liquidated (MARG-024)."""

    account: AccountId
    symbol: Symbol
    enabled: bool
    position_side: PositionSide = PositionSide.NET


class MarkPrice(msgspec.Struct, frozen=True):
    """A new mark price of one symbol."""

    symbol: Symbol
    price: Ticks


class SetMarkPrices(Command, frozen=True, kw_only=True):
    """Replace the marks of one or more symbols at once; the checks run after all of them."""

    marks: tuple[MarkPrice, ...]


class IndexPrice(msgspec.Struct, frozen=True):
    """A new price of what a symbol follows."""

    symbol: Symbol
    price: Ticks


class SetIndexPrices(Command, frozen=True, kw_only=True):
    """Replace the index prices of one or more symbols; marks that are made of them follow (MARK-003)."""

    prices: tuple[IndexPrice, ...]


class CollateralPrice(msgspec.Struct, frozen=True):
    """What one whole of a collateral asset is worth. Units: cash."""

    asset: AssetId
    price: Cash


class SetCollateralPrices(Command, frozen=True, kw_only=True):
    """Replace the prices that collateral assets are counted at (MARG-026)."""

    prices: tuple[CollateralPrice, ...]


class SetTradingState(Command, frozen=True, kw_only=True):
    """Halt a symbol or open it again (BOOK-017)."""

    symbol: Symbol
    trading_state: TradingState


class AdvanceTime(Command, frozen=True, kw_only=True):
    """Let time pass up to the time of this command; what is due fires."""


class ContinueTriggers(Command, frozen=True, kw_only=True):
    """Have those triggered orders enter that the command before left to enter (TRIG-004)."""


class ContinueLiquidations(Command, frozen=True, kw_only=True):
    """Go on with the liquidations that the command before had to leave unfinished (LIQ-011)."""


AnyCommand: TypeAlias = (
    CreateAccount
    | Credit
    | Withdraw
    | SetPositionMode
    | PlaceOrder
    | AmendOrder
    | CancelOrder
    | CancelAllOrders
    | SetCancelAfter
    | SetMarginMode
    | SetLeverage
    | AddMargin
    | RemoveMargin
    | SetAutoReplenish
    | SetMarkPrices
    | SetIndexPrices
    | SetCollateralPrices
    | SetTradingState
    | AdvanceTime
    | ContinueLiquidations
    | ContinueTriggers
)
