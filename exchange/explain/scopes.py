"""A scope's health written down: equity, maintenance, ratio, and the mark at which the two meet; on either path."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.domain.decisions import HeldAccount
from exchange.domain.enums import MarginMode
from exchange.domain.ids import PositionId
from exchange.domain.margin_math import (
    initial_margin,
    liquidation_root,
    maintenance_margin,
    margin_ratio,
    tier_at,
    unrealized_pnl,
)
from exchange.domain.policy import MarginPrice
from exchange.domain.units import Cash, Ppm, Ticks, ceil_div, format_rate
from exchange.explain.arithmetic import Arithmetic, total
from exchange.explain.holdings import (
    Instruments,
    Numbered,
    TierNames,
    as_held,
    give_leverage,
    give_position,
    give_tier,
    in_other_mode,
    in_pool,
    numbered,
    other_leg,
    rate_formula,
    times_multiplier,
    wallet_at_entry,
    work_initial,
    work_maintenance,
    work_profit,
)

CROSS_TITLE = "the cross pool"


@dataclass(frozen=True, slots=True)
class View:
    """An account as one margin path sees it, and the arithmetic that is being written of it."""

    a: Arithmetic
    account: HeldAccount
    positions: tuple[Numbered, ...]
    subject: Numbered | None
    """The position that a decision is about; None where it is about the cross pool."""

    @property
    def is_isolated(self) -> bool:
        """Whether the subject stands alone."""
        return self.subject is not None and self.subject.held.margin_mode is MarginMode.ISOLATED


def actual_view(account: HeldAccount, instruments: Instruments, subject: PositionId | None) -> View:
    """Return the account as it was."""
    positions = numbered(account, instruments, subject)
    chosen = next((each for each in positions if each.held.position_id == subject), None)
    is_isolated = chosen is not None and chosen.held.margin_mode is MarginMode.ISOLATED
    title = f"{chosen.label} alone" if is_isolated and chosen is not None else CROSS_TITLE
    mode = MarginMode.ISOLATED if is_isolated else MarginMode.CROSS
    return View(Arithmetic(mode.value, title), account, positions, chosen)


def other_view(account: HeldAccount, instruments: Instruments, subject: PositionId) -> View:
    """Return the account as if the subject had been in the other margin mode, with the wallets that it would then have."""
    real = actual_view(account, instruments, subject)
    position = real.subject
    assert position is not None, "the subject is one of the account's positions"
    turned = in_other_mode(account, position)
    positions = numbered(turned, instruments, subject)
    if real.is_isolated:
        note = "as if the position had been cross: its wallet back in the pool, and the pool behind it"
        view = View(Arithmetic(MarginMode.CROSS.value, CROSS_TITLE, note), turned, positions, positions[0])
        _return_wallet(view, account, position)
    else:
        note = "as if the position had been isolated: its initial margin at entry in a wallet of its own, out of the pool"
        view = View(Arithmetic(MarginMode.ISOLATED.value, f"{position.label} alone", note), turned, positions, positions[0])
        _set_wallet_aside(view, account, position)
    return view


def _return_wallet(view: View, account: HeldAccount, position: Numbered) -> None:
    a = view.a
    if not position.held.wallet:
        return
    a.money("W_was", "the cross wallet as it was", account.wallet)
    a.money("W_own", f"{position.label}: its isolated wallet", position.held.wallet)
    a.money_step("W", "cross wallet", "W_was + W_own", view.account.wallet, "MARG-021")


def _set_wallet_aside(view: View, account: HeldAccount, position: Numbered) -> None:
    a = view.a
    if not position.held.quantity:
        return
    a.money("W_was", "the cross wallet as it was", account.wallet)
    give_position(a, position)
    give_leverage(a, position)
    tier = give_tier(a, as_held(position), MarginPrice.ENTRY)
    formula = f"up({tier.notional} / min({position.name('L')}, {tier.top}))"
    wallet = position.name("W")
    a.money_step(wallet, f"{position.label}: isolated wallet", formula, wallet_at_entry(position), "MARG-004")
    a.money_step("W", "cross wallet", f"W_was - {wallet}", view.account.wallet, "MARG-012")


# -- wallets and equity ------------------------------------------------------------------------------------------------


def give_wallet(view: View) -> None:
    """Name the cross wallet, unless it was worked out already."""
    view.a.money("W", "cross wallet", view.account.wallet)


def give_collateral(view: View) -> str:
    """Name the value of collateral assets, if there are any, and return what a formula adds for it."""
    if not view.account.collateral_value:
        return ""
    view.a.money("K", "value of collateral assets", view.account.collateral_value)
    return " + K"


def give_own_wallet(view: View, position: Numbered) -> str:
    """Name an isolated position's wallet, and return that name."""
    view.a.money(position.name("W"), f"{position.label}: isolated wallet", position.held.wallet)
    return position.name("W")


