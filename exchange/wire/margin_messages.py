"""What the server sends about margin, money and liquidations, in the same schema as ``messages.py``.

Where a channel carries several kinds of message, ``type`` tells them apart.
"""

from __future__ import annotations

from typing import Literal

from exchange.wire.fields import MarginModeText, PositionSideText, SideText
from exchange.wire.messages import AccountBody, Message


class HealthBody(Message, frozen=True, kw_only=True):
    """A scope at one moment."""

    equity: str
    maintenance_margin: str
    notional: str


class ScopeBody(Message, frozen=True, kw_only=True):
    """How a scope stands; ``symbol`` is null for the cross scope."""

    path: MarginModeText
    symbol: str | None
    position_side: PositionSideText
    equity: str
    maintenance_margin: str
    notional: str
    margin_ratio: str | None
    bankrupt: bool
    liquidating: bool


class MarginBody(Message, frozen=True, kw_only=True):
    """Channel ``margin``: every scope of the account that has a position; it replaces what was sent before."""

    type: Literal["scopes"] = "scopes"
    scopes: tuple[ScopeBody, ...]
    time_us: int


class MarginCallBody(Message, frozen=True, kw_only=True):
    """Channel ``margin``: a scope's margin ratio rose to ``level``; at 1 it is liquidated (MARG-020)."""

    type: Literal["margin_call"] = "margin_call"
    path: MarginModeText
    symbol: str | None
    position_side: PositionSideText
    level: str
    margin_ratio: str | None
    health: HealthBody
    time_us: int


class LiquidationRecordBody(Message, frozen=True, kw_only=True):
    """All that a liquidation did, from the flag to its end (LIQ-016). ``number`` counts the finished ones of the venue."""

    number: int
    liquidation_id: int
    account: str
    path: MarginModeText
    symbol: str | None
    position_side: PositionSideText
    started_us: int
    finished_us: int
    trigger_marks: dict[str, str]
    collateral: str
    before: HealthBody
    after: HealthBody
    orders_canceled: int
    rounds: int
    replenished: str
    book_quantity: dict[str, str]
    book_value: str
    fund_quantity: dict[str, str]
    deleveraged_quantity: dict[str, str]
    deleveraged_legs: int
    realized_pnl: str
    fee: str
    fund_change: str
    fund_paid: str
    adl_forgone: str
    socialized: str
    bad_debt: str
    returned: str
    owner_recovery: str | None
    default_recovery: str


class LiquidationNotice(Message, frozen=True, kw_only=True):
    """Channel ``margin``: a liquidation of the account is over."""

    type: Literal["liquidation"] = "liquidation"
    record: LiquidationRecordBody


class LiquidationPage(Message, frozen=True, kw_only=True):
    """Records, newest first. ``dropped`` older ones are no longer kept; ``next_before`` asks for the next page."""

    records: tuple[LiquidationRecordBody, ...]
    dropped: int
    next_before: int | None


class LiquidationBody(Message, frozen=True, kw_only=True, omit_defaults=True):
    """One step of a liquidation. ``step`` says which; fields that a step does not have are left out."""

    step: Literal["started", "orders_canceled", "order_settled", "transferred", "waiting", "finished"]
    liquidation_id: int
    time_us: int
    account: str | None = None
    path: MarginModeText | None = None
    symbol: str | None = None
    position_side: PositionSideText | None = None
    side: SideText | None = None
    quantity: str | None = None
    filled: str | None = None
    bankruptcy_price: str | None = None
    venue: Literal["fund", "auto_deleverage", "residual"] | None = None
    counterparty: str | None = None
    price: str | None = None
    value: str | None = None
    fee: str | None = None
    fund_change: str | None = None
    returned: str | None = None
    orders: int | None = None
    retries_left: int | None = None
    halted: bool | None = None
    book_quantity: dict[str, str] | None = None
    fund_quantity: dict[str, str] | None = None
    deleveraged_quantity: dict[str, str] | None = None
    fund_paid: str | None = None
    adl_forgone: str | None = None
    socialized: str | None = None
    bad_debt: str | None = None
    owner_recovery: str | None = None
    default_recovery: str | None = None
    equity: str | None = None
    maintenance_margin: str | None = None
    equity_before: str | None = None
    maintenance_margin_before: str | None = None


class AccountUpdateBody(AccountBody, frozen=True, kw_only=True):
    """Channel ``account``: the account's cross pool; it replaces what was sent before."""

    type: Literal["account"] = "account"


class FundingPaymentBody(Message, frozen=True, kw_only=True):
    """Channel ``account``: what funding gave a position (negative: took), and the wallet behind it after that."""

    type: Literal["funding_payment"] = "funding_payment"
    symbol: str
    position_side: PositionSideText
    quantity: str
    funding_rate: str
    amount: str
    wallet_balance: str
    time_us: int


class DeleverageBody(Message, frozen=True, kw_only=True):
    """Channel ``account``: a position of the account was closed, in whole or part, against a liquidated one.

    ``side`` is the account's own; ``value`` the signed money that changed hands, over ``quantity`` it is ``price``.
    """

    type: Literal["deleverage"] = "deleverage"
    liquidation_id: int
    venue: Literal["auto_deleverage", "residual"]
    symbol: str
    position_side: PositionSideText
    side: SideText
    quantity: str
    price: str | None
    value: str
    realized_pnl: str
    time_us: int


class SocializedLossBody(Message, frozen=True, kw_only=True):
    """Channel ``account``: the account paid a part of a loss that the insurance fund could not."""

    type: Literal["socialized_loss"] = "socialized_loss"
    liquidation_id: int
    symbol: str
    position_side: PositionSideText
    amount: str
    time_us: int


class CollateralSaleBody(Message, frozen=True, kw_only=True):
    """Channel ``account``: collateral went to the insurance fund to pay what the flat account owed."""

    type: Literal["collateral_sale"] = "collateral_sale"
    asset: str
    quantity: str
    proceeds: str
    time_us: int


class LedgerEntryBody(Message, frozen=True, kw_only=True):
    """One movement of money in one wallet: the cross wallet, or that of an isolated position (MARG-028).

    ``number`` counts the account's entries from 1; ``sequence`` is that of the command; ``balance`` follows the entry.
    """

    number: int
    sequence: int
    time_us: int
    asset: str
    wallet: MarginModeText
    symbol: str | None
    position_side: PositionSideText | None
    kind: str
    amount: str
    balance: str


class LedgerPage(Message, frozen=True, kw_only=True):
    """Entries, newest first. ``dropped`` older ones are no longer kept; ``next_before`` asks for the next page."""

    entries: tuple[LedgerEntryBody, ...]
    dropped: int
    next_before: int | None


class FundingBody(Message, frozen=True, kw_only=True):
    """How a symbol's funding stands; rates per interval. Channel ``funding`` begins with it.

    ``premium`` is the average since the last funding, ``funding_rate`` what would be paid if the interval ended now.
    """

    type: Literal["funding"] = "funding"
    symbol: str
    index_price: str | None
    premium: str
    funding_rate: str
    last_funding_rate: str
    next_funding_time_us: int | None
    time_us: int


class FundingSettledBody(Message, frozen=True, kw_only=True):
    """Channel ``funding``: a symbol's funding was paid; what rounding left over, ``residual``, went to the insurance fund."""

    type: Literal["settled"] = "settled"
    symbol: str
    funding_rate: str
    premium: str
    mark_price: str
    residual: str
    payments: int
    next_funding_time_us: int
    time_us: int
