"""Orders in and out: filters, margin check, acceptance, cancellation."""

from __future__ import annotations

from msgspec.structs import replace

from exchange.accounts.risk import OrderCheck
from exchange.domain.commands import AmendOrder, CancelAllOrders, CancelOrder, PlaceOrder
from exchange.domain.enums import OrderStatus, OrderType, TimeInForce
from exchange.domain.events import CommandRejected, OrderAccepted, OrderRejected, OrderRepeated, OrderTriggered
from exchange.domain.instrument import Instrument
from exchange.domain.rejects import Reason
from exchange.domain.triggers import Trigger
from exchange.domain.units import PRICE_TICKS_MAX, Lots, Ticks
from exchange.matching.admission import Refusal, check_filters, check_form, effective_limit
from exchange.matching.order import Order
from exchange.venue.placements import Placement
from exchange.venue.state import VenueState
from exchange.venue.trading import Trading


def place(state: VenueState, trading: Trading, command: PlaceOrder) -> None:
    """Enter an order: every filter, then the margin check, then acceptance and matching (BOOK-006, MARG-010)."""
    instrument, mark = state.instruments.get(command.symbol), state.accounts.marks.get(command.symbol)
    if command.account not in state.accounts.accounts:
        return _reject(state, trading, command, Refusal(Reason.UNKNOWN_ACCOUNT))
    if instrument is None:
        return _reject(state, trading, command, Refusal(Reason.UNKNOWN_SYMBOL))
    if _repeats(state, trading, command):
        return None
    asked, command = command, _as_meant(state, command)
    refusal = _early_refusal(state, command, instrument, mark)
    if refusal is not None or mark is None:
        assert refusal is not None, "a missing mark is a refusal"
        return _reject(state, trading, command, refusal)
    if command.trigger is not None:
        return _await_trigger(state, trading, asked, command, command.trigger)
    limit = effective_limit(command, instrument, mark)
    check = state.accounts.check_order(command, limit)
    refusal = _refusal(state, command, mark, limit, check)
    if refusal is not None:
        return _reject(state, trading, command, refusal, (limit, check))
    order = _order(state, command, limit)
    reducing, raises = check.is_reducing, check.decision.required > 0
    if command.time_in_force is TimeInForce.FOK and not trading.fills_whole(order, is_reducing=reducing, raises_reserve=raises):
        return _reject(state, trading, command, Refusal(Reason.FOK_UNFILLABLE), (limit, check))
    order.order_id = state.counters.next_order_id()
    if trading.evidence is not None:
        trading.evidence.order(command, order.order_id, (limit, check))
    accepted = OrderAccepted(order=order.view(), decision=check.decision)
    trading.events.append(accepted)
    trading.enter(order, is_reducing=reducing, raises_reserve=raises)
    trading.run(order)
    if command.client_order_id is not None:
        placement = Placement(command.client_order_id, asked, accepted, order, order.view())
        state.remember(placement)
    return None


def _await_trigger(state: VenueState, trading: Trading, asked: PlaceOrder, command: PlaceOrder, trigger: Trigger) -> None:
    """Accept an order that waits for a price: it holds no margin, and is judged as a new one when that comes (TRIG-002)."""
    refusal = _trigger_refusal(state, command, trigger) or _check_open_orders(state, command)
    if refusal is not None:
        return _reject(state, trading, command, refusal)
    order = _order(state, command, effective_limit(command, state.instruments[command.symbol], trigger.price))
    order.order_id = state.counters.next_order_id()
    if trading.evidence is not None:
        trading.evidence.order(command, order.order_id, None)
    state.triggers.add(order)
    decision = state.accounts.standing_decision(command.account, command.symbol, command.position_side)
    accepted = OrderAccepted(order=order.view(), decision=decision)
    trading.events.append(accepted)
    if command.client_order_id is not None:
        state.remember(Placement(command.client_order_id, asked, accepted, order, order.view()))
    return None


def _trigger_refusal(state: VenueState, command: PlaceOrder, trigger: Trigger) -> Refusal | None:
    """Return what is wrong with what an order waits for, or None (TRIG-001)."""
    if not 1 <= trigger.price <= PRICE_TICKS_MAX:
        return Refusal(Reason.TRIGGER_PRICE_RANGE, PRICE_TICKS_MAX, trigger.price)
    price = state.price_of(command.symbol, trigger.by)
    if price is None:
        return Refusal(Reason.TRIGGER_PRICE_UNKNOWN)
    return Refusal(Reason.WOULD_TRIGGER, price, trigger.price) if trigger.holds(command.side, price) else None


