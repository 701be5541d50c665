"""The shipped scenario and the strict reading of scenario files."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from exchange.services.config_table import ConfigError
from exchange.services.exact_price import format_price
from exchange.services.mark_window import format_utc
from exchange.services.scenario import Scenario, load_scenario

SHIPPED = Path(__file__).resolve().parents[3] / "config" / "scenarios" / "crash_2025_10_10.toml"

GOOD = """\
name = "small"
description = "two symbols"
start = 2025-10-10T20:50:00Z
end = 2025-10-10T20:51:00Z
step_ms = 5000
bridge_volatility = 0.002
[[paths]]
symbol = "A"
source = "this test"
waypoints = [
  { time = 2025-10-10T20:50:00Z, price = "100" },
  { time = 2025-10-10T20:50:30Z, price = 90.5 },
  { time = 2025-10-10T20:51:00Z, price = "95" },
]
[[paths]]
symbol = "B"
source = "this test"
waypoints = [
  { time = 2025-10-10T20:50:00Z, price = "10" },
  { time = 2025-10-10T20:51:00Z, price = "12" },
]
"""


def load(tmp_path: Path, text: str) -> Scenario:
    path = tmp_path / "story.toml"
    path.write_text(text, encoding="utf-8")
    return load_scenario(path)


def test_the_shipped_scenario_passes_through_each_of_its_published_figures() -> None:
    scenario = load_scenario(SHIPPED)
    assert [path.symbol for path in scenario.paths] == ["BTC-PERP", "ETH-PERP", "SOL-PERP"]
    assert format_utc(scenario.window.from_ms) == "2025-10-10 20:50:00"
    for path in scenario.paths:
        assert len(path.waypoints) <= 10
        played = scenario.play(path, 42)
        assert len(played) == 601
        for waypoint in path.waypoints:
            assert played[(waypoint.time_ms - scenario.window.from_ms) // scenario.step_ms] == waypoint.price


def test_the_published_low_stays_the_low_and_the_high_the_high() -> None:
    scenario = load_scenario(SHIPPED)
    lows = {path.symbol: format_price(min(scenario.play(path, 7))) for path in scenario.paths}
    assert lows == {"BTC-PERP": "102497.5", "ETH-PERP": "3681", "SOL-PERP": "172.1"}
    btc = scenario.paths[0]
    assert max(scenario.play(btc, 7)) == btc.waypoints[0].price


def test_the_same_seed_plays_the_same_prices_and_another_seed_others() -> None:
    first, second = load_scenario(SHIPPED), load_scenario(SHIPPED)
    for path in first.paths:
        assert first.play(path, 1) == second.play(path, 1) != first.play(path, 2)


def test_the_bridge_draws_the_same_numbers_on_every_machine() -> None:
    scenario = load_scenario(SHIPPED)
    assert [format_price(price) for price in scenario.play(scenario.paths[0], 42)[1:3]] == [
        "116780.018350402070963541",
        "116727.327202799388020833",
    ]


def test_the_path_moves_between_its_waypoints_as_much_as_the_file_says() -> None:
    scenario = load_scenario(SHIPPED)
    eth = scenario.paths[1]
    quiet = scenario.play(eth, 3)[180:235]  # 21:05 to 21:09:35, between two waypoints of nearly one price
    changes = [abs(later - earlier) * 10**6 // earlier for earlier, later in pairwise(quiet)]
    mean_ppm = sum(changes) // len(changes)
    assert 150 < mean_ppm < 600  # 0.12 % a minute is 346 ppm a step, whose mean absolute value is 276


def test_a_symbol_that_is_not_named_gets_the_first_path(tmp_path: Path) -> None:
    scenario = load(tmp_path, GOOD)
    assert scenario.path_of("B").symbol == "B"
    assert scenario.path_of("Z").symbol == "A"


BAD_SCENARIOS = {
    "unknown key": (
        'name = "small"',
        'name = "small"\nspeed = 3',
        "story.toml, line 2: speed: unknown key; known keys are bridge_volatility",
    ),
    "misspelt key": ("step_ms", "step_mss", "story.toml: step_ms: this key is missing; add a whole number"),
    "end before start": (
        "end = 2025-10-10T20:51:00Z",
        "end = 2025-10-10T20:49:00Z",
        "story.toml, line 4: end: it must be after start by a whole number of step_ms",
    ),
    "steps that do not divide the window": ("step_ms = 5000", "step_ms = 7000", "line 4: end: it must be after start by"),
    "too many steps": (
        "end = 2025-10-10T20:51:00Z",
        "end = 2026-10-10T20:51:00Z",
        "line 5: step_ms: the window has more than 100000 steps; lengthen the step",
    ),
    "a local time": (
        "start = 2025-10-10T20:50:00Z",
        "start = 2025-10-10T20:50:00",
        "line 3: start: it is a time; write a time with its zone",
    ),
    "wild volatility": ("0.002", "0.2", "line 6: bridge_volatility: it must be from 0 to 0.1"),
    "a symbol twice": ('symbol = "B"', 'symbol = "A"', "line 16: paths[2].symbol: A has a path already; keep one of them"),
    "a bad symbol": ('symbol = "B"', 'symbol = "B B"', "line 16: paths[2].symbol: it must be 1 to 36 letters, digits or"),
    "a negative price": ('"12"', '"-12"', "line 20: paths[2].waypoints[2].price: a price must be above 0"),
    "off the step": (
        "20:50:30Z",
        "20:50:31Z",
        "line 12: paths[1].waypoints[2].time: it must be a whole number of steps of 5000 ms after start",
    ),
    "out of order": (
        "20:50:30Z",
        "20:50:00Z",
        "line 12: paths[1].waypoints[2].time: it must be after the time of the waypoint before",
    ),
    "not to the end": (
        '  { time = 2025-10-10T20:51:00Z, price = "12" },\n',
        '  { time = 2025-10-10T20:50:55Z, price = "12" },\n',
        "line 18: paths[2].waypoints: the first must be at start and the last at end",
    ),
    "one waypoint": (
        '  { time = 2025-10-10T20:51:00Z, price = "12" },\n',
        "",
        "line 18: paths[2].waypoints: there are 1; write from 2 to 1000",
    ),
    "no TOML": ("step_ms = 5000", "step_ms =", "the config is not valid TOML: Invalid value (at line 5, column 10)"),
}


@pytest.mark.parametrize(("old", "new", "sentence"), BAD_SCENARIOS.values(), ids=BAD_SCENARIOS)
def test_a_bad_scenario_is_refused_with_line_and_key(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, GOOD.replace(old, new))
    assert sentence in str(refused.value)
