from __future__ import annotations

import pytest

from exchange.domain.commands import AdvanceTime, CreateAccount, Credit, SetMarkPrices
from exchange.domain.enums import EntryKind
from exchange.domain.events import LedgerPosted
from exchange.domain.ids import FEES, INSURANCE_FUND
from exchange.domain.views import LedgerEntry
from exchange.services.clock import VirtualClock
from exchange.services.feed import Feed
from exchange.services.ledger_history import LedgerHistory
from exchange.services.sequencer import Applied, Sequencer
from exchange.venue.venue import Venue
from tests.cast import ALICE, BOB, BTC_PERP, CAROL, T0, cash


def posted(sequence: int, *amounts: tuple[str, int]) -> tuple[LedgerPosted, Applied]:
    """Return the entries of one command, by account and amount."""
    entries = tuple(LedgerEntry(account, "USD", None, EntryKind.DEPOSIT, amount, 0) for account, amount in amounts)
    event = LedgerPosted(entries=entries)
    return event, Applied(sequence, T0 + sequence, AdvanceTime(), (event,))


def filled(history: LedgerHistory, count: int) -> LedgerHistory:
    for number in range(1, count + 1):
        history.apply(*posted(10 * number, (ALICE, number)))
    return history


def amounts(history: LedgerHistory, limit: int, before: int | None = None) -> list[int]:
    return [each.entry.amount for each in history.page(ALICE, limit, before).entries]


@pytest.mark.rule("WIRE-022")
def test_pages_follow_each_other_from_the_newest_to_the_oldest() -> None:
    history = filled(LedgerHistory(), 7)
    assert amounts(history, 3) == [7, 6, 5]
    assert amounts(history, 3, 5) == [4, 3, 2]
    assert amounts(history, 3, 2) == [1]
    assert amounts(history, 3, 1) == []
    assert amounts(history, 3, 99) == [7, 6, 5]
    assert [history.page(ALICE, 3, before).has_older for before in (None, 5, 4, 2, 1)] == [True, True, False, False, False]
    newest = history.page(ALICE, 1).entries[0]
    assert (newest.number, newest.sequence, newest.time_ns) == (7, 70, T0 + 70)


@pytest.mark.rule("WIRE-022")
def test_of_one_account_the_oldest_beyond_the_bound_are_dropped_and_counted() -> None:
    history = filled(LedgerHistory(entries_max=4), 7)
    page = history.page(ALICE, 10)
    assert [each.number for each in page.entries] == [7, 6, 5, 4]
    assert (page.dropped, page.has_older) == (3, False)
    assert amounts(history, 10, 6) == [5, 4]
    assert amounts(history, 10, 4) == []


@pytest.mark.rule("WIRE-022")
def test_of_all_accounts_together_the_oldest_beyond_the_bound_are_dropped() -> None:
    history = LedgerHistory(entries_max=3, entries_total_max=5)
    history.apply(*posted(1, (BOB, 1), (BOB, 2)))
    filled(history, 50)
    assert [each.entry.amount for each in history.page(BOB, 9).entries] == [2, 1], "what was dropped already counts no more"
    assert amounts(history, 9) == [50, 49, 48]
    history.apply(*posted(51, (CAROL, 1)))
    assert [each.entry.amount for each in history.page(BOB, 9).entries] == [2]
    assert history.page(BOB, 9).dropped == 1
    history.apply(*posted(52, (CAROL, 2), (CAROL, 3)))
    assert [each.entry.amount for each in history.page(BOB, 9).entries] == []
    assert amounts(history, 9) == [50, 49]


def test_the_venues_own_accounts_are_left_out_and_unknown_ones_have_nothing() -> None:
    history = LedgerHistory()
    history.apply(*posted(1, (INSURANCE_FUND, 5), (FEES, 6), (ALICE, 7)))
    assert history.page(INSURANCE_FUND, 9).entries == history.page(FEES, 9).entries == history.page(BOB, 9).entries == ()
    assert amounts(history, 9) == [7]


def test_the_feed_takes_in_what_the_venue_posts() -> None:
    venue = Venue([BTC_PERP])
    sequencer = Sequencer(venue, VirtualClock(T0))
    feed = Feed(venue.instruments)
    sequencer.subscribe(feed.apply)
    sequencer.submit(CreateAccount(account=ALICE))
    sequencer.submit(Credit(account=ALICE, amount=cash("5")))
    sequencer.submit(SetMarkPrices(marks=()))
    (entry,) = feed.ledger.page(ALICE, 9).entries
    assert (entry.entry.kind, entry.entry.amount, entry.entry.balance) == (EntryKind.DEPOSIT, cash("5"), cash("5"))
    assert (entry.sequence, entry.time_ns) == (2, T0)
