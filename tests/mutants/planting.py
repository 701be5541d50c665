"""A planted bug: one piece of text of one module, and what stands there instead."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class StaleMutantError(Exception):
    """The text that a planted bug replaces is not in its module, or is there more than once."""


class Mutant(NamedTuple):
    """A bug in one sentence, the rule that it breaks, and the change that makes it."""

    name: str
    rule: str
    file: str
    """The module, below the root of the project."""
    old: str
    new: str

    @property
    def package(self) -> str:
        """The package of the core that the bug is in."""
        return self.file.split("/")[1]

    def planted_in(self, source: str) -> str:
        """Return the module's text with the bug in it. Raises ``StaleMutantError`` unless the old text is there once."""
        if (count := source.count(self.old)) != 1:
            raise StaleMutantError(f"what {self.name!r} replaces is {count} times in {self.file}")
        return source.replace(self.old, self.new)


@contextmanager
def planted(mutant: Mutant, tree: Path) -> Iterator[None]:
    """Have the bug in a copy of the project for a while.

    Compiled modules are told apart by time and size, which both may be the same with and without the bug, so they go.
    """
    module = tree / mutant.file
    source = module.read_text(encoding="utf-8")
    compiled = Path(importlib.util.cache_from_source(str(module)))
    faulty = mutant.planted_in(source)
    try:
        compiled.unlink(missing_ok=True)
        module.write_text(faulty, encoding="utf-8")
        yield
    finally:
        compiled.unlink(missing_ok=True)
        module.write_text(source, encoding="utf-8")
