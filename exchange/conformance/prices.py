"""Adapters of cases about liquidation and bankruptcy prices."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from exchange.conformance.cases import Adapter, Posed
from exchange.conformance.engine import OWNER, SYMBOL, Bench, flat_tier, perpetual
from exchange.conformance.numbers import CaseError, Figure, NotCoveredError, Scale, decimals_of, exact, fine_scale, ppm
from exchange.conformance.requirements import pool_of, whole_leverage
from exchange.domain.margin_math import PriceRoot, buffered_root, liquidation_root
from exchange.domain.policy import RiskPolicy
from exchange.domain.units import PPM, Cash

Figures = Mapping[str, Figure]


def _price(posed: Posed, scale: Scale, root: PriceRoot | None) -> Figure:
    """Return a root as a price. Formulas of sources go on where no positive mark liquidates; here there is none."""
    if root is not None:
        return scale.price(Fraction(root.numerator, root.denominator))
    expected = posed.case.expected.get("liq_price")
    if expected is not None and ("liq_buffer" in posed.given or exact(expected) <= 0):
        raise NotCoveredError("no positive mark liquidates, so there is no price; the source's formula goes on below zero")
    return None


def isolated_price(posed: Posed) -> Figures:
    """Return where an isolated position is liquidated (MARG-006)."""
    given = posed.given
    scale = fine_scale([given["entry"]], [given["qty"]], [given["collateral"]])
    rate, fee = ppm(given["mmr"]), ppm(given.get("taker_fee"))
    instrument = perpetual(posed.policy, scale.cash_per_tick_lot, flat_tier(rate), taker_fee=fee)
    lots = given.sign * scale.lots(given["qty"])
    cost = lots * scale.ticks(given["entry"]) * scale.cash_per_tick_lot
    return {"liq_price": _price(posed, scale, liquidation_root(instrument, lots, cost, scale.cash(given["collateral"])))}


def price_as_opened(posed: Posed) -> Figures:
    """Return both margins of an isolated position as opened, and where it is liquidated with what was added (MARG-006)."""
    given = posed.given
    added = given.get("extra_margin")
    scale = fine_scale([given["entry"]], [given["qty"]], [added])
    instrument = perpetual(posed.policy, scale.cash_per_tick_lot, flat_tier(ppm(given["mmr"])))
    bench, entry = Bench(posed.policy, instrument), scale.ticks(given["entry"])
    lots = given.sign * scale.lots(given["qty"])
    cost = lots * entry * scale.cash_per_tick_lot
    bench.open_account(OWNER, scale.cash(added))
    bench.set_mark(SYMBOL, entry)
    bench.hold(OWNER, SYMBOL, lots, cost, leverage=whole_leverage(given), isolated_wallet=0)
    risk = bench.risk(OWNER, SYMBOL)
    bench.bring_equity_to(OWNER, SYMBOL, risk.initial_margin)
    _must_add(bench, scale.cash(added))
    return {
        "initial_margin": scale.money(risk.initial_margin),
        "maintenance_margin": scale.money(risk.maintenance_margin),
        "liq_price": _price(posed, scale, liquidation_root(instrument, lots, cost, bench.collateral(OWNER, SYMBOL))),
    }


def _must_add(bench: Bench, amount: Cash) -> None:
    refused = bench.add_margin(OWNER, SYMBOL, amount) if amount else None
    if refused is not None:
        raise CaseError(f"the margin cannot be added: {refused.name}")


def price_with_more_margin(posed: Posed) -> Figures:
    """Return where a position is liquidated that has this price without what is added (MARG-006, MARG-016).

    The case gives no entry and rate: a position at that price itself, with a hundredth of it as maintenance and just that
    in its wallet, stands for it. Where maintenance is measured at the mark, what is added moves the price differently.
    """
    given = posed.given
    scale = fine_scale([given["liq_price_without_extra"]], [given["qty"]], [given["extra_margin"]])
    instrument = perpetual(posed.policy, scale.cash_per_tick_lot, flat_tier(PPM // 100))
    bench, entry = Bench(posed.policy, instrument), scale.ticks(given["liq_price_without_extra"])
    lots = given.sign * scale.lots(given["qty"])
    cost = lots * entry * scale.cash_per_tick_lot
    bench.open_account(OWNER, scale.cash(given["extra_margin"]))
    bench.set_mark(SYMBOL, entry)
    bench.hold(OWNER, SYMBOL, lots, cost, isolated_wallet=0)
    bench.bring_equity_to(OWNER, SYMBOL, bench.risk(OWNER, SYMBOL).maintenance_margin)
    _must_add(bench, scale.cash(given["extra_margin"]))
    return {"liq_price": _price(posed, scale, liquidation_root(instrument, lots, cost, bench.collateral(OWNER, SYMBOL)))}


def _buffered(posed: Posed) -> RiskPolicy:
    """Return the policy with the buffer that the case states, as it states rates and tiers."""
    return msgspec.structs.replace(posed.policy, liquidation_price_buffer=ppm(posed.given.get("liq_buffer")))


def price_moved_by_buffer(posed: Posed) -> Figures:
    """Return where a known liquidation price is shown once the case's buffer moves it toward entry (MARG-006)."""
    given = posed.given
    scale = fine_scale([given["entry"], given["liq_price"]], [Fraction(1)])
    instrument = perpetual(_buffered(posed), scale.cash_per_tick_lot)
    lots = given.sign * scale.lots(Fraction(1))
    cost = lots * scale.ticks(given["entry"]) * scale.cash_per_tick_lot
    root = buffered_root(instrument, lots, cost, PriceRoot(scale.ticks(given["liq_price"]), 1))
    return {"liq_price": _price(posed, scale, root)}


