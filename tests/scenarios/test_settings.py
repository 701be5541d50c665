"""Margin mode and leverage of a position, accounts, credits, time."""

from __future__ import annotations

import pytest

from exchange.domain.commands import CreateAccount
from exchange.domain.events import AccountCreated, CommandRejected
from exchange.domain.rejects import Reason
from exchange.venue.state import VenueLimits
from exchange.venue.venue import Venue
from tests.cast import BTC_PERP, CAST, T0
from tests.scenarios.table import Table

STAGE = "alice deposits 1000; bob deposits 1000; mark BTC 100 ETH 100"


@pytest.mark.rule("MARG-007")
def test_a_new_position_is_cross_at_the_default_leverage() -> None:
    Table(STAGE).play(
        ("alice", "BTC flat mode cross lev 10"),
        ("alice sets BTC isolated", "mode BTC isolated"),
        ("alice sets BTC leverage 3", "leverage BTC 3"),
        ("alice", "BTC flat mode isolated lev 3, ETH flat mode cross lev 10"),
        ("alice buys 3 BTC at 100", "accepted 1 path isolated required 100.000002, rested 1"),
        ("bob sells 3 BTC at 100", "accepted 2 path cross, trade 3@100 maker 1 taker 2, filled 1, filled 2"),
        ("alice", "BTC +3 isolated 100 im 100"),
    )


@pytest.mark.rule("MARG-007", "MARG-015")
def test_the_settings_stay_when_the_position_is_closed() -> None:
    Table(STAGE + "; alice sets BTC isolated; alice sets BTC leverage 5; alice buys 1 BTC at 100; bob sells 1 BTC at 100").play(
        ("bob buys 1 BTC at 100", "accepted 3, rested 3"),
        ("alice sells 1 BTC at 100", "accepted 4, trade 1@100 maker 3 taker 4, filled 3, filled 4"),
        ("alice", "BTC flat mode isolated lev 5"),
    )


@pytest.mark.rule("MARG-015")
def test_leverage_lies_between_one_and_the_instruments_most() -> None:
    Table(STAGE).play(
        ("alice sets BTC leverage 0", "refused margin.leverage_out_of_range actual 0"),
        ("alice sets BTC leverage -1", "refused margin.leverage_out_of_range"),
        ("alice sets BTC leverage 11", "refused margin.leverage_out_of_range limit 10 actual 11"),
        ("alice sets BTC leverage 1", "leverage BTC 1"),
        ("alice sets BTC leverage 10", "leverage BTC 10"),
    )


@pytest.mark.rule("MARG-015")
def test_settings_may_be_chosen_before_there_is_a_mark() -> None:
    Table().play(
        ("alice sets BTC isolated", "mode BTC isolated"),
        ("alice sets BTC leverage 2", "leverage BTC 2"),
        ("alice", "BTC flat mode isolated lev 2"),
    )


def test_settings_of_unknown_accounts_and_symbols_are_refused() -> None:
    Table(STAGE).play(
        ("nobody sets BTC isolated", "refused account.unknown"),
        ("nobody sets BTC leverage 5", "refused account.unknown"),
        ("alice sets XRP isolated", "refused order.unknown_symbol"),
        ("alice sets XRP leverage 5", "refused order.unknown_symbol"),
    )


@pytest.mark.parametrize("name", ["", "a b", "zo\u00e9", "a" * 37, "name\n", "insurance_fund", "fees"])
def test_malformed_and_reserved_account_names_are_refused(name: str) -> None:
    (event,) = Venue([BTC_PERP]).apply(CreateAccount(account=name), now_ns=T0)
    assert isinstance(event, CommandRejected)
    assert event.reason is Reason.ACCOUNT_NAME


@pytest.mark.parametrize("name", ["a", "a" * 36, "A.b_c:d-1"])
def test_any_short_name_of_plain_letters_will_do(name: str) -> None:
    assert Venue([BTC_PERP]).apply(CreateAccount(account=name), now_ns=T0)[0] == AccountCreated(account=name)


def test_a_name_is_taken_once_and_the_venue_has_room_for_so_many() -> None:
    Table(limits=VenueLimits(accounts_max=len(CAST) + 1)).play(
        ("opens alice", "refused account.exists"),
        ("opens zoe", "created zoe"),
        ("opens yan", f"refused account.accounts_maximum limit {len(CAST) + 1}"),
        ("zoe", "wallet 0, equity 0, available 0, ratio none, bankrupt no"),
    )


def test_credits_are_positive_and_bounded_and_go_to_known_accounts_or_the_fund() -> None:
    most = 10**12
    Table().play(
        ("alice deposits 0", "refused account.credit_out_of_range"),
        ("alice deposits -1", "refused account.credit_out_of_range"),
        (f"alice deposits {most}.000001", f"refused account.credit_out_of_range limit {most * 10**6}"),
        (f"alice deposits {most}", f"credited {most} wallet {most}"),
        ("alice deposits 0.000001", f"credited 0.000001 wallet {most}.000001"),
        ("nobody deposits 1", "refused account.unknown"),
        ("fees deposits 1", "refused account.unknown"),
        ("fund deposits 5", "credited 5 wallet 5"),
        ("fund", f"wallet 5, equity 5, fees 0, deposits {most + 5}.000001"),
    )


def test_time_passes_without_consequences() -> None:
    Table(STAGE).play(("wait", ""), ("continue", ""), ("alice", "wallet 1000"))
