"""The table language itself: readable differences, nothing understood by guess, and laws that can be broken."""

from __future__ import annotations

from typing import get_args

import pytest

from exchange.domain.commands import (
    AdvanceTime,
    CancelAllOrders,
    CollateralPrice,
    Credit,
    IndexPrice,
    PlaceOrder,
    SetAutoReplenish,
    SetCollateralPrices,
    SetIndexPrices,
    SetMarginMode,
    SetPositionMode,
    SetTradingState,
    Withdraw,
)
from exchange.domain.enums import (
    MarginMode,
    PositionMode,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradingState,
)
from exchange.domain.events import AnyEvent, TimeAdvanced
from exchange.domain.ids import INSURANCE_FUND
from tests.cast import ALICE, BOB, CAROL, COIN, cash
from tests.scenarios.laws import Lifecycles, broken_laws
from tests.scenarios.sentences import QUIET, TELLERS, tell
from tests.scenarios.spoken_commands import STEP_NS, time_after, understand
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
    hedge = {"account": ALICE, "symbol": "BTC-PERP", "position_side": PositionSide.LONG}
    buy = PlaceOrder(side=Side.BUY, quantity=3, limit_price=101, **hedge)  # type: ignore[arg-type]
    mode = SetMarginMode(margin_mode=MarginMode.ISOLATED, margin=cash("1.5"), **hedge)  # type: ignore[arg-type]
    for sentence, command in (
        ("alice buys 3 BTC/long at 101", buy),
        ("alice sets BTC/long isolated with 1.5", mode),
        ("alice sets hedge mode", SetPositionMode(account=ALICE, position_mode=PositionMode.HEDGE)),
        ("alice sets one-way mode", SetPositionMode(account=ALICE, position_mode=PositionMode.ONE_WAY)),
        ("alice sets BTC auto-replenish on", SetAutoReplenish(account=ALICE, symbol="BTC-PERP", enabled=True)),
        ("alice withdraws 0.5 of COIN", Withdraw(account=ALICE, amount=500, asset="COIN")),
        ("fund deposits 2 of GOLD", Credit(account=INSURANCE_FUND, amount=2, asset="GOLD")),
        ("index BTC 99", SetIndexPrices(prices=(IndexPrice("BTC-PERP", 99),))),
        ("collateral COIN 1.5", SetCollateralPrices(prices=(CollateralPrice("COIN", cash("1.5")),))),
        ("halts BTC", SetTradingState(symbol="BTC-PERP", trading_state=TradingState.HALTED)),
        ("resumes BTC", SetTradingState(symbol="BTC-PERP", trading_state=TradingState.OPEN)),
        ("wait until 8h", AdvanceTime()),
    ):
        assert understand(sentence) == command


@pytest.mark.parametrize(
    ("sentence", "now", "then"),
    [
        ("wait", 5, 5 + STEP_NS),
        ("mark BTC 100", 5, 5 + STEP_NS),
        ("wait 7ns", 5, 12),
        ("wait 2s", 5, 2_000_000_005),
        ("wait 1h", 5, 3_600_000_000_005),
        ("wait until 5ns", 4, 5),
        ("wait until 5ns", 5, 10),
        ("wait until 1m", 61_000_000_000, 120_000_000_000),
    ],
)
def test_time_goes_on_by_a_step_or_by_what_a_row_says(sentence: str, now: int, then: int) -> None:
    assert time_after(sentence, now) == then


def test_an_event_that_no_sentence_is_written_for_is_told_by_its_name() -> None:
    assert tell(TimeAdvanced(time_ns=1)).head == "TimeAdvanced"
    untold = set(get_args(AnyEvent)) - set(TELLERS) - set(QUIET)
    assert untold == set()


@pytest.mark.rule("MARG-028")
def test_a_wallet_that_is_not_the_sum_of_its_entries_is_noticed() -> None:
    table = Table("alice deposits 5; alice deposits 3 of COIN", collateral=(COIN,))
    alice = table.venue._state.accounts.accounts[ALICE]
    alice.wallet.balance += 1
    with pytest.raises(AssertionError, match="are not the sums of their entries"):
        table.play(("wait", ""))
    with pytest.raises(AssertionError, match="leaves another balance than the sum"):
        table.play(("alice deposits 1", "credited 1"))
    alice.wallet.balance -= 1
    alice.collateral["COIN"].balance -= 1
    with pytest.raises(AssertionError, match="are not the sums of their entries"):
        table.play(("wait", ""))


@pytest.mark.rule("CONS-007", "MARG-025", "MARG-023")
def test_assets_legs_and_isolated_wallets_that_are_wrong_are_noticed() -> None:
    table = Table(STAGE + "; carol deposits 3 of COIN; carol sets hedge mode; bob sets ETH isolated", collateral=(COIN,))
    state = table.venue._state
    carol, bob = state.accounts.accounts[CAROL], state.accounts.accounts[BOB]
    carol.collateral["COIN"].balance = -1
    carol.position(state.instruments["BTC-PERP"], PositionSide.LONG).quantity = -1
    carol.position(state.instruments["ETH-PERP"]).quantity = 1
    state.accounts.marks["ETH-PERP"] = 100
    debtor = bob.position(state.instruments["ETH-PERP"])
    debtor.quantity, debtor.entry_cost, debtor.wallet.balance = 1, cash("100"), -1
    said = "; ".join(broken_laws(table.venue))
    for sentence in (
        "carol holds -1 of COIN",
        "the balances of COIN are not its net deposits (CONS-007)",
        "the long position of carol in BTC-PERP is -1 (MARG-025)",
        "carol has a position in ETH-PERP that its position mode does not know (MARG-025)",
        "bob/ETH-PERP is below maintenance and unflagged (CONS-005, MARG-023)",
    ):
        assert sentence in said


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
