"""The answers of the ``session.*`` methods beside login."""

from __future__ import annotations

from exchange.wire.messages import Message


class LogoutResult(Message, frozen=True, kw_only=True):
    """Whom the connection acted for until now."""

    account: str | None


class CancelOnDisconnectResult(Message, frozen=True, kw_only=True):
    """Whether losing this connection cancels the account's orders, and after how long (SAFE-002)."""

    enabled: bool
    grace_ms: int


class CancelAfterResult(Message, frozen=True, kw_only=True):
    """When the account's orders are canceled unless that is put off; null where the switch is not armed (SAFE-001)."""

    deadline_us: int | None
    sequence: int


class RateBody(Message, frozen=True, kw_only=True):
    """How many requests of a kind come back a second, how many may be made at once, and how many are left now."""

    per_s: int
    burst: int
    left: int


class RateLimitsResult(Message, frozen=True, kw_only=True):
    """What the key may still ask for; null where nothing is bounded (SAFE-004)."""

    orders: RateBody | None
    reads: RateBody | None
