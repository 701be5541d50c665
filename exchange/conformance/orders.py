"""Adapters of cases about order margin, order entry, fills and what is left available."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from exchange.conformance.cases import Adapter, Posed
from exchange.conformance.engine import (
    ANY_LEVERAGE,
    COUNTERPARTY,
    OWNER,
    SYMBOL,
    Bench,
    Held,
    Order,
    flat_tier,
    order_margin_without_mark,
    perpetual,
)
from exchange.conformance.numbers import (
    WHOLE_UNITS,
    CaseError,
    Figure,
    NotCoveredError,
    Scale,
    decimals_of,
    fine_scale,
    ppm,
    rounded_down,
    rounded_near,
)
from exchange.conformance.requirements import by_factor, whole_leverage
from exchange.domain.instrument import Instrument
from exchange.domain.margin_math import close_fee, fee_on, initial_margin, isolated_fill_margin, notional_value
from exchange.domain.policy import RiskPolicy
from exchange.domain.units import PPM, Cash, Lots

Figures = Mapping[str, Figure]
DEEP_POCKET: Cash = 10**60
"""What a counterparty has that is only there to trade with."""
ROUNDED_DECIMALS = 9
"""At how many decimal places a figure is compared that holds the engine's own roundings of far finer money."""


def margin_by_factor(posed: Posed) -> Figures:
    """Return what a fill moves into an isolated wallet, or orders hold; the source floors (MARG-008, MARG-012)."""
    given = posed.given
    if "entry" not in given:
        return {"order_margin": rounded_down(_order_margin(posed, Fraction(0), given["margin_factor"]), 0)}
    scale = fine_scale([given["entry"]], [given["qty"]])
    instrument, leverage = by_factor(posed.policy, scale.cash_per_tick_lot, given["margin_factor"])
    entry = scale.ticks(given["entry"])
    moved = isolated_fill_margin(instrument, 1, scale.lots(given["qty"]), entry, entry, leverage, 0)
    return {"position_margin": rounded_down(scale.money(moved), 0)}


def margin_of_sides(posed: Posed) -> Figures:
    """Return what orders on both sides hold beside a position, whose lots come free in execution order (MARG-008)."""
    given = posed.given
    return {"order_margin": rounded_down(_order_margin(posed, given["position"], given["margin_factor"]), 0)}


def margin_offset_by_notional(posed: Posed) -> Figures:
    """Return what orders hold beside a position whose notional at entry makes them free (MARG-008)."""
    given = posed.given
    return {"order_margin": rounded_near(_order_margin(posed, given["position"], given["imr"]), ROUNDED_DECIMALS)}


def _order_margin(posed: Posed, held: Fraction, factor: Fraction) -> Fraction:
    """Ask for R without a mark, since such a case knows none.

    Where it gives no entry either, the position was opened at the best price of the orders that would close it: there
    lots and notional offset alike.
    """
    given, orders = posed.given, posed.given.parts("orders")
    parts = given.get("position_factor", 1)
    sizes = [order["size"] / parts for order in orders]
    signs = [order.sign if "side" in order else 1 for order in orders]
    closing = [order["price"] for order, sign in zip(orders, signs, strict=True) if sign * held < 0]
    entry = given["entry"] if "entry" in given else (min if held > 0 else max)(closing, default=Fraction(1))
    scale = fine_scale([entry, *(order["price"] for order in orders)], [*sizes, held / parts])
    instrument, leverage = by_factor(posed.policy, scale.cash_per_tick_lot, factor)
    resting = [
        Order(sign, scale.ticks(order["price"]), scale.lots(size))
        for order, size, sign in zip(orders, sizes, signs, strict=True)
    ]
    lots = scale.lots(held / parts)
    position = Held(lots, lots * scale.ticks(entry) * instrument.cash_per_tick_lot)
    return scale.money(order_margin_without_mark(instrument, position, resting, leverage))


def entry_check(posed: Posed) -> Figures:
    """Return whether an increase is admitted, and the account with it, admitted or not; equality is (MARG-012)."""
    given = posed.given
    if given["qty"] * given["qty_after"] < 0 or abs(given["qty_after"]) <= abs(given["qty"]):
        raise NotCoveredError("a trade that reduces is not judged by initial margin here")
    scale = fine_scale([given["entry"], given["mark"]], [given["qty"], given["qty_after"]], [given["collateral"]])
    instrument, leverage = by_factor(posed.policy, scale.cash_per_tick_lot, given["imf"])
    mark, k, wallet = scale.ticks(given["mark"]), instrument.cash_per_tick_lot, scale.cash(given["collateral"])
    held, lots = scale.lots(given["qty"]), scale.lots(given["qty_after"] - given["qty"])
    cost = held * scale.ticks(given["entry"]) * k
    before = _two_traders(posed.policy, instrument, wallet, leverage, isolated=False)
    after = Bench(posed.policy, instrument)
    after.open_account(OWNER, wallet)
    for bench in (before, after):
        bench.set_mark(SYMBOL, mark)
    before.hold(OWNER, SYMBOL, held, cost, leverage=leverage)
    after.hold(OWNER, SYMBOL, held + lots, cost + lots * mark * k, leverage=leverage)
    refused = before.trade(OWNER, COUNTERPARTY, SYMBOL, 1 if lots > 0 else -1, abs(lots), mark)
    risk = after.risk(OWNER, SYMBOL)
    return {
        "account_value": scale.money(risk.equity),
        "imr": scale.money(risk.initial_margin),
        "meets_imr": refused is None,
    }


