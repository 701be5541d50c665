"""The fill loop: ask the book for the next match, ask the accounts about both sides, only then let both change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from exchange.accounts.position import Position, RestingOrder
from exchange.accounts.risk import BankruptcyTerms, FillCheck, FillVerdict, Leg, LegEffect, ProposedFill
from exchange.accounts.service import AccountService
from exchange.domain.copies import Copies
from exchange.domain.enums import Liquidity, OrderStatus, OrderType, SelfTradePrevention
from exchange.domain.events import (
    AnyEvent,
    FillSide,
    OrderCanceled,
    OrderFilled,
    OrderRested,
    OrderShrunk,
    TradeExecuted,
)
from exchange.domain.ids import AccountId, OrderId, Symbol
from exchange.domain.margin_math import notional_value
from exchange.domain.rejects import Reason
from exchange.domain.units import Cash, Lots, Ticks, TimeNs
from exchange.matching.book import Book
from exchange.matching.order import Order
from exchange.matching.rehearsal import RehearsedBook
from exchange.matching.trigger_book import TriggerBook
from exchange.venue.evidence import Evidence
from exchange.venue.state import Counters, VenueLimits

Books: TypeAlias = Mapping[Symbol, Book]


class Trading:
    """Walks between the two rooms for one command at a time; its events gather in ``events``."""

    def __init__(
        self,
        books: Books,
        accounts: AccountService,
        counters: Counters,
        limits: VenueLimits,
        *,
        triggers: TriggerBook | None = None,
        now_ns: TimeNs = 0,
    ) -> None:
        self._books = books
        self._accounts = accounts
        self._counters = counters
        self._limits = limits
        self._triggers = triggers
        self.now_ns = now_ns
        self.events: list[AnyEvent] = []
        self.evidence: Evidence | None = None
        """Where decisions are taken down; a rehearsal has none."""

    # -- an order's way in -----------------------------------------------------------------------------------------

    def enter(self, order: Order, *, is_reducing: bool, raises_reserve: bool) -> None:
        """Hold margin for an accepted order; a reducing one may cost others their offset (MARG-011)."""
        resting = RestingOrder(order.order_id, order.side.sign, order.limit_price, order.open_quantity, order.reduce_only)
        self._accounts.apply_order_entered(self._position_of(order), resting)
        if is_reducing and raises_reserve:
            self._shed(order.account, keep=order.order_id)

    def run(self, order: Order, terms: BankruptcyTerms | None = None) -> Reason | None:
        """Match an entered order and settle what is left of it; return why its rest was canceled, if it was."""
        reason = self.sweep(order, terms)
        if reason is None and order.open_quantity:
            reason = self._rest_or_reason(order)
        if reason is not None:
            self._end_unfilled(order, reason)
        elif not order.open_quantity:
            self.events.append(OrderFilled(order=order.view()))
        return reason

    def _rest_or_reason(self, order: Order) -> Reason | None:
        if not order.may_rest:
            return Reason.PROTECTION_PRICE if order.order_type is OrderType.MARKET else Reason.IOC_REMAINDER
        cap = self._fill_cap(order)
        if order.reduce_only and cap is not None and cap < order.open_quantity:
            order.open_quantity = cap
            self._accounts.apply_order_change(self._position_of(order), order.order_id, cap)
            self.events.append(OrderShrunk(order=order.view()))
        self._books[order.symbol].rest(order)
        self.events.append(OrderRested(order=order.view()))
        return None

    def fills_whole(self, order: Order, *, is_reducing: bool, raises_reserve: bool) -> bool:
        """Return whether a fill-or-kill order would fill, by walking the same loop on copies (BOOK-004)."""
        copy, books = order.copy(), Copies(self._books, RehearsedBook)
        rehearsal = Trading(books, self._accounts.rehearsal(), Counters(), self._limits)
        rehearsal.enter(copy, is_reducing=is_reducing, raises_reserve=raises_reserve)
        rehearsal.sweep(copy)
        return not copy.open_quantity

    def _position_of(self, order: Order) -> Position:
        return self._accounts.position(order.account, order.symbol, order.position_side)

    def _fill_cap(self, order: Order) -> Lots | None:
        return self._accounts.fill_cap(
            order.account, order.symbol, order.position_side, order.side.sign, reduce_only=order.reduce_only
        )

    # -- the loop --------------------------------------------------------------------------------------------------

    def sweep(self, taker: Order, terms: BankruptcyTerms | None = None) -> Reason | None:
        """Match ``taker`` until it is filled or meets no more; return why it had to stop before, if it had to."""
        book = self._books[taker.symbol]
        met = 0
        while taker.open_quantity:
            cap = self._fill_cap(taker)
            if cap == 0:
                return Reason.REDUCE_ONLY_EMPTY
            maker = book.next_match(taker)
            if maker is None:
                return None
            if met == self._limits.sweep_makers_max:
                return Reason.SWEEP_LIMIT
            met += 1
            if maker.account == taker.account:
                if self._prevent_self_trade(taker, maker):
                    return Reason.SELF_TRADE
                continue
            fill = self._propose(taker, maker, cap, terms)
            check = self._accounts.check_fill(fill)
            if self.evidence is not None:
                self.evidence.fill(fill, check, (taker.client_order_id, maker.client_order_id))
            match check.verdict:
                case FillVerdict.MAKER_FAILS:
                    self.cancel(maker, Reason.MAKER_FILL_CHECK_FAILED)
                case FillVerdict.TAKER_FAILS:
                    return check.reason
                case FillVerdict.ADMIT:
                    self._trade(taker, maker, fill, check)
        return None

    def _prevent_self_trade(self, taker: Order, maker: Order) -> bool:
        """Apply the taker's mode; return whether the taker ends here (BOOK-008)."""
        mode = taker.self_trade_prevention
        if mode is not SelfTradePrevention.CANCEL_TAKER:
            self.cancel(maker, Reason.SELF_TRADE)
        return mode is not SelfTradePrevention.CANCEL_MAKER

    def _propose(self, taker: Order, maker: Order, taker_cap: Lots | None, terms: BankruptcyTerms | None) -> ProposedFill:
        """Return the largest match that takes neither side across zero (BOOK-011)."""
        quantity = min(taker.open_quantity, maker.open_quantity)
        for cap in (taker_cap, self._fill_cap(maker)):
            quantity = quantity if cap is None else min(quantity, cap)
        return ProposedFill(
            taker.symbol,
            maker.limit_price,
            quantity,
            Leg(taker.account, taker.order_id, taker.side.sign, taker.position_side, terms),
            Leg(maker.account, maker.order_id, maker.side.sign, maker.position_side),
        )

    def _trade(self, taker: Order, maker: Order, fill: ProposedFill, check: FillCheck) -> None:
        accounts = self._accounts
        assert check.taker is not None, "an admitted fill has both effects"
        assert check.maker is not None, "an admitted fill has both effects"
        held = [self._order_margin_of(order) for order in (maker, taker)]
        value = notional_value(accounts.instruments[fill.symbol], fill.quantity, fill.price)
        self._books[fill.symbol].execute(taker, maker, fill.quantity, value)
        accounts.apply_fill(fill, check)
        self.events.append(
            TradeExecuted(
                trade_id=self._counters.next_trade_id(),
                symbol=fill.symbol,
                price=fill.price,
                quantity=fill.quantity,
                taker_side=taker.side,
                maker=_side_of(maker, Liquidity.MAKER, check.maker),
                taker=_side_of(taker, Liquidity.TAKER, check.taker),
                time_ns=self.now_ns,
                liquidation_id=taker.liquidation_id,
            )
        )
        if not maker.open_quantity:
            self.events.append(OrderFilled(order=maker.view()))
        for order, effect, before in zip((maker, taker), (check.maker, check.taker), held, strict=True):
            self._remeasure_reduce_only(self._position_of(order), taker.order_id)
            if effect.reduces and self._order_margin_of(order) > before:
                self._shed(order.account, keep=order.order_id)

    def _order_margin_of(self, order: Order) -> Cash:
        return self._accounts.order_margin_of(order.account, order.symbol, order.position_side)

    # -- what a fill does to other orders --------------------------------------------------------------------------

    def _remeasure_reduce_only(self, position: Position, taker_id: OrderId) -> None:
        """Cut the position's reduce-only orders to what is left to reduce (BOOK-010); the loop caps the taker itself."""
        for order_id, room in self._accounts.reduce_only_excess(position):
            if order_id == taker_id:
                continue
            if room:
                order = self._books[position.symbol].orders[order_id]
                self._books[position.symbol].shrink(order, room)
                self._accounts.apply_order_change(position, order_id, room)
                self.events.append(OrderShrunk(order=order.view()))
            else:
                self._cancel_of(position, order_id, Reason.REDUCE_ONLY_EMPTY)

    def _shed(self, account: AccountId, *, keep: OrderId) -> None:
        """Cancel orders that lost their offset until the account's reserves fit again (MARG-011)."""
        while (costly := self._accounts.order_to_shed(account, keep)) is not None:
            self._cancel_of(*costly, Reason.OFFSET_LOST)

    def _cancel_of(self, position: Position, order_id: OrderId, reason: Reason) -> None:
        self.cancel(self._books[position.symbol].orders[order_id], reason)

    def cut(self, order: Order, quantity: Lots) -> None:
        """Lower a resting order's total; it keeps its place (BOOK-019)."""
        order.quantity = quantity
        left = quantity - order.filled_quantity
        if left < order.open_quantity:
            self._books[order.symbol].shrink(order, left)
            self._accounts.apply_order_change(self._position_of(order), order.order_id, left)

    def take_back(self, order: Order, limit_price: Ticks, quantity: Lots) -> None:
        """Take a resting order out of both rooms, to enter again with other terms (BOOK-019)."""
        self._books[order.symbol].remove(order)
        self._accounts.apply_order_change(self._position_of(order), order.order_id, 0)
        order.limit_price, order.quantity = limit_price, quantity
        order.open_quantity = quantity - order.filled_quantity

    def cancel(self, order: Order, reason: Reason) -> None:
        """Take a resting order out of both rooms, or an untriggered one out of where it waits."""
        if order.status is OrderStatus.UNTRIGGERED:
            assert self._triggers is not None, "a rehearsal meets no untriggered order"
            self._triggers.remove(order)
            self.end(order, reason)
            return
        self._books[order.symbol].remove(order)
        self._end_unfilled(order, reason)

    def _end_unfilled(self, order: Order, reason: Reason) -> None:
        self._accounts.apply_order_change(self._position_of(order), order.order_id, 0)
        self.end(order, reason)

    def end(self, order: Order, reason: Reason) -> None:
        """Cancel what is open of an order that holds no margin (any more)."""
        canceled = order.cancel()
        self.events.append(OrderCanceled(order=order.view(), reason=reason, canceled_quantity=canceled))


def _side_of(order: Order, liquidity: Liquidity, effect: LegEffect) -> FillSide:
    return FillSide(
        account=order.account,
        order=order.view(),
        liquidity=liquidity,
        fee=effect.fee,
        realized_pnl=effect.realized,
        margin_in=effect.margin_in,
        margin_out=effect.margin_out,
    )
