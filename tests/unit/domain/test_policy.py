"""A policy that cannot be kept is refused with a sentence that names the field."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.policy import LiquidationSizing, LiquidationSurplus, RiskPolicy, check_policy

SOUND = RiskPolicy()


@pytest.mark.parametrize(
    ("field", "values", "sentence"),
    [
        ("liquidation_target", (999_999, 0), "liquidation_target must be at least 1"),
        ("liquidation_price_buffer", (-1, 1_000_000), "liquidation_price_buffer must be from 0 to below 1"),
        ("liquidation_tier_steps", (0, 101), "liquidation_tier_steps must be from 1 to 100"),
        ("liquidation_partial_min", (-1,), "liquidation_partial_min must not be negative"),
        ("liquidation_close_min", (-1,), "liquidation_close_min must not be negative"),
        ("liquidation_fee_rise", (-1, 1_000_001), "liquidation_fee_rise must be from 0 to 1"),
        ("liquidation_fee_grace", (-1,), "liquidation_fee_grace must not be negative"),
        ("liquidation_fee_max", (-1, 1_000_000), "liquidation_fee_max must be from 0 to below 1"),
        ("fund_unwind_whole_max", (-1,), "fund_unwind_whole_max must not be negative"),
        ("fillable_adjustment", (-1,), "fillable_adjustment must not be negative"),
        ("fillable_spread", (-1, 1_000_001), "fillable_spread must be from 0 to 1"),
        ("liquidation_slippage", (-1, 1_000_000), "liquidation_slippage must be from 0 to below 1"),
        ("liquidation_fraction", (0, 1_000_001), "liquidation_fraction must be above 0 and at most 1"),
        ("liquidation_remainder_min", (-1,), "liquidation_remainder_min must not be negative"),
        ("liquidation_rounds_max", (0,), "liquidation_rounds_max must be at least 1"),
        ("liquidation_retries_max", (-1,), "liquidation_retries_max must not be negative"),
        ("fund_unwind_fraction", (-1, 1_000_001), "fund_unwind_fraction must be from 0 to 1"),
        ("fund_unwind_notional_min", (-1,), "fund_unwind_notional_min must not be negative"),
        ("fund_unwind_book_share", (0, 1_000_001), "fund_unwind_book_share must be above 0 and at most 1"),
        ("fund_unwind_interval", (-1,), "fund_unwind_interval must not be negative"),
        ("margin_call_levels", (tuple(range(1, 10)),), "margin_call_levels may hold at most 8"),
        ("margin_call_levels", ((0,), (1_000_001,), (5, 4), (5, 5)), "margin_call_levels must ascend within 0 to 1"),
        ("mark_stale_after", (-1,), "mark_stale_after must not be negative"),
        ("mark_jump_max", (-1,), "mark_jump_max must not be negative"),
    ],
)
def test_a_policy_that_cannot_be_kept_is_refused(field: str, values: tuple[object, ...], sentence: str) -> None:
    for value in values:
        with pytest.raises(ValueError, match=f"^{sentence}$"):
            check_policy(replace(SOUND, **{field: value}))


@pytest.mark.rule("MARG-005", "LIQ-004")
def test_where_equality_is_liquidated_a_partial_close_has_to_aim_above_it() -> None:
    with pytest.raises(ValueError, match=r"^liquidation_target must be above 1 where equality is liquidated$"):
        check_policy(replace(SOUND, liquidation_target=1_000_000, liquidate_at_equality=True))
    check_policy(replace(SOUND, liquidation_target=1_000_001, liquidate_at_equality=True))


@pytest.mark.rule("LIQ-006")
@pytest.mark.parametrize("sizing", [LiquidationSizing.TARGET, LiquidationSizing.TIER_STEP, LiquidationSizing.FRACTION])
def test_the_fund_may_keep_the_surplus_only_of_whole_closes(sizing: LiquidationSizing) -> None:
    to_fund = replace(SOUND, liquidation_surplus=LiquidationSurplus.FUND, liquidation_sizing=sizing)
    sentence = "liquidation_surplus may be fund only where liquidation_sizing is full: a close at bankruptcy cures nothing"
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        check_policy(to_fund)
    check_policy(replace(to_fund, liquidation_sizing=LiquidationSizing.FULL))


@pytest.mark.parametrize(
    "policy",
    [
        SOUND,
        RiskPolicy(
            liquidation_target=1_000_000,
            liquidation_slippage=0,
            liquidation_fraction=1,
            liquidation_remainder_min=0,
            liquidation_rounds_max=1,
            liquidation_retries_max=0,
            fund_unwind_fraction=0,
            fund_unwind_notional_min=0,
            fund_unwind_book_share=1,
            fund_unwind_interval=0,
            margin_call_levels=(),
            mark_stale_after=0,
            mark_jump_max=0,
        ),
        RiskPolicy(
            liquidation_price_buffer=999_999,
            liquidation_tier_steps=100,
            liquidation_fee_rise=1_000_000,
            liquidation_fee_max=999_999,
            fillable_spread=1_000_000,
            liquidation_slippage=999_999,
            liquidation_fraction=1_000_000,
            fund_unwind_fraction=1_000_000,
            fund_unwind_book_share=1_000_000,
            margin_call_levels=(1, 2, 3, 4, 5, 6, 7, 1_000_000),
        ),
    ],
)
def test_a_policy_at_its_bounds_passes(policy: RiskPolicy) -> None:
    check_policy(policy)
