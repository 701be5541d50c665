"""Nobody profits from the rules: what one person with two accounts may try, and what comes of it.

Alice and bob are that person, unless a test says otherwise. Carol takes the other side of their positions, dave's orders are
those of an honest market. What a gap in the mark does beyond the margin that was there is in the tests named after it: no rule
can undo it, and the fund, those who are deleveraged, or bad debt bear it, as on any venue.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import FundingTerms
from exchange.domain.policy import BadDebtPolicy, LiquidationSizing
from exchange.domain.units import parse_cash
from exchange.venue.state import VenueLimits
from tests.cast import BTC_PERP, BTC_WITH_REBATE, COIN, ETH_PERP, PLAIN_POLICY, SOL_PERP
from tests.scenarios.table import Table

MONEY = (
    "alice deposits 1000; bob deposits 10000; carol deposits 10000; dave deposits 10000; fund deposits 1000;"
    "mark BTC 100 ETH 100;"
)
LONG_10 = MONEY + "alice sets BTC isolated; alice buys 10 BTC at 100; carol sells 10 BTC at 100;"
"""Alice is isolated long 10 with 100 behind it, bankrupt at 90, liquidated below 94.7; order ids 1 and 2 are used."""
BTC_WITH_LIQUIDATION_FEE = replace(BTC_PERP, liquidation_fee=20_000)


# -- liquidated into one's own bid -------------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-002", "LIQ-005", "BOOK-008")
def test_a_liquidation_order_never_trades_with_its_own_account_not_even_with_the_other_leg_of_a_hedge() -> None:
    stage = (
        MONEY + "alice sets hedge mode; alice sets BTC/long isolated; alice buys 10 BTC/long at 100; carol sells 10 BTC at 100;"
    )
    stage += "alice sells 2 BTC/short at 100; carol buys 2 BTC at 100; alice buys 2 BTC/short at 95; dave buys 10 BTC at 93"
    Table(stage).play(
        (
            "mark BTC 94",
            "liquidation 1 of alice/BTC/long isolated equity 40, cleared 0, accepted 7 limit 90, "
            "canceled 5 order.self_trade_prevention, "
            "trade 10@93 maker 6 taker 7, filled 6, filled 7, settled 10/10 BTC/long sell at 90, finished 1 returned 30",
        ),
        ("alice", "BTC/long flat, BTC/short -2"),
        ("fund", "equity 1000"),
    )


@pytest.mark.rule("LIQ-005", "LIQ-006", "LIQ-007")
@pytest.mark.parametrize(
    ("bids", "alice", "bob", "fund"),
    [
        pytest.param("", "900", "10000", "1040", id="no bid: the fund takes over at bankruptcy"),
        pytest.param("bob buys 10 BTC at 89", "900", "10000", "1040", id="bid beyond bankruptcy: never met"),
        pytest.param("bob buys 10 BTC at 90", "900", "10040", "1000", id="bid at bankruptcy: what one loses the other wins"),
        pytest.param("bob buys 10 BTC at 92", "901.6", "10020", "1018.4", id="bid above: the fee goes to the fund"),
        pytest.param("bob buys 10 BTC at 94", "921.2", "10000", "1018.8", id="bid at the mark: the fee is lost"),
        pytest.param(
            "bob buys 10 BTC at 90; dave buys 10 BTC at 93", "911.4", "10000", "1018.6", id="an honest bid comes first"
        ),
    ],
)
def test_a_friends_bid_gives_the_two_no_more_than_they_had_and_costs_the_fund_nothing(
    bids: str, alice: str, bob: str, fund: str
) -> None:
    """At 94 alice has 940 and bob 10000 before her position is closed, and the fund 1000."""
    instruments = (BTC_WITH_LIQUIDATION_FEE, ETH_PERP)
    table = Table(LONG_10 + bids + "; mark BTC 94", instruments=instruments)
    table.play(("alice", f"total {alice}, BTC flat"), ("bob", f"total {bob}"), ("fund", f"equity {fund}"))
    assert parse_cash(alice) + parse_cash(bob) <= parse_cash("10940")
    assert parse_cash(fund) >= parse_cash("1000")


@pytest.mark.rule("LIQ-004", "LIQ-006")
@pytest.mark.parametrize("sizing", LiquidationSizing)
def test_closing_in_parts_into_a_friends_bid_at_bankruptcy_gives_no_more_than_closing_at_once(
    sizing: LiquidationSizing,
) -> None:
    policy = replace(PLAIN_POLICY, liquidation_sizing=sizing, liquidation_fraction=300_000)
    table = Table(
        LONG_10 + "bob buys 20 BTC at 90; mark BTC 94", policy=policy, instruments=(BTC_WITH_LIQUIDATION_FEE, ETH_PERP)
    )
    table.play(("alice", "total 900, BTC flat"), ("bob", "total 10040, BTC +10"), ("fund", "equity 1000"))


@pytest.mark.rule("LIQ-014")
def test_where_the_fund_pays_for_fills_it_pays_no_friends_bid_below_the_mark_for_a_scope_that_has_equity() -> None:
    """Bankrupt at 90, with the mark at 94: the order stops at bankruptcy as ever, and the fund takes over at 90."""
    policy = replace(PLAIN_POLICY, fund_covers=True, liquidation_slippage=0)
    Table(LONG_10 + "bob buys 10 BTC at 50; mark BTC 94", policy=policy).play(
        ("alice", "total 900"), ("bob", "total 10000, BTC flat"), ("fund", "equity 1040, BTC +10 cost 900")
    )


@pytest.mark.rule("LIQ-014")
def test_nor_one_below_the_mark_for_a_scope_that_a_gap_has_made_bankrupt() -> None:
    """At 85 the fund owes 50 whoever buys. It pays that to a seller at the mark, and bob at 84 gets nothing."""
    policy = replace(PLAIN_POLICY, fund_covers=True, liquidation_slippage=0)
    for bid in ("bob buys 10 BTC at 84", "bob buys 10 BTC at 85"):
        Table(LONG_10 + bid + "; mark BTC 85", policy=policy).play(
            ("alice", "total 900"), ("bob", "total 10000"), ("fund", "equity 950")
        )


@pytest.mark.rule("MARG-017", "LIQ-006")
def test_a_maker_with_a_rebate_gets_none_from_a_liquidation_and_a_wash_trade_costs_more_than_it_earns() -> None:
    """Fees so far: alice's rebate of 1 and carol's 10. A friend's bid meets the liquidation and takes nothing out of them."""
    Table(LONG_10 + "bob buys 10 BTC at 93", instruments=(BTC_WITH_REBATE, ETH_PERP)).play(
        ("fund", "fees 9"),
        (
            "mark BTC 94",
            "liquidation 1 of alice/BTC isolated, cleared 0, accepted 4, "
            "trade 10@93 maker 3 taker 4 maker_fee 0 taker_fee 18.6, filled 3, filled 4, "
            "settled 10/10 BTC sell at 90, finished 1",
        ),
        ("fund", "fees 9, wallet 1018.6"),
        ("bob buys 9 BTC at 94", "accepted 5, rested 5"),
        (
            "alice sells 9 BTC at 94",
            "accepted 6, trade 9@94 maker 5 taker 6 maker_fee -0.846 taker_fee 8.46, filled 5, filled 6",
        ),
    )


