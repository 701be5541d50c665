"""Cross, isolated and mixes of both by hand: positions of 10 lots at 100, each worth 1000 and needing 100 at leverage 10."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from clients.risk import (
    EXHAUSTIVE_POSITIONS_MAX,
    MixPosition,
    Ordeal,
    PlanRefused,
    PositionPlan,
    Scenario,
    choose_mix,
    every_corner,
    least_cross_wallet,
    least_isolated_wallets,
    one_by_one,
    path_of,
    shock,
    shocked,
)
from clients.risk.mix_needs import Needs
from clients.risk.mix_search import cheapest_pool
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.instrument import Instrument, under_policy
from exchange.domain.policy import RiskPolicy
from tests.cast import BTC_PERP, ETH_PERP, SOL_PERP, cash

CROSS, ISOLATED = MarginMode.CROSS, MarginMode.ISOLATED
MARKS = {"BTC-PERP": 100, "ETH-PERP": 100, "SOL-PERP": 100}


def held(instrument: Instrument, lots: int = 10, **terms: Any) -> MixPosition:
    """Return a position opened at 100."""
    return MixPosition(
        **{"instrument": instrument, "quantity": lots, "entry_cost": cash(str(lots * 100)), "leverage_max": 10} | terms
    )


def falls(**moves: int) -> Scenario:
    """Return a shock in percent by the first three letters of the symbols."""
    return shock(MARKS, {f"{name.upper()}-PERP": percent * 10_000 for name, percent in moves.items()})


HEDGE = [held(BTC_PERP), held(ETH_PERP, -10)]
BOTH_FALL = Ordeal(marks=MARKS, scenarios=[falls(btc=-20, eth=-20)])


def test_a_pool_lets_winners_keep_losers_alive_and_isolated_wallets_do_not() -> None:
    assert least_cross_wallet(HEDGE, BOTH_FALL) == cash("200"), (
        "two initial margins; after the shock 80 of maintenance is enough"
    )
    assert least_isolated_wallets(HEDGE, BOTH_FALL) == (cash("240"), cash("100"))
    holding = Ordeal(marks=MARKS, scenarios=BOTH_FALL.scenarios, entering=False)
    assert least_cross_wallet(HEDGE, holding) == cash("100"), "maintenance now is the most that is ever asked"
    assert least_isolated_wallets(HEDGE, holding) == (cash("240"), cash("50"))


def test_where_equality_is_liquidated_every_scope_needs_one_unit_more() -> None:
    strict = [held(under_policy(BTC_PERP, RiskPolicy(liquidate_at_equality=True)))]
    ordeal = Ordeal(marks=MARKS, scenarios=[falls(btc=-20)])
    assert least_cross_wallet(strict, ordeal) == least_isolated_wallets(strict, ordeal)[0] == cash("240.000001")


def test_of_a_path_the_worst_moment_counts_wherever_it_is() -> None:
    path = path_of({"BTC-PERP": [95, 60, 130], "ETH-PERP": [100, 100, 150]})
    assert least_cross_wallet(HEDGE, Ordeal(marks=MARKS, scenarios=[path])) == cash("480"), "400 lost on BTC, 30 + 50 held"


def test_every_position_that_must_survive_is_cheapest_in_the_pool_and_isolating_one_is_the_price_of_capping_its_loss() -> None:
    ordeal = Ordeal(marks=MARKS, scenarios=BOTH_FALL.scenarios, beyond=[falls(btc=-50)])
    choice = choose_mix(HEDGE, ordeal, wallet=cash("1000"))
    assert (choice.all_cross.total, choice.all_cross.loss_beyond) == (cash("200"), cash("500"))
    assert (choice.all_isolated.total, choice.all_isolated.loss_beyond) == (cash("340"), cash("240"))
    assert choice.cheapest == choice.all_cross == choice.frontier[0]
    capped = choice.frontier[1]
    assert (capped.modes, capped.isolated_wallets) == ((ISOLATED, CROSS), (cash("240"), None))
    assert (capped.total, capped.cross_wallet, capped.loss_beyond) == (cash("340"), cash("100"), cash("240"))
    assert len(choice.frontier) == 2
    assert choice.is_exact
    spent = choose_mix(HEDGE, ordeal)
    assert spent.all_cross.loss_beyond == cash("200"), "with no more than it needs, a pool that dies loses just that"


def test_a_position_that_may_die_is_isolated_where_saving_it_is_dearer() -> None:
    doomed = held(SOL_PERP, may_be_liquidated=True)
    ordeal = Ordeal(marks=MARKS, scenarios=[falls(btc=-20, eth=-20, sol=-50)])
    choice = choose_mix([*HEDGE, doomed], ordeal)
    assert choice.all_cross.total == cash("605"), "500 lost on SOL, and 40 + 40 + 25 of maintenance"
    assert choice.cheapest.modes == (CROSS, CROSS, ISOLATED)
    assert (choice.cheapest.total, choice.cheapest.liquidated) == (cash("300"), ("SOL-PERP/long",))
    assert choice.all_isolated.liquidated == ("SOL-PERP/long",)
    assert choice.all_cross.liquidated == ()
    saved = choose_mix([*HEDGE, held(SOL_PERP)], ordeal)
    assert (saved.cheapest.modes, saved.cheapest.total) == ((CROSS, CROSS, CROSS), cash("605"))


def test_an_isolated_wallet_is_funded_by_the_least_leverage_that_it_carries() -> None:
    ordeal = Ordeal(marks=MARKS, scenarios=[falls(btc=-20)])
    assert choose_mix([held(BTC_PERP)], ordeal).all_isolated.leverages == (5,), "240 carries 1000 / 5, not 1000 / 4"
    assert choose_mix([held(BTC_PERP, leverage_min=6)], ordeal).all_isolated.leverages == (6,)
    assert choose_mix([held(BTC_PERP)], ordeal).all_cross.leverages == (10,)
    big = held(BTC_PERP, 100)
    assert choose_mix([big], Ordeal(marks=MARKS)).all_cross.leverages == (5,), "its tier has no more"


def test_the_legs_of_a_hedge_are_two_positions() -> None:
    legs = [held(BTC_PERP), held(BTC_PERP, -10)]
    ordeal = Ordeal(marks=MARKS, scenarios=[falls(btc=-20), falls(btc=20)])
    assert least_cross_wallet(legs, ordeal) == cash("200")
    assert least_isolated_wallets(legs, ordeal) == (cash("240"), cash("260"))
    assert [leg.position_id for leg in legs] == ["BTC-PERP/long", "BTC-PERP/short"]


def test_a_liquidated_scope_loses_all_of_its_equity_even_if_the_mark_comes_back() -> None:
    beyond = [path_of({"BTC-PERP": [85, 100], "ETH-PERP": [100, 95]})]
    choice = choose_mix([held(BTC_PERP), held(ETH_PERP)], Ordeal(marks=MARKS, beyond=beyond))
    assert choice.all_isolated.loss_beyond == cash("150"), "all 100 of BTC's wallet, which does not come back, and 50 on ETH"
    assert choice.all_cross.loss_beyond == cash("200"), "the pool has 50 left, and needs 92.5"
    apart = [[shocked(MARKS, {"BTC-PERP": -150_000})], [shocked(MARKS, {"ETH-PERP": -50_000})]]
    choice = choose_mix([held(BTC_PERP), held(ETH_PERP)], Ordeal(marks=MARKS, beyond=apart))
    assert choice.all_isolated.loss_beyond == cash("100"), "each scenario begins with everything alive"


def test_profit_counts_as_margin_and_no_wallet_is_ever_less_than_nothing() -> None:
    winner = held(BTC_PERP, entry_cost=cash("800"))
    ordeal = Ordeal(marks=MARKS)
    assert least_cross_wallet([winner], ordeal) == least_isolated_wallets([winner], ordeal)[0] == 0
    assert choose_mix([winner], ordeal).all_isolated.leverages == (5,), "its profit of 200 carries 1000 / 5 exactly"


# -- many positions ------------------------------------------------------------------------------------------------------


def many(count: int) -> tuple[list[MixPosition], Ordeal]:
    """Return positions of different sizes, of which two in three may be liquidated, and four shocks of their own for each."""
    positions, marks = [], {}
    for number in range(count):
        instrument = replace(BTC_PERP, symbol=f"S{number}")
        lots = (3 + 7 * number % 11) * (1 if number % 4 else -1)
        positions.append(held(instrument, lots, may_be_liquidated=number % 3 != 0))
        marks[instrument.symbol] = 100
    percents = [[(37 * number + 53 * which) % 101 - 70 for number in range(count)] for which in range(4)]
    moves = [{f"S{number}": percent * 10_000 for number, percent in enumerate(each)} for each in percents]
    return positions, Ordeal(marks=marks, scenarios=[shock(marks, each) for each in moves])


def test_the_search_finds_what_trying_every_mix_finds() -> None:
    for count in range(1, EXHAUSTIVE_POSITIONS_MAX + 1):
        positions, ordeal = many(count)
        pooled, bound = cheapest_pool(Needs(positions, ordeal))
        assert Needs(positions, ordeal).total(pooled) == bound == choose_mix(positions, ordeal).cheapest.total


def test_beyond_the_named_number_of_positions_the_cheapest_mix_is_searched_for() -> None:
    positions, ordeal = many(EXHAUSTIVE_POSITIONS_MAX + 6)
    choice = choose_mix(positions, ordeal)
    assert choice.is_exact
    assert choice.frontier == (choice.cheapest,)
    assert choice.cheapest.total < min(choice.all_cross.total, choice.all_isolated.total)
    needs = Needs(positions, ordeal)
    chosen = sum(1 << index for index, mode in enumerate(choice.cheapest.modes) if mode is CROSS)
    assert all(needs.total(chosen ^ 1 << index) >= choice.cheapest.total for index in range(len(positions)))


def test_the_search_opens_few_of_the_mixes_that_there_are() -> None:
    needs = Needs(*many(32))
    pooled, bound = cheapest_pool(needs, nodes_max=1_000)
    assert needs.total(pooled) == bound


def test_a_search_that_is_cut_short_says_how_much_cheaper_a_mix_could_be() -> None:
    needs = Needs(*many(9))
    least = needs.total(cheapest_pool(needs)[0])
    pooled, bound = cheapest_pool(needs, nodes_max=1)
    assert bound <= least <= needs.total(pooled)
    assert bound < needs.total(pooled), "one node decides nothing here"


# -- scenarios and refusals ------------------------------------------------------------------------------------------------


def test_shocks_are_rounded_away_from_the_mark_and_leave_a_tick() -> None:
    assert shocked({"A": 101, "B": 101, "C": 7}, {"A": -100_000, "B": 100_000}) == {"A": 90, "B": 112, "C": 7}
    assert shocked({"A": 5}, {"A": -1_000_000}) == {"A": 1}


def test_scenarios_are_corners_or_moves_one_after_the_other() -> None:
    marks = {"A": 100, "B": 100}
    corners = every_corner(marks, {"A": (-100_000, 100_000), "B": (0, 200_000)})
    assert [dict(*corner) for corner in corners] == [
        {"A": 90, "B": 100}, {"A": 90, "B": 120}, {"A": 110, "B": 100}, {"A": 110, "B": 120},
    ]  # fmt: skip
    assert one_by_one(marks, {"B": -100_000, "A": 100_000}) == ({"A": 100, "B": 90}, {"A": 110, "B": 90})


def refusal(positions: list[MixPosition], ordeal: Ordeal | None = None, **options: Any) -> str:
    with pytest.raises(PlanRefused) as refused:
        choose_mix(positions, ordeal or BOTH_FALL, **options)
    return str(refused.value)


def test_what_does_not_fit_together_is_refused() -> None:
    without: Mapping[str, int] = {"BTC-PERP": 100}
    strict = under_policy(ETH_PERP, RiskPolicy(liquidate_at_equality=True))
    assert refusal([]) == "positions: there are none; name at least one"
    assert refusal([held(BTC_PERP), held(BTC_PERP)]) == "positions: BTC-PERP/long comes twice; join the two"
    assert refusal([held(BTC_PERP), held(strict)]).startswith("positions: their instruments follow different margin rules")
    assert refusal(HEDGE, Ordeal(marks=without)) == "marks: ETH-PERP has no mark at some moment; give it one"
    assert refusal(HEDGE, Ordeal(marks=MARKS, beyond=[[without]])).startswith("marks: ETH-PERP has no mark")
    assert refusal(HEDGE, wallet=cash("199")) == "wallet: 199 pays for no mix; the cheapest takes 200"
    assert refusal([held(BTC_PERP, 100, leverage_min=6)]).startswith("leverage_min: 6 is above 5, the most that the tier of")


def test_positions_and_scenarios_that_are_none_are_refused() -> None:
    with pytest.raises(PlanRefused, match="quantity: the position in BTC-PERP is flat; leave it out"):
        held(BTC_PERP, 0)
    with pytest.raises(PlanRefused, match="leverage_min: 3 to 2 is no range within 1 to 10"):
        held(BTC_PERP, leverage_min=3, leverage_max=2)
    with pytest.raises(PlanRefused, match="moves: ETH-PERP has no mark; give it one"):
        shock({"BTC-PERP": 1}, {"ETH-PERP": 1})
    with pytest.raises(PlanRefused, match="moves: they make 4097 combinations; at most 4096 are allowed"):
        every_corner({"A": 100}, {"A": range(4097)})
    with pytest.raises(PlanRefused, match=r"series: they have \[1, 2\] marks; give each symbol as many"):
        path_of({"A": [1], "B": [1, 2]})


def test_a_plan_becomes_a_position_with_its_leverage_as_the_most() -> None:
    plan = PositionPlan(instrument=BTC_PERP, side=PositionSide.SHORT, quantity=10, entry_price=100, leverage=4)
    assert MixPosition.of(plan) == held(BTC_PERP, -10, leverage_max=4)
