"""What the demo shows: badges, bars, feed, on terminals of several sizes and in plain lines."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from rich.console import Console

from clients.market_data import Level
from exchange.app.demo.view import Frame, LiveView, MarkRow, PlainView, PositionRow, TwinRow, draw, ratio_bar


def frame(*, feed: tuple[str, ...] = (), feed_total: int = 0) -> Frame:
    held = PositionRow("BTC-PERP", Decimal("0.256"), "isolated", Decimal("0.5"))
    return Frame(
        step=50,
        steps=100,
        clock="21:15:00",
        marks=[MarkRow("BTC-PERP", Decimal(105_000), Decimal("0.1"), Decimal("-0.1"))],
        book_symbol="BTC-PERP",
        bids=[Level(Decimal(104_999), Decimal(2))],
        asks=[Level(Decimal(105_001), Decimal(3))],
        twins=[
            TwinRow("btc", "cross", Decimal("0.8"), 0, [held]),
            TwinRow("btc", "isolated", Decimal("0.7"), 1, []),
        ],
        feed=feed,
        feed_total=feed_total,
        trades=1234,
        liquidations={"isolated": 1},
    )


def drawn(width: int, height: int, shown: Frame) -> str:
    console = Console(width=width, height=height, file=io.StringIO(), record=True)
    console.print(draw(shown, width, height))
    return console.export_text()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (130, 45)])
def test_the_live_view_fits_its_terminal_and_says_what_matters(width: int, height: int) -> None:
    text = drawn(width, height, frame(feed=("#1 ISOLATED btc-isolated",), feed_total=1))
    for words in ("50 %", "BTC 105000.0", "-10.0%", "CROSS", "ISO", "LIQ x1", "flat", "1 isolated, 0 cross", "#1 ISOLATED"):
        assert words in text
    assert len(text.splitlines()) <= height
    assert max(len(line) for line in text.splitlines()) <= width
    assert ("BTC-PERP book" in text) == (width > 100)


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (Decimal(0), "░░░░░░░░░░░░ 0%"),
        (Decimal("0.5"), "██████░░░░░░ 50%"),
        (Decimal("1.2"), "████████████ 120%"),
        (None, "████████████ bankrupt"),
    ],
)
def test_the_ratio_bar_is_full_when_maintenance_has_eaten_all_equity(ratio: Decimal | None, words: str) -> None:
    assert ratio_bar(ratio).plain == words


def test_plain_lines_tell_each_step_of_a_liquidation_once() -> None:
    output = io.StringIO()
    with PlainView(output) as view:
        view.show(frame(feed=("one",), feed_total=1))
        view.show(frame(feed=("one", "two"), feed_total=2))
        view.show(frame(feed=("one", "two"), feed_total=2))
    lines = output.getvalue().splitlines()
    assert [line for line in lines if line.startswith("  ")] == ["  one", "  two"]
    assert lines[1] == "21:15:00   50 %  BTC-PERP 105000.0 (-10.0%)  trades 1234  liquidations 1"


def test_the_live_view_gives_the_terminal_back() -> None:
    console = Console(width=120, height=40, file=io.StringIO(), force_terminal=True)
    with LiveView(console) as view:
        view.show(frame())
    written = console.file.getvalue()  # type: ignore[attr-defined]
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")
