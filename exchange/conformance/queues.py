"""The adapter of cases about walking the deleveraging queue: a whole venue with commands in and events out."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from exchange.conformance.cases import Adapter, Given, Posed
from exchange.conformance.engine import OWNER, SYMBOL, flat_tier, perpetual
from exchange.conformance.numbers import Figure, NotCoveredError, Scale, fine_scale
from exchange.domain.commands import (
    AnyCommand,
    CreateAccount,
    Credit,
    MarkPrice,
    PlaceOrder,
    SetLeverage,
    SetMarkPrices,
)
from exchange.domain.enums import Side
from exchange.domain.events import AnyEvent, CloseOutVenue, PositionTransferred
from exchange.domain.ids import AccountId
from exchange.domain.policy import LiquidationSizing, RiskPolicy
from exchange.domain.units import CASH_MAX, PPM, Cash, Lots, Ticks
from exchange.venue.venue import Venue

BACKER: AccountId = "backer"
"""Holds what the others are short and the liquidated account is not long."""
LEVERAGE = 20
MAINTENANCE = PPM // (2 * LEVERAGE)


def walk_of_queue(posed: Posed) -> Mapping[str, Figure]:
    """Return who is deleveraged by how much when a position goes at its bankruptcy price, and what is left (LIQ-008).

    A score is a counterparty's profit per lot at the mark of the liquidation, one tick above bankruptcy, with the same
    money per lot behind each. The liquidated account is long, bought a tenth above bankruptcy with what lies between.
    """
    given = posed.given
    others = given.parts("accounts")
    scale = fine_scale([given["bankruptcy_price"]], [given["size"], *(other["size"] for other in others)])
    scale = scale._replace(price_decimals=scale.price_decimals + 1, cash_decimals=6)
    bankruptcy, lots = scale.ticks(given["bankruptcy_price"]), scale.lots(given["size"])
    entry, last_mark = bankruptcy * 11 // 10, bankruptcy + 1
    floor = _Floor(posed.policy, scale)
    floor.set_mark(entry)
    floor.open_account(BACKER, CASH_MAX)
    for other in others:
        floor.open_account(other.text("id"), CASH_MAX // 10**6 * scale.lots(other["size"]))
        _sell_to_backer(floor, other, scale.lots(other["size"]), last_mark)
    floor.open_account(OWNER, lots * (entry - bankruptcy) * scale.cash_per_tick_lot)
    floor.apply(SetLeverage(account=OWNER, symbol=SYMBOL, leverage=LEVERAGE))
    floor.trade(OWNER, BACKER, lots, entry)
    legs = [event for event in floor.set_mark(last_mark) if isinstance(event, PositionTransferred)]
    if any(leg.venue is not CloseOutVenue.AUTO_DELEVERAGE for leg in legs):
        raise NotCoveredError("more than the opposite accounts had to take it")
    taken = sum(leg.quantity for leg in legs)
    return {
        "fills": [[leg.counterparty, scale.quantity(leg.quantity)] for leg in legs],
        "unfilled": scale.quantity(lots - taken),
    }


def _sell_to_backer(floor: _Floor, other: Given, lots: Lots, last_mark: Ticks) -> None:
    score = other["score"]
    if score.denominator != 1:
        raise NotCoveredError("a score that is no whole number has no counterpart here")
    floor.trade(BACKER, other.text("id"), lots, last_mark + int(score))


class _Floor:
    """A venue with one instrument without fees, whose trades and marks are told one by one."""

    def __init__(self, policy: RiskPolicy, scale: Scale) -> None:
        whole = msgspec.structs.replace(policy, liquidation_sizing=LiquidationSizing.FULL)
        self._venue = Venue([perpetual(whole, scale.cash_per_tick_lot, flat_tier(MAINTENANCE))], policy=whole)

    def apply(self, command: AnyCommand) -> tuple[AnyEvent, ...]:
        return self._venue.apply(command, now_ns=0)

    def open_account(self, account: AccountId, wallet: Cash) -> None:
        self.apply(CreateAccount(account=account))
        self.apply(Credit(account=account, amount=wallet))

    def set_mark(self, price: Ticks) -> tuple[AnyEvent, ...]:
        return self.apply(SetMarkPrices(marks=(MarkPrice(symbol=SYMBOL, price=price),)))

    def trade(self, buyer: AccountId, seller: AccountId, lots: Lots, price: Ticks) -> None:
        """Have one account buy from another through the book."""
        for account, side in ((seller, Side.SELL), (buyer, Side.BUY)):
            self.apply(PlaceOrder(account=account, symbol=SYMBOL, side=side, quantity=lots, limit_price=price))
        if self._venue.open_orders(seller) or self._venue.open_orders(buyer):
            raise NotCoveredError("a trade of the case does not come about")


ADAPTERS: Mapping[str, Adapter] = {"adl_fill": walk_of_queue}
