"""Whether a mirror may be believed at the moment."""

from __future__ import annotations

from clients.errors import MirrorNotReady


class Readiness:
    """The base of mirrors: ready from the moment the present state is complete until the connection is lost."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._missing: str | None = "it has not been received yet"

    @property
    def ready(self) -> bool:
        """Whether the mirror holds the present state."""
        return self._missing is None

    def began(self) -> None:
        """Count as ready: the present state has been received whole."""
        self._missing = None

    def interrupted(self, reason: str) -> None:
        """Forget everything: it can no longer be believed."""
        self._missing = reason
        self._forget()

    def ended(self, failure: str | None) -> None:
        """Forget everything: nothing will follow."""
        self.interrupted(failure or "the client was closed")

    def _forget(self) -> None:
        raise NotImplementedError

    def _require_ready(self) -> None:
        if self._missing is not None:
            raise MirrorNotReady(f"the mirror of {self._what} has no present state: {self._missing}")
