"""What ``ringfence serve`` prints once it listens."""

from __future__ import annotations

from collections.abc import Sequence

from exchange import __version__
from exchange.composition.profiles import DEFAULT_PROFILE
from exchange.composition.settings import Settings
from exchange.domain.instrument import Instrument
from exchange.domain.units import format_cash

_WARNING = "These keys are PUBLIC and for throw-away use: put nothing of value behind them."


def format_banner(settings: Settings, url: str) -> str:
    """Return address, symbols, accounts and keys as lines of text."""
    symbols = [("symbol", "mark", "tick", "lot", "max leverage"), *map(_symbol_row, settings.instruments)]
    accounts = [
        ("account", "balance", "key", "secret"),
        *((entry.account, format_cash(entry.balance), entry.access.key, entry.access.secret) for entry in settings.accounts),
        ("(admin)", "", settings.admin.key, settings.admin.secret),
    ]
    return "\n".join(
        [
            f"ringfence {__version__}  {url}  (msgpack; JSON with ?format=json)  clock {settings.clock.mode.value}",
            *([] if settings.profile == DEFAULT_PROFILE else [f"rules of the profile {settings.profile}"]),
            "",
            *_aligned(symbols),
            "",
            *_aligned(accounts),
            "",
            _WARNING,
            "Stop with Ctrl-C.",
        ]
    )


def _symbol_row(instrument: Instrument) -> tuple[str, ...]:
    mark = instrument.initial_mark_price
    return (
        instrument.symbol,
        "none yet" if mark is None else instrument.price_grid.format(mark),
        instrument.price_grid.size,
        instrument.quantity_grid.size,
        f"{instrument.max_leverage}x",
    )


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
