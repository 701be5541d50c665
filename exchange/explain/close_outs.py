"""The steps of a liquidation explained: topping up, sizing and pricing a closing order, handing over (LIQ-004 to LIQ-009)."""

from __future__ import annotations

from exchange.domain.decisions import CloseDecision, Recorded, ReplenishDecision, TransferDecision
from exchange.domain.enums import PositionSide
from exchange.domain.events import CloseOutVenue
from exchange.domain.instrument import Instrument
from exchange.domain.margin_math import (
    bankruptcy_value,
    closed_cost,
    maintenance_margin,
    margin_notional,
    notional_value,
    sign_of,
    tier_at,
)
from exchange.domain.policy import LiquidationLimit, LiquidationSizing, RiskPolicy
from exchange.domain.units import PPM, Cash, Lots, ceil_div
from exchange.explain.explanation import BeforeAfter, Explanation, PathArithmetic
from exchange.explain.holdings import (
    Instruments,
    Numbered,
    Terms,
    as_held,
    give_position,
    give_tier,
    times_multiplier,
    work_maintenance,
    work_notional,
    work_profit,
)
from exchange.explain.reserves import work_available
from exchange.explain.scopes import Standing, View, actual_view, work_scope
from exchange.explain.wording import money, price, quantity

REST = "_rest"
"""Ends the names of what a closing order would leave."""


def explain_close(recorded: Recorded, instruments: Instruments, policy: RiskPolicy) -> Explanation:
    """Return how large a closing order was made, and where it was limited."""
    decision = recorded.decision
    assert isinstance(decision, CloseDecision), "a closing order is explained"
    view = actual_view(decision.held, instruments, decision.position_id)
    position, a = _subject(view), view.a
    standing = work_scope(view)
    instrument = position.instrument
    conclusion, meets = _work_size(view, position, standing, decision, policy)
    order = min(decision.wanted, instrument.quantity_max)
    a.quantity("largest", "the largest order of the symbol", instrument, instrument.quantity_max)
    a.step("order", "the order", "min(close, largest)", instrument.quantity_grid.format(order), "quantity", "LIQ-004")
    _work_share(view, position, standing, decision.equity_share)
    formula = f"{position.name('q')} * {position.name('P')}{times_multiplier(position)} - share"
    meaning = "what the whole position is worth at bankruptcy"
    a.money_step("bankruptcy_value", meaning, formula, decision.bankruptcy_value, "LIQ-005")
    a.given(position.name("tick"), f"{position.label}: tick", instrument.price_grid.size, "price")
    rounding, tick = "ceil" if position.held.quantity > 0 else "floor", position.name("tick")
    exact = f"bankruptcy_value / ({position.name('q')}{times_multiplier(position)})"
    shown = instrument.price_grid.format(decision.bankruptcy_price)
    a.step("BP", "bankruptcy price", f"{rounding}({exact} / {tick}) * {tick}", shown, "price", "LIQ-005")
    path = a.finish(conclusion, verdict=meets, outcome="sized so")
    limited = policy.fund_covers or policy.liquidation_limit is not LiquidationLimit.BANKRUPTCY
    sent = f", limited at {price(instrument, decision.limit_price)}" if limited else ""
    verb = "sell" if position.held.quantity > 0 else "buy"
    part = "all" if decision.wanted == abs(position.held.quantity) else "part"
    headline = (
        f"liquidation {decision.liquidation_id} set out to {verb} {quantity(instrument, decision.quantity)} {position.label} "
        f"({part} of it), bankruptcy price {price(instrument, decision.bankruptcy_price)}{sent}"
    )
    return _explanation(recorded, decision, "close", headline, "sent", path, position)


def _work_share(view: View, position: Numbered, standing: Standing, share: Cash) -> None:
    """Write down the equity that the position carries, once (LIQ-005)."""
    if view.a.knows("share"):
        return
    if view.is_isolated:
        view.a.money_step("share", "the equity that the position carries", "E", share, "LIQ-005")
    elif standing.maintenance:
        formula = f"down(E * {position.name('MM')} / MM)"
        view.a.money_step("share", "the pool's equity that the position carries, by maintenance", formula, share, "LIQ-005")
    else:
        view.a.money_step("share", "the equity that the position carries", "E", share, "LIQ-005")


