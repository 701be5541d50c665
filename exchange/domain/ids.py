"""Names and counters. Ids of the venue's own making are counters, so that the same commands give the same ids."""

from __future__ import annotations

import re
from typing import TypeAlias

AccountId: TypeAlias = str
Symbol: TypeAlias = str
OrderId: TypeAlias = int
TradeId: TypeAlias = int
LiquidationId: TypeAlias = int

ID_PATTERN = r"^[A-Za-z0-9_.:\-]{1,36}\Z"
"""What an account, key or client order id may look like; ``\\Z``, since ``$`` would let a newline pass."""
_ID = re.compile(ID_PATTERN, re.ASCII)

INSURANCE_FUND: AccountId = "insurance_fund"
FEES: AccountId = "fees"
RESERVED_ACCOUNTS = frozenset({INSURANCE_FUND, FEES})


def is_valid_id(text: str) -> bool:
    """Return whether ``text`` may name an account, a key or a client order."""
    return _ID.match(text) is not None
