"""Every account's latest movements of money, folded from events; can be thrown away and rebuilt at any time."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import NamedTuple

import msgspec

from exchange.domain.events import LedgerPosted
from exchange.domain.ids import RESERVED_ACCOUNTS, AccountId
from exchange.domain.units import TimeNs
from exchange.domain.views import LedgerEntry
from exchange.services.oldest_of_all import OldestOfAll
from exchange.services.sequencer import Applied

LEDGER_ENTRIES_MAX = 2_000
"""Entries that are remembered of one account."""
LEDGER_ENTRIES_TOTAL_MAX = 200_000
"""Entries that are remembered of all accounts together."""


class NumberedEntry(msgspec.Struct, frozen=True):
    """An entry with its number in its account's ledger, from 1, and the command that made it."""

    number: int
    sequence: int
    time_ns: TimeNs
    entry: LedgerEntry


class LedgerSlice(NamedTuple):
    """Entries, newest first, and how many of the account's are no longer remembered."""

    entries: tuple[NumberedEntry, ...]
    dropped: int
    has_older: bool
    """Whether older ones than these are still remembered."""


class LedgerHistory:
    """Answers what moved an account's money. The venue's own accounts are left out."""

    def __init__(self, entries_max: int = LEDGER_ENTRIES_MAX, entries_total_max: int = LEDGER_ENTRIES_TOTAL_MAX) -> None:
        self._entries_max = entries_max
        self._accounts: dict[AccountId, deque[NumberedEntry]] = {}
        self._counts: dict[AccountId, int] = {}
        self._of_all = OldestOfAll(entries_total_max, self._first_kept)

    def apply(self, event: LedgerPosted, applied: Applied) -> None:
        """Fold in the entries of one command."""
        for entry in event.entries:
            if entry.account not in RESERVED_ACCOUNTS:
                self._add(entry, applied)

    def page(self, account: AccountId, limit: int, before: int | None = None) -> LedgerSlice:
        """Return the ``limit`` newest entries of an account, of those with a number below ``before`` where that is given."""
        kept, count = self._accounts.get(account, ()), self._counts.get(account, 0)
        newer = 0 if before is None else max(0, count + 1 - before)
        entries = tuple(islice(reversed(kept), newer, newer + limit))
        return LedgerSlice(entries, count - len(kept), newer + limit < len(kept))

    def _add(self, entry: LedgerEntry, applied: Applied) -> None:
        number = self._counts.get(entry.account, 0) + 1
        self._counts[entry.account] = number
        kept = self._accounts.setdefault(entry.account, deque())
        kept.append(NumberedEntry(number, applied.sequence, applied.time_ns, entry))
        self._of_all.note_added(entry.account, number)
        if len(kept) > self._entries_max:
            kept.popleft()
            self._of_all.note_forgotten()
        forgetful = self._of_all.next_to_forget()
        if forgetful is not None:
            self._accounts[forgetful].popleft()

    def _first_kept(self, account: AccountId) -> int | None:
        kept = self._accounts[account]
        return kept[0].number if kept else None
