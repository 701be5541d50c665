"""One connection's identity and rights, without any I/O: login, scopes, what a request needs (WIRE-004, WIRE-006)."""

from __future__ import annotations

import hashlib
import hmac
from enum import Enum
from typing import Protocol

import msgspec

from exchange.domain.ids import AccountId
from exchange.wire import fields, parameters, requests
from exchange.wire import messages as wire
from exchange.wire.errors import Fault, fault

LOGIN_PURPOSE = "ringfence-login-v1"
"""The first line of every signed login text, so that a signature means nothing anywhere else."""


class Scope(Enum):
    """What a key may do."""

    READ = "read"
    TRADE = "trade"
    ADMIN = "admin"


class Credential(msgspec.Struct, frozen=True):
    """A key, the secret behind it, and what it opens. A key for administration has no account."""

    key: str
    secret: str
    account: AccountId | None
    scopes: frozenset[Scope]

    def __repr__(self) -> str:
        return f"Credential(key={self.key!r}, account={self.account!r})"


class Credentials(Protocol):
    """Where a session looks up keys."""

    def find(self, key: str) -> Credential | None:
        """Return what a key opens, or None."""
        ...


REQUIRED_SCOPES: dict[type[requests.Request], Scope | None] = {
    requests.Ping: None,
    requests.Login: None,
    requests.Logout: None,
    requests.CancelOnDisconnect: Scope.TRADE,
    requests.CancelAfter: Scope.TRADE,
    requests.SessionLimits: None,
    requests.Subscribe: None,
    requests.Unsubscribe: None,
    requests.OrderPlace: Scope.TRADE,
    requests.OrderAmend: Scope.TRADE,
    requests.OrderPlaceBatch: Scope.TRADE,
    requests.OrderAmendBatch: Scope.TRADE,
    requests.OrderCancelBatch: Scope.TRADE,
    requests.OrderCancel: Scope.TRADE,
    requests.OrderCancelAll: Scope.TRADE,
    requests.OrderGet: Scope.READ,
    requests.OrderList: Scope.READ,
    requests.AccountGet: Scope.READ,
    requests.AccountPositions: Scope.READ,
    requests.AccountSetMarginMode: Scope.TRADE,
    requests.AccountSetLeverage: Scope.TRADE,
    requests.AccountAddMargin: Scope.TRADE,
    requests.AccountRemoveMargin: Scope.TRADE,
    requests.AccountSetPositionMode: Scope.TRADE,
    requests.AccountSetAutoReplenish: Scope.TRADE,
    requests.AccountWithdraw: Scope.TRADE,
    requests.AccountPreview: Scope.READ,
    requests.AccountLedger: Scope.READ,
    requests.AccountLiquidations: Scope.READ,
    requests.AccountExplain: Scope.READ,
    requests.MarketInstruments: None,
    requests.MarketBook: None,
    requests.MarketTrades: None,
    requests.MarketTicker: None,
    requests.MarketFunding: None,
    requests.MarketCandles: None,
    requests.MarketOpenInterest: None,
    requests.MarketInsuranceFund: None,
    requests.AdminSetMark: Scope.ADMIN,
    requests.AdminSetIndex: Scope.ADMIN,
    requests.AdminSetCollateralPrice: Scope.ADMIN,
    requests.AdminSetTradingState: Scope.ADMIN,
    requests.AdminCredit: Scope.ADMIN,
    requests.AdminCreateAccount: Scope.ADMIN,
    requests.AdminAdvance: Scope.ADMIN,
    requests.AdminSetTime: Scope.ADMIN,
    requests.AdminState: Scope.ADMIN,
    requests.AdminLiquidations: Scope.ADMIN,
    requests.AdminExplain: Scope.ADMIN,
}
"""The scope that each method needs; None is open to everybody. Private channels need ``read``."""


def login_signature(secret: str, *, nonce: str, key: str, time_ms: int) -> str:
    """Return the hex HMAC-SHA256 that proves the secret of ``key`` on the connection that was given ``nonce``."""
    text = f"{LOGIN_PURPOSE}\n{nonce}\n{key}\n{time_ms}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class Session:
    """Who is on the other end of one connection.

    The nonce is fresh for each connection, so an overheard login is worth nothing on another; ``time_ms`` is signed but
    compared with no clock, since a venue's clock may be virtual.
    """

    def __init__(self, credentials: Credentials, *, session_id: str, nonce: str) -> None:
        self.session_id = session_id
        self.nonce = nonce
        self.login_failures = 0
        self._credentials = credentials
        self._credential: Credential | None = None
        self._has_left = False

    @property
    def is_logged_in(self) -> bool:
        """Whether a key was proven on this connection, and not given back."""
        return self._credential is not None

    @property
    def credential(self) -> Credential | None:
        """The key that this connection acts by, if it does."""
        return self._credential

    @property
    def account(self) -> AccountId:
        """The account behind the key. Only to be asked after ``authorize`` let a request for an account pass."""
        assert self._credential is not None, "authorize refuses account requests before login"
        assert self._credential.account is not None, "keys with scope read or trade have an account"
        return self._credential.account

    def login(self, params: parameters.LoginParams) -> wire.LoginResult:
        """Bind the connection to a key. Raises ``WireError``; an unknown key and a bad signature read the same."""
        if self._credential is not None:
            raise fault(Fault.ALREADY_LOGGED_IN, "this connection is logged in already; open another one for another key")
        if self._has_left:
            raise fault(Fault.ALREADY_LOGGED_IN, "this connection was logged out; open another one to log in again")
        credential = self._credentials.find(params.key)
        secret = "" if credential is None else credential.secret
        expected = login_signature(secret, nonce=self.nonce, key=params.key, time_ms=params.time_ms)
        matches = hmac.compare_digest(expected.encode(), params.signature.lower().encode())
        if credential is None or not matches:
            self.login_failures += 1
            raise fault(
                Fault.LOGIN_FAILED,
                "key or signature is wrong; sign the login text with this connection's nonce from hello and the key's secret",
                field="signature",
            )
        self._credential = credential
        return wire.LoginResult(account=credential.account, scopes=tuple(sorted(scope.value for scope in credential.scopes)))

    def logout(self) -> Credential:
        """Give the key back for good and return it. Raises ``WireError`` without a login."""
        credential = self._credential
        if credential is None:
            raise fault(Fault.LOGIN_REQUIRED, "nobody is logged in here; call session.login first")
        self._credential, self._has_left = None, True
        return credential

    def authorize(self, request: requests.AnyRequest) -> None:
        """Raise ``WireError`` unless this connection may make the request."""
        scope = REQUIRED_SCOPES[type(request)]
        if isinstance(request, requests.Subscribe | requests.Unsubscribe) and request.params.channel in fields.PRIVATE_CHANNELS:
            scope = Scope.READ
        if scope is None:
            return
        if self._credential is None:
            raise fault(Fault.LOGIN_REQUIRED, f"this needs a login with scope {scope.value}; call session.login first")
        if scope not in self._credential.scopes:
            raise fault(Fault.SCOPE_MISSING, f"the key has no scope {scope.value}; log in with a key that has it")
