"""Liquidation where no price on the grid spends the equity (LIQ-005)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from exchange.domain.commands import CreateAccount, Credit, MarkPrice, PlaceOrder, SetMarkPrices
from exchange.domain.enums import Side
from exchange.domain.events import LiquidationOrderSettled, PositionTransferred
from exchange.domain.ids import INSURANCE_FUND
from exchange.domain.instrument import TierRow, build_tiers
from exchange.domain.units import PRICE_TICKS_MAX
from exchange.venue.venue import Venue
from tests.cast import ALICE, BOB, BTC_PERP, DAVE, ETH_PERP

TIERS = build_tiers([TierRow(0, 1_000, 10)])
DEAR = replace(BTC_PERP, cash_per_tick_lot=1, notional_min=0, tiers=TIERS)


@pytest.mark.rule("LIQ-005", "LIQ-006")
def test_no_order_is_sent_for_a_long_whose_bankruptcy_price_lies_above_every_price() -> None:
    venue = Venue([DEAR, replace(ETH_PERP, tiers=TIERS)])
    for account, amount in ((ALICE, 3 * 10**11), (BOB, 10**17), (DAVE, 10**17)):
        venue.apply(CreateAccount(account=account), now_ns=1)
        venue.apply(Credit(account=account, amount=amount), now_ns=1)
    venue.apply(Credit(account=INSURANCE_FUND, amount=10**15), now_ns=1)
    venue.apply(SetMarkPrices(marks=(MarkPrice("BTC-PERP", PRICE_TICKS_MAX), MarkPrice("ETH-PERP", 1_000))), now_ns=1)
    for symbol, quantity, price in (("BTC-PERP", 1, PRICE_TICKS_MAX), ("ETH-PERP", 1_000, 1_000)):
        for account, side in ((BOB, Side.SELL), (ALICE, Side.BUY)):
            order = PlaceOrder(account=account, symbol=symbol, side=side, quantity=quantity, limit_price=price)
            venue.apply(order, now_ns=1)
    bid = PlaceOrder(account=DAVE, symbol="BTC-PERP", side=Side.BUY, quantity=1, limit_price=PRICE_TICKS_MAX)
    venue.apply(bid, now_ns=1)

    events = venue.apply(SetMarkPrices(marks=(MarkPrice("ETH-PERP", 600),)), now_ns=1)

    settled = [event for event in events if isinstance(event, LiquidationOrderSettled)]
    assert settled
    assert all(event.fee >= 0 for event in settled)
    dear = [event for event in settled if event.bankruptcy_price > PRICE_TICKS_MAX]
    assert dear
    assert all(event.order_id is None for event in dear)
    assert any(isinstance(event, PositionTransferred) and event.symbol == "BTC-PERP" for event in events)
    assert venue.imbalance() == 0
