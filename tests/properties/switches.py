"""The switches of a venue's rules, drawn for a run: any of them beside any other that it does not contradict."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import msgspec

from exchange.domain.policy import (
    AdlPrice,
    AdlRanking,
    LiquidationLimit,
    LiquidationSizing,
    LiquidationSurplus,
    MarginPrice,
    OrderMarginRule,
    RiskPolicy,
    UnfilledPolicy,
    check_policy,
)
from exchange.domain.units import PPM
from tests.properties.market import SECOND, Setting, random_setting

SWITCHES: dict[str, tuple[Any, ...]] = {
    "maintenance_price": (MarginPrice.ENTRY,),
    "initial_margin_price": (MarginPrice.ENTRY,),
    "close_fee_in_maintenance": (True,),
    "liquidate_at_equality": (True,),
    "profit_for_orders": (True,),
    "order_margin": (OrderMarginRule.NOTIONAL_OFFSET,),
    "order_close_fee": (True,),
    "liquidation_price_buffer": (20_000, 300_000),
    "liquidation_tier_steps": (2, 3),
    "liquidation_partial_min": (2_000, 8_000),
    "liquidation_close_min": (600, 4_000),
    "liquidation_fee_rise": (1_000, 40_000, 1_000_000),
    "fund_unwind_whole_max": (1_000, 10_000),
    "liquidation_limit": (LiquidationLimit.FILLABLE,),
    "liquidation_surplus": (LiquidationSurplus.FUND,),
    "adl_price": (AdlPrice.MARK,),
    "adl_ranking": (AdlRanking.PROFIT_MARGIN_RATIO, AdlRanking.PRICE_LEVERAGE),
}
"""What each switch may be turned to beside its default."""


def with_switches(numbers: Random, policy: RiskPolicy) -> RiskPolicy:
    """The policy with about a third of the switches turned; contradictions are settled for the switch."""
    chosen: dict[str, Any] = {name: numbers.choice(ways) for name, ways in SWITCHES.items() if numbers.randrange(3) == 0}
    switched = msgspec.structs.replace(policy, **chosen, **_settled(numbers, policy, chosen))
    check_policy(switched)
    return switched


def _settled(numbers: Random, policy: RiskPolicy, chosen: dict[str, Any]) -> dict[str, Any]:
    """What the chosen switches need of the rest of the policy to be kept, or to be met at all."""
    settled: dict[str, Any] = {}
    if "liquidation_limit" in chosen:
        settled["fillable_adjustment"] = numbers.choice((1_000_000, 300_000, 5_000_000))
        settled["fillable_spread"] = numbers.choice((1_000_000, 400_000, 100_000))
    if "liquidation_fee_rise" in chosen:
        settled["liquidation_fee_grace"] = numbers.choice((0, 0, SECOND))
        settled["liquidation_fee_max"] = numbers.choice((50_000, 300_000))
        settled["unfilled"], settled["liquidation_retries_max"] = UnfilledPolicy.WAIT, 8
    if "fund_unwind_whole_max" in chosen:
        settled["fund_unwind_fraction"] = 100_000
    if "liquidate_at_equality" in chosen and policy.liquidation_target == PPM:
        settled["liquidation_target"] = 1_100_000
    if "liquidation_surplus" in chosen:
        settled["liquidation_sizing"] = LiquidationSizing.FULL
    elif "liquidation_tier_steps" in chosen:
        settled["liquidation_sizing"] = LiquidationSizing.TIER_STEP
    elif "liquidation_close_min" in chosen:
        settled["liquidation_sizing"], settled["liquidation_fraction"] = LiquidationSizing.FRACTION, 200_000
    elif "liquidation_partial_min" in chosen and policy.liquidation_sizing is LiquidationSizing.FULL:
        settled["liquidation_sizing"] = LiquidationSizing.TARGET
    return settled


def switched_setting(numbers: Random) -> Setting:
    """Anything that a venue may be configured to be, its rules included."""
    setting = random_setting(numbers)
    return replace(setting, policy=with_switches(numbers, setting.policy), has_brinks=True)


def any_setting(numbers: Random) -> Setting:
    """One with the rules as they are by default, or one with some of them switched."""
    return switched_setting(numbers) if numbers.randrange(3) else random_setting(numbers)