def _work_size(
    view: View, position: Numbered, standing: Standing, decision: CloseDecision, policy: RiskPolicy
) -> tuple[str, bool]:
    """Write down how much is to be closed, and return the checks that prove it (LIQ-004)."""
    a, instrument, size = view.a, position.instrument, abs(position.held.quantity)
    a.given(position.name("lot"), f"{position.label}: lot", instrument.quantity_grid.size, "quantity")
    q, lot, shown = f"abs({position.name('q')})", position.name("lot"), instrument.quantity_grid.format(decision.wanted)
    if decision.wanted == size:
        a.step("close", f"all of it: {_why_whole(position, standing, decision, policy)}", q, shown, "quantity", "LIQ-004")
        a.check("is_whole", "the whole position is closed", "close", "=", q, holds=True, rule="LIQ-004")
        return "is_whole", True
    match policy.liquidation_sizing:
        case LiquidationSizing.FRACTION:
            a.rate("fraction", "the fraction that one order closes", policy.liquidation_fraction)
            formula = f"ceil({q} * fraction / {lot}) * {lot}"
            if policy.liquidation_close_min:
                a.money("close_min", "what one order closes at least", policy.liquidation_close_min)
                per_lot = f"{position.name('P')}{times_multiplier(position)} * {lot}"
                formula = f"max({formula}, ceil(close_min / ({per_lot})) * {lot})"
            formula = f"min({q}, {formula})"
        case LiquidationSizing.TIER_STEP:
            formula = _tier_step(view, position, policy, q, lot)
        case _:
            return _target(view, position, standing, decision, policy)
    a.step("close", "to be closed", formula, shown, "quantity", "LIQ-004")
    a.check("is_part", "that is less than all of it", "close", "<", q, holds=True, rule="LIQ-004")
    return "is_part", True


def _tier_step(view: View, position: Numbered, policy: RiskPolicy, q: str, lot: str) -> str:
    """Return the formula of a close that ends some tiers lower, once what it needs is written down."""
    a, instrument, held = view.a, position.instrument, position.held
    measured_at = instrument.rules.maintenance_price
    notional = margin_notional(instrument, held.quantity, held.entry_cost, position.mark, measured_at)
    reached = instrument.tiers.index(tier_at(instrument.tiers, notional)) - policy.liquidation_tier_steps + 1
    name = work_notional(a, as_held(position), measured_at)
    a.money("floor_to", "the floor that the rest must stay below", instrument.tiers[reached].notional_floor)
    return f"{q} - floor((floor_to * {q} / {lot} - 0.000001) / {name}) * {lot}"


def _target(
    view: View, position: Numbered, standing: Standing, decision: CloseDecision, policy: RiskPolicy
) -> tuple[str, bool]:
    """Prove a close by target: it leaves enough equity, and one lot less would not (LIQ-004)."""
    a, instrument = view.a, position.instrument
    lot = position.name("lot")
    a.quantity("close", "to be closed: the least that reaches the target", instrument, decision.wanted)
    a.rate("target", "equity over maintenance that a close aims at", policy.liquidation_target)
    a.rate("loss_rate", "what closing is taken to lose: liquidation fee and slippage",
           decision.fee + policy.liquidation_slippage)  # fmt: skip
    own = maintenance_margin(instrument, position.held.quantity, position.held.entry_cost, position.mark)
    others = standing.maintenance - own
    a.money_step("MM_others", "maintenance of the scope's other positions", f"MM - {position.name('MM')}", others, "LIQ-004")
    work_notional(a, as_held(position))
    _work_share(view, position, standing, decision.equity_share)
    reached, left, needed = _rest(view, position, standing, decision, policy, decision.wanted, others, REST, "close")
    enough = a.check("reaches_target", "the equity left is the target", left, ">=", f"target * {needed}", holds=reached,
                     rule="LIQ-004")  # fmt: skip
    if decision.wanted <= 1:
        return "reaches_target", enough
    less, left, needed = _rest(
        view, position, standing, decision, policy, decision.wanted - 1, others, "_less", f"(close - {lot})"
    )
    short = a.check("one_lot_less", "one lot less would reach it, too", left, ">=", f"target * {needed}", holds=less,
                    rule="LIQ-004")  # fmt: skip
    return "reaches_target and not one_lot_less", enough and not short