def _two_traders(policy: RiskPolicy, instrument: Instrument, wallet: Cash, leverage: int, *, isolated: bool) -> Bench:
    bench = Bench(policy, instrument)
    bench.open_account(OWNER, wallet)
    bench.open_account(COUNTERPARTY, DEEP_POCKET)
    bench.set_terms(OWNER, SYMBOL, leverage, isolated=isolated)
    return bench


def increase_of_isolated(posed: Posed) -> Figures:
    """Return the isolated wallet after a fill that increases the position; the source floors (MARG-012)."""
    given = posed.given
    scale = fine_scale([given["price"]], [given["fill"]], [given["position_margin"]])
    instrument, leverage = by_factor(posed.policy, scale.cash_per_tick_lot, given["margin_factor"])
    bench, price = _two_traders(posed.policy, instrument, DEEP_POCKET, leverage, isolated=True), scale.ticks(given["price"])
    bench.set_mark(SYMBOL, price)
    bench.hold(OWNER, SYMBOL, 0, 0, leverage=leverage, isolated_wallet=scale.cash(given["position_margin"]))
    _must_trade(bench, 1, scale.lots(given["fill"]), price)
    return {"position_margin": rounded_down(scale.money(bench.position(OWNER, SYMBOL).isolated_wallet), 0)}


def _must_trade(bench: Bench, sign: int, lots: Lots, price: int) -> None:
    refused = bench.trade(OWNER, COUNTERPARTY, SYMBOL, sign, lots, price)
    if refused is not None:
        raise CaseError(f"a trade of the case is refused: {refused.name}")


def flip_of_isolated(posed: Posed) -> Figures:
    """Return what comes back to the cross wallet when trades close an isolated position and open the other side (MARG-014).

    The source leaves profit out, so what is closed has cost what the closing trades bring.
    """
    given = posed.given
    parts, trades = given["position_factor"], given.parts("trades")
    sizes = [trade["size"] / parts for trade in trades]
    scale = fine_scale([trade["price"] for trade in trades], [*sizes, given["old_position"] / parts], [given["margin_balance"]])
    instrument, leverage = by_factor(posed.policy, scale.cash_per_tick_lot, given["margin_factor"])
    held = scale.lots(given["old_position"] / parts)
    fills = [(scale.ticks(trade["price"]), scale.lots(size)) for trade, size in zip(trades, sizes, strict=True)]
    cost, left = 0, abs(held)
    for price, lots in fills:
        cost += min(left, lots) * price * instrument.cash_per_tick_lot
        left -= min(left, lots)
    sign = 1 if held > 0 else -1
    bench = _two_traders(posed.policy, instrument, DEEP_POCKET, leverage, isolated=True)
    bench.set_mark(SYMBOL, fills[-1][0])
    wallet = scale.cash(given["margin_balance"])
    bench.hold(OWNER, SYMBOL, held, sign * cost, leverage=leverage, isolated_wallet=wallet)
    bench.hold(COUNTERPARTY, SYMBOL, -held, -sign * cost)
    for price, lots in fills:
        _must_trade(bench, -sign, lots, price)
    return {"net_release": scale.money(bench.account(OWNER).wallet_balance - DEEP_POCKET)}


def account_after_trades(posed: Posed) -> Figures:
    """Return an isolated trader's equity and available balance; the mark stays at the first price (MARG-009, MARG-014)."""
    given, trades = posed.given, posed.given.parts("trades")
    money = [given["start"], *(trade["qty"] * trade["price"] * given["taker_fee"] for trade in trades)]
    scale = fine_scale([trade["price"] for trade in trades], [trade["qty"] for trade in trades], money)
    instrument = perpetual(posed.policy, scale.cash_per_tick_lot, taker_fee=ppm(given["taker_fee"]))
    bench = _two_traders(posed.policy, instrument, scale.cash(given["start"]), whole_leverage(given), isolated=True)
    bench.set_mark(SYMBOL, scale.ticks(trades[0]["price"]))
    for trade in trades:
        lots = scale.lots(trade["qty"])
        _must_trade(bench, 1 if lots > 0 else -1, abs(lots), scale.ticks(trade["price"]))
    seen = bench.account(OWNER)
    return {"equity": scale.money(seen.total_equity), "available": scale.money(seen.available_balance)}


def fees_of_both(posed: Posed) -> Figures:
    """Return what a trade leaves both sides with; a fee per contract is a rate on contracts of one million units (MARG-017)."""
    given = posed.given
    fees = (WHOLE_UNITS.cash(given["maker_fee"]), WHOLE_UNITS.cash(given["taker_fee"]))
    bench = Bench(posed.policy, perpetual(posed.policy, 1, maker_fee=fees[0], taker_fee=fees[1]))
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


