"""Names and counters. Ids of the venue's own making are counters, so that the same commands give the same ids."""

from __future__ import annotations

import re
from typing import TypeAlias

from exchange.domain.enums import PositionSide

AccountId: TypeAlias = str
Symbol: TypeAlias = str
OrderId: TypeAlias = int
TradeId: TypeAlias = int
LiquidationId: TypeAlias = int
AssetId: TypeAlias = str
PositionId: TypeAlias = str
"""Names one position of an account: the symbol, or in hedge mode the symbol and its side ("BTC-PERP/long")."""

SETTLEMENT_ASSET: AssetId = "USD"
"""What profit, loss and fees are paid in; it alone backs isolated wallets."""

ID_PATTERN = r"^[A-Za-z0-9_.:\-]{1,36}\Z"
"""What an account, key or client order id may look like; ``\\Z``, since ``$`` would let a newline pass."""
_ID = re.compile(ID_PATTERN, re.ASCII)

INSURANCE_FUND: AccountId = "insurance_fund"
FEES: AccountId = "fees"
RESERVED_ACCOUNTS = frozenset({INSURANCE_FUND, FEES})


def position_id(symbol: Symbol, position_side: PositionSide) -> PositionId:
    """Return the name of an account's position in a symbol; no symbol holds a slash."""
    return symbol if position_side is PositionSide.NET else f"{symbol}/{position_side.value}"


def is_valid_id(text: str) -> bool:
    """Return whether ``text`` may name an account, a key or a client order."""
    return _ID.match(text) is not None
