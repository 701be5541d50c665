"""Why an order was let in or refused: what it required, what was available, and every check on its way (MARG-010)."""

from __future__ import annotations

from typing import NamedTuple

from exchange.domain.decisions import HeldOrder, OrderDecision, Recorded
from exchange.domain.enums import PositionSide
from exchange.domain.margin_math import tier_at
from exchange.domain.rejects import Reason
from exchange.domain.units import Cash, Lots, format_cash
from exchange.explain.comparing import Row, compare
from exchange.explain.explanation import BeforeAfter, Explanation, PathArithmetic
from exchange.explain.filters import check_filter, is_filter, shown_bound
from exchange.explain.holdings import Instruments, Numbered, give_leverage, give_market
from exchange.explain.reach import reached, work_reach, work_reach_before
from exchange.explain.reserves import NEW, Reserves, held_by, work_available
from exchange.explain.scopes import View, actual_view, other_view
from exchange.explain.wording import money, price, quantity

ROWS: tuple[Row, ...] = (
    ("held by its orders before", "money", ("R_before",)),
    ("held by its orders after", "money", ("R_after",)),
    ("required", "money", ("required",)),
    ("available before", "money", ("available",)),
    ("available after", "money", ("available_after",)),
)
CONCLUSION = "reduces or (not_liquidating and (no_further_reach or leverage_allowed) and (nothing_more or affordable))"


_STANDING = {
    Reason.LIQUIDATION_IN_PROGRESS: "its scope is being liquidated, and may only reduce meanwhile",
    Reason.MARK_STALE: "the mark is stale, and orders may only reduce meanwhile",
}


class Judged(NamedTuple):
    """What one path found of an order."""

    path: PathArithmetic
    required: Cash
    available: Cash


def explain_order(recorded: Recorded, instruments: Instruments) -> Explanation:
    """Return why an order was accepted or refused, with the other path beside it."""
    decision = recorded.decision
    assert isinstance(decision, OrderDecision), "an order is explained"
    accepted = decision.reason is None
    judged = other = None
    if decision.margin is not None and decision.price is not None:
        judged = _judge(actual_view(decision.held, instruments, decision.position_id), decision, is_actual=True)
        if decision.reason is not Reason.FOK_UNFILLABLE:  # what it would have met in the other mode is not known
            other = _judge(other_view(decision.held, instruments, decision.position_id), decision, is_actual=False)
    paths = tuple(each.path for each in (judged, other) if each is not None)
    side = PositionSide(decision.position_id.partition("/")[2] or "net")
    instrument = instruments.get(decision.symbol)
    limit, actual = shown_bound(decision.reason, instrument, decision.limit, decision.actual)
    return Explanation(
        kind="order",
        headline=_headline(decision, instruments, judged),
        sequence=recorded.sequence,
        time_ns=recorded.time_ns,
        account=decision.account,
        symbol=decision.symbol,
        position_side=None if side is PositionSide.NET else side.value,
        order_id=decision.order_id,
        client_order_id=decision.client_order_id,
        verdict="accepted" if accepted else "refused",
        reason=None if decision.reason is None else decision.reason.value,
        limit=limit,
        actual=actual,
        paths=paths,
        compared=compare(paths, ROWS),
        changes=() if judged is None else _changes(decision, instruments, judged),
        prevention=() if judged is None or accepted else _prevention(decision, instruments, judged),
    )


def _judge(view: View, decision: OrderDecision, *, is_actual: bool) -> Judged:
    a, subject = view.a, view.subject
    assert subject is not None, "an order has a position, flat or not"
    assert decision.price is not None, "an order that came to its check has a price"
    newcomer = HeldOrder(NEW, decision.sign, decision.price, decision.quantity, decision.reduce_only)
    then = (*decision.orders, newcomer)
    give_market(a, subject)
    reserves = Reserves(view, subject, then)
    after = reserves.work("R_after", "held by all its orders with the new one", then, "")
    before = reserves.work("R_before", "held by its orders without it", decision.orders, "_before")
    required = a.money_step("required", "by how much it raises what is held", "R_after - R_before", after - before, "MARG-009")
    available = work_available(view, subject, before, "R_before")
    left = available - required
    a.money_step("available_after", "available after it", "available - required", left, "MARG-009")
    reducing = _check_reducing(view, subject, decision, reserves, then)
    _check_liquidating(view, subject)
    _check_reach(view, subject, decision)
    a.check("nothing_more", "nothing more is held for it", "required", "<=", "0", holds=required <= 0, rule="MARG-010")
    a.check("affordable", "what is left is not negative", "available_after", ">=", "0", holds=left >= 0, rule="MARG-010")
    conclusion, verdict = CONCLUSION, reducing or _passes(view, subject, decision, required, left)
    if decision.reason is Reason.MARK_STALE:
        a.count("stale", "the mark is older than the venue allows", 1)
        a.check("fresh", "the mark is fresh", "stale", "=", "0", holds=False, rule="MARK-004")
        conclusion, verdict = f"(reduces or fresh) and ({CONCLUSION})", False
    elif is_filter(decision.reason):
        check_filter(a, subject.instrument, decision)
        conclusion, verdict = f"passes_filter and ({CONCLUSION})", False
    if is_actual:
        outcome = "accepted" if verdict else "refused"
    else:
        outcome = "would have been accepted" if verdict else "would have been refused"
    return Judged(a.finish(conclusion, verdict=verdict, outcome=outcome), required, available)


