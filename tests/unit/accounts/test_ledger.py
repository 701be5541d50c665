"""Every entry of the ledger balances by construction."""

from __future__ import annotations

import pytest

from exchange.accounts.ledger import Ledger
from exchange.accounts.position import Account
from tests.cast import ALICE, BOB, BTC_PERP


@pytest.mark.rule("CONS-001")
def test_each_kind_of_entry_keeps_the_books_balanced() -> None:
    ledger, alice, bob = Ledger(), Account(ALICE), Account(BOB)
    long, short = alice.position(BTC_PERP), bob.position(BTC_PERP)
    accounts = (alice, bob)

    ledger.deposit(alice.wallet, 1_000)
    assert (alice.wallet.balance, ledger.net_deposits, ledger.imbalance(accounts)) == (1_000, 1_000, 0)
    ledger.transfer(alice.wallet, long.wallet, 100)
    assert (alice.wallet.balance, long.wallet.balance, ledger.imbalance(accounts)) == (900, 100, 0)
    ledger.trade(long, short, 500)
    assert (long.entry_cost, short.entry_cost, ledger.imbalance(accounts)) == (500, -500, 0)
    ledger.realize(long, alice.wallet, 40)
    assert (long.entry_cost, alice.wallet.balance, ledger.imbalance(accounts)) == (540, 940, 0)
    ledger.realize(short, bob.wallet, -30)
    assert (short.entry_cost, bob.wallet.balance, ledger.imbalance(accounts)) == (-530, -30, 0)
    ledger.transfer(alice.wallet, ledger.fees, 7)
    ledger.transfer(bob.wallet, ledger.fund.wallet, -5)
    assert ledger.imbalance(accounts) == 0


@pytest.mark.rule("CONS-001")
def test_the_fund_and_its_positions_are_part_of_the_sum() -> None:
    ledger, alice = Ledger(), Account(ALICE)
    ledger.deposit(ledger.fund.wallet, 50)
    ledger.trade(ledger.fund.position(BTC_PERP), alice.position(BTC_PERP), 20)
    assert ledger.imbalance([alice]) == 0
    assert ledger.imbalance([]) == -20


def test_money_that_came_from_nowhere_shows() -> None:
    ledger, alice = Ledger(), Account(ALICE)
    alice.wallet.balance += 3
    assert ledger.imbalance([alice]) == 3
