"""Accounts, deposits, settings, isolated margin, marks and time."""

from __future__ import annotations

from typing import assert_never

from exchange.domain.commands import (
    AddMargin,
    CreateAccount,
    Credit,
    RemoveMargin,
    SetLeverage,
    SetMarginMode,
    SetMarkPrices,
)
from exchange.domain.events import (
    AccountCreated,
    AnyEvent,
    CommandRejected,
    Credited,
    LeverageSet,
    MarginModeSet,
    MarginMoved,
    MarkPriceChanged,
    TimeAdvanced,
)
from exchange.domain.ids import INSURANCE_FUND, RESERVED_ACCOUNTS, is_valid_id
from exchange.domain.rejects import Reason
from exchange.domain.units import CASH_MAX, PRICE_TICKS_MAX
from exchange.venue.state import VenueState


def create(state: VenueState, events: list[AnyEvent], command: CreateAccount) -> None:
    """Open an account, unless its name is taken, reserved or malformed, or the venue is full."""
    name, accounts = command.account, state.accounts.accounts
    reason = None
    if name in accounts:
        reason = Reason.ACCOUNT_EXISTS
    elif name in RESERVED_ACCOUNTS or not is_valid_id(name):
        reason = Reason.ACCOUNT_NAME
    elif len(accounts) >= state.limits.accounts_max:
        reason = Reason.ACCOUNTS_MAX
    if reason is not None:
        limit = state.limits.accounts_max if reason is Reason.ACCOUNTS_MAX else None
        events.append(CommandRejected(account=name, command="CreateAccount", reason=reason, limit=limit))
        return
    state.accounts.apply_create(name)
    events.append(AccountCreated(account=name))


def credit(state: VenueState, events: list[AnyEvent], command: Credit) -> None:
    """Deposit into an account or the insurance fund. Units: cash."""
    known = command.account == INSURANCE_FUND or command.account in state.accounts.accounts
    if not known or not 0 < command.amount <= CASH_MAX:
        events.append(
            CommandRejected(
                account=command.account,
                command="Credit",
                reason=Reason.CREDIT_RANGE if known else Reason.UNKNOWN_ACCOUNT,
                limit=CASH_MAX if known else None,
                actual=command.amount if known else None,
            )
        )
        return
    state.accounts.apply_credit(command.account, command.amount)
    balance = state.accounts.account(command.account).wallet.balance
    events.append(Credited(account=command.account, amount=command.amount, wallet_balance=balance))


def change(state: VenueState, events: list[AnyEvent], command: SetMarginMode | SetLeverage | AddMargin | RemoveMargin) -> None:
    """Change a position's settings or isolated margin, if the account service allows it (MARG-015, MARG-016)."""
    reason, limit, actual = None, None, None
    if command.account not in state.accounts.accounts:
        reason = Reason.UNKNOWN_ACCOUNT
    elif command.symbol not in state.instruments:
        reason = Reason.UNKNOWN_SYMBOL
    else:
        reason, limit = state.accounts.check_account_change(command)
    if reason is not None:
        if isinstance(command, AddMargin | RemoveMargin):
            actual = command.amount
        elif isinstance(command, SetLeverage):
            actual = command.leverage
        events.append(
            CommandRejected(
                account=command.account,
                command=type(command).__name__,
                reason=reason,
                symbol=command.symbol,
                limit=limit,
                actual=actual,
            )
        )
        return
    state.accounts.apply_account_change(command)
    events.append(_changed(state, command))


def _changed(state: VenueState, command: SetMarginMode | SetLeverage | AddMargin | RemoveMargin) -> AnyEvent:
    account, symbol = command.account, command.symbol
    match command:
        case SetMarginMode():
            return MarginModeSet(account=account, symbol=symbol, margin_mode=command.margin_mode)
        case SetLeverage():
            return LeverageSet(account=account, symbol=symbol, leverage=command.leverage)
        case AddMargin() | RemoveMargin():
            return MarginMoved(
                account=account,
                symbol=symbol,
                amount=command.amount if isinstance(command, AddMargin) else -command.amount,
                isolated_wallet=state.accounts.position(account, symbol).wallet.balance,
                wallet_balance=state.accounts.account(account).wallet.balance,
            )
        case _:
            assert_never(command)


def set_marks(state: VenueState, events: list[AnyEvent], command: SetMarkPrices) -> None:
    """Replace marks; one bad mark refuses the whole update (MARG-018)."""
    for mark in command.marks:
        known = mark.symbol in state.instruments
        if known and 1 <= mark.price <= PRICE_TICKS_MAX:
            continue
        events.append(
            CommandRejected(
                account=None,
                command="SetMarkPrices",
                reason=Reason.MARK_PRICE_RANGE if known else Reason.UNKNOWN_SYMBOL,
                symbol=mark.symbol,
                limit=PRICE_TICKS_MAX if known else None,
                actual=mark.price if known else None,
            )
        )
        return
    state.accounts.apply_mark_prices(command.marks)
    events.extend(MarkPriceChanged(symbol=mark.symbol, mark_price=mark.price, time_ns=state.now_ns) for mark in command.marks)


def advance(state: VenueState, events: list[AnyEvent]) -> None:
    """Note that time has passed; what is due would fire here."""
    events.append(TimeAdvanced(time_ns=state.now_ns))
