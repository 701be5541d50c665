"""What happened, as one short sentence per event: a head that always shows, and facts that show when a table asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from exchange.domain import events as happened
from exchange.domain.enums import MarginMode, PositionSide, TradingState
from exchange.domain.ids import SETTLEMENT_ASSET, AssetId, Symbol
from exchange.domain.units import FUNDING_DECIMALS, Ppm, format_cash, format_decimal, format_rate
from exchange.domain.views import MarginDecision, ScopeHealth
from tests.cast import COLLATERAL

QUIET = (
    happened.AccountChanged,
    happened.BookChanged,
    happened.CollateralPriceChanged,
    happened.IndexPriceChanged,
    happened.LedgerPosted,
    happened.MarkPriceChanged,
    happened.PositionChanged,
    happened.TimeAdvanced,
)
"""Events that follow from the others; tables leave them out, the test of BOOK-013 looks at all of them."""


class Sentence(NamedTuple):
    """An event in words. ``facts`` are the details a table may ask for by name."""

    head: str
    facts: Mapping[str, object]

    def answering(self, expected: str) -> str:
        """Return the sentence with those facts that ``expected`` asks for, in the order that it asks."""
        words = expected.split()
        if expected.startswith(self.head):
            words = words[len(self.head.split()) :]
        return " ".join([self.head, *(f"{word} {show(self.facts[word])}" for word in words if word in self.facts)])


def show(value: object) -> str:
    """Return a fact's value as one word."""
    return "none" if value is None else str(value)


def short(symbol: Symbol, side: PositionSide = PositionSide.NET) -> str:
    """Return a symbol, or in hedge mode one of its two positions, as tables write it."""
    name = symbol.removesuffix("-PERP")
    return name if side is PositionSide.NET else f"{name}/{side.value}"


def in_asset(amount: int, asset: AssetId) -> str:
    """Return an amount of an asset in whole ones."""
    decimals = COLLATERAL[asset].decimals if asset in COLLATERAL else 0
    return format_cash(amount) if asset == SETTLEMENT_ASSET else format_decimal(amount, decimals)


def format_ppb(rate: int) -> str:
    """Return parts per thousand million as a decimal rate."""
    return format_decimal(rate, FUNDING_DECIMALS)


def _scope(account: str, symbol: Symbol | None, side: PositionSide, path: MarginMode) -> str:
    place = account if symbol is None else f"{account}/{short(symbol, side)}"
    return f"{place} {path.value}"


def _health(health: ScopeHealth) -> dict[str, object]:
    return {
        "equity": format_cash(health.equity),
        "mm": format_cash(health.maintenance_margin),
        "notional": format_cash(health.notional),
    }


def _of(asset: AssetId) -> str:
    return "" if asset == SETTLEMENT_ASSET else f" of {asset}"


def _decision(decision: MarginDecision | None) -> dict[str, object]:
    if decision is None:
        return {}
    return {
        "path": decision.path.value,
        "required": format_cash(decision.required),
        "before": format_cash(decision.available_before),
        "after": format_cash(decision.available_after),
        "liq": decision.liquidation_price,
    }


def _refusal(event: happened.CommandRejected) -> Sentence:
    facts = {"limit": event.limit, "actual": event.actual, "symbol": event.symbol and short(event.symbol)}
    return Sentence(f"refused {event.reason.value}", facts)


def _order_rejected(event: happened.OrderRejected) -> Sentence:
    facts = {"limit": event.limit, "actual": event.actual, **_decision(event.decision)}
    return Sentence(f"rejected {event.reason.value}", facts)


def _accepted(event: happened.OrderAccepted) -> Sentence:
    order = event.order
    facts = {
        "limit": order.limit_price,
        "quantity": order.quantity,
        "account": order.account,
        "side": order.side.value,
        "reducing": "yes" if order.reduce_only else "no",
        "status": order.order_status.value,
        **_decision(event.decision),
    }
    return Sentence(f"accepted {order.order_id}", facts)


def _amended(event: happened.OrderAmended) -> Sentence:
    order = event.order
    facts = {
        "limit": order.limit_price,
        "quantity": order.quantity,
        "open": order.open_quantity,
        "place": "kept" if event.keeps_place else "lost",
        **_decision(event.decision),
    }
    return Sentence(f"amended {order.order_id}", facts)


def _amend_rejected(event: happened.AmendRejected) -> Sentence:
    facts = {"limit": event.limit, "actual": event.actual, "order": event.order.order_id, **_decision(event.decision)}
    return Sentence(f"rejected {event.reason.value}", facts)


def _repeated(event: happened.OrderRepeated) -> Sentence:
    return Sentence(f"repeated {event.accepted.order.order_id}", {"status": event.outcome.order_status.value})


def _canceled(event: happened.OrderCanceled) -> Sentence:
    facts = {"quantity": event.canceled_quantity, "had_filled": event.order.filled_quantity}
    return Sentence(f"canceled {event.order.order_id} {event.reason.value}", facts)


