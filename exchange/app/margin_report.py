"""The margin calculation in words for a terminal, at most 100 columns wide, and as JSON for scripts."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from clients.risk import MarginPicture, PositionPlan
from exchange.app.margin_calculator import MarginStudy
from exchange.domain.enums import MarginMode
from exchange.domain.instrument import Tier
from exchange.domain.margin_math import (
    MaintenanceLine,
    liquidation_root,
    maintenance_lines,
    maintenance_rate,
    notional_value,
    tier_at,
)
from exchange.domain.policy import MarginPrice
from exchange.domain.units import CASH_DECIMALS, Cash, Ppm, Ticks, ceil_div, format_cash, format_decimal, format_rate

LABEL_WIDTH = 22
VALUE_WIDTH = 18
ROOT_DECIMALS = 6
"""How far the exact liquidation price is written out before it is rounded to a tick."""


def money(amount: Cash) -> str:
    """Return cash with thousands separated and at least two decimals, exactly: 6,030.00."""
    return f"-{grouped(format_cash(-amount))}" if amount < 0 else grouped(format_cash(amount))


def grouped(text: str) -> str:
    """Return a decimal text that is not negative with thousands separated and at least two decimals."""
    whole, _, fraction = text.partition(".")
    return f"{int(whole):,}.{fraction.ljust(2, '0')}"


def percent(rate: Ppm) -> str:
    """Return a rate in percent, exactly: 2.5076 %."""
    return f"{format_decimal(rate, 4)} %"


def price(plan: PositionPlan, ticks: Ticks | None) -> str:
    """Return a price with as many decimals as its tick, or that there is none."""
    if ticks is None:
        return "none"
    grid = plan.instrument.price_grid
    whole, _, fraction = grid.format(ticks).partition(".")
    return f"{whole}.{fraction.ljust(grid.decimals, '0')}" if grid.decimals else whole


def headline(study: MarginStudy) -> str:
    """Return what is calculated, in one line."""
    plan, mark = study.plan, study.mark_price
    what = f"{plan.side.value} {_quantity(plan)} {plan.instrument.symbol} at {price(plan, plan.entry_price)}"
    return f"{what}, leverage {plan.leverage}, mark {price(plan, mark)}"


def format_table(study: MarginStudy, picture_file: Path | None = None) -> str:
    """Return the calculation as a table: requirements with the numbers put in, then the modes side by side."""
    lines = [headline(study), *_requirements(study), "", *_modes(study), "", *_prices(study)]
    notes = _notes(study)
    if picture_file is not None:
        notes.append(f"picture: {picture_file}")
    return "\n".join([*lines, *(["", *notes] if notes else [])])


def _requirements(study: MarginStudy) -> list[str]:
    plan, mark = study.plan, study.mark_price
    shown = study.pictures[0]
    measured, tier = plan.maintenance_notional_at(mark), plan.tier_at(mark)
    at_entry = plan.instrument.rules.maintenance_price is MarginPrice.ENTRY
    rate = maintenance_rate(plan.instrument, tier)
    less = f" - {money(tier.maintenance_amount)}" if tier.maintenance_amount else ""
    notional = plan.maintenance_notional_at(mark) if not at_entry else plan.entry_notional
    return [
        "",
        _row("notional", money(notional), f"= {_units(plan)} * {price(plan, plan.entry_price if at_entry else mark)}"),
        f"  {_tier_number(plan, tier):<{LABEL_WIDTH}}{_tier_words(plan, tier)}",
        _row("initial margin", money(shown.initial_margin), _initial_words(study)),
        _row("maintenance margin MM", money(shown.maintenance_margin), f"= {money(measured)} * {percent(rate)}{less}"),
        _row(
            "opening fee",
            money(plan.opening_fee),
            f"= {money(plan.entry_notional)} * {percent(plan.instrument.taker_fee)}",
        ),
    ]


def _initial_words(study: MarginStudy) -> str:
    plan, required = study.plan, study.pictures[0].initial_margin
    at_mark = plan.instrument.rules.initial_margin_price is MarginPrice.MARK
    at = study.mark_price if at_mark else plan.entry_price
    notional = notional_value(plan.instrument, plan.quantity, at)
    leverage = min(plan.leverage, tier_at(plan.instrument.tiers, notional).max_leverage)
    if required == ceil_div(notional, leverage):
        return f"= {money(notional)} / {leverage}"
    return "= maintenance margin, which is more than notional / leverage"


def _tier_number(plan: PositionPlan, tier: Tier) -> str:
    return f"tier {plan.instrument.tiers.index(tier) + 1} of {len(plan.instrument.tiers)}"


def _tier_words(plan: PositionPlan, tier: Tier) -> str:
    tiers = plan.instrument.tiers
    following = tiers[tiers.index(tier) + 1 :]
    reach = (
        f"{money(tier.notional_floor)} to {money(following[0].notional_floor)}"
        if following
        else (f"{money(tier.notional_floor)} and above")
    )
    return f"notional {reach}, leverage up to {tier.max_leverage}"


def _modes(study: MarginStudy) -> list[str]:
    plan, shown = study.plan, study.pictures
    rows: list[tuple[str, list[str], str]] = [
        ("", [each.mode.value for each in shown], ""),
        ("wallet after the fee W", [money(each.wallet) for each in shown], ""),
        ("unrealized profit u", [money(each.unrealized_pnl) for each in shown], _profit_words(study)),
        ("equity E", [money(each.equity) for each in shown], "= W + u"),
        ("margin ratio", [_ratio(each) for each in shown], "= MM / E"),
        ("liquidation price", [_liquidation(plan, each) for each in shown], _breach_words(plan)),
        ("  away from the mark", [_distance(each) for each in shown], ""),
        ("bankruptcy price", [price(plan, each.bankruptcy_price) for each in shown], "E = 0"),
        ("most it can lose", [money(each.loss_max) for each in shown], "W + fee"),
    ]
    return [
        f"  {label:<{LABEL_WIDTH}}{''.join(f'  {value:>{VALUE_WIDTH - 2}}' for value in values)}   {how}".rstrip()
        for label, values, how in rows
    ]


def _profit_words(study: MarginStudy) -> str:
    plan, mark = study.plan, study.mark_price
    ends = (mark, plan.entry_price) if plan.sign > 0 else (plan.entry_price, mark)
    return f"= {_units(plan)} * ({price(plan, ends[0])} - {price(plan, ends[1])})"


def _breach_words(plan: PositionPlan) -> str:
    return "E = MM" if not plan.instrument.rules.liquidation_price_buffer else "E = MM, and a buffer"


def _ratio(picture: MarginPicture) -> str:
    return "bankrupt" if picture.margin_ratio is None else percent(picture.margin_ratio)


def _liquidation(plan: PositionPlan, picture: MarginPicture) -> str:
    return "at this mark" if picture.is_liquidated else price(plan, picture.liquidation_price)


def _distance(picture: MarginPicture) -> str:
    return "-" if picture.liquidation_distance is None else percent(picture.liquidation_distance)


def _prices(study: MarginStudy) -> list[str]:
    """Return how each mode's liquidation price comes about, the tier of that price included."""
    lines: list[str] = []
    for picture in study.pictures:
        words = _root_words(study.plan, picture)
        lines += [
            f"  {picture.mode.value + ' liquidation':<{LABEL_WIDTH}}{words[0]}",
            *(f"  {'':<{LABEL_WIDTH}}{more}" for more in words[1:]),
        ]
    return lines


