"""Cross, isolated, or which of both for which position: the least money that lives through stated shocks.

Method. Every mix holds the least wallets with which each of its scopes is healthy at every stated moment, which is exact:
health is judged at marks, and these are all of them. Pooling never costs more than keeping apart, as the worst of a sum is at
most the sum of the worsts; so where every position must survive, all-cross is cheapest, and isolating one is the price of
capping its loss. It pays for positions that may be liquidated: isolated they need only their initial margin.

Up to ``EXHAUSTIVE_POSITIONS_MAX`` positions every mix is looked at; beyond, ``mix_search`` looks for the cheapest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from clients.risk.mix_needs import Column, Losses, Needs, added
from clients.risk.mix_search import cheapest_pool
from clients.risk.mix_terms import Mix, MixChoice, MixPosition, Ordeal, mark_of
from clients.risk.position_plan import PlanRefused
from clients.risk.scenarios import Marks
from exchange.domain.enums import MarginMode
from exchange.domain.units import Cash, format_cash

EXHAUSTIVE_POSITIONS_MAX = 10


def least_cross_wallet(positions: Sequence[MixPosition], ordeal: Ordeal) -> Cash:
    """Return the least cross wallet with which the positions, all in cross, live through the ordeal, in cash."""
    needs = Needs(positions, ordeal)
    return needs.of_pool(needs.everyone, needs.sum_of(needs.everyone))


def least_isolated_wallets(positions: Sequence[MixPosition], ordeal: Ordeal) -> tuple[Cash, ...]:
    """Return the least isolated wallet of each position, those of now where it may be liquidated later, in cash."""
    return tuple(Needs(positions, ordeal).alone)


def choose_mix(positions: Sequence[MixPosition], ordeal: Ordeal, *, wallet: Cash | None = None) -> MixChoice:
    """Return what all-cross, all-isolated and the cheapest mix need and lose.

    ``wallet`` (cash) is all the money there is, by default as much as each mix needs: what a mix leaves of it stays in the
    cross wallet, where only a cross pool can lose it. Raises ``PlanRefused`` where it pays for no mix, and for positions or
    marks that do not fit together.
    """
    needs = Needs(positions, ordeal)
    study = _Study(needs, Losses(positions, ordeal), ordeal.marks, wallet)
    if len(positions) <= EXHAUSTIVE_POSITIONS_MAX:
        frontier = _frontier(study.outcome(pooled, column) for pooled, column in _all_pools(needs))
        lower_bound = frontier[0].total
    else:
        pooled, lower_bound = cheapest_pool(needs)
        frontier = [study.outcome(pooled, needs.sum_of(pooled))]
    if wallet is not None:
        least = frontier[0].total
        if least > wallet:
            raise PlanRefused("wallet", f"{format_cash(wallet)} pays for no mix; the cheapest takes {format_cash(least)}")
        frontier = [outcome for outcome in frontier if outcome.total <= wallet]
    return MixChoice(
        all_cross=study.mix(study.outcome(needs.everyone, needs.sum_of(needs.everyone))),
        all_isolated=study.mix(study.outcome(0, needs.zeros())),
        cheapest=study.mix(frontier[0]),
        frontier=tuple(study.mix(outcome) for outcome in frontier),
        lower_bound=lower_bound,
    )


class _Outcome(NamedTuple):
    """What a mix needs and loses; ``pooled`` are the positions in cross, as bits by index."""

    total: Cash
    loss: Cash
    isolated: int
    pooled: int
    cross_wallet: Cash


class _Study:
    """Values mixes: wallets from the needs, losses with those wallets and what is left of the owner's money."""

    def __init__(self, needs: Needs, losses: Losses, marks: Marks, wallet: Cash | None) -> None:
        self._needs = needs
        self._losses = losses
        self._marks = marks
        self._wallet = wallet
        alone = needs.alone
        self._lost_alone = [losses.of_scope((index,), alone[index]) for index in range(len(alone))]

    def outcome(self, pooled: int, column: Column) -> _Outcome:
        needs = self._needs
        cross_wallet = needs.of_pool(pooled, column)
        apart = [index for index in range(len(needs.positions)) if not pooled >> index & 1]
        total = cross_wallet + sum(needs.alone[index] for index in apart)
        return _Outcome(total, self._loss(pooled, apart, cross_wallet, total), len(apart), pooled, cross_wallet)

    def _loss(self, pooled: int, apart: list[int], cross_wallet: Cash, total: Cash) -> Cash:
        if not self._losses.is_stated:
            return 0
        members = [index for index in range(len(self._needs.positions)) if pooled >> index & 1]
        surplus = 0 if self._wallet is None else max(0, self._wallet - total)
        lost = self._losses.of_scope(members, cross_wallet + surplus)
        for index in apart:
            lost = added(lost, self._lost_alone[index])
        return max(lost)

    def mix(self, outcome: _Outcome) -> Mix:
        needs, pooled = self._needs, outcome.pooled
        is_pooled = [bool(pooled >> index & 1) for index in range(len(needs.positions))]
        wallets = tuple(None if inside else alone for inside, alone in zip(is_pooled, needs.alone, strict=True))
        return Mix(
            modes=tuple(MarginMode.CROSS if inside else MarginMode.ISOLATED for inside in is_pooled),
            cross_wallet=outcome.cross_wallet,
            isolated_wallets=wallets,
            total=outcome.total,
            leverages=tuple(self._leverage(position, own) for position, own in zip(needs.positions, wallets, strict=True)),
            liquidated=tuple(
                needs.positions[index].position_id
                for index, own in enumerate(wallets)
                if own is not None and not needs.survives(index, own)
            ),
            loss_beyond=outcome.loss if self._losses.is_stated else None,
        )

    def _leverage(self, position: MixPosition, wallet: Cash | None) -> int:
        """Return the most leverage in cross; isolated the least whose initial margin the wallet carries, by halving."""
        now = mark_of(self._marks, position)
        low, high = position.leverage_min, position.most_leverage_at(now)
        if wallet is None:
            return high
        equity = wallet + position.profit_at(now)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if position.initial_margin_at(now, middle) <= equity else (middle + 1, high)
        return low


def _all_pools(needs: Needs) -> Iterator[tuple[int, Column]]:
    """Yield every set of positions as a pool, with its column; each is one addition away from one before."""
    yield from _pools_from(needs, 0, 0, needs.zeros())


def _pools_from(needs: Needs, index: int, pooled: int, column: Column) -> Iterator[tuple[int, Column]]:
    if index == len(needs.columns):
        yield pooled, column
        return
    yield from _pools_from(needs, index + 1, pooled, column)
    yield from _pools_from(needs, index + 1, pooled | 1 << index, added(column, needs.columns[index]))


def _frontier(outcomes: Iterator[_Outcome]) -> list[_Outcome]:
    """Return the outcomes of which no other needs as little and loses as little, cheapest first."""
    kept: list[_Outcome] = []
    for outcome in sorted(outcomes):
        if not kept or outcome.loss < kept[-1].loss:
            kept.append(outcome)
    return kept
