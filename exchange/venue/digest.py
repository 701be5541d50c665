"""One hash of the whole state: equal exactly when everything that can affect the future is equal (CONS-006)."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from exchange.accounts.position import Account, Position
from exchange.domain.enums import MarginMode, Side
from exchange.venue.state import Liquidation, VenueState

DIGEST_VERSION = 1


def state_digest(state: VenueState) -> str:
    """Return the SHA-256 of the state in a canonical form, as hex. Nothing in it depends on insertion order.

    The form is JSON: its whole numbers have no bound, as money has none here.
    """
    return hashlib.sha256(msgspec.json.encode(_picture(state))).hexdigest()


def _picture(state: VenueState) -> list[Any]:
    ledger, counters = state.accounts.ledger, state.counters
    return [
        DIGEST_VERSION,
        [state.sequence, state.now_ns, counters.order_id, counters.trade_id, counters.liquidation_id],
        sorted(state.accounts.marks.items()),
        [ledger.net_deposits, ledger.fees.balance, _account(ledger.fund)],
        [_account(account) for _, account in sorted(state.accounts.accounts.items())],
        [
            [symbol, [[order.view() for order in book.queue(side)] for side in Side]]
            for symbol, book in sorted(state.books.items())
        ],
        [_liquidation(liquidation) for _, liquidation in sorted(state.liquidations.items(), key=_by_id)],
        [
            [account, [[kept.name, kept.command, kept.outcome, kept.order.open_quantity > 0] for kept in remembered]]
            for account, remembered in sorted(state.placements.items(), key=lambda item: item[0])
            if any(True for _ in remembered)
        ],
    ]


def _account(account: Account) -> list[Any]:
    held = [_position(position) for _, position in sorted(account.positions.items()) if not is_untouched(position)]
    return [account.account, account.wallet.balance, account.liquidation_id, held]


def is_untouched(position: Position) -> bool:
    """Return whether a position is as if nobody had ever looked at its symbol."""
    return (
        position.is_idle
        and position.margin_mode is MarginMode.CROSS
        and position.leverage == position.instrument.default_leverage
    )


def _position(position: Position) -> list[Any]:
    return [
        position.symbol,
        position.quantity,
        position.entry_cost,
        position.margin_mode,
        position.leverage,
        position.wallet.balance,
        position.liquidation_id,
        sorted((order.order_id, order.open_quantity) for order in position.orders.values()),
    ]


def _liquidation(liquidation: Liquidation) -> list[Any]:
    return [
        liquidation.liquidation_id,
        liquidation.scope,
        liquidation.orders_canceled,
        sorted(liquidation.book_quantity.items()),
        sorted(liquidation.fund_quantity.items()),
        sorted(liquidation.deleveraged_quantity.items()),
        liquidation.fee,
    ]


def _by_id(item: tuple[Any, Liquidation]) -> int:
    return item[1].liquidation_id
