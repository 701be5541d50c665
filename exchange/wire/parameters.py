"""The parameters of every request of the native protocol, in one schema for both encodings (WIRE rules of SPEC.md).

Prices, quantities and money are decimal strings; times are whole microseconds since the Unix epoch. No float and no
``Decimal`` field exists. Unknown keys are errors.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from exchange.wire.fields import (
    CANCEL_AFTER_MS_MAX,
    DEPTH_MAX,
    GRACE_MS_MAX,
    INTEGER_MAX,
    LIST_LIMIT_MAX,
    MARKS_PER_UPDATE_MAX,
    Channel,
    DecimalText,
    Id,
    IntervalText,
    MarginModeText,
    PositionModeText,
    PositionSideText,
    SideText,
    SymbolText,
    TimeUs,
    TradingStateText,
    WholeId,
)


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The base of all request parameters."""


class NoParams(Params, frozen=True, kw_only=True):
    """For methods that take nothing."""


class LoginParams(Params, frozen=True, kw_only=True):
    """``signature`` is hex HMAC-SHA256 of the login text under the key's secret (WIRE-004)."""

    key: Id
    time_ms: Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
    signature: Annotated[str, Meta(max_length=128)]


class CancelOnDisconnectParams(Params, frozen=True, kw_only=True):
    """Whether losing this connection cancels the account's orders, and how long the account has to come back."""

    enabled: bool
    grace_ms: Annotated[int, Meta(ge=0, le=GRACE_MS_MAX)] = 10_000


class CancelAfterParams(Params, frozen=True, kw_only=True):
    """How long from now until the account's orders are canceled; 0 disarms."""

    timeout_ms: Annotated[int, Meta(ge=0, le=CANCEL_AFTER_MS_MAX)]


class SubscriptionParams(Params, frozen=True, kw_only=True):
    """A channel; a public one for one symbol or for all of them, a private one without a symbol."""

    channel: Channel
    symbol: SymbolText | None = None


class TriggerParams(Params, frozen=True, kw_only=True):
    """What an order waits for: a ``stop`` that the price runs away from it, a ``take_profit`` that it comes closer."""

    kind: Literal["stop", "take_profit"]
    price: DecimalText
    by: Literal["mark", "last", "index"] = "mark"


class PlaceParams(Params, frozen=True, kw_only=True):
    """An order to enter; ``limit_price`` only with ``limit``, ``expire_time_us`` only with ``gtd``.

    With a ``trigger`` it waits for that price, and enters as it is then. In hedge mode ``position_side`` is long or short.
    ``close_position`` stands for the ``quantity`` of the whole position, and for ``reduce_only`` (BOOK-020).
    """

    symbol: SymbolText
    side: SideText
    quantity: DecimalText | None = None
    order_type: Literal["limit", "market"] = "limit"
    limit_price: DecimalText | None = None
    time_in_force: Literal["gtc", "gtd", "ioc", "fok"] = "gtc"
    expire_time_us: TimeUs | None = None
    trigger: TriggerParams | None = None
    post_only: bool = False
    reduce_only: bool = False
    close_position: bool = False
    self_trade_prevention: Literal["cancel_taker", "cancel_maker", "cancel_both"] = "cancel_taker"
    client_order_id: Id | None = None
    position_side: PositionSideText = "net"


class OrderReferenceParams(Params, frozen=True, kw_only=True):
    """One order of the account, by exactly one of its two ids."""

    order_id: WholeId | None = None
    client_order_id: Id | None = None


class AmendParams(OrderReferenceParams, frozen=True, kw_only=True):
    """Other terms for one open order; ``quantity`` is its total, what has filled included, and at least one is given."""

    limit_price: DecimalText | None = None
    quantity: DecimalText | None = None


class PlaceBatchParams(Params, frozen=True, kw_only=True):
    """Orders to enter, one after the other."""

    orders: Annotated[tuple[PlaceParams, ...], Meta(min_length=1)]


class AmendBatchParams(Params, frozen=True, kw_only=True):
    """Orders to give other terms, one after the other."""

    orders: Annotated[tuple[AmendParams, ...], Meta(min_length=1)]


class CancelBatchParams(Params, frozen=True, kw_only=True):
    """Orders to cancel, one after the other."""

    orders: Annotated[tuple[OrderReferenceParams, ...], Meta(min_length=1)]


class CancelAllParams(Params, frozen=True, kw_only=True):
    """Which open orders to cancel: those that fit all that is given; every one where nothing is."""

    symbol: SymbolText | None = None
    side: SideText | None = None
    position_side: PositionSideText | None = None


class SymbolFilterParams(Params, frozen=True, kw_only=True):
    """One symbol, or all of them."""

    symbol: SymbolText | None = None


class OrderListParams(Params, frozen=True, kw_only=True):
    """Open orders, always all of them, or the ``limit`` most recently ended ones; oldest first."""

    symbol: SymbolText | None = None
    status: Literal["open", "ended"] = "open"
    limit: Annotated[int, Meta(ge=1, le=LIST_LIMIT_MAX)] = 100


class SetMarginModeParams(Params, frozen=True, kw_only=True):
    """The collateral to stand behind a position; ``margin`` is what an open one takes into its isolated wallet."""

    symbol: SymbolText
    margin_mode: MarginModeText
    margin: DecimalText | None = None
    position_side: PositionSideText = "net"


