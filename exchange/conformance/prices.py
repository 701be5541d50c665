"""Adapters of cases about liquidation and bankruptcy prices."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from exchange.conformance.cases import Adapter, Case
from exchange.conformance.engine import OWNER, SYMBOL, Bench, flat_tier, perpetual
from exchange.conformance.numbers import CaseError, Figure, Scale, decimals_of, fine_scale, ppm
from exchange.conformance.requirements import pool_of, whole_leverage
from exchange.domain.margin_math import liquidation_root

Figures = Mapping[str, Figure]


def isolated_price(case: Case) -> Figures:
    """Return where an isolated position is liquidated; a closing fee inside maintenance is part of its rate (MARG-006)."""
    given = case.given
    scale = fine_scale([given["entry"]], [given["qty"]], [given["collateral"]])
    instrument = perpetual(scale.cash_per_tick_lot, flat_tier(ppm(given["mmr"] + given.get("taker_fee"))))
    lots = given.sign * scale.lots(given["qty"])
    cost = lots * scale.ticks(given["entry"]) * scale.cash_per_tick_lot
    root = liquidation_root(instrument, lots, cost, scale.cash(given["collateral"]))
    return {"liq_price": None if root is None else scale.price(Fraction(root.numerator, root.denominator))}


def price_in_tier(case: Case) -> Figures:
    """Return where a position in a known tier is liquidated, isolated or in a cross pool with others (MARG-006)."""
    given = case.given
    if "liq_buffer" in given:
        raise CaseError("a buffer on the price has no counterpart here")
    legs = [given, *given.parts("other_positions")]
    scale = fine_scale(
        [leg[name] for leg in legs for name in ("entry", "mark") if name in leg],
        [leg["qty"] for leg in legs],
        [given["collateral"], *(leg["cum"] for leg in legs)],
    )
    k, names = scale.cash_per_tick_lot, [f"{SYMBOL}-{number}" for number in range(len(legs))]
    instruments = [
        perpetual(k, flat_tier(ppm(leg["mmr"]), scale.cash(leg["cum"])), symbol=name)
        for name, leg in zip(names, legs, strict=True)
    ]
    bench, isolated = Bench(*instruments), case.margin_mode == "isolated"
    collateral = scale.cash(given["collateral"])
    bench.open_account(OWNER, 0 if isolated else collateral)
    for name, leg in zip(names, legs, strict=True):
        lots, entry = leg.sign * scale.lots(leg["qty"]), scale.ticks(leg["entry"])
        bench.set_mark(name, scale.ticks(leg["mark"]) if "mark" in leg else entry)
        bench.hold(OWNER, name, lots, lots * entry * k, isolated_wallet=collateral if isolated else None)
    position = bench.position(OWNER, names[0])
    root = liquidation_root(instruments[0], position.quantity, position.entry_cost, bench.collateral(OWNER, names[0]))
    return {"liq_price": None if root is None else scale.price(Fraction(root.numerator, root.denominator))}


def price_from_equity(case: Case) -> Figures:
    """Return where a cross pool with one position is liquidated, from its equity at the mark (MARG-006)."""
    given = case.given
    scale = fine_scale([given["price"]], [given["size"]], [given["equity"]])
    instrument = perpetual(scale.cash_per_tick_lot, flat_tier(ppm(given["mmf"])))
    lots = scale.lots(given["size"])
    cost = lots * scale.ticks(given["price"]) * scale.cash_per_tick_lot
    bench = Bench(instrument)
    bench.open_account(OWNER, scale.cash(given["equity"]))
    bench.set_mark(SYMBOL, scale.ticks(given["price"]))
    bench.hold(OWNER, SYMBOL, lots, cost)
    root = liquidation_root(instrument, lots, cost, bench.collateral(OWNER, SYMBOL))
    return {"liq_price": None if root is None else scale.price(Fraction(root.numerator, root.denominator))}


def bankruptcy_as_opened(case: Case) -> Figures:
    """Return where an isolated position, opened with its initial margin, has no equity left (LIQ-005)."""
    given = case.given
    scale = fine_scale([given["entry"]], [Fraction(1)])
    bench = Bench(perpetual(scale.cash_per_tick_lot))
    lots, entry = given.sign * scale.lots(Fraction(1)), scale.ticks(given["entry"])
    bench.open_account(OWNER, 0)
    bench.set_mark(SYMBOL, entry)
    cost = lots * entry * scale.cash_per_tick_lot
    bench.hold(OWNER, SYMBOL, lots, cost, leverage=whole_leverage(given), isolated_wallet=0)
    bench.bring_equity_to(OWNER, SYMBOL, bench.risk(OWNER, SYMBOL).initial_margin)
    price = bench.position(OWNER, SYMBOL).bankruptcy_price
    return {"bankruptcy_price": None if price is None else scale.price(price)}


def bankruptcy_value_of_part(case: Case) -> Figures:
    """Return what a part of a position is worth at bankruptcy, in whole millionths, rounded for the scope (LIQ-005)."""
    given = case.given
    held = given.parts("positions")
    quantity_places = decimals_of([given["delta_size"], *(leg["size"] for leg in held)])
    scale = Scale(6 - quantity_places, quantity_places, 6)
    bench, _ = pool_of(given, scale)
    value = bench.bankruptcy_value(OWNER, given.text("close_market"), abs(scale.lots(given["delta_size"])))
    return {"bankruptcy_price_quote": scale.money(value)}


ADAPTERS: Mapping[str, Adapter] = {
    "lp_mm_at_mark": isolated_price,
    "lp_tiered": price_in_tier,
    "lp_cross_equity": price_from_equity,
    "bankruptcy_entry_leverage": bankruptcy_as_opened,
    "bankruptcy_quote_prorata": bankruptcy_value_of_part,
}
