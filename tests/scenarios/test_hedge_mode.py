"""A long and a short position side by side in one symbol."""

from __future__ import annotations

import pytest

from exchange.domain.margin_math import maintenance_margin
from tests.cast import BTC_PERP, cash
from tests.scenarios.table import Table

RICH = "alice deposits 100000; carol deposits 100000; mark BTC 100 ETH 100;"


def legs(wallet: str, long: int, short: int) -> str:
    """Return a stage where bob is cross long and short from 100; order ids 1 to 4 are used."""
    stage = RICH + "bob deposits 10000; bob sets hedge mode;"
    stage += f"bob buys {long} BTC/long at 100; alice sells {long} BTC at 100; bob sells {short} BTC/short at 100;"
    return stage + f"alice buys {short} BTC at 100; bob withdraws {10_000 - float(wallet):.6f};"


# -- the mode ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-025")
def test_the_mode_is_chosen_without_positions_and_orders_in_any_symbol() -> None:
    Table(RICH + "bob deposits 1000; bob buys 1 ETH at 90").play(
        ("bob", "positions one-way"),
        ("bob sets hedge mode", "refused margin.position_open"),
        ("bob cancels 1", "canceled 1 order.canceled_by_owner"),
        ("bob sets hedge mode", "position mode hedge"),
        ("bob", "positions hedge"),
        ("bob buys 1 BTC/long at 100", "accepted 2, rested 2"),
        ("bob sets one-way mode", "refused margin.position_open"),
        ("alice sells 1 BTC at 100", "accepted 3, trade 1@100 maker 2 taker 3, filled 2, filled 3"),
        ("bob sets one-way mode", "refused margin.position_open"),
        ("alice buys 1 BTC at 100", "accepted 4, rested 4"),
        ("bob sells 1 BTC/long at 100", "accepted 5, trade 1@100 maker 4 taker 5, filled 4, filled 5"),
        ("bob sets one-way mode", "position mode one-way"),
        ("nobody sets hedge mode", "refused account.unknown"),
    )


@pytest.mark.rule("MARG-025")
def test_the_mode_that_is_set_already_may_be_chosen_again_under_the_same_terms() -> None:
    Table(RICH + "bob deposits 1000").play(("bob sets one-way mode", "position mode one-way"))
    Table(legs("1000", 1, 1)).play(("bob sets hedge mode", "refused margin.position_open"))


@pytest.mark.rule("MARG-025")
def test_every_order_and_setting_names_the_side_that_the_mode_asks_for() -> None:
    Table(RICH + "bob deposits 1000; bob sets hedge mode").play(
        ("bob buys 1 BTC at 100", "rejected order.position_side"),
        ("bob sets BTC isolated", "refused order.position_side"),
        ("bob sets BTC leverage 5", "refused order.position_side"),
        ("bob sets BTC auto-replenish on", "refused order.position_side"),
        ("bob adds 1 to BTC", "refused order.position_side"),
        ("bob removes 1 from BTC", "refused order.position_side"),
        ("alice buys 1 BTC/long at 100", "rejected order.position_side"),
        ("alice sells 1 BTC/short at 100", "rejected order.position_side"),
        ("alice sets BTC/short isolated", "refused order.position_side"),
        ("alice adds 1 to BTC/long", "refused order.position_side"),
    )


# -- the legs ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-025", "MARG-003", "MARG-004")
def test_the_legs_do_not_net_each_needs_its_own_margin() -> None:
    Table(legs("1000", 10, 4)).play(
        ("bob", "BTC/long +10 cost 1000 im 100 mm 50, BTC/short -4 cost -400 im 40 mm 20, im 140, mm 70, BTC flat"),
        ("mark BTC 110", ""),
        ("bob", "BTC/long +10 u 100, BTC/short -4 u -40, equity 1060"),
    )


@pytest.mark.rule("MARG-025")
def test_legs_have_settings_and_wallets_of_their_own() -> None:
    stage = RICH + "bob deposits 1000; bob sets hedge mode; bob sets BTC/long isolated; bob sets BTC/long leverage 5;"
    stage += "bob buys 10 BTC/long at 100; alice sells 10 BTC at 100; bob sells 10 BTC/short at 100; alice buys 10 BTC at 100"
    Table(stage).play(
        ("bob", "BTC/long +10 mode isolated lev 5 isolated 200, BTC/short -10 mode cross lev 10 isolated 0, wallet 800"),
        ("bob adds 50 to BTC/long", "moved 50"),
        ("bob adds 50 to BTC/short", "refused margin.no_isolated_position"),
        ("bob", "BTC/long +10 isolated 250, wallet 750, scopes bob+BTC/long"),
    )


