"""Two and a half minutes of the crash of 2025-10-10 through thin books: every way out of a position, and not a unit lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from exchange.domain.enums import MarginMode
from exchange.domain.ids import Symbol
from exchange.domain.units import PPM, Lots
from exchange.domain.views import LiquidationRecord
from exchange.services.mark_path import MarkPath
from tests.bench.cascade import BARS, CHECK_EVERY, FUNDING_INTERVAL, Cascade, cascade_instruments, crash_path
from tests.bench.cascade_table import describe

SECONDS, ACCOUNTS, SEED = 150, 80, 3


@pytest.fixture(scope="module")
def path() -> MarkPath:
    if not BARS.is_dir():
        pytest.skip(f"the recorded one-second bars are not at {BARS}")
    return crash_path(SECONDS, cascade_instruments())


@pytest.fixture(scope="module")
def played(path: MarkPath) -> Cascade:
    run = Cascade(path, cascade_instruments(), accounts=ACCOUNTS, seed=SEED)
    run.run()
    return run


@pytest.mark.rule("LIQ-004", "LIQ-007", "LIQ-008", "LIQ-009", "LIQ-010", "LIQ-011", "LIQ-015", "MARG-020")
def test_a_real_crash_drives_every_stage_of_the_waterfall(played: Cascade) -> None:
    records, counts = played.records, played.counts
    assert counts["orders for a part"] > 5, "filled whole, and a position is left: what sizing by target asks for"
    cured = [record for record in records if record.book_quantity and record.after.notional and not record.fund_quantity]
    assert len(cured) > 5
    assert any(record.rounds > 1 for record in records), "closed in several orders"
    assert any(record.book_quantity and not record.after.notional for record in records), "closed whole"
    assert counts["liquidation trades"] > 100
    assert counts["fund"] > 0
    assert counts["unwinding trades"] > 10
    assert counts["auto_deleverage"] > 10
    assert counts["residual"] > 0
    assert counts["continuations"] > 0
    assert counts["margin calls"] > 10
    assert {record.path for record in records} == set(MarginMode)


@pytest.mark.rule("LIQ-007", "LIQ-009")
def test_the_small_fund_is_spent_and_what_nobody_has_is_bad_debt(played: Cascade) -> None:
    assert played.fund_spent_ns is not None
    assert played.path.times_ms[0] * 10**6 < played.fund_spent_ns < played.path.times_ms[-1] * 10**6
    assert played.venue.funds().insurance_fund_equity < 0 < played.fund_credit
    assert sum(record.bad_debt for record in played.records) > 0
    assert any(record.adl_forgone for record in played.records), "others forwent what a bankrupt scope owed"


@pytest.mark.rule("FUND-003", "FUND-004")
def test_funding_is_paid_at_its_time_in_the_middle_of_it(played: Cascade) -> None:
    assert len(played.funding_times) == 1
    assert all(time_ns % FUNDING_INTERVAL == 0 for time_ns in played.funding_times)
    assert played.counts["fundings"] == len(played.instruments)
    assert played.counts["funding payments"] > 10


@pytest.mark.rule("CONS-001", "CONS-002")
def test_all_money_is_counted_again_and_again_and_never_a_unit_is_missing(played: Cascade) -> None:
    assert played.counts["money checks"] >= played.counts["commands"] // CHECK_EVERY > 10
    venue = played.venue
    held = [view for account in venue.accounts() for view in venue.positions(account)]
    held += venue.funds().insurance_fund_positions
    sums: Counter[Symbol] = Counter()
    for view in held:
        sums[view.symbol] += view.quantity
    assert not any(sums.values())


@pytest.mark.rule("LIQ-016")
def test_the_records_add_up_to_what_changed_hands(played: Cascade) -> None:
    told = Counter[tuple[str, Symbol]]()
    quantities: dict[str, Callable[[LiquidationRecord], dict[Symbol, Lots]]] = {
        "book": lambda record: record.book_quantity,
        "fund": lambda record: record.fund_quantity,
        "others": lambda record: record.deleveraged_quantity,
    }
    for record in played.records:
        for way, of in quantities.items():
            for symbol, lots in of(record).items():
                told[way, symbol] += lots
        assert 0 <= record.default_recovery <= PPM
        assert record.fund_paid or record.adl_forgone or record.bad_debt or record.default_recovery == PPM
    assert told == played.taken
    assert "| all | " in "\n".join(describe(played))


@pytest.mark.rule("CONS-004")
def test_an_isolated_account_keeps_what_it_never_put_in_and_its_cross_twin_does_not(played: Cascade) -> None:
    kept = {mode: [PPM * played.worth(plan, mode) // plan.deposit for plan in played.plans] for mode in MarginMode}
    put_in_at_most = 950_000  # 90 % of the deposit and the fees of opening
    assert min(kept[MarginMode.ISOLATED]) >= PPM - put_in_at_most
    assert min(kept[MarginMode.CROSS]) == 0
    assert sum(kept[MarginMode.ISOLATED]) > sum(kept[MarginMode.CROSS])


@pytest.mark.rule("CONS-006")
def test_a_second_run_gives_the_same_commands_and_digest_and_so_does_a_replay(path: MarkPath, played: Cascade) -> None:
    again = Cascade(path, cascade_instruments(), accounts=ACCOUNTS, seed=SEED)
    again.run()
    assert again.log == played.log
    assert again.venue.digest() == played.venue.digest()
    assert played.replayed_digest() == played.venue.digest()
