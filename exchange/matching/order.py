"""One order on the floor and what it goes through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.domain.enums import OrderStatus, OrderType, PositionSide, SelfTradePrevention, Side, TimeInForce
from exchange.domain.ids import AccountId, LiquidationId, OrderId, Symbol
from exchange.domain.triggers import Trigger
from exchange.domain.units import Cash, Lots, Ticks, TimeNs
from exchange.domain.views import OrderView

if TYPE_CHECKING:
    from exchange.matching.price_level import PriceLevel


class Order:
    """An order and its place in a price level's queue.

    Units: ``limit_price`` ticks (the protection price of a market order), quantities lots, ``filled_value`` cash.
    ``open_quantity`` is what may still fill; it falls by fills, by shrinking, and to 0 when the order ends.
    """

    __slots__ = (
        "account",
        "client_order_id",
        "close_position",
        "expire_time_ns",
        "filled_quantity",
        "filled_value",
        "level",
        "limit_price",
        "liquidation_id",
        "next",
        "open_quantity",
        "order_id",
        "order_type",
        "position_side",
        "post_only",
        "previous",
        "quantity",
        "reduce_only",
        "self_trade_prevention",
        "side",
        "status",
        "symbol",
        "time_in_force",
        "time_ns",
        "trigger",
    )

    def __init__(
        self,
        *,
        order_id: OrderId,
        account: AccountId,
        symbol: Symbol,
        side: Side,
        quantity: Lots,
        limit_price: Ticks,
        time_ns: TimeNs,
        order_type: OrderType = OrderType.LIMIT,
        time_in_force: TimeInForce = TimeInForce.GTC,
        post_only: bool = False,
        reduce_only: bool = False,
        self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_TAKER,
        client_order_id: str | None = None,
        liquidation_id: LiquidationId | None = None,
        position_side: PositionSide = PositionSide.NET,
        close_position: bool = False,
        expire_time_ns: TimeNs | None = None,
        trigger: Trigger | None = None,
    ) -> None:
        self.order_id = order_id
        self.account = account
        self.symbol = symbol
        self.side = side
        self.quantity = quantity
        self.limit_price = limit_price
        self.time_ns = time_ns
        self.order_type = order_type
        self.time_in_force = time_in_force
        self.post_only = post_only
        self.reduce_only = reduce_only
        self.self_trade_prevention = self_trade_prevention
        self.client_order_id = client_order_id
        self.liquidation_id = liquidation_id
        self.position_side = position_side
        self.close_position = close_position
        self.expire_time_ns = expire_time_ns
        self.trigger = trigger
        self.open_quantity: Lots = quantity
        self.filled_quantity: Lots = 0
        self.filled_value: Cash = 0
        self.status = OrderStatus.OPEN
        self.level: PriceLevel | None = None
        self.previous: Order | None = None
        self.next: Order | None = None

    @property
    def may_rest(self) -> bool:
        """Whether what the book does not take at once may stay in it."""
        return self.order_type is OrderType.LIMIT and self.time_in_force.rests

    def fill(self, quantity: Lots, value: Cash) -> None:
        """Count a fill of ``quantity`` lots worth ``value``."""
        self.open_quantity -= quantity
        self.filled_quantity += quantity
        self.filled_value += value
        self.status = OrderStatus.PARTIALLY_FILLED if self.open_quantity else OrderStatus.FILLED

    def cancel(self) -> Lots:
        """End the order unfilled; return how much of it was open."""
        canceled, self.open_quantity = self.open_quantity, 0
        self.status = OrderStatus.CANCELED
        return canceled

    def copy(self) -> Order:
        """Return the same order outside of any book, for a rehearsal."""
        twin = Order.__new__(Order)
        for name in self.__slots__:
            setattr(twin, name, getattr(self, name))
        twin.level = twin.previous = twin.next = None
        return twin

    def view(self) -> OrderView:
        """Return a frozen picture of the order as it stands now."""
        return OrderView(
            order_id=self.order_id,
            client_order_id=self.client_order_id,
            account=self.account,
            symbol=self.symbol,
            side=self.side,
            order_type=self.order_type,
            time_in_force=self.time_in_force,
            post_only=self.post_only,
            reduce_only=self.reduce_only,
            self_trade_prevention=self.self_trade_prevention,
            limit_price=self.limit_price,
            quantity=self.quantity,
            filled_quantity=self.filled_quantity,
            filled_value=self.filled_value,
            open_quantity=self.open_quantity,
            order_status=self.status,
            time_ns=self.time_ns,
            liquidation_id=self.liquidation_id,
            position_side=self.position_side,
            expire_time_ns=self.expire_time_ns,
            trigger=self.trigger,
        )
