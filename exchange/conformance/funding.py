"""Adapters of cases about funding and marks: premiums, averages, rates, payments, and the index carried to the funding."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from exchange.conformance.cases import Adapter, Posed
from exchange.conformance.numbers import (
    FINER_CASH_DECIMALS,
    WHOLE_UNITS,
    Figure,
    NotCoveredError,
    Scale,
    decimals_of,
    fine_scale,
    ppb,
)
from exchange.domain.funding_math import TimeAverage, exact_premium, funding_credit, funding_rate, premium_index
from exchange.domain.mark_math import carried_index
from exchange.domain.units import PPB, PPM, Ppb

Figures = Mapping[str, Figure]
NO_BOUND: Ppb = 10**30


def premium_of_book(posed: Posed) -> Figures:
    """Return the premium over the index that a book shows, cut to parts per million (FUND-001)."""
    given = posed.given
    bids, asks = list(given.pairs("bids")), list(given.pairs("asks"))
    levels = [*bids, *asks]
    prices, sizes = [given["index"], *(price for price, _ in levels)], [size for _, size in levels]
    scale = fine_scale(prices, sizes, [given["impact_notional"]])
    found = premium_index(
        scale.ticks(given["index"]),
        [(scale.ticks(price), scale.lots(size)) for price, size in bids],
        [(scale.ticks(price), scale.lots(size)) for price, size in asks],
        scale.cash_per_tick_lot,
        scale.cash(given["impact_notional"]),
        WHOLE_UNITS.cash(given["max_abs_ppm"] * PPB / PPM),
    )
    return {"premium_ppm": Fraction(int(Fraction(found * PPM, PPB)))}


def time_average(posed: Posed) -> Figures:
    """Return the average of values weighted by how long each held (FUND-001)."""
    segments = list(posed.given.pairs("segments"))
    places = decimals_of(value for value, _ in segments) + FINER_CASH_DECIMALS
    time_places = decimals_of(elapsed for _, elapsed in segments)
    average = TimeAverage()
    for value, elapsed in segments:
        average = average.extended(int(value * 10**places), int(elapsed * 10**time_places))
    return {"twap": Fraction(average.rounded(), 10**places)}


def payment(posed: Posed) -> Figures:
    """Return what a position pays at one funding time, or over several (FUND-003)."""
    given = posed.given
    events = list(given.pairs("events")) if "events" in given else [(given["mark"], given["rate"])]
    scale = fine_scale([mark for mark, _ in events], [given["size"]])
    k, lots = scale.cash_per_tick_lot, scale.lots(given["size"])
    credits = [funding_credit(lots, scale.ticks(mark), k, ppb(rate)) for mark, rate in events]
    return {"funding_fee": scale.money(-sum(credits))}


def payments_in_whole_units(posed: Posed) -> Figures:
    """Return what each position pays or gets in smallest units, and what that leaves over (FUND-003)."""
    given = posed.given
    unit, rate = WHOLE_UNITS.ticks(given["payment"]), ppb(1 / given["position_factor"])
    credits = [funding_credit(WHOLE_UNITS.lots(size), unit, 1, rate) for size in given.numbers("sizes")]
    return {"transfers": [Fraction(abs(credit)) for credit in credits], "remainder": Fraction(-sum(credits))}


def settlement_of_index(posed: Posed) -> Figures:
    """Return what a position gets where an index sums up what one unit has paid: its rise is one payment (FUND-003)."""
    given = posed.given
    rise, lots = WHOLE_UNITS.cash(given["index_now"] - given["index_prev"]), WHOLE_UNITS.lots(given["size"])
    credit = funding_credit(lots, abs(rise), 1, PPB if rise > 0 else -PPB)
    return {"net_settlement_ppm": Fraction(credit)}


def rate_within_bounds(posed: Posed) -> Figures:
    """Return what one unit pays at a rate made of premium and interest (FUND-001 to FUND-003)."""
    given = posed.given
    spot, perpetual = given["spot_twap"], given["perp_twap"]
    clamp = NO_BOUND
    if "upper" in given:
        clamp = ppb(given["upper"])
        if given["lower"] != -given["upper"]:
            raise NotCoveredError("bounds that are not symmetric have no counterpart here")
    scale = fine_scale([spot, perpetual], [Fraction(1)])
    index, level = scale.ticks(spot), [(scale.ticks(perpetual), scale.lots(Fraction(1)))]
    bids, asks = (level, []) if perpetual > spot else ([], level)
    premium = exact_premium(index, bids, asks, scale.cash_per_tick_lot, 0).truncated()
    interest = ppb(given["delta_t"] * given["interest_rate"])
    rate = funding_rate(premium, interest, clamp, NO_BOUND)
    paid = -funding_credit(scale.lots(Fraction(1)), index, scale.cash_per_tick_lot, rate)
    return {"payment_per_unit": scale.money(paid)}


def index_carried(posed: Posed) -> Figures:
    """Return the index with the funding still to come (MARK-003)."""
    given = posed.given
    scale = Scale(decimals_of([given["index"]]), 0, 0)
    times = 10 ** decimals_of([given["time_until_next"], given["interval"]])
    root = carried_index(
        scale.ticks(given["index"]),
        ppb(given["last_funding_rate"]),
        int(given["time_until_next"] * times),
        int(given["interval"] * times),
    )
    return {"price1": scale.price(Fraction(root.numerator, root.denominator))}


ADAPTERS: Mapping[str, Adapter] = {
    "premium_impact": premium_of_book,
    "twap": time_average,
    "funding_payment": payment,
    "funding_sum": payment,
    "funding_rounding": payments_in_whole_units,
    "funding_index_settlement": settlement_of_index,
    "perp_funding_clamped": rate_within_bounds,
    "mark_price1": index_carried,
}
