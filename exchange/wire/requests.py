"""Every request of the native protocol: ``{id, method, params}``, in one schema for both encodings (WIRE rules of SPEC.md)."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from exchange.wire.fields import RequestId
from exchange.wire.parameters import (
    AdminExplainParams,
    AdvanceParams,
    AmendBatchParams,
    AmendParams,
    BookParams,
    CancelAfterParams,
    CancelAllParams,
    CancelBatchParams,
    CancelOnDisconnectParams,
    CandlesParams,
    CreateAccountParams,
    CreditParams,
    ExplainParams,
    HistoryParams,
    LoginParams,
    MarginAmountParams,
    NoParams,
    OrderListParams,
    OrderReferenceParams,
    PlaceBatchParams,
    PlaceParams,
    PreviewParams,
    SetAutoReplenishParams,
    SetCollateralPriceParams,
    SetIndexParams,
    SetLeverageParams,
    SetMarginModeParams,
    SetMarkParams,
    SetPositionModeParams,
    SetTimeParams,
    SetTradingStateParams,
    SubscriptionParams,
    SymbolFilterParams,
    SymbolParams,
    TradesParams,
    WithdrawParams,
)


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="method"):
    """The base of all requests: ``{id, method, params}``."""

    id: RequestId


class Ping(Request, frozen=True, kw_only=True, tag="ping"):
    """Answered with the server's time; every event sent before it has arrived by then."""

    params: NoParams = NoParams()


class Login(Request, frozen=True, kw_only=True, tag="session.login"):
    """Bind this connection to a key's account and scopes."""

    params: LoginParams


class Logout(Request, frozen=True, kw_only=True, tag="session.logout"):
    """Leave cleanly: the connection acts for nobody any more, and losing it cancels nothing."""

    params: NoParams = NoParams()


class CancelOnDisconnect(Request, frozen=True, kw_only=True, tag="session.cancel_on_disconnect"):
    """Choose whether losing this connection cancels the account's orders."""

    params: CancelOnDisconnectParams


class CancelAfter(Request, frozen=True, kw_only=True, tag="session.cancel_after"):
    """Arm, put off or disarm the account's dead-man switch."""

    params: CancelAfterParams


class SessionLimits(Request, frozen=True, kw_only=True, tag="session.limits"):
    """Read how many requests the key may still make."""

    params: NoParams = NoParams()


class Subscribe(Request, frozen=True, kw_only=True, tag="subscribe"):
    """Receive a channel; those that show a state begin with the present one, before the reply (WIRE-009)."""

    params: SubscriptionParams


class Unsubscribe(Request, frozen=True, kw_only=True, tag="unsubscribe"):
    """Stop receiving a channel."""

    params: SubscriptionParams


class OrderPlace(Request, frozen=True, kw_only=True, tag="order.place"):
    """Enter an order."""

    params: PlaceParams


class OrderAmend(Request, frozen=True, kw_only=True, tag="order.amend"):
    """Give an open order another limit, another quantity, or both."""

    params: AmendParams


class OrderPlaceBatch(Request, frozen=True, kw_only=True, tag="order.place_batch"):
    """Enter several orders; each has its own outcome."""

    params: PlaceBatchParams


class OrderAmendBatch(Request, frozen=True, kw_only=True, tag="order.amend_batch"):
    """Give several orders other terms; each has its own outcome."""

    params: AmendBatchParams


class OrderCancelBatch(Request, frozen=True, kw_only=True, tag="order.cancel_batch"):
    """Cancel several orders; each has its own outcome."""

    params: CancelBatchParams


class OrderCancel(Request, frozen=True, kw_only=True, tag="order.cancel"):
    """Cancel one order."""

    params: OrderReferenceParams


class OrderCancelAll(Request, frozen=True, kw_only=True, tag="order.cancel_all"):
    """Cancel every open order, or those of a symbol, a side, a position."""

    params: CancelAllParams = CancelAllParams()


class OrderGet(Request, frozen=True, kw_only=True, tag="order.get"):
    """Read one order."""

    params: OrderReferenceParams


class OrderList(Request, frozen=True, kw_only=True, tag="order.list"):
    """Read open or recently ended orders."""

    params: OrderListParams = OrderListParams()


class AccountGet(Request, frozen=True, kw_only=True, tag="account.get"):
    """Read the account's cross pool."""

    params: NoParams = NoParams()


class AccountPositions(Request, frozen=True, kw_only=True, tag="account.positions"):
    """Read the account's positions and per-symbol settings."""

    params: SymbolFilterParams = SymbolFilterParams()


class AccountSetMarginMode(Request, frozen=True, kw_only=True, tag="account.set_margin_mode"):
    """Choose cross or isolated for a symbol, with or without a position in it."""

    params: SetMarginModeParams


class AccountSetLeverage(Request, frozen=True, kw_only=True, tag="account.set_leverage"):
    """Choose the leverage for a symbol."""

    params: SetLeverageParams


class AccountAddMargin(Request, frozen=True, kw_only=True, tag="account.add_margin"):
    """Move money into an isolated position."""

    params: MarginAmountParams


class AccountRemoveMargin(Request, frozen=True, kw_only=True, tag="account.remove_margin"):
    """Move money out of an isolated position."""

    params: MarginAmountParams


class AccountSetPositionMode(Request, frozen=True, kw_only=True, tag="account.set_position_mode"):
    """Choose one-way or hedge mode; without open positions and orders only."""

    params: SetPositionModeParams


