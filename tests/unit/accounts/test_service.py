"""The narrow door of the account service: breaches, changes, rehearsals, and what costs a resting order its offset."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.accounts.risk import ChangeCheck, Risk, Scope, TouchedScope
from exchange.domain.commands import AddMargin, MarkPrice, SetLeverage, SetMarginMode
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.ids import INSURANCE_FUND
from tests.cast import ALICE, BOB, BTC_PERP, COIN, ETH_PERP, PLAIN_POLICY, cash
from tests.unit.accounts.bench import ISOLATED, account_of, position_of, resting, service_of

NET = PositionSide.NET


@pytest.mark.rule("MARG-019", "CONS-005")
def test_a_mark_touches_the_scopes_that_hold_its_symbol_and_no_others() -> None:
    alice, bob = account_of(cash("40")), account_of(cash("40"), BOB)
    position_of(alice, 10, cash("1000"))
    position_of(bob, 10, cash("1000"), instrument=ETH_PERP)
    service = service_of(alice, bob)
    service.take_touched()
    service.apply_mark_prices((MarkPrice("BTC-PERP", 94),))
    risk = Risk(cash("-20"), cash("94"), cash("47"), cash("940"), True)
    assert service.take_touched() == [TouchedScope(Scope(ALICE, None), risk, is_flagged=False)]
    assert service.take_touched() == []


@pytest.mark.rule("MARK-004")
def test_a_mark_is_stale_when_it_is_older_than_the_age_and_not_at_it() -> None:
    alice = account_of(cash("40"))
    position_of(alice, 10, cash("1000"))
    service = service_of(alice, policy=replace(PLAIN_POLICY, mark_stale_after=5))
    service.now_ns = 100
    service.apply_mark_prices((MarkPrice("BTC-PERP", 100),))
    ages = {}
    for age in (4, 5, 6):
        service.now_ns = 100 + age
        ages[age] = service.is_stale("BTC-PERP")
    assert ages == {4: False, 5: False, 6: True}


@pytest.mark.rule("CONS-005")
def test_a_flagged_scope_is_told_apart_from_a_new_breach() -> None:
    alice = account_of(0)
    position_of(alice, 10, cash("1000"))
    isolated = position_of(alice, 10, cash("1000"), instrument=ETH_PERP, mode=ISOLATED)
    service = service_of(alice)
    assert [each.scope for each in service.take_touched() if not each.is_flagged] == [
        Scope(ALICE, None),
        Scope(ALICE, "ETH-PERP"),
    ]
    alice.liquidation_id, isolated.liquidation_id = 1, 2
    service.touch(Scope(ALICE, None))
    service.touch(Scope(ALICE, "ETH-PERP"))
    assert [each.is_flagged for each in service.take_touched()] == [True, True]


def test_changes_are_told_once_and_by_name() -> None:
    alice, bob = account_of(cash("1000")), account_of(cash("1000"), BOB)
    for account in (bob, alice):
        position_of(account, 1, cash("100"), instrument=ETH_PERP)
        position_of(account, 1, cash("100"))
    service = service_of(bob, alice)
    for account in (bob, alice):
        for symbol in ("ETH-PERP", "BTC-PERP"):
            service.set_quantity(service.position(account.account, symbol), 0)
    positions, accounts = service.take_changes()
    assert positions == [(ALICE, "BTC-PERP"), (ALICE, "ETH-PERP"), (BOB, "BTC-PERP"), (BOB, "ETH-PERP")]
    assert accounts == [ALICE, BOB]
    assert service.take_changes() == ([], [])
    assert service.holders == {"BTC-PERP": {}, "ETH-PERP": {}}


def test_the_funds_positions_make_no_noise() -> None:
    service = service_of()
    service.set_quantity(service.position(INSURANCE_FUND, "BTC-PERP"), 5)
    assert service.take_changes() == ([], [])
    assert service.holders["BTC-PERP"] == {}


@pytest.mark.rule("BOOK-004")
def test_what_happens_in_a_rehearsal_stays_there() -> None:
    alice = account_of(cash("1000"))
    position_of(alice, 10, cash("1000"), mode=ISOLATED, wallet=cash("100"), leverage=5).orders[1] = resting(1, -1, 110, 10)
    service = service_of(alice, collateral=[COIN])
    copy = service.rehearsal()
    copy.apply_change(AddMargin(account=ALICE, symbol="BTC-PERP", amount=5), 5)
    copy.apply_order_change(copy.position(ALICE, "BTC-PERP"), 1, 3)
    copy.set_quantity(copy.position(ALICE, "BTC-PERP"), 0)
    original, twin = alice.positions["BTC-PERP"], copy.position(ALICE, "BTC-PERP")
    assert (original.quantity, original.wallet.balance, original.orders[1].open_quantity) == (10, cash("100"), 10)
    assert (twin.quantity, twin.wallet.balance, twin.orders[1].open_quantity) == (0, cash("100") + 5, 3)
    assert (twin.margin_mode, twin.leverage, twin.entry_cost) == (ISOLATED, 5, cash("1000"))
    assert alice.wallet.balance == cash("1000")
    copy.apply_mark_prices([MarkPrice("BTC-PERP", 1)])
    copy.apply_deposit(ALICE, 7, "COIN")
    assert (service.marks["BTC-PERP"], alice.collateral) == (100, {})


@pytest.mark.rule("BOOK-011", "BOOK-010")
@pytest.mark.parametrize(
    ("quantity", "sign", "reduce_only", "cap"),
    [
        (10, 1, False, None),
        (10, -1, False, 10),
        (-7, 1, True, 7),
        (0, 1, False, None),
        (0, 1, True, 0),
        (5, 1, True, 0),
    ],
)
def test_a_fill_is_capped_at_the_flip_point(quantity: int, sign: int, reduce_only: bool, cap: int | None) -> None:
    alice = account_of(0)
    position_of(alice, quantity, quantity * cash("100"))
    assert service_of(alice).fill_cap(ALICE, "BTC-PERP", NET, sign, reduce_only=reduce_only) == cap


def test_a_position_that_was_never_looked_at_is_flat() -> None:
    service = service_of(account_of(0))
    assert service.position_quantity(ALICE, "BTC-PERP") == 0
    assert service.accounts[ALICE].positions == {}


@pytest.mark.rule("BOOK-010")
def test_reduce_only_orders_longer_than_the_position_are_found() -> None:
    alice = account_of(0)
    position = position_of(alice, 5, cash("500"))
    position.orders = {
        1: resting(1, -1, 110, 5, reduce_only=True),
        2: resting(2, -1, 110, 6, reduce_only=True),
        3: resting(3, -1, 110, 9),
        4: resting(4, 1, 90, 2, reduce_only=True),
    }
    assert service_of(alice).reduce_only_excess(position) == [(2, 5), (4, 0)]


@pytest.mark.rule("MARG-011")
def test_the_order_to_shed_is_the_largest_of_a_deciding_side_in_any_symbol_but_never_the_one_kept() -> None:
    alice = account_of(cash("50"))
    btc, eth = position_of(alice, 0, 0), position_of(alice, 0, 0, instrument=ETH_PERP)
    btc.orders = {1: resting(1, 1, 100, 4), 2: resting(2, -1, 100, 3)}
    eth.orders = {3: resting(3, -1, 100, 5), 4: resting(4, -1, 120, 2)}
    service = service_of(alice)
    assert service.order_to_shed(ALICE, keep=9) == (eth, 3)
    assert service.order_to_shed(ALICE, keep=3) == (btc, 1)
    del eth.orders[3]
    eth.order_margin = None
    alice.wallet.balance = cash("64.000004")
    assert service.order_to_shed(ALICE, keep=9) is None
    alice.wallet.balance -= 1
    assert service.order_to_shed(ALICE, keep=9) == (btc, 1)
    btc.orders.clear()
    alice.wallet.balance = 0
    assert service.order_to_shed(ALICE, keep=9) == (eth, 4)


@pytest.mark.rule("MARG-011")
def test_orders_that_hold_nothing_are_never_shed() -> None:
    alice = account_of(cash("-5"))
    position_of(alice, 10, cash("1000")).orders = {1: resting(1, -1, 110, 10), 2: resting(2, -1, 110, 10, reduce_only=True)}
    assert service_of(alice).order_to_shed(ALICE, keep=9) is None


@pytest.mark.rule("MARG-015")
def test_settings_change_freely_on_an_idle_symbol() -> None:
    alice = account_of(cash("1000"))
    service = service_of(alice)
    mode = SetMarginMode(account=ALICE, symbol="BTC-PERP", margin_mode=MarginMode.ISOLATED)
    assert service.check_change(mode) == ChangeCheck(None)
    service.apply_change(mode, 0)
    service.apply_change(SetLeverage(account=ALICE, symbol="BTC-PERP", leverage=3), 0)
    position = alice.positions["BTC-PERP"]
    assert (position.margin_mode, position.leverage) == (ISOLATED, 3)
    assert service.view_position(ALICE, "BTC-PERP").leverage == 3
    assert service.order_margin_of(ALICE, "BTC-PERP") == 0
    assert position.instrument is BTC_PERP


@pytest.mark.rule("MARG-025")
def test_the_two_legs_of_a_hedge_are_positions_of_their_own_in_one_symbol() -> None:
    alice = account_of(cash("1000"))
    long = position_of(alice, 3, cash("300"), side=PositionSide.LONG)
    short = position_of(alice, -2, cash("-200"), side=PositionSide.SHORT)
    service = service_of(alice)
    assert alice.positions_in("BTC-PERP") == [long, short]
    assert (long.position_id, short.position_id) == ("BTC-PERP/long", "BTC-PERP/short")
    assert service.position_quantity(ALICE, "BTC-PERP", PositionSide.SHORT) == -2
    assert service.position_quantity(ALICE, "BTC-PERP") == 0
    service.take_touched()
    service.apply_mark_prices((MarkPrice("BTC-PERP", 2000),))
    service.set_quantity(long, 0)
    assert [each.scope for each in service.take_touched()] == [Scope(ALICE, None)]
    assert list(service.holders["BTC-PERP"]) == [(ALICE, "BTC-PERP/short")]


@pytest.mark.rule("MARG-020")
def test_a_call_is_made_when_the_ratio_rises_to_a_level_and_not_again_while_it_stays_there() -> None:
    """Long 10 from 100 with 100 behind it; the ratio is 0.5 at 100, 0.6125 at 98, exactly 0.8 at 96."""
    alice = account_of(cash("100"))
    position_of(alice, 10, cash("1000"))
    service = service_of(alice, policy=replace(PLAIN_POLICY, margin_call_levels=(600_000, 800_000)))
    assert service.take_touched() == []
    for mark, call in ((98, 600_000), (97, None), (96, 800_000), (97, None), (96, 800_000), (99, None), (96, 800_000)):
        service.apply_mark_prices((MarkPrice("BTC-PERP", mark),))
        assert [each.margin_call for each in service.take_touched()] == ([] if call is None else [call]), mark
