"""Why a fill was let through or stopped, as one of its two sides sees it (MARG-012 to MARG-014, MARG-017)."""

from __future__ import annotations

from exchange.domain.decisions import FillDecision, HeldAccount, Recorded
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.margin_math import (
    closed_cost,
    fee_on,
    isolated_fill_margin,
    liquidation_surplus,
    notional_value,
    tier_at,
)
from exchange.domain.policy import LiquidationSurplus, MarginPrice
from exchange.domain.units import Cash, format_cash
from exchange.explain.arithmetic import total
from exchange.explain.comparing import Row, compare
from exchange.explain.explanation import BeforeAfter, Explanation, PathArithmetic
from exchange.explain.holdings import (
    Instruments,
    Numbered,
    Terms,
    as_held,
    give_leverage,
    give_position,
    give_taker_fee,
    give_tier,
    in_pool,
    times_multiplier,
    work_initial,
    work_maintenance,
    work_profit,
)
from exchange.explain.reserves import Reserves, held_by, work_available
from exchange.explain.scopes import (
    View,
    actual_view,
    give_collateral,
    give_own_wallet,
    give_wallet,
    other_view,
    work_scope,
)
from exchange.explain.wording import money, price, quantity

THEN = "_then"
"""Ends the names of a position as it would be after the fill."""
ROWS: tuple[Row, ...] = (
    ("fee", "money", ("fee",)),
    ("realised profit", "money", ("realized",)),
    ("moves into the wallet", "money", ("margin_in",)),
    ("pays out of the wallet", "money", ("margin_out",)),
    ("available", "money", ("available",)),
    ("equity after it", "money", ("E_then",)),
    ("initial margin after it", "money", ("IM_then",)),
    ("maintenance after it", "money", ("MM_then",)),
)


def explain_fill(recorded: Recorded, instruments: Instruments) -> Explanation:
    """Return why one side of a match was let through or stopped, with the other path beside it."""
    decision = recorded.decision
    assert isinstance(decision, FillDecision), "a fill is explained"
    actual = actual_view(decision.held, instruments, decision.position_id)
    path = _judge(actual, decision, is_actual=True)
    paths = [path]
    if decision.terms is None:
        paths.append(_judge(other_view(decision.held, instruments, decision.position_id), decision, is_actual=False))
    side = PositionSide(decision.position_id.partition("/")[2] or "net")
    return Explanation(
        kind="fill",
        headline=_headline(decision, instruments, path),
        sequence=recorded.sequence,
        time_ns=recorded.time_ns,
        account=decision.account,
        symbol=decision.symbol,
        position_side=None if side is PositionSide.NET else side.value,
        order_id=decision.order_id,
        client_order_id=decision.client_order_id,
        verdict="passed" if decision.reason is None else "failed",
        reason=None if decision.reason is None else decision.reason.value,
        paths=tuple(paths),
        compared=compare(paths, ROWS),
        changes=_changes(decision, actual),
    )


def _judge(view: View, decision: FillDecision, *, is_actual: bool) -> PathArithmetic:
    a, subject = view.a, view.subject
    assert subject is not None, "a fill has a position, flat or not"
    give_position(a, subject)
    a.quantity("x", "quantity of the fill", subject.instrument, decision.quantity)
    a.price("p", "price of the fill", subject.instrument, decision.price)
    value = decision.sign * notional_value(subject.instrument, decision.quantity, decision.price)
    a.money_step("value", "what it is worth", f"x * p{times_multiplier(subject)}", abs(value), "MARG-001")
    fee = _work_fee(view, subject, decision)
    if decision.terms is not None:
        _work_realized(view, subject, decision, value)
        a.check("exempt", "liquidation fills are not margin-checked", "1", "=", "1", holds=True, rule="LIQ-006")
        return a.finish("exempt", verdict=True, outcome="passed")
    if subject.held.quantity * decision.sign >= 0:
        conclusion, passes = _increase(view, subject, decision, value, fee)
    else:
        conclusion, passes = _reduce(view, subject, decision, value, fee)
    said = "passed" if passes else "failed"
    return a.finish(conclusion, verdict=passes, outcome=said if is_actual else f"would have {said}")


