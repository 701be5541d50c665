"""What the choice between cross and isolated margin is made from, and what it comes out as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clients.risk.position_plan import PlanRefused, PositionPlan
from clients.risk.scenarios import Marks, Scenario
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.ids import PositionId, position_id
from exchange.domain.instrument import Instrument
from exchange.domain.margin_math import initial_margin, maintenance_margin, notional_value, tier_at, unrealized_pnl
from exchange.domain.units import Cash, Lots, Ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class MixPosition:
    """A position that is held or about to be. Units: ``quantity`` signed lots, ``entry_cost`` signed cash, leverage times.

    ``may_be_liquidated`` says that its owner would rather lose its isolated wallet than pay for its survival; in a cross
    pool it has to survive like the rest, since the pool is liquidated as one.
    """

    instrument: Instrument
    quantity: Lots
    entry_cost: Cash
    leverage_max: int
    leverage_min: int = 1
    may_be_liquidated: bool = False

    def __post_init__(self) -> None:
        if not self.quantity:
            raise PlanRefused("quantity", f"the position in {self.instrument.symbol} is flat; leave it out")
        if not 1 <= self.leverage_min <= self.leverage_max <= self.instrument.max_leverage:
            raise PlanRefused(
                "leverage_min",
                f"{self.leverage_min} to {self.leverage_max} is no range within 1 to {self.instrument.max_leverage}",
            )

    @classmethod
    def of(cls, plan: PositionPlan, *, leverage_min: int = 1, may_be_liquidated: bool = False) -> MixPosition:
        """Return a planned position; its leverage is the most that may be chosen."""
        return cls(
            instrument=plan.instrument,
            quantity=plan.signed_quantity,
            entry_cost=plan.entry_cost,
            leverage_max=plan.leverage,
            leverage_min=leverage_min,
            may_be_liquidated=may_be_liquidated,
        )

    @property
    def position_id(self) -> PositionId:
        """Its symbol and side: the two legs of a hedge are two positions."""
        return position_id(self.instrument.symbol, PositionSide.LONG if self.quantity > 0 else PositionSide.SHORT)

    def profit_at(self, mark: Ticks) -> Cash:
        """Return its unrealised profit at a mark, in cash."""
        return unrealized_pnl(self.instrument, self.quantity, self.entry_cost, mark)

    def maintenance_at(self, mark: Ticks) -> Cash:
        """Return its maintenance margin at a mark, in cash (MARG-003)."""
        return maintenance_margin(self.instrument, self.quantity, self.entry_cost, mark)

    def initial_margin_at(self, mark: Ticks, leverage: int) -> Cash:
        """Return its initial margin at a mark and leverage, in cash (MARG-004)."""
        return initial_margin(self.instrument, self.quantity, self.entry_cost, mark, leverage)

    def most_leverage_at(self, mark: Ticks) -> int:
        """Return the most leverage that its owner and its tier allow; ``PlanRefused`` where that is below the least."""
        tier = tier_at(self.instrument.tiers, notional_value(self.instrument, self.quantity, mark))
        most = min(self.leverage_max, tier.max_leverage)
        if most < self.leverage_min:
            raise PlanRefused(
                "leverage_min",
                f"{self.leverage_min} is above {tier.max_leverage}, the most that the tier of {self.position_id} has; lower it",
            )
        return most


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordeal:
    """What a mix has to live through. Units: marks in ticks.

    ``marks`` are those of now, and every scope is healthy at them and at each moment of each of ``scenarios``. While
    ``entering``, scopes also have to carry the initial margin of their positions now, as a venue asks of whoever opens a
    position or changes its mode (MARG-012, MARG-021). ``beyond`` are worse scenarios, at which a mix is only asked what it
    loses.
    """

    marks: Marks
    scenarios: Sequence[Scenario] = ()
    beyond: Sequence[Scenario] = ()
    entering: bool = True

    def check(self, positions: Sequence[MixPosition]) -> None:
        """Raise ``PlanRefused`` where a symbol has no mark at some moment, or a position comes twice."""
        if not positions:
            raise PlanRefused("positions", "there are none; name at least one")
        names = [position.position_id for position in positions]
        for name in names:
            if names.count(name) > 1:
                raise PlanRefused("positions", f"{name} comes twice; join the two")
        if len({position.instrument.rules for position in positions}) > 1:
            raise PlanRefused("positions", "their instruments follow different margin rules; take those of one venue")
        for moment in (self.marks, *(moment for scenario in (*self.scenarios, *self.beyond) for moment in scenario)):
            for position in positions:
                if moment.get(position.instrument.symbol, 0) < 1:
                    raise PlanRefused("marks", f"{position.instrument.symbol} has no mark at some moment; give it one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """A margin mode for each position, in their order, and the least money that lives through the ordeal so. Units: cash.

    ``cross_wallet`` and the ``isolated_wallets`` (None in cross) are least each; ``total`` is their sum. ``leverages`` are
    what to set: isolated, the least that the wallet carries, so that opening moves as much of it as it can; in cross the
    most. ``liquidated`` are the positions that may be and are. ``loss_beyond`` is the most that is lost at any moment beyond
    (profit counts against it, a scope that is liquidated on the way loses all of its equity; deleveraging by the venue, which
    may cut a winner's profit short, is not foreseen), None where none is stated.
    """

    modes: tuple[MarginMode, ...]
    cross_wallet: Cash
    isolated_wallets: tuple[Cash | None, ...]
    total: Cash
    leverages: tuple[int, ...]
    liquidated: tuple[PositionId, ...]
    loss_beyond: Cash | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MixChoice:
    """The mixes worth knowing.

    ``cheapest`` has the least total, of several the one that loses least beyond. ``frontier`` are the mixes of which no
    other is as cheap and loses as little, cheapest first; beyond ``EXHAUSTIVE_POSITIONS_MAX`` positions only ``cheapest``.
    ``lower_bound`` is what no mix undercuts; the choice ``is_exact`` when that is the total of ``cheapest``.
    """

    all_cross: Mix
    all_isolated: Mix
    cheapest: Mix
    frontier: tuple[Mix, ...]
    lower_bound: Cash

    @property
    def is_exact(self) -> bool:
        """Whether no mix is cheaper than ``cheapest``."""
        return self.cheapest.total == self.lower_bound


def mark_of(moment: Mapping[str, Ticks], position: MixPosition) -> Ticks:
    """Return a position's mark at a moment, in ticks."""
    return moment[position.instrument.symbol]
