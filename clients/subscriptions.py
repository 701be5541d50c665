"""Who listens to which channel: the client's half of every subscription."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from clients.errors import ProtocolError
from clients.updates import Channel, Update

Topic: TypeAlias = tuple[Channel, str | None]
"""What one subscription of the server covers: a channel, and a symbol unless it is for all of them."""


class Sink(Protocol):
    """Something that takes the events of a subscription, in order, while they are being received."""

    def receive(self, update: Update) -> None:
        """Take one event. Must not wait."""

    def began(self) -> None:
        """Know that the present state, where the channel has one, has been received whole."""

    def interrupted(self, reason: str) -> None:
        """Know that the connection was lost; the present state will come again after a reconnect."""

    def ended(self, failure: str | None) -> None:
        """Know that nothing will follow; ``failure`` says why, and is None after an orderly close."""


@dataclass(eq=False, frozen=True, slots=True)
class Subscription:
    """One sink on one topic; hand it to ``Client.unsubscribe`` to stop."""

    channel: Channel
    symbol: str | None
    sink: Sink

    @property
    def topic(self) -> Topic:
        """What the server calls this subscription."""
        return self.channel, self.symbol


class Subscriptions:
    """Every sink of a client by topic, in the order in which they were added."""

    def __init__(self) -> None:
        self._sinks: dict[Topic, list[Subscription]] = {}

    def topics(self) -> tuple[Topic, ...]:
        """Return what the server has to be asked for."""
        return tuple(self._sinks)

    def add(self, subscription: Subscription) -> bool:
        """Add a sink; return whether its topic is new."""
        listeners = self._sinks.setdefault(subscription.topic, [])
        listeners.append(subscription)
        return len(listeners) == 1

    def remove(self, subscription: Subscription) -> bool:
        """Remove a sink; return whether its topic is gone with it."""
        listeners = self._sinks.get(subscription.topic, [])
        if subscription not in listeners:
            return False
        listeners.remove(subscription)
        if not listeners:
            del self._sinks[subscription.topic]
        return not listeners

    def deliver(self, update: Update) -> None:
        """Hand an event to every sink that covers it.

        A sink that finds the server at fault raises ``ProtocolError``. Anything else is a bug of its own: that is
        reported to the event loop, and the others still get the event.
        """
        for topic in ((update.channel, update.symbol), (update.channel, None)):
            for subscription in tuple(self._sinks.get(topic, ())):
                try:
                    subscription.sink.receive(update)
                except ProtocolError:
                    raise
                except Exception as error:
                    asyncio.get_running_loop().call_exception_handler(
                        {"message": f"the handler of channel {update.channel} failed", "exception": error}
                    )
            if update.symbol is None:
                return

    def began(self, topic: Topic) -> None:
        """Tell the sinks of ``topic`` that its present state has been received."""
        for subscription in self._sinks.get(topic, ()):
            subscription.sink.began()

    def interrupted(self, reason: str) -> None:
        """Tell every sink that the connection was lost."""
        for subscription in self._everything():
            subscription.sink.interrupted(reason)

    def ended(self, failure: str | None) -> None:
        """Tell every sink that nothing will follow, and forget them."""
        for subscription in self._everything():
            subscription.sink.ended(failure)
        self._sinks.clear()

    def _everything(self) -> list[Subscription]:
        return [subscription for listeners in self._sinks.values() for subscription in listeners]
