"""A config file as frozen values, checked whole before anything is built from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from exchange.composition.instrument_table import read_instrument
from exchange.composition.profiles import DEFAULT_PROFILE, Profile, load_profile, overlay
from exchange.composition.quantities import parse_amount
from exchange.composition.risk_table import read_collateral, read_policy
from exchange.composition.shipped_files import config_path
from exchange.domain.ids import RESERVED_ACCOUNTS, AccountId, is_valid_id
from exchange.domain.instrument import CollateralAsset, Instrument
from exchange.domain.policy import RiskPolicy
from exchange.domain.units import Cash, TimeNs
from exchange.server.limits import ServerLimits
from exchange.services.clock import TIME_NS_MAX, ClockMode
from exchange.services.config_table import ConfigTable, read_config
from exchange.services.mark_window import time_ms_of
from exchange.venue.state import VenueLimits

DEFAULT_CONFIG = "sandbox.toml"
INSTRUMENTS_MAX = 64
"""As many as one mark update may name."""
LIMIT_MAX = 2**40
"""The largest value that any bound may be set to."""
SECRET_LENGTH_MIN = 8
SECRET_LENGTH_MAX = 128

ID_RULE = "it must be 1 to 36 letters, digits or . _ : -"

Bounds = TypeVar("Bounds", bound=msgspec.Struct)


class KeySettings(msgspec.Struct, frozen=True):
    """A key and the secret that signs its logins."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return f"KeySettings(key={self.key!r})"


class AccountSettings(msgspec.Struct, frozen=True):
    """An account that exists from the start. Units: ``balance`` cash."""

    account: AccountId
    balance: Cash
    access: KeySettings


class ClockSettings(msgspec.Struct, frozen=True):
    """How time passes; ``start_ns`` is where a virtual clock starts."""

    mode: ClockMode
    start_ns: TimeNs


class ServerSettings(msgspec.Struct, frozen=True):
    """Where the server listens (port 0: any free one), under which further names, and what it bounds."""

    host: str
    port: int
    host_names: tuple[str, ...]
    limits: ServerLimits


class Settings(msgspec.Struct, frozen=True):
    """All that one exchange is built from; ``profile`` names the rules laid over it. Units: ``insurance_fund_credit`` cash."""

    source: str
    profile: str
    instruments: tuple[Instrument, ...]
    collateral: tuple[CollateralAsset, ...]
    policy: RiskPolicy
    venue_limits: VenueLimits
    clock: ClockSettings
    server: ServerSettings
    accounts: tuple[AccountSettings, ...]
    admin: KeySettings
    insurance_fund_credit: Cash


def load_settings(path: Path | None = None, *, profile: str = DEFAULT_PROFILE) -> Settings:
    """Return the settings of a config file over the defaults of ``sandbox.toml``, or the defaults alone.

    A section that the file leaves out is that of the defaults; so is a key that it leaves out of a section that is no
    list. The keys of the profile replace those of ``[risk]``. Raises ``ConfigError``: one sentence that names the file,
    the line, the key and what to do.
    """
    rules = load_profile(profile)
    default_path = config_path(DEFAULT_CONFIG)
    if path is None or _is_same_file(path, default_path):
        return _read_settings(default_path, {}, rules)
    _, defaults = read_config(default_path)
    return _read_settings(path, defaults, rules)


def _is_same_file(path: Path, other: Path) -> bool:
    return path.resolve() == other.resolve()


def _read_settings(path: Path, defaults: Mapping[str, Any], profile: Profile) -> Settings:
    source, values = read_config(path)
    top = ConfigTable(source, (), values, defaults)
    instruments = _read_instruments(top.tables("instruments"))
    venue_limits = _read_bounds(_section(top, "venue", defaults), VenueLimits)
    admin_table = _section(top, "admin", defaults)
    admin = _read_key(admin_table)
    admin_table.finish()
    server = _read_server(_section(top, "server", defaults), defaults.get("server"))
    accounts_max = min(venue_limits.accounts_max, server.limits.keys_max - 1)
    settings = Settings(
        source=source.name,
        profile=profile.name,
        instruments=instruments,
        collateral=read_collateral(top.tables("collateral", tables_min=0)),
        policy=_read_policy(top, values, defaults, profile),
        venue_limits=venue_limits,
        clock=_read_clock(_section(top, "clock", defaults)),
        server=server,
        accounts=_read_accounts(top.tables("accounts"), admin, accounts_max),
        admin=admin,
        insurance_fund_credit=_read_fund(_section(top, "insurance_fund", defaults)),
    )
    top.finish()
    return settings


