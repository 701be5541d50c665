"""The counts that the margin model was designed with, counted again with the engine's own functions.

Each test states how many of how many random cases behave as the model says. Where a share depends on how cases are drawn,
an interval is asserted and the test says why.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from random import Random
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from exchange.accounts.fills import leg_fee, realized_by
from exchange.accounts.isolated import IsolatedPath
from exchange.accounts.position import Position
from exchange.accounts.risk import BankruptcyTerms, Leg, ProposedFill
from exchange.domain.closeout_math import CloseoutRisk, target_close
from exchange.domain.commands import CreateAccount, Credit, MarkPrice, PlaceOrder, SetMarginMode, SetMarkPrices
from exchange.domain.enums import MarginMode, Side
from exchange.domain.events import OrderAccepted, TradeExecuted
from exchange.domain.instrument import Instrument, TierRow, build_tiers
from exchange.domain.margin_math import (
    bankruptcy_price,
    bankruptcy_value,
    fee_on,
    initial_margin,
    isolated_fill_margin,
    liquidation_root,
    maintenance_margin,
    notional_value,
    order_reserve,
    tier_at,
    unrealized_pnl,
)
from exchange.domain.units import PPM
from exchange.venue.venue import Venue
from tests.cast import BTC_PERP, T0

CASES = 20_000
SELLS = 10_000
SELLS_THROUGH_THE_BOOK = 1_000
ISOLATED = IsolatedPath()


def draw_instruments(random: Random, count: int) -> list[Instrument]:
    """Return instruments of two to six tiers; a lot at a tick is worth one or a few units of money."""
    found = []
    for _ in range(count):
        tiers = random.randint(2, 6)
        floors = sorted(random.sample(range(1, 5_000), tiers - 1))
        rates = sorted(random.sample(range(4, 300), tiers))
        leverages = [min(125, (PPM - 1) // (rate * 1_000)) for rate in rates]
        rows = zip([0, *(floor * 100_000 for floor in floors)], (rate * 1_000 for rate in rates), leverages, strict=True)
        found.append(
            replace(
                BTC_PERP,
                cash_per_tick_lot=random.choice((1, 7, 1_000)),
                tiers=build_tiers(TierRow(*row) for row in rows),
                taker_fee=random.randint(0, 1_000),
                liquidation_fee=random.randint(0, 20) * 1_000,
                default_leverage=1,
                quantity_max=2**30,
            )
        )
    return found


def draw_size(random: Random, instrument: Instrument, mark: int) -> int:
    """Return a number of lots whose notional lies anywhere over the tiers, and up to half as much again as the last floor."""
    most = instrument.tiers[-1].notional_floor * 3 // 2
    return max(2, random.randint(1, most) // (mark * instrument.cash_per_tick_lot))


# -- 5.4: the check before each trade ----------------------------------------------------------------------------------


class Sell(NamedTuple):
    """A sell order, the mark, and the better price that it meets."""

    instrument: Instrument
    lots: int
    limit: int
    mark: int
    price: int
    leverage: int

    @property
    def order(self) -> tuple[Instrument, int, int, int, int, int]:
        return self.instrument, -1, self.lots, self.limit, self.mark, self.leverage

    @property
    def reserved(self) -> int:
        return order_reserve(*self.order)

    @property
    def usual(self) -> int:
        """What the fill moves into the isolated wallet where there is enough."""
        fee = fee_on(notional_value(self.instrument, self.lots, self.price), self.instrument.taker_fee)
        return isolated_fill_margin(self.instrument, -1, self.lots, self.price, self.mark, self.leverage, fee)

    @property
    def least(self) -> int:
        """What leaves the position at initial margin, fee paid."""
        fee = fee_on(notional_value(self.instrument, self.lots, self.price), self.instrument.taker_fee)
        cost = -notional_value(self.instrument, self.lots, self.price)
        won = unrealized_pnl(self.instrument, -self.lots, cost, self.mark)
        return initial_margin(self.instrument, self.lots, 0, self.mark, self.leverage) + fee - won


def draw_sells(random: Random) -> list[Sell]:
    """Return sells at limits within a tenth of the mark, each met at a price from its limit up to a tenth above the mark."""
    instruments, found = draw_instruments(random, 100), list[Sell]()
    while len(found) < SELLS:
        instrument, mark = random.choice(instruments), random.randint(100, 20_000)
        limit = mark * random.randint(900, 1_100) // 1_000
        price = random.randint(limit, max(limit, mark * 11 // 10))
        lots = draw_size(random, instrument, mark)
        most = tier_at(instrument.tiers, notional_value(instrument, lots, mark)).max_leverage
        found.append(Sell(instrument, lots, limit, mark, price, random.randint(1, most)))
    return found


@pytest.fixture(scope="module")
def sells() -> list[Sell]:
    return draw_sells(Random(54))


@pytest.mark.rule("MARG-008", "MARG-012")
def test_about_half_of_the_sells_that_fill_better_would_move_more_than_was_reserved(sells: list[Sell]) -> None:
    """The model counts 4,629 of 9,884, here it is 5,705 of 9,875: the share of prices far enough above the mark."""
    better = [sell for sell in sells if sell.price > sell.limit]
    short = [sell for sell in better if sell.usual > sell.reserved]
    assert (len(short), len(better)) == (5_705, 9_875)
    assert all(sell.price > sell.mark for sell in short)
    at_limit = [sell for sell in sells if sell.price == sell.limit]
    assert at_limit
    assert not any(sell.usual > sell.reserved for sell in at_limit)


@pytest.mark.rule("MARG-012")
def test_lowered_to_the_least_each_of_them_passes_on_what_was_reserved(sells: list[Sell]) -> None:
    """What is above the mark is profit at the mark, so that the least is never more than the reservation."""
    for sell in sells:
        margin = ISOLATED.fill_margin(sell.usual, sell.least, partial(order_reserve, *sell.order))
        assert margin is not None, sell
        assert sell.least <= margin <= sell.reserved, sell


@pytest.mark.rule("MARG-009", "MARG-010", "MARG-012")
def test_an_account_with_just_the_reservation_gets_every_better_fill_through_the_book(sells: list[Sell]) -> None:
    lowered = 0
    for sell in sells[:SELLS_THROUGH_THE_BOOK]:
        venue = Venue([replace(sell.instrument, default_leverage=sell.leverage)])
        opening = (
            CreateAccount(account="bob"),
            CreateAccount(account="carol"),
            Credit(account="bob", amount=sell.reserved),
            Credit(account="carol", amount=10**17),
            SetMarkPrices(marks=(MarkPrice("BTC-PERP", sell.mark),)),
            SetMarginMode(account="bob", symbol="BTC-PERP", margin_mode=MarginMode.ISOLATED),
            PlaceOrder(account="carol", symbol="BTC-PERP", side=Side.BUY, quantity=sell.lots, limit_price=sell.price),
        )
        for command in opening:
            venue.apply(command, now_ns=T0)
        order = PlaceOrder(account="bob", symbol="BTC-PERP", side=Side.SELL, quantity=sell.lots, limit_price=sell.limit)
        events = venue.apply(order, now_ns=T0)
        accepted = next((event for event in events if isinstance(event, OrderAccepted)), None)
        if accepted is None:  # closer to the price band or to a tier's leverage than the account's money
            continue
        traded = [event for event in events if isinstance(event, TradeExecuted)]
        assert accepted.decision is not None
        assert accepted.decision.available_after == 0
        assert [event.quantity for event in traded] == [sell.lots], sell
        lowered += traded[0].taker.margin_in < sell.usual
        held = venue.position("bob", "BTC-PERP")
        assert held.scope_equity >= held.initial_margin
    assert lowered > SELLS_THROUGH_THE_BOOK // 4


# -- 5.5: the liquidation price ----------------------------------------------------------------------------------------


class Held(NamedTuple):
    """An isolated position."""

    instrument: Instrument
    quantity: int
    entry_cost: int
    wallet: int
    mark: int

    @property
    def equity(self) -> int:
        return self.wallet + unrealized_pnl(self.instrument, self.quantity, self.entry_cost, self.mark)


def draw_held(random: Random, instrument: Instrument, *, leverage_min: int = 1) -> Held:
    """Return a position as opened, margined at some leverage or with up to twice that."""
    mark = random.randint(100, 20_000)
    lots = draw_size(random, instrument, mark)
    notional = notional_value(instrument, lots, mark)
    most = tier_at(instrument.tiers, notional).max_leverage
    leverage = random.randint(leverage_min, max(leverage_min, most))
    wallet = initial_margin(instrument, lots, 0, mark, leverage)
    wallet += random.choice((0, random.randint(0, wallet)))
    sign = random.choice((1, -1))
    return Held(instrument, sign * lots, sign * notional, wallet, mark)


def roots_of(held: Held) -> list[Fraction]:
    """Return every tier's liquidation price that lies in its tier, by the closed form in fractions."""
    instrument, size = held.instrument, abs(held.quantity) * held.instrument.cash_per_tick_lot
    sign = 1 if held.quantity > 0 else -1
    found = []
    for tier, after in zip(instrument.tiers, (*instrument.tiers[1:], None), strict=True):
        slope = size * (Fraction(tier.maintenance_rate, PPM) - sign)
        price = (held.wallet + tier.maintenance_amount - held.entry_cost) / slope
        within = price * size >= tier.notional_floor and (after is None or price * size < after.notional_floor)
        if price > 0 and within:
            found.append(price)
    return found


