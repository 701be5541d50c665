"""What a cascade did, as tables: how scopes were closed and who paid, cross against isolated, symbol by symbol."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from exchange.domain.enums import MarginMode
from exchange.domain.ids import Symbol
from exchange.domain.margin_math import notional_value
from exchange.domain.units import PPM, Cash, Lots, Ppm
from exchange.domain.views import LiquidationRecord

if TYPE_CHECKING:
    from tests.bench.cascade import Cascade

HEAD = (
    "count | orders | cured | book USD | fund USD | adl USD | fee | fund paid | adl forgone | bad debt | "
    "owner median | owner min | default min"
)


def outcome(record: LiquidationRecord, *, residual: bool) -> str:
    """Return by what a scope was closed, the last resort that it needed."""
    if residual:
        return "residual at the mark"
    if record.deleveraged_quantity:
        return "deleveraging"
    if record.fund_quantity:
        return "fund takeover"
    if not record.book_quantity:
        return "orders canceled only"
    return "book, part" if record.after.notional else "book, whole"


def describe(run: Cascade) -> list[str]:
    """Return all tables as markdown."""
    outcomes = [(outcome(record, residual=record.liquidation_id in run.residuals), record) for record in run.records]
    names = sorted({name for name, _ in outcomes})
    rows = [
        (f"{name}, {path.value}", [record for each, record in outcomes if each == name and record.path is path])
        for name in names
        for path in MarginMode
    ]
    rows += [(f"all {path.value}", [record for record in run.records if record.path is path]) for path in MarginMode]
    rows.append(("all", run.records))
    return [
        "",
        *_facts(run),
        "",
        "Liquidations by outcome and margin path (money in USD, closed notional at the mark of the flag)",
        "",
        *_table("outcome", rows, run),
        "",
        "Isolated liquidations by symbol",
        "",
        *_table(
            "symbol",
            [(symbol, [each for each in run.records if each.symbol == symbol]) for symbol in sorted(run.path.ticks)],
            run,
        ),
        "",
        "The same plans with cross and with isolated margin",
        "",
        *_pairs(run),
    ]


def _facts(run: Cascade) -> list[str]:
    counts, funds = run.counts, run.venue.funds()
    falls = ", ".join(f"{symbol.removesuffix('-PERP')} {_fall(ticks)}" for symbol, ticks in sorted(run.path.ticks.items()))
    spent = "never" if run.fund_spent_ns is None else f"{(run.fund_spent_ns - run.path.times_ms[0] * 10**6) // 10**9} s in"
    return [
        f"{len(run.path.times_ms):,} seconds, {2 * len(run.plans)} levered accounts; lowest mark against the first: {falls}",
        f"commands {counts['commands']:,} (continuations {counts['continuations']:,}), events {counts['events']:,}, "
        f"trades {counts['trades']:,} of which by liquidation orders {counts['liquidation trades']:,}, "
        f"money counted {counts['money checks']:,} times",
        f"margin calls {counts['margin calls']:,}, fundings {counts['fundings']:,} ({counts['funding payments']:,} payments)",
        f"fund: credited {_usd(run.fund_credit)}, spent {spent}, lowest wallet {_usd(run.fund_low or 0)}, "
        f"takeovers {counts['fund']:,}, sold {_usd(run.unwound)} in {counts['unwinding trades']:,} trades, "
        f"equity at the end {_usd(funds.insurance_fund_equity)}",
        f"deleveraging legs {counts['auto_deleverage']:,}, residual transfers {counts['residual']:,}",
    ]


def _fall(ticks: Sequence[int]) -> str:
    return f"{100 * min(ticks) / ticks[0] - 100:.0f} %"


def _table(title: str, rows: Iterable[tuple[str, Sequence[LiquidationRecord]]], run: Cascade) -> list[str]:
    columns = HEAD.count("|") + 2
    lines = [f"| {title} | {HEAD} |", "|" + "---|" * columns]
    return lines + [f"| {name} | {_summary(records, run)} |" for name, records in rows if records]


def _summary(records: Sequence[LiquidationRecord], run: Cascade) -> str:
    owners = [record.owner_recovery for record in records if record.owner_recovery is not None]
    cells = [
        f"{len(records):,}",
        f"{sum(record.rounds for record in records):,}",
        f"{sum(1 for record in records if record.after.notional):,}",
        _usd(sum(_closed(record, record.book_quantity, run) for record in records)),
        _usd(sum(_closed(record, record.fund_quantity, run) for record in records)),
        _usd(sum(_closed(record, record.deleveraged_quantity, run) for record in records)),
        _usd(sum(record.fee for record in records)),
        _usd(sum(record.fund_paid for record in records)),
        _usd(sum(record.adl_forgone for record in records)),
        _usd(sum(record.bad_debt for record in records)),
        _percent(int(statistics.median(owners))) if owners else "",
        _percent(min(owners)) if owners else "",
        _percent(min(record.default_recovery for record in records)),
    ]
    return " | ".join(cells)


def _closed(record: LiquidationRecord, quantities: dict[Symbol, Lots], run: Cascade) -> Cash:
    instruments = run.venue.instruments
    return sum(notional_value(instruments[symbol], lots, record.trigger_marks[symbol]) for symbol, lots in quantities.items())


def _pairs(run: Cascade) -> list[str]:
    lines = [
        "| margin | accounts | deposited | left | left, median | lost all but 1 % | liquidations | paid by others |",
        "|---|---|---|---|---|---|---|---|",
    ]
    deposited = sum(plan.deposit for plan in run.plans)
    for mode in MarginMode:
        names = {plan.account(mode) for plan in run.plans}
        records = [record for record in run.records if record.account in names]
        shares = [run.worth(plan, mode) * PPM // plan.deposit for plan in run.plans]
        paid = sum(each.fund_paid + each.adl_forgone + each.socialized + each.bad_debt for each in records)
        left = sum(run.worth(plan, mode) for plan in run.plans)
        lines.append(
            f"| {mode.value} | {len(names)} | {_usd(deposited)} | {_usd(left)} | {_percent(int(statistics.median(shares)))} | "
            f"{sum(1 for share in shares if share < 10_000)} | {len(records)} | {_usd(paid)} |"
        )
    return lines


def _usd(amount: Cash) -> str:
    return f"{amount / 10**6:,.0f}"


def _percent(share: Ppm) -> str:
    return f"{share / 10_000:.1f} %"
