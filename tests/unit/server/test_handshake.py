from __future__ import annotations

import pytest

from exchange.server.handshake import check_request, choose_codec
from exchange.wire.codec import JSON, MSGPACK

OWN = frozenset({"venue.example", "10.0.0.7"})


def status(path: str = "/", hosts: tuple[str, ...] = ("127.0.0.1:9000",), origins: tuple[str, ...] = ()) -> int | None:
    refusal = check_request(path, hosts, origins, OWN)
    return None if refusal is None else int(refusal.status)


@pytest.mark.rule("WIRE-016")
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:9000", "127.9.9.9", "localhost:1", "LOCALHOST", "[::1]:80", "venue.example", "10.0.0.7:1"]
)
def test_own_names_are_let_in(host: str) -> None:
    assert status(hosts=(host,)) is None


@pytest.mark.rule("WIRE-016")
@pytest.mark.parametrize(
    "hosts",
    [
        (),
        ("evil.example",),
        ("evil.example:9000",),
        ("localhost.evil.example",),
        ("127.0.0.1.evil.example",),
        ("127.0.0.1", "evil.example"),
        ("127.0.0.1@evil.example",),
        ("127.0.0.1/x",),
        ("127.0.0.1:port",),
        ("[::1",),
        ("",),
        ("0.0.0.0",),
        ("2130706433",),
    ],
    ids=str,
)
def test_other_names_that_were_made_to_point_here_are_refused(hosts: tuple[str, ...]) -> None:
    assert status(hosts=hosts) == 403


@pytest.mark.rule("WIRE-016")
@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:5173", "http://venue.example"])
def test_pages_of_this_machine_are_let_in(origin: str) -> None:
    assert status(origins=(origin,)) is None


@pytest.mark.rule("WIRE-016")
@pytest.mark.parametrize(
    "origins",
    [
        ("https://evil.example",),
        ("null",),
        ("file://",),
        ("http://localhost.evil.example",),
        ("http://localhost@evil.example",),
        ("http://evil.example#localhost",),
        ("chrome-extension://abc",),
        ("http://localhost", "http://evil.example"),
        ("",),
    ],
    ids=str,
)
def test_pages_of_others_are_refused(origins: tuple[str, ...]) -> None:
    assert status(origins=origins) == 403


@pytest.mark.rule("WIRE-016")
def test_the_protocol_is_served_at_one_path() -> None:
    assert status("/") is None
    assert status("/?format=json") is None
    assert status("/admin") == 404
    assert status("//evil") == 404
    assert status("/?format=xml") == 400


@pytest.mark.rule("WIRE-001")
def test_the_encoding_is_that_of_the_subprotocol_or_the_query_or_msgpack() -> None:
    assert choose_codec("exchange.v1.json", "/") is JSON
    assert choose_codec("exchange.v1.msgpack", "/?format=json") is MSGPACK
    assert choose_codec(None, "/?format=json") is JSON
    assert choose_codec(None, "/?format=msgpack") is MSGPACK
    assert choose_codec(None, "/") is MSGPACK