# -- trading with the fund ---------------------------------------------------------------------------------------------

UNWINDS = replace(PLAIN_POLICY, fund_unwind_fraction=1_000_000, fund_unwind_book_share=1_000_000)
TAKEN_OVER = LONG_10 + "mark BTC 94;"
"""The fund has alice's 10 from 90; at 94 it stands at 1040. Market protection ends at 84.6."""


@pytest.mark.rule("LIQ-015", "BOOK-003")
@pytest.mark.parametrize(
    ("bids", "bob", "fund"),
    [
        pytest.param("bob buys 10 BTC at 84", "10000", "1040", id="outside market protection nothing is sold"),
        pytest.param("bob buys 10 BTC at 85; dave buys 10 BTC at 93", "10000", "1030", id="honest bids come first"),
        pytest.param("bob buys 10 BTC at 85", "10090", "950", id="without any, at most market protection is lost: 94"),
    ],
)
def test_the_fund_sells_to_the_best_bid_and_never_outside_market_protection(bids: str, bob: str, fund: str) -> None:
    table = Table(TAKEN_OVER + bids + "; wait", policy=UNWINDS)
    table.play(("bob", f"total {bob}"), ("fund", f"equity {fund}"))
    assert parse_cash(fund) >= parse_cash("1040") - parse_cash("94")


