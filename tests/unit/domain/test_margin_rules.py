"""The formulas under rules that a venue has switched, against numbers worked out by hand."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.closeout_math import FillableTerms, fillable_price, liquidation_fee_rate
from exchange.domain.margin_math import (
    close_fee,
    initial_margin,
    isolated_fill_margin,
    maintenance_margin,
    order_reserve,
)
from exchange.domain.policy import MarginPrice, MarginRules, RiskPolicy
from exchange.domain.units import Cash, Ticks
from tests.cast import BTC_PERP, BTC_WITH_FEES, cash

SECOND = 10**9
AT_ENTRY = MarginRules(maintenance_price=MarginPrice.ENTRY, initial_margin_price=MarginPrice.ENTRY)


@pytest.mark.rule("MARG-003", "MARG-004")
def test_measured_at_entry_a_mark_changes_nothing() -> None:
    """10 bought at 100 are 1000 at entry and 1200 at the mark: maintenance 5 %, initial a tenth."""
    instrument = replace(BTC_PERP, rules=AT_ENTRY)
    assert maintenance_margin(instrument, 10, cash("1000"), 120) == cash("50")
    assert maintenance_margin(BTC_PERP, 10, cash("1000"), 120) == cash("60")
    assert maintenance_margin(instrument, -10, cash("-1000"), 120) == cash("50")
    assert initial_margin(instrument, 10, cash("1000"), 120, 10) == cash("100")
    assert initial_margin(BTC_PERP, 10, cash("1000"), 120, 10) == cash("120")


@pytest.mark.rule("MARG-004")
def test_initial_margin_at_entry_is_never_below_maintenance_at_the_mark() -> None:
    """At 210 maintenance is 105 and a tenth of the entry 100."""
    instrument = replace(BTC_PERP, rules=MarginRules(initial_margin_price=MarginPrice.ENTRY))
    assert initial_margin(instrument, 10, cash("1000"), 200, 10) == cash("100")
    assert initial_margin(instrument, 10, cash("1000"), 210, 10) == cash("105")


@pytest.mark.rule("MARG-004", "MARG-005")
def test_where_equality_is_liquidated_initial_margin_is_a_unit_above_maintenance() -> None:
    rules = MarginRules(initial_margin_price=MarginPrice.ENTRY, liquidate_at_equality=True)
    instrument = replace(BTC_PERP, rules=rules)
    assert initial_margin(instrument, 10, cash("1000"), 210, 10) == cash("105.000001")
    assert initial_margin(instrument, 0, 0, 210, 10) == 0


@pytest.mark.rule("MARG-003")
def test_the_fee_of_a_close_raises_the_maintenance_rate() -> None:
    """Maintenance 5 % and a taker fee of 1 %."""
    instrument = replace(BTC_WITH_FEES, rules=MarginRules(close_fee_in_maintenance=True))
    assert maintenance_margin(instrument, 10, cash("1000"), 100) == cash("60")
    assert maintenance_margin(BTC_WITH_FEES, 10, cash("1000"), 100) == cash("50")


@pytest.mark.rule("MARG-008", "MARG-012")
@pytest.mark.parametrize(("side", "fee"), [(1, "9"), (-1, "11")])
def test_the_close_fee_of_an_order_is_paid_where_its_margin_is_spent(side: int, fee: str) -> None:
    """A tenth below 100 for a buy, a tenth above it for a sell: 1 % of 900, or of 1100."""
    instrument = replace(BTC_WITH_FEES, rules=MarginRules(order_close_fee=True))
    assert close_fee(instrument, side, 10, 100, 10) == cash(fee)
    reserve = order_reserve(BTC_WITH_FEES, side, 10, 100, 100, 10)
    assert order_reserve(instrument, side, 10, 100, 100, 10) == reserve + cash(fee) + 1
    moved = isolated_fill_margin(BTC_WITH_FEES, side, 10, 100, 100, 10, 7)
    assert isolated_fill_margin(instrument, side, 10, 100, 100, 10, 7) == moved + cash(fee)


@pytest.mark.rule("LIQ-005")
@pytest.mark.parametrize(
    ("equity", "adjustment", "distance"),
    [
        (cash("50"), 1_000_000, 0),
        (cash("40"), 1_000_000, 10),
        (cash("40"), 500_000, 5),
        (cash("40"), 4_999_999, 49),
        (cash("40"), 9_000_000, 50),
        (cash("0"), 1_000_000, 50),
        (cash("-10"), 1_000_000, 50),
    ],
)
def test_a_fillable_limit_leaves_the_mark_as_maintenance_is_lost(equity: Cash, adjustment: int, distance: Ticks) -> None:
    """Maintenance 50 of 10 lots at 1000: at a spread of 1 the furthest is 50 a lot; a fifth of it is lost at 40."""
    instrument = replace(BTC_PERP, cash_per_tick_lot=cash("0.1"))
    terms = FillableTerms(equity, cash("50"), cash("50"), adjustment, 1_000_000)
    assert fillable_price(instrument, 10, 1000, terms) == 1000 - distance
    assert fillable_price(instrument, -10, 1000, terms) == 1000 + distance
    half = terms._replace(spread=500_000)
    assert fillable_price(instrument, 10, 1000, half) == 1000 - distance // 2


@pytest.mark.rule("LIQ-006")
@pytest.mark.parametrize(("age", "rate"), [(0, 5_000), (9, 5_000), (10, 15_000), (11, 16_000), (25, 30_000), (99, 30_000)])
def test_the_liquidation_fee_rises_after_its_grace_and_up_to_its_maximum(age: int, rate: int) -> None:
    instrument = replace(BTC_PERP, liquidation_fee=5_000)
    policy = RiskPolicy(liquidation_fee_rise=1_000, liquidation_fee_grace=10 * SECOND, liquidation_fee_max=30_000)
    assert liquidation_fee_rate(instrument, policy, age * SECOND) == rate
    assert liquidation_fee_rate(instrument, RiskPolicy(), age * SECOND) == 5_000
