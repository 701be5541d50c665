"""Why an owner's change of settings, margin or money was made or refused (MARG-015 to MARG-027)."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from exchange.domain.commands import (
    AddMargin,
    RemoveMargin,
    SetAutoReplenish,
    SetLeverage,
    SetMarginMode,
    SetPositionMode,
    Withdraw,
)
from exchange.domain.decisions import ChangeDecision, HeldAccount, HeldPosition, Recorded
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.ids import SETTLEMENT_ASSET
from exchange.domain.margin_math import initial_margin, tier_at, unrealized_pnl
from exchange.domain.rejects import Reason
from exchange.domain.units import Cash, format_cash
from exchange.explain.arithmetic import Arithmetic
from exchange.explain.comparing import Row, compare
from exchange.explain.explanation import BeforeAfter, Explanation, PathArithmetic
from exchange.explain.holdings import (
    Instruments,
    Numbered,
    as_held,
    give_leverage,
    give_position,
    in_other_mode,
    numbered,
    work_initial,
    work_profit,
)
from exchange.explain.mode_switch import switch_to_cross, switch_to_isolated
from exchange.explain.reach import work_reach
from exchange.explain.reserves import Reserves, work_available
from exchange.explain.scopes import CROSS_TITLE, View, actual_view, give_own_wallet, other_view, work_scope
from exchange.explain.wording import money

ROWS: tuple[Row, ...] = (
    ("cross wallet", "money", ("W",)),
    ("isolated wallet", "money", ("W1",)),
    ("held by its orders", "money", ("R_all",)),
    ("available", "money", ("available",)),
    ("equity of the cross pool", "money", ("E_x",)),
    ("initial margin of the cross pool", "money", ("IM_x",)),
)


class Judged(NamedTuple):
    """What was found: what the checks come to, and the account as it would be afterwards, where that was looked at."""

    conclusion: str
    passes: bool
    after: PathArithmetic | None = None


def explain_change(recorded: Recorded, instruments: Instruments) -> Explanation:
    """Return why a change was made or refused."""
    decision = recorded.decision
    assert isinstance(decision, ChangeDecision), "a change is explained"
    view = actual_view(decision.held, instruments, decision.position_id)
    judged = _judge(view, decision, instruments)
    conclusion, passes = judged.conclusion, judged.passes
    if decision.reason is Reason.MARK_STALE:
        view.a.count("stale", "a mark that matters is older than the venue allows", 1)
        view.a.check("fresh", "its marks are fresh", "stale", "=", "0", holds=False, rule="MARK-004")
        conclusion, passes = f"fresh and ({conclusion})", False
    path = view.a.finish(conclusion, verdict=passes, outcome="made" if passes else "refused")
    paths = tuple(each for each in (path, judged.after, _other_mode(view, decision, instruments)) if each is not None)
    symbol = None if view.subject is None else view.subject.held.symbol
    side = None if view.subject is None else view.subject.held.position_side
    return Explanation(
        kind="change",
        headline=_headline(decision, path),
        sequence=recorded.sequence,
        time_ns=recorded.time_ns,
        account=decision.account,
        symbol=symbol,
        position_side=None if side in (None, PositionSide.NET) else side.value,
        verdict="made" if decision.reason is None else "refused",
        reason=None if decision.reason is None else decision.reason.value,
        paths=paths,
        compared=compare(paths, ROWS),
        changes=_changes(decision, view),
        prevention=_prevention(decision, path),
    )


def _other_mode(view: View, decision: ChangeDecision, instruments: Instruments) -> PathArithmetic | None:
    """Return how the same leverage would have been judged in the other margin mode; other changes have but one mode."""
    position, change = view.subject, decision.change
    is_judged = decision.reason is not Reason.LEVERAGE_RANGE and (decision.orders or (position and position.held.quantity))
    if not isinstance(change, SetLeverage) or position is None or not is_judged:
        return None
    turned = replace(decision, held=in_other_mode(decision.held, position))
    other = other_view(decision.held, instruments, position.held.position_id)
    judged = _leverage(other, turned, change.leverage, instruments)
    outcome = "would have been made" if judged.passes else "would have been refused"
    return other.a.finish(judged.conclusion, verdict=judged.passes, outcome=outcome)


def _judge(view: View, decision: ChangeDecision, instruments: Instruments) -> Judged:
    match decision.change:
        case AddMargin() | RemoveMargin():
            return _margin_move(view, decision)
        case Withdraw():
            return _withdrawal(view, decision)
        case SetLeverage(leverage=leverage):
            return _leverage(view, decision, leverage, instruments)
        case SetMarginMode():
            return _mode(view, decision, instruments)
        case SetPositionMode():
            busy = len(decision.held.positions)
            view.a.count("busy", "positions that are open or have orders", busy)
            free = view.a.check("all_idle", "none is open or has orders", "busy", "=", "0", holds=busy == 0, rule="MARG-025")
            return Judged("all_idle", free)
        case SetAutoReplenish():
            view.a.check("free_choice", "this is the owner's to choose at any time", "1", "=", "1", holds=True, rule="MARG-024")
            return Judged("free_choice", True)


# -- margin and money --------------------------------------------------------------------------------------------------


def _amount(a: Arithmetic, amount: Cash) -> bool:
    a.money("amount", "the amount asked for", amount)
    return a.check("positive", "the amount is above 0", "amount", ">", "0", holds=amount > 0, rule="MARG-016")


def _flag(a: Arithmetic, name: str, meaning: str, *, flagged: bool) -> bool:
    a.count(f"{name}_flags", "liquidations under way there", int(flagged))
    return a.check(name, meaning, f"{name}_flags", "=", "0", holds=not flagged, rule="LIQ-001")


def _margin_move(view: View, decision: ChangeDecision) -> Judged:
    a, subject, change = view.a, view.subject, decision.change
    assert isinstance(change, AddMargin | RemoveMargin), "margin moves in or out"
    held = None if subject is None else subject.held
    is_open = held is not None and held.margin_mode is MarginMode.ISOLATED and held.quantity != 0
    a.count("isolated_open", "open isolated positions meant", int(is_open))
    a.check("is_isolated", "it is an open isolated position", "isolated_open", "=", "1", holds=is_open, rule="MARG-016")
    positive = _amount(a, change.amount)
    if subject is None or not is_open or not positive:
        return Judged("is_isolated and positive", False)
    if isinstance(change, AddMargin):
        available = _available(view, subject, decision, with_profit=False, name="available")
        most = a.money_step("most", "the most that may be added", "max(0, available)", max(0, available), "MARG-016")
        within = a.check("within", "the amount is not above that", "amount", "<=", "most", holds=change.amount <= most,
                         rule="MARG-016")  # fmt: skip
        return Judged("is_isolated and positive and within", within)
    free = _flag(a, "not_liquidating", "it is not being liquidated", flagged=subject.held.is_liquidating)
    standing = work_scope(view, initial=True)
    most = max(0, min(subject.held.wallet, standing.equity - standing.initial))
    wallet = give_own_wallet(view, subject)
    a.money_step("most", "the most that may be taken out", f"max(0, min({wallet}, E - IM))", most, "MARG-016")
    within = a.check("within", "the amount is not above that", "amount", "<=", "most", holds=change.amount <= most,
                     rule="MARG-016")  # fmt: skip
    return Judged("is_isolated and positive and not_liquidating and within", free and within)


def _available(view: View, subject: Numbered, decision: ChangeDecision, *, with_profit: bool, name: str) -> Cash:
    held = Reserves(view, subject, decision.orders).work("R_all", "held by its orders", decision.orders, "")
    return work_available(view, subject, held, "R_all", with_profit=with_profit, name=name)


def _withdrawal(view: View, decision: ChangeDecision) -> Judged:
    a, change = view.a, decision.change
    assert isinstance(change, Withdraw), "money is withdrawn"
    if change.asset != SETTLEMENT_ASSET:
        return _asset_withdrawal(view, decision, change)
    positive = _amount(a, change.amount)
    free = _flag(a, "not_liquidating", "the cross pool is not being liquidated", flagged=view.account.is_liquidating)
    available = work_available(view, None, 0, "", with_profit=False, in_settlement=True)
    most = a.money_step("most", "the most that may be withdrawn", "max(0, available)", max(0, available), "MARG-027")
    within = a.check("within", "the amount is not above that", "amount", "<=", "most", holds=change.amount <= most,
                     rule="MARG-027")  # fmt: skip
    return Judged("positive and not_liquidating and within", positive and free and within)


def _asset_withdrawal(view: View, decision: ChangeDecision, change: Withdraw) -> Judged:
    """Write down a withdrawal of collateral in units of the asset; the most of it is the engine's number."""
    a = view.a
    a.count("amount", f"the amount asked for, in the smallest units of {change.asset}", change.amount)
    positive = a.check("positive", "the amount is above 0", "amount", ">", "0", holds=change.amount > 0, rule="MARG-027")
    free = _flag(a, "not_liquidating", "the cross pool is not being liquidated", flagged=view.account.is_liquidating)
    most = change.amount if decision.reason is None and decision.limit is None else decision.limit or 0
    a.count("most", "the most that leaves what is available at or above 0", most)
    within = a.check("within", "the amount is not above that", "amount", "<=", "most", holds=change.amount <= most,
                     rule="MARG-027")  # fmt: skip
    return Judged("positive and not_liquidating and within", positive and free and within)


