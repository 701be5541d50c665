"""The long search for disagreements between the venue and its naive model: skipped unless it is asked for.

`RINGFENCE_SOAK_EXAMPLES=100000 pytest -n 2 tests/properties/test_soak_against_model.py` plays that many runs, each of its own
seed from `RINGFENCE_SOAK_SEED` on, tells now and then how far it is, and in the end what it has met.
"""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from tests.properties.profiles import SOAK_EXAMPLES, SOAK_SEED
from tests.properties.runs import check_replay, play_seed
from tests.properties.switches import any_setting

PARTS = 8
COMMANDS = 50
TOLD_EVERY = 250
"""Runs of one part between two lines of progress."""
SHOWN = (
    "commands", "trades", "liquidated cross", "liquidated isolated", "liquidations ended cured", "liquidations ended flat",
    "partial closes that cured", "waits", "transferred fund", "transferred auto_deleverage", "transferred residual",
    "bad debt", "socialized", "halts", "fund covered", "collateral sold", "fundings paid", "mode switched",
    "leverage moved margin", "replenished", "withdrawals", "margin calls", "continuations",
)  # fmt: skip


def tell(line: str) -> None:
    """Write past whatever captures the output of tests."""
    assert sys.__stderr__ is not None
    sys.__stderr__.write(line + "\n")
    sys.__stderr__.flush()


@pytest.mark.skipif(not SOAK_EXAMPLES, reason="a long search; RINGFENCE_SOAK_EXAMPLES says how long")
@pytest.mark.rule("CONS-001", "CONS-002", "CONS-003", "CONS-004", "CONS-005", "CONS-006", "CONS-007")
@pytest.mark.parametrize("part", range(PARTS))
def test_no_run_of_a_long_search_finds_a_disagreement(part: int) -> None:
    seeds = range(SOAK_SEED + part, SOAK_SEED + SOAK_EXAMPLES, PARTS)
    counts: Counter[str] = Counter()
    for done, seed in enumerate(seeds, start=1):
        pair = play_seed(seed, COMMANDS, any_setting)
        counts += pair.counts
        if done % TOLD_EVERY == 0 or done == len(seeds):
            met = ", ".join(f"{name} {counts[name]}" for name in SHOWN)
            tell(f"soak part {part + 1} of {PARTS}: {done} of {len(seeds)} runs agree; {met}")
            check_replay(pair)
