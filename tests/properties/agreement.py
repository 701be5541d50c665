"""The real venue beside the naive one: both take each command, then everything that can be seen is compared."""

from __future__ import annotations

from collections import Counter

from exchange.domain.commands import AdvanceTime, AmendOrder, AnyCommand, ContinueLiquidations, Credit, Withdraw
from exchange.domain.enums import ORDER_LIFECYCLE, MarginMode, OrderStatus, PositionMode, PositionSide, Side, TradingState
from exchange.domain.events import (
    AmendRejected,
    BookChanged,
    CollateralSold,
    CommandRejected,
    LedgerPosted,
    LeverageSet,
    LiquidationStarted,
    LiquidationWaiting,
    MarginModeSet,
    MarginMoved,
    OrderRejected,
    PositionTransferred,
)
from exchange.domain.ids import FEES, INSURANCE_FUND, SETTLEMENT_ASSET, position_id
from exchange.domain.units import PPM, ceil_div
from exchange.domain.views import AccountView, OrderView, PositionView
from exchange.venue.state import VenueLimits
from exchange.venue.venue import Venue
from tests.properties import naive_formulas as formulas
from tests.properties import naive_market_formulas as market_formulas
from tests.properties.comparisons import Events, compare_outcomes, legs_of, order_views
from tests.properties.market import LIMITS, SYMBOLS, Setting
from tests.properties.naive_accounts import CROSS, Account, Position
from tests.properties.naive_model import NaiveVenue
from tests.properties.naive_outcome import Outcome

START_NS = 1_700_000_000_000_000_001
CONTINUATIONS_MAX = 200


def venue_limits(number: int) -> VenueLimits:
    sweep, steps, legs, orders, account_orders = LIMITS[number]
    return VenueLimits(
        sweep_makers_max=sweep,
        liquidation_steps_max=steps,
        adl_legs_max=legs,
        open_orders_max=orders,
        account_orders_max=account_orders,
    )


def ratio_shown(needed: int, equity: int) -> int | None:
    """MARG-005, MARG-020: in ppm, rounded up."""
    return ceil_div(needed * PPM, equity) if equity > 0 else None


