"""When the orders of which account are to be canceled unless somebody comes: at most one time per account and trigger."""

from __future__ import annotations

from typing import Any

from sortedcontainers import SortedList

from exchange.domain.enums import CancelTrigger
from exchange.domain.ids import AccountId
from exchange.domain.units import TimeNs


class CancelTimers:
    """The armed timers in order of time, then account (SAFE-001). Arming and disarming cost the logarithm of their number."""

    __slots__ = ("_deadlines", "_in_order")

    def __init__(self) -> None:
        self._deadlines: dict[tuple[AccountId, CancelTrigger], TimeNs] = {}
        self._in_order: SortedList = SortedList()  # of (time, account, trigger's word); the library has no types

    @property
    def next_due_ns(self) -> TimeNs | None:
        """When the first of all timers is due, or None."""
        return self._in_order[0][0] if self._in_order else None

    def deadline(self, account: AccountId, trigger: CancelTrigger) -> TimeNs | None:
        """Return when a timer is due, or None where it is not armed."""
        return self._deadlines.get((account, trigger))

    def arm(self, account: AccountId, trigger: CancelTrigger, deadline_ns: TimeNs) -> None:
        """Set a timer, in place of what it was set to."""
        self.disarm(account, trigger)
        self._deadlines[account, trigger] = deadline_ns
        self._in_order.add((deadline_ns, account, trigger.value))

    def disarm(self, account: AccountId, trigger: CancelTrigger) -> None:
        """Forget a timer; one that is not armed stays so."""
        deadline_ns = self._deadlines.pop((account, trigger), None)
        if deadline_ns is not None:
            self._in_order.remove((deadline_ns, account, trigger.value))

    def take_due(self, now_ns: TimeNs) -> tuple[AccountId, CancelTrigger] | None:
        """Disarm and return the first timer that is due, or None."""
        if not self._in_order or self._in_order[0][0] > now_ns:
            return None
        _, account, word = self._in_order[0]
        trigger = CancelTrigger(word)
        self.disarm(account, trigger)
        return account, trigger

    def picture(self) -> list[Any]:
        """Return every armed timer, for the digest."""
        return [list(each) for each in self._in_order]
