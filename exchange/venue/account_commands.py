"""Accounts, money in and out, settings, isolated margin, collateral prices, halts."""

from __future__ import annotations

from exchange.accounts.changes import AccountChange, PositionChange
from exchange.accounts.risk import ChangeCheck
from exchange.domain.commands import (
    AddMargin,
    CreateAccount,
    Credit,
    RemoveMargin,
    SetAutoReplenish,
    SetCollateralPrices,
    SetLeverage,
    SetMarginMode,
    SetPositionMode,
    SetTradingState,
    Withdraw,
)
from exchange.domain.enums import TradingState
from exchange.domain.events import (
    AccountCreated,
    AnyEvent,
    AutoReplenishSet,
    CollateralPriceChanged,
    CommandRejected,
    Credited,
    LeverageSet,
    MarginModeSet,
    MarginMoved,
    PositionModeSet,
    TradingStateSet,
    Withdrawn,
)
from exchange.domain.ids import INSURANCE_FUND, RESERVED_ACCOUNTS, SETTLEMENT_ASSET, AssetId, is_valid_id
from exchange.domain.rejects import Reason
from exchange.domain.units import CASH_MAX, Cash
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
    if command.account != INSURANCE_FUND and command.account not in state.accounts.accounts:
        return _reject(events, command, ChangeCheck(Reason.UNKNOWN_ACCOUNT))
    if not _is_asset(state, command.asset):
        return _reject(events, command, ChangeCheck(Reason.UNKNOWN_ASSET))
    if not 0 < command.amount <= CASH_MAX:
        return _reject(events, command, ChangeCheck(Reason.CREDIT_RANGE, CASH_MAX, command.amount))
    state.accounts.apply_deposit(command.account, command.amount, command.asset)
    balance = state.accounts.wallet(command.account, command.asset).balance
    events.append(Credited(account=command.account, amount=command.amount, wallet_balance=balance, asset=command.asset))
    return None


def _is_asset(state: VenueState, asset: AssetId) -> bool:
    return asset == SETTLEMENT_ASSET or asset in state.accounts.collateral.assets


def change(state: VenueState, events: list[AnyEvent], command: AccountChange) -> None:
    """Make an owner's change of settings, margin or money, if the account service allows it (MARG-015 to MARG-027)."""
    if command.account not in state.accounts.accounts:
        return _reject(events, command, ChangeCheck(Reason.UNKNOWN_ACCOUNT))
    if isinstance(command, Withdraw):
        if not _is_asset(state, command.asset):
            return _reject(events, command, ChangeCheck(Reason.UNKNOWN_ASSET))
    elif not isinstance(command, SetPositionMode):
        if command.symbol not in state.instruments:
            return _reject(events, command, ChangeCheck(Reason.UNKNOWN_SYMBOL))
        if not state.accounts.check_position_side(command.account, command.position_side):
            return _reject(events, command, ChangeCheck(Reason.POSITION_SIDE))
    if isinstance(command, SetPositionMode) and state.triggers.of_account(command.account):
        return _reject(events, command, ChangeCheck(Reason.POSITION_OPEN))
    check = state.accounts.check_change(command)
    if state.evidence is not None:
        state.evidence.change(command, check)
    if check.reason is not None:
        return _reject(events, command, check)
    state.accounts.apply_change(command, check.margin)
    events.append(_changed(state, command, check.margin))
    return None


def _reject(events: list[AnyEvent], command: Credit | AccountChange, check: ChangeCheck) -> None:
    assert check.reason is not None, "only a refusal is told as one"
    events.append(
        CommandRejected(
            account=command.account,
            command=type(command).__name__,
            reason=check.reason,
            symbol=getattr(command, "symbol", None),
            limit=check.limit,
            actual=check.actual,
        )
    )


def _changed(state: VenueState, command: AccountChange, margin: Cash) -> AnyEvent:
    account = command.account
    match command:
        case Withdraw():
            balance = state.accounts.wallet(account, command.asset).balance
            return Withdrawn(account=account, amount=command.amount, wallet_balance=balance, asset=command.asset)
        case SetPositionMode():
            return PositionModeSet(account=account, position_mode=command.position_mode)
        case _:
            return _position_changed(state, command, margin)


def _position_changed(state: VenueState, command: PositionChange, margin: Cash) -> AnyEvent:
    account, symbol, side = command.account, command.symbol, command.position_side
    match command:
        case SetMarginMode():
            return MarginModeSet(
                account=account, symbol=symbol, margin_mode=command.margin_mode, position_side=side, margin_moved=margin
            )
        case SetLeverage():
            return LeverageSet(
                account=account, symbol=symbol, leverage=command.leverage, position_side=side, margin_moved=margin
            )
        case SetAutoReplenish():
            return AutoReplenishSet(account=account, symbol=symbol, enabled=command.enabled, position_side=side)
        case AddMargin() | RemoveMargin():
            return MarginMoved(
                account=account,
                symbol=symbol,
                amount=margin,
                isolated_wallet=state.accounts.position(account, symbol, side).wallet.balance,
                wallet_balance=state.accounts.account(account).wallet.balance,
                position_side=side,
            )


def set_collateral_prices(state: VenueState, events: list[AnyEvent], command: SetCollateralPrices) -> None:
    """Replace prices of collateral assets; one bad price refuses the whole update (MARG-026)."""
    for price in command.prices:
        known = price.asset in state.accounts.collateral.assets
        if not known or not 0 < price.price <= CASH_MAX:
            events.append(
                CommandRejected(
                    account=None,
                    command="SetCollateralPrices",
                    reason=Reason.MARK_PRICE_RANGE if known else Reason.UNKNOWN_ASSET,
                    limit=CASH_MAX if known else None,
                    actual=price.price if known else None,
                )
            )
            return
    state.accounts.apply_collateral_prices(command.prices)
    events.extend(CollateralPriceChanged(asset=price.asset, price=price.price) for price in command.prices)


def set_trading_state(state: VenueState, events: list[AnyEvent], command: SetTradingState) -> None:
    """Halt a symbol or open it again (BOOK-017)."""
    if command.symbol not in state.instruments:
        events.append(
            CommandRejected(account=None, command="SetTradingState", reason=Reason.UNKNOWN_SYMBOL, symbol=command.symbol)
        )
        return
    if command.trading_state is TradingState.HALTED:
        state.halted.add(command.symbol)
    else:
        state.halted.discard(command.symbol)
    events.append(TradingStateSet(symbol=command.symbol, trading_state=command.trading_state))
