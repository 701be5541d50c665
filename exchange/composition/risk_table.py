"""The ``[risk]`` table of a config as a ``RiskPolicy``, and its ``[[collateral]]`` list as assets of the domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, TypeAlias

from exchange.composition.quantities import parse_amount, parse_duration
from exchange.domain.instrument import ASSET_DECIMALS_MAX, CollateralAsset, check_collateral
from exchange.domain.policy import (
    AdlPrice,
    AdlRanking,
    BadDebtPolicy,
    LiquidationLimit,
    LiquidationSizing,
    LiquidationSurplus,
    MarginPrice,
    OrderMarginRule,
    RiskPolicy,
    UnfilledPolicy,
    check_policy,
)
from exchange.domain.units import parse_cash, parse_rate
from exchange.services.config_table import ConfigTable

COUNT_MAX = 2**40
"""The largest count that a policy may name."""
COLLATERAL_MAX = 16
"""Each asset of an account is valued whenever its pool is looked at."""

Read: TypeAlias = Callable[[ConfigTable, str], Any]


def read_policy(table: ConfigTable) -> RiskPolicy:
    """Return the policy of a table, every field of which is a key; ``ConfigError`` names the key and what to do."""
    policy = RiskPolicy(**{name: POLICY_READERS[name](table, name) for name in RiskPolicy.__struct_fields__})
    try:
        check_policy(policy)
    except ValueError as error:
        raise _contradiction(table, error) from None
    table.finish()
    return policy


def read_collateral(tables: Sequence[ConfigTable]) -> tuple[CollateralAsset, ...]:
    """Return the assets beside the settlement asset in their order; ``ConfigError`` names the key and what to do."""
    assets: list[CollateralAsset] = []
    for table in tables:
        asset = CollateralAsset(
            asset=table.text("asset"),
            decimals=table.integer("decimals", minimum=0, maximum=ASSET_DECIMALS_MAX),
            haircut=table.number("haircut", parse_rate),
            initial_price=table.number("initial_price", parse_cash) if "initial_price" in table else None,
        )
        try:
            check_collateral(asset)
        except ValueError as error:
            raise _contradiction(table, error) from None
        if any(asset.asset == known.asset for known in assets):
            raise table.refusal("asset", f"{asset.asset} is there already; give each asset one entry")
        if len(assets) == COLLATERAL_MAX:
            raise table.refusal(None, f"at most {COLLATERAL_MAX} assets are allowed; remove some")
        table.finish()
        assets.append(asset)
    return tuple(assets)


def _contradiction(table: ConfigTable, error: ValueError) -> Exception:
    """Return the refusal of a check whose sentence begins with the key."""
    sentence = str(error)
    return table.refusal(sentence.split(maxsplit=1)[0], sentence)


def _word_of(kind: type[Enum]) -> Read:
    return lambda table, key: kind(table.choice(key, [member.value for member in kind]))


def _rate(table: ConfigTable, key: str) -> int:
    return table.number(key, parse_rate)


def _duration(table: ConfigTable, key: str) -> int:
    return table.number(key, parse_duration)


def _amount(table: ConfigTable, key: str) -> int:
    return table.number(key, parse_amount)


def _truth(table: ConfigTable, key: str) -> bool:
    return table.truth(key)


def _count(table: ConfigTable, key: str) -> int:
    return table.integer(key, minimum=0, maximum=COUNT_MAX)


POLICY_READERS: dict[str, Read] = {
    "maintenance_price": _word_of(MarginPrice),
    "initial_margin_price": _word_of(MarginPrice),
    "close_fee_in_maintenance": _truth,
    "liquidate_at_equality": _truth,
    "profit_for_orders": _truth,
    "order_margin": _word_of(OrderMarginRule),
    "order_close_fee": _truth,
    "liquidation_price_buffer": _rate,
    "liquidation_sizing": _word_of(LiquidationSizing),
    "liquidation_target": _rate,
    "liquidation_slippage": _rate,
    "liquidation_fraction": _rate,
    "liquidation_close_min": _amount,
    "liquidation_tier_steps": _count,
    "liquidation_remainder_min": _amount,
    "liquidation_partial_min": _amount,
    "liquidation_limit": _word_of(LiquidationLimit),
    "fillable_adjustment": _rate,
    "fillable_spread": _rate,
    "liquidation_surplus": _word_of(LiquidationSurplus),
    "liquidation_fee_rise": _rate,
    "liquidation_fee_grace": _duration,
    "liquidation_fee_max": _rate,
    "liquidation_rounds_max": _count,
    "liquidation_retries_max": _count,
    "unfilled": _word_of(UnfilledPolicy),
    "fund_covers": _truth,
    "bad_debt": _word_of(BadDebtPolicy),
    "adl_ranking": _word_of(AdlRanking),
    "adl_price": _word_of(AdlPrice),
    "fund_unwind_fraction": _rate,
    "fund_unwind_notional_min": _amount,
    "fund_unwind_whole_max": _amount,
    "fund_unwind_book_share": _rate,
    "fund_unwind_interval": _duration,
    "margin_call_levels": lambda table, key: table.numbers(key, parse_rate),
    "mark_stale_after": _duration,
    "mark_jump_max": _rate,
}
"""How each field of the policy is read from its key."""
