"""Candles, open interest, the insurance fund, the heartbeat and books of limited depth, over a real socket."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from clients.market_data import Candle, Heartbeat, InsuranceFund, Level, RestingOrder
from exchange.domain.enums import Side
from exchange.domain.policy import LiquidationSizing, RiskPolicy, UnfilledPolicy
from exchange.services.clock import RealClock
from tests.cast import T0
from tests.unit.clients.live_exchange import live_exchange
from tests.wire_kit import RawClient, client, make_parts, served

BTC = "BTC-PERP"
ENCODINGS = pytest.mark.parametrize("encoding", ["msgpack", "json"])
MINUTE_US = 60_000_000
START_US = T0 // 1000


async def trade(buyer: RawClient, seller: RawClient, quantity: str, price: str) -> None:
    order = {"symbol": BTC, "quantity": quantity, "limit_price": price}
    await seller.call("order.place", side="sell", **order)
    await buyer.call("order.place", side="buy", **order)


@pytest.mark.rule("WIRE-024")
@ENCODINGS
async def test_candles_are_told_after_each_trade_and_once_more_when_they_are_over(encoding: str) -> None:
    async with (
        served() as gateway,
        client(gateway, key="alice-key") as alice,
        client(gateway, key="bob-key") as bob,
        client(gateway, key="root") as operator,
        client(gateway, encoding) as watcher,
    ):
        await watcher.call("subscribe", channel="candles.1m", symbol=BTC)
        assert watcher.of_channel("candles.1m") == [], "nothing was traded yet"
        await trade(alice, bob, "1", "100")
        await trade(alice, bob, "2", "101.5")
        await operator.call("admin.advance", duration_us=3 * MINUTE_US)
        await trade(alice, bob, "1", "99")
        await watcher.call("ping")
        told = [frame["data"] for frame in watcher.of_channel("candles.1m")]
        assert [(c["close"], c["volume"], c["turnover"], c["trades"], c["closed"]) for c in told] == [
            ("100", "1", "100", 1, False),
            ("101.5", "3", "303", 2, False),
            ("101.5", "3", "303", 2, True),
            ("99", "1", "99", 1, False),
        ]
        asked = await watcher.call("market.candles", symbol=BTC, interval="1m", limit=10)
        assert [(c["open"], c["high"], c["low"], c["close"], c["volume"], c["closed"]) for c in asked] == [
            ("100", "101.5", "100", "101.5", "3", True),
            ("101.5", "101.5", "101.5", "101.5", "0", True),
            ("101.5", "101.5", "101.5", "101.5", "0", True),
            ("99", "99", "99", "99", "1", False),
        ]
        assert asked[0] == told[2]
        assert asked[0]["start_time_us"] == START_US - START_US % MINUTE_US
        before = await watcher.call("market.candles", symbol=BTC, interval="1m", before=asked[1]["start_time_us"])
        assert before == asked[:1]
        late = await client_events(watcher, "candles.1m")
        assert late[-1] == told[-1], "subscribing again tells the present candle again"


@pytest.mark.rule("WIRE-024")
async def test_on_a_real_clock_a_candle_is_told_closed_although_nobody_sends_a_command() -> None:
    now_ns = T0
    clock = RealClock(lambda: now_ns)
    async with (
        served(make_parts(clock), tick_interval_ms=10) as gateway,
        client(gateway, key="alice-key") as alice,
        client(gateway, key="bob-key") as bob,
        client(gateway) as watcher,
    ):
        await watcher.call("subscribe", channel="candles.1s")
        await trade(alice, bob, "1", "100")
        await watcher.call("ping")
        assert [frame["data"]["closed"] for frame in watcher.of_channel("candles.1s")] == [False]
        now_ns += 1_000_000_000
        frame = await watcher.until(lambda frame: frame.get("channel") == "candles.1s")
        assert (frame["data"]["closed"], frame["data"]["close"], frame["sequence"]) == (True, "100", 10)


async def client_events(watcher: RawClient, channel: str) -> list[dict[str, Any]]:
    seen = len(watcher.of_channel(channel))
    await watcher.call("subscribe", channel=channel, symbol=BTC)
    return [frame["data"] for frame in watcher.of_channel(channel)[seen:]]


@pytest.mark.rule("WIRE-025")
@ENCODINGS
async def test_open_interest_is_told_when_it_or_the_mark_changes(encoding: str) -> None:
    async with (
        served() as gateway,
        client(gateway, key="alice-key") as alice,
        client(gateway, key="bob-key") as bob,
        client(gateway, key="root") as operator,
        client(gateway, encoding) as watcher,
    ):
        await watcher.call("subscribe", channel="open_interest")
        await trade(alice, bob, "3", "100")
        await trade(bob, alice, "1", "100")
        await operator.call("admin.set_mark", marks={BTC: "110"})
        await operator.call("admin.set_mark", marks={BTC: "110"})
        await watcher.call("ping")
        told = [f["data"] for f in watcher.of_channel("open_interest") if f["symbol"] == BTC]
        assert [(each["quantity"], each["notional"]) for each in told] == [
            ("0", "0"),
            ("3", "300"),
            ("2", "200"),
            ("2", "220"),
        ]
        assert (await watcher.call("market.open_interest", symbol=BTC))["notional"] == "220"


@pytest.mark.rule("WIRE-025", "WIRE-026")
@ENCODINGS
async def test_the_insurance_fund_is_told_when_it_changes(encoding: str) -> None:
    async with (
        served() as gateway,
        client(gateway, key="alice-key") as alice,
        client(gateway) as tiny,
        client(gateway, key="root") as operator,
        client(gateway, encoding) as watcher,
    ):
        refused = await watcher.refusal("subscribe", channel="insurance_fund", symbol=BTC)
        assert (refused["name"], refused["field"]) == ("request.invalid_field", "symbol")
        await watcher.call("subscribe", channel="insurance_fund")
        await alice.call("order.place", symbol=BTC, side="buy", quantity="1", limit_price="90")
        await operator.call("admin.create_account", account="tiny", key="tiny-key", secret="secret-of-tiny-key")
        await operator.call("admin.credit", account="tiny", amount="20")
        await operator.call("admin.credit", account="insurance_fund", amount="5")
        await tiny.login("tiny-key")
        await alice.call("order.cancel_all")
        await alice.call("order.place", symbol=BTC, side="sell", quantity="1", limit_price="100")
        await tiny.call("order.place", symbol=BTC, side="buy", quantity="1", limit_price="100")
        await operator.call("admin.set_mark", marks={BTC: "80"})
        await watcher.call("ping")
        told = [frame["data"] for frame in watcher.of_channel("insurance_fund")]
        assert [(each["wallet_balance"], [p["quantity"] for p in each["positions"]]) for each in told[:2]] == [
            ("1000", []),
            ("1005", []),
        ]
        assert [p["quantity"] for p in told[-1]["positions"]] == ["1"]
        assert len(told) == 3, "one for each change"
        assert await watcher.call("market.insurance_fund") == told[-1]


@pytest.mark.rule("WIRE-026")
@ENCODINGS
async def test_the_heart_beats_at_once_and_again_and_again(encoding: str) -> None:
    async with served(heartbeat_interval_ms=10) as gateway, client(gateway, encoding) as watcher:
        await watcher.call("subscribe", channel="heartbeat")
        first = watcher.of_channel("heartbeat")[0]
        assert first["data"] == {"time_us": START_US, "sequence": 8, "interval_ms": 10}
        for _ in range(3):
            await watcher.until(lambda frame: frame.get("channel") == "heartbeat")
        assert (await watcher.refusal("subscribe", channel="heartbeat", symbol=BTC))["field"] == "symbol"


@pytest.mark.rule("WIRE-010", "WIRE-023")
@ENCODINGS
async def test_a_book_of_one_level_tells_nothing_of_the_others(encoding: str) -> None:
    async with served() as gateway, client(gateway, key="alice-key") as alice, client(gateway, encoding) as watcher:
        await watcher.call("subscribe", channel="book.1", symbol=BTC)
        for price in ("98", "99", "97", "99.5"):
            await alice.call("order.place", symbol=BTC, side="buy", quantity="1", limit_price=price)
        await alice.call("order.cancel_all")
        await watcher.call("ping")
        assert [frame["bids"] for frame in watcher.of_channel("book.1")] == [
            [],
            [["98", "1"]],
            [["98", "0"], ["99", "1"]],
            [["99", "0"], ["99.5", "1"]],
            [["99.5", "0"]],
        ]
        chain = [(frame["previous_sequence"], frame["sequence"]) for frame in watcher.of_channel("book.1")]
        assert all(later[0] == earlier[1] for earlier, later in pairwise(chain))


@pytest.mark.rule("WIRE-023", "WIRE-024", "WIRE-025", "WIRE-026")
@ENCODINGS
async def test_the_client_has_all_of_it_typed(encoding: Any) -> None:
    async with (
        live_exchange() as live,
        live.client("alice", encoding=encoding) as alice,
        live.client("bob") as bob,
        alice.events("candles.1m", BTC) as candles,
        alice.events("heartbeat", timeout_s=10) as beats,
        alice.events("insurance_fund") as fund,
    ):
        mirror = await alice.mirror(BTC, depth=1)
        mark = mirror.marks.price(BTC)
        assert mark is not None
        await bob.sell(BTC, "0.2", mark)
        await bob.sell(BTC, "0.2", mark + 10)
        await alice.buy(BTC, "0.1", mark)
        await alice.ping()
        assert mirror.books[BTC].asks() == (Level(mark, Decimal("0.1")),)
        candle = await anext(candles)
        assert isinstance(candle, Candle)
        assert (candle.open, candle.volume, candle.turnover, candle.closed) == (mark, Decimal("0.1"), mark / 10, False)
        assert await alice.candles(BTC, "1m", before_us=candle.start_time_us + 1) == (candle,)
        interest = await alice.open_interest(BTC)
        assert (interest.quantity, interest.notional) == (Decimal("0.1"), mark / 10)
        assert isinstance(await anext(beats), Heartbeat)
        told = await anext(fund)
        assert isinstance(told, InsuranceFund)
        assert (await alice.insurance_fund()).equity == told.equity
        assert (await alice.trades(BTC))[0].taker_side is Side.BUY


@pytest.mark.rule("WIRE-010")
@ENCODINGS
async def test_an_order_that_wakes_a_liquidation_changes_the_book_once(encoding: str) -> None:
    parts = make_parts(policy=RiskPolicy(unfilled=UnfilledPolicy.WAIT, liquidation_sizing=LiquidationSizing.FULL))
    async with (
        served(parts) as gateway,
        client(gateway, key="alice-key") as alice,
        client(gateway, key="bob-key") as bob,
        client(gateway) as tiny,
        client(gateway, key="root") as operator,
        client(gateway, encoding) as watcher,
    ):
        await operator.call("admin.create_account", account="tiny", key="tiny-key", secret="secret-of-tiny-key")
        await operator.call("admin.credit", account="tiny", amount="20")
        await tiny.login("tiny-key")
        await trade(tiny, alice, "1", "100")
        await operator.call("admin.set_mark", marks={BTC: "80.5"})
        await bob.call("order.place", symbol=BTC, side="sell", quantity="0.5", limit_price="82")
        await watcher.call("subscribe", channel="book", symbol=BTC)
        await alice.call("order.place", symbol=BTC, side="buy", quantity="1", limit_price="82")
        await watcher.call("ping")
        told = [(frame["type"], frame["bids"], frame["asks"]) for frame in watcher.of_channel("book")]
        assert told == [("snapshot", [], [["82", "0.5"]]), ("delta", [["82", "0"]], [["82", "0"]])]
        assert (await tiny.call("account.positions"))[0]["quantity"] == "0.5", "it sold what was bid"


@pytest.mark.rule("WIRE-027")
@ENCODINGS
async def test_a_book_is_told_order_by_order(encoding: str) -> None:
    async with (
        served() as gateway,
        client(gateway, key="alice-key") as alice,
        client(gateway, key="bob-key") as bob,
        client(gateway, encoding) as watcher,
    ):
        order = {"symbol": BTC, "limit_price": "99"}
        first = (await alice.call("order.place", side="buy", quantity="2", **order))["order"]["order_id"]
        await watcher.call("subscribe", channel="book.orders", symbol=BTC)
        second = (await bob.call("order.place", side="buy", quantity="1", **order))["order"]["order_id"]
        await bob.call("order.place", side="sell", quantity="0.5", self_trade_prevention="cancel_maker", **order)
        await alice.call("order.amend", order_id=first, quantity="3")
        await bob.call("order.cancel", order_id=second)
        await watcher.call("ping")
        frames = watcher.of_channel("book.orders")
        assert (frames[0]["type"], frames[0]["bids"], frames[0]["asks"]) == ("snapshot", [[first, "99", "2"]], [])
        told = [[(c["action"], c["order_id"], c["price"], c["quantity"]) for c in frame["changes"]] for frame in frames[1:]]
        assert told == [
            [("add", second, "99", "1")],
            [("change", first, "99", "1.5")],
            [("remove", first, "99", "0"), ("add", first, "99", "2.5")],
            [("remove", second, "99", "0")],
        ]
        assert all(later["previous_sequence"] == earlier["sequence"] for earlier, later in pairwise(frames))
        assert "alice" not in str(frames)


async def test_the_client_mirrors_a_book_order_by_order() -> None:
    async with live_exchange() as live, live.client("alice") as alice, live.client("bob") as bob:
        book = await alice.order_book(BTC)
        mark = (await alice.ticker(BTC)).mark_price
        assert mark is not None
        placed = await bob.sell(BTC, "0.2", mark)
        await alice.buy(BTC, "0.1", mark)
        await alice.ping()
        assert book.asks() == (RestingOrder(placed.order.order_id, mark, Decimal("0.1")),)
        assert book.bids() == ()
