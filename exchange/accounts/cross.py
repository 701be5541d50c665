"""The cross path: the account's whole pool stands behind each of its cross positions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from exchange.accounts.position import Account, Position, Wallet
from exchange.accounts.risk import Holding, Risk, Scope, breaches
from exchange.domain.enums import MarginMode
from exchange.domain.ids import Symbol
from exchange.domain.margin_math import requirements, unrealized_pnl
from exchange.domain.units import Cash, Lots, Ticks


def open_positions(account: Account) -> Iterator[Position]:
    """Yield the account's open cross positions."""
    for position in account.positions.values():
        if position.quantity and position.margin_mode is MarginMode.CROSS:
            yield position


def pool_risk(account: Account, marks: Mapping[Symbol, Ticks]) -> Risk:
    """Return how the account's cross pool stands (MARG-003, MARG-005, MARG-026)."""
    equity, initial, maintenance, notional = account.wallet.balance + account.collateral_value, 0, 0, 0
    at_equality = False
    for position in open_positions(account):
        instrument = position.instrument
        mark = marks[instrument.symbol]
        needed = position.requirements(mark)
        equity += unrealized_pnl(instrument, position.quantity, position.entry_cost, mark)
        notional += needed.notional
        initial += needed.initial_margin
        maintenance += needed.maintenance_margin
        at_equality = instrument.rules.liquidate_at_equality
    return Risk(equity, initial, maintenance, notional, breaches(equity, maintenance, at_equality=at_equality))


class CrossPath:
    """How a position in cross mode is margined; it keeps no state."""

    mode = MarginMode.CROSS

    def scope(self, position: Position) -> Scope:
        """Return the scope that the position belongs to."""
        return Scope(position.account, None)

    def wallet(self, account: Account, position: Position) -> Wallet:
        """Return the wallet that profit, loss and fees of the position go through."""
        return account.wallet

    def is_liquidating(self, account: Account, position: Position) -> bool:
        """Return whether the position's scope is flagged."""
        return account.liquidation_id is not None

    def risk(self, account: Account, position: Position, marks: Mapping[Symbol, Ticks]) -> Risk:
        """Return how the position's scope stands."""
        return pool_risk(account, marks)

    def risk_after(self, account: Account, position: Position, marks: Mapping[Symbol, Ticks], then: Holding) -> Risk:
        """Return how the scope would stand if the position and its wallet were as ``then``."""
        now, mark, instrument = pool_risk(account, marks), marks[position.symbol], position.instrument
        before = position.requirements(mark)
        after = requirements(instrument, then.quantity, then.entry_cost, mark, position.leverage)
        equity = (
            now.equity
            + (then.wallet - account.wallet.balance)
            + unrealized_pnl(instrument, then.quantity, then.entry_cost, mark)
            - unrealized_pnl(instrument, position.quantity, position.entry_cost, mark)
        )
        maintenance = now.maintenance_margin + after.maintenance_margin - before.maintenance_margin
        return Risk(
            equity,
            now.initial_margin + after.initial_margin - before.initial_margin,
            maintenance,
            now.notional + after.notional - before.notional,
            breaches(equity, maintenance, at_equality=instrument.rules.liquidate_at_equality),
        )

    def increase_gap(self, position: Position, mark_price: Ticks) -> Cash:
        """Return what an increase would have to add to the position beyond its own margin: nothing in cross."""
        return 0

    def fill_margin(self, usual: Cash, needed: Cash, available: Callable[[], Cash]) -> Cash | None:
        """Return what an increasing fill moves into the position's own wallet: nothing in cross."""
        return 0

    def payout(self, position: Position, closed: Lots, proceeds: Cash) -> Cash:
        """Return what a reduction pays out of the position's own wallet: it has none."""
        return 0

    def collateral(self, account: Account, position: Position, marks: Mapping[Symbol, Ticks]) -> Cash:
        """Return what stands behind this position once all others are provided for (MARG-006)."""
        pool, mark = pool_risk(account, marks), marks[position.symbol]
        own_profit = unrealized_pnl(position.instrument, position.quantity, position.entry_cost, mark)
        own_maintenance = position.maintenance_margin(mark)
        return (pool.equity - own_profit) - (pool.maintenance_margin - own_maintenance)

    def equity_share(self, account: Account, position: Position, marks: Mapping[Symbol, Ticks]) -> Cash:
        """Return the part of the pool's equity that the position carries, by maintenance, rounded down (LIQ-005)."""
        pool = pool_risk(account, marks)
        own = position.maintenance_margin(marks[position.symbol])
        return pool.equity * own // pool.maintenance_margin if pool.maintenance_margin else pool.equity
