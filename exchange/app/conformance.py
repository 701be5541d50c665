"""``ringfence conformance``: published cases against the engine, each under the profile of its system."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from exchange.app.exit_codes import EXIT_DONE, EXIT_FAILED, EXIT_USAGE
from exchange.app.options import ConformanceOptions
from exchange.app.ready_file import write_atomically
from exchange.composition.case_rules import ShippedRules
from exchange.composition.profiles import load_profile, profile_names
from exchange.conformance.case_file import CaseFileError, read_cases
from exchange.conformance.profile_table import ProfileText, format_profiles
from exchange.conformance.report import format_report, result_rows
from exchange.conformance.runner import run_cases, tally


def run_conformance(options: ConformanceOptions) -> int:
    """Run the cases of a file, print what became of them, and return the exit code: 1 where any failed, 2 for no such file."""
    try:
        cases = read_cases(options.file)
    except CaseFileError as error:
        return _fail(EXIT_USAGE, str(error))
    results = run_cases(cases, ShippedRules(options.profile))
    pages: list[tuple[Path, str]] = []
    if options.json is not None:
        pages.append((options.json, json.dumps(result_rows(results), indent=1) + "\n"))
    if options.table is not None:
        pages.append((options.table, format_profiles(profile_texts(), results)))
    for path, page in pages:
        try:
            write_atomically(path, page)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return _fail(EXIT_FAILED, f"{path}: it cannot be written ({reason}); check the path")
    _print(format_report(results, with_skips=options.skips))
    return EXIT_FAILED if tally(results).failed else EXIT_DONE


def profile_texts() -> Sequence[ProfileText]:
    """Return what every shipped profile says of itself."""
    profiles = [load_profile(name) for name in profile_names()]
    return [ProfileText(each.name, each.title, each.switches, each.reproduces, each.differs, each.sources) for each in profiles]


def _print(text: str) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal may not know every letter that a case may hold
        sys.stdout.reconfigure(errors="backslashreplace")
    print(text)


def _fail(code: int, sentence: str) -> int:
    print(f"ringfence: {sentence}", file=sys.stderr)
    return code
