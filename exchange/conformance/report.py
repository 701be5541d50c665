"""What a run of published cases prints, and writes for other programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exchange.conformance.cases import CaseResult, Outcome
from exchange.conformance.runner import tally

LABEL_MAX = 60
"""How much of a name that a case gives is shown."""
REASON_MAX = 400
"""How much of a reason is shown."""


def format_report(results: Sequence[CaseResult], *, with_skips: bool = False) -> str:
    """Return a table by system and kind, each failure, the reasons of skips with counts, and the counts of all as last line.

    ``with_skips`` names the cases of each reason, too.
    """
    total = tally(results)
    last = f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped"
    parts = [_table(results), _failures(results), _skips(results, with_skips=with_skips), [last]]
    return "\n\n".join("\n".join(part) for part in parts if part)


def result_rows(results: Sequence[CaseResult]) -> list[dict[str, str]]:
    """Return what became of each case as maps of texts, in order."""
    return [
        {
            "id": result.case_id,
            "system": result.system,
            "kind": result.kind,
            "formula_id": result.formula_id,
            "profile": result.profile,
            "outcome": result.outcome.value,
            "reason": result.reason,
        }
        for result in results
    ]


def skips_by_reason(results: Sequence[CaseResult]) -> dict[str, list[CaseResult]]:
    """Return the skipped cases by their reason, the most frequent reason first, ties by name."""
    groups: dict[str, list[CaseResult]] = {}
    for result in results:
        if result.outcome is Outcome.SKIPPED:
            groups.setdefault(result.reason, []).append(result)
    return dict(sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])))


def shown(text: str, most: int = LABEL_MAX) -> str:
    """Return a text of a case as one line that no terminal acts upon, cut where it is too long."""
    line = "".join(character if character.isprintable() else "?" for character in text[: most + 1])
    return line if len(line) <= most else line[:most] + "..."


def _table(results: Sequence[CaseResult]) -> list[str]:
    groups: dict[tuple[str, str, str], list[CaseResult]] = {}
    for result in results:
        key = (shown(result.system), shown(result.kind), shown(result.profile))
        groups.setdefault(key, []).append(result)
    if not groups:
        return []
    rows: list[tuple[str, ...]] = [("system", "kind", "profile", "passed", "failed", "skipped")]
    rows += [(*key, *map(str, tally(groups[key]))) for key in sorted(groups)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(_padded(row, widths)).rstrip() for row in rows]


def _padded(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    for column, (text, width) in enumerate(zip(row, widths, strict=True)):
        yield text.ljust(width) if column < 3 else text.rjust(width)


def _failures(results: Sequence[CaseResult]) -> list[str]:
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    lines = [
        f"  {shown(result.case_id)} ({shown(result.system) or 'no system'}, {shown(result.formula_id) or 'no formula'}): "
        f"{shown(result.reason, REASON_MAX)}"
        for result in failed
    ]
    return ["failed:", *lines] if lines else []


def _skips(results: Sequence[CaseResult], *, with_skips: bool) -> list[str]:
    lines = []
    for reason, skipped in skips_by_reason(results).items():
        lines.append(f"  {len(skipped):>4}  {shown(reason, REASON_MAX)}")
        if with_skips:
            lines += [f"        {shown(result.case_id)}" for result in skipped]
    return ["skipped:", *lines] if lines else []
