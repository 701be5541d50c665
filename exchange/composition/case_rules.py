"""Which profile a published case is posed under."""

from __future__ import annotations

from exchange.composition.profiles import DEFAULT_PROFILE, profile_names
from exchange.composition.settings import load_settings
from exchange.conformance.cases import Rules


class ShippedRules:
    """Picks the profile that has a case's system for its name, ``default`` where there is none, or always one.

    The policies are those that ``serve --profile`` runs with: the profile over the shipped config. Raises
    ``ConfigError`` for a profile that is not there or cannot be used.
    """

    def __init__(self, always: str | None = None) -> None:
        self._always = always
        self._names = profile_names()
        self._read: dict[str, Rules] = {}
        if always is not None:
            self._rules(always)

    def __call__(self, system: str) -> Rules:
        """Return the rules for a case of a system."""
        if self._always is not None:
            return self._rules(self._always)
        return self._rules(system if system in self._names else DEFAULT_PROFILE)

    def _rules(self, profile: str) -> Rules:
        if profile not in self._read:
            self._read[profile] = Rules(profile, load_settings(profile=profile).policy)
        return self._read[profile]
