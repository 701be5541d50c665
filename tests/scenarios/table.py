"""Scenario tables: one row per command, what must come of it in the last column.

A row is ``(sentence, expected)``. A sentence is a command (see ``spoken_commands``) or someone to look at (see ``looks``).
``expected`` lists sentences between commas; an event's sentence may go on with any of its facts ("fee 1.5"), and facts
that a row does not name are not compared. An empty column says that nothing visible happened.

Commands come a millisecond apart; ``wait 8h`` lets more time pass. What falls due meanwhile is done at its time by commands
of its own, as the sequencer would give them (FUND-004); what comes of them belongs to the row.

Whatever can be previewed is, just before it is given, and must come out as was foretold (MARG-029).

After every row the laws of ``laws`` are checked; at the end the same commands are given to a second venue, which must
answer with the same events and end in the same state (CONS-006).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from exchange.domain.commands import AdvanceTime, AnyCommand, CreateAccount
from exchange.domain.events import AmendRejected, AnyEvent, CommandRejected, OrderRejected
from exchange.domain.instrument import CollateralAsset, Instrument
from exchange.domain.policy import RiskPolicy
from exchange.domain.units import TimeNs
from exchange.venue.state import VenueLimits
from exchange.venue.venue import Venue
from tests.cast import BTC_PERP, CAST, ETH_PERP, PLAIN_POLICY, T0
from tests.foresight import foresee
from tests.scenarios.laws import Bookkeeping, Lifecycles, broken_laws
from tests.scenarios.looks import answers
from tests.scenarios.sentences import QUIET, tell
from tests.scenarios.spoken_commands import STEP_NS, time_after, understand

Row = tuple[str, str]


class Table:
    """A venue with the whole cast on it, played row by row."""

    def __init__(
        self,
        given: str = "",
        *,
        instruments: Sequence[Instrument] = (BTC_PERP, ETH_PERP),
        limits: VenueLimits | None = None,
        policy: RiskPolicy = PLAIN_POLICY,
        collateral: Sequence[CollateralAsset] = (),
    ) -> None:
        """``given`` are commands between semicolons that merely set the stage: none of them may be refused."""
        self._build: Callable[[], Venue] = lambda: Venue(instruments, limits, policy, collateral)
        self.venue = self._build()
        self.now_ns: TimeNs = T0 - STEP_NS
        """The time of the last command."""
        self._lifecycles, self._bookkeeping = Lifecycles(), Bookkeeping()
        self._history: list[tuple[AnyCommand, TimeNs, tuple[AnyEvent, ...]]] = []
        self._rows = 0
        for account in CAST:
            self._apply(CreateAccount(account=account))
        for sentence in filter(None, (part.strip() for part in given.split(";"))):
            command = understand(sentence)
            assert command is not None, f"given: no command reads {sentence!r}"
            events = self._apply(command, time_after(sentence, self.now_ns))
            refusals = [event for event in events if isinstance(event, AmendRejected | CommandRejected | OrderRejected)]
            assert not refusals, f"given: {sentence!r} was refused: {refusals}"
        self._check_laws("given")

    def play(self, *rows: Row) -> Table:
        """Play the rows; the first that comes out otherwise fails the test with both columns side by side."""
        __tracebackhide__ = True
        for sentence, expected in rows:
            self._rows += 1
            self._play_row(f"row {self._rows}: {sentence}", sentence, expected)
        self._check_replay()
        return self

    def _play_row(self, title: str, sentence: str, expected: str) -> None:
        __tracebackhide__ = True
        wanted = [part.strip() for part in expected.split(",") if part.strip()]
        command = understand(sentence)
        if command is None:
            found = answers(self.venue, sentence, wanted)
        else:
            events = self._apply(command, time_after(sentence, self.now_ns))
            sentences = [tell(event) for event in events if not isinstance(event, QUIET)]
            asked = [*wanted, *[""] * len(sentences)]
            found = [told.answering(question) for told, question in zip(sentences, asked, strict=False)]
        if found != wanted:
            raise AssertionError(difference(title, wanted, found))
        self._check_laws(title)

    def _apply(self, command: AnyCommand, at_ns: TimeNs | None = None) -> tuple[AnyEvent, ...]:
        """Give the venue a command, and before it what falls due until then; return the events of all of them."""
        at_ns = self.now_ns + STEP_NS if at_ns is None else at_ns
        events: list[AnyEvent] = []
        while (due_ns := self.venue.next_due_ns) is not None and due_ns <= at_ns:
            if due_ns == at_ns and isinstance(command, AdvanceTime):
                break
            events.extend(self._give(AdvanceTime(), due_ns))
        return (*events, *self._give(command, at_ns))

    def _give(self, command: AnyCommand, at_ns: TimeNs) -> tuple[AnyEvent, ...]:
        foresight = foresee(self.venue, command, at_ns)
        events = self.venue.apply(command, now_ns=at_ns)
        self.now_ns = at_ns
        self._history.append((command, at_ns, events))
        broken = [
            *self._lifecycles.follow(events),
            *self._bookkeeping.follow(events, self.venue),
            *foresight.faults(events, self.venue),
        ]
        assert not broken, "; ".join(broken)
        return events

    def _check_laws(self, title: str) -> None:
        __tracebackhide__ = True
        broken = broken_laws(self.venue)
        assert not broken, f"{title}\n  " + "\n  ".join(broken)

    def _check_replay(self) -> None:
        again = self._build()
        for command, at_ns, events in self._history:
            assert again.apply(command, now_ns=at_ns) == events, f"a replay differs at {command}"
        assert again.digest() == self.venue.digest(), "a replay ends in another state"


def difference(title: str, wanted: Sequence[str], found: Sequence[str]) -> str:
    """Return both columns side by side, with a mark at each line that differs."""
    lines = max(len(wanted), len(found))
    left, right = [*wanted, *["-"] * (lines - len(wanted))], [*found, *["-"] * (lines - len(found))]
    width = max([len("expected"), *(len(text) for text in left)])
    table = [f"  {'expected':<{width}} | happened"]
    for want, have in zip(left, right, strict=True):
        table.append(f"{' ' if want == have else '!'} {want:<{width}} | {have}")
    return "\n".join([title, *table])
