"""Mark updates, tiers at their edges, the liquidation test at its edge, and the prices that are shown."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import TierRow, build_tiers
from exchange.venue.state import VenueLimits
from tests.cast import BTC_PERP, DUST_PERP, ETH_PERP, cash
from tests.scenarios.table import Table

STAGE = "alice deposits 100000; bob deposits 100000; carol deposits 100000; mark BTC 100 ETH 100"
LONG_10 = STAGE + "; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100"
"""Bob is isolated long 10 at 100 with 100 in the position's wallet; order ids 1 and 2 are used."""


@pytest.mark.rule("MARK-001")
def test_marks_of_zero_below_or_above_the_limit_and_of_unknown_symbols_are_refused() -> None:
    Table(STAGE).play(
        ("mark BTC 0", "refused mark.price_out_of_range actual 0"),
        ("mark BTC -1", "refused mark.price_out_of_range actual -1"),
        (f"mark BTC {2**40 + 1}", f"refused mark.price_out_of_range limit {2**40}"),
        ("mark XRP 100", "refused order.unknown_symbol"),
        (f"mark BTC {2**40}", ""),
        ("mark BTC 1", ""),
    )


@pytest.mark.rule("MARK-001")
def test_one_bad_mark_refuses_the_whole_update() -> None:
    table = Table(LONG_10)
    table.play(
        ("mark BTC 94 ETH 0", "refused mark.price_out_of_range"),
        ("mark BTC 94 XRP 5", "refused order.unknown_symbol"),
        ("bob", "BTC +10 equity 100"),
    )
    assert table.venue.mark_price("BTC-PERP") == 100


@pytest.mark.rule("MARG-019", "CONS-005")
def test_a_mark_update_checks_every_scope_in_its_symbols_after_all_of_them_moved() -> None:
    """Bob's cross pool is long both: BTC falls and ETH rises in one update, so he never was below maintenance."""
    stage = (
        "alice deposits 100000; bob deposits 200.000004; mark BTC 100 ETH 100; bob buys 10 BTC at 100; bob buys 10 ETH at 100;"
    )
    Table(stage + "alice sells 10 BTC at 100; alice sells 10 ETH at 100").play(
        ("mark BTC 80 ETH 120", ""),
        ("bob", "equity 200.000004, mm 100"),
        ("mark ETH 100 BTC 100", ""),
    )


@pytest.mark.rule("MARG-002", "MARG-003", "MARG-004")
@pytest.mark.parametrize(
    ("lots", "mm", "im"),
    [
        (99, "495", "990"),
        (100, "500", "2000"),
        (101, "510", "2020"),
        (499, "4490", "9980"),
        (500, "4500", "25000"),
        (501, "4520", "25050"),
    ],
)
def test_margin_at_tier_edges_is_continuous_for_maintenance_and_steps_for_initial(lots: int, mm: str, im: str) -> None:
    """The position is opened at a mark of 10 and carried into its tier by a mark of 100; leverage 10 stays as it is."""
    Table("alice deposits 100000; bob deposits 100000; mark BTC 10").play(
        (f"alice buys {lots} BTC at 10", "accepted 1, rested 1"),
        (f"bob sells {lots} BTC at 10", f"accepted 2, trade {lots}@10 maker 1 taker 2, filled 1, filled 2"),
        ("mark BTC 100", ""),
        ("alice", f"mm {mm}, im {im}, BTC +{lots} mm {mm} im {im} lev 10"),
    )


@pytest.mark.rule("MARG-003")
def test_maintenance_of_the_cross_scope_is_the_sum_over_positions_and_rounds_up_for_each() -> None:
    other = replace(DUST_PERP, symbol="GRIT-PERP")
    Table(
        "alice deposits 1; bob deposits 1; mark DUST 33 GRIT 33; alice buys 1 DUST at 33; bob sells 1 DUST at 33;"
        "alice sells 1 GRIT at 33; bob buys 1 GRIT at 33",
        instruments=(DUST_PERP, other),
    ).play(
        ("alice", "mm 0.000004, im 0.000008, DUST +1 mm 0.000002 im 0.000004, GRIT -1 mm 0.000002 im 0.000004"),
    )


