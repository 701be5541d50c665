"""A small exchange behind a real socket, and a client of its own making: raw ``websockets`` frames, msgpack or json.

Nothing here uses the server's codec: what a frame looks like is checked by an independent implementation.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgpack
from msgspec.structs import replace
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from exchange.domain.commands import AnyCommand, CreateAccount, Credit, MarkPrice, SetMarkPrices
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.ids import INSURANCE_FUND
from exchange.domain.instrument import CollateralAsset, Instrument
from exchange.domain.policy import RiskPolicy
from exchange.domain.units import Grid
from exchange.domain.views import LiquidationRecord, ScopeHealth
from exchange.server.gateway import Gateway
from exchange.server.keys import KeyRing
from exchange.server.limits import ServerLimits
from exchange.server.parts import ExchangeParts
from exchange.services.clock import Clock, VirtualClock
from exchange.services.feed import Feed
from exchange.services.sequencer import Sequencer
from exchange.venue.venue import Venue
from tests.cast import ALICE, BOB, BTC_WITH_FEES, CAROL, ETH_PERP, T0, cash

PATIENCE_S = 10.0
"""How long a test waits for something that must happen before it fails."""
ADMIN_KEY = "root"
BTC = replace(
    BTC_WITH_FEES,
    price_grid=Grid(5, 1),
    quantity_grid=Grid(1, 3),
    cash_per_tick_lot=500,
    quantity_max=1_000_000,
    maker_fee=200,
    taker_fee=500,
)
"""Tick 0.5, lot 0.001, one contract a piece: 1.5 at 100 is worth 150."""


HEALTH = ScopeHealth(equity=cash("-1.5"), maintenance_margin=cash("5"), notional=cash("100"))
LATER = ScopeHealth(equity=cash("2"), maintenance_margin=0, notional=0)
RECORD = LiquidationRecord(
    liquidation_id=3,
    account=ALICE,
    path=MarginMode.CROSS,
    symbol=None,
    position_side=PositionSide.NET,
    started_ns=T0,
    finished_ns=T0 + 2_000_000,
    trigger_marks={"BTC-PERP": 201, "ETH-PERP": 7},
    collateral=cash("20"),
    before=HEALTH,
    after=LATER,
    orders_canceled=2,
    rounds=4,
    replenished=cash("0.5"),
    book_quantity={"BTC-PERP": 500},
    book_value=cash("47.5"),
    fund_quantity={},
    deleveraged_quantity={"BTC-PERP": 1000, "ETH-PERP": 3},
    deleveraged_legs=2,
    realized_pnl=cash("-30"),
    fee=cash("0.25"),
    fund_change=cash("-0.75"),
    fund_paid=cash("1"),
    adl_forgone=cash("2"),
    socialized=cash("3"),
    bad_debt=cash("4"),
    returned=0,
    owner_recovery=100_000,
    default_recovery=666_666,
)
"""A liquidation with something in every field."""


def beside_sequence(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what an answer tells beside the command's place in the order of all commands."""
    assert answer["sequence"] > 0
    return {name: value for name, value in answer.items() if name != "sequence"}


def secret_of(key: str) -> str:
    return f"secret-of-{key}"


def make_parts(
    clock: Clock | None = None,
    *,
    keys_max: int = 100,
    mark: int = 200,
    instruments: Sequence[Instrument] = (BTC, ETH_PERP),
    policy: RiskPolicy | None = None,
    collateral: Sequence[CollateralAsset] = (),
    fund: str = "1000",
) -> ExchangeParts:
    """Return an exchange with alice, bob and carol (100000 each) and a BTC mark of 100, in ticks 200."""
    venue = Venue(instruments, policy=policy, collateral=collateral, records_decisions=True)
    own_clock = clock or VirtualClock(T0)
    sequencer = Sequencer(venue, own_clock)
    feed = Feed(venue.instruments)
    sequencer.subscribe(feed.apply)
    keys = KeyRing(keys_max)
    keys.add_admin_key(ADMIN_KEY, secret_of(ADMIN_KEY))
    commands: list[AnyCommand] = [Credit(account=INSURANCE_FUND, amount=cash(fund))] if cash(fund) else []
    for account in (ALICE, BOB, CAROL):
        keys.add_account_key(account, f"{account}-key", secret_of(f"{account}-key"))
        commands += [CreateAccount(account=account), Credit(account=account, amount=cash("100000"))]
    commands.append(SetMarkPrices(marks=(MarkPrice("BTC-PERP", mark), MarkPrice("ETH-PERP", 50))))
    for command in commands:
        sequencer.submit(command)
    return ExchangeParts(venue, own_clock, sequencer, feed, keys)


