"""An isolated position below maintenance dies through the public book, and dies alone."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.venue.state import VenueLimits
from tests.cast import BTC_PERP, BTC_WITH_FEES, ETH_PERP
from tests.scenarios.table import Table

RICH = "alice deposits 10000; carol deposits 10000; mark BTC 100 ETH 100"
LONG_10 = RICH + "; bob deposits 1000; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100"
"""Bob is isolated long 10 at 100 with 100 in the position's wallet; order ids 1 and 2 are used."""
SHORT_10 = RICH + "; bob deposits 1000; bob sets BTC isolated; bob sells 10 BTC at 100; alice buys 10 BTC at 100"


@pytest.mark.rule("LIQ-001", "LIQ-005", "LIQ-010", "MARG-019")
def test_it_is_closed_by_an_order_limited_at_the_bankruptcy_price_and_keeps_what_is_better() -> None:
    Table(LONG_10 + "; carol buys 6 BTC at 93; carol buys 6 BTC at 92").play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40 mm 47 notional 940, cleared 0, accepted 5 limit 90 quantity 10, "
            "trade 6@93 maker 3 taker 5 liquidation 1 taker_pnl -42 taker_out 0, filled 3, "
            "trade 4@92 maker 4 taker 5 taker_pnl -32, filled 5, "
            "settled 10/10 BTC sell at 90 equity_before 40 equity 26 mm 0 fee 0, "
            "finished 1 book BTC:10 fund none adl none returned 26",
        ),
        ("bob", "wallet 926, BTC flat isolated 0 flagged no"),
        ("BTC book", "bids 2@92, asks none"),
    )


@pytest.mark.rule("LIQ-005")
def test_a_short_is_bought_back_the_same_way() -> None:
    Table(SHORT_10 + "; carol sells 10 BTC at 108").play(
        (
            "mark BTC 105",
            "liquidation 1 of bob/BTC isolated equity 50 mm 52.5, cleared 0, accepted 4 limit 110, "
            "trade 10@108 maker 3 taker 4, filled 3, filled 4, settled 10/10 BTC buy at 110, finished 1 returned 20",
        ),
    )


@pytest.mark.rule("LIQ-005")
@pytest.mark.parametrize(
    ("stage", "extra", "mark", "settled"),
    [
        (LONG_10, "5", 93, "settled 0/10 BTC sell at 90"),
        (SHORT_10, "5", 107, "settled 0/10 BTC buy at 110"),
    ],
)
def test_the_limit_is_rounded_so_that_equity_lasts(stage: str, extra: str, mark: int, settled: str) -> None:
    """With 105 the bankruptcy prices are 89.5 and 110.5: a sell is limited at 90, a buy at 110; the fund takes the rest."""
    Table(stage + f"; bob adds {extra} to BTC; fund deposits 1000").play(
        (
            f"mark BTC {mark}",
            f"liquidation 1 of bob/BTC isolated equity 35, cleared 0, accepted 3, canceled 3 order.ioc_remainder, {settled}, "
            "takeover 10 to fund, finished 1 returned 0",
        ),
    )


@pytest.mark.rule("CONS-004", "LIQ-002", "LIQ-010")
def test_it_leaves_the_cross_pool_and_its_orders_untouched() -> None:
    Table(
        LONG_10 + "; bob buys 5 ETH at 100; alice sells 5 ETH at 100; bob buys 1 ETH at 90; bob sells 10 BTC at 120;"
        "bob buys 1 BTC at 80; carol buys 10 BTC at 92"
    ).play(
        ("bob", "wallet 900, equity 900, im 50, held 17.000004, BTC +10 isolated 100, ETH +5"),
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, canceled 6 liquidation.orders_canceled, "
            "canceled 7 liquidation.orders_canceled, "
            "cleared 2, accepted 9, trade 10@92 maker 8 taker 9, filled 8, filled 9, settled 10/10 BTC sell at 90, "
            "finished 1 returned 20",
        ),
        ("bob", "wallet 920, equity 920, im 50, held 9.000002, orders 5:1, BTC flat, ETH +5 cost 500 flagged no"),
    )


