"""The only door to the venue: gives commands their order and time, and hands what came of them to the listeners."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeAlias

import msgspec

from exchange.domain.commands import AdvanceTime, AnyCommand, ContinueLiquidations, ContinueTriggers
from exchange.domain.decisions import AnyDecision
from exchange.domain.events import AnyEvent
from exchange.domain.units import TimeNs
from exchange.services.clock import Clock

CONTINUATIONS_MAX = 100_000
"""Liquidation commands after one command; accounts and positions are bounded, so reaching this is a bug and halts."""
DUE_COMMANDS_MAX = 10_000
"""Commands for what fell due before one other command; after a longer jump of time the rest is caught up with later."""


class Applied(msgspec.Struct, frozen=True):
    """One command with its place in the order of all commands, its time, and what came of it."""

    sequence: int
    time_ns: TimeNs
    command: AnyCommand
    events: tuple[AnyEvent, ...]
    decisions: tuple[AnyDecision, ...] = ()
    """What its decisions were made of, where the venue records that."""


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

    @property
    def has_unfinished_triggers(self) -> bool:
        """Whether else a ContinueTriggers command must come next (TRIG-004)."""
        ...

    @property
    def next_due_ns(self) -> TimeNs | None:
        """When the next AdvanceTime command must come, or None for never (FUND-004)."""
        ...

    @property
    def decisions(self) -> tuple[AnyDecision, ...]:
        """What the decisions of the last command were made of."""
        ...

    def apply(self, command: AnyCommand, *, now_ns: TimeNs) -> tuple[AnyEvent, ...]:
        """Change the state by one command and return what happened."""
        ...


class SequencerHaltedError(Exception):
    """The venue met a bug and takes no more commands; the cause is chained."""


class Sequencer:
    """Applies commands one at a time, at times that never go backward.

    Synchronous, without a queue: when ``submit`` returns, the command, the liquidations that it set off and every
    listener are done. What fell due before comes first, each at its own time, as a command of its own. An exception
    out of the venue or a listener is a bug: it halts the sequencer for good, since the state behind it can no longer
    be trusted.
    """

    def __init__(
        self,
        venue: SequencedVenue,
        clock: Clock,
        *,
        continuations_max: int = CONTINUATIONS_MAX,
        due_commands_max: int = DUE_COMMANDS_MAX,
    ) -> None:
        self._venue = venue
        self._clock = clock
        self._continuations_max = continuations_max
        self._due_commands_max = due_commands_max
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
        """Apply what fell due, then ``command``, then the liquidations it leaves behind; return what came of ``command``.

        Raises ``SequencerHaltedError`` after, and for, a bug.
        """
        with self._one_at_a_time():
            now_ns = self._now_ns()
            self._fire_due(now_ns)
            applied = self._apply(command, now_ns)
            self._finish_command()
        return applied

    def tick(self) -> None:
        """Apply what has fallen due by now; for a timer, where time passes by itself.

        Raises ``SequencerHaltedError`` after, and for, a bug.
        """
        with self._one_at_a_time():
            self._fire_due(self._now_ns())

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        if self._failure is not None:
            raise SequencerHaltedError("the venue was halted by an internal error and takes no commands") from self._failure
        if self._busy:
            raise RuntimeError("a listener may not submit commands while one is being applied")
        self._busy = True
        try:
            yield
        except Exception as failure:
            self._failure = failure
            raise SequencerHaltedError("the venue was halted by an internal error") from failure
        finally:
            self._busy = False

    def _now_ns(self) -> TimeNs:
        return max(self._clock.now_ns(), self._venue.now_ns)

    def _fire_due(self, until_ns: TimeNs) -> None:
        """Let what is due up to ``until_ns`` happen in order, at its own time, or at once where that is past (FUND-004)."""
        for _ in range(self._due_commands_max):
            due_ns = self._venue.next_due_ns
            if due_ns is None or due_ns > until_ns:
                return
            self._apply(AdvanceTime(), max(due_ns, self._venue.now_ns))
            self._finish_command()

    def _finish_command(self) -> None:
        """Apply the continuations that must come before anything else, each a command of its own (LIQ-011, TRIG-004).

        They have the time of the command that left them, so that what is due later still finds its own.
        """
        for _ in range(self._continuations_max):
            if self._venue.has_unfinished_liquidations:
                self._apply(ContinueLiquidations(), self._venue.now_ns)
            elif self._venue.has_unfinished_triggers:
                self._apply(ContinueTriggers(), self._venue.now_ns)
            else:
                return
        raise AssertionError(f"liquidations and triggers did not end within {self._continuations_max} commands")

    def _apply(self, command: AnyCommand, time_ns: TimeNs) -> Applied:
        events = self._venue.apply(command, now_ns=time_ns)
        applied = Applied(self._venue.sequence, time_ns, command, events, self._venue.decisions)
        for listener in self._listeners:
            listener(applied)
        return applied
