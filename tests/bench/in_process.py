"""Commands per second through ``Venue.apply``, without wire or socket."""

from __future__ import annotations

import gc
import statistics
import time

from tests.bench.flow import opened_venue, trading

COMMANDS = 40_000
ROUNDS = 5


def run(*, rounds: int = ROUNDS, commands: int = COMMANDS) -> list[str]:
    """Return a markdown table of the rate, median and spread over fresh venues."""
    flow = trading(commands)
    rates, digests = [], set()
    for _ in range(rounds):
        venue = opened_venue()
        gc.collect()
        started = time.perf_counter()
        for number, command in enumerate(flow):
            venue.apply(command, now_ns=10_000 + number)
        rates.append(commands / (time.perf_counter() - started))
        digests.add(venue.digest())
    assert len(digests) == 1, "the same flow must give the same digest"
    return [
        f"Venue.apply on a fixed flow ({commands:,} commands, 500 accounts, 10 symbols, {rounds} rounds)",
        "",
        "| | commands/s | us/command |",
        "|---|---|---|",
        *(
            f"| {name} | {rate:,.0f} | {1e6 / rate:.1f} |"
            for name, rate in (
                ("median", statistics.median(rates)),
                ("slowest", min(rates)),
                ("fastest", max(rates)),
            )
        ),
    ]
