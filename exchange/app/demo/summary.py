"""The demo's last words: what happened, what each twin kept, and whether the money adds up, from the client side alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from clients.human_units import plain
from exchange.app.demo.recovery import HEADING, Recovery
from exchange.app.ready_file import write_atomically


@dataclass(frozen=True)
class TwinResult:
    """How one twin ended. Units: settlement currency."""

    account: str
    credited: Decimal
    final_equity: Decimal
    liquidations: int

    @property
    def kept(self) -> Decimal:
        """The share of its deposit that the twin still has."""
        return self.final_equity / self.credited

    def as_json(self) -> dict[str, Any]:
        """Return it with money as decimal strings."""
        return {
            "account": self.account,
            "credited": plain(self.credited),
            "final_equity": plain(self.final_equity),
            "kept": plain(self.kept.quantize(Decimal("0.000001"))),
            "liquidations": self.liquidations,
        }


@dataclass(frozen=True)
class PairResult:
    """A pair of twins that opened the same trades, one cross, one isolated."""

    name: str
    trades: str
    cross: TwinResult
    isolated: TwinResult

    def as_json(self) -> dict[str, Any]:
        """Return the pair with both of its twins."""
        return {
            "name": self.name,
            "trades": self.trades,
            "cross": self.cross.as_json(),
            "isolated": self.isolated.as_json(),
        }


@dataclass(frozen=True)
class Money:
    """What was put in and what is there, as the clients read it at the final marks. Units: settlement currency."""

    credited: Decimal
    equity: Decimal
    fees: Decimal
    insurance_fund: Decimal

    @property
    def difference(self) -> Decimal:
        """What is missing (positive) or too much; exactly 0 unless the exchange made or lost money (CONS-001)."""
        return self.credited - self.equity - self.fees - self.insurance_fund


@dataclass(frozen=True)
class Summary:
    """Everything that the demo has to say at its end."""

    seed: int
    path: str
    digest: str
    commands: int
    trades: int
    volume: Decimal
    liquidations_isolated: int
    liquidations_cross: int
    closed_lots: dict[str, int]
    """Liquidated quantity by who took it (``book``, ``fund``, ``adl``), in whole lots over all symbols."""
    closed: dict[str, dict[str, Decimal]]
    """The same by symbol, in base."""
    margin_calls: int
    """Warnings that twins and traders were sent."""
    recoveries: tuple[Recovery, ...]
    """What the liquidation records add up to, by path."""
    money: Money
    pairs: tuple[PairResult, ...]
    elapsed_s: float

    def as_json(self) -> dict[str, Any]:
        """Return it for ``--summary``: money and quantities as decimal strings, counts and lots as whole numbers."""
        return {
            "seed": self.seed,
            "path": self.path,
            "digest": self.digest,
            "commands": self.commands,
            "conservation_difference": plain(self.money.difference),
            "trades": self.trades,
            "volume": plain(self.volume),
            "liquidations": {"isolated": self.liquidations_isolated, "cross": self.liquidations_cross},
            "margin_calls": self.margin_calls,
            "recoveries": [recovery.as_json() for recovery in self.recoveries],
            "liquidation_quantity": dict(self.closed_lots),
            "liquidation_quantity_by_symbol": {
                taker: {symbol: plain(quantity) for symbol, quantity in sorted(quantities.items())}
                for taker, quantities in self.closed.items()
            },
            "credited": plain(self.money.credited),
            "final_equity": plain(self.money.equity),
            "fees": plain(self.money.fees),
            "insurance_fund": plain(self.money.insurance_fund),
            "twins": [pair.as_json() for pair in self.pairs],
            "elapsed_s": round(self.elapsed_s, 3),
        }

    def lines(self) -> list[str]:
        """Return it for people, as lines of at most 110 characters."""
        money = self.money
        return [
            "",
            "Summary",
            f"  path            {self.path}",
            f"  trades          {self.trades:,} worth {self.volume:,.2f}, from {self.commands:,} commands",
            f"  liquidations    {self.liquidations_isolated} isolated, {self.liquidations_cross} cross, "
            f"after {self.margin_calls} margin calls",
            *(f"  closed by {name:5} {self._closed_text(taker)}" for taker, name in _TAKERS),
            f"  insurance fund  {money.insurance_fund:,.6f} at the final marks",
            "",
            "  liquidation records: the median of what owners had left, the worst of how much of a loss its owner paid",
            HEADING,
            *(recovery.line() for recovery in self.recoveries),
            "",
            "  twins: the same trades twice, and what is left of each deposit",
            f"    {'pair':8} {'trades':46} {'cross kept':>18} {'isolated kept':>18}",
            *(f"    {pair.name:8} {pair.trades:46} {_kept(pair.cross):>18} {_kept(pair.isolated):>18}" for pair in self.pairs),
            "",
            "  does the money add up? (read over the socket by the demo's own clients)",
            f"    credited                  {money.credited:>24,.6f}",
            f"    equity of all accounts    {money.equity:>24,.6f}",
            f"    fees                      {money.fees:>24,.6f}",
            f"    insurance fund            {money.insurance_fund:>24,.6f}",
            f"    conservation difference   {plain(money.difference):>24}",
            "",
            f"  state digest    {self.digest}",
            f"  seed {self.seed}; the same seed and marks give the same digest. Took {self.elapsed_s:.1f} s.",
        ]

    def _closed_text(self, taker: str) -> str:
        quantities = sorted(self.closed[taker].items())
        return ", ".join(f"{plain(quantity)} {symbol}" for symbol, quantity in quantities) or "nothing"


_TAKERS = (("book", "book"), ("fund", "fund"), ("adl", "ADL"))


def _kept(twin: TwinResult) -> str:
    times = f" ({twin.liquidations} liq.)" if twin.liquidations else ""
    return f"{twin.kept * 100:.1f} %{times}"


def write_summary(summary: Summary, path: Path) -> None:
    """Write the summary as JSON, whole or not at all. Raises ``OSError``."""
    write_atomically(path, json.dumps(summary.as_json(), indent=2) + "\n")
