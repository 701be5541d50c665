"""A socket in memory: takes a number of batches and then no more."""

from __future__ import annotations


class MemoryPort:
    def __init__(self, batches: int = 1_000_000) -> None:
        self.batches = batches
        self.written: list[bytes] = []
        self.flushes_asked = 0
        self.closed_with: tuple[int, str] | None = None

    @property
    def is_writable(self) -> bool:
        return self.batches > 0

    def write(self, data: bytes) -> None:
        self.batches -= 1
        self.written.append(data)

    def flush_soon(self) -> None:
        self.flushes_asked += 1

    def begin_close(self, code: int, reason: str) -> None:
        self.closed_with = (code, reason)
