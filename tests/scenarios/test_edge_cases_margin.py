"""Edge cases of margin: funding, changes on open positions, bounds, tiers, equality.

Without other words a lot at 100 is worth 100, needs 10 of initial margin at leverage 10 and 5 of maintenance.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.accounts.risk import breaches
from exchange.domain.instrument import FundingTerms, Instrument
from exchange.domain.policy import UnfilledPolicy
from exchange.domain.units import FUNDING_DECIMALS, parse_decimal
from exchange.venue.state import VenueLimits
from tests.cast import BTC_PERP, PLAIN_POLICY, cash
from tests.scenarios.table import Table

RICH = "alice deposits 10000; carol deposits 10000; mark BTC 100 ETH 100;"
CROSS_10 = "bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
"""Bob is cross long 10 at 100; order ids 1 and 2 are used."""
ISOLATED_10 = "bob sets BTC isolated;" + CROSS_10
"""The same with 100 in the position's own wallet; bankrupt at 90."""
WAIT = replace(PLAIN_POLICY, unfilled=UnfilledPolicy.WAIT, liquidation_retries_max=5)
NO_STEPS = VenueLimits(liquidation_steps_max=0)
"""Breaches are flagged, and nothing is done about them."""


def paying(rate: str) -> Instrument:
    """Return BTC-PERP with this funding rate per 8 hours wherever the book shows no premium."""
    ppb = parse_decimal(rate, FUNDING_DECIMALS)
    terms = FundingTerms(interval=8 * 3_600 * 10**9, interest=ppb, clamp=ppb, cap=50_000_000, impact_notional=cash("100"))
    return replace(BTC_PERP, funding=terms)


# -- 5: funding --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("FUND-003", "LIQ-001", "MARG-019")
def test_edge_05_funding_drains_isolated_margin_to_below_maintenance_at_its_time() -> None:
    """Two percent of 960 is 19.2: of 60 there are 40.8 left, under 48. Bankrupt at 91.92, sold at 93: 40.8 - 30 come back."""
    stage = "alice deposits 10000; carol deposits 10000; mark BTC 100; bob deposits 1000;" + ISOLATED_10
    Table(stage + "carol buys 10 BTC at 93; mark BTC 96", instruments=(paying("0.02"),)).play(
        (
            "wait until 8h",
            "funding BTC 0.02 payments 2, funded alice/BTC 19.2, funded bob/BTC -19.2 wallet 80.8, "
            "liquidation 1 of bob/BTC isolated equity 40.8 mm 48, cleared 0, accepted 4 limit 92, "
            "trade 10@93 maker 3 taker 4 taker_pnl -70, filled 3, filled 4, settled 10/10 BTC sell at 92 equity 10.8, "
            "finished 1 returned 10.8",
        ),
        ("bob", "wallet 910.8, BTC flat"),
    )


@pytest.mark.rule("FUND-003", "MARG-005")
@pytest.mark.parametrize(
    ("rate", "paid", "fate"),
    [
        ("0.0125", "12", ""),  # 60 - 12 is the maintenance of 48
        (
            "0.012500001",  # 12.00000096, rounded up for who pays
            "12.000001",
            "liquidation 1 of bob/BTC isolated equity 47.999999 mm 48, cleared 0, accepted 4 limit 92, "
            "trade 10@93 maker 3 taker 4, filled 3, filled 4, settled 10/10 BTC sell at 92, finished 1 returned 17.999999",
        ),
    ],
)
def test_edge_05_funding_that_leaves_exactly_maintenance_is_survived(rate: str, paid: str, fate: str) -> None:
    stage = "alice deposits 10000; carol deposits 10000; mark BTC 100; bob deposits 1000;" + ISOLATED_10
    Table(stage + "carol buys 10 BTC at 93; mark BTC 96", instruments=(paying(rate),)).play(
        ("wait until 8h", f"funding BTC {rate}, funded alice/BTC 12, funded bob/BTC -{paid}, {fate}"),
    )


