"""What a venue decides about liquidations, the fund, losses and marks: one frozen value, the same for every account."""

from __future__ import annotations

from enum import Enum

import msgspec

from exchange.domain.units import PPM, Cash, Ppm, TimeNs


class LiquidationSizing(Enum):
    """How much of a position one liquidation order closes (LIQ-004)."""

    TARGET = "target"
    """The least that brings the scope back to ``liquidation_target`` times its maintenance margin."""
    TIER_STEP = "tier_step"
    """Down into the next lower tier."""
    FRACTION = "fraction"
    """``liquidation_fraction`` of the position."""
    FULL = "full"
    """All of it."""


class UnfilledPolicy(Enum):
    """What follows when the book did not take a liquidation order and the scope still has equity (LIQ-013)."""

    TAKEOVER = "takeover"
    WAIT = "wait"


class BadDebtPolicy(Enum):
    """Who bears what the insurance fund does not have (LIQ-009)."""

    NEGATIVE_FUND = "negative_fund"
    SOCIALIZE = "socialize"
    HALT = "halt"


class AdlRanking(Enum):
    """Whose opposite position is deleveraged first (LIQ-008)."""

    PROFIT_LEVERAGE = "profit_leverage"
    PROFIT_RATIO = "profit_ratio"
    SIZE = "size"


class RiskPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Every choice of the account service that a venue may make. Units: rates ppm, times ns, money cash."""

    liquidation_sizing: LiquidationSizing = LiquidationSizing.TARGET
    liquidation_target: Ppm = 1_100_000
    """What a partial close aims at, as equity over maintenance margin; it sizes the close only (LIQ-004)."""
    liquidation_slippage: Ppm = 5_000
    """What a close is taken to lose to the book, as a fraction of its notional, beside the liquidation fee."""
    liquidation_fraction: Ppm = 200_000
    liquidation_remainder_min: Cash = 0
    """A position is closed whole where less notional than this would remain."""
    liquidation_rounds_max: int = 16
    """Partial closes of one liquidation; after them positions are closed whole (LIQ-004)."""
    liquidation_retries_max: int = 10
    """How often a waiting liquidation is tried again before the fund takes over (LIQ-013)."""
    unfilled: UnfilledPolicy = UnfilledPolicy.TAKEOVER
    fund_covers: bool = False
    """Whether a liquidation order may trade beyond bankruptcy at the fund's expense (LIQ-014)."""
    bad_debt: BadDebtPolicy = BadDebtPolicy.NEGATIVE_FUND
    adl_ranking: AdlRanking = AdlRanking.PROFIT_LEVERAGE
    fund_unwind_fraction: Ppm = 0
    """How much of its position the fund sells per slice; 0 keeps it (LIQ-015)."""
    fund_unwind_notional_min: Cash = 0
    """A slice is at least this much notional, or all that is left."""
    fund_unwind_book_share: Ppm = 250_000
    """The most of what rests within market protection that one slice takes."""
    fund_unwind_interval: TimeNs = 0
    """The least time between two slices in a symbol."""
    margin_call_levels: tuple[Ppm, ...] = (600_000, 800_000)
    """Margin ratios, ascending, at which a scope's owner is warned (MARG-020)."""
    mark_stale_after: TimeNs = 0
    """The age at which a mark is stale; 0 for never (MARK-004)."""
    mark_jump_max: Ppm = 0
    """The furthest that a mark may be from the one before, as a fraction of it; 0 for any (MARK-002)."""


MARGIN_CALL_LEVELS_MAX = 8


def check_policy(policy: RiskPolicy) -> None:
    """Raise ``ValueError`` with a sentence naming the field when the policy cannot be kept."""
    levels = policy.margin_call_levels
    checks = (
        (policy.liquidation_target >= PPM, "liquidation_target must be at least 1"),
        (0 <= policy.liquidation_slippage < PPM, "liquidation_slippage must be from 0 to below 1"),
        (0 < policy.liquidation_fraction <= PPM, "liquidation_fraction must be above 0 and at most 1"),
        (policy.liquidation_remainder_min >= 0, "liquidation_remainder_min must not be negative"),
        (policy.liquidation_rounds_max >= 1, "liquidation_rounds_max must be at least 1"),
        (policy.liquidation_retries_max >= 0, "liquidation_retries_max must not be negative"),
        (0 <= policy.fund_unwind_fraction <= PPM, "fund_unwind_fraction must be from 0 to 1"),
        (policy.fund_unwind_notional_min >= 0, "fund_unwind_notional_min must not be negative"),
        (0 < policy.fund_unwind_book_share <= PPM, "fund_unwind_book_share must be above 0 and at most 1"),
        (policy.fund_unwind_interval >= 0, "fund_unwind_interval must not be negative"),
        (len(levels) <= MARGIN_CALL_LEVELS_MAX, f"margin_call_levels may hold at most {MARGIN_CALL_LEVELS_MAX}"),
        (
            all(0 < level <= PPM for level in levels) and list(levels) == sorted(set(levels)),
            "margin_call_levels must ascend within 0 to 1",
        ),
        (policy.mark_stale_after >= 0, "mark_stale_after must not be negative"),
        (policy.mark_jump_max >= 0, "mark_jump_max must not be negative"),
    )
    for holds, sentence in checks:
        if not holds:
            raise ValueError(sentence)
