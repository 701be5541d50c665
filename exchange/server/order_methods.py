"""The ``order.*`` methods: the exchange floor as its customers meet it."""

from __future__ import annotations

from typing import Any

from exchange.domain.commands import AmendOrder, PlaceOrder
from exchange.domain.enums import OrderStatus, PositionSide
from exchange.domain.events import AmendRejected, OrderAccepted, OrderAmended, OrderCanceled, OrderRejected, OrderRepeated
from exchange.domain.ids import Symbol
from exchange.domain.rejects import Reason
from exchange.domain.units import Lots, Ticks
from exchange.domain.views import OrderView
from exchange.server.parts import ExchangeParts
from exchange.server.pictures import Pictures
from exchange.services.order_history import OrderRecord
from exchange.wire import messages as wire
from exchange.wire import parameters
from exchange.wire.bodies import decision_body, order_body
from exchange.wire.errors import WireError
from exchange.wire.order_messages import AmendResult
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

    def amend(self, session: Session, params: parameters.AmendParams) -> AmendResult:
        """Give an open order other terms and return what became of it by the end of its command (BOOK-019)."""
        command = self._translator.amend(session.account, params, self.symbol_of(session, params))
        applied = self._parts.submit(command)
        first = applied.events[0]
        if isinstance(first, AmendRejected):
            raise self.amend_rejection(command, first, applied.sequence)
        assert isinstance(first, OrderAmended | OrderCanceled), "an amend is rejected, done, or a cancellation"
        record = self._record(first.order)
        margin = None
        if isinstance(first, OrderAmended):
            margin = decision_body(self._parts.venue.instruments[first.order.symbol], first.decision)
        return AmendResult(
            order=self._body(record.order, record.reason),
            margin=margin,
            keeps_place=isinstance(first, OrderAmended) and first.keeps_place,
            sequence=applied.sequence,
        )

    def symbol_of(self, session: Session, params: parameters.OrderReferenceParams) -> Symbol | None:
        """Return the symbol of the account's order that is named, or None where it has none of that name."""
        record = self._find(session, params)
        return None if record is None else record.order.symbol

    def _find(self, session: Session, params: parameters.OrderReferenceParams) -> OrderRecord | None:
        orders = self._parts.feed.orders
        if params.order_id is not None:
            return orders.by_order_id(session.account, params.order_id)
        if params.client_order_id is not None:
            return orders.by_client_order_id(session.account, params.client_order_id)
        return None

    def cancel(self, session: Session, params: parameters.OrderReferenceParams) -> wire.OrderBody:
        """Cancel one order and return it as it ended."""
        applied = self._parts.submit(self._translator.cancel(session.account, params))
        canceled = next(event for event in applied.events if isinstance(event, OrderCanceled))
        return self._body(canceled.order, canceled.reason)

    def cancel_all(self, session: Session, params: parameters.CancelAllParams) -> wire.CancelAllResult:
        """Cancel every order that fits and return how many there were."""
        applied = self._parts.submit(self._translator.cancel_all(session.account, params))
        canceled = [event for event in applied.events if isinstance(event, OrderCanceled)]
        return wire.CancelAllResult(canceled=sum(event.reason is Reason.CANCELED_BY_OWNER for event in canceled))

    def get(self, session: Session, params: parameters.OrderReferenceParams) -> wire.OrderBody:
        """Return one order, open or recently ended; others' orders are not found, like those that never were."""
        check_reference(params)
        record = self._find(session, params)
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
        return self._rejection(event, event.symbol, (command.limit_price, command.quantity), sequence)

    def amend_rejection(self, command: AmendOrder, event: AmendRejected, sequence: int | None = None) -> WireError:
        """Return the error of a refused amend, as that of a rejected order (WIRE-013)."""
        order = event.order
        asked = (command.limit_price or order.limit_price, command.quantity or order.quantity)
        return self._rejection(event, order.symbol, asked, sequence)

    def _rejection(
        self, event: OrderRejected | AmendRejected, symbol: Symbol, asked: tuple[Ticks | None, Lots], sequence: int | None
    ) -> WireError:
        instrument = self._parts.venue.instruments.get(symbol)
        decision, actual = event.decision, event.actual
        details: dict[str, Any] = {} if sequence is None else {"sequence": sequence}
        if decision is not None and instrument is not None:
            details |= decision_body(instrument, decision).as_details()
        if actual is None:
            actual = {Unit.PRICE: asked[0], Unit.QUANTITY: asked[1]}.get(REASONS[event.reason].unit)
        return rejection(event.reason, event.limit, actual, instrument, details)
