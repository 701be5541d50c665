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
    PROFIT_MARGIN_RATIO = "profit_margin_ratio"
    PRICE_LEVERAGE = "price_leverage"


class AdlPrice(Enum):
    """What a deleveraged position changes hands at (LIQ-008)."""

    BANKRUPTCY = "bankruptcy"
    """The price at which the liquidated scope is left with nothing."""
    MARK = "mark"
    """The mark; the fund pays what the liquidated scope lacks."""


class MarginPrice(Enum):
    """Which notional of a position a requirement is measured on (MARG-003, MARG-004)."""

    MARK = "mark"
    ENTRY = "entry"


class OrderMarginRule(Enum):
    """What of a position makes orders against it free (MARG-008)."""

    LARGER_SIDE = "larger_side"
    """As many lots as the position has."""
    NOTIONAL_OFFSET = "notional_offset"
    """As much notional as the position has at entry."""


class LiquidationLimit(Enum):
    """How far from the mark a liquidation order is limited (LIQ-005)."""

    BANKRUPTCY = "bankruptcy"
    FILLABLE = "fillable"
    """Between the mark and bankruptcy: the further from maintenance, the further from the mark."""


class LiquidationSurplus(Enum):
    """Who gets what a liquidation fill earns over bankruptcy (LIQ-006)."""

    OWNER = "owner"
    """The owner, less the liquidation fee."""
    FUND = "fund"


class MarginRules(msgspec.Struct, frozen=True, kw_only=True):
    """The choices that the margin formulas themselves depend on; every instrument carries those of its venue."""

    maintenance_price: MarginPrice = MarginPrice.MARK
    initial_margin_price: MarginPrice = MarginPrice.MARK
    close_fee_in_maintenance: bool = False
    liquidate_at_equality: bool = False
    profit_for_orders: bool = False
    order_margin: OrderMarginRule = OrderMarginRule.LARGER_SIDE
    order_close_fee: bool = False
    liquidation_price_buffer: Ppm = 0
    liquidation_surplus: LiquidationSurplus = LiquidationSurplus.OWNER

    @property
    def measures_at_entry(self) -> bool:
        """Whether any requirement is of the notional at entry."""
        return self.maintenance_price is MarginPrice.ENTRY or self.initial_margin_price is MarginPrice.ENTRY

    @property
    def may_exceed_initial(self) -> bool:
        """Whether maintenance could come to more than initial margin by leverage does, or be breached by as much."""
        is_measured_alike = self.initial_margin_price is self.maintenance_price
        return self.close_fee_in_maintenance or self.liquidate_at_equality or not is_measured_alike


class RiskPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Every choice of the account service that a venue may make. Units: rates ppm, times ns, money cash."""

    maintenance_price: MarginPrice = MarginPrice.MARK
    """Which notional maintenance margin is measured on (MARG-003)."""
    initial_margin_price: MarginPrice = MarginPrice.MARK
    """Which notional initial margin is measured on (MARG-004)."""
    close_fee_in_maintenance: bool = False
    """Whether the taker fee of a close is part of every tier's maintenance rate (MARG-003)."""
    liquidate_at_equality: bool = False
    """Whether a scope whose equity equals its maintenance is liquidated (MARG-005)."""
    profit_for_orders: bool = False
    """Whether unrealised profit may back new orders (MARG-009)."""
    order_margin: OrderMarginRule = OrderMarginRule.LARGER_SIDE
    order_close_fee: bool = False
    """Whether an order also holds the fee of closing at bankruptcy what it opens (MARG-008)."""
    liquidation_price_buffer: Ppm = 0
    """How far from the liquidation price toward entry the price that is shown lies; the trigger does not move (MARG-006)."""
    liquidation_sizing: LiquidationSizing = LiquidationSizing.TARGET
    liquidation_target: Ppm = 1_100_000
    """What a partial close aims at, as equity over maintenance margin; it sizes the close only (LIQ-004)."""
    liquidation_slippage: Ppm = 5_000
    """What a close is taken to lose to the book, as a fraction of its notional, beside the liquidation fee."""
    liquidation_fraction: Ppm = 200_000
    liquidation_close_min: Cash = 0
    """A close by ``fraction`` takes at least this much notional (LIQ-004)."""
    liquidation_tier_steps: int = 1
    """How many tiers a close by ``tier_step`` goes down (LIQ-004)."""
    liquidation_remainder_min: Cash = 0
    """A position is closed whole where less notional than this would remain."""
    liquidation_partial_min: Cash = 0
    """A position of less notional than this is closed whole at once (LIQ-004)."""
    liquidation_limit: LiquidationLimit = LiquidationLimit.BANKRUPTCY
    fillable_adjustment: Ppm = 1_000_000
    """How fast a ``fillable`` limit moves away from the mark as equity falls below maintenance (LIQ-005)."""
    fillable_spread: Ppm = 100_000
    """The furthest that a ``fillable`` limit lies from the mark, as a fraction of the maintenance rate (LIQ-005)."""
    liquidation_surplus: LiquidationSurplus = LiquidationSurplus.OWNER
    liquidation_fee_rise: Ppm = 0
    """What the liquidation fee rises by in each second since the flag; 0 for never (LIQ-006)."""
    liquidation_fee_grace: TimeNs = 0
    """How long after the flag the liquidation fee stays what the instrument says."""
    liquidation_fee_max: Ppm = 50_000
    """The most that the liquidation fee rises to."""
    liquidation_rounds_max: int = 16
    """Partial closes of one liquidation; after them positions are closed whole (LIQ-004)."""
    liquidation_retries_max: int = 10
    """How often a waiting liquidation is tried again before the fund takes over (LIQ-013)."""
    unfilled: UnfilledPolicy = UnfilledPolicy.TAKEOVER
    fund_covers: bool = False
    """Whether a liquidation order may trade beyond bankruptcy at the fund's expense (LIQ-014)."""
    bad_debt: BadDebtPolicy = BadDebtPolicy.NEGATIVE_FUND
    adl_ranking: AdlRanking = AdlRanking.PROFIT_LEVERAGE
    adl_price: AdlPrice = AdlPrice.BANKRUPTCY
    fund_unwind_fraction: Ppm = 0
    """How much of its position the fund sells per slice; 0 keeps it (LIQ-015)."""
    fund_unwind_notional_min: Cash = 0
    """A slice is at least this much notional, or all that is left."""
    fund_unwind_whole_max: Cash = 0
    """A position of at most this notional is sold in one slice (LIQ-015)."""
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

    @property
    def margin_rules(self) -> MarginRules:
        """The choices among them that margin formulas depend on."""
        return MarginRules(**{name: getattr(self, name) for name in MarginRules.__struct_fields__})


MARGIN_CALL_LEVELS_MAX = 8
TIER_STEPS_MAX = 100


def check_policy(policy: RiskPolicy) -> None:
    """Raise ``ValueError`` with a sentence naming the field when the policy cannot be kept."""
    levels = policy.margin_call_levels
    by_fund, by_tier = policy.liquidation_surplus is LiquidationSurplus.FUND, policy.liquidation_tier_steps
    checks = (
        (policy.liquidation_target >= PPM, "liquidation_target must be at least 1"),
        (
            policy.liquidation_target > PPM or not policy.liquidate_at_equality,
            "liquidation_target must be above 1 where equality is liquidated",
        ),
        (0 <= policy.liquidation_price_buffer < PPM, "liquidation_price_buffer must be from 0 to below 1"),
        (1 <= by_tier <= TIER_STEPS_MAX, f"liquidation_tier_steps must be from 1 to {TIER_STEPS_MAX}"),
        (policy.liquidation_partial_min >= 0, "liquidation_partial_min must not be negative"),
        (policy.liquidation_close_min >= 0, "liquidation_close_min must not be negative"),
        (0 <= policy.liquidation_fee_rise <= PPM, "liquidation_fee_rise must be from 0 to 1"),
        (policy.liquidation_fee_grace >= 0, "liquidation_fee_grace must not be negative"),
        (0 <= policy.liquidation_fee_max < PPM, "liquidation_fee_max must be from 0 to below 1"),
        (policy.fund_unwind_whole_max >= 0, "fund_unwind_whole_max must not be negative"),
        (policy.fillable_adjustment >= 0, "fillable_adjustment must not be negative"),
        (0 <= policy.fillable_spread <= PPM, "fillable_spread must be from 0 to 1"),
        (
            not by_fund or policy.liquidation_sizing is LiquidationSizing.FULL,
            "liquidation_surplus may be fund only where liquidation_sizing is full: a close at bankruptcy cures nothing",
        ),
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
