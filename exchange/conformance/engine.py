"""The one place that puts an engine state together from plain figures, and asks it.

Everything here is in whole units. No rule is written down: positions, wallets and marks are put in place, and what comes
back is what the account service says of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from exchange.accounts.adl_ranking import RANKINGS, Candidate, in_order
from exchange.accounts.fills import leg_fee
from exchange.accounts.liquidation import CloseOuts
from exchange.accounts.margin import path_of
from exchange.accounts.order_margin import OrderMargin, margin_of_orders
from exchange.accounts.position import Position, RestingOrder
from exchange.accounts.risk import BankruptcyTerms, FillVerdict, Leg, ProposedFill, Risk
from exchange.accounts.service import AccountService
from exchange.domain.commands import AddMargin, MarkPrice, SetMarginMode
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.ids import INSURANCE_FUND, AccountId, OrderId, Symbol
from exchange.domain.instrument import Instrument, Tier
from exchange.domain.margin_math import bankruptcy_value
from exchange.domain.policy import RiskPolicy
from exchange.domain.rejects import Reason
from exchange.domain.units import PPM, QUANTITY_LOTS_MAX, Cash, Grid, Lots, Ppm, Ticks
from exchange.domain.views import AccountView, PositionView

OWNER: AccountId = "owner"
COUNTERPARTY: AccountId = "counterparty"
SYMBOL: Symbol = "CASE"
NET = PositionSide.NET
ANY_LEVERAGE = 10**12
"""A tier's maximum that never binds: what a case states is the leverage."""


def flat_tier(rate: Ppm, amount: Cash = 0) -> tuple[Tier, ...]:
    """Return one tier for every notional. Units: ``amount`` cash, taken off maintenance."""
    return (Tier(0, rate, ANY_LEVERAGE, amount),)


def tier_of_leverage(max_leverage: int) -> tuple[Tier, ...]:
    """Return one tier without maintenance, in which no more leverage counts than this."""
    return (Tier(0, 0, max_leverage, 0),)


def perpetual(
    policy: RiskPolicy,
    cash_per_tick_lot: Cash,
    tiers: tuple[Tier, ...] = flat_tier(0),
    *,
    symbol: Symbol = SYMBOL,
    maker_fee: Ppm = 0,
    taker_fee: Ppm = 0,
    liquidation_fee: Ppm = 0,
) -> Instrument:
    """Return a linear perpetual without filters, with the margin rules of a policy."""
    return Instrument(
        rules=policy.margin_rules,
        symbol=symbol,
        price_grid=Grid(1, 0),
        quantity_grid=Grid(1, 0),
        cash_per_tick_lot=cash_per_tick_lot,
        tiers=tiers,
        default_leverage=1,
        maker_fee=maker_fee,
        taker_fee=taker_fee,
        liquidation_fee=liquidation_fee,
        price_band=PPM - 1,
        market_protection=PPM - 1,
        notional_min=0,
        quantity_max=QUANTITY_LOTS_MAX,
    )


class Order(NamedTuple):
    """An order that rests. ``sign`` is +1 for a buy."""

    sign: int
    price: Ticks
    quantity: Lots


class Held(NamedTuple):
    """A position beside which orders rest. Units: ``entry_cost`` signed cash."""

    quantity: Lots = 0
    entry_cost: Cash = 0


def order_margin_without_mark(instrument: Instrument, held: Held, orders: list[Order], leverage: int) -> Cash:
    """Return what resting orders hold beside a cross position, each side at a mark where it has no open loss (MARG-008)."""
    bids, asks = [order.price for order in orders if order.sign > 0], [order.price for order in orders if order.sign < 0]
    at_best_bid = _margin_at(instrument, held, orders, max(bids, default=0), leverage)
    at_best_ask = _margin_at(instrument, held, orders, min(asks, default=0), leverage)
    return OrderMargin(at_best_bid.buys, at_best_ask.sells, at_best_bid.gap).total


def _margin_at(instrument: Instrument, held: Held, orders: list[Order], mark_price: Ticks, leverage: int) -> OrderMargin:
    position = Position(OWNER, instrument)
    position.quantity, position.entry_cost, position.leverage = held.quantity, held.entry_cost, leverage
    resting = [RestingOrder(number, *order, False) for number, order in enumerate(orders, start=1)]
    return margin_of_orders(position, resting, mark_price)


