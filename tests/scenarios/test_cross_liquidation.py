"""A cross pool stands or falls as a whole; what is isolated beside it does not."""

from __future__ import annotations

import pytest

from tests.scenarios.table import Table

RICH = "alice deposits 100000; carol deposits 100000; mark BTC 100 ETH 100"


@pytest.mark.rule("MARG-005", "CONS-004")
def test_a_cross_winner_keeps_a_cross_loser_alive() -> None:
    stage = RICH + "; bob deposits 200.000004; bob buys 10 BTC at 100; alice sells 10 BTC at 100; bob sells 10 ETH at 100;"
    Table(stage + "alice buys 10 ETH at 100").play(
        ("mark BTC 70 ETH 70", ""),
        ("bob", "equity 200.000004, mm 70, BTC +10 u -300, ETH -10 u 300"),
        ("mark BTC 30 ETH 30", ""),
        ("bob", "equity 200.000004, ratio 150000"),
    )


@pytest.mark.rule("LIQ-002", "LIQ-010", "CONS-004")
def test_its_fall_leaves_isolated_positions_their_money_and_their_orders_untouched() -> None:
    stage = RICH + "; bob deposits 210; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
    stage += "bob buys 10 ETH at 100; alice sells 10 ETH at 100; bob sells 10 BTC at 120; bob sells 5 ETH at 120;"
    Table(stage + "carol buys 10 ETH at 92").play(
        ("bob", "wallet 110, BTC +10 isolated 100, orders 5:10+6:5"),
        (
            "mark ETH 93",
            "liquidation 1 of bob cross equity 40 mm 46.5, canceled 6 liquidation.orders_canceled, cleared 1, "
            "accepted 8 limit 89, "
            "trade 10@92 maker 7 taker 8, filled 7, filled 8, settled 10/10 ETH sell at 89, finished 1 returned 0",
        ),
        ("bob", "wallet 30, total 130, BTC +10 cost 1000 isolated 100 flagged no, ETH flat, orders 5:10"),
    )


@pytest.mark.rule("LIQ-004", "LIQ-005", "LIQ-003")
def test_the_position_with_the_largest_maintenance_goes_first_and_the_rest_lives_if_that_was_enough() -> None:
    """Equity 60 under 100. ETH carries 33.6 of it: limit (1120 + 33.6) / 10, down to 115. Bought at 113, 50 stay over 44."""
    stage = RICH + "; bob deposits 300; bob buys 10 BTC at 100; alice sells 10 BTC at 100; bob sells 10 ETH at 100;"
    Table(stage + "alice buys 10 ETH at 100; carol sells 10 ETH at 113").play(
        (
            "mark BTC 88 ETH 112",
            "liquidation 1 of bob cross equity 60 mm 100 notional 2000, cleared 0, accepted 6 limit 115, "
            "trade 10@113 maker 5 taker 6, "
            "filled 5, filled 6, settled 10/10 ETH buy at 115 equity 50 mm 44, finished 1 book ETH:10",
        ),
        ("bob", "wallet 170, equity 50, BTC +10 flagged no, ETH flat"),
    )


@pytest.mark.rule("LIQ-004", "LIQ-005")
def test_it_goes_on_to_the_next_position_at_a_new_price_until_flat() -> None:
    """Equity 40 under 99: ETH carries 22.63, limit 114; 30 are left for BTC, limit (860 - 30) / 10."""
    stage = RICH + "; bob deposits 300; bob buys 10 BTC at 100; alice sells 10 BTC at 100; bob sells 10 ETH at 100;"
    Table(stage + "alice buys 10 ETH at 100; carol sells 10 ETH at 113; carol buys 10 BTC at 85").play(
        (
            "mark BTC 86 ETH 112",
            "liquidation 1 of bob cross equity 40 mm 99, cleared 0, accepted 7 limit 114, trade 10@113 maker 5 taker 7, "
            "filled 5, filled 7, "
            "settled 10/10 ETH buy at 114 equity 30 mm 43, accepted 8 limit 83, trade 10@85 maker 6 taker 8, filled 6, "
            "filled 8, "
            "settled 10/10 BTC sell at 83 equity 20 mm 0, finished 1 book ETH:10+BTC:10",
        ),
        ("bob", "wallet 20, equity 20, BTC flat, ETH flat"),
    )


