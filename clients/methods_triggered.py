"""The client's orders that wait for a price before they enter (TRIG rules).

Units: prices in quote per base, quantities in base.
"""

from __future__ import annotations

from typing import Any

from clients.human_units import Number
from clients.messages import Placed
from clients.methods_trading import TradingMethods
from clients.requests import SideWord, Trigger, TriggerSourceWord
from exchange.domain.triggers import TriggerKind, TriggerSource


class TriggeredMethods(TradingMethods):
    """Stops and take-profits; what a method does not name, ``options`` may hold as in ``place_order``."""

    async def stop_market(
        self,
        symbol: str,
        side: SideWord,
        quantity: Number,
        trigger_price: Number,
        *,
        by: TriggerSourceWord = TriggerSource.MARK,
        **options: Any,
    ) -> Placed:
        """Buy or sell at the market once the price has run to ``trigger_price``: up for a buy, down for a sell."""
        trigger = Trigger(TriggerKind.STOP, trigger_price, by)
        return await self.place_order(symbol, side, quantity, trigger=trigger, **options)

    async def stop_limit(
        self,
        symbol: str,
        side: SideWord,
        quantity: Number,
        trigger_price: Number,
        price: Number,
        *,
        by: TriggerSourceWord = TriggerSource.MARK,
        **options: Any,
    ) -> Placed:
        """Enter a limit order at ``price`` once the price has run to ``trigger_price``."""
        trigger = Trigger(TriggerKind.STOP, trigger_price, by)
        return await self.place_order(symbol, side, quantity, price, trigger=trigger, **options)

    async def take_profit_market(
        self,
        symbol: str,
        side: SideWord,
        quantity: Number,
        trigger_price: Number,
        *,
        by: TriggerSourceWord = TriggerSource.MARK,
        **options: Any,
    ) -> Placed:
        """Buy or sell at the market once the price has come to ``trigger_price``: down for a buy, up for a sell."""
        trigger = Trigger(TriggerKind.TAKE_PROFIT, trigger_price, by)
        return await self.place_order(symbol, side, quantity, trigger=trigger, **options)

    async def take_profit_limit(
        self,
        symbol: str,
        side: SideWord,
        quantity: Number,
        trigger_price: Number,
        price: Number,
        *,
        by: TriggerSourceWord = TriggerSource.MARK,
        **options: Any,
    ) -> Placed:
        """Enter a limit order at ``price`` once the price has come to ``trigger_price``."""
        trigger = Trigger(TriggerKind.TAKE_PROFIT, trigger_price, by)
        return await self.place_order(symbol, side, quantity, price, trigger=trigger, **options)
