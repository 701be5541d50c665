"""Funding: who pays whom and into which wallet, what rounding leaves, and what becomes of those who cannot pay."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import FundingTerms, Instrument, TierRow, build_tiers
from exchange.domain.policy import RiskPolicy
from exchange.domain.units import FUNDING_DECIMALS, PPB, parse_decimal
from tests.cast import BTC_PERP, DUST_PERP, ETH_PERP, PLAIN_POLICY, cash
from tests.scenarios.table import Table

HOUR = 3_600 * 10**9
CAP = PPB // 2

STAGE = "alice deposits 1000; bob deposits 1000; carol deposits 1000; mark BTC 100;"
LONG_10 = STAGE + "alice sets BTC isolated; alice buys 10 BTC at 100; bob sells 10 BTC at 100"
"""Alice is isolated long 10 at 100 with 100 in the position's wallet, bob cross short; order ids 1 and 2 are used."""


def paying(rate: str, instrument: Instrument = BTC_PERP) -> Instrument:
    """Return an instrument whose funding is this rate per 8 hours wherever the book shows no premium."""
    ppb = parse_decimal(rate, FUNDING_DECIMALS)
    terms = FundingTerms(interval=8 * HOUR, interest=ppb, clamp=abs(ppb), cap=CAP, impact_notional=cash("100"))
    return replace(instrument, funding=terms)


def following_the_book(interest: str = "0", clamp: str = "0") -> Instrument:
    """Return an instrument whose funding is the premium of one lot, but for what interest and clamp make of it."""
    terms = FundingTerms(
        interval=8 * HOUR,
        interest=parse_decimal(interest, FUNDING_DECIMALS),
        clamp=parse_decimal(clamp, FUNDING_DECIMALS),
        cap=CAP,
        impact_notional=cash("100"),
    )
    return replace(BTC_PERP, funding=terms)


# -- who pays whom -----------------------------------------------------------------------------------------------------


@pytest.mark.rule("FUND-003", "FUND-004")
def test_longs_pay_shorts_at_a_positive_rate_each_from_the_wallet_behind_the_position() -> None:
    Table(LONG_10, instruments=[paying("0.0001")]).play(
        ("alice", "wallet 900, BTC +10 isolated 100"),
        (
            "wait until 8h",
            "funding BTC 0.0001 premium 0 mark 100 residual 0 payments 2, funded alice/BTC -0.1 wallet 99.9 quantity 10,"
            "funded bob/BTC 0.1 wallet 1000.1 quantity -10",
        ),
        ("alice", "wallet 900, BTC +10 isolated 99.9 equity 99.9"),
        ("bob", "wallet 1000.1, equity 1000.1"),
        ("fund", "wallet 0"),
    )


@pytest.mark.rule("FUND-003")
def test_shorts_pay_longs_at_a_negative_rate() -> None:
    Table(LONG_10, instruments=[paying("-0.0001")]).play(
        ("wait until 8h", "funding BTC -0.0001, funded alice/BTC 0.1 wallet 100.1, funded bob/BTC -0.1 wallet 999.9"),
    )


@pytest.mark.rule("FUND-003")
def test_funding_is_counted_at_the_mark_and_nothing_is_paid_without_a_position_or_a_rate() -> None:
    Table(LONG_10, instruments=[paying("0.0001"), paying("0", ETH_PERP)]).play(
        ("mark BTC 120 ETH 50", ""),
        ("alice buys 1 ETH at 50", "accepted 3, rested 3"),
        ("bob sells 1 ETH at 50", "accepted 4, trade 1@50 maker 3 taker 4, filled 3, filled 4"),
        (
            "wait until 8h",
            "funding BTC 0.0001 mark 120, funded alice/BTC -0.12, funded bob/BTC 0.12, funding ETH 0 payments 0 residual 0",
        ),
        ("carol", "wallet 1000"),
    )


