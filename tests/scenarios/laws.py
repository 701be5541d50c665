"""What holds after every row of every table, as seen from outside (CONS rules)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from exchange.domain.enums import ORDER_LIFECYCLE, MarginMode, OrderStatus, Side
from exchange.domain.events import AnyEvent, OrderAccepted, OrderCanceled, OrderFilled, OrderRested, OrderShrunk, TradeExecuted
from exchange.domain.views import OrderView, PositionView
from exchange.venue.venue import Venue


def broken_laws(venue: Venue) -> list[str]:
    """Return a sentence for each law that the venue's state breaks."""
    return [*_money(venue), *_positions(venue), *_books(venue), *_health(venue)]


def _all_positions(venue: Venue) -> Iterator[PositionView]:
    for account in venue.accounts():
        yield from venue.positions(account)
    yield from venue.funds().insurance_fund_positions


def _money(venue: Venue) -> Iterator[str]:
    if venue.imbalance():
        yield f"the ledger is out by {venue.imbalance()} (CONS-001)"
    funds = venue.funds()
    total = sum(venue.account(account).total_equity for account in venue.accounts())
    if total + funds.fees + funds.insurance_fund_equity != funds.net_deposits:
        yield "equities, fees and fund at the marks are not the net deposits (CONS-001)"


def _positions(venue: Venue) -> Iterator[str]:
    sums: dict[str, int] = defaultdict(int)
    for view in _all_positions(venue):
        sums[view.symbol] += view.quantity
        if not view.quantity and (view.entry_cost or view.isolated_wallet):
            yield f"{view.account} is flat in {view.symbol} with cost or isolated money left (CONS-002)"
    for symbol, total in sums.items():
        if total:
            yield f"positions of {symbol} sum to {total} (CONS-002)"


def _books(venue: Venue) -> Iterator[str]:
    for symbol in venue.instruments:
        bids, asks = venue.depth(symbol, 1)
        if bids and asks and bids[0].price >= asks[0].price:
            yield f"the book of {symbol} is crossed (CONS-003)"
        resting: dict[tuple[Side, int], int] = defaultdict(int)
        for account in venue.accounts():
            for order in venue.open_orders(account, symbol):
                resting[order.side, order.limit_price] += order.open_quantity
        bids, asks = venue.depth(symbol, 10_000)
        if {(level.side, level.price): level.quantity for level in (*bids, *asks)} != resting:
            yield f"the levels of {symbol} are not the sums of its orders"


def _health(venue: Venue) -> Iterator[str]:
    for account in venue.accounts():
        pool, positions = venue.account(account), venue.positions(account)
        cross = [view for view in positions if view.margin_mode is MarginMode.CROSS]
        flagged = any(view.liquidating for view in cross)
        if pool.equity < pool.maintenance_margin and not flagged:
            yield f"the cross scope of {account} is below maintenance and unflagged (CONS-005)"
        if not any(view.quantity for view in cross) and pool.wallet_balance < 0:
            yield f"{account} has no cross position and a wallet of {pool.wallet_balance}"
        for view in positions:
            alone = view.margin_mode is MarginMode.ISOLATED and view.quantity
            if alone and view.scope_equity < view.maintenance_margin and not view.liquidating:
                yield f"{account}/{view.symbol} is below maintenance and unflagged (CONS-005)"


class Lifecycles:
    """Follows every order through its events and says where one leaves ``ORDER_LIFECYCLE``."""

    def __init__(self) -> None:
        self._seen: dict[int, OrderStatus] = {}

    def follow(self, events: tuple[AnyEvent, ...]) -> list[str]:
        """Return a sentence for each step that no order may take."""
        broken = []
        for view in _orders_of(events):
            before, now = self._seen.get(view.order_id), view.order_status
            if before is None and now is not OrderStatus.OPEN:
                broken.append(f"order {view.order_id} began as {now.value}")
            if before not in (None, now) and now not in ORDER_LIFECYCLE[before]:
                broken.append(f"order {view.order_id} went from {before.value} to {now.value}")
            self._seen[view.order_id] = now
        return broken


def _orders_of(events: tuple[AnyEvent, ...]) -> Iterator[OrderView]:
    for event in events:
        match event:
            case OrderAccepted() | OrderRested() | OrderShrunk() | OrderFilled() | OrderCanceled():
                yield event.order
            case TradeExecuted():
                yield event.maker.order
                yield event.taker.order
