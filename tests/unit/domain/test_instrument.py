"""Tiers and instruments that contradict themselves are refused with a sentence."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import Instrument, Tier, TierRow, build_tiers, check_instrument
from tests.cast import BTC_PERP, BTC_WITH_REBATE, cash


@pytest.mark.rule("MARG-002")
def test_maintenance_amounts_follow_from_the_recurrence() -> None:
    """The published brackets of a large venue: 0.4 %, 0.5 % from 50000, 1 % from 500000, 2.5 % from 10000000."""
    tiers = build_tiers(
        [
            TierRow(0, 4_000, 125),
            TierRow(cash("50000"), 5_000, 100),
            TierRow(cash("500000"), 10_000, 50),
            TierRow(cash("10000000"), 25_000, 20),
        ]
    )
    assert [tier.maintenance_amount for tier in tiers] == [0, cash("50"), cash("2550"), cash("152550")]
    assert tiers[1] == Tier(cash("50000"), 5_000, 100, cash("50"))


@pytest.mark.rule("MARG-002")
@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "at least one tier is needed"),
        ([TierRow(1, 50_000, 10)], "tier 1: the first notional_floor must be 0"),
        ([TierRow(0, 50_000, 0)], "tier 1: max_leverage must be at least 1"),
        ([TierRow(0, 0, 10)], "tier 1: maintenance_rate must be above 0"),
        ([TierRow(0, 100_000, 10)], "tier 1: maintenance_rate times max_leverage must be below 1"),
        ([TierRow(0, 50_000, 10), TierRow(0, 50_000, 10)], "tier 2: notional_floor must be above that of tier 1"),
        (
            [TierRow(0, 50_000, 10), TierRow(10**6, 40_000, 10)],
            "tier 2: maintenance_rate must not be below that of tier 1",
        ),
        ([TierRow(0, 50_000, 10), TierRow(10**6, 50_000, 11)], "tier 2: max_leverage must not be above that of tier 1"),
        (
            [TierRow(0, 50_000, 10), TierRow(3, 60_000, 10)],
            "tier 2: its maintenance amount is no whole number of cash units; round its notional_floor",
        ),
    ],
)
def test_inconsistent_tiers_are_refused_naming_the_row(rows: list[TierRow], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        build_tiers(rows)


def test_equal_rates_and_leverages_in_neighbouring_tiers_are_allowed() -> None:
    first, second = build_tiers([TierRow(0, 50_000, 10), TierRow(10**6, 50_000, 10)])
    assert second.maintenance_amount == first.maintenance_amount == 0


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (replace(BTC_PERP, cash_per_tick_lot=0), "tick_size * lot_size * contract_multiplier must be a whole 0.000001"),
        (replace(BTC_PERP, default_leverage=0), "default_leverage must lie within tier 1"),
        (replace(BTC_PERP, default_leverage=11), "default_leverage must lie within tier 1"),
        (replace(BTC_PERP, taker_fee=-1), "taker_fee must be from 0 to below 1"),
        (replace(BTC_PERP, taker_fee=1_000_000), "taker_fee must be from 0 to below 1"),
        (replace(BTC_PERP, taker_fee=5, maker_fee=-6), "maker_fee must not be below -taker_fee"),
        (replace(BTC_PERP, maker_fee=1_000_000), "maker_fee must not be below -taker_fee"),
        (replace(BTC_PERP, liquidation_fee=-1), "liquidation_fee must be from 0 to below 1"),
        (replace(BTC_PERP, price_band=0), "price_band must be above 0 and below 1"),
        (replace(BTC_PERP, price_band=1_000_000), "price_band must be above 0 and below 1"),
        (replace(BTC_PERP, market_protection=0), "market_protection must be above 0 and at most price_band"),
        (replace(BTC_PERP, market_protection=500_001), "market_protection must be above 0 and at most price_band"),
        (replace(BTC_PERP, notional_min=-1), "notional_min must not be negative"),
        (replace(BTC_PERP, quantity_max=0), "quantity_max must be from 1 to 1099511627776 lots"),
        (replace(BTC_PERP, quantity_max=2**40 + 1), "quantity_max must be from 1 to 1099511627776 lots"),
        (replace(BTC_PERP, initial_mark_price=0), "initial_mark_price must be at least one tick"),
    ],
)
def test_an_instrument_that_contradicts_itself_is_refused(broken: Instrument, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        check_instrument(broken)


@pytest.mark.parametrize(
    "sound",
    [
        BTC_PERP,
        BTC_WITH_REBATE,
        replace(BTC_PERP, taker_fee=5, maker_fee=-5),
        replace(BTC_PERP, quantity_max=2**40),
        replace(BTC_PERP, quantity_max=1, liquidation_fee=999_999, maker_fee=0, taker_fee=999_999, cash_per_tick_lot=1),
        replace(BTC_PERP, notional_min=0, initial_mark_price=1, default_leverage=1, market_protection=500_000),
    ],
)
def test_a_sound_instrument_passes(sound: Instrument) -> None:
    check_instrument(sound)


def test_the_most_leverage_is_that_of_the_first_tier() -> None:
    assert BTC_PERP.max_leverage == 10
