"""All mutable state of the core, in one place; only ``Venue.apply`` changes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy

import msgspec

from exchange.accounts.liquidation import CloseOuts
from exchange.accounts.risk import Scope
from exchange.accounts.service import AccountService
from exchange.domain.copies import Copies
from exchange.domain.ids import AccountId, LiquidationId, OrderId, Symbol, TradeId
from exchange.domain.instrument import CollateralAsset, Instrument
from exchange.domain.policy import RiskPolicy
from exchange.domain.triggers import TriggerSource
from exchange.domain.units import Ticks, TimeNs
from exchange.matching.book import Book
from exchange.matching.order import Order
from exchange.matching.rehearsal import RehearsedBook
from exchange.matching.trigger_book import TriggerBook
from exchange.venue.cancel_timers import CancelTimers
from exchange.venue.evidence import Evidence
from exchange.venue.liquidations import Liquidation
from exchange.venue.market import Market
from exchange.venue.placements import Placement, PlacementMemory


class VenueLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds on what one command may cost and what the venue may hold."""

    sweep_makers_max: int = 1000
    """Matches that one order may make (BOOK-012)."""
    liquidation_steps_max: int = 64
    """Liquidation steps per command (LIQ-011)."""
    adl_legs_max: int = 256
    """Transfers per liquidation step (LIQ-011)."""
    open_orders_max: int = 200
    """Resting orders per account and symbol (BOOK-007)."""
    account_orders_max: int = 1_000
    """Resting orders per account over all symbols (BOOK-007)."""
    client_order_ids_max: int = 1_000
    """Accepted orders per account whose client order ids are remembered (BOOK-014)."""
    expirations_max: int = 256
    """Orders that expire in one command (BOOK-018)."""
    triggers_max: int = 64
    """Triggered orders that enter in one command (TRIG-004)."""
    accounts_max: int = 10_000
    """Accounts of the venue."""


class Counters:
    """The last id given out of each kind."""

    __slots__ = ("liquidation_id", "order_id", "trade_id")

    def __init__(self) -> None:
        self.order_id: OrderId = 0
        self.trade_id: TradeId = 0
        self.liquidation_id: LiquidationId = 0

    def next_order_id(self) -> OrderId:
        """Return an order id never given before."""
        self.order_id += 1
        return self.order_id

    def next_trade_id(self) -> TradeId:
        """Return a trade id never given before."""
        self.trade_id += 1
        return self.trade_id

    def next_liquidation_id(self) -> LiquidationId:
        """Return a liquidation id never given before."""
        self.liquidation_id += 1
        return self.liquidation_id


class VenueState:
    """Books, accounts, liquidations, counters and time."""

    def __init__(
        self,
        instruments: Mapping[Symbol, Instrument],
        limits: VenueLimits,
        policy: RiskPolicy,
        collateral: Sequence[CollateralAsset],
    ) -> None:
        self.instruments = instruments
        self.limits = limits
        self.policy = policy
        self.books = {symbol: Book(symbol) for symbol in instruments}
        self.triggers = TriggerBook()
        self.halted: set[Symbol] = set()
        """The symbols that do not trade (BOOK-017)."""
        self.accounts = AccountService(instruments, policy, collateral)
        self.close_outs = CloseOuts(self.accounts)
        self.markets = {symbol: Market(instrument) for symbol, instrument in instruments.items()}
        self.unwound_ns: dict[Symbol, TimeNs] = {}
        """When the fund last sold a slice of its position in a symbol (LIQ-015)."""
        self.counters = Counters()
        self.placements: dict[AccountId, PlacementMemory] = {}
        self.liquidations: dict[Scope, Liquidation] = {}
        self.cancel_timers = CancelTimers()
        self.evidence: Evidence | None = None
        """What this command's decisions were made of, where the venue records that; no part of the digest."""
        self.sequence = 0
        self.now_ns: TimeNs = 0

    def rehearsal(self, owner: AccountId, now_ns: TimeNs) -> VenueState:
        """Return a state on copies, made as they are needed, for one command about ``owner`` (MARG-029).

        It has what an owner's command and the check after it can ask for. Units: ``now_ns`` nanoseconds.
        """
        twin = VenueState(self.instruments, self.limits, self.policy, ())
        twin.accounts = self.accounts.rehearsal(owner)
        twin.close_outs = CloseOuts(twin.accounts)
        twin.books = Copies(self.books, RehearsedBook)
        twin.triggers = self.triggers.rehearsal(owner)
        twin.markets = Copies(self.markets, copy)
        twin.halted = set(self.halted)
        twin.counters = copy(self.counters)
        twin.placements = Copies(self.placements, PlacementMemory.copy)
        twin.liquidations = Copies(self.liquidations, copy)
        twin.now_ns = twin.accounts.now_ns = now_ns
        return twin

    @property
    def unfinished_liquidations(self) -> int:
        """How many flagged scopes can go on at once, without waiting for anything."""
        return sum(1 for each in self.liquidations.values() if not each.is_waiting)

    def find_order(self, account: AccountId, order_id: OrderId) -> Order | None:
        """Return an open or untriggered order of the account; another's is as unknown as none (BOOK-009)."""
        for symbol in self.instruments:
            order = self.books[symbol].orders.get(order_id)
            if order is not None:
                return order if order.account == account else None
        return self.triggers.find(account, order_id)

    def price_of(self, symbol: Symbol, source: TriggerSource) -> Ticks | None:
        """Return a symbol's price that triggers may go by, as the last command left it; None before there was one."""
        match source:
            case TriggerSource.MARK:
                return self.accounts.marks.get(symbol)
            case TriggerSource.LAST:
                return self.markets[symbol].last_price
            case TriggerSource.INDEX:
                return self.markets[symbol].index_price

    def recall(self, account: AccountId, client_order_id: str) -> Placement | None:
        """Return what the account placed under a client order id, if that is remembered (BOOK-014)."""
        memory = self.placements.get(account)
        return None if memory is None else memory.recall(client_order_id)

    def remember(self, placement: Placement) -> None:
        """Keep an accepted order under its client order id (BOOK-014)."""
        account = placement.command.account
        memory = self.placements.get(account)
        if memory is None:
            memory = self.placements[account] = PlacementMemory(self.limits.client_order_ids_max)
        memory.remember(placement)
