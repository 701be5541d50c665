"""Where the time of a command comes from: the machine's clock, or a clock that only an operator moves.

This is the only module that reads real time for commands. Time given to the venue never goes backward.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from exchange.domain.units import TimeNs

TIME_NS_MAX: TimeNs = (2**53 - 1) * 1000
"""The last moment whose microseconds are still a whole number on the wire."""


class ClockMode(Enum):
    """Whether time passes by itself or on command."""

    REAL = "real"
    VIRTUAL = "virtual"


class Clock(Protocol):
    """What the sequencer and the server ask of a clock."""

    @property
    def mode(self) -> ClockMode:
        """Whether this clock runs by itself."""
        ...

    def now_ns(self) -> TimeNs:
        """Return the present time; never less than what was returned before."""
        ...


class RealClock:
    """The machine's clock, held still while the machine's clock is set back."""

    mode = ClockMode.REAL

    def __init__(self, read_ns: Callable[[], TimeNs] = time.time_ns) -> None:
        self._read_ns = read_ns
        self._latest: TimeNs = 0

    def now_ns(self) -> TimeNs:
        """Return the present time, or the latest one returned if the machine's clock went backward."""
        self._latest = max(self._latest, self._read_ns())
        return self._latest


class VirtualClock:
    """A clock that stands still until it is moved."""

    mode = ClockMode.VIRTUAL

    def __init__(self, start_ns: TimeNs) -> None:
        self._now: TimeNs = start_ns

    def now_ns(self) -> TimeNs:
        """Return the time that the clock was last moved to."""
        return self._now

    def advance(self, duration_ns: int) -> None:
        """Move the clock forward by ``duration_ns``. Raises ``ValueError`` for a negative duration."""
        self.set_time(self._now + duration_ns)

    def set_time(self, time_ns: TimeNs) -> None:
        """Move the clock to ``time_ns``. Raises ``ValueError`` when that lies before now or beyond ``TIME_NS_MAX``."""
        if time_ns < self._now:
            raise ValueError(f"the clock stands at {self._now // 1000} us and never goes backward")
        if time_ns > TIME_NS_MAX:
            raise ValueError(f"the clock cannot go beyond {TIME_NS_MAX // 1000} us")
        self._now = time_ns
