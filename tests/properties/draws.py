"""How a few random numbers become a command in the market of a run.

A command is drawn as a `Draw` of plain numbers and resolved against the model's state: the exact bound of a margin
removal, the price of the best order, the size of a position. Plain numbers shrink to the first choice of every table.
"""

from __future__ import annotations

from typing import NamedTuple

from exchange.domain.commands import (
    AddMargin,
    AdvanceTime,
    AnyCommand,
    CancelAllOrders,
    CancelOrder,
    CollateralPrice,
    CreateAccount,
    Credit,
    IndexPrice,
    MarkPrice,
    PlaceOrder,
    RemoveMargin,
    SetAutoReplenish,
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
    MarginMode,
    OrderType,
    PositionMode,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradingState,
)
from exchange.domain.ids import INSURANCE_FUND, SETTLEMENT_ASSET
from exchange.domain.units import PPM
from tests.properties.market import ACCOUNTS, FIRST_MARKS, SECOND, SYMBOLS, Setting, price_commands
from tests.properties.naive_accounts import Position
from tests.properties.naive_model import NaiveVenue


class Draw(NamedTuple):
    """The numbers behind one command; each indexes a table or is used modulo something."""

    kind: int
    account: int
    symbol: int
    choice: int
    size: int
    price: int
    variant: int
    wait: int


DRAW_MAXIMA = Draw(kind=139, account=5, symbol=2, choice=999, size=59, price=59, variant=63, wait=31)
"""The largest value of each number; the smallest is 0."""

