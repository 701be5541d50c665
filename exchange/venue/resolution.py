"""What happens to scopes below maintenance: flag, cancel, re-check, the public book, the fund, deleveraging."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from fractions import Fraction

from exchange.accounts.liquidation import urgency
from exchange.accounts.loss_cover import Cover
from exchange.accounts.position import Position
from exchange.accounts.risk import Scope, TouchedScope
from exchange.domain.enums import MarginMode, OrderType, PositionSide, SelfTradePrevention, Side, TimeInForce, TradingState
from exchange.domain.events import (
    AnyEvent,
    BookChanged,
    CloseOutVenue,
    CollateralSold,
    LiquidationFinished,
    LiquidationOrdersCanceled,
    LiquidationOrderSettled,
    LiquidationsDeferred,
    LiquidationStarted,
    LiquidationWaiting,
    LossSocialized,
    MarginCalled,
    MarginMoved,
    MarkPriceChanged,
    OrderAccepted,
    PositionTransferred,
    TradingStateSet,
)
from exchange.domain.ids import INSURANCE_FUND, Symbol
from exchange.domain.policy import BadDebtPolicy, UnfilledPolicy
from exchange.domain.rejects import Reason
from exchange.domain.units import PRICE_TICKS_MAX, Lots, Ticks
from exchange.domain.views import ScopeHealth
from exchange.matching.order import Order
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
            self._step(liquidation)
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
            self._sell_collateral_of(scope)
            self._close_outs.settle_flat(scope)

    def _sell_collateral_of(self, scope: Scope) -> None:
        for sale in self._close_outs.sell_collateral(scope):
            self._trading.events.append(
                CollateralSold(account=scope.account, asset=sale.asset, quantity=sale.quantity, proceeds=sale.proceeds)
            )

    def _call(self, touched: TouchedScope, level: int) -> None:
        position = self._isolated(touched.scope)
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

    def _isolated(self, scope: Scope) -> Position | None:
        return None if scope.position_id is None else self._accounts.accounts[scope.account].positions[scope.position_id]

    def _flag(self, breach: TouchedScope, ratio: Fraction) -> None:
        scope, state = breach.scope, self._state
        held = [each for each in self._close_outs.positions_of(scope) if each.quantity]
        liquidation = Liquidation(
            state.counters.next_liquidation_id(),
            breach,
            ratio,
            position=self._isolated(scope),
            collateral=self._close_outs.collateral_of(scope),
            trigger_marks={each.symbol: self._accounts.marks[each.symbol] for each in held},
            started_ns=state.now_ns,
        )
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

    # -- one step --------------------------------------------------------------------------------------------------

    def _step(self, liquidation: Liquidation) -> None:
        self._cancel_orders(liquidation)
        if self._is_breached(liquidation):
            self._replenish(liquidation)
        if self._is_breached(liquidation):
            position = self._close_outs.next_position(liquidation.scope, lambda symbol: symbol not in self._state.halted)
            if position is None:
                self._wait(liquidation, halted=True)
            elif self._through_the_book(liquidation, position) and not self._may_wait(liquidation):
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
        """Clear the scope's own orders away, those too that came while it waited (LIQ-002)."""
        count = 0
        for position in self._close_outs.positions_of(liquidation.scope):
            for order_id in sorted(position.orders):
                self._trading.cancel(self._state.books[position.symbol].orders[order_id], Reason.LIQUIDATION)
                count += 1
        liquidation.orders_canceled += count
        if count or not liquidation.has_canceled:
            liquidation.has_canceled = True
            self._trading.events.append(
                LiquidationOrdersCanceled(
                    liquidation_id=liquidation.liquidation_id, orders=count, health=self._health(liquidation)
                )
            )

    def _replenish(self, liquidation: Liquidation) -> None:
        """Top up from the owner's own money where the owner wants that and it cures (MARG-024)."""
        amount, position = self._close_outs.replenish(liquidation.scope), self._isolated(liquidation.scope)
        if not amount or position is None:
            return
        liquidation.replenished += amount
        self._trading.events.append(
            MarginMoved(
                account=position.account,
                symbol=position.symbol,
                amount=amount,
                isolated_wallet=position.wallet.balance,
                wallet_balance=self._accounts.accounts[position.account].wallet.balance,
                position_side=position.position_side,
                is_automatic=True,
            )
        )

    def _may_wait(self, liquidation: Liquidation) -> bool:
        """Leave it for later if the policy says so, equity is left and not too many retries were made (LIQ-013)."""
        policy = self._state.policy
        equity = self._accounts.scope_risk(liquidation.scope).equity
        if policy.unfilled is not UnfilledPolicy.WAIT or equity <= 0 or liquidation.retries >= policy.liquidation_retries_max:
            return False
        liquidation.retries += 1
        self._wait(liquidation, halted=False)
        return True

    def _wait(self, liquidation: Liquidation, *, halted: bool) -> None:
        liquidation.is_waiting = True
        self._trading.events.append(
            LiquidationWaiting(
                liquidation_id=liquidation.liquidation_id,
                account=liquidation.scope.account,
                retries_left=self._state.policy.liquidation_retries_max - liquidation.retries,
                halted=halted,
            )
        )

    # -- the public book -------------------------------------------------------------------------------------------

    def _through_the_book(self, liquidation: Liquidation, position: Position) -> bool:
        """Send one closing order (LIQ-005); return whether others must take what the book did not."""
        before = self._health(liquidation)
        liquidation.last_position = position
        may_be_partial = liquidation.rounds < self._state.policy.liquidation_rounds_max
        wanted = self._close_outs.close_quantity(position, may_be_partial=may_be_partial)
        quantity = min(wanted, position.instrument.quantity_max)
        terms, bankruptcy_price = self._close_outs.terms(position)
        limit = bankruptcy_price
        if self._state.policy.fund_covers:
            limit = self._close_outs.covered_limit(position, bankruptcy_price, quantity)
        side = Side.SELL if position.quantity > 0 else Side.BUY
        wallet, fund = self._accounts.wallet_of(position), self._accounts.ledger.fund.wallet
        wallet_before, fund_before = wallet.balance, fund.balance
        order = self._closing_order(liquidation, position, side, quantity, limit)
        stopped = None
        if order is not None:
            self._trading.events.append(OrderAccepted(order=order.view(), decision=None))
            self._trading.enter(order, is_reducing=True, raises_reserve=False)
            stopped = self._trading.run(order, terms)
        filled, value = (0, 0) if order is None else (order.filled_quantity, order.filled_value)
        fee = fund.balance - fund_before
        realized = wallet.balance - wallet_before + fee
        liquidation.note_order(position.symbol, filled, value, realized, fee)
        self._trading.events.append(
            LiquidationOrderSettled(
                liquidation_id=liquidation.liquidation_id,
                account=position.account,
                symbol=position.symbol,
                position_side=position.position_side,
                order_id=None if order is None else order.order_id,
                side=side,
                quantity=quantity,
                bankruptcy_price=bankruptcy_price,
                filled=filled,
                fee=fee,
                before=before,
                after=self._health(liquidation),
            )
        )
        return filled < quantity and stopped is not Reason.SWEEP_LIMIT and self._is_breached(liquidation)

    def _closing_order(
        self, liquidation: Liquidation, position: Position, side: Side, quantity: Lots, limit: Ticks
    ) -> Order | None:
        """Return the order to send, or None where no price spends the equity (LIQ-005)."""
        if limit > PRICE_TICKS_MAX if side is Side.SELL else limit < 1:
            return None
        return Order(
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
            self_trade_prevention=SelfTradePrevention.CANCEL_MAKER,
            liquidation_id=liquidation.liquidation_id,
            position_side=position.position_side,
        )

    # -- those who must take it ------------------------------------------------------------------------------------

    def _to_fund(self, liquidation: Liquidation, position: Position) -> None:
        """Hand to the fund what it can carry (LIQ-007)."""
        lots = self._close_outs.fund_capacity(position)
        if lots:
            self._transfer(liquidation, position, self._fund_position(position.symbol), lots, CloseOutVenue.FUND)

    def _fund_position(self, symbol: Symbol) -> Position:
        return self._accounts.position(INSURANCE_FUND, symbol)

    def _to_opposite_accounts(self, liquidation: Liquidation, position: Position) -> None:
        """Deleverage opposite positions, then share out the residual at the mark (LIQ-008, LIQ-009).

        Only while the scope is still breached: nobody loses a position for one that has become healthy.
        """
        legs_left = self._state.limits.adl_legs_max
        skipped = []
        for other in self._close_outs.ranking(position):
            if not legs_left or not self._must_close(liquidation, position):
                return
            if not self._close_outs.can_be_deleveraged(other, position, _takeable(position, other)):
                skipped.append(other)
                continue
            self._deleverage(liquidation, position, other, CloseOutVenue.AUTO_DELEVERAGE)
            legs_left -= 1
        for other in (*skipped, self._fund_position(position.symbol)):
            if not legs_left or not self._must_close(liquidation, position):
                return
            to_fund = other.account == INSURANCE_FUND
            lots = abs(position.quantity) if to_fund else _takeable(position, other)
            if self._must_halt(position, lots):
                self._halt(liquidation, position.symbol)
                return
            if to_fund:
                self._transfer(liquidation, position, other, lots, CloseOutVenue.RESIDUAL)
            else:
                self._deleverage(liquidation, position, other, CloseOutVenue.RESIDUAL)
            legs_left -= 1

    def _must_halt(self, position: Position, lots: Lots) -> bool:
        """Return whether nobody has the money for what is left, and the policy is to stop then (LIQ-009)."""
        if self._state.policy.bad_debt is not BadDebtPolicy.HALT:
            return False
        return self._close_outs.deficit(position, lots) > self._close_outs.losses.capacity()

    def _halt(self, liquidation: Liquidation, symbol: Symbol) -> None:
        self._state.halted.add(symbol)
        self._trading.events.append(
            TradingStateSet(symbol=symbol, trading_state=TradingState.HALTED, liquidation_id=liquidation.liquidation_id)
        )

    def _deleverage(self, liquidation: Liquidation, position: Position, other: Position, venue: CloseOutVenue) -> None:
        """Have an opposite position take lots; its own orders go first."""
        for order_id in sorted(other.orders):
            self._trading.cancel(self._state.books[other.symbol].orders[order_id], Reason.AUTO_DELEVERAGED)
        self._transfer(liquidation, position, other, _takeable(position, other), venue)

    def _transfer(
        self, liquidation: Liquidation, position: Position, other: Position, lots: Lots, venue: CloseOutVenue
    ) -> None:
        before, side = self._health(liquidation), Side.SELL if position.quantity > 0 else Side.BUY
        liquidation.last_position = position
        at_mark = venue is CloseOutVenue.RESIDUAL
        apply = self._close_outs.apply_at_mark if at_mark else self._close_outs.apply_at_bankruptcy
        done = apply(position, other, lots)
        liquidation.note_transfer(position, other, lots, done)
        self._trading.events.append(
            PositionTransferred(
                liquidation_id=liquidation.liquidation_id,
                venue=venue,
                account=position.account,
                counterparty=other.account,
                symbol=position.symbol,
                position_side=position.position_side,
                counterparty_side=other.position_side,
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
        self._tell_shares(liquidation, done.cover)

    def _tell_shares(self, liquidation: Liquidation, cover: Cover) -> None:
        self._trading.events.extend(
            LossSocialized(
                liquidation_id=liquidation.liquidation_id,
                account=share.position.account,
                symbol=share.position.symbol,
                position_side=share.position.position_side,
                amount=share.amount,
            )
            for share in cover.shares
        )

    def _finish(self, liquidation: Liquidation) -> None:
        """Clear the flag; what an emptied isolated wallet still holds goes back to its owner (LIQ-010)."""
        scope = liquidation.scope
        health, left = self._health(liquidation), self._close_outs.collateral_of(scope)
        self._sell_collateral_of(scope)
        leftover = self._close_outs.settle_flat(scope, liquidation.last_position)
        liquidation.note_cover(leftover.cover)
        self._close_outs.flag(scope, None)
        del self._state.liquidations[scope]
        self._tell_shares(liquidation, leftover.cover)
        self._trading.events.append(
            LiquidationFinished(
                record=liquidation.record(after=health, left=left, returned=leftover.returned, finished_ns=self._state.now_ns)
            )
        )


def _takeable(position: Position, other: Position) -> Lots:
    return min(abs(position.quantity), abs(other.quantity))


def _place(scope: Scope) -> tuple[str, str]:
    """Return a scope's place among equally urgent ones: by account, the cross scope before the isolated ones."""
    return scope.account, scope.position_id or ""