class Bench:
    """Accounts, positions and marks put in place by hand, and the account service's answers about them."""

    def __init__(self, policy: RiskPolicy, *instruments: Instrument) -> None:
        self._service = AccountService({instrument.symbol: instrument for instrument in instruments}, policy)
        self._close_outs = CloseOuts(self._service)
        self._last_order: OrderId = 0

    # -- putting in place ------------------------------------------------------------------------------------------

    def open_account(self, account: AccountId, wallet: Cash) -> None:
        """Open an account with this much in its cross wallet, more or less than nothing."""
        self._service.apply_create(account)
        self._service.ledger.deposit(self._service.account(account).wallet, wallet)

    def endow_fund(self, amount: Cash) -> None:
        """Put money into the insurance fund."""
        self._service.apply_deposit(INSURANCE_FUND, amount)

    def set_mark(self, symbol: Symbol, price: Ticks) -> None:
        """Set a symbol's mark."""
        self._service.apply_mark_prices((MarkPrice(symbol, price),))

    def set_terms(self, account: AccountId, symbol: Symbol, leverage: int, *, isolated: bool) -> None:
        """Choose leverage and margin mode."""
        position = self._service.position(account, symbol)
        position.leverage = leverage
        position.margin_mode = MarginMode.ISOLATED if isolated else MarginMode.CROSS

    def hold(
        self,
        account: AccountId,
        symbol: Symbol,
        quantity: Lots,
        entry_cost: Cash,
        *,
        leverage: int = 1,
        isolated_wallet: Cash | None = None,
    ) -> None:
        """Put a position in place; with an isolated wallet it is isolated, else cross."""
        self.set_terms(account, symbol, leverage, isolated=isolated_wallet is not None)
        position = self._service.position(account, symbol)
        position.entry_cost = entry_cost
        self._service.ledger.deposit(position.wallet, isolated_wallet or 0)
        self._service.set_quantity(position, quantity)

    def bring_equity_to(self, account: AccountId, symbol: Symbol, equity: Cash) -> None:
        """Pay into the wallet behind a position, or take out, until its scope has this equity."""
        position, owner = self._service.position(account, symbol), self._service.account(account)
        missing = equity - self.risk(account, symbol).equity
        self._service.ledger.deposit(path_of(position).wallet(owner, position), missing)

    # -- asking ----------------------------------------------------------------------------------------------------

    def risk(self, account: AccountId, symbol: Symbol) -> Risk:
        """Return how the scope of a position stands."""
        position = self._service.position(account, symbol)
        return self._service.scope_risk(path_of(position).scope(position))

    def account(self, account: AccountId) -> AccountView:
        """Return an account as its owner sees it."""
        return self._service.view_account(account)

    def position(self, account: AccountId, symbol: Symbol) -> PositionView:
        """Return a position as its owner sees it."""
        return self._service.view_position(account, symbol)

    def collateral(self, account: AccountId, symbol: Symbol) -> Cash:
        """Return what stands behind a position once all others of its scope are provided for (MARG-006)."""
        position = self._service.position(account, symbol)
        return path_of(position).collateral(self._service.account(account), position, self._service.marks)

    def quote_balance(self, account: AccountId) -> Cash:
        """Return the money an account would have if all it holds were worth nothing: wallet less entry costs."""
        owner = self._service.account(account)
        return owner.wallet.balance - sum(position.entry_cost for position in owner.positions.values())

    def bankruptcy_value(self, account: AccountId, symbol: Symbol, closed: Lots) -> Cash:
        """Return the signed money at which a part of a position leaves its scope without equity (LIQ-005)."""
        position = self._service.position(account, symbol)
        share = self._close_outs.equity_share(position)
        return bankruptcy_value(position.instrument, position.quantity, self._service.marks[symbol], share, closed)

    def liquidation_fee(self, account: AccountId, symbol: Symbol, price: Ticks, closed: Lots) -> Cash:
        """Return what the fund gets of a liquidation fill, or pays for it where that is negative (LIQ-006)."""
        terms, _ = self._close_outs.terms(self._service.position(account, symbol))
        return liquidation_fee(self._service.instruments[symbol], terms.quantity, terms.value, price, closed)

    def closing_limit(self, account: AccountId, symbol: Symbol) -> Ticks:
        """Return where an order is limited that closes a whole position in liquidation (LIQ-005)."""
        position = self._service.position(account, symbol)
        _, bankruptcy = self._close_outs.terms(position)
        return self._close_outs.order_limit(position, bankruptcy, abs(position.quantity))

    def deleveraging_queue(self, account: AccountId, symbol: Symbol) -> list[AccountId]:
        """Return who would be deleveraged against a position, the first first (LIQ-008)."""
        return [position.account for position in self._close_outs.ranking(self._service.position(account, symbol))]

    def fund_equity(self) -> Cash:
        """Return the insurance fund's equity."""
        return self._service.view_funds().insurance_fund_equity

    def fees(self) -> Cash:
        """Return the trading fees collected."""
        return self._service.view_funds().fees

    # -- letting it happen -----------------------------------------------------------------------------------------

    def trade(
        self, taker: AccountId, maker: AccountId, symbol: Symbol, sign: int, quantity: Lots, price: Ticks
    ) -> Reason | None:
        """Let two accounts trade, if the check of both sides admits it; return the reason if not (MARG-012, MARG-013).

        ``sign`` is the taker's. As in a book, no match takes either side across zero: what is left is matched next.
        """
        service, left = self._service, quantity
        taking, making = self._enter(taker, symbol, sign, price, quantity), self._enter(maker, symbol, -sign, price, quantity)
        while left:
            caps = (
                service.fill_cap(taker, symbol, NET, sign, reduce_only=False),
                service.fill_cap(maker, symbol, NET, -sign, reduce_only=False),
            )
            lots = min([left, *(cap for cap in caps if cap is not None)])
            fill = ProposedFill(symbol, price, lots, Leg(taker, taking, sign), Leg(maker, making, -sign))
            check = service.check_fill(fill)
            if check.verdict is not FillVerdict.ADMIT:
                return check.reason
            service.apply_fill(fill, check)
            left -= lots
        return None

    def _enter(self, account: AccountId, symbol: Symbol, sign: int, price: Ticks, quantity: Lots) -> OrderId:
        self._last_order += 1
        order = RestingOrder(self._last_order, sign, price, quantity, False)
        self._service.apply_order_entered(self._service.position(account, symbol), order)
        return self._last_order

    def rest(self, account: AccountId, symbol: Symbol, order: Order) -> None:
        """Let an order rest."""
        self._enter(account, symbol, *order)

    def add_margin(self, account: AccountId, symbol: Symbol, amount: Cash) -> Reason | None:
        """Move money into an isolated wallet, if that is allowed; return the reason if not (MARG-016)."""
        change = AddMargin(account=account, symbol=symbol, amount=amount)
        check = self._service.check_change(change)
        if check.reason is None:
            self._service.apply_change(change, check.margin)
        return check.reason

    def switch_to_isolated(self, account: AccountId, symbol: Symbol, margin: Cash) -> Reason | None:
        """Make a cross position isolated with this much margin, if that is allowed; return the reason if not (MARG-021)."""
        change = SetMarginMode(account=account, symbol=symbol, margin_mode=MarginMode.ISOLATED, margin=margin)
        check = self._service.check_change(change)
        if check.reason is None:
            self._service.apply_change(change, check.margin)
        return check.reason

    def deleverage(self, account: AccountId, counterparty: AccountId, symbol: Symbol, lots: Lots) -> bool:
        """Hand lots over at exact bankruptcy value if the counterparty can be made to take them (LIQ-008)."""
        position, other = self._service.position(account, symbol), self._service.position(counterparty, symbol)
        if not self._close_outs.can_be_deleveraged(other, position, lots):
            return False
        self._close_outs.apply_at_bankruptcy(position, other, lots)
        return True

    def take_over(self, account: AccountId, symbol: Symbol) -> None:
        """Hand a whole position to the insurance fund at exact bankruptcy value (LIQ-007)."""
        position, fund = self._service.position(account, symbol), self._service.position(INSURANCE_FUND, symbol)
        self._close_outs.apply_at_bankruptcy(position, fund, abs(position.quantity))

    def close_at_mark(self, account: AccountId, counterparty: AccountId, symbol: Symbol) -> Cash:
        """Hand a whole position over at the mark and return by how much the fund changed (LIQ-009)."""
        position, other = self._service.position(account, symbol), self._service.position(counterparty, symbol)
        return self._close_outs.apply_at_mark(position, other, abs(position.quantity)).fund_change


