"""Previews one by one: what each says, and that nothing anywhere remembers having been asked."""

from __future__ import annotations

import pytest

from exchange.domain.commands import (
    AddMargin,
    CreateAccount,
    MarkPrice,
    PlaceOrder,
    SetLeverage,
    SetMarginMode,
    SetMarkPrices,
    SetPositionMode,
    Withdraw,
)
from exchange.domain.enums import MarginMode, OrderStatus, PositionMode, SelfTradePrevention, Side, TimeInForce
from exchange.domain.events import CommandRejected, OrderRejected
from exchange.domain.policy import LiquidationSizing, RiskPolicy
from exchange.domain.previews import PreviewableCommand, PreviewView
from exchange.domain.rejects import Reason
from exchange.venue.venue import Venue
from tests.cast import ALICE, BTC_WITH_FEES, CAROL, COIN, ETH_PERP, T0, cash
from tests.scenarios.table import Table
from tests.unit.matching.test_book import calls_made

LONG = (
    "alice deposits 1000; bob deposits 100000; carol deposits 100000; mark BTC 100; mark ETH 100;"
    "bob sells 50 BTC at 100; alice buys 50 BTC at 100"
)
"""Alice is 50 BTC long at 100 with 1000 behind her: she needs 500, and 250 to stay."""


def ask(table: Table, command: PreviewableCommand | None, account: str = ALICE) -> PreviewView:
    before = table.venue.digest()
    told = table.venue.preview(command, account=account, now_ns=table.now_ns)
    assert table.venue.digest() == before
    return told


def buy(quantity: int, price: int | None = 100, **more: object) -> PlaceOrder:
    order = {"account": ALICE, "symbol": "BTC-PERP", "side": Side.BUY, "quantity": quantity, "limit_price": price}
    return PlaceOrder(**(order | more))  # type: ignore[arg-type]


def marks(**prices: int) -> SetMarkPrices:
    return SetMarkPrices(marks=tuple(MarkPrice(f"{name}-PERP", price) for name, price in prices.items()))


@pytest.mark.rule("MARG-029")
def test_an_order_is_told_with_its_decision_its_fills_its_fee_and_what_rests() -> None:
    table = Table(
        "alice deposits 1000; bob deposits 10000; mark BTC 100; bob sells 3 BTC at 100; bob sells 2 BTC at 101",
        instruments=(BTC_WITH_FEES, ETH_PERP),
    )
    told = ask(table, buy(8, 101))
    assert told.refusal is None
    assert told.order is not None
    order = told.order.order
    assert (order.order_status, order.filled_quantity, order.open_quantity) == (OrderStatus.PARTIALLY_FILLED, 5, 3)
    assert (order.filled_value, told.order.fee) == (cash("502"), cash("5.02"))
    assert (told.order.reason, told.order.repeated, told.order.canceled) == (None, False, ())
    assert told.order.decision.available_before == cash("1000")
    (position,) = told.positions
    assert (position.quantity, position.mark_price, position.bankruptcy_price) == (5, 100, None)
    assert told.account.order_margin == position.order_margin > 0
    assert told.account.wallet_balance == cash("994.98")


@pytest.mark.rule("MARG-029", "MARG-010")
def test_a_refused_order_says_why_and_leaves_the_account_as_it_is() -> None:
    table = Table(LONG)
    told = ask(table, buy(49, 105))
    assert isinstance(told.refusal, OrderRejected)
    assert told.refusal.reason is Reason.INITIAL_INSUFFICIENT
    assert (told.refusal.limit, told.refusal.actual) == (cash("500"), cash("759.500002"))
    assert told.order is None
    assert (told.account, told.positions) == (table.venue.account(ALICE), table.venue.positions(ALICE))


