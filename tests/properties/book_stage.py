"""A gateway whose books two clients follow: one is sent everything, the other through a network that loses, doubles,
delays and spoils messages. Whatever a mirror says it holds must be what the venue's book was at that sequence."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any, TypeAlias

import msgpack

from clients.market_data import Level
from clients.mirror import BookMirror
from clients.updates import BOOK_CHANNELS, BookChannel, Channel, read_update
from exchange.domain.commands import (
    AdvanceTime,
    AnyCommand,
    CancelAllOrders,
    CancelOrder,
    CreateAccount,
    Credit,
    MarkPrice,
    PlaceOrder,
    SetMarkPrices,
)
from exchange.domain.enums import OrderType, Side, TimeInForce
from exchange.domain.events import BookChanged
from exchange.domain.policy import RiskPolicy, UnfilledPolicy
from exchange.server.connection import Connection
from exchange.server.gateway import Gateway
from exchange.server.limits import ServerLimits
from exchange.services.clock import VirtualClock
from exchange.wire.codec import JSON, MSGPACK, Codec
from exchange.wire.session import Session
from tests.cast import ALICE, BOB, CAROL, T0, cash
from tests.unit.server.memory_port import MemoryPort
from tests.wire_kit import BTC, make_parts

SYMBOL = BTC.symbol
POOR = ("dora", "egon", "fred", "gina")
"""Accounts that a move of the mark liquidates."""
RICH = "rita"
"""Who trades only when everything has been played."""
DEPTHS = {channel: depth for depth, channel in BOOK_CHANNELS.items()}
CHECKSUM_LEVELS = 10
CONFLATE_BYTES = 3_000
Frame: TypeAlias = dict[str, Any]
Sides: TypeAlias = tuple[tuple[Level, ...], tuple[Level, ...]]


def text_of(sides: list[list[tuple[str, str]]]) -> str:
    """The text of WIRE-023, written down from the rule."""
    return "|".join(",".join(":".join(level) for level in side[:CHECKSUM_LEVELS]) for side in sides)


class Follower:
    """One connection, subscribed to the book at every depth, or to some channels."""

    def __init__(self, gateway: Gateway, codec: Codec, channels: Iterable[Channel] = tuple(BOOK_CHANNELS.values())) -> None:
        self.port = MemoryPort()
        session = Session(gateway._parts.keys, session_id="s", nonce="n")
        self.connection = Connection(gateway, self.port, codec, session)
        self._codec = codec
        for channel in channels:
            self.subscribe(channel)

    def subscribe(self, channel: Channel) -> None:
        request = {"id": 1, "method": "subscribe", "params": {"channel": channel, "symbol": SYMBOL}}
        payload = msgpack.packb(request) if self._codec.is_binary else json.dumps(request).encode()
        self.connection.receive(payload, is_binary=self._codec.is_binary)

    def read(self) -> list[Frame]:
        """Return the messages of books written since the last read."""
        self.connection.flush()
        data, frames = b"".join(self.port.written), []
        self.port.written.clear()
        while data:
            size, start = data[1], 2
            if size >= 126:
                start = 4 if size == 126 else 10
                size = int.from_bytes(data[2:start], "big")
            payload, data = data[start : start + size], data[start + size :]
            frame = msgpack.unpackb(payload) if self._codec.is_binary else json.loads(payload)
            if "channel" in frame:
                frames.append(frame)
        return frames


class Network:
    """Loses, doubles, delays and spoils messages on their way; a snapshot is never lost or spoiled for good."""

    def __init__(self, numbers: Random, deliver: Callable[[Frame], None], counts: Counter[str]) -> None:
        self.is_harmless = False
        self._numbers, self._deliver, self._counts = numbers, deliver, counts
        self._held: list[tuple[int, Frame]] = []

    def carry(self, frame: Frame, covered: set[str]) -> None:
        """Take one message; ``covered`` are the prices that its checksum covers."""
        fate = 99 if self.is_harmless else self._numbers.randrange(100)
        spoilable = [level for side in ("bids", "asks") for level in frame[side] if level[0] in covered and level[1] != "0"]
        if fate < 3 and frame["type"] == "delta":
            self._counts["dropped"] += 1
        elif fate < 6:
            self._counts["doubled"] += 1
            self._deliver(frame)
            self._deliver(frame)
        elif fate < 9:
            self._counts["delayed"] += 1
            self._held.append((self._numbers.randint(1, 4), frame))
        elif fate < 12 and spoilable and frame["type"] == "delta":
            self._counts["spoiled"] += 1
            level = self._numbers.choice(spoilable)
            level[1] = level[1] + "1" if "." in level[1] else level[1] + ".001"
            self._deliver(frame)
        else:
            self._deliver(frame)
        held, self._held = self._held, []
        for turns, late in held:
            if turns and not self.is_harmless and late is not frame:
                self._held.append((turns - 1, late))
            elif late is frame:
                self._held.append((turns, late))
            else:
                self._deliver(late)


class BookStage:
    """The venue, random commands to it, and both followers with their mirrors."""

    def __init__(self, numbers: Random) -> None:
        self.numbers = numbers
        self.counts: Counter[str] = Counter()
        policy = RiskPolicy(
            unfilled=UnfilledPolicy.WAIT, fund_unwind_fraction=400_000, fund_unwind_book_share=1_000_000, fund_unwind_interval=0
        )
        self.clock = VirtualClock(T0)
        self.parts = make_parts(self.clock, policy=policy)
        self.gateway = Gateway(self.parts, ServerLimits(conflate_bytes=CONFLATE_BYTES))
        for name in POOR:
            self.give(CreateAccount(account=name))
            self.give(Credit(account=name, amount=cash("60")))
        self.give(CreateAccount(account=RICH))
        self.give(Credit(account=RICH, amount=cash("1000000")))
        for distance in range(1, numbers.choice((2, 12, 60))):
            for account, side in ((ALICE, Side.BUY), (BOB, Side.SELL)):
                price = 200 - side.sign * distance
                self.give(PlaceOrder(account=account, symbol=SYMBOL, side=side, quantity=500, limit_price=price))
        self.sound = Follower(self.gateway, MSGPACK)
        self.shaken = Follower(self.gateway, JSON)
        self.truth: dict[str, dict[int, Sides]] = {channel: {} for channel in DEPTHS}
        self.renewals: dict[BookChannel, int] = {}
        self.mirrors = {channel: BookMirror(SYMBOL, _never, depth) for channel, depth in DEPTHS.items()}
        self.shaken_mirrors = {
            channel: BookMirror(SYMBOL, partial(self._want_renewal, channel), depth) for channel, depth in DEPTHS.items()
        }
        self.networks = {channel: Network(numbers, self._hear_shaken, self.counts) for channel in DEPTHS}
        self._listen()

    # -- what happens --------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """One command, and everything that the followers hear of it."""
        applied = self.give(self.command())
        changes = sum(isinstance(event, BookChanged) and event.symbol == SYMBOL for event in applied)
        self.counts["commands"] += 1
        self.counts["commands that changed the book several times"] += changes > 1
        if self.numbers.randrange(60) == 0:
            self.shaken.port.batches = 0 if self.shaken.port.batches else 1_000_000
        self._listen()
        for channel, turns in tuple(self.renewals.items()):
            if turns:
                self.renewals[channel] = turns - 1
            else:
                del self.renewals[channel]
                self.shaken.subscribe(channel)

    def settle(self) -> None:
        """Let the network be harmless, have the book changed at every depth, and expect every mirror to be right."""
        self.shaken.port.batches = 1_000_000
        for network in self.networks.values():
            network.is_harmless = True
        for account in (ALICE, BOB, CAROL, *POOR):
            self.give(CancelAllOrders(account=account))
            self._listen()
        for _ in range(2):
            for side in (Side.BUY, Side.SELL):
                price = (self.parts.venue.mark_price(SYMBOL) or 200) - side.sign * 10
                self.give(PlaceOrder(account=RICH, symbol=SYMBOL, side=side, quantity=3, limit_price=price))
                self._listen()
            for channel in tuple(self.renewals):
                del self.renewals[channel]
                self.shaken.subscribe(channel)
            self._listen()
        for channel, mirror in self.shaken_mirrors.items():
            assert mirror.ready, f"{channel} was not cured"
            assert (mirror.bids(), mirror.asks()) == self._book(DEPTHS[channel])

    def give(self, command: AnyCommand) -> tuple[object, ...]:
        return self.parts.sequencer.submit(command).events

    # -- what is heard -------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        self._look()
        frames = self.sound.read()
        for frame in frames:
            self._hear_sound(frame)
        deltas = Counter(frame["channel"] for frame in frames if frame["type"] == "delta")
        self.counts["messages"] += len(frames)
        assert all(self.mirrors[channel].ready for channel in DEPTHS)
        for channel in deltas:
            mirror = self.mirrors[channel]
            assert (mirror.bids(), mirror.asks()) == self._book(DEPTHS[channel]), f"{channel} is not the venue's book"
        for frame in self.shaken.read():
            sides = self.truth[frame["channel"]][frame["sequence"]]
            covered = {format(level.price, "f") for side in sides for level in side[:CHECKSUM_LEVELS]}
            self.networks[frame["channel"]].carry(frame, covered)

    def _hear_sound(self, frame: Frame) -> None:
        channel = frame["channel"]
        depth = DEPTHS[channel]
        known, book = self.truth[channel], self._book(depth)
        if frame["sequence"] not in known:
            known[frame["sequence"]] = book
        text = text_of([side[:depth] for side in self._texts])
        assert frame["checksum"] == zlib.crc32(text.encode()), text
        update = read_update(frame)
        assert update is not None
        self.mirrors[channel].receive(update)

    def _hear_shaken(self, frame: Frame) -> None:
        update = read_update(frame)
        assert update is not None
        channel = frame["channel"]
        mirror = self.shaken_mirrors[channel]
        mirror.receive(update)
        self.counts["delivered"] += 1
        if mirror.ready:
            assert (mirror.bids(), mirror.asks()) == self.truth[channel][mirror.sequence], (
                f"{channel} is wrong and says it is ready"
            )

    def _want_renewal(self, channel: BookChannel) -> None:
        self.counts["renewals"] += channel not in self.renewals
        self.renewals.setdefault(channel, self.numbers.randrange(4))

    def _look(self) -> None:
        """Take down the venue's whole book, as text and as numbers."""
        prices, quantities = BTC.price_grid, BTC.quantity_grid
        self._texts = [
            [(prices.format(level.price), quantities.format(level.quantity)) for level in side]
            for side in self.parts.venue.depth(SYMBOL, 10_000)
        ]
        bids, asks = (tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in side) for side in self._texts)
        self._levels = bids, asks

    def _book(self, depth: int | None) -> Sides:
        bids, asks = self._levels
        return bids[:depth], asks[:depth]

    # -- what is done --------------------------------------------------------------------------------------------------

    def command(self) -> AnyCommand:
        numbers, mark = self.numbers, self.parts.venue.mark_price(SYMBOL) or 200
        account = numbers.choice((ALICE, BOB, CAROL, *POOR))
        chance = numbers.randrange(100)
        if chance < 70:
            side = numbers.choice((Side.BUY, Side.SELL))
            most = 6_000 if account in POOR else 2_000
            price = max(1, mark - side.sign * numbers.choice((-3, -1, 0, 1, 2, 3, numbers.randint(1, 60))))
            return PlaceOrder(
                account=account,
                symbol=SYMBOL,
                side=side,
                quantity=numbers.randint(1, most),
                order_type=OrderType.LIMIT,
                limit_price=price,
                time_in_force=numbers.choice((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC)),
            )
        if chance < 85:
            orders = self.parts.venue.open_orders(account)
            if orders:
                return CancelOrder(account=account, order_id=numbers.choice(orders).order_id)
        if chance < 87:
            return CancelAllOrders(account=account)
        if chance < 89:
            return Credit(account=numbers.choice(POOR), amount=cash("40"))
        if chance < 91:
            self.clock.advance(1_000_000_000)
            return AdvanceTime()
        return SetMarkPrices(marks=(MarkPrice(SYMBOL, min(300, max(120, mark + numbers.randint(-9, 9)))),))


def _never() -> None:
    raise AssertionError("a mirror that is sent everything asked for it again")
