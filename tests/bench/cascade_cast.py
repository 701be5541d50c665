"""Who takes part in the cascade: levered accounts in pairs, desks that take their other side, and makers of thin books."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from exchange.domain.commands import AnyCommand, CancelAllOrders, CreateAccount, Credit, PlaceOrder, SetLeverage, SetMarginMode
from exchange.domain.enums import MarginMode, Side, TimeInForce
from exchange.domain.ids import AccountId, Symbol
from exchange.domain.instrument import Instrument
from exchange.domain.margin_math import tier_at
from exchange.domain.units import PPM, Cash, Lots, Ppm, Ticks, parse_cash
from exchange.venue.venue import Venue

Submit = Callable[[AnyCommand], object]

MAJORS = ("BTC-PERP", "ETH-PERP", "SOL-PERP")
ALTS = ("AAVE-PERP", "AVAX-PERP", "DOT-PERP", "UNI-PERP")
FORGOTTEN = "ATOM-PERP"
"""Where nobody makes a market and few ever traded: longs so levered that the fund has them before it has spent its money, and
shorts that lose elsewhere; when these fail, only the fund is left on the other side."""
FORGOTTEN_PLANS = 30
MATCHED = frozenset({FORGOTTEN, *MAJORS})
"""Where no desk takes the other side: the levered accounts have only each other, and what finds nobody is not opened."""
DESKS: tuple[AccountId, ...] = ("desk-1", "desk-2", "desk-3")
DESK_DEPOSIT = parse_cash("50000000")
LEVERAGES = (3, 5, 5, 10, 10, 20, 20, 25, 50, 75)
SIZES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
"""Deposits of the levered accounts, in whole units of the settlement currency."""


class LegPlan(NamedTuple):
    """A position to open: ``share`` of the deposit as its initial margin."""

    symbol: Symbol
    side: Side
    leverage: int
    share: Ppm


class Plan(NamedTuple):
    """What two accounts do alike, the one with cross margin and the other with isolated."""

    name: str
    deposit: Cash
    legs: tuple[LegPlan, ...]

    def account(self, mode: MarginMode) -> AccountId:
        """Return the name of its account with this margin mode."""
        return f"{self.name}-{mode.value}"


def plans(pairs: int, generator: random.Random) -> list[Plan]:
    """Return plans for pairs of accounts: of ten, seven are long, one is short, two are long one symbol and short another.

    A few of the first trade the forgotten market against each other.
    """
    return [_plan(number, generator) for number in range(pairs)]


def _plan(number: int, generator: random.Random) -> Plan:
    kind, leverage, is_early = number % 10, generator.choice(LEVERAGES), number < FORGOTTEN_PLANS
    deposit, share = generator.choice(SIZES), generator.randint(600_000, 900_000)
    if kind == 6 and is_early:
        symbols, sides, leverage, deposit = [FORGOTTEN], [Side.BUY], 50, 500
    elif kind < 7:
        symbols = sorted(set(generator.sample((*ALTS, *ALTS, *MAJORS), generator.choice((1, 1, 2, 3)))))
        sides = [Side.BUY] * len(symbols)
    elif kind == 7:
        symbols, sides = [generator.choice((*ALTS, *MAJORS))], [Side.SELL]
    else:
        short = FORGOTTEN if is_early else generator.choice(MAJORS)
        symbols, sides = [generator.choice(ALTS), short], [Side.BUY, Side.SELL]
    legs = tuple(LegPlan(symbol, side, leverage, share // len(symbols)) for symbol, side in zip(symbols, sides, strict=True))
    return Plan(f"plan-{number:03d}", parse_cash(str(deposit)), legs)


def open_everything(
    submit: Submit, instruments: Mapping[Symbol, Instrument], marks: Mapping[Symbol, Ticks], cast: Sequence[Plan]
) -> None:
    """Fund the desks and the levered accounts and let these open their positions at the mark against those."""
    for desk in DESKS:
        submit(CreateAccount(account=desk))
        submit(Credit(account=desk, amount=DESK_DEPOSIT))
        for symbol in instruments:
            submit(SetLeverage(account=desk, symbol=symbol, leverage=2))
    for number, plan in enumerate(cast):
        for mode in MarginMode:
            account = plan.account(mode)
            submit(CreateAccount(account=account))
            submit(Credit(account=account, amount=plan.deposit))
            for leg in plan.legs:
                _open_leg(
                    submit, instruments[leg.symbol], marks[leg.symbol], DESKS[number % len(DESKS)], account, mode, plan, leg
                )


def cancel_unmatched(submit: Submit, cast: Sequence[Plan]) -> None:
    """Take back what found nobody on the other side."""
    for plan in cast:
        for mode in MarginMode:
            submit(CancelAllOrders(account=plan.account(mode)))


def _open_leg(
    submit: Submit,
    instrument: Instrument,
    mark: Ticks,
    desk: AccountId,
    account: AccountId,
    mode: MarginMode,
    plan: Plan,
    leg: LegPlan,
) -> None:
    per_lot, margin = mark * instrument.cash_per_tick_lot, plan.deposit * leg.share // PPM
    leverage = min(leg.leverage, tier_at(instrument.tiers, margin * leg.leverage).max_leverage)
    lots = min(margin * leverage // per_lot, instrument.quantity_max)
    if lots * per_lot < instrument.notional_min:
        return
    symbol = leg.symbol
    submit(SetLeverage(account=account, symbol=symbol, leverage=leverage))
    submit(SetMarginMode(account=account, symbol=symbol, margin_mode=mode))
    order = PlaceOrder(account=account, symbol=symbol, side=leg.side, quantity=lots, limit_price=mark)
    if symbol in MATCHED:
        submit(order)
        return
    submit(replace(order, account=desk, side=leg.side.opposite))
    submit(replace(order, time_in_force=TimeInForce.IOC))
    submit(CancelAllOrders(account=desk, symbol=symbol))


class Maker:
    """Quotes small sizes around the mark in every symbol, anew whenever the mark has moved; holds only so much."""

    def __init__(
        self,
        account: AccountId,
        *,
        offsets: Sequence[Ppm],
        size: Cash,
        inventory_max: Cash,
        steps: int,
        generator: random.Random,
    ) -> None:
        """``offsets`` from the mark, ``size`` of each quote, requoted every ``steps`` steps."""
        self.account = account
        self._offsets = offsets
        self._size = size
        self._inventory_max = inventory_max
        self._steps = steps
        self._generator = generator

    def join(self, submit: Submit, instruments: Mapping[Symbol, Instrument]) -> None:
        """Open the account and fund it with twice what it may come to hold in one symbol."""
        submit(CreateAccount(account=self.account))
        submit(Credit(account=self.account, amount=2 * self._inventory_max))
        for symbol in instruments:
            submit(SetLeverage(account=self.account, symbol=symbol, leverage=5))

    def quote(self, submit: Submit, venue: Venue, symbol: Symbol, mark: Ticks, before: Ticks, step: int) -> None:
        """Replace the quotes in a symbol; wider, or not at all, when the mark has just moved far."""
        if (mark == before and step % 10) or step % self._steps:
            return
        submit(CancelAllOrders(account=self.account, symbol=symbol))
        move = abs(mark - before) * PPM // before
        if move > 15_000 and self._generator.random() < 0.6:
            return
        instrument = venue.instruments[symbol]
        per_lot = mark * instrument.cash_per_tick_lot
        held = venue.position(self.account, symbol).quantity * per_lot
        for side in Side:
            if held * side.sign >= self._inventory_max:
                continue
            for offset in self._offsets:
                price = mark - side.sign * max(1, mark * (offset + move // 2) // PPM)
                self._send(submit, instrument, side, self._size // per_lot, price)

    def _send(self, submit: Submit, instrument: Instrument, side: Side, lots: Lots, price: Ticks) -> None:
        if lots and price >= 1:
            submit(
                PlaceOrder(
                    account=self.account,
                    symbol=instrument.symbol,
                    side=side,
                    quantity=lots,
                    limit_price=price,
                    post_only=True,
                )
            )


class Buyer:
    """Buys a little of what is offered, all the time, with its own money; makers get rid of what they hold by it."""

    def __init__(self, account: AccountId, *, size: Cash, generator: random.Random) -> None:
        """``size`` of one order."""
        self.account = account
        self._size = size
        self._generator = generator

    def join(self, submit: Submit, instruments: Mapping[Symbol, Instrument]) -> None:
        """Open the account, with as much as it can ever buy."""
        submit(CreateAccount(account=self.account))
        submit(Credit(account=self.account, amount=DESK_DEPOSIT))
        for symbol in instruments:
            submit(SetLeverage(account=self.account, symbol=symbol, leverage=1))

    def buy(self, submit: Submit, instrument: Instrument, mark: Ticks) -> None:
        """Buy now and then, up to a little above the mark."""
        lots = self._size // (mark * instrument.cash_per_tick_lot)
        if lots and self._generator.random() < 0.3:
            submit(
                PlaceOrder(
                    account=self.account,
                    symbol=instrument.symbol,
                    side=Side.BUY,
                    quantity=lots,
                    limit_price=mark + mark * 5_000 // PPM,
                    time_in_force=TimeInForce.IOC,
                )
            )


def makers(seed: int) -> list[Maker]:
    """Return two that quote close to the mark and one that bids far below it for more."""
    close = [
        Maker(
            f"maker-{number}",
            offsets=(500 * number, 1_500 * number, 4_000 * number),
            size=parse_cash("5000"),
            inventory_max=parse_cash("200000"),
            steps=1,
            generator=random.Random(seed + number),
        )
        for number in (1, 2)
    ]
    patient = Maker(
        "maker-3",
        offsets=(20_000, 40_000),
        size=parse_cash("15000"),
        inventory_max=parse_cash("300000"),
        steps=5,
        generator=random.Random(seed + 3),
    )
    return [*close, patient]