@pytest.mark.rule("MARG-029", "BOOK-008", "MARG-011")
def test_an_order_tells_which_of_the_accounts_other_orders_it_costs() -> None:
    table = Table(LONG).play(
        ("alice sells 30 BTC at 103 reduce-only", "accepted 3, rested 3"),
        ("alice buys 10 BTC at 99", "accepted 4, rested 4"),
        ("bob buys 30 BTC at 98", "accepted 5, rested 5"),
    )
    told = ask(table, buy(40, 98, side=Side.SELL, self_trade_prevention=SelfTradePrevention.CANCEL_MAKER))
    assert told.order is not None
    assert [(each.order.order_id, each.reason) for each in told.order.canceled] == [(4, Reason.SELF_TRADE)]
    assert [(each.order_id, each.open_quantity) for each in told.order.shrunk] == [(3, 20)]
    table.play(("alice sells 40 BTC at 98 cancel-maker", "accepted 6, canceled 4 order.self_trade_prevention, "
                "trade 30@98 maker 5 taker 6, filled 5, shrunk 3 to 20, rested 6"))  # fmt: skip


@pytest.mark.rule("MARG-029", "BOOK-004")
def test_a_fill_or_kill_order_that_cannot_fill_is_told_as_killed() -> None:
    table = Table(LONG)
    told = ask(table, buy(1, 100, time_in_force=TimeInForce.FOK))
    assert told.refusal is not None
    assert told.refusal.reason is Reason.FOK_UNFILLABLE


@pytest.mark.rule("MARG-029", "BOOK-014")
def test_a_known_client_order_id_is_told_as_a_repeat_or_as_reused_and_none_is_remembered() -> None:
    table = Table(LONG)
    order = buy(1, 90, client_order_id="a")
    assert ask(table, order).refusal is None
    assert ask(table, order) == ask(table, order)
    table.play(("alice buys 1 BTC at 90 as:a", "accepted 3, rested 3"))
    again = ask(table, order)
    assert again.order is not None
    assert (again.order.repeated, again.order.order.order_id, again.order.order.open_quantity) == (True, 3, 1)
    reused = ask(table, buy(2, 90, client_order_id="a")).refusal
    assert reused is not None
    assert reused.reason is Reason.CLIENT_ORDER_ID_REUSED


@pytest.mark.rule("MARG-029", "MARG-020", "MARG-006")
def test_marks_are_told_with_the_calls_and_flags_of_the_accounts_own_scopes_only() -> None:
    policy = RiskPolicy(liquidation_sizing=LiquidationSizing.FULL, margin_call_levels=(600_000, 800_000))
    table = Table(LONG, policy=policy)
    called = ask(table, marks(BTC=87))
    assert [(each.account, each.level, each.health.equity) for each in called.margin_calls] == [(ALICE, 600_000, cash("350"))]
    healthy = ask(table, marks(BTC=95))
    assert (healthy.liquidated, [each.margin_ratio for each in healthy.scopes]) == ((), [316_667])
    assert healthy.positions[0].liquidation_price == table.venue.position(ALICE, "BTC-PERP").liquidation_price == 85
    flagged = ask(table, marks(BTC=84))
    (scope,) = flagged.liquidated
    assert (scope.path, scope.equity, scope.maintenance_margin, scope.liquidating) == (
        MarginMode.CROSS, cash("200"), cash("210"), True,
    )  # fmt: skip
    assert flagged.account.liquidating
    assert flagged.positions[0].quantity == 50, "what the liquidation does is not foretold"
    assert ask(table, marks(BTC=84), account="carol").liquidated == ()
    assert table.venue.mark_price("BTC-PERP") == 100


@pytest.mark.rule("MARG-029", "MARK-001")
def test_marks_that_would_be_refused_are_told_as_refused() -> None:
    table = Table(LONG)
    told = ask(table, marks(BTC=100, ETH=0))
    assert isinstance(told.refusal, CommandRejected)
    assert (told.refusal.reason, told.refusal.symbol) == (Reason.MARK_PRICE_RANGE, "ETH-PERP")
    assert told.positions == table.venue.positions(ALICE)


