"""Adapters of cases about who pays for a default: fill against bankruptcy, the fund, deleveraging."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from exchange.conformance.cases import Adapter, Posed
from exchange.conformance.engine import (
    ANY_LEVERAGE,
    COUNTERPARTY,
    OWNER,
    SYMBOL,
    Bench,
    deleveraging_order,
    deleveraging_score,
    flat_tier,
    liquidation_fee,
    perpetual,
)
from exchange.conformance.numbers import WHOLE_UNITS, CaseError, Figure, NotCoveredError, fine_scale, ppm, rate_of
from exchange.conformance.requirements import pool_of
from exchange.domain.closeout_math import NANOSECONDS_PER_SECOND, liquidation_fee_rate
from exchange.domain.policy import AdlRanking, RiskPolicy
from exchange.domain.units import PPM

Figures = Mapping[str, Figure]


def fund_share_of_fill(posed: Posed) -> Figures:
    """Return what the fund gets of a liquidation fill, capped by its fee, or pays (LIQ-006)."""
    given, held = posed.given, posed.given.part("position")
    prices = [held["price"], given["fill_price"]]
    scale = fine_scale(prices, [held["size"]], [given["quote_balance"]])
    bench = Bench(posed.policy, perpetual(posed.policy, scale.cash_per_tick_lot, liquidation_fee=ppm(given["max_fee_rate"])))
    lots = scale.lots(held["size"])
    cost = lots * scale.ticks(held["price"]) * scale.cash_per_tick_lot
    bench.open_account(OWNER, scale.cash(given["quote_balance"]) + cost)
    bench.set_mark(SYMBOL, scale.ticks(held["price"]))
    bench.hold(OWNER, SYMBOL, lots, cost)
    change = bench.liquidation_fee(OWNER, SYMBOL, scale.ticks(given["fill_price"]), abs(lots))
    return {"insurance_fund_delta": scale.money(change)}


def fund_takes_all(posed: Posed) -> Figures:
    """Return what the fund gets or pays when all of the surplus is its fee (LIQ-006)."""
    given = posed.given
    scale = fine_scale([given["fill"], given["bankruptcy_price"]], [given["qty"]])
    lots = given.sign * scale.lots(given["qty"])
    bankruptcy = lots * scale.ticks(given["bankruptcy_price"]) * scale.cash_per_tick_lot
    instrument = perpetual(posed.policy, scale.cash_per_tick_lot, liquidation_fee=PPM)
    change = liquidation_fee(instrument, lots, bankruptcy, scale.ticks(given["fill"]), abs(lots))
    return {"insurance_fund_delta": scale.money(change)}


def loss_of_contract(posed: Posed) -> Figures:
    """Return profit and equity of an isolated position, and what the fund pays when it is closed there (MARG-005, LIQ-009)."""
    given = posed.given
    figures = _close(posed.policy, given["size"], given["entry"], given["price"], given["deposit"], Fraction(0))
    return {"pnl": figures["pnl"], "equity": figures["equity"], "insurance_pays": -figures["fund_change"]}


def fund_after_close(posed: Posed) -> Figures:
    """Return what the fund pays when an isolated position is closed beyond bankruptcy, and what it has then (LIQ-009)."""
    given = posed.given
    figures = _close(posed.policy, given["qty"], given["entry"], given["fill"], given["equity"], given["fund"])
    return {"insurance_delta": figures["fund_change"], "fund_after": figures["fund_after"]}


def _close(
    policy: RiskPolicy, size: Fraction, entry: Fraction, price: Fraction, wallet: Fraction, fund: Fraction
) -> dict[str, Fraction]:
    scale = fine_scale([entry, price], [size], [wallet, fund])
    lots = scale.lots(size)
    cost = lots * scale.ticks(entry) * scale.cash_per_tick_lot
    bench = Bench(policy, perpetual(policy, scale.cash_per_tick_lot))
    bench.open_account(OWNER, 0)
    bench.open_account(COUNTERPARTY, 0)
    bench.endow_fund(scale.cash(fund))
    bench.set_mark(SYMBOL, scale.ticks(price))
    bench.hold(OWNER, SYMBOL, lots, cost, isolated_wallet=scale.cash(wallet))
    bench.hold(COUNTERPARTY, SYMBOL, -lots, -cost)
    before = bench.position(OWNER, SYMBOL)
    change = bench.close_at_mark(OWNER, COUNTERPARTY, SYMBOL)
    return {
        "pnl": scale.money(before.unrealized_pnl),
        "equity": scale.money(before.scope_equity),
        "fund_change": scale.money(change),
        "fund_after": scale.money(bench.fund_equity()),
    }


def mark_to_market(posed: Posed) -> Figures:
    """Return an isolated position after a new mark, and what a takeover at bankruptcy value brings the fund (LIQ-007).

    A bond of the owner stands behind the position like its wallet.
    """
    given = posed.given
    scale = fine_scale([given["mark_old"], given["mark_new"]], [given["qty"]], [given["margin_balance"]])
    rate = ppm(given.get("slippage") + given.get("risk_factor"))
    bench = Bench(posed.policy, perpetual(posed.policy, scale.cash_per_tick_lot, flat_tier(rate)))
    lots = scale.lots(given["qty"])
    bench.open_account(OWNER, 0)
    bench.set_mark(SYMBOL, scale.ticks(given["mark_new"]))
    cost = lots * scale.ticks(given["mark_old"]) * scale.cash_per_tick_lot
    backing = given["margin_balance"] + given.get("bond")
    bench.hold(OWNER, SYMBOL, lots, cost, isolated_wallet=scale.cash(backing))
    risk = bench.risk(OWNER, SYMBOL)
    before = bench.fund_equity()
    if risk.is_breached:
        bench.take_over(OWNER, SYMBOL)
    return {
        "balance_after_mtm": scale.money(risk.equity),
        "maintenance": scale.money(risk.maintenance_margin),
        "liquidated": risk.is_breached,
        "insurance_transfer": scale.money(bench.fund_equity() - before),
    }


def deleveraging(posed: Posed) -> Figures:
    """Return both sides of a deleveraging at bankruptcy value, or that it cannot be (LIQ-005, LIQ-008)."""
    given = posed.given
    side, other, symbol = given.part("liquidated"), given.part("offsetting"), given.text("close_market")
    legs = side.parts("positions")
    sizes = [given["delta_size"], other["size"], *(leg["size"] for leg in legs)]
    scale = fine_scale([leg["price"] for leg in legs], sizes, [side["quote_balance"], other["quote_balance"]])
    bench, _ = pool_of(posed.policy, side, scale)
    lots, mark = scale.lots(other["size"]), bench.position(OWNER, symbol).mark_price or 0
    cost = lots * mark * scale.cash_per_tick_lot
    bench.open_account(COUNTERPARTY, scale.cash(other["quote_balance"]) + cost)
    bench.hold(COUNTERPARTY, symbol, lots, cost, leverage=ANY_LEVERAGE)
    valid = bench.deleverage(OWNER, COUNTERPARTY, symbol, abs(scale.lots(given["delta_size"])))
    return {
        "valid": valid,
        "liquidated_quote_after": scale.money(bench.quote_balance(OWNER)),
        "offsetting_quote_after": scale.money(bench.quote_balance(COUNTERPARTY)),
    }


def shortfall_of_winner(posed: Posed) -> Figures:
    """Return what a deleveraged winner keeps when the loser's shortfall is more than the fund has (LIQ-008)."""
    given = posed.given
    prices, money = [given["winner_entry"], given["mark"]], [given["winner_equity"], given["shortfall"]]
    scale = fine_scale(prices, [given["winner_size"]], money)
    bench = Bench(posed.policy, perpetual(posed.policy, scale.cash_per_tick_lot))
    lots, mark = scale.lots(given["winner_size"]), scale.ticks(given["mark"])
    cost = lots * scale.ticks(given["winner_entry"]) * scale.cash_per_tick_lot
    bench.open_account(OWNER, 0)
    bench.open_account(COUNTERPARTY, scale.cash(given["winner_equity"]))
    bench.set_mark(SYMBOL, mark)
    bench.hold(OWNER, SYMBOL, -lots, -cost)
    bench.hold(COUNTERPARTY, SYMBOL, lots, cost)
    bench.bring_equity_to(OWNER, SYMBOL, -scale.cash(given["shortfall"]))
    bench.deleverage(OWNER, COUNTERPARTY, SYMBOL, abs(lots))
    return {"winner_equity_after": scale.money(bench.account(COUNTERPARTY).equity)}


