"""What things look like right now, as messages: answers to queries, and how the channels that show a state begin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exchange.domain.ids import AccountId, Symbol
from exchange.domain.instrument import Instrument
from exchange.domain.units import format_cash
from exchange.server.parts import ExchangeParts
from exchange.wire import fields
from exchange.wire import messages as wire
from exchange.wire.bodies import (
    account_body,
    level_pairs,
    order_body,
    position_bodies,
    position_body,
    price_text,
    time_us,
    trade_body,
)


class Stream(NamedTuple):
    """One stream of one channel. ``of`` is a symbol or an account; None carries what belongs to no single symbol."""

    channel: fields.Channel
    of: Symbol | AccountId | None


class Pictures:
    """Reads the venue and the feed, between two commands."""

    def __init__(self, parts: ExchangeParts, book_levels_max: int) -> None:
        self._parts = parts
        self._book_levels_max = book_levels_max

    @property
    def now_us(self) -> int:
        """The time of the last command in microseconds."""
        return time_us(self._parts.venue.now_ns)

    @property
    def sequence(self) -> int:
        """How many commands were applied."""
        return self._parts.venue.sequence

    def present_state(self, stream: Stream) -> Iterator[wire.Message]:
        """Return the messages that a stream which shows a state begins with (WIRE-009)."""
        of, sequence = stream.of, self._parts.venue.sequence
        if of is None:
            return
        match stream.channel:
            case "book":
                yield self.book_snapshot(of)
            case "ticker":
                yield wire.ChannelUpdate(channel="ticker", symbol=of, sequence=sequence, data=self.ticker(of))
            case "mark":
                mark = self._parts.venue.mark_price(of)
                if mark is not None:
                    price = self._instrument(of).price_grid.format(mark)
                    data = wire.MarkBody(symbol=of, mark_price=price, time_us=self.now_us)
                    yield wire.ChannelUpdate(channel="mark", symbol=of, sequence=sequence, data=data)
            case "orders":
                for order in self.open_orders(of, None):
                    yield wire.ChannelUpdate(channel="orders", symbol=order.symbol, sequence=sequence, data=order)
            case "positions":
                for position in self.positions(of, None):
                    yield wire.ChannelUpdate(channel="positions", symbol=position.symbol, sequence=sequence, data=position)
            case "account":
                yield wire.ChannelUpdate(channel="account", symbol=None, sequence=sequence, data=self.account(of))
            case _:
                return

    def book_snapshot(self, symbol: Symbol) -> wire.BookUpdate:
        """Return the book as the ``book`` channel begins it."""
        book = self.book(symbol, self._book_levels_max)
        return wire.BookUpdate(
            type="snapshot",
            symbol=symbol,
            sequence=book.sequence,
            previous_sequence=book.sequence,
            bids=book.bids,
            asks=book.asks,
            time_us=book.time_us,
        )

    def book(self, symbol: Symbol, depth: int) -> wire.BookBody:
        """Return the best ``depth`` levels of each side."""
        instrument = self._instrument(symbol)
        bids, asks = self._parts.venue.depth(symbol, depth)
        return wire.BookBody(
            symbol=symbol,
            sequence=self._parts.feed.market(symbol).book_sequence,
            bids=level_pairs(instrument, bids),
            asks=level_pairs(instrument, asks),
            time_us=self.now_us,
        )

    def ticker(self, symbol: Symbol) -> wire.TickerBody:
        """Return the state of a market in one line."""
        instrument, market = self._instrument(symbol), self._parts.feed.market(symbol)
        bids, asks = (level_pairs(instrument, side) for side in self._parts.venue.depth(symbol, 1))
        best_bid, best_bid_quantity = bids[0] if bids else (None, None)
        best_ask, best_ask_quantity = asks[0] if asks else (None, None)
        return wire.TickerBody(
            symbol=symbol,
            best_bid=best_bid,
            best_bid_quantity=best_bid_quantity,
            best_ask=best_ask,
            best_ask_quantity=best_ask_quantity,
            last_price=price_text(instrument, market.last_price),
            mark_price=price_text(instrument, self._parts.venue.mark_price(symbol)),
            open_interest=instrument.quantity_grid.format(market.open_interest),
            volume=instrument.quantity_grid.format(market.volume),
            trades=market.trade_count,
            time_us=self.now_us,
        )

    def trades(self, symbol: Symbol, limit: int) -> tuple[wire.TradeBody, ...]:
        """Return the latest trades, the latest last."""
        instrument = self._instrument(symbol)
        return tuple(
            trade_body(
                instrument,
                trade.trade_id,
                trade.price,
                trade.quantity,
                trade.taker_side,
                trade.liquidation,
                trade.time_ns,
            )
            for trade in self._parts.feed.market(symbol).recent_trades(limit)
        )

    def account(self, account: AccountId) -> wire.AccountBody:
        """Return an account's cross pool."""
        return account_body(self._parts.venue.account(account))

    def positions(self, account: AccountId, symbol: Symbol | None) -> tuple[wire.PositionBody, ...]:
        """Return the account's positions and settings: of one symbol, flat or not, or of all that are not untouched."""
        venue = self._parts.venue
        if symbol is not None:
            return (position_body(self._instrument(symbol), venue.position(account, symbol)),)
        return position_bodies(venue.instruments, venue.positions(account))

    def open_orders(self, account: AccountId, symbol: Symbol | None) -> tuple[wire.OrderBody, ...]:
        """Return the account's open orders, oldest first."""
        return tuple(
            order_body(self._instrument(order.symbol), order, None) for order in self._parts.venue.open_orders(account, symbol)
        )

    def ended_orders(self, account: AccountId, symbol: Symbol | None, limit: int) -> tuple[wire.OrderBody, ...]:
        """Return the account's most recently ended orders, the latest last."""
        return tuple(
            order_body(self._instrument(record.order.symbol), record.order, record.reason)
            for record in self._parts.feed.orders.ended_orders(account, limit, symbol)
        )

    def fund(self) -> wire.FundBody:
        """Return where the venue and its own money stand, with the digest of the whole state."""
        venue, funds = self._parts.venue, self._parts.venue.funds()
        return wire.FundBody(
            sequence=venue.sequence,
            digest=venue.digest(),
            time_us=self.now_us,
            clock=self._parts.clock.mode.value,
            accounts=len(venue.accounts()),
            net_deposits=format_cash(funds.net_deposits),
            fees=format_cash(funds.fees),
            insurance_fund_wallet=format_cash(funds.insurance_fund_wallet),
            insurance_fund_equity=format_cash(funds.insurance_fund_equity),
            insurance_fund_positions=position_bodies(venue.instruments, funds.insurance_fund_positions),
        )

    def _instrument(self, symbol: Symbol) -> Instrument:
        return self._parts.venue.instruments[symbol]
