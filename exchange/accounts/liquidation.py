"""What liquidation asks of the accounts: which position, how much, at what value, and who else can take it (LIQ rules)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from exchange.accounts.adl_ranking import RANKINGS, Candidate, in_order
from exchange.accounts.collateral import Sale
from exchange.accounts.cross import open_positions, pool_risk
from exchange.accounts.entry import available_settlement
from exchange.accounts.fills import realized_by
from exchange.accounts.loss_cover import Cover, LossCover
from exchange.accounts.margin import path_of
from exchange.accounts.position import Position
from exchange.accounts.risk import BankruptcyTerms, Risk, Scope, breaches
from exchange.accounts.service import AccountService
from exchange.domain.closeout_math import (
    CloseoutRisk,
    FillableTerms,
    fillable_price,
    fraction_close,
    liquidation_fee_rate,
    target_close,
    tier_step_close,
    whole_if_dust,
)
from exchange.domain.enums import MarginMode
from exchange.domain.ids import LiquidationId, Symbol
from exchange.domain.instrument import Instrument
from exchange.domain.margin_math import (
    bankruptcy_price,
    bankruptcy_value,
    notional_value,
    sign_of,
    tier_at,
    unrealized_pnl,
)
from exchange.domain.policy import AdlPrice, LiquidationLimit, LiquidationSizing
from exchange.domain.units import PPM, Cash, Lots, Ppm, Ticks, TimeNs, ceil_div, div_toward_zero


class Transfer(NamedTuple):
    """What a position's change of hands realised on both sides, and who bore what.

    ``forgone`` is by how much the counterparty would have been better off at the mark; ``fund_change`` what the fund's
    wallet paid beside the transfer (negative); ``cover`` where that money came from. ``settled`` is what became of a
    counterparty that it left flat.
    """

    value: Cash
    realized: Cash
    counterparty_realized: Cash
    forgone: Cash
    fund_change: Cash
    cover: Cover
    settled: Leftover


class Leftover(NamedTuple):
    """What became of a flat scope's own money: returned to the owner; or what it owed, and the collateral sold for that."""

    returned: Cash = 0
    cover: Cover = Cover()
    sales: tuple[Sale, ...] = ()


NOTHING_LEFT = Leftover()


def urgency(risk: Risk) -> Fraction:
    """Return equity over maintenance: the lower, the sooner a scope is liquidated (LIQ-011)."""
    return Fraction(risk.equity, max(risk.maintenance_margin, 1))


def _carrying_margin(instrument: Instrument, quantity: Lots, mark_price: Ticks) -> Cash:
    """Return what the fund sets aside for a position: of its notional at the mark, whatever rules owners have (LIQ-007)."""
    notional = notional_value(instrument, quantity, mark_price)
    return ceil_div(notional, tier_at(instrument.tiers, notional).max_leverage)


