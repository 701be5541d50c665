"""Published leverage tiers of a large venue under the tier rules: continuous, monotone, and the same amounts."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from exchange.domain.instrument import Instrument, TierRow, build_tiers
from exchange.domain.margin_math import initial_margin, maintenance_margin
from exchange.domain.units import Cash, parse_cash, parse_rate
from tests.cast import BTC_PERP

PUBLISHED = Path(os.environ.get("RINGFENCE_PUBLISHED_TIERS", "/work/shared/data/leverage_tiers/binance_usdm_tiers_2024-10.csv"))
pytestmark = pytest.mark.skipif(not PUBLISHED.exists(), reason=f"no published tiers at {PUBLISHED}")


class PublishedTier(NamedTuple):
    """A row as printed. ``amount`` is what the venue itself takes off the maintenance."""

    row: TierRow
    ceiling: Cash
    amount: Cash


@pytest.fixture(scope="module")
def published() -> dict[str, list[PublishedTier]]:
    """The printed tiers of every symbol, in order."""
    symbols: dict[str, list[PublishedTier]] = {}
    with PUBLISHED.open(encoding="utf-8", newline="") as lines:
        for printed in csv.DictReader(lines):
            row = TierRow(
                parse_cash(printed["min_notional"]),
                parse_rate(printed["maint_margin_rate"]),
                int(printed["max_leverage"]),
            )
            tier = PublishedTier(row, parse_cash(printed["max_notional"]), parse_cash(printed["maint_amount"]))
            symbols.setdefault(printed["symbol"], []).append(tier)
    return symbols


def instruments(published: dict[str, list[PublishedTier]]) -> Iterator[tuple[str, Instrument]]:
    """Yield each symbol with an instrument in which one tick of one lot is the smallest money, so that edges are met."""
    for symbol, tiers in published.items():
        built = build_tiers(tier.row for tier in tiers)
        yield symbol, replace(BTC_PERP, tiers=built, cash_per_tick_lot=1)


@pytest.mark.rule("MARG-002")
def test_every_symbol_is_valid_and_leaves_no_gap_between_its_tiers(published: dict[str, list[PublishedTier]]) -> None:
    assert published
    for symbol, tiers in published.items():
        assert len(build_tiers(tier.row for tier in tiers)) == len(tiers), symbol
        for tier, following in pairwise(tiers):
            assert tier.ceiling == following.row.notional_floor, symbol


@pytest.mark.rule("MARG-002")
def test_the_amounts_derived_are_those_published(published: dict[str, list[PublishedTier]]) -> None:
    for symbol, instrument in instruments(published):
        derived = [tier.maintenance_amount for tier in instrument.tiers]
        assert derived == [tier.amount for tier in published[symbol]], symbol


@pytest.mark.rule("MARG-002", "MARG-003")
def test_maintenance_is_continuous_at_every_edge_of_every_symbol(published: dict[str, list[PublishedTier]]) -> None:
    edges = 0
    for symbol, instrument in instruments(published):
        for tier in instrument.tiers[1:]:
            below = maintenance_margin(instrument, 1, 0, tier.notional_floor - 1)
            at = maintenance_margin(instrument, 1, 0, tier.notional_floor)
            above = maintenance_margin(instrument, 1, 0, tier.notional_floor + 1)
            assert 0 <= at - below <= 1, symbol
            assert 0 <= above - at <= 1, symbol
            edges += 1
    assert edges == sum(len(tiers) - 1 for tiers in published.values()) > 0


@pytest.mark.rule("MARG-003", "MARG-004")
def test_maintenance_is_monotone_and_never_above_initial_margin(published: dict[str, list[PublishedTier]]) -> None:
    for symbol, instrument in instruments(published):
        highest = 0
        for tier in published[symbol]:
            span = tier.ceiling - tier.row.notional_floor
            for part in range(8):
                notional = tier.row.notional_floor + span * part // 8
                maintenance = maintenance_margin(instrument, 1, 0, notional)
                assert maintenance >= highest, symbol
                assert maintenance <= initial_margin(instrument, 1, 0, notional, instrument.max_leverage), symbol
                highest = maintenance
