"""Why something was refused, removed or canceled; one word per rule, ``room.rule``."""

from __future__ import annotations

from enum import Enum


class Reason(Enum):
    """The machine-readable reason in every rejection and cancellation; SPEC.md has the rule behind each."""

    # the exchange floor
    UNKNOWN_SYMBOL = "order.unknown_symbol"
    TICK_SIZE = "order.tick_size"
    LOT_SIZE = "order.lot_size"
    PRICE_LIMIT = "order.price_limit"
    QUANTITY_MAX = "order.quantity_above_maximum"
    NOTIONAL_MIN = "order.notional_below_minimum"
    PRICE_BAND = "order.price_band"
    PRICE_REQUIRED = "order.limit_price_required"
    PRICE_FORBIDDEN = "order.limit_price_forbidden"
    POST_ONLY_COMBINATION = "order.post_only_combination"
    POST_ONLY_WOULD_CROSS = "order.post_only_would_cross"
    REDUCE_ONLY_NO_POSITION = "order.reduce_only_no_position"
    NO_MARK_PRICE = "order.no_mark_price"
    OPEN_ORDERS_MAX = "order.open_orders_maximum"
    ACCOUNT_ORDERS_MAX = "order.account_orders_maximum"
    FOK_UNFILLABLE = "order.fok_unfillable"
    CLIENT_ORDER_ID_REUSED = "order.client_order_id_reused"
    NOT_FOUND = "order.not_found"
    POSITION_SIDE = "order.position_side"
    SYMBOL_HALTED = "order.symbol_halted"
    EXPIRE_TIME_REQUIRED = "order.expire_time_required"
    EXPIRE_TIME_FORBIDDEN = "order.expire_time_forbidden"
    EXPIRE_TIME_PASSED = "order.expire_time_passed"
    WOULD_TRIGGER = "order.would_trigger_immediately"
    TRIGGER_PRICE_UNKNOWN = "order.trigger_price_unknown"
    UNTRIGGERED = "order.untriggered"
    TRIGGER_PRICE_RANGE = "order.trigger_price_out_of_range"

    # why an accepted order ended unfilled
    CANCELED_BY_OWNER = "order.canceled_by_owner"
    IOC_REMAINDER = "order.ioc_remainder"
    PROTECTION_PRICE = "order.protection_price"
    SELF_TRADE = "order.self_trade_prevention"
    SWEEP_LIMIT = "order.sweep_limit"
    REDUCE_ONLY_EMPTY = "order.reduce_only_nothing_left"
    AMENDED_TO_FILLED = "order.amended_to_filled"
    EXPIRED = "order.expired"
    DEAD_MAN = "order.dead_man_switch"
    DISCONNECTED = "order.owner_disconnected"

    # the account service
    INITIAL_INSUFFICIENT = "margin.initial_insufficient"
    LEVERAGE_TIER = "margin.leverage_above_tier"
    LEVERAGE_RANGE = "margin.leverage_out_of_range"
    LIQUIDATION_IN_PROGRESS = "margin.liquidation_in_progress"
    FILL_CHECK_FAILED = "margin.fill_check_failed"
    MAKER_FILL_CHECK_FAILED = "margin.maker_fill_check_failed"
    REDUCE_BELOW_MAINTENANCE = "margin.reduce_below_maintenance"
    OFFSET_LOST = "margin.offset_lost"
    POSITION_OPEN = "margin.position_open"
    NOT_ISOLATED = "margin.no_isolated_position"
    ADD_ABOVE_AVAILABLE = "margin.add_above_available"
    REMOVE_ABOVE_MAXIMUM = "margin.remove_above_maximum"
    AMOUNT_NOT_POSITIVE = "margin.amount_not_positive"
    SWITCH_INSUFFICIENT = "margin.switch_insufficient"
    SWITCH_MARGIN_MIN = "margin.switch_margin_below_minimum"
    LEVERAGE_INSUFFICIENT = "margin.leverage_insufficient"
    WITHDRAW_ABOVE_AVAILABLE = "margin.withdraw_above_available"
    MARK_STALE = "margin.mark_stale"

    # liquidation
    LIQUIDATION = "liquidation.orders_canceled"
    AUTO_DELEVERAGED = "liquidation.auto_deleveraged"

    # accounts and marks
    UNKNOWN_ACCOUNT = "account.unknown"
    ACCOUNT_EXISTS = "account.exists"
    ACCOUNT_NAME = "account.name"
    ACCOUNTS_MAX = "account.accounts_maximum"
    CREDIT_RANGE = "account.credit_out_of_range"
    UNKNOWN_ASSET = "account.unknown_asset"
    MARK_PRICE_RANGE = "mark.price_out_of_range"
    MARK_JUMP = "mark.jump_too_far"
    MARK_SOURCE = "mark.made_from_index"
    MARK_REPEATED = "mark.symbol_repeated"
