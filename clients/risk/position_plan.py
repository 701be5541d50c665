"""A position as it would be opened: checked against its instrument's limits before anything is computed from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exchange.domain.enums import PositionSide
from exchange.domain.instrument import Instrument, Tier
from exchange.domain.margin_math import (
    fee_on,
    initial_margin,
    isolated_fill_margin,
    maintenance_margin,
    margin_notional,
    notional_value,
    order_reserve,
    tier_at,
    unrealized_pnl,
)
from exchange.domain.units import PRICE_TICKS_MAX, Cash, Lots, Ticks, format_cash


class PlanRefused(ValueError):  # noqa: N818
    """A plan that no venue would take: ``field`` is what to change, ``sentence`` says the limit and what to do."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}")
        self.field = field
        self.sentence = sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionPlan:
    """A position opened by one taker fill at ``entry_price``, while the mark is there too.

    Units: ``quantity`` unsigned lots, ``entry_price`` ticks, ``leverage`` times. Raises ``PlanRefused`` for what the
    instrument's filters and tiers would refuse (BOOK-006, MARG-010, MARG-015).
    """

    instrument: Instrument
    side: PositionSide
    quantity: Lots
    entry_price: Ticks
    leverage: int

    def __post_init__(self) -> None:
        if self.side is PositionSide.NET:
            raise PlanRefused("side", "it must be long or short")
        instrument, grid = self.instrument, self.instrument.quantity_grid
        if not 1 <= self.quantity <= instrument.quantity_max:
            raise PlanRefused(
                "quantity",
                f"{grid.format(self.quantity)} is not from {grid.size} to {grid.format(instrument.quantity_max)}, "
                f"what one order of {instrument.symbol} may have",
            )
        check_price(instrument, "entry_price", self.entry_price)
        if self.entry_notional < instrument.notional_min:
            raise PlanRefused(
                "quantity",
                f"{grid.format(self.quantity)} is worth {format_cash(self.entry_notional)}, less than the "
                f"{format_cash(instrument.notional_min)} that an order of {instrument.symbol} must have; raise it",
            )
        self._check_leverage()

    def _check_leverage(self) -> None:
        instrument = self.instrument
        if not 1 <= self.leverage <= instrument.max_leverage:
            raise PlanRefused(
                "leverage", f"{self.leverage} is not from 1 to {instrument.max_leverage}, the most that {instrument.symbol} has"
            )
        tier = tier_at(instrument.tiers, self.entry_notional)
        if self.leverage > tier.max_leverage:
            raise PlanRefused(
                "leverage",
                f"{self.leverage} is above {tier.max_leverage}, the most for a notional of {format_cash(self.entry_notional)} "
                f"(tier from {format_cash(tier.notional_floor)}); lower it, or the quantity",
            )

    @classmethod
    def parse(
        cls, instrument: Instrument, *, side: str, quantity: str, entry_price: str, leverage: int | None = None
    ) -> PositionPlan:
        """Return a plan from decimal texts; ``PlanRefused`` names the field that is off the grid or out of range.

        Without ``leverage`` it is the instrument's default, or the most of the position's tier where that is less.
        """
        if side not in (PositionSide.LONG.value, PositionSide.SHORT.value):
            raise PlanRefused("side", f"{side!r} is no side; write long or short")
        lots = _parsed("quantity", quantity, instrument.quantity_grid.parse)
        ticks = parse_price(instrument, "entry_price", entry_price)
        if leverage is None:
            tier = tier_at(instrument.tiers, notional_value(instrument, lots, ticks))
            leverage = min(instrument.default_leverage, tier.max_leverage)
        return cls(instrument=instrument, side=PositionSide(side), quantity=lots, entry_price=ticks, leverage=leverage)

    @property
    def sign(self) -> int:
        """+1 for a long, -1 for a short."""
        return 1 if self.side is PositionSide.LONG else -1

    @property
    def signed_quantity(self) -> Lots:
        """The position in signed lots."""
        return self.sign * self.quantity

    @property
    def entry_notional(self) -> Cash:
        """Its notional at entry, in cash (MARG-001)."""
        return notional_value(self.instrument, self.quantity, self.entry_price)

    @property
    def entry_cost(self) -> Cash:
        """Its signed entry cost, in cash."""
        return self.sign * self.entry_notional

    @property
    def opening_fee(self) -> Cash:
        """The taker fee of opening it, in cash (MARG-017)."""
        return fee_on(self.entry_notional, self.instrument.taker_fee)

    @property
    def opening_reserve(self) -> Cash:
        """What must be available for its order to be accepted, fee and rounding included, in cash (MARG-008)."""
        return order_reserve(self.instrument, self.sign, self.quantity, self.entry_price, self.entry_price, self.leverage)

    @property
    def opening_margin(self) -> Cash:
        """What its own wallet holds once it is open in isolated mode and the fee is paid, in cash (MARG-012)."""
        fee = self.opening_fee
        usual = isolated_fill_margin(
            self.instrument, self.sign, self.quantity, self.entry_price, self.entry_price, self.leverage, fee
        )
        return max(usual - fee, self.initial_margin_at(self.entry_price))

    def profit_at(self, mark_price: Ticks) -> Cash:
        """Return its unrealised profit at a mark, in cash."""
        return unrealized_pnl(self.instrument, self.signed_quantity, self.entry_cost, mark_price)

    def maintenance_at(self, mark_price: Ticks) -> Cash:
        """Return its maintenance margin at a mark, in cash (MARG-003)."""
        return maintenance_margin(self.instrument, self.signed_quantity, self.entry_cost, mark_price)

    def initial_margin_at(self, mark_price: Ticks) -> Cash:
        """Return its initial margin at a mark, in cash (MARG-004)."""
        return initial_margin(self.instrument, self.signed_quantity, self.entry_cost, mark_price, self.leverage)

    def maintenance_notional_at(self, mark_price: Ticks) -> Cash:
        """Return the notional that its maintenance margin is measured on at a mark, in cash (MARG-003)."""
        measured_at = self.instrument.rules.maintenance_price
        return margin_notional(self.instrument, self.signed_quantity, self.entry_cost, mark_price, measured_at)

    def tier_at(self, mark_price: Ticks) -> Tier:
        """Return the tier that its maintenance margin is taken from at a mark (MARG-002)."""
        return tier_at(self.instrument.tiers, self.maintenance_notional_at(mark_price))


def least_healthy_equity(maintenance: Cash, *, liquidate_at_equality: bool) -> Cash:
    """Return the least equity with which a scope of that maintenance margin is not liquidated, in cash (MARG-005)."""
    return maintenance + 1 if liquidate_at_equality and maintenance > 0 else maintenance


def check_price(instrument: Instrument, field: str, price: Ticks) -> None:
    """Raise ``PlanRefused`` when a price in ticks is not one that a mark may have (MARK-001)."""
    if not 1 <= price <= PRICE_TICKS_MAX:
        grid = instrument.price_grid
        raise PlanRefused(field, f"{grid.format(price)} is not from {grid.size} to {grid.format(PRICE_TICKS_MAX)}")


def parse_price(instrument: Instrument, field: str, text: str) -> Ticks:
    """Return a decimal price in ticks; ``PlanRefused`` names the field and the tick when it is off the grid."""
    ticks = _parsed(field, text, instrument.price_grid.parse)
    check_price(instrument, field, ticks)
    return ticks


def _parsed(field: str, text: str, parse: Callable[[str], int]) -> int:
    try:
        return parse(text)
    except ValueError as error:
        raise PlanRefused(field, str(error)) from None
