"""What the market and the accounts' orders look like, folded from events; can be thrown away and rebuilt at any time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice

import msgspec

from exchange.domain.enums import PositionSide, Side
from exchange.domain.events import (
    AccountCreated,
    BookChanged,
    LedgerPosted,
    LiquidationFinished,
    PositionChanged,
    TradeExecuted,
)
from exchange.domain.ids import AccountId, Symbol, TradeId
from exchange.domain.units import Lots, Ticks, TimeNs
from exchange.services.candles import CANDLES_MAX, Candles
from exchange.services.decision_history import DecisionHistory
from exchange.services.ledger_history import LedgerHistory
from exchange.services.liquidation_history import LiquidationHistory
from exchange.services.order_history import OrderHistory
from exchange.services.sequencer import Applied

RECENT_TRADES_MAX = 1_000
"""Trades that are remembered of one symbol."""


class PublicTrade(msgspec.Struct, frozen=True):
    """A trade as everybody may see it. Units: price ticks, quantity lots."""

    trade_id: TradeId
    symbol: Symbol
    price: Ticks
    quantity: Lots
    taker_side: Side
    liquidation: bool
    time_ns: TimeNs


class MarketState:
    """One symbol's running figures. Units: prices ticks, volume and open interest lots.

    ``book_sequence`` is that of the command that changed the book last and ``book_sequence_before`` that of the change
    before it; together they form a chain without gaps (WIRE-010).
    """

    def __init__(self, recent_trades_max: int = RECENT_TRADES_MAX, candles_max: int = CANDLES_MAX) -> None:
        self.candles = Candles(candles_max)
        self.trades: deque[PublicTrade] = deque(maxlen=recent_trades_max)
        self.trade_count = 0
        self.volume: Lots = 0
        self.book_sequence = 0
        self.book_sequence_before = 0
        self._positions: dict[AccountId, dict[PositionSide, Lots]] = {}
        self._long: Lots = 0
        self._short: Lots = 0

    @property
    def last_price(self) -> Ticks | None:
        """The price of the latest trade."""
        return self.trades[-1].price if self.trades else None

    @property
    def open_interest(self) -> Lots:
        """Lots held long, equal to those held short; the larger sum, whether or not the insurance fund reports its own."""
        return max(self._long, self._short)

    def recent_trades(self, limit: int) -> tuple[PublicTrade, ...]:
        """Return the ``limit`` latest trades, the latest last."""
        return tuple(islice(self.trades, max(0, len(self.trades) - limit), None))

    def add_trade(self, trade: PublicTrade) -> None:
        """Count one more trade."""
        self.trades.append(trade)
        self.trade_count += 1
        self.volume += trade.quantity
        self.candles.add(trade.price, trade.quantity, trade.time_ns)

    def move_book(self, sequence: int) -> None:
        """Note that the command ``sequence`` changed the book."""
        if sequence != self.book_sequence:
            self.book_sequence_before, self.book_sequence = self.book_sequence, sequence

    def set_position(self, account: AccountId, position_side: PositionSide, quantity: Lots) -> None:
        """Replace one signed position of an account in the sums of open interest."""
        held = self._positions.setdefault(account, {})
        before = held.pop(position_side, 0)
        if quantity:
            held[position_side] = quantity
        elif not held:
            del self._positions[account]
        self._long += max(0, quantity) - max(0, before)
        self._short += max(0, -quantity) - max(0, -before)

    def has_position(self, account: AccountId) -> bool:
        """Return whether an account holds anything of the symbol."""
        return account in self._positions


class Feed:
    """Folds applied commands; subscribe ``apply`` to the sequencer before anything that reads the feed."""

    def __init__(
        self,
        symbols: Iterable[Symbol],
        *,
        recent_trades_max: int = RECENT_TRADES_MAX,
        candles_max: int = CANDLES_MAX,
        ledger: LedgerHistory | None = None,
        liquidations: LiquidationHistory | None = None,
        decisions: DecisionHistory | None = None,
    ) -> None:
        self.orders = OrderHistory()
        self.ledger = ledger or LedgerHistory()
        self.liquidations = liquidations or LiquidationHistory()
        self.decisions = decisions or DecisionHistory()
        self.accounts = 0
        """How many accounts were opened."""
        self._markets = {symbol: MarketState(recent_trades_max, candles_max) for symbol in symbols}

    def market(self, symbol: Symbol) -> MarketState:
        """Return the running figures of a symbol that the venue trades."""
        return self._markets[symbol]

    def apply(self, applied: Applied) -> None:
        """Fold in what came of one command."""
        self.decisions.apply(applied)
        for event in applied.events:
            self.orders.apply(event)
            match event:
                case TradeExecuted():
                    self._markets[event.symbol].add_trade(public_trade(event))
                case BookChanged():
                    self._markets[event.symbol].move_book(applied.sequence)
                case PositionChanged(position=position):
                    self._markets[position.symbol].set_position(position.account, position.position_side, position.quantity)
                case LedgerPosted():
                    self.ledger.apply(event, applied)
                case LiquidationFinished(record=record):
                    self.liquidations.add(record)
                case AccountCreated():
                    self.accounts += 1
                case _:
                    pass


def public_trade(event: TradeExecuted) -> PublicTrade:
    """Return the part of a trade that everybody may see."""
    return PublicTrade(
        trade_id=event.trade_id,
        symbol=event.symbol,
        price=event.price,
        quantity=event.quantity,
        taker_side=event.taker_side,
        liquidation=event.liquidation_id is not None,
        time_ns=event.time_ns,
    )
