"""What a preview said beside what then happened: the same command at the same time, given right after it (MARG-029)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from exchange.domain.commands import AnyCommand, SetMarkPrices
from exchange.domain.events import (
    AmendRejected,
    AnyEvent,
    CommandRejected,
    FillSide,
    LeverageSet,
    LiquidationFinished,
    LiquidationOrdersCanceled,
    LiquidationOrderSettled,
    LiquidationStarted,
    LiquidationWaiting,
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
    OrderTriggered,
    PositionTransferred,
    TradeExecuted,
)
from exchange.domain.ids import AccountId
from exchange.domain.previews import OrderPreview, PreviewableCommand, PreviewView
from exchange.domain.rejects import Reason
from exchange.domain.units import TimeNs
from exchange.domain.views import OrderView
from exchange.venue.venue import Venue

STEPS = (
    LiquidationFinished,
    LiquidationOrderSettled,
    LiquidationOrdersCanceled,
    LiquidationWaiting,
    LossSocialized,
    OrderTriggered,
    PositionTransferred,
)
"""What only a liquidation or a trigger does: from the first of them, and of the orders of the fund, nothing was foretold."""


class Foresight(NamedTuple):
    """What was foretold of one command to each account that it is about, and whether telling it left the venue alone."""

    command: AnyCommand
    previews: dict[AccountId, PreviewView]
    is_undisturbed: bool

    def faults(self, events: Sequence[AnyEvent], venue: Venue, counts: Counter[str] | None = None) -> Iterator[str]:
        """Return every way in which the command came out differently. ``venue`` is as the command has left it."""
        if not self.is_undisturbed:
            yield "a preview changed the digest"
        if counts is not None:
            counts["pairs"] += bool(self.previews)
        for account, preview in self.previews.items():
            faults = list(_differences(account, preview, events, venue))
            yield from (f"preview for {account}: {fault}" for fault in faults)
            if counts is not None:
                _count(counts, self.command, preview, events)


def foresee(venue: Venue, command: AnyCommand, now_ns: TimeNs) -> Foresight:
    """Return what the venue says beforehand; nothing of commands that have no preview."""
    if not isinstance(command, PreviewableCommand):
        return Foresight(command, {}, True)
    named = getattr(command, "account", None)
    accounts = venue.accounts() if named is None else [named] if venue.has_account(named) else []
    before = venue.digest()
    previews = {account: venue.preview(command, account=account, now_ns=now_ns) for account in accounts}
    return Foresight(command, previews, venue.digest() == before)


def _differences(account: AccountId, preview: PreviewView, events: Sequence[AnyEvent], venue: Venue) -> Iterator[str]:
    foretold, beyond = _first_look(events)
    refusals = [each for each in foretold if isinstance(each, OrderRejected | AmendRejected | CommandRejected)]
    yield from _compare("refusal", preview.refusal, refusals[0] if refusals else None)
    yield from _compare("order", preview.order, _order_of(account, foretold))
    yield from _compare("margin_moved", preview.margin_moved, _margin_moved(account, foretold))
    calls = tuple(each for each in foretold if isinstance(each, MarginCalled) and each.account == account)
    yield from _compare("margin_calls", preview.margin_calls, calls)
    flagged = [each for each in foretold if isinstance(each, LiquidationStarted) and each.account == account]
    seen = sorted(
        (each.path.value, each.symbol or "", each.position_side.value, each.equity, each.maintenance_margin, each.notional)
        for each in preview.liquidated
    )
    expected = sorted(
        (
            each.path.value,
            each.symbol or "",
            each.position_side.value,
            health.equity,
            health.maintenance_margin,
            health.notional,
        )
        for each in flagged
        for health in [each.health]
    )
    yield from _compare("liquidated", seen, expected)
    if not all(scope.liquidating and scope in preview.scopes for scope in preview.liquidated):
        yield "a flagged scope is not shown as one"
    if not beyond and not any(isinstance(each, LiquidationStarted) for each in events):
        yield from _compare("account", preview.account, venue.account(account))
        yield from _compare("positions", preview.positions, venue.positions(account))
        yield from _compare("scopes", preview.scopes, venue.scopes(account))


def _compare(name: str, foretold: object, happened: object) -> Iterator[str]:
    if foretold != happened:
        yield f"{name}\n    foretold {foretold}\n    happened {happened}"


def _first_look(events: Sequence[AnyEvent]) -> tuple[Sequence[AnyEvent], Sequence[AnyEvent]]:
    """Return the events up to the first that a liquidation or the fund made, and those from it on."""
    for place, event in enumerate(events):
        match event:
            case OrderAccepted():
                is_step = event.decision is None
            case OrderCanceled():
                is_step = event.reason in (Reason.LIQUIDATION, Reason.AUTO_DELEVERAGED)
            case MarginMoved():
                is_step = event.is_automatic
            case _:
                is_step = isinstance(event, STEPS)
        if is_step:
            return events[:place], events[place:]
    return events, ()


def _order_of(account: AccountId, events: Sequence[AnyEvent]) -> OrderPreview | None:
    """Return what happened to the order, in the words of a preview."""
    repeated = [each for each in events if isinstance(each, OrderRepeated)]
    if repeated:
        decision = repeated[0].accepted.decision
        assert decision is not None, "an owner's order has a decision"
        return OrderPreview(order=repeated[0].outcome, reason=None, decision=decision, repeated=True)
    accepted = next((each for each in events if isinstance(each, OrderAccepted | OrderAmended)), None)
    if accepted is None or accepted.decision is None:
        return None
    kinds = OrderAmended | OrderRested | OrderShrunk | OrderFilled | OrderCanceled
    states = [each for each in events if isinstance(each, kinds)]
    own = [each for each in states if each.order.order_id == accepted.order.order_id]
    others = [each for each in states if each.order.account == account and each not in own]
    canceled = tuple(each for each in others if isinstance(each, OrderCanceled))
    gone = {each.order.order_id for each in canceled}
    shrunk: dict[int, OrderView] = {
        each.order.order_id: each.order for each in others if isinstance(each, OrderShrunk) and each.order.order_id not in gone
    }
    fills = _fills(account, events)
    return OrderPreview(
        order=own[-1].order if own else accepted.order,
        reason=own[-1].reason if own and isinstance(own[-1], OrderCanceled) else None,
        decision=accepted.decision,
        fee=sum(fill.fee for fill in fills),
        realized_pnl=sum(fill.realized_pnl for fill in fills),
        canceled=canceled,
        shrunk=tuple(shrunk.values()),
    )


def _fills(account: AccountId, events: Sequence[AnyEvent]) -> list[FillSide]:
    sides = [side for each in events if isinstance(each, TradeExecuted) for side in (each.taker, each.maker)]
    return [side for side in sides if side.account == account]


def _margin_moved(account: AccountId, events: Sequence[AnyEvent]) -> int:
    moved = sum(fill.margin_in - fill.margin_out for fill in _fills(account, events))
    moved += sum(each.margin_moved for each in events if isinstance(each, MarginModeSet | LeverageSet))
    return moved + sum(each.amount for each in events if isinstance(each, MarginMoved))


def _count(counts: Counter[str], command: AnyCommand, preview: PreviewView, events: Sequence[AnyEvent]) -> None:
    """Keep count of what was foretold, so that a test can see that it was enough."""
    counts[type(command).__name__] += 1
    counts["margin calls"] += len(preview.margin_calls)
    counts["flags"] += len(preview.liquidated)
    counts["liquidations ran"] += bool(_first_look(events)[1])
    if preview.refusal is not None:
        counts[f"refused {preview.refusal.reason.value}"] += 1
        return
    counts[f"accepted {type(command).__name__}"] += 1
    counts["marks moved positions"] += isinstance(command, SetMarkPrices) and bool(preview.scopes)
    counts["margin moved"] += preview.margin_moved != 0
    if preview.order is None:
        return
    told, order = preview.order, preview.order.order
    facts = {
        "repeated": told.repeated,
        "filled whole": order.order_status.value == "filled",
        "filled in part": 0 < order.filled_quantity < order.quantity,
        "rests": order.open_quantity > 0,
        "cut to the position": order.open_quantity > 0 and order.open_quantity + order.filled_quantity < order.quantity,
        "orders shrunk": bool(told.shrunk),
        "makers removed": any(
            isinstance(each, OrderCanceled) and each.reason.value == "margin.maker_fill_check_failed" for each in events
        ),
        "collateral": bool(preview.account.collateral_value),
        f"filled {order.order_type.value}": order.filled_quantity > 0,
        f"filled {order.time_in_force.value}": order.filled_quantity > 0,
        "reduce-only": order.reduce_only,
        "post-only": order.post_only,
        "isolated": told.decision.path.value == "isolated",
        "hedge": order.position_side.value != "net",
        "rebate": told.fee < 0,
    }
    counts.update(name for name, is_so in facts.items() if is_so)
    counts.update(f"costs {each.reason.value}" for each in told.canceled)
    if told.reason is not None:
        counts[f"ends {told.reason.value}"] += 1
