"""Adapters of cases about order margin, order entry, fills and what is left available."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from exchange.conformance.cases import Adapter, Case, Given
from exchange.conformance.engine import (
    ANY_LEVERAGE,
    COUNTERPARTY,
    OWNER,
    SYMBOL,
    Bench,
    Order,
    flat_tier,
    order_margin_without_mark,
    perpetual,
)
from exchange.conformance.numbers import WHOLE_UNITS, CaseError, Figure, Scale, fine_scale, ppm, rounded_down
from exchange.conformance.requirements import by_factor, whole_leverage
from exchange.domain.instrument import Instrument
from exchange.domain.margin_math import isolated_fill_margin
from exchange.domain.units import PPM, Cash, Lots

Figures = Mapping[str, Figure]
DEEP_POCKET: Cash = 10**60
"""What a counterparty has that is only there to trade with."""


def margin_by_factor(case: Case) -> Figures:
    """Return what a fill moves into an isolated wallet, or orders hold; the source floors (MARG-008, MARG-012)."""
    given = case.given
    if "entry" not in given:
        return {"order_margin": _order_margin(given, 0, given.parts("orders"), given["margin_factor"])}
    scale = fine_scale([given["entry"]], [given["qty"]])
    instrument, leverage = by_factor(scale.cash_per_tick_lot, given["margin_factor"])
    entry = scale.ticks(given["entry"])
    moved = isolated_fill_margin(instrument, 1, scale.lots(given["qty"]), entry, entry, leverage, 0)
    return {"position_margin": rounded_down(scale.money(moved), 0)}


def margin_of_sides(case: Case) -> Figures:
    """Return what orders on both sides hold beside a position, whose lots come free in execution order (MARG-008)."""
    given = case.given
    return {"order_margin": _order_margin(given, given["position"], given.parts("orders"), given["margin_factor"])}


def _order_margin(given: Given, held: Fraction | int, orders: list[Given], factor: Fraction) -> Fraction:
    """Ask for R without a mark, since such a case knows none."""
    parts = given.get("position_factor", 1)
    sizes = [order["size"] / parts for order in orders]
    scale = fine_scale([order["price"] for order in orders], [*sizes, held / parts])
    instrument, leverage = by_factor(scale.cash_per_tick_lot, factor)
    resting = [
        Order(order.sign if "side" in order else 1, scale.ticks(order["price"]), scale.lots(size))
        for order, size in zip(orders, sizes, strict=True)
    ]
    lots = scale.lots(held / parts)
    return rounded_down(scale.money(order_margin_without_mark(instrument, lots, resting, leverage)), 0)


def entry_check(case: Case) -> Figures:
    """Return whether an increase is admitted, and the account after it; equality is (MARG-012)."""
    given = case.given
    if given["qty"]:
        raise CaseError("the case starts from a position, which has no counterpart here")
    scale = fine_scale([given["entry"], given["mark"]], [given["qty_after"]], [given["collateral"]])
    instrument, leverage = by_factor(scale.cash_per_tick_lot, given["imf"])
    bench, mark = (
        _two_traders(instrument, scale.cash(given["collateral"]), leverage, isolated=False),
        scale.ticks(given["mark"]),
    )
    bench.set_mark(SYMBOL, mark)
    lots = scale.lots(given["qty_after"])
    refused = bench.trade(OWNER, COUNTERPARTY, SYMBOL, 1 if lots > 0 else -1, abs(lots), mark)
    risk = bench.risk(OWNER, SYMBOL)
    return {
        "account_value": scale.money(risk.equity),
        "imr": scale.money(risk.initial_margin),
        "meets_imr": refused is None,
    }


def _two_traders(instrument: Instrument, wallet: Cash, leverage: int, *, isolated: bool) -> Bench:
    bench = Bench(instrument)
    bench.open_account(OWNER, wallet)
    bench.open_account(COUNTERPARTY, DEEP_POCKET)
    bench.set_terms(OWNER, SYMBOL, leverage, isolated=isolated)
    return bench


def increase_of_isolated(case: Case) -> Figures:
    """Return the isolated wallet after a fill that increases the position; the source floors (MARG-012)."""
    given = case.given
    scale = fine_scale([given["price"]], [given["fill"]], [given["position_margin"]])
    instrument, leverage = by_factor(scale.cash_per_tick_lot, given["margin_factor"])
    bench, price = _two_traders(instrument, DEEP_POCKET, leverage, isolated=True), scale.ticks(given["price"])
    bench.set_mark(SYMBOL, price)
    bench.hold(OWNER, SYMBOL, 0, 0, leverage=leverage, isolated_wallet=scale.cash(given["position_margin"]))
    _must_trade(bench, 1, scale.lots(given["fill"]), price)
    return {"position_margin": rounded_down(scale.money(bench.position(OWNER, SYMBOL).isolated_wallet), 0)}


def _must_trade(bench: Bench, sign: int, lots: Lots, price: int) -> None:
    refused = bench.trade(OWNER, COUNTERPARTY, SYMBOL, sign, lots, price)
    if refused is not None:
        raise CaseError(f"a trade of the case is refused: {refused.name}")


def flip_of_isolated(case: Case) -> Figures:
    """Return what comes back to the cross wallet when trades close an isolated position and open the other side (MARG-014).

    The source leaves profit out, so what is closed has cost what the closing trades bring.
    """
    given = case.given
    parts, trades = given["position_factor"], given.parts("trades")
    sizes = [trade["size"] / parts for trade in trades]
    scale = fine_scale([trade["price"] for trade in trades], [*sizes, given["old_position"] / parts], [given["margin_balance"]])
    instrument, leverage = by_factor(scale.cash_per_tick_lot, given["margin_factor"])
    held = scale.lots(given["old_position"] / parts)
    fills = [(scale.ticks(trade["price"]), scale.lots(size)) for trade, size in zip(trades, sizes, strict=True)]
    cost, left = 0, abs(held)
    for price, lots in fills:
        cost += min(left, lots) * price * instrument.cash_per_tick_lot
        left -= min(left, lots)
    sign = 1 if held > 0 else -1
    bench = _two_traders(instrument, DEEP_POCKET, leverage, isolated=True)
    bench.set_mark(SYMBOL, fills[-1][0])
    wallet = scale.cash(given["margin_balance"])
    bench.hold(OWNER, SYMBOL, held, sign * cost, leverage=leverage, isolated_wallet=wallet)
    bench.hold(COUNTERPARTY, SYMBOL, -held, -sign * cost)
    for price, lots in fills:
        _must_trade(bench, -sign, lots, price)
    return {"net_release": scale.money(bench.account(OWNER).wallet_balance - DEEP_POCKET)}


def account_after_trades(case: Case) -> Figures:
    """Return an isolated trader's equity and available balance; the mark stays at the first price (MARG-009, MARG-014)."""
    given, trades = case.given, case.given.parts("trades")
    money = [given["start"], *(trade["qty"] * trade["price"] * given["taker_fee"] for trade in trades)]
    scale = fine_scale([trade["price"] for trade in trades], [trade["qty"] for trade in trades], money)
    instrument = perpetual(scale.cash_per_tick_lot, taker_fee=ppm(given["taker_fee"]))
    bench = _two_traders(instrument, scale.cash(given["start"]), whole_leverage(given), isolated=True)
    bench.set_mark(SYMBOL, scale.ticks(trades[0]["price"]))
    for trade in trades:
        lots = scale.lots(trade["qty"])
        _must_trade(bench, 1 if lots > 0 else -1, abs(lots), scale.ticks(trade["price"]))
    seen = bench.account(OWNER)
    return {"equity": scale.money(seen.total_equity), "available": scale.money(seen.available_balance)}


