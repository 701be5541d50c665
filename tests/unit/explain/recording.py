"""A venue with the cast on it that records, is spoken to in the sentences of scenario tables, and is asked why."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.domain.commands import CreateAccount
from exchange.domain.instrument import CollateralAsset, Instrument
from exchange.domain.policy import RiskPolicy
from exchange.explain.explainer import Explainer
from exchange.explain.explanation import Explanation
from exchange.services.decision_history import Asked, DecisionHistory
from exchange.services.sequencer import Applied
from exchange.venue.venue import Venue
from tests.cast import BTC_PERP, CAST, ETH_PERP, PLAIN_POLICY, T0
from tests.scenarios.spoken_commands import STEP_NS, time_after, understand

OPENING = "mark BTC 100 ETH 50; bob deposits 100000; fund deposits 10000; alice deposits 1000"


class Recording:
    """Plays sentences and explains what was decided."""

    def __init__(
        self,
        given: str = "",
        *,
        instruments: Sequence[Instrument] = (BTC_PERP, ETH_PERP),
        policy: RiskPolicy = PLAIN_POLICY,
        collateral: Sequence[CollateralAsset] = (),
        opening: str = OPENING,
    ) -> None:
        self.venue = Venue(instruments, policy=policy, collateral=collateral, records_decisions=True)
        self.history = DecisionHistory()
        self.explainer = Explainer(self.venue.instruments, self.venue.policy)
        self._now_ns = T0
        for account in CAST:
            self._apply(CreateAccount(account=account))
        self.play(opening)
        self.play(given)

    def _apply(self, command: object) -> None:
        events = self.venue.apply(command, now_ns=self._now_ns)  # type: ignore[arg-type]
        applied = Applied(self.venue.sequence, self._now_ns, command, events, self.venue.decisions)  # type: ignore[arg-type]
        self.history.apply(applied)
        self._now_ns += STEP_NS

    def play(self, sentences: str) -> Recording:
        for sentence in filter(None, (part.strip() for part in sentences.split(";"))):
            command = understand(sentence)
            assert command is not None, sentence
            self._now_ns = max(self._now_ns, time_after(sentence, self._now_ns - STEP_NS))
            self._apply(command)
        return self

    def why(self, account: str = "alice", **asked: int | str) -> tuple[Explanation, ...]:
        """Explain what is asked, without that the last command."""
        key = Asked(**asked) if asked else Asked(sequence=self.venue.sequence)  # type: ignore[arg-type]
        found = self.history.find(account, key)
        return tuple(self.explainer.explain(each, self._story(account, each.decision)) for each in found)

    def _story(self, account: str, decision: object) -> tuple:  # type: ignore[type-arg]
        liquidation_id = getattr(decision, "liquidation_id", None)
        return () if liquidation_id is None else self.history.story(account, liquidation_id)
