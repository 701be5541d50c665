"""Runs the demo: steps the clock along the path, gives every bot its turn, shows it, and adds it all up.

The same seed and marks give the same digest and summary: see ARCHITECTURE.md for why concurrent clients do not matter.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from rich.console import Console

from clients.bots.twins import Twin, TwinPhase
from clients.human_units import parse_decimal, plain
from exchange.app.demo import plans
from exchange.app.demo.recovery import add_up, read_records
from exchange.app.demo.stage import Pair, Stage, demo_settings, secret_of, set_stage
from exchange.app.demo.summary import Money, PairResult, Summary, TwinResult, write_summary
from exchange.app.demo.tally import clock_text
from exchange.app.demo.view import Frame, LiveView, MarkRow, PlainView, PositionRow, TwinRow, View
from exchange.app.exit_codes import EXIT_TERMINATED
from exchange.app.options import DemoOptions
from exchange.composition.mark_paths import load_mark_path
from exchange.composition.profiles import DEFAULT_PROFILE
from exchange.composition.settings import Settings, load_settings
from exchange.services.mark_path import MarkPath
from exchange.services.mark_window import Window

LIVE_SECONDS = 30.0
"""How long the live view takes for the path on a machine that could go faster; plain output does not wait."""
BOOK_DEPTH = 5
US_PER_MS = 1_000
SOURCES_NAMED_MAX = 1
"""More are named at the symbols only."""


def run_demo(options: DemoOptions) -> int:
    """Run the demo and return its exit code: 0 when the money adds up exactly.

    Raises ``ConfigError`` and ``MarkFileError`` with sentences about the files that were named.
    """
    settings = load_settings(options.config, profile=options.profile or DEFAULT_PROFILE)
    if options.summary is not None and not os.access(options.summary.parent, os.W_OK):
        print(f"ringfence: {_summary_sentence(options.summary, 'no folder to write to')}", file=sys.stderr)
        return 1
    window = None
    if options.from_ms is not None and options.to_ms is not None:
        window = Window(options.from_ms, options.to_ms)
    path = load_mark_path(settings, files=options.marks, window=window, seed=options.seed)
    _introduce(settings, path, options)
    try:
        return asyncio.run(_play_until_told(settings, path, options))
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"ringfence: the demo could not go on: {error}", file=sys.stderr)
        return 1


def _introduce(settings: Settings, path: MarkPath, options: DemoOptions) -> None:
    first, last = path.times_ms[0] * US_PER_MS, path.times_ms[-1] * US_PER_MS
    print(f"ringfence demo  seed {options.seed}  {_path_text(path)}")
    for instrument in settings.instruments:
        ticks = path.ticks[instrument.symbol]
        low = instrument.price_grid.format(min(ticks))
        print(
            f"  {instrument.symbol:9} {instrument.price_grid.format(ticks[0]):>10} at {clock_text(first)}, low {low}, "
            f"{instrument.price_grid.format(ticks[-1])} at {clock_text(last)}  ({path.origins[instrument.symbol]})"
        )
    print(
        f"  {plans.MAKERS} market makers, {plans.NOISE_TRADERS} noise traders and pairs of twins join as WebSocket clients;"
        " a pair opens the same trades,\n  one twin in cross, one in isolated margin.",
        flush=True,
    )


def _path_text(path: MarkPath) -> str:
    sources = sorted({origin.split(",")[0] for origin in path.origins.values()})
    if len(sources) > SOURCES_NAMED_MAX:
        sources = [f"{len(sources)} sources"]
    first, last = path.times_ms[0] * US_PER_MS, path.times_ms[-1] * US_PER_MS
    return f"{' + '.join(sources)}, {clock_text(first)} to {clock_text(last)} UTC in {len(path.times_ms)} steps"


async def _play_until_told(settings: Settings, path: MarkPath, options: DemoOptions) -> int:
    """Play; a SIGTERM ends it like Ctrl-C, so that the terminal and the exchange are left in order."""
    play = asyncio.create_task(_play(settings, path, options))
    terminated = asyncio.Event()

    def terminate() -> None:
        terminated.set()
        play.cancel()

    with contextlib.suppress(NotImplementedError):  # where the platform has no such signals
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
    try:
        return await play
    except asyncio.CancelledError:
        if not terminated.is_set():
            raise
        print("stopped", file=sys.stderr)
        return EXIT_TERMINATED


async def _play(settings: Settings, path: MarkPath, options: DemoOptions) -> int:
    started = time.monotonic()
    async with set_stage(demo_settings(settings, path), _marks_at(settings, path, 0), seed=options.seed) as stage:
        live = not options.plain and sys.stdout.isatty()
        view: View = LiveView(Console()) if live else PlainView(sys.stdout)
        with view:
            await _walk(stage, settings, path, view, pace_s=LIVE_SECONDS if live else 0.0)
        summary = await _sum_up(stage, path, options.seed, time.monotonic() - started)
        print("\n".join(summary.lines()), flush=True)
        if options.summary is not None:
            try:
                write_summary(summary, options.summary)
            except OSError as error:
                print(f"ringfence: {_summary_sentence(options.summary, error.strerror)}", file=sys.stderr)
                return 1
        if options.keep:
            await _keep_up(stage, settings)
    return 0 if summary.money.difference == 0 else 1


def _summary_sentence(path: Path, reason: str | None) -> str:
    return f"the summary {path} cannot be written ({reason}); check the path given with --summary"


def _marks_at(settings: Settings, path: MarkPath, step: int) -> dict[str, Decimal]:
    grids = {instrument.symbol: instrument.price_grid for instrument in settings.instruments}
    return {symbol: parse_decimal(grids[symbol].format(ticks[step])) for symbol, ticks in path.ticks.items()}


async def _walk(stage: Stage, settings: Settings, path: MarkPath, view: View, *, pace_s: float) -> None:
    """Play the path: at each step the clock, the marks, then every bot in turn."""
    steps = len(path.times_ms)
    every = max(1, steps // view.frames_max)
    first = _marks_at(settings, path, 0)
    began = time.monotonic()
    for step in range(steps):
        marks = _marks_at(settings, path, step)
        if step:
            await stage.admin.admin_advance((path.times_ms[step] - path.times_ms[step - 1]) * US_PER_MS)
            await stage.admin.admin_set_mark(marks)
        for bot in stage.bots:
            if not (isinstance(bot, Twin) and bot.record.phase is TwinPhase.HOLDING):
                await bot.turn()
        if step % every == 0 or step == steps - 1:
            view.show(await _frame(stage, path, step, marks, first))
        ahead = began + pace_s * (step + 1) / steps - time.monotonic()
        if ahead > 0:
            await asyncio.sleep(ahead)


async def _frame(stage: Stage, path: MarkPath, step: int, marks: Mapping[str, Decimal], first: Mapping[str, Decimal]) -> Frame:
    symbol = next(iter(marks))
    book = await stage.observer.book(symbol, depth=BOOK_DEPTH)
    tally = stage.tally
    return Frame(
        step=step + 1,
        steps=len(path.times_ms),
        clock=clock_text(path.times_ms[step] * US_PER_MS),
        marks=[MarkRow(name, mark, stage.instruments[name].tick_size, mark / first[name] - 1) for name, mark in marks.items()],
        book_symbol=symbol,
        bids=book.bids,
        asks=book.asks,
        twins=[
            row for pair in stage.pairs for row in (await _twin_row(pair, pair.cross), await _twin_row(pair, pair.isolated))
        ],
        feed=tuple(tally.feed),
        feed_total=tally.feed_total,
        trades=tally.trades,
        liquidations=dict(tally.liquidations),
    )


async def _twin_row(pair: Pair, twin: Twin) -> TwinRow:
    record = await twin.look()
    return TwinRow(
        pair=pair.plan.name,
        mode=record.margin_mode.value,
        kept=(record.equity or Decimal(0)) / plans.TWIN_CREDIT,
        liquidations=len(record.liquidations),
        positions=[
            PositionRow(position.symbol, position.quantity, position.margin_mode.value, position.margin_ratio)
            for position in record.positions
            if position.quantity
        ],
    )


async def _sum_up(stage: Stage, path: MarkPath, seed: int, elapsed_s: float) -> Summary:
    """Read everything over the socket, at the final marks."""
    await stage.observer.ping()
    equity = {bot.name: (await bot.client.account()).total_equity for bot in stage.bots}
    state = await stage.admin.admin_state()
    tally = stage.tally

    def result(twin: Twin) -> TwinResult:
        return TwinResult(twin.name, stage.credited[twin.name], equity[twin.name], tally.liquidated_accounts[twin.name])

    return Summary(
        seed=seed,
        path=_path_text(path),
        digest=state.digest,
        commands=state.sequence,
        trades=tally.trades,
        volume=tally.volume,
        liquidations_isolated=tally.liquidations["isolated"],
        liquidations_cross=tally.liquidations["cross"],
        closed_lots={taker: tally.lots(taker) for taker in ("book", "fund", "adl")},
        closed=tally.closed,
        margin_calls=tally.margin_calls,
        recoveries=add_up(await read_records(stage.admin)),
        money=Money(
            credited=sum(stage.credited.values(), Decimal(0)),
            equity=sum(equity.values(), Decimal(0)),
            fees=state.fees,
            insurance_fund=state.insurance_fund_equity,
        ),
        pairs=tuple(
            PairResult(pair.plan.name, pair.plan.trades, result(pair.cross), result(pair.isolated)) for pair in stage.pairs
        ),
        elapsed_s=elapsed_s,
    )


async def _keep_up(stage: Stage, settings: Settings) -> None:
    """Leave the exchange up until Ctrl-C, and say how to reach it."""
    access = settings.admin
    print(f"\nThe exchange stays up at {stage.exchange.url} (public demo keys, throw-away use); Ctrl-C ends it.")
    print(f"  admin       key {access.key}  secret {access.secret}")
    for pair in stage.pairs:
        for twin in (pair.cross, pair.isolated):
            kept = (await twin.client.account()).total_equity
            print(f"  {twin.name:16} key demo-{twin.name}  secret {secret_of(twin.name)}  equity {plain(kept)}", flush=True)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        print("\nstopped")