def fees_of_both(case: Case) -> Figures:
    """Return what a trade leaves both sides with; a fee per contract is a rate on contracts of one million units (MARG-017)."""
    given = case.given
    fees = (WHOLE_UNITS.cash(given["maker_fee"]), WHOLE_UNITS.cash(given["taker_fee"]))
    bench = Bench(perpetual(1, maker_fee=fees[0], taker_fee=fees[1]))
    bench.open_account(OWNER, WHOLE_UNITS.cash(given["taker_before"]))
    bench.open_account(COUNTERPARTY, WHOLE_UNITS.cash(given["maker_before"]))
    bench.set_mark(SYMBOL, PPM)
    for account in (OWNER, COUNTERPARTY):
        bench.set_terms(account, SYMBOL, ANY_LEVERAGE, isolated=False)
    _must_trade(bench, 1, WHOLE_UNITS.lots(given["qty"]), PPM)
    return {
        "maker_after": Fraction(bench.account(COUNTERPARTY).wallet_balance),
        "taker_after": Fraction(bench.account(OWNER).wallet_balance),
        "fees": Fraction(bench.fees()),
    }


def available_in_cross(case: Case) -> Figures:
    """Return what a cross account can still commit (MARG-009)."""
    given, legs = case.given, case.given.parts("positions")
    scale = fine_scale([given["mark"], *(leg["entry"] for leg in legs)], [leg["qty"] for leg in legs], [given["balance"]])
    k, names = scale.cash_per_tick_lot, [f"{SYMBOL}-{number}" for number in range(len(legs))]
    bench = Bench(*(perpetual(k, symbol=name) for name in names))
    bench.open_account(OWNER, scale.cash(given["balance"]))
    for name, leg in zip(names, legs, strict=True):
        lots = scale.lots(leg["qty"])
        bench.set_mark(name, scale.ticks(given["mark"]))
        bench.hold(OWNER, name, lots, lots * scale.ticks(leg["entry"]) * k, leverage=whole_leverage(leg))
    return {"available": scale.money(bench.account(OWNER).available_balance)}


