"""The method ``account.preview``: what an action would do, in the words of the method that would do it (MARG-029)."""

from __future__ import annotations

from msgspec.structs import replace

from exchange.domain.commands import AmendOrder, PlaceOrder
from exchange.domain.events import AmendRejected, OrderRejected
from exchange.domain.previews import PreviewableCommand, PreviewView
from exchange.server.order_methods import OrderMethods
from exchange.server.parts import ExchangeParts
from exchange.server.pictures import Pictures
from exchange.wire import parameters
from exchange.wire.errors import WireError
from exchange.wire.preview_bodies import preview_body
from exchange.wire.preview_messages import PreviewResult
from exchange.wire.session import Session
from exchange.wire.translate import Translator


class PreviewMethods:
    """Tells the session's account beforehand; nothing changes."""

    def __init__(self, parts: ExchangeParts, translator: Translator, pictures: Pictures, orders: OrderMethods) -> None:
        self._parts = parts
        self._translator = translator
        self._pictures = pictures
        self._orders = orders

    def preview(self, session: Session, params: parameters.PreviewParams) -> PreviewResult:
        """Return what one action would do; a refused one is told with the error that its method would answer."""
        command: PreviewableCommand | None = None
        try:
            amended = None if params.amend is None else self._orders.symbol_of(session, params.amend)
            command = self._translator.preview(session.account, params, amended)
        except WireError as refused:
            if refused.is_bad_field:
                raise
            error: WireError | None = refused
            if params.order is not None:
                error = self._orders.with_decision(session, params.order, refused)
        view = self._parts.preview(session.account, command)
        if command is not None:
            error = self._error(command, view)
        return self._body(view, error)

    def _error(self, command: PreviewableCommand, view: PreviewView) -> WireError | None:
        """Return what the real method would answer to a command that would be refused."""
        if view.refusal is None:
            return None
        if isinstance(view.refusal, OrderRejected):
            assert isinstance(command, PlaceOrder), "only an order is rejected as one"
            return self._orders.rejection(command, view.refusal)
        if isinstance(view.refusal, AmendRejected):
            assert isinstance(command, AmendOrder), "only an amend is rejected as one"
            return self._orders.amend_rejection(command, view.refusal)
        return self._parts.refusal(command, view.refusal)

    def _body(self, view: PreviewView, error: WireError | None) -> PreviewResult:
        if view.order is not None and view.order.repeated:
            view = replace(view, order=replace(view.order, reason=self._orders.reason_of(view.order.order)))
        venue = self._parts.venue
        return preview_body(
            venue.instruments,
            self._pictures.assets,
            view,
            error,
            sequence=venue.sequence,
            time_ns=max(self._parts.clock.now_ns(), venue.now_ns),
        )
