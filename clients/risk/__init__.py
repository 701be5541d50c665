"""Risk tools for people and bots: what a position needs, how large it may be, and how a set of them is best margined.

Everything is exact, in whole ticks, lots, cash units and parts per million, and uses the venue's own margin formulas. What
cannot be is a ``PlanRefused`` that names the field, the limit and what to do.
"""

from clients.risk.instruments import domain_instrument
from clients.risk.margin_mix import EXHAUSTIVE_POSITIONS_MAX, choose_mix, least_cross_wallet, least_isolated_wallets
from clients.risk.margin_picture import MarginPicture, least_wallet, picture_cross, picture_isolated
from clients.risk.mix_terms import Mix, MixChoice, MixPosition, Ordeal
from clients.risk.position_plan import PlanRefused, PositionPlan, parse_price
from clients.risk.position_sizing import (
    PositionSize,
    SizeBound,
    SizingTerms,
    VolatilityTarget,
    loss_at_stop,
    plan_of,
    risk_of,
    size_position,
    stop_at_distance,
)
from clients.risk.scenarios import Marks, Scenario, every_corner, one_by_one, path_of, shock, shocked
from clients.risk.volatility import Volatility, realized_volatility

__all__ = [
    "EXHAUSTIVE_POSITIONS_MAX",
    "MarginPicture",
    "Marks",
    "Mix",
    "MixChoice",
    "MixPosition",
    "Ordeal",
    "PlanRefused",
    "PositionPlan",
    "PositionSize",
    "Scenario",
    "SizeBound",
    "SizingTerms",
    "Volatility",
    "VolatilityTarget",
    "choose_mix",
    "domain_instrument",
    "every_corner",
    "least_cross_wallet",
    "least_isolated_wallets",
    "least_wallet",
    "loss_at_stop",
    "one_by_one",
    "parse_price",
    "path_of",
    "picture_cross",
    "picture_isolated",
    "plan_of",
    "realized_volatility",
    "risk_of",
    "shock",
    "shocked",
    "size_position",
    "stop_at_distance",
]
