"""The pure margin functions hold their promises for every instrument, position and mark (MARG and LIQ rules)."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exchange.domain import margin_math
from exchange.domain.instrument import Instrument, TierRow, build_tiers
from exchange.domain.policy import MarginPrice, MarginRules
from exchange.domain.units import PPM, Grid, format_decimal, parse_decimal
from tests.properties import naive_formulas as formulas
from tests.properties.profiles import DIRECTED

MARKS = st.integers(1, 10**6)
SIZES = st.integers(1, 10**5)
SIGNS = st.sampled_from((1, -1))
MONEY = st.integers(-(10**12), 10**12)
RULES = st.one_of(
    st.just(MarginRules()),
    st.builds(
        MarginRules,
        maintenance_price=st.sampled_from(MarginPrice),
        initial_margin_price=st.sampled_from(MarginPrice),
        close_fee_in_maintenance=st.booleans(),
        order_close_fee=st.booleans(),
        liquidation_price_buffer=st.sampled_from((0, 20_000, 500_000)),
    ),
)


@st.composite
def instruments(draw: st.DrawFn) -> Instrument:
    """Any consistent instrument with one to five tiers; floors are multiples of 10^6, so that amounts are whole."""
    count = draw(st.integers(1, 5))
    floors = sorted(draw(st.sets(st.integers(1, 10**4), min_size=count - 1, max_size=count - 1)))
    rates = sorted(draw(st.lists(st.integers(1, 300_000), min_size=count, max_size=count)))
    leverages = [max(1, min(draw(st.integers(1, 125)), (PPM - 1) // rate)) for rate in rates]
    leverages.sort(reverse=True)
    leverages = [min(leverage, (PPM - 1) // rate) for leverage, rate in zip(leverages, rates, strict=True)]
    rows = zip([0, *(f * PPM for f in floors)], rates, leverages, strict=True)
    return Instrument(
        symbol="ANY-PERP",
        price_grid=Grid(1, 2),
        quantity_grid=Grid(1, 3),
        cash_per_tick_lot=draw(st.integers(1, 10**4)),
        tiers=build_tiers(TierRow(*row) for row in rows),
        default_leverage=1,
        maker_fee=draw(st.integers(-300, 300)),
        taker_fee=draw(st.integers(300, 1000)),
        liquidation_fee=draw(st.integers(0, 20_000)),
        price_band=100_000,
        market_protection=50_000,
        notional_min=0,
        quantity_max=10**6,
        rules=draw(RULES),
    )


@pytest.mark.rule("MARG-002", "MARG-003")
@DIRECTED
@given(instruments())
def test_maintenance_is_continuous_over_every_tier_edge_within_one_unit(instrument: Instrument) -> None:
    one_unit = msgspec.structs.replace(instrument, cash_per_tick_lot=1)
    for tier in instrument.tiers[1:]:
        below, at = (
            margin_math.maintenance_margin(one_unit, 1, notional, notional)
            for notional in (tier.notional_floor - 1, tier.notional_floor)
        )
        assert 0 <= at - below <= 1


@pytest.mark.rule("MARG-003")
@DIRECTED
@given(instruments(), SIZES, MARKS, st.integers(0, 10**4))
def test_maintenance_never_falls_when_the_notional_rises(instrument: Instrument, size: int, mark: int, step: int) -> None:
    """Opened at the mark, so that it is the same whichever notional it is of."""
    needed = [
        margin_math.maintenance_margin(instrument, q, formulas.money(instrument, q, price), price)
        for q, price in ((size, mark), (size, mark + step), (-size - step, mark))
    ]
    assert 0 <= needed[0] <= min(needed)


@pytest.mark.rule("MARG-004")
@DIRECTED
@given(instruments(), SIZES, SIGNS, MARKS, MARKS, st.integers(1, 125))
def test_initial_margin_is_never_below_maintenance(
    instrument: Instrument, size: int, sign: int, mark: int, entry: int, leverage: int
) -> None:
    cost = sign * formulas.money(instrument, size, entry)
    initial = margin_math.initial_margin(instrument, sign * size, cost, mark, leverage)
    assert initial >= margin_math.maintenance_margin(instrument, sign * size, cost, mark)


@pytest.mark.rule("MARG-001", "MARG-002", "MARG-003", "MARG-004", "MARG-008", "MARG-017")
@DIRECTED
@given(instruments(), SIZES, SIGNS, MARKS, MARKS, st.integers(1, 125))
def test_margins_reserves_and_fees_equal_their_second_writing_in_fractions(
    instrument: Instrument, size: int, sign: int, mark: int, price: int, leverage: int
) -> None:
    q, rules = sign * size, instrument.rules
    cost = formulas.money(instrument, q, price)
    terms = (instrument, rules, q, cost, mark)
    assert margin_math.maintenance_margin(instrument, q, cost, mark) == formulas.maintenance(*terms)
    assert margin_math.initial_margin(instrument, q, cost, mark, leverage) == formulas.initial(*terms, leverage)
    held = margin_math.order_reserve(instrument, sign, size, price, mark, leverage)
    assert held == formulas.reserve(instrument, rules, sign, size, price, mark, leverage)
    for rate in (instrument.taker_fee, instrument.maker_fee, instrument.liquidation_fee):
        notional = margin_math.notional_value(instrument, q, price)
        assert margin_math.fee_on(notional, rate) == formulas.fee(instrument, size, price, rate)


@pytest.mark.rule("MARG-008")
@DIRECTED
@given(instruments(), st.lists(SIZES, min_size=1, max_size=2), SIGNS, MARKS, MARKS, st.integers(1, 125))
def test_an_order_holds_at_least_what_its_fill_in_two_parts_moves(
    instrument: Instrument, parts: list[int], sign: int, mark: int, price: int, leverage: int
) -> None:
    held = margin_math.order_reserve(instrument, sign, sum(parts), price, mark, leverage)
    moved = 0
    for lots in parts:
        fee = margin_math.fee_on(margin_math.notional_value(instrument, lots, price), instrument.taker_fee)
        moved += margin_math.isolated_fill_margin(instrument, sign, lots, price, mark, leverage, fee)
    assert moved <= held


@pytest.mark.rule("MARG-006")
@DIRECTED
@given(instruments(), SIZES, SIGNS, MONEY, MONEY)
def test_at_the_liquidation_root_equity_is_maintenance_exactly(
    instrument: Instrument, size: int, sign: int, entry_cost: int, collateral: int
) -> None:
    q = sign * size
    root = margin_math.liquidation_root(instrument, q, entry_cost, collateral)
    assume(root is not None)
    assert root is not None
    assert root.denominator > 0
    price = Fraction(root.numerator, root.denominator)
    assert price > 0
    notional = size * price * instrument.cash_per_tick_lot
    rises, at_none = formulas.maintenance_line(instrument, instrument.rules, entry_cost, notional)
    assert collateral + q * price * instrument.cash_per_tick_lot - entry_cost == notional * rises + at_none


@pytest.mark.rule("MARG-006")
@DIRECTED
@given(instruments(), SIZES, SIGNS, MONEY, MONEY, MARKS)
def test_the_liquidation_price_shown_is_that_of_the_fractions_and_never_beyond_the_mark(
    instrument: Instrument, size: int, sign: int, entry_cost: int, collateral: int, mark: int
) -> None:
    q = sign * size
    shown = margin_math.liquidation_price(instrument, q, entry_cost, collateral, mark)
    assert shown == formulas.liquidation_price(instrument, instrument.rules, [(q, entry_cost)], collateral, mark)
    assert shown is None or sign * (mark - shown) >= 0


@pytest.mark.rule("MARG-005", "MARG-006")
@DIRECTED
@given(instruments(), SIZES, SIGNS, st.integers(1, 10**4), st.integers(1, 20))
def test_the_scope_survives_on_the_near_side_of_the_root_and_is_no_better_than_maintenance_beyond_it(
    instrument: Instrument, size: int, sign: int, entry: int, leverage: int
) -> None:
    q = sign * size
    entry_cost = formulas.money(instrument, q, entry)
    collateral = abs(entry_cost) // leverage
    root = margin_math.liquidation_root(instrument, q, entry_cost, collateral)
    assume(root is not None)
    assert root is not None
    toward_safety = -(-root.numerator // root.denominator) if sign > 0 else root.numerator // root.denominator

    def spare(price: int) -> int:
        equity = collateral + margin_math.unrealized_pnl(instrument, q, entry_cost, price)
        return equity - margin_math.maintenance_margin(instrument, q, entry_cost, price)

    if toward_safety > 0:
        assert spare(toward_safety) >= 0
    beyond = toward_safety - sign
    if beyond > 0 and Fraction(root.numerator, root.denominator) != beyond:
        assert spare(beyond) <= 0


@pytest.mark.rule("LIQ-005")
@DIRECTED
@given(instruments(), SIZES, SIGNS, MARKS, MONEY, MONEY)
def test_closing_all_of_a_position_at_bankruptcy_leaves_exactly_nothing(
    instrument: Instrument, size: int, sign: int, mark: int, entry_cost: int, wallet: int
) -> None:
    q = sign * size
    equity = wallet + margin_math.unrealized_pnl(instrument, q, entry_cost, mark)
    value = margin_math.bankruptcy_value(instrument, q, mark, equity, size)
    assert wallet + value - entry_cost == 0


@pytest.mark.rule("LIQ-005")
@DIRECTED
@given(instruments(), SIZES, SIGNS, MARKS, MONEY, st.data())
def test_closing_a_part_at_bankruptcy_takes_no_more_than_its_share_and_the_rest_still_ends_at_nothing(
    instrument: Instrument, size: int, sign: int, mark: int, equity: int, data: st.DataObject
) -> None:
    q = sign * size
    part = data.draw(st.integers(1, size))
    value = margin_math.bankruptcy_value(instrument, q, mark, equity, part)
    assert value == formulas.bankruptcy_money(instrument, q, part, mark, equity)
    given_up = sign * formulas.money(instrument, part, mark) - value
    left = equity - given_up
    assert Fraction(left, 1) >= Fraction(equity * (size - part), size)
    if part < size:
        rest = margin_math.bankruptcy_value(instrument, sign * (size - part), mark, left, size - part)
        assert left + rest - sign * formulas.money(instrument, size - part, mark) == 0


@pytest.mark.rule("LIQ-005", "LIQ-006")
@DIRECTED
@given(instruments(), SIZES, SIGNS, MARKS, MONEY, st.integers(0, 1000), st.data())
def test_a_fill_at_the_bankruptcy_limit_or_better_leaves_a_surplus_that_is_not_negative(
    instrument: Instrument, size: int, sign: int, mark: int, equity: int, better: int, data: st.DataObject
) -> None:
    q = sign * size
    limit = margin_math.bankruptcy_price(instrument, q, mark, equity)
    exact = mark - Fraction(equity, q * instrument.cash_per_tick_lot)
    assert 0 <= sign * (limit - exact) < 1
    part = data.draw(st.integers(1, size))
    bankruptcy = margin_math.bankruptcy_value(instrument, q, mark, equity, size)
    surplus = margin_math.liquidation_surplus(instrument, q, limit + sign * better, bankruptcy, part)
    expected = sign * part * (limit + sign * better - exact) * instrument.cash_per_tick_lot
    assert surplus >= 0
    assert 0 <= expected - surplus < 1


@pytest.mark.rule("MARG-014")
@DIRECTED
@given(MONEY, SIZES, SIGNS, st.data())
def test_closing_lots_one_after_another_gives_back_the_whole_entry_cost(
    entry_cost: int, size: int, sign: int, data: st.DataObject
) -> None:
    q, cost, given_back = sign * size, entry_cost, 0
    while q:
        lots = data.draw(st.integers(max(1, abs(q) // 3), abs(q)))
        share = margin_math.closed_cost(cost, lots, q)
        assert abs(share) <= abs(cost)
        assert share == formulas.cost_of(cost, lots, q)
        q, cost, given_back = q - sign * lots, cost - share, given_back + share
    assert cost == 0
    assert given_back == entry_cost


@pytest.mark.rule("MARG-005")
@DIRECTED
@given(MONEY, st.integers(1, 10**12))
def test_the_margin_ratio_is_above_one_exactly_when_the_scope_is_liquidatable(equity: int, maintenance: int) -> None:
    ratio = margin_math.margin_ratio(equity, maintenance)
    if equity <= 0:
        assert ratio is None
    else:
        assert ratio is not None
        assert (ratio > PPM) == (equity < maintenance)


@DIRECTED
@given(st.integers(-(10**24) + 1, 10**24 - 1), st.integers(0, 18))
def test_a_decimal_survives_formatting_and_parsing(value: int, decimals: int) -> None:
    assert parse_decimal(format_decimal(value, decimals), decimals) == value


@DIRECTED
@given(st.integers(1, 10**6), st.integers(0, 8), st.integers(0, 2**40))
def test_a_grid_survives_formatting_and_parsing_and_refuses_what_lies_between(step: int, decimals: int, count: int) -> None:
    grid = Grid(step, decimals)
    assert grid.parse(grid.format(count)) == count
    if step > 1:
        with pytest.raises(ValueError, match="whole multiple"):
            grid.parse(format_decimal(count * step + 1, decimals))