def price_in_tier(posed: Posed) -> Figures:
    """Return where a position in a known tier is liquidated, isolated or in a cross pool with others (MARG-006).

    With a buffer it is the price that is shown.
    """
    given, policy = posed.given, _buffered(posed)
    legs = [given, *given.parts("other_positions")]
    scale = fine_scale(
        [leg[name] for leg in legs for name in ("entry", "mark") if name in leg],
        [leg["qty"] for leg in legs],
        [given["collateral"], *(leg["cum"] for leg in legs)],
    )
    k, names = scale.cash_per_tick_lot, [f"{SYMBOL}-{number}" for number in range(len(legs))]
    instruments = [
        perpetual(policy, k, flat_tier(ppm(leg["mmr"]), scale.cash(leg["cum"])), symbol=name)
        for name, leg in zip(names, legs, strict=True)
    ]
    bench, isolated = Bench(policy, *instruments), posed.case.margin_mode == "isolated"
    collateral = scale.cash(given["collateral"])
    bench.open_account(OWNER, 0 if isolated else collateral)
    for name, leg in zip(names, legs, strict=True):
        lots, entry = leg.sign * scale.lots(leg["qty"]), scale.ticks(leg["entry"])
        bench.set_mark(name, scale.ticks(leg["mark"]) if "mark" in leg else entry)
        bench.hold(OWNER, name, lots, lots * entry * k, isolated_wallet=collateral if isolated else None)
    position = bench.position(OWNER, names[0])
    root = liquidation_root(instruments[0], position.quantity, position.entry_cost, bench.collateral(OWNER, names[0]))
    shown = root and buffered_root(instruments[0], position.quantity, position.entry_cost, root)
    return {"liq_price": _price(posed, scale, shown)}


