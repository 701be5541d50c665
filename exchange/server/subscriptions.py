"""Who receives what: the streams of every subscriber."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol, TypeAlias

from exchange.domain.ids import AccountId, Symbol
from exchange.server.pictures import Stream
from exchange.wire import fields
from exchange.wire.codec import Codec
from exchange.wire.errors import Fault, fault


class Subscriber(Protocol):
    """The receiving end of streams."""

    codec: Codec

    def send_event(self, frame: bytes) -> None:
        """Deliver a frame that must not be lost."""
        ...

    def send_state(self, stream: Stream, frame: bytes) -> None:
        """Deliver a frame that a later picture of the same stream makes unnecessary."""
        ...


Topic: TypeAlias = tuple[fields.Channel, Symbol | None]
"""What a subscriber names: a channel and a symbol, or None for all of it."""


class Subscriptions:
    """Maps streams to subscribers. A stream goes to a subscriber once, however many of its subscriptions cover it."""

    def __init__(self, symbols: Collection[Symbol], subscriptions_max: int) -> None:
        self._symbols = symbols
        self._subscriptions_max = subscriptions_max
        self._topics: dict[Subscriber, dict[Topic, tuple[Stream, ...]]] = {}
        self._subscribers: dict[Stream, dict[Subscriber, None]] = {}
        self._open_streams: dict[fields.Channel, dict[Stream, None]] = {}

    def of(self, stream: Stream) -> Collection[Subscriber]:
        """Return who receives a stream, in the order of subscription."""
        return self._subscribers.get(stream, ())

    def open_streams(self, channel: fields.Channel) -> Collection[Stream]:
        """Return the streams of a channel that anybody receives, in the order of subscription."""
        return self._open_streams.get(channel, ())

    def add(
        self, subscriber: Subscriber, channel: fields.Channel, symbol: Symbol | None, account: AccountId | None
    ) -> tuple[Stream, ...]:
        """Subscribe and return the streams covered; ``account`` is that of a private channel.

        Raises ``WireError`` past the bound. Subscribing again changes nothing.
        """
        topics = self._topics.setdefault(subscriber, {})
        if (channel, symbol) not in topics and len(topics) >= self._subscriptions_max:
            raise fault(
                Fault.SUBSCRIPTIONS_MAX,
                f"one connection holds at most {self._subscriptions_max} subscriptions; drop some, or leave out symbol",
            )
        streams = self._streams(channel, symbol, account)
        topics[channel, symbol] = streams
        for stream in streams:
            self._subscribers.setdefault(stream, {})[subscriber] = None
            self._open_streams.setdefault(channel, {})[stream] = None
        return streams

    def remove(self, subscriber: Subscriber, channel: fields.Channel, symbol: Symbol | None) -> None:
        """Unsubscribe; streams that another subscription covers go on. Raises ``WireError`` when there was none."""
        topics = self._topics.get(subscriber, {})
        if (channel, symbol) not in topics:
            what = channel if symbol is None else f"{channel} {symbol}"
            raise fault(Fault.NOT_SUBSCRIBED, f"there is no subscription {what}; name what was subscribed", field="channel")
        streams = topics.pop((channel, symbol))
        still_covered = {stream for covered in topics.values() for stream in covered}
        for stream in streams:
            if stream not in still_covered:
                self._leave(subscriber, stream)

    def remove_private(self, subscriber: Subscriber) -> None:
        """End the subscriptions to an account's channels of a subscriber that has logged out."""
        for channel, symbol in tuple(self._topics.get(subscriber, ())):
            if channel in fields.PRIVATE_CHANNELS:
                self.remove(subscriber, channel, symbol)

    def remove_all(self, subscriber: Subscriber) -> None:
        """Forget a subscriber that is gone."""
        for streams in self._topics.pop(subscriber, {}).values():
            for stream in streams:
                self._leave(subscriber, stream)

    def _leave(self, subscriber: Subscriber, stream: Stream) -> None:
        subscribers = self._subscribers.get(stream, {})
        subscribers.pop(subscriber, None)
        if not subscribers:
            self._subscribers.pop(stream, None)
            self._open_streams.get(stream.channel, {}).pop(stream, None)

    def _streams(self, channel: fields.Channel, symbol: Symbol | None, account: AccountId | None) -> tuple[Stream, ...]:
        if channel in fields.PRIVATE_CHANNELS:
            return (Stream(channel, account),)
        if channel in fields.VENUE_CHANNELS:
            return (Stream(channel, None),)
        if symbol is not None:
            return (Stream(channel, symbol),)
        everything = tuple(Stream(channel, name) for name in self._symbols)
        return (*everything, Stream(channel, None)) if channel == "liquidations" else everything
