"""The switches of closing a position: how much at once, how far from the mark, at which fee, and who keeps the surplus."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import TierRow, build_tiers
from exchange.domain.policy import (
    LiquidationLimit,
    LiquidationSizing,
    LiquidationSurplus,
    MarginPrice,
    RiskPolicy,
    UnfilledPolicy,
)
from tests.cast import BTC_PERP, ETH_PERP, PLAIN_POLICY, cash
from tests.scenarios.table import Table

STEPS = replace(PLAIN_POLICY, liquidation_sizing=LiquidationSizing.TIER_STEP)
TARGET = RiskPolicy(liquidation_slippage=0, margin_call_levels=())
QUARTERS = replace(PLAIN_POLICY, liquidation_sizing=LiquidationSizing.FRACTION, liquidation_fraction=250_000)
FILLABLE = replace(PLAIN_POLICY, liquidation_limit=LiquidationLimit.FILLABLE)
SURPLUS_TO_FUND = replace(PLAIN_POLICY, liquidation_surplus=LiquidationSurplus.FUND)
RISING = replace(
    PLAIN_POLICY,
    unfilled=UnfilledPolicy.WAIT,
    liquidation_fee_rise=10_000,
    liquidation_fee_grace=2_000_000_000,
    liquidation_fee_max=50_000,
)
"""One percent more in each second, from the second on, up to 5 %."""

LARGE = replace(BTC_PERP, quantity_max=5_000)
TENTHS_AT_TEN_PERCENT = replace(
    BTC_PERP, cash_per_tick_lot=cash("0.1"), tiers=build_tiers([TierRow(0, 100_000, 9)]), default_leverage=8
)
"""Lots of 0.1; maintenance 10 %."""
TWO_PERCENT = replace(BTC_PERP, liquidation_fee=20_000)
ONE_PERCENT = replace(BTC_PERP, liquidation_fee=10_000)

LONG_1200 = (
    "alice deposits 10000000; carol deposits 10000000; bob deposits 61000; alice sets BTC leverage 2;"
    "carol sets BTC leverage 2; mark BTC 100; bob sets BTC isolated; bob sets BTC leverage 2;"
    "bob buys 1200 BTC at 100; alice sells 1200 BTC at 100"
)
"""60000 behind 1200 lots at 100, bankrupt at 50. At 56 they have 7200 and need 7940: 20 % of 67200 less 5500."""
LONG_90 = (
    "alice deposits 100000; carol deposits 100000; bob deposits 900.000002; mark BTC 100; bob sets BTC isolated;"
    "bob buys 90 BTC at 100; alice sells 90 BTC at 100; carol buys 90 BTC at 94"
)
"""At 94 bob has 360 and needs 423. He is bankrupt at 90. Order ids 1 to 3 are used."""
LONG_10 = (
    "alice deposits 100000; carol deposits 100000; bob deposits 1000; mark BTC 100; bob sets BTC isolated;"
    "bob buys 10 BTC at 100; alice sells 10 BTC at 100"
)
"""At 94 bob has 40 and needs 47."""


def closes(order: int, lots: int, wanted: int, price: int, at: int) -> str:
    """The whole of one closing order that carol's bid takes."""
    bid_is_spent = f"filled {order - 1}, " if lots == wanted else ""
    return (
        f"accepted {order} quantity {lots} limit {at}, trade {lots}@{price} maker {order - 1} taker {order}, {bid_is_spent}"
        f"filled {order}, settled {lots}/{lots} BTC sell at {at}, finished 1"
    )


# -- how much ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize(("steps", "lots"), [(1, 308), (2, 1022), (3, 1200), (4, 1200)])
def test_a_close_may_go_down_several_tiers_at_once(steps: int, lots: int) -> None:
    """At 56, 892 lots are 49952, below 50000, and 178 are 9968, below 10000; below the first tier there is nothing."""
    policy = replace(STEPS, liquidation_tier_steps=steps)
    Table(LONG_1200 + "; carol buys 1200 BTC at 56", instruments=(LARGE, ETH_PERP), policy=policy).play(
        (
            "mark BTC 56",
            f"liquidation 1 of bob/BTC isolated equity 7200 mm 7940, cleared 0, {closes(3 + 1, lots, 1200, 56, 50)}",
        ),
    )


