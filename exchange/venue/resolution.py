"""What happens to scopes below maintenance: flag, cancel, re-check, the public book, the fund, deleveraging."""

from __future__ import annotations

import heapq
from fractions import Fraction

from exchange.accounts.liquidation import Transfer, urgency
from exchange.accounts.position import Position
from exchange.accounts.risk import Scope, TouchedScope
from exchange.domain.enums import OrderType, Side, TimeInForce
from exchange.domain.events import (
    CloseOutVenue,
    LiquidationFinished,
    LiquidationOrdersCanceled,
    LiquidationOrderSettled,
    LiquidationsDeferred,
    LiquidationStarted,
    OrderAccepted,
    PositionTransferred,
)
from exchange.domain.ids import INSURANCE_FUND, AccountId
from exchange.domain.rejects import Reason
from exchange.domain.units import PRICE_TICKS_MAX, Lots
from exchange.domain.views import ScopeHealth
from exchange.matching.order import Order
from exchange.venue.state import Liquidation, VenueState
from exchange.venue.trading import Trading


class Resolution:
    """Resolves liquidations step by step, each step bounded, within one command or over several (LIQ-011)."""

    def __init__(self, state: VenueState, trading: Trading) -> None:
        self._state = state
        self._trading = trading
        self._accounts = state.accounts
        self._close_outs = state.close_outs
        self._queue: list[tuple[Fraction, str, str, Scope]] = []
        """The flagged scopes, most urgent first, as a heap with entries left behind; derived from the state."""

    def run(self) -> None:
        """Flag every breached scope and take steps, worst first, until all are resolved or the bound is reached."""
        self._note_changes()
        for _ in range(self._state.limits.liquidation_steps_max):
            if not self._state.liquidations:
                self._queue.clear()
                return
            self._step(self._most_urgent())
            self._note_changes()
        if self._state.liquidations:
            self._trading.events.append(LiquidationsDeferred(scopes=len(self._state.liquidations)))

    def _note_changes(self) -> None:
        """Flag every scope that is breached now, and give the flagged ones that changed their new place in the queue."""
        touched = [(urgency(each.risk), each) for each in self._accounts.take_touched()]
        for ratio, each in sorted(touched, key=lambda pair: (pair[0], *_place(pair[1].scope))):
            if each.is_flagged:
                self._state.liquidations[each.scope].urgency = ratio
            else:
                self._flag(each, ratio)
            heapq.heappush(self._queue, (ratio, *_place(each.scope), each.scope))

    def _flag(self, breach: TouchedScope, ratio: Fraction) -> None:
        scope = breach.scope
        liquidation = Liquidation(self._state.counters.next_liquidation_id(), scope, ratio)
        self._state.liquidations[scope] = liquidation
        self._close_outs.flag(scope, liquidation.liquidation_id)
        self._trading.events.append(
            LiquidationStarted(
                liquidation_id=liquidation.liquidation_id,
                account=scope.account,
                path=liquidation.path,
                symbol=scope.symbol,
                health=breach.risk.health(),
                time_ns=self._state.now_ns,
            )
        )

    def _most_urgent(self) -> Liquidation:
        """Return the flagged scope whose turn it is; entries of the queue that no longer hold are dropped on the way."""
        while True:
            ratio, _, _, scope = self._queue[0]
            liquidation = self._state.liquidations.get(scope)
            if liquidation is not None and liquidation.urgency == ratio:
                return liquidation
            heapq.heappop(self._queue)

    def _step(self, liquidation: Liquidation) -> None:
        if not liquidation.orders_canceled:
            self._cancel_orders(liquidation)
        if self._is_breached(liquidation):
            position = self._close_outs.next_position(liquidation.scope)
            if self._through_the_book(liquidation, position):
                self._to_fund(liquidation, position)
                self._to_opposite_accounts(liquidation, position)
        if not self._is_breached(liquidation):
            self._finish(liquidation)

    def _is_breached(self, liquidation: Liquidation) -> bool:
        return self._accounts.scope_risk(liquidation.scope).is_breached

    def _must_close(self, liquidation: Liquidation, position: Position) -> bool:
        return bool(position.quantity) and self._is_breached(liquidation)

    def _health(self, liquidation: Liquidation) -> ScopeHealth:
        return self._accounts.scope_risk(liquidation.scope).health()

    def _cancel_orders(self, liquidation: Liquidation) -> None:
        """Clear the scope's own orders away (LIQ-002)."""
        count = 0
        for symbol in self._close_outs.symbols_of(liquidation.scope):
            for order_id in sorted(self._accounts.position(liquidation.scope.account, symbol).orders):
                self._trading.cancel(self._state.books[symbol].orders[order_id], Reason.LIQUIDATION)
                count += 1
        liquidation.orders_canceled = True
        self._trading.events.append(
            LiquidationOrdersCanceled(liquidation_id=liquidation.liquidation_id, orders=count, health=self._health(liquidation))
        )

    def _through_the_book(self, liquidation: Liquidation, position: Position) -> bool:
        """Send one closing order (LIQ-005); return whether others must take what the book did not."""
        before = self._health(liquidation)
        terms, limit = self._close_outs.terms(position)
        quantity = min(abs(position.quantity), position.instrument.quantity_max)
        side = Side.SELL if position.quantity > 0 else Side.BUY
        order_id, filled, stopped = None, 0, None
        fund_before = self._accounts.ledger.fund.wallet.balance
        if limit <= PRICE_TICKS_MAX if side is Side.SELL else limit >= 1:
            order = Order(
                order_id=self._state.counters.next_order_id(),
                account=position.account,
                symbol=position.symbol,
                side=side,
                quantity=quantity,
                limit_price=min(max(limit, 1), PRICE_TICKS_MAX),
                time_ns=self._state.now_ns,
                order_type=OrderType.LIMIT,
                time_in_force=TimeInForce.IOC,
                reduce_only=True,
                liquidation_id=liquidation.liquidation_id,
            )
            self._trading.events.append(OrderAccepted(order=order.view(), decision=None))
            self._trading.enter(order, is_reducing=True, raises_reserve=False)
            stopped = self._trading.run(order, terms)
            order_id, filled = order.order_id, order.filled_quantity
        fee = self._accounts.ledger.fund.wallet.balance - fund_before
        liquidation.fee += fee
        _count(liquidation.book_quantity, position.symbol, filled)
        self._trading.events.append(
            LiquidationOrderSettled(
                liquidation_id=liquidation.liquidation_id,
                account=position.account,
                symbol=position.symbol,
                order_id=order_id,
                side=side,
                quantity=quantity,
                bankruptcy_price=limit,
                filled=filled,
                fee=fee,
                before=before,
                after=self._health(liquidation),
            )
        )
        return filled < quantity and stopped is not Reason.SWEEP_LIMIT and self._is_breached(liquidation)

    def _to_fund(self, liquidation: Liquidation, position: Position) -> None:
        """Hand to the fund what it can carry (LIQ-007)."""
        lots = self._close_outs.fund_capacity(position)
        if lots:
            self._transfer(liquidation, position, INSURANCE_FUND, lots, CloseOutVenue.FUND)

    def _to_opposite_accounts(self, liquidation: Liquidation, position: Position) -> None:
        """Deleverage opposite positions, then share out the residual at the mark (LIQ-008, LIQ-009).

        Only while the scope is still breached: nobody loses a position for one that has become healthy.
        """
        legs_left = self._state.limits.adl_legs_max
        skipped = []
        for account in self._close_outs.ranking(position):
            if not legs_left or not self._must_close(liquidation, position):
                return
            lots = self._takeable(position, account)
            if not self._close_outs.can_be_deleveraged(account, position, lots):
                skipped.append(account)
                continue
            self._deleverage(liquidation, position, account, lots, CloseOutVenue.AUTO_DELEVERAGE)
            legs_left -= 1
        for account in skipped:
            if not legs_left or not self._must_close(liquidation, position):
                return
            lots = self._takeable(position, account)
            self._deleverage(liquidation, position, account, lots, CloseOutVenue.RESIDUAL)
            legs_left -= 1
        if legs_left and self._must_close(liquidation, position):
            self._transfer(liquidation, position, INSURANCE_FUND, abs(position.quantity), CloseOutVenue.RESIDUAL)

    def _takeable(self, position: Position, account: AccountId) -> Lots:
        return min(abs(position.quantity), abs(self._accounts.position_quantity(account, position.symbol)))

    def _deleverage(
        self, liquidation: Liquidation, position: Position, account: AccountId, lots: Lots, venue: CloseOutVenue
    ) -> None:
        """Have an opposite account take lots; its own orders in the symbol go first."""
        for order_id in sorted(self._accounts.position(account, position.symbol).orders):
            self._trading.cancel(self._state.books[position.symbol].orders[order_id], Reason.AUTO_DELEVERAGED)
        self._transfer(liquidation, position, account, lots, venue)

    def _transfer(
        self, liquidation: Liquidation, position: Position, counterparty: AccountId, lots: Lots, venue: CloseOutVenue
    ) -> None:
        before, side = self._health(liquidation), Side.SELL if position.quantity > 0 else Side.BUY
        at_mark = venue is CloseOutVenue.RESIDUAL
        apply = self._close_outs.apply_at_mark if at_mark else self._close_outs.apply_at_bankruptcy
        done: Transfer = apply(position, counterparty, lots)
        counts = liquidation.fund_quantity if counterparty == INSURANCE_FUND else liquidation.deleveraged_quantity
        _count(counts, position.symbol, lots)
        self._trading.events.append(
            PositionTransferred(
                liquidation_id=liquidation.liquidation_id,
                venue=venue,
                account=position.account,
                counterparty=counterparty,
                symbol=position.symbol,
                side=side,
                quantity=lots,
                value=done.value,
                realized_pnl=done.realized,
                counterparty_realized_pnl=done.counterparty_realized,
                fund_change=done.fund_change,
                before=before,
                after=self._health(liquidation),
            )
        )

    def _finish(self, liquidation: Liquidation) -> None:
        """Clear the flag; what an emptied isolated wallet still holds goes back to its owner (LIQ-010)."""
        scope = liquidation.scope
        health = self._health(liquidation)
        leftover = self._close_outs.settle_flat(scope)
        self._close_outs.flag(scope, None)
        del self._state.liquidations[scope]
        self._trading.events.append(
            LiquidationFinished(
                liquidation_id=liquidation.liquidation_id,
                account=scope.account,
                path=liquidation.path,
                symbol=scope.symbol,
                book_quantity=liquidation.book_quantity,
                fund_quantity=liquidation.fund_quantity,
                deleveraged_quantity=liquidation.deleveraged_quantity,
                fee=liquidation.fee,
                returned=leftover.returned,
                health=health,
            )
        )


def _place(scope: Scope) -> tuple[str, str]:
    """Return a scope's place among equally urgent ones: by account, the cross scope before the isolated ones."""
    return scope.account, scope.symbol or ""


def _count(counts: dict[str, Lots], symbol: str, lots: Lots) -> None:
    if lots:
        counts[symbol] = counts.get(symbol, 0) + lots
