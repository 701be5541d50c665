"""The named cast of every core test: accounts, and instruments with round numbers.

10 lots of BTC-PERP at 100 are worth 1000 of the settlement currency; at leverage 10 they need 100 of initial margin and
50 of maintenance. Tier floors are low, so that a few lots reach them.
"""

from __future__ import annotations

from msgspec.structs import replace

from exchange.domain.ids import AccountId
from exchange.domain.instrument import CollateralAsset, Instrument, TierRow, build_tiers
from exchange.domain.policy import LiquidationSizing, RiskPolicy
from exchange.domain.units import Cash, Grid, parse_cash

ALICE: AccountId = "alice"
BOB: AccountId = "bob"
CAROL: AccountId = "carol"
DAVE: AccountId = "dave"
ERIN: AccountId = "erin"
FRANK: AccountId = "frank"
CAST = (ALICE, BOB, CAROL, DAVE, ERIN, FRANK)

T0 = 1_760_130_000_000_000_000
"""The time of every test's first command, in nanoseconds."""

TIERS = build_tiers(
    [
        TierRow(parse_cash("0"), 50_000, 10),
        TierRow(parse_cash("10000"), 100_000, 5),
        TierRow(parse_cash("50000"), 200_000, 2),
    ]
)
"""Maintenance 5 %, from 10000 10 % less 500, from 50000 20 % less 5500."""

BTC_PERP = Instrument(
    symbol="BTC-PERP",
    price_grid=Grid(1, 0),
    quantity_grid=Grid(1, 0),
    cash_per_tick_lot=parse_cash("1"),
    tiers=TIERS,
    default_leverage=10,
    maker_fee=0,
    taker_fee=0,
    liquidation_fee=0,
    price_band=500_000,
    market_protection=100_000,
    notional_min=parse_cash("10"),
    quantity_max=1_000,
)
ETH_PERP = replace(BTC_PERP, symbol="ETH-PERP")
SOL_PERP = replace(BTC_PERP, symbol="SOL-PERP")

BTC_WITH_FEES = replace(BTC_PERP, maker_fee=1_000, taker_fee=10_000, liquidation_fee=20_000)
"""Taker 1 %, maker 0.1 %, liquidation 2 %."""
BTC_WITH_REBATE = replace(BTC_PERP, maker_fee=-1_000, taker_fee=10_000, liquidation_fee=20_000)
"""A maker is paid 0.1 %."""

DUST_PERP = replace(BTC_PERP, symbol="DUST-PERP", cash_per_tick_lot=1, notional_min=0)
"""One tick times one lot is the smallest unit of money, so that every rounding shows."""
FINE_PERP = replace(BTC_PERP, symbol="FINE-PERP", cash_per_tick_lot=parse_cash("0.001"), quantity_max=1_000_000)
"""One lot at 1 is worth 0.001, for closes of many small parts."""

COIN = CollateralAsset(asset="COIN", decimals=3, haircut=200_000, initial_price=parse_cash("100"))
"""A whole one counts for 80."""
GOLD = CollateralAsset(asset="GOLD", decimals=0, haircut=500_000, initial_price=parse_cash("10"))
"""A whole one counts for 5 and cannot be divided."""
COLLATERAL = {each.asset: each for each in (COIN, GOLD)}

PLAIN_POLICY = RiskPolicy(liquidation_sizing=LiquidationSizing.FULL, margin_call_levels=())
"""Liquidations close whole positions and nobody is warned: the plain arithmetic that most tables are about."""


def cash(text: str) -> Cash:
    """Return an amount of the settlement currency in cash units."""
    return parse_cash(text)