@pytest.mark.rule("LIQ-004", "MARG-003")
def test_where_maintenance_is_of_the_entry_so_is_the_tier_to_go_below() -> None:
    """120000 were paid: 18500. At 65 there are 18000. 499 lots cost 49900, and at 65 they are worth 32435."""
    policy = replace(STEPS, maintenance_price=MarginPrice.ENTRY)
    Table(LONG_1200 + "; carol buys 1200 BTC at 65", instruments=(LARGE, ETH_PERP), policy=policy).play(
        (
            "mark BTC 65",
            f"liquidation 1 of bob/BTC isolated equity 18000 mm 18500, cleared 0, {closes(4, 701, 1200, 65, 50)}",
        ),
        ("bob", "BTC +499 cost 49900 mm 4490"),
    )


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize(("least", "lots"), [("0", 21), ("8460", 21), ("8460.000001", 90)])
def test_a_position_below_the_least_for_partial_closes_is_closed_whole(least: str, lots: int) -> None:
    """90 lots at 94 are 8460."""
    Table(LONG_90, policy=replace(TARGET, liquidation_partial_min=cash(least))).play(
        ("mark BTC 94", f"liquidation 1 of bob/BTC isolated, cleared 0, {closes(4, lots, 90, 94, 90)}"),
    )


@pytest.mark.rule("LIQ-004")
@pytest.mark.parametrize(("least", "lots"), [("0", 23), ("2162", 23), ("2162.000001", 24), ("3000", 32), ("9000", 90)])
def test_a_close_by_a_fraction_takes_at_least_the_least_close(least: str, lots: int) -> None:
    """A quarter of 90 is 23 lots, 2162 at 94; 3000 are 31.9."""
    Table(LONG_90, policy=replace(QUARTERS, liquidation_close_min=cash(least))).play(
        ("mark BTC 94", f"liquidation 1 of bob/BTC isolated, cleared 0, {closes(4, lots, 90, 94, 90)}"),
    )


@pytest.mark.rule("LIQ-004", "MARG-003")
def test_the_target_is_met_in_maintenance_of_the_entry_and_with_the_fee_of_a_close() -> None:
    """9000 were paid, 450 are needed. 360 / (1.1 * 5) carry 65.4 lots; with 1 % on top 360 / (1.1 * 6) carry 54.5."""
    fees = replace(BTC_PERP, taker_fee=10_000)
    at_entry = replace(TARGET, maintenance_price=MarginPrice.ENTRY)
    stage = LONG_90.replace("deposits 900.000002", "deposits 990.000002")
    for policy, lots in ((at_entry, 25), (replace(at_entry, close_fee_in_maintenance=True), 36)):
        Table(stage, instruments=(fees, ETH_PERP), policy=policy).play(
            ("mark BTC 94", f"liquidation 1 of bob/BTC isolated equity 360, cleared 0, {closes(4, lots, 90, 94, 90)}"),
        )


# -- how far from the mark ---------------------------------------------------------------------------------------------

ALMOST_HEALTHY = (
    "alice deposits 1000000; bob deposits 10000; mark BTC 55000; bob sets BTC isolated;"
    "bob buys 1 BTC at 55000; alice sells 1 BTC at 55000; bob adds 311.5 to BTC"
)
"""0.1 at 55,000 with 687.5 and 311.5: at 50,000 there are 499 of the 500 that are needed."""


