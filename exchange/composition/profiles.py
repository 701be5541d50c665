"""Profiles: the rules of one venue as choices of ``[risk]``, each with what it reproduces, what not, and its sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from exchange.composition.risk_table import read_policy
from exchange.composition.shipped_files import config_path
from exchange.domain.policy import RiskPolicy
from exchange.services.config_table import ConfigError, ConfigSource, ConfigTable, read_config

PROFILES_FOLDER = "profiles"
DEFAULT_PROFILE = "default"
"""The profile that changes nothing."""


class Profile(msgspec.Struct, frozen=True):
    """One file of ``config/profiles``: what it is for, and the keys of ``[risk]`` that it sets."""

    name: str
    title: str
    reproduces: tuple[str, ...]
    differs: tuple[str, ...]
    sources: tuple[str, ...]
    source: ConfigSource
    risk: Mapping[str, Any]

    @property
    def switches(self) -> dict[str, str]:
        """The keys of ``[risk]`` that the profile sets, each with its value as the file writes it, without quotes."""
        return {key: _written(value) for key, value in self.risk.items()}


def profile_names() -> tuple[str, ...]:
    """Return the names of the shipped profiles, the one that changes nothing first."""
    names = sorted(path.stem for path in config_path(PROFILES_FOLDER).glob("*.toml"))
    return tuple(sorted(names, key=lambda name: name != DEFAULT_PROFILE))


def load_profile(name: str) -> Profile:
    """Return a shipped profile. Raises ``ConfigError``: a sentence that lists the profiles, or names file, line and key."""
    names = profile_names()
    if name not in names:
        raise ConfigError(f"no profile named {name[:40]!r}; there are {', '.join(names)}")
    source, values = read_config(config_path(f"{PROFILES_FOLDER}/{name}.toml"))
    top = ConfigTable(source, (), values)
    about = top.table("profile")
    profile = Profile(
        name=name,
        title=about.text("title"),
        reproduces=about.texts("reproduces"),
        differs=about.texts("differs"),
        sources=about.texts("sources"),
        source=source,
        risk=values.get("risk", {}),
    )
    about.finish()
    top.table("risk", {})  # it must be a table; its keys are looked at once they lie over a whole policy
    top.finish()
    return profile


def overlay(profile: Profile, risk: Mapping[str, Any]) -> RiskPolicy:
    """Return the policy of a ``[risk]`` table with the profile's keys in place of its own.

    Raises ``ConfigError`` naming the key where the profile's are unknown, mistyped, or contradict the table.
    """
    return read_policy(ConfigTable(profile.source, ("risk",), profile.risk, risk))


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
