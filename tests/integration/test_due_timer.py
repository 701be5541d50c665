"""On real time the server itself asks whether anything is due; on a virtual clock its operator says when time passes."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from exchange.domain.commands import MarkPrice, SetMarkPrices
from exchange.domain.events import FundingSettled
from exchange.domain.instrument import FundingTerms
from exchange.server.keys import KeyRing
from exchange.server.parts import ExchangeParts
from exchange.services.clock import Clock, RealClock, VirtualClock
from exchange.services.feed import Feed
from exchange.services.sequencer import Applied, Sequencer
from exchange.venue.venue import Venue
from tests.cast import BTC_PERP, T0, cash
from tests.wire_kit import ADMIN_KEY, client, secret_of, served, within_patience

MINUTE_NS = 60 * 10**9
FUNDED = replace(BTC_PERP, funding=FundingTerms(interval=MINUTE_NS, interest=1, clamp=1, cap=1, impact_notional=cash("1")))


def funded_parts(clock: Clock) -> ExchangeParts:
    """Return an exchange whose one symbol has funding each minute, and a mark."""
    venue = Venue([FUNDED])
    sequencer = Sequencer(venue, clock)
    feed = Feed(venue.instruments)
    sequencer.subscribe(feed.apply)
    keys = KeyRing(1)
    keys.add_admin_key(ADMIN_KEY, secret_of(ADMIN_KEY))
    sequencer.submit(SetMarkPrices(marks=(MarkPrice("BTC-PERP", 100),)))
    return ExchangeParts(venue, clock, sequencer, feed, keys)


class Machine:
    """A machine's clock that a test moves."""

    def __init__(self) -> None:
        self.now_ns = T0

    def read_ns(self) -> int:
        return self.now_ns


@pytest.mark.rule("FUND-004")
async def test_on_real_time_funding_fires_though_nobody_sends_a_command() -> None:
    machine = Machine()
    parts = funded_parts(RealClock(machine.read_ns))
    fired: asyncio.Queue[int] = asyncio.Queue()

    def note(applied: Applied) -> None:
        if any(isinstance(event, FundingSettled) for event in applied.events):
            fired.put_nowait(applied.time_ns)

    parts.sequencer.subscribe(note)
    async with served(parts, due_interval_ms=1):
        machine.now_ns = T0 + 2 * MINUTE_NS + 5
        assert await within_patience(fired.get()) == T0 + MINUTE_NS
        assert await within_patience(fired.get()) == T0 + 2 * MINUTE_NS
        machine.now_ns = T0 + 3 * MINUTE_NS
        assert await within_patience(fired.get()) == T0 + 3 * MINUTE_NS
    assert fired.empty()
    timers = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert timers == [], "the server took its timers with it"


@pytest.mark.rule("FUND-004", "WIRE-019")
async def test_on_a_virtual_clock_each_funding_inside_an_advance_fires_at_its_own_time() -> None:
    parts = funded_parts(VirtualClock(T0))
    fired: list[int] = []
    parts.sequencer.subscribe(
        lambda applied: fired.extend(applied.time_ns for event in applied.events if isinstance(event, FundingSettled))
    )
    async with served(parts, due_interval_ms=1) as gateway, client(gateway, key=ADMIN_KEY) as operator:
        await operator.call("admin.advance", duration_us=3 * 60 * 10**6)
        assert fired == [T0 + minute * MINUTE_NS for minute in (1, 2, 3)]
        await operator.call("admin.set_time", time_us=(T0 + 5 * MINUTE_NS) // 1000)
        assert fired[3:] == [T0 + minute * MINUTE_NS for minute in (4, 5)]


async def test_a_bug_met_by_the_timer_halts_the_venue_and_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    parts = funded_parts(RealClock(machine.read_ns))
    met = asyncio.Event()

    def stumble(applied: Applied) -> None:
        met.set()
        raise AssertionError("an invariant is broken")

    parts.sequencer.subscribe(stumble)
    async with served(parts, due_interval_ms=1) as gateway, client(gateway) as raw:
        machine.now_ns = T0 + MINUTE_NS
        await within_patience(met.wait())
        await raw.call("ping")
        parts.tick()
        assert parts.sequencer.is_halted
    assert [record.message for record in caplog.records if record.levelname == "CRITICAL"] == [
        "the venue was halted by an internal error"
    ]
