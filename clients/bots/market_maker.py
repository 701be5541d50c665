"""A market maker: several levels on each side of the mark, leaning against its inventory.

Units: prices in quote per base, quantities in base; spreads, gaps and moves are fractions of the mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from clients.bots.bot import Bot
from clients.bots.sizing import scaled_quantity
from clients.client import Client
from clients.errors import RequestRefused
from clients.human_units import round_down, round_up
from clients.market_data import Instrument
from clients.messages import Placed
from clients.requests import CancelAllOrders, CancelOrder, OrderRequest, PlaceOrder
from exchange.domain.enums import OrderStatus, Side

TURNS_UNTIL_RETRY = 10
"""How many turns a symbol waits after a refusal before it is quoted anew for that alone."""
WOULD_CROSS = "order.post_only_would_cross"
"""A refusal by somebody else's stale quote, which is gone soon: the maker tries again in its next turn."""
JITTER_PARTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotePlan:
    """How one symbol is quoted."""

    symbol: str
    quantity: Decimal
    """Of each level."""
    levels: int = 5
    half_spread: Decimal = Decimal("0.0005")
    """How far the best quotes are from the center, at least."""
    level_gap: Decimal = Decimal("0.0005")
    """How far each further level is from the one before, at most: prices are round, see ``price_step``."""
    inventory_max: Decimal
    """The position at which the side that would add to it is no longer quoted."""
    skew: Decimal = Decimal("0.001")
    """By how much the center moves against a full inventory."""
    requote_move: Decimal = Decimal("0.0005")
    """How far the mark has to move for untouched quotes to be renewed."""
    jitter_percent: int = 20
    """By how much chance may make a level smaller."""

    def __post_init__(self) -> None:
        checks = (
            (self.quantity > 0, "quantity must be above 0"),
            (self.levels >= 1, "levels must be at least 1"),
            (self.half_spread >= 0, "half_spread must not be negative"),
            (self.level_gap >= 0, "level_gap must not be negative"),
            (self.inventory_max > 0, "inventory_max must be above 0"),
            (0 <= self.skew < 1, "skew must be at least 0 and below 1"),
            (self.requote_move >= 0, "requote_move must not be negative"),
            (0 <= self.jitter_percent < JITTER_PARTS, "jitter_percent must be at least 0 and below 100"),
        )
        for holds, sentence in checks:
            if not holds:
                raise ValueError(f"quotes of {self.symbol}: {sentence}")


@dataclass(frozen=True, slots=True)
class Quote:
    """One order that should rest."""

    side: Side
    price: Decimal


@dataclass(slots=True)
class Quoted:
    """What the maker last did in a symbol, by which it knows whether to do anything now."""

    mark: Decimal | None = None
    position: Decimal = Decimal(0)
    resting: frozenset[int] = frozenset()
    retry_at_turn: int | None = None


