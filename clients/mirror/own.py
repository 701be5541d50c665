"""One's own orders, positions, account and margin health.

Units: prices in quote per base, quantities in base (signed where they are a position), money in the settlement currency.
"""

from __future__ import annotations

from decimal import Decimal

from clients.errors import MirrorNotReady, ProtocolError
from clients.margin_messages import AccountEvent, LiquidationRecord, MarginCall, MarginHealth, Scope
from clients.messages import Account, Order, Position
from clients.mirror.market import SYMBOLS_MAX, RecentEvents
from clients.mirror.readiness import Readiness
from clients.updates import Update
from exchange.domain.enums import MarginMode, PositionSide

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
    """One's positions by symbol and side, as of the last command that changed each; quantities are always current.

    What depends on the mark (profit, ratio, liquidation price) is that of the last change; ``Client.positions`` asks
    for it anew, and the margin mirror has the health of every scope.
    """

    def __init__(self) -> None:
        super().__init__("positions")
        self._positions: dict[tuple[str, PositionSide], Position] = {}

    def position(self, symbol: str, position_side: PositionSide = PositionSide.NET) -> Position | None:
        """Return the position; None where there has been none. In hedge mode the side is long or short."""
        self._require_ready()
        return self._positions.get((symbol, position_side))

    def quantity(self, symbol: str) -> Decimal:
        """Return the signed quantity held, long positive; in hedge mode the long one less the short one."""
        self._require_ready()
        held = (self._positions.get((symbol, side)) for side in PositionSide)
        return sum((position.quantity for position in held if position is not None), _ZERO)

    def open_positions(self) -> tuple[Position, ...]:
        """Return the positions that are not flat, by symbol, the long one before the short one."""
        self._require_ready()
        by_name = sorted(self._positions, key=lambda name: (name[0], name[1].value))
        return tuple([self._positions[name] for name in by_name if self._positions[name].quantity])

    def receive(self, update: Update) -> None:
        """Take a position's new state."""
        position = update.data
        if not isinstance(position, Position):
            raise ProtocolError(f"channel {update.channel} brought no position")
        self._positions[position.symbol, position.position_side] = position
        if len(self._positions) > len(PositionSide) * SYMBOLS_MAX:
            raise ProtocolError(f"the server sent positions in more than {SYMBOLS_MAX} symbols")

    def _forget(self) -> None:
        self._positions.clear()


class AccountMirror(Readiness):
    """One's cross pool, as of the last command that changed it, and what befell the account beside it."""

    def __init__(self) -> None:
        super().__init__("the account")
        self.events: RecentEvents[AccountEvent] = RecentEvents()
        """Funding payments, deleveraging, socialized losses, sales of collateral."""
        self._account: Account | None = None

    @property
    def account(self) -> Account:
        """The account as last sent."""
        self._require_ready()
        if self._account is None:
            raise MirrorNotReady("the server has not sent the account")
        return self._account

    def receive(self, update: Update) -> None:
        """Take the account's new state, or what befell it."""
        if isinstance(update.data, Account):
            self._account = update.data
        elif isinstance(update.data, AccountEvent):
            self.events.receive(update)
        else:
            raise ProtocolError(f"channel {update.channel} brought no account")

    def interrupted(self, reason: str) -> None:
        """Forget the account; what befell it stays true, and some of it may be missing."""
        super().interrupted(reason)
        self.events.interrupted(reason)

    def _forget(self) -> None:
        self._account = None


class MarginMirror(Readiness):
    """The health of one's scopes as of the last command, warnings, and records of one's liquidations."""

    def __init__(self) -> None:
        super().__init__("margin health")
        self.calls: RecentEvents[MarginCall] = RecentEvents()
        self.records: RecentEvents[LiquidationRecord] = RecentEvents()
        self._scopes: dict[tuple[MarginMode, str | None, PositionSide], Scope] = {}

    def scopes(self) -> tuple[Scope, ...]:
        """Return every scope that has a position, the cross scope first."""
        self._require_ready()
        return tuple(self._scopes.values())

    def cross(self) -> Scope | None:
        """Return the cross scope; None while it has no position."""
        self._require_ready()
        return self._scopes.get((MarginMode.CROSS, None, PositionSide.NET))

    def isolated(self, symbol: str, position_side: PositionSide = PositionSide.NET) -> Scope | None:
        """Return the scope of an isolated position; None while there is none."""
        self._require_ready()
        return self._scopes.get((MarginMode.ISOLATED, symbol, position_side))

    def receive(self, update: Update) -> None:
        """Take the health of all scopes, a warning, or a record."""
        match update.data:
            case MarginHealth(scopes=scopes):
                self._scopes = {(scope.path, scope.symbol, scope.position_side): scope for scope in scopes}
            case MarginCall():
                self.calls.receive(update)
            case LiquidationRecord():
                self.records.receive(update)
            case _:
                raise ProtocolError(f"channel {update.channel} brought nothing about margin")

    def interrupted(self, reason: str) -> None:
        """Forget the health; warnings and records stay true, and some may be missing."""
        super().interrupted(reason)
        self.calls.interrupted(reason)
        self.records.interrupted(reason)

    def _forget(self) -> None:
        self._scopes = {}