def _work_fee(view: View, subject: Numbered, decision: FillDecision) -> Cash:
    a, instrument = view.a, subject.instrument
    notional = notional_value(instrument, decision.quantity, decision.price)
    if decision.terms is not None:
        return _work_liquidation_fee(view, subject, decision, notional)
    if decision.is_taker:
        rate = give_taker_fee(a, subject)
        return a.money_step("fee", "the taker's fee", f"up(value * {rate})", fee_on(notional, instrument.taker_fee), "MARG-017")
    a.rate("maker_rate", "the maker's fee, negative for a rebate", instrument.maker_fee)
    fee, formula = fee_on(notional, instrument.maker_fee), "up(value * maker_rate)"
    if decision.meets_liquidation:
        fee, formula = max(0, fee), f"max(0, {formula})"
    return a.money_step("fee", "the maker's fee", formula, fee, "MARG-017")


def _work_liquidation_fee(view: View, subject: Numbered, decision: FillDecision, notional: Cash) -> Cash:
    """Write down the fee of a liquidation fill: at most what it earns over bankruptcy (LIQ-006)."""
    a, instrument, terms = view.a, subject.instrument, decision.terms
    assert terms is not None, "a liquidation order has its terms"
    a.quantity("q_sent", "the position when the order was sent", instrument, terms.quantity)
    a.money("bankruptcy_value", "its whole bankruptcy value then", terms.value)
    surplus = liquidation_surplus(instrument, terms.quantity, decision.price, terms.value, decision.quantity)
    formula = f"down((q_sent * p{times_multiplier(subject)} - bankruptcy_value) * x / abs(q_sent))"
    a.money_step("surplus", "what the fill earns over bankruptcy", formula, surplus, "LIQ-006")
    if instrument.rules.liquidation_surplus is LiquidationSurplus.FUND:
        return a.money_step("fee", "all of it is the fund's", "surplus", surplus, "LIQ-006")
    a.rate("liquidation_rate", "liquidation fee", terms.fee)
    fee = min(fee_on(notional, terms.fee), surplus)
    return a.money_step("fee", "liquidation fee, to the fund", "min(up(value * liquidation_rate), surplus)", fee, "LIQ-006")


# -- an increase -------------------------------------------------------------------------------------------------------


def _increase(view: View, subject: Numbered, decision: FillDecision, value: Cash, fee: Cash) -> tuple[str, bool]:
    """Write down a fill that increases a position (MARG-012)."""
    a, held, instrument = view.a, subject.held, subject.instrument
    then = Terms(subject, held.quantity + decision.sign * decision.quantity, held.entry_cost + value, THEN)
    _work_then(view, subject, decision, then)
    give_leverage(a, subject)
    top = give_tier(a, then, MarginPrice.MARK).top
    most = tier_at(instrument.tiers, notional_value(instrument, then.quantity, subject.mark)).max_leverage
    allowed = a.check(
        "leverage_allowed", "the leverage is allowed in the tier then", subject.name("L"), "<=", top,
        holds=held.leverage <= most, rule="MARG-012",
    )  # fmt: skip
    if not view.is_isolated:
        equity = _work_pool_equity(view, subject, then, f"W{give_collateral(view)} - fee", view.account.wallet - fee)
        initial = _work_pool_initial(view, then)
        covered = _check_covered(view, equity, initial)
        return "leverage_allowed and covered", allowed and covered
    return _increase_isolated(view, subject, decision, then, fee, allowed=allowed)