@pytest.mark.rule("LIQ-004")
def test_equal_maintenance_goes_by_symbol() -> None:
    stage = RICH + "; bob deposits 201; bob buys 10 ETH at 100; alice sells 10 ETH at 100; bob buys 10 BTC at 100;"
    Table(stage + "alice sells 10 BTC at 100; carol buys 10 BTC at 94; carol buys 10 ETH at 94").play(
        (
            "mark BTC 94 ETH 94",
            "liquidation 1 of bob cross equity 81 mm 94, cleared 0, accepted 7 limit 90, trade 10@94 maker 5 taker 7, "
            "filled 5, filled 7, "
            "settled 10/10 BTC sell at 90 equity 81 mm 47, finished 1",
        ),
        ("bob", "ETH +10, BTC flat"),
    )


@pytest.mark.rule("LIQ-002", "LIQ-001")
def test_the_orders_of_every_cross_symbol_are_canceled_also_where_there_is_no_position() -> None:
    stage = (
        RICH
        + "; bob deposits 201; bob buys 10 BTC at 100; alice sells 10 BTC at 100; bob buys 2 ETH at 90; bob buys 1 BTC at 60;"
    )
    Table(stage + "carol buys 10 BTC at 84").play(
        (
            "mark BTC 84",
            "liquidation 1 of bob cross equity 41 mm 42, canceled 4 liquidation.orders_canceled, "
            "canceled 3 liquidation.orders_canceled, "
            "cleared 2, accepted 6, trade 10@84 maker 5 taker 6, filled 5, filled 6, settled 10/10 BTC sell at 80, finished 1",
        ),
        ("bob", "orders none, wallet 41"),
    )


@pytest.mark.rule("LIQ-005", "LIQ-007", "LIQ-008", "CONS-001")
def test_a_negative_pool_is_handed_over_position_by_position_at_exact_value() -> None:
    """Equity -350 over 20 ETH (60 of 103 maintenance) and 10 BTC: -203.883496 go with ETH, the rest with BTC.

    A lot of ETH needs 6 of margin and a good 10.19 of loss: the fund's 300 carry 18. Then it has no room for BTC.
    """
    stage = RICH + "; bob deposits 310; fund deposits 300; bob buys 20 ETH at 100; alice sells 20 ETH at 100;"
    Table(stage + "bob sells 10 BTC at 100; carol buys 10 BTC at 100; mark BTC 86").play(
        (
            "mark ETH 60",
            "liquidation 1 of bob cross equity -350 mm 103, cleared 0, accepted 5 limit 71, canceled 5 order.ioc_remainder, "
            "settled 0/20 ETH sell at 71, takeover 18 to fund value 1263.495147 pnl -536.504853, "
            "adl 2 to alice value 140.38835 other_pnl 59.61165, "
            "accepted 6 limit 71, canceled 6 order.ioc_remainder, settled 0/10 BTC buy at 71, "
            "adl 10 to carol value -713.883497 other_pnl -286.116503 equity 0, finished 1 fund ETH:18 adl ETH:2+BTC:10",
        ),
        ("bob", "wallet 0, total 0"),
        ("fund", "wallet 300, equity 116.504853, ETH +18 cost 1263.495147"),
    )


@pytest.mark.rule("LIQ-005")
def test_a_short_whose_equity_no_positive_price_spends_sends_no_order() -> None:
    """-5900 of equity: after 100 ETH are closed, one BTC short at 100 still carries about -281."""
    stage = "alice deposits 100000; carol deposits 100000; bob deposits 2100; mark BTC 100 ETH 100; bob sets ETH leverage 5;"
    stage += "alice sets ETH leverage 5; bob buys 100 ETH at 100; alice sells 100 ETH at 100; bob sells 1 BTC at 100;"
    Table(stage + "carol buys 1 BTC at 100; carol sells 1 BTC at 100").play(
        (
            "mark ETH 20",
            "liquidation 1 of bob cross equity -5900 mm 105, cleared 0, accepted 6 limit 77, canceled 6 order.ioc_remainder, "
            "settled 0/100 ETH sell at 77, adl 100 to alice value 7619.04762, "
            "settled 0/1 BTC buy at -181 order none, canceled 5 liquidation.auto_deleveraged, "
            "adl 1 to carol value 180.95238 pnl 280.95238, finished 1",
        ),
        ("carol", "wallet 99719.04762, BTC flat, orders none"),
    )
