"""Explanations as text for people: at most 100 columns, the answer first."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from exchange.explain.explanation import Check, Explanation, Given, PathArithmetic, Worked
from exchange.explain.wording import grouped

COLUMNS = 100
INDENT = "  "
_NAME = re.compile(r"[A-Za-z_]\w*")
_WOULD = re.compile(r"would have (been )?")
"""What a column of the other path says anyway."""


def render(explanation: Explanation) -> str:
    """Return an explanation as lines of at most ``COLUMNS`` characters, without a newline at the end."""
    lines = _wrapped(explanation.headline + ".")
    lines += _facts(explanation)
    decided = explanation.paths[0] if explanation.paths else None
    if decided is not None:
        lines += ["", "What was there", *_inputs(decided)]
        lines += ["", f"The arithmetic of {decided.title}", *_steps(decided.steps)]
        lines += ["", "The check", *_checks(decided)]
    if explanation.compared:
        title = "Side by side" if explanation.kind == "change" else "Both paths side by side"
        lines += ["", title, *_side_by_side(explanation)]
    if explanation.changes:
        rows = [("", "before", "after")]
        rows += [(each.meaning, _shown(each.before, each.unit), _shown(each.after, each.unit)) for each in explanation.changes]
        lines += ["", "Before and after", *_table(rows, right=(1, 2))]
    if explanation.happened:
        lines += ["", "What happened"]
        for number, each in enumerate(explanation.happened, start=1):
            lines += _wrapped(each.sentence, f"{INDENT}{number:>2}. ")
    if explanation.prevention:
        lines += ["", "What would have made the difference"]
        for sentence in explanation.prevention:
            lines += _wrapped(sentence, f"{INDENT}- ")
    return "\n".join(line.rstrip() for line in lines)


def _facts(explanation: Explanation) -> list[str]:
    found = [f"command {explanation.sequence}"]
    if explanation.order_id is not None:
        found.append(f"order {explanation.order_id}")
    if explanation.client_order_id is not None:
        found.append(f"client order id {explanation.client_order_id}")
    if explanation.liquidation_id is not None:
        found.append(f"liquidation {explanation.liquidation_id}")
    if explanation.reason is not None:
        found.append(f"reason {explanation.reason}")
    return _wrapped("(" + ", ".join(found) + ")")


def _inputs(path: PathArithmetic) -> list[str]:
    return _table([_input_row(each) for each in path.inputs], right=(1,))


def _input_row(each: Given) -> tuple[str, ...]:
    return (each.name, _shown(each.value, each.unit), each.meaning)


def _steps(steps: Iterable[Worked]) -> list[str]:
    """Return each step as its meaning, its formula, and below that its numbers and its value."""
    lines: list[str] = []
    steps = tuple(steps)
    width = max((len(each.name) for each in steps), default=0)
    for each in steps:
        lead = f"{INDENT}{each.name.ljust(width)} "
        below = " " * len(lead)
        if each.formula == each.value:
            lines += _wrapped(f"{grouped(each.value)}   {each.meaning} [{each.rule}]", f"{lead}= ", " " * (len(lead) + 2))
            continue
        lines += _expression(f"{lead}= {each.formula}", len(lead) + 2)
        if each.numbers not in (each.formula, each.value):
            lines += _expression(f"{below}= {each.numbers}", len(lead) + 2)
        lines += _wrapped(f"{grouped(each.value)}   {each.meaning} [{each.rule}]", f"{below}= ", " " * (len(lead) + 2))
    return lines


def _expression(text: str, indent: int) -> list[str]:
    """Wrap a formula between its terms."""
    return textwrap.wrap(text, COLUMNS, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False,
                         drop_whitespace=True) or [text]  # fmt: skip


def _checks(path: PathArithmetic) -> list[str]:
    """Return the checks that the conclusion is made of, and what it comes to."""
    used = set(_NAME.findall(path.conclusion))
    shown = [each for each in path.checks if each.name in used]
    width = max((len(each.name) for each in shown), default=0)
    lines = [line for each in shown for line in _check(each, width)]
    return [*lines, *_wrapped(f"so {path.conclusion}: {'yes' if path.verdict else 'no'}, {path.outcome}", INDENT)]


def _check(each: Check, width: int) -> list[str]:
    lead = f"{INDENT}{'yes' if each.holds else 'no ':3}  {each.name.ljust(width)}  "
    said = f"{each.left} {each.relation} {each.right}"
    if each.numbers != said:
        said += f"   {each.numbers}"
    below = " " * len(lead)
    return [*_wrapped(f"{each.meaning} [{each.rule}]", lead, below), *_expression(below + said, len(lead) + 2)]


def _side_by_side(explanation: Explanation) -> list[str]:
    """Return the paths as columns, as many as fit."""
    paths, count = explanation.paths, min(len(explanation.paths), 5)
    lines = _columns(explanation, count)
    while count > 2 and max(map(len, lines)) > COLUMNS:
        count -= 1
        lines = _columns(explanation, count)
    lines += _wrapped("* the path that decided", INDENT)
    for note in dict.fromkeys(path.note for path in paths[1:count] if path.note):
        lines += _wrapped(f"the other: {note}", INDENT)
    if len(paths) > count:
        lines += _wrapped(f"and {len(paths) - count} more", INDENT)
    return lines


def _columns(explanation: Explanation, count: int) -> list[str]:
    paths = explanation.paths[:count]
    rows: list[Sequence[str]] = [("", *(f"{path.path}{' *' if index == 0 else ''}" for index, path in enumerate(paths)))]
    rows.append(("", *(path.title for path in paths)))
    rows += [(row.meaning, *(_shown(value, row.unit) for value in row.values[:count])) for row in explanation.compared]
    rows.append(("outcome", *(_WOULD.sub("", path.outcome) for path in paths)))
    return _table(rows, right=tuple(range(1, count + 1)), wrap=False)


def _shown(value: str | None, unit: str) -> str:
    if value is None:
        return "-"
    if value.startswith("("):
        return value
    return grouped(value) if unit in ("money", "price", "quantity", "count") else value


def _table(rows: Sequence[Sequence[str]], right: tuple[int, ...], *, wrap: bool = True) -> list[str]:
    """Return rows as aligned columns; those named in ``right`` are aligned to the right, the last one may be wrapped."""
    if not rows:
        return []
    columns = len(rows[0])
    widths = [max(len(row[column]) for row in rows) for column in range(columns)]
    lines: list[str] = []
    for row in rows:
        cells = [
            text.rjust(widths[column]) if column in right else text.ljust(widths[column]) for column, text in enumerate(row)
        ]
        lead = INDENT + "  ".join(cells[:-1]) + "  "
        if wrap:
            lines += _wrapped(cells[-1], lead, " " * min(len(lead), COLUMNS // 2))
        else:
            lines.append(lead + cells[-1])
    return lines


def _wrapped(text: str, first: str = "", following: str | None = None) -> list[str]:
    rest = " " * len(first) if following is None else following
    if len(first) + len(text) <= COLUMNS:
        return [first + text]
    return textwrap.wrap(text, COLUMNS, initial_indent=first, subsequent_indent=rest, break_long_words=False,
                         break_on_hyphens=False)  # fmt: skip
