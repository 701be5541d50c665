"""Accounts and positions made to measure, as unit tests of the account service put them on the bench."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.accounts.position import Account, Position, RestingOrder
from exchange.accounts.service import AccountService
from exchange.domain.commands import MarkPrice
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.ids import AccountId, OrderId
from exchange.domain.instrument import CollateralAsset, Instrument
from exchange.domain.policy import RiskPolicy
from exchange.domain.units import Cash, Lots, Ticks
from tests.cast import ALICE, BTC_PERP, ETH_PERP, PLAIN_POLICY

ISOLATED, CROSS = MarginMode.ISOLATED, MarginMode.CROSS


def position_of(
    account: Account,
    quantity: Lots,
    entry_cost: Cash,
    *,
    instrument: Instrument = BTC_PERP,
    mode: MarginMode = CROSS,
    wallet: Cash = 0,
    leverage: int = 10,
    side: PositionSide = PositionSide.NET,
) -> Position:
    """Return a position put straight into the account; ``wallet`` is its isolated money."""
    position = account.position(instrument, side)
    position.quantity, position.entry_cost = quantity, entry_cost
    position.margin_mode, position.leverage = mode, leverage
    position.wallet.balance = wallet
    return position


def account_of(wallet: Cash, name: AccountId = ALICE) -> Account:
    """Return an account with money in its cross wallet."""
    account = Account(name)
    account.wallet.balance = wallet
    return account


def resting(order_id: OrderId, sign: int, price: Ticks, quantity: Lots, *, reduce_only: bool = False) -> RestingOrder:
    """Return an order as the account service sees it."""
    return RestingOrder(order_id, sign, price, quantity, reduce_only)


def service_of(
    *accounts: Account,
    marks: dict[str, Ticks] | None = None,
    policy: RiskPolicy = PLAIN_POLICY,
    collateral: Sequence[CollateralAsset] = (),
) -> AccountService:
    """Return a service that holds the accounts, with marks of 100 unless told."""
    instruments = {instrument.symbol: instrument for instrument in (BTC_PERP, ETH_PERP)}
    service = AccountService(instruments, policy, collateral)
    for account in accounts:
        service.accounts[account.account] = account
        for position in account.positions.values():
            if position.quantity:
                service.holders[position.symbol][account.account, position.position_id] = position
    given = marks or {"BTC-PERP": 100, "ETH-PERP": 100}
    service.apply_mark_prices(tuple(MarkPrice(symbol, price) for symbol, price in given.items()))
    return service
