"""Commands that bring a scope to the brink: marks at which its equity is about its maintenance, and the money for an exact one.

Random marks seldom leave a scope with some equity and less than its maintenance, and next to never with both the same.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from exchange.domain.commands import AddMargin, AnyCommand, Credit
from exchange.domain.enums import MarginMode
from tests.properties import naive_formulas as formulas
from tests.properties.draws import Draw
from tests.properties.market import price_commands
from tests.properties.naive_accounts import Account, Position
from tests.properties.naive_model import NaiveVenue

_BEYOND = (0, 0, 0, 1, 1, 1, 2, 3, -1, 5)
"""How many ticks past the brink a mark is set."""


def brink_command(draw: Draw, model: NaiveVenue) -> AnyCommand | None:
    """A mark about where a position would be liquidated, or money that puts that on a whole tick; None without positions."""
    roots = [(a, p, root) for a in model.accounts.values() for p in a.positions.values() if (root := _root(model, a, p))]
    if not roots:
        return None
    if draw.choice % 4 == 0:
        return _money_for_a_whole_tick(model, *roots[draw.size % len(roots)])
    whole = [row for row in roots if row[2].denominator == 1] or roots
    _, p, root = whole[draw.size % len(whole)]
    beyond = _BEYOND[draw.price % len(_BEYOND)]
    price = _safe_tick(root, p.q) - formulas.sign(p.q) * beyond
    commands = price_commands(tuple(model.instruments.values()), {p.symbol: max(1, price)})
    return commands[0]


def _root(model: NaiveVenue, account: Account, p: Position) -> Fraction | None:
    """The exact mark at which the scope's equity is its maintenance, on the side where the position loses."""
    if not p.q or model.marks[p.symbol] is None:
        return None
    low, high = formulas.healthy_ends(model.instruments[p.symbol], model.policy, *model.liquidation_terms(account, p))
    return low if p.q > 0 else high


def _safe_tick(root: Fraction, q: int) -> int:
    return ceil(root) if q > 0 else floor(root)


def _money_for_a_whole_tick(model: NaiveVenue, account: Account, p: Position, root: Fraction) -> AnyCommand:
    """What the scope would lack one tick further on; with it, equity is maintenance there exactly."""
    scope, now = model.scope_of(p), model.marks[p.symbol]
    model.marks[p.symbol] = max(1, _safe_tick(root, p.q) - formulas.sign(p.q))
    lack = model.maintenance(account, scope) - model.equity(account, scope)
    model.marks[p.symbol] = now
    if p.mode is MarginMode.ISOLATED and lack <= model.own_available(account):
        return AddMargin(account=account.name, symbol=p.symbol, amount=max(1, lack), position_side=p.side)
    return Credit(account=account.name, amount=max(1, lack))
