"""What one can ask for, as values that know how to write themselves; several may be sent in one go.

Units: prices in quote per base, quantities in base; ``Decimal``, text or int, never a float.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias, TypeVar

from clients.fields import reader
from clients.human_units import Number, to_text
from clients.inflight import Call
from clients.messages import Amended, CanceledOrders, Order, Placed
from exchange.domain.enums import (
    MarginMode,
    OrderType,
    PositionMode,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradingState,
)
from exchange.domain.triggers import TriggerKind, TriggerSource

SideWord: TypeAlias = Side | Literal["buy", "sell"]
OrderTypeWord: TypeAlias = OrderType | Literal["limit", "market"]
TimeInForceWord: TypeAlias = TimeInForce | Literal["gtc", "gtd", "ioc", "fok"]
SelfTradeWord: TypeAlias = SelfTradePrevention | Literal["cancel_taker", "cancel_maker", "cancel_both"]
MarginModeWord: TypeAlias = MarginMode | Literal["cross", "isolated"]
PositionModeWord: TypeAlias = PositionMode | Literal["one_way", "hedge"]
PositionSideWord: TypeAlias = PositionSide | Literal["net", "long", "short"]
TriggerKindWord: TypeAlias = TriggerKind | Literal["stop", "take_profit"]
TriggerSourceWord: TypeAlias = TriggerSource | Literal["mark", "last", "index"]
TradingStateWord: TypeAlias = TradingState | Literal["open", "halted"]

E = TypeVar("E", bound=Enum)

_read_placed = reader(Placed)
_read_amended = reader(Amended)
_read_order = reader(Order)
_read_canceled = reader(CanceledOrders)


@dataclass(frozen=True, slots=True)
class Trigger:
    """The price that an order waits for before it enters: a stop that it runs away, a take-profit that it comes closer."""

    kind: TriggerKindWord
    price: Number
    by: TriggerSourceWord = TriggerSource.MARK

    def as_params(self) -> dict[str, object]:
        """Return the parameter; ``TypeError`` and ``ValueError`` name the argument that cannot be written."""
        return {
            "kind": word_of(TriggerKind, self.kind, "trigger.kind"),
            "price": to_text(self.price, "trigger.price"),
            "by": word_of(TriggerSource, self.by, "trigger.by"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """An order to enter: a limit order if it has a price, else a market order, unless ``order_type`` says it.

    In hedge mode ``position_side`` names the position that it trades, long or short. With an ``expire_time_us`` it is good
    till then, without one till canceled, unless ``time_in_force`` says it. With a ``trigger`` it waits for that price first.
    """

    symbol: str
    side: SideWord
    quantity: Number | None = None
    price: Number | None = None
    order_type: OrderTypeWord | None = None
    time_in_force: TimeInForceWord = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    self_trade_prevention: SelfTradeWord = SelfTradePrevention.CANCEL_TAKER
    client_order_id: str | None = None
    position_side: PositionSideWord = PositionSide.NET
    expire_time_us: int | None = None
    close_position: bool = False
    """Whether it closes the whole position, whatever its size is then (BOOK-020); there is no ``quantity`` then."""
    trigger: Trigger | None = None

    def call(self) -> Call[Placed]:
        """Return the request; ``TypeError`` and ``ValueError`` name the argument that cannot be written."""
        inferred = OrderType.MARKET if self.price is None else OrderType.LIMIT
        params: dict[str, object] = {
            "symbol": self.symbol,
            "side": word_of(Side, self.side, "side"),
            "order_type": word_of(OrderType, self.order_type or inferred, "order_type"),
        }
        if self.quantity is None and not self.close_position:
            raise ValueError("quantity: an order needs one unless it is to close the position")
        if self.quantity is not None:
            params["quantity"] = to_text(self.quantity, "quantity")
        if self.close_position:
            params["close_position"] = True
        if self.price is not None:
            params["limit_price"] = to_text(self.price, "price")
        dated = self.expire_time_us is not None and self.time_in_force in (TimeInForce.GTC, TimeInForce.GTC.value)
        force = TimeInForce.GTD if dated else self.time_in_force
        if force is not TimeInForce.GTC:
            params["time_in_force"] = word_of(TimeInForce, force, "time_in_force")
        if self.expire_time_us is not None:
            params["expire_time_us"] = self.expire_time_us
        if self.self_trade_prevention is not SelfTradePrevention.CANCEL_TAKER:
            mode = word_of(SelfTradePrevention, self.self_trade_prevention, "self_trade_prevention")
            params["self_trade_prevention"] = mode
        if self.trigger is not None:
            params["trigger"] = self.trigger.as_params()
        if self.post_only:
            params["post_only"] = True
        if self.reduce_only:
            params["reduce_only"] = True
        if self.client_order_id is not None:
            params["client_order_id"] = self.client_order_id
        params.update(side_filter(self.position_side))
        return Call("order.place", params, _read_placed, self.client_order_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """An order to cancel, by exactly one of its ids."""

    order_id: int | None = None
    client_order_id: str | None = None

    def call(self) -> Call[Order]:
        """Return the request; ``ValueError`` unless exactly one id is given."""
        params = order_reference(self.order_id, self.client_order_id)
        return Call("order.cancel", params, _read_order, self.client_order_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendOrder:
    """Other terms for an open order, named by exactly one of its ids: another price, another total, or both.

    ``quantity`` is the order's total, what has filled included. The same price and a total that is not higher keep its place.
    """

    order_id: int | None = None
    client_order_id: str | None = None
    price: Number | None = None
    quantity: Number | None = None

    def call(self) -> Call[Amended]:
        """Return the request; ``ValueError`` unless exactly one id is given, and ``TypeError`` for what is no number."""
        params = dict(order_reference(self.order_id, self.client_order_id))
        if self.price is not None:
            params["limit_price"] = to_text(self.price, "price")
        if self.quantity is not None:
            params["quantity"] = to_text(self.quantity, "quantity")
        return Call("order.amend", params, _read_amended, self.client_order_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAllOrders:
    """Every open order, or those on a symbol, of a side, of a position."""

    symbol: str | None = None
    side: SideWord | None = None
    position_side: PositionSideWord | None = None

    def call(self) -> Call[CanceledOrders]:
        """Return the request; ``ValueError`` names a word that is none."""
        params = dict(symbol_filter(self.symbol))
        if self.side is not None:
            params["side"] = word_of(Side, self.side, "side")
        if self.position_side is not None:
            params["position_side"] = word_of(PositionSide, self.position_side, "position_side")
        return Call("order.cancel_all", params, _read_canceled)


OrderRequest: TypeAlias = PlaceOrder | AmendOrder | CancelOrder | CancelAllOrders


def order_reference(order_id: int | None, client_order_id: str | None) -> Mapping[str, object]:
    """Return the parameters that name one order; ``ValueError`` unless exactly one id is given."""
    if (order_id is None) == (client_order_id is None):
        raise ValueError("name the order by either order_id or client_order_id")
    if order_id is not None:
        return {"order_id": order_id}
    return {"client_order_id": client_order_id}


def symbol_filter(symbol: str | None) -> Mapping[str, object]:
    """Return the parameters that narrow a request to ``symbol``, or to nothing."""
    return {} if symbol is None else {"symbol": symbol}


def side_filter(position_side: PositionSideWord) -> Mapping[str, object]:
    """Return the parameter that names one of two positions in a symbol, or nothing for the only one."""
    word = word_of(PositionSide, position_side, "position_side")
    return {} if word == PositionSide.NET.value else {"position_side": word}


def history_page(limit: int, before: int | None) -> Mapping[str, object]:
    """Return the parameters of one page of a history, newest first."""
    return {"limit": limit} if before is None else {"limit": limit, "before": before}


def word_of(kind: type[E], value: E | str, field: str) -> str:
    """Return the wire's word for ``value``; ``ValueError`` names the words that ``field`` may be."""
    if isinstance(value, kind):
        return str(value.value)
    words = [str(member.value) for member in kind]
    if value not in words:
        raise ValueError(f"{field}: {value!r} is none of {', '.join(words)}")
    return str(value)
