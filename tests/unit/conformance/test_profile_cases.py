"""Cases of other venues' rules: computed under the profile that has them, skipped with the reason under those that have not."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.composition.case_rules import ShippedRules
from exchange.conformance.cases import CaseResult, Outcome, Rules
from exchange.conformance.differs import PROFILE
from exchange.conformance.runner import ADAPTERS, run_cases
from exchange.domain.policy import LiquidationLimit, MarginPrice, RiskPolicy
from exchange.services.config_table import ConfigError
from tests.unit.conformance.made_up_cases import LONG_POOL, MADE_UP, MadeUp


def only(written: object, policy: RiskPolicy | None = None) -> CaseResult:
    """Return what became of one case under the profile of its system, or under a policy."""
    (result,) = run_cases([written], ShippedRules() if policy is None else lambda system: Rules("test", policy))
    return result


@pytest.mark.rule(
    "MARG-003", "MARG-004", "MARG-006", "MARG-008", "MARG-009", "LIQ-004", "LIQ-005", "LIQ-006", "LIQ-008", "LIQ-015"
)
@pytest.mark.parametrize("case", MADE_UP, ids=lambda case: f"{case.formula_id} as {case.profile}")
def test_a_case_passes_under_the_profile_that_has_its_rule(case: MadeUp) -> None:
    result = only(case.written)
    assert (result.outcome, result.reason, result.profile) == (Outcome.PASSED, "", case.profile)


@pytest.mark.parametrize(
    "case", [case for case in MADE_UP if case.only], ids=lambda case: f"{case.formula_id} as {case.profile}"
)
def test_a_case_of_another_rule_is_skipped_under_the_rules_here_and_names_what_it_needs(case: MadeUp) -> None:
    result = only(case.written, RiskPolicy())
    assert result.outcome is Outcome.SKIPPED
    assert result.reason.startswith(PROFILE)


@pytest.mark.parametrize("case", MADE_UP, ids=lambda case: f"{case.formula_id} as {case.profile}")
def test_no_answer_may_be_another(case: MadeUp) -> None:
    for name, expected in case.expected.items():
        other = ["nobody"] if isinstance(expected, list) else not expected if isinstance(expected, bool) else "123456789"
        result = only({**case.written, "expected": {**case.expected, name: other}})
        assert result.outcome is Outcome.FAILED, name
        assert result.reason.startswith(f"{name}: "), result.reason


def test_the_system_picks_the_profile_unless_one_is_meant_for_all() -> None:
    by_system, always = ShippedRules(), ShippedRules("bybit")
    assert by_system("bybit") == always("okx") == always("no such venue")
    assert by_system("okx").policy.close_fee_in_maintenance
    assert by_system("no such venue") == by_system("../sandbox") == by_system("default")
    with pytest.raises(ConfigError, match="no profile named 'bitmax'; there are default, "):
        ShippedRules("bitmax")


def test_the_rules_are_the_engines_own_so_another_policy_gives_another_figure() -> None:
    """Posed under maintenance at the mark by force, the same inputs give the price of that rule, not that of the profile."""
    case = next(case for case in MADE_UP if case.formula_id == "lp_mm_at_mark").written
    mixed = RiskPolicy(close_fee_in_maintenance=True, liquidation_price_buffer=0)
    assert only(case, mixed).outcome is Outcome.PASSED
    without_fee = {**case, "inputs": {**case["inputs"], "taker_fee": "0"}}
    result = only(without_fee, mixed)
    assert result.outcome is Outcome.FAILED
    assert "expected 80" in result.reason
    at_entry = RiskPolicy(close_fee_in_maintenance=True, maintenance_price=MarginPrice.ENTRY)
    assert only(case, at_entry).reason == PROFILE + "maintenance at the mark, not at entry"


def changed(formula_id: str, **inputs: Any) -> dict[str, Any]:
    """Return the made-up case of a formula with other inputs; None takes one away."""
    case = next(case for case in MADE_UP if case.formula_id == formula_id).written
    return {**case, "inputs": {name: value for name, value in {**case["inputs"], **inputs}.items() if value is not None}}


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (changed("cross_available", frozen="1"), "an amount is frozen, and here orders alone hold money back"),
        (changed("margin_ratio", mm_price="99"), "maintenance is measured at another price"),
        (changed("lp_mm_at_entry", leverage="2.5"), "the leverage 5/2 is no whole number"),
        (changed("lp_mm_at_entry", mmr="0.00000001"), "is no whole number of parts per million"),
        (changed("adl_select", deficit="10"), "counterparties are closed whole until their profit covers a deficit"),
        (changed("adl_select", ranking="pnl_x_leverage"), "the score is profit times leverage"),
        (changed("disposal_schedule", book_volume="1"), "the fund does not sell all of it in a bounded number of slices"),
        (
            changed("disposal_schedule", position="4800", fraction="0.000001"),
            "the fund does not sell all of it in a bounded number of slices",
        ),
        (changed("vega_margin_levels", mark="101", slippage="0.101"), "a multiple of a rounded maintenance"),
        (changed("order_check", qty_after="1"), "a trade that reduces is not judged by initial margin here"),
        (changed("free_and_withdrawable", margin_used="0"), "a profit without initial margin belongs to no position here"),
        (changed("vega_margin_levels", scaling={}), "it does not say what multiple of maintenance the initial level is"),
        (changed("vega_margin_levels", mark="100.5"), "201/2 is finer than the grid of its case"),
        (changed("vega_margin_levels", same_side_order_size="1"), "no profile has this rule: orders count in maintenance"),
    ],
)
def test_a_readable_case_that_asks_for_more_than_there_is_is_skipped_and_says_what(written: object, reason: str) -> None:
    result = only(written)
    assert result.outcome is Outcome.SKIPPED
    assert reason in result.reason


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (changed("lp_mm_at_entry", leverage=None), "malformed case: input leverage is missing"),
        (changed("fillable_price", positions=5), "malformed case: input positions is no list of named inputs"),
        (changed("fillable_price", positions=[{}] * 201), "malformed case: input positions has more than 200 items"),
        (changed("fillable_price", close_market="N"), "nothing can be made of its inputs (KeyError: 'N')"),
        (changed("adl_select", winners=[]), "malformed case: it names no known ranking, or nobody to rank"),
    ],
)
def test_a_malformed_case_of_another_rule_fails_in_a_sentence(written: object, reason: str) -> None:
    result = only(written)
    assert (result.outcome, result.reason) == (Outcome.FAILED, reason)


@pytest.mark.rule("LIQ-005")
def test_a_limit_beyond_bankruptcy_needs_a_fund_that_covers_it() -> None:
    """With equity 4 below nothing all is lost: 2.5 below the mark; bankruptcy itself lies one above the mark."""
    broke = {**MADE_UP[5].written, "inputs": {**LONG_POOL, "quote_balance": "-404"}, "expected": {"fillable_price": "97.5"}}
    assert only(broke).outcome is Outcome.PASSED
    uncovered = only(broke, RiskPolicy(liquidation_limit=LiquidationLimit.FILLABLE))
    assert (uncovered.outcome, uncovered.reason) == (Outcome.FAILED, "fillable_price: 101, expected 97.5 (exact)")


def test_every_adapter_is_known_under_every_profile() -> None:
    assert {case.formula_id for case in MADE_UP} <= ADAPTERS.keys()
