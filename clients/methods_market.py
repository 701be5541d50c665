"""The client's market data: queries, subscriptions, event streams, mirrors.

Units: prices in quote per base, quantities in base.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, overload

from clients.fields import list_reader, reader
from clients.function_sink import FunctionSink
from clients.inflight import Call
from clients.margin_messages import AccountEvent, MarginEvent
from clients.market_data import (
    Book,
    Candle,
    Funding,
    FundingSettled,
    Heartbeat,
    Instrument,
    InsuranceFund,
    Interval,
    Mark,
    OpenInterest,
    Ticker,
    Trade,
)
from clients.messages import Account, Order, Position
from clients.mirror import Mirror, OrderBookMirror
from clients.session import Session
from clients.streams import STREAM_EVENTS_MAX, EventStream
from clients.subscriptions import Subscription
from clients.updates import BookChannel, BookOrdersUpdate, BookUpdate, CandleChannel, Channel, Fill, Liquidation, Update


class MarketMethods:
    """Everything one asks of and hears from the market."""

    _session: Session

    async def instruments(self) -> dict[str, Instrument]:
        """Return what can be traded, with every limit, by symbol."""
        listed = await self._session.request(Call("market.instruments", {}, list_reader(Instrument)))
        return {instrument.symbol: instrument for instrument in listed}

    async def book(self, symbol: str, depth: int = 20) -> Book:
        """Return the best ``depth`` price levels of each side."""
        return await self._session.request(Call("market.book", {"symbol": symbol, "depth": depth}, reader(Book)))

    async def trades(self, symbol: str, limit: int = 50) -> tuple[Trade, ...]:
        """Return the most recent trades, newest last."""
        return await self._session.request(Call("market.trades", {"symbol": symbol, "limit": limit}, list_reader(Trade)))

    async def ticker(self, symbol: str) -> Ticker:
        """Return best prices, last trade, mark and open interest."""
        return await self._session.request(Call("market.ticker", {"symbol": symbol}, reader(Ticker)))

    async def funding(self, symbol: str) -> Funding:
        """Return how a symbol's funding stands."""
        return await self._session.request(Call("market.funding", {"symbol": symbol}, reader(Funding)))

    async def candles(
        self, symbol: str, interval: Interval, limit: int = 100, *, before_us: int | None = None
    ) -> tuple[Candle, ...]:
        """Return the last candles that begin before a time (now, without one), oldest first; empty ones included."""
        params: dict[str, object] = {"symbol": symbol, "interval": interval, "limit": limit}
        if before_us is not None:
            params["before"] = before_us
        return await self._session.request(Call("market.candles", params, list_reader(Candle)))

    async def open_interest(self, symbol: str) -> OpenInterest:
        """Return how much of a symbol is held, in quantity and at the mark."""
        return await self._session.request(Call("market.open_interest", {"symbol": symbol}, reader(OpenInterest)))

    async def insurance_fund(self) -> InsuranceFund:
        """Return the insurance fund's money and positions."""
        return await self._session.request(Call("market.insurance_fund", {}, reader(InsuranceFund)))

    # -- subscriptions -------------------------------------------------------------------------------------------------

    async def subscribe(self, channel: Channel, symbol: str | None = None, *, handle: Callable[[Update], None]) -> Subscription:
        """Have ``handle`` called with every event of a channel, while it is being received, so it must be quick.

        A public channel is for one symbol or, without one, for all; a private one takes no symbol, nor do
        ``insurance_fund`` and ``heartbeat``.
        """
        subscription = Subscription(channel, symbol, FunctionSink(handle))
        await self._session.subscribe(subscription)
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        """Stop a subscription."""
        await self._session.unsubscribe(subscription)

    async def mirror(
        self, *symbols: str, books: bool = True, own: bool | None = None, depth: Literal[1, 10, 50] | None = None
    ) -> Mirror:
        """Return mirrors that keep themselves current: books and marks of ``symbols``, and one's own side.

        Without ``symbols``, of everything that can be traded. ``own`` (orders, positions, account, fills, margin) is on after a
        login unless it is said otherwise. ``depth`` is how many levels of each side the books hold, all without it.
        """
        chosen = symbols or tuple(await self.instruments())
        greeting = self._session.link.greeting
        has_account = greeting is not None and greeting.logged_in is not None and greeting.logged_in.account is not None
        mirror = Mirror(self._session, chosen, books=books, own=has_account if own is None else own, depth=depth)
        await mirror.open()
        return mirror

    async def order_book(self, symbol: str) -> OrderBookMirror:
        """Return a mirror of every order that rests in a book, which keeps itself current."""
        mirror = OrderBookMirror(symbol, lambda: self._session.renew_soon(("book.orders", symbol)))
        await self._session.subscribe(Subscription("book.orders", symbol, mirror))
        return mirror

    @overload
    def events(
        self, channel: BookChannel, symbol: str | None = ..., *, events_max: int = ..., timeout_s: float | None = ...
    ) -> EventStream[BookUpdate]: ...
    @overload
    def events(
        self, channel: Literal["trades"], symbol: str | None = ..., *, events_max: int = ..., timeout_s: float | None = ...
    ) -> EventStream[Trade]: ...
    @overload
    def events(
        self, channel: Literal["ticker"], symbol: str | None = ..., *, events_max: int = ..., timeout_s: float | None = ...
    ) -> EventStream[Ticker]: ...
    @overload
    def events(
        self, channel: Literal["mark"], symbol: str | None = ..., *, events_max: int = ..., timeout_s: float | None = ...
    ) -> EventStream[Mark]: ...
    @overload
    def events(
        self, channel: Literal["funding"], symbol: str | None = ..., *, events_max: int = ..., timeout_s: float | None = ...
    ) -> EventStream[Funding | FundingSettled]: ...
    @overload
    def events(
        self,
        channel: Literal["liquidations"],
        symbol: str | None = ...,
        *,
        events_max: int = ...,
        timeout_s: float | None = ...,
    ) -> EventStream[Liquidation]: ...
    @overload
    def events(
        self, channel: Literal["book.orders"], symbol: str | None = ..., *, events_max: int = ..., timeout_s: float | None = ...
    ) -> EventStream[BookOrdersUpdate]: ...
    @overload
    def events(
        self, channel: CandleChannel, symbol: str | None = ..., *, events_max: int = ..., timeout_s: float | None = ...
    ) -> EventStream[Candle]: ...
    @overload
    def events(
        self,
        channel: Literal["open_interest"],
        symbol: str | None = ...,
        *,
        events_max: int = ...,
        timeout_s: float | None = ...,
    ) -> EventStream[OpenInterest]: ...
    @overload
    def events(
        self, channel: Literal["insurance_fund"], *, events_max: int = ..., timeout_s: float | None = ...
    ) -> EventStream[InsuranceFund]: ...
    @overload
    def events(
        self, channel: Literal["heartbeat"], *, events_max: int = ..., timeout_s: float | None = ...
    ) -> EventStream[Heartbeat]: ...
    @overload
    def events(
        self, channel: Literal["orders"], *, events_max: int = ..., timeout_s: float | None = ...
    ) -> EventStream[Order]: ...
    @overload
    def events(
        self, channel: Literal["fills"], *, events_max: int = ..., timeout_s: float | None = ...
    ) -> EventStream[Fill]: ...
    @overload
    def events(
        self, channel: Literal["positions"], *, events_max: int = ..., timeout_s: float | None = ...
    ) -> EventStream[Position]: ...
    @overload
    def events(
        self, channel: Literal["account"], *, events_max: int = ..., timeout_s: float | None = ...
    ) -> EventStream[Account | AccountEvent]: ...
    @overload
    def events(
        self, channel: Literal["margin"], *, events_max: int = ..., timeout_s: float | None = ...
    ) -> EventStream[MarginEvent]: ...
    def events(
        self,
        channel: Channel,
        symbol: str | None = None,
        *,
        events_max: int = STREAM_EVENTS_MAX,
        timeout_s: float | None = None,
    ) -> EventStream[Any]:
        """Return the events of a channel for ``async for``.

        At most ``events_max`` may wait to be taken; ``timeout_s`` bounds the wait for each, in seconds.
        """
        return EventStream(self._session, channel, symbol, events_max=events_max, timeout_s=timeout_s)
