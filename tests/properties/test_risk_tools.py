"""The risk tools judged by the venue itself: what they say of a position is what becomes of it."""

from __future__ import annotations

from itertools import product

from hypothesis import assume, event, given
from hypothesis import strategies as st
from msgspec.structs import replace

from clients.risk import (
    MixPosition,
    Ordeal,
    PositionPlan,
    Scenario,
    SizeBound,
    SizingTerms,
    choose_mix,
    least_cross_wallet,
    least_isolated_wallets,
    least_wallet,
    loss_at_stop,
    picture_cross,
    picture_isolated,
    plan_of,
    size_position,
)
from clients.risk.mix_needs import Needs
from clients.risk.mix_search import cheapest_pool
from exchange.domain.enums import MarginMode, PositionSide
from exchange.domain.instrument import Instrument, TierRow, build_tiers, under_policy
from exchange.domain.margin_math import initial_margin, maintenance_margin, notional_value, tier_at, unrealized_pnl
from exchange.domain.policy import MarginPrice, RiskPolicy
from exchange.domain.units import PPM, Cash
from tests.cast import ALICE, BTC_PERP, BTC_WITH_FEES, DUST_PERP, ETH_PERP, SOL_PERP, cash
from tests.properties.profiles import profile
from tests.properties.risk_stage import PLENTY, RiskStage

WIDE = {"price_band": 900_000, "market_protection": 500_000, "notional_min": 0, "quantity_max": 10_000}
TRIO = [replace(each, **WIDE) for each in (BTC_PERP, ETH_PERP, SOL_PERP)]
SYMBOLS = [each.symbol for each in TRIO]
LONG, SHORT, NET = PositionSide.LONG, PositionSide.SHORT, PositionSide.NET

policies = st.builds(
    RiskPolicy,
    maintenance_price=st.sampled_from(MarginPrice),
    initial_margin_price=st.sampled_from(MarginPrice),
    close_fee_in_maintenance=st.booleans(),
    liquidate_at_equality=st.booleans(),
    profit_for_orders=st.booleans(),
    order_close_fee=st.booleans(),
    liquidation_price_buffer=st.sampled_from((0, 100_000)),
)
"""Every choice that a margin formula depends on."""


STEEP_PERP = replace(BTC_WITH_FEES, tiers=build_tiers([TierRow(0, 95_000, 10), TierRow(cash("10000"), 150_000, 6)]))
"""With the fee of a close, its maintenance is more than its initial margin at the most leverage."""


@st.composite
def plans(draw: st.DrawFn, policy: RiskPolicy) -> PositionPlan:
    """A position that a venue would take, in instruments with and without fees, of whole and of dusty units."""
    base = draw(st.sampled_from((BTC_PERP, BTC_WITH_FEES, STEEP_PERP, replace(DUST_PERP, taker_fee=600))))
    instrument = under_policy(replace(base, **WIDE), policy)
    entry, lots = draw(st.integers(2, 3_000)), draw(st.integers(1, 400))
    tier = tier_at(instrument.tiers, notional_value(instrument, lots, entry))
    return PositionPlan(
        instrument=instrument,
        side=draw(st.sampled_from((LONG, SHORT))),
        quantity=lots,
        entry_price=entry,
        leverage=draw(st.integers(1, tier.max_leverage)),
    )


