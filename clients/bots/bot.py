"""What all bots share: a turn that begins with a barrier, a seed, numbered order ids, a tally."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from clients.client import Client
from clients.errors import ExchangeError, RequestRefused
from clients.market_data import Instrument
from clients.messages import Amended, CanceledOrders, Order, Placed
from clients.mirror import Mirror
from clients.requests import AmendOrder, OrderRequest, PlaceOrder
from exchange.domain.ids import is_valid_id

Answer: TypeAlias = Placed | Amended | Order | CanceledOrders | RequestRefused

ORDER_ID_DIGITS = 8
"""How many digits of an order id are kept free for its number."""


@dataclass(slots=True)
class BotTally:
    """How a bot has fared so far; ``refusals`` counts by name, among them orders that were already gone."""

    turns: int = 0
    placed: int = 0
    canceled: int = 0
    refusals: Counter[str] = field(default_factory=Counter)


class Bot(ABC):
    """A trader that decides once a turn.

    A decision uses the seed and what the mirrors hold after the barrier, never the time, a session id or the order of
    connections; so bots that take turns behave the same in every run, although they are separate clients.
    """

    def __init__(self, client: Client, *, name: str, seed: int, instruments: Mapping[str, Instrument]) -> None:
        self.name = name
        self.client = client
        self.instruments = instruments
        self.tally = BotTally()
        self.chance = random.Random(f"{name}/{seed}")
        self._order_prefix = f"{name}.{seed}."
        self._orders_named = 0
        self._mirror: Mirror | None = None
        if not is_valid_id(self._order_prefix + "9" * ORDER_ID_DIGITS):
            raise ValueError(f"name: {name!r} with seed {seed} makes no valid client order ids; choose a shorter, plain name")

    @property
    @abstractmethod
    def symbols(self) -> Sequence[str]:
        """What the bot trades."""

    @abstractmethod
    async def act(self) -> None:
        """Decide once, on what the mirrors hold now."""

    @property
    def mirror(self) -> Mirror:
        """The bot's picture of the exchange; there from the first turn on, or from ``prepare``."""
        assert self._mirror is not None, "prepare comes first"
        return self._mirror

    async def prepare(self) -> None:
        """Subscribe to what the bot looks at; the first turn does it if nobody did. Bots do not look at books."""
        if self._mirror is None:
            self._mirror = await self.client.mirror(*self.symbols, books=False)

    async def turn(self) -> None:
        """Take everything in that has happened until now, then act once."""
        await self.prepare()
        await self.client.ping()
        self.tally.turns += 1
        await self.act()

    def next_order_id(self) -> str:
        """Return the next client order id; they are numbered, so that they are the same in every run."""
        self._orders_named += 1
        return f"{self._order_prefix}{self._orders_named}"

    async def send(self, requests: Sequence[OrderRequest]) -> Sequence[Answer]:
        """Send requests in one go and count what came of them; refusals are results, any other error is raised."""
        results: list[Answer] = []
        for request, result in zip(requests, await self.client.send_many(requests), strict=True):
            if isinstance(result, RequestRefused):
                self.tally.refusals[result.name] += 1
            elif isinstance(result, ExchangeError):
                raise result
            elif isinstance(request, PlaceOrder):
                self.tally.placed += 1
            elif not isinstance(request, AmendOrder):
                self.tally.canceled += result.canceled if isinstance(result, CanceledOrders) else 1
            results.append(result)
        return results
