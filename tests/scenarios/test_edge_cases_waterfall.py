"""Edge cases behind the book: whom deleveraging takes, what the fund can and cannot pay, what stops a liquidation.

Bob is mostly isolated long 10 at 100 with 100 of money: below 94.74 he is liquidated, at 90 bankrupt.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.policy import BadDebtPolicy
from tests.cast import BTC_PERP, BTC_WITH_FEES, ETH_PERP, PLAIN_POLICY
from tests.scenarios.table import Table

RICH = "alice deposits 10000; carol deposits 10000; mark BTC 100 ETH 100;"
BOB = "bob deposits 1000; bob sets BTC isolated; bob buys 10 BTC at 100;"
UNSOLD = "cleared 0, accepted {0}, canceled {0} order.ioc_remainder, settled 0/10 BTC sell at 90"


def unsold(number: int) -> str:
    """Return what a closing order of ten lots that meets nothing looks like."""
    return UNSOLD.format(number)


# -- 19: whom deleveraging takes ---------------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-008")
def test_edge_19_equals_are_deleveraged_in_the_order_of_their_names() -> None:
    """Carol and erin are alike but for the order in which they came: erin opened first, carol is taken first."""
    stage = "carol deposits 1000; erin deposits 1000; mark BTC 100 ETH 100; erin sells 6 BTC at 100; carol sells 6 BTC at 100;"
    Table(stage + BOB + "frank deposits 1000; frank buys 2 BTC at 100").play(
        (
            "mark BTC 85",
            f"liquidation 1 of bob/BTC isolated equity -50, {unsold(5)}, adl 6 to carol value 540, adl 4 to erin value 360, "
            "finished 1 legs 2",
        ),
        ("carol", "BTC flat, wallet 1060"),
        ("erin", "BTC -2 cost -200, wallet 1040"),
    )


@pytest.mark.rule("LIQ-008", "MARG-005")
def test_edge_19_one_near_liquidation_is_taken_too_and_is_the_safer_for_it() -> None:
    """Dave has 100 under him for 77.5 of maintenance. Five lots each of bob's loss cost him 50: 50 for 35."""
    stage = RICH + "dave deposits 250; dave sells 10 BTC at 100;" + BOB + "dave buys 10 ETH at 100; alice sells 10 ETH at 100"
    Table(stage).play(
        (
            "mark BTC 85 ETH 70",
            f"liquidation 1 of bob/BTC isolated equity -50, {unsold(5)}, adl 10 to dave value 900 other_pnl 100, finished 1",
        ),
        ("dave", "equity 50, mm 35, ratio 700000, flagged no, BTC flat, ETH +10"),
    )


@pytest.mark.rule("LIQ-008", "LIQ-010", "CONS-004")
def test_edge_19_an_isolated_counterparty_is_paid_in_its_own_wallet_and_gets_it_back_when_flat() -> None:
    """Dave's short of 14 has 140 behind it. Ten lots go for 900: 240 stay with the other four; the rest of him is as it was."""
    stage = RICH + "dave deposits 1000; dave sets BTC isolated; dave sells 14 BTC at 100;" + BOB + "carol buys 4 BTC at 100;"
    Table(stage).play(
        ("dave", "wallet 860"),
        (
            "mark BTC 85",
            f"liquidation 1 of bob/BTC isolated, {unsold(4)}, adl 10 to dave value 900 other_pnl 100, finished 1",
        ),
        ("dave", "wallet 860, BTC -4 cost -400 isolated 240 equity 300"),
        ("carol sells 4 BTC at 85", "accepted 5, rested 5"),
        ("dave buys 4 BTC at 85", "accepted 6, trade 4@85 maker 5 taker 6 taker_pnl 60 taker_out 300, filled 5, filled 6"),
        ("dave", "wallet 1160"),
    )


