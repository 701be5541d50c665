"""How large a position may be so that it risks what its owner means to risk, and no more.

Every bound asks a question whose answer can only turn from yes to no as the quantity grows; the most lots that pass it are
found by halving, and the size is the least of them. So a size passes every bound and one more lot breaks the one that
decided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from clients.risk.position_plan import PlanRefused, PositionPlan, check_price, least_healthy_equity
from clients.risk.volatility import Volatility
from exchange.domain.enums import PositionSide
from exchange.domain.instrument import Instrument
from exchange.domain.margin_math import (
    fee_on,
    initial_margin,
    isolated_fill_margin,
    maintenance_margin,
    notional_value,
    order_reserve,
    tier_at,
    unrealized_pnl,
)
from exchange.domain.units import PPB, PPM, QUANTITY_LOTS_MAX, Cash, Lots, Ppm, Ticks, ceil_div, format_cash


class SizeBound(Enum):
    """What a position's size is bounded by."""

    RISK = "risk"
    """What is lost at the stop, fees and slippage included, is at most the risk budget."""
    VOLATILITY = "volatility"
    """Notional times realised volatility is at most the volatility target times equity."""
    EXPOSURE = "exposure"
    """Notional is at most ``effective_leverage_max`` times equity."""
    TIER = "tier"
    """The tier of its notional allows the leverage (MARG-010)."""
    AVAILABLE = "available"
    """Its order, and the wallet of an isolated one, can be paid for (MARG-009, MARG-012)."""
    LIQUIDATION = "liquidation"
    """At ``liquidation_buffer`` beyond the stop it would still not be liquidated (MARG-005)."""
    QUANTITY = "quantity"
    """One order is at most the instrument's largest quantity (BOOK-006)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilityTarget:
    """How much of equity one standard move over ``horizon`` steps may be worth. Units: ``target`` ppm, ``horizon`` steps."""

    volatility: Volatility
    horizon: int
    target: Ppm

    def __post_init__(self) -> None:
        if self.horizon < 1:
            raise PlanRefused("horizon", f"{self.horizon} steps are no time; it must be at least 1")
        if self.target <= 0:
            raise PlanRefused("target", "it must be above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingTerms:
    """What a size is asked for. Units: prices ticks, money cash, rates ppm; the mark is taken to be at the entry price.

    ``equity`` is what fractions are taken of, and ``available`` what new orders may use. ``risk_budget`` is the most to lose
    at the stop; ``risk_of`` makes one of a fraction of equity. ``slippage`` is how much worse than the stop it fills, as a
    fraction of its price. ``liquidation_buffer`` is how far beyond the stop liquidation must lie, as a fraction of the stop
    price. ``is_isolated`` says where the position's margin is kept; in cross, ``collateral`` is what stands behind it once
    all other positions are provided for (equity less their maintenance), by default ``equity``.
    """

    instrument: Instrument
    side: PositionSide
    entry_price: Ticks
    stop_price: Ticks
    leverage: int
    equity: Cash
    available: Cash
    risk_budget: Cash
    slippage: Ppm = 0
    liquidation_buffer: Ppm = 0
    is_isolated: bool = False
    collateral: Cash | None = None
    effective_leverage_max: Ppm | None = None
    volatility_target: VolatilityTarget | None = None

    def __post_init__(self) -> None:
        if self.side is PositionSide.NET:
            raise PlanRefused("side", "it must be long or short")
        check_price(self.instrument, "entry_price", self.entry_price)
        check_price(self.instrument, "stop_price", self.stop_price)
        if (self.entry_price - self.stop_price) * self.sign <= 0:
            where = "below" if self.sign > 0 else "above"
            raise PlanRefused("stop_price", f"the stop of a {self.side.value} must lie {where} its entry price")
        if not 1 <= self.leverage <= self.instrument.max_leverage:
            raise PlanRefused("leverage", f"{self.leverage} is not from 1 to {self.instrument.max_leverage}")
        for field in ("slippage", "liquidation_buffer"):
            if not 0 <= getattr(self, field) < PPM:
                raise PlanRefused(field, "it must be from 0 to below 1")
        if self.risk_budget <= 0:
            raise PlanRefused("risk_budget", f"{format_cash(self.risk_budget)} buys no risk; it must be above 0")

    @property
    def sign(self) -> int:
        """+1 for a long, -1 for a short."""
        return 1 if self.side is PositionSide.LONG else -1

    @property
    def exit_price(self) -> Ticks:
        """Where the stop fills: the stop price, worse by the slippage, rounded against the owner; at least one tick."""
        return max(1, self._beyond_stop(self.slippage))

    @property
    def buffered_price(self) -> Ticks:
        """The mark at which the position must still be healthy; at least one tick."""
        return max(1, self._beyond_stop(self.liquidation_buffer))

    def _beyond_stop(self, distance: Ppm) -> Ticks:
        if self.sign > 0:
            return self.stop_price * (PPM - distance) // PPM
        return ceil_div(self.stop_price * (PPM + distance), PPM)


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionSize:
    """A size and what decided it. Units: lots and cash.

    ``quantity`` is 0 where not even the instrument's smallest order passes; ``decided_by`` is the bound with the fewest lots
    (the first of them in the order of ``SizeBound``), ``most`` the most lots of every bound. ``loss_at_stop`` includes the
    fees of both fills. ``isolated_wallet`` is what an isolated position's wallet must hold after opening so that it keeps
    its buffer; ``margin_to_add`` is how much of that opening does not move there by itself. Both are 0 in cross.
    """

    quantity: Lots
    decided_by: SizeBound
    most: dict[SizeBound, Lots]
    loss_at_stop: Cash
    isolated_wallet: Cash
    margin_to_add: Cash


def risk_of(equity: Cash, fraction: Ppm) -> Cash:
    """Return a fraction of equity as a risk budget in cash, rounded down; ``fraction`` in ppm."""
    return equity * fraction // PPM


def stop_at_distance(side: PositionSide, entry_price: Ticks, distance: Ppm) -> Ticks:
    """Return the stop price a fraction of the entry price away from it, rounded away from it; ticks and ppm."""
    if side is PositionSide.LONG:
        return entry_price * (PPM - distance) // PPM
    return ceil_div(entry_price * (PPM + distance), PPM)


def size_position(terms: SizingTerms) -> PositionSize:
    """Return the largest size within every bound, on the lot grid, and which bound decided."""
    most = {bound: _most_lots(passes) for bound, passes in _bounds(terms).items()}
    decided_by = min(most, key=lambda bound: most[bound])
    quantity = most[decided_by]
    if notional_value(terms.instrument, quantity, terms.entry_price) < terms.instrument.notional_min:
        quantity = 0
    wallet = isolated_wallet_for(terms, quantity) if terms.is_isolated and quantity else 0
    return PositionSize(
        quantity=quantity,
        decided_by=decided_by,
        most=most,
        loss_at_stop=loss_at_stop(terms, quantity),
        isolated_wallet=wallet,
        margin_to_add=wallet - _usual_wallet(terms, quantity) if wallet else 0,
    )


def plan_of(terms: SizingTerms, size: PositionSize) -> PositionPlan:
    """Return the sized position as a plan; ``PlanRefused`` where the size is 0."""
    return PositionPlan(
        instrument=terms.instrument,
        side=terms.side,
        quantity=size.quantity,
        entry_price=terms.entry_price,
        leverage=terms.leverage,
    )


def loss_at_stop(terms: SizingTerms, quantity: Lots) -> Cash:
    """Return what a quantity loses when its stop fills, slippage and both taker fees included, in cash, at least 0."""
    instrument = terms.instrument
    out = notional_value(instrument, quantity, terms.exit_price)
    moved = terms.sign * (notional_value(instrument, quantity, terms.entry_price) - out)
    return moved + _entry_fee(terms, quantity) + fee_on(out, instrument.taker_fee)


def isolated_wallet_for(terms: SizingTerms, quantity: Lots) -> Cash:
    """Return the least isolated wallet, after the opening fee, that opens a quantity and keeps its buffer, in cash."""
    return max(_usual_wallet(terms, quantity), _healthy_wallet(terms, quantity))


def _bounds(terms: SizingTerms) -> dict[SizeBound, Callable[[Lots], bool]]:
    """Return each bound as a question that only large quantities fail."""
    instrument, entry = terms.instrument, terms.entry_price
    bounds: dict[SizeBound, Callable[[Lots], bool]] = {
        SizeBound.RISK: lambda lots: loss_at_stop(terms, lots) <= terms.risk_budget
    }
    if terms.volatility_target is not None:
        bounds[SizeBound.VOLATILITY] = lambda lots: _is_calm(terms, terms.volatility_target, lots)
    if terms.effective_leverage_max is not None:
        room = terms.equity * terms.effective_leverage_max
        bounds[SizeBound.EXPOSURE] = lambda lots: notional_value(instrument, lots, entry) * PPM <= room
    bounds[SizeBound.TIER] = lambda lots: (
        tier_at(instrument.tiers, notional_value(instrument, lots, entry)).max_leverage >= terms.leverage
    )
    bounds[SizeBound.AVAILABLE] = lambda lots: _opening_need(terms, lots) <= terms.available
    bounds[SizeBound.LIQUIDATION] = lambda lots: _healthy_wallet(terms, lots) <= _behind(terms) - _entry_fee(terms, lots)
    bounds[SizeBound.QUANTITY] = lambda lots: lots <= instrument.quantity_max
    return bounds


def _is_calm(terms: SizingTerms, target: VolatilityTarget | None, lots: Lots) -> bool:
    """Return whether one standard move over the horizon is worth at most the target; squared, so without a root."""
    assert target is not None
    moved = notional_value(terms.instrument, lots, terms.entry_price) * PPM
    allowed = max(0, terms.equity) * target.target * PPB
    return moved**2 * target.volatility.variance * target.horizon <= allowed**2


def _opening_need(terms: SizingTerms, lots: Lots) -> Cash:
    """Return what must be available to open: the order's reserve and, isolated, the wallet with its fee."""
    if not lots:
        return 0
    instrument, entry = terms.instrument, terms.entry_price
    reserve = order_reserve(instrument, terms.sign, lots, entry, entry, terms.leverage)
    return max(reserve, _entry_fee(terms, lots) + _usual_wallet(terms, lots))


