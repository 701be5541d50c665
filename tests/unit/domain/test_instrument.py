"""Tiers and instruments that contradict themselves are refused with a sentence."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from exchange.domain.enums import MarkSource
from exchange.domain.instrument import (
    FundingTerms,
    IndexMarkTerms,
    Instrument,
    Tier,
    TierRow,
    build_tiers,
    check_collateral,
    check_instrument,
)
from exchange.domain.units import CASH_MAX
from tests.cast import BTC_PERP, BTC_WITH_REBATE, COIN, cash


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


def with_funding(interval: int = 10**9, clamp: int = 0, cap: int = 0, impact_notional: int = 1) -> Instrument:
    """Return an instrument whose funding terms are the tightest that are allowed, but for those named."""
    return replace(
        BTC_PERP,
        funding=FundingTerms(interval=interval, interest=-(10**9), clamp=clamp, cap=cap, impact_notional=impact_notional),
    )


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
        (replace(BTC_PERP, index_mark=IndexMarkTerms(band=0, basis_window=1)), "mark_band must be above 0 and below 1"),
        (replace(BTC_PERP, index_mark=IndexMarkTerms(band=1_000_000, basis_window=1)), "mark_band must be above 0 and below"),
        (replace(BTC_PERP, index_mark=IndexMarkTerms(band=1, basis_window=0)), "basis_window must be above 0"),
        (with_funding(interval=999_999_999), "funding_interval must be at least one second"),
        (with_funding(clamp=-1), "funding_clamp must not be negative"),
        (with_funding(cap=-1), "funding_cap must be from 0 to below 1"),
        (with_funding(cap=10**9), "funding_cap must be from 0 to below 1"),
        (with_funding(impact_notional=0), "impact_notional must be above 0"),
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
        with_funding(),
        with_funding(cap=50_000_000),
        replace(BTC_PERP, index_mark=IndexMarkTerms(band=1, basis_window=1)),
        replace(BTC_PERP, index_mark=IndexMarkTerms(band=999_999, basis_window=1)),
        replace(BTC_PERP, notional_min=0, initial_mark_price=1, default_leverage=1, market_protection=500_000),
    ],
)
def test_a_sound_instrument_passes(sound: Instrument) -> None:
    check_instrument(sound)


def test_the_most_leverage_is_that_of_the_first_tier() -> None:
    assert BTC_PERP.max_leverage == 10


@pytest.mark.rule("MARK-003")
def test_a_mark_is_told_unless_there_are_terms_to_make_it_of_the_index() -> None:
    assert BTC_PERP.mark_source is MarkSource.EXTERNAL
    assert replace(BTC_PERP, index_mark=IndexMarkTerms(band=1, basis_window=1)).mark_source is MarkSource.INDEX


@pytest.mark.rule("MARG-026")
@pytest.mark.parametrize(
    ("field", "values", "sentence"),
    [
        ("asset", ("USD", "", "a b", "x" * 37), "asset must be a name of its own"),
        ("decimals", (-1, 19), "decimals must be from 0 to 18"),
        ("haircut", (-1, 1_000_000), "haircut must be from 0 to below 1"),
        ("initial_price", (0, -1, CASH_MAX + 1), "initial_price must be above 0"),
    ],
)
def test_a_collateral_asset_that_contradicts_itself_is_refused(field: str, values: tuple[object, ...], sentence: str) -> None:
    for value in values:
        with pytest.raises(ValueError, match=f"^{sentence}"):
            check_collateral(replace(COIN, **{field: value}))


@pytest.mark.rule("MARG-026")
def test_a_collateral_asset_may_lie_at_every_bound() -> None:
    check_collateral(replace(COIN, decimals=0, haircut=0, initial_price=1))
    check_collateral(replace(COIN, decimals=18, haircut=999_999, initial_price=CASH_MAX))
    check_collateral(replace(COIN, initial_price=None))
