"""The check rows of a table: what someone sees between two commands.

("alice", "wallet 900, available 850, BTC +10 cost 1000 isolated 100")
("fund", "wallet 0, fees 1.5, BTC -3")
("BTC book", "bids 10@99+5@98, asks none")
"""

from __future__ import annotations

from collections.abc import Callable

from exchange.domain.ids import INSURANCE_FUND
from exchange.domain.units import format_cash
from exchange.domain.views import DepthLevel, PositionView
from exchange.venue.venue import Venue
from tests.scenarios.sentences import show
from tests.scenarios.spoken_commands import full

Look = Callable[[Venue, str, str], str]


def _position_facts(view: PositionView) -> dict[str, object]:
    return {
        "cost": format_cash(view.entry_cost),
        "isolated": format_cash(view.isolated_wallet),
        "mode": view.margin_mode.value,
        "lev": view.leverage,
        "u": format_cash(view.unrealized_pnl),
        "equity": format_cash(view.scope_equity),
        "im": format_cash(view.initial_margin),
        "mm": format_cash(view.maintenance_margin),
        "held": format_cash(view.order_margin),
        "ratio": view.margin_ratio,
        "bankrupt": "yes" if view.bankrupt else "no",
        "liq": view.liquidation_price,
        "bp": view.bankruptcy_price,
        "flagged": "yes" if view.liquidating else "no",
    }


def _position(venue: Venue, account: str, asked: list[str]) -> str:
    view = venue.position(account, full(asked[0]))
    facts = _position_facts(view)
    size = f"{view.quantity:+d}" if view.quantity else "flat"
    return " ".join([asked[0], size, *(f"{word} {show(facts.get(word, '?'))}" for word in asked[2::2])])


def look_at_account(venue: Venue, account: str, fact: str) -> str:
    """Return an account's answer to one fact that a row states."""
    asked = fact.split()
    if asked[0].isupper():
        return _position(venue, account, asked)
    view = venue.account(account)
    orders = venue.open_orders(account)
    facts: dict[str, object] = {
        "wallet": format_cash(view.wallet_balance),
        "equity": format_cash(view.equity),
        "im": format_cash(view.initial_margin),
        "mm": format_cash(view.maintenance_margin),
        "held": format_cash(view.order_margin),
        "available": format_cash(view.available_balance),
        "ratio": view.margin_ratio,
        "bankrupt": "yes" if view.bankrupt else "no",
        "total": format_cash(view.total_equity),
        "orders": "+".join(f"{order.order_id}:{order.open_quantity}" for order in orders) or None,
    }
    return f"{asked[0]} {show(facts.get(asked[0], '?'))}"


def look_at_fund(venue: Venue, fact: str) -> str:
    """Return the system's answer to one fact that a row states."""
    asked = fact.split()
    if asked[0].isupper():
        return _position(venue, INSURANCE_FUND, asked)
    view = venue.funds()
    facts: dict[str, object] = {
        "wallet": format_cash(view.insurance_fund_wallet),
        "equity": format_cash(view.insurance_fund_equity),
        "fees": format_cash(view.fees),
        "deposits": format_cash(view.net_deposits),
    }
    return f"{asked[0]} {show(facts.get(asked[0], '?'))}"


def _side(levels: tuple[DepthLevel, ...]) -> str | None:
    return "+".join(f"{level.quantity}@{level.price}" for level in levels) or None


def look_at_book(venue: Venue, symbol: str, fact: str) -> str:
    """Return a book's answer to one fact that a row states."""
    bids, asks = venue.depth(symbol, 100)
    facts = {"bids": _side(bids), "asks": _side(asks)}
    word = fact.split()[0]
    return f"{word} {show(facts.get(word, '?'))}"


def answers(venue: Venue, subject: str, facts: list[str]) -> list[str]:
    """Return what is true of each fact that a check row states. Raises ``ValueError`` when it names nobody."""
    if subject == "fund":
        return [look_at_fund(venue, fact) for fact in facts]
    if subject.endswith(" book"):
        return [look_at_book(venue, full(subject.removesuffix(" book")), fact) for fact in facts]
    if venue.has_account(subject):
        return [look_at_account(venue, subject, fact) for fact in facts]
    raise ValueError(f"a table can neither do nor look at {subject!r}")