@pytest.mark.rule("LIQ-005")
@pytest.mark.parametrize(
    ("policy", "limit"),
    [
        (PLAIN_POLICY, 45_010),
        (FILLABLE, 49_999),
        (replace(FILLABLE, fillable_spread=1_000_000), 49_990),
        (replace(FILLABLE, fillable_spread=1_000_000, fillable_adjustment=3_000_000), 49_970),
        (replace(FILLABLE, fillable_adjustment=500_000), 50_000),
        (replace(FILLABLE, fillable_spread=0), 50_000),
    ],
)
def test_a_fillable_limit_lies_the_nearer_to_the_mark_the_less_is_lacking(policy: RiskPolicy, limit: int) -> None:
    """dYdX: 50,000 - 0.1 * (1 - 499/500) * 500 / 0.1 = 49,999; bankruptcy would be 50,000 - 499 / 0.1."""
    Table(ALMOST_HEALTHY, instruments=(TENTHS_AT_TEN_PERCENT, ETH_PERP), policy=policy).play(
        (
            "mark BTC 50000",
            f"liquidation 1 of bob/BTC isolated equity 499 mm 500, cleared 0, accepted 3 limit {limit}, "
            "canceled 3 order.ioc_remainder, settled 0/1 BTC sell at 45010, adl 1 to alice value 4501, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-005")
def test_a_fillable_limit_of_a_short_lies_above_the_mark() -> None:
    """0.1 short at 45,000, 562.5 and 436.5: the same 499 of 500 at 50,000."""
    stage = ALMOST_HEALTHY.replace("55000", "45000").replace("bob buys", "bob sells").replace("alice sells", "alice buys")
    stage = stage.replace("adds 311.5", "adds 436.5")
    for policy, limit in ((PLAIN_POLICY, 54_990), (FILLABLE, 50_001)):
        Table(stage, instruments=(TENTHS_AT_TEN_PERCENT, ETH_PERP), policy=policy).play(
            (
                "mark BTC 50000",
                f"liquidation 1 of bob/BTC isolated equity 499 mm 500, cleared 0, accepted 3 limit {limit}, "
                "canceled 3 order.ioc_remainder, settled 0/1 BTC buy at 54990, adl 1 to alice value -5499, finished 1",
            ),
        )


@pytest.mark.rule("LIQ-005")
@pytest.mark.parametrize(("added", "equity", "limit"), [("17.777777", "40", 49_600), ("27.777777", "50", 49_550)])
def test_a_fillable_limit_never_lies_beyond_bankruptcy(added: str, equity: str, limit: int) -> None:
    """0.1 at 56,000 and 9 times: 622.222223 and what is added. 40 are bankrupt 400 below the mark, where 460 would be lacking;
    50 are bankrupt 500 below it, where 450 are.
    """
    stage = ALMOST_HEALTHY.replace("55000", "56000").replace("311.5", added)
    stage = stage.replace("bob sets BTC isolated;", "bob sets BTC isolated; bob sets BTC leverage 9;")
    Table(stage, instruments=(TENTHS_AT_TEN_PERCENT, ETH_PERP), policy=FILLABLE).play(
        (
            "mark BTC 50000",
            f"liquidation 1 of bob/BTC isolated equity {equity} mm 500, cleared 0, accepted 3 limit {limit}, "
            f"canceled 3 order.ioc_remainder, settled 0/1 BTC sell at {50_000 - int(equity) * 10}, adl 1 to alice, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-005")
def test_in_a_cross_pool_the_scope_says_how_much_is_lacking_and_the_position_how_much_a_lot_gives_up() -> None:
    """300 of the 530 needed: 0.434 is lacking. 43,000 - 0.0434 * 430 / 0.1 = 42,813.4; of ETH 10,000 - 0.0434 * 100 / 0.1."""
    stage = "alice deposits 1000000; bob deposits 1000; mark BTC 50000 ETH 10000; bob buys 1 BTC at 50000;"
    stage += "alice sells 1 BTC at 50000; bob buys 1 ETH at 10000; alice sells 1 ETH at 10000"
    instruments = (TENTHS_AT_TEN_PERCENT, replace(TENTHS_AT_TEN_PERCENT, symbol="ETH-PERP"))
    Table(stage, instruments=instruments, policy=FILLABLE).play(
        (
            "mark BTC 43000",
            "liquidation 1 of bob cross equity 300 mm 530, cleared 0, accepted 5 limit 42814, canceled 5 order.ioc_remainder, "
            "settled 0/1 BTC sell at 40567, adl 1 to alice, accepted 6 limit 9957, canceled 6 order.ioc_remainder, "
            "settled 0/1 ETH sell at 9434, adl 1 to alice, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-005")
def test_a_bid_between_the_fillable_limit_and_bankruptcy_is_left_alone() -> None:
    stage = ALMOST_HEALTHY + "; alice buys 1 BTC at 49998"
    Table(stage, instruments=(TENTHS_AT_TEN_PERCENT, ETH_PERP)).play(
        (
            "mark BTC 50000",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 4, trade 1@49998 maker 3 taker 4, filled 3, filled 4, "
            "settled 1/1 BTC sell at 45010, finished 1 returned 498.8",
        ),
    )
    Table(stage, instruments=(TENTHS_AT_TEN_PERCENT, ETH_PERP), policy=FILLABLE).play(
        (
            "mark BTC 50000",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 4, canceled 4 order.ioc_remainder, "
            "settled 0/1 BTC sell at 45010, canceled 3 liquidation.auto_deleveraged, adl 1 to alice value 4501, "
            "finished 1 returned 0",
        ),
    )


# -- the surplus and the fee -------------------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-006")
@pytest.mark.parametrize(("policy", "fee", "returned"), [(PLAIN_POLICY, "18.8", "21.2"), (SURPLUS_TO_FUND, "40", "0")])
def test_what_a_close_earns_over_bankruptcy_may_all_be_the_funds(policy: RiskPolicy, fee: str, returned: str) -> None:
    """10 lots sold at 94 where 90 would be nothing left: 40, of which 2 % of 940 are the fee."""
    Table(LONG_10 + "; carol buys 10 BTC at 94", instruments=(TWO_PERCENT, ETH_PERP), policy=policy).play(
        (
            "mark BTC 94",
            f"liquidation 1 of bob/BTC isolated, cleared 0, accepted 4, trade 10@94 maker 3 taker 4 taker_fee {fee}, filled 3, "
            f"filled 4, settled 10/10 BTC sell at 90 fee {fee}, finished 1 fee {fee} returned {returned}",
        ),
        ("fund", f"wallet {fee}"),
    )


@pytest.mark.rule("LIQ-006", "LIQ-013")
@pytest.mark.parametrize(
    ("wait", "fee"),
    [("1s", "9.4"), ("1998ms", "9.4"), ("1999ms", "28.2"), ("3s", "37.6094"), ("4s", "40")],
)
def test_the_liquidation_fee_may_rise_while_nobody_takes_the_position(wait: str, fee: str) -> None:
    """1 % of 940 for two seconds, then 1 % more for each since the flag; carol comes a millisecond after the wait.

    The surplus is 40.
    """
    Table(LONG_10, instruments=(ONE_PERCENT, ETH_PERP), policy=RISING).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40 mm 47, cleared 0, accepted 3, canceled 3 order.ioc_remainder, "
            "settled 0/10 BTC sell at 90, waiting 1 left 9",
        ),
        (f"wait {wait}", ""),
        (
            "carol buys 10 BTC at 94",
            f"accepted 4, rested 4, accepted 5, trade 10@94 maker 4 taker 5 taker_fee {fee}, filled 4, filled 5, "
            f"settled 10/10 BTC sell at 90, finished 1 fee {fee}",
        ),
    )


@pytest.mark.rule("LIQ-015")
@pytest.mark.parametrize(("whole", "lots"), [("849.999999", 1), ("850", 10)])
def test_the_fund_sells_a_small_position_in_one_slice(whole: str, lots: int) -> None:
    """It has taken 10 lots over, 850 at 85; a tenth of them is 1."""
    policy = replace(
        PLAIN_POLICY,
        fund_unwind_fraction=100_000,
        fund_unwind_book_share=1_000_000,
        fund_unwind_whole_max=cash(whole),
        fund_unwind_interval=10_000_000_000,
    )
    Table(LONG_10 + "; fund deposits 1000; mark BTC 85", policy=policy).play(
        ("fund", "BTC +10"),
        ("carol buys 20 BTC at 85", "accepted 4, rested 4"),
        (
            "mark BTC 85",
            f"accepted 5 account insurance_fund quantity {lots}, trade {lots}@85 maker 4 taker 5, filled 5",
        ),
    )
