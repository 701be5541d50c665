"""The order book of one symbol, from a snapshot and the deltas that follow it.

Units: prices in quote per base, quantities in base.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from heapq import nlargest, nsmallest

from clients.errors import ProtocolError
from clients.market_data import Level
from clients.mirror.checksum import CHECKSUM_LEVELS, book_checksum, side_text
from clients.mirror.readiness import Readiness
from clients.updates import BOOK_CHANNELS, BookUpdate, Update

BOOK_LEVELS_MAX = 100_000
"""How many price levels a side may have; a server that sends more is at fault."""


class BookMirror(Readiness):
    """One book, or its best ``depth`` levels of each side.

    After a gap in the sequence, or when its checksum is not the server's, it asks for a new snapshot, and is not ready
    until that is there.
    """

    def __init__(self, symbol: str, renew: Callable[[], None], depth: int | None = None) -> None:
        super().__init__(f"the book of {symbol}")
        self.symbol = symbol
        self.sequence = 0
        self.gaps = 0
        """How often a delta did not follow the one before."""
        self.mismatches = 0
        """How often the book did not come to the checksum of a delta."""
        self._channel = BOOK_CHANNELS[depth]
        self._renew = renew
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}
        self._best_bids: tuple[Level, ...] | None = None
        self._best_asks: tuple[Level, ...] | None = None
        self._bids_text: str | None = None
        self._asks_text: str | None = None

    def bids(self, depth: int | None = None) -> tuple[Level, ...]:
        """Return the best ``depth`` bids, or all, highest first."""
        self._require_ready()
        if self._best_bids is None:
            self._best_bids = tuple([Level(*item) for item in sorted(self._bids.items(), reverse=True)])
        return self._best_bids[:depth]

    def asks(self, depth: int | None = None) -> tuple[Level, ...]:
        """Return the best ``depth`` asks, or all, lowest first."""
        self._require_ready()
        if self._best_asks is None:
            self._best_asks = tuple([Level(*item) for item in sorted(self._asks.items())])
        return self._best_asks[:depth]

    @property
    def best_bid(self) -> Level | None:
        """The highest bid; None when there is none."""
        levels = self.bids(1)
        return levels[0] if levels else None

    @property
    def best_ask(self) -> Level | None:
        """The lowest ask; None when there is none."""
        levels = self.asks(1)
        return levels[0] if levels else None

    def receive(self, update: Update) -> None:
        """Take a snapshot or a delta."""
        data = update.data
        if not isinstance(data, BookUpdate) or data.channel != self._channel:
            raise ProtocolError(f"channel {update.channel} brought no update of {self._channel}")
        if data.type == "snapshot":
            self._bids.clear()
            self._asks.clear()
            self._apply(data)
            if not self._matches(data):
                raise ProtocolError(f"the server sent a snapshot of {self.symbol} that is not what its checksum is of")
            self._missing = None
        elif self.ready and data.sequence > self.sequence:
            if data.previous_sequence == self.sequence:
                self._apply(data)
                if not self._matches(data):
                    self._report_mismatch(data)
            else:
                self._report_gap(data)

    def began(self) -> None:
        """Change nothing: only a snapshot makes a book ready."""

    def _report_gap(self, delta: BookUpdate) -> None:
        self.gaps += 1
        self.interrupted(
            f"a delta after {delta.previous_sequence} came when {self.sequence} was the last one; a new snapshot is on its way"
        )
        self._renew()

    def _report_mismatch(self, delta: BookUpdate) -> None:
        self.mismatches += 1
        self.interrupted(f"after {delta.sequence} it is not what the checksum is of; a new snapshot is on its way")
        self._renew()

    def _matches(self, update: BookUpdate) -> bool:
        if self._bids_text is None:
            self._bids_text = side_text(Level(*item) for item in nlargest(CHECKSUM_LEVELS, self._bids.items()))
        if self._asks_text is None:
            self._asks_text = side_text(Level(*item) for item in nsmallest(CHECKSUM_LEVELS, self._asks.items()))
        return book_checksum(self._bids_text, self._asks_text) == update.checksum

    def _apply(self, update: BookUpdate) -> None:
        _replace_levels(self._bids, update.bids)
        _replace_levels(self._asks, update.asks)
        if update.bids or update.type == "snapshot":
            self._best_bids = self._bids_text = None
        if update.asks or update.type == "snapshot":
            self._best_asks = self._asks_text = None
        self.sequence = update.sequence

    def _forget(self) -> None:
        self._bids.clear()
        self._asks.clear()
        self._best_bids = self._best_asks = None
        self._bids_text = self._asks_text = None


def _replace_levels(side: dict[Decimal, Decimal], levels: Iterable[Level]) -> None:
    for price, quantity in levels:
        if quantity > 0:
            side[price] = quantity
        elif quantity == 0:
            side.pop(price, None)
        else:
            raise ProtocolError(f"the server sent a book level with the negative quantity {quantity}")
    if len(side) > BOOK_LEVELS_MAX:
        raise ProtocolError(f"the server sent a book side of more than {BOOK_LEVELS_MAX} levels")
