"""Marks: what is refused, how one is made of its index and the book, and what a stale one forbids."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import FundingTerms, IndexMarkTerms
from tests.cast import BTC_PERP, ETH_PERP, FINE_PERP, PLAIN_POLICY, cash
from tests.scenarios.table import Table

HOUR = 3_600 * 10**9
STAGE = "alice deposits 1000; bob deposits 1000; carol deposits 1000;"
LONG_10 = STAGE + "mark BTC 100 ETH 100; alice sets BTC isolated; alice buys 10 BTC at 100; bob sells 10 BTC at 100"
"""Alice is isolated long 10 at 100 with 100 in the position's wallet; order ids 1 and 2 are used."""

OF_INDEX = IndexMarkTerms(band=50_000, basis_window=100 * 10**9)
"""Within 5 % of the index; the basis is an average over 100 s."""
FINE = replace(FINE_PERP, index_mark=OF_INDEX)
BTC, ETH = replace(BTC_PERP, index_mark=OF_INDEX), replace(ETH_PERP, index_mark=OF_INDEX)
CARRIED = replace(
    FINE,
    funding=FundingTerms(interval=8 * HOUR, interest=10_000_000, clamp=10_000_000, cap=20_000_000, impact_notional=cash("50")),
)
"""Pays one percent each 8 hours while its book shows no premium."""
JUMPS = replace(PLAIN_POLICY, mark_jump_max=100_000)
STALE = replace(PLAIN_POLICY, mark_stale_after=60 * 10**9)


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARK-001")
@pytest.mark.parametrize("said", ["mark", "index"])
def test_one_bad_price_refuses_the_whole_update(said: str) -> None:
    Table(f"{said} BTC 100 ETH 100").play(
        (f"{said} BTC 90 ETH 0", "refused mark.price_out_of_range symbol ETH actual 0"),
        (f"{said} BTC 90 ETH -1", "refused mark.price_out_of_range"),
        (f"{said} BTC 90 ETH {2**40 + 1}", f"refused mark.price_out_of_range limit {2**40} actual {2**40 + 1}"),
        (f"{said} BTC 90 XRP 5", "refused order.unknown_symbol"),
        (f"{said} BTC 90 ETH 90 BTC 91", "refused mark.symbol_repeated symbol BTC"),
        ("BTC", f"{said} 100"),
        ("ETH", f"{said} 100"),
        (f"{said} BTC {2**40} ETH 1", ""),
        ("BTC", f"{said} {2**40}"),
    )


@pytest.mark.rule("MARK-002")
@pytest.mark.parametrize("said", ["mark", "index"])
def test_a_price_too_far_from_the_one_before_is_refused_naming_the_nearest_that_is_not(said: str) -> None:
    Table(policy=JUMPS).play(
        (f"{said} BTC 105 ETH 3", ""),
        (f"{said} BTC 116", "refused mark.jump_too_far limit 115 actual 116"),
        (f"{said} BTC 94", "refused mark.jump_too_far limit 95 actual 94"),
        (f"{said} ETH 3 BTC 94", "refused mark.jump_too_far symbol BTC"),
        (f"{said} BTC 115", ""),
        (f"{said} BTC 126", ""),
        (f"{said} BTC 114", ""),
        ("BTC", f"{said} 114"),
    )


@pytest.mark.rule("MARK-002")
def test_without_a_bound_any_jump_is_taken() -> None:
    Table(LONG_10).play(("mark ETH 1", ""), (f"mark ETH {2**40}", ""))


@pytest.mark.rule("MARK-003")
def test_a_mark_that_is_made_of_its_index_cannot_be_told() -> None:
    Table("index BTC 100", instruments=[BTC, ETH_PERP]).play(
        ("mark ETH 50 BTC 100", "refused mark.made_from_index symbol BTC"),
        ("ETH", "mark none"),
        ("mark ETH 50", ""),
        ("index ETH 49", ""),
        ("ETH", "mark 50, index 49"),
    )


# -- made of the index -------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARK-003")
def test_the_mark_is_the_index_where_the_book_says_nothing() -> None:
    Table(instruments=[FINE]).play(
        ("FINE", "mark none"),
        ("wait", ""),
        ("FINE", "mark none"),
        ("index FINE 10000", ""),
        ("FINE", "mark 10000"),
        ("index FINE 9990", ""),
        ("FINE", "mark 9990"),
    )


