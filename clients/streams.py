"""Events as an ``async for``: a bounded queue between the reading task and a loop of one's own."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import Generic, TypeVar, cast

from clients.errors import ConnectionLost, EventsMissed, EventTimeout, ExchangeError, StreamOverflow
from clients.session import Session
from clients.subscriptions import Subscription
from clients.updates import Channel, Update

STREAM_EVENTS_MAX = 10_000
"""How many events may wait in a stream before it is over."""

T = TypeVar("T")


class EventStream(Generic[T]):
    """The events of one subscription, in order. Subscribes at the first step, or with ``async with``.

    Raises ``StreamOverflow`` once its bound was reached, ``ConnectionLost`` when the connection is gone for good, and
    ``EventsMissed`` once after each reconnect, after which it may be iterated further. A server that has gone silent is
    found out by the connection's keep-alive; ``timeout_s`` bounds the wait for an event of a live one, after which
    ``EventTimeout`` is raised and the stream may be iterated further.
    """

    def __init__(
        self, session: Session, channel: Channel, symbol: str | None, *, events_max: int, timeout_s: float | None
    ) -> None:
        if events_max < 1:
            raise ValueError("events_max must be at least 1")
        self._session = session
        self._subscription = Subscription(channel, symbol, self)
        self._events_max = events_max
        self._timeout_s = timeout_s
        self._waiting: deque[T | ExchangeError] = deque()
        self._wake = asyncio.Event()
        self._started = False
        self._over = False
        self._missed: str | None = None

    async def __aenter__(self) -> EventStream[T]:
        await self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> EventStream[T]:
        return self

    async def __anext__(self) -> T:
        await self._start()
        while not self._waiting:
            if self._over:
                raise StopAsyncIteration
            await self._wait()
        item = self._waiting.popleft()
        if isinstance(item, ExchangeError):
            if isinstance(item, StreamOverflow):
                await self.aclose()
            raise item
        return item

    async def aclose(self) -> None:
        """Unsubscribe; what still waits is dropped."""
        self._finish()
        self._waiting.clear()
        if self._started:
            await self._session.unsubscribe(self._subscription)

    async def _wait(self) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._wake.wait()
        except TimeoutError:
            raise EventTimeout(f"no event of channel {self._subscription.channel} within {self._timeout_s} s") from None

    async def _start(self) -> None:
        if not self._started:
            await self._session.subscribe(self._subscription)
            self._started = True

    # -- what the session brings ---------------------------------------------------------------------------------------

    def receive(self, update: Update) -> None:
        """Queue one event, or end the stream when there is no place for it."""
        if self._over:
            return
        self._tell_what_was_missed()
        if len(self._waiting) < self._events_max:
            self._waiting.append(cast(T, update.data))
            self._wake.set()
            return
        channel = self._subscription.channel
        reason = f"{self._events_max} events of channel {channel} are waiting, which is the bound (events_max)"
        self._finish(StreamOverflow(f"{reason}; take them faster, or allow more"))

    def began(self) -> None:
        """Tell of what was missed, if this is the beginning after a reconnect."""
        self._tell_what_was_missed()

    def interrupted(self, reason: str) -> None:
        """Remember that events may be missing when the stream goes on."""
        self._missed = reason

    def ended(self, failure: str | None) -> None:
        """End the stream, with an error unless the client was closed on purpose."""
        self._finish(None if failure is None else ConnectionLost(failure))

    def _tell_what_was_missed(self) -> None:
        reason, self._missed = self._missed, None
        if reason is not None and not self._over:
            self._waiting.append(EventsMissed(f"{reason}; events of channel {self._subscription.channel} may be missing"))
            self._wake.set()

    def _finish(self, error: ExchangeError | None = None) -> None:
        if error is not None and not self._over:
            self._waiting.append(error)
        self._over = True
        self._wake.set()
