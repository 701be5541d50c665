"""May an owner change this? Settings, margin and money, with positions and orders open (MARG-015 to MARG-027).

What a change would leave is computed on a copy of the account, by the functions that will value the real one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from exchange.accounts.collateral import CollateralBook
from exchange.accounts.cross import pool_risk
from exchange.accounts.entry import available_money, available_settlement, available_to, potential_notional
from exchange.accounts.margin import path_of
from exchange.accounts.position import Account, Position
from exchange.accounts.risk import ChangeCheck, Risk, Scope
from exchange.domain.commands import (
    AddMargin,
    RemoveMargin,
    SetAutoReplenish,
    SetLeverage,
    SetMarginMode,
    SetPositionMode,
    Withdraw,
)
from exchange.domain.enums import MarginMode
from exchange.domain.ids import SETTLEMENT_ASSET, Symbol
from exchange.domain.instrument import Instrument
from exchange.domain.margin_math import initial_margin, tier_at, unrealized_pnl
from exchange.domain.rejects import Reason
from exchange.domain.units import Cash, Ticks

PositionChange: TypeAlias = SetMarginMode | SetLeverage | SetAutoReplenish | AddMargin | RemoveMargin
AccountChange: TypeAlias = PositionChange | Withdraw | SetPositionMode

GRANTED = ChangeCheck(None)


class Surroundings(NamedTuple):
    """What a change is judged by beside the account itself."""

    instruments: Mapping[Symbol, Instrument]
    marks: Mapping[Symbol, Ticks]
    collateral: CollateralBook
    has_stale_mark: Callable[[Scope], bool]


def check_change(account: Account, change: AccountChange, around: Surroundings) -> ChangeCheck:
    """Return whether the change may go through, the bound that it misses, and the margin that moves with it."""
    match change:
        case Withdraw():
            return _check_withdrawal(account, change, around)
        case SetPositionMode():
            return GRANTED if all(held.is_idle for held in account.positions.values()) else ChangeCheck(Reason.POSITION_OPEN)
        case _:
            position = account.position(around.instruments[change.symbol], change.position_side)
            return _check_position_change(account, position, change, around)


def _check_position_change(account: Account, position: Position, change: PositionChange, around: Surroundings) -> ChangeCheck:
    match change:
        case SetLeverage():
            return _check_leverage(account, position, change.leverage, around.marks)
        case SetMarginMode():
            return _check_mode(account, position, change, around)
        case AddMargin() | RemoveMargin():
            return _check_margin_move(account, position, change, around)
        case SetAutoReplenish():
            return GRANTED


def removable_margin(account: Account, position: Position, marks: Mapping[Symbol, Ticks]) -> Cash:
    """Return the most that may be taken out of an isolated position's wallet (MARG-016)."""
    risk = path_of(position).risk(account, position, marks)
    return max(0, min(position.wallet.balance, risk.equity - risk.initial_margin))


def _check_margin_move(
    account: Account, position: Position, change: AddMargin | RemoveMargin, around: Surroundings
) -> ChangeCheck:
    amount = change.amount
    if position.margin_mode is not MarginMode.ISOLATED or not position.quantity:
        return ChangeCheck(Reason.NOT_ISOLATED)
    if amount <= 0:
        return ChangeCheck(Reason.AMOUNT_NOT_POSITIVE, 1, amount)
    if isinstance(change, AddMargin):
        most = max(0, available_settlement(account, around.marks))
        return ChangeCheck(Reason.ADD_ABOVE_AVAILABLE if amount > most else None, most, amount, amount)
    if position.liquidation_id is not None:
        return ChangeCheck(Reason.LIQUIDATION_IN_PROGRESS)
    if around.has_stale_mark(path_of(position).scope(position)):
        return ChangeCheck(Reason.MARK_STALE)
    most = removable_margin(account, position, around.marks)
    return ChangeCheck(Reason.REMOVE_ABOVE_MAXIMUM if amount > most else None, most, amount, -amount)


def _check_withdrawal(account: Account, change: Withdraw, around: Surroundings) -> ChangeCheck:
    if change.amount <= 0:
        return ChangeCheck(Reason.AMOUNT_NOT_POSITIVE, 1, change.amount)
    if account.liquidation_id is not None:
        return ChangeCheck(Reason.LIQUIDATION_IN_PROGRESS)
    if around.has_stale_mark(Scope(account.account, None)):
        return ChangeCheck(Reason.MARK_STALE)
    if change.asset == SETTLEMENT_ASSET:
        most = max(0, available_settlement(account, around.marks))
    else:
        most = around.collateral.spare(account, change.asset, available_money(account, around.marks))
    return ChangeCheck(Reason.WITHDRAW_ABOVE_AVAILABLE if change.amount > most else None, most, change.amount)


