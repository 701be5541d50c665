"""How many requests one key may make: token buckets on the server's own monotonic clock, outside the core (SAFE-004)."""

from __future__ import annotations

from collections.abc import Callable

from exchange.server.limits import ServerLimits
from exchange.wire import requests
from exchange.wire.errors import Fault, WireError, fault
from exchange.wire.session import REQUIRED_SCOPES, Credential, Scope
from exchange.wire.session_messages import RateBody, RateLimitsResult

SECOND_NS = 10**9
MS_NS = 10**6

PROTECTIVE = frozenset(
    {
        "order.cancel",
        "order.cancel_all",
        "order.cancel_batch",
        "session.cancel_after",
        "session.cancel_on_disconnect",
        "session.logout",
    }
)
"""Methods that only take risk away: they count with the reads, so that no burst of orders stands in their way."""
ORDERS = frozenset(
    kind
    for kind, scope in REQUIRED_SCOPES.items()
    if scope is Scope.TRADE and str(kind.__struct_config__.tag) not in PROTECTIVE
)
"""Requests that count as orders: whatever changes an account, but for the protective ones."""


class Bucket:
    """Tokens that come back evenly, in whole numbers: ``per_s`` a second, at most ``burst`` of them.

    Units: ``_level`` thousand-millionths of a token, times nanoseconds of the caller's clock.
    """

    __slots__ = ("_at_ns", "_level", "burst", "per_s")

    def __init__(self, per_s: int, burst: int, now_ns: int) -> None:
        self.per_s, self.burst = per_s, burst
        self._level, self._at_ns = burst * SECOND_NS, now_ns

    def take(self, now_ns: int, count: int = 1) -> int:
        """Take tokens and return 0, or return in how many nanoseconds there will be enough.

        More than the burst are taken from a full bucket, and what is owed then comes back before anything else.
        """
        self._refill(now_ns)
        lacking = min(count, self.burst) * SECOND_NS - self._level
        if lacking <= 0:
            self._level -= count * SECOND_NS
            return 0
        return -(-lacking // self.per_s)

    def left(self, now_ns: int) -> int:
        """Return how many whole tokens there are."""
        self._refill(now_ns)
        return max(0, self._level) // SECOND_NS

    def _refill(self, now_ns: int) -> None:
        elapsed_ns = max(0, now_ns - self._at_ns)
        self._level = min(self.burst * SECOND_NS, self._level + elapsed_ns * self.per_s)
        self._at_ns += elapsed_ns


class Allowance:
    """What one key, or one connection without a login, may still ask for."""

    __slots__ = ("orders", "reads")

    def __init__(self, limits: ServerLimits, now_ns: int) -> None:
        self.orders = Bucket(limits.order_requests_per_s, limits.order_requests_burst, now_ns)
        self.reads = Bucket(limits.read_requests_per_s, limits.read_requests_burst, now_ns)


class RateLimits:
    """The allowances of all keys. A key has one, over however many connections; there are no more than keys."""

    def __init__(self, limits: ServerLimits, read_ns: Callable[[], int]) -> None:
        self._limits = limits
        self._read_ns = read_ns
        self._of_keys: dict[str, Allowance] = {}

    def meter(self) -> Meter:
        """Return the meter of a new connection."""
        return Meter(self, self._limits, self._read_ns)

    def of_key(self, key: str, now_ns: int) -> Allowance:
        """Return what a key has left."""
        allowance = self._of_keys.get(key)
        if allowance is None:
            allowance = self._of_keys[key] = Allowance(self._limits, now_ns)
        return allowance


class Meter:
    """Counts one connection's requests against the allowance of its key; before a login it has one of its own."""

    def __init__(self, rates: RateLimits, limits: ServerLimits, read_ns: Callable[[], int]) -> None:
        self._rates = rates
        self._read_ns = read_ns
        now_ns = read_ns()
        self._own = Allowance(limits, now_ns)
        self._patience = Bucket(1, limits.rate_refusals_max, now_ns)

    def check(self, credential: Credential | None, request: requests.AnyRequest | None) -> WireError | None:
        """Count one request, an unreadable one if None, and return its refusal if there were too many (SAFE-004)."""
        if credential is not None and Scope.ADMIN in credential.scopes:
            return None
        now_ns = self._read_ns()
        allowance = self._own if credential is None else self._rates.of_key(credential.key, now_ns)
        is_order = type(request) in ORDERS
        wait_ns = (allowance.orders if is_order else allowance.reads).take(now_ns, _weight(request))
        if not wait_ns:
            return None
        what = "orders and changes" if is_order else "other requests"
        retry_ms = -(-wait_ns // MS_NS)
        error = fault(Fault.RATE_LIMITED, f"too many {what} of this key; send the next in {retry_ms} ms, or fewer of them")
        error.retry_ms = retry_ms
        return error

    def is_abused(self) -> bool:
        """Count a refusal, and return whether there have been more than a peer that waits as told would get."""
        return self._patience.take(self._read_ns()) > 0

    def picture(self, credential: Credential | None) -> RateLimitsResult:
        """Return what the key has left; an operator's is not bounded."""
        if credential is not None and Scope.ADMIN in credential.scopes:
            return RateLimitsResult(orders=None, reads=None)
        now_ns = self._read_ns()
        allowance = self._own if credential is None else self._rates.of_key(credential.key, now_ns)
        return RateLimitsResult(orders=_body(allowance.orders, now_ns), reads=_body(allowance.reads, now_ns))


def _weight(request: requests.AnyRequest | None) -> int:
    """Return what a request counts for: a batch as many as the orders in it."""
    items = None if request is None else getattr(request.params, "orders", None)
    return max(1, len(items)) if isinstance(items, tuple | list) else 1


def _body(bucket: Bucket, now_ns: int) -> RateBody:
    return RateBody(per_s=bucket.per_s, burst=bucket.burst, left=bucket.left(now_ns))
