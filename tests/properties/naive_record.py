"""What the naive venue notes down while it liquidates a scope, and the figures that come of it (LIQ-016)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

MILLION = 1_000_000


@dataclass(frozen=True)
class Health:
    """E, MM and N of a scope."""

    equity: int
    maintenance: int
    notional: int


@dataclass
class Liquidation:
    """A flag and what has come of it so far."""

    number: int
    account: str
    scope: str | None
    started: int
    marks: dict[str, int]
    collateral: int
    before: Health
    waiting: bool = False
    """Until a mark, the book, or its money changes (LIQ-013), or a symbol opens (BOOK-017)."""
    retries: int = 0
    last_symbol: str = ""
    """Of the position that was closed last."""
    orders_canceled: int = 0
    rounds: int = 0
    replenished: int = 0
    book: Counter[str] = field(default_factory=Counter)
    book_value: int = 0
    fund: Counter[str] = field(default_factory=Counter)
    deleveraged: Counter[str] = field(default_factory=Counter)
    legs: int = 0
    realized: int = 0
    fee: int = 0
    fund_change: int = 0
    fund_paid: int = 0
    adl_forgone: int = 0
    taken_worse: int = 0
    socialized: int = 0
    bad_debt: int = 0
    returned: int = 0


def owner_recovery(liquidation: Liquidation, money_at_end: int) -> int | None:
    """The scope's own money at the end, if any, over that at the flag and replenished since, in ppm rounded down."""
    put_in = liquidation.collateral + liquidation.replenished
    if put_in <= 0:
        return None
    return floor(Fraction(max(0, money_at_end) * MILLION, put_in))


def default_recovery(liquidation: Liquidation) -> int:
    """1 - what others paid over the loss, in ppm rounded down, not below 0; 1 if nobody paid.

    The loss is what was realised, fees included, and what was taken over worse than the mark.
    """
    paid = liquidation.fund_paid + liquidation.adl_forgone + liquidation.socialized + liquidation.bad_debt
    if paid <= 0:
        return MILLION
    loss = max(0, liquidation.fee) - liquidation.realized + liquidation.taken_worse
    return max(0, floor(MILLION * (1 - Fraction(paid, loss)))) if loss > 0 else 0
