"""From a recorded decision to its explanation."""

from __future__ import annotations

from exchange.domain.decisions import (
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
from exchange.domain.policy import RiskPolicy
from exchange.explain.changes import explain_change
from exchange.explain.close_outs import explain_close, explain_replenish, explain_transfer
from exchange.explain.explanation import Explanation
from exchange.explain.fills import explain_fill
from exchange.explain.health import explain_flag, explain_margin_call
from exchange.explain.holdings import Instruments
from exchange.explain.orders import explain_order


class Explainer:
    """Explains what one venue decided. Pure: it looks at the decision and at what never changes."""

    def __init__(self, instruments: Instruments, policy: RiskPolicy) -> None:
        self._instruments = instruments
        self._policy = policy

    def explain(self, recorded: Recorded, story: tuple[Told, ...] = ()) -> Explanation:
        """Return why a decision came out as it did; ``story`` is what followed a flag."""
        match recorded.decision:
            case FlagDecision():
                return explain_flag(recorded, self._instruments, story)
            case MarginCallDecision():
                return explain_margin_call(recorded, self._instruments)
            case OrderDecision():
                return explain_order(recorded, self._instruments)
            case FillDecision():
                return explain_fill(recorded, self._instruments)
            case ChangeDecision():
                return explain_change(recorded, self._instruments)
            case CloseDecision():
                return explain_close(recorded, self._instruments, self._policy)
            case TransferDecision():
                return explain_transfer(recorded, self._instruments, self._policy)
            case ReplenishDecision():
                return explain_replenish(recorded, self._instruments)