def _increase_isolated(
    view: View, subject: Numbered, decision: FillDecision, then: Terms, fee: Cash, *, allowed: bool
) -> tuple[str, bool]:
    a, held, instrument, sign = view.a, subject.held, subject.instrument, decision.sign
    wallet, k, mark = give_own_wallet(view, subject), times_multiplier(subject), subject.name("P")
    leverage = subject.name("L")
    margined = "p" if sign > 0 else f"max(p, {mark})"
    loss = f"p - {mark}" if sign > 0 else f"{mark} - p"
    usual = isolated_fill_margin(instrument, sign, decision.quantity, decision.price, subject.mark, held.leverage, fee)
    formula = f"up(x * {margined}{k} / {leverage}) + x * max(0, {loss}){k} + fee"
    if instrument.rules.order_close_fee:
        rate = give_taker_fee(a, subject)
        formula += f" + up(value * ({leverage} {'-' if sign > 0 else '+'} 1) * {rate} / {leverage})"
    a.money_step("usual", "what such a fill moves into the wallet", formula, usual, "MARG-012")
    profit = work_profit(a, then)
    initial = work_initial(a, then)
    needed = initial - (held.wallet - fee + profit)
    formula = f"{then.name('IM')} - ({wallet} - fee + {then.name('u')})"
    a.money_step("needed", "what initial margin needs after it", formula, needed, "MARG-012")
    available = _work_available(view, subject, decision)
    most, least = max(usual, needed), max(0, needed)
    whole = a.check("whole_available", "that is available", "max(usual, needed)", "<=", "available", holds=most <= available,
                    rule="MARG-012")  # fmt: skip
    least_there = a.check("least_available", "or at least what is needed", "max(0, needed)", "<=", "available",
                          holds=least <= available, rule="MARG-012")  # fmt: skip
    moved = most if whole else least
    formula = "max(usual, needed)" if whole else "max(0, needed)"
    a.money_step("margin_in", "moves into the wallet", formula, moved, "MARG-012")
    equity = held.wallet + moved - fee + profit
    a.money_step("E_then", "equity after it", f"{wallet} + margin_in - fee + {then.name('u')}", equity, "MARG-012")
    a.money_step("IM_then", "initial margin after it", then.name("IM"), initial, "MARG-004")
    covered = _check_covered(view, equity, initial)
    conclusion = "leverage_allowed and (whole_available or least_available) and covered"
    return conclusion, allowed and (whole or least_there) and covered


def _work_available(view: View, subject: Numbered, decision: FillDecision) -> Cash:
    """Write down what is available with the filling order's own reservation counted as free (MARG-012)."""
    a = view.a
    reserves = Reserves(view, subject, decision.orders)
    others = tuple(each for each in decision.orders if each.order_id != decision.order_id)
    held = reserves.work("R_all", "held by all its orders", decision.orders, "")
    without = reserves.work("R_others", "held without the filling one", others, "_others")
    assert held == held_by(subject, decision.orders), "what orders hold is a function of them"
    before = work_available(view, subject, held, "R_all", name="available_before")
    value = before + held - without
    meaning = "available, the filling order's own reserve counted as free"
    return a.money_step("available", meaning, "available_before + R_all - R_others", value, "MARG-012")


# -- a reduction -------------------------------------------------------------------------------------------------------


def _reduce(view: View, subject: Numbered, decision: FillDecision, value: Cash, fee: Cash) -> tuple[str, bool]:
    """Write down a fill that reduces a position (MARG-013, MARG-014)."""
    a, held = view.a, subject.held
    realized, cost = _work_realized(view, subject, decision, value)
    then = Terms(subject, held.quantity + decision.sign * decision.quantity, held.entry_cost - cost, THEN)
    _work_then(view, subject, decision, then)
    now = work_scope(view)
    if view.is_isolated:
        equity, maintenance = _reduced_alone(view, subject, decision, then, realized - fee)
    else:
        wallet = view.account.wallet + realized - fee
        base = f"W{give_collateral(view)} + realized - fee"
        equity = _work_pool_equity(view, subject, then, base, wallet)
        maintenance = _work_pool_maintenance(view, then)
    at_equality = subject.instrument.rules.liquidate_at_equality
    healthy = maintenance <= 0 or equity > maintenance or (equity == maintenance and not at_equality)
    not_negative = a.check("not_negative", "equity after it is not negative", "E_then", ">=", "0", holds=equity >= 0,
                           rule="MARG-013")  # fmt: skip
    a.check("nothing_to_hold", "no maintenance is left to meet", "MM_then", "<=", "0", holds=maintenance <= 0, rule="MARG-013")
    relation = ">" if at_equality else ">="
    stands = equity > maintenance or (equity == maintenance and not at_equality)
    a.check("healthy", "it is not below maintenance after it", "E_then", relation, "MM_then", holds=stands, rule="MARG-013")
    no_worse = equity * now.maintenance >= now.equity * maintenance
    a.check("no_worse", "or at least no worse than before", "E_then * MM", ">=", "E * MM_then", holds=no_worse, rule="MARG-013")
    return "not_negative and (nothing_to_hold or healthy or no_worse)", not_negative and (healthy or no_worse)


