"""A venue on which one account opens what the risk tools have planned, so that the venue itself says if they are right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from exchange.domain.commands import (
    AddMargin,
    AnyCommand,
    ContinueLiquidations,
    CreateAccount,
    Credit,
    MarkPrice,
    PlaceOrder,
    RemoveMargin,
    SetLeverage,
    SetMarginMode,
    SetMarkPrices,
    SetPositionMode,
    Withdraw,
)
from exchange.domain.enums import MarginMode, PositionMode, PositionSide, Side
from exchange.domain.events import CommandRejected, LiquidationStarted, OrderRejected
from exchange.domain.ids import INSURANCE_FUND, Symbol
from exchange.domain.instrument import Instrument
from exchange.domain.policy import RiskPolicy
from exchange.domain.units import Cash, Lots, Ticks
from exchange.domain.views import PositionView
from exchange.venue.venue import Venue
from tests.cast import ALICE, BOB, T0, cash

PLENTY = cash("1000000000")


class RiskStage:
    """ALICE has what a test gives her; BOB is rich and takes the other side of whatever she does.

    So is the fund, which takes over what is liquidated: nobody is deleveraged, which no plan can foresee.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        marks: Mapping[Symbol, Ticks],
        *,
        wallet: Cash,
        policy: RiskPolicy | None = None,
        hedge: bool = False,
    ) -> None:
        self.venue = Venue(instruments, policy=policy)
        for name, money in ((ALICE, wallet), (BOB, PLENTY)):
            self.do(CreateAccount(account=name), Credit(account=name, amount=money))
        self.do(Credit(account=INSURANCE_FUND, amount=PLENTY))
        self.move(marks)
        for instrument in instruments:
            self.do(SetLeverage(account=BOB, symbol=instrument.symbol, leverage=1))
        self._side_of = dict.fromkeys(PositionSide, PositionSide.NET)
        if hedge:
            self.do(SetPositionMode(account=ALICE, position_mode=PositionMode.HEDGE))
            self._side_of = {side: side for side in PositionSide}

    def do(self, *commands: AnyCommand) -> bool:
        """Carry out commands; return whether none was refused and nothing of ALICE's was liquidated by them."""
        fine = True
        for command in commands:
            events = self.venue.apply(command, now_ns=T0)
            while self.venue.has_unfinished_liquidations:
                events += self.venue.apply(ContinueLiquidations(), now_ns=T0)
            refused = any(isinstance(event, CommandRejected | OrderRejected) for event in events)
            liquidated = any(isinstance(event, LiquidationStarted) and event.account == ALICE for event in events)
            fine = fine and not refused and not liquidated
        return fine

    def move(self, marks: Mapping[Symbol, Ticks]) -> bool:
        """Set marks at once; return whether ALICE was spared."""
        return self.do(SetMarkPrices(marks=tuple(MarkPrice(symbol, mark) for symbol, mark in marks.items())))

    def walk(self, moments: Iterable[Mapping[Symbol, Ticks]]) -> bool:
        """Set marks moment by moment until ALICE is not spared; return whether she was at each."""
        return all(self.move(marks) for marks in moments)

    def choose(self, symbol: Symbol, mode: MarginMode, leverage: int, side: PositionSide = PositionSide.NET) -> bool:
        """Set mode and leverage of a position that ALICE does not have yet."""
        side = self._side_of[side]
        return self.do(
            SetMarginMode(account=ALICE, symbol=symbol, margin_mode=mode, position_side=side),
            SetLeverage(account=ALICE, symbol=symbol, leverage=leverage, position_side=side),
        )

    def trade(
        self, symbol: Symbol, lots: Lots, price: Ticks, side: PositionSide = PositionSide.NET, *, reduce_only: bool = False
    ) -> bool:
        """Have ALICE trade signed lots with BOB at a price, as the taker; return whether all of it was done."""
        hers, his = (Side.BUY, Side.SELL) if lots > 0 else (Side.SELL, Side.BUY)
        before = self.position(symbol, side).quantity
        self.do(PlaceOrder(account=BOB, symbol=symbol, side=his, quantity=abs(lots), limit_price=price))
        order = PlaceOrder(
            account=ALICE,
            symbol=symbol,
            side=hers,
            quantity=abs(lots),
            limit_price=price,
            reduce_only=reduce_only,
            position_side=self._side_of[side],
        )
        return self.do(order) and self.position(symbol, side).quantity == before + lots

    def set_margin(self, symbol: Symbol, wallet: Cash, side: PositionSide = PositionSide.NET) -> bool:
        """Add or remove margin until ALICE's isolated wallet holds so much."""
        held, own = self.position(symbol, side).isolated_wallet, self._side_of[side]
        if wallet > held:
            return self.do(AddMargin(account=ALICE, symbol=symbol, amount=wallet - held, position_side=own))
        if wallet < held:
            return self.do(RemoveMargin(account=ALICE, symbol=symbol, amount=held - wallet, position_side=own))
        return True

    def leave(self, wallet: Cash) -> bool:
        """Withdraw from ALICE's cross wallet until it holds so much."""
        held = self.venue.account(ALICE).wallet_balance
        return held == wallet or self.do(Withdraw(account=ALICE, amount=held - wallet))

    def position(self, symbol: Symbol, side: PositionSide = PositionSide.NET) -> PositionView:
        return self.venue.position(ALICE, symbol, self._side_of[side])
