"""Bugs planted in the exchange floor."""

from __future__ import annotations

from tests.mutants.planting import Mutant

ADMISSION = "exchange/matching/admission.py"
BOOK = "exchange/matching/book.py"
LEVEL = "exchange/matching/price_level.py"
REHEARSAL = "exchange/matching/rehearsal.py"
ORDER = "exchange/matching/order.py"

MUTANTS = (
    Mutant(
        name="the last order to arrive at a price trades first",
        rule="BOOK-001",
        file=BOOK,
        old="return best.first",
        new="return best.last",
    ),
    Mutant(
        name="the worst price of a side trades first",
        rule="BOOK-001",
        file=BOOK,
        old="self.levels[abs(self.keys[-1])]",
        new="self.levels[abs(self.keys[0])]",
    ),
    Mutant(
        name="equal prices do not trade",
        rule="BOOK-001",
        file=BOOK,
        old="taker.side.sign * (taker.limit_price - best.price) < 0",
        new="taker.side.sign * (taker.limit_price - best.price) <= 0",
    ),
    Mutant(
        name="a post-only order at an equal price is let in",
        rule="BOOK-005",
        file=BOOK,
        old="side.sign * (limit_price - opposite) >= 0",
        new="side.sign * (limit_price - opposite) > 0",
    ),
    Mutant(
        name="the walk of a fill-or-kill order fills the real makers",
        rule="BOOK-004",
        file=REHEARSAL,
        old="Copies(original.orders, Order.copy)",
        new="Copies(original.orders, lambda order: order)",
    ),
    Mutant(
        name="a level still shows what has been filled",
        rule="BOOK-001",
        file=BOOK,
        old="        level.quantity -= quantity\n",
        new="",
    ),
    Mutant(
        name="a level still shows what a reduce-only order was shrunk by",
        rule="BOOK-010",
        file=BOOK,
        old="        level.quantity -= order.open_quantity - open_quantity\n",
        new="",
    ),
    Mutant(
        name="the best level of a side is told last",
        rule="BOOK-001",
        file=BOOK,
        old="for key in reversed(self.keys):",
        new="for key in self.keys:",
    ),
    Mutant(
        name="an order that leaves the front of a queue takes the next one with it",
        rule="BOOK-001",
        file=LEVEL,
        old="self.first = after",
        new="self.first = after.next if after is not None else None",
    ),
    Mutant(
        name="the protection price of a market sell is rounded outward",
        rule="BOOK-003",
        file=ADMISSION,
        old="max(1, ceil_div(mark_price * (PPM - width), PPM))",
        new="max(1, mark_price * (PPM - width) // PPM)",
    ),
    Mutant(
        name="the protection price of a market buy is rounded outward",
        rule="BOOK-003",
        file=ADMISSION,
        old="mark_price * (PPM + width) // PPM",
        new="ceil_div(mark_price * (PPM + width), PPM)",
    ),
    Mutant(
        name="a limit at the edge of the price band is refused",
        rule="BOOK-006",
        file=ADMISSION,
        old="if price > high:",
        new="if price >= high:",
    ),
    Mutant(
        name="the minimum notional itself is refused",
        rule="BOOK-006",
        file=ADMISSION,
        old="if notional < instrument.notional_min:",
        new="if notional <= instrument.notional_min:",
    ),
    Mutant(
        name="the minimum notional of a limit order is measured at the mark",
        rule="BOOK-006",
        file=ADMISSION,
        old="mark_price if price is None else price",
        new="mark_price",
    ),
    Mutant(
        name="a small rest of a position cannot be closed",
        rule="BOOK-006",
        file=ADMISSION,
        old="if command.reduce_only or closes_whole:",
        new="if command.reduce_only:",
    ),
    Mutant(
        name="the maximum quantity itself is refused",
        rule="BOOK-006",
        file=ADMISSION,
        old="command.quantity > instrument.quantity_max",
        new="command.quantity >= instrument.quantity_max",
    ),
    Mutant(
        name="reduce-only orders of the wrong side are let in",
        rule="BOOK-010",
        file=ADMISSION,
        old="if command.reduce_only and not reduces:",
        new="if command.reduce_only and not position_quantity:",
    ),
    Mutant(
        name="what a market order does not fill rests",
        rule="BOOK-003",
        file=ORDER,
        old="return self.order_type is OrderType.LIMIT and self.time_in_force.rests",
        new="return self.time_in_force.rests",
    ),
    Mutant(
        name="an order forgets the value of its earlier fills",
        rule="BOOK-013",
        file=ORDER,
        old="self.filled_value += value",
        new="self.filled_value = value",
    ),
)
