"""From the core's views to what the peer reads: whole numbers become decimal strings, nanoseconds microseconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from exchange.domain.enums import Liquidity, Side
from exchange.domain.events import FillSide, TradeExecuted
from exchange.domain.ids import Symbol
from exchange.domain.instrument import FundingTerms, IndexMarkTerms, Instrument
from exchange.domain.policy import MarginRules
from exchange.domain.rejects import Reason
from exchange.domain.triggers import Trigger
from exchange.domain.units import (
    CASH_DECIMALS,
    FUNDING_DECIMALS,
    Cash,
    Lots,
    Ppb,
    Ppm,
    Ticks,
    TimeNs,
    format_cash,
    format_decimal,
    format_rate,
)
from exchange.domain.views import AccountView, DepthLevel, FundingView, MarginDecision, OrderView, PositionView
from exchange.wire import messages as wire
from exchange.wire.assets import Assets

AVERAGE_PRICE_EXTRA_DECIMALS = 6
"""Decimals of an average price beyond those of the tick; shown rounded to the nearest."""
MULTIPLIER_DECIMALS_MAX = 18


def time_us(time_ns: TimeNs) -> int:
    """Return whole microseconds, rounded down. Units: ``time_ns`` nanoseconds."""
    return time_ns // 1000


def optional_time_us(time_ns: TimeNs | None) -> int | None:
    """Return whole microseconds; None stays None. Units: ``time_ns`` nanoseconds."""
    return None if time_ns is None else time_us(time_ns)


def rate_text(rate: Ppm | None) -> str | None:
    """Return parts per million as a decimal; None stays None."""
    return None if rate is None else format_rate(rate)


def funding_text(rate: Ppb) -> str:
    """Return a funding rate or premium as a decimal."""
    return format_decimal(rate, FUNDING_DECIMALS)


def price_text(instrument: Instrument, price: Ticks | None) -> str | None:
    """Return a price as a decimal string; None stays None."""
    return None if price is None else instrument.price_grid.format(price)


def average_price(instrument: Instrument, value: Cash, quantity: Lots) -> str | None:
    """Return ``value`` per unit of ``quantity`` as a price; None without a quantity. Both may be signed alike."""
    if quantity == 0:
        return None
    grid = instrument.price_grid
    scaled = abs(value) * grid.step * 10**AVERAGE_PRICE_EXTRA_DECIMALS
    per = abs(quantity) * instrument.cash_per_tick_lot
    return format_decimal((2 * scaled + per) // (2 * per), grid.decimals + AVERAGE_PRICE_EXTRA_DECIMALS)


def contract_multiplier(instrument: Instrument) -> str:
    """Return how much of the underlying one contract is; it follows from the grids and the cash per tick and lot."""
    prices, quantities = instrument.price_grid, instrument.quantity_grid
    numerator = instrument.cash_per_tick_lot * 10 ** (prices.decimals + quantities.decimals + MULTIPLIER_DECIMALS_MAX)
    denominator = prices.step * quantities.step * 10**CASH_DECIMALS
    return format_decimal(numerator // denominator, MULTIPLIER_DECIMALS_MAX)


def instrument_body(instrument: Instrument) -> wire.InstrumentBody:
    """Return an instrument with every limit that applies to it."""
    return wire.InstrumentBody(
        symbol=instrument.symbol,
        tick_size=instrument.price_grid.size,
        lot_size=instrument.quantity_grid.size,
        contract_multiplier=contract_multiplier(instrument),
        max_leverage=instrument.max_leverage,
        default_leverage=instrument.default_leverage,
        maker_fee=format_rate(instrument.maker_fee),
        taker_fee=format_rate(instrument.taker_fee),
        liquidation_fee=format_rate(instrument.liquidation_fee),
        price_band=format_rate(instrument.price_band),
        market_protection=format_rate(instrument.market_protection),
        notional_min=format_cash(instrument.notional_min),
        quantity_max=instrument.quantity_grid.format(instrument.quantity_max),
        tiers=tuple(
            wire.TierBody(
                notional_floor=format_cash(tier.notional_floor),
                maintenance_rate=format_rate(tier.maintenance_rate),
                max_leverage=tier.max_leverage,
                maintenance_amount=format_cash(tier.maintenance_amount),
            )
            for tier in instrument.tiers
        ),
        mark_source=instrument.mark_source.value,
        index_mark=None if instrument.index_mark is None else _index_mark_body(instrument.index_mark),
        funding=None if instrument.funding is None else _funding_terms_body(instrument.funding),
        margin_rules=_margin_rules_body(instrument.rules),
    )


def _margin_rules_body(rules: MarginRules) -> wire.MarginRulesBody:
    return wire.MarginRulesBody(
        maintenance_price=rules.maintenance_price.value,
        initial_margin_price=rules.initial_margin_price.value,
        close_fee_in_maintenance=rules.close_fee_in_maintenance,
        liquidate_at_equality=rules.liquidate_at_equality,
        profit_for_orders=rules.profit_for_orders,
        order_margin=rules.order_margin.value,
        order_close_fee=rules.order_close_fee,
        liquidation_price_buffer=format_rate(rules.liquidation_price_buffer),
        liquidation_surplus=rules.liquidation_surplus.value,
    )


def _index_mark_body(terms: IndexMarkTerms) -> wire.IndexMarkBody:
    return wire.IndexMarkBody(band=format_rate(terms.band), basis_window_us=time_us(terms.basis_window))


def _funding_terms_body(terms: FundingTerms) -> wire.FundingTermsBody:
    return wire.FundingTermsBody(
        interval_us=time_us(terms.interval),
        interest=funding_text(terms.interest),
        clamp=funding_text(terms.clamp),
        cap=funding_text(terms.cap),
        impact_notional=format_cash(terms.impact_notional),
    )


def decision_body(instrument: Instrument, decision: MarginDecision) -> wire.DecisionBody:
    """Return the margin arithmetic behind an accept or reject (MARG-009)."""
    return wire.DecisionBody(
        path=decision.path.value,
        required=format_cash(decision.required),
        available_before=format_cash(decision.available_before),
        available_after=format_cash(decision.available_after),
        liquidation_price=price_text(instrument, decision.liquidation_price),
    )


def order_body(
    instrument: Instrument, order: OrderView, reason: Reason | None, decision: MarginDecision | None = None
) -> wire.OrderBody:
    """Return an order as its owner sees it, with the reason if it was canceled, and what its margin check just found."""
    quantities = instrument.quantity_grid
    return wire.OrderBody(
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        position_side=order.position_side.value,
        side=order.side.value,
        order_type=order.order_type.value,
        time_in_force=order.time_in_force.value,
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        self_trade_prevention=order.self_trade_prevention.value,
        limit_price=instrument.price_grid.format(order.limit_price),
        quantity=quantities.format(order.quantity),
        filled_quantity=quantities.format(order.filled_quantity),
        open_quantity=quantities.format(order.open_quantity),
        average_fill_price=average_price(instrument, order.filled_value, order.filled_quantity),
        order_status=order.order_status.value,
        reason=None if reason is None else reason.value,
        liquidation_id=order.liquidation_id,
        time_us=time_us(order.time_ns),
        expire_time_us=optional_time_us(order.expire_time_ns),
        trigger=None if order.trigger is None else _trigger_body(instrument, order.trigger),
        margin=None if decision is None else decision_body(instrument, decision),
    )


def _trigger_body(instrument: Instrument, trigger: Trigger) -> wire.TriggerBody:
    price = instrument.price_grid.format(trigger.price)
    return wire.TriggerBody(kind=trigger.kind.value, price=price, by=trigger.by.value)


def account_body(account: AccountView, assets: Assets) -> wire.AccountBody:
    """Return an account's cross pool."""
    return wire.AccountBody(
        account=account.account,
        wallet_balance=format_cash(account.wallet_balance),
        equity=format_cash(account.equity),
        initial_margin=format_cash(account.initial_margin),
        maintenance_margin=format_cash(account.maintenance_margin),
        order_margin=format_cash(account.order_margin),
        available_balance=format_cash(account.available_balance),
        margin_ratio=rate_text(account.margin_ratio),
        bankrupt=account.bankrupt,
        total_equity=format_cash(account.total_equity),
        withdrawable=format_cash(account.withdrawable),
        notional=format_cash(account.notional),
        effective_leverage=rate_text(account.effective_leverage),
        position_mode=account.position_mode.value,
        collateral=tuple(
            wire.CollateralBody(
                asset=held.asset, balance=assets.format(held.asset, held.balance), value=format_cash(held.value)
            )
            for held in account.collateral
        ),
        collateral_value=format_cash(account.collateral_value),
        liquidating=account.liquidating,
    )


