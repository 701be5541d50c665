"""Sizes by hand, one bound after the other."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from clients.risk import (
    PlanRefused,
    SizeBound,
    SizingTerms,
    Volatility,
    VolatilityTarget,
    plan_of,
    realized_volatility,
    risk_of,
    size_position,
    stop_at_distance,
)
from exchange.domain.enums import PositionSide
from exchange.domain.instrument import TierRow, build_tiers, under_policy
from exchange.domain.policy import RiskPolicy
from exchange.domain.units import PPB
from tests.cast import BTC_PERP, BTC_WITH_FEES, cash

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
RICH = cash("1000000")


def terms(**changes: Any) -> SizingTerms:
    """Return a long at 100 with its stop at 90, bounded by nothing but what a test says."""
    given: dict[str, Any] = {
        "instrument": BTC_PERP,
        "side": LONG,
        "entry_price": 100,
        "stop_price": 90,
        "leverage": 1,
        "equity": RICH,
        "available": RICH,
        "risk_budget": RICH,
    }
    return SizingTerms(**given | changes)


CALM = VolatilityTarget(volatility=Volatility(variance=PPB**2 // 100, steps=2), horizon=4, target=50_000)
"""One standard move of 10 % a step, 20 % over four, may be worth 5 % of equity."""

STEEP = under_policy(
    replace(BTC_WITH_FEES, tiers=build_tiers([TierRow(0, 95_000, 10)])), RiskPolicy(close_fee_in_maintenance=True)
)
"""Maintenance with the fee of a close is 10.5 %, more than leverage 10 asks for."""
FAR: dict[str, Any] = {"stop_price": 80, "liquidation_buffer": 100_000}
"""Healthy down to a mark of 72."""

SIZES = [
    # what is asked,                                                                 lots, bound,               loss at stop
    (terms(risk_budget=cash("100")),                                                 10,  SizeBound.RISK,        "100"),
    (terms(risk_budget=cash("99.999999")),                                           9,   SizeBound.RISK,        "90"),
    (terms(risk_budget=cash("100"), instrument=BTC_WITH_FEES),                       8,   SizeBound.RISK,        "95.2"),
    (terms(risk_budget=cash("100"), instrument=BTC_WITH_FEES, slippage=20_000),      7,   SizeBound.RISK,        "97.16"),
    (terms(risk_budget=cash("100"), instrument=BTC_WITH_FEES, side=SHORT, stop_price=110), 8, SizeBound.RISK,    "96.8"),
    (terms(equity=cash("1000"), volatility_target=CALM),                             2,   SizeBound.VOLATILITY,  "20"),
    (terms(equity=cash("1250"), volatility_target=CALM),                             3,   SizeBound.VOLATILITY,  "30"),
    (terms(equity=cash("1000"), effective_leverage_max=2_500_000),                   25,  SizeBound.EXPOSURE,    "250"),
    (terms(leverage=10),                                                             99,  SizeBound.TIER,        "990"),
    (terms(leverage=5),                                                              499, SizeBound.TIER,        "4990"),
    (terms(leverage=5, available=cash("1000")),                                      49,  SizeBound.AVAILABLE,   "490"),
    (terms(leverage=5, available=cash("1000.000002")),                               50,  SizeBound.AVAILABLE,   "500"),
    (terms(leverage=10, available=cash("115"), instrument=STEEP),                    10,  SizeBound.AVAILABLE,   "119"),
    (terms(leverage=10, available=cash("114.999999"), instrument=STEEP),             9,   SizeBound.AVAILABLE,   "107.1"),
    (terms(leverage=5, equity=cash("500"), **FAR),                              15, SizeBound.LIQUIDATION, "300"),
    (terms(leverage=5, equity=cash("480"), instrument=BTC_WITH_FEES, **FAR), 14, SizeBound.LIQUIDATION, "305.2"),
    (terms(leverage=5, collateral=cash("500"), **FAR),                          15, SizeBound.LIQUIDATION, "300"),
    (terms(leverage=5, equity=cash("500"), stop_price=80),                           20,  SizeBound.LIQUIDATION, "400"),
    (terms(),                                                                        1000, SizeBound.QUANTITY,   "10000"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "lots", "bound", "loss"), SIZES)
def test_a_size_is_the_least_that_any_bound_allows(asked: SizingTerms, lots: int, bound: SizeBound, loss: str) -> None:
    size = size_position(asked)
    assert (size.quantity, size.decided_by, size.loss_at_stop) == (lots, bound, cash(loss))
    assert size.most[bound] == min(size.most.values())
    assert plan_of(asked, size).quantity == lots


def test_an_isolated_position_is_given_the_margin_that_keeps_liquidation_beyond_its_stop() -> None:
    asked = terms(leverage=10, available=cash("500"), stop_price=80, liquidation_buffer=100_000, is_isolated=True)
    size = size_position(asked)
    assert (asked.buffered_price, size.quantity, size.decided_by) == (72, 15, SizeBound.LIQUIDATION)
    assert size.isolated_wallet == cash("474"), "15 * (28 lost to a mark of 72, and 3.6 of maintenance there)"
    assert size.margin_to_add == cash("324"), "opening moves 150"
    near = size_position(terms(leverage=10, available=cash("500"), stop_price=99, is_isolated=True))
    assert (near.quantity, near.isolated_wallet, near.margin_to_add) == (49, cash("490"), 0)


def test_nothing_is_taken_where_not_even_the_smallest_order_fits() -> None:
    broke = size_position(terms(risk_budget=cash("9.99")))
    assert (broke.quantity, broke.decided_by, broke.loss_at_stop) == (0, SizeBound.RISK, 0)
    dust = size_position(terms(instrument=replace(BTC_PERP, notional_min=cash("1001")), risk_budget=cash("100")))
    assert (dust.quantity, dust.most[SizeBound.RISK]) == (0, 10)
    with pytest.raises(PlanRefused, match="quantity: 0 is not from 1"):
        plan_of(terms(), broke)


def test_a_stop_may_be_told_as_a_distance_and_a_budget_as_a_part_of_equity() -> None:
    assert [stop_at_distance(side, 101, 100_000) for side in (LONG, SHORT)] == [90, 112]
    assert risk_of(cash("1234.567891"), 10_000) == cash("12.345678")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a stop above a long": ({"stop_price": 100}, "stop_price: the stop of a long must lie below its entry price"),
    "a stop below a short": ({"side": SHORT}, "stop_price: the stop of a short must lie above its entry price"),
    "no side": ({"side": PositionSide.NET}, "side: it must be long or short"),
    "no leverage": ({"leverage": 11}, "leverage: 11 is not from 1 to 10"),
    "no budget": ({"risk_budget": 0}, "risk_budget: 0 buys no risk; it must be above 0"),
    "slippage of everything": ({"slippage": 1_000_000}, "slippage: it must be from 0 to below 1"),
    "a buffer below nothing": ({"liquidation_buffer": -1}, "liquidation_buffer: it must be from 0 to below 1"),
    "no entry": ({"entry_price": 0}, "entry_price: 0 is not from 1"),
}


@pytest.mark.parametrize(("changes", "sentence"), REFUSED.values(), ids=REFUSED)
def test_terms_that_contradict_themselves_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PlanRefused) as refused:
        terms(**changes)
    assert str(refused.value).startswith(sentence)


# -- volatility --------------------------------------------------------------------------------------------------------


def test_volatility_is_the_root_mean_square_of_simple_returns_about_zero() -> None:
    calm = realized_volatility([100, 110, 99])
    assert (calm.variance, calm.steps) == (PPB**2 // 100, 2)
    assert (calm.over(1), calm.over(4)) == (100_000_000, 200_000_000)
    assert realized_volatility([7, 100, 110, 99], window=2) == calm, "only the window counts"
    assert realized_volatility([100] * 5).over(10) == 0


def test_volatility_is_rounded_up_and_never_understated() -> None:
    third = realized_volatility([3, 4, 4, 4])
    assert third.variance == PPB**2 // 27 + 1
    assert third.over(1) ** 2 >= third.variance > (third.over(1) - 1) ** 2


@pytest.mark.parametrize(
    ("marks", "window", "sentence"),
    [
        ([100, 110], None, "window: 1 steps are no sample; take at least 2"),
        ([100, 110, 99], 3, "window: 3 steps need 4 marks, and there are 3; lower it"),
        ([100, 0, 99], None, "marks: 0 is no mark; every one must be at least one tick"),
    ],
)
def test_a_series_that_says_too_little_is_refused(marks: list[int], window: int | None, sentence: str) -> None:
    with pytest.raises(PlanRefused) as refused:
        realized_volatility(marks, window=window)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(("horizon", "target", "field"), [(0, 1, "horizon"), (1, 0, "target")])
def test_a_target_of_no_time_or_no_size_is_refused(horizon: int, target: int, field: str) -> None:
    with pytest.raises(PlanRefused, match=field):
        VolatilityTarget(volatility=CALM.volatility, horizon=horizon, target=target)
