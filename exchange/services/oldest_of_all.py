"""A bound over the remembered entries of all accounts together, beside the bound that each account has of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from exchange.domain.ids import AccountId


class OldestOfAll:
    """Tells whose oldest entry is to be forgotten next.

    What an account's own bound has forgotten already counts no more, so a busy account pushes out nobody else's entries
    before all of them together are too many. Each account numbers its entries upward and forgets its oldest first;
    ``first_kept`` says where what it remembers begins, None for nowhere.
    """

    def __init__(self, entries_max: int, first_kept: Callable[[AccountId], int | None]) -> None:
        self._entries_max = entries_max
        self._first_kept = first_kept
        self._in_order: deque[tuple[AccountId, int]] = deque()
        self._kept = 0

    def note_added(self, account: AccountId, number: int) -> None:
        """Take in a new entry."""
        self._in_order.append((account, number))
        self._kept += 1

    def note_forgotten(self) -> None:
        """Take in that an account forgot its oldest entry by its own bound."""
        self._kept -= 1

    def next_to_forget(self) -> AccountId | None:
        """Return the account that must forget its oldest entry now, and take that in; None while all fit."""
        if self._kept <= self._entries_max:
            self._drop_stale()
            return None
        while True:
            account, number = self._in_order.popleft()
            if self._is_kept(account, number):
                self._kept -= 1
                return account

    def _is_kept(self, account: AccountId, number: int) -> bool:
        first = self._first_kept(account)
        return first is not None and number >= first

    def _drop_stale(self) -> None:
        """Keep the order no longer than twice the bound, whatever was forgotten in the middle of it."""
        if len(self._in_order) > 2 * self._entries_max:
            self._in_order = deque(each for each in self._in_order if self._is_kept(*each))
