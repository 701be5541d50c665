"""Two ways to watch the demo: a live terminal view, and plain lines for logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from clients.human_units import at_step
from clients.market_data import Level

BOOK_LEVELS = 5
FEED_LINES = 9
PLAIN_LINES = 20
"""How many progress lines the plain view prints over the whole path."""
RATIO_BAR_CELLS = 12
WIDTH_FOR_BOOK = 110
"""Cells of terminal width below which the twins get all of it."""
ROWS_AROUND_TWINS = 11
"""Rows that frames, headings, progress and marks take."""


@dataclass(frozen=True)
class MarkRow:
    """A symbol's mark and how far it is from where it began. ``change`` is a fraction."""

    symbol: str
    mark: Decimal
    tick_size: Decimal
    change: Decimal


@dataclass(frozen=True)
class PositionRow:
    """A twin's position. ``ratio`` is maintenance over equity; None when the scope has no equity left."""

    symbol: str
    quantity: Decimal
    mode: str
    ratio: Decimal | None


@dataclass(frozen=True)
class TwinRow:
    """A twin as it stands. ``kept`` is its equity as a share of its deposit."""

    pair: str
    mode: str
    kept: Decimal
    liquidations: int
    positions: Sequence[PositionRow]


@dataclass(frozen=True)
class Frame:
    """Everything that one refresh of a view shows."""

    step: int
    steps: int
    clock: str
    marks: Sequence[MarkRow]
    book_symbol: str
    bids: Sequence[Level]
    asks: Sequence[Level]
    twins: Sequence[TwinRow]
    feed: Sequence[str]
    feed_total: int
    trades: int
    liquidations: Mapping[str, int]


class View(Protocol):
    """What the runner needs of a view."""

    frames_max: int
    """How many frames over the whole path the view can use."""

    def __enter__(self) -> View:
        """Begin."""
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End, leaving the terminal as it was."""
        ...

    def show(self, frame: Frame) -> None:
        """Show the present state."""
        ...


class PlainView:
    """Prints a line now and then, and one for every step of a liquidation."""

    frames_max = PLAIN_LINES

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._seen = 0

    def __enter__(self) -> PlainView:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End."""

    def show(self, frame: Frame) -> None:
        """Print what is new in the feed, then where the path stands."""
        new = frame.feed_total - self._seen
        self._seen = frame.feed_total
        for line in list(frame.feed)[-new:] if new else ():
            print(f"  {line}", file=self._output)
        marks = "  ".join(f"{row.symbol} {at_step(row.mark, row.tick_size)} ({row.change:+.1%})" for row in frame.marks)
        print(
            f"{frame.clock}  {frame.step * 100 // frame.steps:3d} %  {marks}  trades {frame.trades}  "
            f"liquidations {sum(frame.liquidations.values())}",
            file=self._output,
            flush=True,
        )


class LiveView:
    """Redraws the terminal: progress, marks, book, twins with ratio bars, liquidation feed."""

    frames_max = 400

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, screen=False, transient=True)

    def __enter__(self) -> LiveView:
        """Take over the bottom of the terminal."""
        self._live.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Give it back."""
        self._live.__exit__(kind, error, trace)

    def show(self, frame: Frame) -> None:
        """Redraw."""
        console = self._live.console
        self._live.update(draw(frame, console.width, console.height), refresh=True)


def draw(frame: Frame, width: int, height: int) -> Group:
    """Return the picture of one frame for a terminal of so many cells; a narrow one goes without the book."""
    twins = Panel(_twins(frame), title="twins: the same trades, cross and isolated")
    middle: Table | Panel = twins
    if width >= WIDTH_FOR_BOOK:
        middle = Table.grid(expand=True)
        middle.add_column(width=36)
        middle.add_column(ratio=1)
        middle.add_row(Panel(_book(frame), title=f"{frame.book_symbol} book"), twins)
    taken = sum(max(1, len(twin.positions)) for twin in frame.twins) + ROWS_AROUND_TWINS
    return Group(
        _progress(frame),
        Panel(_marks(frame), title="marks", padding=(0, 1)),
        middle,
        Panel(_feed(frame, min(FEED_LINES, max(1, height - taken))), title=_feed_title(frame), padding=(0, 1)),
    )


def _progress(frame: Frame) -> Table:
    row = Table.grid(padding=(0, 2))
    row.add_row(
        Text("ringfence demo", style="bold"),
        Text(f"{frame.clock} UTC"),
        ProgressBar(total=frame.steps, completed=frame.step, width=40),
        Text(f"{frame.step * 100 // frame.steps} %"),
        Text(f"trades {frame.trades:,}"),
    )
    return row


def _marks(frame: Frame) -> Table:
    table = Table.grid(padding=(0, 2))
    cells = []
    for row in frame.marks:
        arrow, style = ("▼", "red") if row.change < 0 else ("▲", "green")
        cells.append(
            Text.assemble(
                (f"{row.symbol.removesuffix('-PERP')} ", "bold"),
                at_step(row.mark, row.tick_size),
                (f" {arrow} {row.change:+.1%}", style),
            )
        )
    table.add_row(*cells)
    return table


def _book(frame: Frame) -> Table:
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(justify="left")
    table.add_column(justify="right")
    table.add_column(justify="right")
    for level in reversed(frame.asks[:BOOK_LEVELS]):
        table.add_row(Text("sell", style="red"), str(level.price), str(level.quantity))
    table.add_row("", Text("-" * 8, style="dim"), "")
    for level in frame.bids[:BOOK_LEVELS]:
        table.add_row(Text("buy", style="green"), str(level.price), str(level.quantity))
    return table


def _twins(frame: Frame) -> Table:
    table = Table(box=None, padding=(0, 1), expand=True)
    for title in ("pair", "mode", "kept", "position", "margin ratio"):
        table.add_column(title, no_wrap=True)
    for twin in frame.twins:
        died = f" LIQ x{twin.liquidations}" if twin.liquidations else ""
        positions: list[Text] = []
        bars: list[Text] = []
        for row in twin.positions:
            positions.append(Text(f"{row.quantity:+f} {row.symbol}"))
            bars.append(ratio_bar(row.ratio))
        table.add_row(
            twin.pair,
            _badge(twin.mode),
            Text(f"{twin.kept:.0%}{died}", style="bold red" if twin.liquidations else ""),
            Text("\n").join(positions) if positions else Text("flat", style="dim"),
            Text("\n").join(bars),
        )
    return table


def _badge(mode: str) -> Text:
    return Text(" CROSS ", style="black on cyan") if mode == "cross" else Text(" ISO ", style="black on yellow")


def ratio_bar(ratio: Decimal | None) -> Text:
    """Return a bar that is full when maintenance has eaten all equity, which is when liquidation comes."""
    if ratio is None:
        return Text("█" * RATIO_BAR_CELLS + " bankrupt", style="red")
    filled = min(RATIO_BAR_CELLS, int(ratio * RATIO_BAR_CELLS))
    style = "red" if ratio >= Decimal("0.8") else "yellow" if ratio >= Decimal("0.5") else "green"
    return Text("█" * filled + "░" * (RATIO_BAR_CELLS - filled) + f" {ratio:.0%}", style=style)


def _feed_title(frame: Frame) -> str:
    return f"liquidations: {frame.liquidations.get('isolated', 0)} isolated, {frame.liquidations.get('cross', 0)} cross"


def _feed(frame: Frame, rows: int) -> Text:
    lines = list(frame.feed)[-rows:]
    return Text("\n".join(lines + [""] * (rows - len(lines))), no_wrap=True, overflow="ellipsis")
