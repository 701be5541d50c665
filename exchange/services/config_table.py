"""Reading TOML strictly: every key asked for by type, every other key refused, numbers as their exact text.

A refusal is one sentence that names the file, the line where it can be found, the key path and what to do.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

CONFIG_BYTES_MAX = 1_000_000
"""The largest config file that is read."""

KeyPath = tuple[str | int, ...]
"""Keys from the top; a whole number counts the entries of a list from 1."""

Value = TypeVar("Value")

_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")


class ConfigError(ValueError):
    """A config that cannot be used; the message is one sentence for the person who wrote it."""


class ConfigSource(msgspec.Struct, frozen=True):
    """Where values come from: the file's name as sentences show it, and its text."""

    name: str
    text: str

    def refusal(self, path: KeyPath, sentence: str) -> ConfigError:
        """Return the error that names this file, the line of ``path`` and ``path`` before ``sentence``."""
        line = find_line(self.text, path)
        where = self.name if line is None else f"{self.name}, line {line}"
        return ConfigError(f"{where}: {format_path(path)}: {sentence}" if path else f"{where}: {sentence}")


def read_config(path: Path) -> tuple[ConfigSource, dict[str, Any]]:
    """Return a TOML file's source and values; ``ConfigError`` when it cannot be read or is no TOML.

    Fractions stay text, since a binary float would lose digits: ``0.0005`` is read as exactly that.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(CONFIG_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(f"{path}: the config cannot be read ({error.strerror or error}); check the path") from None
    if len(content) > CONFIG_BYTES_MAX:
        raise ConfigError(f"{path}: a config has at most {CONFIG_BYTES_MAX} bytes; shorten it")
    try:
        text = content.decode("utf-8")
        values = tomllib.loads(text, parse_float=lambda digits: digits.replace("_", ""))
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: the config is not UTF-8 text; save it as UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: the config is not valid TOML: {error}; correct it there") from None
    return ConfigSource(path.name, text), values


def format_path(path: KeyPath) -> str:
    """Return a key path as people write it: ``instruments[1].tiers[2].max_leverage``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def find_line(text: str, path: KeyPath) -> int | None:
    """Return the line (from 1) of the key, or else of the nearest table around it, or None.

    It scans headers, keys at the start of a line, and list entries that begin a line with a brace: the layout of
    the shipped files. A file laid out otherwise only loses the line number.
    """
    found: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    key: KeyPath = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = tuple(header.group(2).split("."))
            if header.group(1) == "[[":
                counts[table] = counts.get(table, 0) + 1
                table = (*table, counts[table])
            key = table
        elif named := _KEY.match(line):
            key = (*table, named.group(1))
        elif line.lstrip().startswith("{"):
            counts[key] = counts.get(key, 0) + 1
            found.setdefault((*key, counts[key]), number)
            continue
        else:
            continue
        found.setdefault(key, number)
    return next((found[path[:length]] for length in range(len(path), 0, -1) if path[:length] in found), None)


