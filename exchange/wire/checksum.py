"""The checksum by which the keeper of an order book knows that it is right (WIRE-023)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from itertools import islice

CHECKSUM_LEVELS = 10
"""Levels of each side that a book's checksum covers."""


def checksum_text(bids: Iterable[tuple[str, str]], asks: Iterable[tuple[str, str]]) -> str:
    """Return the text that a book's checksum is of; levels as pairs of price and quantity, best first."""
    return f"{_side_text(bids)}|{_side_text(asks)}"


def book_checksum(bids: Iterable[tuple[str, str]], asks: Iterable[tuple[str, str]]) -> int:
    """Return the CRC-32 of the best levels of a book (WIRE-023); levels as pairs of price and quantity, best first."""
    return zlib.crc32(checksum_text(bids, asks).encode())


def _side_text(levels: Iterable[tuple[str, str]]) -> str:
    return ",".join([f"{price}:{quantity}" for price, quantity in islice(levels, CHECKSUM_LEVELS)])