@pytest.mark.rule("MARG-023", "MARG-016", "CONS-004")
def test_edge_05_funding_flips_an_isolated_wallet_negative_while_the_position_is_healthy() -> None:
    """Of 100 put in, 80 are taken out at 150; two percent of 1500 then makes -10 of 20, beside a profit of 500.

    Only when that profit is gone does it matter: at 106 there are 50 under 53. The 20 that were left in are what is lost.
    """
    stage = "alice deposits 10000; bob deposits 1000; mark BTC 100;" + ISOLATED_10 + "mark BTC 150; bob removes 80 from BTC"
    Table(stage, instruments=(paying("0.02"),)).play(
        ("wait until 8h", "funding BTC 0.02, funded alice/BTC 30, funded bob/BTC -30 wallet -10"),
        ("bob", "BTC +10 isolated -10 equity 490 mm 75 flagged no, wallet 980"),
        ("bob removes 0.000001 from BTC", "refused margin.remove_above_maximum limit 0"),
        (
            "mark BTC 106",
            "liquidation 1 of bob/BTC isolated equity 50 mm 53, cleared 0, accepted 3 limit 101, "
            "canceled 3 order.ioc_remainder, settled 0/10 BTC sell at 101, adl 10 to alice value 1010 pnl 10, "
            "finished 1 returned 0",
        ),
        ("bob", "wallet 980, total 980"),
    )


@pytest.mark.rule("MARG-009", "MARG-023", "MARG-027")
def test_edge_05_a_cross_wallet_may_owe_what_another_leg_has_won_and_gives_nothing_out_meanwhile() -> None:
    """One leg is 500 up; the other is closed at a loss of 250, of which the wallet had 210."""
    stage = RICH + "bob deposits 210;" + CROSS_10 + "bob buys 10 ETH at 100; alice sells 10 ETH at 100; mark BTC 150 ETH 75;"
    Table(stage + "alice buys 10 ETH at 75").play(
        ("bob sells 10 ETH at 75", "accepted 6, trade 10@75 maker 5 taker 6 taker_pnl -250, filled 5, filled 6"),
        ("bob", "wallet -40, equity 460, mm 75, available -190, withdrawable 0, flagged no"),
        ("bob withdraws 0.000001", "refused margin.withdraw_above_available limit 0"),
        ("bob buys 1 ETH at 75", "rejected margin.initial_insufficient"),
        ("alice buys 10 BTC at 150", "accepted 7, rested 7"),
        ("bob sells 10 BTC at 150", "accepted 8, trade 10@150 maker 7 taker 8 taker_pnl 500, filled 7, filled 8"),
        ("bob", "wallet 460, available 460"),
    )


# -- 13: changes on open positions -------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-021")
def test_edge_13_a_mode_switch_with_an_open_position_and_orders() -> None:
    """Initial margin goes along; the order holds its 45 + 2 units from the cross wallet in both modes."""
    Table(RICH + "bob deposits 1000;" + CROSS_10 + "bob buys 5 BTC at 90").play(
        ("bob", "available 854.999998"),
        ("bob sets BTC isolated", "mode BTC isolated moved 100"),
        ("bob", "wallet 900, available 854.999998, orders 3:5, BTC +10 mode isolated isolated 100 held 45.000002 equity 100"),
        ("bob sets BTC cross", "mode BTC cross moved -100"),
        ("bob", "wallet 1000, available 854.999998, orders 3:5, BTC +10 mode cross isolated 0"),
    )


@pytest.mark.rule("MARG-021")
@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        ("", "mode BTC isolated moved 145"),
        (" with 145", "mode BTC isolated moved 145"),
        (" with 144.999999", "refused margin.switch_margin_below_minimum limit 145000000 actual 144999999"),
        (" with 1000", "mode BTC isolated moved 1000"),
        (" with 1000.000001", "refused margin.switch_insufficient limit 1000000000 actual 1000000001"),
    ],
)
def test_edge_13_a_switch_under_water_takes_the_loss_along(how: str, outcome: str) -> None:
    """At 95 that is 95 of initial margin and the 50 that are lost; more may be chosen, up to all there is."""
    Table(RICH + "bob deposits 1000;" + CROSS_10 + "mark BTC 95").play((f"bob sets BTC isolated{how}", outcome))


