"""The closed vocabularies of the venue; the values are the words on the wire."""

from __future__ import annotations

from enum import Enum


class Side(Enum):
    """Which way an order trades; ``sign`` is the direction that a fill moves its owner's position."""

    BUY = "buy"
    SELL = "sell"

    sign: int

    def __init__(self, word: str) -> None:
        self.sign = 1 if word == "buy" else -1

    @property
    def opposite(self) -> Side:
        """The side an order of this side trades against."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(Enum):
    """``MARKET`` is a limit at the protection price that never rests (BOOK-003)."""

    LIMIT = "limit"
    MARKET = "market"


class TimeInForce(Enum):
    """Good till canceled, good till a date, immediate or cancel, fill or kill."""

    GTC = "gtc"
    GTD = "gtd"
    IOC = "ioc"
    FOK = "fok"

    @property
    def rests(self) -> bool:
        """Whether what a limit order of this kind does not trade at once stays in the book."""
        return self in (TimeInForce.GTC, TimeInForce.GTD)


class SelfTradePrevention(Enum):
    """What happens when an order meets one of its own account; the taker's mode decides (BOOK-008)."""

    CANCEL_TAKER = "cancel_taker"
    CANCEL_MAKER = "cancel_maker"
    CANCEL_BOTH = "cancel_both"


class MarginMode(Enum):
    """Which collateral backs a position: the account's whole cross pool, or the position's own wallet."""

    CROSS = "cross"
    ISOLATED = "isolated"


class PositionMode(Enum):
    """Whether an account has one position per symbol, or a long and a short one side by side (MARG-025)."""

    ONE_WAY = "one_way"
    HEDGE = "hedge"


class PositionSide(Enum):
    """Which of an account's positions in a symbol is meant; ``NET`` is the only one in one-way mode."""

    NET = "net"
    LONG = "long"
    SHORT = "short"

    sign: int

    def __init__(self, word: str) -> None:
        self.sign = {"net": 0, "long": 1, "short": -1}[word]


class TradingState(Enum):
    """Whether a symbol trades; while halted nothing is matched, and orders can only be canceled (BOOK-017)."""

    OPEN = "open"
    HALTED = "halted"


class CancelTrigger(Enum):
    """What cancels an account's orders when nobody comes in time: its dead-man switch, or a lost connection (SAFE-001)."""

    DEAD_MAN = "dead_man"
    DISCONNECTED = "disconnected"


class MarkSource(Enum):
    """Where a symbol's mark comes from: told as it is, or made of the index price and the book (MARK-003)."""

    EXTERNAL = "external"
    INDEX = "index"


class EntryKind(Enum):
    """Why money moved: one word for each kind of ledger entry (MARG-028)."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    REALIZED_PNL = "realized_pnl"
    FEE = "fee"
    LIQUIDATION_FEE = "liquidation_fee"
    MARGIN = "margin"
    FUNDING = "funding"
    INSURANCE = "insurance"
    SOCIALIZED_LOSS = "socialized_loss"
    COLLATERAL_SALE = "collateral_sale"


class OrderStatus(Enum):
    """Where an order stands in its life (see ``ORDER_LIFECYCLE``)."""

    UNTRIGGERED = "untriggered"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"


ORDER_LIFECYCLE: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.UNTRIGGERED: frozenset({OrderStatus.OPEN, OrderStatus.CANCELED}),
    OrderStatus.OPEN: frozenset({OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED, OrderStatus.CANCELED}),
    OrderStatus.PARTIALLY_FILLED: frozenset({OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED, OrderStatus.CANCELED}),
    OrderStatus.FILLED: frozenset(),
    OrderStatus.CANCELED: frozenset(),
    OrderStatus.REJECTED: frozenset(),
}
"""The statuses that may follow each status; a property test holds every event stream to it."""


class Liquidity(Enum):
    """Whether a fill took liquidity from the book or had made it."""

    MAKER = "maker"
    TAKER = "taker"
