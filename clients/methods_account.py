"""The client's account: positions, settings, margin, money in and out, and what became of it.

Units: quantities in base, money in the settlement currency unless an asset is named.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clients.fields import list_reader, reader
from clients.function_sink import FunctionSink
from clients.human_units import Number, to_text
from clients.inflight import Call
from clients.margin_messages import LedgerPage, LiquidationPage, MarginCall
from clients.messages import (
    Account,
    AutoReplenishSet,
    LeverageSet,
    MarginModeSet,
    MarginMoved,
    Position,
    PositionModeSet,
    Withdrawn,
)
from clients.requests import (
    MarginModeWord,
    PositionModeWord,
    PositionSideWord,
    history_page,
    side_filter,
    symbol_filter,
    word_of,
)
from clients.session import Session
from clients.subscriptions import Subscription
from clients.updates import Update
from exchange.domain.enums import MarginMode, PositionMode, PositionSide

NET = PositionSide.NET


class AccountMethods:
    """Everything one does with one's own positions and money. In hedge mode ``position_side`` is long or short."""

    _session: Session

    async def account(self) -> Account:
        """Return the account's cross pool."""
        return await self._session.request(Call("account.get", {}, reader(Account)))

    async def positions(self, symbol: str | None = None) -> tuple[Position, ...]:
        """Return the positions and per-symbol settings, on one symbol or on all."""
        return await self._session.request(Call("account.positions", symbol_filter(symbol), list_reader(Position)))

    # -- settings and margin -------------------------------------------------------------------------------------------

    async def set_margin_mode(
        self, symbol: str, margin_mode: MarginModeWord, *, margin: Number | None = None, position_side: PositionSideWord = NET
    ) -> MarginModeSet:
        """Choose cross or isolated for a symbol, with or without a position in it.

        ``margin`` is what an open position takes into its isolated wallet; without it, what it needs.
        """
        params: dict[str, Any] = {"symbol": symbol, "margin_mode": word_of(MarginMode, margin_mode, "margin_mode")}
        if margin is not None:
            params["margin"] = to_text(margin, "margin")
        params.update(side_filter(position_side))
        return await self._session.request(Call("account.set_margin_mode", params, reader(MarginModeSet)))

    async def set_leverage(self, symbol: str, leverage: int, *, position_side: PositionSideWord = NET) -> LeverageSet:
        """Choose the leverage for a symbol; a lower one may move money into an open isolated position."""
        params = {"symbol": symbol, "leverage": leverage, **side_filter(position_side)}
        return await self._session.request(Call("account.set_leverage", params, reader(LeverageSet)))

    async def add_margin(self, symbol: str, amount: Number, *, position_side: PositionSideWord = NET) -> MarginMoved:
        """Move ``amount`` from the cross wallet into an isolated position."""
        return await self._session.request(_margin_move("account.add_margin", symbol, amount, position_side))

    async def remove_margin(self, symbol: str, amount: Number, *, position_side: PositionSideWord = NET) -> MarginMoved:
        """Move ``amount`` out of an isolated position back to the cross wallet."""
        return await self._session.request(_margin_move("account.remove_margin", symbol, amount, position_side))

    async def set_position_mode(self, position_mode: PositionModeWord) -> PositionModeSet:
        """Choose one position per symbol, or a long and a short one; without open positions and orders only."""
        params = {"position_mode": word_of(PositionMode, position_mode, "position_mode")}
        return await self._session.request(Call("account.set_position_mode", params, reader(PositionModeSet)))

    async def set_auto_replenish(
        self, symbol: str, enabled: bool, *, position_side: PositionSideWord = NET
    ) -> AutoReplenishSet:
        """Choose whether an isolated position may be topped up from the cross wallet before it is liquidated."""
        params = {"symbol": symbol, "enabled": enabled, **side_filter(position_side)}
        return await self._session.request(Call("account.set_auto_replenish", params, reader(AutoReplenishSet)))

    # -- money ---------------------------------------------------------------------------------------------------------

    async def withdraw(self, amount: Number, asset: str | None = None) -> Withdrawn:
        """Take ``amount`` of the settlement asset, or of a collateral asset, out of the cross pool."""
        params = {"amount": to_text(amount, "amount")} | ({} if asset is None else {"asset": asset})
        return await self._session.request(Call("account.withdraw", params, reader(Withdrawn)))

    async def ledger(self, *, limit: int = 100, before: int | None = None) -> LedgerPage:
        """Return the newest movements of the account's money, of those with a number below ``before``."""
        return await self._session.request(Call("account.ledger", history_page(limit, before), reader(LedgerPage)))

    async def liquidations(self, *, limit: int = 100, before: int | None = None) -> LiquidationPage:
        """Return the newest records of the account's liquidations, of those with a number below ``before``."""
        return await self._session.request(Call("account.liquidations", history_page(limit, before), reader(LiquidationPage)))

    async def on_margin_call(self, handle: Callable[[MarginCall], None]) -> Subscription:
        """Have ``handle`` called with every warning before a liquidation, as ``subscribe`` does with every event."""

        def pick(update: Update) -> None:
            if isinstance(update.data, MarginCall):
                handle(update.data)

        subscription = Subscription("margin", None, FunctionSink(pick))
        await self._session.subscribe(subscription)
        return subscription


def _margin_move(method: str, symbol: str, amount: Number, position_side: PositionSideWord) -> Call[MarginMoved]:
    params: dict[str, Any] = {"symbol": symbol, "amount": to_text(amount, "amount"), **side_filter(position_side)}
    return Call(method, params, reader(MarginMoved))