@pytest.mark.rule("LIQ-015", "MARK-003")
def test_wash_trades_at_a_bad_price_move_neither_the_mark_nor_what_the_fund_sells_at() -> None:
    stage = TAKEN_OVER + "bob buys 1 BTC at 60; carol sells 1 BTC at 60; bob buys 20 BTC at 60; wait"
    Table(stage, policy=UNWINDS).play(
        ("BTC", "mark 94"), ("fund", "equity 1040, BTC +10"), ("carol", "total 10026"), ("bob", "total 10034")
    )


# -- modes, leverage, margin and withdrawals at the last moment ----------------------------------------------------------


@pytest.mark.rule("MARG-021")
def test_neither_a_losing_nor_a_winning_leg_leaves_a_pool_that_needs_it() -> None:
    """Equity 125 over 96 of maintenance; either leg would need more than the pool can spare."""
    stage = (
        "alice deposits 205; carol deposits 10000; mark BTC 100 ETH 100; alice buys 10 BTC at 100; alice buys 10 ETH at 100;"
    )
    stage += "carol sells 10 BTC at 100; carol sells 10 ETH at 100;"
    Table(stage + "mark BTC 88 ETH 104").play(
        ("alice", "equity 125, mm 96"),
        ("alice sets BTC isolated", "refused margin.switch_insufficient"),
        ("alice sets ETH isolated", "refused margin.switch_insufficient"),
        ("alice withdraws 0.000001", "refused margin.withdraw_above_available"),
    )


@pytest.mark.rule("MARG-021", "CONS-004")
def test_a_losing_leg_that_is_isolated_takes_its_loss_and_its_margin_along_and_costs_what_it_would_have_cost() -> None:
    """Isolated at 96 with 96 and its loss of 40; below that the wallet is what it can lose, put in before the fall."""
    stage = MONEY + "alice buys 10 BTC at 100; carol sells 10 BTC at 100; dave buys 10 BTC at 91; mark BTC 96;"
    Table(stage).play(
        ("alice sets BTC isolated", "mode BTC isolated moved 136"),
        ("alice", "total 960, wallet 864, BTC +10 isolated 136 equity 96"),
        ("alice sets BTC cross", "mode BTC cross moved -136"),
        ("alice", "total 960, wallet 1000"),
        ("alice sets BTC isolated", "mode BTC isolated moved 136"),
        (
            "mark BTC 90",
            "liquidation 1 of alice/BTC isolated equity 36, cleared 0, accepted 4 limit 87, "
            "trade 10@91 maker 3 taker 4, filled 3, filled 4, settled 10/10 BTC sell at 87, finished 1 returned 46",
        ),
        ("alice", "total 910"),
        ("fund", "equity 1000"),
    )


@pytest.mark.rule("LIQ-001", "MARG-021")
def test_once_flagged_a_scope_can_neither_be_switched_nor_emptied() -> None:
    waits = replace(PLAIN_POLICY, unfilled=type(PLAIN_POLICY.unfilled)("wait"))
    Table(LONG_10 + "mark BTC 94", policy=waits).play(
        ("alice", "BTC +10 flagged yes"),
        ("alice sets BTC cross", "refused margin.liquidation_in_progress"),
        ("alice sets BTC leverage 5", "refused margin.liquidation_in_progress"),
        ("alice removes 1 from BTC", "refused margin.liquidation_in_progress"),
        ("alice buys 1 BTC at 94", "rejected margin.liquidation_in_progress"),
    )


@pytest.mark.rule("MARG-016", "MARG-022", "MARG-027")
@pytest.mark.parametrize("how", ["leverage", "withdrawal"])
def test_whoever_takes_out_all_that_may_go_just_before_the_mark_moves_leaves_enough_for_the_closing(how: str) -> None:
    """Isolated at leverage 5 then 10, or cross: 100 stay behind 10 lots, and 94 is the first mark that liquidates."""
    if how == "leverage":
        stage = (
            MONEY + "alice sets BTC isolated; alice sets BTC leverage 5; alice buys 10 BTC at 100; carol sells 10 BTC at 100;"
        )
        most, more = "removes 100 from BTC", "removes 100.000001 from BTC"
        stage += "alice sets BTC leverage 10;"
        refused, done = "refused margin.remove_above_maximum", "moved -100"
    else:
        stage = MONEY + "alice buys 10 BTC at 100; carol sells 10 BTC at 100;"
        most, more = "withdraws 900", "withdraws 900.000001"
        refused, done = "refused margin.withdraw_above_available", "withdrawn 900"
    Table(stage + "dave buys 10 BTC at 93").play(
        (f"alice {more}", refused),
        (f"alice {most}", done),
        ("alice", "BTC +10 equity 100"),
        ("mark BTC 95", ""),
        ("alice", "BTC +10 equity 50"),
    )
    table = Table(stage + f"dave buys 10 BTC at 93; alice {most}; mark BTC 95; mark BTC 94")
    table.play(("alice", "BTC flat"), ("fund", "equity 1000"), ("dave", "BTC +10"))