@pytest.mark.rule("MARG-029", "MARG-021", "MARG-022", "MARG-016", "MARG-025")
def test_settings_and_margin_moves_are_told_with_what_moves_and_the_prices_that_follow() -> None:
    table = Table(LONG)
    switched = ask(table, SetMarginMode(account=ALICE, symbol="BTC-PERP", margin_mode=MarginMode.ISOLATED))
    assert (switched.margin_moved, switched.positions[0].isolated_wallet) == (cash("500"), cash("500"))
    assert switched.positions[0].liquidation_price == 95
    assert switched.positions[0].bankruptcy_price == 90
    table.play(("alice sets BTC isolated", "mode BTC isolated moved 500"))
    lowered = ask(table, SetLeverage(account=ALICE, symbol="BTC-PERP", leverage=6))
    assert lowered.margin_moved == cash("333.333334")
    added = ask(table, AddMargin(account=ALICE, symbol="BTC-PERP", amount=cash("501")))
    assert isinstance(added.refusal, CommandRejected)
    assert (added.refusal.reason, added.refusal.limit) == (Reason.ADD_ABOVE_AVAILABLE, cash("500"))
    assert ask(table, AddMargin(account=ALICE, symbol="BTC-PERP", amount=cash("100"))).margin_moved == cash("100")
    hedge = ask(table, SetPositionMode(account=ALICE, position_mode=PositionMode.HEDGE))
    assert hedge.refusal is not None
    assert hedge.refusal.reason is Reason.POSITION_OPEN


@pytest.mark.rule("MARG-029", "MARG-026", "MARG-027")
def test_a_withdrawal_of_collateral_is_told_and_the_collateral_stays() -> None:
    table = Table("alice deposits 1000; alice deposits 2 of COIN; mark BTC 100", collateral=(COIN,))
    told = ask(table, Withdraw(account=ALICE, amount=500, asset="COIN"))
    assert [(each.balance, each.value) for each in told.account.collateral] == [(1_500, cash("120"))]
    assert table.venue.account(ALICE).collateral_value == cash("160")


@pytest.mark.rule("MARG-029", "BOOK-004")
@pytest.mark.parametrize("time_in_force", [TimeInForce.GTC, TimeInForce.FOK])
def test_a_preview_costs_what_the_order_meets_however_full_the_book_is(time_in_force: TimeInForce) -> None:
    def cost(others: int) -> int:
        table = Table("alice deposits 1000; bob deposits 1000; carol deposits 100000; mark BTC 100; bob sells 2 BTC at 100")
        for number in range(others):
            table.venue.apply(buy(1, 101 + number % 9, account=CAROL, side=Side.SELL), now_ns=table.now_ns)
        command, told = buy(2, 105, time_in_force=time_in_force), []
        calls = calls_made(lambda: told.append(table.venue.preview(command, account=ALICE, now_ns=table.now_ns)))
        assert told[0].order is not None
        assert told[0].order.order.order_status is OrderStatus.FILLED
        return calls

    assert cost(150) == cost(9) > 0


@pytest.mark.rule("MARG-029")
def test_no_command_is_the_account_as_it_stands_and_an_unknown_account_is_no_account() -> None:
    table = Table(LONG)
    told = ask(table, None)
    assert (told.refusal, told.order, told.margin_moved, told.liquidated) == (None, None, 0, ())
    assert (told.account, told.positions) == (table.venue.account(ALICE), table.venue.positions(ALICE))
    assert told.scopes == table.venue.scopes(ALICE)
    with pytest.raises(KeyError):
        table.venue.preview(None, account="nobody", now_ns=table.now_ns)
    with pytest.raises(ValueError, match="time went back"):
        table.venue.preview(None, account=ALICE, now_ns=table.now_ns - 1)


@pytest.mark.rule("MARG-029")
def test_a_preview_is_no_decision_that_could_be_explained_later() -> None:
    venue = Venue((BTC_WITH_FEES,), records_decisions=True)
    venue.apply(CreateAccount(account=ALICE), now_ns=T0)
    venue.apply(SetMarkPrices(marks=(MarkPrice("BTC-PERP", 100),)), now_ns=T0)
    venue.apply(buy(1), now_ns=T0)
    kept = venue.decisions
    assert kept != ()
    venue.preview(buy(2, time_in_force=TimeInForce.FOK), account=ALICE, now_ns=T0)
    venue.preview(SetLeverage(account=ALICE, symbol="BTC-PERP", leverage=3), account=ALICE, now_ns=T0)
    assert venue.decisions == kept
