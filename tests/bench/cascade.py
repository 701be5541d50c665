"""``python -m tests.bench.cascade``: the crash of 2025-10-10, second by second, through thin books and a small fund.

Marks are real trades' prices (1 s bars, `shared/data/bars_1s`). Everything that happens is a command to a real venue through
the real sequencer; the same options give the same digest, and so does a replay of the logged commands.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from exchange.composition.settings import config_path, load_settings
from exchange.domain.commands import (
    AnyCommand,
    CancelAllOrders,
    ContinueLiquidations,
    Credit,
    MarkPrice,
    PlaceOrder,
    SetMarkPrices,
)
from exchange.domain.enums import MarginMode
from exchange.domain.events import (
    CloseOutVenue,
    FundingPaid,
    FundingSettled,
    LiquidationFinished,
    LiquidationOrderSettled,
    MarginCalled,
    PositionTransferred,
    TradeExecuted,
)
from exchange.domain.ids import INSURANCE_FUND, Symbol
from exchange.domain.instrument import FundingTerms, Instrument
from exchange.domain.margin_math import notional_value
from exchange.domain.units import Cash, TimeNs, parse_cash
from exchange.domain.views import LiquidationRecord
from exchange.services.clock import VirtualClock
from exchange.services.mark_file import read_mark_file
from exchange.services.mark_path import MarkPath, build_mark_path
from exchange.services.mark_window import Window, format_utc
from exchange.services.scenario import load_scenario
from exchange.services.sequencer import Applied, Sequencer
from exchange.venue.venue import Venue
from tests.bench.cascade_cast import FORGOTTEN, Buyer, Plan, cancel_unmatched, makers, open_everything, plans
from tests.bench.cascade_table import describe

BARS = Path(__file__).resolve().parents[3] / "shared" / "data" / "bars_1s"
CENTER_MS = 1_760_131_200_000
"""2025-10-10 21:20 UTC, in the middle of the fall."""
FILES = {
    "BTC-PERP": "gemini_spot_BTCUSD",
    "ETH-PERP": "gemini_spot_ETHUSD",
    "SOL-PERP": "gemini_spot_SOLUSD",
    "AAVE-PERP": "binance_coinm_AAVEUSD_PERP",
    "ATOM-PERP": "binance_coinm_ATOMUSD_PERP",
    "AVAX-PERP": "binance_coinm_AVAXUSD_PERP",
    "DOT-PERP": "binance_coinm_DOTUSD_PERP",
    "UNI-PERP": "binance_coinm_UNIUSD_PERP",
}
FUND_CREDIT_PER_ACCOUNT = parse_cash("100")
"""Too little by far: the levered accounts hold about a hundred times that each."""
FUNDING_INTERVAL: TimeNs = 300 * 10**9
"""Five minutes instead of eight hours, so that funding falls due in the middle of it."""
STEPS_MAX = 4
"""Liquidation steps of one command: few, so that the worst seconds need continuations."""
CHECK_EVERY = 500
"""How many commands lie between two counts of all money."""


class Cascade:
    """One run: the venue, those who take part, and what has happened."""

    def __init__(self, path: MarkPath, instruments: Sequence[Instrument], *, accounts: int, seed: int) -> None:
        settings = load_settings()
        self.path = path
        self.instruments = tuple(instruments)
        limits = replace(settings.venue_limits, liquidation_steps_max=STEPS_MAX)
        self._build = lambda: Venue(self.instruments, limits, settings.policy)
        self.venue = self._build()
        self._clock = VirtualClock(path.times_ms[0] * 10**6)
        self._sequencer = Sequencer(self.venue, self._clock)
        self._sequencer.subscribe(self._follow)
        self.plans: list[Plan] = plans(accounts // 2, random.Random(seed))
        self._makers = makers(seed)
        self._buyer = Buyer("buyer", size=parse_cash("5000"), generator=random.Random(seed))
        self.log: list[tuple[AnyCommand, TimeNs]] = []
        self.records: list[LiquidationRecord] = []
        self.counts: Counter[str] = Counter()
        self.taken: Counter[tuple[str, Symbol]] = Counter()
        """What changed hands by liquidations, in lots: through the book, to the fund, to opposite accounts."""
        self.residuals: set[int] = set()
        """The liquidations of which a part went to others at the mark."""
        self.fund_credit: Cash = accounts * FUND_CREDIT_PER_ACCOUNT
        self.fund_low: Cash | None = None
        """The least that the fund's wallet has held since it was credited."""
        self.fund_spent_ns: TimeNs | None = None
        """When the fund first had nothing left."""
        self.funding_times: set[TimeNs] = set()
        self.unwound: Cash = 0
        """What the fund has sold of what it took over, at its price."""

    def run(self, progress: Callable[[str], None] = lambda line: None) -> None:
        """Open everything at the first marks, then play the path."""
        first = {symbol: ticks[0] for symbol, ticks in self.path.ticks.items()}
        submit, known = self._sequencer.submit, {each.symbol: each for each in self.instruments}
        submit(SetMarkPrices(marks=tuple(MarkPrice(symbol, mark) for symbol, mark in first.items())))
        submit(Credit(account=INSURANCE_FUND, amount=self.fund_credit))
        self.fund_low = self.fund_credit
        open_everything(submit, known, first, self.plans)
        cancel_unmatched(submit, self.plans)
        for member in (*self._makers, self._buyer):
            member.join(submit, known)
        self._check_money()
        before = first
        for step, time_ms in enumerate(self.path.times_ms):
            self._clock.set_time(time_ms * 10**6)
            marks = {symbol: ticks[step] for symbol, ticks in self.path.ticks.items()}
            moved = tuple(MarkPrice(symbol, mark) for symbol, mark in marks.items() if mark != before[symbol])
            if moved:
                submit(SetMarkPrices(marks=moved))
            self._sequencer.tick()
            for symbol, mark in marks.items():
                if symbol == FORGOTTEN:
                    continue
                for maker in self._makers:
                    maker.quote(submit, self.venue, symbol, mark, before[symbol], step)
                self._buyer.buy(submit, known[symbol], mark)
            before = marks
            if step % 60 == 0:
                progress(self._line(time_ms))
        self._check_money()

    def replayed_digest(self) -> str:
        """Return the digest of a fresh venue that was given the logged commands at their times."""
        venue = self._build()
        for command, time_ns in self.log:
            venue.apply(command, now_ns=time_ns)
        return venue.digest()

    def worth(self, plan: Plan, mode: MarginMode) -> Cash:
        """Return what a plan's account has now."""
        return self.venue.account(plan.account(mode)).total_equity

    # -- what happened ---------------------------------------------------------------------------------------------

    def _follow(self, applied: Applied) -> None:
        self.log.append((applied.command, applied.time_ns))
        self.counts["commands"] += 1
        self.counts["events"] += len(applied.events)
        self.counts["continuations"] += isinstance(applied.command, ContinueLiquidations)
        for event in applied.events:
            match event:
                case LiquidationFinished():
                    self.records.append(event.record)
                case LiquidationOrderSettled():
                    position = self.venue.position(event.account, event.symbol, event.position_side)
                    self.counts["orders for a part"] += event.quantity == event.filled > 0 != position.quantity
                case PositionTransferred():
                    self.counts[event.venue.value] += 1
                    self.taken["fund" if event.counterparty == INSURANCE_FUND else "others", event.symbol] += event.quantity
                    if event.venue is CloseOutVenue.RESIDUAL:
                        self.residuals.add(event.liquidation_id)
                case TradeExecuted():
                    self._note_trade(event)
                case FundingSettled():
                    self.counts["fundings"] += 1
                    self.funding_times.add(event.time_ns)
                case FundingPaid():
                    self.counts["funding payments"] += 1
                case MarginCalled():
                    self.counts["margin calls"] += 1
        if self.fund_low is not None:
            self._note_fund(applied)
        if len(self.log) % CHECK_EVERY == 0:
            self._check_money()

    def _note_fund(self, applied: Applied) -> None:
        """Follow the fund's wallet and what it is worth; both are looked at only after a command that can change them."""
        if isinstance(applied.command, PlaceOrder | CancelAllOrders):
            return
        funds = self.venue.funds()
        self.fund_low = min(self.fund_low or 0, funds.insurance_fund_wallet)
        if self.fund_spent_ns is None and min(funds.insurance_fund_wallet, funds.insurance_fund_equity) <= 0:
            self.fund_spent_ns = applied.time_ns

    def _note_trade(self, trade: TradeExecuted) -> None:
        self.counts["trades"] += 1
        if trade.liquidation_id is not None:
            self.counts["liquidation trades"] += 1
            self.taken["book", trade.symbol] += trade.quantity
        elif trade.taker.account == INSURANCE_FUND:
            self.counts["unwinding trades"] += 1
            self.unwound += notional_value(self.venue.instruments[trade.symbol], trade.quantity, trade.price)

    def _check_money(self) -> None:
        """Count every unit: on paper, and at the marks."""
        venue, funds = self.venue, self.venue.funds()
        assert venue.imbalance() == 0, "the ledger is out"
        total = sum(venue.account(account).total_equity for account in venue.accounts())
        assert total + funds.fees + funds.insurance_fund_equity == funds.net_deposits, "equities are not the net deposits"
        self.counts["money checks"] += 1

    def _line(self, time_ms: int) -> str:
        fund = self.venue.funds()
        return (
            f"{format_utc(time_ms)}  commands {len(self.log):>8,}  liquidations {len(self.records):>5}  "
            f"takeovers {self.counts['fund']:>4}  adl {self.counts['auto_deleverage']:>4}  "
            f"residual {self.counts['residual']:>3}  fund {fund.insurance_fund_equity // 10**6:>9,}"
        )


