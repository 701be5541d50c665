"""Bugs planted in what waits for a price or a time."""

from __future__ import annotations

from tests.mutants.planting import Mutant

BOOK = "exchange/matching/trigger_book.py"
EXPIRY = "exchange/venue/expiry.py"
ORDERS = "exchange/venue/order_commands.py"
TRIGGER = "exchange/domain/triggers.py"
TRIGGERS = "exchange/venue/triggers.py"

MUTANTS = (
    Mutant(
        name="a stop waits on the side of a take-profit",
        rule="TRIG-001",
        file=TRIGGER,
        old="if self.kind is TriggerKind.STOP else",
        new="if self.kind is TriggerKind.TAKE_PROFIT else",
    ),
    Mutant(
        name="what is met already is let in",
        rule="TRIG-001",
        file=ORDERS,
        old="if trigger.holds(command.side, price) else None",
        new="if not price else None",
    ),
    Mutant(
        name="an equal price triggers nothing",
        rule="TRIG-001",
        file=BOOK,
        old="waiting[0][0] <= direction * price",
        new="waiting[0][0] < direction * price",
    ),
    Mutant(
        name="untriggered orders do not count among the open ones",
        rule="TRIG-002",
        file=ORDERS,
        old="untriggered = state.triggers.of_account(command.account)",
        new="untriggered: list[Order] = []",
    ),
    Mutant(
        name="a triggered order enters without its margin check",
        rule="TRIG-003",
        file=ORDERS,
        old="refusal = _refusal(state, command, mark, order.limit_price, check)",
        new="refusal = market_refusal(state, command, instrument, mark, order.limit_price)",
    ),
    Mutant(
        name="of one price the trigger price crossed last enters first",
        rule="TRIG-004",
        file=BOOK,
        old="return order.trigger.direction(order.side) * order.trigger.price, order.order_id",
        new="return order.trigger.price, order.order_id",
    ),
    Mutant(
        name="what a triggered order trades at triggers nothing",
        rule="TRIG-004",
        file=TRIGGERS,
        old="        note_crossed(state, events[told:])",
        new="        assert told <= len(events)",
    ),
    Mutant(
        name="a triggered order enters before unfinished liquidations",
        rule="TRIG-004",
        file=TRIGGERS,
        old="if not triggers.has_crossed() or state.unfinished_liquidations:",
        new="if not triggers.has_crossed():",
    ),
    Mutant(
        name="what a halted symbol's prices met waits on when it opens",
        rule="TRIG-005",
        file=TRIGGERS,
        old="case TradingStateSet(trading_state=TradingState.OPEN):",
        new="case TradingStateSet(trading_state=TradingState.HALTED):",
    ),
    Mutant(
        name="an order outlives its time by a moment",
        rule="BOOK-018",
        file=EXPIRY,
        old="first[0] > state.now_ns",
        new="first[0] >= state.now_ns",
    ),
)
