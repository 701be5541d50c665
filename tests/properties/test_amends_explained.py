"""Why amends come out as they do: their explanations are proven like those of new orders (BOOK-019, EXPL-002)."""

from __future__ import annotations

from collections import Counter

import pytest

from exchange.domain.commands import AnyCommand
from exchange.domain.decisions import OrderDecision, Recorded
from exchange.explain.explainer import Explainer
from exchange.venue.venue import Venue
from tests.properties.agreement import Pair, venue_limits
from tests.properties.explanation_proof import faults_of
from tests.properties.test_amends_against_model import run

RUNS = (19, 27)


class ExplainedPair(Pair):
    """A venue that has every amend explained as it is judged, and the proof that the explanation is right."""

    def another_venue(self) -> Venue:
        """A venue that records what its decisions were made of."""
        setting = self.setting
        limits = venue_limits(setting.limits)
        return Venue(setting.instruments, limits, setting.policy, setting.collateral, records_decisions=True)

    def apply_one(self, command: AnyCommand) -> None:
        super().apply_one(command)
        explainer = Explainer(self.venue.instruments, self.venue.policy)
        for decision in self.venue.decisions:
            if isinstance(decision, OrderDecision) and decision.is_amend:
                recorded = Recorded(self.venue.sequence, self.venue.now_ns, type(command).__name__, decision)
                explanation = explainer.explain(recorded)
                faults = list(faults_of(explanation, decision))
                assert not faults, "\n".join([f"{command}", *faults])
                assert ", amended to " in explanation.headline
                self.counts[f"explained {explanation.verdict}"] += 1
                self.counts["explained with the other mode"] += len(explanation.paths) == 2


@pytest.mark.rule("BOOK-019", "EXPL-002")
def test_every_formula_of_an_amends_explanation_gives_its_value_and_the_engines_verdict() -> None:
    counts: Counter[str] = Counter()
    for seed in RUNS:
        counts += run(seed, is_random=True, kind=ExplainedPair).counts
    met = ("explained accepted", "explained refused", "explained with the other mode")
    assert [name for name in met if not counts[name]] == []