@pytest.mark.rule("LIQ-007", "LIQ-008")
def test_edge_19_the_fund_is_no_counterparty_even_where_it_stands_opposite() -> None:
    """The fund took erin's short over at 110. At 114 it has 106 of equity for 114 of margin: no room for a takeover.

    Bob's pool dies of ETH: 400 + 140 - 600 under 57 + 70. Of his BTC carol takes all; the fund keeps its short, though it is
    the worse off for it.
    """
    stage = (
        RICH + "fund deposits 146; bob deposits 400; bob buys 10 BTC at 100; carol sells 10 BTC at 100; bob buys 20 ETH at 100;"
    )
    stage += "carol sells 20 ETH at 100; erin deposits 1000; erin sets BTC isolated; erin sells 10 BTC at 100;"
    Table(stage + "alice buys 10 BTC at 100; mark BTC 106").play(
        ("fund", "BTC -10 cost -1100, wallet 146, equity 186"),
        (
            "mark BTC 114 ETH 70",
            "liquidation 2 of bob cross equity -60 mm 127, cleared 0, accepted 8 limit 72, canceled 8 order.ioc_remainder, "
            "settled 0/20 ETH sell at 72, adl 20 to carol value 1433.070867, "
            "accepted 9 limit 117, canceled 9 order.ioc_remainder, settled 0/10 BTC sell at 117, "
            "adl 10 to carol value 1166.929133 other_pnl -166.929133 equity 0, finished 2 adl ETH:20+BTC:10 fund none",
        ),
        ("fund", "BTC -10 cost -1100, wallet 146, equity 106"),
    )


@pytest.mark.rule("LIQ-008", "LIQ-009")
def test_edge_19_where_all_would_go_under_they_take_it_at_the_mark_and_lose_nothing() -> None:
    """Dave and erin each have 60: 160 and 200 of profit less 300 in ETH. Their halves of bob's -300 would cost them 150."""
    stage = RICH + "dave deposits 160; erin deposits 160; dave sells 5 BTC at 100; erin sells 5 BTC at 100;" + BOB
    stage += "dave buys 5 ETH at 100; erin buys 5 ETH at 100; alice sells 10 ETH at 100"
    Table(stage).play(
        ("dave", "available 60"),
        (
            "mark BTC 60 ETH 40",
            f"liquidation 1 of bob/BTC isolated equity -300, {unsold(7)}, "
            "residual 5 to dave value 300 other_pnl 200 fund_change -150, "
            "residual 5 to erin value 300 other_pnl 200 fund_change -150, finished 1 bad_debt 300 adl BTC:10",
        ),
        ("dave", "equity 60, BTC flat, flagged no"),
        ("erin", "equity 60, BTC flat, flagged no"),
        ("bob", "total 900"),
        ("fund", "wallet -300"),
    )


# -- 21: what the fund has ---------------------------------------------------------------------------------------------

DEBT = (
    "alice deposits 10000; mark BTC 1000 ETH 100; bob deposits 1000; bob sets BTC isolated; dave deposits 210;"
    "dave sells 1 BTC at 1000; bob buys 1 BTC at 1000; dave buys 10 ETH at 100; alice sells 10 ETH at 100;"
)
"""At 600 bob has -300. Dave, with 110 left after ETH's fall to 50, cannot take that, and the fund not the 360 of a takeover.

So dave takes the lot at the mark, and somebody pays 300.
"""
BREACH = (
    "liquidation 1 of bob/BTC isolated equity -300, cleared 0, accepted 5 limit 900, canceled 5 order.ioc_remainder, "
    "settled 0/1 BTC sell at 900"
)


@pytest.mark.rule("LIQ-009", "LIQ-016")
@pytest.mark.parametrize(
    ("policy", "fund", "ending", "left", "dave"),
    [
        (BadDebtPolicy.NEGATIVE_FUND, "300", "finished 1 fund_paid 300 bad_debt 0", "0", "110"),
        (BadDebtPolicy.NEGATIVE_FUND, "299.999999", "finished 1 fund_paid 299.999999 bad_debt 0.000001", "-0.000001", "110"),
        (BadDebtPolicy.NEGATIVE_FUND, "100", "finished 1 fund_paid 100 bad_debt 200", "-200", "110"),
        (BadDebtPolicy.SOCIALIZE, "300", "finished 1 fund_paid 300 socialized 0", "0", "110"),
        (
            BadDebtPolicy.SOCIALIZE,
            "299.999999",
            "socialized 0.000001 from dave/BTC, finished 1 fund_paid 299.999999 socialized 0.000001 bad_debt 0",
            "0",
            "109.999999",
        ),
        (BadDebtPolicy.HALT, "300", "finished 1 fund_paid 300 bad_debt 0", "0", "110"),
    ],
)
def test_edge_21_the_fund_pays_to_the_last_unit_and_a_unit_more_is_as_the_policy_says(
    policy: BadDebtPolicy, fund: str, ending: str, left: str, dave: str
) -> None:
    Table(DEBT + f"fund deposits {fund}", policy=replace(PLAIN_POLICY, bad_debt=policy)).play(
        ("mark BTC 600 ETH 50", f"{BREACH}, residual 1 to dave value 600, {ending}"),
        ("fund", f"wallet {left}, equity {left}"),
        ("dave", f"equity {dave}, BTC flat"),
        ("bob", "total 900"),
    )


