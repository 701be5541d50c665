"""The operator's methods over a real socket."""

from __future__ import annotations

import re

import pytest

from exchange.services.clock import RealClock
from tests.cast import T0
from tests.wire_kit import client, make_parts, served

T0_US = T0 // 1000


@pytest.mark.rule("WIRE-019")
async def test_a_new_account_gets_a_key_of_its_own_and_can_trade_at_once() -> None:
    async with served() as gateway, client(gateway, "json", key="root") as operator:
        created = await operator.call("admin.create_account", account="dave")
        assert created["account"] == "dave"
        assert re.fullmatch("[0-9a-f]{16}", created["key"])
        assert re.fullmatch("[0-9a-f]{64}", created["secret"])
        await operator.call("admin.credit", account="dave", amount="12.5")
        async with client(gateway) as dave:
            assert await dave.login(created["key"], created["secret"]) == {"account": "dave", "scopes": ["read", "trade"]}
            assert (await dave.call("account.get"))["wallet_balance"] == "12.5"


@pytest.mark.rule("WIRE-019")
async def test_keys_are_part_of_no_command_and_of_no_digest() -> None:
    digests = set()
    for key in ("one-key", "another-key"):
        async with served() as gateway, client(gateway, key="root") as operator:
            await operator.call("admin.create_account", account="dave", key=key, secret=f"secret-of-{key}")
            digests.add((await operator.call("admin.state"))["digest"])
    assert len(digests) == 1


async def test_accounts_and_keys_that_cannot_be_are_refused() -> None:
    async with served(make_parts(keys_max=5)) as gateway, client(gateway, key="root") as operator:
        refusals = {
            "account.exists": {"account": "alice"},
            "account.name": {"account": "insurance_fund"},
            "account.key_exists": {"account": "dave", "key": "alice-key", "secret": "12345678"},
            "request.invalid_field": {"account": "dave", "key": "dave-key"},
        }
        for name, params in refusals.items():
            assert (await operator.refusal("admin.create_account", **params))["name"] == name
        await operator.call("admin.create_account", account="dave")
        assert (await operator.refusal("admin.create_account", account="erin"))["name"] == "account.keys_maximum"
        assert (await operator.call("admin.state"))["accounts"] == 4


async def test_deposits_are_acknowledged_with_the_wallet_after_them() -> None:
    async with served() as gateway, client(gateway, key="root") as operator:
        assert await operator.call("admin.credit", account="alice", amount="0.000001") == {
            "account": "alice",
            "asset": "USD",
            "amount": "0.000001",
            "wallet_balance": "100000.000001",
        }
        assert (await operator.call("admin.credit", account="insurance_fund", amount="5"))["wallet_balance"] == "1005"
        assert (await operator.refusal("admin.credit", account="nobody", amount="5"))["name"] == "account.unknown"
        error = await operator.refusal("admin.credit", account="alice", amount="-5")
        assert error["message"] == "amount -5 must be above 0 and at most 1000000000000; choose an amount in that range"
        state = await operator.call("admin.state")
        assert (state["net_deposits"], state["insurance_fund_wallet"]) == ("301005.000001", "1005")


@pytest.mark.rule("MARK-001")
async def test_marks_are_set_together_or_not_at_all() -> None:
    async with served() as gateway, client(gateway, key="root") as operator:
        await operator.call("subscribe", channel="mark")
        await operator.call("admin.set_mark", marks={"ETH-PERP": "51", "BTC-PERP": "101.5"})
        marks = [(f["symbol"], f["data"]["mark_price"]) for f in operator.of_channel("mark")]
        assert marks[2:] == [("BTC-PERP", "101.5"), ("ETH-PERP", "51")]
        error = await operator.refusal("admin.set_mark", marks={"BTC-PERP": "102", "ETH-PERP": "0"})
        assert error["name"] == "mark.price_out_of_range"
        assert "not 0" in error["message"]
        assert (await operator.refusal("admin.set_mark", marks={"BTC-PERP": "102", "DOGE": "1"}))["field"] == "marks"
        assert (await operator.call("market.ticker", symbol="BTC-PERP"))["mark_price"] == "101.5"


@pytest.mark.rule("WIRE-019", "WIRE-020")
async def test_a_virtual_clock_moves_on_command_and_never_back() -> None:
    async with served() as gateway, client(gateway, key="root") as operator:
        assert (await operator.call("admin.advance", duration_us=250))["time_us"] == T0_US + 250
        assert (await operator.call("admin.set_time", time_us=T0_US + 1000))["time_us"] == T0_US + 1000
        assert (await operator.call("admin.set_time", time_us=T0_US + 1000))["time_us"] == T0_US + 1000
        error = await operator.refusal("admin.set_time", time_us=T0_US + 999)
        assert (error["name"], error["field"]) == ("clock.out_of_range", "time_us")
        assert (await operator.refusal("admin.advance", duration_us=2**53 - 1))["name"] == "clock.out_of_range"
        state = await operator.call("admin.state")
        assert (state["time_us"], state["clock"]) == (T0_US + 1000, "virtual")


@pytest.mark.rule("WIRE-019")
async def test_real_time_cannot_be_moved() -> None:
    async with served(make_parts(RealClock())) as gateway, client(gateway, key="root") as operator:
        assert operator.hello["clock"] == "real"
        for method, params in (("admin.advance", {"duration_us": 1}), ("admin.set_time", {"time_us": 2**52})):
            assert (await operator.refusal(method, **params))["name"] == "clock.not_virtual"


@pytest.mark.rule("WIRE-006")
async def test_a_trading_key_may_not_administer_and_an_admin_key_may_not_trade() -> None:
    async with served() as gateway, client(gateway, key="alice-key") as alice, client(gateway, key="root") as operator:
        assert (await alice.refusal("admin.credit", account="alice", amount="1"))["name"] == "session.scope_missing"
        assert (await operator.refusal("order.list"))["name"] == "session.scope_missing"
        assert (await operator.refusal("subscribe", channel="account"))["name"] == "session.scope_missing"


async def test_the_same_requests_give_the_same_digest_whoever_sends_them_in_whatever_encoding() -> None:
    digests = set()
    for encoding in ("msgpack", "json"):
        async with (
            served() as gateway,
            client(gateway, encoding, key="alice-key") as alice,
            client(gateway, encoding, key="root") as operator,
        ):
            await alice.call("order.place", symbol="BTC-PERP", side="buy", quantity="1", limit_price="99")
            await operator.call("admin.advance", duration_us=5)
            state = await operator.call("admin.state")
            digests.add((state["digest"], state["sequence"]))
    assert len(digests) == 1