@pytest.mark.rule("MARK-003")
def test_the_middle_of_the_book_moves_the_mark_as_its_basis_is_averaged() -> None:
    """The middle is 200 above the index: a quarter of the window takes a quarter of that into the average."""
    stage = STAGE + "index FINE 10000; alice buys 10 FINE at 10100; bob sells 10 FINE at 10300; wait 1ms; wait 25s"
    Table(stage, instruments=[FINE]).play(
        ("FINE", "mark 10050"),
        ("wait 50s", ""),
        ("FINE", "mark 10125"),
        ("wait 100s", ""),
        ("FINE", "mark 10200"),
        ("alice cancels 1", "canceled 1 order.canceled_by_owner"),
        ("wait 100s", ""),
        ("FINE", "mark 10000"),
        ("carol buys 1 FINE at 10300", "accepted 3, trade 1@10300 maker 2 taker 3, filled 3"),
        ("FINE", "mark 10000"),
        ("wait 100s", ""),
        ("FINE", "mark 10200"),
    )


@pytest.mark.rule("MARK-003")
def test_the_mark_stays_within_its_band_of_the_index() -> None:
    stage = STAGE + "index FINE 10000; alice buys 10 FINE at 12000; bob sells 10 FINE at 14000; wait 100s"
    Table(stage, instruments=[FINE]).play(
        ("FINE", "mark 10500"),
        ("index FINE 9999", ""),
        ("FINE", "mark 10498"),
    )


@pytest.mark.rule("MARK-003")
def test_a_fill_moves_no_mark_inside_its_command() -> None:
    """The last trade is one of the three prices, but only when the mark is made the next time."""
    stage = STAGE + "index FINE 10000; alice buys 10 FINE at 10100; bob sells 10 FINE at 10300; wait 100s; alice cancels 1"
    Table(stage, instruments=[FINE]).play(
        ("index FINE 10000", ""),
        ("FINE", "mark 10000"),
        ("carol buys 1 FINE at 10300", "accepted 3, trade 1@10300 maker 2 taker 3, filled 3"),
        ("FINE", "mark 10000"),
        ("bob buys 1 FINE at 10190", "accepted 4, rested 4"),
        ("carol sells 1 FINE at 10190", "accepted 5, trade 1@10190 maker 4 taker 5, filled 4, filled 5"),
        ("FINE", "mark 10000"),
        ("index FINE 10000", ""),
        ("FINE", "mark 10190"),
    )


@pytest.mark.rule("MARK-003", "LIQ-011")
def test_the_fills_of_a_liquidation_move_no_mark_inside_its_command_either() -> None:
    """The book's middle of 92 has pulled the average basis to -8, so that the last trade decides once it is below the index."""
    stage = LONG_10.replace("mark BTC 100 ETH 100", "index BTC 100") + "; carol buys 10 BTC at 90; carol sells 1 BTC at 94"
    Table(stage + "; wait 100s", instruments=[BTC]).play(
        ("BTC", "mark 100"),
        (
            "index BTC 94",
            "liquidation 1 of alice/BTC isolated equity 40 mm 47, cleared 0, accepted 5, trade 10@90 maker 3 taker 5,"
            "filled 3, filled 5, settled 10/10 BTC sell at 90, finished 1",
        ),
        ("BTC", "mark 94"),
        ("wait", ""),
        ("BTC", "mark 90"),
    )


@pytest.mark.rule("MARK-003")
def test_the_carried_index_comes_down_to_the_index_at_the_funding_time() -> None:
    """With the last trade far above and no basis, the mark is the index with what is left of one percent."""
    stage = STAGE + (
        "index FINE 10000; alice buys 10 FINE at 10400; bob sells 10 FINE at 10400; wait until 8h; index FINE 10000"
    )
    table = Table(stage, instruments=[CARRIED])
    table.play(
        ("FINE", "mark 10100, last_rate 0.01"),
        ("wait 2h", ""),
        ("FINE", "mark 10075"),
        ("wait 2h", ""),
        ("FINE", "mark 10050"),
        ("wait until 8h", "funding FINE 0.01 mark 10000, funded alice/FINE -1, funded bob/FINE 1"),
        ("index FINE 10000", ""),
        ("FINE", "mark 10100"),
    )


@pytest.mark.rule("MARK-003", "MARG-019")
def test_several_index_prices_in_one_update_count_as_one() -> None:
    """Alice's pool is long BTC and short ETH: neither price alone would leave her healthy."""
    stage = (
        "alice deposits 205; bob deposits 5000; index BTC 100 ETH 100; alice buys 10 BTC at 100; bob sells 10 BTC at 100;"
        "alice sells 10 ETH at 100; bob buys 10 ETH at 100"
    )
    Table(stage, instruments=[BTC, ETH]).play(
        ("index BTC 80 ETH 80", ""),
        ("alice", "equity 205, mm 80"),
        ("index ETH 92 BTC 92", ""),
        (
            "index BTC 80",
            "liquidation 1 of alice cross equity 85 mm 86, cleared 0, accepted 5, canceled 5 order.ioc_remainder,"
            "settled 0/10 ETH buy at 96, adl 10 to bob, accepted 6, canceled 6 order.ioc_remainder,"
            "settled 0/10 BTC sell at 77, adl 10 to bob, finished 1",
        ),
    )


