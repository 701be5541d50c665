"""The one record that each liquidation leaves behind."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.events import LiquidationFinished
from exchange.domain.policy import RiskPolicy, UnfilledPolicy
from exchange.domain.views import LiquidationRecord, ScopeHealth
from tests.cast import BTC_PERP, ETH_PERP, PLAIN_POLICY, T0, cash
from tests.scenarios.table import Table

RICH = "alice deposits 10000; carol deposits 10000; mark BTC 100 ETH 100;"
LONG_10 = RICH + "bob deposits 1000; bob sets BTC isolated; bob buys 10 BTC at 100; alice sells 10 BTC at 100;"
"""Bob is isolated long 10 at 100 with 100 in the position's wallet and bankrupt at 90; order ids 1 and 2 are used."""
UNSOLD = "cleared 0, accepted 3, canceled 3 order.ioc_remainder, settled 0/10 BTC sell at 90"


def records(table: Table) -> list[LiquidationRecord]:
    """Return every record that a table's commands left."""
    return [event.record for _, _, events in table._history for event in events if isinstance(event, LiquidationFinished)]


@pytest.mark.rule("LIQ-016")
def test_it_says_all_that_was_done_and_who_paid_what() -> None:
    """6 lots sold at 95 for 2 % of fee, 4 at 92: the whole of an isolated position, with 31.1 left of 100."""
    instrument = replace(BTC_PERP, liquidation_fee=20_000)
    stage = LONG_10 + "bob sells 1 BTC at 120; bob sells 1 BTC at 121; carol buys 6 BTC at 95; carol buys 9 BTC at 92"
    table = Table(stage, instruments=(instrument, ETH_PERP))
    table.play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, canceled 3 liquidation.orders_canceled, "
            "canceled 4 liquidation.orders_canceled, cleared 2, accepted 7, trade 6@95 maker 5 taker 7 taker_fee 11.4, "
            "filled 5, trade 4@92 maker 6 taker 7 taker_fee 7.36, filled 7, settled 10/10 BTC sell at 90, finished 1",
        ),
    )
    assert records(table) == [
        LiquidationRecord(
            liquidation_id=1,
            account="bob",
            path=MarginMode.ISOLATED,
            symbol="BTC-PERP",
            position_side=PositionSide.NET,
            started_ns=table.now_ns,
            finished_ns=table.now_ns,
            trigger_marks={"BTC-PERP": 94},
            collateral=cash("100"),
            before=ScopeHealth(cash("40"), cash("47"), cash("940")),
            after=ScopeHealth(cash("19.24"), 0, 0),
            orders_canceled=2,
            rounds=1,
            replenished=0,
            book_quantity={"BTC-PERP": 10},
            book_value=cash("938"),
            fund_quantity={},
            deleveraged_quantity={},
            deleveraged_legs=0,
            realized_pnl=cash("-62"),
            fee=cash("18.76"),
            fund_change=cash("18.76"),
            fund_paid=0,
            adl_forgone=0,
            socialized=0,
            bad_debt=0,
            returned=cash("19.24"),
            owner_recovery=192_400,
            default_recovery=1_000_000,
        )
    ]


@pytest.mark.rule("LIQ-016")
def test_of_a_cross_pool_it_names_every_symbol_with_its_mark_and_counts_by_symbol() -> None:
    stage = RICH + "bob deposits 310; bob buys 20 ETH at 100; alice sells 20 ETH at 100; bob sells 10 BTC at 100;"
    stage += "carol buys 10 BTC at 100; fund deposits 300; mark BTC 86"
    table = Table(stage)
    table.play(
        (
            "mark ETH 60",
            "liquidation 1 of bob cross equity -350 mm 103, cleared 0, accepted 5, canceled 5 order.ioc_remainder, "
            "settled 0/20 ETH sell at 71, takeover 18 to fund, adl 2 to alice, "
            "accepted 6, canceled 6 order.ioc_remainder, settled 0/10 BTC buy at 71, adl 10 to carol, "
            "finished 1 scope bob:cross marks BTC:86+ETH:60 collateral 310 fund ETH:18 adl ETH:2+BTC:10 legs 2 rounds 2 "
            "book none value 0 pnl -310 bad_debt 0 owner 0 returned 0",
        ),
    )


@pytest.mark.rule("LIQ-016")
def test_what_the_fund_took_over_worse_than_the_mark_is_what_it_paid_and_better_is_nothing() -> None:
    """Taken over at 90: at a mark of 85 that is 50 too dear; at 94 it is a bargain, and the owner's margin paid for all."""
    Table(LONG_10 + "fund deposits 1000").play(
        (
            "mark BTC 85",
            f"liquidation 1 of bob/BTC isolated, {UNSOLD}, takeover 10 to fund, "
            "finished 1 fund_paid 50 fund_change 0 forgone 0 bad_debt 0 pnl -100 owner 0",
        ),
    )
    Table(LONG_10 + "fund deposits 1000").play(
        (
            "mark BTC 94",
            f"liquidation 1 of bob/BTC isolated, {UNSOLD}, takeover 10 to fund, "
            "finished 1 fund_paid 0 fund_change 0 forgone 0 bad_debt 0 pnl -100 owner 0 default 1",
        ),
    )


@pytest.mark.rule("LIQ-016")
def test_what_counterparties_would_have_had_more_of_at_the_mark_is_what_they_forwent() -> None:
    Table(LONG_10).play(
        (
            "mark BTC 85",
            f"liquidation 1 of bob/BTC isolated, {UNSOLD}, adl 10 to alice, "
            "finished 1 forgone 50 fund_paid 0 pnl -100 legs 1 adl BTC:10",
        ),
    )
    Table(LONG_10).play(
        ("mark BTC 94", f"liquidation 1 of bob/BTC isolated, {UNSOLD}, adl 10 to alice, finished 1 forgone 0 default 1"),
    )


