"""What an admin key may do: marks, money, accounts, the virtual clock.

Units: prices in quote per base, money in the settlement currency, times and durations in microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping

from clients.fields import reader
from clients.human_units import Number, to_text
from clients.inflight import Call
from clients.server_messages import AdminState, CommandDone, CreatedAccount, Credited
from clients.session import Session


class AdminMethods:
    """Everything under ``admin.``; refused without an admin key."""

    _session: Session

    async def admin_set_mark(self, marks: Mapping[str, Number]) -> CommandDone:
        """Set mark prices by symbol, in one update; returns once every liquidation that follows is done."""
        params = {"marks": {symbol: to_text(mark, f"marks.{symbol}") for symbol, mark in marks.items()}}
        return await self._session.request(Call("admin.set_mark", params, reader(CommandDone)))

    async def admin_credit(self, account: str, amount: Number) -> Credited:
        """Deposit into an account, or into ``insurance_fund``."""
        params = {"account": account, "amount": to_text(amount, "amount")}
        return await self._session.request(Call("admin.credit", params, reader(Credited)))

    async def admin_create_account(self, account: str, *, key: str | None = None, secret: str | None = None) -> CreatedAccount:
        """Open an account and return its credentials; the server makes them unless both are given."""
        given = {"key": key, "secret": secret}
        params = {"account": account, **{name: value for name, value in given.items() if value is not None}}
        return await self._session.request(Call("admin.create_account", params, reader(CreatedAccount)))

    async def admin_advance(self, duration_us: int) -> CommandDone:
        """Move the virtual clock forward by ``duration_us``."""
        return await self._session.request(Call("admin.advance", {"duration_us": duration_us}, reader(CommandDone)))

    async def admin_set_time(self, time_us: int) -> CommandDone:
        """Move the virtual clock to ``time_us``; never backward."""
        return await self._session.request(Call("admin.set_time", {"time_us": time_us}, reader(CommandDone)))

    async def admin_state(self) -> AdminState:
        """Return sequence, digest, clock, fees and insurance fund."""
        return await self._session.request(Call("admin.state", {}, reader(AdminState)))