# -- stale marks -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARK-004")
def test_at_a_stale_mark_orders_may_only_reduce() -> None:
    Table(LONG_10, policy=STALE).play(
        ("wait 60s", ""),
        ("mark ETH 100", ""),
        ("bob sells 1 BTC at 110", "rejected margin.mark_stale"),
        ("carol buys 1 BTC at 100", "rejected margin.mark_stale"),
        ("carol buys 1 ETH at 100", "accepted 3, rested 3"),
        ("bob buys 4 BTC at 100", "accepted 4, rested 4"),
        ("alice sells 4 BTC at 100", "accepted 5, trade 4@100 maker 4 taker 5, filled 4, filled 5"),
        ("mark BTC 100", ""),
        ("carol buys 1 BTC at 100", "accepted 6, rested 6"),
    )


@pytest.mark.rule("MARK-004", "CONS-005")
def test_a_stale_mark_starts_no_liquidation_and_the_next_fresh_one_does() -> None:
    """Funding takes alice below maintenance while nobody says what BTC is worth."""
    funding = FundingTerms(interval=8 * HOUR, interest=60_000_000, clamp=60_000_000, cap=60_000_000, impact_notional=cash("1"))
    Table(LONG_10, instruments=[replace(BTC_PERP, funding=funding), ETH_PERP], policy=STALE).play(
        ("wait until 8h", "funding BTC 0.06, funded alice/BTC -60 wallet 40, funded bob/BTC 60"),
        ("alice", "BTC +10 equity 40 mm 50 flagged no"),
        ("wait 1h", ""),
        ("alice removes 1 from BTC", "refused margin.mark_stale"),
        ("mark ETH 100", ""),
        ("alice", "BTC +10 equity 40 mm 50 flagged no"),
        (
            "mark BTC 100",
            "liquidation 1 of alice/BTC isolated equity 40 mm 50, cleared 0, accepted 3, canceled 3 order.ioc_remainder,"
            "settled 0/10 BTC sell at 96, adl 10 to bob, finished 1",
        ),
    )


@pytest.mark.rule("MARK-004", "CONS-005")
def test_one_stale_mark_keeps_the_whole_cross_pool_from_being_liquidated() -> None:
    stage = STAGE.replace("alice deposits 1000", "alice deposits 210") + (
        "mark BTC 100 ETH 100; alice buys 10 BTC at 100; bob sells 10 BTC at 100; alice buys 10 ETH at 100;"
        "carol sells 10 ETH at 100; wait 61s"
    )
    Table(stage, policy=STALE).play(
        ("mark ETH 80", ""),
        ("alice", "equity 10, mm 90, flagged no"),
        (
            "mark BTC 100",
            "liquidation 1 of alice cross equity 10 mm 90, cleared 0, accepted 5, canceled 5 order.ioc_remainder,"
            "settled 0/10 BTC sell at 100, adl 10 to bob, accepted 6, canceled 6 order.ioc_remainder,"
            "settled 0/10 ETH sell at 80, adl 10 to carol, finished 1",
        ),
    )


@pytest.mark.rule("MARK-004")
def test_passing_time_moves_a_mark_made_of_an_old_index_but_makes_it_no_fresher() -> None:
    """Book and trades drag the mark down to 94; alice is liquidated when somebody tells the index again, not before."""
    stage = LONG_10.replace("mark BTC 100 ETH 100", "index BTC 100") + (
        "; carol buys 2 BTC at 93; carol sells 1 BTC at 95; bob sells 1 BTC at 93"
    )
    instrument = replace(BTC, index_mark=replace(OF_INDEX, band=100_000))
    Table(stage, instruments=[instrument], policy=STALE).play(
        ("wait 100s", ""),
        ("BTC", "mark 94, index 100"),
        ("alice", "BTC +10 equity 40 mm 47 flagged no"),
        ("wait 1h", ""),
        ("alice", "BTC +10 equity 40 mm 47 flagged no"),
        (
            "index BTC 100",
            "liquidation 1 of alice/BTC isolated equity 40 mm 47, cleared 0, accepted 6, trade 1@93 maker 3 taker 6, filled 3,"
            "canceled 6 order.ioc_remainder, settled 1/10 BTC sell at 90, adl 9 to bob, finished 1",
        ),
        ("BTC", "mark 94"),
    )
