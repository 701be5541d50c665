"""How much of a position one liquidation order closes: the target solved tier by tier, and the other ways to size it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.closeout_math import CloseoutRisk, reaches_target
from exchange.domain.margin_math import maintenance_margin
from exchange.domain.policy import LiquidationSizing, RiskPolicy
from tests.cast import BTC_PERP, ETH_PERP, PLAIN_POLICY, cash
from tests.scenarios.table import Table

TARGET = RiskPolicy(liquidation_slippage=0, margin_call_levels=())
"""Back to 1.1 times maintenance; a close is taken to cost nothing but the liquidation fee, which is 0 here."""
TIER_STEP = replace(PLAIN_POLICY, liquidation_sizing=LiquidationSizing.TIER_STEP)
FRACTION = replace(PLAIN_POLICY, liquidation_sizing=LiquidationSizing.FRACTION, liquidation_fraction=250_000)

RICH = "alice deposits 100000; carol deposits 100000; mark BTC 100 ETH 100"
LONG_90 = RICH + "; bob deposits 900.000002; bob sets BTC isolated; bob buys 90 BTC at 100; alice sells 90 BTC at 100"
"""At 94 bob has 360 and needs 423: 4.7 for each of 90 lots. He is bankrupt at 90."""
SHORT_90 = RICH + "; bob deposits 900.000002; bob sets BTC isolated; bob sells 90 BTC at 100; alice buys 90 BTC at 100"
LONG_200 = (
    RICH + "; bob deposits 5000; bob sets BTC isolated; bob sets BTC leverage 5; alice sets BTC leverage 5;"
    "carol sets BTC leverage 5;"
    "bob buys 200 BTC at 100; alice sells 200 BTC at 100"
)
"""At 82 bob has 400 and needs 1140 in the second tier: a tenth of 16400 less 500. He is bankrupt at 80."""


# -- the target --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-004")
def test_the_least_lots_are_closed_that_bring_equity_to_the_target() -> None:
    """360 carry 360 / (1.1 * 4.7) = 69.6 lots, so 21 must go. 69 need 324.3, and 1.1 times that is 356.73; 70 need 361.9."""
    Table(LONG_90 + "; carol buys 90 BTC at 94", policy=TARGET).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 360 mm 423, cleared 0, accepted 4 quantity 21 limit 90, "
            "trade 21@94 maker 3 taker 4, filled 4, settled 21/21 BTC sell at 90 equity 360 mm 324.3, "
            "finished 1 book BTC:21 rounds 1 returned 0",
        ),
        ("bob", "BTC +69 cost 6900 isolated 774 equity 360 flagged no"),
    )


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize(("least", "closed"), [("8460", 21), ("8460.000001", 90)])
def test_a_position_of_less_notional_than_partial_closes_are_for_is_closed_whole_at_once(least: str, closed: int) -> None:
    """90 lots at 94 are worth 8460."""
    Table(LONG_90 + "; carol buys 90 BTC at 94", policy=replace(TARGET, liquidation_partial_min=cash(least))).play(
        (
            "mark BTC 94",
            f"liquidation 1 of bob/BTC isolated, cleared 0, accepted 4 quantity {closed} limit 90, "
            f"trade {closed}@94 maker 3 taker 4, {'filled 3, ' if closed == 90 else ''}filled 4, "
            f"settled {closed}/{closed} BTC sell at 90, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-004")
def test_a_short_is_sized_the_same_way() -> None:
    """At 106 there are 360 under 477, 5.3 a lot: 61 of the 90 may stay."""
    Table(SHORT_90 + "; carol sells 90 BTC at 106", policy=TARGET).play(
        (
            "mark BTC 106",
            "liquidation 1 of bob/BTC isolated equity 360 mm 477, cleared 0, accepted 4 quantity 29 limit 110, "
            "trade 29@106 maker 3 taker 4, filled 4, settled 29/29 BTC buy at 110 equity 360 mm 323.3, finished 1",
        ),
        ("bob", "BTC -61"),
    )


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize(
    ("slippage", "fee", "closed"),
    [
        ("0.5 %", 0, 23),
        ("0", 20_000, 33),
        ("0.5 %", 20_000, 38),
        ("0.5 %", 30_000, 57),
        ("0.5 %", 40_000, 90),
    ],
)
def test_what_the_close_itself_is_taken_to_cost_makes_it_larger(slippage: str, fee: int, closed: int) -> None:
    """Each lot frees 5.17 and is taken to cost 94 * d; 105.3 are to be freed in all.

    0.5 %: 105.3 / 4.7 = 22.4. 2 %: 105.3 / 3.29 = 32.006, which 32 lots miss. 2.5 %: 105.3 / 2.82 = 37.3. 3.5 %:
    105.3 / 1.88 = 56.01. From 4.255 % on it is the whole distance to bankruptcy, 4 a lot, and nothing but all will do.
    """
    policy = replace(TARGET, liquidation_slippage=5_000 if slippage != "0" else 0)
    instrument = replace(BTC_PERP, liquidation_fee=fee)
    table = Table(LONG_90 + "; carol buys 90 BTC at 94", policy=policy, instruments=(instrument, ETH_PERP))
    table.play(
        (
            "mark BTC 94",
            f"liquidation 1 of bob/BTC isolated, cleared 0, accepted 4 quantity {closed}, "
            f"trade {closed}@94 maker 3 taker 4, {'filled 3, ' if closed == 90 else ''}filled 4, "
            f"settled {closed}/{closed} BTC sell at 90, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-004", "LIQ-003")
def test_a_close_that_fills_below_the_mark_is_followed_by_another_sized_anew() -> None:
    """21 lots at 92 cost 42: the 318 left are still under 324.3, and carry 61 of the 69 lots."""
    Table(LONG_90 + "; carol buys 29 BTC at 92", policy=TARGET).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 360, cleared 0, accepted 4 quantity 21, trade 21@92 maker 3 taker 4, "
            "filled 4, settled 21/21 BTC sell at 90 equity 318 mm 324.3, "
            "accepted 5 quantity 8 limit 90, trade 8@92 maker 3 taker 5, filled 3, filled 5, "
            "settled 8/8 BTC sell at 90 equity 302 mm 286.7, finished 1 rounds 2 book BTC:29",
        ),
        ("bob", "BTC +61 flagged no"),
    )


@pytest.mark.rule("LIQ-004")
def test_missing_the_target_is_no_breach() -> None:
    """Each of the 23 lots costs 1 where 0.47 was reckoned with: 337 are under 1.1 * 314.9 and over 314.9."""
    Table(LONG_90 + "; carol buys 90 BTC at 93", policy=replace(TARGET, liquidation_slippage=5_000)).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 4 quantity 23, trade 23@93 maker 3 taker 4, filled 4, "
            "settled 23/23 BTC sell at 90 equity 337 mm 314.9, finished 1 rounds 1",
        ),
    )


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize(("target", "closed"), [(1_000_000, 14), (1_100_000, 21), (2_000_000, 52), (100_000_000, 90)])
def test_the_target_is_a_choice_of_the_venue(target: int, closed: int) -> None:
    """360 / 4.7 = 76.6 lots at once, 38.3 at twice, none at a hundred times maintenance."""
    last = "filled 3, filled 4" if closed == 90 else "filled 4"
    Table(LONG_90 + "; carol buys 90 BTC at 94", policy=replace(TARGET, liquidation_target=target)).play(
        (
            "mark BTC 94",
            f"liquidation 1 of bob/BTC isolated, cleared 0, accepted 4, trade {closed}@94 maker 3 taker 4, {last}, "
            f"settled {closed}/{closed} BTC sell at 90, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-004")
def test_a_close_that_crosses_a_tier_is_solved_in_the_tier_where_the_rest_lies() -> None:
    """Tier 2 would keep (400 + 1.1 * 500) / (1.1 * 8.2) = 105 lots, which lie in tier 1 and need 430.5 there: still too few.

    Tier 1 keeps 400 / (1.1 * 4.1) = 88.7.
    """
    assert maintenance_margin(BTC_PERP, 105, 0, 82) == cash("430.5")
    Table(LONG_200 + "; carol buys 200 BTC at 82", policy=TARGET).play(
        (
            "mark BTC 82",
            "liquidation 1 of bob/BTC isolated equity 400 mm 1140, cleared 0, accepted 4 quantity 112 limit 80, "
            "trade 112@82 maker 3 taker 4, filled 4, settled 112/112 BTC sell at 80 equity 400 mm 360.8, finished 1 rounds 1",
        ),
        ("bob", "BTC +88"),
    )


@pytest.mark.rule("LIQ-004")
def test_within_the_second_tier_its_rate_and_amount_decide() -> None:
    """At 86 there are 1200 under 1220; (1200 + 550) / (1.1 * 8.6) = 184.98 lots may stay."""
    Table(LONG_200 + "; carol buys 200 BTC at 86", policy=TARGET).play(
        (
            "mark BTC 86",
            "liquidation 1 of bob/BTC isolated equity 1200 mm 1220, cleared 0, accepted 4 quantity 16, "
            "trade 16@86 maker 3 taker 4, filled 4, settled 16/16 BTC sell at 80 equity 1200 mm 1082.4, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-004")
def test_in_cross_what_the_other_positions_need_is_part_of_the_target() -> None:
    """450 under 222.5 for BTC and 250 for ETH, which goes first. (450 / 1.1 - 222.5) / 5 = 37.3 of its 50 lots may stay.

    Leaving BTC out, 450 / 5.5 = 81.8 lots might: nothing at all would be closed.
    """
    stage = RICH + "; bob deposits 1000.000002; bob buys 50 BTC at 100; alice sells 50 BTC at 100; bob buys 50 ETH at 100;"
    Table(stage + "alice sells 50 ETH at 100; carol buys 50 ETH at 100; bob withdraws 0.000002", policy=TARGET).play(
        (
            "mark BTC 89",
            "liquidation 1 of bob cross equity 450 mm 472.5, cleared 0, accepted 6 quantity 13 limit 96, "
            "trade 13@100 maker 5 taker 6, filled 6, settled 13/13 ETH sell at 96 equity 450 mm 407.5, finished 1",
        ),
        ("bob", "ETH +37, BTC +50"),
    )
    alone = CloseoutRisk(ETH_PERP, 50, 0, 100, cash("450"), 0, cash("450"), TARGET.liquidation_target, 0)
    assert reaches_target(alone, 0)
    assert not reaches_target(alone._replace(other_maintenance=cash("222.5")), 12)
    assert reaches_target(alone._replace(other_maintenance=cash("222.5")), 13)


@pytest.mark.rule("LIQ-004")
def test_in_cross_the_largest_goes_whole_where_no_part_would_do_and_then_the_next_in_part() -> None:
    """110 under 500.5. ETH (273) goes whole; then 110 / (1.1 * 4.55) = 21.98 of the 50 BTC may stay."""
    stage = RICH + "; bob deposits 1100.000002; bob buys 50 BTC at 100; alice sells 50 BTC at 100; bob buys 60 ETH at 100;"
    stage += "alice sells 60 ETH at 100; carol buys 60 ETH at 91; carol buys 50 BTC at 91; bob withdraws 0.000002"
    Table(stage, policy=TARGET).play(
        (
            "mark BTC 91 ETH 91",
            "liquidation 1 of bob cross equity 110 mm 500.5, cleared 0, accepted 7 quantity 60 limit 90, "
            "trade 60@91 maker 5 taker 7, filled 5, filled 7, settled 60/60 ETH sell at 90 equity 110 mm 227.5, "
            "accepted 8 quantity 29 limit 89, trade 29@91 maker 6 taker 8, filled 8, "
            "settled 29/29 BTC sell at 89 equity 110 mm 95.55, finished 1 book ETH:60+BTC:29 rounds 2",
        ),
        ("bob", "ETH flat, BTC +21"),
    )


# -- the other ways ----------------------------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-004")
def test_a_tier_step_goes_to_below_the_floor_of_todays_tier_and_in_the_first_it_is_all() -> None:
    """121 lots are worth 9922 and 122 are worth 10004; 400 do not carry 121 either."""
    Table(LONG_200 + "; carol buys 79 BTC at 82; carol buys 121 BTC at 81", policy=TIER_STEP).play(
        (
            "mark BTC 82",
            "liquidation 1 of bob/BTC isolated equity 400 mm 1140, cleared 0, accepted 5 quantity 79, "
            "trade 79@82 maker 3 taker 5, filled 3, filled 5, settled 79/79 BTC sell at 80 equity 400 mm 496.1, "
            "accepted 6 quantity 121 limit 79, trade 121@81 maker 4 taker 6, filled 4, filled 6, "
            "settled 121/121 BTC sell at 79 equity 279, finished 1 returned 279",
        ),
    )


@pytest.mark.rule("LIQ-004", "MARG-002")
def test_a_position_that_lies_on_the_floor_itself_is_a_lot_away_from_the_lower_tier() -> None:
    stage = RICH + "; bob deposits 5000; bob sets BTC isolated; bob sets BTC leverage 5; alice sets BTC leverage 5;"
    stage += (
        "carol sets BTC leverage 5; mark BTC 60; bob buys 200 BTC at 60; alice sells 200 BTC at 60; carol buys 200 BTC at 50"
    )
    Table(stage, policy=TIER_STEP).play(
        (
            "mark BTC 50",
            "liquidation 1 of bob/BTC isolated equity 400 mm 500 notional 10000, cleared 0, accepted 4 quantity 1, "
            "trade 1@50 maker 3 taker 4, filled 4, settled 1/1 BTC sell at 48 equity 400 mm 497.5, "
            "accepted 5 quantity 199, trade 199@50 maker 3 taker 5, filled 3, filled 5, settled 199/199 BTC sell at 48, "
            "finished 1",
        ),
    )


@pytest.mark.rule("LIQ-004")
def test_a_fraction_is_rounded_up_and_taken_again_until_the_scope_is_cured() -> None:
    """A quarter of 90 is 22.5. At 91 there are 90 under 409.5, and 90 carry 19 lots: 90, 67, 50, 37, 27, 20, 15."""
    rest, rows, order = 90, [], 4
    for closed in (23, 17, 13, 10, 7, 5):
        rest -= closed
        rows.append(
            f"accepted {order} quantity {closed}, trade {closed}@91 maker 3 taker {order}, filled {order}, "
            f"settled {closed}/{closed} BTC sell at {91 - 90 // (rest + closed)} equity 90"
        )
        order += 1
    Table(LONG_90 + "; carol buys 90 BTC at 91", policy=FRACTION).play(
        ("mark BTC 91", "liquidation 1 of bob/BTC isolated equity 90 mm 409.5, cleared 0, " + ", ".join(rows) + ", finished 1"),
        ("bob", "BTC +15 equity 90 mm 68.25"),
    )


# -- when all of it goes -----------------------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize(("least", "closed"), [("6486", 21), ("6486.000001", 90)])
def test_the_whole_position_goes_where_too_little_would_remain(least: str, closed: int) -> None:
    """69 lots at 94 are worth 6486."""
    last = "filled 3, filled 4" if closed == 90 else "filled 4"
    policy = replace(TARGET, liquidation_remainder_min=cash(least))
    Table(LONG_90 + "; carol buys 90 BTC at 94", policy=policy).play(
        (
            "mark BTC 94",
            f"liquidation 1 of bob/BTC isolated, cleared 0, accepted 4, trade {closed}@94 maker 3 taker 4, {last}, "
            f"settled {closed}/{closed} BTC sell at 90, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize("policy", [TARGET, TIER_STEP, FRACTION], ids=["target", "tier step", "fraction"])
@pytest.mark.parametrize("mark", [90, 89])
def test_the_whole_position_goes_where_no_equity_is_left(mark: int, policy: RiskPolicy) -> None:
    Table(LONG_90 + "; carol buys 90 BTC at 90", policy=policy).play(
        (
            f"mark BTC {mark}",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 4 quantity 90, trade 90@90 maker 3 taker 4, filled 3, "
            "filled 4, settled 90/90 BTC sell at 90 equity 0, finished 1 returned 0",
        ),
    )


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize(("rounds", "last"), [(3, 4), (2, 80)])
def test_after_so_many_orders_the_rest_goes_whole(rounds: int, last: int) -> None:
    """A twentieth at a time: 5, 5 and 4 lots; 76 need 357.2 of the 360. With two rounds the third is all that is left."""
    policy = replace(FRACTION, liquidation_fraction=50_000, liquidation_rounds_max=rounds)
    end = "filled 3, filled 6" if last == 80 else "filled 6"
    Table(LONG_90 + "; carol buys 90 BTC at 94", policy=policy).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, cleared 0, "
            "accepted 4, trade 5@94 maker 3 taker 4, filled 4, settled 5/5 BTC sell at 90 equity 360 mm 399.5, "
            "accepted 5, trade 5@94 maker 3 taker 5, filled 5, settled 5/5 BTC sell at 90 equity 360 mm 376, "
            f"accepted 6, trade {last}@94 maker 3 taker 6, {end}, settled {last}/{last} BTC sell at 90, finished 1 rounds 3",
        ),
    )


@pytest.mark.rule("LIQ-004", "LIQ-007")
def test_what_the_book_does_not_take_of_a_part_makes_the_whole_position_go_to_the_fund() -> None:
    """4 of 21 lots sold at 90 leave 344 under 404.2 for 86 lots, which the fund takes for 8084 - 344."""
    Table(LONG_90 + "; carol buys 4 BTC at 90; fund deposits 10000", policy=TARGET).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 4 quantity 21, trade 4@90 maker 3 taker 4, filled 3, "
            "canceled 4 order.ioc_remainder, settled 4/21 BTC sell at 90 equity 344 mm 404.2, "
            "takeover 86 to fund value 7740, finished 1 book BTC:4 fund BTC:86",
        ),
    )
