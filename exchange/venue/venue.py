"""The corridor's front: ``Venue.apply(command, now_ns=...) -> events``, and queries that lie between two commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exchange.domain.commands import (
    AddMargin,
    AdvanceTime,
    AmendOrder,
    AnyCommand,
    CancelAllOrders,
    CancelOrder,
    ContinueLiquidations,
    ContinueTriggers,
    CreateAccount,
    Credit,
    PlaceOrder,
    RemoveMargin,
    SetAutoReplenish,
    SetCancelAfter,
    SetCollateralPrices,
    SetIndexPrices,
    SetLeverage,
    SetMarginMode,
    SetMarkPrices,
    SetPositionMode,
    SetTradingState,
    Withdraw,
)
from exchange.domain.decisions import AnyDecision
from exchange.domain.enums import CancelTrigger, PositionSide, Side, TradingState
from exchange.domain.events import AnyEvent, IndexPriceChanged, MarkPriceChanged, TimeAdvanced
from exchange.domain.ids import AccountId, OrderId, Symbol
from exchange.domain.instrument import CollateralAsset, Instrument, check_collateral, check_instrument, under_policy
from exchange.domain.policy import RiskPolicy, check_policy
from exchange.domain.previews import PreviewableCommand, PreviewView
from exchange.domain.units import Ticks, TimeNs
from exchange.domain.views import (
    AccountView,
    DepthLevel,
    FundingView,
    FundView,
    MarginDecision,
    OrderView,
    PositionView,
    ScopeView,
)
from exchange.venue import account_commands, expiry, funding, marks, order_amends, order_commands, safety, triggers
from exchange.venue.digest import state_digest
from exchange.venue.evidence import Evidence
from exchange.venue.fund_unwind import next_slice_ns, unwind_fund
from exchange.venue.outcome import report_changes, report_entries
from exchange.venue.preview import preview
from exchange.venue.resolution import Resolution
from exchange.venue.state import VenueLimits, VenueState
from exchange.venue.trading import Trading


class Venue:
    """A deterministic exchange: the same commands at the same times give the same events and digest (CONS-006).

    It knows no clock: time comes with each command and never goes back. It does no I/O and keeps no globals.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        limits: VenueLimits | None = None,
        policy: RiskPolicy | None = None,
        collateral: Sequence[CollateralAsset] = (),
        *,
        records_decisions: bool = False,
    ) -> None:
        """Raise ``ValueError`` with a sentence when something contradicts itself or a symbol or asset comes twice.

        ``records_decisions`` has it keep what each decision of the last command was made of; nothing else depends on it.
        """
        for instrument in instruments:
            check_instrument(instrument)
        for asset in collateral:
            check_collateral(asset)
        if len({asset.asset for asset in collateral}) != len(collateral):
            raise ValueError("each collateral asset may be configured once only")
        policy = policy or RiskPolicy()
        check_policy(policy)
        by_symbol = {instrument.symbol: under_policy(instrument, policy) for instrument in instruments}
        if len(by_symbol) != len(instruments):
            raise ValueError("each symbol may be configured once only")
        self._state = state = VenueState(by_symbol, limits or VenueLimits(), policy, collateral)
        self._trading = Trading(state.books, state.accounts, state.counters, state.limits, triggers=state.triggers)
        if records_decisions:
            state.evidence = self._trading.evidence = Evidence(state.accounts)
        self._resolution = Resolution(state, self._trading)

    # -- commands --------------------------------------------------------------------------------------------------

    def apply(self, command: AnyCommand, *, now_ns: TimeNs) -> tuple[AnyEvent, ...]:
        """Carry out one command whole, liquidations that follow from it included, and return what happened.

        Units: ``now_ns`` nanoseconds since the Unix epoch, not before that of the command before.
        While ``has_unfinished_liquidations``, the next command must be ``ContinueLiquidations``; else, while
        ``has_unfinished_triggers``, it must be ``ContinueTriggers``.
        """
        state, trading = self._state, self._trading
        if now_ns < state.now_ns:
            raise ValueError(f"time went back from {state.now_ns} to {now_ns}")
        state.sequence += 1
        state.now_ns = trading.now_ns = state.accounts.now_ns = now_ns
        trading.events = []
        if state.evidence is not None:
            state.evidence.decisions = []
        funding.schedule(state)
        self._dispatch(command)
        report_changes(state, trading.events)
        steps_left, told = self._resolution.run(trading.events, state.limits.liquidation_steps_max), len(trading.events)
        has_news = any(isinstance(event, MarkPriceChanged | IndexPriceChanged | TimeAdvanced) for event in trading.events)
        if has_news and unwind_fund(state, trading):
            report_changes(state, trading.events)
            steps_left = self._resolution.run(trading.events[told:], steps_left)
        report_changes(state, trading.events)
        triggers.note_crossed(state, trading.events)
        triggers.enter_crossed(state, trading, self._resolution, steps_left)
        marks.note_trades(state, trading.events)
        report_entries(state, trading.events)
        return tuple(trading.events)

    def _dispatch(self, command: AnyCommand) -> None:
        state, trading = self._state, self._trading
        match command:
            case PlaceOrder():
                order_commands.place(state, trading, command)
            case AmendOrder():
                order_amends.amend(state, trading, command)
            case CancelOrder():
                order_commands.cancel(state, trading, command)
            case CancelAllOrders():
                order_commands.cancel_all(state, trading, command)
            case SetCancelAfter():
                safety.set_cancel_after(state, trading, command)
            case (
                SetMarginMode()
                | SetLeverage()
                | AddMargin()
                | RemoveMargin()
                | SetAutoReplenish()
                | SetPositionMode()
                | Withdraw()
            ):
                account_commands.change(state, trading.events, command)
            case SetMarkPrices():
                marks.set_marks(state, trading.events, command)
            case SetIndexPrices():
                marks.set_index_prices(state, trading.events, command)
            case SetCollateralPrices():
                account_commands.set_collateral_prices(state, trading.events, command)
            case SetTradingState():
                account_commands.set_trading_state(state, trading.events, command)
            case Credit():
                account_commands.credit(state, trading.events, command)
            case CreateAccount():
                account_commands.create(state, trading.events, command)
            case AdvanceTime():
                expiry.expire_orders(state, trading)
                funding.advance(state, trading.events)
                safety.cancel_due(state, trading)
            case ContinueLiquidations() | ContinueTriggers():
                pass

    # -- queries ---------------------------------------------------------------------------------------------------

    @property
    def sequence(self) -> int:
        """How many commands have been applied."""
        return self._state.sequence

    @property
    def now_ns(self) -> TimeNs:
        """The time of the last command."""
        return self._state.now_ns

    @property
    def decisions(self) -> tuple[AnyDecision, ...]:
        """What the decisions of the last command were made of, in their order; nothing unless the venue records them."""
        evidence = self._state.evidence
        return () if evidence is None else tuple(evidence.decisions)

    @property
    def policy(self) -> RiskPolicy:
        """What the venue decides about liquidations, losses and marks."""
        return self._state.policy

    @property
    def instruments(self) -> Mapping[Symbol, Instrument]:
        """What can be traded, by symbol."""
        return self._state.instruments

    @property
    def collateral(self) -> tuple[CollateralAsset, ...]:
        """The assets beside the settlement asset that count for cross pools, in their configured order."""
        return tuple(self._state.accounts.collateral.assets.values())

    @property
    def has_unfinished_liquidations(self) -> bool:
        """Whether ``ContinueLiquidations`` must come next (LIQ-011)."""
        return self._state.unfinished_liquidations > 0

    @property
    def has_unfinished_triggers(self) -> bool:
        """Whether ``ContinueTriggers`` must come before anything but liquidations (TRIG-004)."""
        return self._state.triggers.has_crossed()

    @property
    def next_due_ns(self) -> TimeNs | None:
        """When ``AdvanceTime`` must come for what is due at its time (FUND-004, LIQ-015, BOOK-018, SAFE-001), or None."""
        state, expiry_ns = self._state, expiry.next_expiry_ns(self._state)
        times = (funding.next_due_ns(state), next_slice_ns(state), expiry_ns, state.cancel_timers.next_due_ns)
        return min((each for each in times if each is not None), default=None)

    def digest(self) -> str:
        """Return the hash of the whole state as hex."""
        return state_digest(self._state)

    def preview(self, command: PreviewableCommand | None, *, account: AccountId, now_ns: TimeNs) -> PreviewView:
        """Return what ``command`` would do to ``account`` if it were applied next, at ``now_ns``; nothing changes (MARG-029).

        None is no command: the account as it stands. Units: nanoseconds. What liquidations then do, of this account or
        of others, is not predicted. Raises ``KeyError`` for an unknown account.
        """
        if now_ns < self._state.now_ns:
            raise ValueError(f"time went back from {self._state.now_ns} to {now_ns}")
        return preview(self._state, command, account, now_ns)

    def mark_price(self, symbol: Symbol) -> Ticks | None:
        """Return a symbol's mark, or None before there was one."""
        return self._state.accounts.marks.get(symbol)

    def accounts(self) -> tuple[AccountId, ...]:
        """Return the names of all accounts, sorted."""
        return tuple(sorted(self._state.accounts.accounts))

    def has_account(self, account: AccountId) -> bool:
        """Return whether an account exists."""
        return account in self._state.accounts.accounts

    def account(self, account: AccountId) -> AccountView:
        """Return an account's cross pool. Raises ``KeyError`` for an unknown account."""
        return self._state.accounts.view_account(account)

    def position(self, account: AccountId, symbol: Symbol, position_side: PositionSide = PositionSide.NET) -> PositionView:
        """Return one position, flat if there is none. Raises ``KeyError`` for an unknown account or symbol."""
        return self._state.accounts.view_position(account, symbol, position_side)

    def positions(self, account: AccountId) -> tuple[PositionView, ...]:
        """Return every position that is open, has orders or has settings of its own, by symbol."""
        return self._state.accounts.view_positions(account)

    def scopes(self, account: AccountId) -> tuple[ScopeView, ...]:
        """Return the health of each of the account's scopes with a position (MARG-020). Raises ``KeyError``."""
        return self._state.accounts.view_scopes(account)

    def standing_decision(
        self, account: AccountId, symbol: Symbol, position_side: PositionSide = PositionSide.NET
    ) -> MarginDecision:
        """Return the margin decision of an order that is refused before it can become a command."""
        return self._state.accounts.standing_decision(account, symbol, position_side)

    def index_price(self, symbol: Symbol) -> Ticks | None:
        """Return a symbol's index price, or None before there was one."""
        return self._state.markets[symbol].index_price

    def funding(self, symbol: Symbol) -> FundingView:
        """Return how a symbol's funding stands. Raises ``KeyError`` for an unknown symbol."""
        return funding.funding_view(self._state, symbol)

    def trading_state(self, symbol: Symbol) -> TradingState:
        """Return whether a symbol trades (BOOK-017)."""
        return TradingState.HALTED if symbol in self._state.halted else TradingState.OPEN

    def open_orders(self, account: AccountId, symbol: Symbol | None = None) -> tuple[OrderView, ...]:
        """Return the account's resting orders by order id."""
        held = self._state.accounts.account(account).positions
        found: list[OrderView] = []
        for position in held.values():
            if symbol in (None, position.symbol):
                book = self._state.books[position.symbol]
                found.extend(book.orders[order_id].view() for order_id in position.orders)
        return tuple(sorted(found, key=lambda order: order.order_id))

    def untriggered_orders(self, account: AccountId, symbol: Symbol | None = None) -> tuple[OrderView, ...]:
        """Return the account's orders that wait for a price, by order id (TRIG-002)."""
        return tuple(order.view() for order in self._state.triggers.of_account(account, symbol))

    def cancel_deadline(self, account: AccountId, trigger: CancelTrigger) -> TimeNs | None:
        """Return when a timer cancels the account's orders, or None where it is not armed (SAFE-001)."""
        return self._state.cancel_timers.deadline(account, trigger)

    def funds(self) -> FundView:
        """Return the system's own money."""
        return self._state.accounts.view_funds()

    def imbalance(self) -> int:
        """Return by how much the books are out in cash units; anything but 0 is a bug (CONS-001)."""
        return self._state.accounts.ledger.imbalance(self._state.accounts.accounts.values())

    def resting_orders(self, symbol: Symbol, side: Side) -> tuple[OrderView, ...]:
        """Return the resting orders of a side, the first to trade first. Raises ``KeyError`` for an unknown symbol."""
        return tuple(order.view() for order in self._state.books[symbol].queue(side))

    def resting_order(self, symbol: Symbol, order_id: OrderId) -> OrderView | None:
        """Return an order that rests in a book, or None. Raises ``KeyError`` for an unknown symbol."""
        order = self._state.books[symbol].orders.get(order_id)
        return None if order is None else order.view()

    def depth(self, symbol: Symbol, levels_max: int) -> tuple[tuple[DepthLevel, ...], tuple[DepthLevel, ...]]:
        """Return the best levels of bids and asks, best first. Raises ``KeyError`` for an unknown symbol."""
        book = self._state.books[symbol]
        return book.depth(Side.BUY, levels_max), book.depth(Side.SELL, levels_max)
