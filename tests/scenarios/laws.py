"""What holds after every row of every table, as seen from outside (CONS rules)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from exchange.domain.enums import ORDER_LIFECYCLE, MarginMode, OrderStatus, PositionMode, PositionSide, Side, TradingState
from exchange.domain.events import (
    AnyEvent,
    LedgerPosted,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderFilled,
    OrderRested,
    OrderShrunk,
    OrderTriggered,
    TradeExecuted,
)
from exchange.domain.ids import FEES, INSURANCE_FUND, SETTLEMENT_ASSET, AccountId, AssetId, PositionId, position_id
from exchange.domain.views import OrderView, PositionView
from exchange.venue.venue import Venue


def broken_laws(venue: Venue) -> list[str]:
    """Return a sentence for each law that the venue's state breaks."""
    return [*_money(venue), *_assets(venue), *_positions(venue), *_books(venue), *_health(venue), *_triggers(venue)]


def _all_positions(venue: Venue) -> Iterator[PositionView]:
    for account in venue.accounts():
        yield from venue.positions(account)
    yield from venue.funds().insurance_fund_positions


def _money(venue: Venue) -> Iterator[str]:
    if venue.imbalance():
        yield f"the ledger is out by {venue.imbalance()} (CONS-001)"
    funds = venue.funds()
    pools = [venue.account(account) for account in (*venue.accounts(), INSURANCE_FUND)]
    total = sum(pool.total_equity for pool in pools[:-1]) + funds.fees + funds.insurance_fund_equity
    if total - sum(pool.collateral_value for pool in pools) != funds.net_deposits:
        yield "equities less collateral, fees and fund at the marks are not the net deposits (CONS-001)"


def _assets(venue: Venue) -> Iterator[str]:
    held: dict[AssetId, int] = defaultdict(int)
    for account in venue.accounts():
        for holding in venue.account(account).collateral:
            held[holding.asset] += holding.balance
            if holding.balance < 0:
                yield f"{account} holds {holding.balance} of {holding.asset}"
    for fund in venue.funds().assets:
        if held.pop(fund.asset, 0) + fund.insurance_fund_balance != fund.net_deposits:
            yield f"the balances of {fund.asset} are not its net deposits (CONS-007)"
    for asset, total in held.items():
        if total:
            yield f"{total} of {asset} came from nowhere (CONS-007)"


def _positions(venue: Venue) -> Iterator[str]:
    sums: dict[str, int] = defaultdict(int)
    for view in _all_positions(venue):
        sums[view.symbol] += view.quantity
        if not view.quantity and (view.entry_cost or view.isolated_wallet):
            yield f"{view.account} is flat in {view.symbol} with cost or isolated money left (CONS-002)"
        if view.quantity * view.position_side.sign < 0:
            yield f"the {view.position_side.value} position of {view.account} in {view.symbol} is {view.quantity} (MARG-025)"
        if view.account == INSURANCE_FUND:
            continue
        in_hedge = venue.account(view.account).position_mode is PositionMode.HEDGE
        if in_hedge == (view.position_side is PositionSide.NET) and (view.quantity or view.order_margin):
            yield f"{view.account} has a position in {view.symbol} that its position mode does not know (MARG-025)"
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
    is_stale = venue._state.accounts.is_stale
    for account in venue.accounts():
        pool, positions = venue.account(account), venue.positions(account)
        cross = [view for view in positions if view.margin_mode is MarginMode.CROSS and view.quantity]
        excused = pool.liquidating or any(is_stale(view.symbol) for view in cross)
        if pool.equity < pool.maintenance_margin and not excused:
            yield f"the cross scope of {account} is below maintenance and unflagged (CONS-005)"
        if not cross and pool.wallet_balance < 0:
            yield f"{account} has no cross position and a wallet of {pool.wallet_balance} (MARG-023)"
        for view in positions:
            if view.margin_mode is not MarginMode.ISOLATED or not view.quantity:
                continue
            if view.scope_equity < view.maintenance_margin and not (view.liquidating or is_stale(view.symbol)):
                yield f"{account}/{view.symbol} is below maintenance and unflagged (CONS-005, MARG-023)"


