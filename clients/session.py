"""Requests and subscriptions over one link.

Events reach their sinks, and replies their waiters, in the order of the frames: once a reply is there, everything the
server sent before it has been taken in.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, TypeVar

from clients.errors import ExchangeError, ProtocolError, RequestRefused, RequestTimeout
from clients.fields import nothing
from clients.inflight import IN_FLIGHT_MAX, Call, InFlight, Pending, connection_lost
from clients.link import RETRY_MS_MAX, ConnectionState, Link, LinkSettings
from clients.subscriptions import Subscription, Subscriptions, Topic
from clients.transport import TransportClosed
from clients.updates import read_update

T = TypeVar("T")


class Session:
    """The engine under ``Client``."""

    def __init__(self, settings: LinkSettings, in_flight_max: int = IN_FLIGHT_MAX) -> None:
        self.link = Link(settings, self)
        self._timeout_s = settings.timeout_s
        self._in_flight = InFlight(in_flight_max)
        self._subscriptions = Subscriptions()
        self._renewals: dict[Topic, asyncio.Task[None]] = {}
        self._repeated: dict[str, Call[Any]] = {}

    # -- requests ------------------------------------------------------------------------------------------------------

    async def request(self, call: Call[T]) -> T:
        """Send ``call`` and return its answer; raises the refusal, ``ConnectionLost`` or ``RequestTimeout``."""
        self.link.require_connected()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._finish(await self._start(call))
        except TimeoutError:
            raise RequestTimeout(call.method, self._timeout_s, call.client_order_id) from None

    async def request_many(self, calls: Sequence[Call[Any]]) -> list[Any]:
        """Send all ``calls`` in order before waiting for any; return each answer, or the ``ExchangeError`` in its place."""
        self.link.require_connected()
        started: list[Pending[Any] | ExchangeError] = []
        results: list[Any] = []
        try:
            async with asyncio.timeout(self._timeout_s):
                # Filled one by one, since what was started and answered before a timeout counts.
                for call in calls:
                    started.append(await self._start_or_error(call))  # noqa: PERF401
                for item in started:
                    results.append(await self._finish_or_error(item))  # noqa: PERF401
        except TimeoutError:
            unanswered = calls[len(results) :]
            results += [RequestTimeout(call.method, self._timeout_s, call.client_order_id) for call in unanswered]
        finally:
            for item in started:
                if isinstance(item, Pending):
                    self._in_flight.forget(item)
        return results

    async def _start(self, call: Call[T]) -> Pending[T]:
        pending = await self._in_flight.enter(call)
        try:
            await self.link.send({"id": pending.request_id, "method": call.method, "params": call.params})
        except TransportClosed as error:
            self._in_flight.forget(pending)
            raise connection_lost(str(error), call) from error
        except BaseException:
            self._in_flight.forget(pending)
            raise
        return pending

    async def _finish(self, pending: Pending[T]) -> T:
        try:
            return await pending.answer
        finally:
            self._in_flight.forget(pending)

    async def _start_or_error(self, call: Call[Any]) -> Pending[Any] | ExchangeError:
        try:
            return await self._start(call)
        except ExchangeError as error:
            return error

    async def _finish_or_error(self, item: Pending[Any] | ExchangeError) -> object:
        if isinstance(item, ExchangeError):
            return item
        try:
            return await self._finish(item)
        except ExchangeError as error:
            return error

    def repeat_on_reconnect(self, name: str, call: Call[Any] | None) -> None:
        """Send ``call`` again on every new connection, before all else, in place of what ``name`` was; None: no more."""
        if call is None:
            self._repeated.pop(name, None)
        else:
            self._repeated[name] = call

    # -- subscriptions -------------------------------------------------------------------------------------------------

    async def subscribe(self, subscription: Subscription) -> None:
        """Start a subscription; a further sink on the same topic has the present state sent again."""
        self.link.require_connected()
        self._subscriptions.add(subscription)
        try:
            await self.request(self._subscribe_call(subscription.topic))
        except BaseException:
            self._subscriptions.remove(subscription)
            raise

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription; nothing happens to one that has ended."""
        if self._subscriptions.remove(subscription) and self.link.state is ConnectionState.CONNECTED:
            await self.request(Call("unsubscribe", _topic_params(subscription.topic), nothing))

    def renew_soon(self, topic: Topic) -> None:
        """Have the present state of ``topic`` sent again, without waiting for it; once at a time."""
        if topic not in self._renewals and self.link.state is ConnectionState.CONNECTED:
            task = asyncio.create_task(self._renew(topic))
            self._renewals[topic] = task
            task.add_done_callback(lambda _: self._renewals.pop(topic, None))

    async def renewed(self) -> None:
        """Return once nothing that was asked for again is under way any more."""
        while self._renewals:
            await asyncio.wait(tuple(self._renewals.values()))

    async def _renew(self, topic: Topic) -> None:
        # After an error the mirror stays without a snapshot and says so when it is read; a reconnect renews it.
        with contextlib.suppress(ExchangeError):
            await self.request(self._subscribe_call(topic))

    def _subscribe_call(self, topic: Topic) -> Call[None]:
        """Return the request for ``topic``; its answer, which follows the present state, tells the sinks."""
        return Call("subscribe", _topic_params(topic), lambda _: self._subscriptions.began(topic))

    # -- what the link brings ------------------------------------------------------------------------------------------

    def received(self, message: dict[str, object]) -> None:
        """Take one message: an event, an answer, or a word about the connection."""
        if "channel" in message:
            update = read_update(message)
            if update is not None:
                self._subscriptions.deliver(update)
        elif "id" in message:
            self._in_flight.resolve(message)
        elif message.get("type") == "shutdown":
            retry_ms = message.get("retry_ms")
            self.link.pause_before_retry(retry_ms if isinstance(retry_ms, int) else 0)
        elif not isinstance(message.get("type"), str):
            raise ProtocolError("the server sent a message that is neither an event nor an answer")

    def lost(self, reason: str) -> None:
        """Fail what was in flight and tell the sinks."""
        self._in_flight.fail_all(reason)
        self._subscriptions.interrupted(reason)

    async def restore(self) -> None:
        """Ask for what holds for each connection, and subscribe to everything again."""
        calls = [*self._repeated.values(), *(self._subscribe_call(topic) for topic in self._subscriptions.topics())]
        for call, result in zip(calls, await self.request_many(calls), strict=True):
            if isinstance(result, RequestRefused) and result.retry_ms is not None:
                await self._insist(call, result.retry_ms)
            elif isinstance(result, ExchangeError):
                raise result

    async def _insist(self, call: Call[Any], retry_ms: int) -> None:
        """Send ``call`` until it is no longer refused for the rate of requests, waiting as told."""
        while True:
            await asyncio.sleep(min(retry_ms, RETRY_MS_MAX) / 1000)
            try:
                await self.request(call)
            except RequestRefused as refused:
                if refused.retry_ms is None:
                    raise
                retry_ms = refused.retry_ms
            else:
                return

    def ended(self, failure: str | None) -> None:
        """Fail what is still in flight and tell the sinks that nothing will follow."""
        self._in_flight.fail_all(failure or "the client was closed")
        self._subscriptions.ended(failure)


def _topic_params(topic: Topic) -> dict[str, object]:
    channel, symbol = topic
    return {"channel": channel} if symbol is None else {"channel": channel, "symbol": symbol}