def _usual_wallet(terms: SizingTerms, lots: Lots) -> Cash:
    """Return what opening by itself leaves behind the position, and at least its initial margin (MARG-012)."""
    instrument, entry, fee = terms.instrument, terms.entry_price, _entry_fee(terms, lots)
    moved = isolated_fill_margin(instrument, terms.sign, lots, entry, entry, terms.leverage, fee)
    cost = terms.sign * notional_value(instrument, lots, entry)
    return max(moved - fee, initial_margin(instrument, terms.sign * lots, cost, entry, terms.leverage))


def _healthy_wallet(terms: SizingTerms, lots: Lots) -> Cash:
    """Return the least wallet, after the opening fee, with which the position is healthy at the buffered price."""
    instrument, quantity = terms.instrument, terms.sign * lots
    cost = terms.sign * notional_value(instrument, lots, terms.entry_price)
    maintenance = maintenance_margin(instrument, quantity, cost, terms.buffered_price)
    least = least_healthy_equity(maintenance, liquidate_at_equality=instrument.rules.liquidate_at_equality)
    return least - unrealized_pnl(instrument, quantity, cost, terms.buffered_price)


def _behind(terms: SizingTerms) -> Cash:
    """Return what can stand behind the position before its opening fee: the pool, or what is available for a wallet."""
    if terms.is_isolated:
        return terms.available
    return terms.equity if terms.collateral is None else terms.collateral


def _entry_fee(terms: SizingTerms, lots: Lots) -> Cash:
    return fee_on(notional_value(terms.instrument, lots, terms.entry_price), terms.instrument.taker_fee)


def _most_lots(passes: Callable[[Lots], bool]) -> Lots:
    """Return the most lots that pass, 0 where none do."""
    low, high = 0, QUANTITY_LOTS_MAX
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if passes(middle) else (low, middle - 1)
    return low