@pytest.mark.rule("LIQ-016")
def test_of_a_partial_liquidation_the_owner_keeps_what_is_left_in_the_scope() -> None:
    """21 of 90 lots sold at 93: 147 of the 900 are lost, and 753 are left behind the other 69."""
    policy = RiskPolicy(liquidation_slippage=0, margin_call_levels=())
    stage = RICH + "bob deposits 900.000002; bob sets BTC isolated; bob buys 90 BTC at 100; alice sells 90 BTC at 100;"
    Table(stage + "carol buys 90 BTC at 93", policy=policy).play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated equity 360 mm 423, cleared 0, accepted 4, trade 21@93 maker 3 taker 4, "
            "filled 4, settled 21/21 BTC sell at 90, "
            "finished 1 collateral 900 pnl -147 book BTC:21 value 1953 equity 339 mm 324.3 returned 0 owner 0.836666 default 1",
        ),
    )


@pytest.mark.rule("LIQ-016")
def test_recovery_is_rounded_down() -> None:
    """20.000001 of 100.000001 and 20 of 150."""
    Table(LONG_10 + "bob adds 0.000001 to BTC; carol buys 10 BTC at 92").play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 4, trade 10@92 maker 3 taker 4, filled 3, filled 4, "
            "settled 10/10 BTC sell at 90, finished 1 collateral 100.000001 returned 20.000001 owner 0.2",
        ),
    )
    Table(LONG_10 + "bob adds 50 to BTC; carol buys 10 BTC at 87").play(
        (
            "mark BTC 88",
            "liquidation 1 of bob/BTC isolated equity 30, cleared 0, accepted 4, trade 10@87 maker 3 taker 4, filled 3, "
            "filled 4, settled 10/10 BTC sell at 85, finished 1 collateral 150 returned 20 owner 0.133333",
        ),
    )


@pytest.mark.rule("LIQ-016", "MARG-023")
def test_of_a_scope_that_had_no_money_of_its_own_there_is_no_recovery() -> None:
    """All of the wallet was taken out against profit; when the profit is gone there is nothing to recover."""
    Table(LONG_10 + "mark BTC 200; bob removes 100 from BTC; carol buys 10 BTC at 101").play(
        ("bob", "BTC +10 isolated 0 equity 1000"),
        (
            "mark BTC 105",
            "liquidation 1 of bob/BTC isolated equity 50 mm 52.5, cleared 0, accepted 4 limit 100, "
            "trade 10@101 maker 3 taker 4, filled 3, filled 4, settled 10/10 BTC sell at 100, "
            "finished 1 collateral 0 returned 10 owner none default 1",
        ),
    )


@pytest.mark.rule("LIQ-016", "LIQ-011")
def test_it_holds_the_marks_and_the_health_of_the_flag_and_the_times_of_both_ends() -> None:
    policy = replace(PLAIN_POLICY, unfilled=UnfilledPolicy.WAIT)
    table = Table(LONG_10, policy=policy)
    table.play(
        ("mark BTC 94", f"liquidation 1 of bob/BTC isolated, {UNSOLD}, waiting 1"),
        ("wait 1h", ""),
        (
            "carol buys 10 BTC at 93",
            "accepted 4, rested 4, accepted 5, trade 10@93 maker 4 taker 5, filled 4, filled 5, settled 10/10 BTC sell at 90, "
            "finished 1 marks BTC:94 equity_before 40 mm_before 47 rounds 2 took_ns 3600001000000",
        ),
    )
    (record,) = records(table)
    assert T0 < record.started_ns < record.finished_ns == table.now_ns


@pytest.mark.rule("LIQ-016", "LIQ-003")
def test_one_that_ends_before_anything_had_to_be_closed_leaves_a_record_and_what_was_added_counts_as_put_in() -> None:
    Table(LONG_10 + "bob sets BTC auto-replenish on; bob sells 1 BTC at 120").play(
        (
            "mark BTC 94",
            "liquidation 1 of bob/BTC isolated, canceled 3 liquidation.orders_canceled, cleared 1, replenished 94, "
            "finished 1 canceled 1 rounds 0 book none pnl 0 collateral 100 replenished 94 equity 134 owner 1 default 1",
        ),
    )


@pytest.mark.rule("LIQ-016")
def test_the_funds_change_is_what_its_wallet_has_more_of() -> None:
    """Fees come in, cover goes out: with the residual at the mark the fund pays 400."""
    stage = "carol deposits 10000; dave deposits 200; erin deposits 10000; bob deposits 1000; mark BTC 100 ETH 100;"
    stage += "bob sets BTC isolated; carol sells 2 BTC at 100; dave sells 10 BTC at 100; bob buys 12 BTC at 100;"
    stage += "mark BTC 95; dave buys 10 ETH at 100; erin sells 10 ETH at 100; fund deposits 1"
    table = Table(stage)
    table.play(
        (
            "mark BTC 50 ETH 60",
            "liquidation 1 of bob/BTC isolated, cleared 0, accepted 6, canceled 6 order.ioc_remainder, "
            "settled 0/12 BTC sell at 90, adl 2 to carol, residual 10 to dave, "
            "finished 1 fund_change -400 fund_paid 1 bad_debt 399 forgone 80 pnl -520 adl BTC:12 legs 2",
        ),
        ("fund", "wallet -399"),
    )
