"""What can be asked beforehand, and the answer: what a command would do if it came next (MARG-029).

Units as in ``views.py``.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from exchange.domain.commands import (
    AddMargin,
    AmendOrder,
    PlaceOrder,
    RemoveMargin,
    SetAutoReplenish,
    SetLeverage,
    SetMarginMode,
    SetMarkPrices,
    SetPositionMode,
    Withdraw,
)
from exchange.domain.events import AmendRejected, CommandRejected, MarginCalled, OrderCanceled, OrderRejected
from exchange.domain.rejects import Reason
from exchange.domain.units import Cash
from exchange.domain.views import AccountView, MarginDecision, OrderView, PositionView, ScopeView

PreviewableCommand: TypeAlias = (
    PlaceOrder
    | AmendOrder
    | SetMarkPrices
    | SetMarginMode
    | SetLeverage
    | AddMargin
    | RemoveMargin
    | SetAutoReplenish
    | SetPositionMode
    | Withdraw
)


class OrderPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of an order, entered or amended, by the end of its command.

    ``order`` has the id that it would be given; ``reason`` is why its rest would be canceled, None where it fills or
    rests. ``canceled`` and ``shrunk`` are the account's other orders that it would cost.
    """

    order: OrderView
    reason: Reason | None
    decision: MarginDecision
    repeated: bool = False
    """Whether the client order id is known for this very order: then nothing would be done (BOOK-014)."""
    fee: Cash = 0
    realized_pnl: Cash = 0
    canceled: tuple[OrderCanceled, ...] = ()
    shrunk: tuple[OrderView, ...] = ()


class PreviewView(msgspec.Struct, frozen=True, kw_only=True):
    """What a command would do to one account, and how that account would stand afterwards (MARG-029).

    A refused command leaves it as it is. ``liquidated`` are the scopes that would be flagged, shown as they stand then:
    nothing that a liquidation does is part of a preview. ``margin_moved`` is what would go from the cross wallet into
    isolated ones (negative: back).
    """

    refusal: OrderRejected | AmendRejected | CommandRejected | None
    order: OrderPreview | None
    margin_moved: Cash
    margin_calls: tuple[MarginCalled, ...]
    liquidated: tuple[ScopeView, ...]
    account: AccountView
    positions: tuple[PositionView, ...]
    """Those that are open, have orders or have settings of their own, by name."""
    scopes: tuple[ScopeView, ...]
