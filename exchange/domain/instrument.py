"""What can be traded: grids, fees, filters and leverage tiers of a linear perpetual."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from exchange.domain.enums import MarkSource
from exchange.domain.ids import SETTLEMENT_ASSET, AssetId, Symbol, is_valid_id
from exchange.domain.policy import MarginRules, RiskPolicy
from exchange.domain.units import CASH_MAX, PPB, PPM, QUANTITY_LOTS_MAX, Cash, Grid, Lots, Ppb, Ppm, Ticks, TimeNs

FUNDING_INTERVAL_MIN: TimeNs = 1_000_000_000
ASSET_DECIMALS_MAX = 18


class Tier(msgspec.Struct, frozen=True):
    """One leverage bracket: it holds from ``notional_floor`` up to the next tier's floor (MARG-002).

    Units: ``notional_floor`` and ``maintenance_amount`` cash, ``maintenance_rate`` ppm of notional.
    """

    notional_floor: Cash
    maintenance_rate: Ppm
    max_leverage: int
    maintenance_amount: Cash
    """Subtracted from ``notional * maintenance_rate``; makes maintenance continuous at the tier's floor."""


class TierRow(NamedTuple):
    """A tier as configured, before its maintenance amount is derived. Units as in ``Tier``."""

    notional_floor: Cash
    maintenance_rate: Ppm
    max_leverage: int


class FundingTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How longs and shorts of a perpetual pay each other to keep it near its index (FUND-001 to FUND-003).

    Units: rates ppb per interval, ``impact_notional`` cash.
    """

    interval: TimeNs
    interest: Ppb
    clamp: Ppb
    cap: Ppb
    impact_notional: Cash


class IndexMarkTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How a mark is made of the index price and the book (MARK-003). Units: ``band`` ppm of the index."""

    band: Ppm
    basis_window: TimeNs


class CollateralAsset(msgspec.Struct, frozen=True, kw_only=True):
    """An asset beside the settlement asset that counts for the cross pool, less its haircut (MARG-026).

    Units: balances are whole ``10**-decimals`` of the asset, prices cash per one whole of it, ``haircut`` ppm.
    """

    asset: AssetId
    decimals: int
    haircut: Ppm
    initial_price: Cash | None = None


class Instrument(msgspec.Struct, frozen=True):
    """A linear perpetual and every limit the floor and the account service apply to it.

    Units: rates ppm, ``notional_min`` cash, ``quantity_max`` lots, ``cash_per_tick_lot`` cash per tick and lot.
    """

    symbol: Symbol
    price_grid: Grid
    quantity_grid: Grid
    cash_per_tick_lot: Cash
    tiers: tuple[Tier, ...]
    default_leverage: int
    maker_fee: Ppm
    taker_fee: Ppm
    liquidation_fee: Ppm
    price_band: Ppm
    market_protection: Ppm
    notional_min: Cash
    quantity_max: Lots
    initial_mark_price: Ticks | None = None
    index_mark: IndexMarkTerms | None = None
    """How the mark is made of the index; None where it is told as it is."""
    funding: FundingTerms | None = None
    rules: MarginRules = MarginRules()
    """What its venue has decided about margin formulas; set by ``under_policy``."""

    @property
    def mark_source(self) -> MarkSource:
        """Where the mark comes from (MARK-003)."""
        return MarkSource.EXTERNAL if self.index_mark is None else MarkSource.INDEX

    @property
    def max_leverage(self) -> int:
        """The highest leverage that any tier of the instrument allows."""
        return self.tiers[0].max_leverage


def under_policy(instrument: Instrument, policy: RiskPolicy) -> Instrument:
    """Return the instrument with the margin rules of a venue's policy."""
    return msgspec.structs.replace(instrument, rules=policy.margin_rules)


def build_tiers(rows: Iterable[TierRow]) -> tuple[Tier, ...]:
    """Return tiers with the maintenance amounts that make maintenance continuous (MARG-002).

    The recurrence is ``amount[n] = amount[n-1] + floor[n] * (rate[n] - rate[n-1])``.
    Raises ``ValueError`` with a sentence naming the row (counted from 1) that is inconsistent.
    """
    tiers: list[Tier] = []
    for number, row in enumerate(rows, start=1):
        previous = tiers[-1] if tiers else None
        _check_row(number, row, previous)
        amount = 0
        if previous is not None:
            try:
                amount = next_maintenance_amount(previous, row)
            except ValueError as error:
                raise ValueError(f"tier {number}: {error}") from None
        tiers.append(Tier(row.notional_floor, row.maintenance_rate, row.max_leverage, amount))
    if not tiers:
        raise ValueError("at least one tier is needed")
    return tuple(tiers)


