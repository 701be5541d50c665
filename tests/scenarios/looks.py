"""The check rows of a table: what someone sees between two commands.

("alice", "wallet 900, available 850, BTC +10 cost 1000 isolated 100, BTC/long +5, COIN 3 value 240")
("fund", "wallet 0, fees 1.5, BTC -3, COIN 2")
("BTC book", "bids 10@99+5@98, asks none")
("BTC", "mark 100, index 101, state open, rate 0.0001, premium 0, last_rate 0")
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from exchange.domain.ids import INSURANCE_FUND
from exchange.domain.units import format_cash
from exchange.domain.views import DepthLevel, PositionView
from exchange.venue.venue import Venue
from tests.cast import COLLATERAL
from tests.scenarios.sentences import format_ppb, in_asset, short, show
from tests.scenarios.spoken_commands import full, position_named


def _answer(head: str, facts: Mapping[str, object], asked: list[str]) -> str:
    """Return a head with those of its facts whose names stand in every second place of ``asked``."""
    return " ".join([head, *(f"{word} {show(facts.get(word, '?'))}" for word in asked[::2])])


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
        "notional": format_cash(view.notional),
        "effective": view.effective_leverage,
        "auto": "on" if view.auto_replenish else "off",
    }


def _position(venue: Venue, account: str, asked: list[str]) -> str:
    view = venue.position(account, *position_named(asked[0]))
    size = f"{view.quantity:+d}" if view.quantity else "flat"
    return _answer(f"{asked[0]} {size}", _position_facts(view), asked[2:])


def _names_a_position(word: str) -> bool:
    return re.fullmatch(r"[A-Z]+(/long|/short)?", word) is not None


def _holding(venue: Venue, account: str, asked: list[str]) -> str:
    asset = asked[0]
    held = {view.asset: view for view in venue.account(account).collateral}
    balance, value = (held[asset].balance, held[asset].value) if asset in held else (0, 0)
    return _answer(f"{asset} {in_asset(balance, asset)}", {"value": format_cash(value)}, asked[2:])


def look_at_account(venue: Venue, account: str, fact: str) -> str:
    """Return an account's answer to one fact that a row states."""
    asked = fact.split()
    if asked[0] in COLLATERAL:
        return _holding(venue, account, asked)
    if _names_a_position(asked[0]):
        return _position(venue, account, asked)
    view = venue.account(account)
    orders = venue.open_orders(account)
    scopes = [view.account if view.symbol is None else short(view.symbol, view.position_side) for view in venue.scopes(account)]
    facts: dict[str, object] = {
        "wallet": format_cash(view.wallet_balance),
        "equity": format_cash(view.equity),
        "im": format_cash(view.initial_margin),
        "mm": format_cash(view.maintenance_margin),
        "held": format_cash(view.order_margin),
        "available": format_cash(view.available_balance),
        "withdrawable": format_cash(view.withdrawable),
        "collateral": format_cash(view.collateral_value),
        "ratio": view.margin_ratio,
        "bankrupt": "yes" if view.bankrupt else "no",
        "total": format_cash(view.total_equity),
        "notional": format_cash(view.notional),
        "effective": view.effective_leverage,
        "positions": view.position_mode.value.replace("_", "-"),
        "flagged": "yes" if view.liquidating else "no",
        "scopes": "+".join(scopes) or None,
        "waiting": "+".join(f"{order.order_id}:{order.open_quantity}" for order in venue.untriggered_orders(account)) or None,
        "orders": "+".join(f"{order.order_id}:{order.open_quantity}" for order in orders) or None,
    }
    return f"{asked[0]} {show(facts.get(asked[0], '?'))}"


def look_at_fund(venue: Venue, fact: str) -> str:
    """Return the system's answer to one fact that a row states."""
    asked = fact.split()
    if asked[0] in COLLATERAL:
        return _holding(venue, INSURANCE_FUND, asked)
    if _names_a_position(asked[0]):
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


def look_at_symbol(venue: Venue, symbol: str, fact: str) -> str:
    """Return a symbol's answer to one fact that a row states."""
    view = venue.funding(symbol)
    facts: dict[str, object] = {
        "mark": venue.mark_price(symbol),
        "index": venue.index_price(symbol),
        "state": venue.trading_state(symbol).value,
        "premium": format_ppb(view.premium),
        "rate": format_ppb(view.funding_rate),
        "last_rate": format_ppb(view.last_funding_rate),
        "next": view.next_funding_time_ns,
    }
    word = fact.split()[0]
    return f"{word} {show(facts.get(word, '?'))}"


def answers(venue: Venue, subject: str, facts: list[str]) -> list[str]:
    """Return what is true of each fact that a check row states. Raises ``ValueError`` when it names nobody."""
    if subject == "fund":
        return [look_at_fund(venue, fact) for fact in facts]
    if subject.endswith(" book"):
        return [look_at_book(venue, full(subject.removesuffix(" book")), fact) for fact in facts]
    if full(subject) in venue.instruments:
        return [look_at_symbol(venue, full(subject), fact) for fact in facts]
    if venue.has_account(subject):
        return [look_at_account(venue, subject, fact) for fact in facts]
    raise ValueError(f"a table can neither do nor look at {subject!r}")