@dataclass(frozen=True, slots=True)
class Standing:
    """A scope's numbers, and the names that formulas have for them."""

    equity: Cash
    maintenance: Cash
    initial: Cash
    names: tuple[str, str, str]


def work_pool_equity(view: View, name: str) -> Cash:
    """Write down the equity of the cross pool (MARG-005)."""
    give_wallet(view)
    collateral, equity, terms = give_collateral(view), view.account.wallet + view.account.collateral_value, []
    for each in in_pool(view.positions):
        give_position(view.a, each)
        equity += work_profit(view.a, as_held(each))
        terms.append(each.name("u"))
    return view.a.money_step(name, "equity of the cross pool", total("W" + collateral, *terms), equity, "MARG-005")


def work_pool_initial(view: View, name: str) -> Cash:
    """Write down the initial margin of the cross pool (MARG-004)."""
    value = sum(work_initial(view.a, as_held(each)) for each in in_pool(view.positions))
    formula = total(*(each.name("IM") for each in in_pool(view.positions)))
    return view.a.money_step(name, "initial margin of the cross pool", formula, value, "MARG-004")


def work_pool_maintenance(view: View, name: str) -> Cash:
    """Write down the maintenance margin of the cross pool (MARG-003)."""
    value = sum(work_maintenance(view.a, as_held(each)) for each in in_pool(view.positions))
    formula = total(*(each.name("MM") for each in in_pool(view.positions)))
    return view.a.money_step(name, "maintenance margin of the cross pool", formula, value, "MARG-003")


def work_scope(view: View, *, initial: bool = False) -> Standing:
    """Write down how the subject's scope stands: ``E``, ``MM`` and if asked for ``IM`` (MARG-003 to MARG-005)."""
    a, position = view.a, view.subject
    if position is None or not view.is_isolated:
        equity = work_pool_equity(view, "E")
        maintenance = work_pool_maintenance(view, "MM")
        needed = work_pool_initial(view, "IM") if initial else _pool_initial(view)
        return Standing(equity, maintenance, needed, ("E", "MM", "IM"))
    give_position(a, position)
    wallet, held = give_own_wallet(view, position), as_held(position)
    formula, equity = wallet, position.held.wallet
    if position.held.quantity:
        formula, equity = f"{wallet} + {position.name('u')}", equity + work_profit(a, held)
    a.money_step("E", "equity of the position", formula, equity, "MARG-005")
    maintenance = needed = 0
    if position.held.quantity:
        maintenance = work_maintenance(a, held)
        needed = work_initial(a, held) if initial else _initial(position)
    formula = position.name("MM") if position.held.quantity else "0"
    a.money_step("MM", "its maintenance margin", formula, maintenance, "MARG-003")
    if initial:
        formula = position.name("IM") if position.held.quantity else "0"
        a.money_step("IM", "its initial margin", formula, needed, "MARG-004")
    return Standing(equity, maintenance, needed, ("E", "MM", "IM"))


def _initial(position: Numbered) -> Cash:
    held = position.held
    return initial_margin(position.instrument, held.quantity, held.entry_cost, position.mark, held.leverage)


