"""Every explanation is true: its formulas give its values and its checks its verdict, and both are the engine's own.

The evidence is that of random traces, half of them under switched rules. ``RINGFENCE_SOAK_EXAMPLES=2000`` plays that many
seeds instead, from ``RINGFENCE_SOAK_SEED`` on; about 270 decisions come of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from exchange.domain.decisions import CloseDecision, FlagDecision, OrderDecision, Recorded
from exchange.domain.units import format_cash
from exchange.explain.explainer import Explainer
from exchange.explain.explanation import Explanation
from exchange.explain.text import COLUMNS, render
from exchange.venue.venue import Venue
from tests.properties.explanation_proof import engine_faults, faults_of, path_faults
from tests.properties.formula_evaluator import concludes, evaluate, holds
from tests.properties.pictures import Picture
from tests.properties.profiles import SOAK_EXAMPLES, SOAK_SEED
from tests.properties.switches import with_switches
from tests.properties.test_soak_against_model import tell
from tests.properties.traces import COLLATERAL, Trace

SEEDS = range(SOAK_SEED, SOAK_SEED + SOAK_EXAMPLES) if SOAK_EXAMPLES else (6, 7, 15, 17)
CHOICES = 150
RENDERED_EVERY = 7
TOLD_EVERY = 25
KINDS = ("order", "fill", "change", "margin_call", "liquidation", "close", "transfer", "replenish")


class Explained(NamedTuple):
    """A decision, where it came from, and its explanation."""

    title: str
    recorded: Recorded
    explanation: Explanation


def explained(seed: int) -> Iterator[Explained]:
    """Yield every decision of a trace with its explanation; odd seeds have switched rules."""
    trace = Trace(seed)
    if seed % 2:
        trace.market = trace.market._replace(policy=with_switches(Random(seed), trace.market.policy))
    market = trace.market
    trace.venue = Venue(market.instruments, market.limits, market.policy, COLLATERAL, records_decisions=True)
    trace.picture = Picture.of(trace.venue)
    explainer = Explainer(trace.venue.instruments, trace.venue.policy)
    for step in trace.play(CHOICES):
        for decision in trace.venue.decisions:
            recorded = Recorded(trace.venue.sequence, trace.venue.now_ns, type(step.command).__name__, decision)
            yield Explained(step.title, recorded, explainer.explain(recorded))


class Findings(NamedTuple):
    """What was wrong, what was seen, and one example of each kind."""

    faults: list[str]
    seen: Counter[str]
    examples: dict[str, Explained]


@pytest.fixture(scope="module")
def findings() -> Findings:
    found = Findings([], Counter(), {})
    for number, seed in enumerate(SEEDS, start=1):
        for each in explained(seed):
            explanation = each.explanation
            found.seen[explanation.kind] += 1
            found.seen[f"{explanation.kind} {explanation.verdict}"] += 1
            found.examples.setdefault(explanation.kind, each)
            found.faults.extend(f"{each.title}: {fault}" for fault in faults_of(explanation, each.recorded.decision))
            if found.seen.total() % RENDERED_EVERY == 0:
                found.faults.extend(f"{each.title}: {len(line)} columns" for line in render(explanation).splitlines()
                                    if len(line) > COLUMNS)  # fmt: skip
        if SOAK_EXAMPLES and number % TOLD_EVERY == 0:
            tell(f"explanations: {number} of {len(SEEDS)} traces, {dict(found.seen)}, {len(found.faults)} faults")
    return found


@pytest.mark.rule("EXPL-002")
def test_every_formula_gives_its_value_and_every_value_is_the_engines(findings: Findings) -> None:
    assert findings.faults[:3] == []
    for kind in KINDS:
        assert findings.seen[kind], f"no trace had a {kind}"
    for outcome in ("order accepted", "order refused", "fill passed", "fill failed", "change made", "change refused"):
        assert findings.seen[outcome], f"no trace had a {outcome}"
    assert sum(findings.seen[kind] for kind in KINDS) > 1_000


@pytest.mark.rule("EXPL-003")
def test_the_other_path_is_proven_like_the_one_that_decided(findings: Findings) -> None:
    for kind in ("order", "fill", "liquidation"):
        explanation = findings.examples[kind].explanation
        modes = [path.path for path in explanation.paths]
        assert set(modes) == {"cross", "isolated"}
        assert explanation.compared
        assert all(len(row.values) == len(modes) for row in explanation.compared)


def first(findings: Findings, kind: type[OrderDecision | FlagDecision | CloseDecision]) -> tuple[Explanation, Recorded]:
    return next((e.explanation, e.recorded) for e in findings.examples.values() if isinstance(e.recorded.decision, kind))


def test_a_formula_that_rounds_the_other_way_is_found(findings: Findings) -> None:
    """The proof can fail: on each wrong sign, rounding or name in a formula, and on each number put in wrongly."""
    explanation, _ = first(findings, FlagDecision)
    path = explanation.paths[0]
    assert list(path_faults(path)) == []
    for name, planted in (
        ("MM", lambda text: f"down({text} - 0.000001)"),
        ("E", lambda text: text.replace("+", "-") if "+" in text else f"-({text})"),
    ):
        steps = tuple(replace(each, formula=planted(each.formula)) if each.name == name else each for each in path.steps)
        assert list(path_faults(replace(path, steps=steps)))
        steps = tuple(replace(each, numbers=f"{each.numbers} + 1") if each.name == name else each for each in path.steps)
        assert list(path_faults(replace(path, steps=steps)))
    assert list(path_faults(replace(path, verdict=not path.verdict)))
    checks = tuple(replace(each, holds=not each.holds) for each in path.checks)
    assert list(path_faults(replace(path, checks=checks)))


def test_a_value_that_is_not_the_engines_is_found(findings: Findings) -> None:
    explanation, recorded = first(findings, FlagDecision)
    decision = recorded.decision
    assert isinstance(decision, FlagDecision)
    assert list(engine_faults(explanation.paths[0], decision)) == []
    richer = replace(decision, risk=replace(decision.risk, equity=decision.risk.equity + 1))
    (fault,) = engine_faults(explanation.paths[0], richer)
    assert format_cash(decision.risk.equity) in fault
    healthy = replace(decision, risk=replace(decision.risk, is_breached=False))
    assert list(engine_faults(explanation.paths[0], healthy))


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("up(1 / 3)", "0.333334"),
        ("down(1 / 3)", "0.333333"),
        ("up(-1 / 3)", "-0.333333"),
        ("down(-1 / 3)", "-0.333334"),
        ("ceil(2.1) * 3 - floor(-2.1)", "12"),
        ("max(1, abs((-4)), 3) - min(2, 5)", "2"),
        ("2 + 3 * (4 - 1) / 2", "6.5"),
    ],
)
def test_the_evaluator_is_exact(formula: str, value: str) -> None:
    assert evaluate(formula) == evaluate(value)


@pytest.mark.parametrize("strange", ["__import__('os')", "a.b", "2 ** 3", "up(x=1)", "[1]", "x if y else z", "'a'"])
def test_the_evaluator_takes_nothing_but_formulas(strange: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        evaluate(strange)


def test_relations_and_conclusions_are_read_as_written() -> None:
    assert holds("0.1 + 0.2", "=", "0.3")
    assert not holds("1", "<", "1")
    assert concludes("a and not (b or c)", {"a": True, "b": False, "c": False})
    assert not concludes("a and not b", {"a": True, "b": True})
    with pytest.raises(ValueError, match="no conclusion"):
        concludes("a + b", {"a": True, "b": True})
