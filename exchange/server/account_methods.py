"""The ``account.*`` methods: the account service as its customers meet it."""

from __future__ import annotations

from typing import TypeVar

from exchange.domain.commands import AddMargin, AnyCommand, RemoveMargin
from exchange.domain.events import (
    AutoReplenishSet,
    Event,
    LeverageSet,
    MarginModeSet,
    MarginMoved,
    PositionModeSet,
    Withdrawn,
)
from exchange.domain.units import format_cash
from exchange.server.histories import Histories
from exchange.server.parts import ExchangeParts
from exchange.server.pictures import Pictures
from exchange.wire import margin_messages, parameters
from exchange.wire import messages as wire
from exchange.wire.session import Session
from exchange.wire.translate import Translator

Told = TypeVar("Told", bound=Event)


class AccountMethods:
    """Shows and changes the session's account."""

    def __init__(self, parts: ExchangeParts, translator: Translator, pictures: Pictures, histories: Histories) -> None:
        self._parts = parts
        self._translator = translator
        self._pictures = pictures
        self._histories = histories

    def get(self, session: Session, params: parameters.NoParams) -> wire.AccountBody:
        """Return the account's cross pool."""
        return self._pictures.account(session.account)

    def positions(self, session: Session, params: parameters.SymbolFilterParams) -> tuple[wire.PositionBody, ...]:
        """Return the account's positions and per-symbol settings."""
        return self._pictures.positions(session.account, self._translator.optional_symbol(params.symbol))

    def ledger(self, session: Session, params: parameters.HistoryParams) -> margin_messages.LedgerPage:
        """Return the movements of the account's money, newest first."""
        return self._histories.ledger(session.account, params)

    def liquidations(self, session: Session, params: parameters.HistoryParams) -> margin_messages.LiquidationPage:
        """Return the records of the account's liquidations, newest first."""
        return self._histories.liquidations(params, session.account)

    def set_margin_mode(self, session: Session, params: parameters.SetMarginModeParams) -> wire.MarginModeResult:
        """Choose the collateral behind a position, and return what moved with it."""
        done, sequence = self._submit(self._translator.set_margin_mode(session.account, params), MarginModeSet)
        return wire.MarginModeResult(
            symbol=done.symbol,
            position_side=done.position_side.value,
            margin_mode=done.margin_mode.value,
            margin_moved=format_cash(done.margin_moved),
            sequence=sequence,
        )

    def set_leverage(self, session: Session, params: parameters.SetLeverageParams) -> wire.LeverageResult:
        """Choose the leverage of a position, and return what its isolated wallet had to be given."""
        done, sequence = self._submit(self._translator.set_leverage(session.account, params), LeverageSet)
        return wire.LeverageResult(
            symbol=done.symbol,
            position_side=done.position_side.value,
            leverage=done.leverage,
            margin_moved=format_cash(done.margin_moved),
            sequence=sequence,
        )

    def add_margin(self, session: Session, params: parameters.MarginAmountParams) -> wire.MarginMoveResult:
        """Move money into an isolated position."""
        return self._move(self._translator.add_margin(session.account, params))

    def remove_margin(self, session: Session, params: parameters.MarginAmountParams) -> wire.MarginMoveResult:
        """Move money out of an isolated position."""
        return self._move(self._translator.remove_margin(session.account, params))

    def set_position_mode(self, session: Session, params: parameters.SetPositionModeParams) -> wire.PositionModeResult:
        """Choose one-way or hedge mode."""
        done, sequence = self._submit(self._translator.set_position_mode(session.account, params), PositionModeSet)
        return wire.PositionModeResult(position_mode=done.position_mode.value, sequence=sequence)

    def set_auto_replenish(self, session: Session, params: parameters.SetAutoReplenishParams) -> wire.AutoReplenishResult:
        """Choose whether a position may be topped up before it is liquidated."""
        done, sequence = self._submit(self._translator.set_auto_replenish(session.account, params), AutoReplenishSet)
        return wire.AutoReplenishResult(
            symbol=done.symbol, position_side=done.position_side.value, enabled=done.enabled, sequence=sequence
        )

    def withdraw(self, session: Session, params: parameters.WithdrawParams) -> wire.WithdrawResult:
        """Take money out of the cross pool."""
        done, sequence = self._submit(self._translator.withdraw(session.account, params), Withdrawn)
        assets = self._pictures.assets
        return wire.WithdrawResult(
            asset=done.asset,
            amount=assets.format(done.asset, done.amount),
            wallet_balance=assets.format(done.asset, done.wallet_balance),
            sequence=sequence,
        )

    def _move(self, command: AddMargin | RemoveMargin) -> wire.MarginMoveResult:
        moved, sequence = self._submit(command, MarginMoved)
        return wire.MarginMoveResult(
            symbol=moved.symbol,
            position_side=moved.position_side.value,
            amount=format_cash(moved.amount),
            isolated_wallet=format_cash(moved.isolated_wallet),
            wallet_balance=format_cash(moved.wallet_balance),
            sequence=sequence,
        )

    def _submit(self, command: AnyCommand, kind: type[Told]) -> tuple[Told, int]:
        """Apply a command; return the event that tells what its owner asked for, which comes first, and its sequence."""
        applied = self._parts.submit(command)
        return next(event for event in applied.events if isinstance(event, kind)), applied.sequence
