"""Runs published cases and says what became of each; a case never stops the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from exchange.conformance import changes, defaults, funding, orders, prices, queues, requirements
from exchange.conformance.cases import Adapter, Case, CaseResult, Outcome, Posed, Rules, RulesOf
from exchange.conformance.differs import DIFFERS, difference_of
from exchange.conformance.numbers import CaseError, Figure, NotCoveredError, agrees

SHOWN_ITEMS_MAX = 20
"""How many items of a list a sentence shows."""

ADAPTERS: Mapping[str, Adapter] = {
    **requirements.ADAPTERS,
    **prices.ADAPTERS,
    **orders.ADAPTERS,
    **changes.ADAPTERS,
    **defaults.ADAPTERS,
    **funding.ADAPTERS,
    **queues.ADAPTERS,
}
"""One adapter per formula id."""


KINDS = frozenset(
    {
        "adl_rank", "auto_margin_replenish", "available_balance", "bankruptcy_deficit", "bankruptcy_price",
        "bankruptcy_quote_prorata", "deleverage_fill", "fee_conservation", "fully_collateralised", "funding_payment",
        "funding_rate", "funding_rounding", "health", "initial_margin", "insurance_fund_delta", "isolated_equity",
        "isolated_margin_add", "isolated_margin_flip", "isolated_margin_on_increase", "isolated_margin_release",
        "isolated_mtm_liquidation", "liq_price_buffered", "liq_price_cross", "liq_price_cross_multi", "liq_price_isolated",
        "liquidatable_check", "liquidation_fee", "liquidation_limit_price", "loss_socialisation",
        "maintenance_margin_funding", "maintenance_margin_rate", "maintenance_margin_tiered", "margin_levels",
        "margin_ratio", "max_withdrawable", "mode_switch", "order_check", "order_cost", "order_margin",
        "partial_liq_amount", "pnl", "position_limit", "premium_index", "state_transition", "tier_deduction", "twap",
    }
)  # fmt: skip
"""What cases may be about."""


def own_rules(system: str) -> Rules:
    """Return the rules of a venue with no profile at all, whatever the system."""
    return Rules()


def run_cases(cases: Iterable[object], rules_of: RulesOf = own_rules) -> list[CaseResult]:
    """Return what became of each case, in order; ``cases`` are the decoded objects of a file.

    A malformed case has failed, one of an unknown formula or of another rule is skipped, each with the reason.
    ``rules_of`` picks the profile by the case's system.
    """
    return [run_case(number, case, rules_of) for number, case in enumerate(cases, start=1)]


def run_case(number: int, written: object, rules_of: RulesOf = own_rules) -> CaseResult:
    """Return what became of one case; ``number`` names it where it has no readable id."""
    try:
        case = msgspec.convert(written, Case)
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        return _malformed(number, written, error)
    rules = rules_of(case.system)
    outcome, reason = _judge(Posed(case, rules.policy))
    return CaseResult(case.id, case.system, case.kind, case.applicability, case.formula_id, rules.profile, outcome, reason)


def _malformed(number: int, written: object, error: Exception) -> CaseResult:
    """Return the failure of what is no case, with as much of its labels as can be read."""
    labels: Mapping[object, object] = written if isinstance(written, dict) else {}
    id_, system, kind, applicability, formula = (
        label if isinstance(label := labels.get(name), str) else ""
        for name in ("id", "system", "kind", "applicability", "formula_id")
    )
    reason = f"malformed case: {error}"
    return CaseResult(id_ or f"case {number}", system, kind, applicability, formula, "", Outcome.FAILED, reason)


def _judge(posed: Posed) -> tuple[Outcome, str]:
    case = posed.case
    unknown = _unknown(case)
    if unknown is not None:
        return Outcome.SKIPPED, unknown
    try:
        difference = difference_of(posed)
        if difference is not None:
            return Outcome.SKIPPED, difference
        if not case.expected:
            return Outcome.FAILED, "malformed case: it expects nothing"
        figures = ADAPTERS[case.formula_id](posed)
        wrong = list(_disagreements(case, figures))
    except NotCoveredError as error:
        return Outcome.SKIPPED, str(error)
    except CaseError as error:
        return Outcome.FAILED, f"malformed case: {error}"
    except Exception as error:  # whatever is wrong with a case, or the engine, must not hide what the other cases say
        return Outcome.FAILED, f"nothing can be made of its inputs ({type(error).__name__}: {str(error)[:200]})"
    if wrong:
        return Outcome.FAILED, "; ".join(wrong)
    missing = [name for name in case.expected if name not in figures]
    return (Outcome.SKIPPED, f"nothing here computes {', '.join(missing)[:200]}") if missing else (Outcome.PASSED, "")


def _unknown(case: Case) -> str | None:
    """Return what of the case's labels nothing here knows."""
    if case.kind not in KINDS:
        return f"the kind {case.kind[:60]!r} is not known"
    if case.formula_id not in ADAPTERS and case.formula_id not in DIFFERS:
        return f"the formula {case.formula_id[:60]!r} is not known"
    return None


def _disagreements(case: Case, figures: Mapping[str, Figure]) -> Iterable[str]:
    for name, expected in case.expected.items():
        if name in figures and not agrees(figures[name], expected, case.rounding):
            yield f"{name[:60]}: {_shown(figures[name])}, expected {_shown(expected)} ({case.rounding})"


def _shown(figure: object) -> str:
    if isinstance(figure, list):
        return "[" + ", ".join(_shown(item) for item in figure[:SHOWN_ITEMS_MAX]) + "]"
    return str(figure)[:80]


class Tally(NamedTuple):
    """How many cases of a group passed, failed and were skipped."""

    passed: int
    failed: int
    skipped: int


def tally(results: Iterable[CaseResult]) -> Tally:
    """Return how many passed, failed and were skipped."""
    counted = Counter(result.outcome for result in results)
    return Tally(counted[Outcome.PASSED], counted[Outcome.FAILED], counted[Outcome.SKIPPED])


def tally_by_system_and_kind(results: Iterable[CaseResult]) -> dict[tuple[str, str], Tally]:
    """Return the tally of each system and kind, sorted by name."""
    groups: dict[tuple[str, str], list[CaseResult]] = {}
    for result in results:
        groups.setdefault((result.system, result.kind), []).append(result)
    return {key: tally(groups[key]) for key in sorted(groups)}
