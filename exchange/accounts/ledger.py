"""Double-entry money: the only code that changes a wallet or an entry cost, each entry balanced by construction."""

from __future__ import annotations

from collections.abc import Iterable

from exchange.accounts.position import Account, Position, Wallet
from exchange.domain.enums import EntryKind
from exchange.domain.ids import FEES, INSURANCE_FUND, SETTLEMENT_ASSET, AssetId
from exchange.domain.units import Cash
from exchange.domain.views import LedgerEntry


class Ledger:
    """The system's own wallets and every way that money may move.

    The sum of all wallets less all entry costs equals ``net_deposits`` after every entry (CONS-001), and of every other
    asset the sum of its wallets (CONS-007).
    """

    __slots__ = ("_entries", "fees", "fund", "net_deposits")

    def __init__(self) -> None:
        self.fees = Wallet(FEES)
        self.fund = Account(INSURANCE_FUND)
        self.net_deposits: dict[AssetId, int] = {SETTLEMENT_ASSET: 0}
        self._entries: list[LedgerEntry] = []

    def deposit(self, wallet: Wallet, amount: int) -> None:
        """Bring money in from outside, or with a negative amount take it out."""
        self.net_deposits[wallet.asset] = self.net_deposits.get(wallet.asset, 0) + amount
        self._change(wallet, amount, EntryKind.DEPOSIT if amount >= 0 else EntryKind.WITHDRAWAL)

    def transfer(self, source: Wallet, target: Wallet, amount: int, kind: EntryKind) -> None:
        """Move money between two wallets of one asset; a negative amount moves the other way."""
        assert source.asset == target.asset, "money of one kind never becomes another"
        if amount:
            self._change(source, -amount, kind)
            self._change(target, amount, kind)

    def trade(self, buyer: Position, seller: Position, value: Cash) -> None:
        """Enter what a trade cost the one and brought the other."""
        buyer.entry_cost += value
        seller.entry_cost -= value

    def realize(self, position: Position, wallet: Wallet, profit: Cash) -> None:
        """Turn closed profit (or loss) of a position into money in ``wallet``."""
        position.entry_cost += profit
        if profit:
            self._change(wallet, profit, EntryKind.REALIZED_PNL)

    def _change(self, wallet: Wallet, amount: int, kind: EntryKind) -> None:
        wallet.balance += amount
        self._entries.append(LedgerEntry(wallet.account, wallet.asset, wallet.position_id, kind, amount, wallet.balance))

    def take_entries(self) -> tuple[LedgerEntry, ...]:
        """Return what was entered since last asked (MARG-028)."""
        entries = tuple(self._entries)
        self._entries.clear()
        return entries

    def imbalance(self, accounts: Iterable[Account]) -> Cash:
        """Return by how much the books are out, over all assets; anything but 0 is a bug (CONS-001, CONS-007)."""
        total = self.fees.balance
        held: dict[AssetId, int] = {}
        for account in (*accounts, self.fund):
            total += account.wallet.balance
            total += sum(position.wallet.balance - position.entry_cost for position in account.positions.values())
            for asset, wallet in account.collateral.items():
                held[asset] = held.get(asset, 0) + wallet.balance
        out = abs(total - self.net_deposits[SETTLEMENT_ASSET])
        assets = (held.keys() | self.net_deposits.keys()) - {SETTLEMENT_ASSET}
        return out + sum(abs(held.get(asset, 0) - self.net_deposits.get(asset, 0)) for asset in assets)
