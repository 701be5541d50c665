"""The check of both sides just before each trade."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.venue.state import VenueLimits
from tests.cast import BTC_PERP, BTC_WITH_FEES, ETH_PERP
from tests.scenarios.table import Table

RICH = "alice deposits 10000; carol deposits 10000; dave deposits 10000; mark BTC 100 ETH 100"


@pytest.mark.rule("MARG-012", "MARG-013")
def test_a_maker_that_can_no_longer_afford_its_fill_is_removed_and_the_next_one_trades() -> None:
    Table(RICH + "; bob deposits 101; bob sells 10 BTC at 100; carol sells 10 BTC at 100; mark BTC 120").play(
        (
            "alice buys 10 BTC at 100",
            "accepted 3, canceled 1 margin.maker_fill_check_failed quantity 10, trade 10@100 maker 2 taker 3, "
            "filled 2, filled 3",
        ),
        ("bob", "BTC flat, wallet 101, orders none"),
    )


@pytest.mark.rule("MARG-012")
@pytest.mark.parametrize(
    ("deposit", "outcome"),
    [
        ("210", "trade 10@100 maker 1 taker 2, filled 1, filled 2"),
        ("209.999999", "canceled 1 margin.maker_fill_check_failed, rested 2"),
    ],
)
@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_equity_of_exactly_initial_margin_after_the_fill_passes_and_a_unit_less_fails(
    mode: str, deposit: str, outcome: str
) -> None:
    """Sold at 100 with the mark at 110: a loss of 100 and an initial margin of 110."""
    Table(RICH + f"; bob deposits {deposit}; bob sets BTC {mode}; bob sells 10 BTC at 100; mark BTC 110").play(
        ("alice buys 10 BTC at 100", f"accepted 2, {outcome}"),
    )


@pytest.mark.rule("MARG-012")
def test_what_other_orders_hold_does_not_count_against_a_cross_fill() -> None:
    Table(RICH + "; bob deposits 210; bob sells 10 BTC at 100; bob buys 10 ETH at 100; mark BTC 110").play(
        ("bob", "available -100.000004"),
        ("alice buys 10 BTC at 100", "accepted 3, trade 10@100 maker 1 taker 3, filled 1, filled 3"),
    )


@pytest.mark.rule("MARG-012")
def test_it_does_count_against_an_isolated_fill_and_only_the_own_reservation_is_free() -> None:
    stage = RICH + "; bob deposits 210; bob sets BTC isolated; bob sells 10 BTC at 100; bob buys 10 ETH at 100; mark BTC 110"
    Table(stage).play(
        ("alice buys 10 BTC at 100", "accepted 3, canceled 1 margin.maker_fill_check_failed, rested 3"),
        ("bob", "orders 2:10"),
    )


@pytest.mark.rule("MARG-012")
def test_an_isolated_fill_moves_margin_open_loss_and_fee_into_the_position() -> None:
    Table("alice deposits 1000; carol deposits 1000; mark BTC 100", instruments=(BTC_WITH_FEES,)).play(
        ("alice sets BTC isolated", "mode BTC isolated"),
        ("carol sets BTC isolated", "mode BTC isolated"),
        ("carol sells 10 BTC at 104", "accepted 1, rested 1"),
        (
            "alice buys 10 BTC at 104",
            "accepted 2, trade 10@104 maker 1 taker 2 taker_in 154.4 taker_fee 10.4 maker_in 105.04 maker_fee 1.04, "
            "filled 1, filled 2",
        ),
        ("alice", "wallet 845.6, BTC +10 cost 1040 isolated 144 equity 104 im 100"),
        ("carol", "wallet 894.96, BTC -10 cost -1040 isolated 104 equity 144 im 100"),
        ("fund", "fees 11.44"),
    )


@pytest.mark.rule("MARG-012")
def test_a_sell_below_the_mark_is_margined_at_the_mark() -> None:
    Table(RICH + "; bob deposits 1000; bob sets BTC isolated; alice buys 10 BTC at 95").play(
        ("bob sells 10 BTC at 95", "accepted 2, trade 10@95 maker 1 taker 2 taker_in 150, filled 1, filled 2"),
        ("bob", "BTC -10 isolated 150 equity 100 im 100"),
    )


@pytest.mark.rule("MARG-012")
def test_an_under_water_isolated_position_is_brought_up_to_initial_margin_by_the_fill() -> None:
    stage = RICH + "; bob deposits 1000; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100; mark BTC 96"
    Table(stage).play(
        ("bob", "BTC +10 isolated 100 equity 60 im 96"),
        ("alice sells 1 BTC at 96", "accepted 3, rested 3"),
        ("bob buys 1 BTC at 96", "accepted 4 required 45.600002, trade 1@96 maker 3 taker 4 taker_in 45.6, filled 3, filled 4"),
        ("bob", "BTC +11 isolated 145.6 equity 105.6 im 105.6"),
    )


@pytest.mark.rule("MARG-012")
@pytest.mark.parametrize(
    ("limit", "eth_mark", "outcome"),
    [
        (110, 78, "trade 10@110 maker 1 taker 4 maker_in 110, filled 1, filled 4"),
        (110, 77, "trade 10@110 maker 1 taker 4 maker_in 0, filled 1, filled 4"),
        (105, 78, "trade 10@105 maker 1 taker 4 maker_in 105, filled 1, filled 4"),
        (105, 72, "trade 10@105 maker 1 taker 4 maker_in 50, filled 1, filled 4"),
        (105, 71, "canceled 1 margin.maker_fill_check_failed, rested 4"),
    ],
)
def test_an_isolated_fill_above_its_need_goes_down_to_the_need_when_less_is_available(
    limit: int, eth_mark: int, outcome: str
) -> None:
    """A sale above the mark earns its margin: 10 at 110 need nothing, at 105 they need 50.

    A loss on ETH leaves bob 112, 103, 58 or 49 for it, which is less than the usual 110 or 105 from the second on.
    """
    stage = f"carol deposits 10000; bob deposits 410; mark BTC 100 ETH 100; bob sets BTC isolated; bob sells 10 BTC at {limit};"
    Table(stage + f"bob buys 10 ETH at 100; carol sells 10 ETH at 100; mark ETH {eth_mark}").play(
        (f"carol buys 10 BTC at {limit}", f"accepted 4, {outcome}"),
    )


@pytest.mark.rule("MARG-012", "MARG-002")
@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_a_maker_whose_new_notional_lies_in_a_tier_below_its_leverage_is_removed(mode: str) -> None:
    stage = "alice deposits 100000; bob deposits 100000; carol deposits 100; mark BTC 100"
    Table(stage + f"; bob sets BTC {mode}; bob buys 99 BTC at 100; mark BTC 102").play(
        ("alice sells 98 BTC at 100", "accepted 2, trade 98@100 maker 1 taker 2, filled 2"),
        ("carol sells 1 BTC at 100", "accepted 3, canceled 1 margin.maker_fill_check_failed, rested 3"),
    )


@pytest.mark.rule("MARG-013", "CONS-003")
def test_a_taker_that_fails_loses_its_rest_and_the_maker_stays() -> None:
    """Bob's ETH loss leaves him 50; his BTC sell holds nothing more than his resting bid does, so it is accepted."""
    stage = RICH + "; bob deposits 600; bob buys 50 BTC at 90; bob buys 10 ETH at 100; carol sells 10 ETH at 100; mark ETH 50"
    Table(stage + "; carol buys 20 BTC at 100").play(
        ("bob", "equity 100, im 50, BTC flat held 450.000002"),
        (
            "bob sells 10 BTC at 100",
            "accepted 5 required 0, canceled 5 margin.fill_check_failed quantity 10",
        ),
        ("carol", "orders 4:20"),
        ("bob sells 5 BTC at 100", "accepted 6 required 0, trade 5@100 maker 4 taker 6, filled 6"),
    )


