"""Order to ack over loopback, beside a bare ``websockets`` echo of the same frame sizes in the same run.

Both servers are processes of their own; one client process talks to them in turns, with the same library and code, one
request in flight. Absolute times depend on the machine: the ratio is the figure.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import hmac
import itertools
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgpack
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from tests.integration.process import ServeProcess

ROUNDS = 7
REQUESTS = 1_500
WARM_UP = 200
SYMBOL = "BTC-PERP"
PRICE = "115000"
CANCEL_EVERY = 100


def run(*, rounds: int = ROUNDS, requests: int = REQUESTS) -> list[str]:
    """Return a markdown table of round trip times of both servers and their ratios round by round."""
    with tempfile.TemporaryDirectory() as folder, ServeProcess(Path(folder), "--port", "0") as server:
        ready = server.wait_until_ready()
        return asyncio.run(_measure(ready["url"], ready["accounts"][0], rounds, requests))


async def _measure(url: str, access: dict[str, str], rounds: int, requests: int) -> list[str]:
    async with AsyncExitStack() as stack:
        socket = await stack.enter_async_context(connect(url, subprotocols=["exchange.v1.msgpack"], compression=None))
        await _log_in(socket, access)
        numbers = itertools.count(1)

        async def order() -> None:
            await _place(socket, next(numbers))

        request_bytes, ack_bytes = await _sizes(socket, next(numbers))
        echo_url = _start_echo(stack, ack_bytes)
        echo = await stack.enter_async_context(connect(echo_url, compression=None))
        frame = b"x" * request_bytes

        async def bounce() -> None:
            await echo.send(frame)
            await echo.recv()

        async def tidy() -> None:
            await _call(socket, "order.cancel_all", {})

        await _round(order, WARM_UP, tidy)
        await _round(bounce, WARM_UP, None)
        pairs = []
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", end="\r", file=sys.stderr, flush=True)
            pairs.append((await _round(order, requests, tidy), await _round(bounce, requests, None)))
        print(" " * 20, end="\r", file=sys.stderr)
    return _table(pairs, request_bytes, ack_bytes, requests)


async def _round(call: Callable[[], Awaitable[None]], count: int, tidy: Callable[[], Awaitable[None]] | None) -> list[float]:
    gc.collect()
    times = []
    for number in range(count):
        if tidy is not None and number % CANCEL_EVERY == 0:
            await tidy()
        started = time.perf_counter()
        await call()
        times.append(time.perf_counter() - started)
    return sorted(times)


async def _call(socket: ClientConnection, method: str, params: dict[str, Any]) -> dict[str, Any]:
    await socket.send(msgpack.packb({"id": 0, "method": method, "params": params}))
    reply: dict[str, Any] = msgpack.unpackb(await socket.recv())
    assert "error" not in reply, reply
    return reply


async def _log_in(socket: ClientConnection, access: dict[str, str]) -> None:
    hello = msgpack.unpackb(await socket.recv())
    text = f"ringfence-login-v1\n{hello['nonce']}\n{access['key']}\n0".encode()
    signature = hmac.new(access["secret"].encode(), text, hashlib.sha256).hexdigest()
    await _call(socket, "session.login", {"key": access["key"], "time_ms": 0, "signature": signature})


def _order_frame(number: int) -> bytes:
    params = {"symbol": SYMBOL, "side": "buy", "quantity": "0.01", "limit_price": PRICE, "client_order_id": f"b-{number:07}"}
    frame: bytes = msgpack.packb({"id": number, "method": "order.place", "params": params})
    return frame


async def _place(socket: ClientConnection, number: int) -> bytes:
    await socket.send(_order_frame(number))
    reply = await socket.recv()
    assert isinstance(reply, bytes)
    return reply


async def _sizes(socket: ClientConnection, number: int) -> tuple[int, int]:
    reply = await _place(socket, number)
    assert "result" in msgpack.unpackb(reply), reply
    return len(_order_frame(number)), len(reply)


def _start_echo(stack: AsyncExitStack, ack_bytes: int) -> str:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_echo_process, args=(theirs, ack_bytes), daemon=True)
    process.start()
    stack.callback(process.terminate)
    return f"ws://127.0.0.1:{ours.recv()}"


def _echo_process(pipe: Connection, ack_bytes: int) -> None:
    answer = b"x" * ack_bytes

    async def bounce(socket: ServerConnection) -> None:
        async for _ in socket:
            await socket.send(answer)

    async def main() -> None:
        async with serve(bounce, "127.0.0.1", 0, compression=None) as server:
            pipe.send(next(iter(server.sockets)).getsockname()[1])
            await server.serve_forever()

    asyncio.run(main())


def _table(pairs: list[tuple[list[float], list[float]]], request_bytes: int, ack_bytes: int, requests: int) -> list[str]:
    rows = []
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        ours = [orders[int(len(orders) * share)] for orders, _ in pairs]
        echo = [bounces[int(len(bounces) * share)] for _, bounces in pairs]
        ratios = [mine / theirs for mine, theirs in zip(ours, echo, strict=True)]
        rows.append(
            f"| {name} | {statistics.median(ours) * 1e6:.0f} us | {statistics.median(echo) * 1e6:.0f} us | "
            f"{statistics.median(ratios):.2f} | {min(ratios):.2f} to {max(ratios):.2f} |"
        )
    return [
        f"Order to ack over loopback, one in flight ({request_bytes} B request, {ack_bytes} B ack; {len(pairs)} rounds of "
        f"{requests:,}, interleaved)",
        "",
        "| | order to ack | bare echo | ratio, median | over the rounds |",
        "|---|---|---|---|---|",
        *rows,
    ]
