"""The keys that open accounts, and where new ones come from. Keys and secrets never enter a command or a log."""

from __future__ import annotations

import secrets

from exchange.domain.ids import AccountId
from exchange.wire.session import Credential, Scope

ACCOUNT_SCOPES = frozenset({Scope.READ, Scope.TRADE})
"""What the owner of an account may do."""
ADMIN_SCOPES = frozenset({Scope.ADMIN})
"""What an operator may do; a trading key is never promoted."""


class KeyRing:
    """Every key with its secret, account and scopes."""

    def __init__(self, keys_max: int) -> None:
        self._keys_max = keys_max
        self._credentials: dict[str, Credential] = {}

    @property
    def is_full(self) -> bool:
        """Whether no further key fits."""
        return len(self._credentials) >= self._keys_max

    def find(self, key: str) -> Credential | None:
        """Return what a key opens, or None."""
        return self._credentials.get(key)

    def add_account_key(self, account: AccountId, key: str, secret: str) -> Credential:
        """Let ``key`` read and trade for ``account``. Raises ``ValueError`` when it is taken or no further key fits."""
        return self._add(Credential(key, secret, account, ACCOUNT_SCOPES))

    def add_admin_key(self, key: str, secret: str) -> Credential:
        """Let ``key`` administer the venue. Raises ``ValueError`` when it is taken or no further key fits."""
        return self._add(Credential(key, secret, None, ADMIN_SCOPES))

    def _add(self, credential: Credential) -> Credential:
        if credential.key in self._credentials:
            raise ValueError("the key exists already; choose another one")
        if self.is_full:
            raise ValueError(f"at most {self._keys_max} keys fit; raise keys_max of the server")
        self._credentials[credential.key] = credential
        return credential


def new_key() -> str:
    """Return a key that nobody can guess."""
    return secrets.token_hex(8)


def new_secret() -> str:
    """Return a secret of 256 bits as hex."""
    return secrets.token_hex(32)
