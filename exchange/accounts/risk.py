"""Small frozen values that the account service answers with."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from exchange.domain.enums import PositionSide
from exchange.domain.ids import AccountId, OrderId, PositionId, Symbol
from exchange.domain.rejects import Reason
from exchange.domain.units import Cash, Lots, Ppm, Ticks
from exchange.domain.views import MarginDecision, ScopeHealth


class Scope(NamedTuple):
    """What is liquidated together: an isolated position, or (``position_id`` None) an account's whole cross pool."""

    account: AccountId
    position_id: PositionId | None


class Risk(NamedTuple):
    """How a scope stands at the current marks."""

    equity: Cash
    initial_margin: Cash
    maintenance_margin: Cash
    notional: Cash
    is_breached: bool
    """Whether the scope is to be liquidated (MARG-005)."""

    def health(self) -> ScopeHealth:
        """Return the part of it that liquidation events show."""
        return ScopeHealth(self.equity, self.maintenance_margin, self.notional)


def breaches(equity: Cash, maintenance: Cash, *, at_equality: bool) -> bool:
    """Return whether a scope is to be liquidated; equality survives unless the venue decided otherwise (MARG-005)."""
    return maintenance > 0 and (equity < maintenance or (at_equality and equity == maintenance))


class Holding(NamedTuple):
    """A position as it would be, and the money in the wallet behind it. Units: signed lots, signed cash, cash."""

    quantity: Lots
    entry_cost: Cash
    wallet: Cash


class ProposedOrder(NamedTuple):
    """An order that wants in, at the worst price that it may trade at. ``sign`` is +1 for a buy.

    ``replaces`` is the order whose other terms these are (BOOK-019); what that one holds is free for it.
    """

    sign: int
    quantity: Lots
    price: Ticks
    reduce_only: bool
    replaces: OrderId | None = None
    keeps_place: bool = False
    """Whether it stands in the queue where the order stands that it replaces, or behind all others at its price."""


class BankruptcyTerms(NamedTuple):
    """What a liquidation order was sent with (LIQ-005): the signed position and its whole bankruptcy value then.

    ``fee`` is the liquidation fee at that time; None for the instrument's own (LIQ-006).
    """

    quantity: Lots
    value: Cash
    fee: Ppm | None = None


class Leg(NamedTuple):
    """One side of a proposed fill. ``sign`` is +1 for the buyer; ``terms`` are those of a liquidation order."""

    account: AccountId
    order_id: OrderId
    sign: int
    position_side: PositionSide = PositionSide.NET
    terms: BankruptcyTerms | None = None


class ProposedFill(NamedTuple):
    """A match that has not happened yet. It never takes either side across zero (BOOK-011)."""

    symbol: Symbol
    price: Ticks
    quantity: Lots
    taker: Leg
    maker: Leg


class LegEffect(NamedTuple):
    """What a fill would do to one side, fee included."""

    quantity: Lots
    """The position afterwards."""
    realized: Cash
    fee: Cash
    margin_in: Cash
    margin_out: Cash
    reduces: bool


class FillVerdict(Enum):
    """Who, if anyone, stands in the way of a trade."""

    ADMIT = "admit"
    MAKER_FAILS = "maker_fails"
    TAKER_FAILS = "taker_fails"


class FillCheck(NamedTuple):
    """The answer to a proposed fill; the effects are there to be applied when it is admitted."""

    verdict: FillVerdict
    reason: Reason | None
    taker: LegEffect | None
    maker: LegEffect | None


class OrderCheck(NamedTuple):
    """The answer to an order that wants in; ``limit`` is the bound that it misses and ``actual`` what it asked for."""

    reason: Reason | None
    decision: MarginDecision
    is_reducing: bool
    limit: int | None = None
    actual: int | None = None


class ChangeCheck(NamedTuple):
    """The answer to a change that an owner asks for.

    ``limit`` is the bound that it misses and ``actual`` what was asked for; ``margin`` what moves from the cross wallet
    into the isolated one when it is made (negative: back).
    """

    reason: Reason | None
    limit: int | None = None
    actual: int | None = None
    margin: Cash = 0


class TouchedScope(NamedTuple):
    """A scope that something has changed, how it stands now, and whether it is being liquidated already.

    ``margin_call`` is the level that its margin ratio has risen to, or None where nobody needs to be warned (MARG-020).
    """

    scope: Scope
    risk: Risk
    is_flagged: bool
    margin_call: Ppm | None = None
