"""One's own orders, positions and account.

Units: prices in quote per base, quantities in base (signed where they are a position), money in the settlement currency.
"""

from __future__ import annotations

from decimal import Decimal

from clients.errors import MirrorNotReady, ProtocolError
from clients.messages import Account, Order, Position
from clients.mirror.market import SYMBOLS_MAX
from clients.mirror.readiness import Readiness
from clients.updates import Update

OPEN_ORDERS_MAX = 100_000
"""How many open orders a mirror holds; a server that sends more is at fault."""
_ZERO = Decimal(0)


class OrderMirror(Readiness):
    """One's open orders by id."""

    def __init__(self) -> None:
        super().__init__("open orders")
        self._orders: dict[int, Order] = {}

    def open_orders(self, symbol: str | None = None) -> tuple[Order, ...]:
        """Return the open orders, on one symbol or on all, by order id."""
        self._require_ready()
        orders = (self._orders[order_id] for order_id in sorted(self._orders))
        return tuple([order for order in orders if symbol is None or order.symbol == symbol])

    def order(self, order_id: int) -> Order | None:
        """Return one open order; None when it is not open (any more)."""
        self._require_ready()
        return self._orders.get(order_id)

    def receive(self, update: Update) -> None:
        """Take an order's new state; one that has ended is dropped."""
        order = update.data
        if not isinstance(order, Order):
            raise ProtocolError(f"channel {update.channel} brought no order")
        if not order.is_open:
            self._orders.pop(order.order_id, None)
            return
        self._orders[order.order_id] = order
        if len(self._orders) > OPEN_ORDERS_MAX:
            raise ProtocolError(f"the server sent more than {OPEN_ORDERS_MAX} open orders")

    def _forget(self) -> None:
        self._orders.clear()


class PositionMirror(Readiness):
    """One's positions by symbol, as of the last command that changed each; quantities are always current.

    What depends on the mark (profit, ratio, liquidation price) is that of the last change; ``Client.positions`` asks
    for it anew.
    """

    def __init__(self) -> None:
        super().__init__("positions")
        self._positions: dict[str, Position] = {}

    def position(self, symbol: str) -> Position | None:
        """Return the position; None where there has been none."""
        self._require_ready()
        return self._positions.get(symbol)

    def quantity(self, symbol: str) -> Decimal:
        """Return the signed quantity held, long positive."""
        position = self.position(symbol)
        return _ZERO if position is None else position.quantity

    def open_positions(self) -> tuple[Position, ...]:
        """Return the positions that are not flat, by symbol."""
        self._require_ready()
        return tuple([self._positions[symbol] for symbol in sorted(self._positions) if self._positions[symbol].quantity])

    def receive(self, update: Update) -> None:
        """Take a position's new state."""
        position = update.data
        if not isinstance(position, Position):
            raise ProtocolError(f"channel {update.channel} brought no position")
        self._positions[position.symbol] = position
        if len(self._positions) > SYMBOLS_MAX:
            raise ProtocolError(f"the server sent positions in more than {SYMBOLS_MAX} symbols")

    def _forget(self) -> None:
        self._positions.clear()


class AccountMirror(Readiness):
    """One's cross pool, as of the last command that changed it."""

    def __init__(self) -> None:
        super().__init__("the account")
        self._account: Account | None = None

    @property
    def account(self) -> Account:
        """The account as last sent."""
        self._require_ready()
        if self._account is None:
            raise MirrorNotReady("the server has not sent the account")
        return self._account

    def receive(self, update: Update) -> None:
        """Take the account's new state."""
        if not isinstance(update.data, Account):
            raise ProtocolError(f"channel {update.channel} brought no account")
        self._account = update.data

    def _forget(self) -> None:
        self._account = None
