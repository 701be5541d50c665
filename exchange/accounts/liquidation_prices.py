"""Where a position would be liquidated, the other leg of a hedge included (MARG-006)."""

from __future__ import annotations

from collections.abc import Mapping

from exchange.accounts.margin import path_of
from exchange.accounts.position import Account, Position
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.ids import Symbol
from exchange.domain.liquidation_range import LegTerms, liquidation_range, shown_liquidation_price
from exchange.domain.margin_math import liquidation_price, unrealized_pnl
from exchange.domain.units import Cash, Lots, Ticks


def position_liquidation_price(account: Account, position: Position, marks: Mapping[Symbol, Ticks]) -> Ticks | None:
    """Return an open position's liquidation price, all marks of other symbols frozen."""
    collateral = path_of(position).collateral(account, position, marks)
    return liquidation_price_at(account, position, marks, position.quantity, position.entry_cost, collateral)


def liquidation_price_at(
    account: Account,
    position: Position,
    marks: Mapping[Symbol, Ticks],
    quantity: Lots,
    entry_cost: Cash,
    collateral: Cash,
) -> Ticks | None:
    """Return the liquidation price that the position would have at this size, cost and collateral.

    ``collateral`` takes everything else as frozen; the other leg of a hedge moves with the mark and is taken out of it.
    """
    mark, other = marks[position.symbol], _other_leg(account, position)
    if other is None:
        return liquidation_price(position.instrument, quantity, entry_cost, collateral, mark)
    collateral -= unrealized_pnl(other.instrument, other.quantity, other.entry_cost, mark)
    collateral += other.maintenance_margin(mark)
    legs = (
        LegTerms(position.instrument, quantity, entry_cost),
        LegTerms(other.instrument, other.quantity, other.entry_cost),
    )
    return shown_liquidation_price(liquidation_range(legs, collateral), quantity + other.quantity, mark)


def _other_leg(account: Account, position: Position) -> Position | None:
    """Return the open position on the other side of a hedge that the same pool backs."""
    if position.position_side is PositionSide.NET or position.margin_mode is not MarginMode.CROSS:
        return None
    for held in account.positions_in(position.symbol):
        if held is not position and held.quantity and held.margin_mode is MarginMode.CROSS:
            return held
    return None
