"""The shipped configs load; every mistake in one is a sentence with file, line, key and what to do."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from exchange.composition.risk_table import COLLATERAL_MAX, POLICY_READERS
from exchange.composition.settings import Settings, config_path, load_settings
from exchange.domain.enums import MarkSource
from exchange.domain.instrument import CollateralAsset, FundingTerms, IndexMarkTerms
from exchange.domain.policy import AdlRanking, BadDebtPolicy, LiquidationSizing, RiskPolicy, UnfilledPolicy
from exchange.domain.units import Grid, format_cash, format_rate
from exchange.server.limits import ServerLimits
from exchange.services.clock import ClockMode
from exchange.services.config_table import ConfigError
from exchange.venue.state import VenueLimits

SMALL = """\
[[instruments]]
symbol = "BTC-PERP"
tick_size = "0.1"
lot_size = "0.001"
contract_multiplier = "1"
initial_mark_price = "60000"
default_leverage = 10
maker_fee = "0.0002"
taker_fee = "0.0005"
liquidation_fee = "0.005"
price_band = "0.05"
market_protection = "0.03"
notional_min = "50"
quantity_max = "120"
tiers = [
  { notional_floor = 0, maintenance_rate = "0.005", max_leverage = 100 },
  { notional_floor = 100_000, maintenance_rate = "0.01", max_leverage = 50 },
]

[[accounts]]
account = "alice"
balance = "100000"
key = "demo-alice"
secret = "demo-alice-secret"

