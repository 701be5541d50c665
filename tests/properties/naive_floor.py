"""The exchange floor of the naive venue: order entry, matching, self-trade prevention, offset-lost cancels."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Protocol

from msgspec.structs import replace

from exchange.domain.commands import PlaceOrder
from exchange.domain.enums import OrderType, SelfTradePrevention, TimeInForce
from exchange.domain.instrument import CollateralAsset, Instrument
from exchange.domain.policy import LiquidationSurplus, RiskPolicy
from exchange.domain.rejects import Reason
from tests.properties import naive_formulas as formulas
from tests.properties.naive_accounts import Order, Position, execution_order
from tests.properties.naive_fills import Leg, NaiveFills
from tests.properties.naive_outcome import Decision, Outcome, Trade


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


class NaiveFloor(NaiveFills):
    """Order entry and matching on top of the accounts."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        limits: Limits,
        policy: RiskPolicy,
        collateral: Sequence[CollateralAsset],
    ) -> None:
        super().__init__(instruments, policy, collateral)
        self.limits = limits
        self.next_order_id = 1
        self.remembered: dict[tuple[str, str], tuple[PlaceOrder, int]] = {}
        self.outcome = Outcome()
        self.last_trade: dict[str, int] = {}

    def position_of(self, command: PlaceOrder) -> Position | None:
        return self.find_position(self.accounts[command.account], command.symbol, command.position_side)

    def quantity_held(self, order: Order) -> int:
        """The signed size of the position that the order trades; the fund's for its own."""
        if order.account not in self.accounts:
            return self.fund.q[order.symbol]
        return self.accounts[order.account].positions[order.position].q

    # --- order entry ------------------------------------------------------------------------------------------------

    def place(self, command: PlaceOrder) -> None:
        if command.account in self.accounts and command.symbol in self.instruments:
            account = self.accounts[command.account]
            named = (command.symbol, command.position_side)
            p = next(p for p in account.positions.values() if (p.symbol, p.side) == named)
            available = self.available_to(account, p)
            self.outcome.standing = Decision(p.mode, 0, available, available, self.liquidation_price(account, p))
        known = self.remembered.get((command.account, command.client_order_id or ""))
        if known is not None:
            if known[0] == command:
                self.outcome.repeated = known[1]
            else:
                self.outcome.refused = {Reason.CLIENT_ORDER_ID_REUSED}
            return
        asked = command
        if command.close_position and command.account in self.accounts:
            closing = self.closing(command)
            if closing is None:
                return
            command = closing
        self.outcome.refused = self.faults_of(command)
        if not self.outcome.refused and command.time_in_force is TimeInForce.FOK and not self.fills_whole(command):
            self.outcome.refused = {Reason.FOK_UNFILLABLE}
        if not self.outcome.refused:
            order = self.accept(command)
            if asked.client_order_id is not None:
                self.remembered[asked.account, asked.client_order_id] = (asked, order.order_id)

    def closing(self, command: PlaceOrder) -> PlaceOrder | None:
        """BOOK-020: the reduce-only order that is meant, or None where it was refused."""
        p = self.position_of(command)
        if p is None or p.q * command.side.sign >= 0:
            self.outcome.decision = self.outcome.standing
            self.outcome.refused = {Reason.POSITION_SIDE if p is None else Reason.REDUCE_ONLY_NO_POSITION}
            return None
        return replace(command, quantity=abs(p.q), reduce_only=True)

    def faults_of(self, command: PlaceOrder) -> set[Reason]:
        """Every reason to refuse the order but FOK_UNFILLABLE."""
        if command.account not in self.accounts:
            return {Reason.UNKNOWN_ACCOUNT}
        if command.symbol not in self.instruments:
            return {Reason.UNKNOWN_SYMBOL}
        faults = self.shape_faults(command)
        p = self.position_of(command)
        if p is None:
            faults.add(Reason.POSITION_SIDE)
        if command.symbol in self.halted:
            faults.add(Reason.SYMBOL_HALTED)
        if self.marks[command.symbol] is None:
            return faults | {Reason.NO_MARK_PRICE}
        if p is None or faults & {Reason.PRICE_REQUIRED, Reason.LOT_SIZE}:
            return faults
        order = self.new_order(command, p)
        return faults | self.filter_faults(command, order, p) | self.margin_faults(order, p)

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

    def new_order(self, command: PlaceOrder, p: Position) -> Order:
        side, price = command.side.sign, command.limit_price
        if price is None:
            price = formulas.protection_price(self.instruments[command.symbol], side, self.mark(command.symbol))
        reduce_only = command.reduce_only or side == -p.side.sign
        return Order(self.next_order_id, command.account, command.symbol, p.name, side, price, command.quantity, reduce_only)

    def filter_faults(self, command: PlaceOrder, order: Order, p: Position) -> set[Reason]:
        faults = set()
        instrument, mark = self.instruments[order.symbol], self.mark(order.symbol)
        market = command.order_type is OrderType.MARKET
        if not market and not formulas.within_band(order.price, mark, instrument.price_band):
            faults.add(Reason.PRICE_BAND)
        notional = formulas.money(instrument, order.quantity, mark if market else order.price)
        closes_exactly = order.side * order.quantity == -p.q
        if notional < instrument.notional_min and not order.reduce_only and not closes_exactly:
            faults.add(Reason.NOTIONAL_MIN)
        if order.reduce_only and p.q * order.side >= 0:
            faults.add(Reason.REDUCE_ONLY_NO_POSITION)
        could_rest = not market and command.time_in_force is TimeInForce.GTC
        own = [o for o in self.orders if o.account == order.account]
        if could_rest and len([o for o in own if o.symbol == order.symbol]) >= self.limits.open_orders_max:
            faults.add(Reason.OPEN_ORDERS_MAX)
        if could_rest and len(own) >= self.limits.account_orders_max:
            faults.add(Reason.ACCOUNT_ORDERS_MAX)
        if command.post_only and self.best_match(order) is not None:
            faults.add(Reason.POST_ONLY_WOULD_CROSS)
        return faults

    def is_risk_reducing(self, order: Order, p: Position, orders: Sequence[Order]) -> bool:
        """MARG-010: reduce-only, or all its lots are free in execution order."""
        if order.reduce_only:
            return True
        return [lots for other, lots, _ in self.reserves(p, order.side, orders) if other is order] == [0]

    def margin_faults(self, order: Order, p: Position) -> set[Reason]:
        """MARG-010, MARK-004, and LIQ-001 for flagged scopes; keeps the arithmetic as the outcome's decision."""
        account = self.accounts[order.account]
        resting = self.orders_of(order.account, p.name)
        orders = [*resting, order]
        required = self.order_margin(account, p, orders) - self.order_margin(account, p)
        before = self.available_to(account, p)
        price = self.price_if_filled(order)
        self.outcome.decision = Decision(p.mode, required, before, before - required, price)
        if self.is_risk_reducing(order, p, orders):
            return set()
        faults = set()
        if self.scope_of(p) in account.flagged:
            faults.add(Reason.LIQUIDATION_IN_PROGRESS)
        if self.is_stale(p.symbol):
            faults.add(Reason.MARK_STALE)
        if required > 0 and before - required < 0:
            faults.add(Reason.INITIAL_INSUFFICIENT)
        potential = self.potential_notional(p, orders)
        if potential > self.potential_notional(p, resting) and not self.leverage_fits(p, potential):
            faults.add(Reason.LEVERAGE_TIER)
        return faults

    def fills_whole(self, command: PlaceOrder) -> bool:
        """BOOK-004: the whole venue is copied and the order tried on the copy."""
        shared = (self.instruments, self.policy, self.collateral, self.limits)
        memo: dict[int, object] = {id(value): value for value in shared}
        trial = deepcopy(self, {**memo, id(self.remembered): {}, id(self.outcome): Outcome()})
        return trial.accept(command).filled == command.quantity

    def accept(self, command: PlaceOrder) -> Order:
        p = self.position_of(command)
        assert p is not None
        order = self.new_order(command, p)
        order.post_only, order.prevention = command.post_only, command.self_trade_prevention
        account = self.accounts[order.account]
        reducing = self.is_risk_reducing(order, p, [*self.orders_of(order.account, p.name), order])
        before = self.order_margin(account, p)
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
            self.remeasure(order.account, order.position)
        else:
            self.remove(order, Reason.IOC_REMAINDER)

    def send(self, order: Order, self_trade_prevention: SelfTradePrevention) -> None:
        """Let an order of the venue's own, immediate or cancel, sweep the book."""
        self.next_order_id += 1
        self.orders.append(order)
        self.outcome.sent.append((order.order_id, order.account, order.position, order.side * order.quantity, order.price))
        self.sweep(order, self_trade_prevention)

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
            q = self.quantity_held(order)
            if q * order.side < 0:
                lots = min(lots, abs(q))
        taker_fee, maker_fee = self.fees_of(taker, maker, lots)
        taker_leg = self.try_fill(taker, lots, maker.price, taker_fee)
        maker_leg = self.try_fill(maker, lots, maker.price, maker_fee)
        if taker_leg.fault is not None:
            self.remove(taker, taker_leg.fault)
        elif maker_leg.fault is not None:
            self.remove(maker, Reason.MAKER_FILL_CHECK_FAILED)
        else:
            self.execute((taker, taker_leg, taker_fee), (maker, maker_leg, maker_fee), lots)

    def fees_of(self, taker: Order, maker: Order, lots: int) -> tuple[int, int]:
        """MARG-017, LIQ-006 and LIQ-014: a liquidation's fee below nothing is what the fund pays for the fill."""
        instrument, price = self.instruments[taker.symbol], maker.price
        maker_fee = formulas.fee(instrument, lots, price, instrument.maker_fee)
        if taker.liquidation is None:
            return formulas.fee(instrument, lots, price, instrument.taker_fee), maker_fee
        size, share, rate = taker.liquidation
        exact = -taker.side * formulas.money(instrument, lots, price)
        surplus = exact - formulas.bankruptcy_money(instrument, -taker.side * size, lots, self.mark(taker.symbol), share)
        if self.policy.liquidation_surplus is LiquidationSurplus.FUND:
            return surplus, max(0, maker_fee)
        return min(formulas.fee(instrument, lots, price, rate), surplus), max(0, maker_fee)

    def execute(self, taking: tuple[Order, Leg, int], making: tuple[Order, Leg, int], lots: int) -> None:
        legs, (taker, _, taker_fee), (maker, _, maker_fee) = (taking, making), taking, making
        reducing = [self.quantity_held(order) * order.side < 0 for order, _, _ in legs]
        margins = [self.margin_of(order) for order, _, _ in legs]
        for order, leg, fee in legs:
            if leg.after is None:
                value = formulas.money(self.instruments[order.symbol], order.side * lots, maker.price)
                leg.realized = self.fund_receives(order.symbol, order.side * lots, value)
                self.fund.wallet -= fee
            else:
                self.accounts[order.account] = leg.after
            order.filled += lots
            order.open -= lots
            if order.open == 0:
                self.orders.remove(order)
        self.fees += maker_fee + (taker_fee if taker.liquidation is None else 0)
        self.last_trade[taker.symbol] = maker.price
        realized = [leg.realized for _, leg, _ in legs]
        trade = Trade(maker.order_id, taker.order_id, maker.price, lots, taker_fee, maker_fee, *realized)
        self.outcome.trades.append(trade)
        if taker.liquidation is not None:
            self.note_liquidation_fill(taker, trade)
        for (order, leg, _), was_reducing, margin_before in zip(legs, reducing, margins, strict=True):
            if leg.after is not None:
                self.remeasure(order.account, order.position)
                if was_reducing:
                    self.cancel_for_lost_offset(order, margin_before)

    def margin_of(self, order: Order) -> int:
        account = self.accounts.get(order.account)
        return 0 if account is None else self.order_margin(account, account.positions[order.position])

    def note_liquidation_fill(self, order: Order, trade: Trade) -> None:
        raise NotImplementedError

    def remeasure(self, name: str, position: str) -> None:
        """BOOK-010. An incoming order keeps its length until it rests, but not beyond the end of the position."""
        room = self.accounts[name].positions[position].q
        for order in self.orders_of(name, position):
            if not order.reduce_only:
                continue
            if order.side * room >= 0:
                self.remove(order, Reason.REDUCE_ONLY_EMPTY)
            elif order.resting:
                order.open = min(order.open, abs(room))

    def cancel_for_lost_offset(self, reducing_order: Order, margin_before: int) -> None:
        """MARG-011."""
        name = reducing_order.account
        if self.margin_of(reducing_order) <= margin_before:
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
        for position in sorted({o.position for o in self.orders if o.account == name}):
            orders, p = self.orders_of(name, position), self.accounts[name].positions[position]
            buys, sells = (self.reserves(p, side, orders) for side in (1, -1))
            deciding = buys if sum(r for _, _, r in buys) >= sum(r for _, _, r in sells) else sells
            found += [(r, order) for order, _, r in deciding if r > 0]
        return found

    def remove(self, order: Order, reason: Reason) -> None:
        self.orders.remove(order)
        self.outcome.canceled.append((order.order_id, reason))
