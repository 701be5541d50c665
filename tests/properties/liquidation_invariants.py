"""Invariants of liquidations, orders, prices and bounds (6 to 8, 10, 13 and 14 of the list)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from math import floor

from exchange.domain.commands import ContinueLiquidations, PlaceOrder, SetIndexPrices, SetMarkPrices
from exchange.domain.enums import MarginMode, OrderType
from exchange.domain.events import (
    CloseOutVenue,
    CollateralSold,
    CommandRejected,
    LiquidationFinished,
    LiquidationOrderSettled,
    LiquidationStarted,
    LiquidationWaiting,
    LossSocialized,
    MarginMoved,
    OrderCanceled,
    OrderRejected,
    PositionTransferred,
    TradeExecuted,
)
from exchange.domain.ids import INSURANCE_FUND, AccountId
from exchange.domain.margin_math import bankruptcy_value, liquidation_root
from exchange.domain.rejects import Reason
from exchange.domain.units import PPM
from exchange.domain.views import OrderView, PositionView, ScopeHealth
from tests.properties.money_invariants import Faults, entries_of
from tests.properties.pictures import (
    Picture,
    PositionKey,
    exact_maintenance,
    is_breached,
    maintenance,
    own_lots,
    pool_of,
    profit,
)
from tests.properties.traces import Step

# -- 6 and 7: liquidation steps and flags ------------------------------------------------------------------------------


def liquidation_steps(step: Step, seen: Counter[str]) -> Faults:
    """Each step lowers maintenance, worsens no ratio of positive equity, and takes none below zero (LIQ-004 to LIQ-009)."""
    for event in step.events:
        match event:
            case LiquidationOrderSettled(before=before, after=after) if event.filled:
                seen["orders"] += 1
                yield from _no_worse(before, after)
            case PositionTransferred(before=before, after=after):
                seen[event.venue.value] += 1
                yield from _no_worse(before, after)
                if event.venue is not CloseOutVenue.RESIDUAL and event.fund_change > 0:
                    yield f"the fund gained {event.fund_change} beside the position"
    if isinstance(step.command, SetMarkPrices | SetIndexPrices | ContinueLiquidations):
        strangers = {entry.account for entry in entries_of(step)} - _parties(step)
        seen["commands that liquidated"] += any(isinstance(event, LiquidationFinished) for event in step.events)
        yield from (f"{account} had no part in it and its money moved" for account in strangers)


def _no_worse(before: ScopeHealth, after: ScopeHealth) -> Faults:
    if not after.maintenance_margin < before.maintenance_margin:
        yield f"maintenance did not fall: {before} to {after}"
    if before.equity >= 0 > after.equity:
        yield f"equity went below zero: {before} to {after}"
    # One unit is that by which maintenance is rounded up, the other that of an entry cost that it may be of.
    rounded = max(0, after.maintenance_margin - 2)
    if before.equity > 0 and after.equity * before.maintenance_margin < before.equity * rounded:
        yield f"equity over maintenance fell: {before} to {after}"


def _parties(step: Step) -> set[AccountId]:
    found: set[AccountId] = set()
    for event in step.events:
        match event:
            case TradeExecuted():
                found |= {event.maker.account, event.taker.account}
            case PositionTransferred():
                found |= {event.account, event.counterparty}
            case LossSocialized() | CollateralSold() | MarginMoved():
                found.add(event.account)
            case LiquidationFinished():
                found.add(event.record.account)
    return found


def flags(step: Step, seen: Counter[str]) -> Faults:
    """Only scopes below maintenance are liquidated, and every one that is below it is flagged, stale marks excepted."""
    for event in step.events:
        match event:
            case (
                LiquidationStarted(health=health) | LiquidationOrderSettled(before=health) | PositionTransferred(before=health)
            ):
                seen["liquidated"] += 1
                if not is_breached(step.after, health.equity, health.maintenance_margin):
                    yield f"a healthy scope was liquidated: {event}"
    now, policy = step.after, step.market.policy
    changed = now.accounts.keys() if policy.mark_stale_after else set(now.changed_since(step.before))
    for view in now.positions.values():
        if not view.quantity or view.account not in changed:
            continue
        if view.margin_mode is MarginMode.ISOLATED:
            equity = view.isolated_wallet + profit(now.instruments[view.symbol], view, now.marks[view.symbol])
            needed = maintenance(now.instruments[view.symbol], view, now.marks[view.symbol])
            is_stale = now.is_stale(policy, view.symbol, now.now_ns)
        else:
            equity, _, needed = pool_of(now, view.account)
            is_stale = now.is_stale_pool(policy, view.account, now.now_ns)
        seen["scopes"] += 1
        seen["flagged at the end"] += view.liquidating
        breached = is_breached(now, equity, needed) and not view.liquidating
        seen["breached on a stale mark"] += is_stale and breached
        if breached and not is_stale:
            yield f"{view.account}/{view.symbol} has {equity}, needs {needed} and is not flagged"


# -- 8: orders that only reduce ----------------------------------------------------------------------------------------


def reducing_orders(step: Step, seen: Counter[str]) -> Faults:
    """What only reduces is let in whatever the margin, and no reduce-only order opens or flips (MARG-010, BOOK-010)."""
    command = step.command
    if isinstance(command, PlaceOrder) and _only_reduces(command, step.before):
        seen["reducing orders"] += 1
        for event in step.events:
            if isinstance(event, OrderRejected) and event.reason.value.startswith("margin."):
                yield f"a reducing order was refused: {event.reason.value}"
            if isinstance(event, OrderCanceled) and event.reason is Reason.FILL_CHECK_FAILED:
                yield "a reducing fill was judged as an increase"
    yield from _follow_quantities(step, seen)


def _only_reduces(command: PlaceOrder, before: Picture) -> bool:
    held = before.position(command.account, command.symbol, command.position_side)
    mark, sign = before.marks.get(command.symbol), command.side.sign
    if held is None or mark is None or held.quantity * sign >= 0:
        return False
    if command.reduce_only or sign * command.position_side.sign < 0:
        return True
    price, protection = command.limit_price, before.instruments[command.symbol].market_protection
    if command.order_type is OrderType.MARKET:
        price = mark * (PPM + protection) // PPM if sign > 0 else max(1, -(-mark * (PPM - protection) // PPM))
    if price is None:
        return False
    ahead = [order for order in before.orders_of(held) if sign * (order.limit_price - price) >= 0]
    return sum(own_lots(ahead, held.quantity, sign).values()) == 0 and (
        sum(order.open_quantity for order in ahead if order.side.sign == sign and not order.reduce_only) + command.quantity
        <= abs(held.quantity)
    )


def _follow_quantities(step: Step, seen: Counter[str]) -> Faults:
    """Follow every position through the step's trades and transfers; none may cross zero in one of them (BOOK-011)."""
    quantities: Counter[PositionKey] = Counter({key: view.quantity for key, view in step.before.positions.items()})
    for view in step.before.funds.insurance_fund_positions:
        quantities[INSURANCE_FUND, view.symbol, view.position_side] = view.quantity
    for event in step.events:
        if isinstance(event, TradeExecuted):
            for side in (event.maker, event.taker):
                yield from _fill(quantities, side.order, event.quantity, seen)
        elif isinstance(event, PositionTransferred):
            signed = event.side.sign * event.quantity
            quantities[event.account, event.symbol, event.position_side] += signed
            quantities[event.counterparty, event.symbol, event.counterparty_side] -= signed
    ends = {key: view.quantity for key, view in step.after.positions.items()}
    for key, quantity in quantities.items():
        if key[0] != INSURANCE_FUND and ends.get(key, 0) != quantity:
            yield f"{key} ended with {ends.get(key, 0)} where its trades make {quantity}"