@pytest.mark.rule("MARG-013")
def test_when_both_fail_the_takers_failure_counts_and_the_maker_stays() -> None:
    """Bob and erin lost 500 each on ETH: neither can carry 10 BTC, at whatever price."""
    stage = RICH + "; bob deposits 600; bob buys 50 BTC at 90; bob buys 10 ETH at 100; carol sells 10 ETH at 100;"
    stage += "erin deposits 600; erin buys 10 ETH at 100; carol sells 10 ETH at 100; erin buys 10 BTC at 100; mark ETH 50"
    Table(stage).play(
        ("bob sells 10 BTC at 100", "accepted 7 required 0, canceled 7 margin.fill_check_failed"),
        ("erin", "orders 6:10"),
        ("alice sells 10 BTC at 100", "accepted 8, canceled 6 margin.maker_fill_check_failed, rested 8"),
    )


@pytest.mark.rule("MARG-013")
@pytest.mark.parametrize(
    ("price", "outcome"),
    [
        (90, "trade 10@90 maker 3 taker 4, filled 3, filled 4"),
        (89, "canceled 4 margin.reduce_below_maintenance"),
    ],
)
@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_a_whole_close_may_spend_the_last_unit_of_equity_and_no_more(mode: str, price: int, outcome: str) -> None:
    stage = RICH + f"; bob deposits 100.000002; bob sets BTC {mode}; bob buys 10 BTC at 100; alice sells 10 BTC at 100"
    equity = "0.000002" if price == 90 else "100.000002"
    Table(stage + f"; alice buys 10 BTC at {price}").play(
        (f"bob sells 10 BTC at {price}", f"accepted 4, {outcome}"),
        ("bob", f"total {equity}"),
    )


