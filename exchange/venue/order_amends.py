"""Orders given other terms: cut where they stand, or sent in again under the same id (BOOK-019)."""

from __future__ import annotations

from exchange.accounts.risk import OrderCheck
from exchange.domain.commands import AmendOrder, PlaceOrder
from exchange.domain.enums import OrderStatus
from exchange.domain.events import AmendRejected, CommandRejected, OrderAmended
from exchange.domain.rejects import Reason
from exchange.domain.units import Lots, Ticks
from exchange.matching.admission import Refusal, check_form
from exchange.matching.order import Order
from exchange.venue.order_commands import market_refusal, named_order
from exchange.venue.state import VenueState
from exchange.venue.trading import Trading


def amend(state: VenueState, trading: Trading, command: AmendOrder) -> None:
    """Give an open order another limit, another total, or both; a refused one stays as it is (BOOK-019)."""
    order = named_order(state, command)
    if order is None:
        trading.events.append(CommandRejected(account=command.account, command="AmendOrder", reason=Reason.NOT_FOUND))
        return
    if order.status is OrderStatus.UNTRIGGERED:
        trading.events.append(CommandRejected(account=command.account, command="AmendOrder", reason=Reason.UNTRIGGERED))
        return
    price = order.limit_price if command.limit_price is None else command.limit_price
    quantity = order.quantity if command.quantity is None else command.quantity
    refusal = check_form(_as_new(order, price, quantity), state.instruments[order.symbol])
    if refusal is not None:
        _reject(state, trading, order, _as_new(order, price, quantity), refusal)
    elif quantity <= order.filled_quantity:
        trading.cancel(order, Reason.AMENDED_TO_FILLED)
    elif price == order.limit_price and quantity <= order.quantity:
        _cut(state, trading, order, quantity)
    else:
        _enter_again(state, trading, order, price, quantity)


def _as_new(order: Order, price: Ticks, quantity: Lots) -> PlaceOrder:
    """Return the new order that an amended one is judged as."""
    return PlaceOrder(
        account=order.account,
        symbol=order.symbol,
        side=order.side,
        quantity=quantity,
        limit_price=price,
        time_in_force=order.time_in_force,
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        self_trade_prevention=order.self_trade_prevention,
        client_order_id=order.client_order_id,
        position_side=order.position_side,
        expire_time_ns=order.expire_time_ns,
    )


def _cut(state: VenueState, trading: Trading, order: Order, quantity: Lots) -> None:
    """Lower an order's total where it stands: a cancellation of a part, which nothing can stand in the way of."""
    left = min(order.open_quantity, quantity - order.filled_quantity)
    as_new = _as_new(order, order.limit_price, left)
    check = state.accounts.check_order(as_new, order.limit_price, replaces=order.order_id, keeps_place=True)
    trading.cut(order, quantity)
    trading.events.append(OrderAmended(order=order.view(), keeps_place=True, decision=check.decision))


def _enter_again(state: VenueState, trading: Trading, order: Order, price: Ticks, quantity: Lots) -> None:
    """Judge what would be open as a new order of that size, its own reservation being free, and send it in as one."""
    as_new = _as_new(order, price, quantity - order.filled_quantity)
    if order.symbol in state.halted:
        return _reject(state, trading, order, as_new, Refusal(Reason.SYMBOL_HALTED))
    mark = state.accounts.marks[order.symbol]
    check = state.accounts.check_order(as_new, price, replaces=order.order_id)
    refusal = market_refusal(state, as_new, state.instruments[order.symbol], mark, price)
    if refusal is None and check.reason is not None:
        refusal = Refusal(check.reason, check.limit, check.actual)
    if refusal is not None:
        return _reject(state, trading, order, as_new, refusal, (price, check))
    if trading.evidence is not None:
        trading.evidence.order(as_new, order.order_id, (price, check), amends=order.order_id)
    trading.take_back(order, price, quantity)
    trading.events.append(OrderAmended(order=order.view(), keeps_place=False, decision=check.decision))
    trading.enter(order, is_reducing=check.is_reducing, raises_reserve=check.decision.required > 0)
    trading.run(order)
    return None


def _reject(
    state: VenueState,
    trading: Trading,
    order: Order,
    as_new: PlaceOrder,
    refusal: Refusal,
    checked: tuple[Ticks, OrderCheck] | None = None,
) -> None:
    """Refuse an order other terms; ``checked`` is the price that they were checked at, and what that check found."""
    if trading.evidence is not None:
        trading.evidence.order(as_new, order.order_id, checked, refusal, amends=order.order_id)
    decision = None if checked is None else checked[1].decision
    trading.events.append(
        AmendRejected(
            order=order.view(),
            reason=refusal.reason,
            limit=refusal.limit,
            actual=refusal.actual,
            decision=decision or state.accounts.standing_decision(order.account, order.symbol, order.position_side),
        )
    )
