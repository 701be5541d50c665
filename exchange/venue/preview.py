"""What a command would do if it came next: the command itself, carried out on copies (MARG-029).

There is no second implementation of any rule here: the code of the real command walks over a rehearsal of the state, and
then the first look of the liquidations' resolution, which warns and flags and takes no step. What liquidations and the
fund's slices then do to books, fund and accounts is not predicted.
"""

from __future__ import annotations

from exchange.accounts.changes import AccountChange
from exchange.domain.commands import AmendOrder, PlaceOrder, SetMarkPrices
from exchange.domain.events import (
    AmendRejected,
    AnyEvent,
    CommandRejected,
    LeverageSet,
    LiquidationStarted,
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
    TradeExecuted,
)
from exchange.domain.ids import AccountId
from exchange.domain.previews import OrderPreview, PreviewableCommand, PreviewView
from exchange.domain.units import Cash, TimeNs
from exchange.domain.views import OrderView
from exchange.venue import account_commands, marks, order_amends, order_commands
from exchange.venue.resolution import Resolution
from exchange.venue.state import VenueState
from exchange.venue.trading import Trading


def preview(state: VenueState, command: PreviewableCommand | None, account: AccountId, now_ns: TimeNs) -> PreviewView:
    """Return what ``command`` would do to ``account``; None is no command: the account as it stands.

    Units: ``now_ns`` nanoseconds. Raises ``KeyError`` for an unknown account. It costs what the command costs.
    """
    rehearsal = state.rehearsal(account, now_ns)
    twins = (rehearsal.books, rehearsal.accounts, rehearsal.counters, rehearsal.limits)
    trading = Trading(*twins, triggers=rehearsal.triggers, now_ns=now_ns)
    if command is not None:
        _carry_out(rehearsal, trading, command)
        Resolution(rehearsal, trading).run((), steps_max=0)
    return _picture(rehearsal, account, trading.events)


def _carry_out(state: VenueState, trading: Trading, command: PlaceOrder | AmendOrder | SetMarkPrices | AccountChange) -> None:
    match command:
        case PlaceOrder():
            order_commands.place(state, trading, command)
        case AmendOrder():
            order_amends.amend(state, trading, command)
        case SetMarkPrices():
            marks.set_marks(state, trading.events, command)
        case _:
            account_commands.change(state, trading.events, command)


def _picture(state: VenueState, account: AccountId, events: list[AnyEvent]) -> PreviewView:
    scopes = state.accounts.view_scopes(account)
    started = [each for each in events if isinstance(each, LiquidationStarted) and each.account == account]
    flagged = {(each.path, each.symbol, each.position_side) for each in started}
    return PreviewView(
        refusal=next((each for each in events if isinstance(each, OrderRejected | AmendRejected | CommandRejected)), None),
        order=_order_preview(account, events),
        margin_moved=sum(_margin_moved(account, each) for each in events),
        margin_calls=tuple(each for each in events if isinstance(each, MarginCalled) and each.account == account),
        liquidated=tuple(scope for scope in scopes if (scope.path, scope.symbol, scope.position_side) in flagged),
        account=state.accounts.view_account(account),
        positions=state.accounts.view_positions(account),
        scopes=scopes,
    )


def _margin_moved(account: AccountId, event: AnyEvent) -> Cash:
    """Return what an event of the command tells of money going into an isolated wallet of the account."""
    match event:
        case TradeExecuted() if event.taker.account == account:
            return event.taker.margin_in - event.taker.margin_out
        case MarginModeSet() | LeverageSet():
            return event.margin_moved
        case MarginMoved():
            return event.amount
    return 0


def _order_preview(account: AccountId, events: list[AnyEvent]) -> OrderPreview | None:
    """Return what events tell of an order that was let in, or had been before; None where there is none."""
    first = events[0] if events else None
    if isinstance(first, OrderRepeated):
        assert first.accepted.decision is not None, "an owner's order has a decision"
        return OrderPreview(order=first.outcome, reason=None, decision=first.accepted.decision, repeated=True)
    if not isinstance(first, OrderAccepted | OrderAmended):
        return None
    assert first.decision is not None, "an owner's order has a decision"
    order, reason, canceled = first.order, None, []
    shrunk: dict[int, OrderView] = {}
    for event in events[1:]:
        if not isinstance(event, OrderRested | OrderShrunk | OrderFilled | OrderCanceled):
            continue
        told = event.order
        if told.order_id == order.order_id:
            order, reason = told, event.reason if isinstance(event, OrderCanceled) else None
        elif told.account == account and isinstance(event, OrderCanceled):
            canceled.append(event)
        elif told.account == account and isinstance(event, OrderShrunk):
            shrunk[told.order_id] = told
    fills = [each.taker for each in events if isinstance(each, TradeExecuted)]
    gone = {each.order.order_id for each in canceled}
    return OrderPreview(
        order=order,
        reason=reason,
        decision=first.decision,
        fee=sum(fill.fee for fill in fills),
        realized_pnl=sum(fill.realized_pnl for fill in fills),
        canceled=tuple(canceled),
        shrunk=tuple(view for order_id, view in shrunk.items() if order_id not in gone),
    )
