"""One ``[[instruments]]`` table of a config as an ``Instrument`` of the domain."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.composition.quantities import parse_duration, parse_funding_rate
from exchange.domain.enums import MarkSource
from exchange.domain.ids import is_valid_id
from exchange.domain.instrument import (
    FundingTerms,
    IndexMarkTerms,
    Instrument,
    Tier,
    TierRow,
    build_tiers,
    check_instrument,
)
from exchange.domain.units import (
    CASH_DECIMALS,
    PPB,
    PPM,
    PRICE_TICKS_MAX,
    QUANTITY_LOTS_MAX,
    Cash,
    Grid,
    Lots,
    Ticks,
    format_rate,
    parse_cash,
    parse_decimal,
    parse_rate,
)
from exchange.services.config_table import ConfigTable

STEP_DECIMALS = 12
"""How fine tick, lot and multiplier may be."""
LEVERAGE_MAX = 1_000
"""The most leverage that the wire can name."""
TIERS_MAX = 50

INDEX_MARK_KEYS = ("mark_band", "basis_window")
"""How a mark is made of the index; only where it is."""
FUNDING_KEYS = ("funding_interval", "funding_interest", "funding_clamp", "funding_cap", "impact_notional")
"""All of them, or none for an instrument without funding."""

SYMBOL_RULE = "it must be 1 to 36 letters, digits or . _ : -"


def read_instrument(table: ConfigTable) -> Instrument:
    """Return the instrument of a table; ``ConfigError`` names the key and what to do."""
    symbol = table.text("symbol")
    if not is_valid_id(symbol):
        raise table.refusal("symbol", SYMBOL_RULE)
    tick = table.number("tick_size", _parse_step)
    lot = table.number("lot_size", _parse_step)
    price_grid, quantity_grid = _grid(tick), _grid(lot)
    instrument = Instrument(
        symbol=symbol,
        price_grid=price_grid,
        quantity_grid=quantity_grid,
        cash_per_tick_lot=_read_cash_per_tick_lot(table, tick, lot),
        tiers=_read_tiers(table),
        default_leverage=table.integer("default_leverage", minimum=1, maximum=LEVERAGE_MAX),
        maker_fee=table.number("maker_fee", parse_rate),
        taker_fee=table.number("taker_fee", parse_rate),
        liquidation_fee=table.number("liquidation_fee", parse_rate),
        price_band=table.number("price_band", parse_rate),
        market_protection=table.number("market_protection", parse_rate),
        notional_min=table.number("notional_min", parse_cash),
        quantity_max=table.number("quantity_max", lambda text: _parse_lots(text, quantity_grid)),
        initial_mark_price=_read_initial_mark(table, price_grid),
        index_mark=_read_index_mark(table),
        funding=_read_funding(table),
    )
    try:
        check_instrument(instrument)
    except ValueError as error:
        sentence = str(error)
        raise table.refusal(sentence.split(maxsplit=1)[0], sentence) from None
    _check_funding_cap(table, instrument)
    table.finish()
    return instrument


def _check_funding_cap(table: ConfigTable, instrument: Instrument) -> None:
    """Refuse a cap by which a healthy scope could be bankrupted by funding alone, and on purpose (FUND-002)."""
    lowest = instrument.tiers[0].maintenance_rate
    if instrument.funding is not None and instrument.funding.cap * PPM > lowest * PPB:
        raise table.refusal("funding_cap", f"it must be at most {format_rate(lowest)}, the maintenance_rate of the first tier")


def _parse_step(text: str) -> int:
    """Return a positive step in whole ``10**-STEP_DECIMALS``."""
    step = parse_decimal(text, STEP_DECIMALS)
    if step <= 0:
        raise ValueError("it must be above 0")
    return step


def _grid(step: int) -> Grid:
    decimals = STEP_DECIMALS
    while decimals and step % 10 == 0:
        step //= 10
        decimals -= 1
    return Grid(step, decimals)


def _read_cash_per_tick_lot(table: ConfigTable, tick: int, lot: int) -> Cash:
    multiplier = table.number("contract_multiplier", _parse_step)
    product_units_per_cash: int = 10 ** (3 * STEP_DECIMALS - CASH_DECIMALS)
    cash, rest = divmod(tick * lot * multiplier, product_units_per_cash)
    if rest:
        raise table.refusal(
            "tick_size", "tick_size * lot_size * contract_multiplier must be a whole 0.000001; make one of the three coarser"
        )
    return cash


def _parse_lots(text: str, grid: Grid) -> Lots:
    lots = grid.parse(text)
    if lots > QUANTITY_LOTS_MAX:
        raise ValueError(f"it must be at most {QUANTITY_LOTS_MAX} lots of {grid.size}")
    return lots


def _read_initial_mark(table: ConfigTable, grid: Grid) -> Ticks | None:
    if "initial_mark_price" not in table:
        return None
    ticks = table.number("initial_mark_price", grid.parse)
    if ticks > PRICE_TICKS_MAX:
        raise table.refusal("initial_mark_price", f"it must be at most {PRICE_TICKS_MAX} ticks of {grid.size}")
    return ticks


def _read_index_mark(table: ConfigTable) -> IndexMarkTerms | None:
    """Return how the mark is made of the index, or None where it is told as it is, which is the default."""
    words = [source.value for source in MarkSource]
    source = MarkSource(table.choice("mark_source", words)) if "mark_source" in table else MarkSource.EXTERNAL
    if source is MarkSource.EXTERNAL:
        for key in INDEX_MARK_KEYS:
            if key in table:
                raise table.refusal(key, 'it belongs to an instrument whose mark_source is "index"; remove it, or set that')
        return None
    return IndexMarkTerms(
        band=table.number("mark_band", parse_rate),
        basis_window=table.number("basis_window", parse_duration),
    )


def _read_funding(table: ConfigTable) -> FundingTerms | None:
    """Return the funding terms, or None where no key of them is given."""
    if not any(key in table for key in FUNDING_KEYS):
        return None
    return FundingTerms(
        interval=table.number("funding_interval", parse_duration),
        interest=table.number("funding_interest", parse_funding_rate),
        clamp=table.number("funding_clamp", parse_funding_rate),
        cap=table.number("funding_cap", parse_funding_rate),
        impact_notional=table.number("impact_notional", parse_cash),
    )


def _read_tiers(table: ConfigTable) -> tuple[Tier, ...]:
    """Return the tiers; each prefix of the rows is built in turn, so that a refusal can point at its row."""
    entries = table.tables("tiers")
    if len(entries) > TIERS_MAX:
        raise table.refusal("tiers", f"there are {len(entries)}; at most {TIERS_MAX} are allowed")
    rows: list[TierRow] = []
    for entry in entries:
        rows.append(
            TierRow(
                notional_floor=entry.number("notional_floor", parse_cash),
                maintenance_rate=entry.number("maintenance_rate", parse_rate),
                max_leverage=entry.integer("max_leverage", minimum=1, maximum=LEVERAGE_MAX),
            )
        )
        entry.finish()
        _check_rows(entry, rows)
    return build_tiers(rows)


def _check_rows(entry: ConfigTable, rows: Sequence[TierRow]) -> None:
    try:
        build_tiers(rows)
    except ValueError as error:
        raise entry.refusal(None, str(error)) from None
