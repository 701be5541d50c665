"""Several orders in one request: each item has a result or an error of its own (WIRE-030)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from clients.errors import ExchangeError, ProtocolError
from clients.inflight import Call, refusal_of

T = TypeVar("T")


def batch_call(method: str, calls: Sequence[Call[T]]) -> Call[list[T | ExchangeError]]:
    """Return the request that makes several of one kind at once; each answer is read as that of a single one."""
    params = {"orders": [dict(call.params) for call in calls]}
    return Call(f"{method}_batch", params, _items_reader(method, [call.read for call in calls]))


def _items_reader(method: str, readers: Sequence[Callable[[object], T]]) -> Callable[[object], list[T | ExchangeError]]:
    def read(answer: object) -> list[T | ExchangeError]:
        if not isinstance(answer, list) or len(answer) != len(readers):
            raise ProtocolError(f"the server did not answer {len(readers)} items with as many")
        return [_item(method, item, reader) for item, reader in zip(answer, readers, strict=True)]

    return read


def _item(method: str, item: Any, read: Callable[[object], T]) -> T | ExchangeError:
    if not isinstance(item, dict) or (item.get("result") is None) == (item.get("error") is None):
        raise ProtocolError("the server sent an item of a batch with neither result nor error, or both")
    return refusal_of(method, item["error"]) if item.get("result") is None else read(item["result"])
