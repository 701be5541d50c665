"""A WebSocket under one ``Connection``: frames are handled inside ``data_received``, without a task or a queue per message."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from typing import Any, Protocol, cast

from websockets.asyncio.server import Server, ServerConnection
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import OPEN, Event
from websockets.server import ServerProtocol

from exchange.server.connection import CloseReason, Connection
from exchange.server.limits import ServerLimits
from exchange.wire.messages import Hello

CLOSE_REASON_CHARACTERS_MAX = 120
"""A close frame holds at most 123 bytes of reason."""
SEND_BUFFER_BATCHES = 4
"""What the kernel may hold for a reader, in batches; more would hide a slow reader and keep stale prices for it."""


class Shelter(Protocol):
    """What a socket asks of the gateway that it belongs to."""

    limits: ServerLimits

    def connected(self, connection: SocketConnection) -> bool:
        """Count a socket that was accepted; return False when too many are opening."""
        ...

    def disconnected(self, connection: SocketConnection) -> None:
        """Forget a socket that is gone."""
        ...

    def flush_soon(self, connection: SocketConnection) -> None:
        """Flush the socket's connection at the end of this turn of the loop."""
        ...

    def failed(self, error: Exception) -> None:
        """Report an internal error that ended a connection."""
        ...


class SocketConnection(ServerConnection):
    """The thin asyncio shell: reads in small chunks, takes turns, and never waits for a reader.

    It replaces the library's queue between socket and application by ``_inbox``, which holds what one read chunk brought:
    while anything is left in it, the socket is not read.
    """

    def __init__(self, shelter: Shelter, protocol: ServerProtocol, server: Server, **settings: Any) -> None:
        super().__init__(protocol, server, **settings)
        self._shelter = shelter
        self._limits = shelter.limits
        self._connection: Connection | None = None
        self._inbox: deque[tuple[bytes, bool]] = deque()
        self._fragments: list[Frame] = []
        self._works_soon = False
        self._last_batch_bytes = 0
        self._last_received = self._last_pinged = self.loop.time()
        self._cutter: asyncio.TimerHandle | None = None

    @property
    def connection(self) -> Connection | None:
        """The conversation, once the handshake is done."""
        return self._connection

    def begin(self, connection: Connection, hello: Hello) -> None:
        """Greet, then answer what has come in since the handshake."""
        self._connection = connection
        connection.greet(hello)
        self._work()

    # -- reading ---------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bound what is read and written at once; cut the socket when too many are opening."""
        super().connection_made(transport)
        if hasattr(transport, "max_size"):  # asyncio's own transports; other loops read small chunks anyway
            cast(Any, transport).max_size = self._limits.read_chunk_bytes
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BATCHES * self._limits.write_batch_bytes)
        self.transport.set_write_buffer_limits(self._limits.write_batch_bytes, self._limits.write_batch_bytes // 4)
        if not self._shelter.connected(self):
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take in a chunk and answer its requests; cut a peer whose pings pile up answers that it does not read."""
        self._last_received = self.loop.time()
        super().data_received(data)
        if self.transport.get_write_buffer_size() > self._limits.foreign_write_bytes_max + self._last_batch_bytes:
            self.transport.abort()
            return
        if self.protocol.close_expected():
            self._cut_in_time()
            if self._connection is not None:
                self._connection.lost()
        elif self._inbox and not self._works_soon:
            self._work()

    def process_event(self, event: Event) -> None:
        """Gather data frames into requests; the rest is the library's."""
        if self.request is None or not isinstance(event, Frame):
            super().process_event(event)
        elif event.opcode in DATA_OPCODES:
            self._gather(event)

    def _gather(self, frame: Frame) -> None:
        self._fragments.append(frame)
        if len(self._fragments) > self._limits.fragments_max:
            self._fragments.clear()
            if self.protocol.state is OPEN:
                self.protocol.fail(
                    CloseReason.FRAME_TOO_LARGE, f"a request comes in at most {self._limits.fragments_max} fragments"
                )
                self.send_data()
        elif frame.fin:
            payload = b"".join(part.data for part in self._fragments)
            self._inbox.append((payload, self._fragments[0].opcode is Opcode.BINARY))
            self._fragments.clear()

    def _work(self) -> None:
        """Answer a bounded number of requests, then let every other connection have its turn (WIRE-015)."""
        self._works_soon = False
        connection = self._connection
        if connection is not None:
            try:
                for _ in range(min(len(self._inbox), self._limits.requests_per_turn_max)):
                    payload, is_binary = self._inbox.popleft()
                    connection.receive(payload, is_binary=is_binary)
            except Exception as error:
                self._shelter.failed(error)
                connection.close(CloseReason.INTERNAL, "internal error")
            if connection.is_closing:
                self._inbox.clear()
        if not self._inbox:
            self.transport.resume_reading()
            return
        self.transport.pause_reading()
        if connection is not None:
            self._works_soon = True
            self.loop.call_soon(self._work)

    # -- writing (the port of the connection) ----------------------------------------------------------------------

    @property
    def is_writable(self) -> bool:
        """Whether the socket takes another batch now."""
        return not self.paused and self.protocol.state is OPEN and not self.transport.is_closing()

    def write(self, data: bytes) -> None:
        """Hand whole frames to the socket."""
        self._last_batch_bytes = len(data)
        self.transport.write(data)

    def flush_soon(self) -> None:
        """Have ``flush`` called at the end of this turn of the loop."""
        self._shelter.flush_soon(self)

    def flush(self) -> None:
        """Write what waits."""
        if self._connection is not None and not self._connection.is_closing:
            self._connection.flush()

    def resume_writing(self) -> None:
        """Go on writing; the reader has caught up with what the socket held."""
        super().resume_writing()
        self.flush()

    # -- liveness and the end --------------------------------------------------------------------------------------

    def tick(self, now_s: float) -> None:
        """Ping, or give up a peer that has sent nothing for too long. Units: the loop's seconds."""
        if self._connection is None or self.protocol.state is not OPEN:
            return
        if now_s - self._last_received > self._limits.idle_timeout_ms / 1000:
            self._connection.close(CloseReason.PROTOCOL, "nothing received for too long, not even answers to pings")
        elif now_s - self._last_pinged >= self._limits.ping_interval_ms / 1000:
            self._last_pinged = now_s
            self.protocol.send_ping(b"")
            self.send_data()

    def begin_close(self, code: int, reason: str) -> None:
        """Send a close frame; a peer that takes no part in the closing is cut off in time.

        May be called while a command is being published, so subscriptions are left as they are until the socket is gone.
        """
        if self.protocol.state is OPEN:
            self.protocol.send_close(code, reason[:CLOSE_REASON_CHARACTERS_MAX])
            self.send_data()
        self._cut_in_time()

    def cut(self) -> None:
        """Drop the socket at once."""
        self.transport.abort()

    def _cut_in_time(self) -> None:
        if self._cutter is None:
            self._cutter = self.loop.call_later(self._limits.close_timeout_ms / 1000, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget everything; the socket is gone."""
        if self._cutter is not None:
            self._cutter.cancel()
        if self._connection is not None:
            self._connection.lost()
        self._inbox.clear()
        self._shelter.disconnected(self)
        super().connection_lost(exc)
