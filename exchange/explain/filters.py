"""The filters on the exchange floor that can stop an order before its margin matters (BOOK-004 to BOOK-007)."""

from __future__ import annotations

from exchange.domain.decisions import OrderDecision
from exchange.domain.instrument import Instrument
from exchange.domain.rejects import Reason
from exchange.domain.units import format_cash
from exchange.explain.arithmetic import Arithmetic

_MARGIN = frozenset({Reason.INITIAL_INSUFFICIENT, Reason.LEVERAGE_TIER, Reason.LIQUIDATION_IN_PROGRESS, Reason.MARK_STALE})
"""Reasons that come of the margin check itself."""
_PRICES = frozenset({Reason.PRICE_BAND, Reason.PRICE_LIMIT, Reason.POST_ONLY_WOULD_CROSS, Reason.TICK_SIZE})
_QUANTITIES = frozenset({Reason.QUANTITY_MAX, Reason.LOT_SIZE})
_MONEY = frozenset({Reason.NOTIONAL_MIN, Reason.INITIAL_INSUFFICIENT})
_RULES = {
    Reason.PRICE_BAND: "BOOK-006",
    Reason.NOTIONAL_MIN: "BOOK-006",
    Reason.POST_ONLY_WOULD_CROSS: "BOOK-005",
    Reason.OPEN_ORDERS_MAX: "BOOK-007",
    Reason.ACCOUNT_ORDERS_MAX: "BOOK-007",
    Reason.REDUCE_ONLY_NO_POSITION: "BOOK-010",
    Reason.FOK_UNFILLABLE: "BOOK-004",
}
"""Reasons that are found after the margin was computed, with their rules."""


def is_filter(reason: Reason | None) -> bool:
    """Return whether a refusal came of a filter, and not of margin."""
    return reason is not None and reason not in _MARGIN


def shown_bound(
    reason: Reason | None, instrument: Instrument | None, limit: int | None, actual: int | None
) -> tuple[str | None, str | None]:
    """Return the bound that an order missed and what it asked for, as text in the unit of the reason."""
    return _shown(reason, instrument, limit), _shown(reason, instrument, actual)


def _shown(reason: Reason | None, instrument: Instrument | None, value: int | None) -> str | None:
    if value is None or reason is None:
        return None
    if reason in _PRICES:
        return None if instrument is None else instrument.price_grid.format(value)
    if reason in _QUANTITIES:
        return None if instrument is None else instrument.quantity_grid.format(value)
    return format_cash(value) if reason in _MONEY else str(value)


def check_filter(a: Arithmetic, instrument: Instrument, decision: OrderDecision) -> None:
    """Write down the filter that an order missed, as a comparison where it is one."""
    reason, limit, actual = decision.reason, decision.limit, decision.actual
    assert reason is not None, "a refused order has a reason"
    rule, meaning = _RULES[reason], f"it passes the filter {reason.value}"
    if limit is None or actual is None:
        a.count("filters_missed", f"filters that the order missed: {reason.value}", 1)
        a.check("passes_filter", meaning, "filters_missed", "=", "0", holds=False, rule=rule)
        return
    unit = "price" if reason in _PRICES else "money" if reason in _MONEY else "count"
    for name, what, value in (("asked", "what the order came with", actual), ("bound", "the bound of the filter", limit)):
        a.given(name, what, _shown(reason, instrument, value) or str(value), unit)
    relation = ">=" if actual < limit else "<" if reason in (Reason.OPEN_ORDERS_MAX, Reason.ACCOUNT_ORDERS_MAX) else "<="
    a.check("passes_filter", meaning, "asked", relation, "bound", holds=False, rule=rule)
