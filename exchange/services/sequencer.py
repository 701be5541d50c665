"""The only door to the venue: gives commands their order and time, and hands what came of them to the listeners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import msgspec

from exchange.domain.commands import AnyCommand, ContinueLiquidations
from exchange.domain.events import AnyEvent
from exchange.domain.units import TimeNs
from exchange.services.clock import Clock

CONTINUATIONS_MAX = 100_000
"""Liquidation commands after one command; accounts and positions are bounded, so reaching this is a bug and halts."""


class Applied(msgspec.Struct, frozen=True):
    """One command with its place in the order of all commands, its time, and what came of it."""

    sequence: int
    time_ns: TimeNs
    command: AnyCommand
    events: tuple[AnyEvent, ...]


Listener: TypeAlias = Callable[[Applied], None]


class SequencedVenue(Protocol):
    """What the sequencer needs of the venue."""

    @property
    def sequence(self) -> int:
        """How many commands were applied."""
        ...

    @property
    def now_ns(self) -> TimeNs:
        """The time of the last command."""
        ...

    @property
    def has_unfinished_liquidations(self) -> bool:
        """Whether a ContinueLiquidations command must come next (LIQ-011)."""
        ...

    def apply(self, command: AnyCommand, *, now_ns: TimeNs) -> tuple[AnyEvent, ...]:
        """Change the state by one command and return what happened."""
        ...


class SequencerHaltedError(Exception):
    """The venue met a bug and takes no more commands; the cause is chained."""


class Sequencer:
    """Applies commands one at a time, at times that never go backward.

    Synchronous, without a queue: when ``submit`` returns, the command, the liquidations that it set off and every
    listener are done. An exception out of the venue or a listener is a bug: it halts the sequencer for good, since the
    state behind it can no longer be trusted.
    """

    def __init__(self, venue: SequencedVenue, clock: Clock, *, continuations_max: int = CONTINUATIONS_MAX) -> None:
        self._venue = venue
        self._clock = clock
        self._continuations_max = continuations_max
        self._listeners: list[Listener] = []
        self._busy = False
        self._failure: Exception | None = None

    @property
    def sequence(self) -> int:
        """How many commands were applied so far."""
        return self._venue.sequence

    @property
    def is_halted(self) -> bool:
        """Whether a bug stopped the venue."""
        return self._failure is not None

    def subscribe(self, listener: Listener) -> None:
        """Let ``listener`` see every command from now on, after those that subscribed before it."""
        self._listeners.append(listener)

    def submit(self, command: AnyCommand) -> Applied:
        """Apply ``command`` now, then the liquidation commands it leaves behind; return what came of ``command``.

        Raises ``SequencerHaltedError`` after, and for, a bug.
        """
        if self._failure is not None:
            raise SequencerHaltedError("the venue was halted by an internal error and takes no commands") from self._failure
        if self._busy:
            raise RuntimeError("a listener may not submit commands while one is being applied")
        self._busy = True
        try:
            applied = self._apply(command)
            self._finish_liquidations()
        except Exception as failure:
            self._failure = failure
            raise SequencerHaltedError("the venue was halted by an internal error") from failure
        finally:
            self._busy = False
        return applied

    def _finish_liquidations(self) -> None:
        """Apply the continuations that must come before anything else, each a command of its own (LIQ-011)."""
        for _ in range(self._continuations_max):
            if not self._venue.has_unfinished_liquidations:
                return
            self._apply(ContinueLiquidations())
        raise AssertionError(f"liquidations did not end within {self._continuations_max} commands")

    def _apply(self, command: AnyCommand) -> Applied:
        time_ns = max(self._clock.now_ns(), self._venue.now_ns)
        events = self._venue.apply(command, now_ns=time_ns)
        applied = Applied(self._venue.sequence, time_ns, command, events)
        for listener in self._listeners:
            listener(applied)
        return applied
