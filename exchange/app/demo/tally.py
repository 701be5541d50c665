"""What an observer of the public channels has counted, and the lines that liquidations make in the feed."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from clients.client import Client
from clients.human_units import plain
from clients.margin_messages import MarginCall
from clients.market_data import Instrument, Trade
from clients.updates import Liquidation, Update

FEED_LINES_MAX = 200


def clock_text(time_us: int) -> str:
    """Return a time of day of the path, UTC."""
    return datetime.fromtimestamp(time_us / 1_000_000, tz=UTC).strftime("%H:%M:%S")


@dataclass
class Tally:
    """Trades, volume and liquidations as the public channels told them. Quantities by symbol, in base."""

    instruments: Mapping[str, Instrument]
    trades: int = 0
    volume: Decimal = Decimal(0)
    """Traded value in the settlement currency."""
    liquidations: Counter[str] = field(default_factory=Counter)
    """By path: ``isolated`` and ``cross``."""
    liquidated_accounts: Counter[str] = field(default_factory=Counter)
    closed: dict[str, dict[str, Decimal]] = field(default_factory=lambda: {"book": {}, "fund": {}, "adl": {}})
    """Liquidated quantity by who took it and symbol."""
    margin_calls: int = 0
    feed: deque[str] = field(default_factory=lambda: deque(maxlen=FEED_LINES_MAX))
    feed_total: int = 0

    async def watch(self, client: Client) -> None:
        """Subscribe to what is counted."""
        await client.subscribe("trades", handle=self._count_trade)
        await client.subscribe("liquidations", handle=self._count_liquidation)

    async def watch_calls(self, client: Client) -> None:
        """Count the warnings that an account is sent."""
        await client.on_margin_call(self._count_call)

    def _count_call(self, call: MarginCall) -> None:
        self.margin_calls += 1

    def _count_trade(self, update: Update) -> None:
        trade = update.data
        assert isinstance(trade, Trade), "the trades channel brings trades"
        self.trades += 1
        self.volume += trade.price * trade.quantity * self.instruments[trade.symbol].contract_multiplier

    def _count_liquidation(self, update: Update) -> None:
        step = update.data
        assert isinstance(step, Liquidation), "the liquidations channel brings liquidation steps"
        if step.step == "started" and step.path is not None and step.account is not None:
            self.liquidations[step.path.value] += 1
            self.liquidated_accounts[step.account] += 1
            scope = step.symbol or "all cross positions"
            self._say(
                step,
                f"{step.path.value.upper():8} {step.account}: {scope}, equity {_money(step.equity)} "
                f"below maintenance {_money(step.maintenance_margin)}",
            )
        elif step.step == "transferred" and step.venue is not None:
            self._say(step, f"{'':8} {_amount(step.quantity)} {step.symbol} to {step.counterparty} ({step.venue})")
        elif step.step == "finished":
            self._count_closed(step)

    def _count_closed(self, step: Liquidation) -> None:
        parts = []
        for taker, quantities in (
            ("book", step.book_quantity),
            ("fund", step.fund_quantity),
            ("adl", step.deleveraged_quantity),
        ):
            for symbol, quantity in sorted((quantities or {}).items()):
                self.closed[taker][symbol] = self.closed[taker].get(symbol, Decimal(0)) + quantity
                parts.append(f"{plain(quantity)} {symbol} {taker}")
        self._say(step, f"{'':8} closed {', '.join(parts) or 'nothing'}; fee {_money(step.fee)}")

    def _say(self, step: Liquidation, text: str) -> None:
        self.feed.append(f"{clock_text(step.time_us)} #{step.liquidation_id} {text}")
        self.feed_total += 1

    def lots(self, taker: str) -> int:
        """Return the liquidated quantity that ``book``, ``fund`` or ``adl`` took, in whole lots of all symbols."""
        return sum(int(quantity / self.instruments[symbol].lot_size) for symbol, quantity in self.closed[taker].items())


def _money(amount: Decimal | None) -> str:
    return "-" if amount is None else f"{amount:,.2f}"


def _amount(quantity: Decimal | None) -> str:
    return "-" if quantity is None else plain(quantity)
