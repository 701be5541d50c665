"""Turns decoded maps into frozen dataclasses, strictly, by reading the dataclasses' own annotations.

A wrong or missing field raises ``ProtocolError`` naming its path. Unknown keys are passed over, so that a newer server
can add some. The converters of a class are built once.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, TypeAlias, TypeVar, cast

from clients.errors import ProtocolError
from clients.human_units import parse_decimal

INTEGER_MAX = 2**53 - 1
"""The largest whole number on the wire."""

T = TypeVar("T")
Convert: TypeAlias = Callable[[Any], Any]


class Mismatch(Exception):  # noqa: N818
    """A value does not fit its type; turned into a ``ProtocolError`` with the path at the border."""


def reader(kind: type[T]) -> Callable[[object], T]:
    """Return the function that makes a ``kind`` of a decoded map, or raises ``ProtocolError``."""
    return lambda value: read_as(kind, value)


def list_reader(kind: type[T]) -> Callable[[object], tuple[T, ...]]:
    """Return the function that makes a tuple of ``kind`` of a decoded list of maps, or raises ``ProtocolError``."""
    kind_name = kind.__name__
    read: Convert = record_reader(cast(Any, kind))

    def read_list(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise ProtocolError(f"the server sent {_shown(value)} where a list of {kind_name} belongs")
        try:
            return tuple([read(item) for item in value])
        except (Mismatch, RecursionError) as error:
            raise _unfit(kind, error) from None

    return read_list


def read_as(kind: type[T], value: object) -> T:
    """Return ``value``, a decoded map, as a ``kind``, or raise ``ProtocolError``."""
    try:
        result: T = record_reader(cast(Any, kind))(value)
    except (Mismatch, RecursionError) as error:
        raise _unfit(kind, error) from None
    return result


def nothing(value: object) -> None:
    """Read an answer whose content does not matter."""


def _unfit(kind: type, error: Exception) -> ProtocolError:
    return ProtocolError(f"the server sent a {kind.__name__} that does not fit: {error}")


@cache
def record_reader(kind: Any) -> Convert:
    """Return the function that makes a ``kind`` of a map; it raises ``Mismatch``."""
    hints = typing.get_type_hints(kind)
    required: list[tuple[str, Convert]] = []
    optional: list[tuple[str, Convert]] = []
    for field in fields(kind):
        has_default = field.default is not MISSING or field.default_factory is not MISSING
        (optional if has_default else required).append((field.name, _converter(hints[field.name])))

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise Mismatch(f"a map was expected, not {_shown(value)}")
        try:
            values = {name: convert(value[name]) for name, convert in required}
            for name, convert in optional:
                if name in value:
                    values[name] = convert(value[name])
        except (Mismatch, KeyError):
            raise Mismatch(_diagnose(value, required + optional, {name for name, _ in required})) from None
        return kind(**values)

    return read


def _diagnose(value: Mapping[str, object], converters: list[tuple[str, Convert]], required: set[str]) -> str:
    """Return which field is wrong; only run after a failure, so that the usual path stays short."""
    for name, convert in converters:
        if name not in value:
            if name in required:
                return f"{name} is missing"
            continue
        try:
            convert(value[name])
        except Mismatch as error:
            return f"{name}: {error}"
    return "it changed while being read"


def _converter(hint: Any) -> Convert:
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return _optional(typing.get_args(hint))
    if origin is tuple:
        return _tuple(typing.get_args(hint))
    if origin is dict:
        return _text_map(_converter(typing.get_args(hint)[1]))
    if origin is typing.Literal:
        return _word({word: word for word in typing.get_args(hint)})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _word({member.value: member for member in hint})
    if isinstance(hint, type) and issubclass(hint, tuple):
        return _named_tuple(hint)
    plain = _PLAIN.get(hint)
    return plain if plain is not None else record_reader(hint)


def _optional(args: tuple[Any, ...]) -> Convert:
    inner = [_converter(arg) for arg in args if arg is not type(None)]
    if len(inner) != 1:
        raise TypeError(f"{args} is no optional type")
    convert = inner[0]
    return lambda value: None if value is None else convert(value)


def _tuple(args: tuple[Any, ...]) -> Convert:
    if len(args) == 2 and args[1] is Ellipsis:
        convert = _converter(args[0])

        def read_many(value: Any) -> Any:
            if type(value) is not list:
                raise Mismatch(f"a list was expected, not {_shown(value)}")
            return tuple([convert(item) for item in value])

        return read_many
    raise TypeError(f"tuple{args} has no reader")


def _named_tuple(kind: type[tuple[Any, ...]]) -> Convert:
    converters = [_converter(hint) for hint in typing.get_type_hints(kind).values()]
    build: Convert = kind._make  # type: ignore[attr-defined]

    def read(value: Any) -> Any:
        if type(value) is not list or len(value) != len(converters):
            raise Mismatch(f"a list of {len(converters)} was expected, not {_shown(value)}")
        return build([convert(item) for convert, item in zip(converters, value, strict=True)])

    return read


def _text_map(convert: Convert) -> Convert:
    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise Mismatch(f"a map was expected, not {_shown(value)}")
        return {_text(name): convert(item) for name, item in value.items()}

    return read


def _word(words: Mapping[Any, Any]) -> Convert:
    def read(value: Any) -> Any:
        if type(value) is not str or value not in words:
            raise Mismatch(f"one of {', '.join(words)} was expected, not {_shown(value)}")
        return words[value]

    return read


def _text(value: Any) -> str:
    if type(value) is not str:
        raise Mismatch(f"text was expected, not {_shown(value)}")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or not -INTEGER_MAX <= value <= INTEGER_MAX:
        raise Mismatch(f"a whole number was expected, not {_shown(value)}")
    return value


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise Mismatch(f"true or false was expected, not {_shown(value)}")
    return value


def _decimal(value: Any) -> Decimal:
    if type(value) is not str:
        raise Mismatch(f"a decimal string was expected, not {_shown(value)}")
    try:
        return parse_decimal(value)
    except ValueError as error:
        raise Mismatch(str(error)) from None


_PLAIN: dict[Any, Convert] = {str: _text, int: _whole, bool: _truth, Decimal: _decimal}


def _shown(value: object) -> str:
    """Return a short, harmless description of what a peer sent."""
    if isinstance(value, (bool, int)) and abs(value) <= INTEGER_MAX:
        return str(value)
    if isinstance(value, str):
        return repr(value[:40])
    return type(value).__name__
