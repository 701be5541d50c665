"""One WebSocket connection that carries maps: the only place that touches the socket."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from clients.codec import RECEIVED_BYTES_MAX, Codec
from clients.errors import ConnectFailed, ProtocolError

KEEPALIVE_S = 20.0
"""How often the connection is probed, and how long a probe may stay unanswered before the connection counts as lost."""
CLOSE_TIMEOUT_S = 5.0
RECEIVED_FRAMES_MAX = 16
"""How many frames may wait unread before reading from the socket pauses."""

CLOSE_CODES: Mapping[int, str] = {
    1001: "going away",
    1006: "the connection broke",
    1011: "server error",
    1012: "restart",
    4000: "protocol error",
    4001: "login",
    4003: "forbidden",
    4008: "slow reader",
    4029: "rate limit",
}


class TransportClosed(Exception):  # noqa: N818
    """The connection is over; the text says how it ended. Internal: users meet ``ConnectionLost``."""


def login_signature(secret: str, nonce: str, key: str, time_ms: int) -> str:
    """Return the hex HMAC-SHA256 of the login text under ``secret``. Units: ``time_ms`` milliseconds since the epoch."""
    text = f"ringfence-login-v1\n{nonce}\n{key}\n{time_ms}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class Transport:
    """An open connection. One task may receive; any may send."""

    def __init__(self, socket: ClientConnection, codec: Codec) -> None:
        self._socket = socket
        self._codec = codec
        self.sent_bytes_max = RECEIVED_BYTES_MAX

    @classmethod
    async def open(cls, url: str, codec: Codec, *, timeout_s: float) -> Transport:
        """Connect to ``url``, or raise ``ConnectFailed`` with a sentence."""
        try:
            socket = await connect(
                url,
                subprotocols=[Subprotocol(codec.subprotocol)],
                compression=None,
                proxy=None,
                open_timeout=timeout_s,
                close_timeout=CLOSE_TIMEOUT_S,
                ping_interval=KEEPALIVE_S,
                ping_timeout=KEEPALIVE_S,
                max_size=RECEIVED_BYTES_MAX,
                max_queue=RECEIVED_FRAMES_MAX,
            )
        except (OSError, TimeoutError, WebSocketException) as error:
            raise ConnectFailed(f"no connection to {url}: {error or type(error).__name__}") from error
        if socket.subprotocol != codec.subprotocol:
            await socket.close(1002)
            raise ConnectFailed(f"{url} does not speak {codec.subprotocol}: it is not a server of this protocol")
        return cls(socket, codec)

    async def send(self, message: Mapping[str, object]) -> None:
        """Write ``message``, waiting while the socket's buffer is full.

        Raises ``TransportClosed`` at the end of the connection and ``ValueError`` for what the server would not take.
        """
        frame = self._codec.encode(message)
        if len(frame) > self.sent_bytes_max:
            raise ValueError(f"the request takes {len(frame)} bytes; the server accepts at most {self.sent_bytes_max}")
        try:
            await self._socket.send(frame)
        except ConnectionClosed as error:
            raise TransportClosed(_how_it_ended(error)) from error

    async def receive(self) -> dict[str, object]:
        """Return the next message. Raises ``TransportClosed`` at the end and ``ProtocolError`` for a bad frame."""
        try:
            frame = await self._socket.recv()
        except ConnectionClosed as error:
            raise TransportClosed(_how_it_ended(error)) from error
        except UnicodeDecodeError as error:
            raise ProtocolError("the server sent a text frame that is not UTF-8") from error
        return self._codec.decode(frame)

    async def close(self, code: int = 1000) -> None:
        """Close the connection; safe to repeat."""
        await self._socket.close(code)

    def abort(self) -> None:
        """Drop the connection at once, without a farewell."""
        self._socket.transport.abort()


def _how_it_ended(error: ConnectionClosed) -> str:
    received = error.rcvd
    if received is None:
        sent = error.sent
        if sent is not None and sent.code != 1000:
            return f"the connection broke ({sent.reason or CLOSE_CODES.get(sent.code, sent.code)})"
        return "the connection broke"
    meaning = CLOSE_CODES.get(received.code)
    words = "; ".join(part for part in (meaning, received.reason) if part)
    return f"the server closed the connection with {received.code}{f' ({words})' if words else ''}"
