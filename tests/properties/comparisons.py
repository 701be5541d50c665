"""What the events of a command must say when the naive venue says what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

from exchange.domain.commands import AnyCommand, PlaceOrder
from exchange.domain.enums import Liquidity, MarginMode
from exchange.domain.events import (
    AmendRejected,
    AnyEvent,
    CollateralSold,
    CommandRejected,
    FillSide,
    FundingPaid,
    FundingSettled,
    LeverageSet,
    LiquidationFinished,
    LiquidationStarted,
    LossSocialized,
    MarginCalled,
    MarginModeSet,
    MarginMoved,
    OrderAccepted,
    OrderAmended,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderRepeated,
    OrderRested,
    OrderShrunk,
    PositionTransferred,
    TradeExecuted,
    TradingStateSet,
)
from exchange.domain.ids import position_id
from exchange.domain.rejects import Reason
from exchange.domain.views import LiquidationRecord, OrderView, ScopeHealth
from tests.properties.naive_outcome import Decision, Ended, Outcome, Trade, Transfer
from tests.properties.naive_record import Health

Events: TypeAlias = tuple[AnyEvent, ...]
REFUSED_FOR_FORM = {
    Reason.CLIENT_ORDER_ID_REUSED,
    Reason.LOT_SIZE,
    Reason.NO_MARK_PRICE,
    Reason.POSITION_SIDE,
    Reason.POST_ONLY_COMBINATION,
    Reason.PRICE_FORBIDDEN,
    Reason.PRICE_LIMIT,
    Reason.PRICE_REQUIRED,
    Reason.QUANTITY_MAX,
    Reason.SYMBOL_HALTED,
}


def compare_outcomes(command: AnyCommand, events: Events, outcome: Outcome) -> None:
    """The same answer, the same trades in the same order, the same removals, the same money moved for the same cause."""
    refusals = [e for e in events if isinstance(e, OrderRejected | AmendRejected | CommandRejected)]
    if outcome.refused:
        assert [e.reason in outcome.refused for e in refusals] == [True], (refusals, outcome.refused)
    else:
        assert not refusals, refusals
    repeated = [e.outcome.order_id for e in events if isinstance(e, OrderRepeated)]
    assert repeated == ([] if outcome.repeated is None else [outcome.repeated])
    own = [e for e in events if isinstance(e, OrderAccepted) and e.decision is not None]
    assert [e.order.order_id for e in own] == outcome.accepted
    sent = [e.order for e in events if isinstance(e, OrderAccepted) and e.decision is None]
    assert [_sent(order) for order in sent] == outcome.sent, ([_sent(order) for order in sent], outcome.sent)
    if isinstance(command, PlaceOrder) and outcome.repeated is None:
        answers = [e for e in events if isinstance(e, OrderRejected)] + own
        assert len(answers) == 1
        _compare_decision(answers[0], outcome)
    amended = [e for e in events if isinstance(e, OrderAmended)]
    assert [(e.order.order_id, e.keeps_place) for e in amended] == outcome.amended
    for answer in (*amended, *(e for e in events if isinstance(e, AmendRejected))):
        _compare_decision(answer, outcome)
    trades = [_trade(e) for e in events if isinstance(e, TradeExecuted)]
    assert trades == outcome.trades, (trades, outcome.trades)
    canceled = sorted((e.order.order_id, e.reason.value) for e in events if isinstance(e, OrderCanceled))
    assert canceled == sorted((order_id, reason.value) for order_id, reason in outcome.canceled)
    _compare_changes(events, outcome)
    _compare_liquidations(events, outcome)


def _compare_changes(events: Events, outcome: Outcome) -> None:
    """What owners, funding and margin calls did."""
    moved = [
        (e.account, position_id(e.symbol, e.position_side), e.amount if isinstance(e, MarginMoved) else e.margin_moved)
        for e in events
        if isinstance(e, MarginMoved | MarginModeSet | LeverageSet)
    ]
    assert [row for row in moved if row[2]] == [row for row in outcome.moved if row[2]], (moved, outcome.moved)
    paid = [(e.account, position_id(e.symbol, e.position_side), e.amount) for e in events if isinstance(e, FundingPaid)]
    assert sorted(paid) == sorted(row for row in outcome.payments if row[2]), (paid, outcome.payments)
    settled = [
        (e.symbol, e.funding_rate, e.premium, e.residual, e.payments, e.next_funding_time_ns)
        for e in events
        if isinstance(e, FundingSettled)
    ]
    assert settled == outcome.fundings, (settled, outcome.fundings)
    called = [(e.account, _scope(e), e.level) for e in events if isinstance(e, MarginCalled)]
    assert Counter(called) == Counter(outcome.calls)


def _compare_liquidations(events: Events, outcome: Outcome) -> None:
    """Who was flagged, where the positions went, who paid, and how it ended."""
    started = [(e.account, _scope(e), _health(e.health)) for e in events if isinstance(e, LiquidationStarted)]
    assert Counter(started) == Counter(outcome.started)
    transfers = [_transfer(e) for e in events if isinstance(e, PositionTransferred)]
    assert transfers == outcome.transfers, (transfers, outcome.transfers)
    shares = [(e.account, position_id(e.symbol, e.position_side), e.amount) for e in events if isinstance(e, LossSocialized)]
    assert Counter(shares) == Counter(outcome.socialized)
    sold = [(e.account, e.asset, e.quantity, e.proceeds) for e in events if isinstance(e, CollateralSold)]
    assert sold == outcome.sales, (sold, outcome.sales)
    halted = [e.symbol for e in events if isinstance(e, TradingStateSet) and e.liquidation_id is not None]
    assert halted == outcome.halts
    records = [e.record for e in events if isinstance(e, LiquidationFinished)]
    assert [(r.account, _scope(r)) for r in records] == [(e.notes.account, e.notes.scope) for e in outcome.ended]
    for record, ended in zip(records, outcome.ended, strict=True):
        differences = _differences(_record(record), _ended(ended))
        assert not differences, (differences, record)


def _differences(seen: dict[str, object], expected: dict[str, object]) -> dict[str, tuple[object, object]]:
    return {name: (seen[name], figure) for name, figure in expected.items() if seen[name] != figure}


def _record(record: LiquidationRecord) -> dict[str, object]:
    return {
        "started": record.started_ns,
        "marks": record.trigger_marks,
        "collateral": record.collateral,
        "before": _health(record.before),
        "after": _health(record.after),
        "orders canceled": record.orders_canceled,
        "rounds": record.rounds,
        "replenished": record.replenished,
        "book": {symbol: lots for symbol, lots in record.book_quantity.items() if lots},
        "book value": record.book_value,
        "fund": {symbol: lots for symbol, lots in record.fund_quantity.items() if lots},
        "deleveraged": {symbol: lots for symbol, lots in record.deleveraged_quantity.items() if lots},
        "legs": record.deleveraged_legs,
        "realized": record.realized_pnl,
        "fee": record.fee,
        "fund change": record.fund_change,
        "fund paid": record.fund_paid,
        "adl forgone": record.adl_forgone,
        "socialized": record.socialized,
        "bad debt": record.bad_debt,
        "returned": record.returned,
        "owner recovery": record.owner_recovery,
        "default recovery": record.default_recovery,
    }


def _ended(ended: Ended) -> dict[str, object]:
    notes = ended.notes
    return {
        "started": notes.started,
        "marks": notes.marks,
        "collateral": notes.collateral,
        "before": notes.before,
        "after": ended.after,
        "orders canceled": notes.orders_canceled,
        "rounds": notes.rounds,
        "replenished": notes.replenished,
        "book": dict(notes.book),
        "book value": notes.book_value,
        "fund": dict(notes.fund),
        "deleveraged": dict(notes.deleveraged),
        "legs": notes.legs,
        "realized": notes.realized,
        "fee": notes.fee,
        "fund change": notes.fund_change,
        "fund paid": notes.fund_paid,
        "adl forgone": notes.adl_forgone,
        "socialized": notes.socialized,
        "bad debt": notes.bad_debt,
        "returned": notes.returned,
        "owner recovery": ended.owner_recovery,
        "default recovery": ended.default_recovery,
    }


def _sent(order: OrderView) -> tuple[int, str, str, int, int]:
    position = position_id(order.symbol, order.position_side)
    return order.order_id, order.account, position, order.side.sign * order.quantity, order.limit_price


def _scope(event: LiquidationStarted | MarginCalled | LiquidationRecord) -> str | None:
    if event.path is MarginMode.CROSS:
        return None
    assert event.symbol is not None
    return position_id(event.symbol, event.position_side)


def _health(health: ScopeHealth) -> Health:
    return Health(health.equity, health.maintenance_margin, health.notional)


def _transfer(event: PositionTransferred) -> Transfer:
    return Transfer(
        event.venue.value,
        event.account,
        position_id(event.symbol, event.position_side),
        event.counterparty,
        position_id(event.symbol, event.counterparty_side),
        event.quantity,
        event.value,
        event.realized_pnl,
        event.counterparty_realized_pnl,
        event.fund_change,
    )


def _compare_decision(answer: OrderAccepted | OrderRejected | OrderAmended | AmendRejected, outcome: Outcome) -> None:
    """MARG-009: every accept and reject carries the arithmetic; an order refused for its form required nothing."""
    expected = outcome.decision
    if isinstance(answer, OrderRejected | AmendRejected) and answer.reason in REFUSED_FOR_FORM:
        expected = outcome.standing
    shown = answer.decision
    seen = shown and Decision(
        shown.path, shown.required, shown.available_before, shown.available_after, shown.liquidation_price
    )
    assert seen == expected, (seen, expected)


def _trade(event: TradeExecuted) -> Trade:
    assert (event.maker.liquidity, event.taker.liquidity) == (Liquidity.MAKER, Liquidity.TAKER)
    ids = (event.maker.order.order_id, event.taker.order.order_id)
    realized = (event.taker.realized_pnl, event.maker.realized_pnl)
    return Trade(*ids, event.price, event.quantity, event.taker.fee, event.maker.fee, *realized)


def legs_of(events: Iterable[AnyEvent]) -> list[FillSide]:
    """Both sides of every trade."""
    return [leg for e in events if isinstance(e, TradeExecuted) for leg in (e.maker, e.taker)]


def order_views(events: Iterable[AnyEvent]) -> list[OrderView]:
    """Every order as events show it, in their order."""
    views: list[OrderView] = []
    for event in events:
        if isinstance(event, TradeExecuted):
            views += [event.maker.order, event.taker.order]
        elif isinstance(event, OrderAccepted | OrderAmended | OrderRested | OrderShrunk | OrderFilled | OrderCanceled):
            views.append(event.order)
    return views
