"""All mirrors of some symbols in one value, with the subscriptions that keep them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clients.margin_messages import AccountEvent
from clients.messages import Account
from clients.mirror.book import BookMirror
from clients.mirror.market import MarkMirror, RecentEvents
from clients.mirror.own import AccountMirror, MarginMirror, OrderMirror, PositionMirror
from clients.session import Session
from clients.subscriptions import Sink, Subscription
from clients.updates import BOOK_CHANNELS, Channel, Fill, Liquidation


class Mirror:
    """The books and marks of some symbols, and (after a login) one's own orders, positions, account, fills and margin.

    Everything is current as of the last answer received; ``await client.ping()`` brings it up to now.
    """

    def __init__(self, session: Session, symbols: Sequence[str], *, books: bool, own: bool, depth: int | None = None) -> None:
        self.symbols = tuple(symbols)
        self._book_channel = BOOK_CHANNELS[depth]
        self.books: Mapping[str, BookMirror] = {symbol: self._book(session, symbol, depth) for symbol in symbols if books}
        self.marks = MarkMirror()
        self.orders = OrderMirror()
        self.positions = PositionMirror()
        self.margin = MarginMirror()
        self.fills: RecentEvents[Fill] = RecentEvents()
        self.liquidations: RecentEvents[Liquidation] = RecentEvents()
        self._account = AccountMirror()
        self._session = session
        self._subscriptions = self._plan(own=own)

    @property
    def account(self) -> Account:
        """The cross pool as of the last command that changed it."""
        return self._account.account

    @property
    def account_events(self) -> RecentEvents[AccountEvent]:
        """Funding payments, deleveraging, socialized losses and sales of collateral."""
        return self._account.events

    async def open(self) -> None:
        """Subscribe to everything; once done, every mirror is ready."""
        for subscription in self._subscriptions:
            await self._session.subscribe(subscription)
        await self._session.renewed()

    async def close(self) -> None:
        """Unsubscribe from everything."""
        for subscription in self._subscriptions:
            await self._session.unsubscribe(subscription)

    def _plan(self, *, own: bool) -> list[Subscription]:
        plan = [Subscription(self._book_channel, symbol, book) for symbol, book in self.books.items()]
        unfiltered: list[tuple[Channel, Sink]] = [("mark", self.marks), ("liquidations", self.liquidations)]
        if own:
            unfiltered += [
                ("orders", self.orders),
                ("positions", self.positions),
                ("account", self._account),
                ("fills", self.fills),
                ("margin", self.margin),
            ]
        return plan + [Subscription(channel, None, sink) for channel, sink in unfiltered]

    def _book(self, session: Session, symbol: str, depth: int | None) -> BookMirror:
        return BookMirror(symbol, lambda: session.renew_soon((self._book_channel, symbol)), depth)