@pytest.mark.rule("MARG-006")
def test_exactly_one_tier_has_the_liquidation_price_in_twenty_thousand_of_twenty_thousand_cases() -> None:
    """Of positions that are not wholly paid for: every short, and longs whose wallet is below their cost."""
    random = Random(55)
    instruments, counted = draw_instruments(random, 100), 0
    while counted < CASES:
        held = draw_held(random, random.choice(instruments))
        if held.wallet >= held.entry_cost > 0:
            continue
        counted += 1
        roots = roots_of(held)
        assert len(roots) == 1, held
        root = liquidation_root(held.instrument, held.quantity, held.entry_cost, held.wallet)
        assert root is not None
        assert Fraction(*root) == roots[0]


@pytest.mark.rule("MARG-006")
def test_a_long_that_is_wholly_paid_for_has_none() -> None:
    random = Random(56)
    instruments = draw_instruments(random, 100)
    for _ in range(2_000):
        held = draw_held(random, random.choice(instruments))
        paid = held._replace(quantity=abs(held.quantity), entry_cost=abs(held.entry_cost), wallet=abs(held.entry_cost))
        assert roots_of(paid) == []
        assert liquidation_root(paid.instrument, paid.quantity, paid.entry_cost, paid.wallet) is None


# -- 5.6, step 6: fills of a liquidation order -------------------------------------------------------------------------


