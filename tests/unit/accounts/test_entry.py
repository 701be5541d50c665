"""Available balance and what an order could make of a position."""

from __future__ import annotations

import pytest

from exchange.accounts.entry import available_balance, available_without, check_entry, potential_notional
from exchange.accounts.position import Account, Position
from exchange.accounts.risk import ProposedOrder
from exchange.domain.enums import MarginMode
from exchange.domain.rejects import Reason
from tests.cast import ETH_PERP, cash
from tests.unit.accounts.bench import ISOLATED, account_of, position_of, resting

MARKS = {"BTC-PERP": 100, "ETH-PERP": 90}


def trader(wallet: str) -> tuple[Account, Position]:
    """Return an account that is cross long 10 ETH from 100 (at 90 a loss of 100), and its empty BTC position."""
    account = account_of(cash(wallet))
    position_of(account, 10, cash("1000"), instrument=ETH_PERP)
    return account, position_of(account, 0, 0)


@pytest.mark.rule("MARG-009")
def test_available_is_the_lesser_of_wallet_and_equity_less_all_that_is_held() -> None:
    account, position = trader("1000")
    assert available_balance(account, MARKS) == cash("810")
    assert available_balance(account, {**MARKS, "ETH-PERP": 120}) == cash("880")
    position.orders[1] = resting(1, 1, 100, 10)
    assert available_balance(account, MARKS) == cash("709.999998")


@pytest.mark.rule("MARG-012")
def test_without_one_order_what_it_raises_its_symbol_by_is_free_again() -> None:
    account, position = trader("1000")
    position.orders[1] = resting(1, 1, 100, 10)
    position.orders[2] = resting(2, -1, 110, 5)
    assert available_without(account, position, 1, MARKS) == cash("754.999998")
    assert available_without(account, position, 2, MARKS) == available_balance(account, MARKS)


@pytest.mark.rule("MARG-010")
@pytest.mark.parametrize(
    ("quantity", "extra", "reach"),
    [(0, 0, 9), (0, 1, 9), (0, -1, 10), (5, 0, 12), (5, 3, 15), (-5, 0, 14), (-5, 12, 14), (-5, -2, 16)],
)
def test_the_reach_of_a_position_is_all_bids_or_all_asks_filled(quantity: int, extra: int, reach: int) -> None:
    position = position_of(account_of(0), quantity, cash(str(100 * quantity)))
    position.orders = {
        1: resting(1, 1, 90, 7),
        2: resting(2, -1, 110, 9),
        3: resting(3, -1, 110, 50, reduce_only=True),
        4: resting(4, 1, 90, 50, reduce_only=True),
    }
    assert potential_notional(position, extra, 100) == cash(str(100 * reach))


@pytest.mark.rule("MARG-009", "MARG-010")
def test_the_decision_holds_the_arithmetic() -> None:
    account, position = trader("1000")
    check = check_entry(account, position, MARKS, ProposedOrder(1, 10, 100, False))
    decision = check.decision
    assert (check.reason, check.is_reducing) == (None, False)
    assert decision.path is MarginMode.CROSS
    assert decision.required == cash("100.000002")
    assert decision.available_before == cash("810")
    assert decision.available_after == cash("709.999998")


@pytest.mark.rule("MARG-010")
def test_refused_for_tier_before_money_and_for_a_flag_before_both() -> None:
    account, position = trader("0")
    assert check_entry(account, position, MARKS, ProposedOrder(1, 100, 100, False)).reason is Reason.LEVERAGE_TIER
    assert check_entry(account, position, MARKS, ProposedOrder(1, 1, 100, False)).reason is Reason.INITIAL_INSUFFICIENT
    account.liquidation_id = 1
    assert check_entry(account, position, MARKS, ProposedOrder(1, 100, 100, False)).reason is Reason.LIQUIDATION_IN_PROGRESS


@pytest.mark.rule("MARG-006")
def test_the_estimate_is_the_price_that_the_position_really_gets() -> None:
    """An isolated flip at 100: 10 long with 100 are closed, 5 short opened with 50; bankrupt at 110."""
    account = account_of(cash("1000"))
    position = position_of(account, 10, cash("1000"), mode=ISOLATED, wallet=cash("100"))
    marks = {"BTC-PERP": 100}
    assert check_entry(account, position, marks, ProposedOrder(-1, 15, 100, False)).decision.liquidation_price == 104
    assert check_entry(account, position, marks, ProposedOrder(-1, 10, 100, False)).decision.liquidation_price is None
    assert check_entry(account, position, marks, ProposedOrder(-1, 15, 100, True)).decision.liquidation_price is None
    assert check_entry(account, position, marks, ProposedOrder(-1, 5, 100, True)).decision.liquidation_price == 95
    assert check_entry(account, position, marks, ProposedOrder(1, 10, 100, False)).decision.liquidation_price == 95
