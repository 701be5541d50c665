"""The switches of order margin: what backs an order, what a position frees of it, and the fee of a close held back."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import TierRow, build_tiers
from exchange.domain.policy import OrderMarginRule, RiskPolicy
from tests.cast import BTC_PERP, ETH_PERP, PLAIN_POLICY, cash
from tests.scenarios.table import Table

PROFIT = replace(PLAIN_POLICY, profit_for_orders=True)
OFFSET = replace(PLAIN_POLICY, order_margin=OrderMarginRule.NOTIONAL_OFFSET)
CLOSE_FEE = replace(PLAIN_POLICY, order_close_fee=True)

TENTHS = replace(BTC_PERP, cash_per_tick_lot=cash("0.1"))
"""Lots of 0.1."""
DEAR = replace(BTC_PERP, tiers=build_tiers([TierRow(0, 5_000, 100)]), default_leverage=50, taker_fee=750, quantity_max=10)
"""A taker pays 0.075 %, and 50 times is usual."""


# -- profit ------------------------------------------------------------------------------------------------------------

WINNING = (
    "carol deposits 1000000; bob deposits 100.000002; mark BTC 100 ETH 100; bob buys 10 BTC at 100; carol sells 10 BTC at 100;"
    "mark BTC 120"
)
"""Bob's wallet of 100.000002 has a profit of 200 beside it; 120 of initial margin are to be held."""


@pytest.mark.rule("MARG-009", "MARG-010")
def test_unrealised_profit_may_back_a_new_order() -> None:
    """100.000002 - 120 by default, 300.000002 - 120 with the profit. 10 lots at 120 take 120 and two units."""
    Table(WINNING).play(
        ("bob", "available -19.999998"),
        ("bob buys 10 BTC at 120", "rejected margin.initial_insufficient required 120.000002 before -19.999998"),
    )
    Table(WINNING, policy=PROFIT).play(
        ("bob", "available 180.000002, withdrawable 0"),
        ("bob buys 10 BTC at 120", "accepted 3 required 120.000002 before 180.000002 after 60, rested 3"),
        ("bob buys 5 BTC at 120", "rejected margin.initial_insufficient required 60.000002 before 60"),
        ("carol sells 10 BTC at 120", "accepted 4, trade 10@120 maker 3 taker 4, filled 3, filled 4"),
        ("bob", "BTC +20 cost 2200, im 240, equity 300.000002, available 60.000002"),
    )


@pytest.mark.rule("MARG-009", "MARG-016", "MARG-021", "MARG-027")
def test_profit_that_backs_orders_neither_leaves_the_pool_nor_goes_into_an_isolated_wallet() -> None:
    Table(WINNING + "; bob sets ETH isolated", policy=PROFIT).play(
        ("bob withdraws 0.000001", "refused margin.withdraw_above_available limit 0"),
        ("bob buys 1 ETH at 100", "rejected margin.initial_insufficient required 10.000002 before -19.999998"),
        ("bob sets BTC isolated", "refused margin.switch_insufficient"),
        ("bob buys 1 BTC at 120", "accepted 3 required 12.000002 before 180.000002, rested 3"),
    )


@pytest.mark.rule("MARG-009")
def test_a_loss_counts_against_orders_whatever_profit_may() -> None:
    stage = "carol deposits 1000000; bob deposits 300; mark BTC 100; bob buys 10 BTC at 100; carol sells 10 BTC at 100"
    for policy in (PLAIN_POLICY, PROFIT):
        Table(stage, policy=policy).play(("mark BTC 90", ""), ("bob", "equity 200, available 110, withdrawable 110"))


@pytest.mark.rule("MARG-009", "MARG-011")
def test_orders_that_profit_backs_are_not_canceled_for_the_want_of_it_when_an_offset_is_lost() -> None:
    """Selling 5 of 10 leaves the ask at 130 with 5 lots that are not free: 65.000002 of the 180 and more that are there."""
    Table(WINNING + "; bob sells 10 BTC at 130", policy=PROFIT).play(
        ("bob", "held 0, available 180.000002"),
        ("carol buys 5 BTC at 120", "accepted 4, rested 4"),
        ("bob sells 5 BTC at 120", "accepted 5, trade 5@120 maker 4 taker 5, filled 4, filled 5"),
        ("bob", "BTC +5, orders 3:10, held 65.000002, available 175"),
    )


@pytest.mark.rule("MARG-009", "MARG-022")
def test_the_leverage_of_a_cross_position_may_be_lowered_on_profit_that_backs_orders() -> None:
    """At leverage 4 the 1200 need 300, all that there is with the profit."""
    Table(WINNING).play(("bob sets BTC leverage 4", "refused margin.leverage_insufficient"))
    Table(WINNING, policy=PROFIT).play(
        ("bob sets BTC leverage 3", "refused margin.leverage_insufficient"),
        ("bob sets BTC leverage 4", "leverage BTC 4"),
        ("bob", "available 0.000002"),
    )


# -- what a position frees ---------------------------------------------------------------------------------------------

LONG_97 = (
    "carol deposits 1000000; bob deposits 2000; mark BTC 101; bob sets BTC leverage 1; bob buys 97 BTC at 101;"
    "carol sells 97 BTC at 101"
)
"""9.7 at 101: an entry notional of 979.7, at leverage 1."""