def price_from_equity(posed: Posed) -> Figures:
    """Return where a cross pool with one position is liquidated, from its equity at the mark (MARG-006)."""
    given = posed.given
    scale = fine_scale([given["price"]], [given["size"]], [given["equity"]])
    instrument = perpetual(posed.policy, scale.cash_per_tick_lot, flat_tier(ppm(given["mmf"])))
    lots = scale.lots(given["size"])
    cost = lots * scale.ticks(given["price"]) * scale.cash_per_tick_lot
    bench = Bench(posed.policy, instrument)
    bench.open_account(OWNER, scale.cash(given["equity"]))
    bench.set_mark(SYMBOL, scale.ticks(given["price"]))
    bench.hold(OWNER, SYMBOL, lots, cost)
    return {"liq_price": _price(posed, scale, liquidation_root(instrument, lots, cost, bench.collateral(OWNER, SYMBOL)))}


def bankruptcy_as_opened(posed: Posed) -> Figures:
    """Return where an isolated position, opened with its initial margin, has no equity left (LIQ-005)."""
    given = posed.given
    scale = fine_scale([given["entry"]], [Fraction(1)])
    bench = Bench(posed.policy, perpetual(posed.policy, scale.cash_per_tick_lot))
    lots, entry = given.sign * scale.lots(Fraction(1)), scale.ticks(given["entry"])
    bench.open_account(OWNER, 0)
    bench.set_mark(SYMBOL, entry)
    cost = lots * entry * scale.cash_per_tick_lot
    bench.hold(OWNER, SYMBOL, lots, cost, leverage=whole_leverage(given), isolated_wallet=0)
    bench.bring_equity_to(OWNER, SYMBOL, bench.risk(OWNER, SYMBOL).initial_margin)
    price = bench.position(OWNER, SYMBOL).bankruptcy_price
    return {"bankruptcy_price": None if price is None else scale.price(price)}


def bankruptcy_value_of_part(posed: Posed) -> Figures:
    """Return what a part of a position is worth at bankruptcy, in whole millionths, rounded for the scope (LIQ-005)."""
    given = posed.given
    held = given.parts("positions")
    quantity_places = decimals_of([given["delta_size"], *(leg["size"] for leg in held)])
    scale = Scale(6 - quantity_places, quantity_places, 6)
    bench, _ = pool_of(posed.policy, given, scale)
    value = bench.bankruptcy_value(OWNER, given.text("close_market"), abs(scale.lots(given["delta_size"])))
    return {"bankruptcy_price_quote": scale.money(value)}


FILLABLE_DECIMALS = 12
"""How much finer than its case a limit is measured that lies between ticks."""
DEEP_FUND: Cash = 10**60
"""What the fund has that stands behind limits beyond bankruptcy: a case gives no fund."""


def limit_of_close(posed: Posed) -> Figures:
    """Return where an order is limited that closes a position of an unhealthy pool, by the case's two rates (LIQ-005)."""
    given = posed.given
    policy = msgspec.structs.replace(
        posed.policy,
        fillable_adjustment=ppm(given["bankruptcy_adjustment"]),
        fillable_spread=ppm(given["spread_to_mmr"]),
    )
    held = given.parts("positions")
    if not any(leg["mmf"] * leg["size"] for leg in held):
        raise NotCoveredError("a pool without maintenance is never liquidated here")
    scale = fine_scale([leg["price"] for leg in held], [leg["size"] for leg in held], [given["quote_balance"]])
    scale = scale._replace(
        price_decimals=scale.price_decimals + FILLABLE_DECIMALS, cash_decimals=scale.cash_decimals + FILLABLE_DECIMALS
    )
    bench, _ = pool_of(policy, given, scale)
    bench.endow_fund(DEEP_FUND)
    return {"fillable_price": scale.price(bench.closing_limit(OWNER, given.text("close_market")))}


ADAPTERS: Mapping[str, Adapter] = {
    "lp_mm_at_entry": price_as_opened,
    "lp_given_extra": price_with_more_margin,
    "lp_buffer": price_moved_by_buffer,
    "fillable_price": limit_of_close,
    "lp_mm_at_mark": isolated_price,
    "lp_tiered": price_in_tier,
    "lp_cross_equity": price_from_equity,
    "bankruptcy_entry_leverage": bankruptcy_as_opened,
    "bankruptcy_quote_prorata": bankruptcy_value_of_part,
}
