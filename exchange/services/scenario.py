"""A market told in a few published figures: waypoints per symbol, and a seeded path between them that is synthetic.

The same scenario and seed give the same prices on every machine: only whole numbers, and ``random.Random`` used for its
bits alone.
"""

from __future__ import annotations

import random
from itertools import pairwise
from math import isqrt
from pathlib import Path

import msgspec

from exchange.domain.ids import Symbol, is_valid_id
from exchange.domain.units import PPM, Ppm, parse_rate
from exchange.services.config_table import ConfigTable, read_config
from exchange.services.exact_price import ExactPrice, parse_price
from exchange.services.mark_window import Window, time_ms_of

STEP_MS_MAX = 3_600_000
STEPS_MAX = 100_000
"""The most steps of a path: about six days of 5 s."""
WAYPOINTS_MAX = 1_000
VOLATILITY_MAX: Ppm = 100_000
"""A tenth per square root of a minute; above it a bridge would be all noise."""

_NOISE_BITS = 256
_NOISE_DEVIATION = 8
"""Half the square root of ``_NOISE_BITS``: the standard deviation of the number of ones among that many fair bits."""
_MINUTE_MS = 60_000
_PPB = 1_000_000_000


class Waypoint(msgspec.Struct, frozen=True):
    """A published price. Units: milliseconds since the Unix epoch, exact price."""

    time_ms: int
    price: ExactPrice


class ScenarioPath(msgspec.Struct, frozen=True):
    """The waypoints of one symbol, from the scenario's start to its end, and where the figures were published."""

    symbol: Symbol
    source: str
    waypoints: tuple[Waypoint, ...]


class Scenario(msgspec.Struct, frozen=True):
    """Waypoints per symbol over one window, on a clock of ``step_ms``.

    Units: ``bridge_volatility`` ppm of the price per square root of a minute.
    """

    name: str
    description: str
    window: Window
    step_ms: int
    bridge_volatility: Ppm
    paths: tuple[ScenarioPath, ...]

    def path_of(self, symbol: Symbol) -> ScenarioPath:
        """Return the symbol's own path, or the first one for a symbol that the scenario does not name."""
        return next((path for path in self.paths if path.symbol == symbol), self.paths[0])

    def play(self, path: ScenarioPath, seed: int) -> tuple[ExactPrice, ...]:
        """Return a price for each step of the window, both ends included; exact at the waypoints.

        Between two waypoints stands a Brownian bridge around the straight line, kept within the lowest and the highest
        waypoint, so that the published low stays the low. Each path draws from its own generator.
        """
        generator = random.Random(f"{seed}:{self.name}:{path.symbol}")
        low = min(waypoint.price for waypoint in path.waypoints)
        high = max(waypoint.price for waypoint in path.waypoints)
        prices: list[ExactPrice] = [path.waypoints[0].price]
        for start, end in pairwise(path.waypoints):
            steps = (end.time_ms - start.time_ms) // self.step_ms
            bridge = _draw_bridge(generator, steps)
            for step in range(1, steps + 1):
                line = start.price + (end.price - start.price) * step // steps
                swing = line * self._step_volatility_ppb() * bridge[step - 1] // (steps * _NOISE_DEVIATION * _PPB)
                prices.append(min(max(line + swing, low), high))
        return tuple(prices)

    def _step_volatility_ppb(self) -> int:
        ppb = self.bridge_volatility * (_PPB // PPM)
        return isqrt(ppb * ppb * self.step_ms // _MINUTE_MS)


def _draw_bridge(generator: random.Random, steps: int) -> list[int]:
    """Return a random walk tied to 0 at its last step, times ``steps``; one step deviates by ``_NOISE_DEVIATION``."""
    walk: list[int] = []
    height = 0
    for _ in range(steps):
        height += generator.getrandbits(_NOISE_BITS).bit_count() - _NOISE_BITS // 2
        walk.append(height)
    return [place * steps - height * step for step, place in enumerate(walk, start=1)]


def load_scenario(path: Path) -> Scenario:
    """Return the scenario in a TOML file; ``ConfigError`` names the file, the key and what to do."""
    source, values = read_config(path)
    top = ConfigTable(source, (), values)
    window = Window(time_ms_of(top.moment("start")), time_ms_of(top.moment("end")))
    step_ms = top.integer("step_ms", minimum=1, maximum=STEP_MS_MAX)
    if window.to_ms <= window.from_ms or (window.to_ms - window.from_ms) % step_ms:
        raise top.refusal("end", "it must be after start by a whole number of step_ms")
    if (window.to_ms - window.from_ms) // step_ms > STEPS_MAX:
        raise top.refusal("step_ms", f"the window has more than {STEPS_MAX} steps; lengthen the step")
    scenario = Scenario(
        name=top.text("name"),
        description=top.text("description"),
        window=window,
        step_ms=step_ms,
        bridge_volatility=top.number("bridge_volatility", _parse_volatility),
        paths=_load_paths(top, window, step_ms),
    )
    top.finish()
    return scenario


def _load_paths(top: ConfigTable, window: Window, step_ms: int) -> tuple[ScenarioPath, ...]:
    paths: list[ScenarioPath] = []
    for table in top.tables("paths"):
        symbol = table.text("symbol")
        if not is_valid_id(symbol):
            raise table.refusal("symbol", "it must be 1 to 36 letters, digits or . _ : -")
        if any(path.symbol == symbol for path in paths):
            raise table.refusal("symbol", f"{symbol} has a path already; keep one of them")
        paths.append(ScenarioPath(symbol, table.text("source"), _load_waypoints(table, window, step_ms)))
        table.finish()
    return tuple(paths)


def _load_waypoints(path: ConfigTable, window: Window, step_ms: int) -> tuple[Waypoint, ...]:
    entries = path.tables("waypoints")
    if not 2 <= len(entries) <= WAYPOINTS_MAX:
        raise path.refusal("waypoints", f"there are {len(entries)}; write from 2 to {WAYPOINTS_MAX}")
    waypoints: list[Waypoint] = []
    for entry in entries:
        waypoint = Waypoint(time_ms_of(entry.moment("time")), entry.number("price", parse_price))
        entry.finish()
        if (waypoint.time_ms - window.from_ms) % step_ms:
            raise entry.refusal("time", f"it must be a whole number of steps of {step_ms} ms after start")
        if waypoints and waypoint.time_ms <= waypoints[-1].time_ms:
            raise entry.refusal("time", "it must be after the time of the waypoint before")
        waypoints.append(waypoint)
    if (waypoints[0].time_ms, waypoints[-1].time_ms) != window:
        raise path.refusal("waypoints", "the first must be at start and the last at end")
    return tuple(waypoints)


def _parse_volatility(text: str) -> Ppm:
    volatility = parse_rate(text)
    if not 0 <= volatility <= VOLATILITY_MAX:
        raise ValueError("it must be from 0 to 0.1")
    return volatility
