"""What the server says of itself and to its operators, as frozen values.

Units: money in the settlement currency as ``Decimal``; ``time_us`` in microseconds since the Unix epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from clients.messages import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the server bounds on a connection."""

    frame_bytes_max: int
    requests_per_turn_max: int
    subscriptions_max: int
    outbox_bytes_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The server's first words on a connection."""

    version: int
    server: str
    session_id: str
    nonce: str
    time_us: int
    heartbeat_ms: int
    clock: Literal["real", "virtual"]
    limits: Limits
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """Whom the connection acts for, and what it may do; a key for administration has no account."""

    account: str | None
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedOut:
    """Whom the connection acted for until it was logged out."""

    account: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOnDisconnectSet:
    """Whether losing the connection cancels the account's orders, and after how long."""

    enabled: bool
    grace_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAfterSet:
    """When the account's orders are canceled unless that is put off; None where the switch is not armed."""

    deadline_us: int | None
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many requests of a kind come back a second, how many may be made at once, and how many are left now."""

    per_s: int
    burst: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """What the key may still ask for; None where nothing is bounded."""

    orders: Rate | None
    reads: Rate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pong:
    """The server's time, and how many commands it had applied; all their events have arrived."""

    time_us: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFund:
    """A collateral asset over the whole venue. Units: of the asset."""

    asset: str
    net_deposits: Decimal
    insurance_fund_balance: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminState:
    """Where the venue and its own money stand (admin keys only)."""

    sequence: int
    digest: str
    time_us: int
    clock: Literal["real", "virtual"]
    accounts: int
    net_deposits: Decimal
    fees: Decimal
    insurance_fund_wallet: Decimal
    insurance_fund_equity: Decimal
    insurance_fund_positions: tuple[Position, ...]
    assets: tuple[AssetFund, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedAccount:
    """A new account's credentials."""

    account: str
    key: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """What was wrong with a request, as the server says it."""

    code: int
    name: str
    message: str
    field: str | None = None
    retry_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandDone:
    """A command was applied; ``sequence`` counts it and every liquidation that followed it."""

    sequence: int
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited:
    """A deposit and the wallet after it."""

    account: str
    asset: str
    amount: Decimal
    wallet_balance: Decimal
