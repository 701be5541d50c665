"""From what the venue did to what subscribers see. Each message is built and encoded once, and only if somebody listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import msgspec

from exchange.domain.enums import OrderStatus
from exchange.domain.events import (
    AccountChanged,
    BookChanged,
    CollateralPriceChanged,
    CollateralSold,
    Event,
    FundingPaid,
    FundingSettled,
    IndexPriceChanged,
    LiquidationFinished,
    LiquidationOrdersCanceled,
    LiquidationOrderSettled,
    LiquidationStarted,
    LiquidationWaiting,
    LossSocialized,
    MarginCalled,
    MarkPriceChanged,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderFilled,
    OrderShrunk,
    OrderTriggered,
    PositionChanged,
    PositionTransferred,
    TradeExecuted,
    TradingStateSet,
)
from exchange.domain.ids import AccountId, LiquidationId, Symbol
from exchange.domain.rejects import Reason
from exchange.domain.units import TimeNs
from exchange.domain.views import MarginDecision, OrderView
from exchange.server.book_streams import BookStreams
from exchange.server.candle_streams import CandleStreams
from exchange.server.framing import frame_of
from exchange.server.order_book_streams import OrderBookStreams
from exchange.server.parts import ExchangeParts
from exchange.server.pictures import Pictures, Stream
from exchange.server.subscriptions import Subscriptions
from exchange.services.sequencer import Applied
from exchange.wire import fields, margin_messages, market_messages
from exchange.wire import messages as wire
from exchange.wire.bodies import fill_body, order_body, position_body, time_us, trade_body
from exchange.wire.codec import Codec
from exchange.wire.liquidation_bodies import liquidation_body, record_body
from exchange.wire.margin_bodies import (
    account_update_body,
    collateral_sale_body,
    deleverage_body,
    funding_payment_body,
    funding_settled_body,
    margin_call_body,
    socialized_loss_body,
)

Publish: TypeAlias = Callable[[Any, Applied], None]
LiquidationStep: TypeAlias = (
    LiquidationStarted
    | LiquidationOrdersCanceled
    | LiquidationOrderSettled
    | PositionTransferred
    | LiquidationWaiting
    | LiquidationFinished
)


class Publisher:
    """Turns each applied command into frames for every subscriber, before the command's own answer is written (WIRE-008)."""

    def __init__(
        self, parts: ExchangeParts, pictures: Pictures, subscriptions: Subscriptions, heartbeat_interval_ms: int
    ) -> None:
        self._heartbeat_interval_ms = heartbeat_interval_ms
        self._order_books = OrderBookStreams(parts, subscriptions, pictures.book_orders_max)
        self._candles = CandleStreams(parts, subscriptions)
        self._open_interests: dict[Symbol, market_messages.OpenInterestBody] = {}
        self._fund: market_messages.InsuranceFundBody | None = None
        self._traded: dict[Symbol, None] = {}
        self._venue, self._feed = parts.venue, parts.feed
        self._pictures = pictures
        self._subscriptions = subscriptions
        self._books = BookStreams(parts, subscriptions, pictures.book_levels_max)
        self._last_changes: dict[Symbol, BookChanged] = {}
        self._tickers: dict[Symbol, wire.TickerBody] = {}
        self._margins: dict[AccountId, tuple[margin_messages.ScopeBody, ...]] = {}
        """The health last sent of each account that anybody watches."""
        self._touched: dict[Symbol, None] = {}
        self._marks_due: dict[Symbol, None] = {}
        """Symbols whose mark message is out of date although the mark is not."""
        self._revalued: set[Symbol] = set()
        self._changed: set[AccountId] = set()
        self._liquidating: dict[LiquidationId, Symbol | None] = {}
        self._methods: dict[type[Event], Publish] = {
            OrderAccepted: self._order,
            OrderAmended: self._order,
            OrderTriggered: self._order_triggered,
            OrderShrunk: self._order,
            OrderFilled: self._order,
            OrderCanceled: self._order_canceled,
            TradeExecuted: self._trade,
            BookChanged: self._book,
            PositionChanged: self._position,
            AccountChanged: self._account,
            MarkPriceChanged: self._mark,
            IndexPriceChanged: self._mark_due,
            TradingStateSet: self._trading_state,
            FundingSettled: self._funding,
            FundingPaid: self._funding_payment,
            MarginCalled: self._margin_call,
            LossSocialized: self._socialized_loss,
            CollateralSold: self._collateral_sale,
            CollateralPriceChanged: self._collateral_price,
            LiquidationStarted: self._liquidation,
            LiquidationOrdersCanceled: self._liquidation,
            LiquidationOrderSettled: self._liquidation,
            PositionTransferred: self._transfer,
            LiquidationWaiting: self._liquidation,
            LiquidationFinished: self._finished,
        }
        parts.sequencer.subscribe(self.publish)

    def publish(self, applied: Applied) -> None:
        """Send what one command did, in the order of its events; then marks, margin health and tickers."""
        self._send_closed_candles(applied.time_ns)
        self._last_changes = {event.symbol: event for event in applied.events if isinstance(event, BookChanged)}
        for event in applied.events:
            method = self._methods.get(type(event))
            if method is not None:
                method(event, applied)
        for of_orders, orders_update in self._order_books.take_deltas(applied):
            self._send_state(of_orders, orders_update)
        for symbol in self._marks_due:
            self._send_mark(symbol, applied)
        self._send_margins(applied)
        for stream, candle in self._candles.take_changed(self._traded, applied.time_ns):
            self._send_state(stream, _update(stream, stream.of, applied, candle))
        for symbol in self._touched:
            self._ticker(symbol, applied)
            self._open_interest(symbol, applied)
        self._insurance_fund(applied)
        self._traded.clear()
        self._marks_due.clear()
        self._touched.clear()
        self._revalued.clear()
        self._changed.clear()

    def present_frames(self, stream: Stream, codec: Codec) -> Iterator[bytes]:
        """Return the frames that a stream begins, or goes on after being conflated, with (WIRE-009)."""
        if stream.channel in fields.BOOK_DEPTHS:
            yield frame_of(codec, self._books.snapshot(stream))
            return
        if stream.channel == "book.orders":
            yield frame_of(codec, self._order_books.snapshot(stream))
            return
        if stream.channel in fields.CANDLE_INTERVALS:
            candle = self._candles.present(stream, self._pictures.present_ns)
            if candle is not None:
                yield frame_of(codec, self._of_now(stream, candle))
            return
        if stream.channel == "heartbeat":
            yield frame_of(codec, self._heartbeat())
            return
        for message in self._pictures.present_state(stream):
            if isinstance(message, wire.ChannelUpdate) and isinstance(message.data, wire.TickerBody):
                self._tickers[message.data.symbol] = message.data
            elif isinstance(message, wire.ChannelUpdate) and isinstance(message.data, margin_messages.MarginBody):
                assert stream.of is not None, "margin health is that of an account"
                self._margins[stream.of] = message.data.scopes
            elif isinstance(message, wire.ChannelUpdate) and isinstance(message.data, market_messages.OpenInterestBody):
                self._open_interests[message.data.symbol] = message.data
            elif isinstance(message, wire.ChannelUpdate) and isinstance(message.data, market_messages.InsuranceFundBody):
                self._fund = message.data
            yield frame_of(codec, message)

    # -- public streams --------------------------------------------------------------------------------------------

    def _trade(self, event: TradeExecuted, applied: Applied) -> None:
        instrument = self._venue.instruments[event.symbol]
        self._touched[event.symbol] = None
        self._traded[event.symbol] = None
        if self._subscriptions.of(stream := Stream("trades", event.symbol)):
            body = trade_body(
                instrument,
                event.trade_id,
                event.price,
                event.quantity,
                event.taker_side,
                event.liquidation_id is not None,
                event.time_ns,
            )
            self._send(stream, event.symbol, applied, body)
        for side in (event.maker, event.taker):
            if side.order.order_status is OrderStatus.PARTIALLY_FILLED:
                self._order_update(side.order, None, applied)
            if self._subscriptions.of(stream := Stream("fills", side.account)):
                self._send(stream, event.symbol, applied, fill_body(instrument, event, side))

    def _book(self, event: BookChanged, applied: Applied) -> None:
        """Tell what a command did to a book in one message, at its last change (WIRE-010)."""
        self._touched[event.symbol] = None
        self._books.note(event)
        if self._last_changes[event.symbol] is event:
            for stream, update in self._books.take_deltas(event.symbol, applied):
                self._send_state(stream, update)

    def _mark(self, event: MarkPriceChanged, applied: Applied) -> None:
        self._touched[event.symbol] = None
        self._revalued.add(event.symbol)
        self._marks_due.pop(event.symbol, None)
        self._send_mark(event.symbol, applied)

    def _mark_due(self, event: IndexPriceChanged, applied: Applied) -> None:
        """Have a new index price told with the mark, which may be made of it in this very command."""
        self._marks_due[event.symbol] = None

    def _send_mark(self, symbol: Symbol, applied: Applied) -> None:
        if not self._subscriptions.of(stream := Stream("mark", symbol)):
            return
        body = self._pictures.mark(symbol)
        if body is not None:
            self._send_state(stream, _update(stream, symbol, applied, body))

    def _trading_state(self, event: TradingStateSet, applied: Applied) -> None:
        self._touched[event.symbol] = None

    def _funding(self, event: FundingSettled, applied: Applied) -> None:
        self._marks_due[event.symbol] = None
        if self._subscriptions.of(stream := Stream("funding", event.symbol)):
            body = funding_settled_body(self._venue.instruments[event.symbol], event)
            self._send(stream, event.symbol, applied, body)

    def _ticker(self, symbol: Symbol, applied: Applied) -> None:
        """Send a symbol's ticker if anything in it but the time is new."""
        stream = Stream("ticker", symbol)
        if not self._subscriptions.of(stream):
            return
        ticker, before = self._pictures.ticker(symbol), self._tickers.get(symbol)
        self._tickers[symbol] = ticker
        if before is None or msgspec.structs.replace(before, time_us=ticker.time_us) != ticker:
            self._send_state(stream, _update(stream, symbol, applied, ticker))

    def _open_interest(self, symbol: Symbol, applied: Applied) -> None:
        """Send a symbol's open interest if anything in it but the time is new."""
        stream = Stream("open_interest", symbol)
        if not self._subscriptions.of(stream):
            return
        now, before = self._pictures.open_interest(symbol), self._open_interests.get(symbol)
        self._open_interests[symbol] = now
        if before is None or msgspec.structs.replace(before, time_us=now.time_us) != now:
            self._send_state(stream, _update(stream, symbol, applied, now))

    def _insurance_fund(self, applied: Applied) -> None:
        """Send the insurance fund if anything in it but the time is new."""
        stream = Stream("insurance_fund", None)
        if not self._subscriptions.of(stream):
            return
        now, before = self._pictures.insurance_fund(), self._fund
        self._fund = now
        if before is None or msgspec.structs.replace(before, time_us=now.time_us) != now:
            self._send_state(stream, _update(stream, None, applied, now))

    # -- what time brings ------------------------------------------------------------------------------------------

    def close_candles(self) -> None:
        """Tell which candles are over although nobody sent a command since; for a timer."""
        self._send_closed_candles(self._pictures.present_ns)

    def _send_closed_candles(self, now_ns: TimeNs) -> None:
        for stream, candle in self._candles.take_closed(now_ns):
            self._send_update(stream, self._of_now(stream, candle))

    def send_heartbeat(self) -> None:
        """Tell that the server lives; for a timer."""
        if self._subscriptions.of(stream := Stream("heartbeat", None)):
            self._send_state(stream, self._heartbeat())

    def _heartbeat(self) -> wire.ChannelUpdate:
        now_us, sequence = time_us(self._pictures.present_ns), self._pictures.sequence
        body = market_messages.HeartbeatBody(time_us=now_us, sequence=sequence, interval_ms=self._heartbeat_interval_ms)
        return self._of_now(Stream("heartbeat", None), body)

    def _of_now(self, stream: Stream, body: wire.Message) -> wire.ChannelUpdate:
        return wire.ChannelUpdate(channel=stream.channel, symbol=stream.of, sequence=self._pictures.sequence, data=body)

    def _liquidation(self, event: LiquidationStep, applied: Applied) -> None:
        """Send one step; it belongs to the stream of its symbol, or to none where a whole cross scope is meant."""
        match event:
            case LiquidationStarted():
                symbol = self._liquidating[event.liquidation_id] = event.symbol
            case LiquidationOrdersCanceled() | LiquidationWaiting():
                symbol = self._liquidating.get(event.liquidation_id)
            case LiquidationFinished():
                symbol = event.record.symbol
                self._liquidating.pop(event.record.liquidation_id, None)
            case _:
                symbol = event.symbol
        stream = Stream("liquidations", symbol)
        if self._subscriptions.of(stream):
            body = liquidation_body(self._venue.instruments, event, applied.time_ns)
            assert body is not None, "every event registered here is a step of a liquidation"
            self._send(stream, symbol, applied, body)

    def _transfer(self, event: PositionTransferred, applied: Applied) -> None:
        """Send a step, and tell the counterparty what became of its own position (LIQ-008)."""
        self._liquidation(event, applied)
        if self._subscriptions.of(stream := Stream("account", event.counterparty)):
            body = deleverage_body(self._venue.instruments[event.symbol], event, applied.time_ns)
            self._send(stream, None, applied, body)

    def _finished(self, event: LiquidationFinished, applied: Applied) -> None:
        """Send the last step, and the whole record to the owner."""
        self._liquidation(event, applied)
        record = event.record
        if self._subscriptions.of(stream := Stream("margin", record.account)):
            number = self._feed.liquidations.number_of(record.liquidation_id)
            assert number is not None, "the feed has taken in this command"
            body = record_body(self._venue.instruments, record, number)
            self._send(stream, None, applied, margin_messages.LiquidationNotice(record=body))

    # -- private streams -------------------------------------------------------------------------------------------

    def _order(self, event: OrderAccepted | OrderAmended | OrderShrunk | OrderFilled, applied: Applied) -> None:
        self._order_update(event.order, None, applied)

    def _order_triggered(self, event: OrderTriggered, applied: Applied) -> None:
        """Tell the owner what the margin check of an order found when its price came (TRIG-003)."""
        self._order_update(event.order, None, applied, event.decision)

    def _order_canceled(self, event: OrderCanceled, applied: Applied) -> None:
        self._order_update(event.order, event.reason, applied)

    def _order_update(
        self, order: OrderView, reason: Reason | None, applied: Applied, decision: MarginDecision | None = None
    ) -> None:
        if self._subscriptions.of(stream := Stream("orders", order.account)):
            body = order_body(self._venue.instruments[order.symbol], order, reason, decision)
            self._send(stream, order.symbol, applied, body)

    def _position(self, event: PositionChanged, applied: Applied) -> None:
        position = event.position
        self._touched[position.symbol] = None
        self._changed.add(position.account)
        if self._subscriptions.of(stream := Stream("positions", position.account)):
            body = position_body(self._venue.instruments[position.symbol], position)
            self._send(stream, position.symbol, applied, body)

    def _account(self, event: AccountChanged, applied: Applied) -> None:
        self._changed.add(event.state.account)
        if self._subscriptions.of(stream := Stream("account", event.state.account)):
            self._send(stream, None, applied, account_update_body(event.state, self._pictures.assets))

    def _funding_payment(self, event: FundingPaid, applied: Applied) -> None:
        if self._subscriptions.of(stream := Stream("account", event.account)):
            body = funding_payment_body(self._venue.instruments[event.symbol], event, applied.time_ns)
            self._send(stream, None, applied, body)

    def _socialized_loss(self, event: LossSocialized, applied: Applied) -> None:
        if self._subscriptions.of(stream := Stream("account", event.account)):
            self._send(stream, None, applied, socialized_loss_body(event, applied.time_ns))

    def _collateral_sale(self, event: CollateralSold, applied: Applied) -> None:
        if self._subscriptions.of(stream := Stream("account", event.account)):
            self._send(stream, None, applied, collateral_sale_body(event, self._pictures.assets, applied.time_ns))

    def _collateral_price(self, event: CollateralPriceChanged, applied: Applied) -> None:
        """Have the health of everybody looked at: who holds an asset is known to the venue only."""
        self._changed.update(stream.of for stream in self._subscriptions.open_streams("margin") if stream.of is not None)

    def _margin_call(self, event: MarginCalled, applied: Applied) -> None:
        if self._subscriptions.of(stream := Stream("margin", event.account)):
            self._send(stream, None, applied, margin_call_body(event))

    def _send_margins(self, applied: Applied) -> None:
        """Send the health of each watched account that changed or was revalued, if anything in it is new (MARG-020)."""
        if not self._changed and not self._revalued:
            return
        for stream in tuple(self._subscriptions.open_streams("margin")):
            account = stream.of
            if account is None or not (account in self._changed or self._is_revalued(account)):
                continue
            margin, before = self._pictures.margin(account), self._margins.get(account)
            self._margins[account] = margin.scopes
            if margin.scopes != before:
                self._send_state(stream, _update(stream, None, applied, margin))

    def _is_revalued(self, account: AccountId) -> bool:
        return any(self._feed.market(symbol).has_position(account) for symbol in self._revalued)

    # -- delivery --------------------------------------------------------------------------------------------------

    def _send(self, stream: Stream, symbol: Symbol | None, applied: Applied, body: wire.Message) -> None:
        self._send_update(stream, _update(stream, symbol, applied, body))

    def _send_update(self, stream: Stream, update: wire.ChannelUpdate) -> None:
        frames: dict[Codec, bytes] = {}
        for subscriber in self._subscriptions.of(stream):
            frame = frames.get(subscriber.codec)
            if frame is None:
                frame = frames[subscriber.codec] = frame_of(subscriber.codec, update)
            subscriber.send_event(frame)

    def _send_state(self, stream: Stream, update: wire.Message) -> None:
        frames: dict[Codec, bytes] = {}
        for subscriber in self._subscriptions.of(stream):
            frame = frames.get(subscriber.codec)
            if frame is None:
                frame = frames[subscriber.codec] = frame_of(subscriber.codec, update)
            subscriber.send_state(stream, frame)


def _update(stream: Stream, symbol: Symbol | AccountId | None, applied: Applied, body: wire.Message) -> wire.ChannelUpdate:
    return wire.ChannelUpdate(channel=stream.channel, symbol=symbol, sequence=applied.sequence, data=body)
