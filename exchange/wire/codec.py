"""The two encodings of one schema: frames to typed requests, messages to frames (WIRE-001, WIRE-005)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, Protocol

import msgspec

from exchange.wire.errors import Fault, WireError, fault
from exchange.wire.faults import explain_refusal
from exchange.wire.fields import RequestId
from exchange.wire.messages import Message
from exchange.wire.requests import AnyRequest


class _LooseId(msgspec.Struct):
    """All that an error reply needs of a request that could not be decoded."""

    id: RequestId


class _LooseMethod(msgspec.Struct):
    """What an error message about a request's parameters needs."""

    method: str
    params: Any = None


class _Decoder(Protocol):
    def decode(self, frame: bytes, /) -> Any: ...


class Codec:
    """One encoding. ``is_binary`` says which kind of WebSocket frame carries it."""

    def __init__(
        self,
        name: str,
        *,
        is_binary: bool,
        make_decoder: Callable[[Any], _Decoder],
        encode: Callable[[Any], bytes],
        repeated_key: Callable[[bytes], str | None],
    ) -> None:
        self.name = name
        self.is_binary = is_binary
        self._request = make_decoder(AnyRequest)
        self._loose_id = make_decoder(_LooseId)
        self._loose_method = make_decoder(_LooseMethod)
        self._encode = encode
        self._repeated_key = repeated_key

    def decode(self, frame: bytes) -> AnyRequest:
        """Return the request in a frame that is within the size limit.

        Raises ``WireError`` with the request's id where that could still be read.
        """
        try:
            request: AnyRequest = self._request.decode(frame)
        except (ValueError, RecursionError) as refusal:
            self._refuse(frame, refusal)
        key = self._repeated_key(frame)
        if key is not None:
            raise fault(
                Fault.DUPLICATE_FIELD, f"{key} appears twice in the request; give it once", field=key, request_id=request.id
            )
        return request

    def encode(self, message: Message) -> bytes:
        """Return the payload of the frame that carries ``message``."""
        return self._encode(message)

    def _refuse(self, frame: bytes, refusal: Exception) -> NoReturn:
        loose_id, loose_method = _try(self._loose_id, frame), _try(self._loose_method, frame)
        method, params = (None, None) if loose_method is None else (loose_method.method, loose_method.params)
        error: WireError = explain_refusal(refusal, method, params)
        error.request_id = None if loose_id is None else loose_id.id
        raise error from None


def _try(decoder: _Decoder, frame: bytes) -> Any:
    """Return what a loose decoder makes of a frame that the typed one refused; None when it fails as well."""
    try:
        return decoder.decode(frame)
    except (ValueError, RecursionError):
        return None


# -- keys that appear twice: decoders let the last one win, a venue must not guess which was meant -------------------------

_MSGPACK_ANY = msgspec.msgpack.Decoder(Any)
_MSGPACK_ENCODE = msgspec.msgpack.Encoder().encode
_MSGPACK_SHALLOW = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])
_MSGPACK_LIST = msgspec.msgpack.Decoder(list[Any])
_MSGPACK_RAWS = msgspec.msgpack.Decoder(list[msgspec.Raw])


def _is_map(packed: memoryview) -> bool:
    return 0x80 <= packed[0] <= 0x8F or packed[0] in (0xDE, 0xDF)


def _is_list(packed: memoryview) -> bool:
    return 0x90 <= packed[0] <= 0x9F or packed[0] in (0xDC, 0xDD)


def _map_length(packed: memoryview) -> tuple[int, int]:
    """Return how many pairs a packed map announces, and where the first one begins."""
    if packed[0] <= 0x8F:
        return packed[0] & 0x0F, 1
    width = 2 if packed[0] == 0xDE else 4
    return int.from_bytes(packed[1 : 1 + width], "big"), 1 + width


def msgpack_repeated_key(frame: bytes) -> str | None:
    """Return a key that some map of an already accepted msgpack request holds twice, or None.

    Packing what was unpacked drops repeated keys and shortens roundabout encodings, and lengthens nothing: equal lengths
    mean that nothing was repeated. Only other frames are looked at map by map.
    """
    return None if len(_MSGPACK_ENCODE(_MSGPACK_ANY.decode(frame))) == len(frame) else _msgpack_search(frame)


def _msgpack_search(frame: bytes) -> str | None:
    packed = memoryview(frame)
    count, start = _map_length(packed)
    values = _MSGPACK_SHALLOW.decode(frame)
    if len(values) != count:
        as_list = b"\xdd" + (2 * count).to_bytes(4, "big") + bytes(packed[start:])
        return _first_repeated(_MSGPACK_LIST.decode(as_list)[::2])
    return _search_each(values.values())


def _search_each(values: Iterable[msgspec.Raw]) -> str | None:
    for value in values:
        packed, key = memoryview(value), None
        if _is_map(packed):
            key = _msgpack_search(bytes(value))
        elif _is_list(packed):
            key = _search_each(_MSGPACK_RAWS.decode(value))
        if key is not None:
            return key
    return None


def json_repeated_key(frame: bytes) -> str | None:
    """Return a key that some map of an already accepted JSON request holds twice, or None."""
    found: list[str] = []

    def check(pairs: list[tuple[str, Any]]) -> None:
        key = _first_repeated([key for key, _ in pairs]) if len({key for key, _ in pairs}) != len(pairs) else None
        if key is not None:
            found.append(key)

    json.loads(frame.decode(), object_pairs_hook=check)
    return found[0] if found else None


def _first_repeated(keys: list[str]) -> str | None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    return None


MSGPACK = Codec(
    "msgpack",
    is_binary=True,
    make_decoder=msgspec.msgpack.Decoder,
    encode=msgspec.msgpack.Encoder().encode,
    repeated_key=msgpack_repeated_key,
)
JSON = Codec(
    "json",
    is_binary=False,
    make_decoder=msgspec.json.Decoder,
    encode=msgspec.json.Encoder().encode,
    repeated_key=json_repeated_key,
)
