"""Margin pictures by hand: 10 lots of BTC-PERP at 100 are worth 1000, need 100 at leverage 10 and 50 of maintenance."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from clients.risk import PlanRefused, PositionPlan, least_wallet, picture_cross, picture_isolated
from exchange.domain.enums import PositionSide
from exchange.domain.instrument import Instrument, TierRow, build_tiers, under_policy
from exchange.domain.policy import MarginPrice, RiskPolicy
from exchange.domain.units import parse_rate
from tests.cast import BTC_PERP, BTC_WITH_FEES, cash


def plan(
    quantity: int, side: str = "long", *, leverage: int = 10, price: int = 100, instrument: Instrument = BTC_PERP
) -> PositionPlan:
    return PositionPlan(instrument=instrument, side=PositionSide(side), quantity=quantity, entry_price=price, leverage=leverage)


TABLE = [
    # position,                        mark, wallet, equity, IM,     MM,    ratio,     liquidation, bankruptcy, loss
    (plan(10),                         100, "300", "300",  "100",  "50",  "0.166667", 74,   70,   "300"),
    (plan(10),                         80,  "300", "100",  "80",   "40",  "0.4",      74,   70,   "300"),
    (plan(10, "short"),                100, "300", "300",  "100",  "50",  "0.166667", 123,  130,  "300"),
    (plan(10, "short"),                120, "300", "100",  "120",  "60",  "0.6",      123,  130,  "300"),
    (plan(10, instrument=BTC_WITH_FEES), 100, "300", "290", "100", "50",  "0.172414", 75,   71,   "300"),
    (plan(200, leverage=5),            100, "4500", "4500", "4000", "1500", "0.333334", 84, 78,   "4500"),
    (plan(99, "short"),                100, "1000", "1000", "990",  "495", "0.495",    104,  110,  "1000"),
    (plan(10, leverage=1),             100, "1001", "1001", "1000", "50", "0.049951", None, None, "1001"),
]  # fmt: skip


@pytest.mark.rule("MARG-002", "MARG-003", "MARG-004", "MARG-005", "MARG-006")
@pytest.mark.parametrize(
    ("position", "mark", "wallet", "equity", "initial", "maintenance", "ratio", "liquidation", "bankruptcy", "loss"), TABLE
)
def test_a_cross_position_has_the_numbers_of_the_table(
    position: PositionPlan,
    mark: int,
    wallet: str,
    equity: str,
    initial: str,
    maintenance: str,
    ratio: str,
    liquidation: int | None,
    bankruptcy: int | None,
    loss: str,
) -> None:
    picture = picture_cross(position, wallet=cash(wallet), mark_price=mark)
    assert (picture.equity, picture.initial_margin) == (cash(equity), cash(initial))
    assert (picture.maintenance_margin, picture.margin_ratio) == (cash(maintenance), parse_rate(ratio))
    assert (picture.liquidation_price, picture.bankruptcy_price) == (liquidation, bankruptcy)
    assert (picture.loss_max, picture.is_liquidated) == (cash(loss), False)


def test_an_isolated_position_stands_on_its_own_wallet_and_can_lose_that_and_its_fee() -> None:
    usual = picture_isolated(plan(10, instrument=BTC_WITH_FEES), mark_price=100)
    assert (usual.wallet, usual.loss_max) == (cash("100"), cash("110"))
    assert (usual.liquidation_price, usual.bankruptcy_price) == (95, 90)
    more = picture_isolated(plan(10, instrument=BTC_WITH_FEES), mark_price=100, margin=cash("300"), wallet=cash("310"))
    assert (more.wallet, more.loss_max, more.liquidation_price) == (cash("300"), cash("310"), 74)


def test_how_far_liquidation_is_away_is_rounded_down() -> None:
    picture = picture_isolated(plan(10, "short"), mark_price=99)
    assert picture.liquidation_price == 104
    assert picture.liquidation_distance == 5 * 1_000_000 // 99 == 50_505
    assert picture_cross(plan(10, leverage=1), wallet=cash("1001"), mark_price=100).liquidation_distance is None


def test_beyond_its_liquidation_price_a_position_is_liquidated_and_at_it_it_is_not() -> None:
    at, beyond = (picture_isolated(plan(10), mark_price=mark) for mark in (95, 94))
    assert (at.equity, at.maintenance_margin, at.is_liquidated) == (cash("50"), cash("47.5"), False)
    assert (beyond.equity, beyond.maintenance_margin, beyond.is_liquidated) == (cash("40"), cash("47"), True)
    bankrupt = picture_isolated(plan(10), mark_price=80)
    assert (bankrupt.margin_ratio, bankrupt.is_liquidated, bankrupt.loss_max) == (None, True, cash("100"))


@pytest.mark.rule("MARG-005")
def test_equality_survives_unless_the_venue_has_it_otherwise() -> None:
    strict = under_policy(BTC_PERP, RiskPolicy(liquidate_at_equality=True))
    for instrument, is_liquidated in ((BTC_PERP, False), (strict, True)):
        picture = picture_isolated(plan(20, instrument=instrument), mark_price=100, margin=cash("290"))
        assert not picture.is_liquidated
        picture = picture_isolated(plan(20, instrument=instrument), mark_price=90, margin=cash("290"))
        assert (picture.equity, picture.maintenance_margin) == (cash("90"), cash("90"))
        assert picture.is_liquidated is is_liquidated


def test_the_choices_of_a_venue_about_margin_are_followed() -> None:
    policy = RiskPolicy(maintenance_price=MarginPrice.ENTRY, close_fee_in_maintenance=True)
    picture = picture_isolated(plan(10, instrument=under_policy(BTC_WITH_FEES, policy)), mark_price=105)
    assert picture.maintenance_margin == cash("60"), "5 % and a fee of 1 % of the notional at entry"
    assert picture.liquidation_price == 96


def test_the_least_wallet_holds_margin_fee_and_the_rounding_of_an_order() -> None:
    assert least_wallet(plan(10, instrument=BTC_WITH_FEES)) == cash("110.000002")


def test_where_maintenance_with_the_fee_of_a_close_is_more_than_a_leverage_asks_for_it_is_that_which_opens() -> None:
    steep = replace(BTC_WITH_FEES, tiers=build_tiers([TierRow(0, 95_000, 10)]))
    position = plan(10, instrument=under_policy(steep, RiskPolicy(close_fee_in_maintenance=True)))
    assert position.opening_margin == cash("105"), "9.5 % and 1 %, where leverage 10 asks for 10 %"
    assert least_wallet(position) == cash("115")


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no quantity": ({"quantity": "0"}, "quantity", "0 is not from 1 to 1000, what one order of BTC-PERP may have"),
    "more than an order has": ({"quantity": "1001"}, "quantity", "1001 is not from 1 to 1000"),
    "off the lot grid": ({"quantity": "1.5"}, "quantity", "1.5 is not a whole multiple of 1"),
    "no number": ({"quantity": "ten"}, "quantity", "write a decimal number"),
    "worth too little": ({"entry_price": "9", "quantity": "1"}, "quantity", "worth 9, less than the 10"),
    "no price": ({"entry_price": "0"}, "entry_price", "0 is not from 1 to 1099511627776"),
    "a price off the tick": ({"entry_price": "99.5"}, "entry_price", "99.5 is not a whole multiple of 1"),
    "no side": ({"side": "up"}, "side", "'up' is no side; write long or short"),
    "leverage out of range": ({"leverage": 11}, "leverage", "11 is not from 1 to 10, the most that BTC-PERP has"),
    "leverage just above the tier": ({"quantity": "100", "leverage": 6}, "leverage", "6 is above 5, the most for a notional"),
    "leverage above the tier": ({"quantity": "100"}, "leverage", "10 is above 5, the most for a notional of 10000"),
}


@pytest.mark.parametrize(("changes", "field", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_position_that_no_venue_takes_is_refused_with_field_limit_and_remedy(
    changes: dict[str, Any], field: str, sentence: str
) -> None:
    given = {"side": "long", "quantity": "10", "entry_price": "100", "leverage": 10, **changes}
    with pytest.raises(PlanRefused) as refused:
        PositionPlan.parse(BTC_PERP, **given)
    assert refused.value.field == field
    assert sentence in refused.value.sentence
    assert str(refused.value) == f"{field}: {refused.value.sentence}"


def test_money_that_does_not_suffice_is_refused_with_what_it_takes() -> None:
    position = plan(10, instrument=BTC_WITH_FEES)
    with pytest.raises(PlanRefused, match=r"wallet: 110 does not open this position, which takes 110\.000002 \(initial"):
        picture_cross(position, wallet=cash("110"), mark_price=100)
    with pytest.raises(PlanRefused, match="margin: 99 is below 100, the initial margin at leverage 10"):
        picture_isolated(position, mark_price=100, margin=cash("99"))
    with pytest.raises(PlanRefused, match="margin: 291 is more than the 290 that the wallet has left after the fee"):
        picture_isolated(position, mark_price=100, margin=cash("291"), wallet=cash("300"))
    with pytest.raises(PlanRefused, match="wallet: 50 does not open"):
        picture_isolated(position, mark_price=100, wallet=cash("50"))


def test_without_a_leverage_it_is_the_default_or_the_most_of_the_tier() -> None:
    small = PositionPlan.parse(BTC_PERP, side="long", quantity="10", entry_price="100")
    large = PositionPlan.parse(BTC_PERP, side="short", quantity="100", entry_price="100")
    modest = PositionPlan.parse(replace(BTC_PERP, default_leverage=3), side="long", quantity="100", entry_price="100")
    assert [each.leverage for each in (small, large, modest)] == [10, 5, 3]
    assert (large.signed_quantity, large.entry_cost) == (-100, cash("-10000"))