@pytest.mark.rule("MARG-021")
@pytest.mark.parametrize(
    ("deposit", "outcome"),
    [
        ("250", "mode BTC isolated moved 145"),
        ("249.999999", "refused margin.switch_insufficient limit 144999999 actual 145000000"),
    ],
)
def test_edge_13_a_switch_to_isolated_that_lacks_one_unit(deposit: str, outcome: str) -> None:
    """ETH's profit of 50 carries BTC's loss in cross; alone BTC needs 95 + 50, and ETH's 105 of margin must stay: 250."""
    stage = (
        RICH + f"bob deposits {deposit};" + CROSS_10 + "bob buys 10 ETH at 100; alice sells 10 ETH at 100; mark BTC 95 ETH 105"
    )
    Table(stage).play(("bob sets BTC isolated", outcome))


@pytest.mark.rule("MARG-021")
@pytest.mark.parametrize(
    ("deposit", "outcome"),
    [
        ("145", "mode BTC cross moved -100"),
        ("144.999999", "refused margin.switch_insufficient limit 94999999 actual 95000000"),
    ],
)
def test_edge_13_a_switch_to_cross_that_lacks_one_unit(deposit: str, outcome: str) -> None:
    """At 95 the position brings 50 of equity to the 45 in the pool: together just its initial margin."""
    Table(RICH + f"bob deposits {deposit};" + ISOLATED_10 + "mark BTC 95").play(("bob sets BTC cross", outcome))


@pytest.mark.rule("MARG-021")
@pytest.mark.parametrize(
    ("mark", "outcome"),
    [
        (98, "mode BTC cross moved -100"),  # 80 over 49 comes to 60 over 45: 94/140 is less than 45/60
        (95, "refused margin.switch_insufficient limit 110000000 actual 185000000"),  # 92.5/110 is more
    ],
)
def test_edge_13_below_initial_margin_a_switch_to_cross_must_not_raise_the_ratio(mark: int, outcome: str) -> None:
    stage = RICH + "bob deposits 260;" + ISOLATED_10 + "bob buys 10 ETH at 100; alice sells 10 ETH at 100;"
    Table(stage + f"mark BTC {mark} ETH 90").play(("bob", "equity 60, mm 45, im 90"), ("bob sets BTC cross", outcome))


@pytest.mark.rule("MARG-021", "MARG-022", "MARG-027", "LIQ-001")
def test_edge_13_while_the_cross_scope_liquidates_nothing_of_it_can_be_changed() -> None:
    """40 under 46 and an empty book: the pool waits with its flag. ETH is isolated and may not join it meanwhile."""
    stage = RICH + "bob deposits 220;" + ISOLATED_10.replace("BTC", "ETH")
    Table(stage + "bob buys 10 BTC at 100; alice sells 10 BTC at 100", policy=WAIT).play(
        (
            "mark BTC 92",
            "liquidation 1 of bob cross equity 40 mm 46, cleared 0, accepted 5 limit 88, canceled 5 order.ioc_remainder, "
            "settled 0/10 BTC sell at 88, waiting 1",
        ),
        ("bob sets BTC isolated", "refused margin.liquidation_in_progress"),
        ("bob sets ETH cross", "refused margin.liquidation_in_progress"),
        ("bob sets BTC leverage 5", "refused margin.liquidation_in_progress"),
        ("bob withdraws 1", "refused margin.liquidation_in_progress"),
        ("bob sets ETH leverage 10", "leverage ETH 10 moved 0"),
        ("bob removes 1 from ETH", "refused margin.remove_above_maximum limit 0"),
        ("bob", "flagged yes, BTC +10 flagged yes, ETH +10 flagged no isolated 100"),
    )