def _triggered(event: happened.OrderTriggered) -> Sentence:
    facts = {
        "reason": None if event.reason is None else event.reason.value,
        "limit": event.order.limit_price,
        "account": event.order.account,
        **_decision(event.decision),
    }
    return Sentence(f"triggered {event.order.order_id} at {event.price}", facts)


def _trade(event: happened.TradeExecuted) -> Sentence:
    maker, taker = event.maker, event.taker
    facts: dict[str, object] = {"number": event.trade_id, "liquidation": event.liquidation_id}
    for name, side in (("maker", maker), ("taker", taker)):
        facts[f"{name}_fee"] = format_cash(side.fee)
        facts[f"{name}_pnl"] = format_cash(side.realized_pnl)
        facts[f"{name}_in"] = format_cash(side.margin_in)
        facts[f"{name}_out"] = format_cash(side.margin_out)
    return Sentence(
        f"trade {event.quantity}@{event.price} maker {maker.order.order_id} taker {taker.order.order_id}",
        facts,
    )


def _mode_set(event: happened.MarginModeSet) -> Sentence:
    head = f"mode {short(event.symbol, event.position_side)} {event.margin_mode.value}"
    return Sentence(head, {"moved": format_cash(event.margin_moved)})


def _leverage_set(event: happened.LeverageSet) -> Sentence:
    head = f"leverage {short(event.symbol, event.position_side)} {event.leverage}"
    return Sentence(head, {"moved": format_cash(event.margin_moved)})


def _moved(event: happened.MarginMoved) -> Sentence:
    facts = {"isolated": format_cash(event.isolated_wallet), "wallet": format_cash(event.wallet_balance)}
    return Sentence(f"{'replenished' if event.is_automatic else 'moved'} {format_cash(event.amount)}", facts)


def _trading_state(event: happened.TradingStateSet) -> Sentence:
    word = "halted" if event.trading_state is TradingState.HALTED else "resumed"
    return Sentence(f"{word} {short(event.symbol)}", {"liquidation": event.liquidation_id})


def _funding(event: happened.FundingSettled) -> Sentence:
    facts = {
        "premium": format_ppb(event.premium),
        "mark": event.mark_price,
        "residual": format_cash(event.residual),
        "payments": event.payments,
        "next": event.next_funding_time_ns,
        "time": event.time_ns,
    }
    return Sentence(f"funding {short(event.symbol)} {format_ppb(event.funding_rate)}", facts)


def _funded(event: happened.FundingPaid) -> Sentence:
    facts = {
        "quantity": event.quantity,
        "rate": format_ppb(event.funding_rate),
        "wallet": format_cash(event.wallet_balance),
    }
    owner = event.account.removeprefix("insurance_")
    return Sentence(f"funded {owner}/{short(event.symbol, event.position_side)} {format_cash(event.amount)}", facts)


def _called(event: happened.MarginCalled) -> Sentence:
    place = _scope(event.account, event.symbol, event.position_side, event.path)
    return Sentence(f"called {place} at {format_rate(event.level)}", _health(event.health))


def _started(event: happened.LiquidationStarted) -> Sentence:
    place = _scope(event.account, event.symbol, event.position_side, event.path)
    return Sentence(f"liquidation {event.liquidation_id} of {place}", _health(event.health))


def _settled(event: happened.LiquidationOrderSettled) -> Sentence:
    facts = {
        "order": event.order_id,
        "fee": format_cash(event.fee),
        "equity": format_cash(event.after.equity),
        "mm": format_cash(event.after.maintenance_margin),
        "equity_before": format_cash(event.before.equity),
        "mm_before": format_cash(event.before.maintenance_margin),
    }
    place = short(event.symbol, event.position_side)
    head = f"settled {event.filled}/{event.quantity} {place} {event.side.value} at {event.bankruptcy_price}"
    return Sentence(head, facts)


def _transferred(event: happened.PositionTransferred) -> Sentence:
    word = {"fund": "takeover", "auto_deleverage": "adl", "residual": "residual"}[event.venue.value]
    facts = {
        "symbol": short(event.symbol, event.position_side),
        "theirs": short(event.symbol, event.counterparty_side),
        "value": format_cash(event.value),
        "pnl": format_cash(event.realized_pnl),
        "other_pnl": format_cash(event.counterparty_realized_pnl),
        "fund_change": format_cash(event.fund_change),
        "equity": format_cash(event.after.equity),
        "mm": format_cash(event.after.maintenance_margin),
    }
    return Sentence(f"{word} {event.quantity} to {event.counterparty.removeprefix('insurance_')}", facts)


def _socialized(event: happened.LossSocialized) -> Sentence:
    place = f"{event.account}/{short(event.symbol, event.position_side)}"
    return Sentence(f"socialized {format_cash(event.amount)} from {place}", {"liquidation": event.liquidation_id})


def _waiting(event: happened.LiquidationWaiting) -> Sentence:
    facts = {"left": event.retries_left, "halted": "yes" if event.halted else "no", "account": event.account}
    return Sentence(f"waiting {event.liquidation_id}", facts)


