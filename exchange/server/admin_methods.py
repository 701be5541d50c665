"""The ``admin.*`` methods: the operator's hands on accounts, marks and time. Every act is a command like any other."""

from __future__ import annotations

from exchange.domain.commands import AdvanceTime, CreateAccount
from exchange.domain.events import Credited
from exchange.domain.units import TimeNs
from exchange.server.histories import Histories
from exchange.server.keys import new_key, new_secret
from exchange.server.parts import ExchangeParts
from exchange.server.pictures import Pictures
from exchange.services.clock import VirtualClock
from exchange.services.sequencer import Applied
from exchange.wire import margin_messages, parameters
from exchange.wire import messages as wire
from exchange.wire.bodies import time_us
from exchange.wire.errors import Fault, fault
from exchange.wire.session import Session
from exchange.wire.translate import Translator


class AdminMethods:
    """What a key with scope admin may do."""

    def __init__(self, parts: ExchangeParts, translator: Translator, pictures: Pictures, histories: Histories) -> None:
        self._parts = parts
        self._translator = translator
        self._pictures = pictures
        self._histories = histories

    def set_mark(self, session: Session, params: parameters.SetMarkParams) -> wire.CommandResult:
        """Replace marks; every liquidation that follows is done when this returns."""
        return self._done(self._parts.submit(self._translator.set_marks(params)))

    def set_index(self, session: Session, params: parameters.SetIndexParams) -> wire.CommandResult:
        """Replace index prices; marks made of them and every liquidation that follows are done when this returns."""
        return self._done(self._parts.submit(self._translator.set_index_prices(params)))

    def set_collateral_price(self, session: Session, params: parameters.SetCollateralPriceParams) -> wire.CommandResult:
        """Replace prices of collateral assets; every liquidation that follows is done when this returns."""
        return self._done(self._parts.submit(self._translator.set_collateral_prices(params)))

    def set_trading_state(self, session: Session, params: parameters.SetTradingStateParams) -> wire.CommandResult:
        """Halt a symbol or open it again; liquidations that waited for it go on before this returns."""
        return self._done(self._parts.submit(self._translator.set_trading_state(params)))

    def liquidations(self, session: Session, params: parameters.HistoryParams) -> margin_messages.LiquidationPage:
        """Return the records of all liquidations, newest first."""
        return self._histories.liquidations(params)

    def credit(self, session: Session, params: parameters.CreditParams) -> wire.CreditResult:
        """Deposit money from outside."""
        applied = self._parts.submit(self._translator.credit(params))
        credited = next(event for event in applied.events if isinstance(event, Credited))
        assets = self._pictures.assets
        return wire.CreditResult(
            account=credited.account,
            asset=credited.asset,
            amount=assets.format(credited.asset, credited.amount),
            wallet_balance=assets.format(credited.asset, credited.wallet_balance),
        )

    def create_account(self, session: Session, params: parameters.CreateAccountParams) -> wire.CreatedAccount:
        """Open an account with a key of its own; the keys are no part of the command."""
        if (params.key is None) != (params.secret is None):
            raise fault(Fault.INVALID_FIELD, "key and secret belong together; give both or none", field="secret")
        key, secret = params.key or new_key(), params.secret or new_secret()
        if self._parts.keys.find(key) is not None:
            raise fault(Fault.KEY_EXISTS, "key belongs to another account already; choose another one", field="key")
        if self._parts.keys.is_full:
            raise fault(Fault.KEYS_MAX, "the server holds no more keys; raise its limit keys_max")
        self._parts.submit(CreateAccount(account=params.account))
        self._parts.keys.add_account_key(params.account, key, secret)
        return wire.CreatedAccount(account=params.account, key=key, secret=secret)

    def advance(self, session: Session, params: parameters.AdvanceParams) -> wire.CommandResult:
        """Move the virtual clock by a duration and let what is due fire."""
        clock = self._virtual_clock()
        return self._move_clock(clock, clock.now_ns() + params.duration_us * 1000, "duration_us")

    def set_time(self, session: Session, params: parameters.SetTimeParams) -> wire.CommandResult:
        """Move the virtual clock to a time and let what is due fire."""
        clock = self._virtual_clock()
        target_ns = params.time_us * 1000
        if target_ns == time_us(clock.now_ns()) * 1000:
            target_ns = clock.now_ns()
        return self._move_clock(clock, target_ns, "time_us")

    def state(self, session: Session, params: parameters.NoParams) -> wire.FundBody:
        """Return sequence, digest, clock, fees and insurance fund."""
        return self._pictures.fund()

    def _virtual_clock(self) -> VirtualClock:
        clock = self._parts.clock
        if isinstance(clock, VirtualClock):
            return clock
        raise fault(
            Fault.CLOCK_NOT_VIRTUAL, "the venue runs on real time, which nobody can move; start it with a virtual clock instead"
        )

    def _move_clock(self, clock: VirtualClock, target_ns: TimeNs, field: str) -> wire.CommandResult:
        try:
            clock.set_time(target_ns)
        except ValueError as error:
            raise fault(Fault.CLOCK_RANGE, f"{field}: {error}; choose another", field=field) from None
        return self._done(self._parts.submit(AdvanceTime()))

    def _done(self, applied: Applied) -> wire.CommandResult:
        """Return the place of a command and of all that followed it."""
        return wire.CommandResult(sequence=self._parts.venue.sequence, time_us=time_us(applied.time_ns))