@pytest.mark.rule("MARG-013")
@pytest.mark.parametrize(
    ("price", "outcome"),
    [
        (90, "trade 5@90 maker 3 taker 4, filled 3, filled 4"),
        (89, "canceled 4 margin.reduce_below_maintenance"),
    ],
)
@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_a_partial_close_may_not_leave_the_scope_below_maintenance(mode: str, price: int, outcome: str) -> None:
    """At 95 equity is 50 over a maintenance of 47.5; half closed at 90 leaves 25 over 23.75, at 89 it would leave 20."""
    stage = RICH + f"; bob deposits 100.000002; bob sets BTC {mode}; bob buys 10 BTC at 100; alice sells 10 BTC at 100"
    Table(stage + f"; mark BTC 95; alice buys 5 BTC at {price}").play(
        (f"bob sells 5 BTC at {price}", f"accepted 4, {outcome}"),
    )


@pytest.mark.rule("MARG-013")
def test_below_maintenance_an_owner_may_still_reduce_if_the_ratio_does_not_get_worse() -> None:
    """With no liquidation step allowed the flag stays, so that the owner can act: equity 40 under a maintenance of 47."""
    stage = RICH + "; bob deposits 100.000002; bob buys 10 BTC at 100; alice sells 10 BTC at 100; alice buys 5 BTC at 93"
    Table(stage + "; alice buys 9 BTC at 92", limits=VenueLimits(liquidation_steps_max=0)).play(
        ("mark BTC 94", "liquidation 1 of bob cross equity 40.000002 mm 47, deferred 1"),
        (
            "bob sells 5 BTC at 92",
            "accepted 5, trade 5@93 maker 3 taker 5, filled 3, filled 5, deferred 1",
        ),
        ("bob", "equity 35.000002, mm 23.5"),
        ("bob sells 5 BTC at 92", "accepted 6, trade 5@92 maker 4 taker 6, filled 6, deferred 1"),
    )


@pytest.mark.rule("MARG-013")
def test_below_maintenance_a_reduction_that_worsens_the_ratio_is_refused() -> None:
    stage = RICH + "; bob deposits 100.000002; bob buys 10 BTC at 100; alice sells 10 BTC at 100; alice buys 10 BTC at 89"
    Table(stage, limits=VenueLimits(liquidation_steps_max=0)).play(
        ("mark BTC 94", "liquidation 1 of bob cross, deferred 1"),
        ("bob sells 1 BTC at 89", "accepted 4, canceled 4 margin.reduce_below_maintenance, deferred 1"),
        ("bob sells 10 BTC at 89", "accepted 5, canceled 5 margin.reduce_below_maintenance, deferred 1"),
    )


@pytest.mark.rule("MARG-013", "MARG-017")
def test_the_fee_is_part_of_the_check() -> None:
    """Closing 10 at 91 leaves 10 before the fee of 9.1; at 90 nothing before a fee of 9."""
    stage = "alice deposits 10000; bob deposits 110.000002; mark BTC 100; bob buys 10 BTC at 100; alice sells 10 BTC at 100"
    instruments = (replace(BTC_WITH_FEES, maker_fee=0), ETH_PERP)
    Table(stage, instruments=instruments).play(
        ("bob", "wallet 110.000002"),
        ("alice buys 10 BTC at 89", "accepted 3, rested 3"),
        ("bob sells 10 BTC at 89", "accepted 4, canceled 4 margin.reduce_below_maintenance"),
        ("alice buys 10 BTC at 90", "accepted 5, rested 5"),
        (
            "bob sells 10 BTC at 90",
            "accepted 6, trade 10@90 maker 5 taker 6 taker_fee 9 taker_pnl -100, filled 5, filled 6",
        ),
        ("bob", "wallet 1.000002"),
    )


