"""The size of a liquidating close against numbers worked out by hand."""

from __future__ import annotations

import pytest

from exchange.domain.closeout_math import (
    CloseoutRisk,
    fraction_close,
    target_close,
    tier_step_close,
    whole_if_dust,
)
from exchange.domain.units import PPM
from tests.cast import BTC_PERP, cash

ALONE = CloseoutRisk(
    instrument=BTC_PERP,
    quantity=50,
    entry_cost=cash("5000"),
    mark_price=100,
    equity=cash("220"),
    other_maintenance=0,
    bankruptcy_loss=cash("220"),
    target=1_100_000,
    loss_rate=0,
)
"""5000 of notional, 250 of maintenance, 220 of equity: 4000 may stay."""


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize("side", [1, -1])
def test_a_close_without_cost_leaves_the_position_that_the_equity_carries(side: int) -> None:
    assert target_close(ALONE._replace(quantity=side * 50)) == 10


@pytest.mark.rule("LIQ-004")
def test_a_close_is_rounded_up_to_a_lot() -> None:
    assert target_close(ALONE._replace(equity=cash("219.999999"))) == 11
    assert target_close(ALONE._replace(equity=cash("214.5"))) == 11
    assert target_close(ALONE._replace(equity=cash("214.499999"))) == 12


@pytest.mark.rule("LIQ-004")
def test_what_the_close_costs_is_closed_for_too() -> None:
    # 1 % of loss: n = (220 - 50) / (1.1 * 0.05 - 0.01) = 3777.8
    assert target_close(ALONE._replace(loss_rate=10_000)) == 13
    # bounded by bankruptcy: 20 over 5000 is 0.4 %, n = (220 - 20) / (0.055 - 0.004) = 3921.6
    assert target_close(ALONE._replace(loss_rate=10_000, bankruptcy_loss=cash("20"))) == 11


@pytest.mark.rule("LIQ-004")
def test_a_close_over_a_tier_floor_is_solved_in_the_tier_where_the_rest_lies() -> None:
    # 30000 in tier 2 needs 2500. In tier 2's line: (440 + 550) / 0.11 = 9000, below its floor; in tier 1: 440 / 0.055 = 8000.
    risk = ALONE._replace(quantity=300, equity=cash("440"), bankruptcy_loss=cash("440"))
    assert target_close(risk) == 220


@pytest.mark.rule("LIQ-004")
def test_the_rest_may_lie_exactly_on_a_tier_floor() -> None:
    risk = ALONE._replace(quantity=300, equity=cash("550"), bankruptcy_loss=cash("550"))
    assert target_close(risk) == 200
    assert target_close(risk._replace(equity=cash("549.999999"))) == 201


@pytest.mark.rule("LIQ-004")
def test_the_maintenance_of_the_other_positions_is_carried_by_the_same_equity() -> None:
    # (220 - 1.1 * 100) / 0.055 = 2000 may stay
    assert target_close(ALONE._replace(other_maintenance=cash("100"))) == 30
    assert target_close(ALONE._replace(other_maintenance=cash("200"))) == 50
    assert target_close(ALONE._replace(other_maintenance=cash("200.000001"))) == 50


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize("equity", ["0", "-1"])
def test_without_equity_everything_is_closed(equity: str) -> None:
    assert target_close(ALONE._replace(equity=cash(equity), bankruptcy_loss=cash(equity))) == 50


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize("loss", ["1100", "1250"])
def test_where_the_loss_outgrows_the_maintenance_everything_is_closed(loss: str) -> None:
    # 22 % and 25 % of loss, where the highest tier frees 1.1 * 20 %
    risk = ALONE._replace(equity=cash("1250"), other_maintenance=cash("1000"), bankruptcy_loss=cash(loss), loss_rate=PPM)
    assert target_close(risk) == 50


@pytest.mark.rule("LIQ-004")
def test_a_rest_too_small_for_a_lot_is_closed_too() -> None:
    assert target_close(ALONE._replace(equity=cash("5.499999"))) == 50
    assert target_close(ALONE._replace(equity=cash("5.5"))) == 49


@pytest.mark.rule("LIQ-004")
def test_nothing_is_closed_where_the_target_holds() -> None:
    assert target_close(ALONE._replace(equity=cash("275"))) == 0
    assert target_close(ALONE._replace(equity=cash("274.999999"))) == 1
    assert target_close(ALONE._replace(quantity=0)) == 0


@pytest.mark.rule("LIQ-004")
def test_nothing_is_closed_where_the_target_holds_although_a_close_would_cost_more_than_it_frees() -> None:
    assert target_close(ALONE._replace(equity=cash("2000"), bankruptcy_loss=cash("2000"), loss_rate=PPM)) == 0


@pytest.mark.parametrize(
    ("quantity", "close"),
    [(10, 10), (99, 99), (100, 1), (-100, 1), (499, 400), (500, 1), (700, 201)],
)
def test_a_tier_step_ends_below_the_floor_of_todays_tier(quantity: int, close: int) -> None:
    assert tier_step_close(BTC_PERP, quantity, 0, 100) == close


def test_a_tier_step_counts_whole_lots() -> None:
    assert tier_step_close(BTC_PERP, 4, 0, 3_000) == 1  # 12000 -> 9000
    assert tier_step_close(BTC_PERP, 1, 0, 30_000) == 1


@pytest.mark.parametrize(
    ("quantity", "fraction", "close"),
    [(10, 200_000, 2), (-10, 200_000, 2), (11, 200_000, 3), (1, 1, 1), (10, PPM, 10), (10, 2 * PPM, 10), (0, PPM, 0)],
)
def test_a_fraction_is_rounded_up_to_a_lot(quantity: int, fraction: int, close: int) -> None:
    assert fraction_close(BTC_PERP, quantity, 100, fraction) == close


@pytest.mark.parametrize(
    ("close", "least", "closed"),
    [(5, "500", 5), (5, "500.000001", 10), (6, "500", 10), (10, "0", 10), (12, "0", 10), (9, "0", 9)],
)
def test_a_rest_below_the_least_notional_is_closed_as_well(close: int, least: str, closed: int) -> None:
    for quantity in (10, -10):
        assert whole_if_dust(BTC_PERP, quantity, 100, close, cash(least)) == closed
