"""The real client's margin, money, funding and price methods against the real server, in both encodings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from clients import Client, OrderRejected, RequestRefused
from clients.margin_messages import FundingPayment, MarginCall
from clients.market_data import Funding, FundingSettled
from exchange.domain.enums import EntryKind, MarginMode, MarkSource, PositionMode, PositionSide, TradingState
from tests.unit.clients.live_exchange import LiveExchange, live_exchange

D = Decimal
BTC = "BTC-PERP"


@pytest.fixture
async def exchange() -> AsyncIterator[LiveExchange]:
    async with live_exchange() as live:
        yield live


@pytest.fixture(params=["msgpack", "json"])
async def alice(exchange: LiveExchange, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with exchange.client("alice", encoding=request.param) as client:
        yield client


@pytest.fixture
async def bob(exchange: LiveExchange) -> AsyncIterator[Client]:
    async with exchange.client("bob") as client:
        yield client


@pytest.fixture(params=["msgpack", "json"])
async def admin(exchange: LiveExchange, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with exchange.client("admin", encoding=request.param) as client:
        yield client


async def mark_of(client: Client, symbol: str) -> Decimal:
    mark = (await client.ticker(symbol)).mark_price
    assert mark is not None
    return mark


@pytest.mark.rule("MARG-025")
async def test_a_hedged_account_sees_both_positions_in_its_mirror(alice: Client, bob: Client) -> None:
    mark = await mark_of(alice, BTC)
    mirror = await alice.mirror(BTC)
    assert (await alice.set_position_mode("hedge")).position_mode is PositionMode.HEDGE
    with pytest.raises(OrderRejected, match=r"order\.position_side"):
        await alice.buy(BTC, "0.1", mark)
    switched = await alice.set_margin_mode(BTC, "isolated", position_side="short")
    assert (switched.position_side, switched.margin_moved) == (PositionSide.SHORT, 0)
    await bob.sell(BTC, "0.3", mark)
    await alice.buy(BTC, "0.3", position_side="long")
    await bob.buy(BTC, "0.1", mark)
    sold = await alice.sell(BTC, "0.1", position_side=PositionSide.SHORT)
    assert sold.order.position_side is PositionSide.SHORT
    await alice.ping()
    held = [(each.position_side, each.quantity, each.margin_mode) for each in mirror.positions.open_positions()]
    assert held == [
        (PositionSide.LONG, D("0.3"), MarginMode.CROSS),
        (PositionSide.SHORT, D("-0.1"), MarginMode.ISOLATED),
    ]
    assert mirror.positions.quantity(BTC) == D("0.2")
    assert mirror.account.position_mode is PositionMode.HEDGE
    cross, short = mirror.margin.cross(), mirror.margin.isolated(BTC, PositionSide.SHORT)
    assert mirror.margin.scopes() == (cross, short)
    assert (await alice.set_auto_replenish(BTC, True, position_side="short")).enabled
    lower = await alice.set_leverage(BTC, 5, position_side="short")
    assert lower.margin_moved > 0
    with pytest.raises(RequestRefused, match=r"margin\.position_open"):
        await alice.set_position_mode("one_way")


@pytest.mark.rule("MARG-027", "MARG-028", "WIRE-022")
async def test_money_goes_in_and_out_and_the_ledger_has_it_all(exchange: LiveExchange, alice: Client, admin: Client) -> None:
    credited = await admin.admin_credit("alice", "0.5", "BTC")
    assert (credited.asset, credited.wallet_balance) == ("BTC", D("0.5"))
    account = await alice.account()
    assert (account.collateral[0].balance, account.collateral[0].value) == (D("0.5"), D("55502.7525"))
    await admin.admin_set_collateral_price({"BTC": 100_000})
    assert (await alice.account()).collateral_value == 47_500
    assert (await alice.withdraw("0.2", "BTC")).wallet_balance == D("0.3")
    assert (await alice.withdraw(1000)).wallet_balance == 99_000
    with pytest.raises(RequestRefused, match=r"amount 99000\.000001 is above the 99000 that may be withdrawn"):
        await alice.withdraw("99000.000001")
    page = await alice.ledger(limit=3)
    assert [(entry.kind, entry.asset, entry.amount) for entry in page.entries] == [
        (EntryKind.WITHDRAWAL, "USD", -1000),
        (EntryKind.WITHDRAWAL, "BTC", D("-0.2")),
        (EntryKind.DEPOSIT, "BTC", D("0.5")),
    ]
    assert page.next_before == 2
    (first,) = (await alice.ledger(before=page.next_before)).entries
    assert (first.number, first.amount, first.wallet) == (1, 100_000, MarginMode.CROSS)
    (fund,) = (await admin.admin_state()).assets
    assert (fund.asset, fund.net_deposits) == ("BTC", D("0.3"))


@pytest.mark.rule("MARG-020", "LIQ-016", "WIRE-021")
async def test_a_falling_position_is_warned_of_and_ends_in_a_record(alice: Client, bob: Client, admin: Client) -> None:
    mark = await mark_of(alice, BTC)
    await alice.set_margin_mode(BTC, "isolated")
    await alice.set_leverage(BTC, 50)
    await bob.sell(BTC, "0.5", mark)
    await alice.buy(BTC, "0.5")
    mirror = await alice.mirror(BTC)
    calls: list[MarginCall] = []
    await alice.on_margin_call(calls.append)
    scope = mirror.margin.isolated(BTC)
    assert scope is not None
    assert scope.margin_ratio is not None
    assert scope.margin_ratio < D("0.5")
    await admin.admin_set_mark({BTC: (mark * D("0.986")).quantize(D(1))})
    await alice.ping()
    assert [call.level for call in calls] == [D("0.6")]
    assert mirror.margin.calls.events == tuple(calls)
    await admin.admin_set_mark({BTC: (mark * D("0.97")).quantize(D(1))})
    await alice.ping()
    (record,) = mirror.margin.records.events
    assert (await alice.liquidations()).records == (record,)
    assert (await admin.admin_liquidations(limit=1)).records == (record,)
    assert (record.account, record.symbol, record.path) == ("alice", BTC, MarginMode.ISOLATED)
    assert record.fund_quantity == {BTC: D("0.5")}
    assert record.owner_recovery == 0
    last = mirror.liquidations.events[-1]
    assert (last.step, last.default_recovery, last.fund_paid) == ("finished", record.default_recovery, record.fund_paid)
    assert mirror.margin.scopes() == ()


@pytest.mark.rule("FUND-003", "WIRE-021")
async def test_funding_reaches_mirror_stream_and_query(alice: Client, bob: Client, admin: Client) -> None:
    mark = await mark_of(alice, BTC)
    await bob.sell(BTC, "0.5", mark)
    await alice.buy(BTC, "0.5")
    mirror = await alice.mirror(BTC)
    before = await alice.funding(BTC)
    assert before.next_funding_time_us is not None
    async with alice.events("funding", BTC, timeout_s=5) as events:
        assert isinstance(await anext(events), Funding)
        await admin.admin_set_time(before.next_funding_time_us)
        settled = await anext(events)
    assert isinstance(settled, FundingSettled)
    assert (settled.funding_rate, settled.payments, settled.time_us) == (D("0.0001"), 2, before.next_funding_time_us)
    await alice.ping()
    (payment,) = mirror.account_events.events
    assert isinstance(payment, FundingPayment)
    assert payment.amount == -(mark * D("0.5") * D("0.0001")).quantize(D("0.000001"))
    assert mirror.account.wallet_balance == payment.wallet_balance
    after = mirror.marks.mark(BTC)
    assert after is not None
    assert after.next_funding_time_us == settled.next_funding_time_us


@pytest.mark.rule("BOOK-017")
async def test_an_operator_sets_indexes_and_halts(admin: Client, bob: Client) -> None:
    instruments = await admin.instruments()
    assert instruments[BTC].mark_source is MarkSource.EXTERNAL
    assert instruments[BTC].funding is not None
    assert instruments[BTC].funding.interval_us == 8 * 3600 * 1_000_000
    marks = await bob.mirror(BTC, books=False)
    await admin.admin_set_index({BTC: "116000.5", "ETH-PERP": 4000})
    await bob.ping()
    mark = marks.marks.mark(BTC)
    assert mark is not None
    assert mark.index_price == D("116000.5")
    await admin.admin_set_trading_state(BTC, "halted")
    assert (await bob.ticker(BTC)).trading_state is TradingState.HALTED
    with pytest.raises(OrderRejected, match=r"order\.symbol_halted"):
        await bob.buy(BTC, "0.1", mark.mark_price)
    await admin.admin_set_trading_state(BTC, TradingState.OPEN)
    assert (await bob.ticker(BTC)).trading_state is TradingState.OPEN
    with pytest.raises(RequestRefused, match=r"mark\.jump_too_far \(field marks\.BTC-PERP\)"):
        await admin.admin_set_mark({BTC: 1_000_000})