def _rest(
    view: View,
    position: Numbered,
    standing: Standing,
    decision: CloseDecision,
    policy: RiskPolicy,
    lots: Lots,
    others: Cash,
    suffix: str,
    closed: str,
) -> tuple[bool, str, str]:
    """Write down what a close of so many lots would leave; return whether it reaches the target, and two names."""
    a, instrument, held = view.a, position.instrument, position.held
    size, sign = abs(held.quantity), sign_of(held.quantity)
    notional = notional_value(instrument, size, position.mark)
    rate = decision.fee + policy.liquidation_slippage
    whole = min(decision.equity_share * PPM, rate * notional)
    left = standing.equity - ceil_div(whole * lots, PPM * size)
    q = position.name("q")
    formula = f"E - up(min(share, loss_rate * {position.name('N')}) * {closed} / abs({q}))"
    a.money_step(f"left{suffix}", "equity left", formula, left, "LIQ-004")
    cost = held.entry_cost - closed_cost(held.entry_cost, lots, size)
    then = Terms(position, sign * (size - lots), cost, suffix)
    shown = instrument.quantity_grid.format(then.quantity)
    operator = "-" if sign > 0 else "+"
    a.step(then.name("q"), "the position left", f"{q} {operator} {closed}", shown, "quantity", "LIQ-004")
    rounding = "down" if held.entry_cost >= 0 else "up"
    formula = f"{position.name('c')} - {rounding}({position.name('c')} * {closed} / abs({q}))"
    a.money_step(then.name("c"), "its entry cost", formula, cost, "LIQ-004")
    maintenance = others + work_maintenance(a, then)
    a.money_step(f"MM{suffix}", "maintenance left", f"MM_others + {then.name('MM')}", maintenance, "LIQ-004")
    return left * PPM >= policy.liquidation_target * maintenance, f"left{suffix}", f"MM{suffix}"


def _why_whole(position: Numbered, standing: Standing, decision: CloseDecision, policy: RiskPolicy) -> str:
    if not decision.may_be_partial:
        return f"{policy.liquidation_rounds_max} orders were sent before it"
    if standing.equity <= 0:
        return "no equity is left"
    if policy.liquidation_sizing is LiquidationSizing.FULL:
        return "this venue closes whole positions"
    if notional_value(position.instrument, position.held.quantity, position.mark) < policy.liquidation_partial_min:
        return f"its notional is below {money(policy.liquidation_partial_min)}"
    return "no part of it is enough, or too little would remain"


# -- hand-overs and topping up -------------------------------------------------------------------------------------------


def explain_transfer(recorded: Recorded, instruments: Instruments, policy: RiskPolicy) -> Explanation:
    """Return at what value a position was handed over, and what that realised (LIQ-007 to LIQ-009)."""
    decision = recorded.decision
    assert isinstance(decision, TransferDecision), "a hand-over is explained"
    view = actual_view(decision.held, instruments, decision.position_id)
    position, a = _subject(view), view.a
    standing, held, instrument = work_scope(view), position.held, position.instrument
    sign = sign_of(held.quantity)
    a.quantity("x", "quantity handed over", instrument, decision.quantity)
    q, at = position.name("q"), f"{position.name('P')}{times_multiplier(position)}"
    at_mark = sign * notional_value(instrument, decision.quantity, position.mark)
    worth = f"{'' if sign > 0 else '-'}x * {at}"
    _work_share(view, position, standing, decision.equity_share)
    is_bankruptcy = decision.value == bankruptcy_value(
        instrument, held.quantity, position.mark, decision.equity_share, decision.quantity
    )
    if is_bankruptcy and decision.venue is not CloseOutVenue.RESIDUAL:
        formula, meaning = f"{worth} - down(share * x / abs({q}))", "its bankruptcy value"
    else:
        assert decision.value == at_mark, "what is not handed over at bankruptcy goes at the mark"
        formula, meaning = worth, "its value at the mark"
    a.money_step("value", meaning, formula, decision.value, "LIQ-005")
    rounding = "down" if held.entry_cost >= 0 else "up"
    cost = closed_cost(held.entry_cost, decision.quantity, held.quantity)
    a.money_step("cost_closed", "the entry cost that goes with it", f"{rounding}({position.name('c')} * x / abs({q}))", cost,
                 "MARG-014")  # fmt: skip
    a.money_step("realized", "what it realised", "value - cost_closed", decision.realized, "MARG-014")
    a.check("short", "the scope was still to be liquidated", "E", "<=" if _at_equality(instrument) else "<", "MM",
            holds=standing.equity < standing.maintenance
            or (_at_equality(instrument) and standing.equity == standing.maintenance), rule="LIQ-007")  # fmt: skip
    path = a.finish("short", verdict=decision.risk.is_breached, outcome="handed over")
    taker = {
        CloseOutVenue.FUND: "the insurance fund took over",
        CloseOutVenue.AUTO_DELEVERAGE: "an opposite account was deleveraged for",
        CloseOutVenue.RESIDUAL: "the residual of",
    }[decision.venue]
    went = " went" if decision.venue is CloseOutVenue.RESIDUAL else ""
    headline = (
        f"liquidation {decision.liquidation_id}: {taker} {quantity(instrument, decision.quantity)} {position.label}{went} "
        f"at {meaning.removeprefix('its ')} {money(abs(decision.value))}"
    )
    return _explanation(recorded, decision, "transfer", headline, decision.venue.value, path, position)


