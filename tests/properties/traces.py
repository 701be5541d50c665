"""Random traces of a whole venue: every kind of command, every policy, small wallets and large moves.

A seed gives a market (policy, bounds, collateral, instruments with funding and marks made of an index) and a row of
commands that are chosen by what the venue shows, some of them exactly at a bound and one unit beyond it.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from msgspec.structs import replace

from exchange.domain.commands import (
    AddMargin,
    AdvanceTime,
    AnyCommand,
    CancelAllOrders,
    CancelOrder,
    CollateralPrice,
    ContinueLiquidations,
    CreateAccount,
    Credit,
    IndexPrice,
    MarkPrice,
    PlaceOrder,
    RemoveMargin,
    SetAutoReplenish,
    SetCollateralPrices,
    SetIndexPrices,
    SetLeverage,
    SetMarginMode,
    SetMarkPrices,
    SetPositionMode,
    SetTradingState,
    Withdraw,
)
from exchange.domain.enums import (
    MarginMode,
    MarkSource,
    OrderType,
    PositionMode,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradingState,
)
from exchange.domain.events import AnyEvent
from exchange.domain.ids import INSURANCE_FUND, SETTLEMENT_ASSET, AccountId, Symbol
from exchange.domain.instrument import CollateralAsset, FundingTerms, IndexMarkTerms, Instrument, TierRow, build_tiers
from exchange.domain.policy import AdlRanking, BadDebtPolicy, LiquidationSizing, RiskPolicy, UnfilledPolicy
from exchange.domain.units import Grid, TimeNs
from exchange.domain.views import PositionView
from exchange.venue.state import VenueLimits
from exchange.venue.venue import Venue
from tests.cast import T0
from tests.properties.pictures import Picture, addable, asset_withdrawable, removable, switch_range

ACCOUNTS: tuple[AccountId, ...] = ("alice", "bob", "carol", "dave", "erin", "frank")
WALLETS = (9_000, 2_500, 6_000, 3_500, 25_000, 1_500)
HEDGERS = ("erin", "dave")
CROWD: tuple[AccountId, ...] = ("bob", "carol", "dave", "frank")
"""Those who trade in a crowded trace: none of them is rich enough to take what the others lose."""
HOUR: TimeNs = 3_600 * 10**9
PAUSES: tuple[TimeNs, ...] = (10**6, 10**6, 10**6, 10**9, 60 * 10**9, 1_200 * 10**9)
FIRST_PRICES = {"ANT-PERP": 100, "BEE-PERP": 41, "CAT-PERP": 1_000}
FUNDING = FundingTerms(interval=HOUR, interest=3_000_000, clamp=3_000_000, cap=5_000_000, impact_notional=3_000)
ANT = Instrument(
    "ANT-PERP", Grid(1, 2), Grid(1, 3), 7,
    build_tiers([TierRow(0, 10_000, 50), TierRow(2_100, 20_000, 40), TierRow(6_300, 40_000, 20), TierRow(15_400, 100_000, 8)]),
    default_leverage=10, maker_fee=200, taker_fee=500, liquidation_fee=5_000, price_band=300_000,
    market_protection=50_000, notional_min=1_000, quantity_max=30, funding=FUNDING,
)  # fmt: skip
BEE = Instrument(
    "BEE-PERP", Grid(1, 2), Grid(1, 3), 30,
    build_tiers([TierRow(0, 25_000, 39), TierRow(4_920, 50_000, 19), TierRow(19_680, 100_000, 8)]),
    default_leverage=10, maker_fee=-3_000, taker_fee=3_000, liquidation_fee=10_000, price_band=300_000,
    market_protection=300_000, notional_min=0, quantity_max=12,
)  # fmt: skip
CAT = Instrument(
    "CAT-PERP", Grid(1, 2), Grid(1, 3), 1,
    build_tiers([TierRow(0, 5_000, 50), TierRow(4_000, 10_000, 40), TierRow(12_000, 30_000, 30), TierRow(30_000, 80_000, 10)]),
    default_leverage=20, maker_fee=0, taker_fee=1_000, liquidation_fee=15_000, price_band=200_000,
    market_protection=20_000, notional_min=900, quantity_max=20, funding=FUNDING,
    index_mark=IndexMarkTerms(band=50_000, basis_window=60 * 10**9),
)  # fmt: skip
CONTINUES_MAX = 500
"""Steps of liquidations after one command, far more than the lots that six accounts can hold."""
COLLATERAL = (
    CollateralAsset(asset="COIN", decimals=3, haircut=200_000, initial_price=100),
    CollateralAsset(asset="GOLD", decimals=0, haircut=500_000, initial_price=11),
)


class Market(NamedTuple):
    """What a venue is opened with."""

    instruments: tuple[Instrument, ...]
    limits: VenueLimits
    policy: RiskPolicy

    def open(self, *, backward: bool = False) -> Venue:
        """Return a new venue; ``backward`` names the instruments in the opposite order."""
        instruments = tuple(reversed(self.instruments)) if backward else self.instruments
        return Venue(instruments, self.limits, self.policy, COLLATERAL)


class Step(NamedTuple):
    """One command, what came of it, and the venue before and after it as seen from outside.

    ``must_pass`` is what the bounds say of a command at or beyond one; None of any other.
    """

    title: str
    market: Market
    command: AnyCommand
    must_pass: bool | None
    events: tuple[AnyEvent, ...]
    before: Picture
    after: Picture


class Probe(NamedTuple):
    """A command, and whether it has to go through."""

    command: AnyCommand
    must_pass: bool | None = None


def draw_market(random: Random, *, crowded: bool) -> Market:
    """Return a market with a policy of its own, and bounds that are often tight; a crowded one takes any mark."""
    policy = RiskPolicy(
        liquidation_sizing=random.choice(tuple(LiquidationSizing)),
        liquidation_target=random.choice((1_000_000, 1_100_000, 1_500_000)),
        liquidation_slippage=random.choice((0, 5_000)),
        liquidation_fraction=random.choice((100_000, 500_000)),
        liquidation_remainder_min=random.choice((0, 2_000)),
        liquidation_rounds_max=random.choice((1, 3, 16)),
        liquidation_retries_max=random.choice((0, 2, 4)),
        unfilled=random.choice(tuple(UnfilledPolicy)),
        fund_covers=random.random() < 0.25,
        bad_debt=random.choice((BadDebtPolicy.SOCIALIZE, *BadDebtPolicy)),
        adl_ranking=random.choice(tuple(AdlRanking)),
        fund_unwind_fraction=random.choice((0, 200_000, 1_000_000)),
        fund_unwind_notional_min=random.choice((0, 1_500)),
        fund_unwind_book_share=random.choice((250_000, 1_000_000)),
        fund_unwind_interval=random.choice((0, 10**9)),
        mark_stale_after=0 if crowded else random.choice((0, HOUR)),
        mark_jump_max=0 if crowded else random.choice((0, 250_000)),
    )
    limits = VenueLimits(
        liquidation_steps_max=random.choice((64, 64, 1, 2)),
        adl_legs_max=random.choice((256, 1)),
        sweep_makers_max=random.choice((1_000, 2)),
    )
    return Market((ANT, BEE, CAT), limits, policy)


def opening(random: Random, *, crowded: bool) -> list[AnyCommand]:
    """Return what opens a trace: accounts with their settings one after another, then the first prices.

    In a crowded one nearly all is cross, so that what goes wrong in one symbol is felt in the others.
    """
    modes = [MarginMode.CROSS] * (6 if crowded else 1) + [MarginMode.ISOLATED]
    commands: list[AnyCommand] = []
    for account, amount in zip(ACCOUNTS, WALLETS, strict=True):
        commands += [CreateAccount(account=account), Credit(account=account, amount=amount)]
        if account in HEDGERS:
            commands.append(SetPositionMode(account=account, position_mode=PositionMode.HEDGE))
        if random.random() < 0.4:
            asset = random.choice(COLLATERAL)
            commands.append(Credit(account=account, amount=random.randint(1, 9) * 10**asset.decimals, asset=asset.asset))
        for symbol in FIRST_PRICES:
            for side in sides_of(account):
                mode = random.choice(modes)
                leverage = random.choice((8, 10, 20, 30))
                commands.append(SetMarginMode(account=account, symbol=symbol, margin_mode=mode, position_side=side))
                commands.append(SetLeverage(account=account, symbol=symbol, leverage=leverage, position_side=side))
    marks = tuple(MarkPrice(symbol, FIRST_PRICES[symbol]) for symbol in ("ANT-PERP", "BEE-PERP"))
    commands += [SetMarkPrices(marks=marks), SetIndexPrices(prices=(IndexPrice("CAT-PERP", FIRST_PRICES["CAT-PERP"]),))]
    if random.random() < (0.1 if crowded else 0.6):
        commands.append(Credit(account=INSURANCE_FUND, amount=random.choice((100, 500, 3_000))))
    return commands


def sides_of(account: AccountId) -> tuple[PositionSide, ...]:
    """Return the positions that an account has in each symbol."""
    return (PositionSide.LONG, PositionSide.SHORT) if account in HEDGERS else (PositionSide.NET,)


class Trace:
    """A venue and the random commands that it is given; ``log`` is all that a replay needs."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._random = Random(seed)
        self._crowded = self._random.random() < 0.5
        self.market = draw_market(self._random, crowded=self._crowded)
        self._traders = CROWD if self._crowded else ACCOUNTS
        self.venue = self.market.open()
        self._now_ns = T0
        self.log: list[tuple[AnyCommand, TimeNs]] = []
        self.opening_length = 0
        self.picture = Picture.of(self.venue)

    def play(self, commands: int) -> Iterator[Step]:
        """Open the venue and give it so many choices of commands, and those that must come between them."""
        self._open()
        for _ in range(commands):
            self._now_ns += self._random.choice(PAUSES)
            yield from self._due()
            for probe in self._choose(self.picture):
                yield self._apply(probe)
                yield from self._continue()

    def settle(self, rounds: int) -> Iterator[Step]:
        """Empty the books and let prices fall a little, then do all that waiting liquidations may wait for, so many times."""
        for command in (*(CancelAllOrders(account=name) for name in ACCOUNTS), *self._marks_at(95)):
            yield self._apply(Probe(command))
            yield from self._continue()
        for _ in range(rounds):
            if not any(scope.liquidating for scope in self.picture.scopes):
                return
            for command in (*self._reopen(), Credit(account=INSURANCE_FUND, amount=100_000), *self._marks_at(100)):
                yield self._apply(Probe(command))
                yield from self._continue()

    def _open(self) -> None:
        events: list[AnyEvent] = []
        for command in opening(self._random, crowded=self._crowded):
            self.log.append((command, self._now_ns))
            events += self.venue.apply(command, now_ns=self._now_ns)
        self.opening_length = len(self.log)
        self.picture = Picture.of(self.venue, None, tuple(events))

    def _reopen(self) -> list[AnyCommand]:
        symbols = [symbol for symbol in FIRST_PRICES if self.venue.trading_state(symbol) is TradingState.HALTED]
        return [SetTradingState(symbol=symbol, trading_state=TradingState.OPEN) for symbol in symbols]

    def _marks_at(self, percent: int) -> list[AnyCommand]:
        """Return commands that tell all prices at so much of what they are."""
        prices = {symbol: max(1, self._price(symbol) * percent // 100) for symbol in FIRST_PRICES}
        marks = tuple(MarkPrice(symbol, prices[symbol]) for symbol in ("ANT-PERP", "BEE-PERP"))
        return [SetMarkPrices(marks=marks), SetIndexPrices(prices=(IndexPrice("CAT-PERP", prices["CAT-PERP"]),))]

    def _price(self, symbol: Symbol) -> int:
        found = self.venue.mark_price(symbol)
        if self.venue.instruments[symbol].mark_source is MarkSource.INDEX:
            found = self.venue.index_price(symbol)
        assert found is not None, "every symbol has its first price"
        return found

    def _apply(self, probe: Probe) -> Step:
        title = f"seed {self.seed}, command {len(self.log)}: {probe.command}"
        self.log.append((probe.command, self._now_ns))
        events, before = self.venue.apply(probe.command, now_ns=self._now_ns), self.picture
        self.picture = Picture.of(self.venue, before, events)
        return Step(title, self.market, probe.command, probe.must_pass, events, before, self.picture)

    def _continue(self) -> Iterator[Step]:
        for _ in range(CONTINUES_MAX):
            if not self.venue.has_unfinished_liquidations:
                return
            yield self._apply(Probe(ContinueLiquidations()))
        raise AssertionError(f"liquidations go on and on: seed {self.seed}, command {len(self.log)}")

    def _due(self) -> Iterator[Step]:
        """Let what is due happen at its time, as a sequencer does (FUND-004)."""
        while (due := self.venue.next_due_ns) is not None and due <= self._now_ns:
            later, self._now_ns = self._now_ns, due
            yield self._apply(Probe(AdvanceTime()))
            yield from self._continue()
            self._now_ns = later

    # -- what comes next ---------------------------------------------------------------------------------------------

    def _choose(self, picture: Picture) -> list[Probe]:
        random = self._random
        halted = [symbol for symbol in FIRST_PRICES if self.venue.trading_state(symbol) is TradingState.HALTED]
        if halted and random.random() < 0.2:
            return [Probe(SetTradingState(symbol=halted[0], trading_state=TradingState.OPEN))]
        kinds = (
            ("trade", 70 if self._crowded else 35), ("order", 34), ("marks", 8), ("gap", 10), ("cancel", 4), ("bound", 10),
            ("mode", 4), ("leverage", 3), ("credit", 12 if self._crowded else 4), ("asset", 2), ("halt", 1), ("time", 2),
            ("replenish", 4), ("squeeze", 4 if self._crowded else 0),
        )  # fmt: skip
        kind = random.choices([name for name, _ in kinds], [weight for _, weight in kinds])[0]
        match kind:
            case "trade":
                return self._trade()
            case "squeeze":
                return self._squeeze()
            case "order":
                return [Probe(self._order(picture))]
            case "marks":
                return self._move(random.choice(((-30, 30), (-60, 60))))
            case "gap":
                return self._move((-600, 900) if self._crowded else random.choice(((-400, -80), (80, 400))))
            case "bound":
                return self._bound(picture)
            case "credit":
                poorest = min(self._traders, key=lambda name: picture.accounts[name].available_balance)
                account = random.choice((poorest, poorest, poorest if self._crowded else INSURANCE_FUND))
                return [Probe(Credit(account=account, amount=random.randint(1, 4_000)))]
            case "asset":
                return self._asset()
            case "time":
                return [Probe(AdvanceTime())]
            case _:
                return [Probe(self._setting(kind, picture))]

    def _setting(self, kind: str, picture: Picture) -> AnyCommand:
        random = self._random
        account, symbol = random.choice(ACCOUNTS), random.choice(tuple(FIRST_PRICES))
        side = random.choice(sides_of(account))
        match kind:
            case "cancel":
                orders = picture.orders[account]
                if orders and random.random() < 0.8:
                    return CancelOrder(account=account, order_id=random.choice(orders).order_id)
                return CancelAllOrders(account=account, symbol=random.choice((None, symbol)))
            case "mode":
                mode = random.choice(tuple(MarginMode))
                return SetMarginMode(account=account, symbol=symbol, margin_mode=mode, position_side=side)
            case "leverage":
                leverage = random.choice((1, 3, 5, 8, 10, 20, 40, 51))
                return SetLeverage(account=account, symbol=symbol, leverage=leverage, position_side=side)
            case "halt":
                return SetTradingState(symbol=symbol, trading_state=TradingState.HALTED)
            case _:
                enabled = random.random() < 0.8
                return SetAutoReplenish(account=account, symbol=symbol, enabled=enabled, position_side=side)

    def _asset(self) -> list[Probe]:
        asset = self._random.choice(COLLATERAL)
        if self._random.random() < 0.5:
            amount = self._random.randint(1, 8 * 10**asset.decimals)
            return [Probe(Credit(account=self._random.choice(ACCOUNTS), amount=amount, asset=asset.asset))]
        price = CollateralPrice(asset.asset, self._random.randint(4, 150))
        return [Probe(SetCollateralPrices(prices=(price,)))]

    def _move(self, thousandths: tuple[int, int]) -> list[Probe]:
        """Move some prices, each by so many thousandths, none further than a factor of five from the first."""
        moved = {}
        for symbol in self._random.sample(tuple(FIRST_PRICES), 3 if self._crowded else self._random.choice((1, 2))):
            price, first = self._price(symbol), FIRST_PRICES[symbol]
            price += price * self._random.randint(*thousandths) // 1_000
            moved[symbol] = max(first // 5, min(first * 5, price))
        marks = tuple(MarkPrice(symbol, price) for symbol, price in moved.items() if symbol != "CAT-PERP")
        probes = [Probe(SetMarkPrices(marks=marks))] if marks else []
        if "CAT-PERP" in moved:
            probes.append(Probe(SetIndexPrices(prices=(IndexPrice("CAT-PERP", moved["CAT-PERP"]),))))
        return probes

    def _trade(self) -> list[Probe]:
        """Have two accounts trade near the mark, the one as maker and the other as taker."""
        symbol = self._random.choice(tuple(FIRST_PRICES))
        maker, taker = self._random.sample(self._traders, 2)
        return self._pair(symbol, maker, taker, self._random.choice(tuple(Side)))

    def _squeeze(self) -> list[Probe]:
        """Have one sell what another buys and buy what a third sells, as much as can be, and let both symbols fall far."""
        names, symbols = self._random.sample(self._traders, 3), ("ANT-PERP", "BEE-PERP")
        loser, between, other = names
        commands: list[AnyCommand] = [SetMarkPrices(marks=tuple(MarkPrice(each, FIRST_PRICES[each]) for each in symbols))]
        for name in names:
            commands += [CancelAllOrders(account=name), Credit(account=name, amount=self._random.randint(1_500, 4_000))]
            places = [(symbol, side) for symbol in symbols for side in sides_of(name)]
            commands += [SetLeverage(account=name, symbol=place[0], leverage=8, position_side=place[1]) for place in places]
        fallen = SetMarkPrices(marks=tuple(MarkPrice(each, FIRST_PRICES[each] * 4 // 10) for each in symbols))
        trades = [
            *self._pair("ANT-PERP", between, loser, Side.BUY, mark=FIRST_PRICES["ANT-PERP"]),
            *self._pair("BEE-PERP", other, between, Side.BUY, mark=FIRST_PRICES["BEE-PERP"]),
        ]
        return [*(Probe(command) for command in commands), *trades, Probe(fallen)]

    def _pair(self, symbol: Symbol, maker: AccountId, taker: AccountId, side: Side, mark: int | None = None) -> list[Probe]:
        """Return an order and one that meets it: about what both can afford near the mark, or the most at a given one."""
        random, now = self._random, self._price(symbol)
        price = mark or max(1, now + now * random.choice((0, 0, 0, -10, 10, -25, 25)) // 1_000)
        most = self.venue.instruments[symbol].quantity_max
        for name in (maker, taker):
            most = most if mark else min(most, self._affordable(name, symbol, self._position_side(name, side), now))
        made = PlaceOrder(
            account=maker, symbol=symbol, side=side.opposite, quantity=most, limit_price=price,
            position_side=self._position_side(maker, side.opposite),
        )  # fmt: skip
        return [
            Probe(made),
            Probe(replace(made, account=taker, side=side, position_side=self._position_side(taker, side),
                          time_in_force=random.choice((TimeInForce.IOC, TimeInForce.GTC, TimeInForce.FOK)))),
        ]  # fmt: skip

    def _affordable(self, account: AccountId, symbol: Symbol, side: PositionSide, mark: int) -> int:
        """Return a number of lots about as large as the account's money can open, at least one."""
        instrument, held = self.venue.instruments[symbol], self.venue.position(account, symbol, side)
        most = self.venue.account(account).available_balance * held.leverage // (mark * instrument.cash_per_tick_lot)
        return max(1, min(instrument.quantity_max, most * self._random.randint(1, 11) // 10))

    def _position_side(self, account: AccountId, side: Side) -> PositionSide:
        """Return the net position, or for a hedger mostly the one that such an order opens."""
        if account not in HEDGERS:
            return PositionSide.NET
        opens = PositionSide.LONG if side is Side.BUY else PositionSide.SHORT
        return opens if self._random.random() < 0.7 else self._random.choice(sides_of(account))

    def _order(self, picture: Picture) -> PlaceOrder:
        random = self._random
        account, symbol, side = random.choice(self._traders), random.choice(tuple(FIRST_PRICES)), random.choice(tuple(Side))
        position_side = self._position_side(account, side)
        held = picture.position(account, symbol, position_side)
        mark = self.venue.mark_price(symbol)
        assert mark is not None, "every symbol has its first price"
        quantity = self._affordable(account, symbol, position_side, mark)
        if held is not None and held.quantity and random.random() < 0.5:
            side = Side.SELL if held.quantity > 0 else Side.BUY
            quantity = max(1, abs(held.quantity) * random.choice((1, 1, 2, 3)) // random.choice((1, 1, 2, 3)))
        order_type = OrderType.MARKET if random.random() < 0.1 else OrderType.LIMIT
        away = random.choice((0, 5, -5, 20, -20, 60, -60, 150, -150, 199, -199))
        price = None if order_type is OrderType.MARKET else max(1, mark + mark * away // 1_000)
        return PlaceOrder(
            account=account,
            symbol=symbol,
            side=side,
            quantity=quantity,
            order_type=order_type,
            limit_price=price,
            time_in_force=random.choice((*[TimeInForce.GTC] * 6, TimeInForce.IOC, TimeInForce.FOK)),
            reduce_only=random.random() < (0.3 if held is not None and held.quantity else 0.02),
            self_trade_prevention=random.choice(tuple(SelfTradePrevention)),
            position_side=position_side,
        )

    # -- exactly at the bound and a unit beyond it -------------------------------------------------------------------

    def _bound(self, picture: Picture) -> list[Probe]:
        random = self._random
        open_positions = [view for view in picture.positions.values() if view.quantity]
        kind = random.choice(("remove", "remove", "add", "switch", "withdraw", "asset"))
        if kind in ("withdraw", "asset") or not open_positions:
            return self._withdrawals(kind, random.choice(ACCOUNTS), picture)
        chosen = [view for view in open_positions if (view.margin_mode is MarginMode.CROSS) == (kind == "switch")]
        if not chosen:
            return []
        view = random.choice(chosen)
        if kind == "switch":
            return self._switches(view, picture)
        return self._margin_moves(kind, view, picture)

    def _withdrawals(self, kind: str, account: AccountId, picture: Picture) -> list[Probe]:
        if picture.is_stale_pool(self.market.policy, account, self._now_ns) or picture.accounts[account].liquidating:
            return [Probe(Withdraw(account=account, amount=1), must_pass=False)]
        asset, most = SETTLEMENT_ASSET, addable(picture, account)
        if kind == "asset":
            held = [each for each in picture.accounts[account].collateral if each.balance]
            if not held:
                return []
            asset = self._random.choice(held).asset
            terms = next(each for each in COLLATERAL if each.asset == asset)
            most = asset_withdrawable(picture, account, terms, self.prices(picture, asset))
        probes = [Probe(Withdraw(account=account, amount=most + 1, asset=asset), must_pass=False)]
        if most and self._random.random() < 0.3:
            probes.append(Probe(Withdraw(account=account, amount=most, asset=asset), must_pass=True))
        return probes

    def prices(self, picture: Picture, asset: str) -> int:
        """Return the price that a collateral asset is counted at."""
        return picture.collateral_prices.get(asset) or next(e.initial_price or 0 for e in COLLATERAL if e.asset == asset)

    def _margin_moves(self, kind: str, view: PositionView, picture: Picture) -> list[Probe]:
        make = AddMargin if kind == "add" else RemoveMargin

        def move(amount: int, must_pass: bool) -> Probe:
            command = make(account=view.account, symbol=view.symbol, amount=amount, position_side=view.position_side)
            return Probe(command, must_pass)

        most = addable(picture, view.account) if kind == "add" else removable(view)
        is_stale = picture.is_stale(self.market.policy, view.symbol, self._now_ns)
        if kind == "remove" and (view.liquidating or is_stale):
            return [move(1, False)]
        return [move(most + 1, False), *([move(most, True)] if most else [])]

    def _switches(self, view: PositionView, picture: Picture) -> list[Probe]:
        """Switch to isolated with a unit less than is needed, a unit more than there is, and then with one of the ends."""
        least, most = switch_range(picture, view)
        is_stale = picture.is_stale_pool(self.market.policy, view.account, self._now_ns)

        def switch(margin: int, must_pass: bool) -> Probe:
            command = SetMarginMode(
                account=view.account, symbol=view.symbol, margin_mode=MarginMode.ISOLATED, margin=margin,
                position_side=view.position_side,
            )  # fmt: skip
            return Probe(command, must_pass)

        beyond = [switch(least - 1, False), switch(max(least, most + 1), False)]
        if view.liquidating or is_stale or most < least:
            return beyond
        return [*beyond, switch(self._random.choice((least, most)), True)]
