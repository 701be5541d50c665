"""The README's worked liquidation: the same trade in cross and isolated margin, played by a venue and told in its numbers."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from exchange.composition.settings import load_settings
from exchange.domain.commands import (
    AnyCommand,
    CancelAllOrders,
    CreateAccount,
    Credit,
    MarkPrice,
    PlaceOrder,
    SetMarginMode,
    SetMarkPrices,
)
from exchange.domain.enums import MarginMode, OrderType, Side, TimeInForce
from exchange.domain.events import AnyEvent, CommandRejected, LiquidationFinished, LiquidationOrderSettled, OrderRejected
from exchange.domain.ids import INSURANCE_FUND
from exchange.domain.margin_math import tier_at
from exchange.domain.units import Cash, Ticks, format_cash, format_rate, parse_cash
from exchange.domain.views import PositionView
from exchange.venue.venue import Venue

SYMBOL = "BTC-PERP"
CROSS, ISOLATED, MAKER = "cross", "isolated", "maker"
LIQUIDATED = "54200"
"""The mark at which the isolated position is liquidated and the cross one lives."""
FURTHER = ("51540", "50000")
"""On down to where the cross position is liquidated, too, in steps that price bands allow."""


class Play:
    """Two accounts with the same deposit and the same trade, and a maker who bids 50 below each mark."""

    def __init__(self) -> None:
        settings = load_settings()
        self.venue = Venue(settings.instruments, settings.venue_limits, replace(settings.policy, mark_jump_max=0))
        self.instrument = self.venue.instruments[SYMBOL]
        self._time_ns = 0
        for account, money in ((MAKER, "10000000"), (CROSS, "10000"), (ISOLATED, "10000")):
            self.do(CreateAccount(account=account))
            self.do(Credit(account=account, amount=parse_cash(money)))
        self.do(Credit(account=INSURANCE_FUND, amount=parse_cash("1000000")))
        self.set_mark("60000")
        self.do(SetMarginMode(account=ISOLATED, symbol=SYMBOL, margin_mode=MarginMode.ISOLATED))
        self.order(MAKER, Side.SELL, "2", "60000")
        for account in (CROSS, ISOLATED):
            self.order(account, Side.BUY, "1", "60000")

    def do(self, command: AnyCommand) -> tuple[AnyEvent, ...]:
        """Apply a command that must not be refused."""
        self._time_ns += 1
        events = self.venue.apply(command, now_ns=self._time_ns)
        assert not any(isinstance(event, CommandRejected | OrderRejected) for event in events), events
        return events

    def order(self, account: str, side: Side, quantity: str, price: str) -> None:
        """Place a limit order."""
        self.do(
            PlaceOrder(
                account=account,
                symbol=SYMBOL,
                side=side,
                quantity=self.instrument.quantity_grid.parse(quantity),
                order_type=OrderType.LIMIT,
                limit_price=self.instrument.price_grid.parse(price),
                time_in_force=TimeInForce.GTC,
            )
        )

    def set_mark(self, price: str) -> tuple[AnyEvent, ...]:
        """Move the mark."""
        return self.do(SetMarkPrices(marks=(MarkPrice(SYMBOL, self.instrument.price_grid.parse(price)),)))

    def fall(self) -> tuple[AnyEvent, ...]:
        """Move the mark to where the isolated position is liquidated, and return what happened there."""
        self.set_mark("57000")
        return self.fall_to(LIQUIDATED)

    def fall_to(self, price: str) -> tuple[AnyEvent, ...]:
        """Move the mark down onto new bids 50 below it."""
        self.do(CancelAllOrders(account=MAKER, symbol=None))
        self.order(MAKER, Side.BUY, "4", str(int(price) - 50))
        return self.set_mark(price)

    def position(self, account: str) -> PositionView:
        """Return an account's position."""
        return self.venue.position(account, SYMBOL)

    def has(self, account: str) -> int:
        """Return the equity of all of an account's scopes."""
        return self.venue.account(account).total_equity


