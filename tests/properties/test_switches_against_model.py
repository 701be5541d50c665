"""The venue beside its naive model under switched rules, and that each switch made a difference in what they agreed on."""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import replace
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.composition.profiles import load_profile, overlay, profile_names
from exchange.composition.shipped_files import config_path
from exchange.domain.policy import RiskPolicy
from exchange.venue.venue import Venue
from tests.properties.agreement import Pair, venue_limits
from tests.properties.draws import DRAW_MAXIMA, Draw
from tests.properties.market import Setting
from tests.properties.profiles import profile
from tests.properties.runs import check_replay, play, play_seed
from tests.properties.switches import SWITCHES, switched_setting

DRAWS = st.builds(Draw, *(st.integers(0, most) for most in DRAW_MAXIMA))
SWITCHED_RUNS = (21, 24, 50, 67, 75, 86, 143, 201, 231, 334)
"""Found by looking at many more: each switch matters in two of these or more."""
PROFILE_SEEDS = (5,)
DEFAULTS = RiskPolicy()
AMOUNTS = (
    "liquidation_partial_min",
    "liquidation_close_min",
    "liquidation_remainder_min",
    "fund_unwind_notional_min",
    "fund_unwind_whole_max",
)
SMALLER = 10_000
"""By how much the runs' positions are smaller than those that a profile's amounts of money are about."""


@pytest.mark.rule("MARG-003", "MARG-004", "MARG-005", "MARG-006", "MARG-008", "MARG-009", "MARG-012", "LIQ-004", "LIQ-005")
@profile(20)
@given(seed=st.integers(0, 2**32), draws=st.lists(DRAWS, min_size=20, max_size=60))
def test_the_venue_agrees_with_the_naive_model_under_any_rules(seed: int, draws: list[Draw]) -> None:
    check_replay(play(switched_setting(Random(seed)), draws))


@pytest.mark.rule("MARG-003", "MARG-004", "MARG-005", "MARG-006", "MARG-008", "MARG-009", "MARG-012", "LIQ-004", "LIQ-005")
@pytest.mark.rule("LIQ-006", "LIQ-007", "LIQ-008", "LIQ-015")
def test_seeded_runs_agree_under_any_rules_and_would_have_gone_otherwise_without_each_switch() -> None:
    mattered: Counter[str] = Counter()
    for seed in SWITCHED_RUNS:
        pair = play_seed(seed, 60, switched_setting)
        mattered.update(name for name in turned(pair) if goes_otherwise(pair, name))
    missing = sorted(set(SWITCHES) - set(mattered))
    assert not missing, (missing, mattered)


@pytest.mark.rule("LIQ-004", "LIQ-005", "LIQ-006", "LIQ-008")
@pytest.mark.parametrize("name", profile_names())
def test_the_venue_agrees_with_the_naive_model_under_the_rules_of_every_profile(name: str) -> None:
    own = tomllib.loads(config_path("sandbox.toml").read_text(encoding="utf-8"), parse_float=str)["risk"]
    policy = overlay(load_profile(name), own)
    small = {field: getattr(policy, field) // SMALLER for field in AMOUNTS}

    def setting_of(numbers: Random) -> Setting:
        return replace(switched_setting(numbers), policy=msgspec.structs.replace(policy, **small))

    for seed in PROFILE_SEEDS:
        play_seed(seed, 60, setting_of)


def turned(pair: Pair) -> list[str]:
    policy = pair.setting.policy
    return [name for name in SWITCHES if getattr(policy, name) != getattr(DEFAULTS, name)]


def goes_otherwise(pair: Pair, switch: str) -> bool:
    """Whether the same commands have other consequences where that one switch is at its default."""
    setting = replace(pair.setting, policy=msgspec.structs.replace(pair.setting.policy, **{switch: getattr(DEFAULTS, switch)}))
    other = Venue(setting.instruments, venue_limits(setting.limits), setting.policy, setting.collateral)
    return any(other.apply(command, now_ns=now_ns) != events for command, now_ns, events in pair.history)