def _fill(quantities: Counter[PositionKey], order: OrderView, lots: int, seen: Counter[str]) -> Faults:
    key = (order.account, order.symbol, order.position_side)
    held, sign = quantities[key], order.side.sign
    quantities[key] += sign * lots
    if held * sign < 0 and abs(held) < lots:
        yield f"{key} was taken across zero: {held} by {sign * lots}"
    if order.reduce_only:
        seen["reduce-only fills"] += 1
        if held * sign >= 0:
            yield f"a reduce-only order of {key} opened"


# -- 10: prices --------------------------------------------------------------------------------------------------------


def prices(step: Step, seen: Counter[str]) -> Faults:
    """Equity is maintenance at the liquidation price and nothing at the bankruptcy price (MARG-006, LIQ-005)."""
    now = step.after
    for key, view in now.positions.items():
        if not view.quantity or view == step.before.positions.get(key):
            continue
        instrument, mark, legs = now.instruments[view.symbol], now.marks[view.symbol], [view]
        collateral = view.isolated_wallet
        if view.margin_mode is MarginMode.CROSS:
            legs = [held for held in now.cross_of(view.account) if held.symbol == view.symbol]
            pool = pool_of(now, view.account)
            collateral = pool.equity - pool.maintenance_margin
            collateral -= sum(profit(instrument, leg, mark) - maintenance(instrument, leg, mark) for leg in legs)
        if len(legs) == 1:
            root = liquidation_root(instrument, view.quantity, view.entry_cost, collateral)
            seen["exact roots"] += root is not None
            if root is not None and _spare(now, legs, collateral, Fraction(*root)):
                yield f"equity is not maintenance at {Fraction(*root)}: {view}"
        yield from _shown_price(now, view, legs, collateral, seen)
        yield from _bankruptcy(now, view, seen)