def liquidation_fee(instrument: Instrument, quantity: Lots, bankruptcy: Cash, price: Ticks, closed: Lots) -> Cash:
    """Return what the fund gets of a liquidation fill; ``bankruptcy`` is the whole position's value there (LIQ-006)."""
    terms = BankruptcyTerms(quantity, bankruptcy)
    sign = -1 if terms.quantity > 0 else 1
    taker = Leg(OWNER, 1, sign, terms=terms)
    return leg_fee(instrument, ProposedFill(instrument.symbol, price, closed, taker, Leg(COUNTERPARTY, 2, -sign)), taker)


def deleveraging_order(scores: Iterable[tuple[AccountId, Fraction]]) -> list[AccountId]:
    """Return scored accounts in the order in which they are deleveraged (LIQ-008)."""
    return [account for (account,) in in_order(((account,), (0, score)) for account, score in scores)]


def deleveraging_score(policy: RiskPolicy, profit_on_wallet: Fraction, margin_ratio: Fraction) -> Fraction:
    """Return the score of a long with this profit on its isolated wallet and this maintenance over equity (LIQ-008)."""
    wallet = 10**18 * profit_on_wallet.denominator * margin_ratio.denominator
    profit = int(wallet * profit_on_wallet)
    equity = wallet + profit
    held = Candidate(
        quantity=1,
        profit=profit,
        entry_notional=wallet,
        mark_notional=wallet + profit,
        notional=wallet + profit,
        equity=equity,
        maintenance=int(equity * margin_ratio),
        wallet=wallet,
    )
    return RANKINGS[policy.adl_ranking](held)[1]