def position_body(instrument: Instrument, position: PositionView) -> wire.PositionBody:
    """Return a position with the health of the scope behind it."""
    return wire.PositionBody(
        symbol=position.symbol,
        position_side=position.position_side.value,
        quantity=instrument.quantity_grid.format(position.quantity),
        entry_price=average_price(instrument, position.entry_cost, position.quantity),
        entry_cost=format_cash(position.entry_cost),
        mark_price=price_text(instrument, position.mark_price),
        unrealized_pnl=format_cash(position.unrealized_pnl),
        margin_mode=position.margin_mode.value,
        leverage=position.leverage,
        isolated_wallet=format_cash(position.isolated_wallet),
        initial_margin=format_cash(position.initial_margin),
        maintenance_margin=format_cash(position.maintenance_margin),
        order_margin=format_cash(position.order_margin),
        scope_equity=format_cash(position.scope_equity),
        margin_ratio=rate_text(position.margin_ratio),
        bankrupt=position.bankrupt,
        liquidation_price=price_text(instrument, position.liquidation_price),
        bankruptcy_price=price_text(instrument, position.bankruptcy_price),
        liquidating=position.liquidating,
        notional=format_cash(position.notional),
        effective_leverage=rate_text(position.effective_leverage),
        auto_replenish=position.auto_replenish,
    )


