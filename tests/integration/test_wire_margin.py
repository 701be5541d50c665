"""Margin, money and liquidations over a real socket, in both encodings, with a client that shares no code with the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from exchange.domain.instrument import CollateralAsset
from exchange.server.gateway import Gateway
from tests.cast import T0, cash
from tests.wire_kit import RawClient, beside_sequence, client, make_parts, served

BTC = "BTC-PERP"
BITCOIN = CollateralAsset(asset="BTC", decimals=8, haircut=50_000, initial_price=cash("1000"))


def order(side: str, quantity: str, limit_price: str, **more: Any) -> dict[str, Any]:
    return {"symbol": BTC, "side": side, "quantity": quantity, "limit_price": limit_price, **more}


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with served(make_parts(collateral=[BITCOIN])) as running:
        yield running


@pytest.fixture(params=["msgpack", "json"])
async def alice(gateway: Gateway, request: pytest.FixtureRequest) -> AsyncIterator[RawClient]:
    async with client(gateway, request.param, key="alice-key") as raw:
        yield raw


@pytest.fixture
async def bob(gateway: Gateway) -> AsyncIterator[RawClient]:
    async with client(gateway, key="bob-key") as raw:
        yield raw


@pytest.fixture
async def operator(gateway: Gateway) -> AsyncIterator[RawClient]:
    async with client(gateway, key="root") as raw:
        yield raw


async def trade(buyer: RawClient, seller: RawClient, quantity: str, price: str, **more: Any) -> None:
    await seller.call("order.place", **order("sell", quantity, price))
    await buyer.call("order.place", **order("buy", quantity, price, **more))


@asynccontextmanager
async def newcomer(
    gateway: Gateway, operator: RawClient, amount: str, name: str = "tiny", encoding: str = "msgpack"
) -> AsyncIterator[RawClient]:
    """Open an account with little money in it and connect its owner."""
    await operator.call("admin.create_account", account=name, key=f"{name}-key", secret=f"secret-of-{name}-key")
    await operator.call("admin.credit", account=name, amount=amount)
    async with client(gateway, encoding, key=f"{name}-key") as raw:
        yield raw


def told(raw: RawClient, channel: str, kind: str) -> list[dict[str, Any]]:
    """Return the data of one kind that a channel has told so far."""
    return [frame["data"] for frame in raw.of_channel(channel) if frame["data"]["type"] == kind]


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-021")
async def test_an_open_position_changes_its_margin_mode_and_the_answer_tells_what_moved(
    alice: RawClient, bob: RawClient
) -> None:
    await trade(alice, bob, "1", "100")
    before = Decimal((await alice.call("account.get"))["wallet_balance"])
    switched = await alice.call("account.set_margin_mode", symbol=BTC, margin_mode="isolated", margin="15.5")
    assert beside_sequence(switched) == {
        "symbol": BTC,
        "position_side": "net",
        "margin_mode": "isolated",
        "margin_moved": "15.5",
    }
    assert Decimal((await alice.call("account.get"))["wallet_balance"]) == before - Decimal("15.5")
    back = await alice.call("account.set_margin_mode", symbol=BTC, margin_mode="cross")
    assert back["margin_moved"] == "-15.5"
    error = await alice.refusal("account.set_margin_mode", symbol=BTC, margin_mode="isolated", margin="9.999999")
    assert (error["code"], error["field"]) == (5017, "margin")
    assert error["message"].startswith("margin 9.999999 is below the 10 that the position needs")
    error = await alice.refusal("account.set_margin_mode", symbol=BTC, margin_mode="isolated", margin="200000")
    assert (error["name"], error["field"]) == ("margin.switch_insufficient", "margin_mode")
    assert error["message"].startswith("margin_mode needs 200000 of margin and ")


@pytest.mark.rule("MARG-022")
async def test_a_lower_leverage_tells_what_it_cost_and_one_that_cannot_be_names_the_bound(
    alice: RawClient, bob: RawClient
) -> None:
    await alice.call("account.set_margin_mode", symbol=BTC, margin_mode="isolated")
    await trade(alice, bob, "1", "100")
    lowered = await alice.call("account.set_leverage", symbol=BTC, leverage=4)
    assert beside_sequence(lowered) == {"symbol": BTC, "position_side": "net", "leverage": 4, "margin_moved": "15"}
    (position,) = await alice.call("account.positions")
    assert (position["isolated_wallet"], position["notional"], position["effective_leverage"]) == ("25", "100", "4")
    error = await alice.refusal("account.set_leverage", symbol=BTC, leverage=11)
    assert error["message"] == "leverage 11 is outside the range from 1 to 10; choose one inside"
    await alice.call("order.place", symbol=BTC, side="buy", order_type="limit", limit_price="100", quantity="100")
    error = await alice.refusal("account.set_leverage", symbol=BTC, leverage=6)
    assert (error["name"], error["field"]) == ("margin.leverage_above_tier", "leverage")


@pytest.mark.rule("MARG-016")
async def test_the_maximum_in_a_refusal_is_what_may_be_moved_to_the_unit(alice: RawClient, bob: RawClient) -> None:
    await alice.call("account.set_margin_mode", symbol=BTC, margin_mode="isolated")
    await trade(alice, bob, "1", "100")
    for method, words in (("account.add_margin", "balance of "), ("account.remove_margin", "above the ")):
        error = await alice.refusal(method, symbol=BTC, amount="1000000")
        most = Decimal(error["message"].partition(words)[2].split()[0].rstrip(";"))
        error = await alice.refusal(method, symbol=BTC, amount=str(most + Decimal("0.000001")))
        assert str(most) in error["message"]
        moved = await alice.call(method, symbol=BTC, amount=str(most))
        assert abs(Decimal(moved["amount"])) == most


@pytest.mark.rule("MARG-025")
async def test_in_hedge_mode_a_long_and_a_short_position_stand_side_by_side(alice: RawClient, bob: RawClient) -> None:
    hedge = await alice.call("account.set_position_mode", position_mode="hedge")
    assert beside_sequence(hedge) == {"position_mode": "hedge"}
    error = await alice.refusal("order.place", **order("buy", "1", "100"))
    assert (error["code"], error["name"], error["field"]) == (3018, "order.position_side", "position_side")
    await alice.call("account.set_margin_mode", symbol=BTC, margin_mode="isolated", position_side="short")
    await alice.call("account.set_leverage", symbol=BTC, leverage=5, position_side="short")
    off_the_grid = await alice.refusal("order.place", **order("sell", "1", "100.3", position_side="short"))
    assert off_the_grid["details"]["path"] == "isolated"
    await trade(alice, bob, "1", "100", position_side="long")
    await bob.call("order.place", **order("buy", "0.4", "100"))
    await alice.call("subscribe", channel="fills")
    placed = await alice.call("order.place", **order("sell", "0.4", "100", position_side="short"))
    assert (placed["order"]["position_side"], placed["margin"]["path"]) == ("short", "isolated")
    assert [frame["data"]["position_side"] for frame in alice.of_channel("fills")] == ["short"]
    for positions in (await alice.call("account.positions"), await alice.call("account.positions", symbol=BTC)):
        shown = [(each["position_side"], each["quantity"], each["margin_mode"], each["leverage"]) for each in positions]
        assert shown == [("long", "1", "cross", 10), ("short", "-0.4", "isolated", 5)]
    moved = await alice.call("account.add_margin", symbol=BTC, amount="1", position_side="short")
    assert (moved["position_side"], moved["isolated_wallet"]) == ("short", "9")
    error = await alice.refusal("account.set_position_mode", position_mode="one_way")
    assert (error["name"], error["field"]) == ("margin.position_open", "position_mode")
    assert (await alice.call("account.get"))["position_mode"] == "hedge"
    assert (await alice.call("market.ticker", symbol=BTC))["open_interest"] == "1"


@pytest.mark.rule("MARG-024")
async def test_auto_replenish_is_chosen_per_position_and_shown_with_it(alice: RawClient) -> None:
    answer = await alice.call("account.set_auto_replenish", symbol=BTC, enabled=True)
    assert beside_sequence(answer) == {"symbol": BTC, "position_side": "net", "enabled": True}
    (position,) = await alice.call("account.positions")
    assert position["auto_replenish"] is True
    assert (await alice.refusal("account.set_auto_replenish", symbol="DOGE", enabled=True))["field"] == "symbol"
    side = await alice.refusal("account.set_auto_replenish", symbol=BTC, enabled=True, position_side="long")
    assert side["name"] == "order.position_side"


# -- money -------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("MARG-027")
async def test_withdrawals_are_bounded_to_the_unit_and_refusals_name_the_bound(alice: RawClient, bob: RawClient) -> None:
    await trade(alice, bob, "1", "100")
    most = (await alice.call("account.get"))["withdrawable"]
    assert most == "99989.95"
    error = await alice.refusal("account.withdraw", amount="99989.950001")
    assert (error["code"], error["name"], error["field"]) == (5015, "margin.withdraw_above_available", "amount")
    assert error["message"] == "amount 99989.950001 is above the 99989.95 that may be withdrawn; withdraw at most that"
    withdrawn = await alice.call("account.withdraw", amount=most)
    assert beside_sequence(withdrawn) == {"asset": "USD", "amount": most, "wallet_balance": "10"}
    assert (await alice.call("account.get"))["withdrawable"] == "0"
    assert (await alice.refusal("account.withdraw", amount="0"))["name"] == "margin.amount_not_positive"


@pytest.mark.rule("MARG-026", "MARG-027")
async def test_collateral_is_credited_valued_and_withdrawn_in_its_own_decimals(alice: RawClient, operator: RawClient) -> None:
    credited = await operator.call("admin.credit", account="alice", amount="1.50000001", asset="BTC")
    assert credited == {"account": "alice", "asset": "BTC", "amount": "1.50000001", "wallet_balance": "1.50000001"}
    account = await alice.call("account.get")
    assert account["collateral"] == [{"asset": "BTC", "balance": "1.50000001", "value": "1425.000009"}]
    assert (account["collateral_value"], account["equity"], account["withdrawable"]) == (
        "1425.000009",
        "101425.000009",
        "100000",
    )
    await operator.call("admin.set_collateral_price", prices={"BTC": "2000"})
    assert (await alice.call("account.get"))["collateral_value"] == "2850.000019"
    error = await alice.refusal("account.withdraw", amount="1.50000002", asset="BTC")
    assert error["message"] == "amount 1.50000002 is above the 1.50000001 that may be withdrawn; withdraw at most that"
    assert (await alice.call("account.withdraw", amount="0.5", asset="BTC"))["wallet_balance"] == "1.00000001"
    state = await operator.call("admin.state")
    assert state["assets"] == [{"asset": "BTC", "net_deposits": "1.00000001", "insurance_fund_balance": "0"}]
    error = await alice.refusal("account.withdraw", amount="1", asset="DOGE")
    assert (error["code"], error["field"]) == (6006, "asset")
    assert error["message"].endswith(": USD, BTC")
    error = await operator.refusal("admin.credit", account="alice", amount="0.000000001", asset="BTC")
    assert (error["field"], error["message"]) == ("amount", "amount: at most 8 decimal places are allowed")
    error = await operator.refusal("admin.credit", account="alice", amount="0", asset="BTC")
    assert error["message"] == "amount 0 must be above 0 and at most 10000000000; choose an amount in that range"


@pytest.mark.rule("MARG-026")
async def test_collateral_prices_are_set_together_or_not_at_all(operator: RawClient) -> None:
    refusals = {
        "prices": {"DOGE": "1"},
        "prices.BTC": {"BTC": "0"},
    }
    for field, prices in refusals.items():
        error = await operator.refusal("admin.set_collateral_price", prices=prices)
        assert error["field"] == field
    assert "BTC must be above 0 and at most 1000000000000, not 0" in error["message"]
    assert (await operator.refusal("admin.set_collateral_price", prices={"USD": "1"}))["field"] == "prices"


@pytest.mark.rule("MARG-026", "WIRE-021")
async def test_the_owner_is_told_that_collateral_was_sold_for_a_debt(
    gateway: Gateway, alice: RawClient, bob: RawClient, operator: RawClient
) -> None:
    async with newcomer(gateway, operator, "20") as tiny:
        await operator.call("admin.credit", account="tiny", amount="1", asset="BTC")
        await tiny.call("subscribe", channel="account")
        await trade(tiny, bob, "1", "100")
        await operator.call("admin.set_mark", marks={BTC: "70"})
        await alice.call("order.place", **order("buy", "1", "70"))
        await tiny.call("order.place", **order("sell", "1", "70"))
        (sale,) = told(tiny, "account", "collateral_sale")
        assert (sale["asset"], sale["proceeds"], sale["time_us"]) == ("BTC", "10.085", T0 // 1000)
        assert (await tiny.call("account.get"))["wallet_balance"] == "0"
        assert sale["quantity"] == "0.01061579"


@pytest.mark.rule("MARG-028", "WIRE-022")
async def test_the_ledger_tells_every_movement_newest_first_and_adds_up(
    alice: RawClient, bob: RawClient, operator: RawClient
) -> None:
    await alice.call("account.set_margin_mode", symbol=BTC, margin_mode="isolated")
    await trade(alice, bob, "1", "100")
    await operator.call("admin.advance", duration_us=5)
    await alice.call("account.add_margin", symbol=BTC, amount="2")
    await bob.call("order.place", **order("buy", "1", "99"))
    await alice.call("order.place", **order("sell", "1", "99"))
    await alice.call("account.withdraw", amount="5")
    page = await alice.call("account.ledger")
    entries = page["entries"]
    assert [entry["number"] for entry in entries] == list(range(len(entries), 0, -1))
    assert (page["dropped"], page["next_before"]) == (0, None)
    assert {entry["kind"] for entry in entries} == {"deposit", "margin", "fee", "realized_pnl", "withdrawal"}
    newest = entries[0]
    assert (newest["kind"], newest["amount"], newest["wallet"], newest["asset"]) == ("withdrawal", "-5", "cross", "USD")
    assert (newest["symbol"], newest["position_side"], newest["time_us"]) == (None, None, T0 // 1000 + 5)
    assert newest["balance"] == (await alice.call("account.get"))["wallet_balance"]
    isolated = [entry for entry in entries if entry["wallet"] == "isolated"]
    assert {(entry["symbol"], entry["position_side"]) for entry in isolated} == {(BTC, "net")}
    for wallet in ("cross", "isolated"):
        of_wallet = [entry for entry in entries if entry["wallet"] == wallet]
        assert sum(Decimal(entry["amount"]) for entry in of_wallet) == Decimal(of_wallet[0]["balance"])
    pages, before = [], None
    while True:
        page = await alice.call("account.ledger", limit=3, **({} if before is None else {"before": before}))
        pages += page["entries"]
        before = page["next_before"]
        if before is None:
            break
        assert before == page["entries"][-1]["number"]
    assert pages == entries
    assert (await bob.call("account.ledger", limit=1))["entries"] != entries[:1]
    error = await alice.refusal("account.ledger", limit=501)
    assert (error["name"], error["field"]) == ("request.invalid_field", "limit")
    assert "500" in error["message"]


# -- health, warnings and liquidations ---------------------------------------------------------------------------------


@pytest.mark.rule("MARG-020", "WIRE-021")
@pytest.mark.parametrize("encoding", ["msgpack", "json"])
async def test_health_is_told_with_each_mark_and_warnings_before_the_liquidation(
    gateway: Gateway, bob: RawClient, operator: RawClient, encoding: str
) -> None:
    async with newcomer(gateway, operator, "20", encoding=encoding) as tiny:
        await tiny.call("subscribe", channel="margin")
        assert told(tiny, "margin", "scopes") == [{"type": "scopes", "scopes": [], "time_us": T0 // 1000}]
        await trade(tiny, bob, "1", "100")
        (scope,) = told(tiny, "margin", "scopes")[-1]["scopes"]
        assert scope == {
            "path": "cross",
            "symbol": None,
            "position_side": "net",
            "equity": "19.95",
            "maintenance_margin": "5",
            "notional": "100",
            "margin_ratio": "0.250627",
            "bankrupt": False,
            "liquidating": False,
        }
        heard = len(tiny.of_channel("margin"))
        await operator.call("admin.set_mark", marks={"ETH-PERP": "51"})
        await bob.call("order.place", **order("buy", "1", "60"))
        await tiny.call("ping")
        assert len(tiny.of_channel("margin")) == heard, "nothing of hers has changed"
        await operator.call("admin.set_mark", marks={BTC: "87"})
        await tiny.call("ping")
        assert told(tiny, "margin", "scopes")[-1]["scopes"][0]["margin_ratio"] == "0.6259"
        (call,) = told(tiny, "margin", "margin_call")
        assert (call["level"], call["margin_ratio"], call["path"], call["symbol"]) == ("0.6", "0.6259", "cross", None)
        assert call["health"] == {"equity": "6.95", "maintenance_margin": "4.35", "notional": "87"}
        await operator.call("admin.set_mark", marks={BTC: "85"})
        await tiny.call("ping")
        assert [call["level"] for call in told(tiny, "margin", "margin_call")] == ["0.6", "0.8"]
        assert (await tiny.call("account.get"))["notional"] == "85"


@pytest.mark.rule("LIQ-016", "WIRE-021", "WIRE-022")
@pytest.mark.parametrize("encoding", ["msgpack", "json"])
async def test_a_liquidation_ends_in_one_record_for_its_owner_and_the_operator(
    gateway: Gateway, bob: RawClient, operator: RawClient, encoding: str
) -> None:
    async with newcomer(gateway, operator, "20", encoding=encoding) as tiny:
        await trade(tiny, bob, "1", "100")
        await bob.call("order.place", **order("buy", "1", "83"))
        await tiny.call("subscribe", channel="margin")
        await bob.call("subscribe", channel="margin")
        await operator.call("subscribe", channel="liquidations")
        await operator.call("admin.set_mark", marks={BTC: "84"})
        page = await tiny.call("account.liquidations")
        (record,) = page["records"]
        assert (page["dropped"], page["next_before"]) == (0, None)
        assert told(tiny, "margin", "liquidation") == [{"type": "liquidation", "record": record}]
        assert told(bob, "margin", "liquidation") == []
        assert (record["number"], record["account"], record["path"], record["symbol"]) == (1, "tiny", "cross", None)
        assert record["trigger_marks"] == {BTC: "84"}
        assert record["before"] == {"equity": "3.95", "maintenance_margin": "4.2", "notional": "84"}
        assert (record["collateral"], record["default_recovery"], record["bad_debt"]) == ("19.95", "1", "0")
        closed = Decimal(record["book_quantity"][BTC])
        assert 0 < closed < 1, "only as much as is needed"
        assert Decimal(record["book_value"]) == closed * 83
        assert (await operator.call("admin.liquidations"))["records"] == [record]
        assert (await bob.call("account.liquidations"))["records"] == []
        last = operator.of_channel("liquidations")[-1]["data"]
        assert (last["step"], last["book_quantity"]) == ("finished", record["book_quantity"])
        assert (last["owner_recovery"], last["default_recovery"]) == (record["owner_recovery"], "1")
        assert told(tiny, "margin", "scopes")[-1]["scopes"][0]["liquidating"] is False
        error = await tiny.refusal("account.liquidations", limit=101)
        assert (error["field"], "100 of one page" in error["message"]) == ("limit", True)
        assert (await bob.refusal("admin.liquidations"))["name"] == "session.scope_missing"
        assert (await tiny.call("account.liquidations", before=1)) == {"records": [], "dropped": 0, "next_before": None}


@pytest.mark.rule("LIQ-008", "WIRE-021")
@pytest.mark.parametrize("encoding", ["msgpack", "json"])
async def test_a_deleveraged_account_is_told_of_its_own_position(encoding: str) -> None:
    async with (
        served(make_parts(fund="0")) as gateway,
        client(gateway, encoding, key="bob-key") as bob,
        client(gateway, key="root") as operator,
        newcomer(gateway, operator, "20") as tiny,
    ):
        await bob.call("subscribe", channel="account")
        await trade(tiny, bob, "1", "100")
        await operator.call("admin.set_mark", marks={BTC: "80"})
        await bob.call("ping")
        (notice,) = told(bob, "account", "deleverage")
        assert notice == {
            "type": "deleverage",
            "liquidation_id": 1,
            "venue": "auto_deleverage",
            "symbol": BTC,
            "position_side": "net",
            "side": "buy",
            "quantity": "1",
            "price": "80.05",
            "value": notice["value"],
            "realized_pnl": "19.95",
            "time_us": T0 // 1000,
        }
        assert abs(Decimal(notice["value"])) == Decimal("80.05")
        assert await bob.call("account.positions") == []
        (record,) = (await tiny.call("account.liquidations"))["records"]
        assert (record["deleveraged_quantity"], record["deleveraged_legs"]) == ({BTC: "1"}, 1)
