"""What subscriptions deliver: one frozen value per event, and the reader that tells the channels apart.

Units: as in ``clients.messages``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias, get_args

from clients.errors import ProtocolError
from clients.fields import Mismatch, record_reader
from clients.margin_messages import (
    AccountEvent,
    CollateralSale,
    Deleverage,
    FundingPayment,
    LiquidationRecord,
    MarginCall,
    MarginEvent,
    MarginHealth,
    SocializedLoss,
)
from clients.market_data import (
    BookOrderChange,
    Candle,
    Funding,
    FundingSettled,
    Heartbeat,
    InsuranceFund,
    Level,
    Mark,
    OpenInterest,
    RestingOrder,
    Ticker,
    Trade,
)
from clients.messages import Account, Order, Position
from exchange.domain.enums import Liquidity, MarginMode, PositionSide, Side

CandleChannel: TypeAlias = Literal[
    "candles.1s",
    "candles.1m",
    "candles.5m",
    "candles.15m",
    "candles.1h",
    "candles.4h",
    "candles.1d",
]
BookChannel: TypeAlias = Literal["book", "book.50", "book.10", "book.1"]
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
BOOK_CHANNELS: Mapping[int | None, BookChannel] = {None: "book", 50: "book.50", 10: "book.10", 1: "book.1"}
"""The channel of an order book by how many levels of each side it carries; None for all."""
PRIVATE_CHANNELS = frozenset({"orders", "fills", "positions", "account", "margin"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BookUpdate:
    """A ``snapshot`` replaces the book; a ``delta`` replaces the levels it names, quantity 0 removing one.

    A delta follows the message whose ``sequence`` is its ``previous_sequence``. A snapshot may come at any time.
    ``checksum`` is that of the best levels as the message leaves them (``clients.mirror.checksum``).
    """

    channel: BookChannel
    type: Literal["snapshot", "delta"]
    symbol: str
    sequence: int
    previous_sequence: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    checksum: int
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookOrdersUpdate:
    """A ``snapshot`` replaces all orders, each side in the order of priority; a ``delta`` is changes in their order."""

    type: Literal["snapshot", "delta"]
    symbol: str
    sequence: int
    previous_sequence: int
    bids: tuple[RestingOrder, ...]
    asks: tuple[RestingOrder, ...]
    changes: tuple[BookOrderChange, ...]
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One's own side of a trade; ``margin_in`` and ``margin_out`` moved between the cross and the isolated wallet."""

    trade_id: int
    order_id: int
    client_order_id: str | None
    symbol: str
    position_side: PositionSide
    side: Side
    price: Decimal
    quantity: Decimal
    liquidity: Liquidity
    fee: Decimal
    realized_pnl: Decimal
    margin_in: Decimal
    margin_out: Decimal
    liquidation_id: int | None
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidation:
    """One step of a liquidation; what a step does not have is None."""

    step: Literal["started", "orders_canceled", "order_settled", "transferred", "waiting", "finished"]
    liquidation_id: int
    time_us: int
    account: str | None = None
    path: MarginMode | None = None
    symbol: str | None = None
    position_side: PositionSide | None = None
    side: Side | None = None
    quantity: Decimal | None = None
    filled: Decimal | None = None
    bankruptcy_price: Decimal | None = None
    venue: Literal["fund", "auto_deleverage", "residual"] | None = None
    counterparty: str | None = None
    price: Decimal | None = None
    value: Decimal | None = None
    fee: Decimal | None = None
    fund_change: Decimal | None = None
    returned: Decimal | None = None
    orders: int | None = None
    retries_left: int | None = None
    halted: bool | None = None
    book_quantity: dict[str, Decimal] | None = None
    fund_quantity: dict[str, Decimal] | None = None
    deleveraged_quantity: dict[str, Decimal] | None = None
    fund_paid: Decimal | None = None
    adl_forgone: Decimal | None = None
    socialized: Decimal | None = None
    bad_debt: Decimal | None = None
    owner_recovery: Decimal | None = None
    default_recovery: Decimal | None = None
    equity: Decimal | None = None
    maintenance_margin: Decimal | None = None
    equity_before: Decimal | None = None
    maintenance_margin_before: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidationNotice:
    """How the server wraps the record of one's own liquidation; an update carries the record itself."""

    record: LiquidationRecord


