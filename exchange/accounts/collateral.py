"""Assets beside the settlement asset: what they count for in a cross pool, and how they pay its debts (MARG-026)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from exchange.accounts.ledger import Ledger
from exchange.accounts.position import Account
from exchange.domain.enums import EntryKind
from exchange.domain.ids import AssetId
from exchange.domain.instrument import CollateralAsset
from exchange.domain.units import PPM, Cash, ceil_div


class Sale(NamedTuple):
    """Collateral that went to the fund for money."""

    asset: AssetId
    quantity: int
    proceeds: Cash


class CollateralBook:
    """The prices of the collateral assets, in their configured order."""

    __slots__ = ("_ledger", "assets", "prices")

    def __init__(self, assets: Iterable[CollateralAsset], ledger: Ledger) -> None:
        self.assets = {each.asset: each for each in assets}
        self.prices: dict[AssetId, Cash] = {
            each.asset: each.initial_price for each in self.assets.values() if each.initial_price is not None
        }
        self._ledger = ledger

    def _rate(self, asset: AssetId) -> tuple[int, int]:
        """Return what one unit counts for, as a fraction of cash units: price less haircut."""
        terms = self.assets[asset]
        return self.prices.get(asset, 0) * (PPM - terms.haircut), PPM * 10**terms.decimals

    def value(self, asset: AssetId, balance: int) -> Cash:
        """Return what a balance counts for, rounded down; nothing before there is a price."""
        numerator, denominator = self._rate(asset)
        return balance * numerator // denominator

    def revalue(self, account: Account) -> None:
        """Compute anew what an account's collateral counts for."""
        account.collateral_value = sum(self.value(asset, held.balance) for asset, held in account.collateral.items())

    def spare(self, account: Account, asset: AssetId, available: Cash) -> int:
        """Return how much of an asset may leave the account without its value falling by more than ``available``."""
        held = account.collateral.get(asset)
        if held is None:
            return 0
        numerator, denominator = self._rate(asset)
        needed = self.value(asset, held.balance) - max(0, available)
        return held.balance if needed <= 0 else held.balance - ceil_div(needed * denominator, numerator)

    def sell(self, account: Account) -> Iterator[Sale]:
        """Sell to the fund, at price less haircut and in configured order, exactly what the negative wallet needs."""
        fund = self._ledger.fund
        for asset in self.assets:
            owed, held = -account.wallet.balance, account.collateral.get(asset)
            if owed <= 0 or held is None or not held.balance:
                continue
            numerator, denominator = self._rate(asset)
            proceeds = min(owed, self.value(asset, held.balance))
            if not proceeds:
                continue
            quantity = ceil_div(proceeds * denominator, numerator)
            self._ledger.transfer(held, fund.holding(asset), quantity, EntryKind.COLLATERAL_SALE)
            self._ledger.transfer(fund.wallet, account.wallet, proceeds, EntryKind.COLLATERAL_SALE)
            yield Sale(asset, quantity, proceeds)
        self.revalue(account)
        self.revalue(fund)
