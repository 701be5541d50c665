"""The async client: every method of the protocol, typed; ``Decimal`` out, ``Decimal``, text or int in."""

from __future__ import annotations

from types import TracebackType

from clients.backoff import Backoff
from clients.codec import Encoding
from clients.fields import reader
from clients.handshake import Credentials
from clients.inflight import IN_FLIGHT_MAX, Call
from clients.link import ConnectionState, LinkSettings
from clients.methods_account import AccountMethods
from clients.methods_admin import AdminMethods
from clients.methods_explain import ExplainMethods
from clients.methods_market import MarketMethods
from clients.methods_preview import PreviewMethods
from clients.methods_session import SessionMethods
from clients.methods_triggered import TriggeredMethods
from clients.server_messages import Hello, Pong
from clients.session import Session

DEFAULT_URL = "ws://127.0.0.1:8900"
"""Where ``ringfence serve`` listens unless it is told otherwise."""
REQUEST_TIMEOUT_S = 10.0

_read_pong = reader(Pong)


class Client(TriggeredMethods, AccountMethods, SessionMethods, ExplainMethods, PreviewMethods, MarketMethods, AdminMethods):
    """A client of one server, for one account.

    ::

        async with Client.connect(key="demo-alice", secret="demo-alice-secret") as client:
            placed = await client.buy("BTC-PERP", "0.1")

    Many requests may be under way at once, from many tasks. After a lost connection the client reconnects, logs in and
    subscribes again by itself; requests that were in flight fail with ``ConnectionLost``, since their outcome is unknown.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @classmethod
    def connect(
        cls,
        url: str = DEFAULT_URL,
        *,
        key: str | None = None,
        secret: str | None = None,
        encoding: Encoding = "msgpack",
        timeout_s: float = REQUEST_TIMEOUT_S,
        reconnect: bool | Backoff = True,
        in_flight_max: int = IN_FLIGHT_MAX,
    ) -> Client:
        """Return a client that connects, and with ``key`` and ``secret`` logs in, when it is entered with ``async with``.

        ``timeout_s`` bounds every wait for the server, in seconds. ``reconnect`` is a ``Backoff`` to choose the delays,
        or False to stay down after a loss.
        """
        if (key is None) != (secret is None):
            raise ValueError("login needs both key and secret")
        if timeout_s <= 0:
            raise ValueError("timeout_s must be above 0")
        if in_flight_max < 1:
            raise ValueError("in_flight_max must be at least 1")
        settings = LinkSettings(
            url=url,
            credentials=None if key is None or secret is None else Credentials(key, secret),
            encoding=encoding,
            timeout_s=timeout_s,
            backoff=reconnect if isinstance(reconnect, Backoff) else Backoff() if reconnect else None,
        )
        return cls(Session(settings, in_flight_max))

    async def open(self) -> Client:
        """Connect and log in now; for use without ``async with``."""
        await self._session.link.open()
        return self

    async def close(self) -> None:
        """Say goodbye; the server keeps the orders, unless ``cancel_on_disconnect`` is on. Safe to repeat."""
        await self._session.link.close()

    async def __aenter__(self) -> Client:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def state(self) -> ConnectionState:
        """Where the client stands with its server."""
        return self._session.link.state

    @property
    def failure(self) -> str | None:
        """Why the client is closed, if not on request."""
        return self._session.link.failure

    @property
    def hello(self) -> Hello | None:
        """The server's first words on the present connection."""
        greeting = self._session.link.greeting
        return None if greeting is None else greeting.hello

    @property
    def account_name(self) -> str | None:
        """The account that the client acts for; None without a login, or with an admin key."""
        greeting = self._session.link.greeting
        return None if greeting is None or greeting.logged_in is None else greeting.logged_in.account

    async def wait_connected(self, timeout_s: float = 60.0) -> None:
        """Return once a reconnect is done; raises ``NotConnected`` if there is none within ``timeout_s`` seconds."""
        await self._session.link.wait_connected(timeout_s)

    async def ping(self) -> Pong:
        """Return the server's time and sequence. A barrier: every event before it has reached mirrors and handlers."""
        pong = await self._session.request(Call("ping", {}, _read_pong))
        await self._session.renewed()
        return pong