def rank_by_score(posed: Posed) -> Figures:
    """Return in which order scored counterparties are deleveraged (LIQ-008)."""
    scored = [(account.text("id"), account["score"]) for account in posed.given.parts("accounts")]
    return {"order": list(deleveraging_order(scored))}


def score_of_winner(posed: Posed) -> Figures:
    """Return the score by which a winner is deleveraged, from its profit on margin and its margin ratio (LIQ-008)."""
    given = posed.given
    return {"score": deleveraging_score(posed.policy, given["pnl_percent"], given["margin_ratio"])}


def fee_after_slots(posed: Posed) -> Figures:
    """Return the liquidation fee of a scope that was flagged so many slots ago, a slot counted as a second (LIQ-006)."""
    given = posed.given
    policy = msgspec.structs.replace(posed.policy, liquidation_fee_max=ppm(given["max_fee"]))
    instrument = perpetual(policy, 1, liquidation_fee=ppm(given["base_fee"]))
    age = WHOLE_UNITS.lots(given["slots_elapsed"]) * NANOSECONDS_PER_SECOND
    return {"fee": rate_of(liquidation_fee_rate(instrument, policy, age))}


RANKED_BY: Mapping[str, AdlRanking] = {"pnl_ratio": AdlRanking.PROFIT_RATIO, "size": AdlRanking.SIZE}
"""How a source calls the rankings."""


