"""The batches of ``order.*``: each item a command with an outcome of its own, in the order given (WIRE-030)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from exchange.server.limits import ServerLimits
from exchange.server.order_methods import OrderMethods
from exchange.wire import messages as wire
from exchange.wire import parameters
from exchange.wire.errors import Fault, WireError, fault
from exchange.wire.order_messages import AmendItem, AmendResult, CancelItem, PlaceItem
from exchange.wire.session import Session

P = TypeVar("P", bound=parameters.Params)
R = TypeVar("R", bound=wire.Message)


class BatchMethods:
    """Does to several orders of the session's account what the single methods do to one."""

    def __init__(self, orders: OrderMethods, limits: ServerLimits) -> None:
        self._orders = orders
        self._limits = limits

    def place(self, session: Session, params: parameters.PlaceBatchParams) -> tuple[PlaceItem, ...]:
        """Enter orders."""
        answers = self._each(session, params.orders, self._orders.place)
        return tuple(PlaceItem(result=result, error=error) for result, error in answers)

    def amend(self, session: Session, params: parameters.AmendBatchParams) -> tuple[AmendItem, ...]:
        """Give orders other terms."""
        answers: list[tuple[AmendResult | None, wire.ErrorBody | None]] = self._each(session, params.orders, self._orders.amend)
        return tuple(AmendItem(result=result, error=error) for result, error in answers)

    def cancel(self, session: Session, params: parameters.CancelBatchParams) -> tuple[CancelItem, ...]:
        """Cancel orders."""
        answers = self._each(session, params.orders, self._orders.cancel)
        return tuple(CancelItem(result=result, error=error) for result, error in answers)

    def _each(
        self, session: Session, items: Sequence[P], method: Callable[[Session, P], R]
    ) -> list[tuple[R | None, wire.ErrorBody | None]]:
        """Return each item's result or error; ``WireError``, and nothing done, when there are too many."""
        most = self._limits.batch_items_max
        if len(items) > most:
            sentence = f"orders: {len(items)} are more than the {most} of one batch; send several batches"
            raise fault(Fault.INVALID_FIELD, sentence, field="orders")
        answers: list[tuple[R | None, wire.ErrorBody | None]] = []
        for item in items:
            try:
                answers.append((method(session, item), None))
            except WireError as refused:
                answers.append((None, refused.body()))
        return answers
