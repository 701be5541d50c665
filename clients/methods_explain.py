"""The client's questions: why something was accepted, refused, filled, or liquidated."""

from __future__ import annotations

from clients.explain_messages import Explanation, ExplanationPage
from clients.fields import reader
from clients.inflight import Call
from clients.session import Session

PAGE = 10
"""How many explanations are asked for at a time."""


class ExplainMethods:
    """Asks for explanations of what was decided about an account, by exactly one name of it."""

    _session: Session

    async def explain(
        self,
        *,
        order_id: int | None = None,
        client_order_id: str | None = None,
        liquidation_id: int | None = None,
        sequence: int | None = None,
    ) -> tuple[Explanation, ...]:
        """Return all explanations of one order, liquidation or command of the account, oldest first.

        ``sequence`` is that of a reject's or a result's command. Raises ``RequestRefused`` (``explain.not_kept``) for what
        was never decided, or is older than what the server keeps.
        """
        asked = _asked(order_id, client_order_id, liquidation_id, sequence)
        return await self._pages("account.explain", asked)

    async def admin_explain(
        self,
        account: str,
        *,
        order_id: int | None = None,
        client_order_id: str | None = None,
        liquidation_id: int | None = None,
        sequence: int | None = None,
    ) -> tuple[Explanation, ...]:
        """Return the same of any account; needs an admin key."""
        asked = _asked(order_id, client_order_id, liquidation_id, sequence)
        return await self._pages("admin.explain", {"account": account, **asked})

    async def _pages(self, method: str, asked: dict[str, object]) -> tuple[Explanation, ...]:
        found: list[Explanation] = []
        offset: int | None = 0
        while offset is not None:
            params = {**asked, "limit": PAGE, "offset": offset}
            page = await self._session.request(Call(method, params, reader(ExplanationPage)))
            found.extend(page.explanations)
            offset = page.next_offset
        return tuple(found)


def _asked(
    order_id: int | None, client_order_id: str | None, liquidation_id: int | None, sequence: int | None
) -> dict[str, object]:
    given: dict[str, object | None] = {
        "order_id": order_id,
        "client_order_id": client_order_id,
        "liquidation_id": liquidation_id,
        "sequence": sequence,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    if len(asked) != 1:
        raise ValueError("give exactly one of order_id, client_order_id, liquidation_id and sequence")
    return asked
