"""What happened, as one short sentence per event: a head that always shows, and facts that show when a table asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from exchange.domain import events as happened
from exchange.domain.units import format_cash
from exchange.domain.views import MarginDecision

QUIET = (
    happened.AccountChanged,
    happened.BookChanged,
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


def short(symbol: str) -> str:
    """Return a symbol as tables write it."""
    return symbol.removesuffix("-PERP")


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
    return Sentence(f"refused {event.reason.value}", {"limit": event.limit, "actual": event.actual})


def _order_rejected(event: happened.OrderRejected) -> Sentence:
    facts = {"limit": event.limit, "actual": event.actual, **_decision(event.decision)}
    return Sentence(f"rejected {event.reason.value}", facts)


def _accepted(event: happened.OrderAccepted) -> Sentence:
    order = event.order
    facts = {"limit": order.limit_price, "quantity": order.quantity, **_decision(event.decision)}
    return Sentence(f"accepted {order.order_id}", facts)


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


def _settled(event: happened.LiquidationOrderSettled) -> Sentence:
    facts = {
        "order": event.order_id,
        "fee": format_cash(event.fee),
        "equity": format_cash(event.after.equity),
        "mm": format_cash(event.after.maintenance_margin),
        "equity_before": format_cash(event.before.equity),
        "mm_before": format_cash(event.before.maintenance_margin),
    }
    head = f"settled {event.filled}/{event.quantity} {short(event.symbol)} {event.side.value} at {event.bankruptcy_price}"
    return Sentence(head, facts)


def _transferred(event: happened.PositionTransferred) -> Sentence:
    word = {"fund": "takeover", "auto_deleverage": "adl", "residual": "residual"}[event.venue.value]
    facts = {
        "symbol": short(event.symbol),
        "value": format_cash(event.value),
        "pnl": format_cash(event.realized_pnl),
        "other_pnl": format_cash(event.counterparty_realized_pnl),
        "fund_change": format_cash(event.fund_change),
        "equity": format_cash(event.after.equity),
        "mm": format_cash(event.after.maintenance_margin),
    }
    return Sentence(f"{word} {event.quantity} to {event.counterparty.removeprefix('insurance_')}", facts)


def _by_symbol(counts: Mapping[str, int]) -> str | None:
    return "+".join(f"{short(symbol)}:{lots}" for symbol, lots in counts.items()) or None


def _finished(event: happened.LiquidationFinished) -> Sentence:
    facts: dict[str, object] = {
        "book": _by_symbol(event.book_quantity),
        "fund": _by_symbol(event.fund_quantity),
        "adl": _by_symbol(event.deleveraged_quantity),
        "fee": format_cash(event.fee),
        "returned": format_cash(event.returned),
        "equity": format_cash(event.health.equity),
        "mm": format_cash(event.health.maintenance_margin),
    }
    return Sentence(f"finished {event.liquidation_id}", facts)


def _started(event: happened.LiquidationStarted) -> Sentence:
    place = event.account if event.symbol is None else f"{event.account}/{short(event.symbol)}"
    facts = {
        "equity": format_cash(event.health.equity),
        "mm": format_cash(event.health.maintenance_margin),
        "notional": format_cash(event.health.notional),
    }
    return Sentence(f"liquidation {event.liquidation_id} of {place} {event.path.value}", facts)


def tell(event: happened.AnyEvent) -> Sentence:
    """Return an event as a sentence."""
    match event:
        case happened.CommandRejected():
            return _refusal(event)
        case happened.OrderRejected():
            return _order_rejected(event)
        case happened.OrderAccepted():
            return _accepted(event)
        case happened.OrderRepeated():
            outcome = event.outcome
            return Sentence(f"repeated {event.accepted.order.order_id}", {"status": outcome.order_status.value})
        case happened.OrderRested():
            return Sentence(f"rested {event.order.order_id}", {"open": event.order.open_quantity})
        case happened.OrderShrunk():
            return Sentence(f"shrunk {event.order.order_id} to {event.order.open_quantity}", {})
        case happened.OrderFilled():
            facts: dict[str, object] = {"value": format_cash(event.order.filled_value)}
            return Sentence(f"filled {event.order.order_id}", facts)
        case happened.OrderCanceled():
            facts = {"quantity": event.canceled_quantity, "had_filled": event.order.filled_quantity}
            return Sentence(f"canceled {event.order.order_id} {event.reason.value}", facts)
        case happened.TradeExecuted():
            return _trade(event)
        case happened.AccountCreated():
            return Sentence(f"created {event.account}", {})
        case happened.Credited():
            return Sentence(f"credited {format_cash(event.amount)}", {"wallet": format_cash(event.wallet_balance)})
        case happened.MarginModeSet():
            return Sentence(f"mode {short(event.symbol)} {event.margin_mode.value}", {})
        case happened.LeverageSet():
            return Sentence(f"leverage {short(event.symbol)} {event.leverage}", {})
        case happened.MarginMoved():
            facts = {"isolated": format_cash(event.isolated_wallet), "wallet": format_cash(event.wallet_balance)}
            return Sentence(f"moved {format_cash(event.amount)}", facts)
        case happened.LiquidationStarted():
            return _started(event)
        case happened.LiquidationOrdersCanceled():
            return Sentence(f"cleared {event.orders}", {})
        case happened.LiquidationOrderSettled():
            return _settled(event)
        case happened.PositionTransferred():
            return _transferred(event)
        case happened.LiquidationFinished():
            return _finished(event)
        case happened.LiquidationsDeferred():
            return Sentence(f"deferred {event.scopes}", {})
        case _:
            return Sentence(type(event).__name__, {})
