"""A connection that keeps itself up: one task reads, and reconnects when the connection is lost.

What is in the frames is its owner's business. The owner is called in the order of the frames and never concurrently.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from clients.backoff import Backoff
from clients.codec import Encoding, codec_for
from clients.errors import (
    ConnectFailed,
    ConnectionLost,
    ExchangeError,
    LoginRefused,
    NotConnected,
    ProtocolError,
    RequestTimeout,
)
from clients.handshake import Credentials, Greeting, shake_hands
from clients.transport import Transport, TransportClosed

RETRY_MS_MAX = 60_000
"""The longest pause that a server going down may ask for."""


class ConnectionState(Enum):
    """Where a client stands with its server. ``RECONNECTING`` lasts until the subscriptions are back."""

    NEW = "new"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """How to reach a server. Units: seconds. ``backoff`` None means no reconnect."""

    url: str
    credentials: Credentials | None
    encoding: Encoding
    timeout_s: float
    backoff: Backoff | None


class LinkOwner(Protocol):
    """Who takes what a link brings."""

    def received(self, message: dict[str, object]) -> None:
        """Take one message; a ``ProtocolError`` drops the connection."""

    def lost(self, reason: str) -> None:
        """Give up every answer that was awaited: the connection is gone."""

    async def restore(self) -> None:
        """Ask a new connection for everything the old one had; runs while messages are being received."""

    def ended(self, failure: str | None) -> None:
        """Take note that nothing will come any more; ``failure`` is None after an orderly close."""


class Link:
    """The connection of one client, through all its reconnects."""

    def __init__(self, settings: LinkSettings, owner: LinkOwner) -> None:
        self.state = ConnectionState.NEW
        self.greeting: Greeting | None = None
        self.failure: str | None = None
        """Why the link is closed, if it did not end on request."""
        self._settings = settings
        self._owner = owner
        self._codec = codec_for(settings.encoding)
        self._transport: Transport | None = None
        self._reading: asyncio.Task[None] | None = None
        self._restoring: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._pause_s = 0.0

    async def open(self) -> None:
        """Connect and log in, with one try; raises what stood in the way."""
        if self.state is not ConnectionState.NEW:
            raise NotConnected("a client opens once; make a new one")
        try:
            transport = await self._connect()
        except BaseException:
            self._become(ConnectionState.CLOSED)
            raise
        self._transport = transport
        self._become(ConnectionState.CONNECTED)
        self._reading = asyncio.create_task(self._keep_up(transport))

    async def close(self) -> None:
        """Say goodbye and end every task. Safe to repeat."""
        reading, self._reading = self._reading, None
        self._become(ConnectionState.CLOSED)
        if reading is not None:
            reading.cancel()
            await asyncio.wait((reading,))
            if not reading.cancelled():
                reading.result()  # a bug in the reading task comes to light here

    async def wait_connected(self, timeout_s: float) -> None:
        """Return once the connection is up; raises ``NotConnected`` when it is closed, or not up in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._settled.wait()
        except TimeoutError:
            raise NotConnected(f"still not connected after {timeout_s:g} s") from None
        self.require_connected()

    def require_connected(self) -> None:
        """Raise ``NotConnected`` unless the caller may send now."""
        restoring = self._restoring is not None and asyncio.current_task() is self._restoring
        if self.state is not ConnectionState.CONNECTED and not restoring:
            raise NotConnected(f"nothing was sent: {self._why_not()}")

    async def send(self, message: Mapping[str, object]) -> None:
        """Write ``message``. Raises ``NotConnected`` if nothing was written, ``TransportClosed`` if that is unknown."""
        if self._transport is None:
            raise NotConnected(f"nothing was sent: {self._why_not()}")
        await self._transport.send(message)

    def pause_before_retry(self, retry_ms: int) -> None:
        """Wait at least this long before the next reconnect, as a server going down asks. Units: milliseconds."""
        self._pause_s = min(max(retry_ms, 0), RETRY_MS_MAX) / 1000

    def _why_not(self) -> str:
        if self.state is ConnectionState.RECONNECTING:
            return "the client is reconnecting; wait_connected() waits for it"
        if self.state is ConnectionState.NEW:
            return "the client has not connected yet; use it with 'async with'"
        return f"the client is closed ({self.failure})" if self.failure else "the client is closed"

    def _become(self, state: ConnectionState) -> None:
        self.state = state
        if state is ConnectionState.RECONNECTING:
            self._settled.clear()
        else:
            self._settled.set()

    async def _connect(self) -> Transport:
        timeout_s = self._settings.timeout_s
        transport = await Transport.open(self._settings.url, self._codec, timeout_s=timeout_s)
        try:
            async with asyncio.timeout(timeout_s):
                self.greeting = await shake_hands(transport, self._settings.credentials)
        except TransportClosed as error:
            raise ConnectFailed(f"{error} before the login was done") from error
        except TimeoutError:
            transport.abort()
            raise ConnectFailed(f"the server did not say hello and answer the login within {timeout_s:g} s") from None
        except BaseException:
            await transport.close()
            raise
        return transport

    async def _keep_up(self, transport: Transport) -> None:
        """Read, and reconnect after each loss, until closed, refused or out of tries."""
        delays: Iterator[float] = iter(())
        following: Transport | None = transport
        try:
            while following is not None:
                self._transport = following
                reason = await self._read_until_lost(following)
                if self.state is ConnectionState.CONNECTED and self._settings.backoff is not None:
                    delays = self._settings.backoff.delays()
                if self.state is ConnectionState.CONNECTED:
                    self._become(ConnectionState.RECONNECTING)
                self._owner.lost(reason)
                await self._let_go()
                following = await self._reconnect(delays, reason)
                if following is not None:
                    self._restoring = asyncio.create_task(self._restore(following))
        except Exception as error:
            self.failure = f"the client failed: {error!r}"
            raise
        finally:
            self._become(ConnectionState.CLOSED)
            self._owner.ended(self.failure)
            await self._let_go()

    async def _read_until_lost(self, transport: Transport) -> str:
        try:
            while True:
                self._owner.received(await transport.receive())
        except TransportClosed as error:
            return str(error)
        except ProtocolError as error:
            return f"the connection was dropped: {error}"

    async def _let_go(self) -> None:
        """Close what is left of the connection and of the work on it."""
        if self._restoring is not None:
            self._restoring.cancel()
            await asyncio.wait((self._restoring,))
            self._restoring = None
        if self._transport is not None:
            await self._transport.close()
            self._transport = None

    async def _reconnect(self, delays: Iterator[float], reason: str) -> Transport | None:
        """Return a new connection, or None with ``failure`` set when there will be none."""
        last = reason
        while self.failure is None:
            delay = next(delays, None)
            if delay is None:
                gave_up = "reconnecting is off" if self._settings.backoff is None else "all tries are used up (tries_max)"
                self.failure = f"{last}; {gave_up}"
                break
            await asyncio.sleep(max(delay, self._pause_s))
            self._pause_s = 0.0
            try:
                return await self._connect()
            except LoginRefused as error:
                self.failure = str(error)
            except ExchangeError as error:
                last = str(error)
        return None

    async def _restore(self, transport: Transport) -> None:
        try:
            await self._owner.restore()
        except (ConnectionLost, NotConnected):
            return  # lost again; the reading task sees it too
        except RequestTimeout:
            transport.abort()
        except ExchangeError as error:
            self.failure = f"the subscriptions could not be restored: {error}"
            transport.abort()
        else:
            self._become(ConnectionState.CONNECTED)
