"""What the liquidation records say, added up by path: how much was closed, who paid, what was recovered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median_low
from typing import Any

from clients.client import Client
from clients.human_units import plain
from clients.margin_messages import LiquidationRecord
from exchange.domain.enums import MarginMode

PAGE = 100


@dataclass(frozen=True)
class Recovery:
    """The liquidations of one path. Units: settlement currency; recoveries are fractions."""

    path: MarginMode
    count: int
    partial: int
    """Those that left a position open, healthy again."""
    fees: Decimal
    paid_by_others: Decimal
    """What the fund, deleveraged and other accounts bore, and bad debt."""
    owner_median: Decimal | None
    """The middle of what owners had left of the money behind the position when it was flagged."""
    default_worst: Decimal | None
    """The least of the realised losses that was paid by whose loss it was."""

    def as_json(self) -> dict[str, Any]:
        """Return it with money and fractions as decimal strings."""
        return {
            "path": self.path.value,
            "count": self.count,
            "partial": self.partial,
            "fees": plain(self.fees),
            "paid_by_others": plain(self.paid_by_others),
            "owner_recovery_median": _text(self.owner_median),
            "default_recovery_worst": _text(self.default_worst),
        }

    def line(self) -> str:
        """Return it as a row of the summary's table."""
        return (
            f"    {self.path.value:10} {self.count:>6} {self.partial:>8} {self.fees:>12,.2f} {self.paid_by_others:>15,.2f} "
            f"{_percent(self.owner_median):>16} {_percent(self.default_worst):>17}"
        )


HEADING = (
    f"    {'path':10} {'count':>6} {'partial':>8} {'fees':>12} {'paid by others':>15} "
    f"{'owner recovery':>16} {'default recovery':>17}"
)


async def read_records(admin: Client) -> list[LiquidationRecord]:
    """Return every liquidation record that the exchange keeps, newest first, page by page."""
    records: list[LiquidationRecord] = []
    before: int | None = None
    while True:
        page = await admin.admin_liquidations(limit=PAGE, before=before)
        records.extend(page.records)
        before = page.next_before
        if before is None:
            return records


def add_up(records: Iterable[LiquidationRecord]) -> tuple[Recovery, ...]:
    """Return the sums of the isolated and of the cross liquidations."""
    by_path: dict[MarginMode, list[LiquidationRecord]] = {MarginMode.ISOLATED: [], MarginMode.CROSS: []}
    for record in records:
        by_path[record.path].append(record)
    return tuple(_of_path(path, kept) for path, kept in by_path.items())


def _of_path(path: MarginMode, records: Sequence[LiquidationRecord]) -> Recovery:
    owners = [record.owner_recovery for record in records if record.owner_recovery is not None]
    return Recovery(
        path=path,
        count=len(records),
        partial=sum(1 for record in records if record.after.notional),
        fees=sum((record.fee for record in records), Decimal(0)),
        paid_by_others=sum(
            (record.fund_paid + record.adl_forgone + record.socialized + record.bad_debt for record in records), Decimal(0)
        ),
        owner_median=median_low(owners) if owners else None,
        default_worst=min((record.default_recovery for record in records), default=None),
    )


def _text(share: Decimal | None) -> str | None:
    return None if share is None else plain(share)


def _percent(share: Decimal | None) -> str:
    return "-" if share is None else f"{share * 100:.1f} %"
