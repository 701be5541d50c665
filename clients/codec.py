"""The two encodings of one protocol, read strictly: maps with text keys, no floats, bounded frames.

This is an implementation of its own beside the server's, so that each checks the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal, NoReturn, Protocol, TypeAlias

import msgpack

from clients.errors import ProtocolError

RECEIVED_BYTES_MAX = 4 * 1024 * 1024
"""The largest frame taken from a server."""

Encoding: TypeAlias = Literal["msgpack", "json"]
Frame: TypeAlias = bytes | str


class Codec(Protocol):
    """One encoding."""

    subprotocol: str

    def encode(self, message: Mapping[str, object]) -> Frame:
        """Return the frame that carries ``message``."""

    def decode(self, frame: Frame) -> dict[str, object]:
        """Return the map that ``frame`` carries, or raise ``ProtocolError``."""


class MsgpackCodec:
    """Binary frames."""

    subprotocol = "exchange.v1.msgpack"

    def encode(self, message: Mapping[str, object]) -> bytes:
        """Return the binary frame that carries ``message``."""
        packed: bytes = msgpack.packb(message)
        return packed

    def decode(self, frame: Frame) -> dict[str, object]:
        """Return the map that ``frame`` carries, or raise ``ProtocolError``."""
        if not isinstance(frame, bytes):
            raise ProtocolError("the server sent a text frame on a msgpack connection")
        _check_length(frame)
        try:
            value = msgpack.unpackb(frame, raw=False, strict_map_key=True, ext_hook=_refuse_extension)
        except (ValueError, RecursionError, msgpack.UnpackException) as error:
            raise ProtocolError(f"the server sent a frame that is no msgpack: {_brief(error)}") from error
        return _as_map(value)


class JsonCodec:
    """Text frames."""

    subprotocol = "exchange.v1.json"

    def encode(self, message: Mapping[str, object]) -> str:
        """Return the text frame that carries ``message``."""
        return json.dumps(message, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    def decode(self, frame: Frame) -> dict[str, object]:
        """Return the map that ``frame`` carries, or raise ``ProtocolError``."""
        if not isinstance(frame, str):
            raise ProtocolError("the server sent a binary frame on a JSON connection")
        _check_length(frame)
        try:
            value = json.loads(frame, parse_float=_refuse_float, parse_constant=_refuse_float)
        except (ValueError, RecursionError) as error:
            raise ProtocolError(f"the server sent a frame that is no JSON: {_brief(error)}") from error
        return _as_map(value)


def codec_for(encoding: Encoding) -> Codec:
    """Return the codec named ``encoding``; ``ValueError`` for a name that is none."""
    if encoding == "msgpack":
        return MsgpackCodec()
    if encoding == "json":
        return JsonCodec()
    raise ValueError(f"encoding: {encoding!r} is none of 'msgpack', 'json'")


def _as_map(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ProtocolError(f"the server sent a frame that is a {type(value).__name__} instead of a map")
    return value


def _check_length(frame: Frame) -> None:
    if len(frame) > RECEIVED_BYTES_MAX:
        raise ProtocolError(f"the server sent a frame of {len(frame)} bytes; at most {RECEIVED_BYTES_MAX} are taken")


def _refuse_float(text: str) -> NoReturn:
    raise ValueError("it holds a floating-point number, and the protocol has none")


def _refuse_extension(code: int, data: bytes) -> NoReturn:
    raise ValueError(f"it holds the extension type {code}, and the protocol has none")


def _brief(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200]