@pytest.mark.rule("MARG-005")
@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_equity_equal_to_maintenance_survives_and_one_unit_less_is_liquidated(mode: str) -> None:
    """10 long at 100, mark 94: a loss of 60 and a maintenance of 47, so that 107 is just enough."""
    for collateral, outcome in (
        ("107", ""),
        (
            "106.999999",
            f"liquidation 1 of bob{'/BTC' if mode == 'isolated' else ''} {mode} equity 46.999999 mm 47, cleared 0, "
            "accepted 4 limit 90, trade 10@94 maker 3 taker 4, filled 4, settled 10/10 BTC sell at 90, finished 1",
        ),
    ):
        stage = f"alice deposits 10000; bob deposits {collateral}; mark BTC 100; bob sets BTC {mode};"
        stage += "bob buys 10 BTC at 100; alice sells 10 BTC at 100"
        if mode == "isolated":
            stage += f"; bob adds {format(float(collateral) - 100, '.6f')} to BTC"
        Table(stage + "; alice buys 20 BTC at 94").play(("mark BTC 94", outcome))


@pytest.mark.rule("MARG-005")
def test_the_margin_ratio_is_maintenance_over_equity_in_ppm_rounded_up() -> None:
    Table(LONG_10).play(
        ("bob", "BTC +10 ratio 500000 bankrupt no"),
        ("mark BTC 97", ""),
        ("bob", "BTC +10 equity 70 mm 48.5 ratio 692858 bankrupt no"),
        ("alice", "ratio 485, equity 100030, mm 48.5, bankrupt no"),
    )


@pytest.mark.rule("MARG-005")
def test_equity_of_exactly_nothing_is_bankrupt_and_has_no_ratio() -> None:
    stage = "alice deposits 10000; bob deposits 100; mark BTC 99; bob buys 10 BTC at 99; alice sells 10 BTC at 99"
    Table(stage, limits=VenueLimits(liquidation_steps_max=0)).play(
        ("mark BTC 90", "liquidation 1 of bob cross equity 10 mm 45, deferred 1"),
        ("bob", "ratio 4500000, bankrupt no, BTC +10 ratio 4500000 bankrupt no"),
        ("mark BTC 89", "deferred 1"),
        ("bob", "equity 0, ratio none, bankrupt yes, BTC +10 ratio none bankrupt yes"),
    )


@pytest.mark.rule("LIQ-012")
def test_an_account_without_positions_is_never_liquidated() -> None:
    Table(STAGE).play(
        ("dave", "equity 0, mm 0, ratio none, bankrupt no"),
        ("mark BTC 1 ETH 1", ""),
        ("dave", "equity 0"),
    )


@pytest.mark.rule("MARG-005", "LIQ-012")
def test_a_position_so_small_that_its_maintenance_rounds_away_is_no_exception() -> None:
    """Maintenance rounds up, so that any open position needs at least one unit; only its amount may take it to 0."""
    tiers = build_tiers([TierRow(0, 1, 10)])
    tiny = replace(DUST_PERP, tiers=tiers)
    Table(
        "alice deposits 1; bob deposits 1; mark DUST 33; alice buys 1 DUST at 33; bob sells 1 DUST at 33", instruments=(tiny,)
    ).play(("alice", "mm 0.000001"))


@pytest.mark.rule("MARG-006")
def test_isolated_liquidation_prices_of_both_sides_are_rounded_toward_the_mark() -> None:
    """Long: 900 / (10 * 0.95) = 94.74, shown as 95; short: 1100 / (10 * 1.05) = 104.76, shown as 104."""
    Table(LONG_10 + "; carol sets BTC isolated; carol sells 10 BTC at 100; alice buys 10 BTC at 100").play(
        ("bob", "BTC +10 liq 95 bp 90"),
        ("carol", "BTC -10 liq 104 bp 110"),
    )


@pytest.mark.rule("MARG-006")
def test_the_trigger_is_exact_and_not_the_price_shown() -> None:
    """At the shown 95 the position has equity 50 over a maintenance of 47.5; it dies one tick below."""
    Table(LONG_10 + "; carol buys 10 BTC at 92").play(
        ("mark BTC 95", ""),
        ("bob", "BTC +10 liq 95 equity 50 mm 47.5"),
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40, cleared 0, accepted 4, trade 10@92 maker 3 taker 4, "
            "filled 3, filled 4, settled 10/10 BTC sell at 90, finished 1 returned 20",
        ),
    )


@pytest.mark.rule("MARG-006")
def test_a_long_that_is_wholly_paid_for_has_no_liquidation_price() -> None:
    Table(LONG_10 + "; bob adds 900 to BTC").play(
        ("bob", "BTC +10 isolated 1000 liq none bp none"),
        ("mark BTC 1", ""),
        ("bob", "BTC +10 equity 10 mm 0.5"),
    )