def cascade_instruments() -> list[Instrument]:
    """Return the majors of the sandbox and the alts, with funding every five minutes."""
    settled = (*load_settings().instruments, *load_settings(config_path("alts.toml")).instruments)
    return [
        replace(each, initial_mark_price=None, funding=_more_often(each.funding)) for each in settled if each.symbol in FILES
    ]


def _more_often(terms: FundingTerms | None) -> FundingTerms | None:
    return None if terms is None else replace(terms, interval=FUNDING_INTERVAL)


def crash_path(seconds: int, instruments: Sequence[Instrument], bars: Path = BARS) -> MarkPath:
    """Return so many seconds of real prices, of which three fifths lie before 21:20 UTC."""
    window = Window(CENTER_MS - seconds * 600, CENTER_MS + seconds * 400)
    files = {symbol: read_mark_file(bars / f"{name}_trades_1s_2025-10-10.csv.gz") for symbol, name in FILES.items()}
    scenario = load_scenario(config_path("scenarios/crash_2025_10_10.toml"))
    return build_mark_path(instruments, scenario, files=files, window=window, step_ms=1_000)


def main() -> None:
    """Play the cascade twice, print what happened, and say whether both runs and a replay agree."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cascade", description=__doc__)
    parser.add_argument("--seconds", type=int, default=2_400, help="length of the path")
    parser.add_argument("--accounts", type=int, default=600, help="levered accounts, half cross and half isolated")
    parser.add_argument("--seed", type=int, default=3, help="of the levered accounts and of the makers")
    options = parser.parse_args()
    if not BARS.is_dir():
        parser.exit(0, f"skipped: the recorded bars are not at {BARS}\n")
    instruments = cascade_instruments()
    path = crash_path(options.seconds, instruments)
    first = Cascade(path, instruments, accounts=options.accounts, seed=options.seed)
    first.run(lambda line: print(line, flush=True))
    print("\n".join(describe(first)), flush=True)
    again = Cascade(path, instruments, accounts=options.accounts, seed=options.seed)
    again.run()
    digests = {first.venue.digest(), again.venue.digest(), first.replayed_digest()}
    print(
        f"\ndigest {first.venue.digest()}; a second run and a replay of the log: {'equal' if len(digests) == 1 else 'DIFFER'}"
    )
    assert len(digests) == 1


if __name__ == "__main__":
    main()
