"""One step of a liquidation: the scope's orders, the owner's own money, the public book, the fund, deleveraging."""

from __future__ import annotations

from exchange.accounts.liquidation import Leftover
from exchange.accounts.loss_cover import Cover
from exchange.accounts.position import Position
from exchange.accounts.risk import Scope
from exchange.accounts.service import AccountService
from exchange.domain.enums import OrderType, SelfTradePrevention, Side, TimeInForce, TradingState
from exchange.domain.events import (
    CloseOutVenue,
    CollateralSold,
    LiquidationOrdersCanceled,
    LiquidationOrderSettled,
    LiquidationWaiting,
    LossSocialized,
    MarginMoved,
    OrderAccepted,
    PositionTransferred,
    TradeExecuted,
    TradingStateSet,
)
from exchange.domain.ids import INSURANCE_FUND, Symbol
from exchange.domain.policy import AdlPrice, BadDebtPolicy, UnfilledPolicy
from exchange.domain.rejects import Reason
from exchange.domain.units import PRICE_TICKS_MAX, Lots, Ticks
from exchange.domain.views import ScopeHealth
from exchange.matching.order import Order
from exchange.venue.evidence import Sizing
from exchange.venue.liquidations import Liquidation
from exchange.venue.state import VenueState
from exchange.venue.trading import Trading