def transferable(case: Case) -> Figures:
    """Return what may leave an account whose positions need this much: one without leverage, worth just that (MARG-009)."""
    given = case.given
    scale = Scale(0, 0, 0)
    bench, lots = Bench(perpetual(1)), scale.lots(given["initial_margin"])
    bench.open_account(OWNER, scale.cash(given["balance"]))
    bench.set_mark(SYMBOL, 1)
    bench.hold(OWNER, SYMBOL, lots, lots)
    return {"transferable": scale.money(bench.account(OWNER).withdrawable)}


def trade_of_unhealthy(case: Case) -> Figures:
    """Return whether an account without positions may trade into one that needs this much and stands like that (MARG-012).

    One lot's notional at the mark is one unit, all of it maintenance; the trade's price makes the loss.
    """
    given = case.given
    lots = WHOLE_UNITS.lots(given["new_mmr"])
    if given["old_mmr"] or lots < 1:
        raise CaseError("only a trade that opens a position has a counterpart here")
    price = 1 + WHOLE_UNITS.cash((given["old_nc"] - given["new_nc"]) / lots)
    bench = _two_traders(perpetual(1, flat_tier(PPM)), WHOLE_UNITS.cash(given["old_nc"]), 1, isolated=False)
    bench.set_mark(SYMBOL, 1)
    return {"allowed": bench.trade(OWNER, COUNTERPARTY, SYMBOL, 1, lots, price) is None}


ADAPTERS: Mapping[str, Adapter] = {
    "isolated_margin_position": margin_by_factor,
    "isolated_order_side_margin": margin_of_sides,
    "order_check": entry_check,
    "partial_fill_reserve": increase_of_isolated,
    "isolated_margin_flip": flip_of_isolated,
    "equity_after_trades": account_after_trades,
    "fee_conservation": fees_of_both,
    "cross_available": available_in_cross,
    "transferable": transferable,
    "state_transition": trade_of_unhealthy,
}
