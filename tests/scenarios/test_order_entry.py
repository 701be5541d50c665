"""What an order holds back and whether it may in: order margin, available balance, tiers, lost offsets."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.commands import PlaceOrder
from exchange.domain.enums import Side
from exchange.domain.events import OrderAccepted
from tests.cast import ALICE, BOB, BTC_PERP, BTC_WITH_FEES, DUST_PERP, ETH_PERP
from tests.scenarios.table import Table

STAGE = "alice deposits 1000; bob deposits 100000; mark BTC 100 ETH 100"
LONG_10 = STAGE + "; alice buys 10 BTC at 100; bob sells 10 BTC at 100"
"""Alice is long 10 at 100; order ids 1 and 2 are used."""


@pytest.mark.rule("MARG-008", "MARG-009", "MARG-001")
def test_an_order_holds_its_margin_its_loss_at_the_mark_and_two_units_for_rounding() -> None:
    Table(STAGE).play(
        ("alice buys 10 BTC at 100", "accepted 1 path cross required 100.000002 before 1000 after 899.999998, rested 1"),
        ("alice cancels 1", "canceled 1 order.canceled_by_owner"),
        ("alice buys 10 BTC at 90", "accepted 2 required 90.000002, rested 2"),
        ("alice cancels 2", "canceled 2 order.canceled_by_owner"),
        ("alice buys 10 BTC at 110", "accepted 3 required 210.000002, rested 3"),
        ("alice cancels 3", "canceled 3 order.canceled_by_owner"),
        ("alice sells 10 BTC at 110", "accepted 4 required 110.000002, rested 4"),
        ("alice cancels 4", "canceled 4 order.canceled_by_owner"),
        ("alice sells 10 BTC at 90", "accepted 5 required 200.000002, rested 5"),
        ("alice", "held 200.000002, available 799.999998, wallet 1000, BTC flat held 200.000002"),
    )


@pytest.mark.rule("MARG-008", "MARG-017")
def test_an_order_holds_the_takers_fee_too() -> None:
    Table(STAGE, instruments=(BTC_WITH_FEES, ETH_PERP)).play(
        ("alice buys 10 BTC at 100", "accepted 1 required 110.000002, rested 1"),
        ("alice buys 5 BTC at 90", "accepted 2 required 49.500002, rested 2"),
        ("alice", "held 159.500004"),
    )


@pytest.mark.rule("MARG-008", "MARG-010")
def test_only_the_dearer_side_of_a_symbol_is_held() -> None:
    Table(STAGE).play(
        ("alice buys 10 BTC at 100", "accepted 1 required 100.000002, rested 1"),
        ("alice sells 5 BTC at 110", "accepted 2 required 0, rested 2"),
        ("alice sells 5 BTC at 120", "accepted 3 required 15.000002, rested 3"),
        ("alice", "held 115.000004"),
        ("alice cancels 2", "canceled 2 order.canceled_by_owner"),
        ("alice", "held 100.000002"),
    )


@pytest.mark.rule("MARG-008", "MARG-009")
def test_the_reserves_of_all_symbols_come_from_the_cross_wallet_in_either_mode() -> None:
    Table(STAGE).play(
        ("alice sets ETH isolated", "mode ETH isolated"),
        ("alice buys 10 BTC at 100", "accepted 1 path cross required 100.000002, rested 1"),
        ("alice buys 10 ETH at 100", "accepted 2 path isolated required 100.000002 before 899.999998, rested 2"),
        ("alice", "wallet 1000, available 799.999996, held 200.000004"),
    )


@pytest.mark.rule("MARG-008")
def test_lots_that_only_reduce_are_free_in_execution_order() -> None:
    Table(LONG_10).play(
        ("alice sells 15 BTC at 110", "accepted 3 required 55.000002, rested 3"),
        ("alice sells 4 BTC at 105", "accepted 4 required 44, rested 4"),
        ("alice", "held 99.000002"),
        ("alice buys 1 BTC at 90", "accepted 5 required 0, rested 5"),
        ("bob", "BTC -10"),
        ("bob buys 10 BTC at 90", "accepted 6 required 0, rested 6"),
        ("bob buys 4 BTC at 95", "accepted 7 required 36.000002, rested 7"),
        ("bob buys 1 BTC at 95", "accepted 8 required 9, rested 8"),
    )


@pytest.mark.rule("MARG-008")
def test_at_one_price_the_earlier_order_has_the_free_lots() -> None:
    Table(LONG_10).play(
        ("alice sells 10 BTC at 110", "accepted 3 required 0, rested 3"),
        ("alice sells 10 BTC at 110", "accepted 4 required 110.000002, rested 4"),
        ("alice cancels 3", "canceled 3 order.canceled_by_owner"),
        ("alice", "held 0"),
    )


@pytest.mark.rule("MARG-008")
def test_it_is_recomputed_at_every_mark() -> None:
    Table(STAGE).play(
        ("alice sells 10 BTC at 100", "accepted 1, rested 1"),
        ("mark BTC 110", ""),
        ("alice", "held 210.000002, available 789.999998"),
        ("mark BTC 90", ""),
        ("alice", "held 100.000002"),
    )


@pytest.mark.rule("MARG-008", "MARG-012")
def test_an_order_on_an_isolated_position_under_initial_margin_holds_the_gap_as_well() -> None:
    stage = STAGE + "; alice sets BTC isolated; alice buys 10 BTC at 100; bob sells 10 BTC at 100; mark BTC 98"
    Table(stage).play(
        ("alice", "BTC +10 isolated 100 equity 80 im 98"),
        ("alice buys 1 BTC at 98", "accepted 3 required 27.800002, rested 3"),
        ("alice sells 1 BTC at 120", "accepted 4 required 0, rested 4"),
        ("mark BTC 100", ""),
        ("alice", "held 9.800002"),
        ("mark BTC 98", ""),
        ("alice", "held 27.800002"),
        (
            "bob sells 1 BTC at 98",
            "accepted 5, trade 1@98 maker 3 taker 5 maker_in 27.8, filled 3, filled 5",
        ),
        ("alice", "BTC +11 cost 1098 isolated 127.8 equity 107.8 im 107.8"),
    )


@pytest.mark.rule("MARG-009")
def test_a_loss_lessens_what_is_available_and_a_profit_does_not_raise_it() -> None:
    Table(LONG_10).play(
        ("alice", "wallet 1000, equity 1000, im 100, available 900"),
        ("mark BTC 120", ""),
        ("alice", "equity 1200, im 120, available 880"),
        ("mark BTC 90", ""),
        ("alice", "equity 900, im 90, available 810"),
    )


@pytest.mark.rule("MARG-010")
def test_available_may_be_used_to_the_last_unit_and_one_unit_less_is_too_little() -> None:
    Table("alice deposits 100.000002; bob deposits 100.000001; mark BTC 100").play(
        ("alice buys 10 BTC at 100", "accepted 1 after 0, rested 1"),
        (
            "bob buys 10 BTC at 100",
            "rejected margin.initial_insufficient limit 100000001 actual 100000002 required 100.000002 before 100.000001 "
            "after -0.000001",
        ),
    )


@pytest.mark.rule("MARG-010")
def test_an_order_that_holds_nothing_more_is_accepted_with_nothing_available() -> None:
    Table("alice deposits 100.000002; mark BTC 100").play(
        ("alice buys 10 BTC at 100", "accepted 1, rested 1"),
        ("mark BTC 90", ""),
        ("alice", "available -100"),
        ("alice sells 5 BTC at 101", "accepted 2 required 0 after -100, rested 2"),
        ("alice sells 50 BTC at 101", "rejected margin.initial_insufficient"),
    )


@pytest.mark.rule("MARG-010")
def test_an_order_that_holds_one_unit_more_is_not() -> None:
    Table("alice deposits 0.000012; mark DUST 10", instruments=(DUST_PERP,)).play(
        ("alice buys 10 DUST at 10", "accepted 1 required 0.000012 after 0, rested 1"),
        ("alice sells 10 DUST at 11", "rejected margin.initial_insufficient required 0.000001 after -0.000001"),
        ("alice sells 9 DUST at 11", "accepted 2 required 0, rested 2"),
    )


@pytest.mark.rule("MARG-010")
def test_a_reducing_order_is_never_refused_for_margin() -> None:
    Table("alice deposits 100.000002; bob deposits 1000; mark BTC 100; alice buys 10 BTC at 100; bob sells 10 BTC at 100").play(
        ("mark BTC 95", ""),
        ("alice", "equity 50.000002, im 95, available -44.999998"),
        ("alice buys 1 BTC at 90", "rejected margin.initial_insufficient"),
        ("alice sells 10 BTC at 100", "accepted 3 required 0, rested 3"),
        ("alice sells 10 BTC at 101 reduce-only", "accepted 4 required 0, rested 4"),
        ("alice sells 1 BTC at 101", "rejected margin.initial_insufficient required 10.100002"),
    )


@pytest.mark.rule("MARG-010")
def test_a_flip_is_judged_without_the_money_that_its_close_releases() -> None:
    Table("alice deposits 150; bob deposits 10000; mark BTC 100; alice buys 10 BTC at 100; bob sells 10 BTC at 100").play(
        ("alice", "available 50"),
        ("alice sells 16 BTC at 100", "rejected margin.initial_insufficient required 60.000002 before 50"),
        ("alice sells 14 BTC at 100", "accepted 3 required 40.000002, rested 3"),
        ("bob buys 14 BTC at 100", "accepted 4, trade 10@100 maker 3 taker 4, trade 4@100 maker 3 taker 4, filled 3, filled 4"),
        ("alice", "BTC -4 cost -400, available 110"),
    )


@pytest.mark.rule("MARG-010", "MARG-002")
def test_leverage_above_the_tier_of_the_largest_reachable_notional_is_refused() -> None:
    Table("alice deposits 100000; bob deposits 100000; mark BTC 100").play(
        ("alice buys 100 BTC at 100", "rejected margin.leverage_above_tier limit 5 actual 10"),
        ("alice buys 99 BTC at 100", "accepted 1, rested 1"),
        ("alice buys 1 BTC at 90", "rejected margin.leverage_above_tier"),
        ("alice sells 99 BTC at 110", "accepted 2, rested 2"),
        ("alice sells 1 BTC at 110", "rejected margin.leverage_above_tier"),
        ("bob sets BTC leverage 5", "leverage BTC 5"),
        ("bob sells 499 BTC at 140", "accepted 3, rested 3"),
        ("bob sells 1 BTC at 140", "rejected margin.leverage_above_tier"),
    )


@pytest.mark.rule("MARG-010", "MARG-004")
def test_a_mark_may_carry_a_position_into_a_tier_below_its_leverage_but_it_may_not_grow_there() -> None:
    Table("alice deposits 100000; bob deposits 100000; mark BTC 100; alice buys 90 BTC at 100; bob sells 90 BTC at 100").play(
        ("alice", "im 900"),
        ("mark BTC 120", ""),
        ("alice", "BTC +90 lev 10 im 2160 mm 580"),
        ("alice buys 1 BTC at 120", "rejected margin.leverage_above_tier"),
        ("alice sells 10 BTC at 120", "accepted 3, rested 3"),
        ("alice sells 90 BTC at 120", "accepted 4, rested 4"),
        ("alice sells 90 BTC at 121", "rejected margin.leverage_above_tier"),
        ("alice sells 90 BTC at 121 reduce-only", "accepted 5, rested 5"),
    )


@pytest.mark.rule("MARG-011", "BOOK-013")
def test_a_new_reducing_order_takes_the_offset_from_a_worse_priced_one_which_is_canceled_if_it_cannot_be_paid() -> None:
    Table("alice deposits 150; bob deposits 10000; mark BTC 100; alice buys 10 BTC at 100; bob sells 10 BTC at 100").play(
        ("alice sells 10 BTC at 110", "accepted 3 required 0, rested 3"),
        (
            "alice sells 10 BTC at 105",
            "accepted 4 required 110.000002 before 50 after -60.000002, canceled 3 margin.offset_lost quantity 10, rested 4",
        ),
        ("alice", "held 0, orders 4:10"),
    )


@pytest.mark.rule("MARG-011")
def test_with_enough_available_the_order_that_lost_its_offset_stays() -> None:
    Table("alice deposits 211; bob deposits 10000; mark BTC 100; alice buys 10 BTC at 100; bob sells 10 BTC at 100").play(
        ("alice sells 10 BTC at 110", "accepted 3, rested 3"),
        ("alice sells 10 BTC at 105", "accepted 4 after 0.999998, rested 4"),
        ("alice", "held 110.000002, orders 3:10+4:10"),
    )


@pytest.mark.rule("MARG-011")
def test_a_reducing_fill_costs_resting_orders_their_offset_largest_first() -> None:
    Table(
        "alice deposits 101; bob deposits 10000; mark BTC 100; alice buys 10 BTC at 100; bob sells 10 BTC at 100;"
        "bob buys 10 BTC at 100"
    ).play(
        ("alice sells 4 BTC at 112", "accepted 4 required 0, rested 4"),
        ("alice sells 6 BTC at 110", "accepted 5 required 0, rested 5"),
        (
            "alice sells 10 BTC at 100 reduce-only",
            "accepted 6 required 0, trade 10@100 maker 3 taker 6, filled 3, canceled 5 margin.offset_lost, filled 6",
        ),
        ("alice", "held 44.800002, orders 4:4, available 56.199998"),
    )


@pytest.mark.rule("MARG-011")
def test_a_resting_order_that_reduces_as_maker_does_the_same_and_stays_itself() -> None:
    Table("alice deposits 101; bob deposits 10000; mark BTC 100; alice buys 10 BTC at 100; bob sells 10 BTC at 100").play(
        ("alice sells 10 BTC at 104 reduce-only", "accepted 3, rested 3"),
        ("alice sells 10 BTC at 105", "accepted 4 required 0, rested 4"),
        ("bob buys 2 BTC at 104", "accepted 5, trade 2@104 maker 3 taker 5, filled 5"),
        ("alice", "BTC +8, held 21.000002, orders 3:8+4:10"),
        (
            "bob buys 6 BTC at 104",
            "accepted 6, trade 6@104 maker 3 taker 6, filled 6",
        ),
        ("alice", "BTC +2, wallet 133, im 20, held 84.000002, orders 3:2+4:10"),
        ("mark BTC 105", ""),
        ("alice", "available 27.999998"),
        ("bob buys 2 BTC at 104", "accepted 7, trade 2@104 maker 3 taker 7, filled 3, filled 7"),
        ("alice", "wallet 141, held 105.000002, available 35.999998"),
    )


@pytest.mark.rule("MARG-011")
def test_equal_contributors_go_by_lower_order_id_and_only_until_the_rest_fits() -> None:
    Table(
        "alice deposits 101; bob deposits 10000; mark BTC 100; alice buys 10 BTC at 100; bob sells 10 BTC at 100;"
        "bob buys 10 BTC at 100; alice sells 5 BTC at 110; alice sells 5 BTC at 110"
    ).play(
        (
            "alice sells 10 BTC at 100 reduce-only",
            "accepted 6, trade 10@100 maker 3 taker 6, filled 3, canceled 4 margin.offset_lost, filled 6",
        ),
        ("alice", "orders 5:5"),
    )


@pytest.mark.rule("MARG-011")
def test_orders_of_other_symbols_go_too_but_only_on_the_side_that_decides() -> None:
    """The largest holder is on another symbol; alice's small ETH bid lies on the side that holds nothing and stays."""
    Table(
        "alice deposits 301; bob deposits 10000; mark BTC 100 ETH 100; alice buys 10 BTC at 100; bob sells 10 BTC at 100;"
        "bob buys 10 BTC at 100; alice sells 12 ETH at 150; alice buys 1 ETH at 60; alice sells 10 BTC at 130"
    ).play(
        ("alice", "held 180.000002, available 20.999998"),
        (
            "alice sells 10 BTC at 100 reduce-only",
            "accepted 7, trade 10@100 maker 3 taker 7, filled 3, canceled 4 margin.offset_lost, filled 7",
        ),
        ("alice", "orders 5:1+6:10, held 136.000004"),
    )


