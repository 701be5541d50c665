"""What is kept of a symbol beside its book: when the premium's time counts, the basis, and the price that trades show."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from exchange.domain.enums import Side
from exchange.domain.funding_math import TimeAverage
from exchange.domain.instrument import FundingTerms, IndexMarkTerms
from exchange.domain.units import PPM
from exchange.matching.book import Book
from exchange.matching.order import Order
from exchange.venue.market import FUNDING_DEPTH_LEVELS, Market
from tests.cast import ALICE, BTC_PERP, T0, cash

SECOND = 10**9
TERMS = FundingTerms(interval=100 * SECOND, interest=0, clamp=0, cap=50_000_000, impact_notional=cash("200"))
INSTRUMENT = replace(BTC_PERP, funding=TERMS, index_mark=IndexMarkTerms(band=100_000, basis_window=10 * SECOND))


def book(bids: Sequence[tuple[int, int]] = (), asks: Sequence[tuple[int, int]] = ()) -> Book:
    """A book with these price levels, each ``(price, lots)``."""
    made = Book("BTC-PERP")
    for side, levels in ((Side.BUY, bids), (Side.SELL, asks)):
        for price, lots in levels:
            number = len(made.orders) + 1
            made.rest(
                Order(
                    order_id=number,
                    account=ALICE,
                    symbol="BTC-PERP",
                    side=side,
                    quantity=lots,
                    limit_price=price,
                    time_ns=T0,
                )
            )
    return made


def market(index: int | None = 100) -> Market:
    made = Market(INSTRUMENT)
    made.index_price = index
    return made


# -- the premium -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("FUND-001")
def test_a_sample_holds_until_the_next_and_counts_by_how_long_it_held() -> None:
    kept, rich, fair = market(), book([(104, 5)]), book([(99, 5)])
    kept.sample_premium(rich, None, T0, is_halted=False)
    kept.sample_premium(fair, None, T0 + 3 * SECOND, is_halted=False)
    assert kept.premium == TimeAverage(3 * 40_000_000 * SECOND, 3 * SECOND)
    assert kept.premium_until(T0 + 4 * SECOND).rounded() == 30_000_000
    assert kept.premium == TimeAverage(3 * 40_000_000 * SECOND, 3 * SECOND), "asking changes nothing"


@pytest.mark.rule("FUND-001")
def test_time_before_the_first_sample_and_in_halt_does_not_count() -> None:
    kept, rich, fair = market(), book([(104, 5)]), book()
    assert kept.premium_until(T0) == TimeAverage()
    kept.sample_premium(rich, None, T0, is_halted=False)
    kept.sample_premium(rich, None, T0 + SECOND, is_halted=True)
    kept.sample_premium(fair, None, T0 + 50 * SECOND, is_halted=True)
    assert kept.premium_until(T0 + 60 * SECOND) == TimeAverage(40_000_000 * SECOND, SECOND)
    kept.sample_premium(fair, None, T0 + 60 * SECOND, is_halted=False)
    assert kept.premium_until(T0 + 61 * SECOND) == TimeAverage(40_000_000 * SECOND, 2 * SECOND)


@pytest.mark.rule("FUND-001")
def test_without_an_index_the_premium_is_that_over_the_mark_and_without_both_there_is_none() -> None:
    kept, rich = market(index=None), book([(104, 5)])
    kept.sample_premium(rich, None, T0, is_halted=False)
    assert kept.premium_time_ns is None
    kept.sample_premium(rich, 100, T0, is_halted=False)
    assert (kept.premium_now, kept.premium_time_ns) == (40_000_000, T0)
    kept.index_price = 104
    kept.sample_premium(rich, 100, T0, is_halted=False)
    assert kept.premium_now == 0


@pytest.mark.rule("FUND-001")
@pytest.mark.parametrize(
    ("bids", "asks", "premium"),
    [
        ([(104, 1), (102, 5)], [(110, 5)], 30_303_030),  # one lot at 104 and 96 of money at 102
        ([(90, 5)], [(98, 1), (99, 5)], -14_925_373),  # one lot at 98 and 102 of money at 99
        ([(103, 1)], [(110, 5)], 0),  # not as deep as that
        ([(120, 5)], [], 50_000_000),  # bounded
        ([], [(80, 5)], -50_000_000),
        ([(99, 5)], [(101, 5)], 0),
        ([(100, 5)], [(101, 5)], 0),
    ],
)
def test_the_premium_is_that_of_the_impact_price_on_the_side_beyond_the_index(
    bids: list[tuple[int, int]], asks: list[tuple[int, int]], premium: int
) -> None:
    kept = market()
    kept.sample_premium(book(bids, asks), None, T0, is_halted=False)
    assert kept.premium_now == premium


@pytest.mark.rule("FUND-001")
@pytest.mark.parametrize(("levels", "premium"), [(FUNDING_DEPTH_LEVELS, True), (FUNDING_DEPTH_LEVELS + 1, False)])
def test_an_impact_price_looks_at_so_many_levels_and_no_more(levels: int, premium: bool) -> None:
    """Each level holds one lot of about 1000; the impact notional needs all of the last one."""
    prices = range(1_500, 1_500 - levels, -1)
    deep = replace(INSTRUMENT, funding=replace(TERMS, impact_notional=sum(prices) * cash("1")))
    kept = Market(deep)
    kept.index_price = 1_000
    kept.sample_premium(book([(price, 1) for price in prices]), None, T0, is_halted=False)
    assert (kept.premium_now > 0) == premium


def test_a_symbol_without_funding_is_not_sampled() -> None:
    kept = Market(BTC_PERP)
    kept.index_price = 100
    kept.sample_premium(book([(104, 5)]), 100, T0, is_halted=False)
    assert (kept.premium_now, kept.premium_time_ns) == (0, None)


@pytest.mark.rule("FUND-004")
def test_an_interval_that_ends_leaves_the_rest_of_the_time_to_the_next() -> None:
    kept = market()
    kept.next_funding_ns = T0 + 10 * SECOND
    kept.sample_premium(book([(104, 5)]), None, T0, is_halted=False)
    kept.end_interval(7, TERMS.interval)
    assert (kept.last_funding_rate, kept.next_funding_ns) == (7, T0 + 110 * SECOND)
    assert kept.premium_until(T0 + 12 * SECOND) == TimeAverage(40_000_000 * 2 * SECOND, 2 * SECOND)
    kept.sample_premium(book(), None, T0 + 12 * SECOND, is_halted=True)
    kept.end_interval(8, TERMS.interval)
    assert kept.premium_time_ns is None, "in halt time stands still over the end of an interval, too"


# -- the basis ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARK-003")
def test_a_middle_weighs_as_much_of_the_window_as_has_passed_since_the_look_before() -> None:
    kept, quoted = market(), book([(103, 1)], [(106, 1)])
    kept.sample_basis(quoted, T0, is_halted=False)
    assert kept.basis == 0, "the first look only starts the clock"
    kept.sample_basis(quoted, T0 + SECOND, is_halted=False)
    assert kept.basis == PPM * 45 // 100, "a tenth of 4.5"
    kept.sample_basis(quoted, T0 + 99 * SECOND, is_halted=False)
    assert kept.basis == PPM * 45 // 10


@pytest.mark.rule("MARK-003")
def test_time_without_a_middle_or_in_halt_leaves_the_basis_and_gives_the_next_middle_no_weight() -> None:
    kept, quoted = market(), book([(103, 1)], [(105, 1)])
    kept.sample_basis(quoted, T0, is_halted=False)
    kept.sample_basis(book([(103, 1)]), T0 + 50 * SECOND, is_halted=False)
    kept.sample_basis(quoted, T0 + 51 * SECOND, is_halted=False)
    assert kept.basis == PPM * 4 // 10
    kept.sample_basis(quoted, T0 + 90 * SECOND, is_halted=True)
    kept.sample_basis(quoted, T0 + 90 * SECOND, is_halted=False)
    assert kept.basis == PPM * 4 // 10


# -- what trades show --------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARK-003")
def test_the_price_of_trades_is_the_last_one_else_the_impact_middle_else_the_middle_else_none() -> None:
    kept = market()
    assert kept.traded_price(book()) is None
    assert kept.traded_price(book([(100, 9)])) is None
    assert kept.traded_price(book([(100, 1)], [(110, 9)])) == 105
    # two levels a side: 200 buys 1 + 90/120 lots for 114.3 and sells 1 + 100/80 for 88.9
    assert kept.traded_price(book([(100, 1), (80, 9)], [(110, 1), (120, 9)])) == 102
    kept.last_price = 7
    assert kept.traded_price(book([(100, 9)], [(110, 9)])) == 7


@pytest.mark.rule("MARK-003")
def test_a_middle_between_two_ticks_is_rounded_half_to_even() -> None:
    plain = Market(replace(INSTRUMENT, funding=None))
    assert plain.traded_price(book([(100, 1)], [(101, 1)])) == 100
    assert plain.traded_price(book([(101, 1)], [(102, 1)])) == 102


@pytest.mark.rule("CONS-006")
@pytest.mark.parametrize("name", [name for name in Market.__slots__ if name != "instrument"])
def test_the_digests_picture_shows_everything_that_may_change(name: str) -> None:
    kept, before = market(), market().picture()
    setattr(kept, name, TimeAverage(1, 1) if name == "premium" else 77)
    assert kept.picture() != before