class MarketMaker(Bot):
    """Quotes each symbol of its plans, and renews quotes only when the mark has moved or one of them was hit."""

    def __init__(
        self, client: Client, *, name: str, seed: int, instruments: Mapping[str, Instrument], plans: Sequence[QuotePlan]
    ) -> None:
        super().__init__(client, name=name, seed=seed, instruments=instruments)
        self.plans = tuple(plans)
        self._quoted = {plan.symbol: Quoted() for plan in plans}

    @property
    def symbols(self) -> Sequence[str]:
        """The symbols of the plans."""
        return tuple(plan.symbol for plan in self.plans)

    async def act(self) -> None:
        """Renew what has to be renewed, on all symbols in one go: cancels first, then new quotes."""
        requests: list[OrderRequest] = []
        renewed: list[QuotePlan] = []
        for plan in self.plans:
            mark = self.mirror.marks.price(plan.symbol)
            if mark is not None and self._must_renew(plan, mark):
                requests += self._renewal(plan, mark)
                renewed.append(plan)
        if renewed:
            results = await self.send(requests)
            for plan in renewed:
                self._remember(plan, zip(requests, results, strict=True))

    def _must_renew(self, plan: QuotePlan, mark: Decimal) -> bool:
        quoted = self._quoted[plan.symbol]
        if quoted.mark is None or abs(mark - quoted.mark) > plan.requote_move * quoted.mark:
            return True
        if quoted.retry_at_turn is not None and self.tally.turns >= quoted.retry_at_turn:
            return True
        orders = self.mirror.orders.open_orders(plan.symbol)
        return (
            self.mirror.positions.quantity(plan.symbol) != quoted.position
            or {order.order_id for order in orders} != quoted.resting
            or any(order.order_status is OrderStatus.PARTIALLY_FILLED for order in orders)
        )

    def _renewal(self, plan: QuotePlan, mark: Decimal) -> list[OrderRequest]:
        """Return the requests that turn what rests into what should rest; untouched orders at wanted prices stay."""
        position = self.mirror.positions.quantity(plan.symbol)
        quoted = self._quoted[plan.symbol]
        quoted.mark, quoted.position, quoted.retry_at_turn = mark, position, None
        wanted = dict.fromkeys(quotes(plan, self.instruments[plan.symbol], mark, position))
        keep: set[Quote] = set()
        cancels: list[OrderRequest] = []
        kept_ids: set[int] = set()
        for order in self.mirror.orders.open_orders(plan.symbol):
            quote = Quote(order.side, order.limit_price)
            if quote in wanted and quote not in keep and order.order_status is OrderStatus.OPEN:
                keep.add(quote)
                kept_ids.add(order.order_id)
            else:
                cancels.append(CancelOrder(order_id=order.order_id))
        quoted.resting = frozenset(kept_ids)
        if cancels and not keep:
            cancels = [CancelAllOrders(symbol=plan.symbol)]
        return cancels + [self._order(plan, quote) for quote in wanted if quote not in keep]

    def _order(self, plan: QuotePlan, quote: Quote) -> PlaceOrder:
        parts = JITTER_PARTS - self.chance.randrange(plan.jitter_percent + 1)
        return PlaceOrder(
            symbol=plan.symbol,
            side=quote.side,
            quantity=scaled_quantity(self.instruments[plan.symbol], plan.quantity, parts, JITTER_PARTS),
            price=quote.price,
            post_only=True,
            client_order_id=self.next_order_id(),
        )

    def _remember(self, plan: QuotePlan, outcomes: Iterator[tuple[OrderRequest, object]]) -> None:
        """Note what rests now; after a refusal the symbol is looked at again a few turns later."""
        quoted = self._quoted[plan.symbol]
        resting = set(quoted.resting)
        for request, result in outcomes:
            if not isinstance(request, PlaceOrder) or request.symbol != plan.symbol:
                continue
            if isinstance(result, RequestRefused):
                wait = 1 if result.name == WOULD_CROSS else TURNS_UNTIL_RETRY
                quoted.retry_at_turn = min(quoted.retry_at_turn or self.tally.turns + wait, self.tally.turns + wait)
            elif isinstance(result, Placed) and result.order.is_open:
                resting.add(result.order.order_id)
        quoted.resting = frozenset(resting)


def quotes(plan: QuotePlan, instrument: Instrument, mark: Decimal, position: Decimal) -> Iterator[Quote]:
    """Yield the wanted quotes, best first, bids and asks in turn, at round prices within the price band.

    The center leans against the position: a long one lowers it. A full inventory is not added to.
    """
    fullness = max(Decimal(-1), min(Decimal(1), position / plan.inventory_max))
    center = mark * (1 - plan.skew * fullness)
    step = price_step(mark * plan.level_gap, instrument.tick_size)
    best_bid = round_down(center * (1 - plan.half_spread), step)
    best_ask = max(round_up(center * (1 + plan.half_spread), step), best_bid + step)
    lowest, highest = mark * (1 - instrument.price_band), mark * (1 + instrument.price_band)
    for level in range(plan.levels):
        bid, ask = best_bid - level * step, best_ask + level * step
        if fullness < 1 and bid >= lowest and bid > 0:
            yield Quote(Side.BUY, bid)
        if fullness > -1 and ask <= highest:
            yield Quote(Side.SELL, ask)


def price_step(gap: Decimal, tick_size: Decimal) -> Decimal:
    """Return 1, 2 or 5 times a power of ten of ticks, the largest such step within ``gap``; one tick at least.

    Levels at round prices stay where they are while the mark moves, so that most orders outlive a small move.
    """
    ticks = round_down(gap / tick_size, Decimal(1))
    if ticks < 1:
        return tick_size
    power = Decimal(1).scaleb(ticks.adjusted())
    factor = max(factor for factor in (1, 2, 5) if factor * power <= ticks)
    return factor * power * tick_size