# -- leverage and mode ---------------------------------------------------------------------------------------------------


def _leverage(view: View, decision: ChangeDecision, leverage: int, instruments: Instruments) -> Judged:
    a, subject = view.a, view.subject
    assert subject is not None, "a leverage has a position, flat or not"
    instrument, held = subject.instrument, subject.held
    a.count("leverage", "the leverage asked for", leverage)
    a.count("leverage_max", "the most of the symbol", instrument.max_leverage)
    least = a.check("at_least_one", "it is at least 1", "leverage", ">=", "1", holds=leverage >= 1, rule="MARG-015")
    in_range = leverage <= instrument.max_leverage
    a.check("within_range", "it is at most the symbol's", "leverage", "<=", "leverage_max", holds=in_range, rule="MARG-015")
    flagged = held.is_liquidating if view.is_isolated else view.account.is_liquidating
    free = _flag(a, "not_liquidating", "its scope is not being liquidated", flagged=flagged)
    allowed = "at_least_one and within_range and not_liquidating"
    if not (least and in_range and free) or not (held.quantity or decision.orders):
        return Judged(allowed, least and in_range and free)
    reach = work_reach(view, subject, decision.orders)
    give_leverage(a, subject)
    most = max(tier_at(instrument.tiers, reach).max_leverage, held.leverage)
    fits = a.check("leverage_allowed", "the tier that it can reach allows it, or it is not raised", "leverage", "<=",
                   f"max(reach_top, {subject.name('L')})", holds=leverage <= most, rule="MARG-022")  # fmt: skip
    if not fits:
        return Judged(f"{allowed} and leverage_allowed", False)
    margin = 0
    if view.is_isolated and leverage < held.leverage:
        margin = _lowered(view, subject, leverage)
    else:
        a.money_step("moved", "no money has to move into its wallet", "0", 0, "MARG-022")
    before = _available(view, subject, decision, with_profit=True, name="available")
    turned = replace(held, leverage=leverage, wallet=held.wallet + margin)
    after_path, after = _after(decision, turned, margin, instruments, with_profit=True)
    a.money("available_after", "available after it", after)
    enough = a.check("affordable", "what is available is not negative after it", "available_after", ">=", "0", holds=after >= 0,
                     rule="MARG-022")  # fmt: skip
    same = a.check("not_less", "or at least not less than before", "available_after", ">=", "available", holds=after >= before,
                   rule="MARG-022")  # fmt: skip
    still = a.check("nothing_moved", "and no money has to move for it", "moved", "=", "0", holds=margin == 0, rule="MARG-022")
    conclusion = f"{allowed} and leverage_allowed and (affordable or (not_less and nothing_moved))"
    return Judged(conclusion, enough or (same and still), after_path)