[[accounts]]
account = "bob"
balance = "0.5"
key = "demo-bob"
secret = "demo-bob-secret"
"""

ETH = SMALL[: SMALL.index("[[accounts]]")].replace("BTC-PERP", "ETH-PERP")


def load(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "my.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_the_sandbox_holds_three_perpetuals_ten_funded_accounts_and_the_defaults_of_the_code() -> None:
    settings = load_settings()
    assert {instrument.symbol: instrument.price_grid.size for instrument in settings.instruments} == {
        "BTC-PERP": "0.1",
        "ETH-PERP": "0.01",
        "SOL-PERP": "0.001",
    }
    assert [instrument.quantity_grid.size for instrument in settings.instruments] == ["0.001", "0.01", "0.1"]
    assert all(len(instrument.tiers) >= 8 for instrument in settings.instruments)
    assert settings.instruments[0].max_leverage == 125
    assert len(settings.accounts) == 10
    assert {format_cash(account.balance) for account in settings.accounts} == {"100000"}
    assert settings.accounts[1].account == "alice"
    assert settings.accounts[1].access.key == "demo-alice"
    assert settings.admin.key == "demo-admin"
    assert settings.venue_limits == VenueLimits()
    assert settings.server.limits == ServerLimits()
    assert (settings.server.host, settings.clock.mode) == ("127.0.0.1", ClockMode.REAL)


def test_the_sandbox_chooses_every_part_of_the_risk_policy() -> None:
    assert set(POLICY_READERS) == set(RiskPolicy.__struct_fields__)
    assert load_settings().policy == RiskPolicy(
        liquidation_sizing=LiquidationSizing.TARGET,
        liquidation_target=1_250_000,
        liquidation_slippage=1_000,
        liquidation_fraction=200_000,
        liquidation_remainder_min=5_000_000_000,
        liquidation_rounds_max=16,
        liquidation_retries_max=10,
        unfilled=UnfilledPolicy.TAKEOVER,
        fund_covers=False,
        bad_debt=BadDebtPolicy.NEGATIVE_FUND,
        adl_ranking=AdlRanking.PROFIT_LEVERAGE,
        fund_unwind_fraction=100_000,
        fund_unwind_notional_min=1_000_000_000,
        fund_unwind_book_share=250_000,
        fund_unwind_interval=5_000_000_000,
        margin_call_levels=(600_000, 800_000),
        mark_stale_after=0,
        mark_jump_max=800_000,
    )


def test_the_sandbox_pays_funding_every_eight_hours_and_takes_bitcoin_as_collateral() -> None:
    settings = load_settings()
    for instrument in settings.instruments:
        cap = instrument.tiers[0].maintenance_rate * 750  # three quarters of it, from ppm to ppb
        assert instrument.funding == FundingTerms(
            interval=8 * 3600 * 10**9, interest=100_000, clamp=500_000, cap=cap, impact_notional=10_000_000_000
        )
    assert {instrument.mark_source for instrument in settings.instruments} == {MarkSource.EXTERNAL}
    price = 116_847_900_000
    assert settings.collateral == (CollateralAsset(asset="BTC", decimals=8, haircut=50_000, initial_price=price),)


@pytest.mark.parametrize("name", RiskPolicy.__struct_fields__)
def test_each_line_of_the_risk_policy_must_be_in_the_sandbox(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = config_path("sandbox.toml").read_text(encoding="utf-8").splitlines()
    (tmp_path / "sandbox.toml").write_text("\n".join(line for line in lines if not line.startswith(f"{name} =")))
    monkeypatch.setattr("exchange.composition.settings.config_path", lambda config: tmp_path / config)
    with pytest.raises(ConfigError, match=rf"sandbox.toml, line \d+: risk.{name}: this key is missing; add "):
        load_settings()


def test_a_mark_may_be_made_of_the_index_and_funding_may_be_left_out(tmp_path: Path) -> None:
    external = load(tmp_path, SMALL).instruments[0]
    assert (external.index_mark, external.funding) == (None, None)
    keys = 'mark_source = "index"\nmark_band = 0.05\nbasis_window = 150\n'
    made = load(tmp_path, SMALL.replace("tiers = [", keys + "tiers = [")).instruments[0]
    assert made.index_mark == IndexMarkTerms(band=50_000, basis_window=150 * 10**9)


def test_a_policy_takes_from_the_sandbox_what_it_leaves_out(tmp_path: Path) -> None:
    settings = load(
        tmp_path, 'collateral = []\n[risk]\nbad_debt = "halt"\nmark_stale_after = 1.5\nmargin_call_levels = [0.5]\n'
    )
    assert settings.collateral == ()
    assert settings.policy.bad_debt is BadDebtPolicy.HALT
    assert settings.policy.mark_stale_after == 1_500_000_000
    assert settings.policy.margin_call_levels == (500_000,)
    assert settings.policy.fund_unwind_interval == load_settings().policy.fund_unwind_interval


def test_every_value_of_the_shipped_configs_is_commented() -> None:
    bare = []
    for name in ("sandbox.toml", "alts.toml", "scenarios/crash_2025_10_10.toml"):
        for number, line in enumerate(config_path(name).read_text(encoding="utf-8").splitlines(), start=1):
            key = line.split("=")[0].strip()
            if "=" in line and key.isidentifier() and key not in PLAIN_NAMES and "#" not in line:
                bare.append(f"{name}:{number}: {line}")
    assert bare == []


PLAIN_NAMES = {"account", "key", "secret", "name", "description", "symbol", "source"}


def test_the_alts_have_ticks_fine_enough_for_the_lows_of_the_crash() -> None:
    settings = load_settings(config_path("alts.toml"))
    assert [instrument.symbol for instrument in settings.instruments] == [
        f"{coin}-PERP" for coin in ("AVAX", "AAVE", "DOT", "UNI", "ATOM")
    ]
    dot = settings.instruments[2]
    assert dot.price_grid == Grid(1, 4)
    assert format_rate(dot.price_band) == "0.5"
    assert settings.accounts == load_settings().accounts


@pytest.mark.rule("MARG-002")
def test_tier_figures_of_the_alts_give_the_published_maintenance_amounts() -> None:
    dot = load_settings(config_path("alts.toml")).instruments[2]
    assert [format_cash(tier.maintenance_amount) for tier in dot.tiers] == [
        "0", "35", "285", "785", "3285", "23285", "223285", "423285", "1673285", "9173285",
    ]  # fmt: skip


def test_values_are_whole_units_of_the_domain(tmp_path: Path) -> None:
    settings = load(tmp_path, SMALL)
    (btc,) = settings.instruments
    assert (btc.price_grid, btc.quantity_grid, btc.cash_per_tick_lot) == (Grid(1, 1), Grid(1, 3), 100)
    assert (btc.initial_mark_price, btc.quantity_max, btc.notional_min) == (600_000, 120_000, 50_000_000)
    assert (btc.maker_fee, btc.taker_fee) == (200, 500)
    assert btc.tiers[1].maintenance_amount == 500_000_000
    assert [account.balance for account in settings.accounts] == [100_000_000_000, 500_000]


def test_sections_and_keys_that_are_left_out_come_from_the_sandbox(tmp_path: Path) -> None:
    settings = load(tmp_path, '[server]\nport = 0\n[server.limits]\nfragments_max = 3\n[clock]\nmode = "virtual"\n')
    sandbox = load_settings()
    assert settings.instruments == sandbox.instruments
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 0)
    assert settings.server.limits.fragments_max == 3
    assert settings.server.limits.frame_bytes_max == sandbox.server.limits.frame_bytes_max
    assert settings.clock.mode is ClockMode.VIRTUAL
    assert settings.clock.start_ns == 1_760_129_400 * 10**9


def test_a_fraction_without_quotes_is_read_exactly(tmp_path: Path) -> None:
    text = SMALL.replace('"0.0005"', "0.0005").replace('"0.1"', "0.1").replace('"100000"', "1_000.000_001")
    settings = load(tmp_path, text)
    assert settings.instruments[0].taker_fee == 500
    assert settings.instruments[0].price_grid == Grid(1, 1)
    assert settings.accounts[0].balance == 1_000_000_001


def test_an_initial_mark_may_be_left_out_and_a_tick_may_be_coarse(tmp_path: Path) -> None:
    text = SMALL.replace('initial_mark_price = "60000"\n', "").replace('tick_size = "0.1"', "tick_size = 250")
    instrument = load(tmp_path, text).instruments[0]
    assert instrument.initial_mark_price is None
    assert instrument.price_grid == Grid(250, 0)


BAD_CONFIGS = {
    # unknown, missing and mistyped keys
    "an unknown key": (
        "default_leverage = 10",
        "default_leverage = 10\nmaximum_leverage = 20",
        "my.toml, line 8: instruments[1].maximum_leverage: unknown key; did you mean default_leverage?",
    ),
    "an unknown section": ("[[accounts]]", "[fees]\nmaker = 1\n[[accounts]]", "my.toml, line 20: fees: unknown key; known"),
    "an unknown server limit": (
        "[[accounts]]",
        "[server.limits]\nframe_max = 1\n[[accounts]]",
        "my.toml, line 21: server.limits.frame_max: unknown key; did you mean f",
    ),
    "an unknown tier key": (
        "max_leverage = 50 }",
        "max_leverage = 50, amount = 1 }",
        "line 17: instruments[1].tiers[2].amount",
    ),
    "a missing key": (
        'lot_size = "0.001"\n',
        "",
        "my.toml, line 1: instruments[1].lot_size: this key is missing; add a number",
    ),
    "no instruments": (
        SMALL[: SMALL.index("[[accounts]]")],
        "instruments = []\n",
        "it is a list; write a list of at least one",
    ),
    "a text for a whole number": ("leverage = 10\n", 'leverage = "ten"\n', "it is a text or a fraction; write a whole number"),
    "a fraction for a whole number": (
        "leverage = 10\n",
        "leverage = 10.5\n",
        "line 7: instruments[1].default_leverage: it is a",
    ),
    "a truth for a number": ('"0.0005"', "true", "line 9: instruments[1].taker_fee: it is true or false; write a number"),
    "a word for a number": ('"0.0005"', '"cheap"', "line 9: instruments[1].taker_fee: write a decimal number"),
    "an exponent": ('"0.0005"', "5e-4", "line 9: instruments[1].taker_fee: write a decimal number"),
    "not a number": ('"0.0005"', "nan", "line 9: instruments[1].taker_fee: write a decimal number"),
    "a number for a text": ('"demo-bob"', "7", "line 29: accounts[2].key: it is a whole number; write a text in quotes"),
    "a table for a list": ("[[instruments]]", "[instruments]", "instruments: it is a table; write a list of at least one"),
    "a list for a table": ("[[accounts]]\naccount", "[[venue]]\n[[accounts]]\naccount", "venue: it is a list; write a table"),
    # instruments that contradict themselves
    "a bad symbol": (
        '"BTC-PERP"',
        '"BTC PERP"',
        "line 2: instruments[1].symbol: it must be 1 to 36 letters, digits or . _ : -",
    ),
    "the same symbol twice": (
        "[[accounts]]",
        ETH.replace("ETH", "BTC") + "[[accounts]]",
        "line 21: instruments[2].symbol: BTC-PERP",
    ),
    "a tick of zero": ('"0.1"', '"0"', "line 3: instruments[1].tick_size: it must be above 0"),
    "a tick and lot too fine for cash": (
        '"0.001"',
        '"0.000001"',
        "line 3: instruments[1].tick_size: tick_size * lot_size * contract_multiplier must be a whole 0.000001; make one",
    ),
    "an off-grid mark": (
        '"60000"',
        '"60000.05"',
        "line 6: instruments[1].initial_mark_price: 60000.05 is not a whole multiple",
    ),
    "a mark of zero": ('"60000"', '"0"', "line 6: instruments[1].initial_mark_price: initial_mark_price must be at least one"),
    "an off-grid quantity": ('"120"', '"120.0001"', "line 14: instruments[1].quantity_max: 120.0001 is not a whole multiple"),
    "leverage above the first tier": (
        "default_leverage = 10",
        "default_leverage = 101",
        "my.toml, line 7: instruments[1].default_leverage: default_leverage must lie within tier 1",
    ),
    "protection wider than the band": (
        '"0.03"',
        '"0.06"',
        "line 12: instruments[1].market_protection: market_protection must be",
    ),
    "a rebate above the taker fee": ('"0.0002"', '"-0.0006"', "line 8: instruments[1].maker_fee: maker_fee must not be below"),
    "a fee of one": ('"0.0005"', "1", "line 9: instruments[1].taker_fee: taker_fee must be from 0 to below 1"),
    "a rate that is too fine": ('"0.0005"', '"0.0000005"', "line 9: instruments[1].taker_fee: at most 6 decimal places"),
    # tiers
    "a first tier above zero": (
        "notional_floor = 0,",
        "notional_floor = 1,",
        "line 16: instruments[1].tiers[1]: tier 1: the first",
    ),
    "floors out of order": (
        "100_000",
        "0",
        "line 17: instruments[1].tiers[2]: tier 2: notional_floor must be above that of tier 1",
    ),
    "a falling rate": ('"0.01"', '"0.004"', "line 17: instruments[1].tiers[2]: tier 2: maintenance_rate must not be below"),
    "rising leverage": (
        '"0.01", max_leverage = 50',
        '"0.005", max_leverage = 101',
        "line 17: instruments[1].tiers[2]: tier 2: max_leverage must not be above that of tier 1",
    ),
    "leverage that liquidates at once": (
        "max_leverage = 100",
        "max_leverage = 200",
        "line 16: instruments[1].tiers[1]: tier 1: main",
    ),
    "no tiers": (
        SMALL[SMALL.index("tiers = [") : SMALL.index("]\n\n[[acc")],
        "tiers = [",
        "line 15: instruments[1].tiers: it is a list",
    ),
    "leverage out of range": ("max_leverage = 100", "max_leverage = 0", "tiers[1].max_leverage: it must be from 1 to 1000"),
    # accounts and keys
    "a bad account": ('"alice"', '"al ice"', "line 21: accounts[1].account: it must be 1 to 36 letters, digits or . _ : -"),
    "the venue's own account": (
        '"alice"',
        '"fees"',
        "line 21: accounts[1].account: fees is the venue's own; choose another name",
    ),
    "an account twice": ('"bob"', '"alice"', "line 27: accounts[2].account: alice is there already; give each account a name"),
    "a key twice": ('"demo-bob"', '"demo-alice"', "line 29: accounts[2].key: demo-alice is in use already; give each account"),
    "the admin's key": ('"demo-bob"', '"demo-admin"', "line 29: accounts[2].key: demo-admin is in use already"),
    "a short secret": ('"demo-bob-secret"', '"short"', "line 30: accounts[2].secret: it must have from 8 to 128 characters"),
    "a negative balance": ('"0.5"', '"-0.5"', "line 28: accounts[2].balance: it must be from 0 to 1000000000000"),
    "a balance that is too fine": (
        '"0.5"',
        '"0.0000005"',
        "line 28: accounts[2].balance: at most 6 decimal places are allowed",
    ),
    "too many accounts": (
        "[[accounts]]",
        "[venue]\naccounts_max = 1\n[[accounts]]",
        "accounts[2]: at most 1 accounts fit",
    ),
    # the other sections
    "a port out of range": ("[[accounts]]", "[server]\nport = 65536\n[[accounts]]", "server.port: it must be from 0 to 65535"),
    "a name that is no list": (
        "[[accounts]]",
        '[server]\nhost_names = "a"\n[[accounts]]',
        "host_names: it is a text or a fraction; write a list",
    ),
    "a bound of zero": (
        "[[accounts]]",
        "[venue]\nopen_orders_max = 0\n[[accounts]]",
        "venue.open_orders_max: it must be from 1",
    ),
    "an unknown clock": (
        "[[accounts]]",
        '[clock]\nmode = "fast"\n[[accounts]]',
        "line 21: clock.mode: it must be one of real, vir",
    ),
    "a start before time": (
        "[[accounts]]",
        "[clock]\nstart_time = 1969-01-01T00:00:00Z\n[[accounts]]",
        "must lie between the years 1970 and 2255",
    ),
    "a negative fund": (
        "[[accounts]]",
        "[insurance_fund]\ncredit = -1\n[[accounts]]",
        "insurance_fund.credit: it must be from 0",
    ),
    # funding, marks, risk and collateral
    "a mark source that does not exist": (
        "tiers = [",
        'mark_source = "oracle"\ntiers = [',
        "line 15: instruments[1].mark_source: it must be one of external, index",
    ),
    "a band for a mark that is told": (
        "tiers = [",
        "mark_band = 0.1\ntiers = [",
        'line 15: instruments[1].mark_band: it belongs to an instrument whose mark_source is "index"; remove it, or set that',
    ),
    "an index mark without its window": (
        "tiers = [",
        'mark_source = "index"\nmark_band = 0.1\ntiers = [',
        "instruments[1].basis_window: this key is missing; add a number",
    ),
    "a band of one": (
        "tiers = [",
        'mark_source = "index"\nmark_band = 1\nbasis_window = 1\ntiers = [',
        "line 16: instruments[1].mark_band: mark_band must be above 0 and below 1",
    ),
    "funding without its interval": (
        "tiers = [",
        "funding_cap = 0.01\ntiers = [",
        "instruments[1].funding_interval: this key is missing; add a number",
    ),
    "funding that bankrupts": (
        "tiers = [",
        "funding_interval = 9\nfunding_interest = 0\nfunding_clamp = 0\nfunding_cap = 0.005001\nimpact_notional = 1\ntiers = [",
        "instruments[1].funding_cap: it must be at most 0.005, the maintenance_rate of the first tier",
    ),
    "funding every instant": (
        "tiers = [",
        "funding_interval = 0.5\nfunding_interest = 0\nfunding_clamp = 0\nfunding_cap = 0\nimpact_notional = 1\ntiers = [",
        "line 15: instruments[1].funding_interval: funding_interval must be at least one second",
    ),
    "an interval before now": (
        "tiers = [",
        "funding_interval = -1\ntiers = [",
        "line 15: instruments[1].funding_interval: it must be from 0 to 1000000000 seconds",
    ),
    "a sizing that does not exist": (
        "[[accounts]]",
        '[risk]\nliquidation_sizing = "half"\n[[accounts]]',
        "line 21: risk.liquidation_sizing: it must be one of target, tier_step, fraction, full",
    ),
    "a target below maintenance": (
        "[[accounts]]",
        "[risk]\nliquidation_target = 0.9\n[[accounts]]",
        "line 21: risk.liquidation_target: liquidation_target must be at least 1",
    ),
    "warnings that fall": (
        "[[accounts]]",
        "[risk]\nmargin_call_levels = [0.8, 0.6]\n[[accounts]]",
        "line 21: risk.margin_call_levels: margin_call_levels must ascend within 0 to 1",
    ),
    "a single warning": (
        "[[accounts]]",
        "[risk]\nmargin_call_levels = 0.8\n[[accounts]]",
        "risk.margin_call_levels: it is a text or a fraction; write a list of numbers",
    ),
    "a warning that is none": (
        "[[accounts]]",
        '[risk]\nmargin_call_levels = ["soon"]\n[[accounts]]',
        "line 21: risk.margin_call_levels: write a decimal number",
    ),
    "a word for a truth": (
        "[[accounts]]",
        '[risk]\nfund_covers = "no"\n[[accounts]]',
        "line 21: risk.fund_covers: it is a text or a fraction; write true or false without quotes",
    ),
    "a negative remainder": (
        "[[accounts]]",
        "[risk]\nliquidation_remainder_min = -1\n[[accounts]]",
        "risk.liquidation_remainder_min: it must be from 0 to 1000000000000",
    ),
    "no rounds": (
        "[[accounts]]",
        "[risk]\nliquidation_rounds_max = 0\n[[accounts]]",
        "risk.liquidation_rounds_max: liquidation_rounds_max must be at least 1",
    ),
    "an unknown choice": (
        "[[accounts]]",
        "[risk]\nbad_dept = 1\n[[accounts]]",
        "line 21: risk.bad_dept: unknown key; did you mean bad_debt?",
    ),
    "the settlement asset as collateral": (
        "[[accounts]]",
        '[[collateral]]\nasset = "USD"\ndecimals = 2\nhaircut = 0\n[[accounts]]',
        "line 21: collateral[1].asset: asset must be a name of its own",
    ),
    "an asset twice": (
        "[[accounts]]",
        '[[collateral]]\nasset = "BTC"\ndecimals = 8\nhaircut = 0\n' * 2 + "[[accounts]]",
        "line 25: collateral[2].asset: BTC is there already; give each asset one entry",
    ),
    "a haircut of everything": (
        "[[accounts]]",
        '[[collateral]]\nasset = "BTC"\ndecimals = 8\nhaircut = 1\n[[accounts]]',
        "line 23: collateral[1].haircut: haircut must be from 0 to below 1",
    ),
    "an asset too fine": (
        "[[accounts]]",
        '[[collateral]]\nasset = "BTC"\ndecimals = 19\nhaircut = 0\n[[accounts]]',
        "line 22: collateral[1].decimals: it must be from 0 to 18",
    ),
    "an asset for nothing": (
        "[[accounts]]",
        '[[collateral]]\nasset = "BTC"\ndecimals = 8\nhaircut = 0\ninitial_price = 0\n[[accounts]]',
        "collateral[1].initial_price: initial_price must be above 0",
    ),
    "too many assets": (
        "[[accounts]]",
        "".join(f'[[collateral]]\nasset = "A{n}"\ndecimals = 8\nhaircut = 0\n' for n in range(COLLATERAL_MAX + 1))
        + "[[accounts]]",
        f"collateral[{COLLATERAL_MAX + 1}]: at most {COLLATERAL_MAX} assets are allowed; remove some",
    ),
    # no TOML at all
    "a missing quote": ('"alice"', '"alice', "the config is not valid TOML: Illegal character '\\n' (at line 21, column 17)"),
}


@pytest.mark.parametrize(("old", "new", "sentence"), BAD_CONFIGS.values(), ids=BAD_CONFIGS)
def test_a_bad_config_is_refused_in_one_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in SMALL
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, SMALL.replace(old, new, 1))
    message = str(refused.value)
    assert sentence in message
    assert "my.toml" in message
    assert "\n" not in message


def test_a_config_that_is_not_there_or_no_text_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"none\.toml: the config cannot be read \(No such file or directory\); check the path"
    ):
        load_settings(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xff")
    with pytest.raises(ConfigError, match="the config is not UTF-8 text"):
        load_settings(tmp_path / "bytes.toml")
    (tmp_path / "long.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(ConfigError, match="a config has at most 1000000 bytes"):
        load_settings(tmp_path / "long.toml")


def test_config_files_are_found_in_the_checkout() -> None:
    for name in ("sandbox.toml", "alts.toml", "scenarios/crash_2025_10_10.toml"):
        with config_path(name).open("rb") as stream:
            assert tomllib.load(stream)
