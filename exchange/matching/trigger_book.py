"""The orders that wait for a price, found by it: what a new price triggers costs what it triggers, however many wait."""

from __future__ import annotations

from collections import OrderedDict

from sortedcontainers import SortedList

from exchange.domain.enums import OrderStatus, PositionSide
from exchange.domain.ids import AccountId, OrderId, Symbol
from exchange.domain.triggers import TriggerSource
from exchange.domain.units import Ticks, TimeNs
from exchange.matching.order import Order


class TriggerBook:
    """Every untriggered order of the venue, those among them whose trigger was crossed and that are still to enter.

    What waits in one direction of one price of a symbol is sorted by ``direction * trigger price`` and then id: the first
    is crossed first.
    """

    __slots__ = ("_crossed", "_expiries", "_of", "_waiting", "orders")

    def __init__(self) -> None:
        self.orders: dict[OrderId, Order] = {}
        self._of: dict[AccountId, dict[OrderId, Order]] = {}
        self._waiting: dict[tuple[Symbol, TriggerSource, int], SortedList] = {}  # of (key, id); the library has no types
        self._crossed: OrderedDict[OrderId, Ticks] = OrderedDict()
        self._expiries: SortedList = SortedList()

    def add(self, order: Order) -> None:
        """Have an order wait for its trigger."""
        order.status = OrderStatus.UNTRIGGERED
        self.orders[order.order_id] = order
        self._of.setdefault(order.account, {})[order.order_id] = order
        self._wait(order)
        if order.expire_time_ns is not None:
            self._expiries.add((order.expire_time_ns, order.order_id))

    def _wait(self, order: Order) -> None:
        self._waiting.setdefault(_place(order), SortedList()).add(_key(order))

    def remove(self, order: Order) -> None:
        """Have an order wait no more."""
        del self.orders[order.order_id]
        own = self._of[order.account]
        del own[order.order_id]
        if not own:
            del self._of[order.account]
        if self._crossed.pop(order.order_id, None) is None:
            self._waiting[_place(order)].remove(_key(order))
        if order.expire_time_ns is not None:
            self._expiries.remove((order.expire_time_ns, order.order_id))

    def first_expiry(self) -> tuple[TimeNs, OrderId] | None:
        """Return when the next untriggered order expires, and which one; None where none does (BOOK-018)."""
        return self._expiries[0] if self._expiries else None

    # -- whose they are --------------------------------------------------------------------------------------------

    def of_account(self, account: AccountId, symbol: Symbol | None = None) -> list[Order]:
        """Return an account's untriggered orders, on one symbol or on all, by order id."""
        own = self._of.get(account, {})
        return [order for _, order in sorted(own.items()) if symbol in (None, order.symbol)]

    def of_position(self, account: AccountId, symbol: Symbol, position_side: PositionSide) -> list[Order]:
        """Return the untriggered orders of one position, by order id."""
        return [order for order in self.of_account(account, symbol) if order.position_side is position_side]

    def find(self, account: AccountId, order_id: OrderId) -> Order | None:
        """Return an untriggered order of the account; another's is as unknown as none (BOOK-009)."""
        return self._of.get(account, {}).get(order_id)

    def rehearsal(self, owner: AccountId) -> TriggerBook:
        """Return a book that knows which orders of ``owner`` wait; it is for placing more only."""
        twin = TriggerBook()
        twin._of = {owner: dict(self._of.get(owner, {}))}
        return twin

    # -- what a price triggers -------------------------------------------------------------------------------------

    def cross(self, symbol: Symbol, source: TriggerSource, price: Ticks) -> None:
        """Queue what a price of the symbol triggers: the trigger price crossed first, then time of arrival (TRIG-004)."""
        for direction in (1, -1):
            waiting = self._waiting.get((symbol, source, direction))
            while waiting and waiting[0][0] <= direction * price:
                _, order_id = waiting.pop(0)
                self._crossed[order_id] = price

    def has_crossed(self) -> bool:
        """Return whether any triggered order is still to enter."""
        return bool(self._crossed)

    def crossed(self) -> list[tuple[OrderId, Ticks]]:
        """Return what is still to enter, in order, each with the price that triggered it."""
        return list(self._crossed.items())

    def next_crossed(self) -> tuple[Order, Ticks]:
        """Return the order that enters next, with the price that triggered it."""
        order_id, price = next(iter(self._crossed.items()))
        return self.orders[order_id], price

    def wait_again(self, order: Order) -> None:
        """Have an order that was triggered wait as before: its symbol has stopped trading (TRIG-005)."""
        del self._crossed[order.order_id]
        self._wait(order)


def _place(order: Order) -> tuple[Symbol, TriggerSource, int]:
    assert order.trigger is not None, "only an order with a trigger waits for one"
    return order.symbol, order.trigger.by, order.trigger.direction(order.side)


def _key(order: Order) -> tuple[int, OrderId]:
    assert order.trigger is not None, "only an order with a trigger waits for one"
    return order.trigger.direction(order.side) * order.trigger.price, order.order_id
