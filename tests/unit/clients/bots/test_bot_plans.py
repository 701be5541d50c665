from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients import Client
from clients.bots import MarketMaker, NoisePlan, NoiseTrader, QuotePlan, TwinLeg, TwinPlan
from clients.bots.market_maker import Quote, price_step, quotes
from clients.bots.sizing import quantity_for, scaled_quantity
from clients.human_units import round_down
from clients.market_data import Instrument, Tier
from exchange.domain.enums import Side

D = Decimal
BTC = Instrument(
    symbol="BTC-PERP",
    tick_size=D("0.5"),
    lot_size=D("0.01"),
    contract_multiplier=D(1),
    max_leverage=100,
    default_leverage=10,
    maker_fee=D(0),
    taker_fee=D(0),
    liquidation_fee=D(0),
    price_band=D("0.05"),
    market_protection=D("0.03"),
    notional_min=D(50),
    quantity_max=D(20),
    tiers=(Tier(notional_floor=D(0), maintenance_rate=D("0.005"), max_leverage=100, maintenance_amount=D(0)),),
)
PLAN = QuotePlan(
    symbol="BTC-PERP",
    quantity=D(1),
    levels=3,
    half_spread=D("0.001"),
    level_gap=D("0.001"),
    inventory_max=D(10),
    skew=D("0.002"),
)


def sides(found: Sequence[Quote], side: Side) -> list[Decimal]:
    return [quote.price for quote in found if quote.side is side]


def test_quotes_lie_at_round_prices_around_the_mark_and_outward() -> None:
    found = list(quotes(PLAN, BTC, D("1000.2"), D(0)))
    assert sides(found, Side.BUY) == [D(999), D(998), D(997)]
    assert sides(found, Side.SELL) == [D(1002), D(1003), D(1004)]


def test_most_quotes_stay_where_they_are_when_the_mark_moves_a_little() -> None:
    before, after = (set(quotes(PLAN, BTC, D(mark), D(0))) for mark in ("1000.2", "1001.2"))
    assert len(before & after) == 4


def test_a_long_inventory_lowers_the_quotes_and_a_full_one_is_not_added_to() -> None:
    flat, long = (list(quotes(PLAN, BTC, D(1000), D(position))) for position in (0, 5))
    assert max(sides(long, Side.BUY)) == max(sides(flat, Side.BUY)) - 1
    assert min(sides(long, Side.SELL)) == min(sides(flat, Side.SELL)) - 1
    assert sides(list(quotes(PLAN, BTC, D(1000), D(10))), Side.BUY) == []
    assert sides(list(quotes(PLAN, BTC, D(1000), D(-11))), Side.SELL) == []
    assert len(sides(list(quotes(PLAN, BTC, D(1000), D(-11))), Side.BUY)) == 3


@pytest.mark.parametrize(
    ("gap", "step"), [("0.1", "0.5"), ("0.5", "0.5"), ("0.99", "0.5"), ("1", "1"), ("2.4", "1"), ("2.5", "2.5"), ("49", "25")]
)
def test_price_steps_are_round_numbers_of_ticks_within_the_gap(gap: str, step: str) -> None:
    assert price_step(D(gap), D("0.5")) == D(step)


@given(
    mark=st.decimals(min_value="0.5", max_value="200000", places=1),
    position=st.decimals(min_value="-30", max_value="30", places=2),
    levels=st.integers(1, 12),
    half_spread=st.decimals(min_value="0", max_value="0.02", places=4),
    level_gap=st.decimals(min_value="0", max_value="0.02", places=4),
)
def test_quotes_never_cross_repeat_or_leave_tick_and_band(
    mark: Decimal, position: Decimal, levels: int, half_spread: Decimal, level_gap: Decimal
) -> None:
    plan = QuotePlan(
        symbol="BTC-PERP", quantity=D(1), levels=levels, half_spread=half_spread, level_gap=level_gap, inventory_max=D(20)
    )
    found = list(quotes(plan, BTC, mark, position))
    bids, asks = sides(found, Side.BUY), sides(found, Side.SELL)
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    assert all(round_down(price, BTC.tick_size) == price and price > 0 for price in bids + asks)
    assert all(mark * D("0.95") <= price for price in bids)
    assert all(price <= mark * D("1.05") for price in asks)
    if bids and asks:
        assert bids[0] < asks[0]


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"quantity": D(0)}, "quantity"),
        ({"levels": 0}, "levels"),
        ({"skew": D(1)}, "skew"),
        ({"jitter_percent": 100}, "jitter"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(wrong: dict[str, object], name: str) -> None:
    with pytest.raises(ValueError, match=f"quotes of BTC-PERP: {name}"):
        QuotePlan(**{"symbol": "BTC-PERP", "quantity": D(1), "inventory_max": D(1), **wrong})  # type: ignore[arg-type]


def test_quantities_are_whole_lots_within_the_limits() -> None:
    assert quantity_for(BTC, D(1239), D(1000)) == D("1.23")
    assert quantity_for(BTC, D(1), D(999)) == D("0.06")
    assert quantity_for(BTC, D(10**9), D(1000)) == D(20)
    assert scaled_quantity(BTC, D("0.05"), 5, 10) == D("0.02")
    assert scaled_quantity(BTC, D("0.01"), 1, 10) == D("0.01")


def test_a_pair_of_twins_has_its_quantities_fixed_once_by_share() -> None:
    plan = TwinPlan(
        name="hedged",
        notional=D(10_000),
        legs=(
            TwinLeg(symbol="BTC-PERP", side=Side.BUY, share=D("0.6"), leverage=10),
            TwinLeg(symbol="ETH-PERP", side=Side.SELL, share=D("0.4"), leverage=5),
        ),
    )
    legs = plan.fix({"BTC-PERP": BTC, "ETH-PERP": BTC}, {"BTC-PERP": D(1000), "ETH-PERP": D(500)})
    assert [(leg.symbol, leg.side, leg.quantity, leg.leverage) for leg in legs] == [
        ("BTC-PERP", Side.BUY, D(6), 10),
        ("ETH-PERP", Side.SELL, D(8), 5),
    ]


def test_a_twin_plan_must_add_up() -> None:
    leg = TwinLeg(symbol="BTC-PERP", side=Side.BUY, share=D("0.5"), leverage=10)
    with pytest.raises(ValueError, match="add up to 1"):
        TwinPlan(name="half", notional=D(1), legs=(leg,))
    with pytest.raises(ValueError, match="in one leg only"):
        TwinPlan(name="twice", notional=D(1), legs=(leg, leg))


def test_order_ids_are_numbered_by_name_and_seed() -> None:
    noise = [NoisePlan(symbol="BTC-PERP", quantity_max=D(1), inventory_max=D(5))]
    bots = [NoiseTrader(Client.connect(), name="noise-1", seed=7, instruments={"BTC-PERP": BTC}, plans=noise) for _ in range(2)]
    assert [bot.next_order_id() for bot in bots] == ["noise-1.7.1", "noise-1.7.1"]
    assert bots[0].next_order_id() == "noise-1.7.2"
    assert bots[0].chance.random() == bots[1].chance.random()
    with pytest.raises(ValueError, match="makes no valid client order ids"):
        MarketMaker(Client.connect(), name="a maker", seed=1, instruments={}, plans=[])
