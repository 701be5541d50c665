"""The mark path of a demo: recorded files by symbol, the shipped scenario for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from exchange.composition.settings import Settings
from exchange.composition.shipped_files import config_path
from exchange.domain.ids import Symbol
from exchange.services.mark_file import read_mark_file
from exchange.services.mark_path import STEP_MS, MarkPath, build_mark_path
from exchange.services.mark_window import Window
from exchange.services.scenario import load_scenario

DEFAULT_SCENARIO = "scenarios/crash_2025_10_10.toml"


def load_mark_path(
    settings: Settings,
    *,
    files: Mapping[Symbol, Path],
    window: Window | None = None,
    step_ms: int = STEP_MS,
    seed: int = 0,
    scenario: Path | None = None,
) -> MarkPath:
    """Return the marks of every configured instrument (see ``build_mark_path``).

    Raises ``ConfigError`` or ``MarkFileError`` with a sentence for the person who named the file.
    """
    return build_mark_path(
        settings.instruments,
        load_scenario(scenario or config_path(DEFAULT_SCENARIO)),
        files={symbol: read_mark_file(path) for symbol, path in files.items()},
        window=window,
        step_ms=step_ms,
        seed=seed,
    )