@pytest.mark.rule("CONS-004", "LIQ-007")
def test_a_gap_through_the_bankruptcy_price_costs_the_owner_no_more_than_was_put_in() -> None:
    Table(LONG_10 + "; fund deposits 1000").play(
        (
            "mark BTC 85",
            "liquidation 1 of bob/BTC isolated equity -50 mm 42.5, cleared 0, accepted 3 limit 90, "
            "canceled 3 order.ioc_remainder, "
            "settled 0/10 BTC sell at 90 equity -50, takeover 10 to fund value 900 pnl -100 equity 0 mm 0, "
            "finished 1 book none fund BTC:10 returned 0",
        ),
        ("bob", "wallet 900, total 900, BTC flat isolated 0"),
        ("fund", "wallet 1000, equity 950, BTC +10 cost 900"),
    )


@pytest.mark.rule("LIQ-005", "LIQ-007")
@pytest.mark.parametrize("book", ["", "; carol sells 10 BTC at 101", "; carol buys 10 BTC at 89"])
def test_an_empty_a_one_sided_and_a_book_beyond_the_bankruptcy_price_take_nothing(book: str) -> None:
    number = 4 if book else 3
    Table(LONG_10 + book + "; fund deposits 1000").play(
        (
            "mark BTC 94",
            f"liquidation 1 of bob/BTC isolated equity 40, cleared 0, accepted {number}, "
            f"canceled {number} order.ioc_remainder, "
            "settled 0/10 BTC sell at 90, takeover 10 to fund value 900 pnl -100, finished 1",
        ),
        ("fund", "equity 1040, BTC +10 cost 900"),
    )


@pytest.mark.rule("LIQ-005", "LIQ-007")
def test_what_the_book_does_not_take_goes_on_at_a_new_bankruptcy_value() -> None:
    """4 of 10 sold at 95 leave equity 44 for 6 lots, which change hands at 564 - 44 = 520."""
    Table(LONG_10 + "; carol buys 4 BTC at 95; fund deposits 1000").play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40, cleared 0, accepted 4 limit 90, trade 4@95 maker 3 taker 4, "
            "filled 3, "
            "canceled 4 order.ioc_remainder quantity 6, settled 4/10 BTC sell at 90 equity 44 mm 28.2, finished 1 book BTC:4",
        ),
        ("bob", "BTC +6 cost 600 isolated 80 equity 44 mm 28.2 flagged no"),
    )
    Table(LONG_10 + "; carol buys 4 BTC at 90; fund deposits 1000").play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40, cleared 0, accepted 4 limit 90, trade 4@90 maker 3 taker 4, "
            "filled 3, "
            "canceled 4 order.ioc_remainder, settled 4/10 BTC sell at 90 equity 24 mm 28.2, "
            "takeover 6 to fund value 540 pnl -60 equity 0, finished 1 book BTC:4 fund BTC:6",
        ),
    )


@pytest.mark.rule("LIQ-003", "LIQ-010", "MARG-014")
def test_liquidation_fills_pay_nothing_out_and_a_cured_position_stays_open() -> None:
    Table(LONG_10 + "; carol buys 4 BTC at 95").play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 4, trade 4@95 maker 3 taker 4 taker_pnl -20 taker_out 0, "
            "filled 3, canceled 4 order.ioc_remainder, settled 4/10 BTC sell at 90, finished 1 returned 0",
        ),
        ("bob", "wallet 900, BTC +6 isolated 80 flagged no"),
        ("alice buys 6 BTC at 100", "accepted 5, rested 5"),
        ("bob sells 6 BTC at 100", "accepted 6, trade 6@100 maker 5 taker 6 taker_out 80, filled 5, filled 6"),
        ("bob", "wallet 980"),
    )


