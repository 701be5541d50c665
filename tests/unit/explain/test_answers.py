"""What is answered, case by case: the sentence at the top, the check that decided, and what the other path would have said."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.policy import MarginPrice
from exchange.explain.explanation import Explanation
from exchange.explain.text import COLUMNS, render
from exchange.explain.wording import grouped
from tests.cast import BTC_PERP, BTC_WITH_FEES, COIN, ETH_PERP, PLAIN_POLICY
from tests.properties.explanation_proof import path_faults
from tests.unit.explain.recording import Recording

LONG = "bob sells 60 BTC at 100; alice buys 60 BTC at 100"
ISOLATED = f"alice sets BTC isolated; {LONG}"


def failing(explanation: Explanation) -> list[str]:
    """Return the checks of the path that decided that did not hold, of those that its conclusion is made of."""
    path = explanation.paths[0]
    return [each.name for each in path.checks if not each.holds and each.name in path.conclusion]


CASES = [
    # given, the last command, the headline, the outcome on the path that decided and on the other
    ("", "alice buys 10 BTC at 99",
     "alice's order 1 to buy 10 BTC-PERP at 99 was accepted: it required 99.000002, and 1,000 was available",
     ("accepted", "would have been accepted")),
    (LONG, "alice sells 20 BTC at 101",
     "alice's order 3 to sell 20 BTC-PERP at 101 was accepted: it required nothing more, and 400 was available",
     ("accepted", "would have been accepted")),
    (LONG, "alice buys 41 BTC at 100", "alice's order to buy 41 BTC-PERP at 100 was refused with margin.leverage_above_tier: "
     "leverage 10 is above the 5 allowed where its orders could take it", ("refused", "would have been refused")),
    (f"{ISOLATED}; halts BTC; mark BTC 90", "alice buys 1 BTC at 100",
     "alice's order to buy 1 BTC-PERP was refused with order.symbol_halted", ()),
    ("alice buys 1 BTC at 99", "alice buys 1 BTC at 99 fok",
     "alice's order to buy 1 BTC-PERP at 99 was refused with order.fok_unfillable", ("refused",)),
    ("alice sets ETH leverage 1", "alice buys 21 ETH at 50",
     "alice's order to buy 21 ETH-PERP at 50 was refused with margin.initial_insufficient: "
     "it required 1,050.000002, and 1,000 was available",
     ("refused", "would have been refused")),
    ("", "alice buys 10 BTC at 160",
     "alice's order to buy 10 BTC-PERP at 160 was refused with order.price_band: 160 against a bound of 150",
     ("refused", "would have been refused")),
    ("", "alice buys 1 BTC at 100 reduce-only",
     "alice's order to buy 1 BTC-PERP at 100 was refused with order.reduce_only_no_position",
     ("refused", "would have been refused")),
    (ISOLATED, "alice adds 50 to BTC",
     "alice's change to add 50 of margin to BTC-PERP was made, which moved 50 into its wallet", ("made",)),
    (ISOLATED, "alice adds 401 to BTC",
     "alice's change to add 401 of margin to BTC-PERP was refused with margin.add_above_available: "
     "the check that the amount is not above that failed (401 <= 400)", ("refused",)),
    (ISOLATED, "alice removes 1 from BTC",
     "alice's change to take 1 of margin out of BTC-PERP was refused with margin.remove_above_maximum: "
     "the check that the amount is not above that failed (1 <= 0)", ("refused",)),
    (ISOLATED, "alice sets BTC leverage 8",
     "alice's change of BTC-PERP to leverage 8 was made, which moved 150 into its wallet",
     ("made", "enough is available", "would have been made")),
    (ISOLATED, "alice sets BTC leverage 5",
     "alice's change of BTC-PERP to leverage 5 was refused with margin.leverage_insufficient: "
     "the check that what is available is not negative after it failed ((-200) >= 0)",
     ("refused", "too little is available", "would have been refused")),
    (LONG, "alice sets BTC leverage 11",
     "alice's change of BTC-PERP to leverage 11 was refused with margin.leverage_out_of_range: "
     "the check that it is at most the symbol's failed (11 <= 10)", ("refused",)),
    (LONG, "alice sets BTC isolated", "alice's change of BTC-PERP to isolated margin was made, which moved 600 into its wallet",
     ("made", "enough is available")),
    (ISOLATED, "alice sets BTC cross",
     "alice's change of BTC-PERP to cross margin was made, which moved 600 back to the cross wallet",
     ("made", "covered")),
    (LONG, "alice sets BTC isolated with 599",
     "alice's change of BTC-PERP to isolated margin was refused with margin.switch_margin_below_minimum: "
     "the check that that is what it needs, or more failed (599 >= 600)", ("refused",)),
    ("", "alice withdraws 1000", "alice's change to withdraw 1,000 was made", ("made",)),
    (LONG, "alice withdraws 401", "alice's change to withdraw 401 was refused with margin.withdraw_above_available: "
     "the check that the amount is not above that failed (401 <= 400)", ("refused",)),
    (LONG, "alice sets hedge mode", "alice's change to hedge mode was refused with margin.position_open: "
     "the check that none is open or has orders failed (1 = 0)", ("refused",)),
    ("", "alice sets BTC auto-replenish on", "alice's change of BTC-PERP to auto-replenish on was made", ("made",)),
]  # fmt: skip


@pytest.mark.rule("EXPL-001")
@pytest.mark.parametrize(("given", "last", "headline", "outcomes"), CASES, ids=[case[1] for case in CASES])
def test_an_answer_says_in_one_sentence_what_came_of_it(
    given: str, last: str, headline: str, outcomes: tuple[str, ...]
) -> None:
    (explanation, *_) = Recording(given).play(last).why()
    assert explanation.headline == headline
    assert tuple(path.outcome for path in explanation.paths) == outcomes
    assert [fault for path in explanation.paths for fault in path_faults(path)] == []
    refused = explanation.verdict == "refused"
    assert bool(explanation.reason) == refused
    if refused and explanation.paths:
        assert failing(explanation)


@pytest.mark.rule("EXPL-001", "MARG-012")
def test_a_fill_that_is_stopped_says_which_side_failed_and_by_which_check() -> None:
    recording = Recording("alice buys 60 BTC at 100; mark BTC 100 ETH 50; mark BTC 70").play("bob sells 60 BTC at 100")
    failed = recording.why(order_id=1)[-1]
    assert (failed.kind, failed.verdict, failed.reason) == ("fill", "failed", "margin.maker_fill_check_failed")
    assert failing(failed) == ["covered"]
    assert failed.headline.startswith("alice's order 1 was stopped before buying 60 BTC-PERP at 100 as the maker")
    assert [each.kind for each in recording.why("bob")] == ["order"]


@pytest.mark.rule("EXPL-001", "LIQ-006")
def test_the_fill_of_a_liquidation_order_says_that_it_is_exempt_and_how_its_fee_is_bounded() -> None:
    recording = Recording(f"{ISOLATED}; bob buys 60 BTC at 94", instruments=(BTC_WITH_FEES, ETH_PERP)).play("mark BTC 94")
    fill = next(each for each in recording.why() if each.kind == "fill")
    assert fill.paths[0].conclusion == "exempt"
    assert fill.paths[0].value("fee") == "112.8"
    assert "for a fee of 112.8" in fill.headline


@pytest.mark.rule("EXPL-001", "MARG-020")
def test_a_margin_call_says_how_far_it_is_to_liquidation() -> None:
    recording = Recording(ISOLATED, policy=replace(PLAIN_POLICY, margin_call_levels=(600_000, 800_000))).play("mark BTC 96")
    (call,) = recording.why()
    assert call.headline == (
        "alice's isolated BTC-PERP long was warned at 80 %: its margin ratio rose to 80 % when the BTC-PERP mark went to 96"
    )
    assert call.prevention == (
        "72 of equity was left before liquidation",
        "liquidation begins beyond a BTC-PERP mark of 95",
    )
    assert [path.outcome for path in call.paths] == ["warned", "would have stood"]


@pytest.mark.rule("EXPL-003")
def test_a_liquidated_pool_shows_each_of_its_positions_alone() -> None:
    both = "bob sells 60 BTC at 100; alice buys 60 BTC at 100; bob sells 20 ETH at 50; alice buys 20 ETH at 50"
    recording = Recording(both).play("mark BTC 86")
    why = recording.why(liquidation_id=1)[0]
    assert why.headline == (
        "alice's cross pool was liquidated: equity 160 fell below maintenance 308 when the BTC-PERP mark went to 86"
    )
    assert [(path.title, path.outcome) for path in why.paths] == [
        ("the cross pool", "liquidated"),
        ("BTC-PERP alone", "would have been liquidated"),
        ("ETH-PERP alone", "would have stood"),
    ]
    assert why.prevention[0] == "148 more in the cross wallet would have kept it at this mark"


@pytest.mark.rule("EXPL-003")
def test_the_other_path_is_what_a_twin_in_the_other_mode_really_had() -> None:
    """The same trades by carol, in the mode that alice did not choose: her numbers are those of alice's other path."""
    trades = "bob sells 80 BTC at 100; alice buys 40 BTC at 100; carol buys 40 BTC at 100"
    recording = Recording(f"carol deposits 1000; alice sets BTC isolated; {trades}").play("mark BTC 94")
    (alone, pool) = recording.why(liquidation_id=1)[0].paths
    carol = recording.venue.account("carol")
    (scope,) = recording.venue.scopes("carol")
    assert (alone.outcome, pool.outcome) == ("liquidated", "would have stood")
    assert (pool.value("E"), pool.value("MM")) == (str(scope.equity // 10**6), str(scope.maintenance_margin // 10**6))
    assert pool.value("W") == str(carol.wallet_balance // 10**6)
    assert pool.value("LP") == str(recording.venue.position("carol", "BTC-PERP").liquidation_price)
    recording.play("mark BTC 78")
    why = recording.why("carol", liquidation_id=2)[0]
    isolated = why.paths[1]
    assert (isolated.value("W1"), isolated.value("LP")) == (alone.value("W1"), alone.value("LP"))


@pytest.mark.rule("EXPL-002", "MARG-009", "MARG-026")
def test_collateral_assets_are_part_of_the_pool_and_not_of_what_backs_isolated_positions() -> None:
    recording = Recording("alice deposits 5 of COIN", collateral=(COIN,)).play("alice buys 10 BTC at 100")
    (accepted,) = recording.why()
    cross, isolated = accepted.paths
    assert (cross.value("K"), cross.value("available")) == ("400", "1400")
    assert isolated.value("available") == "1000"
    available = next(each for each in isolated.steps if each.name == "available")
    assert available.formula == "min(min(W + K, E_x) - IM_x, W)"


@pytest.mark.rule("EXPL-002", "MARG-003", "MARG-005")
@pytest.mark.parametrize(
    ("policy", "step", "formula"),
    [
        ({}, "MM1", "max(0, up(N1 * rate1) - amount1)"),
        ({"maintenance_price": MarginPrice.ENTRY}, "MM1", "max(0, up(Nc1 * entry_rate1) - entry_amount1)"),
        ({"close_fee_in_maintenance": True}, "MM1", "max(0, up(N1 * (rate1 + fee_rate1)) - amount1)"),
    ],
)
def test_the_formulas_are_those_of_the_venues_rules(policy: dict[str, object], step: str, formula: str) -> None:
    recording = Recording(ISOLATED, policy=replace(PLAIN_POLICY, **policy)).play("mark BTC 92")
    path = recording.why(liquidation_id=1)[0].paths[0]
    assert next(each.formula for each in path.steps if each.name == step) == formula


@pytest.mark.rule("EXPL-002", "MARG-005")
@pytest.mark.parametrize(("at_equality", "relation"), [(False, "<"), (True, "<=")])
def test_the_check_says_whether_equality_survives(at_equality: bool, relation: str) -> None:
    """70 of equity and 70 of maintenance at a mark of 70: 20 lots bought at 100 with 670 behind them."""
    rules = replace(PLAIN_POLICY, liquidate_at_equality=at_equality)
    recording = Recording("alice sets BTC isolated; bob sells 20 BTC at 100; alice buys 20 BTC at 100", policy=rules)
    recording.play("alice adds 470 to BTC; mark BTC 70")
    assert bool(recording.why(liquidation_id=1)) == at_equality
    why = recording.play("mark BTC 69").why(liquidation_id=1)[0]
    breached = next(each for each in why.paths[0].checks if each.name == "breached")
    assert breached.relation == relation
    assert why.headline.split(": ")[1].split(" when")[0] == (
        "equity 70 fell to maintenance 70" if at_equality else "equity 50 fell below maintenance 69"
    )


@pytest.mark.rule("EXPL-001")
def test_whatever_is_refused_before_its_margin_is_looked_at_is_answered_too() -> None:
    """Without a mark, without a position, on the wrong side, out of range, by nobody, of nothing."""
    recording, answered = Recording("carol deposits 3 of COIN; carol deposits 100", collateral=(COIN,), opening=""), 0
    for sentence in (
        "carol buys 1 BTC at 100", "carol sets BTC leverage 5", "carol sets BTC isolated", "carol sets BTC leverage 99",
        "carol adds 5 to BTC", "carol removes 5 from BTC", "carol withdraws 5", "carol withdraws 1 of COIN",
        "carol withdraws 9 of COIN", "carol withdraws 0", "carol sets hedge mode", "carol sets BTC/long cross", "mark BTC 100",
        "carol buys 1 BTC at 100", "carol buys 1 BTC/long at 0", "carol buys 100000 BTC/long at 100",
        "carol sells 1 BTC/long at 100", "carol buys 1 BTC/long at 100 post-only fok",
    ):  # fmt: skip
        for explanation in recording.play(sentence).why("carol"):
            answered += 1
            assert explanation.headline.startswith("carol's ")
            assert [fault for path in explanation.paths for fault in path_faults(path)] == []
            assert render(explanation).startswith("carol's ")
    assert answered == 17


# -- the text ----------------------------------------------------------------------------------------------------------


def test_the_text_begins_with_the_answer_and_goes_from_inputs_to_what_would_have_helped() -> None:
    recording = Recording(f"{ISOLATED}; bob buys 60 BTC at 94").play("mark BTC 94")
    lines = render(recording.why(liquidation_id=1)[0]).splitlines()
    assert lines[0].startswith("alice's isolated BTC-PERP long was liquidated: equity 240 fell below maintenance 282")
    heads = [line for line in lines if line and not line.startswith((" ", "("))][1:]
    assert heads[-7:] == [
        "What was there",
        "The arithmetic of BTC-PERP alone",
        "The check",
        "Both paths side by side",
        "Before and after",
        "What happened",
        "What would have made the difference",
    ]
    assert max(map(len, lines)) <= COLUMNS
    assert all(line == line.rstrip() for line in lines)


def test_columns_that_do_not_fit_are_left_out_and_counted() -> None:
    names = [f"PERPETUAL{letter}" for letter in "ABCDEF"]
    many = [replace(BTC_PERP, symbol=f"{name}-PERP") for name in names]
    trades = "; ".join(f"bob sells 9 {name} at 100; alice buys 9 {name} at 100" for name in names)
    marks = " ".join(f"{name} 100" for name in names)
    recording = Recording(f"mark {marks}; {trades}", instruments=(BTC_PERP, ETH_PERP, *many)).play("mark PERPETUALA 13")
    why = recording.why(liquidation_id=1)[0]
    assert len(why.paths) == 7
    text = render(why)
    assert max(map(len, text.splitlines())) <= COLUMNS
    shown = text.count(" alone") - sum(sentence.count(" alone") for sentence in why.prevention)
    assert f"and {6 - shown} more" in text


@pytest.mark.parametrize(
    ("value", "shown"), [("1234567.5", "1,234,567.5"), ("-1000", "-1,000"), ("0.25", "0.25"), ("999", "999")]
)
def test_thousands_are_set_apart(value: str, shown: str) -> None:
    assert grouped(value) == shown


def test_a_long_book_of_orders_is_summed_up_and_still_adds_up() -> None:
    recording = Recording("; ".join(f"alice buys 1 ETH at {price}" for price in range(20, 40)))
    (accepted,) = recording.play("alice buys 1 BTC at 99; alice buys 1 ETH at 19").why()
    path = accepted.paths[0]
    assert list(path_faults(path)) == []
    assert sum(step.name.endswith("_r") for step in path.steps) <= 13
    assert path.value("bids_rest") is not None
    assert path.value("required") == "1.900002"
