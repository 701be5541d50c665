"""A function in the place of a sink."""

from __future__ import annotations

from collections.abc import Callable

from clients.updates import Update


class FunctionSink:
    """A sink that calls a function."""

    def __init__(self, handle: Callable[[Update], None]) -> None:
        self._handle = handle

    def receive(self, update: Update) -> None:
        """Call the function."""
        self._handle(update)

    def began(self) -> None:
        """Change nothing."""

    def interrupted(self, reason: str) -> None:
        """Change nothing; the present state will come as events."""

    def ended(self, failure: str | None) -> None:
        """Change nothing."""
