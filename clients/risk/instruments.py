"""An instrument as the server tells it to clients, as the whole-number value that the margin formulas take."""

from __future__ import annotations

from decimal import Decimal

from clients import market_data
from clients.human_units import decimal_places, plain
from exchange.domain.instrument import Instrument, TierRow, build_tiers
from exchange.domain.policy import MarginRules
from exchange.domain.units import Cash, Grid, Ppm, parse_cash, parse_rate


def domain_instrument(told: market_data.Instrument, rules: MarginRules | None = None) -> Instrument:
    """Return the same instrument in ticks, lots and cash units, exactly.

    ``rules`` stand in for the venue's own choices about margin, to see what others would make of it. Funding and index
    terms, which no margin formula looks at, are left out.
    """
    return Instrument(
        symbol=told.symbol,
        price_grid=_grid(told.tick_size),
        quantity_grid=_grid(told.lot_size),
        cash_per_tick_lot=_cash(told.tick_size * told.lot_size * told.contract_multiplier),
        tiers=build_tiers(
            TierRow(_cash(tier.notional_floor), _rate(tier.maintenance_rate), tier.max_leverage) for tier in told.tiers
        ),
        default_leverage=told.default_leverage,
        maker_fee=_rate(told.maker_fee),
        taker_fee=_rate(told.taker_fee),
        liquidation_fee=_rate(told.liquidation_fee),
        price_band=_rate(told.price_band),
        market_protection=_rate(told.market_protection),
        notional_min=_cash(told.notional_min),
        quantity_max=_grid(told.lot_size).parse(plain(told.quantity_max)),
        rules=rules or _rules(told.margin_rules),
    )


def _rules(told: market_data.MarginRules) -> MarginRules:
    return MarginRules(
        maintenance_price=told.maintenance_price,
        initial_margin_price=told.initial_margin_price,
        close_fee_in_maintenance=told.close_fee_in_maintenance,
        liquidate_at_equality=told.liquidate_at_equality,
        profit_for_orders=told.profit_for_orders,
        order_margin=told.order_margin,
        order_close_fee=told.order_close_fee,
        liquidation_price_buffer=_rate(told.liquidation_price_buffer),
        liquidation_surplus=told.liquidation_surplus,
    )


def _grid(step: Decimal) -> Grid:
    decimals = decimal_places(step)
    return Grid(int(step.scaleb(decimals)), decimals)


def _cash(amount: Decimal) -> Cash:
    return parse_cash(plain(amount))


def _rate(rate: Decimal) -> Ppm:
    return parse_rate(plain(rate))
