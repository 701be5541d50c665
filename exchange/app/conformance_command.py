"""``ringfence conformance`` and ``ringfence profiles`` on the command line. What they do is imported only when they run."""

from __future__ import annotations

import argparse
from pathlib import Path

from exchange.app.options import ConformanceOptions
from exchange.app.profile_option import add_profile_option

_DESCRIPTION = """\
Run published worked examples against the engine: each case is computed by the exchange's own functions, under the profile of
its system (default where there is none), and compared at the rounding that it states."""

_EPILOG = """\
examples:
  ringfence conformance margin_cases.json
  ringfence conformance margin_cases.json --json results.json --skips
  ringfence conformance margin_cases.json --profile binance       every case under one profile

A file is a JSON list of cases, or an object whose "cases" is one:
  {"id", "system", "kind", "applicability", "formula_id", "inputs": {...}, "expected": {...}, "rounding"}
Numbers are texts; rounding is exact (also when left out), nearest:N, trunc:N or rel:1e-N.
Exit code 0: none failed, 1: some did, 2: no such file.
"""


def add_conformance(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands to those of ``ringfence``."""
    conformance = commands.add_parser(
        "conformance",
        help="run published worked examples against the engine",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    conformance.add_argument("file", type=Path, metavar="FILE", help="the cases, as JSON")
    conformance.add_argument("--json", type=Path, metavar="OUT", help="write what became of each case as JSON, too")
    add_profile_option(conformance, "pose every case under this profile (default: the one named as its system)")
    conformance.add_argument("--skips", action="store_true", help="name the cases of each reason to skip")
    conformance.add_argument("--table", type=Path, metavar="OUT", help="write the profiles and their cases as Markdown, too")
    conformance.set_defaults(run=_run_conformance, parser=conformance)

    profiles = commands.add_parser(
        "profiles",
        help="list the rule profiles",
        description="List the rule profiles: what each chooses, what it reproduces, what it does not, and its sources.",
    )
    profiles.set_defaults(run=_run_profiles, parser=profiles)


def _run_conformance(parsed: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from exchange.app.conformance import run_conformance

    names = ConformanceOptions.__dataclass_fields__
    return run_conformance(ConformanceOptions(**{name: getattr(parsed, name) for name in names}))


def _run_profiles(parsed: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from exchange.app.profiles import run_profiles

    return run_profiles()
