"""One contract for both margin paths: alone with the same collateral, cross and isolated answer alike."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exchange.accounts.margin import path_of
from exchange.accounts.position import Account, Position
from exchange.accounts.risk import Holding, Risk, Scope, breaches
from exchange.domain.enums import MarginMode
from tests.cast import ALICE, ETH_PERP, cash
from tests.unit.accounts.bench import CROSS, ISOLATED, account_of, position_of

MARKS = {"BTC-PERP": 94, "ETH-PERP": 110}
Place = Callable[[int, str, str], tuple[Account, Position]]


def place_cross(quantity: int, cost: str, collateral: str) -> tuple[Account, Position]:
    account = account_of(cash(collateral))
    return account, position_of(account, quantity, cash(cost))


def place_isolated(quantity: int, cost: str, collateral: str) -> tuple[Account, Position]:
    account = account_of(cash("77777"))
    return account, position_of(account, quantity, cash(cost), mode=ISOLATED, wallet=cash(collateral))


@pytest.fixture(params=[place_cross, place_isolated], ids=["cross", "isolated"])
def place(request: pytest.FixtureRequest) -> Place:
    chosen: Place = request.param
    return chosen


@pytest.mark.rule("MARG-003", "MARG-004", "MARG-005")
@pytest.mark.parametrize(
    ("quantity", "cost", "collateral", "risk"),
    [
        (10, "1000", "100", ("40", "94", "47", "940")),
        (-10, "-1000", "100", ("160", "94", "47", "940")),
        (200, "20000", "3000", ("1800", "3760", "1380", "18800")),
        (10, "1000", "50", ("-10", "94", "47", "940")),
        (0, "0", "0", ("0", "0", "0", "0")),
    ],
)
def test_risk_is_equity_initial_and_maintenance_margin_and_notional(
    place: Place, quantity: int, cost: str, collateral: str, risk: tuple[str, str, str, str]
) -> None:
    account, position = place(quantity, cost, collateral)
    assert path_of(position).risk(account, position, MARKS)[:4] == tuple(map(cash, risk))


@pytest.mark.rule("MARG-005")
@pytest.mark.parametrize(
    ("equity", "maintenance", "breached"), [(47, 47, False), (46, 47, True), (-1, 0, False), (0, 1, True), (0, 0, False)]
)
def test_equality_survives_and_nothing_to_maintain_is_never_breached(equity: int, maintenance: int, breached: bool) -> None:
    assert breaches(equity, maintenance, at_equality=False) is breached


@pytest.mark.rule("MARG-005")
@pytest.mark.parametrize(
    ("equity", "maintenance", "breached"), [(48, 47, False), (47, 47, True), (46, 47, True), (0, 0, False)]
)
def test_where_the_venue_decided_so_equality_does_not_survive(equity: int, maintenance: int, breached: bool) -> None:
    assert breaches(equity, maintenance, at_equality=True) is breached


@pytest.mark.rule("MARG-012")
def test_risk_after_no_change_is_risk_now(place: Place) -> None:
    account, position = place(10, "1000", "100")
    path = path_of(position)
    wallet = path.wallet(account, position).balance
    assert path.risk_after(account, position, MARKS, Holding(10, cash("1000"), wallet)) == path.risk(account, position, MARKS)


@pytest.mark.rule("MARG-012")
def test_risk_after_a_fill_is_what_the_risk_will_be(place: Place) -> None:
    account, position = place(10, "1000", "100")
    path = path_of(position)
    foreseen = path.risk_after(account, position, MARKS, Holding(-4, cash("-376"), cash("42")))
    path.wallet(account, position).balance = cash("42")
    position.quantity, position.entry_cost = -4, cash("-376")
    assert path.risk(account, position, MARKS) == foreseen


@pytest.mark.rule("MARG-006", "LIQ-005")
def test_alone_the_position_has_all_the_collateral_and_carries_all_the_equity(place: Place) -> None:
    account, position = place(10, "1000", "100")
    path = path_of(position)
    assert path.collateral(account, position, MARKS) == cash("100")
    assert path.equity_share(account, position, MARKS) == cash("40")


def test_profit_and_fees_go_through_the_wallet_that_backs_the_position(place: Place) -> None:
    account, position = place(10, "1000", "100")
    assert path_of(position).wallet(account, position).balance == cash("100")


@pytest.mark.rule("MARG-014")
def test_a_payout_is_never_negative_before_the_last_lot(place: Place) -> None:
    _, position = place(10, "1000", "100")
    path = path_of(position)
    for proceeds in ("-1000", "-40", "-39.999999", "0", "25"):
        payout = path.payout(position, 4, cash(proceeds))
        assert payout >= 0
        assert payout == (max(0, cash("40") + cash(proceeds)) if position.margin_mode is ISOLATED else 0)


def test_a_scope_is_flagged_where_the_path_looks(place: Place) -> None:
    account, position = place(10, "1000", "100")
    path = path_of(position)
    assert not path.is_liquidating(account, position)
    flagged = account if position.margin_mode is CROSS else position
    flagged.liquidation_id = 1
    assert path.is_liquidating(account, position)


def test_the_flag_of_the_other_kind_of_scope_is_not_ones_own(place: Place) -> None:
    account, position = place(10, "1000", "100")
    other = position if position.margin_mode is CROSS else account
    other.liquidation_id = 1
    assert not path_of(position).is_liquidating(account, position)


def test_the_scope_is_the_pool_or_the_position(place: Place) -> None:
    _, position = place(10, "1000", "100")
    expected = Scope(ALICE, None) if position.margin_mode is CROSS else Scope(ALICE, "BTC-PERP")
    assert path_of(position).scope(position) == expected
    assert path_of(position).mode is position.margin_mode


@pytest.mark.rule("CONS-004", "MARG-005")
@pytest.mark.parametrize("mode", list(MarginMode))
def test_only_cross_looks_at_the_other_positions(mode: MarginMode) -> None:
    """An ETH short that lost 100, and an isolated one beside: cross counts the cross one, isolated neither."""
    account = account_of(cash("500"))
    position = position_of(account, 10, cash("1000"), mode=mode, wallet=cash("100") if mode is ISOLATED else 0)
    position_of(account, -10, cash("-1000"), instrument=ETH_PERP)
    path = path_of(position)
    if mode is CROSS:
        assert path.risk(account, position, MARKS) == Risk(cash("340"), cash("204"), cash("102"), cash("2040"), False)
        assert path.collateral(account, position, MARKS) == cash("345")
        assert path.equity_share(account, position, MARKS) == cash("340") * 47 // 102
    else:
        assert path.risk(account, position, MARKS) == Risk(cash("40"), cash("94"), cash("47"), cash("940"), True)
        assert path.collateral(account, position, MARKS) == cash("100")
        assert path.equity_share(account, position, MARKS) == cash("40")


def test_a_pool_without_maintenance_is_carried_whole() -> None:
    account = account_of(cash("500"))
    position = account.position(ETH_PERP)
    assert path_of(position).equity_share(account, position, MARKS) == cash("500")


@pytest.mark.rule("MARG-008")
def test_only_an_isolated_position_lacks_money_of_its_own_for_an_increase() -> None:
    _, position = place_isolated(10, "1000", "100")
    assert path_of(position).increase_gap(position, 94) == cash("54")
    assert path_of(position).increase_gap(position, 100) == 0
    position.quantity = position.entry_cost = 0
    assert path_of(position).increase_gap(position, 94) == 0
    _, position = place_cross(10, "1000", "100")
    assert path_of(position).increase_gap(position, 94) == 0


@pytest.mark.rule("MARG-012")
@pytest.mark.parametrize(
    ("usual", "needed", "available", "moved"),
    [
        (100, 50, 100, 100),
        (100, 150, 150, 150),
        (100, 150, 149, None),
        (100, 50, 99, 50),
        (100, 50, 50, 50),
        (100, 50, 49, None),
        (100, -20, 10, 0),
        (100, -20, -1, None),
    ],
)
def test_an_isolated_fill_moves_the_usual_more_where_needed_or_the_least_where_it_must(
    usual: int, needed: int, available: int, moved: int | None
) -> None:
    _, position = place_isolated(0, "0", "0")
    assert path_of(position).fill_margin(usual, needed, lambda: available) == moved


def test_a_cross_fill_moves_nothing_and_does_not_ask_what_is_available() -> None:
    def ask() -> int:
        raise AssertionError("nobody needs to know")

    _, position = place_cross(0, "0", "0")
    assert path_of(position).fill_margin(100, 50, ask) == 0


def test_a_flat_isolated_position_needs_no_mark() -> None:
    account, position = place_isolated(0, "0", "0")
    assert path_of(position).risk(account, position, {}) == Risk(0, 0, 0, 0, False)
