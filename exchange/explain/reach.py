"""How large all its orders can make a position, and the leverage that is allowed there (MARG-010)."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.domain.decisions import HeldOrder
from exchange.domain.margin_math import notional_value, tier_at
from exchange.domain.units import Cash, Lots
from exchange.explain.holdings import Numbered, give_position, times_multiplier
from exchange.explain.scopes import View


def reached(subject: Numbered, orders: Sequence[HeldOrder], extra: Lots = 0) -> Cash:
    """Return the most notional that orders and ``extra`` signed lots can make of a position."""
    bids, asks = _sides(orders)
    held = subject.held.quantity
    lots = max(abs(held + bids + max(0, extra)), abs(held - asks + min(0, extra)))
    return notional_value(subject.instrument, lots, subject.mark)


def work_reach(view: View, subject: Numbered, orders: Sequence[HeldOrder], extra: Lots = 0, extra_name: str = "") -> Cash:
    """Write down how far orders can take a position as ``reach``, and the row of the tiers there."""
    a = view.a
    value = _work(
        view, subject, orders, "reach", "the most notional that its orders can make of the position", extra, extra_name
    )
    tier = tier_at(subject.instrument.tiers, value)
    a.money("reach_floor", "floor of the tier that it can reach", tier.notional_floor)
    a.count("reach_top", "highest leverage of that tier", tier.max_leverage)
    a.check("in_reach_tier", "it reaches that tier", "reach", ">=", "reach_floor", holds=True, rule="MARG-002")
    return value


def work_reach_before(view: View, subject: Numbered, orders: Sequence[HeldOrder]) -> Cash:
    """Write down how far the orders that rest already can take a position."""
    return _work(view, subject, orders, "reach_before", "the same without the new order", 0, "")


def _work(
    view: View, subject: Numbered, orders: Sequence[HeldOrder], name: str, meaning: str, extra: Lots, extra_name: str
) -> Cash:
    a, instrument = view.a, subject.instrument
    bids, asks = _sides(orders)
    give_position(a, subject)
    a.quantity("all_bids", "open quantity of its bids", instrument, bids)
    a.quantity("all_asks", "open quantity of its asks", instrument, asks)
    q, at = subject.name("q"), f"{subject.name('P')}{times_multiplier(subject)}"
    more_bids, more_asks = (f" + {extra_name}" if extra > 0 else "", f" - {extra_name}" if extra < 0 else "")
    formula = f"max(abs({q} + all_bids{more_bids}), abs({q} - all_asks{more_asks})) * {at}"
    return a.money_step(name, meaning, formula, reached(subject, orders, extra), "MARG-010")


def _sides(orders: Sequence[HeldOrder]) -> tuple[Lots, Lots]:
    bids, asks = (sum(each.open_quantity for each in orders if each.sign == sign and not each.reduce_only) for sign in (1, -1))
    return bids, asks
