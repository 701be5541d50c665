"""Nobody profits from the rules: one person with three accounts, random commands, and nobody else who gives money away.

The marks are honest: they move in steps smaller than half of the lowest maintenance rate. Whatever the three accounts then do
to each other, with orders, modes, leverage, margin, withdrawals, funding and liquidations, together they never end up with more
than was put in, beyond what the insurance fund's own positions lose to the mark, to funding and when it sells them.

A gap in the mark can make a scope bankrupt between two marks and is left out: there the fund pays, as on any venue.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from msgspec.structs import replace

from exchange.domain.commands import (
    AddMargin,
    AdvanceTime,
    AnyCommand,
    CancelAllOrders,
    ContinueLiquidations,
    CreateAccount,
    Credit,
    MarkPrice,
    PlaceOrder,
    RemoveMargin,
    SetAutoReplenish,
    SetLeverage,
    SetMarginMode,
    SetMarkPrices,
    SetPositionMode,
    Withdraw,
)
from exchange.domain.enums import MarginMode, OrderType, PositionMode, PositionSide, SelfTradePrevention, Side, TimeInForce
from exchange.domain.events import (
    AnyEvent,
    FillSide,
    FundingPaid,
    OrderAccepted,
    OrderCanceled,
    PositionTransferred,
    TradeExecuted,
    Withdrawn,
)
from exchange.domain.ids import INSURANCE_FUND, SETTLEMENT_ASSET, AccountId, Symbol
from exchange.domain.instrument import CollateralAsset, FundingTerms, Instrument, TierRow, build_tiers, check_instrument
from exchange.domain.policy import AdlRanking, BadDebtPolicy, LiquidationSizing, RiskPolicy
from exchange.domain.units import PPB, PPM, Cash, Grid, Ticks
from exchange.domain.views import PositionView
from exchange.venue.state import VenueLimits
from exchange.venue.venue import Venue
from tests.cast import T0
from tests.properties.profiles import profile

PERSON: tuple[AccountId, ...] = ("ann", "ben", "cal")
MAKER: AccountId = "honest"
DEPOSIT: Cash = 30_000
HOUR_NS = 3_600 * 10**9
LOWEST_MAINTENANCE = 30_000
"""3 %, the first tier's rate of both symbols."""
STEP_MAX = 14_000
"""1.4 %: less than half of it, so that no scope is bankrupt at the first mark that finds it below maintenance."""
SPREAD = 4_000
FIRST_LEVERAGE = {"ben": 12, "cal": 6, MAKER: 1}


def _instrument(symbol: Symbol, k: int, rows: Sequence[TierRow], maker_fee: int) -> Instrument:
    instrument = Instrument(
        symbol=symbol,
        price_grid=Grid(1, 2),
        quantity_grid=Grid(1, 3),
        cash_per_tick_lot=k,
        tiers=build_tiers(rows),
        default_leverage=10,
        maker_fee=maker_fee,
        taker_fee=1_000,
        liquidation_fee=10_000,
        price_band=300_000,
        market_protection=100_000,
        notional_min=0,
        quantity_max=400,
        funding=FundingTerms(
            interval=8 * HOUR_NS, interest=100_000, clamp=500_000, cap=LOWEST_MAINTENANCE * PPB // PPM, impact_notional=9_000
        ),
    )
    check_instrument(instrument)
    return instrument


INSTRUMENTS = (
    _instrument(
        "ELK-PERP",
        3,
        [TierRow(0, 30_000, 25), TierRow(600_000, 60_000, 12), TierRow(1_500_000, 120_000, 6)],
        maker_fee=-1_000,
    ),
    _instrument("FOX-PERP", 1, [TierRow(0, 30_000, 30), TierRow(400_000, 50_000, 15)], maker_fee=200),
)
SYMBOLS = tuple(each.symbol for each in INSTRUMENTS)
FIRST_MARKS = (2_000, 5_000)
COIN = CollateralAsset(asset="COIN", decimals=2, haircut=250_000, initial_price=1_000)
COINS = 4_000
"""Forty whole ones, which count for as much as everybody else's deposit: ben has nothing else."""

