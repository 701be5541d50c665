"""What funding moves: from each position's wallet to the others' through the insurance fund, a whole symbol at once."""

from __future__ import annotations

from typing import NamedTuple

from exchange.accounts.margin import path_of
from exchange.accounts.position import Position
from exchange.accounts.service import AccountService
from exchange.domain.enums import EntryKind
from exchange.domain.funding_math import funding_credit
from exchange.domain.ids import INSURANCE_FUND, Symbol
from exchange.domain.units import Cash, Ppb


class FundingPayment(NamedTuple):
    """What a position got (negative: paid), and what is then in the wallet that backs it."""

    position: Position
    amount: Cash
    wallet_balance: Cash


class FundingPayments(NamedTuple):
    """The funding of a symbol; ``residual`` is what rounding left to the insurance fund beside its own positions' part."""

    payments: tuple[FundingPayment, ...]
    residual: Cash


def pay_funding(service: AccountService, symbol: Symbol, rate: Ppb) -> FundingPayments:
    """Settle a symbol's funding at its mark, into the wallets that back its positions (FUND-003).

    Every credit is rounded down, so that the residual is never negative. The fund stands between payers and receivers;
    it is left with the residual and what its own positions get. Units: ``rate`` ppb.
    """
    ledger, mark = service.ledger, service.marks[symbol]
    fund, instrument = ledger.fund, service.instruments[symbol]
    holders = [position for _, position in sorted(service.holders[symbol].items())]
    payments = []
    for position in (*holders, *fund.positions_in(symbol)):
        amount = funding_credit(position.quantity, mark, instrument.cash_per_tick_lot, rate)
        if not amount:
            continue
        wallet = path_of(position).wallet(service.account(position.account), position)
        if position.account != INSURANCE_FUND:
            ledger.transfer(fund.wallet, wallet, amount, EntryKind.FUNDING)
            service.note_position(position)
        payments.append(FundingPayment(position, amount, wallet.balance))
    return FundingPayments(tuple(payments), -sum(payment.amount for payment in payments))
