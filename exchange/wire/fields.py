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
Channel: TypeAlias = Literal[
    "book",
    "book.50",
    "book.10",
    "book.1",
    "trades",
    "ticker",
    "mark",
    "funding",
    "liquidations",
    "orders",
    "fills",
    "positions",
    "account",
    "margin",
]
BOOK_DEPTHS: dict[Channel, int | None] = {"book": None, "book.50": 50, "book.10": 10, "book.1": 1}
"""The channels of order books, and how many levels of each side they carry; None for all."""
PUBLIC_CHANNELS = frozenset({*BOOK_DEPTHS, "trades", "ticker", "mark", "funding", "liquidations"})
PRIVATE_CHANNELS = frozenset({"orders", "fills", "positions", "account", "margin"})
