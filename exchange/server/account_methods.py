"""The ``account.*`` methods: the account service as its customers meet it."""

from __future__ import annotations

from exchange.domain.commands import AddMargin, RemoveMargin
from exchange.domain.events import MarginMoved
from exchange.domain.units import format_cash
from exchange.server.parts import ExchangeParts
from exchange.server.pictures import Pictures
from exchange.wire import messages as wire
from exchange.wire import requests
from exchange.wire.session import Session
from exchange.wire.translate import Translator


class AccountMethods:
    """Shows and changes the session's account."""

    def __init__(self, parts: ExchangeParts, translator: Translator, pictures: Pictures) -> None:
        self._parts = parts
        self._translator = translator
        self._pictures = pictures

    def get(self, session: Session, params: requests.NoParams) -> wire.AccountBody:
        """Return the account's cross pool."""
        return self._pictures.account(session.account)

    def positions(self, session: Session, params: requests.SymbolFilterParams) -> tuple[wire.PositionBody, ...]:
        """Return the account's positions and per-symbol settings."""
        return self._pictures.positions(session.account, self._translator.optional_symbol(params.symbol))

    def set_margin_mode(self, session: Session, params: requests.SetMarginModeParams) -> wire.MarginModeResult:
        """Choose the collateral behind a position."""
        self._parts.submit(self._translator.set_margin_mode(session.account, params))
        return wire.MarginModeResult(symbol=params.symbol, margin_mode=params.margin_mode)

    def set_leverage(self, session: Session, params: requests.SetLeverageParams) -> wire.LeverageResult:
        """Choose the leverage of a position."""
        self._parts.submit(self._translator.set_leverage(session.account, params))
        return wire.LeverageResult(symbol=params.symbol, leverage=params.leverage)

    def add_margin(self, session: Session, params: requests.MarginAmountParams) -> wire.MarginMoveResult:
        """Move money into an isolated position."""
        return self._move(self._translator.add_margin(session.account, params))

    def remove_margin(self, session: Session, params: requests.MarginAmountParams) -> wire.MarginMoveResult:
        """Move money out of an isolated position."""
        return self._move(self._translator.remove_margin(session.account, params))

    def _move(self, command: AddMargin | RemoveMargin) -> wire.MarginMoveResult:
        applied = self._parts.submit(command)
        moved = next(event for event in applied.events if isinstance(event, MarginMoved))
        return wire.MarginMoveResult(
            symbol=moved.symbol,
            amount=format_cash(moved.amount),
            isolated_wallet=format_cash(moved.isolated_wallet),
            wallet_balance=format_cash(moved.wallet_balance),
        )