@pytest.mark.rule("MARG-013", "MARG-014", "MARG-012")
@pytest.mark.parametrize("mode", ["cross", "isolated"])
def test_a_flip_closes_at_a_loss_larger_than_the_released_margin_and_then_fails_to_open(mode: str) -> None:
    """Closing at 88 loses 120 of bob's 150; in isolated the wallet of 100 does not cover that, and nothing trades."""
    stage = RICH + f"; bob deposits 150; bob sets BTC {mode}; bob buys 10 BTC at 100; alice sells 10 BTC at 100"
    table = Table(stage + "; alice buys 14 BTC at 88")
    if mode == "isolated":
        table.play(
            ("bob sells 11 BTC at 99", "accepted 4, rested 4"),
            ("bob cancels 4", "canceled 4 order.canceled_by_owner"),
            ("bob sells 11 BTC at 88", "accepted 5, canceled 5 margin.reduce_below_maintenance quantity 11"),
            ("bob", "BTC +10 isolated 100, wallet 50"),
        )
    else:
        table.play(
            (
                "bob sells 12 BTC at 88",
                "accepted 4 required 44.000002 before 50, trade 10@88 maker 3 taker 4 taker_pnl -120, "
                "canceled 4 margin.fill_check_failed quantity 2",
            ),
            ("bob", "BTC flat, wallet 30"),
        )


@pytest.mark.rule("MARG-012", "MARG-014")
def test_an_isolated_flip_is_a_whole_close_and_then_an_opening_from_the_cross_wallet() -> None:
    stage = RICH + "; bob deposits 200; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100"
    Table(stage + "; alice buys 14 BTC at 95").play(
        (
            "bob sells 14 BTC at 95",
            "accepted 4, trade 10@95 maker 3 taker 4 taker_pnl -50 taker_out 50, "
            "trade 4@95 maker 3 taker 4 taker_pnl 0 taker_in 60, filled 3, filled 4",
        ),
        ("bob", "wallet 90, BTC -4 cost -380 isolated 60 equity 40 im 40"),
    )


@pytest.mark.rule("MARG-012", "MARG-014")
def test_a_cross_flip_realises_the_close_and_opens_the_rest() -> None:
    stage = RICH + "; bob deposits 200; bob buys 10 BTC at 100; alice sells 10 BTC at 100; alice buys 14 BTC at 95"
    Table(stage).play(
        (
            "bob sells 14 BTC at 95",
            "accepted 4, trade 10@95 maker 3 taker 4 taker_pnl -50, trade 4@95 maker 3 taker 4 taker_pnl 0, filled 3, filled 4",
        ),
        ("bob", "wallet 150, equity 130, BTC -4 cost -380"),
    )


@pytest.mark.rule("MARG-012")
def test_an_opening_fee_that_would_eat_into_initial_margin_is_paid_on_top_of_it() -> None:
    """A fee of 20 % of the notional is more than the margin of 10 %: the position still opens with its initial margin."""
    greedy = replace(BTC_PERP, taker_fee=200_000, maker_fee=200_000)
    Table("alice deposits 1000; bob deposits 1000; mark BTC 100; bob sets BTC isolated", instruments=(greedy,)).play(
        ("alice buys 1 BTC at 100", "accepted 1 required 30.000002, rested 1"),
        ("bob sells 1 BTC at 100", "accepted 2, trade 1@100 maker 1 taker 2 taker_fee 20 taker_in 30, filled 1, filled 2"),
        ("bob", "BTC -1 isolated 10 equity 10 im 10 mm 5"),
        ("alice", "wallet 980, BTC +1 equity 980 im 10"),
    )


@pytest.mark.rule("MARG-012")
def test_a_cross_taker_without_money_for_the_fee_is_refused_at_entry() -> None:
    Table("alice deposits 1000; bob deposits 100.000002; mark BTC 100", instruments=(BTC_WITH_FEES,)).play(
        ("alice sells 10 BTC at 100", "accepted 1, rested 1"),
        ("bob buys 10 BTC at 100", "rejected margin.initial_insufficient required 110.000002"),
        ("bob buys 9 BTC at 100", "accepted 2, trade 9@100 maker 1 taker 2 taker_fee 9, filled 2"),
        ("bob", "wallet 91.000002, im 90"),
    )
