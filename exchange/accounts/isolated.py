"""The isolated path: a position and its own ring-fenced wallet, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from exchange.accounts.position import Account, Position, Wallet
from exchange.accounts.risk import Holding, Risk, Scope, breaches
from exchange.domain.enums import MarginMode
from exchange.domain.ids import Symbol
from exchange.domain.margin_math import requirements, unrealized_pnl
from exchange.domain.units import Cash, Lots, Ticks


def position_risk(position: Position, mark_price: Ticks) -> Risk:
    """Return how an isolated position stands (MARG-003, MARG-005)."""
    return _risk_of(position, Holding(position.quantity, position.entry_cost, position.wallet.balance), mark_price)


def _risk_of(position: Position, held: Holding, mark_price: Ticks) -> Risk:
    instrument, quantity, entry_cost = position.instrument, held.quantity, held.entry_cost
    equity = held.wallet + unrealized_pnl(instrument, quantity, entry_cost, mark_price)
    notional, initial, maintenance = requirements(instrument, quantity, entry_cost, mark_price, position.leverage)
    is_breached = breaches(equity, maintenance, at_equality=instrument.rules.liquidate_at_equality)
    return Risk(equity, initial, maintenance, notional, is_breached)


class IsolatedPath:
    """How a position in isolated mode is margined; it keeps no state."""

    mode = MarginMode.ISOLATED

    def scope(self, position: Position) -> Scope:
        """Return the scope that the position is."""
        return Scope(position.account, position.position_id)

    def wallet(self, account: Account, position: Position) -> Wallet:
        """Return the wallet that profit, loss and fees of the position go through."""
        return position.wallet

    def is_liquidating(self, account: Account, position: Position) -> bool:
        """Return whether the position is flagged."""
        return position.liquidation_id is not None

    def risk(self, account: Account, position: Position, marks: Mapping[Symbol, Ticks]) -> Risk:
        """Return how the position stands; flat, there may be no mark yet and none is needed."""
        if not position.quantity:
            return Risk(position.wallet.balance, 0, 0, 0, False)
        return position_risk(position, marks[position.symbol])

    def risk_after(self, account: Account, position: Position, marks: Mapping[Symbol, Ticks], then: Holding) -> Risk:
        """Return how the position would stand if it and its wallet were as ``then``."""
        return _risk_of(position, then, marks[position.symbol])

    def increase_gap(self, position: Position, mark_price: Ticks) -> Cash:
        """Return what the open position lacks to initial margin: the fill that increases it must bring that too."""
        if not position.quantity:
            return 0
        risk = position_risk(position, mark_price)
        return max(0, risk.initial_margin - risk.equity)

    def fill_margin(self, usual: Cash, needed: Cash, available: Callable[[], Cash]) -> Cash | None:
        """Return what an increasing fill moves into the wallet, or None when it is not to be had (MARG-012)."""
        most, wanted = available(), max(usual, needed)
        if wanted <= most:
            return wanted
        least = max(0, needed)
        return least if least <= most else None

    def payout(self, position: Position, closed: Lots, proceeds: Cash) -> Cash:
        """Return what a reduction by the owner pays back to the cross wallet (MARG-014).

        ``proceeds`` is realised profit less fee. The whole wallet leaves with the last lot, even at a loss: the fill
        check has made sure that this is not negative.
        """
        wallet, size = position.wallet.balance, abs(position.quantity)
        if closed == size:
            return wallet + proceeds
        return max(0, wallet * closed // size + proceeds)

    def collateral(self, account: Account, position: Position, marks: Mapping[Symbol, Ticks]) -> Cash:
        """Return what stands behind this position: its own wallet (MARG-006)."""
        return position.wallet.balance

    def equity_share(self, account: Account, position: Position, marks: Mapping[Symbol, Ticks]) -> Cash:
        """Return the equity that the position carries: all of its own (LIQ-005)."""
        return position_risk(position, marks[position.symbol]).equity