@pytest.mark.rule("MARG-016", "MARG-021", "MARG-022", "LIQ-001")
def test_edge_13_while_an_isolated_position_liquidates_only_its_own_settings_are_frozen() -> None:
    stage = RICH + "bob deposits 1000;" + ISOLATED_10 + "bob buys 10 ETH at 100; alice sells 10 ETH at 100"
    Table(stage, policy=WAIT).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40 mm 47, cleared 0, accepted 5, canceled 5 order.ioc_remainder, "
            "settled 0/10 BTC sell at 90, waiting 1",
        ),
        ("bob sets BTC cross", "refused margin.liquidation_in_progress"),
        ("bob sets BTC leverage 5", "refused margin.liquidation_in_progress"),
        ("bob removes 1 from BTC", "refused margin.liquidation_in_progress"),
        ("bob sets ETH isolated", "mode ETH isolated moved 100"),
        ("bob sets ETH cross", "mode ETH cross moved -100"),
        ("bob withdraws 800", "withdrawn 800"),
    )


@pytest.mark.rule("MARG-022")
@pytest.mark.parametrize(
    ("mode", "deposit", "outcome"),
    [
        ("cross", "200", "leverage BTC 5 moved 0"),
        ("cross", "199.999999", "refused margin.leverage_insufficient limit 99999999 actual 100000000"),
        ("isolated", "200", "leverage BTC 5 moved 100"),
        ("isolated", "199.999999", "refused margin.leverage_insufficient limit 99999999 actual 100000000"),
    ],
)
def test_edge_13_lowering_leverage_asks_for_the_margin_that_it_raises(mode: str, deposit: str, outcome: str) -> None:
    """At leverage 5 the position needs 200. In isolated what is missing moves at once."""
    Table(RICH + f"bob deposits {deposit}; bob sets BTC {mode};" + CROSS_10).play(("bob sets BTC leverage 5", outcome))


@pytest.mark.rule("MARG-022")
def test_edge_13_raising_leverage_moves_no_money_and_helps_a_pool_that_has_committed_too_much() -> None:
    """At 98 and leverage 5 the pool has 180 for 196 of margin; at 10 that is 98. An isolated wallet keeps what it has."""
    stage = RICH + "bob deposits 200;" + CROSS_10 + "bob sets BTC leverage 5; mark BTC 98"
    Table(stage).play(
        ("bob", "available -16"),
        ("bob sets BTC leverage 10", "leverage BTC 10 moved 0"),
        ("bob", "available 82"),
        ("bob sets BTC leverage 5", "refused margin.leverage_insufficient limit 82000000 actual 98000000"),
    )
    Table(RICH + "bob deposits 300; bob sets BTC leverage 5;" + ISOLATED_10).play(
        ("bob sets BTC leverage 10", "leverage BTC 10 moved 0"),
        ("bob", "wallet 100, BTC +10 isolated 200 im 100"),
    )


@pytest.mark.rule("LIQ-001", "LIQ-013", "MARG-016")
def test_edge_13_margin_added_after_the_flag_cures_with_the_unit_that_makes_it_maintenance() -> None:
    Table(RICH + "bob deposits 1000;" + ISOLATED_10, policy=WAIT).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40 mm 47, cleared 0, accepted 3, canceled 3 order.ioc_remainder, "
            "settled 0/10 BTC sell at 90, waiting 1",
        ),
        ("bob adds 6.999999 to BTC", "moved 6.999999"),
        ("bob", "BTC +10 equity 46.999999 flagged yes"),
        ("bob adds 0.000001 to BTC", "moved 0.000001, finished 1 equity 47 mm 47 returned 0 book none"),
        ("bob", "BTC +10 equity 47 flagged no"),
    )


