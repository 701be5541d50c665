"""How a planned position would stand in cross and in isolated mode: the numbers of ``ringfence margin``.

All of them come from the venue's own formulas in ``exchange.domain.margin_math``; there is no second formula here.
"""

from __future__ import annotations

from dataclasses import dataclass

from clients.risk.position_plan import PlanRefused, PositionPlan, check_price, least_healthy_equity
from exchange.domain.enums import MarginMode
from exchange.domain.margin_math import bankruptcy_price, liquidation_price, margin_ratio
from exchange.domain.units import PPM, Cash, Ppm, Ticks, format_cash


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginPicture:
    """One mode's health at a mark. Units: money cash, prices ticks, ``margin_ratio`` and ``liquidation_distance`` ppm.

    ``wallet`` stands behind the position after the opening fee. ``margin_ratio`` is None without positive equity
    (MARG-005). Prices are None where no positive mark is one. ``liquidation_distance`` is how far, as a part of the mark,
    the liquidation price lies from it, rounded down. ``loss_max`` is the most that the position can lose, its opening fee
    included.
    """

    mode: MarginMode
    wallet: Cash
    unrealized_pnl: Cash
    equity: Cash
    initial_margin: Cash
    maintenance_margin: Cash
    margin_ratio: Ppm | None
    liquidation_price: Ticks | None
    liquidation_distance: Ppm | None
    bankruptcy_price: Ticks | None
    is_liquidated: bool
    loss_max: Cash


def least_wallet(plan: PositionPlan) -> Cash:
    """Return the least wallet, before fees, with which a venue lets the position be opened, in cash (MARG-010)."""
    return max(plan.opening_reserve, plan.opening_fee + plan.opening_margin)


def picture_cross(plan: PositionPlan, *, wallet: Cash, mark_price: Ticks) -> MarginPicture:
    """Return the position's health with a cross wallet, and nothing else in it, behind it.

    Units: ``wallet`` cash before the opening fee, ``mark_price`` ticks. Raises ``PlanRefused`` where it does not suffice.
    """
    _check_wallet(plan, wallet)
    return _picture(plan, MarginMode.CROSS, wallet - plan.opening_fee, mark_price)


def picture_isolated(
    plan: PositionPlan, *, mark_price: Ticks, margin: Cash | None = None, wallet: Cash | None = None
) -> MarginPicture:
    """Return the position's health with a wallet of its own.

    Units: cash and ticks. ``margin`` is what its wallet holds after the opening fee (by default what opening it moves
    there), ``wallet`` the cross wallet before that. Raises ``PlanRefused`` where the one is too little or the other cannot
    pay for it (MARG-012, MARG-016).
    """
    least = plan.opening_margin
    if wallet is not None:
        _check_wallet(plan, wallet)
    if margin is None:
        margin = least
    elif margin < plan.initial_margin_at(plan.entry_price):
        raise PlanRefused(
            "margin",
            f"{format_cash(margin)} is below {format_cash(plan.initial_margin_at(plan.entry_price))}, the initial margin "
            f"at leverage {plan.leverage}; raise it, or the leverage",
        )
    elif wallet is not None and margin > wallet - plan.opening_fee:
        raise PlanRefused(
            "margin",
            f"{format_cash(margin)} is more than the {format_cash(wallet - plan.opening_fee)} that the wallet has left "
            f"after the fee; lower it, or raise the wallet",
        )
    return _picture(plan, MarginMode.ISOLATED, margin, mark_price)


def _check_wallet(plan: PositionPlan, wallet: Cash) -> None:
    if wallet < least_wallet(plan):
        raise PlanRefused(
            "wallet",
            f"{format_cash(wallet)} does not open this position, which takes {format_cash(least_wallet(plan))} (initial "
            f"margin {format_cash(plan.initial_margin_at(plan.entry_price))}, fee {format_cash(plan.opening_fee)}, rounding); "
            f"raise it, or the leverage, or lower the quantity",
        )


def _picture(plan: PositionPlan, mode: MarginMode, wallet: Cash, mark_price: Ticks) -> MarginPicture:
    check_price(plan.instrument, "mark_price", mark_price)
    instrument, quantity = plan.instrument, plan.signed_quantity
    profit, maintenance = plan.profit_at(mark_price), plan.maintenance_at(mark_price)
    equity = wallet + profit
    liquidated_at = liquidation_price(instrument, quantity, plan.entry_cost, wallet, mark_price)
    bankrupt_at = bankruptcy_price(instrument, quantity, mark_price, equity)
    strict = instrument.rules.liquidate_at_equality
    return MarginPicture(
        mode=mode,
        wallet=wallet,
        unrealized_pnl=profit,
        equity=equity,
        initial_margin=plan.initial_margin_at(mark_price),
        maintenance_margin=maintenance,
        margin_ratio=margin_ratio(equity, maintenance),
        liquidation_price=liquidated_at,
        liquidation_distance=None if liquidated_at is None else abs(mark_price - liquidated_at) * PPM // mark_price,
        bankruptcy_price=bankrupt_at if bankrupt_at > 0 else None,
        is_liquidated=maintenance > 0 and equity < least_healthy_equity(maintenance, liquidate_at_equality=strict),
        loss_max=wallet + plan.opening_fee,
    )