class Closing:
    """Takes the steps; whose turn it is decides ``Resolution``."""

    def __init__(self, state: VenueState, trading: Trading) -> None:
        self._state = state
        self._trading = trading
        self._accounts = state.accounts
        self._close_outs = state.close_outs

    def take_step(self, liquidation: Liquidation) -> None:
        """Cancel, top up, check again, and send one order; what the book does not take goes to those who must."""
        self._cancel_orders(liquidation)
        if self.is_breached(liquidation):
            self._replenish(liquidation)
        if self.is_breached(liquidation):
            position = self._close_outs.next_position(liquidation.scope, lambda symbol: symbol not in self._state.halted)
            if position is None:
                self._wait(liquidation, halted=True)
            elif self._through_the_book(liquidation, position) and not self._may_wait(liquidation):
                self._to_fund(liquidation, position)
                self._to_opposite_accounts(liquidation, position)

    def is_breached(self, liquidation: Liquidation) -> bool:
        """Return whether the liquidation has to go on."""
        return self._accounts.scope_risk(liquidation.scope).is_breached

    def _must_close(self, liquidation: Liquidation, position: Position) -> bool:
        return bool(position.quantity) and self.is_breached(liquidation)

    def health(self, liquidation: Liquidation) -> ScopeHealth:
        """Return how the scope stands now."""
        return self._accounts.scope_risk(liquidation.scope).health()

    def _cancel_orders(self, liquidation: Liquidation) -> None:
        """Clear the scope's own orders away, those too that came while it waited (LIQ-002)."""
        count = 0
        for position in self._close_outs.positions_of(liquidation.scope):
            resting = [self._state.books[position.symbol].orders[order_id] for order_id in sorted(position.orders)]
            waiting = self._state.triggers.of_position(position.account, position.symbol, position.position_side)
            for order in (*resting, *waiting):
                self._trading.cancel(order, Reason.LIQUIDATION)
            count += len(resting) + len(waiting)
        liquidation.orders_canceled += count
        if count or not liquidation.has_canceled:
            liquidation.has_canceled = True
            self._trading.events.append(
                LiquidationOrdersCanceled(
                    liquidation_id=liquidation.liquidation_id, orders=count, health=self.health(liquidation)
                )
            )

    def _replenish(self, liquidation: Liquidation) -> None:
        """Top up from the owner's own money where the owner wants that and it cures (MARG-024)."""
        position, evidence = isolated_position(self._accounts, liquidation.scope), self._state.evidence
        before = None if evidence is None or position is None else evidence.moment(position)
        amount = self._close_outs.replenish(liquidation.scope)
        if not amount or position is None:
            return
        if evidence is not None and before is not None:
            evidence.replenish(position, liquidation.liquidation_id, before, amount)
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
        before = self.health(liquidation)
        liquidation.last_position = position
        may_be_partial = liquidation.rounds < self._state.policy.liquidation_rounds_max
        fee_rate = self._close_outs.fee_rate(position, self._state.now_ns - liquidation.started_ns)
        wanted = self._close_outs.close_quantity(position, fee_rate, may_be_partial=may_be_partial)
        quantity = min(wanted, position.instrument.quantity_max)
        terms, bankruptcy_price = self._close_outs.terms(position, fee_rate)
        limit = self._close_outs.order_limit(position, bankruptcy_price, quantity)
        if self._state.evidence is not None:
            sizing = Sizing(may_be_partial, wanted, quantity, bankruptcy_price, limit)
            self._state.evidence.close(position, liquidation.liquidation_id, terms, sizing)
        side = Side.SELL if position.quantity > 0 else Side.BUY
        wallet, fund = self._accounts.wallet_of(position), self._accounts.ledger.fund.wallet
        wallet_before, fund_before = wallet.balance, fund.balance
        order = self._closing_order(liquidation, position, side, quantity, limit)
        stopped, told = None, len(self._trading.events)
        if order is not None:
            self._trading.events.append(OrderAccepted(order=order.view(), decision=None))
            self._trading.enter(order, is_reducing=True, raises_reserve=False)
            stopped = self._trading.run(order, terms)
        filled, value = (0, 0) if order is None else (order.filled_quantity, order.filled_value)
        fee = fund.balance - fund_before
        realized = wallet.balance - wallet_before + fee
        fees = (event.taker.fee for event in self._trading.events[told:] if isinstance(event, TradeExecuted))
        liquidation.note_order(position.symbol, filled, value, realized, fee, sum(max(0, -each) for each in fees))
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
                after=self.health(liquidation),
            )
        )
        return filled < quantity and stopped is not Reason.SWEEP_LIMIT and self.is_breached(liquidation)

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
            lots = _takeable(position, other)
            if not self._close_outs.can_be_deleveraged(other, position, lots):
                skipped.append(other)
                continue
            if self._deleverages_at_mark and self._must_halt(position, lots):
                self._halt(liquidation, position.symbol)
                return
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

    @property
    def _deleverages_at_mark(self) -> bool:
        return self._state.policy.adl_price is AdlPrice.MARK

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
        before, side = self.health(liquidation), Side.SELL if position.quantity > 0 else Side.BUY
        liquidation.last_position = position
        at_mark = venue is CloseOutVenue.RESIDUAL or (venue is CloseOutVenue.AUTO_DELEVERAGE and self._deleverages_at_mark)
        apply = self._close_outs.apply_at_mark if at_mark else self._close_outs.apply_at_bankruptcy
        moment = None if self._state.evidence is None else self._state.evidence.moment(position)
        done = apply(position, other, lots)
        if self._state.evidence is not None and moment is not None:
            self._state.evidence.transfer(position, liquidation.liquidation_id, venue, moment, done)
        liquidation.note_transfer(position, other, lots, done)
        others = self._state.liquidations.get(Scope(other.account, other.position_id))
        if others is not None:
            others.returned += done.settled.returned
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
                after=self.health(liquidation),
            )
        )
        self.tell_sales(Scope(other.account, None), done.settled)
        self.tell_shares(liquidation, done.cover)

    def tell_sales(self, scope: Scope, left: Leftover) -> None:
        """Tell what collateral a flat scope had to sell (MARG-026)."""
        self._trading.events.extend(
            CollateralSold(account=scope.account, asset=sale.asset, quantity=sale.quantity, proceeds=sale.proceeds)
            for sale in left.sales
        )

    def tell_shares(self, liquidation: Liquidation, cover: Cover) -> None:
        """Tell each winner what it paid of a loss (LIQ-009)."""
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


def _takeable(position: Position, other: Position) -> Lots:
    return min(abs(position.quantity), abs(other.quantity))


def isolated_position(accounts: AccountService, scope: Scope) -> Position | None:
    """Return the position that an isolated scope is; None for a cross scope."""
    return None if scope.position_id is None else accounts.accounts[scope.account].positions[scope.position_id]