# -- two accounts against each other -----------------------------------------------------------------------------------

PAIR = "alice sets BTC isolated; bob sets BTC isolated; alice buys 10 BTC at 100; bob sells 10 BTC at 100;"
"""Each has 100 behind 10 lots; what one wins the other loses, until one is bankrupt."""
BY_STEPS = "mark BTC 98; mark BTC 96; mark BTC 94; mark BTC 92; mark BTC 90; mark BTC 85"


@pytest.mark.rule("LIQ-005", "LIQ-006", "CONS-004")
def test_one_leg_bankrupt_on_purpose_while_the_other_wins_gives_nothing_where_the_mark_moves_in_steps() -> None:
    """Alice is sold at 93 for what is still hers. From then on bob's win is what dave loses, who bought freely."""
    Table(MONEY + PAIR + "dave buys 10 BTC at 93;" + BY_STEPS).play(
        ("alice", "total 930, BTC flat"),
        ("bob", "total 10150, BTC -10"),
        ("dave", "total 9920"),
        ("fund", "equity 1000"),
    )


@pytest.mark.rule("LIQ-008")
def test_nor_after_a_gap_where_deleveraging_meets_the_other_leg() -> None:
    """At 85 alice has lost 50 more than she put in; bob, the only one opposite, is closed at her bankruptcy, 90."""
    stage = MONEY.replace("fund deposits 1000;", "")
    Table(stage + PAIR + "mark BTC 85").play(
        ("alice", "total 900, BTC flat"), ("bob", "total 10100, BTC flat"), ("fund", "equity 0")
    )


@pytest.mark.rule("LIQ-007")
def test_a_gap_beyond_the_margin_is_what_the_fund_is_for_and_what_it_pays_is_what_no_book_could_close() -> None:
    """As on any venue: at 85 alice lacks 50, which the fund pays with its eyes open; bob has won 150 and she lost 100."""
    Table(MONEY + PAIR + "dave buys 10 BTC at 84; mark BTC 85").play(
        ("alice", "total 900, BTC flat"), ("bob", "total 10150, BTC -10"), ("fund", "equity 950, BTC +10 cost 900")
    )


@pytest.mark.rule("MARG-013")
def test_an_owner_cannot_sell_to_a_friend_at_a_price_that_leaves_the_loss_to_the_fund() -> None:
    """With 60 left at 96, ten lots may go for 90 and no less: down to nothing, all of it alice's own."""
    stage = LONG_10 + "mark BTC 96; bob buys 10 BTC at 89;"
    Table(stage).play(
        ("alice sells 10 BTC at 89", "accepted 4, canceled 4 margin.reduce_below_maintenance"),
        ("alice sells 9 BTC at 89", "accepted 5, canceled 5 margin.reduce_below_maintenance"),
        ("bob cancels all", "canceled 3 order.canceled_by_owner"),
        ("bob buys 10 BTC at 90", "accepted 6, rested 6"),
        ("alice sells 10 BTC at 90", "accepted 7, trade 10@90 maker 6 taker 7 taker_out 0, filled 6, filled 7"),
        ("alice", "total 900"),
        ("bob", "total 10060"),
        ("fund", "equity 1000"),
    )


