"""The latest decisions of each account, for explaining them; folded from applied commands, can be thrown away.

Decisions on orders, fills and changes are bounded apart from those on warnings and liquidations, so that a busy trader's
orders never push out why somebody was liquidated. What is kept are numbers; words are made of them when somebody asks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from typing import NamedTuple, TypeAlias

from exchange.domain.decisions import (
    AnyDecision,
    ChangeDecision,
    CloseDecision,
    FillDecision,
    FlagDecision,
    MarginCallDecision,
    OrderDecision,
    Recorded,
    ReplenishDecision,
    Told,
    TransferDecision,
)
from exchange.domain.events import (
    AnyEvent,
    LiquidationFinished,
    LiquidationOrdersCanceled,
    LiquidationOrderSettled,
    LiquidationStarted,
    LiquidationWaiting,
    MarginMoved,
    PositionTransferred,
)
from exchange.domain.ids import AccountId, LiquidationId, OrderId, PositionId, position_id
from exchange.services.oldest_of_all import OldestOfAll
from exchange.services.sequencer import Applied

EXPLANATIONS_MAX = 500
"""Decisions on orders, fills and changes that are remembered of one account."""
EXPLANATIONS_TOTAL_MAX = 20_000
"""The same of all accounts together."""
LIQUIDATION_EXPLANATIONS_MAX = 200
"""Decisions and events of warnings and liquidations that are remembered of one account."""
LIQUIDATION_EXPLANATIONS_TOTAL_MAX = 20_000
"""The same of all accounts together."""

Entry: TypeAlias = Recorded | Told
Key: TypeAlias = tuple[str, Hashable]


class Asked(NamedTuple):
    """What somebody asks about; exactly one is given."""

    order_id: OrderId | None = None
    client_order_id: str | None = None
    liquidation_id: LiquidationId | None = None
    sequence: int | None = None

    @property
    def key(self) -> Key:
        """The index that answers it."""
        return next((name, value) for name, value in zip(self._fields, self, strict=True) if value is not None)


class _Kept(NamedTuple):
    """An entry with its number among its account's, and all that it can be found by."""

    number: int
    entry: Entry
    keys: tuple[Key, ...]


class _Account:
    """One account's entries, oldest first, and where each can be found."""

    __slots__ = ("count", "index", "kept")

    def __init__(self) -> None:
        self.kept: deque[_Kept] = deque()
        self.index: dict[Key, deque[Entry]] = {}
        self.count = 0

    def drop_oldest(self) -> None:
        """Forget the oldest entry; it is also the oldest of each of its keys."""
        oldest = self.kept.popleft()
        for key in oldest.keys:
            entries = self.index[key]
            entries.popleft()
            if not entries:
                del self.index[key]


class _Shelf:
    """Entries of one sort, bounded per account and in total; the oldest go first."""

    def __init__(self, entries_max: int, entries_total_max: int) -> None:
        self._entries_max = entries_max
        self._accounts: dict[AccountId, _Account] = {}
        self._of_all = OldestOfAll(entries_total_max, self._first_kept)

    def add(self, account: AccountId, entry: Entry, keys: Iterable[Key]) -> None:
        """Remember an entry under its keys."""
        own = self._accounts.setdefault(account, _Account())
        own.count += 1
        kept = _Kept(own.count, entry, tuple(keys))
        own.kept.append(kept)
        for key in kept.keys:
            own.index.setdefault(key, deque()).append(entry)
        self._of_all.note_added(account, kept.number)
        if len(own.kept) > self._entries_max:
            own.drop_oldest()
            self._of_all.note_forgotten()
        forgetful = self._of_all.next_to_forget()
        if forgetful is not None:
            self._accounts[forgetful].drop_oldest()

    def _first_kept(self, account: AccountId) -> int | None:
        kept = self._accounts[account].kept
        return kept[0].number if kept else None

    def find(self, account: AccountId, key: Key) -> tuple[Entry, ...]:
        """Return what an account has under a key, oldest first."""
        own = self._accounts.get(account)
        return () if own is None else tuple(own.index.get(key, ()))


