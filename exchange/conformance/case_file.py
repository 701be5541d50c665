"""Reading a file of published cases: bounded, whatever is in it, and refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import msgspec

CASES_BYTES_MAX = 32_000_000
"""The largest file of cases that is read."""
CASES_MAX = 20_000
"""How many cases one run takes."""


class CaseFileError(ValueError):
    """A file of cases that cannot be read; the message is one sentence for the person who named it."""


def read_cases(path: Path) -> list[object]:
    """Return the cases of a JSON list, or of the list ``cases`` of a JSON object, as they are written.

    Raises ``CaseFileError`` for anything else, and for a file beyond the bounds above.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(CASES_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CaseFileError(f"{path}: the cases cannot be read ({reason}); check the path") from None
    if len(content) > CASES_BYTES_MAX:
        raise CaseFileError(f"{path}: a file of cases has at most {CASES_BYTES_MAX} bytes; split it")
    try:
        written: object = msgspec.json.decode(content)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise CaseFileError(f"{path}: the cases are not valid JSON ({error}); correct it there") from None
    cases = written.get("cases") if isinstance(written, dict) else written
    if not isinstance(cases, list):
        raise CaseFileError(f'{path}: it holds no list of cases; write a JSON list, or an object whose "cases" is one')
    if len(cases) > CASES_MAX:
        raise CaseFileError(f"{path}: a run takes at most {CASES_MAX} cases; split it")
    return cases
