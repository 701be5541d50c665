"""The same trades cross and isolated, side by side; and several scopes that one mark update breaches."""

from __future__ import annotations

import pytest

from tests.scenarios.table import Table

RICH = "carol deposits 100000; dave deposits 100000; mark BTC 100 ETH 100"


@pytest.mark.rule("CONS-004", "MARG-005", "LIQ-004")
def test_a_hedged_pair_lives_in_cross_while_its_isolated_twin_loses_a_leg_and_then_the_other() -> None:
    """Alice is cross, bob isolated; both are long 10 BTC and short 10 ETH at 100 with 300 each."""
    stage = RICH + "; alice deposits 300; bob deposits 300; bob sets BTC isolated; bob sets ETH isolated;"
    stage += "carol sells 20 BTC at 100; alice buys 10 BTC at 100; bob buys 10 BTC at 100;"
    stage += "carol buys 20 ETH at 100; alice sells 10 ETH at 100; bob sells 10 ETH at 100; carol buys 10 BTC at 91"
    Table(stage).play(
        (
            "mark BTC 93 ETH 93",
            "liquidation 1 of bob/BTC isolated equity 30 mm 46.5, cleared 0, accepted 8 limit 90, trade 10@91 maker 7 taker 8, "
            "filled 7, filled 8, settled 10/10 BTC sell at 90, finished 1 returned 10",
        ),
        ("alice", "wallet 300, equity 300, BTC +10, ETH -10"),
        ("bob", "wallet 110, BTC flat, ETH -10 isolated 100 equity 170"),
        ("carol sells 10 ETH at 109", "accepted 9, rested 9"),
        (
            "mark ETH 108",
            "liquidation 2 of bob/ETH isolated equity 20 mm 54, cleared 0, accepted 10 limit 110, "
            "trade 10@109 maker 9 taker 10, "
            "filled 9, filled 10, settled 10/10 ETH buy at 110, finished 2 returned 10",
        ),
        ("bob", "wallet 120, total 120, BTC flat, ETH flat"),
        ("alice", "equity 150, mm 100.5, BTC +10, ETH -10"),
        ("carol sells 10 ETH at 113", "accepted 11, rested 11"),
        ("dave buys 10 BTC at 85", "accepted 12, rested 12"),
        (
            "mark BTC 86 ETH 112",
            "liquidation 3 of alice cross equity 40 mm 99, cleared 0, accepted 13, trade 10@113 maker 11 taker 13, "
            "filled 11, filled 13, "
            "settled 10/10 ETH buy at 114, accepted 14, trade 10@85 maker 12 taker 14, filled 12, filled 14, "
            "settled 10/10 BTC sell at 83, finished 3",
        ),
        ("alice", "wallet 20, total 20, BTC flat, ETH flat"),
    )


@pytest.mark.rule("CONS-004", "LIQ-007")
def test_one_leveraged_leg_dies_alone_in_isolated_and_takes_the_whole_wallet_in_cross() -> None:
    """300 each, long 10 BTC. Isolated is gone at 85 and keeps 200; cross still stands there and loses all by 60."""
    stage = RICH + "; fund deposits 1000; alice deposits 300; bob deposits 300; bob sets BTC isolated;"
    stage += "carol sells 20 BTC at 100; alice buys 10 BTC at 100; bob buys 10 BTC at 100"
    Table(stage).play(
        (
            "mark BTC 85",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 4, canceled 4 order.ioc_remainder, "
            "settled 0/10 BTC sell at 90, "
            "takeover 10 to fund value 900, finished 1",
        ),
        ("bob", "total 200"),
        ("alice", "total 150, BTC +10 equity 150 mm 42.5"),
        (
            "mark BTC 60",
            "liquidation 2 of alice cross equity -100 mm 30, cleared 0, accepted 5, canceled 5 order.ioc_remainder, "
            "settled 0/10 BTC sell at 70, takeover 10 to fund value 700 pnl -300, finished 2",
        ),
        ("alice", "total 0"),
        ("bob", "total 200"),
    )


@pytest.mark.rule("LIQ-011", "LIQ-001")
def test_two_isolated_positions_breached_by_one_update_are_both_flagged_and_the_worse_goes_first() -> None:
    """At 94 and 93 BTC stands at 40 over 47 and ETH at 30 over 46.5."""
    stage = (
        RICH
        + "; bob deposits 1000; bob sets BTC isolated; bob sets ETH isolated; bob buys 10 BTC at 100; bob buys 10 ETH at 100;"
    )
    Table(stage + "carol sells 10 BTC at 100; carol sells 10 ETH at 100; dave buys 10 BTC at 94; dave buys 10 ETH at 93").play(
        (
            "mark BTC 94 ETH 93",
            "liquidation 1 of bob/ETH isolated equity 30, liquidation 2 of bob/BTC isolated equity 40, "
            "cleared 0, accepted 7, trade 10@93 maker 6 taker 7, filled 6, filled 7, settled 10/10 ETH sell at 90, finished 1, "
            "cleared 0, accepted 8, trade 10@94 maker 5 taker 8, filled 5, filled 8, settled 10/10 BTC sell at 90, finished 2",
        ),
        ("bob", "wallet 870, total 870"),
    )


