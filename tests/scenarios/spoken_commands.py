"""The left column of a table: one plain sentence per command.

alice buys 10 BTC at 100 [ioc|fok|post-only|reduce-only|cancel-maker|cancel-both|as:ID|until:90s|
    stop:95|take:110|stop-last:95|take-index:110]
bob sells 10 BTC at market [fok] ... | bob sells all BTC at market, to close his position
alice amends 3 to 5 at 101 | alice amends 3 to 5 | alice amends as:ID at 101
alice cancels 3 | alice cancels as:ID | alice cancels all [buys|sells] [BTC]
alice sets BTC isolated [with 120] | alice sets BTC leverage 5 | alice sets BTC auto-replenish on
alice adds 10 to BTC | alice removes 10 from BTC
alice deposits 1000 | alice deposits 3 of COIN | fund deposits 1000 | opens zoe
alice withdraws 50 | alice withdraws 0.5 of COIN
alice sets hedge mode | alice sets one-way mode
mark BTC 100 ETH 50 | index BTC 100 | collateral COIN 90
halts BTC | resumes BTC
alice cancels after 10s | alice disarms | alice is lost for 5s | alice is back
continue | continue triggers | wait | wait 90s | wait until 8h

``until:90s`` is good till 90 seconds after the time at which tables begin. In hedge mode ``BTC/long`` and ``BTC/short``
name the two positions of a symbol. ``wait until 8h`` is until the next whole multiple of 8 hours since the epoch.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from re import Match

from exchange.domain.commands import (
    AddMargin,
    AdvanceTime,
    AmendOrder,
    AnyCommand,
    CancelAllOrders,
    CancelOrder,
    CollateralPrice,
    ContinueLiquidations,
    ContinueTriggers,
    CreateAccount,
    Credit,
    IndexPrice,
    MarkPrice,
    PlaceOrder,
    RemoveMargin,
    SetAutoReplenish,
    SetCancelAfter,
    SetCollateralPrices,
    SetIndexPrices,
    SetLeverage,
    SetMarginMode,
    SetMarkPrices,
    SetPositionMode,
    SetTradingState,
    Withdraw,
)
from exchange.domain.enums import (
    CancelTrigger,
    MarginMode,
    OrderType,
    PositionMode,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradingState,
)
from exchange.domain.ids import INSURANCE_FUND, SETTLEMENT_ASSET, AssetId, Symbol
from exchange.domain.triggers import Trigger, TriggerKind, TriggerSource
from exchange.domain.units import TimeNs, parse_cash, parse_decimal
from tests.cast import COLLATERAL, T0

STEP_NS: TimeNs = 1_000_000
"""How much time passes from one command to the next."""
SPANS_NS = {"ns": 1, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3_600 * 10**9}

MODES = {
    "cancel-taker": SelfTradePrevention.CANCEL_TAKER,
    "cancel-maker": SelfTradePrevention.CANCEL_MAKER,
    "cancel-both": SelfTradePrevention.CANCEL_BOTH,
}


def full(symbol: str) -> Symbol:
    """Return the symbol that a table's short name means."""
    return f"{symbol}-PERP"


def position_named(name: str) -> tuple[Symbol, PositionSide]:
    """Return the symbol and the side that a table's name of a position means ("BTC", "BTC/long")."""
    symbol, _, side = name.partition("/")
    return full(symbol), PositionSide(side or "net")


def amount_of(text: str, asset: AssetId) -> int:
    """Return an amount in units of an asset; of one that nobody knows in whole ones."""
    if asset == SETTLEMENT_ASSET:
        return parse_cash(text)
    return parse_decimal(text, COLLATERAL[asset].decimals if asset in COLLATERAL else 0)


def span_of(text: str) -> TimeNs:
    """Return a span of time such as ``90s``."""
    number, unit = re.fullmatch(r"(\d+)(ns|ms|s|m|h)", text).groups()  # type: ignore[union-attr]
    return int(number) * SPANS_NS[unit]


