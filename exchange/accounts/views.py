"""Frozen pictures of accounts and positions, with the health of the scope behind each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exchange.accounts.collateral import CollateralBook
from exchange.accounts.cross import pool_risk
from exchange.accounts.entry import available_of, settlement_part, with_profit
from exchange.accounts.ledger import Ledger
from exchange.accounts.liquidation_prices import position_liquidation_price
from exchange.accounts.margin import path_of
from exchange.accounts.order_margin import order_margin
from exchange.accounts.position import Account, Position
from exchange.accounts.risk import Risk
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.ids import SETTLEMENT_ASSET, AccountId, Symbol
from exchange.domain.margin_math import (
    bankruptcy_price,
    effective_leverage,
    margin_ratio,
    notional_value,
    unrealized_pnl,
)
from exchange.domain.units import Ticks
from exchange.domain.views import AccountView, AssetFundView, CollateralView, FundView, PositionView, ScopeView


def view_account(account: Account, marks: Mapping[Symbol, Ticks], collateral: CollateralBook) -> AccountView:
    """Return an account's cross pool, and its exposure over all scopes (MARG-005, MARG-009, MARG-020)."""
    pool = pool_risk(account, marks)
    available = available_of(account, pool, marks)
    isolated, notional = 0, pool.notional
    for position in isolated_positions(account):
        risk = path_of(position).risk(account, position, marks)
        isolated += risk.equity
        notional += risk.notional
    return AccountView(
        account=account.account,
        wallet_balance=account.wallet.balance,
        equity=pool.equity,
        initial_margin=pool.initial_margin,
        maintenance_margin=pool.maintenance_margin,
        order_margin=sum(order_margin(held, marks.get(held.symbol)) for held in account.positions.values()),
        available_balance=with_profit(account, pool, available),
        margin_ratio=margin_ratio(pool.equity, pool.maintenance_margin),
        bankrupt=pool.equity <= 0 and pool.maintenance_margin > 0,
        total_equity=pool.equity + isolated,
        withdrawable=max(0, settlement_part(account, marks, available)),
        notional=notional,
        effective_leverage=effective_leverage(notional, pool.equity + isolated),
        position_mode=account.position_mode,
        collateral=tuple(
            CollateralView(asset, held.balance, collateral.value(asset, held.balance))
            for asset, held in sorted(account.collateral.items())
        ),
        collateral_value=account.collateral_value,
        liquidating=account.liquidation_id is not None,
    )


def isolated_positions(account: Account) -> Iterator[Position]:
    """Yield the account's open isolated positions, by name."""
    for _, position in sorted(account.positions.items()):
        if position.quantity and position.margin_mode is MarginMode.ISOLATED:
            yield position


def view_scopes(account: Account, marks: Mapping[Symbol, Ticks]) -> tuple[ScopeView, ...]:
    """Return the health of every scope with a position: the cross scope, then isolated positions by name (MARG-020)."""
    scopes = []
    pool = pool_risk(account, marks)
    if pool.maintenance_margin:
        scopes.append(_view_scope(account.account, pool, None, account.liquidation_id is not None))
    for position in isolated_positions(account):
        risk = path_of(position).risk(account, position, marks)
        scopes.append(_view_scope(account.account, risk, position, position.liquidation_id is not None))
    return tuple(scopes)


def _view_scope(account: AccountId, risk: Risk, position: Position | None, liquidating: bool) -> ScopeView:
    return ScopeView(
        account=account,
        path=MarginMode.CROSS if position is None else MarginMode.ISOLATED,
        symbol=None if position is None else position.symbol,
        position_side=PositionSide.NET if position is None else position.position_side,
        equity=risk.equity,
        maintenance_margin=risk.maintenance_margin,
        notional=risk.notional,
        margin_ratio=margin_ratio(risk.equity, risk.maintenance_margin),
        bankrupt=risk.equity <= 0,
        liquidating=liquidating,
    )


def view_position(account: Account, position: Position, marks: Mapping[Symbol, Ticks]) -> PositionView:
    """Return one position (MARG-005, MARG-006); prices are None where there is no position to have them."""
    path, instrument, mark, quantity = path_of(position), position.instrument, marks.get(position.symbol), position.quantity
    if mark is None or not quantity:
        return _flat_view(account, position, mark, marks)
    risk = path.risk(account, position, marks)
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
        initial_margin=position.initial_margin(mark),
        maintenance_margin=position.maintenance_margin(mark),
        order_margin=order_margin(position, mark),
        scope_equity=risk.equity,
        margin_ratio=margin_ratio(risk.equity, risk.maintenance_margin),
        bankrupt=risk.equity <= 0,
        liquidation_price=position_liquidation_price(account, position, marks),
        bankruptcy_price=bankrupt_at if bankrupt_at > 0 else None,
        liquidating=path.is_liquidating(account, position),
        position_side=position.position_side,
        notional=notional_value(instrument, quantity, mark),
        effective_leverage=effective_leverage(notional_value(instrument, quantity, mark), risk.equity),
        auto_replenish=position.auto_replenish,
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
        position_side=position.position_side,
        notional=0,
        effective_leverage=None,
        auto_replenish=position.auto_replenish,
    )


def view_funds(ledger: Ledger, marks: Mapping[Symbol, Ticks]) -> FundView:
    """Return the system's own money (CONS-001)."""
    fund = ledger.fund
    held = tuple(position for _, position in sorted(fund.positions.items()) if position.quantity)
    return FundView(
        net_deposits=ledger.net_deposits[SETTLEMENT_ASSET],
        fees=ledger.fees.balance,
        insurance_fund_wallet=fund.wallet.balance,
        insurance_fund_equity=pool_risk(fund, marks).equity,
        insurance_fund_positions=tuple(view_position(fund, position, marks) for position in held),
        assets=tuple(
            AssetFundView(asset, deposits, fund.holding(asset).balance)
            for asset, deposits in sorted(ledger.net_deposits.items())
            if asset != SETTLEMENT_ASSET
        ),
    )