class Pool(NamedTuple):
    """A scope below maintenance, as seen from the position that is closed: its own part and the others' maintenance."""

    position: Position
    mark: int
    equity: int
    others: int

    @property
    def maintenance(self) -> int:
        return self.others + maintenance_margin(self.position.instrument, self.position.quantity, 0, self.mark)


def draw_breached(random: Random, instrument: Instrument, others: int = 0) -> Pool:
    """Return a position whose scope has some equity, and less than maintenance."""
    held = draw_held(random, instrument)
    needed = others + maintenance_margin(instrument, held.quantity, 0, held.mark)
    equity = random.randint(1, max(1, needed - 1))
    position = Position("bob", instrument)
    position.margin_mode = MarginMode.ISOLATED
    drift = held.mark * random.randint(-200, 200) // 1_000 * held.quantity * instrument.cash_per_tick_lot
    position.quantity, position.entry_cost = held.quantity, held.entry_cost + drift
    position.wallet.balance = equity + drift
    return Pool(position, held.mark, equity, others)


def fill_part(random: Random, pool: Pool, terms: BankruptcyTerms, limit: int) -> Pool:
    """Return the scope after a fill of some lots at the limit or better, the liquidation fee paid and nothing paid out."""
    position, sign = pool.position, 1 if pool.position.quantity > 0 else -1
    better = random.choice((0, 0, 1, random.randint(0, max(1, abs(pool.mark - limit)))))
    lots = random.randint(1, abs(position.quantity))
    fill = ProposedFill(
        position.symbol,
        max(1, limit + sign * better),
        lots,
        Leg("bob", 1, -sign, terms=terms),
        Leg("carol", 2, sign),
    )
    fee = leg_fee(position.instrument, fill, fill.taker)
    assert fee >= 0
    value = -sign * notional_value(position.instrument, lots, fill.price)
    realized, cost = realized_by(position, lots, value)
    at_mark = unrealized_pnl(position.instrument, position.quantity, position.entry_cost, pool.mark)
    position.quantity -= sign * lots
    position.entry_cost -= cost
    position.wallet.balance += realized - fee
    left = unrealized_pnl(position.instrument, position.quantity, position.entry_cost, pool.mark)
    return pool._replace(equity=pool.equity + realized - fee + left - at_mark)