class SetLeverageParams(Params, frozen=True, kw_only=True):
    """The leverage of the account's position in a symbol."""

    symbol: SymbolText
    leverage: Annotated[int, Meta(ge=1, le=1000)]
    position_side: PositionSideText = "net"


class MarginAmountParams(Params, frozen=True, kw_only=True):
    """How much to move between the cross wallet and an isolated position."""

    symbol: SymbolText
    amount: DecimalText
    position_side: PositionSideText = "net"


class SetPositionModeParams(Params, frozen=True, kw_only=True):
    """One position per symbol, or a long and a short one side by side."""

    position_mode: PositionModeText


class SetAutoReplenishParams(Params, frozen=True, kw_only=True):
    """Whether an isolated position may be topped up from the cross wallet before it is liquidated."""

    symbol: SymbolText
    enabled: bool
    position_side: PositionSideText = "net"


class WithdrawParams(Params, frozen=True, kw_only=True):
    """How much to take out of the cross pool; without ``asset``, of the settlement asset."""

    amount: DecimalText
    asset: Id | None = None


class PreviewParams(Params, frozen=True, kw_only=True):
    """Exactly one action, with the parameters of the method it stands for; ``mark_prices`` are new marks by symbol."""

    order: PlaceParams | None = None
    amend: AmendParams | None = None
    mark_prices: Annotated[dict[SymbolText, DecimalText], Meta(min_length=1, max_length=MARKS_PER_UPDATE_MAX)] | None = None
    margin_mode: SetMarginModeParams | None = None
    leverage: SetLeverageParams | None = None
    add_margin: MarginAmountParams | None = None
    remove_margin: MarginAmountParams | None = None
    withdraw: WithdrawParams | None = None
    position_mode: SetPositionModeParams | None = None
    auto_replenish: SetAutoReplenishParams | None = None


class HistoryParams(Params, frozen=True, kw_only=True):
    """One page of a history, newest first: at most ``limit`` entries with a number below ``before``."""

    limit: Annotated[int, Meta(ge=1, le=INTEGER_MAX)] = 100
    before: WholeId | None = None


class ExplainParams(Params, frozen=True, kw_only=True):
    """What to explain, by exactly one of its names; ``offset`` goes on where a page ended."""

    order_id: WholeId | None = None
    client_order_id: Id | None = None
    liquidation_id: WholeId | None = None
    sequence: WholeId | None = None
    limit: Annotated[int, Meta(ge=1, le=INTEGER_MAX)] = 10
    offset: WholeId = 0


class AdminExplainParams(ExplainParams, frozen=True, kw_only=True):
    """What to explain of one account."""

    account: Id


class BookParams(Params, frozen=True, kw_only=True):
    """The best ``depth`` price levels of each side."""

    symbol: SymbolText
    depth: Annotated[int, Meta(ge=1, le=DEPTH_MAX)] = 20


class TradesParams(Params, frozen=True, kw_only=True):
    """The most recent trades, newest last."""

    symbol: SymbolText
    limit: Annotated[int, Meta(ge=1, le=LIST_LIMIT_MAX)] = 50


class CandlesParams(Params, frozen=True, kw_only=True):
    """The last candles that start before ``before``, oldest first."""

    symbol: SymbolText
    interval: IntervalText
    limit: Annotated[int, Meta(ge=1, le=LIST_LIMIT_MAX)] = 100
    before: TimeUs | None = None


class SymbolParams(Params, frozen=True, kw_only=True):
    """One symbol."""

    symbol: SymbolText


class SetMarkParams(Params, frozen=True, kw_only=True):
    """New marks by symbol; several in one update count as one."""

    marks: Annotated[dict[SymbolText, DecimalText], Meta(min_length=1, max_length=MARKS_PER_UPDATE_MAX)]


class SetIndexParams(Params, frozen=True, kw_only=True):
    """New index prices by symbol; several in one update count as one."""

    prices: Annotated[dict[SymbolText, DecimalText], Meta(min_length=1, max_length=MARKS_PER_UPDATE_MAX)]


class SetCollateralPriceParams(Params, frozen=True, kw_only=True):
    """New prices of collateral assets: what one whole of each is worth in the settlement asset."""

    prices: Annotated[dict[Id, DecimalText], Meta(min_length=1, max_length=MARKS_PER_UPDATE_MAX)]


class SetTradingStateParams(Params, frozen=True, kw_only=True):
    """Whether a symbol trades."""

    symbol: SymbolText
    trading_state: TradingStateText


class CreditParams(Params, frozen=True, kw_only=True):
    """A deposit into an account, or into ``insurance_fund``; without ``asset``, of the settlement asset."""

    account: Id
    amount: DecimalText
    asset: Id | None = None


class CreateAccountParams(Params, frozen=True, kw_only=True):
    """A new account; the server makes a key and secret unless both are given."""

    account: Id
    key: Id | None = None
    secret: Annotated[str, Meta(min_length=8, max_length=128)] | None = None


class AdvanceParams(Params, frozen=True, kw_only=True):
    """How far to move the virtual clock."""

    duration_us: Annotated[int, Meta(ge=1, le=INTEGER_MAX)]


class SetTimeParams(Params, frozen=True, kw_only=True):
    """Where to move the virtual clock to; never backward."""

    time_us: TimeUs