def enter_triggered(state: VenueState, trading: Trading, order: Order, price: Ticks) -> None:
    """Send an untriggered order in as a new one: it enters, or is canceled for what refuses it (TRIG-003).

    Units: ``price`` ticks, the price that triggered it.
    """
    state.triggers.remove(order)
    if order.close_position:
        order.quantity = order.open_quantity = _closing_quantity(state, order) or order.quantity
    command = _triggered(order)
    instrument, mark = state.instruments[order.symbol], state.accounts.marks[order.symbol]
    order.status, order.limit_price = OrderStatus.OPEN, effective_limit(command, instrument, mark)
    check = refusal = None
    if not state.accounts.check_position_side(order.account, order.position_side):
        refusal = Refusal(Reason.POSITION_SIDE)
    else:
        check = state.accounts.check_order(command, order.limit_price)
        refusal = _refusal(state, command, mark, order.limit_price, check)
        if refusal is None and order.quantity > instrument.quantity_max:  # a position that has grown
            refusal = Refusal(Reason.QUANTITY_MAX, instrument.quantity_max, order.quantity)
    reducing, raises = check is not None and check.is_reducing, check is not None and check.decision.required > 0
    must_fill = refusal is None and command.time_in_force is TimeInForce.FOK
    if must_fill and not trading.fills_whole(order, is_reducing=reducing, raises_reserve=raises):
        refusal = Refusal(Reason.FOK_UNFILLABLE)
    if trading.evidence is not None:
        checked = None if check is None else (order.limit_price, check)
        trading.evidence.order(command, order.order_id, checked, refusal)
    decision = check.decision if check is not None else None
    decision = decision or state.accounts.standing_decision(order.account, order.symbol, order.position_side)
    reason = None if refusal is None else refusal.reason
    trading.events.append(OrderTriggered(order=order.view(), price=price, decision=decision, reason=reason))
    if reason is not None:
        trading.end(order, reason)
        return
    trading.enter(order, is_reducing=reducing, raises_reserve=raises)
    trading.run(order)


def _triggered(order: Order) -> PlaceOrder:
    """Return the command that would place an untriggered order now; its form was checked when it came."""
    return PlaceOrder(
        account=order.account,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        order_type=order.order_type,
        limit_price=order.limit_price if order.order_type is OrderType.LIMIT else None,
        time_in_force=order.time_in_force,
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        self_trade_prevention=order.self_trade_prevention,
        client_order_id=order.client_order_id,
        position_side=order.position_side,
        expire_time_ns=order.expire_time_ns,
    )


def _as_meant(state: VenueState, command: PlaceOrder) -> PlaceOrder:
    """Return the order as it is meant: one that closes has the position's size (BOOK-020), 0 where there is none to close.

    In hedge mode one against its own side can only reduce (MARG-025).
    """
    if command.close_position:
        return replace(command, quantity=_closing_quantity(state, command), reduce_only=True)
    if command.side.sign * command.position_side.sign < 0 and not command.reduce_only:
        return replace(command, reduce_only=True)
    return command


def _closing_quantity(state: VenueState, order: PlaceOrder | Order) -> Lots:
    """Return the size of the position that an order would close whole, 0 where there is none on the other side (BOOK-020)."""
    held = state.accounts.position_quantity(order.account, order.symbol, order.position_side)
    return abs(held) if held * order.side.sign < 0 else 0


def _early_refusal(state: VenueState, command: PlaceOrder, instrument: Instrument, mark: Ticks | None) -> Refusal | None:
    """Return what is wrong with an order whatever its account stands like."""
    if not state.accounts.check_position_side(command.account, command.position_side):
        return Refusal(Reason.POSITION_SIDE)
    if command.close_position and not command.quantity:
        return Refusal(Reason.REDUCE_ONLY_NO_POSITION)
    refusal = check_form(command, instrument)
    if refusal is not None:
        return refusal
    if command.expire_time_ns is not None and command.expire_time_ns <= state.now_ns:
        return Refusal(Reason.EXPIRE_TIME_PASSED)
    if command.symbol in state.halted:
        return Refusal(Reason.SYMBOL_HALTED)
    return Refusal(Reason.NO_MARK_PRICE) if mark is None else None


def _repeats(state: VenueState, trading: Trading, command: PlaceOrder) -> bool:
    """Answer a client order id that is remembered; return whether it was (BOOK-014)."""
    if command.client_order_id is None:
        return False
    kept = state.recall(command.account, command.client_order_id)
    if kept is None:
        return False
    if kept.command == command:
        trading.events.append(OrderRepeated(accepted=kept.accepted, outcome=kept.outcome))
    else:
        _reject(state, trading, command, Refusal(Reason.CLIENT_ORDER_ID_REUSED))
    return True


def _refusal(state: VenueState, command: PlaceOrder, mark: Ticks, limit: Ticks, check: OrderCheck) -> Refusal | None:
    """Return why an order may not enter now, or None: its market, the bound on open orders, its margin check."""
    refusal = market_refusal(state, command, state.instruments[command.symbol], mark, limit)
    if refusal is None and command.order_type is OrderType.LIMIT and command.time_in_force.rests:
        refusal = _check_open_orders(state, command)
    if refusal is None and check.reason is not None:
        refusal = Refusal(check.reason, check.limit, check.actual)
    return refusal


