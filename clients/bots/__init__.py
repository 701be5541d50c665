"""Bots that trade over the public API. What they do depends on their seed and on what arrived before each turn, only."""

from clients.bots.bot import Bot, BotTally
from clients.bots.market_maker import MarketMaker, QuotePlan
from clients.bots.noise_trader import NoisePlan, NoiseTrader
from clients.bots.twins import FixedLeg, Twin, TwinLeg, TwinLiquidation, TwinPhase, TwinPlan, TwinRecord

__all__ = [
    "Bot",
    "BotTally",
    "FixedLeg",
    "MarketMaker",
    "NoisePlan",
    "NoiseTrader",
    "QuotePlan",
    "Twin",
    "TwinLeg",
    "TwinLiquidation",
    "TwinPhase",
    "TwinPlan",
    "TwinRecord",
]