def _lowered(view: View, subject: Numbered, leverage: int) -> Cash:
    """Write down what an isolated position has to be given for a lower leverage (MARG-022)."""
    a, held, wallet = view.a, subject.held, give_own_wallet(view, subject)
    if not held.quantity:
        return a.money_step("moved", "a flat position needs nothing", f"max(0, 0 - {wallet})", max(0, -held.wallet), "MARG-022")
    give_position(a, subject)
    needed = initial_margin(subject.instrument, held.quantity, held.entry_cost, subject.mark, leverage)
    work_initial(a, as_held(subject), leverage=leverage)
    equity = held.wallet + work_profit(a, as_held(subject))
    formula = f"max(0, {subject.name('IM')}_at_leverage - ({wallet} + {subject.name('u')}))"
    return a.money_step("moved", "moves into its wallet", formula, max(0, needed - equity), "MARG-022")


def _after(
    decision: ChangeDecision, turned: HeldPosition, margin: Cash, instruments: Instruments, *, with_profit: bool
) -> tuple[PathArithmetic, Cash]:
    """Return what would be available after a change, worked out on the account as it would be then."""
    view = view_after(decision.held, turned, margin, instruments)
    assert view.subject is not None, "the position that was turned is there"
    available = _available(view, view.subject, decision, with_profit=with_profit, name="available")
    view.a.check(
        "affordable", "what is available is not negative", "available", ">=", "0", holds=available >= 0, rule="MARG-009"
    )
    outcome = "enough is available" if available >= 0 else "too little is available"
    return view.a.finish("affordable", verdict=available >= 0, outcome=outcome), available