@pytest.mark.rule("FUND-003", "CONS-001")
def test_credits_are_rounded_down_and_what_is_left_goes_to_the_fund() -> None:
    """Each lot is worth 100 units: at half a percent three longs pay one unit for half a one, the short gets one for 1.5."""
    stage = (
        "alice deposits 1; bob deposits 1; carol deposits 1; dave deposits 1; mark DUST 100;"
        "dave sells 3 DUST at 100; alice buys 1 DUST at 100; bob buys 1 DUST at 100; carol buys 1 DUST at 100"
    )
    Table(stage, instruments=[paying("0.005", DUST_PERP)]).play(
        (
            "wait until 8h",
            "funding DUST 0.005 residual 0.000002 payments 4, funded alice/DUST -0.000001, funded bob/DUST -0.000001,"
            "funded carol/DUST -0.000001, funded dave/DUST 0.000001",
        ),
        ("fund", "wallet 0.000002"),
    )


@pytest.mark.rule("FUND-003")
def test_one_who_would_get_less_than_a_unit_is_not_told_of_it() -> None:
    stage = "alice deposits 1; bob deposits 1; mark DUST 100; alice sells 1 DUST at 100; bob buys 1 DUST at 100"
    Table(stage, instruments=[paying("0.005", DUST_PERP)]).play(
        ("wait until 8h", "funding DUST 0.005 residual 0.000001 payments 1, funded bob/DUST -0.000001"),
    )


@pytest.mark.rule("FUND-003", "MARG-025")
def test_both_legs_of_a_hedge_are_funded_each_from_its_own_wallet() -> None:
    stage = (
        STAGE + "alice sets hedge mode; alice sets BTC/long isolated; alice buys 10 BTC/long at 100; bob sells 10 BTC at 100;"
        "alice sells 4 BTC/short at 100; bob buys 4 BTC at 100"
    )
    Table(stage, instruments=[paying("0.0001")]).play(
        (
            "wait until 8h",
            "funding BTC 0.0001 payments 3, funded alice/BTC/long -0.1 wallet 99.9, funded alice/BTC/short 0.04 wallet 900.04,"
            "funded bob/BTC 0.06 wallet 1000.06",
        ),
        ("alice", "wallet 900.04, BTC/long +10 isolated 99.9, BTC/short -4 isolated 0"),
    )


@pytest.mark.rule("FUND-003", "LIQ-007")
def test_the_fund_is_an_account_here() -> None:
    """Its long of 10 from the takeover pays 0.1 at a mark of 100, and bob gets it."""
    stage = LONG_10 + "; fund deposits 1000; mark BTC 94"
    Table(stage, instruments=[paying("0.0001")]).play(
        ("fund", "wallet 1000, BTC +10 cost 900"),
        ("mark BTC 100", ""),
        (
            "wait until 8h",
            "funding BTC 0.0001 payments 2 residual 0, funded bob/BTC 0.1 wallet 1000.1, funded fund/BTC -0.1 wallet 999.9",
        ),
        ("fund", "wallet 999.9, BTC +10"),
    )


# -- who cannot pay ----------------------------------------------------------------------------------------------------


@pytest.mark.rule("FUND-003", "CONS-005", "MARG-005")
def test_funding_that_leaves_exactly_maintenance_liquidates_nobody() -> None:
    Table(LONG_10, instruments=[paying("0.05")]).play(
        ("wait until 8h", "funding BTC 0.05, funded alice/BTC -50 wallet 50, funded bob/BTC 50"),
        ("alice", "BTC +10 equity 50 mm 50 flagged no"),
    )


