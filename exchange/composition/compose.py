"""One running exchange from settings. Everything is made here and handed over; nothing is global."""

from __future__ import annotations

from exchange.composition.settings import ClockSettings, Settings
from exchange.domain.commands import (
    AnyCommand,
    CreateAccount,
    Credit,
    IndexPrice,
    MarkPrice,
    SetIndexPrices,
    SetMarkPrices,
)
from exchange.domain.enums import MarkSource
from exchange.domain.events import CommandRejected
from exchange.domain.ids import INSURANCE_FUND
from exchange.server.gateway import Gateway
from exchange.server.keys import KeyRing
from exchange.server.parts import ExchangeParts
from exchange.services.clock import Clock, ClockMode, RealClock, VirtualClock
from exchange.services.decision_history import DecisionHistory
from exchange.services.feed import Feed
from exchange.services.ledger_history import LedgerHistory
from exchange.services.liquidation_history import LiquidationHistory
from exchange.services.sequencer import Sequencer
from exchange.venue.venue import Venue

_WILDCARD_URLS = {"0.0.0.0": "ws://127.0.0.1:{port}", "::": "ws://[::1]:{port}"}
"""A server that listens on every address is reached by the loopback one."""


class Exchange:
    """A venue with its clock, sequencer, feed and keys behind a gateway that can be started once and stopped."""

    def __init__(self, settings: Settings, parts: ExchangeParts) -> None:
        self.settings = settings
        self.parts = parts
        self._gateway = Gateway(parts, settings.server.limits, own_hosts=settings.server.host_names)

    @property
    def url(self) -> str:
        """Where clients on this machine connect, once it is started."""
        host, port = self._gateway.address
        return _WILDCARD_URLS[host].format(port=port) if host in _WILDCARD_URLS else self._gateway.url

    async def start(self, host: str | None = None, port: int | None = None) -> None:
        """Listen, where the settings say unless told otherwise; raises ``OSError`` when the address cannot be had."""
        await self._gateway.start(
            self.settings.server.host if host is None else host, self.settings.server.port if port is None else port
        )

    async def stop(self) -> None:
        """Say goodbye to every connection and stop listening."""
        await self._gateway.stop()


def compose(settings: Settings) -> Exchange:
    """Return an exchange that holds the configured accounts, fund and marks, and does not listen yet."""
    return Exchange(settings, compose_parts(settings))


def compose_parts(settings: Settings) -> ExchangeParts:
    """Return the exchange without its gateway. What it starts with came in as commands like any other (CONS-006)."""
    venue = Venue(settings.instruments, settings.venue_limits, settings.policy, settings.collateral, records_decisions=True)
    clock = _make_clock(settings.clock)
    sequencer = Sequencer(venue, clock)
    limits = settings.server.limits
    feed = Feed(
        venue.instruments,
        candles_max=limits.candles_max,
        ledger=LedgerHistory(limits.ledger_entries_max, limits.ledger_entries_total_max),
        liquidations=LiquidationHistory(limits.liquidation_records_max),
        decisions=DecisionHistory(
            limits.explanations_max,
            limits.explanations_total_max,
            limits.liquidation_explanations_max,
            limits.liquidation_explanations_total_max,
        ),
    )
    sequencer.subscribe(feed.apply)
    parts = ExchangeParts(venue=venue, clock=clock, sequencer=sequencer, feed=feed, keys=_make_keys(settings))
    for command in opening_commands(settings):
        applied = sequencer.submit(command)
        refused = [event for event in applied.events if isinstance(event, CommandRejected)]
        assert not refused, f"checked settings gave a command that the venue refused: {refused}"
    return parts


def opening_commands(settings: Settings) -> tuple[AnyCommand, ...]:
    """Return the commands that open accounts, fund them and set the first marks, in the order of the settings.

    Where the mark is made of the index, the initial mark price is the first index price.
    """
    commands: list[AnyCommand] = []
    for entry in settings.accounts:
        commands.append(CreateAccount(account=entry.account))
        if entry.balance:
            commands.append(Credit(account=entry.account, amount=entry.balance))
    if settings.insurance_fund_credit:
        commands.append(Credit(account=INSURANCE_FUND, amount=settings.insurance_fund_credit))
    marks: list[MarkPrice] = []
    prices: list[IndexPrice] = []
    for instrument in settings.instruments:
        price = instrument.initial_mark_price
        if price is not None and instrument.mark_source is MarkSource.EXTERNAL:
            marks.append(MarkPrice(instrument.symbol, price))
        elif price is not None:
            prices.append(IndexPrice(instrument.symbol, price))
    if marks:
        commands.append(SetMarkPrices(marks=tuple(marks)))
    if prices:
        commands.append(SetIndexPrices(prices=tuple(prices)))
    return tuple(commands)


def _make_clock(settings: ClockSettings) -> Clock:
    return VirtualClock(settings.start_ns) if settings.mode is ClockMode.VIRTUAL else RealClock()


def _make_keys(settings: Settings) -> KeyRing:
    keys = KeyRing(settings.server.limits.keys_max)
    keys.add_admin_key(settings.admin.key, settings.admin.secret)
    for entry in settings.accounts:
        keys.add_account_key(entry.account, entry.access.key, entry.access.secret)
    return keys
