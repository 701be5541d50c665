"""The exchange floor of the naive venue: order entry, matching, self-trade prevention, offset-lost cancels."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Protocol

from exchange.domain.commands import PlaceOrder
from exchange.domain.enums import MarginMode, OrderType, SelfTradePrevention, TimeInForce
from exchange.domain.instrument import Instrument
from exchange.domain.rejects import Reason
from tests.properties import naive_formulas as formulas
from tests.properties.naive_accounts import Account, NaiveAccounts, Order, execution_order


class Limits(Protocol):
    """The bounds that the naive venue needs to know."""

    @property
    def sweep_makers_max(self) -> int: ...
    @property
    def liquidation_steps_max(self) -> int: ...
    @property
    def adl_legs_max(self) -> int: ...
    @property
    def open_orders_max(self) -> int: ...
    @property
    def account_orders_max(self) -> int: ...


@dataclass(frozen=True)
class Decision:
    """MARG-009."""

    path: MarginMode
    required: int
    available_before: int
    available_after: int


@dataclass(frozen=True)
class Trade:
    maker_order: int
    taker_order: int
    price: int
    quantity: int
    taker_fee: int
    maker_fee: int


@dataclass
class Outcome:
    """What one command brought about. `refused` holds every reason that SPEC.md would justify; empty when accepted."""

    refused: set[Reason] = field(default_factory=set)
    accepted: list[int] = field(default_factory=list)
    repeated: int | None = None
    decision: Decision | None = None
    """Of the order that was asked for, where it got as far as its margin check."""
    standing: Decision | None = None
    """Of no order at all: what one refused for its form shows."""
    trades: list[Trade] = field(default_factory=list)
    canceled: list[tuple[int, Reason]] = field(default_factory=list)


class NaiveFloor(NaiveAccounts):
    """Order entry and matching on top of the accounts."""

    def __init__(self, instruments: list[Instrument], limits: Limits) -> None:
        super().__init__(instruments)
        self.limits = limits
        self.next_order_id = 1
        self.remembered: dict[tuple[str, str], tuple[PlaceOrder, int]] = {}
        self.outcome = Outcome()

    # --- order entry ------------------------------------------------------------------------------------------------

    def place(self, command: PlaceOrder) -> None:
        if command.account in self.accounts and command.symbol in self.instruments:
            account = self.accounts[command.account]
            available = self.available(account)
            self.outcome.standing = Decision(account.positions[command.symbol].mode, 0, available, available)
        known = self.remembered.get((command.account, command.client_order_id or ""))
        if known is not None:
            if known[0] == command:
                self.outcome.repeated = known[1]
            else:
                self.outcome.refused = {Reason.CLIENT_ORDER_ID_REUSED}
            return
        self.outcome.refused = self.faults_of(command)
        if not self.outcome.refused and command.time_in_force is TimeInForce.FOK and not self.fills_whole(command):
            self.outcome.refused = {Reason.FOK_UNFILLABLE}
        if not self.outcome.refused:
            self.accept(command)

    def faults_of(self, command: PlaceOrder) -> set[Reason]:
        """Every reason to refuse the order but FOK_UNFILLABLE."""
        if command.account not in self.accounts:
            return {Reason.UNKNOWN_ACCOUNT}
        if command.symbol not in self.instruments:
            return {Reason.UNKNOWN_SYMBOL}
        faults = self.shape_faults(command)
        if self.marks[command.symbol] is None:
            return faults | {Reason.NO_MARK_PRICE}
        if faults & {Reason.PRICE_REQUIRED, Reason.LOT_SIZE}:
            return faults
        order = self.new_order(command)
        return faults | self.filter_faults(command, order) | self.margin_faults(order)

    def shape_faults(self, command: PlaceOrder) -> set[Reason]:
        faults = set()
        market = command.order_type is OrderType.MARKET
        if market and command.limit_price is not None:
            faults.add(Reason.PRICE_FORBIDDEN)
        if not market and command.limit_price is None:
            faults.add(Reason.PRICE_REQUIRED)
        if command.post_only and (market or command.time_in_force is not TimeInForce.GTC):
            faults.add(Reason.POST_ONLY_COMBINATION)
        if command.quantity < 1:
            faults |= {Reason.LOT_SIZE, Reason.QUANTITY_MAX, Reason.NOTIONAL_MIN}
        if command.quantity > min(formulas.GRID_MAX, self.instruments[command.symbol].quantity_max):
            faults.add(Reason.QUANTITY_MAX)
        if command.limit_price is not None and not 1 <= command.limit_price <= formulas.GRID_MAX:
            faults |= {Reason.PRICE_LIMIT, Reason.TICK_SIZE, Reason.PRICE_BAND}
        return faults

    def new_order(self, command: PlaceOrder) -> Order:
        side = command.side.sign
        price = command.limit_price
        if price is None:
            price = formulas.protection_price(self.instruments[command.symbol], side, self.mark(command.symbol))
        return Order(self.next_order_id, command.account, command.symbol, side, price, command.quantity, command.reduce_only)

    def filter_faults(self, command: PlaceOrder, order: Order) -> set[Reason]:
        faults = set()
        instrument, mark = self.instruments[order.symbol], self.mark(order.symbol)
        q = self.accounts[order.account].positions[order.symbol].q
        market = command.order_type is OrderType.MARKET
        if not market and not formulas.within_band(order.price, mark, instrument.price_band):
            faults.add(Reason.PRICE_BAND)
        notional = formulas.money(instrument, order.quantity, mark if market else order.price)
        closes_exactly = order.side * order.quantity == -q
        if notional < instrument.notional_min and not order.reduce_only and not closes_exactly:
            faults.add(Reason.NOTIONAL_MIN)
        if order.reduce_only and q * order.side >= 0:
            faults.add(Reason.REDUCE_ONLY_NO_POSITION)
        could_rest = not market and command.time_in_force is TimeInForce.GTC
        if could_rest and len(self.orders_of(order.account, order.symbol)) >= self.limits.open_orders_max:
            faults.add(Reason.OPEN_ORDERS_MAX)
        if could_rest and len([o for o in self.orders if o.account == order.account]) >= self.limits.account_orders_max:
            faults.add(Reason.ACCOUNT_ORDERS_MAX)
        if command.post_only and self.best_match(order) is not None:
            faults.add(Reason.POST_ONLY_WOULD_CROSS)
        return faults

    def is_risk_reducing(self, account: Account, order: Order, orders: list[Order]) -> bool:
        """MARG-010: reduce-only, or all its lots are free in execution order."""
        if order.reduce_only:
            return True
        rows = self.reserves(account, order.symbol, order.side, orders)
        return [lots for other, lots, _ in rows if other is order] == [0]

    def potential_notional(self, account: Account, symbol: str, orders: list[Order]) -> int:
        q = account.positions[symbol].q
        bids, asks = (sum(o.open for o in orders if o.side == side and not o.reduce_only) for side in (1, -1))
        return formulas.money(self.instruments[symbol], max(abs(q + bids), abs(q - asks)), self.mark(symbol))

    def margin_faults(self, order: Order) -> set[Reason]:
        """MARG-010, and LIQ-001 for flagged scopes; keeps the arithmetic as the outcome's decision."""
        account, symbol = self.accounts[order.account], order.symbol
        resting = self.orders_of(order.account, symbol)
        orders = [*resting, order]
        required = self.order_margin(account, symbol, orders) - self.order_margin(account, symbol)
        before = self.available(account)
        self.outcome.decision = Decision(account.positions[symbol].mode, required, before, before - required)
        if self.is_risk_reducing(account, order, orders):
            return set()
        faults = set()
        if self.scope_of(account, symbol) in account.flagged:
            faults.add(Reason.LIQUIDATION_IN_PROGRESS)
        if required > 0 and before - required < 0:
            faults.add(Reason.INITIAL_INSUFFICIENT)
        potential = self.potential_notional(account, symbol, orders)
        rises = potential > self.potential_notional(account, symbol, resting)
        if rises and not self.leverage_fits(account, symbol, potential):
            faults.add(Reason.LEVERAGE_TIER)
        return faults

    def fills_whole(self, command: PlaceOrder) -> bool:
        """BOOK-004: the whole venue is copied and the order tried on the copy."""
        trial = deepcopy(self, {id(self.instruments): self.instruments, id(self.remembered): {}})
        order = trial.accept(command)
        return order.filled == command.quantity

    def accept(self, command: PlaceOrder) -> Order:
        order = self.new_order(command)
        account = self.accounts[order.account]
        reducing = self.is_risk_reducing(account, order, [*self.orders_of(order.account, order.symbol), order])
        before = self.order_margin(account, order.symbol)
        self.next_order_id += 1
        self.outcome.accepted.append(order.order_id)
        if command.client_order_id is not None:
            self.remembered[command.account, command.client_order_id] = (command, order.order_id)
        self.orders.append(order)
        if reducing:
            self.cancel_for_lost_offset(order, before)
        self.sweep(order, command.self_trade_prevention)
        if order in self.orders:
            self.end_taker(command, order)
        return order

    def end_taker(self, command: PlaceOrder, order: Order) -> None:
        """What is left of a taker rests or is canceled."""
        if command.order_type is OrderType.MARKET:
            self.remove(order, Reason.PROTECTION_PRICE)
        elif command.time_in_force is TimeInForce.GTC:
            order.resting = True
            self.remeasure(order.account, order.symbol)
        else:
            self.remove(order, Reason.IOC_REMAINDER)

    # --- matching ---------------------------------------------------------------------------------------------------

    def best_match(self, taker: Order) -> Order | None:
        """The first maker in execution order that the taker's price reaches, of whatever account."""
        makers = [m for m in self.orders if m.resting and m.symbol == taker.symbol and m.side == -taker.side]
        for maker in execution_order(makers)[:1]:
            if taker.side * (taker.price - maker.price) >= 0:
                return maker
        return None

    def sweep(self, taker: Order, self_trade_prevention: SelfTradePrevention) -> None:
        meetings = 0
        while taker in self.orders and (maker := self.best_match(taker)) is not None:
            meetings += 1
            if meetings > self.limits.sweep_makers_max:
                self.remove(taker, Reason.SWEEP_LIMIT)
            elif maker.account == taker.account:
                if self_trade_prevention is not SelfTradePrevention.CANCEL_TAKER:
                    self.remove(maker, Reason.SELF_TRADE)
                if self_trade_prevention is not SelfTradePrevention.CANCEL_MAKER:
                    self.remove(taker, Reason.SELF_TRADE)
            else:
                self.match(taker, maker)

    def match(self, taker: Order, maker: Order) -> None:
        lots = min(taker.open, maker.open)
        for order in (taker, maker):
            q = self.accounts[order.account].positions[order.symbol].q
            if q * order.side < 0:
                lots = min(lots, abs(q))
        taker_fee, maker_fee = self.fees_of(taker, maker, lots)
        taker_after, taker_fault = self.try_fill(taker, lots, maker.price, taker_fee)
        maker_after, maker_fault = self.try_fill(maker, lots, maker.price, maker_fee)
        if taker_fault is not None:
            self.remove(taker, taker_fault)
        elif maker_fault is not None:
            self.remove(maker, Reason.MAKER_FILL_CHECK_FAILED)
        else:
            self.execute(taker, taker_after, taker_fee, maker, maker_after, maker_fee, lots)

    def fees_of(self, taker: Order, maker: Order, lots: int) -> tuple[int, int]:
        """MARG-017 and LIQ-006."""
        instrument, price = self.instruments[taker.symbol], maker.price
        maker_fee = formulas.fee(instrument, lots, price, instrument.maker_fee)
        if taker.liquidation is None:
            return formulas.fee(instrument, lots, price, instrument.taker_fee), maker_fee
        size, share = taker.liquidation
        exact = -taker.side * formulas.money(instrument, lots, price)
        surplus = exact - formulas.bankruptcy_money(instrument, -taker.side * size, lots, self.mark(taker.symbol), share)
        return min(formulas.fee(instrument, lots, price, instrument.liquidation_fee), surplus), max(0, maker_fee)

    def execute(
        self, taker: Order, taker_after: Account, taker_fee: int, maker: Order, maker_after: Account, maker_fee: int, lots: int
    ) -> None:
        legs = ((taker, taker_after), (maker, maker_after))
        reducing = [self.accounts[o.account].positions[o.symbol].q * o.side < 0 for o, _ in legs]
        margins = [self.order_margin(self.accounts[o.account], o.symbol) for o, _ in legs]
        for order, after in legs:
            self.accounts[order.account] = after
            order.filled += lots
            order.open -= lots
            if order.open == 0:
                self.orders.remove(order)
        self.fees += maker_fee
        if taker.liquidation is None:
            self.fees += taker_fee
        else:
            self.fund.wallet += taker_fee
            self.settle_flat(taker_after, taker.symbol)
        trade = Trade(maker.order_id, taker.order_id, maker.price, lots, taker_fee, maker_fee)
        self.outcome.trades.append(trade)
        for (order, _), was_reducing, margin_before in zip(legs, reducing, margins, strict=True):
            self.remeasure(order.account, order.symbol)
            if was_reducing:
                self.cancel_for_lost_offset(order, margin_before)

    def settle_flat(self, account: Account, symbol: str) -> None:
        raise NotImplementedError

    def remeasure(self, name: str, symbol: str) -> None:
        """BOOK-010. An incoming order keeps its length until it rests, but not beyond the end of the position."""
        room = self.accounts[name].positions[symbol].q
        for order in self.orders_of(name, symbol):
            if not order.reduce_only:
                continue
            if order.side * room >= 0:
                self.remove(order, Reason.REDUCE_ONLY_EMPTY)
            elif order.resting:
                order.open = min(order.open, abs(room))

    def cancel_for_lost_offset(self, reducing_order: Order, margin_before: int) -> None:
        """MARG-011."""
        name = reducing_order.account
        if self.order_margin(self.accounts[name], reducing_order.symbol) <= margin_before:
            return
        while self.available(self.accounts[name]) < 0:
            candidates = [(r, o) for r, o in self.deciding_orders(name) if o is not reducing_order]
            if not candidates:
                return
            _, victim = min(candidates, key=lambda row: (-row[0], row[1].order_id))
            self.remove(victim, Reason.OFFSET_LOST)

    def deciding_orders(self, name: str) -> list[tuple[int, Order]]:
        """(r, order) of the orders that hold margin on the side that decides R of its symbol; on a tie, the buys."""
        found = []
        for symbol in self.instruments:
            orders = self.orders_of(name, symbol)
            if not orders:
                continue
            account = self.accounts[name]
            buys, sells = (self.reserves(account, symbol, side, orders) for side in (1, -1))
            deciding = buys if sum(r for _, _, r in buys) >= sum(r for _, _, r in sells) else sells
            found += [(r, order) for order, _, r in deciding if r > 0]
        return found

    def remove(self, order: Order, reason: Reason) -> None:
        self.orders.remove(order)
        self.outcome.canceled.append((order.order_id, reason))