Event: TypeAlias = (
    BookUpdate
    | BookOrdersUpdate
    | Trade
    | Ticker
    | Mark
    | Funding
    | FundingSettled
    | Liquidation
    | Candle
    | OpenInterest
    | InsuranceFund
    | Heartbeat
    | Order
    | Fill
    | Position
    | Account
    | AccountEvent
    | MarginEvent
)


@dataclass(frozen=True, slots=True)
class Update:
    """One event of one subscription; ``sequence`` is that of the command it came from."""

    channel: Channel
    symbol: str | None
    sequence: int
    data: Event


_DATA_KINDS: Mapping[str, type] = {
    "trades": Trade,
    "ticker": Ticker,
    "mark": Mark,
    "liquidations": Liquidation,
    **dict.fromkeys(get_args(CandleChannel), Candle),
    "open_interest": OpenInterest,
    "insurance_fund": InsuranceFund,
    "heartbeat": Heartbeat,
    "orders": Order,
    "fills": Fill,
    "positions": Position,
}
_TYPED_DATA_KINDS: Mapping[str, Mapping[str, type]] = {
    "funding": {"funding": Funding, "settled": FundingSettled},
    "account": {
        "account": Account,
        "funding_payment": FundingPayment,
        "deleverage": Deleverage,
        "socialized_loss": SocializedLoss,
        "collateral_sale": CollateralSale,
    },
    "margin": {"scopes": MarginHealth, "margin_call": MarginCall, "liquidation": LiquidationNotice},
}
"""The channels with several kinds of event, told apart by their ``type``."""


def read_update(message: Mapping[str, Any]) -> Update | None:
    """Return the event that a decoded ``{channel, ...}`` map carries; None for a channel or kind of a newer protocol.

    Raises ``ProtocolError`` naming channel and field when the map does not fit its channel.
    """
    channel = message["channel"]
    try:
        if channel in _BOOK_CHANNEL_NAMES:
            book: BookUpdate = _READ_BOOK(message)
            return Update(book.channel, book.symbol, book.sequence, book)
        if channel == "book.orders":
            orders: BookOrdersUpdate = _READ_BOOK_ORDERS(message)
            return Update("book.orders", orders.symbol, orders.sequence, orders)
        data = message.get("data")
        read = _reader_of(channel, data)
        if read is None:
            return None
        symbol, sequence = message.get("symbol"), message.get("sequence")
        if not (symbol is None or isinstance(symbol, str)) or not isinstance(sequence, int):
            raise Mismatch("symbol must be text or null and sequence a whole number")
        event = read(data)
        return Update(channel, symbol, sequence, event.record if isinstance(event, LiquidationNotice) else event)
    except (Mismatch, RecursionError) as error:
        raise ProtocolError(f"the server sent an event of channel {channel} that does not fit: {error}") from None


def _reader_of(channel: object, data: object) -> Callable[[Any], Any] | None:
    """Return what reads an event's data; None for a channel or kind that this client does not know."""
    if not isinstance(channel, str):
        return None
    typed = _TYPED_READERS.get(channel)
    if typed is None:
        return _READERS.get(channel)
    kind = data.get("type") if isinstance(data, dict) else None
    if not isinstance(kind, str):
        raise Mismatch("its data must be a map with a type")
    return typed.get(kind)


_BOOK_CHANNEL_NAMES = tuple(BOOK_CHANNELS.values())
_READ_BOOK = record_reader(BookUpdate)
_READ_BOOK_ORDERS = record_reader(BookOrdersUpdate)
_READERS: dict[str, Callable[[Any], Any]] = {channel: record_reader(kind) for channel, kind in _DATA_KINDS.items()}
_TYPED_READERS: dict[str, dict[str, Callable[[Any], Any]]] = {
    channel: {word: record_reader(kind) for word, kind in kinds.items()} for channel, kinds in _TYPED_DATA_KINDS.items()
}
