"""What subscriptions deliver: one frozen value per event, and the reader that tells the channels apart.

Units: as in ``clients.messages``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from clients.errors import ProtocolError
from clients.fields import Mismatch, record_reader
from clients.market_data import Level, Mark, Ticker, Trade
from clients.messages import Account, Order, Position
from exchange.domain.enums import Liquidity, MarginMode, Side

Channel: TypeAlias = Literal["book", "trades", "ticker", "mark", "liquidations", "orders", "fills", "positions", "account"]
PRIVATE_CHANNELS = frozenset({"orders", "fills", "positions", "account"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BookUpdate:
    """A ``snapshot`` replaces the book; a ``delta`` replaces the levels it names, quantity 0 removing one.

    A delta follows the message whose ``sequence`` is its ``previous_sequence``. A snapshot may come at any time.
    """

    type: Literal["snapshot", "delta"]
    symbol: str
    sequence: int
    previous_sequence: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One's own side of a trade; ``margin_in`` and ``margin_out`` moved between the cross and the isolated wallet."""

    trade_id: int
    order_id: int
    client_order_id: str | None
    symbol: str
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

    step: Literal["started", "orders_canceled", "order_settled", "transferred", "finished"]
    liquidation_id: int
    time_us: int
    account: str | None = None
    path: MarginMode | None = None
    symbol: str | None = None
    side: Side | None = None
    quantity: Decimal | None = None
    filled: Decimal | None = None
    bankruptcy_price: Decimal | None = None
    venue: Literal["fund", "auto_deleverage", "residual"] | None = None
    counterparty: str | None = None
    fee: Decimal | None = None
    fund_change: Decimal | None = None
    returned: Decimal | None = None
    orders: int | None = None
    book_quantity: dict[str, Decimal] | None = None
    fund_quantity: dict[str, Decimal] | None = None
    deleveraged_quantity: dict[str, Decimal] | None = None
    equity: Decimal | None = None
    maintenance_margin: Decimal | None = None
    equity_before: Decimal | None = None
    maintenance_margin_before: Decimal | None = None


Event: TypeAlias = BookUpdate | Trade | Ticker | Mark | Liquidation | Order | Fill | Position | Account


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
    "orders": Order,
    "fills": Fill,
    "positions": Position,
    "account": Account,
}


def read_update(message: Mapping[str, Any]) -> Update | None:
    """Return the event that a decoded ``{channel, ...}`` map carries; None for a channel of a newer protocol.

    Raises ``ProtocolError`` naming channel and field when the map does not fit its channel.
    """
    channel = message["channel"]
    try:
        if channel == "book":
            book: BookUpdate = _READ_BOOK(message)
            return Update("book", book.symbol, book.sequence, book)
        read = _READERS.get(channel) if isinstance(channel, str) else None
        if read is None:
            return None
        symbol, sequence = message.get("symbol"), message.get("sequence")
        if not (symbol is None or isinstance(symbol, str)) or not isinstance(sequence, int):
            raise Mismatch("symbol must be text or null and sequence a whole number")
        return Update(channel, symbol, sequence, read(message.get("data")))
    except (Mismatch, RecursionError) as error:
        raise ProtocolError(f"the server sent an event of channel {channel} that does not fit: {error}") from None


_READ_BOOK = record_reader(BookUpdate)
_READERS: dict[str, Callable[[Any], Any]] = {channel: record_reader(kind) for channel, kind in _DATA_KINDS.items()}
