"""Everything the client raises, under one roof: ``ExchangeError``.

What a failure says about the outcome matters more than what broke: a refusal changed nothing, ``NotConnected`` sent
nothing, and ``ConnectionLost`` and ``RequestTimeout`` leave it unknown, and say how to find out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clients.messages import MarginDecision


class ExchangeError(Exception):
    """The base of all errors of this package but ``TypeError`` and ``ValueError`` for wrong arguments."""


class RequestRefused(ExchangeError):  # noqa: N818
    """The server answered with an error: nothing changed. Program against ``name``, show ``message``."""

    def __init__(
        self,
        method: str,
        *,
        code: int,
        name: str,
        message: str,
        field: str | None = None,
        retry_ms: int | None = None,
        margin: MarginDecision | None = None,
        sequence: int | None = None,
    ) -> None:
        where = f" (field {field})" if field else ""
        decision = f" [{margin}]" if margin is not None else ""
        super().__init__(f"{method} was refused: {name}{where}: {message}{decision}")
        self.method = method
        self.code = code
        self.name = name
        self.message = message
        self.field = field
        self.retry_ms = retry_ms
        self.margin = margin
        self.sequence = sequence


class OrderRejected(RequestRefused):
    """The exchange floor or the account service refused an order; ``margin`` is the decision where one was made."""


class LoginRefused(RequestRefused):
    """The key or the signature was not accepted; trying again with the same ones will not help."""


class ProtocolError(ExchangeError):
    """The server sent something that the protocol does not allow."""


class ConnectFailed(ExchangeError):  # noqa: N818
    """No connection came to be; nothing was sent."""


class NotConnected(ExchangeError):  # noqa: N818
    """The request was not sent, because there is no connection right now."""


class ConnectionLost(ExchangeError):  # noqa: N818
    """The connection ended while the request was in flight: whether the server carried it out is unknown.

    ``client_order_id`` is that of the order concerned, if it was given one: after the reconnect, repeat the same order
    with it (it cannot be executed twice), or look it up with ``Client.order``.
    """

    def __init__(self, reason: str, *, method: str | None = None, client_order_id: str | None = None) -> None:
        super().__init__(f"{reason}{_how_to_find_out(method, client_order_id)}")
        self.reason = reason
        self.method = method
        self.client_order_id = client_order_id


class RequestTimeout(ExchangeError):  # noqa: N818
    """No answer came in time: whether the server carried the request out is unknown."""

    def __init__(self, method: str, timeout_s: float, client_order_id: str | None = None) -> None:
        reason = f"no answer within {timeout_s:g} s (timeout_s)"
        super().__init__(f"{reason}{_how_to_find_out(method, client_order_id)}")
        self.method = method
        self.timeout_s = timeout_s
        self.client_order_id = client_order_id


class EventsMissed(ConnectionLost):
    """A stream went on after a reconnect, and what happened in between was not seen. The stream may be used further."""


class EventTimeout(ExchangeError):  # noqa: N818
    """No event came within the time that a stream was given; it may be used further."""


class StreamOverflow(ExchangeError):  # noqa: N818
    """Events came faster than they were taken from a stream, and its bound was reached; the stream is over."""


class MirrorNotReady(ExchangeError):  # noqa: N818
    """A mirror has no snapshot at the moment (before the first, or while it is being renewed)."""


def _how_to_find_out(method: str | None, client_order_id: str | None) -> str:
    if method is None:
        return ""
    if client_order_id is not None:
        return (
            f"; the outcome of {method} is unknown: look it up with order(client_order_id={client_order_id!r}), "
            "or repeat the same order with that id, which cannot execute it twice"
        )
    if method.startswith("order."):
        return (
            f"; the outcome of {method} is unknown: compare open_orders() and positions(), "
            "and give orders a client_order_id, by which they can be looked up and safely repeated"
        )
    return f"; the outcome of {method} is unknown"
