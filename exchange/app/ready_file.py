"""The file that tells a script where the server listens and with which keys."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from exchange.composition.settings import Settings


def ready_content(settings: Settings, url: str, pid: int) -> dict[str, object]:
    """Return what the ready file holds."""
    return {
        "url": url,
        "pid": pid,
        "accounts": [
            {"account": entry.account, "key": entry.access.key, "secret": entry.access.secret} for entry in settings.accounts
        ],
        "admin": {"key": settings.admin.key, "secret": settings.admin.secret},
    }


def write_atomically(path: Path, text: str) -> None:
    """Create or replace a file whole: written beside it under another name, then renamed over it.

    A reader sees the old file, none, or the new one, never a part. Raises ``OSError``.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_ready_file(path: Path, settings: Settings, url: str) -> None:
    """Write the ready file for this process; readable by its owner alone, since it holds keys."""
    write_atomically(path, json.dumps(ready_content(settings, url, os.getpid()), indent=2) + "\n")
