"""The ``market.*`` methods: what everybody may see, without a login."""

from __future__ import annotations

from exchange.server.parts import ExchangeParts
from exchange.server.pictures import Pictures
from exchange.wire import margin_messages, market_messages, parameters
from exchange.wire import messages as wire
from exchange.wire.bodies import instrument_body
from exchange.wire.session import Session
from exchange.wire.translate import Translator


class MarketMethods:
    """Shows instruments, books and trades."""

    def __init__(self, parts: ExchangeParts, translator: Translator, pictures: Pictures) -> None:
        self._translator = translator
        self._pictures = pictures
        self._instruments = tuple(instrument_body(instrument) for instrument in parts.venue.instruments.values())

    def instruments(self, session: Session, params: parameters.NoParams) -> tuple[wire.InstrumentBody, ...]:
        """Return what can be traded, with every limit."""
        return self._instruments

    def book(self, session: Session, params: parameters.BookParams) -> wire.BookBody:
        """Return the best levels of a book."""
        return self._pictures.book(self._translator.instrument(params.symbol).symbol, params.depth)

    def trades(self, session: Session, params: parameters.TradesParams) -> tuple[wire.TradeBody, ...]:
        """Return recent trades."""
        return self._pictures.trades(self._translator.instrument(params.symbol).symbol, params.limit)

    def ticker(self, session: Session, params: parameters.SymbolParams) -> wire.TickerBody:
        """Return best prices, last trade, mark and open interest."""
        return self._pictures.ticker(self._translator.instrument(params.symbol).symbol)

    def funding(self, session: Session, params: parameters.SymbolParams) -> margin_messages.FundingBody:
        """Return how a symbol's funding stands."""
        return self._pictures.funding(self._translator.instrument(params.symbol).symbol)

    def candles(self, session: Session, params: parameters.CandlesParams) -> tuple[market_messages.CandleBody, ...]:
        """Return the last candles of a symbol, oldest first."""
        symbol = self._translator.instrument(params.symbol).symbol
        return self._pictures.candles(symbol, params.interval, params.limit, params.before)

    def open_interest(self, session: Session, params: parameters.SymbolParams) -> market_messages.OpenInterestBody:
        """Return how much of a symbol is held."""
        return self._pictures.open_interest(self._translator.instrument(params.symbol).symbol)

    def insurance_fund(self, session: Session, params: parameters.NoParams) -> market_messages.InsuranceFundBody:
        """Return the insurance fund's money and positions."""
        return self._pictures.insurance_fund()
