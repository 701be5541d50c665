"""The table language itself: readable differences, nothing understood by guess, and laws that can be broken."""

from __future__ import annotations

import pytest

from exchange.domain.commands import CancelAllOrders, PlaceOrder
from exchange.domain.enums import SelfTradePrevention, Side, TimeInForce
from tests.cast import ALICE, BOB, cash
from tests.scenarios.laws import Lifecycles, broken_laws
from tests.scenarios.spoken_commands import understand
from tests.scenarios.table import Table

STAGE = (
    "alice deposits 1000; bob deposits 1000; mark BTC 100; alice buys 10 BTC at 100; bob sells 10 BTC at 100;"
    "bob sells 1 BTC at 120"
)


def test_a_row_that_comes_out_otherwise_shows_both_columns_and_marks_the_lines() -> None:
    with pytest.raises(AssertionError) as caught:
        Table(STAGE).play(
            ("alice", "wallet 1000"),
            ("alice buys 2 BTC at 120", "accepted 4, trade 2@120 maker 3 taker 4, filled 4"),
        )
    assert str(caught.value).splitlines() == [
        "row 2: alice buys 2 BTC at 120",
        "  expected                    | happened",
        "  accepted 4                  | accepted 4",
        "! trade 2@120 maker 3 taker 4 | trade 1@120 maker 3 taker 4",
        "! filled 4                    | filled 3",
        "! -                           | rested 4",
    ]


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (("alice", "wallet 1000, BTC +9 cost 900"), "! BTC +9 cost 900 | BTC +10 cost 1000"),
        (("alice", "fortune 5"), "! fortune 5 | fortune ?"),
        (("BTC book", "asks 2@120"), "! asks 2@120 | asks 1@120"),
        (("fund", "wallet 1"), "! wallet 1 | wallet 0"),
        (("alice cancels 3", "canceled 3 order.canceled_by_owner"), "| refused order.not_found"),
        (("bob cancels 3", ""), "! -        | canceled 3 order.canceled_by_owner"),
        (
            ("alice buys 1 BTC at 99", "accepted 4 required 1, rested 4"),
            "! accepted 4 required 1 | accepted 4 required 9.900002",
        ),
        (
            ("bob cancels 3", "canceled 3 order.canceled_by_owner quantity 9"),
            "quantity 9 | canceled 3 order.canceled_by_owner quantity 1",
        ),
    ],
)
def test_facts_that_a_row_names_are_compared(row: tuple[str, str], line: str) -> None:
    with pytest.raises(AssertionError) as caught:
        Table(STAGE).play(row)
    assert line in str(caught.value)


def test_a_sentence_that_is_no_command_and_names_nobody_is_an_error() -> None:
    with pytest.raises(ValueError, match="a table can neither do nor look at 'alice purchases 10 BTC'"):
        Table(STAGE).play(("alice purchases 10 BTC", "accepted 4"))
    with pytest.raises(ValueError, match="does not know the order flag 'postonly'"):
        Table(STAGE).play(("alice buys 10 BTC at 100 postonly", "accepted 4"))


def test_what_merely_sets_the_stage_may_not_be_refused() -> None:
    with pytest.raises(AssertionError, match="was refused"):
        Table("mark BTC 100; alice buys 10 BTC at 100")
    with pytest.raises(AssertionError, match="no command reads"):
        Table("marc BTC 100")


def test_sentences_become_the_commands_they_say() -> None:
    assert understand("alice sells 3 BTC at 101 ioc reduce-only cancel-both as:x") == PlaceOrder(
        account=ALICE,
        symbol="BTC-PERP",
        side=Side.SELL,
        quantity=3,
        limit_price=101,
        time_in_force=TimeInForce.IOC,
        reduce_only=True,
        self_trade_prevention=SelfTradePrevention.CANCEL_BOTH,
        client_order_id="x",
    )
    assert understand("alice cancels all BTC") == CancelAllOrders(account=ALICE, symbol="BTC-PERP")
    assert understand("alice") is None


def test_the_laws_can_be_broken() -> None:
    assert broken_laws(Table(STAGE).venue) == []
    table = Table(STAGE)
    state = table.venue._state
    alice, bob = state.accounts.accounts[ALICE], state.accounts.accounts[BOB]
    alice.wallet.balance -= cash("980")
    bob.positions["BTC-PERP"].quantity = -9
    flat = bob.position(state.instruments["ETH-PERP"])
    flat.leverage, flat.wallet.balance = 5, 1
    state.books["BTC-PERP"].orders[3].open_quantity = 2
    said = "; ".join(broken_laws(table.venue))
    for sentence in (
        "the ledger is out by",
        "positions of BTC-PERP sum to 1",
        "bob is flat in ETH-PERP with cost",
        "the levels of BTC-PERP are not the sums of its orders",
        "the cross scope of alice is below maintenance and unflagged",
    ):
        assert sentence in said


@pytest.mark.rule("CONS-003")
def test_a_crossed_book_is_noticed() -> None:
    table = Table(STAGE)
    book = table.venue._state.books["BTC-PERP"]
    bid = book.orders[3].copy()
    bid.side, bid.order_id = Side.BUY, 9
    book.rest(bid)
    assert "the book of BTC-PERP is crossed (CONS-003)" in broken_laws(table.venue)


def test_an_order_that_returns_from_the_dead_is_noticed() -> None:
    table = Table("alice deposits 1000; mark BTC 100")
    lifecycles = Lifecycles()
    placed = table._apply(understand("alice buys 1 BTC at 100"))  # type: ignore[arg-type]
    canceled = table._apply(understand("alice cancels 1"))  # type: ignore[arg-type]
    assert lifecycles.follow(canceled) == ["order 1 began as canceled"]
    assert lifecycles.follow(placed) == ["order 1 went from canceled to open"]