def _triggers(venue: Venue) -> Iterator[str]:
    """Look at every untriggered order, without the lists that the venue finds them by (TRIG-004)."""
    if venue.has_unfinished_triggers or venue.has_unfinished_liquidations:
        return
    for account in venue.accounts():
        for order in venue.untriggered_orders(account):
            assert order.trigger is not None, "an untriggered order has a trigger"
            price = venue._state.price_of(order.symbol, order.trigger.by)
            is_halted = venue.trading_state(order.symbol) is TradingState.HALTED
            if price is not None and order.trigger.holds(order.side, price) and not is_halted:
                yield f"order {order.order_id} of {account} waits for {order.trigger} although the price is {price} (TRIG-004)"


class Bookkeeping:
    """Keeps every wallet a second time, by the ledger entries alone, and says where the two differ (MARG-028)."""

    def __init__(self) -> None:
        self._sums: dict[tuple[AccountId, AssetId, PositionId | None], int] = defaultdict(int)

    def follow(self, events: tuple[AnyEvent, ...], venue: Venue) -> list[str]:
        """Return a sentence for each entry and each wallet whose balance is not the sum of its entries."""
        broken = []
        for entry in (entry for event in events if isinstance(event, LedgerPosted) for entry in event.entries):
            wallet = (entry.account, entry.asset, entry.position_id)
            self._sums[wallet] += entry.amount
            if entry.balance != self._sums[wallet]:
                broken.append(f"{entry} leaves another balance than the sum {self._sums[wallet]} (MARG-028)")
            if not entry.amount:
                broken.append(f"{entry} moves nothing (MARG-028)")
        kept = {wallet: balance for wallet, balance in self._sums.items() if balance}
        seen = dict(_wallets(venue))
        if kept != seen:
            broken.append(f"wallets {seen} are not the sums of their entries {kept} (MARG-028)")
        return broken


def _wallets(venue: Venue) -> Iterator[tuple[tuple[AccountId, AssetId, PositionId | None], int]]:
    """Yield every wallet with anything in it."""
    for account in (*venue.accounts(), INSURANCE_FUND):
        pool = venue.account(account)
        if pool.wallet_balance:
            yield (account, SETTLEMENT_ASSET, None), pool.wallet_balance
        for holding in pool.collateral:
            if holding.balance:
                yield (account, holding.asset, None), holding.balance
        for view in venue.positions(account):
            if view.isolated_wallet:
                yield (account, SETTLEMENT_ASSET, position_id(view.symbol, view.position_side)), view.isolated_wallet
    if venue.funds().fees:
        yield (FEES, SETTLEMENT_ASSET, None), venue.funds().fees


class Lifecycles:
    """Follows every order through its events and says where one leaves ``ORDER_LIFECYCLE``."""

    def __init__(self) -> None:
        self._seen: dict[int, OrderStatus] = {}

    def follow(self, events: tuple[AnyEvent, ...]) -> list[str]:
        """Return a sentence for each step that no order may take."""
        broken = []
        for view in _orders_of(events):
            before, now = self._seen.get(view.order_id), view.order_status
            if before is None and now not in (OrderStatus.UNTRIGGERED, OrderStatus.OPEN):
                broken.append(f"order {view.order_id} began as {now.value}")
            if before not in (None, now) and now not in ORDER_LIFECYCLE[before]:
                broken.append(f"order {view.order_id} went from {before.value} to {now.value}")
            self._seen[view.order_id] = now
        return broken


def _orders_of(events: tuple[AnyEvent, ...]) -> Iterator[OrderView]:
    for event in events:
        match event:
            case (
                OrderAccepted()
                | OrderAmended()
                | OrderTriggered()
                | OrderRested()
                | OrderShrunk()
                | OrderFilled()
                | OrderCanceled()
            ):
                yield event.order
            case TradeExecuted():
                yield event.maker.order
                yield event.taker.order
