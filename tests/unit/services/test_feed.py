from __future__ import annotations

import random
from itertools import pairwise

import pytest

from exchange.domain.commands import CancelOrder, CreateAccount, Credit, MarkPrice, PlaceOrder, SetMarkPrices, SetPositionMode
from exchange.domain.enums import OrderStatus, OrderType, PositionMode, PositionSide, SelfTradePrevention, Side, TimeInForce
from exchange.domain.events import BookChanged, OrderAccepted
from exchange.domain.rejects import Reason
from exchange.services.clock import VirtualClock
from exchange.services.feed import Feed
from exchange.services.order_history import OrderHistory
from exchange.services.sequencer import Applied, Sequencer
from exchange.venue.venue import Venue
from tests.cast import ALICE, BOB, BTC_PERP, CAROL, ETH_PERP, T0, cash

BTC = BTC_PERP.symbol


class Market:
    """A venue with a feed and what it was fed."""

    def __init__(self) -> None:
        self.venue = Venue([BTC_PERP, ETH_PERP])
        self.sequencer = Sequencer(self.venue, VirtualClock(T0))
        self.feed = Feed(self.venue.instruments, recent_trades_max=5)
        self.history: list[Applied] = []
        self.sequencer.subscribe(self.feed.apply)
        self.sequencer.subscribe(self.history.append)
        for account in (ALICE, BOB, CAROL):
            self.sequencer.submit(CreateAccount(account=account))
            self.sequencer.submit(Credit(account=account, amount=cash("100000")))
        self.sequencer.submit(SetMarkPrices(marks=(MarkPrice(BTC, 100), MarkPrice(ETH_PERP.symbol, 100))))

    def place(self, account: str, side: Side, quantity: int, price: int, **more: object) -> Applied:
        command = PlaceOrder(account=account, symbol=BTC, side=side, quantity=quantity, limit_price=price, **more)  # type: ignore[arg-type]
        return self.sequencer.submit(command)

    def order_id_of(self, applied: Applied) -> int:
        accepted = applied.events[0]
        assert isinstance(accepted, OrderAccepted)
        return accepted.order.order_id


@pytest.fixture
def market() -> Market:
    return Market()


def test_recent_trades_are_bounded_and_the_latest_comes_last(market: Market) -> None:
    market.place(ALICE, Side.SELL, 20, 100)
    for quantity in range(1, 5):
        market.place(BOB, Side.BUY, quantity, 100)
    state = market.feed.market(BTC)
    assert [trade.quantity for trade in state.recent_trades(2)] == [3, 4]
    market.place(BOB, Side.BUY, 5, 100)
    market.place(BOB, Side.BUY, 1, 100)
    assert [trade.quantity for trade in state.recent_trades(100)] == [2, 3, 4, 5, 1]
    assert (state.trade_count, state.volume, state.last_price) == (6, 16, 100)
    assert market.feed.market(ETH_PERP.symbol).last_price is None


def test_open_interest_is_what_is_held_long(market: Market) -> None:
    state = market.feed.market(BTC)
    market.place(ALICE, Side.SELL, 10, 100)
    assert state.open_interest == 0
    market.place(BOB, Side.BUY, 4, 100)
    assert state.open_interest == 4
    market.place(CAROL, Side.BUY, 6, 100)
    assert state.open_interest == 10
    market.place(ALICE, Side.BUY, 3, 100)
    market.place(BOB, Side.SELL, 3, 100)
    assert state.open_interest == 7


@pytest.mark.rule("MARG-025")
def test_both_sides_of_a_hedged_account_count_for_open_interest(market: Market) -> None:
    state = market.feed.market(BTC)
    market.sequencer.submit(SetPositionMode(account=ALICE, position_mode=PositionMode.HEDGE))
    market.place(BOB, Side.SELL, 10, 100)
    market.place(ALICE, Side.BUY, 10, 100, position_side=PositionSide.LONG)
    market.place(CAROL, Side.BUY, 4, 100)
    market.place(ALICE, Side.SELL, 4, 100, position_side=PositionSide.SHORT)
    assert state.open_interest == 14
    assert [state.has_position(account) for account in (ALICE, BOB, CAROL)] == [True, True, True]
    market.place(BOB, Side.BUY, 10, 100)
    market.place(ALICE, Side.SELL, 10, 100, position_side=PositionSide.LONG)
    assert state.open_interest == 4
    assert [state.has_position(account) for account in (ALICE, BOB, CAROL)] == [True, False, True]


