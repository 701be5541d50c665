"""What the venue remembers under an account's client order ids, so that a resend does nothing (BOOK-014)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from exchange.domain.commands import PlaceOrder
from exchange.domain.events import OrderAccepted
from exchange.domain.views import OrderView
from exchange.matching.order import Order


class Placement(msgspec.Struct, frozen=True):
    """An accepted order under its client order id, with the answer that its entry got."""

    name: str
    command: PlaceOrder
    accepted: OrderAccepted
    order: Order
    outcome: OrderView


class PlacementMemory:
    """One account's placements: the last ``recent_max`` accepted, and older ones for as long as they are open."""

    __slots__ = ("_aged", "_recent", "_recent_max")

    def __init__(self, recent_max: int) -> None:
        self._recent_max = recent_max
        self._recent: dict[str, Placement] = {}
        self._aged: dict[str, Placement] = {}

    def recall(self, name: str) -> Placement | None:
        """Return what was placed under a client order id, or None when that is not (or no longer) remembered."""
        kept = self._recent.get(name)
        if kept is None:
            aged = self._aged.get(name)
            kept = aged if aged is not None and aged.order.open_quantity else None
        return kept

    def remember(self, placement: Placement) -> None:
        """Keep a placement that was just accepted; the oldest recent one is from now on kept only while it is open."""
        if self._aged:  # bounded by the open orders of one account
            self._aged = {name: kept for name, kept in self._aged.items() if kept.order.open_quantity}
        self._recent[placement.name] = placement
        if len(self._recent) > self._recent_max:
            oldest = self._recent.pop(next(iter(self._recent)))
            if oldest.order.open_quantity:
                self._aged[oldest.name] = oldest

    def copy(self) -> PlacementMemory:
        """Return a memory of the same placements, for a rehearsal."""
        twin = PlacementMemory(self._recent_max)
        twin._recent, twin._aged = dict(self._recent), dict(self._aged)
        return twin

    def __iter__(self) -> Iterator[Placement]:
        """Yield all that is remembered, in the order of acceptance."""
        yield from (kept for kept in self._aged.values() if kept.order.open_quantity)
        yield from self._recent.values()