@pytest.mark.rule("LIQ-009", "BOOK-017")
def test_edge_21_a_unit_short_under_the_policy_to_halt_stops_the_symbol_until_somebody_brings_the_unit() -> None:
    """Opened without it, it stops again. Nobody has lost anything meanwhile."""
    table = Table(DEBT + "fund deposits 299.999999", policy=replace(PLAIN_POLICY, bad_debt=BadDebtPolicy.HALT))
    again = "accepted {0}, canceled {0} order.ioc_remainder, settled 0/1 BTC sell at 900"
    table.play(
        ("mark BTC 600 ETH 50", f"{BREACH}, halted BTC liquidation 1, waiting 1 halted yes"),
        ("bob", "BTC +1 flagged yes"),
        ("alice buys 1 BTC at 500", "rejected order.symbol_halted"),
        ("resumes BTC", f"resumed BTC, {again.format(6)}, halted BTC liquidation 1, waiting 1 halted yes"),
        ("fund deposits 0.000001", "credited 0.000001"),
        ("resumes BTC", f"resumed BTC, {again.format(7)}, residual 1 to dave fund_change -300, finished 1 bad_debt 0"),
        ("fund", "wallet 0"),
    )


@pytest.mark.rule("LIQ-007", "LIQ-009", "LIQ-012")
def test_edge_21_a_gap_against_what_the_fund_took_over_leaves_it_below_zero_and_never_liquidated() -> None:
    """134 are just enough for ten lots at 94. At 70 they have cost 200: the fund stands at -66, and has nothing for erin."""
    stage = RICH + "fund deposits 134;" + BOB + "alice sells 10 BTC at 100; mark BTC 94; mark BTC 100; erin deposits 1000;"
    Table(stage + "erin sets BTC isolated; erin buys 10 BTC at 100; carol sells 10 BTC at 100").play(
        ("fund", "wallet 134, BTC +10 cost 900"),
        (
            "mark BTC 70",
            "liquidation 2 of erin/BTC isolated equity -200, cleared 0, accepted 6 limit 90, canceled 6 order.ioc_remainder, "
            "settled 0/10 BTC sell at 90, adl 10 to alice value 900, finished 2 fund_paid 0",
        ),
        ("fund", "wallet 134, equity -66, BTC +10 flagged no"),
    )


@pytest.mark.rule("LIQ-015", "MARG-017", "CONS-001")
def test_edge_21_the_fund_unwinds_in_slices_and_pays_for_them_as_anybody_would() -> None:
    """A half of ten, then a half of five rounded up, then the last two by the least slice of 150. One percent each time."""
    policy = replace(
        PLAIN_POLICY,
        fund_unwind_fraction=500_000,
        fund_unwind_notional_min=150_000_000,
        fund_unwind_book_share=1_000_000,
        fund_unwind_interval=10**9,
    )
    stage = "alice deposits 10000; carol deposits 10000; fund deposits 1000; mark BTC 100; bob deposits 1000;"
    stage += "bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100; mark BTC 94; carol buys 20 BTC at 93"
    Table(stage, instruments=(BTC_WITH_FEES, ETH_PERP), policy=policy).play(
        ("fund", "BTC +10 cost 900, wallet 1000, fees 11"),
        ("mark BTC 94", "accepted 5 quantity 5, trade 5@93 maker 4 taker 5 taker_pnl 15 taker_fee 4.65, filled 5"),
        ("mark BTC 94", ""),
        ("wait 1s", "accepted 6 quantity 3, trade 3@93 maker 4 taker 6 taker_pnl 9 taker_fee 2.79, filled 6"),
        ("wait 1s", "accepted 7 quantity 2, trade 2@93 maker 4 taker 7 taker_pnl 6 taker_fee 1.86, filled 7"),
        ("wait 1s", ""),
        ("fund", "BTC flat, wallet 1020.7, equity 1020.7"),
    )


