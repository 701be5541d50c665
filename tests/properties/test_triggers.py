"""Untriggered orders beside a model that looks at every one of them at every price (TRIG rules).

The model knows nothing of how the venue finds what a price triggers: it reads the events in their order, keeps the
untriggered orders in a list and the prices in a table, and says which order must be triggered next.
"""

from __future__ import annotations

from collections import Counter, deque
from random import Random

import pytest

from exchange.domain.commands import (
    AdvanceTime,
    AnyCommand,
    CancelAllOrders,
    CancelOrder,
    ContinueLiquidations,
    ContinueTriggers,
    CreateAccount,
    Credit,
    IndexPrice,
    MarkPrice,
    PlaceOrder,
    SetIndexPrices,
    SetMarkPrices,
    SetTradingState,
)
from exchange.domain.enums import OrderStatus, OrderType, Side, TimeInForce, TradingState
from exchange.domain.events import (
    AnyEvent,
    IndexPriceChanged,
    MarkPriceChanged,
    OrderAccepted,
    OrderCanceled,
    OrderTriggered,
    TradeExecuted,
    TradingStateSet,
)
from exchange.domain.triggers import Trigger, TriggerKind, TriggerSource
from exchange.domain.views import OrderView
from exchange.venue.state import VenueLimits
from exchange.venue.venue import Venue
from tests.cast import ALICE, BOB, BTC_PERP, CAROL, T0, cash

SYMBOL = BTC_PERP.symbol
OWNERS = (ALICE, BOB, CAROL)
SECOND = 10**9
KINDS, SOURCES = list(TriggerKind), list(TriggerSource)
COUNTS: Counter[str] = Counter()


class NaiveTriggers:
    """What waits, and what must be triggered next, by looking at everything each time."""

    def __init__(self) -> None:
        self.waiting: list[OrderView] = []
        self.due: deque[int] = deque()
        self.prices: dict[TriggerSource, int] = {}
        self.is_halted = False

    def read(self, event: AnyEvent) -> None:
        """Take in one event; an order that is triggered out of turn fails."""
        match event:
            case OrderAccepted(order=order) if order.order_status is OrderStatus.UNTRIGGERED:
                self.waiting.append(order)
            case OrderCanceled(order=order):
                self.waiting = [each for each in self.waiting if each.order_id != order.order_id]
            case MarkPriceChanged():
                self._see(TriggerSource.MARK, event.mark_price)
            case IndexPriceChanged():
                self._see(TriggerSource.INDEX, event.index_price)
            case TradeExecuted():
                self._see(TriggerSource.LAST, event.price)
            case TradingStateSet():
                self.is_halted = event.trading_state is TradingState.HALTED
                for source in TriggerSource:
                    if source in self.prices:
                        self._see(source, self.prices[source])
            case OrderTriggered():
                assert event.order.order_id == self.due.popleft(), "another order was to be triggered first"
                COUNTS["triggered"] += 1
                COUNTS["refused"] += event.reason is not None

    def _see(self, source: TriggerSource, price: int) -> None:
        self.prices[source] = price
        if self.is_halted:
            return
        met = []
        for order in self.waiting:
            assert order.trigger is not None
            rises = (order.trigger.kind is TriggerKind.STOP) == (order.side is Side.BUY)
            is_met = price >= order.trigger.price if rises else price <= order.trigger.price
            if order.trigger.by is source and is_met:
                met.append((not rises, order.trigger.price if rises else -order.trigger.price, order.order_id))
        self.due.extend(order_id for _, _, order_id in sorted(met))
        COUNTS["triggered at once"] += len(met) > 1
        gone = {order_id for _, _, order_id in met}
        self.waiting = [order for order in self.waiting if order.order_id not in gone]


