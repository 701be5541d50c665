"""The demo's stage: a real server on a free loopback port, funded accounts, and a client for each bot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from clients.bots.bot import Bot
from clients.bots.market_maker import MarketMaker
from clients.bots.noise_trader import NoiseTrader
from clients.bots.twins import Twin
from clients.client import Client
from clients.market_data import Instrument
from exchange.app.demo import plans
from exchange.app.demo.tally import Tally
from exchange.composition.compose import Exchange, compose
from exchange.composition.settings import ClockSettings, Settings
from exchange.domain.enums import MarginMode
from exchange.domain.ids import INSURANCE_FUND
from exchange.services.clock import ClockMode
from exchange.services.mark_path import MarkPath

LOOPBACK = "127.0.0.1"
NS_PER_MS = 1_000_000


@dataclass
class Pair:
    """Two twins of one plan."""

    plan: plans.PairPlan
    cross: Twin
    isolated: Twin


@dataclass
class Stage:
    """Everybody who takes part. ``bots`` is the order in which they have their turns."""

    exchange: Exchange
    admin: Client
    observer: Client
    instruments: Mapping[str, Instrument]
    tally: Tally
    bots: list[Bot] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    credited: dict[str, Decimal] = field(default_factory=dict)
    """What the exchange acknowledged as deposited, by account."""

    async def credit(self, account: str, amount: Decimal) -> None:
        """Deposit, and note what was acknowledged."""
        done = await self.admin.admin_credit(account, amount)
        self.credited[account] = self.credited.get(account, Decimal(0)) + done.amount


def demo_settings(settings: Settings, path: MarkPath) -> Settings:
    """Return the settings with a virtual clock at the path's start, and without accounts, fund or marks of their own.

    The demo brings its own, over the socket, so that its clients know every unit that was put in.
    """
    instruments = tuple(msgspec.structs.replace(each, initial_mark_price=None) for each in settings.instruments)
    return msgspec.structs.replace(
        settings,
        instruments=instruments,
        clock=ClockSettings(mode=ClockMode.VIRTUAL, start_ns=path.times_ms[0] * NS_PER_MS),
        accounts=(),
        insurance_fund_credit=0,
    )


def secret_of(account: str) -> str:
    """Return the secret of a demo account's key ``demo-ACCOUNT``; public, for throw-away use."""
    return f"demo-{account}-secret"


@asynccontextmanager
async def set_stage(settings: Settings, marks: Mapping[str, Decimal], *, seed: int) -> AsyncIterator[Stage]:
    """Start the exchange, set the first marks, open and fund all accounts, connect all bots; stop it all at the end."""
    exchange = compose(settings)
    await exchange.start(LOOPBACK, 0)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(exchange.stop)
        access = settings.admin
        admin = await stack.enter_async_context(Client.connect(exchange.url, key=access.key, secret=access.secret))
        observer = await stack.enter_async_context(Client.connect(exchange.url))
        instruments = await admin.instruments()
        stage = Stage(exchange, admin, observer, instruments, Tally(instruments))
        await stage.tally.watch(observer)
        await admin.admin_set_mark(marks)
        await stage.credit(INSURANCE_FUND, plans.FUND_CREDIT)
        await _cast(stage, stack, marks, seed)
        yield stage


async def _cast(stage: Stage, stack: AsyncExitStack, marks: Mapping[str, Decimal], seed: int) -> None:
    instruments = stage.instruments
    for number in range(1, plans.MAKERS + 1):
        name = f"maker-{number}"
        client = await _join(stage, stack, name, plans.MAKER_CREDIT)
        quote_plans = plans.quote_plans(instruments, marks)
        stage.bots.append(MarketMaker(client, name=name, seed=seed, instruments=instruments, plans=quote_plans))
    for plan in plans.pair_plans(instruments):
        legs = plan.plan.fix(instruments, marks)
        twins = []
        for mode in (MarginMode.CROSS, MarginMode.ISOLATED):
            name = f"{plan.name}-{mode.value}"
            client = await _join(stage, stack, name, plans.TWIN_CREDIT)
            twins.append(Twin(client, name=name, seed=seed, instruments=instruments, legs=legs, margin_mode=mode))
        stage.bots.extend(twins)
        stage.pairs.append(Pair(plan, *twins))
    for number in range(1, plans.NOISE_TRADERS + 1):
        name = f"noise-{number}"
        client = await _join(stage, stack, name, plans.NOISE_CREDIT)
        noise_plans = plans.noise_plans(instruments, marks)
        stage.bots.append(NoiseTrader(client, name=name, seed=seed, instruments=instruments, plans=noise_plans))
    for bot in stage.bots:
        await bot.prepare()
        await stage.tally.watch_calls(bot.client)


async def _join(stage: Stage, stack: AsyncExitStack, account: str, credit: Decimal) -> Client:
    made = await stage.admin.admin_create_account(account, key=f"demo-{account}", secret=secret_of(account))
    await stage.credit(account, credit)
    return await stack.enter_async_context(Client.connect(stage.exchange.url, key=made.key, secret=made.secret))
