"""What would happen, as frozen values (MARG-029).

Units: prices in quote per base, quantities in base, money in the settlement currency, all ``Decimal``.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from clients.margin_messages import MarginCall, Scope
from clients.messages import Account, MarginDecision, Order, Position
from exchange.domain.enums import PositionSide


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why it would be refused, as the real method would say it; ``details`` is the margin decision of an order."""

    code: int
    name: str
    message: str
    field: str | None = None
    details: MarginDecision | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPreview:
    """What would become of an order. Its ``order_id`` is the one that it would get if nothing else came first.

    ``canceled_orders`` and ``shrunk_orders`` are one's others that it would cost, as they would be then; a negative
    ``fee`` is a rebate.
    """

    order: Order
    margin: MarginDecision
    repeated: bool
    fee: Decimal
    realized_pnl: Decimal
    canceled_orders: tuple[Order, ...]
    shrunk_orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an action would do if it came next, and how the account would stand afterwards.

    ``margin_moved`` is what would go from the cross wallet into isolated ones (negative: back). ``liquidated`` are the
    scopes that would be flagged, as they stand before any liquidation does anything: what those do is not predicted.
    """

    accepted: bool
    error: Refusal | None
    order: OrderPreview | None
    margin_moved: Decimal
    margin_calls: tuple[MarginCall, ...]
    liquidated: tuple[Scope, ...]
    account: Account
    positions: tuple[Position, ...]
    scopes: tuple[Scope, ...]
    sequence: int
    time_us: int

    def position(self, symbol: str, position_side: PositionSide = PositionSide.NET) -> Position | None:
        """Return how the position would stand; None where there would be neither position nor orders nor settings."""
        found = (each for each in self.positions if (each.symbol, each.position_side) == (symbol, position_side))
        return next(found, None)
