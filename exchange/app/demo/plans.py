"""Who takes part in the demo and what they do, sized to the first marks so that any price level works.

Money is in the settlement currency, prices in quote per base.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from clients.bots.market_maker import QuotePlan
from clients.bots.noise_trader import NoisePlan
from clients.bots.sizing import quantity_for
from clients.bots.twins import TwinLeg, TwinPlan
from clients.market_data import Instrument
from exchange.domain.enums import Side

FUND_CREDIT = Decimal(50_000)
MAKERS = 3
MAKER_CREDIT = Decimal(3_000_000)
MAKER_LEVEL_NOTIONAL = Decimal(12_000)
MAKER_LEVELS = 6
MAKER_INVENTORY = Decimal(600_000)
NOISE_TRADERS = 4
NOISE_CREDIT = Decimal(100_000)
NOISE_NOTIONAL = Decimal(4_000)
NOISE_INVENTORY = Decimal(20_000)
TWIN_CREDIT = Decimal(10_000)
SINGLE_TIMES, SINGLE_LEVERAGE = 3, 10
BASKET_TIMES, BASKET_LEVERAGE = 9, 20
HEDGED_TIMES, HEDGED_LEVERAGE = 8, 10
"""How much a plan opens, as a multiple of the deposit, and at which leverage; an isolated twin posts the quotient."""


@dataclass(frozen=True)
class PairPlan:
    """A pair of twins: what they open, and the words for it."""

    name: str
    trades: str
    plan: TwinPlan


def quote_plans(instruments: Mapping[str, Instrument], marks: Mapping[str, Decimal]) -> list[QuotePlan]:
    """Return how a market maker quotes each symbol."""
    return [
        QuotePlan(
            symbol=symbol,
            quantity=quantity_for(instrument, MAKER_LEVEL_NOTIONAL, marks[symbol]),
            levels=MAKER_LEVELS,
            inventory_max=quantity_for(instrument, MAKER_INVENTORY, marks[symbol]),
        )
        for symbol, instrument in instruments.items()
    ]


def noise_plans(instruments: Mapping[str, Instrument], marks: Mapping[str, Decimal]) -> list[NoisePlan]:
    """Return how a noise trader trades each symbol."""
    return [
        NoisePlan(
            symbol=symbol,
            quantity_max=quantity_for(instrument, NOISE_NOTIONAL, marks[symbol]),
            inventory_max=quantity_for(instrument, NOISE_INVENTORY, marks[symbol]),
        )
        for symbol, instrument in instruments.items()
    ]


def pair_plans(instruments: Mapping[str, Instrument]) -> list[PairPlan]:
    """Return the pairs: single legs, a basket, a hedged pair, as far as there are symbols for them."""
    symbols = list(instruments)
    longs = [(symbol, Side.BUY) for symbol in symbols[:3]]
    plans = [_pair(base_of(symbols[0]).lower(), longs[:1], SINGLE_TIMES, SINGLE_LEVERAGE, instruments)]
    if len(symbols) > 1:
        last = [(symbols[-1], Side.BUY)]
        hedge = [(symbols[0], Side.BUY), (symbols[1], Side.SELL)]
        plans.append(_pair(base_of(symbols[-1]).lower(), last, SINGLE_TIMES, SINGLE_LEVERAGE, instruments))
        plans.append(_pair("basket", longs, BASKET_TIMES, BASKET_LEVERAGE, instruments))
        plans.append(_pair("hedged", hedge, HEDGED_TIMES, HEDGED_LEVERAGE, instruments))
    return plans


def base_of(symbol: str) -> str:
    """Return the short name of what a perpetual is on: ``BTC`` of ``BTC-PERP``."""
    return symbol.removesuffix("-PERP")


def _pair(
    name: str,
    legs: Sequence[tuple[str, Side]],
    times: int,
    leverage: int,
    instruments: Mapping[str, Instrument],
) -> PairPlan:
    """Return a plan whose legs are worth ``times`` the deposit together, in equal parts."""
    share = Decimal(1) / len(legs)
    shares = [share] * (len(legs) - 1)
    shares.append(1 - sum(shares, Decimal(0)))
    plan = TwinPlan(
        name=name,
        notional=TWIN_CREDIT * times,
        legs=tuple(
            TwinLeg(symbol=symbol, side=side, share=part, leverage=min(leverage, instruments[symbol].max_leverage))
            for (symbol, side), part in zip(legs, shares, strict=True)
        ),
    )
    words = " ".join(f"{'+' if side is Side.BUY else '-'}{base_of(symbol)}" for symbol, side in legs)
    return PairPlan(name, f"{words}: {times}x deposit at {leverage}x leverage", plan)
