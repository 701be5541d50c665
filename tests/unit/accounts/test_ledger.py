"""Every entry of the ledger balances by construction, and is written down."""

from __future__ import annotations

import pytest

from exchange.accounts.ledger import Ledger
from exchange.accounts.position import Account
from exchange.domain.enums import EntryKind
from exchange.domain.ids import FEES, INSURANCE_FUND, SETTLEMENT_ASSET
from exchange.domain.views import LedgerEntry
from tests.cast import ALICE, BOB, BTC_PERP

USD = SETTLEMENT_ASSET


@pytest.mark.rule("CONS-001")
def test_each_kind_of_entry_keeps_the_books_balanced() -> None:
    ledger, alice, bob = Ledger(), Account(ALICE), Account(BOB)
    long, short = alice.position(BTC_PERP), bob.position(BTC_PERP)
    accounts = (alice, bob)

    ledger.deposit(alice.wallet, 1_000)
    assert (alice.wallet.balance, ledger.net_deposits, ledger.imbalance(accounts)) == (1_000, {USD: 1_000}, 0)
    ledger.transfer(alice.wallet, long.wallet, 100, EntryKind.MARGIN)
    assert (alice.wallet.balance, long.wallet.balance, ledger.imbalance(accounts)) == (900, 100, 0)
    ledger.trade(long, short, 500)
    assert (long.entry_cost, short.entry_cost, ledger.imbalance(accounts)) == (500, -500, 0)
    ledger.realize(long, alice.wallet, 40)
    assert (long.entry_cost, alice.wallet.balance, ledger.imbalance(accounts)) == (540, 940, 0)
    ledger.realize(short, bob.wallet, -30)
    assert (short.entry_cost, bob.wallet.balance, ledger.imbalance(accounts)) == (-530, -30, 0)
    ledger.transfer(alice.wallet, ledger.fees, 7, EntryKind.FEE)
    ledger.transfer(bob.wallet, ledger.fund.wallet, -5, EntryKind.INSURANCE)
    assert ledger.imbalance(accounts) == 0
    ledger.deposit(alice.wallet, -33)
    assert (alice.wallet.balance, ledger.net_deposits, ledger.imbalance(accounts)) == (900, {USD: 967}, 0)


@pytest.mark.rule("MARG-028")
def test_each_movement_is_written_down_with_wallet_kind_amount_and_balance_and_told_once() -> None:
    ledger, alice = Ledger(), Account(ALICE)
    long = alice.position(BTC_PERP)
    ledger.deposit(alice.wallet, 1_000)
    ledger.deposit(alice.wallet, -10)
    ledger.transfer(alice.wallet, long.wallet, 100, EntryKind.MARGIN)
    ledger.realize(long, long.wallet, -30)
    ledger.transfer(long.wallet, ledger.fees, 7, EntryKind.FEE)
    ledger.transfer(long.wallet, ledger.fund.wallet, -3, EntryKind.INSURANCE)
    assert ledger.take_entries() == (
        LedgerEntry(ALICE, USD, None, EntryKind.DEPOSIT, 1_000, 1_000),
        LedgerEntry(ALICE, USD, None, EntryKind.WITHDRAWAL, -10, 990),
        LedgerEntry(ALICE, USD, None, EntryKind.MARGIN, -100, 890),
        LedgerEntry(ALICE, USD, "BTC-PERP", EntryKind.MARGIN, 100, 100),
        LedgerEntry(ALICE, USD, "BTC-PERP", EntryKind.REALIZED_PNL, -30, 70),
        LedgerEntry(ALICE, USD, "BTC-PERP", EntryKind.FEE, -7, 63),
        LedgerEntry(FEES, USD, None, EntryKind.FEE, 7, 7),
        LedgerEntry(ALICE, USD, "BTC-PERP", EntryKind.INSURANCE, 3, 66),
        LedgerEntry(INSURANCE_FUND, USD, None, EntryKind.INSURANCE, -3, -3),
    )
    assert ledger.take_entries() == ()


@pytest.mark.rule("MARG-028")
def test_what_moves_nothing_is_not_written_down() -> None:
    ledger, alice = Ledger(), Account(ALICE)
    ledger.transfer(alice.wallet, ledger.fees, 0, EntryKind.FEE)
    ledger.realize(alice.position(BTC_PERP), alice.wallet, 0)
    ledger.trade(alice.position(BTC_PERP), ledger.fund.position(BTC_PERP), 5)
    assert ledger.take_entries() == ()


@pytest.mark.rule("CONS-007")
def test_each_asset_is_conserved_for_itself() -> None:
    ledger, alice, bob = Ledger(), Account(ALICE), Account(BOB)
    ledger.deposit(alice.holding("COIN"), 8)
    ledger.transfer(alice.holding("COIN"), ledger.fund.holding("COIN"), 3, EntryKind.COLLATERAL_SALE)
    assert (ledger.net_deposits, ledger.imbalance([alice, bob])) == ({USD: 0, "COIN": 8}, 0)
    bob.holding("COIN").balance += 2
    assert ledger.imbalance([alice, bob]) == 2
    alice.holding("GOLD").balance -= 2
    assert ledger.imbalance([alice, bob]) == 4, "one asset too many does not make up for another too few"


@pytest.mark.rule("CONS-007")
def test_money_of_one_kind_never_becomes_another() -> None:
    ledger, alice = Ledger(), Account(ALICE)
    with pytest.raises(AssertionError, match="never becomes another"):
        ledger.transfer(alice.wallet, ledger.fund.holding("COIN"), 1, EntryKind.INSURANCE)


@pytest.mark.rule("CONS-001")
def test_the_fund_and_its_positions_are_part_of_the_sum() -> None:
    ledger, alice = Ledger(), Account(ALICE)
    ledger.deposit(ledger.fund.wallet, 50)
    ledger.trade(ledger.fund.position(BTC_PERP), alice.position(BTC_PERP), 20)
    assert ledger.imbalance([alice]) == 0
    assert ledger.imbalance([]) == 20


def test_money_that_came_from_nowhere_shows() -> None:
    ledger, alice = Ledger(), Account(ALICE)
    alice.wallet.balance += 3
    assert ledger.imbalance([alice]) == 3
