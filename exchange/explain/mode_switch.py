"""A switch of margin mode with a position or orders open, both ways (MARG-021)."""

from __future__ import annotations

from exchange.domain.units import Cash
from exchange.explain.explanation import PathArithmetic
from exchange.explain.holdings import Numbered, as_held, give_position, work_initial, work_profit
from exchange.explain.scopes import View, work_pool_equity, work_pool_initial, work_pool_maintenance


def switch_to_isolated(view: View, subject: Numbered, usual: Cash, margin: Cash) -> bool:
    """Write down what goes into the isolated wallet, and whether that is enough of what was chosen."""
    a, held = view.a, subject.held
    if held.quantity:
        give_position(a, subject)
        work_profit(a, as_held(subject))
        work_initial(a, as_held(subject))
        formula = f"{subject.name('IM')} + max(0, -{subject.name('u')})"
        a.money_step("usual", "what it needs in its wallet", formula, usual, "MARG-021")
    else:
        a.money_step("usual", "a flat position needs nothing", "0", 0, "MARG-021")
    if margin != usual:
        a.money("chosen", "what its owner chose to move", margin)
    name = "chosen" if margin != usual else "usual"
    a.money_step("moved", "moves into its wallet", name, margin, "MARG-021")
    return a.check("enough_chosen", "that is what it needs, or more", "moved", ">=", "usual", holds=margin >= usual,
                   rule="MARG-021")  # fmt: skip


def switch_to_cross(view: View, after: View) -> tuple[str, bool, PathArithmetic]:
    """Write down the pool before and after, and whether it may take the position in.

    Returns what the checks come to, whether it may, and the arithmetic of the pool afterwards.
    """
    a, then = view.a, after.a
    before_equity, before_maintenance = work_pool_equity(view, "E_x"), work_pool_maintenance(view, "MM_x")
    equity, initial = work_pool_equity(after, "E_x"), work_pool_initial(after, "IM_x")
    maintenance = work_pool_maintenance(after, "MM_x")
    then.check("covered", "equity covers initial margin", "E_x", ">=", "IM_x", holds=equity >= initial, rule="MARG-021")
    outcome = "covered" if equity >= initial else "not covered"
    path = then.finish("covered", verdict=equity >= initial, outcome=outcome)
    a.money("E_after", "equity of the pool after it", equity)
    a.money("IM_after", "initial margin of the pool after it", initial)
    a.money("MM_after", "maintenance margin of the pool after it", maintenance)
    covered = a.check("covered", "equity covers initial margin after it", "E_after", ">=", "IM_after",
                      holds=equity >= initial, rule="MARG-021")  # fmt: skip
    had = a.check("had_maintenance", "the pool had maintenance before", "MM_x", ">", "0", holds=before_maintenance > 0,
                  rule="MARG-021")  # fmt: skip
    left = a.check("equity_left", "equity is left after it", "E_after", ">", "0", holds=equity > 0, rule="MARG-021")
    held = a.check("nothing_held", "no maintenance is to meet after it", "MM_after", "<=", "0", holds=maintenance <= 0,
                   rule="MARG-021")  # fmt: skip
    was = a.check("equity_before", "there was equity before", "E_x", ">", "0", holds=before_equity > 0, rule="MARG-021")
    steeper = maintenance * before_equity > before_maintenance * equity
    a.check("ratio_rises", "the margin ratio rises", "MM_after * E_x", ">", "MM_x * E_after", holds=steeper, rule="MARG-021")
    compared = had and left
    spared = not (was and steeper) if compared else held
    conclusion = (
        "covered or (had_maintenance and equity_left and not (equity_before and ratio_rises))"
        " or (not (had_maintenance and equity_left) and nothing_held)"
    )
    return conclusion, covered or spared, path