class CloseOuts:
    """The account service's side of liquidations."""

    def __init__(self, service: AccountService) -> None:
        self._service = service
        self._ledger = service.ledger
        self._policy = service.policy
        self.losses = LossCover(service)

    def flag(self, scope: Scope, liquidation_id: LiquidationId | None) -> None:
        """Mark a scope as being liquidated, or clear the mark."""
        account = self._service.accounts[scope.account]
        held = account if scope.position_id is None else account.positions[scope.position_id]
        held.liquidation_id = liquidation_id

    def positions_of(self, scope: Scope) -> list[Position]:
        """Return the positions whose orders belong to the scope, in order (LIQ-002)."""
        positions = self._service.accounts[scope.account].positions
        if scope.position_id is not None:
            return [positions[scope.position_id]]
        return [held for _, held in sorted(positions.items()) if held.margin_mode is MarginMode.CROSS]

    def collateral_of(self, scope: Scope) -> Cash:
        """Return the scope's own money, profit and loss of open positions left out (LIQ-016)."""
        account = self._service.accounts[scope.account]
        if scope.position_id is not None:
            return account.positions[scope.position_id].wallet.balance
        return account.wallet.balance + account.collateral_value

    def replenish(self, scope: Scope) -> Cash:
        """Top up an isolated wallet by one initial margin, if its owner chose so and that cures (MARG-024)."""
        if scope.position_id is None:
            return 0
        account = self._service.accounts[scope.account]
        position = account.positions[scope.position_id]
        risk = path_of(position).risk(account, position, self._service.marks)
        amount = min(risk.initial_margin, risk.notional - risk.equity, available_settlement(account, self._service.marks))
        then, at_equality = risk.equity + amount, self._policy.liquidate_at_equality
        cures = not breaches(then, risk.maintenance_margin, at_equality=at_equality)
        if not position.auto_replenish or amount <= 0 or not cures:
            return 0
        self._service.apply_margin(account, position, amount)
        return amount

    def next_position(self, scope: Scope, trades: Callable[[Symbol], bool]) -> Position | None:
        """Return the position to close next: the largest maintenance margin of those that trade, ties by name (LIQ-004)."""
        account = self._service.accounts[scope.account]
        marks = self._service.marks
        held = [account.positions[scope.position_id]] if scope.position_id is not None else list(open_positions(account))
        return min(
            (position for position in held if position.quantity and trades(position.symbol)),
            key=lambda each: (-each.maintenance_margin(marks[each.symbol]), each.position_id),
            default=None,
        )

    def equity_share(self, position: Position) -> Cash:
        """Return the scope's equity that the position carries now (LIQ-005)."""
        account = self._service.account(position.account)
        return path_of(position).equity_share(account, position, self._service.marks)

    def fee_rate(self, position: Position, age: TimeNs) -> Ppm:
        """Return the liquidation fee of a scope that was flagged ``age`` ago (LIQ-006)."""
        return liquidation_fee_rate(position.instrument, self._policy, age)

    def close_quantity(self, position: Position, fee: Ppm, *, may_be_partial: bool) -> Lots:
        """Return how much of the position the next liquidation order, which pays ``fee``, closes (LIQ-004)."""
        policy, instrument, mark = self._policy, position.instrument, self._service.marks[position.symbol]
        size = abs(position.quantity)
        account = self._service.accounts[position.account]
        risk = path_of(position).risk(account, position, self._service.marks)
        is_small = notional_value(instrument, position.quantity, mark) < policy.liquidation_partial_min
        if not may_be_partial or risk.equity <= 0 or is_small:
            return size
        match policy.liquidation_sizing:
            case LiquidationSizing.FULL:
                return size
            case LiquidationSizing.FRACTION:
                close = fraction_close(
                    instrument, position.quantity, mark, policy.liquidation_fraction, policy.liquidation_close_min
                )
            case LiquidationSizing.TIER_STEP:
                close = tier_step_close(instrument, position.quantity, position.entry_cost, mark, policy.liquidation_tier_steps)
            case LiquidationSizing.TARGET:
                own = position.maintenance_margin(mark)
                close = target_close(
                    CloseoutRisk(
                        instrument=instrument,
                        quantity=position.quantity,
                        entry_cost=position.entry_cost,
                        mark_price=mark,
                        equity=risk.equity,
                        other_maintenance=risk.maintenance_margin - own,
                        bankruptcy_loss=self.equity_share(position),
                        target=policy.liquidation_target,
                        loss_rate=fee + policy.liquidation_slippage,
                    )
                )
        return whole_if_dust(instrument, position.quantity, mark, close, policy.liquidation_remainder_min)

    def terms(self, position: Position, fee: Ppm | None = None) -> tuple[BankruptcyTerms, Ticks]:
        """Return the terms of a closing order for the whole position, and its bankruptcy price in ticks (LIQ-005)."""
        mark, share = self._service.marks[position.symbol], self.equity_share(position)
        value = bankruptcy_value(position.instrument, position.quantity, mark, share, abs(position.quantity))
        price = bankruptcy_price(position.instrument, position.quantity, mark, share)
        return BankruptcyTerms(position.quantity, value, fee), price

    def order_limit(self, position: Position, bankruptcy: Ticks, lots: Lots) -> Ticks:
        """Return where the policy limits a closing order of ``lots``, given the position's bankruptcy price (LIQ-005)."""
        furthest = self._covered_limit(position, bankruptcy, lots) if self._policy.fund_covers else bankruptcy
        if self._policy.liquidation_limit is LiquidationLimit.BANKRUPTCY:
            return furthest
        return (max if position.quantity > 0 else min)(furthest, self._fillable_price(position))

    def _fillable_price(self, position: Position) -> Ticks:
        account, mark, policy = self._service.account(position.account), self._service.marks[position.symbol], self._policy
        risk = path_of(position).risk(account, position, self._service.marks)
        terms = FillableTerms(
            equity=risk.equity,
            maintenance=risk.maintenance_margin,
            own_maintenance=position.maintenance_margin(mark),
            adjustment=policy.fillable_adjustment,
            spread=policy.fillable_spread,
        )
        return fillable_price(position.instrument, position.quantity, mark, terms)

    def _covered_limit(self, position: Position, limit: Ticks, lots: Lots) -> Ticks:
        """Return how far past bankruptcy the fund pays for the fills of ``lots`` (LIQ-014).

        Never further from the mark than the slippage that is taken to be usual: a friend's bid far below must not be
        paid by the fund.
        """
        mark, slippage = self._service.marks[position.symbol], self._policy.liquidation_slippage
        spare = self.losses.capacity() // (lots * position.instrument.cash_per_tick_lot)
        if position.quantity > 0:
            return min(limit, max(limit - spare, ceil_div(mark * (PPM - slippage), PPM)))
        return max(limit, min(limit + spare, mark * (PPM + slippage) // PPM))

    # -- the fund --------------------------------------------------------------------------------------------------

    def fund_capacity(self, position: Position) -> Lots:
        """Return how many lots of the position the fund can take over at bankruptcy value (LIQ-007)."""
        fund, marks = self._ledger.fund, self._service.marks
        pool = pool_risk(fund, marks)
        carried = (_carrying_margin(held.instrument, held.quantity, marks[held.symbol]) for held in open_positions(fund))
        room = pool.equity - sum(carried)
        share, low, high = self.equity_share(position), 0, abs(position.quantity)
        while low < high:  # what it takes rises with every lot, so halving finds the most
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._takeover_need(position, share, middle) <= room else (low, middle - 1)
        return low

    def _takeover_need(self, position: Position, share: Cash, lots: Lots) -> Cash:
        instrument, mark = position.instrument, self._service.marks[position.symbol]
        taken = sign_of(position.quantity) * lots
        value = bankruptcy_value(instrument, position.quantity, mark, share, lots)
        return _carrying_margin(instrument, taken, mark) + abs(unrealized_pnl(instrument, taken, value, mark))

    # -- auto-deleveraging -------------------------------------------------------------------------------------------

    def ranking(self, position: Position) -> list[Position]:
        """Return the opposite positions of all accounts, first to be deleveraged first (LIQ-008)."""
        holders, score = self._service.holders[position.symbol], RANKINGS[self._policy.adl_ranking]
        return [
            holders[key]
            for key in in_order(
                (key, score(self._candidate(other))) for key, other in holders.items() if other.quantity * position.quantity < 0
            )
        ]

    def _candidate(self, position: Position) -> Candidate:
        marks, account = self._service.marks, self._service.accounts[position.account]
        path, mark = path_of(position), marks[position.symbol]
        risk = path.risk(account, position, marks)
        return Candidate(
            quantity=position.quantity,
            profit=unrealized_pnl(position.instrument, position.quantity, position.entry_cost, mark),
            entry_notional=abs(position.entry_cost),
            mark_notional=notional_value(position.instrument, position.quantity, mark),
            notional=risk.notional,
            equity=risk.equity,
            maintenance=risk.maintenance_margin,
            wallet=path.wallet(account, position).balance,
        )

    def can_be_deleveraged(self, other: Position, position: Position, lots: Lots) -> bool:
        """Return whether an opposite holder may be made to take lots at the policy's price (LIQ-008)."""
        owner, path = self._service.accounts[other.account], path_of(other)
        if path.is_liquidating(owner, other):
            return False
        equity = path.risk(owner, other, self._service.marks).equity
        if self._policy.adl_price is AdlPrice.MARK:
            return equity > 0  # at the mark nobody's equity changes
        gained = self.equity_share(position) * lots // abs(position.quantity)
        return equity > 0 and equity + gained >= 0

    def deficit(self, position: Position, lots: Lots) -> Cash:
        """Return the negative equity that lots of the position carry, as a positive amount (LIQ-009)."""
        return max(0, -(self.equity_share(position) * lots // abs(position.quantity)))

    # -- changes ---------------------------------------------------------------------------------------------------

    def apply_at_bankruptcy(self, position: Position, other: Position, lots: Lots) -> Transfer:
        """Hand over lots at exact bankruptcy value (LIQ-007, LIQ-008)."""
        mark, share, forgone = self._service.marks[position.symbol], self.equity_share(position), self.deficit(position, lots)
        value = bankruptcy_value(position.instrument, position.quantity, mark, share, lots)
        return self._apply_transfer(position, other, lots, value)._replace(forgone=forgone)

    def apply_at_mark(self, position: Position, other: Position, lots: Lots) -> Transfer:
        """Hand over lots at the mark; what the scope's equity lacks for that share is covered (LIQ-009)."""
        mark, deficit = self._service.marks[position.symbol], self.deficit(position, lots)
        value = sign_of(position.quantity) * notional_value(position.instrument, lots, mark)
        account = self._service.account(position.account)
        cover = self.losses.cover(path_of(position).wallet(account, position), deficit, position)
        done = self._apply_transfer(position, other, lots, value)
        return done._replace(fund_change=done.fund_change - cover.from_fund, cover=cover.plus(done.cover))

    def _apply_transfer(self, position: Position, other: Position, lots: Lots, value: Cash) -> Transfer:
        service, ledger, sign = self._service, self._ledger, sign_of(position.quantity)
        account, other_account = service.account(position.account), service.account(other.account)
        realized, _ = realized_by(position, lots, -value)
        closing = min(lots, abs(other.quantity)) if other.quantity * sign < 0 else 0
        other_realized = realized_by(other, closing, div_toward_zero(value * closing, lots))[0] if closing else 0
        ledger.trade(other, position, value)
        ledger.realize(position, path_of(position).wallet(account, position), realized)
        ledger.realize(other, path_of(other).wallet(other_account, other), other_realized)
        service.set_quantity(position, position.quantity - sign * lots)
        service.set_quantity(other, other.quantity + sign * lots)
        left = NOTHING_LEFT if other_account is ledger.fund else self.settle_flat(path_of(other).scope(other), position)
        return Transfer(value, realized, other_realized, 0, -left.cover.from_fund, left.cover, left)

    def settle_flat(self, scope: Scope, culprit: Position | None = None) -> Leftover:
        """Return a flat scope's own money to its owner, or see that what it owes is paid (LIQ-010).

        Its own collateral pays first (MARG-026). ``culprit`` is the position whose loss it was, for a loss that is shared
        out among those who won by it.
        """
        account = self._service.accounts[scope.account]
        if scope.position_id is None:
            if any(True for _ in open_positions(account)) or account.wallet.balance >= 0:
                return NOTHING_LEFT
            self._service.note_money(scope.account)
            sales = tuple(self._service.collateral.sell(account))
            return Leftover(0, self.losses.cover(account.wallet, -account.wallet.balance, culprit), sales)
        position = account.positions[scope.position_id]
        left = position.wallet.balance
        if position.quantity or not left:
            return NOTHING_LEFT
        if left > 0:
            self._service.apply_margin(account, position, -left)
            return Leftover(left)
        self._service.note_position(position)
        return Leftover(0, self.losses.cover(position.wallet, -left, culprit or position))
