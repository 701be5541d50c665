"""What the commands were asked to do, as the command line parsed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """``ringfence serve``; None means what the config says."""

    config: Path | None = None
    host: str | None = None
    port: int | None = None
    public: bool = False
    ready_file: Path | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformanceOptions:
    """``ringfence conformance``; without a profile each case's system picks its own."""

    file: Path
    json: Path | None = None
    profile: str | None = None
    skips: bool = False
    table: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """``ringfence demo``. Units: ``from_ms`` and ``to_ms`` milliseconds since the Unix epoch, given both or neither."""

    plain: bool = False
    seed: int = 42
    keep: bool = False
    config: Path | None = None
    marks: Mapping[str, Path] = field(default_factory=dict)
    from_ms: int | None = None
    to_ms: int | None = None
    summary: Path | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginOptions:
    """``ringfence margin``: numbers as they were written, since only the instrument knows its grid; None means not given."""

    symbol: str
    side: str
    entry: str
    quantity: str
    leverage: int | None = None
    mode: str = "both"
    wallet: str | None = None
    margin: str | None = None
    mark: str | None = None
    config: Path | None = None
    profile: str | None = None
    svg: Path | None = None
    json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainOptions:
    """``ringfence explain``: what is asked, by which parameter, of whom, and who asks."""

    kind: str
    value: str | int
    url: str
    key: str
    secret: str = field(repr=False)
    account: str | None = None
    as_json: bool = False
