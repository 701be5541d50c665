"""Invariants of money: conservation, positions, reserves, isolation, margins, fees (1 to 5, 11 and 12 of the list).

A check looks at one step of a trace from outside: it yields a sentence for each place where its invariant is broken and
counts in ``seen`` what it had to look at, so that a test can also ask that it was not looking at nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TypeAlias

from exchange.domain.enums import EntryKind, MarginMode, PositionSide
from exchange.domain.events import (
    FillSide,
    FundingPaid,
    FundingSettled,
    LedgerPosted,
    LeverageSet,
    LiquidationFinished,
    LossSocialized,
    MarginModeSet,
    MarginMoved,
    PositionTransferred,
    TradeExecuted,
)
from exchange.domain.ids import FEES, INSURANCE_FUND, SETTLEMENT_ASSET, AccountId, position_id
from exchange.domain.views import LedgerEntry, PositionView
from tests.properties.pictures import (
    Picture,
    asset_value,
    available,
    is_breached,
    order_margin,
    pool_of,
    profit,
    tier_of,
)
from tests.properties.traces import COLLATERAL, Step

Faults: TypeAlias = Iterator[str]
WalletKey: TypeAlias = tuple[AccountId, str | None]
"""An account and the position whose isolated wallet is meant, or None for its cross wallet."""


# -- 1 to 3: money, positions, reserves --------------------------------------------------------------------------------


def conservation(step: Step, seen: Counter[str]) -> Faults:
    """Wallets less entry costs are the deposits, to the unit; of every other asset the balances are (CONS-001, CONS-007)."""
    now = step.after
    total = now.funds.fees + now.funds.insurance_fund_wallet
    total += sum(view.wallet_balance for view in now.accounts.values())
    everyone = (*now.positions.values(), *now.funds.insurance_fund_positions)
    total += sum(view.isolated_wallet - view.entry_cost for view in everyone)
    seen["ledgers"] += 1
    if not total == now.deposits[SETTLEMENT_ASSET] == now.funds.net_deposits:
        yield f"{total} of money where {now.deposits[SETTLEMENT_ASSET]} was paid in"
    for event in step.events:
        if isinstance(event, FundingSettled):
            seen["fundings"] += 1
            held = [view for view in step.before.positions.values() if view.symbol == event.symbol and view.quantity]
            # The fund's own position is one more.
            if not 0 <= event.residual <= len(held):
                yield f"funding {len(held)} positions left {event.residual} to the fund"
    balances: Counter[str] = Counter({each.asset: each.insurance_fund_balance for each in now.funds.assets})
    for view in now.accounts.values():
        balances.update({each.asset: each.balance for each in view.collateral})
    for terms in COLLATERAL:
        seen["assets"] += bool(balances[terms.asset])
        if balances[terms.asset] != now.deposits.get(terms.asset, 0):
            yield f"{balances[terms.asset]} of {terms.asset} where {now.deposits.get(terms.asset, 0)} was paid in"


def positions_sum_to_zero(step: Step, seen: Counter[str]) -> Faults:
    """Of every symbol as much is long as short, and who is flat has neither cost nor isolated money (CONS-002)."""
    sums: Counter[str] = Counter()
    for view in (*step.after.positions.values(), *step.after.funds.insurance_fund_positions):
        sums[view.symbol] += view.quantity
        seen["open"] += bool(view.quantity)
        if not view.quantity and (view.entry_cost or view.isolated_wallet):
            yield f"{view.account} is flat in {view.symbol} with cost {view.entry_cost}, wallet {view.isolated_wallet}"
    yield from (f"{symbol} sums to {total}" for symbol, total in sums.items() if total)


def wallets_and_reserves(step: Step, seen: Counter[str]) -> Faults:
    """No flat cross pool owes money, and R is what its orders say it is (MARG-008, MARG-023)."""
    now = step.after
    for account in now.changed_since(step.before):
        pool = now.accounts[account]
        is_flat = not any(True for _ in now.cross_of(account))
        seen["owing while a position stands against it"] += pool.wallet_balance < 0
        if is_flat and pool.wallet_balance < 0:
            yield f"{account} is flat in cross and owes {-pool.wallet_balance}"
        total = 0
        for view in now.of_account(account):
            held = order_margin(now, view)
            total += held
            seen["reserves"] += bool(held)
            if view.order_margin != held:
                yield f"{account}/{view.symbol} holds {view.order_margin} for orders that need {held}"
            if view.isolated_wallet < 0:
                seen["negative isolated wallets"] += 1
                breached = is_breached(now, view.scope_equity, view.maintenance_margin)
                if breached and not view.liquidating and not _is_stale(step, view):
                    yield f"{account}/{view.symbol} owes {view.isolated_wallet} and is not healthy"
        if pool.order_margin != total:
            yield f"{account} holds {pool.order_margin} for orders that need {total}"


def _is_stale(step: Step, view: PositionView) -> bool:
    return step.after.is_stale(step.market.policy, view.symbol, step.after.now_ns)


# -- 4 and 5: isolation ------------------------------------------------------------------------------------------------


class _Told:
    """What the events of a step say that each wallet got, by why."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self.by_kind: dict[EntryKind, Counter[WalletKey]] = defaultdict(Counter)
        for event in step.events:
            match event:
                case TradeExecuted():
                    self._trade(event.maker, event.maker.fee)
                    # Below nothing it is what the fund pays for a fill beyond bankruptcy (LIQ-014), and no fee.
                    self._trade(event.taker, event.taker.fee if event.liquidation_id is None else max(0, event.taker.fee))
                case PositionTransferred():
                    own = self.key(event.account, event.symbol, event.position_side)
                    other = self.key(event.counterparty, event.symbol, event.counterparty_side)
                    self.by_kind[EntryKind.REALIZED_PNL][own] += event.realized_pnl
                    self.by_kind[EntryKind.REALIZED_PNL][other] += event.counterparty_realized_pnl
                case FundingPaid() if event.account != INSURANCE_FUND:
                    key = self.key(event.account, event.symbol, event.position_side)
                    self.by_kind[EntryKind.FUNDING][key] += event.amount
                case MarginMoved():
                    self._move(event.account, event.symbol, event.position_side, event.amount)
                case MarginModeSet() | LeverageSet():
                    self._move(event.account, event.symbol, event.position_side, event.margin_moved)
                case LiquidationFinished() if event.record.symbol is not None:
                    record, was = event.record, step.before.position(*_scope_of(event))
                    if was is not None and was.quantity:  # else it went back in a command before
                        self._move(record.account, event.record.symbol, record.position_side, -record.returned)

    def key(self, account: AccountId, symbol: str, side: PositionSide) -> WalletKey:
        """Return the wallet that a position's money goes through."""
        view = self._step.after.position(account, symbol, side)
        is_isolated = view is not None and view.margin_mode is MarginMode.ISOLATED
        return account, position_id(symbol, side) if is_isolated else None

    def _trade(self, side: FillSide, fee: int) -> None:
        key = self.key(side.account, side.order.symbol, side.order.position_side)
        self.by_kind[EntryKind.REALIZED_PNL][key] += side.realized_pnl
        self.by_kind[EntryKind.FEE][key] -= fee
        self._move(side.account, side.order.symbol, side.order.position_side, side.margin_in - side.margin_out)

    def _move(self, account: AccountId, symbol: str, side: PositionSide, amount: int) -> None:
        self.by_kind[EntryKind.MARGIN][account, position_id(symbol, side)] += amount


