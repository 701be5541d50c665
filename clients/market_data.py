"""What everybody may see of a market, as frozen values.

Units: prices in quote per base, quantities in base, money in the settlement currency, rates as fractions, all
``Decimal``; ``time_us`` in microseconds since the Unix epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from clients.messages import Position
from exchange.domain.enums import MarkSource, Side, TradingState
from exchange.domain.policy import LiquidationSurplus, MarginPrice, OrderMarginRule

Interval: TypeAlias = Literal["1s", "1m", "5m", "15m", "1h", "4h", "1d"]
"""How long a candle is."""


class Level(NamedTuple):
    """All that rests at one price."""

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One leverage bracket: it holds from ``notional_floor`` up to that of the next."""

    notional_floor: Decimal
    maintenance_rate: Decimal
    max_leverage: int
    maintenance_amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingTerms:
    """How longs and shorts pay each other; rates per interval, ``interval_us`` in microseconds."""

    interval_us: int
    interest: Decimal
    clamp: Decimal
    cap: Decimal
    impact_notional: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexMark:
    """How a mark is made of the index; ``basis_window_us`` in microseconds."""

    band: Decimal
    basis_window_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginRules:
    """The venue's choices that margin formulas depend on, under their names in its config."""

    maintenance_price: MarginPrice = MarginPrice.MARK
    initial_margin_price: MarginPrice = MarginPrice.MARK
    close_fee_in_maintenance: bool = False
    liquidate_at_equality: bool = False
    profit_for_orders: bool = False
    order_margin: OrderMarginRule = OrderMarginRule.LARGER_SIDE
    order_close_fee: bool = False
    liquidation_price_buffer: Decimal = Decimal(0)
    liquidation_surplus: LiquidationSurplus = LiquidationSurplus.OWNER


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What can be traded, with every limit; ``funding`` is None where none is paid, ``index_mark`` where marks are told."""

    symbol: str
    tick_size: Decimal
    lot_size: Decimal
    contract_multiplier: Decimal
    max_leverage: int
    default_leverage: int
    maker_fee: Decimal
    taker_fee: Decimal
    liquidation_fee: Decimal
    price_band: Decimal
    market_protection: Decimal
    notional_min: Decimal
    quantity_max: Decimal
    tiers: tuple[Tier, ...]
    mark_source: MarkSource = MarkSource.EXTERNAL
    index_mark: IndexMark | None = None
    funding: FundingTerms | None = None
    margin_rules: MarginRules = MarginRules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The best levels of an order book, best first."""

    symbol: str
    sequence: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A public trade."""

    trade_id: int
    symbol: str
    price: Decimal
    quantity: Decimal
    taker_side: Side
    liquidation: bool
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker:
    """The state of a market in one line."""

    symbol: str
    best_bid: Decimal | None
    best_bid_quantity: Decimal | None
    best_ask: Decimal | None
    best_ask_quantity: Decimal | None
    last_price: Decimal | None
    mark_price: Decimal | None
    open_interest: Decimal
    volume: Decimal
    trades: int
    trading_state: TradingState
    time_us: int


class RestingOrder(NamedTuple):
    """An order in a book, without its owner."""

    order_id: int
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BookOrderChange:
    """What became of one resting order; ``add`` puts it last at its price, ``change`` leaves it in its place."""

    action: Literal["add", "change", "remove"]
    order_id: int
    side: Side
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """What was traded in one interval; ``turnover`` in the settlement currency. ``closed``: the interval is over."""

    symbol: str
    interval: Interval
    start_time_us: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    turnover: Decimal
    trades: int
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInterest:
    """What is held long in a symbol, which is what is held short; ``notional`` at the mark, None before there is one."""

    symbol: str
    quantity: Decimal
    notional: Decimal | None
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InsuranceFund:
    """The insurance fund's own money and what it took over."""

    wallet_balance: Decimal
    equity: Decimal
    positions: tuple[Position, ...]
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The server lives; the next one follows in ``interval_ms``. ``sequence`` counts the commands applied so far."""

    time_us: int
    sequence: int
    interval_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A mark price with what it goes by; ``funding_rate`` is what would be paid if the interval ended now."""

    symbol: str
    mark_price: Decimal
    index_price: Decimal | None
    funding_rate: Decimal | None
    next_funding_time_us: int | None
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """How a symbol's funding stands; rates per interval, ``premium`` the average since the last funding."""

    symbol: str
    index_price: Decimal | None
    premium: Decimal
    funding_rate: Decimal
    last_funding_rate: Decimal
    next_funding_time_us: int | None
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingSettled:
    """A symbol's funding was paid; what rounding left over, ``residual``, went to the insurance fund."""

    symbol: str
    funding_rate: Decimal
    premium: Decimal
    mark_price: Decimal
    residual: Decimal
    payments: int
    next_funding_time_us: int
    time_us: int