def next_maintenance_amount(previous: Tier, row: TierRow) -> Cash:
    """Return the maintenance amount of the tier after ``previous``: one step of the recurrence (MARG-002).

    Raises ``ValueError`` with a sentence when it is no whole number of cash units.
    """
    step, rest = divmod(row.notional_floor * (row.maintenance_rate - previous.maintenance_rate), PPM)
    if rest:
        raise ValueError("its maintenance amount is no whole number of cash units; round its notional_floor")
    return previous.maintenance_amount + step


def _check_row(number: int, row: TierRow, previous: Tier | None) -> None:
    if row.max_leverage < 1:
        raise ValueError(f"tier {number}: max_leverage must be at least 1")
    if row.maintenance_rate <= 0:
        raise ValueError(f"tier {number}: maintenance_rate must be above 0")
    if row.maintenance_rate * row.max_leverage >= PPM:
        raise ValueError(f"tier {number}: maintenance_rate times max_leverage must be below 1")
    if previous is None:
        if row.notional_floor != 0:
            raise ValueError(f"tier {number}: the first notional_floor must be 0")
        return
    if row.notional_floor <= previous.notional_floor:
        raise ValueError(f"tier {number}: notional_floor must be above that of tier {number - 1}")
    if row.maintenance_rate < previous.maintenance_rate:
        raise ValueError(f"tier {number}: maintenance_rate must not be below that of tier {number - 1}")
    if row.max_leverage > previous.max_leverage:
        raise ValueError(f"tier {number}: max_leverage must not be above that of tier {number - 1}")


def check_instrument(instrument: Instrument) -> None:
    """Raise ``ValueError`` with a sentence naming the field when the instrument contradicts itself."""
    checks = (
        (instrument.cash_per_tick_lot >= 1, "tick_size * lot_size * contract_multiplier must be a whole 0.000001"),
        (1 <= instrument.default_leverage <= instrument.max_leverage, "default_leverage must lie within tier 1"),
        (0 <= instrument.taker_fee < PPM, "taker_fee must be from 0 to below 1"),
        (-instrument.taker_fee <= instrument.maker_fee < PPM, "maker_fee must not be below -taker_fee"),
        (0 <= instrument.liquidation_fee < PPM, "liquidation_fee must be from 0 to below 1"),
        (0 < instrument.price_band < PPM, "price_band must be above 0 and below 1"),
        (
            0 < instrument.market_protection <= instrument.price_band,
            "market_protection must be above 0 and at most price_band",
        ),
        (instrument.notional_min >= 0, "notional_min must not be negative"),
        (
            1 <= instrument.quantity_max <= QUANTITY_LOTS_MAX,
            f"quantity_max must be from 1 to {QUANTITY_LOTS_MAX} lots",
        ),
        (
            instrument.initial_mark_price is None or instrument.initial_mark_price >= 1,
            "initial_mark_price must be at least one tick",
        ),
        *_index_mark_checks(instrument.index_mark),
        *_funding_checks(instrument.funding),
    )
    for holds, sentence in checks:
        if not holds:
            raise ValueError(sentence)


def _index_mark_checks(terms: IndexMarkTerms | None) -> tuple[tuple[bool, str], ...]:
    if terms is None:
        return ()
    return (
        (0 < terms.band < PPM, "mark_band must be above 0 and below 1"),
        (terms.basis_window > 0, "basis_window must be above 0"),
    )


def _funding_checks(terms: FundingTerms | None) -> tuple[tuple[bool, str], ...]:
    if terms is None:
        return ()
    return (
        (terms.interval >= FUNDING_INTERVAL_MIN, "funding_interval must be at least one second"),
        (terms.clamp >= 0, "funding_clamp must not be negative"),
        (0 <= terms.cap < PPB, "funding_cap must be from 0 to below 1"),
        (terms.impact_notional > 0, "impact_notional must be above 0"),
    )


def check_collateral(collateral: CollateralAsset) -> None:
    """Raise ``ValueError`` with a sentence naming the field when a collateral asset contradicts itself."""
    checks = (
        (is_valid_id(collateral.asset) and collateral.asset != SETTLEMENT_ASSET, "asset must be a name of its own"),
        (0 <= collateral.decimals <= ASSET_DECIMALS_MAX, f"decimals must be from 0 to {ASSET_DECIMALS_MAX}"),
        (0 <= collateral.haircut < PPM, "haircut must be from 0 to below 1"),
        (
            collateral.initial_price is None or 0 < collateral.initial_price <= CASH_MAX,
            "initial_price must be above 0",
        ),
    )
    for holds, sentence in checks:
        if not holds:
            raise ValueError(sentence)
