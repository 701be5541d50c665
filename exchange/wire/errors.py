"""What a peer may do wrong before the core is asked, with stable numbers; the core's own reasons are in ``reasons.py``."""

from __future__ import annotations

from enum import Enum
from typing import Any

from exchange.wire.messages import ErrorBody, ErrorReply


class Fault(Enum):
    """The name of an error that the wire, the session or the server found."""

    MALFORMED = "request.malformed"
    UNKNOWN_METHOD = "request.unknown_method"
    UNKNOWN_FIELD = "request.unknown_field"
    MISSING_FIELD = "request.missing_field"
    INVALID_FIELD = "request.invalid_field"
    DUPLICATE_FIELD = "request.duplicate_field"
    FRAME_TOO_LARGE = "request.frame_too_large"
    WRONG_FRAME_TYPE = "request.wrong_frame_type"

    LOGIN_FAILED = "session.login_failed"
    LOGIN_REQUIRED = "session.login_required"
    SCOPE_MISSING = "session.scope_missing"
    ALREADY_LOGGED_IN = "session.already_logged_in"
    SUBSCRIPTIONS_MAX = "session.subscriptions_maximum"
    NOT_SUBSCRIBED = "session.not_subscribed"
    RATE_LIMITED = "session.rate_limited"

    CLOCK_NOT_VIRTUAL = "clock.not_virtual"
    CLOCK_RANGE = "clock.out_of_range"
    KEY_EXISTS = "account.key_exists"
    KEYS_MAX = "account.keys_maximum"
    NOT_EXPLAINABLE = "explain.not_kept"

    HALTED = "venue.halted"


FAULT_CODES: dict[Fault, int] = {
    Fault.MALFORMED: 1000,
    Fault.UNKNOWN_METHOD: 1001,
    Fault.UNKNOWN_FIELD: 1002,
    Fault.MISSING_FIELD: 1003,
    Fault.INVALID_FIELD: 1004,
    Fault.DUPLICATE_FIELD: 1005,
    Fault.FRAME_TOO_LARGE: 1006,
    Fault.WRONG_FRAME_TYPE: 1007,
    Fault.LOGIN_FAILED: 2000,
    Fault.LOGIN_REQUIRED: 2001,
    Fault.SCOPE_MISSING: 2002,
    Fault.ALREADY_LOGGED_IN: 2003,
    Fault.SUBSCRIPTIONS_MAX: 2004,
    Fault.NOT_SUBSCRIBED: 2005,
    Fault.RATE_LIMITED: 2006,
    Fault.CLOCK_NOT_VIRTUAL: 7000,
    Fault.CLOCK_RANGE: 7001,
    Fault.KEY_EXISTS: 7002,
    Fault.KEYS_MAX: 7003,
    Fault.NOT_EXPLAINABLE: 8000,
    Fault.HALTED: 9000,
}
"""Numbers are never given to another error. 1000 request, 2000 session, 3000 to 6999 the core, 7000 admin,
8000 histories, 9000 server."""


class WireError(Exception):
    """A refusal on its way to the peer as an error reply.

    ``request_id`` is known only where the frame could not be decoded but its id could be recovered.
    """

    def __init__(
        self,
        code: int,
        name: str,
        message: str,
        *,
        field: str | None = None,
        request_id: int | str | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{name}: {message}")
        self.code = code
        self.name = name
        self.message = message
        self.field = field
        self.request_id = request_id
        self.details = details
        self.retry_ms: int | None = None
        """When the same request would be answered, where waiting helps. Units: milliseconds."""

    @property
    def is_bad_field(self) -> bool:
        """Whether a field of the request holds what it cannot hold, so that nothing was asked yet."""
        return self.code in (FAULT_CODES[Fault.INVALID_FIELD], FAULT_CODES[Fault.MISSING_FIELD])

    def body(self) -> ErrorBody:
        """Return what is wrong, as the peer reads it."""
        return ErrorBody(
            code=self.code,
            name=self.name,
            message=self.message,
            field=self.field,
            retry_ms=self.retry_ms,
            details=self.details,
        )

    def reply(self, request_id: int | str | None) -> ErrorReply:
        """Return the error reply to the request of that id."""
        return ErrorReply(id=request_id, error=self.body())


def fault(kind: Fault, message: str, *, field: str | None = None, request_id: int | str | None = None) -> WireError:
    """Return the error of one kind with its number and name."""
    return WireError(FAULT_CODES[kind], kind.value, message, field=field, request_id=request_id)
