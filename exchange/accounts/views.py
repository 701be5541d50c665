"""Frozen pictures of accounts and positions, with the health of the scope behind each."""

from __future__ import annotations

from collections.abc import Mapping

from exchange.accounts.cross import pool_risk
from exchange.accounts.entry import available_balance
from exchange.accounts.ledger import Ledger
from exchange.accounts.margin import path_of
from exchange.accounts.order_margin import order_margin
from exchange.accounts.position import Account, Position
from exchange.domain.enums import MarginMode
from exchange.domain.ids import Symbol
from exchange.domain.margin_math import (
    bankruptcy_price,
    initial_margin,
    liquidation_price,
    maintenance_margin,
    margin_ratio,
    unrealized_pnl,
)
from exchange.domain.units import Ticks
from exchange.domain.views import AccountView, FundView, PositionView


def view_account(account: Account, marks: Mapping[Symbol, Ticks]) -> AccountView:
    """Return an account's cross pool (MARG-005, MARG-009)."""
    pool = pool_risk(account, marks)
    isolated = 0
    for position in account.positions.values():
        if position.quantity and position.margin_mode is MarginMode.ISOLATED:
            isolated += path_of(position).risk(account, position, marks).equity
    return AccountView(
        account=account.account,
        wallet_balance=account.wallet.balance,
        equity=pool.equity,
        initial_margin=pool.initial_margin,
        maintenance_margin=pool.maintenance_margin,
        order_margin=sum(order_margin(position, marks.get(symbol)) for symbol, position in account.positions.items()),
        available_balance=available_balance(account, marks),
        margin_ratio=margin_ratio(pool.equity, pool.maintenance_margin),
        bankrupt=pool.equity <= 0 and pool.maintenance_margin > 0,
        total_equity=pool.equity + isolated,
    )


def view_position(account: Account, position: Position, marks: Mapping[Symbol, Ticks]) -> PositionView:
    """Return one position (MARG-005, MARG-006); prices are None where there is no position to have them."""
    path, instrument, mark, quantity = path_of(position), position.instrument, marks.get(position.symbol), position.quantity
    if mark is None or not quantity:
        return _flat_view(account, position, mark, marks)
    risk = path.risk(account, position, marks)
    collateral = path.collateral(account, position, marks)
    bankrupt_at = bankruptcy_price(instrument, quantity, mark, path.equity_share(account, position, marks))
    return PositionView(
        account=account.account,
        symbol=position.symbol,
        quantity=quantity,
        entry_cost=position.entry_cost,
        mark_price=mark,
        unrealized_pnl=unrealized_pnl(instrument, quantity, position.entry_cost, mark),
        margin_mode=position.margin_mode,
        leverage=position.leverage,
        isolated_wallet=position.wallet.balance,
        initial_margin=initial_margin(instrument, quantity, mark, position.leverage),
        maintenance_margin=maintenance_margin(instrument, quantity, mark),
        order_margin=order_margin(position, mark),
        scope_equity=risk.equity,
        margin_ratio=margin_ratio(risk.equity, risk.maintenance_margin),
        bankrupt=risk.equity <= 0,
        liquidation_price=liquidation_price(instrument, quantity, position.entry_cost, collateral, mark),
        bankruptcy_price=bankrupt_at if bankrupt_at > 0 else None,
        liquidating=path.is_liquidating(account, position),
    )


def _flat_view(account: Account, position: Position, mark: Ticks | None, marks: Mapping[Symbol, Ticks]) -> PositionView:
    path = path_of(position)
    return PositionView(
        account=account.account,
        symbol=position.symbol,
        quantity=0,
        entry_cost=0,
        mark_price=mark,
        unrealized_pnl=0,
        margin_mode=position.margin_mode,
        leverage=position.leverage,
        isolated_wallet=position.wallet.balance,
        initial_margin=0,
        maintenance_margin=0,
        order_margin=order_margin(position, mark),
        scope_equity=path.wallet(account, position).balance,
        margin_ratio=None,
        bankrupt=False,
        liquidation_price=None,
        bankruptcy_price=None,
        liquidating=path.is_liquidating(account, position),
    )


def view_funds(ledger: Ledger, marks: Mapping[Symbol, Ticks]) -> FundView:
    """Return the system's own money (CONS-001)."""
    fund = ledger.fund
    held = tuple(position for _, position in sorted(fund.positions.items()) if position.quantity)
    return FundView(
        net_deposits=ledger.net_deposits,
        fees=ledger.fees.balance,
        insurance_fund_wallet=fund.wallet.balance,
        insurance_fund_equity=pool_risk(fund, marks).equity,
        insurance_fund_positions=tuple(view_position(fund, position, marks) for position in held),
    )
