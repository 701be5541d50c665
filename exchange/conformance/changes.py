"""Adapters of cases about changes on open positions, and about how much a liquidation closes."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil

import msgspec

from exchange.conformance.cases import ITEMS_MAX, Adapter, Posed
from exchange.conformance.engine import OWNER, SYMBOL, Bench, Order, flat_tier, perpetual, tier_of_leverage
from exchange.conformance.numbers import (
    Figure,
    NotCoveredError,
    Scale,
    decimals_of,
    fine_scale,
    ppm,
    rounded_down,
    rounded_near,
)
from exchange.domain.closeout_math import CloseoutRisk, fraction_close, target_close, unwind_slice
from exchange.domain.margin_math import isolated_fill_margin, maintenance_margin
from exchange.domain.rejects import Reason
from exchange.domain.units import PPM, Cash, Lots

Figures = Mapping[str, Figure]
LOT_DECIMALS = 18
"""How finely a close is measured that its source cuts to nine places."""

REASONS: Mapping[Reason, str] = {
    Reason.SWITCH_INSUFFICIENT: "below_initial_margin",
    Reason.SWITCH_MARGIN_MIN: "below_initial_margin",
}
"""How a source calls what is refused here."""


def switch_to_isolated(posed: Posed) -> Figures:
    """Return what a switch of an open position with orders takes and leaves, or that it is refused (MARG-021).

    The case gives two factors of one notional: what the owner puts up and the least that is needed. The first is the
    position's leverage, the second the tier's maximum; the contracts are multiplied so that both are whole. A side is not
    given: orders at or above the mark are sells that add to a short. The source floors both margins.
    """
    given = posed.given
    orders = given.parts("orders")
    scale = fine_scale([given["entry"], *(order["price"] for order in orders)], [given["qty"], *(o["size"] for o in orders)])
    factor, least = given["margin_factor"], given["initial_margin"] / (given["entry"] * given["qty"])
    multiple, leverage = factor.numerator * least.numerator, factor.denominator * least.numerator
    instrument = perpetual(
        posed.policy, scale.cash_per_tick_lot * multiple, tier_of_leverage(least.denominator * factor.numerator), taker_fee=0
    )
    mark, wallet = scale.ticks(given["entry"]), scale.cash(given["general"] + given["margin"])
    sign = -1 if all(order["price"] >= given["entry"] for order in orders) else 1
    lots = scale.lots(given["qty"])
    bench = Bench(posed.policy, instrument)
    bench.open_account(OWNER, wallet)
    bench.set_mark(SYMBOL, mark)
    bench.hold(OWNER, SYMBOL, sign * lots, sign * lots * mark * instrument.cash_per_tick_lot, leverage=leverage)
    for order in orders:
        bench.rest(OWNER, SYMBOL, Order(sign, scale.ticks(order["price"]), scale.lots(order["size"])))
    chosen = isolated_fill_margin(instrument, sign, lots, mark, mark, leverage, 0)
    refused = bench.switch_to_isolated(OWNER, SYMBOL, chosen)
    position, account = bench.position(OWNER, SYMBOL), bench.account(OWNER)
    return {
        "accepted": refused is None,
        "reason": None if refused is None else REASONS.get(refused, refused.value),
        "position_margin": rounded_down(scale.money(position.isolated_wallet), 0),
        "order_margin": rounded_down(scale.money(position.order_margin), 0),
        "general_after": rounded_near(scale.money(account.available_balance), 0),
    }


def least_close(posed: Posed) -> Figures:
    """Return how much is closed to bring equity back to maintenance; the source cuts to nine places (LIQ-004).

    The case gives what the scope lacks and no position: one of a hundred times that much in notional stands for it. A
    price of the money itself other than one changes what it lacks.
    """
    given = posed.given
    lacking = given["shortage"] / given.get("quote_price", 1)
    if given["liquidator_fee"] + given["insurance_fee"] >= given["mmr"]:
        raise NotCoveredError("fees that eat maintenance: no close brings equity back, so none is the least")
    size = ceil(100 * lacking / given["price"])
    scale = Scale(decimals_of([given["price"]]), LOT_DECIMALS, LOT_DECIMALS + decimals_of([given["price"]]) + LOT_DECIMALS)
    instrument = perpetual(posed.policy, scale.cash_per_tick_lot, flat_tier(ppm(given["mmr"])))
    lots, mark = scale.lots(Fraction(size)), scale.ticks(given["price"])
    cost = lots * mark * scale.cash_per_tick_lot
    equity = maintenance_margin(instrument, lots, cost, mark) - _units(lacking, scale)
    close: Lots = target_close(
        CloseoutRisk(
            instrument=instrument,
            quantity=lots,
            entry_cost=cost,
            mark_price=mark,
            equity=equity,
            other_maintenance=0,
            bankruptcy_loss=equity,
            target=PPM,
            loss_rate=ppm(given["liquidator_fee"] + given["insurance_fee"]),
        )
    )
    return {"base_amount": rounded_down(scale.quantity(close), 9)}


def limits_of_close(posed: Posed) -> Figures:
    """Return the least and the most notional that one liquidation order closes by the case's fraction (LIQ-004).

    The least is what a close of no fraction at all still takes.
    """
    given = posed.given
    scale = fine_scale([Fraction(1)], [given["notional"], given["min_notional"]])
    instrument, price = perpetual(posed.policy, scale.cash_per_tick_lot), scale.ticks(Fraction(1))
    lots, least = scale.lots(given["notional"]), _units(given["min_notional"], scale)
    return {
        "min": scale.quantity(fraction_close(instrument, lots, price, 0, least)),
        "max": scale.quantity(fraction_close(instrument, lots, price, ppm(given["max_portion"]), least)),
    }


def slices_of_fund(posed: Posed) -> Figures:
    """Return in which slices the fund sells what it holds, by the case's bounds, at a price of one (LIQ-015)."""
    given = posed.given
    scale = fine_scale([Fraction(1)], [given["position"], given["full_disposal_size"], given["book_volume"]])
    policy = msgspec.structs.replace(
        posed.policy,
        fund_unwind_fraction=ppm(given["fraction"]),
        fund_unwind_notional_min=0,
        fund_unwind_whole_max=_units(given["full_disposal_size"], scale),
        fund_unwind_book_share=ppm(given["max_fraction"]),
    )
    instrument, price = perpetual(policy, scale.cash_per_tick_lot), scale.ticks(Fraction(1))
    left, resting = scale.lots(given["position"]), scale.lots(given["book_volume"])
    slices: list[Lots] = []
    while left:
        slices.append(unwind_slice(instrument, left, price, resting, policy))
        left -= slices[-1]
        if slices[-1] <= 0 or len(slices) > ITEMS_MAX:
            raise NotCoveredError("the fund does not sell all of it in a bounded number of slices")
    return {"sizes": [scale.quantity(lots) for lots in slices]}


def _units(amount: Fraction, scale: Scale) -> Cash:
    return int(rounded_down(amount, scale.cash_decimals) * 10**scale.cash_decimals)


ADAPTERS: Mapping[str, Adapter] = {
    "mode_switch_to_isolated": switch_to_isolated,
    "partial_liq_amount": least_close,
    "block_limit_notional": limits_of_close,
    "disposal_schedule": slices_of_fund,
}
