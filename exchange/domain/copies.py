"""A mapping of copies, made as they are asked for: what a rehearsal works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")


class Copies(dict[K, V]):
    """Copies of what is in another mapping, which must not change meanwhile; what is deleted here stays deleted.

    Looked up by key it is as full as the other one; iterated over, it holds only what was copied so far or put in.
    """

    __slots__ = ("_copy", "_deleted", "_originals")

    def __init__(self, originals: Mapping[K, V], copy: Callable[[V], V]) -> None:
        super().__init__()
        self._originals = originals
        self._copy = copy
        self._deleted: set[K] = set()

    def __missing__(self, key: K) -> V:
        if key in self._deleted:
            raise KeyError(key)
        copy = self[key] = self._copy(self._originals[key])
        return copy

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (key not in self._deleted and key in self._originals)

    @overload
    def get(self, key: K, default: None = None, /) -> V | None: ...
    @overload
    def get(self, key: K, default: V, /) -> V: ...
    @overload
    def get(self, key: K, default: D, /) -> V | D: ...
    def get(self, key: K, default: object = None, /) -> object:
        """Return the copy under a key, or ``default`` where nothing is there."""
        try:
            return self[key]
        except KeyError:
            return default

    def __delitem__(self, key: K) -> None:
        self[key]  # a KeyError where nothing is there
        super().__delitem__(key)
        self._deleted.add(key)