@pytest.mark.rule("MARG-008", "MARG-010")
def test_a_sell_of_the_whole_position_holds_what_its_notional_exceeds_that_of_entry() -> None:
    """9.7 at 103 are 999.1: 19.4 more than 979.7. By lots all of it is free."""
    Table(LONG_97, instruments=(TENTHS, ETH_PERP)).play(("bob sells 97 BTC at 103", "accepted 3 required 0, rested 3"))
    Table(LONG_97, instruments=(TENTHS, ETH_PERP), policy=OFFSET).play(
        ("bob sells 97 BTC at 103", "accepted 3 required 19.4, rested 3"),
        ("bob", "held 19.4"),
    )


@pytest.mark.rule("MARG-008")
def test_the_notional_of_entry_is_used_up_in_execution_order() -> None:
    """5 at 102 take 510 of 979.7; of 4.7 at 104, which are 488.8, 19.1 stay. The lot beyond is not free: 10.4 and 2 units."""
    Table(LONG_97, instruments=(TENTHS, ETH_PERP), policy=OFFSET).play(
        ("bob sells 47 BTC at 104", "accepted 3 required 0, rested 3"),
        ("bob sells 50 BTC at 102", "accepted 4 required 19.1, rested 4"),
        ("bob sells 1 BTC at 104", "accepted 5 required 10.400002, rested 5"),
        ("bob", "held 29.500002"),
    )


@pytest.mark.rule("MARG-008")
def test_a_larger_sell_is_margined_for_all_of_it_less_the_notional_of_entry() -> None:
    """10.7 at 103 are 1102.1: 122.4 more than 979.7, and 2 units for the tenth lots. By lots 1 at 103 is not free."""
    Table(LONG_97, instruments=(TENTHS, ETH_PERP)).play(
        ("bob sells 107 BTC at 103", "accepted 3 required 103.000002, rested 3")
    )
    Table(LONG_97, instruments=(TENTHS, ETH_PERP), policy=OFFSET).play(
        ("bob sells 107 BTC at 103", "accepted 3 required 122.400002, rested 3"),
        ("bob buys 1 BTC at 101", "accepted 4 required 0, rested 4"),
    )


@pytest.mark.rule("MARG-008", "MARG-010")
def test_a_sell_that_only_reduces_is_never_refused_for_what_it_holds() -> None:
    """Bob has 0.3 left: 19.4 are too much, and the order comes in all the same. A buy of 0.2 holds more than that: 20.2."""
    stage = LONG_97.replace("deposits 2000", "deposits 980")
    Table(stage, instruments=(TENTHS, ETH_PERP), policy=OFFSET).play(
        ("bob", "available 0.3"),
        ("bob sells 97 BTC at 103", "accepted 3 required 19.4 before 0.3 after -19.1, rested 3"),
        ("bob buys 1 BTC at 101", "accepted 4 required 0, rested 4"),
        ("bob buys 1 BTC at 101", "rejected margin.initial_insufficient required 0.800004 before -19.1"),
    )


# -- the fee of a close ------------------------------------------------------------------------------------------------

FUNDED = "carol deposits 1000000; bob deposits 1000; mark BTC 10000"


@pytest.mark.rule("MARG-008")
@pytest.mark.parametrize(
    ("policy", "side", "required"),
    [
        (PLAIN_POLICY, "buys", "207.500002"),
        (CLOSE_FEE, "buys", "214.850003"),
        (PLAIN_POLICY, "sells", "207.500002"),
        (CLOSE_FEE, "sells", "215.150003"),
    ],
)
def test_an_order_may_hold_the_fee_of_closing_where_its_margin_is_spent(policy: RiskPolicy, side: str, required: str) -> None:
    """1 at 10,000 and 50 times: 200, a fee of 7.5, and of closing a long at 9,800 one of 7.35 (a short at 10,200: 7.65)."""
    Table(FUNDED, instruments=(DEAR, ETH_PERP), policy=policy).play(
        (f"bob {side} 1 BTC at 10000", f"accepted 1 required {required}, rested 1"),
        ("bob", f"held {required}"),
    )


@pytest.mark.rule("MARG-008", "MARG-012")
def test_an_isolated_fill_takes_the_fee_of_its_close_along() -> None:
    """200 of margin and 7.35 stay in the position's wallet; the fee of 7.5 for opening it as a taker is paid."""
    stage = FUNDED + "; bob sets BTC isolated; carol sells 1 BTC at 10000"
    Table(stage, instruments=(DEAR, ETH_PERP)).play(
        (
            "bob buys 1 BTC at 10000",
            "accepted 2, trade 1@10000 maker 1 taker 2 taker_in 207.5 taker_fee 7.5, filled 1, filled 2",
        ),
        ("bob", "wallet 792.5, BTC +1 isolated 200"),
    )
    Table(stage, instruments=(DEAR, ETH_PERP), policy=CLOSE_FEE).play(
        (
            "bob buys 1 BTC at 10000",
            "accepted 2, trade 1@10000 maker 1 taker 2 taker_in 214.85 taker_fee 7.5, filled 1, filled 2",
        ),
        ("bob", "wallet 785.15, BTC +1 isolated 207.35"),
    )
