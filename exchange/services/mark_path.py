"""The mark prices that a demo plays: every symbol on one clock of fixed steps, in whole ticks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from exchange.domain.ids import Symbol
from exchange.domain.instrument import Instrument
from exchange.domain.units import Ticks
from exchange.services.exact_price import ExactPrice, nearest_tick, price_of_ticks
from exchange.services.mark_file import MarkFile, MarkFileError, Point
from exchange.services.mark_window import Window, check_window, window_around_largest_fall
from exchange.services.scenario import STEPS_MAX, Scenario

STEP_MS = 5_000
"""The default distance of two steps, in path time."""


class MarkPath(msgspec.Struct, frozen=True):
    """Times and, for every symbol, a mark at each of them.

    Units: ``times_ms`` milliseconds since the Unix epoch; ``ticks`` whole ticks of the symbol's instrument.
    """

    times_ms: tuple[int, ...]
    ticks: Mapping[Symbol, tuple[Ticks, ...]]
    origins: Mapping[Symbol, str]
    """A phrase for people about where each symbol's path comes from."""

    @property
    def window(self) -> Window:
        """The first and the last time."""
        return Window(self.times_ms[0], self.times_ms[-1])


def build_mark_path(
    instruments: Sequence[Instrument],
    scenario: Scenario,
    *,
    files: Mapping[Symbol, MarkFile] | None = None,
    window: Window | None = None,
    step_ms: int = STEP_MS,
    seed: int = 0,
) -> MarkPath:
    """Return the marks of every instrument: from its file, else along the scenario.

    A file's last price is carried forward to each step; before its first row the first price holds. A symbol without a
    file moves by the scenario's *relative* path from its instrument's initial mark (without one, from the scenario's own
    first price), stretched in time onto the window. The window is the one given, else the 50 minutes around the largest
    fall of the files, else that of the scenario. Raises ``MarkFileError`` with a sentence.
    """
    files = files or {}
    _check_symbols(instruments, files)
    if window is None:
        window = window_around_largest_fall(tuple(files.values()), step_ms) if files else scenario.window
    times_ms = _clock(window, step_ms)
    ticks: dict[Symbol, tuple[Ticks, ...]] = {}
    origins: dict[Symbol, str] = {}
    for instrument in instruments:
        symbol = instrument.symbol
        file = files.get(symbol)
        if file is not None:
            check_window(file, window)
            prices = tuple(_carry_forward(file.points(), times_ms))
            origins[symbol] = f"file {file.name}"
        else:
            prices = _follow_scenario(instrument, scenario, times_ms, seed)
            origins[symbol] = f"scenario {scenario.name}, along {scenario.path_of(symbol).symbol}"
        ticks[symbol] = _on_grid(instrument, prices, origins[symbol])
    return MarkPath(times_ms, ticks, origins)


def _check_symbols(instruments: Sequence[Instrument], files: Mapping[Symbol, MarkFile]) -> None:
    known = [instrument.symbol for instrument in instruments]
    for symbol, file in files.items():
        if symbol not in known:
            raise MarkFileError(
                f"mark file {file.name}: there is no instrument {symbol}; the config has {', '.join(known)}, so name one of"
                " these or give another --config"
            )


def _clock(window: Window, step_ms: int) -> tuple[int, ...]:
    """Return the window's start and every ``step_ms`` after it, its end included where a step falls on it."""
    if window.to_ms <= window.from_ms:
        raise MarkFileError("the window is empty: --to must be after --from")
    if (window.to_ms - window.from_ms) // step_ms >= STEPS_MAX:
        raise MarkFileError(
            f"the window has more than {STEPS_MAX} steps of {step_ms} ms; choose --from and --to closer together"
        )
    return tuple(range(window.from_ms, window.to_ms + 1, step_ms))


def _carry_forward(points: Iterable[Point], times_ms: Sequence[int]) -> Iterator[ExactPrice]:
    """Yield at each time the price of the last point at or before it, or of the first point when there is none."""
    remaining = iter(points)
    current = next(remaining)
    upcoming = next(remaining, None)
    for time_ms in times_ms:
        while upcoming is not None and upcoming.time_ms <= time_ms:
            current, upcoming = upcoming, next(remaining, None)
        yield current.price


def _follow_scenario(instrument: Instrument, scenario: Scenario, times_ms: Sequence[int], seed: int) -> tuple[ExactPrice, ...]:
    """Return the scenario's relative path from the instrument's initial mark, stretched onto ``times_ms``."""
    path = scenario.play(scenario.path_of(instrument.symbol), seed)
    first = path[0]
    if instrument.initial_mark_price is not None:
        first = price_of_ticks(instrument.initial_mark_price, instrument.price_grid)
    span_ms = max(1, times_ms[-1] - times_ms[0])
    last_step = len(path) - 1
    return tuple(path[(time_ms - times_ms[0]) * last_step // span_ms] * first // path[0] for time_ms in times_ms)


def _on_grid(instrument: Instrument, prices: Iterable[ExactPrice], origin: str) -> tuple[Ticks, ...]:
    try:
        return tuple(nearest_tick(price, instrument.price_grid) for price in prices)
    except ValueError as error:
        raise MarkFileError(f"{origin}: it does not fit {instrument.symbol}: {error}; check which symbol it is for") from None
