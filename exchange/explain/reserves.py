"""What resting orders hold, order by order, and what is left available (MARG-008, MARG-009)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from exchange.domain.decisions import HeldOrder
from exchange.domain.enums import MarginMode
from exchange.domain.ids import OrderId
from exchange.domain.margin_math import (
    initial_margin,
    margin_price,
    notional_value,
    order_reserve,
    order_reserve_by_notional,
    unrealized_pnl,
)
from exchange.domain.policy import OrderMarginRule
from exchange.domain.units import Cash, Lots
from exchange.explain.arithmetic import Arithmetic, total
from exchange.explain.holdings import (
    Numbered,
    as_held,
    give_leverage,
    give_market,
    give_position,
    give_taker_fee,
    in_pool,
    times_multiplier,
    work_initial,
    work_profit,
)
from exchange.explain.scopes import (
    View,
    give_collateral,
    give_own_wallet,
    give_wallet,
    work_pool_equity,
    work_pool_initial,
)

NEW: OrderId = 2**63
"""Stands for an order that has no id yet: it is behind all others at its price."""
SHOWN_MAX = 12
"""How many orders of a side are written down one by one; what the others hold is then one number."""


def by_execution(orders: Iterable[HeldOrder], sign: int) -> list[HeldOrder]:
    """Return a side's orders as they would fill; reduce-only ones hold nothing and are left out."""
    side = [each for each in orders if each.sign == sign and not each.reduce_only]
    return sorted(side, key=lambda each: -sign * each.price)  # those of one price stay as they came in


class Part(NamedTuple):
    """What one order holds, and how many of its lots are not free."""

    order: HeldOrder
    lots: Lots
    margin: Cash
    free_notional: Cash


def parts_of(position: Numbered, orders: Iterable[HeldOrder], sign: int) -> list[Part]:
    """Return what each order of a side holds (MARG-008)."""
    held, instrument, mark = position.held, position.instrument, position.mark
    free = max(0, -sign * held.quantity)
    by_notional = free > 0 and instrument.rules.order_margin is OrderMarginRule.NOTIONAL_OFFSET
    free_notional, parts = abs(held.entry_cost), []
    for order in by_execution(orders, sign):
        covered = min(free, order.open_quantity)
        free -= covered
        lots, price = order.open_quantity - covered, order.price
        if by_notional:
            margin = order_reserve_by_notional(
                instrument, sign, order.open_quantity, covered, free_notional, price, mark, held.leverage
            )
        else:
            margin = order_reserve(instrument, sign, lots, price, mark, held.leverage)
        parts.append(Part(order, lots, margin, free_notional if by_notional else 0))
        margined = notional_value(instrument, order.open_quantity, margin_price(sign, price, mark))
        free_notional = max(0, free_notional - margined)
    return parts


def increase_gap(position: Numbered, orders: Sequence[HeldOrder]) -> Cash:
    """Return what an isolated position lacks to initial margin while orders would increase it (MARG-008)."""
    held = position.held
    increasing = by_execution(orders, 1 if held.quantity > 0 else -1)
    if held.margin_mode is not MarginMode.ISOLATED or not held.quantity or not increasing:
        return 0
    needed = initial_margin(position.instrument, held.quantity, held.entry_cost, position.mark, held.leverage)
    profit = unrealized_pnl(position.instrument, held.quantity, held.entry_cost, position.mark)
    return max(0, needed - held.wallet - profit)


def held_by(position: Numbered, orders: Sequence[HeldOrder]) -> Cash:
    """Return R: what a position's orders hold (MARG-008)."""
    buys, sells = (sum(part.margin for part in parts_of(position, orders, sign)) for sign in (1, -1))
    return max(buys, sells) + increase_gap(position, orders)


