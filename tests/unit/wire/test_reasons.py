from __future__ import annotations

import re
from pathlib import Path

import pytest

import exchange.wire.reasons
from exchange.domain.rejects import Reason
from exchange.wire.errors import FAULT_CODES, Fault, fault
from exchange.wire.messages import DecisionBody
from exchange.wire.reasons import REASONS, Unit, explain, rejection
from tests.wire_kit import BTC


@pytest.mark.rule("WIRE-003")
@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.value)
def test_every_reason_has_a_number_and_a_sentence(reason: Reason) -> None:
    entry = REASONS[reason]
    sentence = explain(reason, 7, 9, BTC)
    assert entry.code >= 3000
    assert len(sentence) > 20
    assert "{" not in sentence
    assert "{" not in explain(reason)
    if entry.field is not None and entry.field in entry.sentence:
        assert sentence.startswith((entry.field, "the", "a", "quantity", "closing", "marks"))


def test_every_fault_has_a_number() -> None:
    assert set(FAULT_CODES) == set(Fault)


@pytest.mark.rule("WIRE-003")
def test_no_number_and_no_name_is_used_twice() -> None:
    codes = [*FAULT_CODES.values(), *(entry.code for entry in REASONS.values())]
    names = [*(kind.value for kind in Fault), *(reason.value for reason in Reason)]
    assert len(codes) == len(set(codes))
    assert len(names) == len(set(names))


@pytest.mark.rule("WIRE-003")
def test_the_published_table_of_errors_is_that_of_the_code() -> None:
    page = (Path(exchange.wire.reasons.__file__).parent / "ERRORS.md").read_text(encoding="utf-8")
    published = dict(re.findall(r"^\| (\d{4}) \| `([a-z_.]+)` \|", page, re.MULTILINE))
    built = {str(code): kind.value for kind, code in FAULT_CODES.items()}
    built |= {str(entry.code): reason.value for reason, entry in REASONS.items()}
    assert published == built
    for reason, entry in REASONS.items():
        assert f"`{reason.value}` | {f'`{entry.field}`' if entry.field else ''} | {entry.sentence} |" in page


@pytest.mark.rule("WIRE-003")
@pytest.mark.parametrize(
    ("reason", "limit", "actual", "sentence"),
    [
        (
            Reason.PRICE_BAND,
            210,
            301,
            "limit_price 150.5 is outside the price band around the mark, which ends at 105; move it inside",
        ),
        (Reason.QUANTITY_MAX, 2000, 2500, "quantity 2.5 is above the maximum of 2 per order; split the order"),
        (
            Reason.ADD_ABOVE_AVAILABLE,
            1_500_000,
            2_000_001,
            "amount 2.000001 is above the available balance of 1.5; add at most that",
        ),
        (Reason.LEVERAGE_RANGE, 10, 11, "leverage 11 is outside the range from 1 to 10; choose one inside"),
    ],
)
def test_limits_and_values_are_told_in_decimals(reason: Reason, limit: int, actual: int, sentence: str) -> None:
    assert explain(reason, limit, actual, BTC) == sentence


@pytest.mark.rule("WIRE-003", "MARG-021")
@pytest.mark.parametrize(
    ("reason", "actual", "field", "words"),
    [
        (Reason.SWITCH_MARGIN_MIN, 4_999_999, "margin", "margin 4.999999 is below the 5 that the position needs"),
        (Reason.SWITCH_INSUFFICIENT, 5_000_001, "margin_mode", "margin_mode needs 5.000001 of margin and 5 is there"),
    ],
)
def test_a_switch_names_the_margin_that_was_chosen_or_the_money_that_is_missing(
    reason: Reason, actual: int, field: str, words: str
) -> None:
    error = rejection(reason, 5_000_000, actual)
    assert error.field == field
    assert error.message.startswith(words)


@pytest.mark.rule("WIRE-003")
def test_money_of_another_asset_is_told_in_its_own_decimals() -> None:
    error = rejection(Reason.WITHDRAW_ABOVE_AVAILABLE, 150_000_000, 150_000_001, cash_decimals=8)
    assert error.message == "amount 1.50000001 is above the 1.5 that may be withdrawn; withdraw at most that"


def test_a_refused_mark_is_named_by_its_symbol() -> None:
    assert "the mark of BTC-PERP may go to 105" in explain(Reason.MARK_JUMP, 210, 301, BTC)
    assert "of a symbol" in explain(Reason.MARK_JUMP)


def test_a_number_without_its_grid_is_not_told_in_ticks() -> None:
    assert "301" not in explain(Reason.PRICE_BAND, 210, 301)
    assert REASONS[Reason.PRICE_BAND].unit is Unit.PRICE


def test_an_error_becomes_a_reply_with_all_that_is_known() -> None:
    decision = DecisionBody(
        path="cross", required="5", available_before="3", available_after="-2", liquidation_price=None
    ).as_details()
    reply = rejection(Reason.INITIAL_INSUFFICIENT, 3_000_000, 5_000_000, BTC, decision).reply(4)
    assert (reply.id, reply.error.code, reply.error.name, reply.error.field) == (
        4,
        5000,
        "margin.initial_insufficient",
        "quantity",
    )
    assert reply.error.details == decision
    assert fault(Fault.MALFORMED, "no map").reply(None).id is None
