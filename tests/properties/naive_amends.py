"""Amended orders of the naive venue (BOOK-019): cut in place, or taken out and judged as new ones."""

from __future__ import annotations

from dataclasses import replace

from exchange.domain.commands import AmendOrder, CancelOrder, PlaceOrder
from exchange.domain.enums import Side
from exchange.domain.rejects import Reason
from tests.properties.naive_accounts import Account, Order, Position
from tests.properties.naive_markets import NaiveMarkets
from tests.properties.naive_outcome import Decision


class NaiveAmends(NaiveMarkets):
    """Everything but the door, with amends."""

    amends = 0
    """How many orders have lost their place so far."""

    def named(self, command: AmendOrder | CancelOrder) -> Order | None:
        """BOOK-009."""
        _, order_id = self.remembered.get((command.account, command.client_order_id or ""), (None, command.order_id))
        found = [o for o in self.orders if o.order_id == order_id and o.account == command.account]
        return found[0] if found else None

    def amend(self, command: AmendOrder) -> None:
        order = self.named(command)
        if order is None:
            self.outcome.refused = {Reason.NOT_FOUND}
            return
        account = self.accounts[order.account]
        p = account.positions[order.position]
        available = self.available_to(account, p)
        self.outcome.standing = Decision(p.mode, 0, available, available, self.liquidation_price(account, p))
        price = order.price if command.limit_price is None else command.limit_price
        quantity = order.quantity if command.quantity is None else command.quantity
        self.outcome.refused = self.shape_faults(as_new(order, p, price, quantity))
        if self.outcome.refused:
            return
        if quantity <= order.filled:
            self.remove(order, Reason.AMENDED_TO_FILLED)
        elif price == order.price and quantity <= order.quantity:
            self.cut(order, account, p, quantity)
        else:
            self.enter_again(order, p, price, quantity)

    def cut(self, order: Order, account: Account, p: Position, quantity: int) -> None:
        before = self.available_to(account, p, without=order)
        order.quantity, order.open = quantity, min(order.open, quantity - order.filled)
        required = self.order_margin(account, p) - self.margin_without(account, p, order)
        after = self.price_if_filled(replace(order, quantity=order.open))
        self.outcome.decision = Decision(p.mode, required, before, before - required, after)
        self.outcome.amended.append((order.order_id, True))

    def enter_again(self, order: Order, p: Position, price: int, quantity: int) -> None:
        """The order is taken out; what would be open is a new order, or the old one goes back where it was."""
        place, left = self.orders.index(order), quantity - order.filled
        self.orders.remove(order)
        trial = replace(order, price=price, quantity=left, resting=False, arrived=(self.next_order_id - 1, self.amends + 1))
        command = as_new(order, p, price, left)
        faults = self.filter_faults(command, trial, p) | self.margin_faults(trial, p)
        self.orders.insert(place, order)
        if order.symbol in self.halted:
            faults.add(Reason.SYMBOL_HALTED)
        self.outcome.refused = faults
        if faults:
            return
        account = self.accounts[order.account]
        reducing = self.is_risk_reducing(
            trial, p, [o for o in self.orders_of(order.account, p.name) if o is not order] + [trial]
        )
        before = self.margin_without(account, p, order)
        self.amends += 1
        order.price, order.quantity, order.open = price, quantity, left
        order.resting, order.arrived = False, trial.arrived
        self.outcome.amended.append((order.order_id, False))
        if reducing:
            self.cancel_for_lost_offset(order, before)
        self.sweep(order, order.prevention)
        if order in self.orders:
            order.resting = True
            self.remeasure(order.account, order.position)

    def margin_without(self, account: Account, p: Position, order: Order) -> int:
        return self.order_margin(account, p, [o for o in self.orders_of(account.name, p.name) if o is not order])


def as_new(order: Order, p: Position, price: int, quantity: int) -> PlaceOrder:
    """The new order that the amended one is judged as."""
    return PlaceOrder(
        account=order.account,
        symbol=order.symbol,
        side=Side.BUY if order.side > 0 else Side.SELL,
        quantity=quantity,
        limit_price=price,
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        self_trade_prevention=order.prevention,
        position_side=p.side,
    )