def _reduced_alone(view: View, subject: Numbered, decision: FillDecision, then: Terms, proceeds: Cash) -> tuple[Cash, Cash]:
    """Write down what an isolated wallet pays out, and the position after that (MARG-014)."""
    a, held, wallet = view.a, subject.held, give_own_wallet(view, subject)
    if not then.quantity:
        left = held.wallet + proceeds
        a.money_step("margin_out", "all of the wallet goes back", f"{wallet} + realized - fee", left, "MARG-014")
        a.money_step("E_then", "what the scope is left with", "margin_out", left, "MARG-013")
        a.money_step("MM_then", "maintenance after it", "0", 0, "MARG-013")
        return left, 0
    out = max(0, held.wallet * decision.quantity // abs(held.quantity) + proceeds)
    formula = f"max(0, down({wallet} * x / abs({subject.name('q')})) + realized - fee)"
    a.money_step("margin_out", "goes back to the cross wallet", formula, out, "MARG-014")
    profit = work_profit(a, then)
    equity = held.wallet + proceeds - out + profit
    formula = f"{wallet} + realized - fee - margin_out + {then.name('u')}"
    a.money_step("E_then", "equity after it", formula, equity, "MARG-013")
    maintenance = work_maintenance(a, then)
    a.money_step("MM_then", "maintenance after it", then.name("MM"), maintenance, "MARG-003")
    return equity, maintenance


def _work_realized(view: View, subject: Numbered, decision: FillDecision, value: Cash) -> tuple[Cash, Cash]:
    """Write down what closing realises: its value less its share of the entry cost, which is rounded toward zero."""
    a, held = view.a, subject.held
    cost = closed_cost(held.entry_cost, decision.quantity, held.quantity)
    rounding = "down" if held.entry_cost >= 0 else "up"
    formula = f"{rounding}({subject.name('c')} * x / abs({subject.name('q')}))"
    a.money_step("cost_closed", "the entry cost that goes with it", formula, cost, "MARG-014")
    sign = "" if decision.sign < 0 else "-"
    realized = -value - cost
    a.money_step("realized", "realised profit", f"{sign}value - cost_closed", realized, "MARG-014")
    return realized, cost


# -- after it ----------------------------------------------------------------------------------------------------------


def _work_then(view: View, subject: Numbered, decision: FillDecision, then: Terms) -> None:
    a, sign = view.a, "+" if decision.sign > 0 else "-"
    shown = subject.instrument.quantity_grid.format(then.quantity)
    a.step(then.name("q"), "the position after it", f"{subject.name('q')} {sign} x", shown, "quantity", "MARG-001")
    if not then.quantity:
        return
    if subject.held.quantity * decision.sign < 0:
        formula = f"{subject.name('c')} - cost_closed"
    else:
        formula = f"{subject.name('c')} {sign} value" if subject.held.quantity else f"{'' if sign == '+' else '-'}value"
    a.money_step(then.name("c"), "its entry cost after it", formula, then.entry_cost, "MARG-001")


def _others(view: View, subject: Numbered) -> tuple[Numbered, ...]:
    return tuple(each for each in in_pool(view.positions) if each.held.position_id != subject.held.position_id)


def _work_pool_equity(view: View, subject: Numbered, then: Terms, base: str, wallet: Cash) -> Cash:
    a, value, terms = view.a, wallet + view.account.collateral_value, []
    give_wallet(view)
    if then.quantity:
        value += work_profit(a, then)
        terms.append(then.name("u"))
    for each in _others(view, subject):
        give_position(a, each)
        value += work_profit(a, as_held(each))
        terms.append(each.name("u"))
    return a.money_step("E_then", "equity of the cross pool after it", total(base, *terms), value, "MARG-012")


def _work_pool_initial(view: View, then: Terms) -> Cash:
    subject, terms = then.position, [then.name("IM")]
    value = work_initial(view.a, then)
    for each in _others(view, subject):
        value += work_initial(view.a, as_held(each))
        terms.append(each.name("IM"))
    return view.a.money_step("IM_then", "initial margin of the cross pool after it", total(*terms), value, "MARG-012")


def _work_pool_maintenance(view: View, then: Terms) -> Cash:
    subject, terms, value = then.position, [], 0
    if then.quantity:
        value = work_maintenance(view.a, then)
        terms.append(then.name("MM"))
    for each in _others(view, subject):
        value += work_maintenance(view.a, as_held(each))
        terms.append(each.name("MM"))
    return view.a.money_step("MM_then", "maintenance margin of the cross pool after it", total(*terms), value, "MARG-013")


def _check_covered(view: View, equity: Cash, initial: Cash) -> bool:
    return view.a.check(
        "covered", "equity after it covers initial margin", "E_then", ">=", "IM_then", holds=equity >= initial, rule="MARG-012"
    )


# -- words -------------------------------------------------------------------------------------------------------------


def _headline(decision: FillDecision, instruments: Instruments, path: PathArithmetic) -> str:
    instrument = instruments[decision.symbol]
    role = "as the taker" if decision.is_taker else "as the maker"
    verb = "bought" if decision.sign > 0 else "sold"
    what = f"{quantity(instrument, decision.quantity)} {decision.symbol} at {price(instrument, decision.price)}"
    who = f"{decision.account}'s order {decision.order_id}"
    if decision.terms is not None:
        return (
            f"the liquidation order {decision.order_id} of {decision.account} {verb} {what} for a fee of {money(decision.fee)}"
        )
    if decision.reason is None:
        return f"{who} {verb} {what} {role}: {_passed(path)}, fee {money(decision.fee)}"
    would = "buying" if decision.sign > 0 else "selling"
    return f"{who} was stopped before {would} {what} {role} ({decision.reason.value}): {_failed(path)}"


def _passed(path: PathArithmetic) -> str:
    if path.value("IM_then") is not None:
        return "its equity covers initial margin after it"
    return "it only reduces, and leaves the scope no worse"


def _failed(path: PathArithmetic) -> str:
    failing = next((each for each in path.checks if not each.holds and each.name in path.conclusion), None)
    return "it would break a rule" if failing is None else f"the check that {failing.meaning} failed ({failing.numbers})"


def _changes(decision: FillDecision, view: View) -> tuple[BeforeAfter, ...]:
    subject = view.subject
    if subject is None or decision.reason is not None:
        return ()
    held, instrument = subject.held, subject.instrument
    then = held.quantity + decision.sign * decision.quantity
    shown = instrument.quantity_grid.format
    rows = [BeforeAfter("position", "quantity", shown(held.quantity), shown(then))]
    account: HeldAccount = decision.held
    wallet = account.wallet - decision.margin_in + decision.margin_out
    own = held.wallet
    if held.margin_mode is MarginMode.ISOLATED:
        own += decision.margin_in - decision.margin_out + decision.realized - decision.fee
        rows.append(BeforeAfter("isolated wallet", "money", format_cash(held.wallet), format_cash(own)))
    else:
        wallet += decision.realized - decision.fee
    rows.append(BeforeAfter("cross wallet", "money", format_cash(account.wallet), format_cash(wallet)))
    return tuple(rows)
