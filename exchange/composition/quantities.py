"""Kinds of number that configs write and the domain counts in whole units."""

from __future__ import annotations

from exchange.domain.units import CASH_MAX, FUNDING_DECIMALS, Cash, Ppb, TimeNs, parse_cash, parse_decimal

SECOND_DECIMALS = 9
DURATION_MAX: TimeNs = 10**18
"""The longest duration that a config may name: about 31 years."""


def parse_duration(text: str) -> TimeNs:
    """Return a decimal number of seconds as nanoseconds; ``ValueError`` when it is negative or too long."""
    duration = parse_decimal(text, SECOND_DECIMALS)
    if not 0 <= duration <= DURATION_MAX:
        raise ValueError(f"it must be from 0 to {DURATION_MAX // 10**SECOND_DECIMALS} seconds")
    return duration


def parse_funding_rate(text: str) -> Ppb:
    """Return a decimal rate in parts per thousand million."""
    return parse_decimal(text, FUNDING_DECIMALS)


def parse_amount(text: str) -> Cash:
    """Return an amount of the settlement currency; ``ValueError`` when it is negative or more than one transfer may name."""
    amount = parse_cash(text)
    if not 0 <= amount <= CASH_MAX:
        raise ValueError("it must be from 0 to 1000000000000")
    return amount