def available_in_cross(posed: Posed) -> Figures:
    """Return what a cross account can still commit (MARG-009)."""
    given, legs = posed.given, posed.given.parts("positions")
    if given.get("frozen"):
        raise NotCoveredError("an amount is frozen, and here orders alone hold money back")
    scale = fine_scale([given["mark"], *(leg["entry"] for leg in legs)], [leg["qty"] for leg in legs], [given["balance"]])
    k, names = scale.cash_per_tick_lot, [f"{SYMBOL}-{number}" for number in range(len(legs))]
    bench = Bench(posed.policy, *(perpetual(posed.policy, k, symbol=name) for name in names))
    bench.open_account(OWNER, scale.cash(given["balance"]))
    for name, leg in zip(names, legs, strict=True):
        lots = scale.lots(leg["qty"])
        bench.set_mark(name, scale.ticks(given["mark"]))
        bench.hold(OWNER, name, lots, lots * scale.ticks(leg["entry"]) * k, leverage=whole_leverage(leg))
    return {"available": scale.money(bench.account(OWNER).available_balance)}


def transferable(posed: Posed) -> Figures:
    """Return what may leave an account whose positions need this much: one without leverage, worth just that (MARG-009)."""
    given = posed.given
    scale = Scale(0, 0, 0)
    bench, lots = Bench(posed.policy, perpetual(posed.policy, 1)), scale.lots(given["initial_margin"])
    bench.open_account(OWNER, scale.cash(given["balance"]))
    bench.set_mark(SYMBOL, 1)
    bench.hold(OWNER, SYMBOL, lots, lots)
    return {"transferable": scale.money(bench.account(OWNER).withdrawable)}


def free_and_withdrawable(posed: Posed) -> Figures:
    """Return what backs new orders and what may leave, of an account with this profit and initial margin (MARG-009).

    A position without leverage stands for them: its notional at the mark is the margin, its entry lies a profit away.
    """
    given = posed.given
    profit, margin = given["upnl"], given["margin_used"]
    scale = Scale(decimals_of([profit, margin]), 0, decimals_of([profit, margin, given["balance"]]))
    if not margin:
        raise NotCoveredError("a profit without initial margin belongs to no position here")
    sign = -1 if profit > 0 else 1
    mark = scale.ticks(margin)
    entry = mark - sign * scale.ticks(profit)
    bench = Bench(posed.policy, perpetual(posed.policy, scale.cash_per_tick_lot))
    bench.open_account(OWNER, scale.cash(given["balance"]))
    bench.set_mark(SYMBOL, mark)
    bench.hold(OWNER, SYMBOL, sign, sign * entry * scale.cash_per_tick_lot)
    seen = bench.account(OWNER)
    return {"free_collateral": scale.money(seen.available_balance), "withdrawable": scale.money(seen.withdrawable)}


def cost_of_order_with_close(posed: Posed) -> Figures:
    """Return what an order holds that pays for its close at bankruptcy, too, and the parts of it (MARG-008)."""
    given = posed.given
    scale = fine_scale([given["price"]], [given["qty"]], [given["qty"] * given["price"] * given["taker_fee"]])
    leverage, price, lots = whole_leverage(given), scale.ticks(given["price"]), scale.lots(given["qty"])
    instrument = perpetual(posed.policy, scale.cash_per_tick_lot, taker_fee=ppm(given["taker_fee"]))
    held = order_margin_without_mark(instrument, Held(), [Order(given.sign, price, lots)], leverage)
    opening = fee_on(notional_value(instrument, lots, price), instrument.taker_fee)
    closing = close_fee(instrument, given.sign, lots, price, leverage)
    margin = initial_margin(instrument, lots, lots * price * scale.cash_per_tick_lot, price, leverage)
    figures = {
        "initial_margin": margin,
        "open_fee": opening,
        "close_fee": closing,
        "order_cost": held,
        "total": held - opening,
    }
    return {name: rounded_near(scale.money(figure), ROUNDED_DECIMALS) for name, figure in figures.items()}


def trade_of_unhealthy(posed: Posed) -> Figures:
    """Return whether an account without positions may trade into one that needs this much and stands like that (MARG-012).

    One lot's notional at the mark is one unit, all of it maintenance; the trade's price makes the loss.
    """
    given = posed.given
    lots = WHOLE_UNITS.lots(given["new_mmr"])
    if given["old_mmr"] or lots < 1:
        raise NotCoveredError("only a trade that opens a position has a counterpart here")
    price = 1 + WHOLE_UNITS.cash((given["old_nc"] - given["new_nc"]) / lots)
    bench = _two_traders(
        posed.policy, perpetual(posed.policy, 1, flat_tier(PPM)), WHOLE_UNITS.cash(given["old_nc"]), 1, isolated=False
    )
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
    "order_margin_notional_offset": margin_offset_by_notional,
    "order_cost_with_fees": cost_of_order_with_close,
    "im_with_close_fee": cost_of_order_with_close,
    "free_and_withdrawable": free_and_withdrawable,
    "transferable": transferable,
    "state_transition": trade_of_unhealthy,
}