def time_after(text: str, now_ns: TimeNs) -> TimeNs:
    """Return when the command that a sentence asks for comes, if the one before came at ``now_ns``."""
    found = re.fullmatch(r"wait( until)? (\d+)(ns|ms|s|m|h)", text)
    if found is None:
        return now_ns + STEP_NS
    span = span_of(found[2] + found[3])
    return (now_ns // span + 1) * span if found[1] else now_ns + span


def span_ns(text: str) -> TimeNs:
    """Return a length of time such as 90s."""
    found = re.fullmatch(r"(\d+)(ns|ms|s|m|h)", text)
    assert found is not None, f"no length of time reads {text!r}"
    return int(found[1]) * SPANS_NS[found[2]]


def _place(found: Match[str]) -> AnyCommand:
    words = found["flags"].split()
    tif, prevention, client_order_id, expire_time_ns = TimeInForce.GTC, SelfTradePrevention.CANCEL_TAKER, None, None
    plain, trigger = {"post-only", "reduce-only"}, None
    for word in words:
        if word in {"gtc", "ioc", "fok"}:
            tif = TimeInForce(word)
        elif word in MODES:
            prevention = MODES[word]
        elif word.startswith("as:"):
            client_order_id = word.removeprefix("as:")
        elif word.startswith("until:"):
            tif, expire_time_ns = TimeInForce.GTD, T0 + span_ns(word.removeprefix("until:"))
        elif word.startswith(("stop", "take")):
            trigger = _trigger(word)
        elif word not in plain:
            raise ValueError(f"a table does not know the order flag {word!r}")
    at_market = found["price"] == "market"
    symbol, position_side = position_named(found["position"])
    return PlaceOrder(
        account=found["account"],
        symbol=symbol,
        side=Side.BUY if found["side"] == "buys" else Side.SELL,
        quantity=0 if found["quantity"] == "all" else int(found["quantity"]),
        close_position=found["quantity"] == "all",
        order_type=OrderType.MARKET if at_market else OrderType.LIMIT,
        limit_price=None if at_market else int(found["price"]),
        time_in_force=tif,
        post_only="post-only" in words,
        reduce_only="reduce-only" in words,
        self_trade_prevention=prevention,
        client_order_id=client_order_id,
        position_side=position_side,
        expire_time_ns=expire_time_ns,
        trigger=trigger,
    )


def _trigger(word: str) -> Trigger:
    name, _, price = word.partition(":")
    kind, _, source = name.partition("-")
    kinds = {"stop": TriggerKind.STOP, "take": TriggerKind.TAKE_PROFIT}
    return Trigger(kinds[kind], int(price), TriggerSource(source or "mark"))


def _pairs(found: Match[str]) -> list[tuple[str, str]]:
    words = found["pairs"].split()
    return list(zip(words[::2], words[1::2], strict=True))


def _marks(found: Match[str]) -> AnyCommand:
    return SetMarkPrices(marks=tuple(MarkPrice(full(symbol), int(price)) for symbol, price in _pairs(found)))


def _index(found: Match[str]) -> AnyCommand:
    return SetIndexPrices(prices=tuple(IndexPrice(full(symbol), int(price)) for symbol, price in _pairs(found)))


def _collateral(found: Match[str]) -> AnyCommand:
    return SetCollateralPrices(prices=tuple(CollateralPrice(asset, parse_cash(price)) for asset, price in _pairs(found)))


def _credit(found: Match[str]) -> AnyCommand:
    account, asset = found["account"], found["asset"] or SETTLEMENT_ASSET
    owner = INSURANCE_FUND if account == "fund" else account
    return Credit(account=owner, amount=amount_of(found["amount"], asset), asset=asset)


def _withdraw(found: Match[str]) -> AnyCommand:
    asset = found["asset"] or SETTLEMENT_ASSET
    return Withdraw(account=found["account"], amount=amount_of(found["amount"], asset), asset=asset)


def _amend(found: Match[str]) -> AnyCommand:
    word = found["id"]
    by_name = word.startswith("as:")
    return AmendOrder(
        account=found["account"],
        order_id=None if by_name else int(word),
        client_order_id=word.removeprefix("as:") if by_name else None,
        limit_price=int(found["price"]) if found["price"] else None,
        quantity=int(found["quantity"]) if found["quantity"] else None,
    )


def _cancel(found: Match[str]) -> AnyCommand:
    word = found["id"]
    if word.startswith("as:"):
        return CancelOrder(account=found["account"], client_order_id=word.removeprefix("as:"))
    return CancelOrder(account=found["account"], order_id=int(word))


def _cancel_after(found: Match[str]) -> AnyCommand:
    timeout = span_of(found["span"]) if found["span"] else None
    trigger = CancelTrigger.DEAD_MAN if found["verb"] in {"cancels after", "disarms"} else CancelTrigger.DISCONNECTED
    return SetCancelAfter(account=found["account"], timeout=timeout, trigger=trigger)


def _cancel_all(found: Match[str]) -> AnyCommand:
    symbol, side = position_named(found["position"]) if found["position"] else (None, None)
    way = None if found["way"] is None else Side(found["way"].removesuffix("s"))
    position_side = None if side is PositionSide.NET else side
    return CancelAllOrders(account=found["account"], symbol=symbol, side=way, position_side=position_side)


def _mode(found: Match[str]) -> AnyCommand:
    symbol, side = position_named(found["position"])
    margin = parse_cash(found["amount"]) if found["amount"] else None
    mode = MarginMode(found["mode"])
    return SetMarginMode(account=found["account"], symbol=symbol, margin_mode=mode, margin=margin, position_side=side)


def _leverage(found: Match[str]) -> AnyCommand:
    symbol, side = position_named(found["position"])
    return SetLeverage(account=found["account"], symbol=symbol, leverage=int(found["leverage"]), position_side=side)


def _auto_replenish(found: Match[str]) -> AnyCommand:
    symbol, side = position_named(found["position"])
    return SetAutoReplenish(account=found["account"], symbol=symbol, enabled=found["state"] == "on", position_side=side)


def _position_mode(found: Match[str]) -> AnyCommand:
    return SetPositionMode(account=found["account"], position_mode=PositionMode(found["mode"].replace("-", "_")))


def _move(found: Match[str]) -> AnyCommand:
    kind = AddMargin if found["verb"].startswith("adds") else RemoveMargin
    symbol, side = position_named(found["position"])
    return kind(account=found["account"], symbol=symbol, amount=parse_cash(found["amount"]), position_side=side)


def _trading_state(found: Match[str]) -> AnyCommand:
    state = TradingState.HALTED if found["verb"] == "halts" else TradingState.OPEN
    return SetTradingState(symbol=full(found["symbol"]), trading_state=state)


_WHO, _WHAT, _MONEY = r"(?P<account>\w+)", r"(?P<symbol>[A-Z]+)", r"(?P<amount>-?[\d.]+)"
_WHICH, _ASSET = r"(?P<position>[A-Z]+(/long|/short)?)", r"( of (?P<asset>[A-Z]+))?"
_PRICES = r"(?P<pairs>[A-Z]+ -?\d+( [A-Z]+ -?\d+)*)"
_GRAMMAR: tuple[tuple[str, Callable[[Match[str]], AnyCommand]], ...] = (
    (rf"{_WHO} (?P<side>buys|sells) (?P<quantity>-?\d+|all) {_WHICH} at (?P<price>market|-?\d+)(?P<flags>( \S+)*)", _place),
    (rf"{_WHO} (?P<verb>cancels after|is lost for) (?P<span>\d+(ns|ms|s|m|h))", _cancel_after),
    (rf"{_WHO} (?P<verb>disarms|is back)(?P<span>)", _cancel_after),
    (rf"{_WHO} cancels all( (?P<way>buys|sells))?( {_WHICH})?", _cancel_all),
    (rf"{_WHO} amends (?P<id>\d+|as:\S+)( to (?P<quantity>-?\d+))?( at (?P<price>-?\d+))?", _amend),
    (rf"{_WHO} cancels (?P<id>\d+|as:\S+)", _cancel),
    (rf"{_WHO} sets (?P<mode>hedge|one-way) mode", _position_mode),
    (rf"{_WHO} sets {_WHICH} (?P<mode>cross|isolated)( with {_MONEY})?", _mode),
    (rf"{_WHO} sets {_WHICH} leverage (?P<leverage>-?\d+)", _leverage),
    (rf"{_WHO} sets {_WHICH} auto-replenish (?P<state>on|off)", _auto_replenish),
    (rf"{_WHO} (?P<verb>adds) {_MONEY} to {_WHICH}", _move),
    (rf"{_WHO} (?P<verb>removes) {_MONEY} from {_WHICH}", _move),
    (rf"{_WHO} deposits {_MONEY}{_ASSET}", _credit),
    (rf"{_WHO} withdraws {_MONEY}{_ASSET}", _withdraw),
    (rf"opens {_WHO}", lambda found: CreateAccount(account=found["account"])),
    (rf"(?P<verb>halts|resumes) {_WHAT}", _trading_state),
    (rf"mark {_PRICES}", _marks),
    (rf"index {_PRICES}", _index),
    (r"collateral (?P<pairs>[A-Z]+ -?[\d.]+( [A-Z]+ -?[\d.]+)*)", _collateral),
    (r"continue", lambda found: ContinueLiquidations()),
    (r"continue triggers", lambda found: ContinueTriggers()),
    (r"wait(( until)? \d+(ns|ms|s|m|h))?", lambda found: AdvanceTime()),
)


def understand(text: str) -> AnyCommand | None:
    """Return the command that a sentence asks for, or None when it is no command."""
    for pattern, build in _GRAMMAR:
        found = re.fullmatch(pattern, text)
        if found is not None:
            return build(found)
    return None
