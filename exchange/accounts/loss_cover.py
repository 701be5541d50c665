"""Who pays for a loss that its owner cannot: the insurance fund, then by policy the winners or nobody (LIQ-009)."""

from __future__ import annotations

from typing import NamedTuple

from exchange.accounts.cross import pool_risk
from exchange.accounts.margin import path_of
from exchange.accounts.position import Position, Wallet
from exchange.accounts.risk import Scope
from exchange.accounts.service import AccountService
from exchange.domain.enums import EntryKind
from exchange.domain.margin_math import unrealized_pnl
from exchange.domain.policy import BadDebtPolicy
from exchange.domain.units import Cash


class Share(NamedTuple):
    """What one winner paid of a loss."""

    position: Position
    amount: Cash


class Cover(NamedTuple):
    """Where the money for a loss came from. ``bad_debt`` left the fund's wallet without being there."""

    fund_paid: Cash = 0
    bad_debt: Cash = 0
    shares: tuple[Share, ...] = ()

    @property
    def from_fund(self) -> Cash:
        """What the fund's wallet paid, bad debt included."""
        return self.fund_paid + self.bad_debt

    @property
    def socialized(self) -> Cash:
        """What winners paid."""
        return sum(share.amount for share in self.shares)

    def plus(self, other: Cover) -> Cover:
        """Return both together."""
        return Cover(self.fund_paid + other.fund_paid, self.bad_debt + other.bad_debt, self.shares + other.shares)


def split_pro_rata(loss: Cash, gains: list[Cash]) -> list[Cash]:
    """Return each winner's share of a loss: rounded down, the remainder to the largest gain (LIQ-009).

    No share is above its gain; what that leaves of the loss is nobody's.
    """
    total = sum(gains)
    if not total:
        return [0] * len(gains)
    shared = min(loss, total)
    shares = [shared * gain // total for gain in gains]
    largest = max(range(len(gains)), key=lambda place: gains[place])
    shares[largest] = min(gains[largest], shares[largest] + shared - sum(shares))
    return shares


class LossCover:
    """Pays what scopes owe."""

    def __init__(self, service: AccountService) -> None:
        self._service = service
        self._ledger = service.ledger

    def capacity(self) -> Cash:
        """Return what the insurance fund can pay without owing anything itself."""
        fund = self._ledger.fund
        return max(0, min(fund.wallet.balance, pool_risk(fund, self._service.marks).equity))

    def cover(self, wallet: Wallet, amount: Cash, culprit: Position | None) -> Cover:
        """Pay ``amount`` into a wallet that owes it; what nobody has is the fund's bad debt."""
        if amount <= 0:
            return Cover()
        from_fund = min(amount, self.capacity())
        shares: tuple[Share, ...] = ()
        if self._service.policy.bad_debt is BadDebtPolicy.SOCIALIZE and culprit is not None:
            shares = self._collect(wallet, amount - from_fund, culprit)
        owed = amount - from_fund - sum(share.amount for share in shares)
        self._ledger.transfer(self._ledger.fund.wallet, wallet, from_fund + owed, EntryKind.INSURANCE)
        return Cover(from_fund, owed, shares)

    def _collect(self, wallet: Wallet, loss: Cash, culprit: Position) -> tuple[Share, ...]:
        """Have those with a profit in the symbol pay by how large it is, each no more than its scope has."""
        winners = self._winners(culprit) if loss else []
        shares = []
        for (position, _), amount in zip(winners, split_pro_rata(loss, [gain for _, gain in winners]), strict=True):
            if not amount:
                continue
            account = self._service.accounts[position.account]
            self._ledger.transfer(path_of(position).wallet(account, position), wallet, amount, EntryKind.SOCIALIZED_LOSS)
            self._service.note_position(position)
            shares.append(Share(position, amount))
        return tuple(shares)

    def _winners(self, culprit: Position) -> list[tuple[Position, Cash]]:
        marks, found = self._service.marks, []
        spared: dict[Scope, Cash] = {}
        for _, position in sorted(self._service.holders[culprit.symbol].items()):
            account, path = self._service.accounts[position.account], path_of(position)
            if path.is_liquidating(account, position) or position is culprit:
                continue
            profit = unrealized_pnl(position.instrument, position.quantity, position.entry_cost, marks[position.symbol])
            scope = path.scope(position)
            left = spared.setdefault(scope, path.risk(account, position, marks).equity)
            gain = min(profit, left)
            if gain > 0:
                spared[scope] = left - gain  # both legs of a hedge stand on the same equity
                found.append((position, gain))
        return found
