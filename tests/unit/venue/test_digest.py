"""The digest sees every part of the state, and nothing of the way the state came about."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from exchange.domain.commands import AnyCommand, CreateAccount, Credit, MarkPrice, SetMarkPrices
from exchange.domain.enums import CancelTrigger, MarginMode, PositionMode
from exchange.domain.views import ScopeHealth
from exchange.venue.liquidations import Liquidation
from exchange.venue.state import VenueLimits
from exchange.venue.venue import Venue
from tests.cast import ALICE, BOB, BTC_PERP, ETH_PERP, T0, cash
from tests.scenarios.table import Table

ROOT = Path(__file__).resolve().parents[3]
STAGE = (
    "alice deposits 1000; bob deposits 1000; mark BTC 100 ETH 100; alice sets BTC isolated; alice buys 10 BTC at 100;"
    "bob sells 10 BTC at 100 as:sold; bob sells 3 BTC at 120; bob sells 2 BTC at 120"
)


def staged() -> Venue:
    return Table(STAGE).venue


SHOWN_OTHERWISE = {"last_position", "scope", "urgency", "path", "position_side", "symbol"}
"""Of a liquidation: by their names, derived from what is there, or settled by the scope."""

Touch = Callable[[Venue], None]


def _queue(venue: Venue) -> None:
    """Turn the two asks at 120 round: the same orders, another priority."""
    book = venue._state.books["BTC-PERP"]
    first = book.orders[3]
    book.remove(first)
    book.rest(first)


def _set(path: str, value: object) -> Touch:
    """Return a change of one attribute, named from the venue's state down."""

    def touch(venue: Venue) -> None:
        *steps, last = path.split(".")
        target: object = venue._state
        for step in steps:
            target = target[step] if isinstance(target, dict) else getattr(target, step)
        if isinstance(target, dict):
            target[last] = value
        else:
            setattr(target, last, value)

    return touch


def _in_position(attribute: str, value: object) -> Touch:
    def touch(venue: Venue) -> None:
        target = venue._state.accounts.accounts[ALICE].positions["BTC-PERP"]
        for step in attribute.split(".")[:-1]:
            target = getattr(target, step)
        setattr(target, attribute.split(".")[-1], value)

    return touch


def _in_order(attribute: str, value: object) -> Touch:
    return lambda venue: setattr(venue._state.books["BTC-PERP"].orders[3], attribute, value)


TOUCHES: dict[str, Touch] = {
    "sequence": _set("sequence", 99),
    "time": _set("now_ns", T0 * 2),
    "order counter": _set("counters.order_id", 99),
    "trade counter": _set("counters.trade_id", 99),
    "liquidation counter": _set("counters.liquidation_id", 99),
    "mark": _set("accounts.marks.ETH-PERP", 101),
    "net deposits": _set("accounts.ledger.net_deposits.USD", 1),
    "mark time": _set("accounts.mark_times.ETH-PERP", 1),
    "collateral price": _set("accounts.collateral.prices.COIN", 1),
    "net deposits of an asset": _set("accounts.ledger.net_deposits.COIN", 1),
    "halt": lambda venue: venue._state.halted.add("ETH-PERP"),
    "last slice of the fund": _set("unwound_ns.BTC-PERP", 1),
    "index price": lambda venue: setattr(venue._state.markets["BTC-PERP"], "index_price", 1),
    "dead-man switch": lambda venue: venue._state.cancel_timers.arm(ALICE, CancelTrigger.DEAD_MAN, T0 * 2),
    "lost connection": lambda venue: venue._state.cancel_timers.arm(ALICE, CancelTrigger.DISCONNECTED, T0 * 2),
    "fees": _set("accounts.ledger.fees.balance", 1),
    "fund": _set("accounts.ledger.fund.wallet.balance", 1),
    "cross wallet": _set("accounts.accounts.alice.wallet.balance", 1),
    "cross flag": _set("accounts.accounts.alice.liquidation_id", 1),
    "cross call": _set("accounts.accounts.alice.margin_call_level", 1),
    "position mode": _set("accounts.accounts.alice.position_mode", PositionMode.HEDGE),
    "collateral": lambda venue: setattr(venue._state.accounts.accounts[ALICE].holding("COIN"), "balance", 1),
    "quantity": _in_position("quantity", 9),
    "entry cost": _in_position("entry_cost", 9),
    "isolated wallet": _in_position("wallet.balance", 9),
    "margin mode": _in_position("margin_mode", MarginMode.CROSS),
    "leverage": _in_position("leverage", 9),
    "isolated flag": _in_position("liquidation_id", 9),
    "isolated call": _in_position("margin_call_level", 9),
    "auto-replenish": _in_position("auto_replenish", True),
    "order quantity": _in_order("open_quantity", 1),
    "order fills": _in_order("filled_value", 1),
    "order price": _in_order("limit_price", 121),
    "order owner": _in_order("account", ALICE),
    "order flags": _in_order("reduce_only", True),
    "priority": _queue,
    "remembered id": lambda venue: venue._state.placements.clear(),
}


