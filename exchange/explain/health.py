"""Why was I liquidated, and why was I warned: a scope's health on both paths, and what would have prevented it."""

from __future__ import annotations

from exchange.domain.decisions import FlagDecision, HeldPosition, MarginCallDecision, Recorded, ScopeRisk, Told
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.ids import PositionId
from exchange.domain.margin_math import maintenance_margin
from exchange.domain.units import Cash, Ticks
from exchange.explain.comparing import Row, compare
from exchange.explain.explanation import Explanation, PathArithmetic
from exchange.explain.happenings import happenings, outcome_changes
from exchange.explain.holdings import Instruments, Numbered, in_pool
from exchange.explain.scopes import (
    Standing,
    View,
    actual_view,
    check_breach,
    other_view,
    work_liquidation_price,
    work_ratio,
    work_scope,
)
from exchange.explain.wording import grouped, money, owner, percent, price, scope_phrase

OTHERS_MAX = 6
"""How many positions of a cross pool are shown as they would have stood alone."""
ROWS: tuple[Row, ...] = (
    ("wallet behind it", "money", ("W1", "W")),
    ("equity", "money", ("E",)),
    ("maintenance margin", "money", ("MM",)),
    ("margin ratio", "rate", ("ratio",)),
    ("last healthy mark", "price", ("LP",)),
)
CROSS_ROWS: tuple[Row, ...] = (("wallet behind it", "money", ("W",)), *ROWS[1:])
MARK_COMMANDS = frozenset({"SetMarkPrices", "SetIndexPrices"})


def explain_flag(recorded: Recorded, instruments: Instruments, story: tuple[Told, ...]) -> Explanation:
    """Return why a scope was liquidated, and what followed (MARG-005, LIQ-001)."""
    decision = recorded.decision
    assert isinstance(decision, FlagDecision), "a flag explains a liquidation"
    view = actual_view(decision.held, instruments, decision.position_id)
    decided, standing, shown, lowest = _scope_path(view, decision.risk)
    others = _other_paths(decision, instruments)
    verb = "fell below" if standing.equity < standing.maintenance else "fell to"
    headline = (
        f"{owner(decision.account)} {scope_phrase(_held(view))} was liquidated: equity {money(standing.equity)} "
        f"{verb} maintenance {money(standing.maintenance)} {_mark_phrase(recorded, shown)}"
    )
    return Explanation(
        kind="liquidation",
        headline=headline,
        sequence=recorded.sequence,
        time_ns=recorded.time_ns,
        account=decision.account,
        symbol=None if view.subject is None else view.subject.held.symbol,
        position_side=_side(view),
        liquidation_id=decision.liquidation_id,
        verdict="liquidated",
        paths=(decided, *others),
        compared=compare((decided, *others), ROWS if view.is_isolated else CROSS_ROWS),
        changes=outcome_changes(story),
        happened=happenings(story, instruments),
        prevention=_prevention(view, standing, shown, lowest, others),
    )


def explain_margin_call(recorded: Recorded, instruments: Instruments) -> Explanation:
    """Return why an owner was warned (MARG-020)."""
    decision = recorded.decision
    assert isinstance(decision, MarginCallDecision), "a margin call is explained"
    view = actual_view(decision.held, instruments, decision.position_id)
    standing = work_scope(view)
    ratio, shown = work_ratio(view, standing), _shown_position(view)
    lowest = None if shown is None else work_liquidation_price(view, shown, standing)
    view.a.rate("level", "the level of the warning", decision.level)
    check_breach(view, standing, _at_equality(view))
    reached = ratio is None or ratio >= decision.level
    if ratio is None:
        view.a.check("reached", "no equity is left", "E", "<=", "0", holds=True, rule="MARG-020")
    else:
        meaning = "the ratio is at or above the level"
        view.a.check("reached", meaning, "ratio", ">=", "level", holds=reached, rule="MARG-020")
    decided = view.a.finish("reached and not (exposed and breached)", verdict=reached, outcome="warned")
    others = _other_paths(decision, instruments)
    left = standing.equity - standing.maintenance
    prevention = [f"{money(left)} of equity was left before liquidation"]
    if lowest is not None and shown is not None:
        prevention.append(f"liquidation begins beyond a {shown.held.symbol} mark of {price(shown.instrument, lowest)}")
    shown_ratio = "no equity is left" if ratio is None else f"its margin ratio rose to {percent(ratio)}"
    return Explanation(
        kind="margin_call",
        headline=f"{owner(decision.account)} {scope_phrase(_held(view))} was warned at {percent(decision.level)}: "
        f"{shown_ratio} {_mark_phrase(recorded, shown)}",
        sequence=recorded.sequence,
        time_ns=recorded.time_ns,
        account=decision.account,
        symbol=None if view.subject is None else view.subject.held.symbol,
        position_side=_side(view),
        verdict="warned",
        paths=(decided, *others),
        compared=compare((decided, *others), ROWS if view.is_isolated else CROSS_ROWS),
        prevention=tuple(prevention),
    )