def _pool_initial(view: View) -> Cash:
    return sum(_initial(each) for each in in_pool(view.positions))


def work_ratio(view: View, standing: Standing) -> Ppm | None:
    """Write down the margin ratio, which needs equity above zero, and return it (MARG-005)."""
    ratio = margin_ratio(standing.equity, standing.maintenance)
    if ratio is not None:
        view.a.step("ratio", "margin ratio; at 1 it is liquidated", "up(MM / E)", format_rate(ratio), "rate", "MARG-005")
    return ratio


def check_breach(view: View, standing: Standing, at_equality: bool) -> bool:
    """Write down whether the scope is to be liquidated, and return it (MARG-005)."""
    a, relation = view.a, "<=" if at_equality else "<"
    below = standing.equity < standing.maintenance or (at_equality and standing.equity == standing.maintenance)
    a.check("exposed", "there is maintenance to meet", "MM", ">", "0", holds=standing.maintenance > 0, rule="MARG-005")
    a.check("breached", "equity is below maintenance margin", "E", relation, "MM", holds=below, rule="MARG-005")
    return standing.maintenance > 0 and below


# -- the mark at which equity equals maintenance -----------------------------------------------------------------------


def work_liquidation_price(view: View, position: Numbered, standing: Standing) -> Ticks | None:
    """Write down the mark at which the scope's equity meets its maintenance, all other marks frozen (MARG-006).

    Rounded to a tick at which the scope is still healthy; None where no mark does that, or where the other leg of a hedge
    moves with it.
    """
    held, instrument, a = position.held, position.instrument, view.a
    if not held.quantity or other_leg(position, view.positions) is not None:
        return None
    if view.is_isolated:
        cover, cover_name = held.wallet, position.name("W")
    else:
        profit = unrealized_pnl(instrument, held.quantity, held.entry_cost, position.mark)
        own = maintenance_margin(instrument, held.quantity, held.entry_cost, position.mark)
        cover = (standing.equity - profit) - (standing.maintenance - own)
        cover_name = position.name("cover")
    root = liquidation_root(instrument, held.quantity, held.entry_cost, cover)
    if root is None:
        return None
    if not view.is_isolated:
        formula = f"(E - {position.name('u')}) - (MM - {position.name('MM')})"
        a.money_step(cover_name, "what stands behind it, all others provided for", formula, cover, "MARG-006")
    at_mark = instrument.rules.maintenance_price is MarginPrice.MARK
    if at_mark:
        notional = root.numerator * abs(held.quantity) * instrument.cash_per_tick_lot // root.denominator
        tier = tier_at(instrument.tiers, notional)
    else:
        tier = tier_at(instrument.tiers, abs(held.entry_cost))
    names = TierNames("", *(position.name(f"lp_{stem}") for stem in ("rate", "amount", "top")))
    a.rate(names.rate, f"{position.label}: maintenance rate of the tier there", tier.maintenance_rate)
    a.money(names.amount, f"{position.label}: maintenance amount of the tier there", tier.maintenance_amount)
    q, c, rate = position.name("q"), position.name("c"), rate_formula(a, position, names.rate)
    if at_mark:
        per_price = f"({q} - abs({q}) * {rate})"
        if times_multiplier(position):
            per_price = f"({per_price}{times_multiplier(position)})"
        exact = f"({c} - {cover_name} - {names.amount}) / {per_price}"
    else:
        exact = f"({c} - {cover_name} + abs({c}) * {rate} - {names.amount}) / ({q}{times_multiplier(position)})"
    a.given(position.name("tick"), f"{position.label}: tick", instrument.price_grid.size, "price")
    rounding = "ceil" if held.quantity > 0 else "floor"
    value = ceil_div(root.numerator, root.denominator) if held.quantity > 0 else root.numerator // root.denominator
    formula = f"{rounding}({exact} / {position.name('tick')}) * {position.name('tick')}"
    meaning, shown = f"{position.label}: the last mark at which it is healthy", instrument.price_grid.format(value)
    a.step("LP", meaning, formula, shown, "price", "MARG-006")
    return value
