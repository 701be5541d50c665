"""The real exchange on a free port, with a virtual clock, for tests of the client against it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from clients import Client
from exchange.composition.compose import Exchange, compose
from exchange.composition.profiles import DEFAULT_PROFILE
from exchange.composition.settings import load_settings
from exchange.services.clock import ClockMode


@dataclass
class LiveExchange:
    """A running exchange and the way in."""

    exchange: Exchange

    @property
    def url(self) -> str:
        return self.exchange.url

    def client(self, name: str, **options: Any) -> Client:
        """Return a client for one of the demo accounts, or for ``admin``."""
        return Client.connect(self.url, key=f"demo-{name}", secret=f"demo-{name}-secret", **options)


@asynccontextmanager
async def live_exchange(profile: str = DEFAULT_PROFILE) -> AsyncIterator[LiveExchange]:
    settings = load_settings(profile=profile)
    virtual = msgspec.structs.replace(settings.clock, mode=ClockMode.VIRTUAL)
    exchange = compose(msgspec.structs.replace(settings, clock=virtual))
    await exchange.start("127.0.0.1", 0)
    try:
        yield LiveExchange(exchange)
    finally:
        await exchange.stop()
