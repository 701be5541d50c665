"""What happens to scopes below maintenance: flag, cancel, re-check, the public book, the fund, deleveraging."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from fractions import Fraction

from msgspec.structs import replace

from exchange.accounts.liquidation import urgency
from exchange.accounts.risk import Scope, TouchedScope
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.events import (
    AnyEvent,
    BookChanged,
    LiquidationFinished,
    LiquidationsDeferred,
    LiquidationStarted,
    MarginCalled,
    MarkPriceChanged,
    TradingStateSet,
)
from exchange.venue.closing import Closing, isolated_position
from exchange.venue.liquidations import Liquidation
from exchange.venue.state import VenueState
from exchange.venue.trading import Trading


class Resolution:
    """Resolves liquidations step by step, each step bounded, within one command or over several (LIQ-011)."""

    def __init__(self, state: VenueState, trading: Trading) -> None:
        self._state = state
        self._trading = trading
        self._accounts = state.accounts
        self._close_outs = state.close_outs
        self._closing = Closing(state, trading)
        self._queue: list[tuple[Fraction, str, str, Scope]] = []
        """The flagged scopes, most urgent first, as a heap with entries left behind; derived from the state."""

    def run(self, news: Sequence[AnyEvent], steps_max: int) -> int:
        """Flag every breached scope and take steps, worst first, until all are resolved, wait, or the bound is reached.

        ``news`` is what has happened since it last ran: what may let those that wait go on. Returns the steps left.
        """
        self._wake(news)
        self._note_changes()
        for taken in range(steps_max):
            liquidation = self._most_urgent()
            if liquidation is None:
                return steps_max - taken
            self._closing.take_step(liquidation)
            if not self._closing.is_breached(liquidation):
                self._finish(liquidation)
            self._note_changes()
        unfinished = self._state.unfinished_liquidations
        if unfinished:
            self._trading.events.append(LiquidationsDeferred(scopes=unfinished))
        return 0

    # -- whose turn it is ------------------------------------------------------------------------------------------

    def _wake(self, news: Sequence[AnyEvent]) -> None:
        """Let those that wait go on if a mark or a book of theirs has changed, or a symbol was opened (LIQ-013)."""
        waiting = [each for each in self._state.liquidations.values() if each.is_waiting]
        if not waiting:
            return
        changed = {event.symbol for event in news if isinstance(event, BookChanged | MarkPriceChanged)}
        opened = {event.symbol for event in news if isinstance(event, TradingStateSet)} - self._state.halted
        for liquidation in waiting:
            symbols = {held.symbol for held in self._close_outs.positions_of(liquidation.scope) if held.quantity}
            is_fresh = not self._accounts.has_stale_mark(liquidation.scope)
            if symbols & opened or (symbols & changed - self._state.halted and is_fresh):
                self._resume(liquidation, urgency(self._accounts.scope_risk(liquidation.scope)))

    def _resume(self, liquidation: Liquidation, ratio: Fraction) -> None:
        liquidation.is_waiting, liquidation.urgency = False, ratio
        heapq.heappush(self._queue, (ratio, *_place(liquidation.scope), liquidation.scope))

    def _note_changes(self) -> None:
        """Warn and flag whoever must be now, and give the flagged that changed their new place in the queue."""
        self._sell_collateral()
        touched = [(urgency(each.risk), each) for each in self._accounts.take_touched()]
        for ratio, each in sorted(touched, key=lambda pair: (pair[0], *_place(pair[1].scope))):
            if each.margin_call is not None:
                self._call(each, each.margin_call)
                continue
            if not each.is_flagged:
                self._flag(each, ratio)
            liquidation = self._state.liquidations[each.scope]
            if not liquidation.is_waiting or not each.risk.is_breached:
                self._resume(liquidation, ratio)

    def _sell_collateral(self) -> None:
        """Have collateral pay what flat accounts owe, and cover what stays (MARG-026)."""
        for account in list(self._accounts.touched_flat_accounts()):
            if account.liquidation_id is not None:
                continue  # its liquidation ends in this command and settles it
            scope = Scope(account.account, None)
            self._closing.tell_sales(scope, self._close_outs.settle_flat(scope))

    def _call(self, touched: TouchedScope, level: int) -> None:
        if self._state.evidence is not None:
            self._state.evidence.margin_call(touched, level)
        position = isolated_position(self._accounts, touched.scope)
        self._trading.events.append(
            MarginCalled(
                account=touched.scope.account,
                path=MarginMode.CROSS if position is None else MarginMode.ISOLATED,
                symbol=None if position is None else position.symbol,
                position_side=PositionSide.NET if position is None else position.position_side,
                level=level,
                health=touched.risk.health(),
                time_ns=self._state.now_ns,
            )
        )

    def _flag(self, breach: TouchedScope, ratio: Fraction) -> None:
        scope, state = breach.scope, self._state
        held = [each for each in self._close_outs.positions_of(scope) if each.quantity]
        liquidation = Liquidation(
            state.counters.next_liquidation_id(),
            breach,
            ratio,
            position=isolated_position(self._accounts, scope),
            collateral=self._close_outs.collateral_of(scope),
            trigger_marks={each.symbol: self._accounts.marks[each.symbol] for each in held},
            started_ns=state.now_ns,
        )
        if state.evidence is not None:
            state.evidence.flag(breach, liquidation.liquidation_id)
        state.liquidations[scope] = liquidation
        self._close_outs.flag(scope, liquidation.liquidation_id)
        self._trading.events.append(
            LiquidationStarted(
                liquidation_id=liquidation.liquidation_id,
                account=scope.account,
                path=liquidation.path,
                symbol=liquidation.symbol,
                position_side=liquidation.position_side,
                health=liquidation.before,
                time_ns=state.now_ns,
            )
        )

    def _most_urgent(self) -> Liquidation | None:
        """Return the flagged scope whose turn it is; entries of the queue that no longer hold are dropped on the way."""
        while self._queue:
            ratio, _, _, scope = self._queue[0]
            liquidation = self._state.liquidations.get(scope)
            if liquidation is not None and not liquidation.is_waiting and liquidation.urgency == ratio:
                return liquidation
            heapq.heappop(self._queue)
        return None

    def _finish(self, liquidation: Liquidation) -> None:
        """Clear the flag; what an emptied isolated wallet still holds goes back to its owner (LIQ-010)."""
        scope = liquidation.scope
        leftover = self._close_outs.settle_flat(scope, liquidation.last_position)
        liquidation.returned += leftover.returned
        health, left = self._closing.health(liquidation), self._close_outs.collateral_of(scope) + liquidation.returned
        if liquidation.returned:
            health = replace(health, equity=left)
        self._closing.tell_sales(scope, leftover)
        liquidation.note_cover(leftover.cover)
        self._close_outs.flag(scope, None)
        del self._state.liquidations[scope]
        self._closing.tell_shares(liquidation, leftover.cover)
        self._trading.events.append(
            LiquidationFinished(
                record=liquidation.record(
                    after=health, left=left, returned=liquidation.returned, finished_ns=self._state.now_ns
                )
            )
        )


def _place(scope: Scope) -> tuple[str, str]:
    """Return a scope's place among equally urgent ones: by account, the cross scope before the isolated ones."""
    return scope.account, scope.position_id or ""
