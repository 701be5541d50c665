"""The records of the latest liquidations, of the venue and of each account, folded from events."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import msgspec

from exchange.domain.ids import AccountId, LiquidationId
from exchange.domain.views import LiquidationRecord

LIQUIDATION_RECORDS_MAX = 10_000
"""Records that are remembered of all accounts together."""


class NumberedRecord(msgspec.Struct, frozen=True):
    """A record with its number among all finished liquidations, from 1."""

    number: int
    record: LiquidationRecord


class RecordSlice(NamedTuple):
    """Records, newest first, and how many of those asked for are no longer remembered."""

    records: tuple[NumberedRecord, ...]
    dropped: int
    has_older: bool
    """Whether older ones than these are still remembered."""


class LiquidationHistory:
    """Answers what became of liquidations. Memory has one bound for all accounts together."""

    def __init__(self, records_max: int = LIQUIDATION_RECORDS_MAX) -> None:
        self._records_max = records_max
        self._count = 0
        self._records: deque[NumberedRecord] = deque()
        self._counts: dict[AccountId, int] = {}
        self._accounts: dict[AccountId, deque[NumberedRecord]] = {}

    def number_of(self, liquidation_id: LiquidationId) -> int | None:
        """Return the number of a remembered record, latest first looked at."""
        latest_first = reversed(self._records)
        return next((each.number for each in latest_first if each.record.liquidation_id == liquidation_id), None)

    def add(self, record: LiquidationRecord) -> None:
        """Remember one that has finished; beyond the bound, the oldest goes."""
        self._count += 1
        numbered = NumberedRecord(self._count, record)
        self._records.append(numbered)
        self._counts[record.account] = self._counts.get(record.account, 0) + 1
        self._accounts.setdefault(record.account, deque()).append(numbered)
        if len(self._records) > self._records_max:
            oldest = self._records.popleft()
            self._accounts[oldest.record.account].popleft()

    def page(self, limit: int, before: int | None = None, account: AccountId | None = None) -> RecordSlice:
        """Return the ``limit`` newest records, of one account or of all, with a number below ``before`` if that is given."""
        kept = self._records if account is None else self._accounts.get(account, deque())
        count = self._count if account is None else self._counts.get(account, 0)
        older = [each for each in reversed(kept) if before is None or each.number < before]
        return RecordSlice(tuple(older[:limit]), count - len(kept), len(older) > limit)
