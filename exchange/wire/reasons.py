"""One table from the core's reasons to what the peer reads: a stable number, the field, and a sentence.

A sentence names the field, the limit, what was given, and what to do. ``{limit}`` and ``{actual}`` are filled in as
decimals of the reason's unit, ``{symbol}`` as the symbol; where the core names none, a noun stands in.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

from exchange.domain.instrument import Instrument
from exchange.domain.rejects import Reason
from exchange.domain.units import CASH_DECIMALS, format_decimal
from exchange.wire.errors import WireError


class Unit(Enum):
    """What the ``limit`` and ``actual`` of a reason count."""

    NONE = "none"
    PRICE = "price"
    QUANTITY = "quantity"
    CASH = "cash"
    COUNT = "count"


class ReasonEntry(NamedTuple):
    """How one reason is told."""

    code: int
    field: str | None
    unit: Unit
    sentence: str


REASONS: dict[Reason, ReasonEntry] = {
    Reason.UNKNOWN_SYMBOL: ReasonEntry(
        3000, "symbol", Unit.NONE, "symbol is not traded here; market.instruments lists the symbols that are"
    ),
    Reason.TICK_SIZE: ReasonEntry(
        3001, "limit_price", Unit.PRICE, "limit_price {actual} is not a whole multiple of the tick {limit}; round it to one"
    ),
    Reason.LOT_SIZE: ReasonEntry(
        3002,
        "quantity",
        Unit.QUANTITY,
        "quantity {actual} must be a whole multiple of the lot and at least {limit}; choose one",
    ),
    Reason.PRICE_LIMIT: ReasonEntry(
        3003,
        "limit_price",
        Unit.PRICE,
        "limit_price {actual} must be above 0 and at most {limit}; choose one in that range",
    ),
    Reason.QUANTITY_MAX: ReasonEntry(
        3004, "quantity", Unit.QUANTITY, "quantity {actual} is above the maximum of {limit} per order; split the order"
    ),
    Reason.NOTIONAL_MIN: ReasonEntry(
        3005,
        "quantity",
        Unit.CASH,
        "quantity times price is {actual}, below the minimum of {limit}; raise quantity, or close the whole position",
    ),
    Reason.PRICE_BAND: ReasonEntry(
        3006,
        "limit_price",
        Unit.PRICE,
        "limit_price {actual} is outside the price band around the mark, which ends at {limit}; move it inside",
    ),
    Reason.PRICE_REQUIRED: ReasonEntry(
        3007, "limit_price", Unit.NONE, "limit_price is needed for a limit order; give one, or set order_type to market"
    ),
    Reason.PRICE_FORBIDDEN: ReasonEntry(
        3008,
        "limit_price",
        Unit.NONE,
        "limit_price does not belong to a market order; leave it out, or use order_type limit",
    ),
    Reason.POST_ONLY_COMBINATION: ReasonEntry(
        3009, "post_only", Unit.NONE, "post_only needs a limit order with time_in_force gtc; change one of the three"
    ),
    Reason.POST_ONLY_WOULD_CROSS: ReasonEntry(
        3010,
        "limit_price",
        Unit.PRICE,
        "limit_price {actual} would trade at once against {limit}; move it away from the other side, or drop post_only",
    ),
    Reason.REDUCE_ONLY_NO_POSITION: ReasonEntry(
        3011, "reduce_only", Unit.NONE, "reduce_only needs a position on the other side; there is none to reduce"
    ),
    Reason.NO_MARK_PRICE: ReasonEntry(
        3012, "symbol", Unit.NONE, "symbol has no mark price yet and takes no orders; wait for the first one on channel mark"
    ),
    Reason.OPEN_ORDERS_MAX: ReasonEntry(
        3013, "symbol", Unit.COUNT, "symbol may hold at most {limit} open orders of one account; cancel some first"
    ),
    Reason.FOK_UNFILLABLE: ReasonEntry(
        3014,
        "quantity",
        Unit.QUANTITY,
        "quantity cannot be filled whole at once within the price and the margin; lower it, or use ioc",
    ),
    Reason.CLIENT_ORDER_ID_REUSED: ReasonEntry(
        3015,
        "client_order_id",
        Unit.NONE,
        "client_order_id already names another order of this account; use a new one for a new order",
    ),
    Reason.NOT_FOUND: ReasonEntry(
        3016, None, Unit.NONE, "the account has no such open order; it may have been filled or canceled, or never existed"
    ),
    Reason.ACCOUNT_ORDERS_MAX: ReasonEntry(
        3017, "symbol", Unit.COUNT, "the account may hold at most {limit} open orders over all symbols; cancel some first"
    ),
    Reason.POSITION_SIDE: ReasonEntry(
        3018,
        "position_side",
        Unit.NONE,
        "position_side must be net in one-way mode, and long or short in hedge mode; account.set_position_mode chooses",
    ),
    Reason.SYMBOL_HALTED: ReasonEntry(
        3019, "symbol", Unit.NONE, "symbol is halted; orders can be canceled, wait until channel ticker says that it is open"
    ),
    Reason.EXPIRE_TIME_REQUIRED: ReasonEntry(
        3020, "expire_time_us", Unit.NONE, "expire_time_us is needed with time_in_force gtd; give a time in the future"
    ),
    Reason.EXPIRE_TIME_FORBIDDEN: ReasonEntry(
        3021,
        "expire_time_us",
        Unit.NONE,
        "expire_time_us belongs to a limit order with time_in_force gtd; leave it out, or use those",
    ),
    Reason.EXPIRE_TIME_PASSED: ReasonEntry(
        3022, "expire_time_us", Unit.NONE, "expire_time_us must be later than the exchange's time, which ping tells; choose one"
    ),
    Reason.WOULD_TRIGGER: ReasonEntry(
        3023,
        "trigger.price",
        Unit.PRICE,
        "trigger.price {actual} is met by the price of {limit} already; move it away, or send the order without a trigger",
    ),
    Reason.TRIGGER_PRICE_UNKNOWN: ReasonEntry(
        3024, "trigger.by", Unit.NONE, "trigger.by names a price that symbol does not have yet; wait for it, or use mark"
    ),
    Reason.UNTRIGGERED: ReasonEntry(
        3026, None, Unit.NONE, "the order waits for its trigger and cannot be amended; cancel it and place another"
    ),
    Reason.TRIGGER_PRICE_RANGE: ReasonEntry(
        3025,
        "trigger.price",
        Unit.PRICE,
        "trigger.price {actual} must be above 0 and at most {limit}; choose one in that range",
    ),
    Reason.CANCELED_BY_OWNER: ReasonEntry(3100, None, Unit.NONE, "the account canceled the order"),
    Reason.IOC_REMAINDER: ReasonEntry(3101, None, Unit.NONE, "nothing more could be filled at once, and ioc does not rest"),
    Reason.PROTECTION_PRICE: ReasonEntry(
        3102, None, Unit.PRICE, "nothing more is offered within the protection price of a market order"
    ),
    Reason.SELF_TRADE: ReasonEntry(
        3103,
        "self_trade_prevention",
        Unit.NONE,
        "the order met another of its own account; self_trade_prevention decides",
    ),
    Reason.SWEEP_LIMIT: ReasonEntry(3104, "quantity", Unit.COUNT, "an order meets at most {limit} others; send the rest again"),
    Reason.REDUCE_ONLY_EMPTY: ReasonEntry(3105, "reduce_only", Unit.NONE, "the position that the order was to reduce is gone"),
    Reason.EXPIRED: ReasonEntry(3106, "expire_time_us", Unit.NONE, "the time at which the order was to end has come"),
    Reason.AMENDED_TO_FILLED: ReasonEntry(
        3107, "quantity", Unit.NONE, "the order was amended to a quantity at or below what had filled"
    ),
    Reason.DEAD_MAN: ReasonEntry(3110, None, Unit.NONE, "the account's dead-man switch (session.cancel_after) ran out"),
    Reason.DISCONNECTED: ReasonEntry(
        3111, None, Unit.NONE, "a connection with cancel_on_disconnect was lost, and the account did not log in again in time"
    ),
    Reason.INITIAL_INSUFFICIENT: ReasonEntry(
        5000,
        "quantity",
        Unit.CASH,
        "the order needs {actual} of margin and {limit} is available; lower quantity, raise leverage, or add funds",
    ),
    Reason.LEVERAGE_TIER: ReasonEntry(
        5001,
        "quantity",
        Unit.COUNT,
        "the account's leverage {actual} is above the {limit} of a tier it could reach; lower quantity or leverage",
    ),
    Reason.LEVERAGE_RANGE: ReasonEntry(
        5002, "leverage", Unit.COUNT, "leverage {actual} is outside the range from 1 to {limit}; choose one inside"
    ),
    Reason.LIQUIDATION_IN_PROGRESS: ReasonEntry(
        5003, None, Unit.NONE, "the position is being liquidated; until that ends, only reduce it or add margin or funds"
    ),
    Reason.FILL_CHECK_FAILED: ReasonEntry(
        5004, "quantity", Unit.CASH, "the margin did not suffice for the next fill; lower quantity or leverage, or add funds"
    ),
    Reason.MAKER_FILL_CHECK_FAILED: ReasonEntry(
        5005, None, Unit.CASH, "the account could no longer afford the fill when the resting order was met"
    ),
    Reason.REDUCE_BELOW_MAINTENANCE: ReasonEntry(
        5006, "limit_price", Unit.CASH, "closing at this price would leave the position below maintenance; use a better price"
    ),
    Reason.OFFSET_LOST: ReasonEntry(
        5007, None, Unit.CASH, "the position that offset the order shrank, and the available balance cannot hold it alone"
    ),
    Reason.POSITION_OPEN: ReasonEntry(
        5008,
        "position_mode",
        Unit.NONE,
        "position_mode stays while the account has an open position or order; close and cancel them first",
    ),
    Reason.NOT_ISOLATED: ReasonEntry(
        5009,
        "symbol",
        Unit.NONE,
        "symbol has no open isolated position; only those take and give margin",
    ),
    Reason.ADD_ABOVE_AVAILABLE: ReasonEntry(
        5010, "amount", Unit.CASH, "amount {actual} is above the available balance of {limit}; add at most that"
    ),
    Reason.REMOVE_ABOVE_MAXIMUM: ReasonEntry(
        5011, "amount", Unit.CASH, "amount {actual} is above the {limit} that the position can spare; remove at most that"
    ),
    Reason.AMOUNT_NOT_POSITIVE: ReasonEntry(
        5012, "amount", Unit.CASH, "amount {actual} must be above 0; the smallest amount is {limit}"
    ),
    Reason.SWITCH_INSUFFICIENT: ReasonEntry(
        5013,
        "margin_mode",
        Unit.CASH,
        "margin_mode needs {actual} of margin and {limit} is there; add funds, cancel orders, or reduce the position",
    ),
    Reason.LEVERAGE_INSUFFICIENT: ReasonEntry(
        5014,
        "leverage",
        Unit.CASH,
        "leverage needs {actual} of margin more and {limit} is available; choose a higher one, or add funds",
    ),
    Reason.WITHDRAW_ABOVE_AVAILABLE: ReasonEntry(
        5015, "amount", Unit.CASH, "amount {actual} is above the {limit} that may be withdrawn; withdraw at most that"
    ),
    Reason.MARK_STALE: ReasonEntry(
        5016, None, Unit.NONE, "the mark is too old to judge risk by; until a new one comes, only reduce or add margin or funds"
    ),
    Reason.SWITCH_MARGIN_MIN: ReasonEntry(
        5017,
        "margin",
        Unit.CASH,
        "margin {actual} is below the {limit} that the position needs in its isolated wallet; choose at least that",
    ),
    Reason.LIQUIDATION: ReasonEntry(5100, None, Unit.NONE, "the position behind the order is being liquidated"),
    Reason.AUTO_DELEVERAGED: ReasonEntry(
        5101, None, Unit.NONE, "the order was canceled because the position was deleveraged against a liquidated one"
    ),
    Reason.UNKNOWN_ACCOUNT: ReasonEntry(
        6000, "account", Unit.NONE, "account does not exist; create it with admin.create_account first"
    ),
    Reason.ACCOUNT_EXISTS: ReasonEntry(6001, "account", Unit.NONE, "account already exists; choose another name"),
    Reason.ACCOUNT_NAME: ReasonEntry(
        6002,
        "account",
        Unit.NONE,
        "account must be 1 to 36 letters, digits or _ . : - and none of the venue's own names; choose another name",
    ),
    Reason.ACCOUNTS_MAX: ReasonEntry(6003, "account", Unit.COUNT, "the venue holds at most {limit} accounts; use one of them"),
    Reason.CREDIT_RANGE: ReasonEntry(
        6004, "amount", Unit.CASH, "amount {actual} must be above 0 and at most {limit}; choose an amount in that range"
    ),
    Reason.MARK_PRICE_RANGE: ReasonEntry(
        6005,
        "marks",
        Unit.PRICE,
        "the price of {symbol} must be above 0 and at most {limit}, not {actual}; none of the update was applied",
    ),
    Reason.UNKNOWN_ASSET: ReasonEntry(
        6006, "asset", Unit.NONE, "asset is not taken here; use the settlement asset or one of the collateral assets"
    ),
    Reason.MARK_JUMP: ReasonEntry(
        6007,
        "marks",
        Unit.PRICE,
        "the mark of {symbol} may go to {limit} at the furthest in one step, not {actual}; none of the update was applied",
    ),
    Reason.MARK_SOURCE: ReasonEntry(
        6008, "marks", Unit.NONE, "the mark of {symbol} is made of its index price; set that with admin.set_index"
    ),
    Reason.MARK_REPEATED: ReasonEntry(
        6009, "marks", Unit.NONE, "the update names {symbol} twice; name each once, none of the update was applied"
    ),
}
"""Numbers are never reused: 3000 order entry, 3100 why orders end, 5000 margin, 5100 liquidation, 6000 accounts and marks."""


def explain(
    reason: Reason,
    limit: int | None = None,
    actual: int | None = None,
    instrument: Instrument | None = None,
    *,
    cash_decimals: int = CASH_DECIMALS,
) -> str:
    """Return the sentence of a reason with its numbers as decimals.

    Units: ``limit`` and ``actual`` in the unit of the reason, where that is money with ``cash_decimals``; ``instrument``
    gives the grids of prices and quantities.
    """
    entry = REASONS[reason]
    return entry.sentence.format(
        limit=_decimal(limit, entry.unit, instrument, cash_decimals) or "the limit",
        actual=_decimal(actual, entry.unit, instrument, cash_decimals) or "given",
        symbol="a symbol" if instrument is None else instrument.symbol,
    )


def rejection(
    reason: Reason,
    limit: int | None = None,
    actual: int | None = None,
    instrument: Instrument | None = None,
    details: dict[str, Any] | None = None,
    *,
    cash_decimals: int = CASH_DECIMALS,
) -> WireError:
    """Return the error that tells a peer why the core refused. Units: as in ``explain``."""
    entry = REASONS[reason]
    message = explain(reason, limit, actual, instrument, cash_decimals=cash_decimals)
    return WireError(entry.code, reason.value, message, field=entry.field, details=details)


def _decimal(value: int | None, unit: Unit, instrument: Instrument | None, cash_decimals: int) -> str | None:
    if value is None:
        return None
    if unit is Unit.CASH:
        return format_decimal(value, cash_decimals)
    if unit is Unit.PRICE and instrument is not None:
        return instrument.price_grid.format(value)
    if unit is Unit.QUANTITY and instrument is not None:
        return instrument.quantity_grid.format(value)
    return str(value) if unit is Unit.COUNT else None