def first_of_queue(posed: Posed) -> Figures:
    """Return who is deleveraged by the ranking that the case names, where its first has to give enough (LIQ-008).

    The case gives no liquidated position: one as large as the smallest winner stands for it, which its first can take.
    """
    given, winners = posed.given, posed.given.parts("winners")
    ranking = RANKED_BY.get(given.text("ranking"))
    if ranking is None or not winners:
        raise CaseError("it names no known ranking, or nobody to rank")
    policy = msgspec.structs.replace(posed.policy, adl_ranking=ranking)
    money = [winner["equity"] for winner in winners]
    scale = fine_scale([given["mark"], *(winner["entry"] for winner in winners)], [winner["qty"] for winner in winners], money)
    mark, lots = scale.ticks(given["mark"]), {winner.text("id"): scale.lots(winner["qty"]) for winner in winners}
    if len({size > 0 for size in lots.values()}) != 1:
        raise CaseError("winners stand on both sides")
    bench = Bench(policy, perpetual(policy, scale.cash_per_tick_lot))
    bench.open_account(OWNER, 0)
    bench.set_mark(SYMBOL, mark)
    for winner in winners:
        name, size = winner.text("id"), lots[winner.text("id")]
        bench.open_account(name, 0)
        bench.hold(name, SYMBOL, size, size * scale.ticks(winner["entry"]) * scale.cash_per_tick_lot)
        bench.bring_equity_to(name, SYMBOL, scale.cash(winner["equity"]))
    smallest = min(lots.values(), key=abs)
    bench.hold(OWNER, SYMBOL, -smallest, -smallest * mark * scale.cash_per_tick_lot)
    first = bench.deleveraging_queue(OWNER, SYMBOL)[0]
    if scale.money(bench.position(first, SYMBOL).unrealized_pnl) < given["deficit"]:
        raise NotCoveredError(
            "counterparties are closed whole until their profit covers a deficit; here until the position is gone"
        )
    return {"closed": [first]}


ADAPTERS: Mapping[str, Adapter] = {
    "insurance_fund_delta": fund_share_of_fill,
    "fund_from_fill": fund_takes_all,
    "contract_loss": loss_of_contract,
    "insurance_after_bankruptcy": fund_after_close,
    "isolated_mtm": mark_to_market,
    "deleverage_at_bankruptcy": deleveraging,
    "adl_absorb": shortfall_of_winner,
    "adl_quintile_rank": rank_by_score,
    "adl_score": score_of_winner,
    "liq_fee_ramp": fee_after_slots,
    "adl_select": first_of_queue,
}
