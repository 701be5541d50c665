"""Double-entry money: the only code that changes a wallet or an entry cost, each entry balanced by construction."""

from __future__ import annotations

from collections.abc import Iterable

from exchange.accounts.position import Account, Position, Wallet
from exchange.domain.ids import INSURANCE_FUND
from exchange.domain.units import Cash


class Ledger:
    """The system's own wallets and every way that money may move.

    The sum of all wallets less all entry costs equals ``net_deposits`` after every entry (CONS-001).
    """

    __slots__ = ("fees", "fund", "net_deposits")

    def __init__(self) -> None:
        self.fees = Wallet()
        self.fund = Account(INSURANCE_FUND)
        self.net_deposits: Cash = 0

    def deposit(self, wallet: Wallet, amount: Cash) -> None:
        """Bring money in from outside."""
        wallet.balance += amount
        self.net_deposits += amount

    def transfer(self, source: Wallet, target: Wallet, amount: Cash) -> None:
        """Move money between two wallets."""
        source.balance -= amount
        target.balance += amount

    def trade(self, buyer: Position, seller: Position, value: Cash) -> None:
        """Enter what a trade cost the one and brought the other."""
        buyer.entry_cost += value
        seller.entry_cost -= value

    def realize(self, position: Position, wallet: Wallet, profit: Cash) -> None:
        """Turn closed profit (or loss) of a position into money in ``wallet``."""
        wallet.balance += profit
        position.entry_cost += profit

    def imbalance(self, accounts: Iterable[Account]) -> Cash:
        """Return by how much the books are out; anything but 0 is a bug (CONS-001)."""
        total = self.fees.balance
        for account in (*accounts, self.fund):
            total += account.wallet.balance
            total += sum(position.wallet.balance - position.entry_cost for position in account.positions.values())
        return total - self.net_deposits
