"""What a gateway serves: the parts of one running exchange."""

from __future__ import annotations

import logging
from typing import NamedTuple

from exchange.domain.commands import AnyCommand, Credit, SetIndexPrices, SetLeverage, SetMarkPrices, Withdraw
from exchange.domain.events import CommandRejected
from exchange.domain.ids import SETTLEMENT_ASSET, AccountId
from exchange.domain.previews import PreviewableCommand, PreviewView
from exchange.domain.rejects import Reason
from exchange.domain.units import CASH_DECIMALS
from exchange.server.keys import KeyRing
from exchange.services.clock import Clock
from exchange.services.feed import Feed
from exchange.services.sequencer import Applied, Sequencer, SequencerHaltedError
from exchange.venue.venue import Venue
from exchange.wire.errors import Fault, WireError, fault
from exchange.wire.reasons import rejection

_log = logging.getLogger("exchange.server")


class ExchangeParts(NamedTuple):
    """One venue with its clock, its only door, what is folded from its events, and its keys.

    ``feed.apply`` must be subscribed to the sequencer before a gateway is made.
    """

    venue: Venue
    clock: Clock
    sequencer: Sequencer
    feed: Feed
    keys: KeyRing

    def submit(self, command: AnyCommand) -> Applied:
        """Apply a command and return what came of it; ``WireError`` when the venue refused it or was halted."""
        was_halted = self.sequencer.is_halted
        try:
            applied = self.sequencer.submit(command)
        except SequencerHaltedError as halt:
            if not was_halted:
                _log_halt(halt)
            raise _halted() from None
        for event in applied.events:
            if isinstance(event, CommandRejected):
                error = self.refusal(command, event)
                if applied.decisions:  # there is something to explain, by this number
                    error.details = {"sequence": applied.sequence}
                raise error
        return applied

    def preview(self, account: AccountId, command: PreviewableCommand | None) -> PreviewView:
        """Return what a command would do now (None: how the account stands); ``WireError`` when the venue was halted."""
        if self.sequencer.is_halted:
            raise _halted()
        return self.venue.preview(command, account=account, now_ns=max(self.clock.now_ns(), self.venue.now_ns))

    def refusal(self, command: AnyCommand, event: CommandRejected) -> WireError:
        """Return the error of a refused command: its field is that of the request, its money in the asset's decimals."""
        instrument = None if event.symbol is None else self.venue.instruments.get(event.symbol)
        decimals = CASH_DECIMALS
        if isinstance(command, Credit | Withdraw) and command.asset != SETTLEMENT_ASSET:
            decimals = next((each.decimals for each in self.venue.collateral if each.asset == command.asset), decimals)
        error = rejection(event.reason, event.limit, event.actual, instrument, cash_decimals=decimals)
        if isinstance(command, SetMarkPrices | SetIndexPrices):
            field = "marks" if isinstance(command, SetMarkPrices) else "prices"
            error.field = field if event.symbol is None else f"{field}.{event.symbol}"
        elif isinstance(command, SetLeverage) and event.reason is Reason.LEVERAGE_TIER:
            error.field = "leverage"  # of an order it is the quantity that can be changed
        return error

    def tick(self) -> None:
        """Apply what has fallen due by now; a venue that was halted stays as it is."""
        if self.sequencer.is_halted:
            return
        try:
            self.sequencer.tick()
        except SequencerHaltedError as halt:
            _log_halt(halt)


def _halted() -> WireError:
    sentence = "the venue was halted by an internal error and takes no commands; its operator must restart it"
    return fault(Fault.HALTED, sentence)


def _log_halt(halt: SequencerHaltedError) -> None:
    _log.critical("the venue was halted by an internal error", exc_info=halt)