# -- 27: what stops a liquidation and what does not --------------------------------------------------------------------


@pytest.mark.rule("BOOK-015", "LIQ-004")
def test_edge_27_neither_the_band_nor_the_largest_order_stops_it() -> None:
    """The band at 94 is 92.12 to 95.88, the limit 90; an order is 4 lots at most, and each is a step with a check of its own.

    The first four lots, sold at 98, leave 56 over 28.2 for the other six.
    """
    btc = replace(BTC_PERP, price_band=20_000, market_protection=10_000, quantity_max=4)
    stage = "alice deposits 10000; carol deposits 10000; mark BTC 100; bob deposits 1000; bob sets BTC isolated;"
    for lots in (4, 4, 2):
        stage += f"bob buys {lots} BTC at 100; alice sells {lots} BTC at 100;"
    stage += "carol buys 4 BTC at 98; carol buys 4 BTC at 98"
    Table(stage, instruments=(btc, ETH_PERP)).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40 mm 47, cleared 0, accepted 9 quantity 4 limit 90, "
            "trade 4@98 maker 7 taker 9, filled 7, filled 9, settled 4/4 BTC sell at 90 equity 56 mm 28.2, finished 1",
        ),
    )


@pytest.mark.rule("BOOK-017", "LIQ-005", "LIQ-007", "LIQ-008")
def test_edge_27_in_a_halted_market_the_flag_stays_and_neither_fund_nor_winners_are_touched() -> None:
    """Its orders are canceled at once. A cure by mark is a cure; otherwise everything waits until the symbol opens."""
    stage = RICH + "fund deposits 1000;" + BOB + "alice sells 10 BTC at 100; bob buys 1 BTC at 80; halts BTC"
    Table(stage).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 40, canceled 3 liquidation.orders_canceled, cleared 1, "
            "waiting 1 halted yes",
        ),
        ("mark BTC 60", ""),
        ("wait 24h", ""),
        ("continue", ""),
        ("fund", "wallet 1000, BTC flat"),
        ("alice", "BTC -10 cost -1000"),
        ("bob", "BTC +10 equity -300 flagged yes"),
        ("mark BTC 96", "finished 1 book none fund none adl none"),
        ("bob", "BTC +10 equity 60 flagged no"),
        ("mark BTC 94", "liquidation 2 of bob/BTC isolated, cleared 0, waiting 2 halted yes"),
        ("resumes BTC", f"resumed BTC, {unsold(4).removeprefix('cleared 0, ')}, takeover 10 to fund, finished 2"),
    )


@pytest.mark.rule("BOOK-017", "LIQ-004")
def test_edge_27_a_cross_pool_closes_what_trades_and_keeps_its_flag_for_what_is_halted() -> None:
    """210 less losses of 200 and 160 are -150 under 40 + 42. ETH carries -76.83 of that and is limited at 91.68, rounded up.

    Sold at 99 it leaves nothing for BTC, which waits.
    """
    stage = RICH + "bob deposits 210; bob buys 10 BTC at 100; alice sells 10 BTC at 100; bob buys 10 ETH at 100;"
    Table(stage + "alice sells 10 ETH at 100; carol buys 10 ETH at 99; halts BTC").play(
        (
            "mark BTC 80 ETH 84",
            "liquidation 1 of bob cross equity -150 mm 82, cleared 0, accepted 6 limit 92, trade 10@99 maker 5 taker 6, "
            "filled 5, filled 6, settled 10/10 ETH sell at 92 equity 0 mm 40, waiting 1 halted yes",
        ),
        ("bob", "ETH flat, BTC +10 flagged yes, wallet 200"),
        (
            "resumes BTC",
            "resumed BTC, accepted 7 limit 80, canceled 7 order.ioc_remainder, settled 0/10 BTC sell at 80, "
            "adl 10 to alice value 800, finished 1 equity 0",
        ),
    )