def _scope_path(view: View, risk: ScopeRisk) -> tuple[PathArithmetic, Standing, Numbered | None, Ticks | None]:
    standing = work_scope(view)
    work_ratio(view, standing)
    shown = _shown_position(view)
    lowest = None if shown is None else work_liquidation_price(view, shown, standing)
    if standing.equity < standing.maintenance:
        meaning = "what was missing to its maintenance"
        view.a.money_step("missing", meaning, "MM - E", standing.maintenance - standing.equity, "MARG-005")
    check_breach(view, standing, _at_equality(view))
    path = view.a.finish("exposed and breached", verdict=risk.is_breached, outcome="liquidated")
    return path, standing, shown, lowest


def _other_paths(decision: FlagDecision | MarginCallDecision, instruments: Instruments) -> tuple[PathArithmetic, ...]:
    """Return what the other mode would have seen: of an isolated position the pool, of a pool each position alone."""
    if decision.position_id is not None:
        return (_other_path(decision, instruments, decision.position_id),)
    real = actual_view(decision.held, instruments, None)
    by_weight = sorted(in_pool(real.positions), key=lambda each: (-_maintenance(each), each.number))
    return tuple(_other_path(decision, instruments, each.held.position_id) for each in by_weight[:OTHERS_MAX])


def _other_path(decision: FlagDecision | MarginCallDecision, instruments: Instruments, position: PositionId) -> PathArithmetic:
    view = other_view(decision.held, instruments, position)
    standing = work_scope(view)
    work_ratio(view, standing)
    assert view.subject is not None, "the other path is about the same position"
    work_liquidation_price(view, view.subject, standing)
    breached = check_breach(view, standing, _at_equality(view))
    outcome = "would have been liquidated" if breached else "would have stood"
    return view.a.finish("exposed and breached", verdict=breached, outcome=outcome)


def _prevention(
    view: View, standing: Standing, shown: Numbered | None, lowest: Ticks | None, others: tuple[PathArithmetic, ...]
) -> tuple[str, ...]:
    missing = standing.maintenance - standing.equity + (1 if _at_equality(view) else 0)
    where = "in its wallet" if view.is_isolated else "in the cross wallet"
    said = [f"{money(missing)} more {where} would have kept it at this mark"]
    if lowest is not None and shown is not None:
        side = "at or above" if shown.held.quantity > 0 else "at or below"
        said.append(f"it was healthy with {shown.held.symbol} {side} {price(shown.instrument, lowest)}")
    for path in others:
        equity, maintenance = path.value("E"), path.value("MM")
        if equity is not None and maintenance is not None:
            who = "in cross" if path.path == MarginMode.CROSS.value else f"isolated, {path.title}"
            said.append(f"{who}, it {path.outcome}: equity {grouped(equity)}, maintenance {grouped(maintenance)}")
    return tuple(said)


def _shown_position(view: View) -> Numbered | None:
    """Return the position whose mark matters: the scope's own, in a pool the one with the most maintenance."""
    if view.subject is not None:
        return view.subject
    return max(in_pool(view.positions), key=lambda each: (_maintenance(each), -each.number), default=None)


def _maintenance(each: Numbered) -> Cash:
    return maintenance_margin(each.instrument, each.held.quantity, each.held.entry_cost, each.mark)


def _mark_phrase(recorded: Recorded, shown: Numbered | None) -> str:
    if shown is None:
        return "without any position"
    mark = price(shown.instrument, shown.mark)
    if recorded.command not in MARK_COMMANDS:
        return f"with the {shown.held.symbol} mark at {mark}"
    return f"when the {shown.held.symbol} mark went to {mark}"


def _at_equality(view: View) -> bool:
    held = view.subject or next(iter(in_pool(view.positions)), None)
    return held is not None and held.instrument.rules.liquidate_at_equality


def _held(view: View) -> HeldPosition | None:
    return None if view.subject is None else view.subject.held


def _side(view: View) -> str | None:
    if view.subject is None or view.subject.held.position_side is PositionSide.NET:
        return None
    side: str = view.subject.held.position_side.value
    return side