@pytest.mark.rule("MARG-025", "BOOK-010")
def test_an_order_against_its_own_side_only_reduces() -> None:
    Table(legs("1000", 10, 4) + "carol buys 30 BTC at 100").play(
        (
            "bob sells 25 BTC/long at 100",
            "accepted 6 reducing yes required 0, trade 10@100 maker 5 taker 6, canceled 6 order.reduce_only_nothing_left "
            "quantity 15",
        ),
        ("bob", "BTC/long flat, BTC/short -4"),
        ("bob sells 1 BTC/long at 100", "rejected order.reduce_only_no_position"),
        ("bob buys 9 BTC/short at 99", "accepted 7 reducing yes, shrunk 7 to 4, rested 7 open 4"),
        ("bob sells 1 BTC/short at 100", "accepted 8 reducing no, trade 1@100 maker 5 taker 8, filled 8"),
        ("bob", "BTC/short -5, orders 7:4"),
    )


@pytest.mark.rule("MARG-025", "MARG-008", "BOOK-010")
def test_what_reduces_a_leg_holds_nothing_and_is_measured_against_that_leg_alone() -> None:
    Table(legs("1000", 10, 4) + "bob sells 10 BTC/long at 120; bob buys 4 BTC/short at 80; bob buys 5 BTC/long at 90").play(
        ("bob", "BTC/long +10 held 45.000002, BTC/short -4 held 0, orders 5:10+6:4+7:5"),
        ("alice buys 3 BTC at 120", "accepted 8, trade 3@120 maker 5 taker 8, filled 8"),
        ("bob", "BTC/long +7, orders 5:7+6:4+7:5"),
        ("alice buys 2 BTC at 99", "accepted 9, rested 9"),
        ("bob sells 2 BTC/long at 99", "accepted 10, trade 2@99 maker 9 taker 10, filled 9, shrunk 5 to 5, filled 10"),
        ("bob", "BTC/long +5, BTC/short -4, orders 5:5+6:4+7:5"),
    )


@pytest.mark.rule("MARG-025", "BOOK-008")
def test_the_two_legs_of_one_account_do_not_trade_with_each_other() -> None:
    Table(legs("1000", 10, 4) + "bob sells 5 BTC/short at 100").play(
        ("bob buys 5 BTC/long at 100", "accepted 6, canceled 6 order.self_trade_prevention"),
        ("bob buys 5 BTC/long at 100 cancel-maker", "accepted 7, canceled 5 order.self_trade_prevention, rested 7"),
    )


@pytest.mark.rule("MARG-025", "BOOK-011")
def test_two_legs_may_trade_with_one_maker_in_turn() -> None:
    """A leg never crosses zero; a counterparty in one-way mode does, in two matches."""
    stage = RICH + "bob deposits 1000; bob sets hedge mode; alice buys 3 BTC at 100; carol sells 3 BTC at 100;"
    Table(stage + "bob buys 8 BTC/long at 100").play(
        (
            "alice sells 8 BTC at 100",
            "accepted 4, trade 3@100 maker 3 taker 4, trade 5@100 maker 3 taker 4, filled 3, filled 4",
        ),
        ("alice", "BTC -5"),
        ("bob", "BTC/long +8"),
    )


# -- liquidation -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-006", "MARG-025")
@pytest.mark.parametrize(
    ("wallet", "long", "short", "price"),
    [
        ("176", 10, 4, "80"),
        ("204", 4, 10, "120"),
        ("200", 10, 10, "200"),
        ("1200", 10, 4, "none"),
        ("180", 10, 8, "19"),
        ("180", 8, 10, "131"),
    ],
)
def test_both_legs_of_a_pool_share_the_price_on_the_losing_side_of_the_net_position(
    wallet: str, long: int, short: int, price: str
) -> None:
    """Net long 6: 176 + 6 (P - 100) = 0.7 P at 80. Net short 6: 204 - 6 (P - 100) = 0.7 P at 120.

    Hedged whole, only maintenance moves: 200 = P. With 1200 the net long would have to fall below nothing. Net long 2 has
    two ends: 18.2, and 6862 where both legs are in the third tier; the lower is shown for both.
    """
    Table(legs(wallet, long, short)).play(
        ("bob", f"BTC/long +{long} liq {price}, BTC/short -{short} liq {price}"),
    )


@pytest.mark.rule("MARG-006", "MARG-005")
def test_at_the_price_shown_the_pool_lives_and_a_tick_beyond_it_does_not() -> None:
    stage = legs("176", 10, 4) + "carol buys 10 BTC at 79"
    Table(stage).play(
        ("mark BTC 80", ""),
        ("bob", "equity 56, mm 56, BTC/long +10 liq 80"),
        (
            "mark BTC 79",
            "liquidation 1 of bob cross equity 50 mm 55.3, cleared 0, accepted 6 limit 76, trade 10@79 maker 5 taker 6, "
            "filled 5, filled 6, settled 10/10 BTC/long sell at 76 equity 50 mm 15.8, finished 1",
        ),
        ("bob", "wallet -34, equity 50, BTC/long flat, BTC/short -4 liq 87"),
    )


