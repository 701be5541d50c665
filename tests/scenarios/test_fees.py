"""Who pays what for a trade."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import Instrument
from tests.cast import BTC_WITH_FEES, BTC_WITH_REBATE, DUST_PERP
from tests.scenarios.table import Table

STAGE = "alice deposits 1000; bob deposits 1000; fund deposits 1000; mark BTC 100"


@pytest.mark.rule("MARG-017", "CONS-001")
def test_taker_and_maker_each_pay_their_rate() -> None:
    Table(STAGE, instruments=(BTC_WITH_FEES,)).play(
        ("alice buys 10 BTC at 100", "accepted 1, rested 1"),
        ("bob sells 10 BTC at 100", "accepted 2, trade 10@100 maker 1 taker 2 maker_fee 1 taker_fee 10, filled 1, filled 2"),
        ("fund", "fees 11, wallet 1000"),
        ("alice", "wallet 999"),
        ("bob", "wallet 990"),
    )


@pytest.mark.rule("MARG-017", "CONS-001")
def test_a_negative_rate_pays_the_maker_out_of_the_takers_fee() -> None:
    Table(STAGE, instruments=(BTC_WITH_REBATE,)).play(
        ("alice buys 10 BTC at 100", "accepted 1, rested 1"),
        ("bob sells 10 BTC at 100", "accepted 2, trade 10@100 maker 1 taker 2 maker_fee -1 taker_fee 10, filled 1, filled 2"),
        ("fund", "fees 9"),
        ("alice", "wallet 1001"),
    )


@pytest.mark.rule("MARG-017")
def test_a_rebate_goes_into_the_isolated_wallet() -> None:
    Table(STAGE + "; alice sets BTC isolated", instruments=(BTC_WITH_REBATE,)).play(
        ("alice buys 10 BTC at 100", "accepted 1, rested 1"),
        ("bob sells 10 BTC at 100", "accepted 2, trade 10@100 maker 1 taker 2 maker_in 99, filled 1, filled 2"),
        ("alice", "wallet 901, BTC +10 isolated 100"),
    )


@pytest.mark.rule("MARG-017")
def test_fees_round_up_and_rebates_toward_zero() -> None:
    """One lot at 33: 0.5 % is 0.165 units, charged as 1; the rebate of as much is nothing."""
    dust = replace(DUST_PERP, taker_fee=5_000, maker_fee=-5_000)
    Table("alice deposits 1; bob deposits 1; mark DUST 33", instruments=(dust,)).play(
        ("alice buys 1 DUST at 33", "accepted 1, rested 1"),
        (
            "bob sells 1 DUST at 33",
            "accepted 2, trade 1@33 maker 1 taker 2 maker_fee 0 taker_fee 0.000001, filled 1, filled 2",
        ),
        ("fund", "fees 0.000001"),
    )


@pytest.mark.rule("MARG-017", "LIQ-006")
@pytest.mark.parametrize(("instrument", "maker_fee"), [(BTC_WITH_REBATE, "0"), (BTC_WITH_FEES, "0.95")])
def test_a_maker_that_meets_a_liquidation_gets_no_rebate_but_pays_a_positive_fee(
    instrument: Instrument, maker_fee: str
) -> None:
    stage = STAGE + "; alice sets BTC isolated; bob sells 10 BTC at 100; alice buys 10 BTC at 100; bob buys 10 BTC at 95"
    Table(stage, instruments=(instrument,)).play(
        (
            "mark BTC 94",
            "liquidation 1 of alice/BTC isolated equity 40 mm 47, cleared 0, accepted 4, "
            f"trade 10@95 maker 3 taker 4 maker_fee {maker_fee} taker_fee 19, filled 3, filled 4, "
            "settled 10/10 BTC sell at 90 fee 19, finished 1 returned 31",
        ),
        ("fund", "wallet 1019"),
    )
