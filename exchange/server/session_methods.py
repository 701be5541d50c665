"""The ``session.*`` methods: who is there, and what happens to the orders of who is not (SAFE rules)."""

from __future__ import annotations

from contextlib import suppress

from exchange.domain.commands import SetCancelAfter
from exchange.domain.enums import CancelTrigger
from exchange.domain.events import CancelAfterSet
from exchange.domain.ids import AccountId
from exchange.domain.units import TimeNs
from exchange.server.parts import ExchangeParts
from exchange.wire import messages as wire
from exchange.wire import parameters
from exchange.wire.bodies import time_us
from exchange.wire.errors import WireError
from exchange.wire.session import Session
from exchange.wire.session_messages import CancelAfterResult, CancelOnDisconnectResult, LogoutResult

MS_NS = 1_000_000


class SessionMethods:
    """Logins and logouts, and of each account the one connection whose loss cancels its orders.

    That is the connection that asked for it last: of a client that came back over a new one, the old one may be found
    dead much later, and must not cancel anything then.
    """

    def __init__(self, parts: ExchangeParts) -> None:
        self._parts = parts
        self._watched: dict[AccountId, tuple[Session, TimeNs]] = {}
        """The session to be lost, and the grace."""

    def login(self, session: Session, params: parameters.LoginParams) -> wire.LoginResult:
        """Bind the connection to a key; an account that is back in time keeps its orders."""
        result = session.login(params)
        account = None if session.credential is None else session.credential.account
        if account is not None and self._parts.venue.cancel_deadline(account, CancelTrigger.DISCONNECTED) is not None:
            with suppress(WireError):  # a halted venue cancels nothing either
                self._parts.submit(SetCancelAfter(account=account, timeout=None, trigger=CancelTrigger.DISCONNECTED))
        return result

    def logout(self, session: Session, params: parameters.NoParams) -> LogoutResult:
        """End what the connection may do, and with it what losing it would set off."""
        credential = session.logout()
        self._release(session, credential.account)
        return LogoutResult(account=credential.account)

    def cancel_on_disconnect(self, session: Session, params: parameters.CancelOnDisconnectParams) -> CancelOnDisconnectResult:
        """Choose whether losing this connection cancels the account's orders, in place of any other connection."""
        if params.enabled:
            self._watched[session.account] = (session, params.grace_ms * MS_NS)
        else:
            self._release(session, session.account)
        return CancelOnDisconnectResult(enabled=params.enabled, grace_ms=params.grace_ms)

    def cancel_after(self, session: Session, params: parameters.CancelAfterParams) -> CancelAfterResult:
        """Arm, put off or disarm the account's dead-man switch."""
        timeout = params.timeout_ms * MS_NS or None
        applied = self._parts.submit(SetCancelAfter(account=session.account, timeout=timeout))
        deadline_ns = next(event.deadline_ns for event in applied.events if isinstance(event, CancelAfterSet))
        return CancelAfterResult(deadline_us=None if deadline_ns is None else time_us(deadline_ns), sequence=applied.sequence)

    def lost(self, session: Session) -> None:
        """Have the account's orders canceled after the grace, if this was the connection to do so (SAFE-002)."""
        account = None if session.credential is None else session.credential.account
        watched = None if account is None else self._watched.get(account)
        if account is None or watched is None or watched[0] is not session:
            return
        del self._watched[account]
        with suppress(WireError):  # of a venue that was halted
            self._parts.submit(SetCancelAfter(account=account, timeout=watched[1], trigger=CancelTrigger.DISCONNECTED))

    def _release(self, session: Session, account: AccountId | None) -> None:
        if account is not None and self._watched.get(account, (None, 0))[0] is session:
            del self._watched[account]
