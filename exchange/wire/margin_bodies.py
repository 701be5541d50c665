"""Margin health, funding and the movements of money: from the core's views to what the peer reads."""

from __future__ import annotations

from collections.abc import Iterable

from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.events import (
    CloseOutVenue,
    CollateralSold,
    FundingPaid,
    FundingSettled,
    LossSocialized,
    MarginCalled,
    PositionTransferred,
)
from exchange.domain.ids import PositionId, Symbol
from exchange.domain.instrument import Instrument
from exchange.domain.margin_math import margin_ratio
from exchange.domain.units import TimeNs, format_cash, format_rate
from exchange.domain.views import AccountView, FundingView, LedgerEntry, ScopeHealth, ScopeView
from exchange.wire import margin_messages as wire
from exchange.wire.assets import Assets
from exchange.wire.bodies import (
    account_body,
    average_price,
    funding_text,
    optional_time_us,
    price_text,
    rate_text,
    time_us,
)


def health_body(health: ScopeHealth) -> wire.HealthBody:
    """Return a scope at one moment."""
    return wire.HealthBody(
        equity=format_cash(health.equity),
        maintenance_margin=format_cash(health.maintenance_margin),
        notional=format_cash(health.notional),
    )


def margin_body(scopes: Iterable[ScopeView], time_ns: TimeNs) -> wire.MarginBody:
    """Return how every scope of an account stands (MARG-020)."""
    return wire.MarginBody(scopes=tuple(scope_body(scope) for scope in scopes), time_us=time_us(time_ns))


def scope_body(scope: ScopeView) -> wire.ScopeBody:
    """Return how one scope stands (MARG-020)."""
    return wire.ScopeBody(
        path=scope.path.value,
        symbol=scope.symbol,
        position_side=scope.position_side.value,
        equity=format_cash(scope.equity),
        maintenance_margin=format_cash(scope.maintenance_margin),
        notional=format_cash(scope.notional),
        margin_ratio=rate_text(scope.margin_ratio),
        bankrupt=scope.bankrupt,
        liquidating=scope.liquidating,
    )


def margin_call_body(event: MarginCalled) -> wire.MarginCallBody:
    """Return the warning of a scope's owner (MARG-020)."""
    health = event.health
    return wire.MarginCallBody(
        path=event.path.value,
        symbol=event.symbol,
        position_side=event.position_side.value,
        level=format_rate(event.level),
        margin_ratio=rate_text(margin_ratio(health.equity, health.maintenance_margin)),
        health=health_body(health),
        time_us=time_us(event.time_ns),
    )


def account_update_body(account: AccountView, assets: Assets) -> wire.AccountUpdateBody:
    """Return an account's cross pool as the channel ``account`` tells it."""
    body = account_body(account, assets)
    return wire.AccountUpdateBody(**{name: getattr(body, name) for name in body.__struct_fields__})


def funding_body(instrument: Instrument, funding: FundingView, time_ns: TimeNs) -> wire.FundingBody:
    """Return how a symbol's funding stands (FUND-001, FUND-002)."""
    return wire.FundingBody(
        symbol=funding.symbol,
        index_price=price_text(instrument, funding.index_price),
        premium=funding_text(funding.premium),
        funding_rate=funding_text(funding.funding_rate),
        last_funding_rate=funding_text(funding.last_funding_rate),
        next_funding_time_us=optional_time_us(funding.next_funding_time_ns),
        time_us=time_us(time_ns),
    )


def funding_settled_body(instrument: Instrument, event: FundingSettled) -> wire.FundingSettledBody:
    """Return that a symbol's funding was paid (FUND-003)."""
    return wire.FundingSettledBody(
        symbol=event.symbol,
        funding_rate=funding_text(event.funding_rate),
        premium=funding_text(event.premium),
        mark_price=instrument.price_grid.format(event.mark_price),
        residual=format_cash(event.residual),
        payments=event.payments,
        next_funding_time_us=time_us(event.next_funding_time_ns),
        time_us=time_us(event.time_ns),
    )


def funding_payment_body(instrument: Instrument, event: FundingPaid, time_ns: TimeNs) -> wire.FundingPaymentBody:
    """Return what funding gave a position or took from it (FUND-003)."""
    return wire.FundingPaymentBody(
        symbol=event.symbol,
        position_side=event.position_side.value,
        quantity=instrument.quantity_grid.format(event.quantity),
        funding_rate=funding_text(event.funding_rate),
        amount=format_cash(event.amount),
        wallet_balance=format_cash(event.wallet_balance),
        time_us=time_us(time_ns),
    )


def deleverage_body(instrument: Instrument, event: PositionTransferred, time_ns: TimeNs) -> wire.DeleverageBody:
    """Return what a transfer did to the position of the opposite account (LIQ-008, LIQ-009)."""
    return wire.DeleverageBody(
        liquidation_id=event.liquidation_id,
        venue="residual" if event.venue is CloseOutVenue.RESIDUAL else "auto_deleverage",
        symbol=event.symbol,
        position_side=event.counterparty_side.value,
        side=event.side.opposite.value,
        quantity=instrument.quantity_grid.format(event.quantity),
        price=average_price(instrument, event.value, event.quantity),
        value=format_cash(event.value),
        realized_pnl=format_cash(event.counterparty_realized_pnl),
        time_us=time_us(time_ns),
    )


def socialized_loss_body(event: LossSocialized, time_ns: TimeNs) -> wire.SocializedLossBody:
    """Return an account's part of a loss that the fund could not pay (LIQ-009)."""
    return wire.SocializedLossBody(
        liquidation_id=event.liquidation_id,
        symbol=event.symbol,
        position_side=event.position_side.value,
        amount=format_cash(event.amount),
        time_us=time_us(time_ns),
    )


def collateral_sale_body(event: CollateralSold, assets: Assets, time_ns: TimeNs) -> wire.CollateralSaleBody:
    """Return what collateral brought (MARG-026)."""
    return wire.CollateralSaleBody(
        asset=event.asset,
        quantity=assets.format(event.asset, event.quantity),
        proceeds=format_cash(event.proceeds),
        time_us=time_us(time_ns),
    )


def ledger_entry_body(
    entry: LedgerEntry, assets: Assets, *, number: int, sequence: int, time_ns: TimeNs
) -> wire.LedgerEntryBody:
    """Return one movement of money with its place in the account's ledger (MARG-028)."""
    symbol, side = (None, None) if entry.position_id is None else _names_of(entry.position_id)
    wallet = MarginMode.CROSS if symbol is None else MarginMode.ISOLATED
    return wire.LedgerEntryBody(
        number=number,
        sequence=sequence,
        time_us=time_us(time_ns),
        asset=entry.asset,
        wallet=wallet.value,
        symbol=symbol,
        position_side=None if side is None else side.value,
        kind=entry.kind.value,
        amount=assets.format(entry.asset, entry.amount),
        balance=assets.format(entry.asset, entry.balance),
    )


def _names_of(position_id: PositionId) -> tuple[Symbol, PositionSide]:
    """Return what ``domain.ids.position_id`` made the name of."""
    symbol, _, side = position_id.partition("/")
    return symbol, PositionSide(side) if side else PositionSide.NET