@pytest.mark.rule("MARG-011")
def test_when_no_order_is_left_to_cancel_available_may_stay_negative() -> None:
    Table(
        "alice deposits 150; bob deposits 10000; mark BTC 100 ETH 100; alice buys 10 BTC at 100; bob sells 10 BTC at 100;"
        "alice sells 10 BTC at 110; mark BTC 91"
    ).play(
        ("alice", "equity 60, im 91, available -31"),
        (
            "alice sells 10 BTC at 105",
            "accepted 4 required 110.000002, canceled 3 margin.offset_lost, rested 4",
        ),
        ("alice", "available -31, orders 4:10"),
    )


@pytest.mark.rule("MARG-009", "MARG-006")
def test_the_decision_shows_the_liquidation_price_that_a_whole_fill_would_have() -> None:
    Table(STAGE, instruments=(replace(BTC_PERP, default_leverage=5), ETH_PERP)).play(
        ("alice sets BTC isolated", "mode BTC isolated"),
        ("alice buys 10 BTC at 100", "accepted 1 liq 85, rested 1"),
        ("bob sells 10 BTC at 100", "accepted 2, trade 10@100 maker 1 taker 2, filled 1, filled 2"),
        ("alice", "BTC +10 liq 85"),
        ("alice sells 10 BTC at 100 reduce-only", "accepted 3 liq none, rested 3"),
        ("alice sells 20 BTC at 100", "accepted 4 liq 114, rested 4"),
        ("alice sells 5 BTC at 100 ioc reduce-only", "accepted 5 liq 85, canceled 5 order.ioc_remainder"),
    )


