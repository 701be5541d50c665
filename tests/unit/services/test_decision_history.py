from __future__ import annotations

import pytest

from exchange.domain.commands import AnyCommand, CreateAccount, Credit, MarkPrice, SetMarkPrices
from exchange.domain.decisions import FillDecision, FlagDecision, OrderDecision
from exchange.services.decision_history import Asked, DecisionHistory
from exchange.services.sequencer import Applied
from exchange.venue.venue import Venue
from tests.cast import BTC_PERP, CAST, ETH_PERP, PLAIN_POLICY, T0, cash
from tests.scenarios.spoken_commands import understand


class Recording:
    """A venue that records, and a history of what it decided."""

    def __init__(self, history: DecisionHistory) -> None:
        self.history = history
        self.venue = Venue((BTC_PERP, ETH_PERP), policy=PLAIN_POLICY, records_decisions=True)
        for account in CAST:
            self.apply(CreateAccount(account=account))
            self.apply(Credit(account=account, amount=cash("1000")))
        self.apply(SetMarkPrices(marks=(MarkPrice("BTC-PERP", 100), MarkPrice("ETH-PERP", 50))))

    def apply(self, command: AnyCommand) -> int:
        now_ns = T0 + self.venue.sequence
        events = self.venue.apply(command, now_ns=now_ns)
        self.history.apply(Applied(self.venue.sequence, now_ns, command, events, self.venue.decisions))
        return self.venue.sequence

    def say(self, *sentences: str) -> int:
        for sentence in sentences:
            command = understand(sentence)
            assert command is not None, sentence
            self.apply(command)
        return self.venue.sequence


@pytest.mark.rule("EXPL-001")
def test_a_decision_is_found_by_each_of_its_names_and_only_by_its_own_account() -> None:
    recording = Recording(DecisionHistory())
    recording.say("bob sells 5 BTC at 100")
    sequence = recording.say("alice buys 2 BTC at 100 as:mine")
    find = recording.history.find
    by_order = find("alice", Asked(order_id=2))
    assert [type(each.decision) for each in by_order] == [OrderDecision, FillDecision]
    assert find("alice", Asked(client_order_id="mine")) == by_order
    assert find("alice", Asked(sequence=sequence)) == by_order
    assert {each.decision.account for each in find("bob", Asked(sequence=sequence))} == {"bob"}
    assert find("bob", Asked(order_id=2)) == find("bob", Asked(client_order_id="mine")) == ()
    assert [type(each.decision) for each in find("bob", Asked(order_id=1))] == [OrderDecision, FillDecision]


@pytest.mark.rule("EXPL-001")
def test_a_refused_order_is_found_by_the_sequence_of_its_command() -> None:
    recording = Recording(DecisionHistory())
    (refused,) = recording.history.find("alice", Asked(sequence=recording.say("alice buys 900 BTC at 100")))
    assert isinstance(refused.decision, OrderDecision)
    assert (refused.decision.order_id, refused.command) == (None, "PlaceOrder")


@pytest.mark.rule("EXPL-004")
def test_orders_are_bounded_per_account_and_never_push_out_a_liquidation() -> None:
    recording = Recording(DecisionHistory(entries_max=4, liquidation_entries_max=20))
    recording.say("alice sets BTC isolated", "bob sells 8 BTC at 100", "alice buys 8 BTC at 100", "mark BTC 90")
    for _ in range(20):
        recording.say("alice buys 1 ETH at 40", "alice cancels all")
    find = recording.history.find
    assert find("alice", Asked(order_id=2)) == ()
    flags = [each for each in find("alice", Asked(liquidation_id=1)) if isinstance(each.decision, FlagDecision)]
    assert len(flags) == 1
    steps = [type(told.event).__name__ for told in recording.history.story("alice", 1)]
    assert (steps[0], steps[-1]) == ("LiquidationStarted", "LiquidationFinished")
    assert recording.history.story("bob", 1) == ()
    last = recording.venue.sequence - 1
    kept = [sequence for sequence in range(last + 1) if find("alice", Asked(sequence=sequence))]
    assert len(kept) == 5
    assert find("bob", Asked(order_id=1)) != ()


@pytest.mark.rule("EXPL-004")
def test_the_total_is_bounded_over_all_accounts_and_the_oldest_go_first() -> None:
    recording = Recording(DecisionHistory(entries_max=10, entries_total_max=3))
    sequences = [recording.say(f"{account} buys 1 ETH at 40") for account in ("alice", "bob", "carol", "dave")]
    found = [
        bool(recording.history.find(account, Asked(sequence=sequence)))
        for account, sequence in zip(("alice", "bob", "carol", "dave"), sequences, strict=True)
    ]
    assert found == [False, True, True, True]


@pytest.mark.rule("EXPL-004")
def test_a_busy_accounts_decisions_push_out_nobody_elses() -> None:
    recording = Recording(DecisionHistory(entries_max=3, entries_total_max=5))
    asked = recording.say("alice buys 1 ETH at 40")
    for _ in range(20):
        recording.say("bob buys 1 ETH at 40")
    assert recording.history.find("alice", Asked(sequence=asked))


@pytest.mark.rule("EXPL-005")
def test_taking_decisions_down_changes_neither_events_nor_digest() -> None:
    recording = Recording(DecisionHistory())
    silent = Venue((BTC_PERP, ETH_PERP), policy=PLAIN_POLICY)
    again = Venue((BTC_PERP, ETH_PERP), policy=PLAIN_POLICY, records_decisions=True)
    sentences = ("alice sets BTC isolated", "bob sells 8 BTC at 100", "alice buys 8 BTC at 100", "mark BTC 90")
    commands: list[AnyCommand | None] = [CreateAccount(account="alice"), CreateAccount(account="bob")]
    commands += [Credit(account=name, amount=cash("1000")) for name in ("alice", "bob")]
    commands += [understand(sentence) for sentence in ("mark BTC 100", *sentences)]
    recording.say(*sentences)
    seen = 0
    for number, command in enumerate(commands):
        assert command is not None
        assert silent.apply(command, now_ns=T0 + number) == again.apply(command, now_ns=T0 + number)
        assert silent.decisions == ()
        seen += len(again.decisions)
    assert seen > 5
    assert silent.digest() == again.digest()
