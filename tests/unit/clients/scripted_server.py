"""A tiny real WebSocket server that does what the real one never does: drops, gaps, bad frames, silence.

Each connection runs the next script. A script that fails makes the test fail.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import msgpack
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

LIMITS = {
    "frame_bytes_max": 65_536,
    "requests_per_turn_max": 16,
    "subscriptions_max": 256,
    "outbox_bytes_max": 1_000_000,
}
HELLO = {
    "type": "hello",
    "version": 1,
    "server": "scripted",
    "session_id": "s1",
    "nonce": "n0nce",
    "time_us": 1_760_000_000_000_000,
    "heartbeat_ms": 20_000,
    "clock": "virtual",
    "limits": LIMITS,
    "features": [],
}


class Peer:
    """The server's end of one connection."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.is_json = socket.subprotocol == "exchange.v1.json"

    async def greet(self, **changes: object) -> None:
        await self.send({**HELLO, **changes})

    async def greet_and_log_in(self) -> dict[str, Any]:
        await self.greet()
        login = await self.expect("session.login")
        await self.reply(login, {"account": "alice", "scopes": ["read", "trade"]})
        return login

    async def send(self, message: object) -> None:
        await self.send_raw(json.dumps(message) if self.is_json else msgpack.packb(message))

    async def send_raw(self, frame: bytes | str) -> None:
        await self.socket.send(frame)

    async def receive(self) -> dict[str, Any]:
        frame = await self.socket.recv()
        message: dict[str, Any] = json.loads(frame) if self.is_json else msgpack.unpackb(frame)
        return message

    async def expect(self, method: str) -> dict[str, Any]:
        request = await self.receive()
        assert request["method"] == method, f"expected {method}, got {request}"
        return request

    async def reply(self, request: dict[str, Any], result: object) -> None:
        await self.send({"id": request["id"], "result": result})

    async def refuse(self, request: dict[str, Any], name: str, **more: object) -> None:
        await self.send({"id": request["id"], "error": {"code": 1000, "name": name, "message": "no", **more}})

    async def answer_pings(self, *, until_closed: bool = True, times: int = 1) -> None:
        while until_closed or times > 0:
            times -= 1
            await self.reply(await self.expect("ping"), {"time_us": 1, "sequence": 1})

    async def accept_subscription(self, *present: object) -> dict[str, Any]:
        request = await self.expect("subscribe")
        for message in present:
            await self.send(message)
        params = request["params"]
        await self.reply(request, {"channel": params["channel"], "symbol": params.get("symbol"), "sequence": 1})
        return request

    def drop(self) -> None:
        self.socket.transport.abort()

    async def stay(self) -> None:
        await self.socket.wait_closed()


Script = Callable[[Peer], Awaitable[None]]


class ScriptedServer:
    """Runs one script a connection; the last one again for every further connection."""

    def __init__(self) -> None:
        self.scripts: Sequence[Script] = ()
        self.connections = 0
        self.failures: list[BaseException] = []
        self.url = ""
        self._server: Server | None = None

    async def start(self) -> None:
        self._server = await serve(
            self._serve, "127.0.0.1", 0, subprotocols=["exchange.v1.msgpack", "exchange.v1.json"], compression=None
        )
        self.url = f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def play(self, *scripts: Script) -> None:
        self.scripts = scripts

    async def _serve(self, socket: ServerConnection) -> None:
        script = self.scripts[min(self.connections, len(self.scripts) - 1)]
        self.connections += 1
        try:
            await script(Peer(socket))
        except ConnectionClosed:
            return
        except BaseException as error:
            self.failures.append(error)
            raise


def book_message(
    kind: str, previous: int, sequence: int, bids: object = (), asks: object = (), checksum: int | None = None
) -> dict[str, object]:
    """Return a message of channel book; its checksum is that of the levels it names, unless said otherwise."""
    if checksum is None:
        checksum = crc_of(bids, asks)
    return {
        "channel": "book",
        "type": kind,
        "symbol": "BTC-PERP",
        "sequence": sequence,
        "previous_sequence": previous,
        "bids": bids,
        "asks": asks,
        "checksum": checksum,
        "time_us": 1,
    }


def crc_of(bids: object, asks: object) -> int:
    """Return the checksum of a book of at most ten levels a side, best first."""
    sides = [",".join(f"{price}:{quantity}" for price, quantity in cast(Any, side)) for side in (bids, asks)]
    return zlib.crc32("|".join(sides).encode())


def channel_message(channel: str, data: object, symbol: str | None = None, sequence: int = 1) -> dict[str, object]:
    return {"channel": channel, "symbol": symbol, "sequence": sequence, "data": data}


