"""One hash of the whole state: equal exactly when everything that can affect the future is equal (CONS-006)."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from exchange.accounts.position import Account, Position
from exchange.domain.enums import Side
from exchange.venue.state import VenueState

DIGEST_VERSION = 3


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
        sorted(state.accounts.mark_times.items()),
        sorted(state.accounts.collateral.prices.items()),
        sorted(state.halted),
        sorted(state.unwound_ns.items()),
        [[symbol, market.picture()] for symbol, market in sorted(state.markets.items())],
        [sorted(ledger.net_deposits.items()), ledger.fees.balance, _account(ledger.fund)],
        [_account(account) for _, account in sorted(state.accounts.accounts.items())],
        [
            [symbol, [[order.view() for order in book.queue(side)] for side in Side]]
            for symbol, book in sorted(state.books.items())
        ],
        state.cancel_timers.picture(),
        [
            [[order.view(), order.close_position] for _, order in sorted(state.triggers.orders.items())],
            state.triggers.crossed(),
        ],
        [each.picture() for each in sorted(state.liquidations.values(), key=lambda each: each.liquidation_id)],
        [
            [account, [[kept.name, kept.command, kept.outcome, kept.order.open_quantity > 0] for kept in remembered]]
            for account, remembered in sorted(state.placements.items(), key=lambda item: item[0])
            if any(True for _ in remembered)
        ],
    ]


def _account(account: Account) -> list[Any]:
    return [
        account.account,
        account.wallet.balance,
        [[asset, held.balance] for asset, held in sorted(account.collateral.items()) if held.balance],
        account.position_mode,
        account.liquidation_id,
        account.margin_call_level,
        [_position(position) for _, position in sorted(account.positions.items()) if not position.is_untouched],
    ]


def _position(position: Position) -> list[Any]:
    return [
        position.position_id,
        position.quantity,
        position.entry_cost,
        position.margin_mode,
        position.leverage,
        position.wallet.balance,
        position.liquidation_id,
        position.auto_replenish,
        position.margin_call_level,
        sorted((order.order_id, order.open_quantity) for order in position.orders.values()),
    ]
