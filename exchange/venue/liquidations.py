"""A liquidation on its way through the pipeline, and the record of what it did (LIQ-016)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from exchange.accounts.liquidation import Transfer
from exchange.accounts.loss_cover import Cover
from exchange.accounts.position import Position
from exchange.accounts.risk import Scope, TouchedScope
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.ids import INSURANCE_FUND, LiquidationId, PositionId, Symbol
from exchange.domain.units import PPM, Cash, Lots, Ppm, Ticks, TimeNs
from exchange.domain.views import LiquidationRecord, ScopeHealth

UNRECORDED = frozenset({"last_position", "scope", "urgency"})


class Liquidation:
    """A flagged scope and all that has become of it so far. Units: cash, lots."""

    __slots__ = (
        "adl_forgone",
        "bad_debt",
        "before",
        "book_quantity",
        "book_value",
        "collateral",
        "deleveraged_legs",
        "deleveraged_quantity",
        "fee",
        "forgone",
        "fund_change",
        "fund_paid",
        "fund_quantity",
        "has_canceled",
        "is_waiting",
        "last_position",
        "liquidation_id",
        "orders_canceled",
        "path",
        "position_side",
        "realized_pnl",
        "replenished",
        "retries",
        "returned",
        "rounds",
        "scope",
        "socialized",
        "started_ns",
        "symbol",
        "trigger_marks",
        "urgency",
    )

    def __init__(
        self,
        liquidation_id: LiquidationId,
        breach: TouchedScope,
        urgency: Fraction,
        *,
        position: Position | None,
        collateral: Cash,
        trigger_marks: Mapping[Symbol, Ticks],
        started_ns: TimeNs,
    ) -> None:
        """``position`` is the isolated one, None for a cross scope."""
        self.liquidation_id = liquidation_id
        self.scope: Scope = breach.scope
        self.path = MarginMode.CROSS if position is None else MarginMode.ISOLATED
        self.symbol = None if position is None else position.symbol
        self.position_side = PositionSide.NET if position is None else position.position_side
        self.urgency = urgency
        """Equity over maintenance as of the last change of the scope; the lower, the sooner it has its turn."""
        self.started_ns = started_ns
        self.trigger_marks = dict(trigger_marks)
        self.collateral = collateral
        self.before = breach.risk.health()
        self.last_position = position
        """Whose loss a shortfall in the end is (LIQ-009)."""
        self.has_canceled = False
        self.is_waiting = False
        """Whether it stands still until a mark or a book changes, or a halted symbol opens (LIQ-013)."""
        self.retries = 0
        self.rounds = 0
        self.returned: Cash = 0
        self.orders_canceled = 0
        self.replenished: Cash = 0
        self.book_quantity: dict[Symbol, Lots] = {}
        self.book_value: Cash = 0
        self.fund_quantity: dict[Symbol, Lots] = {}
        self.deleveraged_quantity: dict[Symbol, Lots] = {}
        self.deleveraged_legs = 0
        self.realized_pnl: Cash = 0
        self.fee: Cash = 0
        self.forgone: Cash = 0
        """What fund and counterparties took over worse than the mark: a loss that was not realised by the scope."""
        self.fund_change: Cash = 0
        self.fund_paid: Cash = 0
        self.adl_forgone: Cash = 0
        self.socialized: Cash = 0
        self.bad_debt: Cash = 0

    @property
    def position_id(self) -> PositionId | None:
        """The isolated position that is liquidated; None for a cross scope."""
        return self.scope.position_id

    def note_order(self, symbol: Symbol, filled: Lots, value: Cash, realized: Cash, fee: Cash, fund_paid: Cash) -> None:
        """Count what a closing order did; ``fund_paid`` is what the fund paid for those of its fills beyond bankruptcy."""
        self.rounds += 1
        _count(self.book_quantity, symbol, filled)
        self.book_value += value
        self.realized_pnl += realized
        self.fee += fee
        self.fund_change += fee
        self.fund_paid += fund_paid

    def note_transfer(self, position: Position, other: Position, lots: Lots, done: Transfer) -> None:
        """Count what a transfer to the fund or to an opposite position did."""
        self.realized_pnl += done.realized
        self.forgone += done.forgone
        if other.account == INSURANCE_FUND:
            _count(self.fund_quantity, position.symbol, lots)
            self.fund_paid += done.forgone
        else:
            _count(self.deleveraged_quantity, position.symbol, lots)
            self.deleveraged_legs += 1
            self.adl_forgone += done.forgone
        self.note_cover(done.cover)

    def note_cover(self, cover: Cover) -> None:
        """Count who paid for what the scope owed."""
        self.fund_change -= cover.from_fund
        self.fund_paid += cover.fund_paid
        self.bad_debt += cover.bad_debt
        self.socialized += cover.socialized

    def record(self, *, after: ScopeHealth, left: Cash, returned: Cash, finished_ns: TimeNs) -> LiquidationRecord:
        """Return what is told of it in the end; ``left`` is what remains of the scope's own money (LIQ-016)."""
        put_in = self.collateral + self.replenished
        return LiquidationRecord(
            liquidation_id=self.liquidation_id,
            account=self.scope.account,
            path=self.path,
            symbol=self.symbol,
            position_side=self.position_side,
            started_ns=self.started_ns,
            finished_ns=finished_ns,
            trigger_marks=self.trigger_marks,
            collateral=self.collateral,
            before=self.before,
            after=after,
            orders_canceled=self.orders_canceled,
            rounds=self.rounds,
            replenished=self.replenished,
            book_quantity=self.book_quantity,
            book_value=self.book_value,
            fund_quantity=self.fund_quantity,
            deleveraged_quantity=self.deleveraged_quantity,
            deleveraged_legs=self.deleveraged_legs,
            realized_pnl=self.realized_pnl,
            fee=self.fee,
            fund_change=self.fund_change,
            fund_paid=self.fund_paid,
            adl_forgone=self.adl_forgone,
            socialized=self.socialized,
            bad_debt=self.bad_debt,
            returned=returned,
            owner_recovery=_share(max(0, left), put_in) if put_in > 0 else None,
            default_recovery=self._default_recovery(),
        )

    def _default_recovery(self) -> Ppm:
        """Return how much of the loss was paid by the owner: all of it if nobody else had to."""
        paid = self.fund_paid + self.adl_forgone + self.socialized + self.bad_debt
        loss = max(0, max(0, self.fee) + self.forgone - self.realized_pnl)
        return PPM if not paid else max(0, PPM - _share_up(paid, loss)) if loss else 0

    def picture(self) -> list[Any]:
        """Return all that can affect the future, for the digest; the heap's urgency is derived."""
        return [
            self.scope,
            None if self.last_position is None else self.last_position.position_id,
            *(_plain(getattr(self, name)) for name in self.__slots__ if name not in UNRECORDED),
        ]


def _plain(value: Any) -> Any:
    return sorted(value.items()) if isinstance(value, dict) else value


def _share(part: Cash, whole: Cash) -> Ppm:
    return part * PPM // whole


def _share_up(part: Cash, whole: Cash) -> Ppm:
    return -(-part * PPM // whole)


def _count(counts: dict[Symbol, Lots], symbol: Symbol, lots: Lots) -> None:
    if lots:
        counts[symbol] = counts.get(symbol, 0) + lots
