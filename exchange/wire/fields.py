"""The kinds of value that requests and messages are made of, the channels, and the bounds that belong to the schema."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from exchange.domain.ids import ID_PATTERN

INTEGER_MAX = 2**53 - 1
"""The largest whole number on the wire: what every language's number type holds exactly."""
SUBSCRIPTIONS_MAX = 256
MARKS_PER_UPDATE_MAX = 64
LIST_LIMIT_MAX = 500
DEPTH_MAX = 200
GRACE_MS_MAX = 300_000
"""How long an account may take to come back after a lost connection: 5 minutes."""
CANCEL_AFTER_MS_MAX = 86_400_000
"""The longest that a dead-man switch can be set to: a day."""

PROTOCOL_VERSION = 1
SUBPROTOCOL_MSGPACK = "exchange.v1.msgpack"
SUBPROTOCOL_JSON = "exchange.v1.json"

Id: TypeAlias = Annotated[str, Meta(pattern=ID_PATTERN, max_length=36)]
WholeId: TypeAlias = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
RequestId: TypeAlias = Annotated[int, Meta(ge=-INTEGER_MAX, le=INTEGER_MAX)] | Annotated[str, Meta(max_length=64)]
DecimalText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=40)]
SymbolText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=36)]
TimeUs: TypeAlias = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
SideText: TypeAlias = Literal["buy", "sell"]
MarginModeText: TypeAlias = Literal["cross", "isolated"]
PositionModeText: TypeAlias = Literal["one_way", "hedge"]
PositionSideText: TypeAlias = Literal["net", "long", "short"]
TradingStateText: TypeAlias = Literal["open", "halted"]
IntervalText: TypeAlias = Literal["1s", "1m", "5m", "15m", "1h", "4h", "1d"]
Channel: TypeAlias = Literal[
    "book",
    "book.50",
    "book.10",
    "book.1",
    "book.orders",
    "trades",
    "ticker",
    "mark",
    "funding",
    "liquidations",
    "candles.1s",
    "candles.1m",
    "candles.5m",
    "candles.15m",
    "candles.1h",
    "candles.4h",
    "candles.1d",
    "open_interest",
    "insurance_fund",
    "heartbeat",
    "orders",
    "fills",
    "positions",
    "account",
    "margin",
]
BOOK_DEPTHS: dict[Channel, int | None] = {"book": None, "book.50": 50, "book.10": 10, "book.1": 1}
"""The channels of order books, and how many levels of each side they carry; None for all."""
CANDLE_INTERVALS: dict[Channel, IntervalText] = {
    "candles.1s": "1s",
    "candles.1m": "1m",
    "candles.5m": "5m",
    "candles.15m": "15m",
    "candles.1h": "1h",
    "candles.4h": "4h",
    "candles.1d": "1d",
}
"""The channels of candles, and the interval that each carries."""
VENUE_CHANNELS = frozenset({"insurance_fund", "heartbeat"})
"""Public channels that are of no symbol: one stream each."""
PUBLIC_CHANNELS = frozenset(
    {
        *BOOK_DEPTHS,
        *CANDLE_INTERVALS,
        *VENUE_CHANNELS,
        "book.orders",
        "trades",
        "ticker",
        "mark",
        "funding",
        "liquidations",
        "open_interest",
    }
)
PRIVATE_CHANNELS = frozenset({"orders", "fills", "positions", "account", "margin"})
