"""What the README shows of ``ringfence explain`` is what the exchange says of the README's worked liquidation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from exchange.composition.settings import load_settings
from exchange.domain.commands import (
    AnyCommand,
    CreateAccount,
    Credit,
    MarkPrice,
    PlaceOrder,
    SetMarginMode,
    SetMarkPrices,
)
from exchange.domain.enums import MarginMode, Side
from exchange.domain.ids import INSURANCE_FUND
from exchange.domain.units import parse_cash
from exchange.explain.explainer import Explainer
from exchange.explain.text import render
from exchange.services.decision_history import Asked, DecisionHistory
from exchange.services.sequencer import Applied
from exchange.venue.venue import Venue

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
SYMBOL = "BTC-PERP"
LEFT_OUT = "  ..."


def why_was_alice_liquidated() -> str:
    """Play the README's worked liquidation with alice in it, and return the answer to her question."""
    settings = load_settings()
    venue = Venue(settings.instruments, policy=replace(settings.policy, mark_jump_max=0), records_decisions=True)
    history, instrument = DecisionHistory(), venue.instruments[SYMBOL]

    def do(command: AnyCommand) -> None:
        events = venue.apply(command, now_ns=venue.sequence)
        history.apply(Applied(venue.sequence, venue.now_ns, command, events, venue.decisions))

    def order(account: str, side: Side, quantity: str, price: str) -> None:
        lots, ticks = instrument.quantity_grid.parse(quantity), instrument.price_grid.parse(price)
        do(PlaceOrder(account=account, symbol=SYMBOL, side=side, quantity=lots, limit_price=ticks))

    def mark(price: str) -> None:
        do(SetMarkPrices(marks=(MarkPrice(SYMBOL, instrument.price_grid.parse(price)),)))

    for account, money in (("maker", "10000000"), ("alice", "10000")):
        do(CreateAccount(account=account))
        do(Credit(account=account, amount=parse_cash(money)))
    do(Credit(account=INSURANCE_FUND, amount=parse_cash("1000000")))
    mark("60000")
    do(SetMarginMode(account="alice", symbol=SYMBOL, margin_mode=MarginMode.ISOLATED))
    order("maker", Side.SELL, "1", "60000")
    order("alice", Side.BUY, "1", "60000")
    mark("56000")
    order("maker", Side.BUY, "2", "54150")
    mark("54200")
    recorded = history.find("alice", Asked(liquidation_id=1))[0]
    return render(Explainer(venue.instruments, venue.policy).explain(recorded, history.story("alice", 1)))


def holds_in_order(shown: str, said: str) -> bool:
    """Return whether the parts of a text, between marks of what was left out, follow each other in another."""
    for part in shown.split(f"{LEFT_OUT}\n"):
        _, found, said = said.partition(part.rstrip("\n"))
        if not found:
            return False
    return True


@pytest.mark.rule("EXPL-002", "EXPL-003")
def test_the_readme_shows_what_the_exchange_says() -> None:
    shown = re.search(r"\$ ringfence explain liquidation:1 --as alice\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    assert holds_in_order(shown.group(1), why_was_alice_liquidated())


def test_a_number_that_is_not_said_is_found() -> None:
    said = "a 1\nb 2\nc 3\n"
    assert holds_in_order(f"a 1\n{LEFT_OUT}\nc 3\n", said)
    assert not holds_in_order(f"a 1\n{LEFT_OUT}\nc 4\n", said)
    assert not holds_in_order(f"c 3\n{LEFT_OUT}\na 1\n", said)
