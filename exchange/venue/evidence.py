"""Takes down what each decision was made of, as it is made; a venue that does not record has none of it.

What is taken down is frozen at once: an account goes on changing. Nothing here is read by anything that decides.
"""

from __future__ import annotations

from typing import NamedTuple

from exchange.accounts.entry import margin_without
from exchange.accounts.liquidation import Transfer
from exchange.accounts.margin import path_of
from exchange.accounts.order_margin import order_margin
from exchange.accounts.position import Account, Position
from exchange.accounts.risk import (
    BankruptcyTerms,
    ChangeCheck,
    FillCheck,
    FillVerdict,
    Leg,
    OrderCheck,
    ProposedFill,
    Risk,
    TouchedScope,
)
from exchange.accounts.service import AccountService
from exchange.domain.commands import PlaceOrder
from exchange.domain.decisions import (
    AnyDecision,
    BankruptcyShare,
    ChangeDecision,
    CloseDecision,
    FillDecision,
    FlagDecision,
    HeldAccount,
    HeldOrder,
    HeldPosition,
    MarginCallDecision,
    OrderDecision,
    OwnersChange,
    ReplenishDecision,
    ScopeRisk,
    TransferDecision,
)
from exchange.domain.events import CloseOutVenue
from exchange.domain.ids import INSURANCE_FUND, LiquidationId, OrderId, PositionId, position_id
from exchange.domain.rejects import Reason
from exchange.domain.units import Cash, Lots, Ppm, Ticks
from exchange.matching.admission import Refusal

NOTHING = HeldAccount("", 0, 0, (), False)
"""Stands for an account that does not exist."""


class Moment(NamedTuple):
    """What is known of a liquidated position before something happens to it: its account, its equity, its scope, its size."""

    held: HeldAccount
    share: Cash
    risk: Risk
    size: Lots


class Sizing(NamedTuple):
    """How a closing order came to its size and limit (LIQ-004, LIQ-005)."""

    may_be_partial: bool
    wanted: Lots
    quantity: Lots
    bankruptcy_price: Ticks
    limit_price: Ticks


