"""Runs in which every command that can be previewed is, just before it is given (MARG-029).

Two ways to come by states and commands: the traces of the invariants, with more kinds of order put between their
commands, and the draws of the naive model, which takes the commands along and is compared with nothing here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from msgspec.structs import replace

from exchange.domain.commands import (
    AddMargin,
    AnyCommand,
    MarkPrice,
    PlaceOrder,
    RemoveMargin,
    SetAutoReplenish,
    SetLeverage,
    SetMarginMode,
    SetMarkPrices,
    SetPositionMode,
    Withdraw,
)
from exchange.domain.enums import MarginMode, OrderType, PositionMode, PositionSide, SelfTradePrevention, Side, TimeInForce
from exchange.domain.ids import SETTLEMENT_ASSET
from tests.foresight import foresee
from tests.properties.agreement import Pair
from tests.properties.draws import DRAW_MAXIMA, WAITS, Draw, command_of
from tests.properties.market import Setting, opening_commands, random_setting
from tests.properties.pictures import Picture
from tests.properties.runs import check_replay
from tests.properties.switches import with_switches
from tests.properties.traces import ACCOUNTS, COLLATERAL, FIRST_PRICES, HEDGERS, Probe, Step, Trace, sides_of

OTHER_KINDS = (
    ("order", 50), ("repeat", 6), ("mark", 14), ("mode", 6), ("leverage", 6), ("margin", 10), ("withdraw", 6),
    ("position_mode", 1), ("replenish", 1),
)  # fmt: skip


class PreviewedTrace(Trace):
    """A trace whose every command is foretold; after each choice of its own comes one of those that traces lack."""

    def __init__(self, seed: int, *, is_switched: bool = False) -> None:
        """``is_switched`` turns some of the switches of the rules."""
        super().__init__(seed)
        self.counts: Counter[str] = Counter()
        self._others = Random(seed)
        if is_switched:
            self.market = self.market._replace(policy=with_switches(self._others, self.market.policy))
            self.venue = self.market.open()
            self.picture = Picture.of(self.venue)
        self._named: list[PlaceOrder] = []

    def _apply(self, probe: Probe) -> Step:
        foresight = foresee(self.venue, probe.command, self._now_ns)
        step = super()._apply(probe)
        faults = list(foresight.faults(step.events, self.venue, self.counts))
        assert not faults, "\n".join([step.title, *faults])
        return step

    def _choose(self, picture: Picture) -> list[Probe]:
        return [*super()._choose(picture), Probe(self._other())]

    def _other(self) -> AnyCommand:
        random = self._others
        (kind,) = random.choices([name for name, _ in OTHER_KINDS], [weight for _, weight in OTHER_KINDS])
        account, symbol = random.choice(ACCOUNTS), random.choice(tuple(FIRST_PRICES))
        side = random.choice(sides_of(account))
        held = self.venue.position(account, symbol, side)
        match kind:
            case "order":
                return self._any_order(account, symbol, side, held.quantity)
            case "repeat" if self._named:
                again = random.choice(self._named)
                return again if random.random() < 0.7 else replace(again, quantity=again.quantity + 1)
            case "mark":
                symbols = random.sample(("ANT-PERP", "BEE-PERP", "ANT-PERP", "CAT-PERP"), random.choice((1, 1, 2)))
                prices = (self._price(each) * random.randint(700, 1_400) // 1_000 for each in symbols)
                return SetMarkPrices(marks=tuple(MarkPrice(*each) for each in zip(symbols, prices, strict=True)))
            case "mode":
                margin = random.choice((None, None, random.randint(0, 3_000)))
                mode = random.choice(tuple(MarginMode))
                return SetMarginMode(account=account, symbol=symbol, margin_mode=mode, margin=margin, position_side=side)
            case "leverage":
                return SetLeverage(account=account, symbol=symbol, leverage=random.randint(0, 51), position_side=side)
            case "margin":
                make, amount = random.choice((AddMargin, RemoveMargin)), random.choice((0, 1, random.randint(1, 900)))
                return make(account=account, symbol=symbol, amount=amount, position_side=side)
            case "position_mode":
                return SetPositionMode(account=account, position_mode=self._position_mode(account))
            case "replenish":
                return SetAutoReplenish(account=account, symbol=symbol, enabled=random.random() < 0.5, position_side=side)
            case _:
                asset = random.choice((SETTLEMENT_ASSET, *(each.asset for each in COLLATERAL)))
                return Withdraw(account=account, amount=random.choice((0, 1, random.randint(1, 4_000))), asset=asset)

    def _position_mode(self, account: str) -> PositionMode:
        """The mode that the account has, so that the rest of the trace knows its sides."""
        return PositionMode.HEDGE if account in HEDGERS else PositionMode.ONE_WAY

    def _any_order(self, account: str, symbol: str, side: PositionSide, held: int) -> PlaceOrder:
        """An order of any kind near the mark: at what rests, on the account's own orders, against its position."""
        random, mark = self._others, self.venue.mark_price(symbol) or FIRST_PRICES[symbol]
        direction = random.choice(tuple(Side))
        if held and random.random() < 0.5:
            direction = Side.SELL if held > 0 else Side.BUY
        undated = (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)
        market, time_in_force = random.random() < 0.2, random.choice(undated)
        bids, asks = self.venue.depth(symbol, 3)
        prices = [level.price for level in (*bids, *asks)] or [mark]
        price = random.choice((*prices, mark, mark * random.randint(900, 1_100) // 1_000))
        name = f"name-{random.randint(1, 9)}" if random.random() < 0.25 else None
        order = PlaceOrder(
            account=account,
            symbol=symbol,
            side=direction,
            quantity=abs(held) if held and random.random() < 0.3 else random.randint(1, 25),
            order_type=OrderType.MARKET if market else OrderType.LIMIT,
            limit_price=None if market else max(1, price),
            time_in_force=time_in_force,
            post_only=not market and time_in_force is TimeInForce.GTC and random.random() < 0.3,
            reduce_only=random.random() < (0.35 if held else 0.03),
            self_trade_prevention=random.choice(tuple(SelfTradePrevention)),
            client_order_id=name,
            position_side=side,
        )
        if name is not None:
            self._named.append(order)
        return order


def play_trace(seed: int, choices: int, *, is_switched: bool = False) -> Counter[str]:
    """Play a trace and return what was foretold; a venue that was never asked for a preview does the same."""
    trace = PreviewedTrace(seed, is_switched=is_switched)
    told = {len(trace.log): step.events for step in trace.play(choices)}
    again = trace.market.open()
    for place, (command, now_ns) in enumerate(trace.log, start=1):
        events = again.apply(command, now_ns=now_ns)
        assert told.get(place, events) == events, f"seed {seed}, command {place}: the previews before it changed it"
    assert again.digest() == trace.venue.digest()
    return trace.counts


class PreviewedPair(Pair):
    """A venue that says beforehand what each command will do; the naive model only leads the draws."""

    def apply_one(self, command: AnyCommand) -> None:
        foresight = foresee(self.venue, command, self.now)
        events = self.venue.apply(command, now_ns=self.now)
        self.history.append((command, self.now, events))
        self.model.apply(command, now_ns=self.now)
        faults = list(foresight.faults(events, self.venue, self.counts))
        assert not faults, "\n".join([f"command {len(self.history)}: {command}", *faults])


def play_draws(seed: int, commands: int, setting_of: Callable[[Random], Setting] = random_setting) -> Counter[str]:
    """Play drawn commands in a setting that is drawn too and return what was foretold."""
    numbers = Random(seed)
    setting = setting_of(numbers)
    pair = PreviewedPair(setting)
    try:
        for command in opening_commands(setting):
            pair.apply(command)
        for _ in range(commands):
            draw = Draw(*(numbers.randint(0, most) for most in DRAW_MAXIMA))
            pair.apply(command_of(draw, pair.model, setting), wait=WAITS[draw.wait % len(WAITS)])
    except AssertionError as difference:
        difference.add_note(f"the seed: {seed}")
        raise
    check_replay(pair)
    return pair.counts
