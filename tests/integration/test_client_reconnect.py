"""The real server goes away and comes back; the client finds its way."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from clients import Backoff, ConnectionState, MirrorNotReady
from tests.unit.clients.live_exchange import live_exchange

BTC = "BTC-PERP"


@pytest.mark.rule("WIRE-009", "WIRE-018")
async def test_orders_book_and_marks_are_mirrored_again_after_a_restart() -> None:
    async with live_exchange() as live:
        port = urlsplit(live.url).port
        backoff = Backoff(first_s=0.01, longest_s=0.05, tries_max=50, seed=1)
        async with live.client("alice", reconnect=backoff) as alice:
            mark = (await alice.ticker(BTC)).mark_price
            assert mark is not None
            mirror = await alice.mirror(BTC)
            placed = await alice.buy(BTC, "0.01", mark)
            await live.exchange.stop()
            assert alice.state is not ConnectionState.CLOSED
            again = type(live.exchange)(live.exchange.settings, live.exchange.parts)
            await again.start("127.0.0.1", port)
            try:
                if alice.state is ConnectionState.RECONNECTING:
                    with pytest.raises(MirrorNotReady):
                        mirror.orders.open_orders()
                await alice.wait_connected(20)
                await alice.ping()
                assert [order.order_id for order in mirror.orders.open_orders()] == [placed.order.order_id]
                assert mirror.marks.price(BTC) == mark
                assert mirror.books[BTC].best_bid == (mark, placed.order.quantity)
            finally:
                await again.stop()
