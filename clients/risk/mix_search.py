"""The cheapest mix of many positions, found best first.

Positions that must survive are pooled at once: pooling never costs more than keeping apart. The others are decided one by
one. What a partial mix will cost at least is the need of its pool at the worst single moment, each undecided position
counted at the lesser of its need there and its isolated wallet, plus the wallets of those that are apart. The search is exact
unless more than ``SEARCH_NODES_MAX`` partial mixes are opened; then the least of those bounds tells how much cheaper a mix
could be than the one that was found.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from clients.risk.mix_needs import Column, Needs, added
from exchange.domain.units import Cash

SEARCH_NODES_MAX = 20_000


class _Branch(NamedTuple):
    """A partial mix: the first ``decided`` of the undecided order have their mode. ``column`` bounds the pool from below."""

    bound: Cash
    decided: int
    pooled: int
    apart: Cash
    column: Column


def cheapest_pool(needs: Needs, *, nodes_max: int = SEARCH_NODES_MAX) -> tuple[int, Cash]:
    """Return the pool of the cheapest mix found, as bits by index, and a total in cash that no mix undercuts."""
    free = [index for index, position in enumerate(needs.positions) if position.may_be_liquidated]
    free.sort(key=lambda index: (needs.alone[index] - max(needs.columns[index]), index))
    fixed = needs.everyone - sum(1 << index for index in free)
    lesser = {index: tuple(min(need, needs.alone[index]) for need in needs.columns[index]) for index in free}
    start = needs.sum_of(fixed)
    for index in free:
        start = added(start, lesser[index])
    best = min((needs.total(pooled), pooled) for pooled in (needs.everyone, fixed))
    heap = [_Branch(max(0, max(start)), 0, fixed, 0, start)]
    for _ in range(nodes_max):
        if not heap or heap[0].bound >= best[0]:
            return best[1], best[0]
        branch = heapq.heappop(heap)
        if branch.decided == len(free):
            best = min(best, (needs.total(branch.pooled), branch.pooled))
            continue
        rest = sum(1 << other for other in free[branch.decided + 1 :])
        for taken in _branches(needs, branch, free[branch.decided], lesser):
            heapq.heappush(heap, taken)
            best = min(best, *((needs.total(whole), whole) for whole in (taken.pooled, taken.pooled | rest)))
    return best[1], min(best[0], heap[0].bound if heap else best[0])


def _branches(needs: Needs, branch: _Branch, index: int, lesser: Mapping[int, Column]) -> Iterator[_Branch]:
    """Yield the branch with one more position pooled, and with it apart."""
    pooled = added(branch.column, _less(needs.columns[index], lesser[index]))
    apart = _less(branch.column, lesser[index])
    for members, outside, column in (
        (branch.pooled | 1 << index, branch.apart, pooled),
        (branch.pooled, branch.apart + needs.alone[index], apart),
    ):
        bound = max(branch.bound, outside + max(0, max(column)))
        yield _Branch(bound, branch.decided + 1, members, outside, column)


def _less(one: Column, other: Column) -> Column:
    return tuple([a - b for a, b in zip(one, other, strict=True)])
