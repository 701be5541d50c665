"""``account.explain`` over a real socket in both encodings, the client's ``explain``, and ``ringfence explain``."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from clients import Client, OrderRejected, RequestRefused
from clients.explain_messages import Explanation
from exchange.domain.enums import MarginMode
from tests.integration.process import ServeProcess
from tests.properties.formula_evaluator import concludes, evaluate, holds
from tests.unit.clients.live_exchange import LiveExchange, live_exchange
from tests.wire_kit import client, make_parts, served

BTC = "BTC-PERP"
COLUMNS = 100


@pytest.fixture
async def exchange() -> AsyncIterator[LiveExchange]:
    async with live_exchange() as live:
        yield live


@pytest.fixture(params=["msgpack", "json"])
async def alice(exchange: LiveExchange, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with exchange.client("alice", encoding=request.param) as connected:
        yield connected


@pytest.fixture
async def bob(exchange: LiveExchange) -> AsyncIterator[Client]:
    async with exchange.client("bob") as connected:
        yield connected


@pytest.fixture
async def admin(exchange: LiveExchange) -> AsyncIterator[Client]:
    async with exchange.client("admin") as connected:
        yield connected


def prove(explanation: Explanation) -> None:
    """Check every formula and every check of an explanation as a reader of the wire would."""
    for path in explanation.paths:
        values = {each.name: evaluate(each.value) for each in path.inputs}
        for step in path.steps:
            assert evaluate(step.formula, values) == evaluate(step.numbers) == evaluate(step.value), step
            values[step.name] = evaluate(step.value)
        checks = {each.name: holds(each.left, each.relation, each.right, values) for each in path.checks}
        assert checks == {each.name: each.holds for each in path.checks}
        assert concludes(path.conclusion, checks) == path.verdict
    assert explanation.text.startswith(explanation.headline.split(" ")[0])
    assert max(map(len, explanation.text.splitlines())) <= COLUMNS


async def liquidated(alice: Client, bob: Client, admin: Client) -> int:
    """Have alice's isolated long liquidated and return the liquidation's id."""
    mark = (await alice.ticker(BTC)).mark_price
    assert mark is not None
    await alice.set_margin_mode(BTC, "isolated")
    await alice.set_leverage(BTC, 50)
    await bob.sell(BTC, "0.5", mark)
    await alice.buy(BTC, "0.5")
    await bob.buy(BTC, "0.3", (mark * Decimal("0.983")).quantize(Decimal(1)))
    await admin.admin_set_mark({BTC: (mark * Decimal("0.983")).quantize(Decimal(1))})
    (record,) = (await alice.liquidations()).records
    return record.liquidation_id


@pytest.mark.rule("EXPL-001", "EXPL-002", "EXPL-003")
async def test_why_was_i_liquidated(alice: Client, bob: Client, admin: Client) -> None:
    liquidation_id = await liquidated(alice, bob, admin)
    explanations = await alice.explain(liquidation_id=liquidation_id)
    for each in explanations:
        prove(each)
    why = explanations[0]
    assert why.headline.startswith("alice's isolated BTC-PERP long was liquidated: equity ")
    assert "fell below maintenance" in why.headline
    assert (why.kind, why.verdict, why.liquidation_id) == ("liquidation", "liquidated", liquidation_id)
    assert [path.path for path in why.paths] == [MarginMode.ISOLATED, MarginMode.CROSS]
    assert [path.outcome for path in why.paths] == ["liquidated", "would have stood"]
    assert [each.step for each in why.happened][:2] == ["flagged", "orders_canceled"]
    assert why.happened[-1].step == "finished"
    assert {each.meaning for each in why.changes} == {"equity", "maintenance margin", "notional"}
    assert any("more in its wallet would have kept it" in sentence for sentence in why.prevention)
    assert {each.kind for each in explanations[1:]} <= {"close", "transfer"}
    assert await admin.admin_explain("alice", liquidation_id=liquidation_id) == explanations


@pytest.mark.rule("EXPL-001", "WIRE-012", "WIRE-013")
async def test_why_was_my_order_accepted_filled_or_refused(alice: Client, bob: Client) -> None:
    mark = (await alice.ticker(BTC)).mark_price
    assert mark is not None
    await bob.sell(BTC, "0.2", mark)
    placed = await alice.buy(BTC, "0.1", client_order_id="mine")
    assert placed.sequence is not None
    accepted, filled = await alice.explain(order_id=placed.order.order_id)
    for each in (accepted, filled):
        prove(each)
    assert (accepted.kind, accepted.verdict, filled.kind, filled.verdict) == ("order", "accepted", "fill", "passed")
    required = accepted.paths[0].value("required")
    assert required is not None
    assert Decimal(required) == placed.margin.required
    assert await alice.explain(client_order_id="mine") == (accepted, filled)
    assert await alice.explain(sequence=placed.sequence) == (accepted, filled)
    with pytest.raises(OrderRejected) as refused:
        await alice.buy(BTC, 100, mark)
    assert refused.value.sequence is not None
    (why,) = await alice.explain(sequence=refused.value.sequence)
    prove(why)
    assert (why.verdict, why.reason) == ("refused", "margin.initial_insufficient")
    assert [path.outcome for path in why.paths] == ["refused", "would have been refused"]
    most = next(sentence for sentence in why.prevention if "a quantity of" in sentence)
    quantity = most.split("a quantity of ")[1].split(" or less")[0]
    assert (await alice.buy(BTC, quantity, mark * Decimal("0.99") // 1)).order.is_open


@pytest.mark.rule("EXPL-001", "EXPL-003")
async def test_why_was_my_change_made_or_refused(alice: Client, bob: Client) -> None:
    mark = (await alice.ticker(BTC)).mark_price
    assert mark is not None
    await alice.set_margin_mode(BTC, "isolated")
    await bob.sell(BTC, "0.1", mark)
    await alice.buy(BTC, "0.1")
    lowered = await alice.set_leverage(BTC, 5)
    assert lowered.sequence is not None
    (made,) = await alice.explain(sequence=lowered.sequence)
    prove(made)
    moved = made.paths[0].value("moved")
    assert moved is not None
    assert Decimal(moved) == lowered.margin_moved
    with pytest.raises(RequestRefused) as refused:
        await alice.withdraw(1_000_000)
    assert refused.value.sequence is not None
    (why,) = await alice.explain(sequence=refused.value.sequence)
    prove(why)
    assert (why.kind, why.reason) == ("change", "margin.withdraw_above_available")
    most = why.paths[0].value("most")
    assert most is not None
    assert Decimal(most) == (await alice.account()).withdrawable


@pytest.mark.rule("EXPL-001", "MARG-020")
async def test_why_was_i_warned(alice: Client, bob: Client, admin: Client) -> None:
    mark = (await alice.ticker(BTC)).mark_price
    assert mark is not None
    await alice.set_margin_mode(BTC, "isolated")
    await alice.set_leverage(BTC, 50)
    await bob.sell(BTC, "0.5", mark)
    await alice.buy(BTC, "0.5")
    moved = await admin.admin_set_mark({BTC: (mark * Decimal("0.986")).quantize(Decimal(1))})
    (call,) = await alice.explain(sequence=moved.sequence)
    prove(call)
    assert (call.kind, call.verdict) == ("margin_call", "warned")
    assert call.headline.startswith("alice's isolated BTC-PERP long was warned at 60 %: its margin ratio rose to ")


@pytest.mark.rule("EXPL-001")
async def test_nothing_of_the_other_side_is_in_an_explanation(alice: Client, bob: Client) -> None:
    mark = (await alice.ticker(BTC)).mark_price
    assert mark is not None
    made = await bob.sell(BTC, "0.2", mark)
    placed = await alice.buy(BTC, "0.1")
    for each in await alice.explain(order_id=placed.order.order_id):
        assert "bob" not in str(each)
        assert each.account == "alice"
    assert all("alice" not in str(each) for each in await bob.explain(order_id=made.order.order_id))
    for foreign in ({"order_id": made.order.order_id}, {"sequence": made.sequence}):
        with pytest.raises(RequestRefused) as refused:
            await alice.explain(**foreign)
        assert refused.value.name == "explain.not_kept"


@pytest.mark.rule("EXPL-004")
@pytest.mark.parametrize("encoding", ["msgpack", "json"])
async def test_what_is_not_kept_is_refused_naming_the_bound_and_pages_are_bounded(encoding: str) -> None:
    async with served(make_parts(), explanation_page_max=2) as gateway, client(gateway, encoding, key="bob-key") as bob:
        for _ in range(3):
            await bob.call("order.place", symbol=BTC, side="sell", quantity="1", limit_price="100")
        async with client(gateway, encoding, key="alice-key") as alice:
            order: dict[str, Any] = {"symbol": BTC, "side": "buy", "quantity": "3", "limit_price": "100"}
            placed = await alice.call("order.place", **order)
            order_id = placed["order"]["order_id"]
            page = await alice.call("account.explain", order_id=order_id, limit=2)
            assert [each["kind"] for each in page["explanations"]] == ["order", "fill"]
            assert page["next_offset"] == 2
            rest = await alice.call("account.explain", order_id=order_id, limit=2, offset=2)
            assert [each["kind"] for each in rest["explanations"]] == ["fill", "fill"]
            assert rest["next_offset"] is None
            too_many = await alice.refusal("account.explain", order_id=order_id, limit=3)
            assert (too_many["name"], too_many["field"]) == ("request.invalid_field", "limit")
            unknown = await alice.refusal("account.explain", liquidation_id=77, limit=1)
            assert (unknown["code"], unknown["name"], unknown["field"]) == (8000, "explain.not_kept", "liquidation_id")
            assert "no decision about liquidation_id 77 of this account is kept" in unknown["message"]
            assert "the last 500 on orders and changes are (explanations_max)" in unknown["message"]
            assert "the last 200 on warnings and liquidations (liquidation_explanations_max)" in unknown["message"]
            for wrong in ({}, {"order_id": 1, "sequence": 2}):
                refused = await alice.refusal("account.explain", **wrong, limit=1)
                assert "give exactly one of" in refused["message"]
            denied = await alice.refusal("admin.explain", account="bob", order_id=1)
            assert denied["name"] == "session.scope_missing"
    async with served(make_parts(), explanation_bytes_max=4096) as gateway, client(gateway, encoding, key="bob-key") as bob:
        placed = await bob.call("order.place", symbol=BTC, side="sell", quantity="1", limit_price="100")
        (cut,) = (await bob.call("account.explain", order_id=placed["order"]["order_id"]))["explanations"]
        assert (cut["paths"], cut["verdict"]) == ([], "accepted")
        assert "the arithmetic is left out" in cut["text"]


# -- the command line --------------------------------------------------------------------------------------------------


def explain(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "exchange.app.cli", "explain", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.rule("EXPL-001")
async def test_the_command_explains_what_a_running_exchange_did(tmp_path: Path) -> None:
    config = tmp_path / "virtual.toml"
    config.write_text('[clock]\nmode = "virtual"\nstart_time = 2025-10-10T20:50:00Z\n', encoding="utf-8")
    with ServeProcess(tmp_path, "--port", "0", "--config", str(config)) as serve:
        url = serve.wait_until_ready()["url"]
        names = ("alice", "bob", "admin")
        alice, bob, admin = (Client.connect(url, key=f"demo-{each}", secret=f"demo-{each}-secret") for each in names)
        async with alice, bob, admin:
            liquidation_id = await liquidated(alice, bob, admin)
            told = await alice.explain(liquidation_id=liquidation_id)
        runs = (
            (f"liquidation:{liquidation_id}", "--as", "alice"),
            (f"liquidation:{liquidation_id}", "--as", "admin", "--account", "alice"),
            ("2", "--key", "demo-alice", "--secret", "demo-alice-secret", "--json"),
            ("order:1", "--as", "alice"),
            ("1", "--as", "nobody"),
        )
        done = [await asyncio.to_thread(explain, *run, "--url", url) for run in runs]
    assert [each.returncode for each in done] == [0, 0, 0, 1, 1], [each.stderr for each in done]
    assert done[0].stdout.startswith(told[0].text)
    assert done[1].stdout == done[0].stdout
    kinds = [each["kind"] for each in json.loads(done[2].stdout)]
    assert kinds == ["order", "fill"]
    assert done[3].stderr.startswith("ringfence: no decision about order_id 1 of this account is kept")
    assert done[4].stderr.startswith("ringfence: the exchange refused the key demo-nobody")
    assert all(each.stderr.count("\n") == 1 for each in done[3:])


def test_nobody_to_ask_is_a_sentence_and_exit_code_1() -> None:
    done = explain("1", "--as", "alice", "--url", "ws://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ringfence: no exchange answers at ws://127.0.0.1:1 (")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nonsense:1", "--as", "alice"), "is no id; write an order id"),
        (("order:x", "--as", "alice"), "'x' is no number; write for instance order:12"),
        (("client:", "--as", "alice"), "write the client order id after client:"),
        (("1",), "say who asks"),
        (("1", "--key", "k"), "--key and --secret belong together"),
    ],
)
def test_a_question_wrongly_asked_is_exit_code_2(arguments: tuple[str, ...], sentence: str) -> None:
    done = explain(*arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
