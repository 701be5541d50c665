"""Bots on the real exchange: they trade, survive a crash, and do exactly the same again with the same seed."""

from __future__ import annotations

from contextlib import AsyncExitStack
from decimal import Decimal

import pytest

from clients.bots import (
    Bot,
    MarketMaker,
    NoisePlan,
    NoiseTrader,
    QuotePlan,
    Twin,
    TwinLeg,
    TwinPhase,
    TwinPlan,
)
from clients.bots.sizing import quantity_for
from exchange.domain.enums import MarginMode, Side
from tests.unit.clients.live_exchange import live_exchange

D = Decimal
SYMBOLS = ("BTC-PERP", "ETH-PERP", "SOL-PERP")
CRASH_AT, TURNS = 20, 60


async def play(seed: int, *, connect_backwards: bool = False) -> tuple[dict[str, object], Twin, Twin]:
    """Run a small market through a fall of 12 % and return its state, with the twins."""
    names = ["admin", "maker", "alice", "bob", "carol"]
    async with live_exchange() as live, AsyncExitStack() as stack:
        clients = {}
        for name in reversed(names) if connect_backwards else names:
            clients[name] = await stack.enter_async_context(live.client(name))
        admin = clients["admin"]
        await admin.admin_credit("maker", 20_000_000)
        instruments = await admin.instruments()
        marks = {symbol: (await admin.ticker(symbol)).mark_price or D(0) for symbol in SYMBOLS}
        unit = {symbol: quantity_for(instruments[symbol], D(20_000), marks[symbol]) for symbol in SYMBOLS}
        maker = MarketMaker(
            clients["maker"],
            name="maker",
            seed=seed,
            instruments=instruments,
            plans=[QuotePlan(symbol=symbol, quantity=unit[symbol], inventory_max=unit[symbol] * 200) for symbol in SYMBOLS],
        )
        noise = NoiseTrader(
            clients["alice"],
            name="noise",
            seed=seed,
            instruments=instruments,
            plans=[NoisePlan(symbol=symbol, quantity_max=unit[symbol] / 5, inventory_max=unit[symbol]) for symbol in SYMBOLS],
        )
        plan = TwinPlan(
            name="basket",
            notional=D(600_000),
            legs=tuple(
                TwinLeg(symbol=symbol, side=side, share=share, leverage=10)
                for symbol, side, share in zip(
                    SYMBOLS, (Side.BUY, Side.SELL, Side.BUY), (D("0.4"), D("0.3"), D("0.3")), strict=True
                )
            ),
        )
        legs = plan.fix(instruments, marks)
        cross, isolated = (
            Twin(clients[name], name=name, seed=seed, instruments=instruments, legs=legs, margin_mode=mode)
            for name, mode in (("bob", MarginMode.CROSS), ("carol", MarginMode.ISOLATED))
        )
        bots: list[Bot] = [maker, noise, cross, isolated]
        for turn in range(TURNS):
            if turn >= CRASH_AT:
                fall = D(turn - CRASH_AT) / (TURNS - CRASH_AT) * D("0.12")
                await admin.admin_set_mark(
                    {
                        s: (marks[s] * (1 - fall) / instruments[s].tick_size).quantize(D(1)) * instruments[s].tick_size
                        for s in SYMBOLS
                    }
                )
            await admin.admin_advance(1_000_000)
            for bot in bots:
                await bot.turn()
        for twin in (cross, isolated):
            await twin.look()
        state = await admin.admin_state()
        equity = sum([(await clients[name].account()).total_equity for name in names[1:]])
        others = D(100_000) * 6  # dave to ivan never trade
        assert equity + others + state.fees + state.insurance_fund_equity == state.net_deposits
        outcome = {"digest": state.digest, "maker": maker.tally, "noise": noise.tally}
        return outcome, cross, isolated


@pytest.mark.rule("CONS-001", "CONS-006")
async def test_bots_trade_through_a_crash_and_repeat_themselves_with_their_seed() -> None:
    first, cross, isolated = await play(5)
    second, *_ = await play(5, connect_backwards=True)
    assert first == second
    for twin in (cross, isolated):
        assert twin.record.phase is TwinPhase.HOLDING
        assert {s: entry.quantity for s, entry in twin.record.entries.items()} == {
            leg.symbol: leg.quantity * leg.side.sign for leg in twin.legs
        }
    assert {event.path for event in isolated.record.liquidations} == {MarginMode.ISOLATED}
    assert {event.symbol for event in isolated.record.liquidations} == {"BTC-PERP", "SOL-PERP"}
    assert cross.record.liquidations == []
    assert cross.record.equity is not None
    assert isolated.record.equity_low is not None
    assert isolated.record.equity is not None
    assert isolated.record.equity_low <= isolated.record.equity


async def test_another_seed_makes_another_market() -> None:
    first, *_ = await play(5)
    other, *_ = await play(6)
    assert first["digest"] != other["digest"]