def _by_symbol(counts: Mapping[str, int]) -> str | None:
    return "+".join(f"{short(symbol)}:{count}" for symbol, count in counts.items()) or None


def _share(rate: Ppm | None) -> str | None:
    return None if rate is None else format_rate(rate)


def _finished(event: happened.LiquidationFinished) -> Sentence:
    record = event.record
    facts: dict[str, object] = {
        "scope": _scope(record.account, record.symbol, record.position_side, record.path).replace(" ", ":"),
        "marks": _by_symbol(record.trigger_marks),
        "collateral": format_cash(record.collateral),
        "equity_before": format_cash(record.before.equity),
        "mm_before": format_cash(record.before.maintenance_margin),
        **_health(record.after),
        "canceled": record.orders_canceled,
        "rounds": record.rounds,
        "replenished": format_cash(record.replenished),
        "book": _by_symbol(record.book_quantity),
        "value": format_cash(record.book_value),
        "fund": _by_symbol(record.fund_quantity),
        "adl": _by_symbol(record.deleveraged_quantity),
        "legs": record.deleveraged_legs,
        "pnl": format_cash(record.realized_pnl),
        "fee": format_cash(record.fee),
        "fund_change": format_cash(record.fund_change),
        "fund_paid": format_cash(record.fund_paid),
        "forgone": format_cash(record.adl_forgone),
        "socialized": format_cash(record.socialized),
        "bad_debt": format_cash(record.bad_debt),
        "returned": format_cash(record.returned),
        "owner": _share(record.owner_recovery),
        "default": _share(record.default_recovery),
        "took_ns": record.finished_ns - record.started_ns,
    }
    return Sentence(f"finished {record.liquidation_id}", facts)


TELLERS: dict[type[happened.AnyEvent], Callable[[Any], Sentence]] = {
    happened.CommandRejected: _refusal,
    happened.OrderRejected: _order_rejected,
    happened.OrderAccepted: _accepted,
    happened.OrderRepeated: _repeated,
    happened.OrderAmended: _amended,
    happened.AmendRejected: _amend_rejected,
    happened.OrderTriggered: _triggered,
    happened.OrderRested: lambda event: Sentence(f"rested {event.order.order_id}", {"open": event.order.open_quantity}),
    happened.OrderShrunk: lambda event: Sentence(f"shrunk {event.order.order_id} to {event.order.open_quantity}", {}),
    happened.OrderFilled: lambda event: Sentence(
        f"filled {event.order.order_id}", {"value": format_cash(event.order.filled_value)}
    ),
    happened.OrderCanceled: _canceled,
    happened.CancelAfterSet: lambda event: Sentence(
        f"{event.trigger.value} {'armed' if event.deadline_ns is not None else 'disarmed'}", {"account": event.account}
    ),
    happened.TradeExecuted: _trade,
    happened.AccountCreated: lambda event: Sentence(f"created {event.account}", {}),
    happened.Credited: lambda event: Sentence(
        f"credited {in_asset(event.amount, event.asset)}{_of(event.asset)}",
        {"wallet": in_asset(event.wallet_balance, event.asset)},
    ),
    happened.Withdrawn: lambda event: Sentence(
        f"withdrawn {in_asset(event.amount, event.asset)}{_of(event.asset)}",
        {"wallet": in_asset(event.wallet_balance, event.asset)},
    ),
    happened.PositionModeSet: lambda event: Sentence(f"position mode {event.position_mode.value.replace('_', '-')}", {}),
    happened.MarginModeSet: _mode_set,
    happened.LeverageSet: _leverage_set,
    happened.AutoReplenishSet: lambda event: Sentence(
        f"auto-replenish {short(event.symbol, event.position_side)} {'on' if event.enabled else 'off'}", {}
    ),
    happened.MarginMoved: _moved,
    happened.TradingStateSet: _trading_state,
    happened.CollateralSold: lambda event: Sentence(
        f"sold {in_asset(event.quantity, event.asset)} of {event.asset}",
        {"account": event.account, "proceeds": format_cash(event.proceeds)},
    ),
    happened.FundingSettled: _funding,
    happened.FundingPaid: _funded,
    happened.MarginCalled: _called,
    happened.LiquidationStarted: _started,
    happened.LiquidationOrdersCanceled: lambda event: Sentence(f"cleared {event.orders}", _health(event.health)),
    happened.LiquidationOrderSettled: _settled,
    happened.PositionTransferred: _transferred,
    happened.LossSocialized: _socialized,
    happened.LiquidationWaiting: _waiting,
    happened.LiquidationFinished: _finished,
    happened.LiquidationsDeferred: lambda event: Sentence(f"deferred {event.scopes}", {}),
}
"""How each kind of event is told; a kind that is neither here nor ``QUIET`` is told by its name."""


def tell(event: happened.AnyEvent) -> Sentence:
    """Return an event as a sentence."""
    teller = TELLERS.get(type(event))
    return Sentence(type(event).__name__, {}) if teller is None else teller(event)