def _order(random: Random) -> PlaceOrder:
    """Return an order, most with a trigger near the middle; a few end at a time of their own."""
    is_market = random.random() < 0.5
    waits = random.random() < 0.7
    trigger = Trigger(random.choice(KINDS), random.randint(92, 108), random.choice(SOURCES)) if waits else None
    is_dated = random.random() < 0.1 and (waits or not is_market)
    return PlaceOrder(
        account=random.choice(OWNERS),
        symbol=SYMBOL,
        side=random.choice(list(Side)),
        quantity=random.randint(1, 12),
        order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
        limit_price=None if is_market else random.randint(90, 110),
        reduce_only=random.random() < 0.2,
        trigger=trigger,
        time_in_force=TimeInForce.GTD if is_dated else TimeInForce.GTC,
        expire_time_ns=T0 + random.randint(1, 80) * SECOND if is_dated else None,
    )


def _command(random: Random) -> AnyCommand:
    what = random.random()
    if what < 0.6:
        return _order(random)
    if what < 0.8:
        return SetMarkPrices(marks=(MarkPrice(SYMBOL, random.randint(90, 110)),))
    if what < 0.9:
        return SetIndexPrices(prices=(IndexPrice(SYMBOL, random.randint(90, 110)),))
    if what < 0.95:
        return CancelOrder(account=random.choice(OWNERS), order_id=random.randint(1, 40))
    if what < 0.96:
        return CancelAllOrders(account=random.choice(OWNERS))
    is_halt = random.random() < 0.3
    return SetTradingState(symbol=SYMBOL, trading_state=TradingState.HALTED if is_halt else TradingState.OPEN)


def _stage(triggers_max: int) -> tuple[Venue, list[AnyCommand]]:
    venue = Venue([BTC_PERP], VenueLimits(triggers_max=triggers_max, liquidation_steps_max=2))
    opening: list[AnyCommand] = [CreateAccount(account=owner) for owner in OWNERS]
    opening += [Credit(account=owner, amount=cash("500")) for owner in OWNERS]
    opening += [SetMarkPrices(marks=(MarkPrice(SYMBOL, 100),)), SetIndexPrices(prices=(IndexPrice(SYMBOL, 100),))]
    return venue, opening


def _check(venue: Venue, naive: NaiveTriggers) -> None:
    waiting = {order.order_id for owner in OWNERS for order in venue.untriggered_orders(owner)}
    assert waiting == {order.order_id for order in naive.waiting} | set(naive.due)
    if not venue.has_unfinished_triggers and not venue.has_unfinished_liquidations:
        assert not naive.due, f"{list(naive.due)} were triggered and did not enter"


@pytest.mark.rule("TRIG-001", "TRIG-003", "TRIG-004", "TRIG-005", "CONS-006")
@pytest.mark.parametrize("seed", range(60))
def test_orders_are_triggered_when_and_in_the_order_that_a_look_at_all_of_them_says(seed: int) -> None:
    random = Random(seed)
    triggers_max, commands = random.choice((1, 2, 64)), [_command(random) for _ in range(90)]
    venue, opening = _stage(triggers_max)
    naive = NaiveTriggers()
    history: list[tuple[AnyCommand, int, tuple[AnyEvent, ...]]] = []
    now_ns = T0

    def apply(command: AnyCommand) -> None:
        history.append((command, now_ns, venue.apply(command, now_ns=now_ns)))
        for event in history[-1][2]:
            naive.read(event)
        entered = sum(isinstance(event, OrderTriggered) for event in history[-1][2])
        assert entered <= triggers_max
        _check(venue, naive)

    for command in (*opening, *commands):
        while (due_ns := venue.next_due_ns) is not None and due_ns <= now_ns:
            apply(AdvanceTime())
        apply(command)
        while venue.has_unfinished_liquidations or venue.has_unfinished_triggers:
            COUNTS["continuations"] += 1
            apply(ContinueLiquidations() if venue.has_unfinished_liquidations else ContinueTriggers())
        now_ns += SECOND
    assert venue.imbalance() == 0
    again, _ = _stage(triggers_max)
    assert [again.apply(command, now_ns=at_ns) for command, at_ns, _ in history] == [events for _, _, events in history]
    assert again.digest() == venue.digest()


def test_the_model_saw_enough() -> None:
    """Runs after the property above, in the same process; alone it has nothing to look at."""
    if not COUNTS:
        pytest.skip("the property did not run in this process")
    assert min(COUNTS[name] for name in ("triggered", "refused", "triggered at once", "continuations")) > 10, COUNTS