def _check_leverage(account: Account, position: Position, leverage: int, marks: Mapping[Symbol, Ticks]) -> ChangeCheck:
    """Judge a leverage: raising moves no money, lowering an isolated position's may have to add margin (MARG-022)."""
    instrument = position.instrument
    if not 1 <= leverage <= instrument.max_leverage:
        return ChangeCheck(Reason.LEVERAGE_RANGE, instrument.max_leverage, leverage)
    if path_of(position).is_liquidating(account, position):
        return ChangeCheck(Reason.LIQUIDATION_IN_PROGRESS)
    if position.is_idle:
        return GRANTED
    mark = marks[position.symbol]
    most = tier_at(instrument.tiers, potential_notional(position, 0, mark)).max_leverage
    if leverage > max(most, position.leverage):
        return ChangeCheck(Reason.LEVERAGE_TIER, most, leverage)
    margin = 0
    if position.margin_mode is MarginMode.ISOLATED and leverage < position.leverage:
        needed = initial_margin(instrument, position.quantity, position.entry_cost, mark, leverage)
        margin = max(0, needed - path_of(position).risk(account, position, marks).equity)

    def change(twin: Account, held: Position) -> None:
        held.leverage = leverage
        _move(twin, held, margin)

    before, after = available_to(account, position, marks), _available_after(account, position, change, marks)
    if after < 0 and (after < before or margin):
        return ChangeCheck(Reason.LEVERAGE_INSUFFICIENT, before, before - after)
    return ChangeCheck(None, margin=margin)


def _check_mode(account: Account, position: Position, change: SetMarginMode, around: Surroundings) -> ChangeCheck:
    """Both scopes change at once or not at all (MARG-021)."""
    if path_of(position).is_liquidating(account, position):
        return ChangeCheck(Reason.LIQUIDATION_IN_PROGRESS)
    if position.is_idle or change.margin_mode is position.margin_mode:
        return GRANTED
    if account.liquidation_id is not None or position.liquidation_id is not None:
        return ChangeCheck(Reason.LIQUIDATION_IN_PROGRESS)
    scopes = (Scope(account.account, None), Scope(account.account, position.position_id))
    if any(around.has_stale_mark(scope) for scope in scopes):
        return ChangeCheck(Reason.MARK_STALE)
    if change.margin_mode is MarginMode.ISOLATED:
        return _check_to_isolated(account, position, change.margin, around.marks)
    return _check_to_cross(account, position, around.marks)


def _check_to_isolated(account: Account, position: Position, chosen: Cash | None, marks: Mapping[Symbol, Ticks]) -> ChangeCheck:
    mark, usual = marks[position.symbol], 0
    if position.quantity:
        profit = unrealized_pnl(position.instrument, position.quantity, position.entry_cost, mark)
        usual = position.initial_margin(mark) + max(0, -profit)
    margin = usual if chosen is None or not position.quantity else chosen
    if margin < usual:
        return ChangeCheck(Reason.SWITCH_MARGIN_MIN, usual, margin)

    def change(twin: Account, held: Position) -> None:
        held.margin_mode = MarginMode.ISOLATED
        _move(twin, held, margin)

    after = _available_after(account, position, change, marks)
    if after < 0:
        return ChangeCheck(Reason.SWITCH_INSUFFICIENT, margin + after, margin)
    return ChangeCheck(None, margin=margin)


def _check_to_cross(account: Account, position: Position, marks: Mapping[Symbol, Ticks]) -> ChangeCheck:
    margin = -position.wallet.balance
    twin = account.copy()
    held = twin.positions[position.position_id]
    held.margin_mode = MarginMode.CROSS
    _move(twin, held, margin)
    before, after = pool_risk(account, marks), pool_risk(twin, marks)
    if after.equity < after.initial_margin and _rises(before, after):
        return ChangeCheck(Reason.SWITCH_INSUFFICIENT, after.equity, after.initial_margin)
    return ChangeCheck(None, margin=margin)


def _rises(before: Risk, after: Risk) -> bool:
    """Return whether the margin ratio would be higher, by cross-multiplication; without positions it was 0."""
    if not before.maintenance_margin or after.equity <= 0:
        return after.maintenance_margin > 0
    return before.equity > 0 and after.maintenance_margin * before.equity > before.maintenance_margin * after.equity


def _available_after(
    account: Account, position: Position, change: Callable[[Account, Position], None], marks: Mapping[Symbol, Ticks]
) -> Cash:
    twin = account.copy()
    held = twin.positions[position.position_id]
    change(twin, held)
    return available_to(twin, held, marks)


def _move(twin: Account, held: Position, margin: Cash) -> None:
    """Move money between the wallets of a copy, which no ledger keeps."""
    twin.wallet.balance -= margin
    held.wallet.balance += margin