def _read_policy(top: ConfigTable, values: Mapping[str, Any], defaults: Mapping[str, Any], profile: Profile) -> RiskPolicy:
    """Return the config's policy with the profile's keys in place of its own; the config must be sound without them."""
    alone = read_policy(_section(top, "risk", defaults))
    return overlay(profile, {**defaults.get("risk", {}), **values.get("risk", {})}) if profile.risk else alone


def _section(top: ConfigTable, name: str, defaults: Mapping[str, Any]) -> ConfigTable:
    return top.table(name, defaults.get(name))


def _read_instruments(tables: Sequence[ConfigTable]) -> tuple[Instrument, ...]:
    instruments: list[Instrument] = []
    for table in tables:
        instrument = read_instrument(table)
        if any(instrument.symbol == known.symbol for known in instruments):
            raise table.refusal("symbol", f"{instrument.symbol} is there already; give each instrument a symbol of its own")
        if len(instruments) == INSTRUMENTS_MAX:
            raise table.refusal(None, f"at most {INSTRUMENTS_MAX} instruments are allowed; remove some")
        instruments.append(instrument)
    return tuple(instruments)


def _read_bounds(table: ConfigTable, kind: type[Bounds]) -> Bounds:
    """Return a struct of bounds, each a whole number of at least 1 under its field's name."""
    names = kind.__struct_fields__
    bounds = kind(**{name: table.integer(name, minimum=1, maximum=LIMIT_MAX) for name in names})
    table.finish()
    return bounds


def _read_clock(table: ConfigTable) -> ClockSettings:
    mode = ClockMode(table.choice("mode", [mode.value for mode in ClockMode]))
    start_ms = time_ms_of(table.moment("start_time"))
    if not 0 <= start_ms * 1_000_000 <= TIME_NS_MAX:
        raise table.refusal("start_time", "it must lie between the years 1970 and 2255")
    table.finish()
    return ClockSettings(mode, start_ms * 1_000_000)


def _read_server(table: ConfigTable, defaults: Mapping[str, Any] | None) -> ServerSettings:
    settings = ServerSettings(
        host=table.text("host"),
        port=table.integer("port", minimum=0, maximum=65_535),
        host_names=tuple(name.lower() for name in table.texts("host_names")),
        limits=_read_bounds(table.table("limits", defaults and defaults.get("limits")), ServerLimits),
    )
    table.finish()
    return settings


def _read_accounts(tables: Sequence[ConfigTable], admin: KeySettings, accounts_max: int) -> tuple[AccountSettings, ...]:
    accounts: list[AccountSettings] = []
    names: set[str] = set()
    keys = {admin.key}
    for table in tables:
        entry = _read_account(table)
        if entry.account in names:
            raise table.refusal("account", f"{entry.account} is there already; give each account a name of its own")
        if entry.access.key in keys:
            raise table.refusal(
                "key", f"{entry.access.key} is in use already; give each account and the admin a key of its own"
            )
        if len(accounts) == accounts_max:
            raise table.refusal(
                None, f"at most {accounts_max} accounts fit; raise venue.accounts_max or server.limits.keys_max"
            )
        names.add(entry.account)
        keys.add(entry.access.key)
        accounts.append(entry)
    return tuple(accounts)


def _read_account(table: ConfigTable) -> AccountSettings:
    account = table.text("account")
    if not is_valid_id(account):
        raise table.refusal("account", ID_RULE)
    if account in RESERVED_ACCOUNTS:
        raise table.refusal("account", f"{account} is the venue's own; choose another name")
    entry = AccountSettings(account, table.number("balance", parse_amount), _read_key(table))
    table.finish()
    return entry


def _read_key(table: ConfigTable) -> KeySettings:
    key, secret = table.text("key"), table.text("secret")
    if not is_valid_id(key):
        raise table.refusal("key", ID_RULE)
    if not SECRET_LENGTH_MIN <= len(secret) <= SECRET_LENGTH_MAX:
        raise table.refusal("secret", f"it must have from {SECRET_LENGTH_MIN} to {SECRET_LENGTH_MAX} characters")
    return KeySettings(key, secret)


def _read_fund(table: ConfigTable) -> Cash:
    credit = table.number("credit", parse_amount)
    table.finish()
    return credit
