"""How long to wait between tries to reconnect."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential delays with jitter, a bounded number of them.

    Units: seconds. ``jitter`` is the share of a delay that chance may take off, so that many clients of one fallen
    server do not come back in step; with a ``seed`` the same delays come again.
    """

    first_s: float = 0.1
    factor: float = 2.0
    longest_s: float = 10.0
    tries_max: int = 8
    jitter: float = 0.5
    seed: int | None = None

    def __post_init__(self) -> None:
        checks = (
            (self.first_s >= 0, "first_s must not be negative"),
            (self.factor >= 1, "factor must be at least 1"),
            (self.longest_s >= self.first_s, "longest_s must not be below first_s"),
            (self.tries_max >= 1, "tries_max must be at least 1"),
            (0 <= self.jitter <= 1, "jitter must lie between 0 and 1"),
        )
        for holds, sentence in checks:
            if not holds:
                raise ValueError(f"backoff: {sentence}")

    def delays(self) -> Iterator[float]:
        """Yield the delay before each try, ``tries_max`` of them."""
        chance = random.Random(self.seed)
        delay = self.first_s
        for _ in range(self.tries_max):
            yield delay * (1 - self.jitter * chance.random())
            delay = min(delay * self.factor, self.longest_s)
