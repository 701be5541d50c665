"""Why a frame is no request, told in the words of the protocol: which field, what was expected, what to do."""

from __future__ import annotations

import re
from typing import Any, get_args, get_type_hints

import msgspec

from exchange.domain.ids import is_valid_id
from exchange.wire.errors import Fault, WireError, fault
from exchange.wire.parameters import Params
from exchange.wire.requests import AnyRequest

_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.*?)`(?: - at `(.*)`)?\Z", re.DOTALL)
_MISSING_FIELD = re.compile(r"Object missing required field `(.*?)`(?: - at `(.*)`)?\Z", re.DOTALL)
_OTHER_REFUSAL = re.compile(r"(.*) - at (?:`key` in )?`\$(.*)`\Z", re.DOTALL)
_EXPECTED = re.compile(r"Expected `([^`]*)`(?:, got `([^`]*)`)?\Z")

_WORDS = {
    "str": "text",
    "int": "a whole number",
    "int | str": "a whole number or text",
    "float": "a number with a fraction",
    "bool": "true or false",
    "object": "a map",
    "array": "a list",
    "null": "nothing",
    "None": "nothing",
    "bytes": "raw bytes",
}
_DECIMAL_FIELDS = frozenset({"quantity", "limit_price", "amount", "margin", "marks", "mark_prices", "prices"})


def _params_types() -> dict[str, type[Params]]:
    return {kind.__struct_config__.tag: get_type_hints(kind)["params"] for kind in get_args(AnyRequest)}


PARAMS_TYPES: dict[str, type[Params]] = _params_types()
"""The parameters of every method."""


_LIST_ITEM = re.compile(r"`\$\.params\.(\w+)\[\.\.\.\]")


def explain_refusal(refusal: Exception, method: str | None, params: object = None) -> WireError:
    """Return the error behind a decoder's refusal; ``method`` and ``params`` are the request's, where they could be read."""
    text = str(refusal)
    if isinstance(refusal, RecursionError):
        return fault(Fault.MALFORMED, "the request is nested too deeply; send a map with id, method and params")
    if method is not None and method not in PARAMS_TYPES:
        return fault(
            Fault.UNKNOWN_METHOD,
            f"method {_shown(method)} does not exist; the methods are {_list(PARAMS_TYPES)}",
            field="method",
        )
    return _explain_text(text if method is None else _numbered(text, method, params), method)


def _numbered(text: str, method: str, params: object) -> str:
    """Return a decoder's refusal with the number of the item of a list that it is about, which decoders leave out."""
    found = _LIST_ITEM.search(text)
    items = params.get(found[1]) if found is not None and isinstance(params, dict) else None
    if found is None or not isinstance(items, list):
        return text
    kind = _params_at(found[1], method)
    for number, item in enumerate(items):
        try:
            msgspec.convert(item, kind)
        except ValueError:
            return text.replace("[...]", f"[{number}]", 1)
    return text


def _explain_text(text: str, method: str | None) -> WireError:
    if unknown := _UNKNOWN_FIELD.match(text):
        return _unknown_field(unknown.group(1), unknown.group(2), method)
    if missing := _MISSING_FIELD.match(text):
        name = _joined(_map_path(missing.group(2)), missing.group(1))
        return fault(Fault.MISSING_FIELD, f"{name} is missing; {_shown(method)} needs it", field=name)
    if other := _OTHER_REFUSAL.match(text):
        return _invalid_field(_plain_path(other.group(2)), other.group(1), method)
    return fault(Fault.MALFORMED, "the frame holds no readable request; send one map with id, method and params")


def _unknown_field(name: str, place: str | None, method: str | None) -> WireError:
    """Return the error for a field nobody knows; ``place`` is the decoder's path of the map that it is in."""
    path, whose = _map_path(place), "a request"
    known: tuple[str, ...] = ("id", "method", "params")
    if place is not None and method is not None:
        known, whose = _params_at(path, method).__struct_fields__, _joined(_shown(method), path, " ")
    allowed = f"its fields are {_list(known)}" if known else "it takes none"
    field = _joined(path, name) if is_valid_id(name) else None
    return fault(Fault.UNKNOWN_FIELD, f"{whose} has no field {_shown(name)}; {allowed}", field=field)


def _invalid_field(path: str, sentence: str, method: str | None) -> WireError:
    name = path or "request"
    if sentence.startswith("Invalid enum value"):
        choices = _choices(path, method)
        advice = f"; choose one of {_list(choices)}" if choices else ""
        return fault(Fault.INVALID_FIELD, f"{name} has a value that does not exist{advice}", field=path)
    if "matching regex" in sentence:
        return fault(Fault.INVALID_FIELD, f"{name} must be 1 to 36 letters, digits or _ . : - characters", field=path)
    expected = _EXPECTED.match(sentence)
    if expected is None:  # a bound, such as: Expected `int` >= 1
        bound = re.sub(r"`([^`]*)`", lambda kind: _WORDS.get(kind.group(1), kind.group(1)), sentence)
        return fault(Fault.INVALID_FIELD, f"{name}: {bound[0].lower()}{bound[1:]}", field=path)
    kind = expected.group(1).removesuffix(" | null")
    wanted = _WORDS.get(kind, kind)
    given = f", not {_WORDS.get(expected.group(2), expected.group(2))}" if expected.group(2) else ""
    if path.rpartition(".")[2] in _DECIMAL_FIELDS and kind == "str":
        wanted = 'a decimal number in text, such as "60000.5"'
    return fault(Fault.INVALID_FIELD, f"{name} must be {wanted}{given}", field=path)


def _plain_path(path: str) -> str:
    """Return a decoder's path as a field name: ``.params.marks[...]`` is ``marks``."""
    return path.removeprefix(".").removeprefix("params.").replace("[...]", "")


def _map_path(place: str | None) -> str:
    """Return where in the parameters a map lies that the decoder names ``$.params.order``: there, ``order``."""
    return "" if place is None else place.removeprefix("$.params").removeprefix(".")


def _joined(path: str, name: str, by: str = ".") -> str:
    return f"{path}{by}{name}" if path and name else path or name


def _params_at(path: str, method: str) -> type[Params]:
    """Return the parameters of a method, or those that lie at a path within them."""
    found = PARAMS_TYPES[method]
    for name in path.split("."):
        hint = get_type_hints(found).get(name.partition("[")[0])
        found = next((kind for kind in get_args(hint) if isinstance(kind, type) and issubclass(kind, Params)), found)
    return found


def _choices(path: str, method: str | None) -> tuple[str, ...]:
    hints: dict[str, Any] = get_type_hints(_params_at(path, method)) if method is not None else {}
    return tuple(choice for choice in get_args(hints.get(path.rpartition(".")[2])) if isinstance(choice, str))


def _list(words: Any) -> str:
    return ", ".join(words)


def _shown(text: str | None) -> str:
    """Return a peer's own word if it is harmless to repeat."""
    if text is None:
        return "the request"
    return text if is_valid_id(text) else "of that name"
