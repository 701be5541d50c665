"""May this order in? Available balance and the check at order entry (MARG-009, MARG-010)."""

from __future__ import annotations

from collections.abc import Mapping

from exchange.accounts.cross import open_positions, pool_risk
from exchange.accounts.fills import realized_by
from exchange.accounts.liquidation_prices import liquidation_price_at, position_liquidation_price
from exchange.accounts.margin import path_of
from exchange.accounts.order_margin import margin_of_orders, order_margin
from exchange.accounts.position import Account, Position, RestingOrder
from exchange.accounts.risk import OrderCheck, ProposedOrder, Risk
from exchange.domain.enums import MarginMode
from exchange.domain.ids import OrderId, Symbol
from exchange.domain.margin_math import fee_on, isolated_fill_margin, notional_value, tier_at
from exchange.domain.rejects import Reason
from exchange.domain.units import Cash, Lots, Ticks
from exchange.domain.views import MarginDecision

NOT_YET_NUMBERED: OrderId = 2**63
"""Stands for an order that has no id yet: it is behind all others at its price."""


def available_balance(account: Account, marks: Mapping[Symbol, Ticks]) -> Cash:
    """Return what the account can still commit to orders (MARG-009); negative when it has committed too much."""
    pool = pool_risk(account, marks)
    return with_profit(account, pool, available_of(account, pool, marks))


def available_money(account: Account, marks: Mapping[Symbol, Ticks]) -> Cash:
    """Return what the account can still commit without its unrealised profit, whatever backs orders (MARG-009)."""
    return available_of(account, pool_risk(account, marks), marks)


def available_of(account: Account, pool: Risk, marks: Mapping[Symbol, Ticks]) -> Cash:
    """Return what of an account's money nothing has a claim on, given how its pool stands."""
    held = sum(order_margin(position, marks.get(position.symbol)) for position in account.positions.values())
    return min(account.wallet.balance + account.collateral_value, pool.equity) - pool.initial_margin - held


def with_profit(account: Account, pool: Risk, available: Cash) -> Cash:
    """Return what is available to orders: with the pool's unrealised profit, where the venue lets it back them."""
    profit = pool.equity - account.wallet.balance - account.collateral_value
    if profit > 0 and any(position.instrument.rules.profit_for_orders for position in open_positions(account)):
        return available + profit
    return available


def available_settlement(account: Account, marks: Mapping[Symbol, Ticks]) -> Cash:
    """Return what is available in the settlement asset: for isolated wallets and withdrawals (MARG-009)."""
    return settlement_part(account, marks, available_money(account, marks))


def settlement_part(account: Account, marks: Mapping[Symbol, Ticks], available: Cash) -> Cash:
    """Return what of the available money is there in the settlement asset; all of it without collateral assets."""
    if not account.collateral_value:
        return available
    isolated = sum(
        order_margin(position, marks.get(position.symbol))
        for position in account.positions.values()
        if position.margin_mode is MarginMode.ISOLATED
    )
    return min(available, account.wallet.balance - isolated)


def available_to(account: Account, position: Position, marks: Mapping[Symbol, Ticks]) -> Cash:
    """Return what the account can still commit to a position: an isolated one is backed by the settlement asset alone."""
    if position.margin_mode is MarginMode.ISOLATED:
        return available_settlement(account, marks)
    return available_balance(account, marks)


def available_without(account: Account, position: Position, order_id: OrderId, marks: Mapping[Symbol, Ticks]) -> Cash:
    """Return what is available to a position as if one of its orders were not there."""
    mark = marks[position.symbol]
    freed = order_margin(position, mark) - margin_without(position, order_id, mark)
    return available_to(account, position, marks) + freed


def margin_without(position: Position, order_id: OrderId, mark_price: Ticks) -> Cash:
    """Return R of a position as if one of its orders were not there."""
    others = (order for order in position.orders.values() if order.order_id != order_id)
    return margin_of_orders(position, others, mark_price).total


