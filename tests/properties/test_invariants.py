"""The invariants of the account service, on random traces that hold every kind of command and every policy.

One run of traces is looked at by all checks; each test then asks for its own invariant. A fault names its seed and
command. ``RINGFENCE_SOAK_EXAMPLES=2000`` plays that many seeds instead, each a new one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from exchange.domain.commands import AnyCommand
from exchange.domain.events import AnyEvent, LiquidationWaiting
from exchange.domain.instrument import Instrument, TierRow, build_tiers, check_instrument
from exchange.domain.margin_math import initial_margin, maintenance_margin
from exchange.domain.units import TimeNs
from exchange.venue.venue import Venue
from tests.cast import BTC_PERP
from tests.properties.liquidation_invariants import bounds, flags, liquidation_steps, prices, reducing_orders, waiting
from tests.properties.money_invariants import (
    Faults,
    conservation,
    cross_pool,
    fees,
    isolation,
    margins,
    positions_sum_to_zero,
    wallets_and_reserves,
)
from tests.properties.pictures import Picture
from tests.properties.profiles import DIRECTED, SOAK_EXAMPLES
from tests.properties.switched_traces import SwitchedTrace
from tests.properties.traces import Step, Trace

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(1_000, 1_000 + SOAK_EXAMPLES) if SOAK_EXAMPLES else range(34)
SWITCHED_SEEDS = range(50_000, 50_000 + SOAK_EXAMPLES) if SOAK_EXAMPLES else range(100, 110)
"""Of traces under other rules."""
CHOICES = 150
SETTLING_ROUNDS = 60
CHECKS: Mapping[str, Callable[[Step, Counter[str]], Faults]] = {
    "conservation": conservation,
    "positions": positions_sum_to_zero,
    "wallets": wallets_and_reserves,
    "isolation": isolation,
    "pool": cross_pool,
    "steps": liquidation_steps,
    "flags": flags,
    "margins": margins,
    "reducing": reducing_orders,
    "prices": prices,
    "fees": fees,
    "bounds": bounds,
    "waiting": waiting,
}


class Findings(NamedTuple):
    """What the checks found over all traces, by name, and what they had to look at."""

    faults: dict[str, list[str]]
    seen: dict[str, Counter[str]]
    stuck: list[str]

    def hold(self, name: str, *things: str) -> None:
        """Fail with the first faults of a check, or if one of the things it is about never happened."""
        assert self.faults[name][:3] == []
        for thing in things:
            assert self.seen[name][thing], f"no trace had {thing}"


@pytest.fixture(scope="module")
def findings() -> Findings:
    found = Findings({name: [] for name in CHECKS}, {name: Counter() for name in CHECKS}, [])
    for trace in (*map(Trace, SEEDS), *map(SwitchedTrace, SWITCHED_SEEDS)):
        waits = Counter[int]()
        for step in chain(trace.play(CHOICES), trace.settle(SETTLING_ROUNDS)):
            _look(step, found)
            found.stuck.extend(_waits_too_often(step, waits))
        if any(scope.liquidating for scope in Picture.of(trace.venue).scopes):
            found.stuck.append(f"seed {trace.seed}: flagged after {SETTLING_ROUNDS} rounds")
    return found


def _waits_too_often(step: Step, waits: Counter[int]) -> Faults:
    """Count how often each liquidation has waited for its book; it may as often as the policy says (LIQ-013)."""
    for event in step.events:
        if isinstance(event, LiquidationWaiting) and not event.halted:
            waits[event.liquidation_id] += 1
            if waits[event.liquidation_id] > step.market.policy.liquidation_retries_max:
                yield f"{step.title}: liquidation {event.liquidation_id} waits again"


def _look(step: Step, found: Findings) -> None:
    for name, check in CHECKS.items():
        found.faults[name] += [f"{step.title}: {fault}" for fault in check(step, found.seen[name])]


@pytest.mark.rule("CONS-001", "CONS-007", "FUND-003")
def test_invariant_01_conservation_is_exact(findings: Findings) -> None:
    findings.hold("conservation", "ledgers", "assets", "fundings")


@pytest.mark.rule("CONS-002")
def test_invariant_02_positions_sum_to_zero_and_flat_means_nothing_left(findings: Findings) -> None:
    findings.hold("positions", "open")


@pytest.mark.rule("MARG-008", "MARG-023")
def test_invariant_03_a_flat_cross_wallet_is_not_negative_and_reserves_are_what_the_orders_need(findings: Findings) -> None:
    findings.hold("wallets", "reserves", "owing while a position stands against it", "negative isolated wallets")


@pytest.mark.rule("CONS-004", "MARG-028")
def test_invariant_04_what_happens_to_an_isolated_position_reaches_the_cross_pool_through_stated_transfers_alone(
    findings: Findings,
) -> None:
    findings.hold("isolation", "isolated results", "transfers", "wallets", "socialized losses")


@pytest.mark.rule("CONS-004", "MARG-005", "MARG-009", "MARG-026")
def test_invariant_05_the_cross_pool_is_a_function_of_its_wallet_collateral_and_cross_positions(findings: Findings) -> None:
    findings.hold("pool", "pools beside isolated positions")


@pytest.mark.rule("LIQ-004", "LIQ-006", "LIQ-007", "LIQ-008", "LIQ-009")
def test_invariant_06_a_liquidation_step_lowers_maintenance_and_worsens_no_ratio_and_pays_no_stranger(
    findings: Findings,
) -> None:
    findings.hold("steps", "orders", "fund", "auto_deleverage", "residual", "commands that liquidated")


@pytest.mark.rule("LIQ-001", "CONS-005", "MARK-004")
def test_invariant_07_only_what_is_below_maintenance_is_liquidated_and_all_of_that_is_flagged(findings: Findings) -> None:
    findings.hold("flags", "liquidated", "scopes", "flagged at the end", "breached on a stale mark")


@pytest.mark.rule("MARG-010", "BOOK-010", "BOOK-011")
def test_invariant_08_what_only_reduces_is_never_refused_for_margin_and_reduce_only_never_opens(findings: Findings) -> None:
    findings.hold("reducing", "reducing orders", "reduce-only fills")


@pytest.mark.rule("MARG-006", "LIQ-005")
def test_invariant_10_equity_is_maintenance_at_the_liquidation_price_and_nothing_at_the_bankruptcy_price(
    findings: Findings,
) -> None:
    findings.hold("prices", "exact roots", "shown prices", "no price", "bankruptcy values", "no bankruptcy price")


@pytest.mark.rule("MARG-017", "LIQ-006", "LIQ-014")
def test_invariant_12_no_fill_drains_the_fees(findings: Findings) -> None:
    findings.hold("fees", "rebates", "liquidation fees")
    for faulty in (replace(BTC_PERP, maker_fee=-2, taker_fee=1), replace(BTC_PERP, taker_fee=-1, maker_fee=1)):
        with pytest.raises(ValueError, match="_fee must"):
            check_instrument(faulty)


@pytest.mark.rule("MARG-016", "MARG-021", "MARG-027")
def test_invariant_13_at_each_bound_a_change_goes_through_and_a_unit_beyond_it_does_not(findings: Findings) -> None:
    kinds = ("RemoveMargin", "AddMargin", "SetMarginMode", "Withdraw")
    findings.hold("bounds", *(f"{kind} {place} the bound" for kind in kinds for place in ("at", "beyond")))


@pytest.mark.rule("LIQ-010", "LIQ-011", "LIQ-013")
def test_invariant_14_no_flag_is_for_ever(findings: Findings) -> None:
    """None waits for its book more often than it may; opened, with a fund and with marks again, each ends cured or flat."""
    findings.hold("waiting", "waiting", "halted")
    assert findings.stuck == []


# -- 9: determinism ----------------------------------------------------------------------------------------------------

Log = list[tuple[AnyCommand, TimeNs]]
REPLAYED_SEEDS = (3, 11, 27)
PRINT_FINGERPRINT = "from tests.properties.test_invariants import fingerprint; print(fingerprint(3))"


def played(trace: Trace) -> Trace:
    """Return a trace that has been played to its end."""
    for _ in trace.play(CHOICES):
        pass
    return trace


def fingerprint(seed: int) -> str:
    """Return one hash of all events of a trace, in the order they came, and of the state that it ends in."""
    trace, seen = Trace(seed), sha256()
    for step in trace.play(CHOICES):
        seen.update(msgspec.json.encode(step.events))
    seen.update(trace.venue.digest().encode())
    return seen.hexdigest()


@pytest.fixture(scope="module")
def traces() -> list[Trace]:
    return [*(played(Trace(seed)) for seed in REPLAYED_SEEDS), played(SwitchedTrace(SWITCHED_SEEDS[3]))]


def apply_all(venue: Venue, log: Log) -> list[tuple[AnyEvent, ...]]:
    return [venue.apply(command, now_ns=now_ns) for command, now_ns in log]


@pytest.mark.rule("CONS-006")
def test_invariant_09_the_same_commands_give_the_same_events_and_digest(traces: list[Trace]) -> None:
    for trace in traces:
        first, second = trace.market.open(), trace.market.open()
        for command, now_ns in trace.log:
            assert first.apply(command, now_ns=now_ns) == second.apply(command, now_ns=now_ns)
            assert first.digest() == second.digest()
        assert first.digest() == trace.venue.digest()


@pytest.mark.rule("CONS-006")
def test_invariant_09_whatever_the_order_in_which_accounts_and_instruments_came_to_be(traces: list[Trace]) -> None:
    """The opening commands of each account, last account first: nothing that follows may tell the difference."""
    for trace in traces:
        opening, rest = trace.log[: trace.opening_length], trace.log[trace.opening_length :]
        turned = sorted(opening, key=lambda each: getattr(each[0], "account", ""), reverse=True)
        assert [command for command, _ in turned] != [command for command, _ in opening]
        first, second = trace.market.open(), trace.market.open()
        apply_all(first, opening)
        apply_all(second, turned)
        assert first.digest() == second.digest()
        assert apply_all(first, rest) == apply_all(second, rest)
        backward = trace.market.open(backward=True)
        apply_all(backward, trace.log)
        assert backward.digest() == second.digest() == trace.venue.digest()


@pytest.mark.rule("CONS-006")
def test_invariant_09_whatever_else_runs_in_the_process_and_however_it_hashes() -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(fingerprint(3))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", PRINT_FINGERPRINT]
        said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        found.append(said.stdout.strip())
    for thread in threads:
        thread.join()
    assert found == [found[0]] * 5


# -- 11: maintenance and initial margin --------------------------------------------------------------------------------


@st.composite
def instruments(draw: st.DrawFn) -> Instrument:
    """One to five tiers, whose floors are multiples that keep maintenance amounts whole."""
    count = draw(st.integers(1, 5))
    rates = sorted(draw(st.lists(st.integers(1, 400), min_size=count, max_size=count)))
    floors = sorted(draw(st.sets(st.integers(1, 500), min_size=count - 1, max_size=count - 1)))
    most = [draw(st.integers(1, min(125, (1_000 - 1) // rate))) for rate in rates]
    leverages = [min(most[: place + 1]) for place in range(count)]
    rows = zip([0, *(floor * 1_000 for floor in floors)], (rate * 1_000 for rate in rates), leverages, strict=True)
    tiers = build_tiers(TierRow(*row) for row in rows)
    return replace(BTC_PERP, cash_per_tick_lot=1, tiers=tiers, default_leverage=1)


@pytest.mark.rule("MARG-002", "MARG-003", "MARG-004")
@DIRECTED
@given(instruments(), st.integers(1, 600_000), st.integers(1, 1_000), st.integers(1, 125))
def test_invariant_11_maintenance_is_continuous_and_rises_and_is_never_above_initial_margin(
    instrument: Instrument, notional: int, further: int, leverage: int
) -> None:
    """A lot at a tick is one unit of money, so that the number of lots is the notional."""
    here, beyond = (maintenance_margin(instrument, lots, 0, 1) for lots in (notional, notional + further))
    assert 0 <= here <= beyond
    assert here <= initial_margin(instrument, notional, 0, 1, leverage)
    for tier in instrument.tiers[1:]:
        floor = tier.notional_floor
        jump = maintenance_margin(instrument, floor, 0, 1) - maintenance_margin(instrument, floor - 1, 0, 1)
        assert 0 <= jump <= 1


@pytest.mark.rule("MARG-004")
def test_invariant_11_holds_for_every_position_of_every_trace(findings: Findings) -> None:
    findings.hold("margins", "margins", "leverage above the tier's most")
