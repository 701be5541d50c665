"""The real venue beside the naive one: both take each command, then everything that can be seen is compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

from exchange.domain.commands import AddMargin, AnyCommand, ContinueLiquidations, Credit, PlaceOrder, RemoveMargin
from exchange.domain.enums import ORDER_LIFECYCLE, Liquidity, MarginMode, OrderStatus, Side
from exchange.domain.events import (
    AnyEvent,
    BookChanged,
    CommandRejected,
    FillSide,
    LiquidationStarted,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderRepeated,
    OrderRested,
    OrderShrunk,
    PositionTransferred,
    TradeExecuted,
)
from exchange.domain.rejects import Reason
from exchange.domain.units import PPM, ceil_div
from exchange.domain.views import AccountView, OrderView, PositionView
from exchange.venue.state import VenueLimits
from exchange.venue.venue import Venue
from tests.properties import naive_formulas as formulas
from tests.properties.market import INSTRUMENTS, LIMITS, SYMBOLS
from tests.properties.naive_accounts import CROSS, Account
from tests.properties.naive_floor import Decision, Outcome, Trade
from tests.properties.naive_model import NaiveVenue

Events: TypeAlias = tuple[AnyEvent, ...]
REFUSED_FOR_FORM = {
    Reason.CLIENT_ORDER_ID_REUSED,
    Reason.LOT_SIZE,
    Reason.NO_MARK_PRICE,
    Reason.POST_ONLY_COMBINATION,
    Reason.PRICE_FORBIDDEN,
    Reason.PRICE_LIMIT,
    Reason.PRICE_REQUIRED,
    Reason.QUANTITY_MAX,
}
START_NS = 1_700_000_000_000_000_000
CONTINUATIONS_MAX = 200


def venue_limits(number: int) -> VenueLimits:
    sweep, steps, legs, orders, account_orders = LIMITS[number]
    return VenueLimits(
        sweep_makers_max=sweep,
        liquidation_steps_max=steps,
        adl_legs_max=legs,
        open_orders_max=orders,
        account_orders_max=account_orders,
    )


class Pair:
    """A venue and its model, held to the same commands; `apply` raises AssertionError at the first difference."""

    def __init__(self, limits_number: int = 0) -> None:
        self.limits = venue_limits(limits_number)
        self.venue = Venue(INSTRUMENTS, self.limits)
        self.model = NaiveVenue(list(INSTRUMENTS), self.limits)
        self.history: list[tuple[AnyCommand, Events]] = []
        self.counts: Counter[str] = Counter()
        self.statuses: dict[int, OrderStatus] = {}
        self.levels: dict[tuple[str, Side], dict[int, int]] = {}
        self.views: dict[str, tuple[AccountView, tuple[PositionView, ...]]] = {}
        """What the venue shows of every account after the last command."""

    def apply(self, command: AnyCommand) -> None:
        """Apply the command, and the continuations that it needs, to both, and check after each."""
        self.apply_one(command)
        for _ in range(CONTINUATIONS_MAX):
            if not self.venue.has_unfinished_liquidations:
                return
            self.apply_one(ContinueLiquidations())
        raise AssertionError("the liquidations did not end")

    def apply_one(self, command: AnyCommand) -> None:
        before = {name: self.cross_money(name) for name in self.views}
        events = self.venue.apply(command, now_ns=START_NS + len(self.history) + 1)
        self.history.append((command, events))
        outcome = self.model.apply(command)
        self.views = {name: (self.venue.account(name), self.venue.positions(name)) for name in self.model.accounts}
        self.count(command, events, outcome)
        compare_outcomes(command, events, outcome)
        self.compare_states()
        self.check_conservation()
        self.check_lifecycle(events)
        self.check_book_changes(events)
        for name, (wallet, had_cross) in before.items():
            self.check_isolation(name, wallet, had_cross, command, events)

    def count(self, command: AnyCommand, events: Events, outcome: Outcome) -> None:
        """Keep count of what the run has met, so that a test can see that it met enough."""
        self.counts["commands"] += 1
        self.counts["trades"] += len(outcome.trades)
        self.counts["orders accepted"] += len(outcome.accepted)
        self.counts["orders repeated"] += outcome.repeated is not None
        self.counts.update(f"canceled {reason.value}" for _, reason in outcome.canceled)
        self.counts.update(f"refused {e.reason.value}" for e in events if isinstance(e, OrderRejected | CommandRejected))
        self.counts.update(f"transferred {e.venue.value}" for e in events if isinstance(e, PositionTransferred))
        self.counts.update(f"liquidated {e.path.value}" for e in events if isinstance(e, LiquidationStarted))
        self.counts["continuations"] += isinstance(command, ContinueLiquidations)

    # --- the model agrees -------------------------------------------------------------------------------------------

    def compare_states(self) -> None:
        venue, model = self.venue, self.model
        for symbol in SYMBOLS:
            assert venue.mark_price(symbol) == model.marks[symbol]
            bids, asks = venue.depth(symbol, 1000)
            for levels, side in ((bids, Side.BUY), (asks, Side.SELL)):
                assert all(level.side is side for level in levels)
                assert [(level.price, level.quantity) for level in levels] == model.depth(symbol, side.sign), symbol
        funds = venue.funds()
        assert funds.net_deposits == model.net_deposits
        assert funds.fees == model.fees
        fund_positions = {p.symbol: (p.quantity, p.entry_cost) for p in funds.insurance_fund_positions if p.quantity}
        assert fund_positions == {s: (q, model.fund.c[s]) for s, q in model.fund.q.items() if q}
        assert funds.insurance_fund_wallet == model.fund.wallet
        assert funds.insurance_fund_equity == model.fund_equity()
        assert venue.has_unfinished_liquidations == model.has_unfinished_liquidations
        for account in model.accounts.values():
            self.compare_account(account)

    def compare_account(self, account: Account) -> None:
        model, (view, held) = self.model, self.views[account.name]
        seen = (view.wallet_balance, view.equity, view.initial_margin, view.maintenance_margin, view.total_equity)
        assert seen == (
            account.wallet,
            model.equity(account, CROSS),
            model.initial(account, CROSS),
            model.maintenance(account, CROSS),
            model.total_equity(account),
        ), account.name
        assert view.order_margin == model.order_margins(account), account.name
        assert view.available_balance == model.available(account), account.name
        orders = [
            (o.order_id, o.symbol, o.side.sign, o.limit_price, o.open_quantity) for o in self.venue.open_orders(account.name)
        ]
        expected = [o for o in model.orders if o.account == account.name]
        assert orders == [(o.order_id, o.symbol, o.side, o.price, o.open) for o in expected], account.name
        positions = {p.symbol: p for p in held}
        for symbol in SYMBOLS:
            self.compare_position(account, symbol, positions.get(symbol))

    def compare_position(self, account: Account, symbol: str, view: PositionView | None) -> None:
        model, p = self.model, account.positions[symbol]
        place = f"{account.name} {symbol}"
        if view is None:
            default = self.model.instruments[symbol].default_leverage
            assert (p.q, p.c, p.mode, p.leverage, p.wallet) == (0, 0, MarginMode.CROSS, default, 0), place
            assert not model.orders_of(account.name, symbol), place
            return
        assert (view.quantity, view.entry_cost, view.isolated_wallet) == (p.q, p.c, p.wallet), place
        assert (view.margin_mode, view.leverage) == (p.mode, p.leverage), place
        assert view.order_margin == model.order_margin(account, symbol), place
        if not p.q:
            return
        scope = model.scope_of(account, symbol)
        equity, needed = model.equity(account, scope), model.maintenance(account, scope)
        assert view.unrealized_pnl == model.unrealized(symbol, p.q, p.c), place
        assert view.initial_margin == model.position_initial(account, symbol), place
        assert view.maintenance_margin == model.position_maintenance(account, symbol), place
        assert (view.scope_equity, view.bankrupt) == (equity, equity <= 0), place
        assert view.margin_ratio == (ceil_div(needed * PPM, equity) if equity > 0 else None), place
        assert view.liquidating == (scope in account.flagged), place
        others = equity - view.unrealized_pnl - (needed - view.maintenance_margin)
        instrument, mark = model.instruments[symbol], model.mark(symbol)
        assert view.liquidation_price == formulas.liquidation_price(instrument, p.q, p.c, others, mark), place

    # --- what always holds ------------------------------------------------------------------------------------------

    def check_conservation(self) -> None:
        """CONS-001, CONS-002, CONS-003 and CONS-005, from what the venue shows alone."""
        venue, funds = self.venue, self.venue.funds()
        owned = sum(view.total_equity for view, _ in self.views.values())
        assert owned + funds.fees + funds.insurance_fund_equity == funds.net_deposits, "CONS-001"
        positions = [p for _, held in self.views.values() for p in held]
        for symbol in SYMBOLS:
            total = sum(p.quantity for p in (*positions, *funds.insurance_fund_positions) if p.symbol == symbol)
            assert total == 0, f"CONS-002 {symbol}"
            bids, asks = venue.depth(symbol, 1)
            assert not bids or not asks or bids[0].price < asks[0].price, f"CONS-003 {symbol}"
        for p in positions:
            assert p.quantity or (p.entry_cost == 0 and p.isolated_wallet == 0), f"CONS-002 {p.account} {p.symbol}"
            if p.quantity and p.margin_mode is MarginMode.ISOLATED:
                assert p.liquidating or p.scope_equity >= p.maintenance_margin, f"CONS-005 {p.account} {p.symbol}"
        for name, (view, held) in self.views.items():
            cross = [p for p in held if p.quantity and p.margin_mode is MarginMode.CROSS]
            flagged = any(p.liquidating for p in cross)
            assert not cross or flagged or view.equity >= view.maintenance_margin, f"CONS-005 {name}"

    def cross_money(self, name: str) -> tuple[int, bool]:
        """The cross wallet, and whether a cross position could change it."""
        view, positions = self.views[name]
        return view.wallet_balance, any(p.quantity and p.margin_mode is MarginMode.CROSS for p in positions)

    def check_isolation(self, name: str, wallet: int, had_cross: bool, command: AnyCommand, events: Events) -> None:
        """CONS-004: without cross positions, the cross wallet pays nothing but the transfers that are stated."""
        wallet_after, has_cross = self.cross_money(name)
        legs = [leg for leg in _legs(events) if leg.account == name]
        cross_leg = any(leg.margin_in == leg.margin_out == 0 for leg in legs)
        if had_cross or has_cross or cross_leg:
            return
        stated = sum(leg.margin_out - leg.margin_in for leg in legs)
        assert all(leg.margin_in >= 0 and leg.margin_out >= 0 for leg in legs), name
        refused = any(isinstance(e, CommandRejected) for e in events)
        if isinstance(command, Credit | AddMargin | RemoveMargin) and command.account == name and not refused:
            stated += -command.amount if isinstance(command, AddMargin) else command.amount
        assert wallet_after >= wallet + stated, f"CONS-004 {name}"

    def check_lifecycle(self, events: Events) -> None:
        """Every order follows ORDER_LIFECYCLE, and what is open always adds up."""
        for view in _order_views(events):
            assert view.open_quantity >= 0, view
            last = self.statuses.get(view.order_id)
            if last is None:
                assert view.order_status is OrderStatus.OPEN, view
            elif view.order_status is not last:
                assert view.order_status in ORDER_LIFECYCLE[last], (last, view)
            self.statuses[view.order_id] = view.order_status
        resting = {o.order_id for name in self.model.accounts for o in self.venue.open_orders(name)}
        alive = {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED}
        assert resting == {order_id for order_id, status in self.statuses.items() if status in alive}

    def check_book_changes(self, events: Events) -> None:
        """The price levels told of in events, folded, are the book."""
        for event in events:
            if isinstance(event, BookChanged):
                for level in event.levels:
                    self.levels.setdefault((event.symbol, level.side), {})[level.price] = level.quantity
        for symbol in SYMBOLS:
            for levels, way in zip(self.venue.depth(symbol, 1000), (Side.BUY, Side.SELL), strict=True):
                told = {price: total for price, total in self.levels.get((symbol, way), {}).items() if total}
                assert told == {level.price: level.quantity for level in levels}, symbol


def compare_outcomes(command: AnyCommand, events: Events, outcome: Outcome) -> None:
    """The same answer, the same trades in the same order, the same removals."""
    refusals = [e for e in events if isinstance(e, OrderRejected | CommandRejected)]
    if outcome.refused:
        assert [e.reason in outcome.refused for e in refusals] == [True], (refusals, outcome.refused)
    else:
        assert not refusals, refusals
    repeated = [e.outcome.order_id for e in events if isinstance(e, OrderRepeated)]
    assert repeated == ([] if outcome.repeated is None else [outcome.repeated])
    accepted = [e for e in events if isinstance(e, OrderAccepted)]
    own = [e for e in accepted if e.order.liquidation_id is None]
    assert [e.order.order_id for e in accepted if e.order.liquidation_id is None] == outcome.accepted
    if isinstance(command, PlaceOrder) and outcome.repeated is None:
        answers = [e for e in events if isinstance(e, OrderRejected)] + own
        assert len(answers) == 1
        _compare_decision(answers[0], outcome)
    trades = [_trade(e) for e in events if isinstance(e, TradeExecuted)]
    assert trades == outcome.trades
    canceled = sorted((e.order.order_id, e.reason.value) for e in events if isinstance(e, OrderCanceled))
    assert canceled == sorted((order_id, reason.value) for order_id, reason in outcome.canceled)


def _compare_decision(answer: OrderAccepted | OrderRejected, outcome: Outcome) -> None:
    """MARG-009: every accept and reject carries the arithmetic; an order refused for its form required nothing."""
    expected = outcome.decision
    if isinstance(answer, OrderRejected) and answer.reason in REFUSED_FOR_FORM:
        expected = outcome.standing
    shown = answer.decision
    seen = shown and Decision(shown.path, shown.required, shown.available_before, shown.available_after)
    assert seen == expected


def _trade(event: TradeExecuted) -> Trade:
    assert (event.maker.liquidity, event.taker.liquidity) == (Liquidity.MAKER, Liquidity.TAKER)
    ids = (event.maker.order.order_id, event.taker.order.order_id)
    return Trade(*ids, event.price, event.quantity, event.taker.fee, event.maker.fee)


def _legs(events: Iterable[AnyEvent]) -> list[FillSide]:
    return [leg for e in events if isinstance(e, TradeExecuted) for leg in (e.maker, e.taker)]


def _order_views(events: Iterable[AnyEvent]) -> list[OrderView]:
    views: list[OrderView] = []
    for event in events:
        if isinstance(event, TradeExecuted):
            views += [event.maker.order, event.taker.order]
        elif isinstance(event, OrderAccepted | OrderRested | OrderShrunk | OrderFilled | OrderCanceled):
            views.append(event.order)
    return views
