"""A small, crowded market in which everything binds, and how a few random numbers become a command in it.

Tier floors and wallets are low, prices are whole ticks close to the mark and leverage is high, so that a few dozen
commands meet margin limits, tier edges, liquidations, an exhausted fund and deleveraging. A command is drawn as a
`Draw` of plain numbers and resolved against the model's state: the exact bound of a margin removal, the price of the
best order, the size of a position. Plain numbers shrink to the first choice of every table.
"""

from __future__ import annotations

from typing import NamedTuple

from exchange.domain.commands import (
    AddMargin,
    AdvanceTime,
    AnyCommand,
    CancelAllOrders,
    CancelOrder,
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
from exchange.domain.instrument import Instrument, TierRow, build_tiers, check_instrument
from exchange.domain.units import PPM, Grid
from tests.properties.naive_model import NaiveVenue

ACCOUNTS = ("alice", "bob", "carol", "dave", "erin", "frank")


def _instrument(symbol: str, k: int, tiers: list[TierRow], **fields: int) -> Instrument:
    instrument = Instrument(
        symbol=symbol,
        price_grid=Grid(1, 2),
        quantity_grid=Grid(1, 3),
        cash_per_tick_lot=k,
        tiers=build_tiers(tiers),
        **fields,
    )
    check_instrument(instrument)
    return instrument


INSTRUMENTS = (
    _instrument(
        "ANT-PERP", 7,
        [TierRow(0, 10_000, 50), TierRow(2_100, 20_000, 40), TierRow(6_300, 40_000, 20), TierRow(15_400, 100_000, 8)],
        default_leverage=10, maker_fee=200, taker_fee=500, liquidation_fee=5_000, price_band=200_000,
        market_protection=50_000, notional_min=1_000, quantity_max=30,
    ),
    _instrument(
        "BEE-PERP", 30,
        [TierRow(0, 25_000, 39), TierRow(4_920, 50_000, 19), TierRow(19_680, 100_000, 8)],
        default_leverage=10, maker_fee=-3_000, taker_fee=3_000, liquidation_fee=10_000, price_band=300_000,
        market_protection=300_000, notional_min=0, quantity_max=12,
    ),
    _instrument(
        "CAT-PERP", 1,
        [TierRow(0, 5_000, 50), TierRow(4_000, 10_000, 40), TierRow(12_000, 30_000, 30), TierRow(30_000, 80_000, 10)],
        default_leverage=20, maker_fee=0, taker_fee=1_000, liquidation_fee=15_000, price_band=100_000,
        market_protection=20_000, notional_min=900, quantity_max=20,
    ),
)  # fmt: skip
SYMBOLS = tuple(instrument.symbol for instrument in INSTRUMENTS)
FIRST_MARKS = {"ANT-PERP": 100, "BEE-PERP": 41, "CAT-PERP": 1_000}
WALLETS = (4_000, 1_500, 8_000, 2_500, 20_000, 800)


class Draw(NamedTuple):
    """The numbers behind one command; each indexes a table or is used modulo something."""

    kind: int
    account: int
    symbol: int
    choice: int
    size: int
    price: int
    variant: int


DRAW_MAXIMA = Draw(kind=99, account=5, symbol=2, choice=999, size=59, price=59, variant=63)
"""The largest value of each number; the smallest is 0."""

LIMITS = (
    (1000, 64, 256, 8, 20), (1000, 64, 256, 8, 20), (1000, 1, 256, 8, 9), (2, 64, 1, 3, 5), (1, 2, 2, 200, 5000),
    (3, 1, 1, 2, 5),
)  # fmt: skip
"""(sweep_makers_max, liquidation_steps_max, adl_legs_max, open_orders_max, account_orders_max) of a run."""

STYLES = 3
"""How many ways there are to open a run (`opening_commands`)."""

_KINDS = (
    ("place", 61), ("mark", 8), ("gap", 7), ("marks", 3), ("cancel", 3), ("cancel_all", 1), ("credit", 3),
    ("fund_credit", 1), ("mode", 3), ("leverage", 3), ("add", 2), ("remove", 3), ("odd", 1), ("repeat", 1),
)  # fmt: skip
_CROWDED_KINDS = (
    ("place", 68), ("gap", 8), ("marks", 7), ("mark", 9), ("cancel_all", 3), ("credit", 5),
)  # fmt: skip
_KIND_OF = tuple(tuple(name for name, weight in kinds for _ in range(weight)) for kinds in (_KINDS, _CROWDED_KINDS, _KINDS))

_OFFSETS = (0, 0, 0, 5, -5, 10, -10, 15, -15, 25, -25, 40, -40, 50, -50, 75, -75, 100, -100, 102, -102)
"""How far from the mark a limit lies, in percent of the price band."""
_GAPS_PPM = (60_000, -60_000, 120_000, -120_000, 250_000, -250_000, 400_000, -400_000, 700_000, -600_000)
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


def opening_commands(style: int) -> list[AnyCommand]:
    """Accounts with small wallets, modes, leverages and marks; style 1 has no fund, style 2 one symbol without a mark."""
    commands: list[AnyCommand] = [CreateAccount(account=name) for name in ACCOUNTS]
    commands += [Credit(account=name, amount=amount) for name, amount in zip(ACCOUNTS, WALLETS, strict=True)]
    marked = SYMBOLS[:-1] if style == 2 else SYMBOLS
    commands.append(SetMarkPrices(marks=tuple(MarkPrice(symbol, FIRST_MARKS[symbol]) for symbol in marked)))
    if style != 1:
        commands.append(Credit(account=INSURANCE_FUND, amount=100))
    for a, account in enumerate(ACCOUNTS):
        for s, symbol in enumerate(SYMBOLS):
            if (a + s) % 2 if style != 1 else a == s:
                commands.append(SetMarginMode(account=account, symbol=symbol, margin_mode=MarginMode.ISOLATED))
            leverage = 8 if style == 1 else (10, 5, 20, 8, 30)[(2 * a + s) % 5]
            commands.append(SetLeverage(account=account, symbol=symbol, leverage=leverage))
    return commands


def command_of(draw: Draw, model: NaiveVenue, style: int) -> AnyCommand:
    """The command that the numbers mean in the model's present state; in style 1 most are large trades at the mark."""
    kind, account, symbol = _KIND_OF[style][draw.kind], ACCOUNTS[draw.account], SYMBOLS[draw.symbol]
    if style == 1 and kind == "place" and draw.price % 4:
        draw = draw._replace(size=36 + draw.size % 12, price=0, variant=0)
    match kind:
        case "place":
            return _place(draw, model)
        case "repeat" if model.remembered:
            return list(model.remembered.values())[draw.choice % len(model.remembered)][0]
        case "repeat":
            return _place(draw._replace(choice=970 + draw.choice % 30), model)
        case "mark":
            symbol = next((s for s in SYMBOLS if model.marks[s] is None), symbol)
            return SetMarkPrices(marks=(_mark(model, symbol, (draw.choice % 41 - 20) * (4_000 if style == 1 else 1_500)),))
        case "gap":
            return SetMarkPrices(marks=(_mark(model, symbol, _GAPS_PPM[draw.choice % len(_GAPS_PPM)]),))
        case "marks":
            moves = [_GAPS_PPM[(draw.choice + n * draw.size) % len(_GAPS_PPM)] // (1 + draw.price % 3) for n in range(3)]
            return SetMarkPrices(marks=tuple(_mark(model, s, move) for s, move in zip(SYMBOLS, moves, strict=True)))
        case "cancel":
            return _cancel(draw, model)
        case "cancel_all":
            return CancelAllOrders(account=account, symbol=symbol if draw.choice % 2 else None)
        case "credit":
            return Credit(account=account, amount=1 + draw.choice * (1 + draw.size // 10))
        case "fund_credit":
            return Credit(account=INSURANCE_FUND, amount=1 + draw.choice * (1 + draw.size // 20))
        case "mode":
            return SetMarginMode(account=account, symbol=symbol, margin_mode=tuple(MarginMode)[draw.choice % 2])
        case "leverage":
            return SetLeverage(account=account, symbol=symbol, leverage=(10, 8, 20, 30, 40, 50, 5, 1, 7, 51)[draw.choice % 10])
        case "add" | "remove":
            return _move_margin(draw, model, adding=kind == "add")
        case _:
            return _odd(draw, model)


def _mark(model: NaiveVenue, symbol: str, move_ppm: int) -> MarkPrice:
    now = model.marks[symbol] or FIRST_MARKS[symbol]
    moved = now + now * move_ppm // PPM
    low, high = FIRST_MARKS[symbol] // 6, FIRST_MARKS[symbol] * 6
    return MarkPrice(symbol, max(low, min(high, moved)))


def _place(draw: Draw, model: NaiveVenue) -> PlaceOrder:
    symbol, account = SYMBOLS[draw.symbol], ACCOUNTS[draw.account]
    q = model.accounts[account].positions[symbol].q
    order_type, time_in_force, post_only, reduce_only = _VARIANTS[draw.variant % len(_VARIANTS)]
    side = (Side.BUY, Side.SELL)[draw.choice % 2]
    reduce_only = reduce_only and (q != 0 or draw.choice % 10 == 0)
    if q and (draw.choice % 10 if reduce_only or draw.size >= 52 else draw.choice % 4 == 1):
        side = Side.SELL if q > 0 else Side.BUY
    price = None if order_type is OrderType.MARKET else _price(draw, model, symbol, side)
    return PlaceOrder(
        account=account,
        symbol=symbol,
        side=side,
        quantity=_quantity(draw, model),
        order_type=order_type,
        limit_price=price,
        time_in_force=time_in_force,
        post_only=post_only,
        reduce_only=reduce_only,
        self_trade_prevention=_PREVENTIONS[draw.choice // 2 % len(_PREVENTIONS)],
        client_order_id=f"id-{draw.choice % 7}" if draw.choice >= 970 else None,
    )


def _quantity(draw: Draw, model: NaiveVenue) -> int:
    """Small, about what the account can afford, about the maximum, or measured by the position."""
    account, symbol = model.accounts[ACCOUNTS[draw.account]], SYMBOLS[draw.symbol]
    instrument, position = model.instruments[symbol], account.positions[symbol]
    size, most, held = draw.size, instrument.quantity_max, abs(position.q)
    if size < 26:
        return 1 + size * most // 120
    if size < 48:
        one_lot = (model.marks[symbol] or FIRST_MARKS[symbol]) * instrument.cash_per_tick_lot
        affordable = model.addable(account) * position.leverage // one_lot
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


def _move_margin(draw: Draw, model: NaiveVenue, *, adding: bool) -> AddMargin | RemoveMargin:
    """On an isolated position if there is one; at the exact bound, one unit beyond it, or somewhere below."""
    isolated = [(a, s) for a in ACCOUNTS for s in SYMBOLS if model.accounts[a].positions[s].wallet]
    account, symbol = ACCOUNTS[draw.account], SYMBOLS[draw.symbol]
    if isolated:
        account, symbol = isolated[(draw.account * len(SYMBOLS) + draw.symbol) % len(isolated)]
    held = model.accounts[account]
    bound = model.addable(held) if adding else model.removable(held, symbol)
    amount = (bound, bound + 1, bound // 2, bound // 10, draw.size)[draw.choice % 5]
    if adding:
        return AddMargin(account=account, symbol=symbol, amount=amount)
    return RemoveMargin(account=account, symbol=symbol, amount=amount)


def _odd(draw: Draw, model: NaiveVenue) -> AnyCommand:
    """What a well-behaved client never sends, and time."""
    account, symbol = ACCOUNTS[draw.account], SYMBOLS[draw.symbol]
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
        PlaceOrder(account="nobody", symbol=symbol, side=Side.BUY, quantity=1, limit_price=100),
        PlaceOrder(account=account, symbol="NO-PERP", side=Side.BUY, quantity=1, limit_price=100),
        PlaceOrder(account=account, symbol=symbol, side=Side.BUY, quantity=1),
        PlaceOrder(account=account, symbol=symbol, side=Side.SELL, quantity=5, order_type=OrderType.MARKET, limit_price=100),
        SetLeverage(account=account, symbol="NO-PERP", leverage=2),
        SetLeverage(account=account, symbol=symbol, leverage=0),
        CancelAllOrders(account="nobody"),
        AddMargin(account=account, symbol=symbol, amount=-1),
    )
    return odd[draw.choice % len(odd)]
