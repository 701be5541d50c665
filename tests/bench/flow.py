"""A fixed, seeded flow of commands: what a venue of modest size sees, the same in every run."""

from __future__ import annotations

import random

from exchange.domain.commands import AnyCommand, CancelOrder, CreateAccount, Credit, MarkPrice, PlaceOrder, SetMarkPrices
from exchange.domain.enums import OrderType, Side
from exchange.domain.instrument import Instrument, TierRow, build_tiers
from exchange.domain.units import Grid
from exchange.venue.venue import Venue

SYMBOLS = 10
ACCOUNTS = 500
MARK = 600_000
CREDIT = 10**13
TIERS = build_tiers([TierRow(0, 4_000, 125), TierRow(50_000_000_000, 5_000, 100), TierRow(5_000_000_000_000, 25_000, 20)])


def instruments() -> list[Instrument]:
    """Return ten perpetuals that differ in name only."""
    return [
        Instrument(
            symbol=f"S{number}-PERP",
            price_grid=Grid(1, 1),
            quantity_grid=Grid(1, 3),
            cash_per_tick_lot=100,
            tiers=TIERS,
            default_leverage=20,
            maker_fee=200,
            taker_fee=500,
            liquidation_fee=5_000,
            price_band=100_000,
            market_protection=50_000,
            notional_min=5_000_000,
            quantity_max=100_000,
        )
        for number in range(SYMBOLS)
    ]


def opening() -> list[AnyCommand]:
    """Return the commands that fund the accounts and set the marks."""
    commands: list[AnyCommand] = [SetMarkPrices(marks=tuple(MarkPrice(each.symbol, MARK) for each in instruments()))]
    for number in range(ACCOUNTS):
        commands += [CreateAccount(account=f"a{number}"), Credit(account=f"a{number}", amount=CREDIT)]
    return commands


def trading(count: int, *, seed: int = 1) -> list[AnyCommand]:
    """Return ``count`` commands: 55 % new limits, 30 % cancels, 10 % market orders, 5 % mark updates of one symbol."""
    generator = random.Random(seed)
    commands: list[AnyCommand] = []
    owners: list[str] = []
    for _ in range(count):
        draw, account = generator.random(), f"a{generator.randrange(ACCOUNTS)}"
        symbol, side = f"S{generator.randrange(SYMBOLS)}-PERP", generator.choice((Side.BUY, Side.SELL))
        if draw < 0.05:
            price = MARK + generator.randint(-200, 200)
            commands.append(SetMarkPrices(marks=(MarkPrice(symbol, price),)))
        elif draw < 0.35 and owners:
            order_id = generator.randrange(len(owners))
            commands.append(CancelOrder(account=owners[order_id], order_id=order_id + 1))
        else:
            market = draw >= 0.9
            commands.append(
                PlaceOrder(
                    account=account,
                    symbol=symbol,
                    side=side,
                    quantity=generator.randint(10, 200),
                    order_type=OrderType.MARKET if market else OrderType.LIMIT,
                    limit_price=None if market else MARK - side.sign * generator.randint(50, 5_000),
                )
            )
            owners.append(account)
    return commands


def opened_venue() -> Venue:
    """Return a venue with funded accounts and marks."""
    venue = Venue(instruments())
    for number, command in enumerate(opening()):
        venue.apply(command, now_ns=number)
    return venue
