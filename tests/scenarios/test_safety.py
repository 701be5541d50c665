"""Orders whose owner does not come in time: what is canceled, when, and what keeps it."""

from __future__ import annotations

import pytest

from exchange.domain.commands import (
    AdvanceTime,
    AnyCommand,
    CreateAccount,
    Credit,
    MarkPrice,
    PlaceOrder,
    SetCancelAfter,
    SetMarkPrices,
)
from exchange.domain.enums import CancelTrigger, Side
from exchange.domain.events import OrderCanceled
from exchange.services.clock import VirtualClock
from exchange.services.sequencer import Applied, Sequencer
from exchange.venue.safety import ACCOUNTS_PER_COMMAND_MAX
from exchange.venue.venue import Venue
from tests.cast import BTC_PERP, ETH_PERP, T0, cash
from tests.scenarios.table import Table
from tests.scenarios.test_funding import paying

RESTING = (
    "alice deposits 1000; bob deposits 1000; mark BTC 100 ETH 100;"
    "alice buys 1 BTC at 90; alice sells 1 ETH at 110; bob buys 1 BTC at 89"
)
"""Alice has orders 1 and 2, bob 3."""


@pytest.mark.rule("SAFE-001")
def test_a_dead_man_switch_that_runs_out_cancels_every_order_of_its_account_and_no_other() -> None:
    Table(RESTING).play(
        ("alice cancels after 10s", "dead_man armed account alice"),
        ("wait 9s", ""),
        ("wait 2s", "canceled 1 order.dead_man_switch quantity 1, canceled 2 order.dead_man_switch quantity 1"),
        ("alice buys 1 BTC at 91", "accepted 4, rested 4"),
        ("wait 1h", ""),
    )


@pytest.mark.rule("SAFE-001")
def test_renewed_in_time_it_is_put_off_and_disarmed_it_never_fires() -> None:
    Table(RESTING).play(
        ("alice cancels after 10s", "dead_man armed"),
        ("wait 9s", ""),
        ("alice cancels after 10s", "dead_man armed"),
        ("wait 9s", ""),
        ("alice cancels after 2s", "dead_man armed"),
        ("alice disarms", "dead_man disarmed"),
        ("alice disarms", "dead_man disarmed"),
        ("wait 24h", ""),
        ("alice cancels after 5s", "dead_man armed"),
        ("alice cancels after 1s", "dead_man armed"),
        ("wait 1s", "canceled 1 order.dead_man_switch, canceled 2 order.dead_man_switch"),
    )


@pytest.mark.rule("SAFE-001")
def test_it_fires_at_its_exact_time_between_what_else_is_due() -> None:
    """8 hours on the whole hour is a funding; the switches lie a nanosecond before and one after."""
    table = Table(RESTING, instruments=[paying("0.0001"), ETH_PERP])
    until = 8 * 3_600 * 10**9 - table.now_ns % (8 * 3_600 * 10**9)
    fired: list[tuple[int, str]] = []
    table.play((f"alice cancels after {until - 1_000_001}ns", "dead_man armed"))
    table.play((f"bob cancels after {until - 2_000_000 + 1}ns", "dead_man armed"))
    table._apply(AdvanceTime(), table.now_ns + until)
    for _, at_ns, events in table._history:
        fired += [
            (at_ns, type(event).__name__) for event in events if type(event).__name__ in {"OrderCanceled", "FundingSettled"}
        ]
    funding_ns = next(at_ns for at_ns, name in fired if name == "FundingSettled")
    assert [(at_ns - funding_ns, name) for at_ns, name in fired] == [
        (-1, "OrderCanceled"),
        (-1, "OrderCanceled"),
        (0, "FundingSettled"),
        (1, "OrderCanceled"),
    ]


@pytest.mark.rule("SAFE-002")
def test_a_lost_connection_cancels_after_its_grace_also_what_was_placed_meanwhile() -> None:
    Table(RESTING).play(
        ("alice is lost for 5s", "disconnected armed"),
        ("wait 4s", ""),
        ("alice buys 1 BTC at 91", "accepted 4, rested 4"),
        (
            "wait 1s",
            "canceled 1 order.owner_disconnected, canceled 2 order.owner_disconnected, canceled 4 order.owner_disconnected",
        ),
    )


@pytest.mark.rule("SAFE-002")
def test_an_account_that_is_back_in_time_keeps_its_orders() -> None:
    Table(RESTING).play(
        ("alice is lost for 5s", "disconnected armed"),
        ("wait 4s", ""),
        ("alice is back", "disconnected disarmed"),
        ("wait 24h", ""),
        ("alice cancels all", "canceled 1 order.canceled_by_owner, canceled 2 order.canceled_by_owner"),
    )