@pytest.mark.rule("FUND-003", "CONS-005", "LIQ-001")
def test_edge_5_funding_that_drains_isolated_margin_below_maintenance_liquidates_in_the_same_command() -> None:
    table = Table(LONG_10 + "; carol buys 10 BTC at 98", instruments=[paying("0.050000001")])
    table.play(
        (
            "wait until 8h",
            "funding BTC 0.050000001, funded alice/BTC -50.000001 wallet 49.999999, funded bob/BTC 50.000001,"
            "liquidation 1 of alice/BTC isolated equity 49.999999 mm 50, cleared 0, accepted 4 limit 96,"
            "trade 10@98 maker 3 taker 4, filled 3, filled 4, settled 10/10 BTC sell at 96, finished 1 returned 29.999999",
        ),
        ("alice", "wallet 929.999999, BTC flat isolated 0"),
    )


@pytest.mark.rule("FUND-003", "LIQ-001")
def test_funding_that_drains_the_cross_pool_below_maintenance_liquidates_it() -> None:
    stage = "alice deposits 101; bob deposits 1000; mark BTC 100; alice buys 10 BTC at 100; bob sells 10 BTC at 100;"
    Table(stage + "bob buys 10 BTC at 98", instruments=[paying("0.052")]).play(
        (
            "wait until 8h",
            "funding BTC 0.052, funded alice/BTC -52 wallet 49, funded bob/BTC 52 wallet 1052,"
            "liquidation 1 of alice cross equity 49 mm 50, cleared 0, accepted 4, trade 10@98 maker 3 taker 4,"
            "filled 3, filled 4, settled 10/10 BTC sell at 96, finished 1",
        ),
        ("alice", "wallet 29"),
    )


@pytest.mark.rule("FUND-003", "LIQ-007")
def test_funding_beyond_all_that_was_put_in_costs_no_more_than_that() -> None:
    """Alice owes 120 of funding on 100 of margin: her equity is -20, which is not her cross wallet's to pay."""
    Table(LONG_10 + "; fund deposits 1000", instruments=[paying("0.12")]).play(
        (
            "wait until 8h",
            "funding BTC 0.12, funded alice/BTC -120 wallet -20, funded bob/BTC 120,"
            "liquidation 1 of alice/BTC isolated equity -20 mm 50, cleared 0, accepted 3, canceled 3 order.ioc_remainder,"
            "settled 0/10 BTC sell at 102, takeover 10 to fund, finished 1",
        ),
        ("alice", "wallet 900, total 900, BTC flat isolated 0"),
        ("bob", "wallet 1120"),
    )


THIN = replace(BTC_PERP, tiers=build_tiers([TierRow(0, 10_000, 50)]), default_leverage=50)
"""Leverage 50 and maintenance 1 %: 10 lots at 100 are carried by 20, at 150 they need 15."""


@pytest.mark.rule("FUND-003", "MARG-023")
def test_edge_5_funding_may_take_an_isolated_wallet_below_zero_while_its_scope_is_healthy() -> None:
    """The worked case of the model: 10 in the wallet, +500 unrealised, 20 of funding; equity 490 over maintenance 15."""
    stage = LONG_10 + "; mark BTC 150; alice removes 10 from BTC"
    table = Table(stage, instruments=[paying("0.013333333", THIN)])
    table.play(
        ("alice", "wallet 990, BTC +10 isolated 10 u 500 equity 510 mm 15"),
        ("wait until 8h", "funding BTC 0.013333333, funded alice/BTC -20 wallet -10, funded bob/BTC 19.999999"),
        ("alice", "wallet 990, BTC +10 isolated -10 equity 490 mm 15 flagged no"),
        ("fund", "wallet 0.000001"),
        ("alice removes 0.000001 from BTC", "refused margin.remove_above_maximum limit 0"),
        ("carol buys 5 BTC at 150", "accepted 3, rested 3"),
        (
            "alice sells 5 BTC at 150",
            "accepted 4, trade 5@150 maker 3 taker 4 taker_pnl 250 taker_out 245, filled 3, filled 4",
        ),
        ("alice", "wallet 1235, BTC +5 isolated -5 equity 245"),
        ("carol buys 5 BTC at 150", "accepted 5, rested 5"),
        ("alice sells 5 BTC at 150", "accepted 6, trade 5@150 maker 5 taker 6 taker_out 245, filled 5, filled 6"),
        ("alice", "wallet 1480, BTC flat isolated 0"),
    )


