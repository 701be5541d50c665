"""Exact decimals for people: parsing, formatting, rounding to tick and lot. A float never gets in.

Units: whatever the caller's numbers are in; ``step`` (a tick size, a lot size) is in the same unit as the value.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import TypeAlias

Number: TypeAlias = Decimal | str | int
"""What may be written where a price, quantity or amount is asked for."""

DECIMAL_TEXT_MAX = 40
"""The longest decimal on the wire, in characters."""

_DECIMAL = re.compile(r"-?[0-9]{1,24}(?:\.[0-9]{1,18})?\Z", re.ASCII)
_EXACT = Context(prec=4 * DECIMAL_TEXT_MAX)


def parse_decimal(text: str) -> Decimal:
    """Return the number that ``text`` spells.

    The grammar is that of the wire: digits with at most one point and an optional leading minus; no exponent, no
    spaces, no NaN. Raises ``ValueError`` with a sentence otherwise.
    """
    if len(text) > DECIMAL_TEXT_MAX or _DECIMAL.match(text) is None:
        shown = text if len(text) <= DECIMAL_TEXT_MAX else text[:DECIMAL_TEXT_MAX] + "..."
        raise ValueError(f"{shown!r} is no decimal number of at most {DECIMAL_TEXT_MAX} characters, such as 60000.5")
    return Decimal(text)


def to_decimal(value: Number, field: str) -> Decimal:
    """Return ``value`` as an exact decimal; ``field`` is named in the ``TypeError`` or ``ValueError`` otherwise."""
    if isinstance(value, float):
        raise TypeError(
            f"{field}: a float is not exact ({value!r} is {str(Decimal(value))[:24]}); write Decimal({str(value)!r}) "
            f"or {str(value)!r}"
        )
    if isinstance(value, bool) or not isinstance(value, (Decimal, str, int)):
        raise TypeError(f"{field}: expected Decimal, str or int, not {type(value).__name__}")
    if isinstance(value, str):
        try:
            return parse_decimal(value)
        except ValueError as error:
            raise ValueError(f"{field}: {error}") from None
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{field}: {number} is not a finite number")
    return number


def to_text(value: Number, field: str) -> str:
    """Return ``value`` as the wire's decimal string, without trailing zeros; errors as in ``to_decimal``."""
    number = to_decimal(value, field)
    # A wide exponent would be spelled out in as many digits, so it is refused before that is done.
    text = plain(number) if -DECIMAL_TEXT_MAX <= number.adjusted() <= DECIMAL_TEXT_MAX else ""
    if len(text) > DECIMAL_TEXT_MAX or _DECIMAL.match(text) is None:
        raise ValueError(f"{field}: {number} does not fit in 24 digits before and 18 after the point")
    return text


def plain(value: Decimal) -> str:
    """Return ``value`` in plain digits without an exponent or trailing zeros: ``Decimal("1.50E+3")`` as ``1500``."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def at_step(value: Decimal, step: Decimal) -> str:
    """Return ``value`` with as many decimal places as ``step`` has, so that columns of prices line up.

    Digits finer than the step are never dropped: such a value is written in full.
    """
    places = decimal_places(step)
    if decimal_places(value) > places:
        return plain(value)
    return format(value, f".{places}f")


def decimal_places(value: Decimal) -> int:
    """Return how many digits ``value`` needs after the point: 1 for ``0.10``."""
    return len(plain(value).partition(".")[2])


def round_down(value: Decimal, step: Decimal) -> Decimal:
    """Return the largest multiple of ``step`` that is not above ``value`` (toward minus infinity)."""
    return _EXACT.multiply(_steps_below(value, step), step)


def round_up(value: Decimal, step: Decimal) -> Decimal:
    """Return the smallest multiple of ``step`` that is not below ``value`` (toward plus infinity)."""
    return _EXACT.minus(round_down(_EXACT.minus(value), step))


def round_nearest(value: Decimal, step: Decimal) -> Decimal:
    """Return the multiple of ``step`` closest to ``value``; from the middle, the upper one."""
    below = round_down(value, step)
    rest = _EXACT.subtract(value, below)
    return below if _EXACT.add(rest, rest) < step else _EXACT.add(below, step)


def _steps_below(value: Decimal, step: Decimal) -> Decimal:
    if step <= 0:
        raise ValueError(f"step: {step} must be above 0")
    count, rest = _EXACT.divmod(value, step)
    return _EXACT.subtract(count, Decimal(1)) if rest < 0 else count
