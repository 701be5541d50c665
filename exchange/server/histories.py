"""Pages of what is remembered: ledger entries and records of liquidations."""

from __future__ import annotations

from exchange.domain.ids import AccountId
from exchange.server.limits import ServerLimits
from exchange.server.parts import ExchangeParts
from exchange.wire import margin_messages as wire
from exchange.wire import parameters
from exchange.wire.assets import Assets
from exchange.wire.errors import Fault, fault
from exchange.wire.liquidation_bodies import record_body
from exchange.wire.margin_bodies import ledger_entry_body


class Histories:
    """Answers one page at a time, newest first (WIRE-022)."""

    def __init__(self, parts: ExchangeParts, limits: ServerLimits, assets: Assets) -> None:
        self._parts = parts
        self._limits = limits
        self._assets = assets

    def ledger(self, account: AccountId, params: parameters.HistoryParams) -> wire.LedgerPage:
        """Return movements of an account's money (MARG-028)."""
        found = self._parts.feed.ledger.page(account, _limit(params, self._limits.ledger_page_max), params.before)
        entries = tuple(
            ledger_entry_body(each.entry, self._assets, number=each.number, sequence=each.sequence, time_ns=each.time_ns)
            for each in found.entries
        )
        return wire.LedgerPage(
            entries=entries, dropped=found.dropped, next_before=entries[-1].number if found.has_older else None
        )

    def liquidations(self, params: parameters.HistoryParams, account: AccountId | None = None) -> wire.LiquidationPage:
        """Return records of liquidations, of one account or of all (LIQ-016)."""
        limit = _limit(params, self._limits.liquidation_page_max)
        found = self._parts.feed.liquidations.page(limit, params.before, account)
        instruments = self._parts.venue.instruments
        records = tuple(record_body(instruments, each.record, each.number) for each in found.records)
        return wire.LiquidationPage(
            records=records, dropped=found.dropped, next_before=records[-1].number if found.has_older else None
        )


def _limit(params: parameters.HistoryParams, page_max: int) -> int:
    if params.limit > page_max:
        raise fault(
            Fault.INVALID_FIELD,
            f"limit {params.limit} is above the {page_max} of one page; ask for less, and for more pages with before",
            field="limit",
        )
    return params.limit
