"""A policy that cannot be kept is refused with a sentence that names the field."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.policy import RiskPolicy, check_policy

SOUND = RiskPolicy()


@pytest.mark.parametrize(
    ("field", "values", "sentence"),
    [
        ("liquidation_target", (999_999, 0), "liquidation_target must be at least 1"),
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