def view_after(account: HeldAccount, turned: HeldPosition, margin: Cash, instruments: Instruments) -> View:
    """Return the account with one position turned, and ``margin`` moved out of the cross wallet."""
    positions = tuple(turned if each.position_id == turned.position_id else each for each in account.positions)
    then = replace(account, wallet=account.wallet - margin, positions=positions)
    found = numbered(then, instruments, turned.position_id)
    is_isolated = turned.margin_mode is MarginMode.ISOLATED
    title = "after it" if not is_isolated else f"{found[0].label} after it"
    note = "the account as the change would leave it"
    path = MarginMode.ISOLATED if is_isolated else MarginMode.CROSS
    return View(Arithmetic(path.value, title or CROSS_TITLE, note), then, found, found[0])


def _mode(view: View, decision: ChangeDecision, instruments: Instruments) -> Judged:
    a, subject, change = view.a, view.subject, decision.change
    assert subject is not None, "a mode has a position, flat or not"
    assert isinstance(change, SetMarginMode), "a mode is set"
    held = subject.held
    flagged = held.is_liquidating if view.is_isolated else view.account.is_liquidating
    idle = not (held.quantity or decision.orders)
    if idle or change.margin_mode is held.margin_mode:
        return Judged("not_liquidating", _flag(a, "not_liquidating", "its scope is not being liquidated", flagged=flagged))
    both = _flag(a, "not_liquidating", "neither scope is being liquidated",
                 flagged=held.is_liquidating or view.account.is_liquidating)  # fmt: skip
    if not both:
        return Judged("not_liquidating", False)
    if change.margin_mode is MarginMode.CROSS:
        turned = replace(held, margin_mode=MarginMode.CROSS, wallet=0)
        after = view_after(decision.held, turned, -held.wallet, instruments)
        conclusion, passes, path = switch_to_cross(view, after)
        return Judged(f"not_liquidating and ({conclusion})", passes, path)
    usual = 0
    if held.quantity:
        profit = unrealized_pnl(subject.instrument, held.quantity, held.entry_cost, subject.mark)
        needed = initial_margin(subject.instrument, held.quantity, held.entry_cost, subject.mark, held.leverage)
        usual = needed + max(0, -profit)
    margin = usual if change.margin is None or not held.quantity else change.margin
    if not switch_to_isolated(view, subject, usual, margin):
        return Judged("not_liquidating and enough_chosen", False)
    turned = replace(held, margin_mode=MarginMode.ISOLATED, wallet=held.wallet + margin)
    after_path, available = _after(decision, turned, margin, instruments, with_profit=True)
    a.money("available_after", "available after it", available)
    enough = a.check("affordable", "what is available is not negative after it", "available_after", ">=", "0",
                     holds=available >= 0, rule="MARG-021")  # fmt: skip
    return Judged("not_liquidating and enough_chosen and affordable", enough, after_path)