def falls_of(random: Random, pool: Pool) -> tuple[bool, bool]:
    """Return whether equity over maintenance fell in a fill of one order, and whether by more than a unit rounded up.

    In a cross pool a fill is compared with the scope as it was when the order was sent: the price is fixed then, and a first
    part that leaves a tier gains more on maintenance than the parts after it.
    """
    position = pool.position
    own = maintenance_margin(position.instrument, position.quantity, 0, pool.mark)
    share = pool.equity * own // pool.maintenance
    value = bankruptcy_value(position.instrument, position.quantity, pool.mark, share, abs(position.quantity))
    terms = BankruptcyTerms(position.quantity, value)
    limit = bankruptcy_price(position.instrument, position.quantity, pool.mark, share)
    equity, maintenance, fell, fell_far = pool.equity, pool.maintenance, False, False
    for _ in range(3):
        if not position.quantity or limit < 1:
            break
        pool = fill_part(random, pool, terms, limit)
        assert pool.equity >= 0
        fell |= pool.equity * maintenance < equity * pool.maintenance
        fell_far |= pool.equity * maintenance < equity * (pool.maintenance - 1)
        if not pool.others:
            equity, maintenance = pool.equity, pool.maintenance
    return fell, fell_far


@pytest.mark.rule("LIQ-005", "LIQ-006")
def test_fills_at_bankruptcy_or_better_lower_equity_over_maintenance_in_none_of_twenty_thousand_cases() -> None:
    """A lot at a tick is worth a thousand units at rates of whole thousandths: maintenance is never rounded."""
    random = Random(561)
    instruments = [replace(each, cash_per_tick_lot=1_000) for each in draw_instruments(random, 100)]
    for case in range(CASES):
        others = random.randint(1, 10**8) if case % 2 else 0
        assert falls_of(random, draw_breached(random, random.choice(instruments), others)) == (False, False)


@pytest.mark.rule("LIQ-005", "LIQ-006")
def test_where_maintenance_is_rounded_up_they_lower_it_by_that_unit_at_most() -> None:
    random = Random(562)
    instruments = [replace(each, cash_per_tick_lot=1) for each in draw_instruments(random, 100)]
    fell = 0
    for _ in range(CASES // 4):
        held = draw_breached(random, random.choice(instruments))
        once, far = falls_of(random, held)
        fell += once
        assert not far, held
    assert 0 < fell < CASES // 4


# -- 5.7: what a liquidation leaves in the isolated wallet -------------------------------------------------------------


@pytest.mark.rule("LIQ-010", "MARG-014")
def test_a_pro_rata_payout_would_leave_the_target_out_of_reach_in_all_cases_and_kept_in_the_wallet_in_none() -> None:
    """A partial close at the mark, as large as it takes, within one tier: equity falls with what is paid out.

    Where the close crosses a tier the rate itself falls, so that those cases are left out.
    """
    random, target = Random(57), 1_100_000
    instruments = draw_instruments(random, 100)
    counted = missed_paid = missed_kept = 0
    while counted < CASES:
        pool = draw_breached(random, random.choice(instruments))
        position, size = pool.position, abs(pool.position.quantity)
        risk = CloseoutRisk(position.instrument, position.quantity, 0, pool.mark, pool.equity, 0, pool.equity, target, 0)
        close = target_close(risk)
        today = tier_at(position.instrument.tiers, notional_value(position.instrument, size, pool.mark))
        left = notional_value(position.instrument, size - close, pool.mark)
        if close == size or tier_at(position.instrument.tiers, left) != today or today.maintenance_amount:
            continue
        counted += 1
        sign = 1 if position.quantity > 0 else -1
        realized, _ = realized_by(position, close, -sign * notional_value(position.instrument, close, pool.mark))
        paid = max(0, ISOLATED.payout(position, close, realized))
        needed = maintenance_margin(position.instrument, size - close, 0, pool.mark)
        missed_kept += pool.equity * PPM < target * needed
        missed_paid += (pool.equity - paid) * PPM < target * needed
    assert (missed_paid, missed_kept) == (CASES, 0)