@pytest.mark.rule("MARG-006")
def test_the_root_is_looked_for_in_the_tier_it_lies_in() -> None:
    """Short 90 at 100: at the root of tier 2 the notional is above its floor of 10000, at that of tier 1 it would be too.

    Wallet 1800: (1800 + 500 + 9000) / (90 * 1.1) = 114.14 with a notional of 10273, in tier 2.
    """
    Table(STAGE + "; bob sets BTC isolated; bob sets BTC leverage 5; alice buys 90 BTC at 100; bob sells 90 BTC at 100").play(
        ("bob", "BTC -90 isolated 1800 liq 114 bp 120"),
    )


@pytest.mark.rule("MARG-006")
def test_in_cross_the_other_positions_profit_and_maintenance_stand_in_at_frozen_marks() -> None:
    """Alice has 1000 and is long 10 of each. ETH at 120 earns 200 and needs 60: (1000 + 200 - 60 - 1000) < 0 for BTC: none.

    With 300: (300 + 200 - 60 - 1000) / (10 * -0.95) = 58.95, shown as 59; for ETH (300 - 50 - 1000) / -9.5 = 78.95.
    """
    stage = "alice deposits 300; bob deposits 100000; mark BTC 100 ETH 100; alice buys 10 BTC at 100; alice buys 10 ETH at 100;"
    Table(stage + "bob sells 10 BTC at 100; bob sells 10 ETH at 100; mark ETH 120").play(
        ("alice", "BTC +10 liq 59, ETH +10 liq 79"),
        ("alice deposits 700", "credited 700"),
        ("alice", "BTC +10 liq none"),
    )


@pytest.mark.rule("MARG-006")
def test_a_cross_liquidation_price_beyond_the_mark_is_shown_as_the_mark() -> None:
    """A flagged pool waits with no step allowed: its price lies beyond the mark, so the mark is shown, for both sides."""
    stage = "alice deposits 100.000002; bob deposits 100000; carol deposits 100.000002; mark BTC 100;"
    stage += "alice buys 10 BTC at 100; bob sells 10 BTC at 100; carol sells 10 BTC at 100; bob buys 10 BTC at 100"
    Table(stage, limits=VenueLimits(liquidation_steps_max=0)).play(
        ("mark BTC 94", "liquidation 1 of alice cross, deferred 1"),
        ("alice", "BTC +10 liq 94 flagged yes"),
        ("mark BTC 106", "liquidation 2 of carol cross, deferred 2"),
        ("carol", "BTC -10 liq 106 flagged yes, bankrupt no"),
        ("mark BTC 111", "deferred 2"),
        ("carol", "BTC -10 bankrupt yes ratio none, ratio none, bankrupt yes"),
    )


@pytest.mark.rule("MARG-001", "MARG-014")
def test_the_entry_cost_is_stored_and_not_an_average() -> None:
    """Three buys at uneven prices, sold at one: the profit is exact although no average price is a whole number."""
    Table(STAGE).play(
        ("alice buys 3 BTC at 100", "accepted 1, rested 1"),
        ("bob sells 3 BTC at 100", "accepted 2, trade 3@100 maker 1 taker 2, filled 1, filled 2"),
        ("alice buys 4 BTC at 103", "accepted 3, rested 3"),
        ("bob sells 4 BTC at 103", "accepted 4, trade 4@103 maker 3 taker 4, filled 3, filled 4"),
        ("alice", "BTC +7 cost 712"),
        ("bob buys 7 BTC at 101", "accepted 5, rested 5"),
        ("alice sells 2 BTC at 101", "accepted 6, trade 2@101 maker 5 taker 6 taker_pnl -1.428571, filled 6"),
        ("alice", "BTC +5 cost 508.571429"),
        ("alice sells 5 BTC at 101", "accepted 7, trade 5@101 maker 5 taker 7 taker_pnl -3.571429, filled 5, filled 7"),
        ("alice", "BTC flat cost 0, wallet 99995"),
    )


def test_a_mark_alone_changes_what_positions_are_worth_and_no_money_moves() -> None:
    Table(LONG_10).play(
        ("bob", "wallet 99900, total 100000"),
        ("mark BTC 120", ""),
        ("bob", "wallet 99900, total 100200, BTC +10 u 200 equity 300"),
        ("alice", "wallet 100000, equity 99800"),
        ("fund", "wallet 0, fees 0, deposits 300000"),
    )


@pytest.mark.rule("MARG-002")
def test_maintenance_amounts_make_the_tiers_meet() -> None:
    assert [tier.maintenance_amount for tier in BTC_PERP.tiers] == [0, cash("500"), cash("5500")]
    assert BTC_PERP.tiers == ETH_PERP.tiers
