"""From a request to its answer: one table of methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from exchange.server.account_methods import AccountMethods
from exchange.server.admin_methods import AdminMethods
from exchange.server.batch_methods import BatchMethods
from exchange.server.explanations import Explanations
from exchange.server.histories import Histories
from exchange.server.limits import ServerLimits
from exchange.server.market_methods import MarketMethods
from exchange.server.order_methods import OrderMethods
from exchange.server.parts import ExchangeParts
from exchange.server.pictures import Pictures
from exchange.server.preview_methods import PreviewMethods
from exchange.server.session_methods import SessionMethods
from exchange.wire import messages as wire
from exchange.wire import parameters, requests
from exchange.wire.bodies import time_us
from exchange.wire.session import Session
from exchange.wire.translate import Translator

Result: TypeAlias = wire.Message | tuple[wire.Message, ...]
Method: TypeAlias = Callable[[Session, Any], Result]


class Dispatcher:
    """Answers every request but subscriptions, synchronously: when ``answer`` returns, all its events are published."""

    def __init__(self, parts: ExchangeParts, translator: Translator, pictures: Pictures, limits: ServerLimits) -> None:
        self._parts = parts
        histories = Histories(parts, limits, pictures.assets)
        explanations = Explanations(parts, limits)
        orders = OrderMethods(parts, translator, pictures)
        batches = BatchMethods(orders, limits)
        accounts = AccountMethods(parts, translator, pictures, histories)
        previews = PreviewMethods(parts, translator, pictures, orders)
        market = MarketMethods(parts, translator, pictures)
        admin = AdminMethods(parts, translator, pictures, histories)
        self._sessions = sessions = SessionMethods(parts)
        self._methods: dict[type[requests.Request], Method] = {
            requests.Ping: self._ping,
            requests.Login: sessions.login,
            requests.Logout: sessions.logout,
            requests.CancelOnDisconnect: sessions.cancel_on_disconnect,
            requests.CancelAfter: sessions.cancel_after,
            requests.OrderPlace: orders.place,
            requests.OrderAmend: orders.amend,
            requests.OrderPlaceBatch: batches.place,
            requests.OrderAmendBatch: batches.amend,
            requests.OrderCancelBatch: batches.cancel,
            requests.OrderCancel: orders.cancel,
            requests.OrderCancelAll: orders.cancel_all,
            requests.OrderGet: orders.get,
            requests.OrderList: orders.list,
            requests.AccountGet: accounts.get,
            requests.AccountPositions: accounts.positions,
            requests.AccountSetMarginMode: accounts.set_margin_mode,
            requests.AccountSetLeverage: accounts.set_leverage,
            requests.AccountAddMargin: accounts.add_margin,
            requests.AccountRemoveMargin: accounts.remove_margin,
            requests.AccountSetPositionMode: accounts.set_position_mode,
            requests.AccountSetAutoReplenish: accounts.set_auto_replenish,
            requests.AccountWithdraw: accounts.withdraw,
            requests.AccountPreview: previews.preview,
            requests.AccountLedger: accounts.ledger,
            requests.AccountLiquidations: accounts.liquidations,
            requests.AccountExplain: explanations.explain,
            requests.MarketInstruments: market.instruments,
            requests.MarketBook: market.book,
            requests.MarketTrades: market.trades,
            requests.MarketTicker: market.ticker,
            requests.MarketFunding: market.funding,
            requests.MarketCandles: market.candles,
            requests.MarketOpenInterest: market.open_interest,
            requests.MarketInsuranceFund: market.insurance_fund,
            requests.AdminSetMark: admin.set_mark,
            requests.AdminSetIndex: admin.set_index,
            requests.AdminSetCollateralPrice: admin.set_collateral_price,
            requests.AdminSetTradingState: admin.set_trading_state,
            requests.AdminCredit: admin.credit,
            requests.AdminCreateAccount: admin.create_account,
            requests.AdminAdvance: admin.advance,
            requests.AdminSetTime: admin.set_time,
            requests.AdminState: admin.state,
            requests.AdminLiquidations: admin.liquidations,
            requests.AdminExplain: explanations.admin_explain,
        }

    def answer(self, session: Session, request: requests.AnyRequest) -> Result:
        """Return the result of a request; ``WireError`` when it may not be made or was refused."""
        session.authorize(request)
        return self._methods[type(request)](session, request.params)

    def lost(self, session: Session) -> None:
        """Let happen what a lost connection sets off (SAFE-002)."""
        self._sessions.lost(session)

    def _ping(self, session: Session, params: parameters.NoParams) -> wire.PingResult:
        return wire.PingResult(time_us=time_us(self._parts.clock.now_ns()), sequence=self._parts.venue.sequence)