@pytest.mark.rule("LIQ-011")
def test_the_cross_scope_goes_before_an_isolated_one_that_is_as_badly_off() -> None:
    stage = RICH + "; bob deposits 200.000002; bob sets BTC isolated; bob buys 10 BTC at 100; carol sells 10 BTC at 100;"
    stage += "bob buys 10 ETH at 100; carol sells 10 ETH at 100; bob adds 0.000001 to BTC;"
    Table(stage + "dave buys 10 BTC at 94; dave buys 10 ETH at 94").play(
        (
            "mark BTC 94 ETH 94",
            "liquidation 1 of bob cross equity 40.000001 mm 47, liquidation 2 of bob/BTC isolated equity 40.000001 mm 47, "
            "cleared 0, accepted 7, trade 10@94 maker 6 taker 7, filled 6, filled 7, settled 10/10 ETH sell at 90, finished 1, "
            "cleared 0, accepted 8, trade 10@94 maker 5 taker 8, filled 5, filled 8, settled 10/10 BTC sell at 90, finished 2",
        ),
    )


@pytest.mark.rule("LIQ-011")
def test_equally_bad_scopes_go_by_account_name() -> None:
    stage = RICH + "; bob deposits 100.000002; alice deposits 100.000002; bob buys 10 BTC at 100; alice buys 10 BTC at 100;"
    Table(stage + "carol sells 20 BTC at 100; dave buys 20 BTC at 94").play(
        (
            "mark BTC 94",
            "liquidation 1 of alice cross, liquidation 2 of bob cross, "
            "cleared 0, accepted 5, trade 10@94 maker 4 taker 5, filled 5, settled 10/10 BTC sell at 90, finished 1, "
            "cleared 0, accepted 6, trade 10@94 maker 4 taker 6, filled 4, filled 6, settled 10/10 BTC sell at 90, finished 2",
        ),
    )


@pytest.mark.rule("LIQ-003", "LIQ-002")
def test_a_flagged_scope_that_anothers_liquidation_cures_keeps_its_position() -> None:
    """Alice is worse off and goes first; she sells into bob's reduce-only bid.

    That costs him 90 of his 180, and leaves him 59 to maintain instead of 197. Alice is cured by it as well.
    """
    stage = RICH + "; alice deposits 1000; bob deposits 600; alice sets BTC isolated; bob sells 40 BTC at 100;"
    stage += "alice buys 40 BTC at 100; bob buys 10 ETH at 100; carol sells 10 ETH at 100;"
    stage += "bob buys 30 BTC at 95 reduce-only; bob sells 10 ETH at 140"
    Table(stage).play(
        (
            "mark BTC 92 ETH 26",
            "liquidation 1 of alice/BTC isolated equity 80 mm 184, liquidation 2 of bob cross equity 180 mm 197, "
            "cleared 0, accepted 7 limit 90, trade 30@95 maker 5 taker 7, filled 5, canceled 7 order.ioc_remainder, "
            "settled 30/40 BTC sell at 90 equity 170 mm 46, finished 1, "
            "canceled 6 liquidation.orders_canceled, cleared 1, finished 2 book none equity 90 mm 59",
        ),
        ("bob", "BTC -10 flagged no, ETH +10"),
        ("alice", "BTC +10 isolated 250 equity 170 flagged no"),
    )


@pytest.mark.rule("LIQ-003", "LIQ-010", "LIQ-011")
def test_what_an_isolated_position_leaves_can_cure_the_flagged_pool_of_its_account() -> None:
    stage = RICH + "; bob deposits 200.000002; bob sets BTC isolated; bob buys 10 BTC at 100; carol sells 10 BTC at 100;"
    stage += "bob buys 10 ETH at 100; carol sells 10 ETH at 100; dave buys 10 BTC at 94"
    Table(stage).play(
        (
            "mark BTC 93 ETH 94",
            "liquidation 1 of bob/BTC isolated equity 30 mm 46.5, liquidation 2 of bob cross equity 40.000002 mm 47, "
            "cleared 0, accepted 6, trade 10@94 maker 5 taker 6, filled 5, filled 6, settled 10/10 BTC sell at 90, "
            "finished 1 returned 40, cleared 0, finished 2 equity 80.000002 book none",
        ),
        ("bob", "ETH +10 flagged no, BTC flat"),
    )