def _root_words(plan: PositionPlan, picture: MarginPicture) -> list[str]:
    root = liquidation_root(plan.instrument, plan.signed_quantity, plan.entry_cost, picture.wallet)
    if root is None:
        return ["no positive mark takes equity down to maintenance"]
    at, line = Fraction(root.numerator, root.denominator), _line_at(plan, root.numerator, root.denominator)
    sign = "-" if plan.sign > 0 else "+"
    over = [money(plan.entry_notional), money(picture.wallet)]
    constant = abs(line.constant)
    text = f" {sign} ".join(over)
    if constant:
        text += f" {'+' if line.constant * plan.sign > 0 else '-'} {grouped(format_decimal(constant, 2 * CASH_DECIMALS))}"
    under = f"({_units(plan)} * (1 {sign} {percent(line.rate)}))" if line.rate else _units(plan)
    exact = at * plan.instrument.price_grid.step
    scaled = exact * 10**ROOT_DECIMALS / 10**plan.instrument.price_grid.decimals
    shown = format_decimal(scaled.numerator // scaled.denominator, ROOT_DECIMALS)
    dots = "" if scaled.denominator == 1 else "..."
    return [f"({text})", f"/ {under} = {shown}{dots}, to the tick toward the mark"]


def _line_at(plan: PositionPlan, numerator: int, denominator: int) -> MaintenanceLine:
    lines = maintenance_lines(plan.instrument, plan.entry_cost)
    size = plan.quantity * plan.instrument.cash_per_tick_lot
    return next(line for line in reversed(lines) if line.notional_floor * denominator <= numerator * size)


def _notes(study: MarginStudy) -> list[str]:
    plan, notes = study.plan, []
    modes = {picture.mode for picture in study.pictures}
    if not study.is_wallet_given and MarginMode.CROSS in modes:
        notes.append(f"No --wallet given: cross has {money(study.wallet)}, just what opens the position.")
    notes += [
        f"In {picture.mode.value} it is liquidated by this mark: equity is below maintenance."
        for picture in study.pictures
        if picture.is_liquidated
    ]
    if plan.instrument.rules.liquidation_price_buffer:
        part = percent(plan.instrument.rules.liquidation_price_buffer)
        notes.append(f"These rules show it {part} of the way nearer to entry than where it happens.")
    notes.append(f"rules: profile {study.profile}, {study.config}")
    return notes


def _row(label: str, value: str, how: str) -> str:
    return f"  {label:<{LABEL_WIDTH}}{value:>{VALUE_WIDTH}}   {how}".rstrip()


def _quantity(plan: PositionPlan) -> str:
    return plan.instrument.quantity_grid.format(plan.quantity)


def _units(plan: PositionPlan) -> str:
    """Return what one unit of price is worth: the quantity times the contract multiplier, exactly."""
    grid = plan.instrument.price_grid
    worth = Fraction(plan.quantity * plan.instrument.cash_per_tick_lot * 10**grid.decimals, grid.step * 10**CASH_DECIMALS)
    decimals = 0
    while worth.denominator != 1:  # quantities and multipliers are decimals, so it comes out
        worth, decimals = worth * 10, decimals + 1
    return format_decimal(worth.numerator, decimals)


def format_json(study: MarginStudy) -> str:
    """Return the calculation as JSON: exact decimal strings as on the wire, rates as fractions, null where there is none."""
    plan, mark = study.plan, study.mark_price
    grid, tier = plan.instrument.price_grid, plan.tier_at(mark)
    tiers = plan.instrument.tiers
    following = tiers[tiers.index(tier) + 1 :]
    shown = study.pictures[0]
    content: dict[str, Any] = {
        "symbol": plan.instrument.symbol,
        "side": plan.side.value,
        "quantity": _quantity(plan),
        "entry_price": grid.format(plan.entry_price),
        "mark_price": grid.format(mark),
        "leverage": plan.leverage,
        "config": study.config,
        "profile": study.profile,
        "notional": format_cash(notional_value(plan.instrument, plan.quantity, mark)),
        "tier": {
            "number": tiers.index(tier) + 1,
            "notional_floor": format_cash(tier.notional_floor),
            "notional_ceiling": format_cash(following[0].notional_floor) if following else None,
            "maintenance_rate": format_rate(maintenance_rate(plan.instrument, tier)),
            "maintenance_amount": format_cash(tier.maintenance_amount),
            "max_leverage": tier.max_leverage,
        },
        "initial_margin": format_cash(shown.initial_margin),
        "maintenance_margin": format_cash(shown.maintenance_margin),
        "opening_fee": format_cash(plan.opening_fee),
        "wallet_balance": format_cash(study.wallet),
    }
    content |= {picture.mode.value: _json_of(study, picture) for picture in study.pictures}
    return json.dumps(content, indent=2)


def _json_of(study: MarginStudy, picture: MarginPicture) -> dict[str, Any]:
    grid = study.plan.instrument.price_grid

    def told(value: int | None, write: Any) -> str | None:
        return None if value is None else write(value)

    return {
        "wallet": format_cash(picture.wallet),
        "unrealized_pnl": format_cash(picture.unrealized_pnl),
        "equity": format_cash(picture.equity),
        "margin_ratio": told(picture.margin_ratio, format_rate),
        "liquidated": picture.is_liquidated,
        "liquidation_price": told(picture.liquidation_price, grid.format),
        "liquidation_distance": told(picture.liquidation_distance, format_rate),
        "bankruptcy_price": told(picture.bankruptcy_price, grid.format),
        "loss_max": format_cash(picture.loss_max),
    }