@pytest.mark.rule("MARG-009")
def test_an_order_refused_for_other_reasons_shows_what_is_available_and_that_it_required_nothing() -> None:
    Table(LONG_10).play(
        ("alice buys 0 BTC at 100", "rejected order.lot_size path cross required 0 before 900 after 900 liq none"),
        ("bob buys 5000 BTC at 100", "rejected order.quantity_above_maximum required 0 before 99900 after 99900"),
        ("bob sets ETH isolated", "mode ETH isolated"),
        ("bob buys 1 ETH at 0", "rejected order.price_limit path isolated required 0 liq none"),
        ("mark BTC 200", ""),
        ("bob buys 0 BTC at 200", "rejected order.lot_size before 98800 liq 8875"),
        ("alice buys 1 BTC at 100 as:a", "accepted 3, rested 3"),
        ("alice buys 2 BTC at 100 as:a", "rejected order.client_order_id_reused required 0 before 789.999998 after 789.999998"),
        ("nobody buys 1 BTC at 100", "rejected account.unknown"),
    )


@pytest.mark.rule("MARG-006", "MARG-009")
@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_the_estimate_of_a_taker_that_fills_whole_is_the_price_its_position_then_has(mode: str) -> None:
    """Opened, added to, partly closed, flipped and closed, with a fee of 5 % that moves the price by several ticks."""
    greedy = replace(BTC_PERP, taker_fee=50_000)
    venue = Table(f"alice deposits 100000; bob deposits 600; mark BTC 100; bob sets BTC {mode}", instruments=(greedy,)).venue
    for signed, price in ((10, 100), (5, 101), (-6, 98), (-19, 99), (-2, 103), (12, 100)):
        for account, lots in ((ALICE, -signed), (BOB, signed)):
            side = Side.BUY if lots > 0 else Side.SELL
            order = PlaceOrder(account=account, symbol="BTC-PERP", side=side, quantity=abs(lots), limit_price=price)
            accepted = venue.apply(order, now_ns=venue.now_ns)[0]
        assert isinstance(accepted, OrderAccepted)
        assert accepted.decision is not None
        assert accepted.decision.liquidation_price == venue.position(BOB, "BTC-PERP").liquidation_price
    assert venue.position(BOB, "BTC-PERP").quantity == 0
