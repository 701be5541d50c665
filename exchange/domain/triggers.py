"""What an order may wait for before it enters the book (TRIG rules)."""

from __future__ import annotations

from enum import Enum

import msgspec

from exchange.domain.enums import Side
from exchange.domain.units import Ticks


class TriggerKind(Enum):
    """A stop waits for the price to run away from its order, a take-profit for it to come closer (TRIG-001)."""

    STOP = "stop"
    TAKE_PROFIT = "take_profit"


class TriggerSource(Enum):
    """Which price of the symbol is watched."""

    MARK = "mark"
    LAST = "last"
    """That of trades."""
    INDEX = "index"


class Trigger(msgspec.Struct, frozen=True):
    """What an order waits for."""

    kind: TriggerKind
    price: Ticks
    by: TriggerSource = TriggerSource.MARK

    def direction(self, side: Side) -> int:
        """Return +1 where an order of that side waits for a price of at least this one, -1 for at most."""
        return side.sign if self.kind is TriggerKind.STOP else -side.sign

    def holds(self, side: Side, price: Ticks) -> bool:
        """Return whether an order of that side is triggered at ``price``; an equal price triggers it."""
        return self.direction(side) * (price - self.price) >= 0