# -- 14: removal at the bound ------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-016", "MARG-004")
def test_edge_14_margin_removed_exactly_to_the_bound_and_then_a_tick() -> None:
    """A tick takes 10 of 100 and leaves 90 under an initial margin of 99, but over a maintenance of 49.5."""
    Table(RICH + "bob deposits 1000;" + ISOLATED_10 + "bob adds 200 to BTC").play(
        ("bob removes 200.000001 from BTC", "refused margin.remove_above_maximum limit 200000000 actual 200000001"),
        ("bob removes 200 from BTC", "moved -200 isolated 100"),
        ("mark BTC 99", ""),
        ("bob", "BTC +10 equity 90 im 99 mm 49.5 flagged no"),
        ("bob removes 0.000001 from BTC", "refused margin.remove_above_maximum limit 0"),
    )


@pytest.mark.rule("MARG-016", "LIQ-001")
def test_edge_14_where_a_tick_is_a_tenth_of_the_price_the_next_one_takes_all() -> None:
    """100 lots at 10, margined with 100 of their 1000: a tick is worth 100."""
    stage = RICH + "mark BTC 10; bob deposits 1000; bob sets BTC isolated; bob buys 100 BTC at 10; alice sells 100 BTC at 10;"
    Table(stage + "bob adds 50 to BTC; bob removes 50 from BTC").play(
        (
            "mark BTC 9",
            "liquidation 1 of bob/BTC isolated equity 0 mm 45, cleared 0, accepted 3 limit 9, canceled 3 order.ioc_remainder, "
            "settled 0/100 BTC sell at 9, adl 100 to alice value 900, finished 1 returned 0",
        ),
        ("bob", "wallet 900, total 900"),
    )


# -- 15: tier boundaries -----------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-002", "MARG-003", "MARG-004", "MARG-010")
def test_edge_15_a_notional_exactly_at_a_floor_lies_in_the_upper_tier() -> None:
    """At 10000 the rates meet: 5 % are a tenth less 500. The most leverage there is 5, below it 10."""
    stage = RICH + "bob deposits 5000; alice sets BTC leverage 5"
    Table(stage).play(
        ("bob buys 100 BTC at 100", "rejected margin.leverage_above_tier limit 5 actual 10"),
        ("bob buys 99 BTC at 100", "accepted 1, rested 1"),
        ("bob buys 1 BTC at 100", "rejected margin.leverage_above_tier limit 5 actual 10"),
        ("bob cancels all", "canceled 1 order.canceled_by_owner"),
        ("bob sets BTC leverage 5", "leverage BTC 5"),
        ("bob buys 100 BTC at 100", "accepted 2, rested 2"),
        ("alice sells 99 BTC at 100", "accepted 3, trade 99@100 maker 2 taker 3, filled 3"),
        ("bob", "BTC +99 im 1980 mm 495"),
        ("alice sells 1 BTC at 100", "accepted 4, trade 1@100 maker 2 taker 4, filled 2, filled 4"),
        ("bob", "BTC +100 im 2000 mm 500"),
    )


@pytest.mark.rule("MARG-004", "MARG-010", "MARG-022")
def test_edge_15_a_mark_may_carry_a_position_into_a_tier_that_its_leverage_could_not_enter() -> None:
    """99 lots at 102 are worth 10098: 10 % less 500 of maintenance, and a fifth of initial margin whatever the leverage.

    Holding and reducing are allowed, adding is not before the leverage is lowered, which takes 2019.6 - 1188.
    """
    stage = RICH + "bob deposits 5000; bob sets BTC isolated; bob buys 99 BTC at 100; alice sells 99 BTC at 100; mark BTC 102"
    Table(stage).play(
        ("bob", "BTC +99 lev 10 equity 1188 mm 509.8 im 2019.6 flagged no"),
        ("bob buys 1 BTC at 102", "rejected margin.leverage_above_tier limit 5 actual 10"),
        ("bob sells 1 BTC at 110", "accepted 3, rested 3"),
        ("bob sets BTC leverage 5", "leverage BTC 5 moved 831.6"),
        ("bob buys 1 BTC at 102", "accepted 4, rested 4"),
    )