@pytest.mark.rule("FUND-003", "MARG-023", "MARG-009")
def test_funding_may_take_a_cross_wallet_below_zero_while_its_scope_is_healthy() -> None:
    """Unrealised profit keeps the scope alive; it does not back orders or withdrawals."""
    stage = "alice deposits 30; bob deposits 1000; mark BTC 100; alice buys 10 BTC at 100; bob sells 10 BTC at 100;"
    Table(stage + "mark BTC 150", instruments=[paying("0.03", THIN)]).play(
        ("wait until 8h", "funding BTC 0.03, funded alice/BTC -45 wallet -15, funded bob/BTC 45"),
        ("alice", "wallet -15, equity 485, mm 15, available -45, withdrawable 0"),
        ("alice withdraws 0.000001", "refused margin.withdraw_above_available limit 0"),
        ("alice buys 1 BTC at 150", "rejected margin.initial_insufficient"),
        ("bob buys 10 BTC at 150", "accepted 3, rested 3"),
        ("alice sells 10 BTC at 150", "accepted 4, trade 10@150 maker 3 taker 4, filled 3, filled 4"),
        ("alice", "wallet 485, BTC flat"),
    )


@pytest.mark.rule("FUND-003", "MARG-008")
def test_funding_out_of_an_isolated_wallet_raises_what_its_resting_orders_hold() -> None:
    """An order that would increase the position must bring what the position now lacks to initial margin."""
    stage = LONG_10 + "; alice buys 1 BTC at 90"
    Table(stage, instruments=[paying("0.002")]).play(
        ("alice", "held 9.000002"),
        ("wait until 8h", "funding BTC 0.002, funded alice/BTC -2, funded bob/BTC 2"),
        ("alice", "held 11.000002, BTC +10 equity 98 im 100"),
    )


@pytest.mark.rule("FUND-003", "LIQ-013", "BOOK-017")
def test_funding_goes_on_for_a_scope_that_waits_in_a_halted_symbol() -> None:
    Table(LONG_10, instruments=[paying("0.01")]).play(
        ("halts BTC", "halted BTC"),
        ("mark BTC 94", "liquidation 1 of alice/BTC isolated equity 40 mm 47, cleared 0, waiting 1 halted yes"),
        ("wait until 8h", "funding BTC 0.01 mark 94, funded alice/BTC -9.4 wallet 90.6, funded bob/BTC 9.4"),
        ("alice", "BTC +10 equity 30.6 flagged yes"),
    )


# -- the rate ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("FUND-001", "FUND-002")
def test_the_premium_of_the_book_over_the_index_is_paid_over_the_whole_interval() -> None:
    """Alice's bid of 5 at 104 over an index of 100: 4 percent from the first look of the interval on."""
    stage = STAGE + "alice buys 5 BTC at 104; index BTC 100; wait until 8h"
    Table(stage, instruments=[following_the_book()]).play(
        ("BTC", "premium 0, rate 0, last_rate 0.039999993"),
        ("wait 1h", ""),
        ("BTC", "mark 100, index 100, premium 0.04, rate 0.04"),
        ("wait until 8h", "funding BTC 0.04 premium 0.04 payments 0"),
        ("BTC", "premium 0, last_rate 0.04"),
    )


