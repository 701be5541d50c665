"""``account.explain``: what is remembered of a decision, made into words when somebody asks."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec.structs import replace

from exchange.domain.decisions import FlagDecision, Recorded, Told
from exchange.domain.ids import AccountId
from exchange.explain.explainer import Explainer
from exchange.explain.explanation import Explanation
from exchange.explain.text import render
from exchange.server.limits import ServerLimits
from exchange.server.parts import ExchangeParts
from exchange.services.decision_history import Asked
from exchange.wire import explain_messages as wire
from exchange.wire import parameters
from exchange.wire.bodies import time_us
from exchange.wire.errors import Fault, fault
from exchange.wire.session import Session

Body = TypeVar("Body")

CUT = "(the arithmetic is left out: it is longer than one answer may be)"


class Explanations:
    """Explains to an owner, or to the operator, what was decided about one account (EXPL-001)."""

    def __init__(self, parts: ExchangeParts, limits: ServerLimits) -> None:
        self._parts = parts
        self._limits = limits
        self._explainer = Explainer(parts.venue.instruments, parts.venue.policy)

    def explain(self, session: Session, params: parameters.ExplainParams) -> wire.ExplainResult:
        """Return the explanations of one order, liquidation or command of the session's account."""
        return self._page(session.account, params)

    def admin_explain(self, session: Session, params: parameters.AdminExplainParams) -> wire.ExplainResult:
        """Return the same of any account."""
        if not self._parts.venue.has_account(params.account):
            raise fault(Fault.INVALID_FIELD, f"account {params.account} does not exist; name one that does", field="account")
        return self._page(params.account, params)

    def _page(self, account: AccountId, params: parameters.ExplainParams) -> wire.ExplainResult:
        asked = self._asked(params)
        if params.limit > self._limits.explanation_page_max:
            raise fault(
                Fault.INVALID_FIELD,
                f"limit {params.limit} is above the {self._limits.explanation_page_max} of one page; ask for less, and for "
                "more pages with offset",
                field="limit",
            )
        found = self._parts.feed.decisions.find(account, asked)
        if not found:
            raise self._not_kept(asked)
        bodies: list[wire.ExplanationBody] = []
        size, offset = 0, params.offset
        for recorded in found[offset : offset + params.limit]:
            body = self._body(account, recorded)
            size += len(msgspec.msgpack.encode(body))
            if size > self._limits.explanation_bytes_max:
                if bodies:
                    break
                body = replace(body, paths=(), text=f"{body.headline}.\n{CUT}")
            bodies.append(body)
        offset += len(bodies)
        return wire.ExplainResult(explanations=tuple(bodies), next_offset=offset if offset < len(found) else None)

    def _asked(self, params: parameters.ExplainParams) -> Asked:
        asked = Asked(params.order_id, params.client_order_id, params.liquidation_id, params.sequence)
        given = sum(value is not None for value in asked)
        if given != 1:
            raise fault(
                Fault.INVALID_FIELD if given else Fault.MISSING_FIELD,
                "give exactly one of order_id, client_order_id, liquidation_id and sequence",
                field="order_id",
            )
        return asked

    def _not_kept(self, asked: Asked) -> Exception:
        name, value = asked.key
        history = self._parts.feed.decisions
        return fault(
            Fault.NOT_EXPLAINABLE,
            f"no decision about {name} {value} of this account is kept; of each account the last {history.entries_max} on "
            f"orders and changes are (explanations_max), and the last {history.liquidation_entries_max} on warnings "
            "and liquidations (liquidation_explanations_max)",
            field=name,
        )

    def _body(self, account: AccountId, recorded: Recorded) -> wire.ExplanationBody:
        decision = recorded.decision
        story: tuple[Told, ...] = ()
        if isinstance(decision, FlagDecision):
            story = self._parts.feed.decisions.story(account, decision.liquidation_id)
        return explanation_body(self._explainer.explain(recorded, story))


def explanation_body(explanation: Explanation) -> wire.ExplanationBody:
    """Return an explanation as the peer reads it, with its text."""
    return wire.ExplanationBody(
        kind=explanation.kind,
        headline=explanation.headline,
        sequence=explanation.sequence,
        time_us=time_us(explanation.time_ns),
        account=explanation.account,
        symbol=explanation.symbol,
        position_side=explanation.position_side,
        order_id=explanation.order_id,
        client_order_id=explanation.client_order_id,
        liquidation_id=explanation.liquidation_id,
        verdict=explanation.verdict,
        reason=explanation.reason,
        limit=explanation.limit,
        actual=explanation.actual,
        paths=_as(explanation.paths, tuple[wire.PathBody, ...]),
        compared=_as(explanation.compared, tuple[wire.ComparedBody, ...]),
        changes=_as(explanation.changes, tuple[wire.BeforeAfterBody, ...]),
        happened=tuple(
            wire.HappeningBody(sequence=each.sequence, time_us=time_us(each.time_ns), step=each.step, sentence=each.sentence)
            for each in explanation.happened
        ),
        prevention=explanation.prevention,
        text=render(explanation),
    )


def _as(values: object, kind: type[Body]) -> Body:
    return msgspec.convert(values, kind, from_attributes=True)
