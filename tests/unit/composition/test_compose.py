"""What an exchange holds before its first client, and that two of them share nothing."""

from __future__ import annotations

import msgspec
import pytest

from exchange.composition.compose import compose_parts, opening_commands
from exchange.composition.settings import ClockSettings, Settings, load_settings
from exchange.domain.commands import AdvanceTime, CreateAccount, Credit, IndexPrice, SetIndexPrices, SetMarkPrices
from exchange.domain.enums import EntryKind
from exchange.domain.events import LedgerPosted, LiquidationFinished
from exchange.domain.instrument import IndexMarkTerms
from exchange.domain.units import format_cash
from exchange.domain.views import LedgerEntry
from exchange.services.clock import ClockMode
from exchange.services.sequencer import Applied
from tests.wire_kit import RECORD


@pytest.fixture
def settings() -> Settings:
    """The sandbox on a virtual clock."""
    sandbox = load_settings()
    return msgspec.structs.replace(sandbox, clock=ClockSettings(ClockMode.VIRTUAL, sandbox.clock.start_ns))


def test_accounts_fund_and_marks_are_those_of_the_settings(settings: Settings) -> None:
    parts = compose_parts(settings)
    assert {format_cash(parts.venue.account(entry.account).wallet_balance) for entry in settings.accounts} == {"100000"}
    assert format_cash(parts.venue.funds().insurance_fund_wallet) == "1000000"
    assert format_cash(parts.venue.funds().net_deposits) == "2000000"
    for instrument in settings.instruments:
        assert parts.venue.mark_price(instrument.symbol) == instrument.initial_mark_price
    assert parts.feed.accounts == len(settings.accounts)


def test_everything_came_in_as_commands_in_the_order_of_the_settings(settings: Settings) -> None:
    commands = opening_commands(settings)
    assert [type(command) for command in commands] == [*[CreateAccount, Credit] * 10, Credit, SetMarkPrices]
    assert compose_parts(settings).venue.sequence == len(commands)


@pytest.mark.rule("CONS-006")
def test_the_same_settings_give_the_same_digest_and_exchanges_share_nothing(settings: Settings) -> None:
    first, second = compose_parts(settings), compose_parts(settings)
    assert first.venue.digest() == second.venue.digest()
    first.sequencer.submit(AdvanceTime())
    first.sequencer.submit(Credit(account="alice", amount=1))
    assert second.venue.sequence == len(opening_commands(settings))
    assert format_cash(second.venue.account("alice").wallet_balance) == "100000"


def test_a_mark_that_is_made_of_the_index_begins_with_an_index_price(settings: Settings) -> None:
    btc, *others = settings.instruments
    terms = IndexMarkTerms(band=50_000, basis_window=10**9)
    changed = msgspec.structs.replace(settings, instruments=(msgspec.structs.replace(btc, index_mark=terms), *others))
    *_, marks, prices = opening_commands(changed)
    assert isinstance(marks, SetMarkPrices)
    assert len(marks.marks) == len(others)
    assert btc.initial_mark_price is not None
    assert prices == SetIndexPrices(prices=(IndexPrice(btc.symbol, btc.initial_mark_price),))
    assert compose_parts(changed).venue.mark_price(btc.symbol) == btc.initial_mark_price


def test_the_venue_follows_the_policy_and_takes_the_collateral_of_the_settings(settings: Settings) -> None:
    parts = compose_parts(settings)
    parts.sequencer.submit(Credit(account="alice", amount=10**8, asset="BTC"))
    view = parts.venue.account("alice")
    assert format_cash(view.collateral_value) == "111005.505"
    assert format_cash(view.withdrawable) == "100000"


@pytest.mark.rule("WIRE-022")
def test_histories_are_as_long_as_the_settings_say(settings: Settings) -> None:
    bounds = {"ledger_entries_max": 2, "ledger_entries_total_max": 3, "liquidation_records_max": 1}
    limits = msgspec.structs.replace(settings.server.limits, **bounds)
    feed = compose_parts(msgspec.structs.replace(settings, server=msgspec.structs.replace(settings.server, limits=limits))).feed
    entry = LedgerEntry("alice", "USD", None, EntryKind.FEE, -1, 0)
    events = (LedgerPosted(entries=(entry,) * 9), LiquidationFinished(record=RECORD), LiquidationFinished(record=RECORD))
    feed.apply(Applied(99, 0, AdvanceTime(), events))
    assert len(feed.ledger.page("alice", 9).entries) == 2
    assert feed.liquidations.page(9).dropped == 1
    bob = msgspec.structs.replace(entry, account="bob")
    feed.apply(Applied(100, 0, AdvanceTime(), (LedgerPosted(entries=(bob, bob)),)))
    assert len(feed.ledger.page("alice", 9).entries) == 1


def test_keys_open_their_own_account_and_only_the_admin_key_none(settings: Settings) -> None:
    keys = compose_parts(settings).keys
    alice, admin = keys.find("demo-alice"), keys.find("demo-admin")
    assert alice is not None
    assert admin is not None
    assert (alice.account, alice.secret) == ("alice", "demo-alice-secret")
    assert admin.account is None
    assert keys.find("alice") is None


def test_a_virtual_clock_starts_where_the_settings_say_and_a_real_one_runs(settings: Settings) -> None:
    assert compose_parts(settings).clock.now_ns() == settings.clock.start_ns
    real = compose_parts(msgspec.structs.replace(settings, clock=ClockSettings(ClockMode.REAL, 0))).clock
    assert real.mode is ClockMode.REAL
    assert real.now_ns() > settings.clock.start_ns


def test_a_venue_may_start_with_no_accounts_no_fund_and_no_marks(settings: Settings) -> None:
    bare = msgspec.structs.replace(
        settings,
        accounts=(),
        insurance_fund_credit=0,
        instruments=tuple(msgspec.structs.replace(entry, initial_mark_price=None) for entry in settings.instruments),
    )
    assert compose_parts(bare).venue.sequence == 0
