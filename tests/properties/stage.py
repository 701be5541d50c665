"""A pair of venues on which named accounts act one after the other, for paths that a test walks on purpose."""

from __future__ import annotations

from exchange.domain.commands import (
    AnyCommand,
    CreateAccount,
    Credit,
    MarkPrice,
    PlaceOrder,
    SetLeverage,
    SetMarginMode,
    SetMarkPrices,
    SetPositionMode,
)
from exchange.domain.enums import MarginMode, PositionMode, PositionSide, Side
from exchange.domain.events import CloseOutVenue, LiquidationStarted, OrderCanceled, PositionTransferred, TradeExecuted
from exchange.domain.rejects import Reason
from tests.properties.agreement import Pair
from tests.properties.comparisons import Events
from tests.properties.market import FIRST_MARKS, SYMBOLS, Setting

ANT, BEE, CAT = SYMBOLS
LEVERAGE = 8


class Stage:
    """A pair of venues with marks, on which named accounts act."""

    def __init__(self, setting: Setting | None = None) -> None:
        self.pair = Pair(setting)
        self.marks(**{symbol[:3]: price for symbol, price in FIRST_MARKS.items()})

    def apply(self, command: AnyCommand) -> Events:
        first = len(self.pair.history)
        self.pair.apply(command)
        return tuple(event for _, _, events in self.pair.history[first:] for event in events)

    def marks(self, **prices: int) -> Events:
        return self.apply(SetMarkPrices(marks=tuple(MarkPrice(f"{name}-PERP", price) for name, price in prices.items())))

    def account(self, name: str, amount: int, *, isolated: str | None = None, leverage: int = LEVERAGE) -> None:
        self.apply(CreateAccount(account=name))
        self.apply(Credit(account=name, amount=amount))
        if isolated is not None:
            self.apply(SetMarginMode(account=name, symbol=isolated, margin_mode=MarginMode.ISOLATED))
        for symbol in SYMBOLS:
            self.apply(SetLeverage(account=name, symbol=symbol, leverage=leverage))

    def order(self, name: str, symbol: str, signed_quantity: int, price: int, *, reduce_only: bool = False) -> Events:
        return self.apply(
            PlaceOrder(
                account=name,
                symbol=symbol,
                side=Side.BUY if signed_quantity > 0 else Side.SELL,
                quantity=abs(signed_quantity),
                limit_price=price,
                reduce_only=reduce_only,
            )
        )

    def trade(self, buyer: str, seller: str, symbol: str, quantity: int, price: int) -> None:
        self.order(seller, symbol, -quantity, price)
        assert any(isinstance(event, TradeExecuted) for event in self.order(buyer, symbol, quantity, price))

    def hedge(self, name: str, amount: int, *, isolated: PositionSide | None = None) -> None:
        """An account with two positions a symbol, one of them on its own wallet in ANT-PERP."""
        self.apply(CreateAccount(account=name))
        self.apply(Credit(account=name, amount=amount))
        self.apply(SetPositionMode(account=name, position_mode=PositionMode.HEDGE))
        if isolated is not None:
            mode = MarginMode.ISOLATED
            self.apply(SetMarginMode(account=name, symbol=ANT, margin_mode=mode, position_side=isolated))

    def hedged_trade(self, name: str, other: str, side: PositionSide, quantity: int, price: int, symbol: str = ANT) -> None:
        """Open one of the positions of an account in hedge mode against another account."""
        self.order(other, symbol, -side.sign * quantity, price)
        events = self.apply(
            PlaceOrder(
                account=name,
                symbol=symbol,
                side=Side.BUY if side is PositionSide.LONG else Side.SELL,
                quantity=quantity,
                limit_price=price,
                position_side=side,
            )
        )
        assert any(isinstance(event, TradeExecuted) for event in events)


def transfers(events: Events) -> list[tuple[str, CloseOutVenue, str, int]]:
    """(from, how, to, lots) of every change of hands."""
    found = [event for event in events if isinstance(event, PositionTransferred)]
    return [(event.account, event.venue, event.counterparty, event.quantity) for event in found]


def started(events: Events) -> list[str]:
    return [event.account for event in events if isinstance(event, LiquidationStarted)]


def canceled(events: Events, reason: Reason) -> list[int]:
    return [event.order.order_id for event in events if isinstance(event, OrderCanceled) and event.reason is reason]
