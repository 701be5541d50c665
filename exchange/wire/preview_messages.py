"""What the server answers when it is asked beforehand, in the same schema as ``messages.py`` (MARG-029)."""

from __future__ import annotations

from exchange.wire.margin_messages import MarginCallBody, ScopeBody
from exchange.wire.messages import AccountBody, DecisionBody, ErrorBody, Message, OrderBody, PositionBody


class OrderPreviewBody(Message, frozen=True, kw_only=True):
    """What would become of an order, as ``order.place`` would tell it, with what it would cost.

    ``canceled_orders`` and ``shrunk_orders`` are the account's others, as they would be then.
    """

    order: OrderBody
    margin: DecisionBody
    repeated: bool
    fee: str
    realized_pnl: str
    canceled_orders: tuple[OrderBody, ...]
    shrunk_orders: tuple[OrderBody, ...]


class PreviewResult(Message, frozen=True, kw_only=True):
    """What an action would do if it came next, and how the account would stand afterwards.

    ``error`` is what the real method would answer. ``liquidated`` are the scopes that would be flagged, as they stand
    before any liquidation does anything. ``sequence`` is of the state that this was asked of.
    """

    accepted: bool
    error: ErrorBody | None
    order: OrderPreviewBody | None
    margin_moved: str
    margin_calls: tuple[MarginCallBody, ...]
    liquidated: tuple[ScopeBody, ...]
    account: AccountBody
    positions: tuple[PositionBody, ...]
    scopes: tuple[ScopeBody, ...]
    sequence: int
    time_us: int
