"""Timers beside a naive model: whoever arms, renews, disarms, is lost or comes back, orders end when the model says."""

from __future__ import annotations

from random import Random

import pytest

from exchange.domain.commands import AnyCommand, CreateAccount, Credit, MarkPrice, PlaceOrder, SetCancelAfter, SetMarkPrices
from exchange.domain.enums import CancelTrigger, Side
from exchange.domain.events import OrderCanceled
from exchange.domain.rejects import Reason
from exchange.services.clock import VirtualClock
from exchange.services.sequencer import Applied, Sequencer
from exchange.venue.venue import Venue
from tests.cast import ALICE, BOB, BTC_PERP, CAROL, T0, cash

ACCOUNTS = (ALICE, BOB, CAROL)
REASONS = {CancelTrigger.DEAD_MAN: Reason.DEAD_MAN, CancelTrigger.DISCONNECTED: Reason.DISCONNECTED}
SEEDS = range(150)
STEPS = 40


class Naive:
    """Deadlines in a plain table that is looked through at every nanosecond."""

    def __init__(self) -> None:
        self.now, self.deadlines = T0, dict[tuple[CancelTrigger, str], int]()
        self.open: dict[str, list[int]] = {name: [] for name in ACCOUNTS}
        self.ended: list[tuple[int, int, Reason]] = []
        self.orders = 0

    def fire(self, trigger: CancelTrigger, name: str) -> None:
        self.deadlines.pop((trigger, name), None)
        self.ended += [(self.now, order, REASONS[trigger]) for order in self.open[name]]
        self.open[name] = []

    def arm(self, trigger: CancelTrigger, name: str, timeout: int | None) -> None:
        if timeout is None:
            self.deadlines.pop((trigger, name), None)
            return
        deadline = self.now + timeout
        if trigger is CancelTrigger.DISCONNECTED:
            deadline = min(deadline, self.deadlines.get((trigger, name), deadline))
        self.deadlines[trigger, name] = deadline
        if timeout == 0:
            self.fire(trigger, name)

    def wait(self, span: int) -> None:
        for _ in range(span):
            self.now += 1
            due = [key for key, deadline in self.deadlines.items() if deadline == self.now]
            for trigger, name in sorted(due, key=lambda key: (key[1], key[0].value)):
                self.fire(trigger, name)


@pytest.mark.rule("SAFE-001", "SAFE-002", "CONS-006")
@pytest.mark.parametrize("seed", SEEDS)
def test_orders_end_when_and_why_the_naive_model_says(seed: int) -> None:
    random = Random(seed)
    clock, naive, venue = VirtualClock(T0), Naive(), Venue([BTC_PERP])
    sequencer = Sequencer(venue, clock)
    told: list[Applied] = []
    sequencer.subscribe(told.append)
    commands: list[AnyCommand] = [SetMarkPrices(marks=(MarkPrice("BTC-PERP", 100),))]
    for name in ACCOUNTS:
        commands += [CreateAccount(account=name), Credit(account=name, amount=cash("100000"))]
    for command in commands:
        sequencer.submit(command)
    for _ in range(STEPS):
        name, number = random.choice(ACCOUNTS), random.choice((None, *range(10)))
        what = random.choice((*CancelTrigger, "order", "wait"))
        if what == "wait":
            clock.advance(number or 0)
            naive.wait(number or 0)
            sequencer.tick()
        elif what == "order":
            sequencer.submit(PlaceOrder(account=name, symbol="BTC-PERP", side=Side.BUY, quantity=1, limit_price=90))
            naive.orders += 1
            naive.open[name].append(naive.orders)
        else:
            assert isinstance(what, CancelTrigger)
            sequencer.submit(SetCancelAfter(account=name, timeout=number, trigger=what))
            naive.arm(what, name, number)
        assert venue.next_due_ns == min(naive.deadlines.values(), default=None)
    ended = [
        (each.time_ns, event.order.order_id, event.reason)
        for each in told
        for event in each.events
        if isinstance(event, OrderCanceled)
    ]
    assert ended == naive.ended
    again = Venue([BTC_PERP])
    assert all(again.apply(each.command, now_ns=each.time_ns) == each.events for each in told)
    assert again.digest() == venue.digest()
