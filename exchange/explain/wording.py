"""Numbers and names as sentences have them."""

from __future__ import annotations

from exchange.domain.decisions import HeldPosition
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.instrument import Instrument
from exchange.domain.units import Cash, Lots, Ppm, Ticks, format_cash, format_decimal


def grouped(text: str) -> str:
    """Return a decimal with commas between thousands: 54400.5 as 54,400.5."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, point, fraction = digits.partition(".")
    return f"{sign}{int(whole):,}{point}{fraction}"


def money(amount: Cash) -> str:
    """Return an amount of money for a sentence."""
    return grouped(format_cash(amount))


def percent(rate: Ppm) -> str:
    """Return a rate for a sentence, to two places: 0.812345 as 81.23 %."""
    return f"{format_decimal(rate // 100, 2)} %"


def price(instrument: Instrument, ticks: Ticks) -> str:
    """Return a price for a sentence."""
    return grouped(instrument.price_grid.format(ticks))


def quantity(instrument: Instrument, lots: Lots) -> str:
    """Return a quantity without its sign for a sentence."""
    return grouped(instrument.quantity_grid.format(abs(lots)))


def position_phrase(held: HeldPosition) -> str:
    """Return what a position is called: ``isolated BTC-PERP long``."""
    side = "long" if held.quantity > 0 else "short" if held.quantity < 0 else "position"
    if held.position_side is not PositionSide.NET:
        side = held.position_side.value
    return f"{held.margin_mode.value} {held.symbol} {side}"


def owner(account: str) -> str:
    """Return whose something is."""
    return f"{account}'s"


def scope_phrase(held: HeldPosition | None) -> str:
    """Return what a scope is called: its position, or the pool."""
    return "cross pool" if held is None or held.margin_mode is MarginMode.CROSS else position_phrase(held)
