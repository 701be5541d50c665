"""``account.preview`` over a real socket, in both encodings: what it says beside what the real methods then answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from exchange.domain.instrument import CollateralAsset
from exchange.domain.policy import LiquidationSizing, RiskPolicy
from exchange.server.gateway import Gateway
from tests.cast import cash
from tests.wire_kit import RawClient, client, make_parts, served

BTC = "BTC-PERP"
BITCOIN = CollateralAsset(asset="BTC", decimals=8, haircut=50_000, initial_price=cash("1000"))
POLICY = RiskPolicy(liquidation_sizing=LiquidationSizing.FULL, margin_call_levels=(600_000,), mark_jump_max=500_000)
BUY = {"symbol": BTC, "side": "buy", "quantity": "1", "limit_price": "100"}
HEDGED = {"symbol": BTC, "position_side": "long"}

REFUSED = (
    ("order", "order.place", BUY | {"quantity": "0.0005"}),
    ("order", "order.place", BUY | {"limit_price": "100.3"}),
    ("order", "order.place", BUY | {"symbol": "NO-PERP"}),
    ("order", "order.place", BUY | {"limit_price": "9"}),
    ("order", "order.place", BUY | {"quantity": "900", "limit_price": "149"}),
    ("order", "order.place", BUY | {"limit_price": "100.5", "time_in_force": "fok"}),
    ("order", "order.place", BUY | {"position_side": "long"}),
    ("margin_mode", "account.set_margin_mode", {"symbol": BTC, "margin_mode": "isolated", "margin": "1"}),
    ("margin_mode", "account.set_margin_mode", HEDGED | {"margin_mode": "isolated"}),
    ("leverage", "account.set_leverage", {"symbol": BTC, "leverage": 11}),
    ("leverage", "account.set_leverage", {"symbol": "NO-PERP", "leverage": 2}),
    ("add_margin", "account.add_margin", {"symbol": BTC, "amount": "1"}),
    ("remove_margin", "account.remove_margin", {"symbol": BTC, "amount": "0"}),
    ("withdraw", "account.withdraw", {"amount": "100000.5"}),
    ("withdraw", "account.withdraw", {"amount": "0.00000002", "asset": "BTC"}),
    ("withdraw", "account.withdraw", {"amount": "1", "asset": "TIN"}),
    ("position_mode", "account.set_position_mode", {"position_mode": "hedge"}),
)
"""What a preview of each action says of alice, who is 1 BTC long, and what the real method then answers."""

FIELDS: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({}, "order", "give exactly one of order, amend, mark_prices"),
    ({"order": BUY, "leverage": {"symbol": BTC, "leverage": 2}}, "leverage", "not both order and leverage"),
    ({"order": BUY | {"limit_price": "1e2"}}, "order.limit_price", "order.limit_price: "),
    (
        {"order": BUY | {"limit_price": 100}},
        "order.limit_price",
        'order.limit_price must be a decimal number in text, such as "',
    ),
    ({"order": BUY | {"side": "up"}}, "order.side", "choose one of buy, sell"),
    ({"order": {"symbol": BTC, "side": "buy"}}, "order.quantity", "order.quantity: it is missing"),
    (
        {"order": BUY | {"colour": "red"}},
        "order.colour",
        "account.preview order has no field colour; its fields are symbol, side",
    ),
    ({"order": "BTC-PERP"}, "order", "order must be"),
    ({"mark_prices": {BTC: "x"}}, "mark_prices.BTC-PERP", "mark_prices.BTC-PERP: "),
    ({"mark_prices": {}}, "mark_prices", "mark_prices"),
    ({"margin_mode": {"symbol": BTC, "margin_mode": "isolated", "margin": "x"}}, "margin_mode.margin", "margin_mode.margin: "),
    ({"leverage": {"symbol": BTC, "leverage": 0}}, "leverage.leverage", "leverage.leverage: "),
    ({"withdraw": {"amount": "1.0000001"}}, "withdraw.amount", "withdraw.amount: "),
    ({"orders": BUY}, "orders", "account.preview has no field orders; its fields are order, amend, mark_prices"),
)


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with served(make_parts(policy=POLICY, collateral=[BITCOIN])) as running:
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


async def preview(raw: RawClient, **action: Any) -> Any:
    return await raw.call("account.preview", **action)


async def check_account(raw: RawClient, told: Any) -> None:
    """Compare the account of a preview with the account as it stands."""
    assert told["account"] == await raw.call("account.get")
    assert told["positions"] == list(await raw.call("account.positions"))


def without_sequence(error: dict[str, Any]) -> dict[str, Any]:
    """Return an error without the number of its command, which a preview has none of."""
    details = {name: value for name, value in error.get("details", {}).items() if name != "sequence"}
    return {name: value for name, value in error.items() if name != "details"} | ({"details": details} if details else {})


@pytest.mark.rule("MARG-029", "WIRE-012")
async def test_an_order_is_told_as_the_order_is_then_answered(alice: RawClient, bob: RawClient) -> None:
    await bob.call("order.place", symbol=BTC, side="sell", quantity="0.4", limit_price="100")
    told = await preview(alice, order=BUY | {"client_order_id": "mine"})
    assert (told["accepted"], told["error"], told["order"]["repeated"]) == (True, None, False)
    assert (told["order"]["fee"], told["order"]["order"]["average_fill_price"]) == ("0.02", "100")
    placed = await alice.call("order.place", **BUY, client_order_id="mine")
    assert told["order"]["order"] == placed["order"]
    assert told["order"]["margin"] == placed["margin"]
    await check_account(alice, told)
    again = await preview(alice, order=BUY | {"client_order_id": "mine"})
    assert (again["order"]["repeated"], again["order"]["order"]) == (True, placed["order"])
    await check_account(alice, again)
    reused = await preview(alice, order=BUY | {"client_order_id": "mine", "quantity": "2"})
    assert (reused["accepted"], reused["order"], reused["error"]["name"]) == (False, None, "order.client_order_id_reused")


@pytest.mark.rule("MARG-029", "WIRE-012")
async def test_a_repeated_order_that_was_canceled_is_told_with_the_reason(alice: RawClient) -> None:
    order = BUY | {"client_order_id": "gone", "time_in_force": "ioc"}
    first = await preview(alice, order=order)
    assert first["order"]["order"]["reason"] == "order.ioc_remainder"
    placed = await alice.call("order.place", **order)
    again = await preview(alice, order=order)
    assert first["order"]["order"] == again["order"]["order"] == placed["order"]


@pytest.mark.rule("MARG-029")
async def test_an_order_is_told_with_those_of_ones_own_that_it_costs(alice: RawClient) -> None:
    await alice.call("order.place", symbol=BTC, side="sell", quantity="1", limit_price="100")
    told = await preview(alice, order=BUY | {"self_trade_prevention": "cancel_maker"})
    assert [(each["order_id"], each["reason"]) for each in told["order"]["canceled_orders"]] == [
        (1, "order.self_trade_prevention")
    ]
    assert (told["order"]["shrunk_orders"], len(await alice.call("order.list"))) == ([], 1)


@pytest.mark.rule("MARG-029", "WIRE-003", "WIRE-013")
@pytest.mark.parametrize(("action", "method", "params"), REFUSED)
async def test_a_refusal_is_told_with_the_error_that_the_method_then_answers(
    alice: RawClient, bob: RawClient, action: str, method: str, params: dict[str, Any]
) -> None:
    await bob.call("order.place", symbol=BTC, side="sell", quantity="1", limit_price="100")
    await alice.call("order.place", **BUY)
    told = await preview(alice, **{action: params})
    assert not told["accepted"]
    assert told["error"] == without_sequence(await alice.refusal(method, **params))
    assert (told["order"], told["liquidated"], told["margin_moved"]) == (None, [], "0")
    await check_account(alice, told)


@pytest.mark.rule("MARG-029", "MARG-021", "MARG-022", "MARG-016", "MARG-027")
async def test_settings_margin_and_money_are_told_as_they_then_come(alice: RawClient, bob: RawClient) -> None:
    await bob.call("order.place", symbol=BTC, side="sell", quantity="1", limit_price="100")
    await alice.call("order.place", **BUY)
    for action, method, params in (
        ("margin_mode", "account.set_margin_mode", {"symbol": BTC, "margin_mode": "isolated"}),
        ("leverage", "account.set_leverage", {"symbol": BTC, "leverage": 4}),
        ("add_margin", "account.add_margin", {"symbol": BTC, "amount": "5.5"}),
        ("remove_margin", "account.remove_margin", {"symbol": BTC, "amount": "2"}),
        ("auto_replenish", "account.set_auto_replenish", {"symbol": BTC, "enabled": True}),
        ("withdraw", "account.withdraw", {"amount": "99"}),
    ):
        told = await preview(alice, **{action: params})
        assert (told["accepted"], told["error"]) == (True, None)
        done = await alice.call(method, **params)
        moved = done.get("margin_moved", done.get("amount") if "isolated_wallet" in done else "0")
        assert told["margin_moved"] == moved
        await check_account(alice, told)
    assert (await preview(bob, position_mode={"position_mode": "hedge"}))["error"]["name"] == "margin.position_open"


@pytest.mark.rule("MARG-029", "MARK-002")
async def test_marks_are_told_with_the_warnings_and_flags_that_they_would_bring(
    alice: RawClient, bob: RawClient, operator: RawClient
) -> None:
    await alice.call("account.set_margin_mode", symbol=BTC, margin_mode="isolated")
    await bob.call("order.place", symbol=BTC, side="sell", quantity="1", limit_price="100")
    await alice.call("order.place", **BUY)
    told = await preview(alice, mark_prices={BTC: "97"})
    assert [(each["level"], each["symbol"], each["health"]["equity"]) for each in told["margin_calls"]] == [("0.6", BTC, "7")]
    assert (told["liquidated"], told["scopes"][0]["margin_ratio"]) == ([], "0.692858")
    flagged = await preview(alice, mark_prices={BTC: "94", "ETH-PERP": "60"})
    (scope,) = flagged["liquidated"]
    assert (scope["path"], scope["symbol"], scope["equity"], scope["liquidating"]) == ("isolated", BTC, "4", True)
    assert flagged["positions"][0]["quantity"] == "1"
    for marks in ({BTC: "10"}, {BTC: "97.3"}, {"NO-PERP": "1"}):
        told = await preview(alice, mark_prices=marks)
        assert told["error"] == without_sequence(await operator.refusal("admin.set_mark", marks=marks))
        await check_account(alice, told)


@pytest.mark.rule("MARG-029", "WIRE-005")
@pytest.mark.parametrize(("params", "field", "words"), FIELDS, ids=[str(row[1]) for row in FIELDS])
async def test_what_cannot_be_read_is_an_error_that_names_its_place(
    alice: RawClient, params: dict[str, Any], field: str, words: str
) -> None:
    error = await alice.refusal("account.preview", **params)
    assert error["name"].startswith("request.")
    assert error["field"] == field
    assert words in error["message"]


@pytest.mark.rule("MARG-029", "WIRE-006")
async def test_asking_needs_a_login_changes_nothing_and_is_told_to_nobody(
    gateway: Gateway, alice: RawClient, bob: RawClient, operator: RawClient
) -> None:
    async with client(gateway) as stranger:
        assert (await stranger.refusal("account.preview", order=BUY))["name"] == "session.login_required"
    for raw in (alice, bob):
        for channel in ("orders", "fills", "positions", "account", "margin", "book", "trades", "ticker", "mark"):
            await raw.call("subscribe", channel=channel)
    await bob.call("order.place", symbol=BTC, side="sell", quantity="1", limit_price="100")
    await alice.call("ping")
    before, heard = await operator.call("admin.state"), (len(alice.frames), len(bob.frames))
    await preview(alice, order=BUY)
    await preview(alice, mark_prices={BTC: "60"})
    await preview(alice, withdraw={"amount": "1"})
    for raw in (alice, bob):
        await raw.call("ping")
    assert await operator.call("admin.state") == before
    assert (len(alice.frames), len(bob.frames)) == (heard[0] + 4, heard[1] + 1)