@pytest.mark.rule("WIRE-010")
def test_book_changes_of_a_symbol_form_a_chain_without_gaps(market: Market) -> None:
    chain = [(0, 0)]
    state = market.feed.market(BTC)

    def note(applied: Applied) -> None:
        if any(isinstance(event, BookChanged) and event.symbol == BTC for event in applied.events):
            chain.append((state.book_sequence_before, state.book_sequence))

    market.sequencer.subscribe(note)
    first = market.place(ALICE, Side.BUY, 1, 90)
    market.sequencer.submit(Credit(account=BOB, amount=1))
    market.place(ALICE, Side.BUY, 1, 91)
    market.sequencer.submit(CancelOrder(account=ALICE, order_id=market.order_id_of(first)))
    assert len(chain) == 4
    assert all(later[0] == earlier[1] < later[1] for earlier, later in pairwise(chain))
    assert chain[-1][1] == market.sequencer.sequence


def test_the_history_holds_orders_as_they_stand_and_why_they_ended(market: Market) -> None:
    orders = market.feed.orders
    resting = market.order_id_of(market.place(ALICE, Side.BUY, 5, 99, client_order_id="bid"))
    assert orders.by_order_id(ALICE, resting) == orders.by_client_order_id(ALICE, "bid")
    market.place(BOB, Side.SELL, 2, 99)
    record = orders.by_order_id(ALICE, resting)
    assert record is not None
    assert (record.order.order_status, record.order.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, 2)
    market.sequencer.submit(CancelOrder(account=ALICE, client_order_id="bid"))
    record = orders.by_client_order_id(ALICE, "bid")
    assert record is not None
    assert (record.order.order_status, record.reason) == (OrderStatus.CANCELED, Reason.CANCELED_BY_OWNER)
    filled = orders.ended_orders(BOB, 10)
    assert [(entry.order.order_status, entry.reason) for entry in filled] == [(OrderStatus.FILLED, None)]


def test_orders_of_others_are_unknown(market: Market) -> None:
    order_id = market.order_id_of(market.place(ALICE, Side.BUY, 5, 99, client_order_id="bid"))
    assert market.feed.orders.by_order_id(BOB, order_id) is None
    assert market.feed.orders.by_client_order_id(BOB, "bid") is None
    assert market.feed.orders.open_orders(BOB) == ()
    assert market.feed.orders.ended_orders(BOB, 10) == ()


def test_ended_orders_are_forgotten_oldest_first() -> None:
    history = OrderHistory(ended_per_account_max=2, ended_total_max=3)
    market = Market()

    def fold(applied: Applied) -> None:
        for event in applied.events:
            history.apply(event)

    market.sequencer.subscribe(fold)
    ids: dict[str, list[int]] = {ALICE: [], BOB: []}
    for number, account in enumerate([ALICE, ALICE, ALICE, BOB, BOB]):
        applied = market.place(account, Side.BUY, 1, 90, time_in_force=TimeInForce.IOC, client_order_id=f"n{number}")
        ids[account].append(market.order_id_of(applied))
    assert history.by_order_id(ALICE, ids[ALICE][0]) is None, "the third ended order of one account drops its first"
    assert history.by_client_order_id(ALICE, "n0") is None
    assert history.by_order_id(ALICE, ids[ALICE][1]) is None, "the fourth of all drops the oldest of all"
    assert [record.order.order_id for record in history.ended_orders(ALICE, 9)] == ids[ALICE][2:]
    assert [record.order.order_id for record in history.ended_orders(BOB, 9)] == ids[BOB]


def test_a_fold_over_the_same_commands_agrees_with_the_venue() -> None:
    market = Market()
    dice = random.Random(7)
    sides, prevention = list(Side), list(SelfTradePrevention)
    for _ in range(400):
        account = dice.choice([ALICE, BOB, CAROL])
        if dice.random() < 0.2 and market.venue.open_orders(account):
            order = dice.choice(market.venue.open_orders(account))
            market.sequencer.submit(CancelOrder(account=account, order_id=order.order_id))
            continue
        market.sequencer.submit(
            PlaceOrder(
                account=account,
                symbol=BTC,
                side=dice.choice(sides),
                quantity=dice.randint(1, 9),
                order_type=OrderType.LIMIT,
                limit_price=dice.randint(95, 105),
                reduce_only=dice.random() < 0.2,
                self_trade_prevention=dice.choice(prevention),
            )
        )
        for name in (ALICE, BOB, CAROL):
            known = tuple(record.order for record in market.feed.orders.open_orders(name))
            assert known == market.venue.open_orders(name)
        longs = sum(max(0, p.quantity) for name in (ALICE, BOB, CAROL) for p in market.venue.positions(name))
        assert market.feed.market(BTC).open_interest == longs
    again = Feed(market.venue.instruments, recent_trades_max=5)
    for applied in market.history:
        again.apply(applied)
    assert again.market(BTC).recent_trades(5) == market.feed.market(BTC).recent_trades(5)
    assert again.accounts == market.feed.accounts == 3