class Reserves:
    """Writes down what a position's orders hold: with and without some of them, each order and number once."""

    def __init__(self, view: View, position: Numbered, orders: Sequence[HeldOrder]) -> None:
        """``orders`` are all that any of the sums is of; they get their names by execution order."""
        self._view = view
        self._a: Arithmetic = view.a
        self._position = position
        self._names: dict[OrderId, str] = {}
        for sign, stem in ((1, "bid"), (-1, "ask")):
            known = [each for each in by_execution(orders, sign) if each.order_id != NEW]
            self._names |= {each.order_id: f"{stem}{number}" for number, each in enumerate(known, start=1)}
        self._names[NEW] = "new"
        self._done: dict[tuple[OrderId, Lots, Cash], str] = {}
        self._free_after: dict[tuple[OrderId, Lots, Cash], tuple[str, str, str]] = {}
        self._last_free: tuple[str, str, str] | None = None
        """Of the order before in its side, where notional makes orders free: that name, the order's, and its price's."""

    def work(self, name: str, meaning: str, orders: Sequence[HeldOrder], suffix: str) -> Cash:
        """Write down R of some of the orders under ``name``; ``suffix`` tells its steps from those of another sum."""
        a = self._a
        sums, value = [], 0
        for sign, stem in ((1, "bids"), (-1, "asks")):
            side = parts_of(self._position, orders, sign)
            amount = sum(part.margin for part in side)
            value = max(value, amount)
            if side:
                terms = self._side(side, sign, suffix)
                a.money_step(f"{stem}{suffix}", f"held by its {stem}", total(*terms), amount, "MARG-008")
                sums.append(f"{stem}{suffix}")
        gap = self._gap(orders)
        formula = f"max({', '.join(sums)})" if len(sums) == 2 else total(*sums)
        value += increase_gap(self._position, orders)
        return a.money_step(name, meaning, f"{formula}{gap}", value, "MARG-008")

    def lots_of_new(self, orders: Sequence[HeldOrder], sign: int) -> Lots:
        """Return how many lots of the new order are not free."""
        return next(part.lots for part in parts_of(self._position, orders, sign) if part.order.order_id == NEW)

    def _side(self, side: list[Part], sign: int, suffix: str) -> list[str]:
        shown = side[:SHOWN_MAX]
        if len(side) > SHOWN_MAX and any(part.order.order_id == NEW for part in side[SHOWN_MAX:]):
            shown = [*side[: SHOWN_MAX - 1], next(part for part in side if part.order.order_id == NEW)]
        names, before = [], ["free_buy" if sign > 0 else "free_sell"]
        self._last_free = None
        for part in side:
            if part in shown:
                names += self._part(part, sign, tuple(before), suffix)
            else:
                self._last_free = None
            if part.lots < part.order.open_quantity:
                self._give_order(part.order)
                before.append(f"{self._names[part.order.order_id]}_open")
        rest = [part for part in side if part not in shown]
        if rest:
            name = f"{'bids' if sign > 0 else 'asks'}_rest{suffix}"
            self._a.money(name, f"held by {len(rest)} further orders of that side", sum(part.margin for part in rest))
            names.append(name)
        return names

    def _give_order(self, order: HeldOrder) -> str:
        name, instrument = self._names[order.order_id], self._position.instrument
        who = "the new order" if order.order_id == NEW else f"order {order.order_id}"
        self._a.quantity(f"{name}_open", f"{who}: open quantity", instrument, order.open_quantity)
        self._a.price(f"{name}_price", f"{who}: price", instrument, order.price)
        return name

    def _part(self, part: Part, sign: int, before: tuple[str, ...], suffix: str) -> list[str]:
        """Write down what one order holds, unless that was done for the same numbers; return its term of the sum."""
        key = (part.order.order_id, part.lots, part.free_notional)
        if key in self._done:
            self._last_free = self._free_after.get(key)
            return [self._done[key]] if self._done[key] else []
        name = self._give_order(part.order)
        lots = self._lots(part, sign, name, before, suffix)
        formula = self._formula(part, sign, name, lots, suffix)
        if formula is None:
            self._done[key] = ""
            return []
        if self._last_free is not None:
            self._free_after[key] = self._last_free
        step = f"{name}_r" if not self._a.knows(f"{name}_r") else f"{name}_r{suffix}"
        who = "the new order" if part.order.order_id == NEW else f"order {part.order.order_id}"
        self._a.money_step(step, f"held by {who}", formula, part.margin, "MARG-008")
        self._done[key] = step
        return [step]

    def _lots(self, part: Part, sign: int, name: str, before: tuple[str, ...], suffix: str) -> str:
        """Return the name of the lots that are not free; the free ones are taken by the first orders of the side."""
        position, a = self._position, self._a
        covered_before = len(before) - 1
        if position.held.quantity * sign >= 0 or (part.lots == part.order.open_quantity and covered_before):
            return f"{name}_open"
        free = before[0]
        if not a.knows(free):
            give_position(a, position)
            value = position.instrument.quantity_grid.format(abs(position.held.quantity))
            a.step(free, "lots that only reduce", f"max(0, {'-' if sign > 0 else ''}{position.name('q')})", value, "quantity",
                   "MARG-008")  # fmt: skip
        left = free if not covered_before else f"max(0, {free} - {' - '.join(before[1:])})"
        step = f"{name}_x" if not a.knows(f"{name}_x") else f"{name}_x{suffix}"
        meaning = "its lots that do not only reduce"
        value = position.instrument.quantity_grid.format(part.lots)
        a.step(step, meaning, f"max(0, {name}_open - {left})", value, "quantity", "MARG-008")
        return step

    def _formula(self, part: Part, sign: int, name: str, lots: str, suffix: str) -> str | None:
        a, position = self._a, self._position
        rules, k, price = position.instrument.rules, times_multiplier(position), f"{name}_price"
        by_notional = part.free_notional > 0 or (
            rules.order_margin is OrderMarginRule.NOTIONAL_OFFSET and position.held.quantity * sign < 0
        )
        if not part.lots and not by_notional:
            return None
        give_market(a, position)
        give_leverage(a, position)
        mark, leverage = position.name("P"), position.name("L")
        margined = price if sign > 0 else f"max({price}, {mark})"
        if by_notional:
            value = self._free_notional(part, name, suffix)
            self._last_free = (value, name, margined)
            formula = f"up(max(0, {name}_open * {margined}{k} - {value}) / {leverage})"
            if not part.lots:
                return formula
        else:
            formula = f"up({lots} * {margined}{k} / {leverage})"
        fee = give_taker_fee(a, position)
        loss = f"{price} - {mark}" if sign > 0 else f"{mark} - {price}"
        formula += f" + up({lots} * {price}{k} * {fee}) + {lots} * max(0, {loss}){k} + 0.000002"
        if rules.order_close_fee:
            formula += f" + 0.000001 + up({lots} * {price}{k} * ({leverage} {'-' if sign > 0 else '+'} 1) * {fee} / {leverage})"
        return formula

    def _free_notional(self, part: Part, name: str, suffix: str) -> str:
        """Write down what of the position's notional at entry is still free for an order, and return its name."""
        a, position, step = self._a, self._position, f"{name}_free{suffix}"
        if self._last_free is None and part.free_notional == abs(position.held.entry_cost):
            give_position(a, position)
            formula = f"abs({position.name('c')})"
        elif self._last_free is not None:
            left, order, margined = self._last_free
            formula = f"max(0, {left} - {order}_open * {margined}{times_multiplier(position)})"
        else:  # orders that are not written down one by one came before it
            a.money(step, "what is left of the position's notional", part.free_notional)
            return step
        meaning = "what is left of the position's notional, which needs no margin twice"
        a.money_step(step, meaning, formula, part.free_notional, "MARG-008")
        return step

    def _gap(self, orders: Sequence[HeldOrder]) -> str:
        """Return what a formula adds for what an isolated position lacks to initial margin."""
        position, a = self._position, self._a
        held = position.held
        increasing = by_execution(orders, 1 if held.quantity > 0 else -1)
        if held.margin_mode is not MarginMode.ISOLATED or not held.quantity or not increasing:
            return ""
        if not a.knows("gap"):
            give_position(a, position)
            wallet = give_own_wallet(self._view, position)
            work_profit(a, as_held(position))
            work_initial(a, as_held(position))
            formula = f"max(0, {position.name('IM')} - ({wallet} + {position.name('u')}))"
            meaning = "what the position lacks to its initial margin"
            a.money_step("gap", meaning, formula, increase_gap(position, orders), "MARG-008")
        return " + gap"