def worked_liquidation() -> list[str]:
    """Return the lines that the README shows."""
    play = Play()
    lines = [
        "Two accounts deposit 10,000 and buy 1 BTC-PERP at 60,000 with leverage 10; the fee is 30.",
        "",
        _row("", lambda account: account),
        _row("stands behind the position", lambda account: _money(_backing(play, account))),
        _row("equity E at mark 60,000", lambda account: _money(play.position(account).scope_equity)),
        _row("liquidation price", lambda account: _price(play, play.position(account).liquidation_price)),
        _row("bankruptcy price", lambda account: _price(play, play.position(account).bankruptcy_price)),
        "",
        "The mark falls to 54,200.",
        *_fall(play),
        "",
        _row("Left of the deposit when the mark", lambda account: account),
    ]
    back = Play()
    back.fall()
    back.set_mark("60000")
    lines.append(_row("  returns to 60,000", lambda account: _money(back.has(account))))
    for price in FURTHER:
        play.fall_to(price)
    lines.append(_row(f"  falls on to {int(FURTHER[-1]):,}", lambda account: _money(play.has(account))))
    return lines


def _fall(play: Play) -> list[str]:
    """Return what both paths see at the first mark, and what the liquidation does."""
    wallets = {account: _backing(play, account) for account in (CROSS, ISOLATED)}
    events = play.fall()
    order = next(event for event in events if isinstance(event, LiquidationOrderSettled))
    record = next(event for event in events if isinstance(event, LiquidationFinished)).record
    instrument, cross = play.instrument, play.position(CROSS)
    before, after = order.before, order.after
    sold = instrument.quantity_grid.format(order.filled)
    at = _price(play, record.book_value // (order.filled * instrument.cash_per_tick_lot))
    moved = "1 * (54,200 - 60,000)"
    loss = f"{sold} * (54,200 - {at}) - fee {_money(order.fee)}"
    return [
        f"  cross     E  = {_money(wallets[CROSS])} + {moved} = {_money(cross.scope_equity)}",
        f"            MM = {_maintenance(play, cross.notional)} = {_money(cross.maintenance_margin)}    E >= MM: lives",
        f"  isolated  E  = {_money(wallets[ISOLATED])} + {moved} = {_money(before.equity)}",
        f"            MM = {_maintenance(play, before.notional)} = {_money(before.maintenance_margin)}    E < MM: liquidated",
        f"            {sold} of 1 BTC, what brings E back to 1.25 MM, is sold to the book at {at} (limit: bankruptcy)",
        f"            E  = {_money(before.equity)} - {loss} = {_money(after.equity)}",
        f"            MM = {_maintenance(play, after.notional)} = {_money(after.maintenance_margin)}    E >= MM: lives on",
    ]


def _backing(play: Play, account: str) -> Cash:
    """Return the wallet behind the account's position."""
    position = play.position(account)
    return play.venue.account(account).wallet_balance if position.margin_mode is MarginMode.CROSS else position.isolated_wallet


def _maintenance(play: Play, notional: Cash) -> str:
    tier = tier_at(play.instrument.tiers, notional)
    taken_off = f" - {_money(tier.maintenance_amount)}" if tier.maintenance_amount else ""
    return f"{_money(notional)} * {format_rate(tier.maintenance_rate)}{taken_off}"


def _row(label: str, of: Callable[[str], str]) -> str:
    return f"{label:<36}{of(CROSS):>14}{of(ISOLATED):>14}"


def _money(amount: Cash) -> str:
    return _grouped(format_cash(amount))


def _price(play: Play, price: Ticks | None) -> str:
    return "none" if price is None else _grouped(play.instrument.price_grid.format(price))


def _grouped(number: str) -> str:
    """Return a decimal with its thousands parted by commas."""
    whole, point, fraction = number.partition(".")
    return f"{int(whole):,}{point}{fraction}"
