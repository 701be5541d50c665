"""The answers of the ``order.*`` methods beside placing one and reading them."""

from __future__ import annotations

from exchange.wire.messages import DecisionBody, ErrorBody, Message, OrderBody, PlaceResult


class AmendResult(Message, frozen=True, kw_only=True):
    """What became of an amended order by the end of its command (BOOK-019).

    ``margin`` counts what the order held before as free; null where the amend canceled the order.
    """

    order: OrderBody
    margin: DecisionBody | None
    keeps_place: bool
    sequence: int


class PlaceItem(Message, frozen=True, kw_only=True):
    """What ``order.place`` would have answered for one order of a batch (WIRE-030)."""

    result: PlaceResult | None
    error: ErrorBody | None


class AmendItem(Message, frozen=True, kw_only=True):
    """What ``order.amend`` would have answered for one order of a batch (WIRE-030)."""

    result: AmendResult | None
    error: ErrorBody | None


class CancelItem(Message, frozen=True, kw_only=True):
    """What ``order.cancel`` would have answered for one order of a batch (WIRE-030)."""

    result: OrderBody | None
    error: ErrorBody | None