class ConfigTable:
    """One table of a config: hands out values by key and type, and remembers which keys were asked for.

    ``defaults`` supplies the keys that the table leaves out.
    """

    def __init__(
        self, source: ConfigSource, path: KeyPath, values: Mapping[str, Any], defaults: Mapping[str, Any] | None = None
    ) -> None:
        self._source = source
        self._path = path
        self._values = {**(defaults or {}), **values}
        self._asked: set[str] = set()

    def refusal(self, key: str | None, sentence: str) -> ConfigError:
        """Return the error for one key of this table, or for the table itself."""
        return self._source.refusal(self._path if key is None else (*self._path, key), sentence)

    def finish(self) -> None:
        """Raise ``ConfigError`` for the first key that nobody asked for."""
        for key in self._values:
            if key not in self._asked:
                known = sorted(self._asked)
                near = difflib.get_close_matches(key, known, n=1)
                advice = f"did you mean {near[0]}?" if near else f"known keys are {', '.join(known)}"
                raise self.refusal(key, f"unknown key; {advice}")

    def __contains__(self, key: str) -> bool:
        self._asked.add(key)
        return key in self._values

    def text(self, key: str) -> str:
        """Return a string that is not empty."""
        value = self._take(key, "a text in quotes")
        if not isinstance(value, str) or not value:
            raise self._wrong_type(key, "a text in quotes", value)
        return value

    def integer(self, key: str, *, minimum: int, maximum: int) -> int:
        """Return a whole number from ``minimum`` to ``maximum``."""
        value = self._take(key, "a whole number")
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong_type(key, "a whole number without quotes", value)
        if not minimum <= value <= maximum:
            raise self.refusal(key, f"it must be from {minimum} to {maximum}")
        return value

    def number(self, key: str, parse: Callable[[str], Value]) -> Value:
        """Return what ``parse`` makes of a number's exact text, quoted or not; its ``ValueError`` becomes a refusal."""
        value = self._take(key, "a number")
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise self._wrong_type(key, "a number such as 0.1", value)
        try:
            return parse(str(value))
        except ValueError as error:
            raise self.refusal(key, str(error)) from None

    def choice(self, key: str, options: Iterable[str]) -> str:
        """Return one of the words ``options``."""
        words = tuple(options)
        value = self._take(key, f"one of {', '.join(words)}")
        if value not in words:
            raise self.refusal(key, f"it must be one of {', '.join(words)}")
        return str(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the strings of a list, which may be empty."""
        value = self._take(key, "a list of texts in quotes")
        if not isinstance(value, list) or not all(isinstance(entry, str) and entry for entry in value):
            raise self._wrong_type(key, "a list of texts in quotes", value)
        return tuple(value)

    def numbers(self, key: str, parse: Callable[[str], Value]) -> tuple[Value, ...]:
        """Return what ``parse`` makes of each number of a list, which may be empty; as ``number``."""
        value = self._take(key, "a list of numbers")
        if not isinstance(value, list) or any(isinstance(entry, bool) or not isinstance(entry, (int, str)) for entry in value):
            raise self._wrong_type(key, "a list of numbers such as [0.1, 0.2]", value)
        try:
            return tuple(parse(str(entry)) for entry in value)
        except ValueError as error:
            raise self.refusal(key, str(error)) from None

    def truth(self, key: str) -> bool:
        """Return true or false."""
        value = self._take(key, "true or false")
        if not isinstance(value, bool):
            raise self._wrong_type(key, "true or false without quotes", value)
        return value

    def moment(self, key: str) -> datetime:
        """Return a date and time that carries its zone."""
        value = self._take(key, "a time such as 2025-10-10T20:50:00Z")
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise self._wrong_type(key, "a time with its zone and without quotes, such as 2025-10-10T20:50:00Z", value)
        return value

    def table(self, key: str, defaults: Mapping[str, Any] | None = None) -> ConfigTable:
        """Return the table under ``key``; with ``defaults`` it may be left out, in part or whole."""
        value = self._take(key, f"a table [{key}]") if defaults is None or key in self else {}
        if not isinstance(value, dict):
            raise self._wrong_type(key, f"a table [{key}]", value)
        return ConfigTable(self._source, (*self._path, key), value, defaults)

    def tables(self, key: str, *, tables_min: int = 1) -> tuple[ConfigTable, ...]:
        """Return the tables of a list that has at least ``tables_min``, which is 0 or 1."""
        wanted = "at least one table" if tables_min else "tables"
        value = self._take(key, f"{wanted} [[{key}]]")
        if not isinstance(value, list) or len(value) < tables_min or not all(isinstance(entry, dict) for entry in value):
            raise self._wrong_type(key, f"a list of {wanted}", value)
        return tuple(
            ConfigTable(self._source, (*self._path, key, number), entry) for number, entry in enumerate(value, start=1)
        )

    def _take(self, key: str, wanted: str) -> Any:
        if key not in self:
            raise self.refusal(key, f"this key is missing; add {wanted}")
        return self._values[key]

    def _wrong_type(self, key: str, wanted: str, value: object) -> ConfigError:
        kind = _TOML_KINDS.get(type(value), "something else")
        return self.refusal(key, f"it is {kind}; write {wanted}")


_TOML_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    str: "a text or a fraction",
    list: "a list",
    dict: "a table",
    datetime: "a time",
}
