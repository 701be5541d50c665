"""What must hold of every explanation: its formulas give its values, its checks its verdict, and both are the engine's.

Nothing of the accounts or of the explaining layer's arithmetic is used: values are read from the explanation's text and
compared with the numbers that the engine recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from exchange.domain.commands import AddMargin, RemoveMargin, SetLeverage, SetMarginMode
from exchange.domain.decisions import (
    AnyDecision,
    ChangeDecision,
    CloseDecision,
    FillDecision,
    FlagDecision,
    MarginCallDecision,
    OrderDecision,
    ReplenishDecision,
    TransferDecision,
)
from exchange.domain.enums import MarginMode
from exchange.domain.rejects import Reason
from exchange.domain.units import PPM
from exchange.explain.explanation import Explanation, PathArithmetic
from tests.properties.formula_evaluator import concludes, evaluate, holds, number_relation_holds

Faults = Iterator[str]
MARGIN_BOUNDS = (None, Reason.ADD_ABOVE_AVAILABLE, Reason.REMOVE_ABOVE_MAXIMUM)


def faults_of(explanation: Explanation, decision: AnyDecision) -> Faults:
    """Yield what is wrong with an explanation."""
    for path in explanation.paths:
        yield from (f"{path.path}: {fault}" for fault in path_faults(path))
    if explanation.paths:
        yield from engine_faults(explanation.paths[0], decision)


def path_faults(path: PathArithmetic) -> Faults:
    """Yield each formula that does not give its value, and each check that does not come out as it says."""
    values: dict[str, Fraction] = {each.name: evaluate(each.value) for each in path.inputs}
    for step in path.steps:
        value = evaluate(step.value)
        for text, given in ((step.formula, values), (step.numbers, {})):
            found = evaluate(text, given)
            if found != value:
                yield f"{step.name} = {text} is {found}, not {step.value}"
        values[step.name] = value
    checks: dict[str, bool] = {}
    for check in path.checks:
        checks[check.name] = holds(check.left, check.relation, check.right, values)
        if {checks[check.name], number_relation_holds(check.numbers)} != {check.holds}:
            yield f"{check.name}: {check.left} {check.relation} {check.right} ({check.numbers}) is said to be {check.holds}"
        if check.name.startswith(("in_", "below_")) and not check.holds:
            yield f"{check.name}: the wrong row of the tiers"
    if concludes(path.conclusion, checks) != path.verdict:
        yield f"{path.conclusion} is said to be {path.verdict}"


def engine_faults(path: PathArithmetic, decision: AnyDecision) -> Faults:
    """Yield each number of the path that decided that is not the engine's own."""
    for name, number in engine_numbers(decision).items():
        shown = path.value(name)
        if shown is None or evaluate(shown) != number:
            yield f"{name} is {shown}, and the engine had {number}"
    if path.verdict != engine_verdict(decision):
        yield f"the verdict is {path.verdict}, and the engine's {engine_verdict(decision)}"


def money(amount: int) -> Fraction:
    """Return cash units as money."""
    return Fraction(amount, PPM)


def engine_numbers(decision: AnyDecision) -> Mapping[str, Fraction]:
    """Return the engine's own numbers, by the names that an explanation has for them."""
    match decision:
        case OrderDecision(margin=margin) if margin is not None:
            subject = next(each for each in decision.held.positions if each.position_id == decision.position_id)
            return {
                "required": money(margin.required),
                "available": money(margin.available_before),
                "available_after": money(margin.available_after),
                "R_before": money(subject.order_margin),
            }
        case FillDecision():
            numbers = {"fee": money(decision.fee), "realized": money(decision.realized), "margin_in": money(decision.margin_in)}
            kept = set(numbers) if decision.reason is None else set()
            return {name: number for name, number in numbers.items() if name in kept and (number or name == "fee")}
        case ChangeDecision(change=SetLeverage() | SetMarginMode(margin_mode=MarginMode.ISOLATED), margin=margin) if margin:
            return {"moved": money(margin)}
        case ChangeDecision(change=AddMargin() | RemoveMargin(), limit=int(limit)) if decision.reason in MARGIN_BOUNDS:
            return {"most": money(limit)}
        case CloseDecision():
            return {
                "share": money(decision.equity_share),
                "bankruptcy_value": money(decision.bankruptcy_value),
                "E": money(decision.risk.equity),
                "MM": money(decision.risk.maintenance_margin),
            }
        case TransferDecision():
            return {"value": money(decision.value), "realized": money(decision.realized), "share": money(decision.equity_share)}
        case ReplenishDecision():
            return {"amount": money(decision.amount), "E": money(decision.risk.equity)}
        case FlagDecision(risk=risk) | MarginCallDecision(risk=risk):
            return {"E": money(risk.equity), "MM": money(risk.maintenance_margin)}
        case _:
            return {}


def engine_verdict(decision: AnyDecision) -> bool:
    """Return whether the engine let it pass, or did it."""
    match decision:
        case OrderDecision() | FillDecision() | ChangeDecision():
            return decision.reason is None
        case FlagDecision(risk=risk):
            return risk.is_breached
        case _:
            return True