class Pair:
    """A venue and its model, held to the same commands; `apply` raises AssertionError at the first difference."""

    def __init__(self, setting: Setting | None = None) -> None:
        self.setting = setting or Setting()
        self.venue = self.another_venue()
        limits = venue_limits(self.setting.limits)
        self.model = NaiveVenue(self.setting.instruments, limits, self.setting.policy, self.setting.collateral)
        self.now = START_NS
        self.history: list[tuple[AnyCommand, int, Events]] = []
        self.counts: Counter[str] = Counter()
        self.statuses: dict[int, OrderStatus] = {}
        self.levels: dict[tuple[str, Side], dict[int, int]] = {}
        self.posted: dict[tuple[str, str, str | None], int] = {}
        """The balance of each wallet after its last ledger entry."""
        self.views: dict[str, tuple[AccountView, tuple[PositionView, ...]]] = {}
        """What the venue shows of every account after the last command."""
        self.open_orders: dict[str, tuple[OrderView, ...]] = {}
        self.compared: dict[str, object] = {}
        """All that the last comparison of an account was made of."""

    def another_venue(self) -> Venue:
        """A venue of the same setting to which nothing has happened yet."""
        setting = self.setting
        return Venue(setting.instruments, venue_limits(setting.limits), setting.policy, setting.collateral)

    def apply(self, command: AnyCommand, *, wait: int = 1) -> None:
        """Apply the command after `wait` ns, what falls due before it, and the continuations, to both, and check after each."""
        until = self.now + wait
        while True:
            due = self.venue.next_due_ns
            assert due == self.model.next_due()
            if due is None or due > until:
                break
            self.now = due
            self.apply_whole(AdvanceTime())
        self.now = until
        self.apply_whole(command)

    def apply_whole(self, command: AnyCommand) -> None:
        self.apply_one(command)
        for _ in range(CONTINUATIONS_MAX):
            if not self.venue.has_unfinished_liquidations:
                return
            self.apply_one(ContinueLiquidations())
        raise AssertionError("the liquidations did not end")

    def apply_one(self, command: AnyCommand) -> None:
        before = {name: self.cross_money(name) for name in self.views}
        events = self.venue.apply(command, now_ns=self.now)
        self.history.append((command, self.now, events))
        outcome = self.model.apply(command, now_ns=self.now)
        self.views = {name: (self.venue.account(name), self.venue.positions(name)) for name in self.model.accounts}
        self.open_orders = {name: self.venue.open_orders(name) for name in self.model.accounts}
        self.count(command, events, outcome)
        compare_outcomes(command, events, outcome)
        self.compare_states()
        self.check_ledger(events)
        self.check_conservation()
        self.check_lifecycle(events)
        self.check_book_changes(events)
        for name, (wallet, had_cross) in before.items():
            self.check_isolation(name, wallet, had_cross, command, events)

    def count(self, command: AnyCommand, events: Events, outcome: Outcome) -> None:
        """Keep count of what the run has met, so that a test can see that it met enough."""
        refusals = [e for e in events if isinstance(e, OrderRejected | AmendRejected | CommandRejected)]
        counts, refused = self.counts, bool(refusals)
        counts["commands"] += 1
        counts["trades"] += len(outcome.trades)
        counts["orders accepted"] += len(outcome.accepted)
        counts["orders repeated"] += outcome.repeated is not None
        counts.update(f"canceled {reason.value}" for _, reason in outcome.canceled)
        counts.update(f"amended, place {'kept' if kept else 'lost'}" for _, kept in outcome.amended)
        counts["amended and traded"] += bool(outcome.amended and outcome.trades)
        counts.update(f"refused {e.reason.value}" for e in refusals)
        counts.update(f"amend refused {e.reason.value}" for e in refusals if isinstance(command, AmendOrder))
        counts.update(f"transferred {e.venue.value}" for e in events if isinstance(e, PositionTransferred))
        counts.update(f"liquidated {e.path.value}" for e in events if isinstance(e, LiquidationStarted))
        counts.update("waits" for e in events if isinstance(e, LiquidationWaiting))
        counts.update("mode switched" for e in events if isinstance(e, MarginModeSet) and e.margin_moved)
        counts.update("leverage moved margin" for e in events if isinstance(e, LeverageSet) and e.margin_moved)
        counts.update("replenished" for e in events if isinstance(e, MarginMoved) and e.is_automatic)
        counts.update("collateral sold" for e in events if isinstance(e, CollateralSold))
        counts["fund slices"] += len([account for _, account, *_ in outcome.sent if account == INSURANCE_FUND])
        counts["margin calls"] += len(outcome.calls)
        counts["fundings"] += len(outcome.fundings)
        counts["fundings paid"] += len([row for row in outcome.fundings if row[1] and row[4]])
        counts["halts"] += len(outcome.halts)
        counts["withdrawals"] += isinstance(command, Withdraw) and not refused
        counts["continuations"] += isinstance(command, ContinueLiquidations)
        for ended in outcome.ended:
            notes = ended.notes
            flat = ended.after.notional == 0
            counts["liquidations ended flat" if flat else "liquidations ended cured"] += 1
            counts["partial closes that cured"] += bool(notes.book and not flat)
            counts["bad debt"] += notes.bad_debt > 0
            counts["socialized"] += notes.socialized > 0
            counts["fund covered"] += notes.fund_paid > 0

    # --- the model agrees -------------------------------------------------------------------------------------------

    def compare_states(self) -> None:
        venue, model = self.venue, self.model
        for symbol in SYMBOLS:
            assert venue.mark_price(symbol) == model.marks[symbol], symbol
            bids, asks = venue.depth(symbol, 1000)
            for levels, side in ((bids, Side.BUY), (asks, Side.SELL)):
                assert all(level.side is side for level in levels)
                assert [(level.price, level.quantity) for level in levels] == model.depth(symbol, side.sign), symbol
            self.compare_market(symbol)
        funds = venue.funds()
        assert funds.net_deposits == model.net_deposits
        assert funds.fees == model.fees
        fund_positions = {p.symbol: (p.quantity, p.entry_cost) for p in funds.insurance_fund_positions if p.quantity}
        assert fund_positions == {s: (q, model.fund.c[s]) for s, q in model.fund.q.items() if q}
        assert funds.insurance_fund_wallet == model.fund.wallet
        assert funds.insurance_fund_equity == model.fund_equity()
        for asset in funds.assets:
            assert asset.net_deposits == model.asset_deposits[asset.asset]
            assert asset.insurance_fund_balance == model.fund.assets[asset.asset]
        assert venue.has_unfinished_liquidations == model.has_unfinished_liquidations, model.outcome
        prices = tuple(model.marks.values()), tuple(model.asset_prices.values())
        for name, account in model.accounts.items():
            orders = [(o.order_id, o.open) for o in model.orders if o.account == name]
            all_of_it = (prices, account.picture(), orders, self.views[name], self.open_orders[name])
            if self.compared.get(name) != all_of_it:
                self.compare_account(account)
                self.compared[name] = all_of_it

    def compare_market(self, symbol: str) -> None:
        model, market, view = self.model, self.model.markets[symbol], self.venue.funding(symbol)
        assert self.venue.index_price(symbol) == market.index, symbol
        halted = self.venue.trading_state(symbol) is TradingState.HALTED
        assert halted == (symbol in model.halted), symbol
        assert view.next_funding_time_ns == market.due, symbol
        assert view.last_funding_rate == market.rate, symbol
        terms = model.instruments[symbol].funding
        if terms is not None:
            average = model.average_premium(symbol)
            assert (view.premium, view.funding_rate) == (average, market_formulas.funding_rate(terms, average)), symbol

    def compare_account(self, account: Account) -> None:
        model, (view, held) = self.model, self.views[account.name]
        seen = (view.wallet_balance, view.equity, view.initial_margin, view.maintenance_margin, view.total_equity)
        equity, total = model.equity(account, CROSS), model.total_equity(account)
        expected = (account.wallet, equity, model.initial(account, CROSS), model.maintenance(account, CROSS), total)
        assert seen == expected, account.name
        assert view.order_margin == model.order_margins(account), account.name
        assert view.available_balance == model.available(account), account.name
        assert view.withdrawable == model.withdrawable(account), account.name
        assert view.position_mode is account.position_mode, account.name
        assets = {asset.asset: asset.balance for asset in view.collateral if asset.balance}
        assert assets == {asset: balance for asset, balance in account.assets.items() if balance}, account.name
        assert view.collateral_value == model.collateral_value(account), account.name
        notional = sum(model.notional(p) for p in account.positions.values())
        assert view.notional == notional, account.name
        assert view.liquidating == (CROSS in account.flagged), account.name
        assert view.effective_leverage == ratio_shown(notional, total), account.name
        assert view.margin_ratio == ratio_shown(expected[3], equity), account.name
        self.compare_scopes(account)
        orders = [
            (o.order_id, position_id(o.symbol, o.position_side), o.side.sign, o.limit_price, o.open_quantity)
            for o in self.open_orders[account.name]
        ]
        mine = [o for o in model.orders if o.account == account.name]
        assert orders == [(o.order_id, o.position, o.side, o.price, o.open) for o in mine], account.name
        shown = {position_id(p.symbol, p.position_side): p for p in held}
        assert set(shown) <= set(account.positions), account.name
        for p in account.positions.values():
            self.compare_position(account, p, shown.get(p.name))

    def compare_scopes(self, account: Account) -> None:
        """MARG-020."""
        model = self.model
        shown = {
            None if s.symbol is None else position_id(s.symbol, s.position_side): (
                *(s.equity, s.maintenance_margin, s.notional),
                *(s.margin_ratio, s.bankrupt, s.liquidating),
            )
            for s in self.venue.scopes(account.name)
        }
        expected = {}
        for scope in (CROSS, *account.positions):
            if model.held(account, scope):
                health = model.health(account, scope)
                ratio = ratio_shown(health.maintenance, health.equity)
                figures = (health.equity, health.maintenance, health.notional)
                expected[scope] = (*figures, ratio, health.equity <= 0, scope in account.flagged)
        assert shown == expected, account.name

    def compare_position(self, account: Account, p: Position, view: PositionView | None) -> None:
        model, place = self.model, f"{account.name} {p.name}"
        if view is None:
            default = self.model.instruments[p.symbol].default_leverage
            assert p == Position(p.symbol, p.side, default), place
            assert not model.orders_of(account.name, p.name), place
            return
        assert (view.quantity, view.entry_cost, view.isolated_wallet) == (p.q, p.c, p.wallet), place
        assert (view.margin_mode, view.leverage, view.auto_replenish) == (p.mode, p.leverage, p.replenish), place
        assert view.order_margin == model.order_margin(account, p), place
        if not p.q:
            return
        scope = model.scope_of(p)
        equity, needed = model.equity(account, scope), model.maintenance(account, scope)
        assert view.unrealized_pnl == model.profit(p), place
        assert view.initial_margin == model.position_initial(p), place
        assert view.maintenance_margin == model.position_maintenance(p), place
        assert (view.scope_equity, view.bankrupt) == (equity, equity <= 0), place
        assert view.margin_ratio == ratio_shown(needed, equity), place
        assert view.liquidating == (scope in account.flagged), place
        assert view.notional == model.notional(p), place
        assert view.effective_leverage == ratio_shown(model.notional(p), equity), place
        share, mark = model.equity_share(account, p), model.mark(p.symbol)
        bankrupt_at = formulas.bankruptcy_price(model.instruments[p.symbol], p.q, mark, share)
        assert view.bankruptcy_price == (bankrupt_at if bankrupt_at > 0 else None), place
        assert view.liquidation_price == model.liquidation_price(account, p), place

    # --- what always holds ------------------------------------------------------------------------------------------

    def check_ledger(self, events: Events) -> None:
        """MARG-028: every entry follows on the one before in its wallet, and the last is what the wallet holds."""
        entries = [entry for e in events if isinstance(e, LedgerPosted) for entry in e.entries]
        for entry in entries:
            wallet = (entry.account, entry.asset, entry.position_id)
            assert entry.amount, entry
            assert self.posted.get(wallet, 0) + entry.amount == entry.balance, entry
            self.posted[wallet] = entry.balance
        model = self.model
        held: dict[tuple[str, str, str | None], int] = {
            (INSURANCE_FUND, SETTLEMENT_ASSET, None): model.fund.wallet,
            (FEES, SETTLEMENT_ASSET, None): model.fees,
        }
        held.update({(INSURANCE_FUND, asset, None): balance for asset, balance in model.fund.assets.items()})
        for name, account in model.accounts.items():
            held[name, SETTLEMENT_ASSET, None] = account.wallet
            held.update({(name, asset, None): balance for asset, balance in account.assets.items()})
            held.update({(name, SETTLEMENT_ASSET, p.name): p.wallet for p in account.positions.values()})
        posted = {wallet: balance for wallet, balance in self.posted.items() if balance}
        assert posted == {wallet: balance for wallet, balance in held.items() if balance}, "MARG-028"

    def check_conservation(self) -> None:
        """CONS-001, CONS-002, CONS-003, CONS-005 and CONS-007, from what the venue shows alone."""
        venue, funds = self.venue, self.venue.funds()
        owned = sum(view.total_equity - view.collateral_value for view, _ in self.views.values())
        fund = funds.insurance_fund_wallet + sum(p.unrealized_pnl for p in funds.insurance_fund_positions)
        assert owned + funds.fees + fund == funds.net_deposits, "CONS-001"
        positions = [p for _, held in self.views.values() for p in held]
        for symbol in SYMBOLS:
            total = sum(p.quantity for p in (*positions, *funds.insurance_fund_positions) if p.symbol == symbol)
            assert total == 0, f"CONS-002 {symbol}"
            bids, asks = venue.depth(symbol, 1)
            assert not bids or not asks or bids[0].price < asks[0].price, f"CONS-003 {symbol}"
        for asset in funds.assets:
            held = [balance.balance for view, _ in self.views.values() for balance in view.collateral]
            named = [balance.asset for view, _ in self.views.values() for balance in view.collateral]
            total = sum(balance for balance, name in zip(held, named, strict=True) if name == asset.asset)
            assert total + asset.insurance_fund_balance == asset.net_deposits, f"CONS-007 {asset.asset}"
        for p in positions:
            assert p.quantity or (p.entry_cost == 0 and p.isolated_wallet == 0), f"CONS-002 {p.account} {p.symbol}"
            assert p.quantity * p.position_side.sign >= 0, f"MARG-025 {p.account} {p.symbol}"
        for name, account in self.model.accounts.items():
            hedged = account.position_mode is PositionMode.HEDGE
            for p in self.views[name][1]:
                named = (p.position_side is not PositionSide.NET) == hedged
                assert named or not (p.quantity or p.order_margin), f"MARG-025 {name}"
            for scope in self.venue.scopes(name):
                needed = scope.maintenance_margin + (1 if self.setting.policy.liquidate_at_equality else 0)
                healthy = scope.liquidating or scope.equity >= needed or not scope.maintenance_margin
                own = None if scope.symbol is None else position_id(scope.symbol, scope.position_side)
                assert healthy or self.model.is_scope_stale(account, own), f"CONS-005 {name} {own}"

    def cross_money(self, name: str) -> tuple[int, bool]:
        """The cross wallet, and whether a cross position could change it."""
        view, positions = self.views[name]
        return view.wallet_balance, any(p.quantity and p.margin_mode is MarginMode.CROSS for p in positions)

    def check_isolation(self, name: str, wallet: int, had_cross: bool, command: AnyCommand, events: Events) -> None:
        """CONS-004: without cross positions, the cross wallet pays nothing but the transfers that are stated."""
        wallet_after, has_cross = self.cross_money(name)
        legs = [leg for leg in legs_of(events) if leg.account == name]
        cross_leg = any(leg.margin_in == leg.margin_out == 0 for leg in legs)
        if had_cross or has_cross or cross_leg:
            return
        stated = sum(leg.margin_out - leg.margin_in for leg in legs)
        assert all(leg.margin_in >= 0 and leg.margin_out >= 0 for leg in legs), name
        for event in events:
            if isinstance(event, MarginMoved | MarginModeSet | LeverageSet) and event.account == name:
                stated -= event.amount if isinstance(event, MarginMoved) else event.margin_moved
        refused = any(isinstance(e, CommandRejected) for e in events)
        if isinstance(command, Credit | Withdraw) and (command.account, command.asset) == (name, SETTLEMENT_ASSET):
            came = command.amount if isinstance(command, Credit) else -command.amount
            stated += 0 if refused else came
        assert wallet_after >= wallet + stated, f"CONS-004 {name}"

    def check_lifecycle(self, events: Events) -> None:
        """Every order follows ORDER_LIFECYCLE, and what is open always adds up."""
        for view in order_views(events):
            assert view.open_quantity >= 0, view
            last = self.statuses.get(view.order_id)
            if last is None:
                assert view.order_status is OrderStatus.OPEN, view
            elif view.order_status is not last:
                assert view.order_status in ORDER_LIFECYCLE[last], (last, view)
            self.statuses[view.order_id] = view.order_status
        resting = {o.order_id for orders in self.open_orders.values() for o in orders}
        alive = {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED}
        assert resting == {order_id for order_id, status in self.statuses.items() if status in alive}

    def check_book_changes(self, events: Events) -> None:
        """The price levels told of in events, folded, are the book."""
        for event in events:
            if isinstance(event, BookChanged):
                for level in event.levels:
                    self.levels.setdefault((event.symbol, level.side), {})[level.price] = level.quantity
        for symbol in SYMBOLS:
            for levels, way in zip(self.venue.depth(symbol, 1000), (Side.BUY, Side.SELL), strict=True):
                told = {price: total for price, total in self.levels.get((symbol, way), {}).items() if total}
                assert told == {level.price: level.quantity for level in levels}, symbol
