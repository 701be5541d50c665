"""Who may open a connection, and in which encoding: decided from the HTTP request alone (WIRE-001, WIRE-016).

A web page of somebody else's must not reach a venue on the reader's own machine: neither directly (``Origin``) nor under
a name that was made to point here (``Host``).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Sequence
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from exchange.wire.codec import JSON, MSGPACK, Codec
from exchange.wire.fields import SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK

SUBPROTOCOLS: dict[str, Codec] = {SUBPROTOCOL_MSGPACK: MSGPACK, SUBPROTOCOL_JSON: JSON}
_FORMATS: dict[str, Codec] = {codec.name: codec for codec in SUBPROTOCOLS.values()}


class Refusal(NamedTuple):
    """An HTTP answer in place of a connection."""

    status: HTTPStatus
    sentence: str


def check_request(path: str, hosts: Sequence[str], origins: Sequence[str], own_hosts: Collection[str]) -> Refusal | None:
    """Return why the request is refused, or None. ``hosts`` and ``origins`` are all headers of those names."""
    if len(hosts) != 1 or not _is_own(_host_name(hosts[0]), own_hosts):
        return Refusal(HTTPStatus.FORBIDDEN, "Host must be a name of this server; connect to it by its own address.\n")
    if len(origins) > 1 or any(not _is_own(_origin_name(origin), own_hosts) for origin in origins):
        return Refusal(HTTPStatus.FORBIDDEN, "Origin is not allowed; pages of this machine only, or no Origin at all.\n")
    if path.partition("?")[0] != "/":
        return Refusal(HTTPStatus.NOT_FOUND, "The protocol is served at the path /.\n")
    if _format(path) not in _FORMATS:
        return Refusal(HTTPStatus.BAD_REQUEST, "format must be msgpack or json.\n")
    return None


def choose_codec(subprotocol: str | None, path: str) -> Codec:
    """Return the encoding: that of the subprotocol, else that of ``?format=``, else msgpack."""
    if subprotocol is not None:
        return SUBPROTOCOLS[subprotocol]
    return _FORMATS[_format(path)]


def _format(path: str) -> str:
    return parse_qs(path.partition("?")[2]).get("format", [MSGPACK.name])[-1]


def _is_own(name: str | None, own_hosts: Collection[str]) -> bool:
    return name is not None and (name in own_hosts or is_loopback(name))


def is_loopback(name: str) -> bool:
    """Return whether a host name or address can only mean this machine."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _host_name(header: str) -> str | None:
    """Return the name in a ``Host`` header without its port, in lower case; None when it is no host."""
    return _origin_name(f"http://{header}")


def _origin_name(origin: str) -> str | None:
    """Return the host of an ``Origin`` header in lower case; None when it is no http origin."""
    try:
        parts = urlsplit(origin)
        _ = parts.port
    except ValueError:
        return None
    is_plain = parts.scheme in ("http", "https") and not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    return parts.hostname if is_plain else None
