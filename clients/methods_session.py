"""What happens to one's orders when one is not there: lost connections, dead-man switch, leaving cleanly.

Units: milliseconds of the exchange's clock.
"""

from __future__ import annotations

from clients.fields import reader
from clients.inflight import Call
from clients.server_messages import CancelAfterSet, CancelOnDisconnectSet, LoggedOut, RateLimits
from clients.session import Session

GRACE_MS = 10_000
"""How long a client has to come back, unless it says otherwise."""


class SessionMethods:
    """Everything that keeps orders from outliving their owner."""

    _session: Session

    async def cancel_on_disconnect(self, enabled: bool = True, *, grace_ms: int = GRACE_MS) -> CancelOnDisconnectSet:
        """Have the account's orders canceled when the connection is lost and no login of the account follows in time.

        The client asks for it again on each new connection, before it is connected again. Of several connections of one
        account the one that asked last is meant. ``close`` is such a loss; ``logout`` is not.
        """
        call = Call("session.cancel_on_disconnect", {"enabled": enabled, "grace_ms": grace_ms}, reader(CancelOnDisconnectSet))
        answer = await self._session.request(call)
        self._session.repeat_on_reconnect("cancel_on_disconnect", call if enabled else None)
        return answer

    async def cancel_after(self, timeout_ms: int) -> CancelAfterSet:
        """Have all orders canceled unless this is called again in time; 0 disarms. It survives every connection."""
        return await self._session.request(Call("session.cancel_after", {"timeout_ms": timeout_ms}, reader(CancelAfterSet)))

    async def request_limits(self) -> RateLimits:
        """Return how many requests the key may still make; one too many is refused with ``retry_ms``."""
        return await self._session.request(Call("session.limits", {}, reader(RateLimits)))

    async def logout(self) -> LoggedOut:
        """Leave cleanly and close the client: the exchange keeps the orders, whatever was asked for before."""
        answer = await self._session.request(Call("session.logout", {}, reader(LoggedOut)))
        await self._session.link.close()
        return answer