def order_body(order_id: int = 1, **changes: object) -> dict[str, object]:
    return {
        "order_id": order_id,
        "client_order_id": None,
        "symbol": "BTC-PERP",
        "position_side": "net",
        "side": "buy",
        "order_type": "limit",
        "time_in_force": "gtc",
        "post_only": False,
        "reduce_only": False,
        "self_trade_prevention": "cancel_taker",
        "limit_price": "60000.5",
        "quantity": "0.3",
        "filled_quantity": "0",
        "open_quantity": "0.3",
        "average_fill_price": None,
        "order_status": "open",
        "reason": None,
        "liquidation_id": None,
        "time_us": 5,
        **changes,
    }


def margin_body(**changes: object) -> dict[str, object]:
    return {
        "path": "cross",
        "required": "900.009",
        "available_before": "1000",
        "available_after": "99.991",
        "liquidation_price": None,
        **changes,
    }


def account_body(**changes: object) -> dict[str, object]:
    return {
        "type": "account",
        "account": "alice",
        "wallet_balance": "1000",
        "equity": "1000",
        "initial_margin": "0",
        "maintenance_margin": "0",
        "order_margin": "0",
        "available_balance": "1000",
        "margin_ratio": "0",
        "bankrupt": False,
        "total_equity": "1000",
        "withdrawable": "1000",
        "notional": "0",
        "effective_leverage": "0",
        "position_mode": "one_way",
        "collateral": [],
        "collateral_value": "0",
        "liquidating": False,
        **changes,
    }


def position_body(symbol: str = "BTC-PERP", quantity: str = "0.5", **changes: object) -> dict[str, object]:
    return {
        "symbol": symbol,
        "position_side": "net",
        "quantity": quantity,
        "entry_price": "60000",
        "entry_cost": "30000",
        "mark_price": "60000",
        "unrealized_pnl": "0",
        "margin_mode": "isolated",
        "leverage": 10,
        "isolated_wallet": "3000",
        "initial_margin": "3000",
        "maintenance_margin": "150",
        "order_margin": "0",
        "scope_equity": "3000",
        "margin_ratio": "0.05",
        "bankrupt": False,
        "liquidation_price": "54300.5",
        "bankruptcy_price": "54000",
        "liquidating": False,
        "notional": "30000",
        "effective_leverage": "10",
        "auto_replenish": False,
        **changes,
    }


def trade_body(trade_id: int = 1) -> dict[str, object]:
    return {
        "trade_id": trade_id,
        "symbol": "BTC-PERP",
        "price": "60000",
        "quantity": "0.1",
        "taker_side": "buy",
        "liquidation": False,
        "time_us": 7,
    }


def mark_body(symbol: str = "BTC-PERP", mark_price: str = "10", **changes: object) -> dict[str, object]:
    return {
        "symbol": symbol,
        "mark_price": mark_price,
        "index_price": None,
        "funding_rate": None,
        "next_funding_time_us": None,
        "time_us": 1,
        **changes,
    }


def health_body(**changes: object) -> dict[str, object]:
    return {"equity": "50", "maintenance_margin": "40", "notional": "1000", **changes}


def scope_body(symbol: str | None = None, **changes: object) -> dict[str, object]:
    return {
        "path": "cross" if symbol is None else "isolated",
        "symbol": symbol,
        "position_side": "net",
        **health_body(),
        "margin_ratio": "0.8",
        "bankrupt": False,
        "liquidating": False,
        **changes,
    }


def scopes_body(*scopes: dict[str, object]) -> dict[str, object]:
    return {"type": "scopes", "scopes": list(scopes), "time_us": 1}


def margin_call_body(**changes: object) -> dict[str, object]:
    return {
        "type": "margin_call",
        "path": "cross",
        "symbol": None,
        "position_side": "net",
        "level": "0.8",
        "margin_ratio": "0.81",
        "health": health_body(),
        "time_us": 3,
        **changes,
    }


def record_body(number: int = 1, **changes: object) -> dict[str, object]:
    return {
        "number": number,
        "liquidation_id": 7,
        "account": "alice",
        "path": "isolated",
        "symbol": "BTC-PERP",
        "position_side": "long",
        "started_us": 1,
        "finished_us": 2,
        "trigger_marks": {"BTC-PERP": "59000.5"},
        "collateral": "100",
        "before": health_body(),
        "after": health_body(notional="0"),
        "orders_canceled": 1,
        "rounds": 2,
        "replenished": "0",
        "book_quantity": {"BTC-PERP": "0.5"},
        "book_value": "29500",
        "fund_quantity": {},
        "deleveraged_quantity": {},
        "deleveraged_legs": 0,
        "realized_pnl": "-90",
        "fee": "5",
        "fund_change": "5",
        "fund_paid": "0",
        "adl_forgone": "0",
        "socialized": "0",
        "bad_debt": "0",
        "returned": "5",
        "owner_recovery": "0.05",
        "default_recovery": "1",
        **changes,
    }


def funding_payment_body(**changes: object) -> dict[str, object]:
    return {
        "type": "funding_payment",
        "symbol": "BTC-PERP",
        "position_side": "net",
        "quantity": "-0.5",
        "funding_rate": "0.0001",
        "amount": "3",
        "wallet_balance": "1003",
        "time_us": 4,
        **changes,
    }