# -- orders ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-009", "MARG-010", "MARG-012")
def test_orders_on_many_symbols_hold_no_more_than_there_is_and_fill_no_further_than_margin_lasts() -> None:
    """Three lots of each hold 30 and two units. After the marks have fallen to 80 the first fill brings a loss of 60."""
    stage = "alice deposits 100; carol deposits 10000; mark BTC 100 ETH 100 SOL 100;"
    stage += "alice buys 3 BTC at 100; alice buys 3 ETH at 100; alice buys 3 SOL at 100;"
    Table(stage, instruments=(BTC_PERP, ETH_PERP, SOL_PERP)).play(
        ("alice", "held 90.000006, available 9.999994"),
        ("alice buys 1 BTC at 100", "rejected margin.initial_insufficient required 10.000002"),
        ("mark BTC 80 ETH 80 SOL 80", ""),
        ("alice", "available -170.000006"),
        ("carol sells 3 BTC at 100", "accepted 4, trade 3@100 maker 1 taker 4, filled 1, filled 4"),
        ("alice", "equity 40, im 24"),
        ("carol sells 3 ETH at 100", "accepted 5, canceled 2 margin.maker_fill_check_failed, rested 5"),
        ("carol sells 3 SOL at 100", "accepted 6, canceled 3 margin.maker_fill_check_failed, rested 6"),
        ("alice", "equity 40, held 0, BTC +3, ETH flat, SOL flat"),
    )


@pytest.mark.rule("BOOK-007", "BOOK-010", "MARG-008")
def test_a_flood_of_reduce_only_orders_holds_nothing_is_bounded_and_never_flips_the_position() -> None:
    flood = "".join(f"alice sells 10 BTC at {101 + n} reduce-only;" for n in range(5))
    Table(LONG_10 + flood, limits=VenueLimits(open_orders_max=5)).play(
        ("alice", "held 0, orders 3:10+4:10+5:10+6:10+7:10"),
        ("alice sells 10 BTC at 110 reduce-only", "rejected order.open_orders_maximum"),
        (
            "carol buys 50 BTC at 110 ioc",
            "accepted 8, trade 10@101 maker 3 taker 8, filled 3, canceled 4 order.reduce_only_nothing_left, "
            "canceled 5 order.reduce_only_nothing_left, canceled 6 order.reduce_only_nothing_left, "
            "canceled 7 order.reduce_only_nothing_left, canceled 8 order.ioc_remainder",
        ),
        ("alice", "BTC flat, total 1010"),
    )


# -- collateral --------------------------------------------------------------------------------------------------------

COINS_ONLY = "alice deposits 3 of COIN; carol deposits 10000; bob deposits 10000; dave deposits 10000; mark BTC 100 ETH 100;"
"""Three coins count for 240; alice has no money."""


@pytest.mark.rule("MARG-026", "MARG-027")
def test_a_coin_whose_value_is_needed_cannot_be_withdrawn_before_the_mark_moves() -> None:
    """100 of the 240 are margin: 1.25 coins stay. At 94 the book closes the position and the coins pay what was lost."""
    stage = COINS_ONLY + "alice buys 10 BTC at 100; carol sells 10 BTC at 100; dave buys 10 BTC at 94;"
    Table(stage, collateral=(COIN,)).play(
        ("alice withdraws 1.751 of COIN", "refused margin.withdraw_above_available"),
        ("alice withdraws 1.75 of COIN", "withdrawn 1.75 of COIN"),
        (
            "mark BTC 94",
            "liquidation 1 of alice cross equity 40, cleared 0, accepted 4 limit 90, trade 10@94 maker 3 taker 4, filled 3, "
            "filled 4, settled 10/10 BTC sell at 90, sold 0.75 of COIN proceeds 60, finished 1 owner 0.4",
        ),
        ("alice", "wallet 0, COIN 0.5"),
        ("fund", "COIN 0.75, wallet -60, equity 0"),
    )


@pytest.mark.rule("MARG-026", "LIQ-010")
def test_a_deleveraged_account_pays_its_debt_out_of_its_own_collateral_before_the_fund_pays_anything() -> None:
    """Alice owes 140 of a closed loss, backed by coins. Deleveraging gives her 100 and leaves her flat."""
    stage = COINS_ONLY + "carol sets BTC isolated; carol buys 10 BTC at 100; alice sells 10 BTC at 100;"
    stage += "alice buys 10 ETH at 100; bob sells 10 ETH at 100; mark ETH 86; bob buys 10 ETH at 86; alice sells 10 ETH at 86;"
    Table(stage, collateral=(COIN,)).play(
        ("alice", "wallet -140, equity 100, COIN 3"),
        (
            "mark BTC 85",
            "liquidation 1 of carol/BTC isolated equity -50, cleared 0, accepted 7, canceled 7 order.ioc_remainder, "
            "settled 0/10 BTC sell at 90, adl 10 to alice other_pnl 100 fund_change 0, "
            "sold 0.5 of COIN proceeds 40, finished 1",
        ),
        ("alice", "wallet 0, COIN 2.5"),
        ("fund", "COIN 0.5, wallet -40, equity 0"),
    )


