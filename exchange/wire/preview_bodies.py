"""Previews: from the core's view to what the peer reads (MARG-029)."""

from __future__ import annotations

from collections.abc import Mapping

from exchange.domain.ids import Symbol
from exchange.domain.instrument import Instrument
from exchange.domain.previews import OrderPreview, PreviewView
from exchange.domain.rejects import Reason
from exchange.domain.units import TimeNs, format_cash
from exchange.domain.views import OrderView
from exchange.wire import preview_messages as wire
from exchange.wire.assets import Assets
from exchange.wire.bodies import account_body, decision_body, order_body, position_bodies, time_us
from exchange.wire.errors import WireError
from exchange.wire.margin_bodies import margin_call_body, scope_body
from exchange.wire.messages import OrderBody


def preview_body(
    instruments: Mapping[Symbol, Instrument],
    assets: Assets,
    preview: PreviewView,
    error: WireError | None,
    *,
    sequence: int,
    time_ns: TimeNs,
) -> wire.PreviewResult:
    """Return what an action would do; ``error`` is why it would be refused. Units: ``time_ns`` nanoseconds."""
    return wire.PreviewResult(
        accepted=error is None,
        error=None if error is None else error.body(),
        order=None if preview.order is None else _order_preview_body(instruments, preview.order),
        margin_moved=format_cash(preview.margin_moved),
        margin_calls=tuple(margin_call_body(call) for call in preview.margin_calls),
        liquidated=tuple(scope_body(scope) for scope in preview.liquidated),
        account=account_body(preview.account, assets),
        positions=position_bodies(instruments, preview.positions),
        scopes=tuple(scope_body(scope) for scope in preview.scopes),
        sequence=sequence,
        time_us=time_us(time_ns),
    )


def _order_preview_body(instruments: Mapping[Symbol, Instrument], preview: OrderPreview) -> wire.OrderPreviewBody:
    def body(order: OrderView, reason: Reason | None) -> OrderBody:
        return order_body(instruments[order.symbol], order, reason)

    return wire.OrderPreviewBody(
        order=body(preview.order, preview.reason),
        margin=decision_body(instruments[preview.order.symbol], preview.decision),
        repeated=preview.repeated,
        fee=format_cash(preview.fee),
        realized_pnl=format_cash(preview.realized_pnl),
        canceled_orders=tuple(body(each.order, each.reason) for each in preview.canceled),
        shrunk_orders=tuple(body(order, None) for order in preview.shrunk),
    )
