"""What happens on a new connection before anything else: hello, then login."""

from __future__ import annotations

from dataclasses import dataclass, field

from clients.errors import ConnectFailed, LoginRefused, ProtocolError
from clients.fields import read_as
from clients.server_messages import ErrorBody, Hello, LoggedIn
from clients.transport import Transport, login_signature

PROTOCOL_VERSION = 1
FRAMES_BEFORE_LOGIN_MAX = 16
"""How many other frames a server may send between a login and its answer."""
LOGIN_ID = 0


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key and the secret that signs for it; the secret never leaves this machine and never shows in a repr."""

    key: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a finished handshake tells."""

    hello: Hello
    logged_in: LoggedIn | None


async def shake_hands(transport: Transport, credentials: Credentials | None) -> Greeting:
    """Return who the server is and whom the connection acts for.

    Raises ``LoginRefused``, ``ProtocolError``, or ``ConnectFailed`` when the server is on its way down.
    """
    first = await transport.receive()
    _refuse_shutdown(first)
    if first.get("type") != "hello":
        raise ProtocolError("the server's first frame is no hello")
    version = first.get("version")
    if version != PROTOCOL_VERSION:
        shown = version if isinstance(version, int) else "an unreadable version"
        raise ProtocolError(f"the server speaks protocol version {shown}, this client version {PROTOCOL_VERSION}")
    hello = read_as(Hello, first)
    transport.sent_bytes_max = hello.limits.frame_bytes_max
    if credentials is None:
        return Greeting(hello, None)
    return Greeting(hello, await _log_in(transport, credentials, hello))


async def _log_in(transport: Transport, credentials: Credentials, hello: Hello) -> LoggedIn:
    time_ms = hello.time_us // 1000  # the server's own time; this machine's clock may be wrong
    signature = login_signature(credentials.secret, hello.nonce, credentials.key, time_ms)
    params = {"key": credentials.key, "time_ms": time_ms, "signature": signature}
    await transport.send({"id": LOGIN_ID, "method": "session.login", "params": params})
    for _ in range(FRAMES_BEFORE_LOGIN_MAX):
        message = await transport.receive()
        _refuse_shutdown(message)
        if "error" in message:
            error = read_as(ErrorBody, message["error"])
            raise LoginRefused(
                "session.login",
                code=error.code,
                name=error.name,
                message=error.message,
                field=error.field,
                retry_ms=error.retry_ms,
            )
        if message.get("id") == LOGIN_ID and "result" in message:
            return read_as(LoggedIn, message["result"])
    raise ProtocolError(f"the server sent {FRAMES_BEFORE_LOGIN_MAX} frames and no answer to the login")


def _refuse_shutdown(message: dict[str, object]) -> None:
    if message.get("type") == "shutdown":
        raise ConnectFailed("the server is shutting down")