def _scope_of(event: LiquidationFinished) -> tuple[AccountId, str, PositionSide]:
    record = event.record
    return record.account, record.symbol or "", record.position_side


def entries_of(step: Step) -> list[LedgerEntry]:
    """Return every movement of the settlement asset in an account's own wallets."""
    posted = [entry for event in step.events if isinstance(event, LedgerPosted) for entry in event.entries]
    return [entry for entry in posted if entry.asset == SETTLEMENT_ASSET and entry.account not in (INSURANCE_FUND, FEES)]


def isolation(step: Step, seen: Counter[str]) -> Faults:
    """Each wallet gets what its own positions won, and money goes between wallets only where that is stated (CONS-004)."""
    told, posted = _Told(step), dict[EntryKind, Counter[WalletKey]]()
    for entry in entries_of(step):
        kind = EntryKind.FEE if entry.kind is EntryKind.LIQUIDATION_FEE else entry.kind
        posted.setdefault(kind, Counter())[entry.account, entry.position_id] += entry.amount
    for kind in (EntryKind.REALIZED_PNL, EntryKind.FEE, EntryKind.FUNDING):
        want, have = told.by_kind[kind], posted.get(kind, Counter())
        for key in want.keys() | have.keys():
            if key[0] == INSURANCE_FUND:
                continue
            seen["isolated results"] += key[1] is not None
            if want[key] != have[key]:
                yield f"{key} got {have[key]} as {kind.value} and not the {want[key]} of its own positions"
    moved, stated = posted.get(EntryKind.MARGIN, Counter()), told.by_kind[EntryKind.MARGIN]
    into: Counter[AccountId] = Counter()
    for account, held in moved.keys() | stated.keys():
        if held is None or account == INSURANCE_FUND:
            continue
        into[account] += moved[account, held]
        seen["transfers"] += bool(moved[account, held])
        unstated = moved[account, held] - stated[account, held]
        if unstated > 0 or (unstated and not _is_flat(step.after, account, held)):
            yield f"{unstated} went into {account}'s {held} without being stated"
    for account, amount in into.items():
        if moved[account, None] != -amount:
            yield f"{account}'s cross wallet gave {-moved[account, None]} where its isolated ones got {amount}"
    paid = sum(entry.amount for entry in entries_of(step) if entry.kind is EntryKind.SOCIALIZED_LOSS and entry.amount < 0)
    shares = sum(event.amount for event in step.events if isinstance(event, LossSocialized))
    seen["socialized losses"] += bool(shares)
    if paid != -shares:
        yield f"{-paid} of losses was collected and {shares} was told"
    yield from _wallets_add_up(step, seen)


