"""An account's positions, numbered for formulas, and the arithmetic of each: notional, profit, maintenance, initial margin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from msgspec.structs import replace

from exchange.domain.decisions import HeldAccount, HeldPosition
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.ids import PositionId, Symbol
from exchange.domain.instrument import Instrument, Tier
from exchange.domain.margin_math import (
    initial_margin,
    maintenance_margin,
    margin_notional,
    notional_value,
    tier_at,
    unrealized_pnl,
)
from exchange.domain.policy import MarginPrice
from exchange.domain.units import Cash, Lots, Ticks
from exchange.explain.arithmetic import Arithmetic, contract_multiplier, fraction_text

Instruments: TypeAlias = Mapping[Symbol, Instrument]


class Numbered(NamedTuple):
    """A position under the number that its names in formulas end with."""

    number: int
    held: HeldPosition
    instrument: Instrument

    @property
    def mark(self) -> Ticks:
        """The mark that it is valued at."""
        assert self.held.mark_price is not None, "a position with lots or orders has a mark"
        return self.held.mark_price

    @property
    def label(self) -> str:
        """What people call it: the symbol, in hedge mode with its side."""
        side = self.held.position_side
        return self.held.symbol if side is PositionSide.NET else f"{self.held.symbol} {side.value}"

    def name(self, stem: str) -> str:
        """Return a name of its own."""
        return f"{stem}{self.number}"


def numbered(account: HeldAccount, instruments: Instruments, first: PositionId | None = None) -> tuple[Numbered, ...]:
    """Return an account's positions by name, the one that a decision is about before all others."""
    held = sorted(account.positions, key=lambda each: (each.position_id != first, each.position_id))
    return tuple(Numbered(number, each, instruments[each.symbol]) for number, each in enumerate(held, start=1))


def in_pool(positions: Iterable[Numbered]) -> tuple[Numbered, ...]:
    """Return the open cross positions: those that the pool is made of."""
    return tuple(each for each in positions if each.held.quantity and each.held.margin_mode is MarginMode.CROSS)


def other_leg(position: Numbered, positions: Iterable[Numbered]) -> Numbered | None:
    """Return the open other side of a hedge that the same pool backs."""
    if position.held.margin_mode is not MarginMode.CROSS:
        return None
    found = (each for each in in_pool(positions) if each.held.symbol == position.held.symbol and each is not position)
    return next(found, None)