# -- words -------------------------------------------------------------------------------------------------------------


def _headline(decision: ChangeDecision, path: PathArithmetic) -> str:
    who, wish = decision.account, _wish(decision)
    if decision.reason is None:
        moved = f", which moved {money(abs(decision.margin))}" if decision.margin else ""
        moved += "" if not decision.margin else " into its wallet" if decision.margin > 0 else " back to the cross wallet"
        return f"{who}'s change {wish} was made{moved}"
    said = f"{who}'s change {wish} was refused with {decision.reason.value}"
    failing = next((each for each in path.checks if not each.holds and each.name in path.conclusion), None)
    return said if failing is None else f"{said}: the check that {failing.meaning} failed ({failing.numbers})"


def _wish(decision: ChangeDecision) -> str:
    match decision.change:
        case AddMargin(symbol=symbol, amount=amount):
            return f"to add {money(amount)} of margin to {symbol}"
        case RemoveMargin(symbol=symbol, amount=amount):
            return f"to take {money(amount)} of margin out of {symbol}"
        case Withdraw(asset=asset, amount=amount):
            return f"to withdraw {money(amount) if asset == SETTLEMENT_ASSET else f'{amount} units of {asset}'}"
        case SetLeverage(symbol=symbol, leverage=leverage):
            return f"of {symbol} to leverage {leverage}"
        case SetMarginMode(symbol=symbol, margin_mode=mode):
            return f"of {symbol} to {mode.value} margin"
        case SetPositionMode(position_mode=position_mode):
            return f"to {position_mode.value.replace('_', '-')} mode"
        case SetAutoReplenish(symbol=symbol, enabled=enabled):
            return f"of {symbol} to auto-replenish {'on' if enabled else 'off'}"


def _changes(decision: ChangeDecision, view: View) -> tuple[BeforeAfter, ...]:
    if decision.reason is not None or not decision.margin or view.subject is None:
        return ()
    wallet, own, margin = decision.held.wallet, view.subject.held.wallet, decision.margin
    return (
        BeforeAfter("cross wallet", "money", format_cash(wallet), format_cash(wallet - margin)),
        BeforeAfter("isolated wallet", "money", format_cash(own), format_cash(own + margin)),
    )


def _prevention(decision: ChangeDecision, path: PathArithmetic) -> tuple[str, ...]:
    if decision.reason is None:
        return ()
    most, after = path.value("most"), path.value("available_after")
    if most is not None and decision.reason is not Reason.LIQUIDATION_IN_PROGRESS:
        return (f"an amount of {most} or less would have gone through",)
    if after is not None and after.startswith("-"):
        return (f"{after.removeprefix('-')} more in the cross wallet would have let it through",)
    return ()
