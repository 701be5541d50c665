"""Everything that can be asked of the venue. A command plus its time is all that a replay needs.

Units: prices in ticks, quantities in lots, money in cash units. Times come with ``Venue.apply``, never in a command.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from exchange.domain.enums import MarginMode, OrderType, SelfTradePrevention, Side, TimeInForce
from exchange.domain.ids import AccountId, OrderId, Symbol
from exchange.domain.units import Cash, Lots, Ticks


class Command(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The base of all commands; the class name is the tag of the encoded form."""


class CreateAccount(Command, frozen=True, kw_only=True):
    """Open an account with nothing in it."""

    account: AccountId


class Credit(Command, frozen=True, kw_only=True):
    """Deposit ``amount`` from outside into an account's cross wallet, or into the insurance fund."""

    account: AccountId
    amount: Cash


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


class CancelOrder(Command, frozen=True, kw_only=True):
    """Cancel one open order of the account, named by either id."""

    account: AccountId
    order_id: OrderId | None = None
    client_order_id: str | None = None


class CancelAllOrders(Command, frozen=True, kw_only=True):
    """Cancel every open order of the account, on one symbol or on all."""

    account: AccountId
    symbol: Symbol | None = None


class SetMarginMode(Command, frozen=True, kw_only=True):
    """Choose the collateral behind the account's position in a symbol."""

    account: AccountId
    symbol: Symbol
    margin_mode: MarginMode


class SetLeverage(Command, frozen=True, kw_only=True):
    """Choose the leverage of the account's position in a symbol."""

    account: AccountId
    symbol: Symbol
    leverage: int


class AddMargin(Command, frozen=True, kw_only=True):
    """Move money from the cross wallet into an isolated position's wallet."""

    account: AccountId
    symbol: Symbol
    amount: Cash


class RemoveMargin(Command, frozen=True, kw_only=True):
    """Move money from an isolated position's wallet back to the cross wallet."""

    account: AccountId
    symbol: Symbol
    amount: Cash


class MarkPrice(msgspec.Struct, frozen=True):
    """A new mark price of one symbol."""

    symbol: Symbol
    price: Ticks


class SetMarkPrices(Command, frozen=True, kw_only=True):
    """Replace the marks of one or more symbols at once; the checks run after all of them."""

    marks: tuple[MarkPrice, ...]


class AdvanceTime(Command, frozen=True, kw_only=True):
    """Let time pass up to the time of this command; what is due fires."""


class ContinueLiquidations(Command, frozen=True, kw_only=True):
    """Go on with the liquidations that the command before had to leave unfinished (LIQ-011)."""


AnyCommand: TypeAlias = (
    CreateAccount
    | Credit
    | PlaceOrder
    | CancelOrder
    | CancelAllOrders
    | SetMarginMode
    | SetLeverage
    | AddMargin
    | RemoveMargin
    | SetMarkPrices
    | AdvanceTime
    | ContinueLiquidations
)
