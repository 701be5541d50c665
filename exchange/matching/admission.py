"""The filters an order passes before anyone asks about money (BOOK-003 to BOOK-006, BOOK-016)."""

from __future__ import annotations

from typing import NamedTuple

from exchange.domain.commands import PlaceOrder
from exchange.domain.enums import OrderType, Side, TimeInForce
from exchange.domain.instrument import Instrument
from exchange.domain.margin_math import notional_value
from exchange.domain.rejects import Reason
from exchange.domain.units import PPM, PRICE_TICKS_MAX, Lots, Ppm, Ticks, ceil_div


class Refusal(NamedTuple):
    """Why an order may not enter; ``limit`` and ``actual`` are in the unit of the reason's field."""

    reason: Reason
    limit: int | None = None
    actual: int | None = None


def band_low(mark_price: Ticks, width: Ppm) -> Ticks:
    """Return the lowest whole tick inside a band around the mark."""
    return max(1, ceil_div(mark_price * (PPM - width), PPM))


def band_high(mark_price: Ticks, width: Ppm) -> Ticks:
    """Return the highest whole tick inside a band around the mark."""
    return min(PRICE_TICKS_MAX, mark_price * (PPM + width) // PPM)


def effective_limit(command: PlaceOrder, instrument: Instrument, mark_price: Ticks) -> Ticks:
    """Return the worst price the order may trade at: its limit, or the protection price (BOOK-003)."""
    if command.limit_price is not None:
        return command.limit_price
    if command.side is Side.BUY:
        return band_high(mark_price, instrument.market_protection)
    return band_low(mark_price, instrument.market_protection)


def check_form(command: PlaceOrder, instrument: Instrument) -> Refusal | None:
    """Return what is wrong with the order whatever the market is, or None."""
    if command.order_type is OrderType.LIMIT and command.limit_price is None:
        return Refusal(Reason.PRICE_REQUIRED)
    if command.order_type is OrderType.MARKET and command.limit_price is not None:
        return Refusal(Reason.PRICE_FORBIDDEN)
    if command.limit_price is not None and not 1 <= command.limit_price <= PRICE_TICKS_MAX:
        return Refusal(Reason.PRICE_LIMIT, PRICE_TICKS_MAX, command.limit_price)
    if command.quantity < 1:
        return Refusal(Reason.LOT_SIZE, 1, command.quantity)
    if command.quantity > instrument.quantity_max:
        return Refusal(Reason.QUANTITY_MAX, instrument.quantity_max, command.quantity)
    rests = command.order_type is OrderType.LIMIT and command.time_in_force.rests
    if command.post_only and not rests:
        return Refusal(Reason.POST_ONLY_COMBINATION)
    if command.expire_time_ns is None:
        return Refusal(Reason.EXPIRE_TIME_REQUIRED) if command.time_in_force is TimeInForce.GTD else None
    may_expire = command.time_in_force is TimeInForce.GTD and (rests or command.trigger is not None)
    return None if may_expire else Refusal(Reason.EXPIRE_TIME_FORBIDDEN)


def check_filters(command: PlaceOrder, instrument: Instrument, mark_price: Ticks, position_quantity: Lots) -> Refusal | None:
    """Return the market filter that the order misses, or None. ``position_quantity`` is the account's, signed."""
    reduces = command.side.sign * position_quantity < 0
    if command.reduce_only and not reduces:
        return Refusal(Reason.REDUCE_ONLY_NO_POSITION)
    price = command.limit_price
    if price is not None:
        low, high = band_low(mark_price, instrument.price_band), band_high(mark_price, instrument.price_band)
        if price < low:
            return Refusal(Reason.PRICE_BAND, low, price)
        if price > high:
            return Refusal(Reason.PRICE_BAND, high, price)
    closes_whole = reduces and command.quantity == abs(position_quantity)
    if command.reduce_only or closes_whole:
        return None
    notional = notional_value(instrument, command.quantity, mark_price if price is None else price)
    if notional < instrument.notional_min:
        return Refusal(Reason.NOTIONAL_MIN, instrument.notional_min, notional)
    return None
