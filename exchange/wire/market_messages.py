"""What the server tells of a market beside its book and trades: candles, open interest, the insurance fund, the heartbeat."""

from __future__ import annotations

from typing import Literal, TypeAlias

from exchange.wire.fields import IntervalText, SideText
from exchange.wire.messages import Message, PositionBody


class CandleBody(Message, frozen=True, kw_only=True):
    """What was traded in one interval; ``turnover`` in the settlement currency. ``closed``: the interval is over."""

    symbol: str
    interval: IntervalText
    start_time_us: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    turnover: str
    trades: int
    closed: bool


class OpenInterestBody(Message, frozen=True, kw_only=True):
    """What is held long in a symbol, which is what is held short; ``notional`` at the mark, null before there is one."""

    symbol: str
    quantity: str
    notional: str | None
    time_us: int


class InsuranceFundBody(Message, frozen=True, kw_only=True):
    """The insurance fund's own money and what it took over."""

    wallet_balance: str
    equity: str
    positions: tuple[PositionBody, ...]
    time_us: int


class HeartbeatBody(Message, frozen=True, kw_only=True):
    """The server lives; the next one follows in ``interval_ms``. ``sequence`` counts the commands applied so far."""

    time_us: int
    sequence: int
    interval_ms: int


RestingOrder: TypeAlias = tuple[int, str, str]
"""Order id, price, quantity left."""


class BookOrderChange(Message, frozen=True, kw_only=True):
    """What became of one resting order; ``add`` puts it last at its price, ``change`` leaves it in its place."""

    action: Literal["add", "change", "remove"]
    order_id: int
    side: SideText
    price: str
    quantity: str


class BookOrdersUpdate(Message, frozen=True, kw_only=True):
    """``snapshot`` replaces all orders, each side in the order of priority; ``delta`` is changes to be made in their order.

    Sequences are as in a book: a delta follows the message whose ``sequence`` is its ``previous_sequence``.
    """

    channel: Literal["book.orders"] = "book.orders"
    type: Literal["snapshot", "delta"]
    symbol: str
    sequence: int
    previous_sequence: int
    bids: tuple[RestingOrder, ...]
    asks: tuple[RestingOrder, ...]
    changes: tuple[BookOrderChange, ...]
    time_us: int
