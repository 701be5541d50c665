"""What a fill would do to one side, and whether that side may have it (MARG-012 to MARG-014, MARG-017)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from exchange.accounts.margin import MarginPath, path_of
from exchange.accounts.position import Account, Position
from exchange.accounts.risk import Leg, LegEffect, ProposedFill
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
        return min(fee_on(notional, instrument.liquidation_fee), surplus)
    if leg is fill.taker:
        return fee_on(notional, instrument.taker_fee)
    fee = fee_on(notional, instrument.maker_fee)
    return max(0, fee) if fill.taker.terms is not None else fee


def realized_by(position: Position, closed: Lots, value: Cash) -> tuple[Cash, Cash]:
    """Return what closing lots for the signed trade ``value`` realises, and the entry cost that goes with them."""
    cost = closed_cost(position.entry_cost, closed, position.quantity)
    return -value - cost, cost


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
    path, instrument = path_of(position), position.instrument
    fee = leg_fee(instrument, fill, leg)
    value = leg.sign * notional_value(instrument, fill.quantity, fill.price)
    quantity = position.quantity + leg.sign * fill.quantity
    if position.quantity * leg.sign >= 0:
        return _check_increase(path, account, position, marks, fill, leg, fee, quantity, value, available)
    realized, cost = realized_by(position, fill.quantity, value)
    if leg.terms is not None or account.account == INSURANCE_FUND:
        return LegCheck(LegEffect(quantity, realized, fee, 0, 0, True), None)
    payout = path.payout(position, fill.quantity, realized - fee)
    wallet = path.wallet(account, position).balance + realized - fee
    now = path.risk(account, position, marks)
    # The last lot takes the wallet with it: what the scope is left with is then what it pays out.
    left = wallet if quantity == 0 else wallet - payout
    then = path.risk_after(account, position, marks, quantity, position.entry_cost - cost, left)
    no_worse = then.equity * now.maintenance_margin >= now.equity * then.maintenance_margin
    if then.equity < 0 or (then.equity < then.maintenance_margin and not no_worse):
        return LegCheck(None, Reason.REDUCE_BELOW_MAINTENANCE)
    return LegCheck(LegEffect(quantity, realized, fee, 0, payout, True), None)


def _check_increase(
    path: MarginPath,
    account: Account,
    position: Position,
    marks: Mapping[Symbol, Ticks],
    fill: ProposedFill,
    leg: Leg,
    fee: Cash,
    quantity: Lots,
    value: Cash,
    available: Callable[[], Cash],
) -> LegCheck:
    instrument, mark, leverage = position.instrument, marks[position.symbol], position.leverage
    notional = notional_value(instrument, quantity, mark)
    if leverage > tier_at(instrument.tiers, notional).max_leverage:
        return LegCheck(None, Reason.FILL_CHECK_FAILED)
    entry_cost = position.entry_cost + value
    usual = isolated_fill_margin(instrument, leg.sign, fill.quantity, fill.price, mark, leverage, fee)
    equity = position.wallet.balance - fee + unrealized_pnl(instrument, quantity, entry_cost, mark)
    needed = initial_margin(instrument, quantity, mark, leverage) - equity
    margin_in = path.fill_margin(usual, needed, available)
    if margin_in is None:
        return LegCheck(None, Reason.FILL_CHECK_FAILED)
    wallet = path.wallet(account, position).balance + margin_in - fee
    then = path.risk_after(account, position, marks, quantity, entry_cost, wallet)
    if then.equity < then.initial_margin:
        return LegCheck(None, Reason.FILL_CHECK_FAILED)
    return LegCheck(LegEffect(quantity, 0, fee, margin_in, 0, False), None)
