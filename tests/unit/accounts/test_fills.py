"""What a fill would do to one side: fees, effects and refusals."""

from __future__ import annotations

import pytest

from exchange.accounts.fills import check_leg, leg_fee, realized_by
from exchange.accounts.position import Account, Position
from exchange.accounts.risk import BankruptcyTerms, FillVerdict, Leg, LegEffect, ProposedFill
from exchange.domain.ids import SETTLEMENT_ASSET
from exchange.domain.instrument import Instrument
from exchange.domain.rejects import Reason
from tests.cast import ALICE, BOB, BTC_PERP, BTC_WITH_FEES, BTC_WITH_REBATE, cash
from tests.unit.accounts.bench import ISOLATED, account_of, position_of, resting, service_of

BUYER, SELLER = Leg(ALICE, 1, 1), Leg(BOB, 2, -1)
CLOSER = Leg(ALICE, 1, -1, terms=BankruptcyTerms(10, cash("900")))
"""Sells alice's 10 lots, bankrupt at 90."""


def fill(price: int, quantity: int = 10, *, taker: Leg = BUYER, maker: Leg = SELLER) -> ProposedFill:
    return ProposedFill("BTC-PERP", price, quantity, taker, maker)


@pytest.mark.rule("MARG-017", "LIQ-006")
@pytest.mark.parametrize(
    ("instrument", "proposed", "taker_fee", "maker_fee"),
    [
        (BTC_PERP, fill(100), "0", "0"),
        (BTC_WITH_FEES, fill(100), "10", "1"),
        (BTC_WITH_REBATE, fill(100), "10", "-1"),
        (BTC_WITH_FEES, fill(95, taker=CLOSER), "19", "0.95"),
        (BTC_WITH_FEES, fill(91, taker=CLOSER), "10", "0.91"),
        (BTC_WITH_FEES, fill(90, taker=CLOSER), "0", "0.9"),
        (BTC_WITH_REBATE, fill(95, taker=CLOSER), "19", "0"),
        (BTC_WITH_FEES, fill(91, 3, taker=CLOSER), "3", "0.273"),
    ],
)
def test_fees_of_both_sides(instrument: Instrument, proposed: ProposedFill, taker_fee: str, maker_fee: str) -> None:
    assert leg_fee(instrument, proposed, proposed.taker) == cash(taker_fee)
    assert leg_fee(instrument, proposed, proposed.maker) == cash(maker_fee)


@pytest.mark.rule("MARG-014")
def test_what_a_close_realises_is_its_proceeds_less_its_share_of_the_cost() -> None:
    position = position_of(account_of(0), 3, 100)
    assert realized_by(position, 1, -35) == (2, 33)
    position = position_of(account_of(0), -3, -100)
    assert realized_by(position, 3, 90) == (10, -100)


def check(position: Position, account: Account, proposed: ProposedFill, available: str = "0") -> LegEffect | Reason:
    result = check_leg(account, position, {"BTC-PERP": 100}, proposed, proposed.taker, lambda: cash(available))
    if result.effect is not None:
        return result.effect
    assert result.reason is not None
    return result.reason


@pytest.mark.rule("MARG-012")
def test_an_increase_in_cross_needs_initial_margin_after_the_fee() -> None:
    account = account_of(cash("100"))
    position = position_of(account, 0, 0)
    assert check(position, account, fill(100)) == LegEffect(10, 0, 0, 0, 0, False)
    account.wallet.balance -= 1
    assert check(position, account, fill(100)) is Reason.FILL_CHECK_FAILED


@pytest.mark.rule("MARG-012", "MARG-002")
def test_an_increase_is_refused_where_the_leverage_is_above_the_tier_it_would_reach() -> None:
    account = account_of(cash("100000"))
    position = position_of(account, 90, cash("9000"))
    assert check(position, account, fill(100, 10)) is Reason.FILL_CHECK_FAILED
    assert isinstance(check(position, account, fill(100, 9)), LegEffect)
    position.leverage = 5
    assert isinstance(check(position, account, fill(100, 10)), LegEffect)


