"""The switches of margin requirements: each rule beside what it is by default, in numbers worked out by hand."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import TierRow, build_tiers
from exchange.domain.policy import MarginPrice, RiskPolicy
from tests.cast import BTC_PERP, BTC_WITH_FEES, ETH_PERP, PLAIN_POLICY
from tests.scenarios.table import Table

AT_EQUALITY = replace(PLAIN_POLICY, liquidate_at_equality=True)
MAINTENANCE_AT_ENTRY = replace(PLAIN_POLICY, maintenance_price=MarginPrice.ENTRY)
INITIAL_AT_ENTRY = replace(PLAIN_POLICY, initial_margin_price=MarginPrice.ENTRY)
BOTH_AT_ENTRY = replace(MAINTENANCE_AT_ENTRY, initial_margin_price=MarginPrice.ENTRY)
CLOSE_FEE = replace(PLAIN_POLICY, close_fee_in_maintenance=True)
BUFFERED = replace(PLAIN_POLICY, liquidation_price_buffer=200_000)

HALF_PERCENT = replace(BTC_PERP, tiers=build_tiers([TierRow(0, 5_000, 100)]), default_leverage=50)
"""One tier: maintenance 0.5 %, leverage up to 100."""
STAGE = "carol deposits 1000000; bob deposits 1000; bob sets BTC isolated; mark BTC 100 ETH 100"
LONG_10 = STAGE + "; bob buys 10 BTC at 100; carol sells 10 BTC at 100"
"""Bob has 100 behind 10 lots at 100: equity 10 P - 900, maintenance P / 2."""
UNSOLD = "cleared 0, accepted 3, canceled 3 order.ioc_remainder"


# -- equality ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-005", "CONS-005")
@pytest.mark.parametrize(
    ("policy", "outcome"),
    [
        (PLAIN_POLICY, ""),
        (
            AT_EQUALITY,
            f"liquidation 1 of bob/BTC isolated equity 47 mm 47, {UNSOLD}, settled 0/10 BTC sell at 90, adl 10 to carol, "
            "finished 1",
        ),
    ],
)
def test_equity_of_exactly_maintenance_survives_unless_equality_is_liquidated(policy: RiskPolicy, outcome: str) -> None:
    """With 107 behind it, the position has 47 at 94, which is half of 94."""
    Table(LONG_10 + "; bob adds 7 to BTC", policy=policy).play(("mark BTC 95", ""), ("mark BTC 94", outcome))


@pytest.mark.rule("MARG-005")
def test_equality_of_a_cross_pool_is_liquidated_too() -> None:
    """107 in the pool, as above."""
    stage = "carol deposits 1000000; bob deposits 107; mark BTC 100; bob buys 10 BTC at 100; carol sells 10 BTC at 100"
    Table(stage).play(("mark BTC 94", ""), ("bob", "equity 47, mm 47, flagged no"))
    Table(stage, policy=AT_EQUALITY).play(
        (
            "mark BTC 94",
            f"liquidation 1 of bob cross equity 47 mm 47, {UNSOLD}, settled 0/10 BTC sell at 90, adl 10 to carol, finished 1",
        ),
    )


@pytest.mark.rule("MARG-005", "MARG-024")
def test_a_top_up_to_exactly_maintenance_cures_only_where_equality_survives() -> None:
    """At 93 there are 30 under 46.5, and 16.5 are left to bob."""
    stage = "carol deposits 1000000; bob deposits 116.5; bob sets BTC isolated; bob sets BTC auto-replenish on; mark BTC 100;"
    stage += "bob buys 10 BTC at 100; carol sells 10 BTC at 100"
    started = "liquidation 1 of bob/BTC isolated equity 30 mm 46.5, cleared 0"
    Table(stage).play(("mark BTC 93", f"{started}, replenished 16.5, finished 1 equity 46.5"))
    Table(stage, policy=AT_EQUALITY).play(
        (
            "mark BTC 93",
            f"{started}, accepted 3, canceled 3 order.ioc_remainder, settled 0/10 BTC sell at 90, adl 10 to carol, "
            "finished 1 replenished 0",
        ),
    )


@pytest.mark.rule("MARG-004", "MARG-005")
def test_where_equality_is_liquidated_initial_margin_stays_a_unit_above_maintenance() -> None:
    """Half of 250 is more than a tenth of the 1000 paid: nobody may take the rest out and be liquidated for it."""
    policy = replace(INITIAL_AT_ENTRY, liquidate_at_equality=True)
    Table(LONG_10, policy=policy).play(
        ("mark BTC 250", ""),
        ("bob", "BTC +10 im 125.000001 mm 125"),
        ("bob removes 100 from BTC", "moved -100"),
        ("bob", "BTC +10 equity 1500 flagged no"),
    )


# -- at the mark or at entry -------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-003", "MARG-006")
@pytest.mark.parametrize(
    ("policy", "side", "price"),
    [
        (PLAIN_POLICY, "buys", 19_699),
        (MAINTENANCE_AT_ENTRY, "buys", 19_700),
        (PLAIN_POLICY, "sells", 20_298),
        (MAINTENANCE_AT_ENTRY, "sells", 20_300),
    ],
)
def test_the_published_liquidation_price_at_entry_is_a_round_one(policy: RiskPolicy, side: str, price: int) -> None:
    """Bybit prints 20,000 at 50 times and 0.5 %: 20,000 - (400 - 100) = 19,700. At the mark it is 19,600 / 0.995 = 19,698.5,
    of the short 20,400 / 1.005 = 20,298.5.
    """
    other = "sells" if side == "buys" else "buys"
    stage = f"carol deposits 100000; bob deposits 1000; bob sets BTC isolated; mark BTC 20000; bob {side} 1 BTC at 20000;"
    Table(stage + f"carol {other} 1 BTC at 20000", policy=policy, instruments=(HALF_PERCENT,)).play(
        ("bob", f"BTC {'+' if side == 'buys' else '-'}1 isolated 400 mm 100 liq {price}"),
    )


@pytest.mark.rule("MARG-003")
def test_maintenance_at_entry_does_not_move_with_the_mark() -> None:
    """At 19,699 there are 99: more than 98.495, which is 0.5 % of it, and less than the 100 of the 20,000 paid."""
    stage = "carol deposits 100000; bob deposits 1000; bob sets BTC isolated; mark BTC 20000; bob buys 1 BTC at 20000;"
    stage += "carol sells 1 BTC at 20000"
    Table(stage, instruments=(HALF_PERCENT,)).play(("mark BTC 19699", ""), ("bob", "BTC +1 equity 99 mm 98.495"))
    Table(stage, policy=MAINTENANCE_AT_ENTRY, instruments=(HALF_PERCENT,)).play(
        ("mark BTC 19700", ""),
        ("bob", "BTC +1 equity 100 mm 100 liq 19700"),
        (
            "mark BTC 19699",
            f"liquidation 1 of bob/BTC isolated equity 99 mm 100, {UNSOLD}, settled 0/1 BTC sell at 19600, adl 1 to carol, "
            "finished 1",
        ),
    )


@pytest.mark.rule("MARG-003", "MARG-004")
@pytest.mark.parametrize(
    ("policy", "initial", "maintenance"),
    [
        (PLAIN_POLICY, "2160", "580"),
        (INITIAL_AT_ENTRY, "900", "580"),
        (MAINTENANCE_AT_ENTRY, "2160", "450"),
        (BOTH_AT_ENTRY, "900", "450"),
    ],
)
def test_the_tier_is_that_of_the_notional_that_is_measured(policy: RiskPolicy, initial: str, maintenance: str) -> None:
    """90 lots from 100: 9000 paid lie in the first tier, the 10800 at 120 in the second (10 % less 500, leverage 5)."""
    stage = "carol deposits 1000000; bob deposits 2000; mark BTC 100; bob buys 90 BTC at 100; carol sells 90 BTC at 100"
    Table(stage, policy=policy).play(("mark BTC 120", ""), ("bob", f"im {initial}, mm {maintenance}"))


@pytest.mark.rule("MARG-004")
def test_initial_margin_at_entry_never_lies_below_maintenance_at_the_mark() -> None:
    """A tenth of the 1000 paid is 100; from 200 on, maintenance of 5 % is more."""
    Table(LONG_10, policy=INITIAL_AT_ENTRY).play(
        ("mark BTC 199", ""),
        ("bob", "BTC +10 im 100 mm 99.5"),
        ("mark BTC 250", ""),
        ("bob", "BTC +10 im 125 mm 125"),
    )


@pytest.mark.rule("MARG-003", "MARG-014")
def test_what_a_partial_close_takes_of_the_entry_cost_it_takes_of_maintenance_at_entry() -> None:
    Table(LONG_10 + "; mark BTC 140", policy=BOTH_AT_ENTRY).play(
        ("bob", "BTC +10 im 100 mm 50"),
        ("carol buys 4 BTC at 140", "accepted 3, rested 3"),
        ("bob sells 4 BTC at 140", "accepted 4, trade 4@140 maker 3 taker 4, filled 3, filled 4"),
        ("bob", "BTC +6 cost 600 im 60 mm 30"),
    )


@pytest.mark.rule("LIQ-007", "MARG-004")
def test_the_fund_carries_positions_at_the_mark_whatever_owners_are_margined_on() -> None:
    """At 85 each of 10 lots, handed over for 90, needs 8.5 and 5 for its loss: 135. Of the 90 it would be 9."""
    for policy in (PLAIN_POLICY, BOTH_AT_ENTRY):
        Table(LONG_10 + "; fund deposits 135", policy=policy).play(
            (
                "mark BTC 85",
                f"liquidation 1 of bob/BTC isolated equity -50, {UNSOLD}, settled 0/10 BTC sell at 90, "
                "takeover 10 to fund value 900, finished 1",
            ),
        )


# -- the fee of a close ------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-003")
def test_the_fee_of_a_close_may_be_part_of_maintenance() -> None:
    """A taker pays 1 %: 6 % instead of 5. 900 / 9.4 = 95.7 instead of 900 / 9.5 = 94.7."""
    Table(LONG_10, instruments=(BTC_WITH_FEES, ETH_PERP)).play(
        ("bob", "BTC +10 isolated 100 mm 50 liq 95"),
        ("mark BTC 95", ""),
        ("bob", "BTC +10 equity 50 mm 47.5"),
    )
    Table(LONG_10, policy=CLOSE_FEE, instruments=(BTC_WITH_FEES, ETH_PERP)).play(
        ("bob", "BTC +10 isolated 100 mm 60 liq 96"),
        ("mark BTC 96", ""),
        ("bob", "BTC +10 equity 60 mm 57.6"),
        (
            "mark BTC 95",
            f"liquidation 1 of bob/BTC isolated equity 50 mm 57, {UNSOLD}, settled 0/10 BTC sell at 90, adl 10 to carol, "
            "finished 1",
        ),
    )


@pytest.mark.rule("MARG-002", "MARG-003")
def test_the_fee_of_a_close_leaves_the_amounts_of_tiers_alone() -> None:
    """300 lots at 100: 10 % of 30000 less 500, and with the fee 11 % less 500."""
    stage = "carol deposits 1000000; bob deposits 100000; bob sets BTC leverage 2; carol sets BTC leverage 2; mark BTC 100;"
    stage += "bob buys 300 BTC at 100; carol sells 300 BTC at 100"
    Table(stage, instruments=(BTC_WITH_FEES, ETH_PERP)).play(("bob", "mm 2500"))
    Table(stage, policy=CLOSE_FEE, instruments=(BTC_WITH_FEES, ETH_PERP)).play(("bob", "mm 2800"))


# -- the price shown ---------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-006")
def test_a_buffered_liquidation_price_is_shown_nearer_to_entry_and_triggers_nothing() -> None:
    """A fifth of the way from 94.74 back to 100 is 95.79, shown as 96. Liquidated is who has less than maintenance, as ever."""
    Table(LONG_10).play(("bob", "BTC +10 liq 95"))
    Table(LONG_10, policy=BUFFERED).play(
        ("bob", "BTC +10 liq 96"),
        ("mark BTC 95", ""),
        ("bob", "BTC +10 liq 95 flagged no"),
        (
            "mark BTC 94",
            f"liquidation 1 of bob/BTC isolated equity 40 mm 47, {UNSOLD}, settled 0/10 BTC sell at 90, adl 10 to carol, "
            "finished 1",
        ),
    )


@pytest.mark.rule("MARG-006")
def test_a_buffered_liquidation_price_of_a_short_lies_lower() -> None:
    """1100 / 10.5 = 104.76; a fifth back to 100 is 103.81."""
    stage = STAGE + "; bob sells 10 BTC at 100; carol buys 10 BTC at 100"
    Table(stage).play(("bob", "BTC -10 liq 104"))
    Table(stage, policy=BUFFERED).play(("bob", "BTC -10 liq 103"))
