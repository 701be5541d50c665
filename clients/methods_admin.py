"""What an admin key may do: marks, money, accounts, the virtual clock.

Units: prices in quote per base, money in the settlement currency, times and durations in microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping

from clients.fields import reader
from clients.human_units import Number, to_text
from clients.inflight import Call
from clients.margin_messages import LiquidationPage
from clients.requests import TradingStateWord, history_page, word_of
from clients.server_messages import AdminState, CommandDone, CreatedAccount, Credited
from clients.session import Session
from exchange.domain.enums import TradingState


class AdminMethods:
    """Everything under ``admin.``; refused without an admin key."""

    _session: Session

    async def admin_set_mark(self, marks: Mapping[str, Number]) -> CommandDone:
        """Set mark prices by symbol, in one update; returns once every liquidation that follows is done."""
        params = {"marks": {symbol: to_text(mark, f"marks.{symbol}") for symbol, mark in marks.items()}}
        return await self._session.request(Call("admin.set_mark", params, reader(CommandDone)))

    async def admin_set_index(self, prices: Mapping[str, Number]) -> CommandDone:
        """Set index prices by symbol, in one update; marks that are made of them follow, as ``admin_set_mark``."""
        return await self._session.request(Call("admin.set_index", _prices(prices), reader(CommandDone)))

    async def admin_set_collateral_price(self, prices: Mapping[str, Number]) -> CommandDone:
        """Set what one whole of each asset is worth; returns once every liquidation that follows is done."""
        return await self._session.request(Call("admin.set_collateral_price", _prices(prices), reader(CommandDone)))

    async def admin_set_trading_state(self, symbol: str, trading_state: TradingStateWord) -> CommandDone:
        """Halt a symbol or open it again."""
        params = {"symbol": symbol, "trading_state": word_of(TradingState, trading_state, "trading_state")}
        return await self._session.request(Call("admin.set_trading_state", params, reader(CommandDone)))

    async def admin_liquidations(self, *, limit: int = 100, before: int | None = None) -> LiquidationPage:
        """Return the newest records of all liquidations, of those with a number below ``before``."""
        return await self._session.request(Call("admin.liquidations", history_page(limit, before), reader(LiquidationPage)))

    async def admin_credit(self, account: str, amount: Number, asset: str | None = None) -> Credited:
        """Deposit into an account, or into ``insurance_fund``: the settlement asset, or a collateral asset."""
        params = {"account": account, "amount": to_text(amount, "amount")} | ({} if asset is None else {"asset": asset})
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


def _prices(prices: Mapping[str, Number]) -> dict[str, object]:
    return {"prices": {name: to_text(price, f"prices.{name}") for name, price in prices.items()}}