@pytest.mark.rule("MARG-012")
def test_an_increase_in_isolated_brings_its_margin_from_what_is_available() -> None:
    account = account_of(cash("1000"))
    position = position_of(account, 0, 0, mode=ISOLATED)
    assert check(position, account, fill(100), "100") == LegEffect(10, 0, 0, cash("100"), 0, False)
    assert check(position, account, fill(100), "99.999999") is Reason.FILL_CHECK_FAILED
    assert check(position, account, fill(104), "144") == LegEffect(10, 0, 0, cash("144"), 0, False)


@pytest.mark.rule("MARG-013", "MARG-014")
def test_a_reduction_in_isolated_pays_out_pro_rata_and_all_of_it_with_the_last_lot() -> None:
    account = account_of(0)
    position = position_of(account, -10, cash("-1000"), mode=ISOLATED, wallet=cash("100"))
    assert check(position, account, fill(98, 5)) == LegEffect(-5, cash("10"), 0, 0, cash("60"), True)
    assert check(position, account, fill(98, 10)) == LegEffect(0, cash("20"), 0, 0, cash("120"), True)
    assert check(position, account, fill(110, 10)) == LegEffect(0, cash("-100"), 0, 0, 0, True)
    assert check(position, account, fill(111, 10)) is Reason.REDUCE_BELOW_MAINTENANCE


@pytest.mark.rule("LIQ-006", "LIQ-010")
def test_a_closing_order_is_not_checked_and_pays_nothing_out() -> None:
    account = account_of(0)
    position = position_of(account, 10, cash("1000"), mode=ISOLATED, wallet=cash("10"))
    assert check(position, account, fill(90, 10, taker=CLOSER)) == LegEffect(0, cash("-100"), 0, 0, 0, True)


@pytest.mark.rule("MARG-013")
def test_the_taker_is_asked_first() -> None:
    alice, bob = account_of(0), account_of(0, BOB)
    for account, order_id in ((alice, 1), (bob, 2)):
        position_of(account, 0, 0).orders[order_id] = resting(order_id, 1 if order_id == 1 else -1, 100, 10)
    service = service_of(alice, bob)
    assert service.check_fill(fill(100)).verdict is FillVerdict.TAKER_FAILS
    alice.wallet.balance = cash("100")
    both = service.check_fill(fill(100))
    assert (both.verdict, both.reason) == (FillVerdict.MAKER_FAILS, Reason.MAKER_FILL_CHECK_FAILED)
    bob.wallet.balance = cash("100")
    assert service.check_fill(fill(100)).verdict is FillVerdict.ADMIT


@pytest.mark.rule("CONS-001")
def test_an_admitted_fill_changes_exactly_what_the_check_foresaw() -> None:
    alice, bob = account_of(cash("500")), account_of(cash("500"), BOB)
    position_of(alice, 0, 0, mode=ISOLATED).orders[1] = resting(1, 1, 100, 10)
    position_of(bob, 0, 0).orders[2] = resting(2, -1, 100, 15)
    service = service_of(alice, bob)
    service.ledger.net_deposits[SETTLEMENT_ASSET] = cash("1000")
    proposed = fill(100)
    service.apply_fill(proposed, service.check_fill(proposed))
    long, short = alice.positions["BTC-PERP"], bob.positions["BTC-PERP"]
    assert (long.quantity, long.entry_cost, long.wallet.balance) == (10, cash("1000"), cash("100"))
    assert (short.quantity, short.entry_cost, short.wallet.balance) == (-10, cash("-1000"), 0)
    assert (alice.wallet.balance, bob.wallet.balance) == (cash("400"), cash("500"))
    assert long.orders == {}
    assert short.orders[2].open_quantity == 5
    assert service.ledger.imbalance(service.accounts.values()) == 0
    assert set(service.holders["BTC-PERP"]) == {(ALICE, "BTC-PERP"), (BOB, "BTC-PERP")}