FIRST_DEPOSITS = {"ben": (COIN.asset, COINS), MAKER: (SETTLEMENT_ASSET, 10**12)}


class Draw(NamedTuple):
    """The numbers behind one command; each indexes a table or is used modulo something."""

    kind: int
    account: int
    symbol: int
    side: int
    size: int
    price: int
    variant: int


DRAWS = st.lists(
    st.builds(
        Draw,
        kind=st.integers(0, 99),
        account=st.integers(0, 2),
        symbol=st.integers(0, 1),
        side=st.integers(0, 1),
        size=st.integers(0, 19),
        price=st.integers(0, 19),
        variant=st.integers(0, 19),
    ),
    min_size=40,
    max_size=90,
)
POLICIES = st.builds(
    RiskPolicy,
    liquidation_sizing=st.sampled_from(LiquidationSizing),
    bad_debt=st.sampled_from((BadDebtPolicy.NEGATIVE_FUND, BadDebtPolicy.SOCIALIZE)),
    adl_ranking=st.sampled_from(AdlRanking),
    fund_unwind_fraction=st.sampled_from((0, 300_000)),
    fund_unwind_book_share=st.just(PPM),
)
_KINDS = (
    ("place", 41), ("mark", 7), ("run", 9), ("friend", 8), ("mode", 7), ("leverage", 5), ("remove", 5), ("add", 2),
    ("withdraw", 6), ("cancel", 1), ("funding", 2), ("replenish", 1), ("hedge", 2), ("credit", 4),
)  # fmt: skip
_KIND_OF = tuple(kind for kind, weight in _KINDS for _ in range(weight))
_OFFSETS_PPM = (0, 0, 0, 1_000, -1_000, 20_000, -20_000, 60_000, -60_000, 150_000, -150_000, 299_000)
_VARIANTS: tuple[tuple[OrderType, TimeInForce, bool], ...] = (
    *[(OrderType.LIMIT, TimeInForce.GTC, False)] * 13,
    (OrderType.LIMIT, TimeInForce.GTC, True),
    *[(OrderType.LIMIT, TimeInForce.IOC, False)] * 2,
    (OrderType.LIMIT, TimeInForce.IOC, True),
    (OrderType.LIMIT, TimeInForce.FOK, False),
    (OrderType.MARKET, TimeInForce.IOC, False),
    (OrderType.MARKET, TimeInForce.IOC, True),
)
_BEYOND_PPM = (0, 0, 500, -500, 5_000, 20_000, 60_000, 150_000)
_MOVES_PPM = (STEP_MAX, -STEP_MAX, STEP_MAX // 2, -STEP_MAX // 2, STEP_MAX // 7, -STEP_MAX // 7)


class Play:
    """A venue on which one person has three accounts, and what that person and the fund have gained so far."""

    def __init__(self, policy: RiskPolicy, *, fund: Cash, has_maker: bool) -> None:
        self.venue = Venue(INSTRUMENTS, VenueLimits(liquidation_steps_max=4), policy, (COIN,))
        self.has_maker = has_maker
        self.now_ns = T0
        self.paid_in: Fraction = Fraction(0)
        self.withdrawn: Fraction = Fraction(0)
        self.fund_losses: Cash = 0
        """What the fund's own positions have lost to the mark and to funding: nobody took that from it."""
        self.transfers = 0
        """How often a position went to the fund or to another account."""
        self.events: list[AnyEvent] = []
        for name in (*PERSON, MAKER):
            self.apply(CreateAccount(account=name))
            asset, amount = FIRST_DEPOSITS.get(name, (SETTLEMENT_ASSET, DEPOSIT))
            self.apply(Credit(account=name, amount=amount, asset=asset))
        if fund:
            self.apply(Credit(account=INSURANCE_FUND, amount=fund))
        self.set_marks(FIRST_MARKS)
        for name in (*PERSON, MAKER):
            for instrument in INSTRUMENTS:
                leverage = FIRST_LEVERAGE.get(name, instrument.max_leverage)
                self.apply(SetLeverage(account=name, symbol=instrument.symbol, leverage=leverage))
        if has_maker:
            self.quote()
        self.paid_in = self.worth

    # -- what everybody has ----------------------------------------------------------------------------------------

    @property
    def worth(self) -> Fraction:
        """What the person has: equity at the marks, coins at what the venue gives for them, and what was withdrawn."""
        return sum((self._worth_of(name) for name in PERSON), self.withdrawn)

    @property
    def unearned(self) -> Fraction:
        """What the person has beyond what was paid in and what the fund's own positions have lost since."""
        return self.worth - self.paid_in - self.fund_losses

    @property
    def fund_left(self) -> Fraction:
        """What the fund has, had its own positions lost nothing."""
        return self._worth_of(INSURANCE_FUND) + self.fund_losses

    def _worth_of(self, name: AccountId) -> Fraction:
        view = self.venue.account(name)
        return view.total_equity - view.collateral_value + sum(held.balance for held in view.collateral) * COIN_VALUE

    def available(self, name: AccountId) -> Cash:
        """What an account can still commit."""
        return self.venue.account(name).available_balance

    def positions(self) -> list[PositionView]:
        """All open positions of the person."""
        return [view for name in PERSON for view in self.venue.positions(name) if view.quantity]

    # -- commands --------------------------------------------------------------------------------------------------

    def apply(self, command: AnyCommand) -> tuple[AnyEvent, ...]:
        """Apply a command and all continuations of it, and note what left the person's accounts."""
        note(repr(command))
        events = self.venue.apply(command, now_ns=self.now_ns)
        while self.venue.has_unfinished_liquidations:
            events = (*events, *self.venue.apply(ContinueLiquidations(), now_ns=self.now_ns))
        self.events.extend(events)
        for event in events:
            match event:
                case Withdrawn():
                    self.withdrawn += event.amount * (1 if event.asset == SETTLEMENT_ASSET else COIN_VALUE)
                case FundingPaid(account="insurance_fund"):
                    self.fund_losses -= event.amount
                case PositionTransferred():
                    self.transfers += 1
                case TradeExecuted(taker=FillSide(account="insurance_fund")):
                    self._note_slice(event)
        return events

    def _note_slice(self, slice_sold: TradeExecuted) -> None:
        """What the fund gives up when it gets rid of a position is its own loss, but never more than market protection."""
        mark, sign = self.venue.mark_price(slice_sold.symbol) or 0, slice_sold.taker_side.sign
        instrument = self.venue.instruments[slice_sold.symbol]
        given_up = sign * (slice_sold.price - mark)
        assert given_up * PPM <= mark * instrument.market_protection, "a slice was sold outside market protection"
        self.fund_losses += given_up * slice_sold.quantity * instrument.cash_per_tick_lot + slice_sold.taker.fee

    def deposit(self, account: AccountId, amount: Cash) -> None:
        """Put more money in."""
        self.apply(Credit(account=account, amount=amount))
        self.paid_in += amount

    def set_marks(self, marks: Sequence[Ticks]) -> tuple[AnyEvent, ...]:
        """Move the marks; what that does to the fund's own positions is its own loss. The honest maker follows."""
        for view in self.venue.funds().insurance_fund_positions:
            new, before = marks[SYMBOLS.index(view.symbol)], self.venue.mark_price(view.symbol) or 0
            self.fund_losses -= view.quantity * (new - before) * self.venue.instruments[view.symbol].cash_per_tick_lot
        pairs = tuple(MarkPrice(symbol, mark) for symbol, mark in zip(SYMBOLS, marks, strict=True))
        events = self.apply(SetMarkPrices(marks=pairs))
        if self.has_maker:
            self.quote()
        return events

    def quote(self) -> None:
        """Have the honest maker quote a deep bid and ask around the mark, as it always does once the mark has moved."""
        self.apply(CancelAllOrders(account=MAKER))
        for symbol in SYMBOLS:
            mark = self.venue.mark_price(symbol) or 0
            for side in Side:
                price = mark - side.sign * (mark * SPREAD // PPM)
                for _ in range(4):
                    self.apply(PlaceOrder(account=MAKER, symbol=symbol, side=side, quantity=400, limit_price=price))

    def advance_to_funding(self) -> None:
        """Let time pass until funding is due."""
        self.now_ns = self.venue.next_due_ns or self.now_ns
        self.apply(AdvanceTime())


COIN_VALUE = Fraction(1_000 * (PPM - COIN.haircut), PPM * 10**COIN.decimals)
"""What one unit of it counts for, not rounded."""


def step(play: Play, draw: Draw) -> None:
    """Do what the numbers mean at the present state."""
    account, symbol, kind = PERSON[draw.account], SYMBOLS[draw.symbol], _KIND_OF[draw.kind]
    side, owner = _position_side(play, account, draw), play.venue.account(account)
    held = play.venue.position(account, symbol, side)
    if kind in ("remove", "add", "mode", "leverage", "friend") and (views := _open_positions(play, account, kind)):
        held = views[draw.symbol % len(views)]
        symbol, side = held.symbol, held.position_side
    match kind:
        case "place":
            _place(play, draw, held)
        case "mark":
            moves = (_MOVES_PPM[draw.size % 6], _MOVES_PPM[draw.price % 6] * (draw.variant % 2))
            play.set_marks([_moved(play, each, move) for each, move in zip(SYMBOLS, moves, strict=True)])
        case "run":
            _run(play, symbol, Side.BUY if draw.side else Side.SELL, 1 + draw.size // 2, alone=draw.variant % 3 == 0)
        case "friend":
            _sell_to_a_friend(play, draw, held)
        case "mode":
            mode = MarginMode.CROSS if held.margin_mode is MarginMode.ISOLATED else MarginMode.ISOLATED
            play.apply(SetMarginMode(account=account, symbol=symbol, margin_mode=mode, position_side=side))
        case "leverage":
            leverage = (25, 12, 6, 30, 15, 10, 2, 20)[draw.size % 8]
            play.apply(SetLeverage(account=account, symbol=symbol, leverage=leverage, position_side=side))
        case "remove":
            amount = _amount(held.scope_equity - held.initial_margin, held.isolated_wallet, draw)
            play.apply(RemoveMargin(account=account, symbol=symbol, amount=amount, position_side=side))
        case "add":
            amount = _amount(owner.withdrawable, owner.wallet_balance, draw)
            play.apply(AddMargin(account=account, symbol=symbol, amount=amount, position_side=side))
        case "withdraw" if draw.variant % 4 == 0:
            coins = sum(view.balance for view in owner.collateral)
            play.apply(Withdraw(account=account, amount=_amount(coins, coins, draw), asset=COIN.asset))
        case "withdraw":
            play.apply(Withdraw(account=account, amount=_amount(owner.withdrawable, owner.wallet_balance, draw)))
        case "credit":
            play.deposit(account, DEPOSIT // 2)
        case "cancel":
            play.apply(CancelAllOrders(account=account))
        case "funding":
            play.advance_to_funding()
        case "replenish":
            play.apply(SetAutoReplenish(account=account, symbol=symbol, enabled=draw.size > 9, position_side=side))
        case "hedge":
            mode = PositionMode.HEDGE if draw.size > 5 else PositionMode.ONE_WAY
            play.apply(SetPositionMode(account=account, position_mode=mode))


def _position_side(play: Play, account: AccountId, draw: Draw) -> PositionSide:
    if play.venue.account(account).position_mode is PositionMode.ONE_WAY:
        return PositionSide.NET
    return (PositionSide.LONG, PositionSide.SHORT)[draw.variant % 2]


def _open_positions(play: Play, account: AccountId, kind: str) -> list[PositionView]:
    """Return what a change of settings is best tried on."""
    views = [view for view in play.venue.positions(account) if view.quantity]
    return [view for view in views if view.margin_mode is MarginMode.ISOLATED or kind in ("mode", "leverage", "friend")]


def _amount(bound: Cash, everything: Cash, draw: Draw) -> Cash:
    """At the bound, one unit beyond it, all that is there, or a part of it."""
    return max(1, (bound, bound + 1, everything, everything // 2, bound // 3)[draw.size % 5])


def _moved(play: Play, symbol: Symbol, move: int) -> Ticks:
    mark = play.venue.mark_price(symbol) or FIRST_MARKS[SYMBOLS.index(symbol)]
    step_ticks = mark * abs(move) // PPM
    return max(500, min(20_000, mark + step_ticks if move > 0 else mark - step_ticks))


def _run(play: Play, symbol: Symbol, way: Side, steps: int, *, alone: bool) -> None:
    """Move the mark of one symbol, or of both, several steps up or down."""
    for _ in range(steps):
        moves = [way.sign * STEP_MAX * (not alone or each == symbol) for each in SYMBOLS]
        play.set_marks([_moved(play, each, move) for each, move in zip(SYMBOLS, moves, strict=True)])


def _sell_to_a_friend(play: Play, draw: Draw, held: PositionView) -> None:
    """Have another account ask for a whole position at a price near or beyond its bankruptcy, and nobody else.

    Then the owner sells it there, or the mark goes against it until it is liquidated.
    """
    if not held.quantity or held.mark_price is None:
        return
    friend = PERSON[(PERSON.index(held.account) + 1 + draw.side) % len(PERSON)]
    way = Side.SELL if held.quantity > 0 else Side.BUY
    limit = held.bankruptcy_price or held.mark_price
    limit += way.sign * held.mark_price * _BEYOND_PPM[draw.size % len(_BEYOND_PPM)] // PPM
    for name in PERSON:
        play.apply(CancelAllOrders(account=name, symbol=held.symbol))
    bid = PlaceOrder(
        account=friend, symbol=held.symbol, side=way.opposite, quantity=abs(held.quantity), limit_price=max(1, limit)
    )
    play.apply(replace(bid, position_side=_side_to_open(play, friend, way.opposite)))
    if draw.price % 2:
        play.apply(replace(bid, account=held.account, side=way, position_side=held.position_side))
    else:
        _run(play, held.symbol, way, 2 + draw.price // 3, alone=True)


def _side_to_open(play: Play, account: AccountId, side: Side) -> PositionSide:
    if play.venue.account(account).position_mode is PositionMode.ONE_WAY:
        return PositionSide.NET
    return PositionSide.LONG if side is Side.BUY else PositionSide.SHORT


def _place(play: Play, draw: Draw, held: PositionView) -> None:
    account, symbol = held.account, held.symbol
    order_type, time_in_force, reduce_only = _VARIANTS[draw.variant]
    side = Side.BUY if draw.side else Side.SELL
    if held.quantity and (reduce_only or draw.size % 3 == 0):
        side = Side.SELL if held.quantity > 0 else Side.BUY
    play.apply(
        PlaceOrder(
            account=account,
            symbol=symbol,
            side=side,
            quantity=_quantity(play, draw, held),
            order_type=order_type,
            limit_price=None if order_type is OrderType.MARKET else _price(play, draw, held, side),
            time_in_force=time_in_force,
            reduce_only=reduce_only,
            self_trade_prevention=SelfTradePrevention.CANCEL_MAKER if draw.price % 2 else SelfTradePrevention.CANCEL_TAKER,
            position_side=held.position_side,
        )
    )


def _quantity(play: Play, draw: Draw, held: PositionView) -> int:
    """All that the account can afford, a part of it, or measured by the position."""
    if held.quantity and draw.size < 8:
        return (abs(held.quantity), abs(held.quantity), abs(held.quantity) // 2 + 1, abs(held.quantity) * 2)[draw.size % 4]
    one_lot = (held.mark_price or 1) * play.venue.instruments[held.symbol].cash_per_tick_lot
    affordable = max(0, play.venue.account(held.account).available_balance) * held.leverage // one_lot
    return max(1, min(400, affordable * (draw.size % 10 + 1) // 11))


def _price(play: Play, draw: Draw, held: PositionView, side: Side) -> Ticks:
    """Near the mark, at the edge of the band, what is best in the book, or where another of the three would be bankrupt."""
    mark = held.mark_price or 1
    if draw.price < len(_OFFSETS_PPM):
        return mark + mark * _OFFSETS_PPM[draw.price] // PPM
    if draw.price < 17:
        bids, asks = play.venue.depth(held.symbol, 1)
        levels = asks if side is Side.BUY else bids
        return levels[0].price if levels else mark
    others = [view for name in PERSON if name != held.account for view in play.venue.positions(name)]
    prices = [view.bankruptcy_price for view in others if view.symbol == held.symbol and view.bankruptcy_price]
    return max(1, prices[draw.price % len(prices)] if prices else mark)


# -- properties --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("LIQ-006", "LIQ-007", "LIQ-008", "MARG-013", "MARG-017", "MARG-021", "MARG-022", "MARG-027", "FUND-002")
@profile(120)
@given(DRAWS, POLICIES, st.sampled_from((0, 10_000, 10**9)))
def test_one_person_with_three_accounts_and_nobody_else_never_gains_by_a_command_and_the_fund_never_pays(
    draws: list[Draw], policy: RiskPolicy, fund: Cash
) -> None:
    """Whether the fund has money to take positions over or deleveraging must do it, and whatever follows the liquidation."""
    play = Play(policy, fund=fund, has_maker=False)
    unearned, fund_left, fees = play.unearned, play.fund_left, play.venue.funds().fees
    for draw in draws:
        step(play, draw)
        assert play.unearned <= unearned, "somebody gained"
        assert play.fund_left >= fund_left, "the fund paid"
        assert play.venue.funds().fees >= fees, "fees were paid out"
        unearned, fund_left, fees = play.unearned, play.fund_left, play.venue.funds().fees
    assert play.venue.imbalance() == 0


@pytest.mark.rule("LIQ-005", "LIQ-006", "MARG-012", "MARG-013")
@profile(40)
@given(DRAWS, POLICIES)
def test_where_an_honest_maker_quotes_nothing_is_left_for_the_fund_or_for_deleveraging(
    draws: list[Draw], policy: RiskPolicy
) -> None:
    """The three get what the honest maker's own quotes gave them, and nothing from anybody else."""
    play = Play(policy, fund=10**9, has_maker=True)
    fund_left, fees = play.fund_left, play.venue.funds().fees
    for draw in draws:
        step(play, draw)
        assert play.transfers == 0
        assert play.fund_left >= fund_left
        assert play.venue.funds().fees >= fees
        fund_left, fees = play.fund_left, play.venue.funds().fees


@pytest.mark.rule("MARG-008", "MARG-009", "MARG-010", "MARG-012")
@profile(80)
@given(DRAWS)
def test_no_order_on_any_symbol_holds_more_than_is_available_and_no_fill_grows_a_position_beyond_its_margin(
    draws: list[Draw],
) -> None:
    play = Play(RiskPolicy(), fund=0, has_maker=False)
    for draw in draws:
        before = {(view.account, view.symbol, view.position_side): view.quantity for view in play.positions()}
        play.events.clear()
        step(play, draw)
        if _KIND_OF[draw.kind] != "place":
            continue
        decisions = [event.decision for event in play.events if isinstance(event, OrderAccepted)]
        if not any(isinstance(event, TradeExecuted | OrderCanceled) for event in play.events) and decisions:
            assert decisions[0] is None or decisions[0].required <= 0 or play.available(PERSON[draw.account]) >= 0
        for view in play.positions():
            held = before.get((view.account, view.symbol, view.position_side), 0)
            if abs(view.quantity) > abs(held) or view.quantity * held < 0:
                scope = play.venue.account(view.account)
                needed = view.initial_margin if view.margin_mode is MarginMode.ISOLATED else scope.initial_margin
                assert view.scope_equity >= needed
