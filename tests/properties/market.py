"""A small, crowded market in which everything binds: instruments, and the random settings that a run is played in.

Tier floors and wallets are low, prices are whole ticks close to the mark and leverage is high, so that a few dozen
commands meet margin limits, tier edges, liquidations, an exhausted fund and deleveraging.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from msgspec.structs import replace

from exchange.domain.commands import (
    AnyCommand,
    CreateAccount,
    Credit,
    IndexPrice,
    MarkPrice,
    PlaceOrder,
    SetAutoReplenish,
    SetIndexPrices,
    SetLeverage,
    SetMarginMode,
    SetMarkPrices,
    SetPositionMode,
)
from exchange.domain.enums import MarginMode, PositionMode, PositionSide, Side
from exchange.domain.ids import INSURANCE_FUND
from exchange.domain.instrument import (
    CollateralAsset,
    FundingTerms,
    IndexMarkTerms,
    Instrument,
    TierRow,
    build_tiers,
    check_instrument,
)
from exchange.domain.policy import (
    AdlRanking,
    BadDebtPolicy,
    LiquidationSizing,
    RiskPolicy,
    UnfilledPolicy,
    check_policy,
)
from exchange.domain.units import Grid

ACCOUNTS = ("alice", "bob", "carol", "dave", "erin", "frank")
SECOND = 1_000_000_000


def _instrument(symbol: str, k: int, tiers: list[TierRow], **fields: int) -> Instrument:
    instrument = Instrument(
        symbol=symbol,
        price_grid=Grid(1, 2),
        quantity_grid=Grid(1, 3),
        cash_per_tick_lot=k,
        tiers=build_tiers(tiers),
        **fields,
    )
    check_instrument(instrument)
    return instrument


INSTRUMENTS = (
    _instrument(
        "ANT-PERP", 7,
        [TierRow(0, 10_000, 50), TierRow(2_100, 20_000, 40), TierRow(6_300, 40_000, 20), TierRow(15_400, 100_000, 8)],
        default_leverage=10, maker_fee=200, taker_fee=500, liquidation_fee=5_000, price_band=200_000,
        market_protection=50_000, notional_min=1_000, quantity_max=30,
    ),
    _instrument(
        "BEE-PERP", 30,
        [TierRow(0, 25_000, 39), TierRow(4_920, 50_000, 19), TierRow(19_680, 100_000, 8)],
        default_leverage=10, maker_fee=-3_000, taker_fee=3_000, liquidation_fee=10_000, price_band=300_000,
        market_protection=300_000, notional_min=0, quantity_max=12,
    ),
    _instrument(
        "CAT-PERP", 1,
        [TierRow(0, 5_000, 50), TierRow(4_000, 10_000, 40), TierRow(12_000, 30_000, 30), TierRow(30_000, 80_000, 10)],
        default_leverage=20, maker_fee=0, taker_fee=1_000, liquidation_fee=15_000, price_band=100_000,
        market_protection=20_000, notional_min=900, quantity_max=20,
    ),
)  # fmt: skip
SYMBOLS = tuple(instrument.symbol for instrument in INSTRUMENTS)
FIRST_MARKS = {"ANT-PERP": 100, "BEE-PERP": 41, "CAT-PERP": 1_000}
WALLETS = (4_000, 1_500, 8_000, 2_500, 20_000, 800)
COLLATERAL = (
    CollateralAsset(asset="ORE", decimals=2, haircut=100_000, initial_price=1_000),
    CollateralAsset(asset="GEM", decimals=4, haircut=0, initial_price=333),
    CollateralAsset(asset="OIL", decimals=0, haircut=250_000),
)
"""One unit of ORE counts for 9 cash, of GEM for a fraction of one, of OIL for whole ones once it has a price."""

LIMITS = (
    (1000, 64, 256, 8, 20), (1000, 64, 256, 8, 20), (1000, 1, 256, 8, 9), (2, 64, 1, 3, 5), (1, 2, 2, 200, 5000),
    (3, 1, 1, 2, 5),
)  # fmt: skip
"""(sweep_makers_max, liquidation_steps_max, adl_legs_max, open_orders_max, account_orders_max) of a run."""

STYLES = 3
"""How many ways there are to open a run (`opening_commands`)."""
PLAIN = RiskPolicy(liquidation_sizing=LiquidationSizing.FULL)


@dataclass(frozen=True)
class Setting:
    """All that a run is played in; the plain one has nothing but marks, orders and whole closes."""

    instruments: tuple[Instrument, ...] = INSTRUMENTS
    limits: int = 0
    style: int = 0
    policy: RiskPolicy = PLAIN
    collateral: tuple[CollateralAsset, ...] = ()
    hedged: tuple[str, ...] = ()
    """The accounts that begin in hedge mode."""
    replenished: tuple[str, ...] = ()
    """The accounts that have every position topped up."""
    trades: tuple[tuple[str, str, str, int], ...] = ()
    """(seller, buyer, symbol, lots) at the first mark, to begin with; some are refused."""
    is_random: bool = False
    """Whether everything that a venue may be configured to be is drawn, and every command."""
    has_brinks: bool = False
    """Whether some commands bring a scope to where its equity is about its maintenance."""


def plain_setting(numbers: Random) -> Setting:
    """Whole closes, no policies, nothing that time brings."""
    return Setting(limits=numbers.randrange(len(LIMITS)), style=numbers.randrange(STYLES))


def random_setting(numbers: Random) -> Setting:
    """Anything that a venue may be configured to be."""
    return Setting(
        instruments=tuple(random_terms(numbers, instrument) for instrument in INSTRUMENTS),
        limits=numbers.randrange(len(LIMITS)),
        style=numbers.randrange(STYLES),
        policy=random_policy(numbers),
        collateral=COLLATERAL if numbers.randrange(2) else (),
        hedged=tuple(numbers.sample(ACCOUNTS, numbers.choice((0, 1, 2, 3)))),
        replenished=tuple(numbers.sample(ACCOUNTS, numbers.choice((0, 2, 6)))),
        trades=tuple(random_trade(numbers) for _ in range(numbers.choice((0, 6, 12)))),
        is_random=True,
    )


def random_trade(numbers: Random) -> tuple[str, str, str, int]:
    """Two accounts, a symbol and lots up to its maximum quantity."""
    seller, buyer = numbers.sample(ACCOUNTS, 2)
    instrument = numbers.choice(INSTRUMENTS)
    return seller, buyer, instrument.symbol, numbers.randint(1, instrument.quantity_max)


def random_policy(numbers: Random) -> RiskPolicy:
    """A policy with every choice drawn."""
    policy = RiskPolicy(
        liquidation_sizing=numbers.choice((LiquidationSizing.TARGET, *LiquidationSizing)),
        liquidation_target=numbers.choice((1_000_000, 1_100_000, 1_500_000, 3_000_000)),
        liquidation_slippage=numbers.choice((0, 5_000, 60_000)),
        liquidation_fraction=numbers.choice((200_000, 500_000, 1_000_000)),
        liquidation_remainder_min=numbers.choice((0, 0, 700, 3_000)),
        liquidation_rounds_max=numbers.choice((1, 2, 16)),
        liquidation_retries_max=numbers.choice((0, 1, 3)),
        unfilled=numbers.choice(tuple(UnfilledPolicy)),
        fund_covers=numbers.randrange(3) == 0,
        bad_debt=numbers.choice((BadDebtPolicy.SOCIALIZE, *BadDebtPolicy)),
        adl_ranking=numbers.choice(tuple(AdlRanking)),
        fund_unwind_fraction=numbers.choice((0, 100_000, 400_000, 1_000_000)),
        fund_unwind_notional_min=numbers.choice((0, 1_500)),
        fund_unwind_book_share=numbers.choice((250_000, 1_000_000)),
        fund_unwind_interval=numbers.choice((0, SECOND)),
        margin_call_levels=numbers.choice(((), (600_000, 800_000), (250_000, 500_000, 900_000, 1_000_000))),
        mark_stale_after=numbers.choice((0, 0, 0, 2 * SECOND)),
        mark_jump_max=numbers.choice((0, 0, 0, 350_000)),
    )
    check_policy(policy)
    return policy


def random_terms(numbers: Random, instrument: Instrument) -> Instrument:
    """The instrument with funding, with a mark made of its index, with both, or with neither."""
    funding = FundingTerms(
        interval=numbers.choice((1, 2, 3)) * SECOND,
        interest=numbers.choice((0, 3_000_000, -20_000_000)),
        clamp=numbers.choice((0, 2_000_000, 30_000_000)),
        cap=numbers.choice((1_000_000, 100_000_000)),
        impact_notional=numbers.choice((700, 5_000)),
    )
    index_mark = IndexMarkTerms(band=numbers.choice((20_000, 150_000)), basis_window=numbers.choice((SECOND // 2, 5 * SECOND)))
    made = replace(
        instrument,
        funding=funding if numbers.randrange(3) else None,
        index_mark=index_mark if numbers.randrange(4) == 0 else None,
    )
    check_instrument(made)
    return made


def price_commands(instruments: Sequence[Instrument], prices: dict[str, int]) -> list[AnyCommand]:
    """Marks for those whose mark is told, index prices for the others."""
    made = {i.symbol for i in instruments if i.index_mark is not None}
    marks = tuple(MarkPrice(symbol, price) for symbol, price in prices.items() if symbol not in made)
    indices = tuple(IndexPrice(symbol, price) for symbol, price in prices.items() if symbol in made)
    commands: list[AnyCommand] = []
    if marks:
        commands.append(SetMarkPrices(marks=marks))
    if indices:
        commands.append(SetIndexPrices(prices=indices))
    return commands


def opening_commands(setting: Setting) -> list[AnyCommand]:
    """Accounts with small wallets, modes, leverages and marks; style 1 has no fund, style 2 one symbol without a mark."""
    style = setting.style
    commands: list[AnyCommand] = [CreateAccount(account=name) for name in ACCOUNTS]
    commands += [Credit(account=name, amount=amount) for name, amount in zip(ACCOUNTS, WALLETS, strict=True)]
    for number, asset in enumerate(setting.collateral):
        for name in ACCOUNTS[2 * number : 2 * number + 3]:
            commands.append(Credit(account=name, amount=100 * (number + 1), asset=asset.asset))
    marked = SYMBOLS[:-1] if style == 2 else SYMBOLS
    commands += price_commands(setting.instruments, {symbol: FIRST_MARKS[symbol] for symbol in marked})
    if style != 1:
        commands.append(Credit(account=INSURANCE_FUND, amount=100))
    commands += [SetPositionMode(account=name, position_mode=PositionMode.HEDGE) for name in setting.hedged]
    for a, account in enumerate(ACCOUNTS):
        sides = (PositionSide.LONG, PositionSide.SHORT) if account in setting.hedged else (PositionSide.NET,)
        for s, symbol in enumerate(SYMBOLS):
            for n, side in enumerate(sides):
                if not setting.is_random or (a + s + n) % 2:
                    commands += _settings_of_position(setting, account, symbol, side, a + s + n)
    for trade in setting.trades:
        commands += _trade(setting, *trade)
    return commands


def _trade(setting: Setting, seller: str, buyer: str, symbol: str, lots: int) -> list[AnyCommand]:
    commands: list[AnyCommand] = []
    for account, side, leg in ((seller, Side.SELL, PositionSide.SHORT), (buyer, Side.BUY, PositionSide.LONG)):
        order = PlaceOrder(
            account=account,
            symbol=symbol,
            side=side,
            quantity=lots,
            limit_price=FIRST_MARKS[symbol],
            position_side=leg if account in setting.hedged else PositionSide.NET,
        )
        commands.append(order)
    return commands


def _settings_of_position(setting: Setting, account: str, symbol: str, side: PositionSide, number: int) -> list[AnyCommand]:
    commands: list[AnyCommand] = []
    a, s = ACCOUNTS.index(account), SYMBOLS.index(symbol)
    if a == s if setting.style == 1 else number % 2:
        isolated = MarginMode.ISOLATED
        commands.append(SetMarginMode(account=account, symbol=symbol, margin_mode=isolated, position_side=side))
    leverage = 8 if setting.style == 1 else (10, 5, 20, 8, 30)[(a + number) % 5]
    commands.append(SetLeverage(account=account, symbol=symbol, leverage=leverage, position_side=side))
    if account in setting.replenished:
        commands.append(SetAutoReplenish(account=account, symbol=symbol, enabled=True, position_side=side))
    return commands