@pytest.mark.rule("LIQ-002")
def test_it_cannot_meet_its_own_resting_order() -> None:
    Table(LONG_10 + "; bob buys 10 BTC at 93; carol buys 10 BTC at 92").play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, canceled 3 liquidation.orders_canceled quantity 10, cleared 1, accepted 5, "
            "trade 10@92 maker 4 taker 5, filled 4, filled 5, settled 10/10 BTC sell at 90, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-006")
@pytest.mark.parametrize(
    ("bid", "fee", "returned"),
    [
        (94, "18.8", "21.2"),
        (92, "18.4", "1.6"),
        (91, "10", "0"),
        (90, "0", "0"),
    ],
)
def test_the_liquidation_fee_is_capped_at_the_surplus_and_goes_to_the_fund(bid: int, fee: str, returned: str) -> None:
    instrument = replace(BTC_PERP, liquidation_fee=20_000)
    Table(LONG_10 + f"; carol buys 10 BTC at {bid}", instruments=(instrument, ETH_PERP)).play(
        (
            "mark BTC 94",
            f"liquidation 1 of bob/BTC isolated, cleared 0, accepted 4, trade 10@{bid} maker 3 taker 4 taker_fee {fee}, "
            f"filled 3, filled 4, settled 10/10 BTC sell at 90 fee {fee}, finished 1 fee {fee} returned {returned}",
        ),
        ("fund", f"wallet {fee}, fees 0"),
    )


@pytest.mark.rule("LIQ-006")
def test_the_surplus_is_counted_from_the_exact_bankruptcy_value_and_not_from_the_rounded_limit() -> None:
    """Bankrupt at 89.5, limited at 90: a fill at 90 leaves half a tick on each lot, all of which is fee."""
    instrument = replace(BTC_PERP, liquidation_fee=20_000)
    Table(LONG_10 + "; bob adds 5 to BTC; carol buys 10 BTC at 90", instruments=(instrument, ETH_PERP)).play(
        (
            "mark BTC 93",
            "liquidation 1 of bob/BTC isolated equity 35, cleared 0, accepted 4 limit 90, "
            "trade 10@90 maker 3 taker 4 taker_fee 5, "
            "filled 3, filled 4, settled 10/10 BTC sell at 90 fee 5, finished 1 returned 0",
        ),
    )


@pytest.mark.rule("LIQ-006", "MARG-013")
def test_only_the_makers_side_is_checked_and_one_that_fails_is_removed() -> None:
    stage = LONG_10 + "; erin deposits 700; erin buys 10 BTC at 97; erin buys 10 ETH at 100; carol sells 10 ETH at 100;"
    Table(stage + "carol buys 10 BTC at 95; mark ETH 40").play(
        ("erin", "equity 100, im 40"),
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40, cleared 0, accepted 7, canceled 3 margin.maker_fill_check_failed, "
            "trade 10@95 maker 6 taker 7 taker_pnl -50, filled 6, filled 7, settled 10/10 BTC sell at 90, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-004", "BOOK-015")
def test_a_position_above_the_maximum_quantity_is_sent_in_slices_each_from_a_new_check() -> None:
    """Slices of 4: sold at 90, each leaves E under MM, so that the third closes the rest."""
    instrument = replace(BTC_PERP, quantity_max=4)
    stage = "alice deposits 10000; carol deposits 10000; bob deposits 1000; mark BTC 100; bob sets BTC isolated;"
    stage += "alice sells 4 BTC at 100; alice sells 4 BTC at 100; alice sells 2 BTC at 100;"
    stage += "bob buys 4 BTC at 100; bob buys 4 BTC at 100; bob buys 2 BTC at 100;"
    stage += "carol buys 4 BTC at 90; carol buys 4 BTC at 90; carol buys 4 BTC at 90"
    Table(stage, instruments=(instrument,)).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, cleared 0, "
            "accepted 10 quantity 4, trade 4@90 maker 7 taker 10, filled 7, filled 10, "
            "settled 4/4 BTC sell at 90 equity 24 mm 28.2, "
            "accepted 11 quantity 4, trade 4@90 maker 8 taker 11, filled 8, filled 11, "
            "settled 4/4 BTC sell at 90 equity 8 mm 9.4, "
            "accepted 12 quantity 2, trade 2@90 maker 9 taker 12, filled 12, settled 2/2 BTC sell at 90 equity 0 mm 0, "
            "finished 1 book BTC:10",
        ),
    )