def _spare(now: Picture, legs: Sequence[PositionView], collateral: int, price: Fraction) -> Fraction:
    """Return equity less maintenance at a mark, both exact."""
    spare = Fraction(collateral)
    for leg in legs:
        instrument = now.instruments[leg.symbol]
        spare += leg.quantity * price * instrument.cash_per_tick_lot - leg.entry_cost
        spare -= exact_maintenance(instrument, leg, price)
    return spare


def _shown_price(now: Picture, view: PositionView, legs: Sequence[PositionView], collateral: int, seen: Counter[str]) -> Faults:
    """At the price shown the scope is healthy still, a tick further it is not; so it lies within a tick of the root."""
    mark, shown = now.marks[view.symbol], view.liquidation_price
    if _spare(now, legs, collateral, Fraction(mark)) < 0:
        seen["breached"] += 1
        if len(legs) == 1 and shown not in (None, mark):
            yield f"a breached scope is shown {shown} and not the mark: {view}"
        return
    if shown is None:
        seen["no price"] += 1
        if view.quantity < 0 and len(legs) == 1:
            yield f"a short has no liquidation price: {view}"
        return
    seen["shown prices"] += 1
    if now.instruments[view.symbol].rules.liquidation_price_buffer and len(legs) == 1:
        seen["buffered prices"] += 1
        if _spare(now, legs, collateral, Fraction(shown)) < 0:
            yield f"the scope is not healthy any more at the buffered price {shown}: {view}"
        return
    here = _spare(now, legs, collateral, Fraction(shown))
    steps = [_spare(now, legs, collateral, Fraction(shown + tick)) for tick in (-1, 1)]
    if not min(steps) < 0 <= here:
        yield f"{shown} is not the last healthy tick: {here} there, {steps} beside it: {view}"


def _bankruptcy(now: Picture, view: PositionView, seen: Counter[str]) -> Faults:
    """Closing at the exact bankruptcy value spends just what the position carries, at the price shown less than a tick less."""
    instrument, mark = now.instruments[view.symbol], now.marks[view.symbol]
    carried, per_tick = view.scope_equity, abs(view.quantity) * instrument.cash_per_tick_lot
    if view.margin_mode is MarginMode.CROSS:
        pool = pool_of(now, view.account)
        if pool.maintenance_margin:
            carried = floor(Fraction(pool.equity * view.maintenance_margin, pool.maintenance_margin))
    at_mark = view.quantity * mark * instrument.cash_per_tick_lot
    value = bankruptcy_value(instrument, view.quantity, mark, carried, abs(view.quantity))
    seen["bankruptcy values"] += 1
    if carried + value - at_mark:
        yield f"{carried + value - at_mark} is left at the bankruptcy value of {view}"
    exact = mark - Fraction(carried, view.quantity * instrument.cash_per_tick_lot)
    shown = view.bankruptcy_price
    if shown is None:
        seen["no bankruptcy price"] += 1
        if exact >= 1:
            yield f"no bankruptcy price is shown where it is {exact}: {view}"
        return
    left = carried + view.quantity * (shown - mark) * instrument.cash_per_tick_lot
    if not 0 <= left < per_tick:
        yield f"{left} is left at the bankruptcy price {shown} of {view}"


# -- 13 and 14: bounds and ends ----------------------------------------------------------------------------------------


def bounds(step: Step, seen: Counter[str]) -> Faults:
    """At a bound a change goes through, and a unit beyond it does not (MARG-016, MARG-021, MARG-027)."""
    if step.must_pass is None:
        return
    seen[f"{type(step.command).__name__} {'at' if step.must_pass else 'beyond'} the bound"] += 1
    refused = any(isinstance(event, CommandRejected) for event in step.events)
    if refused is step.must_pass:
        yield "refused at the bound" if refused else "not refused beyond the bound"


def waiting(step: Step, seen: Counter[str]) -> Faults:
    """A liquidation waits only so often for its book (LIQ-013)."""
    for event in step.events:
        if isinstance(event, LiquidationWaiting):
            seen["halted" if event.halted else "waiting"] += 1
            if event.retries_left < 0:
                yield f"liquidation {event.liquidation_id} waited too often"
