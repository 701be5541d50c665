"""The corridor's part in marks: which events an update gives, and what is kept of trades and halts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.commands import (
    AdvanceTime,
    AnyCommand,
    IndexPrice,
    MarkPrice,
    SetIndexPrices,
    SetMarkPrices,
    SetTradingState,
)
from exchange.domain.enums import TradingState
from exchange.domain.events import AnyEvent, CommandRejected, IndexPriceChanged, MarkPriceChanged
from exchange.domain.instrument import FundingTerms, IndexMarkTerms
from exchange.domain.policy import RiskPolicy
from exchange.domain.rejects import Reason
from exchange.domain.units import PRICE_TICKS_MAX
from exchange.venue.venue import Venue
from tests.cast import BTC_PERP, ETH_PERP, T0, cash
from tests.scenarios.table import Table

SECOND = 10**9
OF_INDEX = IndexMarkTerms(band=50_000, basis_window=10 * SECOND)
BTC = replace(BTC_PERP, index_mark=OF_INDEX)


def told(*prices: tuple[str, int]) -> AnyCommand:
    return SetIndexPrices(prices=tuple(IndexPrice(symbol, price) for symbol, price in prices))


def changes(events: tuple[AnyEvent, ...]) -> list[AnyEvent]:
    return [event for event in events if isinstance(event, MarkPriceChanged | IndexPriceChanged)]


@pytest.mark.rule("MARK-003")
def test_an_update_tells_every_index_then_every_mark_made_of_one() -> None:
    venue = Venue([BTC, ETH_PERP])
    events = venue.apply(told(("ETH-PERP", 50), ("BTC-PERP", 100)), now_ns=T0)
    assert changes(events) == [
        IndexPriceChanged(symbol="ETH-PERP", index_price=50, time_ns=T0),
        IndexPriceChanged(symbol="BTC-PERP", index_price=100, time_ns=T0),
        MarkPriceChanged(symbol="BTC-PERP", mark_price=100, time_ns=T0),
    ]
    assert venue.mark_price("ETH-PERP") is None


@pytest.mark.rule("MARK-003", "MARK-004")
def test_a_fresh_mark_is_told_though_it_is_the_same_and_passing_time_tells_only_what_moved() -> None:
    venue = Venue([BTC])
    venue.apply(told(("BTC-PERP", 100)), now_ns=T0)
    assert len(changes(venue.apply(told(("BTC-PERP", 100)), now_ns=T0 + 1))) == 2
    assert changes(venue.apply(AdvanceTime(), now_ns=T0 + 2)) == []


@pytest.mark.rule("MARK-004")
def test_a_mark_made_anew_as_time_passes_keeps_the_age_of_its_index() -> None:
    table = Table(
        "alice deposits 1000; bob deposits 1000; index BTC 100; alice buys 1 BTC at 103; bob sells 1 BTC at 105",
        instruments=[BTC],
        policy=RiskPolicy(mark_stale_after=60 * SECOND),
    )
    accounts = table.venue._state.accounts
    age = dict(accounts.mark_times)
    table.play(("wait 61s", ""), ("BTC", "mark 104"))
    assert accounts.mark_times == age
    assert accounts.is_stale("BTC-PERP")
    table.play(("index BTC 100", ""))
    assert not accounts.is_stale("BTC-PERP")


@pytest.mark.rule("MARK-001")
def test_a_refusal_names_the_command_the_symbol_and_the_bound() -> None:
    venue = Venue([BTC_PERP])
    assert venue.apply(SetMarkPrices(marks=(MarkPrice("BTC-PERP", 0),)), now_ns=T0) == (
        CommandRejected(
            account=None,
            command="SetMarkPrices",
            reason=Reason.MARK_PRICE_RANGE,
            symbol="BTC-PERP",
            limit=PRICE_TICKS_MAX,
            actual=0,
        ),
    )
    assert venue.apply(told(("BTC-PERP", 5), ("BTC-PERP", 5)), now_ns=T0) == (
        CommandRejected(account=None, command="SetIndexPrices", reason=Reason.MARK_REPEATED, symbol="BTC-PERP"),
    )
    assert venue.index_price("BTC-PERP") is None


@pytest.mark.rule("MARK-003")
def test_a_mark_made_of_an_index_at_the_upper_limit_stays_within_it() -> None:
    terms = FundingTerms(interval=100 * SECOND, interest=10**7, clamp=10**7, cap=10**7, impact_notional=cash("1"))
    table = Table(
        "alice deposits 1000; bob deposits 1000; index BTC 100; alice buys 1 BTC at 100; bob sells 1 BTC at 100;"
        "wait until 100s; alice sells 1 BTC at 100; bob buys 1 BTC at 100",
        instruments=[replace(BTC, funding=terms)],
    )
    market = table.venue._state.markets["BTC-PERP"]
    market.last_price = 2 * PRICE_TICKS_MAX
    assert market.last_funding_rate == 10**7
    table.venue.apply(told(("BTC-PERP", PRICE_TICKS_MAX)), now_ns=table.now_ns + 1)
    assert table.venue.mark_price("BTC-PERP") == PRICE_TICKS_MAX


@pytest.mark.rule("MARK-003")
def test_the_last_trade_of_a_command_is_remembered() -> None:
    stage = (
        "alice deposits 1000; bob deposits 1000; mark BTC 100; alice buys 1 BTC at 99; alice buys 1 BTC at 98;"
        "bob sells 1 BTC at 120"
    )
    table = Table(stage)
    market = table.venue._state.markets["BTC-PERP"]
    assert market.last_price is None
    table.play(
        (
            "bob sells 2 BTC at 98",
            "accepted 4, trade 1@99 maker 1 taker 4, filled 1, trade 1@98 maker 2 taker 4, filled 2, filled 4",
        )
    )
    assert market.last_price == 98


@pytest.mark.rule("FUND-001", "BOOK-017")
def test_a_halt_stops_the_premiums_time_at_once_and_an_opening_starts_it() -> None:
    terms = FundingTerms(interval=1_000 * SECOND, interest=0, clamp=0, cap=10**8, impact_notional=cash("1"))
    venue = Venue([replace(BTC_PERP, funding=terms)])
    venue.apply(SetMarkPrices(marks=(MarkPrice("BTC-PERP", 100),)), now_ns=T0)
    market = venue._state.markets["BTC-PERP"]
    for after, state, counted in (
        (3, TradingState.HALTED, 3),
        (9, TradingState.HALTED, 3),
        (20, TradingState.OPEN, 3),
        (25, TradingState.OPEN, 8),
    ):
        venue.apply(SetTradingState(symbol="BTC-PERP", trading_state=state), now_ns=T0 + after)
        assert market.premium.weight == counted
        assert (market.premium_time_ns is None) == (state is TradingState.HALTED)