def _check_reducing(
    view: View, subject: Numbered, decision: OrderDecision, reserves: Reserves, then: tuple[HeldOrder, ...]
) -> bool:
    a = view.a
    if decision.reduce_only:
        a.count("reduce_only", "the order is reduce-only", 1)
        return a.check("reduces", "it may only reduce", "reduce_only", "=", "1", holds=True, rule="MARG-010")
    lots = reserves.lots_of_new(then, decision.sign)
    name = "new_x" if a.knows("new_x") else "new_open"
    if not a.knows(name):
        a.quantity(name, "the new order: open quantity", subject.instrument, decision.quantity)
    return a.check("reduces", "none of its lots does more than reduce", name, "=", "0", holds=lots == 0, rule="MARG-010")


def _is_liquidating(view: View, subject: Numbered) -> bool:
    return subject.held.is_liquidating if view.is_isolated else view.account.is_liquidating


def _check_liquidating(view: View, subject: Numbered) -> None:
    flagged = _is_liquidating(view, subject)
    view.a.count("flags", "liquidations of its scope under way", int(flagged))
    view.a.check("not_liquidating", "its scope is not being liquidated", "flags", "=", "0", holds=not flagged, rule="LIQ-001")


def _check_reach(view: View, subject: Numbered, decision: OrderDecision) -> None:
    """Write down how far its orders can take the position, and whether the leverage is allowed there."""
    a, extra = view.a, decision.sign * decision.quantity
    give_leverage(a, subject)
    a.quantity("new_open", "the new order: open quantity", subject.instrument, decision.quantity)
    then = work_reach(view, subject, decision.orders, extra, "new_open")
    now = work_reach_before(view, subject, decision.orders)
    top = tier_at(subject.instrument.tiers, then).max_leverage
    a.check("no_further_reach", "it reaches no further than before", "reach", "<=", "reach_before", holds=then <= now,
            rule="MARG-010")  # fmt: skip
    a.check("leverage_allowed", "the leverage is allowed in that tier", subject.name("L"), "<=", "reach_top",
            holds=subject.held.leverage <= top, rule="MARG-010")  # fmt: skip


def _passes(view: View, subject: Numbered, decision: OrderDecision, required: Cash, left: Cash) -> bool:
    if _is_liquidating(view, subject):
        return False
    then = reached(subject, decision.orders, decision.sign * decision.quantity)
    further = then > reached(subject, decision.orders)
    if further and subject.held.leverage > tier_at(subject.instrument.tiers, then).max_leverage:
        return False
    return required <= 0 or left >= 0


# -- words -------------------------------------------------------------------------------------------------------------


def _headline(decision: OrderDecision, instruments: Instruments, judged: Judged | None) -> str:
    instrument = instruments.get(decision.symbol)
    number = "" if decision.order_id is None else f" {decision.order_id}"
    verb = "buy" if decision.sign > 0 else "sell"
    if instrument is None:
        wanted = f"to {verb} {decision.symbol}"
    else:
        at = "" if decision.price is None else f" at {price(instrument, decision.price)}"
        wanted = f"to {verb} {quantity(instrument, decision.quantity)} {decision.symbol}{at}"
    outcome = "was accepted" if decision.reason is None else f"was refused with {decision.reason.value}"
    amended = ", amended" if decision.is_amend else ""
    said = f"{decision.account}'s order{number}{amended} {wanted} {outcome}"
    if is_filter(decision.reason):
        limit, actual = shown_bound(decision.reason, instrument, decision.limit, decision.actual)
        return said if limit is None or actual is None else f"{said}: {actual} against a bound of {limit}"
    if judged is None:
        return said
    if decision.reason is Reason.LEVERAGE_TIER:
        return f"{said}: leverage {decision.actual} is above the {decision.limit} allowed where its orders could take it"
    if decision.reason in _STANDING:
        return f"{said}: {_STANDING[decision.reason]}"
    if judged.required <= 0:
        return f"{said}: it required nothing more, and {money(judged.available)} was available"
    return f"{said}: it required {money(judged.required)}, and {money(judged.available)} was available"


def _changes(decision: OrderDecision, instruments: Instruments, judged: Judged) -> tuple[BeforeAfter, ...]:
    margin, accepted = decision.margin, decision.reason is None
    assert margin is not None, "it came to its margin check"
    after = margin.available_after if accepted else margin.available_before
    rows = [BeforeAfter("available", "money", format_cash(margin.available_before), format_cash(after))]
    if margin.liquidation_price is not None:
        shown = instruments[decision.symbol].price_grid.format(margin.liquidation_price)
        rows.append(BeforeAfter("liquidation price, if it filled whole at its price", "price", None, shown))
    return tuple(rows)


def _prevention(decision: OrderDecision, instruments: Instruments, judged: Judged) -> tuple[str, ...]:
    if decision.reason is not Reason.INITIAL_INSUFFICIENT:
        return ()
    missing = judged.required - judged.available
    said = [f"{money(missing)} more in the cross wallet would have let it in"]
    view = actual_view(decision.held, instruments, decision.position_id)
    assert view.subject is not None, "an order has a position"
    most = _largest(view.subject, decision, judged.available)
    instrument = view.subject.instrument
    if most:
        said.append(f"so would a quantity of {quantity(instrument, most)} or less, everything else being equal")
    return tuple(said)


def _largest(subject: Numbered, decision: OrderDecision, available: Cash) -> Lots:
    """Return the largest quantity that needs no more than what was available; what is held never falls with quantity."""
    assert decision.price is not None, "it came to its margin check"
    before, low, high = held_by(subject, decision.orders), 0, decision.quantity - 1
    while low < high:
        middle = (low + high + 1) // 2
        newcomer = HeldOrder(NEW, decision.sign, decision.price, middle, decision.reduce_only)
        fits = held_by(subject, (*decision.orders, newcomer)) - before <= max(0, available)
        low, high = (middle, high) if fits else (low, middle - 1)
    return low