@pytest.mark.rule("LIQ-004")
def test_slicing_stops_as_soon_as_the_scope_is_healthy() -> None:
    instrument = replace(BTC_PERP, quantity_max=5)
    stage = "alice deposits 10000; carol deposits 10000; bob deposits 1000; mark BTC 100; bob sets BTC isolated;"
    stage += "alice sells 5 BTC at 100; alice sells 5 BTC at 100; bob buys 5 BTC at 100; bob buys 5 BTC at 100;"
    Table(stage + "carol buys 5 BTC at 94; carol buys 5 BTC at 94", instruments=(instrument,)).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40 mm 47, cleared 0, accepted 7, trade 5@94 maker 5 taker 7, filled 5, "
            "filled 7, "
            "settled 5/5 BTC sell at 90 equity 40 mm 23.5, finished 1",
        ),
        ("bob", "BTC +5 isolated 70 flagged no"),
    )


@pytest.mark.rule("BOOK-015")
def test_the_closing_order_passes_band_least_notional_and_the_most_open_orders() -> None:
    """The limit of 90 lies under the band of 92.12 to 95.88; the last slice of 2 lots is worth less than an order must be."""
    instrument = replace(BTC_PERP, price_band=20_000, market_protection=10_000, notional_min=300_000_000, quantity_max=4)
    stage = "alice deposits 10000; carol deposits 10000; bob deposits 1000; mark BTC 100; bob sets BTC isolated;"
    stage += "alice sells 3 BTC at 100; alice sells 3 BTC at 100; alice sells 4 BTC at 100;"
    stage += "bob buys 3 BTC at 100; bob buys 3 BTC at 100; bob buys 4 BTC at 100; fund deposits 1000"
    Table(stage, instruments=(instrument,), limits=VenueLimits(open_orders_max=3)).play(
        ("mark BTC 93", "liquidation 1 of bob/BTC isolated, cleared 0, accepted 7 limit 90, canceled 7 order.ioc_remainder, "
         "settled 0/4 BTC sell at 90, takeover 10 to fund, finished 1"),
    )  # fmt: skip
    Table(stage + "; carol buys 4 BTC at 98; carol buys 4 BTC at 98", instruments=(instrument,)).play(
        (
            "mark BTC 85",
            "liquidation 1 of bob/BTC isolated equity -50, cleared 0, accepted 9 limit 90, trade 4@98 maker 7 taker 9, "
            "filled 7, filled 9, settled 4/4 BTC sell at 90 equity 2 mm 25.5, accepted 10 limit 85, "
            "trade 4@98 maker 8 taker 10, "
            "filled 8, filled 10, settled 4/4 BTC sell at 85 equity 54 mm 8.5, finished 1",
        ),
    )


@pytest.mark.rule("MARG-017", "LIQ-006")
def test_no_taker_fee_is_charged_on_top() -> None:
    stage = "alice deposits 10000; carol deposits 10000; bob deposits 1000; mark BTC 100; bob sets BTC isolated;"
    stage += "bob buys 10 BTC at 100; alice sells 10 BTC at 100; carol buys 10 BTC at 90"
    Table(stage, instruments=(BTC_WITH_FEES,)).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 4, trade 10@90 maker 3 taker 4 taker_fee 0 maker_fee 0.9, "
            "filled 3, filled 4, settled 10/10 BTC sell at 90, finished 1 fee 0",
        ),
    )
