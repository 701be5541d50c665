"""The left column of a table: one plain sentence per command.

alice buys 10 BTC at 100 [ioc|fok|post-only|reduce-only|cancel-maker|cancel-both|as:ID]
bob sells 10 BTC at market [fok] ...
alice cancels 3 | alice cancels as:ID | alice cancels all [BTC]
alice sets BTC isolated | alice sets BTC leverage 5
alice adds 10 to BTC | alice removes 10 from BTC
alice deposits 1000 | fund deposits 1000 | opens zoe
mark BTC 100 ETH 50 | continue | wait
"""

from __future__ import annotations

import re
from collections.abc import Callable
from re import Match

from exchange.domain.commands import (
    AddMargin,
    AdvanceTime,
    AnyCommand,
    CancelAllOrders,
    CancelOrder,
    ContinueLiquidations,
    CreateAccount,
    Credit,
    MarkPrice,
    PlaceOrder,
    RemoveMargin,
    SetLeverage,
    SetMarginMode,
    SetMarkPrices,
)
from exchange.domain.enums import MarginMode, OrderType, SelfTradePrevention, Side, TimeInForce
from exchange.domain.ids import INSURANCE_FUND
from exchange.domain.units import parse_cash

MODES = {
    "cancel-taker": SelfTradePrevention.CANCEL_TAKER,
    "cancel-maker": SelfTradePrevention.CANCEL_MAKER,
    "cancel-both": SelfTradePrevention.CANCEL_BOTH,
}


def full(symbol: str) -> str:
    """Return the symbol that a table's short name means."""
    return f"{symbol}-PERP"


def _place(found: Match[str]) -> AnyCommand:
    words = found["flags"].split()
    tif, prevention, client_order_id = TimeInForce.GTC, SelfTradePrevention.CANCEL_TAKER, None
    plain = {"post-only", "reduce-only"}
    for word in words:
        if word in {"gtc", "ioc", "fok"}:
            tif = TimeInForce(word)
        elif word in MODES:
            prevention = MODES[word]
        elif word.startswith("as:"):
            client_order_id = word.removeprefix("as:")
        elif word not in plain:
            raise ValueError(f"a table does not know the order flag {word!r}")
    at_market = found["price"] == "market"
    return PlaceOrder(
        account=found["account"],
        symbol=full(found["symbol"]),
        side=Side.BUY if found["side"] == "buys" else Side.SELL,
        quantity=int(found["quantity"]),
        order_type=OrderType.MARKET if at_market else OrderType.LIMIT,
        limit_price=None if at_market else int(found["price"]),
        time_in_force=tif,
        post_only="post-only" in words,
        reduce_only="reduce-only" in words,
        self_trade_prevention=prevention,
        client_order_id=client_order_id,
    )


def _marks(found: Match[str]) -> AnyCommand:
    words = found["pairs"].split()
    pairs = zip(words[::2], words[1::2], strict=True)
    return SetMarkPrices(marks=tuple(MarkPrice(full(symbol), int(price)) for symbol, price in pairs))


def _credit(found: Match[str]) -> AnyCommand:
    account = INSURANCE_FUND if found["account"] == "fund" else found["account"]
    return Credit(account=account, amount=parse_cash(found["amount"]))


def _cancel(found: Match[str]) -> AnyCommand:
    word = found["id"]
    if word.startswith("as:"):
        return CancelOrder(account=found["account"], client_order_id=word.removeprefix("as:"))
    return CancelOrder(account=found["account"], order_id=int(word))


def _cancel_all(found: Match[str]) -> AnyCommand:
    return CancelAllOrders(account=found["account"], symbol=full(found["symbol"]) if found["symbol"] else None)


def _mode(found: Match[str]) -> AnyCommand:
    return SetMarginMode(account=found["account"], symbol=full(found["symbol"]), margin_mode=MarginMode(found["mode"]))


def _leverage(found: Match[str]) -> AnyCommand:
    return SetLeverage(account=found["account"], symbol=full(found["symbol"]), leverage=int(found["leverage"]))


def _move(found: Match[str]) -> AnyCommand:
    kind = AddMargin if found["verb"].startswith("adds") else RemoveMargin
    return kind(account=found["account"], symbol=full(found["symbol"]), amount=parse_cash(found["amount"]))


_WHO, _WHAT, _MONEY = r"(?P<account>\w+)", r"(?P<symbol>[A-Z]+)", r"(?P<amount>-?[\d.]+)"
_GRAMMAR: tuple[tuple[str, Callable[[Match[str]], AnyCommand]], ...] = (
    (rf"{_WHO} (?P<side>buys|sells) (?P<quantity>-?\d+) {_WHAT} at (?P<price>market|-?\d+)(?P<flags>( \S+)*)", _place),
    (rf"{_WHO} cancels all( {_WHAT})?", _cancel_all),
    (rf"{_WHO} cancels (?P<id>\d+|as:\S+)", _cancel),
    (rf"{_WHO} sets {_WHAT} (?P<mode>cross|isolated)", _mode),
    (rf"{_WHO} sets {_WHAT} leverage (?P<leverage>-?\d+)", _leverage),
    (rf"{_WHO} (?P<verb>adds) {_MONEY} to {_WHAT}", _move),
    (rf"{_WHO} (?P<verb>removes) {_MONEY} from {_WHAT}", _move),
    (rf"{_WHO} deposits {_MONEY}", _credit),
    (rf"opens {_WHO}", lambda found: CreateAccount(account=found["account"])),
    (r"mark (?P<pairs>[A-Z]+ -?\d+( [A-Z]+ -?\d+)*)", _marks),
    (r"continue", lambda found: ContinueLiquidations()),
    (r"wait", lambda found: AdvanceTime()),
)


def understand(text: str) -> AnyCommand | None:
    """Return the command that a sentence asks for, or None when it is no command."""
    for pattern, build in _GRAMMAR:
        found = re.fullmatch(pattern, text)
        if found is not None:
            return build(found)
    return None