def _at_equality(instrument: Instrument) -> bool:
    return instrument.rules.liquidate_at_equality


def explain_replenish(recorded: Recorded, instruments: Instruments) -> Explanation:
    """Return how much a position was topped up with, and that it cured (MARG-024)."""
    decision = recorded.decision
    assert isinstance(decision, ReplenishDecision), "a top-up is explained"
    view = actual_view(decision.held, instruments, decision.position_id)
    position, a = _subject(view), view.a
    standing = work_scope(view, initial=True)
    give_position(a, position)
    work_profit(a, as_held(position))
    notional = work_notional(a, as_held(position))
    give_tier(a, as_held(position), position.instrument.rules.maintenance_price)
    a.money("R_own", "held by its orders", position.held.order_margin)
    work_available(view, position, position.held.order_margin, "R_own", with_profit=False)
    formula = f"min(IM, {notional} - E, available)"
    a.money_step("amount", "one initial margin, at most what there is", formula, decision.amount, "MARG-024")
    after = standing.equity + decision.amount
    a.money_step("E_after", "equity after it", "E + amount", after, "MARG-024")
    cured = a.check("cures", "that is maintenance or more", "E_after", ">=", "MM", holds=after >= standing.maintenance,
                    rule="MARG-024")  # fmt: skip
    path = a.finish("cures", verdict=cured, outcome="topped up")
    headline = (
        f"{decision.account}'s {position.label} was topped up with {money(decision.amount)}, as its owner had it set up: "
        f"equity {money(standing.equity)} became {money(after)} against maintenance {money(standing.maintenance)}"
    )
    return _explanation(recorded, decision, "replenish", headline, "replenished", path, position)


def _subject(view: View) -> Numbered:
    assert view.subject is not None, "a step of a liquidation is about a position"
    return view.subject


def _explanation(
    recorded: Recorded,
    decision: CloseDecision | TransferDecision | ReplenishDecision,
    kind: str,
    headline: str,
    verdict: str,
    path: PathArithmetic,
    position: Numbered,
) -> Explanation:
    side = position.held.position_side
    then = position.held.quantity
    changes: tuple[BeforeAfter, ...] = ()
    if isinstance(decision, TransferDecision):
        then -= sign_of(then) * decision.quantity
        shown = position.instrument.quantity_grid.format
        changes = (BeforeAfter("position", "quantity", shown(position.held.quantity), shown(then)),)
    return Explanation(
        kind=kind,
        headline=headline,
        sequence=recorded.sequence,
        time_ns=recorded.time_ns,
        account=decision.account,
        symbol=position.held.symbol,
        position_side=None if side is PositionSide.NET else side.value,
        liquidation_id=decision.liquidation_id,
        verdict=verdict,
        paths=(path,),
        changes=changes,
    )
