"""A noise trader: small orders of all kinds, at random but from a seed.

Units: prices in quote per base, quantities in base.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from clients.bots.bot import Bot
from clients.bots.sizing import scaled_quantity
from clients.client import Client
from clients.human_units import round_nearest
from clients.market_data import Instrument
from clients.requests import CancelAllOrders, CancelOrder, OrderRequest, PlaceOrder
from exchange.domain.enums import Side, TimeInForce

BASIS_POINTS = 10_000
QUANTITY_PARTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class NoisePlan:
    """How one symbol is traded."""

    symbol: str
    quantity_max: Decimal
    """The largest order; sizes are tenths of it."""
    inventory_max: Decimal
    """The position from which on only the side that reduces it is traded."""
    reach_bps: int = 20
    """How far from the mark limit orders go, in hundredths of a percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseHabits:
    """How often a noise trader does what, in percent."""

    trades: int = 50
    """Chance of doing anything in a turn."""
    market: int = 45
    """Of the orders: at the market ..."""
    immediate: int = 30
    """... or at a limit, immediate or cancel; all others rest."""
    resting_max: int = 8
    """Resting orders in a symbol, before they are all canceled."""


class NoiseTrader(Bot):
    """Sends at most one order a turn, and does not leave orders standing on the wrong side of the mark."""

    def __init__(
        self,
        client: Client,
        *,
        name: str,
        seed: int,
        instruments: Mapping[str, Instrument],
        plans: Sequence[NoisePlan],
        habits: NoiseHabits | None = None,
    ) -> None:
        super().__init__(client, name=name, seed=seed, instruments=instruments)
        self.plans = tuple(plans)
        self.habits = habits or NoiseHabits()

    @property
    def symbols(self) -> Sequence[str]:
        """The symbols of the plans."""
        return tuple(plan.symbol for plan in self.plans)

    async def act(self) -> None:
        """Take back what the mark has passed or what is too much, then maybe send an order."""
        requests = [request for plan in self.plans for request in self._cancels(plan)]
        if self.chance.randrange(100) < self.habits.trades:
            plan = self.plans[self.chance.randrange(len(self.plans))]
            mark = self.mirror.marks.price(plan.symbol)
            if mark is not None:
                requests.append(self._order(plan, mark))
        if requests:
            await self.send(requests)

    def _cancels(self, plan: NoisePlan) -> list[OrderRequest]:
        orders = self.mirror.orders.open_orders(plan.symbol)
        mark = self.mirror.marks.price(plan.symbol)
        if len(orders) >= self.habits.resting_max:
            return [CancelAllOrders(symbol=plan.symbol)]
        if mark is None:
            return []
        return [CancelOrder(order_id=order.order_id) for order in orders if (order.limit_price - mark) * order.side.sign > 0]

    def _order(self, plan: NoisePlan, mark: Decimal) -> PlaceOrder:
        instrument = self.instruments[plan.symbol]
        side = self._side(plan)
        kind = self.chance.randrange(100)
        parts = self.chance.randrange(1, QUANTITY_PARTS + 1)
        away_bps = self.chance.randrange(1, plan.reach_bps + 1)
        is_market = kind < self.habits.market
        is_immediate = kind < self.habits.market + self.habits.immediate
        toward = side.sign if is_immediate else -side.sign
        price = round_nearest(mark * (BASIS_POINTS + toward * away_bps) / BASIS_POINTS, instrument.tick_size)
        return PlaceOrder(
            symbol=plan.symbol,
            side=side,
            quantity=scaled_quantity(instrument, plan.quantity_max, parts, QUANTITY_PARTS),
            price=None if is_market else price,
            time_in_force=TimeInForce.IOC if is_immediate else TimeInForce.GTC,
            client_order_id=self.next_order_id(),
        )

    def _side(self, plan: NoisePlan) -> Side:
        drawn = (Side.BUY, Side.SELL)[self.chance.randrange(2)]
        held = self.mirror.positions.quantity(plan.symbol)
        if held >= plan.inventory_max:
            return Side.SELL
        if held <= -plan.inventory_max:
            return Side.BUY
        return drawn
