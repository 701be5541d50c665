"""The checksum by which a mirrored order book knows that it is right (WIRE-023)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from itertools import islice

from clients.market_data import Level

CHECKSUM_LEVELS = 10
"""Levels of each side that a checksum covers."""


def side_text(levels: Iterable[Level]) -> str:
    """Return one side's part of the text that is summed; levels best first."""
    return ",".join([f"{price:f}:{quantity:f}" for price, quantity in islice(levels, CHECKSUM_LEVELS)])


def book_checksum(bids_text: str, asks_text: str) -> int:
    """Return the CRC-32 of a book from the texts of its sides."""
    return zlib.crc32(f"{bids_text}|{asks_text}".encode())