class Evidence:
    """The decisions of the command that is being carried out."""

    def __init__(self, accounts: AccountService) -> None:
        self._accounts = accounts
        self.decisions: list[AnyDecision] = []

    # -- pictures ----------------------------------------------------------------------------------------------------

    def _held(self, account: Account, subject: Position | None, without: OrderId | None = None) -> HeldAccount:
        """Return an account with every position that is not idle, and the one that the decision is about.

        ``without`` is an order of that position whose margin counts as free.
        """
        marks = self._accounts.marks
        positions = []
        for held in account.positions.values():
            if held.quantity or held.orders or held is subject:
                mark = marks.get(held.symbol)
                reserved = order_margin(held, mark)
                if without is not None and held is subject and mark is not None:
                    reserved = margin_without(held, without, mark)
                positions.append(
                    HeldPosition(
                        held.position_id,
                        held.instrument.symbol,
                        held.position_side,
                        held.quantity,
                        held.entry_cost,
                        held.margin_mode,
                        held.leverage,
                        held.wallet.balance,
                        mark,
                        reserved,
                        held.liquidation_id is not None,
                    )
                )
        return HeldAccount(
            account.account,
            account.wallet.balance,
            account.collateral_value,
            tuple(positions),
            account.liquidation_id is not None,
        )

    # -- orders and fills ----------------------------------------------------------------------------------------------

    def order(
        self,
        command: PlaceOrder,
        order_id: OrderId | None,
        checked: tuple[Ticks, OrderCheck] | None,
        refusal: Refusal | None = None,
        amends: OrderId | None = None,
    ) -> None:
        """Take down that an order was let in, or refused; ``checked`` is its worst price, and what the check there found.

        ``amends`` is the order whose other terms these are (BOOK-019); it is taken down as if it were not there.
        """
        price, check = (None, None) if checked is None else checked
        account = self._accounts.accounts.get(command.account)
        name = position_id(command.symbol, command.position_side)
        position = None if account is None else account.positions.get(name)
        self.decisions.append(
            OrderDecision(
                account=command.account,
                held=NOTHING if account is None else self._held(account, position, amends),
                symbol=command.symbol,
                position_id=name,
                order_id=order_id,
                client_order_id=command.client_order_id,
                sign=command.side.sign,
                quantity=command.quantity,
                price=price,
                reduce_only=command.reduce_only,
                reason=None if refusal is None else refusal.reason,
                limit=None if refusal is None else refusal.limit,
                actual=None if refusal is None else refusal.actual,
                margin=None if check is None else check.decision,
                is_reducing=check is not None and check.is_reducing,
                is_amend=amends is not None,
                orders=() if position is None else tuple(each for each in _orders(position) if each.order_id != amends),
            )
        )

    def fill(self, fill: ProposedFill, check: FillCheck, names: tuple[str | None, str | None]) -> None:
        """Take down how a match was judged on each side that was; ``names`` are the client order ids of taker and maker."""
        taker_fails, maker_fails = (check.verdict is each for each in (FillVerdict.TAKER_FAILS, FillVerdict.MAKER_FAILS))
        if not maker_fails:
            self._leg(fill, fill.taker, check.reason if taker_fails else None, check, names[0])
        if not taker_fails:
            self._leg(fill, fill.maker, check.reason if maker_fails else None, check, names[1])

    def _leg(self, fill: ProposedFill, leg: Leg, reason: Reason | None, check: FillCheck, name: str | None) -> None:
        if leg.account == INSURANCE_FUND:
            return
        account = self._accounts.accounts[leg.account]
        position = account.positions[position_id(fill.symbol, leg.position_side)]
        is_taker = leg is fill.taker
        effect = check.taker if is_taker else check.maker
        self.decisions.append(
            FillDecision(
                account=leg.account,
                held=self._held(account, position),
                symbol=fill.symbol,
                position_id=position.position_id,
                order_id=leg.order_id,
                client_order_id=name,
                sign=leg.sign,
                quantity=fill.quantity,
                price=fill.price,
                is_taker=is_taker,
                meets_liquidation=not is_taker and fill.taker.terms is not None,
                terms=None if leg.terms is None else _share(position, leg.terms),
                reason=reason,
                realized=0 if effect is None else effect.realized,
                fee=0 if effect is None else effect.fee,
                margin_in=0 if effect is None else effect.margin_in,
                margin_out=0 if effect is None else effect.margin_out,
                orders=_orders(position),
            )
        )

    # -- an owner's changes ------------------------------------------------------------------------------------------------

    def change(self, change: OwnersChange, check: ChangeCheck) -> None:
        """Take down an owner's change before it is made, or that it was refused."""
        account = self._accounts.accounts.get(change.account)
        symbol, side = getattr(change, "symbol", None), getattr(change, "position_side", None)
        name = None if symbol is None or side is None else position_id(symbol, side)
        position = None if account is None or name is None else account.positions.get(name)
        self.decisions.append(
            ChangeDecision(
                account=change.account,
                held=NOTHING if account is None else self._held(account, position),
                change=change,
                position_id=name,
                reason=check.reason,
                limit=check.limit,
                actual=check.actual,
                margin=check.margin,
                orders=() if position is None else _orders(position),
            )
        )

    # -- warnings and liquidations -------------------------------------------------------------------------------------------

    def margin_call(self, touched: TouchedScope, level: Ppm) -> None:
        """Take down that an owner is warned."""
        held, name = self._scope(touched)
        self.decisions.append(
            MarginCallDecision(
                account=touched.scope.account, held=held, position_id=name, level=level, risk=_risk(touched.risk)
            )
        )

    def flag(self, breach: TouchedScope, liquidation_id: LiquidationId) -> None:
        """Take down that a scope is to be liquidated."""
        held, name = self._scope(breach)
        self.decisions.append(
            FlagDecision(
                account=breach.scope.account,
                held=held,
                liquidation_id=liquidation_id,
                position_id=name,
                risk=_risk(breach.risk),
            )
        )

    def _scope(self, touched: TouchedScope) -> tuple[HeldAccount, PositionId | None]:
        account, name = self._accounts.accounts[touched.scope.account], touched.scope.position_id
        return self._held(account, None if name is None else account.positions[name]), name

    def moment(self, position: Position) -> Moment:
        """Return what is known of a liquidated position before something happens to it."""
        account = self._accounts.account(position.account)
        path, marks = path_of(position), self._accounts.marks
        share = path.equity_share(account, position, marks)
        return Moment(self._held(account, position), share, path.risk(account, position, marks), abs(position.quantity))

    def replenish(self, position: Position, liquidation_id: LiquidationId, before: Moment, amount: Cash) -> None:
        """Take down what an isolated position was topped up with."""
        self.decisions.append(
            ReplenishDecision(
                account=position.account,
                held=before.held,
                liquidation_id=liquidation_id,
                position_id=position.position_id,
                amount=amount,
                risk=_risk(before.risk),
            )
        )

    def close(self, position: Position, liquidation_id: LiquidationId, terms: BankruptcyTerms, sizing: Sizing) -> None:
        """Take down how a closing order was sized and priced, before it is sent."""
        now = self.moment(position)
        self.decisions.append(
            CloseDecision(
                account=position.account,
                held=now.held,
                liquidation_id=liquidation_id,
                position_id=position.position_id,
                may_be_partial=sizing.may_be_partial,
                wanted=sizing.wanted,
                quantity=sizing.quantity,
                equity_share=now.share,
                bankruptcy_value=terms.value,
                bankruptcy_price=sizing.bankruptcy_price,
                limit_price=sizing.limit_price,
                fee=_share(position, terms).fee,
                risk=_risk(now.risk),
            )
        )

    def transfer(
        self, position: Position, liquidation_id: LiquidationId, venue: CloseOutVenue, before: Moment, done: Transfer
    ) -> None:
        """Take down a hand-over; ``before`` is the moment before it."""
        self.decisions.append(
            TransferDecision(
                account=position.account,
                held=before.held,
                liquidation_id=liquidation_id,
                position_id=position.position_id,
                venue=venue,
                quantity=before.size - abs(position.quantity),
                equity_share=before.share,
                value=done.value,
                realized=done.realized,
                risk=_risk(before.risk),
            )
        )


def _share(position: Position, terms: BankruptcyTerms) -> BankruptcyShare:
    fee = position.instrument.liquidation_fee if terms.fee is None else terms.fee
    return BankruptcyShare(terms.quantity, terms.value, fee)


def _orders(position: Position) -> tuple[HeldOrder, ...]:
    return tuple(
        HeldOrder(each.order_id, each.sign, each.price, each.open_quantity, each.reduce_only)
        for each in position.orders.values()
    )


def _risk(risk: Risk) -> ScopeRisk:
    return ScopeRisk(risk.equity, risk.initial_margin, risk.maintenance_margin, risk.notional, risk.is_breached)