class AccountSetAutoReplenish(Request, frozen=True, kw_only=True, tag="account.set_auto_replenish"):
    """Choose whether an isolated position may be topped up before it is liquidated."""

    params: SetAutoReplenishParams


class AccountWithdraw(Request, frozen=True, kw_only=True, tag="account.withdraw"):
    """Take money out of the cross pool."""

    params: WithdrawParams


class AccountPreview(Request, frozen=True, kw_only=True, tag="account.preview"):
    """Read what an action would do to the account; nothing changes."""

    params: PreviewParams


class AccountLedger(Request, frozen=True, kw_only=True, tag="account.ledger"):
    """Read the movements of the account's money, newest first."""

    params: HistoryParams = HistoryParams()


class AccountLiquidations(Request, frozen=True, kw_only=True, tag="account.liquidations"):
    """Read the records of the account's liquidations, newest first."""

    params: HistoryParams = HistoryParams()


class AccountExplain(Request, frozen=True, kw_only=True, tag="account.explain"):
    """Read why an order, a fill, a change, a warning or a liquidation of the account came out as it did."""

    params: ExplainParams


class MarketInstruments(Request, frozen=True, kw_only=True, tag="market.instruments"):
    """Read what can be traded, with every limit."""

    params: NoParams = NoParams()


class MarketBook(Request, frozen=True, kw_only=True, tag="market.book"):
    """Read the order book."""

    params: BookParams


class MarketTrades(Request, frozen=True, kw_only=True, tag="market.trades"):
    """Read recent trades."""

    params: TradesParams


class MarketTicker(Request, frozen=True, kw_only=True, tag="market.ticker"):
    """Read best prices, last trade, mark and open interest."""

    params: SymbolParams


class MarketFunding(Request, frozen=True, kw_only=True, tag="market.funding"):
    """Read how a symbol's funding stands."""

    params: SymbolParams


class MarketCandles(Request, frozen=True, kw_only=True, tag="market.candles"):
    """Read what was traded, interval by interval."""

    params: CandlesParams


class MarketOpenInterest(Request, frozen=True, kw_only=True, tag="market.open_interest"):
    """Read how much of a symbol is held."""

    params: SymbolParams


class MarketInsuranceFund(Request, frozen=True, kw_only=True, tag="market.insurance_fund"):
    """Read the insurance fund's money and positions."""

    params: NoParams = NoParams()


class AdminSetMark(Request, frozen=True, kw_only=True, tag="admin.set_mark"):
    """Set mark prices; answered once every liquidation that follows is done."""

    params: SetMarkParams


class AdminSetIndex(Request, frozen=True, kw_only=True, tag="admin.set_index"):
    """Set index prices; marks that are made of them follow, and every liquidation, before the answer."""

    params: SetIndexParams


class AdminSetCollateralPrice(Request, frozen=True, kw_only=True, tag="admin.set_collateral_price"):
    """Set the prices that collateral assets are counted at; answered as ``admin.set_mark``."""

    params: SetCollateralPriceParams


class AdminSetTradingState(Request, frozen=True, kw_only=True, tag="admin.set_trading_state"):
    """Halt a symbol or open it again."""

    params: SetTradingStateParams


class AdminCredit(Request, frozen=True, kw_only=True, tag="admin.credit"):
    """Deposit from outside."""

    params: CreditParams


class AdminCreateAccount(Request, frozen=True, kw_only=True, tag="admin.create_account"):
    """Open an account with a key of its own."""

    params: CreateAccountParams


class AdminAdvance(Request, frozen=True, kw_only=True, tag="admin.advance"):
    """Move the virtual clock by a duration."""

    params: AdvanceParams


class AdminSetTime(Request, frozen=True, kw_only=True, tag="admin.set_time"):
    """Move the virtual clock to a time."""

    params: SetTimeParams


class AdminState(Request, frozen=True, kw_only=True, tag="admin.state"):
    """Read sequence, digest, clock, fees and insurance fund."""

    params: NoParams = NoParams()


class AdminLiquidations(Request, frozen=True, kw_only=True, tag="admin.liquidations"):
    """Read the records of all liquidations, newest first."""

    params: HistoryParams = HistoryParams()


class AdminExplain(Request, frozen=True, kw_only=True, tag="admin.explain"):
    """Read the same of any account."""

    params: AdminExplainParams


AnyRequest: TypeAlias = (
    Ping
    | Login
    | Logout
    | CancelOnDisconnect
    | CancelAfter
    | SessionLimits
    | Subscribe
    | Unsubscribe
    | OrderPlace
    | OrderAmend
    | OrderCancel
    | OrderPlaceBatch
    | OrderAmendBatch
    | OrderCancelBatch
    | OrderCancelAll
    | OrderGet
    | OrderList
    | AccountGet
    | AccountPositions
    | AccountSetMarginMode
    | AccountSetLeverage
    | AccountAddMargin
    | AccountRemoveMargin
    | AccountSetPositionMode
    | AccountSetAutoReplenish
    | AccountWithdraw
    | AccountPreview
    | AccountLedger
    | AccountLiquidations
    | AccountExplain
    | MarketInstruments
    | MarketBook
    | MarketTrades
    | MarketTicker
    | MarketFunding
    | MarketCandles
    | MarketOpenInterest
    | MarketInsuranceFund
    | AdminSetMark
    | AdminSetIndex
    | AdminSetCollateralPrice
    | AdminSetTradingState
    | AdminCredit
    | AdminCreateAccount
    | AdminAdvance
    | AdminSetTime
    | AdminState
    | AdminLiquidations
    | AdminExplain
)
