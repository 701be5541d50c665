"""What waits to be written to one connection: bounded, gathered, and never waited for."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from exchange.server.limits import ServerLimits


class Port(Protocol):
    """The socket side of a connection."""

    @property
    def is_writable(self) -> bool:
        """Whether the socket takes another batch now."""
        ...

    def write(self, data: bytes) -> None:
        """Hand bytes to the socket."""
        ...

    def flush_soon(self) -> None:
        """Arrange for the connection's ``flush`` at the end of this turn of the loop."""
        ...

    def begin_close(self, code: int, reason: str) -> None:
        """Begin to close, and cut the connection when the peer does not take part in time."""
        ...


class Outbox:
    """Frames in the order in which they were appended.

    Small frames are gathered until the end of the loop's turn; a full batch goes out at once while the socket takes it.
    """

    def __init__(self, port: Port, limits: ServerLimits) -> None:
        self._port = port
        self._batch_bytes = limits.write_batch_bytes
        self._bytes_max = limits.outbox_bytes_max
        self._frames: deque[bytes] = deque()
        self.pending_bytes = 0
        """What waits here, the socket's own buffer not counted."""

    def append(self, frame: bytes) -> bool:
        """Queue a frame; return False when the reader is too far behind to be kept (WIRE-014)."""
        if not self._frames:
            self._port.flush_soon()
        self._frames.append(frame)
        self.pending_bytes += len(frame)
        if self.pending_bytes >= self._batch_bytes:
            self.flush()
        return self.pending_bytes <= self._bytes_max

    def flush(self) -> None:
        """Hand as many whole batches to the socket as it takes."""
        while self._frames and self._port.is_writable:
            batch: list[bytes] = []
            size = 0
            while self._frames and (not batch or size + len(self._frames[0]) <= self._batch_bytes):
                frame = self._frames.popleft()
                batch.append(frame)
                size += len(frame)
            self.pending_bytes -= size
            self._port.write(b"".join(batch))

    def clear(self) -> None:
        """Forget what waits."""
        self._frames.clear()
        self.pending_bytes = 0