@pytest.mark.rule("SAFE-002")
def test_a_second_loss_never_puts_off_the_first_and_no_grace_is_at_once() -> None:
    Table(RESTING).play(
        ("alice is lost for 5s", "disconnected armed"),
        ("alice is lost for 300s", "disconnected armed"),
        ("wait 5s", "canceled 1 order.owner_disconnected, canceled 2 order.owner_disconnected"),
        ("alice buys 1 BTC at 91", "accepted 4, rested 4"),
        ("alice is lost for 300s", "disconnected armed"),
        ("alice is lost for 0s", "disconnected armed, canceled 4 order.owner_disconnected"),
        ("alice buys 1 BTC at 91", "accepted 5, rested 5"),
        ("wait 1h", ""),
    )


@pytest.mark.rule("SAFE-001", "SAFE-002")
def test_the_two_triggers_of_an_account_do_not_know_each_other() -> None:
    Table(RESTING).play(
        ("alice cancels after 10s", "dead_man armed"),
        ("alice is lost for 5s", "disconnected armed"),
        ("alice is back", "disconnected disarmed"),
        ("wait 11s", "canceled 1 order.dead_man_switch, canceled 2 order.dead_man_switch"),
        ("zoe cancels after 10s", "refused account.unknown"),
        ("zoe is back", "refused account.unknown"),
    )


@pytest.mark.rule("SAFE-001")
def test_orders_of_a_halted_symbol_and_of_an_account_under_liquidation_are_canceled_too() -> None:
    Table(RESTING).play(
        ("alice cancels after 10s", "dead_man armed"),
        ("halts BTC", "halted BTC"),
        ("wait 10s", "canceled 1 order.dead_man_switch, canceled 2 order.dead_man_switch"),
    )


@pytest.mark.rule("SAFE-001", "SAFE-002")
@pytest.mark.parametrize(
    ("armed", "reason"),
    [("alice cancels after 10s", "order.dead_man_switch"), ("alice is lost for 10s", "order.owner_disconnected")],
)
def test_orders_that_wait_for_their_trigger_go_with_the_others_and_never_trigger_afterwards(armed: str, reason: str) -> None:
    Table(RESTING).play(
        ("alice buys 1 BTC at 105 stop:104", "accepted 4 status untriggered"),
        ("bob buys 1 BTC at 105 stop:104", "accepted 5 status untriggered"),
        (armed, ("dead_man" if "cancels" in armed else "disconnected") + " armed"),
        ("wait 10s", f"canceled 1 {reason}, canceled 2 {reason}, canceled 4 {reason}"),
        ("bob cancels 5", "canceled 5 order.canceled_by_owner"),
        ("mark BTC 104", ""),
    )


def crowd(accounts: int) -> tuple[Sequencer, VirtualClock, list[Applied]]:
    """Return a venue with accounts that each have an order and a dead-man switch that is due in a second."""
    clock = VirtualClock(T0)
    sequencer = Sequencer(Venue([BTC_PERP]), clock)
    seen: list[Applied] = []
    commands: list[AnyCommand] = [SetMarkPrices(marks=(MarkPrice("BTC-PERP", 100),))]
    for name in (f"bot-{number:03}" for number in range(accounts)):
        commands += [CreateAccount(account=name), Credit(account=name, amount=cash("100"))]
        commands.append(PlaceOrder(account=name, symbol="BTC-PERP", side=Side.BUY, quantity=1, limit_price=90))
        commands += [SetCancelAfter(account=name, timeout=timeout) for timeout in (10**9, 2**62, 10**9)]
    for command in commands:
        sequencer.submit(command)
    sequencer.subscribe(seen.append)
    return sequencer, clock, seen


@pytest.mark.rule("SAFE-001")
def test_of_many_that_are_due_at_once_one_command_takes_a_bounded_number_in_the_order_of_their_names() -> None:
    accounts = 2 * ACCOUNTS_PER_COMMAND_MAX + 3
    sequencer, clock, seen = crowd(accounts)
    clock.advance(10**9)
    sequencer.tick()
    canceled = [[event.order.account for event in each.events if isinstance(event, OrderCanceled)] for each in seen]
    assert [len(each) for each in canceled] == [ACCOUNTS_PER_COMMAND_MAX, ACCOUNTS_PER_COMMAND_MAX, 3]
    assert [name for names in canceled for name in names] == [f"bot-{number:03}" for number in range(accounts)]
    assert {each.time_ns for each in seen} == {T0 + 10**9}
    sequencer.tick()
    assert len(seen) == 3, "nothing is due any more"


@pytest.mark.rule("SAFE-001", "CONS-006")
def test_a_thousand_renewals_leave_one_timer_and_the_same_digest_as_the_last_of_them() -> None:
    venue = Venue([BTC_PERP])
    venue.apply(CreateAccount(account="alice"), now_ns=T0)
    for number in range(1_000):
        for trigger in CancelTrigger:
            venue.apply(SetCancelAfter(account="alice", timeout=10**9 + number, trigger=trigger), now_ns=T0)
    assert venue._state.cancel_timers.picture() == [
        [T0 + 10**9, "alice", "disconnected"],
        [T0 + 10**9 + 999, "alice", "dead_man"],
    ]
    assert venue.cancel_deadline("alice", CancelTrigger.DEAD_MAN) == T0 + 10**9 + 999
    assert venue.next_due_ns == T0 + 10**9
