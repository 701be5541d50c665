"""The WebSocket server in front of one exchange: accepts connections, gathers writes, keeps time, stops gracefully."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Collection, Sequence
from functools import partial
from http import HTTPStatus
from typing import cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import NegotiationError
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from exchange.server.connection import Connection
from exchange.server.dispatch import Dispatcher
from exchange.server.handshake import SUBPROTOCOLS, Refusal, check_request, choose_codec
from exchange.server.limits import ServerLimits
from exchange.server.parts import ExchangeParts
from exchange.server.pictures import Pictures
from exchange.server.publisher import Publisher
from exchange.server.rate_limits import RateLimits
from exchange.server.socket_connection import SocketConnection
from exchange.server.subscriptions import Subscriptions
from exchange.services.clock import ClockMode
from exchange.wire.assets import Assets
from exchange.wire.bodies import time_us
from exchange.wire.fields import PROTOCOL_VERSION
from exchange.wire.messages import Hello, Limits
from exchange.wire.session import Session
from exchange.wire.translate import Translator

SERVER_NAME = "ringfence"
FEATURES = (
    "login.hmac_sha256",
    "session.cancel_on_disconnect",
    "session.cancel_after",
    "session.limits",
    "book.sequence",
    "book.checksum",
    "book.depth",
    "book.orders",
    "margin.decision",
    "margin.channel",
    "account.hedge_mode",
    "account.collateral",
    "account.ledger",
    "account.explain",
    "account.preview",
    "order.amend",
    "order.batch",
    "market.funding",
    "market.candles",
    "market.open_interest",
    "market.insurance_fund",
    "heartbeat",
)
"""What a client may look for in ``hello`` before it relies on it."""

_log = logging.getLogger("exchange.server")


class Gateway:
    """Serves one exchange. Nothing is shared between gateways; start it once, stop it once."""

    def __init__(
        self,
        parts: ExchangeParts,
        limits: ServerLimits | None = None,
        *,
        own_hosts: Collection[str] = (),
        name: str = SERVER_NAME,
        read_monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """``own_hosts`` are names of this server beside loopback and the address it binds to, in lower case.

        ``read_monotonic_ns`` is what rates are measured by; no command sees it.
        """
        self.limits = limits or ServerLimits()
        assets = Assets(parts.venue.collateral)
        self.translator = Translator(parts.venue.instruments, assets)
        self.pictures = Pictures(parts, assets, self.limits.book_levels_max, self.limits.book_orders_max)
        self.subscriptions = Subscriptions(tuple(parts.venue.instruments), self.limits.subscriptions_max)
        self.publisher = Publisher(parts, self.pictures, self.subscriptions, self.limits.heartbeat_interval_ms)
        self.dispatcher = Dispatcher(parts, self.translator, self.pictures, self.limits)
        self.rates = RateLimits(self.limits, read_monotonic_ns)
        self._parts = parts
        self._name = name
        self._own_hosts = frozenset(own_hosts)
        self._sockets: dict[SocketConnection, None] = {}
        self._unflushed: dict[SocketConnection, None] = {}
        self._server: Server | None = None
        self._timers: list[asyncio.Task[None]] = []
        self._address = ("", 0)
        self._is_stopping = False

    # -- life ------------------------------------------------------------------------------------------------------

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that the gateway listens on."""
        return self._address

    @property
    def url(self) -> str:
        """Where clients connect."""
        host, port = self._address
        return f"ws://[{host}]:{port}" if ":" in host else f"ws://{host}:{port}"

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen and return the address; port 0 takes a free one. Raises ``OSError`` when the address cannot be had."""
        self._own_hosts |= {host.lower()}
        self._server = await serve(
            self._converse,
            host,
            port,
            compression=None,
            select_subprotocol=_select_subprotocol,
            process_request=self._check_request,
            server_header=None,
            open_timeout=self.limits.open_timeout_ms / 1000,
            ping_interval=None,
            close_timeout=self.limits.close_timeout_ms / 1000,
            max_size=self.limits.frame_bytes_max,
            logger=_log,
            create_connection=cast(type[ServerConnection], partial(SocketConnection, self)),
        )
        bound = next(iter(self._server.sockets)).getsockname()
        self._address = (bound[0], bound[1])
        loop = asyncio.get_running_loop()
        self._timers.append(loop.create_task(self._tick()))
        self._timers.append(loop.create_task(self._beat()))
        if self._parts.clock.mode is ClockMode.REAL:
            self._timers.append(loop.create_task(self._fire_due()))
        return self._address

    async def stop(self) -> None:
        """Stop listening, say goodbye to every connection, and return when the last one is gone."""
        if self._server is None:
            return
        self._is_stopping = True
        self._server.close(close_connections=False)
        for socket in tuple(self._sockets):
            if socket.connection is None:
                socket.cut()
            else:
                socket.connection.shut_down(self.limits.restart_retry_ms)
        await self._server.wait_closed()
        for timer in self._timers:
            timer.cancel()
        for outcome in await asyncio.gather(*self._timers, return_exceptions=True):
            if isinstance(outcome, Exception):
                _log.error("a timer was ended by an internal error", exc_info=outcome)
        self._timers.clear()
        self._server = None

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.limits.tick_interval_ms / 1000)
            for socket in tuple(self._sockets):
                socket.tick(loop.time())
            self.publisher.close_candles()

    async def _beat(self) -> None:
        """Tell whoever asked for it that the server lives."""
        while True:
            await asyncio.sleep(self.limits.heartbeat_interval_ms / 1000)
            self.publisher.send_heartbeat()

    async def _fire_due(self) -> None:
        """Ask the venue from time to time whether anything is due: on real time that is when nobody sends a command."""
        while True:
            await asyncio.sleep(self.limits.due_interval_ms / 1000)
            self._parts.tick()

    # -- connections -----------------------------------------------------------------------------------------------

    def _check_request(self, socket: ServerConnection, request: Request) -> Response | None:
        refusal = check_request(
            request.path, request.headers.get_all("Host"), request.headers.get_all("Origin"), self._own_hosts
        )
        if refusal is None and self._open_count() >= self.limits.connections_max:
            refusal = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections; close some, or try again later.\n")
        return None if refusal is None else socket.respond(refusal.status, refusal.sentence)

    async def _converse(self, socket: ServerConnection) -> None:
        """Begin a conversation and wait for its end; the frames in between are handled as they are read."""
        assert isinstance(socket, SocketConnection), "serve makes connections with create_connection"
        assert socket.request is not None, "the handshake is done"
        session = Session(self._parts.keys, session_id=secrets.token_hex(8), nonce=secrets.token_hex(16))
        connection = Connection(self, socket, choose_codec(socket.subprotocol, socket.request.path), session)
        socket.begin(connection, self._hello(session))
        if self._is_stopping:
            connection.shut_down(self.limits.restart_retry_ms)
        await socket.wait_closed()

    def _hello(self, session: Session) -> Hello:
        limits = self.limits
        return Hello(
            version=PROTOCOL_VERSION,
            server=self._name,
            session_id=session.session_id,
            nonce=session.nonce,
            time_us=time_us(self._parts.clock.now_ns()),
            heartbeat_ms=limits.ping_interval_ms,
            clock=self._parts.clock.mode.value,
            limits=Limits(
                frame_bytes_max=limits.frame_bytes_max,
                requests_per_turn_max=limits.requests_per_turn_max,
                subscriptions_max=limits.subscriptions_max,
                outbox_bytes_max=limits.outbox_bytes_max,
            ),
            features=FEATURES,
        )

    # -- the shelter of sockets ------------------------------------------------------------------------------------

    def connected(self, connection: SocketConnection) -> bool:
        """Count a socket that was accepted; return False when too many are opening."""
        self._sockets[connection] = None
        return len(self._sockets) - self._open_count() <= self.limits.handshakes_max

    def disconnected(self, connection: SocketConnection) -> None:
        """Forget a socket that is gone."""
        self._sockets.pop(connection, None)
        self._unflushed.pop(connection, None)

    def flush_soon(self, connection: SocketConnection) -> None:
        """Flush the socket's connection at the end of this turn of the loop, together with all others."""
        if not self._unflushed:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unflushed[connection] = None

    def _flush(self) -> None:
        unflushed, self._unflushed = self._unflushed, {}
        for socket in unflushed:
            socket.flush()

    def failed(self, error: Exception) -> None:
        """Report an internal error that ended a connection; a peer's own words are no part of it."""
        _log.error("a connection ended by an internal error", exc_info=error)

    def _open_count(self) -> int:
        return sum(socket.connection is not None for socket in self._sockets)


def _select_subprotocol(socket: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Return the first subprotocol offered that is spoken here; none offered is fine."""
    for subprotocol in offered:
        if subprotocol in SUBPROTOCOLS:
            return subprotocol
    if offered:
        raise NegotiationError("offer one of " + ", ".join(SUBPROTOCOLS))
    return None
