"""``ringfence serve`` from outside: a second process, its ready file, a raw WebSocket, and its exit code."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.integration.process import ServeProcess

JSON_PROTOCOL = "exchange.v1.json"
REPLY_S_MAX = 10.0


class RawClient:
    """The least that speaks the protocol: JSON frames over one connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._last_id = 0

    async def receive(self) -> dict[str, Any]:
        frame = await asyncio.wait_for(self._connection.recv(), REPLY_S_MAX)
        message: dict[str, Any] = json.loads(frame)
        return message

    async def close_code(self) -> int | None:
        """Read until the server closes; return the code it gave, or None for a connection that was cut."""
        while True:
            try:
                await self.receive()
            except ConnectionClosed as closed:
                return None if closed.rcvd is None else closed.rcvd.code

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        self._last_id += 1
        await self._connection.send(json.dumps({"id": self._last_id, "method": method, "params": params}))
        while True:
            message = await self.receive()
            if message.get("id") == self._last_id:
                return message

    async def login(self, hello: dict[str, Any], key: str, secret: str) -> dict[str, Any]:
        time_ms = hello["time_us"] // 1000
        text = f"ringfence-login-v1\n{hello['nonce']}\n{key}\n{time_ms}"
        signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        return await self.call("session.login", key=key, time_ms=time_ms, signature=signature)


async def test_a_client_reads_its_account_and_ctrl_c_ends_everything_cleanly(tmp_path: Path) -> None:
    with ServeProcess(tmp_path, "--port", "0") as serve:
        ready = serve.wait_until_ready()
        assert ready["pid"] == serve.pid
        assert ready["url"].startswith("ws://127.0.0.1:")
        alice = next(entry for entry in ready["accounts"] if entry["account"] == "alice")

        async with connect(ready["url"], subprotocols=[JSON_PROTOCOL]) as connection:  # type: ignore[list-item]
            client = RawClient(connection)
            hello = await client.receive()
            assert hello["clock"] == "real"
            reply = await client.login(hello, alice["key"], alice["secret"])
            assert reply["result"]["account"] == "alice"
            account = await client.call("account.get")
            assert account["result"]["wallet_balance"] == "100000"
            instruments = await client.call("market.instruments")
            assert [entry["symbol"] for entry in instruments["result"]] == ["BTC-PERP", "ETH-PERP", "SOL-PERP"]
            ticker = await client.call("market.ticker", symbol="BTC-PERP")
            assert ticker["result"]["mark_price"] == "116847.9"

            serve.send(signal.SIGINT)
            assert await client.close_code() == 1012
        assert serve.wait_for_exit() == 0
        assert "demo-alice-secret" in serve.output
        assert serve.output.endswith("stopping\n")


async def test_the_admin_key_of_the_ready_file_moves_a_virtual_clock_and_a_mark(tmp_path: Path) -> None:
    config = tmp_path / "virtual.toml"
    config.write_text('[clock]\nmode = "virtual"\nstart_time = 2025-10-10T20:50:00Z\n', encoding="utf-8")
    with ServeProcess(tmp_path, "--port", "0", "--config", str(config)) as serve:
        ready = serve.wait_until_ready()
        async with connect(ready["url"], subprotocols=[JSON_PROTOCOL]) as connection:  # type: ignore[list-item]
            client = RawClient(connection)
            hello = await client.receive()
            assert hello["clock"] == "virtual"
            assert hello["time_us"] == 1_760_129_400 * 10**6
            assert "result" in await client.login(hello, ready["admin"]["key"], ready["admin"]["secret"])
            assert "result" in await client.call("admin.advance", duration_us=5_000_000)
            assert "result" in await client.call("admin.set_mark", marks={"BTC-PERP": "114415.8"})
            state = (await client.call("admin.state"))["result"]
            assert state["time_us"] == 1_760_129_405 * 10**6
            assert state["accounts"] == 10
            assert state["net_deposits"] == "2000000"
            assert state["insurance_fund_wallet"] == "1000000"
            ticker = await client.call("market.ticker", symbol="BTC-PERP")
            assert ticker["result"]["mark_price"] == "114415.8"
        serve.send(signal.SIGTERM)
        assert serve.wait_for_exit() == 0


def test_a_stale_ready_file_of_an_earlier_run_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "ready.json").write_text('{"pid": 1, "url": "ws://127.0.0.1:1"}', encoding="utf-8")
    with ServeProcess(tmp_path, "--port", "0") as serve:
        assert serve.wait_until_ready()["url"] != "ws://127.0.0.1:1"
        serve.send(signal.SIGINT)
        assert serve.wait_for_exit() == 0


def test_a_port_in_use_is_a_sentence_and_exit_code_1(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with ServeProcess(tmp_path, "--port", str(port)) as serve:
            assert serve.wait_for_exit() == 1
            assert serve.output.count("\n") == 1
            assert f"ringfence: cannot listen on 127.0.0.1 port {port} (" in serve.output
            assert "choose another with --port, or 0 for any free one" in serve.output
            assert not serve.ready_path.exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "example.invalid", "192.0.2.1"])
def test_a_host_that_others_can_reach_needs_to_be_meant(tmp_path: Path, host: str) -> None:
    with ServeProcess(tmp_path, "--port", "0", "--host", host) as serve:
        assert serve.wait_for_exit() == 2
        assert serve.output == (
            f"ringfence: other machines can reach '{host}', and the demo keys are public; add --public if that is meant\n"
        )


def test_a_ready_file_that_cannot_be_written_ends_it_with_a_sentence(tmp_path: Path) -> None:
    with ServeProcess(tmp_path, "--port", "0", "--ready-file", str(tmp_path / "no" / "ready.json")) as serve:
        assert serve.wait_for_exit() == 1
        assert "cannot be written (No such file or directory); check the path given with --ready-file" in serve.output
