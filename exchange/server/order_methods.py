"""The ``order.*`` methods: the exchange floor as its customers meet it."""

from __future__ import annotations

from typing import Any

from exchange.domain.commands import PlaceOrder
from exchange.domain.enums import OrderStatus, PositionSide
from exchange.domain.events import OrderAccepted, OrderCanceled, OrderRejected, OrderRepeated
from exchange.domain.rejects import Reason
from exchange.domain.views import OrderView
from exchange.server.parts import ExchangeParts
from exchange.server.pictures import Pictures
from exchange.services.order_history import OrderRecord
from exchange.wire import messages as wire
from exchange.wire import parameters
from exchange.wire.bodies import decision_body, order_body
from exchange.wire.errors import WireError
from exchange.wire.reasons import REASONS, Unit, rejection
from exchange.wire.session import Session
from exchange.wire.translate import Translator, check_reference


class OrderMethods:
    """Places, cancels and shows orders of the session's account."""

    def __init__(self, parts: ExchangeParts, translator: Translator, pictures: Pictures) -> None:
        self._parts = parts
        self._translator = translator
        self._pictures = pictures

    def place(self, session: Session, params: parameters.PlaceParams) -> wire.PlaceResult:
        """Enter an order and return what became of it by the end of its command (WIRE-012)."""
        try:
            command = self._translator.place(session.account, params)
        except WireError as refused:
            raise self.with_decision(session, params, refused) from None
        applied = self._parts.submit(command)
        first = applied.events[0]
        if isinstance(first, OrderAccepted):
            return self._result(first, self._record(first.order).order, applied.sequence, repeated=False)
        if isinstance(first, OrderRepeated):
            return self._result(first.accepted, first.outcome, applied.sequence, repeated=True)
        assert isinstance(first, OrderRejected), "an order is accepted, repeated or rejected first of all"
        raise self.rejection(command, first, applied.sequence)

    def cancel(self, session: Session, params: parameters.OrderReferenceParams) -> wire.OrderBody:
        """Cancel one order and return it as it ended."""
        applied = self._parts.submit(self._translator.cancel(session.account, params))
        canceled = next(event for event in applied.events if isinstance(event, OrderCanceled))
        return self._body(canceled.order, canceled.reason)

    def cancel_all(self, session: Session, params: parameters.SymbolFilterParams) -> wire.CancelAllResult:
        """Cancel every order and return how many there were."""
        applied = self._parts.submit(self._translator.cancel_all(session.account, params))
        canceled = [event for event in applied.events if isinstance(event, OrderCanceled)]
        return wire.CancelAllResult(canceled=sum(event.reason is Reason.CANCELED_BY_OWNER for event in canceled))

    def get(self, session: Session, params: parameters.OrderReferenceParams) -> wire.OrderBody:
        """Return one order, open or recently ended; others' orders are not found, like those that never were."""
        check_reference(params)
        orders, record = self._parts.feed.orders, None
        if params.order_id is not None:
            record = orders.by_order_id(session.account, params.order_id)
        elif params.client_order_id is not None:
            record = orders.by_client_order_id(session.account, params.client_order_id)
        if record is None:
            raise rejection(Reason.NOT_FOUND)
        return self._body(record.order, record.reason)

    def list(self, session: Session, params: parameters.OrderListParams) -> tuple[wire.OrderBody, ...]:
        """Return all open orders, or the latest ended ones; oldest first."""
        symbol = self._translator.optional_symbol(params.symbol)
        if params.status == "open":
            return self._pictures.open_orders(session.account, symbol)
        return self._pictures.ended_orders(session.account, symbol, params.limit)

    def _result(self, accepted: OrderAccepted, outcome: OrderView, sequence: int, *, repeated: bool) -> wire.PlaceResult:
        assert accepted.decision is not None, "only the venue's own orders are accepted without a margin decision"
        instrument = self._parts.venue.instruments[outcome.symbol]
        return wire.PlaceResult(
            order=self._body(outcome, self.reason_of(outcome)),
            margin=decision_body(instrument, accepted.decision),
            repeated=repeated,
            sequence=sequence,
        )

    def reason_of(self, order: OrderView) -> Reason | None:
        """Return why an order of this venue was canceled, if it was and that is remembered."""
        return self._record(order).reason if order.order_status is OrderStatus.CANCELED else None

    def _record(self, order: OrderView) -> OrderRecord:
        """Return what the feed remembers of an order of this very command, or the order itself."""
        return self._parts.feed.orders.by_order_id(order.account, order.order_id) or OrderRecord(order, None)

    def _body(self, order: OrderView, reason: Reason | None) -> wire.OrderBody:
        return order_body(self._parts.venue.instruments[order.symbol], order, reason)

    def with_decision(self, session: Session, params: parameters.PlaceParams, refused: WireError) -> WireError:
        """Return the refusal of an order that made no command, with the account's margin as it stands (WIRE-013)."""
        instrument = self._parts.venue.instruments.get(params.symbol)
        if instrument is not None and refused.details is None:
            side = PositionSide(params.position_side)
            decision = self._parts.venue.standing_decision(session.account, instrument.symbol, side)
            refused.details = decision_body(instrument, decision).as_details()
        return refused

    def rejection(self, command: PlaceOrder, event: OrderRejected, sequence: int | None = None) -> WireError:
        """Return the error of a rejected order; its details are the margin decision, and what to have explained (WIRE-013)."""
        instrument = self._parts.venue.instruments.get(event.symbol)
        decision, limit, actual = event.decision, event.limit, event.actual
        details: dict[str, Any] = {} if sequence is None else {"sequence": sequence}
        if decision is not None and instrument is not None:
            details |= decision_body(instrument, decision).as_details()
        if actual is None:
            unit = REASONS[event.reason].unit
            actual = {Unit.PRICE: command.limit_price, Unit.QUANTITY: command.quantity}.get(unit)
        return rejection(event.reason, limit, actual, instrument, details)
