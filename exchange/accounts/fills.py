"""What a fill would do to one side, and whether that side may have it (MARG-012 to MARG-014, MARG-017)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from exchange.accounts.margin import path_of
from exchange.accounts.position import Account, Position
from exchange.accounts.risk import Holding, Leg, LegEffect, ProposedFill
from exchange.domain.ids import INSURANCE_FUND, Symbol
from exchange.domain.instrument import Instrument
from exchange.domain.margin_math import (
    closed_cost,
    fee_on,
    initial_margin,
    isolated_fill_margin,
    liquidation_surplus,
    notional_value,
    tier_at,
    unrealized_pnl,
)
from exchange.domain.policy import LiquidationSurplus
from exchange.domain.rejects import Reason
from exchange.domain.units import Cash, Lots, Ticks


class LegCheck(NamedTuple):
    """What the fill would do to a leg, or why it may not."""

    effect: LegEffect | None
    reason: Reason | None


def leg_fee(instrument: Instrument, fill: ProposedFill, leg: Leg) -> Cash:
    """Return the fee of one side; negative for a maker's rebate (LIQ-006, MARG-017)."""
    notional = notional_value(instrument, fill.quantity, fill.price)
    if leg.terms is not None:
        surplus = liquidation_surplus(instrument, leg.terms.quantity, fill.price, leg.terms.value, fill.quantity)
        if instrument.rules.liquidation_surplus is LiquidationSurplus.FUND:
            return surplus
        rate = instrument.liquidation_fee if leg.terms.fee is None else leg.terms.fee
        return min(fee_on(notional, rate), surplus)
    if leg is fill.taker:
        return fee_on(notional, instrument.taker_fee)
    fee = fee_on(notional, instrument.maker_fee)
    return max(0, fee) if fill.taker.terms is not None else fee


def realized_by(position: Position, closed: Lots, value: Cash) -> tuple[Cash, Cash]:
    """Return what closing lots for the signed trade ``value`` realises, and the entry cost that goes with them."""
    cost = closed_cost(position.entry_cost, closed, position.quantity)
    return -value - cost, cost


class _Case(NamedTuple):
    """One side of a proposed fill, with all that decides on it."""

    account: Account
    position: Position
    marks: Mapping[Symbol, Ticks]
    fill: ProposedFill
    leg: Leg
    available: Callable[[], Cash]
    fee: Cash
    value: Cash
    """Signed: what the fill costs a buyer."""
    quantity: Lots
    """The position afterwards."""


def check_leg(
    account: Account,
    position: Position,
    marks: Mapping[Symbol, Ticks],
    fill: ProposedFill,
    leg: Leg,
    available: Callable[[], Cash],
) -> LegCheck:
    """Return the effect of a fill on one side, or the rule that it breaks.

    ``available`` gives the account's available balance with the filling order's own reservation counted as free; it is
    asked for only where the path needs it.
    """
    fee = leg_fee(position.instrument, fill, leg)
    value = leg.sign * notional_value(position.instrument, fill.quantity, fill.price)
    quantity = position.quantity + leg.sign * fill.quantity
    case = _Case(account, position, marks, fill, leg, available, fee, value, quantity)
    return _check_increase(case) if position.quantity * leg.sign >= 0 else _check_reduction(case)


def _check_reduction(case: _Case) -> LegCheck:
    """Judge a fill that reduces (MARG-013); liquidation fills and the fund's own are not margin-checked."""
    account, position, path, fee = case.account, case.position, path_of(case.position), case.fee
    realized, cost = realized_by(position, case.fill.quantity, case.value)
    if case.leg.terms is not None or account.account == INSURANCE_FUND:
        return LegCheck(LegEffect(case.quantity, realized, fee, 0, 0, True), None)
    payout = path.payout(position, case.fill.quantity, realized - fee)
    wallet = path.wallet(account, position).balance + realized - fee
    # The last lot takes the wallet with it: what the scope is left with is then what it pays out.
    left = wallet if case.quantity == 0 else wallet - payout
    now = path.risk(account, position, case.marks)
    then = path.risk_after(account, position, case.marks, Holding(case.quantity, position.entry_cost - cost, left))
    no_worse = then.equity * now.maintenance_margin >= now.equity * then.maintenance_margin
    if then.equity < 0 or (then.is_breached and not no_worse):
        return LegCheck(None, Reason.REDUCE_BELOW_MAINTENANCE)
    return LegCheck(LegEffect(case.quantity, realized, fee, 0, payout, True), None)


def _check_increase(case: _Case) -> LegCheck:
    """Judge a fill that increases, and find what an isolated wallet has to be given for it (MARG-012)."""
    account, position, path, fee = case.account, case.position, path_of(case.position), case.fee
    instrument, mark, leverage = position.instrument, case.marks[position.symbol], position.leverage
    if leverage > tier_at(instrument.tiers, notional_value(instrument, case.quantity, mark)).max_leverage:
        return LegCheck(None, Reason.FILL_CHECK_FAILED)
    entry_cost = position.entry_cost + case.value
    usual = isolated_fill_margin(instrument, case.leg.sign, case.fill.quantity, case.fill.price, mark, leverage, fee)
    equity = position.wallet.balance - fee + unrealized_pnl(instrument, case.quantity, entry_cost, mark)
    needed = initial_margin(instrument, case.quantity, entry_cost, mark, leverage) - equity
    margin_in = path.fill_margin(usual, needed, case.available)
    if margin_in is None:
        return LegCheck(None, Reason.FILL_CHECK_FAILED)
    wallet = path.wallet(account, position).balance + margin_in - fee
    then = path.risk_after(account, position, case.marks, Holding(case.quantity, entry_cost, wallet))
    if then.equity < then.initial_margin:
        return LegCheck(None, Reason.FILL_CHECK_FAILED)
    return LegCheck(LegEffect(case.quantity, 0, fee, margin_in, 0, False), None)
