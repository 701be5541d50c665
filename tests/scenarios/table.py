"""Scenario tables: one row per command, what must come of it in the last column.

A row is ``(sentence, expected)``. A sentence is a command (see ``spoken_commands``) or someone to look at (see ``looks``).
``expected`` lists sentences between commas; an event's sentence may go on with any of its facts ("fee 1.5"), and facts
that a row does not name are not compared. An empty column says that nothing visible happened.

After every row the laws of ``laws`` are checked; at the end the same commands are given to a second venue, which must
answer with the same events and end in the same state (CONS-006).
"""

from __future__ import annotations

from collections.abc import Sequence

from exchange.domain.commands import AnyCommand, CreateAccount
from exchange.domain.events import AnyEvent, CommandRejected, OrderRejected
from exchange.domain.instrument import Instrument
from exchange.venue.state import VenueLimits
from exchange.venue.venue import Venue
from tests.cast import BTC_PERP, CAST, ETH_PERP, T0
from tests.scenarios.laws import Lifecycles, broken_laws
from tests.scenarios.looks import answers
from tests.scenarios.sentences import QUIET, tell
from tests.scenarios.spoken_commands import understand

Row = tuple[str, str]
STEP_NS = 1_000_000


class Table:
    """A venue with the whole cast on it, played row by row."""

    def __init__(
        self,
        given: str = "",
        *,
        instruments: Sequence[Instrument] = (BTC_PERP, ETH_PERP),
        limits: VenueLimits | None = None,
    ) -> None:
        """``given`` are commands between semicolons that merely set the stage: none of them may be refused."""
        self._instruments, self._limits = instruments, limits
        self.venue = Venue(instruments, limits)
        self._lifecycles = Lifecycles()
        self._history: list[tuple[AnyCommand, tuple[AnyEvent, ...]]] = []
        self._rows = 0
        for account in CAST:
            self._apply(CreateAccount(account=account))
        for sentence in filter(None, (part.strip() for part in given.split(";"))):
            command = understand(sentence)
            assert command is not None, f"given: no command reads {sentence!r}"
            refusals = [event for event in self._apply(command) if isinstance(event, CommandRejected | OrderRejected)]
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
            sentences = [tell(event) for event in self._apply(command) if not isinstance(event, QUIET)]
            asked = [*wanted, *[""] * len(sentences)]
            found = [told.answering(question) for told, question in zip(sentences, asked, strict=False)]
        if found != wanted:
            raise AssertionError(difference(title, wanted, found))
        self._check_laws(title)

    def _apply(self, command: AnyCommand) -> tuple[AnyEvent, ...]:
        events = self.venue.apply(command, now_ns=T0 + STEP_NS * len(self._history))
        self._history.append((command, events))
        broken = self._lifecycles.follow(events)
        assert not broken, "; ".join(broken)
        return events

    def _check_laws(self, title: str) -> None:
        __tracebackhide__ = True
        broken = broken_laws(self.venue)
        assert not broken, f"{title}\n  " + "\n  ".join(broken)

    def _check_replay(self) -> None:
        again = Venue(self._instruments, self._limits)
        for number, (command, events) in enumerate(self._history):
            assert again.apply(command, now_ns=T0 + STEP_NS * number) == events, f"a replay differs at {command}"
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