def work_available(
    view: View,
    subject: Numbered | None,
    held: Cash,
    held_name: str,
    *,
    with_profit: bool = True,
    in_settlement: bool | None = None,
    name: str = "available",
) -> Cash:
    """Write down what is available (MARG-009); ``held_name`` is what the subject's own orders hold.

    ``with_profit`` is whether unrealised profit may back it where the rules let it back orders; ``in_settlement`` whether
    the settlement asset alone does, as it does for isolated positions.
    """
    a, account = view.a, view.account
    give_wallet(view)
    collateral = give_collateral(view)
    equity = _pool_equity(view) if a.knows("E_x") else work_pool_equity(view, "E_x")
    initial = _pool_initial(view) if a.knows("IM_x") else work_pool_initial(view, "IM_x")
    terms, reserved = _reserves(view, subject, held, held_name, isolated_only=False)
    alone = view.is_isolated if in_settlement is None else in_settlement
    own = account.wallet + account.collateral_value
    may_use_profit = with_profit and not alone and _lets_profit_back_orders(view)
    base = "E_x" if may_use_profit else f"min(W{collateral}, E_x)"
    value = (equity if may_use_profit else min(own, equity)) - initial - reserved
    formula = f"{base} - IM_x{_less(terms)}"
    if alone and account.collateral_value:
        isolated_terms, isolated = _reserves(view, subject, held, held_name, isolated_only=True)
        formula = f"min({formula}, W{_less(isolated_terms)})"
        value = min(value, account.wallet - isolated)
    return a.money_step(name, "available", formula, value, "MARG-009")