@pytest.mark.rule("FUND-001")
def test_what_the_book_showed_between_two_looks_counts_by_how_long_it_held() -> None:
    """A first look without premium, three of the book at 104 an hour each, and one at 101 for an hour after that."""
    stage = (
        STAGE + "index BTC 100; wait until 8h; alice buys 5 BTC at 104; index BTC 100; wait 3h; alice cancels 1;"
        "alice buys 5 BTC at 101; index BTC 100; wait 1h"
    )
    table = Table(stage, instruments=[following_the_book()])
    view = table.venue.funding("BTC-PERP")
    # Beside the four hours there are a few commands a millisecond apart.
    assert abs(view.premium - (3 * 40_000_000 + 10_000_000) // 4) < 100
    assert view.funding_rate == view.premium


@pytest.mark.rule("FUND-001", "BOOK-017")
def test_time_in_halt_is_left_out_of_the_average() -> None:
    """An hour and two milliseconds at 4 percent, five hours and two of halt, and nothing for the rest of the eight."""
    stage = STAGE + "index BTC 100; alice buys 5 BTC at 104; index BTC 100; wait until 8h"
    Table(stage, instruments=[following_the_book()]).play(
        ("wait 1h", ""),
        ("alice cancels 1", "canceled 1 order.canceled_by_owner"),
        ("halts BTC", "halted BTC"),
        ("BTC", "state halted, premium 0.04"),
        ("wait 5h", ""),
        ("index BTC 90", ""),
        ("BTC", "premium 0.04"),
        ("resumes BTC", "resumed BTC"),
        ("wait until 8h", "funding BTC 0.013333343 payments 0"),
    )


@pytest.mark.rule("FUND-002")
@pytest.mark.parametrize(
    ("bid", "rate"), [(100, "0.001"), (101, "0.008"), (103, "0.028")], ids=["no premium", "1 percent", "3 percent"]
)
def test_interest_less_premium_moves_the_rate_no_further_than_the_clamp(bid: int, rate: str) -> None:
    stage = STAGE + f"alice buys 5 BTC at {bid}; index BTC 100; wait until 8h"
    Table(stage, instruments=[following_the_book("0.001", "0.002")]).play(
        ("wait until 8h", f"funding BTC {rate}"),
    )


# -- when --------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("FUND-004")
def test_funding_fires_at_each_interval_of_a_long_jump_in_order() -> None:
    Table(LONG_10, instruments=[paying("0.0001")]).play(
        (
            "wait 24h",
            "funding BTC 0.0001, funded alice/BTC -0.1 wallet 99.9, funded bob/BTC 0.1, funding BTC 0.0001,"
            "funded alice/BTC -0.1 wallet 99.8, funded bob/BTC 0.1, funding BTC 0.0001, funded alice/BTC -0.1 wallet 99.7,"
            "funded bob/BTC 0.1",
        ),
    )


@pytest.mark.rule("FUND-004", "LIQ-001")
def test_one_who_is_liquidated_by_a_funding_inside_a_jump_has_no_part_in_the_next() -> None:
    Table(LONG_10 + "; carol buys 10 BTC at 98", instruments=[paying("0.03")]).play(
        (
            "wait 24h",
            "funding BTC 0.03, funded alice/BTC -30, funded bob/BTC 30, funding BTC 0.03, funded alice/BTC -30 wallet 40,"
            "funded bob/BTC 30, liquidation 1 of alice/BTC isolated, cleared 0, accepted 4, trade 10@98 maker 3 taker 4,"
            "filled 3, filled 4, settled 10/10 BTC sell at 96, finished 1,"
            "funding BTC 0.03, funded bob/BTC 30, funded carol/BTC -30",
        ),
    )


@pytest.mark.rule("FUND-003", "MARG-020")
def test_funding_may_warn_whom_it_does_not_liquidate() -> None:
    policy = replace(PLAIN_POLICY, margin_call_levels=RiskPolicy().margin_call_levels)
    Table(LONG_10, instruments=[paying("0.03")], policy=policy).play(
        (
            "wait until 8h",
            "funding BTC 0.03, funded alice/BTC -30, funded bob/BTC 30, called alice/BTC isolated at 0.6 equity 70 mm 50",
        ),
    )
