"""Assets beside the settlement asset: what they count for, what they do not back, and how they pay debts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import CollateralAsset
from exchange.domain.units import CASH_MAX
from exchange.venue.state import VenueLimits
from tests.cast import BTC_WITH_FEES, COIN, GOLD, cash
from tests.scenarios.table import Table

BOTH = (COIN, GOLD)
RICH = "alice deposits 10000; carol deposits 10000; fund deposits 1000; mark BTC 100 ETH 100;"
COINS_3 = RICH + "bob deposits 3 of COIN; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
"""Three coins of 100 less a fifth are 240 behind a long of 10 from 100; bob has no cash. Order ids 1 and 2 are used."""


@pytest.mark.rule("MARG-026", "CONS-007")
def test_an_asset_counts_at_its_price_less_its_haircut_rounded_down() -> None:
    Table("bob deposits 1.001 of COIN; bob deposits 3 of GOLD; bob deposits 5", collateral=BOTH).play(
        ("bob", "COIN 1.001 value 80.08, GOLD 3 value 15, collateral 95.08, wallet 5, equity 100.08, available 100.08"),
        ("collateral COIN 33.333333", ""),
        ("bob", "COIN 1.001 value 26.693333, equity 46.693333"),
        ("collateral COIN 0.000001 GOLD 0.000001", ""),
        ("bob", "COIN 1.001 value 0, GOLD 3 value 0.000001, total 5.000001"),
    )


@pytest.mark.rule("MARG-026")
def test_an_asset_without_a_price_counts_for_nothing_until_it_has_one() -> None:
    Table("bob deposits 1 of COIN", collateral=(replace(COIN, initial_price=None),)).play(
        ("bob", "COIN 1 value 0, available 0"),
        ("collateral COIN 50", ""),
        ("bob", "COIN 1 value 40, available 40"),
    )


@pytest.mark.rule("MARG-026", "MARG-009")
def test_it_backs_cross_orders_and_positions_to_the_unit() -> None:
    """1.25 coins are exactly 100."""
    stage = RICH + "bob deposits 1.25 of COIN; alice sells 10 BTC at 100"
    Table(stage, collateral=BOTH).play(
        ("bob buys 10 BTC at 100", "rejected margin.initial_insufficient limit 100000000 actual 100000002"),
        ("bob deposits 0.000002", "credited 0.000002"),
        ("bob buys 10 BTC at 100", "accepted 2 before 100.000002, trade 10@100 maker 1 taker 2, filled 1, filled 2"),
        ("bob", "equity 100.000002, im 100, BTC +10 mode cross equity 100.000002"),
    )


@pytest.mark.rule("MARG-026", "MARG-009")
def test_the_settlement_asset_alone_backs_isolated_wallets() -> None:
    stage = RICH + "bob deposits 10 of COIN; bob deposits 100; bob sets BTC isolated; alice sells 20 BTC at 100"
    Table(stage, collateral=BOTH).play(
        ("bob", "available 900, withdrawable 100"),
        ("bob buys 10 BTC at 100", "rejected margin.initial_insufficient limit 100000000 actual 100000002"),
        ("bob buys 9 BTC at 100", "accepted 2 path isolated before 100, trade 9@100 maker 1 taker 2, filled 2"),
        ("bob", "wallet 10, BTC +9 isolated 90, available 810, withdrawable 10"),
        ("bob adds 10.000001 to BTC", "refused margin.add_above_available limit 10000000"),
        ("bob adds 10 to BTC", "moved 10"),
        ("bob buys 10 ETH at 100", "accepted 3 path cross before 800, rested 3"),
    )


@pytest.mark.rule("MARG-026", "MARG-012")
def test_a_fill_of_an_isolated_order_takes_no_money_that_is_not_there() -> None:
    """The order was entered in cash; a fee of a cross trade has eaten into it since."""
    stage = (
        "alice deposits 10000; mark BTC 100 ETH 100; bob deposits 10 of COIN; bob deposits 100.000002; bob sets ETH isolated;"
    )
    stage += "bob buys 10 ETH at 100; alice buys 1 BTC at 100"
    Table(
        stage, collateral=BOTH, instruments=(BTC_WITH_FEES, replace(BTC_WITH_FEES, symbol="ETH-PERP", taker_fee=0, maker_fee=0))
    ).play(
        ("bob sells 1 BTC at 100", "accepted 3, trade 1@100 maker 2 taker 3 taker_fee 1, filled 2, filled 3"),
        ("bob", "wallet 99.000002, withdrawable 0"),
        ("alice sells 10 ETH at 100", "accepted 4, canceled 1 margin.maker_fill_check_failed, rested 4"),
    )


@pytest.mark.rule("MARG-026", "MARG-005")
def test_a_fall_of_its_price_liquidates() -> None:
    """Maintenance is 50: three coins at 20.833334 are 50.000001, rounded down; at 20.833333 they are 49.999999."""
    table = Table(COINS_3 + "carol buys 10 BTC at 100", collateral=BOTH)
    table.play(
        ("collateral COIN 20.833334", ""),
        ("bob", "equity 50.000001, mm 50"),
        (
            "collateral COIN 20.833333",
            "liquidation 1 of bob cross equity 49.999999 mm 50, cleared 0, accepted 4 limit 96, trade 10@100 maker 3 taker 4, "
            "filled 3, filled 4, settled 10/10 BTC sell at 96, finished 1",
        ),
    )
    Table(COINS_3 + "carol buys 10 BTC at 100", collateral=(replace(COIN, haircut=0),)).play(
        ("collateral COIN 16.666667", ""),
        (
            "collateral COIN 16.666666",
            "liquidation 1 of bob cross, cleared 0, accepted 4, trade 10@100 maker 3 taker 4, "
            "filled 3, filled 4, settled 10/10 BTC sell at 96, finished 1",
        ),
    )


@pytest.mark.rule("MARG-026", "LIQ-001")
def test_a_deposit_of_it_cures() -> None:
    Table(COINS_3 + "collateral COIN 25", collateral=BOTH, limits=VenueLimits(liquidation_steps_max=0)).play(
        ("mark BTC 98", "liquidation 1 of bob cross equity 40 mm 49, deferred 1"),
        ("bob deposits 0.449 of COIN", "credited 0.449 of COIN, deferred 1"),
        ("bob", "equity 48.98"),
        ("bob deposits 0.001 of COIN", "credited 0.001 of COIN, deferred 1"),
        ("bob", "equity 49, mm 49"),
    )


# -- debts -------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-026", "MARG-023")
def test_while_a_cross_position_is_open_the_wallet_may_owe() -> None:
    Table(COINS_3 + "mark BTC 96; alice buys 5 BTC at 96", collateral=BOTH).play(
        ("bob sells 5 BTC at 96", "accepted 4, trade 5@96 maker 3 taker 4, filled 3, filled 4"),
        ("bob", "wallet -20, COIN 3, BTC +5, equity 200, available 152, withdrawable 0"),
    )


@pytest.mark.rule("MARG-026", "CONS-007")
def test_a_pool_that_is_flat_and_owes_sells_exactly_what_it_needs_to_the_fund() -> None:
    """100 are 1.25 coins at 80."""
    Table(COINS_3 + "alice buys 10 BTC at 90", collateral=BOTH).play(
        (
            "bob sells 10 BTC at 90",
            "accepted 4, trade 10@90 maker 3 taker 4, filled 3, filled 4, sold 1.25 of COIN proceeds 100 account bob",
        ),
        ("bob", "wallet 0, COIN 1.75 value 140, total 140"),
        ("fund", "wallet 900, COIN 1.25, equity 1000"),
    )


@pytest.mark.rule("MARG-026")
def test_what_is_sold_is_rounded_up_to_a_unit_of_the_asset() -> None:
    """1 is 0.0125 coins; 0.013 are sold for it."""
    stage = RICH + "bob deposits 3 of COIN; bob buys 1 BTC at 100; alice sells 1 BTC at 100; alice buys 1 BTC at 99"
    Table(stage, collateral=BOTH).play(
        ("bob sells 1 BTC at 99", "accepted 4, trade 1@99 maker 3 taker 4, filled 3, filled 4, sold 0.013 of COIN proceeds 1"),
        ("bob", "wallet 0, COIN 2.987"),
    )


@pytest.mark.rule("MARG-026")
@pytest.mark.parametrize(
    ("assets", "sold"),
    [
        (BOTH, "sold 0.5 of COIN proceeds 40, sold 12 of GOLD proceeds 60"),
        ((GOLD, COIN), "sold 20 of GOLD proceeds 100"),
    ],
)
def test_assets_are_sold_in_the_order_of_the_configuration(assets: tuple[CollateralAsset, ...], sold: str) -> None:
    stage = RICH + "bob deposits 0.5 of COIN; bob deposits 20 of GOLD; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
    Table(stage + "alice buys 10 BTC at 90", collateral=assets).play(
        ("bob sells 10 BTC at 90", f"accepted 4, trade 10@90 maker 3 taker 4, filled 3, filled 4, {sold}"),
        ("bob", "wallet 0"),
    )


@pytest.mark.rule("MARG-026")
def test_cash_pays_first_and_nothing_is_sold_where_it_is_enough() -> None:
    for deposit, sold in (("100", ""), ("99.999999", ", sold 0.001 of COIN proceeds 0.000001")):
        stage = RICH + f"bob deposits 3 of COIN; bob deposits {deposit}; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
        Table(stage + "alice buys 10 BTC at 90", collateral=BOTH).play(
            ("bob sells 10 BTC at 90", f"accepted 4, trade 10@90 maker 3 taker 4, filled 3, filled 4{sold}"),
            ("bob", "wallet 0"),
        )


@pytest.mark.rule("MARG-026")
def test_nothing_is_sold_for_an_isolated_position_that_still_stands() -> None:
    """The last cross position is closed at a loss; the isolated one beside it is no reason to wait."""
    stage = COINS_3 + "bob deposits 100; bob sets ETH isolated; bob buys 5 ETH at 100; alice sells 5 ETH at 100;"
    Table(stage + "alice buys 10 BTC at 90", collateral=BOTH).play(
        ("bob", "wallet 50"),
        (
            "bob sells 10 BTC at 90",
            "accepted 6, trade 10@90 maker 5 taker 6, filled 5, filled 6, sold 0.625 of COIN proceeds 50",
        ),
        ("bob", "wallet 0, ETH +5 isolated 50"),
    )


@pytest.mark.rule("MARG-026", "LIQ-005", "LIQ-010")
def test_a_liquidated_pool_pays_with_its_assets_and_the_record_counts_them_as_its_own_money() -> None:
    """At 79 there are 30 under 39.5. Sold at 77, the loss is 230: 2.875 coins. 0.125 of the 3 are left, 10 of 240."""
    Table(COINS_3 + "carol buys 10 BTC at 77", collateral=BOTH).play(
        (
            "mark BTC 79",
            "liquidation 1 of bob cross equity 30 mm 39.5, cleared 0, accepted 4 limit 76, trade 10@77 maker 3 taker 4, "
            "filled 3, filled 4, settled 10/10 BTC sell at 76 equity 10, sold 2.875 of COIN proceeds 230 account bob, "
            "finished 1 collateral 240 pnl -230 fee 0 bad_debt 0 owner 0.041666 default 1",
        ),
        ("bob", "wallet 0, COIN 0.125"),
    )


@pytest.mark.rule("MARG-026", "LIQ-009")
def test_what_the_assets_do_not_cover_is_nobody_elses_where_the_position_went_at_bankruptcy() -> None:
    """After a gap the position is handed over at 76: the loss is the 240 that the coins are worth."""
    Table(COINS_3, collateral=BOTH).play(
        (
            "mark BTC 70",
            "liquidation 1 of bob cross equity -60 mm 35, cleared 0, accepted 3 limit 76, canceled 3 order.ioc_remainder, "
            "settled 0/10 BTC sell at 76, takeover 10 to fund value 760 pnl -240, sold 3 of COIN proceeds 240, "
            "finished 1 owner 0 bad_debt 0",
        ),
        ("bob", "total 0, COIN 0"),
        ("fund", "COIN 3, wallet 760, BTC +10"),
    )


# -- forms -------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-026")
def test_unknown_assets_and_impossible_prices_are_refused_and_none_of_an_update_applies() -> None:
    Table("bob deposits 1 of COIN", collateral=BOTH).play(
        ("bob deposits 1 of XAG", "refused account.unknown_asset"),
        ("bob deposits 0 of COIN", "refused account.credit_out_of_range"),
        ("nobody deposits 1 of COIN", "refused account.unknown"),
        ("fund deposits 1 of COIN", "credited 1 of COIN wallet 1"),
        ("collateral XAG 5", "refused account.unknown_asset"),
        ("collateral COIN 0", f"refused mark.price_out_of_range limit {CASH_MAX} actual 0"),
        ("collateral COIN 90 GOLD 0", "refused mark.price_out_of_range"),
        ("collateral COIN 1000000000000.000001", "refused mark.price_out_of_range"),
        ("bob", "COIN 1 value 80"),
        ("collateral COIN 1000000000000", ""),
        ("bob", "COIN 1 value 800000000000"),
    )
    assert cash("1000000000000") == CASH_MAX


@pytest.mark.rule("MARG-026")
def test_without_assets_in_the_configuration_there_are_none() -> None:
    Table().play(("bob deposits 1 of COIN", "refused account.unknown_asset"))