def wallet_at_entry(position: Numbered) -> Cash:
    """Return what an isolated wallet would have been given for a position: its initial margin at its entry price."""
    held, instrument = position.held, position.instrument
    if not held.quantity:
        return 0
    cost = abs(held.entry_cost)
    return -(-cost // min(held.leverage, tier_at(instrument.tiers, cost).max_leverage))


def in_other_mode(account: HeldAccount, position: Numbered) -> HeldAccount:
    """Return the account as if one of its positions had been in the other margin mode.

    An isolated one would have the pool behind it and its wallet in the pool; a cross one would have taken its initial
    margin at entry out of the pool.
    """
    held = position.held
    if held.margin_mode is MarginMode.ISOLATED:
        moved, mode = -held.wallet, MarginMode.CROSS
    else:
        moved, mode = wallet_at_entry(position), MarginMode.ISOLATED
    turned = replace(held, margin_mode=mode, wallet=held.wallet + moved, is_liquidating=False)
    others = (turned if each.position_id == held.position_id else each for each in account.positions)
    return replace(account, wallet=account.wallet - moved, positions=tuple(others))


class Terms(NamedTuple):
    """A position's size and cost under the names that formulas have for them: as it is, or as it would be."""

    position: Numbered
    quantity: Lots
    entry_cost: Cash
    suffix: str = ""

    def name(self, stem: str) -> str:
        """Return a name of this size and cost."""
        return f"{stem}{self.position.number}{self.suffix}"


def as_held(position: Numbered) -> Terms:
    """Return a position's terms as it is."""
    return Terms(position, position.held.quantity, position.held.entry_cost)


def give_position(a: Arithmetic, position: Numbered) -> None:
    """Name what a position is: quantity, entry cost, mark."""
    held, label = position.held, position.label
    a.quantity(position.name("q"), f"{label}: position", position.instrument, held.quantity)
    if held.quantity:
        a.money(position.name("c"), f"{label}: entry cost", held.entry_cost)
    give_market(a, position)


def give_market(a: Arithmetic, position: Numbered) -> None:
    """Name the mark, and the contract multiplier where it is not 1."""
    a.price(position.name("P"), f"{position.label}: mark price", position.instrument, position.mark)
    if contract_multiplier(position.instrument) != 1:
        value = fraction_text(contract_multiplier(position.instrument))
        a.given(position.name("k"), f"{position.label}: contract multiplier", value, "count")


def give_leverage(a: Arithmetic, position: Numbered) -> None:
    """Name the leverage that a position's owner chose."""
    a.count(position.name("L"), f"{position.label}: leverage chosen", position.held.leverage)


def give_taker_fee(a: Arithmetic, position: Numbered) -> str:
    """Name the taker's fee rate of a position's symbol, and return that name."""
    name = position.name("fee_rate")
    a.rate(name, f"{position.label}: taker fee", position.instrument.taker_fee)
    return name


def times_multiplier(position: Numbered) -> str:
    """Return what a product of price and quantity is still to be multiplied by: nothing for most contracts."""
    return "" if contract_multiplier(position.instrument) == 1 else f" * {position.name('k')}"


def work_notional(a: Arithmetic, terms: Terms, measured_at: MarginPrice = MarginPrice.MARK) -> str:
    """Write down the notional that a requirement is measured on, once, and return its name (MARG-001)."""
    position = terms.position
    if measured_at is MarginPrice.ENTRY:
        name = terms.name("Nc")
        if not a.knows(name):
            meaning = f"{position.label}: notional at entry"
            a.money_step(name, meaning, f"abs({terms.name('c')})", abs(terms.entry_cost), "MARG-001")
        return name
    name = terms.name("N")
    if not a.knows(name):
        value = notional_value(position.instrument, terms.quantity, position.mark)
        formula = f"abs({terms.name('q')}) * {position.name('P')}{times_multiplier(position)}"
        a.money_step(name, f"{position.label}: notional at the mark", formula, value, "MARG-001")
    return name


def work_profit(a: Arithmetic, terms: Terms) -> Cash:
    """Write down the unrealised profit, once, and return it (MARG-005)."""
    position = terms.position
    value = unrealized_pnl(position.instrument, terms.quantity, terms.entry_cost, position.mark)
    if not a.knows(terms.name("u")):
        formula = f"{terms.name('q')} * {position.name('P')}{times_multiplier(position)} - {terms.name('c')}"
        a.money_step(terms.name("u"), f"{position.label}: unrealised profit", formula, value, "MARG-005")
    return value


class TierNames(NamedTuple):
    """The names of a tier's row in formulas, and the name of the notional that chose it."""

    notional: str
    rate: str
    amount: str
    top: str


def give_tier(a: Arithmetic, terms: Terms, measured_at: MarginPrice) -> TierNames:
    """Name the row of the tier table that a notional falls in, and check that it is the right one (MARG-002)."""
    position, notional = terms.position, work_notional(a, terms, measured_at)
    instrument, stem = position.instrument, "" if measured_at is MarginPrice.MARK else "entry_"
    value = margin_notional(instrument, terms.quantity, terms.entry_cost, position.mark, measured_at)
    tier = tier_at(instrument.tiers, value)
    names = TierNames(notional, *(terms.name(stem + each) for each in ("rate", "amount", "top")))
    if a.knows(names.rate):
        return names
    give_row(a, position, tier, names)
    floor, following = terms.name(stem + "floor"), terms.name(stem + "next_floor")
    a.money(floor, f"{position.label}: the tier's floor", tier.notional_floor)
    a.check(
        f"in_{terms.name(stem + 'tier')}", "the notional reaches the tier", notional, ">=", floor, holds=True, rule="MARG-002"
    )
    above = instrument.tiers.index(tier) + 1
    if above < len(instrument.tiers):
        a.money(following, f"{position.label}: the next tier's floor", instrument.tiers[above].notional_floor)
        a.check(
            f"below_{terms.name(stem + 'next_tier')}",
            "and not the next one",
            notional,
            "<",
            following,
            holds=True,
            rule="MARG-002",
        )
    return names


def give_row(a: Arithmetic, position: Numbered, tier: Tier, names: TierNames) -> None:
    """Name rate, amount and leverage of a row of the tier table."""
    a.rate(names.rate, f"{position.label}: the tier's maintenance rate", tier.maintenance_rate)
    a.money(names.amount, f"{position.label}: the tier's maintenance amount", tier.maintenance_amount)
    a.count(names.top, f"{position.label}: the tier's highest leverage", tier.max_leverage)


def rate_formula(a: Arithmetic, position: Numbered, rate: str) -> str:
    """Return a maintenance rate as formulas have it: with the fee of a close where the rules hold that back too."""
    if not position.instrument.rules.close_fee_in_maintenance:
        return rate
    return f"({rate} + {give_taker_fee(a, position)})"


def work_maintenance(a: Arithmetic, terms: Terms) -> Cash:
    """Write down the maintenance margin, once, and return it (MARG-003)."""
    position = terms.position
    instrument = position.instrument
    value = maintenance_margin(instrument, terms.quantity, terms.entry_cost, position.mark)
    if not a.knows(terms.name("MM")):
        tier = give_tier(a, terms, instrument.rules.maintenance_price)
        formula = f"max(0, up({tier.notional} * {rate_formula(a, position, tier.rate)}) - {tier.amount})"
        a.money_step(terms.name("MM"), f"{position.label}: maintenance margin", formula, value, "MARG-003")
    return value


def work_initial(a: Arithmetic, terms: Terms, *, leverage: int | None = None) -> Cash:
    """Write down the initial margin, once, and return it (MARG-004).

    With ``leverage``, named ``leverage``, it is that at another leverage than the position's own, and its name ends so.
    """
    position = terms.position
    instrument, rules = position.instrument, position.instrument.rules
    chosen = position.held.leverage if leverage is None else leverage
    value = initial_margin(instrument, terms.quantity, terms.entry_cost, position.mark, chosen)
    name = terms.name("IM") if leverage is None else f"{terms.name('IM')}_at_leverage"
    if a.knows(name):
        return value
    if leverage is None:
        give_leverage(a, position)
    tier = give_tier(a, terms, rules.initial_margin_price)
    formula = f"up({tier.notional} / min({position.name('L') if leverage is None else 'leverage'}, {tier.top}))"
    if rules.may_exceed_initial:
        is_above = work_maintenance(a, terms) > 0 and rules.liquidate_at_equality
        formula = f"max({formula}, {terms.name('MM')}{' + 0.000001' if is_above else ''})"
    return a.money_step(name, f"{position.label}: initial margin", formula, value, "MARG-004")