def _less(terms: list[str]) -> str:
    """Return what a formula takes off for some terms."""
    if not terms:
        return ""
    return f" - {terms[0]}" if len(terms) == 1 else f" - ({total(*terms)})"


def _lets_profit_back_orders(view: View) -> bool:
    return any(each.instrument.rules.profit_for_orders for each in in_pool(view.positions))


def _reserves(
    view: View, subject: Numbered | None, held: Cash, held_name: str, *, isolated_only: bool
) -> tuple[list[str], Cash]:
    """Return what positions' orders hold, of all positions or of the isolated ones: the names, and the sum."""
    own = bool(held) and (view.is_isolated or not isolated_only)
    terms, value = ([held_name], held) if own else ([], 0)
    for each in view.positions:
        is_other = subject is None or each.held.position_id != subject.held.position_id
        counts = not isolated_only or each.held.margin_mode is MarginMode.ISOLATED
        if is_other and counts and each.held.order_margin:
            view.a.money(each.name("R"), f"{each.label}: held by its orders", each.held.order_margin)
            terms.append(each.name("R"))
            value += each.held.order_margin
    return terms, value


def _pool_equity(view: View) -> Cash:
    account = view.account
    return (
        account.wallet
        + account.collateral_value
        + sum(
            unrealized_pnl(each.instrument, each.held.quantity, each.held.entry_cost, each.mark)
            for each in in_pool(view.positions)
        )
    )


def _pool_initial(view: View) -> Cash:
    return sum(
        initial_margin(each.instrument, each.held.quantity, each.held.entry_cost, each.mark, each.held.leverage)
        for each in in_pool(view.positions)
    )