@pytest.mark.rule("MARG-006", "MARG-002")
def test_edge_15_the_liquidation_price_lies_in_another_tier_than_the_mark() -> None:
    """A short of 99 with 1980: by the first tier it would end at 114.28, but 11200 lies in the second, where it is 113.68.

    At 114 there are 594 under 1128.6 - 500; five percent would be 564.3 and let it live.
    """
    stage = RICH + "bob deposits 5000; bob sets BTC isolated; bob sells 99 BTC at 100; alice buys 99 BTC at 100;"
    Table(stage + "bob adds 990 to BTC", policy=WAIT).play(
        ("bob", "BTC -99 isolated 1980 mm 495 liq 113"),
        ("mark BTC 113", ""),
        ("bob", "BTC -99 equity 693 mm 618.7 liq 113"),
        (
            "mark BTC 114",
            "liquidation 1 of bob/BTC isolated equity 594 mm 628.6, cleared 0, accepted 3 limit 120, "
            "canceled 3 order.ioc_remainder, settled 0/99 BTC buy at 120, waiting 1",
        ),
        ("bob", "BTC -99 liq 114"),
    )


# -- 16: equality ------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-005", "LIQ-001")
@pytest.mark.parametrize("mode", ["cross", "isolated"])
@pytest.mark.parametrize(
    ("missing", "fate", "ratio"),
    [
        ("0", "", "1000000"),
        ("0.000001", "liquidation 1 of bob{place} equity 44.999999 mm 45, deferred 1", "1000001"),
    ],
)
def test_edge_16_equity_that_is_maintenance_survives_and_a_unit_less_does_not(
    mode: str, missing: str, fate: str, ratio: str
) -> None:
    """145 of money and a loss of 100 at 90 leave 45, which is 5 % of 900."""
    money = {"0": "145", "0.000001": "144.999999"}[missing]
    more = {"0": "45", "0.000001": "44.999999"}[missing]
    stage = RICH + f"bob deposits {money};" + (ISOLATED_10 + f"bob adds {more} to BTC" if mode == "isolated" else CROSS_10)
    place = "/BTC isolated" if mode == "isolated" else " cross"
    Table(stage, limits=NO_STEPS).play(
        ("mark BTC 90", fate.format(place=place)),
        ("bob", f"BTC +10 mm 45 ratio {ratio} bankrupt no flagged {'yes' if fate else 'no'}"),
    )


@pytest.mark.rule("MARG-005", "LIQ-005")
def test_edge_16_equity_of_nothing_is_bankrupt_and_sold_at_the_mark() -> None:
    Table(RICH + "bob deposits 1000;" + ISOLATED_10, limits=NO_STEPS).play(
        ("mark BTC 90", "liquidation 1 of bob/BTC isolated equity 0 mm 45, deferred 1"),
        ("bob", "BTC +10 equity 0 ratio none bankrupt yes bp 90"),
    )
    Table(RICH + "bob deposits 1000;" + ISOLATED_10 + "carol buys 10 BTC at 90").play(
        (
            "mark BTC 90",
            "liquidation 1 of bob/BTC isolated equity 0 mm 45, cleared 0, accepted 4 limit 90, trade 10@90 maker 3 taker 4, "
            "filled 3, filled 4, settled 10/10 BTC sell at 90 equity 0, finished 1 returned 0",
        ),
        ("bob", "wallet 900"),
    )


@pytest.mark.rule("LIQ-012", "MARG-005")
def test_edge_16_what_needs_no_maintenance_is_never_liquidated_whatever_its_equity() -> None:
    assert not breaches(-1, 0, at_equality=False)
    assert breaches(-1, 1, at_equality=False)
    Table(RICH).play(
        ("bob", "wallet 0, equity 0, mm 0, ratio none, bankrupt no, flagged no, scopes none"),
        ("mark BTC 1 ETH 1000", ""),
        ("bob", "wallet 0, bankrupt no, flagged no"),
    )
