"""The closing part of a command's events: books, positions and accounts that it changed (BOOK-013)."""

from __future__ import annotations

from exchange.domain.events import AccountChanged, AnyEvent, BookChanged, LedgerPosted, PositionChanged
from exchange.venue.state import VenueState


def report_changes(state: VenueState, events: list[AnyEvent]) -> None:
    """Append what has changed since last reported: books by symbol, then positions, then accounts."""
    for symbol, book in state.books.items():
        levels = book.take_changes()
        if levels:
            events.append(BookChanged(symbol=symbol, levels=levels))
    positions, accounts = state.accounts.take_changes()
    for account, name in positions:
        held = state.accounts.account(account).positions[name]
        view = state.accounts.view_position(account, held.symbol, held.position_side)
        events.append(PositionChanged(position=view))
    events.extend(AccountChanged(state=state.accounts.view_account(account)) for account in accounts)


def report_entries(state: VenueState, events: list[AnyEvent]) -> None:
    """Append every movement of money since last reported (MARG-028)."""
    entries = state.accounts.ledger.take_entries()
    if entries:
        events.append(LedgerPosted(entries=entries))