def market_refusal(state: VenueState, command: PlaceOrder, instrument: Instrument, mark: Ticks, limit: Ticks) -> Refusal | None:
    """Return the filter that an order misses as its market and its position stand, or None."""
    position = state.accounts.position(command.account, command.symbol, command.position_side)
    refusal = check_filters(command, instrument, mark, position.quantity)
    if refusal is not None:
        return refusal
    if command.post_only and state.books[command.symbol].would_cross(command.side, limit):
        return Refusal(Reason.POST_ONLY_WOULD_CROSS, state.books[command.symbol].best_price(command.side.opposite))
    return None


def _check_open_orders(state: VenueState, command: PlaceOrder) -> Refusal | None:
    """Return the bound on resting orders that one more would break (BOOK-007)."""
    limits, owner = state.limits, state.accounts.account(command.account)
    untriggered = state.triggers.of_account(command.account)
    in_symbol = sum(len(held.orders) for held in owner.positions_in(command.symbol))
    in_symbol += sum(1 for each in untriggered if each.symbol == command.symbol)
    if in_symbol >= limits.open_orders_max:
        return Refusal(Reason.OPEN_ORDERS_MAX, limits.open_orders_max, in_symbol)
    in_all = sum(len(held.orders) for held in owner.positions.values()) + len(untriggered)
    if in_all >= limits.account_orders_max:
        return Refusal(Reason.ACCOUNT_ORDERS_MAX, limits.account_orders_max, in_all)
    return None


def _order(state: VenueState, command: PlaceOrder, limit: Ticks) -> Order:
    """Return the order that the command asks for; it gets its id when it is accepted."""
    return Order(
        order_id=state.counters.order_id + 1,
        account=command.account,
        symbol=command.symbol,
        side=command.side,
        quantity=command.quantity,
        limit_price=limit,
        time_ns=state.now_ns,
        order_type=command.order_type,
        time_in_force=command.time_in_force,
        post_only=command.post_only,
        reduce_only=command.reduce_only,
        self_trade_prevention=command.self_trade_prevention,
        client_order_id=command.client_order_id,
        position_side=command.position_side,
        close_position=command.close_position,
        expire_time_ns=command.expire_time_ns,
        trigger=command.trigger,
    )


def _reject(
    state: VenueState,
    trading: Trading,
    command: PlaceOrder,
    refusal: Refusal,
    checked: tuple[Ticks, OrderCheck] | None = None,
) -> None:
    """Refuse an order; ``checked`` is the worst price that it was checked at, and what that check found."""
    if trading.evidence is not None:
        trading.evidence.order(command, None, checked, refusal)
    decision = None if checked is None else checked[1].decision
    known = command.account in state.accounts.accounts and command.symbol in state.instruments
    if decision is None and known:
        decision = state.accounts.standing_decision(command.account, command.symbol, command.position_side)
    trading.events.append(
        OrderRejected(
            account=command.account,
            symbol=command.symbol,
            client_order_id=command.client_order_id,
            reason=refusal.reason,
            limit=refusal.limit,
            actual=refusal.actual,
            decision=decision,
        )
    )


def named_order(state: VenueState, command: CancelOrder | AmendOrder) -> Order | None:
    """Return the open order of the account that a command names by either id, or None (BOOK-009)."""
    order_id = command.order_id
    if order_id is None and command.client_order_id is not None:
        kept = state.recall(command.account, command.client_order_id)
        order_id = None if kept is None else kept.order.order_id
    return None if order_id is None else state.find_order(command.account, order_id)


def cancel(state: VenueState, trading: Trading, command: CancelOrder) -> None:
    """Cancel one order; what is unknown, gone or another's is not found (BOOK-009)."""
    order = named_order(state, command)
    if order is None:
        trading.events.append(CommandRejected(account=command.account, command="CancelOrder", reason=Reason.NOT_FOUND))
        return
    trading.cancel(order, Reason.CANCELED_BY_OWNER)


def cancel_all(state: VenueState, trading: Trading, command: CancelAllOrders) -> None:
    """Cancel every open order of the account that the command means, by order id."""
    known = command.account in state.accounts.accounts
    if not known or (command.symbol is not None and command.symbol not in state.instruments):
        reason = Reason.UNKNOWN_SYMBOL if known else Reason.UNKNOWN_ACCOUNT
        trading.events.append(
            CommandRejected(account=command.account, command="CancelAllOrders", reason=reason, symbol=command.symbol)
        )
        return
    cancel_open(state, trading, Reason.CANCELED_BY_OWNER, command)


def cancel_open(state: VenueState, trading: Trading, reason: Reason, which: CancelAllOrders) -> None:
    """Cancel the open and untriggered orders that ``which`` means, of an account that exists, by order id."""
    order_ids = [
        (order.order_id, position.symbol)
        for position in state.accounts.account(which.account).positions.values()
        if which.symbol in (None, position.symbol) and which.position_side in (None, position.position_side)
        for order in position.orders.values()
        if which.side is None or which.side.sign == order.sign
    ]
    orders = [state.books[symbol].orders[order_id] for order_id, symbol in order_ids]
    orders.extend(
        order
        for order in state.triggers.of_account(which.account, which.symbol)
        if which.position_side in (None, order.position_side) and which.side in (None, order.side)
    )
    for order in sorted(orders, key=lambda each: each.order_id):
        trading.cancel(order, reason)
