"""Which path a position takes: the only place in the project that picks a path by margin mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from exchange.accounts.cross import CrossPath
from exchange.accounts.isolated import IsolatedPath
from exchange.accounts.position import Account, Position, Wallet
from exchange.accounts.risk import Holding, Risk, Scope
from exchange.domain.enums import MarginMode
from exchange.domain.ids import Symbol
from exchange.domain.units import Cash, Lots, Ticks


class MarginPath(Protocol):
    """What both paths answer; ``CrossPath`` and ``IsolatedPath`` say what each answer means."""

    mode: MarginMode

    def scope(self, position: Position) -> Scope: ...
    def wallet(self, account: Account, position: Position) -> Wallet: ...
    def is_liquidating(self, account: Account, position: Position) -> bool: ...
    def risk(self, account: Account, position: Position, marks: Mapping[Symbol, Ticks]) -> Risk: ...
    def risk_after(self, account: Account, position: Position, marks: Mapping[Symbol, Ticks], then: Holding) -> Risk: ...
    def increase_gap(self, position: Position, mark_price: Ticks) -> Cash: ...
    def fill_margin(self, usual: Cash, needed: Cash, available: Callable[[], Cash]) -> Cash | None: ...
    def payout(self, position: Position, closed: Lots, proceeds: Cash) -> Cash: ...
    def collateral(self, account: Account, position: Position, marks: Mapping[Symbol, Ticks]) -> Cash: ...
    def equity_share(self, account: Account, position: Position, marks: Mapping[Symbol, Ticks]) -> Cash: ...


_CROSS = CrossPath()
_ISOLATED = IsolatedPath()


def path_of(position: Position) -> MarginPath:
    """Return the margin path that the position's owner chose."""
    match position.margin_mode:
        case MarginMode.CROSS:
            return _CROSS
        case MarginMode.ISOLATED:
            return _ISOLATED