@pytest.mark.rule("MARG-006", "MARG-002")
def test_the_shared_price_reckons_with_each_legs_own_tier() -> None:
    """Long 150 and short 50 at lev 5: the long's maintenance is 10 % less 500, the short's 5 %."""
    stage = RICH + "alice sets BTC leverage 5; bob deposits 100000; bob sets hedge mode; bob sets BTC/long leverage 5;"
    stage += "bob buys 150 BTC/long at 100; alice sells 150 BTC at 100; bob sells 50 BTC/short at 100;"
    stage += "alice buys 50 BTC at 100; bob withdraws 95750"
    table = Table(stage)
    table.play(("bob", "wallet 4250, equity 4250, mm 1250, BTC/long +150 liq 64, BTC/short -50 liq 64"))
    for mark, lives in ((64, True), (63, False)):
        equity = cash("4250") + cash("100") * (mark - 100)
        needed = maintenance_margin(BTC_PERP, 150, 0, mark) + maintenance_margin(BTC_PERP, 50, 0, mark)
        assert (equity >= needed) is lives


@pytest.mark.rule("MARG-006", "MARG-025")
def test_isolated_legs_have_a_price_each() -> None:
    stage = RICH + "bob deposits 1000; bob sets hedge mode; bob sets BTC/long isolated; bob sets BTC/short isolated;"
    stage += "bob buys 10 BTC/long at 100; alice sells 10 BTC at 100; bob sells 10 BTC/short at 100; alice buys 10 BTC at 100;"
    Table(stage + "carol buys 10 BTC at 92").play(
        ("bob", "BTC/long +10 liq 95 bp 90, BTC/short -10 liq 104 bp 110"),
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC/long isolated equity 40 mm 47, cleared 0, accepted 6 limit 90, "
            "trade 10@92 maker 5 taker 6, filled 5, filled 6, settled 10/10 BTC/long sell at 90, "
            "finished 1 scope bob/BTC/long:isolated returned 20",
        ),
        ("bob", "BTC/long flat, BTC/short -10 equity 160 flagged no, wallet 820"),
    )


@pytest.mark.rule("LIQ-002", "LIQ-001", "MARG-025")
def test_the_liquidation_of_a_leg_cancels_its_orders_and_leaves_those_of_the_other() -> None:
    stage = RICH + "bob deposits 1000; bob sets hedge mode; bob sets BTC/long isolated; bob buys 10 BTC/long at 100;"
    stage += "alice sells 10 BTC at 100; bob sells 10 BTC/long at 120; bob sells 5 BTC/short at 115; carol buys 10 BTC at 92"
    Table(stage).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC/long isolated, canceled 3 liquidation.orders_canceled, cleared 1, accepted 6, "
            "trade 10@92 maker 5 taker 6, filled 5, filled 6, settled 10/10 BTC/long sell at 90, finished 1",
        ),
        ("bob", "orders 4:5"),
    )


@pytest.mark.rule("LIQ-004", "LIQ-005", "MARG-025")
def test_of_two_equal_legs_the_long_goes_first_with_half_of_the_equity() -> None:
    """200 under 201 at 201. The long carries 100 of it: (2010 - 100) / 10. Sold at 200 it leaves 190 over 100.5."""
    Table(legs("200", 10, 10) + "mark BTC 150; carol buys 10 BTC at 200; carol sells 10 BTC at 205").play(
        ("mark BTC 200", ""),
        (
            "mark BTC 201",
            "liquidation 1 of bob cross equity 200 mm 201, cleared 0, accepted 7 limit 191, trade 10@200 maker 5 taker 7, "
            "filled 5, filled 7, settled 10/10 BTC/long sell at 191 equity 190 mm 100.5, finished 1",
        ),
    )


@pytest.mark.rule("LIQ-008", "LIQ-007", "MARG-025")
def test_the_fund_takes_a_leg_over_into_its_one_position() -> None:
    stage = RICH + "fund deposits 1000; bob deposits 1000; bob sets hedge mode; bob sets BTC/short isolated;"
    Table(stage + "bob sells 10 BTC/short at 100; alice buys 10 BTC at 100").play(
        (
            "mark BTC 106",
            "liquidation 1 of bob/BTC/short isolated, cleared 0, accepted 3, canceled 3 order.ioc_remainder, "
            "settled 0/10 BTC/short buy at 110, takeover 10 to fund symbol BTC/short theirs BTC value -1100, finished 1",
        ),
        ("fund", "BTC -10 cost -1100"),
    )