def position_bodies(
    instruments: Mapping[Symbol, Instrument], positions: Iterable[PositionView]
) -> tuple[wire.PositionBody, ...]:
    """Return several positions, each on its own grid."""
    return tuple(position_body(instruments[position.symbol], position) for position in positions)


def trade_body(
    instrument: Instrument, trade_id: int, price: Ticks, quantity: Lots, taker_side: Side, liquidation: bool, time_ns: TimeNs
) -> wire.TradeBody:
    """Return a trade as everybody may see it."""
    return wire.TradeBody(
        trade_id=trade_id,
        symbol=instrument.symbol,
        price=instrument.price_grid.format(price),
        quantity=instrument.quantity_grid.format(quantity),
        taker_side=taker_side.value,
        liquidation=liquidation,
        time_us=time_us(time_ns),
    )


def fill_body(instrument: Instrument, trade: TradeExecuted, side: FillSide) -> wire.FillBody:
    """Return one account's side of a trade."""
    return wire.FillBody(
        trade_id=trade.trade_id,
        order_id=side.order.order_id,
        client_order_id=side.order.client_order_id,
        symbol=trade.symbol,
        position_side=side.order.position_side.value,
        side=side.order.side.value,
        price=instrument.price_grid.format(trade.price),
        quantity=instrument.quantity_grid.format(trade.quantity),
        liquidity="maker" if side.liquidity is Liquidity.MAKER else "taker",
        fee=format_cash(side.fee),
        realized_pnl=format_cash(side.realized_pnl),
        margin_in=format_cash(side.margin_in),
        margin_out=format_cash(side.margin_out),
        liquidation_id=trade.liquidation_id,
        time_us=time_us(trade.time_ns),
    )


def mark_body(instrument: Instrument, mark: Ticks, funding: FundingView, time_ns: TimeNs) -> wire.MarkBody:
    """Return a mark price with what it goes by; rate and time are those of instruments with funding only."""
    return wire.MarkBody(
        symbol=instrument.symbol,
        mark_price=instrument.price_grid.format(mark),
        index_price=price_text(instrument, funding.index_price),
        funding_rate=None if instrument.funding is None else funding_text(funding.funding_rate),
        next_funding_time_us=optional_time_us(funding.next_funding_time_ns),
        time_us=time_us(time_ns),
    )


def level_pairs(instrument: Instrument, levels: Iterable[DepthLevel]) -> tuple[tuple[str, str], ...]:
    """Return price levels as pairs of price and quantity, in the order given."""
    prices, quantities = instrument.price_grid, instrument.quantity_grid
    return tuple((prices.format(level.price), quantities.format(level.quantity)) for level in levels)


def side_pairs(instrument: Instrument, levels: Iterable[DepthLevel], side: Side) -> tuple[tuple[str, str], ...]:
    """Return the levels of one side as pairs of price and quantity."""
    return level_pairs(instrument, (level for level in levels if level.side is side))
