"""The checksum of a book, from the text that anybody can write down."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

import pytest

from clients.market_data import Level
from clients.mirror.checksum import book_checksum as client_checksum
from clients.mirror.checksum import side_text
from exchange.wire.checksum import book_checksum, checksum_text

Pairs: TypeAlias = tuple[tuple[str, str], ...]
BIDS: Pairs = (("100", "1.5"), ("99.5", "0.001"))
ASKS: Pairs = (("101", "20"),)


@pytest.mark.rule("WIRE-023")
@pytest.mark.parametrize(
    ("bids", "asks", "text"),
    [
        ((), (), "|"),
        (BIDS, (), "100:1.5,99.5:0.001|"),
        ((), ASKS, "|101:20"),
        (BIDS, ASKS, "100:1.5,99.5:0.001|101:20"),
    ],
)
def test_the_text_is_bids_then_asks_best_first_as_sent(bids: Pairs, asks: Pairs, text: str) -> None:
    assert checksum_text(bids, asks) == text


@pytest.mark.rule("WIRE-023")
def test_the_checksum_is_crc_32_of_the_text_as_every_language_has_it() -> None:
    assert crc_32_by_hand(b"123456789") == 0xCBF43926, "the check value of the algorithm's catalogue entry"
    assert book_checksum(BIDS, ASKS) == crc_32_by_hand(b"100:1.5,99.5:0.001|101:20")


@pytest.mark.rule("WIRE-023")
def test_client_and_server_agree_on_it() -> None:
    bids = tuple((str(price), "0.00000001") for price in range(50, 30, -1))
    texts = [side_text(Level(Decimal(price), Decimal(quantity)) for price, quantity in side) for side in (bids, ASKS)]
    assert client_checksum(texts[0], texts[1]) == book_checksum(bids, ASKS) == book_checksum(bids[:10], ASKS)


def crc_32_by_hand(data: bytes) -> int:
    """Return CRC-32 (reflected polynomial EDB88320, all ones before and after), bit by bit."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xEDB88320 if register & 1 else 0)
    return register ^ 0xFFFFFFFF
