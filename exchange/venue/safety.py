"""Orders canceled because their owner did not come in time: dead-man switch and lost connections (SAFE rules)."""

from __future__ import annotations

from exchange.domain.commands import CancelAllOrders, SetCancelAfter
from exchange.domain.enums import CancelTrigger
from exchange.domain.events import CancelAfterSet, CommandRejected
from exchange.domain.ids import AccountId
from exchange.domain.rejects import Reason
from exchange.venue.order_commands import cancel_open
from exchange.venue.state import VenueState
from exchange.venue.trading import Trading

ACCOUNTS_PER_COMMAND_MAX = 16
"""Timers that one command lets fire, each for one account; what more is due waits for the next AdvanceTime (SAFE-001)."""

_REASONS = {CancelTrigger.DEAD_MAN: Reason.DEAD_MAN, CancelTrigger.DISCONNECTED: Reason.DISCONNECTED}


def set_cancel_after(state: VenueState, trading: Trading, command: SetCancelAfter) -> None:
    """Arm, put off or disarm a timer; a timeout of 0 fires at once (SAFE-001)."""
    account, trigger, timeout = command.account, command.trigger, command.timeout
    if account not in state.accounts.accounts:
        trading.events.append(CommandRejected(account=account, command="SetCancelAfter", reason=Reason.UNKNOWN_ACCOUNT))
        return
    deadline_ns = None if timeout is None else state.now_ns + timeout
    assert timeout is None or timeout >= 0, "no timer is set to the past"
    if deadline_ns is not None and trigger is CancelTrigger.DISCONNECTED:
        armed_ns = state.cancel_timers.deadline(account, trigger)
        deadline_ns = deadline_ns if armed_ns is None else min(armed_ns, deadline_ns)
    is_due = deadline_ns is not None and deadline_ns <= state.now_ns
    if deadline_ns is None or is_due:
        state.cancel_timers.disarm(account, trigger)
    else:
        state.cancel_timers.arm(account, trigger, deadline_ns)
    trading.events.append(CancelAfterSet(account=account, trigger=trigger, deadline_ns=deadline_ns))
    if is_due:
        _cancel(state, trading, account, trigger)


def cancel_due(state: VenueState, trading: Trading) -> None:
    """Let the timers fire that are due, in order of their times, then accounts (SAFE-001)."""
    for _ in range(ACCOUNTS_PER_COMMAND_MAX):
        due = state.cancel_timers.take_due(state.now_ns)
        if due is None:
            return
        _cancel(state, trading, *due)


def _cancel(state: VenueState, trading: Trading, account: AccountId, trigger: CancelTrigger) -> None:
    cancel_open(state, trading, _REASONS[trigger], CancelAllOrders(account=account))
