"""The closing part of a command's events: books, positions and accounts that it changed (BOOK-013)."""

from __future__ import annotations

from exchange.domain.events import AccountChanged, AnyEvent, BookChanged, PositionChanged
from exchange.venue.state import VenueState


def report_changes(state: VenueState, events: list[AnyEvent]) -> None:
    """Append what has changed since last reported: books by symbol, then positions, then accounts."""
    for symbol, book in state.books.items():
        levels = book.take_changes()
        if levels:
            events.append(BookChanged(symbol=symbol, levels=levels))
    positions, accounts = state.accounts.take_changes()
    events.extend(PositionChanged(position=state.accounts.view_position(account, symbol)) for account, symbol in positions)
    events.extend(AccountChanged(state=state.accounts.view_account(account)) for account in accounts)
