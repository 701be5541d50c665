"""The profiles and what became of the published cases under each, as a page of Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from exchange.conformance.cases import CaseResult, Outcome
from exchange.conformance.report import skips_by_reason
from exchange.conformance.runner import tally

_HEAD = """\
# Rule profiles

What other venues do differently, as choices of `[risk]`; `ringfence serve --profile NAME` lays them over those of the config.
Tiers, fees, funding and contract terms belong to the instruments and stay those of the config.

This page is written by `ringfence conformance FILE --table exchange/PROFILES.md`, where FILE is a list of worked examples
that venues and open-source engines have published: each is computed by the engine's own functions under the profile of its
system, `default` where there is none. A test compares it with a fresh run. A case is skipped, with the reason, where its rule
is not that of the profile it is posed under.
"""


class ProfileText(NamedTuple):
    """What a profile says of itself, and the choices that it makes."""

    name: str
    title: str
    switches: Mapping[str, str]
    reproduces: Sequence[str]
    differs: Sequence[str]
    sources: Sequence[str]


def format_profiles(profiles: Sequence[ProfileText], results: Sequence[CaseResult]) -> str:
    """Return the page: all profiles side by side, then each with its choices, its cases by kind and what is not run."""
    rows = [_row(f"[{each.name}](#{each.name})", each.title, *tally(_under(each, results))) for each in profiles]
    overview = [_row("profile", "what it is", "passed", "failed", "skipped"), "|---|---|---|---|---|", *rows]
    overview.append(_row("all", "", *tally(results)))
    return "\n\n".join([_HEAD.rstrip(), "\n".join(overview), *_sections(profiles, results)]) + "\n"


def _sections(profiles: Sequence[ProfileText], results: Sequence[CaseResult]) -> list[str]:
    parts: list[str] = []
    for profile in profiles:
        under = _under(profile, results)
        choices = [f"- `{key}` = {value}" for key, value in profile.switches.items()]
        parts += [
            f"## {profile.name}",
            f"{profile.title}.",
            "Choices:\n" + "\n".join(choices) if choices else "Choices: none, those of the config stay.",
            "What it reproduces:\n" + _bullets(profile.reproduces),
            "What it does not:\n" + _bullets(profile.differs),
            _cases_by_kind(under),
            _not_run(under),
            "Sources: " + "; ".join(profile.sources) + ".",
        ]
    return [part for part in parts if part]


def _under(profile: ProfileText, results: Sequence[CaseResult]) -> list[CaseResult]:
    return [result for result in results if result.profile == profile.name]


def _cases_by_kind(results: Sequence[CaseResult]) -> str:
    if not results:
        return "No published case is posed under it."
    groups: dict[str, list[CaseResult]] = {}
    for result in results:
        groups.setdefault(result.kind, []).append(result)
    rows = [_row(f"`{kind}`", *tally(groups[kind])) for kind in sorted(groups)]
    return "\n".join([_row("kind of case", "passed", "failed", "skipped"), "|---|---|---|---|", *rows])


def _not_run(results: Sequence[CaseResult]) -> str:
    rows = [
        _row(reason, ", ".join(f"`{result.case_id}`" for result in skipped))
        for reason, skipped in skips_by_reason(results).items()
    ]
    rows += [
        _row(f"**failed**: {result.reason}", f"`{result.case_id}`") for result in results if result.outcome is Outcome.FAILED
    ]
    return "\n".join([_row("not run, because", "cases"), "|---|---|", *rows]) if rows else ""


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
