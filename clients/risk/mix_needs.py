"""What scopes need and lose, as tables: a row for each moment, a column for each position.

A scope's need at a moment is maintenance less profit, summed over its positions, so that any mix is judged by adding columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from clients.risk.mix_terms import MixPosition, Ordeal, mark_of
from clients.risk.position_plan import least_healthy_equity
from clients.risk.scenarios import Marks
from exchange.domain.units import Cash

Column = tuple[Cash, ...]


class Needs:
    """How much money scopes need so as to live through an ordeal. Positions are told by their index. Units: cash."""

    def __init__(self, positions: Sequence[MixPosition], ordeal: Ordeal) -> None:
        ordeal.check(positions)
        self.positions = tuple(positions)
        self._strict = positions[0].instrument.rules.liquidate_at_equality
        moments = _distinct(positions, (ordeal.marks, *(moment for scenario in ordeal.scenarios for moment in scenario)))
        self.columns: list[Column] = []
        """Of each position its maintenance less its profit, by row; while entering there is a last row, for now, with its
        initial margin less its profit."""
        self._has_maintenance: list[int] = [0] * (len(moments) + 1)
        for index, position in enumerate(positions):
            column = []
            for row, moment in enumerate(moments):
                maintenance = position.maintenance_at(mark_of(moment, position))
                column.append(maintenance - position.profit_at(mark_of(moment, position)))
                self._has_maintenance[row] |= (maintenance > 0) << index
            if ordeal.entering:
                now = mark_of(ordeal.marks, position)
                column.append(position.initial_margin_at(now, position.most_leverage_at(now)) - position.profit_at(now))
            self.columns.append(tuple(column))
        self._now_rows = (0, len(moments)) if ordeal.entering else (0,)
        self.alone = [self._alone(index) for index in range(len(positions))]
        """What each position needs when it is isolated: enough for now only, where it may be liquidated later."""

    @property
    def everyone(self) -> int:
        """All positions, as bits by index."""
        return (1 << len(self.positions)) - 1

    def sum_of(self, pooled: int) -> Column:
        """Return the sum of the columns of some positions, told as bits by index."""
        column = self.zeros()
        for index, own in enumerate(self.columns):
            if pooled >> index & 1:
                column = added(column, own)
        return column

    def total(self, pooled: int) -> Cash:
        """Return what a mix needs of which these are pooled and the others apart."""
        apart = sum(alone for index, alone in enumerate(self.alone) if not pooled >> index & 1)
        return self.of_pool(pooled, self.sum_of(pooled)) + apart

    def zeros(self) -> Column:
        """Return the column of no position."""
        return (0,) * len(self.columns[0])

    def of_pool(self, members: int, column: Column) -> Cash:
        """Return the least wallet of a pool: ``members`` as bits by index, ``column`` the sum of their columns."""
        if not members:
            return 0
        if self._strict:
            return max(0, max(need + self._spare(members, row) for row, need in enumerate(column)))
        return max(0, max(column))

    def survives(self, index: int, wallet: Cash) -> bool:
        """Return whether an isolated position with that wallet is never liquidated."""
        return all(need + self._spare(1 << index, row) <= wallet for row, need in enumerate(self.columns[index]))

    def _alone(self, index: int) -> Cash:
        column = self.columns[index]
        rows = self._now_rows if self.positions[index].may_be_liquidated else range(len(column))
        return max(0, max(column[row] + self._spare(1 << index, row) for row in rows))

    def _spare(self, members: int, row: int) -> Cash:
        """Return what a scope needs above its maintenance: one unit where equality is liquidated (MARG-005)."""
        return 1 if self._strict and self._has_maintenance[row] & members else 0


class Losses:
    """What scopes lose beyond the stated scenarios, when they hold given wallets. Units: cash."""

    def __init__(self, positions: Sequence[MixPosition], ordeal: Ordeal) -> None:
        self.positions = tuple(positions)
        self._strict = positions[0].instrument.rules.liquidate_at_equality
        self._scenario_ends: list[int] = []
        moments: list[Marks] = []
        for scenario in ordeal.beyond:
            moments.extend(scenario)
            self._scenario_ends.append(len(moments))
        self.is_stated = bool(moments)
        self._profit_now = [position.profit_at(mark_of(ordeal.marks, position)) for position in positions]
        self._maintenance = [[p.maintenance_at(mark_of(moment, p)) for moment in moments] for p in positions]
        self._profit = [[p.profit_at(mark_of(moment, p)) for moment in moments] for p in positions]

    def of_scope(self, indices: Sequence[int], wallet: Cash) -> Column:
        """Return what a scope has lost at each moment beyond, from its equity now; all of that once it was liquidated."""
        now = wallet + sum(self._profit_now[index] for index in indices)
        rows = len(self._profit[0]) if self._profit else 0
        lost: list[Cash] = []
        start = 0
        for end in self._scenario_ends:
            is_gone = False
            for row in range(start, min(end, rows)):
                equity = wallet + sum(self._profit[index][row] for index in indices)
                maintenance = sum(self._maintenance[index][row] for index in indices)
                least = least_healthy_equity(maintenance, liquidate_at_equality=self._strict)
                is_gone = is_gone or (maintenance > 0 and equity < least)
                lost.append(now if is_gone else now - equity)
            start = end
        return tuple(lost)


def _distinct(positions: Sequence[MixPosition], moments: Iterable[Marks]) -> list[Marks]:
    """Return the moments that differ in some position's mark, the first of each kind, in order."""
    seen: dict[tuple[int, ...], Marks] = {}
    for moment in moments:
        seen.setdefault(tuple(mark_of(moment, position) for position in positions), moment)
    return list(seen.values())


def added(one: Column, other: Column) -> Column:
    """Return the sum of two columns."""
    return tuple([a + b for a, b in zip(one, other, strict=True)])
