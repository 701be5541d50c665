"""Messages as bytes for a socket: encoded and framed once per encoding, however many connections they go to."""

from __future__ import annotations

from websockets.frames import Frame, Opcode

from exchange.wire.codec import Codec
from exchange.wire.messages import Message


def frame_of(codec: Codec, message: Message) -> bytes:
    """Return the whole WebSocket frame that carries ``message``; a server's frames are not masked."""
    opcode = Opcode.BINARY if codec.is_binary else Opcode.TEXT
    return Frame(opcode, codec.encode(message)).serialize(mask=False)
