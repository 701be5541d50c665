"""The requests that were sent and not yet answered: a bounded table by request id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from clients.errors import ConnectionLost, ExchangeError, OrderRejected, ProtocolError, RequestRefused
from clients.fields import read_as
from clients.messages import MarginDecision
from clients.server_messages import ErrorBody

IN_FLIGHT_MAX = 256
"""How many requests of one client may be unanswered at a time; a further one waits for a place."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request before it is sent. ``read`` turns the answer's result into what the caller gets."""

    method: str
    params: Mapping[str, object]
    read: Callable[[object], T]
    client_order_id: str | None = None


@dataclass(slots=True, eq=False)
class Pending(Generic[T]):
    """A request in flight; ``answer`` is completed while the reply is being dispatched."""

    request_id: int
    call: Call[T]
    answer: asyncio.Future[T] = field(repr=False)


class InFlight:
    """All requests in flight on one client."""

    def __init__(self, most: int = IN_FLIGHT_MAX) -> None:
        self._pending: dict[int, Pending[Any]] = {}
        self._places = asyncio.Semaphore(most)
        self._last_id = 0

    def __len__(self) -> int:
        return len(self._pending)

    async def enter(self, call: Call[T]) -> Pending[T]:
        """Return ``call`` with an id and a place in the table, waiting for a place if there is none."""
        await self._places.acquire()
        self._last_id += 1
        pending = Pending(self._last_id, call, asyncio.get_running_loop().create_future())
        self._pending[pending.request_id] = pending
        return pending

    def forget(self, pending: Pending[Any]) -> None:
        """Give a request up; an answer that still comes is passed over."""
        if self._pending.pop(pending.request_id, None) is not None:
            self._places.release()
        if not pending.answer.cancel() and not pending.answer.cancelled():
            pending.answer.exception()  # marks it as seen, or asyncio would complain at exit

    def resolve(self, reply: Mapping[str, object]) -> None:
        """Complete the request that ``reply`` answers. Raises ``ProtocolError`` for an answer to nothing."""
        request_id = reply["id"]
        if request_id is None:
            raise ProtocolError(f"the server could not read a request: {refusal_of('a request', reply.get('error'))}")
        if type(request_id) is not int or not 0 < request_id <= self._last_id:
            raise ProtocolError("the server answered a request that was never made")
        pending = self._pending.pop(request_id, None)
        if pending is None:
            return  # given up before; the answer came late
        self._places.release()
        if pending.answer.done():
            return
        try:
            if "error" in reply:
                pending.answer.set_exception(refusal_of(pending.call.method, reply["error"]))
            elif "result" in reply:
                pending.answer.set_result(pending.call.read(reply["result"]))
            else:
                raise ProtocolError("the server sent an answer with neither result nor error")
        except ProtocolError as error:
            pending.answer.set_exception(error)

    def fail_all(self, reason: str) -> None:
        """Fail every request in flight with ``ConnectionLost``."""
        lost, self._pending = self._pending, {}
        for pending in lost.values():
            self._places.release()
            if not pending.answer.done():
                pending.answer.set_exception(connection_lost(reason, pending.call))


def connection_lost(reason: str, call: Call[Any]) -> ConnectionLost:
    """Return the error for a call that was in flight when the connection ended."""
    return ConnectionLost(reason, method=call.method, client_order_id=call.client_order_id)


def refusal_of(method: str, body: object) -> ExchangeError:
    """Return the error that an error reply stands for; an unreadable one is a ``ProtocolError``."""
    try:
        error = read_as(ErrorBody, body)
        margin, sequence = _margin_of(body), _sequence_of(body)
    except ProtocolError as unreadable:
        return unreadable
    rejected = method in ("order.place", "order.amend") and error.name.startswith(("order.", "margin."))
    kind = OrderRejected if rejected else RequestRefused
    return kind(
        method,
        code=error.code,
        name=error.name,
        message=error.message,
        field=error.field,
        retry_ms=error.retry_ms,
        margin=margin,
        sequence=sequence,
    )


def _sequence_of(body: object) -> int | None:
    """Return the sequence of the refused command, by which it can be explained, if there is one."""
    details = body.get("details") if isinstance(body, dict) else None
    sequence = details.get("sequence") if isinstance(details, dict) else None
    return sequence if type(sequence) is int else None


def _margin_of(body: object) -> MarginDecision | None:
    """Return the margin decision that the details of an error hold, if they hold one."""
    details = body.get("details") if isinstance(body, dict) else None
    return read_as(MarginDecision, details) if isinstance(details, dict) and "path" in details else None
