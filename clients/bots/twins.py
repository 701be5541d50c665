"""Twins: two accounts that open the same trades, one in cross and one in isolated margin, and then hold still.

Units: prices in quote per base, quantities in base (signed where they are a position), money in the settlement currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from clients.bots.bot import Bot
from clients.bots.sizing import quantity_for
from clients.client import Client
from clients.human_units import round_nearest
from clients.market_data import Instrument
from clients.messages import Account, Position
from clients.requests import PlaceOrder
from clients.updates import Liquidation
from exchange.domain.enums import MarginMode, Side, TimeInForce

OPENING_TURNS_MAX = 50
"""How many turns a twin tries to open its trades before it holds what it has."""
OPENING_REACH = Decimal("0.01")
"""How far past the mark it pays at most, as a fraction; a market order would have margin held for its far worse price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinLeg:
    """One trade of a plan; ``share`` is its part of the plan's notional."""

    symbol: str
    side: Side
    share: Decimal
    leverage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedLeg:
    """One trade with its quantity, the same for both twins."""

    symbol: str
    side: Side
    quantity: Decimal
    leverage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinPlan:
    """What a pair of twins opens."""

    name: str
    notional: Decimal
    """Of all legs together."""
    legs: tuple[TwinLeg, ...]

    def __post_init__(self) -> None:
        if not self.legs or sum(leg.share for leg in self.legs) != 1:
            raise ValueError(f"plan {self.name}: the shares of its legs must add up to 1")
        if len({leg.symbol for leg in self.legs}) != len(self.legs):
            raise ValueError(f"plan {self.name}: a symbol may be in one leg only")

    def fix(self, instruments: Mapping[str, Instrument], marks: Mapping[str, Decimal]) -> tuple[FixedLeg, ...]:
        """Return the legs with quantities at these marks, in whole lots: done once for both twins of a pair."""
        return tuple(
            FixedLeg(
                symbol=leg.symbol,
                side=leg.side,
                quantity=quantity_for(instruments[leg.symbol], self.notional * leg.share, marks[leg.symbol]),
                leverage=leg.leverage,
            )
            for leg in self.legs
        )


class TwinPhase(Enum):
    """Where a twin stands."""

    SETTING_UP = "setting_up"
    OPENING = "opening"
    HOLDING = "holding"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinLiquidation:
    """A scope of the twin fell below maintenance. ``symbol`` is None for the cross scope."""

    liquidation_id: int
    path: MarginMode | None
    symbol: str | None
    equity: Decimal | None
    time_us: int


@dataclass(slots=True)
class TwinRecord:
    """What happened to a twin. ``equity`` is all it has, as of the last look."""

    margin_mode: MarginMode
    phase: TwinPhase = TwinPhase.SETTING_UP
    entries: dict[str, Position] = field(default_factory=dict)
    """The positions as they stood when opening was done."""
    equity: Decimal | None = None
    equity_low: Decimal | None = None
    positions: tuple[Position, ...] = ()
    liquidations: list[TwinLiquidation] = field(default_factory=list)


class Twin(Bot):
    """Opens its legs in one margin mode, then holds and records what happens to it."""

    def __init__(
        self,
        client: Client,
        *,
        name: str,
        seed: int,
        instruments: Mapping[str, Instrument],
        legs: Sequence[FixedLeg],
        margin_mode: MarginMode,
    ) -> None:
        super().__init__(client, name=name, seed=seed, instruments=instruments)
        self.legs = tuple(legs)
        self.record = TwinRecord(margin_mode)
        self._liquidations_seen = 0
        self._opening_turns = 0

    @property
    def symbols(self) -> Sequence[str]:
        """The symbols of the legs."""
        return tuple(leg.symbol for leg in self.legs)

    async def act(self) -> None:
        """Do the next step of opening; once that is done, only record."""
        self._note_liquidations()
        if self.record.phase is TwinPhase.SETTING_UP:
            await self._set_up()
        if self.record.phase is TwinPhase.OPENING:
            await self._open()

    async def look(self) -> TwinRecord:
        """Return the record with equity and positions at the present marks. A barrier like a turn."""
        account = await self.client.account()
        positions = await self.client.positions()
        self._note_liquidations()
        self._note_equity(account, positions)
        return self.record

    async def _set_up(self) -> None:
        for leg in self.legs:
            await self.client.set_margin_mode(leg.symbol, self.record.margin_mode)
            await self.client.set_leverage(leg.symbol, leg.leverage)
        self.record.phase = TwinPhase.OPENING

    async def _open(self) -> None:
        """Send what is missing; hold once nothing is, or when there is no use in trying on."""
        missing = self._missing()
        if missing and self._opening_turns < OPENING_TURNS_MAX and not self.record.liquidations:
            self._opening_turns += 1
            await self.send(missing)
            await self.client.ping()
            missing = self._missing()
        if not missing or self._opening_turns >= OPENING_TURNS_MAX or self.record.liquidations:
            self.record.phase = TwinPhase.HOLDING
            await self.look()
            self.record.entries = {position.symbol: position for position in self.record.positions if position.quantity}

    def _missing(self) -> list[PlaceOrder]:
        orders = []
        for leg in self.legs:
            held = self.mirror.positions.quantity(leg.symbol) * leg.side.sign
            mark = self.mirror.marks.price(leg.symbol)
            if held < leg.quantity and mark is not None:
                worst = mark * (1 + leg.side.sign * OPENING_REACH)
                orders.append(
                    PlaceOrder(
                        symbol=leg.symbol,
                        side=leg.side,
                        quantity=leg.quantity - held,
                        price=round_nearest(worst, self.instruments[leg.symbol].tick_size),
                        time_in_force=TimeInForce.IOC,
                        client_order_id=self.next_order_id(),
                    )
                )
        return orders

    def _note_equity(self, account: Account, positions: Iterable[Position]) -> None:
        record = self.record
        record.equity = account.total_equity
        record.equity_low = account.total_equity if record.equity_low is None else min(record.equity_low, account.total_equity)
        record.positions = tuple(sorted(positions, key=lambda position: position.symbol))

    def _note_liquidations(self) -> None:
        seen = self.mirror.liquidations
        for step in seen.since(self._liquidations_seen):
            if step.step == "started" and step.account == self.client.account_name:
                self.record.liquidations.append(_liquidation(step))
        self._liquidations_seen = seen.total


def _liquidation(step: Liquidation) -> TwinLiquidation:
    return TwinLiquidation(
        liquidation_id=step.liquidation_id,
        path=step.path,
        symbol=step.symbol,
        equity=step.equity,
        time_us=step.time_us,
    )
