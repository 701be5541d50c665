"""The closed vocabularies and the names of things."""

from __future__ import annotations

import re

import pytest

from exchange.domain.enums import ORDER_LIFECYCLE, OrderStatus, PositionSide, Side
from exchange.domain.ids import RESERVED_ACCOUNTS, is_valid_id, position_id
from exchange.domain.rejects import Reason


def test_sides_have_a_sign_and_an_opposite() -> None:
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)
    assert Side.BUY.opposite is Side.SELL
    assert Side.SELL.opposite is Side.BUY


def test_an_order_that_has_ended_stays_so() -> None:
    assert set(ORDER_LIFECYCLE) == set(OrderStatus)
    ended = {status for status, following in ORDER_LIFECYCLE.items() if not following}
    assert ended == {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED}
    assert {status for status, following in ORDER_LIFECYCLE.items() if OrderStatus.OPEN in following} == {
        OrderStatus.UNTRIGGERED
    }


def test_every_reason_reads_room_and_rule() -> None:
    words = [reason.value for reason in Reason]
    assert len(set(words)) == len(words)
    assert all(re.fullmatch(r"(order|margin|liquidation|account|mark)\.[a-z_]+", word) for word in words)


@pytest.mark.parametrize("name", ["a", "Z9", "a.b-c_d:e", "x" * 36])
def test_plain_short_names_are_valid(name: str) -> None:
    assert is_valid_id(name)


@pytest.mark.parametrize("name", ["", "x" * 37, "a b", "a\n", "a/b", "\u00e9", "a\x00", "\u0663"])
def test_anything_else_is_not(name: str) -> None:
    assert not is_valid_id(name)


def test_the_systems_own_accounts_are_reserved() -> None:
    assert {"insurance_fund", "fees"} == RESERVED_ACCOUNTS


@pytest.mark.rule("MARG-025")
def test_a_position_is_named_by_its_symbol_and_in_hedge_mode_by_its_side_too() -> None:
    assert [position_id("BTC-PERP", side) for side in PositionSide] == ["BTC-PERP", "BTC-PERP/long", "BTC-PERP/short"]
    assert [side.sign for side in PositionSide] == [0, 1, -1]
    assert not is_valid_id(position_id("BTC-PERP", PositionSide.LONG))