@profile(60)
@given(st.data(), policies, st.sampled_from(MarginMode))
def test_the_calculator_says_what_the_venue_shows_of_that_very_position(
    data: st.DataObject, policy: RiskPolicy, mode: MarginMode
) -> None:
    plan = data.draw(plans(policy))
    extra = data.draw(st.integers(0, 2 * plan.entry_notional))
    mark = data.draw(st.integers(max(1, plan.entry_price // 2), plan.entry_price * 2))
    symbol, wallet = plan.instrument.symbol, least_wallet(plan) + extra
    stage = RiskStage([plan.instrument], {symbol: plan.entry_price}, wallet=wallet, policy=policy)
    stage.choose(symbol, mode, plan.leverage)
    assert stage.trade(symbol, plan.signed_quantity, plan.entry_price)
    if mode is MarginMode.CROSS:
        picture = picture_cross(plan, wallet=wallet, mark_price=mark)
    else:
        usual = picture_isolated(plan, mark_price=mark, wallet=wallet)
        margin = data.draw(st.none() | st.integers(usual.wallet, max(usual.wallet, wallet - plan.opening_fee)))
        picture = picture_isolated(plan, mark_price=mark, wallet=wallet, margin=margin)
        assert stage.set_margin(symbol, picture.wallet)
        assert picture.loss_max - plan.opening_fee == stage.position(symbol).isolated_wallet
    assert stage.move({symbol: mark}) is not picture.is_liquidated
    event(f"{mode.value}, {'liquidated' if picture.is_liquidated else 'healthy'}")
    if picture.is_liquidated:
        return
    shown = stage.position(symbol)
    assert (shown.initial_margin, shown.maintenance_margin) == (picture.initial_margin, picture.maintenance_margin)
    assert (shown.unrealized_pnl, shown.scope_equity) == (picture.unrealized_pnl, picture.equity)
    assert (shown.liquidation_price, shown.bankruptcy_price) == (picture.liquidation_price, picture.bankruptcy_price)
    assert (shown.margin_ratio, shown.entry_cost) == (picture.margin_ratio, plan.entry_cost)
    if mode is MarginMode.CROSS:
        assert (stage.venue.account(ALICE).wallet_balance, picture.loss_max) == (picture.wallet, wallet)


@profile(30)
@given(st.data(), policies, st.sampled_from(MarginMode))
def test_the_least_wallet_opens_the_position_and_one_unit_less_does_not(
    data: st.DataObject, policy: RiskPolicy, mode: MarginMode
) -> None:
    plan = data.draw(plans(policy))
    symbol, least = plan.instrument.symbol, least_wallet(plan)
    for wallet, opens in ((least, True), (least - 1, False)):
        stage = RiskStage([plan.instrument], {symbol: plan.entry_price}, wallet=wallet, policy=policy)
        stage.choose(symbol, mode, plan.leverage)
        assert stage.trade(symbol, plan.signed_quantity, plan.entry_price) is opens


# -- sizing ------------------------------------------------------------------------------------------------------------


@st.composite
def sizings(draw: st.DrawFn, policy: RiskPolicy) -> SizingTerms:
    base = draw(st.sampled_from((BTC_PERP, BTC_WITH_FEES, STEEP_PERP)))
    side, entry = draw(st.sampled_from((LONG, SHORT))), draw(st.integers(20, 1_000))
    stop = draw(st.integers(entry // 2, entry - 1) if side is LONG else st.integers(entry + 1, entry * 3 // 2))
    equity = cash(str(draw(st.integers(10, 40_000))))
    return SizingTerms(
        instrument=under_policy(replace(base, **WIDE), policy),
        side=side,
        entry_price=entry,
        stop_price=stop,
        leverage=draw(st.integers(1, 10)),
        equity=equity,
        available=equity,
        risk_budget=equity * draw(st.integers(1, 100)) // 100,
        slippage=draw(st.sampled_from((0, 1_000, 20_000))),
        liquidation_buffer=draw(st.sampled_from((0, 10_000, 100_000))),
        is_isolated=draw(st.booleans()),
        effective_leverage_max=draw(st.sampled_from((None, 2_500_000))),
    )


@profile(60)
@given(st.data(), policies)
def test_a_sized_position_survives_to_its_buffer_and_loses_at_its_stop_what_was_said_and_never_more_than_the_budget(
    data: st.DataObject, policy: RiskPolicy
) -> None:
    terms = data.draw(sizings(policy))
    size = size_position(terms)
    event(f"decided by {size.decided_by.value}")
    assert size.loss_at_stop <= terms.risk_budget
    assume(size.quantity > 0)
    plan, symbol = plan_of(terms, size), terms.instrument.symbol
    stage = RiskStage([terms.instrument], {symbol: terms.entry_price}, wallet=terms.available, policy=policy)
    mode = MarginMode.ISOLATED if terms.is_isolated else MarginMode.CROSS
    stage.choose(symbol, mode, terms.leverage)
    assert stage.trade(symbol, plan.signed_quantity, terms.entry_price)
    if terms.is_isolated:
        assert stage.position(symbol).isolated_wallet + size.margin_to_add == size.isolated_wallet
        assert stage.set_margin(symbol, size.isolated_wallet)
    assert stage.walk([{symbol: terms.stop_price}, {symbol: terms.buffered_price}])
    stage.move({symbol: terms.exit_price})
    assume(stage.position(symbol).quantity)  # a slippage beyond the buffer may be too much for it
    if stage.trade(symbol, -plan.signed_quantity, terms.exit_price, reduce_only=True):
        assert terms.available - stage.venue.account(ALICE).wallet_balance == size.loss_at_stop


@profile(60)
@given(st.data(), policies)
def test_one_lot_more_than_a_size_breaks_the_bound_that_decided(data: st.DataObject, policy: RiskPolicy) -> None:
    terms = data.draw(sizings(policy))
    size = size_position(terms)
    most = min(size.most.values())
    assert size.most[size.decided_by] == most
    assert size.quantity in (most, 0)
    lots, entry, buffered = most + 1, terms.entry_price, terms.buffered_price
    instrument, signed = terms.instrument, terms.sign * (most + 1)
    cost, notional = signed * entry * instrument.cash_per_tick_lot, notional_value(instrument, lots, entry)
    fee = -(-notional * instrument.taker_fee // PPM)
    margin = initial_margin(instrument, signed, cost, entry, terms.leverage)
    spare = 1 if instrument.rules.liquidate_at_equality else 0
    healthy = maintenance_margin(instrument, signed, cost, buffered) - unrealized_pnl(instrument, signed, cost, buffered)
    match size.decided_by:
        case SizeBound.RISK:
            assert loss_at_stop(terms, lots) > terms.risk_budget
        case SizeBound.EXPOSURE:
            assert terms.effective_leverage_max is not None
            assert notional * PPM > terms.effective_leverage_max * terms.equity
        case SizeBound.TIER:
            assert tier_at(instrument.tiers, notional).max_leverage < terms.leverage
        case SizeBound.AVAILABLE if not instrument.rules.order_close_fee:
            assert margin + fee + 2 > terms.available
        case SizeBound.LIQUIDATION:
            assert healthy + spare + fee > terms.available
        case _:
            event("judged by the venue alone")


# -- cross, isolated and mixes of both -----------------------------------------------------------------------------------


@st.composite
def books(draw: st.DrawFn, policy: RiskPolicy, *, expendable: bool = False) -> tuple[list[MixPosition], Ordeal]:
    """Positions at today's marks, and up to three paths of a few moments each."""
    symbols = draw(st.lists(st.sampled_from(TRIO), min_size=1, max_size=3, unique_by=lambda each: each.symbol))
    marks = {each.symbol: draw(st.integers(20, 500)) for each in TRIO}
    sides = [(each, side) for each in symbols for side in draw(st.sampled_from(((LONG,), (SHORT,), (LONG, SHORT))))]
    positions = []
    for base, side in sides[:4]:
        instrument = under_policy(base, policy)
        lots, mark = draw(st.integers(1, 300)) * (1 if side is LONG else -1), marks[base.symbol]
        most = tier_at(instrument.tiers, notional_value(instrument, lots, mark)).max_leverage
        positions.append(
            MixPosition(
                instrument=instrument,
                quantity=lots,
                entry_cost=lots * mark * instrument.cash_per_tick_lot,
                leverage_max=draw(st.integers(1, most)),
                may_be_liquidated=expendable and draw(st.booleans()),
            )
        )
    return positions, Ordeal(marks=marks, scenarios=draw(paths(marks)), beyond=draw(paths(marks)))


def paths(marks: dict[str, int]) -> st.SearchStrategy[list[Scenario]]:
    moment = st.fixed_dictionaries({symbol: st.integers(max(1, mark // 2), mark * 2) for symbol, mark in marks.items()})
    return st.lists(st.lists(moment, min_size=1, max_size=3), max_size=3)


def side_of(position: MixPosition) -> PositionSide:
    return LONG if position.quantity > 0 else SHORT


def opened(positions: list[MixPosition], ordeal: Ordeal, policy: RiskPolicy, mode: MarginMode) -> RiskStage:
    """Return a stage on which a rich ALICE holds the positions, all in one mode."""
    stage = RiskStage(TRIO, ordeal.marks, wallet=PLENTY, policy=policy, hedge=True)
    for each in positions:
        symbol = each.instrument.symbol
        assert stage.choose(symbol, mode, each.leverage_max, side_of(each))
        assert stage.trade(symbol, each.quantity, ordeal.marks[symbol], side_of(each))
    return stage


@profile(30)
@given(st.data(), policies)
def test_the_least_cross_wallet_lives_through_every_path_on_a_venue_and_one_unit_less_does_not(
    data: st.DataObject, policy: RiskPolicy
) -> None:
    positions, ordeal = data.draw(books(policy))
    least = least_cross_wallet(positions, ordeal)
    scenarios = [*ordeal.scenarios, ()]
    for wallet, lives in ((least, True), (least - 1, False)):
        stages = [opened(positions, ordeal, policy, MarginMode.CROSS) for _ in scenarios]
        outcomes = [stage.leave(wallet) and stage.walk(path) for stage, path in zip(stages, scenarios, strict=True)]
        assert all(outcomes) is lives


@profile(30)
@given(st.data(), policies)
def test_the_least_isolated_wallet_lives_through_every_path_on_a_venue_and_one_unit_less_does_not(
    data: st.DataObject, policy: RiskPolicy
) -> None:
    positions, ordeal = data.draw(books(policy))
    which = data.draw(st.integers(0, len(positions) - 1))
    each = positions[which]
    least = least_isolated_wallets(positions, ordeal)[which]
    scenarios = [*ordeal.scenarios, ()]
    for wallet, lives in ((least, True), (least - 1, False)):
        outcomes = []
        for path in scenarios:
            stage = opened([each], ordeal, policy, MarginMode.ISOLATED)
            outcomes.append(stage.set_margin(each.instrument.symbol, wallet, side_of(each)) and stage.walk(path))
        assert all(outcomes) is lives


def needed(members: list[MixPosition], ordeal: Ordeal, *, for_now_only: bool = False) -> Cash:
    """Return what a scope needs, moment by moment, as a table of the rules would have it."""
    if not members:
        return 0
    spare = 1 if members[0].instrument.rules.liquidate_at_equality else 0
    moments = [ordeal.marks, *([] if for_now_only else [moment for path in ordeal.scenarios for moment in path])]
    least = 0
    for moment in moments:
        maintenance = sum(each.maintenance_at(moment[each.instrument.symbol]) for each in members)
        profit = sum(each.profit_at(moment[each.instrument.symbol]) for each in members)
        least = max(least, maintenance + (spare if maintenance else 0) - profit)
    now = ordeal.marks
    initial = sum(each.initial_margin_at(now[each.instrument.symbol], each.leverage_max) for each in members)
    return max(least, initial - sum(each.profit_at(now[each.instrument.symbol]) for each in members))


def brute_force(positions: list[MixPosition], ordeal: Ordeal) -> dict[tuple[MarginMode, ...], Cash]:
    """Return what every mix needs."""
    totals = {}
    for modes in product(MarginMode, repeat=len(positions)):
        pooled = [each for each, mode in zip(positions, modes, strict=True) if mode is MarginMode.CROSS]
        apart = [each for each, mode in zip(positions, modes, strict=True) if mode is MarginMode.ISOLATED]
        alone = sum(needed([each], ordeal, for_now_only=each.may_be_liquidated) for each in apart)
        totals[modes] = needed(pooled, ordeal) + alone
    return totals


@profile(60)
@given(st.data(), policies, st.booleans())
def test_the_cheapest_mix_is_that_of_trying_all_and_never_dearer_than_all_cross_or_all_isolated(
    data: st.DataObject, policy: RiskPolicy, expendable: bool
) -> None:
    positions, ordeal = data.draw(books(policy, expendable=expendable))
    choice, totals = choose_mix(positions, ordeal), brute_force(positions, ordeal)
    assert choice.cheapest.total == min(totals.values()) == choice.lower_bound
    assert choice.cheapest.total <= min(choice.all_cross.total, choice.all_isolated.total)
    for mix in (choice.all_cross, choice.all_isolated, *choice.frontier):
        assert mix.total == totals[mix.modes] == mix.cross_wallet + sum(own or 0 for own in mix.isolated_wallets)
    if not expendable:
        assert choice.cheapest.total == choice.all_cross.total, "pooling never costs more than keeping apart"
    pooled, bound = cheapest_pool(Needs(positions, ordeal))
    assert Needs(positions, ordeal).total(pooled) == bound == choice.cheapest.total
    event(f"{sum(mode is MarginMode.ISOLATED for mode in choice.cheapest.modes)} isolated of {len(positions)}")


@profile(30)
@given(st.data(), policies)
def test_no_mix_loses_more_beyond_the_shock_on_a_venue_than_was_said(data: st.DataObject, policy: RiskPolicy) -> None:
    positions, ordeal = data.draw(books(policy, expendable=True))
    assume(ordeal.beyond)
    choice = choose_mix(positions, ordeal)
    mix = data.draw(st.sampled_from((choice.all_cross, choice.all_isolated, *choice.frontier)))
    assert mix.loss_beyond is not None
    for path in ordeal.beyond:
        stage = RiskStage(TRIO, ordeal.marks, wallet=PLENTY, policy=policy, hedge=True)
        for each, mode, own in zip(positions, mix.modes, mix.isolated_wallets, strict=True):
            symbol = each.instrument.symbol
            assert stage.choose(symbol, mode, each.leverage_max, side_of(each))
            assert stage.trade(symbol, each.quantity, ordeal.marks[symbol], side_of(each))
            assert own is None or stage.set_margin(symbol, own, side_of(each))
        assert stage.leave(mix.cross_wallet)
        held = stage.venue.account(ALICE).total_equity
        for moment in path:
            stage.move(moment)
            assert held - stage.venue.account(ALICE).total_equity <= mix.loss_beyond


def test_the_choice_of_instruments_is_wide_enough_to_reach_every_tier() -> None:
    instrument: Instrument = TRIO[0]
    assert notional_value(instrument, 300, 500) > instrument.tiers[-1].notional_floor
