"""One client's conversation, without any I/O: frames in, frames out through a bounded outbox.

Order of frames (WIRE-008): everything that a command caused for this connection is written before the reply to it, and
replies come in the order of the requests. So whoever has a reply has every event up to the command it speaks of.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Protocol

from exchange.server.dispatch import Dispatcher, Result
from exchange.server.framing import frame_of
from exchange.server.limits import ServerLimits
from exchange.server.outbox import Outbox, Port
from exchange.server.pictures import Pictures, Stream
from exchange.server.publisher import Publisher
from exchange.server.rate_limits import RateLimits
from exchange.server.subscriptions import Subscriptions
from exchange.wire import fields, requests
from exchange.wire import messages as wire
from exchange.wire.codec import Codec
from exchange.wire.errors import Fault, WireError, fault
from exchange.wire.session import Session
from exchange.wire.translate import Translator


class CloseReason(IntEnum):
    """Why the server closes a connection: the WebSocket close code."""

    FRAME_TOO_LARGE = 1009
    INTERNAL = 1011
    RESTART = 1012
    PROTOCOL = 4000
    LOGIN = 4001
    SLOW = 4008
    RATE = 4029


class Services(Protocol):
    """What every connection of one gateway shares."""

    limits: ServerLimits
    dispatcher: Dispatcher
    translator: Translator
    pictures: Pictures
    subscriptions: Subscriptions
    publisher: Publisher
    rates: RateLimits


class Connection:
    """Answers one client's requests and carries its subscriptions."""

    def __init__(self, services: Services, port: Port, codec: Codec, session: Session) -> None:
        self.codec = codec
        self.session = session
        self.is_closing = False
        self._services = services
        self._limits = services.limits
        self._port = port
        self._outbox = Outbox(port, services.limits)
        self._malformed_frames = 0
        self._meter = services.rates.meter()
        self._conflated: dict[Stream, None] = {}
        """Streams of which messages were left out, to be replaced by one picture of what they came to."""

    # -- frames in -------------------------------------------------------------------------------------------------

    def receive(self, payload: bytes, *, is_binary: bool) -> None:
        """Answer one request; the answer waits in the outbox when this returns."""
        if self.is_closing:
            return
        try:
            request = self._read(payload, is_binary)
        except WireError as error:
            self._send_reply(error.reply(error.request_id))
            self._count_malformed(error)
            if self._meter.check(self.session.credential, None) is not None:
                self._count_refusal()
            return
        refusal = self._meter.check(self.session.credential, request)
        if refusal is not None:
            self._send_reply(refusal.reply(request.id))
            self._count_refusal()
            return
        try:
            reply: wire.Reply | wire.ErrorReply = wire.Reply(id=request.id, result=self._answer(request))
        except WireError as error:
            reply = error.reply(request.id)
        self._send_reply(reply)
        if self.session.login_failures >= self._limits.login_failures_max:
            self.close(CloseReason.LOGIN, "too many failed logins; open a new connection")

    def _read(self, payload: bytes, is_binary: bool) -> requests.AnyRequest:
        bound = self._limits.frame_bytes_max if self.session.is_logged_in else self._limits.frame_bytes_before_login_max
        if len(payload) > bound:
            when = "" if self.session.is_logged_in else " before login"
            raise fault(Fault.FRAME_TOO_LARGE, f"a request holds at most {bound} bytes{when}; send less at once")
        if is_binary != self.codec.is_binary:
            kind = "binary" if self.codec.is_binary else "text"
            raise fault(Fault.WRONG_FRAME_TYPE, f"this connection speaks {self.codec.name} in {kind} frames; send those")
        return self.codec.decode(payload)

    def _count_malformed(self, error: WireError) -> None:
        if error.name == Fault.FRAME_TOO_LARGE.value:
            self.close(CloseReason.FRAME_TOO_LARGE, error.message)
        elif error.request_id is None:
            self._malformed_frames += 1
            if self._malformed_frames >= self._limits.malformed_frames_max:
                self.close(CloseReason.PROTOCOL, "too many frames that hold no request")

    def _count_refusal(self) -> None:
        if self._meter.is_abused():
            self.close(CloseReason.RATE, "too many requests, though they were refused; wait as retry_ms says")

    def _answer(self, request: requests.AnyRequest) -> Result:
        if isinstance(request, requests.Subscribe):
            return self._change_subscription(request, self._subscribe)
        if isinstance(request, requests.Unsubscribe):
            return self._change_subscription(request, self._unsubscribe)
        if isinstance(request, requests.SessionLimits):
            return self._meter.picture(self.session.credential)
        if isinstance(request, requests.Logout):
            self._services.subscriptions.remove_private(self)
        return self._services.dispatcher.answer(self.session, request)

    # -- subscriptions ---------------------------------------------------------------------------------------------

    def _change_subscription(
        self, request: requests.Subscribe | requests.Unsubscribe, change: Callable[[fields.Channel, str | None], None]
    ) -> wire.SubscriptionResult:
        self.session.authorize(request)
        channel, symbol = request.params.channel, request.params.symbol
        if channel in fields.PRIVATE_CHANNELS and symbol is not None:
            raise fault(Fault.INVALID_FIELD, f"{channel} is one stream for the whole account; leave out symbol", field="symbol")
        if channel in fields.VENUE_CHANNELS and symbol is not None:
            raise fault(Fault.INVALID_FIELD, f"{channel} is one stream for the whole venue; leave out symbol", field="symbol")
        self._services.translator.optional_symbol(symbol)
        change(channel, symbol)
        return wire.SubscriptionResult(channel=channel, symbol=symbol, sequence=self._services.pictures.sequence)

    def _subscribe(self, channel: fields.Channel, symbol: str | None) -> None:
        account = self.session.account if channel in fields.PRIVATE_CHANNELS else None
        for stream in self._services.subscriptions.add(self, channel, symbol, account):
            self._conflated.pop(stream, None)
            self._send_present(stream)

    def _unsubscribe(self, channel: fields.Channel, symbol: str | None) -> None:
        self._services.subscriptions.remove(self, channel, symbol)

    def _send_present(self, stream: Stream) -> None:
        for frame in self._services.publisher.present_frames(stream, self.codec):
            self._send(frame)

    # -- frames out ------------------------------------------------------------------------------------------------

    def greet(self, hello: wire.Hello) -> None:
        """Send the first frame."""
        self._send(frame_of(self.codec, hello))

    def send_event(self, frame: bytes) -> None:
        """Queue a frame that must not be lost; a reader too far behind is closed instead (WIRE-014)."""
        self._send(frame)

    def send_state(self, stream: Stream, frame: bytes) -> None:
        """Queue a frame, or leave it out while the reader is behind: a picture of the stream follows in its place."""
        if stream in self._conflated or self._outbox.pending_bytes >= self._limits.conflate_bytes:
            self._conflated[stream] = None
        else:
            self._send(frame)

    def flush(self) -> None:
        """Write what waits, as far as the socket takes it; then catch up on what was left out."""
        self._outbox.flush()
        if self._conflated and self._outbox.pending_bytes < self._limits.conflate_bytes:
            self._send_conflated()
            self._outbox.flush()

    def _send_conflated(self) -> None:
        streams = tuple(self._conflated)
        self._conflated.clear()
        for stream in streams:
            if self in self._services.subscriptions.of(stream):
                self._send_present(stream)

    def _send_reply(self, reply: wire.Reply | wire.ErrorReply) -> None:
        """Queue a reply behind everything that came before it, what was left out included."""
        if self._conflated:
            self._send_conflated()
        self._send(frame_of(self.codec, reply))

    def _send(self, frame: bytes) -> None:
        if self.is_closing or self._outbox.append(frame):
            return
        self._outbox.clear()
        self.close(
            CloseReason.SLOW, f"more than {self._limits.outbox_bytes_max} bytes unread; read faster or subscribe to less"
        )

    # -- the end ---------------------------------------------------------------------------------------------------

    def shut_down(self, retry_ms: int) -> None:
        """Say goodbye: a ``shutdown`` message, then close."""
        self._send(frame_of(self.codec, wire.Shutdown(reason="the server is stopping", retry_ms=retry_ms)))
        self.close(CloseReason.RESTART, "the server is stopping")

    def close(self, code: CloseReason, reason: str) -> None:
        """Write what the socket still takes, then begin to close. Nothing is answered or sent after this."""
        if self.is_closing:
            return
        self._outbox.flush()
        self._outbox.clear()
        self.is_closing = True
        self._port.begin_close(code, reason)

    def lost(self) -> None:
        """Forget the connection's subscriptions, and let happen what its loss sets off (SAFE-002); the socket is gone."""
        self.is_closing = True
        self._services.subscriptions.remove_all(self)
        self._services.dispatcher.lost(self.session)
