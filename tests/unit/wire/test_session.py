from __future__ import annotations

import hashlib
import hmac
from typing import Any, get_args

import pytest

from exchange.server.keys import KeyRing
from exchange.wire import fields, parameters, requests
from exchange.wire import messages as wire
from exchange.wire.errors import WireError
from exchange.wire.session import REQUIRED_SCOPES, Scope, Session, login_signature
from tests.cast import ALICE, BOB

NONCE = "0123456789abcdef"
TIME_MS = 1_700_000_000_000


@pytest.fixture
def keys() -> KeyRing:
    keys = KeyRing(keys_max=3)
    keys.add_account_key(ALICE, "alice-key", "alice secret")
    keys.add_admin_key("root", "root secret")
    return keys


@pytest.fixture
def session(keys: KeyRing) -> Session:
    return Session(keys, session_id="s", nonce=NONCE)


def signed(key: str, secret: str, nonce: str = NONCE, time_ms: int = TIME_MS) -> parameters.LoginParams:
    """Return a login that is signed as the protocol's page says, without the server's own function."""
    text = f"ringfence-login-v1\n{nonce}\n{key}\n{time_ms}".encode()
    return parameters.LoginParams(
        key=key, time_ms=time_ms, signature=hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    )


def request_of(kind: type[requests.Request]) -> Any:
    """Return a request of a kind; what it asks does not matter to its rights."""
    params: Any = parameters.NoParams()
    if kind in (requests.Subscribe, requests.Unsubscribe):
        params = parameters.SubscriptionParams(channel="book")
    return kind(id=1, params=params)  # type: ignore[call-arg]


@pytest.mark.rule("WIRE-004")
def test_a_login_binds_the_connection_to_the_account_and_scopes_of_the_key(session: Session) -> None:
    assert session.login(signed("alice-key", "alice secret")) == wire.LoginResult(account=ALICE, scopes=("read", "trade"))
    assert session.is_logged_in
    assert session.account == ALICE


@pytest.mark.rule("WIRE-004")
def test_an_admin_key_has_no_account(session: Session) -> None:
    assert session.login(signed("root", "root secret")) == wire.LoginResult(account=None, scopes=("admin",))


@pytest.mark.rule("WIRE-004")
def test_the_signature_is_that_of_the_published_text() -> None:
    assert login_signature("s3cret", nonce="n", key="k", time_ms=5) == (
        hmac.new(b"s3cret", b"ringfence-login-v1\nn\nk\n5", hashlib.sha256).hexdigest()
    )


@pytest.mark.rule("WIRE-004")
@pytest.mark.parametrize(
    "params",
    [
        pytest.param(signed("alice-key", "wrong"), id="wrong secret"),
        pytest.param(signed("nobody", "alice secret"), id="unknown key"),
        pytest.param(signed("nobody", ""), id="unknown key with the empty secret"),
        pytest.param(signed("alice-key", "alice secret", nonce="another"), id="nonce of another connection"),
        pytest.param(parameters.LoginParams(key="alice-key", time_ms=TIME_MS, signature=""), id="no signature"),
        pytest.param(parameters.LoginParams(key="alice-key", time_ms=TIME_MS, signature="é"), id="signature beyond ascii"),
        pytest.param(
            parameters.LoginParams(key="alice-key", time_ms=1, signature=signed("alice-key", "alice secret").signature),
            id="another time",
        ),
    ],
)
def test_every_failed_login_reads_the_same_and_is_counted(session: Session, params: parameters.LoginParams) -> None:
    with pytest.raises(WireError, match="key or signature is wrong") as refused:
        session.login(params)
    assert (refused.value.name, refused.value.field) == ("session.login_failed", "signature")
    assert session.login_failures == 1
    assert not session.is_logged_in


@pytest.mark.rule("WIRE-004")
def test_a_connection_logs_in_once(session: Session) -> None:
    session.login(signed("alice-key", "alice secret"))
    with pytest.raises(WireError) as refused:
        session.login(signed("root", "root secret"))
    assert refused.value.name == "session.already_logged_in"
    assert session.account == ALICE


@pytest.mark.rule("WIRE-006")
def test_every_method_has_its_entry_in_the_table_of_scopes() -> None:
    assert set(REQUIRED_SCOPES) == set(get_args(requests.AnyRequest))
    for kind, scope in REQUIRED_SCOPES.items():
        room = str(kind.__struct_config__.tag).split(".")[0]
        expected = {
            "admin": {Scope.ADMIN},
            "order": {Scope.READ, Scope.TRADE},
            "account": {Scope.READ, Scope.TRADE},
            "session": {None, Scope.TRADE},
        }
        assert scope in expected.get(room, {None}), kind


@pytest.mark.rule("WIRE-006")
@pytest.mark.parametrize(
    ("key", "scopes"),
    [(None, set()), ("alice-key", {Scope.READ, Scope.TRADE}), ("root", {Scope.ADMIN})],
    ids=["nobody", "account", "admin"],
)
@pytest.mark.parametrize("kind", get_args(requests.AnyRequest), ids=lambda kind: str(kind.__struct_config__.tag))
def test_a_request_passes_exactly_when_the_key_has_the_scope(
    session: Session, kind: type[requests.Request], key: str | None, scopes: set[Scope]
) -> None:
    if key is not None:
        session.login(signed(key, "alice secret" if key == "alice-key" else "root secret"))
    needed = REQUIRED_SCOPES[kind]
    if needed is None or needed in scopes:
        session.authorize(request_of(kind))
        return
    with pytest.raises(WireError) as refused:
        session.authorize(request_of(kind))
    assert refused.value.name == ("session.login_required" if key is None else "session.scope_missing")
    assert needed.value in refused.value.message


@pytest.mark.rule("WIRE-006")
@pytest.mark.parametrize("channel", [*sorted(fields.PUBLIC_CHANNELS), *sorted(fields.PRIVATE_CHANNELS)])
def test_private_channels_need_a_key_that_may_read(keys: KeyRing, channel: fields.Channel) -> None:
    for key, secret, may_read in (
        (None, "", False),
        ("root", "root secret", False),
        ("alice-key", "alice secret", True),
    ):
        session = Session(keys, session_id="s", nonce=NONCE)
        if key is not None:
            session.login(signed(key, secret))
        request = requests.Subscribe(id=1, params=parameters.SubscriptionParams(channel=channel))
        if channel in fields.PUBLIC_CHANNELS or may_read:
            session.authorize(request)
        else:
            with pytest.raises(WireError):
                session.authorize(request)


def test_a_key_is_given_out_once_and_keys_are_bounded(keys: KeyRing) -> None:
    with pytest.raises(ValueError, match="exists already"):
        keys.add_account_key(BOB, "alice-key", "other")
    keys.add_account_key(BOB, "bob-key", "bob secret")
    assert keys.is_full
    with pytest.raises(ValueError, match="at most 3 keys"):
        keys.add_account_key(BOB, "second", "bob secret")


def test_a_credential_does_not_show_its_secret(keys: KeyRing) -> None:
    assert "secret" not in repr(keys.find("alice-key"))
    assert "alice-key" in repr(keys.find("alice-key"))