@pytest.mark.rule("CONS-006")
@pytest.mark.parametrize("touch", TOUCHES.values(), ids=list(TOUCHES))
def test_it_sees_every_part_of_the_state(touch: Touch) -> None:
    venue = staged()
    before = venue.digest()
    assert before == staged().digest()
    assert len(before) == 64
    touch(venue)
    assert venue.digest() != before


@pytest.mark.rule("CONS-006", "LIQ-011")
def test_it_sees_how_far_a_deferred_liquidation_has_come() -> None:
    stage = STAGE + "; mark ETH 99"
    deferred = Table(stage, limits=VenueLimits(liquidation_steps_max=0))
    deferred.play(("mark BTC 94", "liquidation 1 of alice/BTC isolated, deferred 1"))
    state = deferred.venue._state
    (liquidation,) = state.liquidations.values()
    seen = {deferred.venue.digest()}
    for name in sorted(set(Liquidation.__slots__) - SHOWN_OTHERWISE):
        value = getattr(liquidation, name)
        if isinstance(value, dict):
            value["BTC-PERP"] = 999
        elif isinstance(value, ScopeHealth):
            liquidation.before = replace(value, equity=999)
        else:
            setattr(liquidation, name, 999)
        digest = deferred.venue.digest()
        assert digest not in seen, f"nothing tells two values of {name} apart"
        seen.add(digest)
    liquidation.last_position = None
    assert deferred.venue.digest() not in seen


@pytest.mark.rule("CONS-006")
def test_it_does_not_depend_on_the_order_in_which_things_were_put_in() -> None:
    def built(accounts: list[str], symbols: list[str]) -> Venue:
        venue = Venue([BTC_PERP, ETH_PERP] if symbols[0] < symbols[1] else [ETH_PERP, BTC_PERP])
        commands: list[AnyCommand] = [CreateAccount(account=account) for account in accounts]
        commands += [Credit(account=account, amount=cash("5")) for account in accounts]
        commands += [SetMarkPrices(marks=(MarkPrice(symbol, 100),)) for symbol in symbols]
        for command in commands:
            venue.apply(command, now_ns=T0)
        return venue

    one = built([ALICE, BOB], ["BTC-PERP", "ETH-PERP"])
    assert one.digest() == built([BOB, ALICE], ["ETH-PERP", "BTC-PERP"]).digest()


@pytest.mark.rule("CONS-006")
def test_amounts_may_leave_64_bits() -> None:
    once, twice = (Table(";".join(["alice deposits 1000000000000"] * count)).venue for count in (30, 31))
    assert once.account(ALICE).wallet_balance > 2**64
    assert once.digest() != twice.digest()


@pytest.mark.rule("CONS-006")
def test_it_does_not_depend_on_the_hash_seed_of_the_process() -> None:
    script = (
        "from tests.scenarios.table import Table\n"
        f"table = Table({STAGE!r})\n"
        "events = [str(events) for _, _, events in table._history]\n"
        "import hashlib\n"
        "print(table.venue.digest(), hashlib.sha256(repr(events).encode()).hexdigest())\n"
    )
    said = set()
    for seed in ("1", "2", "77"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        run = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        said.add(run.stdout)
    assert len(said) == 1
    assert staged().digest() in said.pop()


@pytest.mark.rule("CONS-006", "BOOK-014")
def test_it_sees_which_order_a_remembered_id_stands_for() -> None:
    """Neither order met anything, so that only a resend can tell the two venues apart."""
    stages = [f"alice deposits 1000; mark BTC 100; alice buys 1 BTC at {price} ioc as:a" for price in (100, 101)]
    one, other = (Table(stage).venue for stage in stages)
    assert one.digest() != other.digest()