def potential_notional(position: Position, extra: Lots, mark_price: Ticks, without: OrderId | None = None) -> Cash:
    """Return the largest notional that resting orders, but for one, and ``extra`` signed lots can make of the position."""
    orders = [order for order in position.orders.values() if order.order_id != without and not order.reduce_only]
    bids = sum(order.open_quantity for order in orders if order.sign > 0)
    asks = sum(order.open_quantity for order in orders if order.sign < 0)
    reach = max(abs(position.quantity + bids + max(0, extra)), abs(position.quantity - asks + min(0, extra)))
    return notional_value(position.instrument, reach, mark_price)


def _orders_then(position: Position, order: ProposedOrder) -> list[RestingOrder]:
    """Return the position's orders with the one that wants in, at its place in the queue."""
    newcomer = RestingOrder(NOT_YET_NUMBERED, order.sign, order.price, order.quantity, order.reduce_only)
    if order.keeps_place:
        return [newcomer if each.order_id == order.replaces else each for each in position.orders.values()]
    return [*(each for each in position.orders.values() if each.order_id != order.replaces), newcomer]


def check_entry(account: Account, position: Position, marks: Mapping[Symbol, Ticks], order: ProposedOrder) -> OrderCheck:
    """Return whether an order may enter, with the arithmetic (MARG-010)."""
    mark, path = marks[position.symbol], path_of(position)
    held, freed = order_margin(position, mark), 0
    if order.replaces is not None:
        freed = held - margin_without(position, order.replaces, mark)
    then = margin_of_orders(position, _orders_then(position, order), mark)
    is_reducing = order.reduce_only or NOT_YET_NUMBERED in then.free
    before = available_to(account, position, marks) + freed
    required = then.total - (held - freed)
    decision = MarginDecision(
        path=path.mode,
        required=required,
        available_before=before,
        available_after=before - required,
        liquidation_price=estimated_liquidation_price(account, position, marks, order),
    )
    if is_reducing:
        return OrderCheck(None, decision, True)
    if path.is_liquidating(account, position):
        return OrderCheck(Reason.LIQUIDATION_IN_PROGRESS, decision, False)
    reach = potential_notional(position, order.sign * order.quantity, mark, order.replaces)
    most = tier_at(position.instrument.tiers, reach).max_leverage
    if reach > potential_notional(position, 0, mark, order.replaces) and position.leverage > most:
        return OrderCheck(Reason.LEVERAGE_TIER, decision, False, most, position.leverage)
    if required > 0 and before - required < 0:
        return OrderCheck(Reason.INITIAL_INSUFFICIENT, decision, False, before, required)
    return OrderCheck(None, decision, False)


def standing_decision(account: Account, position: Position, marks: Mapping[Symbol, Ticks]) -> MarginDecision:
    """Return the decision of an order that never came to its margin check: nothing required, nothing changed."""
    path, available, price = path_of(position), available_to(account, position, marks), None
    if position.quantity:
        price = position_liquidation_price(account, position, marks)
    return MarginDecision(path.mode, 0, available, available, price)


def estimated_liquidation_price(
    account: Account, position: Position, marks: Mapping[Symbol, Ticks], order: ProposedOrder
) -> Ticks | None:
    """Return the liquidation price of the position if the order filled whole at its price as a taker."""
    path, instrument, mark = path_of(position), position.instrument, marks[position.symbol]
    sign, price = order.sign, order.price
    held, cost = position.quantity, position.entry_cost
    wallet = path.collateral(account, position, marks)
    closing = min(order.quantity, abs(held)) if held * sign < 0 else 0
    opening = 0 if order.reduce_only else order.quantity - closing
    if closing:
        value = notional_value(instrument, closing, price)
        fee = fee_on(value, instrument.taker_fee)
        realized, closed = realized_by(position, closing, sign * value)
        wallet += realized - fee - path.payout(position, closing, realized - fee)
        held, cost = held + sign * closing, cost - closed
    if opening:
        value = notional_value(instrument, opening, price)
        fee = fee_on(value, instrument.taker_fee)
        usual = isolated_fill_margin(instrument, sign, opening, price, mark, position.leverage, fee)
        wallet += (path.fill_margin(usual, 0, lambda: usual) or 0) - fee
        held, cost = held + sign * opening, cost + sign * value
    return liquidation_price_at(account, position, marks, held, cost, wallet) if held else None
