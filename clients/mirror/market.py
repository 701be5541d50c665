"""Marks of every symbol, and the most recent events of a channel.

Units: prices in quote per base.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from itertools import islice
from typing import Generic, TypeVar, cast

from clients.errors import MirrorNotReady, ProtocolError
from clients.market_data import Mark
from clients.mirror.readiness import Readiness
from clients.updates import Update

SYMBOLS_MAX = 10_000
"""How many symbols a mirror may hold; a server that sends more is at fault."""
RECENT_EVENTS_MAX = 10_000

T = TypeVar("T")


class MarkMirror(Readiness):
    """The mark price of each symbol, with index and funding rate."""

    def __init__(self) -> None:
        super().__init__("mark prices")
        self._marks: dict[str, Mark] = {}

    def mark(self, symbol: str) -> Mark | None:
        """Return the mark with what it goes by; None for a symbol that has none yet."""
        self._require_ready()
        return self._marks.get(symbol)

    def price(self, symbol: str) -> Decimal | None:
        """Return the mark price; None for a symbol that has none yet."""
        mark = self.mark(symbol)
        return None if mark is None else mark.mark_price

    def receive(self, update: Update) -> None:
        """Take a new mark."""
        if not isinstance(update.data, Mark):
            raise ProtocolError(f"channel {update.channel} brought no mark")
        self._marks[update.data.symbol] = update.data
        if len(self._marks) > SYMBOLS_MAX:
            raise ProtocolError(f"the server sent marks of more than {SYMBOLS_MAX} symbols")

    def _forget(self) -> None:
        self._marks.clear()


class RecentEvents(Generic[T]):
    """The last events of a channel, numbered from 0, so that a reader can ask what is new since it last looked."""

    def __init__(self, events_max: int = RECENT_EVENTS_MAX) -> None:
        self.total = 0
        """How many events there have been."""
        self.interruptions = 0
        """How often the connection was lost in between, so that events may be missing."""
        self._events: deque[T] = deque(maxlen=events_max)

    @property
    def events(self) -> tuple[T, ...]:
        """What is still kept, oldest first."""
        return tuple(self._events)

    def since(self, number: int) -> tuple[T, ...]:
        """Return the events from ``number`` on; ``MirrorNotReady`` when some of them are no longer kept."""
        first = self.total - len(self._events)
        if number < first:
            raise MirrorNotReady(f"events from {number} on were asked for, and only those from {first} on are kept")
        return tuple(islice(self._events, number - first, None))

    def receive(self, update: Update) -> None:
        """Keep one event; beyond the bound, the oldest goes."""
        self._events.append(cast(T, update.data))
        self.total += 1

    def began(self) -> None:
        """Change nothing: these channels begin empty."""

    def interrupted(self, reason: str) -> None:
        """Count the interruption; what was seen stays true."""
        self.interruptions += 1

    def ended(self, failure: str | None) -> None:
        """Change nothing: what was seen stays true."""