class DecisionHistory:
    """Answers what decisions were made about an account's order, liquidation or command."""

    def __init__(
        self,
        entries_max: int = EXPLANATIONS_MAX,
        entries_total_max: int = EXPLANATIONS_TOTAL_MAX,
        liquidation_entries_max: int = LIQUIDATION_EXPLANATIONS_MAX,
        liquidation_entries_total_max: int = LIQUIDATION_EXPLANATIONS_TOTAL_MAX,
    ) -> None:
        self.entries_max = entries_max
        self.liquidation_entries_max = liquidation_entries_max
        self._trading = _Shelf(entries_max, entries_total_max)
        self._liquidations = _Shelf(liquidation_entries_max, liquidation_entries_total_max)
        self._open: dict[tuple[AccountId, PositionId | None], LiquidationId] = {}
        """Liquidations under way, by scope: what tops a position up does not name one."""
        self._owners: dict[LiquidationId, AccountId] = {}

    def apply(self, applied: Applied) -> None:
        """Fold in what was decided in one command, and the steps of liquidations in it."""
        sequence, time_ns, command = applied.sequence, applied.time_ns, type(applied.command).__name__
        for decision in applied.decisions:
            recorded = Recorded(sequence, time_ns, command, decision)
            if isinstance(decision, FlagDecision):
                self._open[(decision.account, decision.position_id)] = decision.liquidation_id
                self._owners[decision.liquidation_id] = decision.account
            shelf = self._trading if isinstance(decision, OrderDecision | FillDecision | ChangeDecision) else self._liquidations
            shelf.add(decision.account, recorded, (("sequence", sequence), *_keys(decision)))
        if not self._open:
            return
        for event in applied.events:
            liquidation_id = self._liquidation_of(event)
            account = None if liquidation_id is None else self._owners.get(liquidation_id)
            if account is not None:
                self._liquidations.add(account, Told(sequence, time_ns, event), (("liquidation_id", liquidation_id),))
            if isinstance(event, LiquidationFinished):
                self._close(event)

    def find(self, account: AccountId, asked: Asked) -> tuple[Recorded, ...]:
        """Return the decisions about what is asked, oldest first; nothing where none is kept."""
        found = [
            entry
            for shelf in (self._trading, self._liquidations)
            for entry in shelf.find(account, asked.key)
            if isinstance(entry, Recorded)
        ]
        return tuple(sorted(found, key=lambda entry: entry.sequence))

    def story(self, account: AccountId, liquidation_id: LiquidationId) -> tuple[Told, ...]:
        """Return the steps of a liquidation that are kept, in order."""
        found = self._liquidations.find(account, ("liquidation_id", liquidation_id))
        return tuple(entry for entry in found if isinstance(entry, Told))

    def _liquidation_of(self, event: AnyEvent) -> LiquidationId | None:
        match event:
            case MarginMoved(is_automatic=True):
                return self._open.get((event.account, position_id(event.symbol, event.position_side)))
            case LiquidationFinished(record=record):
                return record.liquidation_id
            case (
                LiquidationStarted()
                | LiquidationOrdersCanceled()
                | LiquidationOrderSettled()
                | PositionTransferred()
                | LiquidationWaiting()
            ):
                return event.liquidation_id
            case _:
                return None

    def _close(self, event: LiquidationFinished) -> None:
        self._owners.pop(event.record.liquidation_id, None)
        for scope, liquidation_id in self._open.items():
            if liquidation_id == event.record.liquidation_id:
                del self._open[scope]
                return


def _keys(decision: AnyDecision) -> Iterable[Key]:
    match decision:
        case OrderDecision() | FillDecision():
            if decision.order_id is not None:
                yield "order_id", decision.order_id
            if decision.client_order_id is not None:
                yield "client_order_id", decision.client_order_id
        case FlagDecision() | ReplenishDecision() | CloseDecision() | TransferDecision():
            yield "liquidation_id", decision.liquidation_id
        case ChangeDecision() | MarginCallDecision():
            pass