def _wallets_add_up(step: Step, seen: Counter[str]) -> Faults:
    changes: Counter[WalletKey] = Counter()
    for entry in entries_of(step):
        changes[entry.account, entry.position_id] += entry.amount
    for key, amount in changes.items():
        seen["wallets"] += 1
        if _balance(step.after, key) - _balance(step.before, key) != amount:
            yield f"the entries of {key} add up to {amount} and its balance changed otherwise"


def _balance(picture: Picture, key: WalletKey) -> int:
    account, held = key
    if held is None:
        return picture.accounts[account].wallet_balance if account in picture.accounts else 0
    wallets = (view.isolated_wallet for view in picture.of_account(account) if _name(view) == held)
    return next(wallets, 0)


def _is_flat(picture: Picture, account: AccountId, held: str) -> bool:
    return not any(view.quantity for view in picture.of_account(account) if _name(view) == held)


def _name(view: PositionView) -> str:
    return position_id(view.symbol, view.position_side)


def cross_pool(step: Step, seen: Counter[str]) -> Faults:
    """A cross pool's equity and margins come from its wallet, its collateral and its cross positions alone (MARG-005)."""
    now = step.after
    for account in now.changed_since(step.before):
        view, worth = now.accounts[account], 0
        for held in view.collateral:
            terms = next(each for each in COLLATERAL if each.asset == held.asset)
            worth += asset_value(terms, held.balance, now.collateral_prices.get(held.asset, terms.initial_price or 0))
        pool = pool_of(now, account)
        isolated = [held for held in now.of_account(account) if held.margin_mode is MarginMode.ISOLATED and held.quantity]
        seen["pools beside isolated positions"] += bool(isolated and pool.maintenance_margin)
        if view.collateral_value != worth:
            yield f"{account}'s collateral counts for {view.collateral_value} and is worth {worth}"
        if (view.equity, view.initial_margin, view.maintenance_margin) != pool:
            yield f"{account}'s pool is {pool} and is shown as {view}"
        if view.available_balance != available(now, account):
            yield f"{account} has {available(now, account)} available and is shown {view.available_balance}"
        alone = sum(
            held.isolated_wallet + profit(now.instruments[held.symbol], held, now.marks[held.symbol]) for held in isolated
        )
        if view.total_equity != pool.equity + alone:
            yield f"{account}'s equity in all is {pool.equity + alone} and is shown as {view.total_equity}"


# -- 12: fees ----------------------------------------------------------------------------------------------------------


def fees(step: Step, seen: Counter[str]) -> Faults:
    """Takers and the liquidated pay, no rebate is above what the taker paid, and none is paid against a liquidation."""
    for event in step.events:
        if not isinstance(event, TradeExecuted):
            continue
        is_liquidation = event.liquidation_id is not None
        seen["rebates"] += event.maker.fee < 0
        seen["liquidation fees"] += is_liquidation and event.taker.fee > 0
        if event.taker.fee < 0 and not (is_liquidation and step.market.policy.fund_covers):
            yield f"a taker was paid {-event.taker.fee}"
        if event.maker.fee < (0 if is_liquidation else -event.taker.fee):
            yield f"a maker was paid {-event.maker.fee}, the taker paid {event.taker.fee}"
    if step.after.funds.fees < step.before.funds.fees:
        yield f"fees fell from {step.before.funds.fees} to {step.after.funds.fees}"


# -- 11: margins -------------------------------------------------------------------------------------------------------


def margins(step: Step, seen: Counter[str]) -> Faults:
    """Initial margin is never below maintenance, also where the mark has carried a position above its leverage's tier."""
    now = step.after
    for key, view in now.positions.items():
        if not view.quantity or view == step.before.positions.get(key):
            continue
        seen["margins"] += 1
        allowed = tier_of(now.instruments[view.symbol], view.notional).max_leverage
        seen["leverage above the tier's most"] += view.leverage > allowed
        if not 0 <= view.maintenance_margin <= view.initial_margin or _is_liquidated_when_opened(now, view):
            yield f"initial margin {view.initial_margin} is below maintenance {view.maintenance_margin}: {view}"


def _is_liquidated_when_opened(now: Picture, view: PositionView) -> bool:
    return is_breached(now, view.initial_margin, view.maintenance_margin)
