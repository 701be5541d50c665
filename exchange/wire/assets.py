"""The assets that balances may be in, each with its own decimals, as the wire writes and reads them."""

from __future__ import annotations

from collections.abc import Iterable

from exchange.domain.ids import SETTLEMENT_ASSET, AssetId
from exchange.domain.instrument import CollateralAsset
from exchange.domain.units import CASH_DECIMALS, format_decimal, parse_decimal


class Assets:
    """The settlement asset and the collateral assets of a venue."""

    def __init__(self, collateral: Iterable[CollateralAsset] = ()) -> None:
        self._decimals = {SETTLEMENT_ASSET: CASH_DECIMALS, **{each.asset: each.decimals for each in collateral}}

    def __contains__(self, asset: AssetId) -> bool:
        return asset in self._decimals

    @property
    def names(self) -> tuple[AssetId, ...]:
        """The settlement asset, then the collateral assets in their configured order."""
        return tuple(self._decimals)

    def format(self, asset: AssetId, amount: int) -> str:
        """Return whole units of an asset as a decimal string. Raises ``KeyError`` for an asset that the venue does not know."""
        return format_decimal(amount, self._decimals[asset])

    def parse(self, asset: AssetId, text: str) -> int:
        """Return a decimal string in whole units of an asset; ``ValueError`` with a sentence when it is none or too fine."""
        return parse_decimal(text, self._decimals[asset])
