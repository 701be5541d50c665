"""Adapters of cases about what a position needs: tiers, initial and maintenance margin, equity and its test."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from exchange.conformance.cases import Adapter, Given, Posed
from exchange.conformance.engine import ANY_LEVERAGE, OWNER, SYMBOL, Bench, flat_tier, perpetual
from exchange.conformance.numbers import (
    WHOLE_UNITS,
    CaseError,
    Figure,
    NotCoveredError,
    Scale,
    fine_scale,
    ppm,
    rate_of,
    rounded_down,
)
from exchange.domain.instrument import Instrument, Tier, TierRow, build_tiers, next_maintenance_amount
from exchange.domain.margin_math import initial_margin, maintenance_margin, open_loss, tier_at, unrealized_pnl
from exchange.domain.policy import MarginPrice, RiskPolicy
from exchange.domain.units import PPM, Cash, Lots, Ticks

Figures = Mapping[str, Figure]


def tier_of_notional(posed: Posed) -> Figures:
    """Return the tier that a notional lies in (MARG-002)."""
    given = posed.given
    rows = given.parts("tiers")
    scale = fine_scale((), (), [given["notional"], *(row[name] for row in rows for name in ("floor", "cum") if name in row)])
    tiers = tuple(Tier(scale.cash(row["floor"]), ppm(row["mmr"]), 1, scale.cash(row.get("cum"))) for row in rows)
    tier = tier_at(tiers, scale.cash(given["notional"]))
    return {"mmr": rate_of(tier.maintenance_rate), "cum": scale.money(tier.maintenance_amount)}


def amounts_of_table(posed: Posed) -> Figures:
    """Return the maintenance amounts of a whole table, from its floors and rates (MARG-002)."""
    floors, rates = posed.given.numbers("floors"), posed.given.numbers("mmrs")
    if len(floors) != len(rates):
        raise CaseError("inputs floors and mmrs differ in length")
    scale = fine_scale((), (), floors)
    rows = [TierRow(scale.cash(floor), ppm(rate), 1) for floor, rate in zip(floors, rates, strict=True)]
    return {"cum": [scale.money(tier.maintenance_amount) for tier in build_tiers(rows)]}


def amount_of_tier(posed: Posed) -> Figures:
    """Return the maintenance amount of a tier from the one before it (MARG-002)."""
    given = posed.given
    scale = fine_scale((), (), [given["floor"], given["prev_cum"]])
    before = Tier(0, ppm(given["prev_mmr"]), 1, scale.cash(given["prev_cum"]))
    row = TierRow(scale.cash(given["floor"]), ppm(given["mmr"]), 1)
    return {"cum": scale.money(next_maintenance_amount(before, row))}


def by_factor(
    policy: RiskPolicy, cash_per_tick_lot: int, factor: Fraction, rate: int = 0, *, taker_fee: int = 0
) -> tuple[Instrument, int]:
    """Return an instrument and leverage at which margin is ``factor`` of the notional that ``cash_per_tick_lot`` gives.

    Leverage is a whole number here: p/q of one contract's notional is what p contracts need at leverage q. Only figures
    that are pure margin may be asked of such an instrument.
    """
    if factor <= 0:
        raise NotCoveredError("a margin factor that is not above zero is no leverage")
    cash = cash_per_tick_lot * factor.numerator
    return perpetual(policy, cash, flat_tier(rate), taker_fee=taker_fee), factor.denominator


def margin_as_opened(instrument: Instrument, lots: Lots, price: Ticks, leverage: int) -> Cash:
    """Return initial margin of a position that was opened where the mark is (MARG-004)."""
    return initial_margin(instrument, lots, lots * price * instrument.cash_per_tick_lot, price, leverage)


def initial_by_leverage(posed: Posed) -> Figures:
    """Return initial margin of a quantity at a price and leverage (MARG-004)."""
    given = posed.given
    price = given["price"] if "price" in given else given["entry"]
    scale = fine_scale([price], [given["qty"]])
    instrument = perpetual(posed.policy, scale.cash_per_tick_lot)
    held = margin_as_opened(instrument, scale.lots(given["qty"]), scale.ticks(price), whole_leverage(given))
    return {"initial_margin": scale.money(held)}


def initial_and_maintenance_by_rate(posed: Posed) -> Figures:
    """Return both requirements of a notional in smallest units, by rates (MARG-003, MARG-004)."""
    given = posed.given
    lots = WHOLE_UNITS.lots(given["notional"])
    initial, leverage = by_factor(posed.policy, 1, given["imf"])
    maintenance = perpetual(posed.policy, 1, flat_tier(ppm(given["imf"] * given.get("maintenance_fraction"))))
    return {
        "initial_margin": Fraction(margin_as_opened(initial, lots, 1, leverage)),
        "maintenance_margin": Fraction(maintenance_margin(maintenance, lots, lots, 1)),
    }


def fully_collateralised(posed: Posed) -> Figures:
    """Return margin of a long without leverage (MARG-004)."""
    if posed.given.sign < 0:
        raise NotCoveredError("a capped short has no counterpart here")
    legs = posed.given.parts("legs")
    scale = fine_scale([leg["price"] for leg in legs], [leg["size"] for leg in legs])
    instrument = perpetual(posed.policy, scale.cash_per_tick_lot)
    held = [margin_as_opened(instrument, scale.lots(leg["size"]), scale.ticks(leg["price"]), 1) for leg in legs]
    return {"margin": scale.money(sum(held))}


def isolated_at_flat_rates(posed: Posed) -> Figures:
    """Return an isolated position as opened, and its equity once the mark has moved (MARG-003 to MARG-005)."""
    given = posed.given
    scale = fine_scale([given["entry"], given["mark"]], [given["qty"]])
    bench = Bench(posed.policy, perpetual(posed.policy, scale.cash_per_tick_lot, flat_tier(ppm(given["mmr"]))))
    lots, entry = scale.lots(given["qty"]), scale.ticks(given["entry"])
    bench.open_account(OWNER, 0)
    bench.set_mark(SYMBOL, entry)
    bench.hold(OWNER, SYMBOL, lots, lots * entry * scale.cash_per_tick_lot, leverage=whole_leverage(given), isolated_wallet=0)
    opened = bench.risk(OWNER, SYMBOL)
    bench.bring_equity_to(OWNER, SYMBOL, opened.initial_margin)
    bench.set_mark(SYMBOL, scale.ticks(given["mark"]))
    return {
        "initial_margin": scale.money(opened.initial_margin),
        "maintenance_margin": scale.money(opened.maintenance_margin),
        "remaining": scale.money(bench.risk(OWNER, SYMBOL).equity),
    }


def whole_leverage(given: Given) -> int:
    """Return the leverage that a case gives, or that its initial rate is the reciprocal of."""
    leverage = 1 / given["imr"] if "imr" in given else given["leverage"]
    if leverage < 1:
        raise CaseError(f"the leverage {str(leverage)[:60]} is below 1")
    if leverage.denominator != 1:
        raise NotCoveredError(f"the leverage {str(leverage)[:60]} is no whole number")
    return int(leverage)


def maintenance_by_risk_factors(posed: Posed) -> Figures:
    """Return both margins of an open position in whole units; slippage and risk factor are one rate here (MARG-003).

    The initial level is a multiple of maintenance, so it is that of a leverage; the source floors it. As it multiplies
    what it has rounded, only a maintenance that is whole by itself has the same multiple here.
    """
    given = posed.given
    instrument = perpetual(posed.policy, 1, flat_tier(ppm(given["slippage"] + given["risk_factor"])))
    lots, mark = WHOLE_UNITS.lots(given["open_size"]), WHOLE_UNITS.ticks(given["mark"])
    figures: dict[str, Figure] = {"maintenance": Fraction(maintenance_margin(instrument, lots, lots * mark, mark))}
    if "initial" in posed.case.expected:
        if "scaling" not in given or "initial" not in given.part("scaling"):
            raise NotCoveredError("it does not say what multiple of maintenance the initial level is")
        rate = given["slippage"] + given["risk_factor"]
        if (given["open_size"] * given["mark"] * rate).denominator != 1:
            raise NotCoveredError("a level that is a multiple of a rounded maintenance has no counterpart here")
        scale = fine_scale([given["mark"]], [given["open_size"]])
        whole, leverage = by_factor(posed.policy, scale.cash_per_tick_lot, rate * given.part("scaling")["initial"])
        initial = margin_as_opened(whole, scale.lots(given["open_size"]), scale.ticks(given["mark"]), leverage)
        figures["initial"] = rounded_down(scale.money(initial), 0)
    return figures


def cost_of_order(posed: Posed) -> Figures:
    """Return initial margin and loss against the mark of an order; the source cuts to the cent (MARG-008)."""
    given = posed.given
    scale = fine_scale([given["price"], given["mark"]], [given["qty"]])
    instrument, lots = perpetual(posed.policy, scale.cash_per_tick_lot), scale.lots(given["qty"])
    price, mark = scale.ticks(given["price"]), scale.ticks(given["mark"])
    margin = margin_as_opened(instrument, lots, price, whole_leverage(given))
    loss = open_loss(instrument, given.sign, lots, price, mark)
    return {"initial_margin": rounded_down(scale.money(margin), 2), "open_loss": scale.money(loss)}


def marked_to_market(posed: Posed) -> Figures:
    """Return profit of trades at different prices at one mark (MARG-001)."""
    given, trades = posed.given, posed.given.parts("trades")
    scale = fine_scale([given["mark"], *(trade["price"] for trade in trades)], [trade["size"] for trade in trades])
    k = scale.cash_per_tick_lot
    cost = sum(scale.lots(trade["size"]) * scale.ticks(trade["price"]) * k for trade in trades)
    lots = sum(scale.lots(trade["size"]) for trade in trades)
    return {"mtm": scale.money(unrealized_pnl(perpetual(posed.policy, k), lots, cost, scale.ticks(given["mark"])))}


def health_of_positions(posed: Posed) -> Figures:
    """Return equity, maintenance and survival of a scope (MARG-003, MARG-005)."""
    given, isolated = posed.given, posed.case.margin_mode == "isolated"
    held = given.parts("positions")
    if isolated and len(held) != 1:
        raise NotCoveredError("an isolated scope is one position")
    scale = fine_scale(
        [leg[name] for leg in held for name in ("entry", "mark")], [leg["qty"] for leg in held], [given["balance"]]
    )
    names = [f"{SYMBOL}-{number}" for number in range(len(held))]
    k = scale.cash_per_tick_lot
    bench = Bench(
        posed.policy,
        *(perpetual(posed.policy, k, flat_tier(ppm(leg["mmr"])), symbol=name) for name, leg in zip(names, held, strict=True)),
    )
    balance = scale.cash(given["balance"])
    bench.open_account(OWNER, 0 if isolated else balance)
    for name, leg in zip(names, held, strict=True):
        bench.set_mark(name, scale.ticks(leg["mark"]))
        lots = scale.lots(leg["qty"])
        cost = lots * scale.ticks(leg["entry"]) * k
        bench.hold(OWNER, name, lots, cost, isolated_wallet=balance if isolated else None)
    risk = bench.risk(OWNER, names[0])
    return {
        "equity": scale.money(risk.equity),
        "maintenance_margin": scale.money(risk.maintenance_margin),
        "survives": not risk.is_breached,
    }


def strictness(posed: Posed) -> Figures:
    """Return whether a cross pool is to be liquidated; equality survives (MARG-005)."""
    given = posed.given
    held = given.parts("positions")
    scale = fine_scale([leg["price"] for leg in held], [leg["size"] for leg in held], [given["quote_balance"]])
    bench, names = pool_of(posed.policy, given, scale)
    symbol = names[0] if names else SYMBOL
    return {"liquidatable": bench.risk(OWNER, symbol).is_breached}


def pool_of(policy: RiskPolicy, given: Given, scale: Scale) -> tuple[Bench, list[str]]:
    """Return a cross pool of positions at their oracle prices, opened at these, with the money that the quote balance means.

    The quote balance of such a case is the wallet less every entry cost; what the positions cost does not matter to it.
    """
    held, k = given.parts("positions"), scale.cash_per_tick_lot
    names = [leg.text("market") for leg in held]
    instruments = [perpetual(policy, k, flat_tier(ppm(leg["mmf"])), symbol=leg.text("market")) for leg in held]
    bench = Bench(policy, *instruments, *(() if held else (perpetual(policy, k),)))
    costs = [scale.lots(leg["size"]) * scale.ticks(leg["price"]) * k for leg in held]
    bench.open_account(OWNER, scale.cash(given["quote_balance"]) + sum(costs))
    for leg, cost in zip(held, costs, strict=True):
        bench.set_mark(leg.text("market"), scale.ticks(leg["price"]))
        bench.hold(OWNER, leg.text("market"), scale.lots(leg["size"]), cost, leverage=ANY_LEVERAGE)
    return bench, names


def survival(posed: Posed) -> Figures:
    """Return whether a balance survives a maintenance: a position all of whose notional is maintenance (MARG-005)."""
    given = posed.given
    lots, balance = WHOLE_UNITS.lots(given["maintenance"]), WHOLE_UNITS.cash(given["balance"])
    bench = Bench(posed.policy, perpetual(posed.policy, 1, flat_tier(PPM)))
    bench.open_account(OWNER, balance)
    bench.set_mark(SYMBOL, 1)
    bench.hold(OWNER, SYMBOL, lots, lots)
    return {"closed_out": bench.risk(OWNER, SYMBOL).is_breached}


def ratio_with_close_fee(posed: Posed) -> Figures:
    """Return the margin ratio (MARG-005)."""
    given = posed.given
    if given["mm_price"] != given["mark" if posed.policy.maintenance_price is MarginPrice.MARK else "entry"]:
        raise NotCoveredError("maintenance is measured at another price")
    scale = fine_scale([given["entry"], given["mark"]], [given["qty"]], [given["balance"]])
    rate, fee = ppm(given["mmr"]), ppm(given.get("taker_fee"))
    bench = Bench(posed.policy, perpetual(posed.policy, scale.cash_per_tick_lot, flat_tier(rate), taker_fee=fee))
    lots = scale.lots(given["qty"])
    bench.open_account(OWNER, scale.cash(given["balance"]))
    bench.set_mark(SYMBOL, scale.ticks(given["mark"]))
    bench.hold(OWNER, SYMBOL, lots, lots * scale.ticks(given["entry"]) * scale.cash_per_tick_lot)
    ratio = bench.account(OWNER).margin_ratio
    return {"margin_ratio_pct": None if ratio is None else rate_of(ratio) * 100}


ADAPTERS: Mapping[str, Adapter] = {
    "mm_tiered": tier_of_notional,
    "tiered_step_mm": tier_of_notional,
    "tier_cum": amount_of_tier,
    "tier_cum_chain": amounts_of_table,
    "im_leverage": initial_by_leverage,
    "amr": initial_by_leverage,
    "im_mm_rate": initial_and_maintenance_by_rate,
    "im_open_interest_scaled": initial_and_maintenance_by_rate,
    "fully_collateralised": fully_collateralised,
    "flat_margin": isolated_at_flat_rates,
    "vega_margin_levels": maintenance_by_risk_factors,
    "order_cost_open_loss": cost_of_order,
    "mtm": marked_to_market,
    "equity_margin_ratio": health_of_positions,
    "is_liquidatable_strict": strictness,
    "survive_equality": survival,
    "margin_ratio": ratio_with_close_fee,
}