@asynccontextmanager
async def served(
    parts: ExchangeParts | None = None, *, read_monotonic_ns: Callable[[], int] = time.monotonic_ns, **limits: int
) -> AsyncIterator[Gateway]:
    """Run a gateway on a free loopback port."""
    gateway = Gateway(parts or make_parts(), ServerLimits(**limits), read_monotonic_ns=read_monotonic_ns)
    await gateway.start("127.0.0.1", 0)
    try:
        yield gateway
    finally:
        await asyncio.wait_for(gateway.stop(), PATIENCE_S)


class RefusedError(Exception):
    """An error reply."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['name']}: {error['message']}")
        self.error = error
        self.name = error["name"]


class RawClient:
    """One connection that keeps every frame it got, in order."""

    def __init__(self, socket: ClientConnection, is_binary: bool) -> None:
        self.socket = socket
        self.is_binary = is_binary
        self.frames: list[dict[str, Any]] = []
        self.hello: dict[str, Any] = {}
        self._next_id = 0

    def encode(self, value: Any) -> bytes | str:
        return msgpack.packb(value) if self.is_binary else json.dumps(value)

    async def send(self, value: Any) -> None:
        await self.socket.send(self.encode(value))

    async def receive(self) -> dict[str, Any]:
        """Return the next frame, whatever it is."""
        frame = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        assert isinstance(frame, bytes) is self.is_binary, "every frame is of the connection's own kind"
        value: dict[str, Any] = msgpack.unpackb(frame) if isinstance(frame, bytes) else json.loads(frame)
        self.frames.append(value)
        return value

    async def reply_to(self, request_id: int | str | None) -> Any:
        """Return the result of a request; raise ``RefusedError`` for an error reply."""
        while True:
            frame = await self.receive()
            if "id" in frame and frame["id"] == request_id:
                if "error" in frame:
                    raise RefusedError(frame["error"])
                return frame["result"]

    async def call(self, method: str, **params: Any) -> Any:
        self._next_id += 1
        await self.send({"id": self._next_id, "method": method, "params": params})
        return await self.reply_to(self._next_id)

    async def refusal(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the error of a call that must be refused."""
        try:
            result = await self.call(method, **params)
        except RefusedError as refused:
            return refused.error
        raise AssertionError(f"{method} was answered with {result}")

    async def login(self, key: str, secret: str | None = None, *, nonce: str | None = None) -> Any:
        text = f"ringfence-login-v1\n{nonce or self.hello['nonce']}\n{key}\n1700000000000"
        signature = hmac.new((secret or secret_of(key)).encode(), text.encode(), hashlib.sha256).hexdigest()
        return await self.call("session.login", key=key, time_ms=1700000000000, signature=signature)

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the next frame that is wanted."""
        while True:
            frame = await self.receive()
            if wanted(frame):
                return frame

    async def close_code(self) -> int | None:
        """Read on until the server closes, and return the code."""
        with suppress(ConnectionClosed):
            while True:
                await self.receive()
        return self.socket.close_code

    def of_channel(self, channel: str) -> list[dict[str, Any]]:
        """Return the frames of a channel so far."""
        return [frame for frame in self.frames if frame.get("channel") == channel]


@asynccontextmanager
async def client(
    gateway: Gateway, encoding: str = "msgpack", *, key: str | None = None, **settings: Any
) -> AsyncIterator[RawClient]:
    """Connect, read hello, and log in with ``key`` if there is one."""
    settings.setdefault("subprotocols", [f"exchange.v1.{encoding}"])
    async with connect(gateway.url + settings.pop("path", "/"), compression=None, ping_interval=None, **settings) as socket:
        raw = RawClient(socket, encoding == "msgpack")
        raw.hello = await raw.receive()
        if key is not None:
            await raw.login(key)
        yield raw


async def within_patience(waiting: Awaitable[Any]) -> Any:
    return await asyncio.wait_for(waiting, PATIENCE_S)
