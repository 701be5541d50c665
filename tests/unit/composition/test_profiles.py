"""Rule profiles: found, checked, laid over a config's own rules, and refused in a sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest

from exchange.composition.profiles import DEFAULT_PROFILE, Profile, load_profile, overlay, profile_names
from exchange.composition.settings import load_settings
from exchange.composition.shipped_files import config_path
from exchange.domain.policy import BadDebtPolicy, LiquidationSizing, MarginPrice
from exchange.services.config_table import ConfigError

HEAD = '[profile]\ntitle = "a venue"\nreproduces = ["a"]\ndiffers = ["b"]\nsources = ["c"]\n'


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of profiles of the test's own, with the one that changes nothing."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "default.toml").write_text(HEAD, encoding="utf-8")
    monkeypatch.setattr("exchange.composition.profiles.config_path", lambda name: tmp_path / name)
    return tmp_path / "profiles"


def written(folder: Path, text: str) -> str:
    """Write a profile and return its name."""
    (folder / "venue.toml").write_text(text, encoding="utf-8")
    return "venue"


# -- what is shipped ---------------------------------------------------------------------------------------------------


def test_the_profiles_of_the_four_venues_and_the_one_that_changes_nothing_are_shipped() -> None:
    assert profile_names()[0] == DEFAULT_PROFILE
    assert {"binance", "bybit", "okx", "hyperliquid"} < set(profile_names())
    assert list(profile_names()[1:]) == sorted(profile_names()[1:])


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_profile_can_be_used_and_says_what_it_gives_what_not_and_from_where(name: str) -> None:
    profile = load_profile(name)
    assert min(map(len, (profile.title, profile.reproduces, profile.differs, profile.sources))) > 0
    own, settings = load_settings().policy, load_settings(profile=name)
    assert settings.profile == name
    changed = {field for field in own.__struct_fields__ if getattr(own, field) != getattr(settings.policy, field)}
    assert changed <= profile.risk.keys()
    assert bool(changed) == (name != DEFAULT_PROFILE), "a profile that changes nothing is no profile"


def test_every_choice_of_a_shipped_profile_is_commented() -> None:
    bare = [
        f"{name}: {line}"
        for name in profile_names()
        for line in config_path(f"profiles/{name}.toml").read_text(encoding="utf-8").splitlines()
        if line.split("=")[0].strip().isidentifier() and "=" in line and "#" not in line
    ]
    assert bare == []


# -- laid over a config ------------------------------------------------------------------------------------------------


def test_the_keys_of_a_profile_replace_those_of_the_config_and_the_others_stay(tmp_path: Path) -> None:
    config = tmp_path / "my.toml"
    config.write_text('[risk]\nmaintenance_price = "mark"\nbad_debt = "halt"\n', encoding="utf-8")
    policy = load_settings(config, profile="bybit").policy
    assert policy.maintenance_price is MarginPrice.ENTRY
    assert policy.bad_debt is BadDebtPolicy.HALT
    assert policy.liquidation_slippage == load_settings().policy.liquidation_slippage
    assert load_settings(config).policy.maintenance_price is MarginPrice.MARK


def test_a_config_is_refused_for_its_own_mistakes_also_where_a_profile_would_hide_them(tmp_path: Path) -> None:
    config = tmp_path / "my.toml"
    config.write_text('[risk]\nmaintenance_price = "moon"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"my.toml, line 2: risk.maintenance_price: it must be one of mark, entry"):
        load_settings(config, profile="bybit")


def test_what_a_profile_sets_is_shown_as_its_file_writes_it(shipped: Path) -> None:
    name = written(
        shipped, HEAD + '[risk]\nfund_covers = true\nliquidation_fraction = 0.250\nmargin_call_levels = [0.5, "0.7"]\n'
    )
    assert load_profile(name).switches == {
        "fund_covers": "true",
        "liquidation_fraction": "0.250",
        "margin_call_levels": "0.5, 0.7",
    }


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bitmax", "", "../sandbox", "profiles/bybit", "bybit.toml", "Bybit", "x" * 500, "\0", "*"])
def test_a_profile_that_is_not_there_is_refused_with_the_names_of_those_that_are(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^no profile named '.{0,60}'; there are default, binance, ") as refused:
        load_settings(profile=name)
    assert ", bybit, " in str(refused.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "venue.toml: profile: this key is missing; add a table [profile]"),
        (
            HEAD.replace('title = "a venue"\n', ""),
            "venue.toml, line 1: profile.title: this key is missing; add a text in quotes",
        ),
        (HEAD.replace('["a"]', '"a"'), "venue.toml, line 3: profile.reproduces: it is a text or a fraction; write a list of"),
        (HEAD + 'sauces = ["d"]\n', "venue.toml, line 6: profile.sauces: unknown key; did you mean sources?"),
        (HEAD + "[riks]\n", "venue.toml, line 6: riks: unknown key; did you mean risk?"),
        ("risk = 5\n" + HEAD, "venue.toml, line 1: risk: it is a whole number; write a table [risk]"),
        (
            HEAD + "[risk]\nmaintenance = 1\n",
            "venue.toml, line 7: risk.maintenance: unknown key; did you mean maintenance_price?",
        ),
        (HEAD + "[risk]\n[risk.more]\n", "venue.toml, line 7: risk.more: unknown key"),
        (
            HEAD + '[risk]\nfund_covers = "yes"\n',
            "venue.toml, line 7: risk.fund_covers: it is a text or a fraction; write true",
        ),
        (
            HEAD + "[risk]\nliquidation_target = 0.5\n",
            "venue.toml, line 7: risk.liquidation_target: liquidation_target must be",
        ),
        (HEAD + '[risk]\nliquidation_surplus = "fund"\n', "venue.toml, line 7: risk.liquidation_surplus: "),
        ("[profile\n", "the config is not valid TOML"),
    ],
)
def test_a_profile_with_a_mistake_is_refused_naming_file_line_and_key(shipped: Path, text: str, sentence: str) -> None:
    name = written(shipped, text)
    with pytest.raises(ConfigError) as refused:
        load_settings(profile=name)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_choice_that_contradicts_the_config_names_the_profile() -> None:
    profile = msgspec.structs.replace(load_profile("bybit"), risk={"liquidation_surplus": "fund"})
    assert isinstance(profile, Profile)
    with pytest.raises(ConfigError, match=r"^bybit.toml, line \d+: risk.liquidation_surplus: "):
        overlay(profile, {**_own_risk(), "liquidation_sizing": LiquidationSizing.TARGET.value})


def _own_risk() -> dict[str, object]:
    text = config_path("sandbox.toml").read_text(encoding="utf-8")
    table: dict[str, object] = tomllib.loads(text, parse_float=str)["risk"]
    return table
