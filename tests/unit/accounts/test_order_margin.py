"""What resting orders hold: free lots, execution order, sides, and nothing remembered wrongly."""

from __future__ import annotations

import random

import pytest

from exchange.accounts.order_margin import margin_of_orders, order_margin
from exchange.accounts.position import Position
from tests.cast import BTC_PERP, cash
from tests.unit.accounts.bench import ISOLATED, account_of, position_of, resting


def flat() -> Position:
    return position_of(account_of(0), 0, 0)


@pytest.mark.rule("MARG-008")
def test_each_order_has_its_part_and_the_dearer_side_is_the_total() -> None:
    orders = [resting(1, 1, 90, 10), resting(2, -1, 110, 5), resting(3, -1, 120, 5)]
    held = margin_of_orders(flat(), orders, 100)
    assert held.buys == {1: cash("90.000002")}
    assert held.sells == {2: cash("55.000002"), 3: cash("60.000002")}
    assert held.total == cash("115.000004")
    assert held.deciding is held.sells


@pytest.mark.rule("MARG-011")
def test_on_a_tie_the_buys_decide() -> None:
    held = margin_of_orders(flat(), [resting(1, 1, 100, 10), resting(2, -1, 100, 10)], 100)
    assert held.deciding is held.buys


@pytest.mark.rule("MARG-008")
@pytest.mark.parametrize(
    ("quantity", "parts"),
    [
        (0, ("66.000002", "50.000002", "10.500002")),
        (5, ("66.000002", "0", "10.500002")),
        (6, ("66.000002", "0", "0")),
        (8, ("44.000002", "0", "0")),
        (12, ("0", "0", "0")),
        (50, ("0", "0", "0")),
        (-12, ("66.000002", "50.000002", "10.500002")),
    ],
)
def test_free_lots_go_to_the_asks_from_low_to_high(quantity: int, parts: tuple[str, str, str]) -> None:
    position = position_of(account_of(0), quantity, cash(str(100 * quantity)))
    orders = [resting(1, -1, 110, 6), resting(2, -1, 100, 5), resting(3, -1, 105, 1)]
    assert margin_of_orders(position, orders, 100).sells == dict(zip((1, 2, 3), map(cash, parts), strict=True))


@pytest.mark.rule("MARG-008")
def test_free_lots_of_a_short_go_to_the_bids_from_high_to_low_and_at_one_price_to_what_came_first() -> None:
    position = position_of(account_of(0), -6, cash("-600"))
    orders = [resting(2, 1, 95, 4), resting(1, 1, 95, 4), resting(3, 1, 96, 1)]
    held = margin_of_orders(position, orders, 100)
    assert held.buys == {3: 0, 2: 0, 1: cash("28.500002")}


@pytest.mark.rule("MARG-008")
def test_reduce_only_orders_hold_nothing_and_are_given_no_free_lots() -> None:
    position = position_of(account_of(0), 5, cash("500"))
    held = margin_of_orders(position, [resting(1, -1, 90, 5, reduce_only=True), resting(2, -1, 110, 5)], 100)
    assert held.sells == {2: 0}
    assert held.total == 0


@pytest.mark.rule("MARG-008")
@pytest.mark.parametrize(("sign", "gap"), [(1, "18"), (-1, "0")])
def test_the_gap_of_an_isolated_position_is_held_where_an_order_would_increase_it(sign: int, gap: str) -> None:
    position = position_of(account_of(0), 10, cash("1000"), mode=ISOLATED, wallet=cash("100"))
    assert margin_of_orders(position, [resting(1, sign, 98, 1)], 98).gap == cash(gap)
    assert margin_of_orders(position, [resting(1, sign, 98, 1, reduce_only=True)], 98).gap == 0


def test_without_orders_nothing_is_held_whatever_the_mark() -> None:
    assert order_margin(flat(), None) == 0


def test_what_is_remembered_always_equals_what_a_fresh_look_finds() -> None:
    """Orders come, shrink and go, the mark and the leverage move: R is recomputed whenever anything it depends on has."""
    chance = random.Random(7)
    position, mark = position_of(account_of(0), 4, cash("400")), 100
    for number in range(400):
        match chance.randrange(5):
            case 0 | 1:
                position.orders[number] = resting(
                    number, chance.choice((1, -1)), chance.randrange(60, 140), chance.randrange(1, 9)
                )
            case 2 if position.orders:
                order = position.orders[chance.choice(list(position.orders))]
                order.open_quantity = chance.randrange(1, order.open_quantity + 1)
            case 3 if position.orders:
                del position.orders[chance.choice(list(position.orders))]
            case _:
                mark = chance.randrange(80, 120)
                position.leverage = chance.randrange(1, 11)
        position.order_margin = None
        remembered = order_margin(position, mark)
        afresh = position.copy()
        assert remembered == margin_of_orders(afresh, afresh.orders.values(), mark).total
        assert order_margin(position, mark) == remembered


def test_a_new_mark_alone_is_noticed() -> None:
    position = flat()
    position.orders[1] = resting(1, -1, 100, 10)
    assert order_margin(position, 100) == cash("100.000002")
    assert order_margin(position, 110) == cash("210.000002")
    assert position.instrument is BTC_PERP
