"""How the insurance fund gets rid of what it took over: slice by slice, through the public book, as anybody would."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.cast import BTC_WITH_FEES, ETH_PERP, PLAIN_POLICY, cash
from tests.scenarios.table import Table

HOUR = 3_600 * 10**9
UNWIND = replace(PLAIN_POLICY, fund_unwind_fraction=200_000, fund_unwind_book_share=1_000_000)
"""A fifth of the position at a time, of all that rests, and as often as there is news."""
STAGE = "alice deposits 10000; carol deposits 10000; bob deposits 1000; fund deposits 1000; mark BTC 100 ETH 100;"
STAGE += "bob sets BTC isolated;"
FUND_LONG = STAGE + "bob buys 10 BTC at 100; alice sells 10 BTC at 100; mark BTC 94"
"""The fund has taken 10 lots over for 900; order ids 1 to 3 are used."""
FUND_SHORT = STAGE + "bob sells 10 BTC at 100; alice buys 10 BTC at 100; mark BTC 106"
"""The fund is short 10 lots for 1100."""


@pytest.mark.rule("LIQ-015")
def test_a_fifth_of_what_is_left_rounded_up_goes_with_each_mark() -> None:
    """10, 8, 6, 4, 3, 2: a fifth of each, rounded up, is 2, 2, 2, 1 and 1. The limit is a tenth below the mark."""
    Table(FUND_LONG + "; carol buys 100 BTC at 94", policy=UNWIND).play(
        ("fund", "BTC +10 cost 900, wallet 1000"),
        (
            "mark BTC 94",
            "accepted 5 account insurance_fund side sell quantity 2 limit 85 reducing yes, "
            "trade 2@94 maker 4 taker 5 taker_pnl 8 liquidation none, filled 5",
        ),
        ("fund", "BTC +8 cost 720, wallet 1008"),
        ("mark BTC 94", "accepted 6 quantity 2, trade 2@94 maker 4 taker 6, filled 6"),
        ("mark BTC 93", "accepted 7 quantity 2 limit 84, trade 2@94 maker 4 taker 7, filled 7"),
        ("wait", "accepted 8 quantity 1, trade 1@94 maker 4 taker 8, filled 8"),
        ("mark ETH 101", "accepted 9 quantity 1, trade 1@94 maker 4 taker 9, filled 9"),
        ("fund", "BTC +2 cost 180, wallet 1032"),
    )


@pytest.mark.rule("LIQ-015")
def test_a_short_is_bought_back_the_same_way() -> None:
    Table(FUND_SHORT + "; carol sells 90 BTC at 107", policy=UNWIND).play(
        ("fund", "BTC -10 cost -1100"),
        (
            "mark BTC 106",
            "accepted 5 account insurance_fund side buy quantity 2 limit 116, "
            "trade 2@107 maker 4 taker 5 taker_pnl 6, filled 5",
        ),
        ("fund", "BTC -8 cost -880, wallet 1006"),
    )


@pytest.mark.rule("LIQ-015")
@pytest.mark.parametrize(
    ("news", "outcome"),
    [
        ("carol deposits 1", "credited 1"),
        ("carol buys 1 ETH at 90", "accepted 5, rested 5"),
        ("carol buys 1 BTC at 95", "accepted 5, rested 5"),
        ("continue", ""),
        ("resumes BTC", "resumed BTC"),
        ("mark BTC 0", "refused mark.price_out_of_range"),
    ],
)
def test_only_prices_and_passing_time_bring_a_slice(news: str, outcome: str) -> None:
    Table(FUND_LONG + "; carol buys 10 BTC at 94", policy=replace(UNWIND, fund_unwind_interval=HOUR)).play(
        (news, outcome), ("fund", "BTC +10")
    )


@pytest.mark.rule("LIQ-015")
def test_without_a_fraction_the_fund_keeps_what_it_has() -> None:
    Table(FUND_LONG + "; carol buys 10 BTC at 94", policy=PLAIN_POLICY).play(
        ("mark BTC 94", ""),
        ("wait 24h", ""),
        ("fund", "BTC +10"),
    )


@pytest.mark.rule("LIQ-015")
@pytest.mark.parametrize(("least", "lots"), [("188", 2), ("188.000001", 3), ("846", 9), ("846.000001", 10), ("5000", 10)])
def test_a_slice_is_at_least_so_much_or_all_that_is_left(least: str, lots: int) -> None:
    policy = replace(UNWIND, fund_unwind_notional_min=cash(least))
    end = ", filled 4" if lots == 10 else ""
    Table(FUND_LONG + "; carol buys 10 BTC at 94", policy=policy).play(
        ("mark BTC 94", f"accepted 5 quantity {lots}, trade {lots}@94 maker 4 taker 5{end}, filled 5"),
    )


@pytest.mark.rule("LIQ-015")
@pytest.mark.parametrize(("resting", "lots"), [(3, None), (4, 1), (7, 1), (8, 2), (100, 2)])
def test_a_slice_takes_no_more_than_its_share_of_what_rests(resting: int, lots: int | None) -> None:
    """A quarter, rounded down: three lots are too few to take any."""
    policy = replace(UNWIND, fund_unwind_book_share=250_000)
    sold = "" if lots is None else f"accepted 5 quantity {lots}, trade {lots}@94 maker 4 taker 5, filled 5"
    Table(FUND_LONG + f"; carol buys {resting} BTC at 94", policy=policy).play(("mark BTC 94", sold))


@pytest.mark.rule("LIQ-015")
def test_what_rests_beyond_market_protection_is_neither_met_nor_counted() -> None:
    """From 84.6 on: 85 is within, 84 is not."""
    Table(FUND_LONG + "; carol buys 1 BTC at 85; carol buys 9 BTC at 84", policy=UNWIND).play(
        ("mark BTC 94", "accepted 6 quantity 1 limit 85, trade 1@85 maker 4 taker 6, filled 4, filled 6"),
        ("mark BTC 94", ""),
        ("fund", "BTC +9"),
    )


@pytest.mark.rule("LIQ-015")
def test_no_more_than_one_slice_comes_per_interval_and_symbol() -> None:
    policy = replace(UNWIND, fund_unwind_interval=HOUR)
    Table(FUND_LONG + "; carol buys 100 BTC at 94", policy=policy).play(
        ("mark BTC 94", "accepted 5 quantity 2, trade 2@94 maker 4 taker 5, filled 5"),
        ("mark BTC 94", ""),
        ("wait 3599s", ""),
        ("wait 999ms", "accepted 6 quantity 2, trade 2@94 maker 4 taker 6, filled 6"),
        ("wait 3599s", ""),
        ("wait 1s", "accepted 7, trade 2@94 maker 4 taker 7, filled 7"),
    )


@pytest.mark.rule("LIQ-015")
def test_the_interval_begins_with_a_slice_and_not_with_a_look_in_vain() -> None:
    policy = replace(UNWIND, fund_unwind_interval=HOUR)
    Table(FUND_LONG, policy=policy).play(
        ("mark BTC 94", ""),
        ("carol buys 10 BTC at 94", "accepted 4, rested 4"),
        ("mark BTC 94", "accepted 5 quantity 2, trade 2@94 maker 4 taker 5, filled 5"),
    )


@pytest.mark.rule("LIQ-015", "MARG-017")
def test_the_fund_pays_the_takers_fee_and_its_maker_has_its_own() -> None:
    stage = "alice deposits 10000; carol deposits 10000; bob deposits 1000; fund deposits 1000; mark BTC 100; "
    stage += "bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100; mark BTC 94; carol buys 10 BTC at 94"
    table = Table(stage, policy=UNWIND, instruments=(BTC_WITH_FEES, ETH_PERP))
    table.play(
        ("fund", "fees 11, wallet 1000"),
        ("mark BTC 94", "accepted 5, trade 2@94 maker 4 taker 5 maker_fee 0.188 taker_fee 1.88 taker_pnl 8, filled 5"),
        ("fund", "fees 13.068, wallet 1006.12"),
    )


@pytest.mark.rule("LIQ-015")
def test_a_fund_that_owes_more_than_it_has_is_not_refused() -> None:
    """135 were just enough to take the position over at 85; at 50 it is 400 under water."""
    stage = "alice deposits 10000; carol deposits 10000; bob deposits 1000; fund deposits 135; mark BTC 100;"
    stage += "bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100; mark BTC 85; carol buys 10 BTC at 50"
    Table(stage, policy=replace(UNWIND, fund_unwind_fraction=500_000)).play(
        ("fund", "wallet 135, BTC +10 cost 900"),
        ("mark BTC 50", "accepted 5 quantity 5, trade 5@50 maker 4 taker 5 taker_pnl -200, filled 5"),
        ("mark BTC 50", "accepted 6 quantity 3, trade 3@50 maker 4 taker 6 taker_pnl -120, filled 6"),
        ("fund", "wallet -185, BTC +2"),
    )


@pytest.mark.rule("LIQ-015", "BOOK-017")
def test_nothing_is_sold_in_a_halt() -> None:
    Table(FUND_LONG + "; carol buys 10 BTC at 94; halts BTC", policy=UNWIND).play(
        ("mark BTC 94", ""),
        ("resumes BTC", "resumed BTC"),
        ("wait", "accepted 5, trade 2@94 maker 4 taker 5, filled 5"),
    )


@pytest.mark.rule("LIQ-015", "MARK-004")
def test_nothing_is_sold_by_a_stale_mark() -> None:
    policy = replace(UNWIND, mark_stale_after=10**9)
    Table(FUND_LONG + "; carol buys 10 BTC at 94", policy=policy).play(
        ("wait 2s", ""),
        ("mark BTC 94", "accepted 5, trade 2@94 maker 4 taker 5, filled 5"),
    )


@pytest.mark.rule("LIQ-015", "LIQ-011")
def test_a_slice_comes_after_the_liquidations_of_the_same_mark() -> None:
    """Erin's liquidation meets the best bid, and the fund what is left of it."""
    stage = FUND_LONG + "; erin deposits 94.000002; erin buys 10 BTC at 94; alice sells 10 BTC at 94; carol buys 11 BTC at 88"
    Table(stage, policy=UNWIND).play(
        (
            "mark BTC 88",
            "liquidation 2 of erin cross equity 34.000002 mm 44, cleared 0, accepted 7 limit 85, trade 10@88 maker 6 taker 7, "
            "filled 7, settled 10/10 BTC sell at 85, finished 2, "
            "accepted 8 account insurance_fund quantity 1, trade 1@88 maker 6 taker 8, filled 6, filled 8",
        ),
    )
