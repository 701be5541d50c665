"""What may be taken out of an account, to the unit."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.units import CASH_MAX, format_cash, parse_cash
from exchange.venue.state import VenueLimits
from tests.cast import COIN, DUST_PERP, PLAIN_POLICY
from tests.scenarios.table import Table

RICH = "alice deposits 10000; mark BTC 100 ETH 100;"
CROSS_10 = RICH + "bob deposits 300; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"


def check_most(stage: str, most: str) -> None:
    """Check that ``most`` may be withdrawn and then nothing, and that a unit more at once is refused whole."""
    limit = parse_cash(most)
    Table(stage, collateral=(COIN,)).play(
        ("bob", f"withdrawable {most}"),
        (f"bob withdraws {most}", f"withdrawn {most}"),
        ("bob withdraws 0.000001", "refused margin.withdraw_above_available limit 0 actual 1"),
    )
    over = f"refused margin.withdraw_above_available limit {limit} actual {limit + 1}"
    Table(stage, collateral=(COIN,)).play((f"bob withdraws {format_cash(limit + 1)}", over))


@pytest.mark.rule("MARG-027")
def test_of_a_flat_account_all_that_is_there() -> None:
    Table("bob deposits 100").play(
        ("bob", "withdrawable 100"),
        ("bob withdraws 100.000001", "refused margin.withdraw_above_available limit 100000000 actual 100000001"),
        ("bob withdraws 40", "withdrawn 40 wallet 60"),
        ("bob withdraws 60", "withdrawn 60 wallet 0"),
        ("bob withdraws 0.000001", "refused margin.withdraw_above_available limit 0"),
        ("fund", "deposits 0"),
    )


@pytest.mark.rule("MARG-027")
def test_amounts_are_positive_and_names_are_known() -> None:
    Table("bob deposits 100").play(
        ("bob withdraws 0", "refused margin.amount_not_positive limit 1 actual 0"),
        ("bob withdraws -1", "refused margin.amount_not_positive"),
        ("nobody withdraws 1", "refused account.unknown"),
        ("fund withdraws 1", "refused account.unknown"),
        ("bob withdraws 1 of COIN", "refused account.unknown_asset"),
        (f"bob withdraws {CASH_MAX}", "refused margin.withdraw_above_available"),
    )


@pytest.mark.rule("MARG-027", "MARG-009")
def test_what_a_cross_position_needs_and_has_lost_stays() -> None:
    check_most(CROSS_10, "200")
    check_most(CROSS_10 + "mark BTC 95", "155")


@pytest.mark.rule("MARG-027", "MARG-009")
def test_unrealised_profit_stays_too() -> None:
    check_most(CROSS_10 + "mark BTC 110", "190")


@pytest.mark.rule("MARG-027")
def test_what_orders_hold_stays_cross_and_isolated() -> None:
    stage = RICH + "bob deposits 300; bob sets ETH isolated; bob buys 10 BTC at 90; bob buys 10 ETH at 80"
    check_most(stage, "129.999996")


@pytest.mark.rule("MARG-027", "CONS-004")
def test_what_is_in_an_isolated_wallet_is_out_of_reach_and_its_losses_cost_the_pool_nothing() -> None:
    stage = RICH + "bob deposits 300; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100; mark BTC 95"
    check_most(stage, "200")


@pytest.mark.rule("MARG-027")
def test_an_account_that_has_committed_too_much_withdraws_nothing() -> None:
    Table(CROSS_10 + "bob withdraws 200; mark BTC 99").play(
        ("bob", "available -9, withdrawable 0"),
        ("bob withdraws 0.000001", "refused margin.withdraw_above_available limit 0 actual 1"),
    )


@pytest.mark.rule("MARG-027", "MARG-016")
def test_after_the_most_was_withdrawn_the_account_stands_at_its_initial_margin() -> None:
    Table(CROSS_10 + "mark BTC 95").play(
        ("bob withdraws 155", "withdrawn 155 wallet 145"),
        ("bob", "equity 95, im 95, available 0, withdrawable 0"),
    )


# -- collateral assets -------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-027", "MARG-026")
def test_of_a_collateral_asset_as_much_as_lowers_its_value_by_what_is_available() -> None:
    """Three coins count for 240 over 100 of initial margin: 1.25 must stay."""
    stage = RICH + "bob deposits 3 of COIN; bob buys 10 BTC at 100; alice sells 10 BTC at 100"
    Table(stage, collateral=(COIN,)).play(
        ("bob withdraws 1.751 of COIN", "refused margin.withdraw_above_available limit 1750 actual 1751"),
        ("bob withdraws 1.75 of COIN", "withdrawn 1.75 of COIN wallet 1.25"),
        ("bob", "COIN 1.25 value 100, available 0"),
        ("bob withdraws 0.001 of COIN", "refused margin.withdraw_above_available limit 0"),
    )


@pytest.mark.rule("MARG-027", "MARG-026")
def test_what_must_stay_is_rounded_up_to_a_unit_of_the_asset() -> None:
    """At 70 less a fifth, 100 are 1.7857 coins: 1.786 stay."""
    stage = RICH + "bob deposits 3 of COIN; bob buys 10 BTC at 100; alice sells 10 BTC at 100; collateral COIN 70"
    Table(stage, collateral=(COIN,)).play(
        ("bob withdraws 1.215 of COIN", "refused margin.withdraw_above_available limit 1214 actual 1215"),
        ("bob withdraws 1.214 of COIN", "withdrawn 1.214 of COIN"),
        ("bob", "COIN 1.786 value 100.016"),
    )


@pytest.mark.rule("MARG-027", "MARG-026")
@pytest.mark.parametrize(
    ("taken", "outcome"), [("1.249", "withdrawn 1.249 of COIN"), ("1.25", "refused margin.withdraw_above_available limit 1249")]
)
def test_the_value_is_rounded_down_before_and_after(taken: str, outcome: str) -> None:
    """2.499 coins at 0.000001 less a fifth count for one unit, as 1.25 do; an order holds that unit too."""
    cheap = replace(COIN, initial_price=parse_cash("0.000001"))
    stage = "bob deposits 0.000002; bob deposits 2.499 of COIN; mark DUST 1; bob buys 1 DUST at 1"
    Table(stage, instruments=(DUST_PERP,), collateral=(cheap,)).play(
        ("bob", "COIN 2.499 value 0.000001, held 0.000003, available 0"),
        (f"bob withdraws {taken} of COIN", outcome),
    )


@pytest.mark.rule("MARG-027")
def test_an_asset_without_a_price_counts_for_nothing_and_may_be_taken_out_whole() -> None:
    stage = CROSS_10 + "bob withdraws 200; bob deposits 3 of COIN"
    Table(stage, collateral=(replace(COIN, initial_price=None),)).play(
        ("bob", "COIN 3 value 0, available 0"),
        ("bob withdraws 3.001 of COIN", "refused margin.withdraw_above_available limit 3000 actual 3001"),
        ("bob withdraws 3 of COIN", "withdrawn 3 of COIN wallet 0"),
        ("bob withdraws 0.001 of COIN", "refused margin.withdraw_above_available limit 0"),
    )


@pytest.mark.rule("MARG-027", "MARG-009")
def test_of_the_settlement_asset_no_more_than_there_is_and_orders_of_isolated_positions_hold() -> None:
    """The pool is rich in coins: 5 of the 60 in cash are held for an isolated order, and 55 may go."""
    stage = RICH + "bob deposits 60; bob deposits 3 of COIN; bob sets BTC isolated; bob buys 1 BTC at 50"
    check_most(stage, "54.999998")
    Table(stage, collateral=(COIN,)).play(
        ("bob", "available 294.999998, withdrawable 54.999998"),
        ("bob withdraws 3 of COIN", "withdrawn 3 of COIN"),
        ("bob", "withdrawable 54.999998"),
    )


# -- when it is refused ------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-027", "LIQ-001")
def test_nothing_leaves_a_pool_that_is_being_liquidated_but_an_isolated_liquidation_freezes_nothing() -> None:
    no_steps = VenueLimits(liquidation_steps_max=0)
    Table(CROSS_10 + "bob deposits 3 of COIN; collateral COIN 10", limits=no_steps, collateral=(COIN,)).play(
        ("mark BTC 70", "liquidation 1 of bob cross equity 24 mm 35, deferred 1"),
        ("bob withdraws 0.000001", "refused margin.liquidation_in_progress, deferred 1"),
        ("bob withdraws 0.001 of COIN", "refused margin.liquidation_in_progress, deferred 1"),
        ("bob deposits 0.000001", "credited 0.000001, deferred 1"),
    )
    stage = RICH + "bob deposits 300; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100"
    Table(stage, limits=no_steps).play(
        ("mark BTC 94", "liquidation 1 of bob/BTC isolated, deferred 1"),
        ("bob withdraws 200", "withdrawn 200 wallet 0, deferred 1"),
    )


@pytest.mark.rule("MARG-027", "MARK-004")
def test_nothing_leaves_a_pool_that_is_valued_at_a_stale_mark() -> None:
    policy = replace(PLAIN_POLICY, mark_stale_after=10**9)
    Table(CROSS_10, policy=policy).play(
        ("wait 2s", ""),
        ("bob withdraws 1", "refused margin.mark_stale"),
        ("carol deposits 1", "credited 1"),
        ("carol withdraws 1", "withdrawn 1"),
        ("mark ETH 100", ""),
        ("bob withdraws 1", "refused margin.mark_stale"),
        ("mark BTC 100", ""),
        ("bob withdraws 1", "withdrawn 1"),
    )