WAITS = (*[1] * 12, 0, 0, 1_000, *[SECOND // 1_000] * 6, *[SECOND // 7] * 6, *[SECOND // 3] * 4, SECOND)
"""How long before its command time stands still, in ns."""

_KINDS = (
    ("place", 61), ("mark", 8), ("gap", 7), ("marks", 3), ("cancel", 3), ("cancel_all", 1), ("credit", 3),
    ("fund_credit", 1), ("mode", 3), ("leverage", 3), ("add", 2), ("remove", 3), ("odd", 1), ("repeat", 1),
)  # fmt: skip
_CROWDED_KINDS = (
    ("place", 68), ("gap", 8), ("marks", 7), ("mark", 9), ("cancel_all", 3), ("credit", 5),
)  # fmt: skip
_RISK_KINDS = (
    ("mode", 4), ("leverage", 3), ("withdraw", 3), ("replenish", 1), ("halt", 1), ("open", 4), ("asset", 4), ("index", 4),
    ("time", 5), ("position_mode", 1), ("gap", 6), ("crash", 4),
)  # fmt: skip
"""What runs with policies meet as well."""
_PLAIN_TABLES = tuple(
    tuple(name for name, weight in kinds for _ in range(weight)) for kinds in (_KINDS, _CROWDED_KINDS, _KINDS)
)
_RISK_TABLE = tuple(name for name, weight in _RISK_KINDS for _ in range(weight))

_OFFSETS = (0, 0, 0, 5, -5, 10, -10, 15, -15, 25, -25, 40, -40, 50, -50, 75, -75, 100, -100, 102, -102)
"""How far from the mark a limit lies, in percent of the price band."""
_GAPS_PPM = (60_000, -60_000, 120_000, -120_000, 250_000, -250_000, 400_000, -400_000, 700_000, -600_000)
_LEVERAGES = (10, 8, 20, 30, 40, 50, 5, 1, 7, 51)
_VARIANTS: tuple[tuple[OrderType, TimeInForce, bool, bool], ...] = (
    *[(OrderType.LIMIT, TimeInForce.GTC, False, False)] * 16,
    *[(OrderType.LIMIT, TimeInForce.IOC, False, False)] * 2,
    (OrderType.LIMIT, TimeInForce.FOK, False, False),
    *[(OrderType.LIMIT, TimeInForce.GTC, True, False)] * 2,
    *[(OrderType.LIMIT, TimeInForce.GTC, False, True)] * 3,
    *[(OrderType.MARKET, TimeInForce.IOC, False, False)] * 3,
    (OrderType.LIMIT, TimeInForce.IOC, False, True),
    (OrderType.LIMIT, TimeInForce.FOK, False, True),
    (OrderType.MARKET, TimeInForce.FOK, False, False),
    (OrderType.MARKET, TimeInForce.GTC, False, False),
    (OrderType.MARKET, TimeInForce.IOC, False, True),
    (OrderType.LIMIT, TimeInForce.GTC, True, True),
    (OrderType.LIMIT, TimeInForce.IOC, True, False),
)
_PREVENTIONS = (*[SelfTradePrevention.CANCEL_TAKER] * 2, SelfTradePrevention.CANCEL_MAKER, SelfTradePrevention.CANCEL_BOTH)


def kind_of(draw: Draw, setting: Setting) -> str:
    plain = _PLAIN_TABLES[setting.style]
    if draw.kind < len(plain):
        return plain[draw.kind]
    return _RISK_TABLE[draw.kind - len(plain)] if setting.is_random else plain[draw.kind - len(plain)]


def command_of(draw: Draw, model: NaiveVenue, setting: Setting) -> AnyCommand:
    """The command that the numbers mean in the model's present state; in style 1 most are large trades at the mark."""
    kind, account, crowded = kind_of(draw, setting), ACCOUNTS[draw.account], setting.style == 1
    if crowded and kind == "place" and draw.price % 4:
        draw = draw._replace(size=36 + draw.size % 12, price=0, variant=0)
    match kind:
        case "place":
            return _place(draw, model)
        case "repeat" if model.remembered:
            return list(model.remembered.values())[draw.choice % len(model.remembered)][0]
        case "repeat":
            return _place(draw._replace(choice=970 + draw.choice % 30), model)
        case "mark" | "gap" | "marks" | "index" | "time" | "crash":
            return _prices(kind, draw, model, crowded=crowded)
        case "cancel":
            return _cancel(draw, model)
        case "cancel_all":
            return CancelAllOrders(account=account, symbol=SYMBOLS[draw.symbol] if draw.choice % 2 else None)
        case "credit":
            return Credit(account=account, amount=1 + draw.choice * (1 + draw.size // 10))
        case "fund_credit":
            return Credit(account=INSURANCE_FUND, amount=1 + draw.choice * (1 + draw.size // 20))
        case "mode" | "leverage" | "replenish":
            return _set_up(kind, draw, model)
        case "add" | "remove":
            return _move_margin(draw, model, adding=kind == "add")
        case "withdraw":
            return _withdraw(draw, model)
        case "asset":
            return _asset(draw, model)
        case "halt" | "open":
            state = TradingState.HALTED if kind == "halt" else TradingState.OPEN
            halted = sorted(model.halted)
            symbol = halted[draw.choice % len(halted)] if kind == "open" and halted else SYMBOLS[draw.symbol]
            return SetTradingState(symbol=symbol, trading_state=state)
        case "position_mode":
            return SetPositionMode(account=account, position_mode=tuple(PositionMode)[draw.choice % 2])
        case _:
            return _odd(draw, model)


def _prices(kind: str, draw: Draw, model: NaiveVenue, *, crowded: bool) -> AnyCommand:
    """Marks, or index prices of symbols whose marks are made of them; "index" is any symbol's index price."""
    symbol = SYMBOLS[draw.symbol]
    gap = _GAPS_PPM[draw.choice % len(_GAPS_PPM)]
    if kind == "time":
        return AdvanceTime()
    if kind == "index":
        return SetIndexPrices(prices=(IndexPrice(symbol, _moved(model, symbol, (draw.choice % 41 - 20) * 1_500)),))
    if kind == "crash":
        factors = [(3, 2, 4)[draw.size % 3] if draw.choice >> n & 1 else 1 for n in range(3)]
        prices = {
            s: FIRST_MARKS[s] * factor if draw.choice >> n & 8 else FIRST_MARKS[s] // factor
            for n, (s, factor) in enumerate(zip(SYMBOLS, factors, strict=True))
        }
    elif kind == "marks":
        moves = [_GAPS_PPM[(draw.choice + n * draw.size) % len(_GAPS_PPM)] // (1 + draw.price % 3) for n in range(3)]
        prices = {s: _moved(model, s, move) for s, move in zip(SYMBOLS, moves, strict=True)}
    elif kind == "gap":
        prices = {symbol: _moved(model, symbol, gap)}
    else:
        symbol = next((s for s in SYMBOLS if model.marks[s] is None), symbol)
        prices = {symbol: _moved(model, symbol, (draw.choice % 41 - 20) * (4_000 if crowded else 1_500))}
    commands = price_commands(tuple(model.instruments.values()), prices)
    return commands[draw.choice % len(commands)]


def _moved(model: NaiveVenue, symbol: str, move_ppm: int) -> int:
    now = model.marks[symbol] or FIRST_MARKS[symbol]
    low, high = FIRST_MARKS[symbol] // 6, FIRST_MARKS[symbol] * 6
    return max(low, min(high, now + now * move_ppm // PPM))


def _position(draw: Draw, model: NaiveVenue) -> Position:
    """The account's position in the symbol, in hedge mode one of both."""
    account, symbol = model.accounts[ACCOUNTS[draw.account]], SYMBOLS[draw.symbol]
    sides = [model.find_position(account, symbol, side) for side in PositionSide]
    found = [p for p in sides if p is not None]
    return found[draw.size % len(found)]


def _place(draw: Draw, model: NaiveVenue) -> PlaceOrder:
    symbol, account, p = SYMBOLS[draw.symbol], ACCOUNTS[draw.account], _position(draw, model)
    order_type, time_in_force, post_only, reduce_only = _VARIANTS[draw.variant % len(_VARIANTS)]
    side = (Side.BUY, Side.SELL)[draw.choice % 2]
    if p.side is not PositionSide.NET and not p.q and draw.choice % 10:
        side = Side.BUY if p.side is PositionSide.LONG else Side.SELL
    reduce_only = reduce_only and (p.q != 0 or draw.choice % 10 == 0)
    if p.q and (draw.choice % 10 if reduce_only or draw.size >= 52 else draw.choice % 4 == 1):
        side = Side.SELL if p.q > 0 else Side.BUY
    price = None if order_type is OrderType.MARKET else _price(draw, model, symbol, side)
    return PlaceOrder(
        account=account,
        symbol=symbol,
        side=side,
        quantity=_quantity(draw, model, p),
        order_type=order_type,
        limit_price=price,
        time_in_force=time_in_force,
        post_only=post_only,
        reduce_only=reduce_only,
        self_trade_prevention=_PREVENTIONS[draw.choice // 2 % len(_PREVENTIONS)],
        client_order_id=f"id-{draw.choice % 7}" if draw.choice >= 970 else None,
        position_side=p.side,
    )


def _quantity(draw: Draw, model: NaiveVenue, p: Position) -> int:
    """Small, about what the account can afford, about the maximum, or measured by the position."""
    account, symbol = model.accounts[ACCOUNTS[draw.account]], SYMBOLS[draw.symbol]
    instrument = model.instruments[symbol]
    size, most, held = draw.size, instrument.quantity_max, abs(p.q)
    if size < 26:
        return 1 + size * most // 120
    if size < 48:
        one_lot = (model.marks[symbol] or FIRST_MARKS[symbol]) * instrument.cash_per_tick_lot
        affordable = max(0, model.available_to(account, p)) * p.leverage // one_lot
        return max(1, min(most, affordable * (size - 24) // 22))
    if size < 52:
        return most + (size - 50)
    return max(1, (held, held, held // 2, held + 1, 2 * held, held - 1, 3, 2)[size - 52])


def _price(draw: Draw, model: NaiveVenue, symbol: str, side: Side) -> int:
    """A price near the mark, or one near the best order of the other or the own side."""
    mark = model.marks[symbol] or FIRST_MARKS[symbol]
    price: int
    if draw.price < len(_OFFSETS):
        price = mark + mark * model.instruments[symbol].price_band * _OFFSETS[draw.price] // (100 * PPM)
    else:
        away = draw.price - len(_OFFSETS)
        depth = model.depth(symbol, -side.sign if away < 30 else side.sign)
        price = (depth[min(len(depth) - 1, away % 3)][0] if depth else mark) + (0, 0, 0, 1, -1)[away % 5]
    return max(1, price)


def _cancel(draw: Draw, model: NaiveVenue) -> CancelOrder:
    if draw.choice >= 970:
        return CancelOrder(account=ACCOUNTS[draw.account], client_order_id=f"id-{draw.choice % 7}")
    if model.orders and draw.choice >= 50:
        order = model.orders[draw.choice % len(model.orders)]
        return CancelOrder(account=order.account, order_id=order.order_id)
    return CancelOrder(account=ACCOUNTS[draw.account], order_id=1 + draw.size)


def _set_up(kind: str, draw: Draw, model: NaiveVenue) -> AnyCommand:
    """A setting of a position; a switch takes along what it needs, a chosen amount around that, or nothing said."""
    account, p = ACCOUNTS[draw.account], _position(draw, model)
    if kind == "leverage":
        leverage = _LEVERAGES[draw.choice % len(_LEVERAGES)]
        return SetLeverage(account=account, symbol=p.symbol, leverage=leverage, position_side=p.side)
    if kind == "replenish":
        enabled = draw.choice % 4 != 0
        return SetAutoReplenish(account=account, symbol=p.symbol, enabled=enabled, position_side=p.side)
    mode, margin = tuple(MarginMode)[draw.choice % 2], None
    if p.q and p.mode is MarginMode.CROSS and draw.price % 3 == 0:
        mode = MarginMode.ISOLATED
        margin = max(0, model.switch_margin(p) + (-1, 0, 1, 50, model.addable(model.accounts[account]))[draw.price % 5])
    return SetMarginMode(account=account, symbol=p.symbol, margin_mode=mode, margin=margin, position_side=p.side)


def _move_margin(draw: Draw, model: NaiveVenue, *, adding: bool) -> AddMargin | RemoveMargin:
    """On an isolated position if there is one; at the exact bound, one unit beyond it, or somewhere below."""
    isolated = [(a, p) for a in ACCOUNTS for _, p in sorted(model.accounts[a].positions.items()) if p.wallet]
    account, p = ACCOUNTS[draw.account], _position(draw, model)
    if isolated:
        account, p = isolated[(draw.account * len(SYMBOLS) + draw.symbol) % len(isolated)]
    held = model.accounts[account]
    bound = model.addable(held) if adding else model.removable(held, p)
    amount = (bound, bound + 1, bound // 2, bound // 10, draw.size)[draw.choice % 5]
    if adding:
        return AddMargin(account=account, symbol=p.symbol, amount=amount, position_side=p.side)
    return RemoveMargin(account=account, symbol=p.symbol, amount=amount, position_side=p.side)


def _withdraw(draw: Draw, model: NaiveVenue) -> Withdraw:
    """At the exact bound, one unit beyond it, or somewhere below."""
    account = model.accounts[ACCOUNTS[draw.account]]
    assets = (SETTLEMENT_ASSET, SETTLEMENT_ASSET, *model.collateral, *account.assets)
    asset = assets[draw.size % len(assets)]
    bound = model.withdrawable_of(account, asset)
    amount = (bound // 3, bound, bound + 1, bound // 10, draw.size)[draw.choice % 5]
    return Withdraw(account=account.name, amount=amount, asset=asset)


def _asset(draw: Draw, model: NaiveVenue) -> AnyCommand:
    """A price or a deposit of a collateral asset; without any, one that does not exist."""
    assets = (*model.collateral,) or ("TIN",)
    asset = assets[draw.symbol % len(assets)]
    if draw.choice % 3 == 0:
        receiver = INSURANCE_FUND if draw.choice % 7 == 0 else ACCOUNTS[draw.account]
        return Credit(account=receiver, amount=1 + draw.choice // 4, asset=asset)
    before = model.asset_prices.get(asset) or 100
    price = before * (10 + draw.size % 11 - 5) // 10 + draw.choice % 2
    return SetCollateralPrices(prices=(CollateralPrice(asset, price),))


def _odd(draw: Draw, model: NaiveVenue) -> AnyCommand:
    """What a well-behaved client never sends, and time."""
    account, symbol = ACCOUNTS[draw.account], SYMBOLS[draw.symbol]
    other_side = tuple(PositionSide)[draw.size % 3]
    odd: tuple[AnyCommand, ...] = (
        AdvanceTime(),
        CreateAccount(account=account),
        CreateAccount(account=INSURANCE_FUND),
        CreateAccount(account="a name with spaces"),
        Credit(account="nobody", amount=1),
        Credit(account=account, amount=0),
        SetMarkPrices(marks=(MarkPrice(SYMBOLS[0], 77), MarkPrice(symbol, 0))),
        SetMarkPrices(marks=(MarkPrice(SYMBOLS[0], 77), MarkPrice("NO-PERP", 5))),
        SetMarkPrices(marks=(MarkPrice(SYMBOLS[0], 77), MarkPrice(symbol, 2**40 + 1))),
        SetMarkPrices(marks=(MarkPrice(symbol, 77), MarkPrice(symbol, 78))),
        SetIndexPrices(prices=(IndexPrice(symbol, 77), IndexPrice(symbol, 0))),
        PlaceOrder(account="nobody", symbol=symbol, side=Side.BUY, quantity=1, limit_price=100),
        PlaceOrder(account=account, symbol="NO-PERP", side=Side.BUY, quantity=1, limit_price=100),
        PlaceOrder(account=account, symbol=symbol, side=Side.BUY, quantity=1),
        PlaceOrder(account=account, symbol=symbol, side=Side.BUY, quantity=9, limit_price=90, position_side=other_side),
        PlaceOrder(account=account, symbol=symbol, side=Side.SELL, quantity=5, order_type=OrderType.MARKET, limit_price=100),
        SetLeverage(account=account, symbol="NO-PERP", leverage=2),
        SetLeverage(account=account, symbol=symbol, leverage=0),
        SetMarginMode(account=account, symbol=symbol, margin_mode=MarginMode.CROSS, position_side=other_side),
        CancelAllOrders(account="nobody"),
        AddMargin(account=account, symbol=symbol, amount=-1),
        Withdraw(account="nobody", amount=1),
        Withdraw(account=account, amount=1, asset="TIN"),
        SetTradingState(symbol="NO-PERP", trading_state=TradingState.HALTED),
        SetMarkPrices(marks=(MarkPrice(symbol, FIRST_MARKS[symbol]),)),
    )
    return odd[draw.choice % len(odd)]
