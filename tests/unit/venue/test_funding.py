"""When funding is due and what a command does about it; what it pays is told in the tables."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.commands import AdvanceTime, CreateAccount, IndexPrice, MarkPrice, SetIndexPrices, SetMarkPrices
from exchange.domain.events import AnyEvent, FundingPaid, FundingSettled, TimeAdvanced
from exchange.domain.instrument import FundingTerms, Instrument
from exchange.domain.views import FundingView
from exchange.venue.funding import FUNDINGS_PER_COMMAND_MAX
from exchange.venue.venue import Venue
from tests.cast import ALICE, BTC_PERP, ETH_PERP, SOL_PERP, T0, cash
from tests.scenarios.table import Table

SECOND = 10**9
MINUTE = 60 * SECOND
RATE = 100_000


def every(interval: int, instrument: Instrument = BTC_PERP, rate: int = RATE) -> Instrument:
    """Return an instrument with funding of one rate in this interval."""
    terms = FundingTerms(interval=interval, interest=rate, clamp=abs(rate), cap=10**8, impact_notional=cash("100"))
    return replace(instrument, funding=terms)


def marked(*instruments: Instrument) -> Venue:
    """A venue at T0 with a mark of 100 in each symbol."""
    venue = Venue(instruments)
    venue.apply(SetMarkPrices(marks=tuple(MarkPrice(each.symbol, 100) for each in instruments)), now_ns=T0)
    return venue


def settled(events: tuple[AnyEvent, ...]) -> list[tuple[str, int]]:
    """Return symbol and next time of each funding."""
    return [(event.symbol, event.next_funding_time_ns) for event in events if isinstance(event, FundingSettled)]


@pytest.mark.rule("FUND-004")
def test_the_first_command_of_any_kind_sets_the_first_time_to_the_next_whole_interval() -> None:
    assert T0 % MINUTE == 0
    for now_ns, first in ((T0, T0 + MINUTE), (T0 + 1, T0 + MINUTE), (T0 - 1, T0), (0, MINUTE)):
        venue = Venue([every(MINUTE)])
        assert venue.next_due_ns is None
        venue.apply(CreateAccount(account=ALICE), now_ns=now_ns)
        assert venue.next_due_ns == first


@pytest.mark.rule("FUND-004")
def test_without_funding_nothing_is_ever_due() -> None:
    venue = marked(BTC_PERP)
    assert venue.next_due_ns is None
    assert venue.apply(AdvanceTime(), now_ns=T0 * 2) == (TimeAdvanced(time_ns=T0 * 2),)
    assert venue.funding("BTC-PERP") == FundingView("BTC-PERP", None, 0, 0, 0, None)


@pytest.mark.rule("FUND-004")
def test_what_is_due_next_is_the_earliest_of_all_symbols() -> None:
    venue = marked(every(3 * MINUTE, BTC_PERP), every(2 * MINUTE, ETH_PERP), SOL_PERP)
    times = []
    for _ in range(4):
        due = venue.next_due_ns
        assert due is not None
        times += [(symbol, (due - T0) // MINUTE) for symbol, _ in settled(venue.apply(AdvanceTime(), now_ns=due))]
    first_btc, first_eth = 3 - T0 // MINUTE % 3, 2 - T0 // MINUTE % 2
    expected = [("BTC-PERP", first_btc + 3 * n) for n in range(9)] + [("ETH-PERP", first_eth + 2 * n) for n in range(9)]
    assert times == sorted(expected, key=lambda each: (each[1], each[0]))[: len(times)]
    assert len(times) >= 4


@pytest.mark.rule("FUND-004")
def test_nothing_is_paid_one_moment_before_its_time() -> None:
    venue = marked(every(MINUTE))
    assert settled(venue.apply(AdvanceTime(), now_ns=T0 + MINUTE - 1)) == []
    assert settled(venue.apply(AdvanceTime(), now_ns=T0 + MINUTE)) == [("BTC-PERP", T0 + 2 * MINUTE)]
    assert settled(venue.apply(AdvanceTime(), now_ns=T0 + MINUTE)) == []


@pytest.mark.rule("FUND-004")
def test_only_the_passing_of_time_pays_other_commands_leave_it_due() -> None:
    venue = marked(every(MINUTE))
    late = venue.apply(SetMarkPrices(marks=(MarkPrice("BTC-PERP", 101),)), now_ns=T0 + 90 * SECOND)
    assert settled(late) == []
    assert venue.next_due_ns == T0 + MINUTE


@pytest.mark.rule("FUND-004")
def test_a_command_after_a_jump_catches_up_in_order_of_time_and_symbol() -> None:
    venue = marked(every(2 * MINUTE, ETH_PERP), every(MINUTE, BTC_PERP))
    assert T0 % (2 * MINUTE) == 0
    events = venue.apply(AdvanceTime(), now_ns=T0 + 4 * MINUTE)
    assert isinstance(events[0], TimeAdvanced)
    assert settled(events) == [
        ("BTC-PERP", T0 + 2 * MINUTE),
        ("BTC-PERP", T0 + 3 * MINUTE),
        ("ETH-PERP", T0 + 4 * MINUTE),
        ("BTC-PERP", T0 + 4 * MINUTE),
        ("BTC-PERP", T0 + 5 * MINUTE),
        ("ETH-PERP", T0 + 6 * MINUTE),
    ]


@pytest.mark.rule("FUND-004")
def test_one_command_settles_so_many_fundings_and_leaves_the_rest_due() -> None:
    venue = marked(every(MINUTE))
    jump = T0 + (FUNDINGS_PER_COMMAND_MAX + 3) * MINUTE
    assert len(settled(venue.apply(AdvanceTime(), now_ns=jump))) == FUNDINGS_PER_COMMAND_MAX
    assert venue.next_due_ns == T0 + (FUNDINGS_PER_COMMAND_MAX + 1) * MINUTE
    assert len(settled(venue.apply(AdvanceTime(), now_ns=jump))) == 3
    assert venue.next_due_ns == jump + MINUTE


@pytest.mark.rule("FUND-001", "FUND-004")
def test_a_jump_counts_the_last_premium_up_to_each_time_and_begins_each_interval_anew() -> None:
    """The bid of 5 at 104 stands over an index of 100 from T0 on and over one of 104 from 90 s on."""
    table = Table(
        "alice deposits 1000; mark BTC 100; index BTC 100; alice buys 5 BTC at 104", instruments=[every(MINUTE, rate=0)]
    )
    venue, now = table.venue, table.now_ns
    first = venue.next_due_ns
    assert first is not None
    venue.apply(SetIndexPrices(prices=(IndexPrice("BTC-PERP", 100),)), now_ns=now)
    rates = [
        event.premium for event in venue.apply(AdvanceTime(), now_ns=first + 90 * SECOND) if isinstance(event, FundingSettled)
    ]
    assert 39_000_000 < rates[0] < 40_000_000, "a few milliseconds without a bid"
    assert rates[1:] == [40_000_000]
    venue.apply(SetIndexPrices(prices=(IndexPrice("BTC-PERP", 104),)), now_ns=first + 90 * SECOND)
    (last,) = (event for event in venue.apply(AdvanceTime(), now_ns=first + 2 * MINUTE) if isinstance(event, FundingSettled))
    assert (last.premium, last.funding_rate) == (20_000_000, 20_000_000)


@pytest.mark.rule("FUND-001", "FUND-004")
def test_a_look_as_time_passes_counts_from_then_on_and_up_to_the_funding_time_only() -> None:
    """Half a minute without premium, then the bid at 104 until the minute is over; the command comes half a minute late."""
    table = Table(
        "alice deposits 1000; mark BTC 100; wait until 1m; alice buys 5 BTC at 104", instruments=[every(MINUTE, rate=0)]
    )
    venue, start = table.venue, T0 + MINUTE
    venue.apply(AdvanceTime(), now_ns=start + 30 * SECOND)
    late = venue.apply(AdvanceTime(), now_ns=start + 90 * SECOND)
    assert [event.premium for event in late if isinstance(event, FundingSettled)] == [20_000_000]


@pytest.mark.rule("FUND-001", "FUND-004")
def test_looks_between_the_funding_time_and_a_late_command_count_for_what_they_saw_and_no_less() -> None:
    """Nobody let time pass at one minute; the bid that a mark update saw half a minute later is not taken off again."""
    table = Table(
        "alice deposits 1000; mark BTC 100; wait until 1m; alice buys 5 BTC at 104", instruments=[every(MINUTE, rate=0)]
    )
    venue, start = table.venue, T0 + MINUTE
    venue.apply(SetMarkPrices(marks=(MarkPrice("BTC-PERP", 100),)), now_ns=start + 90 * SECOND)
    late = venue.apply(AdvanceTime(), now_ns=start + 91 * SECOND)
    assert [event.premium for event in late if isinstance(event, FundingSettled)] == [0]
    assert venue.funding("BTC-PERP").premium == 40_000_000, "one second of the next minute so far"


@pytest.mark.rule("FUND-004", "FUND-003")
def test_a_symbol_without_a_mark_pays_nothing_but_its_time_goes_on() -> None:
    venue = Venue([every(MINUTE)])
    venue.apply(CreateAccount(account=ALICE), now_ns=T0)
    assert venue.apply(AdvanceTime(), now_ns=T0 + MINUTE) == (TimeAdvanced(time_ns=T0 + MINUTE),)
    assert venue.next_due_ns == T0 + 2 * MINUTE


@pytest.mark.rule("FUND-003")
def test_the_events_tell_the_whole_symbol_first_and_then_each_position_by_name() -> None:
    stage = (
        "carol deposits 1000; bob deposits 1000; alice deposits 1000; mark BTC 100; carol buys 10 BTC at 100;"
        "bob sells 4 BTC at 100; alice sells 6 BTC at 100"
    )
    venue = Table(stage, instruments=[every(MINUTE)]).venue
    events = venue.apply(AdvanceTime(), now_ns=T0 + MINUTE)
    paid = [event for event in events if isinstance(event, FundingSettled | FundingPaid)]
    assert paid[0] == FundingSettled(
        symbol="BTC-PERP",
        funding_rate=RATE,
        premium=0,
        mark_price=100,
        residual=0,
        payments=3,
        next_funding_time_ns=T0 + 2 * MINUTE,
        time_ns=T0 + MINUTE,
    )
    amounts = [(event.account, event.amount, event.wallet_balance) for event in paid[1:] if isinstance(event, FundingPaid)]
    assert amounts == [
        ("alice", cash("0.06"), cash("1000.06")),
        ("bob", cash("0.04"), cash("1000.04")),
        ("carol", cash("-0.1"), cash("999.9")),
    ]
    assert venue.imbalance() == 0


@pytest.mark.rule("FUND-001", "FUND-002")
def test_the_view_shows_what_would_be_paid_if_the_interval_ended_now() -> None:
    instrument = every(MINUTE, rate=1_000_000)
    table = Table(
        "alice deposits 1000; mark BTC 100; wait until 1m; index BTC 100; alice buys 5 BTC at 104; index BTC 100",
        instruments=[instrument],
    )
    venue = table.venue
    venue.apply(CreateAccount(account="zoe"), now_ns=table.now_ns + 1_000)
    view = venue.funding("BTC-PERP")
    assert (view.index_price, view.last_funding_rate, view.next_funding_time_ns) == (100, 1_000_000, T0 + 2 * MINUTE)
    assert view.premium == 13_329, "a microsecond at 4 percent after three milliseconds at nothing"
    assert view.funding_rate == 1_000_000
    venue.apply(CreateAccount(account="yan"), now_ns=table.now_ns + SECOND)
    later = venue.funding("BTC-PERP")
    assert later.premium > 39_000_000
    assert later.funding_rate == later.premium - 1_000_000, "interest less premium is clamped"
