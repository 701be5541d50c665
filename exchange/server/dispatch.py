"""From a request to its answer: one table of methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from exchange.server.account_methods import AccountMethods
from exchange.server.admin_methods import AdminMethods
from exchange.server.market_methods import MarketMethods
from exchange.server.order_methods import OrderMethods
from exchange.server.parts import ExchangeParts
from exchange.server.pictures import Pictures
from exchange.wire import messages as wire
from exchange.wire.bodies import time_us
from exchange.wire.session import Session
from exchange.wire.translate import Translator

Result: TypeAlias = wire.Message | tuple[wire.Message, ...]
Method: TypeAlias = Callable[[Session, Any], Result]


class Dispatcher:
    """Answers every request but subscriptions, synchronously: when ``answer`` returns, all its events are published."""

    def __init__(self, parts: ExchangeParts, translator: Translator, pictures: Pictures) -> None:
        self._parts = parts
        orders = OrderMethods(parts, translator, pictures)
        accounts = AccountMethods(parts, translator, pictures)
        market = MarketMethods(parts, translator, pictures)
        admin = AdminMethods(parts, translator, pictures)
        self._methods: dict[type[wire.Request], Method] = {
            wire.Ping: self._ping,
            wire.Login: _login,
            wire.OrderPlace: orders.place,
            wire.OrderCancel: orders.cancel,
            wire.OrderCancelAll: orders.cancel_all,
            wire.OrderGet: orders.get,
            wire.OrderList: orders.list,
            wire.AccountGet: accounts.get,
            wire.AccountPositions: accounts.positions,
            wire.AccountSetMarginMode: accounts.set_margin_mode,
            wire.AccountSetLeverage: accounts.set_leverage,
            wire.AccountAddMargin: accounts.add_margin,
            wire.AccountRemoveMargin: accounts.remove_margin,
            wire.MarketInstruments: market.instruments,
            wire.MarketBook: market.book,
            wire.MarketTrades: market.trades,
            wire.MarketTicker: market.ticker,
            wire.AdminSetMark: admin.set_mark,
            wire.AdminCredit: admin.credit,
            wire.AdminCreateAccount: admin.create_account,
            wire.AdminAdvance: admin.advance,
            wire.AdminSetTime: admin.set_time,
            wire.AdminState: admin.state,
        }

    def answer(self, session: Session, request: wire.AnyRequest) -> Result:
        """Return the result of a request; ``WireError`` when it may not be made or was refused."""
        session.authorize(request)
        return self._methods[type(request)](session, request.params)

    def _ping(self, session: Session, params: wire.NoParams) -> wire.PingResult:
        return wire.PingResult(time_us=time_us(self._parts.clock.now_ns()), sequence=self._parts.venue.sequence)


def _login(session: Session, params: wire.LoginParams) -> wire.LoginResult:
    return session.login(params)