@pytest.mark.rule("MARG-026")
def test_a_coin_that_falls_to_next_to_nothing_is_a_gap_that_its_owners_other_money_pays_for_first() -> None:
    """At 95 alice has lost 50: her 20 go, the coins go for the 0.024 that they still count for, the fund pays 29.976."""
    stage = (
        COINS_ONLY + "alice deposits 20; fund deposits 1000; alice buys 10 BTC at 100; carol sells 10 BTC at 100; mark BTC 95;"
    )
    Table(stage + "collateral COIN 0.01", collateral=(COIN,)).play(
        ("alice", "wallet 0, total 0, COIN 0"),
        ("fund", "COIN 3, equity 970.024"),
    )


# -- funding and socialised losses -------------------------------------------------------------------------------------


@pytest.mark.rule("FUND-002", "FUND-003", "LIQ-007")
def test_funding_at_its_cap_does_not_bankrupt_a_scope_that_was_healthy_when_the_cap_is_no_more_than_maintenance() -> None:
    """5 % of 950 is 47.5 of the 50 that alice has left; bob gets it, and the rest is what the fund takes her over for."""
    terms = FundingTerms(
        interval=8 * 3_600 * 10**9,
        interest=50_000_000,
        clamp=50_000_000,
        cap=50_000_000,
        impact_notional=parse_cash("100"),
    )
    instruments = (replace(BTC_PERP, funding=terms), ETH_PERP)
    Table(MONEY + PAIR + "mark BTC 95", instruments=instruments).play(
        (
            "wait until 8h",
            "funding BTC 0.05, funded alice/BTC -47.5, funded bob/BTC 47.5, liquidation 1 of alice/BTC isolated equity 2.5, "
            "cleared 0, accepted 3, canceled 3 order.ioc_remainder, settled 0/10 BTC sell at 95, "
            "takeover 10 to fund value 947.5, finished 1 fund_paid 0",
        ),
        ("alice", "total 900"),
        ("bob", "total 10097.5"),
        ("fund", "equity 1002.5"),
    )


SHARED_LOSS = (
    "alice deposits 10000; bob deposits 10000; carol deposits 10000; dave deposits 1000; erin deposits 1000;"
    "frank deposits 10000; fund deposits 30; mark BTC 100 ETH 100; erin sets BTC isolated; dave sells 35 BTC at 100;"
    "erin buys 10 BTC at 100; carol buys 25 BTC at 100; mark BTC 95; dave buys 30 ETH at 100; frank sells 30 ETH at 100;"
    "alice buys 25 BTC at 48; carol sells 25 BTC at 48;"
)
"""At BTC 60 and ETH 28 erin lacks 300, the fund has 30. Of the winners dave has 240, and alice, who bought at 48, won 300."""


@pytest.mark.rule("LIQ-009")
@pytest.mark.parametrize(
    ("before", "alice", "bob", "dave", "fund"),
    [
        pytest.param("", "10150", "10000", "120", "0", id="held: 150 of the 270 are alice's"),
        pytest.param("bob buys 25 BTC at 95; alice sells 25 BTC at 95;", "11175", "9125", "0", "-30", id="sold to a friend"),
    ],
)
def test_a_loss_is_shared_by_those_who_have_won_at_the_mark_that_caused_it_and_none_pays_more_than_it_has(
    before: str, alice: str, bob: str, dave: str, fund: str
) -> None:
    """What was won and sold before the fall is out of reach, here as anywhere; the fall itself leaves no time to do so."""
    policy = replace(PLAIN_POLICY, bad_debt=BadDebtPolicy.SOCIALIZE)
    Table(SHARED_LOSS + before + "mark BTC 60 ETH 28", policy=policy).play(
        ("alice", f"total {alice}"), ("bob", f"total {bob}"), ("dave", f"total {dave}"), ("fund", f"equity {fund}")
    )
