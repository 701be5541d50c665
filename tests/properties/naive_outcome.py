"""What one command brought about in the naive venue, as far as the real one tells of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from exchange.domain.enums import MarginMode
from exchange.domain.rejects import Reason
from tests.properties.naive_record import Health, Liquidation


@dataclass(frozen=True)
class Decision:
    """MARG-009."""

    path: MarginMode
    required: int
    available_before: int
    available_after: int
    liquidation_price: int | None
    """Of the position if the order filled whole at its limit."""


@dataclass(frozen=True)
class Trade:
    maker_order: int
    taker_order: int
    price: int
    quantity: int
    taker_fee: int
    maker_fee: int
    taker_realized: int
    maker_realized: int


@dataclass(frozen=True)
class Transfer:
    """LIQ-007 to LIQ-009: `how` is "fund", "auto_deleverage" or "residual"."""

    how: str
    account: str
    position: str
    counterparty: str
    counterparty_position: str
    quantity: int
    value: int
    realized: int
    counterparty_realized: int
    fund_change: int


@dataclass(frozen=True)
class Ended:
    """A liquidation's record: its notes, and what only its end shows."""

    notes: Liquidation
    after: Health
    owner_recovery: int | None
    default_recovery: int


@dataclass
class Outcome:
    """What one command brought about. `refused` holds every reason that SPEC.md would justify; empty when accepted."""

    refused: set[Reason] = field(default_factory=set)
    accepted: list[int] = field(default_factory=list)
    repeated: int | None = None
    amended: list[tuple[int, bool]] = field(default_factory=list)
    """(order id, whether it keeps its place)."""
    decision: Decision | None = None
    """Of the order that was asked for, where it got as far as its margin check."""
    standing: Decision | None = None
    """Of no order at all: what one refused for its form shows."""
    trades: list[Trade] = field(default_factory=list)
    canceled: list[tuple[int, Reason]] = field(default_factory=list)
    sent: list[tuple[int, str, str, int, int]] = field(default_factory=list)
    """(order id, account, position, signed lots, limit) of the venue's own orders, in order."""
    moved: list[tuple[str, str, int]] = field(default_factory=list)
    """(account, position, amount) of isolated margin put in, by the owner or for it."""
    transfers: list[Transfer] = field(default_factory=list)
    started: list[tuple[str, str | None, Health]] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    calls: list[tuple[str, str | None, int]] = field(default_factory=list)
    """(account, scope, level) of margin calls."""
    socialized: list[tuple[str, str, int]] = field(default_factory=list)
    """(account, position, amount)."""
    sales: list[tuple[str, str, int, int]] = field(default_factory=list)
    """(account, asset, quantity, proceeds)."""
    fundings: list[tuple[str, int, int, int, int, int]] = field(default_factory=list)
    """(symbol, rate, premium, residual, number of payments, next time)."""
    payments: list[tuple[str, str, int]] = field(default_factory=list)
    """(account, position, amount)."""
    halts: list[str] = field(default_factory=list)
    """Symbols halted for want of money."""
