"""Evidence: what the engine saw and found at each of its decisions, for explaining them afterwards.

Nothing here is part of the state, the digest or the events. Many of these values are kept, and none can be part of a cycle,
so that the garbage collector leaves them alone (``gc=False``). Units: prices ticks, quantities lots (signed where they are a
position), money cash, rates ppm. Every number of a decision is the engine's own.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from exchange.domain.commands import (
    AddMargin,
    RemoveMargin,
    SetAutoReplenish,
    SetLeverage,
    SetMarginMode,
    SetPositionMode,
    Withdraw,
)
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.events import AnyEvent, CloseOutVenue
from exchange.domain.ids import AccountId, LiquidationId, OrderId, PositionId, Symbol
from exchange.domain.rejects import Reason
from exchange.domain.units import Cash, Lots, Ppm, Ticks, TimeNs
from exchange.domain.views import MarginDecision

OwnersChange: TypeAlias = SetMarginMode | SetLeverage | SetAutoReplenish | AddMargin | RemoveMargin | Withdraw | SetPositionMode
"""What an owner may ask for beside orders."""


class HeldOrder(msgspec.Struct, frozen=True, gc=False):
    """A resting order as margin sees it; ``sign`` is +1 for a buy."""

    order_id: OrderId
    sign: int
    price: Ticks
    open_quantity: Lots
    reduce_only: bool


class HeldPosition(msgspec.Struct, frozen=True, gc=False):
    """A position with its settings; ``order_margin`` is R of its orders (MARG-008), None before there is a mark."""

    position_id: PositionId
    symbol: Symbol
    position_side: PositionSide
    quantity: Lots
    entry_cost: Cash
    margin_mode: MarginMode
    leverage: int
    wallet: Cash
    mark_price: Ticks | None
    order_margin: Cash
    is_liquidating: bool


class HeldAccount(msgspec.Struct, frozen=True, gc=False):
    """An account at one moment: the cross pool's money, and every position with lots or orders.

    ``is_liquidating`` says that its cross scope is flagged.
    """

    account: AccountId
    wallet: Cash
    collateral_value: Cash
    positions: tuple[HeldPosition, ...]
    is_liquidating: bool


class ScopeRisk(msgspec.Struct, frozen=True, gc=False):
    """How a scope stood, as the engine computed it."""

    equity: Cash
    initial_margin: Cash
    maintenance_margin: Cash
    notional: Cash
    is_breached: bool


class Decision(msgspec.Struct, frozen=True, gc=False, tag=True, kw_only=True):
    """The base of all decisions; ``held`` is the account as the check found it."""

    account: AccountId
    held: HeldAccount


class OrderDecision(Decision, frozen=True, gc=False, kw_only=True):
    """An order was let in or refused (MARG-010); or an open one, its own margin counted as free, other terms (BOOK-019).

    ``price`` is the worst that it might trade at; ``order_id`` is None for a refused new one, ``margin`` where it never came
    to its margin check. ``limit`` and ``actual`` are those of the refusal, in the unit of its reason.
    """

    symbol: Symbol
    position_id: PositionId
    order_id: OrderId | None
    client_order_id: str | None
    sign: int
    quantity: Lots
    price: Ticks | None
    reduce_only: bool
    reason: Reason | None
    limit: int | None
    actual: int | None
    margin: MarginDecision | None
    is_reducing: bool
    is_amend: bool = False
    orders: tuple[HeldOrder, ...]
    """The position's resting orders in the order that they came in, the one that is judged not among them."""


class BankruptcyShare(msgspec.Struct, frozen=True, gc=False):
    """What a liquidation order was sent with (LIQ-005): the signed position then, its whole bankruptcy value, its fee."""

    quantity: Lots
    value: Cash
    fee: Ppm


class FillDecision(Decision, frozen=True, gc=False, kw_only=True):
    """One side of a match was checked just before it (MARG-012, MARG-013).

    ``price`` and ``quantity`` are those of the match; of the other side nothing is kept. ``terms`` belong to a liquidation
    order, which is not margin-checked. ``fee`` to ``margin_out`` are what it did; 0 where ``reason`` refused it.
    """

    symbol: Symbol
    position_id: PositionId
    order_id: OrderId
    client_order_id: str | None
    sign: int
    quantity: Lots
    price: Ticks
    is_taker: bool
    meets_liquidation: bool
    """Whether the other side is a liquidation order: its maker gets no rebate (MARG-017)."""
    terms: BankruptcyShare | None
    reason: Reason | None
    realized: Cash
    fee: Cash
    margin_in: Cash
    margin_out: Cash
    orders: tuple[HeldOrder, ...]
    """The position's orders, the filling one among them."""


class ChangeDecision(Decision, frozen=True, gc=False, kw_only=True):
    """An owner's change was made or refused (MARG-015 to MARG-027); ``margin`` is what moved into the isolated wallet."""

    change: OwnersChange
    position_id: PositionId | None
    reason: Reason | None
    limit: int | None
    actual: int | None
    margin: Cash
    orders: tuple[HeldOrder, ...]


class MarginCallDecision(Decision, frozen=True, gc=False, kw_only=True):
    """A scope's ratio rose to a level at which its owner is warned (MARG-020); ``position_id`` None is the cross scope."""

    position_id: PositionId | None
    level: Ppm
    risk: ScopeRisk


class FlagDecision(Decision, frozen=True, gc=False, kw_only=True):
    """A scope was found breached and flagged (MARG-005, LIQ-001)."""

    liquidation_id: LiquidationId
    position_id: PositionId | None
    risk: ScopeRisk


class ReplenishDecision(Decision, frozen=True, gc=False, kw_only=True):
    """A flagged isolated position was topped up from its owner's own money (MARG-024)."""

    liquidation_id: LiquidationId
    position_id: PositionId
    amount: Cash
    risk: ScopeRisk


class CloseDecision(Decision, frozen=True, gc=False, kw_only=True):
    """A closing order was sized and priced (LIQ-004, LIQ-005).

    ``wanted`` is what sizing says, ``quantity`` that at most the largest order; ``equity_share`` is the equity that the
    whole position carries, ``bankruptcy_value`` what all of it is then worth, ``limit_price`` what the policy says (beyond 1
    to 2^40 ticks where no price spends the equity), ``fee`` the liquidation fee of its fills.
    """

    liquidation_id: LiquidationId
    position_id: PositionId
    may_be_partial: bool
    wanted: Lots
    quantity: Lots
    equity_share: Cash
    bankruptcy_value: Cash
    bankruptcy_price: Ticks
    limit_price: Ticks
    fee: Ppm
    risk: ScopeRisk


class TransferDecision(Decision, frozen=True, gc=False, kw_only=True):
    """A position, or a part of it, was handed over (LIQ-007 to LIQ-009); the counterparty is not named here."""

    liquidation_id: LiquidationId
    position_id: PositionId
    venue: CloseOutVenue
    quantity: Lots
    equity_share: Cash
    value: Cash
    realized: Cash
    risk: ScopeRisk


AnyDecision: TypeAlias = (
    OrderDecision
    | FillDecision
    | ChangeDecision
    | MarginCallDecision
    | FlagDecision
    | ReplenishDecision
    | CloseDecision
    | TransferDecision
)


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """A decision with the command that it was made in; ``command`` is the name of the command's class."""

    sequence: int
    time_ns: TimeNs
    command: str
    decision: AnyDecision


class Told(msgspec.Struct, frozen=True, gc=False):
    """An event of a liquidation with the command that it came of."""

    sequence: int
    time_ns: TimeNs
    event: AnyEvent
