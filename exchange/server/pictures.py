"""What things look like right now, as messages: answers to queries, and how the channels that show a state begin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exchange.domain.enums import PositionMode, PositionSide
from exchange.domain.ids import AccountId, Symbol
from exchange.domain.instrument import Instrument
from exchange.domain.units import TimeNs, format_cash
from exchange.server.parts import ExchangeParts
from exchange.services.candles import INTERVALS
from exchange.wire import fields, margin_messages, market_messages
from exchange.wire import messages as wire
from exchange.wire.assets import Assets
from exchange.wire.bodies import (
    account_body,
    level_pairs,
    mark_body,
    order_body,
    position_bodies,
    position_body,
    price_text,
    time_us,
    trade_body,
)
from exchange.wire.margin_bodies import account_update_body, funding_body, margin_body
from exchange.wire.market_bodies import candle_body, open_interest_body

NET_SIDES = (PositionSide.NET,)
HEDGE_SIDES = (PositionSide.LONG, PositionSide.SHORT)


class Stream(NamedTuple):
    """One stream of one channel. ``of`` is a symbol or an account; None carries what belongs to no single symbol."""

    channel: fields.Channel
    of: Symbol | AccountId | None


class Pictures:
    """Reads the venue and the feed, between two commands."""

    def __init__(self, parts: ExchangeParts, assets: Assets, book_levels_max: int, book_orders_max: int) -> None:
        self.book_orders_max = book_orders_max
        self.assets = assets
        self._parts = parts
        self.book_levels_max = book_levels_max

    @property
    def now_us(self) -> int:
        """The time of the last command in microseconds."""
        return time_us(self._parts.venue.now_ns)

    @property
    def present_ns(self) -> TimeNs:
        """The time on the server's clock, in nanoseconds; never before that of the last command."""
        return max(self._parts.clock.now_ns(), self._parts.venue.now_ns)

    @property
    def sequence(self) -> int:
        """How many commands were applied."""
        return self._parts.venue.sequence

    def present_state(self, stream: Stream) -> Iterator[wire.Message]:
        """Return the messages that a stream which shows a state begins with (WIRE-009)."""
        of, sequence = stream.of, self._parts.venue.sequence
        if stream.channel == "insurance_fund":
            fund = self.insurance_fund()
            yield wire.ChannelUpdate(channel="insurance_fund", symbol=None, sequence=sequence, data=fund)
        if of is None:
            return
        match stream.channel:
            case "ticker":
                yield wire.ChannelUpdate(channel="ticker", symbol=of, sequence=sequence, data=self.ticker(of))
            case "open_interest":
                yield wire.ChannelUpdate(channel="open_interest", symbol=of, sequence=sequence, data=self.open_interest(of))
            case "mark":
                mark = self.mark(of)
                if mark is not None:
                    yield wire.ChannelUpdate(channel="mark", symbol=of, sequence=sequence, data=mark)
            case "funding":
                yield wire.ChannelUpdate(channel="funding", symbol=of, sequence=sequence, data=self.funding(of))
            case "orders":
                for order in self.open_orders(of, None):
                    yield wire.ChannelUpdate(channel="orders", symbol=order.symbol, sequence=sequence, data=order)
            case "positions":
                for position in self.positions(of, None):
                    yield wire.ChannelUpdate(channel="positions", symbol=position.symbol, sequence=sequence, data=position)
            case "account":
                data = account_update_body(self._parts.venue.account(of), self.assets)
                yield wire.ChannelUpdate(channel="account", symbol=None, sequence=sequence, data=data)
            case "margin":
                yield wire.ChannelUpdate(channel="margin", symbol=None, sequence=sequence, data=self.margin(of))
            case _:
                return

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
            trading_state=self._parts.venue.trading_state(symbol).value,
            time_us=self.now_us,
        )

    def mark(self, symbol: Symbol) -> wire.MarkBody | None:
        """Return a mark price with what it goes by; None before there is one."""
        venue = self._parts.venue
        mark = venue.mark_price(symbol)
        return None if mark is None else mark_body(self._instrument(symbol), mark, venue.funding(symbol), venue.now_ns)

    def funding(self, symbol: Symbol) -> margin_messages.FundingBody:
        """Return how a symbol's funding stands."""
        venue = self._parts.venue
        return funding_body(self._instrument(symbol), venue.funding(symbol), venue.now_ns)

    def open_interest(self, symbol: Symbol) -> market_messages.OpenInterestBody:
        """Return how much of a symbol is held long, in quantity and at the mark."""
        venue = self._parts.venue
        quantity = self._parts.feed.market(symbol).open_interest
        return open_interest_body(self._instrument(symbol), quantity, venue.mark_price(symbol), venue.now_ns)

    def candles(
        self, symbol: Symbol, interval: fields.IntervalText, limit: int, before_us: int | None
    ) -> tuple[market_messages.CandleBody, ...]:
        """Return the last ``limit`` candles that begin before a time in microseconds, oldest first."""
        instrument, now_ns = self._instrument(symbol), self.present_ns
        before_ns = None if before_us is None else before_us * 1000
        candles = self._parts.feed.market(symbol).candles.page(interval, limit, now_ns=now_ns, before_ns=before_ns)
        length = INTERVALS[interval]
        return tuple(
            candle_body(instrument, interval, candle.values, closed=candle.start_ns + length <= now_ns) for candle in candles
        )

    def insurance_fund(self) -> market_messages.InsuranceFundBody:
        """Return the insurance fund's money and positions."""
        funds = self._parts.venue.funds()
        return market_messages.InsuranceFundBody(
            wallet_balance=format_cash(funds.insurance_fund_wallet),
            equity=format_cash(funds.insurance_fund_equity),
            positions=position_bodies(self._parts.venue.instruments, funds.insurance_fund_positions),
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
        return account_body(self._parts.venue.account(account), self.assets)

    def margin(self, account: AccountId) -> margin_messages.MarginBody:
        """Return how every scope of an account stands."""
        return margin_body(self._parts.venue.scopes(account), self._parts.venue.now_ns)

    def positions(self, account: AccountId, symbol: Symbol | None) -> tuple[wire.PositionBody, ...]:
        """Return the account's positions and settings: of one symbol, flat or not, or of all that are not untouched."""
        venue = self._parts.venue
        if symbol is not None:
            sides = NET_SIDES if venue.account(account).position_mode is PositionMode.ONE_WAY else HEDGE_SIDES
            return tuple(position_body(self._instrument(symbol), venue.position(account, symbol, side)) for side in sides)
        return position_bodies(venue.instruments, venue.positions(account))

    def open_orders(self, account: AccountId, symbol: Symbol | None) -> tuple[wire.OrderBody, ...]:
        """Return the account's open orders, those that wait for a price among them, oldest first."""
        venue = self._parts.venue
        orders = (*venue.open_orders(account, symbol), *venue.untriggered_orders(account, symbol))
        ordered = sorted(orders, key=lambda order: order.order_id)
        return tuple(order_body(self._instrument(order.symbol), order, None) for order in ordered)

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
            assets=tuple(
                wire.AssetFundBody(
                    asset=each.asset,
                    net_deposits=self.assets.format(each.asset, each.net_deposits),
                    insurance_fund_balance=self.assets.format(each.asset, each.insurance_fund_balance),
                )
                for each in funds.assets
            ),
        )

    def _instrument(self, symbol: Symbol) -> Instrument:
        return self._parts.venue.instruments[symbol]
